/* Emptying parts of a run's state; for state.c and fold.c alone. */
#ifndef HM_RUN_STATE_FREE_H
#define HM_RUN_STATE_FREE_H

#include "run/state.h"

/* Frees what it holds and zeroes it. */
void hm_gate_done(struct hm_gate *gate);
void hm_step_state_done(struct hm_step_state *step);

#endif
