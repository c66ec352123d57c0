/* Expressions: the parser (a Pratt parser) and what looks at the tree. Evaluation is in expr_eval.c. See expr.h. */
#include "recipe/expr.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "recipe/expr_lex.h"
#include "recipe/expr_node.h"

enum { MAX_BYTES = 2000, MAX_DEPTH = 50 };

/* How strongly an operator binds. */
enum { POWER_OR = 1, POWER_AND = 2, POWER_COMPARE = 3, POWER_NOT = 4 };

struct parser {
    const char *text;
    struct hm_token tok; /* the one to look at */
    unsigned depth;
    struct hm_err *err;
};

static struct hm_expr_node *parse(struct parser *p, int min_power);

static void free_node(struct hm_expr_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->n_items; i++)
        free_node(node->items[i]);
    free(node->items);
    free(node->path);
    json_decref(node->value);
    free(node);
}

static struct hm_expr_node *new_node(enum hm_expr_op op)
{
    struct hm_expr_node *node = hm_xcalloc(1, sizeof *node);
    node->op = op;
    return node;
}

static void add_item(struct hm_expr_node *node, struct hm_expr_node *item)
{
    node->items = hm_xreallocarray(node->items, node->n_items + 1, sizeof(struct hm_expr_node *));
    node->items[node->n_items++] = item;
}

/* Goes on to the next token; a literal's value that nobody took is dropped. */
static enum hm_code next(struct parser *p)
{
    const char *at = p->tok.start + p->tok.len;
    json_decref(p->tok.value);
    p->tok.value = NULL;
    return hm_token_read(p->text, at, &p->tok, p->err);
}

static struct hm_expr_node *fail(struct parser *p, struct hm_expr_node *node, const char *what)
{
    free_node(node);
    (void)hm_token_error(p->text, p->tok.start, p->err, "%s", what);
    return NULL;
}

/* Takes the token `kind`, or fails with `what`; returns node or NULL. */
static struct hm_expr_node *expect(struct parser *p, struct hm_expr_node *node, enum hm_token_kind kind, const char *what)
{
    if (node == NULL)
        return NULL;
    if (p->tok.kind != kind)
        return fail(p, node, what);
    if (next(p) != HM_OK) {
        free_node(node);
        return NULL;
    }
    return node;
}

/* [ a, b ] behind its bracket. */
static struct hm_expr_node *parse_list(struct parser *p)
{
    struct hm_expr_node *list = new_node(HM_EXPR_LIST);
    while (p->tok.kind != HM_TOKEN_CLOSE_LIST) {
        if (list->n_items > 0 && (list = expect(p, list, HM_TOKEN_COMMA, "a comma or ] is missing here")) == NULL)
            return NULL;
        struct hm_expr_node *item = parse(p, POWER_OR);
        if (item == NULL) {
            free_node(list);
            return NULL;
        }
        add_item(list, item);
    }
    return expect(p, list, HM_TOKEN_CLOSE_LIST, "] is missing here");
}

/* ( a, b ) behind the name of a function with so many arguments. */
static struct hm_expr_node *parse_call(struct parser *p, enum hm_expr_op op, size_t n_args)
{
    struct hm_expr_node *call = expect(p, new_node(op), HM_TOKEN_OPEN, "( is missing after the function's name");
    for (size_t i = 0; i < n_args && call != NULL; i++) {
        if (i > 0 && (call = expect(p, call, HM_TOKEN_COMMA, "a comma is missing here: plural(number, 'one', 'many')")) == NULL)
            return NULL;
        struct hm_expr_node *inner = parse(p, POWER_OR);
        if (inner == NULL) {
            free_node(call);
            return NULL;
        }
        add_item(call, inner);
    }
    return expect(p, call, HM_TOKEN_CLOSE, ") is missing here");
}

/* What `not` stands before binds tighter than any comparison; `not a == b` is refused, as people read it in two ways. */
static struct hm_expr_node *parse_not(struct parser *p)
{
    struct hm_expr_node *inner = parse(p, POWER_NOT);
    if (inner == NULL)
        return NULL;
    if (p->tok.kind >= HM_TOKEN_IN && p->tok.kind <= HM_TOKEN_GE)
        return fail(p, inner, "put what follows not in parentheses: not (a == b)");
    if (p->tok.kind == HM_TOKEN_NOT)
        return fail(p, inner, "put what follows not in parentheses: not (a not in b)");
    struct hm_expr_node *node = new_node(HM_EXPR_NOT);
    add_item(node, inner);
    return node;
}

static struct hm_expr_node *parse_prefix(struct parser *p)
{
    struct hm_expr_node *node = NULL;
    struct hm_token tok = p->tok;
    switch (tok.kind) {
    case HM_TOKEN_LITERAL:
        node = new_node(HM_EXPR_LITERAL);
        node->value = json_incref(tok.value);
        break;
    case HM_TOKEN_PATH:
        node = new_node(HM_EXPR_PATH);
        node->path = hm_xstrndup(tok.start, tok.len);
        break;
    case HM_TOKEN_OPEN:
        if (next(p) != HM_OK)
            return NULL;
        return expect(p, parse(p, POWER_OR), HM_TOKEN_CLOSE, ") is missing here");
    case HM_TOKEN_OPEN_LIST:
        return next(p) == HM_OK ? parse_list(p) : NULL;
    case HM_TOKEN_COUNT:
        return next(p) == HM_OK ? parse_call(p, HM_EXPR_COUNT, 1) : NULL;
    case HM_TOKEN_PLURAL:
        return next(p) == HM_OK ? parse_call(p, HM_EXPR_PLURAL, 3) : NULL;
    case HM_TOKEN_NOT:
        return next(p) == HM_OK ? parse_not(p) : NULL;
    case HM_TOKEN_END:
        return fail(p, NULL, "a value is missing at the end");
    case HM_TOKEN_CLOSE:
    case HM_TOKEN_CLOSE_LIST:
    case HM_TOKEN_COMMA:
    case HM_TOKEN_AND:
    case HM_TOKEN_OR:
    case HM_TOKEN_IN:
    case HM_TOKEN_EQ:
    case HM_TOKEN_NE:
    case HM_TOKEN_LT:
    case HM_TOKEN_LE:
    case HM_TOKEN_GT:
    case HM_TOKEN_GE:
    case HM_TOKEN_NR:
        return fail(p, NULL, "a value is missing before this");
    }
    if (next(p) != HM_OK) {
        free_node(node);
        return NULL;
    }
    return node;
}

/* The operator that the token stands for and how it binds; 0 when it is none. */
static int infix_power(const struct hm_token *tok, enum hm_expr_op *ret_op)
{
    static const struct {
        enum hm_token_kind kind;
        enum hm_expr_op op;
        int power;
    } infix[] = {
        {HM_TOKEN_OR, HM_EXPR_OR, POWER_OR},      {HM_TOKEN_AND, HM_EXPR_AND, POWER_AND},
        {HM_TOKEN_EQ, HM_EXPR_EQ, POWER_COMPARE}, {HM_TOKEN_NE, HM_EXPR_NE, POWER_COMPARE},
        {HM_TOKEN_LT, HM_EXPR_LT, POWER_COMPARE}, {HM_TOKEN_LE, HM_EXPR_LE, POWER_COMPARE},
        {HM_TOKEN_GT, HM_EXPR_GT, POWER_COMPARE}, {HM_TOKEN_GE, HM_EXPR_GE, POWER_COMPARE},
        {HM_TOKEN_IN, HM_EXPR_IN, POWER_COMPARE}, {HM_TOKEN_NOT, HM_EXPR_NOT_IN, POWER_COMPARE},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(infix); i++) {
        if (infix[i].kind == tok->kind) {
            *ret_op = infix[i].op;
            return infix[i].power;
        }
    }
    return 0;
}

/* Takes the operator (two words for `not in`). */
static enum hm_code take_operator(struct parser *p, enum hm_expr_op op)
{
    enum hm_code code = next(p);
    if (code != HM_OK || op != HM_EXPR_NOT_IN)
        return code;
    if (p->tok.kind != HM_TOKEN_IN)
        return hm_token_error(p->text, p->tok.start, p->err, "after a value, not is followed by in: a not in [ … ]");
    return next(p);
}

static struct hm_expr_node *parse_infix(struct parser *p, struct hm_expr_node *left, int min_power)
{
    enum hm_expr_op op = HM_EXPR_NR;
    int power = 0;
    while (left != NULL && (power = infix_power(&p->tok, &op)) >= min_power && power > 0) {
        struct hm_expr_node *node = new_node(op);
        add_item(node, left);
        struct hm_expr_node *right = take_operator(p, op) == HM_OK ? parse(p, power + 1) : NULL;
        if (right == NULL) {
            free_node(node);
            return NULL;
        }
        add_item(node, right);
        left = node;
        enum hm_expr_op after = HM_EXPR_NR;
        if (power == POWER_COMPARE && infix_power(&p->tok, &after) == POWER_COMPARE)
            return fail(p, left, "comparisons can not be chained; join them with and");
    }
    return left;
}

static struct hm_expr_node *parse(struct parser *p, int min_power)
{
    if (p->depth == MAX_DEPTH)
        return fail(p, NULL, "nested too deep; 50 levels are allowed");
    p->depth++;
    struct hm_expr_node *node = parse_infix(p, parse_prefix(p), min_power);
    p->depth--;
    return node;
}

struct hm_expr *hm_expr_parse(const char *text, struct hm_err *err)
{
    struct parser p = {.text = text, .err = err};
    size_t len = strlen(text);
    if (len > MAX_BYTES) {
        (void)hm_err_set(err, HM_ETOOBIG, "the expression has %zu bytes; at most %d are allowed", len, MAX_BYTES);
        return NULL;
    }
    if (!hm_utf8_valid(text, len)) {
        (void)hm_err_set(err, HM_EINVAL, "the expression is not UTF-8");
        return NULL;
    }
    p.tok.start = text;
    struct hm_expr_node *root = next(&p) == HM_OK ? parse(&p, POWER_OR) : NULL;
    root = expect(&p, root, HM_TOKEN_END, "the expression should end here; and, or or a comparison may be missing");
    json_decref(p.tok.value);
    if (root == NULL)
        return NULL;
    struct hm_expr *expr = hm_xcalloc(1, sizeof *expr);
    expr->text = hm_xstrdup(text);
    expr->root = root;
    return expr;
}

void hm_expr_free(struct hm_expr *expr)
{
    if (expr == NULL)
        return;
    free_node(expr->root);
    free(expr->text);
    free(expr);
}

const char *hm_expr_text(const struct hm_expr *expr)
{
    return expr->text;
}

static void visit_paths(const struct hm_expr_node *node, void (*visit)(void *arg, const char *root, const char *path), void *arg)
{
    if (node->op == HM_EXPR_PATH) {
        char *root = hm_xstrndup(node->path, strcspn(node->path, "."));
        visit(arg, root, node->path);
        free(root);
    }
    for (size_t i = 0; i < node->n_items; i++)
        visit_paths(node->items[i], visit, arg);
}

void hm_expr_paths(const struct hm_expr *expr, void (*visit)(void *arg, const char *root, const char *path), void *arg)
{
    visit_paths(expr->root, visit, arg);
}

const char *hm_expr_path(const struct hm_expr *expr)
{
    return expr->root->op == HM_EXPR_PATH ? expr->root->path : NULL;
}

const char *hm_expr_node_name(const struct hm_expr_node *node)
{
    return node->op == HM_EXPR_PATH ? node->path : "what stands there";
}
