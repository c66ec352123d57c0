/* Dispatch: arguments, token, scopes, rate limit, fault, work, answer, log. */
#include "webapi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "fault.h"
#include "form.h"
#include "ratelimit.h"

static const struct sim_method *const tables[] = {sim_methods_chat, sim_methods_conversations, sim_methods_people,
                                                  sim_methods_views, sim_methods_files};

static const struct sim_method *find_method(const char *name)
{
    const struct sim_method *m = NULL;
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(tables); i++) {
        for (m = tables[i]; m->name != NULL; m++) {
            if (strcmp(m->name, name) == 0) {
                return m;
            }
        }
    }
    return NULL;
}

/* --- arguments
 * ------------------------------------------------------------------------------------------------------------------ */
const char *sim_arg_str(const struct sim_call *call, const char *key)
{
    return hm_json_get_str(call->args, key, NULL);
}

int64_t sim_arg_int(const struct sim_call *call, const char *key, int64_t fallback)
{
    const char *s = sim_arg_str(call, key);
    int64_t n = 0;

    if (s != NULL) {
        return hm_parse_i64(s, INT64_MIN, INT64_MAX, &n) ? n : fallback;
    }
    return hm_json_get_int(call->args, key, fallback);
}

bool sim_arg_bool(const struct sim_call *call, const char *key, bool fallback)
{
    const char *s = sim_arg_str(call, key);

    if (s != NULL) {
        return strcmp(s, "true") == 0 || strcmp(s, "1") == 0;
    }
    return hm_json_get_bool(call->args, key, sim_arg_int(call, key, fallback ? 1 : 0) != 0);
}

bool sim_bot_in(const struct sim *sim, const struct sim_channel *c)
{
    return sim_channel_has(c, sim_state_app_str(sim->state, "bot_user"));
}

struct sim_channel *sim_arg_channel(const struct sim_call *call, const char **ret_error)
{
    struct sim_channel *c = sim_state_channel(call->sim->state, sim_arg_str(call, "channel"));
    const char *id = sim_arg_str(call, "channel");

    *ret_error = NULL;
    if (c == NULL && sim_state_user(call->sim->state, id) != NULL) {
        c = sim_state_dm(call->sim->state, id); /* posting to a user id posts to the DM */
    }
    if (c == NULL || (sim_channel_flag(c, "is_private") && !sim_bot_in(call->sim, c))) {
        *ret_error = "channel_not_found";
        return NULL;
    }
    return c;
}

/* JSON-valued arguments arrive as text in forms. */
static void parse_json_fields(json_t *args)
{
    static const char *const fields[] = {"blocks", "attachments", "metadata", "view", "files", "unfurl_links", "prefix"};
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(fields); i++) {
        const char *text = hm_json_get_str(args, fields[i], NULL);

        if (text != NULL && (text[0] == '[' || text[0] == '{')) {
            json_t *value = hm_json_parse_new(text, strlen(text), SIM_HTTP_BODY_MAX, NULL);

            if (value != NULL) {
                hm_json_set(args, fields[i], value);
            }
        }
    }
}

/* NULL: the body is no JSON object though it says so. */
static json_t *args_new(const struct sim_req *req)
{
    const char *type = sim_req_header(req, "content-type");
    json_t *args = NULL;
    json_t *form = NULL;

    if (type != NULL && strncmp(type, "application/json", 16) == 0) {
        args = req->body_len == 0 ? hm_json_obj_new() : hm_json_parse_new(req->body, req->body_len, SIM_HTTP_BODY_MAX, NULL);
        if (!json_is_object(args)) {
            json_decref(args);
            return NULL;
        }
    } else {
        args = json_deep_copy(req->query);
        form = sim_form_parse_new(req->body);
        (void)json_object_update(args, form);
        json_decref(form);
    }
    parse_json_fields(args);
    return args;
}

/* --- who calls, and may they
 * ------------------------------------------------------------------------------------------------------ */
static const char *token_of(const struct sim_req *req, const json_t *args)
{
    const char *auth = sim_req_header(req, "authorization");

    if (auth != NULL && strncmp(auth, "Bearer ", 7) == 0) {
        return auth + 7;
    }
    return hm_json_get_str(args, "token", NULL);
}

static bool granted(const struct sim *sim, const char *scope, size_t len)
{
    json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(hm_json_get_arr(sim->state->app, "scopes"), i, one)
    {
        if (strlen(json_string_value(one)) == len && strncmp(json_string_value(one), scope, len) == 0) {
            return true;
        }
    }
    return false;
}

static char *scopes_text(const struct sim *sim)
{
    struct hm_strbuf b;
    json_t *one = NULL;
    size_t i = 0;

    hm_strbuf_init(&b, 4096);
    json_array_foreach(hm_json_get_arr(sim->state->app, "scopes"), i, one)
    {
        hm_strbuf_addf(&b, "%s%s", i > 0 ? "," : "", json_string_value(one));
    }
    return hm_strbuf_take(&b);
}

static const char *check_scopes(struct sim_call *call, const struct sim_method *m)
{
    const char *at = m->scopes;
    char *provided = NULL;
    char needed[64];

    if (*at == '\0') {
        return NULL;
    }
    while (*at != '\0') {
        size_t n = strcspn(at, " ");

        if (granted(call->sim, at, n)) {
            return NULL;
        }
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    (void)snprintf(needed, sizeof(needed), "%.*s", (int)strcspn(m->scopes, " "), m->scopes);
    hm_json_set_str(call->out, "needed", needed);
    provided = scopes_text(call->sim);
    hm_json_set_str(call->out, "provided", provided);
    free(provided);
    return "missing_scope";
}

static const char *check_token(struct sim_call *call, const struct sim_method *m)
{
    const struct sim_state *s = call->sim->state;
    const char *token = token_of(call->req, call->args);
    bool is_bot = hm_streq(token, sim_state_app_str(s, "bot_token"));
    bool is_app = hm_streq(token, sim_state_app_str(s, "app_token"));

    if (token == NULL || token[0] == '\0') {
        return strcmp(m->name, "api.test") == 0 ? NULL : "not_authed";
    }
    if (m->app_token && hm_json_get_str(call->args, "token", NULL) != NULL) {
        sim_log_violation(call->sim->log, m->name, "token as an argument; it belongs into the Authorization header");
        return "invalid_auth";
    }
    if (!is_bot && !is_app) {
        return "invalid_auth";
    }
    if (is_app != m->app_token && strcmp(m->name, "api.test") != 0) {
        return "not_allowed_token_type";
    }
    return m->app_token ? NULL : check_scopes(call, m);
}

static int64_t tier_per_minute(enum sim_tier tier)
{
    switch (tier) {
    case SIM_TIER_1:
        return 1;
    case SIM_TIER_2:
        return 20;
    case SIM_TIER_3:
        return 50;
    case SIM_TIER_4:
        return 100;
    case SIM_TIER_POST:
        return 300;
    case SIM_TIER_MANY:
        return 600;
    }
    return 50;
}

static const char *check_rate(struct sim_call *call, const struct sim_method *m)
{
    struct sim *sim = call->sim;

    call->retry_after_s = sim_limits_take(sim->limits, m->name, tier_per_minute(m->tier), sim->knobs.rate_scale, sim_now_us());
    return call->retry_after_s > 0 ? "ratelimited" : NULL;
}

/* --- answers
 * ------------------------------------------------------------------------------------------------------------------------ */
const char *sim_page(struct sim_call *call, const char *key, json_t *stolen_all, int64_t default_limit, int64_t max_limit)
{
    const char *cursor = sim_arg_str(call, "cursor");
    int64_t limit = sim_arg_int(call, "limit", default_limit);
    int64_t total = (int64_t)json_array_size(stolen_all);
    int64_t from = 0;
    int64_t i = 0;
    json_t *page = NULL;
    json_t *meta = NULL;
    char next[40] = "";

    if (limit == 0) {
        limit = default_limit;
    }
    if (cursor != NULL && cursor[0] != '\0' &&
        (!hm_starts_with(cursor, "bmV4dDo") || !hm_parse_i64(cursor + 7, 0, total, &from))) {
        json_decref(stolen_all);
        return "invalid_cursor";
    }
    if (limit < 1 || limit > max_limit) {
        json_decref(stolen_all);
        return "invalid_limit";
    }
    page = hm_json_arr_new();
    for (i = from; i < total && i < from + limit; i++) {
        hm_json_add(page, json_incref(json_array_get(stolen_all, (size_t)i)));
    }
    json_decref(stolen_all);
    if (from + limit < total) {
        (void)snprintf(next, sizeof(next), "bmV4dDo%" PRId64, from + limit);
    }
    hm_json_set(call->out, key, page);
    meta = hm_json_obj_new();
    hm_json_set_str(meta, "next_cursor", next);
    hm_json_set(call->out, "response_metadata", meta);
    return NULL;
}

/* [ERROR] lines as Slack puts them, both in "errors" and in response_metadata.messages. */
static void add_messages(struct sim_call *call)
{
    json_t *meta = NULL;
    json_t *lines = NULL;
    json_t *one = NULL;
    size_t i = 0;

    if (call->messages == NULL) {
        return;
    }
    lines = hm_json_arr_new();
    json_array_foreach(call->messages, i, one)
    {
        char *line = hm_xasprintf("[ERROR] %s", json_string_value(one));

        hm_json_add(lines, hm_json_str_new(line));
        free(line);
    }
    meta = hm_json_get_obj(call->out, "response_metadata");
    if (meta == NULL) {
        meta = hm_json_obj_new();
        hm_json_set(call->out, "response_metadata", meta);
    }
    hm_json_set(meta, "messages", lines);
    hm_json_set(call->out, "errors", call->messages);
    call->messages = NULL;
}

static void reply(struct sim_call *call, const char *error)
{
    struct sim_log_entry entry = {.kind = SIM_LOG_API, .who = call->method, .status = 200};
    json_t *whole = hm_json_obj_new();
    char *extra = NULL;
    char *scopes = NULL;

    hm_json_set_bool(whole, "ok", error == NULL);
    if (error != NULL) {
        hm_json_set_str(whole, "error", error);
    }
    add_messages(call);
    (void)json_object_update(whole, call->out);
    entry.a = call->args;
    entry.b = whole;
    entry.took_us = sim_now_us() - call->req->arrived_us;
    if (hm_streq(error, "ratelimited")) {
        entry.status = 429;
        sim_log_rate_limited(call->sim->log, call->method);
        extra = hm_xasprintf("Retry-After: %lld\r\n", (long long)call->retry_after_s);
    } else {
        scopes = scopes_text(call->sim);
        extra = hm_xasprintf("X-OAuth-Scopes: %s\r\n", scopes);
        free(scopes);
    }
    sim_log_add(call->sim->log, &entry);
    sim_http_reply_json(call->req, entry.status, extra, whole);
    free(extra);
}

static const char *work(struct sim_call *call, const struct sim_method *m)
{
    const char *error = NULL;

    if (m == NULL) {
        return "unknown_method";
    }
    if (call->args == NULL) {
        call->args = hm_json_obj_new();
        return "invalid_json";
    }
    error = check_token(call, m);
    if (error == NULL) {
        error = check_rate(call, m);
    }
    return error != NULL ? error : m->fn(call);
}

void sim_webapi_on_request(struct sim *sim, struct sim_req *req)
{
    struct sim_call call = {.sim = sim, .req = req, .method = req->path + 5};
    const char *error = NULL;

    if (!req->fault_taken) {
        sim_log_called(sim->log, call.method);
    }
    if (sim_fault_before(sim, call.method, req)) {
        sim_touch(sim);
        return;
    }
    call.args = args_new(req);
    call.out = hm_json_obj_new();
    error = work(&call, find_method(call.method));
    (void)json_object_del(call.args, "token");
    sim_touch(sim);
    if (error != NULL || !sim_fault_after(sim, call.method, req)) {
        reply(&call, error);
    }
    json_decref(call.args);
    json_decref(call.out);
    json_decref(call.messages);
}
