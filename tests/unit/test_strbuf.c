/* Growing strings: ceilings, sticky failure, cutting between UTF-8 sequences. */
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void test_starts_empty(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 10);
    assert_null(b.s);
    assert_string_equal(hm_strbuf_str(&b), "");
    char *s = hm_strbuf_take(&b);
    assert_string_equal(s, "");
    free(s);
    hm_strbuf_done(&b);
}

static void test_adds_of_every_kind(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 1000);
    hm_strbuf_adds(&b, "a");
    hm_strbuf_addc(&b, 'b');
    hm_strbuf_addf(&b, "%s%d", "c", 42);
    hm_strbuf_add(&b, "def", 2);
    hm_strbuf_add(&b, NULL, 0);
    hm_strbuf_adds(&b, "");
    assert_string_equal(hm_strbuf_str(&b), "abc42de");
    assert_int_equal(b.len, 7);
    assert_false(b.failed);
    hm_strbuf_done(&b);
    assert_string_equal(hm_strbuf_str(&b), "");
    hm_strbuf_adds(&b, "again");
    assert_string_equal(hm_strbuf_str(&b), "again");
    hm_strbuf_done(&b);
}

static void test_holds_nul_bytes(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 10);
    hm_strbuf_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.s, "a\0b", 4);
    hm_strbuf_done(&b);
}

static void test_grows_over_many_adds(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 100000);
    for (int i = 0; i < 10000; i++)
        hm_strbuf_addf(&b, "%04d", i);
    assert_false(b.failed);
    assert_int_equal(b.len, 40000);
    assert_memory_equal(b.s, "000000010002", 12);
    assert_string_equal(b.s + b.len - 8, "99989999");
    hm_strbuf_done(&b);
}

/* What is left when `piece` is added to `have` under a ceiling. */
static void test_ceilings(void **state)
{
    (void)state;
    static const struct {
        size_t max;
        const char *have;
        const char *piece;
        const char *left;
        bool failed;
    } cases[] = {
        {0, "", "", "", false},
        {0, "", "a", "", true},
        {3, "", "abc", "abc", false},
        {3, "", "abcd", "abc", true},
        {3, "ab", "c", "abc", false},
        {3, "ab", "cd", "abc", true},
        {3, "abc", "", "abc", false},
        {3, "abc", "d", "abc", true},
        {3, "ab", "é", "ab", true}, /* 2 bytes, 1 free */
        {4, "ab", "é", "abé", false},
        {4, "ab", "é!", "abé", true},
        {5, "ab", "é€", "abé", true},
        {6, "ab", "é€", "abé", true},
        {7, "ab", "é€", "abé€", false},
        {3, "", "🔧", "", true},
        {4, "", "🔧🔧", "🔧", true},
        {7, "", "🔧🔧", "🔧", true},
        {2, "", "\x80\x80\x80\x80\x80", "\x80\x80", true}, /* nothing to keep whole */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int how = 0; how < 2; how++) {
            struct hm_strbuf b;
            hm_strbuf_init(&b, cases[i].max);
            hm_strbuf_adds(&b, cases[i].have);
            if (how == 0)
                hm_strbuf_add(&b, cases[i].piece, strlen(cases[i].piece));
            else
                hm_strbuf_addf(&b, "%s", cases[i].piece);
            assert_string_equal(hm_strbuf_str(&b), cases[i].left);
            assert_int_equal(b.len, strlen(cases[i].left));
            assert_int_equal(b.failed, cases[i].failed);
            hm_strbuf_done(&b);
        }
    }
}

static void test_failure_is_sticky(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 4);
    hm_strbuf_adds(&b, "ab€"); /* the sequence does not fit; one byte stays free */
    assert_true(b.failed);
    hm_strbuf_addc(&b, 'c');
    hm_strbuf_adds(&b, "c");
    hm_strbuf_addf(&b, "%c", 'c');
    assert_string_equal(hm_strbuf_str(&b), "ab");
    hm_strbuf_reset(&b);
    assert_false(b.failed);
    assert_string_equal(hm_strbuf_str(&b), "");
    hm_strbuf_adds(&b, "abcd");
    assert_false(b.failed);
    hm_strbuf_done(&b);
}

static void test_take_leaves_an_empty_one_with_the_ceiling(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 2);
    hm_strbuf_adds(&b, "abc");
    char *s = hm_strbuf_take(&b);
    assert_string_equal(s, "ab");
    free(s);
    assert_false(b.failed);
    assert_int_equal(b.len, 0);
    assert_string_equal(hm_strbuf_str(&b), "");
    hm_strbuf_adds(&b, "abc");
    assert_true(b.failed);
    hm_strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_empty),
        cmocka_unit_test(test_adds_of_every_kind),
        cmocka_unit_test(test_holds_nul_bytes),
        cmocka_unit_test(test_grows_over_many_adds),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_failure_is_sticky),
        cmocka_unit_test(test_take_leaves_an_empty_one_with_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
