/* Escaping and cutting: no foreign text may mention, link or format, and no cut may leave half of anything behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"

typedef void (*escape_fn)(struct hm_strbuf *out, const char *text);

struct row {
    const char *in, *out;
};

static void check_rows(escape_fn fn, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hm_strbuf b;
        hm_strbuf_init(&b, 10000);
        fn(&b, rows[i].in);
        assert_string_equal(hm_strbuf_str(&b), rows[i].out);
        hm_strbuf_done(&b);
    }
}

static void test_mrkdwn(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {NULL, ""},
        {"plain", "plain"},
        {"<!channel> <@U1> & <https://x|y>", "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;https://x|y&gt;"},
        {"&amp;", "&amp;amp;"},
        {"a_b_c stays_whole 2*3*4", "a_b_c stays_whole 2*3*4"},
        {"__init__", "ˍˍinitˍˍ"},
        {"a__b", "aˍˍb"}, /* clients differ about two in a row; recipes put such names in code spans */
        {"_x_ *y* ~z~", "ˍxˍ ∗y∗ ∼z∼"},
        {"*", "∗"},
        {"cron 5 * 4 _ 3", "cron 5 * 4 _ 3"},
        {"cron: * * *", "cron: * * ∗"},
        {"** a", "∗∗ a"},
        {"a ** b", "a ∗∗ b"},
        {"`code` a`b", "ˋcodeˋ aˋb"},
        {"two\nlines\tand", "two\nlines\tand"},
        {"dos\r\nlines", "dos\nlines"},
        {"bell\x07 and \xff", "bell\xef\xbf\xbd and \xef\xbf\xbd"},
        {"abc\xe2\x80\xae"
         "def",
         "abc\\u202Edef"},
        {"zero\xe2\x80\x8bwidth \xf3\xa0\x81\x81tag", "zero\\u200Bwidth \\U000E0041tag"},
        {"Ünïcödé 漢字 😀", "Ünïcödé 漢字 😀"},
    };
    check_rows(hm_slack_escape_mrkdwn, rows, HM_ARRAY_LEN(rows));
}

static void test_line_and_code(void **state)
{
    (void)state;
    static const struct row lines[] = {{"a\nb\tc", "a b c"}, {"x\n*bold*", "x ∗bold∗"}};
    static const struct row codes[] = {
        {"a*b* _c_", "a*b* _c_"}, {"x`y", "xˋy"}, {"<a & b>", "&lt;a &amp; b&gt;"}, {"two\nlines", "two lines"}, {NULL, ""}};
    static const struct row spans[] = {{"x", "`x`"}, {"", "–"}, {NULL, "–"}, {"`", "`ˋ`"}};
    check_rows(hm_slack_escape_line, lines, HM_ARRAY_LEN(lines));
    check_rows(hm_slack_escape_code, codes, HM_ARRAY_LEN(codes));
    check_rows(hm_slack_add_code, spans, HM_ARRAY_LEN(spans));
}

static void test_unescape(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a &lt;b&gt; &amp;amp; &nbsp; &", "a <b> &amp; &nbsp; &"}, {"<@U1>", "<@U1>"}, {"", ""}, {NULL, ""}};
    check_rows(hm_slack_unescape, rows, HM_ARRAY_LEN(rows));
}

static void test_length_counts_utf16_units(void **state)
{
    (void)state;
    assert_int_equal(hm_slack_length(""), 0);
    assert_int_equal(hm_slack_length("abc"), 3);
    assert_int_equal(hm_slack_length("äö漢"), 3);
    assert_int_equal(hm_slack_length("😀"), 2);
    assert_int_equal(hm_slack_length("\xff\xe2\x82"), 3);
}

static void test_prefix_parts_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max, want;
    } rows[] = {{"abc", 2, 2},      {"abc", 3, 3},
                {"ab&amp;c", 4, 2}, {"ab&amp;c", 7, 7},
                {"&amp;", 4, 0},    {"a<@U1>b", 5, 1},
                {"a<@U1>b", 6, 6},  {"a < b", 3, 3},
                {"a&b", 2, 2},      {"aä", 1, 1},
                {"a😀", 2, 1},       {"a😀b", 3, 5},
                {"<a\nb>", 3, 3},   {"x<!date^1^{time}|t>", 9, 1},
                {"abc", 0, 0}};
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++)
        assert_int_equal(hm_slack_prefix(rows[i].text, rows[i].max), rows[i].want);
}

static char *repeat(const char *piece, size_t n)
{
    struct hm_strbuf b;
    hm_strbuf_init(&b, SIZE_MAX / 2);
    for (size_t i = 0; i < n; i++)
        hm_strbuf_adds(&b, piece);
    return hm_strbuf_take(&b);
}

static void test_cut_says_what_is_missing(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 10000);
    assert_int_equal(hm_slack_cut_mrkdwn(&b, "short", 64), 0);
    assert_string_equal(hm_strbuf_str(&b), "short");

    hm_strbuf_reset(&b);
    char *text = repeat("x", 1300);
    assert_int_equal(hm_slack_cut_mrkdwn(&b, text, 100), 1252);
    assert_true(hm_ends_with(hm_strbuf_str(&b), "x\n… 1,252 more characters"));
    assert_true(hm_slack_length(hm_strbuf_str(&b)) <= 100);

    hm_strbuf_reset(&b);
    assert_int_equal(hm_slack_cut_plain(&b, text, 100), 1248);
    assert_true(hm_ends_with(hm_strbuf_str(&b), "x\n… 1,248 more characters"));
    assert_true(hm_slack_length(hm_strbuf_str(&b)) <= 100);
    free(text);

    hm_strbuf_reset(&b);
    assert_int_equal(hm_slack_cut_label(&b, "a label that is long", 10), 11);
    assert_string_equal(hm_strbuf_str(&b), "a label t…");
    hm_strbuf_done(&b);
}

static void test_cut_closes_code(void **state)
{
    (void)state;
    struct hm_strbuf b;
    hm_strbuf_init(&b, 10000);
    char *inside = repeat("y ", 200);

    char *fence = hm_xasprintf("```%s```", inside);
    assert_true(hm_slack_cut_mrkdwn(&b, fence, 120) > 0);
    assert_non_null(strstr(hm_strbuf_str(&b), "y\n```\n… "));
    hm_strbuf_reset(&b);

    char *span = hm_xasprintf("a `%s` b", inside);
    assert_true(hm_slack_cut_mrkdwn(&b, span, 120) > 0);
    assert_non_null(strstr(hm_strbuf_str(&b), "y`\n… "));
    hm_strbuf_reset(&b);

    /* The cut falls between the backticks of a fence: none of them stays. 120 - 48 - 4 leaves 68 units. */
    char *x = repeat("x", 66);
    char *parted = hm_xasprintf("%s```%s```", x, inside);
    assert_true(hm_slack_cut_mrkdwn(&b, parted, 120) > 0);
    assert_null(strchr(hm_strbuf_str(&b), '`'));
    hm_strbuf_done(&b);
    free(x);
    free(parted);
    free(span);
    free(fence);
    free(inside);
}

/* Random texts of nasty pieces, cut everywhere: within the limit, well-formed, and what is kept is a prefix made of whole atoms.
 */
static void test_cut_property(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",  " ",   "\n", "&amp;", "&lt;", "<@U123>", "<https://x.y/z|l>", "```", "`", "😀", "ä",
                                         "漢", "*b*", "<",  "&",     "\xff", "_i_"};
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        struct hm_strbuf text;
        struct hm_strbuf cut;
        hm_strbuf_init(&text, 10000);
        hm_strbuf_init(&cut, 10000);
        for (int i = 0; i < 120; i++) {
            seed = seed * 1664525u + 1013904223u;
            hm_strbuf_adds(&text, pieces[(seed >> 16) % HM_ARRAY_LEN(pieces)]);
        }
        size_t max = 64 + (seed >> 20) % 200;
        const char *s = hm_strbuf_str(&text);
        size_t left = hm_slack_cut_mrkdwn(&cut, s, max);
        const char *got = hm_strbuf_str(&cut);
        assert_true(hm_slack_length(got) <= max);
        if (left == 0) {
            assert_string_equal(got, s);
        } else {
            size_t kept = 0;
            while (got[kept] != '\0' && got[kept] == s[kept])
                kept++;
            const char *note = strstr(got + (kept > 8 ? kept - 8 : 0), "…");
            assert_non_null(note);
            size_t fences = 0;
            for (const char *p = strstr(got, "```"); p != NULL; p = strstr(p + 3, "```"))
                fences++;
            assert_int_equal(fences % 2, 0);
        }
        hm_strbuf_done(&text);
        hm_strbuf_done(&cut);
    }
}

static void test_escaped_text_has_no_syntax(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (int round = 0; round < 3000; round++) {
        char text[64];
        for (size_t i = 0; i < sizeof text - 1; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = (char)(1 + (seed >> 16) % 255);
        }
        text[sizeof text - 1] = '\0';
        struct hm_strbuf b;
        hm_strbuf_init(&b, 10000);
        hm_slack_escape_mrkdwn(&b, text);
        const char *s = hm_strbuf_str(&b);
        assert_null(strpbrk(s, "<>`"));
        assert_true(hm_utf8_valid(s, strlen(s)));
        for (const char *p = strchr(s, '&'); p != NULL; p = strchr(p + 1, '&'))
            assert_true(hm_starts_with(p, "&amp;") || hm_starts_with(p, "&lt;") || hm_starts_with(p, "&gt;"));
        hm_strbuf_done(&b);
    }
}

static void test_count(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *text;
    } rows[] = {{0, "0"}, {7, "7"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"}};
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct hm_strbuf b;
        hm_strbuf_init(&b, 100);
        hm_slack_add_count(&b, rows[i].n);
        assert_string_equal(hm_strbuf_str(&b), rows[i].text);
        hm_strbuf_done(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mrkdwn),
        cmocka_unit_test(test_line_and_code),
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_length_counts_utf16_units),
        cmocka_unit_test(test_prefix_parts_nothing),
        cmocka_unit_test(test_cut_says_what_is_missing),
        cmocka_unit_test(test_cut_closes_code),
        cmocka_unit_test(test_cut_property),
        cmocka_unit_test(test_escaped_text_has_no_syntax),
        cmocka_unit_test(test_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
