/* The test's WebSocket server: see ws_peer.h. */
#include "ws_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

enum { CONNS_MAX = 4096 };

struct ws_conn {
    struct ws_peer *peer;
    unsigned index;
    int fd;
    SSL *ssl;
    char key[64];
    pthread_t thread;
    bool ended;
};

struct ws_peer {
    struct ws_peer_opts opts;
    int fd;
    int port;
    SSL_CTX *ctx;
    char ca[64];
    pthread_t thread;
    atomic_bool stopping;
    pthread_mutex_t lock;
    struct ws_conn *conns[CONNS_MAX];
    atomic_uint total, now, most;
};

/* ---- the certificate ---- */

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
    char san[300];
    X509 *cert = X509_new();
    HM_ASSERT(X509_set_version(cert, 2) == 1);
    HM_ASSERT(ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(time(NULL) % 1000000) + 1) == 1);
    HM_ASSERT(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL);
    HM_ASSERT(X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL);
    HM_ASSERT(X509_set_pubkey(cert, key) == 1);
    X509_NAME *subject = X509_get_subject_name(cert);
    HM_ASSERT(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) == 1);
    HM_ASSERT(X509_set_issuer_name(cert, subject) == 1);
    (void)snprintf(san, sizeof(san), "DNS:%s", name);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    HM_ASSERT(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
    HM_ASSERT(X509_sign(cert, key, EVP_sha256()) != 0);
    return cert;
}

static void set_up_tls(struct ws_peer *peer)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key, peer->opts.cert_name != NULL ? peer->opts.cert_name : "localhost");
    peer->ctx = SSL_CTX_new(TLS_server_method());
    HM_ASSERT(peer->ctx != NULL);
    HM_ASSERT(SSL_CTX_use_certificate(peer->ctx, cert) == 1 && SSL_CTX_use_PrivateKey(peer->ctx, key) == 1);
    (void)snprintf(peer->ca, sizeof(peer->ca), "/tmp/hm-ws-peer-XXXXXX");
    int fd = mkstemp(peer->ca);
    HM_ASSERT(fd >= 0);
    FILE *file = fdopen(fd, "w");
    HM_ASSERT(file != NULL && PEM_write_X509(file, cert) == 1);
    (void)fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* ---- bytes ---- */

static bool wait_for(struct ws_conn *conn, short events, int timeout_ms)
{
    /* In slices, so that ws_peer_stop() is noticed. */
    for (int left = timeout_ms; left > 0 && !atomic_load(&conn->peer->stopping); left -= 50) {
        struct pollfd fd = {.fd = conn->fd, .events = events};
        if (poll(&fd, 1, left < 50 ? left : 50) > 0)
            return true;
    }
    return false;
}

static bool readable(struct ws_conn *conn, int timeout_ms)
{
    return (conn->ssl != NULL && SSL_has_pending(conn->ssl) != 0 && SSL_pending(conn->ssl) > 0) ||
           wait_for(conn, POLLIN, timeout_ms);
}

/* 1: a byte; 0: time-out; -1: the end. */
static int read_byte(struct ws_conn *conn, int timeout_ms, unsigned char *ret_byte)
{
    for (;;) {
        if (!readable(conn, timeout_ms))
            return 0;
        if (conn->ssl == NULL)
            return recv(conn->fd, ret_byte, 1, 0) == 1 ? 1 : -1;
        int n = SSL_read(conn->ssl, ret_byte, 1);
        if (n == 1)
            return 1;
        if (SSL_get_error(conn->ssl, n) != SSL_ERROR_WANT_READ)
            return -1;
    }
}

static bool read_all(struct ws_conn *conn, unsigned char *buf, size_t len)
{
    for (size_t at = 0; at < len;) {
        if (!readable(conn, 20000))
            return false;
        int n = conn->ssl != NULL ? SSL_read(conn->ssl, buf + at, (int)(len - at)) : (int)recv(conn->fd, buf + at, len - at, 0);
        if (n <= 0) {
            if (conn->ssl != NULL && SSL_get_error(conn->ssl, n) == SSL_ERROR_WANT_READ)
                continue;
            return false;
        }
        at += (size_t)n;
    }
    return true;
}

bool ws_write(struct ws_conn *conn, const void *data, size_t len)
{
    if (conn->ssl != NULL)
        return len == 0 || SSL_write(conn->ssl, data, (int)len) == (int)len;
    const char *at = data;
    while (len > 0) {
        ssize_t n = send(conn->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- the handshake ---- */

bool ws_read_request(struct ws_conn *conn)
{
    char request[8192];
    size_t len = 0;

    if (conn->peer->ctx != NULL) {
        conn->ssl = SSL_new(conn->peer->ctx);
        HM_ASSERT(conn->ssl != NULL && SSL_set_fd(conn->ssl, conn->fd) == 1);
        if (SSL_accept(conn->ssl) != 1)
            return false;
    }
    while (len < sizeof(request) - 1) {
        if (read_byte(conn, 20000, (unsigned char *)request + len) != 1)
            return false;
        request[++len] = '\0';
        if (len >= 4 && memcmp(request + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    const char *key = strcasestr(request, "\r\nSec-WebSocket-Key:");
    return key != NULL && sscanf(key + 20, " %63[^\r]", conn->key) == 1;
}

bool ws_upgrade(struct ws_conn *conn, const void *more, size_t len)
{
    char joined[128];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char text[64];
    unsigned n = 0;

    (void)snprintf(joined, sizeof(joined), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", conn->key);
    HM_ASSERT(EVP_Digest(joined, strlen(joined), digest, &n, EVP_sha1(), NULL) == 1);
    (void)EVP_EncodeBlock(text, digest, (int)n);
    char *answer = hm_xmalloc(512 + len);
    int head = snprintf(answer, 512,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        (char *)text);
    if (len > 0)
        memcpy(answer + head, more, len);
    bool sent = ws_write(conn, answer, (size_t)head + len);
    free(answer);
    return sent;
}

bool ws_accept(struct ws_conn *conn)
{
    return ws_read_request(conn) && ws_upgrade(conn, NULL, 0);
}

/* ---- frames ---- */

size_t ws_frame(unsigned char *buf, bool fin, int opcode, const void *payload, size_t len)
{
    size_t head = 2;
    buf[0] = (unsigned char)((fin ? 0x80 : 0) | opcode);
    if (len < 126) {
        buf[1] = (unsigned char)len;
    } else if (len < 65536) {
        buf[1] = 126;
        buf[2] = (unsigned char)(len >> 8);
        buf[3] = (unsigned char)len;
        head = 4;
    } else {
        buf[1] = 127;
        for (int i = 0; i < 8; i++)
            buf[2 + i] = (unsigned char)(len >> (56 - 8 * i));
        head = 10;
    }
    if (len > 0)
        memcpy(buf + head, payload, len);
    return head + len;
}

bool ws_send(struct ws_conn *conn, bool fin, int opcode, const void *payload, size_t len)
{
    unsigned char *buf = hm_xmalloc(len + WS_HEAD_MAX);
    size_t n = ws_frame(buf, fin, opcode, payload, len);
    bool sent = ws_write(conn, buf, n);
    free(buf);
    return sent;
}

bool ws_send_text(struct ws_conn *conn, const char *text)
{
    return ws_send(conn, true, WS_TEXT, text, strlen(text));
}

bool ws_hello(struct ws_conn *conn)
{
    return ws_send_text(conn, "{\"type\":\"hello\",\"num_connections\":1,\"debug_info\":{\"host\":\"applink-test\","
                              "\"approximate_connection_time\":18060},\"connection_info\":{\"app_id\":\"A111\"}}");
}

enum ws_got ws_read(struct ws_conn *conn, int timeout_ms, struct ws_in *ret_in)
{
    unsigned char head[14];
    int first = read_byte(conn, timeout_ms, head);
    if (first <= 0)
        return first == 0 ? WS_GOT_TIMEOUT : WS_GOT_END;
    if (!read_all(conn, head + 1, 1))
        return WS_GOT_END;
    if ((head[0] & 0x70) != 0 || (head[1] & 0x80) == 0)
        return WS_GOT_NONSENSE;
    ret_in->opcode = head[0] & 0x0f;
    ret_in->fin = (head[0] & 0x80) != 0;
    ret_in->len = head[1] & 0x7f;
    if (ret_in->len == 127)
        return WS_GOT_NONSENSE;
    if (ret_in->len == 126) {
        if (!read_all(conn, head + 2, 2))
            return WS_GOT_END;
        ret_in->len = (size_t)head[2] << 8 | head[3];
    }
    if (ret_in->len >= sizeof(ret_in->data))
        return WS_GOT_NONSENSE;
    if (!read_all(conn, head + 4, 4) || !read_all(conn, ret_in->data, ret_in->len))
        return WS_GOT_END;
    for (size_t i = 0; i < ret_in->len; i++)
        ret_in->data[i] ^= head[4 + i % 4];
    ret_in->data[ret_in->len] = '\0';
    return WS_GOT_FRAME;
}

bool ws_read_text(struct ws_conn *conn, int timeout_ms, struct ws_in *ret_in)
{
    for (;;) {
        if (ws_read(conn, timeout_ms, ret_in) != WS_GOT_FRAME)
            return false;
        if (ret_in->opcode == WS_TEXT)
            return ret_in->fin;
        if (ret_in->opcode == WS_PING)
            (void)ws_send(conn, true, WS_PONG, ret_in->data, ret_in->len);
        else if (ret_in->opcode != WS_PONG)
            return false;
    }
}

int ws_drain(struct ws_conn *conn, int timeout_ms)
{
    struct ws_in *in = hm_xmalloc(sizeof(*in));
    int code = -1;
    while (code < 0) {
        enum ws_got got = ws_read(conn, timeout_ms, in);
        if (got == WS_GOT_TIMEOUT)
            code = 0;
        else if (got != WS_GOT_FRAME)
            code = 1006;
        else if (in->opcode == WS_CLOSE)
            code = in->len >= 2 ? in->data[0] << 8 | in->data[1] : 1005;
        else if (in->opcode == WS_PING)
            (void)ws_send(conn, true, WS_PONG, in->data, in->len);
    }
    free(in);
    return code;
}

void ws_reset(struct ws_conn *conn)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

void ws_half_close(struct ws_conn *conn)
{
    (void)shutdown(conn->fd, SHUT_WR);
}

void ws_sleep(struct ws_conn *conn, int ms)
{
    /* No POLLIN: unread data must not end the sleep. */
    (void)wait_for(conn, 0, ms);
}

bool ws_stopping(const struct ws_conn *conn)
{
    return atomic_load(&conn->peer->stopping);
}

unsigned ws_index(const struct ws_conn *conn)
{
    return conn->index;
}

/* ---- threads ---- */

static void *conn_main(void *arg)
{
    struct ws_conn *conn = arg;
    struct ws_peer *peer = conn->peer;
    bool (*greet)(struct ws_conn *, void *) = peer->opts.greet;

    if (greet != NULL ? greet(conn, peer->opts.arg) : ws_accept(conn))
        peer->opts.serve(conn, peer->opts.arg);
    SSL_free(conn->ssl);
    (void)close(conn->fd);
    atomic_fetch_sub(&peer->now, 1);
    (void)pthread_mutex_lock(&peer->lock);
    conn->ended = true;
    (void)pthread_mutex_unlock(&peer->lock);
    return NULL;
}

/* Takes back what has ended, so that a thousand connections do not need a thousand threads. */
static void join_ended(struct ws_peer *peer, bool all)
{
    for (unsigned i = 0; i < atomic_load(&peer->total); i++) {
        (void)pthread_mutex_lock(&peer->lock);
        struct ws_conn *conn = peer->conns[i];
        bool take = conn != NULL && (all || conn->ended);
        if (take)
            peer->conns[i] = NULL;
        (void)pthread_mutex_unlock(&peer->lock);
        if (take) {
            (void)pthread_join(conn->thread, NULL);
            free(conn);
        }
    }
}

static void *accept_main(void *arg)
{
    struct ws_peer *peer = arg;
    while (!atomic_load(&peer->stopping)) {
        struct pollfd fd = {.fd = peer->fd, .events = POLLIN};
        if (poll(&fd, 1, 50) != 1)
            continue;
        int accepted = accept(peer->fd, NULL, NULL);
        if (accepted < 0)
            continue;
        /* Else each second small write waits for the other side's delayed TCP ack, 40 ms. */
        (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        join_ended(peer, false);
        HM_ASSERT(atomic_load(&peer->total) < CONNS_MAX);
        struct ws_conn *conn = hm_xcalloc(1, sizeof(*conn));
        conn->peer = peer;
        conn->fd = accepted;
        unsigned now = atomic_fetch_add(&peer->now, 1) + 1;
        if (now > atomic_load(&peer->most))
            atomic_store(&peer->most, now);
        conn->index = atomic_load(&peer->total);
        peer->conns[conn->index] = conn;
        HM_ASSERT(pthread_create(&conn->thread, NULL, conn_main, conn) == 0);
        atomic_fetch_add(&peer->total, 1);
    }
    return NULL;
}

struct ws_peer *ws_peer_start(const struct ws_peer_opts *opts)
{
    struct ws_peer *peer = hm_xcalloc(1, sizeof(*peer));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);

    peer->opts = *opts;
    (void)pthread_mutex_init(&peer->lock, NULL);
    if (opts->tls)
        set_up_tls(peer);
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    HM_ASSERT(peer->fd >= 0);
    HM_ASSERT(bind(peer->fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(peer->fd, 128) == 0);
    HM_ASSERT(getsockname(peer->fd, (struct sockaddr *)&address, &len) == 0);
    peer->port = ntohs(address.sin_port);
    HM_ASSERT(pthread_create(&peer->thread, NULL, accept_main, peer) == 0);
    return peer;
}

void ws_peer_stop(struct ws_peer *peer)
{
    if (peer == NULL)
        return;
    atomic_store(&peer->stopping, true);
    (void)pthread_join(peer->thread, NULL);
    join_ended(peer, true);
    (void)close(peer->fd);
    SSL_CTX_free(peer->ctx);
    if (peer->ca[0] != '\0')
        (void)unlink(peer->ca);
    (void)pthread_mutex_destroy(&peer->lock);
    free(peer);
}

const char *ws_peer_url(const struct ws_peer *peer, const char *host, char *buf)
{
    if (host == NULL)
        host = peer->opts.tls ? "localhost" : "127.0.0.1";
    (void)snprintf(buf, 256, "%s://%s:%d/link/?ticket=secret&app_id=1", peer->opts.tls ? "wss" : "ws", host, peer->port);
    return buf;
}

const char *ws_peer_ca(const struct ws_peer *peer)
{
    return peer->ca[0] != '\0' ? peer->ca : NULL;
}

unsigned ws_peer_total(const struct ws_peer *peer)
{
    return atomic_load(&peer->total);
}

unsigned ws_peer_now(const struct ws_peer *peer)
{
    return atomic_load(&peer->now);
}

unsigned ws_peer_most(const struct ws_peer *peer)
{
    return atomic_load(&peer->most);
}
