/* An HTTP/1.1 server on the uv loop (libwebsockets): health, readiness and metrics of the bot; and, in tests, the stand-ins.
 *
 * One listening address, one route function. A route may answer at once or later, drop the connection, or never answer.
 * Ceilings: 64 KiB of headers (lws), max_body for the body (413 beyond), request line as lws has it. */
#ifndef HM_IO_HTTP_SERVER_H
#define HM_IO_HTTP_SERVER_H

#include <libwebsockets.h>
#include <stddef.h>
#include <uv.h>

#include "base/err.h"

struct hm_http_server;
struct hm_http_exchange; /* one request being answered; valid until answered, dropped or on_gone */

/* Borrowed; valid inside the route function only (copy what must live longer). */
struct hm_http_seen {
    const char *method;
    const char *path;  /* decoded, without the query */
    const char *query; /* after '?', "name=value&…", percent-encoded anew (RFC 3986: nothing but A-Z a-z 0-9 - . _ ~ bare) */
    const char *body;  /* NUL-terminated, never NULL */
    size_t body_len;
    const char *content_type;  /* "" when absent */
    const char *authorization; /* "" when absent */
    const char *accept;        /* "" when absent */
    const char *host;          /* "" when absent */
    const char *headers;       /* those of opts.keep_headers that came, a line "Name: value\n" each; hm_header_line() finds one */
};

struct hm_http_server_opts {
    const char *listen;   /* "127.0.0.1:8787", "[::1]:0"; port 0 = any free one */
    size_t max_body;      /* bytes */
    const char *tls_cert; /* PEM paths, or NULL for plain HTTP */
    const char *tls_key;
    const char *const *keep_headers; /* names, lower-case, ends with NULL; or NULL = none besides the above. lws keeps no list */
    /* Called once a request has arrived whole. Must answer now or keep the exchange and answer later. */
    void (*on_request)(void *arg, struct hm_http_exchange *x, const struct hm_http_seen *seen);
    /* The client went away before it was answered: x is dead after this. May be NULL. */
    void (*on_gone)(void *arg, struct hm_http_exchange *x);
    void *arg;
    /* Further protocols on the same port (tests), ends with {0}; or NULL. A websocket that names no subprotocol gets the first.
     */
    const struct lws_protocols *websockets;
};

/* Whether this is an address and a port as opts.listen must be; nothing is opened. HM_EINVAL with a sentence when not. */
HM_MUST enum hm_code hm_http_check_listen(const char *listen, struct hm_err *err);

/* lws context to share; see io/lws_loop.h. Returns NULL with err set (address in use, bad certificate …). */
struct hm_http_server *hm_http_server_new(struct lws_context *ctx, const struct hm_http_server_opts *opts, struct hm_err *err);
/* Drops what is open (on_gone is not called any more) and turns new connections away. The port itself and the memory are given
 * back when the context closes: lws 4.1 can not close one listener. Call it before hm_lws_loop_close(). NULL is fine. */
void hm_http_server_free(struct hm_http_server *server);
int hm_http_server_port(const struct hm_http_server *server);

/* Answers; content_type and body are copied. extra_headers: "Name: value\r\n" lines or NULL. To HEAD only the headers are sent
 * (with the length of the body). x is dead after this. */
void hm_http_reply(struct hm_http_exchange *x, int status, const char *content_type, const char *extra_headers, const void *body,
                   size_t body_len);
/* Closes the connection without an answer. x is dead after this. */
void hm_http_drop(struct hm_http_exchange *x);
/* A pointer of the caller's with the exchange. */
void hm_http_set_user(struct hm_http_exchange *x, void *user);
void *hm_http_user(struct hm_http_exchange *x);

#endif
