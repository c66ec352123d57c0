/* Fetching tokens: see token_source.h. */
#include "app/token_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"

enum {
    MAX_ANSWER = 256 * 1024,
    MAX_TOKEN = 16 * 1024,
    MAX_SAID = 120,
    ASSERTION_S = 3600,   /* the longest that Google takes */
    REGISTRY_LIFE_S = 60, /* what the token specification says when expires_in is missing */
    MAX_LIFE_S = 24 * 3600
};

bool hm_token_source_needed(enum hm_auth_kind kind)
{
    return kind == HM_AUTH_GOOGLE || kind == HM_AUTH_LOGIN || kind == HM_AUTH_REGISTRY;
}

static void set_body(struct hm_request *req, char *stolen_body)
{
    req->body = stolen_body;
    req->body_len = strlen(stolen_body);
}

/* ---- google -------------------------------------------------------------------------------------------------------------- */

/* The JSON as Google hands it out; the caller drops the reference. */
static json_t *read_service_account(const struct hm_token_source *source, struct hm_err *err)
{
    char *text = NULL;
    if (hm_secret_read(source->auth->secret, source->dir, &text, err) != HM_OK)
        return NULL;
    struct hm_err why = {0}; /* its position in the file is of no use, and it may quote */
    json_t *key = hm_json_parse_new(text, strlen(text), MAX_ANSWER, &why);
    hm_secret_free(text);
    if (key == NULL || hm_json_get_str(key, "private_key", NULL) == NULL || hm_json_get_str(key, "client_email", NULL) == NULL ||
        hm_json_get_str(key, "token_uri", NULL) == NULL) {
        (void)hm_err_set(err, HM_EENV, "%s is not the JSON key of a service account (client_email, private_key, token_uri)",
                         source->auth->secret);
        json_decref(key);
        return NULL;
    }
    return key;
}

static enum hm_code google_request(const struct hm_token_source *source, int64_t wall_ms, struct hm_request *ret_req,
                                   struct hm_err *err)
{
    char *assertion = NULL;
    json_t *key = read_service_account(source, err);
    if (key == NULL)
        return HM_EENV;
    json_t *claims = hm_json_obj_new();
    hm_json_set_str(claims, "iss", hm_json_get_str(key, "client_email", ""));
    hm_json_set_str(claims, "scope", source->auth->scope);
    hm_json_set_str(claims, "aud", hm_json_get_str(key, "token_uri", ""));
    hm_json_set_int(claims, "iat", wall_ms / 1000);
    hm_json_set_int(claims, "exp", wall_ms / 1000 + ASSERTION_S);
    enum hm_code code = hm_jwt_rs256(hm_json_get_str(key, "private_key", ""), hm_json_get_str(key, "private_key_id", NULL),
                                     claims, &assertion, err);
    if (code == HM_OK) {
        ret_req->method = hm_xstrdup("POST");
        ret_req->url = hm_xstrdup(hm_json_get_str(key, "token_uri", ""));
        hm_request_add_header(ret_req, "Content-Type", "application/x-www-form-urlencoded");
        set_body(ret_req, hm_xasprintf("grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%s",
                                       assertion)); /* base64url and dots: nothing to encode */
    } else {
        (void)hm_err_wrap(err, "%s", source->auth->secret);
    }
    hm_secret_free(assertion);
    json_decref(claims);
    json_decref(key);
    return code;
}

/* ---- login --------------------------------------------------------------------------------------------------------------- */

static enum hm_code read_pair(const struct hm_token_source *source, char **ret_user, char **ret_password, struct hm_err *err)
{
    *ret_password = NULL;
    if (hm_secret_read(source->auth->user, source->dir, ret_user, err) != HM_OK)
        return HM_EENV;
    if (hm_secret_read(source->auth->secret, source->dir, ret_password, err) == HM_OK)
        return HM_OK;
    hm_secret_free(*ret_user);
    *ret_user = NULL;
    return HM_EENV;
}

static enum hm_code login_request(const struct hm_token_source *source, struct hm_request *ret_req, struct hm_err *err)
{
    char *user = NULL, *password = NULL;
    if (read_pair(source, &user, &password, err) != HM_OK)
        return HM_EENV;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "username", user);
    hm_json_set_str(body, "password", password);
    ret_req->method = hm_xstrdup("POST");
    ret_req->url = hm_xstrdup(source->auth->url);
    hm_request_add_header(ret_req, "Content-Type", "application/json");
    hm_request_add_header(ret_req, "Accept", "application/json");
    set_body(ret_req, hm_json_text(body));
    json_decref(body);
    hm_secret_free(user);
    hm_secret_free(password);
    return HM_OK;
}

/* ---- registry ------------------------------------------------------------------------------------------------------------ */

char *hm_token_registry_scope(const char *url)
{
    static const char *const ends[] = {"/tags/", "/manifests/", "/blobs/"};
    const char *name = strstr(url, "/v2/");
    const char *last = NULL;
    if (name == NULL)
        return hm_xstrdup("");
    name += 4;
    /* A repository may itself be called "tags": the last such word before the reference counts. */
    for (size_t i = 0; i < HM_ARRAY_LEN(ends); i++)
        for (const char *at = strstr(name, ends[i]); at != NULL && at < name + strcspn(name, "?#"); at = strstr(at + 1, ends[i]))
            last = last == NULL || at > last ? at : last;
    if (last == NULL || last == name)
        return hm_xstrdup("");
    return hm_xasprintf("repository:%.*s:pull", (int)(last - name), name);
}

static enum hm_code registry_request(const struct hm_token_source *source, struct hm_request *ret_req, struct hm_err *err)
{
    const struct hm_auth *auth = source->auth;
    char *user = NULL, *password = NULL;
    if (auth->user != NULL && read_pair(source, &user, &password, err) != HM_OK)
        return HM_EENV;
    char *service = hm_url_encode(auth->service);
    char *scope = hm_url_encode(source->scope);
    ret_req->method = hm_xstrdup("GET");
    ret_req->url = hm_xasprintf("%s%sservice=%s%s%s", auth->url, strchr(auth->url, '?') != NULL ? "&" : "?", service,
                                scope[0] != '\0' ? "&scope=" : "", scope);
    hm_request_add_header(ret_req, "Accept", "application/json");
    if (user != NULL) {
        char *pair = hm_xasprintf("%s:%s", user, password);
        char *encoded = hm_base64(pair, strlen(pair));
        char *value = hm_xasprintf("Basic %s", encoded);
        hm_request_add_header(ret_req, "Authorization", value);
        hm_secret_free(value);
        hm_secret_free(encoded);
        hm_secret_free(pair);
    }
    free(scope);
    free(service);
    hm_secret_free(user);
    hm_secret_free(password);
    return HM_OK;
}

/* ---- the door ------------------------------------------------------------------------------------------------------------ */

enum hm_code hm_token_source_request(void *arg, int64_t wall_ms, struct hm_request *ret_req, struct hm_err *err)
{
    const struct hm_token_source *source = arg;
    if (source->auth->kind == HM_AUTH_GOOGLE)
        return google_request(source, wall_ms, ret_req, err);
    if (source->auth->kind == HM_AUTH_LOGIN)
        return login_request(source, ret_req, err);
    return registry_request(source, ret_req, err);
}

/* What the server says about its refusal, as far as it can be repeated: a short text in one of the usual places. Servers that
 * check their input put the input into longer answers, and there stands the password. */
static void add_reason(const struct hm_token_source *source, const json_t *body, struct hm_strbuf *out)
{
    static const char *const places[] = {"error_description", "detail", "message", "details"};
    char *user = NULL, *password = NULL;
    const char *code = hm_json_get_str(body, "error", NULL);
    const char *said = NULL;
    for (size_t i = 0; i < HM_ARRAY_LEN(places) && said == NULL; i++)
        said = hm_json_get_str(body, places[i], NULL);
    if (source->auth->kind != HM_AUTH_GOOGLE && source->auth->user != NULL && read_pair(source, &user, &password, NULL) != HM_OK)
        return;
    const char *texts[] = {code, said};
    for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++) {
        if (texts[i] == NULL || (password != NULL && strstr(texts[i], password) != NULL))
            continue;
        char *clean = hm_utf8_clean(texts[i], strlen(texts[i]));
        hm_strbuf_addf(out, "%s%.*s", out->len > 0 ? ", " : ": ", (int)hm_utf8_prefix(clean, MAX_SAID), clean);
        free(clean);
    }
    hm_secret_free(user);
    hm_secret_free(password);
}

static enum hm_code refused(const struct hm_token_source *source, const struct hm_answer *answer, const json_t *body,
                            struct hm_err *err)
{
    struct hm_strbuf reason;
    hm_strbuf_init(&reason, 4 * (size_t)MAX_SAID);
    add_reason(source, body, &reason);
    (void)hm_err_set(err, HM_EENV, "the token server answered HTTP %d%s", answer->status, hm_strbuf_str(&reason));
    hm_strbuf_done(&reason);
    return HM_EENV;
}

/* One line of visible characters: it becomes a header. */
static bool is_token_text(const char *value)
{
    size_t len = strlen(value);
    for (size_t i = 0; i < len; i++)
        if (value[i] <= ' ' || value[i] > '~')
            return false;
    return len > 0 && len <= MAX_TOKEN;
}

enum hm_code hm_token_source_response(void *arg, const struct hm_answer *answer, char **ret_value, int64_t *ret_lifetime_ms,
                                      struct hm_err *err)
{
    const struct hm_token_source *source = arg;
    enum hm_auth_kind kind = source->auth->kind;
    struct hm_err why = {0};
    enum hm_code code = HM_OK;
    *ret_value = NULL;

    json_t *body = hm_json_parse_new(answer->body, answer->body_len, MAX_ANSWER, &why);
    if (answer->status != 200 && !(kind == HM_AUTH_LOGIN && answer->status == 201)) {
        code = refused(source, answer, body, err);
        json_decref(body);
        return code;
    }
    const char *value = hm_json_get_str(body, "access_token", NULL);
    if (value == NULL && kind == HM_AUTH_REGISTRY)
        value = hm_json_get_str(body, "token", NULL);
    int64_t otherwise = kind == HM_AUTH_LOGIN ? source->auth->lifetime_ms / 1000 : REGISTRY_LIFE_S;
    int64_t life_s = hm_json_get_int(body, "expires_in", otherwise);
    if (value == NULL || !is_token_text(value) || life_s <= 0) {
        code = hm_err_set(err, HM_EENV, "the token server's answer holds no token");
    } else {
        *ret_value = hm_xstrdup(value);
        *ret_lifetime_ms = (life_s < MAX_LIFE_S ? life_s : MAX_LIFE_S) * 1000;
    }
    json_decref(body);
    return code;
}
