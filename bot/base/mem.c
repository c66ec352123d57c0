/* Allocation that never returns NULL: see mem.h. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t size)
{
    (void)fprintf(stderr, "<0>out of memory (%zu bytes asked for)\n", size);
    abort();
}

void *hm_xmalloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);
    if (p == NULL)
        out_of_memory(size);
    return p;
}

void *hm_xcalloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (p == NULL)
        out_of_memory(size);
    return p;
}

char *hm_xstrdup(const char *s)
{
    return hm_xmemdup(s, strlen(s) + 1);
}

char *hm_xstrdup_null(const char *s)
{
    return s != NULL ? hm_xstrdup(s) : NULL;
}

char *hm_xstrndup(const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    char *copy = hm_xmalloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

void *hm_xmemdup(const void *data, size_t size)
{
    void *copy = hm_xmalloc(size);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *hm_xasprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int len = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (len < 0 || s == NULL)
        out_of_memory(0);
    return s;
}

void *hm_xreallocarray(void *old, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(SIZE_MAX);
    void *p = realloc(old, bytes > 0 ? bytes : 1);
    if (p == NULL)
        out_of_memory(bytes);
    return p;
}
