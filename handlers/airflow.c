/* Airflow: the table of its actions, the settings of a backend, and what all of them need: addresses, ids, answers. */
#include "handlers/airflow.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { ID_MAX = 250, PATH_MAX_BYTES = 4096, NAMES_MAX = 500 };

static const struct hm_action *const actions[] = {
    &hm_airflow_dag,
    &hm_airflow_run,
    &hm_airflow_runs,
    &hm_airflow_task,
    &hm_airflow_tasks,
    &hm_airflow_downstream,
    &hm_airflow_compare,
    &hm_airflow_log,
    &hm_airflow_set_state,
    &hm_airflow_clear,
    &hm_airflow_set_run_state,
    &hm_airflow_trigger,
    NULL,
};

/* api: "v1" (Airflow 2, from 2.5; the default) or "v2" (Airflow 3). dag: the DAG that is meant when none is named. */
static const char *const settings[] = {"api", "dag", NULL};
static const struct hm_setting_words setting_words[] = {{"api", {"v1", "v2", NULL}}, {NULL, {NULL}}};

const struct hm_handler hm_airflow_handler = {
    .name = "airflow",
    .title = "Airflow: DAGs, their runs and tasks",
    .actions = actions,
    .settings = settings,
    .words = setting_words,
};

const char *hm_airflow_arg(const json_t *args, const char *name)
{
    const char *value = hm_json_get_str(args, name, "");
    return value[0] != '\0' ? value : NULL;
}

const char *hm_airflow_dag_id(const struct hm_backend *backend, const json_t *args)
{
    const char *dag = hm_airflow_arg(args, "dag");
    return dag != NULL ? dag : hm_json_get_str(backend->settings, "dag", "");
}

bool hm_airflow_is_v2(const struct hm_backend *backend)
{
    return hm_streq(hm_json_get_str(backend->settings, "api", "v1"), "v2");
}

/* Airflow allows letters of all scripts; the house's ids are ASCII, and what looks like another letter is better refused. */
bool hm_airflow_id_ok(const char *id)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:+-~@=";
    return id[0] != '\0' && strchr(first, id[0]) != NULL && id[strspn(id, rest)] == '\0' && strlen(id) <= ID_MAX;
}

enum hm_code hm_airflow_names_new(const json_t *list, const char *words, json_t **ret_names, struct hm_err *err)
{
    json_t *names = hm_json_arr_new(), *seen = hm_json_obj_new(), *all = hm_json_arr_new();
    enum hm_code code = HM_OK;

    for (size_t i = 0; i < json_array_size(list); i++)
        hm_json_add(all, json_incref(json_array_get(list, i)));
    for (const char *at = words != NULL ? words + strspn(words, ", ") : ""; *at != '\0';) {
        size_t len = strcspn(at, ", ");
        hm_json_add(all, hm_json_strn_new(at, len));
        at += len;
        at += strspn(at, ", ");
    }
    for (size_t i = 0; code == HM_OK && i < json_array_size(all); i++) {
        const char *name = json_string_value(json_array_get(all, i));
        if (name == NULL || !hm_airflow_id_ok(name)) {
            code = hm_err_set(err, HM_EINVAL, "\"%.80s\" is not a task's id", name != NULL ? name : "(no text)");
        } else if (json_object_get(seen, name) == NULL) {
            hm_json_set_bool(seen, name, true);
            hm_json_add(names, hm_json_str_new(name));
        }
    }
    if (code == HM_OK && json_array_size(names) > NAMES_MAX)
        code = hm_err_set(err, HM_EINVAL, "%zu tasks are more than the %d that one request may name", json_array_size(names),
                          (int)NAMES_MAX);
    json_decref(all);
    json_decref(seen);
    if (code == HM_OK)
        *ret_names = names;
    else
        json_decref(names);
    return code;
}

enum hm_code hm_airflow_begin(const struct hm_backend *backend, const json_t *args, const char *method,
                              const struct hm_airflow_part *below, struct hm_request *req, struct hm_err *err)
{
    const char *api = hm_json_get_str(backend->settings, "api", "v1");
    const char *dag = hm_airflow_dag_id(backend, args);
    struct hm_strbuf path;

    if (!hm_streq(api, "v1") && !hm_streq(api, "v2"))
        return hm_err_set(err, HM_EENV, "backend %s: api must be \"v1\" (Airflow 2) or \"v2\" (Airflow 3), not \"%.40s\"",
                          backend->name, api);
    if (dag[0] == '\0')
        return hm_err_set(err, HM_EINVAL, "dag: which DAG? Give it, or name one in the settings of backend %s", backend->name);
    if (!hm_airflow_id_ok(dag))
        return hm_err_set(err, HM_EINVAL, "dag: \"%.80s\" is not the id of one DAG", dag);
    hm_strbuf_init(&path, PATH_MAX_BYTES);
    char *encoded = hm_url_encode(dag);
    hm_strbuf_addf(&path, "/api/%s/dags/%s", api, encoded);
    free(encoded);
    for (; below != NULL && below->literal != NULL; below++) {
        hm_strbuf_adds(&path, below->literal);
        if (below->value == NULL)
            continue;
        if (!hm_airflow_id_ok(below->value)) {
            hm_strbuf_done(&path);
            return hm_err_set(err, HM_EINVAL, "\"%.80s\" is not the id of one run or task", below->value);
        }
        encoded = hm_url_encode(below->value);
        hm_strbuf_adds(&path, encoded);
        free(encoded);
    }
    hm_request_begin(req, backend, method, "%s", hm_strbuf_str(&path));
    hm_request_add_header(req, "Accept", "application/json");
    hm_strbuf_done(&path);
    return HM_OK;
}

/* Airflow 3 says so itself when it is asked under /api/v1; Airflow 2 has a web page for what it does not know, and FastAPI's
 * "Not Found" is that of an address, as things have sentences of their own. */
static bool is_no_address(const struct hm_answer *answer)
{
    if (hm_http_is_page(answer))
        return true;
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const char *error = hm_json_get_str(json, "error", ""), *detail = hm_json_get_str(json, "detail", "");
    bool is = strstr(error, "has been removed in Airflow 3") != NULL || strstr(error, "API route not found") != NULL ||
              hm_streq(detail, "Not Found");
    json_decref(json);
    return is;
}

enum hm_verdict hm_airflow_read(const struct hm_backend *backend, const char *thing, bool write, const struct hm_answer *answer,
                                json_t **ret_json, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Airflow", .thing = thing, .write = write};
    *ret_json = NULL;
    if (answer->status == 404 && is_no_address(answer))
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "Airflow has nothing at this address (HTTP 404): check `url` of backend %s, and whether its `api` "
                               "should be \"%s\"; nothing was done",
                               backend->name, hm_airflow_is_v2(backend) ? "v1" : "v2");
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, ret_json, out);
    if (verdict == HM_VERDICT_OK && !json_is_object(*ret_json)) {
        json_decref(*ret_json);
        *ret_json = NULL;
        return hm_outcome_fail(out, write ? HM_VERDICT_MAYBE : HM_VERDICT_PERMANENT,
                               "Airflow's answer is not as expected: it is no object%s",
                               write ? "; it may have happened or not" : "");
    }
    return verdict;
}

enum hm_verdict hm_airflow_odd(struct hm_outcome *out, const char *what)
{
    return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Airflow's answer is not as expected: %s", what);
}

/* Percent-encoded, and the underscore too: two of them would be taken for formatting where the link is shown. */
static char *encode_for_link(const char *id)
{
    struct hm_strbuf out;
    char *encoded = hm_url_encode(id);
    hm_strbuf_init(&out, PATH_MAX_BYTES);
    for (const char *c = encoded; *c != '\0'; c++)
        hm_strbuf_add(&out, *c == '_' ? "%5F" : c, *c == '_' ? 3 : 1);
    free(encoded);
    return hm_strbuf_take(&out);
}

char *hm_airflow_link(const struct hm_backend *backend, const char *dag, const char *run, const char *task)
{
    char *d = encode_for_link(dag), *r = encode_for_link(run), *t = encode_for_link(task != NULL ? task : "");
    char *link = NULL;
    if (hm_airflow_is_v2(backend))
        link = hm_xasprintf("%s/dags/%s/runs/%s%s%s", backend->url, d, r, task != NULL ? "/tasks/" : "", t);
    else
        link = hm_xasprintf("%s/dags/%s/grid?dag_run_id=%s%s%s", backend->url, d, r, task != NULL ? "&task_id=" : "", t);
    free(d);
    free(r);
    free(t);
    return link;
}
