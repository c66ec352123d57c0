/* The HTTP client: pools and queues on top of curl_loop.h.
 *
 * Happy path: hm_http_send() queues → turn(): the pool has a free place, its rate allows one more, authorize() is ready → armed
 * easy handle into curl_loop → on_transfer_done() → on_done.
 * Failure modes: whatever can not be started ends in the next turn as NOT_SENT; whatever curl ends is judged by
 * http_transfer.c; cancel and close end what is left.
 *
 * Two rules keep this file simple. on_done runs from turn() and on_transfer_done() only, both called by the loop and never from
 * inside curl or from a function of ours that the owner called. And everything that others ask for (send, cancel, close, retire)
 * only changes lists and starts the `turn` timer with 0 ms: libuv never sleeps over a timer that is due. */
#include "io/http_client.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/assert.h"
#include "base/mem.h"
#include "io/curl_loop.h"
#include "io/http_transfer.h"

enum {
    DEFAULT_TIMEOUT_MS = 30 * 1000,
    DEFAULT_CONNECT_TIMEOUT_MS = 10 * 1000,
    DEFAULT_CONNECTIONS = 4,
    DEFAULT_QUEUE = 20000,
    DEFAULT_ANSWER = 8 * 1024 * 1024
};

enum call_state {
    CALL_QUEUED,  /* waits for its turn in the pool */
    CALL_RUNNING, /* curl has it */
    CALL_ENDED    /* its on_done runs in the next turn */
};

struct hm_http_call {
    TAILQ_ENTRY(hm_http_call) link; /* in pool->queue, pool->running or client->ended, by state */
    struct hm_http_pool *pool;
    enum call_state state;
    struct hm_transfer *transfer; /* NULL: refused at birth, why in `why` */
    CURL *easy;                   /* while running */
    struct hm_err why;            /* of the end, when it was not curl's */
    hm_http_done_fn on_done;
    void *arg;
    int64_t timeout_ms;
    int64_t queued_at_ms;
    int64_t started_at_ms; /* -1 = never */
};
TAILQ_HEAD(call_list, hm_http_call);

struct hm_http_pool {
    LIST_ENTRY(hm_http_pool) link;
    struct hm_http_client *client;
    struct hm_http_pool_opts opts; /* strings are ours */
    struct call_list queue;
    struct call_list running;
    CURL **spare; /* easy handles to use again, at most max_connections */
    unsigned n_spare;
    unsigned n_calls; /* queued, running or ended */
    bool retired;
    double tokens; /* requests that may start now; meaningless without a rate */
    int64_t tokens_at_ms;
    struct hm_http_pool_stats stats;
};

struct hm_http_client {
    uv_loop_t *loop;
    const struct hm_clock *clock;
    struct hm_curl_loop *curl;
    uv_timer_t turn;
    uv_timer_t rate; /* a pool waits for a token */
    LIST_HEAD(, hm_http_pool) pools;
    struct call_list ended;
    bool closing;
    bool handles_closing;
    unsigned open_handles; /* two timers and curl */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

static void turn(uv_timer_t *uv);

static void schedule_turn(struct hm_http_client *client)
{
    if (!client->handles_closing)
        HM_ASSERT(uv_timer_start(&client->turn, turn, 0, 0) == 0);
}

/* ---- the end of calls ------------------------------------------------------------------------------------------------- */

static void count_end(struct hm_http_pool_stats *stats, enum hm_transport transport)
{
    switch (transport) {
    case HM_TRANSPORT_ANSWER:
        stats->answered++;
        break;
    case HM_TRANSPORT_NOT_SENT:
        stats->not_sent++;
        break;
    case HM_TRANSPORT_TIMEOUT:
        stats->timed_out++;
        break;
    case HM_TRANSPORT_BROKEN:
    case HM_TRANSPORT_TOO_BIG:
        stats->broken++;
        break;
    case HM_TRANSPORT_NR:
        break;
    }
}

/* call is in no list any more; it is gone afterwards. */
static void deliver(struct hm_http_call *call, const struct hm_answer *answer)
{
    struct hm_http_pool *pool = call->pool;
    int64_t now = hm_mono_ms(pool->client->clock);
    bool started = call->started_at_ms >= 0;
    struct hm_http_result result = {.answer = *answer,
                                    .duration_ms = started ? now - call->started_at_ms : 0,
                                    .queued_ms = (started ? call->started_at_ms : now) - call->queued_at_ms};

    pool->n_calls--;
    count_end(&pool->stats, answer->transport);
    if (call->on_done != NULL)
        call->on_done(call->arg, &result);
    hm_transfer_free(call->transfer);
    free(call);
    schedule_turn(pool->client); /* a place in the pool, or its end */
}

static void deliver_ended(struct hm_http_call *call)
{
    struct hm_answer answer;

    if (call->transfer != NULL)
        hm_transfer_give_up(call->transfer, call->why.msg, &answer);
    else
        hm_transfer_not_sent(&answer, call->why.msg);
    deliver(call, &answer);
}

/* Takes the easy handle away from curl and keeps it for the next request. */
static void release_easy(struct hm_http_call *call)
{
    struct hm_http_pool *pool = call->pool;
    long opened = 0;

    (void)curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &opened);
    pool->stats.connections_opened += (uint64_t)opened;
    hm_curl_loop_remove(pool->client->curl, call->easy);
    if (pool->n_spare < pool->opts.max_connections && !pool->client->closing) {
        curl_easy_reset(call->easy);
        pool->spare[pool->n_spare++] = call->easy;
    } else {
        curl_easy_cleanup(call->easy);
    }
    call->easy = NULL;
}

/* From any state to CALL_ENDED, for a reason of ours. */
static void end_call(struct hm_http_call *call, const char *why)
{
    struct hm_http_pool *pool = call->pool;

    switch (call->state) {
    case CALL_QUEUED:
        TAILQ_REMOVE(&pool->queue, call, link);
        pool->stats.queued--;
        break;
    case CALL_RUNNING:
        TAILQ_REMOVE(&pool->running, call, link);
        pool->stats.in_flight--;
        release_easy(call);
        break;
    case CALL_ENDED:
        return;
    }
    (void)hm_err_set(&call->why, HM_EIO, "%s", why);
    call->state = CALL_ENDED;
    TAILQ_INSERT_TAIL(&pool->client->ended, call, link);
    schedule_turn(pool->client);
}

static void on_transfer_done(void *arg, CURL *easy, CURLcode rc)
{
    char *private = NULL;
    struct hm_answer answer;
    (void)arg;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    struct hm_http_call *call = (struct hm_http_call *)(void *)private;
    hm_transfer_end(call->transfer, call->easy, rc, &answer);
    TAILQ_REMOVE(&call->pool->running, call, link);
    call->pool->stats.in_flight--;
    release_easy(call);
    deliver(call, &answer);
}

/* ---- starting calls --------------------------------------------------------------------------------------------------- */

/* Milliseconds until the pool's rate allows one more request; 0 = now. */
static int64_t rate_wait(struct hm_http_pool *pool)
{
    double rate = pool->opts.rate_per_s;
    if (!(rate > 0))
        return 0;
    int64_t now = hm_mono_ms(pool->client->clock);
    double most = rate > 1 ? rate : 1;

    pool->tokens += (double)(now - pool->tokens_at_ms) * rate / 1000;
    pool->tokens_at_ms = now;
    if (pool->tokens > most)
        pool->tokens = most;
    return pool->tokens >= 1 ? 0 : (int64_t)((1 - pool->tokens) * 1000 / rate) + 1;
}

static enum hm_code arm_call(struct hm_http_call *call, const struct hm_request *credentials, struct hm_err *err)
{
    struct hm_http_pool *pool = call->pool;
    const struct hm_http_pool_opts *o = &pool->opts;
    int64_t timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : o->timeout_ms;
    struct hm_transfer_opts t = {.timeout_ms = timeout_ms,
                                 .connect_timeout_ms = o->connect_timeout_ms < timeout_ms ? o->connect_timeout_ms : timeout_ms,
                                 .max_answer = o->max_answer,
                                 .ca = o->ca,
                                 .client_cert = o->client_cert,
                                 .client_key = o->client_key,
                                 .proxy = o->proxy,
                                 .share = hm_curl_loop_share(pool->client->curl)};
    return hm_transfer_arm(call->transfer, call->easy, &t, credentials, err);
}

static void start_call(struct hm_http_call *call, const struct hm_request *credentials)
{
    struct hm_http_pool *pool = call->pool;
    struct hm_err err = {0};

    call->easy = pool->n_spare > 0 ? pool->spare[--pool->n_spare] : curl_easy_init();
    if (call->easy == NULL)
        abort(); /* out of memory, as in hm_xmalloc() */
    if (arm_call(call, credentials, &err) != HM_OK) {
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
        end_call(call, err.msg);
        return;
    }
    (void)curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    TAILQ_REMOVE(&pool->queue, call, link);
    pool->stats.queued--;
    TAILQ_INSERT_TAIL(&pool->running, call, link);
    pool->stats.in_flight++;
    pool->stats.started++;
    pool->tokens -= 1;
    call->state = CALL_RUNNING;
    call->started_at_ms = hm_mono_ms(pool->client->clock);
    CURLMcode rc = hm_curl_loop_add(pool->client->curl, call->easy);
    if (rc != CURLM_OK)
        end_call(call, curl_multi_strerror(rc));
}

/* Starts the first of the queue, or ends it. False when it has to wait for its credentials. */
static bool try_first(struct hm_http_call *call)
{
    const struct hm_http_pool_opts *o = &call->pool->opts;
    const struct hm_http_departing departing = {hm_transfer_request(call->transfer), call->queued_at_ms};
    struct hm_request credentials;
    struct hm_err err = {0};
    enum hm_http_ready ready = HM_HTTP_READY;

    hm_request_init(&credentials);
    if (o->authorize != NULL)
        ready = o->authorize(o->authorize_arg, &departing, &credentials, &err);
    if (ready == HM_HTTP_REFUSED)
        end_call(call, err.msg);
    else if (ready == HM_HTTP_READY)
        start_call(call, &credentials);
    for (size_t i = 0; i < credentials.n_headers; i++)
        explicit_bzero(credentials.headers[i].value, strlen(credentials.headers[i].value));
    hm_request_done(&credentials);
    return ready != HM_HTTP_WAIT;
}

/* Starts what may start. Returns in how many milliseconds to look again; -1 = not by the clock. */
static int64_t pump(struct hm_http_pool *pool)
{
    struct hm_http_call *call = NULL;

    while ((call = TAILQ_FIRST(&pool->queue)) != NULL && pool->stats.in_flight < pool->opts.max_connections) {
        int64_t wait_ms = rate_wait(pool);
        if (wait_ms > 0)
            return wait_ms;
        if (!try_first(call))
            break;
    }
    return -1;
}

/* ---- the turn --------------------------------------------------------------------------------------------------------- */

static void pool_free(struct hm_http_pool *pool)
{
    LIST_REMOVE(pool, link);
    while (pool->n_spare > 0)
        curl_easy_cleanup(pool->spare[--pool->n_spare]);
    /* the strings were ours from hm_http_pool_new() on; the struct says const for its callers */
    free(hm_unconst(pool->opts.name));
    free(hm_unconst(pool->opts.ca));
    free(hm_unconst(pool->opts.client_cert));
    free(hm_unconst(pool->opts.client_key));
    free(hm_unconst(pool->opts.proxy));
    free(pool->spare);
    free(pool);
}

static void end_all(struct hm_http_client *client)
{
    struct hm_http_pool *pool = NULL;
    struct hm_http_call *call = NULL;

    LIST_FOREACH(pool, &client->pools, link)
    {
        while ((call = TAILQ_FIRST(&pool->running)) != NULL)
            end_call(call, "given up: shutting down");
        while ((call = TAILQ_FIRST(&pool->queue)) != NULL)
            end_call(call, "not sent: shutting down");
    }
}

static void handle_gone(void *arg)
{
    struct hm_http_client *client = arg;
    if (--client->open_handles == 0 && client->on_closed != NULL)
        client->on_closed(client->on_closed_arg);
}

static void on_timer_closed(uv_handle_t *uv)
{
    handle_gone(uv->data);
}

/* Nothing is under way any more. */
static void close_handles(struct hm_http_client *client)
{
    struct hm_http_pool *pool = NULL;

    LIST_FOREACH(pool, &client->pools, link)
    {
        while (pool->n_spare > 0)
            curl_easy_cleanup(pool->spare[--pool->n_spare]);
    }
    client->handles_closing = true;
    hm_curl_loop_close(client->curl, handle_gone);
    uv_close((uv_handle_t *)&client->turn, on_timer_closed);
    uv_close((uv_handle_t *)&client->rate, on_timer_closed);
}

static void deliver_all_ended(struct hm_http_client *client)
{
    struct call_list batch = TAILQ_HEAD_INITIALIZER(batch);
    struct hm_http_call *call = NULL;

    /* What on_done sends now is for the next turn: an owner that repeats at once must not hold the loop. */
    TAILQ_CONCAT(&batch, &client->ended, link);
    while ((call = TAILQ_FIRST(&batch)) != NULL) {
        TAILQ_REMOVE(&batch, call, link);
        deliver_ended(call);
    }
}

static void turn(uv_timer_t *uv)
{
    struct hm_http_client *client = uv->data;
    struct hm_http_pool *pool = NULL;
    struct hm_http_pool *next = NULL;
    int64_t soonest = -1;

    if (client->closing)
        end_all(client);
    deliver_all_ended(client);
    for (pool = LIST_FIRST(&client->pools); pool != NULL; pool = next) {
        next = LIST_NEXT(pool, link);
        int64_t wait_ms = client->closing ? -1 : pump(pool);
        if (wait_ms >= 0 && (soonest < 0 || wait_ms < soonest))
            soonest = wait_ms;
        if (pool->retired && pool->n_calls == 0)
            pool_free(pool);
    }
    if (soonest >= 0) {
        uv_update_time(client->loop);
        HM_ASSERT(uv_timer_start(&client->rate, turn, (uint64_t)soonest, 0) == 0);
    }
    if (client->closing && !client->handles_closing && TAILQ_EMPTY(&client->ended))
        close_handles(client);
}

/* ---- the door --------------------------------------------------------------------------------------------------------- */

struct hm_http_client *hm_http_client_new(uv_loop_t *loop, const struct hm_clock *clock, struct hm_err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)hm_err_set(err, HM_EENV, "libcurl does not start");
        return NULL;
    }
    struct hm_http_client *client = hm_xcalloc(1, sizeof(*client));

    client->loop = loop;
    client->clock = clock;
    LIST_INIT(&client->pools);
    TAILQ_INIT(&client->ended);
    HM_ASSERT(uv_timer_init(loop, &client->turn) == 0);
    HM_ASSERT(uv_timer_init(loop, &client->rate) == 0);
    client->turn.data = client;
    client->rate.data = client;
    client->curl = hm_curl_loop_new(loop, on_transfer_done, client);
    client->open_handles = 3;
    return client;
}

void hm_http_client_close(struct hm_http_client *client, void (*on_closed)(void *arg), void *arg)
{
    HM_ASSERT(!client->closing);
    client->closing = true;
    client->on_closed = on_closed;
    client->on_closed_arg = arg;
    schedule_turn(client);
}

void hm_http_client_free(struct hm_http_client *client)
{
    struct hm_http_pool *next = NULL;

    if (client == NULL)
        return;
    HM_ASSERT(client->handles_closing && client->open_handles == 0);
    for (struct hm_http_pool *pool = LIST_FIRST(&client->pools); pool != NULL; pool = next) {
        next = LIST_NEXT(pool, link);
        pool_free(pool);
    }
    hm_curl_loop_free(client->curl);
    free(client);
    curl_global_cleanup();
}

struct hm_http_pool *hm_http_pool_new(struct hm_http_client *client, const struct hm_http_pool_opts *opts, struct hm_err *err)
{
    if (opts->name == NULL) {
        (void)hm_err_set(err, HM_EBUG, "a pool without a name");
        return NULL;
    }
    struct hm_http_pool *pool = hm_xcalloc(1, sizeof(*pool));
    struct hm_http_pool_opts *o = &pool->opts;

    pool->client = client;
    *o = *opts;
    o->name = hm_xstrdup(opts->name);
    o->ca = hm_xstrdup_null(opts->ca);
    o->client_cert = hm_xstrdup_null(opts->client_cert);
    o->client_key = hm_xstrdup_null(opts->client_key);
    o->proxy = hm_xstrdup_null(opts->proxy);
    if (o->timeout_ms <= 0)
        o->timeout_ms = DEFAULT_TIMEOUT_MS;
    if (o->connect_timeout_ms <= 0)
        o->connect_timeout_ms = DEFAULT_CONNECT_TIMEOUT_MS;
    if (o->max_connections == 0)
        o->max_connections = DEFAULT_CONNECTIONS;
    if (o->max_queue == 0)
        o->max_queue = DEFAULT_QUEUE;
    if (o->max_answer == 0)
        o->max_answer = DEFAULT_ANSWER;
    TAILQ_INIT(&pool->queue);
    TAILQ_INIT(&pool->running);
    pool->spare = hm_xcalloc(o->max_connections, sizeof(CURL *));
    pool->tokens = o->rate_per_s > 1 ? o->rate_per_s : 1;
    pool->tokens_at_ms = hm_mono_ms(client->clock);
    LIST_INSERT_HEAD(&client->pools, pool, link);
    return pool;
}

void hm_http_pool_retire(struct hm_http_pool *pool)
{
    pool->retired = true;
    schedule_turn(pool->client);
}

bool hm_http_client_closing(const struct hm_http_client *client)
{
    return client->closing;
}

void hm_http_client_wake(struct hm_http_client *client)
{
    schedule_turn(client);
}

struct hm_http_call *hm_http_send(struct hm_http_pool *pool, const struct hm_request *req, int64_t timeout_ms,
                                  hm_http_done_fn on_done, void *arg)
{
    struct hm_http_call *call = hm_xcalloc(1, sizeof(*call));

    HM_ASSERT(!pool->client->handles_closing);
    call->pool = pool;
    call->on_done = on_done;
    call->arg = arg;
    call->timeout_ms = timeout_ms;
    call->queued_at_ms = hm_mono_ms(pool->client->clock);
    call->started_at_ms = -1;
    pool->n_calls++;
    if (pool->client->closing)
        (void)hm_err_set(&call->why, HM_EIO, "%s: not sent: shutting down", pool->opts.name);
    else if (pool->stats.queued >= pool->opts.max_queue)
        (void)hm_err_set(&call->why, HM_EIO, "%s: not sent: %u requests are waiting already", pool->opts.name,
                         pool->stats.queued);
    else
        call->transfer = hm_transfer_new(req, &call->why);
    if (call->transfer == NULL) {
        call->state = CALL_ENDED;
        TAILQ_INSERT_TAIL(&pool->client->ended, call, link);
    } else {
        call->state = CALL_QUEUED;
        TAILQ_INSERT_TAIL(&pool->queue, call, link);
        pool->stats.queued++;
    }
    schedule_turn(pool->client);
    return call;
}

void hm_http_cancel(struct hm_http_call *call)
{
    end_call(call, "cancelled");
}

enum hm_code hm_http_check_url(const char *url, struct hm_err *err)
{
    return hm_transfer_check_url(url, NULL, err);
}

void hm_http_pool_stats(const struct hm_http_pool *pool, struct hm_http_pool_stats *ret_stats)
{
    *ret_stats = pool->stats;
}
