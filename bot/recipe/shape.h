/* What is known of a value before there is one: its type, and which fields it has. Actions declare that of their results
 * (struct hm_field_spec), the kinds of steps of theirs; here a path such as "kill.items.0.item.id" is followed through them.
 *
 * Inside of the loader: see load.h. Nothing is reported here; lint_names.c and lint_types.c say what does not fit. */
#ifndef HM_RECIPE_SHAPE_H
#define HM_RECIPE_SHAPE_H

#include "base/strbuf.h"
#include "base/suggest.h"
#include "recipe/load.h"

struct hm_shape {
    enum hm_field_type type;            /* ANY = nothing is known, or: */
    bool plain;                         /* ANY: a text, a number, true or false; it has no fields */
    bool loose;                         /* LIST: nothing is known of its items */
    const struct hm_field_spec *fields; /* OBJECT: its fields; LIST: those of an item, NULL = they are plain values */
    const struct hm_field_spec *also;   /* OBJECT: fields besides those; NULL = none */
    const struct hm_action *action;     /* OBJECT: whose result it is, or NULL; its backends may add fields */
    const struct hm_step *step;         /* OBJECT: the ask whose fields it has, the foreach whose value or item it is; or NULL */
};

/* What `path` leads to where `ref` stands (its own path is not looked at). False when a field on the way is not there: then *ret
 * is that in which it was looked for, and *ret_len bytes of the path lead to it. */
bool hm_shape_of(const struct hm_loader *l, const struct hm_ref *ref, const char *path, struct hm_shape *ret, size_t *ret_len);
/* The same, below the result of an action. */
bool hm_shape_of_result(const struct hm_loader *l, const struct hm_action *action, const char *path, struct hm_shape *ret,
                        size_t *ret_len);
/* The names of an object's fields into `names`, in words, and each into the suggestion. */
void hm_shape_names(const struct hm_shape *shape, struct hm_strbuf *names, struct hm_suggest *s);

#endif
