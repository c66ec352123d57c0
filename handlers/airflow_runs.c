/* Airflow's DAGs and their runs: read them, start one, end one.
 *
 * A run is started under an id that the recipe chooses, so that a second request can not start a second run: Airflow answers 409
 * then, and the run of that id tells by its conf whether it is ours. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/airflow.h"

enum { CONF_MAX = 16 * 1024, NAMES_TEXT_MAX = 400, LATEST = 25, PAGE = 100, PAGES_MAX = 10 };

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

static const struct hm_field_spec dag_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the DAG", NULL},
    {"paused", HM_FIELD_BOOL, true, "whether it is paused", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_dag = {
    .name = "airflow.dag",
    .title = "Read a DAG",
    .effect = HM_EFFECT_READ,
    .args = dag_args,
    .result = dag_fields,
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

/* The runs of a page, as items, into *ret_list (new); in *ret_total how many Airflow has of them on all pages. */
static enum hm_verdict read_list(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                 json_t **ret_list, int64_t *ret_total, struct hm_outcome *out)
{
    const char *dag = hm_airflow_dag_id(backend, args);
    char *thing = hm_xasprintf("DAG %.200s", dag);
    json_t *json = NULL, *list = hm_json_arr_new();
    enum hm_verdict verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
    const json_t *runs = hm_json_get_arr(json, "dag_runs");
    *ret_total = hm_json_get_int(json, "total_entries", -1);
    if (verdict == HM_VERDICT_OK && runs == NULL)
        verdict = hm_airflow_odd(out, "there is no list of runs");
    if (verdict == HM_VERDICT_OK && *ret_total < 0)
        verdict = hm_airflow_odd(out, "total_entries is no number");
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

/* states: NULL = any. The latest first; one that waits for its turn has no start_date, and is where the database puts it. */
static enum hm_code list_request(const struct hm_backend *backend, const json_t *args, const json_t *states, int64_t offset,
                                 struct hm_request *req, struct hm_err *err)
{
    static const struct hm_airflow_part below[] = {{"/dagRuns", NULL}, {NULL, NULL}};
    char number[24];
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
    (void)snprintf(number, sizeof number, "%d", json_array_size(states) > 0 ? (int)PAGE : (int)LATEST);
    hm_request_add_query(req, "limit", number);
    if (offset > 0) {
        (void)snprintf(number, sizeof number, "%" PRId64, offset);
        hm_request_add_query(req, "offset", number);
    }
    return HM_OK;
}

static enum hm_code runs_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    return list_request(backend, args, hm_json_get_arr(args, "states"), hm_json_get_int(cursor, "offset", 0), req, err);
}

static bool is_wanted(const json_t *states, const char *state)
{
    for (size_t i = 0; i < json_array_size(states); i++)
        if (hm_streq(json_string_value(json_array_get(states, i)), state))
            return true;
    return json_array_size(states) == 0;
}

static bool has_run(const json_t *list, const char *id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (hm_streq(hm_json_get_str(json_array_get(list, i), "id", NULL), id))
            return true;
    return false;
}

/* The page's runs after those of the pages before, each once. New reference. */
static json_t *gathered_new(const json_t *page, const json_t *cursor)
{
    const json_t *before = hm_json_get_arr(cursor, "list");
    json_t *list = before != NULL ? json_copy(hm_unconst(before)) : hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(page); i++) {
        json_t *item = json_array_get(page, i);
        if (!has_run(list, hm_json_get_str(item, "id", "")))
            hm_json_add(list, json_incref(item));
    }
    return list;
}

/* Of all those that were read the ones in one of the states, whatever the server made of its filter. */
static json_t *runs_result_new(const json_t *all, const json_t *states, int64_t total)
{
    json_t *result = hm_json_obj_new(), *list = hm_json_arr_new(), *names = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *item = json_array_get(all, i);
        if (!is_wanted(states, hm_json_get_str(item, "state", "")))
            continue;
        hm_json_add(names, hm_json_str_new(hm_json_get_str(item, "id", "")));
        hm_json_add(list, json_incref(item));
    }
    hm_json_set_int(result, "count", (int64_t)json_array_size(list));
    hm_json_set_int(result, "total", total);
    hm_json_set(result, "list", list);
    hm_json_set(result, "names", names);
    return result;
}

/* With states all of them are read: a run that is missing in the list would be thought not to be in them. Runs begin and end
 * while they are read, so what was seen is counted against what Airflow says that there are. */
static enum hm_verdict runs_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    const json_t *states = hm_json_get_arr(args, "states");
    int64_t total = 0, page = hm_json_get_int(cursor, "page", 1);
    json_t *all = NULL;
    enum hm_verdict verdict = read_list(backend, args, answer, &all, &total, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    int64_t had = (int64_t)json_array_size(all), read = hm_json_get_int(cursor, "offset", 0) + had;
    json_t *list = gathered_new(all, cursor);
    bool is_last = json_array_size(states) == 0 || read >= total || had == 0;
    json_decref(all);
    if (!is_last && page >= PAGES_MAX) {
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "%" PRId64 " runs are in these states, and a part of a list is not taken for the whole", total);
    } else if (!is_last) {
        out->cursor = hm_json_obj_new();
        hm_json_set_int(out->cursor, "offset", read);
        hm_json_set_int(out->cursor, "page", page + 1);
        hm_json_set(out->cursor, "list", json_incref(list));
        verdict = HM_VERDICT_MORE;
    } else if (json_array_size(states) > 0 && (int64_t)json_array_size(list) < total) {
        verdict =
            hm_outcome_fail(out, HM_VERDICT_RETRYABLE,
                            "Airflow counts %" PRId64 " runs in these states and showed %zu: they change while they are read",
                            total, json_array_size(list));
    } else {
        out->result = runs_result_new(list, states, total);
    }
    json_decref(list);
    return verdict;
}

static const struct hm_field_spec run_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the run's id", NULL},
    {"dag", HM_FIELD_TEXT, true, "its DAG", NULL},
    {"state", HM_FIELD_TEXT, true, "queued, running, success or failed", NULL},
    {"going", HM_FIELD_BOOL, true, "whether it is queued or running", NULL},
    {"type", HM_FIELD_TEXT, false, "scheduled, manual …", NULL},
    {"date", HM_FIELD_TEXT, false, "the logical date: yesterday, for today's scheduled run", NULL},
    {"start", HM_FIELD_TEXT, false, "when it began", NULL},
    {"end", HM_FIELD_TEXT, false, "when it ended", NULL},
    {"conf", HM_FIELD_OBJECT, true, "what it was triggered with", hm_fields_open},
    {"link", HM_FIELD_TEXT, true, "its page in Airflow", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec runs_fields[] = {
    {"list", HM_FIELD_LIST, true, "the latest first", run_fields},
    {"names", HM_FIELD_LIST, true, "their ids", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many are in the list", NULL},
    {"total", HM_FIELD_NUMBER, true, "how many Airflow has", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_runs = {
    .name = "airflow.runs",
    .title = "List the latest runs of a DAG",
    .doc = "The 25 that began last; with `states` all that are in one of them, and more than 1000 are an error.",
    .effect = HM_EFFECT_READ,
    .args = runs_args,
    .result = runs_fields,
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
    if (below[0].value != NULL)
        return hm_airflow_begin(backend, args, "GET", below, req, err);
    json_t *going = cursor != NULL ? json_pack("[s, s]", "running", "queued") : NULL;
    enum hm_code code = list_request(backend, args, going, 0, req, err);
    json_decref(going);
    return code;
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

/* Two that are going at once use the same job names; which one is meant only a person can say. list: all that are going are in
 * it. latest: what is meant when none is; NULL = there is none at all. */
static enum hm_verdict pick_run(const struct hm_backend *backend, const json_t *args, const json_t *list, json_t *latest,
                                struct hm_outcome *out)
{
    struct hm_strbuf names;
    const char *dag = hm_airflow_dag_id(backend, args);
    json_t *found = latest;
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
    else if (found == NULL)
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "DAG %.200s has no runs", dag);
    else
        out->result = json_incref(found);
    hm_strbuf_done(&names);
    return verdict;
}

/* The latest runs, and, when there are more than those, all that are going: one of them may have waited for long, or begun long
 * ago. */
static enum hm_verdict run_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *list = NULL;
    int64_t total = 0;
    if (hm_airflow_arg(args, "run") != NULL)
        return one_run(backend, args, answer, out);
    enum hm_verdict verdict = read_list(backend, args, answer, &list, &total, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *latest = cursor != NULL ? hm_json_get_obj(cursor, "latest") : json_array_get(list, 0);
    bool whole = (int64_t)json_array_size(list) >= total;
    if (whole) {
        verdict = pick_run(backend, args, list, latest, out);
    } else if (latest == NULL) {
        verdict = hm_airflow_odd(out, "it counts runs and shows none");
    } else if (cursor != NULL) {
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%" PRId64 " runs of DAG %.100s are going: say which one", total,
                                  hm_airflow_dag_id(backend, args));
    } else {
        out->cursor = hm_json_obj_new();
        hm_json_set(out->cursor, "latest", json_incref(latest));
        verdict = HM_VERDICT_MORE;
    }
    json_decref(list);
    return verdict;
}

const struct hm_action hm_airflow_run = {
    .name = "airflow.run",
    .title = "Read a run of a DAG",
    .doc = "Without an id: the run that is going, else the latest; two that are going are refused.",
    .effect = HM_EFFECT_READ,
    .args = run_args,
    .result = run_fields,
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
           "already, or the answer is lost, the run of that id is read; with the same conf it is taken for this one.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = trigger_args,
    .result = run_fields,
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

static const struct hm_field_spec set_run_state_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the run's id", NULL},
    {"state", HM_FIELD_TEXT, true, "as asked for", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_set_run_state = {
    .name = "airflow.set-run-state",
    .title = "End a run",
    .doc = "Sets the state of a whole run. Failed: what was running is marked failed, and nothing more of it is started; the "
           "jobs themselves must be killed where they run.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = set_args,
    .result = set_run_state_fields,
    .request = set_request,
    .response = set_response,
    .probe_action = "airflow.run",
    .probe_args = run_probe_args,
    .probe_judge = set_probe_judge,
};
