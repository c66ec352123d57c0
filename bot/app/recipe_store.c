/* Recipes by the hash of their text: see recipe_store.h. */
#include "app/recipe_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct hm_recipe_store {
    const char *journal_path;
    const struct hm_recipes *current;
    const struct hm_recipe **kept; /* held: of this and earlier configurations, and parsed from the journal */
    size_t n_kept;
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
    for (size_t i = 0; i < store->n_kept; i++)
        hm_recipe_free(store->kept[i]);
    free(store->kept);
    free(store);
}

/* What nobody else holds is of no use: should it be asked for again, the journal has its text. */
static void drop_unused(struct hm_recipe_store *store)
{
    size_t n = 0;
    for (size_t i = 0; i < store->n_kept; i++) {
        if (store->kept[i]->refs > 1)
            store->kept[n++] = store->kept[i];
        else
            hm_recipe_free(store->kept[i]);
    }
    store->n_kept = n;
}

static void keep(struct hm_recipe_store *store, const struct hm_recipe *held)
{
    store->kept = hm_xreallocarray(store->kept, store->n_kept + 1, sizeof(const void *));
    store->kept[store->n_kept++] = held;
}

void hm_recipe_store_use(struct hm_recipe_store *store, const struct hm_recipes *current)
{
    store->current = current;
    drop_unused(store);
    for (size_t i = 0; i < current->count; i++)
        keep(store, hm_recipe_ref(current->items[i]));
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
        recipe = hm_recipe_parse_again(sha256, text, &diags);
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
    enum { MANY = 200 }; /* of old texts, before those that nobody holds any more are let go */
    struct hm_recipe_store *store = arg;
    for (size_t i = store->n_kept; i-- > 0;)
        if (strcmp(store->kept[i]->sha256, sha256) == 0)
            return store->kept[i];
    struct hm_recipe *recipe = from_journal(store, sha256);
    if (recipe == NULL)
        return NULL;
    if (store->n_kept >= MANY + (store->current != NULL ? store->current->count : 0))
        drop_unused(store);
    keep(store, recipe);
    return recipe;
}
