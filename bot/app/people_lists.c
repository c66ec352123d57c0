/* The lists that params are chosen from, between people and lists.h. See people_parts.h.
 *
 * Happy path: a form opens → its lists are read at once → somebody types into the select → what fits goes out on the ack. Failure
 * modes: the list can not be read → the field becomes one for typing, and says why; it is slow → the select stays empty until it
 * is there; a value was typed in a command and its list is not there in time → the run begins, and the recipe finds out itself.
 */
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "view/choices.h"
#include "view/start.h"

enum {
    OPENED_MS = 40 * 1000, /* a form waits so long to be told that a list can not be read */
    SUGGEST_MS = 2000,     /* of Slack's three seconds for an ack */
    COMMAND_MS = 2500      /* nobody waits longer for a card */
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

/* ---- a form whose list can not be read --------------------------------------------------------------------------------------
 */

/* A form that somebody looks at. */
struct opened {
    struct hm_people *people;
    char *ref; /* with what has been filled in */
    char *view_id, *hash;
    json_t *no_lists; /* {param: why} */
    unsigned pending; /* lists that are still being read */
    bool gone;        /* the program is ending */
};

/* One of its lists. */
struct wanted {
    struct opened *form;
    char *param;
};

static struct opened *opened_new(struct hm_people *people, const char *ref, const json_t *view)
{
    struct opened *form = hm_xcalloc(1, sizeof *form);
    *form = (struct opened){.people = people,
                            .ref = hm_xstrdup(ref),
                            .view_id = hm_xstrdup(hm_json_get_str(view, "id", "")),
                            .hash = hm_xstrdup(hm_json_get_str(view, "hash", "")),
                            .no_lists = hm_json_obj_new()};
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

/* The same form with fields for typing. What has been filled in stays: Slack keeps it, field by field. */
static void update(const struct opened *form)
{
    struct hm_err err = {0};
    struct hm_start_ref ref;
    bool ours = hm_start_ref_parse(form->ref, &ref);
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&form->people->settings->recipes, ref.recipe) : NULL;
    json_t *view = recipe != NULL ? hm_people_form_new(form->people, recipe, &ref, form->no_lists, &err) : NULL;
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
    if (!form->gone && json_object_size(form->no_lists) > 0)
        update(form);
    opened_free(form);
}

static void on_wanted(void *arg, const struct hm_list_answer *answer)
{
    struct wanted *wanted = arg;
    struct opened *form = wanted->form;
    if (answer->state == HM_LIST_FAILED)
        hm_json_set_str(form->no_lists, wanted->param, answer->why);
    form->gone = form->gone || answer->state == HM_LIST_GONE;
    form->pending--;
    free(wanted->param);
    free(wanted);
    settle(form);
}

void hm_people_form_opened(struct hm_people *people, const char *ref_text, const json_t *body)
{
    struct hm_start_ref ref;
    bool ours = hm_start_ref_parse(ref_text, &ref);
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&people->settings->recipes, ref.recipe) : NULL;
    if (recipe != NULL && people->lists != NULL && hm_start_has_lists(recipe)) {
        json_t *scope = NULL;
        const json_t *known = known_of(people, &scope);
        struct opened *form = opened_new(people, ref_text, hm_json_get_obj(body, "view"));
        form->pending = 1; /* until all have been asked for: some answer at once */
        for (size_t i = 0; i < recipe->n_params; i++) {
            if (recipe->params[i].list == NULL)
                continue;
            const struct hm_list_query query = {recipe, &recipe->params[i], ref.values, known};
            struct wanted *wanted = hm_xmalloc(sizeof *wanted);
            *wanted = (struct wanted){form, hm_xstrdup(recipe->params[i].name)};
            form->pending++;
            hm_lists_ask(people->lists, &query, OPENED_MS, on_wanted, wanted);
        }
        form->pending--;
        settle(form);
        json_decref(scope);
    }
    hm_start_ref_done(&ref);
}

/* ---- typing into the select -------------------------------------------------------------------------------------------------
 */

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
    if (answer->state == HM_LIST_FAILED) {
        hm_json_set_str(t->form->no_lists, t->param->name, answer->why);
        update(t->form);
    }
    t->payload = hm_choices_options(t->param->list, answer->choices, t->typed);
    t->answered = true;
    if (!t->waiting)
        return;
    hm_intake_answer(people->opts.intake, t->asker->inbox_id, t->payload);
    hm_asker_close(t->asker);
    typing_free(t);
}

/* The form's reference with what stands in its fields now. */
static char *present_ref(const struct hm_slack_request *req, struct hm_start_ref *ref)
{
    ref->values = req->values;
    return hm_start_ref_text(ref, SIZE_MAX / 2);
}

static char *suggest(struct hm_asker *asker, const struct hm_slack_request *req, const struct hm_recipe *recipe,
                     const struct hm_param *param, struct hm_start_ref *ref)
{
    struct hm_people *people = asker->people;
    json_t *scope = NULL;
    char *payload = NULL;
    char *present = present_ref(req, ref);
    const struct hm_list_query query = {recipe, param, req->values, known_of(people, &scope)};
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
    json_decref(scope);
    return payload;
}

char *hm_people_suggest_list(struct hm_asker *asker, const struct hm_slack_request *req)
{
    struct hm_start_ref ref;
    struct hm_people *people = asker->people;
    bool ours =
        hm_start_ref_parse(req->private_metadata, &ref) && people->lists != NULL && hm_people_stranger(asker) == HM_NOTICE_NR;
    const struct hm_recipe *recipe = ours ? hm_recipes_find(&people->settings->recipes, ref.recipe) : NULL;
    const struct hm_param *param = recipe != NULL ? find_param(recipe, req->block_id) : NULL;
    bool may = param != NULL && param->list != NULL && hm_people_in_any(people, recipe->who, asker->user) == HM_MEMBER_YES;
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
