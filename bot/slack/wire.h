/* One WebSocket connection of ours, from the name look-up to its very end: resolves, connects, reassembles messages, queues and
 * writes small frames, pings, watches, closes. Knows nothing of Slack's JSON.
 *
 * Happy path: hm_wire_dial() → on_open → on_message … → hm_wire_close() or the other side → on_end, once, and the object is gone.
 * Failure modes: everything ends in on_end with a reason for a person: name not found, refused, certificate, no 101, reset,
 * closed with a code, silence, no pong, a write that gets nowhere.
 *
 * All calls and callbacks on the loop's thread. Callbacks never run inside hm_wire_dial(); on_end never runs inside any call. */
#ifndef HM_SLACK_WIRE_H
#define HM_SLACK_WIRE_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "slack/pulse.h"
#include "slack/wsurl.h"

struct hm_wire;

struct hm_wire_timing {
    struct hm_pulse_opts pulse;
    int64_t close_ms; /* wait for the other close frame, then the socket goes; twice that with flushing */
    int64_t write_ms; /* nothing could be written for so long: dead */
};

/* slack.md 1.8, 1.9: pings every 10 s, 25 and 30 s, close 1 s, write 10 s. */
extern const struct hm_wire_timing hm_wire_timing_default;

struct hm_wire_opts {
    uv_loop_t *loop;
    struct lws_context *lws;
    struct lws_vhost *vhost; /* from hm_wire_vhost_new() */
    const struct hm_clock *clock;
    struct hm_wire_timing timing;
    size_t max_message; /* bytes of one reassembled message */
    void (*on_open)(void *arg, uint64_t epoch);
    /* A text message, whole, NUL behind it; borrowed. */
    void (*on_message)(void *arg, uint64_t epoch, const char *text, size_t len);
    /* A message that was thrown away: too long, or binary. The connection goes on. */
    void (*on_dropped)(void *arg, uint64_t epoch, const char *why);
    /* The end. unsent: frames that were queued and never written. The object is freed after this returns. */
    void (*on_end)(void *arg, uint64_t epoch, const char *reason, size_t unsent);
    void *arg;
};

/* The vhost that all wires of one client share; it lives as long as the context. ca: PEM file or NULL for the system's. */
struct lws_vhost *hm_wire_vhost_new(struct lws_context *lws, const char *ca, struct hm_err *err);

/* Never NULL; failures come through on_end. attempt: chooses among the addresses of the host, so that retries try the others. */
struct hm_wire *hm_wire_dial(const struct hm_wire_opts *opts, uint64_t epoch, const struct hm_wsurl *url, unsigned attempt);

/* Queues one text frame; copied. It goes out as a single frame in the loop's next turn, with all others that are queued. False:
 * the connection is not open (any more) or 4 MiB are waiting. */
bool hm_wire_send(struct hm_wire *wire, const char *text, size_t len);

/* Flush, close frame 1000, wait, end. Before the handshake is done: end at once. */
void hm_wire_close(struct hm_wire *wire);

bool hm_wire_is_open(const struct hm_wire *wire);
/* Monotonic ms of the last frame that came, 0: none. */
int64_t hm_wire_last_frame_at(const struct hm_wire *wire);

/* How often a requested write did not come although the socket could take it, and had to be asked for again: a bug of the loop's
 * plumbing when it is not 0. Of all wires since the start of the process; for the tests and the metrics. */
uint64_t hm_wire_rescues(void);

#endif
