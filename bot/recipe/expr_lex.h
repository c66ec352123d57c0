/* The words of an expression. Inside of expr.c; nobody else includes this. */
#ifndef HM_RECIPE_EXPR_LEX_H
#define HM_RECIPE_EXPR_LEX_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

enum hm_token_kind {
    HM_TOKEN_END,
    HM_TOKEN_LITERAL, /* value */
    HM_TOKEN_PATH,    /* start, len */
    HM_TOKEN_COUNT,   /* count, with a ( behind it */
    HM_TOKEN_PLURAL,  /* plural, in the same way */
    HM_TOKEN_OPEN,
    HM_TOKEN_CLOSE,
    HM_TOKEN_OPEN_LIST,
    HM_TOKEN_CLOSE_LIST,
    HM_TOKEN_COMMA,
    HM_TOKEN_NOT,
    HM_TOKEN_AND,
    HM_TOKEN_OR,
    HM_TOKEN_IN,
    HM_TOKEN_EQ,
    HM_TOKEN_NE,
    HM_TOKEN_LT,
    HM_TOKEN_LE,
    HM_TOKEN_GT,
    HM_TOKEN_GE,
    HM_TOKEN_NR
};

struct hm_token {
    enum hm_token_kind kind;
    const char *start; /* into the text */
    size_t len;
    json_t *value; /* LITERAL: owned by the token; NULL otherwise */
};

/* Reads the token at or after `at` into tok. HM_EINVAL with err set: "character 7: …". `text` is the whole, for positions. */
HM_MUST enum hm_code hm_token_read(const char *text, const char *at, struct hm_token *tok, struct hm_err *err);
/* Sets err to "character N: …" for the place `at`. */
enum hm_code hm_token_error(const char *text, const char *at, struct hm_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
