/* Starting runs: by a command's words, by values from an older run, by an offer. See people_parts.h. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cards.h"
#include "app/people_parts.h"
#include "app/watch.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/card.h"

enum hm_member hm_people_in_any(const struct hm_people *people, char *const *roles, const char *user)
{
    enum hm_member best = roles[0] == NULL ? HM_MEMBER_YES : HM_MEMBER_NO;
    for (; *roles != NULL && best != HM_MEMBER_YES; roles++) {
        enum hm_member is = hm_roles_member(people->opts.roles, *roles, user);
        if (is != HM_MEMBER_NO)
            best = is;
    }
    return best;
}

enum hm_notice_kind hm_people_stranger(const struct hm_asker *asker)
{
    const char *team = asker->people->team;
    if (asker->user_team[0] == '\0')
        return HM_NOTICE_NR;
    if (team == NULL)
        return asker->member ? HM_NOTICE_NR : HM_NOTICE_TEAM_UNKNOWN;
    return strcmp(asker->user_team, team) != 0 ? HM_NOTICE_OUTSIDER : HM_NOTICE_NR;
}

bool hm_people_refuse_stranger(struct hm_asker *asker)
{
    enum hm_notice_kind kind = hm_people_stranger(asker);
    if (kind != HM_NOTICE_NR)
        hm_say_notice(asker, (struct hm_notice){.kind = kind});
    return kind != HM_NOTICE_NR;
}

/* ---- where the card is ------------------------------------------------------------------------------------------------ */

static int by_run(const void *a, const void *b)
{
    const struct hm_asker *x = a;
    const struct hm_asker *y = b;
    return strcmp(x->card_of, y->card_of);
}

void hm_people_await_end(struct hm_asker *asker)
{
    if (asker->card_of == NULL)
        return;
    (void)tdelete(asker, &asker->people->awaiting, by_run);
    HM_FREE(asker->card_of);
}

/* The card may come up somewhere else than where he looks: he stays until it is there. */
static void await_card(struct hm_asker *asker, const char *run_id)
{
    const char *ts = NULL;
    asker->inbox_id = 0;        /* the envelope was closed with the run's first event */
    asker->holds_offer = false; /* the run has it */
    if (asker->channel[0] == '\0' || asker->people->cards == NULL || hm_cards_place(asker->people->cards, run_id, &ts) != NULL) {
        hm_asker_free(asker);
        return;
    }
    asker->card_of = hm_xstrdup(run_id);
    struct hm_asker *const *node = tsearch(asker, &asker->people->awaiting, by_run);
    HM_ASSERT(node != NULL && *node == asker); /* a run has one starter */
}

/* Whoever awaits the card of that run, and does so no longer; or NULL. */
static struct hm_asker *take_awaiting(const struct hm_people *people, const char *run_id)
{
    const struct hm_asker key = {.card_of = hm_unconst(run_id)};
    struct hm_asker *const *node = tfind(&key, &people->awaiting, by_run);
    struct hm_asker *asker = node != NULL ? *node : NULL;
    if (asker != NULL)
        hm_people_await_end(asker);
    return asker;
}

void hm_people_card_posted(void *arg, const char *run_id)
{
    struct hm_people *people = arg;
    const char *ts = NULL;
    const char *channel = hm_cards_place(people->cards, run_id, &ts);
    struct hm_asker *asker = take_awaiting(people, run_id);
    hm_people_changed(people); /* the Home tab can lead to it now */
    if (asker == NULL)
        return;
    if (channel == NULL || strcmp(channel, asker->channel) == 0) {
        hm_asker_free(asker);
        return;
    }
    /* From a direct message a card is moved so that others see it too. */
    enum hm_notice_kind kind = asker->channel[0] == 'D' ? HM_NOTICE_STARTED : HM_NOTICE_MOVED;
    hm_say_notice(asker, (struct hm_notice){.kind = kind, .run_id = run_id, .channel = channel});
}

void hm_people_card_unplaced(void *arg, const char *run_id, const char *why)
{
    struct hm_asker *asker = take_awaiting(arg, run_id);
    if (asker != NULL)
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_CHANNEL, .run_id = run_id, .detail = why});
}

static void on_started(void *arg, enum hm_code code, const char *run_id, const char *problem)
{
    struct hm_asker *asker = arg;
    if (code == HM_OK) {
        hm_log(HM_LOG_INFO, run_id, "asked for by %s in %s", asker->user, asker->channel);
        await_card(asker, run_id);
        return;
    }
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_JOURNAL_DOWN, .detail = problem});
}

json_t *hm_people_scope_new(const struct hm_people *people)
{
    json_t *scope = hm_json_obj_new();
    const json_t *known = people->watch != NULL ? hm_watch_known(people->watch) : people->settings->known;
    hm_json_set(scope, "known", json_incref(hm_unconst(known)));
    return scope;
}

bool hm_people_values_fit(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw)
{
    struct hm_err err = {0};
    json_t *scope = hm_people_scope_new(asker->people);
    json_t *params = hm_params_check_new(recipe, raw, scope, NULL, &err);
    bool fits = params != NULL;
    if (!fits)
        hm_people_bad(asker, recipe, raw, err.msg);
    json_decref(params);
    json_decref(scope);
    return fits;
}

/* given (may be NULL): which values a person gave; else what is in raw. */
static void begin(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, const json_t *given, bool dry)
{
    const struct hm_people *people = asker->people;
    struct hm_err err = {0};
    json_t *typed = NULL;
    json_t *scope = hm_people_scope_new(people);
    json_t *params = hm_params_check_new(recipe, raw, scope, &typed, &err);
    enum hm_code code = HM_EINVAL;
    if (params != NULL) {
        const struct hm_run_order order = {
            .recipe = recipe,
            .params = params,
            .given = given != NULL ? given : typed,
            .requester = asker->user,
            .team = people->team != NULL ? people->team : hm_or_null(asker->user_team), /* a member's is ours */
            .channel = asker->channel,
            .thread_ts = hm_or_null(asker->card_thread),
            .alarm = asker->holds_offer ? asker->offer : asker->follows,
        };
        code = dry ? HM_OK : hm_runner_start(people->opts.runner, &order, asker->inbox_id, on_started, asker, &err);
        if (dry)
            hm_people_dry_run(asker, &order, raw);
    }
    if (code != HM_OK)
        hm_people_bad(asker, recipe, raw, err.msg);
    json_decref(params);
    json_decref(typed);
    json_decref(scope);
}

void hm_people_follow(struct hm_asker *asker, const char *run_id)
{
    const struct hm_people *people = asker->people;
    free(asker->follows);
    asker->follows = people->watch != NULL && run_id != NULL ? hm_watch_follow_new(people->watch, run_id) : NULL;
}

void hm_people_start_values(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, const json_t *given)
{
    begin(asker, recipe, raw, given, false);
}

void hm_people_begin(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, bool dry)
{
    begin(asker, recipe, raw, NULL, dry);
}

void hm_people_start_words(struct hm_asker *asker, const struct hm_recipe *recipe, const char *words)
{
    struct hm_err err = {0};
    json_t *understood = NULL;
    json_t *raw = hm_params_typed_new(recipe, words, &asker->dry, &understood, &err);
    json_t *scope = hm_people_scope_new(asker->people);
    if (raw == NULL)
        hm_people_bad(asker, recipe, understood, err.msg);
    else if (hm_params_lack(recipe, raw, scope))
        hm_people_form(asker, recipe, raw);
    else
        hm_people_begin_listed(asker, recipe, raw, asker->dry);
    json_decref(scope);
    json_decref(understood);
    json_decref(raw);
}

void hm_people_start_named(struct hm_asker *asker, const char *name, const char *words)
{
    const struct hm_recipe *recipe = hm_people_recipe(asker, name);
    if (recipe != NULL)
        hm_people_start_words(asker, recipe, words);
}

const char *hm_people_nearest(const struct hm_people *people, const char *word, size_t below)
{
    const struct hm_recipes *recipes = &people->settings->recipes;
    const char *best = NULL;
    for (size_t i = 0; i < recipes->count; i++) {
        size_t distance = hm_edit_distance(word, recipes->items[i]->name, below);
        if (distance < below) {
            below = distance;
            best = recipes->items[i]->name;
        }
    }
    return best;
}

const struct hm_recipe *hm_people_recipe(struct hm_asker *asker, const char *name)
{
    const struct hm_people *people = asker->people;
    const struct hm_recipe *recipe = hm_recipes_find(&people->settings->recipes, name);
    if (recipe == NULL) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_UNKNOWN_RECIPE,
                                                .word = name,
                                                .suggestion = hm_people_nearest(people, name, HM_PEOPLE_SLIPS + 1)});
        return NULL;
    }
    switch (hm_people_in_any(people, recipe->who, asker->user)) {
    case HM_MEMBER_YES:
        return recipe;
    case HM_MEMBER_NO:
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_MAY_NOT_START, .recipe = recipe});
        break;
    case HM_MEMBER_UNKNOWN:
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_ROLE_UNKNOWN, .recipe = recipe});
        break;
    }
    return NULL;
}

/* ---- offers -------------------------------------------------------------------------------------------------------------- */

struct looking {
    struct hm_asker *asker;
    const char *nonce;
};

/* Remembers what the offer is about. */
static void look_at_offer(void *arg, const struct hm_run *run)
{
    struct looking *looking = arg;
    const struct hm_made_offer *offer = hm_run_find_offer(run, looking->nonce, NULL);
    if (offer == NULL)
        return;
    looking->asker->offer_recipe = hm_xstrdup(offer->recipe);
    looking->asker->offer_with = json_deep_copy(offer->with);
}

/* What taking it is. The key makes the click after a restart the same click as before it. */
static void take_offer(struct hm_asker *asker, const char *nonce)
{
    char key[32];
    (void)snprintf(key, sizeof key, "%lld", (long long)asker->inbox_id);
    const struct hm_input in = {
        .kind = HM_IN_OFFER, .user = asker->user, .user_team = hm_or_null(asker->user_team), .nonce = nonce, .typed = key};
    hm_people_click(asker, &in);
}

/* What it starts goes under the card that offered it. */
static void set_thread(struct hm_asker *asker)
{
    if (asker->card_thread[0] != '\0')
        return;
    free(asker->card_thread);
    asker->card_thread = hm_xstrdup(asker->message_ts);
}

/* Whether the recipe may be started at all, and whether its values fit, is asked before the offer is taken: who may not does not
 * use it up, and a form takes it when it is submitted. */
void hm_people_offer(struct hm_asker *asker, const char *nonce)
{
    struct looking looking = {asker, nonce};
    (void)hm_runner_visit(asker->people->opts.runner, asker->run_id, look_at_offer, &looking);
    if (asker->offer_recipe == NULL) { /* no such run or offer: let decide say which */
        take_offer(asker, nonce);
        return;
    }
    if (hm_people_refuse_stranger(asker))
        return;
    const struct hm_recipe *recipe = hm_people_recipe(asker, asker->offer_recipe);
    if (recipe == NULL)
        return;
    set_thread(asker);
    asker->offer = hm_card_value(asker->run_id, nonce);
    if (hm_people_values_fit(asker, recipe, asker->offer_with))
        take_offer(asker, nonce);
}

char *hm_people_offer_submit(struct hm_asker *asker, const char *offer, const struct hm_recipe *recipe, json_t *values)
{
    struct hm_people *people = asker->people;
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    bool ours = hm_card_parse_value(offer, run_id, nonce);
    struct looking looking = {asker, nonce};
    asker->run_id = hm_xstrdup(run_id);
    if (ours)
        (void)hm_runner_visit(people->opts.runner, run_id, look_at_offer, &looking);
    if (asker->offer_recipe != NULL && strcmp(asker->offer_recipe, recipe->name) != 0)
        nonce[0] = '\0'; /* no form of ours: decide knows no such offer */
    json_decref(asker->offer_with);
    asker->offer_with = json_incref(values);
    asker->offer = hm_xstrdup(offer);
    people->submitting = asker->stored_ms == 0 ? asker : NULL;
    take_offer(asker, nonce); /* which may have the answer at once: then the asker is gone */
    people->submitting = NULL;
    char *payload = people->ack;
    people->ack = NULL;
    return payload;
}

void hm_people_offer_taken(struct hm_asker *asker)
{
    const struct hm_recipe *recipe = hm_people_recipe(asker, asker->offer_recipe != NULL ? asker->offer_recipe : "");
    if (recipe == NULL)
        return;
    set_thread(asker);
    hm_people_follow(asker, asker->run_id);
    HM_FREE(asker->offer); /* it is used up: should the values not fit after all, a form starts the recipe without it */
    hm_people_start_values(asker, recipe, asker->offer_with, NULL);
}
