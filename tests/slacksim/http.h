/* HTTP/1.1 on a sim_conn: requests one after the other, bodies by length or chunked, answers now or later, streams (SSE), and the
 * hand-over of WebSocket upgrades. */
#ifndef SLACKSIM_HTTP_H
#define SLACKSIM_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"

enum { SIM_HTTP_HEADERS_MAX = 64, SIM_HTTP_HEAD_BYTES_MAX = 64 * 1024, SIM_HTTP_BODY_MAX = 16 * 1024 * 1024 };

struct sim_header {
    char *name; /* lower case */
    char *value;
};

/* One request. Whoever is handed it answers it exactly once: by sim_http_reply*, sim_http_drop or sim_http_hang; it is dead after
 * that. The client may go away before: conn is NULL then, and answering only frees it. */
struct sim_req {
    struct sim_conn *conn;
    char *method;
    char *path;    /* decoded, without query */
    json_t *query; /* object of strings, decoded */
    struct sim_header headers[SIM_HTTP_HEADERS_MAX];
    size_t headers_nr;
    char *body; /* NUL-terminated */
    size_t body_len;
    bool keep_alive;
    bool streaming;
    int64_t arrived_us;
    /* When set: called once if the client goes before the answer; the request must then be let go with sim_http_forget(). */
    void (*on_gone)(struct sim_req *req, void *arg);
    void *gone_arg;
    json_t *fault;    /* fault.c: what shall happen to this request */
    bool fault_taken; /* fault.c: it was looked for already */
};

/* Route functions of the whole program. */
struct sim_http_routes {
    void (*on_request)(void *arg, struct sim_req *req);
    /* A WebSocket upgrade: answer it like a request, or take the connection over with sim_http_upgrade(). */
    void (*on_upgrade)(void *arg, struct sim_req *req);
    void *arg;
};

/* Starts reading requests from a fresh connection. routes must outlive it. */
void sim_http_serve(struct sim_conn *conn, const struct sim_http_routes *routes);

const char *sim_req_header(const struct sim_req *req, const char *lower_name); /* NULL when absent */

/* extra: "Name: value\r\n" lines or NULL. */
void sim_http_reply(struct sim_req *req, int status, const char *type, const char *extra, const void *body, size_t len);
void sim_http_reply_json(struct sim_req *req, int status, const char *extra, json_t *stolen_body);
/* RST instead of an answer. */
void sim_http_drop(struct sim_req *req);
/* Never answers; freed when the client goes. */
void sim_http_hang(struct sim_req *req);
/* Frees a request whose client has gone (from on_gone). */
void sim_http_forget(struct sim_req *req);

/* Server-sent events: the head now, then any number of writes, until the client goes. */
void sim_http_stream(struct sim_req *req, const char *type);
void sim_http_stream_write(struct sim_req *req, const char *data, size_t len);

/* Sends 101 and leaves the connection to the caller, who must sim_conn_set() it; frees the request. Bytes that came behind the
 * request are handed over. */
struct sim_conn *sim_http_upgrade(struct sim_req *req, const char *accept, uint8_t **ret_rest, size_t *ret_rest_len);

#endif
