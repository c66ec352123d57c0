/* The backends' side of the bot: see backends.h. */
#include "app/backends.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

struct pool {
    const struct hm_backend *backend; /* borrowed from the settings */
    const char *dir;                  /* what secret files are relative to */
    struct hm_http_pool *http;        /* NULL for a program */
};

struct hm_backends {
    struct hm_http_client *http;
    struct hm_processes *processes;
    struct pool **pools; /* each on the heap: the HTTP pool keeps its address */
    size_t n_pools;
    struct pool **retired; /* may still be asked for a credential by what is queued */
    size_t n_retired;
};

struct hm_backends *hm_backends_new(struct hm_http_client *http, struct hm_processes *processes)
{
    struct hm_backends *backends = hm_xcalloc(1, sizeof *backends);
    backends->http = http;
    backends->processes = processes;
    return backends;
}

void hm_backends_free(struct hm_backends *backends)
{
    if (backends == NULL)
        return;
    for (size_t i = 0; i < backends->n_pools; i++)
        free(backends->pools[i]);
    for (size_t i = 0; i < backends->n_retired; i++)
        free(backends->retired[i]);
    free(backends->pools);
    free(backends->retired);
    free(backends);
}

/* "Basic " and the base64 of user:password. */
static char *basic_value(const char *user_password)
{
    size_t len = strlen(user_password);
    size_t size = 4 * ((len + 2) / 3) + 1;
    char *base64 = hm_xmalloc(size);
    int written = EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)user_password, (int)len);
    HM_ASSERT(written >= 0 && (size_t)written < size);
    char *value = hm_xasprintf("Basic %s", base64);
    hm_secret_free(base64);
    return value;
}

/* The Authorization header's value; read at each send, so that a rotated secret is used at once. */
static char *authorization(void *arg)
{
    const struct pool *pool = arg;
    const struct hm_backend *backend = pool->backend;
    const char *ref = backend->bearer_ref != NULL ? backend->bearer_ref : backend->basic_ref;
    struct hm_err err = {0};
    char *secret = NULL;
    if (hm_secret_read(ref, pool->dir, &secret, &err) != HM_OK) {
        hm_log(HM_LOG_ERROR, backend->name, "the backend's credential can not be read: %s", err.msg);
        return NULL; /* then nothing is sent, and the card says why */
    }
    char *value = backend->bearer_ref != NULL ? hm_xasprintf("Bearer %s", secret) : basic_value(secret);
    hm_secret_free(secret);
    return value;
}

static struct pool *pool_new(struct hm_backends *backends, const struct hm_settings *settings, const struct hm_backend *backend,
                             struct hm_err *err)
{
    struct pool *pool = hm_xcalloc(1, sizeof *pool);
    *pool = (struct pool){.backend = backend, .dir = settings->dir};
    if (backend->program != NULL)
        return pool;
    struct hm_http_pool_opts opts = {
        .name = backend->name,
        .timeout_ms = backend->timeout_ms,
        .rate_per_s = backend->rate_per_s,
        .max_connections = backend->max_connections,
        .ca = backend->ca,
        .client_cert = backend->client_cert,
        .client_key = backend->client_key,
        .proxy = backend->proxy,
        .authorization = backend->bearer_ref != NULL || backend->basic_ref != NULL ? authorization : NULL,
        .authorization_arg = pool,
    };
    pool->http = hm_http_pool_new(backends->http, &opts, err);
    if (pool->http == NULL) {
        (void)hm_err_wrap(err, "backend %s", backend->name);
        free(pool);
        return NULL;
    }
    return pool;
}

static void retire_http(const struct pool *pool)
{
    if (pool->http != NULL)
        hm_http_pool_retire(pool->http);
}

/* One that was never used. */
static void pool_drop(struct pool *pool)
{
    retire_http(pool);
    free(pool);
}

enum hm_code hm_backends_use(struct hm_backends *backends, const struct hm_settings *settings, struct hm_err *err)
{
    struct pool **fresh = hm_xcalloc(settings->n_backends, sizeof(void *));
    for (size_t i = 0; i < settings->n_backends; i++) {
        fresh[i] = pool_new(backends, settings, &settings->backends[i], err);
        if (fresh[i] != NULL)
            continue;
        while (i-- > 0)
            pool_drop(fresh[i]);
        free(fresh);
        return HM_EENV;
    }
    backends->retired = hm_xreallocarray(backends->retired, backends->n_retired + backends->n_pools, sizeof(void *));
    for (size_t i = 0; i < backends->n_pools; i++) {
        retire_http(backends->pools[i]);
        backends->retired[backends->n_retired++] = backends->pools[i];
    }
    free(backends->pools);
    backends->pools = fresh;
    backends->n_pools = settings->n_backends;
    return HM_OK;
}

void hm_backends_send(struct hm_backends *backends, const struct hm_backend *backend, const struct hm_request *req,
                      const struct hm_send *send)
{
    for (size_t i = 0; i < backends->n_pools; i++) {
        const struct pool *pool = backends->pools[i];
        if (pool->backend != backend)
            continue;
        if (pool->http != NULL && req->kind == HM_REQUEST_HTTP)
            (void)hm_http_send(pool->http, req, send->timeout_ms, send->on_done, send->arg);
        else
            hm_program_run(backends->processes, backend, pool->dir, req, send);
        return;
    }
    HM_ASSERT(false); /* backends are looked up in the very settings the pools were made from */
}
