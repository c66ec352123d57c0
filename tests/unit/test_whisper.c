/* Ephemeral messages and their second way. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/whisper.h"

struct call {
    char *method;
    json_t *args;
    hm_web_fn on_done;
    void *arg;
};
static struct call calls[8];
static unsigned n_calls;
static int ended; /* times, and how: */
static enum hm_code ended_code;

static void fake_call(void *arg, const char *method, json_t *stolen_args, hm_web_fn on_done, void *done_arg)
{
    (void)arg;
    calls[n_calls++] = (struct call){.method = hm_xstrdup(method), .args = stolen_args, .on_done = on_done, .arg = done_arg};
}

static const struct hm_poster_slack seam = {.call = fake_call, .respond = fake_call};

static void on_done(void *arg, enum hm_code code, const char *sentence)
{
    (void)arg;
    (void)sentence;
    ended++;
    ended_code = code;
}

static void answer(unsigned i, enum hm_code code)
{
    struct hm_web_answer a = {.code = code, .error = "x", .sentence = "y"};
    calls[i].on_done(calls[i].arg, &a);
}

static int set_up(void **state)
{
    (void)state;
    n_calls = 0;
    ended = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_calls; i++) {
        json_decref(calls[i].args);
        free(calls[i].method);
    }
    return 0;
}

static void whisper(const char *response_url)
{
    struct hm_whisper to = {.channel = "C1", .user = "U1", .thread_ts = "1.1", .response_url = response_url};
    json_t *content = hm_json_obj_new();
    hm_json_set_str(content, "text", "psst");
    hm_whisper_send(&seam, &to, content, on_done, NULL);
}

static void test_first_way(void **state)
{
    (void)state;
    whisper("http://r");
    assert_int_equal(n_calls, 1);
    assert_string_equal(calls[0].method, "chat.postEphemeral");
    assert_string_equal(hm_json_get_str(calls[0].args, "channel", ""), "C1");
    assert_string_equal(hm_json_get_str(calls[0].args, "user", ""), "U1");
    assert_string_equal(hm_json_get_str(calls[0].args, "thread_ts", ""), "1.1");
    assert_string_equal(hm_json_get_str(calls[0].args, "text", ""), "psst");
    answer(0, HM_OK);
    assert_int_equal(n_calls, 1);
    assert_int_equal(ended, 1);
    assert_int_equal(ended_code, HM_OK);
}

static void test_second_way(void **state)
{
    (void)state;
    whisper("http://r");
    answer(0, HM_EPERM);
    assert_int_equal(ended, 0);
    assert_int_equal(n_calls, 2);
    assert_string_equal(calls[1].method, "http://r");
    assert_string_equal(hm_json_get_str(calls[1].args, "response_type", ""), "ephemeral");
    assert_false(hm_json_get_bool(calls[1].args, "replace_original", true));
    assert_string_equal(hm_json_get_str(calls[1].args, "text", ""), "psst");
    answer(1, HM_ENOTFOUND);
    assert_int_equal(n_calls, 2);
    assert_int_equal(ended, 1);
    assert_int_equal(ended_code, HM_ENOTFOUND);
}

static void test_no_second_way(void **state)
{
    (void)state;
    whisper(NULL);
    answer(0, HM_EPERM);
    assert_int_equal(ended_code, HM_EPERM);
    whisper("http://r");
    answer(1, HM_EUNKNOWN); /* it may have been seen; twice is better than never */
    assert_int_equal(n_calls, 3);
    assert_int_equal(ended, 1);
    answer(2, HM_OK);
    assert_int_equal(ended, 2);
    assert_int_equal(ended_code, HM_OK);
}

static void answer_with(unsigned i, json_t *stolen_body)
{
    const struct hm_web_answer a = {.code = HM_OK, .error = "", .sentence = "", .body = stolen_body};
    calls[i].on_done(calls[i].arg, &a);
    json_decref(stolen_body);
}

/* Somebody who is not in the channel, or who asked from nowhere, is told directly. */
static void test_direct(void **state)
{
    (void)state;
    for (int from_nowhere = 0; from_nowhere < 2; from_nowhere++) {
        unsigned at = n_calls;
        struct hm_whisper to = {.channel = from_nowhere ? "" : "C1", .user = "U1", .direct = true};
        json_t *content = hm_json_obj_new();
        hm_json_set_str(content, "text", "psst");
        hm_whisper_send(&seam, &to, content, on_done, NULL);
        if (!from_nowhere)
            answer(at++, HM_EPERM);
        assert_string_equal(calls[at].method, "conversations.open");
        assert_string_equal(hm_json_get_str(calls[at].args, "users", ""), "U1");
        json_t *body = hm_json_obj_new();
        json_t *channel = hm_json_obj_new();
        hm_json_set_str(channel, "id", "D1");
        hm_json_set(body, "channel", channel);
        answer_with(at, body);
        assert_string_equal(calls[at + 1].method, "chat.postMessage");
        assert_string_equal(hm_json_get_str(calls[at + 1].args, "channel", ""), "D1");
        assert_string_equal(hm_json_get_str(calls[at + 1].args, "text", ""), "psst");
        answer(at + 1, HM_EPERM); /* not tried for ever */
        assert_int_equal(ended, from_nowhere + 1);
        assert_int_equal(ended_code, HM_EPERM);
    }
}

/* An answer that names no conversation: nobody was told anything, which may be tried later. */
static void test_direct_to_nowhere(void **state)
{
    (void)state;
    struct hm_whisper to = {.channel = "", .user = "U1", .direct = true};
    json_t *content = hm_json_obj_new();
    hm_json_set_str(content, "text", "psst");
    hm_whisper_send(&seam, &to, content, on_done, NULL);
    answer_with(0, hm_json_obj_new());
    assert_int_equal(n_calls, 1);
    assert_int_equal(ended, 1);
    assert_int_equal(ended_code, HM_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_second_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_second_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_direct, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_direct_to_nowhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
