/* hausmeister test: plays the recipe tests that lie beside the recipes, in their folder tests/. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recipe_test.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/cli.h"

struct tally {
    const struct hm_cli *cli;
    const struct hm_settings *settings;
    char **names; /* of all test files */
    size_t n_names;
    unsigned passed, failed;
};

/* True when the test is among those asked for, by its own name or its recipe's. */
static bool is_wanted(const struct hm_cli *cli, const struct hm_recipe_test *test)
{
    for (int i = 0; i < cli->n_words; i++)
        if (strcmp(cli->words[i], test->name) == 0 || strcmp(cli->words[i], test->recipe->name) == 0)
            return true;
    return cli->n_words == 0;
}

static void play_file(struct tally *tally, const char *file)
{
    struct hm_diags diags;
    struct hm_recipe_verdict verdict = {0};
    hm_diags_init(&diags);
    struct hm_recipe_test *test = hm_recipe_test_load(file, tally->settings, &diags);
    for (size_t i = 0; i < diags.count; i++)
        (void)fprintf(stderr, "%s: %s\n", diags.items[i].at, diags.items[i].text);
    if (test == NULL) {
        tally->failed++;
        (void)printf("FAILED %s: it can not be read\n", file);
    } else if (is_wanted(tally->cli, test)) {
        hm_recipe_test_run(test, tally->settings, &verdict);
        (void)printf("%s %s%s%s (%u play%s)\n%s", verdict.passed ? "ok    " : "FAILED", test->name,
                     test->title != NULL ? ": " : "", test->title != NULL ? test->title : "", verdict.plays,
                     verdict.plays == 1 ? "" : "s", verdict.difference);
        tally->passed += verdict.passed ? 1 : 0;
        tally->failed += verdict.passed ? 0 : 1;
        free(verdict.difference);
    }
    hm_recipe_test_free(test);
    hm_diags_done(&diags);
}

/* "…/retract-story.cfg" is the test retract-story. */
static void keep_name(struct tally *tally, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    tally->names = hm_xreallocarray(tally->names, tally->n_names + 1, sizeof tally->names[0]);
    tally->names[tally->n_names++] = hm_xstrndup(name, strlen(name) - strlen(".cfg"));
}

static int only_cfg(const struct dirent *entry)
{
    return hm_ends_with(entry->d_name, ".cfg") && entry->d_name[0] != '.';
}

/* Each test file of a folder, sorted; it need not have any. */
static void visit_folder(struct tally *tally, const char *dir, void (*visit)(struct tally *tally, const char *file))
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, only_cfg, alphasort);
    for (int i = 0; i < n; i++) {
        char *file = hm_xasprintf("%s/%s", dir, entries[i]->d_name);
        visit(tally, file);
        free(file);
        free(entries[i]);
    }
    free(entries);
}

/* "…/recipes/tests" of a recipe; the caller frees. */
static char *tests_of(const struct hm_recipe *recipe)
{
    const char *slash = strrchr(recipe->file, '/');
    return slash != NULL ? hm_xasprintf("%.*s/tests", (int)(slash - recipe->file), recipe->file) : hm_xstrdup("tests");
}

static void visit_all(struct tally *tally, void (*visit)(struct tally *tally, const char *file))
{
    const struct hm_recipes *recipes = &tally->settings->recipes;
    for (size_t i = 0; i < recipes->count; i++) {
        char *dir = tests_of(recipes->items[i]);
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++) {
            char *earlier = tests_of(recipes->items[j]);
            seen = strcmp(dir, earlier) == 0;
            free(earlier);
        }
        if (!seen)
            visit_folder(tally, dir, visit);
        free(dir);
    }
}

/* A word that means nothing would only make fewer tests than were meant. */
static bool word_is_known(const struct tally *tally, const char *word)
{
    char meant[120];
    struct hm_suggest s;
    const struct hm_recipes *recipes = &tally->settings->recipes;
    hm_suggest_init(&s, word);
    for (size_t i = 0; i < tally->n_names + recipes->count; i++) {
        const char *name = i < tally->n_names ? tally->names[i] : recipes->items[i - tally->n_names]->name;
        if (strcmp(word, name) == 0)
            return true;
        hm_suggest_try(&s, name);
    }
    (void)hm_cli_fail(HM_EXIT_USAGE, "there is no test and no recipe \"%s\"%s", word,
                      s.best != NULL ? hm_suggest_text(&s, meant, sizeof meant) : "; tests lie in tests/ beside the recipes");
    return false;
}

static bool words_are_known(const struct tally *tally)
{
    bool ok = true;
    for (int i = 0; i < tally->cli->n_words; i++)
        ok = word_is_known(tally, tally->cli->words[i]) && ok;
    return ok;
}

static int play_all(struct tally *tally)
{
    visit_all(tally, play_file);
    int exit_code = tally->failed == 0 ? HM_EXIT_OK : HM_EXIT_NO;
    if (tally->passed + tally->failed == 0)
        exit_code =
            hm_cli_fail(tally->cli->n_words > 0 ? HM_EXIT_USAGE : HM_EXIT_NO,
                        "there are no tests%s; they lie in tests/ beside the recipes", tally->cli->n_words > 0 ? " of that" : "");
    (void)printf("%u passed, %u failed\n", tally->passed, tally->failed);
    return exit_code;
}

static int run_test(const struct hm_cli *cli)
{
    struct hm_settings *settings = hm_cli_settings(cli, NULL);
    if (settings == NULL)
        return HM_EXIT_NO;
    struct tally tally = {.cli = cli, .settings = settings};
    visit_all(&tally, keep_name);
    int exit_code = words_are_known(&tally) ? play_all(&tally) : HM_EXIT_USAGE;
    for (size_t i = 0; i < tally.n_names; i++)
        free(tally.names[i]);
    free(tally.names);
    hm_settings_free(settings);
    return exit_code;
}

const struct hm_command hm_cmd_test = {
    .name = "test",
    .usage = "--config FILE [RECIPE…]",
    .help = "plays the recipe tests, also with a crash at every write",
    .needs_config = true,
    .run = run_test,
};
