/* The words of an expression: see expr_lex.h. */
#include "recipe/expr_lex.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

enum hm_code hm_token_error(const char *text, const char *at, struct hm_err *err, const char *fmt, ...)
{
    struct hm_strbuf b;
    va_list ap;
    char *before = hm_xstrndup(text, (size_t)(at - text));
    hm_strbuf_init(&b, HM_ERR_MAX);
    va_start(ap, fmt);
    hm_strbuf_addv(&b, fmt, ap);
    va_end(ap);
    enum hm_code code = hm_err_set(err, HM_EINVAL, "character %zu: %s", hm_utf8_count(before) + 1, hm_strbuf_str(&b));
    hm_strbuf_done(&b);
    free(before);
    return code;
}

/* 'text' or "text"; \\ \' \" \n are the escapes. */
static enum hm_code read_string(const char *text, struct hm_token *tok, struct hm_err *err)
{
    enum hm_code code = HM_OK;
    struct hm_strbuf b;
    char quote = *tok->start;
    const char *p = tok->start + 1;
    hm_strbuf_init(&b, strlen(text));
    for (; code == HM_OK && *p != quote && *p != '\0'; p++) {
        if (*p != '\\') {
            hm_strbuf_addc(&b, *p);
            continue;
        }
        p++;
        if (*p == 'n')
            hm_strbuf_addc(&b, '\n');
        else if (*p == '\\' || *p == '\'' || *p == '"')
            hm_strbuf_addc(&b, *p);
        else
            code = hm_token_error(text, p - 1, err, "after a backslash stands one of \\ ' \" n; write \\\\ for a backslash");
    }
    if (code == HM_OK && *p != quote)
        code = hm_token_error(text, tok->start, err, "the string that begins here has no closing %c", quote);
    if (code == HM_OK) {
        tok->kind = HM_TOKEN_LITERAL;
        tok->len = (size_t)(p + 1 - tok->start);
        tok->value = hm_json_str_new(hm_strbuf_str(&b));
    }
    hm_strbuf_done(&b);
    return code;
}

static enum hm_code read_number(const char *text, struct hm_token *tok, struct hm_err *err)
{
    char number[40];
    const char *p = tok->start + (*tok->start == '-' ? 1 : 0);
    bool real = false;
    int64_t n = 0;
    while (is_digit(*p))
        p++;
    if (*p == '.' && is_digit(p[1])) {
        real = true;
        for (p++; is_digit(*p);)
            p++;
    }
    tok->len = (size_t)(p - tok->start);
    if (is_word(*p) || *p == '.')
        return hm_token_error(text, tok->start, err, "not a number; a name may not begin with a digit");
    if (tok->len >= sizeof number)
        return hm_token_error(text, tok->start, err, "the number is too long");
    memcpy(number, tok->start, tok->len);
    number[tok->len] = '\0';
    if (!real && !hm_parse_i64(number, INT64_MIN, INT64_MAX, &n))
        return hm_token_error(text, tok->start, err, "the number is too big");
    tok->kind = HM_TOKEN_LITERAL;
    tok->value = real ? json_real(strtod(number, NULL)) : json_integer(n);
    HM_ASSERT(tok->value != NULL);
    return HM_OK;
}

/* One part of a path: letters, digits, _ and, between them, -. Returns its end. */
static const char *part_end(const char *p)
{
    while (is_word(*p) || (*p == '-' && is_word(p[1])))
        p++;
    return p;
}

static bool is(const struct hm_token *tok, const char *word)
{
    return tok->len == strlen(word) && memcmp(tok->start, word, tok->len) == 0;
}

static enum hm_code read_word(const char *text, struct hm_token *tok, struct hm_err *err)
{
    static const struct {
        const char *word;
        enum hm_token_kind kind;
    } words[] = {{"and", HM_TOKEN_AND}, {"or", HM_TOKEN_OR}, {"not", HM_TOKEN_NOT}, {"in", HM_TOKEN_IN}};

    const char *p = part_end(tok->start);
    while (*p == '.' && is_word(p[1]))
        p = part_end(p + 1);
    tok->len = (size_t)(p - tok->start);
    if (*p == '.')
        return hm_token_error(text, p, err, "a name is missing after the dot");

    tok->kind = HM_TOKEN_PATH;
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        if (is(tok, words[i].word))
            tok->kind = words[i].kind;
    if (is(tok, "null"))
        tok->value = json_null();
    else if (is(tok, "true") || is(tok, "false"))
        tok->value = json_boolean(is(tok, "true"));
    if (tok->value != NULL)
        tok->kind = HM_TOKEN_LITERAL;
    if (tok->kind != HM_TOKEN_PATH)
        return HM_OK;

    while (*p == ' ')
        p++;
    if (is(tok, "count")) {
        tok->kind = HM_TOKEN_COUNT;
        return *p == '(' ? HM_OK : hm_token_error(text, tok->start, err, "count is a function; write count(…)");
    }
    if (is(tok, "plural") && *p == '(') { /* without it, a name like any other */
        tok->kind = HM_TOKEN_PLURAL;
        return HM_OK;
    }
    if (*p == '(')
        return hm_token_error(text, tok->start, err, "there is no function \"%.*s\"; only count(…) and plural(…) exist",
                              (int)(tok->len < 40 ? tok->len : 40), tok->start);
    return HM_OK;
}

static enum hm_code read_operator(const char *text, struct hm_token *tok, struct hm_err *err)
{
    static const struct {
        const char *sign;
        enum hm_token_kind kind;
        const char *instead; /* what to write when the sign is not ours */
    } signs[] = {
        {"==", HM_TOKEN_EQ, NULL},
        {"!=", HM_TOKEN_NE, NULL},
        {"<=", HM_TOKEN_LE, NULL},
        {">=", HM_TOKEN_GE, NULL},
        {"<", HM_TOKEN_LT, NULL},
        {">", HM_TOKEN_GT, NULL},
        {"(", HM_TOKEN_OPEN, NULL},
        {")", HM_TOKEN_CLOSE, NULL},
        {"[", HM_TOKEN_OPEN_LIST, NULL},
        {"]", HM_TOKEN_CLOSE_LIST, NULL},
        {",", HM_TOKEN_COMMA, NULL},
        {"=", HM_TOKEN_NR, "write == to compare"},
        {"!", HM_TOKEN_NR, "write not"},
        {"&", HM_TOKEN_NR, "write and"},
        {"|", HM_TOKEN_NR, "write or"},
        {"+", HM_TOKEN_NR, "there is no arithmetic here"},
        {"-", HM_TOKEN_NR, "there is no arithmetic here"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(signs); i++) {
        if (!hm_starts_with(tok->start, signs[i].sign))
            continue;
        if (signs[i].instead != NULL)
            return hm_token_error(text, tok->start, err, "\"%s\" means nothing here; %s", signs[i].sign, signs[i].instead);
        tok->kind = signs[i].kind;
        tok->len = strlen(signs[i].sign);
        return HM_OK;
    }
    size_t len = hm_utf8_take(tok->start, 1);
    return hm_token_error(text, tok->start, err, "\"%.*s\" means nothing here", (int)len, tok->start);
}

enum hm_code hm_token_read(const char *text, const char *at, struct hm_token *tok, struct hm_err *err)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    *tok = (struct hm_token){.kind = HM_TOKEN_END, .start = at, .len = 0, .value = NULL};
    if (*at == '\0')
        return HM_OK;
    if (*at == '\'' || *at == '"')
        return read_string(text, tok, err);
    if (is_digit(*at) || (*at == '-' && is_digit(at[1])))
        return read_number(text, tok, err);
    if (is_word(*at))
        return read_word(text, tok, err);
    return read_operator(text, tok, err);
}
