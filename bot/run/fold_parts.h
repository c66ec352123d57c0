/* What the parts of fold share: fold.c (runs, steps, gates, calls) and fold_ask.c (questions, offers, locks, taking a run up
 * again). For these two alone. */
#ifndef HM_RUN_FOLD_PARTS_H
#define HM_RUN_FOLD_PARTS_H

#include "run/event.h"
#include "run/state.h"

/* Replaces an owned string or value. */
void hm_fold_text(char **slot, const char *text);
void hm_fold_json(json_t **slot, json_t *value);
/* data's "nonce". */
void hm_fold_nonce(char slot[17], const json_t *data);
/* The step that data names, or NULL with err set. */
struct hm_step_state *hm_fold_find_step(struct hm_run *run, const json_t *data, int *ret_index, struct hm_err *err);

/* fold_ask.c */
HM_MUST enum hm_code hm_fold_question(struct hm_run *run, const struct hm_event *event, struct hm_err *err);
HM_MUST enum hm_code hm_fold_offer(struct hm_run *run, const struct hm_event *event, struct hm_err *err);
HM_MUST enum hm_code hm_fold_lock(struct hm_run *run, const struct hm_event *event, struct hm_err *err);
HM_MUST enum hm_code hm_fold_reopened(struct hm_run *run, const struct hm_event *event, struct hm_err *err);

#endif
