/* Help: the recipes there are, and one recipe in full. Pure. */
#ifndef HM_VIEW_HELP_H
#define HM_VIEW_HELP_H

#include "base/strbuf.h"
#include "recipe/recipe.h"
#include "slack/blocks.h"

/* "/hausmeister retract <dataset> [transaction=…]"; plain text, caller frees. */
char *hm_help_usage(const struct hm_recipe *recipe, const char *command);
/* "It only reads; nothing is changed.", or who has to approve what is changed. */
void hm_help_add_effects(struct hm_strbuf *out, const struct hm_recipe *recipe);
/* The list, one line a recipe, sorted as loaded. */
void hm_help_render(const struct hm_recipes *recipes, const char *command, struct hm_slack_message *ret_message);
/* One recipe: what it does, its params with types and defaults, who may start and approve it, what it changes, an example. */
void hm_help_recipe_render(const struct hm_recipe *recipe, const char *command, struct hm_slack_message *ret_message);

#endif
