/* Arguments after rendering: what an action is handed is what it declared. */
#include "recipe/args_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "unit.h"

static const struct hm_arg_spec specs[] = {{"id", HM_ARG_UUID, true, NULL},      {"name", HM_ARG_STRING, false, NULL},
                                           {"limit", HM_ARG_INT, false, NULL},   {"dry", HM_ARG_BOOL, false, NULL},
                                           {"states", HM_ARG_LIST, false, NULL}, {"conf", HM_ARG_OBJECT, false, NULL},
                                           {NULL, HM_ARG_NR, false, NULL}};
static const struct hm_action action = {.name = "a.b", .args = specs};

#define ID "\"id\":\"5a5d411b-e41a-4a30-ab34-bac476b95761\""

static void test_checks(void **state)
{
    (void)state;
    static const struct {
        const char *args;
        const char *after; /* the arguments, or the error */
    } cases[] = {
        {"{" ID "}", "{" ID "}"},
        {"{" ID ",\"conf\":{},\"dry\":false,\"limit\":3,\"name\":\"x\",\"states\":[]}",
         "{\"conf\":{},\"dry\":false," ID ",\"limit\":3,\"name\":\"x\",\"states\":[]}"},
        {"{" ID ",\"name\":17}", "{" ID ",\"name\":\"17\"}"},
        {"{" ID ",\"name\":0.1}", "{" ID ",\"name\":\"0.1\"}"},
        {"{" ID ",\"name\":true}", "{" ID ",\"name\":\"true\"}"},
        {"{" ID ",\"name\":null}", "{" ID ",\"name\":null}"},
        {"{}", "a.b needs id, and it came out empty"},
        {"{\"id\":null}", "a.b needs id, and it came out empty"},
        {"{\"id\":\"5a5d\"}", "a.b: id must be a uuid; \"5a5d\" is not"},
        {"{\"id\":[\"5a5d\"]}", "a.b: id must be a uuid, not a list"},
        {"{" ID ",\"name\":[]}", "a.b: name must be a text, not a list"},
        {"{" ID ",\"limit\":\"3\"}", "a.b: limit must be a whole number; \"3\" is not"},
        {"{" ID ",\"limit\":1.5}", "a.b: limit must be a whole number, not a fraction"},
        {"{" ID ",\"dry\":0}", "a.b: dry must be true or false, not a number"},
        {"{" ID ",\"states\":{}}", "a.b: states must be a list, not an object"},
        {"{" ID ",\"conf\":true}", "a.b: conf must be an object, not true"},
        {"{" ID ",\"more\":1}", "a.b was given an argument that it does not know"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        json_t *args = hm_json_parse_new(cases[i].args, strlen(cases[i].args), 1000, &err);
        assert_non_null(args);
        enum hm_code code = hm_args_check(&action, args, &err);
        char *text = code == HM_OK ? hm_json_text(args) : hm_xstrdup(err.msg);
        assert_string_equal(text, cases[i].after);
        free(text);
        json_decref(args);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
