/* fold: events → state. The one place where a run's state changes; state.h has the drawing.
 *
 * Happy path: look up the step, check that the event fits its phase (a table for calls), copy what the event says. Failure: an
 * event that does not fit is HM_EBUG, and the run is left alone by whoever called. */
#include "run/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/fold_parts.h"
#include "run/state_free.h"

/* Which call phases an event may find. One bit per phase. */
#define FROM(phase) (1u << (unsigned)(phase))
static const unsigned call_started_from[HM_PURPOSE_NR] = {
    [HM_FOR_STEP] = FROM(HM_CALL_READY) | FROM(HM_CALL_WAITING),
    [HM_FOR_PROBE] = FROM(HM_CALL_UNKNOWN) | FROM(HM_CALL_WAITING_PROBE),
    [HM_FOR_VERIFY] = FROM(HM_CALL_READY) | FROM(HM_CALL_WAITING),
};
static const unsigned call_finished_from[HM_PURPOSE_NR] = {
    [HM_FOR_STEP] = FROM(HM_CALL_FLYING) | FROM(HM_CALL_READY) | FROM(HM_CALL_WAITING), /* READY: could not be built */
    [HM_FOR_PROBE] = FROM(HM_CALL_PROBING) | FROM(HM_CALL_UNKNOWN),
    [HM_FOR_VERIFY] = FROM(HM_CALL_FLYING) | FROM(HM_CALL_READY) | FROM(HM_CALL_WAITING),
};
static const unsigned call_unknown_from = FROM(HM_CALL_FLYING);
static const unsigned call_asked_from = FROM(HM_CALL_UNKNOWN) | FROM(HM_CALL_PROBING) | FROM(HM_CALL_WAITING_PROBE);
static const unsigned call_settled_from = FROM(HM_CALL_PROBING) | FROM(HM_CALL_ASKING);

void hm_fold_text(char **slot, const char *text)
{
    char *copy = hm_xstrdup_null(text);
    free(*slot);
    *slot = copy;
}

void hm_fold_nonce(char slot[17], const json_t *data)
{
    const char *nonce = hm_json_get_str(data, "nonce", "");
    memset(slot, 0, 17);
    memcpy(slot, nonce, strnlen(nonce, 16));
}

static void set_digest(char slot[65], const json_t *data)
{
    const char *digest = hm_json_get_str(data, "digest", "");
    memset(slot, 0, 65);
    memcpy(slot, digest, strnlen(digest, 64));
}

static int step_index(const struct hm_recipe *recipe, const char *id)
{
    for (size_t i = 0; i < recipe->n_steps; i++)
        if (strcmp(recipe->steps[i].id, id) == 0)
            return (int)i;
    return -1;
}

/* The step that data names, or NULL with err set. */
struct hm_step_state *hm_fold_find_step(struct hm_run *run, const json_t *data, int *ret_index, struct hm_err *err)
{
    const char *id = hm_json_get_str(data, "step", "");
    int index = run->recipe != NULL ? step_index(run->recipe, id) : -1;
    if (index < 0) {
        (void)hm_err_set(err, HM_EBUG, "the recipe has no step \"%s\"", id);
        return NULL;
    }
    *ret_index = index;
    return &run->steps[index];
}

static bool parse_purpose(const json_t *data, enum hm_purpose *ret_purpose)
{
    const char *name = hm_json_get_str(data, "purpose", "step");
    for (int i = 0; i < HM_PURPOSE_NR; i++) {
        if (strcmp(hm_purpose_name((enum hm_purpose)i), name) == 0) {
            *ret_purpose = (enum hm_purpose)i;
            return true;
        }
    }
    return false;
}

static struct hm_call *find_call(struct hm_step_state *step, const json_t *data, enum hm_purpose purpose, struct hm_err *err)
{
    int64_t item = hm_json_get_int(data, "item", 0);
    if (purpose == HM_FOR_VERIFY)
        return &step->verify;
    if (item < 0 || item >= (int64_t)step->n_calls) {
        (void)hm_err_set(err, HM_EBUG, "the step has no item %lld", (long long)item);
        return NULL;
    }
    return &step->calls[item];
}

static enum hm_code check_phase(const struct hm_call *call, unsigned allowed, struct hm_err *err)
{
    if ((FROM(call->phase) & allowed) != 0)
        return HM_OK;
    return hm_err_set(err, HM_EBUG, "the call is %s", hm_call_phase_name(call->phase));
}

/* ---- run ------------------------------------------------------------------------------------------------------------- */

static void fresh_steps(struct hm_run *run, const struct hm_recipe *recipe)
{
    for (size_t i = 0; run->steps != NULL && i < run->recipe->n_steps; i++)
        hm_step_state_done(&run->steps[i]);
    free(run->steps);
    (void)hm_recipe_ref(recipe);
    hm_recipe_free(run->recipe);
    run->recipe = recipe;
    run->steps = hm_xcalloc(recipe->n_steps, sizeof run->steps[0]);
    run->at = 0;
}

void hm_fold_json(json_t **slot, json_t *value)
{
    json_incref(value);
    json_decref(*slot);
    *slot = value;
}

/* Whose run it is and where it shows: known also when its recipe's text is lost, so that its card can say so. */
static void read_origin(struct hm_run *run, const struct hm_event *event)
{
    const json_t *data = event->data;
    hm_fold_text(&run->id, hm_json_get_str(data, "run", ""));
    hm_fold_json(&run->params, json_object_get(data, "params"));
    hm_fold_json(&run->given, json_object_get(data, "given"));
    hm_fold_text(&run->requester, hm_json_get_str(data, "requester", ""));
    hm_fold_text(&run->team, hm_json_get_str(data, "team", NULL));
    hm_fold_text(&run->channel, hm_json_get_str(data, "channel", ""));
    hm_fold_text(&run->thread_ts, hm_json_get_str(data, "thread_ts", NULL));
    hm_fold_text(&run->alarm, hm_json_get_str(data, "alarm", NULL));
    hm_fold_text(&run->lock, hm_json_get_str(data, "lock", NULL));
    run->started_ms = event->at_ms;
    run->deadline_ms = hm_json_get_int(data, "deadline", INT64_MAX);
}

static enum hm_code on_run_started(struct hm_run *run, const struct hm_event *event, const struct hm_recipe *recipe,
                                   struct hm_err *err)
{
    if (run->seq != 0)
        return hm_err_set(err, HM_EBUG, "started twice");
    fresh_steps(run, recipe);
    read_origin(run, event);
    return HM_OK;
}

/* What the recipe locks may have changed with it. Events of older versions say nothing and keep it. */
static void replan_lock(struct hm_run *run, const json_t *data)
{
    const char *lock = hm_json_get_str(data, "lock", NULL);
    if (json_object_get(data, "lock") == NULL || hm_streq(lock, run->lock))
        return;
    hm_fold_text(&run->lock, lock);
    run->lock_wait.waiting = false; /* if the new one is held, lock.waited follows */
}

static enum hm_code on_run_replanned(struct hm_run *run, const json_t *data, const struct hm_recipe *recipe, struct hm_err *err)
{
    if (run->effect_started)
        return hm_err_set(err, HM_EBUG, "planned anew after an effect");
    fresh_steps(run, recipe);
    hm_fold_json(&run->params, json_object_get(data, "params"));
    hm_fold_text(&run->anew, hm_json_get_str(data, "why", NULL));
    replan_lock(run, data);
    return HM_OK;
}

static enum hm_code on_run_finished(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    const char *name = hm_json_get_str(event->data, "status", "");
    for (int i = HM_RUN_GOING + 1; i < HM_RUN_STATUS_NR; i++) {
        if (strcmp(hm_run_status_name((enum hm_run_status)i), name) != 0)
            continue;
        run->status = (enum hm_run_status)i;
        run->ended_ms = event->at_ms;
        hm_fold_text(&run->ending, hm_json_get_str(event->data, "text", ""));
        hm_fold_text(&run->ended_by, hm_json_get_str(event->data, "by", NULL));
        return HM_OK;
    }
    return hm_err_set(err, HM_EBUG, "unknown ending \"%s\"", name);
}

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

static enum hm_code on_step_started(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;
    if (step->phase != HM_PHASE_PENDING)
        return hm_err_set(err, HM_EBUG, "step %s started twice", run->recipe->steps[index].id);
    step->phase = HM_PHASE_ACTIVE;
    step->started_ms = event->at_ms;
    if (run->recipe->steps[index].kind != HM_STEP_DO)
        return HM_OK;
    json_t *items = hm_json_get_arr(event->data, "items");
    if (items != NULL)
        hm_fold_json(&step->items, items);
    step->n_calls = items != NULL ? json_array_size(items) : 1;
    step->calls = hm_xcalloc(step->n_calls, sizeof step->calls[0]);
    hm_step_recount(step);
    return HM_OK;
}

/* Past everything that is over already (after a voided approval, later steps may be). */
static void move_on(struct hm_run *run)
{
    while (run->at < (int)run->recipe->n_steps) {
        enum hm_step_phase phase = run->steps[run->at].phase;
        if (phase == HM_PHASE_PENDING || phase == HM_PHASE_ACTIVE)
            break;
        run->at++;
    }
}

static enum hm_code on_step_skipped(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;
    step->phase = HM_PHASE_SKIPPED;
    step->started_ms = step->ended_ms = event->at_ms;
    move_on(run);
    return HM_OK;
}

static enum hm_code on_step_finished(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;
    if (step->phase != HM_PHASE_ACTIVE)
        return hm_err_set(err, HM_EBUG, "step %s ended without having begun", run->recipe->steps[index].id);
    step->phase = hm_json_get_bool(event->data, "ok", false) ? HM_PHASE_OK : HM_PHASE_FAILED;
    step->ended_ms = event->at_ms;
    hm_fold_json(&step->value, json_object_get(event->data, "value"));
    hm_fold_text(&step->said, hm_json_get_str(event->data, "said", NULL));
    hm_fold_text(&step->error, hm_json_get_str(event->data, "error", NULL));
    move_on(run);
    return HM_OK;
}

/* ---- gates ----------------------------------------------------------------------------------------------------------- */

static void read_plan(struct hm_run *run, struct hm_gate *gate, const json_t *plan)
{
    size_t i = 0;
    const json_t *entry = NULL;
    gate->plan = hm_xcalloc(json_array_size(plan), sizeof gate->plan[0]);
    json_array_foreach(plan, i, entry)
    {
        struct hm_planned *planned = &gate->plan[gate->n_plan++];
        planned->step = step_index(run->recipe, hm_json_get_str(entry, "step", ""));
        planned->item = (int)hm_json_get_int(entry, "item", 0);
        set_digest(planned->digest, entry);
        planned->request = hm_json_get_obj(entry, "request");
        json_incref(planned->request);
    }
}

static void on_gate_opened(struct hm_run *run, struct hm_step_state *step, const struct hm_event *event)
{
    struct hm_gate *gate = &step->gate;
    hm_gate_done(gate);
    hm_fold_nonce(gate->nonce, event->data);
    set_digest(gate->digest, event->data);
    hm_fold_text(&gate->question, hm_json_get_str(event->data, "question", ""));
    hm_fold_text(&gate->typed, hm_json_get_str(event->data, "typed", NULL));
    hm_fold_text(&gate->anew, hm_json_get_str(event->data, "anew", NULL));
    gate->opened_ms = event->at_ms;
    gate->reminded_ms = 0;
    gate->expires_ms = hm_json_get_int(event->data, "expires", 0);
    read_plan(run, gate, hm_json_get_arr(event->data, "plan"));
    if (step->phase == HM_PHASE_PENDING)
        step->started_ms = event->at_ms;
    step->phase = HM_PHASE_ACTIVE;
}

static void add_vote(struct hm_gate *gate, const struct hm_event *event)
{
    gate->votes = hm_xreallocarray(gate->votes, gate->n_votes + 1, sizeof gate->votes[0]);
    gate->votes[gate->n_votes++] = (struct hm_vote){
        .user = hm_xstrdup(hm_json_get_str(event->data, "user", "")),
        .at_ms = event->at_ms,
        .broke_glass = hm_json_get_bool(event->data, "glass", false),
        .reason = hm_xstrdup_null(hm_json_get_str(event->data, "reason", NULL)),
        .roles = json_incref(hm_json_get_arr(event->data, "roles")),
    };
}

static void clear_votes(struct hm_gate *gate)
{
    for (size_t i = 0; i < gate->n_votes; i++) {
        free(gate->votes[i].user);
        free(gate->votes[i].reason);
        json_decref(gate->votes[i].roles);
    }
    HM_FREE(gate->votes);
    gate->n_votes = 0;
}

static void decide_gate(struct hm_gate *gate, enum hm_decision decision, int64_t at_ms)
{
    gate->decision = decision;
    gate->decided_ms = at_ms;
}

static enum hm_code on_gate_event(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;

    struct hm_gate *gate = &step->gate;
    bool is_open = step->phase == HM_PHASE_ACTIVE && gate->decision == HM_GATE_OPEN && gate->nonce[0] != '\0';
    if (event->type == HM_EV_GATE_OPENED) {
        if (step->phase != HM_PHASE_PENDING)
            return hm_err_set(err, HM_EBUG, "gate %s opened twice", run->recipe->steps[index].id);
        on_gate_opened(run, step, event);
    } else if (event->type == HM_EV_GATE_VOIDED) {
        decide_gate(gate, HM_GATE_VOIDED, event->at_ms);
        hm_fold_text(&gate->anew, hm_json_get_str(event->data, "why", ""));
        hm_fold_text(&run->accepted_sha, hm_json_get_str(event->data, "accept", run->accepted_sha));
        hm_fold_json(&step->value, NULL);
        step->phase = HM_PHASE_PENDING;
        run->at = index;
    } else if (!is_open) {
        return hm_err_set(err, HM_EBUG, "gate %s is not open", run->recipe->steps[index].id);
    } else if (event->type == HM_EV_GATE_VOTE) {
        add_vote(gate, event);
    } else if (event->type == HM_EV_GATE_REMINDED) {
        gate->reminded_ms = event->at_ms;
    } else if (event->type == HM_EV_GATE_REJECTED) {
        clear_votes(gate);
        add_vote(gate, event);
        decide_gate(gate, HM_GATE_REJECTED, event->at_ms);
    } else {
        decide_gate(gate, event->type == HM_EV_GATE_APPROVED ? HM_GATE_APPROVED : HM_GATE_EXPIRED, event->at_ms);
    }
    return HM_OK;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

/* Where an event lands. */
struct landing {
    struct hm_step_state *step;
    struct hm_call *call;
    enum hm_purpose purpose;
};

static void move_to(const struct landing *at, enum hm_call_phase phase)
{
    if (at->call == &at->step->verify)
        at->call->phase = phase;
    else
        hm_step_move_call(at->step, (int)(at->call - at->step->calls), phase);
}

static void call_started(struct hm_run *run, int index, const struct landing *at, const struct hm_event *event)
{
    struct hm_call *call = at->call;
    enum hm_purpose purpose = at->purpose;
    move_to(at, purpose == HM_FOR_PROBE ? HM_CALL_PROBING : HM_CALL_FLYING);
    call->sent = (unsigned)hm_json_get_int(event->data, "try", 0);
    call->attempts = (unsigned)hm_json_get_int(event->data, "attempt", 0);
    call->again_ms = 0;
    call->seq = run->seq + 1;
    hm_fold_text(&call->backend, hm_json_get_str(event->data, "backend", ""));
    hm_fold_json(purpose == HM_FOR_PROBE ? &call->probe_args : &call->args, json_object_get(event->data, "args"));
    if (call->started_ms == 0)
        call->started_ms = event->at_ms;
    if (purpose == HM_FOR_PROBE && call->cursor == NULL)
        call->looked_ms = event->at_ms;
    if (purpose == HM_FOR_STEP && run->recipe->steps[index].effect != HM_EFFECT_READ)
        run->effect_started = true;
}

/* A request for the step was answered: may it have changed something? Refusals have not, and neither has what could not be built
 * or was not sent ("not-sent"). Sticky: a later try that is refused says nothing of an earlier one. */
static bool may_have_changed(const char *verdict)
{
    static const char *const refusals[] = {"retryable", "permanent", "not-found", "not-sent"};
    for (size_t i = 0; i < HM_ARRAY_LEN(refusals); i++)
        if (strcmp(verdict, refusals[i]) == 0)
            return false;
    return true;
}

/* An answer that ends nothing yet: a page, a poll, a try to be repeated. */
static void call_goes_on(const struct landing *at, const struct hm_event *event)
{
    struct hm_call *call = at->call;
    hm_fold_json(&call->cursor, json_object_get(event->data, "cursor"));
    hm_fold_text(&call->error, hm_json_get_str(event->data, "error", NULL));
    call->again_ms = hm_json_get_int(event->data, "again", 0);
    call->denied = (unsigned)hm_json_get_int(event->data, "denied", 0);
    move_to(at, at->purpose == HM_FOR_PROBE ? HM_CALL_WAITING_PROBE : HM_CALL_WAITING);
}

static void call_finished(const struct landing *at, const struct hm_event *event)
{
    struct hm_call *call = at->call;
    if (at->purpose == HM_FOR_STEP)
        call->maybe = call->maybe || may_have_changed(hm_json_get_str(event->data, "verdict", ""));
    if (json_object_get(event->data, "again") != NULL) {
        call_goes_on(at, event);
        return;
    }
    bool ok = strcmp(hm_json_get_str(event->data, "verdict", ""), "ok") == 0;
    call->ended_ms = event->at_ms;
    hm_fold_json(&call->result, json_object_get(event->data, "result"));
    hm_fold_json(&call->cursor, NULL);
    hm_fold_text(&call->error, hm_json_get_str(event->data, "error", NULL));
    hm_fold_text(&call->code, hm_json_get_str(event->data, "code", NULL));
    move_to(at, ok ? HM_CALL_OK : HM_CALL_FAILED); /* last: it is counted by its code */
}

static void call_settled(const struct landing *at, const struct hm_event *event)
{
    struct hm_call *call = at->call;
    bool unsure = strcmp(hm_json_get_str(event->data, "code", ""), "unknown-outcome") == 0; /* a person's "Stop here" */
    hm_fold_text(&call->settled_by, hm_json_get_str(event->data, "by", ""));
    call->denied = 0;
    call->maybe = unsure || hm_json_get_bool(event->data, "applied", false);
    if (hm_json_get_bool(event->data, "resend", false)) {
        call->resent += strcmp(call->settled_by, "probe") == 0 ? 1 : 0;
        hm_fold_json(&call->cursor, NULL);
        move_to(at, HM_CALL_READY);
        return;
    }
    call->ended_ms = event->at_ms;
    hm_fold_text(&call->error, hm_json_get_str(event->data, "error", NULL));
    hm_fold_text(&call->code, hm_json_get_str(event->data, "code", NULL));
    move_to(at, hm_json_get_bool(event->data, "applied", false) ? HM_CALL_OK : HM_CALL_FAILED);
}

static enum hm_code on_call_event(struct hm_run *run, const struct hm_event *event, struct hm_err *err)
{
    int index = -1;
    enum hm_purpose purpose = HM_FOR_STEP;
    struct hm_step_state *step = hm_fold_find_step(run, event->data, &index, err);
    if (step == NULL)
        return HM_EBUG;
    if (!parse_purpose(event->data, &purpose))
        return hm_err_set(err, HM_EBUG, "unknown purpose of a call");
    struct hm_call *call = find_call(step, event->data, purpose, err);
    if (call == NULL)
        return HM_EBUG;

    unsigned allowed = event->type == HM_EV_CALL_STARTED    ? call_started_from[purpose]
                       : event->type == HM_EV_CALL_FINISHED ? call_finished_from[purpose]
                       : event->type == HM_EV_CALL_UNKNOWN  ? call_unknown_from
                       : event->type == HM_EV_CALL_ASKED    ? call_asked_from
                                                            : call_settled_from;
    enum hm_code code = check_phase(call, allowed, err);
    if (code != HM_OK)
        return code;

    const struct landing at = {step, call, purpose};
    if (event->type == HM_EV_CALL_STARTED) {
        call_started(run, index, &at, event);
    } else if (event->type == HM_EV_CALL_FINISHED) {
        call_finished(&at, event);
    } else if (event->type == HM_EV_CALL_SETTLED) {
        call_settled(&at, event);
    } else {
        call->maybe = true;
        if (event->type == HM_EV_CALL_UNKNOWN)
            call->settles_ms = event->at_ms + hm_json_get_int(event->data, "settle", HM_SETTLE_DEFAULT_MS);
        move_to(&at, event->type == HM_EV_CALL_UNKNOWN ? HM_CALL_UNKNOWN : HM_CALL_ASKING);
        hm_fold_json(&call->cursor, NULL);
        hm_fold_text(&call->error, hm_json_get_str(event->data, "error", ""));
        hm_fold_nonce(call->nonce, event->data);
    }
    return HM_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------- */

/* The recipe's text as it was when the run began, or was planned anew. Borrowed. */
static enum hm_code recipe_of(struct hm_run *run, const struct hm_event *event, hm_recipe_by_sha_fn recipe_by_sha, void *arg,
                              const struct hm_recipe **ret_recipe, struct hm_err *err)
{
    const char *sha = hm_json_get_str(event->data, "sha", "");
    *ret_recipe = recipe_by_sha(arg, sha);
    if (*ret_recipe != NULL)
        return HM_OK;
    if (event->type == HM_EV_RUN_STARTED && run->seq == 0)
        read_origin(run, event);
    return hm_err_set(err, HM_EENV, "the text of its recipe (%.12s) can not be read", sha);
}

static enum hm_code fold_one(struct hm_run *run, const struct hm_event *event, hm_recipe_by_sha_fn recipe_by_sha, void *arg,
                             struct hm_err *err)
{
    const struct hm_recipe *recipe = NULL;
    enum hm_code code = HM_OK;

    if (run->seq == 0 && event->type != HM_EV_RUN_STARTED)
        return hm_err_set(err, HM_EBUG, "the first event is not run.started");

    switch (event->type) {
    case HM_EV_RUN_STARTED:
        code = recipe_of(run, event, recipe_by_sha, arg, &recipe, err);
        return code != HM_OK ? code : on_run_started(run, event, recipe, err);
    case HM_EV_RUN_REPLANNED:
        code = recipe_of(run, event, recipe_by_sha, arg, &recipe, err);
        return code != HM_OK ? code : on_run_replanned(run, event->data, recipe, err);
    case HM_EV_STEP_STARTED:
        return on_step_started(run, event, err);
    case HM_EV_STEP_SKIPPED:
        return on_step_skipped(run, event, err);
    case HM_EV_STEP_FINISHED:
        return on_step_finished(run, event, err);
    case HM_EV_GATE_OPENED:
    case HM_EV_GATE_VOTE:
    case HM_EV_GATE_APPROVED:
    case HM_EV_GATE_REJECTED:
    case HM_EV_GATE_EXPIRED:
    case HM_EV_GATE_VOIDED:
    case HM_EV_GATE_REMINDED:
        return on_gate_event(run, event, err);
    case HM_EV_CALL_STARTED:
    case HM_EV_CALL_FINISHED:
    case HM_EV_CALL_UNKNOWN:
    case HM_EV_CALL_ASKED:
    case HM_EV_CALL_SETTLED:
        return on_call_event(run, event, err);
    case HM_EV_CANCEL_ASKED:
        hm_fold_text(&run->cancel_by, hm_json_get_str(event->data, "user", ""));
        return HM_OK;
    case HM_EV_RUN_TAKEN:
        hm_fold_text(&run->owner, hm_json_get_str(event->data, "user", ""));
        run->owned_ms = event->at_ms;
        return HM_OK;
    case HM_EV_RUN_FINISHED:
        return on_run_finished(run, event, err);
    case HM_EV_QUESTION_OPENED:
    case HM_EV_QUESTION_ANSWERED:
    case HM_EV_CALLS_AGAIN:
        return hm_fold_question(run, event, err);
    case HM_EV_OFFERS_MADE:
    case HM_EV_OFFER_TAKEN:
        return hm_fold_offer(run, event, err);
    case HM_EV_LOCK_WAITED:
    case HM_EV_LOCK_TAKEN:
        return hm_fold_lock(run, event, err);
    case HM_EV_RUN_REOPENED:
        return hm_fold_reopened(run, event, err);
    case HM_EV_NR:
        break;
    }
    return hm_err_set(err, HM_EBUG, "no such event");
}

enum hm_code hm_run_fold(struct hm_run *run, const struct hm_event *event, hm_recipe_by_sha_fn recipe_by_sha, void *arg,
                         struct hm_err *err)
{
    bool late = event->type == HM_EV_OFFER_TAKEN || event->type == HM_EV_RUN_REOPENED; /* these two come when it is over */
    if (run->status != HM_RUN_GOING && !late)
        return hm_err_set(err, HM_EBUG, "run %s is over; %s does not fit", run->id, hm_event_name(event->type));
    enum hm_code code = fold_one(run, event, recipe_by_sha, arg, err);
    if (code != HM_OK)
        return hm_err_wrap(err, "run %s, event %lld (%s)", run->id != NULL ? run->id : "?", (long long)run->seq + 1,
                           hm_event_name(event->type));
    run->seq++;
    return HM_OK;
}
