/* The little of PromQL that the recipes use; everything else is a parse error, as a typing mistake would be.
 *
 * metric{label="x", other!~"…"} · sum|count|max (…) by (a, b) · sort_desc(…) · one comparison with a number at the end of a term
 */
#ifndef HM_WORLD_PROMETHEUS_H
#define HM_WORLD_PROMETHEUS_H

#include <jansson.h>

#include "base/err.h"

/* series: [{"metric": {"__name__": …}, "value": text}]. [{"metric", "value": text}], a new reference; NULL with err set. */
HM_MUST json_t *hm_promql_run_new(const char *query, const json_t *series, struct hm_err *err);

#endif
