/* The command line: subcommands, their exit codes, and how they speak.
 *
 * Exit codes: 0 ok, 1 the answer is no (invalid, mismatch), 2 usage, 3 environment (cannot connect, cannot open).
 * Results go to stdout; errors to stderr, one line each: what, where, what to do. */
#ifndef HM_CLI_CLI_H
#define HM_CLI_CLI_H

#include <stdbool.h>

#include "app/settings.h"
#include "base/err.h"

enum hm_exit { HM_EXIT_OK = 0, HM_EXIT_NO = 1, HM_EXIT_USAGE = 2, HM_EXIT_ENV = 3 };

/* What the options said. */
struct hm_cli {
    const char *config;  /* --config FILE */
    bool json;           /* --json */
    const char *channel; /* --channel NAME, or NULL */
    char **words;        /* what is left, NULL-terminated */
    int n_words;
};

/* Options that not all subcommands take. HM_TAKES_PARAMS: --name=value is a word, as people type it in Slack, and --dry-run is
 * said already. */
enum { HM_TAKES_JSON = 1, HM_TAKES_CHANNEL = 2, HM_TAKES_PARAMS = 4 };

struct hm_command {
    const char *name;
    const char *usage; /* after the name */
    const char *help;
    bool needs_config;
    bool no_words;  /* a word behind it is refused (one that has something better to say of it does that itself) */
    unsigned takes; /* HM_TAKES_… */
    int (*run)(const struct hm_cli *cli);
};

extern const struct hm_command hm_cmd_run, hm_cmd_check, hm_cmd_plan, hm_cmd_match, hm_cmd_test, hm_cmd_runs, hm_cmd_audit,
    hm_cmd_actions, hm_cmd_manifest, hm_cmd_version;

int hm_cli_main(int argc, char **argv);

/* One line to stderr: "hausmeister: …". Returns code's exit code, so that `return hm_cli_fail(…)` works. */
int hm_cli_fail(enum hm_exit code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The exit code that fits an error. */
enum hm_exit hm_cli_exit_of(enum hm_code code);
/* Loads the configuration; prints every finding to stderr and returns NULL when there is one. ret_findings may be NULL. */
struct hm_settings *hm_cli_settings(const struct hm_cli *cli, size_t *ret_findings);
/* The findings in the configuration, a line each, to stderr. */
void hm_cli_print_findings(const struct hm_cli *cli, const struct hm_diags *diags);
/* Prints a JSON value in a readable form and a line break. */
void hm_cli_print_json(const json_t *value);

#endif
