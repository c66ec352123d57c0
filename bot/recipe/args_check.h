/* The last look at an action's arguments, after rendering: only what the action declares reaches its request(). Pure. */
#ifndef HM_RECIPE_ARGS_CHECK_H
#define HM_RECIPE_ARGS_CHECK_H

#include <jansson.h>

#include "base/err.h"
#include "handlers/handler.h"

/* args: an object as hm_args_render_new() made it, changed in place: where a text is wanted, a number or truth value becomes its
 * text. HM_EINVAL with a sentence that names the argument when one is missing, of another type, or unknown to the action. */
HM_MUST enum hm_code hm_args_check(const struct hm_action *action, json_t *args, struct hm_err *err);

#endif
