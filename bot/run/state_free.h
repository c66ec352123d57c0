/* Changing and emptying parts of a run's state; for state.c and the fold files alone. */
#ifndef HM_RUN_STATE_FREE_H
#define HM_RUN_STATE_FREE_H

#include "run/state.h"

/* Frees what it holds and zeroes it. */
void hm_gate_done(struct hm_gate *gate);
void hm_step_state_done(struct hm_step_state *step);
void hm_question_done(struct hm_question *question);
void hm_call_done(struct hm_call *call);

/* The one function that changes the phase of one of the step's calls (not of its verify). */
void hm_step_move_call(struct hm_step_state *step, int item, enum hm_call_phase to);

#endif
