/* The house's way to a service: `nu ser curl POST … metapod /api/…`, which finds the host and has the certificate. A handler
 * whose writes may go that way declares by_program (handler.h); a backend of it that has a `program` then sends them through it.
 *
 * Happy path: the same method, path and body → argv → nu → the answer, with its HTTP status on a last line → read as any HTTP
 * answer. Failure modes: nu could not resolve a name: its cache is busted once and it is run once more (the request's remedy),
 * and if that was not enough nothing was sent; nu ended badly without a status: nobody knows.
 *
 * Settings: nu_prototype ("global"), nu_env, nu_country. */
#ifndef HM_HANDLERS_NU_CURL_H
#define HM_HANDLERS_NU_CURL_H

#include <jansson.h>

#include "handlers/handler.h"
#include "handlers/http_answer.h"

/* service: as nu calls it. body: NULL for none, else sent as JSON (stolen). */
void hm_nu_curl_request(const struct hm_backend *backend, const char *service, const char *method, const char *path,
                        json_t *stolen_body, struct hm_request *req);

/* An HTTP answer in *ret_http, which borrows from `answer` and from *ret_body (the caller frees); OK. Or a verdict. For a request
 * that went over HTTP, *ret_http is the answer itself. */
enum hm_verdict hm_nu_curl_answer(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_answer *ret_http,
                                  char **ret_body, struct hm_outcome *out);

#endif
