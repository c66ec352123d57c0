/* SHA-256 and HMAC: see hash.h. OpenSSL fails here only when out of memory or misbuilt; both end the process. */
#include "base/hash.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* struct hm_sha256 is OpenSSL's EVP_MD_CTX under another name: no wrapper needs to be allocated. */
static EVP_MD_CTX *ctx_of(struct hm_sha256 *h)
{
    return (EVP_MD_CTX *)(void *)h;
}

struct hm_sha256 *hm_sha256_new(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    HM_ASSERT(ctx != NULL);
    int rc = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    HM_ASSERT(rc == 1);
    return (struct hm_sha256 *)(void *)ctx;
}

void hm_sha256_add(struct hm_sha256 *h, const void *data, size_t len)
{
    int rc = EVP_DigestUpdate(ctx_of(h), data, len);
    HM_ASSERT(rc == 1);
}

void hm_sha256_add_field(struct hm_sha256 *h, const char *text)
{
    uint64_t len = text != NULL ? strlen(text) : UINT64_MAX;
    unsigned char big_endian[8];
    for (size_t i = 0; i < sizeof big_endian; i++)
        big_endian[i] = (unsigned char)(len >> (56 - 8 * i));
    hm_sha256_add(h, big_endian, sizeof big_endian);
    if (text != NULL)
        hm_sha256_add(h, text, (size_t)len);
}

void hm_hex(const void *data, size_t len, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *raw = data;
    for (size_t i = 0; i < len; i++) {
        ret_hex[2 * i] = digits[raw[i] >> 4];
        ret_hex[2 * i + 1] = digits[raw[i] & 15];
    }
    ret_hex[2 * len] = '\0';
}

static void write_digest(EVP_MD_CTX *ctx, char ret_hex[HM_SHA256_HEX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int rc = EVP_DigestFinal_ex(ctx, raw, &len);
    HM_ASSERT(rc == 1 && len == HM_SHA256_RAW);
    hm_hex(raw, len, ret_hex);
}

void hm_sha256_finish(struct hm_sha256 *h, char ret_hex[HM_SHA256_HEX])
{
    write_digest(ctx_of(h), ret_hex);
    int rc = EVP_DigestInit_ex(ctx_of(h), NULL, NULL); /* NULL: the same algorithm, without looking it up again */
    HM_ASSERT(rc == 1);
}

void hm_sha256_free(struct hm_sha256 *h)
{
    EVP_MD_CTX_free(ctx_of(h));
}

void hm_sha256_take(struct hm_sha256 *h, char ret_hex[HM_SHA256_HEX])
{
    write_digest(ctx_of(h), ret_hex);
    hm_sha256_free(h);
}

void hm_sha256_hex(const void *data, size_t len, char ret_hex[HM_SHA256_HEX])
{
    struct hm_sha256 *h = hm_sha256_new();
    hm_sha256_add(h, data, len);
    hm_sha256_take(h, ret_hex);
}

void hm_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, unsigned char ret_mac[HM_SHA256_RAW])
{
    unsigned written = 0;
    HM_ASSERT(key_len <= INT_MAX);
    const unsigned char *mac = HMAC(EVP_sha256(), key, (int)key_len, data, len, ret_mac, &written);
    HM_ASSERT(mac != NULL && written == HM_SHA256_RAW);
}

int hm_secret_equal(const char *a, const char *b)
{
    size_t len = strlen(a);
    return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}
