/* The HTTP server over real loopback sockets: the uv loop turns in this thread, a client thread speaks raw HTTP at it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "io/http_server.h"
#include "io/lws_loop.h"

enum { MAX_BODY = 200 * 1000 };

struct fixture {
    uv_loop_t loop;
    uv_async_t done;
    uv_timer_t later;
    struct lws_context *ctx;
    struct hm_http_server *server[2];
    struct hm_http_exchange *kept;
    int n_requests, n_gone;
    void (*client)(struct fixture *f);
    int failures; /* written by the client thread, read after it has been joined */
};

/* cmocka's assertions may not be used outside the main thread. */
#define CHECK(f, condition)                                                                                                      \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            (f)->failures++;                                                                                                     \
            (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                      \
        }                                                                                                                        \
    } while (0)

/* --- the route under test ------------------------------------------------------------------------------------------------ */

static void on_later(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    if (f->kept != NULL)
        hm_http_reply(f->kept, 200, "text/plain", NULL, "late", 4);
    f->kept = NULL;
}

static void reply_text(struct hm_http_exchange *x, const char *text)
{
    hm_http_reply(x, 200, "text/plain", NULL, text, strlen(text));
}

static void on_request(void *arg, struct hm_http_exchange *x, const struct hm_http_seen *seen)
{
    struct fixture *f = arg;
    f->n_requests++;
    if (hm_streq(seen->path, "/late")) {
        f->kept = x;
        (void)uv_timer_start(&f->later, on_later, 50, 0);
    } else if (hm_streq(seen->path, "/keep")) {
        f->kept = x;
    } else if (hm_streq(seen->path, "/drop")) {
        hm_http_drop(x);
    } else if (hm_streq(seen->path, "/empty")) {
        hm_http_reply(x, 204, "text/plain", "X-Extra: yes\r\n", NULL, 0);
    } else if (hm_streq(seen->path, "/headers")) {
        reply_text(x, seen->headers);
    } else if (hm_streq(seen->path, "/big")) {
        char *big = hm_xmalloc(4000000);
        memset(big, 'b', 4000000);
        hm_http_reply(x, 200, "text/plain", NULL, big, 4000000);
        free(big);
    } else {
        char *text = hm_xasprintf("%s %s?%s type=%s auth=%s accept=%s host=%s body=%zu:%.40s", seen->method, seen->path,
                                  seen->query, seen->content_type, seen->authorization, seen->accept,
                                  seen->host[0] != '\0' ? "yes" : "no", seen->body_len, seen->body);
        reply_text(x, text);
        free(text);
    }
}

static void on_gone(void *arg, struct hm_http_exchange *x)
{
    struct fixture *f = arg;
    f->n_gone++;
    if (f->kept == x)
        f->kept = NULL;
}

static void on_request_second(void *arg, struct hm_http_exchange *x, const struct hm_http_seen *seen)
{
    (void)arg;
    (void)seen;
    reply_text(x, "second");
}

/* --- the loop around it -------------------------------------------------------------------------------------------------- */

static void on_done(uv_async_t *async)
{
    struct fixture *f = async->data;
    hm_http_server_free(f->server[0]);
    hm_http_server_free(f->server[1]);
    uv_close((uv_handle_t *)&f->done, NULL);
    uv_close((uv_handle_t *)&f->later, NULL);
    hm_lws_loop_close(f->ctx);
}

static void *client_main(void *arg)
{
    struct fixture *f = arg;
    f->client(f);
    (void)uv_async_send(&f->done);
    return NULL;
}

static struct fixture *play(void (*client)(struct fixture *f))
{
    static struct fixture f;
    struct hm_err err = {0};
    pthread_t thread;

    memset(&f, 0, sizeof(f));
    f.client = client;
    assert_int_equal(uv_loop_init(&f.loop), 0);
    f.done.data = f.later.data = &f;
    assert_int_equal(uv_async_init(&f.loop, &f.done, on_done), 0);
    assert_int_equal(uv_timer_init(&f.loop, &f.later), 0);
    f.ctx = hm_lws_loop_new(&f.loop, &err);
    assert_string_equal(err.msg, "");
    assert_non_null(f.ctx);
    static const char *const kept[] = {"x-strange-name", "date", "x-absent", "x-empty", NULL};
    struct hm_http_server_opts opts = {.listen = "127.0.0.1:0",
                                       .max_body = MAX_BODY,
                                       .on_request = on_request,
                                       .on_gone = on_gone,
                                       .arg = &f,
                                       .keep_headers = kept};
    f.server[0] = hm_http_server_new(f.ctx, &opts, &err);
    assert_string_equal(err.msg, "");
    opts.on_request = on_request_second;
    f.server[1] = hm_http_server_new(f.ctx, &opts, &err);
    assert_string_equal(err.msg, "");
    assert_int_not_equal(hm_http_server_port(f.server[0]), hm_http_server_port(f.server[1]));

    assert_int_equal(pthread_create(&thread, NULL, client_main, &f), 0);
    assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    hm_lws_loop_free(f.ctx);
    assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f.loop), 0);
    assert_int_equal(f.failures, 0);
    return &f;
}

/* --- a raw client -------------------------------------------------------------------------------------------------------- */

static int dial(struct fixture *f, int which)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)hm_http_server_port(f->server[which]))};
    struct timeval limit = {.tv_sec = 20};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(f, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(f, connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    return fd;
}

static void say(struct fixture *f, int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        CHECK(f, n > 0);
        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

static void says(struct fixture *f, int fd, const char *text)
{
    say(f, fd, text, strlen(text));
}

/* Reads until `end` has been seen at the end of what came, or the connection closes. The caller frees. */
static char *hear(int fd, const char *end)
{
    struct hm_strbuf got;
    char buf[65536];
    hm_strbuf_init(&got, 8000000);
    for (;;) {
        ssize_t n = recv(fd, buf, sizeof(buf), 0);
        if (n <= 0)
            break;
        hm_strbuf_add(&got, buf, (size_t)n);
        if (end != NULL && hm_ends_with(hm_strbuf_str(&got), end))
            break;
    }
    return hm_strbuf_take(&got);
}

static void expect(struct fixture *f, int fd, const char *request, const char *status, const char *end)
{
    says(f, fd, request);
    char *answer = hear(fd, end);
    if (!hm_starts_with(answer, status) || !hm_ends_with(answer, end)) {
        f->failures++;
        (void)fprintf(stderr, "asked: %s\nexpected: %s … %s\ngot: %s\n", request, status, end, answer);
    }
    free(answer);
}

/* --- tests --------------------------------------------------------------------------------------------------------------- */

static void client_keepalive(struct fixture *f)
{
    int fd = dial(f, 0);
    expect(f, fd, "GET /a/b%20c?x=1%262&y HTTP/1.1\r\nHost: h\r\nAccept: text/css\r\n\r\n", "HTTP/1.1 200 OK\r\n",
           "GET /a/b c?x=1%262&y type= auth= accept=text/css host=yes body=0:");
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nAuthorization: Bearer t\r\nContent-Length: 5\r\n\r\nhello",
           "HTTP/1.1 200", "POST /p? type=a/b auth=Bearer t accept= host=yes body=5:hello");
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200", "body=0:");
    expect(f, fd, "PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200", "body=0:");
    expect(f, fd, "DELETE /p HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy", "HTTP/1.1 200", "body=2:xy");
    expect(f, fd, "PATCH /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200", "body=1:x");
    expect(f, fd, "HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "\r\nContent-Length: 45\r\n\r\n");
    expect(f, fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 204 No Content\r\n", "X-Extra: yes\r\n\r\n");
    expect(f, fd, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "late");
    expect(f, fd, "POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200", "late");
    expect(f, fd, "GET /again HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "body=0:");
    char *rest = hear(fd, NULL);
    CHECK(f, rest[0] == '\0');
    free(rest);
    (void)close(fd);

    fd = dial(f, 1);
    expect(f, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "second");
    (void)close(fd);
}

/* One that lws does not know, one that it does; names in any case; the next request does not see them. */
static void client_headers(struct fixture *f)
{
    int fd = dial(f, 0);
    says(f, fd, "GET /headers HTTP/1.1\r\nHost: h\r\nX-Strange-Name: a: b\r\nDate: today\r\nX-Other: no\r\nX-Empty:\r\n\r\n");
    char *answers = hear(fd, "date: today\n");
    CHECK(f, strstr(answers, "x-strange-name: a: b\n") != NULL);
    CHECK(f, strstr(answers, "other") == NULL && strstr(answers, "absent") == NULL);
    free(answers);
    says(f, fd, "GET /headers HTTP/1.1\r\nHost: h\r\nX-Strange-Name: c\r\n\r\n");
    answers = hear(fd, "x-strange-name: c\n");
    CHECK(f, strstr(answers, "date: today") == NULL);
    free(answers);
    (void)close(fd);
}

static void test_headers(void **state)
{
    (void)state;
    (void)play(client_headers);
}

static void test_keepalive(void **state)
{
    (void)state;
    struct fixture *f = play(client_keepalive);
    assert_int_equal(f->n_requests, 11);
    assert_int_equal(f->n_gone, 0);
}

/* Requests sent before the one ahead of them is answered, some of them late: each gets its own answer, in order. */
static void client_pipeline(struct fixture *f)
{
    static const char *const order[] = {"late", "GET /1?", "late", "GET /2?"};
    int fd = dial(f, 0);
    says(f, fd,
         "GET /late HTTP/1.1\r\nHost: h\r\n\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /late HTTP/1.1\r\nHost: h\r\n\r\n"
         "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    char *answers = hear(fd, "GET /2? type= auth= accept= host=yes body=0:");
    const char *at = answers;
    for (size_t i = 0; i < HM_ARRAY_LEN(order); i++) {
        at = strstr(at, order[i]);
        CHECK(f, at != NULL);
        if (at == NULL)
            break;
    }
    free(answers);
    (void)close(fd);

    /* With a body among them lws would read it wrong, or go round in circles: the connection ends, the server lives. */
    static const char *const wrong[] = {
        "GET /late HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
        "GET /late HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 "
        "HTTP/1.1\r\n\r\n"};
    for (size_t i = 0; i < HM_ARRAY_LEN(wrong); i++) {
        fd = dial(f, 0);
        says(f, fd, wrong[i]);
        answers = hear(fd, NULL);
        CHECK(f, hm_ends_with(answers, "late"));
        free(answers);
        (void)close(fd);
    }
    fd = dial(f, 0);
    says(f, fd, "POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    answers = hear(fd, "body=0:");
    CHECK(f, strstr(answers, "late") != NULL);
    free(answers);
    (void)close(fd);
}

static void test_pipeline(void **state)
{
    (void)state;
    struct fixture *f = play(client_pipeline);
    assert_int_equal(f->n_requests, 8);
    assert_int_equal(f->n_gone, 0);
}

static void client_bodies(struct fixture *f)
{
    char *body = hm_xmalloc(MAX_BODY + 1);
    memset(body, 'a', MAX_BODY + 1);

    int fd = dial(f, 0);
    char *head = hm_xasprintf("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", MAX_BODY);
    says(f, fd, head);
    say(f, fd, body, MAX_BODY);
    char *answer = hear(fd, ":aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    CHECK(f, strstr(answer, "body=200000:aaa") != NULL);
    free(answer);
    free(head);

    /* One byte more: refused, and the connection goes on. */
    head = hm_xasprintf("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", MAX_BODY + 1);
    says(f, fd, head);
    say(f, fd, body, MAX_BODY + 1);
    answer = hear(fd, "too large.\n");
    CHECK(f, hm_starts_with(answer, "HTTP/1.1 413 "));
    free(answer);
    free(head);
    expect(f, fd, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "body=0:");
    (void)close(fd);

    /* Announced to be far too large: refused before it comes. */
    fd = dial(f, 0);
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n", "HTTP/1.1 413", "too large.\n");
    (void)close(fd);
    fd = dial(f, 0);
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n", "HTTP/1.1 400", "not a number.\n");
    (void)close(fd);
    fd = dial(f, 0);
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 411", "here.\n");
    (void)close(fd);
    /* No length: no body, and no second request on this connection. */
    fd = dial(f, 0);
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "body=0:");
    answer = hear(fd, NULL);
    CHECK(f, answer[0] == '\0');
    free(answer);
    (void)close(fd);
    /* curl asks first when the body is large. */
    fd = dial(f, 0);
    expect(f, fd, "POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 100 Continue\r\n\r\n", "\r\n\r\n");
    expect(f, fd, "ok", "HTTP/1.1 200", "body=2:ok");
    (void)close(fd);
    free(body);
}

static void test_bodies(void **state)
{
    (void)state;
    struct fixture *f = play(client_bodies);
    assert_int_equal(f->n_requests, 4);
    assert_int_equal(f->n_gone, 0);
}

static void client_ends(struct fixture *f)
{
    int fd = dial(f, 0);
    says(f, fd, "GET /drop HTTP/1.1\r\nHost: h\r\n\r\n");
    char *nothing = hear(fd, NULL);
    CHECK(f, nothing[0] == '\0');
    free(nothing);
    (void)close(fd);
    /* Never answered, and the client loses patience; once without, once with a body, once with more requests behind it. */
    static const char *const asks[] = {"GET /keep HTTP/1.1\r\nHost: h\r\n\r\n",
                                       "POST /keep HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
                                       "GET /keep HTTP/1.1\r\nHost: h\r\n\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n"};
    for (size_t i = 0; i < HM_ARRAY_LEN(asks); i++) {
        fd = dial(f, 0);
        says(f, fd, asks[i]);
        int other = dial(f, 0);
        expect(f, other, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "body=0:");
        (void)close(fd);
        expect(f, other, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "late");
        (void)close(other);
    }
    /* Garbage, and a websocket that nobody serves here: closed, no crash. */
    static const char *const garbage[] = {"\x16\x03\x01\x02 what\r\n\r\n", "FROB / HTTP/1.1\r\n\r\n",
                                          "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"};
    for (size_t i = 0; i < HM_ARRAY_LEN(garbage); i++) {
        fd = dial(f, 0);
        says(f, fd, garbage[i]);
        free(hear(fd, NULL));
        (void)close(fd);
    }
    /* Left open: the server is freed under it. */
    fd = dial(f, 0);
    says(f, fd, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
    int other = dial(f, 0);
    expect(f, other, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200", "body=0:");
}

static void test_ends(void **state)
{
    (void)state;
    struct fixture *f = play(client_ends);
    assert_int_equal(f->n_gone, 3);
}

static size_t count_bytes(char *data, size_t size, size_t n, void *arg)
{
    size_t *sum = arg;
    (void)data;
    *sum += size * n;
    return size * n;
}

/* An answer that fills every buffer on the way, then the connection used again. */
static void client_big(struct fixture *f)
{
    CURL *curl = curl_easy_init();
    char *url = hm_xasprintf("http://127.0.0.1:%d/big", hm_http_server_port(f->server[0]));
    size_t sum = 0;
    long connects = 0;
    CHECK(f, curl != NULL);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sum);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    for (int i = 0; i < 3; i++) {
        CHECK(f, curl_easy_perform(curl) == CURLE_OK);
        CHECK(f, curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK);
        CHECK(f, connects == (i == 0 ? 1 : 0));
    }
    CHECK(f, sum == 12000000);
    curl_easy_cleanup(curl);
    free(url);
}

static void test_big(void **state)
{
    (void)state;
    struct fixture *f = play(client_big);
    assert_int_equal(f->n_requests, 3);
}

static void test_bad_options(void **state)
{
    static const struct {
        const char *listen, *cert, *says;
    } table[] = {
        {"8787", NULL, "listen = \"8787\": it must be ADDRESS:PORT, such as 127.0.0.1:8787"},
        {"127.0.0.1:99999", NULL, "listen = \"127.0.0.1:99999\": it must be ADDRESS:PORT, such as 127.0.0.1:8787"},
        {"nowhere:80", NULL, "listen = \"nowhere:80\": \"nowhere\" is no IP address (write IPv6 in brackets)"},
        {"192.0.2.1:0", NULL, "listen on 192.0.2.1:0: Cannot assign requested address"},
        {"127.0.0.1:0", "/nonexistent.pem",
         "listen on 127.0.0.1:0: can not read /nonexistent.pem and /nonexistent.pem: No such file or directory"},
    };
    (void)state;
    uv_loop_t loop;
    struct hm_err err = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    struct lws_context *ctx = hm_lws_loop_new(&loop, &err);
    assert_non_null(ctx);
    struct hm_http_server_opts opts = {.on_request = on_request_second, .max_body = 10};
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        opts.listen = table[i].listen;
        opts.tls_cert = opts.tls_key = table[i].cert;
        assert_null(hm_http_server_new(ctx, &opts, &err));
        assert_string_equal(err.msg, table[i].says);
    }
    opts.tls_cert = opts.tls_key = NULL;
    opts.listen = "127.0.0.1:0";
    struct hm_http_server *first = hm_http_server_new(ctx, &opts, &err);
    assert_non_null(first);
    char *same = hm_xasprintf("127.0.0.1:%d", hm_http_server_port(first));
    opts.listen = same;
    assert_null(hm_http_server_new(ctx, &opts, &err));
    assert_true(hm_ends_with(err.msg, ": Address already in use"));
    free(same);
    hm_http_server_free(first);
    hm_lws_loop_close(ctx);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    hm_lws_loop_free(ctx);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),     cmocka_unit_test(test_keepalive), cmocka_unit_test(test_pipeline),
        cmocka_unit_test(test_bodies),      cmocka_unit_test(test_ends),      cmocka_unit_test(test_big),
        cmocka_unit_test(test_bad_options),
    };
    (void)curl_global_init(CURL_GLOBAL_ALL);
    int failed = cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
