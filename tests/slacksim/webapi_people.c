/* api.test, auth.test, apps.connections.open, users.*, usergroups.* */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "socket.h"
#include "webapi.h"

static const char *api_test(struct sim_call *call)
{
    json_t *args = json_deep_copy(call->args);
    const char *error = sim_arg_str(call, "error");

    (void)json_object_del(args, "token");
    hm_json_set(call->out, "args", args);
    return error != NULL && error[0] != '\0' ? error : NULL;
}

static const char *auth_test(struct sim_call *call)
{
    const struct sim_state *s = call->sim->state;
    char *base = sim_base_url(call->sim);
    char *url = hm_xasprintf("%s/", base);

    hm_json_set_str(call->out, "url", url);
    hm_json_set_str(call->out, "team", hm_json_get_str(s->team, "name", "Sim"));
    hm_json_set_str(call->out, "user", sim_state_app_str(s, "name"));
    hm_json_set_str(call->out, "team_id", sim_state_team_id(s));
    hm_json_set_str(call->out, "user_id", sim_state_app_str(s, "bot_user"));
    hm_json_set_str(call->out, "bot_id", sim_state_app_str(s, "bot_id"));
    hm_json_set_bool(call->out, "is_enterprise_install", false);
    free(url);
    free(base);
    return NULL;
}

static const char *bots_info(struct sim_call *call)
{
    const char *id = sim_arg_str(call, "bot");
    json_t *bot = sim_state_bot(call->sim->state, id);

    if (bot == NULL) {
        return "bot_not_found";
    }
    hm_json_set(call->out, "bot", json_deep_copy(bot));
    return NULL;
}

static const char *connections_open(struct sim_call *call)
{
    struct sim *sim = call->sim;
    const char *host = sim_req_header(call->req, "host");
    json_t *meta = hm_json_obj_new();
    char *url = NULL;

    if (host != NULL) {
        free(sim->host);
        sim->host = hm_xstrdup(host);
    }
    url = sim_socket_ticket_new(sim->socket, sim->host);
    hm_json_set_str(call->out, "url", url);
    hm_json_set(meta, "scopes", json_pack("[s,s]", "connections:write", "authorizations:read"));
    hm_json_set(meta, "acceptedScopes", json_pack("[s]", "connections:write"));
    hm_json_set(call->out, "response_metadata", meta);
    free(url);
    return NULL;
}

/* --- users
 * ------------------------------------------------------------------------------------------------------------------------ */
static json_t *user_new(const struct sim *sim, json_t *user)
{
    json_t *out = json_deep_copy(user);
    json_t *profile = hm_json_get_obj(out, "profile");
    const char *real = hm_json_get_str(out, "real_name", "");

    if (profile == NULL) {
        profile = hm_json_obj_new();
        hm_json_set(out, "profile", profile);
    }
    hm_json_set_str(profile, "real_name", real);
    hm_json_set_str(profile, "real_name_normalized", real);
    if (json_object_get(profile, "display_name") == NULL) {
        hm_json_set_str(profile, "display_name", "");
    }
    hm_json_set_str(profile, "display_name_normalized", hm_json_get_str(profile, "display_name", ""));
    hm_json_set_str(profile, "team", hm_json_get_str(out, "team_id", ""));
    hm_json_set_bool(out, "deleted", hm_json_get_bool(out, "deleted", false));
    hm_json_set_bool(out, "is_bot", hm_json_get_bool(out, "is_bot", false));
    hm_json_set_bool(out, "is_app_user", false);
    hm_json_set_bool(out, "is_restricted", hm_json_get_bool(out, "is_restricted", false));
    hm_json_set_bool(out, "is_ultra_restricted", hm_json_get_bool(out, "is_ultra_restricted", false));
    hm_json_set_bool(out, "is_stranger", !hm_streq(hm_json_get_str(out, "team_id", NULL), sim_state_team_id(sim->state)));
    hm_json_set_str(out, "tz", hm_json_get_str(out, "tz", "Europe/Berlin"));
    hm_json_set_int(out, "updated", 1700000000);
    return out;
}

static const char *users_info(struct sim_call *call)
{
    json_t *user = sim_state_user(call->sim->state, sim_arg_str(call, "user"));

    if (user == NULL) {
        return "user_not_found";
    }
    hm_json_set(call->out, "user", user_new(call->sim, user));
    return NULL;
}

static const char *users_list(struct sim_call *call)
{
    json_t *all = hm_json_arr_new();
    const char *id = NULL;
    json_t *user = NULL;

    json_object_foreach(call->sim->state->users, id, user)
    {
        hm_json_add(all, user_new(call->sim, user));
    }
    hm_json_set_int(call->out, "cache_ts", sim_wall_us() / 1000000);
    return sim_page(call, "members", all, 200, 1000);
}

static const char *users_lookup_by_email(struct sim_call *call)
{
    const char *email = sim_arg_str(call, "email");
    const char *id = NULL;
    json_t *user = NULL;

    json_object_foreach(call->sim->state->users, id, user)
    {
        if (email != NULL && hm_streq(hm_json_get_str(hm_json_get_obj(user, "profile"), "email", NULL), email) &&
            !hm_json_get_bool(user, "deleted", false)) {
            hm_json_set(call->out, "user", user_new(call->sim, user));
            return NULL;
        }
    }
    return "users_not_found";
}

/* --- user groups
 * ------------------------------------------------------------------------------------------------------------------ */
static const char *usergroups_users_list(struct sim_call *call)
{
    const char *id = sim_arg_str(call, "usergroup");
    const json_t *group = id != NULL ? json_object_get(call->sim->state->groups, id) : NULL;

    if (group == NULL) {
        return "no_such_subteam";
    }
    hm_json_set(call->out, "users", json_deep_copy(json_object_get(group, "users")));
    return NULL;
}

static const char *usergroups_list(struct sim_call *call)
{
    json_t *all = hm_json_arr_new();
    const char *id = NULL;
    json_t *group = NULL;
    bool users = sim_arg_bool(call, "include_users", false);

    json_object_foreach(call->sim->state->groups, id, group)
    {
        json_t *one = json_deep_copy(group);

        hm_json_set_bool(one, "is_usergroup", true);
        hm_json_set_int(one, "user_count", (int64_t)json_array_size(json_object_get(group, "users")));
        hm_json_set_int(one, "date_delete", 0);
        if (!users) {
            (void)json_object_del(one, "users");
        }
        hm_json_add(all, one);
    }
    hm_json_set(call->out, "usergroups", all);
    return NULL;
}

const struct sim_method sim_methods_people[] = {
    {"api.test", api_test, SIM_TIER_MANY, "", false},
    {"auth.test", auth_test, SIM_TIER_MANY, "", false},
    {"bots.info", bots_info, SIM_TIER_3, "users:read", false},
    {"apps.connections.open", connections_open, SIM_TIER_3, "", true},
    {"users.info", users_info, SIM_TIER_4, "users:read", false},
    {"users.list", users_list, SIM_TIER_2, "users:read", false},
    {"users.lookupByEmail", users_lookup_by_email, SIM_TIER_3, "users:read.email", false},
    {"usergroups.list", usergroups_list, SIM_TIER_2, "usergroups:read", false},
    {"usergroups.users.list", usergroups_users_list, SIM_TIER_2, "usergroups:read", false},
    {NULL, NULL, SIM_TIER_1, NULL, false},
};
