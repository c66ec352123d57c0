/* Both are one struct that sends slash commands: a burst by time, the ping-pong by acks. The request is answered at the end; if
 * the client goes away meanwhile, the commands that are out still come home here, so the struct lives until the last is settled.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "people.h"
#include "socket.h"

enum { SLOW_MAX = 20, CHUNK = 500, TEXT_MAX = 65536 };

struct bench {
    struct sim *sim;
    struct sim_req *req;
    json_t *users; /* in turn */
    char *text, *channel, *command;
    bool closed_loop;
    int64_t n, sent, settled, acked;
    char (*held)[SIM_ENVELOPE_ID_MAX]; /* a burst without a rate is made ready before the clock starts */
    int64_t released;
    double rate; /* per second; 0: as fast as it goes */
    int64_t ping_ms, slow_us;
    int64_t *samples;
    json_t *slow;
    int64_t start_us, last_ack_us;
    uint64_t tick;
};

/* One command that is out. */
struct shot {
    struct bench *b;
    int64_t number;
    int64_t frames_before; /* frames sent to clients when it left */
};

static void finish(struct bench *b)
{
    json_t *out = hm_json_obj_new();
    int64_t us = b->last_ack_us - b->start_us;
    double max_ms = 0;

    sim_timers_cancel(b->sim->timers, &b->tick);
    if (b->ping_ms > 0) {
        sim_socket_ping_every(b->sim->socket, 0);
    }
    hm_json_set_bool(out, "ok", true);
    hm_json_set_int(out, "sent", b->sent);
    hm_json_set_int(out, "acked", b->acked);
    hm_json_set_int(out, "unacked", b->sent - b->acked);
    hm_json_set(out, "duration_ms", json_real((double)us / 1000.0));
    hm_json_set(out, "acks_per_s", json_real(us > 0 ? (double)b->acked * 1e6 / (double)us : 0));
    hm_json_set(out, "latency", sim_latency_json_new(b->samples, (size_t)b->acked));
    max_ms = json_real_value(json_object_get(json_object_get(out, "latency"), "max"));
    hm_json_set(out, "max_ms", json_real(max_ms));
    hm_json_set(out, "slow", json_incref(b->slow));
    sim_http_reply_json(b->req, 200, NULL, out);
    json_decref(b->slow);
    json_decref(b->users);
    free(b->samples);
    free(b->held);
    free(b->text);
    free(b->channel);
    free(b->command);
    free(b);
}

static void shoot(struct bench *b);

static void on_result(void *arg, enum sim_result result, int64_t latency_us, const json_t *payload)
{
    struct shot *shot = arg;
    struct bench *b = shot->b;

    (void)payload;
    b->settled++;
    if (result == SIM_ACKED) {
        b->samples[b->acked++] = latency_us;
        b->last_ack_us = sim_now_us();
    }
    if ((latency_us > b->slow_us || result != SIM_ACKED) && json_array_size(b->slow) < SLOW_MAX) {
        json_t *one = hm_json_obj_new();

        hm_json_set_int(one, "n", shot->number);
        hm_json_set(one, "ms", json_real((double)latency_us / 1000.0));
        hm_json_set_bool(one, "acked", result == SIM_ACKED);
        hm_json_set_bool(one, "after_other_frame", sim_socket_frames_out(b->sim->socket) > shot->frames_before + 1);
        hm_json_add(b->slow, one);
    }
    free(shot);
    if (result == SIM_RESET) {
        b->n = b->sent;
    }
    if (b->closed_loop && b->sent < b->n) {
        shoot(b);
    } else if (b->settled == b->sent && b->sent >= b->n) {
        finish(b);
    }
}

/* "${i}" in text becomes the number. */
static char *numbered(const char *text, int64_t number)
{
    struct hm_strbuf out;
    const char *mark = NULL;

    hm_strbuf_init(&out, TEXT_MAX);
    while ((mark = strstr(text, "${i}")) != NULL) {
        hm_strbuf_add(&out, text, (size_t)(mark - text));
        hm_strbuf_addf(&out, "%lld", (long long)number);
        text = mark + 4;
    }
    hm_strbuf_adds(&out, text);
    return hm_strbuf_take(&out);
}

static void shoot(struct bench *b)
{
    struct sim *sim = b->sim;
    const struct sim_channel *c = sim_state_channel(sim->state, b->channel);
    struct shot *shot = hm_xcalloc(1, sizeof(*shot));
    const char *user = json_string_value(json_array_get(b->users, (size_t)b->sent % json_array_size(b->users)));
    char *text = numbered(b->text, b->sent);
    struct sim_envelope envelope = {.type = "slash_commands", .accepts = true, .on_result = on_result, .arg = shot};

    shot->b = b;
    shot->number = b->sent++;
    shot->frames_before = sim_socket_frames_out(sim->socket);
    envelope.held = b->held != NULL;
    envelope.stolen_payload = sim_slash_payload_new(sim, c, user != NULL ? user : "U0ANA", b->command, text);
    sim_socket_send(sim->socket, &envelope, b->held != NULL ? b->held[shot->number] : NULL);
    free(text);
}

static void on_tick(void *arg)
{
    struct bench *b = arg;
    int64_t due = b->n;
    int64_t i = 0;

    b->tick = 0;
    if (b->rate > 0) {
        due = (int64_t)((double)(sim_now_us() - b->start_us) * b->rate / 1e6) + 1;
    }
    for (i = 0; i < CHUNK && b->sent < due && b->sent < b->n; i++) {
        shoot(b);
    }
    if (b->sent < b->n) {
        b->tick = sim_timers_add(b->sim->timers, b->rate > 0 ? 1 : 0, on_tick, b);
    }
}

static void on_release(void *arg)
{
    struct bench *b = arg;
    int64_t i = 0;

    b->tick = 0;
    for (i = 0; i < CHUNK && b->released < b->n; i++) {
        sim_socket_release(b->sim->socket, b->held[b->released++]);
    }
    if (b->released < b->n) {
        b->tick = sim_timers_add(b->sim->timers, 0, on_release, b);
    }
}

static struct bench *bench_new(struct sim *sim, struct sim_req *req, json_t *body)
{
    struct bench *b = hm_xcalloc(1, sizeof(*b));
    json_t *users = hm_json_get_arr(body, "users");

    b->sim = sim;
    b->req = req;
    b->n = hm_json_get_int(body, "n", 100);
    b->n = b->n < 1 ? 1 : b->n;
    b->rate = json_number_value(json_object_get(body, "rate"));
    b->ping_ms = hm_json_get_int(body, "ping_ms", 0);
    b->slow_us = hm_json_get_int(body, "slow_ms", 1000) * 1000;
    b->text = hm_xstrdup(hm_json_get_str(body, "text", "help"));
    b->channel = hm_xstrdup(hm_json_get_str(body, "channel", "C0OPS"));
    b->command = hm_xstrdup(hm_json_get_str(body, "command", "/hausmeister"));
    b->users = json_array_size(users) > 0 ? json_deep_copy(users) : json_pack("[s]", hm_json_get_str(body, "user", "U0ANA"));
    b->samples = hm_xcalloc((size_t)b->n, sizeof(*b->samples));
    b->slow = hm_json_arr_new();
    b->start_us = b->last_ack_us = sim_now_us();
    return b;
}

void sim_bench_burst(struct sim *sim, struct sim_req *req, json_t *body)
{
    struct bench *b = bench_new(sim, req, body);

    if (json_object_get(body, "slow_ms") == NULL) {
        b->slow_us = INT64_MAX; /* in a burst all but the first wait for others */
    }
    if (b->rate > 0) {
        on_tick(b);
        return;
    }
    b->held = hm_xcalloc((size_t)b->n, sizeof(*b->held));
    while (b->sent < b->n) {
        shoot(b);
    }
    b->start_us = b->last_ack_us = sim_now_us();
    on_release(b);
}

void sim_bench_pingpong(struct sim *sim, struct sim_req *req, json_t *body)
{
    struct bench *b = bench_new(sim, req, body);

    b->closed_loop = true;
    if (b->ping_ms > 0) {
        sim_socket_ping_every(sim->socket, b->ping_ms);
    }
    shoot(b);
}
