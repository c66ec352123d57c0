/* Values that backends write as text (Splunk, Prometheus, BigQuery: every scalar is a string). */
#ifndef HM_HANDLERS_VALUE_H
#define HM_HANDLERS_VALUE_H

#include <jansson.h>

#include "base/err.h"

/* The number that the whole text is: an integer where it is written as one. null for everything else, "NaN" and "+Inf" too. */
HM_MUST json_t *hm_value_number_new(const char *text);

#endif
