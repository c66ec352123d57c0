/* Regular expressions that find named values in foreign text (PCRE2, UTF-8, ^ and $ at line breaks), with limits, so that no
 * pattern and no text can hold the loop up.
 *
 * Values are never matched case-blind: with UTF, a case-blind [a-z] also takes the long s (U+017F) and the Kelvin sign (U+212A),
 * and a name that looks right would be another one. So (?i:…) may go around fixed words only; a named group inside it does not
 * compile. See pattern.h for patterns that judge a whole value. */
#ifndef HM_BASE_FINDER_H
#define HM_BASE_FINDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct hm_finder;

enum { HM_FINDER_MAX = 6000 /* bytes of a pattern */, HM_FINDER_NAME_MAX = 32 };

/* NULL with err set (position and reason). */
struct hm_finder *hm_finder_new(const char *text, struct hm_err *err);
void hm_finder_free(struct hm_finder *finder);

/* The name of named group number i, in the order of the alphabet; NULL past the last. Borrowed. */
const char *hm_finder_name(const struct hm_finder *finder, size_t i);

struct hm_hit {
    size_t start, end; /* bytes */
};

/* Searches from byte `from` on. HM_OK: found; ret_groups (an object, may be NULL) gets {name: text} of each named group that took
 * part. HM_ENOTFOUND: nothing more. HM_ETOOBIG: over the limits; HM_EINVAL: the text is not UTF-8. */
HM_MUST enum hm_code hm_finder_next(const struct hm_finder *finder, const char *text, size_t from, struct hm_hit *ret_hit,
                                    json_t *ret_groups, struct hm_err *err);

#endif
