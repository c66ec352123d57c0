/* GraphQL: the document's memory and errors, and the lexer (spec section 2.1: names, numbers, strings and block strings,
 * punctuators; commas, comments and a byte order mark are skipped). Fails on the first thing that is no token. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "graphql_ast.h"

struct hm_gql_chunk {
    struct hm_gql_chunk *next;
    max_align_t data[];
};

void hm_gql_document_init(struct hm_gql_document *doc)
{
    memset(doc, 0, sizeof(*doc));
    doc->errors = hm_json_arr_new();
}

void hm_gql_document_done(struct hm_gql_document *doc)
{
    for (struct hm_gql_chunk *chunk = doc->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    json_decref(doc->errors);
    memset(doc, 0, sizeof(*doc));
}

void *hm_gql_alloc(struct hm_gql_document *doc, size_t size)
{
    struct hm_gql_chunk *chunk = hm_xcalloc(1, sizeof(*chunk) + size);
    chunk->next = doc->chunks;
    doc->chunks = chunk;
    return chunk->data;
}

char *hm_gql_strndup(struct hm_gql_document *doc, const char *s, size_t len)
{
    char *copy = hm_gql_alloc(doc, len + 1);
    memcpy(copy, s, len);
    return copy;
}

void hm_gql_error(struct hm_gql_document *doc, const struct hm_gql_pos *pos, const char *fmt, ...)
{
    struct hm_strbuf message;
    va_list ap;

    hm_strbuf_init(&message, 1000);
    va_start(ap, fmt);
    hm_strbuf_addv(&message, fmt, ap);
    va_end(ap);

    json_t *error = hm_json_obj_new();
    hm_json_set_str(error, "message", hm_strbuf_str(&message));
    hm_strbuf_done(&message);
    if (pos != NULL) {
        json_t *where = hm_json_obj_new();
        json_t *locations = hm_json_arr_new();
        hm_json_set_int(where, "line", pos->line);
        hm_json_set_int(where, "column", pos->column);
        hm_json_add(locations, where);
        hm_json_set(error, "locations", locations);
    }
    hm_json_add(doc->errors, error);
}

void hm_gql_lexer_init(struct hm_gql_lexer *lexer, struct hm_gql_document *doc, const char *text, size_t len)
{
    memset(lexer, 0, sizeof(*lexer));
    lexer->doc = doc;
    lexer->at = text;
    lexer->end = text + len;
    lexer->pos.line = 1;
    lexer->pos.column = 1;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        lexer->at += 3;
}

/* The byte `ahead` bytes on; 0 at the end. */
static char peek(const struct hm_gql_lexer *lexer, size_t ahead)
{
    if ((size_t)(lexer->end - lexer->at) > ahead)
        return lexer->at[ahead];
    return '\0';
}

static void advance(struct hm_gql_lexer *lexer, size_t n)
{
    for (; n > 0 && lexer->at < lexer->end; n--, lexer->at++) {
        if (*lexer->at == '\n') {
            lexer->pos.line++;
            lexer->pos.column = 1;
        } else if (((unsigned char)*lexer->at & 0xC0) != 0x80) { /* columns count characters */
            lexer->pos.column++;
        }
    }
}

static void skip_ignored(struct hm_gql_lexer *lexer)
{
    while (lexer->at < lexer->end) {
        char c = *lexer->at;
        if (c == '#') {
            while (lexer->at < lexer->end && *lexer->at != '\n' && *lexer->at != '\r')
                advance(lexer, 1);
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
            advance(lexer, 1);
        } else {
            return;
        }
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void take(struct hm_gql_lexer *lexer, size_t len, enum hm_gql_token_kind kind, struct hm_gql_token *ret_token)
{
    ret_token->kind = kind;
    ret_token->text = hm_gql_strndup(lexer->doc, lexer->at, len);
    advance(lexer, len);
}

static bool lex_number(struct hm_gql_lexer *lexer, struct hm_gql_token *ret_token)
{
    size_t n = peek(lexer, 0) == '-' ? 1 : 0;
    enum hm_gql_token_kind kind = HM_GQL_INT;
    bool ok = is_digit(peek(lexer, n)) && !(peek(lexer, n) == '0' && is_digit(peek(lexer, n + 1)));

    while (is_digit(peek(lexer, n)))
        n++;
    if (peek(lexer, n) == '.') {
        kind = HM_GQL_FLOAT;
        ok = ok && is_digit(peek(lexer, ++n));
        while (is_digit(peek(lexer, n)))
            n++;
    }
    if (peek(lexer, n) == 'e' || peek(lexer, n) == 'E') {
        kind = HM_GQL_FLOAT;
        n++;
        if (peek(lexer, n) == '+' || peek(lexer, n) == '-')
            n++;
        ok = ok && is_digit(peek(lexer, n));
        while (is_digit(peek(lexer, n)))
            n++;
    }
    if (!ok || is_name_start(peek(lexer, n)) || peek(lexer, n) == '.') {
        hm_gql_error(lexer->doc, &lexer->pos, "Syntax Error: Invalid number.");
        return false;
    }
    take(lexer, n, kind, ret_token);
    return true;
}

/* The value of one hex digit, -1 for any other character. */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads \uXXXX at `ahead`; false when it is none. */
static bool read_unit(const struct hm_gql_lexer *lexer, size_t ahead, unsigned *ret_unit)
{
    *ret_unit = 0;
    if (peek(lexer, ahead) != '\\' || peek(lexer, ahead + 1) != 'u')
        return false;
    for (size_t k = 2; k < 6; k++) {
        int digit = hex_value(peek(lexer, ahead + k));
        if (digit < 0)
            return false;
        *ret_unit = *ret_unit * 16 + (unsigned)digit;
    }
    return true;
}

static void add_utf8(struct hm_strbuf *out, unsigned c)
{
    if (c < 0x80) {
        hm_strbuf_addc(out, (char)c);
        return;
    }
    if (c < 0x800) {
        hm_strbuf_addc(out, (char)(0xC0 | (c >> 6)));
    } else {
        if (c < 0x10000) {
            hm_strbuf_addc(out, (char)(0xE0 | (c >> 12)));
        } else {
            hm_strbuf_addc(out, (char)(0xF0 | (c >> 18)));
            hm_strbuf_addc(out, (char)(0x80 | ((c >> 12) & 0x3F)));
        }
        hm_strbuf_addc(out, (char)(0x80 | ((c >> 6) & 0x3F)));
    }
    hm_strbuf_addc(out, (char)(0x80 | (c & 0x3F)));
}

/* \uXXXX at lexer->at, or two of them for a surrogate pair. Returns the number of bytes used, 0 when malformed. */
static size_t lex_unicode(const struct hm_gql_lexer *lexer, struct hm_strbuf *out)
{
    unsigned high, low;
    if (!read_unit(lexer, 0, &high))
        return 0;
    if (high < 0xD800 || high > 0xDFFF) {
        add_utf8(out, high);
        return 6;
    }
    if (high > 0xDBFF || !read_unit(lexer, 6, &low) || low < 0xDC00 || low > 0xDFFF)
        return 0;
    add_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
    return 12;
}

/* One escape at lexer->at; returns the bytes used, 0 when it is none. */
static size_t lex_escape(const struct hm_gql_lexer *lexer, struct hm_strbuf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = peek(lexer, 1);
    if (c == 'u')
        return lex_unicode(lexer, out);
    const char *hit = c != '\0' ? strchr(from, c) : NULL;
    if (hit == NULL)
        return 0;
    hm_strbuf_addc(out, to[hit - from]);
    return 2;
}

static bool lex_string(struct hm_gql_lexer *lexer, struct hm_gql_token *ret_token)
{
    struct hm_strbuf out;
    bool ok = false;

    hm_strbuf_init(&out, (size_t)(lexer->end - lexer->at));
    advance(lexer, 1);
    while (lexer->at < lexer->end && *lexer->at != '\n' && *lexer->at != '\r') {
        size_t n = 1;
        if (*lexer->at == '"') {
            advance(lexer, 1);
            ok = true;
            break;
        }
        if (*lexer->at == '\\')
            n = lex_escape(lexer, &out);
        else
            hm_strbuf_addc(&out, *lexer->at);
        if (n == 0)
            break;
        advance(lexer, n);
    }
    if (!ok)
        hm_gql_error(lexer->doc, &lexer->pos, "Syntax Error: Unterminated string or bad escape.");
    ret_token->kind = HM_GQL_STRING;
    ret_token->text = hm_gql_strndup(lexer->doc, hm_strbuf_str(&out), out.len);
    hm_strbuf_done(&out);
    return ok;
}

/* """text""": taken as it stands (common indentation is kept: no argument here depends on it). */
static bool lex_block_string(struct hm_gql_lexer *lexer, struct hm_gql_token *ret_token)
{
    advance(lexer, 3);
    for (size_t n = 0; (size_t)(lexer->end - lexer->at) > n; n++) {
        if (peek(lexer, n) != '"' || peek(lexer, n + 1) != '"' || peek(lexer, n + 2) != '"')
            continue;
        take(lexer, n, HM_GQL_STRING, ret_token);
        advance(lexer, 3);
        return true;
    }
    hm_gql_error(lexer->doc, &lexer->pos, "Syntax Error: Unterminated string.");
    return false;
}

bool hm_gql_lex(struct hm_gql_lexer *lexer, struct hm_gql_token *ret_token)
{
    skip_ignored(lexer);
    ret_token->pos = lexer->pos;
    char c = peek(lexer, 0);
    if (lexer->at == lexer->end) {
        take(lexer, 0, HM_GQL_END, ret_token);
        return true;
    }
    if (is_name_start(c)) {
        size_t n = 1;
        while (is_name_start(peek(lexer, n)) || is_digit(peek(lexer, n)))
            n++;
        take(lexer, n, HM_GQL_NAME, ret_token);
        return true;
    }
    if (is_digit(c) || c == '-')
        return lex_number(lexer, ret_token);
    if (c == '"')
        return peek(lexer, 1) == '"' && peek(lexer, 2) == '"' ? lex_block_string(lexer, ret_token) : lex_string(lexer, ret_token);
    if (c == '.' && peek(lexer, 1) == '.' && peek(lexer, 2) == '.') {
        take(lexer, 3, HM_GQL_PUNCTUATOR, ret_token);
        return true;
    }
    if (c != '\0' && strchr("!$&():=@[]{|}", c) != NULL) {
        take(lexer, 1, HM_GQL_PUNCTUATOR, ret_token);
        return true;
    }
    hm_gql_error(lexer->doc, &lexer->pos, "Syntax Error: Unexpected character 0x%02X.", (unsigned)(unsigned char)c);
    return false;
}
