/* The forms that start recipes: fields from params, what a message speaks of, references, errors; golden text. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "view/start.h"

#define UUID  "5a5d411b-e41a-4a30-ab34-bac476b95761"
#define UUID2 "319703ce-b90d-5a07-8195-33df0de911c8"

static const char recipe_text[] =
    "name = \"every-type\"; title = \"One param of each type\";\n"
    "params = (\n"
    "{ name = \"id\"; type = \"uuid\"; help = \"the dataset\"; },\n"
    "{ name = \"transaction\"; type = \"uuid\"; help = \"where it is\"; default = \"${known.etl.transaction}\"; },\n"
    "{ name = \"number\"; type = \"int\"; help = \"how many\"; min = 1; max = 100; default = 7; },\n"
    "{ name = \"port\"; type = \"int\"; help = \"any number\"; optional = true; },\n"
    "{ name = \"env\"; type = \"choice\"; help = \"where\"; choices = [ \"staging\", \"prod\" ]; default = \"prod\"; },\n"
    "{ name = \"sure\"; type = \"bool\"; help = \"are you\"; default = false; },\n"
    "{ name = \"day\"; type = \"date\"; help = \"of the run\"; },\n"
    "{ name = \"dataset\"; type = \"dataset\"; help = \"its name\"; optional = true; },\n"
    "{ name = \"who\"; type = \"user\"; help = \"whom to tell\"; optional = true; },\n"
    "{ name = \"note\"; type = \"string\"; help = \"why\"; optional = true; max_len = 20; } );\n"
    "steps = ( { id = \"end\"; say = \"x\"; } );\n";

static struct hm_recipe *recipe;
static json_t *scope;

static int set_up(void **state)
{
    (void)state;
    struct hm_diags diags;
    struct hm_err err = {0};
    hm_diags_init(&diags);
    recipe = hm_recipe_parse("x", recipe_text, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        print_error("%d: %s\n", diags.items[i].line, diags.items[i].text);
    hm_diags_done(&diags);
    static const char known[] = "{\"known\":{\"etl\":{\"transaction\":\"" UUID2 "\"}}}";
    scope = hm_json_parse_new(known, sizeof known - 1, 1000, &err);
    return recipe != NULL && scope != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hm_recipe_free(recipe);
    json_decref(scope);
    return 0;
}

static json_t *json(const char *text)
{
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new(text, strlen(text), 100000, &err);
    assert_non_null(value);
    return value;
}

static void add_view(struct hm_strbuf *out, const char *name, json_t *stolen_view)
{
    char why[256] = "";
    assert_non_null(stolen_view);
    if (!hm_limits_view(stolen_view, why, sizeof why))
        fail_msg("%s: %s", name, why);
    char *text = hm_block_text(hm_json_get_arr(stolen_view, "blocks"));
    hm_strbuf_addf(out, "== %s: %s %s\n%s\n%s", name, hm_json_get_str(stolen_view, "callback_id", ""),
                   hm_json_get_str(stolen_view, "private_metadata", ""),
                   json_string_value(hm_json_get_path(stolen_view, "title.text")), text);
    size_t i = 0;
    json_t *block = NULL;
    json_array_foreach(hm_json_get_arr(stolen_view, "blocks"), i, block)
    {
        json_t *element = hm_json_get_obj(block, "element");
        if (element == NULL)
            continue;
        char *dump = json_dumps(element, JSON_COMPACT | JSON_SORT_KEYS);
        hm_strbuf_addf(out, "  %s%s: %s\n", hm_json_get_str(block, "block_id", ""),
                       hm_json_get_bool(block, "optional", false) ? " (optional)" : "", dump);
        free(dump);
        const char *hint = json_string_value(hm_json_get_path(block, "hint.text"));
        if (hint != NULL)
            hm_strbuf_addf(out, "    %s\n", hint);
    }
    hm_strbuf_addc(out, '\n');
    free(text);
    json_decref(stolen_view);
}

static json_t *form(const struct hm_recipe *of, const struct hm_start_ref *ref, const char *where)
{
    struct hm_err err = {0};
    return hm_start_form_new(&(const struct hm_start_form){.recipe = of, .ref = ref, .scope = scope, .where = where}, &err);
}

static void test_forms(void **state)
{
    (void)state;
    struct hm_strbuf out;
    struct hm_err err = {0};
    hm_strbuf_init(&out, 100000);
    json_t *given =
        json("{\"id\":\"https://x.y/" UUID "\",\"number\":\"12\",\"sure\":\"yes\",\"env\":\"Staging\",\"note\":\"a\"}");
    json_t *found = json("{\"uuid\":[\"" UUID "\"],\"dataset\":[\"archive/x\"]}");
    const struct hm_start_ref plain = {.channel = "C0OPS", .thread_ts = "1.2"};
    const struct hm_start_ref words = {.channel = "C0OPS", .values = given};
    const struct hm_start_ref message = {.channel = "C0ETL", .thread_ts = "1.2", .found = found};
    add_view(&out, "nothing given", form(recipe, &plain, NULL));
    add_view(&out, "some words given", form(recipe, &words, NULL));
    add_view(&out, "from a message", form(recipe, &message, NULL));
    add_view(&out, "from nowhere", form(recipe, &(const struct hm_start_ref){0}, "C0OPS"));
    add_view(&out, "from nowhere, no channel set", form(recipe, &(const struct hm_start_ref){0}, ""));
    add_view(&out, "choosing", hm_start_pick_new(&message, &err));
    assert_true(hm_golden_matches("view/start.txt", hm_strbuf_str(&out)));
    json_decref(given);
    json_decref(found);
    hm_strbuf_done(&out);
}

static void test_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"text\":\"nothing\"}", "{}"},
        {"{\"text\":\"dataset " UUID " of " UUID2 ", again " UUID "\"}", "{\"uuid\":[\"" UUID "\",\"" UUID2 "\"]}"},
        {"{\"text\":\"x" UUID " " UUID "y\"}", "{}"},
        {"{\"text\":\"\",\"attachments\":[{\"title\":\"archive/a-v3 failed.\",\"fields\":[{\"title\":\"id\",\"value\":\"" UUID
         "\"}]}]}",
         "{\"dataset\":[\"archive/a-v3\"],\"uuid\":[\"" UUID "\"]}"},
        {"{\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"`contract-x/y_z`, policy/p. model/ "
         "my/model/m\"}}]}",
         "{\"dataset\":[\"contract-x/y_z\",\"policy/p\"]}"},
        {"{\"text\":\"<https://x/y?id=" UUID "|look>\"}", "{\"uuid\":[\"" UUID "\"]}"},
        {"[]", "{}"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *message = json(cases[i][0]);
        json_t *found = hm_start_found_new(message);
        char *text = hm_json_text(found);
        assert_string_equal(text, cases[i][1]);
        free(text);
        json_decref(found);
        json_decref(message);
    }
}

static void test_references(void **state)
{
    (void)state;
    struct hm_start_ref back;
    json_t *values = json("{\"note\":\"a\\\"b\"}");
    json_t *found = json("{\"uuid\":[\"" UUID "\"]}");
    const struct hm_start_ref ref = {.recipe = "retract", .channel = "C1", .thread_ts = "1.2", .values = values, .found = found};
    struct hm_start_ref offered = ref;
    offered.offer = "a-7k2m9x.0123456789abcdef";
    char *text = hm_start_ref_text(&offered, 80); /* it is never left out */
    assert_true(hm_start_ref_parse(text, &back));
    assert_string_equal(back.offer, offered.offer);
    assert_null(back.values);
    hm_start_ref_done(&back);
    free(text);

    text = hm_start_ref_text(&ref, HM_START_REF_BUTTON);
    assert_true(hm_start_ref_parse(text, &back));
    assert_string_equal(back.recipe, "retract");
    assert_string_equal(back.offer, "");
    assert_string_equal(back.thread_ts, "1.2");
    assert_true(json_equal(back.values, values) && json_equal(back.found, found));
    hm_start_ref_done(&back);
    free(text);

    /* That it is to be a dry run is kept, however little room there is. */
    struct hm_start_ref dry = ref;
    dry.dry = true;
    text = hm_start_ref_text(&dry, 40);
    assert_true(hm_start_ref_parse(text, &back));
    assert_true(back.dry && back.values == NULL);
    hm_start_ref_done(&back);
    free(text);

    /* What is too long is left out, what is found first. */
    text = hm_start_ref_text(&ref, 60);
    assert_string_equal(text, "{\"c\":\"C1\",\"r\":\"retract\",\"t\":\"1.2\",\"v\":{\"note\":\"a\\\"b\"}}");
    free(text);
    text = hm_start_ref_text(&ref, 40);
    assert_string_equal(text, "{\"c\":\"C1\",\"r\":\"retract\",\"t\":\"1.2\"}");
    free(text);

    static const char *const bad[] = {"", "x", "[]", "{", "r-7k2m.abc"};
    for (size_t i = 0; i < HM_ARRAY_LEN(bad); i++) {
        assert_false(hm_start_ref_parse(bad[i], &back));
        assert_string_equal(back.recipe, "");
        hm_start_ref_done(&back);
    }
    assert_true(hm_start_ref_parse("{\"r\":7,\"v\":[]}", &back));
    assert_string_equal(back.recipe, "");
    assert_null(back.values);
    hm_start_ref_done(&back);
    json_decref(values);
    json_decref(found);
}

static void test_submitted(void **state)
{
    (void)state;
    /* Untouched defaults are no answer of his; empty fields are none at all. */
    json_t *fields = json("{\"id\":\" " UUID " \",\"transaction\":\"" UUID2
                          "\",\"number\":\"7\",\"env\":\"prod\",\"sure\":\"true\",\"day\":null,"
                          "\"note\":\"  \",\"hm.dry\":[\"dry\"]}");
    json_t *values = hm_start_values_new(recipe, fields, scope);
    char *text = hm_json_text(values);
    assert_string_equal(text, "{\"id\":\" " UUID " \",\"sure\":\"true\"}");
    free(text);
    char *errors = hm_start_errors(recipe, values, scope, NULL);
    assert_string_equal(
        errors, "{\"errors\":{\"day\":\"day is missing; it must be a date like 2026-11-23\"},\"response_action\":\"errors\"}");
    free(errors);
    hm_json_set_str(values, "day", "2026-02-30");
    hm_json_set_str(values, "number", "101");
    errors = hm_start_errors(recipe, values, scope, NULL);
    assert_string_equal(
        errors, "{\"errors\":{\"day\":\"day must be a date like 2026-11-23; \\\"2026-02-30\\\" is not\",\"number\":\"number must "
                "be a whole number from 1 to 100; \\\"101\\\" is not\"},\"response_action\":\"errors\"}");
    free(errors);
    hm_json_set_str(values, "day", "2026-02-28");
    hm_json_set_str(values, "number", "100");
    assert_null(hm_start_errors(recipe, values, scope, NULL));
    json_decref(values);
    json_decref(fields);
}

static void test_options(void **state)
{
    (void)state;
    const struct hm_recipe *recipes[] = {recipe};
    char *text = hm_start_options(recipes, 1, "EVERY param");
    assert_string_equal(
        text, "{\"options\":[{\"text\":{\"emoji\":false,\"text\":\"every-type: One param of each type\",\"type\":\"plain_text\"},"
              "\"value\":\"every-type\"}]}");
    free(text);
    text = hm_start_options(recipes, 1, "retract");
    assert_string_equal(text, "{\"options\":[]}");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),     cmocka_unit_test(test_found),   cmocka_unit_test(test_references),
        cmocka_unit_test(test_submitted), cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
