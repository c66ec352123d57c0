/* Airflow's task instances: one, all of a run, and whether others than the wanted ones have changed.
 *
 * All of a run come in pages. Airflow 2 sorts them by nothing that tells two apart, and a run goes on while it is read, so the
 * pages are put together by id; when some are missing at the end, reading begins anew, a few times. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/airflow.h"

enum { INSTANCES_MAX = 3000, ROUNDS_MAX = 3 };

/* Over and done with: these stay as they are until somebody changes them. What is neither here nor "none" is under way, also a
 * state that a later Airflow may have. */
static const char *const settled_states[] = {"success", "failed", "upstream_failed", "skipped", "removed"};

/* --- one entry of the map --------------------------------------------------------------------------------------------------- */

bool hm_airflow_is_state(const char *value, const char *state)
{
    size_t len = strlen(state);
    return strncmp(value, state, len) == 0 && (value[len] == ' ' || value[len] == '\0');
}

bool hm_airflow_is_failed(const char *value)
{
    return hm_airflow_is_state(value, "failed") || hm_airflow_is_state(value, "upstream_failed");
}

static bool is_settled(const char *value)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(settled_states); i++)
        if (hm_airflow_is_state(value, settled_states[i]))
            return true;
    return false;
}

bool hm_airflow_is_active(const char *value)
{
    return !is_settled(value) && !hm_airflow_is_state(value, "none");
}

bool hm_airflow_is_of(const char *key, const char *task)
{
    size_t len = strlen(task);
    return strncmp(key, task, len) == 0 && (key[len] == '\0' || key[len] == '[');
}

static int64_t try_of(const char *value)
{
    const char *space = strchr(value, ' ');
    int64_t n = 0;
    return space != NULL && hm_parse_i64(space + 1, 0, INT32_MAX, &n) ? n : 0;
}

json_t *hm_airflow_item_new(const char *key, const char *value)
{
    json_t *item = hm_json_obj_new();
    if (value == NULL)
        value = "";
    hm_json_set_str(item, "id", key);
    hm_json_set(item, "task", hm_json_strn_new(key, strcspn(key, "[")));
    hm_json_set(item, "state", hm_json_strn_new(value, strcspn(value, " ")));
    hm_json_set_int(item, "try", try_of(value));
    return item;
}

static bool is_state_word(const char *word)
{
    return word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyz_")] == '\0' && strlen(word) <= 40;
}

/* The key and value of an instance as Airflow shows it; false when it is none of this run's. The caller frees both. */
static bool read_instance(const json_t *instance, const char *dag, const char *run, char **ret_key, char **ret_value)
{
    const char *task = hm_json_get_str(instance, "task_id", "");
    const json_t *state = json_object_get(instance, "state");
    int64_t map_index = hm_json_get_int(instance, "map_index", -1);
    if (task[0] == '\0' || !(state == NULL || json_is_null(state) || json_is_string(state)))
        return false;
    if (!hm_streq(hm_json_get_str(instance, "dag_id", dag), dag) || !hm_streq(hm_json_get_str(instance, "dag_run_id", run), run))
        return false;
    const char *word = json_is_string(state) ? json_string_value(state) : "none";
    if (!is_state_word(word))
        return false;
    *ret_key = map_index >= 0 ? hm_xasprintf("%s[%" PRId64 "]", task, map_index) : hm_xstrdup(task);
    *ret_value = hm_xasprintf("%s %" PRId64, word, hm_json_get_int(instance, "try_number", 0));
    return true;
}

/* --- all of a run --------------------------------------------------------------------------------------------------------- */

enum hm_code hm_airflow_states_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    char offset[24];
    const struct hm_airflow_part below[] = {
        {"/dagRuns/", hm_json_get_str(args, "run", "")}, {"/taskInstances", NULL}, {NULL, NULL}};
    enum hm_code code = hm_airflow_begin(backend, args, "GET", below, req, err);
    if (code != HM_OK)
        return code;
    (void)snprintf(offset, sizeof offset, "%" PRId64, hm_json_get_int(cursor, "offset", 0));
    hm_request_add_query(req, "limit", "100");
    hm_request_add_query(req, "offset", offset);
    return HM_OK;
}

/* Adds the page's instances to states; how many it had, or -1 with the outcome filled in. */
static int64_t add_page(const struct hm_backend *backend, const json_t *args, const json_t *page, json_t *states,
                        struct hm_outcome *out)
{
    const json_t *list = hm_json_get_arr(page, "task_instances");
    if (list == NULL) {
        (void)hm_airflow_odd(out, "there is no list of task instances");
        return -1;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *key = NULL, *value = NULL;
        if (!read_instance(json_array_get(list, i), hm_airflow_dag_id(backend, args), hm_json_get_str(args, "run", ""), &key,
                           &value)) {
            (void)hm_airflow_odd(out, "a task instance has no id, a state that is not known, or is of another run");
            return -1;
        }
        hm_json_set_str(states, key, value);
        free(key);
        free(value);
    }
    return (int64_t)json_array_size(list);
}

/* What follows a page that came well. states is stolen. */
static enum hm_verdict after_page(const json_t *cursor, int64_t had, int64_t total, json_t *stolen_states, json_t **ret_states,
                                  struct hm_outcome *out)
{
    int64_t offset = hm_json_get_int(cursor, "offset", 0) + had;
    int64_t have = (int64_t)json_object_size(stolen_states);
    int64_t round = hm_json_get_int(cursor, "round", 1);
    bool is_last = had == 0 || offset >= total;

    if (is_last && have >= total) {
        *ret_states = stolen_states;
        return HM_VERDICT_OK;
    }
    if (is_last && round >= ROUNDS_MAX) {
        json_decref(stolen_states);
        return hm_outcome_fail(out, HM_VERDICT_RETRYABLE,
                               "Airflow showed %" PRId64 " of %" PRId64 " task instances: the run changes while it is read", have,
                               total);
    }
    out->cursor = cursor != NULL ? json_copy(hm_unconst(cursor)) : hm_json_obj_new();
    if (is_last) { /* some were seen twice and others not at all */
        json_decref(stolen_states);
        hm_json_set(out->cursor, "states", hm_json_obj_new());
        hm_json_set_int(out->cursor, "offset", 0);
        hm_json_set_int(out->cursor, "round", round + 1);
    } else {
        hm_json_set(out->cursor, "states", stolen_states);
        hm_json_set_int(out->cursor, "offset", offset);
        hm_json_set_int(out->cursor, "round", round);
    }
    return HM_VERDICT_MORE;
}

enum hm_verdict hm_airflow_states_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, json_t **ret_states, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("run %.200s of DAG %.200s", hm_json_get_str(args, "run", ""), hm_airflow_dag_id(backend, args));
    json_t *page = NULL;
    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &page, out);
    if (verdict == HM_VERDICT_OK) {
        const json_t *before = hm_json_get_obj(cursor, "states");
        json_t *states = before != NULL ? json_copy(hm_unconst(before)) : hm_json_obj_new();
        int64_t total = hm_json_get_int(page, "total_entries", -1);
        int64_t had = add_page(backend, args, page, states, out);
        if (had >= 0 && (total < 0 || total > INSTANCES_MAX)) {
            (void)hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  total < 0 ? "Airflow's answer is not as expected: total_entries is no number"
                                            : "the run has more than %d task instances: that is more than can be read at once",
                                  (int)INSTANCES_MAX);
            had = -1;
        }
        if (had < 0) {
            json_decref(states);
            verdict = HM_VERDICT_PERMANENT;
        } else {
            /* An unknown run is an empty list to Airflow 2, not a 404. */
            verdict = total == 0 && json_object_size(states) == 0 ? HM_VERDICT_NOT_FOUND
                                                                  : after_page(cursor, had, total, states, ret_states, out);
            if (verdict == HM_VERDICT_NOT_FOUND) {
                json_decref(states);
                (void)hm_outcome_fail(out, verdict, "Airflow has no task instances for %s", thing);
            }
        }
    }
    json_decref(page);
    free(thing);
    return verdict;
}

/* --- airflow.tasks -------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec tasks_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, false, "the run's id; without it the one that is running, or else the latest"},
    {"only", HM_ARG_STRING, false, "a regular expression that a part of the task's id must match"},
    {"states", HM_ARG_LIST, false, "only tasks in one of these states, like [ \"failed\", \"upstream_failed\" ]"},
    {"active", HM_ARG_LIST, false, "active tasks of Aurora, as aurora.tasks lists them: which of their jobs are the run's?"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code check_states(const json_t *states, struct hm_err *err)
{
    for (size_t i = 0; i < json_array_size(states); i++) {
        const char *state = json_string_value(json_array_get(states, i));
        if (state == NULL || !is_state_word(state))
            return hm_err_set(err, HM_EINVAL, "states: \"%.40s\" is no state of a task", state != NULL ? state : "(no text)");
    }
    return HM_OK;
}

/* An empty id is a mistake, not the wish for any run. */
static bool names_run(const json_t *args)
{
    return json_object_get(args, "run") != NULL;
}

/* Without a run's id the first requests are airflow.run's, with its cursor; the id that they give is kept in the cursor, around
 * the cursor of the pages:
 * {"run": id, "at": cursor or null}. The arguments with the run in them; NULL as long as it is not known. New reference. */
static json_t *args_with_run_new(const json_t *args, const json_t *cursor)
{
    const char *run = hm_json_get_str(names_run(args) ? args : cursor, "run", NULL);
    json_t *own = run != NULL ? json_copy(hm_unconst(args)) : NULL;
    if (own != NULL)
        hm_json_set_str(own, "run", run);
    return own;
}

static const json_t *page_of(const json_t *args, const json_t *cursor)
{
    return names_run(args) ? cursor : hm_json_get_obj(cursor, "at");
}

static void keep_run(const json_t *args, const char *run, struct hm_outcome *out)
{
    if (names_run(args))
        return;
    json_t *around = hm_json_obj_new();
    hm_json_set_str(around, "run", run);
    hm_json_set(around, "at", out->cursor != NULL ? out->cursor : json_null());
    out->cursor = around;
}

/* Which run it is, when nobody has said. With many runs airflow.run asks twice: then the cursor is its own, without a "run". */
static enum hm_verdict find_run(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                const struct hm_answer *answer, struct hm_outcome *out)
{
    enum hm_verdict verdict = hm_airflow_run.response(backend, args, cursor, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *run = out->result;
    out->result = NULL;
    keep_run(args, hm_json_get_str(run, "id", ""), out);
    json_decref(run);
    return HM_VERDICT_MORE;
}

static enum hm_code tasks_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    const char *only = hm_airflow_arg(args, "only");
    if (only != NULL) {
        struct hm_pattern *pattern = hm_pattern_new(only, false, err);
        if (pattern == NULL)
            return hm_err_wrap(err, "only");
        hm_pattern_free(pattern);
    }
    enum hm_code code = check_states(hm_json_get_arr(args, "states"), err);
    json_t *own = args_with_run_new(args, cursor);
    if (code == HM_OK && own == NULL)
        code = hm_airflow_run.request(backend, args, cursor, req, err);
    else if (code == HM_OK)
        code = hm_airflow_states_request(backend, own, page_of(args, cursor), req, err);
    json_decref(own);
    return code;
}

static bool in_states(const char *value, const json_t *states)
{
    for (size_t i = 0; i < json_array_size(states); i++)
        if (hm_airflow_is_state(value, json_string_value(json_array_get(states, i))))
            return true;
    return states == NULL;
}

/* The entries that are wanted, sorted by id, into the result. False when the pattern is too hard for a task's id. */
static bool add_wanted(const json_t *args, json_t *states, json_t *result, struct hm_err *err)
{
    const char *only = hm_airflow_arg(args, "only");
    struct hm_pattern *pattern = only != NULL ? hm_pattern_new(only, false, err) : NULL;
    const json_t *wanted_states = hm_json_get_arr(args, "states");
    json_t *list = hm_json_arr_new(), *names = hm_json_arr_new();
    char *text = hm_json_text(states); /* canonical: its keys are sorted */
    json_t *sorted = hm_json_parse_new(text, strlen(text), strlen(text), NULL);
    bool ok = only == NULL || pattern != NULL;
    const char *last = "";
    free(text);

    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(sorted, key, value)
    {
        bool matches = true;
        const char *v = json_string_value(value);
        if (ok && pattern != NULL)
            ok = hm_pattern_match(pattern, key, &matches, err) == HM_OK;
        if (!ok || !matches || !in_states(v, wanted_states))
            continue;
        json_t *item = hm_airflow_item_new(key, v);
        const char *task = hm_json_get_str(item, "task", "");
        if (!hm_streq(task, last))
            hm_json_add(names, hm_json_str_new(task));
        hm_json_add(list, item);
        last = hm_json_get_str(item, "task", "");
    }
    hm_json_set_int(result, "count", (int64_t)json_array_size(list));
    hm_json_set(result, "list", list);
    hm_json_set(result, "names", names);
    json_decref(sorted);
    hm_pattern_free(pattern);
    return ok;
}

/* How many tasks are in which state, which ones, and how many are under way or have not begun; all of the whole run. */
static void add_totals(const json_t *states, json_t *result)
{
    json_t *by_state = hm_json_obj_new();
    int64_t active = 0;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(states), key, value)
    {
        const char *v = json_string_value(value);
        char *state = hm_xstrndup(v, strcspn(v, " "));
        if (hm_json_get_arr(by_state, state) == NULL)
            hm_json_set(by_state, state, hm_json_arr_new());
        hm_json_add(hm_json_get_arr(by_state, state), hm_json_str_new(key));
        active += hm_airflow_is_active(v) ? 1 : 0;
        free(state);
    }
    hm_json_set_int(result, "total", (int64_t)json_object_size(states));
    hm_json_set_int(result, "active", active);
    hm_json_set_int(result, "waiting", (int64_t)json_array_size(hm_json_get_arr(by_state, "none")));
    hm_json_set_int(result, "failed", (int64_t)json_array_size(hm_json_get_arr(by_state, "failed")));
    hm_json_set_int(result, "upstream_failed", (int64_t)json_array_size(hm_json_get_arr(by_state, "upstream_failed")));
    hm_json_set_int(result, "success", (int64_t)json_array_size(hm_json_get_arr(by_state, "success")));
    hm_json_set(result, "by_state", by_state);
}

/* Of the active tasks in the argument: the jobs that bear the name of one of the run's tasks, with the ids of their tasks, and
 * the names of the other jobs. */
static void add_jobs(const json_t *args, const json_t *states, json_t *result)
{
    const json_t *active = hm_json_get_arr(args, "active");
    json_t *jobs = hm_json_arr_new(), *ids = hm_json_arr_new(), *others = hm_json_arr_new(), *seen = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(active); i++) {
        const char *job = hm_json_get_str(json_array_get(active, i), "job", "");
        const char *id = hm_json_get_str(json_array_get(active, i), "id", "");
        json_t *own = hm_json_get_obj(seen, job);
        bool is_ours = json_object_get(states, job) != NULL;
        if (job[0] == '\0')
            continue;
        if (own == NULL) {
            own = hm_json_obj_new();
            hm_json_set_str(own, "job", job);
            hm_json_set(own, "ids", hm_json_arr_new());
            hm_json_set(seen, job, own);
            hm_json_add(is_ours ? jobs : others, is_ours ? json_incref(own) : hm_json_str_new(job));
        }
        hm_json_add(hm_json_get_arr(own, "ids"), hm_json_str_new(id));
        if (is_ours)
            hm_json_add(ids, hm_json_str_new(id));
    }
    hm_json_set(result, "jobs", jobs);
    hm_json_set(result, "job_ids", ids);
    hm_json_set(result, "other_jobs", others);
    json_decref(seen);
}

static enum hm_verdict tasks_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *states = NULL;
    json_t *own = args_with_run_new(args, cursor);
    if (own == NULL)
        return find_run(backend, args, cursor, answer, out);
    enum hm_verdict verdict = hm_airflow_states_response(backend, own, page_of(args, cursor), answer, &states, out);
    if (verdict == HM_VERDICT_MORE)
        keep_run(args, hm_json_get_str(own, "run", ""), out);
    json_decref(own);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *result = hm_json_obj_new();
    if (!add_wanted(args, states, result, &out->err)) {
        json_decref(result);
        json_decref(states);
        return HM_VERDICT_PERMANENT;
    }
    add_totals(states, result);
    if (hm_json_get_arr(args, "active") != NULL)
        add_jobs(args, states, result);
    hm_json_set(result, "states", states);
    out->result = result;
    return HM_VERDICT_OK;
}

static const struct hm_field_spec item_fields[] = {
    HM_AIRFLOW_ITEM_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec job_fields[] = {
    {"job", HM_FIELD_TEXT, true, "the job, and the task of that name", NULL},
    {"ids", HM_FIELD_LIST, true, "its tasks in Aurora", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec by_state_fields[] = {
    {"*", HM_FIELD_LIST, false, "ids of the tasks in the state of that name; null when there are none", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec tasks_fields[] = {
    {"list", HM_FIELD_LIST, true, "those that match `only` and `states`", item_fields},
    {"names", HM_FIELD_LIST, true, "their ids", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many they are", NULL},
    {"total", HM_FIELD_NUMBER, true, "tasks of the whole run", NULL},
    {"active", HM_FIELD_NUMBER, true, "of the whole run: under way", NULL},
    {"waiting", HM_FIELD_NUMBER, true, "of the whole run: not begun", NULL},
    {"failed", HM_FIELD_NUMBER, true, "of the whole run", NULL},
    {"upstream_failed", HM_FIELD_NUMBER, true, "of the whole run: held up by a failed one", NULL},
    {"success", HM_FIELD_NUMBER, true, "of the whole run", NULL},
    {"by_state", HM_FIELD_OBJECT, true, "of the whole run", by_state_fields},
    {"states", HM_FIELD_OBJECT, true, "id: \"state try\" of the whole run, for airflow.compare", hm_fields_texts},
    {"jobs", HM_FIELD_LIST, false, "with `active`: jobs that bear the name of one of the run's tasks", job_fields},
    {"job_ids", HM_FIELD_LIST, false, "with `active`: the tasks of those jobs in Aurora", NULL},
    {"other_jobs", HM_FIELD_LIST, false, "with `active`: the names of the other jobs", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_tasks = {
    .name = "airflow.tasks",
    .title = "List the tasks of a run",
    .doc = "`active` counts what is scheduled, queued, running or waits for a retry. Which states there are is Airflow's matter: "
           "a misspelt by_state.… is not noticed.",
    .effect = HM_EFFECT_READ,
    .args = tasks_args,
    .result = tasks_fields,
    .request = tasks_request,
    .response = tasks_response,
};

/* --- airflow.task --------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec task_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"task", HM_ARG_STRING, true, "the task's id"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code task_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    const struct hm_airflow_part below[] = {
        {"/dagRuns/", hm_json_get_str(args, "run", "")}, {"/taskInstances/", hm_json_get_str(args, "task", "")}, {NULL, NULL}};
    (void)cursor;
    return hm_airflow_begin(backend, args, "GET", below, req, err);
}

static enum hm_verdict task_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    static const char *const times[] = {"start_date", "end_date"};
    static const char *const names[] = {"start", "end"};
    const char *dag = hm_airflow_dag_id(backend, args), *run = hm_json_get_str(args, "run", "");
    const char *task = hm_json_get_str(args, "task", "");
    char *thing = hm_xasprintf("task %.200s in run %.200s of DAG %.200s", task, run, dag), *key = NULL, *value = NULL;
    json_t *json = NULL;
    (void)cursor;

    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
    if (verdict == HM_VERDICT_OK && (!read_instance(json, dag, run, &key, &value) || !hm_streq(key, task))) {
        verdict = hm_airflow_odd(out, "it is not the task instance that was asked for");
    } else if (verdict == HM_VERDICT_OK) {
        char *link = hm_airflow_link(backend, dag, run, task);
        out->result = hm_airflow_item_new(key, value);
        for (size_t i = 0; i < HM_ARRAY_LEN(times); i++)
            hm_json_set_str(out->result, names[i], hm_json_get_str(json, times[i], NULL));
        hm_json_set_int(out->result, "max_tries", hm_json_get_int(json, "max_tries", 0));
        hm_json_set_str(out->result, "link", link);
        hm_json_set_bool(out->result, "active", hm_airflow_is_active(value));
        free(link);
    }
    free(key);
    free(value);
    free(thing);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec task_fields[] = {
    HM_AIRFLOW_ITEM_FIELDS,
    {"max_tries", HM_FIELD_NUMBER, true, "so often it may be tried again", NULL},
    {"active", HM_FIELD_BOOL, true, "scheduled, queued, running or waiting for a retry", NULL},
    {"start", HM_FIELD_TEXT, false, "when the try began", NULL},
    {"end", HM_FIELD_TEXT, false, "when it ended", NULL},
    {"link", HM_FIELD_TEXT, true, "its page in Airflow", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_task = {
    .name = "airflow.task",
    .title = "Read a task of a run",
    .doc = "A task that has not begun has the state `none`.",
    .effect = HM_EFFECT_READ,
    .args = task_args,
    .result = task_fields,
    .request = task_request,
    .response = task_response,
};

/* --- airflow.compare ------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec compare_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"before", HM_ARG_OBJECT, true, "`states` of an earlier airflow.tasks or airflow.downstream"},
    {"cleared", HM_ARG_LIST, false, "ids of the tasks that were cleared"},
    {"allowed", HM_ARG_LIST, false, "ids of further tasks that may have changed"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code compare_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (hm_json_get_obj(args, "before") == NULL)
        return hm_err_set(err, HM_EINVAL, "before: it must be the `states` of an earlier look at the run");
    json_object_foreach(hm_json_get_obj(args, "before"), key, value)
    {
        if (!json_is_string(value))
            return hm_err_set(err, HM_EINVAL, "before: \"%.80s\" has no state", key);
    }
    return hm_airflow_states_request(backend, args, cursor, req, err);
}

static bool names_it(const json_t *names, const char *key)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name != NULL && hm_airflow_is_of(key, name))
            return true;
    }
    return false;
}

enum restarted { STARTED, STILL, UNCLEAR };

/* What has become of a task that was to be cleared. Two cases can not be told: upstream_failed, to which a cleared task comes
 * back at once while another one before it has failed; and what was under way before, which ends, fails and retries by itself. */
static enum restarted judge_cleared(const char *before, const char *now)
{
    if (!is_settled(before)) {
        bool is_reset = hm_airflow_is_state(now, "none") || hm_airflow_is_state(now, "restarting");
        return is_reset && !hm_airflow_is_state(before, "none") ? STARTED : UNCLEAR;
    }
    if (try_of(now) > try_of(before) || !is_settled(now))
        return STARTED;
    if (hm_airflow_is_state(now, "upstream_failed"))
        return UNCLEAR;
    return hm_streq(before, now) ? STILL : STARTED;
}

static enum hm_verdict compare_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    static const char *const lists[] = {"started", "still", "unclear"};
    const json_t *cleared = hm_json_get_arr(args, "cleared"), *allowed = hm_json_get_arr(args, "allowed");
    json_t *states = NULL, *before = hm_json_get_obj(args, "before");
    enum hm_verdict verdict = hm_airflow_states_response(backend, args, cursor, answer, &states, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;

    json_t *result = hm_json_obj_new(), *unexpected = hm_json_arr_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(lists); i++)
        hm_json_set(result, lists[i], hm_json_arr_new());
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(before, key, value)
    {
        const char *was = json_string_value(value);
        const char *is = hm_json_get_str(states, key, "gone");
        if (names_it(cleared, key)) {
            hm_json_add(hm_json_get_arr(result, lists[judge_cleared(was, is)]), hm_json_str_new(key));
        } else if (!names_it(allowed, key) && is_settled(was) && !hm_streq(was, is)) {
            char *text = hm_xasprintf("%s (%s → %s)", key, was, is);
            hm_json_add(unexpected, hm_json_str_new(text));
            free(text);
        }
    }
    hm_json_set_int(result, "unexpected_count", (int64_t)json_array_size(unexpected));
    hm_json_set(result, "unexpected", unexpected);
    hm_json_set_int(result, "total", (int64_t)json_object_size(states));
    json_decref(states);
    out->result = result;
    return HM_VERDICT_OK;
}

static const struct hm_field_spec compare_fields[] = {
    {"started", HM_FIELD_LIST, true, "cleared ones that have begun anew or are about to", NULL},
    {"still", HM_FIELD_LIST, true, "cleared ones that are exactly as before", NULL},
    {"unclear", HM_FIELD_LIST, true, "cleared ones of which it can not be told (upstream_failed, or under way before and now)",
     NULL},
    {"unexpected", HM_FIELD_LIST, true, "what was over and is different now, although it is neither cleared nor allowed", NULL},
    {"unexpected_count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"total", HM_FIELD_NUMBER, true, "tasks of the run now", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_compare = {
    .name = "airflow.compare",
    .title = "Compare the tasks of a run with an earlier look",
    .doc =
        "What became of the cleared tasks, and what else has changed. What was under way goes on by itself and is not looked at.",
    .effect = HM_EFFECT_READ,
    .args = compare_args,
    .result = compare_fields,
    .request = compare_request,
    .response = compare_response,
};
