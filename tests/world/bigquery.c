/* BigQuery: tables with rows, asked by jobs.query, with pages and with queries that take longer.
 *
 * State: {"config": {"bearer", "project": "nu-br-data", "location": text or null, "slow": so many answers say jobComplete: false
 * before a query is done}, "tables": {"dataset.spark_ops": {"fields": [{"name", "type", "mode"}], "rows": [{column: value}]}}}.
 * SQL: select <* or columns> from <table> [where <column> = @p [and date(<column>) = @q] …]; everything else is invalidQuery. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"
#include "world.h"

enum { WORDS_MAX = 60 };

struct bigquery {
    json_t *config, *tables;
    json_t *jobs; /* id → {fields, rows, polls} */
    int64_t made;
};

static void refuse(struct hm_world_answer *ans, int status, const char *reason, const char *message)
{
    json_t *first = hm_json_obj_new(), *list = hm_json_arr_new(), *error = hm_json_obj_new(), *body = hm_json_obj_new();
    hm_json_set_str(first, "reason", reason);
    hm_json_set_str(first, "message", message);
    hm_json_add(list, first);
    hm_json_set_int(error, "code", status);
    hm_json_set_str(error, "message", message);
    hm_json_set(error, "errors", list);
    hm_json_set(body, "error", error);
    hm_world_answer_json(ans, status, "application/json; charset=UTF-8", body);
}

/* --- SQL ------------------------------------------------------------------------------------------------------------------ */

struct sql {
    char *words[WORDS_MAX]; /* names, @names, and ( ) , = * as words of their own */
    size_t n;
};

static void sql_done(struct sql *sql)
{
    for (size_t i = 0; i < sql->n; i++)
        free(sql->words[i]);
}

static bool sql_read(const char *text, struct sql *sql)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@.-";
    sql->n = 0;
    while (*(text += strspn(text, " \t\r\n")) != '\0') {
        size_t len = strspn(text, name);
        if (sql->n == WORDS_MAX)
            return false;
        if (*text == '`') {
            size_t inner = strspn(text + 1, name);
            if (text[1 + inner] != '`')
                return false;
            sql->words[sql->n++] = hm_xstrndup(text + 1, inner);
            text += inner + 2;
            continue;
        }
        if (len == 0 && strchr("(),=*", *text) == NULL)
            return false;
        sql->words[sql->n++] = hm_xstrndup(text, len > 0 ? len : 1);
        text += len > 0 ? len : 1;
    }
    return sql->n > 0;
}

static const char *word(const struct sql *sql, size_t i)
{
    return i < sql->n ? sql->words[i] : "";
}

static bool is_word(const struct sql *sql, size_t i, const char *what)
{
    return strcasecmp(word(sql, i), what) == 0;
}

/* The text of a parameter; NULL when it is not declared with a value. */
static const char *parameter(const json_t *request, const char *name)
{
    const json_t *list = hm_json_get_arr(request, "queryParameters");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *each = json_array_get(list, i);
        if (name[0] == '@' && strcmp(hm_json_get_str(each, "name", ""), name + 1) == 0 &&
            hm_json_get_str(hm_json_get_obj(each, "parameterType"), "type", NULL) != NULL)
            return hm_json_get_str(hm_json_get_obj(each, "parameterValue"), "value", NULL);
    }
    return NULL;
}

static const json_t *field_of(const json_t *table, const char *name)
{
    const json_t *fields = hm_json_get_arr(table, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (strcmp(hm_json_get_str(json_array_get(fields, i), "name", ""), name) == 0)
            return json_array_get(fields, i);
    return NULL;
}

/* One condition from word *at on; the rows that hold stay. False when it is none that is known. */
static bool filter(const struct sql *sql, size_t *at, const json_t *table, const json_t *request, json_t *rows)
{
    bool day = is_word(sql, *at, "date") && is_word(sql, *at + 1, "(");
    size_t i = *at + (day ? 2 : 0);
    const char *column = word(sql, i);
    i += day ? 2 : 1;
    const char *value = is_word(sql, i, "=") ? parameter(request, word(sql, i + 1)) : NULL;
    if (field_of(table, column) == NULL || value == NULL)
        return false;
    for (size_t r = json_array_size(rows); r-- > 0;) {
        const char *have = hm_json_get_str(json_array_get(rows, r), column, "");
        if (day ? strncmp(have, value, 10) != 0 : strcmp(have, value) != 0)
            (void)json_array_remove(rows, r);
    }
    *at = i + 2;
    return true;
}

/* The job of the query, or NULL when it was refused already. */
static json_t *run_new(const struct bigquery *b, const json_t *request, struct hm_world_answer *ans)
{
    struct sql sql;
    json_t *fields = hm_json_arr_new(), *rows = NULL, *job = NULL;
    const json_t *table = NULL;
    size_t at = 1;
    bool ok = sql_read(hm_json_get_str(request, "query", ""), &sql) && is_word(&sql, 0, "select");
    bool all = ok && is_word(&sql, 1, "*");
    while (ok && at < sql.n && !is_word(&sql, at, "from"))
        at++;
    table = ok ? json_object_get(b->tables, word(&sql, at + 1)) : NULL;
    if (ok && table == NULL) {
        char *message =
            hm_xasprintf("Not found: Table %s:%s was not found", hm_json_get_str(b->config, "project", ""), word(&sql, at + 1));
        refuse(ans, 404, "notFound", message);
        free(message);
        goto out;
    }
    for (size_t i = 1; ok && !all && i < at; i++) {
        const json_t *field = field_of(table, word(&sql, i));
        ok = field != NULL || is_word(&sql, i, ",");
        if (field != NULL)
            hm_json_add(fields, json_incref(hm_unconst(field)));
    }
    if (all) {
        json_decref(fields);
        fields = json_copy(hm_json_get_arr(table, "fields"));
    }
    rows = ok ? json_copy(hm_json_get_arr(table, "rows")) : NULL;
    at += 2;
    for (bool first = true; ok && at < sql.n; first = false) {
        ok = is_word(&sql, at, first ? "where" : "and");
        at++;
        ok = ok && filter(&sql, &at, table, request, rows);
    }
    if (!ok) {
        refuse(ans, 400, "invalidQuery", "Syntax error, an unknown column, or a parameter without a value.");
        goto out;
    }
    job = hm_json_obj_new();
    hm_json_set(job, "fields", json_incref(fields));
    hm_json_set(job, "rows", json_incref(rows));
    hm_json_set_int(job, "polls", 0);
out:
    sql_done(&sql);
    json_decref(fields);
    json_decref(rows);
    return job;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------- */

static json_t *cell_new(const json_t *field, const json_t *value)
{
    json_t *cell = hm_json_obj_new();
    if (strcmp(hm_json_get_str(field, "mode", ""), "REPEATED") == 0) {
        json_t *list = hm_json_arr_new();
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_t *each = hm_json_obj_new();
            hm_json_set(each, "v", json_incref(json_array_get(value, i)));
            hm_json_add(list, each);
        }
        hm_json_set(cell, "v", list);
    } else if (strcmp(hm_json_get_str(field, "type", ""), "TIMESTAMP") == 0 && json_is_string(value)) {
        char text[40];
        int64_t ms = hm_kit_time_ms(json_string_value(value));
        (void)snprintf(text, sizeof text, "%.12E", (double)ms / 1000.0);
        hm_json_set_str(cell, "v", text);
    } else if (json_is_integer(value)) {
        char text[24];
        (void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        hm_json_set_str(cell, "v", text);
    } else {
        hm_json_set(cell, "v", value != NULL ? json_incref(hm_unconst(value)) : json_null());
    }
    return cell;
}

static void show(const struct bigquery *b, const char *id, json_t *job, int64_t offset, int64_t most, struct hm_world_answer *ans)
{
    json_t *body = hm_json_obj_new(), *reference = hm_json_obj_new(), *rows = hm_json_get_arr(job, "rows");
    int64_t polls = hm_json_get_int(job, "polls", 0), total = (int64_t)json_array_size(rows);
    hm_json_set_str(reference, "projectId", hm_json_get_str(b->config, "project", "nu-br-data"));
    hm_json_set_str(reference, "jobId", id);
    hm_json_set_str(reference, "location", hm_json_get_str(b->config, "location", "US"));
    hm_json_set(body, "jobReference", reference);
    bool done = polls >= hm_json_get_int(b->config, "slow", 0);
    hm_json_set_int(job, "polls", polls + 1);
    hm_json_set_bool(body, "jobComplete", done);
    if (done) {
        json_t *schema = hm_json_obj_new(), *page = hm_json_arr_new(), *fields = hm_json_get_arr(job, "fields");
        char number[40];
        hm_json_set(schema, "fields", json_deep_copy(fields));
        hm_json_set(body, "schema", schema);
        for (int64_t i = offset; i < total && i < offset + most; i++) {
            json_t *row = hm_json_obj_new(), *cells = hm_json_arr_new();
            for (size_t f = 0; f < json_array_size(fields); f++) {
                const json_t *field = json_array_get(fields, f);
                hm_json_add(
                    cells, cell_new(field, json_object_get(json_array_get(rows, (size_t)i), hm_json_get_str(field, "name", ""))));
            }
            hm_json_set(row, "f", cells);
            hm_json_add(page, row);
        }
        if (json_array_size(page) > 0)
            hm_json_set(body, "rows", json_incref(page));
        (void)snprintf(number, sizeof number, "%lld", (long long)total);
        hm_json_set_str(body, "totalRows", number);
        (void)snprintf(number, sizeof number, "BE%lld", (long long)offset + (long long)most);
        if (offset + most < total)
            hm_json_set_str(body, "pageToken", number);
        json_decref(page);
    }
    hm_world_answer_json(ans, 200, "application/json; charset=UTF-8", body);
}

static bool is_elsewhere(const struct bigquery *b, const char *location)
{
    const char *own = hm_json_get_str(b->config, "location", NULL);
    return own != NULL && strcmp(own, location) != 0;
}

static void query(struct bigquery *b, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *request = hm_json_parse_new(req->body, req->body_len, 1000000, NULL);
    int64_t bytes = 0;
    if (strcmp(req->method, "POST") != 0 || strncasecmp(req->content_type, "application/json", 16) != 0 ||
        !json_is_object(request)) {
        refuse(ans, 400, "parseError", "This API does not support parsing form-encoded input, or the body is no JSON.");
    } else if (hm_json_get_bool(request, "useLegacySql", true)) {
        refuse(ans, 400, "invalidQuery", "Legacy SQL: Encountered \" \"@\" \"@ \"\".");
    } else if (hm_json_get_arr(request, "queryParameters") != NULL &&
               !hm_streq(hm_json_get_str(request, "parameterMode", NULL), "NAMED")) {
        refuse(ans, 400, "invalid", "parameterMode must be NAMED or POSITIONAL when there are queryParameters.");
    } else if (json_object_get(request, "maximumBytesBilled") != NULL &&
               !hm_parse_i64(hm_json_get_str(request, "maximumBytesBilled", ""), 1, INT64_MAX, &bytes)) {
        refuse(ans, 400, "invalid", "Invalid value at 'maximum_bytes_billed'.");
    } else if (is_elsewhere(b, hm_json_get_str(request, "location", "US"))) {
        refuse(ans, 404, "notFound", "Not found: Dataset was not found in location US");
    } else {
        json_t *job = run_new(b, request, ans);
        if (job != NULL) {
            char *id = hm_xasprintf("job_%lld", (long long)++b->made);
            hm_json_set(b->jobs, id, job);
            show(b, id, job, 0, hm_json_get_int(request, "maxResults", 10000), ans);
            free(id);
        }
    }
    json_decref(request);
}

static void results(struct bigquery *b, const struct hm_world_request *req, const char *id, struct hm_world_answer *ans)
{
    json_t *form = hm_kit_form_new(req->query, strlen(req->query)), *job = json_object_get(b->jobs, id);
    const char *token = hm_json_get_str(form, "pageToken", "");
    int64_t offset = 0, most = 10000;
    bool ok = hm_parse_i64(hm_json_get_str(form, "maxResults", "10000"), 1, 1000000, &most) &&
              (token[0] == '\0' || (hm_starts_with(token, "BE") && hm_parse_i64(token + 2, 0, 1000000, &offset)));
    if (strcmp(req->method, "GET") != 0)
        refuse(ans, 405, "invalid", "Method not allowed");
    else if (job == NULL || is_elsewhere(b, hm_json_get_str(form, "location", "US")))
        refuse(ans, 404, "notFound", "Not found: Job");
    else if (!ok)
        refuse(ans, 400, "invalid", "Invalid value for pageToken or maxResults.");
    else
        show(b, id, job, offset, most, ans);
    json_decref(form);
}

/* --- the system ----------------------------------------------------------------------------------------------------------- */

static void bigquery_free(void *system)
{
    struct bigquery *b = system;
    json_decref(b->config);
    json_decref(b->tables);
    json_decref(b->jobs);
    free(b);
}

static void *bigquery_new(const json_t *state, struct hm_err *err)
{
    struct bigquery *b = hm_xcalloc(1, sizeof(*b));
    json_t *config = hm_json_get_obj(state, "config"), *tables = hm_json_get_obj(state, "tables"), *table = NULL;
    const char *name = NULL;
    b->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    b->tables = tables != NULL ? json_deep_copy(tables) : hm_json_obj_new();
    b->jobs = hm_json_obj_new();
    json_object_foreach(b->tables, name, table)
    {
        if (hm_json_get_arr(table, "fields") != NULL && hm_json_get_arr(table, "rows") != NULL)
            continue;
        (void)hm_err_set(err, HM_EINVAL, "table %s needs fields and rows", name);
        bigquery_free(b);
        return NULL;
    }
    return b;
}

static json_t *bigquery_state_new(void *system)
{
    const struct bigquery *b = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(b->config));
    hm_json_set(state, "tables", json_deep_copy(b->tables));
    return state;
}

static void bigquery_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    struct bigquery *b = system;
    (void)world;
    if (!hm_kit_authorized(b->config, req, ans))
        return;
    char *root = hm_xasprintf("/projects/%s/queries", hm_json_get_str(b->config, "project", "nu-br-data"));
    const char *rest = hm_starts_with(req->path, root) ? req->path + strlen(root) : NULL;
    if (rest != NULL && rest[0] == '\0')
        query(b, req, ans);
    else if (rest != NULL && rest[0] == '/')
        results(b, req, rest + 1, ans);
    else
        refuse(ans, 403, "accessDenied", "Access Denied: no such project, or none of yours.");
    free(root);
}

const struct hm_world_system hm_world_bigquery = {
    .name = "bigquery",
    .new = bigquery_new,
    .free = bigquery_free,
    .state_new = bigquery_state_new,
    .handle = bigquery_handle,
};
