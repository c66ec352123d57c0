/* Every expression and text can work with what is known of its values: no list is needed where a text stands, no text where a
 * list does. See load.h; that the names are there is lint_names.c's matter. */
#include "handlers/result.h"
#include "recipe/shape.h"

struct typed {
    const struct hm_loader *l;
    const struct hm_ref *ref; /* where it stands */
};

static enum hm_field_type type_of(void *arg, const char *path)
{
    const struct typed *t = arg;
    struct hm_shape shape = {.type = HM_FIELD_ANY};
    size_t len = 0;
    return hm_shape_of(t->l, t->ref, path, &shape, &len) ? shape.type : HM_FIELD_ANY;
}

/* What hm_args_check() would say: numbers, true and false become texts where one is wanted. */
static bool fits_arg(enum hm_arg_type wanted, enum hm_field_type type)
{
    switch (wanted) {
    case HM_ARG_STRING:
        return type != HM_FIELD_LIST && type != HM_FIELD_OBJECT;
    case HM_ARG_UUID:
        return type == HM_FIELD_TEXT;
    case HM_ARG_INT:
        return type == HM_FIELD_NUMBER;
    case HM_ARG_BOOL:
        return type == HM_FIELD_BOOL;
    case HM_ARG_LIST:
        return type == HM_FIELD_LIST;
    case HM_ARG_OBJECT:
        return type == HM_FIELD_OBJECT;
    case HM_ARG_NR:
        break;
    }
    return true;
}

/* A list of objects; a text on the card can only hold one of plain values. */
static bool is_list_of_objects(const struct typed *t, const struct hm_expr *expr)
{
    struct hm_shape shape = {.type = HM_FIELD_ANY};
    size_t len = 0;
    const char *path = hm_expr_path(expr);
    return path != NULL && hm_shape_of(t->l, t->ref, path, &shape, &len) && shape.type == HM_FIELD_LIST && shape.fields != NULL;
}

/* What is wrong with a value of that type there; NULL = nothing. */
static const char *misfit(const struct typed *t, const struct hm_note *note, enum hm_field_type type)
{
    if (type == HM_FIELD_ANY)
        return NULL;
    switch (note->use) {
    case HM_USE_LIST:
        return type != HM_FIELD_LIST ? "a list is needed here" : NULL;
    case HM_USE_TEXT:
        return type == HM_FIELD_LIST || type == HM_FIELD_OBJECT ? "a text needs a plain value here" : NULL;
    case HM_USE_LINE:
        if (type == HM_FIELD_OBJECT)
            return "a text needs a plain value or a list of such here";
        return is_list_of_objects(t, note->expr) ? "its items are objects, and a text needs plain values here" : NULL;
    case HM_USE_ARG:
        return fits_arg(note->wanted, type) ? NULL : hm_arg_type_text(note->wanted);
    case HM_USE_CONDITION:
        break;
    }
    return NULL;
}

static void lint_note(const struct hm_loader *l, const struct hm_note *note)
{
    struct hm_err err = {0};
    enum hm_field_type type = HM_FIELD_ANY;
    const struct hm_ref ref = {.step = note->step, .scope = note->scope, .list = note->list};
    struct typed t = {l, &ref};
    if (hm_expr_type(note->expr, type_of, &t, &type, &err) != HM_OK) {
        hm_cfg_add_here(note->node, "%s", err.msg);
        return;
    }
    const char *problem = misfit(&t, note, type);
    if (problem != NULL)
        hm_cfg_add_here(note->node, "%s is %s; %s%s", hm_expr_text(note->expr), hm_field_type_text(type), problem,
                        note->use == HM_USE_ARG ? " is wanted here" : "");
}

void hm_lint_types(struct hm_loader *l)
{
    for (size_t i = 0; i < l->n_notes; i++)
        lint_note(l, &l->notes[i]);
}
