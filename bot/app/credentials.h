/* What a backend's requests need to be accepted, added just before they leave: the secrets of its `auth` are read, the request is
 * signed, or a token is fetched first. Nothing of it is ever part of a plan, a digest, the journal or the log.
 *
 * Happy path: hm_credentials_authorize() is a pool's authorize(). Failure: a secret that can not be read or a token that does not
 * come ends the request with NOT_SENT; the sentence names the reference, never the value. */
#ifndef HM_APP_CREDENTIALS_H
#define HM_APP_CREDENTIALS_H

#include "handlers/handler.h"
#include "io/http_client.h"

struct hm_credentials;

struct hm_credentials_opts {
    const struct hm_backend *backend; /* all borrowed; backend->auth is not NULL */
    const char *dir;                  /* what secret files are relative to */
    struct hm_http_client *http;
    const struct hm_clock *clock;
};

/* NULL with err set when the pool for the token server can not be made. */
struct hm_credentials *hm_credentials_new(const struct hm_credentials_opts *opts, struct hm_err *err);
/* After the HTTP client is closed; or when they are idle, and hm_credentials_retire() was called. NULL is fine. */
void hm_credentials_free(struct hm_credentials *credentials);
/* No token is being fetched. */
bool hm_credentials_idle(const struct hm_credentials *credentials);
/* Gives the pool for the token server back to an HTTP client that goes on: hm_credentials_free() comes next. */
void hm_credentials_retire(struct hm_credentials *credentials);

/* For struct hm_http_pool_opts; arg is the credentials. */
enum hm_http_ready hm_credentials_authorize(void *arg, const struct hm_http_departing *departing,
                                            struct hm_request *ret_credentials, struct hm_err *err);

/* A request was answered 401; sent_at_ms: monotonic. True when another attempt would go with another token. */
bool hm_credentials_refused(struct hm_credentials *credentials, const struct hm_request *req, int64_t sent_at_ms);

#endif
