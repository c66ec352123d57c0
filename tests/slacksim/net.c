/* libwebsockets' raw role. Happy path: adopt -> RAW_RX* -> (WRITEABLE)* -> RAW_CLOSE.
 *
 * Output is gathered per connection and written once per turn (sim_net_flush), so that a thousand envelopes cost a few system
 * calls and the simulator does not eat the CPU of the bot that it measures. */
#include "net.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum { RX_MAX = 64 * 1024, TX_MAX = 64 * 1024 };

struct sim_conn {
    struct sim_net *net;
    struct lws *wsi;
    const struct sim_conn_ops *ops;
    void *user;
    uint8_t *out; /* LWS_PRE bytes of room, then the data from out_at to out_len */
    size_t out_at, out_len, out_cap;
    uint8_t *held; /* came in while frozen */
    size_t held_len;
    size_t split;
    bool dirty, closing, frozen, half_closed, dead, heard;
    struct sim_conn *next_dirty;
    struct sim_conn *prev, *next;
};

struct session {
    struct sim_conn *conn;
};

struct sim_net {
    struct lws_context *ctx;
    struct lws_vhost *vhost;
    struct sim_net_opts opts;
    void *loops[1];
    struct sim_conn *dirty;
    struct sim_conn *conns;
    int port;
    bool closing;
};

static void mark_dirty(struct sim_conn *c)
{
    if (!c->dirty) {
        c->dirty = true;
        c->next_dirty = c->net->dirty;
        c->net->dirty = c;
    }
}

static void conn_new(struct sim_net *net, struct lws *wsi, struct session *session)
{
    struct sim_conn *c = hm_xcalloc(1, sizeof(*c));
    int one = 1;

    (void)setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    c->net = net;
    c->wsi = wsi;
    c->next = net->conns;
    if (net->conns != NULL) {
        net->conns->prev = c;
    }
    net->conns = c;
    session->conn = c;
    net->opts.on_accept(net->opts.arg, c);
}

static void conn_gone(struct sim_conn *c)
{
    struct sim_conn **at = NULL;

    c->wsi = NULL;
    c->dead = true;
    if (c->ops != NULL) {
        c->ops->on_close(c);
    }
    for (at = &c->net->dirty; *at != NULL; at = &(*at)->next_dirty) {
        if (*at == c) {
            *at = c->next_dirty;
            break;
        }
    }
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        c->net->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    free(c->out);
    free(c->held);
    free(c);
}

/* Writes until the socket is full. False: the connection is broken. */
static bool write_out(struct sim_conn *c)
{
    while (c->out_at < c->out_len && !lws_partial_buffered(c->wsi) && !c->frozen && !c->half_closed) {
        size_t n = c->out_len - c->out_at;
        size_t most = c->split > 0 ? c->split : TX_MAX;

        if (n > most) {
            n = most;
        }
        if (lws_write(c->wsi, c->out + LWS_PRE + c->out_at, n, LWS_WRITE_RAW) < 0) {
            return false;
        }
        c->out_at += n;
    }
    if (c->out_at == c->out_len) {
        c->out_at = 0;
        c->out_len = 0;
    }
    return true;
}

static bool drained(const struct sim_conn *c)
{
    return c->out_len == 0 && !lws_partial_buffered(c->wsi);
}

static void flush_one(struct sim_conn *c)
{
    if (c->dead || c->wsi == NULL) {
        return;
    }
    if (!write_out(c)) {
        c->closing = true;
        c->out_len = c->out_at = 0;
    }
    if (c->out_len > 0 || c->closing) {
        (void)lws_callback_on_writable(c->wsi);
    }
}

void sim_net_flush(struct sim_net *net)
{
    while (net->dirty != NULL) {
        struct sim_conn *c = net->dirty;

        net->dirty = c->next_dirty;
        c->dirty = false;
        flush_one(c);
    }
}

static int on_rx(struct sim_conn *c, const uint8_t *data, size_t len)
{
    if (!c->heard) {
        c->heard = true;
        lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0); /* lws leaves its accept time-out on raw TLS connections */
    }
    if (c->dead || c->closing) {
        return 0;
    }
    if (c->frozen) {
        c->held = hm_xreallocarray(c->held, c->held_len + len, 1);
        memcpy(c->held + c->held_len, data, len);
        c->held_len += len;
        return 0;
    }
    c->ops->on_data(c, data, len);
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct session *session = user;
    struct lws_vhost *vhost = wsi != NULL ? lws_get_vhost(wsi) : NULL;
    struct sim_net *net = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;
    int ret = 0;

    if (net == NULL) {
        return 0;
    }
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_ADOPT:
        conn_new(net, wsi, session);
        break;
    case LWS_CALLBACK_RAW_RX:
        if (session->conn != NULL) {
            ret = on_rx(session->conn, in, len);
        }
        break;
    case LWS_CALLBACK_RAW_WRITEABLE:
        if (session->conn != NULL) {
            bool ok = write_out(session->conn);

            if (!ok || (session->conn->closing && drained(session->conn))) {
                return -1;
            }
            if (session->conn->out_len > 0 && !session->conn->frozen) {
                (void)lws_callback_on_writable(wsi);
            }
        }
        break;
    case LWS_CALLBACK_RAW_CLOSE:
        if (session->conn != NULL) {
            conn_gone(session->conn);
            session->conn = NULL;
        }
        break;
    default:
        return 0;
    }
    if (!net->closing) {
        net->opts.on_turn_end(net->opts.arg);
    }
    return ret;
}

static const struct lws_protocols protocols[] = {
    {.name = "sim", .callback = callback, .per_session_data_size = sizeof(struct session), .rx_buffer_size = RX_MAX},
    {.name = NULL},
};

static void on_lws_log(int level, const char *line)
{
    hm_log((level & LLL_ERR) != 0 ? HM_LOG_ERROR : HM_LOG_WARN, "lws", "%.*s", (int)strcspn(line, "\n"), line);
}

static struct lws_vhost *vhost_new(struct sim_net *net, const char *host, uint32_t port, struct hm_err *err)
{
    struct lws_context_creation_info info = {0};
    struct lws_vhost *vhost = NULL;

    info.port = (int)port;
    info.iface = host;
    info.protocols = protocols;
    info.vhost_name = "slacksim";
    info.listen_accept_role = "raw-skt";
    info.listen_accept_protocol = "sim";
    info.options = LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG;
    info.user = net;
    if (net->opts.tls_cert != NULL) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = net->opts.tls_cert;
        info.ssl_private_key_filepath = net->opts.tls_key;
    }
    vhost = lws_create_vhost(net->ctx, &info);
    if (vhost == NULL) {
        (void)hm_err_set(err, HM_EENV, "cannot listen on %s:%u (address in use? certificate unreadable?)", host, (unsigned)port);
    }
    return vhost;
}

struct sim_net *sim_net_new(uv_loop_t *loop, const struct sim_net_opts *opts, struct hm_err *err)
{
    struct sim_net *net = hm_xcalloc(1, sizeof(*net));
    struct lws_context_creation_info info = {0};
    const char *colon = strrchr(opts->listen, ':');
    char *host = NULL;
    uint32_t port = 0;

    net->opts = *opts;
    if (colon == NULL || !hm_parse_u32(colon + 1, 65535, &port)) {
        (void)hm_err_set(err, HM_EINVAL, "--listen %s: want ADDRESS:PORT", opts->listen);
        goto fail;
    }
    host = hm_xstrndup(opts->listen, (size_t)(colon - opts->listen));
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    net->loops[0] = loop;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.foreign_loops = net->loops;
    info.pt_serv_buf_size = TX_MAX;
    net->ctx = lws_create_context(&info);
    if (net->ctx == NULL) {
        (void)hm_err_set(err, HM_EENV, "libwebsockets can not start (Debian package libwebsockets-evlib-uv missing?)");
        goto fail;
    }
    net->vhost = vhost_new(net, host, port, err);
    if (net->vhost == NULL) {
        goto fail;
    }
    net->port = lws_get_vhost_listen_port(net->vhost);
    free(host);
    return net;
fail:
    free(host);
    if (net->ctx != NULL) {
        lws_context_destroy(net->ctx);
    }
    free(net);
    return NULL;
}

void sim_net_close(struct sim_net *net)
{
    net->closing = true;
    lws_context_destroy(net->ctx);
}

void sim_net_free(struct sim_net *net)
{
    if (net != NULL) {
        lws_context_destroy(net->ctx);
        free(net);
    }
}

int sim_net_port(const struct sim_net *net)
{
    return net->port;
}

void sim_conn_set(struct sim_conn *c, const struct sim_conn_ops *ops, void *user)
{
    c->ops = ops;
    c->user = user;
}

void *sim_conn_user(const struct sim_conn *c)
{
    return c->user;
}

void sim_conn_write(struct sim_conn *c, const void *data, size_t len)
{
    if (c->dead || c->closing || c->frozen || c->half_closed) {
        return;
    }
    if (c->out_at > 0 && c->out_at == c->out_len) {
        c->out_at = c->out_len = 0;
    }
    if (c->out_len + len > c->out_cap) {
        while (c->out_len + len > c->out_cap) {
            c->out_cap = c->out_cap == 0 ? 4096 : c->out_cap * 2;
        }
        c->out = hm_xreallocarray(c->out, LWS_PRE + c->out_cap, 1);
    }
    memcpy(c->out + LWS_PRE + c->out_len, data, len);
    c->out_len += len;
    mark_dirty(c);
}

size_t sim_conn_queued(const struct sim_conn *c)
{
    return c->out_len - c->out_at;
}

void sim_conn_close(struct sim_conn *c)
{
    if (!c->dead && !c->closing) {
        c->closing = true;
        c->frozen = false;
        if (c->half_closed) {
            c->out_len = c->out_at = 0;
        }
        mark_dirty(c);
    }
}

void sim_conn_reset(struct sim_conn *c)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    if (c->dead) {
        return;
    }
    /* Linux: connecting an established socket to AF_UNSPEC aborts it with an RST at once, whatever lws would do on close. */
    (void)connect(lws_get_socket_fd(c->wsi), &nowhere, sizeof(nowhere));
    c->closing = true;
    c->frozen = false;
    c->out_len = c->out_at = 0;
    mark_dirty(c);
}

void sim_conn_fin(struct sim_conn *c)
{
    if (!c->dead && !c->half_closed) {
        sim_net_flush(c->net);
        c->half_closed = true;
        c->out_len = c->out_at = 0;
        (void)shutdown(lws_get_socket_fd(c->wsi), SHUT_WR);
    }
}

void sim_conn_freeze(struct sim_conn *c, bool frozen)
{
    uint8_t *held = NULL;
    size_t held_len = 0;

    if (c->dead || c->frozen == frozen) {
        return;
    }
    c->frozen = frozen;
    if (frozen) {
        return;
    }
    mark_dirty(c);
    held = c->held;
    held_len = c->held_len;
    c->held = NULL;
    c->held_len = 0;
    if (held_len > 0) {
        c->ops->on_data(c, held, held_len);
    }
    free(held);
}

void sim_conn_split(struct sim_conn *c, size_t n)
{
    c->split = n;
}
