/* decide, the answers: what came back, or did not, and what follows from it. See decide.h and the drawing in state.h; the
 * requests are started in decide_calls.c, whose top has the table of what is repeated under which effect. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/result.h"
#include "run/decide_parts.h"

enum {
    MIN_TRIES = 3,          /* for what may be repeated at all */
    DEFAULT_WAIT_MS = 1000, /* doubles from try to try */
    MAX_WAIT_MS = 60000,
    PROBE_WAIT_MS = 3000,      /* between two probes; doubles while a `once` request is waited for */
    MAX_PROBE_WAIT_MS = 30000, /* up to this */
    DENIALS_NEEDED = 2,        /* probes in a row that must say "not applied": a slow server may still be at it */
};

/* A probe has seen it. */
static void emit_seen(struct hm_deciding *d, const struct hm_site *site)
{
    json_t *data = hm_step_data_new(d->run, site->index);
    hm_json_set_int(data, "item", site->item);
    hm_json_set_bool(data, "applied", true);
    hm_json_set_str(data, "by", "probe");
    hm_emit(d, HM_EV_CALL_SETTLED, data);
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

/* What the answer says; out is filled either way. */
static enum hm_verdict judge(struct hm_deciding *d, const struct hm_site *site, const struct hm_action *action,
                             const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_call *call = site->call;
    const json_t *args = site->purpose == HM_FOR_PROBE ? call->probe_args : call->args;
    const struct hm_backend *backend = d->env->backend(d->env->arg, call->backend != NULL ? call->backend : "");

    if (answer->transport == HM_TRANSPORT_ANSWER) {
        if (backend != NULL)
            return hm_action_response(action, backend, args, call->cursor, answer, out);
        (void)hm_err_set(&out->err, HM_EENV, "backend \"%s\" was removed from the configuration while the request was under way",
                         call->backend);
        return HM_VERDICT_MAYBE;
    }
    (void)hm_err_set(&out->err, HM_EIO, "%s", answer->problem);
    return answer->transport == HM_TRANSPORT_NOT_SENT ? HM_VERDICT_RETRYABLE : HM_VERDICT_MAYBE;
}

/* Up to a quarter of the wait more, so that many calls that failed together do not come back together. Out of the nonce, which a
 * test and the simulation own. */
static int64_t jitter(struct hm_deciding *d, int64_t wait)
{
    char nonce[17];
    uint64_t n = 0;
    d->env->nonce(d->env->arg, nonce);
    for (const char *c = nonce; *c != '\0'; c++)
        n = n * 31 + (unsigned char)*c;
    return (int64_t)(n % (uint64_t)(wait / 4 + 1));
}

/* Doubles from try to try; never before the time the backend wished for. */
static int64_t wait_before(struct hm_deciding *d, const struct hm_site *site, int64_t wish_ms)
{
    int64_t wait = site->step->retry_wait_ms > 0 ? site->step->retry_wait_ms : DEFAULT_WAIT_MS;
    int64_t most = wait > MAX_WAIT_MS ? wait : MAX_WAIT_MS;
    for (unsigned i = 1; i < site->call->attempts && wait < most; i++)
        wait *= 2;
    if (wait > most)
        wait = most;
    wait += jitter(d, wait);
    return wish_ms > wait ? wish_ms : wait;
}

static unsigned tries_allowed(const struct hm_site *site, bool nobody_knows)
{
    bool repeatable = !hm_is_effect(site) || (nobody_knows && site->step->effect == HM_EFFECT_IDEMPOTENT);
    return repeatable && site->step->tries < MIN_TRIES ? MIN_TRIES : site->step->tries;
}

/* A call that goes on later: retry, poll or page. error NULL = nothing went wrong. */
static void emit_again(struct hm_deciding *d, const struct hm_site *site, const char *verdict, const char *error,
                       int64_t again_ms)
{
    json_t *data = hm_call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", verdict);
    if (error != NULL)
        hm_json_set_str(data, "error", error);
    hm_json_set_int(data, "again", again_ms);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

/* wait_ms: before the next request; what a backend still works at is asked for again, not at once. */
static void emit_page(struct hm_deciding *d, const struct hm_site *site, json_t *cursor, int64_t wait_ms)
{
    json_t *data = hm_call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", hm_verdict_name(HM_VERDICT_MORE));
    hm_json_set(data, "cursor", json_incref(cursor));
    hm_json_set_int(data, "again", d->env->now_ms + (wait_ms > 0 ? wait_ms : 0));
    if (site->call->denied > 0)
        hm_json_set_int(data, "denied", site->call->denied);
    if (site->purpose == HM_FOR_PROBE) /* why it is looked for at all */
        hm_json_set_str(data, "error", site->call->error);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

static void emit_ok(struct hm_deciding *d, const struct hm_site *site, json_t *result, int64_t duration_ms)
{
    json_t *data = hm_call_data_new(d->run, site);
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
static void emit_poll(struct hm_deciding *d, const struct hm_site *site, json_t *result, int64_t every_ms, int64_t within_ms)
{
    int64_t again = d->env->now_ms + every_ms;
    bool over = again > site->call->started_ms + within_ms;
    json_t *data = hm_call_data_new(d->run, site);
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

static void answer_ok(struct hm_deciding *d, const struct hm_site *site, json_t *result, int64_t duration_ms)
{
    struct hm_err err = {0};
    const struct hm_step *step = site->step;
    if (site->purpose == HM_FOR_VERIFY) {
        if (holds_with(d, step->verify.expect, "verify", result, &err))
            emit_ok(d, site, result, duration_ms);
        else if (err.code != HM_OK)
            hm_emit_call_failed(d, site, "permanent", err.msg);
        else
            emit_poll(d, site, result, step->verify.every_ms, step->verify.within_ms);
    } else if (step->until == NULL || holds_with(d, step->until, step->id, result, &err)) {
        emit_ok(d, site, result, duration_ms);
    } else if (err.code != HM_OK) {
        hm_emit_call_failed(d, site, "permanent", err.msg);
    } else {
        emit_poll(d, site, result, step->until_every_ms, step->until_within_ms);
    }
}

/* How long it may still come about: as the backend that was asked is configured, or as the action says. */
static int64_t settle_ms(struct hm_deciding *d, const struct hm_site *site)
{
    const char *name = site->call->backend != NULL ? site->call->backend : "";
    const struct hm_backend *backend = d->env->backend(d->env->arg, name);
    int64_t own = site->step->call.action->settle_ms > 0 ? site->step->call.action->settle_ms : HM_SETTLE_DEFAULT_MS;
    return backend != NULL && backend->settle_ms > 0 ? backend->settle_ms : own;
}

static void emit_unknown(struct hm_deciding *d, const struct hm_site *site, const char *error)
{
    json_t *data = hm_call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "error", error);
    hm_json_set_int(data, "settle", settle_ms(d, site));
    hm_emit(d, HM_EV_CALL_UNKNOWN, data);
}

static void answer_bad(struct hm_deciding *d, const struct hm_site *site, enum hm_verdict verdict, const struct hm_outcome *out)
{
    bool nobody_knows = verdict == HM_VERDICT_MAYBE;
    bool has_probe = site->step->call.action->probe_action != NULL;
    if (nobody_knows && hm_is_effect(site) && (site->step->effect == HM_EFFECT_ONCE || has_probe)) {
        emit_unknown(d, site, out->err.msg);
        return;
    }
    bool repeat = (verdict == HM_VERDICT_RETRYABLE || nobody_knows) && site->call->attempts < tries_allowed(site, nobody_knows);
    if (repeat)
        emit_again(d, site, hm_verdict_name(verdict), out->err.msg, d->env->now_ms + wait_before(d, site, out->wait_ms));
    else
        hm_emit_call_failed(d, site, nobody_knows && hm_is_effect(site) ? "unknown-outcome" : hm_verdict_name(verdict),
                            out->err.msg);
}

/* ---- probes ---------------------------------------------------------------------------------------------------------- */

static void emit_probe_again(struct hm_deciding *d, const struct hm_site *site, unsigned denied, int64_t again_ms)
{
    json_t *data = hm_call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", denied > 0 ? "ok" : "retryable");
    hm_json_set_str(data, "error", site->call->error);
    hm_json_set_int(data, "denied", denied);
    hm_json_set_int(data, "again", again_ms);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

/* Looks, their pages and what was refused in between do not count. */
static unsigned resends_allowed(const struct hm_site *site)
{
    return site->step->tries > MIN_TRIES ? site->step->tries : MIN_TRIES;
}

/* When to look again for what is not seen yet: soon at first, for the last time when it can not come about any more. */
static int64_t next_look(const struct hm_deciding *d, const struct hm_call *call)
{
    int64_t now = d->env->now_ms, wait = PROBE_WAIT_MS;
    for (unsigned i = 1; i < call->attempts && wait < MAX_PROBE_WAIT_MS; i++)
        wait *= 2;
    if (wait > MAX_PROBE_WAIT_MS)
        wait = MAX_PROBE_WAIT_MS;
    return now < call->settles_ms && now + wait > call->settles_ms ? call->settles_ms : now + wait;
}

/* The last look began when it could not come about any more. An answer that was long on its way tells what was before. */
static bool has_settled(const struct hm_call *call)
{
    return call->looked_ms >= call->settles_ms && call->denied + 1 >= DENIALS_NEEDED;
}

/* Nothing of it is seen: looked again as long as it may come about, then a person is asked. */
static void not_seen(struct hm_deciding *d, const struct hm_site *site)
{
    const char *before = site->call->error != NULL ? site->call->error : "no answer";
    if (!has_settled(site->call)) {
        emit_probe_again(d, site, site->call->denied + 1, next_look(d, site->call));
        return;
    }
    unsigned looks = site->call->denied + 1;
    char *error = hm_xasprintf("%s%s Looked %u %s afterwards: nothing of it is to be seen.", before, hm_full_stop(before), looks,
                               hm_plural(looks, "time", "times"));
    hm_emit_call_asked(d, site, error);
    free(error);
}

/* The thing is as it was before. An idempotent request is sent again, as often as it may be; anything else may still be on its
 * way, and "it has not happened" would be a guess. */
static void not_applied(struct hm_deciding *d, const struct hm_site *site)
{
    if (site->step->effect != HM_EFFECT_IDEMPOTENT || site->call->resent >= resends_allowed(site)) {
        not_seen(d, site);
        return;
    }
    if (site->call->denied + 1 < DENIALS_NEEDED) {
        emit_probe_again(d, site, site->call->denied + 1, d->env->now_ms + PROBE_WAIT_MS);
        return;
    }
    json_t *data = hm_step_data_new(d->run, site->index);
    hm_json_set_int(data, "item", site->item);
    hm_json_set_bool(data, "applied", false);
    hm_json_set_bool(data, "resend", true);
    hm_json_set_str(data, "by", "probe");
    hm_emit(d, HM_EV_CALL_SETTLED, data);
}

/* The look itself failed. */
static void not_looked(struct hm_deciding *d, const struct hm_site *site)
{
    if (site->step->effect == HM_EFFECT_ONCE && d->env->now_ms < site->call->settles_ms)
        emit_probe_again(d, site, site->call->denied, next_look(d, site->call));
    else if (site->call->attempts < 2 * MIN_TRIES)
        emit_probe_again(d, site, site->call->denied, d->env->now_ms + PROBE_WAIT_MS);
    else
        hm_emit_call_asked(d, site, site->call->error != NULL ? site->call->error : "");
}

static void answer_probe(struct hm_deciding *d, const struct hm_site *site, const struct hm_answer *answer)
{
    const struct hm_action *action = site->step->call.action;
    const struct hm_action *probe = hm_action_find(action->probe_action);
    struct hm_outcome out = {0};
    enum hm_verdict verdict = judge(d, site, probe, answer, &out);

    if (verdict == HM_VERDICT_MORE) {
        emit_page(d, site, out.cursor, out.wait_ms);
    } else if (verdict == HM_VERDICT_RETRYABLE || verdict == HM_VERDICT_MAYBE) {
        not_looked(d, site);
    } else {
        switch (action->probe_judge(site->call->args, verdict, out.result)) {
        case HM_PROBE_APPLIED:
            emit_seen(d, site);
            break;
        case HM_PROBE_NOT_APPLIED:
            not_applied(d, site);
            break;
        case HM_PROBE_NOT_YET:
            not_seen(d, site);
            break;
        case HM_PROBE_CANNOT_TELL:
            hm_emit_call_asked(d, site, site->call->error != NULL ? site->call->error : "");
            break;
        }
    }
    json_decref(out.result);
    json_decref(out.cursor);
}

/* ---------------------------------------------------------------------------------------------------------------------- */

/* The call that the ticket names, if that very request is still under way. */
static bool find_site(const struct hm_run *run, const struct hm_ticket *ticket, struct hm_site *ret_site)
{
    if (ticket->step < 0 || ticket->step >= (int)run->recipe->n_steps)
        return false;
    const struct hm_step_state *state = &run->steps[ticket->step];
    if (ticket->purpose != HM_FOR_VERIFY && (ticket->item < 0 || (size_t)ticket->item >= state->n_calls))
        return false;
    *ret_site = hm_site_of(run, ticket->step, ticket->item, ticket->purpose);
    enum hm_call_phase wanted = ticket->purpose == HM_FOR_PROBE ? HM_CALL_PROBING : HM_CALL_FLYING;
    return ret_site->call->phase == wanted && ret_site->call->seq == ticket->seq;
}

void hm_decide_answer(struct hm_deciding *d, const struct hm_input *in)
{
    struct hm_site site;
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
        emit_page(d, &site, out.cursor, out.wait_ms);
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

static void lose_call(struct hm_deciding *d, struct hm_site *site)
{
    static const char lost[] = "hausmeister was restarted while the request was under way";
    if (site->call->phase == HM_CALL_PROBING) {
        site->purpose = HM_FOR_PROBE;
        emit_probe_again(d, site, site->call->denied, d->env->now_ms);
    } else if (site->call->phase == HM_CALL_FLYING) {
        bool settle =
            hm_is_effect(site) && (site->step->effect == HM_EFFECT_ONCE || site->step->call.action->probe_action != NULL);
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
        for (size_t i = 0; i < state->n_busy; i++) {
            struct hm_site site = hm_site_of(d->run, (int)s, state->busy[i], HM_FOR_STEP);
            lose_call(d, &site);
        }
        struct hm_site verify = hm_site_of(d->run, (int)s, 0, HM_FOR_VERIFY);
        lose_call(d, &verify);
    }
}
