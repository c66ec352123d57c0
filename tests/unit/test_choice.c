/* Arguments of which one stands for another: what the loader says of recipes that give none or too many, by the program's own
 * table of actions. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/recipe.h"
#include "unit.h"

/* What is found in one step; "line: text" is cut down to the text. */
static void check(const char *action, const char *more, const char *want)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    char *text = hm_xasprintf(
        "name = \"x\"; title = \"X\"; ungated = \"a test\";\n"
        "params = ( { name = \"p\"; type = \"string\"; help = \"p\"; optional = true; } );\n"
        "steps = ( { id = \"a\"; do = \"%s\"; %s }, { id = \"b\"; do = \"registry.tags\"; with = { name = \"x\"; }; },\n"
        "  { id = \"c\"; do = \"metapod.retract-dataset\"; with = { id = \"${p}\"; }; } );",
        action, more);
    struct hm_recipe *recipe = hm_recipe_parse("x.cfg", text, NULL, &diags);
    const char *got = diags.count > 0 ? diags.items[0].text : "";
    if (strcmp(got, want) != 0 || diags.count > 1)
        fail_msg("%s %s gives \"%s\" and %zu findings, not \"%s\"", action, more, got, diags.count, want);
    hm_recipe_free(recipe);
    recipe = hm_recipe_parse_again("x.cfg", text, &diags); /* a run that began with it goes on */
    assert_non_null(recipe);
    hm_recipe_free(recipe);
    hm_diags_done(&diags);
    free(text);
}

static void test_choices(void **state)
{
    (void)state;
    static const struct {
        const char *action, *more, *finding; /* "" = none */
    } cases[] = {
        {"metapod.dataset", "with = { transaction = \"${p}\"; };", "steps[a].with: metapod.dataset needs name or id; add one"},
        {"metapod.dataset", "", "steps[a]: metapod.dataset needs name or id; add one to `with`"},
        {"metapod.dataset", "with = { name = \"\"; };", "steps[a].with: metapod.dataset needs name or id; add one"},
        {"metapod.dataset", "with = { name = \"${p}\"; };", ""},
        {"metapod.dataset", "with = { name = \"a\"; id = \"5a5d411b-e41a-4a30-ab34-bac476b95761\"; };", ""},
        {"airflow.clear", "with = { run = \"r\"; tasks = ( ); };", "steps[a].with: airflow.clear needs task or tasks; add one"},
        {"airflow.clear", "with = { run = \"r\"; tasks = ( \"x\" ); task = \"y\"; };", ""},
        {"airflow.clear", "with = { run = \"r\"; task = \"y\"; }; probe = { on = \"x\"; };",
         "steps[a].probe: airflow.clear can not be looked for without before (`states` of the look at the run before the gate); "
         "add "
         "it"},
        {"aurora.kill", "with = { env = \"prod\"; job = \"x\"; all = false; };",
         "steps[a].with: aurora.kill needs instances or all; add one"},
        {"aurora.kill", "with = { env = \"prod\"; job = \"x\"; all = true; instances = ( 1 ); };",
         "steps[a].with: aurora.kill takes instances or all, not both; take one out"},
        {"aurora.kill", "with = { env = \"prod\"; job = \"x\"; all = false; instances = ( 1 ); };", ""},
        {"aurora.kill", "with = { env = \"prod\"; job = \"x\"; all = \"${p == 'all'}\"; instances = ( 1 ); };", ""},
        {"cloudwatch.table-load", "with = { table = \"t\"; at = \"${p}\"; index = \"a\"; indexes = ( \"b\" ); };",
         "steps[a].with: cloudwatch.table-load takes index or indexes, not both; take one out"},
        {"cloudwatch.table-load", "with = { table = \"t\"; at = \"${p}\"; };", ""},
        {"dynamodb.table", "with = { env = \"prod\"; };", "steps[a].with: dynamodb.table needs name or env and service; add one"},
        {"dynamodb.table", "with = { env = \"prod\"; service = \"x\"; };", ""},
        {"dynamodb.table", "with = { name = \"x\"; };", ""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        check(cases[i].action, cases[i].more, cases[i].finding);
}

/* Each name of the way is an argument that may be left out; how many there are. */
static size_t check_way(const struct hm_action *action, const char *way)
{
    size_t seen = 0;
    while (*way != '\0') {
        size_t len = strcspn(way, "+");
        const struct hm_arg_spec *arg = action->args;
        while (arg->name != NULL && (strlen(arg->name) != len || memcmp(arg->name, way, len) != 0))
            arg++;
        if (arg->name == NULL || arg->required)
            fail_msg("%s: %s is no argument that may be left out", action->name, way);
        way += len + (way[len] == '+' ? 1 : 0);
        seen++;
    }
    return seen;
}

/* The table's own mistakes: a way that is no argument, or one that is required anyway. */
static void test_ways_are_arguments(void **state)
{
    (void)state;
    size_t seen = 0;
    for (size_t h = 0; hm_handlers[h] != NULL; h++)
        for (size_t a = 0; hm_handlers[h]->actions[a] != NULL; a++) {
            const struct hm_action *action = hm_handlers[h]->actions[a];
            for (size_t i = 0; action->choice != NULL && action->choice->ways[i] != NULL; i++)
                seen += check_way(action, action->choice->ways[i]);
        }
    assert_true(seen >= 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choices), cmocka_unit_test(test_ways_are_arguments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
