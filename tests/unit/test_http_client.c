/* The HTTP client against a server that does exactly what each test needs. What matters most: which failures prove that
 * nothing was sent, and that a write never leaves twice. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/http_client.h"
#include "raw_server.h"

enum { MAX_ENDS = 256, LONG_MS = 20000 };

struct end {
    enum hm_transport transport;
    int status;
    char body[128];
    size_t body_len;
    char content_type[64];
    char location[128];
    char headers[256];
    char problem[256];
    int64_t retry_after_s;
};

struct rig {
    uv_loop_t loop;
    struct raw_server server;
    struct hm_http_client *client;
    struct hm_http_pool *pool;
    struct end ends[MAX_ENDS];
    unsigned n_ends;
    unsigned awaited;
    bool closed;
    bool inside_send;
    struct hm_http_call *cancel_at_first;
};

static struct rig *rig; /* the one of the running test */

static void copy(char *to, size_t size, const char *from)
{
    size_t n = hm_utf8_prefix(from, size - 1);
    memcpy(to, from, n);
    to[n] = '\0';
}

static void on_done(void *arg, const struct hm_http_result *r)
{
    struct end *e = arg;
    assert_false(rig->inside_send);
    assert_int_equal(e->problem[0], 0); /* exactly once */
    e->transport = r->answer.transport;
    e->status = r->answer.status;
    e->body_len = r->answer.body_len;
    e->retry_after_s = r->answer.retry_after_s;
    copy(e->body, sizeof(e->body), r->answer.body);
    copy(e->content_type, sizeof(e->content_type), r->answer.content_type);
    copy(e->headers, sizeof(e->headers), r->answer.headers != NULL ? r->answer.headers : "");
    copy(e->location, sizeof(e->location), r->answer.location);
    copy(e->problem, sizeof(e->problem), r->answer.problem[0] != '\0' ? r->answer.problem : "-");
    if (rig->n_ends++ == 0 && rig->cancel_at_first != NULL)
        hm_http_cancel(rig->cancel_at_first);
    if (rig->n_ends == rig->awaited)
        uv_stop(&rig->loop);
}

static struct hm_http_pool *new_pool(const struct hm_http_pool_opts *opts)
{
    struct hm_http_pool_opts o = {.name = "test", .timeout_ms = LONG_MS};
    struct hm_err err = {0};
    struct hm_http_pool *pool = hm_http_pool_new(rig->client, opts != NULL ? opts : &o, &err);
    assert_non_null(pool);
    return pool;
}

static struct hm_http_call *send_to(struct hm_http_pool *pool, unsigned slot, const char *method, const char *url,
                                    const char *body, int64_t timeout_ms)
{
    struct hm_request req;
    hm_request_init(&req);
    req.method = hm_xstrdup(method);
    req.url = hm_xstrdup(url);
    hm_request_add_header(&req, "X-Test", "yes");
    if (body != NULL) {
        req.body = hm_xstrdup(body);
        req.body_len = strlen(body);
    }
    rig->inside_send = true;
    struct hm_http_call *call = hm_http_send(pool, &req, timeout_ms, on_done, &rig->ends[slot]);
    rig->inside_send = false;
    hm_request_done(&req);
    return call;
}

static struct hm_http_call *send_path(unsigned slot, const char *method, const char *path, const char *body)
{
    char *url = hm_xasprintf("http://127.0.0.1:%d%s", rig->server.port, path);
    struct hm_http_call *call = send_to(rig->pool, slot, method, url, body, 0);
    free(url);
    return call;
}

static void await(unsigned n)
{
    rig->awaited = n;
    if (rig->n_ends < n)
        (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(rig->n_ends, n);
}

/* ---- the server's side ------------------------------------------------------------------------------------------------ */

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

static void send_big(struct raw_conn *conn, size_t size)
{
    char *head = hm_xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    char *body = hm_xmalloc(size);
    memset(body, 'x', size);
    raw_send(conn, head);
    raw_send_bytes(conn, body, size);
    free(head);
    free(body);
}

static void send_endless_headers(struct raw_conn *conn)
{
    raw_send(conn, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 400; i++) {
        char line[1025];
        memset(line, 'h', sizeof(line));
        (void)snprintf(line, sizeof(line), "X-A: %01015d\r\n", i);
        raw_send(conn, line);
    }
}

static const char *const canned[][2] = {
    {"/stall", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"},
    {"/429", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"},
    {"/kept", "HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nSet-Cookie: secret=1\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 0\r\n\r\n"},
    {"/now", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"},
    {"/307", "HTTP/1.1 307 Moved\r\nLocation: //127.0.0.1:1/there?x=1\r\nContent-Length: 0\r\n\r\n"},
};

static void serve(struct raw_server *server, struct raw_conn *conn, unsigned nth, const char *request)
{
    const char *reply = OK_REPLY;
    char path[64] = "";
    (void)server;

    (void)sscanf(request, "%*15s %63s", path);
    for (size_t i = 0; i < HM_ARRAY_LEN(canned); i++) {
        if (strcmp(path, canned[i][0]) == 0)
            reply = canned[i][1];
    }
    if (strcmp(path, "/hang") == 0)
        return;
    if (strcmp(path, "/close") == 0 || (strcmp(path, "/second-dies") == 0 && nth > 1)) {
        raw_close(conn);
    } else if (strcmp(path, "/reset") == 0 || (strcmp(path, "/second-resets") == 0 && nth > 1)) {
        raw_reset(conn);
    } else if (strcmp(path, "/half") == 0) {
        raw_send(conn, canned[0][1]);
        raw_close(conn);
    } else if (strcmp(path, "/big") == 0) {
        send_big(conn, 3000);
    } else if (strcmp(path, "/headers") == 0) {
        send_endless_headers(conn);
    } else {
        raw_send(conn, reply);
    }
}

/* ---- rig -------------------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct hm_err err = {0};
    rig = hm_xcalloc(1, sizeof(*rig));
    *state = rig;
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->server.on_request = serve;
    raw_server_start(&rig->server, &rig->loop);
    rig->client = hm_http_client_new(&rig->loop, hm_clock_real(), &err);
    assert_non_null(rig->client);
    rig->pool = new_pool(NULL);
    return 0;
}

static void on_closed(void *arg)
{
    struct rig *r = arg;
    r->closed = true;
}

static int tear_down(void **state)
{
    (void)state;
    hm_http_client_close(rig->client, on_closed, rig);
    raw_server_stop(&rig->server);
    while (uv_run(&rig->loop, UV_RUN_DEFAULT) != 0) {
    }
    assert_true(rig->closed);
    hm_http_client_free(rig->client);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    raw_server_done(&rig->server);
    free(rig);
    rig = NULL;
    return 0;
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void test_answers(void **state)
{
    (void)state;
    (void)send_path(0, "GET", "/ok", NULL);
    (void)send_path(1, "GET", "/429", NULL);
    (void)send_path(2, "POST", "/307", "a=b");
    (void)send_path(3, "GET", "/now", NULL);
    (void)send_path(4, "GET", "/kept", NULL);
    await(5);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(rig->ends[0].status, 200);
    assert_string_equal(rig->ends[0].body, "{}");
    assert_string_equal(rig->ends[0].content_type, "application/json");
    assert_int_equal(rig->ends[0].retry_after_s, -1);
    assert_int_equal(rig->ends[1].status, 429);
    assert_int_equal(rig->ends[1].retry_after_s, 7);
    assert_int_equal(rig->ends[2].status, 307); /* not followed */
    assert_string_equal(rig->ends[2].location, "http://127.0.0.1:1/there?x=1");
    assert_int_equal(rig->ends[3].retry_after_s, 0);
    assert_string_equal(rig->ends[4].headers, "ETag: \"e1\"\nX-Two: a\nX-Two: b\nContent-Length: 0\n"); /* no cookies */
    assert_int_equal(rig->server.n_seen, 5);
}

static enum hm_http_ready give_secret(void *arg, const struct hm_http_departing *departing, struct hm_request *ret_credentials,
                                      struct hm_err *err)
{
    (void)departing;
    (void)err;
    hm_request_add_header(ret_credentials, "Authorization", arg);
    return HM_HTTP_READY;
}

static void test_exact_bytes(void **state)
{
    struct hm_http_pool_opts o = {.name = "t", .timeout_ms = LONG_MS, .authorize = give_secret};
    char secret[] = "Bearer s3cret";
    char *url = hm_xasprintf("http://127.0.0.1:%d/a/../b%%2F?q=%%20", rig->server.port);
    char *want = NULL;
    (void)state;

    o.authorize_arg = secret;
    struct hm_http_pool *pool = new_pool(&o);
    (void)send_to(pool, 0, "POST", url, "", 0);
    await(1);
    want = hm_xasprintf("POST /a/../b%%2F?q=%%20 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: hausmeister/" HM_VERSION
                        "\r\nAccept: */*\r\nX-Test: yes\r\nAuthorization: Bearer s3cret\r\nContent-Length: 0\r\n\r\n",
                        rig->server.port);
    assert_string_equal(rig->server.seen[0], want);
    free(want);
    (void)send_to(pool, 1, "PATCH", url, "{\"a\":1}", 0);
    (void)send_to(pool, 2, "DELETE", url, NULL, 0);
    await(3);
    for (unsigned i = 1; i < 3; i++) {
        bool patch = hm_starts_with(rig->server.seen[i], "PATCH ");
        assert_true(patch || hm_starts_with(rig->server.seen[i], "DELETE "));
        assert_true(hm_ends_with(rig->server.seen[i], patch ? "Content-Length: 7\r\n\r\n{\"a\":1}" : "s3cret\r\n\r\n"));
        assert_null(strstr(rig->server.seen[i], "Expect"));
        assert_null(strstr(rig->server.seen[i], "Content-Type"));
    }
    free(url);
}

struct failure {
    const char *method, *path;
    enum hm_transport want;
    const char *problem; /* part of the sentence */
};

static void test_failures(void **state)
{
    static const struct failure table[] = {
        {"POST", "/close", HM_TRANSPORT_BROKEN, "closed the connection without an answer"},
        {"POST", "/reset", HM_TRANSPORT_BROKEN, "broke"},
        {"GET", "/close", HM_TRANSPORT_BROKEN, "closed the connection without an answer"},
        {"GET", "/reset", HM_TRANSPORT_BROKEN, "broke"},
        {"POST", "/half", HM_TRANSPORT_BROKEN, "broke"},
        {"GET", "/headers", HM_TRANSPORT_TOO_BIG, "longer than"},
    };
    (void)state;
    for (unsigned i = 0; i < HM_ARRAY_LEN(table); i++) {
        /* one at a time and each on a new pool: no kept-alive connection has a part in it */
        (void)send_path(i, table[i].method, table[i].path, hm_streq(table[i].method, "POST") ? "x" : NULL);
        await(i + 1);
        assert_int_equal(rig->ends[i].transport, table[i].want);
        assert_non_null(strstr(rig->ends[i].problem, table[i].problem));
        assert_non_null(strstr(rig->ends[i].problem, "127.0.0.1:"));
        assert_null(strstr(rig->ends[i].problem, table[i].path));
    }
    assert_int_equal(rig->server.n_seen, HM_ARRAY_LEN(table)); /* each left exactly once */
}

static void test_timeouts(void **state)
{
    char *hang = hm_xasprintf("http://127.0.0.1:%d/hang", rig->server.port);
    char *stall = hm_xasprintf("http://127.0.0.1:%d/stall", rig->server.port);
    (void)state;
    (void)send_to(rig->pool, 0, "POST", hang, "", 1000);
    (void)send_to(rig->pool, 1, "GET", stall, NULL, 1000);
    await(2); /* the second is the last transfer of all: its end must still be drained */
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_TIMEOUT);
    assert_int_equal(rig->ends[1].transport, HM_TRANSPORT_TIMEOUT);
    assert_non_null(strstr(rig->ends[0].problem, "no answer from 127.0.0.1:"));
    assert_int_equal(rig->server.n_seen, 2);
    free(hang);
    free(stall);
}

/* A listening socket whose queue is full accepts nothing: the connection never comes up. */
static void test_not_sent(void **state)
{
    struct raw_server other = {.on_request = serve};
    char *url = NULL;
    (void)state;

    raw_server_start(&other, &rig->loop);
    raw_server_stop(&other); /* now its port refuses */
    (void)uv_run(&rig->loop, UV_RUN_NOWAIT);
    url = hm_xasprintf("http://127.0.0.1:%d/x", other.port);
    (void)send_to(rig->pool, 0, "POST", url, "", 0);
    free(url);
    /* a plain server is no TLS server: the handshake fails before a byte of the request */
    url = hm_xasprintf("https://127.0.0.1:%d/tls", rig->server.port);
    (void)send_to(rig->pool, 1, "POST", url, "", 1000);
    free(url);
    (void)send_to(rig->pool, 2, "POST", "https://name.invalid/x", "", 0);
    await(3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rig->ends[i].transport, HM_TRANSPORT_NOT_SENT);
    assert_non_null(strstr(rig->ends[0].problem, "connection refused by 127.0.0.1:"));
    assert_non_null(strstr(rig->ends[2].problem, "name.invalid"));
    assert_int_equal(rig->server.n_seen, 0);
    raw_server_done(&other);
}

static void test_refused_requests(void **state)
{
    static const char *const urls[] = {
        "http://example.com/x", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/x",
        "file:///etc/passwd",   "https://user:pw@127.0.0.1/x",   "not a url",
        "http://10.0.0.1/",     "gopher://127.0.0.1:70/",        "http://0.0.0.0/",
        "http://[::2]/",        "https://127.0.0.1/ a space",
    };
    (void)state;
    for (unsigned i = 0; i < HM_ARRAY_LEN(urls); i++)
        (void)send_to(rig->pool, i, "POST", urls[i], "", 0);
    await(HM_ARRAY_LEN(urls));
    for (unsigned i = 0; i < HM_ARRAY_LEN(urls); i++) {
        assert_int_equal(rig->ends[i].transport, HM_TRANSPORT_NOT_SENT);
        assert_null(strstr(rig->ends[i].problem, "pw"));
    }
    assert_int_equal(rig->server.n_connections, 0);
}

static void test_header_can_not_smuggle(void **state)
{
    struct hm_request req;
    (void)state;
    hm_request_init(&req);
    req.method = hm_xstrdup("GET");
    req.url = hm_xasprintf("http://127.0.0.1:%d/ok", rig->server.port);
    hm_request_add_header(&req, "X-A", "1\r\nX-B: 2");
    (void)hm_http_send(rig->pool, &req, 0, on_done, &rig->ends[0]);
    await(1);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_NOT_SENT);
    assert_int_equal(rig->server.n_seen, 0);
    hm_request_done(&req);
}

static void test_answer_ceiling(void **state)
{
    struct hm_http_pool_opts o = {.name = "t", .timeout_ms = LONG_MS, .max_answer = 2999};
    char *url = hm_xasprintf("http://127.0.0.1:%d/big", rig->server.port);
    (void)state;
    struct hm_http_pool *small = new_pool(&o);
    o.max_answer = 3000;
    struct hm_http_pool *enough = new_pool(&o);
    (void)send_to(small, 0, "GET", url, NULL, 0);
    (void)send_to(enough, 1, "GET", url, NULL, 0);
    await(2);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_TOO_BIG);
    assert_int_equal(rig->ends[1].transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(rig->ends[1].body_len, 3000);
    free(url);
}

static void test_connections_are_kept(void **state)
{
    struct hm_http_pool_stats stats;
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        (void)send_path(i, "POST", "/ok", "x");
    await(20);
    hm_http_pool_stats(rig->pool, &stats);
    assert_int_equal(rig->server.n_connections, 4); /* the pool's limit, and no more opened afterwards */
    assert_int_equal(stats.connections_opened, 4);
    assert_int_equal(stats.answered, 20);
    assert_int_equal(stats.started, 20);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.queued, 0);
}

/* The server reads the second request of a kept-alive connection and closes. curl would send it again on a new connection. */
static void test_a_write_never_leaves_twice(void **state)
{
    static const char *const paths[] = {"/second-dies", "/second-resets"};
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    unsigned n = 0;
    (void)state;
    for (size_t p = 0; p < HM_ARRAY_LEN(paths); p++) {
        for (size_t m = 0; m < HM_ARRAY_LEN(methods); m++) {
            (void)send_path(n, "GET", "/ok", NULL); /* leaves a connection behind */
            await(n + 1);
            unsigned seen = rig->server.n_seen;
            (void)send_path(n + 1, methods[m], paths[p], "x");
            await(n + 2);
            assert_int_equal(rig->server.n_seen, seen + 1);
            /* the server answers what comes first on a connection: that this broke shows that the old one was used */
            assert_int_equal(rig->ends[n + 1].transport, HM_TRANSPORT_BROKEN);
            n += 2;
        }
    }
}

/* … and for a read that is just what is wanted. */
static void test_a_read_may_leave_twice(void **state)
{
    (void)state;
    (void)send_path(0, "GET", "/ok", NULL);
    await(1);
    (void)send_path(1, "GET", "/second-dies", NULL);
    await(2);
    assert_int_equal(rig->server.n_seen, 3);
    assert_int_equal(rig->server.n_connections, 2);
    assert_int_equal(rig->ends[1].transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(rig->ends[1].status, 200);
}

static void test_cancel(void **state)
{
    (void)state;
    struct hm_http_call *queued = NULL;
    struct hm_http_call *running = send_path(0, "POST", "/hang", "x");
    for (unsigned i = 1; i < 4; i++)
        (void)send_path(i, "POST", "/hang", "x");
    queued = send_path(4, "POST", "/ok", "x"); /* the four places are taken */
    while (rig->server.n_seen < 4)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    hm_http_cancel(queued);
    hm_http_cancel(running);
    hm_http_cancel(running); /* twice is no harm */
    assert_int_equal(rig->n_ends, 0);
    await(2);
    assert_int_equal(rig->ends[4].transport, HM_TRANSPORT_NOT_SENT);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_BROKEN);
    assert_int_equal(rig->server.n_seen, 4);
}

static void test_cancel_from_a_callback(void **state)
{
    (void)state;
    (void)send_path(0, "GET", "/ok", NULL);
    rig->cancel_at_first = send_path(1, "GET", "/hang", NULL);
    await(2);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_ANSWER);
    assert_true(rig->ends[1].transport == HM_TRANSPORT_BROKEN || rig->ends[1].transport == HM_TRANSPORT_NOT_SENT);
}

static void test_queue_limit(void **state)
{
    struct hm_http_pool_opts o = {.name = "t", .timeout_ms = LONG_MS, .max_queue = 2, .max_connections = 1};
    char *url = hm_xasprintf("http://127.0.0.1:%d/ok", rig->server.port);
    (void)state;
    struct hm_http_pool *pool = new_pool(&o);
    for (unsigned i = 0; i < 3; i++)
        (void)send_to(pool, i, "GET", url, NULL, 0);
    await(3);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(rig->ends[1].transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(rig->ends[2].transport, HM_TRANSPORT_NOT_SENT);
    hm_http_pool_retire(pool);
    free(url);
}

static int64_t fake_now_ms;
static int64_t fake_mono(void *arg)
{
    (void)arg;
    return fake_now_ms;
}

/* With the clock stopped, as many leave as the bucket holds; the rest as it moves on. */
static void test_rate(void **state)
{
    struct hm_clock clock = {.wall_ms = fake_mono, .mono_ms = fake_mono};
    struct hm_http_pool_opts o = {.name = "t", .timeout_ms = LONG_MS, .rate_per_s = 3, .max_connections = 50};
    char *url = hm_xasprintf("http://127.0.0.1:%d/ok", rig->server.port);
    struct hm_err err = {0};
    struct hm_http_client *real = rig->client;
    (void)state;

    fake_now_ms = 1000;
    rig->client = hm_http_client_new(&rig->loop, &clock, &err);
    struct hm_http_pool *pool = new_pool(&o);
    for (unsigned i = 0; i < 10; i++)
        (void)send_to(pool, i, "GET", url, NULL, 0);
    await(3);
    for (int i = 0; i < 20; i++)
        (void)uv_run(&rig->loop, UV_RUN_NOWAIT);
    assert_int_equal(rig->server.n_seen, 3);
    fake_now_ms += 1000;
    await(6);
    fake_now_ms += 500;
    await(7);
    fake_now_ms += (int64_t)60 * 1000; /* a long pause does not add up: one second's worth */
    await(10);
    for (unsigned i = 10; i < 15; i++)
        (void)send_to(pool, i, "GET", url, NULL, 0);
    for (int i = 0; i < 50; i++)
        (void)uv_run(&rig->loop, UV_RUN_NOWAIT);
    assert_int_equal(rig->server.n_seen, 10);
    hm_http_client_close(rig->client, on_closed, rig);
    await(15); /* those that wait: NOT_SENT */
    assert_int_equal(rig->ends[14].transport, HM_TRANSPORT_NOT_SENT);
    while (!rig->closed)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    hm_http_client_free(rig->client);
    rig->closed = false;
    rig->client = real;
    free(url);
}

static void test_close_ends_everything(void **state)
{
    struct hm_err err = {0};
    struct hm_http_client *real = rig->client;
    char *url = hm_xasprintf("http://127.0.0.1:%d/hang", rig->server.port);
    (void)state;
    rig->client = hm_http_client_new(&rig->loop, hm_clock_real(), &err);
    struct hm_http_pool *pool = new_pool(NULL);
    for (unsigned i = 0; i < 6; i++)
        (void)send_to(pool, i, "POST", url, "", 0);
    while (rig->server.n_seen < 4)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    hm_http_client_close(rig->client, on_closed, rig);
    (void)send_to(pool, 6, "POST", url, "", 0);
    assert_int_equal(rig->n_ends, 0);
    while (!rig->closed)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    assert_int_equal(rig->n_ends, 7);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(rig->ends[i].transport, i < 4 ? HM_TRANSPORT_BROKEN : HM_TRANSPORT_NOT_SENT);
    hm_http_client_free(rig->client);
    rig->closed = false;
    rig->client = real;
    free(url);
}

static enum hm_http_ready no_secret(void *arg, const struct hm_http_departing *departing, struct hm_request *ret_credentials,
                                    struct hm_err *err)
{
    (void)arg;
    (void)departing;
    (void)ret_credentials;
    (void)hm_err_set(err, HM_EENV, "the credentials for metapod could not be read");
    return HM_HTTP_REFUSED;
}

static void test_no_credentials_no_request(void **state)
{
    struct hm_http_pool_opts o = {.name = "metapod", .timeout_ms = LONG_MS, .authorize = no_secret};
    char *url = hm_xasprintf("http://127.0.0.1:%d/ok", rig->server.port);
    (void)state;
    (void)send_to(new_pool(&o), 0, "GET", url, NULL, 0);
    await(1);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_NOT_SENT);
    assert_non_null(strstr(rig->ends[0].problem, "credentials for metapod"));
    assert_int_equal(rig->server.n_seen, 0);
    free(url);
}

/* Waits until it is told the secret; then gives it, with the request's own method behind it. */
struct slow_secret {
    const char *secret;
    unsigned asked;
    int64_t first_queued_at_ms;
};

static enum hm_http_ready slow(void *arg, const struct hm_http_departing *departing, struct hm_request *ret_credentials,
                               struct hm_err *err)
{
    struct slow_secret *s = arg;
    (void)err;
    if (s->asked++ == 0)
        s->first_queued_at_ms = departing->queued_at_ms;
    if (s->secret == NULL)
        return HM_HTTP_WAIT;
    char *value = hm_xasprintf("%s %s", s->secret, departing->req->method);
    hm_request_add_header(ret_credentials, "Authorization", value);
    free(value);
    return HM_HTTP_READY;
}

static void tell_secret(uv_timer_t *timer)
{
    struct slow_secret *s = timer->data;
    assert_int_equal(rig->server.n_seen, 0); /* nothing left without it */
    s->secret = "s3cret";
    hm_http_client_wake(rig->client);
    uv_close((uv_handle_t *)timer, NULL);
}

static void test_requests_wait_for_credentials(void **state)
{
    struct slow_secret secret = {0};
    struct hm_http_pool_opts o = {.name = "t", .timeout_ms = LONG_MS, .authorize = slow, .authorize_arg = &secret};
    char *url = hm_xasprintf("http://127.0.0.1:%d/ok", rig->server.port);
    uv_timer_t timer;
    (void)state;
    struct hm_http_pool *pool = new_pool(&o);
    (void)send_to(pool, 0, "GET", url, NULL, 0);
    (void)send_to(pool, 1, "POST", url, "", 0);
    assert_int_equal(uv_timer_init(&rig->loop, &timer), 0);
    timer.data = &secret;
    assert_int_equal(uv_timer_start(&timer, tell_secret, 30, 0), 0);
    await(2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rig->ends[i].transport, HM_TRANSPORT_ANSWER);
        const char *want =
            hm_starts_with(rig->server.seen[i], "GET ") ? "Authorization: s3cret GET" : "Authorization: s3cret POST";
        assert_non_null(strstr(rig->server.seen[i], want));
    }
    assert_true(secret.asked >= 3);
    assert_true(secret.first_queued_at_ms > 0);
    free(url);
}

static void test_waiting_for_credentials_can_be_cancelled(void **state)
{
    struct slow_secret secret = {0};
    struct hm_http_pool_opts o = {.name = "t", .timeout_ms = LONG_MS, .authorize = slow, .authorize_arg = &secret};
    char *url = hm_xasprintf("http://127.0.0.1:%d/ok", rig->server.port);
    (void)state;
    struct hm_http_pool *pool = new_pool(&o);
    struct hm_http_call *call = send_to(pool, 0, "GET", url, NULL, 0);
    hm_http_cancel(call);
    await(1);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_NOT_SENT);
    assert_int_equal(rig->server.n_seen, 0);
    free(url);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_exact_bytes),
        TEST(test_failures),
        TEST(test_timeouts),
        TEST(test_not_sent),
        TEST(test_refused_requests),
        TEST(test_header_can_not_smuggle),
        TEST(test_answer_ceiling),
        TEST(test_connections_are_kept),
        TEST(test_a_write_never_leaves_twice),
        TEST(test_a_read_may_leave_twice),
        TEST(test_cancel),
        TEST(test_cancel_from_a_callback),
        TEST(test_queue_limit),
        TEST(test_rate),
        TEST(test_close_ends_everything),
        TEST(test_no_credentials_no_request),
        TEST(test_requests_wait_for_credentials),
        TEST(test_waiting_for_credentials_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
