/* The watched channel: see model_channel.h. */
#include "model_channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "model_slack.h"
#include "model_time.h"
#include "process.h"
#include "sim.h"

enum { PAGE = 3 };

struct channel {
    struct said *said;
    size_t n;
};

void sim_channel_init(void)
{
    sim->channel = hm_xcalloc(1, sizeof *sim->channel);
}

void sim_channel_done(void)
{
    free(sim->channel->said);
    HM_FREE(sim->channel);
}

size_t channel_size(void)
{
    return sim->channel->n;
}

const struct said *channel_said(size_t index)
{
    return &sim->channel->said[index];
}

static struct said *find(const char *ts)
{
    for (size_t i = 0; i < sim->channel->n; i++)
        if (strcmp(sim->channel->said[i].ts, ts) == 0)
            return &sim->channel->said[i];
    return NULL;
}

const struct said *channel_find(const char *ts)
{
    return find(ts);
}

void channel_connected(void)
{
    for (size_t i = 0; i < sim->channel->n; i++)
        if (sim->channel->said[i].connected_ms == INT64_MAX)
            sim->channel->said[i].connected_ms = sim_true_ms();
}

/* ---- what is said
 * --------------------------------------------------------------------------------------------------------------------------- */

static char *text_new(const struct said *s)
{
    if (s->kind == SAID_CHATTER)
        return hm_xasprintf("Has anybody seen %s?", s->thing);
    return hm_xasprintf(s->kind == SAID_OK || s->edited_ok ? "OK %s is off" : "ALARM %s is on", s->thing);
}

static json_t *message_new(const struct said *s)
{
    json_t *m = hm_json_obj_new();
    char *text = text_new(s);
    hm_json_set_str(m, "type", "message");
    hm_json_set_str(m, "ts", s->ts);
    hm_json_set_str(m, "text", text);
    if (s->kind == SAID_CHATTER) {
        hm_json_set_str(m, "user", "U0ANA");
    } else {
        hm_json_set_str(m, "subtype", "bot_message");
        hm_json_set_str(m, "bot_id", s->kind == SAID_FORGED ? "B0OTHER" : "B0MONITOR");
    }
    if (s->edited_ok)
        hm_json_set(m, "edited", json_pack("{s:s,s:s}", "user", "U0MONITOR", "ts", s->ts));
    free(text);
    return m;
}

/* The event, as Slack sends it; stolen_event is what happened in the channel. */
static void send_event(const struct said *s, json_t *stolen_event)
{
    unsigned id = ++sim->count.envelopes;
    json_t *root = hm_json_obj_new();
    json_t *payload = hm_json_obj_new();
    struct envelope e = {
        .key = hm_xasprintf("evt:t%u", id),
        .id = hm_xasprintf("e%u", id),
        .type = "events_api",
        .kind = SIM_EVENT,
        .said_ts = hm_xstrdup(s->ts),
    };
    hm_json_set_str(root, "envelope_id", e.id);
    hm_json_set_str(root, "type", e.type);
    hm_json_set_bool(root, "accepts_response_payload", false);
    hm_json_set_str(payload, "type", "event_callback");
    hm_json_set_str(payload, "team_id", "T0SIM");
    hm_json_set_str(payload, "api_app_id", "A0SIM");
    hm_json_set_str(payload, "event_id", strchr(e.key, ':') + 1);
    hm_json_set_int(payload, "event_time", sim_true_ms() / 1000);
    hm_json_set(payload, "event", stolen_event);
    hm_json_set(root, "payload", payload);
    e.text = hm_json_text(root);
    json_decref(root);
    slack_send_envelope(&e);
}

void channel_say(enum said_kind kind, const char *thing)
{
    struct channel *c = sim->channel;
    c->said = hm_xreallocarray(c->said, c->n + 1, sizeof c->said[0]);
    struct said *s = &c->said[c->n];
    *s = (struct said){.kind = kind, .at_ms = sim_true_ms(), .connected_ms = INT64_MAX};
    if (c->n > 0 && s->at_ms <= c->said[c->n - 1].at_ms) /* no two within a millisecond */
        s->at_ms = c->said[c->n - 1].at_ms + 1;
    if (process_is_connected())
        s->connected_ms = s->at_ms;
    (void)snprintf(s->thing, sizeof s->thing, "%s", thing);
    (void)snprintf(s->ts, sizeof s->ts, "%lld.%03lld%03zu", (long long)(s->at_ms / 1000), (long long)(s->at_ms % 1000),
                   c->n % 1000);
    c->n++;
    json_t *event = message_new(s);
    sim_tell("in the channel: %s %s", s->ts, hm_json_get_str(event, "text", ""));
    hm_json_set_str(event, "channel", SIM_WATCHED);
    hm_json_set_str(event, "channel_type", "channel");
    send_event(s, event);
}

void channel_edit(size_t index)
{
    struct said *s = &sim->channel->said[index];
    json_t *event = hm_json_obj_new();
    if (s->kind != SAID_ALARM || s->edited_ok) {
        json_decref(event);
        return;
    }
    json_t *before = message_new(s);
    s->edited_ok = true;
    sim_tell("in the channel: %s is edited: it is over", s->ts);
    hm_json_set_str(event, "type", "message");
    hm_json_set_str(event, "subtype", "message_changed");
    hm_json_set_str(event, "channel", SIM_WATCHED);
    hm_json_set_str(event, "ts", s->ts);
    hm_json_set(event, "message", message_new(s));
    hm_json_set(event, "previous_message", before);
    send_event(s, event);
}

/* ---- what Slack answers
 * --------------------------------------------------------------------------------------------------------------------- */

json_t *channel_history_new(const json_t *args)
{
    const struct channel *c = sim->channel;
    json_t *body = hm_json_obj_new();
    json_t *list = hm_json_arr_new();
    const char *oldest = hm_json_get_str(args, "oldest", "0");
    int64_t at = (int64_t)c->n;
    (void)hm_parse_i64(hm_json_get_str(args, "cursor", ""), 0, at, &at);
    while (at > 0 && json_array_size(list) < PAGE && strcmp(c->said[at - 1].ts, oldest) >= 0)
        hm_json_add(list, message_new(&c->said[--at]));
    bool more = at > 0 && strcmp(c->said[at - 1].ts, oldest) >= 0;
    hm_json_set_bool(body, "ok", true);
    hm_json_set(body, "messages", list);
    hm_json_set_bool(body, "has_more", more);
    if (more) {
        char *cursor = hm_xasprintf("%lld", (long long)at);
        hm_json_set(body, "response_metadata", json_pack("{s:s}", "next_cursor", cursor));
        free(cursor);
    }
    return body;
}

static size_t reaction_at(const struct said *s, const char *name)
{
    size_t i = 0;
    while (i < SIM_REACTIONS && strcmp(s->reactions[i], name) != 0)
        i++;
    return i;
}

bool channel_react(const json_t *args, bool away)
{
    const char *name = hm_json_get_str(args, "name", "");
    struct said *s = find(hm_json_get_str(args, "timestamp", ""));
    if (s == NULL || !hm_streq(hm_json_get_str(args, "channel", ""), SIM_WATCHED))
        return false;
    size_t at = reaction_at(s, name);
    if (at == SIM_REACTIONS && !away)
        at = reaction_at(s, "");
    if (at == SIM_REACTIONS && !away)
        sim_fail("marks-are-right", "%s has more reactions than the bot has marks", s->ts);
    if (at < SIM_REACTIONS)
        (void)snprintf(s->reactions[at], sizeof s->reactions[at], "%s", away ? "" : name);
    sim_tell("slack: %s %s :%s:", s->ts, away ? "loses" : "bears", name);
    return true;
}
