/* Happy path: bytes are gathered until a request is whole, it goes to the route, its answer lets the next one be read (pipelined
 * requests wait in the buffer). A malformed request is answered with 400 and the connection closed. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "form.h"
#include "timers.h"

struct http {
    struct sim_conn *conn;
    const struct sim_http_routes *routes;
    uint8_t *in;
    size_t in_len, in_cap;
    struct sim_req *cur; /* being answered */
    bool continued;      /* 100 Continue was sent for the request that is arriving */
    bool busy;           /* inside pump() */
    bool hang;           /* cur is nobody's but ours */
};

static void req_free(struct sim_req *req)
{
    size_t i = 0;

    for (i = 0; i < req->headers_nr; i++) {
        free(req->headers[i].name);
        free(req->headers[i].value);
    }
    free(req->method);
    free(req->path);
    free(req->body);
    json_decref(req->query);
    json_decref(req->fault);
    free(req);
}

const char *sim_req_header(const struct sim_req *req, const char *lower_name)
{
    size_t i = 0;

    for (i = 0; i < req->headers_nr; i++) {
        if (strcmp(req->headers[i].name, lower_name) == 0) {
            return req->headers[i].value;
        }
    }
    return NULL;
}

static void lower(char *s)
{
    for (; *s != '\0'; s++) {
        if (*s >= 'A' && *s <= 'Z') {
            *s = (char)(*s + ('a' - 'A'));
        }
    }
}

static bool parse_header_line(struct sim_req *req, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = 0;
    const char *value = NULL;
    size_t value_len = 0;

    if (colon == NULL || colon == line || req->headers_nr == SIM_HTTP_HEADERS_MAX) {
        return false;
    }
    name_len = (size_t)(colon - line);
    value = colon + 1;
    value_len = len - name_len - 1;
    while (value_len > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        value_len--;
    }
    while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t')) {
        value_len--;
    }
    req->headers[req->headers_nr].name = hm_xstrndup(line, name_len);
    req->headers[req->headers_nr].value = hm_xstrndup(value, value_len);
    lower(req->headers[req->headers_nr].name);
    req->headers_nr++;
    return true;
}

static bool parse_request_line(struct sim_req *req, const char *line, size_t len)
{
    const char *sp1 = memchr(line, ' ', len);
    const char *sp2 = sp1 != NULL ? memchr(sp1 + 1, ' ', len - (size_t)(sp1 + 1 - line)) : NULL;
    char *target = NULL;
    char *question = NULL;

    if (sp2 == NULL || sp1 == line || sp2 == sp1 + 1 || strncmp(sp2 + 1, "HTTP/1.", 7) != 0) {
        return false;
    }
    req->method = hm_xstrndup(line, (size_t)(sp1 - line));
    req->keep_alive = sp2[8] == '1';
    target = hm_xstrndup(sp1 + 1, (size_t)(sp2 - sp1 - 1));
    question = strchr(target, '?');
    if (question != NULL) {
        *question = '\0';
        req->query = sim_form_parse_new(question + 1);
    } else {
        req->query = hm_json_obj_new();
    }
    req->path = sim_form_decode(target, strlen(target), false);
    free(target);
    return true;
}

/* Head bytes without the blank line. NULL: malformed. */
static struct sim_req *parse_head(const char *head, size_t len)
{
    struct sim_req *req = hm_xcalloc(1, sizeof(*req));
    size_t at = 0;
    const char *connection = NULL;

    while (at < len) {
        const char *line = head + at;
        const char *end = memmem(line, len - at, "\r\n", 2);
        size_t line_len = end != NULL ? (size_t)(end - line) : len - at;
        bool ok = at == 0 ? parse_request_line(req, line, line_len) : parse_header_line(req, line, line_len);

        if (!ok) {
            req_free(req);
            return NULL;
        }
        at += line_len + 2;
    }
    connection = sim_req_header(req, "connection");
    if (connection != NULL && strcasecmp(connection, "close") == 0) {
        req->keep_alive = false;
    }
    return req;
}

static bool parse_hex(const uint8_t *s, size_t len, size_t *ret_n)
{
    size_t i = 0;
    int digit = 0;

    *ret_n = 0;
    for (i = 0; i < len && (digit = sim_hex_digit((char)s[i])) >= 0; i++) {
        *ret_n = *ret_n * 16 + (size_t)digit;
        if (*ret_n > SIM_HTTP_BODY_MAX) {
            return false;
        }
    }
    return i > 0; /* what follows are chunk extensions */
}

/* Chunked body at data: 1 whole (req->body set, *ret_used), 0 more needed, -1 malformed. */
static int parse_chunked(struct sim_req *req, const uint8_t *data, size_t len, size_t *ret_used)
{
    struct hm_strbuf body;
    size_t at = 0;
    int ret = 0;

    hm_strbuf_init(&body, SIM_HTTP_BODY_MAX);
    for (;;) {
        const uint8_t *eol = memmem(data + at, len - at, "\r\n", 2);
        size_t n = 0;

        if (eol == NULL) {
            break;
        }
        if (!parse_hex(data + at, (size_t)(eol - data) - at, &n)) {
            ret = -1;
            break;
        }
        at = (size_t)(eol - data) + 2;
        if (len - at < n + 2) {
            break;
        }
        hm_strbuf_add(&body, (const char *)data + at, n);
        at += n + 2;
        if (n == 0) {
            ret = 1;
            break;
        }
    }
    if (body.failed) {
        ret = -1;
    }
    if (ret == 1) {
        req->body_len = body.len;
        req->body = hm_strbuf_take(&body);
        *ret_used = at;
    }
    hm_strbuf_done(&body);
    return ret;
}

/* The whole request at the start of the buffer. 1: *ret_req, *ret_used; 0: more needed; -1: malformed. */
static int parse_request(struct http *h, struct sim_req **ret_req, size_t *ret_used)
{
    const uint8_t *blank = memmem(h->in, h->in_len, "\r\n\r\n", 4);
    struct sim_req *req = NULL;
    size_t head_len = 0;
    const char *expect = NULL;
    const char *length = NULL;
    uint32_t n = 0;
    int whole = 1;

    if (blank == NULL) {
        return h->in_len > SIM_HTTP_HEAD_BYTES_MAX ? -1 : 0;
    }
    head_len = (size_t)(blank - h->in) + 4;
    req = parse_head((const char *)h->in, head_len - 4);
    if (req == NULL) {
        return -1;
    }
    length = sim_req_header(req, "content-length");
    if (sim_req_header(req, "transfer-encoding") != NULL) {
        whole = parse_chunked(req, h->in + head_len, h->in_len - head_len, ret_used);
    } else if (length != NULL && !hm_parse_u32(length, SIM_HTTP_BODY_MAX, &n)) {
        whole = -1;
    } else if (h->in_len - head_len < n) {
        whole = 0;
    } else {
        req->body = hm_xstrndup("", 0);
        if (n > 0) {
            free(req->body);
            req->body = hm_xmalloc((size_t)n + 1);
            memcpy(req->body, h->in + head_len, n);
            req->body[n] = '\0';
        }
        req->body_len = n;
        *ret_used = n;
    }
    expect = sim_req_header(req, "expect");
    if (whole == 0 && expect != NULL && !h->continued) {
        h->continued = true;
        sim_conn_write(h->conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    if (whole != 1) {
        req_free(req);
        return whole;
    }
    *ret_used += head_len;
    *ret_req = req;
    return 1;
}

static void on_malformed(struct http *h)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    sim_conn_write(h->conn, answer, sizeof(answer) - 1);
    sim_conn_close(h->conn);
    h->in_len = 0;
}

static bool is_upgrade(const struct sim_req *req)
{
    const char *upgrade = sim_req_header(req, "upgrade");

    return upgrade != NULL && strcasecmp(upgrade, "websocket") == 0;
}

/* Serves what is in the buffer. May end with h gone (upgrade). */
static void pump(struct http *h)
{
    if (h->busy) {
        return;
    }
    h->busy = true;
    while (h->cur == NULL && h->in_len > 0) {
        struct sim_req *req = NULL;
        size_t used = 0;
        int whole = parse_request(h, &req, &used);

        if (whole < 0) {
            on_malformed(h);
            break;
        }
        if (whole == 0) {
            break;
        }
        memmove(h->in, h->in + used, h->in_len - used);
        h->in_len -= used;
        h->continued = false;
        h->cur = req;
        h->hang = false;
        req->conn = h->conn;
        req->arrived_us = sim_now_us();
        if (is_upgrade(req)) {
            struct sim_conn *conn = h->conn;

            h->routes->on_upgrade(h->routes->arg, req);
            if (sim_conn_user(conn) != h) {
                return;
            }
        } else {
            h->routes->on_request(h->routes->arg, req);
        }
    }
    h->busy = false;
}

static void on_data(struct sim_conn *conn, const uint8_t *data, size_t len)
{
    struct http *h = sim_conn_user(conn);

    if (h->in_len + len > (size_t)SIM_HTTP_BODY_MAX + SIM_HTTP_HEAD_BYTES_MAX) {
        on_malformed(h);
        return;
    }
    while (h->in_len + len > h->in_cap) {
        h->in_cap = h->in_cap == 0 ? 8192 : h->in_cap * 2;
        h->in = hm_xreallocarray(h->in, h->in_cap, 1);
    }
    memcpy(h->in + h->in_len, data, len);
    h->in_len += len;
    pump(h);
}

static void http_free(struct http *h)
{
    free(h->in);
    free(h);
}

static void on_close(struct sim_conn *conn)
{
    struct http *h = sim_conn_user(conn);
    struct sim_req *req = h->cur;

    if (req != NULL) {
        req->conn = NULL;
        if (h->hang) {
            req_free(req);
        } else if (req->on_gone != NULL) {
            req->on_gone(req, req->gone_arg);
        }
    }
    http_free(h);
}

static const struct sim_conn_ops http_ops = {.on_data = on_data, .on_close = on_close};

void sim_http_serve(struct sim_conn *conn, const struct sim_http_routes *routes)
{
    struct http *h = hm_xcalloc(1, sizeof(*h));

    h->conn = conn;
    h->routes = routes;
    sim_conn_set(conn, &http_ops, h);
}

static const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    default:
        return "Status";
    }
}

void sim_http_reply(struct sim_req *req, int status, const char *type, const char *extra, const void *body, size_t len)
{
    struct http *h = NULL;
    char *head = NULL;
    bool keep = req->keep_alive;

    if (req->conn == NULL) {
        req_free(req);
        return;
    }
    h = sim_conn_user(req->conn);
    head = hm_xasprintf(
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\nCache-Control: no-store\r\n%s\r\n",
        status, status_text(status), type, len, keep ? "keep-alive" : "close", extra != NULL ? extra : "");
    sim_conn_write(req->conn, head, strlen(head));
    free(head);
    if (len > 0 && strcmp(req->method, "HEAD") != 0) {
        sim_conn_write(req->conn, body, len);
    }
    if (!keep) {
        sim_conn_close(req->conn);
    }
    h->cur = NULL;
    req_free(req);
    if (keep) {
        pump(h);
    }
}

void sim_http_reply_json(struct sim_req *req, int status, const char *extra, json_t *stolen_body)
{
    char *text = json_dumps(stolen_body, JSON_COMPACT | JSON_REAL_PRECISION(9));

    json_decref(stolen_body);
    sim_http_reply(req, status, "application/json; charset=utf-8", extra, text != NULL ? text : "{}",
                   text != NULL ? strlen(text) : 2);
    free(text);
}

void sim_http_drop(struct sim_req *req)
{
    if (req->conn != NULL) {
        struct http *h = sim_conn_user(req->conn);

        h->cur = NULL;
        h->in_len = 0;
        sim_conn_reset(req->conn);
    }
    req_free(req);
}

void sim_http_hang(struct sim_req *req)
{
    if (req->conn == NULL) {
        req_free(req);
    } else {
        struct http *h = sim_conn_user(req->conn);

        h->hang = true;
    }
}

void sim_http_forget(struct sim_req *req)
{
    req_free(req);
}

void sim_http_stream(struct sim_req *req, const char *type)
{
    char *head =
        hm_xasprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", type);

    req->streaming = true;
    if (req->conn != NULL) {
        sim_conn_write(req->conn, head, strlen(head));
    }
    free(head);
}

void sim_http_stream_write(struct sim_req *req, const char *data, size_t len)
{
    if (req->conn != NULL) {
        sim_conn_write(req->conn, data, len);
    }
}

struct sim_conn *sim_http_upgrade(struct sim_req *req, const char *accept, uint8_t **ret_rest, size_t *ret_rest_len)
{
    struct sim_conn *conn = req->conn;
    struct http *h = sim_conn_user(conn);
    char *head = hm_xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: %s\r\n\r\n",
                              accept);

    sim_conn_write(conn, head, strlen(head));
    free(head);
    *ret_rest = h->in;
    *ret_rest_len = h->in_len;
    h->in = NULL;
    sim_conn_set(conn, NULL, NULL);
    http_free(h);
    req_free(req);
    return conn;
}
