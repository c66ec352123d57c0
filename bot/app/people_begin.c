/* The forms that start recipes: opened by commands without what they need, by shortcuts and by buttons; and what a submitted one
 * starts. See people_parts.h.
 *
 * Happy path: the form opens while the trigger lives (3 s) → it is submitted → the same checks as for a command → a run, whose
 * first commit closes the envelope. Failure modes: no trigger (a mention has none) or one that is too old → a button with a new
 * one; a field that does not fit → said at the field, and the form stays open; somebody who may not → said in the form's place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/manifest.h"
#include "view/dialog.h"
#include "view/start.h"

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

/* The same by a button, which brings a fresh trigger. Takes the asker. */
static void offer_button(struct hm_asker *asker, char *stolen_mrkdwn)
{
    struct hm_slack_message message = {0};
    hm_start_button_render(stolen_mrkdwn, "Open the form", asker->form_ref, &message);
    free(stolen_mrkdwn);
    hm_say_message(asker, &message);
}

/* It was not opened. Takes the asker. */
static void offer_again(struct hm_asker *asker, const struct hm_web_answer *answer)
{
    const struct hm_notice notice = {.kind = HM_NOTICE_FORM_LATE, .detail = hm_people_view_trouble(answer)};
    offer_button(asker, hm_notice_text(&notice));
}

static void on_opened(void *arg, const struct hm_web_answer *answer)
{
    struct hm_asker *asker = arg;
    if (answer->code == HM_OK) {
        hm_people_form_opened(asker->people, asker->form_ref, answer->body);
        hm_asker_close(asker);
        return;
    }
    hm_log(HM_LOG_WARN, "slack", "the form for %s: %s", asker->user, answer->sentence);
    offer_again(asker, answer);
}

static void open_view(struct hm_asker *asker, json_t *stolen_view)
{
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "trigger_id", asker->trigger_id);
    hm_json_set(args, "view", stolen_view);
    hm_web_call(asker->people->opts.api, "views.open", HM_WEB_BOT, args, on_opened, asker);
}

/* The channel of the card is asked for when it is not known. */
static const char *where_to_ask(const struct hm_people *people, const struct hm_start_ref *ref)
{
    const char *home = people->settings->slack.channel;
    if (ref->channel != NULL && ref->channel[0] != '\0')
        return NULL;
    return home != NULL ? home : "";
}

json_t *hm_people_form_new(const struct hm_people *people, const struct hm_recipe *recipe, const struct hm_start_ref *ref,
                           const json_t *no_lists, struct hm_err *err)
{
    json_t *scope = hm_people_scope_new(people);
    const struct hm_start_form form = {
        .recipe = recipe, .ref = ref, .scope = scope, .where = where_to_ask(people, ref), .no_lists = no_lists};
    json_t *view = hm_start_form_new(&form, err);
    json_decref(scope);
    return view;
}

static void set_text(char **slot, const char *text)
{
    char *copy = hm_xstrdup(text != NULL ? text : "");
    free(*slot);
    *slot = copy;
}

static void keep_ref(struct hm_asker *asker, const struct hm_start_ref *ref)
{
    free(asker->form_ref);
    asker->form_ref = hm_start_ref_text(ref, HM_START_REF_BUTTON);
}

static bool has_trigger(const struct hm_asker *asker)
{
    return asker->trigger_id[0] != '\0' && asker->stored_ms == 0;
}

static void open_form(struct hm_asker *asker, const struct hm_recipe *recipe, const struct hm_start_ref *ref)
{
    struct hm_err err = {0};
    keep_ref(asker, ref);
    if (!has_trigger(asker)) {
        offer_button(asker, hm_notice_text(&(const struct hm_notice){.kind = HM_NOTICE_FORM_BUTTON, .recipe = recipe}));
        return;
    }
    json_t *view = hm_people_form_new(asker->people, recipe, ref, NULL, &err);
    if (view != NULL)
        open_view(asker, view);
    else
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BAD_PARAM, .recipe = recipe, .detail = err.msg});
}

static struct hm_start_ref ref_of(const struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw)
{
    return (struct hm_start_ref){.recipe = recipe->name,
                                 .channel = asker->channel,
                                 .thread_ts = asker->card_thread,
                                 .offer = asker->offer,
                                 .message_ts = asker->offer != NULL ? asker->message_ts : NULL,
                                 .values = raw,
                                 .dry = asker->dry};
}

void hm_people_form(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw)
{
    const struct hm_start_ref ref = ref_of(asker, recipe, raw);
    open_form(asker, recipe, &ref);
}

void hm_people_bad(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, const char *why)
{
    const struct hm_notice notice = {
        .kind = HM_NOTICE_BAD_PARAM, .recipe = recipe, .detail = why, .command = hm_asker_command(asker)};
    if (recipe->n_params == 0) {
        hm_say_notice(asker, notice);
        return;
    }
    const struct hm_start_ref ref = ref_of(asker, recipe, raw);
    keep_ref(asker, &ref);
    offer_button(asker, hm_notice_text(&notice));
}

/* ---- choosing a recipe -------------------------------------------------------------------------------------------------- */

static void pick(struct hm_asker *asker, const struct hm_start_ref *ref)
{
    struct hm_err err = {0};
    json_t *view = has_trigger(asker) ? hm_start_pick_new(ref, &err) : NULL;
    if (view == NULL) { /* a shortcut that waited for a restart: there is nothing of it to be kept */
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED});
        return;
    }
    keep_ref(asker, ref);
    open_view(asker, view);
}

void hm_people_form_button(struct hm_asker *asker, const char *value)
{
    struct hm_start_ref ref;
    const struct hm_recipe *recipe = NULL;
    if (hm_people_refuse_stranger(asker)) {
        ref = (struct hm_start_ref){0};
    } else if (hm_start_ref_parse(value, &ref)) {
        recipe = ref.recipe[0] != '\0' ? hm_people_recipe(asker, ref.recipe) : NULL;
        if (recipe != NULL)
            open_form(asker, recipe, &ref);
        else if (ref.recipe[0] == '\0') /* one is still to be chosen */
            pick(asker, &ref);
    } else {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NOT_YET, .word = value});
    }
    hm_start_ref_done(&ref);
}

void hm_people_shortcut(struct hm_asker *asker, const struct hm_slack_request *req)
{
    if (hm_people_refuse_stranger(asker)) {
        /* he has been told */
    } else if (strcmp(req->callback_id, HM_SHORTCUT_START) == 0) {
        pick(asker, &(const struct hm_start_ref){0});
    } else if (strcmp(req->callback_id, HM_SHORTCUT_ON_MESSAGE) == 0) {
        json_t *found = hm_start_found_new(req->message);
        const struct hm_start_ref ref = {
            .channel = asker->channel, .thread_ts = req->thread_ts[0] != '\0' ? req->thread_ts : req->message_ts, .found = found};
        pick(asker, &ref);
        json_decref(found);
    } else {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NOT_YET, .word = req->callback_id});
    }
}

static void on_picked(void *arg, const struct hm_web_answer *answer)
{
    struct hm_asker *asker = arg;
    if (answer->code == HM_OK)
        hm_people_form_opened(asker->people, asker->form_ref, answer->body);
    if (answer->code == HM_OK || answer->code == HM_ENOTFOUND) { /* the second: closed meanwhile, by him who looked at it */
        hm_asker_close(asker);
        return;
    }
    hm_log(HM_LOG_WARN, "slack", "the form for %s: %s", asker->user, answer->sentence);
    offer_again(asker, answer);
}

/* The form takes the place of the choice: no trigger is needed for that, and so no three seconds. */
static void fill_in(struct hm_asker *asker, const struct hm_recipe *recipe, const struct hm_start_ref *ref, const char *view_id)
{
    struct hm_err err = {0};
    json_t *view = hm_people_form_new(asker->people, recipe, ref, NULL, &err);
    if (view == NULL) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BAD_PARAM, .recipe = recipe, .detail = err.msg});
        return;
    }
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "view_id", view_id);
    hm_json_set(args, "view", view);
    keep_ref(asker, ref);
    hm_web_call(asker->people->opts.api, "views.update", HM_WEB_BOT, args, on_picked, asker);
}

void hm_people_picked(struct hm_asker *asker, const struct hm_slack_request *req)
{
    const char *name = json_string_value(json_array_get(req->selected, 0));
    struct hm_start_ref ref = {.root = NULL};
    bool in_view = req->view != NULL && strcmp(req->callback_id, HM_FORM_PICK) == 0;
    if (name == NULL) { /* taken back */
        hm_asker_close(asker);
        return;
    }
    if (in_view && !hm_start_ref_parse(req->private_metadata, &ref))
        in_view = false;
    const struct hm_recipe *recipe = NULL;
    if (!hm_people_refuse_stranger(asker))
        recipe = hm_people_recipe(asker, name);
    if (recipe != NULL) {
        ref.recipe = recipe->name;
        if (!in_view) /* in a message: help, or the Home tab */
            hm_people_form(asker, recipe, NULL);
        else
            fill_in(asker, recipe, &ref, req->view_id);
    }
    hm_start_ref_done(&ref);
}

char *hm_people_pick_options(const struct hm_people *people, const char *user, const char *typed)
{
    const struct hm_recipes *recipes = &people->settings->recipes;
    const struct hm_recipe **mine = hm_xcalloc(recipes->count + 1, sizeof(void *));
    size_t n = hm_people_may_start(people, user, mine);
    char *payload = hm_start_options(mine, n, typed);
    free(mine);
    return payload;
}

size_t hm_people_may_start(const struct hm_people *people, const char *user, const struct hm_recipe **ret_recipes)
{
    const struct hm_recipes *recipes = &people->settings->recipes;
    size_t n = 0;
    for (size_t i = 0; i < recipes->count; i++)
        if (hm_people_in_any(people, recipes->items[i]->who, user) == HM_MEMBER_YES)
            ret_recipes[n++] = recipes->items[i];
    return n;
}

/* ---- submitting --------------------------------------------------------------------------------------------------------- */

static bool is_dry(const struct hm_slack_request *req)
{
    return json_array_size(hm_json_get_arr(req->values, HM_START_DRY)) > 0;
}

/* Why the form can not start anything, or NULL. */
static char *refusal(const struct hm_asker *asker, const struct hm_start_ref *ref, const struct hm_recipe *recipe)
{
    const struct hm_people *people = asker->people;
    struct hm_notice notice = {
        .kind = hm_people_stranger(asker), .recipe = recipe, .word = ref->recipe, .command = hm_asker_command(asker)};
    if (notice.kind != HM_NOTICE_NR)
        return hm_notice_text(&notice);
    if (recipe == NULL)
        notice.kind = HM_NOTICE_UNKNOWN_RECIPE;
    else if (hm_people_in_any(people, recipe->who, asker->user) == HM_MEMBER_NO)
        notice.kind = HM_NOTICE_MAY_NOT_START;
    else if (hm_people_in_any(people, recipe->who, asker->user) == HM_MEMBER_UNKNOWN)
        notice.kind = HM_NOTICE_ROLE_UNKNOWN;
    return notice.kind != HM_NOTICE_NR ? hm_notice_text(&notice) : NULL;
}

char *hm_people_submit_start(struct hm_asker *asker, const struct hm_slack_request *req)
{
    struct hm_start_ref ref;
    char *payload = NULL;
    json_t *scope = hm_people_scope_new(asker->people);
    json_t *values = NULL;
    json_t *lists = NULL;
    bool ours = hm_start_ref_parse(req->private_metadata, &ref);
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&asker->people->settings->recipes, ref.recipe) : NULL;
    if (ours && asker->stored_ms != 0 && hm_starts_with(ref.offer, "a-"))
        hm_people_alarm_again(asker, ref.offer);
    char *no = refusal(asker, &ref, recipe);
    if (no != NULL && asker->stored_ms != 0) { /* the form is long gone */
        if (ours)
            set_text(&asker->channel, ref.channel);
        hm_say_text(asker, no);
        no = NULL;
        goto out;
    }
    if (no != NULL) {
        payload = hm_dialog_words("Not started", no);
        hm_asker_close(asker);
        goto out;
    }
    HM_ASSERT(recipe != NULL); /* without one it was refused */
    values = hm_start_values_new(recipe, req->values, scope);
    lists = hm_people_lists_new(asker->people, recipe, values);
    payload = asker->stored_ms == 0 ? hm_start_errors(recipe, values, scope, lists) : NULL;
    if (payload != NULL) {
        hm_people_lists_forget(asker->people, recipe, values);
        hm_asker_close(asker); /* nothing came of it; the form is still open */
        goto out;
    }
    asker->dry = is_dry(req);
    set_text(&asker->channel, ref.channel[0] != '\0' ? ref.channel : hm_json_get_str(req->values, HM_START_WHERE, ""));
    set_text(&asker->thread_ts, ref.thread_ts);
    set_text(&asker->card_thread, ref.thread_ts);
    (void)snprintf(asker->message_ts, sizeof asker->message_ts, "%s", ref.message_ts);
    if (hm_start_drop_unchosen(recipe, values) > 0) { /* the form is gone: a new one, of the same offer */
        free(asker->offer);
        asker->offer = ref.offer[0] != '\0' ? hm_xstrdup(ref.offer) : NULL;
        hm_people_bad(asker, recipe, values, "nothing was chosen from one of its lists");
        goto out;
    }
    if (ref.offer[0] != '\0' && !asker->dry)
        payload = hm_starts_with(ref.offer, "a-") ? hm_people_alarm_submit(asker, ref.offer, recipe, values)
                                                  : hm_people_offer_submit(asker, ref.offer, recipe, values);
    else
        hm_people_begin(asker, recipe, values, asker->dry);
out:
    free(no);
    json_decref(lists);
    json_decref(values);
    json_decref(scope);
    hm_start_ref_done(&ref);
    return payload;
}
