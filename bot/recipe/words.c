/* The words of a slash command: see hm_params_parse_new() in recipe.h.
 *
 * Slack sends them as typed, but: & < > as entities, links and mentions as <…> when it recognised them, and the quotes that a
 * Mac or a phone made "smart". All of that is undone here; what the values mean is params.c's business. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "recipe/recipe.h"
#include "slack/escape.h"

enum { MAX_WORDS_BYTES = 16000 };

enum quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE };

struct word {
    char *key;   /* NULL = by position */
    char *value; /* unwrapped */
};

/* Bytes of the space at p, 0 when it is none. A phone may send a no-break space. */
static size_t space_len(const char *p)
{
    if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        return 1;
    return hm_starts_with(p, "\xc2\xa0") ? 2 : 0;
}

/* Bytes of the quote at p, and its kind. */
static size_t quote_len(const char *p, enum quote *ret_kind)
{
    static const struct {
        const char *sign;
        enum quote kind;
    } quotes[] = {{"'", QUOTE_SINGLE},  {"‘", QUOTE_SINGLE}, {"’", QUOTE_SINGLE}, {"‚", QUOTE_SINGLE},
                  {"\"", QUOTE_DOUBLE}, {"“", QUOTE_DOUBLE}, {"”", QUOTE_DOUBLE}, {"„", QUOTE_DOUBLE}};
    for (size_t i = 0; i < HM_ARRAY_LEN(quotes); i++) {
        if (hm_starts_with(p, quotes[i].sign)) {
            *ret_kind = quotes[i].kind;
            return strlen(quotes[i].sign);
        }
    }
    *ret_kind = QUOTE_NONE;
    return 0;
}

/* Slack made the link <http://x.y|x.y> of a plain "x.y". */
static bool is_own_label(const char *target, size_t target_len, const char *label, size_t label_len)
{
    static const char *const schemes[] = {"http://", "https://", "mailto:", "tel:"};
    for (size_t i = 0; i < HM_ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (label_len > 0 && target_len == len + label_len && hm_starts_with(target, schemes[i]) &&
            memcmp(target + len, label, label_len) == 0)
            return true;
    }
    return false;
}

/* What the person typed where Slack put <inside>: "@U1|ann" U1, "#C1|ops" C1, "!subteam^S1|@red" S1, "https://x.y|x.y" x.y. */
static void add_unwrapped(struct hm_strbuf *out, const char *inside, size_t len)
{
    const char *bar = memchr(inside, '|', len);
    size_t target = bar != NULL ? (size_t)(bar - inside) : len;
    const char *label = bar != NULL ? bar + 1 : inside + len;
    size_t label_len = (size_t)(inside + len - label);
    size_t sign = hm_starts_with(inside, "!subteam^") ? 9 : strcspn(inside, "@#!") == 0 ? 1 : 0;
    if (sign > 0 && target >= sign) {
        hm_strbuf_add(out, inside + sign, target - sign);
    } else if (is_own_label(inside, target, label, label_len)) {
        hm_strbuf_add(out, label, label_len);
    } else {
        hm_strbuf_add(out, inside, target);
    }
}

/* Adds the character (or the <…> token) at p; returns what follows. */
static const char *add_char(struct hm_strbuf *out, const char *p)
{
    const char *close = *p == '<' ? strchr(p, '>') : NULL;
    if (close == NULL) {
        hm_strbuf_addc(out, *p);
        return p + 1;
    }
    add_unwrapped(out, p + 1, (size_t)(close - p - 1));
    return close + 1;
}

/* A name and = at p: returns the length of the name, else 0. */
static size_t key_len(const char *p)
{
    size_t n = 0;
    if (*p < 'a' || *p > 'z')
        return 0;
    while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= '0' && p[n] <= '9') || p[n] == '-')
        n++;
    return p[n] == '=' ? n : 0;
}

/* A quote ends where it is followed by a space or the end, so that 'don't' is one word. */
static const char *read_quoted(struct hm_strbuf *out, const char *p, enum quote kind, struct hm_err *err)
{
    const char *start = p;
    while (*p != '\0') {
        enum quote here = QUOTE_NONE;
        size_t len = quote_len(p, &here);
        if (here == kind && (p[len] == '\0' || space_len(p + len) > 0))
            return p + len;
        p = add_char(out, p);
    }
    (void)hm_err_set(err, HM_EINVAL, "the quote before \"%.*s\" is never closed", (int)hm_utf8_take(start, 30), start);
    return NULL;
}

/* Reads the word at p; returns what follows, or NULL with err set. */
static const char *read_word(const char *p, struct word *word, struct hm_err *err)
{
    struct hm_strbuf raw;
    struct hm_strbuf clean;
    enum quote kind = QUOTE_NONE;
    size_t key = key_len(p);
    hm_strbuf_init(&raw, MAX_WORDS_BYTES);
    hm_strbuf_init(&clean, MAX_WORDS_BYTES);
    if (key > 0) {
        word->key = hm_xstrndup(p, key);
        p += key + 1;
    }
    size_t quote = quote_len(p, &kind);
    if (quote > 0) {
        p = read_quoted(&raw, p + quote, kind, err);
    } else {
        while (*p != '\0' && space_len(p) == 0)
            p = add_char(&raw, p);
    }
    hm_slack_unescape(&clean, hm_strbuf_str(&raw));
    word->value = hm_strbuf_take(&clean);
    hm_strbuf_done(&raw);
    hm_strbuf_done(&clean);
    return p;
}

static const struct hm_param *find_param(const struct hm_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (strcmp(recipe->params[i].name, name) == 0)
            return &recipe->params[i];
    return NULL;
}

/* The first param that has no value yet. */
static const struct hm_param *next_param(const struct hm_recipe *recipe, const json_t *values)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (json_object_get(values, recipe->params[i].name) == NULL)
            return &recipe->params[i];
    return NULL;
}

static enum hm_code add_value(const struct hm_recipe *recipe, const struct word *word, json_t *values, struct hm_err *err)
{
    char meant[120];
    size_t shown = hm_utf8_take(word->value, 60);
    const struct hm_param *param = word->key != NULL ? find_param(recipe, word->key) : next_param(recipe, values);
    if (param == NULL && word->key != NULL) {
        struct hm_suggest s;
        hm_suggest_init(&s, word->key);
        for (size_t i = 0; i < recipe->n_params; i++)
            hm_suggest_try(&s, recipe->params[i].name);
        return hm_err_set(err, HM_EINVAL, "%s has no param \"%.60s\"%s", recipe->name, word->key,
                          s.best != NULL ? hm_suggest_text(&s, meant, sizeof meant) : "; put a value that holds = in quotes");
    }
    if (param == NULL && recipe->n_params == 0)
        return hm_err_set(err, HM_EINVAL, "%s takes no params; \"%.*s\" is too much", recipe->name, (int)shown, word->value);
    if (param == NULL)
        return hm_err_set(err, HM_EINVAL, "%s takes %zu param%s; \"%.*s\" is too much; put a value with spaces in quotes",
                          recipe->name, recipe->n_params, recipe->n_params == 1 ? "" : "s", (int)shown, word->value);
    if (json_object_get(values, param->name) != NULL)
        return hm_err_set(err, HM_EINVAL, "%s is given twice", param->name);
    hm_json_set_str(values, param->name, word->value);
    return HM_OK;
}

/* words: UTF-8. */
static json_t *parse_words(const struct hm_recipe *recipe, const char *words, struct hm_err *err)
{
    json_t *values = hm_json_obj_new();
    const char *p = words;
    enum hm_code code = HM_OK;
    while (code == HM_OK) {
        struct word word = {NULL, NULL};
        while (space_len(p) > 0)
            p += space_len(p);
        if (*p == '\0')
            return values;
        p = read_word(p, &word, err);
        code = p != NULL ? add_value(recipe, &word, values, err) : HM_EINVAL;
        free(word.key);
        free(word.value);
    }
    json_decref(values);
    return NULL;
}

json_t *hm_params_parse_new(const struct hm_recipe *recipe, const char *words, struct hm_err *err)
{
    size_t len = strlen(words);
    char *clean = hm_utf8_valid(words, len) ? hm_xstrdup(words) : hm_utf8_clean(words, len);
    json_t *values = NULL;
    if (strlen(clean) > MAX_WORDS_BYTES)
        (void)hm_err_set(err, HM_ETOOBIG, "more than %d bytes after the recipe's name", MAX_WORDS_BYTES);
    else
        values = parse_words(recipe, clean, err);
    free(clean);
    return values;
}

json_t *hm_params_words_new(const struct hm_recipe *recipe, char *const *words, struct hm_err *err)
{
    json_t *values = hm_json_obj_new();
    for (; *words != NULL; words++) {
        char *clean = hm_utf8_clean(*words, strlen(*words));
        size_t key = key_len(clean);
        struct word word = {key > 0 ? hm_xstrndup(clean, key) : NULL, hm_xstrdup(clean + (key > 0 ? key + 1 : 0))};
        enum hm_code code = add_value(recipe, &word, values, err);
        free(word.key);
        free(word.value);
        free(clean);
        if (code != HM_OK) {
            json_decref(values);
            return NULL;
        }
    }
    return values;
}
