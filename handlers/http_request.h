/* What handlers that speak HTTP and JSON have in common: beginning a request, giving it a body, reading an answer's JSON.
 *
 * Happy path: hm_request_begin() → hm_request_set_json() → (sent) → hm_http_read_json() → the action takes what it knows. Failure
 * modes: hm_http_judge()'s, and a body that is not the JSON that was promised. */
#ifndef HM_HANDLERS_HTTP_REQUEST_H
#define HM_HANDLERS_HTTP_REQUEST_H

#include "handlers/http_answer.h"

/* Method, URL (the backend's, then path as formatted: encode what is inserted with hm_url_encode()) and the backend's headers. */
void hm_request_begin(struct hm_request *req, const struct hm_backend *backend, const char *method, const char *path_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds "name=value" to the URL, with '?' or '&' before it and value encoded; a NULL or empty value adds nothing. */
void hm_request_add_query(struct hm_request *req, const char *name, const char *value);
/* The body, as canonical JSON, and its Content-Type. */
void hm_request_set_json(struct hm_request *req, json_t *stolen_body);
/* Adds "name=value", both encoded, to a form body; the first sets its Content-Type. A NULL value adds nothing. */
void hm_request_add_form(struct hm_request *req, const char *name, const char *value);
/* An empty body: Content-Length: 0 is sent. */
void hm_request_set_empty(struct hm_request *req);

/* hm_http_judge(), then the body as JSON into *ret_json (a new reference, an object or an array; NULL unless OK). A 2xx without
 * JSON is RETRYABLE for a read and MAYBE for a write. */
enum hm_verdict hm_http_read_json(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                                  struct hm_outcome *ret_out);
/* "<system>'s answer is not as expected: <what>": PERMANENT for a read, MAYBE for a write. */
enum hm_verdict hm_http_odd(const struct hm_http_asked *asked, struct hm_outcome *out, const char *what);

#endif
