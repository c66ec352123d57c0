/* A rehearsal: a recipe played up to its first effect, reads for real, nothing written anywhere. What `hausmeister plan` shows.
 *
 * It is the same run core and the same runner as in the bot; only the journal is memory, and one choke point refuses to send
 * anything but the request of an action that reads, whatever the recipe calls it and whatever the request is for. */
#ifndef HM_APP_REHEARSAL_H
#define HM_APP_REHEARSAL_H

#include "app/settings.h"
#include "run/plan.h"

/* Where a rehearsal came to its end. */
struct hm_rehearsed {
    const struct hm_run *run;
    const struct hm_plan *plan; /* at a gate: all that it guards, complete (the run itself may keep less); else NULL */
    const json_t *effects;      /* requests that were about to leave without a gate and were refused; empty = none */
};

/* Plays order's recipe with its params (as hm_params_check_new() gave them; the rest is filled in) until it ends, needs a person
 * or would change something. Blocking: it turns a loop of its own. shown: called once. */
HM_MUST enum hm_code hm_rehearse(const struct hm_settings *settings, const struct hm_run_order *order,
                                 void (*shown)(void *arg, const struct hm_rehearsed *rehearsed), void *arg, struct hm_err *err);

#endif
