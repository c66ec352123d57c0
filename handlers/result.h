/* What the results of actions hold: the fields that each action declares (struct hm_field_spec), found by name, and held against
 * a result.
 *
 * Recipes read results as `${step.field}`; the loader knows from these tables which fields there are. Whether the tables tell the
 * truth is looked at where a result comes from: hm_action_response(), in debug and sanitizer builds only. */
#ifndef HM_HANDLERS_RESULT_H
#define HM_HANDLERS_RESULT_H

#include "handlers/handler.h"

/* "a text", "a number", "true or false", "a list", "an object", "anything". */
const char *hm_field_type_text(enum hm_field_type type);

/* The field of that name among them, or the one called "*", which stands for every other name; NULL when there is neither.
 * fields may be NULL. */
const struct hm_field_spec *hm_field_find(const struct hm_field_spec *fields, const char *name, size_t len);

/* True when the backend's setting for further fields of this action names it. */
bool hm_action_has_more(const struct hm_action *action, const struct hm_backend *backend, const char *name, size_t len);

/* HM_OK, or HM_EBUG with what the result has that is not declared, or the other way round. */
enum hm_code hm_result_check(const struct hm_action *action, const struct hm_backend *backend, const json_t *result,
                             struct hm_err *err);

/* action->response(); the way on which every answer is judged. Built with HM_CHECK_RESULTS it ends the process when the result
 * is not as declared. */
enum hm_verdict hm_action_response(const struct hm_action *action, const struct hm_backend *backend, const json_t *args,
                                   const json_t *cursor, const struct hm_answer *answer, struct hm_outcome *ret_out);

#endif
