/* A click on an alarm's offer. See people_parts.h.
 *
 * Happy path: the offer is there and free, the person may start its recipe, its values fit → it is taken (committed) → the run
 * starts in the alarm's thread, whose first commit closes the envelope. When the recipe needs more than the alarm says, the form
 * opens with what it says filled in, and the run that comes of it takes the offer. A crash between the two: the envelope is
 * handled anew, and finds that the same click has taken the offer. Who may not start the recipe does not use the offer up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "app/watch.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/alarm_card.h"

static void on_taken(void *arg, enum hm_code code, const char *problem)
{
    struct hm_asker *asker = arg;
    if (code != HM_OK) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_JOURNAL_DOWN, .detail = problem});
        return;
    }
    const struct hm_recipe *recipe = hm_recipes_find(&asker->people->settings->recipes, asker->offer_recipe);
    if (recipe != NULL && hm_people_in_any(asker->people, recipe->who, asker->user) == HM_MEMBER_YES) {
        hm_people_start_values(asker, recipe, asker->offer_with, NULL);
        return;
    }
    hm_people_alarm_failed(asker); /* the configuration or the role changed in between */
    (void)hm_people_recipe(asker, asker->offer_recipe);
}

void hm_people_alarm_failed(struct hm_asker *asker)
{
    if (asker->alarm_nonce[0] != '\0')
        hm_watch_release(asker->people->watch, asker->run_id, asker->alarm_nonce);
    asker->alarm_nonce[0] = '\0';
}

/* Where the run's card goes: under the alarm, whatever message was clicked on. */
static void set_place(struct hm_asker *asker, const struct hm_case *c)
{
    free(asker->channel);
    free(asker->card_thread);
    asker->channel = hm_xstrdup(c->channel);
    asker->card_thread = hm_xstrdup(c->ts);
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

/* The form with what the alarm says filled in; the run that comes of it takes the offer (hm_watch_run()). */
static void open_form(struct hm_asker *asker, const struct hm_recipe *recipe)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_t *texts = hm_json_obj_new();
    json_object_foreach(asker->offer_with, name, value)
    {
        char *text = json_is_string(value) ? hm_xstrdup(json_string_value(value)) : hm_json_text(value);
        hm_json_set_str(texts, name, text);
        free(text);
    }
    hm_people_form(asker, recipe, texts);
    json_decref(texts);
}

void hm_people_alarm(struct hm_asker *asker, const char *nonce)
{
    struct hm_watch *watch = asker->people->watch;
    const struct hm_case_offer *offer = NULL;
    const struct hm_case *c = watch != NULL ? hm_watch_offer(watch, asker->run_id, nonce, &offer) : NULL;
    char key[32];
    (void)snprintf(key, sizeof key, "%lld", (long long)asker->inbox_id);
    if (c == NULL || offer == NULL || !hm_watch_free_for(c, offer, asker->user, key)) {
        hm_say_text(asker, hm_alarm_card_refusal(c, offer));
        return;
    }
    const struct hm_people *people = asker->people;
    if (people->team != NULL && asker->user_team[0] != '\0' && strcmp(asker->user_team, people->team) != 0) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_OUTSIDER});
        return;
    }
    set_place(asker, c);
    asker->offer_recipe = hm_xstrdup(offer->recipe);
    asker->offer_with = json_deep_copy(offer->with);
    const struct hm_recipe *recipe = hm_people_recipe(asker, asker->offer_recipe);
    if (recipe == NULL)
        return;
    if (needs_more(recipe, asker->offer_with)) {
        open_form(asker, recipe);
    } else if (hm_people_values_fit(asker, recipe, asker->offer_with)) {
        (void)snprintf(asker->alarm_nonce, sizeof asker->alarm_nonce, "%s", nonce);
        hm_watch_take(watch, c->id, asker->alarm_nonce, &(const struct hm_watch_click){asker->user, key, on_taken, asker});
    }
}
