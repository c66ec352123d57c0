/* fold: events → state. Pure; the one place where a run's state changes. */
#ifndef HM_RUN_FOLD_H
#define HM_RUN_FOLD_H

#include "base/err.h"
#include "run/event.h"
#include "run/state.h"

/* Finds a recipe by the SHA-256 of its text; NULL when it can not be had. Borrowed; must outlive the run. */
typedef const struct hm_recipe *(*hm_recipe_by_sha_fn)(void *arg, const char *sha256);

/* Applies one event. HM_EBUG with err set when it does not fit the state (a journal of another program, or a mistake of ours):
 * the run must then not go on. */
HM_MUST enum hm_code hm_run_fold(struct hm_run *run, const struct hm_event *event, hm_recipe_by_sha_fn recipe_by_sha, void *arg,
                                 struct hm_err *err);

#endif
