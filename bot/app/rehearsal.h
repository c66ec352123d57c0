/* A rehearsal: a recipe played up to its first effect, reads for real, nothing written anywhere. What `hausmeister plan` shows.
 *
 * It is the same run core and the same runner as in the bot; only the journal is memory, and one choke point refuses to send
 * anything but the request of an action that reads, whatever the recipe calls it and whatever the request is for. In Slack it is
 * what --dry-run shows. */
#ifndef HM_APP_REHEARSAL_H
#define HM_APP_REHEARSAL_H

#include <uv.h>

#include "app/backends.h"
#include "app/settings.h"
#include "run/plan.h"

/* Where a rehearsal came to its end. */
struct hm_rehearsed {
    const struct hm_run *run;
    const struct hm_plan *plan; /* at a gate: all that it guards, complete (the run itself may keep less); else NULL */
    const json_t *effects;      /* requests that were about to leave without a gate and were refused; empty = none */
};

struct hm_rehearsal;

/* All borrowed; the settings are held until the rehearsal has ended. */
struct hm_rehearsal_opts {
    uv_loop_t *loop;
    const struct hm_settings *settings;
    const json_t *known; /* NULL = the settings' */
    struct hm_backends *backends;
    void (*shown)(void *arg, const struct hm_rehearsed *rehearsed); /* once, but after a cancel never */
    void (*ended)(void *arg);                                       /* the last call: the rehearsal is freed. NULL = not wanted */
    void *arg;
};

/* Plays order's recipe on the loop that turns already. Frees itself. NULL with err set when it can not begin. */
struct hm_rehearsal *hm_rehearsal_new(const struct hm_rehearsal_opts *opts, const struct hm_run_order *order, struct hm_err *err);
/* Nothing is shown any more; it ends when what is under way has come back. */
void hm_rehearsal_cancel(struct hm_rehearsal *rehearsal);

/* Plays order's recipe with its params (as hm_params_check_new() gave them; the rest is filled in) until it ends, needs a person
 * or would change something. Blocking: it turns a loop of its own. shown: called once. */
HM_MUST enum hm_code hm_rehearse(const struct hm_settings *settings, const struct hm_run_order *order,
                                 void (*shown)(void *arg, const struct hm_rehearsed *rehearsed), void *arg, struct hm_err *err);

#endif
