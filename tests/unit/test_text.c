/* Text: UTF-8, numbers, durations, identifiers, edit distance. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

static void test_utf8_valid(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"é€🔧", true},
        {"\x7f", true},
        {"\xc2\x80", true},         /* the first of two bytes */
        {"\xdf\xbf", true},         /* the last */
        {"\xe0\xa0\x80", true},     /* the first of three */
        {"\xed\x9f\xbf", true},     /* the last before the surrogates */
        {"\xee\x80\x80", true},     /* the first after them */
        {"\xef\xbf\xbf", true},     /* the last of three */
        {"\xf0\x90\x80\x80", true}, /* the first of four */
        {"\xf4\x8f\xbf\xbf", true}, /* U+10FFFF */
        {"\x80", false},            /* a continuation byte alone */
        {"a\xbf", false},
        {"\xc0\x80", false},         /* overlong NUL */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* the first surrogate */
        {"\xed\xbf\xbf", false},     /* the last */
        {"\xf4\x90\x80\x80", false}, /* U+110000 */
        {"\xf5\x80\x80\x80", false},
        {"\xfe", false},
        {"\xff", false},
        {"\xc3", false},          /* cut */
        {"\xe2\x82", false},      /* cut */
        {"\xf0\x9f\x94", false},  /* cut */
        {"\xc3(", false},         /* the second byte is none */
        {"\xe2\x82(", false},     /* the third is none */
        {"\xf0\x9f\x94(", false}, /* the fourth is none */
        {"\xe2(\x82", false},
        {"\xc3\xa9\xa9", false}, /* one too many */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        if (hm_utf8_valid(cases[i].s, strlen(cases[i].s)) != cases[i].valid)
            fail_msg("case %zu", i);
    assert_true(hm_utf8_valid("a\0b", 3));
    assert_true(hm_utf8_valid("é", 2));
    assert_false(hm_utf8_valid("é", 1));
}

static void test_utf8_agrees_with_the_definition(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x110010; c++) {
        unsigned char s[5] = {0};
        size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        uint32_t rest = c;
        for (size_t i = len; i-- > 1; rest >>= 6)
            s[i] = (unsigned char)(0x80 | (rest & 0x3f));
        s[0] = (unsigned char)(lead[len] | rest);
        bool scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        if (hm_utf8_valid((const char *)s, len) != scalar)
            fail_msg("U+%04X", c);
    }
}

static void test_utf8_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t count;
        size_t max;    /* for prefix: bytes; for take: scalar values */
        size_t prefix; /* bytes */
        size_t take;   /* bytes */
    } cases[] = {
        {"", 0, 0, 0, 0},
        {"", 0, 5, 0, 0},
        {"abc", 3, 0, 0, 0},
        {"abc", 3, 2, 2, 2},
        {"abc", 3, 3, 3, 3},
        {"abc", 3, 4, 3, 3},
        {"abc", 3, SIZE_MAX, 3, 3},
        {"aé", 2, 2, 1, 3},
        {"aé", 2, 3, 3, 3},
        {"aéb", 3, 3, 3, 4},
        {"€", 1, 1, 0, 3},
        {"€", 1, 2, 0, 3},
        {"€", 1, 3, 3, 3},
        {"🔧🔧", 2, 1, 0, 4},
        {"🔧🔧", 2, 3, 0, 8},
        {"🔧🔧", 2, 7, 4, 8},
        {"🔧🔧", 2, 8, 8, 8},
        {"\xff\xff\xff", 3, 2, 2, 2},         /* malformed bytes count one each */
        {"\x80\x80\x80\x80\x80", 5, 4, 4, 4}, /* no sequence to keep whole */
        {"é\x80\x80\x80\x80", 5, 5, 5, 6},    /* the cut is after the whole sequence */
        {"é\x80", 2, 2, 2, 3},                /* a stray byte after it takes nothing away */
        {"\xe2\x82", 2, 1, 0, 1},             /* cut by its sender */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        if (hm_utf8_count(cases[i].s) != cases[i].count)
            fail_msg("case %zu: count %zu", i, hm_utf8_count(cases[i].s));
        if (hm_utf8_prefix(cases[i].s, cases[i].max) != cases[i].prefix)
            fail_msg("case %zu: prefix %zu", i, hm_utf8_prefix(cases[i].s, cases[i].max));
        if (hm_utf8_take(cases[i].s, cases[i].max) != cases[i].take)
            fail_msg("case %zu: take %zu", i, hm_utf8_take(cases[i].s, cases[i].max));
    }
}

static void test_utf8_clean(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        const char *clean;
    } cases[] = {
        {"", ""},
        {"aé€🔧", "aé€🔧"},
        {"line\n\ttab", "line\n\ttab"},
        {"\x1b[31mred", "\xef\xbf\xbd[31mred"},
        {"a\rb\x7f", "a\xef\xbf\xbd"
                     "b\xef\xbf\xbd"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc3(", "\xef\xbf\xbd("},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *clean = hm_utf8_clean(cases[i].s, strlen(cases[i].s));
        assert_string_equal(clean, cases[i].clean);
        assert_true(hm_utf8_valid(clean, strlen(clean)));
        free(clean);
    }
    char *clean = hm_utf8_clean("a\0b", 3);
    assert_string_equal(clean, "a\xef\xbf\xbd"
                               "b");
    free(clean);
}

static void test_parse_i64(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        int64_t min;
        int64_t max;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", 0, 10, true, 0},
        {"10", 0, 10, true, 10},
        {"11", 0, 10, false, 0},
        {"-1", 0, 10, false, 0},
        {"-1", -1, 10, true, -1},
        {"-2", -1, 10, false, 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
        {"18446744073709551616", INT64_MIN, INT64_MAX, false, 0},
        {"99999999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
        {"", 0, 10, false, 0},
        {"-", -10, 10, false, 0},
        {"--1", -10, 10, false, 0},
        {"+1", 0, 10, false, 0},
        {" 1", 0, 10, false, 0},
        {"1 ", 0, 10, false, 0},
        {"1\n", 0, 10, false, 0},
        {"0x1", 0, 10, false, 0},
        {"1e1", 0, 10, false, 0},
        {"1.0", 0, 10, false, 0},
        {"1,000", 0, 10000, false, 0},
        {"\xd9\xa1", 0, 10, false, 0}, /* an Arabic digit */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        int64_t value = 77;
        if (hm_parse_i64(cases[i].s, cases[i].min, cases[i].max, &value) != cases[i].ok)
            fail_msg("\"%s\"", cases[i].s);
        assert_true(value == (cases[i].ok ? cases[i].value : 77)); /* untouched on failure */
    }
}

static void test_parse_u32(void **state)
{
    (void)state;
    uint32_t value = 77;
    assert_true(hm_parse_u32("4294967295", UINT32_MAX, &value));
    assert_true(value == UINT32_MAX);
    assert_false(hm_parse_u32("4294967296", UINT32_MAX, &value));
    assert_false(hm_parse_u32("-1", UINT32_MAX, &value));
    assert_false(hm_parse_u32("", UINT32_MAX, &value));
    assert_false(hm_parse_u32("6", 5, &value));
    assert_true(value == UINT32_MAX);
    assert_true(hm_parse_u32("5", 5, &value));
    assert_int_equal(value, 5);
}

static void test_parse_duration(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        int64_t ms; /* 0 = refused */
    } cases[] = {
        {"1ms", 1},
        {"250ms", 250},
        {"2s", 2000},
        {"15m", 900000},
        {"3h", 10800000},
        {"1d", 86400000},
        {"366d", INT64_C(366) * 86400000},
        {"8784h", INT64_C(366) * 86400000},
        {"31622400000ms", INT64_C(366) * 86400000},
        {"367d", 0},
        {"8785h", 0},
        {"31622400001ms", 0},
        {"0s", 0},
        {"-1s", 0},
        {"1", 0},
        {"", 0},
        {"s", 0},
        {"1 s", 0},
        {" 1s", 0},
        {"1s ", 0},
        {"1.5s", 0},
        {"1h30m", 0},
        {"1S", 0},
        {"1w", 0},
        {"1min", 0},
        {"9223372036854775807s", 0},
        {"99999999999999999999s", 0},
        {"999999999999999999999999999999999999999s", 0},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        int64_t ms = 0;
        struct hm_err err = {0};
        enum hm_code code = hm_parse_duration(cases[i].s, &ms, &err);
        assert_true(ms == cases[i].ms);
        assert_int_equal(code, cases[i].ms != 0 ? HM_OK : HM_EINVAL);
        if (cases[i].ms == 0)
            assert_non_null(strstr(err.msg, "is not a duration"));
    }
}

static void test_format_duration(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {-1, "0 s"},
        {0, "0.0 s"},
        {49, "0.0 s"},
        {99, "0.0 s"},
        {100, "0.1 s"},
        {400, "0.4 s"},
        {999, "0.9 s"},
        {1000, "1.0 s"},
        {9999, "9.9 s"},
        {10000, "10 s"},
        {12000, "12 s"},
        {59999, "59 s"},
        {60000, "1 min"},
        {200000, "3 min 20 s"},
        {3599999, "59 min 59 s"},
        {3600000, "1 h"},
        {3659000, "1 h"},
        {7500000, "2 h 5 min"},
        {INT64_C(90000000), "25 h"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char buf[32];
        assert_string_equal(hm_format_duration(cases[i].ms, buf, sizeof buf), cases[i].text);
    }
    char small[4];
    assert_string_equal(hm_format_duration(200000, small, sizeof small), "3 m");
}

static void test_is_uuid(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool uuid;
    } cases[] = {
        {"5a5d411b-e41a-4a30-ab34-bac476b95761", true},
        {"5A5D411B-E41A-4A30-AB34-BAC476B95761", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"", false},
        {"5a5d411b", false},
        {"5a5d411b-e41a-4a30-ab34-bac476b9576", false},
        {"5a5d411b-e41a-4a30-ab34-bac476b957611", false},
        {"5a5d411be41a4a30ab34bac476b95761", false},
        {"5a5d411b-e41a-4a30-ab34-bac476b9576g", false},
        {"5A5D411B-E41A-4A30-AB34-BAC476B9576G", false},
        {"5a5d411b-e41a-4a30-ab34_bac476b95761", false},
        {"5a5d411-be41a-4a30-ab34-bac476b95761", false},
        {"{5a5d411b-e41a-4a30-ab34-bac476b95761}", false},
        {" 5a5d411b-e41a-4a30-ab34-bac476b95761", false},
        {"5a5d411b-e41a-4a30-ab34-bac476b95761\n", false},
        {"-a5d411b-e41a-4a30-ab34-bac476b95761", false},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        if (hm_is_uuid(cases[i].s) != cases[i].uuid)
            fail_msg("\"%s\"", cases[i].s);
}

static void test_compare(void **state)
{
    (void)state;
    assert_true(hm_starts_with("abc", ""));
    assert_true(hm_starts_with("abc", "abc"));
    assert_false(hm_starts_with("abc", "abcd"));
    assert_false(hm_starts_with("abc", "b"));
    assert_true(hm_ends_with("abc", ""));
    assert_true(hm_ends_with("abc", "bc"));
    assert_true(hm_ends_with("abc", "abc"));
    assert_false(hm_ends_with("abc", "xabc"));
    assert_false(hm_ends_with("abc", "b"));
    assert_string_equal(hm_plural(0, "thing", "things"), "things");
    assert_string_equal(hm_plural(1, "thing", "things"), "thing");
    assert_string_equal(hm_plural(2, "thing", "things"), "things");
    assert_true(hm_streq("a", "a"));
    assert_false(hm_streq("a", "b"));
    assert_false(hm_streq("a", NULL));
    assert_false(hm_streq(NULL, "a"));
    assert_false(hm_streq(NULL, ""));
    assert_true(hm_streq(NULL, NULL));
}

/* Only what stands around it does not count. */
static void test_same_trimmed(void **state)
{
    (void)state;
    assert_true(hm_same_trimmed("318", "318"));
    assert_true(hm_same_trimmed(" 318\n", "318"));
    assert_true(hm_same_trimmed("\xc2\xa0\xe2\x80\xaf"
                                "318\xe2\x80\x8b",
                                "318"));
    assert_true(hm_same_trimmed("drop  it ", "drop  it"));
    assert_false(hm_same_trimmed("drop it", "drop  it"));
    assert_false(hm_same_trimmed("31 8", "318"));
    assert_false(hm_same_trimmed("318", "3180"));
    assert_true(hm_same_trimmed(" ", ""));
    assert_false(hm_same_trimmed(" ", "318"));
    assert_false(hm_same_trimmed(NULL, "318"));
    assert_true(hm_same_trimmed(NULL, NULL));
}

static void test_header_line(void **state)
{
    static const char lines[] = "ETag: \"a:b\"\nx-empty:\nLink:  <https://x/?a=1>; rel=\"next\" \r\nlink: second\nlast: 1";
    static const struct {
        const char *name, *value;
    } cases[] = {{"etag", "\"a:b\""}, {"LINK", "<https://x/?a=1>; rel=\"next\""},
                 {"X-Empty", ""},     {"last", "1"},
                 {"tag", NULL},       {"x", NULL},
                 {"a", NULL}};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *value = hm_header_line(lines, cases[i].name);
        assert_true(hm_streq(value, cases[i].value));
        free(value);
    }
    assert_null(hm_header_line(NULL, "a"));
    assert_null(hm_header_line("", "a"));
}

static void test_edit_distance(void **state)
{
    (void)state;
    static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 64 */
    static const char too_long[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const struct {
        const char *a;
        const char *b;
        size_t max;
        size_t distance;
    } cases[] = {
        {"", "", 3, 0},
        {"", "ab", 3, 2},
        {"retract", "retract", 3, 0},
        {"retract", "retrac", 3, 1},
        {"retract", "rretract", 3, 1},
        {"retract", "retrakt", 3, 1},
        {"retract", "rertact", 3, 1}, /* a swap */
        {"ab", "ba", 3, 1},
        {"UUID", "uuid", 1, 0},   /* capitals are no difference */
        {"[UUID", "{uuid", 2, 1}, /* and nothing else is a letter */
        {"ca", "abc", 9, 3},      /* no edit inside a swapped pair */
        {"kitten", "sitting", 9, 3},
        {"kitten", "sitting", 2, 3}, /* more than max: max + 1 */
        {"kitten", "sitting", 0, 1},
        {"abcdef", "ghijkl", 9, 6},
        {longest, longest, 3, 0},
        {longest, "", 99, 64},
        {too_long, too_long, 3, 4}, /* beyond what it looks at */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        assert_int_equal(hm_edit_distance(cases[i].a, cases[i].b, cases[i].max), cases[i].distance);
        assert_int_equal(hm_edit_distance(cases[i].b, cases[i].a, cases[i].max), cases[i].distance);
    }
}

static void test_section_url(void **state)
{
    (void)state;
    static const struct {
        const char *url, *heading, *want;
    } cases[] = {
        {"https://w/p", "Retracting datasets in bulk", "https://w/p#retracting-datasets-in-bulk"},
        {"https://w/p", "Restart Aurora, step 1", "https://w/p#restart-aurora-step-1"},
        {"https://w/p", " - Re-deploying - (the) DAG_1! -", "https://w/p#-re-deploying-the-dag_1"},
        {"https://w/p", "More than one dag\u00e3o", "https://w/p#more-than-one-dago"},
        {"https://w/p", "a b c d e f", "https://w/p#a-b-c-d-e-f"},
        {"https://w/p", "", "https://w/p#"},
        {"https://w/p#here", "Elsewhere", "https://w/p#here"},
        {NULL, "Elsewhere", NULL},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *url = hm_section_url(cases[i].url, cases[i].heading);
        if (!hm_streq(url, cases[i].want))
            fail_msg("%s: %s", cases[i].heading, url != NULL ? url : "NULL");
        free(url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_valid),     cmocka_unit_test(test_utf8_agrees_with_the_definition),
        cmocka_unit_test(test_utf8_lengths),   cmocka_unit_test(test_utf8_clean),
        cmocka_unit_test(test_parse_i64),      cmocka_unit_test(test_parse_u32),
        cmocka_unit_test(test_parse_duration), cmocka_unit_test(test_format_duration),
        cmocka_unit_test(test_is_uuid),        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_header_line),    cmocka_unit_test(test_edit_distance),
        cmocka_unit_test(test_section_url),    cmocka_unit_test(test_same_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
