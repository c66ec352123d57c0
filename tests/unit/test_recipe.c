/* The loader, by golden files: tests/golden/recipe/<case>.cfg must give exactly the findings in <case>.txt ("line: text", one per
 * line; an empty file means that the recipe loads). HM_UPDATE_GOLDEN=1 writes the .txt files anew: look at the difference. */
#include "recipe/recipe.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cfg.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "recipe/settable.h"
#include "unit.h"

#define GOLDEN HM_SOURCE_DIR "/tests/golden/recipe"

static char b_metapod[] = "metapod", b_foz[] = "airflow-foz", b_cantareira[] = "airflow-cantareira", h_airflow[] = "airflow";
static struct hm_backend metapod = {.name = b_metapod, .handler = b_metapod};
static const struct hm_backend foz = {.name = b_foz, .handler = h_airflow};
static const struct hm_backend cantareira = {.name = b_cantareira, .handler = h_airflow};
static const struct hm_backend *const backends[] = {&metapod, &foz, &cantareira};
static const char *const roles[] = {"hausmeister", "boss"};
static struct hm_settable known = {.whole = true}; /* keys: set by main() */
static struct hm_names names = {roles, HM_ARRAY_LEN(roles), backends, HM_ARRAY_LEN(backends), NULL, &known};

static char *read_golden(const char *path)
{
    struct hm_diags diags;
    size_t len = 0;
    hm_diags_init(&diags);
    char *text = hm_cfg_read_text(path, &len, &diags);
    hm_diags_done(&diags);
    return text;
}

/* "line: text\n" of all findings; caller frees. */
static char *findings(const struct hm_diags *diags)
{
    struct hm_strbuf b;
    hm_strbuf_init(&b, 200000);
    for (size_t i = 0; i < diags->count; i++)
        hm_strbuf_addf(&b, "%d: %s\n", diags->items[i].line, diags->items[i].text);
    return hm_strbuf_take(&b);
}

static int is_case(const struct dirent *entry)
{
    return hm_ends_with(entry->d_name, ".cfg") ? 1 : 0;
}

static void write_golden(const char *path, const char *content)
{
    FILE *f = fopen(path, "wbe");
    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void check_case(const char *name, bool update)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    char *cfg = hm_xasprintf("%s/%s", GOLDEN, name);
    char *txt = hm_xasprintf("%.*s.txt", (int)(strlen(cfg) - 4), cfg);
    struct hm_recipe *recipe = hm_recipe_load(cfg, &names, &diags);
    char *got = findings(&diags);
    if (update)
        write_golden(txt, got);
    char *want = read_golden(txt);
    if (want == NULL || strcmp(got, want) != 0)
        fail_msg("%s gives\n%s\nbut should give\n%s", cfg, got, want != NULL ? want : "(there is no .txt)");
    assert_int_equal(recipe != NULL, got[0] == '\0');
    for (size_t i = 0; i < diags.count; i++)
        assert_string_equal(diags.items[i].file, cfg);
    hm_recipe_free(recipe);
    hm_diags_done(&diags);
    free(want);
    free(got);
    free(txt);
    free(cfg);
}

static void test_golden(void **state)
{
    (void)state;
    struct dirent **entries = NULL;
    int count = scandir(GOLDEN, &entries, is_case, alphasort);
    assert_true(count > 50);
    for (int i = 0; i < count; i++) {
        check_case(entries[i]->d_name, getenv("HM_UPDATE_GOLDEN") != NULL);
        free(entries[i]);
    }
    free(entries);
}

/* What the loader makes of the file that uses every key. */
static void test_everything_arrives(void **state)
{
    (void)state;
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *r = hm_recipe_load(GOLDEN "/good-everything.cfg", &names, &diags);
    assert_non_null(r);
    assert_string_equal(r->name, "everything");
    assert_string_equal(r->doc, "Nothing of the kind");
    assert_string_equal(r->who[1], "boss");
    assert_null(r->who[2]);
    assert_string_equal(hm_template_text(r->lock), "everything/${id}/${run.requester}");
    assert_int_equal(r->timeout_ms, 3 * 3600000);
    assert_null(r->ungated);
    assert_int_equal(strlen(r->sha256), 64);
    assert_int_equal(r->worst, HM_EFFECT_ONCE);

    assert_int_equal(r->n_params, 9);
    assert_true(r->params[1].optional);
    assert_string_equal(hm_template_text(r->params[1].fallback), "${known.etl.transaction}");
    assert_int_equal(r->params[2].type, HM_PARAM_REGEX);
    assert_string_equal(r->params[3].choices[1], "cantareira");
    assert_int_equal(r->params[4].max, 5000000000);
    assert_string_equal(hm_template_text(r->params[4].fallback), "3");
    assert_string_equal(hm_template_text(r->params[5].fallback), "false");
    assert_int_equal(r->params[8].max_len, 50);
    assert_string_equal(r->params[8].pattern, "[a-z ]+");

    assert_int_equal(r->n_steps, 10);
    const struct hm_step *list = &r->steps[0];
    assert_int_equal(list->kind, HM_STEP_DO);
    assert_int_equal(list->line, 20);
    assert_string_equal(list->title, "List the datasets");
    assert_string_equal(list->call.action->name, "metapod.datasets");
    assert_int_equal(list->effect, HM_EFFECT_READ);
    assert_int_equal(list->timeout_ms, 30000);
    assert_int_equal(list->tries, 3);
    assert_int_equal(list->retry_wait_ms, 2000);
    assert_int_equal(list->until_every_ms, 5000);
    assert_int_equal(list->until_within_ms, 180000);
    assert_string_equal(hm_expr_text(list->expect.when), "list.datasets != null");
    assert_int_equal(list->n_stop_if, 2);
    assert_null(list->stop_if[1].say);
    assert_true(list->not_found_ok);
    assert_int_equal(list->parallel, 1);
    assert_int_equal(list->gate, -1);

    assert_true(r->steps[1].ask.many);
    assert_int_equal(r->steps[1].ask.expires_ms, 600000);
    assert_int_equal(r->steps[2].ask.n_fields, 1);
    const struct hm_step *gate = &r->steps[3];
    assert_int_equal(gate->need, 2);
    assert_int_equal(gate->expires_ms, 900000);
    assert_string_equal(gate->by[0], "hausmeister");
    assert_string_equal(hm_template_text(gate->typed), "${count(which)}");
    assert_true(gate->break_glass);
    assert_false(gate->self);
    const struct hm_step *retract = &r->steps[4];
    assert_int_equal(retract->gate, 3);
    assert_int_equal(retract->effect, HM_EFFECT_ONCE);
    assert_string_equal(retract->as, "item-of-list");
    assert_int_equal(retract->parallel, 10);
    assert_int_equal(retract->on_error, HM_ON_ERROR_CONTINUE);
    assert_non_null(retract->probe);
    assert_string_equal(retract->verify.call.action->name, "metapod.committed-count");
    assert_int_equal(retract->verify.within_ms, 30000);
    const struct hm_step *clear = &r->steps[6];
    assert_int_equal(clear->gate, 5);
    assert_int_equal(clear->on_error, HM_ON_ERROR_ASK);
    assert_string_equal(hm_template_text(clear->call.on), "airflow-${environment}");
    assert_int_equal(r->steps[7].kind, HM_STEP_MANUAL);
    assert_true(r->steps[7].evidence);
    assert_int_equal(r->steps[8].kind, HM_STEP_SAY);
    assert_int_equal(r->steps[9].n_offers, 1);
    assert_string_equal(r->steps[9].offers[0].recipe, "everything");
    hm_recipe_free(r);
    hm_recipe_free(NULL);
    hm_diags_done(&diags);
}

/* Without the settings at hand, roles and backends are not judged; everything else is. */
static void test_without_names(void **state)
{
    (void)state;
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *r = hm_recipe_load(GOLDEN "/top-role-unknown.cfg", NULL, &diags);
    assert_non_null(r);
    hm_recipe_free(r);
    r = hm_recipe_load(GOLDEN "/call-backend.cfg", NULL, &diags);
    assert_non_null(r);
    hm_recipe_free(r);
    assert_null(hm_recipe_load(GOLDEN "/gate-missing.cfg", NULL, &diags));
    assert_int_equal(diags.count, 1);
    hm_diags_done(&diags);
}

/* A run that began before its recipe was found to be wrong goes on: what an older version of the program took is taken again. */
static void test_again(void **state)
{
    static const char *const taken[] = {GOLDEN "/result-field.cfg", GOLDEN "/result-type.cfg"};
    struct hm_diags diags;
    (void)state;
    hm_diags_init(&diags);
    for (size_t i = 0; i < HM_ARRAY_LEN(taken); i++) {
        char *text = read_golden(taken[i]);
        assert_non_null(text);
        struct hm_recipe *r = hm_recipe_parse_again("kept", text, &diags);
        assert_int_equal(diags.count, 0);
        assert_non_null(r);
        hm_recipe_free(r);
        free(text);
    }
    char *text = read_golden(GOLDEN "/gate-missing.cfg");
    assert_null(hm_recipe_parse_again("kept", text, &diags));
    assert_int_equal(diags.count, 1);
    free(text);
    hm_diags_done(&diags);
}

/* ---- mutations: a recipe that is right, spoiled in one place, must not load ------------------------------------------- */

static char *replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return hm_xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static size_t load_text(const char *text)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *r = hm_recipe_parse("x.cfg", text, &names, &diags);
    size_t count = diags.count;
    assert_int_equal(r == NULL, count > 0);
    hm_recipe_free(r);
    hm_diags_done(&diags);
    return count;
}

/* Every key of the file, one letter swapped, one at a time. */
static size_t misspell_each_key(const char *text)
{
    static const char *const free_forms[] = {"day = \"${", "n = (", "transaction = ", "dataset = \"${",
                                             "id = \"${id}\"; }; when"};
    size_t tried = 0;
    for (const char *p = text; *p != '\0'; p++) {
        bool starts = p == text || p[-1] == ' ' || p[-1] == '\n';
        size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
        if (!starts || len == 0 || strncmp(p + len + strspn(p + len, " "), "= ", 2) != 0)
            continue;
        char *spoiled = hm_xstrdup(text);
        spoiled[(size_t)(p - text) + len - 1] = 'q';
        bool free_form = false; /* conf and probe take any key; the offer's params are looked at between recipes */
        for (size_t i = 0; i < HM_ARRAY_LEN(free_forms); i++)
            free_form = free_form || hm_starts_with(p, free_forms[i]);
        size_t count = load_text(spoiled);
        if (count == 0 && !free_form)
            fail_msg("loads with a misspelt key: %.40s", p);
        free(spoiled);
        tried++;
    }
    return tried;
}

static void test_mutations(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } mutations[] = {
        {"approve = \"Retract *", "say = \"Retract *"}, /* the gate dropped */
        {"by = [ \"hausmeister\", \"boss\" ]", "by = [ ]"},
        {"by = [ \"hausmeister\", \"boss\" ]", "by = [ \"hausmaster\" ]"},
        {"need = 2", "need = -2"},
        {"need = 2", "need = 4294967298"},             /* wraps to 2 */
        {"foreach = \"which\"", "foreach = \"look\""}, /* known only later */
        {"${item-of-list.id}", "${item_of_list.id}"},
        {"effect = \"once\"", "effect = \"read\""},
        {"within = \"30s\"", "within = \"1s\""},
        {"metapod.retract-dataset", "metapod.retract-dateset"},
        {"on = \"airflow-${environment}\"", "on = \"metapod\""},
        {"dag = \"prod\"; ", ""},
        {"timeout = \"3h\"", "timeout = \"5m\""},
        {"id = \"gate\"; approve", "id = \"gate\"; when = \"sure\"; approve"},
        {"steps = (", "steps = ( ("},
    };
    char *text = read_golden(GOLDEN "/good-everything.cfg");
    assert_non_null(text);
    assert_int_equal(load_text(text), 0);
    for (size_t i = 0; i < HM_ARRAY_LEN(mutations); i++) {
        char *spoiled = replace(text, mutations[i].from, mutations[i].to);
        if (load_text(spoiled) == 0)
            fail_msg("loads with %s", mutations[i].to);
        free(spoiled);
    }
    assert_true(misspell_each_key(text) > 120);
    for (size_t len = strlen(text) - 3; len > 0; len -= len > 37 ? 37 : len) { /* cut anywhere, it is no recipe */
        char *cut = hm_xstrndup(text, len);
        assert_true(load_text(cut) > 0);
        free(cut);
    }
    free(text);
}

/* ---- folders -------------------------------------------------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    char *path = hm_xasprintf("%s/%s", dir, name);
    write_golden(path, text);
    free(path);
}

static void test_folder(void **state)
{
    (void)state;
    static const char *const files[] = {"a.cfg", "b.cfg", "c.cfg", "d.cfg", ".hidden.cfg", "notes.txt"};
    struct hm_recipes recipes = {0};
    struct hm_diags diags;
    char dir[] = "/tmp/hm-recipes-XXXXXX";
    assert_non_null(mkdtemp(dir));
    write_file(dir, "a.cfg",
               "name = \"zulu\"; title = \"z\"; params = ( { name = \"id\"; type = \"uuid\"; help = \"h\"; } );\n"
               "steps = ( { id = \"end\"; say = \"x\"; } );\n");
    write_file(
        dir, "b.cfg",
        "name = \"alfa\"; title = \"a\";\nsteps = (\n"
        "{ id = \"next\"; offer = ( { recipe = \"zulu\"; label = \"l\"; with = { id = \"x\"; }; },\n"
        "  { recipe = \"zulo\"; label = \"l\"; }, { recipe = \"zulu\"; label = \"l\"; with = { idd = \"x\"; }; } ); } );\n");
    write_file(dir, "c.cfg", "name = \"zulu\"; title = \"again\"; steps = ( { id = \"end\"; say = \"x\"; } );\n");
    write_file(dir, "d.cfg", "name = \"broken\";\n");
    write_file(dir, ".hidden.cfg", "(((");
    write_file(dir, "notes.txt", "(((");

    hm_diags_init(&diags);
    hm_recipes_load_dir(&recipes, dir, &names, &diags);
    assert_int_equal(recipes.count, 2);
    assert_string_equal(recipes.items[0]->name, "alfa");
    assert_string_equal(recipes.items[1]->name, "zulu");
    assert_ptr_equal(hm_recipes_find(&recipes, "zulu"), recipes.items[1]);
    assert_null(hm_recipes_find(&recipes, "broken"));
    hm_recipes_link(&recipes, &diags);
    hm_recipes_load_dir(&recipes, "/nonexistent", &names, &diags);
    char *got = findings(&diags);
    char *want = hm_xasprintf("1: the recipe \"zulu\" is in %s/a.cfg too; rename one\n"
                              "1: \"title\" is missing in the top level\n"
                              "1: \"steps\" is missing in the top level\n"
                              "3: steps[next].offer: there is no recipe \"zulo\"; did you mean \"zulu\"?\n"
                              "3: steps[next].offer: recipe \"zulu\" has no param \"idd\"; did you mean \"id\"?\n"
                              "0: the folder can not be read: No such file or directory\n",
                              dir);
    assert_string_equal(got, want);
    free(got);
    free(want);
    hm_diags_done(&diags);
    hm_recipes_done(&recipes);
    for (size_t i = 0; i < HM_ARRAY_LEN(files); i++) {
        char *path = hm_xasprintf("%s/%s", dir, files[i]);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_everything_arrives),
        cmocka_unit_test(test_without_names), cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_folder),        cmocka_unit_test(test_again),
    };
    json_t *environments = json_pack("{s:{s:s}, s:{}}", "cantareira", "dag", "prod-dagao", "foz");
    names.environments = environments;
    known.keys = json_pack("{s:{s:b, s:b}}", "etl", "transaction", 1, "b", 1);
    metapod.settings = json_pack("{s:s}", "dataset_fields", "path format");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(environments);
    json_decref(known.keys);
    json_decref(metapod.settings);
    return failed;
}
