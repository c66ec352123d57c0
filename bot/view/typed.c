/* Typed words: see typed.h. */
#include "view/typed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void hm_typed_init(struct hm_typed *typed, const char *text)
{
    char *rest = NULL;
    *typed = (struct hm_typed){.copy = hm_xstrdup(text)};
    for (char *w = strtok_r(typed->copy, " \t", &rest); w != NULL && typed->count < HM_TYPED_MAX;
         w = strtok_r(NULL, " \t", &rest))
        typed->words[typed->count++] = w;
}

void hm_typed_done(struct hm_typed *typed)
{
    free(typed->copy);
    *typed = (struct hm_typed){.copy = NULL};
}

bool hm_typed_fits(const struct hm_typed *typed, const char *one, const char *other)
{
    for (size_t i = 0; i < typed->count; i++)
        if (strcasestr(one, typed->words[i]) == NULL && (other == NULL || strcasestr(other, typed->words[i]) == NULL))
            return false;
    return true;
}
