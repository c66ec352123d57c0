/* A growing string with a ceiling given at birth. Failure (over the ceiling) is sticky: add as much as you like and look at
 * `failed` once, at the end. What is over the ceiling is cut off between two UTF-8 sequences, and nothing is added after that.
 * Never holds more than `max` bytes, always NUL-terminated after the first add. */
#ifndef HM_BASE_STRBUF_H
#define HM_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct hm_strbuf {
    char *s;     /* NULL until the first add; use hm_strbuf_str() */
    size_t len;  /* bytes without the NUL */
    size_t cap;  /* bytes allocated */
    size_t max;  /* ceiling for len */
    bool failed; /* something did not fit; the content is a prefix of what was meant */
};

/* max: ceiling in bytes. Owns nothing until the first add. */
void hm_strbuf_init(struct hm_strbuf *b, size_t max);
/* Frees the content; b may be used again with the same ceiling. */
void hm_strbuf_done(struct hm_strbuf *b);
/* Empties it, keeps the memory, forgets a failure. */
void hm_strbuf_reset(struct hm_strbuf *b);

void hm_strbuf_add(struct hm_strbuf *b, const char *data, size_t len);
void hm_strbuf_adds(struct hm_strbuf *b, const char *s);
void hm_strbuf_addc(struct hm_strbuf *b, char c);
void hm_strbuf_addf(struct hm_strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void hm_strbuf_addv(struct hm_strbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* The content, "" when empty; valid until the next call on b. */
const char *hm_strbuf_str(const struct hm_strbuf *b);
/* The content as a string that the caller frees; b is empty afterwards. Never NULL. */
char *hm_strbuf_take(struct hm_strbuf *b);

#endif
