/* Names, birth and death of a run's state: see state.h. Changes are fold.c's alone. */
#include "run/state.h"

#include <stdlib.h>

#include "base/mem.h"
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

static void call_done(struct hm_call *call)
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

void hm_step_state_done(struct hm_step_state *step)
{
    for (size_t i = 0; i < step->n_calls; i++)
        call_done(&step->calls[i]);
    free(step->calls);
    call_done(&step->verify);
    json_decref(step->items);
    json_decref(step->value);
    free(step->said);
    free(step->error);
    hm_gate_done(&step->gate);
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
    json_decref(run->params);
    json_decref(run->given);
    free(run->id);
    free(run->accepted_sha);
    free(run->requester);
    free(run->team);
    free(run->channel);
    free(run->thread_ts);
    free(run->lock);
    free(run->ending);
    free(run->ended_by);
    free(run->cancel_by);
    free(run->anew);
    free(run);
}

void hm_step_progress(const struct hm_step_state *step, struct hm_progress *ret_progress)
{
    *ret_progress = (struct hm_progress){.total = step->n_calls};
    for (size_t i = 0; i < step->n_calls; i++) {
        switch (step->calls[i].phase) {
        case HM_CALL_READY:
            break;
        case HM_CALL_FLYING:
            ret_progress->flying++;
            break;
        case HM_CALL_WAITING:
            ret_progress->waiting++;
            break;
        case HM_CALL_UNKNOWN:
        case HM_CALL_PROBING:
        case HM_CALL_WAITING_PROBE:
        case HM_CALL_ASKING:
            ret_progress->unknown++;
            break;
        case HM_CALL_OK:
            ret_progress->ok++;
            break;
        case HM_CALL_FAILED:
            ret_progress->failed++;
            break;
        case HM_CALL_NR:
            break;
        }
    }
}

const struct hm_gate *hm_run_open_gate(const struct hm_run *run)
{
    if (run->status != HM_RUN_GOING || run->recipe == NULL || run->at >= (int)run->recipe->n_steps)
        return NULL;
    const struct hm_step_state *step = &run->steps[run->at];
    bool open = run->recipe->steps[run->at].kind == HM_STEP_APPROVE && step->phase == HM_PHASE_ACTIVE &&
                step->gate.decision == HM_GATE_OPEN && step->gate.nonce[0] != '\0';
    return open ? &step->gate : NULL;
}
