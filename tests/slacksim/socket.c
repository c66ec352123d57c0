/* Connections. Happy path: ticket -> upgrade -> hello -> envelopes and acks, pings -> warning -> refresh -> close.
 *
 * What Slack does and others do not: it leaves TCP open after the close handshake, keeps routing to connections that went away
 * without one (ghosts, a knob), and answers the eleventh connection with a disconnect frame. */
#include "socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "sock.h"
#include "waits.h"

enum { ACK_BYTES_MAX = 20480, CLIENT_MESSAGE_MAX = 1024 * 1024, TICKET_S = 30, CLOSE_WAIT_MS = 5000 };

void sim_sock_log(struct sim_sock *k, const char *what)
{
    struct sim_log_entry entry = {.kind = SIM_LOG_CONN, .who = k->id, .text = what};

    sim_log_add(k->s->sim->log, &entry);
    sim_touch(k->s->sim);
}

/* --- frames out ---------------------------------------------------------------------------------------------------------------
 */
void sim_sock_frame(struct sim_sock *k, uint8_t opcode, bool fin, const void *data, size_t len)
{
    uint8_t header[SIM_WS_HEADER_MAX];
    size_t header_len = sim_ws_header(opcode, fin, len, header);

    if (k->conn == NULL || k->stalled) {
        return;
    }
    sim_conn_write(k->conn, header, header_len);
    if (len > 0) {
        sim_conn_write(k->conn, data, len);
    }
    k->frames_out++;
    k->s->frames_out++;
}

static void send_ping(struct sim_sock *k)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "Ping from applink-%s", k->id);

    sim_sock_frame(k, SIM_WS_PING, true, text, (size_t)len);
}

void sim_sock_text(struct sim_sock *k, const char *text, size_t len)
{
    const struct sim_nasty *nasty = &k->s->sim->nasty;
    size_t piece = nasty->fragment > 0 ? (size_t)nasty->fragment : len;
    size_t at = 0;

    if (k->stall_next && k->conn != NULL) {
        uint8_t header[SIM_WS_HEADER_MAX];

        sim_conn_write(k->conn, header, sim_ws_header(SIM_WS_TEXT, true, len, header));
        sim_conn_write(k->conn, text, len / 2);
        k->stalled = true;
        sim_sock_log(k, "stalled in the middle of a frame");
        return;
    }
    while (at < len) {
        size_t n = len - at < piece ? len - at : piece;

        if (at > 0 && nasty->fragment_pings) {
            send_ping(k);
        }
        sim_sock_frame(k, at == 0 ? SIM_WS_TEXT : SIM_WS_CONTINUATION, at + n == len, text + at, n);
        at += n;
    }
}

static void send_json(struct sim_sock *k, json_t *stolen)
{
    char *text = json_dumps(stolen, JSON_COMPACT);
    struct sim_log_entry entry = {.kind = SIM_LOG_OUT, .who = k->id, .text = text};

    json_decref(stolen);
    if (text != NULL) {
        sim_log_add(k->s->sim->log, &entry);
        sim_sock_text(k, text, strlen(text));
    }
    free(text);
}

/* --- the life of a connection ----------------------------------------------------------------------------------------------- */
bool sim_sock_registered(const struct sim_sock *k)
{
    return k->state == SIM_SOCK_OPEN || k->state == SIM_SOCK_GHOST || k->state == SIM_SOCK_PHANTOM;
}

static void stop_timers(struct sim_sock *k)
{
    struct sim_timers *timers = k->s->sim->timers;

    sim_timers_cancel(timers, &k->ping_timer);
    sim_timers_cancel(timers, &k->life_timer);
    sim_timers_cancel(timers, &k->hello_timer);
    sim_timers_cancel(timers, &k->close_timer);
}

void sim_sock_free(struct sim_sock *k)
{
    struct sim_socket *s = k->s;
    size_t i = 0;

    stop_timers(k);
    for (i = 0; i < s->socks_nr; i++) {
        if (s->socks[i] == k) {
            memmove(s->socks + i, s->socks + i + 1, (s->socks_nr - i - 1) * sizeof(struct sim_sock *));
            s->socks_nr--;
            break;
        }
    }
    hm_strbuf_done(&k->message);
    free(k->in);
    free(k);
}

static void on_close_timer(void *arg)
{
    struct sim_sock *k = arg;

    k->close_timer = 0;
    if (k->conn == NULL) {
        sim_sock_free(k); /* a ghost's time is over */
    } else if (k->close_seen) {
        sim_conn_close(k->conn);
    } else {
        sim_sock_log(k, "client did not answer the close frame");
        sim_conn_reset(k->conn);
    }
}

static void arm_close(struct sim_sock *k, int64_t ms)
{
    sim_timers_cancel(k->s->sim->timers, &k->close_timer);
    k->close_timer = sim_timers_add(k->s->sim->timers, ms, on_close_timer, k);
}

static void send_close_frame(struct sim_sock *k, uint16_t code, const char *reason)
{
    uint8_t body[125];
    size_t len = strnlen(reason, sizeof(body) - 2);

    body[0] = (uint8_t)(code >> 8);
    body[1] = (uint8_t)(code & 0xff);
    memcpy(body + 2, reason, len); /* a close frame's reason has no NUL */
    sim_sock_frame(k, SIM_WS_CLOSE, true, body, code == 0 ? 0 : len + 2);
}

void sim_sock_close(struct sim_sock *k, uint16_t code, const char *reason)
{
    if (k->conn == NULL || k->state == SIM_SOCK_CLOSING) {
        return;
    }
    send_close_frame(k, code, reason);
    k->state = SIM_SOCK_CLOSING;
    k->closed_by_us = true;
    stop_timers(k);
    arm_close(k, CLOSE_WAIT_MS);
    sim_sock_log(k, code == 1009 ? "close 1009 sent" : "close sent");
}

static void on_client_close(struct sim_sock *k, const struct sim_ws_frame *frame)
{
    struct sim *sim = k->s->sim;

    if (k->close_seen) {
        return;
    }
    k->close_seen = true;
    sim_log_counts(sim->log)->closed_clean++;
    sim_sock_log(k, k->closed_by_us ? "close answered by the client" : "close frame from the client");
    stop_timers(k);
    if (!k->closed_by_us) {
        k->state = SIM_SOCK_CLOSING;
        if (sim->nasty.no_close_reply) {
            return;
        }
        sim_sock_frame(k, SIM_WS_CLOSE, true, frame->data, frame->len >= 2 ? 2 : 0);
    }
    arm_close(k, sim->knobs.close_linger_ms);
}

static void on_ping_timer(void *arg)
{
    struct sim_sock *k = arg;
    int64_t every = k->s->ping_ms > 0 ? k->s->ping_ms : k->s->sim->knobs.server_ping_ms;

    k->ping_timer = 0;
    if (k->state == SIM_SOCK_OPEN && every > 0) {
        send_ping(k);
        k->ping_timer = sim_timers_add(k->s->sim->timers, every, on_ping_timer, k);
    }
}

void sim_sock_start_pings(struct sim_sock *k)
{
    int64_t every = k->s->ping_ms > 0 ? k->s->ping_ms : k->s->sim->knobs.server_ping_ms;

    sim_timers_cancel(k->s->sim->timers, &k->ping_timer);
    if (every > 0 && k->state == SIM_SOCK_OPEN) {
        k->ping_timer = sim_timers_add(k->s->sim->timers, every, on_ping_timer, k);
    }
}

static void send_disconnect(struct sim_sock *k, const char *reason)
{
    json_t *frame = hm_json_obj_new();
    json_t *debug = hm_json_obj_new();

    hm_json_set_str(frame, "type", "disconnect");
    hm_json_set_str(frame, "reason", reason);
    if (strcmp(reason, "too_many_websockets") == 0) {
        hm_json_set_int(frame, "num_connections", (int64_t)sim_socket_registered(k->s));
    }
    hm_json_set_str(debug, "host", "applink-sim");
    hm_json_set(frame, "debug_info", debug);
    send_json(k, frame);
}

static void on_refresh_close(void *arg)
{
    struct sim_sock *k = arg;

    k->life_timer = 0;
    sim_sock_close(k, 1000, "");
}

static void on_refresh(void *arg)
{
    struct sim_sock *k = arg;
    int64_t after = k->close_after_ms;

    k->life_timer = 0;
    send_disconnect(k, "refresh_requested");
    if (after >= 0) {
        k->life_timer = sim_timers_add(k->s->sim->timers, after, on_refresh_close, k);
    }
}

/* Warning, then refresh_requested, then the close, `step_ms` apart. */
static void begin_rotation(struct sim_sock *k, int64_t close_after_ms)
{
    struct sim *sim = k->s->sim;

    sim_timers_cancel(sim->timers, &k->life_timer);
    k->close_after_ms = close_after_ms;
    send_disconnect(k, "warning");
    k->life_timer = sim_timers_add(sim->timers, sim_scaled_ms(sim, (double)sim->knobs.warning_s), on_refresh, k);
}

void sim_sock_disconnect(struct sim_sock *k, const char *reason, int64_t close_after_ms)
{
    struct sim_timers *timers = k->s->sim->timers;

    if (strcmp(reason, "warning") == 0) {
        begin_rotation(k, close_after_ms);
        return;
    }
    sim_timers_cancel(timers, &k->life_timer);
    send_disconnect(k, reason);
    if (close_after_ms >= 0) {
        k->life_timer = sim_timers_add(timers, close_after_ms, on_refresh_close, k);
    }
}

static void on_life_timer(void *arg)
{
    struct sim_sock *k = arg;

    k->life_timer = 0;
    begin_rotation(k, sim_scaled_ms(k->s->sim, (double)k->s->sim->knobs.warning_s));
}

static void send_hello(struct sim_sock *k)
{
    struct sim *sim = k->s->sim;
    int64_t life_s = k->debug ? 360 : sim->knobs.connection_s;
    int64_t life_ms = sim_scaled_ms(sim, (double)(life_s > sim->knobs.warning_s ? life_s - sim->knobs.warning_s : life_s));
    json_t *hello = hm_json_obj_new();
    json_t *debug = hm_json_obj_new();
    json_t *info = hm_json_obj_new();

    k->state = SIM_SOCK_OPEN;
    hm_json_set_str(hello, "type", "hello");
    hm_json_set_int(hello, "num_connections", (int64_t)sim_socket_registered(k->s));
    hm_json_set_str(debug, "host", "applink-sim");
    hm_json_set_int(debug, "build_number", 1);
    hm_json_set_int(debug, "approximate_connection_time", life_s);
    hm_json_set(hello, "debug_info", debug);
    hm_json_set_str(info, "app_id", sim_state_app_str(sim->state, "app_id"));
    hm_json_set(hello, "connection_info", info);
    send_json(k, hello);
    sim_sock_log(k, "open");
    sim_sock_start_pings(k);
    k->life_timer = sim_timers_add(sim->timers, life_ms, on_life_timer, k);
}

static void on_hello_timer(void *arg)
{
    struct sim_sock *k = arg;

    k->hello_timer = 0;
    send_hello(k);
}

/* What a fresh connection gets as its first frame. */
static void greet(struct sim_sock *k)
{
    struct sim *sim = k->s->sim;
    struct sim_nasty *nasty = &sim->nasty;

    if (sim_nasty_take(&nasty->too_many) || (int64_t)sim_socket_registered(k->s) >= sim->knobs.max_connections) {
        sim_log_counts(sim->log)->too_many++;
        send_disconnect(k, "too_many_websockets");
        sim_sock_close(k, 1000, "");
    } else if (sim_nasty_take(&nasty->first_n)) {
        send_disconnect(k, nasty->first_reason);
        k->life_timer = sim_timers_add(sim->timers, sim_scaled_ms(sim, (double)sim->knobs.warning_s), on_refresh_close, k);
    } else if (sim_nasty_take(&nasty->no_hello)) {
        sim_sock_log(k, "no hello for this one");
    } else if (nasty->hello_delay_ms > 0) {
        k->hello_timer = sim_timers_add(sim->timers, nasty->hello_delay_ms, on_hello_timer, k);
    } else {
        send_hello(k);
    }
}

/* --- frames in ---------------------------------------------------------------------------------------------------------------
 */
static void on_message(struct sim_sock *k, const struct sim_ws_frame *frame)
{
    bool fragmented = !frame->fin || frame->opcode == SIM_WS_CONTINUATION;

    if (frame->opcode == SIM_WS_BINARY) {
        sim_log_violation(k->s->sim->log, k->id, "binary frame of %zu bytes", frame->len);
        return;
    }
    if (frame->len >= ACK_BYTES_MAX) {
        sim_log_counts(k->s->sim->log)->oversized_acks++;
        sim_log_violation(k->s->sim->log, k->id, "frame of %zu bytes; the limit is 20480", frame->len);
        sim_sock_close(k, 1009, "Max frame length of 20480 has been exceeded.");
        return;
    }
    if ((frame->opcode == SIM_WS_CONTINUATION) != k->in_message) {
        sim_sock_close(k, 1002, "unexpected continuation");
        return;
    }
    hm_strbuf_add(&k->message, (const char *)frame->data, frame->len);
    k->in_message = !frame->fin;
    if (!frame->fin) {
        return;
    }
    if (k->message.failed || !hm_utf8_valid(hm_strbuf_str(&k->message), k->message.len)) {
        sim_log_violation(k->s->sim->log, k->id, "text message that is too long or not UTF-8");
        sim_sock_close(k, 1007, "");
    } else {
        sim_envelopes_on_text(k->s->envelopes, k, hm_strbuf_str(&k->message), k->message.len, fragmented);
    }
    hm_strbuf_reset(&k->message);
}

static void on_frame(struct sim_sock *k, const struct sim_ws_frame *frame)
{
    struct sim *sim = k->s->sim;

    k->frames_in++;
    switch (frame->opcode) {
    case SIM_WS_PING:
        sim_log_counts(sim->log)->pings_in++;
        if (!sim->nasty.no_pong) {
            sim_sock_frame(k, SIM_WS_PONG, true, frame->data, frame->len);
        }
        break;
    case SIM_WS_PONG:
        sim_log_counts(sim->log)->pongs_in++;
        break;
    case SIM_WS_CLOSE:
        on_client_close(k, frame);
        break;
    default:
        on_message(k, frame);
        break;
    }
}

static void on_data(struct sim_conn *conn, const uint8_t *data, size_t len)
{
    struct sim_sock *k = sim_conn_user(conn);
    size_t used = 0;

    while (k->in_len + len > k->in_cap) {
        k->in_cap = k->in_cap == 0 ? 4096 : k->in_cap * 2;
        k->in = hm_xreallocarray(k->in, k->in_cap, 1);
    }
    memcpy(k->in + k->in_len, data, len);
    k->in_len += len;
    while (used < k->in_len && !k->close_seen) {
        struct sim_ws_frame frame;
        uint16_t code = 0;
        const char *why = NULL;
        int64_t n = sim_ws_parse(k->in + used, k->in_len - used, &frame, &code, &why);

        if (n < 0) {
            sim_log_violation(k->s->sim->log, k->id, "%s", why);
            sim_sock_close(k, code, why);
            used = k->in_len;
            break;
        }
        if (n == 0) {
            break;
        }
        used += (size_t)n;
        on_frame(k, &frame);
    }
    memmove(k->in, k->in + used, k->in_len - used);
    k->in_len -= used;
}

static void on_gone(struct sim_conn *conn)
{
    struct sim_sock *k = sim_conn_user(conn);
    struct sim *sim = k->s->sim;

    k->conn = NULL;
    if (k->close_seen) {
        sim_sock_log(k, "closed");
        sim_sock_free(k);
        return;
    }
    sim_log_counts(sim->log)->closed_dirty++;
    if (k->state == SIM_SOCK_OPEN && sim->knobs.ghost_s > 0) {
        sim_sock_log(k, "gone without a close frame; a ghost now");
        k->state = SIM_SOCK_GHOST;
        stop_timers(k);
        arm_close(k, sim_scaled_ms(sim, (double)sim->knobs.ghost_s));
        return;
    }
    sim_sock_log(k, "gone without a close frame");
    sim_sock_free(k);
}

static const struct sim_conn_ops ws_ops = {.on_data = on_data, .on_close = on_gone};

/* --- dialling --------------------------------------------------------------------------------------------------------------- */
char *sim_socket_ticket_new(struct sim_socket *s, const char *host)
{
    char ticket[SIM_ID_MAX];
    struct sim *sim = s->sim;
    char app[65];
    size_t i = 0;

    (void)sim_ids_uuid(&sim->ids, ticket);
    hm_json_set_int(s->tickets, ticket, sim_now_us() + (int64_t)TICKET_S * 1000000);
    for (i = 0; i < 64; i++) {
        app[i] = "0123456789abcdef"[sim_ids_u64(&sim->ids) & 15];
    }
    app[64] = '\0';
    return hm_xasprintf("%s://%s/link/?ticket=%s&app_id=%s", sim->opts.tls_cert != NULL ? "wss" : "ws", host, ticket, app);
}

struct sim_sock *sim_sock_new(struct sim_socket *s, enum sim_sock_state state)
{
    struct sim_sock *k = hm_xcalloc(1, sizeof(*k));

    k->s = s;
    k->serial = ++s->serial;
    k->state = state;
    k->opened_us = sim_now_us();
    (void)snprintf(k->id, sizeof(k->id), "%s%llu", state == SIM_SOCK_PHANTOM ? "ghost" : "c",
                   (unsigned long long)(k->serial % 1000000));
    hm_strbuf_init(&k->message, CLIENT_MESSAGE_MAX);
    s->socks = hm_xreallocarray(s->socks, s->socks_nr + 1, sizeof(struct sim_sock *));
    s->socks[s->socks_nr++] = k;
    return k;
}

/* NULL when the upgrade may go on, otherwise why not. */
static const char *check_upgrade(struct sim_socket *s, const struct sim_req *req)
{
    const char *ticket = hm_json_get_str(req->query, "ticket", "");
    int64_t expires = hm_json_get_int(s->tickets, ticket, 0);

    if (!hm_starts_with(req->path, "/link")) {
        return "no such socket";
    }
    if (!hm_streq(sim_req_header(req, "sec-websocket-version"), "13") || sim_req_header(req, "sec-websocket-key") == NULL) {
        return "not a WebSocket 13 handshake";
    }
    if (json_object_get(s->tickets, ticket) == NULL || expires < sim_now_us()) {
        sim_log_violation(s->sim->log, "link", "ticket unknown, used twice or over %d s old", TICKET_S);
        return "bad ticket";
    }
    (void)json_object_del(s->tickets, ticket);
    return NULL;
}

void sim_socket_on_upgrade(struct sim_socket *s, struct sim_req *req)
{
    struct sim *sim = s->sim;
    char accept[SIM_WS_ACCEPT_MAX];
    uint8_t *rest = NULL;
    size_t rest_len = 0;
    struct sim_sock *k = NULL;
    struct sim_conn *conn = NULL;
    const char *why = NULL;
    bool debug = hm_streq(hm_json_get_str(req->query, "debug_reconnects", ""), "true");

    sim_log_counts(sim->log)->dials++;
    if (sim_nasty_take(&sim->nasty.refuse_n)) {
        sim_http_reply(req, (int)sim->nasty.refuse_status, "text/plain", NULL, "no", 2);
        return;
    }
    why = check_upgrade(s, req);
    if (why != NULL) {
        sim_http_reply(req, 401, "text/plain", NULL, why, strlen(why));
        return;
    }
    sim_ws_accept(sim_req_header(req, "sec-websocket-key"), accept);
    conn = sim_http_upgrade(req, accept, &rest, &rest_len);
    k = sim_sock_new(s, SIM_SOCK_NEW);
    k->conn = conn;
    k->debug = debug;
    sim_conn_set(conn, &ws_ops, k);
    sim_conn_split(conn, sim->nasty.split_tcp > 0 ? (size_t)sim->nasty.split_tcp : 0);
    sim_log_counts(sim->log)->connections_opened++;
    greet(k);
    if (rest_len > 0) {
        on_data(conn, rest, rest_len);
    }
    free(rest);
}
