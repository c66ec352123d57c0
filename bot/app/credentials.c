/* Credentials at sending time: see credentials.h. */
#include "app/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "app/auth.h"
#include "app/token.h"
#include "app/token_source.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "io/sigv4.h"

enum { MAX_TOKENS = 32, LONGEST_FETCH_MS = 30 * 1000 };

/* One token and what it is for. */
struct entry {
    struct hm_token_source source;
    struct hm_token *token;
};

struct hm_credentials {
    struct hm_credentials_opts opts;
    const struct hm_auth *auth;
    struct hm_http_pool *pool;        /* the token server's; NULL for kinds that fetch none */
    struct entry *tokens[MAX_TOKENS]; /* each on the heap: tokens keep the addresses of their sources */
    size_t n_tokens;
};

struct hm_credentials *hm_credentials_new(const struct hm_credentials_opts *opts, struct hm_err *err)
{
    const struct hm_backend *backend = opts->backend;
    struct hm_credentials *credentials = hm_xcalloc(1, sizeof *credentials);
    credentials->opts = *opts;
    credentials->auth = backend->auth;
    if (!hm_token_source_needed(backend->auth->kind))
        return credentials;
    bool login = backend->auth->kind == HM_AUTH_LOGIN;
    char *name = hm_xasprintf("%s's token server", backend->name);
    struct hm_http_pool_opts pool = {
        .name = name,
        .timeout_ms = backend->timeout_ms < LONGEST_FETCH_MS ? backend->timeout_ms : LONGEST_FETCH_MS,
        .max_connections = 1,
        .max_answer = 256 * (size_t)1024,
        .ca = backend->ca,
        .client_cert = login ? backend->client_cert : NULL, /* the others' token servers are somebody else's */
        .client_key = login ? backend->client_key : NULL,
        .proxy = backend->proxy,
    };
    credentials->pool = hm_http_pool_new(opts->http, &pool, err);
    free(name);
    if (credentials->pool == NULL)
        HM_FREE(credentials);
    return credentials;
}

static void entry_free(struct entry *entry)
{
    hm_token_free(entry->token);
    free(entry->source.scope);
    free(entry);
}

void hm_credentials_free(struct hm_credentials *credentials)
{
    if (credentials == NULL)
        return;
    for (size_t i = 0; i < credentials->n_tokens; i++)
        entry_free(credentials->tokens[i]);
    free(credentials);
}

bool hm_credentials_idle(const struct hm_credentials *credentials)
{
    for (size_t i = 0; i < credentials->n_tokens; i++)
        if (!hm_token_idle(credentials->tokens[i]->token))
            return false;
    return true;
}

void hm_credentials_retire(struct hm_credentials *credentials)
{
    if (credentials->pool != NULL)
        hm_http_pool_retire(credentials->pool);
    credentials->pool = NULL;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------- */

static struct entry *find_entry(struct hm_credentials *credentials, const struct hm_request *req)
{
    char *scope = credentials->auth->kind == HM_AUTH_REGISTRY ? hm_token_registry_scope(req->url) : NULL;
    struct entry *found = NULL;
    for (size_t i = 0; i < credentials->n_tokens && found == NULL; i++)
        if (hm_streq(credentials->tokens[i]->source.scope, scope))
            found = credentials->tokens[i];
    free(scope);
    return found;
}

/* The slot of a new entry: a free one, or that of the idle token which was asked for longest ago. NULL when all are being
 * fetched. */
static struct entry **free_slot(struct hm_credentials *credentials)
{
    struct entry **oldest = NULL;
    if (credentials->n_tokens < MAX_TOKENS)
        return &credentials->tokens[credentials->n_tokens++];
    for (size_t i = 0; i < MAX_TOKENS; i++) {
        struct entry **slot = &credentials->tokens[i];
        if (hm_token_idle((*slot)->token) &&
            (oldest == NULL || hm_token_used_at((*slot)->token) < hm_token_used_at((*oldest)->token)))
            oldest = slot;
    }
    if (oldest != NULL)
        entry_free(*oldest);
    return oldest;
}

static struct entry *add_entry(struct hm_credentials *credentials, const struct hm_request *req)
{
    struct entry **slot = free_slot(credentials);
    if (slot == NULL)
        return NULL;
    struct entry *entry = hm_xcalloc(1, sizeof *entry);
    entry->source = (struct hm_token_source){.auth = credentials->auth, .dir = credentials->opts.dir};
    if (credentials->auth->kind == HM_AUTH_REGISTRY)
        entry->source.scope = hm_token_registry_scope(req->url);
    const struct hm_token_kind kind = {hm_token_source_request, hm_token_source_response, &entry->source};
    entry->token =
        hm_token_new(credentials->opts.backend->name, credentials->opts.http, credentials->pool, credentials->opts.clock, &kind);
    *slot = entry;
    return entry;
}

static enum hm_http_ready authorize_by_token(struct hm_credentials *credentials, const struct hm_http_departing *departing,
                                             struct hm_request *ret_credentials, struct hm_err *err)
{
    const char *value = NULL;
    struct entry *entry = find_entry(credentials, departing->req);
    if (entry == NULL)
        entry = add_entry(credentials, departing->req);
    if (entry == NULL)
        return HM_HTTP_WAIT; /* for one of the fetches under way to end */
    enum hm_http_ready ready = hm_token_get(entry->token, departing->queued_at_ms, &value, err);
    if (ready == HM_HTTP_READY) {
        char *header = hm_xasprintf("Bearer %s", value);
        hm_request_add_header(ret_credentials, "Authorization", header);
        hm_secret_free(header);
    }
    return ready;
}

bool hm_credentials_refused(struct hm_credentials *credentials, const struct hm_request *req, int64_t sent_at_ms)
{
    struct entry *entry = credentials->pool != NULL ? find_entry(credentials, req) : NULL;
    if (entry == NULL)
        return false;
    hm_token_refused(entry->token, sent_at_ms);
    return true;
}

/* ---- secrets ------------------------------------------------------------------------------------------------------------- */

static enum hm_code read_secret(const struct hm_credentials *credentials, const char *ref, char **ret_secret, struct hm_err *err)
{
    struct hm_err why = {0};
    if (hm_secret_read(ref, credentials->opts.dir, ret_secret, &why) == HM_OK)
        return HM_OK;
    hm_log(HM_LOG_ERROR, credentials->opts.backend->name, "the backend's credential can not be read: %s", why.msg);
    return hm_err_set(err, HM_EENV, "the credentials for %s could not be read", credentials->opts.backend->name);
}

static enum hm_code add_secret(const struct hm_credentials *credentials, struct hm_request *ret_credentials, struct hm_err *err)
{
    const struct hm_auth *auth = credentials->auth;
    const char *scheme = auth->kind == HM_AUTH_SCHEME ? auth->scheme : auth->kind == HM_AUTH_BASIC ? "Basic" : "Bearer";
    char *secret = NULL;
    if (read_secret(credentials, auth->secret, &secret, err) != HM_OK)
        return HM_EENV;
    if (auth->kind == HM_AUTH_BASIC) {
        char *encoded = hm_base64(secret, strlen(secret));
        hm_secret_free(secret);
        secret = encoded;
    }
    char *value = hm_xasprintf("%s %s", scheme, secret);
    hm_request_add_header(ret_credentials, "Authorization", value);
    hm_secret_free(value);
    hm_secret_free(secret);
    return HM_OK;
}

static enum hm_code sign_for_aws(const struct hm_credentials *credentials, const struct hm_request *req,
                                 struct hm_request *ret_credentials, struct hm_err *err)
{
    const struct hm_auth *auth = credentials->auth;
    char *access_key = NULL, *secret_key = NULL, *session = NULL;
    enum hm_code code = read_secret(credentials, auth->user, &access_key, err);
    if (code == HM_OK)
        code = read_secret(credentials, auth->secret, &secret_key, err);
    if (code == HM_OK && auth->session != NULL)
        code = read_secret(credentials, auth->session, &session, err);
    if (code == HM_OK) {
        const struct hm_sigv4_keys keys = {access_key, secret_key, session, auth->region, auth->service};
        code = hm_sigv4_sign(&keys, req, hm_wall_ms(credentials->opts.clock), ret_credentials, err);
    }
    hm_secret_free(access_key);
    hm_secret_free(secret_key);
    hm_secret_free(session);
    return code;
}

enum hm_http_ready hm_credentials_authorize(void *arg, const struct hm_http_departing *departing,
                                            struct hm_request *ret_credentials, struct hm_err *err)
{
    struct hm_credentials *credentials = arg;
    enum hm_code code = HM_OK;
    if (credentials->pool != NULL)
        return authorize_by_token(credentials, departing, ret_credentials, err);
    if (credentials->auth->kind == HM_AUTH_AWS)
        code = sign_for_aws(credentials, departing->req, ret_credentials, err);
    else
        code = add_secret(credentials, ret_credentials, err);
    return code == HM_OK ? HM_HTTP_READY : HM_HTTP_REFUSED;
}
