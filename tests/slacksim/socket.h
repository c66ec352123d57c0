/* Socket Mode: tickets, connections, hello, disconnect, and the transport of envelopes and acks. */
#ifndef SLACKSIM_SOCKET_H
#define SLACKSIM_SOCKET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

struct sim;
struct sim_socket;
struct sim_sock; /* one connection, also after its death while it is a ghost */

struct sim_socket *sim_socket_new(struct sim *sim);
void sim_socket_free(struct sim_socket *s);
/* Forgets envelopes and ghosts; `connections`: also drops the connections. */
void sim_socket_reset(struct sim_socket *s, bool connections);

/* The answer's URL for apps.connections.open; the caller frees. */
char *sim_socket_ticket_new(struct sim_socket *s, const char *host);
/* GET /link/ with an upgrade. */
void sim_socket_on_upgrade(struct sim_socket *s, struct sim_req *req);

/* --- envelopes ------------------------------------------------------------------------------------------------------------ */
enum sim_result { SIM_ACKED, SIM_TIMED_OUT, SIM_NO_CONNECTION, SIM_RESET, SIM_RESULT_NR };

struct sim_envelope {
    const char *type; /* "slash_commands" "interactive" "events_api" or another; static or borrowed for the call */
    const char *id;   /* or NULL for a fresh one */
    bool accepts;     /* accepts_response_payload */
    bool is_event;    /* retried, and kept when there is no connection */
    bool held;        /* made ready only; it leaves with sim_socket_release() */
    json_t *stolen_payload;
    /* Exactly once: when acked (payload: the ack's payload or NULL), after the 3 s, at once (but not inside the call) without a
     * connection, or at a reset. For events only the first delivery reports. May be NULL. */
    void (*on_result)(void *arg, enum sim_result result, int64_t latency_us, const json_t *payload);
    void *arg;
};

enum { SIM_ENVELOPE_ID_MAX = 64 };
/* Sends on one connection; ret_id (may be NULL) gets the envelope's id. */
void sim_socket_send(struct sim_socket *s, const struct sim_envelope *envelope, char ret_id[SIM_ENVELOPE_ID_MAX]);
/* Sends an envelope that was held; its 3 seconds begin now. */
void sim_socket_release(struct sim_socket *s, const char *id);
bool sim_socket_ready(const struct sim_socket *s); /* is any connection registered? */

/* --- what tests and nasty.c do ---------------------------------------------------------------------------------------------- */
size_t sim_socket_live(const struct sim_socket *s);       /* open, hello sent, TCP there */
size_t sim_socket_registered(const struct sim_socket *s); /* what num_connections counts */
size_t sim_socket_open_envelopes(const struct sim_socket *s);
json_t *sim_socket_json_new(const struct sim_socket *s);
/* A disconnect frame on one (id) or all (NULL) connections; close_after_ms < 0: never closes. Returns how many. */
size_t sim_socket_disconnect(struct sim_socket *s, const char *id, const char *reason, int64_t close_after_ms);
/* op: see README, POST /_sim/connection. False: unknown op. */
bool sim_socket_op(struct sim_socket *s, const char *id, const char *op, const json_t *body);
/* Pings on all connections every ms from now on; 0: back to the knob. */
void sim_socket_ping_every(struct sim_socket *s, int64_t ms);
/* Number of frames of any kind sent to clients so far. */
int64_t sim_socket_frames_out(const struct sim_socket *s);
/* After a change of the nasty switches: phantoms come and go, TCP splitting applies. */
void sim_socket_apply_nasty(struct sim_socket *s);

#endif
