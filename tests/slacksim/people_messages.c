/* Deeds with messages: slash commands, messages, mentions, edits, reactions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "payload.h"
#include "people.h"
#include "post.h"
#include "react.h"
#include "typed.h"

static bool should_escape(const struct sim *sim, const char *command)
{
    json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(hm_json_get_arr(sim->state->app, "commands"), i, one)
    {
        if (hm_streq(hm_json_get_str(one, "command", NULL), command)) {
            return hm_json_get_bool(one, "should_escape", false);
        }
    }
    return false;
}

json_t *sim_slash_payload_new(struct sim *sim, const struct sim_channel *c, const char *user, const char *command,
                              const char *text)
{
    json_t *p = hm_json_obj_new();
    char trigger[SIM_ID_MAX];
    const json_t *known = sim_state_user(sim->state, user);
    struct sim_hook hook = {.kind = "commands", .user = user, .channel = c->id};
    char *url = sim_hook_new(sim, &hook);

    hm_json_set_str(p, "token", "sim-verification-token");
    hm_json_set_str(p, "team_id", hm_json_get_str(known, "team_id", sim_state_team_id(sim->state)));
    hm_json_set_str(p, "team_domain", hm_json_get_str(sim->state->team, "domain", "sim"));
    if (sim->nasty.null_team) {
        hm_json_set_str(p, "enterprise_id", "E0SIM");
        hm_json_set_str(p, "enterprise_name", "Sim Org");
    }
    hm_json_set_str(p, "channel_id", c->id);
    hm_json_set_str(p, "channel_name", sim_channel_flag(c, "is_private") ? "privategroup" : sim_channel_name(c));
    hm_json_set_str(p, "user_id", user);
    hm_json_set_str(p, "user_name", hm_json_get_str(known, "name", user));
    hm_json_set_str(p, "command", command);
    hm_json_set_str(p, "text", text);
    hm_json_set_str(p, "api_app_id", sim_state_app_str(sim->state, "app_id"));
    hm_json_set_str(p, "is_enterprise_install", sim->nasty.null_team ? "true" : "false");
    hm_json_set_str(p, "response_url", url);
    hm_json_set_str(p, "trigger_id", sim_trigger_new(sim, user, NULL, trigger));
    free(url);
    return p;
}

static void do_slash(struct sim_do *d)
{
    struct sim_channel *c = sim_do_channel(d);
    const char *text = hm_json_get_str(d->body, "text", "");
    const char *command = hm_json_get_str(d->body, "command", "/hausmeister");
    bool typed = hm_json_get_bool(d->body, "typed", false);
    char *wire = NULL;
    char *line = NULL;
    struct sim_sending sending = {.act = SIM_ACT_SLASH, .type = "slash_commands", .accepts = true};

    if (c == NULL) {
        return;
    }
    wire = typed && should_escape(d->sim, command) ? sim_typed_to_wire(d->sim->state, text, true) : hm_xstrdup(text);
    line = hm_xasprintf("%s %s", command, text);
    sending.stolen_payload = sim_slash_payload_new(d->sim, c, d->user, command, wire);
    sending.channel = c->id;
    sending.text = line;
    sim_do_send(d, &sending);
    free(wire);
    free(line);
}

/* A message by a person (rich text made from the text) or a bot. NULL after having failed the deed. */
static json_t *message_new(struct sim_do *d, const char *wire)
{
    struct sim *sim = d->sim;
    json_t *msg = hm_json_obj_new();
    const char *bot_id = hm_json_get_str(d->body, "bot", NULL);
    const json_t *bot = sim_state_bot(sim->state, bot_id);
    char id[SIM_ID_MAX];
    static const char *const copied[] = {"thread_ts", "blocks",   "attachments", "subtype",
                                         "metadata",  "username", "icons",       "files"};
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(copied); i++) {
        if (json_object_get(d->body, copied[i]) != NULL) {
            hm_json_set(msg, copied[i], json_deep_copy(json_object_get(d->body, copied[i])));
        }
    }
    hm_json_set_str(msg, "text", wire);
    if (bot_id != NULL) {
        if (bot == NULL) {
            json_decref(msg);
            sim_do_fail(d, "no_such_bot", "%s", bot_id);
            return NULL;
        }
        hm_json_set_str(msg, "bot_id", bot_id);
        hm_json_set_str(msg, "app_id", hm_json_get_str(bot, "app_id", "A0"));
        if (hm_json_get_str(bot, "user_id", NULL) != NULL &&
            !hm_streq(hm_json_get_str(d->body, "subtype", NULL), "bot_message")) {
            hm_json_set_str(msg, "user", hm_json_get_str(bot, "user_id", ""));
        } else {
            hm_json_set_str(msg, "subtype", "bot_message");
        }
        return msg;
    }
    hm_json_set_str(msg, "user", d->user);
    hm_json_set_str(msg, "client_msg_id", sim_ids_uuid(&sim->ids, id));
    if (json_object_get(msg, "blocks") == NULL && wire[0] != '\0') {
        hm_json_set(msg, "blocks", sim_rich_blocks_new(wire, sim_ids_mixed(&sim->ids, 5, id)));
    }
    return msg;
}

static void post_as(struct sim_do *d, const char *prefix)
{
    struct sim_channel *c = NULL;
    const char *text = hm_json_get_str(d->body, "text", "");
    const char *thread_ts = hm_json_get_str(d->body, "thread_ts", NULL);
    char *wire = NULL;
    char *whole = NULL;
    json_t *msg = NULL;
    json_t *reply = NULL;
    const struct sim_msg *m = NULL;

    c = hm_json_get_str(d->body, "bot", NULL) != NULL
            ? sim_state_channel(d->sim->state, hm_json_get_str(d->body, "channel", NULL))
            : sim_do_channel(d);
    if (c == NULL) {
        if (hm_json_get_str(d->body, "bot", NULL) != NULL) {
            sim_do_fail(d, "no_such_channel", "%s", hm_json_get_str(d->body, "channel", ""));
        }
        return;
    }
    if (thread_ts != NULL && (sim_channel_find(c, thread_ts) == NULL || sim_msg_is_reply(sim_channel_find(c, thread_ts)))) {
        sim_do_fail(d, "no_such_thread", "%s is no parent in %s", thread_ts, c->id);
        return;
    }
    wire = hm_json_get_bool(d->body, "typed", false) ? sim_typed_to_wire(d->sim->state, text, false) : hm_xstrdup(text);
    whole = hm_xasprintf("%s%s", prefix, wire);
    msg = message_new(d, whole);
    if (msg != NULL) {
        m = sim_post(d->sim, c, msg, NULL);
        reply = hm_json_obj_new();
        hm_json_set_str(reply, "ts", m->ts);
        hm_json_set_str(reply, "channel", c->id);
        sim_do_ok(d, reply);
    }
    free(whole);
    free(wire);
}

static void do_message(struct sim_do *d)
{
    post_as(d, "");
}

static void do_mention(struct sim_do *d)
{
    char prefix[64];

    (void)snprintf(prefix, sizeof(prefix), "<@%.40s> ", sim_state_app_str(d->sim->state, "bot_user"));
    post_as(d, prefix);
}

static void do_edit(struct sim_do *d)
{
    struct sim_channel *c = sim_do_channel(d);
    struct sim_msg *m = c != NULL ? sim_do_message(d, c) : NULL;
    json_t *previous = NULL;
    json_t *edited = NULL;
    const char *text = hm_json_get_str(d->body, "text", "");
    char *wire = NULL;
    char id[SIM_ID_MAX];
    char ts[SIM_TS_MAX];

    if (m == NULL) {
        return;
    }
    wire = hm_json_get_bool(d->body, "typed", false) ? sim_typed_to_wire(d->sim->state, text, false) : hm_xstrdup(text);
    previous = json_deep_copy(m->json);
    hm_json_set_str(m->json, "text", wire);
    hm_json_set(m->json, "blocks",
                json_object_get(d->body, "blocks") != NULL ? json_deep_copy(json_object_get(d->body, "blocks"))
                                                           : sim_rich_blocks_new(wire, sim_ids_mixed(&d->sim->ids, 5, id)));
    edited = hm_json_obj_new();
    hm_json_set_str(edited, "user", d->user);
    hm_json_set_str(edited, "ts", sim_action_ts(ts));
    hm_json_set(m->json, "edited", edited);
    sim_post_changed(d->sim, c, m, previous);
    free(wire);
    sim_do_ok(d, NULL);
}

static void do_delete(struct sim_do *d)
{
    struct sim_channel *c = sim_do_channel(d);
    struct sim_msg *m = c != NULL ? sim_do_message(d, c) : NULL;

    if (m != NULL) {
        sim_post_delete(d->sim, c, m);
        sim_do_ok(d, NULL);
    }
}

static void do_react(struct sim_do *d)
{
    struct sim_channel *c = sim_do_channel(d);
    struct sim_msg *m = c != NULL ? sim_do_message(d, c) : NULL;
    const char *name = hm_json_get_str(d->body, "name", "eyes");
    const char *error = NULL;

    if (m == NULL) {
        return;
    }
    error = hm_json_get_bool(d->body, "remove", false) ? sim_react_remove(m, d->user, name) : sim_react_add(m, d->user, name);
    if (error != NULL) {
        sim_do_fail(d, error, "%s", name);
    } else {
        sim_touch(d->sim);
        m->changed = d->sim->version;
        sim_do_ok(d, NULL);
    }
}

/* The newest message that this user has seen. */
static void do_read(struct sim_do *d)
{
    struct sim_channel *c = sim_do_channel(d);

    if (c != NULL) {
        hm_json_set_str(c->read, d->user, hm_json_get_str(d->body, "ts", ""));
        sim_do_ok(d, NULL);
    }
}

const struct sim_deed sim_deeds_messages[] = {
    {"slash", do_slash},           {"message", do_message}, {"mention", do_mention}, {"edit_message", do_edit},
    {"delete_message", do_delete}, {"react", do_react},     {"read", do_read},       {NULL, NULL},
};
