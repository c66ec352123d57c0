/* The command line: see cli.h. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static const struct hm_command *const commands[] = {&hm_cmd_run,      &hm_cmd_check,   &hm_cmd_plan,  &hm_cmd_match,
                                                    &hm_cmd_test,     &hm_cmd_runs,    &hm_cmd_audit, &hm_cmd_actions,
                                                    &hm_cmd_manifest, &hm_cmd_version, NULL};

int hm_cli_fail(enum hm_exit code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("hausmeister: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
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
        (void)fprintf(stderr, "%s:%d: %s\n", diags->items[i].file, diags->items[i].line, diags->items[i].text);
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

/* False when the line can not be understood (and said so). */
static bool parse_options(int argc, char **argv, struct hm_cli *cli, bool *ret_help)
{
    enum { OPT_CONFIG = 'c', OPT_JSON = 'j', OPT_CHANNEL = 'n', OPT_LOG = 'l', OPT_HELP = 'h' };
    static const struct option options[] = {{"config", required_argument, NULL, OPT_CONFIG},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {"channel", required_argument, NULL, OPT_CHANNEL},
                                            {"log", required_argument, NULL, OPT_LOG},
                                            {"help", no_argument, NULL, OPT_HELP},
                                            {NULL, 0, NULL, 0}};
    int opt = 0;
    while ((opt = getopt_long(argc, argv, "c:jl:h", options, NULL)) != -1) {
        enum hm_log_level level = HM_LOG_INFO;
        switch (opt) {
        case OPT_CONFIG:
            cli->config = optarg;
            break;
        case OPT_JSON:
            cli->json = true;
            break;
        case OPT_CHANNEL:
            cli->channel = optarg;
            break;
        case OPT_LOG:
            if (hm_log_parse_level(optarg, &level) != 0) {
                (void)hm_cli_fail(HM_EXIT_USAGE, "--log takes error, warn, info or debug, not \"%s\"", optarg);
                return false;
            }
            hm_log_set_level(level);
            break;
        case OPT_HELP:
            *ret_help = true;
            break;
        default: /* getopt has said what was wrong */
            return false;
        }
    }
    cli->words = argv + optind;
    cli->n_words = argc - optind;
    return true;
}

int hm_cli_main(int argc, char **argv)
{
    struct hm_cli cli = {0};
    bool help = false;

    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout);
    const struct hm_command *command = find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (command == NULL)
        return hm_cli_fail(HM_EXIT_USAGE, "there is no command \"%s\"; see hausmeister --help", argv[1]);
    if (!parse_options(argc - 1, argv + 1, &cli, &help))
        return HM_EXIT_USAGE;
    if (help) {
        (void)printf("usage: hausmeister %s %s\n%s\n", command->name, command->usage, command->help);
        return HM_EXIT_OK;
    }
    if (command->needs_config && cli.config == NULL)
        return hm_cli_fail(HM_EXIT_USAGE, "%s needs --config FILE", command->name);
    return command->run(&cli);
}
