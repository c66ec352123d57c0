/* The forms that start a recipe: choosing one, filling in its params, and what is wrong with what was filled in. Pure.
 *
 * A button or a form carries a reference: which recipe, where its card goes, what is known already. It comes back as it was sent
 * and is checked like anything typed, so nothing in it has to be believed. */
#ifndef HM_VIEW_START_H
#define HM_VIEW_START_H

#include "recipe/recipe.h"
#include "slack/blocks.h"

#define HM_FORM_START  "hm.start" /* callback_id: a recipe's form; private_metadata: a reference */
#define HM_FORM_PICK   "hm.pick"  /* callback_id: choosing a recipe; the same */
#define HM_ACTION_PICK "hm.pick"  /* action_id of a select of recipes; its value: the recipe's name */
#define HM_ACTION_FORM "hm.form"  /* action_id of a button that opens a form; its value: a reference */
#define HM_START_WHERE "hm.where" /* field: the channel of the card */
#define HM_START_DRY   "hm.dry"   /* field: [ "dry" ] when it is only to be rehearsed */

enum { HM_START_REF_BUTTON = 1800, HM_START_REF_VIEW = 2800 };

/* Borrowed strings; "" or NULL = none. */
struct hm_start_ref {
    json_t *root; /* owned after parsing; NULL otherwise */
    const char *recipe;
    const char *channel, *thread_ts;
    const char *offer;      /* that it is the form of: hm_card_value() of an alarm's case or of a run, and the offer's nonce */
    const char *message_ts; /* of the card that the offer stands on */
    const json_t *values;   /* {param: text} */
    const json_t *found;    /* {"uuid": [texts], "dataset": [texts]}: what a message speaks of */
    const json_t *no_lists; /* {param: why its list can not be had}: which fields of the form are for typing */
    bool dry;               /* he asked for a dry run: its box is ticked */
};
/* JSON text of at most max bytes (caller frees): what is found, then the values, then the lists are left out when it would be
 * longer. */
char *hm_start_ref_text(const struct hm_start_ref *ref, size_t max);
/* False when text is none. hm_start_ref_done() in any case. */
bool hm_start_ref_parse(const char *text, struct hm_start_ref *ret_ref);
void hm_start_ref_done(struct hm_start_ref *ref);

/* What a message (its JSON, with blocks and attachments) speaks of that may be a param's value: a new object for ref.found. */
HM_MUST json_t *hm_start_found_new(const json_t *message);

/* What a recipe's form is made of. */
struct hm_start_form {
    const struct hm_recipe *recipe;
    const struct hm_start_ref *ref;
    const json_t *scope;    /* {"known": …}, for defaults */
    const char *where;      /* the channel proposed for the card, "" = the one looked at; NULL = it is not asked */
    const json_t *no_lists; /* {param: why its list can not be had}, whose fields are for typing; NULL = all can */
};
HM_MUST json_t *hm_start_form_new(const struct hm_start_form *form, struct hm_err *err);
/* Some field is a select of a list that is read. */
bool hm_start_has_lists(const struct hm_recipe *recipe);
/* What stands in the form's fields while somebody fills it in: a new {param: text}, what is empty left out. told: the `values` of
 * the last change of a field that Slack told of, NULL = none yet; here: those of what came just now, which may be empty or of
 * before; ref: what the form was opened with. The fields that lists are read with are all told of, so there `told` has the last
 * word. */
HM_MUST json_t *hm_start_present_new(const struct hm_recipe *recipe, const json_t *told, const json_t *here, const json_t *ref);
/* Choosing a recipe. */
HM_MUST json_t *hm_start_pick_new(const struct hm_start_ref *ref, struct hm_err *err);
/* What fits what was typed into the select; the ack's payload as JSON text (caller frees). */
char *hm_start_options(const struct hm_recipe *const *recipes, size_t count, const char *typed);

/* Words for one person, and a button that opens a form. value: a reference. */
void hm_start_button_render(const char *mrkdwn, const char *label, const char *value, struct hm_slack_message *ret_message);

/* The submitted fields as a person would have typed them: {param: text}; what is empty, or is the default that the form proposed,
 * is left out. */
HM_MUST json_t *hm_start_values_new(const struct hm_recipe *recipe, const json_t *fields, const json_t *scope);
/* The fields that do not fit, as the ack's payload (caller frees), or NULL when all do. lists: {param: choices} of the lists that
 * are known (view/choices.h), whose values are looked up in them; NULL = none. */
char *hm_start_errors(const struct hm_recipe *recipe, const json_t *values, const json_t *scope, const json_t *lists);
/* Takes out of the values each for which a line was taken that is no choice (HM_CHOICE_NONE); how many. */
size_t hm_start_drop_unchosen(const struct hm_recipe *recipe, json_t *values);
/* Why a value is not among its param's choices, where the list takes no others; NULL = it is, or that can not be told: the list
 * is not known, or has more items than choices.h keeps. value: as the param's type has it. Caller frees. */
char *hm_start_unlisted(const struct hm_param *param, const json_t *value, const json_t *choices);

#endif
