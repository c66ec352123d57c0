/* The nearest word: see suggest.h. */
#include "base/suggest.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void hm_suggest_init(struct hm_suggest *s, const char *word)
{
    size_t third = strlen(word) / 3;
    size_t reach = third < 1 ? 1 : third;
    *s = (struct hm_suggest){.word = word, .best = NULL, .distance = (reach > 3 ? 3 : reach) + 1};
}

/* whit, with: in a short word two neighbours' swaps are more than a third of it. */
static bool is_shuffled(const char *a, const char *b)
{
    signed char count[256] = {0};
    size_t len = strlen(a);
    if (len != strlen(b) || len > SCHAR_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        count[(unsigned char)a[i]]++;
        count[(unsigned char)b[i]]--;
    }
    for (size_t i = 0; i < sizeof count; i++)
        if (count[i] != 0)
            return false;
    return true;
}

void hm_suggest_try(struct hm_suggest *s, const char *candidate)
{
    if (candidate == NULL || s->distance == 0)
        return;
    size_t distance = hm_edit_distance(s->word, candidate, s->distance - 1);
    if (distance > 1 && is_shuffled(s->word, candidate))
        distance = 1;
    if (distance < s->distance) {
        s->distance = distance;
        s->best = candidate;
    }
}

const char *hm_suggest_text(const struct hm_suggest *s, char *buf, size_t size)
{
    buf[0] = '\0';
    if (s->best != NULL) {
        size_t len = hm_utf8_prefix(s->best, 60);
        (void)snprintf(buf, size, "; did you mean \"%.*s\"?", (int)len, s->best);
    }
    return buf;
}
