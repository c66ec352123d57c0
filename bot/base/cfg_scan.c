/* A first look at a libconfig text: see cfg_scan.h. */
#include "base/cfg_scan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cfg_syntax.h"
#include "base/mem.h"
#include "base/text.h"

struct scan {
    const char *file;
    const char *at;
    const char *end;
    int line;
    bool refused;
    struct {
        int from, to; /* lines */
    } long_text;      /* the last text that goes over several lines, texts next to each other being one; 0 = none */
    struct hm_cfg_syntax syntax;
    struct hm_cfg_lines *lines;
    struct hm_diags *diags;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static void skip_line_comment(struct scan *s)
{
    while (s->at < s->end && *s->at != '\n')
        s->at++;
}

static void skip_block_comment(struct scan *s)
{
    int opened = s->line;
    for (s->at += 2; s->at < s->end; s->at++) {
        if (s->at[0] == '*' && s->at[1] == '/') {
            s->at += 2;
            return;
        }
        if (*s->at == '\n')
            s->line++;
    }
    hm_diags_add(s->diags, s->file, opened, "a comment opened with /* here is never closed; add */ where it ends");
    s->refused = true;
}

/* The line that a text opened here really begins on: an earlier one when it only continues what has come over several lines. */
static int began(const struct scan *s, int opened, bool continues)
{
    return continues && s->long_text.to == opened ? s->long_text.from : opened;
}

static void scan_string(struct scan *s)
{
    int opened = s->line;
    bool next_to = s->syntax.in_string; /* libconfig makes one of them */
    const char *start = s->at;
    if (!s->syntax.in_string) {
        s->lines->items = hm_xreallocarray(s->lines->items, s->lines->count + 1, sizeof s->lines->items[0]);
        s->lines->items[s->lines->count++] = opened;
    }
    for (s->at++; s->at < s->end; s->at++) {
        char c = *s->at;
        if (c == '"') {
            s->at++;
            hm_cfg_syntax_feed(&s->syntax, HM_CFG_TOKEN_STRING, start, (size_t)(s->at - start), opened);
            int from = began(s, opened, next_to);
            if (from < s->line && !s->syntax.failed) {
                s->long_text.from = from;
                s->long_text.to = s->line;
            }
            return;
        }
        if (c == '\n')
            s->line++;
        if (c != '\\')
            continue;
        if (s->at[1] == '"' || s->at[1] == '\\') {
            s->at++;
        } else if (s->at[1] == 'x' && s->at[2] == '0' && s->at[3] == '0') {
            hm_diags_add(s->diags, s->file, s->line, "\\x00 would end the string here; take it out");
            s->refused = true;
        }
    }
    hm_diags_add(s->diags, s->file, began(s, opened, true),
                 "a string opened with a quote here is never closed; add the quote where it ends");
    s->refused = true;
}

/* Length of a float at p (libconfig's rule), 0 when there is none. */
static size_t float_len(const char *p)
{
    size_t n = *p == '-' || *p == '+' ? 1 : 0;
    size_t whole = n;
    while (is_digit(p[n]))
        n++;
    whole = n - whole;
    bool dot = p[n] == '.';
    if (dot)
        n++;
    while (dot && is_digit(p[n]))
        n++;
    if ((dot || whole > 0) && (p[n] == 'e' || p[n] == 'E')) {
        size_t e = n + 1;
        if (p[e] == '-' || p[e] == '+')
            e++;
        if (is_digit(p[e])) {
            while (is_digit(p[e]))
                e++;
            return e;
        }
    }
    return dot ? n : 0;
}

static void check_float(struct scan *s, size_t len)
{
    char text[64];
    if (len < sizeof text) {
        memcpy(text, s->at, len);
        text[len] = '\0';
        if (isfinite(strtod(text, NULL)))
            return;
    }
    hm_diags_add(s->diags, s->file, s->line, "the number %.*s is too big or too long", (int)(len < 40 ? len : 40), s->at);
    s->refused = true;
}

/* digits: where they start; base 10 or 16. */
static void check_integer(struct scan *s, size_t digits, size_t len, unsigned base, bool is_long)
{
    bool negative = *s->at == '-';
    uint64_t value = 0;
    bool fits = true;
    for (size_t i = digits; i < len && fits; i++) {
        char c = s->at[i];
        unsigned digit = is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
        fits = !__builtin_mul_overflow(value, (uint64_t)base, &value) && !__builtin_add_overflow(value, (uint64_t)digit, &value);
    }
    uint64_t top = (is_long ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX) + (negative ? 1 : 0);
    if (fits && value <= top)
        return;
    bool would_fit = fits && value <= (uint64_t)INT64_MAX;
    hm_diags_add(s->diags, s->file, s->line, "the number %.*s does not fit into %d bits%s", (int)(len < 40 ? len : 40), s->at,
                 is_long ? 64 : 32, would_fit ? "; write an L after it" : "; write a smaller one");
    s->refused = true;
}

/* False when no number stands here. Longest match wins, as in libconfig. */
static bool scan_number(struct scan *s)
{
    const char *p = s->at;
    size_t sign = *p == '-' || *p == '+' ? 1 : 0;
    size_t len = 0;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && is_hex(p[2])) {
        for (len = 2; is_hex(p[len]);)
            len++;
        bool is_long = p[len] == 'L';
        check_integer(s, 2, len, 16, is_long);
        s->at += len;
    } else if ((len = float_len(p)) > 0) {
        check_float(s, len);
        s->at += len;
    } else {
        for (len = sign; is_digit(p[len]);)
            len++;
        if (len == sign)
            return false;
        check_integer(s, sign, len, 10, p[len] == 'L');
        s->at += len;
    }
    while (*s->at == 'L')
        s->at++;
    return true;
}

static enum hm_cfg_token sign_token(char c)
{
    switch (c) {
    case '=':
    case ':':
        return HM_CFG_TOKEN_EQUALS;
    case ',':
        return HM_CFG_TOKEN_COMMA;
    case ';':
        return HM_CFG_TOKEN_SEMICOLON;
    case '(':
    case '[':
    case '{':
        return HM_CFG_TOKEN_OPEN;
    case ')':
    case ']':
    case '}':
        return HM_CFG_TOKEN_CLOSE;
    default:
        return HM_CFG_TOKEN_OTHER;
    }
}

/* Names, numbers and signs. */
static void scan_other(struct scan *s)
{
    const char *start = s->at;
    enum hm_cfg_token token = HM_CFG_TOKEN_SCALAR;
    if (is_name_start(*start)) {
        while (is_name_start(*s->at) || is_digit(*s->at) || *s->at == '-' || *s->at == '_')
            s->at++;
        size_t len = (size_t)(s->at - start);
        bool truth = (len == 4 && strncasecmp(start, "true", 4) == 0) || (len == 5 && strncasecmp(start, "false", 5) == 0);
        token = truth ? HM_CFG_TOKEN_SCALAR : HM_CFG_TOKEN_KEY;
    } else if (*start == '@') {
        hm_diags_add(s->diags, s->file, s->line, "@include is not followed; put everything into this file");
        s->refused = true;
        s->at = s->end;
        return;
    } else if (!scan_number(s)) {
        token = sign_token(*start);
        s->at += token == HM_CFG_TOKEN_OTHER ? hm_utf8_take(start, 1) : 1;
    }
    hm_cfg_syntax_feed(&s->syntax, token, start, (size_t)(s->at - start), s->line);
}

static void scan_token(struct scan *s)
{
    char c = *s->at;
    if (c == '\n')
        s->line++;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        s->at++;
    } else if (c == '#' || (c == '/' && s->at[1] == '/')) {
        skip_line_comment(s);
    } else if (c == '/' && s->at[1] == '*') {
        skip_block_comment(s);
    } else if (c == '"') {
        scan_string(s);
    } else {
        scan_other(s);
    }
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++)
        line += *text == '\n' ? 1 : 0;
    return line;
}

/* NUL, other control characters and malformed UTF-8; false after a finding. */
static bool check_bytes(const char *file, const char *text, size_t len, struct hm_diags *diags)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) {
            hm_diags_add(diags, file, line_of(text, text + i), "a control character (0x%02x) stands here; take it out", c);
            return false;
        }
    }
    if (hm_utf8_valid(text, len))
        return true;
    /* the longest valid prefix, line by line, names the line */
    const char *start = text;
    while (start < text + len) {
        const char *stop = memchr(start, '\n', (size_t)(text + len - start));
        stop = stop != NULL ? stop + 1 : text + len;
        if (!hm_utf8_valid(start, (size_t)(stop - start)))
            break;
        start = stop;
    }
    hm_diags_add(diags, file, line_of(text, start), "not UTF-8; save the file as UTF-8");
    return false;
}

/* A text without its closing quote goes on to the next quote, mostly on a later line, and what stands behind that one is what can
 * not be read: said there, the finding would send people to a line that is right. */
static void blame_long_text(const struct scan *s, size_t before)
{
    if (s->diags->count == before || s->long_text.to == 0 || s->diags->items[s->diags->count - 1].line != s->long_text.to)
        return;
    char *there = hm_diags_take_last(s->diags);
    hm_diags_add(s->diags, s->file, s->long_text.from,
                 "the text that is opened with a quote here goes on to line %d; is its closing quote missing? On line %d: %s",
                 s->long_text.to, s->long_text.to, there);
    free(there);
}

bool hm_cfg_scan(const char *file, const char *text, size_t len, size_t max_depth, struct hm_cfg_lines *lines,
                 struct hm_diags *diags)
{
    struct scan s = {.file = file, .at = text, .end = text + len, .line = 1, .lines = lines, .diags = diags};

    if (!check_bytes(file, text, len, diags))
        return false;
    hm_cfg_syntax_init(&s.syntax, file, max_depth, diags);
    size_t before = diags->count;
    while (s.at < s.end && !s.syntax.failed)
        scan_token(&s);
    if (s.syntax.failed)
        blame_long_text(&s, before);
    if (!s.refused)
        hm_cfg_syntax_feed(&s.syntax, HM_CFG_TOKEN_END, "", 0, s.line);
    return !s.refused && !s.syntax.failed;
}
