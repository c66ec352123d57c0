/* hausmeister actions: the reference of actions, for who writes recipes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/suggest.h"
#include "cli/cli.h"
#include "handlers/handler.h"
#include "view/actions.h"

static int no_such(const char *name)
{
    char meant[120];
    struct hm_suggest s;
    hm_suggest_init(&s, name);
    for (size_t h = 0; hm_handlers[h] != NULL; h++) {
        hm_suggest_try(&s, hm_handlers[h]->name);
        for (size_t a = 0; hm_handlers[h]->actions[a] != NULL; a++)
            hm_suggest_try(&s, hm_handlers[h]->actions[a]->name);
    }
    return hm_cli_fail(HM_EXIT_NO, "there is no action and no handler \"%s\"%s", name, hm_suggest_text(&s, meant, sizeof meant));
}

static int run_actions(const struct hm_cli *cli)
{
    if (cli->n_words > 1)
        return hm_cli_fail(HM_EXIT_USAGE, "actions takes one name: of an action, or of a handler for all of its");
    const char *name = cli->n_words == 1 ? cli->words[0] : NULL;
    char *text = hm_actions_text(name);
    if (text == NULL)
        return no_such(name);
    (void)fputs(text[0] == '\n' ? text + 1 : text, stdout);
    free(text);
    return HM_EXIT_OK;
}

const struct hm_command hm_cmd_actions = {
    .name = "actions",
    .usage = "[NAME]",
    .help = "says what actions take and give",
    .needs_config = false,
    .run = run_actions,
};
