/* The team: users, groups, channels, messages. Pure: no clock, no I/O. Messages are jansson objects in Slack's public form, kept
 * per channel in the order of their ts. Everything returned is borrowed. */
#ifndef SLACKSIM_STATE_H
#define SLACKSIM_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SIM_TS_MAX = 24 };

struct sim_msg {
    json_t *json;
    char ts[SIM_TS_MAX];
    char thread_ts[SIM_TS_MAX]; /* "" when it is in no thread; a parent has its own ts here once it has replies */
    char *only_user;            /* ephemeral: who sees it; NULL for all */
    uint64_t changed;           /* sim->version when it last changed */
    json_t *selected;           /* user -> block_id -> action_id -> state object: what people chose in its menus */
};

struct sim_channel {
    char *id;
    json_t *info;    /* public form without the computed fields */
    json_t *members; /* user id -> true */
    struct sim_msg **msgs;
    size_t msgs_nr, msgs_cap;
    int64_t last_us; /* of the newest ts */
    json_t *read;    /* user id -> ts: what each has seen on the page */
};

struct sim_state {
    json_t *team;   /* id, domain, name */
    json_t *app;    /* app_id, bot_user, bot_id, command, shortcuts … as in the config */
    json_t *users;  /* id -> user */
    json_t *bots;   /* bot id -> {id, name, user_id, app_id, icons} */
    json_t *groups; /* id -> {id, handle, name, users[]} */
    struct sim_channel **channels;
    size_t channels_nr;
};

/* From the sample file's JSON. NULL with err set when a part is missing or refers to what does not exist. */
struct sim_state *sim_state_new(const json_t *config, struct hm_err *err);
void sim_state_free(struct sim_state *s);

struct sim_channel *sim_state_channel(const struct sim_state *s, const char *id_or_name); /* "C0OPS", "#ops", "ops" */
struct sim_channel *sim_state_add_channel(struct sim_state *s, const char *id, json_t *stolen_info);
/* The DM between user and bot; made when there is none. */
struct sim_channel *sim_state_dm(struct sim_state *s, const char *user);
json_t *sim_state_user(const struct sim_state *s, const char *id);
json_t *sim_state_bot(const struct sim_state *s, const char *bot_id);
const char *sim_state_app_str(const struct sim_state *s, const char *key); /* "" when absent */
const char *sim_state_team_id(const struct sim_state *s);
/* Real name or, for a bot, its name; the id when unknown. */
const char *sim_state_user_name(const struct sim_state *s, const char *id);
/* What a message shows as its author: username, bot's or user's name. */
const char *sim_state_author(const struct sim_state *s, const json_t *msg);

bool sim_channel_has(const struct sim_channel *c, const char *user);
void sim_channel_join(struct sim_channel *c, const char *user);
void sim_channel_leave(struct sim_channel *c, const char *user);
bool sim_channel_flag(const struct sim_channel *c, const char *key); /* is_archived, is_private, is_im */
const char *sim_channel_name(const struct sim_channel *c);
/* "channel", "group", "im" */
const char *sim_channel_type(const struct sim_channel *c);

/* The next ts: now, or just after the channel's newest. */
const char *sim_channel_next_ts(struct sim_channel *c, int64_t wall_us, char buf[SIM_TS_MAX]);
/* json must have a fresh "ts"; "thread_ts" makes it a reply and keeps the parent's counts. only_user: NULL or who alone sees it.
 */
struct sim_msg *sim_channel_add(struct sim_channel *c, json_t *stolen_json, const char *only_user);
struct sim_msg *sim_channel_find(const struct sim_channel *c, const char *ts);
/* Removes a message; a parent with replies becomes a tombstone (returns it), otherwise NULL. */
struct sim_msg *sim_channel_remove(struct sim_channel *c, struct sim_msg *m);
/* True when m is a reply: in a thread and not its parent. */
bool sim_msg_is_reply(const struct sim_msg *m);
bool sim_msg_seen_by(const struct sim_msg *m, const char *user); /* public, or ephemeral to user; "*" sees all */
/* "C0OPS", well-formed "1700000000.000100". */
bool sim_ts_ok(const char *ts);

#endif
