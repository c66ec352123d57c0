/* Requests and answers of HTTP backends that speak JSON: see http_request.h. */
#include "handlers/http_request.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"

enum { PATH_TEXT_MAX = 16 * 1024 };

void hm_request_begin(struct hm_request *req, const struct hm_backend *backend, const char *method, const char *path_fmt, ...)
{
    struct hm_strbuf path;
    va_list ap;
    hm_strbuf_init(&path, PATH_TEXT_MAX);
    va_start(ap, path_fmt);
    hm_strbuf_addv(&path, path_fmt, ap);
    va_end(ap);
    req->kind = HM_REQUEST_HTTP;
    req->method = hm_xstrdup(method);
    req->url = hm_xasprintf("%s%s", backend->url, hm_strbuf_str(&path));
    hm_strbuf_done(&path);
    hm_request_add_backend_headers(req, backend);
}

void hm_request_add_query(struct hm_request *req, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    char *encoded = hm_url_encode(value);
    char *url = hm_xasprintf("%s%s%s=%s", req->url, strchr(req->url, '?') != NULL ? "&" : "?", name, encoded);
    free(encoded);
    free(req->url);
    req->url = url;
}

void hm_request_set_json(struct hm_request *req, json_t *stolen_body)
{
    hm_request_add_header(req, "Content-Type", "application/json");
    req->body = hm_json_text(stolen_body);
    req->body_len = strlen(req->body);
    json_decref(stolen_body);
}

void hm_request_add_form(struct hm_request *req, const char *name, const char *value)
{
    if (value == NULL)
        return;
    if (req->body == NULL)
        hm_request_add_header(req, "Content-Type", "application/x-www-form-urlencoded");
    char *key = hm_url_encode(name), *encoded = hm_url_encode(value);
    const char *before = req->body != NULL ? req->body : "";
    char *body = hm_xasprintf("%s%s%s=%s", before, before[0] != '\0' ? "&" : "", key, encoded);
    free(encoded);
    free(key);
    free(req->body);
    req->body = body;
    req->body_len = strlen(body);
}

void hm_request_set_empty(struct hm_request *req)
{
    req->body = hm_xstrdup("");
    req->body_len = 0;
}

enum hm_verdict hm_http_read_json(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                                  struct hm_outcome *ret_out)
{
    *ret_json = NULL;
    enum hm_verdict verdict = hm_http_judge(asked, answer, ret_out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    if (json_is_object(json) || json_is_array(json)) {
        *ret_json = json;
        return HM_VERDICT_OK;
    }
    json_decref(json);
    return hm_outcome_fail(ret_out, asked->write ? HM_VERDICT_MAYBE : HM_VERDICT_RETRYABLE,
                           "the answer of %s is not JSON (HTTP %d, %zu bytes, type \"%.60s\")%s", asked->system, answer->status,
                           answer->body_len, answer->content_type, asked->write ? "; it may have happened or not" : "");
}

enum hm_verdict hm_http_odd(const struct hm_http_asked *asked, struct hm_outcome *out, const char *what)
{
    if (asked->write)
        return hm_outcome_fail(out, HM_VERDICT_MAYBE, "%s's answer is not as expected: %s; it may have happened or not",
                               asked->system, what);
    return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%s's answer is not as expected: %s", asked->system, what);
}
