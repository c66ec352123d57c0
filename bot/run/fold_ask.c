/* fold, what people are asked and offered: questions and their answers, offers, waiting for a lock, taking a partial run up
 * again. See fold.h; the rest is in fold.c. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run/fold_parts.h"
#include "run/state_free.h"

/* ---- questions ------------------------------------------------------------------------------------------------------- */

static bool parse_kind(const json_t *data, enum hm_question_kind *ret_kind)
{
    const char *name = hm_json_get_str(data, "kind", "");
    for (int i = HM_QUESTION_NONE + 1; i < HM_QUESTION_NR; i++) {
        if (strcmp(hm_question_kind_name((enum hm_question_kind)i), name) == 0) {
            *ret_kind = (enum hm_question_kind)i;
            return true;
        }
    }
    return false;
}

static enum hm_code question_opened(struct hm_step_state *step, const struct hm_event *event, struct hm_err *err)
{
    struct hm_question *q = &step->question;
    enum hm_question_kind kind = HM_QUESTION_NONE;
    if (step->phase != HM_PHASE_ACTIVE || (q->nonce[0] != '\0' && q->answered_by == NULL))
        return hm_err_set(err, HM_EBUG, "it is not the time to ask");
    if (!parse_kind(event->data, &kind))
        return hm_err_set(err, HM_EBUG, "unknown kind of question");
    hm_question_done(q);
    q->kind = kind;
    hm_fold_nonce(q->nonce, event->data);
    hm_fold_text(&q->text, hm_json_get_str(event->data, "text", ""));
    hm_fold_json(&q->items, json_object_get(event->data, "items"));
    hm_fold_json(&q->labels, json_object_get(event->data, "labels"));
    q->can_retry = hm_json_get_bool(event->data, "retry", false);
    q->opened_ms = event->at_ms;
    q->expires_ms = hm_json_get_int(event->data, "expires", 0);
    return HM_OK;
}

/* "Skip": what has failed so far does not hold the step up any more. */
static void excuse_failures(struct hm_step_state *step)
{
    step->excused = step->n_in[HM_CALL_FAILED] == step->n_excused; /* no call: it is the check afterwards */
    for (size_t i = 0; i < step->n_calls; i++) {
        if (step->calls[i].phase != HM_CALL_FAILED || step->calls[i].excused)
            continue;
        step->calls[i].excused = true;
        step->n_excused++;
    }
}

static enum hm_code question_answered(struct hm_step_state *step, const struct hm_event *event, struct hm_err *err)
{
    struct hm_question *q = &step->question;
    const char *answer = hm_json_get_str(event->data, "answer", "");
    if (q->nonce[0] == '\0' || q->answered_by != NULL)
        return hm_err_set(err, HM_EBUG, "nothing was asked");
    hm_fold_text(&q->answered_by, hm_json_get_str(event->data, "user", ""));
    hm_fold_text(&q->answer, answer);
    q->answered_ms = event->at_ms;
    if (q->kind == HM_QUESTION_ERROR && strcmp(answer, "skip") == 0)
        excuse_failures(step);
    return HM_OK;
}

static void call_anew(struct hm_step_state *step, size_t item)
{
    struct hm_call *call = &step->calls[item];
    unsigned sent = call->sent;
    bool maybe = call->maybe;
    hm_step_move_call(step, (int)item, HM_CALL_READY);
    hm_call_done(call); /* also makes it READY */
    call->sent = sent;
    call->maybe = maybe;
}

static void calls_again(struct hm_step_state *step, bool all)
{
    for (size_t i = 0; i < step->n_calls; i++)
        if (step->calls[i].phase == HM_CALL_FAILED || (all && step->calls[i].phase == HM_CALL_OK))
            call_anew(step, i);
}

enum hm_code hm_fold_question(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;
    if (event->type == HM_EV_QUESTION_OPENED)
        return question_opened(step, event, err);
    if (event->type == HM_EV_QUESTION_ANSWERED)
        return question_answered(step, event, err);
    if (step->phase != HM_PHASE_ACTIVE)
        return hm_err_set(err, HM_EBUG, "the step is not under way");
    calls_again(step, hm_json_get_bool(event->data, "all", false));
    if (hm_json_get_bool(event->data, "verify", false))
        hm_call_done(&step->verify);
    return HM_OK;
}

/* ---- offers ---------------------------------------------------------------------------------------------------------- */

static void offers_made(struct hm_step_state *step, const json_t *list)
{
    size_t i = 0;
    const json_t *entry = NULL;
    step->offers = hm_xcalloc(json_array_size(list) + 1, sizeof step->offers[0]);
    json_array_foreach(list, i, entry)
    {
        struct hm_made_offer *offer = &step->offers[step->n_offers++];
        hm_fold_nonce(offer->nonce, entry);
        hm_fold_text(&offer->recipe, hm_json_get_str(entry, "recipe", ""));
        hm_fold_text(&offer->label, hm_json_get_str(entry, "label", ""));
        hm_fold_json(&offer->with, json_object_get(entry, "with"));
    }
}

enum hm_code hm_fold_offer(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;
    if (event->type == HM_EV_OFFERS_MADE) {
        if (step->n_offers > 0)
            return hm_err_set(err, HM_EBUG, "offered twice");
        offers_made(step, hm_json_get_arr(event->data, "offers"));
        return HM_OK;
    }
    for (size_t i = 0; i < step->n_offers; i++) {
        struct hm_made_offer *offer = &step->offers[i];
        if (strcmp(offer->nonce, hm_json_get_str(event->data, "nonce", "")) != 0)
            continue;
        if (offer->taken_by != NULL)
            return hm_err_set(err, HM_EBUG, "the offer was taken twice");
        hm_fold_text(&offer->taken_by, hm_json_get_str(event->data, "user", ""));
        hm_fold_text(&offer->key, hm_json_get_str(event->data, "key", ""));
        offer->taken_ms = event->at_ms;
        return HM_OK;
    }
    return hm_err_set(err, HM_EBUG, "there is no such offer");
}

/* ---- locks ----------------------------------------------------------------------------------------------------------- */

enum hm_code hm_fold_lock(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    if (run->lock == NULL)
        return hm_err_set(err, HM_EBUG, "the run has no lock");
    if (event->type == HM_EV_LOCK_TAKEN) {
        if (!run->lock_wait.waiting)
            return hm_err_set(err, HM_EBUG, "it was not waiting");
        run->lock_wait.waiting = false;
        run->deadline_ms = hm_json_get_int(event->data, "deadline", run->deadline_ms);
        return HM_OK;
    }
    if (!run->lock_wait.waiting)
        run->lock_wait.from_ms = event->at_ms;
    run->lock_wait.waiting = true;
    hm_fold_text(&run->lock_wait.holder, hm_json_get_str(event->data, "holder", ""));
    hm_fold_text(&run->lock_wait.user, hm_json_get_str(event->data, "user", ""));
    run->lock_wait.since_ms = hm_json_get_int(event->data, "since", 0);
    return HM_OK;
}

/* ---- a partial run goes on with what failed -------------------------------------------------------------------------- */

static void ask_gate_again(struct hm_step_state *gate)
{
    gate->phase = HM_PHASE_PENDING;
    gate->gate.decision = HM_GATE_VOIDED;
    hm_fold_json(&gate->value, NULL);
    hm_fold_text(&gate->gate.anew, "Only what failed before is sent again.");
}

static void retry_step(struct hm_step_state *step)
{
    step->phase = HM_PHASE_ACTIVE;
    step->ended_ms = 0;
    step->excused = false;
    hm_fold_json(&step->value, NULL);
    hm_fold_text(&step->said, NULL);
    hm_fold_text(&step->error, NULL);
    hm_call_done(&step->verify);
    hm_question_done(&step->question);
    calls_again(step, false);
}

/* Reads and messages after the retried items tell of a state that is over: they are done again. */
static bool is_told_again(const struct hm_step *step)
{
    return step->kind == HM_STEP_SAY || step->kind == HM_STEP_OFFER ||
           (step->kind == HM_STEP_DO && step->effect == HM_EFFECT_READ);
}

enum hm_code hm_fold_reopened(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int first = -1;
    if (hm_run_retryable(run) == 0)
        return hm_err_set(err, HM_EBUG, "nothing of it can be tried again");
    run->status = HM_RUN_GOING;
    for (int i = 0; i < (int)run->recipe->n_steps; i++) {
        const struct hm_step *step = &run->recipe->steps[i];
        struct hm_step_state *state = &run->steps[i];
        if (state->items != NULL && state->n_in[HM_CALL_FAILED] > 0) {
            int from = step->gate >= 0 ? step->gate : i;
            if (step->gate >= 0)
                ask_gate_again(&run->steps[step->gate]);
            retry_step(state);
            first = first < 0 || from < first ? from : first;
        } else if (first >= 0 && is_told_again(step)) {
            hm_step_state_done(state);
        }
    }
    run->at = first;
    run->ended_ms = 0;
    run->deadline_ms = hm_json_get_int(event->data, "deadline", run->deadline_ms);
    run->reopened++;
    hm_fold_text(&run->reopened_by, hm_json_get_str(event->data, "user", ""));
    hm_fold_text(&run->ending, NULL);
    hm_fold_text(&run->ended_by, NULL);
    hm_fold_text(&run->cancel_by, NULL);
    return HM_OK;
}
