/* Golden tests of the nu handler: tests/golden/nu/<action>.json hold arguments and the ends of the program, and under "expect"
 * what the action makes of them. With HM_UPDATE_GOLDEN=1 in the environment the files are rewritten; read the difference before
 * believing it. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "handlers/argv_answer.h"

static void play_request(const struct hm_action *action, const json_t *c, json_t *got)
{
    char program[] = "/usr/local/bin/nu";
    char name[] = "nu";
    struct hm_backend backend = {.name = name, .program = hm_json_get_bool(c, "no_program", false) ? NULL : program};
    struct hm_request req;
    struct hm_err err = {0};
    hm_request_init(&req);
    enum hm_code code = action->request(&backend, json_object_get(c, "args"), NULL, &req, &err);
    assert_int_equal(code, err.code);
    if (code == HM_OK)
        hm_json_set(got, "request", hm_request_json_new(&req));
    else
        hm_json_set_str(got, "error", err.msg);
    hm_request_done(&req);
}

static void play_end(const struct hm_action *action, const json_t *c, json_t *got)
{
    const json_t *end = hm_json_get_obj(c, "end");
    const char *body = hm_json_get_str(end, "out", "");
    const struct hm_answer answer = {.transport = HM_TRANSPORT_ANSWER,
                                     .status = (int)hm_json_get_int(end, "status", 0),
                                     .body = body,
                                     .body_len = strlen(body),
                                     .errors = hm_json_get_str(end, "err", ""),
                                     .content_type = "",
                                     .location = "",
                                     .retry_after_s = -1,
                                     .problem = ""};
    struct hm_outcome out = {0};
    enum hm_verdict verdict = action->response(NULL, json_object_get(c, "args"), NULL, &answer, &out);
    hm_json_set_str(got, "verdict", hm_verdict_name(verdict));
    assert_true((verdict == HM_VERDICT_OK) == (out.result != NULL));
    assert_true((verdict == HM_VERDICT_OK) == (out.err.code == HM_OK));
    assert_null(out.cursor);
    if (out.result != NULL)
        hm_json_set(got, "result", out.result);
    else
        hm_json_set_str(got, "says", out.err.msg);
}

static bool play_case(const struct hm_action *action, json_t *c, bool update)
{
    json_t *got = hm_json_obj_new();
    if (hm_json_get_obj(c, "end") != NULL)
        play_end(action, c, got);
    else
        play_request(action, c, got);
    bool same = json_equal(got, json_object_get(c, "expect"));
    if (update) {
        hm_json_set(c, "expect", json_incref(got));
    } else if (!same) {
        char *text = hm_json_text(got);
        print_error("%s: %s: got %s\n", action->name, hm_json_get_str(c, "case", ""), text);
        free(text);
    }
    json_decref(got);
    return same || update;
}

static void test_golden(void **state)
{
    const struct hm_handler *handler = hm_handler_find("nu");
    bool update = getenv("HM_UPDATE_GOLDEN") != NULL;
    bool ok = true;
    (void)state;
    assert_non_null(handler);
    assert_int_equal(handler->kind, HM_REQUEST_ARGV);
    for (const struct hm_action *const *action = handler->actions; *action != NULL; action++) {
        json_error_t why;
        char *path = hm_xasprintf("%s/tests/golden/nu/%s.json", HM_SOURCE_DIR, (*action)->name + strlen("nu."));
        json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
        if (cases == NULL)
            fail_msg("%s:%d: %s", path, why.line, why.text);
        assert_true(json_array_size(cases) > 0);
        for (size_t i = 0; i < json_array_size(cases); i++)
            ok = play_case(*action, json_array_get(cases, i), update) && ok;
        if (update)
            assert_int_equal(json_dump_file(cases, path, JSON_INDENT(2)), 0);
        json_decref(cases);
        free(path);
    }
    assert_true(ok);
}

/* What a read may do with a failure, and statuses that are known to mean that nothing was done. */
static void test_judging(void **state)
{
    static const int refusals[] = {2, 64, 0};
    static const struct {
        enum hm_effect effect;
        int status;
        enum hm_verdict verdict;
    } cases[] = {
        {HM_EFFECT_READ, 0, HM_VERDICT_OK},          {HM_EFFECT_READ, 1, HM_VERDICT_RETRYABLE},
        {HM_EFFECT_READ, 2, HM_VERDICT_PERMANENT},   {HM_EFFECT_READ, 137, HM_VERDICT_RETRYABLE},
        {HM_EFFECT_ONCE, 1, HM_VERDICT_MAYBE},       {HM_EFFECT_ONCE, 64, HM_VERDICT_PERMANENT},
        {HM_EFFECT_IDEMPOTENT, 1, HM_VERDICT_MAYBE}, {HM_EFFECT_ONCE, 143, HM_VERDICT_MAYBE},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        const struct hm_argv_asked asked = {.command = "it", .effect = cases[i].effect, .refusals = refusals};
        const struct hm_answer answer = {.status = cases[i].status, .body = "", .errors = ""};
        struct hm_outcome out = {0};
        assert_int_equal(hm_argv_judge(&asked, &answer, &out), cases[i].verdict);
        json_decref(out.result);
    }
}

/* The end of a long output, whole lines and whole characters. */
static void test_long_output(void **state)
{
    struct hm_outcome out = {0};
    char body[6000];
    const struct hm_argv_asked asked = {.command = "it", .effect = HM_EFFECT_READ};
    (void)state;
    for (size_t i = 0; i < sizeof body - 1; i++)
        body[i] = "abcdefghijklmnopqrstuvwxyz"[(i / 50) % 26];
    for (size_t i = 49; i < sizeof body - 1; i += 50)
        body[i] = '\n';
    body[sizeof body - 1] = '\0';
    const struct hm_answer answer = {.body = body, .body_len = sizeof body - 1, .errors = ""};
    assert_int_equal(hm_argv_judge(&asked, &answer, &out), HM_VERDICT_OK);
    const char *output = hm_json_get_str(out.result, "output", "");
    assert_true(strlen(output) > 1900 && strlen(output) <= 2000);
    assert_int_equal(strspn(output, "abcdefghijklmnopqrstuvwxyz"), 49);
    json_decref(out.result);
}

static void test_words(void **state)
{
    static const struct {
        const char *word;
        bool ok;
    } cases[] = {{"mesos-master", true}, {"us-east-1", true}, {"a.b_c", true}, {"9", true},     {"", false},
                 {"-x", false},          {"--env", false},    {".", false},    {"../x", false}, {"a b", false},
                 {"a/b", false},         {"a;b", false},      {"ä", false},    {"a\n", false}};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        assert_int_equal(hm_argv_word_ok(cases[i].word), cases[i].ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_judging),
        cmocka_unit_test(test_long_output),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
