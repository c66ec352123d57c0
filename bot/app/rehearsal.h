/* A rehearsal: a recipe played up to its first effect, reads for real, nothing written anywhere. What `hausmeister plan` shows.
 *
 * It is the same run core and the same runner as in the bot; only the journal is memory, and one choke point refuses to send
 * anything that is not a read. */
#ifndef HM_APP_REHEARSAL_H
#define HM_APP_REHEARSAL_H

#include "app/settings.h"
#include "run/state.h"

/* Plays recipe with params (as hm_params_check_new() gave them) until it ends, needs a person or would change something.
 * Blocking: it turns a loop of its own. shown: called once with the run as it is then and, when an ungated effect was about to
 * leave, its request (else NULL). */
HM_MUST enum hm_code hm_rehearse(const struct hm_settings *settings, const struct hm_recipe *recipe, const json_t *params,
                                 const json_t *given, void (*shown)(void *arg, const struct hm_run *run, const json_t *effect),
                                 void *arg, struct hm_err *err);

#endif
