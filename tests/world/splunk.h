/* The little of Splunk's search language that the recipes use; everything else is refused, as a typing mistake would be.
 *
 * search TERM … | rex "…(?<name>…)…" | stats count as n, max(field) as m | head 5
 * A term is field=value, a word, or a quoted text; * stands for anything; terms are joined by and, OR binds closer. */
#ifndef HM_WORLD_SPLUNK_H
#define HM_WORLD_SPLUNK_H

#include <jansson.h>

#include "base/err.h"

/* events: objects with _time and _raw and their fields, newest first; borrowed. The rows, a new reference; NULL with err set. */
HM_MUST json_t *hm_spl_run_new(const char *query, const json_t *events, struct hm_err *err);

#endif
