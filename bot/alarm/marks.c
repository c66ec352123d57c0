/* Marks: see marks.h. Linear but for short lines: a mark that has found no partner on its line is not looked for again there. */
#include "alarm/marks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MARKS "*_~"

enum { N_MARKS = 3 };

/* One text being read. */
struct marking {
    const char *text;
    bool *gone;                    /* of each byte: it is a mark, or struck */
    const char *no_close[N_MARKS]; /* of each mark: none closes before this place */
};

/* Behind the code that begins at p with a backtick: to its end on this line, or of the fence; p + 1 when it has no end. */
static const char *skip_code(const char *p)
{
    if (strncmp(p, "```", 3) == 0) {
        const char *fence = strstr(p + 3, "```");
        return fence != NULL ? fence + 3 : p + 3;
    }
    size_t len = strcspn(p + 1, "`\n");
    return p[1 + len] == '`' ? p + len + 2 : p + 1;
}

static bool is_blank(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '\n';
}

static bool may_stand(char c, const char *punctuation)
{
    return is_blank(c) || strchr(punctuation, c) != NULL || ((unsigned char)c & 0x80) != 0;
}

static bool opens(const struct marking *m, const char *p)
{
    char before = p > m->text ? p[-1] : '\0';
    return may_stand(before, "([{<>\"'`:;,.!?|" MARKS) && !is_blank(p[1]);
}

static bool closes(const char *p)
{
    return !is_blank(p[-1]) && (may_stand(p[1], ".,;:!?)]}>\"'`|" MARKS) || (*p == '*' && (p[1] == '-' || p[-1] == ':')));
}

/* The mark that closes the one at p, or NULL. */
static const char *find_close(struct marking *m, const char *p, size_t kind)
{
    if (m->no_close[kind] > p)
        return NULL;
    const char *q = p + 1;
    while (*q == *p) /* ** of markdown */
        q++;
    while (*q != '\0' && *q != '\n') {
        if (*q == '`') {
            q = skip_code(q);
            continue;
        }
        if (*q == *p && !m->gone[q - m->text] && closes(q))
            return q;
        q++;
    }
    m->no_close[kind] = q;
    return NULL;
}

static void read_marks(struct marking *m, bool drop_struck)
{
    for (const char *p = m->text; *p != '\0';) {
        const char *mark = *p != '`' ? strchr(MARKS, *p) : NULL;
        if (*p == '`') {
            p = skip_code(p);
            continue;
        }
        const char *close =
            mark != NULL && !m->gone[p - m->text] && opens(m, p) ? find_close(m, p, (size_t)(mark - MARKS)) : NULL;
        if (close != NULL && *p == '~' && drop_struck)
            memset(m->gone + (p - m->text), true, (size_t)(close - p));
        if (close != NULL)
            m->gone[p - m->text] = m->gone[close - m->text] = true;
        p++;
    }
}

void hm_alarm_add_unmarked(struct hm_strbuf *out, const char *text, bool drop_struck)
{
    struct marking m = {.text = text, .gone = hm_xcalloc(strlen(text) + 1, sizeof(bool)), .no_close = {text, text, text}};
    read_marks(&m, drop_struck);
    for (const char *p = text; *p != '\0';) {
        size_t keep = 0;
        while (p[keep] != '\0' && !m.gone[p - text + (ptrdiff_t)keep])
            keep++;
        hm_strbuf_add(out, p, keep);
        p += keep;
        while (*p != '\0' && m.gone[p - text])
            p++;
    }
    free(m.gone);
}
