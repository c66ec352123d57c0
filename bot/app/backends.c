/* The backends' side of the bot: see backends.h. */
#include "app/backends.h"

#include <stdlib.h>
#include <string.h>

#include "app/credentials.h"
#include "base/assert.h"
#include "base/mem.h"

struct pool {
    const struct hm_backend *backend;   /* borrowed from the settings */
    const char *dir;                    /* what secret files are relative to */
    struct hm_http_pool *http;          /* NULL for a program */
    struct hm_credentials *credentials; /* NULL when its requests need none */
    struct hm_http_client *client;
    const struct hm_clock *clock;
    struct hm_backends *backends;
    const struct hm_settings *settings; /* held: what all of the above is borrowed from */
    unsigned under_way;                 /* requests */
};

struct hm_backends {
    struct hm_http_client *http;
    struct hm_processes *processes;
    const struct hm_clock *clock;
    struct pool **pools; /* each on the heap: the HTTP pool keeps its address */
    size_t n_pools;
    struct pool **retired; /* of earlier configurations, with requests under way */
    size_t n_retired;
};

struct hm_backends *hm_backends_new(struct hm_http_client *http, struct hm_processes *processes, const struct hm_clock *clock)
{
    struct hm_backends *backends = hm_xcalloc(1, sizeof *backends);
    backends->http = http;
    backends->processes = processes;
    backends->clock = clock;
    return backends;
}

static void pool_free(struct pool *pool)
{
    hm_credentials_free(pool->credentials);
    hm_settings_free(pool->settings);
    free(pool);
}

void hm_backends_free(struct hm_backends *backends)
{
    if (backends == NULL)
        return;
    for (size_t i = 0; i < backends->n_pools; i++)
        pool_free(backends->pools[i]);
    for (size_t i = 0; i < backends->n_retired; i++)
        pool_free(backends->retired[i]);
    free(backends->pools);
    free(backends->retired);
    free(backends);
}

static struct pool *pool_new(struct hm_backends *backends, const struct hm_settings *settings, const struct hm_backend *backend,
                             struct hm_err *err)
{
    struct pool *pool = hm_xcalloc(1, sizeof *pool);
    *pool = (struct pool){.backend = backend,
                          .dir = settings->dir,
                          .client = backends->http,
                          .clock = backends->clock,
                          .backends = backends,
                          .settings = hm_settings_ref(settings)};
    if (backend->program != NULL && backend->url == NULL) /* a program, and nothing else */
        return pool;
    if (backend->auth != NULL) {
        const struct hm_credentials_opts needs = {backend, settings->dir, backends->http, backends->clock};
        pool->credentials = hm_credentials_new(&needs, err);
        if (pool->credentials == NULL) {
            pool_free(pool);
            return NULL;
        }
    }
    struct hm_http_pool_opts opts = {
        .name = backend->name,
        .timeout_ms = backend->timeout_ms,
        .rate_per_s = backend->rate_per_s,
        .max_connections = backend->max_connections,
        .ca = backend->ca,
        .client_cert = backend->client_cert,
        .client_key = backend->client_key,
        .proxy = backend->proxy,
        .authorize = pool->credentials != NULL ? hm_credentials_authorize : NULL,
        .authorize_arg = pool->credentials,
    };
    pool->http = hm_http_pool_new(backends->http, &opts, err);
    if (pool->http == NULL) {
        (void)hm_err_wrap(err, "backend %s", backend->name);
        pool_free(pool);
        return NULL;
    }
    return pool;
}

/* Nothing is under way: gone, and its configuration with it if nobody else holds that. */
static void pool_drop(struct pool *pool)
{
    if (pool->http != NULL)
        hm_http_pool_retire(pool->http);
    if (pool->credentials != NULL)
        hm_credentials_retire(pool->credentials);
    pool_free(pool);
}

static bool is_idle(const struct pool *pool)
{
    return pool->under_way == 0 && (pool->credentials == NULL || hm_credentials_idle(pool->credentials));
}

/* Of the retired ones, those whose last request has ended. */
static void sweep(struct hm_backends *backends)
{
    size_t n = 0;
    for (size_t i = 0; i < backends->n_retired; i++) {
        struct pool *pool = backends->retired[i];
        if (is_idle(pool))
            pool_drop(pool);
        else
            backends->retired[n++] = pool;
    }
    backends->n_retired = n;
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
    for (size_t i = 0; i < backends->n_pools; i++)
        backends->retired[backends->n_retired++] = backends->pools[i];
    free(backends->pools);
    backends->pools = fresh;
    backends->n_pools = settings->n_backends;
    sweep(backends);
    return HM_OK;
}

/* ---- sending ------------------------------------------------------------------------------------------------------------- */

/* A request under way. */
struct asked {
    struct pool *pool;
    struct hm_request req; /* kept when its token may turn out refused */
    struct hm_send send;
    bool again; /* it has left twice */
};

static void ended(struct asked *asked, const struct hm_http_result *result)
{
    struct pool *pool = asked->pool;
    struct hm_backends *backends = pool->backends;
    asked->send.on_done(asked->send.arg, result);
    hm_request_done(&asked->req);
    free(asked);
    pool->under_way--;
    if (backends->n_retired > 0 && !hm_http_client_closing(pool->client))
        sweep(backends);
}

static void on_answered(void *arg, const struct hm_http_result *result)
{
    struct asked *asked = arg;
    struct pool *pool = asked->pool;
    if (pool->credentials != NULL && result->answer.transport == HM_TRANSPORT_ANSWER && result->answer.status == 401) {
        int64_t sent_at_ms = hm_mono_ms(pool->clock) - result->duration_ms;
        bool other_token = hm_credentials_refused(pool->credentials, &asked->req, sent_at_ms);
        if (other_token && asked->send.read && !asked->again && !hm_http_client_closing(pool->client)) {
            asked->again = true;
            (void)hm_http_send(pool->http, &asked->req, asked->send.timeout_ms, on_answered, asked);
            return;
        }
    }
    ended(asked, result);
}

static void on_program_ended(void *arg, const struct hm_http_result *result)
{
    ended(arg, result);
}

static void on_tail(void *arg, const char *text)
{
    struct asked *asked = arg;
    asked->send.on_tail(asked->send.arg, text);
}

static void send_program(struct hm_backends *backends, struct asked *asked, const struct hm_request *req)
{
    struct hm_send send = asked->send;
    send.on_done = on_program_ended;
    send.on_tail = asked->send.on_tail != NULL ? on_tail : NULL;
    send.arg = asked;
    hm_program_run(backends->processes, asked->pool->backend, asked->pool->dir, req, &send);
}

void hm_backends_send(struct hm_backends *backends, const struct hm_backend *backend, const struct hm_request *req,
                      const struct hm_send *send)
{
    for (size_t i = 0; i < backends->n_pools; i++) {
        struct pool *pool = backends->pools[i];
        if (pool->backend != backend)
            continue;
        struct asked *asked = hm_xcalloc(1, sizeof *asked);
        asked->pool = pool;
        asked->send = *send;
        hm_request_init(&asked->req);
        pool->under_way++;
        if (pool->http == NULL || req->kind != HM_REQUEST_HTTP) {
            send_program(backends, asked, req);
            return;
        }
        if (pool->credentials != NULL)
            hm_request_copy(&asked->req, req);
        (void)hm_http_send(pool->http, req, send->timeout_ms, on_answered, asked);
        return;
    }
    HM_ASSERT(false); /* backends are looked up in the very settings the pools were made from */
}
