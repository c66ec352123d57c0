/* What the parts of decide share: decide.c (the walk), decide_steps.c (beginning and ending a step), decide_calls.c (requests),
 * decide_answer.c (their answers), decide_gate.c (approval), decide_click.c (other clicks), decide_ask.c (questions and offers).
 * For these alone. */
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
/* ".", or "" when the text ends a sentence already. */
const char *hm_full_stop(const char *text);
/* A new mrkdwn string from plain text. */
char *hm_mrkdwn_of(const char *plain);
/* "*title*: problem" with problem already mrkdwn. */
void hm_emit_failure(struct hm_deciding *d, int step, const char *mrkdwn);
/* STEP_FINISHED. said and error: mrkdwn or NULL. */
void hm_emit_finished(struct hm_deciding *d, int index, bool ok, json_t *stolen_value, const char *said, const char *error);
/* A new mrkdwn line over the scope; one that can not be rendered becomes its error, so that it is seen. NULL for NULL. */
char *hm_render_line(const struct hm_template *tpl, const json_t *scope);
/* The step's name for people: its title, or what it does. */
const char *hm_step_title(const struct hm_step *step);

/* decide_steps.c */
/* Ends a step that people answered: its line, then stop_if. */
void hm_decide_finish_asked(struct hm_deciding *d, int index, json_t *stolen_value);
/* All calls (and the verify) are settled: closes the step, and the run if it must not go on. */
void hm_decide_finish_do(struct hm_deciding *d, int index);
void hm_decide_start_step(struct hm_deciding *d, int index);

/* decide_ask.c */
void hm_decide_start_ask(struct hm_deciding *d, int index, const json_t *scope);
void hm_decide_start_manual(struct hm_deciding *d, int index, const json_t *scope);
void hm_decide_start_offer(struct hm_deciding *d, int index, json_t *scope);
/* on_error = "ask": opens the question what to do about the error (mrkdwn). */
void hm_decide_ask_error(struct hm_deciding *d, int index, const char *error, bool can_retry);
void hm_decide_question_time(struct hm_deciding *d);
void hm_click_question(struct hm_deciding *d, const struct hm_input *in);
void hm_click_offer(struct hm_deciding *d, const struct hm_input *in);
void hm_click_retry_failed(struct hm_deciding *d, const struct hm_input *in);
/* LOCK_WAITED when another run is in the way and that is not noted yet; true when there is one. */
bool hm_decide_blocked(struct hm_deciding *d);
HM_MUST json_t *hm_blocker_data_new(const char *lock, const struct hm_blocker *blocker);

/* decide_calls.c, decide_answer.c */
/* One call of a step and what belongs to it. */
struct hm_site {
    int index;
    int item;
    const struct hm_step *step;
    const struct hm_step_state *state;
    const struct hm_call *call;
    enum hm_purpose purpose;
};
struct hm_site hm_site_of(const struct hm_run *run, int index, int item, enum hm_purpose purpose);
HM_MUST json_t *hm_call_data_new(const struct hm_run *run, const struct hm_site *site);
bool hm_is_effect(const struct hm_site *site);
void hm_emit_call_failed(struct hm_deciding *d, const struct hm_site *site, const char *verdict, const char *error);
void hm_emit_call_asked(struct hm_deciding *d, const struct hm_site *site, const char *error);
/* Failures that hold the step up: not waved through, not to be gone on from anyway. */
bool hm_step_gives_up(const struct hm_run *run, int step);
/* True when something of the step's calls was decided (started, settled, given up); false when all of it only waits. */
bool hm_decide_calls(struct hm_deciding *d, int step);
void hm_decide_answer(struct hm_deciding *d, const struct hm_input *in);
void hm_decide_lost(struct hm_deciding *d);
/* True while a request that may change something is under way or unsettled. */
bool hm_effect_under_way(const struct hm_run *run);

/* decide_gate.c */
void hm_decide_open_gate(struct hm_deciding *d, int index);
/* approve and reject */
void hm_click_gate(struct hm_deciding *d, const struct hm_input *in);
void hm_decide_gate_time(struct hm_deciding *d);
/* Does what would be sent still match the recipe and the approved plan? If not, emits the events that ask anew and returns false.
 * why: a sentence for the card when the caller knows it, else NULL. */
bool hm_decide_still_fits(struct hm_deciding *d, const char *why);
/* Nothing has changed, and the gate was not approved: it was passed over when there was nothing to send. */
void hm_decide_ask_anew(struct hm_deciding *d, int gate);

/* decide_click.c */
void hm_decide_click(struct hm_deciding *d, const struct hm_input *in);
void hm_reply_with(struct hm_deciding *d, enum hm_reply_kind kind, const char *who, int64_t when_ms);
void hm_reply_typed(struct hm_deciding *d, const char *text);
/* The run is over, or the buttons are of an older question. */
void hm_reply_late(struct hm_deciding *d);
/* An outsider, or somebody without the role: replies and returns false. No roles: everybody of the workspace. */
bool hm_may_decide(struct hm_deciding *d, const struct hm_input *in, char *const *roles);
/* The same, for what the requester may always do. */
bool hm_may_or_own(struct hm_deciding *d, const struct hm_input *in, char *const *roles);
/* Who decides about a step's errors: those of its gate, else those who may start the recipe. */
char *const *hm_step_roles(const struct hm_run *run, int index);

#endif
