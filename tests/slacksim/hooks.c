/* See hooks.h. Docs show replace_original and delete_original as booleans and as strings; both are taken. */
#include "hooks.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "fault.h"
#include "post.h"

static bool flag(const json_t *body, const char *key)
{
    return hm_json_get_bool(body, key, false) || hm_streq(hm_json_get_str(body, key, NULL), "true");
}

void sim_sign_as_app(const struct sim *sim, json_t *msg)
{
    const struct sim_state *s = sim->state;
    json_t *profile = hm_json_obj_new();

    hm_json_set_str(msg, "user", sim_state_app_str(s, "bot_user"));
    hm_json_set_str(msg, "bot_id", sim_state_app_str(s, "bot_id"));
    hm_json_set_str(msg, "app_id", sim_state_app_str(s, "app_id"));
    hm_json_set_str(profile, "id", sim_state_app_str(s, "bot_id"));
    hm_json_set_str(profile, "app_id", sim_state_app_str(s, "app_id"));
    hm_json_set_str(profile, "name", sim_state_app_str(s, "name"));
    hm_json_set_str(profile, "team_id", sim_state_team_id(s));
    hm_json_set_bool(profile, "deleted", false);
    hm_json_set(msg, "bot_profile", profile);
}

const char *sim_respond(struct sim *sim, struct sim_channel *c, const char *user, const char *thread_ts, json_t *body,
                        json_t **ret_errors)
{
    const char *error = sim_post_check(sim, body, false, ret_errors);
    const char *type = hm_json_get_str(body, "response_type", "ephemeral");
    json_t *msg = NULL;

    if (error != NULL) {
        return error;
    }
    msg = hm_json_obj_new();
    sim_sign_as_app(sim, msg);
    sim_post_apply(sim, msg, body, false);
    thread_ts = hm_json_get_str(body, "thread_ts", thread_ts);
    if (thread_ts != NULL && sim_channel_find(c, thread_ts) != NULL) {
        hm_json_set_str(msg, "thread_ts", thread_ts);
    }
    (void)sim_post(sim, c, msg, strcmp(type, "in_channel") == 0 ? NULL : user);
    return NULL;
}

static const char *replace(struct sim *sim, struct sim_channel *c, struct sim_msg *m, json_t *body, json_t **ret_errors)
{
    const char *error = NULL;
    json_t *previous = NULL;

    if (flag(body, "delete_original")) {
        sim_post_delete(sim, c, m);
        return NULL;
    }
    error = sim_post_check(sim, body, true, ret_errors);
    if (error != NULL) {
        return error;
    }
    previous = json_deep_copy(m->json);
    sim_post_apply(sim, m->json, body, true);
    sim_post_changed(sim, c, m, previous);
    return NULL;
}

static const char *use_hook(struct sim *sim, json_t *hook, json_t *body, json_t **ret_errors)
{
    struct sim_channel *c = sim_state_channel(sim->state, hm_json_get_str(hook, "channel", NULL));
    const char *ts = hm_json_get_str(hook, "ts", NULL);
    struct sim_msg *m = c != NULL && ts != NULL ? sim_channel_find(c, ts) : NULL;
    bool wants_original = flag(body, "replace_original") || flag(body, "delete_original");

    if (c == NULL) {
        return "channel_not_found";
    }
    if (wants_original && m != NULL) {
        return replace(sim, c, m, body, ret_errors);
    }
    if (flag(body, "delete_original")) {
        return NULL; /* nothing there to delete: Slack says ok */
    }
    return sim_respond(sim, c, hm_json_get_str(hook, "user", ""), hm_json_get_str(hook, "thread_ts", NULL), body, ret_errors);
}

static json_t *error_body_new(const char *error, json_t *details)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_bool(out, "ok", false);
    hm_json_set_str(out, "error", error);
    if (details != NULL) {
        hm_json_set(out, "errors", details);
    }
    return out;
}

static void answer(struct sim *sim, struct sim_req *req, json_t *body, int status, json_t *stolen_answer)
{
    struct sim_log_entry entry = {.kind = SIM_LOG_HOOK,
                                  .who = req->path,
                                  .a = body,
                                  .b = stolen_answer,
                                  .took_us = sim_now_us() - req->arrived_us,
                                  .status = status};

    sim_log_add(sim->log, &entry);
    sim_touch(sim);
    sim_http_reply_json(req, status, NULL, stolen_answer);
}

void sim_hooks_on_request(struct sim *sim, struct sim_req *req)
{
    json_t *hook = json_object_get(sim->hooks, req->path);
    json_t *body = NULL;
    json_t *details = NULL;
    json_t *ok = NULL;
    const char *error = NULL;
    int64_t uses = hm_json_get_int(hook, "uses", 0);

    sim_log_called(sim->log, "response_url");
    if (sim_fault_before(sim, "response_url", req)) {
        return;
    }
    body = hm_json_parse_new(req->body, req->body_len, SIM_HTTP_BODY_MAX, NULL);
    if (hook == NULL || hm_json_get_int(hook, "expires_us", 0) < sim_now_us()) {
        answer(sim, req, body, 404, error_body_new("expired_url", NULL));
    } else if (uses <= 0) {
        sim_log_violation(sim->log, "response_url", "used more than %lld times", (long long)sim->knobs.hook_uses);
        answer(sim, req, body, 404, error_body_new("used_url", NULL));
    } else if (!json_is_object(body)) {
        answer(sim, req, body, 400, error_body_new("invalid_payload", NULL));
    } else {
        hm_json_set_int(hook, "uses", uses - 1);
        error = use_hook(sim, hook, body, &details);
        if (error != NULL) {
            answer(sim, req, body, 400, error_body_new(error, details));
        } else if (!sim_fault_after(sim, "response_url", req)) {
            ok = hm_json_obj_new();
            hm_json_set_bool(ok, "ok", true);
            answer(sim, req, body, 200, ok);
        }
    }
    json_decref(body);
}
