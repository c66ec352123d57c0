/* One WebSocket connection on libwebsockets and libuv: see wire.h.
 *
 *      RESOLVING ──► CONNECTING ──► OPEN ──► CLOSING ──► GONE          (each may go to GONE at once)
 *
 * What was learnt of libwebsockets 4.1.6 on libuv, as Debian 12 has it, and is kept to here:
 *
 * - The one end of a connection is LWS_CALLBACK_WSI_DESTROY, or lws_client_connect_via_info() returning NULL without it;
 *   CONNECTION_ERROR and CLOSED only note a reason. lws finds us by opaque_user_data, which is emptied at that end.
 * - Returning -1 from a callback never sends a close frame there: Debian's build has _DEBUG on, and with libuv that makes lws
 *   close every connection twice, the second time over the head of the handshake that the first has begun. Connections without
 *   a close frame become ghosts at Slack. So the close is begun from a timer, where lws does it once.
 *
 * - A connect(2) that fails at once (no route, as for IPv6 addresses on many hosts) leaves lws's uv_poll_t in the loop for
 *   ever: the socket is closed first, and the handle of an invalid socket is then forgotten. uv_loop_close() fails at the end,
 *   and memory grows with each retry. reap_poll_handles() closes it.
 *
 * - What came together with the handshake's answer (hello, the first envelope) is handed over from a uv_idle callback, and not
 *   from the poll phase. Code that collects acks and flushes them in a uv_check then sleeps before the flush: the next poll
 *   waits for traffic that will not come. Here every write is asked for where it is queued, and the poll set is changed before
 *   the loop sleeps. Should lws lose such a request all the same, flush_watch() notices and asks again, and counts it.
 *
 * - lws reads a TLS connection until SSL_pending() says 0 in each turn, and without read-ahead OpenSSL never holds more than
 *   the one record it is in, so nothing stays behind in its buffer. With read-ahead (a second record that SSL_pending() does
 *   not count) it would: it is switched off explicitly.
 *
 * - When lws could write only part of a frame, a further lws_write() would be taken for the rest of it: writing stops there.
 *
 * - lws's own timers are not armed when it is called from outside of its callbacks: lws_cancel_service() after connect and
 *   kill.
 */
#include "slack/wire.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "io/timer.h"
#include "slack/outbox.h"

enum {
    RX_BUFFER = 64 * 1024, /* one read for an envelope */
    BATCH_MAX = 512,       /* frames written in one turn */
    FLUSH_WATCH_MS = 250,  /* a requested write is looked after that soon */
    KILL_AGAIN_MS = 20,
    ADDRESSES_MAX = 8,
    ADDRESS_TEXT = 64,
    KEEP_MAX = 256 * 1024, /* a larger reassembly buffer is given back */
};

enum state { RESOLVING, CONNECTING, OPEN, CLOSING, GONE };

struct hm_wire {
    struct hm_wire_opts opts;
    uint64_t epoch;
    struct hm_wsurl url;
    unsigned attempt;
    enum state state;

    uv_getaddrinfo_t resolve;
    bool resolving;                            /* libuv still holds `resolve` */
    bool reported;                             /* on_end was called; only the resolver keeps us */
    char address[ADDRESSES_MAX][ADDRESS_TEXT]; /* of the host, numeric */
    unsigned addresses, tried;
    struct lws *wsi;
    bool connecting; /* inside lws_client_connect_via_info() */
    bool destroyed;  /* and destroyed in there */
    bool tcp_up;     /* somebody answered: the other addresses are not tried */
    bool try_next;   /* with the next tick of the timer */

    struct hm_timer *timer; /* for whatever is due first */
    struct hm_pulse pulse;
    int64_t opened_at, last_frame_at;
    int64_t give_up_at;     /* the close handshake; 0: none */
    int64_t asked_since;    /* a write was asked for and has not come; 0: none */
    int64_t flush_watch_at; /* 0: nothing to watch */
    bool flush_suspect;     /* the first look found it late; the second one, a whole turn later, decides */

    struct hm_strbuf in; /* the message that is being put together */
    bool in_binary;

    struct hm_outbox out;
    bool ping_wanted, close_wanted, flushed, close_sent;
    char reason[160];
};

const struct hm_wire_timing hm_wire_timing_default = {
    .pulse = {.ping_ms = 10000, .pong_ms = 25000, .silence_ms = 30000},
    .close_ms = 1000,
    .write_ms = 10000,
};

static atomic_uint_fast64_t rescues;

static void on_timer(void *arg);
static void connect_next(struct hm_wire *w);

/* ---- time ---- */

static int64_t now_ms(const struct hm_wire *w)
{
    return hm_mono_ms(w->opts.clock);
}

static void earlier(int64_t *at, int64_t other)
{
    if (other != 0 && (*at == 0 || other < *at))
        *at = other;
}

static void arm(struct hm_wire *w)
{
    int64_t at = 0;
    if (w->state == OPEN)
        at = hm_pulse_next(&w->pulse);
    earlier(&at, w->give_up_at);
    earlier(&at, w->flush_watch_at);
    if (at != 0)
        hm_timer_start(w->timer, at - now_ms(w));
}

/* ---- the end ---- */

/* The first reason is the true one. Part of it may be the other side's words. */
static void note(struct hm_wire *w, const char *reason)
{
    if (w->reason[0] != '\0')
        return;
    char *clean = hm_utf8_clean(reason, strlen(reason));
    size_t len = hm_utf8_prefix(clean, sizeof(w->reason) - 1);
    memcpy(w->reason, clean, len);
    w->reason[len] = '\0';
    free(clean);
}

static void destroy(struct hm_wire *w)
{
    hm_timer_free(w->timer);
    hm_strbuf_done(&w->in);
    hm_outbox_done(&w->out);
    free(w);
}

static void gone(struct hm_wire *w, const char *reason)
{
    if (w->state == GONE)
        return;
    w->wsi = NULL;
    hm_timer_start(w->timer, 0);
    if (w->state == CONNECTING && !w->tcp_up && w->tried < w->addresses) {
        w->try_next = true;
        return;
    }
    note(w, reason);
    w->state = GONE;
}

static void report_end(struct hm_wire *w)
{
    hm_timer_stop(w->timer);
    w->reported = true;
    w->opts.on_end(w->opts.arg, w->epoch, w->reason, w->out.frames);
    if (!w->resolving)
        destroy(w);
}

/* Comes again until it is done: the kill is a time-out in lws's eyes, and a connection that makes a step in the same turn (TCP is
 * up, TLS begins) sets its own time-out over it. */
static void kill_now(struct hm_wire *w)
{
    w->give_up_at = now_ms(w) + KILL_AGAIN_MS;
    if (w->wsi == NULL)
        return;
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    lws_cancel_service(w->opts.lws);
}

static void on_reaped(uv_handle_t *handle)
{
    free(handle);
}

static void reap_one(uv_handle_t *handle, void *wsi)
{
    if (handle->type == UV_POLL && handle->data == wsi && !uv_is_closing(handle))
        uv_close(handle, on_reaped);
}

/* lws has let go of wsi: a poll handle that still names it was forgotten. It is lws's malloc(); nobody else will free it. */
static void reap_poll_handles(uv_loop_t *loop, struct lws *wsi)
{
    uv_walk(loop, reap_one, wsi);
}

/* ---- writing ---- */

static void want_write(struct hm_wire *w)
{
    if (w->asked_since != 0 || w->wsi == NULL)
        return;
    w->asked_since = now_ms(w);
    (void)lws_callback_on_writable(w->wsi);
    if (w->flush_watch_at == 0) {
        w->flush_watch_at = w->asked_since + FLUSH_WATCH_MS;
        arm(w);
    }
}

static bool socket_takes(struct hm_wire *w)
{
    struct pollfd fd = {.fd = (int)lws_get_socket_fd(w->wsi), .events = POLLOUT};
    return fd.fd >= 0 && poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0;
}

/* Runs from the timer, so before the poll of this turn: the first look may simply be early. */
static void flush_watch(struct hm_wire *w, int64_t now)
{
    bool late = w->asked_since != 0 && now - w->asked_since >= FLUSH_WATCH_MS;
    if (!late || w->wsi == NULL) {
        w->flush_watch_at = w->asked_since != 0 ? w->asked_since + FLUSH_WATCH_MS : 0;
        w->flush_suspect = false;
        return;
    }
    if (now - w->asked_since >= w->opts.timing.write_ms) {
        note(w, "nothing could be written for too long");
        w->state = CLOSING;
        w->flush_watch_at = 0;
        kill_now(w);
        return;
    }
    if (w->flush_suspect && socket_takes(w)) {
        atomic_fetch_add(&rescues, 1);
        hm_log(HM_LOG_WARN, "slack", "a requested write did not come; asking again");
        (void)lws_callback_on_writable(w->wsi);
        lws_cancel_service(w->opts.lws);
    }
    w->flush_watch_at = w->flush_suspect ? now + FLUSH_WATCH_MS : now;
    w->flush_suspect = !w->flush_suspect;
}

/* Everything that is queued, as long as the socket takes it. false: the connection is broken. */
static bool write_queue(struct hm_wire *w)
{
    size_t len = 0;
    for (int n = 0; n < BATCH_MAX && lws_partial_buffered(w->wsi) == 0; n++) {
        unsigned char *text = hm_outbox_first(&w->out, &len);
        if (text == NULL)
            break;
        if (lws_write(w->wsi, text, len, LWS_WRITE_TEXT) < 0)
            return false;
        hm_outbox_pop(&w->out);
    }
    return true;
}

static bool write_ping(struct hm_wire *w)
{
    unsigned char buf[LWS_PRE + 2];
    memcpy(buf + LWS_PRE, "hm", 2);
    w->ping_wanted = false;
    return lws_write(w->wsi, buf + LWS_PRE, 2, LWS_WRITE_PING) >= 0;
}

static int on_writeable(struct hm_wire *w)
{
    w->asked_since = 0;
    if (w->flushed)
        return 0;
    if (w->ping_wanted && lws_partial_buffered(w->wsi) == 0 && !write_ping(w))
        return -1;
    if (!write_queue(w))
        return -1;
    if (w->out.frames == 0 && w->close_wanted && lws_partial_buffered(w->wsi) == 0) {
        w->flushed = true;
        hm_timer_start(w->timer, 0); /* send_close() */
        return 0;
    }
    if (w->out.frames > 0 || w->ping_wanted || w->close_wanted)
        want_write(w);
    return 0;
}

bool hm_wire_send(struct hm_wire *wire, const char *text, size_t len)
{
    if (!hm_wire_is_open(wire) || !hm_outbox_add(&wire->out, text, len))
        return false;
    want_write(wire);
    return true;
}

/* ---- closing ---- */

void hm_wire_close(struct hm_wire *wire)
{
    if (wire->state == GONE || wire->close_wanted)
        return;
    note(wire, "closed by us");
    if (wire->state == CLOSING) /* the other side was first; its close frame is being answered */
        return;
    wire->close_wanted = true;
    if (wire->state == RESOLVING || wire->try_next) {
        if (wire->resolving)
            (void)uv_cancel((uv_req_t *)&wire->resolve);
        wire->try_next = false;
        wire->state = RESOLVING; /* not CONNECTING: no further address */
        gone(wire, "");
        return;
    }
    bool polite = wire->state == OPEN;
    wire->state = CLOSING;
    wire->give_up_at = now_ms(wire) + (polite ? 2 * wire->opts.timing.close_ms : 0);
    if (polite)
        want_write(wire);
    arm(wire);
}

/* Begins lws's close handshake: close frame 1000, then it waits for the other one. In spite of its name the "kill" is polite when
 * a reason was set before; and it must come from outside of lws's callbacks (see the top). */
static void send_close(struct hm_wire *w, int64_t now)
{
    w->close_sent = true;
    w->give_up_at = now + w->opts.timing.close_ms;
    if (w->wsi == NULL)
        return;
    lws_close_reason(w->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

static void check_pulse(struct hm_wire *w, int64_t now)
{
    switch (hm_pulse_check(&w->pulse, now)) {
    case HM_PULSE_PING:
        w->ping_wanted = true;
        want_write(w);
        break;
    case HM_PULSE_SILENT:
        note(w, "nothing was heard for too long");
        hm_wire_close(w);
        break;
    case HM_PULSE_NO_PONG:
        note(w, "a ping was not answered");
        hm_wire_close(w);
        break;
    case HM_PULSE_FINE:
    case HM_PULSE_NR:
        break;
    }
}

static void on_timer(void *arg)
{
    struct hm_wire *w = arg;

    if (w->state == GONE) {
        report_end(w);
        return;
    }
    if (w->try_next) {
        connect_next(w);
        return;
    }
    int64_t now = now_ms(w);
    if (w->state == OPEN)
        check_pulse(w, now);
    if (w->flush_watch_at != 0 && now >= w->flush_watch_at)
        flush_watch(w, now);
    if (w->give_up_at != 0 && now >= w->give_up_at)
        kill_now(w);
    else if (w->flushed && !w->close_sent)
        send_close(w, now);
    arm(w);
}

/* ---- reading ---- */

static void heard(struct hm_wire *w)
{
    w->last_frame_at = now_ms(w);
    hm_pulse_frame(&w->pulse, w->last_frame_at);
}

static void on_receive(struct hm_wire *w, const char *data, size_t len)
{
    heard(w);
    if (lws_is_first_fragment(w->wsi)) {
        hm_strbuf_reset(&w->in);
        w->in_binary = lws_frame_is_binary(w->wsi) != 0;
    }
    hm_strbuf_add(&w->in, data, len);
    if (!lws_is_final_fragment(w->wsi))
        return;
    if (w->in.failed)
        w->opts.on_dropped(w->opts.arg, w->epoch, "longer than is taken");
    else if (w->in_binary)
        w->opts.on_dropped(w->opts.arg, w->epoch, "binary");
    else
        w->opts.on_message(w->opts.arg, w->epoch, hm_strbuf_str(&w->in), w->in.len);
    if (w->in.cap > KEEP_MAX)
        hm_strbuf_done(&w->in);
    else
        hm_strbuf_reset(&w->in);
}

static void on_established(struct hm_wire *w)
{
    SSL *ssl = lws_get_ssl(w->wsi);
    if (ssl != NULL)
        SSL_set_read_ahead(ssl, 0);
    w->opened_at = now_ms(w);
    hm_pulse_init(&w->pulse, &w->opts.timing.pulse, w->opened_at);
    if (w->state != CONNECTING) /* we were told to close meanwhile */
        return;
    w->state = OPEN;
    arm(w);
    w->opts.on_open(w->opts.arg, w->epoch);
}

/* The other side closes; lws answers with the same code and ends it. */
static void on_peer_close(struct hm_wire *w, const unsigned char *payload, size_t len)
{
    char text[160];
    if (len < 2) {
        note(w, "closed by Slack without a code");
    } else {
        (void)snprintf(text, sizeof(text), "closed by Slack with code %d%s%.*s", payload[0] << 8 | payload[1],
                       len > 2 ? ": " : "", (int)(len - 2), (const char *)payload + 2);
        note(w, text);
    }
    w->state = CLOSING;
    w->give_up_at = now_ms(w) + w->opts.timing.close_ms;
    arm(w);
}

static void on_connection_error(struct hm_wire *w, struct lws *wsi, const char *text, size_t len)
{
    char reason[160];
    unsigned status = w->tcp_up ? lws_http_client_http_response(wsi) : 0;

    if (!w->tcp_up && w->tried < w->addresses)
        return;
    if (status != 0 && status != 101) {
        (void)snprintf(reason, sizeof(reason), "the handshake was answered with HTTP status %u", status);
        note(w, reason);
    } else {
        (void)snprintf(reason, sizeof(reason), "can not connect: %.*s", text != NULL ? (int)len : 0, text != NULL ? text : "");
        note(w, reason);
    }
}

static void on_destroy(struct hm_wire *w, struct lws *wsi)
{
    lws_set_opaque_user_data(wsi, NULL);
    reap_poll_handles(w->opts.loop, wsi);
    w->wsi = NULL;
    w->destroyed = true;
    if (!w->connecting) /* else connect_to() sees it */
        gone(w, w->opened_at != 0 ? "the connection was lost" : "can not connect: lost during the handshake");
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
    (void)user;
    struct hm_wire *w = NULL;

    switch ((int)why) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_WSI_CREATE:
    case LWS_CALLBACK_WSI_DESTROY:
        w = lws_get_opaque_user_data(wsi);
        break;
    default:
        return 0;
    }
    if (w == NULL || w->state == GONE)
        return 0;
    w->wsi = wsi;
    switch ((int)why) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        on_established(w);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        on_receive(w, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        heard(w);
        hm_pulse_pong(&w->pulse, w->last_frame_at);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(w);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        on_peer_close(w, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        on_connection_error(w, wsi, in, len);
        return 0;
    case LWS_CALLBACK_WSI_CREATE: /* lws's name for: TCP is connected */
        w->tcp_up = true;
        return 0;
    default:
        on_destroy(w, wsi);
        return 0;
    }
}

/* ---- dialling ---- */

static const struct lws_protocols protocols[] = {
    {.name = "hm-slack", .callback = on_lws, .rx_buffer_size = RX_BUFFER},
    {.name = NULL},
};

struct lws_vhost *hm_wire_vhost_new(struct lws_context *lws, const char *ca, struct hm_err *err)
{
    struct lws_context_creation_info info;

    memset(&info, 0, sizeof(info));
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.vhost_name = "slack";
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    if (ca != NULL) /* that alone, as for the Web API; and the system's 140 authorities take 20 ms and a megabyte */
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    info.client_ssl_ca_filepath = ca;
    /* Port 0 means no proxy. Without this lws takes $http_proxy, and asks it for the address that we have resolved. */
    info.http_proxy_address = "none:0";
    struct lws_vhost *vhost = lws_create_vhost(lws, &info);
    if (vhost == NULL)
        (void)hm_err_set(err, HM_EENV, "can not set up TLS for Slack%s%s", ca != NULL ? " with the CA file " : "",
                         ca != NULL ? ca : "");
    return vhost;
}

static void connect_next(struct hm_wire *w)
{
    char host[300];
    struct lws_client_connect_info info;
    struct lws *wsi = NULL;

    if (w->url.port == (w->url.tls ? 443 : 80))
        (void)snprintf(host, sizeof(host), "%s", w->url.host);
    else
        (void)snprintf(host, sizeof(host), "%s:%d", w->url.host, w->url.port);
    memset(&info, 0, sizeof(info));
    info.context = w->opts.lws;
    info.vhost = w->opts.vhost;
    info.address = w->address[(w->attempt + w->tried++) % w->addresses];
    info.host = host; /* the certificate and SNI follow this, not the address */
    info.port = w->url.port;
    info.path = w->url.path;
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (w->url.tls ? LCCSCF_USE_SSL : 0);
    info.local_protocol_name = protocols[0].name;
    info.ietf_version_or_minus_one = -1;
    info.alpn = "http/1.1";
    info.opaque_user_data = w;
    info.pwsi = &wsi;

    w->try_next = w->destroyed = false;
    w->state = CONNECTING;
    w->connecting = true; /* callbacks may run inside */
    bool made = lws_client_connect_via_info(&info) != NULL;
    w->connecting = false;
    if (made && !w->destroyed) {
        w->wsi = wsi;
        lws_cancel_service(w->opts.lws);
        return;
    }
    if (wsi != NULL)
        reap_poll_handles(w->opts.loop, wsi);
    gone(w, "can not connect");
}

/* The addresses as text; for ws:// only those of this machine. */
static void keep_addresses(struct hm_wire *w, const struct addrinfo *list)
{
    for (const struct addrinfo *a = list; a != NULL && w->addresses < ADDRESSES_MAX; a = a->ai_next) {
        char *text = w->address[w->addresses];
        if ((w->url.tls || hm_wsurl_is_loopback(a->ai_addr)) &&
            getnameinfo(a->ai_addr, a->ai_addrlen, text, ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST) == 0)
            w->addresses++;
    }
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct hm_wire *w = req->data;
    char reason[160];

    w->resolving = false;
    keep_addresses(w, list);
    uv_freeaddrinfo(list);
    if (w->reported) {
        destroy(w);
    } else if (w->state != RESOLVING) {
        return; /* closed meanwhile; the timer reports it */
    } else if (status != 0) {
        (void)snprintf(reason, sizeof(reason), "the name of Slack's host can not be resolved: %s", uv_strerror(status));
        gone(w, reason);
    } else if (w->addresses == 0) {
        gone(w, "the host of a ws:// URL is not on this machine");
    } else {
        connect_next(w);
    }
}

struct hm_wire *hm_wire_dial(const struct hm_wire_opts *opts, uint64_t epoch, const struct hm_wsurl *url, unsigned attempt)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};

    struct hm_wire *w = hm_xcalloc(1, sizeof(*w));
    w->opts = *opts;
    w->epoch = epoch;
    w->url = *url;
    w->attempt = attempt;
    w->state = RESOLVING;
    w->timer = hm_timer_new(opts->loop, on_timer, w);
    hm_strbuf_init(&w->in, opts->max_message);
    w->resolve.data = w;
    int failed = uv_getaddrinfo(opts->loop, &w->resolve, on_resolved, url->host, NULL, &hints);
    w->resolving = failed == 0;
    if (failed != 0)
        gone(w, uv_strerror(failed));
    return w;
}

/* ---- what others may know ---- */

bool hm_wire_is_open(const struct hm_wire *wire)
{
    return wire->state == OPEN && !wire->close_wanted;
}

int64_t hm_wire_last_frame_at(const struct hm_wire *wire)
{
    return wire->last_frame_at;
}

uint64_t hm_wire_rescues(void)
{
    return atomic_load(&rescues);
}
