/* Finding named values: what is found, what does not compile, and that values are never matched case-blind. */
#include "base/finder.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "unit.h"

static void test_finds_groups(void **state)
{
    (void)state;
    struct hm_hit hit = {0};
    struct hm_finder *finder = hm_finder_new("(?i:^job): (?<job>[a-z]+)(?<n>[0-9]+)?", NULL);
    json_t *groups = hm_json_obj_new();
    assert_non_null(finder);
    assert_string_equal(hm_finder_name(finder, 0), "job");
    assert_string_equal(hm_finder_name(finder, 1), "n");
    assert_null(hm_finder_name(finder, 2));
    assert_int_equal(hm_finder_next(finder, "x\nJOB: abc", 0, &hit, groups, NULL), HM_OK);
    assert_int_equal(hit.start, 2);
    assert_int_equal(hit.end, 10);
    assert_string_equal(hm_json_get_str(groups, "job", ""), "abc");
    assert_null(json_object_get(groups, "n"));
    assert_int_equal(hm_finder_next(finder, "x\nJOB: abc", hit.end, &hit, NULL, NULL), HM_ENOTFOUND);
    assert_int_equal(hm_finder_next(finder, "x", 5, &hit, NULL, NULL), HM_ENOTFOUND);
    json_decref(groups);
    hm_finder_free(finder);
}

static void test_values_keep_their_case(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool good;
    } cases[] = {
        {"(?i:service): (?<s>[a-z]+)", true},
        {"(?i)service: (?<s>[a-z]+)", false},
        {"(?i:service: (?<s>[a-z]+))", false},
        {"(?i:service: (?'s'[a-z]+))", false},
        {"(?i:service: (?P<s>[a-z]+))", false},
        {"((?i)service): (?<s>[a-z]+)", true}, /* the option ends with its group */
        {"(?i:a(?-i:(?<s>[a-z]+)))", true},
        {"(?i:a(?^:(?<s>[a-z]+)))", true},
        {"(?mi:a(?<s>b))", false},
        {"(?i:a(?:b(?=c(?<s>d))))", false},
        {"(?i:a)(?<=x)(?<!y)(?<s>b)", true},
        {"(?i:[)(?<s>]+)(?<s>b)", true}, /* a class holds no groups */
        {"(?i:\\(?<s>)(?<s>b)", true},   /* nor does an escape begin one */
        {"(?i:\\Q(?<s>\\E)(?<s>b)", true},
        {"(?#(?i)(?<s>b)", true}, /* a comment is one */
        {"(?x: a )(?<s>b)", false},
        {"(*LIMIT_MATCH=1)(?<s>b)", false},
        {"(?<s>b", false},
        {"\\C(?<s>b)", false},
        {"(?<s>b)(?<s>c)", false}, /* a name twice */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        struct hm_finder *finder = hm_finder_new(cases[i].pattern, &err);
        if ((finder != NULL) != cases[i].good)
            fail_msg("%s: %s", cases[i].pattern, err.msg);
        assert_true(finder != NULL || err.msg[0] != '\0');
        hm_finder_free(finder);
    }
}

static void test_lookalikes_are_other_letters(void **state)
{
    (void)state;
    struct hm_hit hit = {0};
    struct hm_finder *finder = hm_finder_new("(?i:job): (?<job>[a-z]+)\\b", NULL);
    json_t *groups = hm_json_obj_new();
    assert_int_equal(hm_finder_next(finder,
                                    "job: \xe2\x84\xaa"
                                    "elvin",
                                    0, &hit, groups, NULL),
                     HM_ENOTFOUND);
    assert_int_equal(hm_finder_next(finder, "job: KELVIN", 0, &hit, groups, NULL), HM_ENOTFOUND);
    json_decref(groups);
    hm_finder_free(finder);
}

/* A pattern that would take years ends with a word about it. */
static void test_limits(void **state)
{
    (void)state;
    struct hm_hit hit = {0};
    struct hm_err err = {0};
    struct hm_finder *finder = hm_finder_new("^(?:a|aa)+[bc]", NULL);
    char text[200];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(hm_finder_next(finder, text, 0, &hit, NULL, &err), HM_ETOOBIG);
    assert_int_equal(hm_finder_next(finder, "\xff", 0, &hit, NULL, &err), HM_EINVAL);
    hm_finder_free(finder);

    char *deep = hm_xmalloc(400);
    memset(deep, '(', 399);
    deep[399] = '\0';
    assert_null(hm_finder_new(deep, &err));
    free(deep);
    char *large = hm_xmalloc(HM_FINDER_MAX + 2);
    memset(large, 'a', HM_FINDER_MAX + 1);
    large[HM_FINDER_MAX + 1] = '\0';
    assert_null(hm_finder_new(large, &err));
    assert_int_equal(err.code, HM_ETOOBIG);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_groups),
        cmocka_unit_test(test_values_keep_their_case),
        cmocka_unit_test(test_lookalikes_are_other_letters),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
