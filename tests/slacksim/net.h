/* Bytes in, bytes out: a libwebsockets server (TLS or not) in its raw role on the uv loop.
 *
 * Raw, because the simulator must do what no well-behaved WebSocket library offers: stop in the middle of a frame, leave TCP
 * open after the close handshake, split frames anywhere. It also means that the framing here (ws.h) is not the one which the
 * bot uses: a bug in one can not hide a bug in the other. */
#ifndef SLACKSIM_NET_H
#define SLACKSIM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct sim_net;
struct sim_conn;

/* Who reads a connection. on_close: it is gone, the pointer dies after the call; called exactly once. */
struct sim_conn_ops {
    void (*on_data)(struct sim_conn *conn, const uint8_t *data, size_t len);
    void (*on_close)(struct sim_conn *conn);
};

struct sim_net_opts {
    const char *listen;                                  /* "127.0.0.1:0" */
    const char *tls_cert, *tls_key;                      /* PEM files, or NULL */
    void (*on_accept)(void *arg, struct sim_conn *conn); /* must set ops */
    void (*on_turn_end)(void *arg);                      /* after everything that came in one callback */
    void *arg;
};

struct sim_net *sim_net_new(uv_loop_t *loop, const struct sim_net_opts *opts, struct hm_err *err);
/* Begins the end: drops all connections; uv_run() must turn, then sim_net_free(). */
void sim_net_close(struct sim_net *net);
void sim_net_free(struct sim_net *net);
int sim_net_port(const struct sim_net *net);
/* Writes what was queued since the last call. */
void sim_net_flush(struct sim_net *net);

void sim_conn_set(struct sim_conn *conn, const struct sim_conn_ops *ops, void *user);
void *sim_conn_user(const struct sim_conn *conn);
/* Copies; sent at the next flush. Dropped when the connection is closing, frozen or half-closed. */
void sim_conn_write(struct sim_conn *conn, const void *data, size_t len);
size_t sim_conn_queued(const struct sim_conn *conn);
/* After what is queued has left: TLS close_notify and FIN. */
void sim_conn_close(struct sim_conn *conn);
/* Now, by RST; what is queued is lost. */
void sim_conn_reset(struct sim_conn *conn);
/* Half-close: FIN without a TLS close_notify; reading goes on, writing is over. */
void sim_conn_fin(struct sim_conn *conn);
/* Neither reads nor writes, but stays open; what comes in meanwhile is kept for the thaw. */
void sim_conn_freeze(struct sim_conn *conn, bool frozen);
/* From now on at most n bytes per write(2) (0: no limit). */
void sim_conn_split(struct sim_conn *conn, size_t n);

#endif
