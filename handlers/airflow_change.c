/* What changes Airflow's task instances: setting a state, and clearing.
 *
 * Setting a state twice is harmless. Clearing is not: a task that has begun again would be killed and begin once more. So a lost
 * answer is settled by comparing the run with how it was before, which the recipe hands over.
 *
 * A trap that both generations share: marking a task also clears those after it that have failed. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/airflow.h"

/* --- airflow.set-state ------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec state_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"task", HM_ARG_STRING, true, "the task's id"},
    {"state", HM_ARG_STRING, true, "success, failed or skipped"},
    {"downstream", HM_ARG_BOOL, false, "all tasks after it as well"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* Airflow 2 has one address for a single task and another for those around it; all flags are sent because dry_run is true when
 * it is left out. */
static enum hm_code state_v1(const struct hm_backend *backend, const json_t *args, struct hm_request *req, struct hm_err *err)
{
    static const struct hm_airflow_part several[] = {{"/updateTaskInstancesState", NULL}, {NULL, NULL}};
    const char *run = hm_json_get_str(args, "run", ""), *task = hm_json_get_str(args, "task", "");
    const struct hm_airflow_part one[] = {{"/dagRuns/", run}, {"/taskInstances/", task}, {NULL, NULL}};
    bool downstream = hm_json_get_bool(args, "downstream", false);
    if (!hm_airflow_id_ok(run) || !hm_airflow_id_ok(task))
        return hm_err_set(err, HM_EINVAL, "\"%.80s\" is not the id of one run or task", hm_airflow_id_ok(run) ? task : run);
    enum hm_code code = hm_airflow_begin(backend, args, downstream ? "POST" : "PATCH", downstream ? several : one, req, err);
    if (code != HM_OK)
        return code;
    json_t *body = hm_json_obj_new();
    hm_json_set_bool(body, "dry_run", false);
    hm_json_set_str(body, "new_state", hm_json_get_str(args, "state", ""));
    if (downstream) {
        hm_json_set_str(body, "task_id", task);
        hm_json_set_str(body, "dag_run_id", run);
        hm_json_set_bool(body, "include_upstream", false);
        hm_json_set_bool(body, "include_downstream", true);
        hm_json_set_bool(body, "include_future", false);
        hm_json_set_bool(body, "include_past", false);
    }
    hm_request_set_json(req, body);
    return HM_OK;
}

/* Airflow 3 has one address, acts at once, and refuses a body with dry_run in it. */
static enum hm_code state_v2(const struct hm_backend *backend, const json_t *args, struct hm_request *req, struct hm_err *err)
{
    const struct hm_airflow_part below[] = {
        {"/dagRuns/", hm_json_get_str(args, "run", "")}, {"/taskInstances/", hm_json_get_str(args, "task", "")}, {NULL, NULL}};
    enum hm_code code = hm_airflow_begin(backend, args, "PATCH", below, req, err);
    if (code != HM_OK)
        return code;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "new_state", hm_json_get_str(args, "state", ""));
    hm_json_set_bool(body, "include_upstream", false);
    hm_json_set_bool(body, "include_downstream", hm_json_get_bool(args, "downstream", false));
    hm_json_set_bool(body, "include_future", false);
    hm_json_set_bool(body, "include_past", false);
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_code state_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    const char *state = hm_json_get_str(args, "state", "");
    (void)cursor;
    if (!hm_streq(state, "success") && !hm_streq(state, "failed") && !hm_streq(state, "skipped"))
        return hm_err_set(err, HM_EINVAL, "state: it must be success, failed or skipped, not \"%.40s\"", state);
    return hm_airflow_is_v2(backend) ? state_v2(backend, args, req, err) : state_v1(backend, args, req, err);
}

/* Airflow 3 answers 409 when there is nothing to change. */
static bool is_already_so(const struct hm_answer *answer)
{
    json_t *json = answer->status == 409 ? hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL) : NULL;
    bool is = strstr(hm_json_get_str(json, "detail", ""), "is already in") != NULL;
    json_decref(json);
    return is;
}

static enum hm_verdict state_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *run = hm_json_get_str(args, "run", ""), *task = hm_json_get_str(args, "task", "");
    char *thing = hm_xasprintf("task %.200s in run %.200s of DAG %.200s", task, run, hm_airflow_dag_id(backend, args));
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = is_already_so(answer) ? HM_VERDICT_OK : hm_airflow_read(backend, thing, true, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "task", task);
        hm_json_set_str(out->result, "state", hm_json_get_str(args, "state", ""));
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static enum hm_code state_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    if (hm_airflow_arg(args, "dag") != NULL)
        hm_json_set_str(*ret_args, "dag", hm_airflow_arg(args, "dag"));
    hm_json_set_str(*ret_args, "run", hm_json_get_str(args, "run", ""));
    hm_json_set_str(*ret_args, "task", hm_json_get_str(args, "task", ""));
    return HM_OK;
}

/* With `downstream` the task's own state does not tell what became of those after it; it is sent again, which does no harm. */
static enum hm_probe_says state_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    if (verdict != HM_VERDICT_OK || !hm_streq(hm_json_get_str(result, "id", ""), hm_json_get_str(args, "task", "?")))
        return HM_PROBE_CANNOT_TELL;
    bool is_so = hm_streq(hm_json_get_str(result, "state", ""), hm_json_get_str(args, "state", "?"));
    return is_so && !hm_json_get_bool(args, "downstream", false) ? HM_PROBE_APPLIED : HM_PROBE_NOT_APPLIED;
}

static const struct hm_field_spec set_state_fields[] = {
    {"task", HM_FIELD_TEXT, true, "the task", NULL},
    {"state", HM_FIELD_TEXT, true, "as asked for", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_set_state = {
    .name = "airflow.set-state",
    .title = "Set the state of a task",
    .doc = "Of this task in this run, and with `downstream` of all tasks after it; never of other runs. Airflow itself then "
           "clears the tasks after it that have failed.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = state_args,
    .result = set_state_fields,
    .request = state_request,
    .response = state_response,
    .probe_action = "airflow.task",
    .probe_args = state_probe_args,
    .probe_judge = state_probe_judge,
};

/* --- airflow.clear ---------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec clear_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"tasks", HM_ARG_LIST, false, "ids of the tasks to clear"},
    {"task", HM_ARG_STRING, false, "the id of one more, or several with spaces between them"},
    {"downstream", HM_ARG_BOOL, false, "all tasks after them as well"},
    {"only_failed", HM_ARG_BOOL, false, "of all these only what has failed, or could not begin because another one failed"},
    {"subdags", HM_ARG_BOOL, false, "what is inside of them as well, when they are SubDAGs (Airflow 2 only)"},
    {NULL, HM_ARG_STRING, false, NULL},
};
static const char *const clear_ways[] = {"task", "tasks", NULL};
static const struct hm_arg_choice clear_choice = {clear_ways, HM_CHOOSE_ANY};

static enum hm_code clear_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    static const struct hm_airflow_part below[] = {{"/clearTaskInstances", NULL}, {NULL, NULL}};
    const char *run = hm_json_get_str(args, "run", "");
    bool subdags = hm_json_get_bool(args, "subdags", false), is_v2 = hm_airflow_is_v2(backend);
    json_t *names = NULL;
    (void)cursor;

    if (!hm_airflow_id_ok(run)) /* without a run, those of all runs would be cleared */
        return hm_err_set(err, HM_EINVAL, "run: \"%.80s\" is not the id of one run", run);
    if (subdags && is_v2)
        return hm_err_set(err, HM_EINVAL, "subdags: Airflow 3 has no SubDAGs (backend %s)", backend->name);
    enum hm_code code = hm_airflow_names_new(hm_json_get_arr(args, "tasks"), hm_airflow_arg(args, "task"), &names, err);
    if (code == HM_OK && json_array_size(names) == 0) /* without tasks, all of the run would be cleared */
        code = hm_err_set(err, HM_EINVAL, "tasks: none is named, and clearing none would clear the whole run");
    if (code == HM_OK)
        code = hm_airflow_begin(backend, args, "POST", below, req, err);
    if (code != HM_OK) {
        json_decref(names);
        return code;
    }
    json_t *body = hm_json_obj_new();
    hm_json_set_bool(body, "dry_run", false);
    hm_json_set_str(body, "dag_run_id", run);
    hm_json_set(body, "task_ids", names);
    hm_json_set_bool(body, "only_failed", hm_json_get_bool(args, "only_failed", false));
    hm_json_set_bool(body, "only_running", false);
    hm_json_set_bool(body, "include_upstream", false);
    hm_json_set_bool(body, "include_downstream", hm_json_get_bool(args, "downstream", false));
    hm_json_set_bool(body, "include_future", false);
    hm_json_set_bool(body, "include_past", false);
    hm_json_set_bool(body, "reset_dag_runs", true);
    if (!is_v2) {
        hm_json_set_bool(body, "include_subdags", subdags);
        hm_json_set_bool(body, "include_parentdag", false);
    }
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_verdict clear_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("run %.200s of DAG %.200s, or one of the tasks", hm_json_get_str(args, "run", ""),
                               hm_airflow_dag_id(backend, args));
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_airflow_read(backend, thing, true, answer, &json, out);
    const json_t *list = hm_json_get_arr(json, "task_instances");
    if (verdict == HM_VERDICT_OK && list == NULL)
        verdict =
            hm_outcome_fail(out, HM_VERDICT_MAYBE,
                            "Airflow took the request, but its answer does not list what was cleared; it may have happened");
    if (verdict == HM_VERDICT_OK) {
        json_t *names = hm_json_arr_new();
        for (size_t i = 0; i < json_array_size(list); i++)
            hm_json_add(names, hm_json_str_new(hm_json_get_str(json_array_get(list, i), "task_id", "?")));
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(names));
        hm_json_set(out->result, "names", names);
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static const struct hm_arg_spec clear_context[] = {
    {"before", HM_ARG_OBJECT, true, "`states` of the look at the run before the gate"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* With only_failed, what had not failed is not touched and says nothing. */
static json_t *expected_new(const json_t *args, const json_t *names, const json_t *before)
{
    json_t *expected = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const char *key = NULL;
        json_t *value = NULL;
        bool counts = !hm_json_get_bool(args, "only_failed", false);
        json_object_foreach(hm_unconst(before), key, value)
        {
            if (hm_airflow_is_of(key, name) && json_is_string(value) && hm_airflow_is_failed(json_string_value(value)))
                counts = true;
        }
        if (counts)
            hm_json_add(expected, hm_json_str_new(name));
    }
    return expected;
}

static enum hm_code clear_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    json_t *before = hm_json_get_obj(context, "before"), *names = NULL;
    if (before == NULL)
        return hm_err_set(err, HM_EINVAL, "probe: `before` is missing, so nobody can tell what has changed");
    enum hm_code code = hm_airflow_names_new(hm_json_get_arr(args, "tasks"), hm_airflow_arg(args, "task"), &names, err);
    if (code != HM_OK)
        return code;
    *ret_args = hm_json_obj_new();
    if (hm_airflow_arg(args, "dag") != NULL)
        hm_json_set_str(*ret_args, "dag", hm_airflow_arg(args, "dag"));
    hm_json_set_str(*ret_args, "run", hm_json_get_str(args, "run", ""));
    hm_json_set(*ret_args, "before", json_incref(before));
    hm_json_set(*ret_args, "cleared", expected_new(args, names, before));
    json_decref(names);
    return HM_OK;
}

/* Airflow clears all of a request in one transaction: one task that has begun anew is the proof; as long as all stand as they
 * stood, it may still come; and both at once mean that somebody else has been at it. */
static enum hm_probe_says clear_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    size_t started = json_array_size(hm_json_get_arr(result, "started"));
    size_t still = json_array_size(hm_json_get_arr(result, "still"));
    (void)args;
    if (verdict != HM_VERDICT_OK || (started > 0 && still > 0))
        return HM_PROBE_CANNOT_TELL;
    if (started > 0)
        return HM_PROBE_APPLIED;
    return still > 0 ? HM_PROBE_NOT_YET : HM_PROBE_CANNOT_TELL;
}

static const struct hm_field_spec clear_fields[] = {
    {"names", HM_FIELD_LIST, true, "what was cleared", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_clear = {
    .name = "airflow.clear",
    .title = "Clear tasks, so that they run again",
    .doc = "In this run only, never in others. Give `probe = { before = \"${LOOK.states}\"; }` with the look before the gate: if "
           "the answer is lost, the run is compared with it.",
    .effect = HM_EFFECT_ONCE,
    .args = clear_args,
    .choice = &clear_choice,
    .result = clear_fields,
    .request = clear_request,
    .response = clear_response,
    .probe_action = "airflow.compare",
    .probe_args = clear_probe_args,
    .probe_judge = clear_probe_judge,
    .probe_context = clear_context,
    .settle_ms = 130000, /* its web server kills a request after 120 s (webserver.web_server_worker_timeout) */
};
