/* Params that are chosen from a list: what is made of a read's result, what is offered for what was typed, how the field looks
 * when the list can and can not be had, and what a value that is not in it is told; golden text. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "support/block_limits.h"
#include "support/golden.h"
#include "view/choices.h"
#include "view/start.h"

static const char recipe_text[] =
    "name = \"lists\"; title = \"Params with lists\";\n"
    "params = (\n"
    "{ name = \"namespace\"; type = \"string\"; help = \"where\"; default = \"prod\"; },\n"
    "{ name = \"service\"; type = \"string\"; pattern = \"[a-z0-9-]+\"; help = \"which service\";\n"
    "  list = { do = \"kubernetes.deployments\"; with = { namespace = \"${namespace}\"; label = \"app=x\"; };\n"
    "           value = \"${item.name}\"; label = \"${item.name} in ${namespace}: ${item.image}\"; }; },\n"
    "{ name = \"task\"; type = \"string\"; help = \"which task\"; optional = true;\n"
    "  list = { do = \"airflow.tasks\"; with = { run = \"${cluster}\"; }; from = \"by_state.failed\"; value = \"${item}\";\n"
    "           others = true; }; },\n"
    "{ name = \"cluster\"; type = \"string\"; help = \"of the task\"; } );\n"
    "steps = ( { id = \"end\"; say = \"x\"; } );\n";

static struct hm_recipe *recipe;
static const struct hm_param *service, *task;
static json_t *scope;

static json_t *json(const char *text)
{
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new(text, strlen(text), 1000000, &err);
    assert_non_null(value);
    return value;
}

static int set_up(void **state)
{
    (void)state;
    struct hm_diags diags;
    hm_diags_init(&diags);
    recipe = hm_recipe_parse("x", recipe_text, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        print_error("%d: %s\n", diags.items[i].line, diags.items[i].text);
    hm_diags_done(&diags);
    if (recipe == NULL)
        return -1;
    service = &recipe->params[1];
    task = &recipe->params[2];
    scope = json("{\"known\":{},\"namespace\":\"prod\"}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hm_recipe_free(recipe);
    json_decref(scope);
    return 0;
}

static json_t *choices(const struct hm_param *param, const char *result_text)
{
    struct hm_err err = {0};
    json_t *result = json(result_text);
    json_t *list = hm_choices_new(param->list, result, scope, &err);
    assert_non_null(list);
    json_decref(result);
    return list;
}

static json_t *services(void)
{
    return choices(service, "{\"list\":[{\"name\":\"metapod\",\"image\":\"m:1\"},{\"name\":\"mordor\",\"image\":\"m:2\"},"
                            "{\"image\":\"nameless\"},7,{\"name\":\"metapod\",\"image\":\"m:3\"},{\"name\":\"tapir\"},{\"name\":"
                            "\"a-name-that-is-longer-than-the-sixty-seven-characters-which-an-option-holds\",\"image\":\"x\"}]}");
}

/* Each value once, in order; without a label it is its own. */
static void test_from_a_result(void **state)
{
    (void)state;
    struct hm_err err = {0};
    json_t *list = services();
    char *text = hm_json_text(list);
    assert_string_equal(text,
                        "[[\"metapod\",\"metapod in prod: m:1\"],[\"mordor\",\"mordor in prod: m:2\"],[\"tapir\",\"tapir\"],"
                        "[\"a-name-that-is-longer-than-the-sixty-seven-characters-which-an-option-holds\","
                        "\"a-name-that-is-longer-than-the-sixty-seven-characters-which-an-option-holds in prod: x\"]]");
    free(text);
    json_decref(list);

    list = choices(task, "{\"by_state\":{\"failed\":[\"a\",\"\",null,\"b\",3]}}");
    text = hm_json_text(list);
    assert_string_equal(text, "[[\"a\",\"a\"],[\"b\",\"b\"],[\"3\",\"3\"]]");
    free(text);
    json_decref(list);

    json_t *result = json("{\"by_state\":{}}");
    assert_null(hm_choices_new(task->list, result, scope, &err));
    assert_string_equal(err.msg, "airflow.tasks has no list \"by_state.failed\" in its result");
    json_decref(result);

    list = choices(task, "{\"by_state\":{\"failed\":[]}}"); /* nothing there is an answer, … */
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    result = json("{\"list\":[{\"nam\":\"metapod\"},{\"nam\":\"tapir\"}]}"); /* … things without values are none */
    assert_null(hm_choices_new(service->list, result, scope, &err));
    assert_string_equal(err.msg, "none of its 2 items has a value");
    json_decref(result);
    result = json("{\"list\":[{}]}");
    assert_null(hm_choices_new(service->list, result, scope, &err));
    assert_string_equal(err.msg, "its only item has no value");
    json_decref(result);
}

/* Whatever a text of the list uses, each once; the item is its own. */
static void test_what_it_needs(void **state)
{
    static const char text[] =
        "name = \"x\"; title = \"X\";\n"
        "params = (\n"
        "{ name = \"ns\"; type = \"string\"; help = \"x\"; },\n"
        "{ name = \"prefix\"; type = \"string\"; help = \"x\"; },\n"
        "{ name = \"service\"; type = \"string\"; help = \"x\";\n"
        "  list = { do = \"kubernetes.deployments\"; with = { namespace = \"${ns}\"; label = \"a\"; };\n"
        "           value = \"${prefix}-${item.name}\"; label = \"${item.name} in ${ns} of ${known.etl.date}\"; }; } );\n"
        "steps = ( { id = \"end\"; say = \"${ns} ${prefix} ${service}\"; } );\n";
    static const char *const want[] = {"ns", "prefix", "known"};
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *r = hm_recipe_parse("x", text, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        print_error("%d: %s\n", diags.items[i].line, diags.items[i].text);
    hm_diags_done(&diags);
    assert_non_null(r);
    char *const *needs = r->params[2].list->needs;
    for (size_t i = 0; i < HM_ARRAY_LEN(want); i++) {
        assert_non_null(needs[i]);
        assert_string_equal(needs[i], want[i]);
    }
    assert_null(needs[HM_ARRAY_LEN(want)]);
    hm_recipe_free(r);
    (void)state;
}

static void assert_offers(const struct hm_param *param, const json_t *list, const char *typed, const char *want)
{
    char *text = hm_choices_options(param->list, list, typed);
    json_t *payload = json(text);
    struct hm_strbuf got;
    hm_strbuf_init(&got, 10000);
    size_t i = 0;
    json_t *option = NULL;
    json_array_foreach(hm_json_get_arr(payload, "options"), i, option)
        hm_strbuf_addf(&got, "%s%s=%s", i > 0 ? "|" : "", hm_json_get_str(option, "value", "?"),
                       json_string_value(hm_json_get_path(option, "text.text")));
    assert_string_equal(hm_strbuf_str(&got), want);
    hm_strbuf_done(&got);
    json_decref(payload);
    free(text);
}

static void test_what_is_offered(void **state)
{
    (void)state;
    json_t *list = services();
    assert_offers(service, list, "", "metapod=metapod in prod: m:1|mordor=mordor in prod: m:2|tapir=tapir");
    assert_offers(service, list, " META ", "metapod=metapod in prod: m:1");
    assert_offers(service, list, "prod m:2", "mordor=mordor in prod: m:2");
    assert_offers(service, list, "none", "");
    assert_offers(service, NULL, "metapod", "");
    json_decref(list);

    list = choices(task, "{\"by_state\":{\"failed\":[\"fx-model\",\"fx-load\"]}}");
    assert_offers(task, list, "fx-model", "fx-model=fx-model");
    assert_offers(task, list, " fx", "fx=fx (not in the list)|fx-model=fx-model|fx-load=fx-load");
    assert_offers(task, NULL, "fx-model ", "fx-model=fx-model (as typed)"); /* it may be in it */
    assert_offers(task, NULL, "  ", "");
    json_decref(list);
}

/* Slack takes a hundred options; typing narrows what is left. */
static void test_more_than_a_hundred(void **state)
{
    (void)state;
    struct hm_strbuf text;
    hm_strbuf_init(&text, 100000);
    hm_strbuf_adds(&text, "{\"list\":[");
    for (int i = 0; i < HM_CHOICES_MAX + 5; i++)
        hm_strbuf_addf(&text, "%s{\"name\":\"s-%d\"}", i > 0 ? "," : "", i);
    hm_strbuf_adds(&text, "]}");
    json_t *list = choices(service, hm_strbuf_str(&text));
    assert_int_equal(json_array_size(list), HM_CHOICES_MAX);
    char *all = hm_choices_options(service->list, list, "");
    json_t *payload = json(all);
    assert_int_equal(json_array_size(hm_json_get_arr(payload, "options")), 100);
    assert_offers(service, list, "s-1999", "s-1999=s-1999");
    assert_true(hm_choices_have(list, "s-1999"));
    json_t *behind = hm_json_str_new("s-2003"); /* it may be there */
    assert_null(hm_start_unlisted(service, behind, list));
    (void)json_array_remove(list, HM_CHOICES_MAX - 1);
    char *why = hm_start_unlisted(service, behind, list); /* now the list is whole */
    assert_non_null(why);
    free(why);
    json_decref(behind);
    json_decref(payload);
    free(all);
    json_decref(list);
    hm_strbuf_done(&text);
}

static void add_form(struct hm_strbuf *out, const char *name, const struct hm_start_form *form)
{
    char why[256] = "";
    struct hm_err err = {0};
    json_t *view = hm_start_form_new(form, &err);
    assert_non_null(view);
    if (!hm_limits_view(view, why, sizeof why))
        fail_msg("%s: %s", name, why);
    hm_strbuf_addf(out, "== %s: %s\n", name, hm_json_get_str(view, "private_metadata", ""));
    size_t i = 0;
    json_t *block = NULL;
    json_array_foreach(hm_json_get_arr(view, "blocks"), i, block)
    {
        json_t *element = hm_json_get_obj(block, "element");
        const char *hint = json_string_value(hm_json_get_path(block, "hint.text"));
        if (element == NULL)
            continue;
        char *dump = json_dumps(element, JSON_COMPACT | JSON_SORT_KEYS);
        hm_strbuf_addf(out, "  %s%s: %s\n    %s\n", hm_json_get_str(block, "block_id", ""),
                       hm_json_get_bool(block, "dispatch_action", false) ? " (told)" : "", dump, hint != NULL ? hint : "");
        free(dump);
    }
    json_decref(view);
}

static void test_forms(void **state)
{
    (void)state;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 100000);
    json_t *given =
        json("{\"service\":\"metapod\",\"task\":\"a-task-whose-id-is-longer-than-the-sixty-seven-characters-of-an-option\"}");
    json_t *failed = json("{\"service\":\"connection refused by 127.0.0.1:1\"}");
    const struct hm_start_ref none = {.channel = "C0OPS"};
    const struct hm_start_ref some = {.channel = "C0OPS", .values = given};
    add_form(&out, "nothing given", &(const struct hm_start_form){.recipe = recipe, .ref = &none, .scope = scope});
    add_form(&out, "given, one too long for an option",
             &(const struct hm_start_form){.recipe = recipe, .ref = &some, .scope = scope});
    add_form(&out, "a list could not be read",
             &(const struct hm_start_form){.recipe = recipe, .ref = &some, .scope = scope, .no_lists = failed});
    assert_true(hm_golden_matches("view/choices.txt", hm_strbuf_str(&out)));
    json_decref(given);
    json_decref(failed);
    hm_strbuf_done(&out);
}

static void assert_errors(const char *values_text, const json_t *lists, const char *want)
{
    json_t *values = json(values_text);
    char *errors = hm_start_errors(recipe, values, scope, lists);
    assert_string_equal(errors != NULL ? errors : "", want);
    free(errors);
    json_decref(values);
}

/* What an open form holds, of what Slack told of a change, of what it told just now, and of what the form was opened with. */
static void assert_present(const char *told, const char *here, const char *ref, const char *want)
{
    json_t *of[] = {told != NULL ? json(told) : NULL, json(here), ref != NULL ? json(ref) : NULL};
    json_t *present = hm_start_present_new(recipe, of[0], of[1], of[2]);
    char *text = hm_json_text(present);
    assert_string_equal(text, want);
    free(text);
    json_decref(present);
    for (size_t i = 0; i < HM_ARRAY_LEN(of); i++)
        json_decref(of[i]);
}

static void test_what_an_open_form_holds(void **state)
{
    (void)state;
    assert_present(NULL, "{}", NULL, "{}");
    assert_present(NULL, "{}", "{\"cluster\":\"opened\"}", "{\"cluster\":\"opened\"}");
    assert_present(NULL, "{\"cluster\":null}", "{\"cluster\":\"opened\"}", "{\"cluster\":\"opened\"}"); /* null may be old */
    assert_present(NULL, "{\"cluster\":\"now\"}", "{\"cluster\":\"opened\"}", "{\"cluster\":\"now\"}");
    /* the lists are read with namespace and cluster: each change of these is told */
    assert_present("{\"cluster\":\"told\"}", "{\"cluster\":\"old\"}", "{\"cluster\":\"opened\"}", "{\"cluster\":\"told\"}");
    assert_present("{\"cluster\":null}", "{\"cluster\":\"old\"}", "{\"cluster\":\"opened\"}", "{}");
    /* of the others only what came with it */
    assert_present("{\"service\":\"before\"}", "{\"service\":\"now\"}", NULL, "{\"service\":\"now\"}");
    assert_present("{\"service\":\"before\"}", "{}", NULL, "{\"service\":\"before\"}");
    assert_present("{\"stranger\":\"x\"}", "{\"stranger\":\"y\"}", NULL, "{}");
}

static void test_a_line_is_no_choice(void **state)
{
    (void)state;
    char *payload = hm_choices_line("first fill in cluster");
    assert_string_equal(payload,
                        "{\"options\":[{\"text\":{\"emoji\":false,\"text\":\"first fill in cluster\",\"type\":\"plain_text\"},"
                        "\"value\":\"hm.none\"}]}");
    free(payload);
    /* cluster has no list: there it is a text */
    json_t *values = json("{\"cluster\":\"hm.none\",\"service\":\"hm.none\",\"task\":\"hm.none\",\"other\":1}");
    assert_int_equal(hm_start_drop_unchosen(recipe, values), 2);
    char *left = hm_json_text(values);
    assert_string_equal(left, "{\"cluster\":\"hm.none\",\"other\":1}");
    free(left);
    assert_int_equal(hm_start_drop_unchosen(recipe, values), 0);
    json_decref(values);
}

static void test_values_that_are_not_in_it(void **state)
{
    (void)state;
    json_t *lists = hm_json_obj_new();
    hm_json_set(lists, "service", services());
    hm_json_set(lists, "task", json("[[\"a\",\"a\"]]"));
    assert_errors("{\"cluster\":\"x\",\"service\":\"metapod\",\"task\":\"b\"}", lists, "");
    assert_errors("{\"cluster\":\"x\",\"service\":\"metapot\"}", lists,
                  "{\"errors\":{\"service\":\"service must be one of the 4 that kubernetes.deployments lists; \\\"metapot\\\" is "
                  "not; did you mean \\\"metapod\\\"?\"},\"response_action\":\"errors\"}");
    assert_errors("{\"cluster\":\"x\",\"service\":\"x y\"}", lists,
                  "{\"errors\":{\"service\":\"service can not be \\\"x y\\\" (which service)\"},"
                  "\"response_action\":\"errors\"}");
    assert_errors(
        "{\"cluster\":\"x\",\"service\":\"zzz\"}", lists,
        "{\"errors\":{\"service\":\"service must be one of the 4 that kubernetes.deployments lists; \\\"zzz\\\" is not\"},"
        "\"response_action\":\"errors\"}");
    hm_json_set(lists, "service", json("[[\"metapod\",\"metapod in prod\"],[\"tapir\",\"tapir\"]]"));
    assert_errors("{\"cluster\":\"x\",\"service\":\"zzz\"}", lists,
                  "{\"errors\":{\"service\":\"service must be one of metapod, tapir, as kubernetes.deployments lists them; "
                  "\\\"zzz\\\" is not\"},\"response_action\":\"errors\"}");
    /* Not known in time: the recipe itself finds out. */
    assert_errors("{\"cluster\":\"x\",\"service\":\"zzz\"}", NULL, "");
    hm_json_set(lists, "service", hm_json_arr_new());
    assert_errors(
        "{\"cluster\":\"x\",\"service\":\"zzz\"}", lists,
        "{\"errors\":{\"service\":\"service can not be \\\"zzz\\\": its list, which kubernetes.deployments gives, is empty "
        "just now\"},\"response_action\":\"errors\"}");
    json_decref(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_a_result),
        cmocka_unit_test(test_what_it_needs),
        cmocka_unit_test(test_what_is_offered),
        cmocka_unit_test(test_more_than_a_hundred),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_what_an_open_form_holds),
        cmocka_unit_test(test_a_line_is_no_choice),
        cmocka_unit_test(test_values_that_are_not_in_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
