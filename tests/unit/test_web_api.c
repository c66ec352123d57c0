/* Web API calls against a raw server that plays Slack, with a clock that only the test moves. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "raw_server.h"
#include "slack/web_api.h"

enum { MAX_ENDS = 64, MAX_SCRIPT = 32 };

struct end {
    enum hm_code code;
    char error[64];
    char sentence[256];
    char ts[32];
    bool fatal;
    int64_t retry_after_ms;
    unsigned at; /* place in the order of ends, from 1; 0 = not ended */
};

struct rig {
    uv_loop_t loop;
    struct raw_server server;
    struct hm_http_client *http;
    struct hm_web_api *api;
    struct end ends[MAX_ENDS];
    unsigned n_ends;
    bool closed;
    const char *script[MAX_SCRIPT]; /* answers to come, in order; NULL = ok */
    unsigned at;
};

static struct rig *rig;
static int64_t now_ms;

static int64_t fake_time(void *arg)
{
    (void)arg;
    return now_ms;
}

static void fake_random(void *arg, void *buf, size_t n)
{
    (void)arg;
    memset(buf, 0, n); /* no jitter: half of the back-off */
}

static const struct hm_clock fake_clock = {.wall_ms = fake_time, .mono_ms = fake_time, .random_bytes = fake_random};

/* A line of the script: "close", a whole raw answer, or the body of a 200. */
static void serve(struct raw_server *server, struct raw_conn *conn, unsigned nth, const char *request)
{
    const char *reply =
        rig->at < MAX_SCRIPT && rig->script[rig->at] != NULL ? rig->script[rig->at] : "{\"ok\":true,\"ts\":\"1700.000100\"}";
    (void)server;
    (void)nth;
    (void)request;
    rig->at++;
    if (strcmp(reply, "close") == 0) {
        raw_close(conn);
    } else if (hm_starts_with(reply, "HTTP/")) {
        raw_send(conn, reply);
    } else {
        char *whole = hm_xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(reply), reply);
        raw_send(conn, whole);
        free(whole);
    }
}

static void on_done(void *arg, const struct hm_web_answer *a)
{
    struct end *e = arg;
    assert_int_equal(e->at, 0); /* exactly once */
    e->at = ++rig->n_ends;
    e->code = a->code;
    e->fatal = a->fatal;
    e->retry_after_ms = a->retry_after_ms;
    (void)snprintf(e->error, sizeof(e->error), "%s", a->error);
    (void)snprintf(e->sentence, sizeof(e->sentence), "%.250s", a->sentence);
    (void)snprintf(e->ts, sizeof(e->ts), "%.30s", hm_json_get_str(a->body, "ts", ""));
    uv_stop(&rig->loop); /* or uv_run() would wait for the next event after this one */
}

static void call(unsigned slot, const char *method, const char *args)
{
    json_t *json = hm_json_parse_new(args, strlen(args), 10000, NULL);
    assert_non_null(json);
    unsigned ended = rig->n_ends;
    hm_web_call(rig->api, method, HM_WEB_BOT, json, on_done, &rig->ends[slot]);
    assert_int_equal(rig->n_ends, ended); /* never inside the call */
}

static void spin(void)
{
    for (int i = 0; i < 60; i++)
        (void)uv_run(&rig->loop, UV_RUN_NOWAIT);
}

static void await(unsigned n)
{
    while (rig->n_ends < n)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    assert_int_equal(rig->n_ends, n);
}

/* Runs until the server has seen n requests. */
static void await_seen(unsigned n)
{
    while (rig->server.n_seen < n)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    spin();
    assert_int_equal(rig->server.n_seen, n);
}

/* Moves the clock and makes the API look at it: a new, harmless call wakes it up. */
static void advance(int64_t ms)
{
    now_ms += ms;
    hm_web_call(rig->api, "chat.update", HM_WEB_BOT, hm_json_obj_new(), NULL, NULL);
    spin();
}

static int set_up(void **state)
{
    struct hm_err err = {0};
    rig = hm_xcalloc(1, sizeof(*rig));
    *state = rig;
    now_ms = 1000000;
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->server.on_request = serve;
    raw_server_start(&rig->server, &rig->loop);
    rig->http = hm_http_client_new(&rig->loop, &fake_clock, &err);
    assert_non_null(rig->http);
    char *url = hm_xasprintf("http://127.0.0.1:%d/api/", rig->server.port);
    struct hm_web_api_opts o = {.loop = &rig->loop,
                                .http = rig->http,
                                .clock = &fake_clock,
                                .base_url = url,
                                .bot_token = "xoxb-bot",
                                .app_token = "xapp-app"};
    rig->api = hm_web_api_new(&o, &err);
    assert_non_null(rig->api);
    free(url);
    return 0;
}

static void on_closed(void *arg)
{
    (void)arg;
    rig->closed = true;
}

static int tear_down(void **state)
{
    (void)state;
    hm_http_client_close(rig->http, on_closed, NULL);
    while (!rig->closed)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    hm_http_client_free(rig->http);
    hm_web_api_free(rig->api);
    raw_server_stop(&rig->server);
    while (uv_run(&rig->loop, UV_RUN_DEFAULT) != 0) {
    }
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    raw_server_done(&rig->server);
    free(rig);
    rig = NULL;
    return 0;
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void test_what_is_sent(void **state)
{
    (void)state;
    call(0, "chat.postMessage", "{\"text\":\"a\",\"channel\":\"C1\"}");
    await(1);
    assert_int_equal(rig->ends[0].code, HM_OK);
    assert_string_equal(rig->ends[0].ts, "1700.000100");
    assert_true(hm_starts_with(rig->server.seen[0], "POST /api/chat.postMessage HTTP/1.1\r\n"));
    assert_non_null(strstr(rig->server.seen[0], "\r\nAuthorization: Bearer xoxb-bot\r\n"));
    assert_non_null(strstr(rig->server.seen[0], "\r\nContent-Type: application/json; charset=utf-8\r\n"));
    assert_true(hm_ends_with(rig->server.seen[0], "\r\n\r\n{\"channel\":\"C1\",\"text\":\"a\"}"));

    /* a reading method does not look into JSON bodies */
    call(1, "conversations.replies", "{\"channel\":\"C1\",\"ts\":\"1.2\",\"limit\":15,\"include_all_metadata\":true,\"x\":null}");
    await(2);
    assert_non_null(strstr(rig->server.seen[1], "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(rig->server.seen[1], "channel=C1"));
    assert_non_null(strstr(rig->server.seen[1], "limit=15"));
    assert_non_null(strstr(rig->server.seen[1], "include_all_metadata=true"));
    assert_null(strstr(rig->server.seen[1], "x="));

    hm_web_call(rig->api, "apps.connections.open", HM_WEB_APP, hm_json_obj_new(), on_done, &rig->ends[2]);
    await(3);
    assert_non_null(strstr(rig->server.seen[2], "\r\nAuthorization: Bearer xapp-app\r\n"));
    assert_true(hm_ends_with(rig->server.seen[2], "\r\nContent-Length: 0\r\n\r\n"));
}

#define TOO_MANY   "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n"
#define BROKEN_503 "HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n"

/* A 429 holds its own method, for as long as it says, and loses nothing. */
static void test_retry_after(void **state)
{
    (void)state;
    rig->script[0] = TOO_MANY;
    call(0, "chat.postMessage", "{\"channel\":\"C1\",\"text\":\"1\"}");
    await_seen(1);
    call(1, "chat.postMessage", "{\"channel\":\"C2\",\"text\":\"2\"}");
    call(2, "users.info", "{\"user\":\"U1\"}"); /* another method goes on */
    await_seen(2);
    assert_int_equal(rig->n_ends, 1);
    assert_int_not_equal(rig->ends[2].at, 0);
    advance(9000);
    await_seen(3); /* only the waker's own chat.update */
    advance(2000);
    await(3);
    assert_int_equal(rig->ends[0].code, HM_OK);
    assert_int_equal(rig->ends[1].code, HM_OK);
}

static void test_dial_is_told(void **state)
{
    (void)state;
    rig->script[0] = TOO_MANY;
    call(0, "apps.connections.open", "{}");
    await(1);
    assert_int_equal(rig->ends[0].code, HM_EIO);
    assert_int_equal(rig->ends[0].retry_after_ms, 10000);
    assert_string_equal(rig->ends[0].error, "ratelimited");
}

/* 200 at once: three, then one per second and channel; and no channel waits for another. */
static void test_channel_pace(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        call(i, "chat.postMessage", "{\"channel\":\"C1\",\"text\":\"x\"}");
    call(8, "chat.postMessage", "{\"channel\":\"C2\",\"text\":\"y\"}");
    await(4);
    spin();
    assert_int_equal(rig->n_ends, 4);
    assert_int_not_equal(rig->ends[8].at, 0);
    for (unsigned i = 3; i < 8; i++) {
        assert_int_equal(rig->ends[i].at, 0);
        advance(999);
        assert_int_equal(rig->ends[i].at, 0);
        advance(1);
        while (rig->ends[i].at == 0)
            (void)uv_run(&rig->loop, UV_RUN_ONCE);
        if (i > 3)
            assert_true(rig->ends[i].at > rig->ends[i - 1].at); /* in order */
    }
}

static void test_post_of_unknown_outcome(void **state)
{
    static const char *const replies[] = {BROKEN_503, "close", "<html>", "{\"ok\":false,\"error\":\"internal_error\"}"};
    (void)state;
    for (unsigned i = 0; i < HM_ARRAY_LEN(replies); i++) {
        rig->script[i] = replies[i];
        now_ms += 60000;
        call(i, "chat.postMessage", "{\"channel\":\"C1\",\"text\":\"x\"}");
        await(i + 1);
        assert_int_equal(rig->ends[i].code, HM_EUNKNOWN);
        assert_true(rig->ends[i].sentence[0] != '\0');
    }
    advance(60000);
    assert_int_equal(rig->server.n_seen, HM_ARRAY_LEN(replies) + 1); /* none was sent again */
}

static void test_update_is_repeated(void **state)
{
    (void)state;
    rig->script[0] = BROKEN_503;
    rig->script[1] = "close";
    call(0, "chat.update", "{\"channel\":\"C1\",\"ts\":\"1.2\",\"text\":\"x\"}");
    await_seen(1);
    assert_int_equal(rig->n_ends, 0);
    now_ms += 999;
    call(1, "users.info", "{}");
    await_seen(2); /* that is users.info, which met "close" and waits too */
    rig->script[2] = NULL;
    now_ms += 1;
    call(2, "users.info", "{}");
    await(2);
    assert_int_equal(rig->ends[0].code, HM_OK);
}

static void test_gives_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        rig->script[i] = BROKEN_503;
    call(0, "chat.update", "{}");
    for (int i = 0; i < 20 && rig->n_ends == 0; i++) {
        spin();
        now_ms += 20000;
        call((unsigned)i + 1, "apps.connections.open", "{}"); /* wakes the queue */
        await(rig->n_ends + 1);
    }
    for (int i = 0; i < 20 && rig->ends[0].at == 0; i++) {
        now_ms += 60000;
        hm_web_call(rig->api, "apps.connections.open", HM_WEB_BOT, hm_json_obj_new(), NULL, NULL);
        spin();
    }
    assert_int_not_equal(rig->ends[0].at, 0);
    assert_int_equal(rig->ends[0].code, HM_EIO); /* repeating it would do no harm: certainly not "unknown" */
    unsigned updates = 0;
    for (unsigned i = 0; i < rig->server.n_seen; i++)
        updates += strstr(rig->server.seen[i], "/chat.update ") != NULL;
    assert_int_equal(updates, 5);
}

/* A trigger_id lives three seconds: later it is better to say so than to try. */
static void test_view_too_late(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 21; i++)
        call(i, "views.open", "{\"trigger_id\":\"t\",\"view\":{}}");
    await(20);
    spin();
    assert_int_equal(rig->n_ends, 20); /* the burst of its tier */
    now_ms += 2501;
    advance(0);
    await(21);
    assert_int_equal(rig->ends[20].code, HM_EIO);
    assert_non_null(strstr(rig->ends[20].sentence, "too long"));
    assert_int_equal(rig->server.n_seen, 21); /* with the waker's own */
}

static void test_refusals(void **state)
{
    (void)state;
    rig->script[0] = "{\"ok\":false,\"error\":\"not_in_channel\"}";
    rig->script[1] = "{\"ok\":false,\"error\":\"token_revoked\"}";
    call(0, "chat.postMessage", "{\"channel\":\"C1\"}");
    await(1);
    assert_int_equal(rig->ends[0].code, HM_EPERM);
    assert_string_equal(rig->ends[0].error, "not_in_channel");
    assert_false(rig->ends[0].fatal);
    call(1, "chat.update", "{}");
    await(2);
    assert_string_equal(rig->ends[1].error, "token_revoked");
    assert_true(rig->ends[1].fatal);
}

static void test_response_url(void **state)
{
    static const char *const bad[] = {"https://example.com/", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.org/",
                                      "https://hooks.slack.com:443@evil.org/", "http://127.0.0.1.evil.org/"};
    char *url = hm_xasprintf("http://127.0.0.1:%d/actions/T1/2/abc", rig->server.port);
    (void)state;
    rig->script[0] = "ok";
    hm_web_respond(rig->api, url, hm_json_obj_new(), on_done, &rig->ends[0]);
    await(1);
    assert_int_equal(rig->ends[0].code, HM_OK);
    assert_true(hm_starts_with(rig->server.seen[0], "POST /actions/T1/2/abc HTTP/1.1\r\n"));
    assert_null(strstr(rig->server.seen[0], "Authorization"));
    for (unsigned i = 0; i < HM_ARRAY_LEN(bad); i++)
        hm_web_respond(rig->api, bad[i], hm_json_obj_new(), on_done, &rig->ends[i + 1]);
    await(1 + HM_ARRAY_LEN(bad));
    for (unsigned i = 1; i <= HM_ARRAY_LEN(bad); i++)
        assert_int_equal(rig->ends[i].code, HM_EIO);
    assert_string_equal(rig->ends[1].sentence, "the address to answer to is not Slack's");
    assert_int_equal(rig->server.n_seen, 1);
    free(url);
}

/* One method has 5,000 waiting: the next is told so at once, although all before it have to wait. */
static void test_too_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        hm_web_call(rig->api, "views.publish", HM_WEB_BOT, hm_json_obj_new(), NULL, NULL);
    call(0, "views.publish", "{}");
    call(1, "views.publish", "{}");
    await(2);
    assert_int_equal(rig->ends[0].code, HM_EIO);
    assert_string_equal(rig->ends[0].sentence, "too many calls of Slack's views.publish are waiting");
    assert_true(rig->ends[0].at < rig->ends[1].at);
    assert_true(hm_web_pending(rig->api) > 4900);
}

static void test_url_is_checked(void **state)
{
    static const char *const bad[] = {"http://slack.com/api/", "ftp://127.0.0.1/", "", "https://a:b@slack.com/api/"};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(bad); i++) {
        struct hm_web_api_opts o = {.loop = &rig->loop, .http = rig->http, .clock = &fake_clock, .base_url = bad[i]};
        struct hm_err err = {0};
        assert_null(hm_web_api_new(&o, &err));
        assert_true(hm_starts_with(err.msg, "slack.api_url: "));
    }
}

static void test_pending_end_at_free(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        call(i, "chat.postMessage", "{\"channel\":\"C1\",\"text\":\"x\"}");
    assert_int_equal(hm_web_pending(rig->api), 9);
    await(3);
    assert_int_equal(hm_web_pending(rig->api), 6);
    (void)tear_down(state);
    (void)set_up(state); /* for tear_down to have something */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_sent),
        TEST(test_retry_after),
        TEST(test_dial_is_told),
        TEST(test_channel_pace),
        TEST(test_post_of_unknown_outcome),
        TEST(test_update_is_repeated),
        TEST(test_gives_up),
        TEST(test_view_too_late),
        TEST(test_refusals),
        TEST(test_response_url),
        TEST(test_too_many),
        TEST(test_url_is_checked),
        TEST(test_pending_end_at_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
