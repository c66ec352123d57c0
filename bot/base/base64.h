/* Base64 (RFC 4648): the plain alphabet with padding, and the one for URLs without. */
#ifndef HM_BASE_BASE64_H
#define HM_BASE_BASE64_H

#include <stddef.h>

/* The caller frees both. */
char *hm_base64(const void *data, size_t len);
char *hm_base64url(const void *data, size_t len);

/* Decodes either alphabet, padded or not; NULL when it is neither. Line breaks between the characters are skipped. The result is
 * NUL-terminated behind its *ret_len bytes; the caller frees. */
char *hm_base64_decode(const char *text, size_t *ret_len);

#endif
