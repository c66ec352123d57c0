/* AWS' signatures, seen from the other side: see aws.h. What was signed is put together from the request as it arrived: lws hands
 * out paths and queries decoded, and encoding them again gives the canonical ones. */
#include "aws.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/sigv4.h"

enum { SKEW_MS = 15 * 60 * 1000, MAX_XML = 16 * 1024 * 1024 };

/* The text behind "key=" up to a comma or the end; NULL when it is not there. The caller frees. */
static char *part_of(const char *authorization, const char *key)
{
    char *with_equals = hm_xasprintf("%s=", key);
    const char *at = strstr(authorization, with_equals);
    char *value = at != NULL ? hm_xstrndup(at + strlen(with_equals), strcspn(at + strlen(with_equals), ", ")) : NULL;
    free(with_equals);
    return value;
}

/* A header as it came, by its lower-case name; NULL when it did not, or is not kept (main.c). */
static char *header_of(const struct hm_world_request *req, const char *name)
{
    if (hm_streq(name, "content-type"))
        return req->content_type[0] != '\0' ? hm_xstrdup(req->content_type) : NULL;
    return hm_header_line(req->headers, name);
}

/* Fills `signed_ones` in from "a;b;c"; false when one of them did not come. */
static bool take_signed(const struct hm_world_request *req, const char *names, struct hm_request *signed_ones)
{
    while (*names != '\0') {
        char *name = hm_xstrndup(names, strcspn(names, ";"));
        char *value = header_of(req, name);
        bool came = value != NULL;
        if (came)
            hm_request_add_header(signed_ones, name, value);
        free(value);
        names += strlen(name) + (names[strlen(name)] == ';' ? 1 : 0);
        free(name);
        if (!came)
            return false;
    }
    return true;
}

/* All that must be signed is among the names. */
static bool signs_enough(const struct hm_world_request *req, const struct hm_request *signed_ones)
{
    bool has_host = false;
    for (size_t i = 0; i < signed_ones->n_headers; i++)
        has_host = has_host || hm_streq(signed_ones->headers[i].name, "host");
    for (const char *line = req->headers; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t len = strcspn(line, ":");
        bool found = strncmp(line, "x-amz-", 6) != 0;
        for (size_t i = 0; i < signed_ones->n_headers && !found; i++)
            found = strlen(signed_ones->headers[i].name) == len && strncmp(signed_ones->headers[i].name, line, len) == 0;
        if (!found)
            return false;
    }
    return has_host;
}

static char *canonical_path(const char *path)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_XML);
    for (; *path != '\0'; path++) {
        char one[2] = {*path, '\0'};
        char *encoded = hm_url_encode(one);
        hm_strbuf_adds(&out, *path == '/' ? "/" : encoded);
        free(encoded);
    }
    return hm_strbuf_take(&out);
}

static const char *compare(const json_t *config, const char *service, const struct hm_world_request *req, const char *date,
                           const char *payload)
{
    char *credential = part_of(req->authorization, "Credential"), *names = part_of(req->authorization, "SignedHeaders");
    char *signature = part_of(req->authorization, "Signature");
    char *want = hm_xasprintf("%s/%.8s/%s/%s/aws4_request", hm_json_get_str(config, "access_key", ""), date,
                              hm_json_get_str(config, "region", ""), service);
    struct hm_request signed_ones;
    struct hm_sigv4_result result = {0};
    const char *problem = NULL;
    hm_request_init(&signed_ones);
    if (credential == NULL || names == NULL || signature == NULL || !hm_starts_with(req->authorization, "AWS4-HMAC-SHA256 "))
        problem = "IncompleteSignature";
    else if (!hm_streq(credential, want))
        problem = strncmp(credential, want, strcspn(want, "/") + 1) == 0 ? "SignatureDoesNotMatch" : "InvalidClientTokenId";
    else if (!take_signed(req, names, &signed_ones) || !signs_enough(req, &signed_ones))
        problem = "SignatureDoesNotMatch";
    if (problem == NULL) {
        const struct hm_sigv4_keys keys = {.access_key = hm_json_get_str(config, "access_key", ""),
                                           .secret_key = hm_json_get_str(config, "secret_key", ""),
                                           .region = hm_json_get_str(config, "region", ""),
                                           .service = service};
        char *path = canonical_path(req->whole_path);
        const struct hm_sigv4_parts parts = {.method = req->method,
                                             .path = path,
                                             .query = req->query,
                                             .headers = signed_ones.headers,
                                             .n_headers = signed_ones.n_headers,
                                             .path_as_is = true, /* it was encoded once, and that was it */
                                             .date = date,
                                             .payload = payload};
        hm_sigv4_compute(&keys, &parts, &result);
        if (!hm_streq(result.signature, signature))
            problem = "SignatureDoesNotMatch";
        hm_sigv4_result_done(&result);
        free(path);
    }
    hm_request_done(&signed_ones);
    free(want);
    free(signature);
    free(names);
    free(credential);
    return problem;
}

/* "20150830T123600Z" in milliseconds; -1. */
static int64_t date_ms(const char *date)
{
    char iso[HM_TIME_MAX];
    int64_t ms = -1;
    if (date == NULL || strlen(date) != 16)
        return -1;
    (void)snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", date, date + 4, date + 6, date + 9, date + 11, date + 13);
    return hm_parse_time(iso, &ms) ? ms : -1;
}

const char *hm_world_aws_check(struct hm_world *world, const json_t *config, const char *service,
                               const struct hm_world_request *req)
{
    char *date = header_of(req, "x-amz-date"), *payload = header_of(req, "x-amz-content-sha256");
    char *session = header_of(req, "x-amz-security-token"), hash[HM_SHA256_HEX];
    const char *problem = NULL;
    int64_t signed_at = date_ms(date), skew = signed_at - hm_world_now_ms(world);
    hm_sha256_hex(req->body, req->body_len, hash);
    if (hm_json_get_str(config, "access_key", NULL) == NULL)
        problem = NULL;
    else if (req->authorization[0] == '\0' || signed_at < 0)
        problem = "MissingAuthenticationToken";
    else if (skew > SKEW_MS || skew < -SKEW_MS)
        problem = "RequestTimeTooSkewed";
    else if (payload == NULL || !hm_streq(payload, hash))
        problem = "XAmzContentSHA256Mismatch";
    else if (!hm_streq(session, hm_json_get_str(config, "session_token", NULL)))
        problem = "InvalidToken";
    else
        problem = compare(config, service, req, date, payload);
    free(session);
    free(payload);
    free(date);
    return problem;
}

char *hm_world_http_date(int64_t ms)
{
    char buf[40];
    struct tm tm;
    time_t s = (time_t)(ms / 1000);
    (void)gmtime_r(&s, &tm);
    (void)strftime(buf, sizeof buf, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return hm_xstrdup(buf);
}

void hm_world_xml_text(struct hm_strbuf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '&')
            hm_strbuf_adds(out, "&amp;");
        else if (*text == '<')
            hm_strbuf_adds(out, "&lt;");
        else if (*text == '>')
            hm_strbuf_adds(out, "&gt;");
        else
            hm_strbuf_addc(out, *text);
    }
}

void hm_world_answer_xml(struct hm_world_answer *ans, int status, struct hm_strbuf *out)
{
    hm_world_answer_done(ans);
    ans->status = status;
    ans->content_type = hm_xstrdup("text/xml;charset=UTF-8");
    ans->body_len = out->len;
    ans->body = hm_strbuf_take(out);
}
