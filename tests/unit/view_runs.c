/* Runs made by hand: see view_runs.h. */
#include "view_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

const int64_t view_t0 = 1795400040000; /* 2026-11-23 02:14:00 UTC */

static const struct hm_action find_action = {.name = "metapod.dataset", .title = "Find a dataset", .effect = HM_EFFECT_READ};
static const struct hm_action retract_action = {
    .name = "metapod.retract-dataset", .title = "Retract a dataset", .effect = HM_EFFECT_ONCE};

struct view_run {
    struct hm_run *run;
    struct hm_recipe recipe;
    struct hm_step steps[4];
    struct hm_param params[2];
    char *names[16];
    size_t n_names;
    char *roles[2];
};

/* A string that the recipe borrows from the fixture. */
static char *name(struct view_run *v, const char *text)
{
    return v->names[v->n_names++] = hm_xstrdup(text);
}

void view_set(char **at, const char *text)
{
    free(*at);
    *at = hm_xstrdup_null(text);
}

struct hm_run *view_run_get(struct view_run *v)
{
    return v->run;
}

struct hm_recipe *view_run_recipe(struct view_run *v)
{
    return &v->recipe;
}

static void make_recipe(struct view_run *v)
{
    v->roles[0] = name(v, "hausmeister");
    v->params[0] = (struct hm_param){.name = name(v, "dataset"), .type = HM_PARAM_UUID, .help = name(v, "id of the dataset")};
    v->params[1] = (struct hm_param){.name = name(v, "transaction"),
                                     .type = HM_PARAM_UUID,
                                     .optional = true,
                                     .help = name(v, "Metapod transaction; the latest one when left out")};
    v->steps[VIEW_FIND] = (struct hm_step){.id = name(v, "find"),
                                           .kind = HM_STEP_DO,
                                           .title = name(v, "Find the dataset"),
                                           .call = {.action = &find_action},
                                           .effect = HM_EFFECT_READ,
                                           .parallel = 1,
                                           .tries = 3,
                                           .gate = -1};
    v->steps[VIEW_GATE] = (struct hm_step){
        .id = name(v, "gate"), .kind = HM_STEP_APPROVE, .by = v->roles, .need = 1, .expires_ms = 900000, .gate = -1};
    v->steps[VIEW_RETRACT] = (struct hm_step){.id = name(v, "retract"),
                                              .kind = HM_STEP_DO,
                                              .call = {.action = &retract_action},
                                              .effect = HM_EFFECT_ONCE,
                                              .parallel = 1,
                                              .tries = 1,
                                              .gate = VIEW_GATE};
    v->steps[VIEW_END] =
        (struct hm_step){.id = name(v, "end"), .kind = HM_STEP_SAY, .title = name(v, "What is left"), .gate = -1};
    v->recipe = (struct hm_recipe){.name = name(v, "retract"),
                                   .title = name(v, "Retract a committed dataset"),
                                   .doc = name(v, "Retracting datasets"),
                                   .who = v->roles,
                                   .params = v->params,
                                   .n_params = 2,
                                   .steps = v->steps,
                                   .n_steps = 4,
                                   .worst = HM_EFFECT_ONCE};
}

struct view_run *view_run_new(void)
{
    struct view_run *v = hm_xcalloc(1, sizeof *v);
    struct hm_run *run = hm_run_new();
    make_recipe(v);
    v->run = run;
    view_set(&run->id, "r-7k2m");
    view_set(&run->requester, "U0ANA");
    view_set(&run->team, "T0SIM");
    view_set(&run->channel, "C0OPS");
    v->recipe.refs = 2; /* never the last one's: it is ours */
    run->recipe = &v->recipe;
    run->params = hm_json_obj_new();
    hm_json_set_str(run->params, "dataset", "5a5d411b-e41a-4a30-ab34-bac476b95761");
    hm_json_set_str(run->params, "transaction", "319703ce-b90d-5a07-8195-33df0de911c8");
    run->given = hm_json_obj_new();
    hm_json_set_bool(run->given, "dataset", true);
    run->started_ms = view_t0;
    run->deadline_ms = view_t0 + 1800000;
    run->steps = hm_xcalloc(v->recipe.n_steps, sizeof run->steps[0]);
    run->seq = 1;
    return v;
}

struct view_run *view_run_bulk_new(size_t items)
{
    struct view_run *v = view_run_new();
    struct hm_step_state *state = &v->run->steps[VIEW_RETRACT];
    v->steps[VIEW_GATE].need = 2;
    v->steps[VIEW_GATE].break_glass = true;
    v->steps[VIEW_RETRACT].effect = HM_EFFECT_IDEMPOTENT;
    v->steps[VIEW_RETRACT].parallel = 10;
    v->recipe.worst = HM_EFFECT_IDEMPOTENT;
    state->items = hm_json_arr_new();
    for (size_t i = 0; i < items; i++) {
        char text[40];
        json_t *item = hm_json_obj_new();
        (void)snprintf(text, sizeof text, "dataset/part-%03zu", i + 1);
        hm_json_set_str(item, "name", text);
        hm_json_add(state->items, item);
    }
    return v;
}

void view_run_free(struct view_run *v)
{
    hm_run_free(v->run);
    for (size_t i = 0; i < v->n_names; i++)
        free(v->names[i]);
    free(v);
}

static void make_calls(struct hm_step_state *state)
{
    if (state->calls != NULL)
        return;
    state->n_calls = state->items != NULL ? json_array_size(state->items) : 1;
    state->calls = hm_xcalloc(state->n_calls, sizeof state->calls[0]);
}

void view_ok(struct view_run *v, int i, int64_t from_s, int64_t to_s)
{
    struct hm_step_state *state = &v->run->steps[i];
    state->phase = HM_PHASE_OK;
    state->started_ms = view_t0 + from_s * 1000;
    state->ended_ms = view_t0 + to_s * 1000;
    v->run->at = i + 1;
    v->run->seq += 2;
    if (v->steps[i].kind != HM_STEP_DO)
        return;
    make_calls(state);
    for (size_t c = 0; c < state->n_calls; c++)
        state->calls[c].phase = HM_CALL_OK;
    hm_step_recount(state);
}

void view_active(struct view_run *v, int i, enum hm_call_phase phase, const char *error)
{
    struct hm_step_state *state = &v->run->steps[i];
    v->run->at = i;
    v->run->seq += 2;
    state->phase = HM_PHASE_ACTIVE;
    state->started_ms = view_t0 + 65000;
    make_calls(state);
    for (size_t c = 0; c < state->n_calls; c++) {
        struct hm_call *call = &state->calls[c];
        call->phase = phase;
        call->attempts = 1;
        call->started_ms = view_t0 + 67000;
        call->again_ms = view_t0 + 72000;
        call->settles_ms = view_t0 + 157000;
        view_set(&call->error, error);
        (void)snprintf(call->nonce, sizeof call->nonce, "%016zx", c + 0xabc);
    }
    hm_step_recount(state);
    v->run->effect_started = v->run->effect_started || v->steps[i].effect != HM_EFFECT_READ;
}

static json_t *request_new(const char *id)
{
    json_t *headers = hm_json_obj_new();
    json_t *request = hm_json_obj_new();
    hm_json_set_str(headers, "content-type", "application/json");
    hm_json_set_str(headers, "x-api-key", "never shown");
    char *url = hm_xasprintf("https://metapod.example.com/api/migrations/retract-dataset/%s", id);
    char *body = hm_xasprintf("{\"id\":\"%s\",\"reason\":\"r-7k2m\"}", id);
    hm_json_set_str(request, "kind", "http");
    hm_json_set_str(request, "method", "POST");
    hm_json_set_str(request, "url", url);
    hm_json_set(request, "headers", headers);
    hm_json_set_str(request, "body", body);
    free(body);
    free(url);
    return request;
}

void view_gate_open(struct view_run *v, size_t keep)
{
    struct hm_step_state *state = &v->run->steps[VIEW_GATE];
    struct hm_gate *gate = &state->gate;
    const json_t *items = v->run->steps[VIEW_RETRACT].items;
    size_t n = items != NULL ? json_array_size(items) : 1;
    state->phase = HM_PHASE_ACTIVE;
    v->run->at = VIEW_GATE;
    v->run->seq++;
    memcpy(gate->nonce, "9f3c2a1b00d4e5f6", 17);
    memset(gate->digest, 'd', 64);
    memcpy(gate->digest, "3f2a9c11d0e4", 12);
    view_set(&gate->question, n == 1 ? "Retract *train/feature-x* of `319703ce`?" : "Retract *318* committed datasets?");
    gate->opened_ms = view_t0 + 2000;
    gate->expires_ms = view_t0 + 902000;
    gate->plan = hm_xcalloc(n, sizeof gate->plan[0]);
    gate->n_plan = n;
    for (size_t i = 0; i < n; i++) {
        char id[64];
        (void)snprintf(id, sizeof id, n == 1 ? "5a5d411b-e41a-4a30-ab34-bac476b95761" : "part-%03zu", i + 1);
        gate->plan[i].step = VIEW_RETRACT;
        gate->plan[i].item = (int)i;
        gate->plan[i].request = i < keep ? request_new(id) : NULL;
    }
}

void view_vote(struct view_run *v, const char *user, bool glass, const char *reason)
{
    struct hm_gate *gate = &v->run->steps[VIEW_GATE].gate;
    gate->votes = hm_xreallocarray(gate->votes, gate->n_votes + 1, sizeof gate->votes[0]);
    gate->votes[gate->n_votes++] = (struct hm_vote){
        .user = hm_xstrdup(user), .at_ms = view_t0 + 60000, .broke_glass = glass, .reason = hm_xstrdup_null(reason)};
    v->run->seq++;
}

void view_gate_decide(struct view_run *v, enum hm_decision decision)
{
    struct hm_gate *gate = &v->run->steps[VIEW_GATE].gate;
    gate->decision = decision;
    gate->decided_ms = view_t0 + 60000;
    if (decision == HM_GATE_APPROVED)
        view_ok(v, VIEW_GATE, 2, 60);
}

void view_over(struct view_run *v, enum hm_run_status status, const char *ending, const char *by)
{
    v->run->status = status;
    v->run->ended_ms = view_t0 + 75000;
    v->run->seq++;
    view_set(&v->run->ending, ending);
    view_set(&v->run->ended_by, by);
}
