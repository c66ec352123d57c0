/* The words that can be typed and are no recipes: their names, and the help of each. Pure. */
#ifndef HM_VIEW_COMMANDS_H
#define HM_VIEW_COMMANDS_H

#include <stddef.h>

struct hm_chat_command {
    const char *name;  /* "cancel" */
    const char *usage; /* what is written, without the bot's own name: "cancel ID"; "" = it is not typed at all */
    const char *says;  /* what it does; mrkdwn */
};

/* The command that is typed with this very word, or NULL. It wins over a recipe of the same name. */
const struct hm_chat_command *hm_command_typed(const char *word);
/* The nearest name that is less than *distance edits away, which becomes that distance; NULL when there is none. A short word has
 * fewer slips in it than a long one. */
const struct hm_chat_command *hm_command_nearest(const char *word, size_t *distance);
/* Its help. command: "/hausmeister". mrkdwn; caller frees. */
char *hm_command_help(const struct hm_chat_command *about, const char *command);

#endif
