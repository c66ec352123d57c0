/* Names, birth and death of a run's state: see state.h. Changes are fold.c's alone. */
#include "run/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "run/state_free.h"

static const char *const status_names[HM_RUN_STATUS_NR] = {
    [HM_RUN_GOING] = "going",     [HM_RUN_DONE] = "done",         [HM_RUN_PARTIAL] = "partial", [HM_RUN_FAILED] = "failed",
    [HM_RUN_STOPPED] = "stopped", [HM_RUN_REJECTED] = "rejected", [HM_RUN_EXPIRED] = "expired", [HM_RUN_CANCELLED] = "cancelled",
};

static const char *const call_phase_names[HM_CALL_NR] = {
    [HM_CALL_READY] = "ready",     [HM_CALL_FLYING] = "flying",   [HM_CALL_WAITING] = "waiting",
    [HM_CALL_UNKNOWN] = "unknown", [HM_CALL_PROBING] = "probing", [HM_CALL_WAITING_PROBE] = "waiting-probe",
    [HM_CALL_ASKING] = "asking",   [HM_CALL_OK] = "ok",           [HM_CALL_FAILED] = "failed",
};

static const char *const purpose_names[HM_PURPOSE_NR] = {
    [HM_FOR_STEP] = "step",
    [HM_FOR_PROBE] = "probe",
    [HM_FOR_VERIFY] = "verify",
};

static const char *const question_names[HM_QUESTION_NR] = {
    [HM_QUESTION_NONE] = "none", [HM_QUESTION_CHOOSE] = "choose", [HM_QUESTION_FILL] = "fill",
    [HM_QUESTION_DONE] = "done", [HM_QUESTION_ERROR] = "error",
};

const char *hm_question_kind_name(enum hm_question_kind kind)
{
    return question_names[kind];
}

const char *hm_run_status_name(enum hm_run_status status)
{
    return status_names[status];
}

const char *hm_call_phase_name(enum hm_call_phase phase)
{
    return call_phase_names[phase];
}

const char *hm_purpose_name(enum hm_purpose purpose)
{
    return purpose_names[purpose];
}

void hm_call_done(struct hm_call *call)
{
    json_decref(call->args);
    json_decref(call->probe_args);
    json_decref(call->cursor);
    json_decref(call->result);
    free(call->backend);
    free(call->error);
    free(call->code);
    free(call->settled_by);
    *call = (struct hm_call){0};
}

void hm_gate_done(struct hm_gate *gate)
{
    for (size_t i = 0; i < gate->n_votes; i++) {
        free(gate->votes[i].user);
        free(gate->votes[i].reason);
        json_decref(gate->votes[i].roles);
    }
    for (size_t i = 0; i < gate->n_plan; i++)
        json_decref(gate->plan[i].request);
    free(gate->votes);
    free(gate->plan);
    free(gate->question);
    free(gate->typed);
    free(gate->anew);
    *gate = (struct hm_gate){0};
}

void hm_question_done(struct hm_question *question)
{
    free(question->text);
    free(question->answered_by);
    free(question->answer);
    json_decref(question->items);
    json_decref(question->labels);
    *question = (struct hm_question){0};
}

static void offers_done(struct hm_step_state *step)
{
    for (size_t i = 0; i < step->n_offers; i++) {
        free(step->offers[i].recipe);
        free(step->offers[i].label);
        free(step->offers[i].taken_by);
        free(step->offers[i].key);
        json_decref(step->offers[i].with);
    }
    free(step->offers);
}

void hm_step_state_done(struct hm_step_state *step)
{
    for (size_t i = 0; i < step->n_calls; i++)
        hm_call_done(&step->calls[i]);
    free(step->calls);
    hm_call_done(&step->verify);
    json_decref(step->items);
    json_decref(step->value);
    free(step->said);
    free(step->error);
    free(step->busy);
    hm_gate_done(&step->gate);
    hm_question_done(&step->question);
    offers_done(step);
    *step = (struct hm_step_state){0};
}

struct hm_run *hm_run_new(void)
{
    return hm_xcalloc(1, sizeof(struct hm_run));
}

void hm_run_free(struct hm_run *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; run->steps != NULL && i < run->recipe->n_steps; i++)
        hm_step_state_done(&run->steps[i]);
    free(run->steps);
    hm_recipe_free(run->recipe);
    json_decref(run->params);
    json_decref(run->given);
    free(run->id);
    free(run->accepted_sha);
    free(run->requester);
    free(run->team);
    free(run->channel);
    free(run->thread_ts);
    free(run->alarm);
    free(run->lock);
    free(run->ending);
    free(run->ended_by);
    free(run->cancel_by);
    free(run->owner);
    free(run->anew);
    free(run->lock_wait.holder);
    free(run->lock_wait.user);
    free(run->reopened_by);
    free(run->broken);
    free(run);
}

/* ---- sums ------------------------------------------------------------------------------------------------------------ */

static bool is_busy(enum hm_call_phase phase)
{
    return phase != HM_CALL_READY && phase != HM_CALL_OK && phase != HM_CALL_FAILED;
}

/* Takes a call out of the sums, or puts it in. */
static void count(struct hm_step_state *step, int item, bool in)
{
    const struct hm_call *call = &step->calls[item];
    size_t one = in ? 1 : SIZE_MAX; /* adding SIZE_MAX takes one away */
    step->n_in[call->phase] += one;
    if (call->phase == HM_CALL_FAILED) {
        step->n_not_sent += hm_streq(call->code, "not-sent") ? one : 0;
        step->n_excused += call->excused ? one : 0;
    }
    if (!is_busy(call->phase))
        return;
    if (in) {
        step->busy[step->n_busy++] = item;
        return;
    }
    for (size_t i = 0; i < step->n_busy; i++) {
        if (step->busy[i] == item) {
            step->busy[i] = step->busy[--step->n_busy];
            break;
        }
    }
}

void hm_step_recount(struct hm_step_state *step)
{
    memset(step->n_in, 0, sizeof step->n_in);
    step->n_not_sent = step->n_excused = step->n_busy = step->first_ready = 0;
    if (step->busy == NULL)
        step->busy = hm_xcalloc(step->n_calls + 1, sizeof step->busy[0]);
    for (size_t i = 0; i < step->n_calls; i++)
        count(step, (int)i, true);
}

void hm_step_move_call(struct hm_step_state *step, int item, enum hm_call_phase to)
{
    struct hm_call *call = &step->calls[item];
    count(step, item, false);
    call->phase = to;
    count(step, item, true);
    if (to == HM_CALL_READY && (size_t)item < step->first_ready)
        step->first_ready = (size_t)item;
    while (step->first_ready < step->n_calls && step->calls[step->first_ready].phase != HM_CALL_READY)
        step->first_ready++;
}

void hm_step_progress(const struct hm_step_state *step, struct hm_progress *ret_progress)
{
    *ret_progress = (struct hm_progress){
        .total = step->n_calls,
        .ok = step->n_in[HM_CALL_OK],
        .failed = step->n_in[HM_CALL_FAILED],
        .flying = step->n_in[HM_CALL_FLYING],
        .waiting = step->n_in[HM_CALL_WAITING],
        .unknown = step->n_in[HM_CALL_UNKNOWN] + step->n_in[HM_CALL_PROBING] + step->n_in[HM_CALL_WAITING_PROBE] +
                   step->n_in[HM_CALL_ASKING],
        .not_sent = step->n_not_sent,
        .excused = step->n_excused,
    };
}

/* ---- looking --------------------------------------------------------------------------------------------------------- */

const struct hm_gate *hm_run_open_gate(const struct hm_run *run)
{
    if (run->status != HM_RUN_GOING || run->recipe == NULL || run->at >= (int)run->recipe->n_steps)
        return NULL;
    const struct hm_step_state *step = &run->steps[run->at];
    bool open = run->recipe->steps[run->at].kind == HM_STEP_APPROVE && step->phase == HM_PHASE_ACTIVE &&
                step->gate.decision == HM_GATE_OPEN && step->gate.nonce[0] != '\0';
    return open ? &step->gate : NULL;
}

const struct hm_question *hm_run_open_question(const struct hm_run *run)
{
    if (run->status != HM_RUN_GOING || run->recipe == NULL || run->at >= (int)run->recipe->n_steps)
        return NULL;
    const struct hm_step_state *step = &run->steps[run->at];
    bool open = step->phase == HM_PHASE_ACTIVE && step->question.nonce[0] != '\0' && step->question.answered_by == NULL;
    return open ? &step->question : NULL;
}

size_t hm_run_retryable(const struct hm_run *run)
{
    size_t failed = 0;
    if (run->status != HM_RUN_PARTIAL || run->recipe == NULL)
        return 0;
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (run->steps[i].items != NULL)
            failed += run->steps[i].n_in[HM_CALL_FAILED];
    return failed;
}

const struct hm_made_offer *hm_run_find_offer(const struct hm_run *run, const char *nonce, int *ret_step)
{
    for (size_t s = 0; run->recipe != NULL && s < run->recipe->n_steps; s++) {
        for (size_t i = 0; i < run->steps[s].n_offers; i++) {
            if (strcmp(run->steps[s].offers[i].nonce, nonce) != 0)
                continue;
            if (ret_step != NULL)
                *ret_step = (int)s;
            return &run->steps[s].offers[i];
        }
    }
    return NULL;
}

int64_t hm_gate_remind_ms(const struct hm_gate *gate)
{
    static const int64_t most = (int64_t)10 * 60 * 1000;
    static const int64_t least = (int64_t)2 * 60 * 1000;
    int64_t before = (gate->expires_ms - gate->opened_ms) / 3;
    if (gate->reminded_ms != 0 || before < least)
        return INT64_MAX;
    return gate->expires_ms - (before < most ? before : most);
}
