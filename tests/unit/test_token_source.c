/* Fetching tokens: the exact requests, what answers mean, and that no sentence holds a secret. */
#include "app/token_source.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "unit.h"

static char folder[] = "/tmp/hm-test-token-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char *path = hm_xasprintf("%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    free(path);
}

/* A service account's JSON as Google hands it out. */
static void write_service_account(const char *name, const char *pem, const char *without)
{
    json_t *key = hm_json_obj_new();
    hm_json_set_str(key, "type", "service_account");
    hm_json_set_str(key, "client_email", "bot@project.iam.gserviceaccount.com");
    hm_json_set_str(key, "private_key_id", "k1");
    hm_json_set_str(key, "private_key", pem);
    hm_json_set_str(key, "token_uri", "https://oauth2.example.com/token");
    if (without != NULL)
        (void)json_object_del(key, without);
    char *text = hm_json_text(key);
    write_file(name, text);
    free(text);
    json_decref(key);
}

static int make_files(void **state)
{
    char *pem = NULL;
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    long len = BIO_get_mem_data(bio, &pem);
    pem = hm_xstrndup(pem, (size_t)len);
    write_service_account("sa.json", pem, NULL);
    write_service_account("no-key.json", pem, "private_key");
    write_service_account("bad-key.json", "s3cret", NULL);
    write_file("text.json", "s3cret");
    write_file("user", "airflow\n");
    write_file("password", "s3cr\"et&\n");
    free(pem);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return 0;
}

static int remove_files(void **state)
{
    static const char *const names[] = {"sa.json", "no-key.json", "bad-key.json", "text.json", "user", "password"};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(names); i++) {
        char *path = hm_xasprintf("%s/%s", folder, names[i]);
        (void)unlink(path);
        free(path);
    }
    return rmdir(folder);
}

static const char *header_of(const struct hm_request *req, const char *name)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (strcmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    return "";
}

/* ---- google ------------------------------------------------------------------------------------------------------------- */

static char key_ref[64] = "file:sa.json", scope_text[] = "https://www.googleapis.com/auth/bigquery";
static struct hm_auth google = {.kind = HM_AUTH_GOOGLE, .secret = key_ref, .scope = scope_text};

static void test_google_request(void **state)
{
    static const char begins[] = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    struct hm_token_source source = {.auth = &google, .dir = folder};
    struct hm_request req;
    size_t len = 0;
    (void)state;
    hm_request_init(&req);
    assert_int_equal(hm_token_source_request(&source, 1795356943718, &req, NULL), HM_OK);
    assert_string_equal(req.method, "POST");
    assert_string_equal(req.url, "https://oauth2.example.com/token");
    assert_string_equal(header_of(&req, "Content-Type"), "application/x-www-form-urlencoded");
    assert_true(hm_starts_with(req.body, begins));
    assert_int_equal(req.body_len, strlen(req.body));
    char *claims = hm_xstrdup(strchr(req.body + strlen(begins), '.') + 1);
    claims[strcspn(claims, ".")] = '\0';
    char *text = hm_base64_decode(claims, &len);
    assert_string_equal(text, "{\"aud\":\"https://oauth2.example.com/token\",\"exp\":1795360543,\"iat\":1795356943,"
                              "\"iss\":\"bot@project.iam.gserviceaccount.com\","
                              "\"scope\":\"https://www.googleapis.com/auth/bigquery\"}");
    free(text);
    free(claims);
    hm_request_done(&req);
}

static void test_google_bad_keys(void **state)
{
    static const char *const table[][2] = {{"file:no-key.json", "not the JSON key of a service account"},
                                           {"file:text.json", "not the JSON key of a service account"},
                                           {"file:bad-key.json", "no private key"},
                                           {"file:missing.json", "cannot open"}};
    struct hm_token_source source = {.auth = &google, .dir = folder};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        struct hm_request req;
        struct hm_err err = {0};
        hm_request_init(&req);
        (void)snprintf(key_ref, sizeof key_ref, "%s", table[i][0]);
        assert_int_equal(hm_token_source_request(&source, 0, &req, &err), HM_EENV);
        assert_non_null(strstr(err.msg, table[i][0]));
        assert_non_null(strstr(err.msg, table[i][1]));
        assert_null(strstr(err.msg, "s3cret"));
        hm_request_done(&req);
    }
    (void)snprintf(key_ref, sizeof key_ref, "file:sa.json");
}

/* ---- login and registry ------------------------------------------------------------------------------------------------- */

static char login_url[] = "https://airflow.example/auth/token", user_ref[] = "file:user", password_ref[] = "file:password";
static struct hm_auth login = {
    .kind = HM_AUTH_LOGIN, .secret = password_ref, .user = user_ref, .url = login_url, .lifetime_ms = 7200000};

static char realm[] = "https://quay.example/v2/auth", registry_name[] = "quay.example";
static struct hm_auth registry = {
    .kind = HM_AUTH_REGISTRY, .secret = password_ref, .user = user_ref, .url = realm, .service = registry_name};
static struct hm_auth anonymous = {.kind = HM_AUTH_REGISTRY, .url = realm, .service = registry_name};

static void test_login_request(void **state)
{
    struct hm_token_source source = {.auth = &login, .dir = folder};
    struct hm_request req;
    (void)state;
    hm_request_init(&req);
    assert_int_equal(hm_token_source_request(&source, 0, &req, NULL), HM_OK);
    assert_string_equal(req.method, "POST");
    assert_string_equal(req.url, login_url);
    assert_string_equal(header_of(&req, "Content-Type"), "application/json");
    assert_string_equal(req.body, "{\"password\":\"s3cr\\\"et&\",\"username\":\"airflow\"}");
    hm_request_done(&req);
}

static void test_registry_request(void **state)
{
    char scope[] = "repository:nubank/itaipu:pull", none[] = "";
    struct hm_token_source source = {.auth = &registry, .dir = folder, .scope = scope};
    struct hm_request req;
    (void)state;
    hm_request_init(&req);
    assert_int_equal(hm_token_source_request(&source, 0, &req, NULL), HM_OK);
    assert_string_equal(req.method, "GET");
    assert_string_equal(req.url, "https://quay.example/v2/auth?service=quay.example&scope=repository%3Anubank%2Fitaipu%3Apull");
    assert_string_equal(header_of(&req, "Authorization"), "Basic YWlyZmxvdzpzM2NyImV0Jg==");
    assert_null(req.body);
    hm_request_done(&req);
    source = (struct hm_token_source){.auth = &anonymous, .dir = folder, .scope = none};
    assert_int_equal(hm_token_source_request(&source, 0, &req, NULL), HM_OK);
    assert_string_equal(req.url, "https://quay.example/v2/auth?service=quay.example");
    assert_string_equal(header_of(&req, "Authorization"), "");
    hm_request_done(&req);
}

static void test_registry_scopes(void **state)
{
    static const char *const table[][2] = {
        {"https://r/v2/nubank/itaipu/tags/list?n=100", "repository:nubank/itaipu:pull"},
        {"https://r/v2/itaipu/manifests/abc123", "repository:itaipu:pull"},
        {"https://r/prefix/v2/a/b/c/blobs/sha256:1", "repository:a/b/c:pull"},
        {"https://r/v2/team/tags/tags/list", "repository:team/tags:pull"},
        {"https://r/v2/x/tags/list?last=/manifests/", "repository:x:pull"},
        {"https://r/v2/", ""},
        {"https://r/v2/tags/list", ""},
        {"https://r/other", ""},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        char *scope = hm_token_registry_scope(table[i][0]);
        assert_string_equal(scope, table[i][1]);
        free(scope);
    }
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

static void test_answers(void **state)
{
    static const struct {
        struct hm_auth *auth;
        int status;
        const char *body, *token;
        int64_t lifetime_ms;
        const char *problem;
    } table[] = {
        {&google, 200, "{\"access_token\":\"ya29.x\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", "ya29.x", 3599000, NULL},
        {&login, 201, "{\"access_token\":\"ey.J\"}", "ey.J", 7200000, NULL},
        {&login, 200, "{\"access_token\":\"ey.J\",\"expires_in\":10}", "ey.J", 10000, NULL},
        {&registry, 200, "{\"token\":\"t\"}", "t", 60000, NULL},
        {&registry, 200, "{\"token\":\"t\",\"access_token\":\"u\",\"expires_in\":999999999}", "u", 86400000, NULL},
        {&google, 201, "{\"access_token\":\"t\"}", NULL, 0, "the token server answered HTTP 201"},
        {&google, 200, "{\"token\":\"t\"}", NULL, 0, "the token server's answer holds no token"},
        {&google, 200, "{\"access_token\":7}", NULL, 0, "the token server's answer holds no token"},
        {&google, 200, "{\"access_token\":\"\"}", NULL, 0, "the token server's answer holds no token"},
        {&google, 200, "{\"access_token\":\"a\\r\\nX: y\"}", NULL, 0, "the token server's answer holds no token"},
        {&google, 200, "{\"access_token\":\"t\",\"expires_in\":0}", NULL, 0, "the token server's answer holds no token"},
        {&google, 200, "<html>", NULL, 0, "the token server's answer holds no token"},
        {&google, 200, "", NULL, 0, "the token server's answer holds no token"},
        {&google, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}", NULL, 0,
         "the token server answered HTTP 400: invalid_grant, Invalid JWT Signature."},
        {&login, 401, "{\"detail\":\"Invalid credentials\"}", NULL, 0, "the token server answered HTTP 401: Invalid credentials"},
        {&login, 401, "{\"detail\":\"no s3cr\\\"et& here\"}", NULL, 0, "the token server answered HTTP 401"},
        {&login, 422, "{\"detail\":[{\"input\":\"s3cr\\\"et&\"}]}", NULL, 0, "the token server answered HTTP 422"},
        {&login, 503, "down", NULL, 0, "the token server answered HTTP 503"},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        struct hm_token_source source = {.auth = table[i].auth, .dir = folder};
        struct hm_answer answer = {.transport = HM_TRANSPORT_ANSWER, .status = table[i].status, .body = table[i].body};
        struct hm_err err = {0};
        char *token = NULL;
        int64_t lifetime_ms = 0;
        answer.body_len = strlen(answer.body);
        enum hm_code code = hm_token_source_response(&source, &answer, &token, &lifetime_ms, &err);
        if (table[i].token != NULL) {
            assert_int_equal(code, HM_OK);
            assert_string_equal(token, table[i].token);
            assert_int_equal(lifetime_ms, table[i].lifetime_ms);
        } else {
            assert_int_not_equal(code, HM_OK);
            assert_null(token);
            assert_string_equal(err.msg, table[i].problem);
        }
        hm_secret_free(token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_google_request),   cmocka_unit_test(test_google_bad_keys), cmocka_unit_test(test_login_request),
        cmocka_unit_test(test_registry_request), cmocka_unit_test(test_registry_scopes), cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
