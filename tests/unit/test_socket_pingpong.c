/* One message outstanding at a time, over TLS, 20,000 times (100,000 with HM_LONG=1): an acknowledgement must never need other
 * traffic to get out. The first prototype of this client had about one such stall in twelve runs.
 *
 * The loop under test has no timer that could wake it by chance. The server sends the next envelope only after the ack of the
 * last. Its pings, every 20 ms, go out just before an envelope or, every other time, just behind it, and never while an ack is
 * awaited: so an ack that needs other traffic can not hide behind a ping, it is a silence, and 5 s of that are a stall. (One
 * round in some hundreds has a ping behind its envelope and could hide one; the others can not.) Round trips of more than 20 ms
 * are counted and printed, but prove nothing: the machine may be busy. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "io/lws_loop.h"
#include "socket_rig.h"

enum { STALL_MS = 5000, PING_EVERY_US = 20000, SLOW_US = 20000, ENVELOPE_BYTES = 1500 };

struct plan {
    bool pings;
    bool together; /* hello and the first envelope travel with the 101, in one TLS record */
    bool records;  /* pings and envelopes share records, envelopes are cut into several, some are large */
    bool thread;   /* the ack is asked for by another thread, as it will be by the journal's */
    unsigned messages;
    /* results */
    atomic_uint acked, slow, stalls, wrong, pinged;
    unsigned micros[100]; /* how many took so many times 20 us; the last: longer */
    uv_async_t finished;
};

static unsigned messages(void)
{
    const char *text = getenv("HM_LONG");
    return text != NULL && strcmp(text, "0") != 0 ? 100000 : 20000;
}

static int64_t micros(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static unsigned percentile(const struct plan *plan, unsigned per_mille)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < 100; i++) {
        seen += plan->micros[i];
        if ((uint64_t)seen * 1000 >= (uint64_t)plan->messages * per_mille)
            return (i + 1) * 20;
    }
    return 2000;
}

/* A command of about 1.5 KB. */
static size_t envelope(char *buf, size_t size, unsigned i)
{
    size_t n = (size_t)snprintf(
        buf, size,
        "{\"envelope_id\":\"00000000-0000-4000-8000-%012u\",\"type\":\"slash_commands\",\"accepts_response_payload\":true,"
        "\"payload\":{\"trigger_id\":\"%u.1\",\"command\":\"/hausmeister\",\"text\":\"",
        i, i);
    while (n < ENVELOPE_BYTES)
        n += (size_t)snprintf(buf + n, size - n, "retract 5a5d411b ");
    return n + (size_t)snprintf(buf + n, size - n, "\"}}");
}

/* Waits for the ack of envelope i; nothing is sent but pongs. */
static bool await_ack(struct ws_conn *conn, struct plan *plan, unsigned i)
{
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    char expected[100];
    bool ok = false;

    (void)snprintf(expected, sizeof(expected), "{\"envelope_id\":\"00000000-0000-4000-8000-%012u\"}", i);
    for (;;) {
        if (ws_read(conn, STALL_MS, in) != WS_GOT_FRAME) {
            atomic_fetch_add(&plan->stalls, 1);
            break;
        }
        if (in->opcode == WS_PONG)
            continue;
        if (in->opcode == WS_PING) {
            (void)ws_send(conn, true, WS_PONG, in->data, in->len);
            continue;
        }
        ok = in->opcode == WS_TEXT && in->fin && strcmp((const char *)in->data, expected) == 0;
        if (!ok)
            atomic_fetch_add(&plan->wrong, 1);
        break;
    }
    free(in);
    return ok;
}

static void ping(struct ws_conn *conn, struct plan *plan, int64_t *next_us)
{
    *next_us = micros() + PING_EVERY_US;
    (void)ws_send(conn, true, WS_PING, "Ping from test", 14);
    atomic_fetch_add(&plan->pinged, 1);
}

static bool greet(struct ws_conn *conn, void *arg)
{
    struct plan *plan = arg;
    if (!plan->together)
        return ws_accept(conn);

    static const char hello[] = "{\"type\":\"hello\",\"num_connections\":1}";
    unsigned char both[4096];
    char text[2048];
    size_t n = ws_frame(both, true, WS_TEXT, hello, strlen(hello));
    n += ws_frame(both + n, true, WS_TEXT, text, envelope(text, sizeof(text), 0));
    return ws_read_request(conn) && ws_upgrade(conn, both, n);
}

/* An envelope, padded with spaces to up to 90 KB, a ping before or behind it in the same record or not, cut at random into up to
 * four writes, each a record of its own (or several, over 16 KB). */
static bool send_records(struct ws_conn *conn, struct plan *plan, unsigned i, uint32_t *rng)
{
    static const unsigned sizes[] = {200, 1500, 1500, 1500, 4096, 16384, 16700, 66000, 90000};
    unsigned char *buf = hm_xmalloc(100000);
    char *text = hm_xmalloc(95000);
    size_t n = 0;
    bool sent = true;

    *rng = *rng * 1664525U + 1013904223U;
    uint32_t dice = *rng >> 8;
    size_t size = sizes[dice % HM_ARRAY_LEN(sizes)];
    if ((dice & 0x300) == 0x100)
        n += ws_frame(buf, true, WS_PING, "before", 6);
    memset(text, ' ', 95000);
    size_t len = envelope(text, 4096, i);
    text[len] = ' ';
    n += ws_frame(buf + n, true, WS_TEXT, text, len > size ? len : size);
    if ((dice & 0x300) == 0x200)
        n += ws_frame(buf + n, true, WS_PING, "behind", 6);
    atomic_fetch_add(&plan->pinged, (dice & 0x300) == 0x100 || (dice & 0x300) == 0x200);
    for (size_t at = 0, parts = 1 + (dice >> 10) % 4; parts > 0 && sent; parts--) {
        *rng = *rng * 1664525U + 1013904223U;
        size_t part = parts == 1 ? n - at : (size_t)(*rng >> 8) % (n - at + 1);
        sent = ws_write(conn, buf + at, part);
        at += part;
    }
    free(text);
    free(buf);
    return sent;
}

static void serve(struct ws_conn *conn, void *arg)
{
    struct plan *plan = arg;
    char text[2048];
    int64_t next_ping = micros();
    uint32_t rng = 12345;

    if (!plan->together)
        (void)ws_hello(conn);
    for (unsigned i = 0; i < plan->messages; i++) {
        size_t len = envelope(text, sizeof(text), i);
        int64_t sent_at = micros();
        bool due = plan->pings && sent_at >= next_ping;
        if (due && i % 2 == 0)
            ping(conn, plan, &next_ping);
        bool sent = plan->records ? send_records(conn, plan, i, &rng)
                                  : (i == 0 && plan->together) || ws_send(conn, true, WS_TEXT, text, len);
        if (!sent)
            break;
        if (due && i % 2 != 0)
            ping(conn, plan, &next_ping);
        if (!await_ack(conn, plan, i))
            break;
        int64_t took = (micros() - sent_at) / 20;
        plan->micros[took < 99 ? took : 99]++;
        atomic_fetch_add(&plan->slow, took * 20 > SLOW_US);
        atomic_fetch_add(&plan->acked, 1);
    }
    (void)uv_async_send(&plan->finished);
    (void)ws_drain(conn, 3000);
}

/* ---- acks that come back from another thread ---- */

struct clerk {
    struct rig *rig;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned asked, written;
    bool stop;
    uv_async_t done;
};

static void *clerk_main(void *arg)
{
    struct clerk *clerk = arg;
    (void)pthread_mutex_lock(&clerk->lock);
    while (!clerk->stop) {
        if (clerk->written == clerk->asked) {
            (void)pthread_cond_wait(&clerk->wake, &clerk->lock);
            continue;
        }
        clerk->written = clerk->asked;
        (void)uv_async_send(&clerk->done);
    }
    (void)pthread_mutex_unlock(&clerk->lock);
    return NULL;
}

static void hand_over(struct rig *rig)
{
    struct clerk *clerk = rig->arg;
    (void)pthread_mutex_lock(&clerk->lock);
    clerk->asked++;
    (void)pthread_cond_signal(&clerk->wake);
    (void)pthread_mutex_unlock(&clerk->lock);
}

static void on_written(uv_async_t *async)
{
    struct clerk *clerk = async->data;
    assert_true(hm_socket_ack(clerk->rig->socket, clerk->rig->ticket, clerk->rig->id, NULL));
}

static void clerk_start(struct clerk *clerk, struct rig *rig)
{
    memset(clerk, 0, sizeof(*clerk));
    clerk->rig = rig;
    (void)pthread_mutex_init(&clerk->lock, NULL);
    (void)pthread_cond_init(&clerk->wake, NULL);
    assert_int_equal(uv_async_init(&rig->loop, &clerk->done, on_written), 0);
    clerk->done.data = clerk;
    rig->no_ack = true;
    rig->arg = clerk;
    rig->on_envelope = hand_over;
    assert_int_equal(pthread_create(&clerk->thread, NULL, clerk_main, clerk), 0);
}

static void clerk_stop(struct clerk *clerk)
{
    (void)pthread_mutex_lock(&clerk->lock);
    clerk->stop = true;
    (void)pthread_cond_signal(&clerk->wake);
    (void)pthread_mutex_unlock(&clerk->lock);
    (void)pthread_join(clerk->thread, NULL);
    (void)pthread_mutex_destroy(&clerk->lock);
    (void)pthread_cond_destroy(&clerk->wake);
    uv_close((uv_handle_t *)&clerk->done, NULL);
}

static void on_finished(uv_async_t *async)
{
    uv_stop(async->loop);
}

static void play(struct plan *plan, bool tls)
{
    struct rig rig;
    struct clerk clerk;
    struct ws_peer_opts opts = {.tls = tls, .greet = greet, .serve = serve, .arg = plan};
    uint64_t rescued = hm_wire_rescues();

    rig_start(&rig, &opts);
    assert_int_equal(uv_async_init(&rig.loop, &plan->finished, on_finished), 0);
    if (plan->thread)
        clerk_start(&clerk, &rig);
    rig_socket(&rig, NULL, 0);
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&plan->finished, NULL);
    if (plan->thread)
        clerk_stop(&clerk);
    if (plan->messages > 100)
        print_message("%u acks, %u pings; round trip p50 < %u us, p99 < %u us, over 20 ms: %u; stalls: %u, rescues: %u\n",
                      atomic_load(&plan->acked), atomic_load(&plan->pinged), percentile(plan, 500), percentile(plan, 990),
                      atomic_load(&plan->slow), atomic_load(&plan->stalls), (unsigned)(hm_wire_rescues() - rescued));
    rig_stop(&rig);
    assert_int_equal(atomic_load(&plan->wrong), 0);
    assert_int_equal(atomic_load(&plan->stalls), 0);
    assert_int_equal(atomic_load(&plan->acked), plan->messages);
    assert_int_equal(hm_wire_rescues() - rescued, 0);
}

static void test_tls_with_pings(void **state)
{
    (void)state;
    struct plan plan = {.pings = true, .messages = messages()};
    play(&plan, true);
}

static void test_tls_without_pings(void **state)
{
    (void)state;
    struct plan plan = {.messages = messages()};
    play(&plan, true);
}

static void test_tls_ack_by_another_thread(void **state)
{
    (void)state;
    struct plan plan = {.thread = true, .pings = true, .messages = messages()};
    play(&plan, true);
}

static void test_tls_records_of_all_kinds(void **state)
{
    (void)state;
    struct plan plan = {.records = true, .messages = messages() / 4};
    play(&plan, true);
}

static void test_plain_without_pings(void **state)
{
    (void)state;
    struct plan plan = {.messages = messages() / 4};
    play(&plan, false);
}

/* hello and the first envelope behind the 101 in one record: lws hands them over from an idle callback, after which the loop
 * sleeps. */
static void test_first_envelope_with_the_handshake(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct plan plan = {.together = true, .messages = 3};
        play(&plan, i % 2 == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_envelope_with_the_handshake),
        cmocka_unit_test(test_tls_with_pings),
        cmocka_unit_test(test_tls_without_pings),
        cmocka_unit_test(test_tls_ack_by_another_thread),
        cmocka_unit_test(test_tls_records_of_all_kinds),
        cmocka_unit_test(test_plain_without_pings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
