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

struct hm_help_around {
    const char *command;  /* "/hausmeister" */
    const char *cookbook; /* its address, or NULL */
    const char *form_ref; /* one recipe: what the button that opens its form carries, or NULL */
    const json_t *scope; /* one recipe: {known: …}, for what would be taken when a param is left out; NULL = nothing is known */
    bool may;            /* one recipe: whoever asks may start it */
    size_t others;       /* the list: how many recipes are not in it, because he may not start them … */
    bool unsure;         /* … or Slack did not say whether he may */
};
/* The list of what he may start who asks, and a select that opens a form. */
void hm_help_render(const struct hm_recipe *const *mine, size_t count, const struct hm_help_around *around,
                    struct hm_slack_message *ret_message);
/* One recipe: what it does, its params with types and defaults, who may start and approve it, what it changes, an example. */
void hm_help_recipe_render(const struct hm_recipe *recipe, const struct hm_help_around *around,
                           struct hm_slack_message *ret_message);

#endif
