/* The rules between steps: gates, names that clash, times that do not fit. See load.h; the names used in expressions are judged
 * in lint_names.c. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "recipe/load.h"

static void add(const struct hm_loader *l, const struct hm_step *step, const char *problem)
{
    hm_diags_add(l->diags, l->recipe->file, step->line, "steps[%s]: %s", step->id != NULL ? step->id : "?", problem);
}

static bool changes_something(const struct hm_step *step)
{
    return step->kind == HM_STEP_DO && step->call.action != NULL && step->effect != HM_EFFECT_READ;
}

/* ---- names that clash -------------------------------------------------------------------------------------------------- */

static bool is_param(const struct hm_recipe *r, const char *name)
{
    for (size_t i = 0; i < r->n_params; i++)
        if (hm_streq(r->params[i].name, name))
            return true;
    return false;
}

/* Index of the step of that id, or n_steps. */
static size_t find_step(const struct hm_recipe *r, const char *id)
{
    size_t i = 0;
    while (i < r->n_steps && !hm_streq(r->steps[i].id, id))
        i++;
    return i;
}

static void lint_ids(const struct hm_loader *l)
{
    const struct hm_recipe *r = l->recipe;
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct hm_step *step = &r->steps[i];
        if (step->id != NULL && find_step(r, step->id) < i)
            add(l, step, "an earlier step has this id too; rename one");
        if (step->id != NULL && is_param(r, step->id))
            add(l, step, "a param has this name too; rename one");
        if (step->as == NULL)
            continue;
        if (is_param(r, step->as) || find_step(r, step->as) < r->n_steps)
            hm_diags_add(l->diags, r->file, step->line, "steps[%s]: as = \"%s\" hides the %s of that name; take another",
                         step->id != NULL ? step->id : "?", step->as, is_param(r, step->as) ? "param" : "step");
    }
}

/* ---- gates ------------------------------------------------------------------------------------------------------------- */

/* True when the gate is passed whenever the step is reached: it always opens, or under the very words that start the step. */
static bool dominates(const struct hm_step *gate, const struct hm_step *step)
{
    if (gate->kind != HM_STEP_APPROVE)
        return false;
    if (gate->when == NULL)
        return true;
    return step->when != NULL && strcmp(hm_expr_text(gate->when), hm_expr_text(step->when)) == 0;
}

static void lint_ungated(const struct hm_loader *l, const struct hm_step *step, size_t index)
{
    const struct hm_step *skipped = NULL;
    for (size_t i = 0; i < index; i++)
        if (l->recipe->steps[i].kind == HM_STEP_APPROVE)
            skipped = &l->recipe->steps[i];
    if (skipped != NULL && skipped->id != NULL)
        hm_diags_add(
            l->diags, l->recipe->file, step->line,
            "steps[%s]: %s changes something (%s), and its gate \"%s\" is passed over when its `when` is false; give both "
            "steps the same `when`",
            step->id != NULL ? step->id : "?", step->call.action->name, hm_effect_name(step->effect), skipped->id);
    else
        hm_diags_add(
            l->diags, l->recipe->file, step->line,
            "steps[%s]: %s changes something (%s), and no approve step comes before it; add one, or say why none is needed "
            "with ungated = \"…\"",
            step->id != NULL ? step->id : "?", step->call.action->name, hm_effect_name(step->effect));
}

/* A step whose action could not be found may change something: then it is too early to say. */
static bool all_known(const struct hm_recipe *r)
{
    for (size_t i = 0; i < r->n_steps; i++)
        if (r->steps[i].kind == HM_STEP_NR || (r->steps[i].kind == HM_STEP_DO && r->steps[i].call.action == NULL))
            return false;
    return true;
}

static void lint_gates(const struct hm_loader *l)
{
    struct hm_recipe *r = l->recipe;
    for (size_t i = 0; i < r->n_steps; i++) {
        struct hm_step *step = &r->steps[i];
        if (!changes_something(step))
            continue;
        for (size_t g = 0; g < i; g++)
            if (dominates(&r->steps[g], step))
                step->gate = (int)g; /* the last one counts */
        if (step->gate < 0 && r->ungated == NULL)
            lint_ungated(l, step, i);
        if (step->effect > r->worst)
            r->worst = step->effect;
    }
    bool known = all_known(r);
    for (size_t g = 0; g < r->n_steps; g++) {
        bool guards = false;
        for (size_t i = g + 1; i < r->n_steps; i++)
            guards = guards || r->steps[i].gate == (int)g;
        if (r->steps[g].kind == HM_STEP_APPROVE && !guards && known)
            add(l, &r->steps[g],
                "this gate guards nothing: no step that changes something depends on it; take it out or move it");
    }
}

/* ---- times ------------------------------------------------------------------------------------------------------------- */

static void check_fits(const struct hm_loader *l, const struct hm_step *step, const char *what, int64_t ms)
{
    char takes[40];
    char has[40];
    if (ms <= l->recipe->timeout_ms)
        return;
    hm_diags_add(l->diags, l->recipe->file, step->line,
                 "steps[%s]: %s may take %s, but the recipe's timeout is %s; shorten the one or lengthen the other",
                 step->id != NULL ? step->id : "?", what, hm_format_duration(ms, takes, sizeof takes),
                 hm_format_duration(l->recipe->timeout_ms, has, sizeof has));
}

static void lint_times(const struct hm_loader *l)
{
    for (size_t i = 0; i < l->recipe->n_steps; i++) {
        const struct hm_step *step = &l->recipe->steps[i];
        check_fits(l, step, "one call (timeout)", step->timeout_ms);
        check_fits(l, step, "retry", step->retry_wait_ms * (int64_t)(step->tries - 1));
        check_fits(l, step, "until", step->until_within_ms);
        check_fits(l, step, "verify", step->verify.within_ms);
        check_fits(l, step, "the gate (expires)", step->expires_ms);
        check_fits(l, step, "the question (expires)", step->ask.expires_ms);
        check_fits(l, step, "the wait for a person (expires)", step->manual_expires_ms);
    }
}

/* ---- looks that are waited for -------------------------------------------------------------------------------------------- */

struct search {
    const char *root;
    bool found;
};

static void find_root(void *arg, const char *root, const char *path)
{
    struct search *search = arg;
    (void)path;
    search->found = search->found || hm_streq(root, search->root);
}

static bool names_root(const struct hm_expr *expr, const char *root)
{
    struct search search = {.root = root};
    hm_expr_paths(expr, find_root, &search);
    return search.found;
}

/* What is read again and again must be what is looked at: all else stays as it was, and the step can only run out of time. */
static void lint_looks(const struct hm_loader *l)
{
    for (size_t i = 0; i < l->recipe->n_steps; i++) {
        const struct hm_step *step = &l->recipe->steps[i];
        if (step->verify.expect != NULL && !names_root(step->verify.expect, "verify"))
            add(l, step, "verify's expect does not look at verify, which is what it reads; write verify.<field>");
        if (step->until != NULL && step->id != NULL && !names_root(step->until, step->id))
            hm_diags_add(l->diags, l->recipe->file, step->line,
                         "steps[%s]: until does not look at what this step reads, so it can not change; write %s.<field>",
                         step->id, step->id);
    }
}

void hm_lint(struct hm_loader *l)
{
    lint_ids(l);
    lint_gates(l);
    lint_times(l);
    if (!l->again)
        lint_looks(l);
    if (l->recipe->ungated != NULL && all_known(l->recipe) && l->recipe->worst == HM_EFFECT_READ)
        hm_diags_add(l->diags, l->recipe->file, 1,
                     "ungated says why nothing is approved, but no step changes anything; take it out");
}
