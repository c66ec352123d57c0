/* Every name in an expression or template must exist where it stands: see load.h. A path that can never have a value would only
 * show at three in the morning. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "handlers/result.h"
#include "recipe/settable.h"
#include "recipe/shape.h"

static void add(const struct hm_loader *l, const struct hm_ref *ref, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(const struct hm_loader *l, const struct hm_ref *ref, const char *fmt, ...)
{
    struct hm_strbuf problem;
    va_list ap;
    hm_strbuf_init(&problem, 1000);
    va_start(ap, fmt);
    hm_strbuf_addv(&problem, fmt, ap);
    va_end(ap);
    hm_diags_add(l->diags, l->recipe->file, ref->line, "%s: %s", ref->where, hm_strbuf_str(&problem));
    hm_strbuf_done(&problem);
}

/* The path behind its first name, "" when there is nothing. */
static const char *rest(const struct hm_ref *ref)
{
    const char *p = ref->path + strlen(ref->root);
    return *p == '.' ? p + 1 : p;
}

static bool is_first(const char *path, const char *word)
{
    size_t len = strlen(word);
    return strncmp(path, word, len) == 0 && (path[len] == '\0' || path[len] == '.');
}

static const struct hm_param *find_param(const struct hm_param *params, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].name != NULL && is_first(path, params[i].name))
            return &params[i];
    return NULL;
}

/* ---- names that the program gives -------------------------------------------------------------------------------------- */

static void lint_run(const struct hm_loader *l, const struct hm_ref *ref)
{
    static const char *const fields[] = {"id", "requester", "channel", "recipe"};
    for (size_t i = 0; i < HM_ARRAY_LEN(fields); i++)
        if (strcmp(rest(ref), fields[i]) == 0)
            return;
    add(l, ref, "there is no %s; run has id, requester, channel and recipe", ref->path);
}

static void lint_given(const struct hm_loader *l, const struct hm_ref *ref)
{
    const struct hm_param *param = find_param(l->recipe->params, l->recipe->n_params, rest(ref));
    if (param == NULL || strcmp(param->name, rest(ref)) != 0)
        add(l, ref, "there is no %s; given holds the params that a person typed, as given.<param>", ref->path);
}

static void lint_known(const struct hm_loader *l, const struct hm_ref *ref)
{
    const char *dot = strchr(rest(ref), '.');
    if (dot == NULL || strchr(dot + 1, '.') != NULL) {
        add(l, ref, "%s is not a remembered value; write known.<key>.<field>", ref->path);
        return;
    }
    if (l->names == NULL || l->names->known == NULL)
        return;
    struct hm_strbuf problem;
    hm_strbuf_init(&problem, 1000);
    if (!hm_settable_ok(l->names->known, ref->path, &problem))
        add(l, ref, "%s", hm_strbuf_str(&problem));
    hm_strbuf_done(&problem);
}

/* environ.FIELD: of the environment that a param names. A field that no environment has would always be null. */
static void lint_environ(const struct hm_loader *l, const struct hm_ref *ref)
{
    bool has_param = false, has_field = l->names == NULL;
    const char *name = NULL;
    const json_t *fields = NULL;
    for (size_t i = 0; i < l->recipe->n_params; i++)
        has_param = has_param || l->recipe->params[i].is_environment;
    if (!has_param) {
        add(l, ref, "environ holds the fields of an environment, and the recipe has no param of that type");
        return;
    }
    if (*rest(ref) == '\0' || strchr(rest(ref), '.') != NULL) {
        add(l, ref, "%s is no field of an environment; write environ.<field>", ref->path);
        return;
    }
    if (l->names != NULL)
        json_object_foreach(hm_unconst(l->names->environments), name, fields) has_field =
            has_field || json_object_get(fields, rest(ref)) != NULL;
    if (!has_field)
        add(l, ref, "there is no environment with the field \"%s\" in the settings", rest(ref));
}

/* ---- params and steps -------------------------------------------------------------------------------------------------- */

static void lint_param(const struct hm_loader *l, const struct hm_ref *ref, const struct hm_param *param)
{
    bool filled = param->fallback != NULL && hm_template_is_literal(param->fallback);
    if (*rest(ref) != '\0')
        add(l, ref, "%s: the param \"%s\" is a plain value without fields", ref->path, param->name);
    else if ((ref->scope & HM_SCOPE_FULL) != 0 && param->optional && !filled)
        add(l, ref, "the param \"%s\" may stay empty, and this text needs a value; use another one", param->name);
}

/* What the first `len` bytes of the path are, for a sentence. */
static void add_subject(const struct hm_loader *l, const struct hm_ref *ref, size_t len, const struct hm_step *step,
                        struct hm_strbuf *out)
{
    bool is_root = len == strlen(ref->root);
    if (is_root && step != NULL && step->kind == HM_STEP_DO && step->foreach == NULL && step->call.action != NULL)
        hm_strbuf_addf(out, "step \"%s\" (%s)", ref->root, step->call.action->name);
    else if (is_root && step != NULL)
        hm_strbuf_addf(out, "step \"%s\"%s", ref->root, step->foreach != NULL ? " (with foreach)" : "");
    else if (is_root && strcmp(ref->root, "verify") == 0)
        hm_strbuf_addf(out, "verify (%s)", l->recipe->steps[ref->step].verify.call.action->name);
    else
        hm_strbuf_addf(out, "\"%.*s\"", (int)len, ref->path);
}

/* The fields of a result, of its lists' items, of what a person has answered; false after a finding. step: what the path begins
 * with; NULL = something else than a step. */
static bool lint_fields(const struct hm_loader *l, const struct hm_ref *ref, const struct hm_step *step)
{
    char meant[120];
    struct hm_shape shape;
    struct hm_suggest s;
    struct hm_strbuf subject;
    struct hm_strbuf names;
    size_t len = 0;
    if (l->again || hm_shape_of(l, ref, ref->path, &shape, &len))
        return true;
    const char *from = ref->path + len + 1;
    char *missed = hm_xstrndup(from, strcspn(from, "."));
    hm_strbuf_init(&subject, 200);
    hm_strbuf_init(&names, 600);
    hm_suggest_init(&s, missed);
    add_subject(l, ref, len, step, &subject);
    hm_shape_names(&shape, &names, &s);
    if (shape.type == HM_FIELD_LIST)
        add(l, ref, "%s is a list and has no field \"%s\"; write %.*s.0.%s for that of its first item", hm_strbuf_str(&subject),
            missed, (int)len, ref->path, missed);
    else if (shape.type != HM_FIELD_OBJECT)
        add(l, ref, "%s is %s and has no field \"%s\"", hm_strbuf_str(&subject),
            shape.plain ? "a plain value" : hm_field_type_text(shape.type), missed);
    else
        add(l, ref, "%s gives no field \"%s\"%s%s %s", hm_strbuf_str(&subject), missed, hm_suggest_text(&s, meant, sizeof meant),
            s.best != NULL ? " It gives:" : "; it gives:", hm_strbuf_str(&names));
    hm_strbuf_done(&names);
    hm_strbuf_done(&subject);
    free(missed);
    return false;
}

/* A name in a step's own `with`, `foreach`, `when` is part of what is approved: it must have its value when the gate opens. */
static bool thaws_plan(const struct hm_loader *l, const struct hm_ref *ref, size_t target)
{
    if ((ref->scope & HM_SCOPE_FROZEN) == 0 || ref->step < 0)
        return false;
    int gate = l->recipe->steps[ref->step].gate;
    return gate >= 0 && target >= (size_t)gate;
}

static void lint_step(const struct hm_loader *l, const struct hm_ref *ref, size_t target)
{
    const struct hm_step *step = &l->recipe->steps[target];
    bool own = ref->step >= 0 && (size_t)ref->step == target;
    if ((ref->scope & HM_SCOPE_STEPS) == 0)
        add(l, ref, "step \"%s\" has no value here: this is made before the first step", step->id);
    else if (own && (ref->scope & HM_SCOPE_OWN) == 0)
        add(l, ref, "step \"%s\" has no value yet here; its until, expect, verify, stop_if and say may use it", step->id);
    else if (!own && target > (size_t)ref->step)
        add(l, ref, "step \"%s\" comes later (line %d); only earlier steps have a value", step->id, step->line);
    else if (step->kind == HM_STEP_SAY || step->kind == HM_STEP_OFFER)
        add(l, ref, "step \"%s\" only says something; it has no value", step->id);
    else if (lint_fields(l, ref, step) && thaws_plan(l, ref, target))
        add(l, ref,
            "\"%s\" gets its value after gate \"%s\" opened, so what would be sent could not be shown there; move step \"%s\" "
            "before the gate or add a gate after it",
            ref->path, l->recipe->steps[l->recipe->steps[ref->step].gate].id, step->id);
}

static void lint_unknown(const struct hm_loader *l, const struct hm_ref *ref)
{
    char meant[120];
    struct hm_suggest s;
    const struct hm_recipe *r = l->recipe;
    hm_suggest_init(&s, ref->root);
    for (size_t i = 0; i < r->n_params; i++)
        hm_suggest_try(&s, r->params[i].name);
    for (size_t i = 0; i < r->n_steps; i++)
        hm_suggest_try(&s, r->steps[i].id);
    if (ref->step >= 0 && (ref->scope & HM_SCOPE_AS) != 0)
        hm_suggest_try(&s, r->steps[ref->step].as);
    hm_suggest_try(&s, "known");
    add(l, ref, "there is no param and no step \"%s\"%s", ref->root, hm_suggest_text(&s, meant, sizeof meant));
}

static void lint_as(const struct hm_loader *l, const struct hm_ref *ref)
{
    if ((ref->scope & HM_SCOPE_AS) == 0)
        add(l, ref, "\"%s\" is one item of foreach; only on, with and probe of the step may use it", ref->root);
    else
        (void)lint_fields(l, ref, NULL);
}

static void lint_ref(const struct hm_loader *l, const struct hm_ref *ref)
{
    const struct hm_recipe *r = l->recipe;
    const struct hm_param *param = find_param(r->params, r->n_params, ref->root);
    size_t target = 0;
    while (target < r->n_steps && !hm_streq(r->steps[target].id, ref->root))
        target++;

    if (strcmp(ref->root, "known") == 0) {
        lint_known(l, ref);
    } else if ((ref->scope & HM_SCOPE_PARAMS) == 0) {
        add(l, ref, "a default can only use known.<key>.<field>, not %s", ref->path);
    } else if ((ref->scope & HM_SCOPE_FORM) != 0 && (strcmp(ref->root, "run") == 0 || strcmp(ref->root, "given") == 0)) {
        add(l, ref, "%s has no value here: a list is read before there is a run; it can use params, environ and known",
            ref->path);
    } else if (strcmp(ref->root, "run") == 0) {
        lint_run(l, ref);
    } else if (strcmp(ref->root, "environ") == 0) {
        lint_environ(l, ref);
    } else if (strcmp(ref->root, "given") == 0) {
        lint_given(l, ref);
    } else if (strcmp(ref->root, "verify") == 0) {
        if ((ref->scope & HM_SCOPE_VERIFY) == 0)
            add(l, ref, "verify has a value only in the expect and say of verify itself");
        else
            (void)lint_fields(l, ref, NULL);
    } else if (strcmp(ref->root, "item") == 0) {
        if ((ref->scope & HM_SCOPE_ITEM) == 0)
            add(l, ref,
                "item has a value only in the label of ask and in a list's value and label; in foreach it has the name that as "
                "gives it");
        else
            (void)lint_fields(l, ref, NULL);
    } else if (param != NULL) {
        lint_param(l, ref, param);
    } else if (target < r->n_steps) {
        lint_step(l, ref, target);
    } else if (ref->step >= 0 && hm_streq(r->steps[ref->step].as, ref->root)) {
        lint_as(l, ref);
    } else {
        lint_unknown(l, ref);
    }
}

void hm_lint_names(struct hm_loader *l)
{
    for (size_t i = 0; i < l->n_refs; i++)
        lint_ref(l, &l->refs[i]);
}
