/* The command line: see cli.h. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"

enum { MAX_COMPLAINT = 4000 };

static const struct hm_command *const commands[] = {&hm_cmd_run,      &hm_cmd_check,   &hm_cmd_plan,  &hm_cmd_match,
                                                    &hm_cmd_test,     &hm_cmd_runs,    &hm_cmd_audit, &hm_cmd_actions,
                                                    &hm_cmd_manifest, &hm_cmd_version, NULL};

int hm_cli_fail(enum hm_exit code, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;
    hm_strbuf_init(&text, MAX_COMPLAINT);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "hausmeister: %s\n", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return (int)code;
}

enum hm_exit hm_cli_exit_of(enum hm_code code)
{
    switch (code) {
    case HM_OK:
        return HM_EXIT_OK;
    case HM_EINVAL:
    case HM_ENOTFOUND:
    case HM_EPERM:
    case HM_ECONFLICT:
    case HM_ETOOBIG:
        return HM_EXIT_NO;
    case HM_EIO:
    case HM_EUNKNOWN:
    case HM_EENV:
    case HM_EBUG:
    case HM_CODE_NR:
        break;
    }
    return HM_EXIT_ENV;
}

void hm_cli_print_findings(const struct hm_cli *cli, const struct hm_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        (void)fprintf(stderr, "%s: %s\n", diags->items[i].at, diags->items[i].text);
    if (diags->dropped > 0)
        (void)fprintf(stderr, "%s: and %zu more findings\n", cli->config, diags->dropped);
}

struct hm_settings *hm_cli_settings(const struct hm_cli *cli, size_t *ret_findings)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_settings *settings = hm_settings_load(cli->config, &diags);
    hm_cli_print_findings(cli, &diags);
    if (ret_findings != NULL)
        *ret_findings = diags.count + diags.dropped;
    hm_diags_done(&diags);
    return settings;
}

void hm_cli_print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
    (void)puts(text != NULL ? text : "null");
    free(text);
}

/* Of the bytes, those that begin a character: what printf() would count as width are bytes. */
static int columns(const char *utf8)
{
    int n = 0;
    for (; *utf8 != '\0'; utf8++)
        n += ((unsigned char)*utf8 & 0xC0) != 0x80 ? 1 : 0;
    return n;
}

static int usage(FILE *to)
{
    enum { USAGE_WIDTH = 49 };
    (void)fputs("usage: hausmeister COMMAND [--config FILE] [options] [arguments]\n\n", to);
    for (size_t i = 0; commands[i] != NULL; i++)
        (void)fprintf(to, "  %-9s %s%*s %s\n", commands[i]->name, commands[i]->usage, USAGE_WIDTH - columns(commands[i]->usage),
                      "", commands[i]->help);
    (void)fputs("\nOptions of all commands: --config FILE, --log error|warn|info|debug, --help\n"
                "hausmeister help COMMAND tells about one.\n"
                "Exit codes: 0 ok, 1 the answer is no, 2 usage, 3 environment\n",
                to);
    return to == stdout ? HM_EXIT_OK : HM_EXIT_USAGE;
}

static const struct hm_command *find_command(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* ---- options -------------------------------------------------------------------------------------------------------------- */

enum option_id { OPT_CONFIG, OPT_LOG, OPT_JSON, OPT_CHANNEL, OPT_HELP, OPT_NR };

static const struct {
    const char *name;
    char letter; /* '\0' = none */
    bool value;
    unsigned takes; /* what a command must take to have it; 0 = each does */
} options[OPT_NR] = {
    [OPT_CONFIG] = {"--config", 'c', true, 0},
    [OPT_LOG] = {"--log", 'l', true, 0},
    [OPT_JSON] = {"--json", 'j', false, HM_TAKES_JSON},
    [OPT_CHANNEL] = {"--channel", '\0', true, HM_TAKES_CHANNEL},
    [OPT_HELP] = {"--help", 'h', false, 0},
};

/* The words of a command line that are being read. */
struct parsing {
    const struct hm_command *command;
    struct hm_cli *cli;
    char **argv; /* the next one */
    bool help;
};

static bool apply(struct parsing *parsing, enum option_id id, const char *value)
{
    enum hm_log_level level = HM_LOG_INFO;
    switch (id) {
    case OPT_CONFIG:
        parsing->cli->config = value;
        break;
    case OPT_LOG:
        if (hm_log_parse_level(value, &level) != 0) {
            (void)hm_cli_fail(HM_EXIT_USAGE, "--log takes error, warn, info or debug, not \"%s\"", value);
            return false;
        }
        hm_log_set_level(level);
        break;
    case OPT_JSON:
        parsing->cli->json = true;
        break;
    case OPT_CHANNEL:
        parsing->cli->channel = value;
        break;
    case OPT_HELP:
        parsing->help = true;
        break;
    case OPT_NR:
        break;
    }
    return true;
}

/* "--name", "--name=value" or "-n"; OPT_NR when the command has no such option. */
static enum option_id find_option(const struct hm_command *command, const char *word, const char **ret_value)
{
    size_t len = strcspn(word, "=");
    *ret_value = word[1] == '-' && word[len] == '=' ? word + len + 1 : NULL;
    for (int i = 0; i < OPT_NR; i++) {
        bool is_long = strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0;
        bool is_short = word[1] == options[i].letter && word[2] == '\0';
        if ((is_long || is_short) && (options[i].takes & ~command->takes) == 0)
            return (enum option_id)i;
    }
    return OPT_NR;
}

/* False, and says what would have been right. */
static bool refuse_option(const struct hm_command *command, const char *word)
{
    char meant[120];
    struct hm_suggest s;
    if ((command->takes & HM_TAKES_PARAMS) != 0) {
        (void)hm_cli_fail(HM_EXIT_USAGE,
                          "%s has no option %s; params are written name=value, and a value that begins with - comes behind --",
                          command->name, word);
        return false;
    }
    char *name = hm_xstrndup(word, strcspn(word, "="));
    hm_suggest_init(&s, name);
    for (int i = 0; i < OPT_NR; i++)
        if ((options[i].takes & ~command->takes) == 0)
            hm_suggest_try(&s, options[i].name);
    (void)hm_suggest_text(&s, meant, sizeof meant);
    if (meant[0] != '\0')
        (void)hm_cli_fail(HM_EXIT_USAGE, "%s has no option %s%s", command->name, name, meant);
    else
        (void)hm_cli_fail(HM_EXIT_USAGE, "%s has no option %s; see hausmeister help %s", command->name, name, command->name);
    free(name);
    return false;
}

/* One word that begins with a dash. */
static bool read_option(struct parsing *parsing, char *word)
{
    const char *value = NULL;
    enum option_id id = find_option(parsing->command, word, &value);
    bool params = (parsing->command->takes & HM_TAKES_PARAMS) != 0;
    if (id == OPT_NR && params && strcmp(word, "--dry-run") == 0)
        return true;
    if (id == OPT_NR && params && parsing->cli->n_words > 0 && value != NULL && word[2] != '=') { /* behind the recipe's name */
        parsing->cli->words[parsing->cli->n_words++] = word + 2;
        return true;
    }
    if (id == OPT_NR)
        return refuse_option(parsing->command, word);
    if (options[id].value && value == NULL)
        value = *parsing->argv != NULL ? *parsing->argv++ : NULL;
    if (options[id].value != (value != NULL)) {
        (void)hm_cli_fail(HM_EXIT_USAGE, options[id].value ? "%s needs a value behind it" : "%s takes no value",
                          options[id].name);
        return false;
    }
    return apply(parsing, id, value);
}

/* False when the line can not be understood (and said so). The words are gathered at the front of argv. */
static bool parse_line(struct parsing *parsing)
{
    bool only_words = false;
    while (*parsing->argv != NULL) {
        char *word = *parsing->argv++;
        if (!only_words && strcmp(word, "--") == 0)
            only_words = true;
        else if (only_words || word[0] != '-' || word[1] == '\0')
            parsing->cli->words[parsing->cli->n_words++] = word;
        else if (!read_option(parsing, word))
            return false;
    }
    parsing->cli->words[parsing->cli->n_words] = NULL;
    return true;
}

/* ---- commands ------------------------------------------------------------------------------------------------------------- */

static const struct hm_command *need_command(const char *name)
{
    char meant[120];
    struct hm_suggest s;
    const struct hm_command *command = find_command(name);
    if (command != NULL)
        return command;
    if (name[0] == '-') {
        (void)hm_cli_fail(HM_EXIT_USAGE, "the command comes first, and %s behind it: hausmeister COMMAND [options]", name);
        return NULL;
    }
    hm_suggest_init(&s, name);
    for (size_t i = 0; commands[i] != NULL; i++)
        hm_suggest_try(&s, commands[i]->name);
    (void)hm_suggest_text(&s, meant, sizeof meant);
    (void)hm_cli_fail(HM_EXIT_USAGE, "there is no command \"%s\"%s", name, meant[0] != '\0' ? meant : "; see hausmeister --help");
    return NULL;
}

static int explain(const struct hm_command *command)
{
    (void)printf("usage: hausmeister %s %s\n%s\n", command->name, command->usage, command->help);
    return HM_EXIT_OK;
}

/* "help", or "help COMMAND". */
static int run_help(char **words)
{
    if (words[0] == NULL)
        return usage(stdout);
    if (words[1] != NULL)
        return hm_cli_fail(HM_EXIT_USAGE, "help takes one command at most, and \"%s\" is too much", words[1]);
    const struct hm_command *command = need_command(words[0]);
    return command != NULL ? explain(command) : HM_EXIT_USAGE;
}

int hm_cli_main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return run_help(argv + 2);
    const struct hm_command *command = need_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (command == NULL)
        return HM_EXIT_USAGE;
    struct hm_cli cli = {.words = argv};
    struct parsing parsing = {.command = command, .cli = &cli, .argv = argv + 2};
    if (!parse_line(&parsing))
        return HM_EXIT_USAGE;
    if (parsing.help)
        return explain(command);
    if (command->no_words && cli.n_words > 0)
        return hm_cli_fail(HM_EXIT_USAGE, "%s takes no arguments, and \"%s\" is one; see hausmeister help %s", command->name,
                           cli.words[0], command->name);
    if (command->needs_config && cli.config == NULL)
        return hm_cli_fail(HM_EXIT_USAGE, "%s needs --config FILE", command->name);
    return command->run(&cli);
}
