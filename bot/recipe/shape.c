/* Following a path through what is declared: see shape.h. */
#include "recipe/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "handlers/result.h"

/* ---- what the run makes of a step's end (run/decide_steps.c, run/decide_ask.c) ------------------------------------------ */

static const struct hm_field_spec outcome_fields[] = {{"ok", HM_FIELD_BOOL, true, "", NULL},
                                                      {"code", HM_FIELD_TEXT, false, "", NULL},
                                                      {"error", HM_FIELD_TEXT, false, "", NULL},
                                                      {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec item_fields[] = {{"item", HM_FIELD_ANY, true, "", NULL},
                                                   {"ok", HM_FIELD_BOOL, true, "", NULL},
                                                   {"error", HM_FIELD_TEXT, false, "", NULL},
                                                   {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec foreach_fields[] = {
    {"ok", HM_FIELD_BOOL, true, "", NULL},           {"total", HM_FIELD_NUMBER, true, "", NULL},
    {"done", HM_FIELD_NUMBER, true, "", NULL},       {"failed", HM_FIELD_NUMBER, true, "", NULL},
    {"items", HM_FIELD_LIST, true, "", item_fields}, {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec gate_fields[] = {{"by", HM_FIELD_LIST, true, "", NULL}, {NULL, HM_FIELD_NR, false, NULL, NULL}};
static const struct hm_field_spec manual_fields[] = {{"by", HM_FIELD_TEXT, false, "", NULL},
                                                     {"evidence", HM_FIELD_TEXT, false, "", NULL},
                                                     {"expired", HM_FIELD_BOOL, true, "", NULL},
                                                     {NULL, HM_FIELD_NR, false, NULL, NULL}};

static const struct hm_shape unknown = {.type = HM_FIELD_ANY};

/* Follows `path` among the steps before `limit`; ref says where it stands. */
static bool follow(const struct hm_loader *l, const struct hm_ref *ref, size_t limit, const char *path, struct hm_shape *ret,
                   size_t *ret_len);

static struct hm_shape plain_of(const struct hm_param *param)
{
    switch (param->type) {
    case HM_PARAM_INT:
        return (struct hm_shape){.type = HM_FIELD_NUMBER};
    case HM_PARAM_BOOL:
        return (struct hm_shape){.type = HM_FIELD_BOOL};
    case HM_PARAM_STRING:
    case HM_PARAM_UUID:
    case HM_PARAM_REGEX:
    case HM_PARAM_CHOICE:
    case HM_PARAM_DATE:
    case HM_PARAM_DATASET:
    case HM_PARAM_USER:
    case HM_PARAM_NR:
        break;
    }
    return (struct hm_shape){.type = HM_FIELD_TEXT};
}

static struct hm_shape item_of(const struct hm_shape *list)
{
    if (list->type != HM_FIELD_LIST || list->loose)
        return unknown;
    if (list->fields == NULL)
        return (struct hm_shape){.type = HM_FIELD_ANY, .plain = true};
    return (struct hm_shape){.type = HM_FIELD_OBJECT, .fields = list->fields, .step = list->step};
}

/* What the expression of a step's foreach or ask gives; it can only use steps before it. */
static struct hm_shape list_of(const struct hm_loader *l, const struct hm_step *step, const struct hm_expr *expr)
{
    struct hm_shape shape = unknown;
    size_t len = 0;
    size_t index = (size_t)(step - l->recipe->steps);
    const char *path = expr != NULL ? hm_expr_path(expr) : NULL;
    const struct hm_ref ref = {.step = -1}; /* neither the step's own value nor its items */
    if (path == NULL || !follow(l, &ref, index, path, &shape, &len) || shape.type != HM_FIELD_LIST)
        return (struct hm_shape){.type = HM_FIELD_LIST, .loose = true};
    return shape;
}

static struct hm_shape result_of(const struct hm_action *action, const struct hm_field_spec *also)
{
    if (action == NULL || action->result == NULL)
        return unknown;
    return (struct hm_shape){.type = HM_FIELD_OBJECT, .fields = action->result, .also = also, .action = action};
}

static struct hm_shape value_of(const struct hm_loader *l, const struct hm_step *step, bool is_answer)
{
    struct hm_shape list = unknown;
    switch (step->kind) {
    case HM_STEP_DO:
        if (step->foreach != NULL)
            return (struct hm_shape){.type = HM_FIELD_OBJECT, .fields = foreach_fields, .step = step};
        return result_of(step->call.action, is_answer ? NULL : outcome_fields);
    case HM_STEP_APPROVE:
        return (struct hm_shape){.type = HM_FIELD_OBJECT, .fields = gate_fields};
    case HM_STEP_MANUAL:
        return (struct hm_shape){.type = HM_FIELD_OBJECT, .fields = manual_fields};
    case HM_STEP_ASK:
        if (step->ask.n_fields > 0)
            return (struct hm_shape){.type = HM_FIELD_OBJECT, .step = step};
        list = list_of(l, step, step->ask.from);
        return step->ask.many ? list : item_of(&list);
    case HM_STEP_SAY:
    case HM_STEP_OFFER:
    case HM_STEP_NR:
        break;
    }
    return unknown;
}

/* Some backend of the action's handler has the field by its settings. Without settings at hand any may. */
static bool is_more(const struct hm_loader *l, const struct hm_action *action, const char *name, size_t len)
{
    if (action == NULL || action->more_fields == NULL)
        return false;
    for (size_t i = 0; l->names != NULL && i < l->names->n_backends; i++)
        if (hm_action_has_more(action, l->names->backends[i], name, len))
            return true;
    return l->names == NULL;
}

static bool field_of(const struct hm_loader *l, const struct hm_shape *object, const char *name, size_t len, struct hm_shape *ret)
{
    const struct hm_step *step = object->step;
    for (size_t i = 0; step != NULL && i < step->ask.n_fields; i++) {
        const struct hm_param *param = &step->ask.fields[i];
        if (param->name != NULL && strlen(param->name) == len && memcmp(param->name, name, len) == 0) {
            *ret = plain_of(param);
            return true;
        }
    }
    const struct hm_field_spec *field = hm_field_find(object->fields, name, len);
    if (field == NULL)
        field = hm_field_find(object->also, name, len);
    if (field == NULL && is_more(l, object->action, name, len)) {
        *ret = (struct hm_shape){.type = HM_FIELD_ANY, .plain = true};
        return true;
    }
    if (field == NULL)
        return false;
    *ret = (struct hm_shape){.type = field->type, .fields = field->fields};
    if (field->fields == item_fields) {
        ret->step = step;
    } else if (step != NULL && object->fields == item_fields && strcmp(field->name, "item") == 0) {
        struct hm_shape list = list_of(l, step, step->foreach);
        *ret = item_of(&list);
    }
    return true;
}

static bool part_of(const struct hm_loader *l, const struct hm_shape *whole, const char *name, size_t len, struct hm_shape *ret)
{
    if (whole->type == HM_FIELD_ANY && !whole->plain) {
        *ret = unknown;
        return true;
    }
    if (whole->type == HM_FIELD_LIST && strspn(name, "0123456789") == len) {
        *ret = item_of(whole);
        return true;
    }
    return whole->type == HM_FIELD_OBJECT && field_of(l, whole, name, len, ret);
}

/* From `at` bytes of the path on, which lead to *ret. */
static bool follow_parts(const struct hm_loader *l, const char *path, size_t at, struct hm_shape *ret, size_t *ret_len)
{
    while (path[at] != '\0') {
        size_t from = path[at] == '.' ? at + 1 : at;
        size_t len = strcspn(path + from, ".");
        struct hm_shape part = unknown;
        *ret_len = at;
        if (!part_of(l, ret, path + from, len, &part))
            return false;
        *ret = part;
        at = from + len;
    }
    *ret_len = at;
    return true;
}

/* The item of an ask's list, or of the list that a param is chosen from. */
static struct hm_shape chosen_from(const struct hm_loader *l, const struct hm_ref *ref, const struct hm_step *step)
{
    struct hm_shape list = unknown;
    size_t len = 0;
    if (ref->list != NULL &&
        (ref->list->from == NULL || !hm_shape_of_result(l, ref->list->call.action, ref->list->from, &list, &len)))
        return unknown;
    if (ref->list == NULL && step != NULL)
        list = list_of(l, step, step->ask.from);
    return item_of(&list);
}

/* The first name of a path, in the order in which lint_names.c looks for it. */
static struct hm_shape root_of(const struct hm_loader *l, const struct hm_ref *ref, size_t limit, const char *name)
{
    const struct hm_recipe *r = l->recipe;
    const struct hm_step *own = ref->step >= 0 ? &r->steps[ref->step] : NULL;
    if (strcmp(name, "item") == 0)
        return chosen_from(l, ref, own);
    if (strcmp(name, "verify") == 0)
        return own != NULL ? result_of(own->verify.call.action, NULL) : unknown;
    for (size_t i = 0; i < r->n_params; i++)
        if (hm_streq(r->params[i].name, name))
            return plain_of(&r->params[i]);
    for (size_t i = 0; i < r->n_steps && i < limit; i++)
        if (hm_streq(r->steps[i].id, name))
            return value_of(l, &r->steps[i], &r->steps[i] == own && (ref->scope & HM_SCOPE_ANSWER) != 0);
    if (own != NULL && hm_streq(own->as, name)) {
        struct hm_shape list = list_of(l, own, own->foreach);
        return item_of(&list);
    }
    return unknown;
}

static bool follow(const struct hm_loader *l, const struct hm_ref *ref, size_t limit, const char *path, struct hm_shape *ret,
                   size_t *ret_len)
{
    size_t len = strcspn(path, ".");
    char *name = hm_xstrndup(path, len);
    *ret = root_of(l, ref, limit, name);
    free(name);
    return follow_parts(l, path, len, ret, ret_len);
}

bool hm_shape_of(const struct hm_loader *l, const struct hm_ref *ref, const char *path, struct hm_shape *ret, size_t *ret_len)
{
    return follow(l, ref, ref->step >= 0 ? (size_t)ref->step + 1 : 0, path, ret, ret_len);
}

bool hm_shape_of_result(const struct hm_loader *l, const struct hm_action *action, const char *path, struct hm_shape *ret,
                        size_t *ret_len)
{
    *ret = result_of(action, NULL);
    return follow_parts(l, path, 0, ret, ret_len);
}

static void add_names(const struct hm_field_spec *fields, struct hm_strbuf *names, struct hm_suggest *s)
{
    for (const struct hm_field_spec *field = fields; field != NULL && field->name != NULL; field++) {
        hm_strbuf_addf(names, "%s%s", names->len > 0 ? ", " : "", field->name);
        hm_suggest_try(s, field->name);
    }
}

void hm_shape_names(const struct hm_shape *shape, struct hm_strbuf *names, struct hm_suggest *s)
{
    for (size_t i = 0; shape->step != NULL && i < shape->step->ask.n_fields; i++) {
        if (shape->step->ask.fields[i].name == NULL)
            continue;
        hm_strbuf_addf(names, "%s%s", names->len > 0 ? ", " : "", shape->step->ask.fields[i].name);
        hm_suggest_try(s, shape->step->ask.fields[i].name);
    }
    add_names(shape->fields, names, s);
    add_names(shape->also, names, s);
}
