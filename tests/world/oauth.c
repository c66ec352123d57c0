/* Token endpoints: a Google-like one that wants an assertion signed with a service account's key, a login with user and password,
 * and the token service of a container registry.
 *
 * POST /oauth/token, a form: RS256 is verified with the public key of the configuration, then the claims: issuer, audience,
 * scope, time. POST /oauth/login, JSON: 201. GET /oauth/registry?service=…&scope=…: with Basic, or without when there is no user.
 * The token is the configuration's, so that it can be what another system asks for; "given" counts them: a token is no effect.
 *
 * State: {"config": {"token", "expires_in", "public_key": PEM, "client_email", "scope" (or what it begins with), "user",
 * "password", "service"}}. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"
#include "world.h"

enum { MAX_LIFE_S = 3600, SKEW_S = 300, MAX_TOKEN = 64 * 1024 };

struct oauth {
    json_t *state;
};

static void *oauth_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {NULL};
    struct oauth *oauth = hm_xcalloc(1, sizeof *oauth);
    (void)err;
    oauth->state = hm_kit_state_copy(state, lists);
    return oauth;
}

static void oauth_free(void *system)
{
    struct oauth *oauth = system;
    json_decref(oauth->state);
    free(oauth);
}

static json_t *oauth_state_new(void *system)
{
    return json_deep_copy(((struct oauth *)system)->state);
}

static const char *setting(const struct oauth *oauth, const char *key)
{
    return hm_json_get_str(hm_json_get_obj(oauth->state, "config"), key, "");
}

static void give(struct oauth *oauth, const char *how, const char *key, int status, struct hm_world_answer *ans)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, key, setting(oauth, "token"));
    hm_json_set_str(body, "token_type", "Bearer");
    if (!hm_streq(how, "login"))
        hm_json_set_int(body, "expires_in", hm_json_get_int(hm_json_get_obj(oauth->state, "config"), "expires_in", 3599));
    hm_json_set_int(oauth->state, "given", hm_json_get_int(oauth->state, "given", 0) + 1);
    hm_world_answer_json(ans, status, "application/json", body);
}

static void refuse(struct hm_world_answer *ans, int status, const char *error, const char *description)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "error", error);
    hm_json_set_str(body, "error_description", description);
    hm_world_answer_json(ans, status, "application/json", body);
}

/* ---- service accounts ----------------------------------------------------------------------------------------------------- */

static bool verifies(const char *pem, const char *token)
{
    const char *dot = strrchr(token, '.');
    size_t len = 0;
    char *signature = dot != NULL ? hm_base64_decode(dot + 1, &len) : NULL;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        signature != NULL && key != NULL && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(ctx, (const unsigned char *)signature, len, (const unsigned char *)token, (size_t)(dot - token)) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(bio);
    free(signature);
    return good;
}

/* Part 0 (header) or 1 (claims) as JSON; NULL. */
static json_t *part_new(const char *token, int part)
{
    for (; part > 0 && token != NULL; part--) {
        token = strchr(token, '.');
        token = token != NULL ? token + 1 : NULL;
    }
    size_t len = 0;
    char *encoded = token != NULL ? hm_xstrndup(token, strcspn(token, ".")) : NULL;
    char *text = encoded != NULL ? hm_base64_decode(encoded, &len) : NULL;
    json_t *json = text != NULL ? hm_json_parse_new(text, len, MAX_TOKEN, NULL) : NULL;
    free(text);
    free(encoded);
    return json;
}

static const char *claims_problem(const struct oauth *oauth, const struct hm_world_request *req, const json_t *claims,
                                  int64_t now_s)
{
    char *host = hm_header_line(req->headers, "host");
    char *audience = hm_xasprintf("http://%s%s", host != NULL ? host : "", req->whole_path);
    int64_t iat = hm_json_get_int(claims, "iat", 0), exp = hm_json_get_int(claims, "exp", 0);
    const char *problem = NULL;
    if (!hm_streq(hm_json_get_str(claims, "iss", NULL), setting(oauth, "client_email")))
        problem = "Invalid grant: account not found";
    else if (!hm_streq(hm_json_get_str(claims, "aud", NULL), audience))
        problem = "Invalid JWT: the audience is another";
    else if (!hm_starts_with(hm_json_get_str(claims, "scope", ""), setting(oauth, "scope")))
        problem = "Invalid OAuth scope";
    else if (iat > now_s + SKEW_S || exp < now_s || exp > iat + MAX_LIFE_S)
        problem = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe";
    free(audience);
    free(host);
    return problem;
}

static void give_for_assertion(struct oauth *oauth, struct hm_world *world, const struct hm_world_request *req,
                               struct hm_world_answer *ans)
{
    json_t *form = hm_kit_form_new(req->body, req->body_len);
    const char *assertion = hm_json_get_str(form, "assertion", "");
    json_t *header = part_new(assertion, 0), *claims = part_new(assertion, 1);
    const char *problem = claims_problem(oauth, req, claims, hm_world_now_ms(world) / 1000);
    if (!hm_starts_with(req->content_type, "application/x-www-form-urlencoded") ||
        !hm_streq(hm_json_get_str(form, "grant_type", NULL), "urn:ietf:params:oauth:grant-type:jwt-bearer"))
        refuse(ans, 400, "unsupported_grant_type", "Invalid grant_type");
    else if (!hm_streq(hm_json_get_str(header, "alg", NULL), "RS256") || !verifies(setting(oauth, "public_key"), assertion))
        refuse(ans, 400, "invalid_grant", "Invalid JWT Signature.");
    else if (problem != NULL)
        refuse(ans, 400, "invalid_grant", problem);
    else
        give(oauth, "google", "access_token", 200, ans);
    json_decref(claims);
    json_decref(header);
    json_decref(form);
}

/* ---- passwords ------------------------------------------------------------------------------------------------------------ */

static void give_for_login(struct oauth *oauth, struct hm_world *world, const struct hm_world_request *req,
                           struct hm_world_answer *ans)
{
    (void)world;
    json_t *body = hm_json_parse_new(req->body, req->body_len, MAX_TOKEN, NULL);
    json_t *detail = hm_json_obj_new();
    if (!json_is_object(body) || json_object_size(body) != 2 || !hm_starts_with(req->content_type, "application/json")) {
        hm_json_set(detail, "detail", hm_json_arr_new());
        hm_world_answer_json(ans, 422, "application/json", json_incref(detail));
    } else if (!hm_streq(hm_json_get_str(body, "username", NULL), setting(oauth, "user")) ||
               !hm_streq(hm_json_get_str(body, "password", NULL), setting(oauth, "password"))) {
        hm_json_set_str(detail, "detail", "Invalid credentials");
        hm_world_answer_json(ans, 401, "application/json", json_incref(detail));
    } else {
        give(oauth, "login", "access_token", 201, ans);
    }
    json_decref(detail);
    json_decref(body);
}

static void give_for_registry(struct oauth *oauth, struct hm_world *world, const struct hm_world_request *req,
                              struct hm_world_answer *ans)
{
    (void)world;
    json_t *query = hm_kit_form_new(req->query, strlen(req->query));
    char *pair = hm_xasprintf("%s:%s", setting(oauth, "user"), setting(oauth, "password"));
    char *encoded = hm_base64(pair, strlen(pair));
    char *basic = hm_xasprintf("Basic %s", encoded);
    if (setting(oauth, "user")[0] != '\0' && !hm_streq(req->authorization, basic))
        refuse(ans, 401, "unauthorized", "who are you");
    else if (!hm_streq(hm_json_get_str(query, "service", NULL), setting(oauth, "service")))
        refuse(ans, 400, "invalid_request", "the service is another");
    else
        give(oauth, "registry", "token", 200, ans);
    free(basic);
    free(encoded);
    free(pair);
    json_decref(query);
}

static void oauth_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const struct {
        const char *method, *path;
        void (*give)(struct oauth *oauth, struct hm_world *world, const struct hm_world_request *req,
                     struct hm_world_answer *ans);
    } doors[] = {
        {"POST", "/token", give_for_assertion}, {"POST", "/login", give_for_login}, {"GET", "/registry", give_for_registry}};
    for (size_t i = 0; i < HM_ARRAY_LEN(doors); i++) {
        if (!hm_streq(doors[i].path, req->path))
            continue;
        if (hm_streq(doors[i].method, req->method))
            doors[i].give(system, world, req, ans);
        else
            hm_world_answer_text(ans, 405, "Not like that.\n");
        return;
    }
    hm_world_answer_text(ans, 404, "No token is given here.\n");
}

const struct hm_world_system hm_world_oauth = {"oauth", oauth_new, oauth_free, oauth_state_new, oauth_handle};
