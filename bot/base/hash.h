/* SHA-256 as hex text, and HMAC with it (OpenSSL's EVP). Digests bind an approval to what will be sent, and chain the journal. */
#ifndef HM_BASE_HASH_H
#define HM_BASE_HASH_H

#include <stddef.h>

enum { HM_SHA256_HEX = 65 }; /* 64 hex digits and the NUL */

struct hm_sha256; /* a hash being computed */

struct hm_sha256 *hm_sha256_new(void);
void hm_sha256_add(struct hm_sha256 *h, const void *data, size_t len);
/* Adds the length (8 bytes, big endian) and then the bytes: fields hashed this way can not run into each other.
 * NULL is different from "". */
void hm_sha256_add_field(struct hm_sha256 *h, const char *text);
/* Writes the hex digest and frees h. */
void hm_sha256_take(struct hm_sha256 *h, char ret_hex[HM_SHA256_HEX]);

/* Writes the hex digest and leaves h empty, ready for the next hash (cheaper than a new one for each). */
void hm_sha256_finish(struct hm_sha256 *h, char ret_hex[HM_SHA256_HEX]);
/* Frees h without a digest; NULL is fine. */
void hm_sha256_free(struct hm_sha256 *h);

/* All at once. */
void hm_sha256_hex(const void *data, size_t len, char ret_hex[HM_SHA256_HEX]);

enum { HM_SHA256_RAW = 32 };
/* HMAC-SHA256 (RFC 2104), as bytes. */
void hm_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, unsigned char ret_mac[HM_SHA256_RAW]);
/* 2 * len lower-case hex digits and the NUL into ret_hex. */
void hm_hex(const void *data, size_t len, char *ret_hex);

/* Compares two NUL-terminated secrets in a time that does not depend on where they differ. */
int hm_secret_equal(const char *a, const char *b);

#endif
