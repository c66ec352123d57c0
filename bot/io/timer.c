/* Timers that are safe to free: see timer.h.
 *
 * "In the next turn" is an idle handle: libuv runs timers that are due until none is left, also those started meanwhile, so a
 * timer of 0 ms that starts itself again would keep the loop from ever looking at its sockets. */
#include "io/timer.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"

struct hm_timer {
    uv_timer_t uv;
    uv_idle_t next_turn;
    void (*fn)(void *arg);
    void *arg;
    unsigned open; /* handles */
};

static void on_fire(uv_timer_t *uv)
{
    struct hm_timer *timer = uv->data;
    timer->fn(timer->arg);
}

static void on_next_turn(uv_idle_t *idle)
{
    struct hm_timer *timer = idle->data;
    (void)uv_idle_stop(idle);
    timer->fn(timer->arg);
}

static void on_close(uv_handle_t *uv)
{
    struct hm_timer *timer = uv->data;
    if (--timer->open == 0)
        free(timer);
}

struct hm_timer *hm_timer_new(uv_loop_t *loop, void (*fn)(void *arg), void *arg)
{
    struct hm_timer *timer = hm_xcalloc(1, sizeof(*timer));
    timer->fn = fn;
    timer->arg = arg;
    timer->uv.data = timer->next_turn.data = timer;
    timer->open = 2;
    HM_ASSERT(uv_timer_init(loop, &timer->uv) == 0);
    HM_ASSERT(uv_idle_init(loop, &timer->next_turn) == 0);
    return timer;
}

void hm_timer_start(struct hm_timer *timer, int64_t after_ms)
{
    hm_timer_stop(timer);
    if (after_ms <= 0) {
        HM_ASSERT(uv_idle_start(&timer->next_turn, on_next_turn) == 0);
        return;
    }
    /* Without the update a long turn would make the timer early by as much as the turn has lasted. */
    uv_update_time(timer->uv.loop);
    HM_ASSERT(uv_timer_start(&timer->uv, on_fire, (uint64_t)after_ms, 0) == 0);
}

void hm_timer_stop(struct hm_timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
    (void)uv_idle_stop(&timer->next_turn);
}

bool hm_timer_active(const struct hm_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv) != 0 || uv_is_active((const uv_handle_t *)&timer->next_turn) != 0;
}

void hm_timer_free(struct hm_timer *timer)
{
    if (timer == NULL)
        return;
    uv_close((uv_handle_t *)&timer->uv, on_close);
    uv_close((uv_handle_t *)&timer->next_turn, on_close);
}
