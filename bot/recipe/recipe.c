/* Recipes as a whole: letting go of one, loading a folder of them, and the checks between them. See recipe.h. */
#include "recipe/recipe.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"
#include "recipe/load.h"

const struct hm_recipe *hm_recipe_ref(const struct hm_recipe *borrowed)
{
    struct hm_recipe *recipe = hm_unconst(borrowed); /* the count is nobody's business but ours */
    if (recipe != NULL)
        recipe->refs++;
    return recipe;
}

void hm_recipe_free(const struct hm_recipe *held)
{
    struct hm_recipe *recipe = hm_unconst(held);
    if (recipe == NULL || --recipe->refs > 0)
        return;
    for (size_t i = 0; i < recipe->n_steps; i++)
        hm_load_step_free(&recipe->steps[i]);
    free(recipe->steps);
    hm_load_params_free(recipe->params, recipe->n_params);
    hm_cfg_strings_free(recipe->who);
    hm_template_free(recipe->lock);
    free(recipe->name);
    free(recipe->title);
    free(recipe->doc);
    free(recipe->ungated);
    free(recipe->file);
    free(recipe->text);
    free(recipe);
}

/* ---- a folder ---------------------------------------------------------------------------------------------------------- */

static int is_recipe_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && hm_ends_with(entry->d_name, ".cfg") ? 1 : 0;
}

static int by_name(const void *a, const void *b)
{
    const struct hm_recipe *const *x = a;
    const struct hm_recipe *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void add_recipe(struct hm_recipes *recipes, struct hm_recipe *recipe, struct hm_diags *diags)
{
    const struct hm_recipe *other = hm_recipes_find(recipes, recipe->name);
    if (other != NULL) {
        hm_diags_add(diags, recipe->file, 1, "the recipe \"%s\" is in %s too; rename one", recipe->name, other->file);
        hm_recipe_free(recipe);
        return;
    }
    recipes->items = hm_xreallocarray(recipes->items, recipes->count + 1, sizeof(struct hm_recipe *));
    recipes->items[recipes->count++] = recipe;
}

void hm_recipes_load_dir(struct hm_recipes *recipes, const char *dir, const struct hm_names *names, struct hm_diags *diags)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_recipe_file, alphasort);
    if (count < 0) {
        hm_diags_add(diags, dir, 0, "the folder can not be read: %s", strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        char *path = hm_xasprintf("%s/%s", dir, entries[i]->d_name);
        struct hm_recipe *recipe = hm_recipe_load(path, names, diags);
        if (recipe != NULL)
            add_recipe(recipes, recipe, diags);
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (recipes->count > 0)
        qsort(recipes->items, recipes->count, sizeof(struct hm_recipe *), by_name);
}

void hm_recipes_done(struct hm_recipes *recipes)
{
    for (size_t i = 0; i < recipes->count; i++)
        hm_recipe_free(recipes->items[i]);
    free(recipes->items);
    *recipes = (struct hm_recipes){0};
}

const struct hm_recipe *hm_recipes_find(const struct hm_recipes *recipes, const char *name)
{
    for (size_t i = 0; i < recipes->count; i++)
        if (strcmp(recipes->items[i]->name, name) == 0)
            return recipes->items[i];
    return NULL;
}

/* ---- between recipes --------------------------------------------------------------------------------------------------- */

struct offer_site {
    const struct hm_recipe *recipe;
    const struct hm_step *step;
    const struct hm_recipe *target;
    struct hm_diags *diags;
};

static void check_key(const struct offer_site *site, const char *key)
{
    char meant[120];
    struct hm_suggest s;
    hm_suggest_init(&s, key);
    for (size_t i = 0; i < site->target->n_params; i++) {
        if (strcmp(site->target->params[i].name, key) == 0)
            return;
        hm_suggest_try(&s, site->target->params[i].name);
    }
    hm_diags_add(site->diags, site->recipe->file, site->step->line, "steps[%s].offer: recipe \"%s\" has no param \"%s\"%s",
                 site->step->id, site->target->name, key, hm_suggest_text(&s, meant, sizeof meant));
}

static void check_offer(struct offer_site *site, const struct hm_recipes *recipes, const struct hm_offer *offer)
{
    char meant[120];
    site->target = hm_recipes_find(recipes, offer->recipe);
    if (site->target == NULL) {
        struct hm_suggest s;
        hm_suggest_init(&s, offer->recipe);
        for (size_t i = 0; i < recipes->count; i++)
            hm_suggest_try(&s, recipes->items[i]->name);
        hm_diags_add(site->diags, site->recipe->file, site->step->line, "steps[%s].offer: there is no recipe \"%s\"%s",
                     site->step->id, offer->recipe, hm_suggest_text(&s, meant, sizeof meant));
        return;
    }
    for (size_t i = 0; offer->with != NULL && hm_args_template_key(offer->with, i) != NULL; i++)
        check_key(site, hm_args_template_key(offer->with, i));
}

void hm_recipes_link(const struct hm_recipes *recipes, struct hm_diags *diags)
{
    for (size_t r = 0; r < recipes->count; r++) {
        const struct hm_recipe *recipe = recipes->items[r];
        for (size_t s = 0; s < recipe->n_steps; s++) {
            struct offer_site site = {recipe, &recipe->steps[s], NULL, diags};
            for (size_t o = 0; o < recipe->steps[s].n_offers; o++)
                check_offer(&site, recipes, &recipe->steps[s].offers[o]);
        }
    }
}
