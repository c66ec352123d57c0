/* Airflow, the scheduler of DAGs: what its files share. The handler is in handlers/registry.c's table.
 *
 * Two generations of its API are spoken: 2.x under /api/v1 and 3.x under /api/v2; the backend's setting `api` says which. They
 * differ where it hurts: what a flag is when it is left out, and whether an unknown key is ignored or refused. So every flag is
 * always sent, and none that the other generation has. */
#ifndef HM_HANDLERS_AIRFLOW_H
#define HM_HANDLERS_AIRFLOW_H

#include "handlers/handler.h"
#include "handlers/http_request.h"

extern const struct hm_handler hm_airflow_handler;

/* airflow_runs.c */
extern const struct hm_action hm_airflow_dag;
extern const struct hm_action hm_airflow_run;
extern const struct hm_action hm_airflow_runs;
extern const struct hm_action hm_airflow_trigger;
extern const struct hm_action hm_airflow_set_run_state;

/* airflow_tasks.c */
extern const struct hm_action hm_airflow_task;
extern const struct hm_action hm_airflow_tasks;
extern const struct hm_action hm_airflow_compare;

/* airflow_graph.c */
extern const struct hm_action hm_airflow_downstream;

/* airflow_change.c */
extern const struct hm_action hm_airflow_set_state;
extern const struct hm_action hm_airflow_clear;

/* airflow_log.c */
extern const struct hm_action hm_airflow_log;

/* --- shared (airflow.c) ---------------------------------------------------------------------------------------------------- */

/* The declaration that nearly all actions begin with; its value comes from hm_airflow_dag_id(). */
#define HM_AIRFLOW_ARG_DAG                                                                                                       \
    {                                                                                                                            \
        "dag", HM_ARG_STRING, false, "the DAG; without it, the one that the backend's setting `dag` names"                       \
    }

/* "" in an optional argument is as good as none. */
const char *hm_airflow_arg(const json_t *args, const char *name);
/* The argument, or the backend's own; "" when neither is there (hm_airflow_begin() refuses then). */
const char *hm_airflow_dag_id(const struct hm_backend *backend, const json_t *args);
bool hm_airflow_is_v2(const struct hm_backend *backend);

/* Method and URL: /api/vN/dags/DAG and what `below` names under it, each a literal or an argument's checked value:
 * {"/dagRuns/", run}, … A NULL value stands for nothing; the list ends with {NULL, NULL}. HM_EINVAL for an id that could name
 * something else ("~" is every DAG, "..", a slash). */
struct hm_airflow_part {
    const char *literal;
    const char *value;
};
HM_MUST enum hm_code hm_airflow_begin(const struct hm_backend *backend, const json_t *args, const char *method,
                                      const struct hm_airflow_part *below, struct hm_request *req, struct hm_err *err);

/* A DAG's, task's or run's id that stands for one thing and no more. */
bool hm_airflow_id_ok(const char *id);
/* The names in a LIST argument and in a STRING argument (split at spaces and commas), each once, in order; HM_EINVAL when one is
 * no id. Either argument may be missing. A new list. */
HM_MUST enum hm_code hm_airflow_names_new(const json_t *list, const char *words, json_t **ret_names, struct hm_err *err);

/* hm_http_read_json(), and the 404 of an address that this generation of Airflow does not have told from that of a thing. */
enum hm_verdict hm_airflow_read(const struct hm_backend *backend, const char *thing, bool write, const struct hm_answer *answer,
                                json_t **ret_json, struct hm_outcome *out);
enum hm_verdict hm_airflow_odd(struct hm_outcome *out, const char *what);

/* Where a person looks at a run, or at a task of it (task NULL = the run). The caller frees. */
char *hm_airflow_link(const struct hm_backend *backend, const char *dag, const char *run, const char *task);

/* --- the map of a run's task instances (airflow_tasks.c)
 * ------------------------------------------------------------------------
 * {"fx-model": "failed 3", "copy[0]": "none 0"}: per instance its state ("none" when Airflow has null) and its try. It is what a
 * person can read, and what airflow.compare compares. */

/* The request for the page that cursor names; NULL or {} = the first. */
HM_MUST enum hm_code hm_airflow_states_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                               struct hm_request *req, struct hm_err *err);
/* OK with the whole map in *ret_states (new reference), MORE with the next cursor in out->cursor (what else `cursor` held is kept
 * in it), or a verdict. */
enum hm_verdict hm_airflow_states_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, json_t **ret_states, struct hm_outcome *out);
/* {"id", "task", "state", "try"} of one entry of the map; a new reference. */
json_t *hm_airflow_item_new(const char *key, const char *value);
/* The state in a value of the map: true when it is `state`. */
bool hm_airflow_is_state(const char *value, const char *state);
/* failed or upstream_failed */
bool hm_airflow_is_failed(const char *value);
/* Begun and not over: scheduled, queued, running, restarting, deferred, waiting for a retry. */
bool hm_airflow_is_active(const char *value);
/* True when the key is the task or one of its mapped instances. */
bool hm_airflow_is_of(const char *key, const char *task);

/* What hm_airflow_item_new() makes. */
/* clang-format off */
#define HM_AIRFLOW_ITEM_FIELDS \
    {"id", HM_FIELD_TEXT, true, "task, or task[n] of a mapped one", NULL}, \
    {"task", HM_FIELD_TEXT, true, "the task", NULL}, \
    {"state", HM_FIELD_TEXT, true, "Airflow's word; none: not begun", NULL}, \
    {"try", HM_FIELD_NUMBER, true, "the latest try; 0: none yet", NULL}
/* clang-format on */

#endif
