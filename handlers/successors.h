/* What depends on a dataset, as BigQuery's table and spark_ops.json tell it: one form for both. */
#ifndef HM_HANDLERS_SUCCESSORS_H
#define HM_HANDLERS_SUCCESSORS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* An op's name: letters, digits and . _ - / (dataset/x, series-contract/y …), at most 200, beginning with a letter. */
bool hm_op_name_ok(const char *name);

/* {name, successors: [names], count, policies: [those that are policies], text: the first of them, for a card}. names: an array
 * of texts; NULL when anything else is in it, because "no successors" is what a dataset is emptied for. New reference. */
json_t *hm_successors_result_new(const char *name, const json_t *names);

/* What hm_successors_result_new() makes, as struct hm_field_spec. */
/* clang-format off */
#define HM_SUCCESSORS_FIELDS \
    {"name", HM_FIELD_TEXT, true, "the dataset", NULL}, \
    {"successors", HM_FIELD_LIST, true, "names of what depends on it", NULL}, \
    {"count", HM_FIELD_NUMBER, true, "how many", NULL}, \
    {"policies", HM_FIELD_LIST, true, "those that are policies", NULL}, \
    {"text", HM_FIELD_TEXT, true, "the first twenty, one a line", NULL}
/* clang-format on */

#endif
