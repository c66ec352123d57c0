/* The scheduler of the simulated Airflow: what happens to a run's tasks, by itself and when somebody sets or clears them.
 *
 * Time passes when somebody looks: each look at a going run's tasks is one turn (hm_af_tick). null → scheduled → queued → running
 * → its outcome; a task whose predecessor failed becomes upstream_failed. */
#include "airflow.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (hm_streq(word, *words))
            return true;
    return false;
}

static const char *const over[] = {"success", "failed", "upstream_failed", "skipped", "removed", NULL};
static const char *const failed[] = {"failed", "upstream_failed", NULL};

const char *hm_af_state(const json_t *instance)
{
    return hm_json_get_str(instance, "state", "");
}

void hm_af_set_state(json_t *instance, const char *state)
{
    hm_json_set_str(instance, "state", state[0] != '\0' ? state : NULL);
    hm_json_set_int(instance, "ran", 0);
}

json_t *hm_af_task(const json_t *dag, const char *task_id)
{
    const json_t *tasks = hm_json_get_arr(dag, "tasks");
    for (size_t i = 0; i < json_array_size(tasks); i++)
        if (hm_streq(hm_json_get_str(json_array_get(tasks, i), "task_id", ""), task_id))
            return json_array_get(tasks, i);
    return NULL;
}

json_t *hm_af_run(const json_t *dag, const char *run_id)
{
    const json_t *runs = hm_json_get_arr(dag, "runs");
    for (size_t i = 0; i < json_array_size(runs); i++)
        if (hm_streq(hm_json_get_str(json_array_get(runs, i), "dag_run_id", ""), run_id))
            return json_array_get(runs, i);
    return NULL;
}

static bool has_after(const json_t *task, const char *id)
{
    const json_t *after = hm_json_get_arr(task, "downstream_task_ids");
    for (size_t i = 0; i < json_array_size(after); i++)
        if (hm_streq(json_string_value(json_array_get(after, i)), id))
            return true;
    return false;
}

/* --- the graph ---------------------------------------------------------------------------------------------------------- */

static void mark_after(const json_t *dag, const char *id, json_t *marked)
{
    const json_t *after = hm_json_get_arr(hm_af_task(dag, id), "downstream_task_ids");
    for (size_t i = 0; i < json_array_size(after); i++) {
        const char *next = json_string_value(json_array_get(after, i));
        if (json_object_get(marked, next) != NULL)
            continue;
        hm_json_set_bool(marked, next, true);
        mark_after(dag, next, marked);
    }
}

static void mark_before(const json_t *dag, const char *id, json_t *marked)
{
    const json_t *tasks = hm_json_get_arr(dag, "tasks");
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const char *before = hm_json_get_str(json_array_get(tasks, i), "task_id", "");
        if (!has_after(json_array_get(tasks, i), id) || json_object_get(marked, before) != NULL)
            continue;
        hm_json_set_bool(marked, before, true);
        mark_before(dag, before, marked);
    }
}

json_t *hm_af_closure_new(const json_t *dag, const json_t *task_ids, bool downstream, bool upstream)
{
    const json_t *tasks = hm_json_get_arr(dag, "tasks");
    json_t *after = hm_json_obj_new(), *before = hm_json_obj_new(), *ordered = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(task_ids); i++) {
        const char *id = json_string_value(json_array_get(task_ids, i));
        hm_json_set_bool(after, id, true);
        if (downstream)
            mark_after(dag, id, after);
        if (upstream)
            mark_before(dag, id, before);
    }
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const char *id = hm_json_get_str(json_array_get(tasks, i), "task_id", "");
        if (json_object_get(after, id) != NULL || json_object_get(before, id) != NULL)
            hm_json_set_bool(ordered, id, true);
    }
    json_decref(after);
    json_decref(before);
    return ordered;
}

/* --- time --------------------------------------------------------------------------------------------------------------- */

/* What a task that has not begun does, by the states before this turn: "scheduled", "upstream_failed", or "" for nothing. */
static const char *begin(const json_t *dag, const json_t *task, const json_t *before)
{
    const json_t *tasks = hm_json_get_arr(dag, "tasks");
    const char *id = hm_json_get_str(task, "task_id", "");
    bool all_over = true, any_failed = false;
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        if (!has_after(json_array_get(tasks, i), id))
            continue;
        const char *state = hm_af_state(json_object_get(before, hm_json_get_str(json_array_get(tasks, i), "task_id", "")));
        all_over = all_over && is_one_of(state, over);
        any_failed = any_failed || is_one_of(state, failed);
    }
    if (hm_streq(hm_json_get_str(task, "trigger_rule", "all_success"), "all_done"))
        return all_over ? "scheduled" : "";
    if (any_failed)
        return "upstream_failed";
    return all_over ? "scheduled" : "";
}

/* "outcome": "failed success" fails the first time that it runs and then succeeds; the last word stays. */
static void finish(json_t *task, json_t *instance)
{
    const char *outcome = hm_json_get_str(task, "outcome", "success");
    const char *space = strchr(outcome, ' ');
    json_t *word = hm_json_strn_new(outcome, space != NULL ? (size_t)(space - outcome) : strlen(outcome));
    hm_af_set_state(instance, json_string_value(word));
    hm_json_set_str(instance, "end_date", "2026-11-28T12:30:00+00:00");
    json_decref(word);
    if (space != NULL) {
        json_t *rest = hm_json_str_new(space + 1);
        hm_json_set(task, "outcome", rest);
    }
}

static void step(json_t *dag, json_t *task, json_t *instance, const json_t *before)
{
    const char *state = hm_af_state(instance);
    if (state[0] == '\0') {
        const char *next = begin(dag, task, before);
        if (next[0] != '\0')
            hm_af_set_state(instance, next);
    } else if (hm_streq(state, "restarting") || hm_streq(state, "up_for_retry")) {
        hm_af_set_state(instance, hm_streq(state, "restarting") ? "" : "scheduled");
    } else if (hm_streq(state, "scheduled")) {
        hm_af_set_state(instance, "queued");
    } else if (hm_streq(state, "queued")) {
        hm_af_set_state(instance, "running");
        hm_json_set_int(instance, "try_number", hm_json_get_int(instance, "try_number", 0) + 1);
        hm_json_set_str(instance, "start_date", "2026-11-28T12:00:00+00:00");
        hm_json_set_str(instance, "end_date", NULL);
    } else if (hm_streq(state, "running")) {
        int64_t ran = hm_json_get_int(instance, "ran", 0) + 1, lasts = hm_json_get_int(task, "lasts", 1);
        hm_json_set_int(instance, "ran", ran);
        if (lasts >= 0 && ran >= lasts)
            finish(task, instance);
    }
}

static void end_run(const json_t *dag, json_t *run)
{
    const json_t *tasks = hm_json_get_arr(dag, "tasks"), *instances = hm_json_get_obj(run, "tasks");
    bool bad = false;
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const json_t *task = json_array_get(tasks, i);
        const char *state = hm_af_state(json_object_get(instances, hm_json_get_str(task, "task_id", "")));
        if (!is_one_of(state, over))
            return;
        bool is_leaf = json_array_size(hm_json_get_arr(task, "downstream_task_ids")) == 0;
        bad = bad || (is_leaf && is_one_of(state, failed));
    }
    hm_json_set_str(run, "state", bad ? "failed" : "success");
    hm_json_set_str(run, "end_date", "2026-11-28T12:30:00+00:00");
}

void hm_af_tick(json_t *dag, json_t *run)
{
    json_t *tasks = hm_json_get_arr(dag, "tasks"), *instances = hm_json_get_obj(run, "tasks");
    const char *state = hm_json_get_str(run, "state", "");
    if (hm_json_get_bool(dag, "is_paused", false) || !(hm_streq(state, "running") || hm_streq(state, "queued")))
        return;
    json_t *before = json_deep_copy(instances);
    if (hm_streq(state, "queued"))
        hm_json_set_str(run, "state", "running");
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);
        json_t *instance = json_object_get(instances, hm_json_get_str(task, "task_id", ""));
        if (instance != NULL)
            step(dag, task, instance, before);
    }
    json_decref(before);
    end_run(dag, run);
}

/* --- what people do ----------------------------------------------------------------------------------------------------- */

json_t *hm_af_to_clear_new(const json_t *dag, const json_t *run, const json_t *body, bool default_only_failed)
{
    const json_t *task_ids = hm_json_get_arr(body, "task_ids");
    bool only_failed = hm_json_get_bool(body, "only_failed", default_only_failed);
    bool only_running = hm_json_get_bool(body, "only_running", false);
    json_t *all = NULL, *ids = hm_json_arr_new();
    if (task_ids != NULL) {
        all = hm_af_closure_new(dag, task_ids, hm_json_get_bool(body, "include_downstream", false),
                                hm_json_get_bool(body, "include_upstream", false));
    } else { /* none named: all of them */
        json_t *every = hm_json_arr_new();
        const json_t *tasks = hm_json_get_arr(dag, "tasks");
        for (size_t i = 0; i < json_array_size(tasks); i++)
            hm_json_add(every, hm_json_str_new(hm_json_get_str(json_array_get(tasks, i), "task_id", "")));
        all = hm_af_closure_new(dag, every, false, false);
        json_decref(every);
    }
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach(all, id, value)
    {
        const json_t *instance = json_object_get(hm_json_get_obj(run, "tasks"), id);
        const char *state = hm_af_state(instance);
        if (instance == NULL || (only_failed && !is_one_of(state, failed)) || (only_running && !hm_streq(state, "running")))
            continue;
        hm_json_add(ids, hm_json_str_new(id));
    }
    json_decref(all);
    return ids;
}

void hm_af_clear(json_t *run, const json_t *ids, bool reset_run)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        json_t *instance = json_object_get(hm_json_get_obj(run, "tasks"), json_string_value(json_array_get(ids, i)));
        hm_af_set_state(instance, hm_streq(hm_af_state(instance), "running") ? "restarting" : "");
    }
    if (reset_run && json_array_size(ids) > 0) {
        hm_json_set_str(run, "state", "queued");
        hm_json_set_str(run, "end_date", NULL);
    }
}

json_t *hm_af_set_task_state(const json_t *dag, json_t *run, const char *task_id, const char *state, bool downstream)
{
    json_t *one = hm_json_arr_new(), *changed = hm_json_arr_new(), *flags = hm_json_obj_new();
    hm_json_add(one, hm_json_str_new(task_id));
    json_t *wanted = hm_af_closure_new(dag, one, downstream, false);
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach(wanted, id, value)
    {
        json_t *instance = json_object_get(hm_json_get_obj(run, "tasks"), id);
        if (instance == NULL || hm_streq(hm_af_state(instance), state))
            continue;
        hm_af_set_state(instance, state);
        hm_json_add(changed, hm_json_str_new(id));
    }
    json_decref(wanted);
    /* What after it has failed shall have another go. */
    hm_json_set(flags, "task_ids", one);
    hm_json_set_bool(flags, "include_downstream", true);
    hm_json_set_bool(flags, "only_failed", true);
    json_t *again = hm_af_to_clear_new(dag, run, flags, true);
    for (size_t i = json_array_size(again); i-- > 0;)
        if (hm_streq(json_string_value(json_array_get(again, i)), task_id))
            (void)json_array_remove(again, i);
    hm_af_clear(run, again, true);
    json_decref(again);
    json_decref(flags);
    return changed;
}

void hm_af_set_run_state(json_t *run, const char *state)
{
    const char *id = NULL;
    json_t *instance = NULL;
    hm_json_set_str(run, "state", state);
    json_object_foreach(hm_json_get_obj(run, "tasks"), id, instance)
    {
        const char *now = hm_af_state(instance);
        if (is_one_of(now, over))
            continue;
        if (hm_streq(state, "failed"))
            hm_af_set_state(instance, hm_streq(now, "running") || hm_streq(now, "restarting") ? "failed" : "skipped");
        else if (hm_streq(state, "success"))
            hm_af_set_state(instance, "success");
    }
}

json_t *hm_af_add_run(json_t *dag, const char *run_id, json_t *conf)
{
    json_t *run = hm_json_obj_new(), *instances = hm_json_obj_new();
    const json_t *tasks = hm_json_get_arr(dag, "tasks");
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        json_t *instance = hm_json_obj_new();
        hm_af_set_state(instance, "");
        hm_json_set_int(instance, "try_number", 0);
        hm_json_set(instances, hm_json_get_str(json_array_get(tasks, i), "task_id", ""), instance);
    }
    hm_json_set_str(run, "dag_run_id", run_id);
    hm_json_set_str(run, "state", "queued");
    hm_json_set_str(run, "run_type", "manual");
    hm_json_set_str(run, "start_date", NULL);
    hm_json_set(run, "conf", conf != NULL ? json_deep_copy(conf) : hm_json_obj_new());
    hm_json_set(run, "tasks", instances);
    hm_json_add(hm_json_get_arr(dag, "runs"), run);
    return run;
}
