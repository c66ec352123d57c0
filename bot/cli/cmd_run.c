/* hausmeister run: the bot. */
#include <unistd.h>

#include "app/bot.h"
#include "cli/cli.h"

static int run_run(const struct hm_cli *cli)
{
    struct hm_err err = {0};
    if (cli->n_words > 0)
        return hm_cli_fail(
            HM_EXIT_USAGE,
            "run starts the bot and takes no arguments; `hausmeister runs --config FILE %s` shows a run, and recipes "
            "are started in Slack",
            cli->words[0]);
    struct hm_settings *settings = hm_cli_settings(cli, NULL);
    if (settings == NULL)
        return HM_EXIT_NO;
    struct hm_bot *bot = hm_bot_new(settings, &err);
    if (bot == NULL) {
        (void)hm_cli_fail(HM_EXIT_ENV, "%s", err.msg);
        _exit(HM_EXIT_ENV); /* half open: the process's end closes it all, threads included */
    }
    bool ended_well = hm_bot_run(bot);
    hm_bot_free(bot);
    return ended_well ? HM_EXIT_OK : HM_EXIT_ENV;
}

const struct hm_command hm_cmd_run = {
    .name = "run",
    .usage = "--config FILE",
    .help = "the bot; SIGTERM ends it, SIGHUP reloads the configuration",
    .needs_config = true,
    .run = run_run,
};
