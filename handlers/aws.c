/* AWS' way of saying no: see aws.h. */
#include "handlers/aws.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum { CODE_MAX = 80, MESSAGE_MAX = 300 };

/* It refused because too much was asked of it, and did nothing. */
static const char *const slow_down[] = {
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "Unavailable",
    "ServiceUnavailable",
};

/* The keys, their rights or the signature. */
static const char *const keys[] = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
};

static bool is_among(const char *code, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(code, list[i]) == 0)
            return true;
    return false;
}

enum hm_verdict hm_aws_judge(const struct hm_http_asked *asked, const struct hm_answer *answer, const char *code,
                             const char *message, struct hm_outcome *out)
{
    if (code[0] == '\0')
        return hm_http_judge(asked, answer, out);
    char *clean_code = hm_utf8_clean(code, hm_utf8_prefix(code, CODE_MAX));
    char *clean = hm_utf8_clean(message, hm_utf8_prefix(message, MESSAGE_MAX));
    enum hm_verdict verdict = HM_VERDICT_PERMANENT;
    if (is_among(code, slow_down, HM_ARRAY_LEN(slow_down))) {
        out->wait_ms = answer->retry_after_s > 0 ? answer->retry_after_s * 1000 : 0;
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "%s is asked too much just now, and did nothing (%s: %s)",
                                  asked->system, clean_code, clean);
    } else if (is_among(code, keys, HM_ARRAY_LEN(keys))) {
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%s refuses the keys of backend %s (%s: %s); nothing was done",
                                  asked->system, asked->backend->name, clean_code, clean);
    } else if (answer->status >= 500) {
        verdict = hm_outcome_fail(out, asked->write ? HM_VERDICT_MAYBE : HM_VERDICT_RETRYABLE, "%s has trouble (%s: %s)%s",
                                  asked->system, clean_code, clean, asked->write ? "; it may have happened or not" : "");
    } else {
        verdict =
            hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%s refused (%s: %s); nothing was done", asked->system, clean_code, clean);
    }
    free(clean);
    free(clean_code);
    return verdict;
}

static const char *text_or_empty(const struct hm_xml_node *node, const char *path)
{
    const char *text = hm_xml_text(node, path);
    return text != NULL ? text : "";
}

static enum hm_verdict judge_xml_error(const struct hm_http_asked *asked, const struct hm_answer *answer,
                                       const struct hm_xml *xml, struct hm_outcome *out)
{
    static const char *const places[] = {"Errors/Error", "Error"};
    const struct hm_xml_node *error = strcmp(hm_xml_name(hm_xml_root(xml)), "Error") == 0 ? hm_xml_root(xml) : NULL;
    for (size_t i = 0; i < HM_ARRAY_LEN(places) && error == NULL; i++)
        error = hm_xml_find(hm_xml_root(xml), places[i]);
    return hm_aws_judge(asked, answer, text_or_empty(error, "Code"), text_or_empty(error, "Message"), out);
}

enum hm_verdict hm_aws_read_xml(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_xml **ret_xml,
                                struct hm_outcome *out)
{
    struct hm_err why = {0};
    bool good = answer->status >= 200 && answer->status < 300;
    *ret_xml = NULL;
    struct hm_xml *xml = hm_http_is_page(answer) ? NULL : hm_xml_parse(answer->body, answer->body_len, &why);
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (good && xml != NULL) {
        *ret_xml = xml;
        return HM_VERDICT_OK;
    }
    if (xml != NULL)
        verdict = judge_xml_error(asked, answer, xml, out);
    else
        verdict = hm_http_judge(asked, answer, out);
    if (verdict == HM_VERDICT_OK)
        verdict = hm_outcome_fail(out, asked->write ? HM_VERDICT_MAYBE : HM_VERDICT_RETRYABLE,
                                  "the answer of %s can not be read (%s)%s", asked->system, why.msg,
                                  asked->write ? "; it may have happened or not" : "");
    hm_xml_free(xml);
    return verdict;
}

char *hm_aws_time(const char *text)
{
    char buf[HM_TIME_MAX];
    int64_t ms = 0;
    if (text == NULL || !hm_parse_time(text, &ms))
        return NULL;
    (void)hm_format_time(ms - (ms % 1000 + 1000) % 1000, buf);
    buf[19] = 'Z'; /* instead of the milliseconds */
    buf[20] = '\0';
    return hm_xstrdup(buf);
}

bool hm_aws_name_ok(const char *name, const char *others, size_t max)
{
    size_t len = strlen(name);
    if (len == 0 || len > max)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && strchr(others, c) == NULL)
            return false;
    }
    return true;
}
