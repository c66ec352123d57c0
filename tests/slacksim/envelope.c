/* Envelopes: one delivery each, the 3-second clock, retries of events, and what becomes of acks.
 *
 * Happy path: send -> frame on one connection -> ack in time -> on_result(SIM_ACKED). Events that nobody acks come again, as new
 * envelopes of the same event_id, after retry_s; slash commands and interactions do not, unless the switch retry_slash says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "shapes.h"
#include "sock.h"
#include "strmap.h"

enum { DELIVERED_MAX = 8, DONE_KEPT = 20000 };

enum env_state { ENV_WAITING, ENV_SENT, ENV_DONE };

struct env {
    struct sim_envelopes *all;
    char id[SIM_ENVELOPE_ID_MAX];
    char type[32];
    char *text; /* the frame; NULL once done */
    size_t len;
    json_t *payload; /* kept for retries; NULL once done */
    enum env_state state;
    bool accepts, is_event;
    int64_t attempt; /* 0 first */
    int64_t repeats; /* duplicates still to send */
    int64_t deliveries, acks;
    uint64_t on[DELIVERED_MAX]; /* serials of the connections it went to */
    int64_t sent_us;
    uint64_t timer, repeat_timer;
    void (*on_result)(void *arg, enum sim_result result, int64_t latency_us, const json_t *payload);
    void *arg;
};

struct sim_envelopes {
    struct sim_socket *s;
    struct sim_strmap *by_id;
    size_t open;
    struct env **done; /* ring: the oldest is freed for the next */
    size_t done_at;
};

static void deliver(struct env *e, const struct sim_sock *not_on);

static void env_free(struct env *e)
{
    sim_timers_cancel(e->all->s->sim->timers, &e->timer);
    sim_timers_cancel(e->all->s->sim->timers, &e->repeat_timer);
    (void)sim_strmap_take(e->all->by_id, e->id);
    json_decref(e->payload);
    free(e->text);
    free(e);
}

struct sim_envelopes *sim_envelopes_new(struct sim_socket *s)
{
    struct sim_envelopes *all = hm_xcalloc(1, sizeof(*all));

    all->s = s;
    all->by_id = sim_strmap_new();
    all->done = hm_xcalloc(DONE_KEPT, sizeof(struct env *));
    return all;
}

static void collect(const char *key, void *value, void *arg)
{
    struct env ***at = arg;

    (void)key;
    *(*at)++ = value;
}

static void drop_all(struct sim_envelopes *all)
{
    size_t nr = sim_strmap_len(all->by_id);
    struct env **list = hm_xcalloc(nr + 1, sizeof(struct env *));
    struct env **at = list;
    size_t i = 0;

    sim_strmap_each(all->by_id, collect, &at);
    for (i = 0; i < nr; i++) {
        if (list[i]->state != ENV_DONE && list[i]->on_result != NULL) {
            list[i]->on_result(list[i]->arg, SIM_RESET, 0, NULL);
        }
        env_free(list[i]);
    }
    free(list);
    memset(all->done, 0, DONE_KEPT * sizeof(struct env *));
    all->open = 0;
}

void sim_envelopes_reset(struct sim_envelopes *all)
{
    drop_all(all);
}

void sim_envelopes_free(struct sim_envelopes *all)
{
    drop_all(all);
    sim_strmap_free(all->by_id);
    free(all->done);
    free(all);
}

size_t sim_envelopes_open(const struct sim_envelopes *all)
{
    return all->open;
}

static void settle(struct env *e, enum sim_result result, int64_t latency_us, const json_t *payload)
{
    void (*on_result)(void *arg, enum sim_result, int64_t, const json_t *) = e->on_result;

    e->on_result = NULL;
    if (on_result != NULL) {
        on_result(e->arg, result, latency_us, payload);
    }
}

/* Keeps a short record, so that late and doubled acks are known as such. */
static void finish(struct env *e)
{
    struct sim_envelopes *all = e->all;
    struct env **place = &all->done[all->done_at++ % DONE_KEPT];

    sim_timers_cancel(all->s->sim->timers, &e->timer);
    e->state = ENV_DONE;
    all->open--;
    if (*place != NULL) {
        env_free(*place);
    }
    *place = e;
    if (e->repeats == 0 && e->repeat_timer == 0) {
        json_decref(e->payload);
        e->payload = NULL;
        HM_FREE(e->text);
    }
    sim_touch(all->s->sim);
}

/* --- retries ------------------------------------------------------------------------------------------------------------------
 */
struct retry {
    struct sim_envelopes *all;
    json_t *payload;
    char type[32];
    bool accepts, is_event;
    int64_t attempt;
    uint64_t epoch;
};

static struct env *env_new(struct sim_envelopes *all, const struct sim_envelope *envelope, int64_t attempt);

static void drop_retry(void *arg)
{
    struct retry *r = arg;

    json_decref(r->payload);
    free(r);
}

static void on_retry(void *arg)
{
    struct retry *r = arg;
    struct sim *sim = r->all->s->sim;
    struct sim_envelope again = {.type = r->type, .accepts = r->accepts, .is_event = r->is_event, .stolen_payload = r->payload};

    if (r->epoch == sim->epoch) {
        (void)json_incref(r->payload);
        sim_log_counts(sim->log)->retries++;
        deliver(env_new(r->all, &again, r->attempt), NULL);
    }
    drop_retry(r);
}

static void plan_retry(struct env *e)
{
    struct sim *sim = e->all->s->sim;
    struct retry *r = NULL;
    int64_t last = e->is_event ? sim->knobs.retries_nr : sim->nasty.retry_slash;
    double wait_s = 0;

    if (e->attempt >= last) {
        sim_log_counts(sim->log)->given_up += e->is_event ? 1 : 0;
        return;
    }
    wait_s = e->is_event ? sim->knobs.retry_s[e->attempt] : 0;
    r = hm_xcalloc(1, sizeof(*r));
    r->all = e->all;
    r->payload = json_incref(e->payload);
    (void)snprintf(r->type, sizeof(r->type), "%s", e->type);
    r->accepts = e->accepts;
    r->is_event = e->is_event;
    r->attempt = e->attempt + 1;
    r->epoch = sim->epoch;
    (void)sim_timers_add_owned(sim->timers, sim_scaled_ms(sim, wait_s), on_retry, drop_retry, r);
}

static void on_ack_timeout(void *arg)
{
    struct env *e = arg;

    e->timer = 0;
    sim_log_counts(e->all->s->sim->log)->unacked++;
    plan_retry(e);
    settle(e, SIM_TIMED_OUT, sim_now_us() - e->sent_us, NULL);
    finish(e);
}

static void on_no_connection(void *arg)
{
    struct env *e = arg;

    e->timer = 0;
    plan_retry(e);
    settle(e, SIM_NO_CONNECTION, 0, NULL);
    finish(e);
}

/* --- out ----------------------------------------------------------------------------------------------------------------------
 */
static void send_on(struct env *e, struct sim_sock *k)
{
    struct sim_log_entry entry = {.kind = SIM_LOG_OUT, .who = k->id, .text = e->text};

    if (e->deliveries < DELIVERED_MAX) {
        e->on[e->deliveries] = k->serial;
    }
    e->deliveries++;
    k->envelopes++;
    sim_log_add(k->s->sim->log, &entry);
    sim_sock_text(k, e->text, e->len);
}

static void on_repeat(void *arg)
{
    struct env *e = arg;
    struct sim_socket *s = e->all->s;
    struct sim_sock *first = NULL;
    struct sim_sock *k = NULL;
    size_t i = 0;

    e->repeat_timer = 0;
    for (i = 0; i < s->socks_nr; i++) {
        if (s->socks[i]->serial == e->on[0]) {
            first = s->socks[i];
        }
    }
    k = s->sim->nasty.duplicate_other || first == NULL ? sim_sock_pick(s, first) : first;
    if (k != NULL) {
        send_on(e, k);
    }
    e->repeats--;
    if (e->repeats > 0) {
        e->repeat_timer = sim_timers_add(s->sim->timers, s->sim->nasty.duplicate_after_ms, on_repeat, e);
    }
}

static void deliver(struct env *e, const struct sim_sock *not_on)
{
    struct sim *sim = e->all->s->sim;
    struct sim_sock *k = sim_sock_pick(e->all->s, not_on);

    if (k == NULL) {
        e->timer = sim_timers_add(sim->timers, 0, on_no_connection, e);
        return;
    }
    e->state = ENV_SENT;
    e->sent_us = sim_now_us();
    e->timer = sim_timers_add(sim->timers, sim->knobs.ack_ms, on_ack_timeout, e);
    send_on(e, k);
    if (e->repeats > 0) {
        e->repeat_timer = sim_timers_add(sim->timers, sim->nasty.duplicate_after_ms, on_repeat, e);
    }
}

static char *frame_text(const struct env *e, const struct sim_nasty *nasty)
{
    bool reorder = nasty->reorder;
    json_t *payload = nasty->full || nasty->bare ? sim_shape_new(nasty, e->type, e->payload) : json_incref(e->payload);
    json_t *frame = hm_json_obj_new();
    char *text = NULL;

    if (reorder) {
        hm_json_set(frame, "payload", json_incref(payload));
        hm_json_set_bool(frame, "accepts_response_payload", e->accepts);
    }
    hm_json_set_str(frame, "envelope_id", e->id);
    hm_json_set(frame, "payload", json_incref(payload));
    hm_json_set_str(frame, "type", e->type);
    hm_json_set_bool(frame, "accepts_response_payload", e->accepts);
    if (e->is_event) {
        hm_json_set_int(frame, "retry_attempt", e->attempt);
        hm_json_set_str(frame, "retry_reason", e->attempt > 0 ? "timeout" : "");
    }
    text = json_dumps(frame, reorder ? JSON_INDENT(2) : JSON_COMPACT);
    json_decref(payload);
    json_decref(frame);
    return text != NULL ? text : hm_xstrdup("{}");
}

static struct env *env_new(struct sim_envelopes *all, const struct sim_envelope *envelope, int64_t attempt)
{
    struct sim *sim = all->s->sim;
    struct env *e = hm_xcalloc(1, sizeof(*e));
    char id[SIM_ID_MAX];

    e->all = all;
    (void)snprintf(e->id, sizeof(e->id), "%.63s", envelope->id != NULL ? envelope->id : sim_ids_uuid(&sim->ids, id));
    (void)snprintf(e->type, sizeof(e->type), "%.31s", envelope->type);
    e->accepts = envelope->accepts;
    e->is_event = envelope->is_event;
    e->payload = envelope->stolen_payload;
    e->attempt = attempt;
    e->repeats = sim->nasty.duplicate;
    e->on_result = envelope->on_result;
    e->arg = envelope->arg;
    e->text = frame_text(e, &sim->nasty);
    e->len = strlen(e->text);
    sim_strmap_set(all->by_id, e->id, e);
    all->open++;
    sim_log_counts(sim->log)->envelopes++;
    return e;
}

static void on_late(void *arg)
{
    struct env *e = arg;

    e->timer = 0;
    deliver(e, NULL);
}

void sim_envelopes_send(struct sim_envelopes *all, const struct sim_envelope *envelope, char ret_id[SIM_ENVELOPE_ID_MAX])
{
    struct sim *sim = all->s->sim;
    struct env *e = env_new(all, envelope, 0);

    if (ret_id != NULL) {
        (void)snprintf(ret_id, SIM_ENVELOPE_ID_MAX, "%s", e->id);
    }
    if (envelope->held) {
        return;
    }
    if (sim->nasty.late_ms > 0) {
        e->timer = sim_timers_add(sim->timers, sim->nasty.late_ms, on_late, e);
    } else {
        deliver(e, NULL);
    }
}

void sim_envelopes_release(struct sim_envelopes *all, const char *id)
{
    struct env *e = sim_strmap_get(all->by_id, id);

    if (e != NULL && e->state == ENV_WAITING) {
        deliver(e, NULL);
    }
}

/* --- acks ---------------------------------------------------------------------------------------------------------------------
 */
static bool was_delivered_on(const struct env *e, const struct sim_sock *k)
{
    int64_t i = 0;

    for (i = 0; i < e->deliveries && i < DELIVERED_MAX; i++) {
        if (e->on[i] == k->serial) {
            return true;
        }
    }
    return false;
}

static void on_ack(struct env *e, struct sim_sock *from, const json_t *payload)
{
    struct sim *sim = from->s->sim;
    struct sim_counts *counts = sim_log_counts(sim->log);
    int64_t latency_us = sim_now_us() - e->sent_us;

    if (!was_delivered_on(e, from)) {
        counts->foreign_acks++;
        if (sim->nasty.refuse_foreign_ack || !sim->knobs.ack_any_connection) {
            return;
        }
    }
    e->acks++;
    from->acks++;
    if (e->state == ENV_DONE) {
        if (e->acks > e->deliveries) {
            counts->duplicate_acks++;
        } else if (e->acks == 1) {
            counts->late_acks++;
        }
        return;
    }
    counts->acks++;
    sim_log_ack_latency(sim->log, latency_us);
    if (payload != NULL && json_object_size(payload) > 0 && !e->accepts) {
        sim_log_violation(sim->log, from->id, "ack of %s with a payload; accepts_response_payload was false", e->id);
        payload = NULL;
    }
    settle(e, SIM_ACKED, latency_us, payload);
    finish(e);
}

void sim_envelopes_on_text(struct sim_envelopes *all, struct sim_sock *from, const char *text, size_t len, bool fragmented)
{
    struct sim *sim = all->s->sim;
    struct sim_log_entry entry = {.kind = SIM_LOG_IN, .who = from->id, .text = text};
    json_t *ack = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const char *id = hm_json_get_str(ack, "envelope_id", NULL);
    const json_t *payload = json_object_get(ack, "payload");
    struct env *e = NULL;

    sim_log_add(sim->log, &entry);
    if (fragmented) {
        sim_log_violation(sim->log, from->id, "ack in more than one frame: Slack drops it");
    } else if (id == NULL) {
        sim_log_violation(sim->log, from->id, "text frame that is no ack");
    } else if (payload != NULL && !json_is_object(payload)) {
        sim_log_violation(sim->log, from->id, "ack whose payload is no object");
    } else {
        e = sim_strmap_get(all->by_id, id);
        if (e != NULL && e->deliveries > 0) {
            on_ack(e, from, payload);
        } else {
            sim_log_counts(sim->log)->unknown_acks++;
        }
    }
    json_decref(ack);
}
