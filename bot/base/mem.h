/* Allocation that never returns NULL: out of memory ends the process. Legitimate because every size that a remote party can
 * influence has a ceiling, and everything accepted is in the journal. */
#ifndef HM_BASE_MEM_H
#define HM_BASE_MEM_H

#include <stddef.h>

#define HM_RETURNS_NEW __attribute__((malloc, returns_nonnull, warn_unused_result))

/* All return memory that the caller frees with free(). */
HM_RETURNS_NEW void *hm_xmalloc(size_t size);
HM_RETURNS_NEW void *hm_xcalloc(size_t count, size_t size);
HM_RETURNS_NEW char *hm_xstrdup(const char *s);
HM_RETURNS_NEW char *hm_xstrndup(const char *s, size_t max);
HM_RETURNS_NEW void *hm_xmemdup(const void *data, size_t size);
HM_RETURNS_NEW char *hm_xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* NULL stays NULL. */
char *hm_xstrdup_null(const char *s);

/* Grows an array; aborts on overflow and on out of memory. The old pointer is gone. */
__attribute__((returns_nonnull, warn_unused_result)) void *hm_xreallocarray(void *old, size_t count, size_t size);

/* Frees *p and sets it to NULL. */
#define HM_FREE(p)                                                                                                               \
    do {                                                                                                                         \
        free(p);                                                                                                                 \
        (p) = NULL;                                                                                                              \
    } while (0)

/* Takes the const off, for library functions that lack it in their parameters but do not write (json_incref() of a value that
 * is only read, iterators, search keys). */
static inline void *hm_unconst(const void *p)
{
    union {
        const void *in;
        void *out;
    } pun = {.in = p};
    return pun.out;
}

/* The struct of which `ptr` points to `member`. */
#define HM_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define HM_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
