/* Recipes by the hash of their text: those of the present configuration, and older texts that runs still follow (from the
 * journal). What was handed out stays valid until the next call here; whoever keeps it longer holds it with hm_recipe_ref(), as
 * runs do. What nobody holds any more is let go at a reload. */
#ifndef HM_APP_RECIPE_STORE_H
#define HM_APP_RECIPE_STORE_H

#include "journal/journal.h"
#include "recipe/recipe.h"

struct hm_recipe_store;

/* journal_path: borrowed; read only when an old text is asked for. */
struct hm_recipe_store *hm_recipe_store_new(const char *journal_path);
void hm_recipe_store_free(struct hm_recipe_store *store);

/* The recipes of the present configuration; borrowed until the next use. */
void hm_recipe_store_use(struct hm_recipe_store *store, const struct hm_recipes *current);
/* The present recipe of this name, or NULL. */
const struct hm_recipe *hm_recipe_store_current(const struct hm_recipe_store *store, const char *name);
/* hm_recipe_by_sha_fn; arg is the store. NULL (and a line in the log) when the text is nowhere or no longer loads. */
const struct hm_recipe *hm_recipe_store_by_sha(void *arg, const char *sha256);

#endif
