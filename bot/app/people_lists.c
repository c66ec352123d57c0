/* The lists that params are chosen from, between people and lists.h. See people_parts.h.
 *
 * Happy path: a form opens → its lists are read at once → somebody types into the select → what fits goes out on the ack. Failure
 * modes: the list can not be read → the field becomes one for typing, and says why; it is slow, or a field that it is read with
 * is empty → the select has one line that says so; a value was typed in a command and its list is not there in time → the run
 * begins, and the recipe finds out itself. */
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/choices.h"
#include "view/start.h"

enum {
    OPENED_MS = 40 * 1000, /* a form waits so long to be told that a list can not be read */
    SUGGEST_MS = 2000,     /* of Slack's three seconds for an ack */
    COMMAND_MS = 2500,     /* nobody waits longer for a card */
    WHY_MAX = 120,         /* characters */
    TOLD_MAX = 64          /* open forms whose fields are remembered */
};

/* What is known, for as long as the query lives. */
static const json_t *known_of(const struct hm_people *people, json_t **ret_scope)
{
    *ret_scope = hm_people_scope_new(people);
    return json_object_get(*ret_scope, "known");
}

static const struct hm_param *find_param(const struct hm_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (strcmp(recipe->params[i].name, name) == 0)
            return &recipe->params[i];
    return NULL;
}

/* ---- what stands in an open form --------------------------------------------------------------------------------------------
 *
 * Slack documents that block_actions bring the present values of a whole view, and not that block_suggestion does: whoever asked
 * found them empty there, or those of before (slackapi/bolt-js 660 and 1146, bolt-python 336, java-slack-sdk 1292). So the fields
 * that lists are read with tell of each change (param_field.h), what they told last is kept here, and what a form was opened with
 * stands in its private_metadata. What a restart makes us forget, the select asks for (HM_LIST_LACKS).
 */

/* Forms are closed without our being told: the oldest ones go. */
static void remember(struct hm_people *people, const char *view_id, const json_t *values)
{
    (void)json_object_del(people->told, view_id); /* the order is that of the last change */
    hm_json_set(people->told, view_id, json_deep_copy(values));
    while (json_object_size(people->told) > TOLD_MAX)
        (void)json_object_del(people->told, json_object_iter_key(json_object_iter(people->told)));
}

/* The form's reference with what stands in its fields now; *ret_values: that, a new reference. */
static char *present_ref(const struct hm_people *people, const struct hm_slack_request *req, const struct hm_recipe *recipe,
                         const struct hm_start_ref *ref, json_t **ret_values)
{
    struct hm_start_ref present = *ref;
    *ret_values = hm_start_present_new(recipe, json_object_get(people->told, req->view_id), req->values, ref->values);
    present.values = *ret_values;
    return hm_start_ref_text(&present, SIZE_MAX / 2);
}

/* ---- a form whose list can not be read --------------------------------------------------------------------------------------
 */

/* A form that somebody looks at. */
struct opened {
    struct hm_people *people;
    char *ref; /* with what has been filled in, and with the lists that could not be read when it was shown */
    char *view_id, *hash;
    json_t *no_lists; /* {param: why}, as it is now */
    unsigned pending; /* lists that are still being read */
    bool gone;        /* the program is ending */
};

/* One of its lists. */
struct wanted {
    struct opened *form;
    char *param;
};

static struct opened *opened_new(struct hm_people *people, const char *ref_text, const json_t *view)
{
    struct opened *form = hm_xcalloc(1, sizeof *form);
    *form = (struct opened){.people = people,
                            .ref = hm_xstrdup(ref_text),
                            .view_id = hm_xstrdup(hm_json_get_str(view, "id", "")),
                            .hash = hm_xstrdup(hm_json_get_str(view, "hash", ""))};
    struct hm_start_ref ref;
    (void)hm_start_ref_parse(ref_text, &ref);
    form->no_lists = ref.no_lists != NULL ? json_deep_copy(ref.no_lists) : hm_json_obj_new();
    hm_start_ref_done(&ref);
    return form;
}

static void opened_free(struct opened *form)
{
    free(form->ref);
    free(form->view_id);
    free(form->hash);
    json_decref(form->no_lists);
    free(form);
}

static void on_updated(void *arg, const struct hm_web_answer *answer)
{
    (void)arg;
    if (answer->code != HM_OK) /* closed or changed meanwhile: he has gone on */
        hm_log(HM_LOG_INFO, "slack", "a form without its list: %s", answer->sentence);
}

/* The same form, each field for typing or for choosing as its list can be read now. What has been filled in stays: Slack keeps
 * it, field by field. */
static void update(const struct opened *form)
{
    struct hm_err err = {0};
    struct hm_start_ref ref;
    bool ours = hm_start_ref_parse(form->ref, &ref);
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&form->people->settings->recipes, ref.recipe) : NULL;
    bool shown = json_equal(ref.no_lists, form->no_lists) || (ref.no_lists == NULL && json_object_size(form->no_lists) == 0);
    json_t *view = recipe != NULL && !shown ? hm_people_form_new(form->people, recipe, &ref, form->no_lists, &err) : NULL;
    if (view != NULL) {
        json_t *args = hm_json_obj_new();
        hm_json_set_str(args, "view_id", form->view_id);
        if (form->hash[0] != '\0') /* not over what has come later */
            hm_json_set_str(args, "hash", form->hash);
        hm_json_set(args, "view", view);
        hm_web_call(form->people->opts.api, "views.update", HM_WEB_BOT, args, on_updated, NULL);
    }
    hm_start_ref_done(&ref);
}

/* All lists are settled. */
static void settle(struct opened *form)
{
    if (form->pending > 0)
        return;
    if (!form->gone)
        update(form);
    opened_free(form);
}

static void note(struct opened *form, const char *param, const struct hm_list_answer *answer)
{
    if (answer->state == HM_LIST_FAILED) {
        size_t shown = hm_utf8_take(answer->why, WHY_MAX); /* all of them stand in the form's private_metadata */
        char *why = hm_xasprintf("%.*s%s", (int)shown, answer->why, answer->why[shown] != '\0' ? "…" : "");
        hm_json_set_str(form->no_lists, param, why);
        free(why);
    } else if (answer->state == HM_LIST_READY || answer->state == HM_LIST_LACKS) {
        (void)json_object_del(form->no_lists, param);
    }
    form->gone = form->gone || answer->state == HM_LIST_GONE;
}

static void on_wanted(void *arg, const struct hm_list_answer *answer)
{
    struct wanted *wanted = arg;
    struct opened *form = wanted->form;
    note(form, wanted->param, answer);
    form->pending--;
    free(wanted->param);
    free(wanted);
    settle(form);
}

/* The lists of the form that are read with the changed param; NULL = all. */
static void read_lists(struct hm_people *people, const struct hm_recipe *recipe, const struct hm_start_ref *ref,
                       const struct hm_param *changed, struct opened *stolen_form)
{
    json_t *scope = NULL;
    const json_t *known = known_of(people, &scope);
    stolen_form->pending = 1; /* until all have been asked for: some answer at once */
    for (size_t i = 0; i < recipe->n_params; i++) {
        const struct hm_param *param = &recipe->params[i];
        if (param->list == NULL || (changed != NULL && !hm_param_list_needs(param->list, changed)))
            continue;
        const struct hm_list_query query = {recipe, param, ref->values, known};
        struct wanted *wanted = hm_xmalloc(sizeof *wanted);
        *wanted = (struct wanted){stolen_form, hm_xstrdup(param->name)};
        stolen_form->pending++;
        hm_lists_ask(people->lists, &query, OPENED_MS, on_wanted, wanted);
    }
    stolen_form->pending--;
    settle(stolen_form);
    json_decref(scope);
}

void hm_people_form_opened(struct hm_people *people, const char *ref_text, const json_t *body)
{
    struct hm_start_ref ref;
    bool ours = hm_start_ref_parse(ref_text, &ref);
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&people->settings->recipes, ref.recipe) : NULL;
    if (recipe != NULL && people->lists != NULL && hm_start_has_lists(recipe))
        read_lists(people, recipe, &ref, NULL, opened_new(people, ref_text, hm_json_get_obj(body, "view")));
    hm_start_ref_done(&ref);
}

/* ---- filling in, and typing into the select ---------------------------------------------------------------------------------
 */

/* The recipe of the form, if he may start it: nobody else makes us read anything. */
static const struct hm_recipe *his_recipe(const struct hm_asker *asker, const struct hm_slack_request *req,
                                          struct hm_start_ref *ret_ref)
{
    const struct hm_people *people = asker->people;
    bool ours =
        hm_start_ref_parse(req->private_metadata, ret_ref) && people->lists != NULL && hm_people_stranger(asker) == HM_NOTICE_NR;
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&people->settings->recipes, ret_ref->recipe) : NULL;
    return recipe != NULL && hm_people_in_any(people, recipe->who, asker->user) == HM_MEMBER_YES ? recipe : NULL;
}

/* What is told of it is told of a whole value, and not of each letter that somebody types. */
static bool comes_whole(const struct hm_param *param)
{
    return param->list != NULL || param->type == HM_PARAM_CHOICE || param->type == HM_PARAM_BOOL ||
           param->type == HM_PARAM_DATE || param->type == HM_PARAM_USER ||
           param->type == HM_PARAM_UUID; /* which is none before its last letter */
}

void hm_people_filled_in(struct hm_asker *asker, const struct hm_slack_request *req)
{
    struct hm_start_ref ref;
    struct hm_people *people = asker->people;
    const struct hm_recipe *recipe = his_recipe(asker, req, &ref);
    const struct hm_param *param = recipe != NULL ? find_param(recipe, req->block_id) : NULL;
    if (recipe != NULL && asker->stored_ms == 0) {
        remember(people, req->view_id, req->values);
        if (param != NULL && comes_whole(param)) {
            struct hm_start_ref present = ref;
            json_t *values = NULL;
            char *text = present_ref(people, req, recipe, &ref, &values);
            present.values = values;
            read_lists(people, recipe, &present, param, opened_new(people, text, req->view));
            free(text);
            json_decref(values);
        }
    }
    hm_start_ref_done(&ref);
    hm_asker_close(asker);
}

/* Somebody who types. */
struct typing {
    struct hm_asker *asker;
    const struct hm_recipe *recipe; /* held */
    const struct hm_param *param;
    char *typed;
    struct opened *form;
    bool answered; /* before the search was over */
    bool waiting;  /* the ack waits */
    char *payload;
};

static void typing_free(struct typing *t)
{
    hm_recipe_free(t->recipe);
    free(t->typed);
    free(t->payload);
    opened_free(t->form);
    free(t);
}

/* A select without a line says "No result", which is not so as long as the list is not there. */
static char *options_of(const struct typing *t, const struct hm_list_answer *answer)
{
    const struct hm_param_list *list = t->param->list;
    char *line = NULL;
    if (answer->state == HM_LIST_LACKS)
        line = hm_xstrdup(answer->why);
    else if (answer->state == HM_LIST_LATE)
        line = hm_xstrdup("The list is still being read: open it again in a moment");
    else if (answer->state == HM_LIST_FAILED)
        line = hm_xstrdup("The list could not be read: type the value instead");
    else if (json_array_size(answer->choices) == 0)
        line = hm_xstrdup("The list is empty just now");
    bool own = list->others && t->typed[strspn(t->typed, " \t")] != '\0'; /* what he typed is a choice */
    char *payload = line != NULL && !own ? hm_choices_line(line) : hm_choices_options(list, answer->choices, t->typed);
    free(line);
    return payload;
}

static void on_choices(void *arg, const struct hm_list_answer *answer)
{
    struct typing *t = arg;
    struct hm_people *people = t->asker->people;
    if (answer->state == HM_LIST_GONE) { /* no ack: he sees that nothing comes */
        t->answered = true;
        if (t->waiting)
            typing_free(t);
        return;
    }
    note(t->form, t->param->name, answer);
    update(t->form);
    t->payload = options_of(t, answer);
    t->answered = true;
    if (!t->waiting)
        return;
    hm_intake_answer(people->opts.intake, t->asker->inbox_id, t->payload);
    hm_asker_close(t->asker);
    typing_free(t);
}

static char *suggest(struct hm_asker *asker, const struct hm_slack_request *req, const struct hm_recipe *recipe,
                     const struct hm_param *param, const struct hm_start_ref *ref)
{
    struct hm_people *people = asker->people;
    json_t *scope = NULL;
    json_t *values = NULL;
    char *payload = NULL;
    char *present = present_ref(people, req, recipe, ref, &values);
    const struct hm_list_query query = {recipe, param, values, known_of(people, &scope)};
    struct typing *t = hm_xcalloc(1, sizeof *t);
    *t = (struct typing){.asker = asker,
                         .recipe = hm_recipe_ref(recipe),
                         .param = param,
                         .typed = hm_xstrdup(req->value),
                         .form = opened_new(people, present, req->view)};
    hm_lists_ask(people->lists, &query, SUGGEST_MS, on_choices, t);
    if (t->answered) {
        payload = t->payload;
        t->payload = NULL;
        typing_free(t);
        hm_asker_close(asker);
    } else {
        t->waiting = true;
        hm_intake_later(people->opts.intake);
    }
    free(present);
    json_decref(values);
    json_decref(scope);
    return payload;
}

char *hm_people_suggest_list(struct hm_asker *asker, const struct hm_slack_request *req)
{
    struct hm_start_ref ref;
    const struct hm_recipe *recipe = his_recipe(asker, req, &ref);
    const struct hm_param *param = recipe != NULL ? find_param(recipe, req->block_id) : NULL;
    bool may = param != NULL && param->list != NULL;
    char *payload = NULL;
    if (may)
        payload = suggest(asker, req, recipe, param, &ref);
    else
        hm_asker_close(asker);
    hm_start_ref_done(&ref);
    return may ? payload : hm_xstrdup("{\"options\":[]}");
}

/* ---- values that were given -------------------------------------------------------------------------------------------------
 */

json_t *hm_people_lists_new(const struct hm_people *people, const struct hm_recipe *recipe, const json_t *values)
{
    json_t *lists = hm_json_obj_new();
    json_t *scope = NULL;
    const json_t *known = known_of(people, &scope);
    for (size_t i = 0; i < recipe->n_params && people->lists != NULL; i++) {
        const struct hm_list_query query = {recipe, &recipe->params[i], values, known};
        const json_t *choices = recipe->params[i].list != NULL ? hm_lists_peek(people->lists, &query) : NULL;
        if (choices != NULL)
            hm_json_set(lists, recipe->params[i].name, json_incref(hm_unconst(choices)));
    }
    json_decref(scope);
    return lists;
}

void hm_people_lists_forget(const struct hm_people *people, const struct hm_recipe *recipe, const json_t *values)
{
    json_t *scope = NULL;
    const json_t *known = known_of(people, &scope);
    for (size_t i = 0; i < recipe->n_params && people->lists != NULL; i++) {
        const struct hm_list_query query = {recipe, &recipe->params[i], values, known};
        if (recipe->params[i].list != NULL)
            hm_lists_forget(people->lists, &query);
    }
    json_decref(scope);
}

/* Somebody's command that is being looked up. */
struct looking_up {
    struct hm_asker *asker;
    const struct hm_recipe *recipe; /* held */
    json_t *raw;
    bool dry, gone;
    char *wrong; /* the first value that is in no list, as a sentence */
    unsigned pending;
};

/* One of its values. */
struct value {
    struct looking_up *of;
    const struct hm_param *param;
};

static void looked_up(struct looking_up *l)
{
    if (l->pending > 0)
        return;
    if (!l->gone && l->wrong != NULL) {
        hm_people_lists_forget(l->asker->people, l->recipe, l->raw);
        hm_people_bad(l->asker, l->recipe, l->raw, l->wrong);
    } else if (!l->gone) {
        hm_people_begin(l->asker, l->recipe, l->raw, l->dry);
    }
    hm_recipe_free(l->recipe);
    json_decref(l->raw);
    free(l->wrong);
    free(l);
}

static void on_value(void *arg, const struct hm_list_answer *answer)
{
    struct value *v = arg;
    struct looking_up *l = v->of;
    struct hm_err err = {0};
    json_t *value = hm_param_value_new(v->param, json_object_get(l->raw, v->param->name), &err);
    if (answer->state == HM_LIST_READY && l->wrong == NULL)
        l->wrong = hm_start_unlisted(v->param, value, answer->choices);
    l->gone = l->gone || answer->state == HM_LIST_GONE;
    l->pending--;
    json_decref(value);
    free(v);
    looked_up(l);
}

void hm_people_begin_listed(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, bool dry)
{
    struct hm_people *people = asker->people;
    json_t *scope = NULL;
    const json_t *known = known_of(people, &scope);
    struct looking_up *l = hm_xcalloc(1, sizeof *l);
    *l = (struct looking_up){
        .asker = asker, .recipe = hm_recipe_ref(recipe), .raw = json_deep_copy(raw), .dry = dry, .pending = 1};
    for (size_t i = 0; i < recipe->n_params && people->lists != NULL; i++) {
        const struct hm_param *param = &recipe->params[i];
        if (param->list == NULL || param->list->others || json_object_get(raw, param->name) == NULL)
            continue;
        const struct hm_list_query query = {recipe, param, raw, known};
        struct value *v = hm_xmalloc(sizeof *v);
        *v = (struct value){l, param};
        l->pending++;
        hm_lists_ask(people->lists, &query, COMMAND_MS, on_value, v);
    }
    l->pending--;
    looked_up(l);
    json_decref(scope);
}
