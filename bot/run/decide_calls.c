/* decide, the calls: which request is started when, and only if it is the one that was approved. See decide.h and the drawing in
 * state.h; answers are judged in decide_answer.c.
 *
 * Happy path: READY → CALL_STARTED (committed, then sent) → CALL_FINISHED ok. Failure modes, by effect:
 *   read        time-out, reset, 5xx: repeated, up to `retry` (3 tries at least)
 *   idempotent  the same, but the action's probe, if it has one, is asked first: what has happened is not sent again
 *   once        never repeated: the probe may see that it happened, as long as that may still come about (settles_ms); what it
 *               does not see a person settles (CALL_ASKED)
 * Whatever provably was not sent (HM_TRANSPORT_NOT_SENT) or was refused with nothing done may be tried again under any effect. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run/decide_parts.h"

struct hm_site hm_site_of(const struct hm_run *run, int index, int item, enum hm_purpose purpose)
{
    const struct hm_step_state *state = &run->steps[index];
    return (struct hm_site){
        .index = index,
        .item = item,
        .step = &run->recipe->steps[index],
        .state = state,
        .call = purpose == HM_FOR_VERIFY ? &state->verify : &state->calls[item],
        .purpose = purpose,
    };
}

json_t *hm_call_data_new(const struct hm_run *run, const struct hm_site *site)
{
    json_t *data = hm_step_data_new(run, site->index);
    hm_json_set_int(data, "item", site->item);
    hm_json_set_str(data, "purpose", hm_purpose_name(site->purpose));
    return data;
}

bool hm_is_effect(const struct hm_site *site)
{
    return site->purpose == HM_FOR_STEP && site->step->effect != HM_EFFECT_READ;
}

bool hm_effect_under_way(const struct hm_run *run)
{
    static const enum hm_call_phase open[] = {HM_CALL_FLYING, HM_CALL_UNKNOWN, HM_CALL_PROBING, HM_CALL_WAITING_PROBE,
                                              HM_CALL_ASKING};
    for (size_t s = 0; s < run->recipe->n_steps; s++) {
        if (run->recipe->steps[s].effect == HM_EFFECT_READ || run->steps[s].phase != HM_PHASE_ACTIVE)
            continue;
        for (size_t i = 0; i < HM_ARRAY_LEN(open); i++)
            if (run->steps[s].n_in[open[i]] > 0)
                return true;
    }
    return false;
}

/* ---- endings of one call --------------------------------------------------------------------------------------------- */

void hm_emit_call_failed(struct hm_deciding *d, const struct hm_site *site, const char *verdict, const char *error)
{
    json_t *data = hm_call_data_new(d->run, site);
    hm_json_set_int(data, "try", site->call->sent);
    hm_json_set_str(data, "verdict", verdict);
    hm_json_set_str(data, "code", verdict);
    hm_json_set_str(data, "error", error);
    hm_emit(d, HM_EV_CALL_FINISHED, data);
}

void hm_emit_call_asked(struct hm_deciding *d, const struct hm_site *site, const char *error)
{
    char nonce[17];
    struct hm_site main = *site;
    main.purpose = HM_FOR_STEP;
    json_t *data = hm_call_data_new(d->run, &main);
    d->env->nonce(d->env->arg, nonce);
    hm_json_set_str(data, "nonce", nonce);
    hm_json_set_str(data, "error", error);
    hm_emit(d, HM_EV_CALL_ASKED, data);
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
static bool is_approved(const struct hm_deciding *d, const struct hm_site *site, const struct hm_request *req)
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

static void emit_started(struct hm_deciding *d, const struct hm_site *site, const struct hm_rendered *rendered)
{
    char digest[65];
    const struct hm_call *call = site->call;
    json_t *data = hm_call_data_new(d->run, site);
    bool next_page = call->cursor != NULL;
    bool repeat = call->error != NULL && call->phase == HM_CALL_WAITING;
    unsigned attempt = next_page ? call->attempts : repeat ? call->attempts + 1 : 1;
    if (site->purpose == HM_FOR_PROBE && !next_page)
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
static bool start_call(struct hm_deciding *d, const struct hm_site *site)
{
    struct hm_err err = {0};
    struct hm_rendered rendered;
    bool started = true;
    const struct hm_call_spec *spec = site->purpose == HM_FOR_VERIFY ? &site->step->verify.call : &site->step->call;
    json_t *scope = hm_run_scope_new(d->run, d->env);
    json_t *own = hm_plan_item_scope_new(site->step, site->state->items, site->item, scope);

    hm_rendered_init(&rendered);
    if (hm_plan_render(d->env, spec, own, site->call->cursor, &rendered, &err) != HM_OK) {
        if (hm_is_effect(site) && d->run->recipe->ungated == NULL)
            started = hm_decide_still_fits(d, err.msg);
        if (started)
            hm_emit_call_failed(d, site, "permanent", err.msg);
    } else if (hm_is_effect(site) && !is_approved(d, site, &rendered.req)) {
        started = false;
        if (hm_decide_still_fits(d, "What would be sent is no longer what was approved."))
            hm_decide_ask_anew(d, site->step->gate);
    } else {
        emit_started(d, site, &rendered);
    }
    hm_rendered_done(&rendered);
    json_decref(own);
    json_decref(scope);
    return started;
}

/* The probe's own arguments, of the step's and the recipe's context, and in *ret_on the backend that the recipe names for it
 * (NULL = none; the caller frees). NULL with err set. */
static json_t *probe_args_new(struct hm_deciding *d, const struct hm_site *site, char **ret_on, struct hm_err *err)
{
    json_t *scope = hm_run_scope_new(d->run, d->env);
    json_t *own = hm_plan_item_scope_new(site->step, site->state->items, site->item, scope);
    json_t *context = NULL;
    json_t *args = NULL;

    if (site->step->probe != NULL)
        context = hm_args_render_new(site->step->probe, own, err);
    *ret_on = hm_xstrdup_null(hm_json_get_str(context, "on", NULL));
    if (*ret_on != NULL)
        (void)json_object_del(context, "on");
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
static void start_probe(struct hm_deciding *d, const struct hm_site *site)
{
    const struct hm_action *action = site->step->call.action;
    const struct hm_action *probe = action->probe_action != NULL ? hm_action_find(action->probe_action) : NULL;
    struct hm_err err = {0};
    struct hm_rendered rendered;
    char *on = NULL;
    hm_rendered_init(&rendered);

    if (probe != NULL) {
        rendered.args = probe_args_new(d, site, &on, &err);
        rendered.backend = hm_plan_probe_backend(d->env, site->call->backend, probe, on);
    }
    free(on);
    bool ready = probe != NULL && rendered.args != NULL && rendered.backend != NULL &&
                 probe->request(rendered.backend, rendered.args, site->call->cursor, &rendered.req, &err) == HM_OK;
    if (ready)
        emit_started(d, site, &rendered);
    else
        hm_emit_call_asked(d, site, site->call->error != NULL ? site->call->error : "");
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

/* A call that nobody knows the end of is looked into, whatever holds up the others. True when something was decided. */
static bool settle_call(struct hm_deciding *d, int index, int item)
{
    struct hm_site site = hm_site_of(d->run, index, item, HM_FOR_PROBE);
    bool due = site.call->again_ms <= d->env->now_ms;
    if (site.call->phase != HM_CALL_UNKNOWN && !(site.call->phase == HM_CALL_WAITING_PROBE && due))
        return false;
    start_probe(d, &site);
    return true;
}

/* A request whose time has come: true when something was decided. *room: how many fresh ones may still be started. */
static bool move_call(struct hm_deciding *d, int index, int item, unsigned *room, bool *ret_halt)
{
    struct hm_site site = hm_site_of(d->run, index, item, HM_FOR_STEP);
    const struct hm_call *call = site.call;
    bool due = call->again_ms <= d->env->now_ms;
    bool late = d->run->cancel_by != NULL || d->env->now_ms >= d->run->deadline_ms;
    bool held = d->env->held && hm_is_effect(&site);

    bool fresh = call->phase == HM_CALL_READY && *room > 0;
    bool again = call->phase == HM_CALL_WAITING && due && !hm_step_gives_up(d->run, index);
    if ((fresh || again) && !late && !held) {
        size_t before = d->events->count;
        *ret_halt = !start_call(d, &site);
        if (fresh)
            (*room)--;
        return d->events->count > before;
    }
    return false;
}

bool hm_step_gives_up(const struct hm_run *run, int index)
{
    const struct hm_step *step = &run->recipe->steps[index];
    const struct hm_step_state *state = &run->steps[index];
    return state->n_in[HM_CALL_FAILED] > state->n_excused && step->on_error != HM_ON_ERROR_CONTINUE && !step->not_found_ok;
}

/* The rest is not begun, and says so. */
static void give_up_rest(struct hm_deciding *d, int index)
{
    const struct hm_step_state *state = &d->run->steps[index];
    for (size_t i = 0; i < state->n_calls; i++) {
        struct hm_site site = hm_site_of(d->run, index, (int)i, HM_FOR_STEP);
        if (site.call->phase == HM_CALL_READY || site.call->phase == HM_CALL_WAITING)
            hm_emit_call_failed(d, &site, "not-sent", "not sent, because an earlier item failed");
    }
}

/* Those under way first, then fresh ones up to `parallel`; the work is that of the calls that are busy, however many there are.
 */
static bool move_calls(struct hm_deciding *d, int index, bool *ret_halt)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_step_state *state = &d->run->steps[index];
    bool moved = false;
    unsigned room = state->n_busy < step->parallel ? step->parallel - (unsigned)state->n_busy : 0;
    if (hm_step_gives_up(d->run, index))
        room = 0;
    for (size_t i = 0; i < state->n_busy; i++)
        moved = settle_call(d, index, state->busy[i]) || moved;
    for (size_t i = 0; i < state->n_busy && !*ret_halt; i++)
        moved = move_call(d, index, state->busy[i], &room, ret_halt) || moved;
    for (size_t i = state->first_ready; i < state->n_calls && room > 0 && !*ret_halt; i++) {
        unsigned before = room;
        if (state->calls[i].phase != HM_CALL_READY)
            continue;
        moved = move_call(d, index, (int)i, &room, ret_halt) || moved;
        if (room == before) /* held or late: the others are too */
            break;
    }
    return moved;
}

bool hm_decide_calls(struct hm_deciding *d, int index)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    const struct hm_step_state *state = &d->run->steps[index];
    struct hm_progress progress;
    bool halt = false;

    hm_step_progress(state, &progress);
    if (move_calls(d, index, &halt) || halt)
        return true;
    bool under_way = state->n_busy > progress.waiting;
    bool rest = progress.ok + progress.failed < progress.total;
    if (hm_step_gives_up(d->run, index) && step->on_error == HM_ON_ERROR_STOP && !under_way && rest) {
        give_up_rest(d, index);
        return true;
    }
    if (progress.ok < progress.total)
        return false;

    struct hm_site verify = hm_site_of(d->run, index, 0, HM_FOR_VERIFY);
    bool due = verify.call->phase == HM_CALL_WAITING && verify.call->again_ms <= d->env->now_ms;
    if (due || verify_wanted(d, step, state)) {
        (void)start_call(d, &verify);
        return true;
    }
    return false;
}
