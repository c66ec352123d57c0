/* One BigQuery query: jobs.query, and getQueryResults for what is not complete yet and for further pages.
 *
 * Happy path: POST …/queries → rows, or jobComplete: false → GET …/queries/{job} until it is true → a page → … → all rows. Values
 * go in as named parameters and never into the SQL. Failure modes: BigQuery's reasons (rateLimitExceeded may be tried again,
 * invalidQuery may not), too many rows, a query that is more than a query.
 *
 * Traps: useLegacySql is true unless it is said to be false; the location must be sent for data outside the US and the EU; a job
 * that is not complete has no rows, which is not the same as no rows found. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/bigquery.h"

enum {
    SQL_MAX = 8000,
    ROWS_MAX = 5000,
    PAGE = 1000,
    WAIT_MS = 10000,
    POLLS_MAX = 60,
    PAGES_MAX = 500,
    POLL_PAUSE_MS = 1000,
    SAID_MAX = 250,
    JOB_MAX = 1024
};

static const char max_bytes_default[] = "107374182400"; /* 100 GiB: a scan of everything is a mistake */

/* --- asking --------------------------------------------------------------------------------------------------------------- */

static bool begins_with_word(const char *sql, const char *word)
{
    size_t len = strlen(word);
    return strncasecmp(sql, word, len) == 0 && (isspace((unsigned char)sql[len]) != 0 || sql[len] == '(');
}

static enum hm_code check_sql(const char *sql, struct hm_err *err)
{
    const char *at = sql + strspn(sql, " \t\r\n(");
    if (strlen(sql) > SQL_MAX)
        return hm_err_set(err, HM_EINVAL, "sql: %zu bytes; at most %d", strlen(sql), (int)SQL_MAX);
    if (!begins_with_word(at, "select") && !begins_with_word(at, "with"))
        return hm_err_set(err, HM_EINVAL, "sql: it must begin with select or with; this action only reads");
    if (strchr(sql, ';') != NULL)
        return hm_err_set(err, HM_EINVAL, "sql: one query without a semicolon; this action only reads");
    return HM_OK;
}

static json_t *typed_new(const char *type)
{
    json_t *json = hm_json_obj_new();
    hm_json_set_str(json, "type", type);
    return json;
}

static json_t *worded_new(const json_t *value)
{
    json_t *json = hm_json_obj_new();
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    hm_json_set_str(json, "value",
                    json_is_string(value)    ? json_string_value(value)
                    : json_is_integer(value) ? number
                    : json_is_true(value)    ? "true"
                                             : "false");
    return json;
}

/* {"name", "parameterType", "parameterValue"}; NULL when the value is of no kind that can be sent. */
static json_t *parameter_new(const char *name, const json_t *value)
{
    json_t *parameter = hm_json_obj_new();
    hm_json_set_str(parameter, "name", name);
    if (json_is_array(value)) {
        json_t *values = hm_json_arr_new(), *type = typed_new("ARRAY"), *list = hm_json_obj_new();
        for (size_t i = 0; i < json_array_size(value); i++)
            hm_json_add(values, worded_new(json_array_get(value, i)));
        hm_json_set(type, "arrayType", typed_new("STRING"));
        hm_json_set(list, "arrayValues", values);
        hm_json_set(parameter, "parameterType", type);
        hm_json_set(parameter, "parameterValue", list);
        return parameter;
    }
    const char *type = json_is_string(value)    ? "STRING"
                       : json_is_integer(value) ? "INT64"
                       : json_is_boolean(value) ? "BOOL"
                                                : NULL;
    if (type == NULL) {
        json_decref(parameter);
        return NULL;
    }
    hm_json_set(parameter, "parameterType", typed_new(type));
    hm_json_set(parameter, "parameterValue", worded_new(value));
    return parameter;
}

static enum hm_code parameters_new(const json_t *params, json_t **ret_list, struct hm_err *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    *ret_list = hm_json_arr_new();
    json_object_foreach(hm_unconst(params), name, value)
    {
        json_t *parameter = parameter_new(name, value);
        if (parameter == NULL) {
            json_decref(*ret_list);
            return hm_err_set(err, HM_EINVAL, "params.%s: a text, a whole number, a bool or a list of texts", name);
        }
        hm_json_add(*ret_list, parameter);
    }
    return HM_OK;
}

static enum hm_code next_request(const struct hm_backend *backend, const char *project, const json_t *cursor,
                                 struct hm_request *req)
{
    char number[24];
    char *job = hm_url_encode(hm_json_get_str(cursor, "job", ""));
    hm_request_begin(req, backend, "GET", "/projects/%s/queries/%s", project, job);
    hm_request_add_query(req, "location", hm_json_get_str(cursor, "location", ""));
    (void)snprintf(number, sizeof number, "%d", (int)WAIT_MS);
    hm_request_add_query(req, "timeoutMs", number);
    (void)snprintf(number, sizeof number, "%d", (int)PAGE);
    hm_request_add_query(req, "maxResults", number);
    hm_request_add_query(req, "pageToken", hm_json_get_str(cursor, "page", ""));
    free(job);
    return HM_OK;
}

enum hm_code hm_bq_request(const struct hm_backend *backend, const char *sql, const json_t *params, const json_t *cursor,
                           struct hm_request *req, struct hm_err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-:.";
    const char *project = hm_json_get_str(backend->settings, "project", "");
    json_t *parameters = NULL;
    if (project[0] == '\0' || project[strspn(project, allowed)] != '\0')
        return hm_err_set(err, HM_EENV, "backend %s needs settings = { project = \"…\"; }: the project that pays for queries",
                          backend->name);
    if (cursor != NULL)
        return next_request(backend, project, cursor, req);
    if (check_sql(sql, err) != HM_OK || parameters_new(params, &parameters, err) != HM_OK)
        return err->code;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "query", sql);
    hm_json_set_bool(body, "useLegacySql", false);
    if (json_array_size(parameters) > 0) {
        hm_json_set_str(body, "parameterMode", "NAMED");
        hm_json_set(body, "queryParameters", json_incref(parameters));
    }
    json_decref(parameters);
    hm_json_set_int(body, "timeoutMs", WAIT_MS);
    hm_json_set_int(body, "maxResults", PAGE);
    hm_json_set_str(body, "maximumBytesBilled", hm_json_get_str(backend->settings, "max_bytes_billed", max_bytes_default));
    const char *location = hm_json_get_str(backend->settings, "location", "");
    if (location[0] != '\0')
        hm_json_set_str(body, "location", location);
    hm_request_begin(req, backend, "POST", "/projects/%s/queries", project);
    hm_request_set_json(req, body);
    return HM_OK;
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */

static bool may_be_tried_again(const char *reason)
{
    static const char *const reasons[] = {"rateLimitExceeded",    "backendError",    "internalError",
                                          "jobRateLimitExceeded", "jobBackendError", "jobInternalError"};
    for (size_t i = 0; i < HM_ARRAY_LEN(reasons); i++)
        if (strcmp(reasons[i], reason) == 0)
            return true;
    return false;
}

/* Not 2xx: BigQuery's reason decides rather than the status, when there is one. */
static enum hm_verdict judge_refusal(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const json_t *error = hm_json_get_obj(json, "error"), *first = json_array_get(hm_json_get_arr(error, "errors"), 0);
    const char *message = hm_json_get_str(error, "message", NULL), *reason = hm_json_get_str(first, "reason", "");
    enum hm_verdict verdict = hm_http_judge(asked, answer, out);
    if (message != NULL && answer->status != 401) {
        bool again = may_be_tried_again(reason) || answer->status == 429 || (answer->status >= 500 && reason[0] == '\0');
        out->err = (struct hm_err){0};
        verdict = hm_outcome_fail(out, again ? HM_VERDICT_RETRYABLE : HM_VERDICT_PERMANENT,
                                  "BigQuery refused the query (HTTP %d%s%s): %.*s", answer->status, reason[0] != '\0' ? ", " : "",
                                  reason, (int)hm_utf8_prefix(message, SAID_MAX), message);
    }
    json_decref(json);
    return verdict;
}

static enum hm_verdict wait_for(const json_t *json, const json_t *cursor, struct hm_outcome *out)
{
    const json_t *reference = hm_json_get_obj(json, "jobReference");
    const char *job = hm_json_get_str(reference, "jobId", hm_json_get_str(cursor, "job", ""));
    int64_t polls = hm_json_get_int(cursor, "polls", 0) + 1;
    if (job[0] == '\0' || strlen(job) > JOB_MAX)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "BigQuery's answer is not as expected: it has no jobReference");
    if (polls > POLLS_MAX)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "BigQuery still works at the query after it was asked %d times (job %.80s)", (int)POLLS_MAX, job);
    out->cursor = hm_json_obj_new();
    hm_json_set_str(out->cursor, "job", job);
    hm_json_set_str(out->cursor, "location", hm_json_get_str(reference, "location", hm_json_get_str(cursor, "location", "")));
    hm_json_set_int(out->cursor, "polls", polls);
    json_t *rows = hm_json_get_arr(cursor, "rows"); /* of the pages before */
    hm_json_set(out->cursor, "rows", rows != NULL ? json_incref(rows) : hm_json_arr_new());
    if (hm_json_get_str(cursor, "page", NULL) != NULL)
        hm_json_set_str(out->cursor, "page", hm_json_get_str(cursor, "page", ""));
    return HM_VERDICT_MORE;
}

/* Rows of one page, added to those of the pages before. */
static enum hm_verdict gather(const struct hm_http_asked *asked, const json_t *json, const json_t *cursor, json_t **ret_rows,
                              struct hm_outcome *out)
{
    const json_t *fields = hm_json_get_arr(hm_json_get_obj(json, "schema"), "fields"), *page = json_object_get(json, "rows");
    json_t *before = hm_json_get_arr(cursor, "rows");
    json_t *rows = before != NULL ? json_copy(before) : hm_json_arr_new();
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (fields == NULL || (page != NULL && !json_is_array(page)))
        verdict = hm_http_odd(asked, out, "a complete query without a schema");
    for (size_t i = 0; i < json_array_size(page) && verdict == HM_VERDICT_OK; i++) {
        json_t *row = hm_bq_row_new(fields, json_array_get(page, i));
        if (row == NULL)
            verdict = hm_http_odd(asked, out, "a row does not fit the schema");
        else
            hm_json_add(rows, row);
    }
    if (verdict == HM_VERDICT_OK && json_array_size(rows) > ROWS_MAX)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "the query has more than %d rows: ask for less", (int)ROWS_MAX);
    const char *token = hm_json_get_str(json, "pageToken", "");
    int64_t pages = hm_json_get_int(cursor, "pages", 0) + 1;
    if (verdict == HM_VERDICT_OK && token[0] != '\0' && pages > PAGES_MAX)
        verdict = hm_http_odd(asked, out, "its pages do not come to an end");
    if (verdict == HM_VERDICT_OK && token[0] != '\0') {
        verdict = wait_for(json, cursor, out);
        if (verdict == HM_VERDICT_MORE) {
            hm_json_set_str(out->cursor, "page", token);
            hm_json_set_int(out->cursor, "pages", pages);
            hm_json_set_int(out->cursor, "polls", 0);
            hm_json_set(out->cursor, "rows", json_incref(rows));
        }
    }
    int64_t total = 0;
    bool counted = hm_parse_i64(hm_json_get_str(json, "totalRows", ""), 0, INT64_MAX, &total);
    if (verdict == HM_VERDICT_OK && !counted)
        verdict = hm_http_odd(asked, out, "a complete query without totalRows");
    if (verdict == HM_VERDICT_OK && total != (int64_t)json_array_size(rows))
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "BigQuery counts %lld rows and gave %zu", (long long)total,
                                  json_array_size(rows));
    if (verdict == HM_VERDICT_OK)
        *ret_rows = json_incref(rows);
    json_decref(rows);
    return verdict;
}

enum hm_verdict hm_bq_response(const struct hm_backend *backend, const json_t *cursor, const struct hm_answer *answer,
                               json_t **ret_rows, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "BigQuery"};
    json_t *json = NULL;
    *ret_rows = NULL;
    if (answer->status < 200 || answer->status >= 300)
        return judge_refusal(&asked, answer, out);
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *first = json_array_get(hm_json_get_arr(json, "errors"), 0);
    const char *message = hm_json_get_str(first, "message", NULL);
    if (!json_is_boolean(json_object_get(json, "jobComplete"))) {
        verdict = hm_http_odd(&asked, out, "it does not say whether the query is complete (jobComplete)");
    } else if (!hm_json_get_bool(json, "jobComplete", false)) {
        verdict = wait_for(json, cursor, out);
        out->wait_ms = verdict == HM_VERDICT_MORE ? POLL_PAUSE_MS : 0;
    } else if (message != NULL && hm_json_get_obj(json, "schema") == NULL) {
        bool again = may_be_tried_again(hm_json_get_str(first, "reason", ""));
        verdict = hm_outcome_fail(out, again ? HM_VERDICT_RETRYABLE : HM_VERDICT_PERMANENT, "the query failed in BigQuery: %.*s",
                                  (int)hm_utf8_prefix(message, SAID_MAX), message);
    } else {
        verdict = gather(&asked, json, cursor, ret_rows, out);
    }
    json_decref(json);
    return verdict;
}
