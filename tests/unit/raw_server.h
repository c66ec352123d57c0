/* A raw TCP server for tests of the HTTP client: it reads HTTP/1.1 requests and answers with exactly the bytes (or the
 * misbehaviour) that the test's function says. Same loop as the code under test. */
#ifndef HM_TESTS_RAW_SERVER_H
#define HM_TESTS_RAW_SERVER_H

#include <stddef.h>
#include <uv.h>

enum { RAW_MAX_SEEN = 256, RAW_MAX_REQUEST = 64 * 1024 };

struct raw_conn;
struct raw_server {
    uv_tcp_t listener;
    int port;
    /* A whole request has come: nth of its connection, counted from 1. */
    void (*on_request)(struct raw_server *server, struct raw_conn *conn, unsigned nth, const char *request);
    void *user;
    char *seen[RAW_MAX_SEEN]; /* every request, as its bytes were */
    unsigned n_seen;
    unsigned n_connections;
    struct raw_conn *conns;
};

void raw_server_start(struct raw_server *server, uv_loop_t *loop);
/* Closes everything; run the loop afterwards, then raw_server_done(). */
void raw_server_stop(struct raw_server *server);
void raw_server_done(struct raw_server *server);

void raw_send(struct raw_conn *conn, const char *bytes);
void raw_send_bytes(struct raw_conn *conn, const char *bytes, size_t len);
/* After what was sent before has left. */
void raw_close(struct raw_conn *conn);
void raw_reset(struct raw_conn *conn); /* RST */

#endif
