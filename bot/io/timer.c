/* Timers that are safe to free: see timer.h. */
#include "io/timer.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"

struct hm_timer {
    uv_timer_t uv;
    void (*fn)(void *arg);
    void *arg;
};

static void on_fire(uv_timer_t *uv)
{
    struct hm_timer *timer = uv->data;
    timer->fn(timer->arg);
}

static void on_close(uv_handle_t *uv)
{
    free(uv->data);
}

struct hm_timer *hm_timer_new(uv_loop_t *loop, void (*fn)(void *arg), void *arg)
{
    struct hm_timer *timer = hm_xcalloc(1, sizeof(*timer));
    timer->fn = fn;
    timer->arg = arg;
    timer->uv.data = timer;
    HM_ASSERT(uv_timer_init(loop, &timer->uv) == 0);
    return timer;
}

void hm_timer_start(struct hm_timer *timer, int64_t after_ms)
{
    /* Without the update a long turn would make the timer early by as much as the turn has lasted. */
    uv_update_time(timer->uv.loop);
    HM_ASSERT(uv_timer_start(&timer->uv, on_fire, after_ms > 0 ? (uint64_t)after_ms : 0, 0) == 0);
}

void hm_timer_stop(struct hm_timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
}

bool hm_timer_active(const struct hm_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv) != 0;
}

void hm_timer_free(struct hm_timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->uv, on_close);
}
