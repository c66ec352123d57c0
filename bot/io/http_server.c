/* HTTP/1.1 server: one libwebsockets vhost with one route function.
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
#include "io/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/handler.h"
#include "io/lws_loop.h"

enum {
    HEADERS_MAX = 64 * 1024,
    DISCARD_MAX = 16 * 1024 * 1024, /* bytes of a refused body that are still read, so that the peer sees the 413 */
    KEEPALIVE_S = 65,
    WRITE_S = 60,      /* for a peer to take its answer */
    COMPLETED_MAX = 8, /* how often lws may announce the end of one body before it counts as lost in its loop */
};

enum phase {
    PHASE_BODY,     /* the body is arriving */
    PHASE_ROUTED,   /* the route function has it, or has kept it */
    PHASE_ANSWERED, /* `out` waits for a writable socket */
    PHASE_DROPPED,  /* to be closed without an answer */
};

/* Watches for the peer's hang-up while the answer is being made. Outlives its exchange until uv has closed the handle. */
struct watch {
    uv_poll_t poll;
    int fd;
    struct hm_http_exchange *x; /* NULL once the exchange has ended */
};

struct hm_http_exchange {
    struct hm_http_server *server;
    struct hm_http_exchange *prev, *next; /* the server's open exchanges */
    struct lws *wsi;
    enum phase phase;
    bool head;        /* no body in the answer */
    bool too_big;     /* the body passed max_body */
    bool close_after; /* the connection can not be used again */
    bool hung_up;     /* the peer has closed its side */
    int completed;    /* how often lws has announced the end of the body */
    const char *method;
    char *path, *query, *content_type, *authorization, *accept, *host;
    struct hm_strbuf body;
    int64_t expected; /* bytes of body that the headers announced */
    char connection[16];
    void *user;
    struct watch *watch;
    unsigned char *out; /* LWS_PRE bytes, then the answer */
    size_t out_len;
};

/* lws's memory per connection and protocol; a fresh one, zeroed, for each request. */
struct session {
    struct hm_http_exchange *x;
};

struct hm_http_server {
    struct hm_http_server_opts opts;
    struct lws_context *ctx;
    struct lws_vhost *vhost;
    struct lws_protocols *protocols;
    struct lws_protocol_vhost_options default_ws, default_ws_on;
    char *name, *address; /* lws borrows both for the vhost's life */
    char *tls_cert, *tls_key;
    uint16_t port;
    bool stopped; /* freed by its owner: the memory stays until lws lets go of the vhost */
    struct hm_http_exchange *open;
};

/* --- exchanges ---------------------------------------------------------------------------------------------------------- */

static struct hm_http_exchange *exchange_new(struct hm_http_server *server, struct lws *wsi)
{
    struct hm_http_exchange *x = hm_xcalloc(1, sizeof(*x));
    x->server = server;
    x->wsi = wsi;
    hm_strbuf_init(&x->body, server->opts.max_body);
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
    free(x->out);
    free(x);
}

/* The connection is gone, or its request is over: the one end of an exchange besides having been answered. */
static void session_end(struct session *session)
{
    if (session == NULL || session->x == NULL)
        return;
    struct hm_http_exchange *x = session->x;
    session->x = NULL;
    if (x->phase == PHASE_ROUTED && !x->server->stopped && x->server->opts.on_gone != NULL)
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
    struct watch *watch = handle->data;
    (void)status;
    (void)events;
    if (watch->x == NULL || watch->x->phase != PHASE_ROUTED)
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
    struct watch *watch = hm_xcalloc(1, sizeof(*watch));
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
    };

    lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0);
    x->phase = PHASE_ROUTED;
    if (x->too_big) {
        hm_http_reply(x, 413, "text/plain", NULL, "The body is too large.\n", 23);
        return 0;
    }
    x->server->opts.on_request(x->server->opts.arg, x, &seen);
    if (x->phase == PHASE_ROUTED)
        watch_start(x);
    return 0;
}

/* Answers without asking the route; the connection closes behind it. */
static int refuse(struct hm_http_exchange *x, int status, const char *text)
{
    x->phase = PHASE_ROUTED;
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

static int on_headers(struct hm_http_server *server, struct session *session, struct lws *wsi, const char *path)
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

static int on_body(struct hm_http_exchange *x, const char *data, size_t len)
{
    if (x == NULL || x->phase != PHASE_BODY || x->too_big)
        return 0;
    if (x->body.len == 0 && len > 0 && looks_like_request(x->method, data, len))
        return -1;
    hm_strbuf_add(&x->body, data, len);
    return 0;
}

/* Comes again when the next request arrives before this one is answered: in passing, or without end. */
static int on_body_complete(struct hm_http_exchange *x)
{
    if (x == NULL || ++x->completed > COMPLETED_MAX)
        return -1;
    return x->phase == PHASE_BODY ? route(x) : 0;
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

    HM_ASSERT(x->phase == PHASE_ROUTED);
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
    x->phase = PHASE_ANSWERED;
    (void)lws_rx_flow_control(x->wsi, 1); /* lws serves no WRITEABLE while reading is off */
    (void)lws_callback_on_writable(x->wsi);
}

void hm_http_drop(struct hm_http_exchange *x)
{
    HM_ASSERT(x->phase == PHASE_ROUTED);
    watch_end(x);
    x->phase = PHASE_DROPPED;
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

static int on_writeable(struct session *session, struct lws *wsi)
{
    struct hm_http_exchange *x = session != NULL ? session->x : NULL;
    if (x == NULL)
        return 0;
    if (x->phase == PHASE_DROPPED || x->hung_up)
        return -1;
    if (x->phase != PHASE_ANSWERED)
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

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct lws_vhost *vhost = lws_get_vhost(wsi);
    struct hm_http_server *server = vhost != NULL ? lws_vhost_user(vhost) : NULL;
    struct session *session = user;

    if (server == NULL)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return server->stopped ? -1 : 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return server->opts.websockets != NULL && strcasecmp(in, "websocket") == 0 ? 0 : -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return -1; /* a websocket that found no protocol but this one */
    case LWS_CALLBACK_HTTP:
        return on_headers(server, session, wsi, in);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(session->x, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return on_body_complete(session->x);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return on_writeable(session, wsi);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        session_end(session);
        return 0;
    default:
        return 0;
    }
}

/* --- the server --------------------------------------------------------------------------------------------------------- */

/* Splits "ADDRESS:PORT" and tries the address, so that the error says what is wrong (lws says only that it failed). */
static enum hm_code check_listen(struct hm_http_server *server, const char *listen_text, bool *ret_v6, struct hm_err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addr;
    uint32_t port;
    const int on = 1;

    const char *colon = strrchr(listen_text, ':');
    size_t len = colon != NULL ? (size_t)(colon - listen_text) : 0;
    bool v6 = len >= 2 && listen_text[0] == '[' && listen_text[len - 1] == ']';
    memset(&addr, 0, sizeof(addr));
    if (colon == NULL || !hm_parse_u32(colon + 1, 65535, &port))
        return hm_err_set(err, HM_EINVAL, "listen = \"%s\": it must be ADDRESS:PORT, such as 127.0.0.1:8787", listen_text);
    server->port = (uint16_t)port;
    server->address = hm_xstrndup(v6 ? listen_text + 1 : listen_text, v6 ? len - 2 : len);
    if (v6) {
        addr.v6.sin6_family = AF_INET6;
        addr.v6.sin6_port = htons(server->port);
    } else {
        addr.v4.sin_family = AF_INET;
        addr.v4.sin_port = htons(server->port);
    }
    if (inet_pton(v6 ? AF_INET6 : AF_INET, server->address, v6 ? (void *)&addr.v6.sin6_addr : (void *)&addr.v4.sin_addr) != 1)
        return hm_err_set(err, HM_EINVAL, "listen = \"%s\": \"%s\" is no IP address (write IPv6 in brackets)", listen_text,
                          server->address);
    *ret_v6 = v6;

    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hm_err_set(err, HM_EENV, "listen on %s: %s", listen_text, strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int rc = bind(fd, &addr.any, v6 ? sizeof(addr.v6) : sizeof(addr.v4));
    int why = errno;
    (void)close(fd);
    if (rc != 0)
        return hm_err_set(err, HM_EENV, "listen on %s: %s", listen_text, strerror(why));
    return HM_OK;
}

static void server_free_memory(struct hm_http_server *server)
{
    free(server->protocols);
    free(server->name);
    free(server->address);
    free(server->tls_cert);
    free(server->tls_key);
    free(server);
}

static void on_vhost_gone(struct lws_vhost *vhost, void *arg)
{
    (void)vhost;
    server_free_memory(arg);
}

/* Ours first, because lws serves HTTP with the first; a websocket without a subprotocol (Slack's have none) goes to the second.
 */
static void list_protocols(struct hm_http_server *server)
{
    size_t n = 0;
    while (server->opts.websockets != NULL && server->opts.websockets[n].callback != NULL)
        n++;
    server->protocols = hm_xcalloc(n + 2, sizeof(*server->protocols));
    server->protocols[0].name = "hm-http";
    server->protocols[0].callback = on_lws;
    server->protocols[0].per_session_data_size = sizeof(struct session);
    for (size_t i = 0; i < n; i++)
        server->protocols[i + 1] = server->opts.websockets[i];
    if (n == 0)
        return;
    server->default_ws_on.name = "default";
    server->default_ws_on.value = "1";
    server->default_ws.name = server->protocols[1].name;
    server->default_ws.value = "";
    server->default_ws.options = &server->default_ws_on;
}

static void fill_vhost_info(struct hm_http_server *server, bool v6, struct lws_context_creation_info *info)
{
    memset(info, 0, sizeof(*info));
    info->vhost_name = server->name;
    info->port = server->port;
    info->iface = server->address;
    info->protocols = server->protocols;
    info->pvo = server->opts.websockets != NULL ? &server->default_ws : NULL;
    info->options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | (v6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6);
    info->keepalive_timeout = KEEPALIVE_S;
    info->user = server;
    info->finalize = on_vhost_gone;
    info->finalize_arg = server;
    if (server->tls_cert != NULL) {
        info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info->ssl_cert_filepath = server->tls_cert;
        info->ssl_private_key_filepath = server->tls_key;
        info->alpn = "http/1.1";
    }
}

struct hm_http_server *hm_http_server_new(struct lws_context *ctx, const struct hm_http_server_opts *opts, struct hm_err *err)
{
    struct lws_context_creation_info info;
    bool v6 = false;

    struct hm_http_server *server = hm_xcalloc(1, sizeof(*server));
    server->ctx = ctx;
    server->opts = *opts;
    server->tls_cert = hm_xstrdup_null(opts->tls_cert);
    server->tls_key = hm_xstrdup_null(opts->tls_key);
    server->name = hm_xasprintf("http %s", opts->listen);
    if (check_listen(server, opts->listen, &v6, err) != HM_OK)
        goto fail;
    if (server->tls_cert != NULL && (access(server->tls_cert, R_OK) != 0 || access(server->tls_key, R_OK) != 0)) {
        (void)hm_err_set(err, HM_EENV, "listen on %s: can not read %s and %s: %s", opts->listen, server->tls_cert,
                         server->tls_key, strerror(errno));
        goto fail;
    }
    list_protocols(server);
    fill_vhost_info(server, v6, &info);
    server->vhost = lws_create_vhost(ctx, &info);
    if (server->vhost == NULL) {
        /* lws has freed what it had, and told on_vhost_gone(): the memory is no longer ours. */
        (void)hm_err_set(err, HM_EENV, "listen on %s: libwebsockets refuses%s", opts->listen,
                         opts->tls_cert != NULL ? "; is the certificate good, and does the key belong to it?" : "");
        return NULL;
    }
    server->port = (uint16_t)lws_get_vhost_listen_port(server->vhost);
    return server;
fail:
    server_free_memory(server);
    return NULL;
}

void hm_http_server_free(struct hm_http_server *server)
{
    if (server == NULL)
        return;
    server->stopped = true;
    for (struct hm_http_exchange *x = server->open, *next; x != NULL; x = next) {
        next = x->next;
        watch_end(x);
        if (x->phase == PHASE_ANSWERED)
            continue; /* on its way */
        x->phase = PHASE_DROPPED;
        (void)lws_rx_flow_control(x->wsi, 1);
        (void)lws_callback_on_writable(x->wsi);
    }
}

int hm_http_server_port(const struct hm_http_server *server)
{
    return server->port;
}
