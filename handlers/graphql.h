/* GraphQL over HTTP, for handlers: the request with its variables, and the answer's `data` or a verdict. Values go in as
 * variables and never into the query's text. */
#ifndef HM_HANDLERS_GRAPHQL_H
#define HM_HANDLERS_GRAPHQL_H

#include "handlers/handler.h"
#include "handlers/http_answer.h"

/* POST {"query", "variables"} to url (absolute) with the backend's own headers. */
void hm_graphql_request(const struct hm_backend *backend, const char *url, const char *query, json_t *stolen_variables,
                        struct hm_request *ret_req);

/* OK with `data` (a new reference, an object) in *ret_data. Errors inside an HTTP 200 are errors: PERMANENT when the query was
 * refused, RETRYABLE when it failed while running. Whatever is no GraphQL answer has its sentence. */
enum hm_verdict hm_graphql_response(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_data,
                                    struct hm_outcome *ret_out);

#endif
