/* Logging: one line per event, levels, foreign bytes that can not forge a line. */
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "capture.h"
#include "unit.h"

struct line {
    enum hm_log_level level;
    const char *ctx;
    const char *text;
};

static void log_it(void *arg)
{
    const struct line *line = arg;
    hm_log(line->level, line->ctx, "%s", line->text);
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        struct line line;
        const char *written;
    } cases[] = {
        {{HM_LOG_ERROR, "journal", "disk full"}, "<3>error journal: disk full\n"},
        {{HM_LOG_WARN, "slack", "slow"}, "<4>warn slack: slow\n"},
        {{HM_LOG_INFO, "run r-7k2m", "done"}, "<6>info run r-7k2m: done\n"},
        {{HM_LOG_DEBUG, "io", "poll"}, "<7>debug io: poll\n"},
        {{HM_LOG_INFO, "a", ""}, "<6>info a: \n"},
        {{HM_LOG_INFO, "a", "é€🔧"}, "<6>info a: é€🔧\n"},
        {{HM_LOG_INFO, "a", "one\n<3>error journal: forged"}, "<6>info a: one\\x0a<3>error journal: forged\n"},
        {{HM_LOG_INFO, "a\nb", "x"}, "<6>info a\\x0ab: x\n"},
        {{HM_LOG_INFO, "a", "\r\t\x1b[31m\x7f\x01"}, "<6>info a: \\x0d\\x09\\x1b[31m\\x7f\\x01\n"},
    };
    hm_log_set_level(HM_LOG_DEBUG);
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        size_t len = 0;
        struct line line = cases[i].line;
        char *written = hm_capture_stderr(log_it, &line, &len);
        assert_string_equal(written, cases[i].written);
        free(written);
    }
    hm_log_set_level(HM_LOG_INFO);
}

static void test_level_drops_lines(void **state)
{
    (void)state;
    for (int threshold = 0; threshold < HM_LOG_NR; threshold++) {
        hm_log_set_level((enum hm_log_level)threshold);
        for (int level = 0; level < HM_LOG_NR; level++) {
            size_t len = 0;
            struct line line = {(enum hm_log_level)level, "a", "x"};
            char *written = hm_capture_stderr(log_it, &line, &len);
            assert_int_equal(len > 0, level <= threshold);
            free(written);
        }
    }
    hm_log_set_level(HM_LOG_INFO);
}

static void test_long_message_is_cut(void **state)
{
    (void)state;
    char text[6001];
    for (size_t at = 0; at + 2 < sizeof text; at += 2)
        memcpy(text + at, "é", 3);
    size_t len = 0;
    struct line line = {HM_LOG_INFO, "a", text};
    char *written = hm_capture_stderr(log_it, &line, &len);
    assert_int_equal(len, strlen("<6>info a: ") + 4000 + strlen("…\n"));
    assert_true(hm_ends_with(written, "é…\n"));
    free(written);

    memset(text, '\x01', sizeof text - 1); /* the worst case of escaping still ends in a newline */
    text[sizeof text - 1] = '\0';
    written = hm_capture_stderr(log_it, &line, &len);
    assert_true(hm_ends_with(written, "\\x01…\n"));
    assert_ptr_equal(strchr(written, '\n'), written + len - 1);
    free(written);
}

static void test_parse_level(void **state)
{
    (void)state;
    static const char *const words[] = {"error", "warn", "info", "debug"};
    enum hm_log_level level = HM_LOG_NR;
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++) {
        assert_int_equal(hm_log_parse_level(words[i], &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(hm_log_parse_level("ERROR", &level), -1);
    assert_int_equal(hm_log_parse_level("", &level), -1);
    assert_int_equal(hm_log_parse_level("information", &level), -1);
    assert_int_equal(level, HM_LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_level_drops_lines),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_parse_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
