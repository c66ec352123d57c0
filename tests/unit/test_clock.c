/* Time and randomness: a clock of one's own is asked, times are written as RFC 3339, random text has no bias. */
#include "base/clock.h"

#include <string.h>

#include "base/mem.h"
#include "unit.h"

struct fake {
    int64_t wall;
    int64_t mono;
    unsigned char next; /* the bytes come as next, next + 1 … */
    unsigned calls;
};

static int64_t fake_wall(void *arg)
{
    const struct fake *fake = arg;
    return fake->wall;
}

static int64_t fake_mono(void *arg)
{
    const struct fake *fake = arg;
    return fake->mono;
}

static void fake_random(void *arg, void *buf, size_t n)
{
    struct fake *fake = arg;
    unsigned char *p = buf;
    for (size_t i = 0; i < n; i++)
        p[i] = fake->next++;
    fake->calls++;
}

static void test_the_given_clock_is_asked(void **state)
{
    (void)state;
    struct fake fake = {.wall = 111, .mono = 222};
    struct hm_clock clock = {fake_wall, fake_mono, fake_random, &fake};
    assert_true(hm_wall_ms(&clock) == 111);
    assert_true(hm_mono_ms(&clock) == 222);
    fake.wall = -5;
    assert_true(hm_wall_ms(&clock) == -5);
}

static void test_real_clock(void **state)
{
    (void)state;
    const struct hm_clock *clock = hm_clock_real();
    int64_t before = hm_mono_ms(clock);
    assert_true(hm_wall_ms(clock) > INT64_C(1700000000000)); /* after November 2023: the unit is milliseconds */
    assert_true(hm_wall_ms(clock) < INT64_C(17000000000000));
    assert_true(hm_mono_ms(clock) >= before);
}

static void test_real_random(void **state)
{
    (void)state;
    unsigned char one[64] = {0};
    unsigned char two[64] = {0};
    const struct hm_clock *clock = hm_clock_real();
    clock->random_bytes(clock->arg, one, sizeof one);
    clock->random_bytes(clock->arg, two, sizeof two);
    assert_memory_not_equal(one, two, sizeof one);
}

static void test_format_time(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *time;
        const char *hhmm;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "00:00 UTC"},
        {1, "1970-01-01T00:00:00.001Z", "00:00 UTC"},
        {INT64_C(1795395723456), "2026-11-23T01:02:03.456Z", "01:02 UTC"},
        {INT64_C(951782399999), "2000-02-28T23:59:59.999Z", "23:59 UTC"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z", "00:00 UTC"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z", "23:59 UTC"},
        {-1, "1969-12-31T23:59:59.999Z", "23:59 UTC"},
        {-1000, "1969-12-31T23:59:59.000Z", "23:59 UTC"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char buf[HM_TIME_MAX];
        assert_string_equal(hm_format_time(cases[i].ms, buf), cases[i].time);
        assert_string_equal(hm_format_hhmm(cases[i].ms, buf), cases[i].hhmm);
    }
    char buf[HM_TIME_MAX];
    assert_true(strlen(hm_format_time(INT64_MAX, buf)) < HM_TIME_MAX);
    assert_true(strlen(hm_format_time(INT64_MIN, buf)) < HM_TIME_MAX);
}

static void test_random_text_is_fair(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct hm_clock clock = {fake_wall, fake_mono, fake_random, &fake};
    char buf[1001];

    /* 10 letters: the bytes 250 to 255 are thrown away, so every letter comes from 25 byte values. */
    hm_random_text(&clock, "0123456789", buf, 250);
    assert_int_equal(strlen(buf), 250);
    size_t count[10] = {0};
    for (size_t i = 0; i < 250; i++)
        count[buf[i] - '0']++;
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(count[i], 25);
    hm_random_text(&clock, "0123456789", buf, 1);
    assert_string_equal(buf, "0"); /* from byte 0 again: 250 to 255 were skipped */
    assert_int_equal(fake.calls, 257);
}

static void test_random_text_edges(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct hm_clock clock = {fake_wall, fake_mono, fake_random, &fake};
    char buf[300];
    char alphabet[257];

    hm_random_text(&clock, "abc", buf, 0);
    assert_string_equal(buf, "");
    hm_random_text(&clock, "x", buf, 5);
    assert_string_equal(buf, "xxxxx");
    for (int i = 0; i < 256; i++)
        alphabet[i] = 'A';
    alphabet[255] = 'Z';
    alphabet[256] = '\0';
    fake.next = 254;
    hm_random_text(&clock, alphabet, buf, 3);
    assert_string_equal(buf, "AZA");
}

static void test_parse_time(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1 = refused */
    } table[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T14:32:33.000Z", 1795357953000},
        {"2026-11-22T14:32:33.158538Z", 1795357953158},
        {"2026-11-22 11:32:33-03:00", 1795357953000},
        {"2026-11-22T15:32:33+0100", 1795357953000},
        {"2020-05-01 18:52:43+00:00", 1588359163000},
        {"2024-02-29T23:59:60Z", 1709251199000},
        {"Sun, 22 Nov 2026 14:32:33 GMT", 1795357953000},
        {"2026-11-22T14:32:33", -1},
        {"2026-11-22", -1},
        {"2026-02-29T00:00:00Z", -1},
        {"2026-04-31T00:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-11-22T24:00:00Z", -1},
        {"2026-11-22T14:32:33Z ", -1},
        {"2026-11-22T14:32:33+1", -1},
        {"Sun, 22 Xov 2026 14:32:33 GMT", -1},
        {"Sun, 22 anF 2026 14:32:33 GMT", -1},
        {"Sun, 22 Nov 2026 14:32:33 EST", -1},
        {"Sunday, 22-Nov-26 14:32:33 GMT", -1},
        {"", -1},
        {"now", -1},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        int64_t ms = -1;
        bool ok = hm_parse_time(table[i].text, &ms);
        if (ok != (table[i].ms >= 0) || ms != table[i].ms)
            fail_msg("\"%s\" is %lld", table[i].text, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_given_clock_is_asked),
        cmocka_unit_test(test_real_clock),
        cmocka_unit_test(test_real_random),
        cmocka_unit_test(test_format_time),
        cmocka_unit_test(test_parse_time),
        cmocka_unit_test(test_random_text_is_fair),
        cmocka_unit_test(test_random_text_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
