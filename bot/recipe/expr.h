/* The expression language of recipes: paths, literals, comparisons, `and or not in`, count(), plural() and nothing more.
 *
 *   count(list.datasets) == 0        left.count == 0 or only != '.*'        not find.ok        environment in ['cantareira',
 * 'foz']        plural(left.count, 'letter', 'letters')
 *
 * Pure: evaluates over a JSON object (the scope) and gives a JSON value. A missing path is null. null, false, 0, "" and empty
 * lists and objects are false. Comparing values of different types with == is false, with < and > an error. Precedence: not,
 * comparison and in, and, or; parentheses. Ceilings: 2,000 bytes, 50 levels. */
#ifndef HM_RECIPE_EXPR_H
#define HM_RECIPE_EXPR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "handlers/handler.h"

struct hm_expr;

/* NULL with err set (position and what was expected). */
struct hm_expr *hm_expr_parse(const char *text, struct hm_err *err);
void hm_expr_free(struct hm_expr *expr);
const char *hm_expr_text(const struct hm_expr *expr);

/* A new reference, or NULL with err set. */
HM_MUST json_t *hm_expr_eval_new(const struct hm_expr *expr, const json_t *scope, struct hm_err *err);
/* As a condition. */
HM_MUST enum hm_code hm_expr_true(const struct hm_expr *expr, const json_t *scope, bool *ret_true, struct hm_err *err);

/* Calls visit with the first name of each path used ("list" of list.datasets) and the whole path. For lint. */
void hm_expr_paths(const struct hm_expr *expr, void (*visit)(void *arg, const char *root, const char *path), void *arg);
/* The path, when the expression is one path alone; else NULL. */
const char *hm_expr_path(const struct hm_expr *expr);
/* What the expression gives, as far as it is known what its paths are: ANY where nothing is. HM_EINVAL when something in it can
 * never work: counting a text, comparing a list with a number. */
HM_MUST enum hm_code hm_expr_type(const struct hm_expr *expr, enum hm_field_type (*type_of)(void *arg, const char *path),
                                  void *arg, enum hm_field_type *ret_type, struct hm_err *err);

#endif
