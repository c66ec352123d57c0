/* Timers that may be freed at any moment. */
#include "unit.h"

#include "io/timer.h"

struct rig {
    uv_loop_t loop;
    struct hm_timer *timer;
    int fired;
    bool free_inside;
    bool again;
};

static void on_fire(void *arg)
{
    struct rig *rig = arg;
    rig->fired++;
    if (rig->again) {
        rig->again = false;
        hm_timer_start(rig->timer, 0);
    } else if (rig->free_inside) {
        hm_timer_free(rig->timer);
        rig->timer = NULL;
    }
}

static void run_out(struct rig *rig)
{
    hm_timer_free(rig->timer);
    rig->timer = NULL;
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

static void begin(struct rig *rig)
{
    *rig = (struct rig){0};
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->timer = hm_timer_new(&rig->loop, on_fire, rig);
}

static void test_fires_once(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    hm_timer_start(rig.timer, -5);
    assert_true(hm_timer_active(rig.timer));
    assert_int_equal(rig.fired, 0); /* never inside start */
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(rig.fired, 1);
    assert_false(hm_timer_active(rig.timer));
    run_out(&rig);
    assert_int_equal(rig.fired, 1);
}

static void test_stop_and_restart(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    hm_timer_start(rig.timer, 0);
    hm_timer_stop(rig.timer);
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(rig.fired, 0);
    rig.again = true;
    hm_timer_start(rig.timer, 60000);
    hm_timer_start(rig.timer, 1); /* the later start counts */
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(rig.fired, 2);
    run_out(&rig);
}

struct busy {
    struct hm_timer *timer;
    uv_async_t async;
    int turns;
};

static void on_busy(void *arg)
{
    struct busy *busy = arg;
    if (++busy->turns < 1000)
        hm_timer_start(busy->timer, 0);
}

static void on_async(uv_async_t *async)
{
    struct busy *busy = async->data;
    hm_timer_stop(busy->timer);
    uv_close((uv_handle_t *)async, NULL);
}

/* Somebody who works in pieces, one in each turn: what comes from outside is seen in between. */
static void test_a_turn_each_time(void **state)
{
    uv_loop_t loop;
    struct busy busy = {0};
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_async_init(&loop, &busy.async, on_async), 0);
    busy.async.data = &busy;
    busy.timer = hm_timer_new(&loop, on_busy, &busy);
    hm_timer_start(busy.timer, 0);
    assert_int_equal(uv_async_send(&busy.async), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_in_range(busy.turns, 1, 10);
    hm_timer_free(busy.timer);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_free_inside_its_own_callback(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    rig.free_inside = true;
    hm_timer_start(rig.timer, 0);
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(rig.fired, 1);
    run_out(&rig);
}

static void test_free_while_running(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    hm_timer_start(rig.timer, 0);
    run_out(&rig);
    assert_int_equal(rig.fired, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fires_once),         cmocka_unit_test(test_stop_and_restart),
        cmocka_unit_test(test_a_turn_each_time),   cmocka_unit_test(test_free_inside_its_own_callback),
        cmocka_unit_test(test_free_while_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
