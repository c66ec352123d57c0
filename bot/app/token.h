/* One token that has to be fetched before requests can be sent: kept while it is good, fetched once for all that wait for it,
 * renewed before it ends.
 *
 * Happy path: hm_token_get() says WAIT and starts a fetch → the token comes → the HTTP client is woken and asks again → READY,
 * without a request until shortly before the end; then a new one is fetched while the old one is still used.
 * Failure modes: a fetch that fails refuses what was queued before its end (a sentence says why); what is queued later makes a
 * new attempt. A token that its server refuses although it should be good is dropped by hm_token_refused(). */
#ifndef HM_APP_TOKEN_H
#define HM_APP_TOKEN_H

#include "io/http_client.h"

struct hm_token;

/* How a token is asked for, and what its answer means: token_source.h. Both are called on the loop. */
struct hm_token_kind {
    /* Fills ret_req in, which may hold secrets and is wiped afterwards. */
    enum hm_code (*request)(void *arg, int64_t wall_ms, struct hm_request *ret_req, struct hm_err *err);
    /* Only for HTTP answers. *ret_value: freed with hm_secret_free(); *ret_lifetime_ms: how long it is good from now. */
    enum hm_code (*response)(void *arg, const struct hm_answer *answer, char **ret_value, int64_t *ret_lifetime_ms,
                             struct hm_err *err);
    void *arg;
};

/* name: whom it is for, in messages ("bigquery"). http, pool and clock are borrowed: the pool is the token server's. */
struct hm_token *hm_token_new(const char *name, struct hm_http_client *http, struct hm_http_pool *pool,
                              const struct hm_clock *clock, const struct hm_token_kind *kind);
/* Not while a fetch is under way: close the HTTP client before. NULL is fine. */
void hm_token_free(struct hm_token *token);

/* *ret_value is borrowed, set when READY. */
enum hm_http_ready hm_token_get(struct hm_token *token, int64_t queued_at_ms, const char **ret_value, struct hm_err *err);
/* A request that was sent at that time (monotonic) was answered "401": drops the token, unless a newer one has come since. */
void hm_token_refused(struct hm_token *token, int64_t sent_at_ms);
/* Nothing is being fetched. */
bool hm_token_idle(const struct hm_token *token);
/* When it was last asked for (monotonic). */
int64_t hm_token_used_at(const struct hm_token *token);

#endif
