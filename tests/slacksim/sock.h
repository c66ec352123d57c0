/* One Socket Mode connection, for socket.c (which owns them) and envelope.c (which uses them). Not for the rest. */
#ifndef SLACKSIM_SOCK_H
#define SLACKSIM_SOCK_H

#include "base/strbuf.h"
#include "sim.h"
#include "socket.h"
#include "ws.h"

enum sim_sock_state {
    SIM_SOCK_NEW,     /* upgraded, no hello sent yet */
    SIM_SOCK_OPEN,    /* registered */
    SIM_SOCK_CLOSING, /* a close frame went one way or the other; not registered */
    SIM_SOCK_GHOST,   /* TCP is gone without a close frame; still registered */
    SIM_SOCK_PHANTOM, /* never was a connection; registered (nasty switch) */
    SIM_SOCK_NR
};

struct sim_sock {
    struct sim_socket *s;
    uint64_t serial;
    char id[16];
    struct sim_conn *conn; /* NULL: ghost or phantom */
    enum sim_sock_state state;
    bool frozen, stall_next, stalled, debug, closed_by_us, close_seen;
    uint8_t *in;
    size_t in_len, in_cap;
    struct hm_strbuf message; /* fragments of a client message */
    bool in_message;
    int64_t opened_us;
    int64_t frames_in, frames_out, acks, envelopes;
    uint64_t ping_timer, life_timer, hello_timer, close_timer;
    int64_t close_after_ms; /* for the refresh that follows a warning */
};

struct sim_envelopes; /* envelope.c */

struct sim_socket {
    struct sim *sim;
    struct sim_sock **socks;
    size_t socks_nr;
    size_t turn; /* round robin */
    uint64_t serial;
    json_t *tickets; /* ticket -> expires_us */
    int64_t ping_ms; /* sim_socket_ping_every(); 0: the knob */
    int64_t frames_out;
    struct sim_envelopes *envelopes;
};

/* One whole text message, as the nasty switches want it on the wire. */
void sim_sock_text(struct sim_sock *k, const char *text, size_t len);
void sim_sock_frame(struct sim_sock *k, uint8_t opcode, bool fin, const void *data, size_t len);
void sim_sock_close(struct sim_sock *k, uint16_t code, const char *reason);
/* A disconnect frame; "warning" begins the whole sequence of warning, refresh_requested and close. close_after_ms < 0: no close.
 */
void sim_sock_disconnect(struct sim_sock *k, const char *reason, int64_t close_after_ms);
struct sim_sock *sim_sock_new(struct sim_socket *s, enum sim_sock_state state);
void sim_sock_free(struct sim_sock *k);
void sim_sock_start_pings(struct sim_sock *k);
void sim_sock_log(struct sim_sock *k, const char *what);
bool sim_sock_registered(const struct sim_sock *k);
/* The next registered one in turn; not `other` unless it is the only one. NULL: none. */
struct sim_sock *sim_sock_pick(struct sim_socket *s, const struct sim_sock *other);

struct sim_envelopes *sim_envelopes_new(struct sim_socket *s);
void sim_envelopes_free(struct sim_envelopes *all);
void sim_envelopes_reset(struct sim_envelopes *all);
size_t sim_envelopes_open(const struct sim_envelopes *all);
/* A text message from the client: an ack, or nonsense. */
void sim_envelopes_on_text(struct sim_envelopes *all, struct sim_sock *from, const char *text, size_t len, bool fragmented);
void sim_envelopes_send(struct sim_envelopes *all, const struct sim_envelope *envelope, char ret_id[SIM_ENVELOPE_ID_MAX]);
void sim_envelopes_release(struct sim_envelopes *all, const char *id);

#endif
