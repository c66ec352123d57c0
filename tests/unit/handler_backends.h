/* A backend for each handler, named like it, for tests that load the shipped recipes: a handler that is added is there by itself.
 */
#ifndef HM_TESTS_UNIT_HANDLER_BACKENDS_H
#define HM_TESTS_UNIT_HANDLER_BACKENDS_H

#include "base/mem.h"
#include "handlers/handler.h"

enum { HANDLER_BACKENDS_MAX = 64 };

/* Pointers that stay valid; *ret_count of them. */
static inline const struct hm_backend *const *handler_backends(size_t *ret_count)
{
    static struct hm_backend backends[HANDLER_BACKENDS_MAX];
    static const struct hm_backend *list[HANDLER_BACKENDS_MAX];
    size_t n = 0;
    for (; hm_handlers[n] != NULL && n < HANDLER_BACKENDS_MAX; n++) {
        backends[n].name = hm_unconst(hm_handlers[n]->name);
        backends[n].handler = hm_unconst(hm_handlers[n]->name);
        list[n] = &backends[n];
    }
    *ret_count = n;
    return list;
}

#endif
