/* What the files of the simulated Airflow share: airflow.c finds out which request it is, airflow_api.c answers it, airflow_run.c
 * is the scheduler. */
#ifndef HM_WORLD_AIRFLOW_H
#define HM_WORLD_AIRFLOW_H

#include <jansson.h>
#include <stdbool.h>

#include "world.h"

struct hm_af {
    json_t *config;
    json_t *dags;
};

/* One request under way. */
struct hm_af_asked {
    struct hm_af *airflow;
    struct hm_world *world;
    const struct hm_world_request *req;
    struct hm_world_answer *ans;
    bool is_v2;
    json_t *dag, *run; /* as named in the path; borrowed, or NULL */
    const char *task;  /* the id in the path, or NULL */
    json_t *body;      /* of a write; owned */
};

/* --- airflow_api.c: each answers its request ----------------------------------------------------------------------------------
 */

void hm_af_refuse(const struct hm_af_asked *a, int status, const char *title, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void hm_af_show_dag(const struct hm_af_asked *a);
void hm_af_list_tasks(const struct hm_af_asked *a);
void hm_af_list_runs(const struct hm_af_asked *a);
void hm_af_trigger(struct hm_af_asked *a);
void hm_af_show_run(const struct hm_af_asked *a);
void hm_af_patch_run(struct hm_af_asked *a);
/* Of a run that is not there: a list without an entry, as v1 has it. */
void hm_af_list_instances(const struct hm_af_asked *a);
void hm_af_show_instance(const struct hm_af_asked *a);
/* several: updateTaskInstancesState of v1, which names run and task in its body. */
void hm_af_patch_state(struct hm_af_asked *a, bool several);
void hm_af_post_clear(struct hm_af_asked *a);
void hm_af_show_log(const struct hm_af_asked *a, const char *number);
void hm_af_give_token(struct hm_af_asked *a);

/* --- airflow_run.c: the scheduler
 * ------------------------------------------------------------------------------------------------ */

/* "" for null. */
const char *hm_af_state(const json_t *instance);
/* The instance's state; "" = null. */
void hm_af_set_state(json_t *instance, const char *state);
/* The task of this id, or NULL. */
json_t *hm_af_task(const json_t *dag, const char *task_id);
json_t *hm_af_run(const json_t *dag, const char *run_id);
/* {id: true} of the tasks and, as asked, all that come after or before them; in the DAG's order. A new object. */
json_t *hm_af_closure_new(const json_t *dag, const json_t *task_ids, bool downstream, bool upstream);

/* One turn of the scheduler for a run that is going: each task does at most one step. */
void hm_af_tick(json_t *dag, json_t *run);

/* Which instances a clear with these flags takes: [ids], a new list. */
json_t *hm_af_to_clear_new(const json_t *dag, const json_t *run, const json_t *body, bool default_only_failed);
/* Makes them run again; the run is going again when reset_run. */
void hm_af_clear(json_t *run, const json_t *ids, bool reset_run);
/* Sets a task's state (and those after it), then clears what after it has failed, as Airflow does. The ids of the changed, new.
 */
json_t *hm_af_set_task_state(const json_t *dag, json_t *run, const char *task_id, const char *state, bool downstream);
/* failed: what runs is failed, what has not begun is skipped. */
void hm_af_set_run_state(json_t *run, const char *state);
/* A new run with every task not begun, appended to the DAG's. */
json_t *hm_af_add_run(json_t *dag, const char *run_id, json_t *conf);

#endif
