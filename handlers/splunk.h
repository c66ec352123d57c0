/* Splunk, where the logs are (cookbook: "Dealing with model failures", "Checks before old prod-stack teardown"). The handler is
 * in handlers/registry.c's table. */
#ifndef HM_HANDLERS_SPLUNK_H
#define HM_HANDLERS_SPLUNK_H

#include "handlers/handler.h"

extern const struct hm_handler hm_splunk_handler;

/* splunk_query.c: HM_OK when the search only reads. The text as it is sent (with "search " before it where Splunk wants that)
 * into *ret_query, which the caller frees. */
HM_MUST enum hm_code hm_splunk_query(const char *query, char **ret_query, struct hm_err *err);

/* splunk_result.c: what an answer's rows and messages become. `warnings` (borrowed) is added to. */
struct hm_splunk_rows {
    const json_t *rows;     /* objects, as they came */
    const json_t *numbers;  /* names of fields that hold numbers; NULL = none */
    const json_t *warnings; /* texts; not empty = the result proves nothing */
    int64_t limit;          /* so many rows were asked for */
};
HM_MUST json_t *hm_splunk_result_new(const struct hm_splunk_rows *rows);
/* A row without what must not be kept, for a cursor; new reference. */
HM_MUST json_t *hm_splunk_safe_row_new(const json_t *row, const json_t *numbers);

#endif
