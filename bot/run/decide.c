/* decide, the steps: walks the recipe from the present step on. See decide.h.
 *
 * Happy path of HM_IN_GO: pending step → `when` → started → its calls (decide_calls.c) or its gate (decide_gate.c) → `until`,
 * `expect`, `verify` → finished → `stop_if` → next; past the last one the run is done. Each call decides one move; the shell
 * folds it and asks again. Failure modes: an expression that can not be evaluated, a condition that does not hold, a time that is
 * up: the run ends with a sentence that says what was done. */
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

static void emit_failure(struct hm_deciding *d, int step, const char *mrkdwn)
{
    struct hm_strbuf text;
    char *title = hm_mrkdwn_of(hm_step_title(&d->run->recipe->steps[step]));
    hm_strbuf_init(&text, 6000);
    hm_strbuf_addf(&text, "*%s*: %s", title, mrkdwn);
    if (!d->run->effect_started)
        hm_strbuf_adds(&text, " Nothing was changed.");
    hm_emit_end(d, HM_RUN_FAILED, hm_strbuf_str(&text), NULL);
    hm_strbuf_done(&text);
    free(title);
}

void hm_emit_step_failure(struct hm_deciding *d, int step, const char *problem)
{
    char *mrkdwn = hm_mrkdwn_of(problem);
    emit_failure(d, step, mrkdwn);
    free(mrkdwn);
}

/* ---- scope ----------------------------------------------------------------------------------------------------------- */

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
    return scope;
}

/* ---- finishing a step ------------------------------------------------------------------------------------------------ */

/* One failed or settled item as later steps and the card see it. */
static json_t *item_value_new(const struct hm_step_state *state, size_t item)
{
    const struct hm_call *call = &state->calls[item];
    json_t *value = hm_json_obj_new();
    json_t *original = json_array_get(state->items, item);
    hm_json_set(value, "item", original != NULL ? json_incref(original) : json_null());
    hm_json_set_bool(value, "ok", call->phase == HM_CALL_OK);
    if (call->phase != HM_CALL_OK)
        hm_json_set_str(value, "error", call->error);
    return value;
}

/* What later steps see of a finished `do` step. */
static json_t *step_value_new(const struct hm_step *step, const struct hm_step_state *state)
{
    if (step->foreach == NULL) {
        const struct hm_call *call = &state->calls[0];
        json_t *value = json_is_object(call->result) ? json_copy(call->result) : hm_json_obj_new();
        hm_json_set_bool(value, "ok", call->phase == HM_CALL_OK);
        if (call->phase != HM_CALL_OK) {
            hm_json_set_str(value, "error", call->error);
            hm_json_set_str(value, "code", call->code);
        }
        return value;
    }

    struct hm_progress progress;
    json_t *value = hm_json_obj_new();
    json_t *items = hm_json_arr_new();
    hm_step_progress(state, &progress);
    for (size_t i = 0; i < state->n_calls; i++)
        hm_json_add(items, item_value_new(state, i));
    hm_json_set_bool(value, "ok", progress.failed == 0);
    hm_json_set_int(value, "total", (int64_t)progress.total);
    hm_json_set_int(value, "done", (int64_t)progress.ok);
    hm_json_set_int(value, "failed", (int64_t)progress.failed);
    hm_json_set(value, "items", items);
    return value;
}

/* Renders a mrkdwn line over the scope; a line that can not be rendered becomes its error, so that it is seen. */
static char *render_line(const struct hm_template *tpl, const json_t *scope)
{
    struct hm_err err = {0};
    if (tpl == NULL)
        return NULL;
    char *line = hm_template_render(tpl, HM_SINK_MRKDWN, scope, &err);
    return line != NULL ? line : hm_xasprintf("(this line could not be written: %s)", err.msg);
}

static void emit_finished(struct hm_deciding *d, int index, bool ok, json_t *stolen_value, const char *said, const char *error)
{
    json_t *data = hm_step_data_new(d->run, index);
    hm_json_set_bool(data, "ok", ok);
    hm_json_set(data, "value", stolen_value);
    if (said != NULL)
        hm_json_set_str(data, "said", said);
    if (error != NULL)
        hm_json_set_str(data, "error", error);
    hm_emit(d, HM_EV_STEP_FINISHED, data);
}

/* True when a stop_if held: the run's end is decided. scope: with this step's value in it. */
static bool check_stop(struct hm_deciding *d, int index, const json_t *scope)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    for (size_t i = 0; i < step->n_stop_if; i++) {
        bool holds = false;
        struct hm_err err = {0};
        if (hm_expr_true(step->stop_if[i].when, scope, &holds, &err) != HM_OK) {
            hm_emit_step_failure(d, index, err.msg);
            return true;
        }
        if (!holds)
            continue;
        char *text = render_line(step->stop_if[i].say, scope);
        hm_emit_end(d, HM_RUN_STOPPED, text != NULL ? text : "There is nothing to do.", NULL);
        free(text);
        return true;
    }
    return false;
}

/* The first error among the step's calls, or NULL. */
static const struct hm_call *first_failed(const struct hm_step_state *state)
{
    for (size_t i = 0; i < state->n_calls; i++)
        if (state->calls[i].phase == HM_CALL_FAILED)
            return &state->calls[i];
    return NULL;
}

/* "The check afterwards failed", in mrkdwn. */
static char *unverified_text(const struct hm_step *step, const struct hm_call *verify, json_t *scope)
{
    if (verify->result != NULL && step->verify.say != NULL) { /* it could be read, and it is not as it should be */
        hm_json_set(scope, "verify", json_incref(verify->result));
        return render_line(step->verify.say, scope);
    }
    char *why = hm_mrkdwn_of(verify->error != NULL ? verify->error : "what it should have done is not to be seen");
    char *text = hm_xasprintf("it was sent and accepted, but the check afterwards failed: %s", why);
    free(why);
    return text;
}

/* Why the step did not end well although its calls did: `expect` or `verify`. New mrkdwn, or NULL when all is well. */
static char *unmet_condition(const struct hm_step *step, const struct hm_step_state *state, json_t *scope)
{
    struct hm_err err = {0};
    bool holds = true;
    if (state->verify.phase == HM_CALL_FAILED)
        return unverified_text(step, &state->verify, scope);
    if (step->expect.when == NULL)
        return NULL;
    if (hm_expr_true(step->expect.when, scope, &holds, &err) != HM_OK)
        return hm_mrkdwn_of(err.msg);
    if (holds)
        return NULL;
    char *text = render_line(step->expect.say, scope);
    return text != NULL ? text : hm_xasprintf("`%s` does not hold", hm_expr_text(step->expect.when));
}

static bool may_go_on(const struct hm_step *step, const struct hm_call *failed)
{
    return step->on_error == HM_ON_ERROR_CONTINUE ||
           (step->not_found_ok && failed->code != NULL && strcmp(failed->code, "not-found") == 0);
}

/* All calls (and the verify) are settled: close the step, and the run if it must not go on. */
static void finish_do(struct hm_deciding *d, int index)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_step_state *state = &d->run->steps[index];
    const struct hm_call *failed = first_failed(state);
    json_t *scope = hm_run_scope_new(d->run, d->env);
    json_t *value = step_value_new(step, state);
    hm_json_set(scope, step->id, json_incref(value));

    char *error =
        failed == NULL ? unmet_condition(step, state, scope) : hm_mrkdwn_of(failed->error != NULL ? failed->error : "failed");
    char *said = error == NULL || (failed != NULL && may_go_on(step, failed)) ? render_line(step->say, scope) : NULL;
    if (error != NULL)
        hm_json_set_bool(value, "ok", false);
    emit_finished(d, index, error == NULL, json_incref(value), said, error);

    bool fatal = error != NULL && (failed == NULL || !may_go_on(step, failed));
    if (fatal)
        emit_failure(d, index, error);
    else
        (void)check_stop(d, index, scope);
    free(said);
    free(error);
    json_decref(value);
    json_decref(scope);
}

/* ---- starting a step ------------------------------------------------------------------------------------------------- */

static void start_say(struct hm_deciding *d, int index, const json_t *scope)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    char *said = render_line(step->say, scope);
    hm_emit(d, HM_EV_STEP_STARTED, hm_step_data_new(d->run, index));
    emit_finished(d, index, true, hm_json_obj_new(), said, NULL);
    if (step->n_stop_if > 0)
        (void)check_stop(d, index, scope);
    free(said);
}

static void start_do(struct hm_deciding *d, int index, const json_t *scope)
{
    enum { MAX_ITEMS = 10000 };
    const struct hm_step *step = &d->run->recipe->steps[index];
    struct hm_err err = {0};
    json_t *data = hm_step_data_new(d->run, index);

    if (step->foreach != NULL) {
        json_t *items = hm_expr_eval_new(step->foreach, scope, &err);
        if (!json_is_array(items) || json_array_size(items) > MAX_ITEMS) {
            if (items != NULL)
                (void)hm_err_set(&err, HM_EINVAL, "\"%s\" is not a list of at most %d items", hm_expr_text(step->foreach),
                                 (int)MAX_ITEMS);
            json_decref(items);
            json_decref(data);
            hm_emit_step_failure(d, index, err.msg);
            return;
        }
        hm_json_set(data, "items", items);
    }
    hm_emit(d, HM_EV_STEP_STARTED, data);
}

static void start_step(struct hm_deciding *d, int index)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    json_t *scope = hm_run_scope_new(d->run, d->env);
    bool wanted = true;
    struct hm_err err = {0};

    if (step->when != NULL && hm_expr_true(step->when, scope, &wanted, &err) != HM_OK) {
        hm_emit_step_failure(d, index, err.msg);
        goto out;
    }
    if (!wanted) {
        hm_emit(d, HM_EV_STEP_SKIPPED, hm_step_data_new(d->run, index));
        goto out;
    }
    switch (step->kind) {
    case HM_STEP_DO:
        start_do(d, index, scope);
        break;
    case HM_STEP_APPROVE:
        hm_decide_open_gate(d, index);
        break;
    case HM_STEP_SAY:
        start_say(d, index, scope);
        break;
    case HM_STEP_ASK:
    case HM_STEP_MANUAL:
    case HM_STEP_OFFER:
    case HM_STEP_NR:
        hm_emit_step_failure(d, index, "this version does not know how to do such a step");
        break;
    }
out:
    json_decref(scope);
}

static void finish_run(struct hm_deciding *d)
{
    struct hm_strbuf text;
    size_t failed = 0;
    hm_strbuf_init(&text, 3000);
    for (size_t i = 0; i < d->run->recipe->n_steps; i++) {
        struct hm_progress progress;
        hm_step_progress(&d->run->steps[i], &progress);
        if (d->run->recipe->steps[i].foreach != NULL)
            failed += progress.failed;
    }
    if (failed > 0)
        hm_strbuf_addf(&text, "%zu item%s failed; each is named above.", failed, failed == 1 ? "" : "s");
    hm_emit_end(d, failed > 0 ? HM_RUN_PARTIAL : HM_RUN_DONE, hm_strbuf_str(&text), NULL);
    hm_strbuf_done(&text);
}

static void go(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    if (run->at >= (int)run->recipe->n_steps) {
        finish_run(d);
        return;
    }
    if (run->cancel_by != NULL && !hm_effect_under_way(run)) {
        hm_emit_end(d, HM_RUN_CANCELLED,
                    run->effect_started ? "What had been sent before is listed above; nothing more was started."
                                        : "Nothing was changed.",
                    run->cancel_by);
        return;
    }

    const struct hm_step_state *state = &run->steps[run->at];
    if (state->phase == HM_PHASE_PENDING) {
        start_step(d, run->at);
        return;
    }
    if (run->recipe->steps[run->at].kind != HM_STEP_DO || hm_decide_calls(d, run->at))
        return;

    struct hm_progress progress;
    hm_step_progress(state, &progress);
    bool verified =
        state->verify.phase == HM_CALL_READY || state->verify.phase == HM_CALL_OK || state->verify.phase == HM_CALL_FAILED;
    if (progress.ok + progress.failed == progress.total && verified)
        finish_do(d, run->at);
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

static void on_time(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    hm_decide_gate_time(d);
    if (d->events->count > 0)
        return;
    if (d->env->now_ms >= run->deadline_ms && !hm_effect_under_way(run)) {
        char took[32];
        struct hm_strbuf text;
        hm_strbuf_init(&text, 3000);
        hm_strbuf_addf(&text, "The run's time of %s is up; it stopped before the next step.",
                       hm_format_duration(run->recipe->timeout_ms, took, sizeof took));
        if (!run->effect_started)
            hm_strbuf_adds(&text, " Nothing was changed.");
        hm_emit_end(d, HM_RUN_FAILED, hm_strbuf_str(&text), NULL);
        hm_strbuf_done(&text);
        return;
    }
    go(d);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t call_wake(const struct hm_call *call, int64_t wake)
{
    bool waits = call->phase == HM_CALL_WAITING || call->phase == HM_CALL_WAITING_PROBE;
    return waits ? earlier(wake, call->again_ms) : wake;
}

int64_t hm_run_wake_ms(const struct hm_run *run)
{
    if (run->status != HM_RUN_GOING || run->recipe == NULL)
        return INT64_MAX;

    /* While an effect is under way the deadline has to wait for its answer, which wakes the run anyway. */
    int64_t wake = hm_effect_under_way(run) ? INT64_MAX : run->deadline_ms;
    const struct hm_gate *gate = hm_run_open_gate(run);
    if (gate != NULL)
        wake = earlier(wake, gate->expires_ms);
    if (run->at < (int)run->recipe->n_steps) {
        const struct hm_step_state *state = &run->steps[run->at];
        for (size_t i = 0; i < state->n_calls; i++)
            wake = call_wake(&state->calls[i], wake);
        wake = call_wake(&state->verify, wake);
    }
    return wake;
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
        hm_decide_click(&d, in);
        return HM_OK;
    case HM_INPUT_NR:
        break;
    }
    return hm_err_set(err, HM_EBUG, "no such input");
}

enum hm_code hm_run_start(const struct hm_run_order *order, const struct hm_run_env *env, struct hm_events *ret_events,
                          struct hm_err *err)
{
    char *lock = NULL;
    if (order->recipe->lock != NULL) {
        lock = hm_template_render(order->recipe->lock, HM_SINK_PLAIN, order->params, err);
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
    if (lock != NULL)
        hm_json_set_str(data, "lock", lock);
    hm_json_set_int(data, "deadline", env->now_ms + order->recipe->timeout_ms);
    hm_events_add(ret_events, HM_EV_RUN_STARTED, env->now_ms, data);
    free(lock);
    return HM_OK;
}
