/* Which remembered values there can be: see settable.h. */
#include "recipe/settable.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"

/* True when a member of obj has nearly this name; says which. */
static bool near(const json_t *obj, const char *word, struct hm_strbuf *out)
{
    char meant[120];
    struct hm_suggest s;
    const char *name = NULL;
    const json_t *value = NULL;
    hm_suggest_init(&s, word);
    json_object_foreach(hm_unconst(obj), name, value) hm_suggest_try(&s, name);
    hm_strbuf_addf(out, "%s", hm_suggest_text(&s, meant, sizeof meant));
    return s.best != NULL;
}

static void add_names(const json_t *obj, struct hm_strbuf *out)
{
    const char *name = NULL;
    const json_t *value = NULL;
    json_object_foreach(hm_unconst(obj), name, value) hm_strbuf_addf(out, " %s", name);
}

bool hm_settable_ok(const struct hm_settable *settable, const char *path, struct hm_strbuf *out)
{
    static const char root[] = "known.";
    const char *dot = hm_starts_with(path, root) ? strchr(path + strlen(root), '.') : NULL;
    if (dot == NULL)
        return true; /* another finding */
    char *key = hm_xstrndup(path + strlen(root), (size_t)(dot - path) - strlen(root));
    const json_t *fields = json_object_get(settable->keys, key);
    bool ok = json_object_get(fields, dot + 1) != NULL;
    bool misspelt = false;
    if (!ok && fields != NULL) {
        hm_strbuf_addf(out, "nothing ever sets %s", path);
        misspelt = near(fields, dot + 1, out);
        hm_strbuf_addf(out, "%s known.%s has:", misspelt ? "" : ";", key);
        add_names(fields, out);
    } else if (!ok) {
        hm_strbuf_addf(out, "nothing ever sets %s: neither known in the settings nor a rule's remember has the key \"%s\"", path,
                       key);
        misspelt = near(settable->keys, key, out);
    }
    free(key);
    return ok || (!misspelt && !settable->whole);
}
