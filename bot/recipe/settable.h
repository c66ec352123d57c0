/* Which remembered values there can be: those that the settings have under `known`, and those that some alarm rule remembers. A
 * recipe or a rule that names another one (a misspelt known.etl.transactoin) would only ever find it empty, and nobody would
 * learn why.
 *
 * Happy path: fill `keys`, then hm_settable_ok() of each path says true. Failure: a sentence for a finding. */
#ifndef HM_RECIPE_SETTABLE_H
#define HM_RECIPE_SETTABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"

struct hm_settable {
    json_t *keys; /* {key: {field: anything}} */
    bool whole;   /* rules remember here, so what nobody sets stays empty. Else a value may be meant to be unknown (recipes whose
                     rules are not in use), and only what nearly has the name of one that is set is taken for misspelt */
};

/* path: "known.<key>.<field>". True when it can have a value, or when that is not judged; else out says why not. */
bool hm_settable_ok(const struct hm_settable *settable, const char *path, struct hm_strbuf *out);

#endif
