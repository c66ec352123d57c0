/* See socket_rig.h. */
#include "socket_rig.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/lws_loop.h"

static int64_t real_wall(void *arg)
{
    (void)arg;
    return hm_wall_ms(hm_clock_real());
}

static int64_t real_mono(void *arg)
{
    (void)arg;
    return hm_mono_ms(hm_clock_real());
}

static void no_jitter(void *arg, void *buf, size_t n)
{
    (void)arg;
    memset(buf, 0, n);
}

void rig_start(struct rig *rig, const struct ws_peer_opts *peer_opts)
{
    struct hm_err err;

    memset(rig, 0, sizeof(*rig));
    (void)signal(SIGPIPE, SIG_IGN);
    if (getenv("HM_TEST_LOG") == NULL)
        hm_log_set_level(HM_LOG_ERROR);
    else
        hm_log_set_level(HM_LOG_DEBUG);
    rig->clock = (struct hm_clock){.wall_ms = real_wall, .mono_ms = real_mono, .random_bytes = no_jitter};
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->lws = hm_lws_loop_new(&rig->loop, &err);
    assert_non_null(rig->lws);
    if (peer_opts != NULL)
        rig->peer = ws_peer_start(peer_opts);
}

static void on_open_url(void *arg)
{
    struct rig *rig = arg;
    char buf[256];
    rig->urls++;
    if (!rig->hold_url)
        hm_socket_url(rig->socket, rig->url != NULL ? rig->url : ws_peer_url(rig->peer, rig->host, buf), false, 0, NULL);
}

static void on_envelope(void *arg, struct hm_ack_ticket ticket, const struct hm_envelope *env)
{
    struct rig *rig = arg;
    rig->envelopes++;
    rig->ticket = ticket;
    free(rig->text);
    rig->text = hm_xmemdup(env->text, env->len + 1);
    rig->len = env->len;
    (void)snprintf(rig->id, sizeof(rig->id), "%s", env->envelope_id);
    (void)snprintf(rig->key, sizeof(rig->key), "%s", env->dedupe_key);
    assert_int_equal(strlen(env->text), env->len);
    if (!rig->no_ack)
        assert_true(hm_socket_ack(rig->socket, ticket, env->envelope_id, NULL));
    if (rig->on_envelope != NULL)
        rig->on_envelope(rig);
}

static void on_change(void *arg, bool connected, const char *text)
{
    struct rig *rig = arg;
    if (connected)
        rig->hellos++;
    else
        rig->losses++;
    (void)snprintf(rig->change, sizeof(rig->change), "%s", text);
    assert_null(strstr(text, "secret")); /* the ticket of the URL */
}

void rig_socket(struct rig *rig, const struct hm_wire_timing *timing, unsigned max_frame)
{
    struct hm_err err;
    struct hm_socket_opts opts = {
        .loop = &rig->loop,
        .lws = rig->lws,
        .clock = &rig->clock,
        .ca = rig->peer != NULL ? ws_peer_ca(rig->peer) : NULL,
        .open_url = on_open_url,
        .on_envelope = on_envelope,
        .on_change = on_change,
        .arg = rig,
        .max_frame = max_frame,
        .timing = timing,
    };
    rig->socket = hm_socket_new(&opts, &err);
    assert_non_null(rig->socket);
    hm_socket_start(rig->socket);
}

struct watch {
    struct rig *rig;
    bool (*done)(struct rig *rig);
    bool is_done, late;
};

static void on_look(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    watch->is_done = watch->done(watch->rig);
    if (watch->is_done)
        uv_stop(timer->loop);
}

static void on_late(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    watch->late = true;
    uv_stop(timer->loop);
}

bool rig_until(struct rig *rig, bool (*done)(struct rig *rig))
{
    struct watch watch = {.rig = rig, .done = done};
    uv_timer_t look;
    uv_timer_t late;

    (void)uv_timer_init(&rig->loop, &look);
    (void)uv_timer_init(&rig->loop, &late);
    look.data = late.data = &watch;
    (void)uv_timer_start(&look, on_look, 0, 1);
    (void)uv_timer_start(&late, on_late, 120000, 0);
    while (!watch.is_done && !watch.late)
        (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&look, NULL);
    uv_close((uv_handle_t *)&late, NULL);
    (void)uv_run(&rig->loop, UV_RUN_NOWAIT);
    return watch.is_done;
}

static void on_closed(void *arg)
{
    struct rig *rig = arg;
    rig->closed = true;
}

static bool is_closed(struct rig *rig)
{
    return rig->closed;
}

static void print_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    (void)fprintf(stderr, "left in the loop: %s\n", uv_handle_type_name(handle->type));
}

void rig_stop(struct rig *rig)
{
    if (rig->socket != NULL && !rig->closed) {
        hm_socket_close(rig->socket, on_closed, rig);
        assert_false(rig->closed); /* never inside the call */
        assert_true(rig_until(rig, is_closed));
    }
    hm_socket_free(rig->socket);
    hm_lws_loop_close(rig->lws);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    hm_lws_loop_free(rig->lws);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&rig->loop);
    if (left != 0)
        uv_walk(&rig->loop, print_handle, NULL);
    assert_int_equal(left, 0);
    ws_peer_stop(rig->peer);
    free(rig->text);
}
