/* Dialogs: typing what a gate asks for, going on alone with a reason, choosing from a list, filling in fields, giving evidence.
 * Pure. */
#ifndef HM_VIEW_DIALOG_H
#define HM_VIEW_DIALOG_H

#include <jansson.h>

#include "base/err.h"
#include "run/state.h"

/* callback_ids; the private_metadata is the button's value (hm_card_parse_value()). */
#define HM_DIALOG_TYPED    "hm.dialog-typed"
#define HM_DIALOG_GLASS    "hm.dialog-glass"
#define HM_DIALOG_REJECT   "hm.dialog-reject"
#define HM_DIALOG_ASK      "hm.dialog-ask"
#define HM_DIALOG_EVIDENCE "hm.dialog-evidence"
#define HM_DIALOG_WORDS    "hm.dialog-words" /* says something, asks nothing */
/* Names of the fields in the request's `values`. */
#define HM_FIELD_TYPED    "typed"
#define HM_FIELD_REASON   "reason"
#define HM_FIELD_CHOICE   "choice"
#define HM_FIELD_EVIDENCE "evidence"

/* New view objects for views.open. gate_step: index of the open approve step. */
HM_MUST json_t *hm_dialog_typed_new(const struct hm_run *run, int gate_step, struct hm_err *err);
HM_MUST json_t *hm_dialog_reject_new(const struct hm_run *run, int gate_step, struct hm_err *err);
/* The whole plan and the buttons of the card, for whoever looks from elsewhere. It is submitted like hm_dialog_typed_new(). */
HM_MUST json_t *hm_dialog_decide_new(const struct hm_run *run, int gate_step, struct hm_err *err);
HM_MUST json_t *hm_dialog_glass_new(const struct hm_run *run, int gate_step, struct hm_err *err);

/* The open question of an ask or a manual step. A list of up to 100 is a menu; a longer one is searched by typing
 * (hm_dialog_options()). */
HM_MUST json_t *hm_dialog_ask_new(const struct hm_run *run, int step, struct hm_err *err);
HM_MUST json_t *hm_dialog_evidence_new(const struct hm_run *run, int step, struct hm_err *err);
/* The ack's payload for what was typed into the search: up to 100 of the list's items whose name holds all typed words. Caller
 * frees. question: NULL = none (the question is over). */
char *hm_dialog_options(const struct hm_question *question, const char *typed);

/* The ack's payload that keeps the dialog open with text (plain) under the field. Caller frees. */
/* A submitted dialog's place is taken by these words: the ack's payload; caller frees. */
char *hm_dialog_words(const char *title, const char *mrkdwn);
char *hm_dialog_error(const char *field, const char *text);

#endif
