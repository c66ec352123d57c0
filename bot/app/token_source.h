/* Where tokens come from: the requests that fetch them and what their answers mean. Pure but for reading the secrets' files.
 *
 * GOOGLE: an assertion signed with the service account's key (RFC 7523), posted to the key's token_uri. LOGIN: user and password
 * as JSON, answered with an access_token (Airflow 3). REGISTRY: the token service of a container registry, one token for each
 * repository. Failure: sentences that tell neither secrets nor tokens, whatever the server put into its answer. */
#ifndef HM_APP_TOKEN_SOURCE_H
#define HM_APP_TOKEN_SOURCE_H

#include "app/auth.h"
#include "handlers/handler.h"

struct hm_token_source {
    const struct hm_auth *auth; /* borrowed */
    const char *dir;            /* borrowed: what secret files are relative to */
    char *scope;                /* REGISTRY: "repository:NAME:pull"; else NULL */
};

/* True for the kinds of authorisation that need a token to be fetched. */
bool hm_token_source_needed(enum hm_auth_kind kind);

/* For struct hm_token_kind; arg is the source. */
enum hm_code hm_token_source_request(void *arg, int64_t wall_ms, struct hm_request *ret_req, struct hm_err *err);
enum hm_code hm_token_source_response(void *arg, const struct hm_answer *answer, char **ret_value, int64_t *ret_lifetime_ms,
                                      struct hm_err *err);

/* "repository:library/x:pull" for ".../v2/library/x/tags/list", ".../manifests/…" and ".../blobs/…"; "" for other URLs. The
 * caller frees. */
char *hm_token_registry_scope(const char *url);

#endif
