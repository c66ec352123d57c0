/* The one HTTP client: libcurl's multi interface on the uv loop. Backends and Slack's Web API both go through it.
 *
 * A pool is one peer as configured (a backend, or Slack): TLS settings, time-out, connection limit, rate. Requests of a pool are
 * started in order, at most `rate_per_s` per second and `max_connections` at once; connections are kept and reused.
 * Contract of every request: on_done is called exactly once, never before hm_http_send() has returned, also after a cancel and at
 * shutdown. What a transport failure proves is decided here and nowhere else: HM_TRANSPORT_NOT_SENT only when curl never had a
 * connection over which it could have sent (refused, DNS, proxy or TLS handshake failed; or still queued here). */
#ifndef HM_IO_HTTP_CLIENT_H
#define HM_IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "handlers/handler.h"

struct hm_http_client;
struct hm_http_pool;
struct hm_http_call; /* one request under way */

/* A request that is about to be sent. Borrowed. */
struct hm_http_departing {
    const struct hm_request *req;
    int64_t queued_at_ms; /* monotonic */
};

enum hm_http_ready {
    HM_HTTP_READY,  /* send it */
    HM_HTTP_WAIT,   /* it and those behind it wait; authorize() is asked again after hm_http_client_wake() at the latest */
    HM_HTTP_REFUSED /* it ends NOT_SENT, because of err */
};

struct hm_http_pool_opts {
    const char *name; /* for messages: "metapod", "slack" */
    int64_t timeout_ms;
    int64_t connect_timeout_ms; /* 0 = the smaller of 10 s and timeout_ms */
    double rate_per_s;          /* 0 = no limit; a burst of one second's worth is allowed */
    unsigned max_connections;   /* 0 = 4 */
    unsigned max_queue;         /* more waiting requests than this are refused with NOT_SENT; 0 = 20,000 */
    size_t max_answer;          /* bytes of body; 0 = 8 MiB */
    const char *ca;             /* PEM path or NULL for the system's */
    const char *client_cert;
    const char *client_key;
    const char *proxy;
    /* Adds what this request still needs to be accepted (Authorization …) to the headers of ret_credentials, just before it is
     * sent, so that a rotated secret is used at once. NULL = nothing is needed. */
    enum hm_http_ready (*authorize)(void *arg, const struct hm_http_departing *departing, struct hm_request *ret_credentials,
                                    struct hm_err *err);
    void *authorize_arg;
};

/* Answer and timing; valid inside on_done only. */
struct hm_http_result {
    struct hm_answer answer;
    int64_t duration_ms; /* from start on the wire to the end, without the wait in the queue */
    int64_t queued_ms;   /* waited for rate or connections */
};

typedef void (*hm_http_done_fn)(void *arg, const struct hm_http_result *result);

struct hm_http_client *hm_http_client_new(uv_loop_t *loop, const struct hm_clock *clock, struct hm_err *err);
/* Cancels everything under way (their on_done run, NOT_SENT or BROKEN as it was) and closes the handles; on_closed runs once all
 * are gone; then hm_http_client_free(). */
void hm_http_client_close(struct hm_http_client *client, void (*on_closed)(void *arg), void *arg);
void hm_http_client_free(struct hm_http_client *client);
/* True from hm_http_client_close() on: nothing may be sent any more. */
bool hm_http_client_closing(const struct hm_http_client *client);
/* What a pool's authorize() waited for may have come. */
void hm_http_client_wake(struct hm_http_client *client);

/* opts is copied. Pools live as long as the client, or until hm_http_pool_retire(): gone once its last request ended. */
struct hm_http_pool *hm_http_pool_new(struct hm_http_client *client, const struct hm_http_pool_opts *opts, struct hm_err *err);
void hm_http_pool_retire(struct hm_http_pool *pool);

/* Sends req (copied; its url, headers and body go out byte for byte, plus what the pool's authorize() adds). Redirects are never
 * followed. timeout_ms: 0 = the pool's. Never NULL. */
struct hm_http_call *hm_http_send(struct hm_http_pool *pool, const struct hm_request *req, int64_t timeout_ms,
                                  hm_http_done_fn on_done, void *arg);
/* on_done follows later in the same way as for any other end. */
void hm_http_cancel(struct hm_http_call *call);

/* The check that every request's URL must pass: https, or plain http to this machine; no user name in it. */
HM_MUST enum hm_code hm_http_check_url(const char *url, struct hm_err *err);

struct hm_http_pool_stats {
    uint64_t started, answered, not_sent, timed_out, broken, connections_opened;
    unsigned in_flight, queued;
};
void hm_http_pool_stats(const struct hm_http_pool *pool, struct hm_http_pool_stats *ret_stats);

#endif
