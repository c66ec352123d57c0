/* RS256: a token is verified with OpenSSL and the public key, its parts are what was given; keys that are none are refused. */
#include "base/jwt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "unit.h"

static char *pem_of(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &data);
    char *pem = hm_xstrndup(data, (size_t)len);
    BIO_free(bio);
    return pem;
}

static int verify(EVP_PKEY *key, const char *token)
{
    const char *dot = strrchr(token, '.');
    size_t len = 0;
    char *signature = hm_base64_decode(dot + 1, &len);
    assert_non_null(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    int rc = EVP_DigestVerify(ctx, (unsigned char *)signature, len, (const unsigned char *)token, (size_t)(dot - token));
    EVP_MD_CTX_free(ctx);
    free(signature);
    return rc;
}

static void check_part(const char *token, size_t index, const char *want)
{
    for (; index > 0; index--)
        token = strchr(token, '.') + 1;
    size_t len = 0;
    char *part = hm_xstrndup(token, strcspn(token, "."));
    char *text = hm_base64_decode(part, &len);
    assert_string_equal(text, want);
    free(text);
    free(part);
}

static void test_signed(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    char *pem = pem_of(key);
    char *token = NULL;
    json_t *claims = hm_json_obj_new();
    (void)state;
    hm_json_set_str(claims, "iss", "bot@example.com");
    hm_json_set_int(claims, "iat", 1795356943);
    assert_int_equal(hm_jwt_rs256(pem, "key-1", claims, &token, NULL), HM_OK);
    check_part(token, 0, "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}");
    check_part(token, 1, "{\"iat\":1795356943,\"iss\":\"bot@example.com\"}");
    assert_int_equal(verify(key, token), 1);
    token[30] = token[30] == 'A' ? 'B' : 'A';
    assert_int_not_equal(verify(key, token), 1);
    hm_secret_free(token);
    assert_int_equal(hm_jwt_rs256(pem, NULL, claims, &token, NULL), HM_OK);
    check_part(token, 0, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    hm_secret_free(token);
    json_decref(claims);
    free(pem);
    EVP_PKEY_free(key);
}

static void test_bad_keys(void **state)
{
    EVP_PKEY *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
    char *pems[] = {pem_of(small), pem_of(curve), hm_xstrdup("s3cret"),
                    hm_xstrdup("-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n")};
    static const char *const said[] = {"at least 2048 bits", "not an RSA key", "no private key", "no private key"};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(pems); i++) {
        struct hm_err err = {0};
        char *token = NULL;
        json_t *claims = hm_json_obj_new();
        assert_int_equal(hm_jwt_rs256(pems[i], NULL, claims, &token, &err), HM_EENV);
        assert_null(token);
        assert_non_null(strstr(err.msg, said[i]));
        assert_null(strstr(err.msg, "s3cret"));
        json_decref(claims);
        free(pems[i]);
    }
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_bad_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
