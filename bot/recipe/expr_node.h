/* The tree of an expression. Inside of expr.c, expr_eval.c and expr_type.c; nobody else includes this. */
#ifndef HM_RECIPE_EXPR_NODE_H
#define HM_RECIPE_EXPR_NODE_H

#include "recipe/expr.h"

enum hm_expr_op {
    HM_EXPR_LITERAL, /* value */
    HM_EXPR_PATH,    /* path */
    HM_EXPR_LIST,    /* items */
    HM_EXPR_COUNT,   /* items[0], and so on down */
    HM_EXPR_NOT,
    HM_EXPR_PLURAL, /* items[0] to items[2] */
    HM_EXPR_AND,    /* items[0], items[1], and so on down */
    HM_EXPR_OR,
    HM_EXPR_EQ,
    HM_EXPR_NE,
    HM_EXPR_LT,
    HM_EXPR_LE,
    HM_EXPR_GT,
    HM_EXPR_GE,
    HM_EXPR_IN,
    HM_EXPR_NOT_IN,
    HM_EXPR_NR
};

struct hm_expr_node {
    enum hm_expr_op op;
    json_t *value;
    char *path;
    struct hm_expr_node **items;
    size_t n_items;
};

struct hm_expr {
    char *text;
    struct hm_expr_node *root;
};

/* How the source calls it, for sentences: a path by its name. */
const char *hm_expr_node_name(const struct hm_expr_node *node);

#endif
