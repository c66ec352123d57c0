/* What all handlers share: requests and their digests, encoding, the table, and the meaning of HTTP statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/handler.h"
#include "handlers/http_answer.h"

static void test_words(void **state)
{
    enum hm_effect effect = HM_EFFECT_READ;
    (void)state;
    for (int i = 0; i < HM_EFFECT_NR; i++) {
        assert_true(hm_effect_parse(hm_effect_name((enum hm_effect)i), &effect));
        assert_int_equal(effect, i);
    }
    assert_false(hm_effect_parse("ONCE", &effect));
    assert_false(hm_effect_parse("", &effect));
    assert_string_equal(hm_verdict_name(HM_VERDICT_MAYBE), "maybe");
    assert_string_equal(hm_verdict_name(HM_VERDICT_NOT_FOUND), "not-found");
}

static void test_url_encode(void **state)
{
    static const char *const table[][2] = {
        {"", ""},
        {"AZaz09-._~", "AZaz09-._~"},
        {"a/b?c=d&e#f g+h%", "a%2Fb%3Fc%3Dd%26e%23f%20g%2Bh%25"},
        {"é\n\x7f", "%C3%A9%0A%7F"},
        {"../..", "..%2F.."},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        char *encoded = hm_url_encode(table[i][0]);
        assert_string_equal(encoded, table[i][1]);
        free(encoded);
    }
}

/* Builds a request from a short text, one letter per part: what differs must differ in the digest. */
static void build(struct hm_request *req, const char *method, const char *url, const char *header, const char *value,
                  const char *body)
{
    hm_request_init(req);
    req->method = hm_xstrdup(method);
    req->url = hm_xstrdup(url);
    if (header != NULL)
        hm_request_add_header(req, header, value);
    req->body = hm_xstrdup_null(body);
    req->body_len = body != NULL ? strlen(body) : 0;
}

static void test_digest(void **state)
{
    static const char *const table[][5] = {
        {"POST", "http://a/b", NULL, NULL, NULL}, {"POST", "http://a/b", NULL, NULL, ""},
        {"POST", "http://a/b", NULL, NULL, "x"},  {"PUT", "http://a/b", NULL, NULL, NULL},
        {"POST", "http://a/c", NULL, NULL, NULL}, {"POST", "http://a/b", "A", "B", NULL},
        {"POST", "http://a/b", "AB", "", NULL},   {"POST", "http://a/b", "A", "B", "body"},
        {"POST", "http://a/bA", "B", "", NULL},   {"POSThttp", "://a/b", NULL, NULL, NULL},
    };
    char digest[HM_ARRAY_LEN(table)][65], again[65];
    struct hm_request req;
    (void)state;

    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        build(&req, table[i][0], table[i][1], table[i][2], table[i][3], table[i][4]);
        hm_request_digest(&req, digest[i]);
        hm_request_digest(&req, again);
        assert_string_equal(digest[i], again);
        hm_request_done(&req);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(digest[i], digest[k]);
    }
    hm_request_init(&req);
    req.kind = HM_REQUEST_ARGV;
    req.argv = hm_xcalloc(3, sizeof(*req.argv));
    req.argv[0] = hm_xstrdup("POST");
    req.argv[1] = hm_xstrdup("http://a/b");
    hm_request_digest(&req, again);
    for (size_t k = 0; k < HM_ARRAY_LEN(table); k++)
        assert_string_not_equal(again, digest[k]);
    hm_request_done(&req);
}

static void test_json(void **state)
{
    struct hm_request req;
    (void)state;
    build(&req, "POST", "http://a/b", "Accept", "x/y", "");
    json_t *json = hm_request_json_new(&req);
    char *text = hm_json_text(json);
    assert_string_equal(
        text, "{\"body\":\"\",\"headers\":{\"Accept\":\"x/y\"},\"kind\":\"http\",\"method\":\"POST\",\"url\":\"http://a/b\"}");
    free(text);
    json_decref(json);
    hm_request_done(&req);

    hm_request_init(&req);
    req.kind = HM_REQUEST_ARGV;
    req.argv = hm_xcalloc(3, sizeof(*req.argv));
    req.argv[0] = hm_xstrdup("nu");
    req.argv[1] = hm_xstrdup("a b");
    json = hm_request_json_new(&req);
    text = hm_json_text(json);
    assert_string_equal(text, "{\"argv\":[\"nu\",\"a b\"],\"kind\":\"argv\"}");
    free(text);
    json_decref(json);
    hm_request_done(&req);
    hm_request_done(&req); /* twice does no harm */
}

/* Every action of every handler is whole. */
static void test_table(void **state)
{
    (void)state;
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++) {
        assert_ptr_equal(hm_handler_find((*handler)->name), *handler);
        assert_non_null((*handler)->settings);
        for (const struct hm_action *const *action = (*handler)->actions; *action != NULL; action++) {
            const struct hm_action *a = *action;
            size_t len = strlen((*handler)->name);
            assert_ptr_equal(hm_action_find(a->name), a);
            assert_true(strncmp(a->name, (*handler)->name, len) == 0 && a->name[len] == '.');
            assert_true(a->title[0] != '\0' && (a->doc == NULL || a->doc[0] != '\0') && a->effect < HM_EFFECT_NR);
            assert_true(a->request != NULL && a->response != NULL && a->args != NULL);
            for (const struct hm_arg_spec *arg = a->args; arg != NULL && arg->name != NULL; arg++)
                assert_true(arg->help != NULL && arg->type < HM_ARG_NR);
            assert_true((a->probe_action == NULL) == (a->probe_args == NULL) &&
                        (a->probe_args == NULL) == (a->probe_judge == NULL));
            if (a->probe_action == NULL)
                continue;
            const struct hm_action *probe = hm_action_find(a->probe_action);
            assert_true(probe != NULL && probe->effect == HM_EFFECT_READ);
        }
    }
    assert_null(hm_action_find("metapod"));
    assert_null(hm_action_find("metapod.nothing"));
    assert_null(hm_handler_find(""));
}

/* One row per status: what it means for a read and for a write, and what the person reads about the write. */
static void test_statuses(void **state)
{
    static const struct {
        int status;
        const char *body, *type;
        enum hm_verdict read, write;
        const char *says;
    } table[] = {
        {200, "", "", HM_VERDICT_OK, HM_VERDICT_OK, ""},
        {204, "", "", HM_VERDICT_OK, HM_VERDICT_OK, ""},
        {200, "<!DOCTYPE html><p>", "text/plain", HM_VERDICT_PERMANENT, HM_VERDICT_MAYBE,
         "a web page answered instead of Metapod (HTTP 200): a proxy or a sign-in page may stand between; it may have happened "
         "or not: check "
         "`url` and `auth` of backend m"},
        {302, "", "", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT,
         "Metapod sent the bot elsewhere (HTTP 302, https://x/); redirects are not followed, nothing was done: check `url` of "
         "backend m"},
        {400, "bad  \n id\x01", "text/plain", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT, "Metapod refused (HTTP 400): bad id�"},
        {400, "{\"message\":\"no such migration\"}", "application/json", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT,
         "Metapod refused (HTTP 400): no such migration"},
        {401, "", "", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT,
         "Metapod refused the bot's credentials (HTTP 401): check `auth` of backend m"},
        {403, "{\"message\":\"scope\"}", "application/json", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT,
         "Metapod does not allow this to the bot (HTTP 403): scope: check the rights behind `auth` of backend m"},
        {404, "", "", HM_VERDICT_NOT_FOUND, HM_VERDICT_NOT_FOUND, "Metapod knows no dataset x (HTTP 404); nothing was done"},
        {405, "", "", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT, "Metapod refused (HTTP 405)"},
        {408, "", "", HM_VERDICT_RETRYABLE, HM_VERDICT_RETRYABLE,
         "Metapod gave up waiting for the request (HTTP 408); nothing was done"},
        {409, "{}", "application/json", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT, "Metapod refused (HTTP 409)"},
        {429, "", "", HM_VERDICT_RETRYABLE, HM_VERDICT_RETRYABLE, "Metapod wants fewer requests (HTTP 429); nothing was done"},
        {500, "NullPointerException", "text/plain", HM_VERDICT_RETRYABLE, HM_VERDICT_MAYBE,
         "Metapod failed (HTTP 500): NullPointerException; it may have happened or not"},
        {501, "", "", HM_VERDICT_PERMANENT, HM_VERDICT_PERMANENT, "Metapod can not do this (HTTP 501)"},
        {502, "<html>Bad Gateway</html>", "text/html", HM_VERDICT_RETRYABLE, HM_VERDICT_MAYBE,
         "Metapod failed (HTTP 502); it may have happened or not"},
        {503, "", "", HM_VERDICT_RETRYABLE, HM_VERDICT_MAYBE, "Metapod failed (HTTP 503); it may have happened or not"},
        {504, "", "", HM_VERDICT_RETRYABLE, HM_VERDICT_MAYBE, "Metapod failed (HTTP 504); it may have happened or not"},
        {101, "", "", HM_VERDICT_RETRYABLE, HM_VERDICT_MAYBE, "Metapod failed (HTTP 101); it may have happened or not"},
    };
    char name[] = "m";
    struct hm_backend backend = {.name = name};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        const struct hm_answer answer = {.status = table[i].status,
                                         .body = table[i].body,
                                         .body_len = strlen(table[i].body),
                                         .errors = "",
                                         .content_type = table[i].type,
                                         .location = table[i].status == 302 ? "https://x/" : "",
                                         .retry_after_s = 3,
                                         .problem = ""};
        struct hm_http_asked asked = {.backend = &backend, .system = "Metapod", .thing = "dataset x"};
        struct hm_outcome out;
        memset(&out, 0, sizeof(out));
        assert_int_equal(hm_http_judge(&asked, &answer, &out), table[i].read);
        memset(&out, 0, sizeof(out));
        asked.write = true;
        assert_int_equal(hm_http_judge(&asked, &answer, &out), table[i].write);
        assert_string_equal(out.err.msg, table[i].says);
        bool waits = table[i].status == 429 || (table[i].write == HM_VERDICT_MAYBE && table[i].status != 200);
        assert_int_equal(out.wait_ms, waits ? 3000 : 0);
    }
    /* Without a thing to be found a 404 is about the address. */
    struct hm_http_asked asked = {.backend = &backend, .system = "Metapod"};
    const struct hm_answer answer = {.status = 404, .body = "", .content_type = "", .location = ""};
    struct hm_outcome out;
    memset(&out, 0, sizeof(out));
    assert_int_equal(hm_http_judge(&asked, &answer, &out), HM_VERDICT_PERMANENT);
    assert_string_equal(out.err.msg, "nothing of Metapod lives at this address (HTTP 404): check `url` of backend m");
}

/* A remedy is part of what is approved: another digest, written down, copied. */
static void test_remedy(void **state)
{
    (void)state;
    struct hm_request req, copy;
    char without[65], with[65], again[65];
    hm_request_init(&req);
    hm_request_add_word(&req, "/usr/local/bin/nu");
    hm_request_add_word(&req, "ser");
    hm_request_digest(&req, without);
    hm_request_add_remedy_word(&req, "/usr/local/bin/nu");
    hm_request_add_remedy_word(&req, "cache");
    hm_request_digest(&req, with);
    assert_string_not_equal(without, with);
    hm_request_copy(&copy, &req);
    hm_request_digest(&copy, again);
    assert_string_equal(with, again);
    json_t *json = hm_request_json_new(&copy);
    assert_int_equal(json_array_size(json_object_get(json, "argv")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "remedy"), 1)), "cache");
    json_decref(json);
    hm_request_add_word(&req, "x"); /* a word more before the remedy is not a word more in it */
    hm_request_add_remedy_word(&copy, "x");
    hm_request_digest(&req, with);
    hm_request_digest(&copy, again);
    assert_string_not_equal(with, again);
    hm_request_done(&copy);
    hm_request_done(&req);
}

/* Only what proves that nothing left may lead to a second try. */
static void test_unresolved(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body, *errors;
        bool expected;
    } cases[] = {
        {6, "\n000\n", "curl: (6) Could not resolve host: x.example.com\n", true},
        {1, "", "java.net.UnknownHostException: x\n", true},
        {1, "", "socket.gaierror: [Errno -2] Name or service not known\n", true},
        {0, "", "curl: (6) Could not resolve host: x\n", false},        /* it ended well */
        {137, "", "curl: (6) Could not resolve host: x\n", false},      /* killed */
        {1, "\n502\n", "curl: (6) Could not resolve host: x\n", false}, /* a server has answered */
        {1, "could not resolve host", "", false},                       /* as a server's words */
        {7, "\n000\n", "curl: (7) Failed to connect\n", false},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        const struct hm_answer answer = {.transport = HM_TRANSPORT_ANSWER,
                                         .status = cases[i].status,
                                         .body = cases[i].body,
                                         .body_len = strlen(cases[i].body),
                                         .errors = cases[i].errors};
        assert_int_equal(hm_argv_unresolved(&answer), cases[i].expected);
    }
    const struct hm_answer late = {
        .transport = HM_TRANSPORT_TIMEOUT, .status = 6, .body = "", .errors = "Could not resolve host"};
    assert_false(hm_argv_unresolved(&late));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),  cmocka_unit_test(test_url_encode), cmocka_unit_test(test_digest),
        cmocka_unit_test(test_json),   cmocka_unit_test(test_table),      cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_remedy), cmocka_unit_test(test_unresolved),
    };
    return cmocka_run_group_tests_name("handlers", tests, NULL, NULL);
}
