/* What an HTTP status means, for every handler that speaks HTTP: one table, so that all of them say the same to the person. */
#ifndef HM_HANDLERS_HTTP_ANSWER_H
#define HM_HANDLERS_HTTP_ANSWER_H

#include <stdbool.h>

#include "handlers/handler.h"

struct hm_http_asked {
    const struct hm_backend *backend; /* its name is in the sentences */
    const char *system;               /* "Metapod" */
    const char *thing;                /* what a 404 did not find: "dataset 5a5d…"; NULL = the URL itself is wrong */
    bool write;                       /* the request changes something */
};

/* OK for 2xx that is no web page. Else the verdict, with a sentence in ret_out->err and Retry-After in ret_out->wait_ms:
 * a write is MAYBE at 5xx (but 501 and 505) and at a web page; 3xx, 401, 403 and other 4xx did nothing; 408 and 429 may be
 * retried. */
enum hm_verdict hm_http_judge(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *ret_out);

/* True when the body is an HTML page: a proxy or a sign-in page answered instead of the backend. */
bool hm_http_is_page(const struct hm_answer *answer);

/* Sets the outcome's error and returns verdict. */
enum hm_verdict hm_outcome_fail(struct hm_outcome *out, enum hm_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The headers of the backend's settings, in the order they were written there. */
void hm_request_add_backend_headers(struct hm_request *req, const struct hm_backend *backend);

#endif
