/* What can be done with checked blocks: ids filled in, elements found, chosen values turned into state objects. Pure. */
#ifndef SLACKSIM_ELEMENTS_H
#define SLACKSIM_ELEMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "ids.h"

/* As Slack does: a random block_id and action_id where there is none, "emoji" and "verbatim" where they were left out. */
void sim_blocks_fill(json_t *blocks, struct sim_ids *ids);

struct sim_found {
    json_t *block;   /* borrowed */
    json_t *element; /* borrowed */
    size_t matches;
};
/* Elements (accessory, element, elements) with this action_id and, unless NULL, block_id. */
struct sim_found sim_blocks_find(const json_t *blocks, const char *action_id, const char *block_id);

/* True for elements whose state shows in state.values (menus, pickers, inputs, not buttons and overflow). */
bool sim_element_has_state(const json_t *element);
/* Its state before anybody touched it (initial values), e.g. {"type":"static_select","selected_option":null}. */
json_t *sim_element_initial_new(const json_t *element);
/* The state after choosing `value`: an option's value, a text, a date, an array of them, or a whole state object. NULL with err
 * when Slack's client would not let that happen. */
json_t *sim_element_choose_new(const json_t *element, json_t *value, struct hm_err *err);
/* NULL when the client would accept this input block with this state (may be NULL), otherwise why not. */
const char *sim_input_refusal(const json_t *block, const json_t *state);

/* block_id -> action_id -> initial state of all elements with state. */
json_t *sim_blocks_initial_new(const json_t *blocks);

#endif
