/* decide, the walk: from step to step until the run is over. See decide.h.
 *
 * Happy path of HM_IN_GO: the present step begins (decide_steps.c), its calls go (decide_calls.c), or its gate, its question …
 * waits for people (decide_gate.c, decide_ask.c); past the last step the run is done. Each call decides one move; the shell folds
 * it and asks again. Failure modes: a time that is up, a run that was cancelled: it ends with a sentence that says what was done.
 */
#include "run/decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "run/decide_parts.h"
#include "slack/escape.h"

enum { NAMED_ABOVE = 20 }; /* the card names as many; the file under it has all */

json_t *hm_step_data_new(const struct hm_run *run, int step)
{
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "step", run->recipe->steps[step].id);
    return data;
}

void hm_emit(struct hm_deciding *d, enum hm_event_type type, json_t *stolen_data)
{
    hm_events_add(d->events, type, d->env->now_ms, stolen_data);
}

const char *hm_step_title(const struct hm_step *step)
{
    if (step->title != NULL)
        return step->title;
    if (step->kind == HM_STEP_DO)
        return step->call.action->title;
    return step->id;
}

void hm_emit_end(struct hm_deciding *d, enum hm_run_status status, const char *text, const char *by)
{
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "status", hm_run_status_name(status));
    hm_json_set_str(data, "text", text);
    if (by != NULL)
        hm_json_set_str(data, "by", by);
    hm_emit(d, HM_EV_RUN_FINISHED, data);
}

char *hm_mrkdwn_of(const char *plain)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, 4000);
    hm_slack_escape_mrkdwn(&text, plain);
    return hm_strbuf_take(&text);
}

const char *hm_full_stop(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && strchr(".!?", text[len - 1]) != NULL ? "" : ".";
}

/* Whatever left was refused, or has provably not happened. */
static bool changed_nothing(const struct hm_run *run)
{
    for (size_t s = 0; run->effect_started && s < run->recipe->n_steps; s++) {
        for (size_t i = 0; run->recipe->steps[s].effect != HM_EFFECT_READ && i < run->steps[s].n_calls; i++) {
            const struct hm_call *call = &run->steps[s].calls[i];
            bool refused = call->phase == HM_CALL_FAILED || call->phase == HM_CALL_WAITING || call->phase == HM_CALL_READY;
            if (call->maybe || !refused)
                return false;
        }
    }
    return true;
}

void hm_emit_failure(struct hm_deciding *d, int step, const char *mrkdwn)
{
    struct hm_strbuf text;
    char *title = hm_mrkdwn_of(hm_step_title(&d->run->recipe->steps[step]));
    hm_strbuf_init(&text, 6000);
    hm_strbuf_addf(&text, "*%s*: %s%s", title, mrkdwn, hm_full_stop(mrkdwn));
    if (changed_nothing(d->run))
        hm_strbuf_adds(&text, " Nothing was changed.");
    hm_emit_end(d, HM_RUN_FAILED, hm_strbuf_str(&text), NULL);
    hm_strbuf_done(&text);
    free(title);
}

void hm_emit_step_failure(struct hm_deciding *d, int step, const char *problem)
{
    char *mrkdwn = hm_mrkdwn_of(problem);
    hm_emit_failure(d, step, mrkdwn);
    free(mrkdwn);
}

/* ---- scope ----------------------------------------------------------------------------------------------------------- */

/* The fields of the environment that the recipe's param names; empty when it has no such param, or the settings do not know it.
 */
static json_t *environ_new(const struct hm_recipe *recipe, const json_t *params, const struct hm_run_env *env)
{
    for (size_t i = 0; i < recipe->n_params; i++) {
        const char *chosen = recipe->params[i].is_environment ? hm_json_get_str(params, recipe->params[i].name, NULL) : NULL;
        json_t *fields = chosen != NULL ? hm_json_get_obj(env->environments, chosen) : NULL;
        if (fields != NULL)
            return json_incref(fields);
    }
    return hm_json_obj_new();
}

json_t *hm_run_scope_new(const struct hm_run *run, const struct hm_run_env *env)
{
    json_t *scope = hm_json_obj_new();
    json_t *about = hm_json_obj_new();
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(run->params, name, value) hm_json_set(scope, name, json_incref(value));
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        json_t *result = run->steps[i].value;
        hm_json_set(scope, run->recipe->steps[i].id, result != NULL ? json_incref(result) : json_null());
    }
    hm_json_set_str(about, "id", run->id);
    hm_json_set_str(about, "requester", run->requester);
    hm_json_set_str(about, "channel", run->channel);
    hm_json_set_str(about, "recipe", run->recipe->name);
    hm_json_set(scope, "run", about);
    hm_json_set(scope, "given", run->given != NULL ? json_incref(run->given) : hm_json_obj_new());
    hm_json_set(scope, "known", env->known != NULL ? json_incref(hm_unconst(env->known)) : hm_json_obj_new());
    hm_json_set(scope, "environ", environ_new(run->recipe, run->params, env));
    return scope;
}

/* ---- the walk --------------------------------------------------------------------------------------------------------- */

/* How many calls failed although the run went on: items, and whole steps that a person waved through. */
static void count_failures(const struct hm_run *run, size_t *ret_items, size_t *ret_steps)
{
    *ret_items = *ret_steps = 0;
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        const struct hm_step_state *state = &run->steps[i];
        if (state->items != NULL)
            *ret_items += state->n_in[HM_CALL_FAILED];
        else
            *ret_steps += state->n_excused > 0 || state->excused ? 1 : 0;
    }
}

static void finish_run(struct hm_deciding *d)
{
    struct hm_strbuf text;
    size_t items = 0;
    size_t steps = 0;
    count_failures(d->run, &items, &steps);
    hm_strbuf_init(&text, 3000);
    if (items > 0)
        hm_strbuf_addf(&text, "%zu item%s failed; each is named above%s.", items, items == 1 ? "" : "s",
                       items > NAMED_ABOVE ? " or in the file" : "");
    if (steps > 0)
        hm_strbuf_addf(&text, "%s%zu step%s failed and %s passed over by a person.", items > 0 ? " " : "", steps,
                       steps == 1 ? "" : "s", steps == 1 ? "was" : "were");
    hm_emit_end(d, items + steps > 0 ? HM_RUN_PARTIAL : HM_RUN_DONE, hm_strbuf_str(&text), NULL);
    hm_strbuf_done(&text);
}

/* "137 of 318 changes had been made before and stay; of 2 more nobody knows whether they were made; nothing more was started." */
static void finish_cancelled(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    size_t made = 0;
    size_t maybe = 0;
    size_t planned = 0;
    struct hm_strbuf text;
    hm_strbuf_init(&text, 1000);
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        if (run->recipe->steps[i].effect == HM_EFFECT_READ || run->recipe->steps[i].kind != HM_STEP_DO)
            continue;
        made += run->steps[i].n_in[HM_CALL_OK];
        planned += run->steps[i].n_calls;
        for (size_t c = 0; c < run->steps[i].n_calls; c++)
            maybe += run->steps[i].calls[c].maybe && run->steps[i].calls[c].phase != HM_CALL_OK ? 1 : 0;
    }
    if (changed_nothing(run)) {
        hm_strbuf_adds(&text, "Nothing was changed.");
    } else {
        hm_strbuf_addf(&text, "%zu of %zu change%s had been made before and stay", made, planned, planned == 1 ? "" : "s");
        if (maybe > 0)
            hm_strbuf_addf(&text, "; of %zu more nobody knows whether %s made", maybe, maybe == 1 ? "it was" : "they were");
        hm_strbuf_adds(&text, "; nothing more was started.");
    }
    hm_emit_end(d, HM_RUN_CANCELLED, hm_strbuf_str(&text), run->cancel_by);
    hm_strbuf_done(&text);
}

static void go_do(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    const struct hm_step *step = &run->recipe->steps[run->at];
    const struct hm_step_state *state = &run->steps[run->at];
    struct hm_progress progress;
    if (hm_run_open_question(run) != NULL || hm_decide_calls(d, run->at))
        return;

    hm_step_progress(state, &progress);
    bool verified =
        state->verify.phase == HM_CALL_READY || state->verify.phase == HM_CALL_OK || state->verify.phase == HM_CALL_FAILED;
    bool settled = progress.ok + progress.failed == progress.total && verified;
    bool stuck = step->on_error == HM_ON_ERROR_ASK && hm_step_gives_up(run, run->at) && state->n_busy == progress.waiting;
    if (settled || stuck)
        hm_decide_finish_do(d, run->at);
}

/* True while another run holds the lock; once it is free, that is what is decided. */
static bool wait_for_lock(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    if (!run->lock_wait.waiting)
        return false;
    if (!hm_decide_blocked(d)) {
        json_t *data = hm_json_obj_new();
        hm_json_set_str(data, "lock", run->lock);
        hm_json_set_int(data, "deadline", d->env->now_ms + run->recipe->timeout_ms);
        hm_emit(d, HM_EV_LOCK_TAKEN, data);
    }
    return true;
}

static void go(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    if (run->at >= (int)run->recipe->n_steps) {
        finish_run(d);
        return;
    }
    if (run->cancel_by != NULL && !hm_effect_under_way(run)) {
        finish_cancelled(d);
        return;
    }
    if (wait_for_lock(d))
        return;
    if (run->steps[run->at].phase == HM_PHASE_PENDING)
        hm_decide_start_step(d, run->at);
    else if (run->recipe->steps[run->at].kind == HM_STEP_DO)
        go_do(d);
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

static void time_is_up(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    char took[32];
    struct hm_strbuf text;
    hm_strbuf_init(&text, 3000);
    (void)hm_format_duration(run->recipe->timeout_ms, took, sizeof took);
    if (run->lock_wait.waiting)
        hm_strbuf_addf(&text, "It waited for %s until the run's time of %s was up.",
                       run->lock_wait.holder != NULL ? run->lock_wait.holder : "another run", took);
    else
        hm_strbuf_addf(&text, "The run's time of %s is up; it stopped before the next step.", took);
    if (!run->effect_started)
        hm_strbuf_adds(&text, " Nothing was changed.");
    hm_emit_end(d, HM_RUN_FAILED, hm_strbuf_str(&text), NULL);
    hm_strbuf_done(&text);
}

static void on_time(struct hm_deciding *d)
{
    hm_decide_gate_time(d);
    if (d->events->count == 0)
        hm_decide_question_time(d);
    if (d->events->count > 0)
        return;
    if (d->env->now_ms >= d->run->deadline_ms && !hm_effect_under_way(d->run))
        time_is_up(d);
    else
        go(d);
}

/* The earlier of the two, but for what has been told already. */
static void want(int64_t *wake, int64_t at_ms, int64_t seen_ms)
{
    if (at_ms > seen_ms && at_ms < *wake)
        *wake = at_ms;
}

static void want_call(int64_t *wake, const struct hm_call *call, int64_t seen_ms)
{
    if (call->phase == HM_CALL_WAITING || call->phase == HM_CALL_WAITING_PROBE)
        want(wake, call->again_ms, seen_ms);
}

int64_t hm_run_wake_after_ms(const struct hm_run *run, int64_t seen_ms)
{
    int64_t wake = INT64_MAX;
    if (run->status != HM_RUN_GOING || run->recipe == NULL)
        return wake;

    /* While an effect is under way the deadline has to wait for its answer, which wakes the run anyway. */
    if (!hm_effect_under_way(run))
        want(&wake, run->deadline_ms, seen_ms);
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    if (gate != NULL) {
        want(&wake, gate->expires_ms, seen_ms);
        want(&wake, hm_gate_remind_ms(gate), seen_ms);
    }
    if (question != NULL && question->expires_ms > 0)
        want(&wake, question->expires_ms, seen_ms);
    if (run->at < (int)run->recipe->n_steps) {
        const struct hm_step_state *state = &run->steps[run->at];
        for (size_t i = 0; i < state->n_busy; i++)
            want_call(&wake, &state->calls[state->busy[i]], seen_ms);
        want_call(&wake, &state->verify, seen_ms);
    }
    return wake;
}

int64_t hm_run_wake_ms(const struct hm_run *run)
{
    return hm_run_wake_after_ms(run, INT64_MIN);
}

/* ---------------------------------------------------------------------------------------------------------------------- */

static void on_changed(struct hm_deciding *d)
{
    (void)hm_decide_still_fits(d, NULL);
}

enum hm_code hm_run_decide(const struct hm_run *run, const struct hm_input *in, const struct hm_run_env *env,
                           struct hm_events *ret_events, struct hm_reply *ret_reply, struct hm_err *err)
{
    struct hm_deciding d = {run, env, ret_events, ret_reply};
    *ret_reply = (struct hm_reply){0};

    if (run->seq == 0 || run->recipe == NULL)
        return hm_err_set(err, HM_EBUG, "a run was asked before it was started");
    switch (in->kind) {
    case HM_IN_GO:
        if (run->status == HM_RUN_GOING)
            go(&d);
        return HM_OK;
    case HM_IN_TIME:
        if (run->status == HM_RUN_GOING)
            on_time(&d);
        return HM_OK;
    case HM_IN_ANSWER:
        if (run->status == HM_RUN_GOING)
            hm_decide_answer(&d, in);
        return HM_OK;
    case HM_IN_LOST:
        if (run->status == HM_RUN_GOING)
            hm_decide_lost(&d);
        return HM_OK;
    case HM_IN_CHANGED:
        if (run->status == HM_RUN_GOING)
            on_changed(&d);
        return HM_OK;
    case HM_IN_APPROVE:
    case HM_IN_REJECT:
    case HM_IN_HAPPENED:
    case HM_IN_DID_NOT:
    case HM_IN_STOP_HERE:
    case HM_IN_CANCEL:
    case HM_IN_TAKE:
    case HM_IN_CHOOSE:
    case HM_IN_DONE:
    case HM_IN_RETRY:
    case HM_IN_SKIP:
    case HM_IN_GIVE_UP:
    case HM_IN_OFFER:
    case HM_IN_RETRY_FAILED:
        hm_decide_click(&d, in);
        return HM_OK;
    case HM_INPUT_NR:
        break;
    }
    return hm_err_set(err, HM_EBUG, "no such input");
}

/* What a lock's name may use: there is no run yet to ask for its scope. */
static json_t *order_scope_new(const struct hm_run_order *order, const struct hm_run_env *env)
{
    json_t *scope = json_copy(hm_unconst(order->params));
    json_t *about = hm_json_obj_new();
    hm_json_set_str(about, "id", order->run_id);
    hm_json_set_str(about, "requester", order->requester);
    hm_json_set_str(about, "channel", order->channel);
    hm_json_set_str(about, "recipe", order->recipe->name);
    hm_json_set(scope, "run", about);
    hm_json_set(scope, "given", order->given != NULL ? json_incref(hm_unconst(order->given)) : hm_json_obj_new());
    hm_json_set(scope, "known", env->known != NULL ? json_incref(hm_unconst(env->known)) : hm_json_obj_new());
    hm_json_set(scope, "environ", environ_new(order->recipe, order->params, env));
    return scope;
}

enum hm_code hm_run_start(const struct hm_run_order *order, const struct hm_run_env *env, struct hm_events *ret_events,
                          struct hm_err *err)
{
    char *lock = NULL;
    if (order->recipe->lock != NULL) {
        json_t *scope = order_scope_new(order, env);
        lock = hm_template_render(order->recipe->lock, HM_SINK_PLAIN, scope, err);
        json_decref(scope);
        if (lock == NULL)
            return hm_err_wrap(err, "lock of recipe %s", order->recipe->name);
    }
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "run", order->run_id);
    hm_json_set_str(data, "recipe", order->recipe->name);
    hm_json_set_str(data, "sha", order->recipe->sha256);
    hm_json_set(data, "params", json_incref(hm_unconst(order->params)));
    hm_json_set(data, "given", json_incref(hm_unconst(order->given)));
    hm_json_set_str(data, "requester", order->requester);
    hm_json_set_str(data, "team", order->team);
    hm_json_set_str(data, "channel", order->channel);
    if (order->thread_ts != NULL)
        hm_json_set_str(data, "thread_ts", order->thread_ts);
    if (order->alarm != NULL)
        hm_json_set_str(data, "alarm", order->alarm);
    if (lock != NULL)
        hm_json_set_str(data, "lock", lock);
    hm_json_set_int(data, "deadline", env->now_ms + order->recipe->timeout_ms);
    hm_events_add(ret_events, HM_EV_RUN_STARTED, env->now_ms, data);
    struct hm_blocker blocker = {0};
    if (lock != NULL && env->blocked != NULL && env->blocked(env->lock_arg, lock, order->run_id, &blocker))
        hm_events_add(ret_events, HM_EV_LOCK_WAITED, env->now_ms, hm_blocker_data_new(lock, &blocker));
    free(lock);
    return HM_OK;
}
