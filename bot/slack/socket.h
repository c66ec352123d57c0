/* Socket Mode: the websocket side of Slack, on libwebsockets. One or two connections (overlap at a refresh), one dial machine.
 *
 * Happy path: open_url() is asked for a fresh wss:// URL → dial → hello → envelopes, each handed to on_envelope with the ticket
 * that acks it → at a warning, a refresh or near the announced end of life a successor is dialled first and the old one is
 * drained. Failure modes: any close, silence of 30 s, no pong in 25 s, no hello in 10 s, a refused upgrade, an error of open_url
 * → back-off (1 s, doubling, to 60 s, full jitter; reset only after a hello that was held 30 s); too_many_websockets → close
 * first, 30 s to 5 min; a fatal token error → unhealthy, retry every 5 min. slack.md's rules are repeated at the places that keep
 * them. */
#ifndef HM_SLACK_SOCKET_H
#define HM_SLACK_SOCKET_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"

struct hm_socket;
struct hm_wire_timing;

/* Names the connection that delivered an envelope: epoch of the connection. Plain data; copy freely. */
struct hm_ack_ticket {
    uint64_t epoch;
};

/* What the first scan of a frame finds, without building a JSON tree. All borrowed; NUL-terminated copies inside the callback. */
struct hm_envelope {
    const char *envelope_id; /* "" when absent */
    const char *type;        /* "events_api", "slash_commands", "interactive", other */
    const char *dedupe_key;  /* durable key: "ev:<event_id>", "cmd:<trigger_id>", "act:<trigger_id>", "env:<envelope_id>" */
    bool accepts_response_payload;
    int64_t retry_attempt;    /* 0 when absent; a retry may be the only delivery: never a reason to drop it */
    const char *retry_reason; /* "" when absent */
    const char *text;         /* the whole frame */
    size_t len;
};

struct hm_socket_opts {
    uv_loop_t *loop;
    struct lws_context *lws;
    const struct hm_clock *clock;
    const char *ca; /* PEM path or NULL */
    /* Asks apps.connections.open; the answer comes through hm_socket_url(). Called for every dial; never logged. */
    void (*open_url)(void *arg);
    /* An envelope arrived. Journal it, then call hm_socket_ack() with the ticket. */
    void (*on_envelope)(void *arg, struct hm_ack_ticket ticket, const struct hm_envelope *env);
    /* hello, lost, … for the log and /readyz; text is a sentence. May be NULL. */
    void (*on_change)(void *arg, bool connected, const char *text);
    void *arg;
    unsigned max_frame;                  /* bytes of one reassembled message; 0 = 1 MiB */
    const struct hm_wire_timing *timing; /* NULL: the usual one (wire.h); tests are in a hurry */
};

struct hm_socket *hm_socket_new(const struct hm_socket_opts *opts, struct hm_err *err);
/* Starts the first dial. */
void hm_socket_start(struct hm_socket *socket);
/* Answer to open_url: url, or NULL with the reason. fatal: a person must mend it (token, setting). retry_after_ms: 0 = none. */
void hm_socket_url(struct hm_socket *socket, const char *url, bool fatal, int64_t retry_after_ms, const char *problem);
/* Queues the small frame {"envelope_id":"…"} on the connection that delivered it, or on the newest when that one is gone;
 * payload: a JSON object text or NULL, dropped with a warning when the frame would pass 16 KiB. Returns false when no connection
 * is open (Slack will deliver again). */
bool hm_socket_ack(struct hm_socket *socket, struct hm_ack_ticket ticket, const char *envelope_id, const char *payload);
/* Close frames with 1000 on all connections, at most 2 s, then on_closed (never inside this call). Then hm_socket_free(), also
 * from on_closed. Envelopes that arrive meanwhile are not handed over any more: unacknowledged, they come again. */
void hm_socket_close(struct hm_socket *socket, void (*on_closed)(void *arg), void *arg);
void hm_socket_free(struct hm_socket *socket);

struct hm_socket_stats {
    bool connected;         /* hello seen and a frame within 30 s */
    unsigned connections;   /* ours */
    int server_connections; /* as hello said; more than ours = ghosts or a second instance */
    uint64_t envelopes, acks, acks_dropped, dials, frames_bad;
    int64_t last_frame_age_ms; /* -1 = none yet */
    int64_t connected_for_ms;
    char state[256]; /* a sentence for /readyz */
};
void hm_socket_stats(const struct hm_socket *socket, struct hm_socket_stats *ret_stats);

#endif
