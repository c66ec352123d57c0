/* See payload.h. */
#include "payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

enum { KEPT_MAX = 20000 };

const char *sim_action_ts(char *buf)
{
    int64_t us = sim_wall_us();

    (void)snprintf(buf, SIM_TS_MAX, "%010" PRId64 ".%06" PRId64, (us / 1000000) % INT64_C(10000000000), us % 1000000);
    return buf;
}

/* jansson keeps the order of insertion, so the first is the oldest. */
static void forget_oldest(json_t *map)
{
    if (json_object_size(map) >= KEPT_MAX) {
        char *key = hm_xstrdup(json_object_iter_key(json_object_iter(map)));

        (void)json_object_del(map, key);
        free(key);
    }
}

const char *sim_trigger_new(struct sim *sim, const char *user, const char *view_id, char *buf)
{
    json_t *t = hm_json_obj_new();

    forget_oldest(sim->triggers);
    (void)sim_ids_trigger(&sim->ids, buf);
    hm_json_set_int(t, "expires_us", sim_now_us() + sim->knobs.trigger_ms * 1000);
    hm_json_set_str(t, "user", user);
    hm_json_set_str(t, "view_id", view_id);
    hm_json_set(sim->triggers, buf, t);
    return buf;
}

const char *sim_trigger_use(struct sim *sim, const char *trigger, const char **ret_user, const char **ret_view_id)
{
    json_t *t = trigger != NULL ? json_object_get(sim->triggers, trigger) : NULL;

    if (t == NULL) {
        return "invalid_trigger_id";
    }
    if (hm_json_get_bool(t, "used", false)) {
        return "exchanged_trigger_id";
    }
    if (hm_json_get_int(t, "expires_us", 0) < sim_now_us()) {
        return "expired_trigger_id";
    }
    hm_json_set_bool(t, "used", true);
    *ret_user = hm_json_get_str(t, "user", "");
    *ret_view_id = hm_json_get_str(t, "view_id", NULL);
    return NULL;
}

char *sim_hook_new(struct sim *sim, const struct sim_hook *hook)
{
    char secret[SIM_ID_MAX];
    char number[SIM_ID_MAX];
    json_t *h = hm_json_obj_new();
    char *path = NULL;
    char *base = sim_base_url(sim);
    char *url = NULL;

    forget_oldest(sim->hooks);
    path = hm_xasprintf("/hooks/%s/%s/%s/%s", hook->kind, sim_state_team_id(sim->state), sim_ids_upper(&sim->ids, "", 12, number),
                        sim_ids_mixed(&sim->ids, 24, secret));
    hm_json_set_int(h, "expires_us", sim_now_us() + sim_scaled_ms(sim, (double)sim->knobs.hook_s) * 1000);
    hm_json_set_int(h, "uses", sim->knobs.hook_uses);
    hm_json_set_str(h, "kind", hook->kind);
    hm_json_set_str(h, "user", hook->user);
    hm_json_set_str(h, "channel", hook->channel);
    hm_json_set_str(h, "ts", hook->ts);
    hm_json_set_str(h, "thread_ts", hook->thread_ts);
    hm_json_set_bool(h, "ephemeral", hook->ephemeral);
    hm_json_set(sim->hooks, path, h);
    url = hm_xasprintf("%s%s", base, path);
    free(base);
    free(path);
    return url;
}

json_t *sim_payload_user_new(const struct sim *sim, const char *user)
{
    json_t *out = hm_json_obj_new();
    const json_t *known = sim_state_user(sim->state, user);

    hm_json_set_str(out, "id", user);
    hm_json_set_str(out, "username", hm_json_get_str(known, "name", user));
    hm_json_set_str(out, "name", hm_json_get_str(known, "name", user));
    hm_json_set_str(out, "team_id", hm_json_get_str(known, "team_id", sim_state_team_id(sim->state)));
    return out;
}

json_t *sim_payload_new(const struct sim *sim, const char *type, const char *user)
{
    json_t *out = hm_json_obj_new();
    json_t *team = NULL;

    hm_json_set_str(out, "type", type);
    hm_json_set_str(out, "token", "sim-verification-token");
    hm_json_set_str(out, "api_app_id", sim_state_app_str(sim->state, "app_id"));
    if (sim->nasty.null_team) {
        json_t *enterprise = hm_json_obj_new();

        hm_json_set(out, "team", json_null());
        hm_json_set_str(enterprise, "id", "E0SIM");
        hm_json_set_str(enterprise, "name", "Sim Org");
        hm_json_set(out, "enterprise", enterprise);
    } else {
        team = hm_json_obj_new();
        hm_json_set_str(team, "id", sim_state_team_id(sim->state));
        hm_json_set_str(team, "domain", hm_json_get_str(sim->state->team, "domain", "sim"));
        hm_json_set(out, "team", team);
        hm_json_set(out, "enterprise", json_null());
    }
    hm_json_set_bool(out, "is_enterprise_install", sim->nasty.null_team);
    hm_json_set(out, "user", sim_payload_user_new(sim, user));
    return out;
}

json_t *sim_payload_channel_new(const struct sim_channel *c)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_str(out, "id", c->id);
    hm_json_set_str(out, "name", sim_channel_flag(c, "is_private") ? "privategroup" : sim_channel_name(c));
    return out;
}

json_t *sim_payload_view_new(const struct sim_view *view)
{
    return json_deep_copy(view->json);
}
