/* What the parts of decide share: decide.c (steps), decide_calls.c (requests and their answers), decide_gate.c (approval and
 * other clicks). For these three alone. */
#ifndef HM_RUN_DECIDE_PARTS_H
#define HM_RUN_DECIDE_PARTS_H

#include "run/decide.h"
#include "run/plan.h"

/* One call of hm_run_decide(). */
struct hm_deciding {
    const struct hm_run *run;
    const struct hm_run_env *env;
    struct hm_events *events;
    struct hm_reply *reply;
};

/* A new event object with "step" set. */
HM_MUST json_t *hm_step_data_new(const struct hm_run *run, int step);
void hm_emit(struct hm_deciding *d, enum hm_event_type type, json_t *stolen_data);
/* RUN_FINISHED with a status and a mrkdwn text; by may be NULL. */
void hm_emit_end(struct hm_deciding *d, enum hm_run_status status, const char *text, const char *by);
/* RUN_FINISHED failed: "*title*: problem", and what was and was not done. problem: plain text; it is escaped. */
void hm_emit_step_failure(struct hm_deciding *d, int step, const char *problem);
/* A new mrkdwn string from plain text. */
char *hm_mrkdwn_of(const char *plain);
/* The step's name for people: its title, or what it does. */
const char *hm_step_title(const struct hm_step *step);

/* decide_calls.c */
/* True when something of the step's calls was decided (started, settled, given up); false when all of it only waits. */
bool hm_decide_calls(struct hm_deciding *d, int step);
void hm_decide_answer(struct hm_deciding *d, const struct hm_input *in);
void hm_decide_lost(struct hm_deciding *d);
/* True while a request that may change something is under way or unsettled. */
bool hm_effect_under_way(const struct hm_run *run);

/* decide_gate.c */
void hm_decide_open_gate(struct hm_deciding *d, int step);
void hm_decide_click(struct hm_deciding *d, const struct hm_input *in);
void hm_decide_gate_time(struct hm_deciding *d);
/* Does what would be sent still match the recipe and the approved plan? If not, emits the events that ask anew and returns false.
 * why: a sentence for the card when the caller knows it, else NULL. */
bool hm_decide_still_fits(struct hm_deciding *d, const char *why);

#endif
