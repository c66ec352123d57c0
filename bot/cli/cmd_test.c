/* hausmeister test: plays the recipe tests that lie beside the recipes, in their folder tests/. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recipe_test.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

struct tally {
    const struct hm_cli *cli;
    const struct hm_settings *settings;
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
        (void)fprintf(stderr, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
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

static int only_cfg(const struct dirent *entry)
{
    return hm_ends_with(entry->d_name, ".cfg") && entry->d_name[0] != '.';
}

/* The tests of a folder of recipes, sorted; it need not have any. */
static void play_folder(struct tally *tally, const char *dir)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, only_cfg, alphasort);
    for (int i = 0; i < n; i++) {
        char *file = hm_xasprintf("%s/%s", dir, entries[i]->d_name);
        play_file(tally, file);
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

static void play_all(struct tally *tally)
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
            play_folder(tally, dir);
        free(dir);
    }
}

static int run_test(const struct hm_cli *cli)
{
    struct hm_settings *settings = hm_cli_settings(cli, NULL);
    if (settings == NULL)
        return HM_EXIT_NO;
    struct tally tally = {.cli = cli, .settings = settings};
    play_all(&tally);
    int exit_code = tally.failed == 0 ? HM_EXIT_OK : HM_EXIT_NO;
    if (tally.passed + tally.failed == 0)
        exit_code = hm_cli_fail(cli->n_words > 0 ? HM_EXIT_USAGE : HM_EXIT_NO,
                                cli->n_words > 0
                                    ? "no test and no recipe with tests is called that; tests lie in tests/ beside the recipes"
                                    : "there are no tests; they lie in tests/ beside the recipes");
    (void)printf("%u passed, %u failed\n", tally.passed, tally.failed);
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
