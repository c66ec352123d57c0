/* BigQuery: the warehouse and the table of what depends on what (cookbook: "Determining downstream datasets to a failed dataset",
 * "Check if a dataset was loaded into the warehouse"). The handler is in handlers/registry.c's table. */
#ifndef HM_HANDLERS_BIGQUERY_H
#define HM_HANDLERS_BIGQUERY_H

#include "handlers/http_request.h"

extern const struct hm_handler hm_bigquery_handler;

/* bigquery_query.c: one query as a chain of requests: jobs.query, then getQueryResults until it is complete and for each page. */

/* sql: a query that only reads. params: {name: text, whole number, bool or list of texts}, or NULL. */
HM_MUST enum hm_code hm_bq_request(const struct hm_backend *backend, const char *sql, const json_t *params, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err);
/* OK with the rows so far and all (a new reference, array of objects by column name) in *ret_rows. MORE: out->cursor is set. */
enum hm_verdict hm_bq_response(const struct hm_backend *backend, const json_t *cursor, const struct hm_answer *answer,
                               json_t **ret_rows, struct hm_outcome *out);

/* bigquery_value.c: a row's cells as an object by column: numbers, booleans, times (ISO 8601) and lists for what they are; null
 * for what does not fit. New reference; NULL when the row is none. */
HM_MUST json_t *hm_bq_row_new(const json_t *fields, const json_t *row);

#endif
