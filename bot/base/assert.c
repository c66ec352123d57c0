/* HM_ASSERT's failure: one line to stderr, then abort() for the core dump. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void hm_assert_failed(const char *expr, const char *file, int line, const char *func)
{
    (void)fprintf(stderr, "<0>assertion failed: %s at %s:%d in %s\n", expr, file, line, func);
    abort();
}
