/* What is typed into a select that the bot fills: its words, of which each must be somewhere in what is offered. Pure. */
#ifndef HM_VIEW_TYPED_H
#define HM_VIEW_TYPED_H

#include <stdbool.h>
#include <stddef.h>

enum { HM_TYPED_MAX = 8 /* words; what follows is not looked at */ };

struct hm_typed {
    char *copy;
    const char *words[HM_TYPED_MAX];
    size_t count;
};

void hm_typed_init(struct hm_typed *typed, const char *text);
void hm_typed_done(struct hm_typed *typed);
/* Each word is, in any case, in the one text or in the other (may be NULL). Without a word all fit. */
bool hm_typed_fits(const struct hm_typed *typed, const char *one, const char *other);

#endif
