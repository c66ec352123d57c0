/* Which tasks come after a task, in the order of the graph, and how each stands in a run. Two reads in one action: first the
 * DAG's tasks with what follows each, then the run's task instances, page by page. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/airflow.h"

enum { TASKS_MAX = 3000 };

static const struct hm_arg_spec downstream_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"task", HM_ARG_STRING, true, "the id of the task that the others come after"},
    {"also", HM_ARG_STRING, false, "ids of further tasks to look at, with spaces or commas between them"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code downstream_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    static const struct hm_airflow_part below[] = {{"/tasks", NULL}, {NULL, NULL}};
    const char *run = hm_json_get_str(args, "run", ""), *task = hm_json_get_str(args, "task", "");
    json_t *names = NULL;
    if (!hm_airflow_id_ok(run) || !hm_airflow_id_ok(task))
        return hm_err_set(err, HM_EINVAL, "\"%.80s\" is not the id of one run or task", hm_airflow_id_ok(run) ? task : run);
    enum hm_code code = hm_airflow_names_new(NULL, hm_airflow_arg(args, "also"), &names, err);
    json_decref(names);
    if (code != HM_OK)
        return hm_err_wrap(err, "also");
    if (cursor != NULL)
        return hm_airflow_states_request(backend, args, cursor, req, err);
    return hm_airflow_begin(backend, args, "GET", below, req, err);
}

/* --- the graph -------------------------------------------------------------------------------------------------------------- */

/* {task: [tasks after it]}; NULL with the outcome set. */
static json_t *read_graph(const json_t *json, struct hm_outcome *out)
{
    const json_t *tasks = hm_json_get_arr(json, "tasks");
    json_t *graph = hm_json_obj_new();
    bool ok = tasks != NULL && json_array_size(tasks) <= TASKS_MAX;
    for (size_t i = 0; ok && i < json_array_size(tasks); i++) {
        const char *id = hm_json_get_str(json_array_get(tasks, i), "task_id", "");
        json_t *after = hm_json_get_arr(json_array_get(tasks, i), "downstream_task_ids");
        ok = hm_airflow_id_ok(id) && after != NULL;
        for (size_t k = 0; ok && k < json_array_size(after); k++) {
            const char *next = json_string_value(json_array_get(after, k));
            ok = next != NULL && hm_airflow_id_ok(next);
        }
        if (ok)
            hm_json_set(graph, id, json_incref(after));
    }
    if (ok)
        return graph;
    json_decref(graph);
    (void)hm_airflow_odd(out, "a DAG's tasks need task_id and downstream_task_ids");
    return NULL;
}

/* All tasks after `task`, each once, nearest first, those at the same distance by name: a new {task: true} in that order. A task
 * that is reached on two ways stands where the longer one puts it, so that what must run first comes first. */
static json_t *closure_new(const json_t *graph, const char *task)
{
    json_t *depth = hm_json_obj_new(), *level = hm_json_arr_new();
    hm_json_add(level, hm_json_str_new(task));
    /* A DAG has no circles; the ceiling is for an answer that has one. */
    for (size_t d = 1; json_array_size(level) > 0 && d <= json_object_size(graph); d++) {
        json_t *next = hm_json_obj_new();
        for (size_t i = 0; i < json_array_size(level); i++) {
            const json_t *after = hm_json_get_arr(graph, json_string_value(json_array_get(level, i)));
            for (size_t k = 0; k < json_array_size(after); k++) {
                const char *id = json_string_value(json_array_get(after, k));
                if (hm_streq(id, task))
                    continue;
                hm_json_set_int(depth, id, (int64_t)d);
                hm_json_set_bool(next, id, true);
            }
        }
        json_decref(level);
        level = hm_json_arr_new();
        const char *id = NULL;
        json_t *value = NULL;
        json_object_foreach(next, id, value) hm_json_add(level, hm_json_str_new(id));
        json_decref(next);
    }
    json_decref(level);
    return depth;
}

struct placed {
    int64_t depth;
    const char *id;
};

static int by_depth(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return strcmp(x->id, y->id);
}

static json_t *ordered_new(const json_t *depth)
{
    struct placed *all = hm_xcalloc(json_object_size(depth) + 1, sizeof all[0]);
    size_t n = 0;
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(depth), id, value)
    {
        all[n].depth = json_integer_value(value);
        all[n++].id = id;
    }
    qsort(all, n, sizeof all[0], by_depth);
    json_t *order = hm_json_arr_new();
    for (size_t i = 0; i < n; i++)
        hm_json_add(order, hm_json_str_new(all[i].id));
    free(all);
    return order;
}

/* Tasks that are neither the task nor after it, but before one that is after it: when such a one has failed, what comes after
 * both can not run, whatever is cleared. */
static json_t *others_before_new(const json_t *graph, const json_t *depth, const char *task)
{
    json_t *before = hm_json_obj_new(), *list = hm_json_arr_new();
    bool grown = true;
    while (grown) {
        grown = false;
        const char *id = NULL;
        json_t *after = NULL;
        json_object_foreach(hm_unconst(graph), id, after)
        {
            if (hm_streq(id, task) || json_object_get(depth, id) != NULL || json_object_get(before, id) != NULL)
                continue;
            for (size_t k = 0; k < json_array_size(after); k++) {
                const char *next = json_string_value(json_array_get(after, k));
                if (json_object_get(depth, next) == NULL && json_object_get(before, next) == NULL)
                    continue;
                hm_json_set_bool(before, id, true);
                hm_json_add(list, hm_json_str_new(id));
                grown = true;
                break;
            }
        }
    }
    json_decref(before);
    return list;
}

static enum hm_verdict graph_response(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                      struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args), *task = hm_json_get_str(args, "task", "");
    char *thing = hm_xasprintf("DAG %.200s", dag);
    json_t *json = NULL;
    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
    json_t *graph = verdict == HM_VERDICT_OK ? read_graph(json, out) : NULL;
    if (verdict == HM_VERDICT_OK && graph == NULL)
        verdict = HM_VERDICT_PERMANENT;
    if (verdict == HM_VERDICT_OK && json_object_get(graph, task) == NULL)
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "DAG %.200s has no task %.200s", dag, task);
    if (verdict == HM_VERDICT_OK) {
        json_t *depth = closure_new(graph, task);
        out->cursor = hm_json_obj_new();
        hm_json_set(out->cursor, "order", ordered_new(depth));
        hm_json_set(out->cursor, "others", others_before_new(graph, depth, task));
        json_decref(depth);
        verdict = HM_VERDICT_MORE;
    }
    json_decref(graph);
    json_decref(json);
    free(thing);
    return verdict;
}

/* --- the result ------------------------------------------------------------------------------------------------------------- */

/* Appends the instances of a task that are as wanted; true when the run has any instance of it. */
static bool add_instances(const json_t *states, const char *task, bool only_failed, json_t *list)
{
    const char *key = NULL;
    json_t *value = NULL;
    bool found = false;
    const char *own = hm_json_get_str(states, task, NULL);
    if (own != NULL) { /* the usual case, without looking through all */
        if (!only_failed || hm_airflow_is_failed(own))
            hm_json_add(list, hm_airflow_item_new(task, own));
        return true;
    }
    json_object_foreach(hm_unconst(states), key, value)
    {
        if (!hm_airflow_is_of(key, task))
            continue;
        found = true;
        if (!only_failed || hm_airflow_is_failed(json_string_value(value)))
            hm_json_add(list, hm_airflow_item_new(key, json_string_value(value)));
    }
    return found;
}

/* The names of the items' tasks that are not in `seen` yet, as a new list; seen grows by them. */
static json_t *names_new(const json_t *list, json_t *seen)
{
    json_t *names = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *task = hm_json_get_str(json_array_get(list, i), "task", "");
        if (json_object_get(seen, task) != NULL)
            continue;
        hm_json_set_bool(seen, task, true);
        hm_json_add(names, hm_json_str_new(task));
    }
    return names;
}

static json_t *failed_of_new(const json_t *states, const json_t *tasks)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(tasks); i++)
        (void)add_instances(states, json_string_value(json_array_get(tasks, i)), true, list);
    return list;
}

/* The tasks of the argument `also`: those that the run has into `all`, those of them that are over into `over`, the ones that it
 * does not have into `missing`. What is under way or has not begun need not be cleared. */
static void add_also(const json_t *args, const json_t *states, json_t *all, json_t *over, json_t *missing)
{
    json_t *names = NULL;
    if (hm_airflow_names_new(NULL, hm_airflow_arg(args, "also"), &names, NULL) != HM_OK)
        return; /* request() has refused it */
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        json_t *own = hm_json_arr_new();
        if (!add_instances(states, name, false, own))
            hm_json_add(missing, hm_json_str_new(name));
        for (size_t k = 0; k < json_array_size(own); k++) {
            json_t *item = json_array_get(own, k);
            const char *state = hm_json_get_str(item, "state", "");
            hm_json_add(all, json_incref(item));
            if (!hm_airflow_is_active(state) && !hm_streq(state, "none"))
                hm_json_add(over, json_incref(item));
        }
        json_decref(own);
    }
    json_decref(names);
}

/* What is cleared together with a task, as words for a question: "Clear x, and …?" */
static json_t *behind_new(const json_t *names)
{
    enum { NAMES_MAX = 20, BYTES = NAMES_MAX * 260 + 100 };
    struct hm_strbuf text;
    size_t n = json_array_size(names);
    hm_strbuf_init(&text, BYTES);
    if (n == 0)
        hm_strbuf_adds(&text, "no other task");
    else if (n == 1)
        hm_strbuf_adds(&text, "the failed task behind it: ");
    else
        hm_strbuf_addf(&text, "the %zu failed tasks behind it: ", n);
    for (size_t i = 0; i < n && i < NAMES_MAX; i++)
        hm_strbuf_addf(&text, "%s%.250s", i > 0 ? ", " : "", json_string_value(json_array_get(names, i)));
    if (n > NAMES_MAX)
        hm_strbuf_addf(&text, " and %zu more", n - NAMES_MAX);
    json_t *behind = hm_json_str_new(hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return behind;
}

static enum hm_verdict make_result(const json_t *args, const json_t *cursor, json_t *states, struct hm_outcome *out)
{
    const char *task = hm_json_get_str(args, "task", "");
    json_t *order = hm_json_get_arr(cursor, "order"), *self = hm_json_arr_new();
    if (!add_instances(states, task, false, self)) {
        json_decref(self);
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "run %.200s has no task %.200s", hm_json_get_str(args, "run", ""),
                               task);
    }
    json_t *list = failed_of_new(states, order), *blocking = failed_of_new(states, hm_json_get_arr(cursor, "others"));
    json_t *also_list = hm_json_arr_new(), *also_over = hm_json_arr_new(), *missing = hm_json_arr_new();
    json_t *seen = hm_json_obj_new();
    add_also(args, states, also_list, also_over, missing);
    json_t *names = names_new(list, seen);
    json_t *also = names_new(also_over, seen); /* what stands in both stands only in the first */
    json_t *going = names_new(also_list, seen);
    json_t *touched = json_copy(names);
    (void)json_array_extend(touched, also);

    json_t *result = hm_json_obj_new();
    hm_json_set(result, "task", json_incref(json_array_get(self, 0)));
    hm_json_set_int(result, "count", (int64_t)json_array_size(names));
    hm_json_set(result, "list", list);
    hm_json_set(result, "names", names);
    hm_json_set(result, "behind", behind_new(names));
    hm_json_set(result, "also", also);
    hm_json_set(result, "also_list", also_list);
    hm_json_set(result, "going", going);
    hm_json_set(result, "missing", missing);
    hm_json_set(result, "touched", touched);
    hm_json_set(result, "blocking", names_new(blocking, seen));
    hm_json_set(result, "after", json_incref(order));
    hm_json_set_int(result, "after_count", (int64_t)json_array_size(order));
    hm_json_set(result, "states", json_incref(states));
    json_decref(blocking);
    json_decref(also_over);
    json_decref(seen);
    json_decref(self);
    out->result = result;
    return HM_VERDICT_OK;
}

static enum hm_verdict downstream_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *states = NULL;
    if (cursor == NULL)
        return graph_response(backend, args, answer, out);
    enum hm_verdict verdict = hm_airflow_states_response(backend, args, cursor, answer, &states, out);
    if (verdict == HM_VERDICT_OK)
        verdict = make_result(args, cursor, states, out);
    json_decref(states);
    return verdict;
}

static const struct hm_field_spec item_fields[] = {
    HM_AIRFLOW_ITEM_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec downstream_fields[] = {
    {"task", HM_FIELD_OBJECT, true, "the task itself", item_fields},
    {"list", HM_FIELD_LIST, true, "tasks after it that have failed or could not begin, in the order in which they run",
     item_fields},
    {"names", HM_FIELD_LIST, true, "their names", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many names", NULL},
    {"behind", HM_FIELD_TEXT, true, "the names as words for a question", NULL},
    {"also", HM_FIELD_LIST, true, "of `also`: what is over and not in that list", NULL},
    {"going", HM_FIELD_LIST, true, "of `also`: what is under way or has not begun", NULL},
    {"missing", HM_FIELD_LIST, true, "of `also`: what the run does not have", NULL},
    {"also_list", HM_FIELD_LIST, true, "of `also`: all that the run has", item_fields},
    {"touched", HM_FIELD_LIST, true, "names and also", NULL},
    {"blocking", HM_FIELD_LIST, true, "other failed tasks that hold up some of them as well", NULL},
    {"after", HM_FIELD_LIST, true, "all tasks after it", NULL},
    {"after_count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"states", HM_FIELD_OBJECT, true, "id: \"state try\" of the whole run", hm_fields_texts},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_downstream = {
    .name = "airflow.downstream",
    .title = "Find what a task holds up",
    .effect = HM_EFFECT_READ,
    .args = downstream_args,
    .result = downstream_fields,
    .request = downstream_request,
    .response = downstream_response,
};
