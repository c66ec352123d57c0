/* Views: the JSON of each kind of field, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/form.h"
#include "support/block_limits.h"

static const struct hm_view_head head = {"hm.start", "Retract a dataset", "Start", "Back", "{\"recipe\":\"retract\"}", false};

static json_t *view_ok_new(struct hm_blocks *b, const struct hm_view_head *h)
{
    char why[256] = "";
    json_t *view = hm_form_view_new(b, HM_SURFACE_MODAL, h, NULL);
    assert_non_null(view);
    if (!hm_limits_view(view, why, sizeof why))
        fail_msg("%s", why);
    return view;
}

static const struct hm_form_option two[] = {{"foz", "foz"}, {"cantareira", "cantareira"}};

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        struct hm_form_field field;
        const char *element;
    } rows[] = {
        {{.name = "id", .kind = HM_FORM_TEXT, .label = "Dataset", .initial = "x", .placeholder = "its id", .max_len = 36},
         "{\"action_id\":\"value\",\"initial_value\":\"x\",\"max_length\":36,\"multiline\":false,"
         "\"placeholder\":{\"emoji\":false,\"text\":\"its id\",\"type\":\"plain_text\"},\"type\":\"plain_text_input\"}"},
        {{.name = "id", .kind = HM_FORM_TEXT, .label = "Dataset", .initial = "longer", .max_len = 3},
         "{\"action_id\":\"value\",\"max_length\":3,\"multiline\":false,\"type\":\"plain_text_input\"}"},
        {{.name = "why", .kind = HM_FORM_LINES, .label = "Reason", .optional = true},
         "{\"action_id\":\"value\",\"max_length\":2700,\"multiline\":true,\"type\":\"plain_text_input\"}"},
        {{.name = "n", .kind = HM_FORM_INT, .label = "Count", .initial = "7", .min = 1, .max = 9},
         "{\"action_id\":\"value\",\"initial_value\":\"7\",\"is_decimal_allowed\":false,\"max_value\":\"9\",\"min_value\":\"1\","
         "\"type\":\"number_input\"}"},
        {{.name = "n", .kind = HM_FORM_INT, .label = "Count", .initial = "70", .min = 1, .max = 9},
         "{\"action_id\":\"value\",\"is_decimal_allowed\":false,\"max_value\":\"9\",\"min_value\":\"1\",\"type\":\"number_"
         "input\"}"},
        {{.name = "d", .kind = HM_FORM_DATE, .label = "Day", .initial = "2026-11-23"},
         "{\"action_id\":\"value\",\"initial_date\":\"2026-11-23\",\"type\":\"datepicker\"}"},
        {{.name = "d", .kind = HM_FORM_DATE, .label = "Day", .initial = "2026-13-01"},
         "{\"action_id\":\"value\",\"type\":\"datepicker\"}"},
        {{.name = "e", .kind = HM_FORM_CHOICE, .label = "Environment", .initial = "foz", .options = two, .n_options = 1},
         "{\"action_id\":\"value\",\"initial_option\":{\"text\":{\"emoji\":false,\"text\":\"foz\",\"type\":\"plain_text\"},"
         "\"value\":\"foz\"},\"options\":[{\"text\":{\"emoji\":false,\"text\":\"foz\",\"type\":\"plain_text\"},\"value\":\"foz\"}"
         "],"
         "\"type\":\"static_select\"}"},
        {{.name = "e", .kind = HM_FORM_CHOICES, .label = "Environment", .initial = "nowhere", .options = two, .n_options = 1},
         "{\"action_id\":\"value\",\"options\":[{\"text\":{\"emoji\":false,\"text\":\"foz\",\"type\":\"plain_text\"},\"value\":"
         "\"foz\"}],\"type\":\"multi_static_select\"}"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MODAL, "f", 0);
        assert_true(hm_form_input(b, &rows[i].field));
        json_t *view = view_ok_new(b, &head);
        const json_t *block = json_array_get(hm_json_get_arr(view, "blocks"), 0);
        char *text = hm_json_text(hm_json_get_obj(block, "element"));
        assert_string_equal(text, rows[i].element);
        assert_string_equal(hm_json_get_str(block, "block_id", ""), rows[i].field.name);
        assert_int_equal(hm_json_get_bool(block, "optional", true), rows[i].field.optional);
        free(text);
        json_decref(view);
    }
}

static void test_fields_that_can_not_be(void **state)
{
    (void)state;
    static const struct hm_form_option no_value[] = {{"x", ""}};
    static const struct hm_form_field rows[] = {
        {.name = "", .kind = HM_FORM_TEXT, .label = "x"},
        {.name = "known", .kind = HM_FORM_TEXT, .label = "x"},
        {.name = "c", .kind = HM_FORM_CHOICE, .label = "x"},
        {.name = "c", .kind = HM_FORM_CHOICE, .label = "x", .options = no_value, .n_options = 1},
        {.name = "\xff", .kind = HM_FORM_TEXT, .label = "x"},
    };
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MODAL, "f", 0);
    struct hm_form_field known = {.name = "known", .kind = HM_FORM_TEXT, .label = "x"};
    assert_true(hm_form_input(b, &known));
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++)
        assert_false(hm_form_input(b, &rows[i]));
    json_decref(view_ok_new(b, &head));
}

/* A field may be called like an id that the builder would give. */
static void test_ids_do_not_collide(void **state)
{
    (void)state;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MODAL, "f", 0);
    struct hm_form_field field = {.name = "f.1", .kind = HM_FORM_TEXT, .label = "x"};
    assert_true(hm_form_input(b, &field));
    assert_true(hm_blocks_section(b, "one"));
    assert_true(hm_blocks_section(b, "two"));
    json_decref(view_ok_new(b, &head));
}

static void test_heads(void **state)
{
    (void)state;
    char *long_text = hm_xmalloc(3002);
    memset(long_text, 'x', 3001);
    long_text[3001] = '\0';
    struct hm_view_head h = {long_text, long_text, long_text, long_text, NULL, true};
    struct hm_err err = {0};
    assert_null(hm_form_view_new(hm_blocks_new(HM_SURFACE_MODAL, "f", 0), HM_SURFACE_MODAL, &h, &err));
    assert_int_equal(err.code, HM_ETOOBIG);
    h.callback_id = "c";
    h.private_metadata = long_text;
    assert_null(hm_form_view_new(hm_blocks_new(HM_SURFACE_MODAL, "f", 0), HM_SURFACE_MODAL, &h, NULL));
    h.private_metadata = long_text + 1;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MODAL, "f", 0);
    assert_true(hm_blocks_section(b, "hello"));
    json_t *view = view_ok_new(b, &h);
    assert_true(hm_json_get_bool(view, "notify_on_close", false));
    json_decref(view);

    /* An input without a submit button gets one; the home tab has neither title nor buttons. */
    h = (struct hm_view_head){.callback_id = "c", .title = "T"};
    b = hm_blocks_new(HM_SURFACE_MODAL, "f", 0);
    struct hm_form_field field = {.name = "x", .kind = HM_FORM_TEXT, .label = "x"};
    assert_true(hm_form_input(b, &field));
    view = view_ok_new(b, &h);
    assert_string_equal(hm_json_get_str(hm_json_get_obj(view, "submit"), "text", ""), "Send");
    json_decref(view);
    view = hm_form_view_new(hm_blocks_new(HM_SURFACE_HOME, "f", 0), HM_SURFACE_HOME, &head, NULL);
    char *text = hm_json_text(view);
    assert_string_equal(text,
                        "{\"blocks\":[],\"callback_id\":\"hm.start\",\"private_metadata\":\"{\\\"recipe\\\":\\\"retract\\\"}\","
                        "\"type\":\"home\"}");
    free(text);
    json_decref(view);
    free(long_text);
}

static void test_many_options(void **state)
{
    (void)state;
    struct hm_form_option options[150];
    char values[150][8];
    static const char long_value[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    for (size_t i = 0; i < 150; i++) {
        values[i][0] = 'v';
        values[i][1] = (char)('a' + i % 26);
        values[i][2] = (char)('a' + i / 26);
        values[i][3] = '\0';
        options[i] = (struct hm_form_option){long_value, i == 3 ? long_value : values[i]};
    }
    struct hm_form_field field = {.name = "c", .kind = HM_FORM_CHOICE, .label = "x", .options = options, .n_options = 150};
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MODAL, "f", 0);
    assert_true(hm_form_input(b, &field));
    json_t *view = view_ok_new(b, &head);
    assert_int_equal(json_array_size(hm_json_get_path(view, "blocks.0.element.options")), 100);
    assert_int_equal(json_array_size(hm_json_get_arr(view, "blocks")), 2); /* the note that something is missing */
    json_decref(view);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields), cmocka_unit_test(test_fields_that_can_not_be), cmocka_unit_test(test_ids_do_not_collide),
        cmocka_unit_test(test_heads),  cmocka_unit_test(test_many_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
