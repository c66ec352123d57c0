/* Envelopes on their way to the bot, and its acks: see model_slack.h. hm_socket_ack() is here. */
#include <stdlib.h>
#include <string.h>

#include "app/intake.h"
#include "base/mem.h"
#include "check.h"
#include "model_chat.h"
#include "process.h"

void slack_send_envelope(const struct envelope *stolen)
{
    struct slack *s = sim->slack;
    s->envelopes = hm_xreallocarray(s->envelopes, s->n_envelopes + 1, sizeof s->envelopes[0]);
    struct envelope *e = &s->envelopes[s->n_envelopes++];
    *e = *stolen;
    e->to_deliver = 1;
    if (e->kind == SIM_EVENT && !process_is_connected() && rng_percent(&sim->rng, 70)) {
        e->to_deliver = 0; /* nobody is there: it is in the channel's history */
        return;
    }
    if (sim->calm || !sim->faults.doubled_envelopes)
        return;
    if (e->kind == SIM_EVENT) { /* whoever is connected gets it */
        e->to_deliver = rng_percent(&sim->rng, 25) ? 2 : 1;
        return;
    }
    e->to_deliver = rng_percent(&sim->rng, 10) ? 0 : rng_percent(&sim->rng, 25) ? 2 : 1;
}

size_t slack_envelopes_waiting(void)
{
    size_t n = 0;
    for (size_t i = 0; i < sim->slack->n_envelopes; i++)
        n += sim->slack->envelopes[i].to_deliver > 0 ? 1 : 0;
    return n;
}

void slack_deliver(void)
{
    struct slack *s = sim->slack;
    size_t pick = rng_below(&sim->rng, slack_envelopes_waiting());
    size_t i = 0;
    while (s->envelopes[i].to_deliver == 0 || pick-- > 0)
        i++;
    struct envelope *e = &s->envelopes[i];
    e->to_deliver--;
    const struct hm_envelope env = {
        .envelope_id = e->id,
        .type = e->type,
        .dedupe_key = e->key,
        .accepts_response_payload = true,
        .retry_reason = "",
        .text = e->text,
        .len = strlen(e->text),
    };
    sim_tell("slack: %s is delivered%s", e->key, e->acked ? " again" : "");
    hm_intake_envelope(process_intake(), (struct hm_ack_ticket){1}, &env);
}

void slack_drop_events(void)
{
    struct slack *s = sim->slack;
    for (size_t i = 0; i < s->n_envelopes; i++) {
        struct envelope *e = &s->envelopes[i];
        if (e->kind == SIM_EVENT && e->to_deliver > 0 && rng_percent(&sim->rng, 50))
            e->to_deliver = 0;
    }
}

static struct envelope *find_id(const char *envelope_id)
{
    for (size_t i = 0; i < sim->slack->n_envelopes; i++)
        if (strcmp(sim->slack->envelopes[i].id, envelope_id) == 0)
            return &sim->slack->envelopes[i];
    return NULL;
}

const struct envelope *slack_envelope(const char *key)
{
    for (size_t i = 0; i < sim->slack->n_envelopes; i++)
        if (strcmp(sim->slack->envelopes[i].key, key) == 0)
            return &sim->slack->envelopes[i];
    return NULL;
}

const struct envelope *slack_envelope_by_trigger(const char *trigger_id)
{
    for (size_t i = 0; i < sim->slack->n_envelopes; i++)
        if (strcmp(strchr(sim->slack->envelopes[i].key, ':') + 1, trigger_id) == 0)
            return &sim->slack->envelopes[i];
    return NULL;
}

bool hm_socket_ack(struct hm_socket *socket, struct hm_ack_ticket ticket, const char *envelope_id, const char *payload)
{
    struct envelope *e = find_id(envelope_id);
    (void)socket;
    (void)ticket;
    if (e == NULL)
        sim_fail("acked-after-commit", "an envelope %s is acknowledged that was never sent", envelope_id);
    if (sim->slack->burying)
        return false;
    check_ack(e);
    if (!sim->calm && sim->faults.doubled_envelopes && rng_percent(&sim->rng, 8)) {
        sim_tell("slack: the ack of %s is lost; it comes again", e->key);
        e->to_deliver++;
        if (payload != NULL)
            slack_tell(e->user); /* Slack itself says that it did not work */
        return true;
    }
    e->acked = true;
    if (payload != NULL)
        slack_tell(e->user); /* the form stays open and says why */
    sim_tell("slack: %s is acknowledged%s%s", e->key, payload != NULL ? ": " : "", payload != NULL ? payload : "");
    return true;
}
