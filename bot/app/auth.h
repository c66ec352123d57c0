/* How a backend wants requests to be authorised: `auth = { … }` of its settings. Names secrets by reference only; credentials.h
 * reads them when a request is about to leave.
 *
 * Happy path: hm_auth_read() reads the group into one of the kinds below. Failure: findings, as file:line. */
#ifndef HM_APP_AUTH_H
#define HM_APP_AUTH_H

#include <stdint.h>

#include "base/cfg.h"

enum hm_auth_kind {
    HM_AUTH_BEARER,   /* Authorization: Bearer SECRET */
    HM_AUTH_BASIC,    /* Authorization: Basic, SECRET is "user:password" */
    HM_AUTH_SCHEME,   /* Authorization: SCHEME SECRET */
    HM_AUTH_AWS,      /* a signature over the request: user and secret are the key pair */
    HM_AUTH_GOOGLE,   /* a token fetched with a service account's key, SECRET is its JSON */
    HM_AUTH_LOGIN,    /* a token fetched by logging in with user and SECRET at url */
    HM_AUTH_REGISTRY, /* a container registry's token for each repository, fetched at url; user and SECRET may be missing */
};

/* Secrets are references (base/secret.h). What a kind does not use is NULL. */
struct hm_auth {
    enum hm_auth_kind kind;
    char *secret;
    char *user;    /* a reference as well */
    char *session; /* AWS: the session token, or NULL */
    char *scheme;  /* plain text from here on */
    char *region;
    char *service; /* AWS, and the registry's name in its tokens */
    char *scope;   /* GOOGLE */
    char *url;
    int64_t lifetime_ms; /* LOGIN: how long a token is taken for good when its server does not say */
};

/* The group `auth` of a backend; NULL when there is none or something was found. */
struct hm_auth *hm_auth_read(struct hm_cfg_node *backend);
void hm_auth_free(struct hm_auth *auth); /* NULL is fine */

#endif
