/* One wire under test: see wire_client.h. */
#include "wire_client.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

/* ---- messages of known content ---- */

/* The i'th byte of every message: characters of one to four bytes. */
char wire_pattern(size_t i)
{
    static const char chars[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"\\{}[]"; /* 16 bytes */
    return chars[i % 16];
}

/* A length at which the pattern does not end inside a character. */
bool wire_whole(size_t len)
{
    size_t at = len % 16;
    return at != 2 && at != 4 && at != 5 && at != 7 && at != 8 && at != 9;
}

static void on_message(void *arg, uint64_t epoch, const char *text, size_t len)
{
    struct client *client = arg;
    char answer[32];
    (void)epoch;
    client->messages++;
    for (size_t i = 0; i < len; i++)
        client->mismatch = client->mismatch || text[i] != wire_pattern(i);
    client->mismatch = client->mismatch || text[len] != '\0';
    if (client->echo) {
        int n = snprintf(answer, sizeof(answer), "%zu", len);
        assert_true(hm_wire_send(client->wire, answer, (size_t)n));
    }
}

static void on_open(void *arg, uint64_t epoch)
{
    struct client *client = arg;
    (void)epoch;
    client->opened++;
    if (client->close_at_open)
        hm_wire_close(client->wire);
}

static void on_dropped(void *arg, uint64_t epoch, const char *why)
{
    struct client *client = arg;
    (void)epoch;
    assert_true(strlen(why) > 0);
    client->dropped++;
    if (client->echo)
        assert_true(hm_wire_send(client->wire, "dropped", 7));
}

static void on_end(void *arg, uint64_t epoch, const char *reason, size_t unsent)
{
    struct client *client = arg;
    client->ends++;
    client->ended_epoch = epoch;
    client->unsent = unsent;
    client->wire = NULL;
    (void)snprintf(client->reason, sizeof(client->reason), "%s", reason);
    assert_true(strlen(reason) > 0);
    assert_null(strstr(reason, "secret"));
}

void wire_start(struct client *client, const struct ws_peer_opts *peer_opts)
{
    struct hm_err err;
    rig_start(&client->rig, peer_opts);
    client->vhost = hm_wire_vhost_new(client->rig.lws, client->rig.peer != NULL ? ws_peer_ca(client->rig.peer) : NULL, &err);
    assert_non_null(client->vhost);
}

void wire_dial(struct client *client, const char *text)
{
    struct hm_wsurl url;
    char buf[256];
    struct hm_wire_opts opts = {
        .loop = &client->rig.loop,
        .lws = client->rig.lws,
        .vhost = client->vhost,
        .clock = &client->rig.clock,
        .timing = client->timing != NULL ? *client->timing : hm_wire_timing_default,
        .max_message = client->max_message != 0 ? client->max_message : 1048576,
        .on_open = on_open,
        .on_message = on_message,
        .on_dropped = on_dropped,
        .on_end = on_end,
        .arg = client,
    };
    assert_int_equal(hm_wsurl_parse(text != NULL ? text : ws_peer_url(client->rig.peer, NULL, buf), &url, NULL), HM_OK);
    unsigned ends = client->ends;
    client->wire = hm_wire_dial(&opts, 7, &url, 0);
    assert_int_equal(client->ends, ends); /* never inside the call */
}

bool wire_is_open(struct rig *rig)
{
    return ((struct client *)(void *)rig)->opened > 0;
}

bool wire_has_ended(struct rig *rig)
{
    return ((struct client *)(void *)rig)->ends > 0;
}

void wire_expect_end(struct client *client, const char *reason)
{
    assert_true(rig_until(&client->rig, wire_has_ended));
    assert_int_equal(client->ends, 1);
    assert_int_equal(client->ended_epoch, 7);
    if (strstr(client->reason, reason) == NULL)
        fail_msg("ended with \"%s\" instead of \"%s\"", client->reason, reason);
}
