/* Splunk: events that can be searched, by one request or by a job.
 *
 * State: {"config": {"bearer": text or null, "busy": number of searches that are not run (a 200 with a WARN, as Splunk does it)},
 *         "events": [{"ago_s": seconds before now, or "time": "2026-…Z"; "raw"; and fields, as texts}]}. A job is running the
 * first time it is asked for, then done; its rows are those of the moment it was made. */
#include "splunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"
#include "world.h"

struct splunk {
    json_t *config, *events;
    json_t *jobs; /* sid → {rows, polls} */
    int64_t made;
};

static void say(struct hm_world_answer *ans, int status, const char *type, const char *text)
{
    json_t *body = hm_json_obj_new(), *list = hm_json_arr_new(), *message = hm_json_obj_new();
    hm_json_set_str(message, "type", type);
    hm_json_set_str(message, "text", text);
    hm_json_add(list, message);
    hm_json_set(body, "messages", list);
    hm_world_answer_json(ans, status, "application/json; charset=UTF-8", body);
}

/* now, -24h, -24h@h, 2026-…Z, seconds since 1970. False when it is none. */
static bool read_time(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    int64_t number = 0;
    const char *p = text;
    *ret_ms = now_ms;
    if (strcmp(text, "now") == 0)
        return true;
    if (hm_kit_time_ms(text) >= 0) {
        *ret_ms = hm_kit_time_ms(text);
        return true;
    }
    if (hm_parse_i64(text, 0, INT64_MAX / 1000, &number)) {
        *ret_ms = number * 1000;
        return true;
    }
    if (*p == '-' || *p == '+') {
        char digits[12] = "";
        size_t len = strspn(p + 1, "0123456789");
        if (len == 0 || len >= sizeof digits)
            return false;
        memcpy(digits, p + 1, len);
        size_t u = 0;
        while (u < HM_ARRAY_LEN(units) && units[u].unit != p[1 + len])
            u++;
        if (u == HM_ARRAY_LEN(units) || !hm_parse_i64(digits, 0, 1000000, &number))
            return false;
        *ret_ms += (*p == '-' ? -1 : 1) * number * units[u].ms;
        p += len + 2;
    }
    if (*p == '@') {
        size_t u = 0;
        while (u < HM_ARRAY_LEN(units) && units[u].unit != p[1])
            u++;
        if (u == HM_ARRAY_LEN(units))
            return false;
        *ret_ms -= *ret_ms % units[u].ms;
        p += 2;
    }
    return p > text && *p == '\0';
}

static int by_time(const void *a, const void *b)
{
    const char *x = hm_json_get_str(*(json_t *const *)a, "_time", ""), *y = hm_json_get_str(*(json_t *const *)b, "_time", "");
    return strcmp(y, x);
}

/* The events of the window, newest first, as rows. */
static json_t *window_new(const struct splunk *s, int64_t now_ms, int64_t from_ms, int64_t to_ms)
{
    size_t n = json_array_size(s->events), found = 0;
    json_t **rows = hm_xcalloc(n + 1, sizeof(void *));
    for (size_t i = 0; i < n; i++) {
        const json_t *event = json_array_get(s->events, i);
        const char *time = hm_json_get_str(event, "time", NULL), *key = NULL;
        int64_t at = time != NULL ? hm_kit_time_ms(time) : now_ms - hm_json_get_int(event, "ago_s", 0) * 1000;
        json_t *value = NULL;
        if (at < from_ms || at >= to_ms + 1)
            continue;
        char text[HM_TIME_MAX];
        json_t *row = hm_json_obj_new();
        hm_json_set_str(row, "_time", hm_format_time(at, text));
        hm_json_set_str(row, "_raw", hm_json_get_str(event, "raw", ""));
        json_object_foreach(hm_unconst(event), key,
                            value) if (json_is_string(value) && strcmp(key, "raw") != 0 && strcmp(key, "time") != 0)
            hm_json_set(row, key, json_incref(value));
        rows[found++] = row;
    }
    qsort(rows, found, sizeof(void *), by_time);
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < found; i++)
        hm_json_add(list, rows[i]);
    free(rows);
    return list;
}

/* The rows that a form asks for; NULL when it was answered already. */
static json_t *search_new(struct splunk *s, struct hm_world *world, const json_t *form, struct hm_world_answer *ans)
{
    int64_t now = hm_world_now_ms(world), from = 0, to = 0;
    struct hm_err err = {0};
    const char *query = hm_json_get_str(form, "search", NULL);
    if (query == NULL || (strncasecmp(query, "search ", 7) != 0 && query[0] != '|')) {
        say(ans, 400, "FATAL",
            query == NULL ? "Empty search." : "Unknown search command: a search begins with \"search\" or a bar.");
        return NULL;
    }
    if (!hm_streq(hm_json_get_str(form, "output_mode", NULL), "json")) {
        hm_world_answer_text(ans, 200, "<?xml version='1.0'?><results/>\n");
        return NULL;
    }
    if (!read_time(hm_json_get_str(form, "earliest_time", "-24h"), now, &from) ||
        !read_time(hm_json_get_str(form, "latest_time", "now"), now, &to)) {
        say(ans, 400, "FATAL", "Invalid earliest_time or latest_time.");
        return NULL;
    }
    json_t *events = window_new(s, now, from, to);
    json_t *rows = hm_spl_run_new(query, events, &err);
    json_decref(events);
    if (rows == NULL)
        say(ans, 400, "FATAL", err.msg);
    return rows;
}

static json_t *results_new(const json_t *rows, int64_t offset, int64_t count)
{
    json_t *page = hm_json_arr_new(), *body = hm_json_obj_new();
    for (int64_t i = offset; i < (int64_t)json_array_size(rows) && (count == 0 || i < offset + count); i++)
        hm_json_add(page, json_incref(json_array_get(rows, (size_t)i)));
    hm_json_set_bool(body, "preview", false);
    hm_json_set_int(body, "init_offset", offset);
    hm_json_set(body, "messages", hm_json_arr_new());
    hm_json_set(body, "results", page);
    return body;
}

static void create(struct splunk *s, struct hm_world *world, const json_t *form, struct hm_world_answer *ans)
{
    const char *mode = hm_json_get_str(form, "exec_mode", "normal");
    bool oneshot = strcmp(mode, "oneshot") == 0;
    int64_t count = 100, busy = hm_json_get_int(s->config, "busy", 0);
    if (!oneshot && strcmp(mode, "normal") != 0) {
        say(ans, 400, "FATAL", "Invalid value for exec_mode.");
        return;
    }
    if (!hm_parse_i64(hm_json_get_str(form, oneshot ? "count" : "max_count", "100"), 0, 50000, &count)) {
        say(ans, 400, "FATAL", "Invalid value for count.");
        return;
    }
    json_t *rows = search_new(s, world, form, ans);
    if (rows == NULL)
        return;
    if (oneshot && busy > 0) {
        json_t *empty = hm_json_arr_new();
        hm_json_set_int(s->config, "busy", busy - 1);
        say(ans, 200, "WARN", "The maximum number of concurrent historical searches on this instance has been reached.");
        json_t *body = hm_json_parse_new(ans->body, ans->body_len, ans->body_len, NULL);
        hm_json_set(body, "results", empty);
        hm_world_answer_json(ans, 200, "application/json; charset=UTF-8", body);
    } else if (oneshot) {
        hm_world_answer_json(ans, 200, "application/json; charset=UTF-8", results_new(rows, 0, count));
    } else {
        char *sid = hm_xasprintf("1764300000.%lld", (long long)++s->made);
        json_t *job = hm_json_obj_new(), *body = hm_json_obj_new();
        hm_json_set(job, "rows", json_incref(rows));
        hm_json_set_int(job, "polls", 0);
        hm_json_set(s->jobs, sid, job);
        hm_json_set_str(body, "sid", sid);
        hm_world_answer_json(ans, 201, "application/json; charset=UTF-8", body);
        free(sid);
    }
    json_decref(rows);
}

static void show_job(json_t *job, struct hm_world_answer *ans)
{
    int64_t polls = hm_json_get_int(job, "polls", 0) + 1;
    json_t *content = hm_json_obj_new(), *entry = hm_json_obj_new(), *list = hm_json_arr_new(), *body = hm_json_obj_new();
    hm_json_set_int(job, "polls", polls);
    hm_json_set_str(content, "dispatchState", polls > 1 ? "DONE" : "RUNNING");
    hm_json_set(content, "doneProgress", json_real(polls > 1 ? 1.0 : 0.4));
    hm_json_set(content, "messages", hm_json_arr_new());
    hm_json_set(entry, "content", content);
    hm_json_add(list, entry);
    hm_json_set(body, "entry", list);
    hm_world_answer_json(ans, 200, "application/json; charset=UTF-8", body);
}

/* rest: "/SID" or "/SID/results" */
static void job(struct splunk *s, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    size_t len = strcspn(rest + 1, "/");
    char *sid = hm_xstrndup(rest + 1, len);
    const char *what = rest + 1 + len;
    json_t *found = json_object_get(s->jobs, sid), *form = hm_kit_form_new(req->query, strlen(req->query));
    int64_t count = 0, offset = 0;
    free(sid);
    if (found == NULL) {
        say(ans, 404, "FATAL", "Unknown sid.");
    } else if (strcmp(req->method, "GET") != 0) {
        say(ans, 405, "ERROR", "Method Not Allowed");
    } else if (!hm_streq(hm_json_get_str(form, "output_mode", NULL), "json")) {
        hm_world_answer_text(ans, 200, "<?xml version='1.0'?><entry/>\n");
    } else if (what[0] == '\0') {
        show_job(found, ans);
    } else if (strcmp(what, "/results") != 0 || !hm_parse_i64(hm_json_get_str(form, "count", "100"), 0, 50000, &count) ||
               !hm_parse_i64(hm_json_get_str(form, "offset", "0"), 0, 1000000, &offset)) {
        say(ans, 404, "ERROR", "Not Found");
    } else if (hm_json_get_int(found, "polls", 0) < 2) {
        hm_world_answer_text(ans, 204, "%s", "");
    } else {
        hm_world_answer_json(ans, 200, "application/json; charset=UTF-8",
                             results_new(hm_json_get_arr(found, "rows"), offset, count));
    }
    json_decref(form);
}

/* --- the system ----------------------------------------------------------------------------------------------------------- */

static void splunk_free(void *system)
{
    struct splunk *s = system;
    json_decref(s->config);
    json_decref(s->events);
    json_decref(s->jobs);
    free(s);
}

static void *splunk_new(const json_t *state, struct hm_err *err)
{
    struct splunk *s = hm_xcalloc(1, sizeof(*s));
    json_t *config = hm_json_get_obj(state, "config"), *events = hm_json_get_arr(state, "events");
    s->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    s->events = events != NULL ? json_deep_copy(events) : hm_json_arr_new();
    s->jobs = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(s->events); i++) {
        const json_t *event = json_array_get(s->events, i);
        const char *time = hm_json_get_str(event, "time", NULL);
        if (hm_json_get_str(event, "raw", NULL) != NULL && (time == NULL || hm_kit_time_ms(time) >= 0))
            continue;
        (void)hm_err_set(err, HM_EINVAL, "event %zu: it needs raw, and ago_s or a time like 2026-11-28T03:00:00Z", i);
        splunk_free(s);
        return NULL;
    }
    return s;
}

static json_t *splunk_state_new(void *system)
{
    const struct splunk *s = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(s->config));
    hm_json_set(state, "events", json_deep_copy(s->events));
    return state;
}

static void splunk_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char *const roots[] = {"/services/search/v2/jobs", "/services/search/jobs"};
    struct splunk *s = system;
    const char *rest = NULL;
    if (!hm_kit_authorized(s->config, req, ans))
        return;
    for (size_t i = 0; i < HM_ARRAY_LEN(roots) && rest == NULL; i++)
        if (hm_starts_with(req->path, roots[i]))
            rest = req->path + strlen(roots[i]);
    if (rest != NULL && rest[0] == '/' && rest[1] != '\0') {
        job(s, req, rest, ans);
    } else if (rest == NULL || rest[0] != '\0') {
        say(ans, 404, "ERROR", "Not Found");
    } else if (strcmp(req->method, "POST") != 0) {
        say(ans, 405, "ERROR", "Method Not Allowed");
    } else if (strncasecmp(req->content_type, "application/x-www-form-urlencoded", 33) != 0) {
        say(ans, 400, "FATAL", "Empty search."); /* no form, no fields */
    } else {
        json_t *form = hm_kit_form_new(req->body, req->body_len);
        if (form != NULL)
            create(s, world, form, ans);
        else
            say(ans, 400, "FATAL", "Malformed form.");
        json_decref(form);
    }
}

const struct hm_world_system hm_world_splunk = {
    .name = "splunk",
    .new = splunk_new,
    .free = splunk_free,
    .state_new = splunk_state_new,
    .handle = splunk_handle,
};
