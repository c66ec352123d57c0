/* Private to the HTTP server: one request from its headers to its answer (http_exchange.c), and the server it belongs to
 * (http_server.c). Nobody else includes this. */
#ifndef HM_IO_HTTP_EXCHANGE_H
#define HM_IO_HTTP_EXCHANGE_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/strbuf.h"
#include "io/http_server.h"

enum hm_http_phase {
    HM_HTTP_BODY,     /* the body is arriving */
    HM_HTTP_ROUTED,   /* the route function has it, or has kept it */
    HM_HTTP_ANSWERED, /* `out` waits for a writable socket */
    HM_HTTP_DROPPED,  /* to be closed without an answer */
};

/* Watches for the peer's hang-up while the answer is being made. Outlives its exchange until uv has closed the handle. */
struct hm_http_watch {
    uv_poll_t poll;
    int fd;
    struct hm_http_exchange *x; /* NULL once the exchange has ended */
};

struct hm_http_exchange {
    struct hm_http_server *server;
    struct hm_http_exchange *prev, *next; /* the server's open exchanges */
    struct lws *wsi;
    enum hm_http_phase phase;
    bool head;        /* no body in the answer */
    bool too_big;     /* the body passed max_body */
    bool close_after; /* the connection can not be used again */
    bool hung_up;     /* the peer has closed its side */
    int completed;    /* how often lws has announced the end of the body */
    const char *method;
    char *path, *query, *content_type, *authorization, *accept, *host;
    struct hm_strbuf headers; /* the kept ones, a line each */
    struct hm_strbuf body;
    int64_t expected; /* bytes of body that the headers announced */
    char connection[16];
    void *user;
    struct hm_http_watch *watch;
    unsigned char *out; /* LWS_PRE bytes, then the answer */
    size_t out_len;
};

/* lws's memory per connection and protocol; a fresh one, zeroed, for each request. */
struct hm_http_session {
    struct hm_http_exchange *x;
};

struct hm_http_server {
    struct hm_http_server_opts opts;
    struct lws_context *ctx;
    struct lws_vhost *vhost;
    struct lws_protocols *protocols;
    struct lws_protocol_vhost_options default_ws, default_ws_on;
    char *name, *address; /* lws borrows both for the vhost's life */
    char *tls_cert, *tls_key;
    uint16_t port;
    bool stopped; /* freed by its owner: the memory stays until lws lets go of the vhost */
    struct hm_http_exchange *open;
};

/* What lws calls back with; the results are what lws wants returned: 0 to go on, -1 to close the connection. */
int hm_http_exchange_on_headers(struct hm_http_server *server, struct hm_http_session *session, struct lws *wsi,
                                const char *path);
int hm_http_exchange_on_body(struct hm_http_exchange *x, const char *data, size_t len);
int hm_http_exchange_on_body_complete(struct hm_http_exchange *x);
int hm_http_exchange_on_writeable(struct hm_http_session *session, struct lws *wsi);
/* The connection is gone, or its request is over: the one end of an exchange besides having been answered. */
void hm_http_exchange_end(struct hm_http_session *session);
/* The server stops: closes the connection, unless its answer is on its way. */
void hm_http_exchange_stop(struct hm_http_exchange *x);

#endif
