/* decide, the steps: how one begins and how it ends. See decide.h; the walk from step to step is in decide.c.
 *
 * Happy path: `when` → started → its calls, its gate, its question … → `until`, `expect`, `verify` → finished → `stop_if`.
 * Failure modes: an expression that can not be evaluated, a condition that does not hold, calls that failed: the run ends with a
 * sentence, or goes on, or a person is asked, as `on_error` says. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run/decide_parts.h"
#include "slack/escape.h"

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
    hm_json_set(value, "items", items); /* NOLINT(readability-suspicious-call-argument): the other way round it would be */
    return value;
}

/* Renders a mrkdwn line over the scope; a line that can not be rendered becomes its error, so that it is seen. */
char *hm_render_line(const struct hm_template *tpl, const json_t *scope)
{
    struct hm_err err = {0};
    if (tpl == NULL)
        return NULL;
    char *line = hm_template_render(tpl, HM_SINK_MRKDWN, scope, &err);
    return line != NULL ? line : hm_xasprintf("(this line could not be written: %s)", err.msg);
}

void hm_emit_finished(struct hm_deciding *d, int index, bool ok, json_t *stolen_value, const char *said, const char *error)
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

/* What is said of a stop whose recipe says nothing: where and why, for whoever then reads the recipe. */
static char *stop_text(const struct hm_step *step, size_t clause)
{
    struct hm_strbuf text;
    char *title = hm_mrkdwn_of(hm_step_title(step));
    hm_strbuf_init(&text, 4000);
    hm_strbuf_addf(&text, "*%s*: the recipe ends here when ", title);
    hm_slack_add_code(&text, hm_expr_text(step->stop_if[clause].when));
    hm_strbuf_addf(&text, " holds, and it does.");
    free(title);
    return hm_strbuf_take(&text);
}

/* The first stop_if that holds; n_stop_if when none does; err is set when one of them can not be told. scope: with this step's
 * value in it. */
static size_t stop_clause(const struct hm_step *step, const json_t *scope, struct hm_err *err)
{
    for (size_t i = 0; i < step->n_stop_if; i++) {
        bool holds = false;
        if (hm_expr_true(step->stop_if[i].when, scope, &holds, err) != HM_OK || holds)
            return i;
    }
    return step->n_stop_if;
}

/* When a stop_if holds, the run's end is decided. */
static void check_stop(struct hm_deciding *d, int index, const json_t *scope)
{
    struct hm_err err = {0};
    const struct hm_step *step = &d->run->recipe->steps[index];
    size_t i = stop_clause(step, scope, &err);
    if (i == step->n_stop_if)
        return;
    if (err.code != HM_OK) {
        hm_emit_step_failure(d, index, err.msg);
        return;
    }
    char *text = step->stop_if[i].say != NULL ? hm_render_line(step->stop_if[i].say, scope) : stop_text(step, i);
    hm_emit_end(d, HM_RUN_STOPPED, text, NULL);
    free(text);
}

/* The first failure among the step's calls that nobody has waved through; else the first; else NULL. */
static const struct hm_call *first_failed(const struct hm_step_state *state)
{
    const struct hm_call *excused = NULL;
    for (size_t i = 0; i < state->n_calls && state->n_in[HM_CALL_FAILED] > 0; i++) {
        const struct hm_call *call = &state->calls[i];
        if (call->phase == HM_CALL_FAILED && !call->excused)
            return call;
        if (call->phase == HM_CALL_FAILED && excused == NULL)
            excused = call;
    }
    return excused;
}

/* "The check afterwards failed", in mrkdwn. */
static char *unverified_text(const struct hm_step *step, const struct hm_call *verify, json_t *scope)
{
    if (verify->result != NULL && step->verify.say != NULL) { /* it could be read, and it is not as it should be */
        hm_json_set(scope, "verify", json_incref(verify->result));
        return hm_render_line(step->verify.say, scope);
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
    char *text = hm_render_line(step->expect.say, scope);
    return text != NULL ? text : hm_xasprintf("`%s` does not hold", hm_expr_text(step->expect.when));
}

static bool may_go_on(const struct hm_step *step, const struct hm_call *failed)
{
    return step->on_error == HM_ON_ERROR_CONTINUE || failed->excused ||
           (step->not_found_ok && failed->code != NULL && strcmp(failed->code, "not-found") == 0);
}

/* It could be read, and is not as it should be. */
static bool is_not_yet(const struct hm_call *failed)
{
    return failed->code != NULL && strcmp(failed->code, "not-yet") == 0;
}

/* What is wrong with the step as a whole, in new mrkdwn, or NULL. failed: a call that is, or NULL. */
static char *step_error(const struct hm_step *step, const struct hm_step_state *state, const struct hm_call *failed,
                        json_t *scope)
{
    if (failed == NULL)
        return unmet_condition(step, state, scope);
    if (step->until_say != NULL && is_not_yet(failed))
        return hm_render_line(step->until_say, scope);
    return hm_mrkdwn_of(failed->error != NULL ? failed->error : "failed");
}

/* A step's words are about what came: there is none when its one call failed, and what a read found is not said twice, or said
 * wrongly, when it is what ends the run. */
static bool has_words(const struct hm_step *step, const struct hm_call *failed, const json_t *scope)
{
    struct hm_err ignored = {0};
    if (failed != NULL && step->foreach == NULL && !is_not_yet(failed))
        return false;
    return step->effect != HM_EFFECT_READ || stop_clause(step, scope, &ignored) == step->n_stop_if;
}

void hm_decide_finish_do(struct hm_deciding *d, int index)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_step_state *state = &d->run->steps[index];
    const struct hm_call *failed = first_failed(state);
    json_t *scope = hm_run_scope_new(d->run, d->env);
    json_t *value = step_value_new(step, state);
    hm_json_set(scope, step->id, json_incref(value));

    char *error = step_error(step, state, failed, scope);
    bool tolerated = error == NULL || (failed != NULL ? may_go_on(step, failed) : state->excused);
    bool says = tolerated && (error == NULL || failed != NULL) && has_words(step, failed, scope);
    char *said = says ? hm_render_line(step->say, scope) : NULL;
    if (!tolerated && step->on_error == HM_ON_ERROR_ASK) {
        /* What changed something is not sent again because its check failed: only the check is made again. */
        bool again = failed != NULL || state->verify.phase == HM_CALL_FAILED || step->effect == HM_EFFECT_READ;
        hm_decide_ask_error(d, index, error, again);
    } else {
        if (error != NULL)
            hm_json_set_bool(value, "ok", false);
        hm_emit_finished(d, index, error == NULL, json_incref(value), said, error);
        if (!tolerated)
            hm_emit_failure(d, index, error);
        else
            check_stop(d, index, scope);
    }
    free(said);
    free(error);
    json_decref(value);
    json_decref(scope);
}

void hm_decide_finish_asked(struct hm_deciding *d, int index, json_t *stolen_value)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    json_t *scope = hm_run_scope_new(d->run, d->env);
    hm_json_set(scope, step->id, json_incref(stolen_value));
    char *said = hm_render_line(step->say, scope);
    hm_emit_finished(d, index, true, stolen_value, said, NULL);
    check_stop(d, index, scope);
    free(said);
    json_decref(scope);
}

/* ---- starting a step ------------------------------------------------------------------------------------------------- */

static void start_say(struct hm_deciding *d, int index, const json_t *scope)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    char *said = hm_render_line(step->say, scope);
    hm_emit(d, HM_EV_STEP_STARTED, hm_step_data_new(d->run, index));
    hm_emit_finished(d, index, true, hm_json_obj_new(), said, NULL);
    if (step->n_stop_if > 0)
        check_stop(d, index, scope);
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

void hm_decide_start_step(struct hm_deciding *d, int index)
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
        hm_decide_start_ask(d, index, scope);
        break;
    case HM_STEP_MANUAL:
        hm_decide_start_manual(d, index, scope);
        break;
    case HM_STEP_OFFER:
        hm_decide_start_offer(d, index, scope);
        break;
    case HM_STEP_NR:
        break;
    }
out:
    json_decref(scope);
}
