/* A click on an alarm's offer, and the form of one. See people_parts.h.
 *
 * Happy path: the offer is there and free, the person may start its recipe, its values fit → it is taken (committed) → the run
 * starts in the alarm's thread, whose first commit closes the envelope and says by which offer it began. When the recipe needs
 * more than the alarm says, the form opens with what it says filled in; it carries the offer, which is taken when it is
 * submitted: of two who have it open the first one starts something, and the second one is told so in the form. A crash between
 * the two commits: the envelope is handled anew, and finds that it has taken the offer itself. Who does not come to a run, for
 * whatever reason, does not use the offer up (hm_people_alarm_release()). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "app/watch.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/alarm_card.h"
#include "view/card.h"
#include "view/dialog.h"

enum { KEY_MAX = 32 };

/* An offer as its button or its form names it. */
struct named {
    char case_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    const struct hm_case *c;           /* NULL = not known (any more) */
    const struct hm_case_offer *offer; /* the same */
};

static void find_named(const struct hm_asker *asker, const char *value, struct named *ret_named)
{
    struct hm_watch *watch = asker->people->watch;
    *ret_named = (struct named){.c = NULL};
    if (watch != NULL && hm_card_parse_value(value, ret_named->case_id, ret_named->nonce))
        ret_named->c = hm_watch_offer(watch, ret_named->case_id, ret_named->nonce, &ret_named->offer);
}

/* Of this click or form: the same before and after a restart. */
static void key_of(const struct hm_asker *asker, char ret_key[KEY_MAX])
{
    (void)snprintf(ret_key, KEY_MAX, "%lld", (long long)asker->inbox_id);
}

/* The offer is free, or his already: by this very envelope, before a restart. Then he holds it, and it goes back when nothing
 * comes of it. */
static bool may_have(struct hm_asker *asker, const char *value, const struct named *named)
{
    char key[KEY_MAX];
    key_of(asker, key);
    if (named->offer == NULL || !hm_watch_free_for(named->c, named->offer, key))
        return false;
    free(asker->offer);
    asker->offer = hm_xstrdup(value);
    asker->holds_offer = named->offer->taken_by != NULL;
    /* Where the run's card goes: under the alarm, whatever message was clicked on. */
    free(asker->channel);
    free(asker->card_thread);
    asker->channel = hm_xstrdup(named->c->channel);
    asker->card_thread = hm_xstrdup(named->c->ts);
    return true;
}

static void on_taken(void *arg, enum hm_code code, const char *problem)
{
    struct hm_asker *asker = arg;
    asker->holds_offer = code == HM_OK;
    if (code != HM_OK) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_JOURNAL_DOWN, .detail = problem});
        return;
    }
    /* the configuration or the role may have changed in between */
    const struct hm_recipe *recipe = hm_people_recipe(asker, asker->offer_recipe);
    if (recipe != NULL)
        hm_people_start_values(asker, recipe, asker->offer_with, NULL);
}

/* with: taken over. */
static void take(struct hm_asker *asker, const struct named *named, const char *recipe, json_t *stolen_with)
{
    char key[KEY_MAX];
    key_of(asker, key);
    free(asker->offer_recipe);
    json_decref(asker->offer_with);
    asker->offer_recipe = hm_xstrdup(recipe);
    asker->offer_with = stolen_with;
    hm_watch_take(asker->people->watch, named->case_id, named->nonce,
                  &(const struct hm_watch_click){asker->user, key, on_taken, asker});
}

void hm_people_alarm_release(struct hm_asker *asker)
{
    struct named named;
    if (!asker->holds_offer)
        return;
    asker->holds_offer = false;
    find_named(asker, asker->offer, &named);
    if (named.offer != NULL)
        hm_watch_release(asker->people->watch, named.case_id, named.nonce);
}

/* Whether the recipe needs what the alarm does not say. */
static bool needs_more(const struct hm_recipe *recipe, const json_t *with)
{
    for (size_t i = 0; i < recipe->n_params; i++) {
        const struct hm_param *param = &recipe->params[i];
        if (!param->optional && param->fallback == NULL && json_object_get(with, param->name) == NULL)
            return true;
    }
    return false;
}

/* The form with what the alarm says filled in. */
static void open_form(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *with)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_t *texts = hm_json_obj_new();
    json_object_foreach(hm_unconst(with), name, value)
    {
        char *text = json_is_string(value) ? hm_xstrdup(json_string_value(value)) : hm_json_text(value);
        hm_json_set_str(texts, name, text);
        free(text);
    }
    hm_people_form(asker, recipe, texts);
    json_decref(texts);
}

void hm_people_alarm(struct hm_asker *asker, const char *offer)
{
    struct named named;
    find_named(asker, offer, &named);
    if (!may_have(asker, offer, &named)) {
        hm_say_text(asker, hm_alarm_card_refusal(named.c, named.offer));
        return;
    }
    if (hm_people_refuse_stranger(asker))
        return;
    json_t *with = json_deep_copy(named.offer->with);
    const struct hm_recipe *recipe = hm_people_recipe(asker, named.offer->recipe);
    if (recipe != NULL && needs_more(recipe, with))
        open_form(asker, recipe, with);
    else if (recipe != NULL && hm_people_values_fit(asker, recipe, with))
        take(asker, &named, recipe->name, json_incref(with));
    json_decref(with);
}

void hm_people_alarm_again(struct hm_asker *asker, const char *offer)
{
    struct named named;
    find_named(asker, offer, &named);
    if (named.offer != NULL && named.offer->taken_by != NULL)
        (void)may_have(asker, offer, &named);
}

char *hm_people_alarm_submit(struct hm_asker *asker, const char *offer, const struct hm_recipe *recipe, json_t *values)
{
    struct named named;
    char *payload = NULL;
    find_named(asker, offer, &named);
    if (named.offer != NULL && strcmp(named.offer->recipe, recipe->name) != 0)
        named.offer = NULL; /* no form of ours */
    if (may_have(asker, offer, &named)) {
        take(asker, &named, recipe->name, json_incref(values));
        return NULL;
    }
    char *why = hm_alarm_card_refusal(named.c, named.offer);
    if (asker->stored_ms != 0) { /* the form is long gone */
        hm_say_text(asker, why);
        return NULL;
    }
    payload = hm_dialog_words("Not started", why);
    free(why);
    hm_asker_close(asker);
    return payload;
}
