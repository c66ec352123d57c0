/* Airflow, both generations at once over the same DAGs: /api/v1 as Airflow 2 has it, /api/v2 as Airflow 3. Written after their
 * OpenAPI documents and sources.
 *
 * The traps are theirs: dry_run and only_failed are true when left out, v1 names the flags of updateTaskInstancesState as
 * required, v2 refuses keys that it does not know, an unknown run is an empty list of task instances to v1, pages are short,
 * errors are problem documents in v1 and {"detail"} in v2.
 *
 * State: {"config": {"basic": "user:password" or null, "token": text or null, "apis": ["v1", "v2"], "page_max": 100},
 *         "dags": [{"dag_id", "is_paused", "tasks": [{"task_id", "downstream_task_ids", "outcome", "lasts", "trigger_rule"}],
 *                   "runs": [{"dag_run_id", "state", "run_type", "logical_date", "start_date", "conf", "tasks": {id: "state
 * try"}}]}]}. outcome: what becomes of the task when it runs ("success"; "failed success" = first this, then that); lasts: how
 * many looks it runs for (1; -1 = until somebody does something). A task that a run does not name has not begun. */
#include "airflow.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* --- which request it is ---------------------------------------------------------------------------------------------------- */

/* parts: what stands under /dags/DAG. */
/* NOLINTNEXTLINE(readability-function-cognitive-complexity): a table of paths, as code */
static void route(struct hm_af_asked *a, char *const *parts, size_t n)
{
    const char *method = a->req->method;
    bool get = hm_streq(method, "GET"), post = hm_streq(method, "POST"), patch = hm_streq(method, "PATCH");
    if (n >= 2 && hm_streq(parts[0], "dagRuns")) {
        a->run = hm_af_run(a->dag, parts[1]);
        if (a->run == NULL && n == 3 && !a->is_v2 && get) { /* to v1 that is a run without tasks */
            hm_af_list_instances(a);
            return;
        }
        if (a->run == NULL) {
            hm_af_refuse(a, 404, "DAGRun not found", "DAGRun with DAG ID: '%s' and DagRun ID: '%s' not found",
                         hm_json_get_str(a->dag, "dag_id", ""), parts[1]);
            return;
        }
    }
    if (n >= 4 && hm_streq(parts[2], "taskInstances")) {
        a->task = parts[3];
        if (json_object_get(hm_json_get_obj(a->run, "tasks"), a->task) == NULL) {
            hm_af_refuse(a, 404, "Task instance not found", "Task instance not found for task '%s' on DAG run with ID '%s'",
                         a->task, parts[1]);
            return;
        }
    }
    if (n == 0 && get)
        hm_af_show_dag(a);
    else if (n == 1 && get && hm_streq(parts[0], "tasks"))
        hm_af_list_tasks(a);
    else if (n == 1 && hm_streq(parts[0], "dagRuns") && (get || post))
        get ? hm_af_list_runs(a) : hm_af_trigger(a);
    else if (n == 1 && post && hm_streq(parts[0], "clearTaskInstances"))
        hm_af_post_clear(a);
    else if (n == 1 && post && !a->is_v2 && hm_streq(parts[0], "updateTaskInstancesState"))
        hm_af_patch_state(a, true);
    else if (n == 2 && a->run != NULL && patch)
        hm_af_patch_run(a);
    else if (n == 2 && a->run != NULL && get)
        hm_af_show_run(a);
    else if (n == 3 && a->run != NULL && get && hm_streq(parts[2], "taskInstances"))
        hm_af_list_instances(a);
    else if (n == 4 && a->task != NULL && patch)
        hm_af_patch_state(a, false);
    else if (n == 4 && a->task != NULL && get)
        hm_af_show_instance(a);
    else if (n == 6 && a->task != NULL && get && hm_streq(parts[4], "logs"))
        hm_af_show_log(a, parts[5]);
    else
        hm_af_refuse(a, 404, "Not Found", "Not Found");
}

static bool authorized(const struct hm_af_asked *a)
{
    static const char table[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *basic = hm_json_get_str(a->airflow->config, "basic", NULL), *given = a->req->authorization;
    const char *token = hm_json_get_str(a->airflow->config, "token", NULL);
    if (basic == NULL && token == NULL)
        return true;
    if (token != NULL && strncasecmp(given, "Bearer ", 7) == 0)
        return strcmp(given + 7, token) == 0;
    if (basic == NULL || a->is_v2 || strncasecmp(given, "Basic ", 6) != 0) /* Airflow 3 takes tokens alone */
        return false;
    char *wanted = hm_xcalloc(strlen(basic) * 2 + 8, 1);
    size_t out = 0, len = strlen(basic);
    for (size_t i = 0; i < len; i += 3) {
        unsigned v = (unsigned)(unsigned char)basic[i] << 16 | (i + 1 < len ? (unsigned)(unsigned char)basic[i + 1] << 8 : 0) |
                     (i + 2 < len ? (unsigned)(unsigned char)basic[i + 2] : 0);
        wanted[out++] = table[v >> 18 & 63];
        wanted[out++] = table[v >> 12 & 63];
        wanted[out++] = (char)(i + 1 < len ? table[v >> 6 & 63] : '=');
        wanted[out++] = (char)(i + 2 < len ? table[v & 63] : '=');
    }
    bool same = strcmp(given + 6, wanted) == 0;
    free(wanted);
    return same;
}

static bool has_api(const struct hm_af *airflow, const char *api)
{
    const json_t *apis = hm_json_get_arr(airflow->config, "apis");
    for (size_t i = 0; i < json_array_size(apis); i++)
        if (hm_streq(json_string_value(json_array_get(apis, i)), api))
            return true;
    return apis == NULL;
}

static json_t *find_dag(const struct hm_af *airflow, const char *id)
{
    for (size_t i = 0; i < json_array_size(airflow->dags); i++)
        if (hm_streq(hm_json_get_str(json_array_get(airflow->dags, i), "dag_id", ""), id))
            return json_array_get(airflow->dags, i);
    return NULL;
}

static void airflow_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    enum { MAX_PARTS = 10 };
    struct hm_af_asked a = {
        .airflow = system, .world = world, .req = req, .ans = ans, .is_v2 = hm_starts_with(req->path, "/api/v2/")};
    const char *api = a.is_v2 ? "v2" : "v1";
    char *path = hm_xstrdup(req->path), *parts[MAX_PARTS + 1], *save = NULL;
    size_t n = 0;
    for (char *part = strtok_r(path, "/", &save); part != NULL && n <= MAX_PARTS; part = strtok_r(NULL, "/", &save))
        parts[n++] = part;

    if (hm_streq(req->path, "/auth/token") && has_api(a.airflow, "v2")) {
        hm_af_give_token(&a);
    } else if (n < 4 || n > MAX_PARTS || !hm_streq(parts[0], "api") || !hm_streq(parts[1], api) || !hm_streq(parts[2], "dags")) {
        hm_af_refuse(&a, 404, "Not Found", "Not Found");
    } else if (!has_api(a.airflow, api)) {
        json_t *body = hm_json_obj_new();
        hm_json_set_str(body, "error", "/api/v1 has been removed in Airflow 3, please use its upgraded version /api/v2 instead.");
        hm_world_answer_json(ans, 404, "application/json", body);
    } else if (!authorized(&a)) {
        hm_af_refuse(&a, 401, "Unauthorized", "Not authenticated");
        ans->headers = hm_xasprintf("WWW-Authenticate: %s\r\n", a.is_v2 ? "Bearer" : "Basic");
    } else {
        a.dag = find_dag(a.airflow, parts[3]);
        if (a.dag == NULL)
            hm_af_refuse(&a, 404, "DAG not found", "The DAG with dag_id: %s was not found", parts[3]);
        else
            route(&a, parts + 4, n - 4);
    }
    json_decref(a.body);
    free(path);
}

/* --- the system ---------------------------------------------------------------------------------------------------------------
 */

/* "failed 3" becomes {"state", "try_number"}; every task of the DAG is there afterwards, in its order. */
static void load_run(const json_t *dag, json_t *run)
{
    json_t *given = hm_json_get_obj(run, "tasks"), *instances = hm_json_obj_new();
    const json_t *tasks = hm_json_get_arr(dag, "tasks");
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const char *id = hm_json_get_str(json_array_get(tasks, i), "task_id", "");
        json_t *was = json_object_get(given, id), *instance = json_is_object(was) ? json_incref(was) : hm_json_obj_new();
        if (json_is_string(was)) {
            const char *text = json_string_value(was), *space = strchr(text, ' ');
            json_t *state = hm_json_strn_new(text, space != NULL ? (size_t)(space - text) : strlen(text));
            int64_t n = 0;
            hm_af_set_state(instance, hm_streq(json_string_value(state), "none") ? "" : json_string_value(state));
            hm_json_set_int(instance, "try_number", space != NULL && hm_parse_i64(space + 1, 0, 1000, &n) ? n : 0);
            json_decref(state);
        } else if (was == NULL) {
            hm_af_set_state(instance, "");
            hm_json_set_int(instance, "try_number", 0);
        }
        hm_json_set(instances, id, instance);
    }
    hm_json_set(run, "tasks", instances);
    if (hm_json_get_obj(run, "conf") == NULL)
        hm_json_set(run, "conf", hm_json_obj_new());
}

static enum hm_code load_dag(json_t *dag, struct hm_err *err)
{
    json_t *tasks = hm_json_get_arr(dag, "tasks"), *runs = hm_json_get_arr(dag, "runs");
    const char *dag_id = hm_json_get_str(dag, "dag_id", NULL);
    if (dag_id == NULL || tasks == NULL)
        return hm_err_set(err, HM_EINVAL, "every DAG needs dag_id and tasks");
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);
        if (hm_json_get_str(task, "task_id", NULL) == NULL)
            return hm_err_set(err, HM_EINVAL, "DAG %s: every task needs task_id", dag_id);
        if (hm_json_get_arr(task, "downstream_task_ids") == NULL)
            hm_json_set(task, "downstream_task_ids", hm_json_arr_new());
    }
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const json_t *after = hm_json_get_arr(json_array_get(tasks, i), "downstream_task_ids");
        for (size_t k = 0; k < json_array_size(after); k++)
            if (hm_af_task(dag, json_string_value(json_array_get(after, k))) == NULL)
                return hm_err_set(err, HM_EINVAL, "DAG %s: there is no task %s", dag_id,
                                  json_string_value(json_array_get(after, k)));
    }
    if (runs == NULL)
        hm_json_set(dag, "runs", hm_json_arr_new());
    for (size_t i = 0; i < json_array_size(runs); i++)
        load_run(dag, json_array_get(runs, i));
    return HM_OK;
}

static void airflow_free(void *system)
{
    struct hm_af *airflow = system;
    json_decref(airflow->config);
    json_decref(airflow->dags);
    free(airflow);
}

static void *airflow_new(const json_t *state, struct hm_err *err)
{
    struct hm_af *airflow = hm_xcalloc(1, sizeof(*airflow));
    json_t *config = hm_json_get_obj(state, "config"), *dags = hm_json_get_arr(state, "dags");
    airflow->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    airflow->dags = dags != NULL ? json_deep_copy(dags) : hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(airflow->dags); i++) {
        if (load_dag(json_array_get(airflow->dags, i), err) == HM_OK)
            continue;
        airflow_free(airflow);
        return NULL;
    }
    return airflow;
}

static json_t *airflow_state_new(void *system)
{
    const struct hm_af *airflow = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(airflow->config));
    hm_json_set(state, "dags", json_deep_copy(airflow->dags));
    return state;
}

const struct hm_world_system hm_world_airflow = {
    .name = "airflow",
    .new = airflow_new,
    .free = airflow_free,
    .state_new = airflow_state_new,
    .handle = airflow_handle,
};
