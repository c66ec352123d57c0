/* The dial machine: see dial.h.
 *
 * The chain (what is not drawn stays where it is; CLOSE leads from everywhere to CLOSING, and that to OFF when the last socket
 * has ended):
 *
 *                 START                URL                  HELLO
 *      OFF ───────────────► ASKING ───────────► DIALLING ───────────► RESTING
 *                            ▲  │                  │                    │ │
 *        a slot is free      │  │ NO_URL, FATAL,   │ ENDED, no hello,   │ │ REFRESH, 90 % of the life
 *      BLOCKED ──────────────┤  │ no answer        │ REFRESH            │ │ (held 30 s: at once;
 *         ▲                  │  ▼                  ▼                    │ │  else through WAITING)
 *         │                  └─ WAITING ◄─────────────────── ENDED ─────┘ │
 *         └─ two sockets there ─┘ ▲                                       │
 *                 ▲               └─ TOO_MANY, DISABLED, from any socket  │
 *                 └───────────────────────────────────────────────────────┘
 *
 * A socket:  FREE ─CONNECT─► OPENING ─hello─► SERVING ─successor's hello─► DRAINING ─15 s─► ENDING ─ended─► FREE
 *            (CLOSE leads from any of them to ENDING, ENDED from any of them to FREE)
 *
 * Waiting times (slack.md 1.11, 1.4): after a failure up to 1 s, doubled with each further one, at most 60 s, full jitter: the
 * first retry comes within a second, which hides the half-closes that edges do ten times a day. Forgotten only when a hello was
 * held for 30 s: a client that forgets it at the handshake makes a storm. too_many_websockets: all ours are closed first, then
 * 30 s, doubled, at most 5 min, and a quarter of jitter. Fatal: 5 min. */
#include "slack/dial.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

enum {
    URL_MS = 30 * 1000,
    HELLO_MS = 10 * 1000,
    HELD_MS = 30 * 1000,
    DRAIN_MS = 15 * 1000,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 60 * 1000,
    FLOOD_FIRST_MS = 30 * 1000,
    FLOOD_MAX_MS = 300 * 1000,
    FATAL_MS = 300 * 1000,
    LIFE_MIN_MS = 60 * 1000 /* a shorter announced life is taken for this one */
};

struct step {
    struct hm_dial *d;
    const struct hm_dial_input *in;
    struct hm_dial_out *out;
};

/* ---- small parts ---- */

static void act(struct step *s, enum hm_dial_act what, uint64_t epoch)
{
    HM_ASSERT(s->out->n < HM_DIAL_OUT_MAX);
    s->out->todo[s->out->n].act = what;
    s->out->todo[s->out->n].epoch = epoch;
    s->out->n++;
}

/* 0 … span, both included. */
static int64_t jitter(const struct step *s, int64_t span)
{
    return (int64_t)(((uint64_t)s->in->random * ((uint64_t)span + 1)) >> 32);
}

static int64_t doubled(int64_t first, unsigned times, int64_t max)
{
    while (times-- > 0 && first < max)
        first *= 2;
    return first < max ? first : max;
}

static void arm(struct step *s, enum hm_dial_timer timer, int64_t after_ms)
{
    s->d->due[timer] = s->in->now_ms + after_ms;
}

static int slot_of(const struct hm_dial *d, uint64_t epoch)
{
    for (int i = 0; i < HM_DIAL_SLOTS; i++)
        if (d->slot[i].phase != HM_DIAL_FREE && d->slot[i].epoch == epoch)
            return i;
    return -1;
}

static int slot_in(const struct hm_dial *d, enum hm_dial_phase phase)
{
    for (int i = 0; i < HM_DIAL_SLOTS; i++)
        if (d->slot[i].phase == phase)
            return i;
    return -1;
}

static void end_slot(struct step *s, int i)
{
    enum hm_dial_phase phase = s->d->slot[i].phase;
    if (phase == HM_DIAL_FREE || phase == HM_DIAL_ENDING)
        return;
    if (phase == HM_DIAL_OPENING)
        s->d->due[HM_DIAL_T_HELLO] = 0;
    if (phase == HM_DIAL_DRAINING)
        s->d->due[HM_DIAL_T_DRAIN] = 0;
    if (phase == HM_DIAL_SERVING)
        s->d->due[HM_DIAL_T_HELD] = s->d->due[HM_DIAL_T_REFRESH] = 0;
    s->d->slot[i].phase = HM_DIAL_ENDING;
    act(s, HM_DIAL_ACT_CLOSE, s->d->slot[i].epoch);
}

/* The one place where the chain moves: the timers of the state that is left are stopped here. */
static void enter(struct step *s, enum hm_dial_state state)
{
    s->d->due[HM_DIAL_T_URL] = 0;
    s->d->due[HM_DIAL_T_RETRY] = 0;
    s->d->state = state;
}

static void ask_or_block(struct step *s)
{
    unsigned sockets = hm_dial_sockets(s->d);
    if (sockets == HM_DIAL_SLOTS || (s->d->alone && sockets > 0)) {
        int draining = slot_in(s->d, HM_DIAL_DRAINING);
        enter(s, HM_DIAL_BLOCKED);
        if (draining >= 0)
            end_slot(s, draining);
        return;
    }
    s->d->alone = false;
    enter(s, HM_DIAL_ASKING);
    arm(s, HM_DIAL_T_URL, URL_MS);
    act(s, HM_DIAL_ACT_ASK, 0);
}

static void wait_ms(struct step *s, int64_t ms)
{
    enter(s, HM_DIAL_WAITING);
    arm(s, HM_DIAL_T_RETRY, ms);
}

static void back_off(struct step *s)
{
    int64_t span = doubled(RETRY_FIRST_MS, s->d->fails, RETRY_MAX_MS);
    s->d->fails++;
    wait_ms(s, jitter(s, span));
}

/* The serving connection needs a successor. A connection that was not held has to wait: Slack could ask at every hello. */
static void succeed(struct step *s)
{
    s->d->due[HM_DIAL_T_REFRESH] = 0;
    if (s->d->state != HM_DIAL_RESTING)
        return;
    if (s->d->held)
        ask_or_block(s);
    else
        back_off(s);
}

static void end_all(struct step *s)
{
    for (int i = 0; i < HM_DIAL_SLOTS; i++)
        end_slot(s, i);
}

/* ---- events ---- */

static void on_start(struct step *s)
{
    ask_or_block(s);
}

static void on_url(struct step *s)
{
    int i = slot_in(s->d, HM_DIAL_FREE);
    HM_ASSERT(i >= 0); /* ask_or_block() saw a free one, and only we take them */
    s->d->fatal = false;
    s->d->slot[i].phase = HM_DIAL_OPENING;
    s->d->slot[i].epoch = ++s->d->last_epoch;
    enter(s, HM_DIAL_DIALLING);
    arm(s, HM_DIAL_T_HELLO, HELLO_MS);
    act(s, HM_DIAL_ACT_CONNECT, s->d->last_epoch);
}

static void on_no_url(struct step *s)
{
    s->d->fatal = false;
    back_off(s);
    if (s->in->retry_after_ms > 0 && s->d->due[HM_DIAL_T_RETRY] < s->in->now_ms + s->in->retry_after_ms)
        arm(s, HM_DIAL_T_RETRY, s->in->retry_after_ms + jitter(s, RETRY_FIRST_MS));
}

static void on_fatal(struct step *s)
{
    s->d->fatal = true;
    wait_ms(s, FATAL_MS);
}

static void on_hello(struct step *s)
{
    int i = slot_of(s->d, s->in->epoch);
    if (i < 0 || s->d->slot[i].phase != HM_DIAL_OPENING)
        return;
    int old = slot_in(s->d, HM_DIAL_SERVING);
    if (old >= 0) {
        s->d->slot[old].phase = HM_DIAL_DRAINING;
        arm(s, HM_DIAL_T_DRAIN, DRAIN_MS);
    }
    s->d->slot[i].phase = HM_DIAL_SERVING;
    s->d->held = false;
    s->d->due[HM_DIAL_T_HELLO] = 0;
    enter(s, HM_DIAL_RESTING);
    arm(s, HM_DIAL_T_HELD, HELD_MS);
    s->d->due[HM_DIAL_T_REFRESH] = 0;
    if (s->in->lifetime_ms > 0) {
        int64_t life_ms = s->in->lifetime_ms > LIFE_MIN_MS ? s->in->lifetime_ms : LIFE_MIN_MS;
        arm(s, HM_DIAL_T_REFRESH, life_ms / 100 * 88 + jitter(s, life_ms / 100 * 4));
    }
}

/* The socket that was being opened came to nothing, but still has to end. */
static void give_up_opening(struct step *s, int i)
{
    end_slot(s, i);
    back_off(s);
}

static void on_refresh(struct step *s)
{
    int i = slot_of(s->d, s->in->epoch);
    if (i < 0)
        return;
    if (s->d->slot[i].phase == HM_DIAL_OPENING)
        give_up_opening(s, i);
    else if (s->d->slot[i].phase == HM_DIAL_SERVING)
        succeed(s);
}

static void on_too_many(struct step *s)
{
    int i = slot_of(s->d, s->in->epoch);
    if (i < 0 || s->d->slot[i].phase == HM_DIAL_ENDING)
        return;
    int64_t span = doubled(FLOOD_FIRST_MS, s->d->floods, FLOOD_MAX_MS);
    s->d->floods++;
    s->d->alone = true;
    end_all(s);
    wait_ms(s, span + jitter(s, span / 4));
}

static void on_disabled(struct step *s)
{
    int i = slot_of(s->d, s->in->epoch);
    if (i < 0 || s->d->slot[i].phase == HM_DIAL_ENDING)
        return;
    end_all(s);
    on_fatal(s);
}

static void on_ended(struct step *s)
{
    int i = slot_of(s->d, s->in->epoch);
    if (i < 0)
        return;
    enum hm_dial_phase phase = s->d->slot[i].phase;
    s->d->slot[i].phase = HM_DIAL_FREE;
    if (phase == HM_DIAL_OPENING) {
        s->d->due[HM_DIAL_T_HELLO] = 0;
        back_off(s);
    } else if (phase == HM_DIAL_SERVING) {
        s->d->due[HM_DIAL_T_HELD] = s->d->due[HM_DIAL_T_REFRESH] = 0;
        if (s->d->state == HM_DIAL_RESTING)
            back_off(s);
    } else if (phase == HM_DIAL_DRAINING) {
        s->d->due[HM_DIAL_T_DRAIN] = 0;
    }
    if (s->d->state == HM_DIAL_BLOCKED)
        ask_or_block(s);
}

static void on_timer(struct step *s, enum hm_dial_timer timer)
{
    int i = -1;

    switch (timer) {
    case HM_DIAL_T_URL:
        back_off(s);
        break;
    case HM_DIAL_T_HELLO:
        i = slot_in(s->d, HM_DIAL_OPENING);
        if (i >= 0)
            give_up_opening(s, i);
        break;
    case HM_DIAL_T_RETRY:
        ask_or_block(s);
        break;
    case HM_DIAL_T_HELD:
        s->d->held = true;
        s->d->fails = s->d->floods = 0;
        break;
    case HM_DIAL_T_REFRESH:
        succeed(s);
        break;
    case HM_DIAL_T_DRAIN:
        i = slot_in(s->d, HM_DIAL_DRAINING);
        if (i >= 0)
            end_slot(s, i);
        break;
    case HM_DIAL_T_NR:
        break;
    }
}

/* One timer a step, the one that is due longest: two at the same moment come in two steps, each with its own randomness. */
static void on_tick(struct step *s)
{
    int first = -1;
    for (int i = 0; i < HM_DIAL_T_NR; i++)
        if (s->d->due[i] != 0 && s->d->due[i] <= s->in->now_ms && (first < 0 || s->d->due[i] < s->d->due[first]))
            first = i;
    if (first < 0)
        return;
    s->d->due[first] = 0;
    on_timer(s, (enum hm_dial_timer)first);
}

static void finish(struct step *s)
{
    if (hm_dial_sockets(s->d) > 0)
        return;
    enter(s, HM_DIAL_OFF);
    act(s, HM_DIAL_ACT_CLOSED, 0);
}

static void on_close(struct step *s)
{
    enter(s, HM_DIAL_CLOSING);
    end_all(s);
    memset(s->d->due, 0, sizeof(s->d->due));
    finish(s);
}

static void on_last_ended(struct step *s)
{
    int i = slot_of(s->d, s->in->epoch);
    if (i < 0)
        return;
    s->d->slot[i].phase = HM_DIAL_FREE;
    finish(s);
}

/* ---- the table: what each state makes of each event; a hole is "nothing" ---- */

typedef void handler_fn(struct step *s);

#define WHILE_OPEN                                                                                                               \
    [HM_DIAL_EV_REFRESH] = on_refresh, [HM_DIAL_EV_TOO_MANY] = on_too_many, [HM_DIAL_EV_DISABLED] = on_disabled,                 \
    [HM_DIAL_EV_ENDED] = on_ended, [HM_DIAL_EV_TICK] = on_tick, [HM_DIAL_EV_CLOSE] = on_close

static handler_fn *const table[HM_DIAL_STATE_NR][HM_DIAL_EV_NR] = {
    [HM_DIAL_OFF] = {[HM_DIAL_EV_START] = on_start, [HM_DIAL_EV_CLOSE] = on_close},
    [HM_DIAL_ASKING] = {[HM_DIAL_EV_URL] = on_url, [HM_DIAL_EV_NO_URL] = on_no_url, [HM_DIAL_EV_FATAL] = on_fatal, WHILE_OPEN},
    [HM_DIAL_DIALLING] = {[HM_DIAL_EV_HELLO] = on_hello, WHILE_OPEN},
    [HM_DIAL_WAITING] = {WHILE_OPEN},
    [HM_DIAL_BLOCKED] = {WHILE_OPEN},
    [HM_DIAL_RESTING] = {WHILE_OPEN},
    [HM_DIAL_CLOSING] = {[HM_DIAL_EV_ENDED] = on_last_ended},
};

void hm_dial_init(struct hm_dial *dial)
{
    memset(dial, 0, sizeof(*dial));
}

void hm_dial_step(struct hm_dial *dial, const struct hm_dial_input *in, struct hm_dial_out *ret_out)
{
    struct step s = {.d = dial, .in = in, .out = ret_out};

    ret_out->n = 0;
    HM_ASSERT(in->event < HM_DIAL_EV_NR && in->now_ms > 0);
    handler_fn *handler = table[dial->state][in->event];
    if (handler != NULL)
        handler(&s);
}

int64_t hm_dial_next(const struct hm_dial *dial)
{
    int64_t next = 0;
    for (int i = 0; i < HM_DIAL_T_NR; i++)
        if (dial->due[i] != 0 && (next == 0 || dial->due[i] < next))
            next = dial->due[i];
    return next;
}

uint64_t hm_dial_serving(const struct hm_dial *dial)
{
    int i = slot_in(dial, HM_DIAL_SERVING);
    return i < 0 ? 0 : dial->slot[i].epoch;
}

unsigned hm_dial_sockets(const struct hm_dial *dial)
{
    unsigned n = 0;
    for (int i = 0; i < HM_DIAL_SLOTS; i++)
        n += dial->slot[i].phase != HM_DIAL_FREE;
    return n;
}

const char *hm_dial_state_text(enum hm_dial_state state)
{
    static const char *const texts[HM_DIAL_STATE_NR] = {
        [HM_DIAL_OFF] = "off",
        [HM_DIAL_ASKING] = "asking Slack for a URL",
        [HM_DIAL_DIALLING] = "dialling",
        [HM_DIAL_WAITING] = "waiting before the next dial",
        [HM_DIAL_BLOCKED] = "waiting for an old connection to end",
        [HM_DIAL_RESTING] = "connected",
        [HM_DIAL_CLOSING] = "closing",
    };
    return texts[state];
}
