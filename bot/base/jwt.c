/* RS256: see jwt.h. Happy path: PEM → key → SHA-256 with RSA (PKCS #1 v1.5) over header.claims. Failure modes: the PEM holds no
 * RSA key, or one that is too short; OpenSSL's own failures are told as such. */
#include "base/jwt.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"

enum { MIN_BITS = 2048, MAX_SIGNATURE = 2048 };

/* Never asks on a terminal, as OpenSSL would for a key that is encrypted. */
static int no_passphrase(char *buf, int size, int for_writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)for_writing;
    (void)arg;
    return -1;
}

static EVP_PKEY *read_key(const char *pem, struct hm_err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error(); /* what went wrong is said in our words: OpenSSL's may quote the input */
    if (key == NULL)
        (void)hm_err_set(err, HM_EENV, "no private key in PEM format");
    else if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < MIN_BITS)
        (void)hm_err_set(err, HM_EENV, "not an RSA key of at least %d bits", (int)MIN_BITS);
    else
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static char *sign(EVP_PKEY *key, const char *input)
{
    unsigned char signature[MAX_SIGNATURE];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, signature, &len, (const unsigned char *)input, strlen(input)) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? hm_base64url(signature, len) : NULL;
}

static char *encode_json(const json_t *value)
{
    char *text = hm_json_text(value);
    char *encoded = hm_base64url(text, strlen(text));
    free(text);
    return encoded;
}

enum hm_code hm_jwt_rs256(const char *pem, const char *kid, const json_t *claims, char **ret_token, struct hm_err *err)
{
    *ret_token = NULL;
    EVP_PKEY *key = read_key(pem, err);
    if (key == NULL)
        return HM_EENV;
    json_t *header = hm_json_obj_new();
    hm_json_set_str(header, "alg", "RS256");
    hm_json_set_str(header, "typ", "JWT");
    if (kid != NULL)
        hm_json_set_str(header, "kid", kid);
    char *first = encode_json(header);
    char *second = encode_json(claims);
    char *input = hm_xasprintf("%s.%s", first, second);
    char *signature = sign(key, input);
    if (signature != NULL)
        *ret_token = hm_xasprintf("%s.%s", input, signature);
    free(signature);
    free(input);
    free(second);
    free(first);
    json_decref(header);
    EVP_PKEY_free(key);
    return *ret_token != NULL ? HM_OK : hm_err_set(err, HM_EENV, "OpenSSL can not sign with this key");
}
