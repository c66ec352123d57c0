/* One instant query: see prometheus.h.
 *
 * Values go in by name: $stack in the query becomes the quoted, escaped text of `labels.stack`. Failure modes: a query that
 * Prometheus refuses (400 with its words), an answer that is a range. Traps: an unknown metric or label value is an empty
 * success, so an empty list proves nothing without a control query; Thanos answers 200 with `warnings` when a store did not
 * answer: `verified` is false then. Values are texts and may be NaN. */
#include "handlers/prometheus.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/value.h"

enum { QUERY_MAX = 4000, NAME_MAX_LEN = 40, ITEMS_MAX = 1000, SHOWN = 20, TEXT_MAX = 2000, SAID_MAX = 250 };

static const struct hm_arg_spec query_args[] = {
    {"query", HM_ARG_STRING, true, "PromQL; $name stands for the quoted text of labels.name"},
    {"labels", HM_ARG_OBJECT, false, "texts for the $names of the query"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static const double latest_s = 253402300799.0; /* the year 9999 */
static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

static bool is_name_start(char c)
{
    return c >= 'a' && c <= 'z';
}

static void add_quoted(struct hm_strbuf *out, const char *value)
{
    hm_strbuf_adds(out, "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            hm_strbuf_adds(out, "\\");
        if (*value == '\n')
            hm_strbuf_adds(out, "\\n");
        else
            hm_strbuf_add(out, value, 1);
    }
    hm_strbuf_adds(out, "\"");
}

/* The query with its values in; caller frees. NULL with err set. A dollar before anything but a small letter stays (regular
 * expressions end with one). */
static char *fill_in(const char *query, const json_t *labels, struct hm_err *err)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, QUERY_MAX);
    while (*query != '\0') {
        size_t plain = strcspn(query, "$");
        hm_strbuf_add(&out, query, plain);
        query += plain;
        if (*query == '\0')
            break;
        if (!is_name_start(query[1])) {
            hm_strbuf_add(&out, query++, 1);
            continue;
        }
        size_t len = strspn(query + 1, name_chars);
        char *name = hm_xstrndup(query + 1, len);
        const char *value = hm_json_get_str(labels, name, NULL);
        if (value != NULL)
            add_quoted(&out, value);
        else
            (void)hm_err_set(err, HM_EINVAL, "query: labels has no text for $%.40s", name);
        free(name);
        if (value == NULL) {
            hm_strbuf_done(&out);
            return NULL;
        }
        query += 1 + len;
    }
    if (out.failed || out.len == 0) {
        (void)hm_err_set(err, HM_EINVAL, "query: 1 to %d bytes", (int)QUERY_MAX);
        hm_strbuf_done(&out);
        return NULL;
    }
    return hm_strbuf_take(&out);
}

static enum hm_code request(const struct hm_backend *backend, const json_t *args, const json_t *cursor, struct hm_request *req,
                            struct hm_err *err)
{
    (void)cursor;
    char *query = fill_in(hm_json_get_str(args, "query", ""), hm_json_get_obj(args, "labels"), err);
    if (query == NULL)
        return err->code;
    hm_request_begin(req, backend, "POST", "%s", hm_json_get_str(backend->settings, "query_path", "/api/v1/query"));
    hm_request_add_form(req, "query", query);
    hm_request_add_form(req, "timeout", "30s");
    /* Thanos's own: one answer for replicas, and an error instead of a part of it. Prometheus does not look at them. */
    hm_request_add_form(req, "dedup", "true");
    hm_request_add_form(req, "partial_response", "false");
    free(query);
    return HM_OK;
}

/* The sentence of a refusal has Prometheus's words instead of its JSON. */
static enum hm_verdict judge(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                             struct hm_outcome *out)
{
    if (answer->status >= 200 && answer->status < 300)
        return hm_http_read_json(asked, answer, ret_json, out);
    struct hm_answer told = *answer;
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const char *words = hm_json_get_str(json, "error", NULL);
    if (words != NULL) {
        told.body = words;
        told.body_len = strlen(words);
    }
    enum hm_verdict verdict = hm_http_judge(asked, &told, out);
    json_decref(json);
    return verdict;
}

/* "a b: 1500", the labels' values in the order of their names. */
static void add_line(struct hm_strbuf *text, const json_t *labels, const char *value)
{
    const char *key = NULL;
    json_t *each = NULL;
    bool first = true;
    if (text->len > 0)
        hm_strbuf_adds(text, "\n");
    json_object_foreach(hm_unconst(labels), key, each)
    {
        hm_strbuf_addf(text, "%s%s", first ? "" : " ", json_is_string(each) ? json_string_value(each) : "?");
        first = false;
    }
    hm_strbuf_addf(text, "%s%s", first ? "" : ": ", value);
}

static bool are_texts(const json_t *labels)
{
    const char *key = NULL;
    json_t *each = NULL;
    json_object_foreach(hm_unconst(labels), key, each)
    {
        if (!json_is_string(each))
            return false;
    }
    return true;
}

/* Each as a text, whatever it is: that there is one is what counts. New reference. */
static json_t *warnings_new(const json_t *given)
{
    json_t *warnings = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(given); i++) {
        const json_t *each = json_array_get(given, i);
        char *text = json_is_string(each) ? hm_xstrdup(json_string_value(each)) : hm_json_text(each);
        hm_json_add(warnings, hm_json_str_new(text));
        free(text);
    }
    return warnings;
}

/* One sample of a vector, or the value pair of a scalar (labels NULL). False when it is none. */
static bool add_item(json_t *list, const json_t *labels, const json_t *pair, struct hm_strbuf *text)
{
    const char *value = json_string_value(json_array_get(pair, 1));
    if (json_array_size(pair) != 2 || value == NULL)
        return false;
    char buf[HM_TIME_MAX];
    double at = json_number_value(json_array_get(pair, 0));
    json_t *item = hm_json_obj_new();
    hm_json_set_str(item, "time", at > 0 && at < latest_s ? hm_format_time((int64_t)(at * 1000.0), buf) : NULL);
    hm_json_set(item, "labels", labels != NULL ? json_deep_copy(labels) : hm_json_obj_new());
    hm_json_set(item, "value", hm_value_number_new(value));
    hm_json_set_str(item, "text", value);
    if (json_array_size(list) < SHOWN)
        add_line(text, labels, value);
    hm_json_add(list, item);
    return true;
}

static enum hm_verdict read_data(const struct hm_http_asked *asked, const json_t *data, json_t *list, struct hm_strbuf *text,
                                 struct hm_outcome *out)
{
    const char *type = hm_json_get_str(data, "resultType", "");
    const json_t *result = hm_json_get_arr(data, "result");
    bool ok = result != NULL;
    if (strcmp(type, "vector") != 0 && strcmp(type, "scalar") != 0)
        return hm_http_odd(asked, out, "the query gives no values of one moment (a range?)");
    if (strcmp(type, "scalar") == 0)
        ok = ok && add_item(list, NULL, result, text);
    for (size_t i = 0; ok && strcmp(type, "vector") == 0 && i < json_array_size(result); i++) {
        const json_t *sample = json_array_get(result, i), *labels = hm_json_get_obj(sample, "metric");
        ok = labels != NULL && are_texts(labels) && i < ITEMS_MAX &&
             add_item(list, labels, hm_json_get_arr(sample, "value"), text);
    }
    if (ok)
        return HM_VERDICT_OK;
    return json_array_size(list) == ITEMS_MAX
               ? hm_outcome_fail(out, HM_VERDICT_PERMANENT, "the query gives more than %d values: ask for less", (int)ITEMS_MAX)
               : hm_http_odd(asked, out, "a value is no pair of time and text, or a label of it no text");
}

static json_t *result_new(json_t *stolen_list, const json_t *warnings, struct hm_strbuf *text)
{
    json_t *result = hm_json_obj_new(), *first = json_array_get(stolen_list, 0), *most = NULL;
    size_t n = json_array_size(stolen_list);
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_object_get(json_array_get(stolen_list, i), "value");
        if (json_is_number(value) && (most == NULL || json_number_value(value) > json_number_value(most)))
            most = value;
    }
    if (n > SHOWN)
        hm_strbuf_addf(text, "\n… and %zu more", n - SHOWN);
    hm_json_set_int(result, "count", (int64_t)n);
    hm_json_set(result, "first", first != NULL ? json_incref(first) : json_null());
    hm_json_set_str(result, "time", hm_json_get_str(first, "time", NULL));
    hm_json_set(result, "max", most != NULL ? json_incref(most) : json_null());
    hm_json_set_bool(result, "verified", json_array_size(warnings) == 0);
    hm_json_set(result, "warnings", warnings_new(warnings));
    hm_json_set_str(result, "text", hm_strbuf_str(text));
    hm_json_set(result, "list", stolen_list);
    return result;
}

static enum hm_verdict response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Prometheus"};
    json_t *json = NULL;
    (void)args;
    (void)cursor;
    enum hm_verdict verdict = judge(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    struct hm_strbuf text;
    json_t *list = hm_json_arr_new(), *warnings = json_object_get(json, "warnings");
    hm_strbuf_init(&text, TEXT_MAX);
    const char *words = hm_json_get_str(json, "error", "no reason given");
    if (!hm_streq(hm_json_get_str(json, "status", NULL), "success"))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Prometheus did not answer the query: %.*s",
                                  (int)hm_utf8_prefix(words, SAID_MAX), words);
    else if (warnings != NULL && !json_is_null(warnings) && !json_is_array(warnings))
        verdict = hm_http_odd(&asked, out, "warnings is no list");
    else
        verdict = read_data(&asked, hm_json_get_obj(json, "data"), list, &text, out);
    if (verdict == HM_VERDICT_OK)
        out->result = result_new(json_incref(list), json_is_array(warnings) ? warnings : NULL, &text);
    hm_strbuf_done(&text);
    json_decref(list);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec series_fields[] = {
    {"labels", HM_FIELD_OBJECT, true, "its labels", hm_fields_texts},
    {"value", HM_FIELD_NUMBER, false, "its value; null when it is none (NaN, +Inf)", NULL},
    {"text", HM_FIELD_TEXT, true, "the value as Prometheus wrote it", NULL},
    {"time", HM_FIELD_TEXT, false, "of the value", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec query_fields[] = {
    {"list", HM_FIELD_LIST, true, "what was found", series_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"first", HM_FIELD_OBJECT, false, "the list's first", series_fields},
    {"max", HM_FIELD_NUMBER, false, "the largest value", NULL},
    {"time", HM_FIELD_TEXT, false, "of the first", NULL},
    {"text", HM_FIELD_TEXT, true, "the first twenty, one a line", NULL},
    {"verified", HM_FIELD_BOOL, true, "false when a store did not answer", NULL},
    {"warnings", HM_FIELD_LIST, true, "what Prometheus said about it", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action prometheus_query = {
    .name = "prometheus.query",
    .title = "Ask for a measured value",
    .doc = "An instant query. An unknown metric or label value gives an empty list: ask a control query too.",
    .effect = HM_EFFECT_READ,
    .args = query_args,
    .result = query_fields,
    .request = request,
    .response = response,
};

static const struct hm_action *const actions[] = {&prometheus_query, NULL};
static const char *const settings[] = {"query_path", NULL};

const struct hm_handler hm_prometheus_handler = {
    .name = "prometheus",
    .title = "Prometheus or Thanos: what was measured",
    .actions = actions,
    .settings = settings,
};
