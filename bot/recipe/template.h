/* Texts with ${expression} in them. What is inserted is escaped for the place where the whole text will stand (the sink), so that
 * no value can become syntax. "$${" is a literal "${". */
#ifndef HM_RECIPE_TEMPLATE_H
#define HM_RECIPE_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "recipe/expr.h"

enum hm_sink {
    HM_SINK_PLAIN,  /* as it is: lock names, typed answers, one argv element */
    HM_SINK_MRKDWN, /* Slack mrkdwn: & < > escaped, and * _ ~ ` defused (slack/escape.h), on one line unless the template puts
                       it between ``` fences; null and an empty list show as "–", a list of plain values as "a, b, c" */
    HM_SINK_URL,    /* percent-encoded */
    HM_SINK_JSON,   /* inside a JSON string literal */
    HM_SINK_NR
};

struct hm_template;

struct hm_template *hm_template_parse(const char *text, struct hm_err *err);
void hm_template_free(struct hm_template *tpl);
const char *hm_template_text(const struct hm_template *tpl);
void hm_template_paths(const struct hm_template *tpl, void (*visit)(void *arg, const char *root, const char *path), void *arg);
/* Expression number i of the text, in order; NULL past the last. */
const struct hm_expr *hm_template_expr(const struct hm_template *tpl, size_t i);

/* Caller frees; NULL with err set: a null value (all sinks but MRKDWN), an object or list where text is needed, over 64 KiB. */
HM_MUST char *hm_template_render(const struct hm_template *tpl, enum hm_sink sink, const json_t *scope, struct hm_err *err);

/* The value for a place that takes any type: a template that is one ${expr} alone gives that expression's value (null too), any
 * other its text (HM_SINK_PLAIN). A new reference, or NULL with err set. */
HM_MUST json_t *hm_template_value_new(const struct hm_template *tpl, const json_t *scope, struct hm_err *err);
/* True when it is one ${expr} alone, so that hm_template_value_new() keeps the type. */
bool hm_template_is_value(const struct hm_template *tpl);
/* Part number i of the text, in order: the literal, or "" where a ${…} stands; NULL past the last. */
const char *hm_template_part(const struct hm_template *tpl, size_t i);
/* True when there is no ${…} in it. */
bool hm_template_is_literal(const struct hm_template *tpl);

/* A tree of JSON values whose strings are templates: a step's `with`. A string that is one ${expr} alone keeps the value's type
 * (and a null value drops the key); any other string becomes text. */
struct hm_args_template;

/* tree: borrowed; an object. */
struct hm_args_template *hm_args_template_new(const json_t *tree, struct hm_err *err);
void hm_args_template_free(struct hm_args_template *args);
void hm_args_template_paths(const struct hm_args_template *args, void (*visit)(void *arg, const char *root, const char *path),
                            void *arg);
/* The key of argument number i at the top of the tree, NULL past the last. */
const char *hm_args_template_key(const struct hm_args_template *args, size_t i);
/* A new object, or NULL with err set (naming the key). */
HM_MUST json_t *hm_args_render_new(const struct hm_args_template *args, const json_t *scope, struct hm_err *err);

#endif
