/* Evaluating expressions: see expr.h. `and` and `or` stop at the first side that decides, so that
 * "find.ok and count(find.duplicates) > 0" asks nothing of a step that found nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "recipe/expr_node.h"

static json_t *eval(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err);

static const char *type_name(const json_t *value)
{
    switch ((int)json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

static bool truthy(const json_t *value)
{
    switch ((int)json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) < 0 || json_real_value(value) > 0;
    default:
        return json_is_true(value);
    }
}

/* -1, 0 or 1. */
static int compare_numbers(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        int64_t x = json_integer_value(a);
        int64_t y = json_integer_value(b);
        return (x > y) - (x < y);
    }
    double x = json_number_value(a);
    double y = json_number_value(b);
    return (x > y) - (x < y);
}

static bool equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return compare_numbers(a, b) == 0;
    return json_equal(a, b) == 1;
}

static json_t *eval_order(const struct hm_expr_node *node, const json_t *a, const json_t *b, struct hm_err *err)
{
    int order = 0;
    if (json_is_number(a) && json_is_number(b)) {
        order = compare_numbers(a, b);
    } else if (json_is_string(a) && json_is_string(b)) {
        order = strcmp(json_string_value(a), json_string_value(b));
    } else {
        (void)hm_err_set(err, HM_EINVAL, "%s is %s and %s is %s; only two numbers or two texts have an order",
                         hm_expr_node_name(node->items[0]), type_name(a), hm_expr_node_name(node->items[1]), type_name(b));
        return NULL;
    }
    bool holds = (node->op == HM_EXPR_LT && order < 0) || (node->op == HM_EXPR_LE && order <= 0) ||
                 (node->op == HM_EXPR_GT && order > 0) || (node->op == HM_EXPR_GE && order >= 0);
    return json_boolean(holds);
}

static json_t *eval_in(const struct hm_expr_node *node, const json_t *a, const json_t *list, struct hm_err *err)
{
    bool found = false;
    if (!json_is_array(list)) {
        (void)hm_err_set(err, HM_EINVAL, "%s is %s; in needs a list on its right", hm_expr_node_name(node->items[1]),
                         type_name(list));
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list) && !found; i++)
        found = equal(a, json_array_get(list, i));
    return json_boolean(found == (node->op == HM_EXPR_IN));
}

static json_t *eval_two(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err)
{
    json_t *result = NULL;
    json_t *a = eval(node->items[0], scope, err);
    json_t *b = a != NULL ? eval(node->items[1], scope, err) : NULL;
    if (b != NULL) {
        if (node->op == HM_EXPR_EQ || node->op == HM_EXPR_NE)
            result = json_boolean(equal(a, b) == (node->op == HM_EXPR_EQ));
        else if (node->op == HM_EXPR_IN || node->op == HM_EXPR_NOT_IN)
            result = eval_in(node, a, b, err);
        else
            result = eval_order(node, a, b, err);
    }
    json_decref(a);
    json_decref(b);
    return result;
}

static json_t *eval_logic(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err)
{
    bool holds = false;
    for (size_t i = 0; i < 2; i++) {
        json_t *side = eval(node->items[i], scope, err);
        if (side == NULL)
            return NULL;
        holds = truthy(side);
        json_decref(side);
        if (holds == (node->op == HM_EXPR_OR))
            break;
    }
    return json_boolean(holds);
}

static json_t *eval_list(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < node->n_items; i++) {
        json_t *item = eval(node->items[i], scope, err);
        if (item == NULL) {
            json_decref(list);
            return NULL;
        }
        hm_json_add(list, item);
    }
    return list;
}

/* Of nothing there is no count: 0 would let a misspelt path look like an empty list. */
static json_t *eval_count(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err)
{
    json_t *result = NULL;
    json_t *inner = eval(node->items[0], scope, err);
    if (inner == NULL)
        return NULL;
    if (json_is_array(inner))
        result = json_integer((json_int_t)json_array_size(inner));
    else if (json_is_object(inner))
        result = json_integer((json_int_t)json_object_size(inner));
    else
        (void)hm_err_set(err, HM_EINVAL, "%s is %s; count() needs a list", hm_expr_node_name(node->items[0]), type_name(inner));
    json_decref(inner);
    return result;
}

/* "1 letter", "2 letters"; of nothing it is nothing, which a card shows as any other null. */
static json_t *eval_plural(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err)
{
    json_t *result = NULL;
    json_t *n = eval(node->items[0], scope, err);
    bool one = json_is_number(n) && json_number_value(n) >= 1 && json_number_value(n) <= 1;
    json_t *words = n != NULL ? eval(node->items[one ? 1 : 2], scope, err) : NULL;
    if (words == NULL || json_is_null(n)) {
        result = words != NULL ? json_null() : NULL;
    } else if (!json_is_number(n)) {
        (void)hm_err_set(err, HM_EINVAL, "%s is %s; plural() needs a number first", hm_expr_node_name(node->items[0]),
                         type_name(n));
    } else if (!json_is_string(words)) {
        (void)hm_err_set(err, HM_EINVAL, "%s is %s; plural() needs a text for one and a text for many",
                         hm_expr_node_name(node->items[one ? 1 : 2]), type_name(words));
    } else {
        char *number = json_dumps(n, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        char *text = hm_xasprintf("%s %s", number, json_string_value(words));
        result = hm_json_str_new(text);
        free(text);
        free(number);
    }
    json_decref(words);
    json_decref(n);
    return result;
}

static json_t *eval(const struct hm_expr_node *node, const json_t *scope, struct hm_err *err)
{
    json_t *value = NULL;
    switch (node->op) {
    case HM_EXPR_LITERAL:
        return json_incref(node->value);
    case HM_EXPR_PATH:
        value = hm_json_get_path(scope, node->path);
        return value != NULL ? json_incref(value) : json_null();
    case HM_EXPR_LIST:
        return eval_list(node, scope, err);
    case HM_EXPR_COUNT:
        return eval_count(node, scope, err);
    case HM_EXPR_PLURAL:
        return eval_plural(node, scope, err);
    case HM_EXPR_NOT: {
        json_t *inner = eval(node->items[0], scope, err);
        value = inner != NULL ? json_boolean(!truthy(inner)) : NULL;
        json_decref(inner);
        return value;
    }
    case HM_EXPR_AND:
    case HM_EXPR_OR:
        return eval_logic(node, scope, err);
    case HM_EXPR_EQ:
    case HM_EXPR_NE:
    case HM_EXPR_LT:
    case HM_EXPR_LE:
    case HM_EXPR_GT:
    case HM_EXPR_GE:
    case HM_EXPR_IN:
    case HM_EXPR_NOT_IN:
        return eval_two(node, scope, err);
    case HM_EXPR_NR:
        break;
    }
    (void)hm_err_set(err, HM_EBUG, "an expression without an operator");
    return NULL;
}

json_t *hm_expr_eval_new(const struct hm_expr *expr, const json_t *scope, struct hm_err *err)
{
    json_t *value = eval(expr->root, scope, err);
    if (value == NULL)
        (void)hm_err_wrap(err, "%.120s", expr->text);
    return value;
}

enum hm_code hm_expr_true(const struct hm_expr *expr, const json_t *scope, bool *ret_true, struct hm_err *err)
{
    struct hm_err local = {0};
    json_t *value = hm_expr_eval_new(expr, scope, &local);
    if (value == NULL) {
        if (err != NULL)
            *err = local;
        return local.code;
    }
    *ret_true = truthy(value);
    json_decref(value);
    return HM_OK;
}
