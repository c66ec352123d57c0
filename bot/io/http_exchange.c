/* One HTTP/1.1 request on libwebsockets, from its headers to its answer.
 *
 * Life of an exchange: LWS_CALLBACK_HTTP (headers are here) → HTTP_BODY … → HTTP_BODY_COMPLETION → on_request → hm_http_reply()
 * now or later → HTTP_WRITEABLE writes head and body in one lws_write → keep-alive, or the connection closes.
 *
 * Failure modes and what is done about them:
 *  - an answer that comes later: lws 4.1 reads no more from a connection whose request is being answered, and would spin on the
 *    unread bytes (or on an end of file). So reading is switched off meanwhile, and a second descriptor of the same socket is
 *    watched for the peer's hang-up;
 *  - a body without a length, or a chunked one: lws can not find its end. No length means no body; chunked is refused (411);
 *    the connection closes after the answer;
 *  - a body over the ceiling: read and thrown away, then 413; far over it: 413 at once;
 *  - requests sent before the one ahead of them is answered: those without a body wait their turn. One with a body lws 4.1 gets
 *    wrong (it takes the request line for the body, and can fall into an endless loop): the connection is closed instead. */
#include "io/http_exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/handler.h"
#include "io/lws_loop.h"

enum {
    HEADERS_MAX = 64 * 1024,
    DISCARD_MAX = 16 * 1024 * 1024, /* bytes of a refused body that are still read, so that the peer sees the 413 */
    WRITE_S = 60,                   /* for a peer to take its answer */
    COMPLETED_MAX = 8,              /* how often lws may announce the end of one body before it counts as lost in its loop */
};

/* --- exchanges ---------------------------------------------------------------------------------------------------------- */

static struct hm_http_exchange *exchange_new(struct hm_http_server *server, struct lws *wsi)
{
    struct hm_http_exchange *x = hm_xcalloc(1, sizeof(*x));
    x->server = server;
    x->wsi = wsi;
    hm_strbuf_init(&x->body, server->opts.max_body);
    hm_strbuf_init(&x->headers, HEADERS_MAX);
    x->next = server->open;
    if (x->next != NULL)
        x->next->prev = x;
    server->open = x;
    return x;
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void watch_end(struct hm_http_exchange *x)
{
    if (x->watch == NULL)
        return;
    (void)uv_poll_stop(&x->watch->poll);
    /* At once: while this copy is open, the peer is not told that lws has closed its own. */
    (void)close(x->watch->fd);
    x->watch->x = NULL;
    uv_close((uv_handle_t *)&x->watch->poll, on_watch_closed);
    x->watch = NULL;
}

static void exchange_free(struct hm_http_exchange *x)
{
    watch_end(x);
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        x->server->open = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    hm_strbuf_done(&x->body);
    free(x->path);
    free(x->query);
    free(x->content_type);
    free(x->authorization);
    free(x->accept);
    free(x->host);
    hm_strbuf_done(&x->headers);
    free(x->out);
    free(x);
}

void hm_http_exchange_end(struct hm_http_session *session)
{
    if (session == NULL || session->x == NULL)
        return;
    struct hm_http_exchange *x = session->x;
    session->x = NULL;
    if (x->phase == HM_HTTP_ROUTED && !x->server->stopped && x->server->opts.on_gone != NULL)
        x->server->opts.on_gone(x->server->opts.arg, x);
    exchange_free(x);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

/* Never NULL; the caller frees. */
static char *header_copy(struct lws *wsi, enum lws_token_indexes token)
{
    int len = lws_hdr_total_length(wsi, token);
    if (len <= 0)
        return hm_xstrdup("");
    char *value = hm_xcalloc(1, (size_t)len + 1);
    if (lws_hdr_copy(wsi, value, len + 1, token) < 0)
        value[0] = '\0';
    return value;
}

/* A header by its lower-case name: lws has numbers for those it knows, the others it keeps by name. NULL = it did not come. */
static char *named_header(struct lws *wsi, const char *name)
{
    char *with_colon = hm_xasprintf("%s:", name), *value = NULL;
    int len = (int)strlen(with_colon);
    for (int token = 0; token < WSI_TOKEN_COUNT && value == NULL; token++) {
        const unsigned char *known = lws_token_to_string((enum lws_token_indexes)token);
        if (known != NULL && strcmp((const char *)known, with_colon) == 0 &&
            lws_hdr_total_length(wsi, (enum lws_token_indexes)token) > 0)
            value = header_copy(wsi, (enum lws_token_indexes)token);
    }
    int custom = value == NULL ? lws_hdr_custom_length(wsi, with_colon, len) : -1;
    if (custom >= 0) {
        value = hm_xcalloc(1, (size_t)custom + 1);
        if (lws_hdr_custom_copy(wsi, value, custom + 1, with_colon, len) < 0)
            value[0] = '\0';
    }
    free(with_colon);
    return value;
}

static void keep_headers(struct hm_http_exchange *x)
{
    for (const char *const *name = x->server->opts.keep_headers; name != NULL && *name != NULL; name++) {
        char *value = named_header(x->wsi, *name);
        if (value != NULL)
            hm_strbuf_addf(&x->headers, "%s: %s\n", *name, value);
        free(value);
    }
}

/* lws hands out the arguments split at '&' and decoded; they are encoded again, so that an encoded '&' stays one. */
static char *query_copy(struct lws *wsi)
{
    struct hm_strbuf query;
    hm_strbuf_init(&query, 3 * (size_t)HEADERS_MAX);
    for (int i = 0;; i++) {
        int len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len <= 0)
            break;
        char *part = hm_xcalloc(1, (size_t)len + 1);
        if (lws_hdr_copy_fragment(wsi, part, len + 1, WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
            part[0] = '\0';
        char *value = strchr(part, '=');
        if (value != NULL)
            *value++ = '\0';
        char *name_text = hm_url_encode(part);
        char *value_text = hm_url_encode(value != NULL ? value : "");
        hm_strbuf_addf(&query, "%s%s%s%s", i > 0 ? "&" : "", name_text, value != NULL ? "=" : "", value_text);
        free(value_text);
        free(name_text);
        free(part);
    }
    return hm_strbuf_take(&query);
}

static const char *method_name(int method)
{
    switch (method) {
    case LWSHUMETH_GET:
        return "GET";
    case LWSHUMETH_POST:
        return "POST";
    case LWSHUMETH_OPTIONS:
        return "OPTIONS";
    case LWSHUMETH_PUT:
        return "PUT";
    case LWSHUMETH_PATCH:
        return "PATCH";
    case LWSHUMETH_DELETE:
        return "DELETE";
    case LWSHUMETH_HEAD:
        return "HEAD";
    default:
        return NULL;
    }
}

static void on_watch(uv_poll_t *handle, int status, int events)
{
    struct hm_http_watch *watch = handle->data;
    (void)status;
    (void)events;
    if (watch->x == NULL || watch->x->phase != HM_HTTP_ROUTED)
        return;
    (void)uv_poll_stop(handle);
    watch->x->hung_up = true;
    /* HTTP_WRITEABLE then closes the connection in lws's own way. */
    (void)lws_rx_flow_control(watch->x->wsi, 1);
    (void)lws_callback_on_writable(watch->x->wsi);
}

static void watch_start(struct hm_http_exchange *x)
{
    (void)lws_rx_flow_control(x->wsi, 0);
    int fd = dup(lws_get_socket_fd(x->wsi));
    if (fd < 0)
        return; /* out of descriptors: the hang-up is then noticed when the answer is written */
    struct hm_http_watch *watch = hm_xcalloc(1, sizeof(*watch));
    watch->fd = fd;
    watch->x = x;
    watch->poll.data = watch;
    if (uv_poll_init(hm_lws_loop_uv(x->server->ctx), &watch->poll, fd) != 0) {
        (void)close(fd);
        free(watch);
        return;
    }
    watch->poll.data = watch;
    x->watch = watch;
    (void)uv_poll_start(&watch->poll, UV_DISCONNECT, on_watch);
}

static int route(struct hm_http_exchange *x)
{
    const struct hm_http_seen seen = {
        .method = x->method,
        .path = x->path,
        .query = x->query,
        .body = hm_strbuf_str(&x->body),
        .body_len = x->body.len,
        .content_type = x->content_type,
        .authorization = x->authorization,
        .accept = x->accept,
        .host = x->host,
        .headers = hm_strbuf_str(&x->headers),
    };

    lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0);
    x->phase = HM_HTTP_ROUTED;
    if (x->too_big) {
        hm_http_reply(x, 413, "text/plain", NULL, "The body is too large.\n", 23);
        return 0;
    }
    x->server->opts.on_request(x->server->opts.arg, x, &seen);
    if (x->phase == HM_HTTP_ROUTED)
        watch_start(x);
    return 0;
}

/* Answers without asking the route; the connection closes behind it. */
static int refuse(struct hm_http_exchange *x, int status, const char *text)
{
    x->phase = HM_HTTP_ROUTED;
    x->close_after = true;
    hm_http_reply(x, status, "text/plain", NULL, text, strlen(text));
    return 0;
}

/* Sees from the headers whether a body follows, and how long it is. Returns an HTTP status to refuse with, or 0. */
static int measure_body(struct hm_http_exchange *x)
{
    if (lws_hdr_total_length(x->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return 411;
    if (lws_hdr_total_length(x->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) {
        /* No length, no body (RFC 9112 section 6.3); lws however now waits for 100 MB of one. */
        x->close_after = hm_streq(x->method, "POST") || hm_streq(x->method, "PUT") || hm_streq(x->method, "PATCH");
        return 0;
    }
    char *length = header_copy(x->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    bool ok = hm_parse_i64(length, 0, INT64_MAX, &x->expected);
    free(length);
    if (!ok)
        return 400;
    if (x->expected > DISCARD_MAX && (uint64_t)x->expected > x->server->opts.max_body)
        return 413;
    x->too_big = (uint64_t)x->expected > x->server->opts.max_body;
    return 0;
}

int hm_http_exchange_on_headers(struct hm_http_server *server, struct hm_http_session *session, struct lws *wsi, const char *path)
{
    static unsigned char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char out[LWS_PRE + sizeof(go_on)];
    char *uri = NULL, *expect = NULL;
    int uri_len = 0;

    const char *method = method_name(lws_http_get_uri_and_method(wsi, &uri, &uri_len));
    if (method == NULL || session->x != NULL || server->stopped)
        return -1;
    struct hm_http_exchange *x = exchange_new(server, wsi);
    session->x = x;
    x->method = method;
    x->head = hm_streq(method, "HEAD");
    x->path = hm_xstrdup(path);
    x->query = query_copy(wsi);
    x->content_type = header_copy(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
    x->authorization = header_copy(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
    x->accept = header_copy(wsi, WSI_TOKEN_HTTP_ACCEPT);
    x->host = header_copy(wsi, WSI_TOKEN_HOST);
    keep_headers(x);
    if (lws_hdr_copy(wsi, x->connection, (int)sizeof(x->connection), WSI_TOKEN_CONNECTION) < 0)
        x->connection[0] = '\0';

    switch (measure_body(x)) {
    case 400:
        return refuse(x, 400, "Content-Length is not a number.\n");
    case 411:
        return refuse(x, 411, "Send a Content-Length; chunked bodies are not taken here.\n");
    case 413:
        return refuse(x, 413, "The body is too large.\n");
    default:
        break;
    }
    if (x->expected == 0)
        return route(x);

    expect = header_copy(wsi, WSI_TOKEN_HTTP_EXPECT);
    bool asks = strcasecmp(expect, "100-continue") == 0;
    free(expect);
    if (!asks)
        return 0;
    memcpy(out + LWS_PRE, go_on, sizeof(go_on));
    return lws_write(wsi, out + LWS_PRE, sizeof(go_on) - 1, LWS_WRITE_HTTP) < 0 ? -1 : 0;
}

/* True for lws's mistake with a request that waited behind another one: what it calls the body is the request itself, cut to the
 * body's length. No body that anybody sends here begins with its own method. */
static bool looks_like_request(const char *method, const char *data, size_t len)
{
    size_t n = strlen(method);
    return len <= n ? memcmp(data, method, len) == 0 : memcmp(data, method, n) == 0 && data[n] == ' ';
}

int hm_http_exchange_on_body(struct hm_http_exchange *x, const char *data, size_t len)
{
    if (x == NULL || x->phase != HM_HTTP_BODY || x->too_big)
        return 0;
    if (x->body.len == 0 && len > 0 && looks_like_request(x->method, data, len))
        return -1;
    hm_strbuf_add(&x->body, data, len);
    return 0;
}

/* Comes again when the next request arrives before this one is answered: in passing, or without end. */
int hm_http_exchange_on_body_complete(struct hm_http_exchange *x)
{
    if (x == NULL || ++x->completed > COMPLETED_MAX)
        return -1;
    return x->phase == HM_HTTP_BODY ? route(x) : 0;
}

/* --- answering ---------------------------------------------------------------------------------------------------------- */

static const char *reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++)
        if (table[i].status == status)
            return table[i].phrase;
    return "Status";
}

void hm_http_reply(struct hm_http_exchange *x, int status, const char *content_type, const char *extra_headers, const void *body,
                   size_t body_len)
{
    struct hm_strbuf head;
    bool no_content = status == 204 || status == 304;

    HM_ASSERT(x->phase == HM_HTTP_ROUTED);
    hm_strbuf_init(&head, HEADERS_MAX);
    hm_strbuf_addf(&head, "HTTP/1.1 %d %s\r\n", status, reason_phrase(status));
    if (!no_content)
        hm_strbuf_addf(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type, body_len);
    if (extra_headers != NULL)
        hm_strbuf_adds(&head, extra_headers);
    if (x->close_after || strcasecmp(x->connection, "close") == 0)
        hm_strbuf_adds(&head, "Connection: close\r\n");
    else if (strcasecmp(x->connection, "keep-alive") == 0)
        hm_strbuf_adds(&head, "Connection: keep-alive\r\n"); /* HTTP/1.0 clients wait for this word */
    hm_strbuf_adds(&head, "\r\n");
    HM_ASSERT(!head.failed);

    size_t sent_body = x->head || no_content ? 0 : body_len;
    x->out = hm_xmalloc(LWS_PRE + head.len + sent_body);
    memcpy(x->out + LWS_PRE, head.s, head.len);
    if (sent_body > 0)
        memcpy(x->out + LWS_PRE + head.len, body, sent_body);
    x->out_len = head.len + sent_body;
    hm_strbuf_done(&head);

    watch_end(x);
    x->phase = HM_HTTP_ANSWERED;
    (void)lws_rx_flow_control(x->wsi, 1); /* lws serves no WRITEABLE while reading is off */
    (void)lws_callback_on_writable(x->wsi);
}

void hm_http_drop(struct hm_http_exchange *x)
{
    HM_ASSERT(x->phase == HM_HTTP_ROUTED);
    watch_end(x);
    x->phase = HM_HTTP_DROPPED;
    (void)lws_rx_flow_control(x->wsi, 1);
    (void)lws_callback_on_writable(x->wsi);
}

void hm_http_set_user(struct hm_http_exchange *x, void *user)
{
    x->user = user;
}

void *hm_http_user(struct hm_http_exchange *x)
{
    return x->user;
}

int hm_http_exchange_on_writeable(struct hm_http_session *session, struct lws *wsi)
{
    struct hm_http_exchange *x = session != NULL ? session->x : NULL;
    if (x == NULL)
        return 0;
    if (x->phase == HM_HTTP_DROPPED || x->hung_up)
        return -1;
    if (x->phase != HM_HTTP_ANSWERED)
        return 0; /* lws asks on its own account, too */

    bool close_after = x->close_after;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, WRITE_S);
    int n = lws_write(wsi, x->out + LWS_PRE, x->out_len, LWS_WRITE_HTTP); /* what does not fit is kept and sent by lws */
    session->x = NULL;
    exchange_free(x);
    if (n < 0 || close_after)
        return -1;
    return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

void hm_http_exchange_stop(struct hm_http_exchange *x)
{
    watch_end(x);
    if (x->phase == HM_HTTP_ANSWERED)
        return;
    x->phase = HM_HTTP_DROPPED;
    (void)lws_rx_flow_control(x->wsi, 1);
    (void)lws_callback_on_writable(x->wsi);
}
