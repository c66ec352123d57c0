/* The words that are no recipes: see commands.h. */
#include "view/commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"

enum { HELP_MAX = 2000 };

#define ON_THE_CARD                                                                                                              \
    "That is not typed: it is decided with the buttons on the run's card, which shows exactly what would be sent. The *Home* "   \
    "tab "                                                                                                                       \
    "lists what waits for you; `runs` lists all that is going."

static const struct hm_chat_command commands[] = {
    {"help", "help RECIPE", "One recipe, or one command, in full; `help` alone lists what you may run here."},
    {"runs", "runs", "What is going and what was, the newest first."},
    {"run", "run ID",
     "One run as its card shows it, for you alone and without buttons. Of a recipe, `run RECIPE …` starts it, as the recipe's "
     "name "
     "alone does."},
    {"cancel", "cancel ID",
     "Stops a run: what is under way comes to its end, nothing else is started. For whoever asked for it or leads it, and for "
     "everybody who may start its recipe."},
    {"retry", "retry ID", "Starts the same recipe with the same params anew. That is a run of your own, with gates of its own."},
    {"take", "take ID",
     "You lead the run from now on: you may stop it, and no longer approve it. For everybody who may start its recipe."},
    {"stop", "stop all",
     "Stops everything: what is under way comes to its end, and nothing that changes anything is sent, of any run, until "
     "somebody "
     "lets it go on with `resume`. Reads go on. For everybody who has a role here. One run alone is stopped with `cancel ID`."},
    {"resume", "resume", "Lets everything go on that `stop all` has stopped. For everybody who has a role here."},
    {"approve", "", ON_THE_CARD},
    {"reject", "", ON_THE_CARD},
};

const struct hm_chat_command *hm_command_typed(const char *word)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(commands); i++)
        if (commands[i].usage[0] != '\0' && hm_streq(commands[i].name, word))
            return &commands[i];
    return NULL;
}

const struct hm_chat_command *hm_command_nearest(const char *word, size_t *distance)
{
    const struct hm_chat_command *best = NULL;
    size_t third = strlen(word) / 3;
    size_t below = (third < 1 ? 1 : third) + 1;
    if (*distance > below)
        *distance = below;
    for (size_t i = 0; i < HM_ARRAY_LEN(commands); i++) {
        size_t now = *distance > 0 ? hm_edit_distance(word, commands[i].name, *distance - 1) : 0;
        if (now >= *distance)
            continue;
        *distance = now;
        best = &commands[i];
    }
    return best;
}

char *hm_command_help(const struct hm_chat_command *about, const char *command)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, HELP_MAX);
    if (about->usage[0] != '\0') {
        char *usage = hm_xasprintf("%s %s", command, about->usage);
        hm_slack_add_code(&out, usage);
        hm_strbuf_addc(&out, '\n');
        free(usage);
    }
    hm_strbuf_adds(&out, about->says);
    return hm_strbuf_take(&out);
}
