/* Reading `auth = { … }`: see auth.h. */
#include "app/auth.h"

#include <stdlib.h>
#include <string.h>

#include "app/settings_parts.h"
#include "base/mem.h"

enum { NAME_MAX_LEN = 64, SCOPE_MAX = 1000 };
static const int64_t hour_ms = 3600000;

static void copy_url(struct hm_cfg_node *group, const char *key, struct hm_auth *auth)
{
    auth->url = hm_settings_text(group, key, HM_CFG_REQUIRED, HM_SETTINGS_URL);
    hm_settings_check_url(group, key, auth->url);
}

/* One word of the characters that regions, services and schemes are made of. */
static char *copy_word(struct hm_cfg_node *group, const char *key)
{
    char *word = hm_settings_text(group, key, HM_CFG_REQUIRED, NAME_MAX_LEN);
    if (word != NULL && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._") != strlen(word)) {
        hm_cfg_add(group, "%s \"%s\" must be letters, digits, '-', '.' and '_'", key, word);
        HM_FREE(word);
    }
    return word;
}

static void read_scheme(struct hm_cfg_node *group, struct hm_auth *auth)
{
    auth->scheme = copy_word(group, "scheme");
    auth->secret = hm_settings_secret(group, "token", HM_CFG_REQUIRED);
}

static void read_aws(struct hm_cfg_node *group, struct hm_auth *auth)
{
    auth->user = hm_settings_secret(group, "access_key", HM_CFG_REQUIRED);
    auth->secret = hm_settings_secret(group, "secret_key", HM_CFG_REQUIRED);
    auth->session = hm_settings_secret(group, "session_token", HM_CFG_OPTIONAL);
    auth->region = copy_word(group, "region");
    auth->service = copy_word(group, "service");
}

static void read_google(struct hm_cfg_node *group, struct hm_auth *auth)
{
    auth->secret = hm_settings_secret(group, "key", HM_CFG_REQUIRED);
    auth->scope = hm_settings_text(group, "scope", HM_CFG_REQUIRED, SCOPE_MAX);
}

static void read_login(struct hm_cfg_node *group, struct hm_auth *auth)
{
    copy_url(group, "url", auth);
    auth->user = hm_settings_secret(group, "user", HM_CFG_REQUIRED);
    auth->secret = hm_settings_secret(group, "password", HM_CFG_REQUIRED);
    auth->lifetime_ms = hm_cfg_get_duration(group, "lifetime", HM_CFG_OPTIONAL, hour_ms, 24 * hour_ms);
}

static void read_registry(struct hm_cfg_node *group, struct hm_auth *auth)
{
    copy_url(group, "realm", auth);
    auth->service = hm_settings_text(group, "service", HM_CFG_REQUIRED, HM_SETTINGS_TEXT);
    auth->user = hm_settings_secret(group, "user", HM_CFG_OPTIONAL);
    auth->secret = hm_settings_secret(group, "password", HM_CFG_OPTIONAL);
    if (hm_cfg_has(group, "user") != hm_cfg_has(group, "password"))
        hm_cfg_add(group, "user and password go together; without both, tokens are asked for without a name");
}

/* The words of `auth`; `read` is for those that are groups. */
static const struct {
    const char *key;
    enum hm_auth_kind kind;
    void (*read)(struct hm_cfg_node *group, struct hm_auth *auth);
} kinds[] = {
    {"bearer", HM_AUTH_BEARER, NULL},
    {"basic", HM_AUTH_BASIC, NULL},
    {"scheme", HM_AUTH_SCHEME, NULL},
    {"aws", HM_AUTH_AWS, read_aws},
    {"google", HM_AUTH_GOOGLE, read_google},
    {"login", HM_AUTH_LOGIN, read_login},
    {"registry", HM_AUTH_REGISTRY, read_registry},
};

struct hm_auth *hm_auth_read(struct hm_cfg_node *backend)
{
    struct hm_cfg_node *group = hm_cfg_get_group(backend, "auth", HM_CFG_OPTIONAL);
    struct hm_auth *auth = NULL;
    size_t given = 0, chosen = 0;
    if (group == NULL)
        return NULL;
    for (size_t i = 0; i < HM_ARRAY_LEN(kinds); i++) {
        if (!hm_cfg_has(group, kinds[i].key))
            (void)hm_cfg_get(group, kinds[i].key, HM_CFG_OPTIONAL); /* so that a slip of the pen is told the nearest one */
        else if (given++ == 0)
            chosen = i;
    }
    if (given != 1) {
        hm_cfg_add(group, given == 0 ? "say how: one of bearer, basic, scheme, aws, google, login, registry"
                                     : "one of bearer, basic, scheme, aws, google, login, registry; not several");
        if (given == 0)
            hm_cfg_finish(group);
        return NULL;
    }
    auth = hm_xcalloc(1, sizeof *auth);
    auth->kind = kinds[chosen].kind;
    if (auth->kind == HM_AUTH_SCHEME) {
        read_scheme(group, auth);
    } else if (kinds[chosen].read == NULL) {
        auth->secret = hm_settings_secret(group, kinds[chosen].key, HM_CFG_REQUIRED);
    } else {
        struct hm_cfg_node *inner = hm_cfg_get_group(group, kinds[chosen].key, HM_CFG_REQUIRED);
        if (inner != NULL) {
            kinds[chosen].read(inner, auth);
            hm_cfg_finish(inner);
        }
    }
    hm_cfg_finish(group);
    return auth;
}

void hm_auth_free(struct hm_auth *auth)
{
    if (auth == NULL)
        return;
    free(auth->secret);
    free(auth->user);
    free(auth->session);
    free(auth->scheme);
    free(auth->region);
    free(auth->service);
    free(auth->scope);
    free(auth->url);
    free(auth);
}
