/* Payloads in other shapes: see shapes.h. */
#include "shapes.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { DEPTH_MAX = 40 };

/* ---- full: what SDKs know, and what nobody knows -------------------------------------------------------------------------- */

/* {block_id: {action_id: …}}: its keys are data, and a key more would be a field more. */
static bool is_data(const char *key)
{
    return strcmp(key, "values") == 0 || strcmp(key, "event_payload") == 0;
}

static void add_strangers(json_t *value, int depth)
{
    const char *key = NULL;
    json_t *one = NULL;
    size_t i = 0;

    if (depth > DEPTH_MAX) {
        return;
    }
    json_array_foreach(value, i, one)
    {
        add_strangers(one, depth + 1);
    }
    json_object_foreach(value, key, one)
    {
        if (!is_data(key)) {
            add_strangers(one, depth + 1);
        }
    }
    if (json_is_object(value)) {
        hm_json_set(value, "unheard_of", json_pack("{s:[i, n, s, {}], s:s}", "of", 1, "\xf0\x9f\xa6\x86", "type", "unheard_of"));
    }
}

static void add_new(json_t *obj, const char *key, json_t *stolen_value)
{
    if (json_object_get(obj, key) == NULL) {
        hm_json_set(obj, key, json_incref(stolen_value));
    }
    json_decref(stolen_value);
}

static void add_to_message(json_t *message)
{
    add_new(message, "client_msg_id", json_string("0b1c2d3e-4f50-4a61-8b72-93a4b5c6d7e8"));
    add_new(message, "user_profile",
            json_pack("{s:s, s:s, s:s, s:b, s:b}", "avatar_hash", "g", "real_name", "", "team", "T0SIM", "is_restricted", 0,
                      "is_ultra_restricted", 0));
    add_new(message, "is_locked", json_false());
    add_new(message, "subscribed", json_false());
    add_new(message, "last_read", json_string("1500000000.000001"));
    add_new(message, "pinned_to", json_array());
    add_new(message, "reply_users", json_pack("[s]", "U0ANA"));
}

static void add_known(json_t *payload, const char *type)
{
    json_t *event = hm_json_get_obj(payload, "event");
    json_t *user = hm_json_get_obj(payload, "user");

    if (strcmp(type, "slash_commands") == 0) {
        add_new(payload, "enterprise_id", json_string("E0SIM"));
        add_new(payload, "enterprise_name", json_string("Sim & Org"));
        return;
    }
    if (strcmp(type, "interactive") == 0) {
        add_new(user, "is_bot", json_false());
        add_new(payload, "bot_access_token", json_string("xwfp-of-a-workflow"));
        add_new(payload, "function_data",
                json_pack("{s:s, s:{s:s}, s:{}}", "execution_id", "Fx0", "function", "callback_id", "none", "inputs"));
        add_new(payload, "interactivity",
                json_pack("{s:{s:s, s:s}, s:s}", "interactor", "id", "U0ANA", "secret", "none", "interactivity_pointer",
                          hm_json_get_str(payload, "trigger_id", "")));
        add_new(payload, "response_urls", json_array());
        add_new(payload, "actions_count", json_null());
        if (hm_json_get_obj(payload, "message") != NULL) {
            add_to_message(hm_json_get_obj(payload, "message"));
        }
        return;
    }
    add_new(payload, "authed_users", json_pack("[s]", "U0BOT"));
    add_new(payload, "authed_teams", json_pack("[s]", "T0SIM"));
    add_new(payload, "enterprise_id", json_null());
    if (hm_streq(hm_json_get_str(event, "type", ""), "message") || hm_streq(hm_json_get_str(event, "type", ""), "app_mention")) {
        add_to_message(event);
    }
}

/* ---- bare: what can not be left out --------------------------------------------------------------------------------------- */

static void drop(json_t *obj, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL; i++) {
        (void)json_object_del(obj, keys[i]);
    }
}

static void make_bare(json_t *payload)
{
    static const char *const outer[] = {
        "token",     "enterprise", "enterprise_id",         "enterprise_name",       "team_domain",           "channel_name",
        "user_name", "event_time", "event_context",         "authorizations",        "response_urls",         "context_team_id",
        "action_ts", "is_cleared", "is_ext_shared_channel", "context_enterprise_id", "is_enterprise_install", NULL};
    static const char *const of_user[] = {"username", "name", "team_id", NULL};
    static const char *const of_channel[] = {"name", NULL};
    static const char *const of_view[] = {
        "team_id", "hash",   "root_view_id", "external_id", "app_id", "bot_id", "app_installed_team_id",
        "close",   "submit", "title",        NULL};
    static const char *const of_message[] = {"team",   "user_team", "source_team", "client_msg_id",
                                             "blocks", "event_ts",  "app_id",      NULL};
    static const char *const of_action[] = {"text", "action_ts", "type", "style", "block_id", NULL};
    json_t *event = hm_json_get_obj(payload, "event");
    json_t *view = hm_json_get_obj(payload, "view");
    json_t *values = hm_json_get_path(payload, "state.values");
    size_t i = 0;
    json_t *action = NULL;

    drop(payload, outer);
    drop(hm_json_get_obj(payload, "user"), of_user);
    drop(hm_json_get_obj(payload, "channel"), of_channel);
    drop(view, of_view);
    drop(hm_json_get_obj(payload, "message"), of_message);
    if (hm_streq(hm_json_get_str(event, "type", ""), "message") || hm_streq(hm_json_get_str(event, "type", ""), "app_mention")) {
        drop(event, of_message);
    }
    json_array_foreach(hm_json_get_arr(payload, "actions"), i, action)
    {
        drop(action, of_action);
    }
    if (json_object_get(payload, "team") != NULL) {
        hm_json_set(payload, "team", json_null());
    }
    if (json_object_get(payload, "team_id") != NULL) {
        hm_json_set(payload, "team_id", json_null());
    }
    if (values != NULL && json_object_size(values) == 0) {
        (void)json_object_del(payload, "state");
    }
}

json_t *sim_shape_new(const struct sim_nasty *n, const char *type, const json_t *payload)
{
    json_t *copy = json_deep_copy(payload);

    if (n->bare) {
        make_bare(copy);
    }
    if (n->full) {
        add_known(copy, type);
        add_strangers(copy, 0);
    }
    return copy;
}
