/* Regular expressions: see pattern.h. */
#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

enum { STEPS_MAX = 200000, DEPTH_MAX = 2000, HEAP_MAX_KIB = 4096 };

struct hm_pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

struct hm_pattern *hm_pattern_new(const char *text, bool whole, struct hm_err *err)
{
    int problem = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR why[160] = "";
    size_t len = strlen(text);

    if (len > HM_PATTERN_MAX) {
        (void)hm_err_set(err, HM_ETOOBIG, "the regular expression has %zu bytes; at most %d are allowed", len, HM_PATTERN_MAX);
        return NULL;
    }
    /* (*…) verbs at the start could lift the limits; \C would cut characters */
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0U);
    if (text[0] == '(' && text[1] == '*') {
        (void)hm_err_set(err, HM_EINVAL, "not a usable regular expression: it may not begin with (*");
        return NULL;
    }
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, len, options, &problem, &at, NULL);
    if (code == NULL) {
        (void)pcre2_get_error_message(problem, why, sizeof why);
        (void)hm_err_set(err, HM_EINVAL, "not a regular expression: %s at character %zu", (const char *)why, at + 1);
        return NULL;
    }
    struct hm_pattern *pattern = hm_xcalloc(1, sizeof *pattern);
    pattern->code = code;
    pattern->limits = pcre2_match_context_create(NULL);
    HM_ASSERT(pattern->limits != NULL);
    (void)pcre2_set_match_limit(pattern->limits, STEPS_MAX);
    (void)pcre2_set_depth_limit(pattern->limits, DEPTH_MAX);
    (void)pcre2_set_heap_limit(pattern->limits, HEAP_MAX_KIB);
    return pattern;
}

void hm_pattern_free(struct hm_pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    free(pattern);
}

enum hm_code hm_pattern_match(const struct hm_pattern *pattern, const char *text, bool *ret_matches, struct hm_err *err)
{
    PCRE2_UCHAR why[160] = "";
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    HM_ASSERT(data != NULL);
    int rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, pattern->limits);
    pcre2_match_data_free(data);
    *ret_matches = rc >= 0;
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
        return HM_OK;
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT)
        return hm_err_set(err, HM_ETOOBIG, "the regular expression takes too many steps on this text; write a simpler one");
    (void)pcre2_get_error_message(rc, why, sizeof why);
    return hm_err_set(err, HM_EINVAL, "can not be matched: %s", (const char *)why);
}
