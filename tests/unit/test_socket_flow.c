/* Socket Mode end to end against a server of plain threads: hello, envelopes, acks, overlap, refusals, the end. */
#include "unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "socket_rig.h"

static struct {
    atomic_uint step, wrong, acks;
    atomic_int code[8]; /* how each connection ended for the server, see ws_drain() */
} shared;

static void reset_shared(void)
{
    memset(&shared, 0, sizeof(shared));
}

static void wrong(const char *what)
{
    (void)fprintf(stderr, "server: %s\n", what);
    atomic_fetch_add(&shared.wrong, 1);
}

/* Waits until another connection's script or the test has come that far. */
static void await_step(struct ws_conn *conn, unsigned step)
{
    for (int i = 0; i < 10000 && atomic_load(&shared.step) < step && !ws_stopping(conn); i++)
        ws_sleep(conn, 2);
}

static void send_envelope(struct ws_conn *conn, const char *id)
{
    char text[400];
    (void)snprintf(text, sizeof(text),
                   "{\"payload\":{\"trigger_id\":\"t-%s\"},\"envelope_id\":\"%s\",\"type\":\"slash_commands\"}", id, id);
    (void)ws_send_text(conn, text);
}

static void expect_text(struct ws_conn *conn, const char *text)
{
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    if (!ws_read_text(conn, 10000, in))
        wrong("no text frame came");
    else if (strcmp((const char *)in->data, text) != 0)
        wrong((const char *)in->data);
    else
        atomic_fetch_add(&shared.acks, 1);
    free(in);
}

static void expect_ack(struct ws_conn *conn, const char *id)
{
    char text[300];
    (void)snprintf(text, sizeof(text), "{\"envelope_id\":\"%s\"}", id);
    expect_text(conn, text);
}

static void serve_out(struct ws_conn *conn)
{
    int code = ws_drain(conn, 15000);
    atomic_store(&shared.code[ws_index(conn) % 8], code);
    if (code >= 1000 && code != 1006)
        (void)ws_send(conn, true, WS_CLOSE, "\x03\xe8", 2);
}

static void start_rig(struct rig *rig, bool tls, void (*serve)(struct ws_conn *conn, void *arg))
{
    struct ws_peer_opts opts = {.tls = tls, .serve = serve, .arg = rig};
    reset_shared();
    rig_start(rig, &opts);
}

static void stop_rig(struct rig *rig)
{
    rig_stop(rig);
    assert_int_equal(atomic_load(&shared.wrong), 0);
}

static unsigned wanted;

static bool acks_there(struct rig *rig)
{
    (void)rig;
    return atomic_load(&shared.acks) + atomic_load(&shared.wrong) >= wanted;
}

static bool hellos_there(struct rig *rig)
{
    return rig->hellos >= wanted;
}

static bool envelopes_there(struct rig *rig)
{
    return rig->envelopes >= wanted;
}

static bool losses_there(struct rig *rig)
{
    return rig->losses >= wanted;
}

static bool step_there(struct rig *rig)
{
    (void)rig;
    return atomic_load(&shared.step) >= wanted;
}

static void until(struct rig *rig, bool (*done)(struct rig *rig), unsigned n)
{
    wanted = n;
    if (!rig_until(rig, done))
        fail_msg("waited in vain for %u; last change: %s", n, rig->change);
}

/* ---- acks ---- */

static void serve_acks(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_hello(conn);
    send_envelope(conn, "dbdd0ef3-1543");
    expect_ack(conn, "dbdd0ef3-1543");
    send_envelope(conn, "a\\\"b\\\\c\\u0007\\u00e4\xe2\x82\xac");
    expect_ack(conn, "a\\\"b\\\\c\\u0007\xc3\xa4\xe2\x82\xac");
    serve_out(conn);
}

static void test_acks(void **state)
{
    (void)state;
    for (int tls = 0; tls <= 1; tls++) {
        struct rig rig;
        struct hm_socket_stats stats;
        start_rig(&rig, tls != 0, serve_acks);
        rig_socket(&rig, NULL, 0);
        until(&rig, acks_there, 2);
        hm_socket_stats(rig.socket, &stats);
        assert_true(stats.connected);
        assert_int_equal(stats.connections, 1);
        assert_int_equal(stats.server_connections, 1);
        assert_int_equal(stats.envelopes, 2);
        assert_int_equal(stats.acks, 2);
        assert_int_equal(stats.dials, 1);
        assert_string_equal(stats.state, "connected");
        assert_string_equal(rig.id, "a\"b\\c\x07\xc3\xa4\xe2\x82\xac");
        stop_rig(&rig);
        assert_int_equal(atomic_load(&shared.code[0]), 1000);
    }
}

static void serve_payload(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_hello(conn);
    send_envelope(conn, "e1");
    expect_text(conn, "{\"envelope_id\":\"e1\",\"payload\":{\"text\":\"usage\"}}");
    expect_ack(conn, "e1"); /* the same with a payload that is too long */
    serve_out(conn);
}

static void test_payload(void **state)
{
    (void)state;
    struct rig rig;
    start_rig(&rig, true, serve_payload);
    rig.no_ack = true;
    rig_socket(&rig, NULL, 0);
    until(&rig, envelopes_there, 1);
    assert_true(hm_socket_ack(rig.socket, rig.ticket, "e1", "{\"text\":\"usage\"}"));
    char *longer = hm_xmalloc(17001);
    memset(longer, ' ', 17000);
    longer[0] = '{';
    longer[16999] = '}';
    longer[17000] = '\0';
    assert_true(hm_socket_ack(rig.socket, rig.ticket, "e1", longer));
    free(longer);
    char id[300];
    memset(id, 'x', sizeof(id));
    id[299] = '\0';
    assert_false(hm_socket_ack(rig.socket, rig.ticket, id, NULL));
    assert_false(hm_socket_ack(rig.socket, rig.ticket, "", NULL));
    assert_false(hm_socket_ack(rig.socket, rig.ticket, "\xff", NULL));
    until(&rig, acks_there, 2);
    stop_rig(&rig);
}

enum { BURST = 5000 };

static void serve_burst(struct ws_conn *conn, void *arg)
{
    char id[20];
    (void)arg;
    (void)ws_hello(conn);
    for (int i = 0; i < BURST; i++) {
        (void)snprintf(id, sizeof(id), "burst-%d", i);
        send_envelope(conn, id);
    }
    for (int i = 0; i < BURST; i++) {
        (void)snprintf(id, sizeof(id), "burst-%d", i);
        expect_ack(conn, id);
    }
    serve_out(conn);
}

static void test_burst(void **state)
{
    (void)state;
    struct rig rig;
    start_rig(&rig, true, serve_burst);
    rig_socket(&rig, NULL, 0);
    until(&rig, acks_there, BURST);
    stop_rig(&rig);
}

/* ---- strange frames ---- */

static void serve_strange(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_send_text(conn, "UNAUTHENTICATED: cache_error");
    (void)ws_send_text(conn, "");
    (void)ws_send(conn, true, WS_BINARY, "\x00\x01", 2);
    (void)ws_hello(conn);
    (void)ws_send_text(conn, "[]");
    (void)ws_send_text(conn, "{\"type\":\"news\"}");
    (void)ws_send_text(conn, "{\"envelope_id\":\"a\",\"envelope_id\":\"b\"}");
    (void)ws_send(conn, true, WS_TEXT, "{\"envelope_id\":\"\xff\"}", 19);
    (void)ws_hello(conn); /* a second one is nothing */
    send_envelope(conn, "still-here");
    expect_ack(conn, "still-here");
    serve_out(conn);
}

static void test_strange_frames(void **state)
{
    (void)state;
    struct rig rig;
    struct hm_socket_stats stats;
    start_rig(&rig, true, serve_strange);
    rig_socket(&rig, NULL, 0);
    until(&rig, acks_there, 1);
    hm_socket_stats(rig.socket, &stats);
    assert_int_equal(stats.frames_bad, 7);
    assert_int_equal(stats.envelopes, 1);
    assert_int_equal(stats.dials, 1);
    stop_rig(&rig);
}

static void serve_large(struct ws_conn *conn, void *arg)
{
    (void)arg;
    struct hm_strbuf text;
    hm_strbuf_init(&text, 100000);
    hm_strbuf_adds(&text, "{\"envelope_id\":\"large\",\"type\":\"events_api\",\"payload\":{\"event_id\":\"Ev1\",\"text\":\"");
    while (text.len < 67340)
        hm_strbuf_adds(&text, "\xe2\x82\xac");
    hm_strbuf_adds(&text, "\"}}");
    (void)ws_hello(conn);
    for (size_t at = 0; at < text.len; at++) { /* a byte a frame, a ping now and then */
        (void)ws_send(conn, at + 1 == text.len, at == 0 ? WS_TEXT : WS_CONT, text.s + at, 1);
        if (at % 5000 == 77)
            (void)ws_send(conn, true, WS_PING, "Ping from applink-2", 19);
    }
    hm_strbuf_done(&text);
    expect_ack(conn, "large");
    serve_out(conn);
}

static void test_large_envelope_byte_by_byte(void **state)
{
    (void)state;
    struct rig rig;
    start_rig(&rig, true, serve_large);
    rig_socket(&rig, NULL, 0);
    until(&rig, acks_there, 1);
    assert_string_equal(rig.key, "ev:Ev1");
    assert_true(rig.len > 67000);
    stop_rig(&rig);
}

/* ---- disconnect frames ---- */

static void serve_disconnect_first(struct ws_conn *conn, void *arg)
{
    static const char *const first[] = {
        "{\"type\":\"disconnect\",\"reason\":\"warning\"}",
        "{\"type\":\"disconnect\",\"reason\":\"refresh_requested\",\"debug_info\":{\"host\":\"x\"}}",
        "{\"type\":\"disconnect\",\"reason\":\"whatever\"}",
        "{\"type\":\"disconnect\"}",
    };
    (void)arg;
    if (ws_index(conn) < 4) {
        (void)ws_send_text(conn, first[ws_index(conn)]);
    } else {
        (void)ws_hello(conn);
        send_envelope(conn, "at-last");
        expect_ack(conn, "at-last");
    }
    serve_out(conn);
}

static void test_disconnect_as_the_first_frame(void **state)
{
    (void)state;
    struct rig rig;
    start_rig(&rig, true, serve_disconnect_first);
    rig_socket(&rig, NULL, 0);
    until(&rig, acks_there, 1);
    assert_int_equal(ws_peer_total(rig.peer), 5);
    assert_true(ws_peer_most(rig.peer) <= 2);
    stop_rig(&rig);
    for (int i = 0; i < 5; i++)
        assert_int_equal(atomic_load(&shared.code[i]), 1000);
}

/* The old one still delivers and is acknowledged on itself; its end, long after the successor's hello, harms nobody. */
static void serve_overlap(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_hello(conn);
    if (ws_index(conn) == 0) {
        (void)ws_send_text(conn, "{\"type\":\"disconnect\",\"reason\":\"warning\"}");
        await_step(conn, 1);
        send_envelope(conn, "old");
        expect_ack(conn, "old");
        atomic_store(&shared.step, 2);
        (void)ws_send(conn, true, WS_CLOSE, "\x03\xe8", 2);
        serve_out(conn);
        atomic_store(&shared.step, 3);
    } else {
        await_step(conn, 3);
        send_envelope(conn, "new");
        expect_ack(conn, "new");
        serve_out(conn);
    }
}

static void test_overlap(void **state)
{
    (void)state;
    struct rig rig;
    struct hm_socket_stats stats;
    start_rig(&rig, true, serve_overlap);
    rig_socket(&rig, NULL, 0);
    until(&rig, hellos_there, 2);
    atomic_store(&shared.step, 1);
    until(&rig, acks_there, 2);
    assert_int_equal(ws_peer_total(rig.peer), 2);
    hm_socket_stats(rig.socket, &stats);
    assert_int_equal(stats.connections, 1);
    assert_int_equal(rig.losses, 0);
    assert_int_equal(rig.hellos, 2);
    stop_rig(&rig);
    assert_int_equal(atomic_load(&shared.code[0]), 1000);
    assert_int_equal(atomic_load(&shared.code[1]), 1000);
}

/* The envelope came on a connection that is gone when its ack is due. */
static void serve_ack_elsewhere(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_hello(conn);
    if (ws_index(conn) == 0) {
        send_envelope(conn, "late");
        await_step(conn, 1);
        ws_reset(conn);
    } else {
        atomic_store(&shared.step, 2);
        expect_ack(conn, "late");
        serve_out(conn);
    }
}

static void test_ack_on_the_newest(void **state)
{
    (void)state;
    struct rig rig;
    start_rig(&rig, true, serve_ack_elsewhere);
    rig.no_ack = true;
    rig_socket(&rig, NULL, 0);
    until(&rig, envelopes_there, 1);
    struct hm_ack_ticket ticket = rig.ticket;
    rig.hold_url = true;
    atomic_store(&shared.step, 1);
    until(&rig, losses_there, 1);
    assert_false(hm_socket_ack(rig.socket, ticket, "late", NULL)); /* nobody is there */
    struct hm_socket_stats stats;
    hm_socket_stats(rig.socket, &stats);
    assert_int_equal(stats.acks_dropped, 1);
    assert_false(stats.connected);
    char url[256];
    hm_socket_url(rig.socket, ws_peer_url(rig.peer, NULL, url), false, 0, NULL);
    until(&rig, hellos_there, 2);
    assert_true(hm_socket_ack(rig.socket, ticket, "late", NULL));
    until(&rig, acks_there, 1);
    stop_rig(&rig);
}

static void serve_too_many(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_hello(conn);
    (void)ws_send_text(conn, "{\"type\":\"disconnect\",\"reason\":\"too_many_websockets\",\"num_connections\":11}");
    serve_out(conn);
    atomic_store(&shared.step, 1);
}

static void test_too_many(void **state)
{
    (void)state;
    struct rig rig;
    struct hm_socket_stats stats;
    start_rig(&rig, true, serve_too_many);
    rig_socket(&rig, NULL, 0);
    until(&rig, step_there, 1);
    assert_int_equal(atomic_load(&shared.code[0]), 1000); /* ours is closed, politely */
    for (int i = 0; i < 100; i++)
        (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
    hm_socket_stats(rig.socket, &stats);
    assert_int_equal(ws_peer_total(rig.peer), 1); /* the next dial is 30 s away */
    assert_int_equal(rig.urls, 1);
    assert_non_null(strstr(stats.state, "waiting"));
    stop_rig(&rig);
}

static void serve_disabled(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_send_text(conn, "{\"type\":\"disconnect\",\"reason\":\"link_disabled\"}");
    serve_out(conn);
    atomic_store(&shared.step, 1);
}

static void test_link_disabled(void **state)
{
    (void)state;
    struct rig rig;
    struct hm_socket_stats stats;
    start_rig(&rig, true, serve_disabled);
    rig_socket(&rig, NULL, 0);
    until(&rig, step_there, 1);
    hm_socket_stats(rig.socket, &stats);
    assert_int_equal(rig.urls, 1);
    assert_non_null(strstr(stats.state, "waiting"));
    stop_rig(&rig);
}

/* ---- URLs ---- */

static bool urls_there(struct rig *rig)
{
    return rig->urls >= wanted;
}

static void test_urls(void **state)
{
    (void)state;
    struct rig rig;
    struct hm_socket_stats stats;

    start_rig(&rig, true, serve_acks);
    rig.hold_url = true;
    rig_socket(&rig, NULL, 0);
    until(&rig, urls_there, 1);
    hm_socket_url(rig.socket, NULL, false, 0, "internal_error");
    assert_non_null(strstr(rig.change, "internal_error"));
    until(&rig, urls_there, 2); /* asked again */
    hm_socket_url(rig.socket, "ws://slack.com/?ticket=secret", false, 0, NULL);
    assert_non_null(strstr(rig.change, "not usable"));
    until(&rig, urls_there, 3);
    hm_socket_url(rig.socket, NULL, true, 0, "invalid_auth");
    hm_socket_stats(rig.socket, &stats);
    assert_non_null(strstr(stats.state, "invalid_auth"));
    assert_false(stats.connected);
    assert_int_equal(stats.last_frame_age_ms, -1);
    char url[256];
    hm_socket_url(rig.socket, ws_peer_url(rig.peer, NULL, url), false, 0, NULL); /* not asked for any more */
    for (int i = 0; i < 100; i++)
        (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
    assert_int_equal(ws_peer_total(rig.peer), 0);
    stop_rig(&rig);
}

/* ---- the end ---- */

/* As at SIGTERM: two connections, envelopes under way, and the other side does not answer the close frames. */
static void serve_until_close(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_hello(conn);
    if (ws_index(conn) == 0)
        (void)ws_send_text(conn, "{\"type\":\"disconnect\",\"reason\":\"refresh_requested\"}");
    send_envelope(conn, "x");
    atomic_store(&shared.code[ws_index(conn) % 8], ws_drain(conn, 15000));
    (void)ws_drain(conn, 15000); /* the close frame is left unanswered */
}

static void test_close_sends_close_frames(void **state)
{
    (void)state;
    struct rig rig;
    start_rig(&rig, true, serve_until_close);
    rig_socket(&rig, NULL, 0);
    until(&rig, hellos_there, 2);
    until(&rig, envelopes_there, 2);
    stop_rig(&rig);
    assert_int_equal(atomic_load(&shared.code[0]), 1000);
    assert_int_equal(atomic_load(&shared.code[1]), 1000);
}

static bool greet_never(struct ws_conn *conn, void *arg)
{
    (void)arg;
    ws_sleep(conn, 15000);
    return false;
}

static bool dialled(struct rig *rig)
{
    return ws_peer_total(rig->peer) > 0;
}

static void test_close_at_any_time(void **state)
{
    (void)state;
    struct rig rig;

    /* never started */
    struct hm_err err;
    rig_start(&rig, NULL);
    struct hm_socket_opts opts = {.loop = &rig.loop, .lws = rig.lws, .clock = &rig.clock};
    hm_socket_free(hm_socket_new(&opts, &err));
    rig_stop(&rig);

    /* asking, and resolving */
    for (int i = 0; i < 2; i++) {
        start_rig(&rig, true, serve_acks);
        rig.hold_url = i == 0;
        rig_socket(&rig, NULL, 0);
        stop_rig(&rig);
    }
    /* in the handshake */
    struct ws_peer_opts hang = {.tls = true, .greet = greet_never, .serve = serve_acks};
    rig_start(&rig, &hang);
    rig_socket(&rig, NULL, 0);
    assert_true(rig_until(&rig, dialled));
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acks),
        cmocka_unit_test(test_payload),
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_strange_frames),
        cmocka_unit_test(test_large_envelope_byte_by_byte),
        cmocka_unit_test(test_disconnect_as_the_first_frame),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_ack_on_the_newest),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_link_disabled),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_close_sends_close_frames),
        cmocka_unit_test(test_close_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
