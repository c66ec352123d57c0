/* Gates and the writes behind them, read from the journal's rows alone, with the story's own knowledge of who may what. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"

void gate_view(const struct book_run *run, size_t n, const char *step, struct gate_view *ret)
{
    *ret = (struct gate_view){0};
    for (size_t i = 0; i < n; i++) {
        const struct hm_event *e = &run->rows[i].event;
        if (e->type == HM_EV_RUN_REPLANNED)
            *ret = (struct gate_view){0};
        if (e->type == HM_EV_RUN_REOPENED)
            ret->closed = true; /* what failed is approved anew */
        if (!hm_streq(hm_json_get_str(e->data, "step", ""), step))
            continue;
        if (e->type == HM_EV_GATE_OPENED)
            *ret = (struct gate_view){.opened = e->data, .opened_ms = e->at_ms};
        else if (e->type == HM_EV_GATE_VOTE && ret->n_votes < GATE_VOTES) {
            ret->votes[ret->n_votes] = e->data;
            ret->vote_ms[ret->n_votes++] = e->at_ms;
        } else if (e->type == HM_EV_GATE_APPROVED)
            ret->approved = true;
        else if (e->type == HM_EV_GATE_REJECTED || e->type == HM_EV_GATE_EXPIRED || e->type == HM_EV_GATE_VOIDED)
            ret->closed = true;
    }
}

static const struct hm_step *step_by_id(const struct book_run *run, const char *id)
{
    const struct hm_recipe *recipe = run->state->recipe;
    for (size_t i = 0; i < recipe->n_steps; i++)
        if (strcmp(recipe->steps[i].id, id) == 0)
            return &recipe->steps[i];
    sim_fail("journal-folds", "%s names a step %s that its recipe does not have", run->id, id);
}

/* One vote: by the right person, in time, for these buttons, with what had to be typed. */
static void check_vote(const struct book_run *run, const struct hm_step *step, const struct gate_view *gate, size_t index)
{
    const json_t *vote = gate->votes[index];
    const char *user = hm_json_get_str(vote, "user", "");
    bool glass = hm_json_get_bool(vote, "glass", false);
    const char *typed = hm_json_get_str(gate->opened, "typed", NULL);
    if (!sim_is_entitled(user))
        sim_fail("gates-decide-once", "%s: the vote of %s counts, who may not", run->id, user);
    if (hm_streq(user, run->state->requester) && !step->self && !glass)
        sim_fail("gates-decide-once", "%s: %s approves what he asked for himself", run->id, user);
    if (glass && (!step->break_glass || hm_json_get_str(vote, "reason", "")[0] == '\0'))
        sim_fail("gates-decide-once", "%s: %s goes on alone without the right or a reason", run->id, user);
    if (gate->vote_ms[index] >= hm_json_get_int(gate->opened, "expires", 0))
        sim_fail("gates-decide-once", "%s: %s approves after the gate had expired", run->id, user);
    if (!hm_streq(hm_json_get_str(vote, "nonce", ""), hm_json_get_str(gate->opened, "nonce", "-")))
        sim_fail("gates-decide-once", "%s: a vote with old buttons counts", run->id);
    if (typed != NULL && !glass && !hm_streq(hm_json_get_str(vote, "typed", ""), typed))
        sim_fail("gates-decide-once", "%s: %s did not type what the gate asks for", run->id, user);
    for (size_t i = 0; i < index; i++)
        if (hm_streq(hm_json_get_str(gate->votes[i], "user", ""), user))
            sim_fail("gates-decide-once", "%s: %s counts twice", run->id, user);
}

static bool has_enough(const struct hm_step *step, const struct gate_view *gate)
{
    bool glass = false;
    for (size_t i = 0; i < gate->n_votes; i++)
        glass = glass || hm_json_get_bool(gate->votes[i], "glass", false);
    return glass || gate->n_votes >= step->need;
}

void check_gate_row(const struct book_run *run, size_t n)
{
    const struct hm_event *e = &run->rows[n - 1].event;
    const char *id = hm_json_get_str(e->data, "step", "");
    const struct hm_step *step = step_by_id(run, id);
    struct gate_view before;
    struct gate_view now;
    gate_view(run, n - 1, id, &before);
    gate_view(run, n, id, &now);
    if (e->type == HM_EV_GATE_OPENED || e->type == HM_EV_GATE_VOIDED)
        return;
    if (before.opened == NULL || before.closed || before.approved)
        sim_fail("gates-decide-once", "%s: %s of a gate that is not open", run->id, hm_event_name(e->type));
    if (e->type == HM_EV_GATE_VOTE)
        check_vote(run, step, &now, now.n_votes - 1);
    if (e->type == HM_EV_GATE_APPROVED && !has_enough(step, &before))
        sim_fail("gates-decide-once", "%s: approved by %zu of %u", run->id, before.n_votes, step->need);
    if (e->type == HM_EV_GATE_APPROVED &&
        !hm_streq(hm_json_get_str(e->data, "digest", ""), hm_json_get_str(before.opened, "digest", "-")))
        sim_fail("gates-decide-once", "%s: another plan is approved than was shown", run->id);
    if (e->type == HM_EV_GATE_EXPIRED && e->at_ms < hm_json_get_int(before.opened, "expires", 0))
        sim_fail("gates-decide-once", "%s: a gate expires before its time", run->id);
    if (e->type == HM_EV_GATE_REJECTED) {
        const char *user = hm_json_get_str(e->data, "user", "");
        if (!sim_is_entitled(user) && !hm_streq(user, run->state->requester))
            sim_fail("gates-decide-once", "%s: %s rejects, who may not", run->id, user);
    }
}

/* Is exactly this request in the plan? */
static bool is_planned(const json_t *opened, const char *step, int item, const char *digest)
{
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(json_object_get(opened, "plan"), i, entry)
    {
        if (hm_streq(hm_json_get_str(entry, "step", ""), step) && hm_json_get_int(entry, "item", -1) == item &&
            hm_streq(hm_json_get_str(entry, "digest", ""), digest))
            return true;
    }
    return false;
}

void check_approval(const struct book_run *run, size_t n, const struct hm_step *step, int item, const char *digest)
{
    struct gate_view gate;
    const struct hm_recipe *recipe = run->state->recipe;
    if (recipe->ungated != NULL)
        return;
    if (step->gate < 0)
        sim_fail("effects-approved", "%s writes in step %s, which no gate guards", run->id, step->id);
    const struct hm_step *guard = &recipe->steps[step->gate];
    gate_view(run, n, guard->id, &gate);
    if (gate.opened == NULL || !gate.approved || gate.closed)
        sim_fail("effects-approved", "%s writes in step %s without an approval in the journal", run->id, step->id);
    if (!is_planned(gate.opened, step->id, item, digest))
        sim_fail("effects-approved", "%s writes item %d of step %s: that request was not in the plan", run->id, item, step->id);
    for (size_t i = 0; i < gate.n_votes; i++)
        check_vote(run, guard, &gate, i);
    if (!has_enough(guard, &gate))
        sim_fail("effects-approved", "%s writes with %zu of %u approvals", run->id, gate.n_votes, guard->need);
}
