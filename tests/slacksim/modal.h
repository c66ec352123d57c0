/* Views that an app sends, by views.* or as the answer to a submission: checked, completed. */
#ifndef SLACKSIM_MODAL_H
#define SLACKSIM_MODAL_H

#include "sim.h"

/* NULL or Slack's error; *ret_errors: details (array) or NULL. */
const char *sim_view_check(struct sim *sim, json_t *view, json_t **ret_errors);
/* The public form: ids, hash, initial state. id NULL: a new one; root, previous: NULL for the bottom of a stack. */
json_t *sim_view_public_new(struct sim *sim, json_t *given, const char *id, const char *root, const char *previous);

#endif
