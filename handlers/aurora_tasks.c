/* Aurora's tasks: reading them, and killing those of a job.
 *
 * Happy path: POST /apibeta/getTasksWithoutConfigs → the tasks, each with its newest state. A job's tasks are asked for in all
 * states, so that one that ended between two reads is still seen; those of a whole environment only in the states that are not
 * final. Failure modes: a responseCode other than OK inside a 200 (judged below), tasks of another job than asked for.
 *
 * Killing is HM_EFFECT_IDEMPOTENT only because of its probe: a job that was killed may have been started again meanwhile, so
 * a kill whose answer was lost is repeated only when every task that was there before still is (probe context `before`). An empty
 * set of instances means all of them to Aurora, so it takes `all = true` to send one. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/aurora.h"
#include "handlers/http_request.h"

enum { MAX_TASKS = 5000, MAX_STATES = 32, MAX_INSTANCES = 1000, DETAILS_MAX = 300, MESSAGE_MAX = 200 };

/* Not final, as Aurora's ACTIVE_STATES has them. */
static const char *const active_states[] = {"ASSIGNED",   "DRAINING", "KILLING",  "PENDING",  "PREEMPTING",
                                            "RESTARTING", "RUNNING",  "STARTING", "THROTTLED"};
static const char *const final_states[] = {"FAILED", "FINISHED", "KILLED", "LOST"};

/* ---- what both have in common ------------------------------------------------------------------------------------------ */

static enum hm_code check_word(const json_t *args, const char *name, bool required, struct hm_err *err)
{
    const char *value = hm_json_get_str(args, name, "");
    if ((value[0] == '\0' && !required) || hm_argv_word_ok(value))
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is not a name of letters, digits, dots and dashes", name, value);
}

static enum hm_code check_job(const json_t *args, bool job_required, struct hm_err *err)
{
    enum hm_code code = check_word(args, "role", false, err);
    if (code == HM_OK)
        code = check_word(args, "env", true, err);
    if (code == HM_OK)
        code = check_word(args, "job", job_required, err);
    return code;
}

static const char *role_of(const json_t *args)
{
    const char *role = hm_json_get_str(args, "role", "");
    return role[0] != '\0' ? role : "jobs";
}

/* ": what Aurora said", or "". The caller frees. */
static char *details_of(const json_t *json)
{
    struct hm_strbuf said;
    const json_t *details = hm_json_get_arr(json, "details");
    hm_strbuf_init(&said, DETAILS_MAX);
    for (size_t i = 0; i < json_array_size(details); i++) {
        const char *message = hm_json_get_str(json_array_get(details, i), "message", "");
        if (message[0] != '\0')
            hm_strbuf_addf(&said, "%s%s", said.len == 0 ? ": " : "; ", message);
    }
    return hm_strbuf_take(&said);
}

static bool among(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (hm_streq(words[i], word))
            return true;
    return false;
}

/* The responseCode inside the 200. */
static enum hm_verdict judge_code(const struct hm_http_asked *asked, const json_t *json, struct hm_outcome *out)
{
    static const char *const refusals[] = {"INVALID_REQUEST", "AUTH_FAILED", "JOB_UPDATING_ERROR", "LOCK_ERROR"};
    const char *code = hm_json_get_str(json, "responseCode", "");
    if (hm_streq(code, "OK"))
        return HM_VERDICT_OK;
    char *said = details_of(json);
    enum hm_verdict verdict = asked->write ? HM_VERDICT_MAYBE : HM_VERDICT_RETRYABLE;
    if (among(code, refusals, HM_ARRAY_LEN(refusals)))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Aurora refused (%s)%s; nothing was done", code, said);
    else if (hm_streq(code, "ERROR_TRANSIENT"))
        verdict =
            hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "Aurora can not do it just now (%s)%s; nothing was done", code, said);
    else if (code[0] == '\0')
        verdict = asked->write ? hm_outcome_fail(out, verdict, "Aurora's answer has no responseCode; it may have happened or not")
                               : hm_http_odd(asked, out, "it has no responseCode");
    else
        verdict = hm_outcome_fail(out, verdict, "Aurora failed (%.60s)%s%s", code, said,
                                  asked->write ? "; it may have happened or not" : "");
    free(said);
    return verdict;
}

/* Judges down to the responseCode; the body in *ret_json (new reference, NULL unless OK). */
static enum hm_verdict read_answer(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                                   struct hm_outcome *out)
{
    enum hm_verdict verdict = hm_http_read_json(asked, answer, ret_json, out);
    if (verdict == HM_VERDICT_OK)
        verdict = judge_code(asked, *ret_json, out);
    if (verdict != HM_VERDICT_OK) {
        json_decref(*ret_json);
        *ret_json = NULL;
    }
    return verdict;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec tasks_args[] = {
    {"env", HM_ARG_STRING, true, "environment of the jobs: prod or devel"},
    {"job", HM_ARG_STRING, false, "name of the job; all of them when left out"},
    {"role", HM_ARG_STRING, false, "role of the jobs; \"jobs\" when left out"},
    {"before", HM_ARG_LIST, false, "ids of tasks that an earlier read has seen, to be told which still are there"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code tasks_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_job(args, false, err);
    if (code != HM_OK)
        return code;
    json_t *query = hm_json_obj_new();
    json_t *body = hm_json_obj_new();
    const char *job = hm_json_get_str(args, "job", "");
    hm_json_set_str(query, "role", role_of(args));
    hm_json_set_str(query, "environment", hm_json_get_str(args, "env", ""));
    if (job[0] != '\0') {
        hm_json_set_str(query, "jobName", job);
    } else {
        json_t *states = hm_json_arr_new();
        for (size_t i = 0; i < HM_ARRAY_LEN(active_states); i++)
            hm_json_add(states, hm_json_str_new(active_states[i]));
        hm_json_set(query, "statuses", states);
    }
    hm_json_set(body, "query", query);
    hm_request_begin(req, backend, "POST", "/apibeta/getTasksWithoutConfigs");
    hm_request_set_json(req, body);
    return HM_OK;
}

static bool holds(const json_t *list, const char *id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (hm_streq(json_string_value(json_array_get(list, i)), id))
            return true;
    return false;
}

/* When it came into its state, as text; "" when that can not be told. */
static const char *since(const json_t *task, char *buf)
{
    const json_t *events = hm_json_get_arr(task, "taskEvents");
    int64_t last = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        int64_t at = hm_json_get_int(json_array_get(events, i), "timestamp", 0);
        last = at > last ? at : last;
    }
    buf[0] = '\0';
    return last > 0 && last < INT64_C(253402300800000) ? hm_format_time(last, buf) : buf;
}

/* One of Aurora's tasks as recipes see it; NULL when it is none, or one of another job than asked for. */
static json_t *task_new(const json_t *args, const json_t *given)
{
    char when[HM_TIME_MAX];
    const json_t *assigned = hm_json_get_obj(given, "assignedTask");
    const json_t *config = hm_json_get_obj(assigned, "task");
    const json_t *key = hm_json_get_obj(config, "job");
    const char *wanted = hm_json_get_str(args, "job", "");
    const char *id = hm_json_get_str(assigned, "taskId", NULL);
    const char *status = hm_json_get_str(given, "status", NULL);
    const char *job = hm_json_get_str(key, "name", hm_json_get_str(config, "jobName", wanted));
    const char *role = hm_json_get_str(key, "role", role_of(args));
    const char *env =
        hm_json_get_str(key, "environment", hm_json_get_str(config, "environment", hm_json_get_str(args, "env", "")));
    bool own = (wanted[0] == '\0' || hm_streq(job, wanted)) && hm_streq(role, role_of(args)) &&
               hm_streq(env, hm_json_get_str(args, "env", ""));
    if (id == NULL || status == NULL || job[0] == '\0' || !own)
        return NULL;
    json_t *task = hm_json_obj_new();
    hm_json_set_str(task, "id", id);
    hm_json_set_str(task, "job", job);
    hm_json_set_int(task, "instance", hm_json_get_int(assigned, "instanceId", 0));
    hm_json_set_str(task, "status", status);
    hm_json_set_str(task, "host", hm_json_get_str(assigned, "slaveHost", ""));
    hm_json_set_str(task, "since", since(given, when));
    return task;
}

static bool is_active(const json_t *task)
{
    return !among(hm_json_get_str(task, "status", ""), final_states, HM_ARRAY_LEN(final_states));
}

static void count_in(json_t *counts, const char *key)
{
    hm_json_set_int(counts, key, hm_json_get_int(counts, key, 0) + 1);
}

/* "3 RUNNING, 1 PENDING" of {state: n}. The caller frees. */
static char *counts_text(json_t *counts)
{
    struct hm_strbuf text;
    const char *state = NULL;
    json_t *n = NULL;
    hm_strbuf_init(&text, MAX_STATES * (size_t)40);
    json_object_foreach(counts, state, n)
        hm_strbuf_addf(&text, "%s%" JSON_INTEGER_FORMAT " %.30s", text.len > 0 ? ", " : "", json_integer_value(n), state);
    return hm_strbuf_take(&text);
}

static json_t *line_new(const json_t *task)
{
    const char *when = hm_json_get_str(task, "since", "");
    const char *host = hm_json_get_str(task, "host", "");
    char *line = hm_xasprintf("%s/%lld %s%s%s%s%s", hm_json_get_str(task, "job", ""),
                              (long long)hm_json_get_int(task, "instance", 0), hm_json_get_str(task, "status", ""),
                              when[0] != '\0' ? " since " : "", when, host[0] != '\0' ? " on " : "", host);
    json_t *text = hm_json_str_new(line);
    free(line);
    return text;
}

/* {job: n} → [{job, active}] */
static json_t *jobs_new(json_t *counts)
{
    const char *job = NULL;
    json_t *n = NULL;
    json_t *list = hm_json_arr_new();
    json_object_foreach(counts, job, n)
    {
        json_t *entry = hm_json_obj_new();
        hm_json_set_str(entry, "job", job);
        hm_json_set(entry, "active", json_incref(n));
        hm_json_add(list, entry);
    }
    return list;
}

/* Aurora starts a failed task anew by itself, as a task of its own: was this one followed by another? replaced: the ids that
 * other tasks name as the one before them. */
static bool is_replaced(const json_t *task, const json_t *fresh, const json_t *replaced)
{
    const char *at = hm_json_get_str(task, "since", "");
    if (json_object_get(replaced, hm_json_get_str(task, "id", "")) != NULL)
        return true;
    for (size_t i = 0; i < json_array_size(fresh); i++) {
        const json_t *other = json_array_get(fresh, i);
        if (hm_json_get_int(other, "instance", 0) == hm_json_get_int(task, "instance", 0) &&
            strcmp(hm_json_get_str(other, "since", ""), at) > 0)
            return true;
    }
    return false;
}

/* The task by which the new ones have come to their end: one that did not finish well if there is one, else the latest. NULL
 * (borrowed otherwise) while one of them is active. */
static json_t *end_of(const json_t *fresh, const json_t *replaced)
{
    json_t *end = NULL;
    for (size_t i = 0; i < json_array_size(fresh); i++) {
        json_t *task = json_array_get(fresh, i);
        if (is_active(task))
            return NULL;
        if (is_replaced(task, fresh, replaced))
            continue;
        bool well = hm_streq(hm_json_get_str(task, "status", ""), "FINISHED");
        bool end_well = hm_streq(hm_json_get_str(end, "status", ""), "FINISHED");
        bool later = strcmp(hm_json_get_str(task, "since", ""), hm_json_get_str(end, "since", "")) > 0;
        if (end == NULL || (end_well && !well) || (end_well == well && later))
            end = task;
    }
    return end;
}

/* What the tasks come to. before: ids of an earlier read, or NULL. replaced: see is_replaced(). */
/* NOLINTNEXTLINE(readability-function-cognitive-complexity): one walk over the tasks fills all lists */
static json_t *sum_up(const json_t *before, const json_t *tasks, const json_t *replaced)
{
    enum { LIST, LINES, IDS, STILL, UNTOUCHED, FRESH, N_LISTS };
    static const char *const list_names[N_LISTS] = {"list", "lines", "ids", "still", "untouched", "fresh"};
    json_t *lists[N_LISTS];
    json_t *states = hm_json_obj_new(), *jobs = hm_json_obj_new(), *result = hm_json_obj_new();
    int64_t running = 0, pending = 0, fresh_running = 0;
    for (size_t i = 0; i < N_LISTS; i++)
        lists[i] = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);
        const char *id = hm_json_get_str(task, "id", ""), *status = hm_json_get_str(task, "status", "");
        bool active = is_active(task), fresh = before != NULL && !holds(before, id);
        bool runs = hm_streq(status, "RUNNING");
        hm_json_add(lists[IDS], hm_json_str_new(id));
        if (fresh)
            hm_json_add(lists[FRESH], json_incref(task));
        fresh_running += fresh && runs ? 1 : 0;
        if (!active)
            continue;
        hm_json_add(lists[LIST], json_incref(task));
        hm_json_add(lists[LINES], line_new(task));
        if (!fresh && before != NULL)
            hm_json_add(lists[STILL], hm_json_str_new(id));
        if (!fresh && before != NULL && !hm_streq(status, "KILLING"))
            hm_json_add(lists[UNTOUCHED], hm_json_str_new(id));
        running += runs ? 1 : 0;
        pending += hm_streq(status, "PENDING") ? 1 : 0;
        if (json_object_size(states) < MAX_STATES)
            count_in(states, status);
        count_in(jobs, hm_json_get_str(task, "job", ""));
    }
    char *text = counts_text(states);
    hm_json_set_int(result, "count", (int64_t)json_array_size(lists[LIST]));
    hm_json_set_int(result, "running", running);
    hm_json_set_int(result, "pending", pending);
    hm_json_set_int(result, "fresh_running", fresh_running);
    json_t *end = end_of(lists[FRESH], replaced);
    hm_json_set(result, "end", end != NULL ? json_incref(end) : json_null());
    hm_json_set_int(result, "before", (int64_t)json_array_size(before));
    hm_json_set_str(result, "states", text[0] != '\0' ? text : "none");
    hm_json_set(result, "jobs", jobs_new(jobs));
    for (size_t i = 0; i < N_LISTS; i++)
        hm_json_set(result, list_names[i], lists[i]);
    free(text);
    json_decref(states);
    json_decref(jobs);
    return result;
}

static enum hm_verdict tasks_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Aurora"};
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_answer(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *given = hm_json_get_path(json, "result.scheduleStatusResult.tasks");
    json_t *tasks = hm_json_arr_new(), *replaced = hm_json_obj_new();
    if (!json_is_array(given))
        verdict = hm_http_odd(&asked, out, "it has no list of tasks");
    else if (json_array_size(given) > MAX_TASKS)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Aurora sent more than %d tasks; ask for one job", (int)MAX_TASKS);
    for (size_t i = 0; verdict == HM_VERDICT_OK && i < json_array_size(given); i++) {
        json_t *task = task_new(args, json_array_get(given, i));
        const char *ancestor = hm_json_get_str(json_array_get(given, i), "ancestorId", "");
        if (ancestor[0] != '\0')
            hm_json_set_bool(replaced, ancestor, true);
        if (task != NULL)
            hm_json_add(tasks, task);
        else
            verdict = hm_http_odd(&asked, out, "a task in it has no id or state, or is one of another job");
    }
    if (verdict == HM_VERDICT_OK)
        out->result = sum_up(hm_json_get_arr(args, "before"), tasks, replaced);
    json_decref(replaced);
    json_decref(tasks);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec task_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the task's id", NULL},
    {"job", HM_FIELD_TEXT, true, "its job", NULL},
    {"instance", HM_FIELD_NUMBER, true, "its number in the job", NULL},
    {"status", HM_FIELD_TEXT, true, "Aurora's word: RUNNING, PENDING …", NULL},
    {"host", HM_FIELD_TEXT, true, "the machine; empty when it has none yet", NULL},
    {"since", HM_FIELD_TEXT, true, "since when it has the status", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec job_fields[] = {
    {"job", HM_FIELD_TEXT, true, "its name", NULL},
    {"active", HM_FIELD_NUMBER, true, "its active tasks", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec tasks_fields[] = {
    {"count", HM_FIELD_NUMBER, true, "active tasks", NULL},
    {"running", HM_FIELD_NUMBER, true, "of them running", NULL},
    {"pending", HM_FIELD_NUMBER, true, "of them waiting for a machine", NULL},
    {"states", HM_FIELD_TEXT, true, "like 3 RUNNING, 1 PENDING; none when there are no tasks", NULL},
    {"list", HM_FIELD_LIST, true, "the active tasks", task_fields},
    {"lines", HM_FIELD_LIST, true, "the same as text", NULL},
    {"jobs", HM_FIELD_LIST, true, "the jobs they are of", job_fields},
    {"ids", HM_FIELD_LIST, true, "of all tasks, ended ones too", NULL},
    {"before", HM_FIELD_NUMBER, true, "how many ids `before` has", NULL},
    {"still", HM_FIELD_LIST, true, "with `before`: ids that were there and are active", NULL},
    {"untouched", HM_FIELD_LIST, true, "with `before`: those of them that are not being killed", NULL},
    {"fresh", HM_FIELD_LIST, true, "with `before`: tasks that were not there", task_fields},
    {"fresh_running", HM_FIELD_NUMBER, true, "how many of those are running", NULL},
    {"end", HM_FIELD_OBJECT, false, "with `before`: the new task by which the job has come to its end; null while one is active",
     task_fields},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_aurora_tasks = {
    .name = "aurora.tasks",
    .title = "Look at the tasks of a job",
    .doc = "A task that Aurora has started anew after a failure is no end.",
    .effect = HM_EFFECT_READ,
    .args = tasks_args,
    .result = tasks_fields,
    .request = tasks_request,
    .response = tasks_response,
};

/* ---- killing ------------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec kill_args[] = {
    {"env", HM_ARG_STRING, true, "environment of the job: prod or devel"},
    {"job", HM_ARG_STRING, true, "name of the job"},
    {"role", HM_ARG_STRING, false, "role of the job; \"jobs\" when left out"},
    {"instances", HM_ARG_LIST, false, "numbers of the instances to kill"},
    {"all", HM_ARG_BOOL, false, "true: the whole job"},
    {"message", HM_ARG_STRING, false, "why, for Aurora's own log"},
    {NULL, HM_ARG_STRING, false, NULL},
};
static const char *const kill_ways[] = {"instances", "all", NULL};
static const struct hm_arg_choice kill_choice = {kill_ways, HM_CHOOSE_ONE};

static enum hm_code check_instances(const json_t *args, struct hm_err *err)
{
    const json_t *instances = json_object_get(args, "instances");
    size_t n = json_array_size(instances);
    if (hm_json_get_bool(args, "all", false) == (n > 0))
        return hm_err_set(err, HM_EINVAL,
                          n > 0 ? "either instances or all, not both"
                                : "no instance is named; Aurora would take that for the whole job: say so with "
                                  "all = true");
    if (n > MAX_INSTANCES)
        return hm_err_set(err, HM_EINVAL, "instances: more than %d", (int)MAX_INSTANCES);
    for (size_t i = 0; i < n; i++) {
        const json_t *instance = json_array_get(instances, i);
        if (!json_is_integer(instance) || json_integer_value(instance) < 0 || json_integer_value(instance) > INT32_MAX)
            return hm_err_set(err, HM_EINVAL, "instances: each must be a number, 0 or more");
    }
    return HM_OK;
}

static enum hm_code kill_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_job(args, true, err);
    if (code == HM_OK)
        code = check_instances(args, err);
    if (code != HM_OK)
        return code;
    json_t *key = hm_json_obj_new(), *body = hm_json_obj_new();
    const json_t *instances = hm_json_get_arr(args, "instances");
    const char *message = hm_json_get_str(args, "message", "");
    hm_json_set_str(key, "role", role_of(args));
    hm_json_set_str(key, "environment", hm_json_get_str(args, "env", ""));
    hm_json_set_str(key, "name", hm_json_get_str(args, "job", ""));
    hm_json_set(body, "job", key);
    hm_json_set(body, "instances", instances != NULL ? json_deep_copy(instances) : hm_json_arr_new());
    if (message[0] != '\0')
        hm_json_set(body, "message", hm_json_strn_new(message, hm_utf8_take(message, MESSAGE_MAX)));
    hm_request_begin(req, backend, "POST", "/apibeta/killTasks");
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_verdict kill_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Aurora", .write = true};
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_answer(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    char *said = details_of(json);
    out->result = hm_json_obj_new();
    hm_json_set_str(out->result, "job", hm_json_get_str(args, "job", ""));
    hm_json_set_bool(out->result, "nothing", strstr(said, "No tasks to kill") != NULL);
    free(said);
    json_decref(json);
    return HM_VERDICT_OK;
}

const struct hm_arg_spec hm_aurora_probe_context[] = {
    {"before", HM_ARG_LIST, true, "ids of the job's tasks before, as aurora.tasks gives them"},
    {NULL, HM_ARG_STRING, false, NULL},
};

enum hm_code hm_aurora_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    static const char *const own[] = {"role", "env", "job"};
    const json_t *before = json_object_get(context, "before");
    if (before == NULL || json_is_null(before))
        return hm_err_set(err, HM_EINVAL, "probe: without `before`, the tasks of an earlier read, nobody can tell");
    if (!json_is_array(before))
        return hm_err_set(err, HM_EINVAL, "probe: before is not a list");
    *ret_args = hm_json_obj_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(own); i++) {
        const char *value = hm_json_get_str(args, own[i], "");
        if (value[0] != '\0')
            hm_json_set_str(*ret_args, own[i], value);
    }
    hm_json_set(*ret_args, "before", json_deep_copy(before));
    return HM_OK;
}

enum hm_probe_says hm_aurora_probe_kill(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK || hm_json_get_arr(result, "untouched") == NULL)
        return HM_PROBE_CANNOT_TELL;
    size_t untouched = json_array_size(hm_json_get_arr(result, "untouched"));
    if (untouched == 0)
        return HM_PROBE_APPLIED;
    /* Active ones that were not there before: somebody has started the job again, and a second kill would hit that. */
    bool same = hm_json_get_int(result, "count", -1) == (int64_t)untouched;
    return same ? HM_PROBE_NOT_APPLIED : HM_PROBE_CANNOT_TELL;
}

enum hm_probe_says hm_aurora_probe_fresh(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK || hm_json_get_arr(result, "fresh") == NULL)
        return HM_PROBE_CANNOT_TELL;
    /* None proves nothing: the program that was to start it may still be at it. */
    return json_array_size(hm_json_get_arr(result, "fresh")) > 0 ? HM_PROBE_APPLIED : HM_PROBE_NOT_YET;
}

static const struct hm_field_spec kill_fields[] = {
    {"job", HM_FIELD_TEXT, true, "the job", NULL},
    {"nothing", HM_FIELD_BOOL, true, "there was none to kill", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

/* Some instances only: those that were there before must be gone, whatever becomes of the others; `before` then names them. */
const struct hm_action hm_aurora_kill = {
    .name = "aurora.kill",
    .title = "Kill tasks of a job",
    .doc = "Either instances or all = true. Aurora answers before the tasks are gone: wait with aurora.tasks. If the answer is "
           "lost, the tasks are read again; give `probe = { before = … }`, the ids of the tasks that are to be killed.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = kill_args,
    .choice = &kill_choice,
    .result = kill_fields,
    .request = kill_request,
    .response = kill_response,
    .probe_action = "aurora.tasks",
    .probe_args = hm_aurora_probe_args,
    .probe_judge = hm_aurora_probe_kill,
    .probe_context = hm_aurora_probe_context,
};
