/* Golden files: see golden.h. */
#include "support/golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GOLDEN_MAX = 1 << 20 };

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return NULL;
    char *text = hm_xmalloc(GOLDEN_MAX + 1);
    size_t len = fread(text, 1, GOLDEN_MAX, f);
    (void)fclose(f);
    text[len] = '\0';
    return text;
}

static bool write_all(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return false;
    bool written = fputs(text, f) >= 0;
    return fclose(f) == 0 && written;
}

static void tell_difference(const char *name, const char *want, const char *got)
{
    size_t line = 1;
    size_t start = 0;
    size_t i = 0;
    for (; want[i] != '\0' && want[i] == got[i]; i++)
        if (want[i] == '\n') {
            line++;
            start = i + 1;
        }
    (void)fprintf(stderr, "%s:%zu\n  golden: %.*s\n  now:    %.*s\n", name, line, (int)strcspn(want + start, "\n"), want + start,
                  (int)strcspn(got + start, "\n"), got + start);
}

bool hm_golden_matches(const char *name, const char *text)
{
    char *path = hm_xasprintf("%s/tests/golden/%s", HM_SOURCE_DIR, name);
    bool update = getenv("HM_UPDATE_GOLDEN") != NULL;
    bool same = false;
    char *want = update ? NULL : read_all(path);
    if (update) {
        same = write_all(path, text);
    } else if (want != NULL) {
        same = strcmp(want, text) == 0;
        if (!same)
            tell_difference(name, want, text);
    }
    if (want == NULL && !same)
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    free(want);
    free(path);
    return same;
}
