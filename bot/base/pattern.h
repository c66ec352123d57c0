/* Regular expressions (PCRE2, UTF-8) with limits, so that no pattern and no text can hold the loop up.
 *
 * Interpreted, not compiled just in time: a param's pattern is matched once, compiling it would take longer; and under systemd's
 * MemoryDenyWriteExecute there is no other way. */
#ifndef HM_BASE_PATTERN_H
#define HM_BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct hm_pattern;

enum { HM_PATTERN_MAX = 1000 /* bytes of a pattern */ };

/* whole: the match must span the whole text. NULL with err set (position and reason). */
struct hm_pattern *hm_pattern_new(const char *text, bool whole, struct hm_err *err);
void hm_pattern_free(struct hm_pattern *pattern);

/* HM_EINVAL when the text is not UTF-8, HM_ETOOBIG when matching passed its limits. */
HM_MUST enum hm_code hm_pattern_match(const struct hm_pattern *pattern, const char *text, bool *ret_matches, struct hm_err *err);

#endif
