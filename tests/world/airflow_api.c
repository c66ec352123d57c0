/* What the simulated Airflow answers to each request: see airflow.c. */
#include "airflow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* --- errors -------------------------------------------------------------------------------------------------------------- */

void hm_af_refuse(const struct hm_af_asked *a, int status, const char *title, const char *fmt, ...)
{
    char detail[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "detail", detail);
    if (!a->is_v2) {
        hm_json_set_int(body, "status", status);
        hm_json_set_str(body, "title", title);
        hm_json_set_str(body, "type",
                        "https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html#section/Errors");
    }
    hm_world_answer_json(a->ans, status, a->is_v2 ? "application/json" : "application/problem+json", body);
}

/* v2: 422 with where and why; v1: 400. */
static void refuse_key(const struct hm_af_asked *a, const char *key, const char *why)
{
    if (!a->is_v2) {
        hm_af_refuse(a, 400, "Bad Request", "{'%s': ['%s']}", key, why);
        return;
    }
    json_t *body = hm_json_obj_new(), *list = hm_json_arr_new(), *one = hm_json_obj_new(), *loc = hm_json_arr_new();
    hm_json_add(loc, hm_json_str_new("body"));
    hm_json_add(loc, hm_json_str_new(key));
    hm_json_set(one, "loc", loc);
    hm_json_set_str(one, "msg", why);
    hm_json_set_str(one, "type", "value_error");
    hm_json_add(list, one);
    hm_json_set(body, "detail", list);
    hm_world_answer_json(a->ans, 422, "application/json", body);
}

/* --- checking a body ------------------------------------------------------------------------------------------------------- */

enum kind { BOOL, TEXT, TEXTS, OBJECT, DATE };

struct key {
    const char *name;
    enum kind kind;
    bool required;
};

static bool is_of_kind(const json_t *value, enum kind kind)
{
    switch (kind) {
    case BOOL:
        return json_is_boolean(value);
    case TEXT:
        return json_is_string(value);
    case DATE:
        return json_is_string(value) || json_is_null(value);
    case OBJECT:
        return json_is_object(value);
    case TEXTS:
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!json_is_string(json_array_get(value, i)))
                return false;
        return json_is_array(value) && json_array_size(value) > 0;
    }
    return false;
}

/* The body as an object with these keys and no others; false when it was refused. */
static bool read_body(struct hm_af_asked *a, const struct key *keys)
{
    if (strncasecmp(a->req->content_type, "application/json", strlen("application/json")) != 0) {
        if (a->is_v2)
            refuse_key(a, "body", "Input should be a valid dictionary");
        else
            hm_af_refuse(a, 415, "Unsupported Media Type", "Invalid Content-type (%s), expected JSON data", a->req->content_type);
        return false;
    }
    a->body = hm_json_parse_new(a->req->body, a->req->body_len, 1000000, NULL);
    if (!json_is_object(a->body)) {
        refuse_key(a, "body", "is not an object");
        return false;
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(a->body, name, value)
    {
        const struct key *key = keys;
        while (key->name != NULL && !hm_streq(key->name, name))
            key++;
        if (key->name == NULL || !is_of_kind(value, key->kind)) {
            refuse_key(a, name,
                       key->name == NULL ? (a->is_v2 ? "Extra inputs are not permitted" : "Unknown field.") : "Not valid.");
            return false;
        }
    }
    for (const struct key *key = keys; key->name != NULL; key++) {
        if (key->required && json_object_get(a->body, key->name) == NULL) {
            refuse_key(a, key->name, a->is_v2 ? "Field required" : "Missing data for required field.");
            return false;
        }
    }
    return true;
}

static bool is_settable(const char *state)
{
    return hm_streq(state, "success") || hm_streq(state, "failed") || hm_streq(state, "skipped");
}

/* --- how things look ------------------------------------------------------------------------------------------------------- */

static json_t *dag_view_new(const json_t *dag)
{
    json_t *view = hm_json_obj_new();
    hm_json_set_str(view, "dag_id", hm_json_get_str(dag, "dag_id", ""));
    hm_json_set_bool(view, "is_paused", hm_json_get_bool(dag, "is_paused", false));
    return view;
}

static json_t *run_view_new(const struct hm_af_asked *a, const json_t *run)
{
    static const char *const keys[] = {"dag_run_id", "state", "run_type", "logical_date", "start_date", "end_date"};
    json_t *view = hm_json_obj_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++)
        hm_json_set_str(view, keys[i], hm_json_get_str(run, keys[i], NULL));
    hm_json_set_str(view, "dag_id", hm_json_get_str(a->dag, "dag_id", ""));
    hm_json_set(view, "conf", json_deep_copy(hm_json_get_obj(run, "conf")));
    if (a->is_v2) {
        hm_json_set_str(view, "run_after", hm_json_get_str(run, "logical_date", "2026-11-28T12:00:00Z"));
        hm_json_set_str(view, "dag_display_name", hm_json_get_str(a->dag, "dag_id", ""));
        hm_json_set(view, "dag_versions", hm_json_arr_new());
    } else {
        hm_json_set_str(view, "execution_date", hm_json_get_str(run, "logical_date", NULL));
    }
    return view;
}

static json_t *instance_view_new(const struct hm_af_asked *a, const json_t *run, const char *id, const json_t *instance)
{
    json_t *view = hm_json_obj_new();
    hm_json_set_str(view, "task_id", id);
    hm_json_set_str(view, "dag_id", hm_json_get_str(a->dag, "dag_id", ""));
    hm_json_set_str(view, "dag_run_id", hm_json_get_str(run, "dag_run_id", ""));
    hm_json_set_str(view, "state", hm_json_get_str(instance, "state", NULL));
    hm_json_set_int(view, "try_number", hm_json_get_int(instance, "try_number", 0));
    hm_json_set_int(view, "max_tries", 2);
    hm_json_set_int(view, "map_index", -1);
    hm_json_set_str(view, "start_date", hm_json_get_str(instance, "start_date", NULL));
    hm_json_set_str(view, "end_date", hm_json_get_str(instance, "end_date", NULL));
    return view;
}

/* What a write shows of the instances that it took: a bare reference in v1. */
static void answer_instances(const struct hm_af_asked *a, const json_t *run, const json_t *ids)
{
    json_t *list = hm_json_arr_new(), *body = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        json_t *view = instance_view_new(a, run, id, json_object_get(hm_json_get_obj(run, "tasks"), id));
        if (!a->is_v2) {
            json_t *short_view = hm_json_obj_new();
            hm_json_set_str(short_view, "task_id", id);
            hm_json_set_str(short_view, "dag_id", hm_json_get_str(view, "dag_id", ""));
            hm_json_set_str(short_view, "dag_run_id", hm_json_get_str(view, "dag_run_id", ""));
            json_decref(view);
            view = short_view;
        }
        hm_json_add(list, view);
    }
    if (a->is_v2)
        hm_json_set_int(body, "total_entries", (int64_t)json_array_size(list));
    hm_json_set(body, "task_instances", list);
    hm_world_answer_json(a->ans, 200, "application/json", body);
}

static void count(const struct hm_af_asked *a, const char *what, const json_t *run, const char *task, bool changed)
{
    char *endpoint = hm_xasprintf("airflow %s", what);
    char *id = hm_xasprintf("%s %s%s%s", hm_json_get_str(a->dag, "dag_id", ""), hm_json_get_str(run, "dag_run_id", ""),
                            task[0] != '\0' ? " " : "", task);
    hm_world_count_effect(a->world, endpoint, id, changed);
    free(id);
    free(endpoint);
}

/* --- lists in pages ----------------------------------------------------------------------------------------------------------
 */

/* The n-th value of a query's name (from 0), or NULL; the values used here need no decoding. The caller frees. */
static char *query_value(const char *query, const char *name, size_t n)
{
    size_t len = strlen(name);
    for (const char *at = query; at != NULL && *at != '\0'; at = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        if (n-- == 0)
            return hm_xstrndup(at + len + 1, strcspn(at + len + 1, "&"));
    }
    return NULL;
}

static int64_t query_int(const char *query, const char *name, int64_t fallback)
{
    char *text = query_value(query, name, 0);
    int64_t value = fallback;
    if (text != NULL && !hm_parse_i64(text, 0, 1000000, &value))
        value = -1;
    free(text);
    return value;
}

static bool in_states(const char *query, const char *state)
{
    bool any = false, is = false;
    for (size_t n = 0;; n++) {
        char *wanted = query_value(query, "state", n);
        if (wanted == NULL)
            break;
        any = true;
        is = is || hm_streq(wanted, state) || (hm_streq(wanted, "none") && state[0] == '\0');
        free(wanted);
    }
    return is || !any;
}

static void answer_page(const struct hm_af_asked *a, const char *key, json_t *stolen_all)
{
    int64_t most = hm_json_get_int(a->airflow->config, "page_max", 100);
    int64_t limit = query_int(a->req->query, "limit", a->is_v2 ? 50 : 100), offset = query_int(a->req->query, "offset", 0);
    json_t *page = hm_json_arr_new(), *body = hm_json_obj_new();
    if (limit < 0 || offset < 0) {
        refuse_key(a, "limit", "must be a whole number");
        json_decref(page);
        json_decref(body);
        json_decref(stolen_all);
        return;
    }
    if (limit == 0 || limit > most)
        limit = most;
    for (int64_t i = offset; i < offset + limit && i < (int64_t)json_array_size(stolen_all); i++)
        hm_json_add(page, json_incref(json_array_get(stolen_all, (size_t)i)));
    hm_json_set(body, key, page);
    hm_json_set_int(body, "total_entries", (int64_t)json_array_size(stolen_all));
    json_decref(stolen_all);
    hm_world_answer_json(a->ans, 200, "application/json", body);
}

/* --- the requests -------------------------------------------------------------------------------------------------------------
 */

void hm_af_show_dag(const struct hm_af_asked *a)
{
    hm_world_answer_json(a->ans, 200, "application/json", dag_view_new(a->dag));
}

void hm_af_show_run(const struct hm_af_asked *a)
{
    hm_world_answer_json(a->ans, 200, "application/json", run_view_new(a, a->run));
}

void hm_af_list_tasks(const struct hm_af_asked *a)
{
    const json_t *tasks = hm_json_get_arr(a->dag, "tasks");
    json_t *list = hm_json_arr_new(), *body = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const json_t *task = json_array_get(tasks, i);
        json_t *view = hm_json_obj_new();
        hm_json_set_str(view, "task_id", hm_json_get_str(task, "task_id", ""));
        hm_json_set(view, "downstream_task_ids", json_deep_copy(hm_json_get_arr(task, "downstream_task_ids")));
        hm_json_set_str(view, "trigger_rule", hm_json_get_str(task, "trigger_rule", "all_success"));
        hm_json_add(list, view);
    }
    hm_json_set_int(body, "total_entries", (int64_t)json_array_size(list));
    hm_json_set(body, "tasks", list);
    hm_world_answer_json(a->ans, 200, "application/json", body);
}

/* Newest first; that is what the one order_by that is played here means. */
void hm_af_list_runs(const struct hm_af_asked *a)
{
    const json_t *runs = hm_json_get_arr(a->dag, "runs");
    char *order = query_value(a->req->query, "order_by", 0);
    json_t *list = hm_json_arr_new();
    bool newest_first = hm_streq(order, "-start_date");
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, newest_first ? json_array_size(runs) - 1 - i : i);
        if (in_states(a->req->query, hm_json_get_str(run, "state", "")))
            hm_json_add(list, run_view_new(a, run));
    }
    if (order != NULL && !newest_first) {
        json_decref(list);
        hm_af_refuse(a, 400, "Bad Request", "Ordering with '%s' is disallowed or the attribute does not exist on the model",
                     order);
    } else {
        answer_page(a, "dag_runs", list);
    }
    free(order);
}

void hm_af_trigger(struct hm_af_asked *a)
{
    static const struct key v1[] = {{"dag_run_id", TEXT, false}, {"conf", OBJECT, false},         {"logical_date", DATE, false},
                                    {"note", TEXT, false},       {"execution_date", DATE, false}, {NULL, TEXT, false}};
    static const struct key v2[] = {{"dag_run_id", TEXT, false},
                                    {"conf", OBJECT, false},
                                    {"logical_date", DATE, true},
                                    {"note", TEXT, false},
                                    {NULL, TEXT, false}};
    if (!read_body(a, a->is_v2 ? v2 : v1))
        return;
    const char *dag_id = hm_json_get_str(a->dag, "dag_id", "");
    char *made = hm_xasprintf("manual__2026-11-28T12:00:%02zu+00:00", json_array_size(hm_json_get_arr(a->dag, "runs")));
    const char *id = hm_json_get_str(a->body, "dag_run_id", made);
    if (hm_af_run(a->dag, id) != NULL) {
        hm_af_refuse(a, 409, "Conflict", "DAGRun with DAG ID: '%s' and DAGRun ID: '%s' already exists", dag_id, id);
    } else {
        json_t *run = hm_af_add_run(a->dag, id, hm_json_get_obj(a->body, "conf"));
        count(a, "trigger", run, "", true);
        hm_world_answer_json(a->ans, 200, "application/json", run_view_new(a, run));
    }
    free(made);
}

void hm_af_patch_run(struct hm_af_asked *a)
{
    static const struct key keys[] = {{"state", TEXT, true}, {NULL, TEXT, false}};
    if (!read_body(a, keys))
        return;
    const char *state = hm_json_get_str(a->body, "state", "");
    if (!hm_streq(state, "success") && !hm_streq(state, "failed") && !hm_streq(state, "queued")) {
        refuse_key(a, "state", "Must be one of: success, failed, queued.");
        return;
    }
    bool changed = !hm_streq(state, hm_json_get_str(a->run, "state", ""));
    hm_af_set_run_state(a->run, state);
    count(a, "set-run-state", a->run, "", changed);
    hm_world_answer_json(a->ans, 200, "application/json", run_view_new(a, a->run));
}

void hm_af_list_instances(const struct hm_af_asked *a)
{
    json_t *list = hm_json_arr_new();
    const char *id = NULL;
    json_t *instance = NULL;
    if (a->run != NULL)
        hm_af_tick(a->dag, a->run);
    json_object_foreach(hm_json_get_obj(a->run, "tasks"), id, instance)
    {
        if (in_states(a->req->query, hm_af_state(instance)))
            hm_json_add(list, instance_view_new(a, a->run, id, instance));
    }
    answer_page(a, "task_instances", list);
}

void hm_af_show_instance(const struct hm_af_asked *a)
{
    hm_af_tick(a->dag, a->run);
    const json_t *instance = json_object_get(hm_json_get_obj(a->run, "tasks"), a->task);
    hm_world_answer_json(a->ans, 200, "application/json", instance_view_new(a, a->run, a->task, instance));
}

/* The run and task that updateTaskInstancesState names in its body; false when it was refused. */
static bool find_in_body(struct hm_af_asked *a)
{
    const char *run = hm_json_get_str(a->body, "dag_run_id", ""), *task = hm_json_get_str(a->body, "task_id", "");
    a->run = hm_af_run(a->dag, run);
    a->task = task;
    if (a->run == NULL || json_object_get(hm_json_get_obj(a->run, "tasks"), task) == NULL) {
        hm_af_refuse(a, 404, "Not Found", "Task instance not found for task '%s' on DAG run with ID '%s'", task, run);
        return false;
    }
    return true;
}

/* One task in v1 (PATCH), several in v1 (POST), or both in v2 (PATCH). */
void hm_af_patch_state(struct hm_af_asked *a, bool several)
{
    static const struct key one_v1[] = {{"dry_run", BOOL, false}, {"new_state", TEXT, true}, {NULL, TEXT, false}};
    static const struct key several_v1[] = {{"dry_run", BOOL, false},
                                            {"task_id", TEXT, true},
                                            {"dag_run_id", TEXT, true},
                                            {"include_upstream", BOOL, true},
                                            {"include_downstream", BOOL, true},
                                            {"include_future", BOOL, true},
                                            {"include_past", BOOL, true},
                                            {"new_state", TEXT, true},
                                            {NULL, TEXT, false}};
    static const struct key v2[] = {{"new_state", TEXT, true},
                                    {"include_upstream", BOOL, false},
                                    {"include_downstream", BOOL, false},
                                    {"include_future", BOOL, false},
                                    {"include_past", BOOL, false},
                                    {"note", TEXT, false},
                                    {NULL, TEXT, false}};
    if (!read_body(a, a->is_v2 ? v2 : several ? several_v1 : one_v1) || (several && !find_in_body(a)))
        return;
    const char *state = hm_json_get_str(a->body, "new_state", "");
    if (!is_settable(state)) {
        refuse_key(a, "new_state", "Must be one of: success, failed, skipped.");
        return;
    }
    if (hm_json_get_bool(a->body, "include_future", false) || hm_json_get_bool(a->body, "include_past", false) ||
        hm_json_get_bool(a->body, "include_upstream", false)) {
        hm_af_refuse(a, 501, "Not Implemented", "This stand-in does not touch other runs or what comes before.");
        return;
    }
    bool dry = !a->is_v2 && hm_json_get_bool(a->body, "dry_run", true);
    json_t *ids = NULL;
    if (dry) {
        ids = hm_json_arr_new();
        hm_json_add(ids, hm_json_str_new(a->task));
    } else {
        ids = hm_af_set_task_state(a->dag, a->run, a->task, state, hm_json_get_bool(a->body, "include_downstream", false));
        count(a, "set-state", a->run, a->task, json_array_size(ids) > 0);
    }
    if (a->is_v2 && json_array_size(ids) == 0) {
        hm_af_refuse(a, 409, "", "Task id %s is already in %s state", a->task, state);
    } else if (a->is_v2 || several) {
        answer_instances(a, a->run, ids);
    } else {
        json_t *view = hm_json_obj_new();
        hm_json_set_str(view, "task_id", a->task);
        hm_json_set_str(view, "dag_id", hm_json_get_str(a->dag, "dag_id", ""));
        hm_json_set_str(view, "dag_run_id", hm_json_get_str(a->run, "dag_run_id", ""));
        hm_world_answer_json(a->ans, 200, "application/json", view);
    }
    json_decref(ids);
}

void hm_af_post_clear(struct hm_af_asked *a)
{
    static const struct key v1[] = {{"dry_run", BOOL, false},
                                    {"dag_run_id", TEXT, false},
                                    {"task_ids", TEXTS, false},
                                    {"only_failed", BOOL, false},
                                    {"only_running", BOOL, false},
                                    {"include_upstream", BOOL, false},
                                    {"include_downstream", BOOL, false},
                                    {"include_future", BOOL, false},
                                    {"include_past", BOOL, false},
                                    {"include_subdags", BOOL, false},
                                    {"include_parentdag", BOOL, false},
                                    {"reset_dag_runs", BOOL, false},
                                    {NULL, TEXT, false}};
    static const struct key v2[] = {{"dry_run", BOOL, false},
                                    {"dag_run_id", TEXT, false},
                                    {"task_ids", TEXTS, false},
                                    {"only_failed", BOOL, false},
                                    {"only_running", BOOL, false},
                                    {"include_upstream", BOOL, false},
                                    {"include_downstream", BOOL, false},
                                    {"include_future", BOOL, false},
                                    {"include_past", BOOL, false},
                                    {"reset_dag_runs", BOOL, false},
                                    {"prevent_running_task", BOOL, false},
                                    {NULL, TEXT, false}};
    if (!read_body(a, a->is_v2 ? v2 : v1))
        return;
    a->run = hm_af_run(a->dag, hm_json_get_str(a->body, "dag_run_id", ""));
    const json_t *tasks = hm_json_get_arr(a->body, "task_ids");
    for (size_t i = 0; i < json_array_size(tasks) && a->is_v2; i++) {
        const char *id = json_string_value(json_array_get(tasks, i));
        if (hm_af_task(a->dag, id) == NULL) {
            hm_af_refuse(a, 404, "", "Task with id %s was not found", id);
            return;
        }
    }
    if (a->run == NULL) {
        hm_af_refuse(a, 404, "Not Found", "Dag Run id %s not found in dag %s", hm_json_get_str(a->body, "dag_run_id", "(none)"),
                     hm_json_get_str(a->dag, "dag_id", ""));
        return;
    }
    json_t *ids = hm_af_to_clear_new(a->dag, a->run, a->body, true);
    if (!hm_json_get_bool(a->body, "dry_run", true)) {
        for (size_t i = 0; i < json_array_size(ids); i++)
            count(a, "clear", a->run, json_string_value(json_array_get(ids, i)), true);
        hm_af_clear(a->run, ids, hm_json_get_bool(a->body, "reset_dag_runs", a->is_v2));
    }
    answer_instances(a, a->run, ids);
    json_decref(ids);
}

void hm_af_show_log(const struct hm_af_asked *a, const char *number)
{
    const json_t *task = hm_af_task(a->dag, a->task);
    const json_t *instance = json_object_get(hm_json_get_obj(a->run, "tasks"), a->task);
    int64_t n = 0;
    if (!hm_parse_i64(number, 1, 1000, &n) || n > hm_json_get_int(instance, "try_number", 0)) {
        hm_af_refuse(a, 404, "Not Found", "TaskInstance not found");
        return;
    }
    const char *text = hm_json_get_str(task, "log", "INFO - nothing to see here\n");
    if (!a->is_v2) {
        hm_world_answer_text(a->ans, 200, "*** Try %d\n%s", (int)n, text);
        return;
    }
    json_t *body = hm_json_obj_new(), *content = hm_json_arr_new(), *message = hm_json_obj_new();
    hm_json_set_str(message, "event", text);
    hm_json_add(content, message);
    hm_json_set(body, "content", content);
    hm_json_set(body, "continuation_token", json_null());
    hm_world_answer_json(a->ans, 200, "application/json", body);
}

/* POST /auth/token of Airflow 3: for user and password, the token. */
void hm_af_give_token(struct hm_af_asked *a)
{
    static const struct key keys[] = {{"username", TEXT, true}, {"password", TEXT, true}, {NULL, TEXT, false}};
    a->is_v2 = true;
    if (!hm_streq(a->req->method, "POST")) {
        hm_af_refuse(a, 405, "", "Method Not Allowed");
        return;
    }
    if (!read_body(a, keys))
        return;
    char *both = hm_xasprintf("%s:%s", hm_json_get_str(a->body, "username", ""), hm_json_get_str(a->body, "password", ""));
    if (!hm_streq(both, hm_json_get_str(a->airflow->config, "basic", ""))) {
        hm_af_refuse(a, 401, "", "Invalid credentials");
    } else {
        json_t *body = hm_json_obj_new();
        hm_json_set_str(body, "access_token", hm_json_get_str(a->airflow->config, "token", ""));
        hm_world_answer_json(a->ans, 201, "application/json", body);
    }
    free(both);
}
