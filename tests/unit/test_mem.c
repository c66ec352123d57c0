/* Allocation and assertions: copies, sizes of zero, and that the process ends instead of going on with NULL. */
#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "capture.h"
#include "unit.h"

static void test_copies(void **state)
{
    (void)state;
    char *s = hm_xstrdup("abc");
    assert_string_equal(s, "abc");
    free(s);
    s = hm_xstrdup("");
    assert_string_equal(s, "");
    free(s);
    s = hm_xstrndup("abc", 2);
    assert_string_equal(s, "ab");
    free(s);
    s = hm_xstrndup("abc", 9);
    assert_string_equal(s, "abc");
    free(s);
    s = hm_xmemdup("a\0b", 3);
    assert_memory_equal(s, "a\0b", 3);
    free(s);
    s = hm_xasprintf("%s-%d", "r", 7);
    assert_string_equal(s, "r-7");
    free(s);
    s = hm_xstrdup_null("x");
    assert_string_equal(s, "x");
    free(s);
    assert_null(hm_xstrdup_null(NULL));
}

static void test_zero_sizes_are_memory_too(void **state)
{
    (void)state;
    void *p[] = {hm_xmalloc(0), hm_xcalloc(0, 8), hm_xcalloc(8, 0), hm_xmemdup(NULL, 0), hm_xreallocarray(NULL, 0, 8)};
    for (size_t i = 0; i < HM_ARRAY_LEN(p); i++) {
        assert_non_null(p[i]);
        free(p[i]);
    }
}

static void test_calloc_is_zero_and_reallocarray_keeps(void **state)
{
    (void)state;
    int *numbers = hm_xcalloc(4, sizeof numbers[0]);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(numbers[i], 0);
        numbers[i] = i;
    }
    numbers = hm_xreallocarray(numbers, 1000, sizeof numbers[0]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(numbers[i], i);
    HM_FREE(numbers);
    assert_null(numbers);
}

static void test_container_of(void **state)
{
    (void)state;
    struct {
        int before;
        int member;
    } whole = {1, 2};
    struct part {
        char lead[8];
        int member;
    } part = {"x", 3};
    assert_ptr_equal(HM_CONTAINER_OF(&part.member, struct part, member), &part);
    assert_int_equal(whole.before + whole.member, 3);
    assert_int_equal(HM_ARRAY_LEN(part.lead), 8);
}

static void overflow_the_size(void *arg)
{
    (void)arg;
    free(hm_xreallocarray(NULL, SIZE_MAX / 2, 3));
}

static void break_an_assertion(void *arg)
{
    const int *one = arg;
    HM_ASSERT(*one == 2);
}

static void keep_an_assertion(void *arg)
{
    const int *one = arg;
    HM_ASSERT(*one == 1);
}

static void test_the_process_ends(void **state)
{
    (void)state;
    int one = 1;
    char *text = NULL;
    assert_int_equal(hm_capture_death(overflow_the_size, NULL, &text), SIGABRT);
    assert_non_null(strstr(text, "out of memory"));
    free(text);
    assert_int_equal(hm_capture_death(break_an_assertion, &one, &text), SIGABRT);
    assert_non_null(strstr(text, "assertion failed: *one == 2 at "));
    assert_non_null(strstr(text, "in break_an_assertion"));
    free(text);
    assert_int_equal(hm_capture_death(keep_an_assertion, &one, &text), 0);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_zero_sizes_are_memory_too),
        cmocka_unit_test(test_calloc_is_zero_and_reallocarray_keeps),
        cmocka_unit_test(test_container_of),
        cmocka_unit_test(test_the_process_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
