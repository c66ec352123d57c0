/* One wire under test and what it told: shared by the tests of slack/wire.h. */
#ifndef HM_TESTS_UNIT_WIRE_CLIENT_H
#define HM_TESTS_UNIT_WIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "socket_rig.h"

struct client {
    struct rig rig;
    struct lws_vhost *vhost;
    struct hm_wire *wire;
    size_t max_message;
    const struct hm_wire_timing *timing; /* NULL: the usual */
    unsigned opened, messages, dropped, ends;
    uint64_t ended_epoch;
    char reason[200];
    size_t unsent;
    bool mismatch, close_at_open, echo;
};

/* The i'th byte of every message: characters of one to four bytes. */
char wire_pattern(size_t i);
/* A length at which the pattern does not end inside a character. */
bool wire_whole(size_t len);

/* peer_opts: NULL for no server. */
void wire_start(struct client *client, const struct ws_peer_opts *peer_opts);
/* text: a URL instead of the peer's own, or NULL. */
void wire_dial(struct client *client, const char *text);
/* For rig_until(). */
bool wire_is_open(struct rig *rig);
bool wire_has_ended(struct rig *rig);
/* Waits for the one end, whose reason must contain this. */
void wire_expect_end(struct client *client, const char *reason);

#endif
