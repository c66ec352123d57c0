/* HTTP/1.1 server: one libwebsockets vhost with one route function. What happens to a request is in http_exchange.c; here is the
 * address, the vhost, and what lws calls back. Failure modes: an address that is taken or none, a certificate that can not be
 * read; the caller gets a sentence, lws's own are only for the log. */
#include "io/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/http_exchange.h"

enum { KEEPALIVE_S = 65 };

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct lws_vhost *vhost = lws_get_vhost(wsi);
    struct hm_http_server *server = vhost != NULL ? lws_vhost_user(vhost) : NULL;
    struct hm_http_session *session = user;

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
        return hm_http_exchange_on_headers(server, session, wsi, in);
    case LWS_CALLBACK_HTTP_BODY:
        return hm_http_exchange_on_body(session->x, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return hm_http_exchange_on_body_complete(session->x);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return hm_http_exchange_on_writeable(session, wsi);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        hm_http_exchange_end(session);
        return 0;
    default:
        return 0;
    }
}

/* "ADDRESS:PORT", read. */
struct listen {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addr;
    char address[INET6_ADDRSTRLEN]; /* without brackets */
    uint16_t port;
    bool v6;
};

static enum hm_code parse_listen(const char *text, struct listen *ret, struct hm_err *err)
{
    uint32_t port = 0;
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    memset(ret, 0, sizeof *ret);
    ret->v6 = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (colon == NULL || !hm_parse_u32(colon + 1, 65535, &port))
        return hm_err_set(err, HM_EINVAL, "listen = \"%s\": it must be ADDRESS:PORT, such as 127.0.0.1:8787", text);
    const char *address = ret->v6 ? text + 1 : text;
    len -= ret->v6 ? 2 : 0;
    ret->port = (uint16_t)port;
    if (ret->v6) {
        ret->addr.v6.sin6_family = AF_INET6;
        ret->addr.v6.sin6_port = htons(ret->port);
    } else {
        ret->addr.v4.sin_family = AF_INET;
        ret->addr.v4.sin_port = htons(ret->port);
    }
    if (len < sizeof ret->address)
        memcpy(ret->address, address, len);
    if (inet_pton(ret->v6 ? AF_INET6 : AF_INET, ret->address,
                  ret->v6 ? (void *)&ret->addr.v6.sin6_addr : (void *)&ret->addr.v4.sin_addr) != 1)
        return hm_err_set(err, HM_EINVAL, "listen = \"%s\": \"%.*s\" is no IP address (write IPv6 in brackets)", text, (int)len,
                          address);
    return HM_OK;
}

enum hm_code hm_http_check_listen(const char *listen_text, struct hm_err *err)
{
    struct listen to;
    return parse_listen(listen_text, &to, err);
}

/* Tries the address, so that the error says what is wrong (lws says only that it failed). */
static enum hm_code try_listen(struct hm_http_server *server, const char *listen_text, bool *ret_v6, struct hm_err *err)
{
    struct listen to;
    const int on = 1;
    if (parse_listen(listen_text, &to, err) != HM_OK)
        return err->code;
    server->port = to.port;
    server->address = hm_xstrdup(to.address);
    *ret_v6 = to.v6;

    int fd = socket(to.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hm_err_set(err, HM_EENV, "listen on %s: %s", listen_text, strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int rc = bind(fd, &to.addr.any, to.v6 ? sizeof(to.addr.v6) : sizeof(to.addr.v4));
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
    server->protocols[0].per_session_data_size = sizeof(struct hm_http_session);
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
    if (try_listen(server, opts->listen, &v6, err) != HM_OK)
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
        hm_http_exchange_stop(x);
    }
}

int hm_http_server_port(const struct hm_http_server *server)
{
    return server->port;
}
