/* "Did you mean": the nearest of the words that were tried, or nothing when none is near. */
#ifndef HM_BASE_SUGGEST_H
#define HM_BASE_SUGGEST_H

#include <stddef.h>

struct hm_suggest {
    const char *word; /* what was written; borrowed */
    const char *best; /* the nearest so far, borrowed; NULL = none is near enough */
    size_t distance;
};

/* A word of n letters may be off by a third of them, three at most; all of its letters in another order are as near as one. */
void hm_suggest_init(struct hm_suggest *s, const char *word);
void hm_suggest_try(struct hm_suggest *s, const char *candidate); /* NULL is skipped */
/* "; did you mean "x"?" into buf, or "" when there is nothing to suggest; returns buf. */
const char *hm_suggest_text(const struct hm_suggest *s, char *buf, size_t size);

#endif
