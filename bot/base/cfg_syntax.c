/* The grammar of libconfig: see cfg_syntax.h. */
#include "base/cfg_syntax.h"

#include <string.h>

#include "base/text.h"

/* What a level waits for. */
enum want {
    WANT_KEY,    /* a key, or the end of the group */
    WANT_EQUALS, /* = behind a key */
    WANT_VALUE,  /* a value behind = */
    WANT_FIRST,  /* the first entry of a list, or its end */
    WANT_ENTRY,  /* an entry behind a comma */
    WANT_NEXT    /* a value is complete: what separates or closes */
};

enum { SHOWN_MAX = 40 };

void hm_cfg_syntax_init(struct hm_cfg_syntax *syntax, const char *file, size_t max_depth, struct hm_diags *diags)
{
    *syntax = (struct hm_cfg_syntax){.file = file, .diags = diags, .key = "", .max_depth = max_depth};
    if (max_depth > HM_CFG_DEPTH_CEILING)
        syntax->max_depth = HM_CFG_DEPTH_CEILING;
    syntax->levels[0].want = WANT_KEY;
}

/* One token on its way through. */
struct feed {
    struct hm_cfg_syntax *s;
    enum hm_cfg_token token;
    const char *text;
    size_t len;
    int line;
};

static int shown(size_t len)
{
    return (int)(len < SHOWN_MAX ? len : SHOWN_MAX);
}

/* A finding at the token: "…, not "x"". */
static void fail(const struct feed *f, const char *problem)
{
    f->s->failed = true;
    if (f->token == HM_CFG_TOKEN_END)
        hm_diags_add(f->s->diags, f->s->file, f->line, "%s; the file ends here", problem);
    else
        hm_diags_add(f->s->diags, f->s->file, f->line, "%s; here stands %.*s", problem, shown(f->len), f->text);
}

static bool is_value(enum hm_cfg_token token)
{
    return token == HM_CFG_TOKEN_STRING || token == HM_CFG_TOKEN_SCALAR || token == HM_CFG_TOKEN_OPEN;
}

static void open_level(const struct feed *f)
{
    struct hm_cfg_syntax *s = f->s;
    char c = f->text[0];
    if (s->levels[s->depth].closer == ']') {
        fail(f, "between [ and ] stand plain values only; write ( and )");
        return;
    }
    if (s->depth == s->max_depth) {
        s->failed = true;
        hm_diags_add(s->diags, s->file, f->line, "more than %zu levels of brackets; nest less", s->max_depth);
        return;
    }
    s->levels[s->depth].want = WANT_NEXT;
    s->depth++;
    s->levels[s->depth].closer = (char)(c == '(' ? ')' : c == '[' ? ']' : '}');
    s->levels[s->depth].line = f->line;
    s->levels[s->depth].want = c == '{' ? WANT_KEY : WANT_FIRST;
}

static void close_level(const struct feed *f)
{
    struct hm_cfg_syntax *s = f->s;
    char closer = s->levels[s->depth].closer;
    if (closer == f->text[0]) {
        s->depth--;
        return;
    }
    s->failed = true;
    if (closer == '\0')
        hm_diags_add(s->diags, s->file, f->line, "%c closes nothing; take it out, or open it before", f->text[0]);
    else
        hm_diags_add(s->diags, s->file, f->line, "%c stands where %c should close what line %d opened", f->text[0], closer,
                     s->levels[s->depth].line);
}

static void take_value(const struct feed *f)
{
    if (f->token == HM_CFG_TOKEN_OPEN)
        open_level(f);
    else
        f->s->levels[f->s->depth].want = WANT_NEXT;
}

static void want_key(const struct feed *f)
{
    struct hm_cfg_syntax *s = f->s;
    if (f->token == HM_CFG_TOKEN_KEY) {
        s->key = f->text;
        s->key_len = f->len;
        s->levels[s->depth].want = WANT_EQUALS;
    } else if (f->token == HM_CFG_TOKEN_CLOSE) {
        close_level(f);
    } else {
        fail(f, "a key must stand here");
    }
}

static void want_value(const struct feed *f)
{
    if (is_value(f->token)) {
        take_value(f);
    } else if (f->token == HM_CFG_TOKEN_KEY) {
        fail(f, "a text stands in quotes, a truth value is true or false");
    } else if (f->token == HM_CFG_TOKEN_OTHER) { /* “, ' and what else pages make of quotes */
        fail(f, "a text stands in straight double quotes");
    } else {
        f->s->failed = true;
        hm_diags_add(f->s->diags, f->s->file, f->line, "the value of \"%.*s\" is missing", shown(f->s->key_len), f->s->key);
    }
}

static void want_entry(const struct feed *f, bool first)
{
    if (is_value(f->token))
        take_value(f);
    else if (f->token == HM_CFG_TOKEN_CLOSE && first)
        close_level(f);
    else if (f->token == HM_CFG_TOKEN_CLOSE)
        fail(f, "the list has a comma and nothing after it; take the comma out");
    else if (f->token == HM_CFG_TOKEN_KEY)
        fail(f, "a text stands in quotes, a truth value is true or false, and keys belong into { }");
    else
        fail(f, "an entry of the list must stand here");
}

/* Behind a value: in a group the separator may be left out, in a list it may not. */
static void want_next(const struct feed *f)
{
    struct hm_cfg_syntax *s = f->s;
    bool group = s->levels[s->depth].closer == '}' || s->levels[s->depth].closer == '\0';
    if (f->token == HM_CFG_TOKEN_CLOSE)
        close_level(f);
    else if (f->token == HM_CFG_TOKEN_STRING && s->in_string)
        return; /* one long string in two pieces */
    else if (group && (f->token == HM_CFG_TOKEN_SEMICOLON || f->token == HM_CFG_TOKEN_COMMA))
        s->levels[s->depth].want = WANT_KEY;
    else if (group && f->token == HM_CFG_TOKEN_KEY)
        want_key(f);
    else if (group)
        fail(f, "\";\" and the next key must stand here");
    else if (f->token == HM_CFG_TOKEN_COMMA)
        s->levels[s->depth].want = WANT_ENTRY;
    else
        fail(f, s->levels[s->depth].closer == ')' ? "a comma or ) must stand here" : "a comma or ] must stand here");
}

static void at_end(const struct feed *f)
{
    struct hm_cfg_syntax *s = f->s;
    int want = s->levels[s->depth].want;
    if (s->depth == 0 && (want == WANT_KEY || want == WANT_NEXT))
        return;
    s->failed = true;
    if (s->depth > 0)
        hm_diags_add(s->diags, s->file, s->levels[s->depth].line, "a bracket opened here is never closed; add %c where it ends",
                     s->levels[s->depth].closer);
    else
        hm_diags_add(s->diags, s->file, f->line, "the value of \"%.*s\" is missing; the file ends here", shown(s->key_len),
                     s->key);
}

void hm_cfg_syntax_feed(struct hm_cfg_syntax *syntax, enum hm_cfg_token token, const char *text, size_t len, int line)
{
    const struct feed f = {syntax, token, text, len, line};
    if (syntax->failed)
        return;
    if (token == HM_CFG_TOKEN_END) {
        at_end(&f);
        return;
    }
    switch ((enum want)syntax->levels[syntax->depth].want) {
    case WANT_KEY:
        want_key(&f);
        break;
    case WANT_EQUALS:
        if (token == HM_CFG_TOKEN_EQUALS)
            syntax->levels[syntax->depth].want = WANT_VALUE;
        else
            fail(&f, "\"=\" is missing after the key");
        break;
    case WANT_VALUE:
        want_value(&f);
        break;
    case WANT_FIRST:
        want_entry(&f, true);
        break;
    case WANT_ENTRY:
        want_entry(&f, false);
        break;
    case WANT_NEXT:
        want_next(&f);
        break;
    }
    syntax->in_string = token == HM_CFG_TOKEN_STRING;
}
