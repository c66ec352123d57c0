/* chat.* and reactions.* */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "hooks.h"
#include "post.h"
#include "ratelimit.h"
#include "react.h"
#include "webapi.h"

static bool is_own(const struct sim *sim, const struct sim_msg *m)
{
    return hm_streq(hm_json_get_str(m->json, "bot_id", NULL), sim_state_app_str(sim->state, "bot_id"));
}

/* Common to posting: the channel, and that the bot may write there. */
static const char *writable_channel(struct sim_call *call, struct sim_channel **ret_channel)
{
    const char *error = NULL;
    struct sim_channel *c = sim_arg_channel(call, &error);

    if (c == NULL) {
        return error;
    }
    if (sim_channel_flag(c, "is_archived")) {
        return "is_archived";
    }
    if (!sim_bot_in(call->sim, c)) {
        return "not_in_channel";
    }
    *ret_channel = c;
    return NULL;
}

/* thread_ts must be a parent: not a reply, not a message that does not exist. */
static const char *check_thread(struct sim_call *call, const struct sim_channel *c)
{
    const char *thread_ts = sim_arg_str(call, "thread_ts");
    const struct sim_msg *parent = NULL;

    if (thread_ts == NULL || thread_ts[0] == '\0') {
        return NULL;
    }
    if (!sim_ts_ok(thread_ts)) {
        return "invalid_thread_ts";
    }
    parent = sim_channel_find(c, thread_ts);
    if (parent == NULL || parent->only_user != NULL) {
        return "thread_not_found";
    }
    if (sim_msg_is_reply(parent)) {
        sim_log_violation(call->sim->log, call->method, "thread_ts %s is a reply, not a parent", thread_ts);
        return "cannot_reply_to_message";
    }
    return NULL;
}

static void strip_unset(json_t *args, const char *key)
{
    if (json_is_null(json_object_get(args, key)) || hm_json_get_str(args, key, "x")[0] == '\0') {
        (void)json_object_del(args, key);
    }
}

static json_t *message_new(struct sim_call *call)
{
    json_t *msg = hm_json_obj_new();
    const char *thread_ts = NULL;

    strip_unset(call->args, "thread_ts");
    thread_ts = sim_arg_str(call, "thread_ts");
    sim_sign_as_app(call->sim, msg);
    sim_post_apply(call->sim, msg, call->args, false);
    if (thread_ts != NULL) {
        hm_json_set_str(msg, "thread_ts", thread_ts);
    }
    return msg;
}

static const char *post_message(struct sim_call *call)
{
    struct sim *sim = call->sim;
    struct sim_channel *c = NULL;
    const char *error = writable_channel(call, &c);
    struct sim_msg *m = NULL;

    if (error == NULL) {
        error = check_thread(call, c);
    }
    if (error == NULL) {
        error = sim_post_check(sim, call->args, false, &call->messages);
    }
    if (error != NULL) {
        return error;
    }
    HM_ASSERT(c != NULL);
    call->retry_after_s = sim_limits_take_post(sim->limits, c->id, sim->knobs.rate_scale, sim_now_us());
    if (call->retry_after_s > 0) {
        return "ratelimited";
    }
    m = sim_post(sim, c, message_new(call), NULL);
    if (sim_arg_bool(call, "reply_broadcast", false) && sim_msg_is_reply(m)) {
        hm_json_set_str(m->json, "subtype", "thread_broadcast");
    }
    hm_json_set_str(call->out, "channel", c->id);
    hm_json_set_str(call->out, "ts", m->ts);
    hm_json_set(call->out, "message", sim_msg_public_new(m, true));
    return NULL;
}

static const char *post_ephemeral(struct sim_call *call)
{
    struct sim_channel *c = NULL;
    const char *error = writable_channel(call, &c);
    const char *user = sim_arg_str(call, "user");
    const struct sim_msg *m = NULL;

    if (error == NULL) {
        error = sim_post_check(call->sim, call->args, false, &call->messages);
    }
    if (error != NULL) {
        return error;
    }
    if (user == NULL || sim_state_user(call->sim->state, user) == NULL) {
        return "user_not_found";
    }
    if (!sim_channel_has(c, user)) {
        return "user_not_in_channel";
    }
    error = check_thread(call, c);
    if (error != NULL) {
        return error;
    }
    m = sim_post(call->sim, c, message_new(call), user);
    hm_json_set_str(call->out, "message_ts", m->ts);
    return NULL;
}

/* The message of args channel and ts; ephemerals can not be found by ts. */
static const char *own_message(struct sim_call *call, struct sim_channel **ret_channel, struct sim_msg **ret_msg,
                               const char *not_own)
{
    const char *error = NULL;
    struct sim_msg *m = NULL;
    struct sim_channel *c = sim_arg_channel(call, &error);

    if (c == NULL) {
        return error;
    }
    m = sim_channel_find(c, sim_arg_str(call, "ts"));
    if (m == NULL || m->only_user != NULL || hm_streq(hm_json_get_str(m->json, "subtype", NULL), "tombstone")) {
        return "message_not_found";
    }
    if (!is_own(call->sim, m)) {
        return not_own;
    }
    *ret_channel = c;
    *ret_msg = m;
    return NULL;
}

static const char *update(struct sim_call *call)
{
    struct sim_channel *c = NULL;
    struct sim_msg *m = NULL;
    const char *error = own_message(call, &c, &m, "cant_update_message");
    json_t *previous = NULL;
    json_t *edited = NULL;
    char ts[SIM_TS_MAX];

    if (error == NULL) {
        error = sim_post_check(call->sim, call->args, true, &call->messages);
    }
    if (error == NULL && sim_arg_str(call, "text") == NULL && json_object_get(call->args, "blocks") == NULL &&
        json_object_get(call->args, "attachments") == NULL && sim_arg_str(call, "markdown_text") == NULL) {
        error = "no_text";
    }
    if (error != NULL) {
        return error;
    }
    HM_ASSERT(c != NULL && m != NULL);
    previous = json_deep_copy(m->json);
    sim_post_apply(call->sim, m->json, call->args, true);
    (void)snprintf(ts, sizeof(ts), "%010lld.000000", (long long)(sim_wall_us() / 1000000));
    edited = hm_json_obj_new();
    hm_json_set_str(edited, "user", sim_state_app_str(call->sim->state, "bot_user"));
    hm_json_set_str(edited, "ts", ts);
    hm_json_set(m->json, "edited", edited);
    sim_post_changed(call->sim, c, m, previous);
    hm_json_set_str(call->out, "channel", c->id);
    hm_json_set_str(call->out, "ts", m->ts);
    hm_json_set_str(call->out, "text", hm_json_get_str(m->json, "text", ""));
    hm_json_set(call->out, "message", sim_msg_public_new(m, true));
    return NULL;
}

static const char *delete_message(struct sim_call *call)
{
    struct sim_channel *c = NULL;
    struct sim_msg *m = NULL;
    const char *error = own_message(call, &c, &m, "cant_delete_message");

    if (error != NULL) {
        return error;
    }
    HM_ASSERT(c != NULL && m != NULL);
    hm_json_set_str(call->out, "channel", c->id);
    hm_json_set_str(call->out, "ts", m->ts);
    sim_post_delete(call->sim, c, m);
    return NULL;
}

static const char *get_permalink(struct sim_call *call)
{
    const char *error = NULL;
    struct sim_channel *c = sim_arg_channel(call, &error);
    const char *ts = sim_arg_str(call, "message_ts");
    const struct sim_msg *m = c != NULL ? sim_channel_find(c, ts) : NULL;
    char *base = NULL;
    char *link = NULL;

    if (c == NULL) {
        return error;
    }
    if (m == NULL || m->only_user != NULL) {
        return "message_not_found";
    }
    base = sim_base_url(call->sim);
    link = hm_xasprintf("%s/archives/%s/p%.10s%s", base, c->id, m->ts, m->ts + 11);
    hm_json_set_str(call->out, "channel", c->id);
    hm_json_set_str(call->out, "permalink", link);
    free(base);
    free(link);
    return NULL;
}

/* --- reactions
 * -------------------------------------------------------------------------------------------------------------------- */
static const char *reaction_target(struct sim_call *call, struct sim_channel **ret_channel, struct sim_msg **ret_msg)
{
    const char *error = NULL;
    const char *ts = sim_arg_str(call, "timestamp");
    const char *name = sim_arg_str(call, "name");

    *ret_channel = sim_arg_channel(call, &error);
    if (*ret_channel == NULL) {
        return error;
    }
    if (!sim_bot_in(call->sim, *ret_channel)) {
        return "not_in_channel";
    }
    if (name == NULL || name[0] == '\0' || strpbrk(name, ": \t\n") != NULL) {
        return "invalid_name";
    }
    if (!sim_ts_ok(ts)) {
        return "bad_timestamp";
    }
    *ret_msg = sim_channel_find(*ret_channel, ts);
    return *ret_msg == NULL || (*ret_msg)->only_user != NULL ? "message_not_found" : NULL;
}

static const char *reactions(struct sim_call *call, bool remove)
{
    struct sim_channel *c = NULL;
    struct sim_msg *m = NULL;
    const char *error = reaction_target(call, &c, &m);
    const char *user = NULL;
    const char *name = NULL;

    if (error != NULL) {
        return error;
    }
    HM_ASSERT(m != NULL);
    user = sim_state_app_str(call->sim->state, "bot_user");
    name = sim_arg_str(call, "name");
    error = remove ? sim_react_remove(m, user, name) : sim_react_add(m, user, name);
    sim_touch(call->sim);
    m->changed = call->sim->version;
    return error;
}

static const char *reactions_add(struct sim_call *call)
{
    return reactions(call, false);
}

static const char *reactions_remove(struct sim_call *call)
{
    return reactions(call, true);
}

const struct sim_method sim_methods_chat[] = {
    {"chat.postMessage", post_message, SIM_TIER_POST, "chat:write", false},
    {"chat.postEphemeral", post_ephemeral, SIM_TIER_4, "chat:write", false},
    {"chat.update", update, SIM_TIER_3, "chat:write", false},
    {"chat.delete", delete_message, SIM_TIER_3, "chat:write", false},
    {"chat.getPermalink", get_permalink, SIM_TIER_MANY, "", false},
    {"reactions.add", reactions_add, SIM_TIER_3, "reactions:write", false},
    {"reactions.remove", reactions_remove, SIM_TIER_2, "reactions:write", false},
    {NULL, NULL, SIM_TIER_1, NULL, false},
};
