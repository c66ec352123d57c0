/* decide, the calls: starting requests, judging their answers, settling what nobody knows. See decide.h and the drawing in
 * state.h.
 *
 * Happy path: READY → CALL_STARTED (committed, then sent) → CALL_FINISHED ok. Failure modes, by effect:
 *   read        time-out, reset, 5xx: repeated, up to `retry` (3 tries at least)
 *   idempotent  the same, but the action's probe, if it has one, is asked first: what has happened is not sent again
 *   once        never repeated: the probe settles it; if it can not tell, a person does (CALL_ASKED)
 * Whatever provably was not sent (HM_TRANSPORT_NOT_SENT) or was refused with nothing done may be tried again under any effect. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run/decide_parts.h"

enum {
    MIN_TRIES = 3,          /* for what may be repeated at all */
    DEFAULT_WAIT_MS = 1000, /* doubles from try to try */
    MAX_WAIT_MS = 60000,
    PROBE_WAIT_MS = 3000, /* between two probes */
    DENIALS_NEEDED = 2,   /* probes in a row that must say "not applied": a slow server may still be at it */
};

/* One call of a step and what belongs to it. */
struct site {
    int index;
    int item;
    const struct hm_step *step;
    const struct hm_step_state *state;
    const struct hm_call *call;
    enum hm_purpose purpose;
};

static struct site site_of(const struct hm_run *run, int index, int item, enum hm_purpose purpose)
{
    const struct hm_step_state *state = &run->steps[index];
    return (struct site){
        .index = index,
        .item = item,
        .step = &run->recipe->steps[index],
        .state = state,
        .call = purpose == HM_FOR_VERIFY ? &state->verify : &state->calls[item],
        .purpose = purpose,
    };
}

static json_t *call_data_new(const struct hm_run *run, const struct site *site)
{
    json_t *data = hm_step_data_new(run, site->index);
    hm_json_set_int(data, "item", site->item);
    hm_json_set_str(data, "purpose", hm_purpose_name(site->purpose));
    return data;
}

static bool is_effect(const struct site *site)
{
    return site->purpose == HM_FOR_STEP && site->step->effect != HM_EFFECT_READ;
}

bool hm_effect_under_way(const struct hm_run *run)
{
    for (size_t s = 0; s < run->recipe->n_steps; s++) {
        if (run->recipe->steps[s].effect == HM_EFFECT_READ || run->steps[s].phase != HM_PHASE_ACTIVE)
            continue;
        for (size_t i = 0; i < run->steps[s].n_calls; i++) {
            enum hm_call_phase phase = run->steps[s].calls[i].phase;
            if (phase == HM_CALL_FLYING || phase == HM_CALL_UNKNOWN || phase == HM_CALL_PROBING ||
                phase == HM_CALL_WAITING_PROBE || phase == HM_CALL_ASKING)
                return true;
        }
    }
    return false;
}

/* ---- endings of one call --------------------------------------------------------------------------------------------- */

static void emit_failed(struct hm_deciding *d, const struct site *site, const char *verdict, const char *error)
{
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", verdict);
    hm_json_set_str(data, "code", verdict);
    hm_json_set_str(data, "error", error);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

static void emit_asked(struct hm_deciding *d, const struct site *site, const char *error)
{
    char nonce[17];
    struct site main = *site;
    main.purpose = HM_FOR_STEP;
    json_t *data = call_data_new(d->run, &main);
    d->env->nonce(d->env->arg, nonce);
    hm_json_set_str(data, "nonce", nonce);
    hm_json_set_str(data, "error", error);
    hm_emit(d, HM_EV_CALL_ASKED, data);
}

/* by: "probe" or a user; applied: what they say. */
static void emit_settled(struct hm_deciding *d, const struct site *site, bool applied, const char *by, const char *error)
{
    json_t *data = hm_step_data_new(d->run, site->index);
    hm_json_set_int(data, "item", site->item);
    hm_json_set_bool(data, "applied", applied);
    hm_json_set_str(data, "by", by);
    if (!applied) {
        hm_json_set_str(data, "error", error);
        hm_json_set_str(data, "code", "not-applied");
    }
    hm_emit(d, HM_EV_CALL_SETTLED, data);
}

/* ---- starting -------------------------------------------------------------------------------------------------------- */

static int compare_planned(const void *a, const void *b)
{
    const struct hm_planned *x = a;
    const struct hm_planned *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* An effect may leave only if its gate was approved for exactly this request, and the recipe is still the one that was shown. */
static bool is_approved(const struct hm_deciding *d, const struct site *site, const struct hm_request *req)
{
    const struct hm_run *run = d->run;
    if (run->recipe->ungated != NULL)
        return true;
    if (site->step->gate < 0 || d->env->current == NULL)
        return false;
    const char *sha = run->accepted_sha != NULL ? run->accepted_sha : run->recipe->sha256;
    const struct hm_gate *gate = &run->steps[site->step->gate].gate;
    if (gate->decision != HM_GATE_APPROVED || strcmp(sha, d->env->current->sha256) != 0)
        return false;

    struct hm_planned wanted = {.step = site->index, .item = site->item};
    char digest[65];
    const struct hm_planned *planned =
        gate->n_plan > 0 ? bsearch(&wanted, gate->plan, gate->n_plan, sizeof gate->plan[0], compare_planned) : NULL;
    hm_request_digest(req, digest);
    return planned != NULL && strcmp(planned->digest, digest) == 0;
}

static void emit_started(struct hm_deciding *d, const struct site *site, const struct hm_rendered *rendered)
{
    char digest[65];
    const struct hm_call *call = site->call;
    json_t *data = call_data_new(d->run, site);
    bool next_page = call->cursor != NULL;
    bool repeat = call->error != NULL && call->phase == HM_CALL_WAITING;
    unsigned attempt = next_page ? call->attempts : repeat ? call->attempts + 1 : 1;
    if (site->purpose == HM_FOR_PROBE)
        attempt = call->phase == HM_CALL_WAITING_PROBE ? call->attempts + 1 : 1;

    hm_request_digest(&rendered->req, digest);
    hm_json_set_int(data, "try", call->sent + 1);
    hm_json_set_int(data, "attempt", attempt);
    hm_json_set_str(data, "backend", rendered->backend->name);
    hm_json_set(data, "args", json_incref(rendered->args));
    hm_json_set_str(data, "digest", digest);
    hm_json_set(data, "request", hm_request_json_new(&rendered->req));
    hm_emit(d, HM_EV_CALL_STARTED, data);
}

/* Renders the request of a step's call or of its verify and starts it. False: what would be sent needs a new approval, which has
 * been asked for (or has to wait for what is under way). */
static bool start_call(struct hm_deciding *d, const struct site *site)
{
    struct hm_err err = {0};
    struct hm_rendered rendered;
    bool started = true;
    const struct hm_call_spec *spec = site->purpose == HM_FOR_VERIFY ? &site->step->verify.call : &site->step->call;
    json_t *scope = hm_run_scope_new(d->run, d->env);
    json_t *own = hm_plan_item_scope_new(site->step, site->state->items, site->item, scope);

    hm_rendered_init(&rendered);
    if (hm_plan_render(d->env, spec, own, site->call->cursor, &rendered, &err) != HM_OK) {
        if (is_effect(site) && d->run->recipe->ungated == NULL)
            started = hm_decide_still_fits(d, err.msg);
        if (started)
            emit_failed(d, site, "permanent", err.msg);
    } else if (is_effect(site) && !is_approved(d, site, &rendered.req)) {
        started = false;
        (void)hm_decide_still_fits(d, "What would be sent is no longer what was approved.");
    } else {
        emit_started(d, site, &rendered);
    }
    hm_rendered_done(&rendered);
    json_decref(own);
    json_decref(scope);
    return started;
}

/* The probe's own arguments: the step's, and the recipe's context. NULL with err set. */
static json_t *probe_args_new(struct hm_deciding *d, const struct site *site, struct hm_err *err)
{
    json_t *scope = hm_run_scope_new(d->run, d->env);
    json_t *own = hm_plan_item_scope_new(site->step, site->state->items, site->item, scope);
    json_t *context = NULL;
    json_t *args = NULL;

    if (site->step->probe != NULL)
        context = hm_args_render_new(site->step->probe, own, err);
    if (site->step->probe == NULL || context != NULL) {
        enum hm_code code = site->step->call.action->probe_args(site->call->args, context, &args, err);
        if (code != HM_OK && args != NULL) {
            json_decref(args);
            args = NULL;
        }
    }
    json_decref(context);
    json_decref(own);
    json_decref(scope);
    return args;
}

/* Asks the action's probe, or, when there is none, a person. */
static void start_probe(struct hm_deciding *d, const struct site *site)
{
    const struct hm_action *action = site->step->call.action;
    const struct hm_action *probe = action->probe_action != NULL ? hm_action_find(action->probe_action) : NULL;
    struct hm_err err = {0};
    struct hm_rendered rendered;
    hm_rendered_init(&rendered);

    if (probe != NULL)
        rendered.args = probe_args_new(d, site, &err);
    rendered.backend = d->env->backend(d->env->arg, site->call->backend != NULL ? site->call->backend : "");
    bool ready = rendered.args != NULL && rendered.backend != NULL &&
                 probe->request(rendered.backend, rendered.args, site->call->cursor, &rendered.req, &err) == HM_OK;
    if (ready)
        emit_started(d, site, &rendered);
    else
        emit_asked(d, site, site->call->error != NULL ? site->call->error : "");
    hm_rendered_done(&rendered);
}

static bool verify_wanted(struct hm_deciding *d, const struct hm_step *step, const struct hm_step_state *state)
{
    bool wanted = true;
    struct hm_err err = {0};
    if (step->verify.call.action == NULL || state->verify.phase != HM_CALL_READY)
        return false;
    if (step->verify.when == NULL)
        return true;
    json_t *scope = hm_run_scope_new(d->run, d->env);
    if (hm_expr_true(step->verify.when, scope, &wanted, &err) != HM_OK)
        wanted = true; /* rather one check too many */
    json_decref(scope);
    return wanted;
}

/* One call of the present step: true when something was decided; *room counts what may still be started. */
static bool move_call(struct hm_deciding *d, int index, int item, unsigned *room, bool *ret_halt)
{
    struct site site = site_of(d->run, index, item, HM_FOR_STEP);
    const struct hm_call *call = site.call;
    bool due = call->again_ms <= d->env->now_ms;
    bool late = d->run->cancel_by != NULL || d->env->now_ms >= d->run->deadline_ms;

    if (call->phase == HM_CALL_UNKNOWN || (call->phase == HM_CALL_WAITING_PROBE && due)) {
        site.purpose = HM_FOR_PROBE;
        start_probe(d, &site);
        return true;
    }
    if ((call->phase == HM_CALL_READY || (call->phase == HM_CALL_WAITING && due)) && *room > 0 && !late) {
        size_t before = d->events->count;
        *ret_halt = !start_call(d, &site);
        (*room)--;
        return d->events->count > before;
    }
    return false;
}

bool hm_decide_calls(struct hm_deciding *d, int index)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_step_state *state = &d->run->steps[index];
    struct hm_progress progress;
    bool moved = false;
    bool halt = false;

    hm_step_progress(state, &progress);
    bool give_up = progress.failed > 0 && step->on_error != HM_ON_ERROR_CONTINUE && !step->not_found_ok;
    size_t busy = progress.flying + progress.unknown;
    unsigned room = busy < step->parallel ? step->parallel - (unsigned)busy : 0;
    if (give_up)
        room = 0;
    for (size_t i = 0; i < state->n_calls && !halt; i++)
        moved = move_call(d, index, (int)i, &room, &halt) || moved;
    if (moved || halt)
        return true;
    if (give_up && busy == 0 && progress.ok + progress.failed < progress.total) {
        for (size_t i = 0; i < state->n_calls; i++) { /* the rest is not begun, and says so */
            struct site site = site_of(d->run, index, (int)i, HM_FOR_STEP);
            if (site.call->phase == HM_CALL_READY || site.call->phase == HM_CALL_WAITING)
                emit_failed(d, &site, "not-sent", "not sent, because an earlier item failed");
        }
        return true;
    }
    if (progress.ok < progress.total)
        return false;

    struct site verify = site_of(d->run, index, 0, HM_FOR_VERIFY);
    bool due = verify.call->phase == HM_CALL_WAITING && verify.call->again_ms <= d->env->now_ms;
    if (due || verify_wanted(d, step, state)) {
        (void)start_call(d, &verify);
        return true;
    }
    return false;
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

/* What the answer says; out is filled either way. */
static enum hm_verdict judge(struct hm_deciding *d, const struct site *site, const struct hm_action *action,
                             const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_call *call = site->call;
    const json_t *args = site->purpose == HM_FOR_PROBE ? call->probe_args : call->args;
    const struct hm_backend *backend = d->env->backend(d->env->arg, call->backend != NULL ? call->backend : "");

    if (answer->transport == HM_TRANSPORT_ANSWER) {
        if (backend != NULL)
            return action->response(backend, args, call->cursor, answer, out);
        (void)hm_err_set(&out->err, HM_EENV, "backend \"%s\" was removed from the configuration while the request was under way",
                         call->backend);
        return HM_VERDICT_MAYBE;
    }
    (void)hm_err_set(&out->err, HM_EIO, "%s", answer->problem);
    return answer->transport == HM_TRANSPORT_NOT_SENT ? HM_VERDICT_RETRYABLE : HM_VERDICT_MAYBE;
}

static int64_t wait_before(const struct site *site, int64_t wish_ms)
{
    int64_t wait = site->step->retry_wait_ms > 0 ? site->step->retry_wait_ms : DEFAULT_WAIT_MS;
    for (unsigned i = 1; i < site->call->attempts && wait < MAX_WAIT_MS; i++)
        wait *= 2;
    if (wait > MAX_WAIT_MS)
        wait = MAX_WAIT_MS;
    return wish_ms > wait ? wish_ms : wait;
}

static unsigned tries_allowed(const struct site *site, bool nobody_knows)
{
    bool repeatable = !is_effect(site) || (nobody_knows && site->step->effect == HM_EFFECT_IDEMPOTENT);
    return repeatable && site->step->tries < MIN_TRIES ? MIN_TRIES : site->step->tries;
}

/* A call that goes on later: retry, poll or page. error NULL = nothing went wrong. */
static void emit_again(struct hm_deciding *d, const struct site *site, const char *verdict, const char *error, int64_t again_ms)
{
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", verdict);
    if (error != NULL)
        hm_json_set_str(data, "error", error);
    hm_json_set_int(data, "again", again_ms);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

static void emit_page(struct hm_deciding *d, const struct site *site, json_t *cursor)
{
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", hm_verdict_name(HM_VERDICT_MORE));
    hm_json_set(data, "cursor", json_incref(cursor));
    hm_json_set_int(data, "again", d->env->now_ms);
    if (site->call->denied > 0)
        hm_json_set_int(data, "denied", site->call->denied);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

static void emit_ok(struct hm_deciding *d, const struct site *site, json_t *result, int64_t duration_ms)
{
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", hm_verdict_name(HM_VERDICT_OK));
    hm_json_set(data, "result", result != NULL ? json_incref(result) : hm_json_obj_new());
    hm_json_set_int(data, "duration", duration_ms);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

/* A condition over the run's scope with `name` set to the result. */
static bool holds_with(struct hm_deciding *d, const struct hm_expr *expr, const char *name, json_t *result, struct hm_err *err)
{
    bool holds = false;
    json_t *scope = hm_run_scope_new(d->run, d->env);
    hm_json_set(scope, name, result != NULL ? json_incref(result) : json_null());
    enum hm_code code = hm_expr_true(expr, scope, &holds, err);
    json_decref(scope);
    return code == HM_OK && holds;
}

/* Poll again, or give up when the time is over. */
static void emit_poll(struct hm_deciding *d, const struct site *site, json_t *result, int64_t every_ms, int64_t within_ms)
{
    int64_t again = d->env->now_ms + every_ms;
    bool over = again > site->call->started_ms + within_ms;
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", over ? "not-yet" : "ok");
    if (over) {
        hm_json_set(data, "result", result != NULL ? json_incref(result) : hm_json_obj_new());
        hm_json_set_str(data, "code", "not-yet");
        hm_json_set_str(data, "error", "it did not come about in time");
    } else {
        hm_json_set_int(data, "again", again);
    }
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

static void answer_ok(struct hm_deciding *d, const struct site *site, json_t *result, int64_t duration_ms)
{
    struct hm_err err = {0};
    const struct hm_step *step = site->step;
    if (site->purpose == HM_FOR_VERIFY) {
        if (holds_with(d, step->verify.expect, "verify", result, &err))
            emit_ok(d, site, result, duration_ms);
        else if (err.code != HM_OK)
            emit_failed(d, site, "permanent", err.msg);
        else
            emit_poll(d, site, result, step->verify.every_ms, step->verify.within_ms);
    } else if (step->until == NULL || holds_with(d, step->until, step->id, result, &err)) {
        emit_ok(d, site, result, duration_ms);
    } else if (err.code != HM_OK) {
        emit_failed(d, site, "permanent", err.msg);
    } else {
        emit_poll(d, site, result, step->until_every_ms, step->until_within_ms);
    }
}

static void emit_unknown(struct hm_deciding *d, const struct site *site, const char *error)
{
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "error", error);
    hm_emit(d, HM_EV_CALL_UNKNOWN, data);
}

static void answer_bad(struct hm_deciding *d, const struct site *site, enum hm_verdict verdict, const struct hm_outcome *out)
{
    bool nobody_knows = verdict == HM_VERDICT_MAYBE;
    bool has_probe = site->step->call.action->probe_action != NULL;
    if (nobody_knows && is_effect(site) && (site->step->effect == HM_EFFECT_ONCE || has_probe)) {
        emit_unknown(d, site, out->err.msg);
        return;
    }
    bool repeat = (verdict == HM_VERDICT_RETRYABLE || nobody_knows) && site->call->attempts < tries_allowed(site, nobody_knows);
    if (repeat)
        emit_again(d, site, hm_verdict_name(verdict), out->err.msg, d->env->now_ms + wait_before(site, out->wait_ms));
    else
        emit_failed(d, site, nobody_knows && is_effect(site) ? "unknown-outcome" : hm_verdict_name(verdict), out->err.msg);
}

/* ---- probes ---------------------------------------------------------------------------------------------------------- */

static void emit_probe_again(struct hm_deciding *d, const struct site *site, unsigned denied, int64_t again_ms)
{
    json_t *data = call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", denied > 0 ? "ok" : "retryable");
    hm_json_set_str(data, "error", site->call->error);
    hm_json_set_int(data, "denied", denied);
    hm_json_set_int(data, "again", again_ms);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

/* It has provably not happened. An idempotent request is sent again; a `once` never is, without a person. */
static void not_applied(struct hm_deciding *d, const struct site *site)
{
    if (site->call->denied + 1 < DENIALS_NEEDED) {
        emit_probe_again(d, site, site->call->denied + 1, d->env->now_ms + PROBE_WAIT_MS);
        return;
    }
    if (site->step->effect == HM_EFFECT_IDEMPOTENT && site->call->sent < 4 * MIN_TRIES) {
        json_t *data = hm_step_data_new(d->run, site->index);
        hm_json_set_int(data, "item", site->item);
        hm_json_set_bool(data, "applied", false);
        hm_json_set_bool(data, "resend", true);
        hm_json_set_str(data, "by", "probe");
        hm_emit(d, HM_EV_CALL_SETTLED, data);
        return;
    }
    char *error = hm_xasprintf("%s Looked afterwards: it has not happened.", site->call->error != NULL ? site->call->error : "");
    emit_settled(d, site, false, "probe", error);
    free(error);
}

static void answer_probe(struct hm_deciding *d, const struct site *site, const struct hm_answer *answer)
{
    const struct hm_action *action = site->step->call.action;
    const struct hm_action *probe = hm_action_find(action->probe_action);
    struct hm_outcome out = {0};
    enum hm_verdict verdict = judge(d, site, probe, answer, &out);

    if (verdict == HM_VERDICT_MORE) {
        emit_page(d, site, out.cursor);
    } else if ((verdict == HM_VERDICT_RETRYABLE || verdict == HM_VERDICT_MAYBE) && site->call->attempts < 2 * MIN_TRIES) {
        emit_probe_again(d, site, site->call->denied, d->env->now_ms + PROBE_WAIT_MS);
    } else {
        switch (action->probe_judge(site->call->args, verdict, out.result)) {
        case HM_PROBE_APPLIED:
            emit_settled(d, site, true, "probe", NULL);
            break;
        case HM_PROBE_NOT_APPLIED:
            not_applied(d, site);
            break;
        case HM_PROBE_CANNOT_TELL:
            emit_asked(d, site, site->call->error != NULL ? site->call->error : "");
            break;
        }
    }
    json_decref(out.result);
    json_decref(out.cursor);
}

/* ---------------------------------------------------------------------------------------------------------------------- */

/* The call that the ticket names, if that very request is still under way. */
static bool find_site(const struct hm_run *run, const struct hm_ticket *ticket, struct site *ret_site)
{
    if (ticket->step < 0 || ticket->step >= (int)run->recipe->n_steps)
        return false;
    const struct hm_step_state *state = &run->steps[ticket->step];
    if (ticket->purpose != HM_FOR_VERIFY && (ticket->item < 0 || (size_t)ticket->item >= state->n_calls))
        return false;
    *ret_site = site_of(run, ticket->step, ticket->item, ticket->purpose);
    enum hm_call_phase wanted = ticket->purpose == HM_FOR_PROBE ? HM_CALL_PROBING : HM_CALL_FLYING;
    return ret_site->call->phase == wanted && ret_site->call->seq == ticket->seq;
}

void hm_decide_answer(struct hm_deciding *d, const struct hm_input *in)
{
    struct site site;
    if (!find_site(d->run, &in->ticket, &site))
        return; /* late or doubled: somebody has decided already */
    if (site.purpose == HM_FOR_PROBE) {
        answer_probe(d, &site, in->answer);
        return;
    }

    const struct hm_action *action = site.purpose == HM_FOR_VERIFY ? site.step->verify.call.action : site.step->call.action;
    struct hm_outcome out = {0};
    enum hm_verdict verdict = judge(d, &site, action, in->answer, &out);
    switch (verdict) {
    case HM_VERDICT_OK:
        answer_ok(d, &site, out.result, in->duration_ms);
        break;
    case HM_VERDICT_MORE:
        emit_page(d, &site, out.cursor);
        break;
    case HM_VERDICT_RETRYABLE:
    case HM_VERDICT_PERMANENT:
    case HM_VERDICT_NOT_FOUND:
    case HM_VERDICT_MAYBE:
    case HM_VERDICT_NR:
        answer_bad(d, &site, verdict, &out);
        break;
    }
    json_decref(out.result);
    json_decref(out.cursor);
}

static void lose_call(struct hm_deciding *d, struct site *site)
{
    static const char lost[] = "hausmeister was restarted while the request was under way";
    if (site->call->phase == HM_CALL_PROBING) {
        site->purpose = HM_FOR_PROBE;
        emit_probe_again(d, site, site->call->denied, d->env->now_ms);
    } else if (site->call->phase == HM_CALL_FLYING) {
        bool settle = is_effect(site) && (site->step->effect == HM_EFFECT_ONCE || site->step->call.action->probe_action != NULL);
        if (settle)
            emit_unknown(d, site, lost);
        else
            emit_again(d, site, "lost", site->call->cursor == NULL ? lost : NULL, d->env->now_ms);
    }
}

void hm_decide_lost(struct hm_deciding *d)
{
    for (size_t s = 0; s < d->run->recipe->n_steps; s++) {
        const struct hm_step_state *state = &d->run->steps[s];
        if (state->phase != HM_PHASE_ACTIVE)
            continue;
        for (size_t i = 0; i < state->n_calls; i++) {
            struct site site = site_of(d->run, (int)s, (int)i, HM_FOR_STEP);
            lose_call(d, &site);
        }
        struct site verify = site_of(d->run, (int)s, 0, HM_FOR_VERIFY);
        lose_call(d, &verify);
    }
}
