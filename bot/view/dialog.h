/* The two dialogs of a gate: typing what the recipe asks for, and going on alone with a reason. Pure. */
#ifndef HM_VIEW_DIALOG_H
#define HM_VIEW_DIALOG_H

#include <jansson.h>

#include "base/err.h"
#include "run/state.h"

/* callback_ids; the private_metadata is the button's value (hm_card_parse_value()). */
#define HM_DIALOG_TYPED "hm.dialog-typed"
#define HM_DIALOG_GLASS "hm.dialog-glass"
/* Names of the fields in the request's `values`. */
#define HM_FIELD_TYPED  "typed"
#define HM_FIELD_REASON "reason"

/* New view objects for views.open. gate_step: index of the open approve step. */
HM_MUST json_t *hm_dialog_typed_new(const struct hm_run *run, int gate_step, struct hm_err *err);
HM_MUST json_t *hm_dialog_glass_new(const struct hm_run *run, int gate_step, struct hm_err *err);

/* The ack's payload that keeps the dialog open with text (plain) under the field. Caller frees. */
char *hm_dialog_error(const char *field, const char *text);

#endif
