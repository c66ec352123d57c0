/* AWS Signature Version 4: see sigv4.h. The four steps of the published algorithm: canonical request, string to sign, a key
 * derived from secret, day, region and service, signature. All 38 published vectors pass (tests/unit/test_sigv4.c).
 *
 * libcurl 7.88 can sign, too (CURLOPT_AWS_SIGV4), but signs headers that it does not send, gets several queries and paths wrong,
 * and takes its own clock: docs/decisions.md. */
#include "io/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { MAX_CANONICAL = 256 * 1024 };

/* ---- the canonical request ----------------------------------------------------------------------------------------------- */

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

/* Percent-encodes all bytes but the unreserved ones and those of `keep`. */
static void add_encoded(struct hm_strbuf *out, const char *s, size_t len, const char *keep)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (is_unreserved(c) || (c != '\0' && strchr(keep, c) != NULL))
            hm_strbuf_addc(out, s[i]);
        else
            hm_strbuf_addf(out, "%%%02X", c);
    }
}

/* RFC 3986, 5.2.4 over "/"-separated parts, and no empty ones: "/a//b/./../c" is "/a/c". */
static char *normalized(const char *path)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_CANONICAL);
    bool ends_as_folder = true;
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        bool last = path[len] == '\0';
        ends_as_folder = !last || len == 0;
        if (len == 2 && memcmp(path, "..", 2) == 0) {
            while (out.len > 0 && out.s[--out.len] != '/')
                ;
            if (out.s != NULL)
                out.s[out.len] = '\0';
            ends_as_folder = true;
        } else if (len == 1 && path[0] == '.') {
            ends_as_folder = true;
        } else if (len > 0) {
            hm_strbuf_addc(&out, '/');
            hm_strbuf_add(&out, path, len);
        }
        path += len + (last ? 0 : 1);
    }
    if (ends_as_folder || out.len == 0)
        hm_strbuf_addc(&out, '/');
    return hm_strbuf_take(&out);
}

static void add_path(struct hm_strbuf *out, const struct hm_sigv4_parts *parts)
{
    if (parts->path_as_is) {
        const char *path = parts->path[0] != '\0' ? parts->path : "/";
        add_encoded(out, path, strlen(path), "/%");
        return;
    }
    char *path = normalized(parts->path);
    add_encoded(out, path, strlen(path), "/");
    free(path);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes and encodes anew, so that "%2f", "%2F" and "/" are one. */
static void add_query_part(struct hm_strbuf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = s[i] == '%' && i + 2 < len ? hex_value(s[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s[i + 2]) : -1;
        char c = s[i];
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        add_encoded(out, &c, 1, "");
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* name=value pairs, encoded, sorted by name and then by value. '=' sorts behind none of the characters that can follow a name's
 * prefix but "-", "." and digits, so the pairs are sorted with a byte below all of them between name and value. */
static void add_query(struct hm_strbuf *out, const char *query)
{
    char **pairs = NULL;
    size_t n = 0;
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (len > 0) {
            struct hm_strbuf pair;
            const char *equals = memchr(query, '=', len);
            size_t name_len = equals != NULL ? (size_t)(equals - query) : len;
            hm_strbuf_init(&pair, MAX_CANONICAL);
            add_query_part(&pair, query, name_len);
            hm_strbuf_addc(&pair, '\x01');
            if (equals != NULL)
                add_query_part(&pair, equals + 1, len - name_len - 1);
            pairs = hm_xreallocarray(pairs, n + 1, sizeof *pairs);
            pairs[n++] = hm_strbuf_take(&pair);
        }
        query += len + (query[len] == '&' ? 1 : 0);
    }
    if (n > 0)
        qsort(pairs, n, sizeof *pairs, compare_texts);
    for (size_t i = 0; i < n; i++) {
        char *mark = strchr(pairs[i], '\x01');
        if (mark != NULL) /* else the pair was cut: no URL is that long */
            *mark = '=';
        if (i > 0)
            hm_strbuf_addc(out, '&');
        hm_strbuf_adds(out, pairs[i]);
        free(pairs[i]);
    }
    free(pairs);
}

/* Without white space around it, and with one space for any run of it inside. */
static void add_header_value(struct hm_strbuf *out, const char *value)
{
    static const char white[] = " \t\r\n";
    bool first = true;
    for (value += strspn(value, white); *value != '\0'; value += strspn(value, white)) {
        size_t len = strcspn(value, white);
        if (!first)
            hm_strbuf_addc(out, ' ');
        hm_strbuf_add(out, value, len);
        value += len;
        first = false;
    }
}

struct named {
    char *name; /* lower-case */
    const char *value;
    size_t index; /* values of one name stay in their order */
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static char *lower(const char *s)
{
    char *copy = hm_xstrdup(s);
    for (char *c = copy; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

/* "name:value\n" each, values of the same name joined by commas; and the names, joined by semicolons. */
static void add_headers(struct hm_strbuf *out, struct hm_strbuf *names, const struct hm_sigv4_parts *parts)
{
    struct named *list = hm_xcalloc(parts->n_headers, sizeof *list);
    for (size_t i = 0; i < parts->n_headers; i++)
        list[i] = (struct named){lower(parts->headers[i].name), parts->headers[i].value, i};
    if (parts->n_headers > 0)
        qsort(list, parts->n_headers, sizeof *list, compare_named);
    for (size_t i = 0; i < parts->n_headers; i++) {
        bool again = i > 0 && strcmp(list[i].name, list[i - 1].name) == 0;
        bool more = i + 1 < parts->n_headers && strcmp(list[i].name, list[i + 1].name) == 0;
        if (again) {
            hm_strbuf_addc(out, ',');
        } else {
            hm_strbuf_addf(names, "%s%s", i > 0 ? ";" : "", list[i].name);
            hm_strbuf_addf(out, "%s:", list[i].name);
        }
        add_header_value(out, list[i].value);
        if (!more)
            hm_strbuf_addc(out, '\n');
    }
    for (size_t i = 0; i < parts->n_headers; i++)
        free(list[i].name);
    free(list);
}

/* ---- the signature ------------------------------------------------------------------------------------------------------- */

static void derive_key(const struct hm_sigv4_keys *keys, const char *date, unsigned char ret_key[HM_SHA256_RAW])
{
    unsigned char day[HM_SHA256_RAW], region[HM_SHA256_RAW], service[HM_SHA256_RAW];
    char *secret = hm_xasprintf("AWS4%s", keys->secret_key);
    hm_hmac_sha256(secret, strlen(secret), date, 8, day);
    hm_hmac_sha256(day, sizeof day, keys->region, strlen(keys->region), region);
    hm_hmac_sha256(region, sizeof region, keys->service, strlen(keys->service), service);
    hm_hmac_sha256(service, sizeof service, "aws4_request", 12, ret_key);
    explicit_bzero(secret, strlen(secret));
    explicit_bzero(day, sizeof day);
    explicit_bzero(region, sizeof region);
    explicit_bzero(service, sizeof service);
    free(secret);
}

void hm_sigv4_compute(const struct hm_sigv4_keys *keys, const struct hm_sigv4_parts *parts, struct hm_sigv4_result *ret)
{
    struct hm_strbuf canonical, names;
    char hash[HM_SHA256_HEX];
    unsigned char key[HM_SHA256_RAW], mac[HM_SHA256_RAW];

    hm_strbuf_init(&canonical, MAX_CANONICAL);
    hm_strbuf_init(&names, MAX_CANONICAL);
    hm_strbuf_addf(&canonical, "%s\n", parts->method);
    add_path(&canonical, parts);
    hm_strbuf_addc(&canonical, '\n');
    add_query(&canonical, parts->query);
    hm_strbuf_addc(&canonical, '\n');
    add_headers(&canonical, &names, parts);
    hm_strbuf_addf(&canonical, "\n%s\n%s", hm_strbuf_str(&names), parts->payload);

    hm_sha256_hex(hm_strbuf_str(&canonical), canonical.len, hash);
    ret->canonical = hm_strbuf_take(&canonical);
    ret->signed_headers = hm_strbuf_take(&names);
    ret->string_to_sign = hm_xasprintf("AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", parts->date, parts->date,
                                       keys->region, keys->service, hash);
    derive_key(keys, parts->date, key);
    hm_hmac_sha256(key, sizeof key, ret->string_to_sign, strlen(ret->string_to_sign), mac);
    explicit_bzero(key, sizeof key);
    ret->signature = hm_xmalloc(HM_SHA256_HEX);
    hm_hex(mac, sizeof mac, ret->signature);
}

void hm_sigv4_result_done(struct hm_sigv4_result *result)
{
    free(result->canonical);
    free(result->string_to_sign);
    free(result->signed_headers);
    free(result->signature);
    memset(result, 0, sizeof *result);
}

/* ---- a request ----------------------------------------------------------------------------------------------------------- */

void hm_sigv4_date(int64_t wall_ms, char ret_date[HM_SIGV4_DATE])
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    (void)gmtime_r(&s, &tm);
    (void)strftime(ret_date, HM_SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm);
}

/* Borrowed pieces of a URL. */
struct url {
    const char *host;
    size_t host_len;
    const char *path;
    size_t path_len;
    const char *query; /* up to the end of the path, or "" */
    size_t query_len;
};

static bool split_url(const char *url, struct url *ret)
{
    const char *host = strstr(url, "://");
    if (host == NULL)
        return false;
    host += 3;
    size_t host_len = strcspn(host, "/?#");
    const char *path = host + host_len;
    size_t path_len = strcspn(path, "?#");
    const char *query = path[path_len] == '?' ? path + path_len + 1 : "";
    *ret = (struct url){host, host_len, path, path_len, query, strcspn(query, "#")};
    return host_len > 0;
}

/* The Host header as every client writes it: without the scheme's own port. */
static char *host_header(const char *url, const struct url *parts)
{
    const char *own = hm_starts_with(url, "https:") ? ":443" : ":80";
    char *host = lower(parts->host);
    host[parts->host_len] = '\0';
    if (hm_ends_with(host, own))
        host[parts->host_len - strlen(own)] = '\0';
    return host;
}

/* What a proxy on the way may change is not signed; all else is. */
static bool is_signed(const char *name)
{
    static const char *const not_signed[] = {"accept", "connection", "expect", "transfer-encoding", "user-agent"};
    for (size_t i = 0; i < HM_ARRAY_LEN(not_signed); i++)
        if (strcasecmp(name, not_signed[i]) == 0)
            return false;
    return true;
}

static enum hm_code check_own(const struct hm_request *req, struct hm_err *err)
{
    static const char *const ours[] = {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "authorization"};
    for (size_t i = 0; i < req->n_headers; i++)
        for (size_t k = 0; k < HM_ARRAY_LEN(ours); k++)
            if (strcasecmp(req->headers[i].name, ours[k]) == 0)
                return hm_err_set(err, HM_EINVAL, "the request has a header %s of its own and can not be signed for AWS",
                                  req->headers[i].name);
    return HM_OK;
}

enum hm_code hm_sigv4_sign(const struct hm_sigv4_keys *keys, const struct hm_request *req, int64_t wall_ms,
                           struct hm_request *ret_headers, struct hm_err *err)
{
    struct url url;
    char date[HM_SIGV4_DATE], payload[HM_SHA256_HEX];
    struct hm_sigv4_result result = {0};

    if (check_own(req, err) != HM_OK)
        return HM_EINVAL;
    if (!split_url(req->url, &url))
        return hm_err_set(err, HM_EINVAL, "a URL without a host can not be signed for AWS");
    char *host = host_header(req->url, &url);
    char *path = hm_xstrndup(url.path, url.path_len);
    char *query = hm_xstrndup(url.query, url.query_len);
    hm_sigv4_date(wall_ms, date);
    hm_sha256_hex(req->body != NULL ? req->body : "", req->body != NULL ? req->body_len : 0, payload);
    hm_request_add_header(ret_headers, "Host", host);
    hm_request_add_header(ret_headers, "X-Amz-Date", date);
    hm_request_add_header(ret_headers, "X-Amz-Content-Sha256", payload);
    if (keys->session_token != NULL)
        hm_request_add_header(ret_headers, "X-Amz-Security-Token", keys->session_token);

    struct hm_header *all = hm_xcalloc(req->n_headers + ret_headers->n_headers, sizeof *all); /* borrows */
    size_t n = 0;
    for (size_t i = 0; i < req->n_headers; i++)
        if (is_signed(req->headers[i].name))
            all[n++] = req->headers[i];
    for (size_t i = 0; i < ret_headers->n_headers; i++)
        all[n++] = ret_headers->headers[i];
    const struct hm_sigv4_parts parts = {.method = req->method,
                                         .path = path,
                                         .query = query,
                                         .headers = all,
                                         .n_headers = n,
                                         .path_as_is = hm_streq(keys->service, "s3"),
                                         .date = date,
                                         .payload = payload};
    hm_sigv4_compute(keys, &parts, &result);
    char *authorization =
        hm_xasprintf("AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", keys->access_key,
                     date, keys->region, keys->service, result.signed_headers, result.signature);
    hm_request_add_header(ret_headers, "Authorization", authorization);
    free(authorization);
    hm_sigv4_result_done(&result);
    free(all);
    free(query);
    free(path);
    free(host);
    return HM_OK;
}
