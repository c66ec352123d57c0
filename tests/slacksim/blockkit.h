/* Block Kit, as strict as Slack: which blocks, elements and fields are allowed where, how long texts and lists may be, which ids
 * must differ. Pure. The limits are those of Slack's documentation and of what users measured. */
#ifndef SLACKSIM_BLOCKKIT_H
#define SLACKSIM_BLOCKKIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    SIM_BK_MESSAGE_BLOCKS = 50,
    SIM_BK_VIEW_BLOCKS = 100,
    SIM_BK_MESSAGE_CHARS = 13000, /* of the blocks as compact JSON; undocumented, seen at 13,172 to 13,297 */
    SIM_BK_VIEW_BYTES = 250000
};

enum sim_surface { SIM_IN_MESSAGE = 1, SIM_IN_MODAL = 2, SIM_IN_HOME = 4 };

/* Each finding is appended to `errors` (an array) as "text [json-pointer:/blocks/0/text/text]", at most 20. `pointer` is where
 * the blocks stand ("/blocks", "/attachments/0/blocks"). True when there is none. */
bool sim_blockkit_check_blocks(json_t *blocks, enum sim_surface surface, const char *pointer, json_t *errors);
/* A view of type modal or home, with its blocks. */
bool sim_blockkit_check_view(json_t *view, json_t *errors);
/* The answer to a block_suggestion: up to 100 options, or up to 100 groups of them. NULL is none. */
bool sim_blockkit_check_answer(json_t *answer, json_t *errors);
/* Unicode characters of the compact JSON. */
size_t sim_blockkit_chars(json_t *blocks);

#endif
