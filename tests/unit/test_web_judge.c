/* What answers of the Web API mean, and that no token gets into a sentence. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/web_judge.h"

struct judged {
    const char *method;
    enum hm_transport transport;
    int status;
    const char *body;
    int64_t retry_after_s;
    enum hm_web_verdict_kind kind;
    enum hm_code code;
    bool fatal;
    int64_t wait_ms;
    const char *says; /* part of the sentence */
};

#define ANSWER HM_TRANSPORT_ANSWER
#define DONE   HM_WEB_VERDICT_DONE
#define NO     HM_WEB_VERDICT_REFUSED
#define HELD   HM_WEB_VERDICT_HELD
#define AGAIN  HM_WEB_VERDICT_AGAIN
#define MAYBE  HM_WEB_VERDICT_MAYBE

static const struct judged table[] = {
    {"chat.update", ANSWER, 200, "{\"ok\":true}", -1, DONE, HM_OK, false, 0, ""},
    {"chat.update", ANSWER, 429, "", 7, HELD, HM_EIO, false, 7000, "slow down"},
    {"chat.update", ANSWER, 429, "", 0, HELD, HM_EIO, false, 0, "slow down"},
    {"chat.update", ANSWER, 429, "{\"ok\":false,\"error\":\"ratelimited\"}", -1, HELD, HM_EIO, false, 30000, "slow down"},
    {"chat.update", ANSWER, 429, "", 999999, HELD, HM_EIO, false, 900000, "slow down"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"rate_limited\"}", -1, HELD, HM_EIO, false, 30000, "slow down"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"not_in_channel\"}", -1, NO, HM_EPERM, false, 0, "/invite"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"invalid_auth\"}", -1, NO, HM_EENV, true, 0, "token"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"chat:write\"}", -1, NO, HM_EENV,
     true, 0, "(needed: chat:write)"},
    {"chat.postMessage", ANSWER, 200,
     "{\"ok\":false,\"error\":\"invalid_blocks\",\"response_metadata\":{\"messages\":[\"[ERROR] must be shorter\"]}}", -1, NO,
     HM_EBUG, false, 0, "must be shorter"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"brand_new_word\"}", -1, NO, HM_EINVAL, false, 0,
     "`brand_new_word`"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"<!channel> hi\"}", -1, NO, HM_EINVAL, false, 0,
     "`unreadable_error`"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"internal_error\"}", -1, MAYBE, HM_EIO, false, 0, "internal"},
    {"chat.postMessage", ANSWER, 503, "{\"ok\":false,\"error\":\"service_unavailable\"}", -1, MAYBE, HM_EIO, false, 0,
     "not available"},
    {"chat.postMessage", ANSWER, 502, "<html>", -1, MAYBE, HM_EIO, false, 0, "HTTP 502"},
    {"chat.postMessage", ANSWER, 200, "<html>", -1, MAYBE, HM_EIO, false, 0, "can not be read"},
    {"chat.postMessage", ANSWER, 200, "{}", -1, MAYBE, HM_EIO, false, 0, "can not be read"},
    {"chat.postMessage", ANSWER, 404, "<html>", -1, NO, HM_EENV, true, 0, "slack.api_url"},
    {"chat.postMessage", ANSWER, 302, "", -1, NO, HM_EENV, true, 0, "slack.api_url"},
    {"chat.postMessage", ANSWER, 413, "", -1, NO, HM_EIO, false, 0, "HTTP 413"},
    {"chat.postMessage", HM_TRANSPORT_NOT_SENT, 0, "", -1, AGAIN, HM_EIO, false, 0, "can not be reached: because"},
    {"chat.postMessage", HM_TRANSPORT_TIMEOUT, 0, "", -1, MAYBE, HM_EIO, false, 0, "because"},
    {"chat.postMessage", HM_TRANSPORT_BROKEN, 0, "", -1, MAYBE, HM_EIO, false, 0, "because"},
    {"chat.postMessage", HM_TRANSPORT_TOO_BIG, 0, "", -1, MAYBE, HM_EIO, false, 0, "because"},
    {"chat.postMessage", ANSWER, 200, "{\"ok\":false,\"error\":\"team_added_to_org\"}", -1, AGAIN, HM_EIO, false, 0, "moved"},
    {"reactions.add", ANSWER, 200, "{\"ok\":false,\"error\":\"already_reacted\"}", -1, DONE, HM_OK, false, 0, ""},
    {"chat.delete", ANSWER, 200, "{\"ok\":false,\"error\":\"message_not_found\"}", -1, DONE, HM_OK, false, 0, ""},
    {"chat.update", ANSWER, 200, "{\"ok\":false,\"error\":\"message_not_found\"}", -1, NO, HM_ENOTFOUND, false, 0,
     "does not exist"},
    {"response_url", ANSWER, 200, "ok", -1, DONE, HM_OK, false, 0, ""},
    {"response_url", ANSWER, 200, "", -1, DONE, HM_OK, false, 0, ""},
    {"response_url", ANSWER, 200, "{\"ok\":true}", -1, DONE, HM_OK, false, 0, ""},
    {"response_url", ANSWER, 404, "{\"ok\":false,\"error\":\"expired_url\"}", -1, NO, HM_ENOTFOUND, false, 0, "too late"},
    {"response_url", ANSWER, 404, "nothing here", -1, NO, HM_ENOTFOUND, false, 0, "HTTP 404"},
    {"response_url", ANSWER, 500, "", -1, MAYBE, HM_EIO, false, 0, "HTTP 500"},
    {"response_url", ANSWER, 429, "", 3, HELD, HM_EIO, false, 3000, "slow down"},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        const struct judged *j = &table[i];
        struct hm_web_verdict v;
        struct hm_answer a = {.transport = j->transport,
                              .status = j->status,
                              .body = j->body,
                              .body_len = strlen(j->body),
                              .retry_after_s = j->retry_after_s,
                              .problem = "because"};
        const struct hm_web_method *m =
            hm_streq(j->method, "response_url") ? hm_web_method_response_url() : hm_web_method_find(j->method);
        json_t *body = hm_json_parse_new(j->body, strlen(j->body), 10000, NULL);
        hm_web_judge(m, &a, body, &v);
        if (v.kind != j->kind || v.code != j->code || v.fatal != j->fatal || v.wait_ms != j->wait_ms ||
            strstr(v.sentence.msg, j->says) == NULL)
            fail_msg("row %zu: %s HTTP %d %s: kind %d code %s fatal %d wait %ld: %s", i, j->method, j->status, j->body,
                     (int)v.kind, hm_code_name(v.code), v.fatal, (long)v.wait_ms, v.sentence.msg);
        json_decref(body);
    }
}

static void test_redaction(void **state)
{
    static const char *const rows[][2] = {
        {"token xoxb-12-abc_D.e here", "token xoxb-********** here"},
        {"xapp-1-A-b", "xapp-*****"},
        {"wss://x/link/?ticket=a-b&app_id=1", "wss://x/link/?ticket=***&app_id=1"},
        {"https://hooks.slack.com/actions/T1/2/x y", "https://hooks.slack.com/************** y"},
        {"xoxb-a xoxb-b", "xoxb-* xoxb-*"},
        {"xoxb-", "xoxb-"},
        {"nothing", "nothing"},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        char *text = hm_xstrdup(rows[i][0]);
        hm_web_redact(text);
        assert_string_equal(text, rows[i][1]);
        free(text);
    }
}

static void test_sentence_is_redacted(void **state)
{
    struct hm_web_verdict v;
    struct hm_answer a = {.transport = HM_TRANSPORT_BROKEN, .body = "", .problem = "proxy said xoxb-secret"};
    (void)state;
    hm_web_judge(hm_web_method_find("auth.test"), &a, NULL, &v);
    assert_null(strstr(v.sentence.msg, "secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_redaction),
        cmocka_unit_test(test_sentence_is_redacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
