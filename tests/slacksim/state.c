/* See state.h. Lookups by ts are binary searches: ts strings have a fixed width, so strcmp orders them. */
#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static void msg_free(struct sim_msg *m)
{
    json_decref(m->json);
    json_decref(m->selected);
    free(m->only_user);
    free(m);
}

static void channel_free(struct sim_channel *c)
{
    size_t i = 0;

    for (i = 0; i < c->msgs_nr; i++) {
        msg_free(c->msgs[i]);
    }
    free(c->msgs);
    free(c->id);
    json_decref(c->info);
    json_decref(c->members);
    json_decref(c->read);
    free(c);
}

void sim_state_free(struct sim_state *s)
{
    size_t i = 0;

    if (s == NULL) {
        return;
    }
    for (i = 0; i < s->channels_nr; i++) {
        channel_free(s->channels[i]);
    }
    free(s->channels);
    json_decref(s->team);
    json_decref(s->app);
    json_decref(s->users);
    json_decref(s->bots);
    json_decref(s->groups);
    free(s);
}

/* An array of objects with "id" becomes an object id -> copy. */
static json_t *by_id(const json_t *config, const char *key)
{
    json_t *out = hm_json_obj_new();
    json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(hm_json_get_arr(config, key), i, one)
    {
        const char *id = hm_json_get_str(one, "id", NULL);

        if (id != NULL) {
            hm_json_set(out, id, json_deep_copy(one));
        }
    }
    return out;
}

static enum hm_code load_channels(struct sim_state *s, const json_t *config, struct hm_err *err)
{
    json_t *one = NULL;
    json_t *member = NULL;
    size_t i = 0;
    size_t j = 0;

    json_array_foreach(hm_json_get_arr(config, "channels"), i, one)
    {
        const char *id = hm_json_get_str(one, "id", NULL);
        struct sim_channel *c = NULL;

        if (id == NULL || hm_json_get_str(one, "name", NULL) == NULL) {
            return hm_err_set(err, HM_EINVAL, "channels[%zu]: wants id and name", i);
        }
        c = sim_state_add_channel(s, id, json_deep_copy(one));
        (void)json_object_del(c->info, "members");
        json_array_foreach(hm_json_get_arr(one, "members"), j, member)
        {
            if (sim_state_user(s, json_string_value(member)) == NULL) {
                return hm_err_set(err, HM_EINVAL, "channel %s: no user %s", id,
                                  json_is_string(member) ? json_string_value(member) : "?");
            }
            sim_channel_join(c, json_string_value(member));
        }
    }
    return HM_OK;
}

struct sim_state *sim_state_new(const json_t *config, struct hm_err *err)
{
    struct sim_state *s = hm_xcalloc(1, sizeof(*s));
    const char *key = NULL;
    json_t *user = NULL;

    s->team = json_deep_copy(hm_json_get_obj(config, "team"));
    s->app = json_deep_copy(hm_json_get_obj(config, "app"));
    s->users = by_id(config, "users");
    s->bots = by_id(config, "bots");
    s->groups = by_id(config, "usergroups");
    if (s->team == NULL || s->app == NULL) {
        (void)hm_err_set(err, HM_EINVAL, "wants the objects \"team\" and \"app\"");
        goto fail;
    }
    json_object_foreach(s->users, key, user)
    {
        if (json_object_get(user, "team_id") == NULL) {
            hm_json_set_str(user, "team_id", sim_state_team_id(s));
        }
    }
    if (sim_state_user(s, sim_state_app_str(s, "bot_user")) == NULL || sim_state_bot(s, sim_state_app_str(s, "bot_id")) == NULL) {
        (void)hm_err_set(err, HM_EINVAL, "app.bot_user and app.bot_id must be among users and bots");
        goto fail;
    }
    if (load_channels(s, config, err) != HM_OK) {
        goto fail;
    }
    return s;
fail:
    sim_state_free(s);
    return NULL;
}

struct sim_channel *sim_state_channel(const struct sim_state *s, const char *id_or_name)
{
    size_t i = 0;

    if (id_or_name == NULL) {
        return NULL;
    }
    if (id_or_name[0] == '#') {
        id_or_name++;
    }
    for (i = 0; i < s->channels_nr; i++) {
        struct sim_channel *c = s->channels[i];

        if (strcmp(c->id, id_or_name) == 0 || (!sim_channel_flag(c, "is_im") && strcmp(sim_channel_name(c), id_or_name) == 0)) {
            return c;
        }
    }
    return NULL;
}

struct sim_channel *sim_state_add_channel(struct sim_state *s, const char *id, json_t *stolen_info)
{
    struct sim_channel *c = hm_xcalloc(1, sizeof(*c));

    c->id = hm_xstrdup(id);
    c->info = stolen_info;
    c->members = hm_json_obj_new();
    c->read = hm_json_obj_new();
    s->channels = hm_xreallocarray(s->channels, s->channels_nr + 1, sizeof(struct sim_channel *));
    s->channels[s->channels_nr++] = c;
    return c;
}

struct sim_channel *sim_state_dm(struct sim_state *s, const char *user)
{
    char id[64];
    size_t i = 0;
    json_t *info = NULL;
    struct sim_channel *c = NULL;

    for (i = 0; i < s->channels_nr; i++) {
        if (sim_channel_flag(s->channels[i], "is_im") && hm_streq(hm_json_get_str(s->channels[i]->info, "user", NULL), user)) {
            return s->channels[i];
        }
    }
    (void)snprintf(id, sizeof(id), "D%.40s", user[0] != '\0' ? user + 1 : "");
    info = hm_json_obj_new();
    hm_json_set_str(info, "id", id);
    hm_json_set_str(info, "name", "directmessage");
    hm_json_set_bool(info, "is_im", true);
    hm_json_set_str(info, "user", user);
    c = sim_state_add_channel(s, id, info);
    sim_channel_join(c, user);
    sim_channel_join(c, sim_state_app_str(s, "bot_user"));
    return c;
}

json_t *sim_state_user(const struct sim_state *s, const char *id)
{
    return id != NULL ? json_object_get(s->users, id) : NULL;
}

json_t *sim_state_bot(const struct sim_state *s, const char *bot_id)
{
    return bot_id != NULL ? json_object_get(s->bots, bot_id) : NULL;
}

const char *sim_state_app_str(const struct sim_state *s, const char *key)
{
    return hm_json_get_str(s->app, key, "");
}

const char *sim_state_team_id(const struct sim_state *s)
{
    return hm_json_get_str(s->team, "id", "T0");
}

const char *sim_state_user_name(const struct sim_state *s, const char *id)
{
    const json_t *user = sim_state_user(s, id);
    const char *display = hm_json_get_str(hm_json_get_obj(user, "profile"), "display_name", "");

    if (user == NULL) {
        return id != NULL ? id : "?";
    }
    return display[0] != '\0' ? display : hm_json_get_str(user, "real_name", id);
}

const char *sim_state_author(const struct sim_state *s, const json_t *msg)
{
    const char *username = hm_json_get_str(msg, "username", NULL);
    const json_t *bot = sim_state_bot(s, hm_json_get_str(msg, "bot_id", NULL));

    if (username != NULL) {
        return username;
    }
    if (bot != NULL) {
        return hm_json_get_str(bot, "name", "bot");
    }
    return sim_state_user_name(s, hm_json_get_str(msg, "user", NULL));
}

bool sim_channel_has(const struct sim_channel *c, const char *user)
{
    return user != NULL && json_object_get(c->members, user) != NULL;
}

void sim_channel_join(struct sim_channel *c, const char *user)
{
    hm_json_set_bool(c->members, user, true);
}

void sim_channel_leave(struct sim_channel *c, const char *user)
{
    (void)json_object_del(c->members, user);
}

bool sim_channel_flag(const struct sim_channel *c, const char *key)
{
    return hm_json_get_bool(c->info, key, false);
}

const char *sim_channel_name(const struct sim_channel *c)
{
    return hm_json_get_str(c->info, "name", c->id);
}

const char *sim_channel_type(const struct sim_channel *c)
{
    if (sim_channel_flag(c, "is_im")) {
        return "im";
    }
    return sim_channel_flag(c, "is_private") ? "group" : "channel";
}

const char *sim_channel_next_ts(struct sim_channel *c, int64_t wall_us, char buf[SIM_TS_MAX])
{
    if (wall_us <= c->last_us) {
        wall_us = c->last_us + 1;
    }
    c->last_us = wall_us;
    (void)snprintf(buf, SIM_TS_MAX, "%010" PRId64 ".%06" PRId64, (wall_us / 1000000) % INT64_C(10000000000), wall_us % 1000000);
    return buf;
}

static size_t lower_bound(const struct sim_channel *c, const char *ts)
{
    size_t lo = 0;
    size_t hi = c->msgs_nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(c->msgs[mid]->ts, ts) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* A parent's reply_count, reply_users, latest_reply from what is there now. */
static void count_replies(struct sim_channel *c, struct sim_msg *parent)
{
    json_t *users = hm_json_arr_new();
    json_t *known = hm_json_obj_new();
    const char *latest = NULL;
    int64_t count = 0;
    size_t i = 0;

    for (i = lower_bound(c, parent->ts); i < c->msgs_nr; i++) {
        const struct sim_msg *m = c->msgs[i];
        const char *user = hm_json_get_str(m->json, "user", hm_json_get_str(m->json, "bot_id", NULL));

        if (m == parent || m->only_user != NULL || strcmp(m->thread_ts, parent->ts) != 0) {
            continue;
        }
        count++;
        latest = m->ts;
        if (user != NULL && json_object_get(known, user) == NULL) {
            hm_json_set_bool(known, user, true);
            hm_json_add(users, hm_json_str_new(user));
        }
    }
    json_decref(known);
    if (count == 0) {
        static const char *const gone[] = {"thread_ts",         "reply_count",  "reply_users",
                                           "reply_users_count", "latest_reply", "is_locked"};

        for (i = 0; i < HM_ARRAY_LEN(gone); i++) {
            (void)json_object_del(parent->json, gone[i]);
        }
        parent->thread_ts[0] = '\0';
        json_decref(users);
        return;
    }
    memcpy(parent->thread_ts, parent->ts, sizeof(parent->ts));
    hm_json_set_str(parent->json, "thread_ts", parent->ts);
    hm_json_set_int(parent->json, "reply_count", count);
    hm_json_set_int(parent->json, "reply_users_count", (int64_t)json_array_size(users));
    hm_json_set(parent->json, "reply_users", users);
    hm_json_set_str(parent->json, "latest_reply", latest);
    hm_json_set_bool(parent->json, "is_locked", false);
}

struct sim_msg *sim_channel_add(struct sim_channel *c, json_t *stolen_json, const char *only_user)
{
    struct sim_msg *m = hm_xcalloc(1, sizeof(*m));
    const char *thread_ts = hm_json_get_str(stolen_json, "thread_ts", "");
    size_t at = 0;

    m->json = stolen_json;
    m->selected = hm_json_obj_new();
    m->only_user = hm_xstrdup_null(only_user);
    (void)snprintf(m->ts, sizeof(m->ts), "%.23s", hm_json_get_str(stolen_json, "ts", ""));
    (void)snprintf(m->thread_ts, sizeof(m->thread_ts), "%.23s", thread_ts);
    if (c->msgs_nr == c->msgs_cap) {
        c->msgs_cap = c->msgs_cap == 0 ? 64 : c->msgs_cap * 2;
        c->msgs = hm_xreallocarray(c->msgs, c->msgs_cap, sizeof(struct sim_msg *));
    }
    at = lower_bound(c, m->ts);
    memmove(c->msgs + at + 1, c->msgs + at, (c->msgs_nr - at) * sizeof(struct sim_msg *));
    c->msgs[at] = m;
    c->msgs_nr++;
    if (only_user == NULL && sim_msg_is_reply(m)) {
        struct sim_msg *parent = sim_channel_find(c, m->thread_ts);

        if (parent != NULL) {
            count_replies(c, parent);
        }
    }
    return m;
}

struct sim_msg *sim_channel_find(const struct sim_channel *c, const char *ts)
{
    size_t at = ts != NULL ? lower_bound(c, ts) : c->msgs_nr;

    return at < c->msgs_nr && strcmp(c->msgs[at]->ts, ts) == 0 ? c->msgs[at] : NULL;
}

static void make_tombstone(struct sim_msg *m)
{
    static const char *const gone[] = {"blocks",    "attachments", "bot_id", "app_id",     "metadata",
                                       "reactions", "edited",      "files",  "bot_profile"};
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(gone); i++) {
        (void)json_object_del(m->json, gone[i]);
    }
    hm_json_set_str(m->json, "subtype", "tombstone");
    hm_json_set_str(m->json, "text", "This message was deleted.");
    hm_json_set_str(m->json, "user", "USLACKBOT");
    hm_json_set_bool(m->json, "hidden", true);
}

struct sim_msg *sim_channel_remove(struct sim_channel *c, struct sim_msg *m)
{
    size_t at = lower_bound(c, m->ts);
    struct sim_msg *parent = sim_msg_is_reply(m) ? sim_channel_find(c, m->thread_ts) : NULL;

    if (hm_json_get_int(m->json, "reply_count", 0) > 0) {
        make_tombstone(m);
        return m;
    }
    memmove(c->msgs + at, c->msgs + at + 1, (c->msgs_nr - at - 1) * sizeof(struct sim_msg *));
    c->msgs_nr--;
    msg_free(m);
    if (parent != NULL) {
        count_replies(c, parent);
    }
    return NULL;
}

bool sim_msg_is_reply(const struct sim_msg *m)
{
    return m->thread_ts[0] != '\0' && strcmp(m->thread_ts, m->ts) != 0;
}

bool sim_msg_seen_by(const struct sim_msg *m, const char *user)
{
    return m->only_user == NULL || hm_streq(user, "*") || hm_streq(user, m->only_user);
}

bool sim_ts_ok(const char *ts)
{
    size_t i = 0;

    if (ts == NULL || strlen(ts) != 17 || ts[10] != '.') {
        return false;
    }
    for (i = 0; i < 17; i++) {
        if (i != 10 && (ts[i] < '0' || ts[i] > '9')) {
            return false;
        }
    }
    return true;
}
