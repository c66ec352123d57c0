/* HTTP statuses and bodies into verdicts and sentences. A sentence says what came, what that means for the world, and what to do.
 */
#include "handlers/http_answer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { SAID_MAX = 160, BODY_LOOKED_AT = 4096 };

static enum hm_code code_of(enum hm_verdict verdict)
{
    switch (verdict) {
    case HM_VERDICT_OK:
    case HM_VERDICT_MORE:
        return HM_OK;
    case HM_VERDICT_RETRYABLE:
        return HM_EIO;
    case HM_VERDICT_PERMANENT:
        return HM_EINVAL;
    case HM_VERDICT_NOT_FOUND:
        return HM_ENOTFOUND;
    case HM_VERDICT_MAYBE:
        return HM_EUNKNOWN;
    case HM_VERDICT_NR:
        break;
    }
    return HM_EBUG;
}

enum hm_verdict hm_outcome_fail(struct hm_outcome *out, enum hm_verdict verdict, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;

    hm_strbuf_init(&text, HM_ERR_MAX);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    (void)hm_err_set(&out->err, code_of(verdict), "%s", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return verdict;
}

void hm_request_add_backend_headers(struct hm_request *req, const struct hm_backend *backend)
{
    for (void *i = json_object_iter(backend->headers); i != NULL; i = json_object_iter_next(backend->headers, i))
        hm_request_add_header(req, json_object_iter_key(i), json_string_value(json_object_iter_value(i)));
}

bool hm_http_is_page(const struct hm_answer *answer)
{
    if (strncasecmp(answer->content_type, "text/html", strlen("text/html")) == 0)
        return true;
    const char *body = answer->body + strspn(answer->body, " \t\r\n");
    return strncasecmp(body, "<!doctype html", strlen("<!doctype html")) == 0 || strncasecmp(body, "<html", strlen("<html")) == 0;
}

/* ": what the backend said", short and on one line, or "". The caller frees. */
static char *said(const struct hm_answer *answer)
{
    struct hm_strbuf out;
    size_t len = answer->body_len < BODY_LOOKED_AT ? answer->body_len : BODY_LOOKED_AT;
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, BODY_LOOKED_AT, NULL);
    const char *message = hm_json_get_str(json, "message", hm_json_get_str(json, "error", hm_json_get_str(json, "detail", NULL)));
    bool quiet = hm_http_is_page(answer) || (json != NULL && message == NULL && json_object_size(json) == 0);

    hm_strbuf_init(&out, SAID_MAX + 10);
    char *clean = message != NULL ? hm_utf8_clean(message, strlen(message)) : hm_utf8_clean(answer->body, quiet ? 0 : len);
    const char *p = clean + strspn(clean, " \t\n");
    if (*p != '\0')
        hm_strbuf_adds(&out, ": ");
    size_t cut = hm_utf8_prefix(p, SAID_MAX);
    for (size_t i = 0; i < cut; i++) {
        bool space = p[i] == '\n' || p[i] == '\t' || p[i] == ' ';
        if (space && (p[i + 1] == '\0' || p[i + 1] == ' ' || p[i + 1] == '\n' || p[i + 1] == '\t'))
            continue;
        hm_strbuf_add(&out, space ? " " : &p[i], 1);
    }
    bool whole = p[cut] == '\0';
    if (!whole)
        hm_strbuf_adds(&out, "…");
    free(clean);
    json_decref(json);
    char *text = hm_strbuf_take(&out);
    for (size_t n = strlen(text); whole && n > 2 && strchr(".;, ", text[n - 1]) != NULL; n--)
        text[n - 1] = '\0'; /* our own sentence goes on behind it */
    return text;
}

static enum hm_verdict judge_refusal(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *system = asked->system, *name = asked->backend->name;
    enum hm_verdict verdict = HM_VERDICT_PERMANENT;
    char *text = said(answer);

    switch (answer->status) {
    case 401:
        (void)hm_outcome_fail(out, verdict, "%s refused the bot's credentials (HTTP 401): check `auth` of backend %s", system,
                              name);
        break;
    case 403:
        (void)hm_outcome_fail(out, verdict,
                              "%s does not allow this to the bot (HTTP 403)%s: check the rights behind `auth` of backend %s",
                              system, text, name);
        break;
    case 404:
        if (asked->thing != NULL)
            verdict =
                hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "%s knows no %s (HTTP 404); nothing was done", system, asked->thing);
        else
            (void)hm_outcome_fail(out, verdict, "nothing of %s lives at this address (HTTP 404): check `url` of backend %s",
                                  system, name);
        break;
    case 408:
        verdict =
            hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "%s gave up waiting for the request (HTTP 408); nothing was done", system);
        break;
    case 429:
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "%s wants fewer requests (HTTP 429); nothing was done", system);
        out->wait_ms = answer->retry_after_s > 0 ? answer->retry_after_s * 1000 : 0;
        break;
    default:
        (void)hm_outcome_fail(out, verdict, "%s refused (HTTP %d)%s", system, answer->status, text);
        break;
    }
    free(text);
    return verdict;
}

static enum hm_verdict judge_failure(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *out)
{
    char *text = said(answer);
    enum hm_verdict verdict;
    if (answer->status == 501 || answer->status == 505) {
        verdict =
            hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%s can not do this (HTTP %d)%s", asked->system, answer->status, text);
    } else if (asked->write) {
        verdict = hm_outcome_fail(out, HM_VERDICT_MAYBE, "%s failed (HTTP %d)%s; it may have happened or not", asked->system,
                                  answer->status, text);
    } else {
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "%s failed (HTTP %d)%s", asked->system, answer->status, text);
    }
    if (verdict != HM_VERDICT_PERMANENT && answer->retry_after_s > 0)
        out->wait_ms = answer->retry_after_s * 1000;
    free(text);
    return verdict;
}

enum hm_verdict hm_http_judge(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *ret_out)
{
    if (answer->status >= 200 && answer->status < 300) {
        if (!hm_http_is_page(answer))
            return HM_VERDICT_OK;
        if (asked->write)
            return hm_outcome_fail(
                ret_out, HM_VERDICT_MAYBE,
                "a web page answered instead of %s (HTTP %d): a proxy or a sign-in page may stand between; it may have "
                "happened or not: check `url` and `auth` of backend %s",
                asked->system, answer->status, asked->backend->name);
        return hm_outcome_fail(
            ret_out, HM_VERDICT_PERMANENT,
            "a web page answered instead of %s (HTTP %d): a proxy or a sign-in page may stand between: check `url` and "
            "`auth` of backend %s",
            asked->system, answer->status, asked->backend->name);
    }
    if (answer->status >= 300 && answer->status < 400) {
        char *to = hm_utf8_clean(answer->location, hm_utf8_prefix(answer->location, SAID_MAX));
        if (answer->status == 303 && asked->write) { /* "see other": that is where a request that was carried out sends one */
            (void)hm_outcome_fail(
                ret_out, HM_VERDICT_MAYBE,
                "%s answered with another address (HTTP 303%s%s), which is not looked at; it may have happened or not",
                asked->system, to[0] != '\0' ? ", " : "", to);
            free(to);
            return HM_VERDICT_MAYBE;
        }
        (void)hm_outcome_fail(
            ret_out, HM_VERDICT_PERMANENT,
            "%s sent the bot elsewhere (HTTP %d%s%s); redirects are not followed, nothing was done: check `url` of backend %s",
            asked->system, answer->status, to[0] != '\0' ? ", " : "", to, asked->backend->name);
        free(to);
        return HM_VERDICT_PERMANENT;
    }
    if (answer->status >= 400 && answer->status < 500)
        return judge_refusal(asked, answer, ret_out);
    return judge_failure(asked, answer, ret_out);
}
