/* Findings in files: see diag.h. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/strbuf.h"

enum { MAX_FINDINGS = 500, MAX_TEXT = 2000 };

void hm_diags_init(struct hm_diags *diags)
{
    *diags = (struct hm_diags){0};
}

void hm_diags_done(struct hm_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        free(diags->items[i].file);
        free(diags->items[i].at);
        free(diags->items[i].text);
    }
    free(diags->items);
    hm_diags_init(diags);
}

void hm_diags_add(struct hm_diags *diags, const char *file, int line, const char *fmt, ...)
{
    if (diags->count == MAX_FINDINGS) {
        diags->dropped++;
        return;
    }
    struct hm_strbuf text;
    va_list ap;
    hm_strbuf_init(&text, MAX_TEXT);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    diags->items = hm_xreallocarray(diags->items, diags->count + 1, sizeof diags->items[0]);
    diags->items[diags->count++] = (struct hm_diag){.file = hm_xstrdup(file),
                                                    .line = line,
                                                    .at = line > 0 ? hm_xasprintf("%s:%d", file, line) : hm_xstrdup(file),
                                                    .text = hm_strbuf_take(&text)};
}

char *hm_diags_take_last(struct hm_diags *diags)
{
    HM_ASSERT(diags->count > 0);
    struct hm_diag last = diags->items[--diags->count];
    free(last.file);
    free(last.at);
    return last.text;
}
