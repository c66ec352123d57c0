/* The values that a param's list offers: from the result of its read to a select's options, and what is wrong with a value that
 * is not among them. Pure; app/lists.h reads. */
#ifndef HM_VIEW_CHOICES_H
#define HM_VIEW_CHOICES_H

#include <jansson.h>
#include <stdbool.h>

#include "recipe/recipe.h"

enum { HM_CHOICES_MAX = 2000 };

/* The value of a line that says something in place of choices; hm_start_errors() refuses it. */
#define HM_CHOICE_NONE "hm.none"

/* [[value, label], …] in the result's order, each value once; what has no value is left out, and so is what comes after
 * HM_CHOICES_MAX. scope: what `on` and `with` were made of. NULL with err set when the result has no such list, or
 * none of its items has a value. */
HM_MUST json_t *hm_choices_new(const struct hm_param_list *list, const json_t *result, const json_t *scope, struct hm_err *err);
/* choices NULL: none are known. */
bool hm_choices_have(const json_t *choices, const char *value);

/* choices NULL: the list is not known. What fits what was typed into the select, at most 100; where a list takes other values
 * too, also what was typed itself. The ack's payload as JSON text (caller frees). */
char *hm_choices_options(const struct hm_param_list *list, const json_t *choices, const char *typed);
/* One line in place of choices, since Slack shows nothing but "No result" for none: what to do first, or why there are none. The
 * same payload. */
char *hm_choices_line(const char *plain);
/* "service must be one of the 12 that kubernetes.deployments lists; "metapot" is not; did you mean "metapod"?" Caller frees. */
char *hm_choices_refusal(const struct hm_param *param, const json_t *choices, const char *value);

#endif
