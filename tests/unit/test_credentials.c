/* Backends and their credentials, by the door that the bot uses: what leaves, when a token is fetched, kept, renewed and dropped,
 * and that nothing leaves without. Time is the test's own. */
#include "app/backends.h"

#include <stdlib.h>
#include <string.h>

#include "app/auth.h"
#include "base/mem.h"
#include "base/text.h"
#include "raw_server.h"
#include "unit.h"

enum { MAX_ENDS = 64, START_MS = 1000000 };

struct end {
    bool done;
    enum hm_transport transport;
    int status;
    char problem[256];
};

struct rig {
    uv_loop_t loop;
    struct hm_clock clock;
    int64_t now_ms;
    struct raw_server server;
    struct hm_http_client *client;
    struct hm_processes *processes;
    struct hm_backends *backends;
    struct hm_backend backend;
    struct hm_settings settings;
    struct end ends[MAX_ENDS];
    unsigned n_ends, awaited;
    unsigned n_closed;
    /* the server's state */
    unsigned n_fetched; /* tokens given so far: "token-1", "token-2" … */
    unsigned refuse;    /* so many fetches answer 401 */
    unsigned revoked;   /* tokens up to this number are answered 401 */
    bool hold;          /* fetches wait in: */
    struct raw_conn *held;
    unsigned n_held;
};

static struct rig *rig;

/* ---- the clock ---------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void *arg)
{
    return ((struct rig *)arg)->now_ms;
}

/* ---- the server --------------------------------------------------------------------------------------------------------- */

static void send_json(struct raw_conn *conn, const char *status, const char *body)
{
    char *reply = hm_xasprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                               strlen(body), body);
    raw_send(conn, reply);
    free(reply);
}

static void send_token(struct raw_conn *conn)
{
    if (rig->refuse > 0) {
        rig->refuse--;
        send_json(conn, "401 Unauthorized", "{\"detail\":\"Invalid credentials\"}");
        return;
    }
    char *body = hm_xasprintf("{\"access_token\":\"token-%u\",\"expires_in\":1000}", ++rig->n_fetched);
    send_json(conn, "201 Created", body);
    free(body);
}

/* A registry's token is named after the repository it is for. */
static void send_registry_token(struct raw_conn *conn, const char *request)
{
    const char *scope = strstr(request, "scope=repository%3A");
    assert_non_null(scope);
    assert_non_null(strstr(request, "service=quay.example"));
    assert_non_null(strstr(request, "\r\nAuthorization: Basic YWlyZmxvdzpzM2NyZXQ=\r\n"));
    scope += strlen("scope=repository%3A");
    char *body = hm_xasprintf("{\"token\":\"for-%.*s\",\"expires_in\":300}", (int)strcspn(scope, "%"), scope);
    rig->n_fetched++;
    send_json(conn, "200 OK", body);
    free(body);
}

static void serve(struct raw_server *server, struct raw_conn *conn, unsigned nth, const char *request)
{
    (void)server;
    (void)nth;
    if (strstr(request, " /token ") != NULL && rig->hold) {
        rig->held = conn;
        rig->n_held++;
        uv_stop(&rig->loop);
        return;
    }
    if (strstr(request, " /token ") != NULL) {
        send_token(conn);
        return;
    }
    if (strstr(request, " /realm?") != NULL) {
        send_registry_token(conn, request);
        return;
    }
    const char *bearer = strstr(request, "Authorization: Bearer token-");
    uint32_t number = 0;
    if (bearer != NULL) {
        char *text = hm_xstrndup(bearer + 28, strcspn(bearer + 28, "\r"));
        assert_true(hm_parse_u32(text, 1000, &number));
        free(text);
    }
    if (bearer != NULL && number <= rig->revoked)
        send_json(conn, "401 Unauthorized", "{}");
    else
        send_json(conn, "200 OK", "{}");
}

static unsigned seen(const char *what)
{
    unsigned n = 0;
    for (unsigned i = 0; i < rig->server.n_seen; i++)
        n += strstr(rig->server.seen[i], what) != NULL;
    return n;
}

/* ---- rig ---------------------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct hm_err err = {0};
    rig = hm_xcalloc(1, sizeof *rig);
    *state = rig;
    rig->now_ms = START_MS;
    rig->clock = (struct hm_clock){.wall_ms = now_ms, .mono_ms = now_ms, .arg = rig};
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->server.on_request = serve;
    raw_server_start(&rig->server, &rig->loop);
    rig->client = hm_http_client_new(&rig->loop, &rig->clock, &err);
    rig->processes = hm_processes_new(&rig->loop, &rig->clock, 1);
    rig->backends = hm_backends_new(rig->client, rig->processes, &rig->clock);
    (void)setenv("HM_TEST_USER", "airflow", 1);
    (void)setenv("HM_TEST_PASSWORD", "s3cret", 1);
    return 0;
}

/* auth's strings are the caller's. */
static void use(struct hm_auth *auth)
{
    static char name[] = "airflow", handler[] = "metapod", dir[] = "/tmp";
    struct hm_err err = {0};
    rig->backend = (struct hm_backend){.name = name, .handler = handler, .auth = auth, .timeout_ms = 20000, .max_connections = 4};
    rig->settings =
        (struct hm_settings){.refs = 1000 /* never freed: ours */, .dir = dir, .backends = &rig->backend, .n_backends = 1};
    assert_int_equal(hm_backends_use(rig->backends, &rig->settings, &err), HM_OK);
}

static char *token_url(void)
{
    return hm_xasprintf("http://127.0.0.1:%d/token", rig->server.port);
}

static void on_done(void *arg, const struct hm_http_result *result)
{
    struct end *end = arg;
    assert_false(end->done);
    end->done = true;
    end->transport = result->answer.transport;
    end->status = result->answer.status;
    (void)snprintf(end->problem, sizeof end->problem, "%s", result->answer.problem);
    if (++rig->n_ends == rig->awaited)
        uv_stop(&rig->loop);
}

static void send_to(unsigned slot, const char *method, const char *path, bool read)
{
    struct hm_request req;
    hm_request_init(&req);
    req.method = hm_xstrdup(method);
    req.url = hm_xasprintf("http://127.0.0.1:%d%s", rig->server.port, path);
    if (strcmp(method, "POST") == 0)
        req.body = hm_xstrdup("");
    const struct hm_send send = {.read = read, .on_done = on_done, .arg = &rig->ends[slot]};
    hm_backends_send(rig->backends, &rig->backend, &req, &send);
    hm_request_done(&req);
}

static void send_it(unsigned slot, const char *method, bool read)
{
    send_to(slot, method, "/api", read);
}

static void await(unsigned n)
{
    rig->awaited = n;
    if (rig->n_ends < n)
        (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(rig->n_ends, n);
}

static void on_closed(void *arg)
{
    (void)arg;
    rig->n_closed++;
}

static int tear_down(void **state)
{
    (void)state;
    hm_http_client_close(rig->client, on_closed, NULL);
    hm_processes_close(rig->processes, on_closed, NULL);
    raw_server_stop(&rig->server);
    while (uv_run(&rig->loop, UV_RUN_DEFAULT) != 0) {
    }
    assert_int_equal(rig->n_closed, 2);
    hm_backends_free(rig->backends);
    hm_http_client_free(rig->client);
    hm_processes_free(rig->processes);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    raw_server_done(&rig->server);
    free(rig);
    rig = NULL;
    return 0;
}

/* ---- secrets that are there ---------------------------------------------------------------------------------------------- */

static void test_kinds_without_a_fetch(void **state)
{
    char secret[] = "env:HM_TEST_PASSWORD", user[] = "env:HM_TEST_USER", scheme[] = "GenieKey", region[] = "us-east-1",
         service[] = "ec2";
    struct {
        struct hm_auth auth;
        const char *want;
    } table[] = {
        {{.kind = HM_AUTH_BEARER, .secret = secret}, "\r\nAuthorization: Bearer s3cret\r\n"},
        {{.kind = HM_AUTH_BASIC, .secret = secret}, "\r\nAuthorization: Basic czNjcmV0\r\n"},
        {{.kind = HM_AUTH_SCHEME, .secret = secret, .scheme = scheme}, "\r\nAuthorization: GenieKey s3cret\r\n"},
        {{.kind = HM_AUTH_AWS, .secret = secret, .user = user, .region = region, .service = service},
         "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=airflow/19700101/us-east-1/ec2/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="},
        {{.kind = HM_AUTH_AWS, .secret = secret, .user = user, .session = user, .region = region, .service = service},
         "\r\nX-Amz-Security-Token: airflow\r\n"},
    };
    (void)state;
    for (unsigned i = 0; i < HM_ARRAY_LEN(table); i++) {
        use(&table[i].auth);
        send_it(i, "GET", true);
        await(i + 1);
        assert_int_equal(rig->ends[i].status, 200);
        assert_non_null(strstr(rig->server.seen[i], table[i].want));
        if (table[i].auth.kind == HM_AUTH_AWS) {
            assert_null(strstr(rig->server.seen[i], "s3cret"));
            assert_non_null(strstr(rig->server.seen[i], "\r\nX-Amz-Date: 19700101T001640Z\r\n"));
            const char *host = strstr(rig->server.seen[i], "\r\nHost: ");
            assert_non_null(host);
            assert_null(strstr(host + 1, "\r\nHost: ")); /* once, as it was signed */
        }
    }
}

static void test_a_secret_that_is_missing(void **state)
{
    char missing[] = "env:HM_TEST_NOT_THERE", there[] = "env:HM_TEST_USER", word[] = "x";
    struct hm_auth table[] = {
        {.kind = HM_AUTH_BEARER, .secret = missing},
        {.kind = HM_AUTH_AWS, .secret = missing, .user = there, .region = word, .service = word},
        {.kind = HM_AUTH_AWS, .secret = there, .user = missing, .region = word, .service = word},
        {.kind = HM_AUTH_AWS, .secret = there, .user = there, .session = missing, .region = word, .service = word},
    };
    (void)state;
    for (unsigned i = 0; i < HM_ARRAY_LEN(table); i++) {
        use(&table[i]);
        send_it(i, "POST", false);
        await(i + 1);
        assert_int_equal(rig->ends[i].transport, HM_TRANSPORT_NOT_SENT);
        assert_non_null(strstr(rig->ends[i].problem, "the credentials for airflow could not be read"));
    }
    assert_int_equal(rig->server.n_seen, 0);
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------- */

static char user_ref[] = "env:HM_TEST_USER", password_ref[] = "env:HM_TEST_PASSWORD";
static struct hm_auth login = {.kind = HM_AUTH_LOGIN, .user = user_ref, .secret = password_ref, .lifetime_ms = 3600000};

static void use_login(void)
{
    login.url = token_url();
    use(&login);
}

static int tear_down_login(void **state)
{
    int rc = tear_down(state);
    HM_FREE(login.url);
    return rc;
}

static void test_one_fetch_for_all(void **state)
{
    (void)state;
    use_login();
    rig->hold = true;
    for (unsigned i = 0; i < 6; i++)
        send_it(i, i % 2 == 0 ? "GET" : "POST", i % 2 == 0);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT); /* until the fetch has arrived */
    assert_int_equal(rig->n_held, 1);
    assert_int_equal(rig->server.n_seen, 1); /* and nothing else has */
    assert_non_null(strstr(rig->server.seen[0], "{\"password\":\"s3cret\",\"username\":\"airflow\"}"));
    rig->hold = false;
    send_token(rig->held);
    await(6);
    assert_int_equal(seen(" /token "), 1);
    assert_int_equal(seen("Authorization: Bearer token-1\r\n"), 6);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(rig->ends[i].status, 200);
    send_it(6, "GET", true); /* it is kept */
    await(7);
    assert_int_equal(seen(" /token "), 1);
}

static void test_renewed_before_it_ends(void **state)
{
    (void)state;
    use_login();
    send_it(0, "GET", true);
    await(1);
    rig->now_ms += INT64_C(799) * 1000; /* of 1000 s */
    send_it(1, "GET", true);
    await(2);
    assert_int_equal(seen(" /token "), 1);
    rig->now_ms += INT64_C(2) * 1000;
    rig->hold = true;
    send_it(2, "GET", true); /* leaves with the old one, while a new one is fetched */
    await(3);
    assert_int_equal(seen("Bearer token-1\r\n"), 3);
    if (rig->n_held == 0)
        (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    rig->hold = false;
    send_token(rig->held);
    while (rig->n_fetched < 2 || seen("Bearer token-2\r\n") == 0) {
        send_it(rig->n_ends, "GET", true);
        await(rig->n_ends + 1);
    }
    assert_int_equal(seen(" /token "), 2);
}

static void test_not_used_when_spent(void **state)
{
    (void)state;
    use_login();
    send_it(0, "GET", true);
    await(1);
    rig->now_ms += INT64_C(980) * 1000; /* 20 s are left: too few */
    send_it(1, "POST", false);
    await(2);
    assert_int_equal(seen("Bearer token-1\r\n"), 1);
    assert_int_equal(seen("Bearer token-2\r\n"), 1);
}

static void test_a_failed_fetch_refuses_those_that_wait(void **state)
{
    (void)state;
    use_login();
    rig->refuse = 1;
    for (unsigned i = 0; i < 3; i++)
        send_it(i, "POST", false);
    await(3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(rig->ends[i].transport, HM_TRANSPORT_NOT_SENT);
        assert_non_null(strstr(rig->ends[i].problem, "no access token for airflow: the token server answered HTTP 401: Invalid "
                                                     "credentials"));
    }
    assert_int_equal(seen(" /token "), 1);
    assert_int_equal(rig->server.n_seen, 1);
    rig->now_ms += 1;
    send_it(3, "GET", true); /* what comes later makes a new attempt */
    await(4);
    assert_int_equal(rig->ends[3].status, 200);
}

static void test_a_server_that_is_not_there(void **state)
{
    (void)state;
    use_login();
    free(login.url);
    login.url = hm_xstrdup("http://127.0.0.1:1/token");
    send_it(0, "GET", true);
    await(1);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_NOT_SENT);
    assert_non_null(strstr(rig->ends[0].problem, "no access token for airflow: connection refused by 127.0.0.1:1"));
}

static void test_a_refused_token_is_dropped(void **state)
{
    (void)state;
    use_login();
    send_it(0, "GET", true);
    await(1);
    rig->now_ms += 1000;
    rig->revoked = 1;
    send_it(1, "GET", true); /* a read leaves again, with a new one */
    await(2);
    assert_int_equal(rig->ends[1].status, 200);
    assert_int_equal(seen("Bearer token-1\r\n"), 2);
    assert_int_equal(seen("Bearer token-2\r\n"), 1);
    rig->now_ms += 1000;
    rig->revoked = 2;
    send_it(2, "POST", false); /* a write does not … */
    await(3);
    assert_int_equal(rig->ends[2].status, 401);
    assert_int_equal(seen("POST /api"), 1);
    send_it(3, "POST", false); /* … but the next one has the new token */
    await(4);
    assert_int_equal(rig->ends[3].status, 200);
    assert_int_equal(rig->n_fetched, 3);
}

static void test_a_read_leaves_again_only_once(void **state)
{
    (void)state;
    use_login();
    rig->revoked = 1000;
    send_it(0, "GET", true);
    await(1);
    assert_int_equal(rig->ends[0].status, 401);
    assert_int_equal(seen("GET /api"), 2);
    assert_int_equal(rig->n_fetched, 2);
}

static void test_close_while_fetching(void **state)
{
    (void)state;
    use_login();
    rig->hold = true;
    send_it(0, "GET", true);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(rig->n_held, 1); /* tear_down() closes now, and finds neither leak nor a request that has not ended */
    rig->awaited = 1;
}

static int tear_down_ended(void **state)
{
    struct rig *before = rig;
    struct end *end = &before->ends[0];
    hm_http_client_close(rig->client, on_closed, NULL);
    while (!end->done)
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    assert_int_equal(end->transport, HM_TRANSPORT_NOT_SENT);
    hm_processes_close(rig->processes, on_closed, NULL);
    raw_server_stop(&rig->server);
    while (uv_run(&rig->loop, UV_RUN_DEFAULT) != 0) {
    }
    hm_backends_free(rig->backends);
    hm_http_client_free(rig->client);
    hm_processes_free(rig->processes);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    raw_server_done(&rig->server);
    free(rig);
    rig = NULL;
    HM_FREE(login.url);
    (void)state;
    return 0;
}

static void test_a_reload_while_waiting(void **state)
{
    (void)state;
    use_login();
    rig->hold = true;
    send_it(0, "GET", true);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    static struct hm_backend again; /* the pool keeps them to the end */
    static struct hm_settings newer;
    again = rig->backend;
    newer = rig->settings;
    newer.refs = 1000;
    newer.backends = &again;
    assert_int_equal(hm_backends_use(rig->backends, &newer, NULL), HM_OK);
    rig->hold = false;
    send_token(rig->held);
    await(1); /* what waited for the old settings' token gets it */
    assert_int_equal(rig->ends[0].status, 200);
}

static void test_a_token_for_each_repository(void **state)
{
    static char user[] = "env:HM_TEST_USER", password[] = "env:HM_TEST_PASSWORD", service[] = "quay.example", url[64];
    static struct hm_auth registry = {.kind = HM_AUTH_REGISTRY, .user = user, .secret = password, .service = service, .url = url};
    (void)state;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/realm", rig->server.port);
    use(&registry);
    send_to(0, "GET", "/v2/itaipu/tags/list", true);
    send_to(1, "GET", "/v2/metapod/tags/list", true);
    send_to(2, "GET", "/v2/itaipu/manifests/abc", true);
    await(3);
    assert_int_equal(rig->n_fetched, 2);
    assert_int_equal(seen("Bearer for-itaipu\r\n"), 2);
    assert_int_equal(seen("Bearer for-metapod\r\n"), 1);
    /* More repositories than tokens are kept for: the one used longest ago goes. */
    for (unsigned i = 0; i < 32; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/v2/r%u/tags/list", i);
        rig->now_ms += 10;
        send_to(3 + i, "GET", path, true);
        await(4 + i);
        assert_int_equal(rig->ends[3 + i].status, 200);
    }
    assert_int_equal(rig->n_fetched, 34);
    send_to(35, "GET", "/v2/r31/tags/list", true);
    await(36);
    assert_int_equal(rig->n_fetched, 34);
    send_to(36, "GET", "/v2/itaipu/tags/list", true);
    await(37);
    assert_int_equal(rig->n_fetched, 35);
}

#define TEST(f)       cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define LOGIN_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down_login)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_kinds_without_a_fetch),
        TEST(test_a_token_for_each_repository),
        TEST(test_a_secret_that_is_missing),
        LOGIN_TEST(test_one_fetch_for_all),
        LOGIN_TEST(test_renewed_before_it_ends),
        LOGIN_TEST(test_not_used_when_spent),
        LOGIN_TEST(test_a_failed_fetch_refuses_those_that_wait),
        LOGIN_TEST(test_a_server_that_is_not_there),
        LOGIN_TEST(test_a_refused_token_is_dropped),
        LOGIN_TEST(test_a_read_leaves_again_only_once),
        LOGIN_TEST(test_a_reload_while_waiting),
        cmocka_unit_test_setup_teardown(test_close_while_fetching, set_up, tear_down_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
