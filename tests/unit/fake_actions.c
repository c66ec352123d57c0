/* A table of actions for tests of the recipe room, instead of the program's own: one of each effect, with and without a probe,
 * with arguments of every type. Nothing here can be called; the loader only reads what actions say about themselves. */
#include <stddef.h>

#include "handlers/handler.h"

static const struct hm_arg_spec dataset_args[] = {{"id", HM_ARG_UUID, true, "the dataset's id"},
                                                  {"transaction", HM_ARG_UUID, false, "where to look for it"},
                                                  {NULL, HM_ARG_NR, false, NULL}};
static const struct hm_arg_spec id_args[] = {{"id", HM_ARG_UUID, true, "what to retract"}, {NULL, HM_ARG_NR, false, NULL}};
static const struct hm_arg_spec transaction_args[] = {
    {"transaction", HM_ARG_UUID, true, NULL}, {"only", HM_ARG_STRING, false, NULL}, {NULL, HM_ARG_NR, false, NULL}};
static const struct hm_arg_spec clear_args[] = {{"dag", HM_ARG_STRING, true, NULL},   {"dry_run", HM_ARG_BOOL, false, NULL},
                                                {"limit", HM_ARG_INT, false, NULL},   {"states", HM_ARG_LIST, false, NULL},
                                                {"conf", HM_ARG_OBJECT, false, NULL}, {NULL, HM_ARG_NR, false, NULL}};
static const struct hm_arg_spec no_args[] = {{NULL, HM_ARG_NR, false, NULL}};

static const struct hm_arg_spec context[] = {
    {"transaction", HM_ARG_UUID, false, NULL}, {"dataset", HM_ARG_STRING, false, NULL}, {NULL, HM_ARG_NR, false, NULL}};

/* airflow.clear and gocd.publish declare nothing: of what they give, nothing is known. */
static const struct hm_field_spec schema_fields[] = {{"attributes", HM_FIELD_LIST, true, "names", NULL},
                                                     {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec dataset_fields[] = {{"id", HM_FIELD_TEXT, true, "its id", NULL},
                                                      {"name", HM_FIELD_TEXT, true, "its name", NULL},
                                                      {"committed", HM_FIELD_BOOL, true, "whether it is", NULL},
                                                      {"schema", HM_FIELD_OBJECT, false, "its schema", schema_fields},
                                                      {"labels", HM_FIELD_OBJECT, true, "its labels", hm_fields_texts},
                                                      {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec datasets_fields[] = {{"datasets", HM_FIELD_LIST, true, "all", dataset_fields},
                                                       {"list", HM_FIELD_LIST, true, "the same", dataset_fields},
                                                       {"names", HM_FIELD_LIST, true, "their names", NULL},
                                                       {"count", HM_FIELD_NUMBER, true, "how many", NULL},
                                                       {"complete", HM_FIELD_BOOL, true, "whether they are all", NULL},
                                                       {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec count_fields[] = {{"count", HM_FIELD_NUMBER, true, "how many", NULL},
                                                    {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec id_fields[] = {{"id", HM_FIELD_TEXT, true, "what was retracted", NULL},
                                                 {NULL, HM_FIELD_NR, false, NULL, NULL}};

static const struct hm_action dataset = {.name = "metapod.dataset",
                                         .effect = HM_EFFECT_READ,
                                         .args = dataset_args,
                                         .result = dataset_fields,
                                         .more_fields = "dataset_fields"};
static const struct hm_action datasets = {
    .name = "metapod.datasets", .effect = HM_EFFECT_READ, .args = transaction_args, .result = datasets_fields};
static const struct hm_action count = {
    .name = "metapod.committed-count", .effect = HM_EFFECT_READ, .args = transaction_args, .result = count_fields};
static const struct hm_action retract = {.name = "metapod.retract-dataset",
                                         .effect = HM_EFFECT_IDEMPOTENT,
                                         .args = id_args,
                                         .result = id_fields,
                                         .probe_action = "metapod.dataset",
                                         .probe_context = context};
static const struct hm_action retract_attribute = {
    .name = "metapod.retract-attribute", .effect = HM_EFFECT_IDEMPOTENT, .args = id_args};
static const struct hm_action retract_indexed = {
    .name = "metapod.retract-indexed-attribute", .effect = HM_EFFECT_IDEMPOTENT, .args = id_args};
static const struct hm_action retract_series = {
    .name = "metapod.retract-series-dataset", .effect = HM_EFFECT_IDEMPOTENT, .args = id_args};
static const struct hm_action clear = {.name = "airflow.clear", .effect = HM_EFFECT_ONCE, .args = clear_args};
static const struct hm_action publish = {.name = "gocd.publish", .effect = HM_EFFECT_ONCE, .args = no_args};

static const struct hm_action *const metapod_actions[] = {&dataset,           &datasets,        &count,          &retract,
                                                          &retract_attribute, &retract_indexed, &retract_series, NULL};
static const struct hm_action *const airflow_actions[] = {&clear, NULL};
static const struct hm_action *const gocd_actions[] = {&publish, NULL};
static const char *const no_settings[] = {NULL};
static const struct hm_handler metapod = {
    .name = "metapod", .title = "Metapod", .actions = metapod_actions, .settings = no_settings};
static const struct hm_handler airflow = {
    .name = "airflow", .title = "Airflow", .actions = airflow_actions, .settings = no_settings};
static const struct hm_handler gocd = {.name = "gocd", .title = "GoCD", .actions = gocd_actions, .settings = no_settings};

const struct hm_handler *const hm_handlers[] = {&metapod, &airflow, &gocd, NULL};
