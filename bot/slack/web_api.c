/* Web API calls: queues per method, pace, repeats: see web_api.h. The numbers and words are in web_methods.c.
 *
 * Happy path: hm_web_call() → the method's lane → pump(): lane and channel have room → HTTP → "ok":true → on_done.
 * Failure modes: 429 → the lane is held for Retry-After and the call stays at its head; no connection, 5xx, time-out → again
 * after a back-off if the method allows it, else HM_EIO (certainly not done) or HM_EUNKNOWN; ok:false → the word's meaning.
 *
 * Everything is started from pump(), and pump() from a timer only, so that no on_done runs inside a function of the caller's. */
#include "slack/web_api.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "io/timer.h"
#include "slack/web_judge.h"
#include "slack/web_methods.h"
#include "slack/web_pace.h"

enum {
    MAX_WAITING = 5000, /* calls of one method */
    MAX_TRIES = 5,      /* after failures; a 429 does not count */
    MAX_HOLDS = 30,     /* how often one call may meet a 429 */
    BACKOFF_MS = 1000,  /* doubled each time, half of it random */
    CHANNEL_INTERVAL_MS = 1000,
    CHANNEL_BURST = 3,
    MAX_CHANNELS = 256, /* paces kept; rested ones go first */
    CALL_TIMEOUT_MS = 10 * 1000,
    API_CONNECTIONS = 6,
    MAX_ARGS = 1024 * 1024,
    MAX_ANSWER = 8 * 1024 * 1024,
    MAX_URL_ANSWER = 16 * 1024
};

struct channel {
    LIST_ENTRY(channel) link;
    char *id;
    struct hm_pace pace;
    unsigned waiting; /* calls that point here */
    bool busy;        /* one of them is under way */
    uint64_t blocked; /* number of the pump() in which an earlier call had to wait */
};

TAILQ_HEAD(call_list, call);

struct call {
    TAILQ_ENTRY(call) link;
    struct call_list *list; /* where it is in */
    struct hm_web_api *api;
    struct lane *lane;
    struct channel *channel; /* NULL: not paced by channel */
    struct hm_http_pool *pool;
    struct hm_request request;
    hm_web_fn on_done;
    void *arg;
    int64_t asked_at_ms;
    int64_t not_before_ms;
    unsigned tries;
    unsigned holds;
    bool under_way;
    char *why; /* refused at birth: too many waiting, or nothing that can be sent */
};

struct lane {
    LIST_ENTRY(lane) link;
    char *name;
    const struct hm_web_method *method;
    struct hm_pace pace;
    int64_t held_until_ms;
    struct call_list calls; /* waiting and under way, in the order in which they were asked for */
    unsigned n_calls;
};

struct hm_web_api {
    const struct hm_clock *clock;
    struct hm_timer *timer;
    const struct hm_http_client *http;
    struct hm_http_pool *pools[2]; /* by enum hm_web_token */
    struct hm_http_pool *url_pool; /* response_url: no token */
    char *base_url;
    char *tokens[2]; /* "Bearer …" */
    LIST_HEAD(, lane) lanes;
    LIST_HEAD(, channel) channels;
    unsigned n_channels;
    struct call_list refused; /* wait for a turn in which to say so */
    unsigned n_refused;
    unsigned speed;
    unsigned n_calls;
    uint64_t n_pumps;
};

/* ---- small things ----------------------------------------------------------------------------------------------------- */

static enum hm_http_ready give_token(void *arg, const struct hm_http_departing *departing, struct hm_request *ret_credentials,
                                     struct hm_err *err)
{
    (void)departing;
    (void)err;
    hm_request_add_header(ret_credentials, "Authorization", arg);
    return HM_HTTP_READY;
}

/* Between half of ms and ms. */
static int64_t with_jitter(const struct hm_web_api *api, int64_t ms)
{
    uint32_t r = 0;
    api->clock->random_bytes(api->clock->arg, &r, sizeof(r));
    return ms / 2 + (int64_t)(r % (uint32_t)(ms / 2 + 1));
}

static struct lane *lane_of(struct hm_web_api *api, const char *name, const struct hm_web_method *method)
{
    struct lane *lane = NULL;

    LIST_FOREACH(lane, &api->lanes, link)
    {
        if (hm_streq(lane->name, name))
            return lane;
    }
    lane = hm_xcalloc(1, sizeof(*lane));
    lane->name = hm_xstrdup(name);
    lane->method = method;
    hm_pace_init(&lane->pace, method->per_min * api->speed, method->burst * api->speed);
    lane->held_until_ms = INT64_MIN;
    TAILQ_INIT(&lane->calls);
    LIST_INSERT_HEAD(&api->lanes, lane, link);
    return lane;
}

static void channel_free(struct hm_web_api *api, struct channel *channel)
{
    LIST_REMOVE(channel, link);
    api->n_channels--;
    free(channel->id);
    free(channel);
}

static struct channel *channel_of(struct hm_web_api *api, const char *id)
{
    struct channel *channel = NULL;
    struct channel *next = NULL;
    int64_t now = hm_mono_ms(api->clock);

    for (channel = LIST_FIRST(&api->channels); channel != NULL; channel = next) {
        next = LIST_NEXT(channel, link);
        if (hm_streq(channel->id, id))
            return channel;
        if (api->n_channels >= MAX_CHANNELS && channel->waiting == 0 && hm_pace_rested(&channel->pace, now))
            channel_free(api, channel);
    }
    channel = hm_xcalloc(1, sizeof(*channel));
    channel->id = hm_xstrdup(id);
    hm_pace_init_interval(&channel->pace, CHANNEL_INTERVAL_MS / (int64_t)api->speed, CHANNEL_BURST * api->speed);
    LIST_INSERT_HEAD(&api->channels, channel, link);
    api->n_channels++;
    return channel;
}

/* ---- the end of a call ------------------------------------------------------------------------------------------------ */

/* call is gone afterwards; answer may borrow from it. */
static void finish(struct hm_web_api *api, struct call *call, const struct hm_web_answer *answer)
{
    TAILQ_REMOVE(call->list, call, link);
    if (call->why != NULL)
        api->n_refused--;
    else
        call->lane->n_calls--;
    api->n_calls--;
    if (call->channel != NULL)
        call->channel->waiting--;
    if (call->on_done != NULL)
        call->on_done(call->arg, answer);
    hm_request_done(&call->request);
    free(call->why);
    free(call);
}

static void finish_undone(struct hm_web_api *api, struct call *call, const char *sentence)
{
    struct hm_web_answer answer = {.code = HM_EIO, .error = "", .sentence = sentence};
    finish(api, call, &answer);
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

/* True when the call stays in its lane, to be made again. */
static bool will_repeat(struct hm_web_api *api, struct call *call, const struct hm_web_verdict *v)
{
    enum hm_web_repeat repeat = call->lane->method->repeat;
    int64_t now = hm_mono_ms(api->clock);

    if (v->kind == HM_WEB_VERDICT_HELD) { /* the lane is held whoever asked */
        call->lane->held_until_ms = now + v->wait_ms + with_jitter(api, 200);
        call->tries--;
        return repeat != HM_WEB_REPEAT_NEVER && ++call->holds <= MAX_HOLDS;
    }
    if (v->kind != HM_WEB_VERDICT_AGAIN && v->kind != HM_WEB_VERDICT_MAYBE)
        return false;
    if (repeat == HM_WEB_REPEAT_NEVER || (v->kind == HM_WEB_VERDICT_MAYBE && repeat != HM_WEB_REPEAT_ALWAYS))
        return false;
    if (call->tries >= MAX_TRIES)
        return false;
    call->not_before_ms = now + with_jitter(api, (int64_t)BACKOFF_MS << call->tries);
    return true;
}

static void on_http_done(void *arg, const struct hm_http_result *result)
{
    struct call *call = arg;
    struct hm_web_api *api = call->api;
    const struct hm_answer *a = &result->answer;
    struct hm_web_verdict v;
    json_t *body = a->transport == HM_TRANSPORT_ANSWER ? hm_json_parse_new(a->body, a->body_len, MAX_ANSWER, NULL) : NULL;

    hm_web_judge(call->lane->method, a, body, &v);
    call->under_way = false;
    if (call->channel != NULL)
        call->channel->busy = false;
    if (!will_repeat(api, call, &v)) {
        bool done = v.kind == HM_WEB_VERDICT_DONE;
        if (v.kind == HM_WEB_VERDICT_MAYBE && call->lane->method->repeat != HM_WEB_REPEAT_ALWAYS)
            v.code = HM_EUNKNOWN;
        struct hm_web_answer answer = {.code = v.code,
                                       .error = done ? "" : v.error,
                                       .sentence = done ? "" : v.sentence.msg,
                                       .body = body,
                                       .fatal = v.fatal,
                                       .retry_after_ms = v.wait_ms};
        finish(api, call, &answer);
    }
    hm_timer_start(api->timer, 0);
    json_decref(body);
}

/* ---- starting calls --------------------------------------------------------------------------------------------------- */

static void start(struct call *call, int64_t now)
{
    hm_pace_take(&call->lane->pace, now);
    if (call->channel != NULL) {
        hm_pace_take(&call->channel->pace, now);
        call->channel->busy = true;
    }
    call->under_way = true;
    call->tries++;
    (void)hm_http_send(call->pool, &call->request, 0, on_http_done, call);
}

static void earlier(int64_t *soonest, int64_t wait_ms)
{
    if (wait_ms < *soonest)
        *soonest = wait_ms;
}

/* How long this call has to wait by itself and by its channel; INT64_MAX = until something else ends. */
static int64_t wait_of(struct hm_web_api *api, struct call *call, int64_t now)
{
    struct channel *channel = call->channel;
    int64_t wait_ms = call->not_before_ms > now ? call->not_before_ms - now : 0;

    if (channel == NULL)
        return wait_ms;
    if (channel->busy || channel->blocked == api->n_pumps)
        return INT64_MAX;
    int64_t channel_wait_ms = hm_pace_wait_ms(&channel->pace, now);
    if (channel_wait_ms > wait_ms)
        wait_ms = channel_wait_ms;
    if (wait_ms > 0)
        channel->blocked = api->n_pumps; /* nobody overtakes within a channel */
    return wait_ms;
}

/* Ends the calls of the lane that are too old to be of use, from the oldest on. A turn with thousands that wait looks at one. */
static void drop_old(struct hm_web_api *api, struct lane *lane, int64_t now, int64_t *soonest)
{
    struct call *call = NULL;
    struct call *next = NULL;
    int64_t max_age_ms = lane->method->max_age_ms;

    if (max_age_ms == 0)
        return;
    for (call = TAILQ_FIRST(&lane->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->under_way)
            continue;
        if (now - call->asked_at_ms <= max_age_ms) {
            earlier(soonest, call->asked_at_ms + max_age_ms + 1 - now);
            return; /* the others are younger */
        }
        finish_undone(api, call, "it waited too long for Slack");
    }
}

static int64_t lane_wait_ms(struct lane *lane, int64_t now)
{
    int64_t wait_ms = hm_pace_wait_ms(&lane->pace, now);
    return lane->held_until_ms > now && lane->held_until_ms - now > wait_ms ? lane->held_until_ms - now : wait_ms;
}

static void pump_lane(struct hm_web_api *api, struct lane *lane, int64_t *soonest)
{
    struct call *call = NULL;
    struct call *next = NULL;
    int64_t now = hm_mono_ms(api->clock);

    drop_old(api, lane, now, soonest);
    for (call = TAILQ_FIRST(&lane->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->under_way)
            continue;
        int64_t lane_ms = lane_wait_ms(lane, now);
        if (lane_ms > 0) { /* nobody behind it may go either */
            earlier(soonest, lane_ms);
            return;
        }
        int64_t wait_ms = wait_of(api, call, now);
        if (wait_ms == 0)
            start(call, now);
        else if (wait_ms < INT64_MAX)
            earlier(soonest, wait_ms);
    }
}

/* Those that were refused until now; what on_done asks for waits for the next turn. */
static void end_refused(struct hm_web_api *api)
{
    unsigned n = api->n_refused;
    struct call *next = NULL;
    for (struct call *call = TAILQ_FIRST(&api->refused); n > 0 && call != NULL; call = next, n--) {
        next = TAILQ_NEXT(call, link);
        finish_undone(api, call, call->why);
    }
}

static void pump(void *arg)
{
    struct hm_web_api *api = arg;
    struct lane *lane = NULL;
    int64_t soonest = INT64_MAX;

    if (hm_http_client_closing(api->http)) /* what waits ends in hm_web_api_free() */
        return;
    api->n_pumps++;
    end_refused(api);
    LIST_FOREACH(lane, &api->lanes, link)
    {
        pump_lane(api, lane, &soonest);
    }
    /* on_done may have asked for a turn at once: a later wish must not put it off */
    if (soonest < INT64_MAX && !hm_timer_active(api->timer))
        hm_timer_start(api->timer, soonest);
}

/* ---- building calls --------------------------------------------------------------------------------------------------- */

/* Slack's form: strings as they are, everything else as JSON text. */
static void form_body(struct hm_strbuf *b, const json_t *args)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)hm_unconst(args), key, value)
    { /* the macro wants it writable and does not write */
        char *text = json_is_string(value) ? hm_xstrdup(json_string_value(value)) : hm_json_text(value);
        char *name = hm_url_encode(key);
        char *encoded = hm_url_encode(text);
        if (!json_is_null(value))
            hm_strbuf_addf(b, "%s%s=%s", b->len > 0 ? "&" : "", name, encoded);
        free(encoded);
        free(name);
        free(text);
    }
}

static void set_body(struct hm_request *req, const json_t *args, bool form)
{
    if (form) {
        struct hm_strbuf b;
        hm_strbuf_init(&b, MAX_ARGS);
        form_body(&b, args);
        req->body_len = b.len;
        req->body = hm_strbuf_take(&b);
        hm_request_add_header(req, "Content-Type", "application/x-www-form-urlencoded");
    } else {
        req->body = hm_json_text(args);
        req->body_len = strlen(req->body);
        hm_request_add_header(req, "Content-Type", "application/json; charset=utf-8");
    }
}

/* For good: it leaves the lane, and on_done is told in the next turn. */
static void refuse(struct call *call, char *stolen_why)
{
    struct hm_web_api *api = call->api;

    if (call->why != NULL) { /* one reason is enough */
        free(stolen_why);
        return;
    }
    call->why = stolen_why;
    TAILQ_REMOVE(call->list, call, link);
    call->lane->n_calls--;
    call->list = &api->refused;
    TAILQ_INSERT_TAIL(call->list, call, link);
    api->n_refused++;
}

static struct call *call_new(struct hm_web_api *api, struct lane *lane, hm_web_fn on_done, void *arg)
{
    struct call *call = hm_xcalloc(1, sizeof(*call));
    call->api = api;
    call->lane = lane;
    call->on_done = on_done;
    call->arg = arg;
    call->asked_at_ms = hm_mono_ms(api->clock);
    call->not_before_ms = INT64_MIN;
    hm_request_init(&call->request);
    call->request.method = hm_xstrdup("POST");
    call->list = &lane->calls;
    TAILQ_INSERT_TAIL(call->list, call, link);
    lane->n_calls++;
    api->n_calls++;
    if (lane->n_calls > MAX_WAITING)
        refuse(call, hm_xasprintf("too many calls of Slack's %s are waiting", lane->name));
    hm_timer_start(api->timer, 0);
    return call;
}

void hm_web_call(struct hm_web_api *api, const char *method, enum hm_web_token token, json_t *stolen_args, hm_web_fn on_done,
                 void *arg)
{
    const struct hm_web_method *m = hm_web_method_find(method);
    const char *channel = hm_json_get_str(stolen_args, "channel", NULL);
    struct call *call = call_new(api, lane_of(api, method, m), on_done, arg);

    HM_ASSERT(json_is_object(stolen_args));
    call->pool = api->pools[token];
    call->request.url = hm_xasprintf("%s%s", api->base_url, method);
    set_body(&call->request, stolen_args, m->form);
    if (m->channel_pace && channel != NULL) {
        call->channel = channel_of(api, channel);
        call->channel->waiting++;
    }
    json_decref(stolen_args);
}

/* response_url comes inside a payload: it must not make the bot post anywhere else. */
static bool is_slack_host(const char *url)
{
    static const char *const good[] = {"https://hooks.slack.com/",
                                       "https://files.slack.com/",
                                       "https://files.slack-gov.com/",
                                       "https://hooks.slack-gov.com/",
                                       "http://127.0.0.1:",
                                       "http://localhost:",
                                       "http://[::1]:",
                                       "https://127.0.0.1:",
                                       "https://localhost:"};
    for (size_t i = 0; i < HM_ARRAY_LEN(good); i++) {
        if (hm_starts_with(url, good[i]))
            return true;
    }
    return false;
}

void hm_web_respond(struct hm_web_api *api, const char *url, json_t *stolen_body, hm_web_fn on_done, void *arg)
{
    const struct hm_web_method *m = hm_web_method_response_url();
    struct call *call = call_new(api, lane_of(api, m->name, m), on_done, arg);

    call->pool = api->url_pool;
    call->request.url = hm_xstrdup(url);
    set_body(&call->request, stolen_body, false);
    if (!is_slack_host(url))
        refuse(call, hm_xstrdup("the address to answer to is not Slack's"));
    json_decref(stolen_body);
}

void hm_web_upload(struct hm_web_api *api, const char *upload_url, char *stolen_bytes, size_t len, hm_web_fn on_done, void *arg)
{
    const struct hm_web_method *m = hm_web_method_upload();
    struct call *call = call_new(api, lane_of(api, m->name, m), on_done, arg);

    call->pool = api->url_pool;
    call->request.url = hm_xstrdup(upload_url);
    call->request.body = stolen_bytes;
    call->request.body_len = len;
    hm_request_add_header(&call->request, "Content-Type", "application/octet-stream");
    if (!is_slack_host(upload_url))
        refuse(call, hm_xstrdup("the address to upload to is not Slack's"));
}

unsigned hm_web_pending(const struct hm_web_api *api)
{
    return api->n_calls;
}

/* ---- birth and end ---------------------------------------------------------------------------------------------------- */

static enum hm_code make_pools(struct hm_web_api *api, const struct hm_web_api_opts *opts, struct hm_err *err)
{
    struct hm_http_pool_opts o = {.name = "slack",
                                  .timeout_ms = CALL_TIMEOUT_MS,
                                  .max_connections = API_CONNECTIONS,
                                  .max_answer = MAX_ANSWER,
                                  .ca = opts->ca};

    api->url_pool = NULL;
    for (int i = 0; i < 2; i++) {
        o.authorize = give_token;
        o.authorize_arg = api->tokens[i];
        api->http = opts->http;
        api->pools[i] = hm_http_pool_new(opts->http, &o, err);
        if (api->pools[i] == NULL)
            return HM_EENV;
    }
    o.authorize = NULL;
    o.authorize_arg = NULL;
    o.max_answer = MAX_URL_ANSWER;
    api->url_pool = hm_http_pool_new(opts->http, &o, err);
    return api->url_pool != NULL ? HM_OK : HM_EENV;
}

struct hm_web_api *hm_web_api_new(const struct hm_web_api_opts *opts, struct hm_err *err)
{
    if (hm_http_check_url(opts->base_url, err) != HM_OK) {
        (void)hm_err_wrap(err, "slack.api_url");
        return NULL;
    }
    struct hm_web_api *api = hm_xcalloc(1, sizeof(*api));
    api->clock = opts->clock;
    api->speed = opts->speed > 0 ? opts->speed : 1;
    HM_ASSERT(api->speed <= HM_WEB_SPEED_MAX);
    api->base_url = hm_xasprintf("%s%s", opts->base_url, hm_ends_with(opts->base_url, "/") ? "" : "/");
    api->tokens[HM_WEB_BOT] = hm_xasprintf("Bearer %s", opts->bot_token != NULL ? opts->bot_token : "");
    api->tokens[HM_WEB_APP] = hm_xasprintf("Bearer %s", opts->app_token != NULL ? opts->app_token : "");
    LIST_INIT(&api->lanes);
    LIST_INIT(&api->channels);
    TAILQ_INIT(&api->refused);
    api->timer = hm_timer_new(opts->loop, pump, api);
    if (make_pools(api, opts, err) != HM_OK) {
        hm_web_api_free(api);
        return NULL;
    }
    return api;
}

static void end_waiting(struct hm_web_api *api)
{
    struct lane *lane = NULL;
    struct call *next = NULL;

    end_refused(api);
    LIST_FOREACH(lane, &api->lanes, link)
    {
        for (struct call *call = TAILQ_FIRST(&lane->calls); call != NULL; call = next) {
            next = TAILQ_NEXT(call, link);
            HM_ASSERT(!call->under_way);
            finish_undone(api, call, "not sent: shutting down");
        }
    }
}

unsigned hm_web_api_speed(const struct hm_web_api *api)
{
    return api->speed;
}

void hm_web_api_free(struct hm_web_api *api)
{
    struct lane *lane = NULL;
    struct lane *next_lane = NULL;
    struct channel *next_channel = NULL;

    if (api == NULL)
        return;
    while (api->n_calls > 0) /* the owner may ask for more in its callbacks */
        end_waiting(api);
    for (lane = LIST_FIRST(&api->lanes); lane != NULL; lane = next_lane) {
        next_lane = LIST_NEXT(lane, link);
        free(lane->name);
        free(lane);
    }
    for (struct channel *channel = LIST_FIRST(&api->channels); channel != NULL; channel = next_channel) {
        next_channel = LIST_NEXT(channel, link);
        channel_free(api, channel);
    }
    hm_timer_free(api->timer);
    hm_secret_free(api->tokens[HM_WEB_BOT]);
    hm_secret_free(api->tokens[HM_WEB_APP]);
    free(api->base_url);
    free(api);
}
