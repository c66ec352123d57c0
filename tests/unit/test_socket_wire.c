/* One connection against a server that fragments, floods, goes silent, resets and refuses: sizes and pieces arrive byte by byte
 * as they were sent, and every kind of end is one on_end, with a reason, and leaves nothing behind. */
#include "unit.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire_client.h"

/* In a hurry: what takes 10, 25 and 30 s takes a fraction of a second here. */
static const struct hm_wire_timing hasty = {
    .pulse = {.ping_ms = 40, .pong_ms = 150, .silence_ms = 250}, .close_ms = 40, .write_ms = 1000};

/* ---- sizes and pieces ---- */

struct script {
    atomic_uint wrong, done;
};

/* One message in pieces of `piece` bytes; a ping before, between and behind now and then. */
static bool send_pieces(struct ws_conn *conn, const char *data, size_t len, size_t piece)
{
    size_t at = 0;
    do {
        size_t n = len - at < piece ? len - at : piece;
        bool fin = at + n == len;
        if ((at / piece) % 97 == 0 && !ws_send(conn, true, WS_PING, "Ping from applink-2", 19))
            return false;
        if (!ws_send(conn, fin, at == 0 ? WS_TEXT : WS_CONT, data + at, n))
            return false;
        at += n;
    } while (at < len);
    return true;
}

static bool expect_answer(struct ws_conn *conn, const char *answer)
{
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    bool ok = ws_read_text(conn, 10000, in) && strcmp((const char *)in->data, answer) == 0;
    free(in);
    return ok;
}

static bool one_message(struct ws_conn *conn, const char *data, size_t len, size_t piece)
{
    char answer[32];
    (void)snprintf(answer, sizeof(answer), "%zu", len);
    return send_pieces(conn, data, len, piece) && expect_answer(conn, answer);
}

static char *pattern_new(size_t len)
{
    char *data = hm_xmalloc(len + 1);
    for (size_t i = 0; i < len; i++)
        data[i] = wire_pattern(i);
    return data;
}

static void serve_sizes(struct ws_conn *conn, void *arg)
{
    static const size_t around[] = {0, 1, 125, 126, 127, 1024, 1500, 4096, 16384, 32768, 65535, 65536, 67342, 131072};
    static const size_t pieces[] = {16, 1000, 1024, 16384, 65536, 200000};
    struct script *script = arg;
    char *data = pattern_new(140000);

    for (size_t i = 0; i < HM_ARRAY_LEN(around); i++) {
        for (size_t len = around[i] < 18 ? 0 : around[i] - 18; len <= around[i] + 18; len++) {
            if (!wire_whole(len))
                continue;
            if (!one_message(conn, data, len, len == 0 ? 1 : len))
                atomic_fetch_add(&script->wrong, 1);
        }
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(pieces) && atomic_load(&script->wrong) == 0; i++)
        for (size_t len = 67328; len <= 67344; len++)
            if (wire_whole(len) && !one_message(conn, data, len, pieces[i]))
                atomic_fetch_add(&script->wrong, 1);
    /* Inside of characters. */
    if (!one_message(conn, data, 67328, 1) || !one_message(conn, data, 640, 3))
        atomic_fetch_add(&script->wrong, 1);
    free(data);
    atomic_store(&script->done, 1);
    (void)ws_send(conn, true, WS_CLOSE, "\x03\xe8", 2);
    (void)ws_drain(conn, 5000);
}

static void sizes(bool tls)
{
    struct script script = {0};
    struct ws_peer_opts opts = {.tls = tls, .serve = serve_sizes, .arg = &script};
    struct client client = {.echo = true};
    wire_start(&client, &opts);
    wire_dial(&client, NULL);
    wire_expect_end(&client, "closed by Slack with code 1000");
    rig_stop(&client.rig);
    assert_int_equal(atomic_load(&script.wrong), 0);
    assert_int_equal(atomic_load(&script.done), 1);
    assert_false(client.mismatch);
    assert_int_equal(client.dropped, 0);
}

static void test_sizes_plain(void **state)
{
    (void)state;
    sizes(false);
}

static void test_sizes_tls(void **state)
{
    (void)state;
    sizes(true);
}

static void serve_too_long(struct ws_conn *conn, void *arg)
{
    struct script *script = arg;
    char *data = pattern_new(1100000);
    bool ok = one_message(conn, data, 1000, 1000);
    ok = ok && one_message(conn, data, 1048576, 60000); /* just fits */
    ok = ok && send_pieces(conn, data, 1048577, 1048577) && expect_answer(conn, "dropped");
    ok = ok && send_pieces(conn, data, 1100000, 5000) && expect_answer(conn, "dropped");
    ok = ok && ws_send(conn, true, WS_BINARY, data, 64) && expect_answer(conn, "dropped");
    ok = ok && one_message(conn, data, 1500, 1500); /* and goes on */
    free(data);
    atomic_store(&script->wrong, !ok);
    (void)ws_send(conn, true, WS_CLOSE, "\x03\xf1too big", 9);
    (void)ws_drain(conn, 5000);
}

static void test_too_long_and_binary_are_dropped(void **state)
{
    (void)state;
    struct script script = {0};
    struct ws_peer_opts opts = {.tls = true, .serve = serve_too_long, .arg = &script};
    struct client client = {.echo = true};
    wire_start(&client, &opts);
    wire_dial(&client, NULL);
    wire_expect_end(&client, "closed by Slack with code 1009: too big");
    rig_stop(&client.rig);
    assert_int_equal(atomic_load(&script.wrong), 0);
    assert_false(client.mismatch);
    assert_int_equal(client.dropped, 3);
}

/* ---- life and death ---- */

static void serve_silence(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_drain(conn, 0); /* reads nothing, sends nothing */
    ws_sleep(conn, 10000);
}

static void serve_no_pong(struct ws_conn *conn, void *arg)
{
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    (void)arg;
    for (;;) {
        enum ws_got got = ws_read(conn, 20, in);
        if (got == WS_GOT_END || (got == WS_GOT_FRAME && in->opcode == WS_CLOSE) || !ws_send_text(conn, "a"))
            break;
    }
    free(in);
}

static void serve_only_pings(struct ws_conn *conn, void *arg)
{
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    (void)arg;
    while (ws_read(conn, 20, in) != WS_GOT_END)
        if (!ws_send(conn, true, WS_PING, "x", 1))
            break;
    free(in);
}

static void test_deaths_by_silence(void **state)
{
    (void)state;
    static const struct {
        void (*serve)(struct ws_conn *conn, void *arg);
        const char *reason;
    } rows[] = {
        {serve_silence, "not answered"}, /* 150 ms after the first ping, before the 250 ms of silence */
        {serve_no_pong, "not answered"},
        {serve_only_pings, "not answered"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct ws_peer_opts opts = {.tls = true, .serve = rows[i].serve};
        struct client client = {.timing = &hasty};
        wire_start(&client, &opts);
        wire_dial(&client, NULL);
        wire_expect_end(&client, rows[i].reason);
        rig_stop(&client.rig);
    }
    static const struct hm_wire_timing deaf = {
        .pulse = {.ping_ms = 40, .pong_ms = 5000, .silence_ms = 200}, .close_ms = 40, .write_ms = 1000};
    struct ws_peer_opts opts = {.tls = true, .serve = serve_silence};
    struct client client = {.timing = &deaf};
    wire_start(&client, &opts);
    wire_dial(&client, NULL);
    wire_expect_end(&client, "nothing was heard");
    rig_stop(&client.rig);
}

static void serve_only_pongs(struct ws_conn *conn, void *arg)
{
    struct script *script = arg;
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    for (int pings = 0; pings < 20;) {
        if (ws_read(conn, 5000, in) != WS_GOT_FRAME || in->opcode != WS_PING) {
            atomic_fetch_add(&script->wrong, 1);
            break;
        }
        (void)ws_send(conn, true, WS_PONG, in->data, in->len);
        pings++;
    }
    free(in);
    ws_reset(conn);
}

static void test_only_pongs_is_life(void **state)
{
    (void)state;
    struct script script = {0};
    struct ws_peer_opts opts = {.tls = true, .serve = serve_only_pongs, .arg = &script};
    struct client client = {.timing = &hasty};
    wire_start(&client, &opts);
    wire_dial(&client, NULL);
    wire_expect_end(&client, "lost");
    rig_stop(&client.rig);
    assert_int_equal(atomic_load(&script.wrong), 0);
}

/* ---- closing ---- */

struct closing {
    atomic_int code;
    bool answer, hang_up;
};

static void serve_closing(struct ws_conn *conn, void *arg)
{
    struct closing *closing = arg;
    atomic_store(&closing->code, ws_drain(conn, 5000));
    if (closing->answer)
        (void)ws_send(conn, true, WS_CLOSE, "\x03\xe8", 2);
    if (!closing->hang_up)
        (void)ws_drain(conn, 5000); /* like Slack: leaves it to the client to close TCP */
}

static void test_our_close(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct closing closing = {.answer = (i & 1) != 0, .hang_up = (i & 2) != 0};
        struct ws_peer_opts opts = {.tls = (i & 4) != 0, .serve = serve_closing, .arg = &closing};
        struct client client = {.close_at_open = true};
        wire_start(&client, &opts);
        wire_dial(&client, NULL);
        wire_expect_end(&client, "closed by us");
        rig_stop(&client.rig);
        assert_int_equal(atomic_load(&closing.code), 1000);
    }
}

/* What was queued goes out before the close frame. */
static void serve_flush(struct ws_conn *conn, void *arg)
{
    struct script *script = arg;
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    unsigned n = 0;
    while (ws_read(conn, 5000, in) == WS_GOT_FRAME && in->opcode == WS_TEXT && in->fin)
        n++;
    atomic_store(&script->done, n);
    atomic_store(&script->wrong, in->opcode != WS_CLOSE || in->len != 2 || in->data[0] != 3 || in->data[1] != 0xe8);
    free(in);
    (void)ws_send(conn, true, WS_CLOSE, "\x03\xe8", 2);
}

static void test_close_flushes(void **state)
{
    (void)state;
    struct script script = {0};
    struct ws_peer_opts opts = {.tls = true, .serve = serve_flush, .arg = &script};
    struct client client = {0};
    wire_start(&client, &opts);
    wire_dial(&client, NULL);
    assert_true(rig_until(&client.rig, wire_is_open));
    for (int i = 0; i < 5000; i++)
        assert_true(hm_wire_send(client.wire, "{\"envelope_id\":\"x\"}", 19));
    hm_wire_close(client.wire);
    assert_false(hm_wire_send(client.wire, "x", 1));
    assert_false(hm_wire_is_open(client.wire));
    hm_wire_close(client.wire);
    wire_expect_end(&client, "closed by us");
    rig_stop(&client.rig);
    assert_int_equal(atomic_load(&script.done), 5000);
    assert_int_equal(atomic_load(&script.wrong), 0);
    assert_int_equal(client.unsent, 0);
}

/* A server that stops reading: the queue is bounded, the write time-out ends it, and says how much was lost. */
static void test_stalled_reader(void **state)
{
    (void)state;
    static const struct hm_wire_timing slow_pulse = {
        .pulse = {.ping_ms = 60000, .pong_ms = 60000, .silence_ms = 60000}, .close_ms = 100, .write_ms = 500};
    struct ws_peer_opts opts = {.tls = true, .serve = serve_silence};
    struct client client = {.timing = &slow_pulse};
    char *block = pattern_new(16000);
    wire_start(&client, &opts);
    wire_dial(&client, NULL);
    assert_true(rig_until(&client.rig, wire_is_open));
    unsigned queued = 0;
    for (int turn = 0; turn < 10000 && queued < 100000; turn++) {
        while (hm_wire_send(client.wire, block, 16000))
            queued++;
        unsigned before = queued;
        for (int i = 0; i < 20; i++)
            (void)uv_run(&client.rig.loop, UV_RUN_NOWAIT);
        if (client.wire == NULL || !hm_wire_send(client.wire, block, 16000))
            break;
        queued = before + 1;
    }
    assert_true(queued > 200);
    wire_expect_end(&client, "nothing could be written");
    assert_true(client.unsent > 0);
    free(block);
    rig_stop(&client.rig);
}

static void serve_cut(struct ws_conn *conn, void *arg)
{
    const int *how = arg;
    unsigned char frame[200];
    size_t n = ws_frame(frame, true, WS_TEXT, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 40);
    switch (*how) {
    case 0:
        ws_half_close(conn);
        (void)ws_drain(conn, 5000);
        break;
    case 1:
        ws_reset(conn);
        break;
    case 2: /* in the middle of a frame */
        (void)ws_write(conn, frame, n / 2);
        ws_reset(conn);
        break;
    case 3: /* just gone */
        break;
    case 4: /* a close frame without a code, then nothing */
        (void)ws_send(conn, true, WS_CLOSE, "", 0);
        ws_sleep(conn, 5000);
        break;
    case 5: /* a masked frame or a reserved opcode is nonsense from a server */
        (void)ws_write(conn, "\x83\x00", 2);
        (void)ws_drain(conn, 5000);
        break;
    default: /* a continuation of nothing */
        (void)ws_send(conn, true, WS_CONT, "a", 1);
        (void)ws_drain(conn, 5000);
        break;
    }
}

static void test_cuts(void **state)
{
    (void)state;
    for (int how = 0; how <= 6; how++) {
        for (int tls = 0; tls <= 1; tls++) {
            struct ws_peer_opts opts = {.tls = tls != 0, .serve = serve_cut, .arg = &how};
            struct client client = {0};
            wire_start(&client, &opts);
            wire_dial(&client, NULL);
            /* A reset can overtake the answer to the handshake. */
            assert_true(rig_until(&client.rig, wire_has_ended));
            bool early = client.opened == 0;
            wire_expect_end(&client, early ? "can not connect" : how == 4 ? "without a code" : "lost");
            rig_stop(&client.rig);
        }
    }
}

/* ---- no handshake ---- */

static bool greet_409(struct ws_conn *conn, void *arg)
{
    static const char answer[] = "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n";
    (void)arg;
    if (ws_read_request(conn))
        (void)ws_write(conn, answer, strlen(answer));
    return false;
}

static bool greet_redirect(struct ws_conn *conn, void *arg)
{
    static const char answer[] = "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    (void)arg;
    if (ws_read_request(conn))
        (void)ws_write(conn, answer, strlen(answer));
    return false;
}

static bool greet_garbage(struct ws_conn *conn, void *arg)
{
    (void)arg;
    (void)ws_write(conn, "220 smtp.example.com\r\n\r\n", 24);
    return false;
}

static bool greet_wrong_key(struct ws_conn *conn, void *arg)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    (void)arg;
    if (ws_read_request(conn))
        (void)ws_write(conn, answer, strlen(answer));
    return true;
}

static bool greet_drop(struct ws_conn *conn, void *arg)
{
    (void)arg;
    ws_reset(conn);
    return false;
}

static void test_no_handshake(void **state)
{
    (void)state;
    static const struct {
        bool (*greet)(struct ws_conn *conn, void *arg);
        const char *reason;
    } rows[] = {
        {greet_409, "HTTP status 409"},       {greet_redirect, "HTTP status 302"}, {greet_garbage, "can not connect"},
        {greet_wrong_key, "can not connect"}, {greet_drop, "can not connect"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        for (int tls = 0; tls <= 1; tls++) {
            struct ws_peer_opts opts = {.tls = tls != 0, .greet = rows[i].greet, .serve = serve_silence};
            struct client client = {0};
            wire_start(&client, &opts);
            wire_dial(&client, NULL);
            wire_expect_end(&client, rows[i].greet == greet_garbage && tls ? "can not connect" : rows[i].reason);
            assert_int_equal(client.opened, 0);
            rig_stop(&client.rig);
        }
    }
}

static bool greet_hang(struct ws_conn *conn, void *arg)
{
    (void)arg;
    ws_sleep(conn, 10000);
    return false;
}

/* Closed while somebody hangs in the TLS or the WebSocket handshake. */
static void test_close_during_the_handshake(void **state)
{
    (void)state;
    for (int tls = 0; tls <= 1; tls++) {
        for (int turns = 0; turns < 12; turns++) {
            struct ws_peer_opts opts = {.tls = tls != 0, .greet = greet_hang, .serve = serve_silence};
            struct client client = {0};
            wire_start(&client, &opts);
            wire_dial(&client, NULL);
            for (int i = 0; i < turns; i++) {
                (void)uv_run(&client.rig.loop, UV_RUN_NOWAIT);
                uv_sleep((unsigned)i / 3);
            }
            hm_wire_close(client.wire);
            wire_expect_end(&client, "closed by us");
            rig_stop(&client.rig);
        }
    }
}

static void test_certificate_must_match(void **state)
{
    (void)state;
    char url[256];

    /* right CA, wrong name */
    struct ws_peer_opts other_name = {.tls = true, .cert_name = "wss-primary.slack.test", .serve = serve_silence};
    struct client client = {0};
    wire_start(&client, &other_name);
    wire_dial(&client, NULL);
    wire_expect_end(&client, "can not connect");
    assert_int_equal(client.opened, 0);
    rig_stop(&client.rig);

    /* right name, unknown CA: the vhost trusts the system's */
    struct ws_peer_opts unknown = {.tls = true, .serve = serve_silence};
    struct client stranger = {0};
    struct ws_peer *peer = ws_peer_start(&unknown);
    wire_start(&stranger, NULL);
    wire_dial(&stranger, ws_peer_url(peer, NULL, url));
    wire_expect_end(&stranger, "can not connect");
    assert_int_equal(stranger.opened, 0);
    rig_stop(&stranger.rig);
    ws_peer_stop(peer);
}

static void test_names(void **state)
{
    (void)state;
    struct client client = {0};
    wire_start(&client, NULL);
    wire_dial(&client, "wss://no-such-host.invalid/link?ticket=secret");
    wire_expect_end(&client, "can not be resolved");
    rig_stop(&client.rig);

    /* Refused within connect(2) itself: lws forgets its poll handle there, and rig_stop() would find it in the loop. */
    struct client at_once = {0};
    wire_start(&at_once, NULL);
    wire_dial(&at_once, "wss://255.255.255.255/link?ticket=secret");
    wire_expect_end(&at_once, "can not connect");
    rig_stop(&at_once.rig);

    struct client refused = {0};
    wire_start(&refused, NULL);
    wire_dial(&refused, "ws://localhost:1/link?ticket=secret"); /* every address of it is tried */
    wire_expect_end(&refused, "can not connect");
    rig_stop(&refused.rig);
}

/* ---- nothing is left ---- */

static unsigned count_fds(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    return n;
}

static void serve_error(struct ws_conn *conn, void *arg)
{
    (void)arg;
    int how = (int)(ws_index(conn) % 7);
    serve_cut(conn, &how);
}

static bool greet_errors(struct ws_conn *conn, void *arg)
{
    switch (ws_index(conn) % 11) {
    case 0:
        return greet_409(conn, arg);
    case 1:
        return greet_garbage(conn, arg);
    case 2:
        return greet_drop(conn, arg);
    default:
        return ws_accept(conn);
    }
}

static unsigned wanted_ends;

static bool enough_ends(struct rig *rig)
{
    return ((struct client *)(void *)rig)->ends >= wanted_ends;
}

static void test_a_thousand_errors_leave_nothing(void **state)
{
    (void)state;
    struct ws_peer_opts opts = {.tls = true, .greet = greet_errors, .serve = serve_error};
    struct client client = {.timing = &hasty};
    unsigned fds = 0;

    wire_start(&client, &opts);
    for (unsigned i = 0; i < 1000; i++) {
        wanted_ends = i + 1;
        wire_dial(&client, i % 13 == 0 ? "wss://127.0.0.1:1/" : NULL);
        assert_true(rig_until(&client.rig, enough_ends));
        assert_int_equal(client.ends, i + 1);
        if (i == 20)
            fds = count_fds();
    }
    /* The server's threads close their ends a moment later. */
    for (int i = 0; i < 500 && ws_peer_now(client.rig.peer) > 0; i++)
        uv_sleep(10);
    assert_int_equal(ws_peer_now(client.rig.peer), 0);
    assert_in_range(count_fds(), 0, fds + 2);
    rig_stop(&client.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_plain),
        cmocka_unit_test(test_sizes_tls),
        cmocka_unit_test(test_too_long_and_binary_are_dropped),
        cmocka_unit_test(test_deaths_by_silence),
        cmocka_unit_test(test_only_pongs_is_life),
        cmocka_unit_test(test_our_close),
        cmocka_unit_test(test_close_flushes),
        cmocka_unit_test(test_stalled_reader),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_no_handshake),
        cmocka_unit_test(test_close_during_the_handshake),
        cmocka_unit_test(test_certificate_must_match),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_thousand_errors_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
