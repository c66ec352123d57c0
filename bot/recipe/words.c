/* The words of a slash command: see hm_params_parse_new() in recipe.h.
 *
 * Slack sends them as typed, but: & < > as entities, links and mentions as <…> when it recognised them, and the quotes that a
 * Mac or a phone made "smart". All of that is undone here; what the values mean is params.c's business. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "recipe/recipe.h"
#include "slack/escape.h"

enum { MAX_WORDS_BYTES = 16000, DRY_RUN_SLIPS = 2, BEGIN_MIN = 2 };

enum quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE, QUOTE_CODE };

struct word {
    char *key;   /* NULL = by position */
    char *value; /* unwrapped */
    bool option; /* it began with two dashes, which are taken off */
};

/* Bytes of the two dashes at p that begin an option, 0 when there are none: "--", or the one long dash that a phone makes of
 * them. */
static size_t dashes_len(const char *p)
{
    static const char *const dashes[] = {"--", "\xe2\x80\x94", "\xe2\x80\x93", "\xe2\x80\x95"};
    for (size_t i = 0; i < HM_ARRAY_LEN(dashes); i++) {
        size_t len = strlen(dashes[i]);
        if (hm_starts_with(p, dashes[i]))
            return (p[len] >= 'a' && p[len] <= 'z') || (p[len] >= 'A' && p[len] <= 'Z') ? len : 0;
    }
    return 0;
}

/* Bytes of the quote at p, and its kind. */
static size_t quote_len(const char *p, enum quote *ret_kind)
{
    static const struct {
        const char *sign;
        enum quote kind;
    } quotes[] = {{"'", QUOTE_SINGLE},  {"‘", QUOTE_SINGLE}, {"’", QUOTE_SINGLE}, {"‚", QUOTE_SINGLE}, {"`", QUOTE_CODE},
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

static const struct hm_param *find_param(const struct hm_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (strcmp(recipe->params[i].name, name) == 0)
            return &recipe->params[i];
    return NULL;
}

/* The name of a param at p, as "name=": its length, else 0. Phones begin a line with a capital, and some people put spaces around
 * the sign: both only where the name is one of the recipe's. *ret_key (caller frees) is in small letters; *ret_rest: what
 * follows. */
static size_t key_len(const struct hm_recipe *recipe, const char *p, char **ret_key, const char **ret_rest)
{
    size_t n = 0;
    size_t capitals = 0;
    while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z') || (n > 0 && p[n] >= '0' && p[n] <= '9') ||
           (n > 0 && p[n] == '-')) {
        capitals += p[n] >= 'A' && p[n] <= 'Z' ? 1 : 0;
        n++;
    }
    const char *sign = p + n;
    while (n > 0 && hm_space_len(sign) > 0)
        sign += hm_space_len(sign);
    if (n == 0 || *sign != '=')
        return 0;
    char *key = hm_xstrndup(p, n);
    for (size_t i = 0; i < n; i++)
        key[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] | 0x20 : key[i]);
    bool ours = recipe != NULL && find_param(recipe, key) != NULL;
    if ((capitals > 0 || sign != p + n) && !ours) {
        free(key);
        return 0;
    }
    const char *value = ++sign;
    while (ours && hm_space_len(value) > 0)
        value += hm_space_len(value);
    if (*value != '\0') /* "only=" alone is an empty value */
        sign = value;
    *ret_key = key;
    *ret_rest = sign;
    return n;
}

/* A quote ends where it is followed by a space or the end, so that 'don't' is one word. */
static const char *read_quoted(struct hm_strbuf *out, const char *p, enum quote kind, struct hm_err *err)
{
    const char *start = p;
    while (*p != '\0') {
        enum quote here = QUOTE_NONE;
        size_t len = quote_len(p, &here);
        if (here == kind && (p[len] == '\0' || hm_space_len(p + len) > 0))
            return p + len;
        p = add_char(out, p);
    }
    (void)hm_err_set(err, HM_EINVAL, "the quote before \"%.*s\" is never closed", (int)hm_utf8_take(start, 30), start);
    return NULL;
}

/* Reads the word at p; returns what follows, or NULL with err set. */
static const char *read_word(const struct hm_recipe *recipe, const char *p, struct word *word, struct hm_err *err)
{
    struct hm_strbuf raw;
    struct hm_strbuf clean;
    enum quote kind = QUOTE_NONE;
    size_t dashes = dashes_len(p);
    hm_strbuf_init(&raw, MAX_WORDS_BYTES);
    hm_strbuf_init(&clean, MAX_WORDS_BYTES);
    word->option = dashes > 0;
    p += dashes;
    (void)key_len(recipe, p, &word->key, &p);
    size_t quote = quote_len(p, &kind);
    if (quote > 0) {
        p = read_quoted(&raw, p + quote, kind, err);
    } else {
        while (*p != '\0' && hm_space_len(p) == 0)
            p = add_char(&raw, p);
    }
    hm_slack_unescape(&clean, hm_strbuf_str(&raw));
    word->value = hm_strbuf_take(&clean);
    hm_strbuf_done(&raw);
    hm_strbuf_done(&clean);
    return p;
}

/* The first param that has no value yet. */
static const struct hm_param *next_param(const struct hm_recipe *recipe, const json_t *values)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (json_object_get(values, recipe->params[i].name) == NULL)
            return &recipe->params[i];
    return NULL;
}

/* The one param whose name begins like this, or NULL. */
static const struct hm_param *begun_by(const struct hm_recipe *recipe, const char *begin)
{
    const struct hm_param *found = NULL;
    for (size_t i = 0; i < recipe->n_params; i++) {
        if (!hm_starts_with(recipe->params[i].name, begin))
            continue;
        if (found != NULL)
            return NULL;
        found = &recipe->params[i];
    }
    return strlen(begin) >= BEGIN_MIN ? found : NULL;
}

/* Whether "key=value" can be the param's value. */
static bool may_hold(const struct hm_param *param, const struct word *word)
{
    struct hm_err err = {0};
    char *text = hm_xasprintf("%s=%s", word->key, word->value);
    json_t *given = hm_json_str_new(text);
    json_t *value = hm_param_value_new(param, given, &err);
    bool may = value != NULL;
    json_decref(value);
    json_decref(given);
    free(text);
    return may;
}

/* Behind a param's name a value may hold = wherever it is typed; quotes around it are gone before they could say so on a shell.
 */
static enum hm_code no_param(const struct hm_recipe *recipe, const struct word *word, const json_t *values, struct hm_err *err)
{
    char meant[120];
    struct hm_suggest s;
    const struct hm_param *next = next_param(recipe, values);
    hm_suggest_init(&s, word->key);
    for (size_t i = 0; i < recipe->n_params; i++)
        hm_suggest_try(&s, recipe->params[i].name);
    const struct hm_param *whole = begun_by(recipe, word->key);
    if (s.best == NULL && whole != NULL)
        return hm_err_set(err, HM_EINVAL, "%s has no param \"%.60s\"; if that is %s, write %s=%.*s", recipe->name, word->key,
                          whole->name, whole->name, (int)hm_utf8_take(word->value, 60), word->value);
    if (s.best != NULL || next == NULL || !may_hold(next, word))
        return hm_err_set(err, HM_EINVAL, "%s has no param \"%.60s\"%s", recipe->name, word->key,
                          hm_suggest_text(&s, meant, sizeof meant));
    return hm_err_set(err, HM_EINVAL, "%s has no param \"%.60s\"; if that is a value with = in it, write %s=%.60s=%.*s",
                      recipe->name, word->key, next->name, word->key, (int)hm_utf8_take(word->value, 60), word->value);
}

static enum hm_code add_value(const struct hm_recipe *recipe, const struct word *word, json_t *values, struct hm_err *err)
{
    size_t shown = hm_utf8_take(word->value, 60);
    const struct hm_param *param = word->key != NULL ? find_param(recipe, word->key) : next_param(recipe, values);
    if (param == NULL && word->key != NULL)
        return no_param(recipe, word, values, err);
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

static bool is_dry_run(const char *name)
{
    return strcasecmp(name, "dry-run") == 0 || strcasecmp(name, "dryrun") == 0;
}

/* "--dry-rn", "--dry", "--dry-run=yes": wrong, but whoever wrote it does not want a real run. */
static bool is_nearly_dry_run(const char *name)
{
    return strncasecmp(name, "dry", 3) == 0 || hm_edit_distance(name, "dry-run", DRY_RUN_SLIPS + 1) <= DRY_RUN_SLIPS;
}

/* "--dry-run"; "--name=value" is "name=value". */
static enum hm_code take_word(const struct hm_recipe *recipe, const struct word *word, json_t *values, bool *ret_dry_run,
                              struct hm_err *err)
{
    enum hm_code code = HM_OK;
    if (!word->option || word->key != NULL)
        code = add_value(recipe, word, values, err);
    else if (!is_dry_run(word->value))
        code = hm_err_set(
            err, HM_EINVAL,
            "there is no option --%.*s; there is --dry-run, and params are written name=value; a value that begins with "
            "dashes is put in quotes",
            (int)hm_utf8_take(word->value, 40), word->value);
    else if (ret_dry_run == NULL)
        code = hm_err_set(err, HM_EINVAL, "--dry-run can not be used here");
    else
        *ret_dry_run = true;
    if (code != HM_OK && ret_dry_run != NULL && word->option && is_nearly_dry_run(word->key != NULL ? word->key : word->value))
        *ret_dry_run = true;
    return code;
}

/* words: UTF-8. The first thing that is wrong is told; what is right behind it is taken nevertheless. */
static enum hm_code parse_words(const struct hm_recipe *recipe, const char *words, json_t *values, bool *ret_dry_run,
                                struct hm_err *err)
{
    const char *p = words;
    enum hm_code first = HM_OK;
    for (;;) {
        struct word word = {0};
        struct hm_err later = {0};
        while (hm_space_len(p) > 0)
            p += hm_space_len(p);
        if (*p == '\0')
            return first;
        const char *next = read_word(recipe, p, &word, first == HM_OK ? err : &later);
        enum hm_code code =
            next != NULL ? take_word(recipe, &word, values, ret_dry_run, first == HM_OK ? err : &later) : HM_EINVAL;
        free(word.key);
        free(word.value);
        first = first == HM_OK ? code : first;
        if (next == NULL) { /* a quote that is never closed: nobody knows what is in it */
            if (ret_dry_run != NULL && strcasestr(p, "dry-run") != NULL)
                *ret_dry_run = true;
            return first;
        }
        p = next;
    }
}

json_t *hm_params_typed_new(const struct hm_recipe *recipe, const char *words, bool *ret_dry_run, json_t **ret_understood,
                            struct hm_err *err)
{
    size_t len = strlen(words);
    char *clean = hm_utf8_valid(words, len) ? hm_xstrdup(words) : hm_utf8_clean(words, len);
    json_t *values = hm_json_obj_new();
    enum hm_code code = HM_OK;
    if (ret_dry_run != NULL)
        *ret_dry_run = false;
    if (ret_understood != NULL)
        *ret_understood = NULL;
    if (strlen(clean) > MAX_WORDS_BYTES)
        code = hm_err_set(err, HM_ETOOBIG, "more than %d bytes after the recipe's name", MAX_WORDS_BYTES);
    if (code == HM_OK)
        code = parse_words(recipe, clean, values, ret_dry_run, err);
    else if (ret_dry_run != NULL) /* it is not read, but what opens after it must not begin a real run */
        *ret_dry_run = strcasestr(clean, "dry-run") != NULL;
    free(clean);
    if (code == HM_OK)
        return values;
    if (ret_understood != NULL)
        *ret_understood = values;
    else
        json_decref(values);
    return NULL;
}

json_t *hm_params_parse_new(const struct hm_recipe *recipe, const char *words, struct hm_err *err)
{
    return hm_params_typed_new(recipe, words, NULL, NULL, err);
}

char *hm_words_first(const char *text, const char **ret_rest)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_WORDS_BYTES);
    while (hm_space_len(text) > 0)
        text += hm_space_len(text);
    enum quote kind = QUOTE_NONE;
    size_t quote = quote_len(text, &kind);
    struct hm_err ignored = {0};
    const char *end = quote > 0 ? read_quoted(&out, text + quote, kind, &ignored) : NULL;
    if (end == NULL) { /* not quoted, or the quote is never closed: then it is a letter like any other */
        hm_strbuf_reset(&out);
        for (end = text; *end != '\0' && hm_space_len(end) == 0;)
            end = add_char(&out, end);
    }
    while (hm_space_len(end) > 0)
        end += hm_space_len(end);
    *ret_rest = end;
    struct hm_strbuf clean;
    hm_strbuf_init(&clean, MAX_WORDS_BYTES);
    hm_slack_unescape(&clean, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
    return hm_strbuf_take(&clean);
}

json_t *hm_params_words_new(const struct hm_recipe *recipe, char *const *words, struct hm_err *err)
{
    json_t *values = hm_json_obj_new();
    for (; *words != NULL; words++) {
        char *clean = hm_utf8_clean(*words, strlen(*words));
        const char *rest = clean;
        struct word word = {0};
        if (key_len(NULL, clean, &word.key, &rest) == 0)
            rest = clean;
        word.value = hm_xstrdup(rest);
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
