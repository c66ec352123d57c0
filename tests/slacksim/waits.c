/* see waits.h. A poll's conditions are its query; they are looked at when it comes and after each turn in which sim->version
 * grew. idle_ms is a matter of time, so it has a timer of its own. */
#include "waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "elements.h"
#include "render_text.h"
#include "socket.h"

enum { TIMEOUT_MS = 10000, TIMEOUT_MAX_MS = 600000 };

struct poll {
    struct sim_waits *w;
    struct sim_req *req;
    uint64_t timer, idle_timer;
    bool message_held; /* at the last look the message was there, and another condition was not */
    uint64_t looked;   /* sim->version at the last look: what has not changed since is not looked at again */
    struct poll *next;
};

struct stream {
    struct sim_waits *w;
    struct sim_req *req;
    char *user;
    struct stream *next;
};

struct sim_waits {
    struct sim *sim;
    struct poll *polls;
    struct stream *streams;
    uint64_t seen;
    bool again; /* a poll was added or answered while we were looking */
};

struct sim_waits *sim_waits_new(struct sim *sim)
{
    struct sim_waits *w = hm_xcalloc(1, sizeof(*w));

    w->sim = sim;
    return w;
}

static const char *arg(const struct poll *p, const char *key)
{
    return hm_json_get_str(p->req->query, key, NULL);
}

static int64_t userint(const struct poll *p, const char *key, int64_t fallback)
{
    int64_t n = 0;

    return arg(p, key) != NULL && hm_parse_i64(arg(p, key), 0, INT64_MAX, &n) ? n : fallback;
}

/* --- conditions
 * ----------------------------------------------------------------------------------------------------------------- */
static json_t *element_json_new(const struct sim_found *found)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_str(out, "action_id", hm_json_get_str(found->element, "action_id", ""));
    hm_json_set_str(out, "block_id", hm_json_get_str(found->block, "block_id", ""));
    hm_json_set(out, "value",
                json_object_get(found->element, "value") != NULL ? json_deep_copy(json_object_get(found->element, "value"))
                                                                 : json_null());
    hm_json_set_str(out, "type", hm_json_get_str(found->element, "type", ""));
    return out;
}

/* contains and action, of what is shown in json (a message or a view, rendered as text). */
static bool content_holds(const struct poll *p, const json_t *json, const char *text, json_t *out)
{
    struct sim_found found = {0};
    json_t *one = NULL;
    size_t i = 0;

    if (arg(p, "contains") != NULL && strstr(text, arg(p, "contains")) == NULL) {
        return false;
    }
    if (arg(p, "action") == NULL) {
        return true;
    }
    found = sim_blocks_find(hm_json_get_arr(json, "blocks"), arg(p, "action"), arg(p, "block"));
    json_array_foreach(hm_json_get_arr(json, "attachments"), i, one)
    {
        if (found.matches == 0) {
            found = sim_blocks_find(hm_json_get_arr(one, "blocks"), arg(p, "action"), arg(p, "block"));
        }
    }
    if (found.matches > 0) {
        hm_json_set(out, "element", element_json_new(&found));
    }
    return found.matches > 0;
}

static bool wanted(const struct poll *p, const struct sim_msg *m)
{
    const char *user = arg(p, "user");
    const char *thread = arg(p, "thread_ts");
    const char *since = arg(p, "since");

    if (arg(p, "absent") == NULL && p->looked > 0 && m->changed <= p->looked) {
        return false;
    }
    if (arg(p, "ts") != NULL && strcmp(m->ts, arg(p, "ts")) != 0) {
        return false;
    }
    if (thread != NULL && strcmp(m->thread_ts, thread) != 0 && strcmp(m->ts, thread) != 0) {
        return false;
    }
    if (since != NULL && strcmp(m->ts, since) <= 0) {
        return false;
    }
    if (arg(p, "ephemeral") != NULL && m->only_user == NULL) {
        return false;
    }
    if (arg(p, "from") != NULL &&
        !hm_streq(arg(p, "from"), hm_json_get_str(m->json, "bot_id", hm_json_get_str(m->json, "user", NULL)))) {
        return false;
    }
    return m->only_user == NULL || (user != NULL && sim_msg_seen_by(m, user));
}

/* The newest message that holds. */
static bool message_holds(const struct poll *p, json_t *out)
{
    const struct sim *sim = p->w->sim;
    const struct sim_channel *c = sim_state_channel(sim->state, arg(p, "channel"));
    struct hm_strbuf text;
    bool found = false;
    size_t i = 0;

    hm_strbuf_init(&text, SIM_RENDER_MAX);
    for (i = c != NULL ? c->msgs_nr : 0; i > 0 && !found; i--) {
        const struct sim_msg *m = c->msgs[i - 1];

        if (!wanted(p, m)) {
            continue;
        }
        hm_strbuf_reset(&text);
        sim_render_message(sim->state, m->json, "", &text);
        if (content_holds(p, m->json, hm_strbuf_str(&text), out)) {
            found = true;
            hm_json_set(out, "message", json_deep_copy(m->json));
            hm_json_set_str(json_object_get(out, "message"), "channel", c->id);
            hm_json_set_str(out, "text", hm_strbuf_str(&text));
            hm_json_set_str(out, "ts", m->ts);
            hm_json_set_str(out, "only_user", m->only_user);
        }
    }
    hm_strbuf_done(&text);
    return arg(p, "absent") != NULL ? !found : found;
}

static bool view_holds(const struct poll *p, json_t *out)
{
    const struct sim *sim = p->w->sim;
    const char *user = arg(p, "user") != NULL ? arg(p, "user") : "U0ANA";
    const struct sim_view *view = arg(p, "home") != NULL ? sim_views_home(sim->views, user) : sim_views_top(sim->views, user);
    struct hm_strbuf text;
    bool holds = false;

    if (view == NULL) {
        return arg(p, "absent") != NULL;
    }
    hm_strbuf_init(&text, SIM_RENDER_MAX);
    sim_render_view(sim->state, view->json, &text);
    holds = !view->waiting && content_holds(p, view->json, hm_strbuf_str(&text), out);
    if (holds) {
        hm_json_set(out, "view", json_deep_copy(view->json));
        hm_json_set_str(out, "view_error", view->error);
        hm_json_set(out, "view_errors", view->errors != NULL ? json_incref(view->errors) : json_null());
        hm_json_set_str(out, "text", hm_strbuf_str(&text));
    }
    hm_strbuf_done(&text);
    return arg(p, "absent") != NULL ? !holds : holds;
}

/* "name:N" -> count(name) >= N */
static bool count_holds(const struct poll *p, const char *key, int64_t (*count)(const struct sim_log *log, const char *name))
{
    const char *colon = strrchr(arg(p, key), ':');
    char *name = hm_xstrndup(arg(p, key), colon != NULL ? (size_t)(colon - arg(p, key)) : strlen(arg(p, key)));
    int64_t n = 1;
    bool holds = false;

    if (colon != NULL && !hm_parse_i64(colon + 1, 0, INT64_MAX, &n)) {
        n = 1;
    }
    holds = count(p->w->sim->log, name) >= n;
    free(name);
    return holds;
}

static int64_t count_kind(const struct sim_log *log, const char *name)
{
    enum sim_log_kind kind = sim_log_parse_kind(name);

    return kind != SIM_LOG_NR ? sim_log_kind_count(log, kind) : 0;
}

static bool idle_holds(const struct poll *p)
{
    const struct sim *sim = p->w->sim;
    int64_t idle_us = sim_now_us() - sim_log_last_us(sim->log);

    return sim_socket_open_envelopes(sim->socket) == 0 && idle_us >= userint(p, "idle_ms", 0) * 1000;
}

/* All conditions; out gets what they found. */
static bool holds(struct poll *p, json_t *out)
{
    const struct sim *sim = p->w->sim;

    if (arg(p, "view") != NULL || arg(p, "home") != NULL) {
        if (!view_holds(p, out)) {
            return false;
        }
    } else if (arg(p, "channel") != NULL) {
        p->message_held = message_holds(p, out);
        if (!p->message_held) {
            return false;
        }
    }
    if (arg(p, "acks") != NULL && sim_log_counts(sim->log)->acks < userint(p, "acks", 0)) {
        return false;
    }
    if (arg(p, "connections") != NULL && (int64_t)sim_socket_live(sim->socket) != userint(p, "connections", 0)) {
        return false;
    }
    if (arg(p, "min_connections") != NULL && (int64_t)sim_socket_live(sim->socket) < userint(p, "min_connections", 0)) {
        return false;
    }
    if (arg(p, "calls") != NULL && !count_holds(p, "calls", sim_log_calls)) {
        return false;
    }
    if (arg(p, "log") != NULL && !count_holds(p, "log", count_kind)) {
        return false;
    }
    return arg(p, "idle_ms") == NULL || idle_holds(p);
}

/* --- polls
 * ------------------------------------------------------------------------------------------------------------------------- */
static void poll_free(struct poll *p)
{
    struct poll **at = NULL;

    for (at = &p->w->polls; *at != NULL; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    p->w->again = true;
    sim_timers_cancel(p->w->sim->timers, &p->timer);
    sim_timers_cancel(p->w->sim->timers, &p->idle_timer);
    free(p);
}

static void answer(struct poll *p, bool ok, json_t *stolen_out)
{
    struct sim_req *req = p->req;
    json_t *whole = hm_json_obj_new();

    hm_json_set_bool(whole, "ok", ok);
    if (!ok) {
        hm_json_set_str(whole, "error", "timeout");
    }
    (void)json_object_update(whole, stolen_out);
    json_decref(stolen_out);
    poll_free(p);
    sim_http_reply_json(req, 200, NULL, whole);
}

static bool look(struct poll *p)
{
    json_t *out = hm_json_obj_new();

    if (!holds(p, out)) {
        json_decref(out);
        p->looked = p->message_held ? 0 : p->w->sim->version;
        return false;
    }
    answer(p, true, out);
    return true;
}

static void on_timeout(void *user)
{
    struct poll *p = user;

    p->timer = 0;
    answer(p, false, hm_json_obj_new());
}

static void on_idle_timer(void *user)
{
    struct poll *p = user;

    p->idle_timer = 0;
    if (!look(p)) {
        p->idle_timer = sim_timers_add(p->w->sim->timers, userint(p, "idle_ms", 100) / 4 + 1, on_idle_timer, p);
    }
}

static void on_gone(struct sim_req *req, void *user)
{
    poll_free(user);
    sim_http_forget(req);
}

void sim_waits_on_request(struct sim_waits *w, struct sim_req *req)
{
    struct poll *p = hm_xcalloc(1, sizeof(*p));
    int64_t timeout_ms = 0;

    p->w = w;
    p->req = req;
    p->next = w->polls;
    w->polls = p;
    w->again = true;
    timeout_ms = userint(p, "timeout_ms", TIMEOUT_MS);
    if (look(p)) {
        return;
    }
    req->on_gone = on_gone;
    req->gone_arg = p;
    p->timer = sim_timers_add(w->sim->timers, timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS, on_timeout, p);
    if (arg(p, "idle_ms") != NULL) {
        p->idle_timer = sim_timers_add(w->sim->timers, userint(p, "idle_ms", 100), on_idle_timer, p);
    }
}

static void look_at_all(struct sim_waits *w)
{
    struct poll *p = NULL;

    do {
        w->again = false;
        for (p = w->polls; p != NULL; p = p->next) {
            if (look(p)) {
                break; /* the list has changed: from the start */
            }
        }
    } while (w->again);
}

/* --- streams
 * ------------------------------------------------------------------------------------------------------------------------ */
static void stream_gone(struct sim_req *req, void *user)
{
    struct stream *s = user;
    struct stream **at = NULL;

    for (at = &s->w->streams; *at != NULL; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    free(s->user);
    free(s);
    sim_http_forget(req);
}

void sim_waits_stream(struct sim_waits *w, struct sim_req *req)
{
    struct stream *s = hm_xcalloc(1, sizeof(*s));

    s->w = w;
    s->req = req;
    s->user = hm_xstrdup(hm_json_get_str(req->query, "user", ""));
    s->next = w->streams;
    w->streams = s;
    req->on_gone = stream_gone;
    req->gone_arg = s;
    sim_http_stream(req, "text/event-stream");
    sim_http_stream_write(req, "retry: 500\n\nevent: change\ndata: 0\n\n", 36);
}

void sim_waits_toast(struct sim *sim, const char *user, const char *text)
{
    struct stream *s = NULL;
    char *event = hm_xasprintf("event: toast\ndata: %s\n\n", text);

    for (s = sim->waits->streams; s != NULL; s = s->next) {
        if (hm_streq(s->user, user)) {
            sim_http_stream_write(s->req, event, strlen(event));
        }
    }
    free(event);
}

void sim_waits_turn_end(struct sim_waits *w)
{
    struct stream *s = NULL;
    char event[64];
    int len = 0;

    if (w->seen == w->sim->version) {
        return;
    }
    w->seen = w->sim->version;
    len = snprintf(event, sizeof(event), "event: change\ndata: %llu\n\n", (unsigned long long)w->seen);
    for (s = w->streams; s != NULL; s = s->next) {
        sim_http_stream_write(s->req, event, (size_t)len);
    }
    look_at_all(w);
}

void sim_waits_free(struct sim_waits *w)
{
    struct poll *p = NULL;
    struct poll *next_poll = NULL;
    struct stream *s = NULL;
    struct stream *next_stream = NULL;

    if (w == NULL) {
        return;
    }
    for (p = w->polls; p != NULL; p = next_poll) {
        next_poll = p->next;
        sim_http_forget(p->req);
        free(p);
    }
    for (s = w->streams; s != NULL; s = next_stream) {
        next_stream = s->next;
        sim_http_forget(s->req);
        free(s->user);
        free(s);
    }
    free(w);
}
