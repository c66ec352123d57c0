/* What the tests of Socket Mode share: a loop with libwebsockets on it, the client under test, and a clock without jitter (every
 * back-off is 0 ms). */
#ifndef HM_TESTS_UNIT_SOCKET_RIG_H
#define HM_TESTS_UNIT_SOCKET_RIG_H

#include <stdbool.h>
#include <uv.h>

#include "slack/socket.h"
#include "slack/wire.h"
#include "ws_peer.h"

struct rig {
    uv_loop_t loop;
    struct lws_context *lws;
    struct hm_clock clock;
    struct ws_peer *peer;

    struct hm_socket *socket; /* NULL: the test drives wires itself */
    const char *host;         /* in the URL; NULL: the peer's own */
    const char *url;          /* instead of the peer's */
    bool hold_url;            /* open_url is only counted */
    bool no_ack;
    void (*on_envelope)(struct rig *rig); /* after it was noted; may be NULL */
    void *arg;                            /* the test's */
    unsigned urls, envelopes, hellos, losses;
    struct hm_ack_ticket ticket; /* of the last envelope */
    char *text;                  /* the last envelope; freed by the rig */
    size_t len;
    char id[256], key[300], change[256];
    bool closed;
};

/* peer_opts: NULL for no server. */
void rig_start(struct rig *rig, const struct ws_peer_opts *peer_opts);
/* Makes and starts a client. timing, max_frame: NULL, 0 for the usual. */
void rig_socket(struct rig *rig, const struct hm_wire_timing *timing, unsigned max_frame);
/* Turns the loop until done() says true; false: after two minutes it had not. It looks every millisecond. */
bool rig_until(struct rig *rig, bool (*done)(struct rig *rig));
/* Closes the client, if there is one, then everything; fails the test when anything is left in the loop. */
void rig_stop(struct rig *rig);

#endif
