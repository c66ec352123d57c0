/* What an expression gives, before there are values: hm_expr_type() of expr.h. Only what can never work is refused: a path of
 * which nothing is known, or that may be null, is let through. */
#include "base/mem.h"
#include "handlers/result.h"
#include "recipe/expr_node.h"

struct typing {
    enum hm_field_type (*type_of)(void *arg, const char *path);
    void *arg;
    struct hm_err *err;
};

static enum hm_code type_node(const struct typing *t, const struct hm_expr_node *node, enum hm_field_type *ret);

static enum hm_field_type type_literal(const json_t *value)
{
    if (json_is_string(value))
        return HM_FIELD_TEXT;
    if (json_is_number(value))
        return HM_FIELD_NUMBER;
    return json_is_boolean(value) ? HM_FIELD_BOOL : HM_FIELD_ANY; /* null is compared with everything */
}

static bool has_order(enum hm_field_type type)
{
    return type == HM_FIELD_NUMBER || type == HM_FIELD_TEXT || type == HM_FIELD_ANY;
}

static enum hm_code refuse(const struct typing *t, const struct hm_expr_node *node, enum hm_field_type a, enum hm_field_type b,
                           const char *why)
{
    return hm_err_set(t->err, HM_EINVAL, "%s is %s and %s is %s; %s", hm_expr_node_name(node->items[0]), hm_field_type_text(a),
                      hm_expr_node_name(node->items[1]), hm_field_type_text(b), why);
}

static enum hm_code type_compare(const struct typing *t, const struct hm_expr_node *node)
{
    enum hm_field_type a = HM_FIELD_ANY;
    enum hm_field_type b = HM_FIELD_ANY;
    enum hm_code code = type_node(t, node->items[0], &a);
    if (code == HM_OK)
        code = type_node(t, node->items[1], &b);
    if (code != HM_OK)
        return code;
    bool differ = a != b && a != HM_FIELD_ANY && b != HM_FIELD_ANY;
    if (node->op == HM_EXPR_EQ || node->op == HM_EXPR_NE)
        return differ ? refuse(t, node, a, b, "they are never equal") : HM_OK;
    if (node->op == HM_EXPR_IN || node->op == HM_EXPR_NOT_IN) {
        if (b == HM_FIELD_LIST || b == HM_FIELD_ANY)
            return HM_OK;
        return hm_err_set(t->err, HM_EINVAL, "%s is %s; in needs a list on its right", hm_expr_node_name(node->items[1]),
                          hm_field_type_text(b));
    }
    if (differ || !has_order(a) || !has_order(b))
        return refuse(t, node, a, b, "only two numbers or two texts have an order");
    return HM_OK;
}

/* Each part by itself. */
static enum hm_code type_parts(const struct typing *t, const struct hm_expr_node *node)
{
    enum hm_field_type part = HM_FIELD_ANY;
    enum hm_code code = HM_OK;
    for (size_t i = 0; i < node->n_items && code == HM_OK; i++)
        code = type_node(t, node->items[i], &part);
    return code;
}

static enum hm_code type_count(const struct typing *t, const struct hm_expr_node *node)
{
    enum hm_field_type inner = HM_FIELD_ANY;
    enum hm_code code = type_node(t, node->items[0], &inner);
    if (code != HM_OK || inner == HM_FIELD_LIST || inner == HM_FIELD_OBJECT || inner == HM_FIELD_ANY)
        return code;
    return hm_err_set(t->err, HM_EINVAL, "%s is %s; count() needs a list", hm_expr_node_name(node->items[0]),
                      hm_field_type_text(inner));
}

static enum hm_code type_plural(const struct typing *t, const struct hm_expr_node *node)
{
    static const enum hm_field_type wanted[] = {HM_FIELD_NUMBER, HM_FIELD_TEXT, HM_FIELD_TEXT};
    for (size_t i = 0; i < HM_ARRAY_LEN(wanted); i++) {
        enum hm_field_type is = HM_FIELD_ANY;
        enum hm_code code = type_node(t, node->items[i], &is);
        if (code != HM_OK)
            return code;
        if (is != wanted[i] && is != HM_FIELD_ANY)
            return hm_err_set(t->err, HM_EINVAL, "%s is %s; it is written plural(number, 'one', 'many')",
                              hm_expr_node_name(node->items[i]), hm_field_type_text(is));
    }
    return HM_OK;
}

static enum hm_code type_node(const struct typing *t, const struct hm_expr_node *node, enum hm_field_type *ret)
{
    *ret = HM_FIELD_BOOL;
    switch (node->op) {
    case HM_EXPR_LITERAL:
        *ret = type_literal(node->value);
        return HM_OK;
    case HM_EXPR_PATH:
        *ret = t->type_of(t->arg, node->path);
        return HM_OK;
    case HM_EXPR_LIST:
        *ret = HM_FIELD_LIST;
        return type_parts(t, node);
    case HM_EXPR_COUNT:
        *ret = HM_FIELD_NUMBER;
        return type_count(t, node);
    case HM_EXPR_PLURAL:
        *ret = HM_FIELD_TEXT;
        return type_plural(t, node);
    case HM_EXPR_NOT:
    case HM_EXPR_AND:
    case HM_EXPR_OR:
        return type_parts(t, node);
    case HM_EXPR_EQ:
    case HM_EXPR_NE:
    case HM_EXPR_LT:
    case HM_EXPR_LE:
    case HM_EXPR_GT:
    case HM_EXPR_GE:
    case HM_EXPR_IN:
    case HM_EXPR_NOT_IN:
        return type_compare(t, node);
    case HM_EXPR_NR:
        break;
    }
    return hm_err_set(t->err, HM_EBUG, "an expression of an unknown kind");
}

enum hm_code hm_expr_type(const struct hm_expr *expr, enum hm_field_type (*type_of)(void *arg, const char *path), void *arg,
                          enum hm_field_type *ret_type, struct hm_err *err)
{
    const struct typing t = {type_of, arg, err};
    return type_node(&t, expr->root, ret_type);
}
