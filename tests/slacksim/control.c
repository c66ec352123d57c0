/* Dispatch of the control API, and the part of it that changes the simulator itself. What people do is in people*.c, what can be
 * seen in control_query.c. */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "bench.h"
#include "control_query.h"
#include "payload.h"
#include "people.h"
#include "post.h"
#include "socket.h"
#include "waits.h"

static void ok(struct sim *sim, struct sim_req *req)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_bool(out, "ok", true);
    sim_touch(sim);
    sim_http_reply_json(req, 200, NULL, out);
}

static void refuse(struct sim_req *req, const char *error, const char *detail)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_bool(out, "ok", false);
    hm_json_set_str(out, "error", error);
    hm_json_set_str(out, "detail", detail);
    sim_http_reply_json(req, 200, NULL, out);
}

static void do_config(struct sim *sim, struct sim_req *req, json_t *body)
{
    struct hm_err err = {0};
    json_t *scopes = hm_json_get_arr(body, "scopes");
    json_t *out = NULL;

    if (scopes != NULL) {
        hm_json_set(sim->state->app, "scopes", json_deep_copy(scopes));
        (void)json_object_del(body, "scopes");
    }
    if (sim_knobs_set(&sim->knobs, body, &err) != HM_OK) {
        refuse(req, "bad_knob", err.msg);
        return;
    }
    sim_socket_ping_every(sim->socket, 0);
    out = sim_knobs_json_new(&sim->knobs);
    hm_json_set_bool(out, "ok", true);
    hm_json_set(out, "scopes", json_deep_copy(json_object_get(sim->state->app, "scopes")));
    sim_touch(sim);
    sim_http_reply_json(req, 200, NULL, out);
}

static void do_nasty(struct sim *sim, struct sim_req *req, json_t *body)
{
    struct hm_err err = {0};
    json_t *out = NULL;

    if (sim_nasty_set(&sim->nasty, body, &err) != HM_OK) {
        refuse(req, "bad_switch", err.msg);
        return;
    }
    sim_socket_apply_nasty(sim->socket);
    out = sim_nasty_json_new(&sim->nasty);
    hm_json_set_bool(out, "ok", true);
    sim_http_reply_json(req, 200, NULL, out);
}

static void do_disconnect(struct sim *sim, struct sim_req *req, json_t *body)
{
    const char *reason = hm_json_get_str(body, "reason", "refresh_requested");
    json_t *after = json_object_get(body, "close_after_s");
    int64_t after_ms = sim_scaled_ms(sim, (double)sim->knobs.warning_s);
    json_t *out = hm_json_obj_new();

    if (json_is_number(after)) {
        after_ms = json_number_value(after) < 0 ? -1 : sim_scaled_ms(sim, json_number_value(after));
    }
    hm_json_set_int(out, "connections",
                    (int64_t)sim_socket_disconnect(sim->socket, hm_json_get_str(body, "connection", NULL), reason, after_ms));
    hm_json_set_bool(out, "ok", true);
    sim_touch(sim);
    sim_http_reply_json(req, 200, NULL, out);
}

static void do_connection(struct sim *sim, struct sim_req *req, json_t *body)
{
    if (!sim_socket_op(sim->socket, hm_json_get_str(body, "connection", NULL), hm_json_get_str(body, "op", ""), body)) {
        refuse(req, "bad_op", hm_json_get_str(body, "op", ""));
    } else {
        ok(sim, req);
    }
}

static void do_reset(struct sim *sim, struct sim_req *req, json_t *body)
{
    struct hm_err err = {0};
    bool connections = hm_json_get_bool(body, "connections", false);

    if (sim_restart(sim, &err) != HM_OK) {
        refuse(req, "bad_config", err.msg);
        return;
    }
    sim_socket_reset(sim->socket, connections);
    sim_socket_apply_nasty(sim->socket);
    ok(sim, req);
}

static void do_usergroup(struct sim *sim, struct sim_req *req, json_t *body)
{
    json_t *group = json_object_get(sim->state->groups, hm_json_get_str(body, "id", ""));
    json_t *users = hm_json_get_arr(body, "users");
    json_t *event = NULL;
    char ts[SIM_TS_MAX];

    if (group == NULL || users == NULL) {
        refuse(req, "no_such_group", "wants id and users");
        return;
    }
    event = hm_json_obj_new();
    hm_json_set_str(event, "type", "subteam_members_changed");
    hm_json_set_str(event, "subteam_id", hm_json_get_str(body, "id", ""));
    hm_json_set_str(event, "team_id", sim_state_team_id(sim->state));
    hm_json_set_int(event, "date_update", sim_wall_us() / 1000000);
    hm_json_set(event, "added_users", json_deep_copy(users));
    hm_json_set_int(event, "added_users_count", (int64_t)json_array_size(users));
    hm_json_set(event, "removed_users", json_deep_copy(json_object_get(group, "users")));
    hm_json_set_str(event, "event_ts", sim_action_ts(ts));
    hm_json_set(group, "users", json_deep_copy(users));
    sim_emit(sim, "subteam_members_changed", event, NULL);
    ok(sim, req);
}

static void do_user(struct sim *sim, struct sim_req *req, json_t *body)
{
    const char *id = hm_json_get_str(body, "id", NULL);
    json_t *user = sim_state_user(sim->state, id);

    if (id == NULL) {
        refuse(req, "no_such_user", "wants id");
        return;
    }
    if (user == NULL) {
        user = hm_json_obj_new();
        hm_json_set_str(user, "team_id", sim_state_team_id(sim->state));
        hm_json_set_str(user, "name", id);
        hm_json_set(sim->state->users, id, user);
    }
    (void)json_object_update(user, body);
    ok(sim, req);
}

static void do_channel(struct sim *sim, struct sim_req *req, json_t *body)
{
    const char *id = hm_json_get_str(body, "id", NULL);
    struct sim_channel *c = sim_state_channel(sim->state, id);
    json_t *one = NULL;
    size_t i = 0;

    if (id == NULL) {
        refuse(req, "no_such_channel", "wants id");
        return;
    }
    if (c == NULL) {
        json_t *info = hm_json_obj_new();

        hm_json_set_str(info, "id", id);
        hm_json_set_str(info, "name", hm_json_get_str(body, "name", id));
        c = sim_state_add_channel(sim->state, id, info);
    }
    if (hm_json_get_arr(body, "members") != NULL) {
        (void)json_object_clear(c->members);
        json_array_foreach(hm_json_get_arr(body, "members"), i, one)
        {
            if (json_is_string(one)) {
                sim_channel_join(c, json_string_value(one));
            }
        }
        (void)json_object_del(body, "members");
    }
    (void)json_object_update(c->info, body);
    ok(sim, req);
}

static void do_quit(struct sim *sim, struct sim_req *req, json_t *body)
{
    (void)body;
    ok(sim, req);
    (void)uv_kill(uv_os_getpid(), SIGTERM);
}

static const struct {
    const char *name;
    void (*fn)(struct sim *sim, struct sim_req *req, json_t *body);
} posts[] = {
    {"config", do_config},
    {"nasty", do_nasty},
    {"disconnect", do_disconnect},
    {"connection", do_connection},
    {"reset", do_reset},
    {"usergroup", do_usergroup},
    {"user", do_user},
    {"channel", do_channel},
    {"burst", sim_bench_burst},
    {"pingpong", sim_bench_pingpong},
    {"quit", do_quit},
};

static void on_post(struct sim *sim, struct sim_req *req, const char *name)
{
    struct hm_err err = {0};
    json_t *body = req->body_len > 0 ? hm_json_parse_new(req->body, req->body_len, SIM_HTTP_BODY_MAX, &err) : hm_json_obj_new();
    size_t i = 0;

    if (!json_is_object(body)) {
        sim_http_reply(req, 400, "text/plain", NULL, err.msg, strlen(err.msg));
        json_decref(body);
        return;
    }
    for (i = 0; i < HM_ARRAY_LEN(posts); i++) {
        if (strcmp(posts[i].name, name) == 0) {
            posts[i].fn(sim, req, body);
            json_decref(body);
            return;
        }
    }
    if (!sim_people_on_request(sim, req, name, body)) {
        sim_http_reply(req, 404, "text/plain", NULL, "no such control", 15);
    }
    json_decref(body);
}

void sim_control_on_request(struct sim *sim, struct sim_req *req)
{
    const char *name = req->path + strlen("/_sim/");

    if (strcmp(req->method, "POST") == 0) {
        on_post(sim, req, name);
    } else if (strcmp(name, "wait") == 0) {
        sim_waits_on_request(sim->waits, req);
    } else if (strcmp(name, "events") == 0) {
        sim_waits_stream(sim->waits, req);
    } else if (!sim_query_on_request(sim, req, name)) {
        sim_http_reply(req, 404, "text/plain", NULL, "no such control", 15);
    }
}
