/* Offers and runs of alarms: see watch_parts.h. A run knows the offer that it was started by (hm_run.alarm), and the journal has
 * that with the run's own events, so that a crash between the run's commit and the case's can not part them. */
#include <stdlib.h>
#include <string.h>

#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "view/card.h"

enum { SAID_MAX = 1500 };

/* ---- offers -------------------------------------------------------------------------------------------------------------------
 */

const struct hm_case *hm_watch_offer(struct hm_watch *watch, const char *case_id, const char *nonce,
                                     const struct hm_case_offer **ret_offer)
{
    struct hm_watched *w = hm_watched_find(watch, case_id);
    *ret_offer = w != NULL ? hm_case_offer(w->c, nonce) : NULL;
    return w != NULL ? w->c : NULL;
}

bool hm_watch_free_for(const struct hm_case *c, const struct hm_case_offer *offer, const char *key)
{
    if (c == NULL || offer == NULL || offer->unasked)
        return false;
    if (offer->taken_by == NULL)
        return c->end == HM_CASE_OPEN;
    return offer->run_id == NULL && !offer->starting && hm_streq(offer->key, key);
}

void hm_watch_release(struct hm_watch *watch, const char *case_id, const char *nonce)
{
    struct hm_watched *w = hm_watched_find(watch, case_id);
    struct hm_case_offer *offer = w != NULL ? hm_case_offer(w->c, nonce) : NULL;
    if (offer == NULL || offer->run_id != NULL)
        return;
    hm_case_untake(offer);
    offer->starting = false;
    hm_watched_event(w, "alarm.offer.released", hm_json_obj_new());
    hm_watched_touch(w, true);
    hm_watched_flush(w);
}

static void take(struct hm_watched *w, struct hm_case_offer *offer, const char *user, const char *key)
{
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "by", user);
    hm_json_set_str(data, "recipe", offer->recipe);
    hm_json_set(data, "with", json_deep_copy(offer->with));
    if (offer->taken_by == NULL)
        hm_watched_event(w, "alarm.offer.taken", json_incref(data));
    json_decref(data);
    hm_case_take(offer, user, key, hm_wall_ms(w->watch->opts.clock));
}

void hm_watch_take(struct hm_watch *watch, const char *case_id, const char *nonce, const struct hm_watch_click *click)
{
    struct hm_watched *w = hm_watched_find(watch, case_id);
    struct hm_case_offer *offer = w != NULL ? hm_case_offer(w->c, nonce) : NULL;
    if (offer == NULL) {
        click->on_taken(click->arg, HM_ENOTFOUND, "the alarm is gone");
        return;
    }
    take(w, offer, click->user, click->key);
    offer->starting = true;
    hm_watched_wait(w, offer->nonce, click->on_taken, click->arg);
    hm_watched_touch(w, true);
    hm_watched_flush(w);
}

/* ---- what a run found out
 * ------------------------------------------------------------------------------------------------------- */

/* What its steps said, and how it ended. NULL for nothing. */
/* Who rejected it, and why, if that is how it ended. */
static void add_rejection(struct hm_strbuf *out, const struct hm_run *run)
{
    static const char before[] = " · rejected by ";
    struct hm_strbuf decision;
    hm_strbuf_init(&decision, SAID_MAX);
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (run->status == HM_RUN_REJECTED && run->steps[i].gate.decision == HM_GATE_REJECTED)
            hm_card_add_decision(&decision, &run->steps[i].gate);
    if (hm_starts_with(hm_strbuf_str(&decision), before)) {
        hm_strbuf_adds(out, out->len > 0 ? "\nRejected by " : "Rejected by ");
        hm_strbuf_adds(out, hm_strbuf_str(&decision) + sizeof before - 1);
    }
    hm_strbuf_done(&decision);
}

static char *said_of(const struct hm_run *run)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SAID_MAX);
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        const char *texts[] = {run->steps[i].said, run->steps[i].error};
        for (size_t k = 0; k < HM_ARRAY_LEN(texts); k++) {
            if (texts[k] == NULL)
                continue;
            hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
            hm_strbuf_adds(&out, texts[k]);
        }
    }
    if (run->ending != NULL && strstr(hm_strbuf_str(&out), run->ending) == NULL) {
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_strbuf_adds(&out, run->ending);
    }
    add_rejection(&out, run);
    char *text = hm_strbuf_take(&out);
    if (text[0] != '\0')
        return text;
    free(text);
    return NULL;
}

/* It changes nothing, and nobody is asked to change something elsewhere. */
static bool only_looks(const struct hm_recipe *recipe)
{
    bool by_hand = false;
    for (size_t i = 0; i < recipe->n_steps; i++)
        by_hand = by_hand || recipe->steps[i].kind == HM_STEP_MANUAL;
    return recipe->worst == HM_EFFECT_READ && !by_hand;
}

static void note_run(struct hm_watched *w, struct hm_case_offer *offer, const struct hm_run *run)
{
    bool over = run->status != HM_RUN_GOING;
    bool another = offer->run_id != NULL && strcmp(offer->run_id, run->id) != 0;
    if (another || (offer->status != NULL && !over && run->reopened == 0))
        return;
    if (offer->taken_by == NULL) /* it was typed; or given back, because the journal did not say that the run is there */
        take(w, offer, run->requester, run->id);
    char *said = over ? said_of(run) : NULL;
    offer->run_seq = run->seq;
    const struct hm_case_run_news news = {
        .run_id = run->id,
        .status = over ? hm_run_status_name(run->status) : NULL,
        .said = said,
        .ended_ms = run->ended_ms,
        .looks = only_looks(run->recipe),
    };
    if (hm_case_run(w->c, offer, &news)) {
        hm_watched_touch(w, true);
        hm_watched_flush(w);
    }
    free(said);
}

/* The run followed from another one of the alarm (hm_watch_follow_new()), and this is the first that the alarm hears of it. */
static struct hm_case_offer *add_follower(struct hm_watched *w, const char *nonce, const struct hm_run *run)
{
    const struct hm_case_follower follower = {
        .nonce = nonce,
        .recipe = run->recipe->name,
        .title = run->recipe->title,
        .user = run->requester,
        .params = run->params,
        .at_ms = run->started_ms,
    };
    struct hm_case_offer *offer = hm_case_add(w->c, &follower);
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "by", offer->taken_by);
    hm_json_set_str(data, "recipe", offer->recipe);
    hm_json_set_str(data, "run", run->id);
    hm_watched_event(w, "alarm.followed", data);
    return offer;
}

/* By the offer that it was started by. */
static void note_offered(struct hm_watch *watch, const struct hm_run *run)
{
    char id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    struct hm_watched *w = hm_card_parse_value(run->alarm, id, nonce) ? hm_watched_find(watch, id) : NULL;
    if (w == NULL || nonce[0] == '\0')
        return;
    struct hm_case_offer *offer = hm_case_offer(w->c, nonce);
    note_run(w, offer != NULL ? offer : add_follower(w, nonce, run), run);
}

char *hm_watch_follow_new(const struct hm_watch *watch, const char *run_id)
{
    struct hm_watched *w = NULL;
    char nonce[HM_CASE_NONCE_MAX];
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        if (hm_case_offer_of_run(w->c, run_id) == NULL)
            continue;
        if (!hm_case_has_room(w->c))
            return NULL;
        hm_watch_nonce(watch, nonce);
        return hm_card_value(w->c->id, nonce);
    }
    return NULL;
}

/* Somebody typed in an alarm's thread what it offers: nobody needs to click on that any more. */
static void note_typed(struct hm_watch *watch, const struct hm_run *run)
{
    struct hm_watched *w = run->thread_ts != NULL ? hm_watched_of_message(watch, run->channel, run->thread_ts) : NULL;
    struct hm_case_offer *offer = w != NULL ? hm_case_offer_of_run(w->c, run->id) : NULL;
    if (w != NULL && offer == NULL && run->status == HM_RUN_GOING)
        offer = hm_case_offer_like(w->c, run->recipe->name, run->params);
    if (offer != NULL)
        note_run(w, offer, run);
}

void hm_watch_run(struct hm_watch *watch, const struct hm_run *run)
{
    if (watch->stopped || run->recipe == NULL) /* the second: nothing of it can be read; its card says so */
        return;
    if (run->alarm != NULL)
        note_offered(watch, run);
    else
        note_typed(watch, run);
}

/* What is known of the run that was started unasked. problem: it came to nothing; NULL = it goes on. */
static void end_unasked(struct hm_watched *w, struct hm_case_offer *offer, const char *run_id, const char *problem)
{
    const struct hm_case_run_news news = {
        .run_id = run_id,
        .status = problem != NULL ? "failed" : NULL,
        .said = problem,
        .ended_ms = problem != NULL ? hm_wall_ms(w->watch->opts.clock) : 0,
        .looks = true,
    };
    if (hm_case_run(w->c, offer, &news)) {
        hm_watched_touch(w, true);
        hm_watched_flush(w);
    }
}

/* ---- after a restart ------------------------------------------------------------------------------------------------------ */

/* What is not stored yet may never be: the runner tells of it when it is, or when the commit has failed. */
static void on_visit(void *arg, const struct hm_run *run)
{
    struct hm_watch *watch = arg;
    if (!hm_runner_committing(watch->opts.runner, run->id))
        hm_watch_run(watch, run);
}

/* What the journal has of the offer's run, and the case may not. */
static void catch_up(struct hm_watch *watch, const char *key, const json_t *link, struct hm_batch **batch)
{
    char id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    const char *run_id = hm_json_get_str(link, "run", "");
    struct hm_watched *w = hm_card_parse_value(key, id, nonce) ? hm_watched_find(watch, id) : NULL;
    const struct hm_case_offer *offer = w != NULL ? hm_case_offer(w->c, nonce) : NULL;
    if (w == NULL) { /* the run was taken up again after its case was forgotten */
        if (*batch == NULL)
            *batch = hm_batch_new();
        hm_batch_set(*batch, HM_WATCH_RUNS_SPACE, key, NULL);
    } else if (offer == NULL || offer->run_id == NULL || offer->run_seq < hm_json_get_int(link, "seq", 0)) {
        (void)hm_runner_visit(watch->opts.runner, run_id, on_visit, watch);
    }
}

/* The journal has a run of the offer, be it one that can not be read. */
static bool has_link(const struct hm_watch *watch, const struct hm_case *c, const struct hm_case_offer *offer)
{
    char *key = hm_card_value(c->id, offer->nonce);
    bool found = json_object_get(watch->links, key) != NULL;
    free(key);
    return found;
}

/* Taken by a click that has come to no run, which a commit that failed may have kept from being written. */
static bool is_left_over(const struct hm_watch *watch, const struct hm_case *c, const struct hm_case_offer *offer)
{
    return offer->taken_by != NULL && !offer->unasked && offer->run_id == NULL && offer->status == NULL &&
           !has_link(watch, c, offer);
}

static bool add_envelope(void *arg, const struct hm_inbox_row *row)
{
    char *key = hm_xasprintf("%lld", (long long)row->id);
    hm_json_set_bool(arg, key, true);
    free(key);
    return true;
}

/* {inbox id: true} of the envelopes that are open: their clicks are handled anew. NULL when that can not be told. */
static json_t *open_envelopes_new(const struct hm_watch *watch)
{
    struct hm_err err = {0};
    json_t *open = hm_json_obj_new();
    struct hm_journal_reader *reader = hm_journal_reader_open(watch->opts.journal_path, &err);
    enum hm_code code = reader != NULL ? hm_journal_inbox_open(reader, add_envelope, open, &err) : HM_EIO;
    hm_journal_reader_free(reader);
    if (code == HM_OK)
        return open;
    hm_log(HM_LOG_WARN, "alarms", "offers that came to nothing are not given back: %s", err.msg);
    json_decref(open);
    return NULL;
}

/* Nobody will start what these were taken for any more: they are free again. */
static void give_back(struct hm_watch *watch)
{
    struct hm_watched *w = NULL;
    json_t *open = NULL;
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        for (size_t i = 0; i < w->c->n_offers; i++) {
            const struct hm_case_offer *offer = &w->c->offers[i];
            if (!is_left_over(watch, w->c, offer))
                continue;
            if (open == NULL)
                open = open_envelopes_new(watch);
            if (open == NULL)
                return;
            if (offer->key == NULL || json_object_get(open, offer->key) == NULL)
                hm_watch_release(watch, w->c->id, offer->nonce);
        }
    }
    json_decref(open);
}

/* What was started unasked and is not known yet is not started once more: it is going, or can not be read any more. Its own card
 * says what is wrong with it. */
static void keep_unasked(struct hm_watched *w, struct hm_case_offer *offer)
{
    char *key = hm_card_value(w->c->id, offer->nonce);
    const char *run_id = hm_json_get_str(json_object_get(w->watch->links, key), "run", NULL);
    if (run_id != NULL && offer->unasked && offer->run_id == NULL && offer->status == NULL) {
        bool lost = hm_runner_unreadable(w->watch->opts.runner, run_id);
        end_unasked(w, offer, run_id, lost ? "What the journal holds of this run can not be read." : NULL);
    }
    free(key);
}

void hm_watch_find_runs(struct hm_watch *watch)
{
    struct hm_watched *w = NULL;
    struct hm_batch *batch = NULL;
    const char *key = NULL;
    json_t *link = NULL;
    json_object_foreach(watch->links, key, link) catch_up(watch, key, link, &batch);
    if (batch != NULL)
        hm_journal_put(watch->opts.journal, batch, NULL, NULL);
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        for (size_t i = 0; i < w->c->n_offers; i++) {
            if (w->c->offers[i].run_id != NULL && w->c->offers[i].status == NULL)
                (void)hm_runner_visit(watch->opts.runner, w->c->offers[i].run_id, on_visit, watch);
            keep_unasked(w, &w->c->offers[i]);
        }
        hm_watched_start(w);
    }
    give_back(watch);
    (void)json_object_clear(watch->links);
}

/* ---- what starts unasked
 * ------------------------------------------------------------------------------------------------------- */

struct starting {
    struct hm_watch *watch;
    char id[HM_CASE_ID_MAX];
    char nonce[HM_CASE_NONCE_MAX];
};

static void on_started(void *arg, enum hm_code code, const char *run_id, const char *problem)
{
    struct starting *starting = arg;
    struct hm_watched *w = starting->watch->stopped ? NULL : hm_watched_find(starting->watch, starting->id);
    struct hm_case_offer *offer = w != NULL ? hm_case_offer(w->c, starting->nonce) : NULL;
    if (offer != NULL && offer->run_id == NULL && code == HM_OK)
        end_unasked(w, offer, run_id, NULL);
    else if (offer != NULL && code != HM_OK)
        end_unasked(w, offer, NULL, problem);
    free(starting);
}

/* False when it can not even begin. */
static bool start(struct hm_watched *w, struct hm_case_offer *offer, struct hm_err *err)
{
    struct hm_watch *watch = w->watch;
    const struct hm_recipe *recipe = hm_recipes_find(&watch->settings->recipes, offer->recipe);
    json_t *given = NULL;
    if (recipe == NULL || recipe->worst != HM_EFFECT_READ) {
        (void)hm_err_set(err, HM_EPERM, "there is no recipe %s any more, or it changes something now", offer->recipe);
        return false;
    }
    json_t *scope = hm_json_obj_new();
    hm_json_set(scope, "known", json_incref(watch->known));
    json_t *params = hm_params_check_new(recipe, offer->with, scope, &given, err);
    bool ok = params != NULL;
    if (ok) {
        char *alarm = hm_card_value(w->c->id, offer->nonce);
        const struct hm_run_order order = {
            .recipe = recipe,
            .params = params,
            .given = given,
            .requester = offer->taken_by,
            .team = watch->team,
            .channel = w->c->channel,
            .thread_ts = w->c->ts,
            .alarm = alarm,
        };
        struct starting *starting = hm_xcalloc(1, sizeof *starting);
        starting->watch = watch;
        memcpy(starting->id, w->c->id, sizeof starting->id);
        memcpy(starting->nonce, offer->nonce, sizeof starting->nonce);
        ok = hm_runner_start(watch->opts.runner, &order, 0, on_started, starting, err) == HM_OK;
        if (!ok)
            free(starting);
        free(alarm);
    }
    json_decref(params);
    json_decref(given);
    json_decref(scope);
    return ok;
}

void hm_watched_start(struct hm_watched *w)
{
    for (size_t i = 0; i < w->c->n_offers && w->watch->restored; i++) {
        struct hm_case_offer *offer = &w->c->offers[i];
        struct hm_err err = {0};
        if (!offer->unasked || offer->taken_by == NULL || offer->run_id != NULL || offer->status != NULL || offer->starting)
            continue;
        offer->starting = true;
        if (!start(w, offer, &err))
            end_unasked(w, offer, NULL, err.msg);
    }
}
