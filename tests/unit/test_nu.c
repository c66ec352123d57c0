/* How the end of a program is judged, for every handler of programs. (The actions themselves: test_actions.c.) */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "handlers/argv_answer.h"

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
        cmocka_unit_test(test_judging),
        cmocka_unit_test(test_long_output),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
