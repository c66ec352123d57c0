/* Time and timers: see model_time.h. The functions of io/timer.h are here, and uv_now(). */
#include "model_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/timer.h"
#include "sim.h"

enum { MAX_TIMERS = 64 };
static const int64_t began_ms = 1763860000000; /* 2025-11-23 01:06 UTC */

struct hm_timer {
    void (*fn)(void *arg);
    void *arg;
    int64_t due_ms;
    bool active;
};

struct sim_time {
    int64_t mono_ms, suspended_ms, skew_ms;
    struct hm_timer *timers[MAX_TIMERS];
    size_t n_timers;
    uv_loop_t loop; /* never run */
};

void sim_time_init(void)
{
    sim->time = hm_xcalloc(1, sizeof *sim->time);
    sim->time->mono_ms = 1000000;
}

void sim_time_done(void)
{
    if (sim->time->n_timers > 0)
        sim_bug("%zu timers are left over", sim->time->n_timers);
    HM_FREE(sim->time);
}

int64_t sim_mono_ms(void)
{
    return sim->time->mono_ms;
}

int64_t sim_true_ms(void)
{
    return began_ms + sim->time->mono_ms - 1000000 + sim->time->suspended_ms;
}

int64_t sim_wall_ms(void)
{
    return sim_true_ms() + sim->time->skew_ms;
}

const char *sim_time_text(void)
{
    static char text[32];
    int64_t ms = sim_true_ms() - began_ms;
    (void)snprintf(text, sizeof text, "%5lld.%03lld s", (long long)(ms / 1000), (long long)(ms % 1000));
    return text;
}

void sim_time_pass(int64_t ms)
{
    sim->time->mono_ms += ms;
}

void sim_time_suspend(int64_t ms)
{
    sim->time->suspended_ms += ms;
}

void sim_time_skew(int64_t ms)
{
    sim->time->skew_ms = ms;
}

/* ---- what the bot gets
 * ------------------------------------------------------------------------------------------------------------- */

static int64_t clock_wall(void *arg)
{
    (void)arg;
    return sim_wall_ms();
}

static int64_t clock_mono(void *arg)
{
    (void)arg;
    return sim_mono_ms();
}

static void clock_random(void *arg, void *buf, size_t n)
{
    unsigned char *out = buf;
    (void)arg;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)rng_below(&sim->rng, 256);
}

const struct hm_clock *sim_clock(void)
{
    static const struct hm_clock clock = {clock_wall, clock_mono, clock_random, NULL};
    return &clock;
}

uv_loop_t *sim_loop(void)
{
    return &sim->time->loop;
}

/* In place of libuv's: the only thing that the bot asks its loop for. */
uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return (uint64_t)sim_mono_ms();
}

/* ---- io/timer.h
 * ---------------------------------------------------------------------------------------------------------------------- */

struct hm_timer *hm_timer_new(uv_loop_t *loop, void (*fn)(void *arg), void *arg)
{
    struct sim_time *time = sim->time;
    struct hm_timer *timer = hm_xcalloc(1, sizeof *timer);
    (void)loop;
    timer->fn = fn;
    timer->arg = arg;
    if (time->n_timers == MAX_TIMERS)
        sim_bug("too many timers");
    time->timers[time->n_timers++] = timer;
    return timer;
}

void hm_timer_start(struct hm_timer *timer, int64_t after_ms)
{
    timer->due_ms = sim_mono_ms() + (after_ms > 0 ? after_ms : 0);
    timer->active = true;
}

void hm_timer_stop(struct hm_timer *timer)
{
    timer->active = false;
}

bool hm_timer_active(const struct hm_timer *timer)
{
    return timer->active;
}

void hm_timer_free(struct hm_timer *timer)
{
    struct sim_time *time = sim->time;
    if (timer == NULL)
        return;
    for (size_t i = 0; i < time->n_timers; i++) {
        if (time->timers[i] == timer) {
            time->timers[i] = time->timers[--time->n_timers];
            break;
        }
    }
    free(timer);
}

/* ---- the story's side
 * ------------------------------------------------------------------------------------------------------------------ */

int64_t sim_timer_next_ms(void)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < sim->time->n_timers; i++) {
        const struct hm_timer *timer = sim->time->timers[i];
        if (timer->active && timer->due_ms < next)
            next = timer->due_ms;
    }
    return next;
}

bool sim_timer_fire(void)
{
    struct hm_timer *due[MAX_TIMERS];
    size_t n = 0;
    for (size_t i = 0; i < sim->time->n_timers; i++) {
        struct hm_timer *timer = sim->time->timers[i];
        if (timer->active && timer->due_ms <= sim_mono_ms())
            due[n++] = timer;
    }
    if (n == 0)
        return false;
    struct hm_timer *timer = due[rng_below(&sim->rng, n)];
    timer->active = false;
    timer->fn(timer->arg);
    return true;
}
