/* Recipes by the hash of their text: see recipe_store.h. */
#include "app/recipe_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct hm_recipe_store {
    const char *journal_path;
    const struct hm_recipes *current;
    const struct hm_recipe **seen; /* of earlier configurations: borrowed */
    size_t n_seen;
    struct hm_recipe **old; /* parsed from the journal: owned */
    size_t n_old;
};

struct hm_recipe_store *hm_recipe_store_new(const char *journal_path)
{
    struct hm_recipe_store *store = hm_xcalloc(1, sizeof *store);
    store->journal_path = journal_path;
    return store;
}

void hm_recipe_store_free(struct hm_recipe_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->n_old; i++)
        hm_recipe_free(store->old[i]);
    free(store->old);
    free(store->seen);
    free(store);
}

void hm_recipe_store_use(struct hm_recipe_store *store, const struct hm_recipes *current)
{
    store->current = current;
    store->seen = hm_xreallocarray(store->seen, store->n_seen + current->count, sizeof(const void *));
    for (size_t i = 0; i < current->count; i++)
        store->seen[store->n_seen++] = current->items[i];
}

const struct hm_recipe *hm_recipe_store_current(const struct hm_recipe_store *store, const char *name)
{
    return store->current != NULL ? hm_recipes_find(store->current, name) : NULL;
}

static struct hm_recipe *from_journal(const struct hm_recipe_store *store, const char *sha256)
{
    struct hm_err err = {0};
    struct hm_diags diags;
    struct hm_recipe *recipe = NULL;
    char *text = NULL;
    hm_diags_init(&diags);
    struct hm_journal_reader *reader = hm_journal_reader_open(store->journal_path, &err);
    if (reader != NULL)
        text = hm_journal_recipe_text(reader, sha256, &err);
    if (text == NULL)
        hm_log(HM_LOG_ERROR, "recipes", "the text of recipe %.12s can not be read: %s", sha256, err.msg);
    else
        recipe = hm_recipe_parse(sha256, text, NULL, &diags);
    if (text != NULL && recipe == NULL)
        hm_log(HM_LOG_ERROR, "recipes", "the older recipe %.12s does not load any more: %s", sha256,
               diags.count > 0 ? diags.items[0].text : "");
    hm_journal_reader_free(reader);
    hm_diags_done(&diags);
    free(text);
    return recipe;
}

const struct hm_recipe *hm_recipe_store_by_sha(void *arg, const char *sha256)
{
    struct hm_recipe_store *store = arg;
    for (size_t i = store->n_seen; i-- > 0;)
        if (strcmp(store->seen[i]->sha256, sha256) == 0)
            return store->seen[i];
    for (size_t i = 0; i < store->n_old; i++)
        if (strcmp(store->old[i]->sha256, sha256) == 0)
            return store->old[i];
    struct hm_recipe *recipe = from_journal(store, sha256);
    if (recipe == NULL)
        return NULL;
    store->old = hm_xreallocarray(store->old, store->n_old + 1, sizeof(void *));
    store->old[store->n_old++] = recipe;
    return recipe;
}
