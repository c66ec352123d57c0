/* What --dry-run shows: a recipe played up to where a person would be asked or something would be changed. Pure. */
#ifndef HM_VIEW_DRY_H
#define HM_VIEW_DRY_H

#include "run/plan.h"
#include "slack/blocks.h"

/* run: as far as it went. plan: at its open gate, complete, or NULL. effects: requests that would have left without a gate.
 * again: the words that start it for real ("/hausmeister retract 5a5d…"), plain, or NULL. */
void hm_dry_render(const struct hm_run *run, const struct hm_plan *plan, const json_t *effects, const char *again,
                   struct hm_slack_message *ret_message);

#endif
