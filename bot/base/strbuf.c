/* A growing string with a ceiling: see strbuf.h. */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

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

/* Makes room for `more` bytes and the NUL. */
static void grow(struct hm_strbuf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need > b->cap) {
        size_t cap = b->cap > 0 ? b->cap : 64;
        while (cap < need)
            cap *= 2;
        b->s = hm_xreallocarray(b->s, cap, 1);
        b->cap = cap;
    }
}

void hm_strbuf_add(struct hm_strbuf *b, const char *data, size_t len)
{
    if (b->failed)
        return;
    if (len > b->max - b->len) {
        b->failed = true;
        len = hm_utf8_boundary(data, b->max - b->len);
    }
    grow(b, len);
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
    if (b->failed)
        return;

    va_list again;
    va_copy(again, ap);
    int wanted = vsnprintf(NULL, 0, fmt, ap);
    size_t room = b->max - b->len;
    size_t len = wanted > 0 ? (size_t)wanted : 0;
    b->failed = wanted < 0 || len > room;
    if (len > room)
        len = room + 1; /* one byte more than may stay, to see whether the cut falls inside a sequence */
    grow(b, len);
    (void)vsnprintf(b->s + b->len, len + 1, fmt, again);
    if (len > room)
        len = hm_utf8_boundary(b->s + b->len, room);
    b->len += len;
    b->s[b->len] = '\0';
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
