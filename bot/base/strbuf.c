/* A growing string with a ceiling: see strbuf.h. */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void hm_strbuf_init(struct hm_strbuf *b, size_t max)
{
    *b = (struct hm_strbuf){.max = max};
}

void hm_strbuf_done(struct hm_strbuf *b)
{
    size_t max = b->max;
    free(b->s);
    hm_strbuf_init(b, max);
}

void hm_strbuf_reset(struct hm_strbuf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->s != NULL)
        b->s[0] = '\0';
}

/* Makes room for `more` bytes and the NUL; false (and sticky failure) when that passes the ceiling. */
static bool reserve(struct hm_strbuf *b, size_t more)
{
    if (b->failed)
        return false;
    if (more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need > b->cap) {
        size_t cap = b->cap > 0 ? b->cap : 64;
        while (cap < need)
            cap *= 2;
        b->s = hm_xreallocarray(b->s, cap, 1);
        b->cap = cap;
    }
    return true;
}

void hm_strbuf_add(struct hm_strbuf *b, const char *data, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len > 0)
        memcpy(b->s + b->len, data, len);
    b->len += len;
    b->s[b->len] = '\0';
}

void hm_strbuf_adds(struct hm_strbuf *b, const char *s)
{
    hm_strbuf_add(b, s, strlen(s));
}

void hm_strbuf_addc(struct hm_strbuf *b, char c)
{
    hm_strbuf_add(b, &c, 1);
}

void hm_strbuf_addv(struct hm_strbuf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    if (len < 0)
        b->failed = true;
    else if (reserve(b, (size_t)len)) {
        (void)vsnprintf(b->s + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void hm_strbuf_addf(struct hm_strbuf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    hm_strbuf_addv(b, fmt, ap);
    va_end(ap);
}

const char *hm_strbuf_str(const struct hm_strbuf *b)
{
    return b->s != NULL ? b->s : "";
}

char *hm_strbuf_take(struct hm_strbuf *b)
{
    char *s = b->s != NULL ? b->s : hm_xstrdup("");
    hm_strbuf_init(b, b->max);
    return s;
}
