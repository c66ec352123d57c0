/* Aurora, the scheduler: leaderhealth, and of its JSON API (POST /apibeta/METHOD) getTasksWithoutConfigs and killTasks.
 *
 * Parameters have the names that the Thrift definition gives them; an unknown parameter is ignored, one that is missing is null,
 * as with the real one. Nothing happens at once: a task that is told to end is KILLING at the next look and KILLED at the one
 * after; a new one is PENDING, then RUNNING, then what its job's next fate says, if there is one.
 *
 * State: {"config": {"bearer": text or null}, "health": "leading" | "another leads" | "no leader", "wake": looks until it leads
 * again, "serial": n, "fates": {"job": ["FAILED", …]}, "tasks": [{"id", "role", "env", "job", "instance", "status", "host", "at",
 * "commits": {"transaction", "dataset"}}]}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "house.h"
#include "kit.h"

struct aurora {
    json_t *state;
};

static const char *const final_states[] = {"FAILED", "FINISHED", "KILLED", "LOST"};
static const char *const all_states[] = {"INIT",       "THROTTLED",  "PENDING",  "ASSIGNED", "STARTING", "RUNNING", "FINISHED",
                                         "PREEMPTING", "RESTARTING", "DRAINING", "FAILED",   "KILLED",   "KILLING", "LOST"};

static bool among(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (hm_streq(words[i], word))
            return true;
    return false;
}

static const char *text(const json_t *object, const char *key)
{
    return hm_json_get_str(object, key, "");
}

static bool is_active(const json_t *task)
{
    return !among(text(task, "status"), final_states, HM_ARRAY_LEN(final_states));
}

static json_t *tasks_of(const struct aurora *a)
{
    return hm_json_get_arr(a->state, "tasks");
}

static bool is_of(const json_t *task, const struct hm_house_job *job)
{
    return hm_streq(text(task, "role"), job->role) && hm_streq(text(task, "env"), job->env) &&
           hm_streq(text(task, "job"), job->job);
}

static void become(const struct hm_world *world, json_t *task, const char *status)
{
    hm_json_set_str(task, "status", status);
    hm_json_set_int(task, "at", hm_world_now_ms(world));
}

static struct aurora *aurora_of(struct hm_world *world)
{
    return hm_world_system_of(world, "aurora");
}

/* ---- what the house does to it -------------------------------------------------------------------------------------------- */

size_t hm_house_kill(struct hm_world *world, const struct hm_house_job *job)
{
    json_t *tasks = tasks_of(aurora_of(world));
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);
        if (!is_of(task, job) || !is_active(task))
            continue;
        n++;
        if (!hm_streq(text(task, "status"), "KILLING"))
            become(world, task, "KILLING");
    }
    return n;
}

static json_t *add_task(struct hm_world *world, const struct hm_house_job *job, int64_t instance)
{
    struct aurora *a = aurora_of(world);
    int64_t serial = hm_json_get_int(a->state, "serial", 1000) + 1;
    json_t *task = hm_json_obj_new();
    char *id = hm_xasprintf("%lld-%s-%s-%s-%lld", (long long)serial, job->role, job->env, job->job, (long long)instance);
    hm_json_set_int(a->state, "serial", serial);
    hm_json_set_str(task, "id", id);
    hm_json_set_str(task, "role", job->role);
    hm_json_set_str(task, "env", job->env);
    hm_json_set_str(task, "job", job->job);
    hm_json_set_int(task, "instance", instance);
    hm_json_set_str(task, "host", "ip-10-130-2-7.ec2.internal");
    become(world, task, "PENDING");
    hm_json_add(tasks_of(a), json_incref(task));
    free(id);
    return task;
}

size_t hm_house_restart(struct hm_world *world, const struct hm_house_job *job)
{
    json_t *tasks = tasks_of(aurora_of(world));
    size_t n = 0;
    for (size_t i = 0, before = json_array_size(tasks); i < before; i++) {
        json_t *task = json_array_get(tasks, i);
        if (!is_of(task, job) || !is_active(task))
            continue;
        n++;
        become(world, task, "KILLED");
        json_decref(add_task(world, job, hm_json_get_int(task, "instance", 0)));
    }
    return n;
}

bool hm_house_create(struct hm_world *world, const struct hm_house_job *job, const char *transaction, const char *dataset)
{
    const json_t *tasks = tasks_of(aurora_of(world));
    for (size_t i = 0; i < json_array_size(tasks); i++)
        if (is_of(json_array_get(tasks, i), job) && is_active(json_array_get(tasks, i)))
            return false;
    json_t *task = add_task(world, job, 0);
    if (dataset != NULL) {
        json_t *commits = hm_json_obj_new();
        hm_json_set_str(commits, "transaction", transaction);
        hm_json_set_str(commits, "dataset", dataset);
        hm_json_set(task, "commits", commits);
    }
    json_decref(task);
    return true;
}

char *hm_house_status(struct hm_world *world, const struct hm_house_job *job)
{
    struct hm_strbuf out;
    const json_t *tasks = tasks_of(aurora_of(world));
    hm_strbuf_init(&out, 100000);
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const json_t *task = json_array_get(tasks, i);
        if (is_of(task, job) && is_active(task))
            hm_strbuf_addf(&out, "%s/%s/%lld %s\n", job->env, job->job, (long long)hm_json_get_int(task, "instance", 0),
                           text(task, "status"));
    }
    return hm_strbuf_take(&out);
}

void hm_house_lose_tasks(struct hm_world *world)
{
    json_t *tasks = tasks_of(aurora_of(world));
    for (size_t i = 0; i < json_array_size(tasks); i++)
        if (is_active(json_array_get(tasks, i)))
            become(world, json_array_get(tasks, i), "LOST");
}

void hm_house_restart_scheduler(struct hm_world *world)
{
    struct aurora *a = aurora_of(world);
    hm_json_set_str(a->state, "health", "no leader");
    hm_json_set_int(a->state, "wake", 2);
}

/* ---- time passes, look by look -------------------------------------------------------------------------------------------- */

static const char *take_fate(const struct aurora *a, const char *job)
{
    json_t *fates = hm_json_get_arr(hm_json_get_obj(a->state, "fates"), job);
    const char *fate = json_string_value(json_array_get(fates, 0));
    for (size_t i = 0; fate != NULL && i < HM_ARRAY_LEN(all_states); i++) {
        if (!hm_streq(all_states[i], fate))
            continue;
        (void)json_array_remove(fates, 0);
        return all_states[i];
    }
    return NULL;
}

static void grow_older(struct hm_world *world, const struct aurora *a, json_t *task)
{
    const char *status = text(task, "status");
    const json_t *commits = hm_json_get_obj(task, "commits");
    if (hm_streq(status, "KILLING"))
        become(world, task, "KILLED");
    else if (hm_streq(status, "PENDING"))
        become(world, task, "RUNNING");
    else if (hm_streq(status, "RUNNING")) {
        const char *fate = take_fate(a, text(task, "job"));
        if (fate == NULL)
            return;
        become(world, task, fate);
        if (hm_streq(fate, "FINISHED") && commits != NULL)
            (void)hm_house_commit(world, text(commits, "transaction"), NULL, text(commits, "dataset"), "PARQUET", NULL);
    }
}

/* ---- its API -------------------------------------------------------------------------------------------------------------- */

static json_t *response_new(const char *code, const char *message)
{
    json_t *response = hm_json_obj_new(), *details = hm_json_arr_new(), *server = hm_json_obj_new();
    if (message != NULL) {
        json_t *detail = hm_json_obj_new();
        hm_json_set_str(detail, "message", message);
        hm_json_add(details, detail);
    }
    hm_json_set_str(server, "clusterName", "cantareira");
    hm_json_set_str(response, "responseCode", code);
    hm_json_set(response, "serverInfo", server);
    hm_json_set(response, "details", details);
    return response;
}

static void answer(struct hm_world_answer *ans, int status, const char *code, const char *message)
{
    hm_world_answer_json(ans, status, "application/json", response_new(code, message));
}

static json_t *shown_new(const json_t *task)
{
    json_t *shown = hm_json_obj_new(), *assigned = hm_json_obj_new(), *config = hm_json_obj_new(), *key = hm_json_obj_new();
    json_t *events = hm_json_arr_new(), *event = hm_json_obj_new();
    hm_json_set_str(key, "role", text(task, "role"));
    hm_json_set_str(key, "environment", text(task, "env"));
    hm_json_set_str(key, "name", text(task, "job"));
    hm_json_set(config, "job", key);
    hm_json_set_str(assigned, "taskId", text(task, "id"));
    hm_json_set_int(assigned, "instanceId", hm_json_get_int(task, "instance", 0));
    if (!hm_streq(text(task, "status"), "PENDING")) /* nobody's yet */
        hm_json_set_str(assigned, "slaveHost", text(task, "host"));
    hm_json_set(assigned, "task", config);
    hm_json_set_int(event, "timestamp", hm_json_get_int(task, "at", 0));
    hm_json_set_str(event, "status", text(task, "status"));
    hm_json_add(events, event);
    hm_json_set(shown, "assignedTask", assigned);
    hm_json_set_str(shown, "status", text(task, "status"));
    hm_json_set_int(shown, "failureCount", 0);
    hm_json_set(shown, "taskEvents", events);
    return shown;
}

/* The query's key is absent, or the task's text is the same. */
static bool agrees(const json_t *query, const char *key, const char *value)
{
    const char *wanted = hm_json_get_str(query, key, NULL);
    return wanted == NULL || hm_streq(wanted, value);
}

static bool selected(const json_t *query, const json_t *task)
{
    const json_t *statuses = hm_json_get_arr(query, "statuses");
    bool fits = json_array_size(statuses) == 0;
    for (size_t i = 0; i < json_array_size(statuses); i++)
        fits = fits || hm_streq(json_string_value(json_array_get(statuses, i)), text(task, "status"));
    return fits && agrees(query, "role", text(task, "role")) && agrees(query, "environment", text(task, "env")) &&
           agrees(query, "jobName", text(task, "job"));
}

static void get_tasks(struct hm_world *world, const struct aurora *a, const json_t *params, struct hm_world_answer *ans)
{
    static const char *const keys[] = {"role", "environment", "jobName"};
    const json_t *query = hm_json_get_obj(params, "query");
    json_t *tasks = tasks_of(a), *list = hm_json_arr_new();
    if (query == NULL) {
        json_decref(list);
        answer(ans, 200, "INVALID_REQUEST", "Query is required.");
        return;
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        const json_t *value = json_object_get(query, keys[i]);
        if (value == NULL || json_is_string(value))
            continue;
        json_decref(list);
        answer(ans, 400, "ERROR", "Failed to parse parameter query: Expected a string");
        return;
    }
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);
        if (!selected(query, task))
            continue;
        hm_json_add(list, shown_new(task));
        grow_older(world, a, task);
    }
    json_t *response = response_new("OK", NULL), *result = hm_json_obj_new(), *status = hm_json_obj_new();
    hm_json_set(status, "tasks", list);
    hm_json_set(result, "scheduleStatusResult", status);
    hm_json_set(response, "result", result);
    hm_world_answer_json(ans, 200, "application/json", response);
}

static void kill_tasks(struct hm_world *world, const struct aurora *a, const json_t *params, struct hm_world_answer *ans)
{
    const json_t *key = hm_json_get_obj(params, "job"), *instances = hm_json_get_arr(params, "instances");
    const struct hm_house_job job = {text(key, "role"), text(key, "environment"), text(key, "name")};
    json_t *tasks = tasks_of(a);
    size_t n = 0;
    if (job.role[0] == '\0' || job.env[0] == '\0' || job.job[0] == '\0') {
        answer(ans, 200, "INVALID_REQUEST", "Invalid job key");
        return;
    }
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);
        bool named = json_array_size(instances) == 0; /* none named is all of them */
        for (size_t k = 0; k < json_array_size(instances); k++)
            named = named || json_integer_value(json_array_get(instances, k)) == hm_json_get_int(task, "instance", 0);
        if (!named || !is_of(task, &job) || !is_active(task))
            continue;
        n++;
        become(world, task, "KILLING");
    }
    hm_world_count_effect(world, "aurora kill", job.job, n > 0);
    answer(ans, 200, "OK", n > 0 ? NULL : "No tasks to kill.");
}

static void leaderhealth(const struct aurora *a, struct hm_world_answer *ans)
{
    const char *health = hm_json_get_str(a->state, "health", "leading");
    int64_t wake = hm_json_get_int(a->state, "wake", 0);
    if (hm_streq(health, "leading"))
        hm_world_answer_text(ans, 200, "Current status: This is the leading scheduler.\n");
    else if (hm_streq(health, "another leads"))
        hm_world_answer_text(ans, 503, "Current status: Another instance is the leading scheduler.\n");
    else
        hm_world_answer_text(ans, 502, "Current status: There is no leading scheduler or the leader is unknown.\n");
    if (wake > 0)
        hm_json_set_int(a->state, "wake", wake - 1);
    if (wake == 1)
        hm_json_set_str(a->state, "health", "leading");
}

static void call(struct hm_world *world, const struct aurora *a, const struct hm_world_request *req, const char *method,
                 struct hm_world_answer *ans)
{
    json_t *params = hm_json_parse_new(req->body, req->body_len, 1000000, NULL);
    if (!hm_streq(req->method, "POST"))
        hm_world_answer_text(ans, 405, "Method Not Allowed\n");
    else if (!hm_streq(hm_json_get_str(a->state, "health", "leading"), "leading"))
        hm_world_answer_text(ans, 503, "No leader\n");
    else if (!hm_streq(method, "getTasksWithoutConfigs") && !hm_streq(method, "killTasks"))
        answer(ans, 404, "ERROR", "Method does not exist.");
    else if (!json_is_object(params))
        answer(ans, 400, "ERROR",
               params == NULL ? "Request must be valid JSON" : "Request data must be a JSON object of method parameters.");
    else if (hm_streq(method, "killTasks"))
        kill_tasks(world, a, params, ans);
    else
        get_tasks(world, a, params, ans);
    json_decref(params);
}

static void aurora_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char api[] = "/apibeta/";
    const struct aurora *a = system;
    if (hm_streq(req->path, "/leaderhealth"))
        leaderhealth(a, ans);
    else if (!hm_kit_authorized(hm_json_get_obj(a->state, "config"), req, ans))
        return;
    else if (hm_starts_with(req->path, api))
        call(world, a, req, req->path + strlen(api), ans);
    else
        hm_world_answer_text(ans, 404, "Aurora has nothing at %s.\n", req->path);
}

/* ---- the system ----------------------------------------------------------------------------------------------------------- */

static void aurora_free(void *system)
{
    struct aurora *a = system;
    json_decref(a->state);
    free(a);
}

static void *aurora_new(const json_t *state, struct hm_err *err)
{
    static const char *const needed[] = {"id", "env", "job", "status"};
    struct aurora *a = hm_xcalloc(1, sizeof *a);
    a->state = json_is_object(state) ? json_deep_copy(state) : hm_json_obj_new();
    if (tasks_of(a) == NULL)
        hm_json_set(a->state, "tasks", hm_json_arr_new());
    for (size_t i = 0; i < json_array_size(tasks_of(a)); i++) {
        json_t *task = json_array_get(tasks_of(a), i);
        bool ok = among(text(task, "status"), all_states, HM_ARRAY_LEN(all_states));
        for (size_t k = 0; k < HM_ARRAY_LEN(needed); k++)
            ok = ok && text(task, needed[k])[0] != '\0';
        if (!ok) {
            (void)hm_err_set(err, HM_EINVAL, "task %zu needs id, env, job and a status that there is", i);
            aurora_free(a);
            return NULL;
        }
        if (text(task, "role")[0] == '\0')
            hm_json_set_str(task, "role", "jobs");
    }
    return a;
}

static json_t *aurora_state_new(void *system)
{
    const struct aurora *a = system;
    return json_deep_copy(a->state);
}

const struct hm_world_system hm_world_aurora = {
    .name = "aurora",
    .new = aurora_new,
    .free = aurora_free,
    .state_new = aurora_state_new,
    .handle = aurora_handle,
};
