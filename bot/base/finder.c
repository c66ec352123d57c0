/* Finding named values: see finder.h. */
#include "base/finder.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"

enum { STEPS_MAX = 100000, DEPTH_MAX = 1000, HEAP_MAX_KIB = 4096, NEST_MAX = 60 };

struct hm_finder {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data; /* of the newest search */
    char **names;           /* of the named groups, sorted, each once; NULL-terminated */
    uint32_t *numbers;      /* the group of each */
};

/* ---- no named group may be matched case-blind --------------------------------------------------------------------------- */

/* Behind a character class that begins at p ("[…]"). */
static const char *skip_class(const char *p)
{
    p++;
    if (*p == '^')
        p++;
    if (*p == ']')
        p++;
    for (; *p != '\0' && *p != ']'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '='))
            p += strcspn(p, "]");
        if (*p == '\0')
            return p;
    }
    return *p == ']' ? p + 1 : p;
}

/* Behind an escape that begins at p. */
static const char *skip_escape(const char *p)
{
    if (p[1] == '\0')
        return p + 1;
    if (p[1] != 'Q')
        return p + 2;
    const char *end = strstr(p, "\\E");
    return end != NULL ? end + 2 : p + strlen(p);
}

static bool is_named(const char *p)
{
    return (strncmp(p, "(?<", 3) == 0 && p[3] != '=' && p[3] != '!') || strncmp(p, "(?P<", 4) == 0 || strncmp(p, "(?'", 3) == 0;
}

/* Reads the options behind "(?" at p; false when there are none. *ret_end: at the ':' or ')'. */
static bool read_options(const char *p, bool *blind, bool *ret_spaced, const char **ret_end)
{
    bool on = true;
    const char *at = p;
    bool now = *blind;
    if (*at == '^') {
        now = false;
        at++;
    }
    for (; *at != '\0' && strchr("imsxnJU-", *at) != NULL; at++) {
        if (*at == '-')
            on = false;
        else if (*at == 'i')
            now = on;
        else if (*at == 'x' && on)
            *ret_spaced = true;
    }
    if (at == p || (*at != ':' && *at != ')'))
        return false;
    *blind = now;
    *ret_end = at;
    return true;
}

/* How far a pattern was read. */
struct reading {
    const char *p;
    bool blind[NEST_MAX + 1]; /* (?i) holds in the group of this depth */
    size_t depth;
};

/* A group begins at r->p. A sentence about what is not allowed, or NULL. */
static const char *open_group(struct reading *r)
{
    const char *end = NULL;
    bool spaced = false;
    if (strncmp(r->p, "(?#", 3) == 0) {
        r->p += strcspn(r->p, ")");
        r->p += *r->p != '\0' ? 1 : 0;
        return NULL;
    }
    if (r->depth == NEST_MAX)
        return "its groups are nested too deeply";
    bool inner = r->blind[r->depth];
    if (is_named(r->p)) {
        r->blind[++r->depth] = inner;
        r->p += 3;
        return inner ? "a named group stands inside (?i…): put (?i:…) around the fixed words only, values are never matched "
                       "case-blind"
                     : NULL;
    }
    bool options = r->p[1] == '?' && read_options(r->p + 2, &inner, &spaced, &end);
    if (options && *end == ')') { /* for the rest of this group */
        r->blind[r->depth] = inner;
        r->p = end + 1;
    } else {
        r->blind[++r->depth] = inner;
        r->p = options ? end + 1 : r->p + 1;
    }
    return spaced ? "the option x is not known here" : NULL;
}

/* A sentence about what is not allowed, or NULL. */
static const char *forbidden(const char *text)
{
    struct reading r = {.p = text};
    const char *problem = NULL;
    while (*r.p != '\0' && problem == NULL) {
        if (*r.p == '\\') {
            r.p = skip_escape(r.p);
        } else if (*r.p == '[') {
            r.p = skip_class(r.p);
        } else if (*r.p == '(') {
            problem = open_group(&r);
        } else {
            r.depth -= *r.p == ')' && r.depth > 0 ? 1 : 0;
            r.p++;
        }
    }
    return problem;
}

/* ---- compiling ------------------------------------------------------------------------------------------------------------ */

static void read_names(struct hm_finder *finder)
{
    uint32_t count = 0;
    uint32_t entry = 0;
    PCRE2_SPTR table = NULL;
    (void)pcre2_pattern_info(finder->code, PCRE2_INFO_NAMECOUNT, &count);
    (void)pcre2_pattern_info(finder->code, PCRE2_INFO_NAMEENTRYSIZE, &entry);
    (void)pcre2_pattern_info(finder->code, PCRE2_INFO_NAMETABLE, &table);
    finder->names = hm_xcalloc(count + 1, sizeof finder->names[0]);
    finder->numbers = hm_xcalloc(count + 1, sizeof finder->numbers[0]);
    for (uint32_t i = 0; i < count; i++) {
        PCRE2_SPTR row = table + (size_t)i * entry;
        finder->numbers[i] = ((uint32_t)row[0] << 8) | row[1];
        finder->names[i] = hm_xstrdup((const char *)row + 2);
    }
}

struct hm_finder *hm_finder_new(const char *text, struct hm_err *err)
{
    int problem = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR why[160] = "";
    size_t len = strlen(text);
    const char *no = forbidden(text);

    if (len > HM_FINDER_MAX) {
        (void)hm_err_set(err, HM_ETOOBIG, "the regular expression has %zu bytes; at most %d are allowed", len, HM_FINDER_MAX);
        return NULL;
    }
    if (text[0] == '(' && text[1] == '*') { /* verbs could lift the limits */
        (void)hm_err_set(err, HM_EINVAL, "not a usable regular expression: it may not begin with (*");
        return NULL;
    }
    if (no != NULL) {
        (void)hm_err_set(err, HM_EINVAL, "not a usable regular expression: %s", no);
        return NULL;
    }
    uint32_t options = PCRE2_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, len, options, &problem, &at, NULL);
    if (code == NULL) {
        (void)pcre2_get_error_message(problem, why, sizeof why);
        (void)hm_err_set(err, HM_EINVAL, "not a regular expression: %s at character %zu", (const char *)why, at + 1);
        return NULL;
    }
    struct hm_finder *finder = hm_xcalloc(1, sizeof *finder);
    finder->code = code;
    finder->limits = pcre2_match_context_create(NULL);
    finder->data = pcre2_match_data_create_from_pattern(code, NULL);
    HM_ASSERT(finder->limits != NULL && finder->data != NULL);
    (void)pcre2_set_match_limit(finder->limits, STEPS_MAX);
    (void)pcre2_set_depth_limit(finder->limits, DEPTH_MAX);
    (void)pcre2_set_heap_limit(finder->limits, HEAP_MAX_KIB);
    read_names(finder);
    return finder;
}

void hm_finder_free(struct hm_finder *finder)
{
    if (finder == NULL)
        return;
    for (size_t i = 0; finder->names[i] != NULL; i++)
        free(finder->names[i]);
    free(finder->names);
    free(finder->numbers);
    pcre2_match_data_free(finder->data);
    pcre2_match_context_free(finder->limits);
    pcre2_code_free(finder->code);
    free(finder);
}

const char *hm_finder_name(const struct hm_finder *finder, size_t i)
{
    return finder->names[i];
}

enum hm_code hm_finder_next(const struct hm_finder *finder, const char *text, size_t from, struct hm_hit *ret_hit,
                            json_t *ret_groups, struct hm_err *err)
{
    PCRE2_UCHAR why[160] = "";
    size_t len = strlen(text);
    if (from > len)
        return HM_ENOTFOUND;
    int rc = pcre2_match(finder->code, (PCRE2_SPTR)text, len, from, 0, finder->data, finder->limits);
    if (rc == PCRE2_ERROR_NOMATCH)
        return HM_ENOTFOUND;
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT)
        return hm_err_set(err, HM_ETOOBIG, "the regular expression takes too many steps on this text; write a simpler one");
    if (rc < 0) {
        (void)pcre2_get_error_message(rc, why, sizeof why);
        return hm_err_set(err, HM_EINVAL, "can not be matched: %s", (const char *)why);
    }
    const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(finder->data);
    *ret_hit = (struct hm_hit){ovector[0], ovector[1]};
    for (size_t i = 0; ret_groups != NULL && finder->names[i] != NULL; i++) {
        PCRE2_SIZE start = ovector[2 * (size_t)finder->numbers[i]];
        PCRE2_SIZE end = ovector[2 * (size_t)finder->numbers[i] + 1];
        if ((int)finder->numbers[i] < rc && start != PCRE2_UNSET && start <= end)
            hm_json_set(ret_groups, finder->names[i], hm_json_strn_new(text + start, end - start));
    }
    return HM_OK;
}
