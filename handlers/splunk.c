/* Splunk's searches: see splunk.h.
 *
 * splunk.search is one request that Splunk answers when the search has ended: for windows of minutes. splunk.search-long makes a
 * job, asks for its state, and fetches its rows page by page: for anything else; front ends cut a connection off after a few
 * minutes. Both are reads and may be repeated; a repeat costs search quota, so a search job is dropped by Splunk ten minutes
 * after its end.
 *
 * Traps: a search that Splunk did not run (too many at once) is a 200 with a WARN and no rows; 204 means "not finished", not
 * "nothing found". So `verified` is false as soon as Splunk warned of anything, and rows that it could not search for are an
 * error. */
#include "handlers/splunk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, PAGE = 500, TIME_WORD_MAX = 40, SID_MAX = 200, WARNING_MAX = 200 };
enum { LAST_LINES_MS = 60000 }; /* what a task logs at its end may be there a little later */
enum { POLLS_MAX = 120, QUICK_POLLS = 5, QUICK_WAIT_MS = 1000, WAIT_MS = 5000 };

static const struct hm_arg_spec search_args[] = {
    {"query", HM_ARG_STRING, true, "the search; \"search \" is put before it unless it begins with a bar"},
    {"earliest", HM_ARG_STRING, false, "-24h@h (the default), -30m, 2026-11-28T03:00:00Z …"},
    {"latest", HM_ARG_STRING, false, "now (the default), or like earliest"},
    {"from", HM_ARG_STRING, false, "a moment, when it is known: instead of earliest"},
    {"to", HM_ARG_STRING, false, "a moment, when it is known: a minute later is the end, instead of latest"},
    {"count", HM_ARG_INT, false, "at most so many rows, 100 if not given, up to 1000"},
    {"numbers", HM_ARG_LIST, false, "names of fields that hold numbers"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static const char *search_path(const struct hm_backend *backend)
{
    return hm_json_get_str(backend->settings, "search_path", "/services/search/v2/jobs");
}

static int64_t row_limit(const json_t *args)
{
    return hm_json_get_int(args, "count", LIMIT_DEFAULT);
}

/* What Splunk takes for a time: its relative words, epoch seconds, ISO 8601. */
static bool is_time_word(const char *word)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-@:.";
    size_t len = strlen(word);
    return len > 0 && len <= TIME_WORD_MAX && strspn(word, allowed) == len;
}

/* The word for one end of the window: the moment in the argument `from` or `to`, else what `earliest` or `latest` says. Into
 * buf[HM_TIME_MAX] or borrowed; NULL with err set when the moment is none. */
static const char *time_word(const json_t *args, bool end, char *buf, struct hm_err *err)
{
    const char *key = end ? "to" : "from";
    const char *moment = hm_json_get_str(args, key, "");
    int64_t at = 0;
    if (moment[0] == '\0')
        return end ? hm_json_get_str(args, "latest", "now") : hm_json_get_str(args, "earliest", "-24h@h");
    if (hm_parse_time(moment, &at))
        return hm_format_time(end ? at + LAST_LINES_MS : at, buf);
    (void)hm_err_set(err, HM_EINVAL, "%s: \"%.40s\" is no moment like 2026-11-28T03:00:00Z", key, moment);
    return NULL;
}

static enum hm_code begin_search(const struct hm_backend *backend, const json_t *args, const char *mode, struct hm_request *req,
                                 struct hm_err *err)
{
    char from[HM_TIME_MAX], to[HM_TIME_MAX];
    const char *earliest = time_word(args, false, from, err);
    const char *latest = earliest != NULL ? time_word(args, true, to, err) : NULL;
    char *query = NULL;
    if (latest == NULL)
        return err->code;
    if (!is_time_word(earliest) || !is_time_word(latest))
        return hm_err_set(err, HM_EINVAL, "earliest and latest: like -24h@h, now or 2026-11-28T03:00:00Z, not \"%.40s\"",
                          is_time_word(earliest) ? latest : earliest);
    if (row_limit(args) < 1 || row_limit(args) > LIMIT_MAX)
        return hm_err_set(err, HM_EINVAL, "count: 1 to %d", (int)LIMIT_MAX);
    if (hm_splunk_query(hm_json_get_str(args, "query", ""), &query, err) != HM_OK)
        return err->code;
    char *count = hm_xasprintf("%lld", (long long)row_limit(args));
    hm_request_begin(req, backend, "POST", "%s", search_path(backend));
    hm_request_add_form(req, "search", query);
    hm_request_add_form(req, "exec_mode", mode);
    hm_request_add_form(req, "output_mode", "json");
    hm_request_add_form(req, "earliest_time", earliest);
    hm_request_add_form(req, "latest_time", latest);
    hm_request_add_form(req, strcmp(mode, "oneshot") == 0 ? "count" : "max_count", count);
    if (strcmp(mode, "oneshot") != 0)
        hm_request_add_form(req, "timeout", "600");
    free(count);
    free(query);
    return HM_OK;
}

/* --- answers -------------------------------------------------------------------------------------------------------------- */

/* One of Splunk's messages, cut; new reference. */
static json_t *message_new(const json_t *message)
{
    const char *text = hm_json_get_str(message, "text", "no reason given");
    return hm_json_strn_new(text, hm_utf8_prefix(text, WARNING_MAX));
}

/* hm_http_judge() with Splunk's own words, which stand in a list. */
static enum hm_verdict judge_status(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *out)
{
    struct hm_answer told = *answer;
    if (answer->status >= 200 && answer->status < 300)
        return hm_http_judge(asked, answer, out);
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const char *text = hm_json_get_str(json_array_get(hm_json_get_arr(json, "messages"), 0), "text", NULL);
    if (text != NULL) {
        told.body = text;
        told.body_len = strlen(text);
    }
    enum hm_verdict verdict = hm_http_judge(asked, &told, out);
    json_decref(json);
    return verdict;
}

/* Splunk's messages: an error ends it; a warning is put into `warnings`. OK when the rows may be looked at. */
static enum hm_verdict judge_messages(const json_t *messages, json_t *warnings, struct hm_outcome *out)
{
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        const char *type = hm_json_get_str(message, "type", "");
        const char *text = hm_json_get_str(message, "text", "no reason given");
        bool not_run = strcasestr(text, "concurrent") != NULL || strcasestr(text, "not executed") != NULL ||
                       strcasestr(text, "quota") != NULL || strcasestr(text, "could not be dispatched") != NULL;
        bool fatal = strcasecmp(type, "FATAL") == 0 || strcasecmp(type, "ERROR") == 0;
        if (not_run && (fatal || strcasecmp(type, "WARN") == 0))
            return hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "Splunk did not run the search: %.*s",
                                   (int)hm_utf8_prefix(text, WARNING_MAX), text);
        if (fatal)
            return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Splunk refused the search: %.*s",
                                   (int)hm_utf8_prefix(text, WARNING_MAX), text);
        if (strcasecmp(type, "WARN") == 0)
            hm_json_add(warnings, message_new(message));
    }
    return HM_VERDICT_OK;
}

static enum hm_verdict odd(const struct hm_http_asked *asked, struct hm_outcome *out, json_t *json, const char *what)
{
    json_decref(json);
    return hm_http_odd(asked, out, what);
}

/* True when every element is an object. */
static bool are_rows(const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!json_is_object(json_array_get(rows, i)))
            return false;
    return json_is_array(rows);
}

/* The JSON object of a 2xx that has a body; or a verdict. */
static enum hm_verdict read_object(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                                   struct hm_outcome *out)
{
    *ret_json = NULL;
    enum hm_verdict verdict = judge_status(asked, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    verdict = hm_http_read_json(asked, answer, ret_json, out);
    if (verdict == HM_VERDICT_OK && !json_is_object(*ret_json)) {
        verdict = odd(asked, out, *ret_json, "a list instead of an object");
        *ret_json = NULL;
    }
    return verdict;
}

/* --- splunk.search -------------------------------------------------------------------------------------------------------- */

static enum hm_code search_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return begin_search(backend, args, "oneshot", req, err);
}

static enum hm_verdict search_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Splunk"};
    json_t *json = NULL;
    (void)cursor;
    if (answer->status == 204)
        return hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "Splunk has no result yet (HTTP 204)");
    enum hm_verdict verdict = read_object(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *warnings = hm_json_arr_new(), *rows = json_object_get(json, "results");
    verdict = judge_messages(hm_json_get_arr(json, "messages"), warnings, out);
    if (verdict == HM_VERDICT_OK && !are_rows(rows))
        verdict = hm_http_odd(&asked, out, "it has no list of results");
    if (verdict == HM_VERDICT_OK && hm_json_get_bool(json, "preview", false))
        hm_json_add(warnings, hm_json_str_new("only a preview: the search had not ended"));
    if (verdict == HM_VERDICT_OK) {
        const struct hm_splunk_rows found = {rows, json_object_get(args, "numbers"), warnings, row_limit(args)};
        out->result = hm_splunk_result_new(&found);
    }
    json_decref(warnings);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec row_fields[] = {
    {"time", HM_FIELD_TEXT, false, "the event's time", NULL},
    {"text", HM_FIELD_TEXT, false, "the event, shortened", NULL},
    {"*", HM_FIELD_ANY, false, "each further field of the query's rows", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec search_fields[] = {
    {"list", HM_FIELD_LIST, true, "the rows, oldest first", row_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"first", HM_FIELD_OBJECT, false, "the list's first", row_fields},
    {"text", HM_FIELD_TEXT, true, "the newest lines that fit on a card", NULL},
    {"oldest", HM_FIELD_TEXT, false, "the time of the first", NULL},
    {"newest", HM_FIELD_TEXT, false, "the time of the last", NULL},
    {"complete", HM_FIELD_BOOL, true, "false when there may be more rows than were asked for", NULL},
    {"verified", HM_FIELD_BOOL, true, "false when Splunk warned", NULL},
    {"warnings", HM_FIELD_LIST, true, "its warnings", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action splunk_search = {
    .name = "splunk.search",
    .title = "Search the logs",
    .doc = "One request, for windows of minutes: Splunk answers when the search has ended. A field among `numbers` is a number "
           "or null, every other a text; e-mail addresses, long numbers and secrets are replaced.",
    .effect = HM_EFFECT_READ,
    .args = search_args,
    .result = search_fields,
    .request = search_request,
    .response = search_response,
};

/* --- splunk.search-long: cursor {sid}, then {sid, polls}, then {sid, offset, rows, warnings} ---------------------------------
 */

static enum hm_code long_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    if (cursor == NULL)
        return begin_search(backend, args, "normal", req, err);
    char *sid = hm_url_encode(hm_json_get_str(cursor, "sid", ""));
    int64_t offset = hm_json_get_int(cursor, "offset", -1);
    hm_request_begin(req, backend, "GET", offset < 0 ? "%s/%s" : "%s/%s/results", search_path(backend), sid);
    hm_request_add_query(req, "output_mode", "json");
    if (offset >= 0) {
        char number[24];
        (void)snprintf(number, sizeof number, "%d", (int)PAGE);
        hm_request_add_query(req, "count", number);
        (void)snprintf(number, sizeof number, "%lld", (long long)offset);
        hm_request_add_query(req, "offset", number);
    }
    free(sid);
    return HM_OK;
}

static enum hm_verdict created(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    enum hm_verdict verdict = read_object(asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const char *sid = hm_json_get_str(json, "sid", "");
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@";
    if (sid[0] == '\0' || sid[0] == '.' || strlen(sid) > SID_MAX || strspn(sid, allowed) != strlen(sid))
        return odd(asked, out, json, "it has no search id (sid)");
    out->cursor = hm_json_obj_new();
    hm_json_set_str(out->cursor, "sid", sid);
    hm_json_set_int(out->cursor, "polls", 0);
    json_decref(json);
    return HM_VERDICT_MORE;
}

static enum hm_verdict poll_again(const json_t *cursor, const char *state, struct hm_outcome *out)
{
    int64_t polls = hm_json_get_int(cursor, "polls", 0) + 1;
    if (polls >= POLLS_MAX)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "Splunk still works at the search (%.20s) after it was asked %lld times: search a shorter time",
                               state, (long long)polls);
    out->cursor = json_deep_copy(cursor);
    hm_json_set_int(out->cursor, "polls", polls);
    out->wait_ms = polls <= QUICK_POLLS ? QUICK_WAIT_MS : WAIT_MS;
    return HM_VERDICT_MORE;
}

static enum hm_verdict polled(const struct hm_http_asked *asked, const json_t *cursor, const struct hm_answer *answer,
                              struct hm_outcome *out)
{
    json_t *json = NULL;
    enum hm_verdict verdict = read_object(asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *content = hm_json_get_obj(json_array_get(hm_json_get_arr(json, "entry"), 0), "content");
    const char *state = hm_json_get_str(content, "dispatchState", "");
    json_t *warnings = hm_json_arr_new();
    if (content == NULL || state[0] == '\0') {
        json_decref(warnings);
        return odd(asked, out, json, "the search job has no dispatchState");
    }
    bool ended = strcmp(state, "DONE") == 0 || strcmp(state, "FAILED") == 0;
    if (ended) /* until then a warning may be that it waits for its turn */
        verdict = judge_messages(hm_json_get_arr(content, "messages"), warnings, out);
    if (!ended) {
        verdict = poll_again(cursor, state, out);
    } else if (verdict == HM_VERDICT_OK && strcmp(state, "FAILED") == 0) {
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "the search failed in Splunk");
    } else if (verdict == HM_VERDICT_OK) {
        out->cursor = hm_json_obj_new();
        hm_json_set_str(out->cursor, "sid", hm_json_get_str(cursor, "sid", ""));
        hm_json_set_int(out->cursor, "polls", hm_json_get_int(cursor, "polls", 0));
        hm_json_set_int(out->cursor, "offset", 0);
        if (json_is_integer(json_object_get(content, "resultCount")))
            hm_json_set_int(out->cursor, "expected", hm_json_get_int(content, "resultCount", 0));
        hm_json_set(out->cursor, "rows", hm_json_arr_new());
        hm_json_set(out->cursor, "warnings", json_incref(warnings));
        verdict = HM_VERDICT_MORE;
    }
    json_decref(warnings);
    json_decref(json);
    return verdict;
}

/* One page of rows. The cursor goes into the journal, so it holds them redacted already. */
static enum hm_verdict fetched(const struct hm_http_asked *asked, const json_t *args, const json_t *cursor,
                               const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    if (answer->status == 204)
        return poll_again(cursor, "no rows yet", out);
    enum hm_verdict verdict = read_object(asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *page = json_object_get(json, "results");
    if (!are_rows(page))
        return odd(asked, out, json, "it has no list of results");
    json_t *rows = json_copy(hm_json_get_arr(cursor, "rows")), *warnings = json_deep_copy(hm_json_get_arr(cursor, "warnings"));
    int64_t limit = row_limit(args);
    verdict = judge_messages(hm_json_get_arr(json, "messages"), warnings, out);
    for (size_t i = 0; i < json_array_size(page) && (int64_t)json_array_size(rows) < limit; i++)
        hm_json_add(rows, hm_splunk_safe_row_new(json_array_get(page, i), json_object_get(args, "numbers")));
    int64_t have = (int64_t)json_array_size(rows), expected = hm_json_get_int(cursor, "expected", -1);
    int64_t wanted =
        expected >= 0 && expected < limit ? expected : limit; /* a Splunk that does not count ends with a short page */
    bool last = have >= wanted || (expected < 0 && json_array_size(page) < PAGE);
    if (verdict == HM_VERDICT_OK && !last && json_array_size(page) == 0) {
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "Splunk counts %lld rows and gave %lld", (long long)expected,
                                  (long long)have);
    } else if (verdict == HM_VERDICT_OK && last) {
        const struct hm_splunk_rows found = {rows, json_object_get(args, "numbers"), warnings, limit};
        out->result = hm_splunk_result_new(&found);
    } else if (verdict == HM_VERDICT_OK) {
        out->cursor = json_copy(hm_unconst(cursor));
        hm_json_set_int(out->cursor, "offset", have);
        hm_json_set(out->cursor, "rows", json_incref(rows));
        hm_json_set(out->cursor, "warnings", json_incref(warnings));
        verdict = HM_VERDICT_MORE;
    }
    json_decref(warnings);
    json_decref(rows);
    json_decref(json);
    return verdict;
}

static enum hm_verdict long_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *sid = hm_json_get_str(cursor, "sid", NULL);
    char *thing = sid != NULL ? hm_xasprintf("search job %s (it drops them when they are old)", sid) : NULL;
    const struct hm_http_asked asked = {.backend = backend, .system = "Splunk", .thing = thing};
    enum hm_verdict verdict = cursor == NULL                              ? created(&asked, answer, out)
                              : json_object_get(cursor, "offset") == NULL ? polled(&asked, cursor, answer, out)
                                                                          : fetched(&asked, args, cursor, answer, out);
    free(thing);
    return verdict;
}

static const struct hm_action splunk_search_long = {
    .name = "splunk.search-long",
    .title = "Search the logs of a long time",
    .doc = "A search job, asked for until it has ended (ten minutes at most), then its rows. A field among `numbers` is a number "
           "or null, every other a text; e-mail addresses, long numbers and secrets are replaced.",
    .effect = HM_EFFECT_READ,
    .args = search_args,
    .result = search_fields,
    .request = long_request,
    .response = long_response,
};

static const struct hm_action *const actions[] = {&splunk_search, &splunk_search_long, NULL};

/* search_path: "/services/search/v2/jobs" (Splunk 9 and later); "/services/search/jobs" before. */
static const char *const settings[] = {"search_path", NULL};

const struct hm_handler hm_splunk_handler = {
    .name = "splunk",
    .title = "Splunk: the logs",
    .actions = actions,
    .settings = settings,
};
