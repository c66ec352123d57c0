/* GoCD: pipelines, their stages and what changed between two of their instances (https://api.gocd.org). */
#ifndef HM_HANDLERS_GOCD_H
#define HM_HANDLERS_GOCD_H

#include "handlers/handler.h"

extern const struct hm_handler hm_gocd_handler;

/* gocd_read.c */
extern const struct hm_action hm_gocd_status, hm_gocd_instance, hm_gocd_stage, hm_gocd_history, hm_gocd_build, hm_gocd_compare;
/* gocd_run.c */
extern const struct hm_action hm_gocd_run_stage;

/* A name of a pipeline or stage: letters, digits and . _ -, at most 255. */
bool hm_gocd_name_ok(const char *name);
/* Begins a request below /api; version: of the API that answers ("v1"), as every call needs its own. */
void hm_gocd_begin(struct hm_request *req, const struct hm_backend *backend, const char *method, const char *version,
                   char *stolen_path);
/* {stage, counter, status, result, can_run, scheduled} of a pipeline instance's stage of that name; new reference, or NULL. */
json_t *hm_gocd_stage_new(const json_t *instance, const char *stage);

/* What hm_gocd_stage_new() makes. */
/* clang-format off */
#define HM_GOCD_STAGE_FIELDS \
    {"stage", HM_FIELD_TEXT, true, "its name", NULL}, \
    {"stage_counter", HM_FIELD_NUMBER, true, "how often it was run; 0: never", NULL}, \
    {"status", HM_FIELD_TEXT, true, "Passed, Failed, Building … or NotRun", NULL}, \
    {"result", HM_FIELD_TEXT, true, "Passed, Failed, Cancelled, Unknown while it runs, or NotRun", NULL}, \
    {"can_run", HM_FIELD_BOOL, true, "whether it can be run now", NULL}
/* clang-format on */

#endif
