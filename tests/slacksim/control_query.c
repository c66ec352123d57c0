/* See control_query.h; the page's own model ("ui") is here too. */
#include "control_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "post.h"
#include "render_text.h"
#include "socket.h"

enum { LOG_LIMIT = 1000, UI_MESSAGES = 300 };

static const char *arg(const struct sim_req *req, const char *key)
{
    return hm_json_get_str(req->query, key, NULL);
}

static json_t *ok_new(void)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_bool(out, "ok", true);
    return out;
}

static void refuse(struct sim_req *req, const char *error)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_bool(out, "ok", false);
    hm_json_set_str(out, "error", error);
    sim_http_reply_json(req, 200, NULL, out);
}

static void reply_text(struct sim_req *req, struct hm_strbuf *text)
{
    sim_http_reply(req, 200, "text/plain; charset=utf-8", NULL, hm_strbuf_str(text), text->len);
    hm_strbuf_done(text);
}

/* A message with what only the simulator knows: author, who sees it, what the user chose. */
static json_t *shown_new(const struct sim *sim, const struct sim_channel *c, const struct sim_msg *m, const char *user)
{
    json_t *out = sim_msg_public_new(m, true);
    const json_t *mine = user != NULL ? json_object_get(m->selected, user) : NULL;

    hm_json_set_str(out, "channel", c->id);
    hm_json_set_str(out, "_author", sim_state_author(sim->state, m->json));
    if (m->only_user != NULL) {
        hm_json_set_str(out, "_only_user", m->only_user);
    }
    if (mine != NULL) {
        hm_json_set(out, "_selected", json_deep_copy(mine));
    }
    return out;
}

static void q_messages(struct sim *sim, struct sim_req *req)
{
    const struct sim_channel *c = sim_state_channel(sim->state, arg(req, "channel"));
    const char *user = arg(req, "user") != NULL ? arg(req, "user") : "";
    json_t *list = NULL;
    json_t *out = NULL;
    size_t i = 0;

    if (c == NULL) {
        refuse(req, "no_such_channel");
        return;
    }
    if (hm_streq(arg(req, "format"), "text")) {
        struct hm_strbuf text;

        hm_strbuf_init(&text, SIM_RENDER_MAX);
        sim_render_channel(sim->state, c, user, &text);
        reply_text(req, &text);
        return;
    }
    list = hm_json_arr_new();
    for (i = 0; i < c->msgs_nr; i++) {
        if (!sim_msg_is_reply(c->msgs[i]) && sim_msg_seen_by(c->msgs[i], user)) {
            hm_json_add(list, shown_new(sim, c, c->msgs[i], user));
        }
    }
    out = ok_new();
    hm_json_set(out, "messages", list);
    sim_http_reply_json(req, 200, NULL, out);
}

static json_t *thread_new(const struct sim *sim, const struct sim_channel *c, const char *root, const char *user)
{
    json_t *list = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < c->msgs_nr; i++) {
        const struct sim_msg *m = c->msgs[i];

        if ((strcmp(m->ts, root) == 0 || strcmp(m->thread_ts, root) == 0) && sim_msg_seen_by(m, user)) {
            hm_json_add(list, shown_new(sim, c, m, user));
        }
    }
    return list;
}

static void q_thread(struct sim *sim, struct sim_req *req)
{
    const struct sim_channel *c = sim_state_channel(sim->state, arg(req, "channel"));
    const struct sim_msg *m = c != NULL ? sim_channel_find(c, arg(req, "ts")) : NULL;
    const char *user = arg(req, "user") != NULL ? arg(req, "user") : "*";
    const char *root = NULL;
    json_t *out = NULL;

    if (m == NULL) {
        refuse(req, c == NULL ? "no_such_channel" : "no_such_message");
        return;
    }
    root = sim_msg_is_reply(m) ? m->thread_ts : m->ts;
    if (hm_streq(arg(req, "format"), "text")) {
        struct hm_strbuf text;

        hm_strbuf_init(&text, SIM_RENDER_MAX);
        sim_render_thread(sim->state, c, root, user, &text);
        reply_text(req, &text);
        return;
    }
    out = ok_new();
    hm_json_set(out, "messages", thread_new(sim, c, root, user));
    sim_http_reply_json(req, 200, NULL, out);
}

static json_t *view_new(const struct sim_view *view)
{
    json_t *out = json_deep_copy(view->json);

    hm_json_set_str(out, "_user", view->user);
    hm_json_set_str(out, "_error", view->error);
    hm_json_set(out, "_errors", view->errors != NULL ? json_incref(view->errors) : json_null());
    hm_json_set_bool(out, "_waiting", view->waiting);
    return out;
}

static void q_views(struct sim *sim, struct sim_req *req)
{
    json_t *out = ok_new();
    json_t *open = hm_json_arr_new();
    json_t *homes = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < sim->views->open_nr; i++) {
        if (arg(req, "user") == NULL || hm_streq(arg(req, "user"), sim->views->open[i]->user)) {
            hm_json_add(open, view_new(sim->views->open[i]));
        }
    }
    for (i = 0; i < sim->views->homes_nr; i++) {
        if (arg(req, "user") == NULL || hm_streq(arg(req, "user"), sim->views->homes[i]->user)) {
            hm_json_add(homes, view_new(sim->views->homes[i]));
        }
    }
    hm_json_set(out, "views", open);
    hm_json_set(out, "homes", homes);
    sim_http_reply_json(req, 200, NULL, out);
}

static void q_connections(struct sim *sim, struct sim_req *req)
{
    json_t *out = ok_new();

    hm_json_set(out, "connections", sim_socket_json_new(sim->socket));
    hm_json_set_int(out, "registered", (int64_t)sim_socket_registered(sim->socket));
    hm_json_set_int(out, "live", (int64_t)sim_socket_live(sim->socket));
    sim_http_reply_json(req, 200, NULL, out);
}

static void q_stats(struct sim *sim, struct sim_req *req)
{
    json_t *out = sim_log_stats_new(sim->log);

    hm_json_set_bool(out, "ok", true);
    hm_json_set_int(out, "open_envelopes", (int64_t)sim_socket_open_envelopes(sim->socket));
    sim_http_reply_json(req, 200, NULL, out);
}

static void q_log(struct sim *sim, struct sim_req *req)
{
    json_t *out = ok_new();
    int64_t since = 0;
    int64_t limit = LOG_LIMIT;
    enum sim_log_kind kind = arg(req, "kind") != NULL ? sim_log_parse_kind(arg(req, "kind")) : SIM_LOG_NR;

    if (arg(req, "since") != NULL && !hm_parse_i64(arg(req, "since"), 0, INT64_MAX, &since)) {
        since = 0;
    }
    if (arg(req, "limit") != NULL && !hm_parse_i64(arg(req, "limit"), 1, 100000, &limit)) {
        limit = LOG_LIMIT;
    }
    hm_json_set(out, "log",
                sim_log_json_new(sim->log, since, kind, arg(req, "method") != NULL ? arg(req, "method") : "", (size_t)limit));
    sim_http_reply_json(req, 200, NULL, out);
}

static void q_config(struct sim *sim, struct sim_req *req)
{
    json_t *out = sim_knobs_json_new(&sim->knobs);

    hm_json_set_bool(out, "ok", true);
    hm_json_set(out, "scopes", json_deep_copy(json_object_get(sim->state->app, "scopes")));
    sim_http_reply_json(req, 200, NULL, out);
}

static void q_nasty(struct sim *sim, struct sim_req *req)
{
    json_t *out = sim_nasty_json_new(&sim->nasty);

    hm_json_set_bool(out, "ok", true);
    sim_http_reply_json(req, 200, NULL, out);
}

static void q_file(struct sim *sim, struct sim_req *req)
{
    const json_t *file = arg(req, "id") != NULL ? json_object_get(sim->files, arg(req, "id")) : NULL;
    const char *content = hm_json_get_str(file, "content", NULL);

    if (content == NULL) {
        refuse(req, "no_such_file");
        return;
    }
    sim_http_reply(req, 200, "text/plain; charset=utf-8", NULL, content, strlen(content));
}

static json_t *channel_state_new(const struct sim *sim, const struct sim_channel *c)
{
    json_t *out = json_deep_copy(c->info);
    json_t *members = hm_json_arr_new();
    json_t *messages = hm_json_arr_new();
    const char *id = NULL;
    json_t *value = NULL;
    size_t i = 0;

    json_object_foreach(c->members, id, value)
    {
        hm_json_add(members, hm_json_str_new(id));
    }
    for (i = 0; i < c->msgs_nr; i++) {
        hm_json_add(messages, shown_new(sim, c, c->msgs[i], NULL));
    }
    hm_json_set(out, "members", members);
    hm_json_set(out, "messages", messages);
    return out;
}

static void q_state(struct sim *sim, struct sim_req *req)
{
    json_t *out = ok_new();
    json_t *channels = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < sim->state->channels_nr; i++) {
        hm_json_add(channels, channel_state_new(sim, sim->state->channels[i]));
    }
    hm_json_set(out, "team", json_deep_copy(sim->state->team));
    hm_json_set(out, "users", json_deep_copy(sim->state->users));
    hm_json_set(out, "bots", json_deep_copy(sim->state->bots));
    hm_json_set(out, "usergroups", json_deep_copy(sim->state->groups));
    hm_json_set(out, "channels", channels);
    hm_json_set(out, "files", json_deep_copy(sim->files));
    hm_json_set(out, "connections", sim_socket_json_new(sim->socket));
    sim_http_reply_json(req, 200, NULL, out);
}

/* --- the page
 * --------------------------------------------------------------------------------------------------------------------- */
static void ui_channel(const struct sim *sim, const struct sim_channel *c, const char *user, json_t *list)
{
    json_t *one = json_deep_copy(c->info);
    const char *read = hm_json_get_str(c->read, user, "");
    int64_t unread = 0;
    int64_t mentions = 0;
    char *mention = hm_xasprintf("<@%s>", user);
    size_t i = 0;

    for (i = c->msgs_nr; i > 0 && strcmp(c->msgs[i - 1]->ts, read) > 0; i--) {
        const struct sim_msg *m = c->msgs[i - 1];

        if (!sim_msg_seen_by(m, user) || sim_msg_is_reply(m) || hm_streq(hm_json_get_str(m->json, "user", NULL), user)) {
            continue;
        }
        unread++;
        mentions += strstr(hm_json_get_str(m->json, "text", ""), mention) != NULL || sim_channel_flag(c, "is_im") ? 1 : 0;
    }
    free(mention);
    hm_json_set_str(one, "id", c->id);
    hm_json_set_str(one, "name", sim_channel_name(c));
    hm_json_set_int(one, "unread", unread);
    hm_json_set_int(one, "mentions", mentions);
    hm_json_set_int(one, "members", (int64_t)json_object_size(c->members));
    hm_json_set_bool(one, "bot", sim_channel_has(c, sim_state_app_str(sim->state, "bot_user")));
    hm_json_set_str(one, "latest", c->msgs_nr > 0 ? c->msgs[c->msgs_nr - 1]->ts : "");
    hm_json_add(list, one);
}

static json_t *ui_messages_new(const struct sim *sim, const struct sim_channel *c, const char *user)
{
    json_t *list = hm_json_arr_new();
    size_t first = c->msgs_nr;
    size_t shown = 0;
    size_t i = 0;

    while (first > 0 && shown < UI_MESSAGES) {
        first--;
        shown += !sim_msg_is_reply(c->msgs[first]) && sim_msg_seen_by(c->msgs[first], user) ? 1 : 0;
    }
    for (i = first; i < c->msgs_nr; i++) {
        const struct sim_msg *m = c->msgs[i];
        bool broadcast = hm_streq(hm_json_get_str(m->json, "subtype", NULL), "thread_broadcast");

        if ((!sim_msg_is_reply(m) || broadcast) && sim_msg_seen_by(m, user)) {
            hm_json_add(list, shown_new(sim, c, m, user));
        }
    }
    return list;
}

/* All that the page shows one user: /_sim/ui?user=&channel=&thread= */
static void q_ui(struct sim *sim, struct sim_req *req)
{
    const char *user = arg(req, "user") != NULL ? arg(req, "user") : "U0ANA";
    const struct sim_channel *c = sim_state_channel(sim->state, arg(req, "channel"));
    const struct sim_view *home = sim_views_home(sim->views, user);
    json_t *out = ok_new();
    json_t *channels = hm_json_arr_new();
    json_t *views = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < sim->state->channels_nr; i++) {
        if (sim_channel_has(sim->state->channels[i], user)) {
            ui_channel(sim, sim->state->channels[i], user, channels);
        }
    }
    for (i = 0; i < sim->views->open_nr; i++) {
        if (strcmp(sim->views->open[i]->user, user) == 0) {
            hm_json_add(views, view_new(sim->views->open[i]));
        }
    }
    hm_json_set(out, "team", json_deep_copy(sim->state->team));
    hm_json_set(out, "app", json_deep_copy(sim->state->app));
    hm_json_set(out, "users", json_deep_copy(sim->state->users));
    hm_json_set(out, "bots", json_deep_copy(sim->state->bots));
    hm_json_set(out, "usergroups", json_deep_copy(sim->state->groups));
    hm_json_set(out, "channels", channels);
    hm_json_set(out, "views", views);
    hm_json_set(out, "home", home != NULL ? view_new(home) : json_null());
    hm_json_set_int(out, "connections", (int64_t)sim_socket_live(sim->socket));
    if (c != NULL && sim_channel_has(c, user)) {
        hm_json_set_str(out, "channel", c->id);
        hm_json_set(out, "messages", ui_messages_new(sim, c, user));
        if (arg(req, "thread") != NULL) {
            hm_json_set(out, "thread", thread_new(sim, c, arg(req, "thread"), user));
        }
    }
    sim_http_reply_json(req, 200, NULL, out);
}

static const struct {
    const char *name;
    void (*fn)(struct sim *sim, struct sim_req *req);
} queries[] = {
    {"messages", q_messages}, {"thread", q_thread}, {"views", q_views},   {"connections", q_connections},
    {"stats", q_stats},       {"log", q_log},       {"config", q_config}, {"nasty", q_nasty},
    {"file", q_file},         {"state", q_state},   {"ui", q_ui},
};

bool sim_query_on_request(struct sim *sim, struct sim_req *req, const char *name)
{
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(queries); i++) {
        if (strcmp(queries[i].name, name) == 0) {
            queries[i].fn(sim, req);
            return true;
        }
    }
    return false;
}
