/* Pacing: never more than n in any 60 s, whatever the pattern of asking. */
#include "unit.h"

#include "slack/web_methods.h"
#include "slack/web_pace.h"

enum { MINUTE = 60000, MAX_TAKEN = 20000 };

static int64_t taken[MAX_TAKEN];

/* Takes as early as allowed, with pauses; then counts in every window. */
static void check(unsigned per_min, unsigned burst)
{
    struct hm_pace p;
    int64_t now = 5;
    unsigned n = 0;

    hm_pace_init(&p, per_min, burst);
    while (n < per_min * 6 && n < MAX_TAKEN) {
        now += hm_pace_wait_ms(&p, now);
        assert_int_equal(hm_pace_wait_ms(&p, now), 0);
        hm_pace_take(&p, now);
        taken[n++] = now;
        if (n % (per_min + 7) == 0)
            now += 17000; /* a pause lets the burst come back */
    }
    unsigned most = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned in_window = 0;
        for (unsigned k = i; k < n && taken[k] < taken[i] + MINUTE; k++)
            in_window++;
        most = in_window > most ? in_window : most;
    }
    assert_true(most <= per_min);
    assert_true(most * 10 >= per_min * 9); /* and the limit is used, not just kept */
}

static void test_windows(void **state)
{
    static const char *const names[] = {"apps.connections.open", "auth.test",  "chat.postMessage",
                                        "chat.update",           "views.open", "conversations.list",
                                        "some.unknown.method"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct hm_web_method *m = hm_web_method_find(names[i]);
        check(m->per_min, m->burst);
    }
}

static void test_burst_then_steady(void **state)
{
    struct hm_pace p;
    (void)state;
    hm_pace_init_interval(&p, 1000, 3);
    assert_true(hm_pace_rested(&p, 0));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hm_pace_wait_ms(&p, 100), 0);
        hm_pace_take(&p, 100);
    }
    assert_int_equal(hm_pace_wait_ms(&p, 100), 1000);
    assert_int_equal(hm_pace_wait_ms(&p, 700), 400);
    assert_int_equal(hm_pace_wait_ms(&p, 1100), 0);
    hm_pace_take(&p, 1100);
    assert_int_equal(hm_pace_wait_ms(&p, 1100), 1000);
    assert_false(hm_pace_rested(&p, 4099));
    assert_true(hm_pace_rested(&p, 4100));
    assert_int_equal(hm_pace_wait_ms(&p, 4100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_burst_then_steady),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
