/* Errors: code and sentence, context on the way up, cutting on a UTF-8 boundary. */
#include "base/err.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "unit.h"

static void test_set_keeps_code_and_sentence(void **state)
{
    (void)state;
    struct hm_err err = {0};

    assert_int_equal(hm_err_set(&err, HM_EIO, "HTTP %d from %s", 502, "metapod"), HM_EIO);
    assert_int_equal(err.code, HM_EIO);
    assert_string_equal(err.msg, "HTTP 502 from metapod");
    assert_int_equal(hm_err_set(&err, HM_EINVAL, "shorter"), HM_EINVAL);
    assert_string_equal(err.msg, "shorter");
}

static void test_null_err_still_gives_the_code(void **state)
{
    (void)state;
    assert_int_equal(hm_err_set(NULL, HM_EPERM, "nobody reads this"), HM_EPERM);
    assert_int_equal(hm_err_wrap(NULL, "nor this"), HM_EBUG);
    hm_err_clear(NULL);
}

static void test_wrap_puts_context_in_front(void **state)
{
    (void)state;
    struct hm_err err = {0};

    (void)hm_err_set(&err, HM_EIO, "HTTP 502");
    assert_int_equal(hm_err_wrap(&err, "POST %s", "http://m/x"), HM_EIO);
    assert_int_equal(hm_err_wrap(&err, "retract 5a5d411b"), HM_EIO);
    assert_string_equal(err.msg, "retract 5a5d411b: POST http://m/x: HTTP 502");
}

static void test_clear(void **state)
{
    (void)state;
    struct hm_err err = {0};

    (void)hm_err_set(&err, HM_EIO, "HTTP 502");
    hm_err_clear(&err);
    assert_int_equal(err.code, HM_OK);
    assert_string_equal(err.msg, "");
}

/* A sentence of `ascii` letters, then as many copies of `piece` as pass every ceiling. */
static void check_cut(size_t ascii, const char *piece)
{
    char text[2 * HM_ERR_MAX];
    struct hm_err err = {0};
    size_t at = ascii;

    memset(text, 'a', ascii);
    while (at + strlen(piece) + 1 < sizeof text) {
        memcpy(text + at, piece, strlen(piece) + 1);
        at += strlen(piece);
    }
    (void)hm_err_set(&err, HM_EIO, "%s", text);

    size_t len = strlen(err.msg);
    assert_true(len < HM_ERR_MAX);
    assert_true(len >= HM_ERR_MAX - 1 - strlen(piece)); /* no more is lost than one sequence */
    assert_true(hm_utf8_valid(err.msg, len));
    assert_true(hm_ends_with(err.msg, "…"));
    size_t kept = len - strlen("…");
    assert_memory_equal(err.msg, text, kept);
    assert_int_equal((kept - ascii) % strlen(piece), 0);
}

static void test_cut_on_a_boundary(void **state)
{
    (void)state;
    for (size_t ascii = 0; ascii < 8; ascii++) {
        check_cut(ascii, "x");
        check_cut(ascii, "é");
        check_cut(ascii, "€");
        check_cut(ascii, "🔧");
    }
}

static void test_longest_sentence_is_not_cut(void **state)
{
    (void)state;
    char text[HM_ERR_MAX];
    struct hm_err err = {0};

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)hm_err_set(&err, HM_EIO, "%s", text);
    assert_string_equal(err.msg, text);
    (void)hm_err_set(&err, HM_EIO, "%sa", text); /* one more is too many */
    assert_true(hm_ends_with(err.msg, "a…"));
}

static void test_wrap_of_a_full_message_is_cut(void **state)
{
    (void)state;
    char text[HM_ERR_MAX];
    struct hm_err err = {0};

    for (size_t at = 0; at + 3 < sizeof text; at += 2)
        memcpy(text + at, "é", 3);
    (void)hm_err_set(&err, HM_ETOOBIG, "%s", text);
    assert_int_equal(hm_err_wrap(&err, "in é"), HM_ETOOBIG);
    assert_true(hm_starts_with(err.msg, "in é: éé"));
    assert_true(hm_ends_with(err.msg, "é…"));
    assert_true(hm_utf8_valid(err.msg, strlen(err.msg)));
    for (int i = 0; i < 5; i++) /* a prefix that fills the message by itself */
        assert_int_equal(hm_err_wrap(&err, "%s", text), HM_ETOOBIG);
    assert_true(hm_utf8_valid(err.msg, strlen(err.msg)));
    assert_true(strlen(err.msg) < HM_ERR_MAX);
}

static void test_every_code_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < HM_CODE_NR; i++) {
        assert_non_null(hm_code_name((enum hm_code)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(hm_code_name((enum hm_code)i), hm_code_name((enum hm_code)j));
    }
    assert_string_equal(hm_code_name(HM_OK), "ok");
    assert_string_equal(hm_code_name(HM_EUNKNOWN), "unknown-outcome");
    assert_string_equal(hm_code_name(HM_CODE_NR), "unknown-code");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_keeps_code_and_sentence),
        cmocka_unit_test(test_null_err_still_gives_the_code),
        cmocka_unit_test(test_wrap_puts_context_in_front),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_cut_on_a_boundary),
        cmocka_unit_test(test_longest_sentence_is_not_cut),
        cmocka_unit_test(test_wrap_of_a_full_message_is_cut),
        cmocka_unit_test(test_every_code_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
