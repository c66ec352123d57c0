/* The raw test server: see raw_server.h. */
#include "raw_server.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

struct raw_conn {
    uv_tcp_t tcp;
    struct raw_server *server;
    struct raw_conn *next;
    unsigned n_requests;
    size_t len;
    char buf[RAW_MAX_REQUEST + 1];
    bool closing;
};

struct write_job {
    uv_write_t uv;
    char *bytes;
};

static void on_conn_closed(uv_handle_t *h)
{
    struct raw_conn *conn = h->data;
    struct raw_conn **at = &conn->server->conns;
    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    free(conn);
}

static void on_written(uv_write_t *uv, int status)
{
    struct write_job *job = uv->data;
    (void)status;
    free(job->bytes);
    free(job);
}

void raw_send_bytes(struct raw_conn *conn, const char *bytes, size_t len)
{
    if (conn->closing)
        return;
    struct write_job *job = hm_xcalloc(1, sizeof(*job));
    job->bytes = hm_xmemdup(bytes, len);
    job->uv.data = job;
    uv_buf_t buf = uv_buf_init(job->bytes, (unsigned)len);
    HM_ASSERT(uv_write(&job->uv, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) == 0);
}

void raw_send(struct raw_conn *conn, const char *bytes)
{
    raw_send_bytes(conn, bytes, strlen(bytes));
}

void raw_close(struct raw_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    uv_close((uv_handle_t *)&conn->tcp, on_conn_closed);
}

void raw_reset(struct raw_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    HM_ASSERT(uv_tcp_close_reset(&conn->tcp, on_conn_closed) == 0);
}

/* Bytes of the first whole request in the buffer; 0 = not there yet. */
static size_t whole_request(const struct raw_conn *conn)
{
    const char *end = strstr(conn->buf, "\r\n\r\n");
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - conn->buf) + 4;
    size_t body = 0;
    const char *field = strcasestr(conn->buf, "\r\ncontent-length:");
    if (field != NULL && field < end)
        body = strtoul(field + strlen("\r\ncontent-length:"), NULL, 10);
    return conn->len >= head + body ? head + body : 0;
}

static void take_requests(struct raw_conn *conn)
{
    struct raw_server *server = conn->server;
    size_t n = 0;
    while (!conn->closing && (n = whole_request(conn)) > 0) {
        HM_ASSERT(server->n_seen < RAW_MAX_SEEN);
        char *request = hm_xstrndup(conn->buf, n);
        server->seen[server->n_seen++] = request;
        memmove(conn->buf, conn->buf + n, conn->len - n + 1);
        conn->len -= n;
        server->on_request(server, conn, ++conn->n_requests, request);
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct raw_conn *conn = h->data;
    (void)suggested;
    *buf = uv_buf_init(conn->buf + conn->len, (unsigned)(RAW_MAX_REQUEST - conn->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct raw_conn *conn = stream->data;
    (void)buf;
    if (n < 0) {
        raw_close(conn);
        return;
    }
    conn->len += (size_t)n;
    conn->buf[conn->len] = '\0';
    take_requests(conn);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct raw_server *server = listener->data;
    struct raw_conn *conn = hm_xcalloc(1, sizeof(*conn));
    HM_ASSERT(status == 0);
    conn->server = server;
    conn->tcp.data = conn;
    conn->next = server->conns;
    server->conns = conn;
    server->n_connections++;
    HM_ASSERT(uv_tcp_init(listener->loop, &conn->tcp) == 0);
    HM_ASSERT(uv_accept(listener, (uv_stream_t *)&conn->tcp) == 0);
    HM_ASSERT(uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) == 0);
}

void raw_server_start(struct raw_server *server, uv_loop_t *loop)
{
    struct sockaddr_in addr;
    struct sockaddr_storage bound;
    int len = sizeof(bound);

    HM_ASSERT(uv_ip4_addr("127.0.0.1", 0, &addr) == 0);
    HM_ASSERT(uv_tcp_init(loop, &server->listener) == 0);
    server->listener.data = server;
    HM_ASSERT(uv_tcp_bind(&server->listener, (const struct sockaddr *)&addr, 0) == 0);
    HM_ASSERT(uv_listen((uv_stream_t *)&server->listener, 64, on_connection) == 0);
    HM_ASSERT(uv_tcp_getsockname(&server->listener, (struct sockaddr *)&bound, &len) == 0);
    memcpy(&addr, &bound, sizeof(addr));
    server->port = ntohs(addr.sin_port);
}

void raw_server_stop(struct raw_server *server)
{
    for (struct raw_conn *conn = server->conns; conn != NULL; conn = conn->next)
        raw_close(conn);
    uv_close((uv_handle_t *)&server->listener, NULL);
}

void raw_server_done(struct raw_server *server)
{
    for (unsigned i = 0; i < server->n_seen; i++)
        free(server->seen[i]);
    server->n_seen = 0;
}
