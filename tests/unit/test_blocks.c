/* The builder: what it makes, and that nothing it is given can make it pass a limit (checked by tests/support/block_limits.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/blocks.h"
#include "slack/escape.h"
#include "support/block_limits.h"

static char *repeat(const char *piece, size_t n)
{
    struct hm_strbuf b;
    hm_strbuf_init(&b, SIZE_MAX / 2);
    for (size_t i = 0; i < n; i++)
        hm_strbuf_adds(&b, piece);
    return hm_strbuf_take(&b);
}

static void finish_ok(struct hm_blocks *b, struct hm_slack_message *m)
{
    char why[256] = "";
    hm_blocks_finish(b, "fallback", m);
    if (!hm_limits_message(m->text, m->blocks, why, sizeof why))
        fail_msg("%s", why);
}

static const char *type_at(const struct hm_slack_message *m, size_t i)
{
    return hm_json_get_str(json_array_get(m->blocks, i), "type", "-");
}

static void test_one_of_each(void **state)
{
    (void)state;
    static const char *const small[] = {"*Asked by* <@U1>", "*Run* `r-7k2m`"};
    static const struct hm_confirm confirm = {"Send it?", "One POST is sent.", "Send it", "Back", HM_STYLE_DANGER};
    static const struct hm_button buttons[] = {{"Approve", "hm.approve", "n1", HM_STYLE_PRIMARY, &confirm},
                                               {"Reject", "hm.reject", "n1", HM_STYLE_DEFAULT, NULL},
                                               {"Again", "hm.approve", "n2", HM_STYLE_DANGER, NULL}};
    struct hm_slack_message m;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, "r.1", 0);
    assert_true(hm_blocks_header(b, "Retract a dataset"));
    assert_true(hm_blocks_fields(b, small, 2));
    assert_true(hm_blocks_section(b, "*hello*"));
    assert_true(hm_blocks_preformatted(b, "POST <x> & `y`", 0));
    assert_true(hm_blocks_divider(b));
    assert_true(hm_blocks_context(b, small, 2));
    assert_true(hm_blocks_actions(b, buttons, 3));
    finish_ok(b, &m);
    char *text = hm_json_text(m.blocks);
    assert_string_equal(
        text,
        "[{\"block_id\":\"r.1.0\",\"text\":{\"emoji\":false,\"text\":\"Retract a "
        "dataset\",\"type\":\"plain_text\"},\"type\":\"header\"},"
        "{\"block_id\":\"r.1.1\",\"fields\":[{\"text\":\"*Asked by* <@U1>\",\"type\":\"mrkdwn\",\"verbatim\":true},"
        "{\"text\":\"*Run* `r-7k2m`\",\"type\":\"mrkdwn\",\"verbatim\":true}],\"type\":\"section\"},"
        "{\"block_id\":\"r.1.2\",\"text\":{\"text\":\"*hello*\",\"type\":\"mrkdwn\",\"verbatim\":true},\"type\":\"section\"},"
        "{\"block_id\":\"r.1.3\",\"elements\":[{\"elements\":[{\"text\":\"POST <x> & `y`\",\"type\":\"text\"}],"
        "\"type\":\"rich_text_preformatted\"}],\"type\":\"rich_text\"},"
        "{\"block_id\":\"r.1.4\",\"type\":\"divider\"},"
        "{\"block_id\":\"r.1.5\",\"elements\":[{\"text\":\"*Asked by* <@U1>\",\"type\":\"mrkdwn\",\"verbatim\":true},"
        "{\"text\":\"*Run* `r-7k2m`\",\"type\":\"mrkdwn\",\"verbatim\":true}],\"type\":\"context\"},"
        "{\"block_id\":\"r.1.6\",\"elements\":["
        "{\"action_id\":\"hm.approve\",\"confirm\":{\"confirm\":{\"emoji\":false,\"text\":\"Send it\",\"type\":\"plain_text\"},"
        "\"deny\":{\"emoji\":false,\"text\":\"Back\",\"type\":\"plain_text\"},\"style\":\"danger\","
        "\"text\":{\"emoji\":false,\"text\":\"One POST is sent.\",\"type\":\"plain_text\"},"
        "\"title\":{\"emoji\":false,\"text\":\"Send it?\",\"type\":\"plain_text\"}},\"style\":\"primary\","
        "\"text\":{\"emoji\":false,\"text\":\"Approve\",\"type\":\"plain_text\"},\"type\":\"button\",\"value\":\"n1\"},"
        "{\"action_id\":\"hm.reject\",\"text\":{\"emoji\":false,\"text\":\"Reject\",\"type\":\"plain_text\"},\"type\":\"button\","
        "\"value\":\"n1\"},"
        "{\"action_id\":\"hm.approve#2\",\"style\":\"danger\",\"text\":{\"emoji\":false,\"text\":\"Again\",\"type\":\"plain_"
        "text\"},"
        "\"type\":\"button\",\"value\":\"n2\"}],\"type\":\"actions\"}]");
    assert_string_equal(m.text, "fallback");
    assert_false(m.shortened);
    free(text);
    hm_slack_message_done(&m);
}

static void test_nothing_becomes_the_fallback(void **state)
{
    (void)state;
    struct hm_slack_message m;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    assert_true(hm_blocks_section(b, "  \n"));
    assert_true(hm_blocks_header(b, NULL));
    assert_true(hm_blocks_preformatted(b, "", 0));
    assert_true(hm_blocks_actions(b, NULL, 0));
    finish_ok(b, &m);
    assert_int_equal(json_array_size(m.blocks), 1);
    assert_string_equal(hm_json_get_str(hm_json_get_obj(json_array_get(m.blocks, 0), "text"), "text", ""), "fallback");
    hm_slack_message_done(&m);

    b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    hm_blocks_finish(b, "", &m);
    assert_string_equal(m.text, "hausmeister");
    hm_slack_message_done(&m);
}

static void test_a_long_text_goes_on(void **state)
{
    (void)state;
    struct hm_slack_message m;
    char *lines = repeat("a line of forty characters, about that.\n", 120);
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    assert_true(hm_blocks_section(b, lines));
    finish_ok(b, &m);
    assert_int_equal(json_array_size(m.blocks), 2);
    assert_true(hm_ends_with(hm_json_get_str(hm_json_get_obj(json_array_get(m.blocks, 0), "text"), "text", ""), "that."));
    hm_slack_message_done(&m);

    b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    assert_true(hm_blocks_preformatted(b, lines, 0));
    finish_ok(b, &m);
    assert_int_equal(json_array_size(m.blocks), 2);
    hm_slack_message_done(&m);
    free(lines);
}

static void test_too_much_is_told(void **state)
{
    (void)state;
    struct hm_slack_message m;
    char *much = repeat("0123456789", 3000);
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    hm_blocks_where(b, "`/hausmeister show r-7k2m` has it all.");
    hm_blocks_reserve(b, 1, 500);
    assert_false(hm_blocks_preformatted(b, much, 0));
    hm_blocks_reserve(b, 0, 0);
    assert_true(hm_blocks_section(b, "the end"));
    finish_ok(b, &m);
    assert_true(m.shortened);
    size_t n = json_array_size(m.blocks);
    assert_string_equal(type_at(&m, n - 2), "section");
    char *last = hm_json_text(json_array_get(m.blocks, n - 1));
    char *before = hm_json_text(json_array_get(m.blocks, n - 3));
    assert_non_null(strstr(last, "Shortened to fit into Slack. `/hausmeister show r-7k2m` has it all."));
    assert_non_null(strstr(before, " more characters"));
    free(last);
    free(before);
    hm_slack_message_done(&m);

    /* A ceiling of the caller's own. */
    b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    assert_false(hm_blocks_preformatted(b, much, 400));
    finish_ok(b, &m);
    char *one = hm_json_text(json_array_get(m.blocks, 0));
    assert_true(strlen(one) < 600);
    assert_non_null(strstr(one, "… 29,648 more characters"));
    free(one);
    hm_slack_message_done(&m);
    free(much);
}

static void test_many_blocks_leave_room_for_buttons(void **state)
{
    (void)state;
    static const struct hm_button button = {"Approve", "hm.approve", "n", HM_STYLE_PRIMARY, NULL};
    struct hm_slack_message m;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    hm_blocks_reserve(b, 1, 300);
    for (int i = 0; i < 80; i++)
        (void)hm_blocks_divider(b);
    assert_int_equal(hm_blocks_room(b), 0);
    hm_blocks_reserve(b, 0, 0);
    assert_true(hm_blocks_actions(b, &button, 1));
    finish_ok(b, &m);
    assert_int_equal(json_array_size(m.blocks), 50);
    assert_string_equal(type_at(&m, 48), "actions");
    assert_string_equal(type_at(&m, 49), "context");
    hm_slack_message_done(&m);
}

static void test_what_can_not_be_cut_is_left_out(void **state)
{
    (void)state;
    char *value = repeat("v", 1801);
    struct hm_button buttons[] = {{"A", "a", value, HM_STYLE_DEFAULT, NULL}, {"B", "b", "ok", HM_STYLE_DEFAULT, NULL}};
    struct hm_slack_message m;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, "x", 0);
    assert_false(hm_blocks_actions(b, buttons, 2));
    finish_ok(b, &m);
    assert_true(m.shortened);
    assert_int_equal(json_array_size(hm_json_get_arr(json_array_get(m.blocks, 0), "elements")), 1);
    hm_slack_message_done(&m);
    free(value);
}

/* ---- any input
 * ------------------------------------------------------------------------------------------------------------------ */

static uint32_t seed;

static uint32_t dice(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static char *random_text(size_t max)
{
    static const char *const pieces[] = {
        "word ",    "\n",          "&amp;", "<@U12345>", "```",  "`", "😀", "ä",
        "\"\"\"\"", "\\",          "漢字",  "\x01",      "\xff", "<", "&", "a_long_identifier_without_any_break",
        " ",        "\xe2\x80\xae"};
    struct hm_strbuf b;
    size_t want = dice(8) == 0 ? dice((uint32_t)max) : dice(200);
    const char *only = dice(4) == 0 ? pieces[dice(HM_ARRAY_LEN(pieces))] : NULL;
    hm_strbuf_init(&b, SIZE_MAX / 2);
    while (b.len < want)
        hm_strbuf_adds(&b, only != NULL ? only : pieces[dice(HM_ARRAY_LEN(pieces))]);
    return hm_strbuf_take(&b);
}

static void random_part(struct hm_blocks *b)
{
    char *a = random_text(20000);
    char *z = random_text(3000);
    const char *texts[40];
    struct hm_button buttons[40];
    struct hm_confirm confirm = {a, z, z, a, HM_STYLE_DANGER};
    size_t n = dice(40);
    for (size_t i = 0; i < n; i++) {
        texts[i] = dice(2) == 0 ? a : z;
        buttons[i] = (struct hm_button){z, "hm.x", dice(3) == 0 ? a : "v", HM_STYLE_PRIMARY, dice(2) == 0 ? &confirm : NULL};
    }
    switch (dice(8)) {
    case 0:
        (void)hm_blocks_header(b, a);
        break;
    case 1:
        (void)hm_blocks_section(b, a);
        break;
    case 2:
        (void)hm_blocks_fields(b, texts, n);
        break;
    case 3:
        (void)hm_blocks_context(b, texts, n);
        break;
    case 4:
        (void)hm_blocks_preformatted(b, a, dice(3) == 0 ? dice(5000) : 0);
        break;
    case 5:
        (void)hm_blocks_actions(b, buttons, n);
        break;
    case 6:
        hm_blocks_reserve(b, dice(60), dice(12000));
        break;
    default:
        (void)hm_blocks_divider(b);
        break;
    }
    free(a);
    free(z);
}

static void test_nothing_can_exceed(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        seed = round * 2654435761u + 1;
        char why[256] = "";
        struct hm_slack_message m;
        char *where = random_text(1000);
        struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, where, dice(2) == 0 ? 0 : 1000 + dice(20000));
        hm_blocks_where(b, where);
        for (uint32_t parts = dice(30); parts > 0; parts--)
            random_part(b);
        hm_blocks_finish(b, where, &m);
        if (!hm_limits_message(m.text, m.blocks, why, sizeof why))
            fail_msg("round %u: %s", round, why);
        hm_slack_message_done(&m);
        free(where);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_each),
        cmocka_unit_test(test_nothing_becomes_the_fallback),
        cmocka_unit_test(test_a_long_text_goes_on),
        cmocka_unit_test(test_too_much_is_told),
        cmocka_unit_test(test_many_blocks_leave_room_for_buttons),
        cmocka_unit_test(test_what_can_not_be_cut_is_left_out),
        cmocka_unit_test(test_nothing_can_exceed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
