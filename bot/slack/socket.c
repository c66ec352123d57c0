/* Socket Mode: see socket.h. This file only joins the parts: dial.c decides, wire.c carries, scan.c reads.
 *
 * Happy path: a tick or an answer becomes an event of the dial machine, its actions are performed; what a wire delivers is
 * scanned and handed over; an ack goes back on the wire that brought the envelope. Failure modes: a frame that is no JSON is
 * logged (its first 200 bytes), counted and forgotten; a wire that ends tells the machine; an envelope whose wire has ended is
 * acknowledged on the newest one; with none open the ack is refused and Slack delivers again. */
#include "slack/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "io/timer.h"
#include "slack/dial.h"
#include "slack/scan.h"
#include "slack/wire.h"

enum {
    MAX_MESSAGE = 1024 * 1024,
    MAX_ACK = 16 * 1024, /* Slack's own limit is 20,480; over it, the connection is closed with 1009 at every redelivery */
    ALIVE_MS = 30 * 1000,
    SHOWN_BYTES = 200
};

struct hm_socket {
    struct hm_socket_opts opts;
    struct hm_wire_opts wire_opts;
    struct hm_dial dial;
    struct hm_wire *wire[HM_DIAL_SLOTS];
    uint64_t wire_epoch[HM_DIAL_SLOTS];
    struct hm_timer *timer;
    const char *url;   /* only inside hm_socket_url(): it carries a ticket */
    char problem[200]; /* why there is no connection */

    uint64_t envelopes, acks, acks_dropped, dials, frames_bad;
    int server_connections;
    unsigned ghosts_in_a_row;
    int64_t connected_at;
    int64_t last_frame_at;

    struct hm_strbuf ack;
    bool closing;
    bool closed_due; /* on_closed comes with the next tick */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

static void feed(struct hm_socket *s, struct hm_dial_input *in);

static int64_t now_ms(const struct hm_socket *s)
{
    return hm_mono_ms(s->opts.clock);
}

static struct hm_wire *wire_of(const struct hm_socket *s, uint64_t epoch)
{
    for (int i = 0; i < HM_DIAL_SLOTS; i++)
        if (s->wire[i] != NULL && s->wire_epoch[i] == epoch)
            return s->wire[i];
    return NULL;
}

static void changed(struct hm_socket *s, bool connected, const char *text)
{
    hm_log(connected ? HM_LOG_INFO : HM_LOG_WARN, "slack", "%s", text);
    if (s->opts.on_change != NULL)
        s->opts.on_change(s->opts.arg, connected, text);
}

/* ---- the machine's events and actions ---- */

static void send_event(struct hm_socket *s, enum hm_dial_event event, uint64_t epoch)
{
    struct hm_dial_input in = {.event = event, .epoch = epoch};
    feed(s, &in);
}

static void connect_wire(struct hm_socket *s, uint64_t epoch)
{
    struct hm_wsurl url;
    struct hm_err err;

    HM_ASSERT(s->url != NULL);
    s->dials++;
    if (hm_wsurl_parse(s->url, &url, &err) != HM_OK) {
        changed(s, false, err.msg);
        send_event(s, HM_DIAL_EV_ENDED, epoch);
        return;
    }
    for (int i = 0; i < HM_DIAL_SLOTS; i++) {
        if (s->wire[i] == NULL) {
            s->wire_epoch[i] = epoch;
            s->wire[i] = hm_wire_dial(&s->wire_opts, epoch, &url, s->dial.fails);
            return;
        }
    }
    HM_ASSERT(false); /* the machine has as many slots as we have places */
}

static void perform(struct hm_socket *s, enum hm_dial_act act, uint64_t epoch)
{
    struct hm_wire *wire = NULL;

    switch (act) {
    case HM_DIAL_ACT_ASK:
        s->opts.open_url(s->opts.arg);
        break;
    case HM_DIAL_ACT_CONNECT:
        connect_wire(s, epoch);
        break;
    case HM_DIAL_ACT_CLOSE:
        wire = wire_of(s, epoch);
        if (wire != NULL)
            hm_wire_close(wire);
        break;
    case HM_DIAL_ACT_CLOSED:
        s->closed_due = true;
        break;
    case HM_DIAL_ACT_NR:
        break;
    }
}

static void arm(struct hm_socket *s)
{
    int64_t next = hm_dial_next(&s->dial);
    if (s->closed_due)
        hm_timer_start(s->timer, 0);
    else if (next != 0)
        hm_timer_start(s->timer, next - now_ms(s));
    else
        hm_timer_stop(s->timer);
}

/* May be entered again from within: open_url can answer at once. The machine has moved on before anything is performed. */
static void feed(struct hm_socket *s, struct hm_dial_input *in)
{
    struct hm_dial_out out;

    in->now_ms = now_ms(s);
    s->opts.clock->random_bytes(s->opts.clock->arg, &in->random, sizeof(in->random));
    hm_dial_step(&s->dial, in, &out);
    for (size_t i = 0; i < out.n; i++)
        perform(s, out.todo[i].act, out.todo[i].epoch);
    arm(s);
}

static void on_tick(void *arg)
{
    struct hm_socket *s = arg;
    if (s->closed_due) {
        s->closed_due = false;
        if (s->on_closed != NULL)
            s->on_closed(s->on_closed_arg);
        return; /* s may be gone */
    }
    send_event(s, HM_DIAL_EV_TICK, 0);
}

/* ---- what Slack says ---- */

static void on_hello(struct hm_socket *s, uint64_t epoch, const char *text, size_t len)
{
    struct hm_hello hello;
    struct hm_err err;
    char line[200];

    if (hm_scan_hello(text, len, &hello, &err) != HM_OK) {
        s->frames_bad++; /* jansson found what the scan leaves to it; the connection serves all the same */
        hm_log(HM_LOG_WARN, "slack", "hello: %s", err.msg);
    }
    struct hm_dial_input in = {.event = HM_DIAL_EV_HELLO, .epoch = epoch, .lifetime_ms = hello.approximate_lifetime_s * 1000};
    feed(s, &in);
    if (hm_dial_serving(&s->dial) != epoch)
        return;
    s->connected_at = now_ms(s);
    s->server_connections = hello.num_connections;
    s->problem[0] = '\0';
    (void)snprintf(line, sizeof(line), "connected to Slack (%s); Slack counts %d connection%s, %u of them ours", hello.host,
                   hello.num_connections, hello.num_connections == 1 ? "" : "s", hm_dial_sockets(&s->dial));
    changed(s, true, line);

    /* Once is normal: the one that we have just closed may still be counted. */
    bool more = hello.num_connections > (int)hm_dial_sockets(&s->dial);
    s->ghosts_in_a_row = more ? s->ghosts_in_a_row + 1 : 0;
    if (s->ghosts_in_a_row >= 2)
        hm_log(
            HM_LOG_ERROR, "slack",
            "Slack counts %d connections of this app and we hold %u: a second instance is running, or dead connections are still "
            "registered; what Slack sends to those is lost",
            hello.num_connections, hm_dial_sockets(&s->dial));
}

static void on_disconnect(struct hm_socket *s, uint64_t epoch, const char *text, size_t len)
{
    char reason[HM_SCAN_TYPE_MAX];
    char line[200];
    enum hm_dial_event event = HM_DIAL_EV_REFRESH;

    if (hm_scan_disconnect(text, len, reason, NULL) != HM_OK)
        s->frames_bad++; /* a reason that we do not know is a refresh */
    if (strcmp(reason, "too_many_websockets") == 0)
        event = HM_DIAL_EV_TOO_MANY;
    else if (strcmp(reason, "link_disabled") == 0)
        event = HM_DIAL_EV_DISABLED;
    (void)snprintf(line, sizeof(line), "Slack will end this connection: %s", reason[0] != '\0' ? reason : "no reason given");
    if (event == HM_DIAL_EV_REFRESH)
        hm_log(HM_LOG_INFO, "slack", "%s", line);
    else
        changed(s, false, line);
    if (event != HM_DIAL_EV_REFRESH)
        (void)snprintf(s->problem, sizeof(s->problem), "%s", line);
    send_event(s, event, epoch);
}

static void bad_frame(struct hm_socket *s, const char *why, const char *text, size_t len)
{
    char *shown = hm_utf8_clean(text, len < SHOWN_BYTES ? len : SHOWN_BYTES);
    s->frames_bad++;
    hm_log(HM_LOG_WARN, "slack", "a frame that is not understood (%s): %s", why, shown);
    free(shown);
}

static void on_message(void *arg, uint64_t epoch, const char *text, size_t len)
{
    struct hm_socket *s = arg;
    struct hm_scan scan;
    struct hm_err err;

    s->last_frame_at = now_ms(s);
    if (hm_scan_frame(text, len, &scan, &err) != HM_OK) {
        bad_frame(s, err.msg, text, len);
        return;
    }
    switch (scan.kind) {
    case HM_SCAN_ENVELOPE:
        break;
    case HM_SCAN_HELLO:
        on_hello(s, epoch, text, len);
        return;
    case HM_SCAN_DISCONNECT:
        on_disconnect(s, epoch, text, len);
        return;
    case HM_SCAN_OTHER:
    case HM_SCAN_KIND_NR:
        bad_frame(s, "neither an envelope nor a hello nor a disconnect", text, len);
        return;
    }
    if (s->closing)
        return;
    s->envelopes++;
    struct hm_envelope envelope = {
        .envelope_id = scan.envelope_id,
        .type = scan.type,
        .dedupe_key = scan.dedupe_key,
        .accepts_response_payload = scan.accepts_response_payload,
        .retry_attempt = scan.retry_attempt,
        .retry_reason = scan.retry_reason,
        .text = text,
        .len = len,
    };
    s->opts.on_envelope(s->opts.arg, (struct hm_ack_ticket){.epoch = epoch}, &envelope);
}

static void on_open(void *arg, uint64_t epoch)
{
    (void)epoch;
    struct hm_socket *s = arg;
    hm_log(HM_LOG_DEBUG, "slack", "handshake done, dial %llu; waiting for hello", (unsigned long long)s->dials);
}

static void on_dropped(void *arg, uint64_t epoch, const char *why)
{
    (void)epoch;
    struct hm_socket *s = arg;
    s->frames_bad++;
    hm_log(HM_LOG_ERROR, "slack", "a message from Slack was thrown away unread: %s", why);
}

static void on_end(void *arg, uint64_t epoch, const char *reason, size_t unsent)
{
    struct hm_socket *s = arg;
    char line[200];
    bool served = hm_dial_serving(&s->dial) == epoch;

    for (int i = 0; i < HM_DIAL_SLOTS; i++)
        if (s->wire[i] != NULL && s->wire_epoch[i] == epoch)
            s->wire[i] = NULL;
    s->acks_dropped += unsent;
    if (unsent > 0)
        hm_log(HM_LOG_WARN, "slack", "%zu acknowledgements could not be sent any more; Slack will deliver again", unsent);
    send_event(s, HM_DIAL_EV_ENDED, epoch);
    if (s->closing)
        return;
    if (hm_dial_serving(&s->dial) != 0) {
        hm_log(HM_LOG_INFO, "slack", "an old connection has ended: %s", reason);
        return;
    }
    (void)snprintf(line, sizeof(line), "%s: %s", served ? "the connection to Slack has ended" : "no connection to Slack", reason);
    (void)snprintf(s->problem, sizeof(s->problem), "%s", reason);
    changed(s, false, line);
}

/* ---- acks ---- */

/* A JSON string from bytes that are UTF-8 already. */
static void add_json_string(struct hm_strbuf *b, const char *text)
{
    hm_strbuf_addc(b, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            hm_strbuf_addc(b, '\\');
            hm_strbuf_addc(b, *c);
        } else if ((unsigned char)*c < 0x20) {
            hm_strbuf_addf(b, "\\u%04x", (unsigned)(unsigned char)*c);
        } else {
            hm_strbuf_addc(b, *c);
        }
    }
    hm_strbuf_addc(b, '"');
}

static bool build_ack(struct hm_strbuf *b, const char *envelope_id, const char *payload)
{
    hm_strbuf_reset(b);
    hm_strbuf_adds(b, "{\"envelope_id\":");
    add_json_string(b, envelope_id);
    if (payload != NULL) {
        hm_strbuf_adds(b, ",\"payload\":");
        hm_strbuf_adds(b, payload);
    }
    hm_strbuf_adds(b, "}");
    return !b->failed;
}

bool hm_socket_ack(struct hm_socket *socket, struct hm_ack_ticket ticket, const char *envelope_id, const char *payload)
{
    struct hm_wire *wire = wire_of(socket, ticket.epoch);
    size_t id_len = strlen(envelope_id);

    if (id_len == 0 || id_len >= HM_SCAN_ID_MAX || !hm_utf8_valid(envelope_id, id_len))
        return false;
    if (wire == NULL || !hm_wire_is_open(wire))
        wire = wire_of(socket, hm_dial_serving(&socket->dial));
    if (!build_ack(&socket->ack, envelope_id, payload)) {
        hm_log(HM_LOG_WARN, "slack", "the answer in an acknowledgement is too long for Slack and was left out");
        (void)build_ack(&socket->ack, envelope_id, NULL);
    }
    if (wire == NULL || !hm_wire_send(wire, hm_strbuf_str(&socket->ack), socket->ack.len)) {
        socket->acks_dropped++;
        return false;
    }
    socket->acks++;
    return true;
}

/* ---- life ---- */

struct hm_socket *hm_socket_new(const struct hm_socket_opts *opts, struct hm_err *err)
{
    struct lws_vhost *vhost = hm_wire_vhost_new(opts->lws, opts->ca, err);
    if (vhost == NULL)
        return NULL;

    struct hm_socket *s = hm_xcalloc(1, sizeof(*s));
    s->opts = *opts;
    s->wire_opts = (struct hm_wire_opts){
        .loop = opts->loop,
        .lws = opts->lws,
        .vhost = vhost,
        .clock = opts->clock,
        .timing = opts->timing != NULL ? *opts->timing : hm_wire_timing_default,
        .max_message = opts->max_frame != 0 ? opts->max_frame : MAX_MESSAGE,
        .on_open = on_open,
        .on_message = on_message,
        .on_dropped = on_dropped,
        .on_end = on_end,
        .arg = s,
    };
    s->timer = hm_timer_new(opts->loop, on_tick, s);
    hm_strbuf_init(&s->ack, MAX_ACK);
    hm_dial_init(&s->dial);
    return s;
}

void hm_socket_start(struct hm_socket *socket)
{
    send_event(socket, HM_DIAL_EV_START, 0);
}

void hm_socket_url(struct hm_socket *socket, const char *url, bool fatal, int64_t retry_after_ms, const char *problem)
{
    struct hm_dial_input in = {.event = HM_DIAL_EV_URL, .retry_after_ms = retry_after_ms};
    char line[200];

    if (url == NULL) {
        in.event = fatal ? HM_DIAL_EV_FATAL : HM_DIAL_EV_NO_URL;
        (void)snprintf(line, sizeof(line), "Slack gives no WebSocket URL: %s%s", problem != NULL ? problem : "no reason given",
                       fatal ? "; somebody has to mend this, trying again every 5 minutes" : "");
        (void)snprintf(socket->problem, sizeof(socket->problem), "%s", line);
        changed(socket, hm_dial_serving(&socket->dial) != 0, line);
    }
    socket->url = url;
    feed(socket, &in);
    socket->url = NULL;
}

void hm_socket_close(struct hm_socket *socket, void (*on_closed)(void *arg), void *arg)
{
    socket->closing = true;
    socket->on_closed = on_closed;
    socket->on_closed_arg = arg;
    send_event(socket, HM_DIAL_EV_CLOSE, 0);
}

void hm_socket_free(struct hm_socket *socket)
{
    if (socket == NULL)
        return;
    HM_ASSERT(hm_dial_sockets(&socket->dial) == 0);
    hm_timer_free(socket->timer);
    hm_strbuf_done(&socket->ack);
    free(socket);
}

void hm_socket_stats(const struct hm_socket *socket, struct hm_socket_stats *ret_stats)
{
    const struct hm_socket *s = socket;
    int64_t now = now_ms(s);
    int64_t last = s->last_frame_at;
    uint64_t serving = hm_dial_serving(&s->dial);

    memset(ret_stats, 0, sizeof(*ret_stats));
    for (int i = 0; i < HM_DIAL_SLOTS; i++) {
        if (s->wire[i] == NULL)
            continue;
        if (hm_wire_last_frame_at(s->wire[i]) > last)
            last = hm_wire_last_frame_at(s->wire[i]);
    }
    ret_stats->connected = serving != 0 && now - last < ALIVE_MS;
    ret_stats->connections = hm_dial_sockets(&s->dial);
    ret_stats->server_connections = s->server_connections;
    ret_stats->envelopes = s->envelopes;
    ret_stats->acks = s->acks;
    ret_stats->acks_dropped = s->acks_dropped;
    ret_stats->dials = s->dials;
    ret_stats->frames_bad = s->frames_bad;
    ret_stats->last_frame_age_ms = last == 0 ? -1 : now - last;
    ret_stats->connected_for_ms = serving != 0 ? now - s->connected_at : 0;
    (void)snprintf(ret_stats->state, sizeof(ret_stats->state), "%s%s%.180s", hm_dial_state_text(s->dial.state),
                   s->problem[0] != '\0' && serving == 0 ? ": " : "", serving == 0 ? s->problem : "");
}
