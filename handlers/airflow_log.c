/* The end of a task's log, of one try. Airflow 2 gives plain text; Airflow 3 gives a list of messages, with a token for more.
 *
 * A log can hold anything, also what must not be in a channel: the result has its last lines or those that match, cut short, and
 * a recipe should show the link rather than the lines. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/text.h"
#include "handlers/airflow.h"

enum { LINES_DEFAULT = 20, LINES_MAX = 100, LINE_MAX_BYTES = 300, PAGES_MAX = 50, MATCHED_AT = 1000 };

static const struct hm_arg_spec log_args[] = {
    HM_AIRFLOW_ARG_DAG,
    {"run", HM_ARG_STRING, true, "the run's id"},
    {"task", HM_ARG_STRING, true, "the task's id"},
    {"try", HM_ARG_INT, true, "of which try, from 1"},
    {"only", HM_ARG_STRING, false, "a regular expression: only lines with a part that matches"},
    {"lines", HM_ARG_INT, false, "how many of the last lines, 1 to 100; 20 when not given"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static int64_t lines_of(const json_t *args)
{
    return hm_json_get_int(args, "lines", LINES_DEFAULT);
}

static enum hm_code log_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    char number[24];
    int64_t try_number = hm_json_get_int(args, "try", 0);
    const char *only = hm_airflow_arg(args, "only");
    (void)snprintf(number, sizeof number, "%" PRId64, try_number);
    const struct hm_airflow_part below[] = {{"/dagRuns/", hm_json_get_str(args, "run", "")},
                                            {"/taskInstances/", hm_json_get_str(args, "task", "")},
                                            {"/logs/", number},
                                            {NULL, NULL}};
    if (try_number < 1 || try_number > 1000)
        return hm_err_set(err, HM_EINVAL, "try: it must be 1 to 1000, not %" PRId64, try_number);
    if (lines_of(args) < 1 || lines_of(args) > LINES_MAX)
        return hm_err_set(err, HM_EINVAL, "lines: it must be 1 to %d, not %" PRId64, (int)LINES_MAX, lines_of(args));
    struct hm_pattern *pattern = only != NULL ? hm_pattern_new(only, false, err) : NULL;
    if (only != NULL && pattern == NULL)
        return hm_err_wrap(err, "only");
    hm_pattern_free(pattern);

    enum hm_code code = hm_airflow_begin(backend, args, "GET", below, req, err);
    if (code != HM_OK)
        return code;
    if (!hm_airflow_is_v2(backend)) {
        free(req->headers[req->n_headers - 1].value);
        req->headers[req->n_headers - 1].value = hm_xstrdup("text/plain");
    }
    hm_request_add_query(req, "full_content", "false");
    hm_request_add_query(req, "token", hm_airflow_arg(cursor, "token"));
    return HM_OK;
}

struct tail {
    const struct hm_pattern *only; /* or NULL */
    json_t *lines;
    size_t most;
    int64_t total;
};

/* One line, without its end. A pattern that is too hard for it counts as no match. */
static void add_line(struct tail *tail, const char *line, size_t len)
{
    char *text = hm_utf8_clean(line, hm_utf8_boundary(line, len < MATCHED_AT ? len : MATCHED_AT));
    bool matches = true;
    tail->total++;
    if (tail->only != NULL && hm_pattern_match(tail->only, text, &matches, NULL) != HM_OK)
        matches = false;
    if (matches && text[strspn(text, " \t\r")] != '\0') {
        bool is_long = strlen(text) > LINE_MAX_BYTES;
        text[hm_utf8_prefix(text, LINE_MAX_BYTES)] = '\0';
        char *shown = hm_xasprintf("%s%s", text, is_long ? "…" : "");
        hm_json_add(tail->lines, hm_json_str_new(shown));
        free(shown);
        if (json_array_size(tail->lines) > tail->most)
            (void)json_array_remove(tail->lines, 0);
    }
    free(text);
}

static void add_text(struct tail *tail, const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = newline != NULL ? (size_t)(newline - text) : (size_t)(end - text);
        add_line(tail, text, n > 0 && text[n - 1] == '\r' ? n - 1 : n);
        text += newline != NULL ? n + 1 : n;
    }
}

/* Airflow 3: strings, or objects with an event and perhaps an error. False when it is neither. */
static bool add_messages(struct tail *tail, const json_t *content)
{
    for (size_t i = 0; i < json_array_size(content); i++) {
        const json_t *message = json_array_get(content, i);
        const char *text = json_is_string(message) ? json_string_value(message) : hm_json_get_str(message, "event", NULL);
        if (text == NULL)
            return false;
        add_text(tail, text, strlen(text));
    }
    return json_is_array(content);
}

static json_t *log_result_new(const struct hm_backend *backend, const json_t *args, const struct tail *tail)
{
    json_t *result = hm_json_obj_new();
    char *link = hm_airflow_link(backend, hm_airflow_dag_id(backend, args), hm_json_get_str(args, "run", ""),
                                 hm_json_get_str(args, "task", ""));
    hm_json_set(result, "lines", json_incref(tail->lines));
    hm_json_set_int(result, "count", (int64_t)json_array_size(tail->lines));
    hm_json_set_int(result, "total", tail->total);
    hm_json_set_str(result, "link", link);
    free(link);
    return result;
}

/* The JSON of Airflow 3: MORE while there is a token and something came. The end of the log is what is wanted, so a log whose end
 * is not reached is an error. */
static enum hm_verdict read_messages(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const json_t *json, struct tail *tail, struct hm_outcome *out)
{
    const json_t *content = json_object_get(json, "content");
    const char *token = hm_airflow_arg(json, "continuation_token");
    int64_t pages = hm_json_get_int(cursor, "pages", 1);
    if (!add_messages(tail, content))
        return hm_airflow_odd(out, "the log is no list of messages");
    if (token != NULL && json_array_size(content) > 0 && pages >= PAGES_MAX)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "the log has more than %d parts, and its end was not reached: open it in Airflow", (int)PAGES_MAX);
    if (token == NULL || json_array_size(content) == 0) {
        out->result = log_result_new(backend, args, tail);
        return HM_VERDICT_OK;
    }
    out->cursor = hm_json_obj_new();
    hm_json_set_str(out->cursor, "token", token);
    hm_json_set_int(out->cursor, "pages", pages + 1);
    hm_json_set_int(out->cursor, "total", tail->total);
    hm_json_set(out->cursor, "lines", json_incref(tail->lines));
    return HM_VERDICT_MORE;
}

static enum hm_verdict log_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *only = hm_airflow_arg(args, "only");
    char *thing = hm_xasprintf("log of try %" PRId64 " of task %.200s in run %.200s", hm_json_get_int(args, "try", 0),
                               hm_json_get_str(args, "task", ""), hm_json_get_str(args, "run", ""));
    struct hm_pattern *pattern = only != NULL ? hm_pattern_new(only, false, NULL) : NULL;
    const json_t *lines = hm_json_get_arr(cursor, "lines");
    struct tail tail = {.only = pattern,
                        .lines = lines != NULL ? json_copy(hm_unconst(lines)) : hm_json_arr_new(),
                        .most = (size_t)lines_of(args),
                        .total = hm_json_get_int(cursor, "total", 0)};
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (hm_airflow_is_v2(backend) || answer->status != 200) {
        json_t *json = NULL;
        verdict = hm_airflow_read(backend, thing, false, answer, &json, out);
        if (verdict == HM_VERDICT_OK)
            verdict = read_messages(backend, args, cursor, json, &tail, out);
        json_decref(json);
    } else {
        const struct hm_http_asked asked = {.backend = backend, .system = "Airflow", .thing = thing};
        verdict = hm_http_judge(&asked, answer, out);
        if (verdict == HM_VERDICT_OK) {
            add_text(&tail, answer->body, answer->body_len);
            out->result = log_result_new(backend, args, &tail);
        }
    }
    json_decref(tail.lines);
    hm_pattern_free(pattern);
    free(thing);
    return verdict;
}

static const struct hm_field_spec log_fields[] = {
    {"lines", HM_FIELD_LIST, true, "the lines", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"total", HM_FIELD_NUMBER, true, "lines read", NULL},
    {"link", HM_FIELD_TEXT, true, "the task's page in Airflow", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_airflow_log = {
    .name = "airflow.log",
    .title = "Read the end of a task's log",
    .doc = "Of one try: its last lines, or the last ones that match. A log may hold personal data: show the link rather than the "
           "lines.",
    .effect = HM_EFFECT_READ,
    .args = log_args,
    .result = log_fields,
    .request = log_request,
    .response = log_response,
};
