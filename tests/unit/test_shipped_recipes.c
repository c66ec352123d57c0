/* The recipes that we ship, against the program's own table of actions: they load without a finding, offer only what exists, and
 * nothing in them changes anything without its gate. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "handler_backends.h"
#include "recipe/recipe.h"
#include "unit.h"

static const char *const roles[] = {"hausmeister"};

static void load(struct hm_recipes *recipes)
{
    struct hm_diags diags;
    struct hm_strbuf found;
    size_t n_backends = 0;
    const struct hm_backend *const *backends = handler_backends(&n_backends);
    json_t *environments = shipped_environments();
    const struct hm_names names = {roles, HM_ARRAY_LEN(roles), backends, n_backends, environments, NULL};
    hm_diags_init(&diags);
    hm_strbuf_init(&found, 100000);
    hm_recipes_load_dir(recipes, HM_SOURCE_DIR "/config/recipes", &names, &diags);
    hm_recipes_link(recipes, &diags);
    for (size_t i = 0; i < diags.count; i++)
        hm_strbuf_addf(&found, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
    assert_string_equal(hm_strbuf_str(&found), "");
    json_decref(environments);
    hm_strbuf_done(&found);
    hm_diags_done(&diags);
}

static void test_all_load(void **state)
{
    (void)state;
    static const char *const expected[] = {"retract", "retract-all", "retract-attribute", "retract-indexed-attribute",
                                           "retract-series-dataset"};
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
        assert_true(effects > 0);
    }
    hm_recipes_done(&recipes);
}

/* sabesp starts jobs from a checkout on the bot's machine, which can be changed while an approval is waited for: right before
 * each start the checkout is looked at, and what is there must be what was shown. Last of all it is looked whether somebody else
 * has started the same job. */
static void test_what_was_shown_is_started(void **state)
{
    (void)state;
    static const char *const starts[] = {"sabesp.create", "sabesp.itaipu"};
    static const char *const looks[] = {"git.state", "aurora.tasks"};
    struct hm_recipes recipes = {0};
    size_t found = 0;
    load(&recipes);
    for (size_t r = 0; r < recipes.count; r++) {
        const struct hm_recipe *recipe = recipes.items[r];
        for (size_t s = 0; s < recipe->n_steps; s++) {
            const struct hm_step *step = &recipe->steps[s];
            if (step->kind != HM_STEP_DO ||
                (strcmp(step->call.action->name, starts[0]) != 0 && strcmp(step->call.action->name, starts[1]) != 0))
                continue;
            found++;
            assert_in_range(step->gate, 0, s - 3);
            for (size_t k = 0; k < HM_ARRAY_LEN(looks); k++) {
                const struct hm_step *before = &recipe->steps[s - HM_ARRAY_LEN(looks) + k];
                assert_int_equal(before->kind, HM_STEP_DO);
                assert_string_equal(before->call.action->name, looks[k]);
                assert_true(before->n_stop_if > 0);
                if (before->when != NULL)
                    assert_string_equal(hm_expr_text(before->when), hm_expr_text(step->when));
            }
        }
    }
    assert_true(found >= 6);
    hm_recipes_done(&recipes);
}

/* What `retract` says, for what it may find: "step: text" of each text that would be shown, a gate with what must be typed. */
static char *spoken(const struct hm_recipe *recipe, const char *scope_text)
{
    struct hm_strbuf out;
    struct hm_err err = {0};
    json_t *scope = hm_json_parse_new(scope_text, strlen(scope_text), 10000, &err);
    assert_string_equal(err.msg, "");
    hm_strbuf_init(&out, 10000);
    for (size_t i = 0; i < recipe->n_steps; i++) {
        const struct hm_step *step = &recipe->steps[i];
        const struct hm_template *said = step->kind == HM_STEP_APPROVE ? step->question : step->say;
        bool wanted = true;
        if (step->when != NULL)
            assert_int_equal(hm_expr_true(step->when, scope, &wanted, &err), HM_OK);
        for (size_t k = 0; k < step->n_stop_if && wanted; k++) {
            bool stops = false;
            assert_int_equal(hm_expr_true(step->stop_if[k].when, scope, &stops, &err), HM_OK);
            if (stops)
                said = step->stop_if[k].say;
            if (stops)
                i = recipe->n_steps;
        }
        if (!wanted || said == NULL)
            continue;
        char *text = hm_template_render(said, HM_SINK_MRKDWN, scope, &err);
        assert_string_equal(err.msg, "");
        hm_strbuf_addf(&out, "%s: %s\n", step->id, text);
        free(text);
        if (step->typed_when != NULL)
            assert_int_equal(hm_expr_true(step->typed_when, scope, &wanted, &err), HM_OK);
        char *typed = step->typed != NULL && wanted ? hm_template_render(step->typed, HM_SINK_PLAIN, scope, &err) : NULL;
        if (typed != NULL)
            hm_strbuf_addf(&out, "(type %s)\n", typed);
        free(typed);
    }
    json_decref(scope);
    return hm_strbuf_take(&out);
}

#define TX "\"transaction\":\"3197\""

static void test_what_retract_says(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        const char *said;
    } cases[] = {
        {"{\"id\":\"5a5d\"," TX ",\"given\":{\"id\":true},\"find\":{\"ok\":true,\"committed\":true,\"name\":\"archive/a_b\"," TX
         ",\"duplicates\":[]},\"still\":{\"committed\":true}}",
         "gate: Retract the committed dataset `5a5d`?\nName: `archive/a_b`   Transaction: `3197`\n"
         "verified: Retracted and verified: `archive/a_b` has no schema and is not committed in transaction `3197`. What was "
         "served or archived of it before stays where it is.\n"},
        {"{\"id\":\"5a5d\"," TX ",\"given\":{\"id\":true},\"find\":{\"ok\":true,\"committed\":true,\"name\":\"a`b\"," TX
         ",\"duplicates\":[\"x\",\"<y>\"]},\"still\":{\"committed\":true}}",
         "doubled: Its schema names these attributes more than once: `x, &lt;y&gt;`\n"
         "gate: Retract the committed dataset `5a5d`?\nName: `aˋb`   Transaction: `3197`\n"
         "verified: Retracted and verified: `aˋb` has no schema and is not committed in transaction `3197`. What was "
         "served or archived of it before stays where it is.\n"},
        {"{\"id\":\"5a5d\"," TX ",\"given\":{\"id\":true},\"find\":{\"ok\":true,\"committed\":false,\"name\":\"a\"," TX
         ",\"duplicates\":[]}}",
         "find: `a` is not committed in transaction `3197`: there is nothing to retract. Nothing was sent.\n"},
        {"{\"id\":\"5a5d\"," TX ",\"given\":{\"transaction\":true},\"find\":{\"ok\":false,\"code\":\"not-found\"}}",
         "find: Transaction `3197` has no dataset with the id `5a5d`. Nothing was sent. Check both ids.\n"},
        {"{\"id\":\"5a5d\"," TX ",\"given\":{\"id\":true},\"find\":{\"ok\":false,\"code\":\"not-found\"}}",
         "elsewhere: The latest transaction known, `3197`, has no dataset with the id `5a5d`. Its name can not be shown, and the "
         "result can not be verified.\n"
         "gate: Retract the committed dataset `5a5d`?\nName: `–`   Transaction: `–`\n(type 5a5d)\n"
         "unverified: Metapod took the retraction of `5a5d`. Not verified: the dataset was not found in a transaction. Look at "
         "it "
         "in Metapod.\n"},
        {"{\"id\":\"5a5d\",\"transaction\":null,\"given\":{\"id\":true},\"find\":null}",
         "nowhere: No transaction was given and none is known: the name can not be shown, and the result can not be verified.\n"
         "gate: Retract the committed dataset `5a5d`?\nName: `–`   Transaction: `–`\n(type 5a5d)\n"
         "unverified: Metapod took the retraction of `5a5d`. Not verified: the dataset was not found in a transaction. Look at "
         "it "
         "in Metapod.\n"},
    };
    struct hm_recipes recipes = {0};
    load(&recipes);
    const struct hm_recipe *retract = hm_recipes_find(&recipes, "retract");
    assert_non_null(retract);
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *said = spoken(retract, cases[i].scope);
        assert_string_equal(said, cases[i].said);
        free(said);
    }
    hm_recipes_done(&recipes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_load), cmocka_unit_test(test_retractions_are_gated),
                                       cmocka_unit_test(test_what_was_shown_is_started),
                                       cmocka_unit_test(test_what_retract_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
