/* BigQuery's actions: see bigquery.h. All are reads. The names of tables and columns of the house are settings, because the
 * cookbook gives few of them. */
#include "handlers/bigquery.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/successors.h"

enum { SHOWN = 10, TEXT_MAX = 1500 };

/* --- bigquery.query --------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec query_args[] = {
    {"sql", HM_ARG_STRING, true, "one query in standard SQL; values as @name"},
    {"params", HM_ARG_OBJECT, false, "the values: texts, whole numbers, bools, lists of texts"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code query_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    return hm_bq_request(backend, hm_json_get_str(args, "sql", ""), hm_json_get_obj(args, "params"), cursor, req, err);
}

/* "column value, column value", a row a line; caller frees. */
static char *rows_text(const json_t *rows)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < json_array_size(rows) && i < SHOWN; i++) {
        const char *column = NULL;
        json_t *value = NULL;
        const char *before = i > 0 ? "\n" : "";
        json_object_foreach(json_array_get(rows, i), column, value)
        {
            char *shown =
                json_is_string(value) ? hm_xstrdup(json_string_value(value)) : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            hm_strbuf_addf(&text, "%s%s %s", before, column, shown != NULL ? shown : "?");
            free(shown);
            before = ", ";
        }
    }
    if (json_array_size(rows) > SHOWN)
        hm_strbuf_addf(&text, "\n… and %zu more", json_array_size(rows) - SHOWN);
    return hm_strbuf_take(&text);
}

static void give_rows(json_t *stolen_rows, struct hm_outcome *out)
{
    char *text = rows_text(stolen_rows);
    out->result = hm_json_obj_new();
    hm_json_set_int(out->result, "count", (int64_t)json_array_size(stolen_rows));
    json_t *first = json_array_get(stolen_rows, 0);
    hm_json_set(out->result, "first", first != NULL ? json_incref(first) : json_null());
    hm_json_set_str(out->result, "text", text);
    hm_json_set(out->result, "list", stolen_rows);
    free(text);
}

static enum hm_verdict query_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *rows = NULL;
    (void)args;
    enum hm_verdict verdict = hm_bq_response(backend, cursor, answer, &rows, out);
    if (verdict == HM_VERDICT_OK)
        give_rows(rows, out);
    return verdict;
}

static const struct hm_field_spec query_fields[] = {
    {"list", HM_FIELD_LIST, true, "the rows, a field for each column", hm_fields_open},
    {"count", HM_FIELD_NUMBER, true, "how many rows", NULL},
    {"first", HM_FIELD_OBJECT, false, "the list's first", hm_fields_open},
    {"text", HM_FIELD_TEXT, true, "the first ten, one a line", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action bigquery_query = {
    .name = "bigquery.query",
    .title = "Ask BigQuery",
    .doc = "At most 5,000 rows.",
    .effect = HM_EFFECT_READ,
    .args = query_args,
    .result = query_fields,
    .request = query_request,
    .response = query_response,
};

/* --- bigquery.successors ---------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec successors_args[] = {
    {"name", HM_ARG_STRING, true, "the dataset's or model's name, such as policy/brando-risk-curve-v5"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code successors_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    const char *name = hm_json_get_str(args, "name", "");
    const char *table = hm_json_get_str(backend->settings, "spark_ops_table", "dataset.spark_ops");
    if (!hm_op_name_ok(name))
        return hm_err_set(err, HM_EINVAL, "name: \"%.60s\" is not a name like dataset/x or policy/y", name);
    if (table[0] == '\0' || table[strspn(table, allowed)] != '\0') /* it becomes part of the SQL */
        return hm_err_set(err, HM_EENV, "backend %s: spark_ops_table \"%.60s\" is not the name of a table", backend->name, table);
    json_t *params = hm_json_obj_new();
    char *sql = hm_xasprintf("select name, successors from `%s` where name = @name", table);
    hm_json_set_str(params, "name", name);
    enum hm_code code = hm_bq_request(backend, sql, params, cursor, req, err);
    free(sql);
    json_decref(params);
    return code;
}

/* A list, or a text that holds one as JSON: what the column is, is not documented. NULL when it is neither. */
static json_t *names_new(const json_t *value)
{
    if (json_is_array(value))
        return json_incref(hm_unconst(value));
    const char *text = json_string_value(value);
    json_t *list = text != NULL ? hm_json_parse_new(text, strlen(text), strlen(text), NULL) : NULL;
    if (json_is_array(list))
        return list;
    json_decref(list);
    return NULL;
}

static enum hm_verdict successors_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *name = hm_json_get_str(args, "name", "");
    json_t *rows = NULL, *names = NULL;
    enum hm_verdict verdict = hm_bq_response(backend, cursor, answer, &rows, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    if (json_array_size(rows) == 0)
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "BigQuery's table of ops has no \"%.120s\": check the name", name);
    else if (json_array_size(rows) > 1)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "BigQuery's table of ops has \"%.120s\" %zu times", name,
                                  json_array_size(rows));
    else if ((names = names_new(json_object_get(json_array_get(rows, 0), "successors"))) == NULL)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "BigQuery's answer is not as expected: successors is no list");
    else if ((out->result = hm_successors_result_new(name, names)) == NULL)
        verdict =
            hm_outcome_fail(out, HM_VERDICT_PERMANENT, "BigQuery's answer is not as expected: one of the successors is no name");
    json_decref(names);
    json_decref(rows);
    return verdict;
}

static const struct hm_field_spec successors_fields[] = {
    HM_SUCCESSORS_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action bigquery_successors = {
    .name = "bigquery.successors",
    .title = "Ask BigQuery what depends on a dataset",
    .doc = "From the table of ops, which is of the last graph that was exported. No such name is not-found.",
    .effect = HM_EFFECT_READ,
    .args = successors_args,
    .result = successors_fields,
    .request = successors_request,
    .response = successors_response,
};

/* --- bigquery.loads -----------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec loads_args[] = {
    {"dataset", HM_ARG_STRING, true, "the dataset's name"},
    {"day", HM_ARG_STRING, true, "the day, as 2026-11-28"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static bool is_day(const char *text)
{
    static const char pattern[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof pattern; i++)
        if (pattern[i] == 'd' ? strchr("0123456789", text[i]) == NULL || text[i] == '\0' : text[i] != pattern[i])
            return false;
    return true;
}

static enum hm_code loads_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    const char *sql = hm_json_get_str(backend->settings, "loads_query", "");
    const char *dataset = hm_json_get_str(args, "dataset", ""), *day = hm_json_get_str(args, "day", "");
    if (sql[0] == '\0')
        return hm_err_set(
            err, HM_EENV,
            "backend %s has no setting loads_query: a query of meta.itaipu_loads with @dataset and @day, by the columns "
            "that the table has",
            backend->name);
    if (!hm_op_name_ok(dataset))
        return hm_err_set(err, HM_EINVAL, "dataset: \"%.60s\" is not a name like dataset/x", dataset);
    if (!is_day(day))
        return hm_err_set(err, HM_EINVAL, "day: \"%.40s\" is not a day like 2026-11-28", day);
    json_t *params = hm_json_obj_new();
    hm_json_set_str(params, "dataset", dataset);
    if (strstr(sql, "@day") != NULL)
        hm_json_set_str(params, "day", day);
    enum hm_code code = hm_bq_request(backend, sql, params, cursor, req, err);
    json_decref(params);
    return code;
}

static const struct hm_action bigquery_loads = {
    .name = "bigquery.loads",
    .title = "Look up the loads of a dataset",
    .doc = "By the backend's setting loads_query.",
    .effect = HM_EFFECT_READ,
    .args = loads_args,
    .result = query_fields,
    .request = loads_request,
    .response = query_response,
};

static const struct hm_action *const actions[] = {&bigquery_query, &bigquery_successors, &bigquery_loads, NULL};

/* project: who pays (required). location: where the data is, needed outside the US and the EU. spark_ops_table, loads_query:
 * names of the house. max_bytes_billed: a query that would read more is refused. */
static const char *const settings[] = {"project", "location", "spark_ops_table", "loads_query", "max_bytes_billed", NULL};

const struct hm_handler hm_bigquery_handler = {
    .name = "bigquery",
    .title = "BigQuery: the warehouse",
    .actions = actions,
    .settings = settings,
};
