/* Airflow's DAGs and their runs: read them, start one, end one.
 *
 * A run is started under an id that the recipe chooses, so that a second request can not start a second run: Airflow answers 409
 * then, and the run of that id tells by its conf whether it is ours. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/airflow.h"

enum { CONF_MAX = 16 * 1024, NAMES_TEXT_MAX = 400 };

static const char *const run_states[] = {"queued", "running", "success", "failed", NULL};

static bool is_run_state(const char *word)
{
    for (size_t i = 0; run_states[i] != NULL; i++)
        if (hm_streq(word, run_states[i]))
            return true;
    return false;
}

/* --- airflow.dag ------------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec dag_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code dag_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return hm_airflow_begin(backend, args, "GET", NULL, req, err);
}

static enum hm_verdict dag_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args);
    char *thing = hm_xasprintf("DAG %.200s", dag);
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
    if (verdict == HM_VERDICT_OK &&
        (!hm_streq(hm_json_get_str(json, "dag_id", ""), dag) || !json_is_boolean(json_object_get(json, "is_paused"))))
        verdict = hm_airflow_odd(out, "it is not the DAG that was asked for, or is_paused is missing");
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "id", dag);
        hm_json_set_bool(out->result, "paused", hm_json_get_bool(json, "is_paused", false));
    }
    json_decref(json);
    free(thing);
    return verdict;
}

const struct hm_action hm_airflow_dag = {
    .name = "airflow.dag",
    .title = "Read a DAG",
    .doc = "Result: {id, paused}.",
    .effect = HM_EFFECT_READ,
    .args = dag_args,
    .request = dag_request,
    .response = dag_response,
};

/* --- a run as Airflow shows it --------------------------------------------------------------------------------------------- */

/* A new result, or NULL when it is no run of this DAG. */
static json_t *run_item_new(const struct hm_backend *backend, const char *dag, const json_t *run)
{
    const char *id = hm_json_get_str(run, "dag_run_id", ""), *state = hm_json_get_str(run, "state", "");
    const json_t *conf = json_object_get(run, "conf");
    if (id[0] == '\0' || !is_run_state(state) || !hm_streq(hm_json_get_str(run, "dag_id", dag), dag))
        return NULL;
    json_t *item = hm_json_obj_new();
    char *link = hm_airflow_link(backend, dag, id, NULL);
    hm_json_set_str(item, "id", id);
    hm_json_set_str(item, "dag", dag);
    hm_json_set_str(item, "state", state);
    hm_json_set_bool(item, "going", hm_streq(state, "running") || hm_streq(state, "queued"));
    hm_json_set_str(item, "type", hm_json_get_str(run, "run_type", NULL));
    hm_json_set_str(item, "date", hm_json_get_str(run, "logical_date", hm_json_get_str(run, "execution_date", NULL)));
    hm_json_set_str(item, "start", hm_json_get_str(run, "start_date", NULL));
    hm_json_set_str(item, "end", hm_json_get_str(run, "end_date", NULL));
    hm_json_set(item, "conf", json_is_object(conf) ? json_deep_copy(conf) : hm_json_obj_new());
    hm_json_set_str(item, "link", link);
    free(link);
    return item;
}

/* The runs of a page, as items, into *ret_list (new). */
static enum hm_verdict read_list(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                 json_t **ret_list, struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args);
    char *thing = hm_xasprintf("DAG %.200s", dag);
    json_t *json = NULL, *list = hm_json_arr_new();
    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
    const json_t *runs = hm_json_get_arr(json, "dag_runs");
    if (verdict == HM_VERDICT_OK && runs == NULL)
        verdict = hm_airflow_odd(out, "there is no list of runs");
    for (size_t i = 0; verdict == HM_VERDICT_OK && i < json_array_size(runs); i++) {
        json_t *item = run_item_new(backend, dag, json_array_get(runs, i));
        if (item == NULL)
            verdict = hm_airflow_odd(out, "a run has no id, a state that is not known, or is of another DAG");
        else
            hm_json_add(list, item);
    }
    json_decref(json);
    free(thing);
    if (verdict == HM_VERDICT_OK)
        *ret_list = list;
    else
        json_decref(list);
    return verdict;
}

/* --- airflow.runs ----------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec runs_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"states", HM_ARG_LIST, false, "only runs in one of these states: queued, running, success, failed"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code list_request(const struct hm_backend *backend, const json_t *args, struct hm_request *req, struct hm_err *err)
{
    static const struct hm_airflow_part below[] = {{"/dagRuns", NULL}, {NULL, NULL}};
    const json_t *states = hm_json_get_arr(args, "states");
    for (size_t i = 0; i < json_array_size(states); i++) {
        const char *state = json_string_value(json_array_get(states, i));
        if (state == NULL || !is_run_state(state))
            return hm_err_set(err, HM_EINVAL, "states: \"%.40s\" is no state of a run", state != NULL ? state : "(no text)");
    }
    enum hm_code code = hm_airflow_begin(backend, args, "GET", below, req, err);
    if (code != HM_OK)
        return code;
    for (size_t i = 0; i < json_array_size(states); i++)
        hm_request_add_query(req, "state", json_string_value(json_array_get(states, i)));
    hm_request_add_query(req, "order_by", "-start_date");
    hm_request_add_query(req, "limit", "25");
    return HM_OK;
}

static enum hm_code runs_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return list_request(backend, args, req, err);
}

static bool is_wanted(const json_t *states, const char *state)
{
    for (size_t i = 0; i < json_array_size(states); i++)
        if (hm_streq(json_string_value(json_array_get(states, i)), state))
            return true;
    return states == NULL;
}

static enum hm_verdict runs_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *all = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_list(backend, args, answer, &all, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *list = hm_json_arr_new(), *names = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *item = json_array_get(all, i);
        if (!is_wanted(hm_json_get_arr(args, "states"), hm_json_get_str(item, "state", "")))
            continue;
        hm_json_add(names, hm_json_str_new(hm_json_get_str(item, "id", "")));
        hm_json_add(list, json_incref(item));
    }
    json_decref(all);
    out->result = hm_json_obj_new();
    hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
    hm_json_set(out->result, "list", list);
    hm_json_set(out->result, "names", names);
    return HM_VERDICT_OK;
}

const struct hm_action hm_airflow_runs = {
    .name = "airflow.runs",
    .title = "List the latest runs of a DAG",
    .doc = "The 25 that began last. Result: {list: [{id, dag, state, going, type, date, start, end, conf, link}], names, count}.",
    .effect = HM_EFFECT_READ,
    .args = runs_args,
    .request = runs_request,
    .response = runs_response,
};

/* --- airflow.run ------------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec run_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, false, "the run's id; without it the one that is running, or else the latest"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code run_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    const struct hm_airflow_part below[] = {{"/dagRuns/", hm_airflow_arg(args, "run")}, {NULL, NULL}};
    (void)cursor;
    if (below[0].value == NULL)
        return list_request(backend, args, req, err);
    return hm_airflow_begin(backend, args, "GET", below, req, err);
}

static enum hm_verdict one_run(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                               struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args), *id = hm_airflow_arg(args, "run");
    char *thing = hm_xasprintf("run %.200s of DAG %.200s", id, dag);
    json_t *json = NULL;
    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        json_t *item = run_item_new(backend, dag, json);
        if (item != NULL && hm_streq(hm_json_get_str(item, "id", ""), id))
            out->result = json_incref(item);
        else
            verdict = hm_airflow_odd(out, "it is not the run that was asked for");
        json_decref(item);
    }
    json_decref(json);
    free(thing);
    return verdict;
}

/* Two that are going at once use the same job names; which one is meant only a person can say. */
static enum hm_verdict pick_run(const struct hm_backend *backend, const json_t *args, const json_t *list, struct hm_outcome *out)
{
    struct hm_strbuf names;
    const char *dag = hm_airflow_dag_id(backend, args);
    json_t *found = NULL;
    size_t n = 0;

    hm_strbuf_init(&names, NAMES_TEXT_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (!hm_json_get_bool(item, "going", false))
            continue;
        hm_strbuf_addf(&names, "%s%s", n > 0 ? ", " : "", hm_json_get_str(item, "id", ""));
        found = item;
        n++;
    }
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (n > 1)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%zu runs of DAG %.100s are going (%s): say which one", n, dag,
                                  hm_strbuf_str(&names));
    else if (json_array_size(list) == 0)
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "DAG %.200s has no runs", dag);
    else
        out->result = json_incref(n == 1 ? found : json_array_get(list, 0));
    hm_strbuf_done(&names);
    return verdict;
}

static enum hm_verdict run_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *list = NULL;
    (void)cursor;
    if (hm_airflow_arg(args, "run") != NULL)
        return one_run(backend, args, answer, out);
    enum hm_verdict verdict = read_list(backend, args, answer, &list, out);
    if (verdict == HM_VERDICT_OK)
        verdict = pick_run(backend, args, list, out);
    json_decref(list);
    return verdict;
}

const struct hm_action hm_airflow_run = {
    .name = "airflow.run",
    .title = "Read a run of a DAG",
    .doc =
        "Result: {id, dag, state, going, type (scheduled, manual …), date (the logical date: yesterday, for today's scheduled "
        "run), start, end, conf, link}. Without an id: the run that is going, else the latest; two that are going are refused.",
    .effect = HM_EFFECT_READ,
    .args = run_args,
    .request = run_request,
    .response = run_response,
};

/* --- airflow.trigger -------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec trigger_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the id that the new run gets, like hausmeister__${run.id}"},
    {"conf", HM_ARG_OBJECT, false, "the run's configuration"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code trigger_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    static const struct hm_airflow_part below[] = {{"/dagRuns", NULL}, {NULL, NULL}};
    const char *run = hm_json_get_str(args, "run", "");
    const json_t *conf = hm_json_get_obj(args, "conf");
    (void)cursor;

    if (!hm_airflow_id_ok(run))
        return hm_err_set(err, HM_EINVAL, "run: \"%.80s\" is not an id for a run", run);
    if (hm_starts_with(run, "scheduled__") || hm_starts_with(run, "backfill__"))
        return hm_err_set(err, HM_EINVAL, "run: an id that begins like \"%.12s\" belongs to Airflow's own runs", run);
    char *text = conf != NULL ? hm_json_text(conf) : NULL;
    size_t len = text != NULL ? strlen(text) : 0;
    free(text);
    if (len > CONF_MAX)
        return hm_err_set(err, HM_EINVAL, "conf: %zu bytes are more than the %d allowed", len, (int)CONF_MAX);
    enum hm_code code = hm_airflow_begin(backend, args, "POST", below, req, err);
    if (code != HM_OK)
        return code;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "dag_run_id", run);
    hm_json_set(body, "conf", conf != NULL ? json_deep_copy(conf) : hm_json_obj_new());
    if (hm_airflow_is_v2(backend)) /* 3.0 wants the key, although its value may be null */
        hm_json_set(body, "logical_date", json_null());
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_verdict trigger_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args), *run = hm_json_get_str(args, "run", "");
    char *thing = hm_xasprintf("DAG %.200s", dag);
    json_t *json = NULL;
    enum hm_verdict verdict = HM_VERDICT_MAYBE;
    (void)cursor;

    if (answer->status == 409) {
        /* A run of that id is there (or, to Airflow 2, one of the same moment). Whether it is ours, the probe finds out. */
        (void)hm_outcome_fail(
            out, verdict, "Airflow has a run %.200s of DAG %.200s already (HTTP 409), perhaps from this very request", run, dag);
        free(thing);
        return verdict;
    }
    verdict = hm_airflow_read(backend, thing, true, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        json_t *item = run_item_new(backend, dag, json);
        if (item != NULL && hm_streq(hm_json_get_str(item, "id", ""), run))
            out->result = json_incref(item);
        else
            verdict =
                hm_outcome_fail(out, HM_VERDICT_MAYBE,
                                "Airflow took the request, but its answer does not show run %.200s; it may have begun", run);
        json_decref(item);
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static enum hm_code run_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    if (hm_airflow_arg(args, "dag") != NULL)
        hm_json_set_str(*ret_args, "dag", hm_airflow_arg(args, "dag"));
    hm_json_set_str(*ret_args, "run", hm_json_get_str(args, "run", ""));
    return HM_OK;
}

/* The same id and the same conf: it is this request's run. Another conf: somebody else's, and a person must look. */
static enum hm_probe_says trigger_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    const json_t *conf = hm_json_get_obj(args, "conf"), *found = hm_json_get_obj(result, "conf");
    if (verdict == HM_VERDICT_NOT_FOUND)
        return HM_PROBE_NOT_APPLIED;
    if (verdict != HM_VERDICT_OK || !hm_streq(hm_json_get_str(result, "id", ""), hm_json_get_str(args, "run", "?")))
        return HM_PROBE_CANNOT_TELL;
    bool same = conf != NULL ? json_equal(conf, found) : json_object_size(found) == 0;
    return same ? HM_PROBE_APPLIED : HM_PROBE_CANNOT_TELL;
}

const struct hm_action hm_airflow_trigger = {
    .name = "airflow.trigger",
    .title = "Start a new run of a DAG",
    .doc = "Under an id that the recipe chooses: a second request with it starts no second run. When Airflow has that id "
           "already, or "
           "the answer is lost, the run of that id is read; with the same conf it is taken for this one. Result: as airflow.run.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = trigger_args,
    .request = trigger_request,
    .response = trigger_response,
    .probe_action = "airflow.run",
    .probe_args = run_probe_args,
    .probe_judge = trigger_probe_judge,
};

/* --- airflow.set-run-state -------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec set_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"state", HM_ARG_STRING, true, "success or failed"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code set_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    const struct hm_airflow_part below[] = {{"/dagRuns/", hm_json_get_str(args, "run", "")}, {NULL, NULL}};
    const char *state = hm_json_get_str(args, "state", "");
    (void)cursor;
    if (!hm_streq(state, "success") && !hm_streq(state, "failed"))
        return hm_err_set(err, HM_EINVAL, "state: it must be success or failed, not \"%.40s\"", state);
    enum hm_code code = hm_airflow_begin(backend, args, "PATCH", below, req, err);
    if (code != HM_OK)
        return code;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "state", state);
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_verdict set_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args), *run = hm_json_get_str(args, "run", "");
    char *thing = hm_xasprintf("run %.200s of DAG %.200s", run, dag);
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_airflow_read(backend, thing, true, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "id", run);
        hm_json_set_str(out->result, "state", hm_json_get_str(args, "state", ""));
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static enum hm_probe_says set_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    if (verdict != HM_VERDICT_OK || !hm_streq(hm_json_get_str(result, "id", ""), hm_json_get_str(args, "run", "?")))
        return HM_PROBE_CANNOT_TELL;
    return hm_streq(hm_json_get_str(result, "state", ""), hm_json_get_str(args, "state", "?")) ? HM_PROBE_APPLIED
                                                                                               : HM_PROBE_NOT_APPLIED;
}

const struct hm_action hm_airflow_set_run_state = {
    .name = "airflow.set-run-state",
    .title = "End a run",
    .doc =
        "Sets the state of a whole run. Failed: what was running is marked failed, and nothing more of it is started; the jobs "
        "themselves must be killed where they run. Result: {id, state}.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = set_args,
    .request = set_request,
    .response = set_response,
    .probe_action = "airflow.run",
    .probe_args = run_probe_args,
    .probe_judge = set_probe_judge,
};
