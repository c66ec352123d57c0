/* A WebSocket server for tests: plain threads, blocking sockets and OpenSSL, nothing of libwebsockets or libuv, so that a fault
 * of theirs can not be on both sides. One thread accepts, one thread per connection runs the test's script. Loopback only. */
#ifndef HM_TESTS_UNIT_WS_PEER_H
#define HM_TESTS_UNIT_WS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_peer;
struct ws_conn;

struct ws_peer_opts {
    bool tls;
    const char *cert_name; /* DNS name in the certificate; NULL: "localhost" */
    /* Runs in the connection's thread, before anything is read; NULL: does ws_accept(). Returns false to drop the connection. */
    bool (*greet)(struct ws_conn *conn, void *arg);
    /* Runs after greet; the connection is closed hard when it returns (see ws_reset()). */
    void (*serve)(struct ws_conn *conn, void *arg);
    void *arg;
};

struct ws_peer *ws_peer_start(const struct ws_peer_opts *opts);
/* Ends all connections and threads. */
void ws_peer_stop(struct ws_peer *peer);
/* "ws://127.0.0.1:port/link/?ticket=secret" or "wss://localhost:…"; host: NULL for these. Into buf[256]. */
const char *ws_peer_url(const struct ws_peer *peer, const char *host, char *buf);
/* PEM file with the certificate to trust; NULL without TLS. */
const char *ws_peer_ca(const struct ws_peer *peer);
/* Connections so far; those whose thread has not ended; the most at one time. */
unsigned ws_peer_total(const struct ws_peer *peer);
unsigned ws_peer_now(const struct ws_peer *peer);
unsigned ws_peer_most(const struct ws_peer *peer);

/* 0 for the first connection. */
unsigned ws_index(const struct ws_conn *conn);
/* Reads the request (and, with TLS, shakes hands first). false: it did not come. */
bool ws_read_request(struct ws_conn *conn);
/* Answers 101; `more`, `len` bytes, goes out in the very same write (and TLS record). */
bool ws_upgrade(struct ws_conn *conn, const void *more, size_t len);
/* Both. */
bool ws_accept(struct ws_conn *conn);
/* Raw bytes, all of them, in one write. */
bool ws_write(struct ws_conn *conn, const void *data, size_t len);

enum { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10, WS_HEAD_MAX = 10 };
/* Header and payload of a server's frame into buf (len + WS_HEAD_MAX bytes); returns its length. */
size_t ws_frame(unsigned char *buf, bool fin, int opcode, const void *payload, size_t len);
bool ws_send(struct ws_conn *conn, bool fin, int opcode, const void *payload, size_t len);
bool ws_send_text(struct ws_conn *conn, const char *text);
bool ws_hello(struct ws_conn *conn);

struct ws_in {
    int opcode;
    bool fin;
    size_t len;
    unsigned char data[65536]; /* NUL behind it; unmasked */
};
enum ws_got { WS_GOT_FRAME, WS_GOT_TIMEOUT, WS_GOT_END, WS_GOT_NONSENSE };
/* One frame, or the time-out (ms) with nothing begun, or the end of the stream. NONSENSE: not masked, reserved bits, too long. */
enum ws_got ws_read(struct ws_conn *conn, int timeout_ms, struct ws_in *ret_in);
/* Reads until a text frame comes; pings are answered, pongs passed over. false: anything else came first. */
bool ws_read_text(struct ws_conn *conn, int timeout_ms, struct ws_in *ret_in);
/* Reads and answers pings until the other side closes or timeout_ms have passed in silence. Returns the close code, 1005 for a
 * close frame without one, 1006 for an end without a close frame, 0 for the time-out. */
int ws_drain(struct ws_conn *conn, int timeout_ms);
/* The next close is a RST. */
void ws_reset(struct ws_conn *conn);
/* shutdown(SHUT_WR): a half-close without a close frame. */
void ws_half_close(struct ws_conn *conn);
/* Waits until ws_peer_stop() or the other side's end, without reading a byte; at most ms. */
void ws_sleep(struct ws_conn *conn, int ms);
/* True once ws_peer_stop() was called. */
bool ws_stopping(const struct ws_conn *conn);

#endif
