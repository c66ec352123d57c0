/* Metapod: the table of its actions, and the settings that a backend of it may have. */
#include "handlers/metapod.h"

static const struct hm_action *const actions[] = {
    &hm_metapod_dataset,
    &hm_metapod_datasets,
    &hm_metapod_committed_count,
    &hm_metapod_failures,
    &hm_metapod_series_raw,
    &hm_metapod_databricks_path,
    &hm_metapod_retract_dataset,
    &hm_metapod_retract_attribute,
    &hm_metapod_retract_indexed_attribute,
    &hm_metapod_retract_series_dataset,
    NULL,
};

/* graphql_path: "/api/graphql". graphql_id_type: type of a transaction's id in its schema, "String!" (default) or "ID!".
 * dataset_query: the text of a query for one dataset by $id, for servers that have one. dataset_fields: further scalar fields of
 * a dataset to ask for and to pass on, such as "path format". path_field: the field with a dataset's path, "path". mounts:
 * {Databricks mount: S3 prefix}, where a path is to be found there. */
static const char *const settings[] = {"graphql_path", "graphql_id_type", "dataset_query", "dataset_fields", "path_field",
                                       "mounts",       "nu_prototype",    "nu_env",        "nu_country",     NULL};

const struct hm_handler hm_metapod_handler = {
    .name = "metapod",
    .title = "Metapod: transactions and datasets",
    .actions = actions,
    .settings = settings,
    .by_program = HM_BY_PROGRAM_WRITES,
};
