/* See fake_timer.h. */
#include "fake_timer.h"

#include <stddef.h>

#include "io/timer.h"

static void (*timer_fn)(void *arg);
static void *timer_arg;
static bool timer_on;

struct hm_timer *hm_timer_new(uv_loop_t *loop, void (*fn)(void *arg), void *arg)
{
    (void)loop;
    timer_fn = fn;
    timer_arg = arg;
    timer_on = false;
    return (struct hm_timer *)&timer_on;
}

void hm_timer_start(struct hm_timer *timer, int64_t after_ms)
{
    (void)timer;
    (void)after_ms;
    timer_on = true;
}

void hm_timer_stop(struct hm_timer *timer)
{
    (void)timer;
    timer_on = false;
}

bool hm_timer_active(const struct hm_timer *timer)
{
    (void)timer;
    return timer_on;
}

void hm_timer_free(struct hm_timer *timer)
{
    (void)timer;
    timer_on = false;
}

bool hm_fake_timer_is_on(void)
{
    return timer_on;
}

bool hm_fake_timer_fire(void)
{
    if (!timer_on)
        return false;
    timer_on = false;
    timer_fn(timer_arg);
    return true;
}
