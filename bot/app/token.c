/* A fetched token: see token.h. */
#include "app/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

enum {
    RENEW_SHARE = 5, /* the last fifth of its life, but at most RENEW_MS, is for renewing it */
    RENEW_MS = 5 * 60 * 1000,
    SPENT_SHARE = 20, /* the last twentieth, but at most SPENT_MS, it is not used: the request has a way to go */
    SPENT_MS = 30 * 1000,
    RENEW_PAUSE_MS = 10 * 1000 /* between attempts to renew a token that is still good */
};

struct hm_token {
    char *name;
    struct hm_http_client *http;
    struct hm_http_pool *pool;
    const struct hm_clock *clock;
    struct hm_token_kind kind;
    char *value; /* NULL = none */
    int64_t came_at_ms;
    int64_t lifetime_ms;
    bool fetching;
    bool failed; /* the last fetch, for this reason: */
    struct hm_err why;
    int64_t failed_at_ms;
    int64_t used_at_ms;
};

struct hm_token *hm_token_new(const char *name, struct hm_http_client *http, struct hm_http_pool *pool,
                              const struct hm_clock *clock, const struct hm_token_kind *kind)
{
    struct hm_token *token = hm_xcalloc(1, sizeof *token);
    token->name = hm_xstrdup(name);
    token->http = http;
    token->pool = pool;
    token->clock = clock;
    token->kind = *kind;
    return token;
}

void hm_token_free(struct hm_token *token)
{
    if (token == NULL)
        return;
    HM_ASSERT(!token->fetching);
    hm_secret_free(token->value);
    free(token->name);
    free(token);
}

static void drop(struct hm_token *token)
{
    hm_secret_free(token->value);
    token->value = NULL;
}

/* ---- fetching ------------------------------------------------------------------------------------------------------------ */

static void fetch_failed(struct hm_token *token, const struct hm_err *why)
{
    token->failed = true;
    token->failed_at_ms = hm_mono_ms(token->clock);
    (void)hm_err_set(&token->why, HM_EENV, "no access token for %s: %s", token->name, why->msg);
    hm_log(HM_LOG_WARN, token->name, "no access token: %s", why->msg);
}

static void on_fetched(void *arg, const struct hm_http_result *result)
{
    struct hm_token *token = arg;
    const struct hm_answer *answer = &result->answer;
    struct hm_err err = {0};
    char *value = NULL;
    int64_t lifetime_ms = 0;

    token->fetching = false;
    if (answer->transport != HM_TRANSPORT_ANSWER)
        (void)hm_err_set(&err, HM_EIO, "%s", answer->problem);
    else if (token->kind.response(token->kind.arg, answer, &value, &lifetime_ms, &err) == HM_OK) {
        drop(token);
        token->value = value;
        token->lifetime_ms = lifetime_ms;
        token->came_at_ms = hm_mono_ms(token->clock);
        token->failed = false;
    }
    if (value == NULL)
        fetch_failed(token, &err);
    hm_http_client_wake(token->http);
}

static void wipe_request(struct hm_request *req)
{
    for (size_t i = 0; i < req->n_headers; i++)
        explicit_bzero(req->headers[i].value, strlen(req->headers[i].value));
    if (req->body != NULL)
        explicit_bzero(req->body, req->body_len);
    hm_request_done(req);
}

static void fetch(struct hm_token *token)
{
    struct hm_request req;
    struct hm_err err = {0};
    hm_request_init(&req);
    if (hm_http_client_closing(token->http))
        (void)hm_err_set(&err, HM_EIO, "shutting down");
    else if (token->kind.request(token->kind.arg, hm_wall_ms(token->clock), &req, &err) == HM_OK) {
        token->fetching = true;
        (void)hm_http_send(token->pool, &req, 0, on_fetched, token);
    }
    wipe_request(&req);
    if (!token->fetching)
        fetch_failed(token, &err);
}

/* ---- using --------------------------------------------------------------------------------------------------------------- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

enum hm_http_ready hm_token_get(struct hm_token *token, int64_t queued_at_ms, const char **ret_value, struct hm_err *err)
{
    int64_t now = hm_mono_ms(token->clock);
    token->used_at_ms = now;
    if (token->value != NULL) {
        int64_t left = token->came_at_ms + token->lifetime_ms - now;
        if (left <= smaller(token->lifetime_ms / SPENT_SHARE, SPENT_MS))
            drop(token);
        else if (left <= smaller(token->lifetime_ms / RENEW_SHARE, RENEW_MS) && !token->fetching &&
                 (!token->failed || now >= token->failed_at_ms + RENEW_PAUSE_MS))
            fetch(token);
    }
    if (token->value != NULL) {
        *ret_value = token->value;
        return HM_HTTP_READY;
    }
    bool asked_too_early = token->failed && queued_at_ms <= token->failed_at_ms;
    if (!token->fetching && !asked_too_early)
        fetch(token);
    if (token->fetching)
        return HM_HTTP_WAIT;
    (void)hm_err_set(err, HM_EENV, "%s", token->why.msg);
    return HM_HTTP_REFUSED;
}

void hm_token_refused(struct hm_token *token, int64_t sent_at_ms)
{
    if (token->value != NULL && token->came_at_ms <= sent_at_ms)
        drop(token);
}

bool hm_token_idle(const struct hm_token *token)
{
    return !token->fetching;
}

int64_t hm_token_used_at(const struct hm_token *token)
{
    return token->used_at_ms;
}
