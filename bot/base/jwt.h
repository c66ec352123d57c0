/* JSON Web Tokens signed with an RSA key (RS256, RFC 7515 and 7518), as Google's service accounts use them. */
#ifndef HM_BASE_JWT_H
#define HM_BASE_JWT_H

#include <jansson.h>

#include "base/err.h"

/* header.claims.signature. pem: an RSA private key, not encrypted. kid: the key's id for the header, or NULL. *ret_token: the
 * caller frees it with hm_secret_free(). err never tells anything of the key. */
HM_MUST enum hm_code hm_jwt_rs256(const char *pem, const char *kid, const json_t *claims, char **ret_token, struct hm_err *err);

#endif
