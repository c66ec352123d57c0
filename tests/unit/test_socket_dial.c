/* The dial machine against a fake clock and a fake Slack: tables of single steps, then hours of weather. */
#include "unit.h"

#include <string.h>

#include "slack/dial.h"

static const int64_t second = 1000;
static const int64_t minute = 60000;

/* ---- a world of sockets ---- */

struct world {
    struct hm_dial dial;
    int64_t now;
    uint64_t rng;
    unsigned asks, connects, closes, closed;
    uint64_t open[8]; /* epochs of sockets that exist */
    uint64_t closing[8];
    unsigned most;
};

static uint32_t next_random(struct world *w)
{
    w->rng = w->rng * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(w->rng >> 32);
}

static unsigned sockets(const struct world *w)
{
    unsigned n = 0;
    for (int i = 0; i < 8; i++)
        n += w->open[i] != 0;
    return n;
}

static void note_action(struct world *w, enum hm_dial_act act, uint64_t epoch)
{
    if (act == HM_DIAL_ACT_ASK) {
        w->asks++;
    } else if (act == HM_DIAL_ACT_CONNECT) {
        w->connects++;
        for (int i = 0; i < 8; i++) {
            if (w->open[i] == 0) {
                w->open[i] = epoch;
                break;
            }
        }
        if (sockets(w) > w->most)
            w->most = sockets(w);
        assert_true(sockets(w) <= 2); /* never more than two */
    } else if (act == HM_DIAL_ACT_CLOSE) {
        bool known = false;
        w->closes++;
        for (int i = 0; i < 8; i++) {
            if (w->open[i] == epoch) {
                assert_int_equal(w->closing[i], 0); /* asked once only */
                w->closing[i] = epoch;
                known = true;
            }
        }
        assert_true(known);
    } else {
        w->closed++;
        assert_int_equal(sockets(w), 0);
    }
}

static void step(struct world *w, struct hm_dial_input in)
{
    struct hm_dial_out out;
    in.now_ms = w->now;
    in.random = next_random(w);
    hm_dial_step(&w->dial, &in, &out);
    for (size_t i = 0; i < out.n; i++)
        note_action(w, out.todo[i].act, out.todo[i].epoch);
}

static void event(struct world *w, enum hm_dial_event what, uint64_t epoch)
{
    step(w, (struct hm_dial_input){.event = what, .epoch = epoch});
}

static void end_socket(struct world *w, uint64_t epoch)
{
    for (int i = 0; i < 8; i++)
        if (w->open[i] == epoch)
            w->open[i] = w->closing[i] = 0;
    event(w, HM_DIAL_EV_ENDED, epoch);
}

/* Sockets that were asked to close do so. */
static void end_closing(struct world *w)
{
    for (int i = 0; i < 8; i++)
        if (w->closing[i] != 0)
            end_socket(w, w->closing[i]);
}

/* Up to `until`, timer by timer; each_turn is Slack. */
static void pass(struct world *w, int64_t until, void (*each_turn)(struct world *w))
{
    for (int guard = 0; guard < 1000000; guard++) {
        int64_t next = hm_dial_next(&w->dial);
        if (next == 0 || next > until)
            break;
        w->now = next > w->now ? next : w->now;
        event(w, HM_DIAL_EV_TICK, 0);
        if (each_turn != NULL)
            each_turn(w);
        end_closing(w);
    }
    w->now = until;
}

static struct world new_world(void)
{
    struct world w;
    memset(&w, 0, sizeof(w));
    w.now = 1;
    w.rng = 42;
    hm_dial_init(&w.dial);
    return w;
}

static uint64_t newest(const struct world *w)
{
    return w->dial.last_epoch;
}

/* Up to a serving connection. */
static struct world serving_world(void)
{
    struct world w = new_world();
    event(&w, HM_DIAL_EV_START, 0);
    event(&w, HM_DIAL_EV_URL, 0);
    event(&w, HM_DIAL_EV_HELLO, 1);
    assert_int_equal(w.dial.state, HM_DIAL_RESTING);
    assert_int_equal(hm_dial_serving(&w.dial), 1);
    return w;
}

static struct world held_world(void)
{
    struct world w = serving_world();
    pass(&w, w.now + 31 * second, NULL);
    assert_true(w.dial.held);
    return w;
}

/* ---- single steps ---- */

struct row {
    const char *what;
    enum hm_dial_state state;
    enum hm_dial_event event;
    enum hm_dial_state then;
};

static struct world world_in(enum hm_dial_state state)
{
    struct world w = new_world();
    switch (state) {
    case HM_DIAL_OFF:
        break;
    case HM_DIAL_ASKING:
        event(&w, HM_DIAL_EV_START, 0);
        break;
    case HM_DIAL_DIALLING:
        event(&w, HM_DIAL_EV_START, 0);
        event(&w, HM_DIAL_EV_URL, 0);
        break;
    case HM_DIAL_WAITING:
        event(&w, HM_DIAL_EV_START, 0);
        event(&w, HM_DIAL_EV_NO_URL, 0);
        break;
    case HM_DIAL_BLOCKED: /* an old one drains, the new one has to be replaced already */
        w = held_world();
        event(&w, HM_DIAL_EV_REFRESH, 1);
        event(&w, HM_DIAL_EV_URL, 0);
        event(&w, HM_DIAL_EV_HELLO, 2);
        w.dial.held = true;
        event(&w, HM_DIAL_EV_REFRESH, 2);
        break;
    case HM_DIAL_RESTING:
        w = held_world();
        break;
    case HM_DIAL_CLOSING:
        w = held_world();
        event(&w, HM_DIAL_EV_CLOSE, 0);
        break;
    case HM_DIAL_STATE_NR:
        break;
    }
    assert_int_equal(w.dial.state, state);
    return w;
}

static void test_table(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"start asks", HM_DIAL_OFF, HM_DIAL_EV_START, HM_DIAL_ASKING},
        {"a second start is nothing", HM_DIAL_ASKING, HM_DIAL_EV_START, HM_DIAL_ASKING},
        {"close before the start", HM_DIAL_OFF, HM_DIAL_EV_CLOSE, HM_DIAL_OFF},
        {"URL dials", HM_DIAL_ASKING, HM_DIAL_EV_URL, HM_DIAL_DIALLING},
        {"no URL waits", HM_DIAL_ASKING, HM_DIAL_EV_NO_URL, HM_DIAL_WAITING},
        {"fatal waits", HM_DIAL_ASKING, HM_DIAL_EV_FATAL, HM_DIAL_WAITING},
        {"close while asking", HM_DIAL_ASKING, HM_DIAL_EV_CLOSE, HM_DIAL_OFF},
        {"URL late is nothing", HM_DIAL_WAITING, HM_DIAL_EV_URL, HM_DIAL_WAITING},
        {"URL twice is nothing", HM_DIAL_DIALLING, HM_DIAL_EV_URL, HM_DIAL_DIALLING},
        {"URL while resting is nothing", HM_DIAL_RESTING, HM_DIAL_EV_URL, HM_DIAL_RESTING},
        {"URL while closing is nothing", HM_DIAL_CLOSING, HM_DIAL_EV_URL, HM_DIAL_CLOSING},
        {"hello rests", HM_DIAL_DIALLING, HM_DIAL_EV_HELLO, HM_DIAL_RESTING},
        {"refresh as the first frame", HM_DIAL_DIALLING, HM_DIAL_EV_REFRESH, HM_DIAL_WAITING},
        {"too many as the first frame", HM_DIAL_DIALLING, HM_DIAL_EV_TOO_MANY, HM_DIAL_WAITING},
        {"disabled as the first frame", HM_DIAL_DIALLING, HM_DIAL_EV_DISABLED, HM_DIAL_WAITING},
        {"dial failed", HM_DIAL_DIALLING, HM_DIAL_EV_ENDED, HM_DIAL_WAITING},
        {"close while dialling", HM_DIAL_DIALLING, HM_DIAL_EV_CLOSE, HM_DIAL_CLOSING},
        {"second hello is nothing", HM_DIAL_RESTING, HM_DIAL_EV_HELLO, HM_DIAL_RESTING},
        {"refresh asks at once", HM_DIAL_RESTING, HM_DIAL_EV_REFRESH, HM_DIAL_ASKING},
        {"too many", HM_DIAL_RESTING, HM_DIAL_EV_TOO_MANY, HM_DIAL_WAITING},
        {"disabled", HM_DIAL_RESTING, HM_DIAL_EV_DISABLED, HM_DIAL_WAITING},
        {"lost", HM_DIAL_RESTING, HM_DIAL_EV_ENDED, HM_DIAL_WAITING},
        {"close", HM_DIAL_RESTING, HM_DIAL_EV_CLOSE, HM_DIAL_CLOSING},
        {"close while waiting", HM_DIAL_WAITING, HM_DIAL_EV_CLOSE, HM_DIAL_OFF},
        {"close while blocked", HM_DIAL_BLOCKED, HM_DIAL_EV_CLOSE, HM_DIAL_CLOSING},
        {"a slot gets free", HM_DIAL_BLOCKED, HM_DIAL_EV_ENDED, HM_DIAL_ASKING},
        {"refresh while blocked is nothing", HM_DIAL_BLOCKED, HM_DIAL_EV_REFRESH, HM_DIAL_BLOCKED},
        {"the last has ended", HM_DIAL_CLOSING, HM_DIAL_EV_ENDED, HM_DIAL_OFF},
        {"too many while closing is nothing", HM_DIAL_CLOSING, HM_DIAL_EV_TOO_MANY, HM_DIAL_CLOSING},
        {"close twice", HM_DIAL_CLOSING, HM_DIAL_EV_CLOSE, HM_DIAL_CLOSING},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w = world_in(rows[i].state);
        if (rows[i].event == HM_DIAL_EV_ENDED)
            end_socket(&w, newest(&w));
        else
            event(&w, rows[i].event, newest(&w));
        if (w.dial.state != rows[i].then)
            fail_msg("%s: state %d instead of %d", rows[i].what, (int)w.dial.state, (int)rows[i].then);
    }
}

/* Events of sockets that are gone change nothing, in any state: a late close of the old one must not touch the new one. */
static void test_stale_epochs(void **state)
{
    (void)state;
    static const enum hm_dial_event events[] = {HM_DIAL_EV_HELLO, HM_DIAL_EV_REFRESH, HM_DIAL_EV_TOO_MANY, HM_DIAL_EV_DISABLED,
                                                HM_DIAL_EV_ENDED};
    for (int s = 0; s < HM_DIAL_STATE_NR; s++) {
        for (size_t e = 0; e < sizeof(events) / sizeof(events[0]); e++) {
            struct world w = world_in((enum hm_dial_state)s);
            struct hm_dial before = w.dial;
            event(&w, events[e], 999);
            event(&w, events[e], 0);
            assert_memory_equal(&before, &w.dial, sizeof(before));
        }
    }
}

/* ---- overlap ---- */

static void test_refresh_overlaps(void **state)
{
    (void)state;
    struct world w = held_world();
    event(&w, HM_DIAL_EV_REFRESH, 1);
    assert_int_equal(w.asks, 2);
    assert_int_equal(hm_dial_serving(&w.dial), 1); /* the old one serves on */
    event(&w, HM_DIAL_EV_URL, 0);
    assert_int_equal(hm_dial_serving(&w.dial), 1);
    event(&w, HM_DIAL_EV_HELLO, 2);
    assert_int_equal(hm_dial_serving(&w.dial), 2);
    assert_int_equal(w.closes, 0); /* and is drained */
    pass(&w, w.now + 14 * second, NULL);
    assert_int_equal(sockets(&w), 2);
    pass(&w, w.now + 2 * second, NULL);
    assert_int_equal(w.closes, 1);
    assert_int_equal(sockets(&w), 1);
    assert_int_equal(hm_dial_serving(&w.dial), 2);
}

static void test_old_one_ends_late(void **state)
{
    (void)state;
    struct world w = held_world();
    event(&w, HM_DIAL_EV_REFRESH, 1);
    event(&w, HM_DIAL_EV_URL, 0);
    event(&w, HM_DIAL_EV_HELLO, 2);
    end_socket(&w, 1);
    assert_int_equal(w.dial.state, HM_DIAL_RESTING);
    assert_int_equal(hm_dial_serving(&w.dial), 2);
    assert_int_equal(w.connects, 2);
}

static void test_old_one_ends_during_the_dial(void **state)
{
    (void)state;
    struct world w = held_world();
    event(&w, HM_DIAL_EV_REFRESH, 1);
    event(&w, HM_DIAL_EV_URL, 0);
    end_socket(&w, 1);
    assert_int_equal(w.dial.state, HM_DIAL_DIALLING); /* the chain goes on, no second one starts */
    event(&w, HM_DIAL_EV_HELLO, 2);
    assert_int_equal(hm_dial_serving(&w.dial), 2);
    assert_int_equal(w.connects, 2);
}

static void test_refresh_by_lifetime(void **state)
{
    (void)state;
    struct world w = new_world();
    event(&w, HM_DIAL_EV_START, 0);
    event(&w, HM_DIAL_EV_URL, 0);
    step(&w, (struct hm_dial_input){.event = HM_DIAL_EV_HELLO, .epoch = 1, .lifetime_ms = 3600 * second});
    pass(&w, 3600 * second * 87 / 100, NULL);
    assert_int_equal(w.asks, 1);
    pass(&w, 3600 * second * 93 / 100, NULL);
    assert_true(w.asks >= 2);
}

static void test_blocked_hurries_the_old_one(void **state)
{
    (void)state;
    struct world w = world_in(HM_DIAL_BLOCKED);
    assert_int_equal(w.closes, 1);
    end_closing(&w);
    assert_int_equal(w.dial.state, HM_DIAL_ASKING);
    assert_int_equal(sockets(&w), 1);
}

/* ---- time-outs ---- */

static void test_no_hello(void **state)
{
    (void)state;
    struct world w = world_in(HM_DIAL_DIALLING);
    pass(&w, w.now + 9 * second, NULL);
    assert_int_equal(w.closes, 0);
    pass(&w, w.now + 1001, NULL);
    assert_int_equal(w.closes, 1);
    assert_true(w.dial.fails > 0);
}

static void test_no_answer_about_the_url(void **state)
{
    (void)state;
    struct world w = world_in(HM_DIAL_ASKING);
    pass(&w, w.now + 29 * second, NULL);
    assert_int_equal(w.asks, 1);
    pass(&w, w.now + 5 * second, NULL);
    assert_int_equal(w.asks, 2);
}

static void test_retry_after(void **state)
{
    (void)state;
    struct world w = world_in(HM_DIAL_ASKING);
    step(&w, (struct hm_dial_input){.event = HM_DIAL_EV_NO_URL, .retry_after_ms = 40 * second});
    pass(&w, w.now + 39 * second, NULL);
    assert_int_equal(w.asks, 1);
    pass(&w, w.now + 3 * second, NULL);
    assert_int_equal(w.asks, 2);
}

static void test_fatal_every_five_minutes(void **state)
{
    (void)state;
    struct world w = world_in(HM_DIAL_ASKING);
    event(&w, HM_DIAL_EV_FATAL, 0);
    assert_true(w.dial.fatal);
    pass(&w, w.now + 5 * minute - 1, NULL);
    assert_int_equal(w.asks, 1);
    pass(&w, w.now + 2, NULL);
    assert_int_equal(w.asks, 2);
    event(&w, HM_DIAL_EV_URL, 0);
    assert_false(w.dial.fatal);
}

/* ---- weather ---- */

static void answer_url(struct world *w)
{
    if (w->dial.state == HM_DIAL_ASKING)
        event(w, HM_DIAL_EV_URL, 0);
}

static void slack_too_many(struct world *w)
{
    answer_url(w);
    if (w->dial.state == HM_DIAL_DIALLING)
        event(w, HM_DIAL_EV_TOO_MANY, newest(w));
}

static void test_too_many_for_ten_minutes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct world w = new_world();
        w.rng = seed;
        event(&w, HM_DIAL_EV_START, 0);
        slack_too_many(&w);
        end_closing(&w);
        pass(&w, 10 * minute, slack_too_many);
        assert_true(w.connects <= 15);
        assert_true(w.connects >= 4);
        assert_int_equal(w.most, 1); /* never with an overlap */
    }
}

static void slack_refuses(struct world *w)
{
    answer_url(w);
    if (w->dial.state == HM_DIAL_DIALLING)
        end_socket(w, newest(w));
}

static void test_back_off_grows_and_is_capped(void **state)
{
    (void)state;
    struct world w = new_world();
    event(&w, HM_DIAL_EV_START, 0);
    answer_url(&w);
    end_socket(&w, 1);
    assert_true(hm_dial_next(&w.dial) - w.now <= second); /* the first retry within a second */
    int64_t longest = 0;
    for (int i = 0; i < 400; i++) {
        int64_t wait = hm_dial_next(&w.dial) - w.now;
        assert_true(wait <= 60 * second);
        if (wait > longest)
            longest = wait;
        pass(&w, w.now + wait, slack_refuses);
    }
    assert_true(longest > 50 * second); /* jitter reaches the cap */
}

static void slack_hello_then_drop(struct world *w)
{
    answer_url(w);
    if (w->dial.state == HM_DIAL_DIALLING) {
        event(w, HM_DIAL_EV_HELLO, newest(w));
        w->now += second;
        end_socket(w, newest(w));
    }
}

/* The storm of 9 reconnects in 19 s: a hello alone does not reset the back-off. */
static void test_short_hellos_are_no_storm(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct world w = new_world();
        w.rng = seed;
        event(&w, HM_DIAL_EV_START, 0);
        slack_hello_then_drop(&w);
        pass(&w, 10 * minute, slack_hello_then_drop);
        assert_true(w.connects < 60); /* 18 full waits of 60 s and the ramp would be about 25 */
    }
}

static void test_reset_only_after_thirty_seconds(void **state)
{
    (void)state;
    struct world w = new_world();
    event(&w, HM_DIAL_EV_START, 0);
    for (int i = 0; i < 5; i++) {
        slack_refuses(&w);
        pass(&w, hm_dial_next(&w.dial), NULL);
    }
    unsigned fails = w.dial.fails;
    assert_true(fails >= 5);
    answer_url(&w);
    event(&w, HM_DIAL_EV_HELLO, newest(&w));
    pass(&w, w.now + 29 * second, NULL);
    assert_int_equal(w.dial.fails, fails);
    pass(&w, w.now + 2 * second, NULL);
    assert_int_equal(w.dial.fails, 0);
}

static void slack_warns_at_once(struct world *w)
{
    answer_url(w);
    if (w->dial.state == HM_DIAL_DIALLING) {
        uint64_t epoch = newest(w);
        event(w, HM_DIAL_EV_HELLO, epoch);
        event(w, HM_DIAL_EV_REFRESH, epoch);
    }
}

/* A server that asks every new connection to be replaced at once. */
static void test_refresh_at_every_hello_is_no_storm(void **state)
{
    (void)state;
    struct world w = new_world();
    event(&w, HM_DIAL_EV_START, 0);
    slack_warns_at_once(&w);
    pass(&w, 10 * minute, slack_warns_at_once);
    assert_true(w.connects < 60);
    assert_true(w.most <= 2);
}

/* Anything may happen at any time: never more than two sockets, never stuck without a timer, the end always comes. */
static void test_random_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct world w = new_world();
        w.rng = seed * 7919;
        event(&w, HM_DIAL_EV_START, 0);
        for (int i = 0; i < 500; i++) {
            uint64_t epoch = newest(&w) - next_random(&w) % 3;
            switch (next_random(&w) % 9) {
            case 0:
            case 1:
                event(&w, HM_DIAL_EV_URL, 0);
                break;
            case 2:
                event(&w, HM_DIAL_EV_NO_URL, 0);
                break;
            case 3:
                step(&w, (struct hm_dial_input){.event = HM_DIAL_EV_HELLO, .epoch = epoch, .lifetime_ms = 360 * second});
                break;
            case 4:
                event(&w, HM_DIAL_EV_REFRESH, epoch);
                break;
            case 5:
                event(&w, next_random(&w) % 8 == 0 ? HM_DIAL_EV_TOO_MANY : HM_DIAL_EV_REFRESH, epoch);
                break;
            case 6:
                end_closing(&w);
                break;
            case 7:
                for (int k = 0; k < 8; k++)
                    if (w.open[k] != 0 && next_random(&w) % 3 == 0)
                        end_socket(&w, w.open[k]);
                break;
            default:
                pass(&w, w.now + next_random(&w) % 20000, NULL);
                break;
            }
            assert_int_equal(sockets(&w), hm_dial_sockets(&w.dial));
            bool live = hm_dial_next(&w.dial) != 0 || hm_dial_serving(&w.dial) != 0 || w.dial.state == HM_DIAL_BLOCKED;
            assert_true(live);
        }
        event(&w, HM_DIAL_EV_CLOSE, 0);
        end_closing(&w);
        assert_int_equal(w.closed, 1);
        assert_int_equal(w.dial.state, HM_DIAL_OFF);
        assert_int_equal(hm_dial_next(&w.dial), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_stale_epochs),
        cmocka_unit_test(test_refresh_overlaps),
        cmocka_unit_test(test_old_one_ends_late),
        cmocka_unit_test(test_old_one_ends_during_the_dial),
        cmocka_unit_test(test_refresh_by_lifetime),
        cmocka_unit_test(test_blocked_hurries_the_old_one),
        cmocka_unit_test(test_no_hello),
        cmocka_unit_test(test_no_answer_about_the_url),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_fatal_every_five_minutes),
        cmocka_unit_test(test_too_many_for_ten_minutes),
        cmocka_unit_test(test_back_off_grows_and_is_capped),
        cmocka_unit_test(test_short_hellos_are_no_storm),
        cmocka_unit_test(test_reset_only_after_thirty_seconds),
        cmocka_unit_test(test_refresh_at_every_hello_is_no_storm),
        cmocka_unit_test(test_random_weather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
