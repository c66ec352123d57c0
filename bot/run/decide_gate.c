/* decide, the gates: opening them with their plan, their clicks and their time. See decide.h.
 *
 * Happy path: the gate opens with a plan and its digest → enough people of the right roles vote → approved. Failure modes, each
 * with its own reply: outsiders, people without the role, the requester, a second vote, a wrong typed answer, a closed gate, old
 * buttons; and what would be sent having changed in between: then nothing is approved and the gate is asked anew. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "run/decide_parts.h"

enum {
    PLAN_KEEPS_ALL = 50, /* a longer plan keeps the digests of all requests and the text of the first ones */
    PLAN_KEEPS_FIRST = 20,
};

/* ---- opening --------------------------------------------------------------------------------------------------------- */

static json_t *plan_json_new(const struct hm_run *run, const struct hm_plan *plan)
{
    size_t keep = plan->n_calls <= PLAN_KEEPS_ALL ? plan->n_calls : PLAN_KEEPS_FIRST;
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < plan->n_calls; i++) {
        json_t *entry = hm_step_data_new(run, plan->calls[i].step);
        hm_json_set_int(entry, "item", plan->calls[i].item);
        hm_json_set_str(entry, "digest", plan->calls[i].digest);
        if (i < keep)
            hm_json_set(entry, "request", json_incref(plan->calls[i].request));
        hm_json_add(list, entry);
    }
    return list;
}

/* The text the approver must type, or NULL. False with err set when it can not be said. */
static bool typed_text(const struct hm_step *step, const json_t *scope, char **ret_typed, struct hm_err *err)
{
    bool wanted = step->typed != NULL;
    *ret_typed = NULL;
    if (wanted && step->typed_when != NULL && hm_expr_true(step->typed_when, scope, &wanted, err) != HM_OK)
        return false;
    if (!wanted)
        return true;
    *ret_typed = hm_template_render(step->typed, HM_SINK_PLAIN, scope, err);
    return *ret_typed != NULL;
}

/* A gate over what failed before: the count to type is that of this plan, and the question says that it is not all of it. */
static void say_again(const struct hm_plan *plan, char **typed, char **question)
{
    if (*typed != NULL && (*typed)[0] != '\0' && (*typed)[strspn(*typed, "0123456789")] == '\0') {
        free(*typed);
        *typed = hm_xasprintf("%zu", plan->n_calls);
    }
    char *text = hm_xasprintf("Once more, only for what failed before: *%zu* request%s. It was asked first:\n%s", plan->n_calls,
                              plan->n_calls == 1 ? "" : "s", *question);
    free(*question);
    *question = text;
}

void hm_decide_open_gate(struct hm_deciding *d, int index)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_step_state *state = &d->run->steps[index];
    struct hm_plan plan = {0};
    struct hm_err err = {0};
    char nonce[17];
    char *typed = NULL;
    char *question = NULL;
    json_t *data = NULL;
    json_t *scope = hm_run_scope_new(d->run, d->env);

    if (hm_plan_build(d->run, d->env, index, &plan, &err) != HM_OK || !typed_text(step, scope, &typed, &err)) {
        hm_emit_step_failure(d, index, err.msg);
        goto out;
    }
    if (plan.n_calls == 0) { /* nothing would be sent: nothing to approve */
        hm_emit(d, HM_EV_STEP_SKIPPED, hm_step_data_new(d->run, index));
        goto out;
    }
    question = hm_template_render(step->question, HM_SINK_MRKDWN, scope, &err);
    if (question == NULL) {
        hm_emit_step_failure(d, index, err.msg);
        goto out;
    }
    if (d->run->reopened > 0)
        say_again(&plan, &typed, &question);
    data = hm_step_data_new(d->run, index);
    d->env->nonce(d->env->arg, nonce);
    hm_json_set_str(data, "nonce", nonce);
    hm_json_set_str(data, "digest", plan.digest);
    hm_json_set_str(data, "question", question);
    if (typed != NULL)
        hm_json_set_str(data, "typed", typed);
    if (state->gate.anew != NULL)
        hm_json_set_str(data, "anew", state->gate.anew);
    hm_json_set_int(data, "expires", d->env->now_ms + step->expires_ms);
    hm_json_set(data, "plan", plan_json_new(d->run, &plan));
    hm_emit(d, HM_EV_GATE_OPENED, data);
out:
    free(question);
    free(typed);
    hm_plan_done(&plan);
    json_decref(scope);
}

/* ---- does it still fit? ---------------------------------------------------------------------------------------------- */

static bool same_call(const struct hm_planned *a, const struct hm_planned *b)
{
    return a->step == b->step && a->item == b->item && strcmp(a->digest, b->digest) == 0;
}

/* Every request that the gate still guards is, byte for byte, in the plan that was shown. */
static bool plan_fits(struct hm_deciding *d, int index, struct hm_err *err)
{
    const struct hm_gate *gate = &d->run->steps[index].gate;
    struct hm_plan now = {0};
    size_t at = 0;

    if (hm_plan_build(d->run, d->env, index, &now, err) != HM_OK)
        return false;
    bool fits = d->run->effect_started || now.n_calls == gate->n_plan;
    for (size_t i = 0; i < now.n_calls && fits; i++) {
        while (at < gate->n_plan && !same_call(&gate->plan[at], &now.calls[i]))
            at++;
        fits = at < gate->n_plan;
    }
    hm_plan_done(&now);
    return fits;
}

/* The gate whose plan is still to be carried out, or -1. */
static int gate_in_force(const struct hm_run *run)
{
    for (int i = run->at < (int)run->recipe->n_steps ? run->at : (int)run->recipe->n_steps - 1; i >= 0; i--) {
        const struct hm_gate *gate = &run->steps[i].gate;
        if (run->recipe->steps[i].kind != HM_STEP_APPROVE || gate->nonce[0] == '\0')
            continue;
        return gate->decision == HM_GATE_OPEN || gate->decision == HM_GATE_APPROVED ? i : -1;
    }
    return -1;
}

static void end_changed(struct hm_deciding *d, const char *problem)
{
    char *mrkdwn = hm_mrkdwn_of(problem);
    char *text = hm_xasprintf("The recipe was changed and can not go on with what was given: %s. Nothing was changed.", mrkdwn);
    hm_emit_end(d, HM_RUN_FAILED, text, NULL);
    free(text);
    free(mrkdwn);
}

/* What the recipe as it is now locks for these params, in *ret_lock (NULL = nothing). */
static enum hm_code render_lock(struct hm_deciding *d, const json_t *params, char **ret_lock, struct hm_err *err)
{
    const struct hm_template *template = d->env->current->lock;
    *ret_lock = NULL;
    if (template == NULL)
        return HM_OK;
    json_t *scope = hm_run_scope_new(d->run, d->env);
    (void)json_object_update(scope, hm_unconst(params));
    *ret_lock = hm_template_render(template, HM_SINK_PLAIN, scope, err);
    json_decref(scope);
    return *ret_lock != NULL ? HM_OK : HM_EINVAL;
}

static void emit_replanned(struct hm_deciding *d, json_t *params, const char *lock, const char *why)
{
    struct hm_blocker blocker = {0};
    const struct hm_run_env *env = d->env;
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "sha", env->current->sha256);
    hm_json_set(data, "params", json_incref(params));
    hm_json_set_str(data, "why", why);
    hm_json_set(data, "lock", lock != NULL ? hm_json_str_new(lock) : json_null());
    hm_emit(d, HM_EV_RUN_REPLANNED, data);
    bool other = lock != NULL && !hm_streq(lock, d->run->lock);
    if (other && env->blocked != NULL && env->blocked(env->lock_arg, lock, d->run->id, &blocker))
        hm_emit(d, HM_EV_LOCK_WAITED, hm_blocker_data_new(lock, &blocker));
}

static void replan(struct hm_deciding *d, const char *why)
{
    const struct hm_run *run = d->run;
    struct hm_err err = {0};
    json_t *raw = hm_json_obj_new();
    json_t *scope = hm_run_scope_new(run, d->env);
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(run->params, name, value)
    {
        if (!json_is_null(value))
            hm_json_set(raw, name, json_incref(value));
    }
    json_t *params = hm_params_check_new(d->env->current, raw, scope, NULL, &err);
    char *lock = NULL;
    if (params == NULL || render_lock(d, params, &lock, &err) != HM_OK)
        end_changed(d, err.msg);
    else
        emit_replanned(d, params, lock, why);
    free(lock);
    json_decref(params);
    json_decref(scope);
    json_decref(raw);
}

static void void_gate(struct hm_deciding *d, int index, const char *why)
{
    json_t *data = hm_step_data_new(d->run, index);
    hm_json_set_str(data, "why", why);
    hm_json_set_str(data, "accept", d->env->current->sha256);
    hm_emit(d, HM_EV_GATE_VOIDED, data);
}

bool hm_decide_still_fits(struct hm_deciding *d, const char *why)
{
    const struct hm_run *run = d->run;
    struct hm_err err = {0};
    const char *sha = run->accepted_sha != NULL ? run->accepted_sha : run->recipe->sha256;
    int gate = gate_in_force(run);

    if (d->env->current == NULL) {
        if (!hm_effect_under_way(run))
            hm_emit_end(d, HM_RUN_FAILED,
                        run->effect_started ? "The recipe was removed from the configuration; the rest was not sent."
                                            : "The recipe was removed from the configuration. Nothing was changed.",
                        NULL);
        return false;
    }
    bool same_recipe = strcmp(sha, d->env->current->sha256) == 0;
    if (same_recipe && (gate < 0 || plan_fits(d, gate, &err)))
        return true;
    if (hm_effect_under_way(run))
        return false; /* what is under way comes to its end first; then this is asked again */
    if (!same_recipe)
        why = "The recipe was changed after this had been asked.";
    else if (why == NULL)
        why = err.code != HM_OK ? err.msg : "What would be sent changed after this had been asked.";
    if (!run->effect_started)
        replan(d, why);
    else if (gate >= 0)
        void_gate(d, gate, why);
    else
        return true; /* an ungated recipe, half done: it goes on with the text it began with */
    return false;
}

void hm_decide_ask_anew(struct hm_deciding *d, int gate)
{
    if (gate >= 0 && !hm_effect_under_way(d->run))
        void_gate(d, gate, "There is something to send after all.");
}

/* ---- clicks ---------------------------------------------------------------------------------------------------------- */

/* The approve step whose (newest) buttons bear the nonce, or -1. */
static int gate_by_nonce(const struct hm_run *run, const char *nonce)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (run->steps[i].gate.nonce[0] != '\0' && strcmp(run->steps[i].gate.nonce, nonce) == 0)
            return (int)i;
    return -1;
}

static void reply_decided(struct hm_deciding *d, const struct hm_gate *gate)
{
    const struct hm_vote *last = gate->n_votes > 0 ? &gate->votes[gate->n_votes - 1] : NULL;
    bool stale = gate->decision == HM_GATE_VOIDED || gate->decision == HM_GATE_OPEN;
    enum hm_reply_kind kind = gate->decision == HM_GATE_EXPIRED ? HM_REPLY_EXPIRED : stale ? HM_REPLY_STALE : HM_REPLY_ALREADY;
    hm_reply_with(d, kind, last != NULL ? last->user : "", gate->decided_ms);
    d->reply->decision = gate->decision;
}

static void expire(struct hm_deciding *d, int index)
{
    hm_emit(d, HM_EV_GATE_EXPIRED, hm_step_data_new(d->run, index));
    hm_emit_end(d, HM_RUN_EXPIRED,
                d->run->effect_started ? "Nobody approved in time; the rest was not sent."
                                       : "Nobody approved in time. Nothing was changed.",
                NULL);
}

void hm_decide_gate_time(struct hm_deciding *d)
{
    const struct hm_gate *gate = hm_run_open_gate(d->run);
    if (gate == NULL)
        return;
    if (d->env->now_ms >= gate->expires_ms)
        expire(d, d->run->at);
    else if (d->env->now_ms >= hm_gate_remind_ms(gate))
        hm_emit(d, HM_EV_GATE_REMINDED, hm_step_data_new(d->run, d->run->at));
}

static bool voted_already(const struct hm_gate *gate, const char *user)
{
    for (size_t i = 0; i < gate->n_votes; i++)
        if (strcmp(gate->votes[i].user, user) == 0)
            return true;
    return false;
}

/* The gate's roles that the person has; a new array. */
static json_t *roles_of_new(const struct hm_deciding *d, const struct hm_step *step, const char *user)
{
    json_t *roles = hm_json_arr_new();
    for (char **role = step->by; *role != NULL; role++)
        if (d->env->member(d->env->arg, *role, user) == HM_MEMBER_YES)
            hm_json_add(roles, hm_json_str_new(*role));
    return roles;
}

static json_t *vote_new(const struct hm_deciding *d, int index, const struct hm_input *in)
{
    json_t *data = hm_step_data_new(d->run, index);
    hm_json_set_str(data, "user", in->user);
    hm_json_set_str(data, "nonce", in->nonce);
    if (in->typed != NULL)
        hm_json_set_str(data, "typed", in->typed);
    if (in->reason != NULL)
        hm_json_set_str(data, "reason", in->reason);
    if (in->glass)
        hm_json_set_bool(data, "glass", true);
    return data;
}

static void emit_approved(struct hm_deciding *d, int index, const struct hm_input *in)
{
    const struct hm_gate *gate = &d->run->steps[index].gate;
    json_t *by = hm_json_arr_new();
    json_t *value = hm_json_obj_new();
    json_t *data = hm_step_data_new(d->run, index);
    for (size_t i = 0; i < gate->n_votes; i++)
        hm_json_add(by, hm_json_str_new(gate->votes[i].user));
    hm_json_add(by, hm_json_str_new(in->user));
    hm_json_set(value, "by", by);

    hm_json_set_str(data, "digest", gate->digest);
    hm_emit(d, HM_EV_GATE_APPROVED, data);
    data = hm_step_data_new(d->run, index);
    hm_json_set_bool(data, "ok", true);
    hm_json_set(data, "value", value);
    hm_emit(d, HM_EV_STEP_FINISHED, data);
}

/* Break-glass: the requester alone, with a reason. True when the click may count. */
static bool glass_ok(struct hm_deciding *d, const struct hm_step *step, const struct hm_input *in)
{
    if (!step->break_glass)
        hm_reply_with(d, HM_REPLY_NO_GLASS, in->user, 0);
    else if (in->reason == NULL || in->reason[0] == '\0')
        hm_reply_with(d, HM_REPLY_NEED_REASON, in->user, 0);
    else
        return true;
    return false;
}

/* Who asked, and who leads it now. */
static bool is_own(const struct hm_run *run, const char *user)
{
    return strcmp(user, run->requester) == 0 || hm_streq(run->owner, user);
}

/* Everything about the person and what he typed. */
static bool vote_ok(struct hm_deciding *d, int index, const struct hm_input *in)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_gate *gate = &d->run->steps[index].gate;
    bool outsider = in->user_team != NULL && d->env->team != NULL && strcmp(in->user_team, d->env->team) != 0;

    if (in->glass && !glass_ok(d, step, in))
        return false;
    if (!outsider && !in->glass && !step->self && is_own(d->run, in->user)) {
        hm_reply_with(d, HM_REPLY_OWN, in->user, 0);
        return false;
    }
    if (!hm_may_decide(d, in, step->by))
        return false;
    if (voted_already(gate, in->user)) {
        hm_reply_with(d, HM_REPLY_TWICE, in->user, 0);
        return false;
    }
    if (gate->typed != NULL && !hm_same_trimmed(in->typed, gate->typed)) {
        hm_reply_with(d, in->typed == NULL ? HM_REPLY_NEED_TYPED : HM_REPLY_WRONG_TYPED, in->user, 0);
        hm_reply_typed(d, gate->typed);
        return false;
    }
    return true;
}

/* "a, b": the roles that have not approved yet. */
static void reply_missing(struct hm_deciding *d, const struct hm_step *step, const struct hm_tally *tally)
{
    struct hm_strbuf names;
    hm_strbuf_init(&names, sizeof d->reply->typed - 1);
    for (size_t i = 0; step->by[i] != NULL && i < HM_TALLY_MAX; i++)
        if (tally->filled[i] < step->need)
            hm_strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", step->by[i]);
    hm_reply_typed(d, hm_strbuf_str(&names));
    hm_strbuf_done(&names);
}

static void approve(struct hm_deciding *d, int index, const struct hm_input *in)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_gate *gate = &d->run->steps[index].gate;

    if (!vote_ok(d, index, in))
        return;
    if (!hm_decide_still_fits(d, NULL)) {
        hm_reply_with(d, HM_REPLY_STALE, in->user, 0);
        return;
    }
    struct hm_tally before;
    struct hm_tally tally;
    json_t *roles = roles_of_new(d, step, in->user);
    hm_gate_tally(step, gate, NULL, &before);
    hm_gate_tally(step, gate, roles, &tally);
    if (tally.have == before.have && !in->glass) {
        hm_reply_with(d, HM_REPLY_ROLE_FULL, in->user, 0);
        reply_missing(d, step, &before);
        json_decref(roles);
        return;
    }
    bool enough = in->glass || tally.enough;
    json_t *vote = vote_new(d, index, in);
    if (step->each)
        hm_json_set(vote, "roles", json_incref(roles));
    hm_emit(d, HM_EV_GATE_VOTE, vote);
    if (enough)
        emit_approved(d, index, in);
    hm_reply_with(d, enough ? HM_REPLY_APPROVED : HM_REPLY_VOTED, in->user, d->env->now_ms);
    d->reply->have = tally.have;
    d->reply->need = tally.need;
    if (step->each)
        reply_missing(d, step, &tally);
    json_decref(roles);
}

static void reject(struct hm_deciding *d, int index, const struct hm_input *in)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    bool own = is_own(d->run, in->user); /* taking one's own request back needs no role */
    if (!own && !hm_may_decide(d, in, step->by))
        return;
    hm_emit(d, HM_EV_GATE_REJECTED, vote_new(d, index, in));
    hm_emit_end(d, HM_RUN_REJECTED, d->run->effect_started ? "The rest was not sent." : "Nothing was changed.", in->user);
    hm_reply_with(d, HM_REPLY_REJECTED, in->user, d->env->now_ms);
}

void hm_click_gate(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_run *run = d->run;
    int index = in->nonce != NULL ? gate_by_nonce(run, in->nonce) : -1;
    if (index < 0) {
        hm_reply_late(d);
        return;
    }
    d->reply->step = &run->recipe->steps[index];
    const struct hm_gate *open = hm_run_open_gate(run);
    if (open == NULL || run->at != index) {
        reply_decided(d, &run->steps[index].gate);
        if (d->reply->kind == HM_REPLY_STALE && run->status != HM_RUN_GOING) {
            hm_reply_with(d, HM_REPLY_RUN_OVER, "",
                          run->ended_ms); /* over while the gate was open: its time was up, or cancelled */
            d->reply->status = run->status;
        }
        return;
    }
    if (d->env->now_ms >= open->expires_ms) {
        expire(d, index);
        hm_reply_with(d, HM_REPLY_EXPIRED, "", open->expires_ms);
        return;
    }
    if (in->kind == HM_IN_APPROVE)
        approve(d, index, in);
    else
        reject(d, index, in);
}
