/* The recipes that we ship, against the program's own table of actions: they load without a finding, offer only what exists, and
 * nothing in them changes anything without its gate. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "recipe/recipe.h"
#include "unit.h"

static char metapod_name[] = "metapod";
static const struct hm_backend metapod = {.name = metapod_name, .handler = metapod_name};
static const struct hm_backend *const backends[] = {&metapod};
static const char *const roles[] = {"hausmeister"};
static const struct hm_names names = {roles, HM_ARRAY_LEN(roles), backends, HM_ARRAY_LEN(backends)};

static void load(struct hm_recipes *recipes)
{
    struct hm_diags diags;
    struct hm_strbuf found;
    hm_diags_init(&diags);
    hm_strbuf_init(&found, 100000);
    hm_recipes_load_dir(recipes, HM_SOURCE_DIR "/config/recipes", &names, &diags);
    hm_recipes_link(recipes, &diags);
    for (size_t i = 0; i < diags.count; i++)
        hm_strbuf_addf(&found, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
    assert_string_equal(hm_strbuf_str(&found), "");
    hm_strbuf_done(&found);
    hm_diags_done(&diags);
}

static void test_all_load(void **state)
{
    (void)state;
    static const char *const expected[] = {"retract", "retract-attribute", "retract-indexed-attribute", "retract-series-dataset"};
    struct hm_recipes recipes = {0};
    load(&recipes);
    for (size_t i = 0; i < HM_ARRAY_LEN(expected); i++)
        assert_non_null(hm_recipes_find(&recipes, expected[i]));
    for (size_t r = 0; r < recipes.count; r++) {
        const struct hm_recipe *recipe = recipes.items[r];
        char *file = hm_xasprintf("%s/config/recipes/%s.cfg", HM_SOURCE_DIR, recipe->name);
        assert_string_equal(recipe->file, file);
        assert_non_null(recipe->doc);
        free(file);
    }
    hm_recipes_done(&recipes);
}

static void test_retractions_are_gated(void **state)
{
    (void)state;
    struct hm_recipes recipes = {0};
    load(&recipes);
    for (size_t r = 0; r < recipes.count; r++) {
        const struct hm_recipe *recipe = recipes.items[r];
        size_t effects = 0;
        if (strncmp(recipe->name, "retract", 7) != 0)
            continue;
        assert_null(recipe->ungated);
        assert_non_null(recipe->lock);
        for (size_t s = 0; s < recipe->n_steps; s++) {
            const struct hm_step *step = &recipe->steps[s];
            if (step->effect == HM_EFFECT_READ)
                continue;
            effects++;
            assert_in_range(step->gate, 0, s);
            const struct hm_step *gate = &recipe->steps[step->gate];
            assert_int_equal(gate->kind, HM_STEP_APPROVE);
            assert_null(gate->when);
            assert_non_null(gate->typed);
            assert_false(gate->self);
        }
        assert_int_equal(effects, 1);
    }
    hm_recipes_done(&recipes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_load), cmocka_unit_test(test_retractions_are_gated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
