/* One transfer on a curl easy handle: see http_transfer.h.
 *
 * Happy path: check and copy the request → options → (curl works) → status, body and three headers.
 * Failure modes: refused before anything is opened (URL, header); no connection → NOT_SENT; time-out, reset, half an answer →
 * TIMEOUT or BROKEN; answer over its ceiling → TOO_BIG. The sentences name host and port, never path or query. */
#include "io/http_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum {
    MAX_HEADER_BYTES = 256 * 1024, /* of one answer; curl itself limits a line, not their number */
    MAX_KEPT_HEADERS = 16 * 1024,
    MAX_IDLE_S = 30,     /* an older kept-alive connection is not used again: most servers close at 5 to 75 s */
    CA_CACHE_S = 60 * 60 /* a renewed bundle is seen by then */
};

struct hm_transfer {
    struct hm_request req;
    char *peer; /* host or host:port */
    struct curl_slist *headers;
    bool repeatable; /* GET and HEAD: curl may send it again */
    bool has_content_type;

    unsigned sends;      /* how often curl came to the point of sending and was let through */
    bool resend_refused; /* … and once more, and was not */
    bool too_big;
    size_t header_bytes;
    size_t max_answer;
    int64_t timeout_ms;
    int64_t connect_timeout_ms;

    struct hm_strbuf answer;
    char *content_type;
    char *location;
    struct hm_strbuf kept; /* further headers of the answer, a line each */
    char curl_says[CURL_ERROR_SIZE];
    struct hm_err problem;
};

/* ---- checking and copying --------------------------------------------------------------------------------------------- */

static bool is_token(const char *s)
{
    size_t len = strlen(s);
    return len > 0 && strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

static bool is_header_value(const char *s)
{
    return strpbrk(s, "\r\n") == NULL;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return hm_streq(host, "localhost") || hm_streq(host, "[::1]");
}

/* What curl will make of the URL, asked of curl's own parser. */
enum hm_code hm_transfer_check_url(const char *url, char **ret_peer, struct hm_err *err)
{
    enum hm_code code = HM_EINVAL;
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *user = NULL;
    CURLU *parts = curl_url();

    if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        (void)hm_err_set(err, code, "not a URL that can be called (or it holds a user name)");
        goto out;
    }
    (void)curl_url_get(parts, CURLUPART_PORT, &port, 0);
    if (!hm_streq(scheme, "https") && !hm_streq(scheme, "http")) {
        (void)hm_err_set(err, code, "%s: only https:// can be called, and http:// on this machine", host);
        goto out;
    }
    if (hm_streq(scheme, "http") && !is_loopback(host)) {
        (void)hm_err_set(err, code, "%s: plain http:// is for this machine only; use https://", host);
        goto out;
    }
    if (ret_peer != NULL)
        *ret_peer = port != NULL ? hm_xasprintf("%s:%s", host, port) : hm_xstrdup(host);
    code = HM_OK;
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    curl_url_cleanup(parts);
    return code;
}

static void add_line(struct hm_transfer *t, const char *name, const char *value)
{
    /* curl's notation: "Name;" sends the header without a value, "Name:" would remove it. */
    char *line = value[0] != '\0' ? hm_xasprintf("%s: %s", name, value) : hm_xasprintf("%s;", name);
    struct curl_slist *list = curl_slist_append(t->headers, line);
    explicit_bzero(line, strlen(line)); /* it may hold a credential */
    free(line);
    if (list == NULL)
        abort(); /* out of memory, as in hm_xmalloc() */
    t->headers = list;
}

static enum hm_code add_headers(struct hm_transfer *t, const struct hm_request *req, struct hm_err *err)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        const struct hm_header *h = &req->headers[i];
        if (!is_token(h->name) || !is_header_value(h->value))
            return hm_err_set(err, HM_EINVAL, "header %zu of the request can not be sent (a line break or no name)", i + 1);
        if (strcasecmp(h->name, "content-type") == 0)
            t->has_content_type = true;
        add_line(t, h->name, h->value);
    }
    return HM_OK;
}

struct hm_transfer *hm_transfer_new(const struct hm_request *req, struct hm_err *err)
{
    char *peer = NULL;

    if (req->kind != HM_REQUEST_HTTP || req->method == NULL || req->url == NULL || !is_token(req->method)) {
        (void)hm_err_set(err, HM_EBUG, "not an HTTP request");
        return NULL;
    }
    if (hm_transfer_check_url(req->url, &peer, err) != HM_OK)
        return NULL;
    struct hm_transfer *t = hm_xcalloc(1, sizeof(*t));
    t->peer = peer;
    hm_err_clear(&t->problem);
    hm_request_copy(&t->req, req);
    t->repeatable = hm_streq(req->method, "GET") || hm_streq(req->method, "HEAD");
    if (add_headers(t, req, err) != HM_OK) {
        hm_transfer_free(t);
        return NULL;
    }
    return t;
}

void hm_transfer_free(struct hm_transfer *t)
{
    if (t == NULL)
        return;
    for (struct curl_slist *h = t->headers; h != NULL; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(t->headers);
    if (t->req.body != NULL)
        explicit_bzero(t->req.body, t->req.body_len); /* a login's has the password */
    for (size_t i = 0; i < t->req.n_headers; i++)
        explicit_bzero(t->req.headers[i].value, strlen(t->req.headers[i].value));
    hm_request_done(&t->req);
    free(t->peer);
    free(t->content_type);
    free(t->location);
    hm_strbuf_done(&t->kept);
    hm_strbuf_done(&t->answer);
    free(t);
}

const struct hm_request *hm_transfer_request(const struct hm_transfer *t)
{
    return &t->req;
}

/* ---- what curl calls -------------------------------------------------------------------------------------------------- */

static int on_before_send(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct hm_transfer *t = arg;
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;

    if (t->sends > 0 && !t->repeatable) {
        t->resend_refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    t->sends++;
    return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct hm_transfer *t = arg;
    hm_strbuf_add(&t->answer, data, size * n);
    if (t->answer.failed) {
        t->too_big = true;
        return 0;
    }
    return size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct hm_transfer *t = arg;
    (void)data;
    t->header_bytes += size * n;
    if (t->header_bytes > MAX_HEADER_BYTES) {
        t->too_big = true;
        return 0;
    }
    return size * n;
}

/* ---- options ---------------------------------------------------------------------------------------------------------- */

#define SET(option, value)                                                                                                       \
    do {                                                                                                                         \
        if (rc == CURLE_OK)                                                                                                      \
            rc = curl_easy_setopt(easy, (option), (value));                                                                      \
    } while (0)

static CURLcode set_request(const struct hm_transfer *t, CURL *easy)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_URL, t->req.url);
    SET(CURLOPT_PATH_AS_IS, 1L); /* what the plan showed, "/../" included */
    SET(CURLOPT_USERAGENT, "hausmeister/" HM_VERSION);
    if (hm_streq(t->req.method, "HEAD"))
        SET(CURLOPT_NOBODY, 1L);
    else if (t->req.body != NULL) {
        SET(CURLOPT_POSTFIELDS, t->req.body); /* "" too: Content-Length: 0; without it curl would read stdin */
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->req.body_len);
        SET(CURLOPT_CUSTOMREQUEST, t->req.method);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_CUSTOMREQUEST, t->req.method);
    }
    SET(CURLOPT_HTTPHEADER, t->headers);
    return rc;
}

/* https, and nothing that the environment of the process (http_proxy, .netrc …) could change. */
static CURLcode set_peer(CURL *easy, const struct hm_transfer_opts *opts)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, opts->proxy != NULL ? opts->proxy : "");
    SET(CURLOPT_NOPROXY, "localhost,127.0.0.0/8,::1");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* A CA of the backend's own replaces the system's. The folder goes in any case: curl keeps a parsed bundle for later
     * connections only when no CAPATH is set (ossl cache_criteria_met), and parsing costs more than the handshake. */
    if (opts->ca != NULL)
        SET(CURLOPT_CAINFO, opts->ca);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
    if (opts->client_cert != NULL)
        SET(CURLOPT_SSLCERT, opts->client_cert);
    if (opts->client_key != NULL)
        SET(CURLOPT_SSLKEY, opts->client_key);
    /* HTTP/2 would put many writes on one connection: when it breaks, all of them are unknown at once instead of one. */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_MAXAGE_CONN, (long)MAX_IDLE_S);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_SHARE, opts->share);
    return rc;
}

static CURLcode set_callbacks(struct hm_transfer *t, CURL *easy, const struct hm_transfer_opts *opts)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* else giving up a name that hangs in getaddrinfo() joins its thread: the whole loop waits */
    SET(CURLOPT_TIMEOUT_MS, (long)opts->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)opts->connect_timeout_ms);
    SET(CURLOPT_ERRORBUFFER, t->curl_says);
    SET(CURLOPT_PREREQFUNCTION, on_before_send);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    return rc;
}

enum hm_code hm_transfer_arm(struct hm_transfer *t, CURL *easy, const struct hm_transfer_opts *opts,
                             const struct hm_request *credentials, struct hm_err *err)
{
    if (credentials != NULL && add_headers(t, credentials, err) != HM_OK)
        return hm_err_set(err, HM_EENV, "the credentials hold a line break");
    /* What curl would add on its own account. */
    if (t->req.body != NULL) {
        struct curl_slist *list = curl_slist_append(t->headers, "Expect:");
        if (list != NULL && !t->has_content_type)
            list = curl_slist_append(list, "Content-Type:");
        if (list == NULL)
            abort();
        t->headers = list;
    }
    t->max_answer = opts->max_answer;
    t->timeout_ms = opts->timeout_ms;
    t->connect_timeout_ms = opts->connect_timeout_ms;
    hm_strbuf_init(&t->answer, opts->max_answer);
    hm_strbuf_init(&t->kept, MAX_KEPT_HEADERS);

    CURLcode rc = set_request(t, easy);
    if (rc == CURLE_OK)
        rc = set_peer(easy, opts);
    if (rc == CURLE_OK)
        rc = set_callbacks(t, easy, opts);
    if (rc != CURLE_OK)
        return hm_err_set(err, HM_EENV, "libcurl refuses a setting: %s", curl_easy_strerror(rc));
    return HM_OK;
}

/* ---- the end ---------------------------------------------------------------------------------------------------------- */

static const char *plain_reason(const struct hm_transfer *t, CURLcode rc)
{
    return t->curl_says[0] != '\0' ? t->curl_says : curl_easy_strerror(rc);
}

static void say_not_sent(struct hm_transfer *t, CURL *easy, CURLcode rc)
{
    long os_errno = 0;
    char limit[32];

    switch ((int)rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
        (void)hm_err_set(&t->problem, HM_EIO, "the name of %s does not resolve", t->peer);
        return;
    case CURLE_COULDNT_RESOLVE_PROXY:
        (void)hm_err_set(&t->problem, HM_EIO, "the name of the proxy for %s does not resolve", t->peer);
        return;
    case CURLE_OPERATION_TIMEDOUT:
        (void)hm_err_set(&t->problem, HM_EIO, "no connection to %s within %s", t->peer,
                         hm_format_duration(t->connect_timeout_ms < t->timeout_ms ? t->connect_timeout_ms : t->timeout_ms, limit,
                                            sizeof(limit)));
        return;
    case CURLE_COULDNT_CONNECT:
        (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
        if (os_errno == ECONNREFUSED) {
            (void)hm_err_set(&t->problem, HM_EIO, "connection refused by %s", t->peer);
            return;
        }
        break;
    default:
        break;
    }
    (void)hm_err_set(&t->problem, HM_EIO, "no connection to %s: %s", t->peer, plain_reason(t, rc));
}

static void say_broken(struct hm_transfer *t, CURLcode rc)
{
    if (t->resend_refused || rc == CURLE_GOT_NOTHING)
        (void)hm_err_set(&t->problem, HM_EUNKNOWN, "%s closed the connection without an answer", t->peer);
    else
        (void)hm_err_set(&t->problem, HM_EUNKNOWN, "the connection to %s broke: %s", t->peer, plain_reason(t, rc));
}

static void fill_empty(struct hm_answer *ret, enum hm_transport transport, const char *problem)
{
    *ret = (struct hm_answer){.transport = transport,
                              .body = "",
                              .errors = "",
                              .content_type = "",
                              .location = "",
                              .retry_after_s = -1,
                              .problem = problem};
}

/* Those that only some handlers ask for (Link, ETag, digests …): all but cookies, as many as fit. */
static void keep_headers(struct hm_transfer *t, CURL *easy)
{
    struct curl_header *header = NULL;
    while ((header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != NULL) {
        size_t len = strlen(header->name) + strlen(header->value) + 3;
        if (strcasecmp(header->name, "Set-Cookie") != 0 && t->kept.len + len < MAX_KEPT_HEADERS)
            hm_strbuf_addf(&t->kept, "%s: %s\n", header->name, header->value);
    }
}

static void read_headers(struct hm_transfer *t, CURL *easy, struct hm_answer *ret)
{
    const char *value = NULL;
    struct curl_header *retry_after = NULL;
    curl_off_t wait_s = 0;
    long status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ret->status = (int)status;
    if (curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &value) == CURLE_OK && value != NULL) {
        t->content_type = hm_xstrdup(value);
        ret->content_type = t->content_type;
    }
    value = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &value) == CURLE_OK && value != NULL) {
        t->location = hm_xstrdup(value);
        ret->location = t->location;
    }
    /* CURLINFO_RETRY_AFTER understands dates too, but says 0 for "absent". */
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &retry_after) == CURLHE_OK &&
        curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s >= 0)
        ret->retry_after_s = wait_s;
    keep_headers(t, easy);
    ret->headers = hm_strbuf_str(&t->kept);
}

void hm_transfer_end(struct hm_transfer *t, CURL *easy, CURLcode rc, struct hm_answer *ret)
{
    char limit[32];

    fill_empty(ret, HM_TRANSPORT_ANSWER, "");
    ret->problem = t->problem.msg;
    read_headers(t, easy, ret);
    if (rc == CURLE_OK) {
        ret->body = hm_strbuf_str(&t->answer);
        ret->body_len = t->answer.len;
    } else if (t->too_big) {
        ret->transport = HM_TRANSPORT_TOO_BIG;
        (void)hm_err_set(&t->problem, HM_ETOOBIG, "the answer of %s is longer than %zu bytes", t->peer, t->max_answer);
    } else if (t->sends == 0) {
        ret->transport = HM_TRANSPORT_NOT_SENT;
        say_not_sent(t, easy, rc);
    } else if (rc == CURLE_OPERATION_TIMEDOUT) {
        ret->transport = HM_TRANSPORT_TIMEOUT;
        (void)hm_err_set(&t->problem, HM_EUNKNOWN, "no answer from %s within %s", t->peer,
                         hm_format_duration(t->timeout_ms, limit, sizeof(limit)));
    } else {
        ret->transport = HM_TRANSPORT_BROKEN;
        say_broken(t, rc);
    }
}

void hm_transfer_give_up(struct hm_transfer *t, const char *why, struct hm_answer *ret)
{
    bool sent = t->sends > 0;
    (void)hm_err_set(&t->problem, sent ? HM_EUNKNOWN : HM_EIO, "%s: %s", t->peer, why);
    fill_empty(ret, sent ? HM_TRANSPORT_BROKEN : HM_TRANSPORT_NOT_SENT, t->problem.msg);
}

void hm_transfer_not_sent(struct hm_answer *ret, const char *problem)
{
    fill_empty(ret, HM_TRANSPORT_NOT_SENT, problem);
}
