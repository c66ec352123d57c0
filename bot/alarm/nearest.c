/* The nearest rule: see nearest.h. */
#include "alarm/nearest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/macros.h"
#include "alarm/pieces.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum {
    SHARE_MIN = 50,  /* percent of words or pieces that make a rule a near one */
    WORDS_MIN = 2,   /* one of two words is chance */
    FIT_MIN = 8,     /* bytes of the text that must fit; less is chance */
    TELLING_MIN = 4, /* bytes that fit and are worth showing */
    BEFORE_MAX = 40, /* bytes shown of what fits … */
    BEHIND_MAX = 30, /* … and of what comes then */
    PIECE_SHOWN = 80,
    SENTENCE_MAX = 600
};

/* ---- how far a pattern fits ------------------------------------------------------------------------------------------------ */

/* Whether the first len bytes of a pattern are found. What can not stand alone is not. */
static bool fits(const char *pattern, size_t len, const char *text, struct hm_hit *ret_hit)
{
    char *part = hm_xstrndup(pattern, len);
    char *expanded = hm_alarm_expand(part, NULL);
    struct hm_finder *finder = expanded != NULL ? hm_finder_new(expanded, NULL) : NULL;
    bool found = finder != NULL && hm_finder_next(finder, text, 0, ret_hit, NULL, NULL) == HM_OK;
    hm_finder_free(finder);
    free(expanded);
    free(part);
    return found;
}

/* One alternative of a pattern, and how much of it fits. */
struct reach {
    const char *begin; /* of the alternative */
    size_t fitting;    /* bytes of it that fit together */
    size_t pieces, fitting_pieces;
    struct hm_hit hit; /* in the text */
};

/* Of the alternative that begins at p; returns what is behind it. */
static const char *measure(const char *p, const char *text, struct reach *ret)
{
    *ret = (struct reach){.begin = p};
    bool all = true;
    while (*p != '\0' && *p != '|') {
        struct hm_hit hit = {0};
        p = hm_alarm_skip_piece(p);
        ret->pieces++;
        all = all && fits(ret->begin, (size_t)(p - ret->begin), text, &hit);
        if (!all)
            continue;
        ret->fitting = (size_t)(p - ret->begin);
        ret->fitting_pieces++;
        ret->hit = hit;
    }
    return p;
}

/* Of the alternative that fits best. */
static struct reach reach_of(const char *pattern, const char *text)
{
    struct reach best = {.begin = pattern};
    for (const char *p = pattern; *p != '\0';) {
        struct reach one;
        p = measure(p, text, &one);
        p += *p == '|' ? 1 : 0;
        if (one.begin == pattern || one.hit.end - one.hit.start > best.hit.end - best.hit.start)
            best = one;
    }
    return best;
}

/* ---- the failing part -------------------------------------------------------------------------------------------------------
 */

/* text[from..to) in quotes, at most so much in front of `at` and behind it; line ends are blanks, what is cut off three dots. */
static void add_quoted(struct hm_strbuf *out, const char *text, size_t from, size_t at, size_t to)
{
    static const char dots[] = "\xe2\x80\xa6";
    size_t first = at - from > BEFORE_MAX ? at - BEFORE_MAX : from;
    while (first < at && ((unsigned char)text[first] & 0xc0) == 0x80)
        first++;
    size_t last = to - at > BEHIND_MAX ? at + hm_utf8_prefix(text + at, BEHIND_MAX) : to;
    char *part = hm_xstrndup(text + first, last - first);
    for (char *c = part; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    hm_strbuf_addf(out, "\"%s%s%s\"", first > from ? dots : "", part, last < to ? dots : "");
    free(part);
}

/* The pattern without a macro; NULL when it has none of it. Caller frees. */
static char *without(const char *pattern, const char *macro)
{
    struct hm_strbuf out;
    const char *found = strstr(pattern, macro);
    if (found == NULL)
        return NULL;
    hm_strbuf_init(&out, HM_FINDER_MAX);
    for (; found != NULL; found = strstr(pattern, macro)) {
        hm_strbuf_add(&out, pattern, (size_t)(found - pattern));
        pattern = found + strlen(macro);
    }
    hm_strbuf_adds(&out, pattern);
    return hm_strbuf_take(&out);
}

/* What takes no room of its own, but must or must not stand around the rest. */
static const struct around {
    const char *macro, *said;
    bool left;
} arounds[] = {
    {"{{real}}", "what stands before its words denies them: ", true},
    {"{{here}}", "what stands behind its words takes them back: ", false},
    {"{{end}}", "a value goes on where it should end: ", false},
    {"{{begin}}", "something stands directly in front of a value: ", true},
};

/* Without which of these all would fit; NULL = without none. */
static const struct around *only_around(const char *pattern, const char *text, struct hm_hit *ret_hit)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(arounds); i++) {
        char *rest = without(pattern, arounds[i].macro);
        bool only = rest != NULL && fits(rest, strlen(rest), text, ret_hit);
        free(rest);
        if (only)
            return &arounds[i];
    }
    return NULL;
}

static void add_around(struct hm_strbuf *out, const struct around *around, const char *text, const struct hm_hit *hit)
{
    static const char label[] = "{{elsewhere}}";
    struct hm_hit found = {0};
    bool elsewhere = strcmp(around->macro, "{{here}}") == 0 && fits(label, strlen(label), text + hit->end, &found);
    hm_strbuf_adds(out, elsewhere ? "a label further down says that it is not about production: " : around->said);
    if (around->left)
        add_quoted(out, text, 0, hit->start, strlen(text));
    else if (elsewhere)
        add_quoted(out, text, hit->end + found.start, hit->end + found.start, hit->end + found.end);
    else
        add_quoted(out, text, hit->start, hit->end, strlen(text));
}

static void add_failing_piece(struct hm_strbuf *out, const char *pattern, const char *text)
{
    struct reach reach = reach_of(pattern, text);
    bool telling = reach.hit.end - reach.hit.start >= TELLING_MIN;
    const char *piece = reach.begin + reach.fitting;
    const char *end = hm_alarm_skip_piece(piece);
    piece = telling ? piece : reach.begin;
    size_t len = (size_t)(end - piece);
    size_t shown = len <= PIECE_SHOWN ? len : hm_utf8_prefix(piece, PIECE_SHOWN);
    const char *more = shown < len ? "\xe2\x80\xa6" : "";
    if (!telling) {
        hm_strbuf_addf(out, "there is no `%.*s%s`", (int)shown, piece, more);
        return;
    }
    add_quoted(out, text, reach.hit.start, reach.hit.end, reach.hit.end);
    hm_strbuf_adds(out, " fits, then comes ");
    if (text[reach.hit.end] == '\0')
        hm_strbuf_adds(out, "the end");
    else
        add_quoted(out, text, reach.hit.end, reach.hit.end, strlen(text));
    hm_strbuf_addf(out, ", where `%.*s%s` must be", (int)shown, piece, more);
}

char *hm_alarm_failing(const char *pattern, const char *text)
{
    struct hm_hit hit = {0};
    struct hm_strbuf out;
    if (fits(pattern, strlen(pattern), text, &hit))
        return NULL;
    hm_strbuf_init(&out, SENTENCE_MAX);
    const struct around *around = only_around(pattern, text, &hit);
    if (around != NULL)
        add_around(&out, around, text, &hit);
    else
        add_failing_piece(&out, pattern, text);
    return hm_strbuf_take(&out);
}

/* ---- the nearest ------------------------------------------------------------------------------------------------------------
 */

/* The share of the pattern's longer words that stand in the text, in percent. */
static int likeness(const struct hm_alarm_rule *rule, const char *small_text)
{
    enum { WORD_MIN = 4, WORD_MAX = 40 };
    int words = 0;
    int there = 0;
    for (const char *p = rule->match_text; *p != '\0';) {
        char word[WORD_MAX];
        size_t len = 0;
        bool macro = hm_starts_with(p, "{{");
        bool name = hm_starts_with(p, "(?<") && p[3] != '=' && p[3] != '!';
        if (macro || name || *p == '\\') { /* these are no words */
            p = *p == '\\' ? hm_alarm_skip_escape(p) : p + strcspn(p, macro ? "}" : ">");
            continue;
        }
        while (isalpha((unsigned char)p[len]) && len < WORD_MAX - 1) {
            word[len] = (char)tolower((unsigned char)p[len]);
            len++;
        }
        word[len] = '\0';
        if (len >= WORD_MIN) {
            words++;
            there += strstr(small_text, word) != NULL ? 1 : 0;
        }
        p += len > 0 ? len : 1;
    }
    return words > 0 && (there >= WORDS_MIN || there == words) ? 100 * there / words : 0;
}

/* Whether a pattern begins with words, or with a value that is one of some words. */
static bool begins_with_words(const char *pattern)
{
    while (hm_starts_with(pattern, "{{"))
        pattern = hm_alarm_skip_piece(pattern);
    char *first = hm_xstrndup(pattern, (size_t)(hm_alarm_skip_piece(pattern) - pattern));
    bool words = hm_starts_with(first, "(?i:") || isalpha((unsigned char)*first) ||
                 (hm_starts_with(first, "(?<") && strpbrk(first, "[{\\") == NULL);
    free(first);
    return words;
}

/* The share of the pattern's pieces that fit one behind the other, in percent; 0 where the pattern begins with any value: some
 * word is always there. */
static int share_fitting(const struct hm_alarm_rule *rule, const char *text)
{
    struct hm_hit hit = {0};
    if (only_around(rule->match_text, text, &hit) != NULL)
        return 100;
    if (!begins_with_words(rule->match_text))
        return 0;
    struct reach reach = reach_of(rule->match_text, text);
    bool enough = reach.hit.end - reach.hit.start >= FIT_MIN;
    return enough ? (int)(100 * reach.fitting_pieces / reach.pieces) : 0;
}

const struct hm_alarm_rule *hm_alarm_nearest(const struct hm_alarms *alarms, const char *text)
{
    const struct hm_alarm_rule *nearest = NULL;
    int best = SHARE_MIN - 1;
    char *small = hm_xstrdup(text);
    for (char *c = small; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < alarms->count; i++) {
        const struct hm_alarm_rule *rule = alarms->items[i];
        int words = rule->resolves == NULL && rule->match_text != NULL ? likeness(rule, small) : 0;
        int pieces = rule->resolves == NULL && rule->match_text != NULL ? share_fitting(rule, text) : 0;
        int share = words > pieces ? words : pieces;
        if (share > best) {
            best = share;
            nearest = rule;
        }
    }
    free(small);
    return nearest;
}
