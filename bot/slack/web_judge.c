/* Judging answers: see web_judge.h. */
#include "slack/web_judge.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum {
    HOLD_MS = 30 * 1000, /* a 429 that does not say how long */
    MAX_HOLD_MS = 15 * 60 * 1000,
    MAX_WORD = 64
};

/* An error word for our own use: nothing but the letters that Slack uses there. */
static const char *safe_word(const char *word)
{
    size_t len = strlen(word);
    if (len == 0 || len > MAX_WORD || strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") != len)
        return "unreadable_error";
    return word;
}

/* Slack names the scope that is missing, and says which field of which block it dislikes. */
static void add_details(struct hm_web_verdict *v, const json_t *body)
{
    const char *needed = hm_json_get_str(body, "needed", "");
    const json_t *message = hm_json_get_path(body, "response_metadata.messages.0");
    if (needed[0] != '\0')
        (void)hm_err_set(&v->sentence, v->code, "%s (needed: %.100s)", v->sentence.msg, needed);
    if (json_is_string(message))
        (void)hm_err_set(&v->sentence, v->code, "%s: %.200s", v->sentence.msg, json_string_value(message));
}

static void judge_word(struct hm_web_verdict *v, const struct hm_web_method *method, const json_t *body, const char *word)
{
    const struct hm_web_error *known = hm_web_error_find(word);

    v->error = safe_word(word);
    if (hm_streq(method->done_word, word)) {
        v->kind = HM_WEB_VERDICT_DONE;
        return;
    }
    if (known == NULL) {
        v->kind = HM_WEB_VERDICT_REFUSED;
        v->code = HM_EINVAL;
        (void)hm_err_set(&v->sentence, v->code, "Slack refused with `%s`", v->error);
        add_details(v, body);
        return;
    }
    v->code = known->code;
    v->fatal = known->fatal;
    (void)hm_err_set(&v->sentence, v->code, "%s", known->sentence);
    switch (known->effect) {
    case HM_WEB_REFUSED:
        v->kind = HM_WEB_VERDICT_REFUSED;
        add_details(v, body);
        break;
    case HM_WEB_TRY_AGAIN:
        v->kind = HM_WEB_VERDICT_AGAIN;
        break;
    case HM_WEB_HELD:
        v->kind = HM_WEB_VERDICT_HELD;
        break;
    case HM_WEB_MAYBE:
        v->kind = HM_WEB_VERDICT_MAYBE;
        break;
    }
}

static void judge_status(struct hm_web_verdict *v, int status)
{
    v->code = HM_EIO;
    if (status == 200)
        (void)hm_err_set(&v->sentence, v->code, "Slack's answer can not be read");
    else
        (void)hm_err_set(&v->sentence, v->code, "Slack answered with HTTP %d", status);
    if (status == 404 || status == 401 || status == 403 || (status >= 300 && status < 400)) {
        v->kind = HM_WEB_VERDICT_REFUSED; /* not Slack's API at all: slack.api_url, or a proxy in between */
        v->code = HM_EENV;
        v->fatal = true;
        (void)hm_err_set(&v->sentence, v->code, "HTTP %d instead of an answer of Slack's API; check slack.api_url and the proxy",
                         status);
    } else if (status >= 400 && status < 500) {
        v->kind = HM_WEB_VERDICT_REFUSED;
    } else {
        v->kind = HM_WEB_VERDICT_MAYBE;
    }
}

static void judge_answer(struct hm_web_verdict *v, const struct hm_web_method *method, const struct hm_answer *a,
                         const json_t *body)
{
    const char *word = hm_json_get_str(body, "error", "");

    if (a->status == 429) {
        v->kind = HM_WEB_VERDICT_HELD;
        v->code = HM_EIO;
        v->error = "ratelimited";
        (void)hm_err_set(&v->sentence, v->code, "Slack asks to slow down");
    } else if (hm_json_get_bool(body, "ok", false) && a->status == 200) {
        v->kind = HM_WEB_VERDICT_DONE;
    } else if (word[0] != '\0') {
        judge_word(v, method, body, word);
    } else {
        judge_status(v, a->status);
    }
    if (v->kind == HM_WEB_VERDICT_HELD) {
        int64_t wait_ms = a->retry_after_s >= 0 ? a->retry_after_s * 1000 : HOLD_MS;
        v->wait_ms = wait_ms < MAX_HOLD_MS ? wait_ms : MAX_HOLD_MS;
    }
}

/* A response_url answers with the text "ok", with JSON, or with an HTTP status alone. */
static void judge_url_answer(struct hm_web_verdict *v, const struct hm_web_method *method, const struct hm_answer *a,
                             const json_t *body)
{
    const char *word = hm_json_get_str(body, "error", "");

    if (a->status == 200 && word[0] == '\0') {
        v->kind = HM_WEB_VERDICT_DONE;
    } else if (a->status == 429 || a->status >= 500 || word[0] != '\0') {
        judge_answer(v, method, a, body);
    } else {
        v->kind = HM_WEB_VERDICT_REFUSED;
        v->code = HM_ENOTFOUND;
        (void)hm_err_set(&v->sentence, v->code, "Slack does not take the answer any more (HTTP %d)", a->status);
    }
}

void hm_web_judge(const struct hm_web_method *method, const struct hm_answer *a, const json_t *body,
                  struct hm_web_verdict *ret_verdict)
{
    struct hm_web_verdict *v = ret_verdict;

    *v = (struct hm_web_verdict){.kind = HM_WEB_VERDICT_DONE, .code = HM_OK, .error = ""};
    switch (a->transport) {
    case HM_TRANSPORT_ANSWER:
        if (method == hm_web_method_response_url() || method == hm_web_method_upload())
            judge_url_answer(v, method, a, body);
        else
            judge_answer(v, method, a, body);
        break;
    case HM_TRANSPORT_NOT_SENT:
        v->kind = HM_WEB_VERDICT_AGAIN;
        v->code = HM_EIO;
        (void)hm_err_set(&v->sentence, v->code, "Slack can not be reached: %s", a->problem);
        break;
    case HM_TRANSPORT_TIMEOUT:
    case HM_TRANSPORT_BROKEN:
    case HM_TRANSPORT_TOO_BIG:
    case HM_TRANSPORT_NR:
        v->kind = HM_WEB_VERDICT_MAYBE;
        v->code = HM_EIO;
        (void)hm_err_set(&v->sentence, v->code, "Slack: %s", a->problem);
        break;
    }
    if (v->kind == HM_WEB_VERDICT_DONE)
        v->code = HM_OK;
    hm_web_redact(v->sentence.msg);
}
