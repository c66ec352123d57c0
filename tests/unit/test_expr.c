/* The expression language: values, truth, precedence, and the exact words of every refusal. */
#include "recipe/expr.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "unit.h"

static const char scope_text[] =
    "{\"find\":{\"ok\":true,\"name\":\"dataset/a\",\"schema\":null,\"duplicates\":[],\"n\":3,\"share\":0.5},"
    "\"list\":{\"datasets\":[{\"id\":\"x\"},{\"id\":\"y\"}],\"count\":2},"
    "\"only\":\".*\",\"environment\":\"foz\",\"transaction\":null,\"and-so-on\":{\"last-one\":7,\"camelCase_1\":8},"
    "\"in-names\":[\"a\",1,null],\"zero\":0,\"empty\":\"\",\"o\":{}}";

static json_t *scope_new(void)
{
    struct hm_err err = {0};
    json_t *scope = hm_json_parse_new(scope_text, strlen(scope_text), 10000, &err);
    assert_non_null(scope);
    return scope;
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value; /* as JSON */
    } cases[] = {
        {"1", "1"},
        {"-12", "-12"},
        {"1.5", "1.5"},
        {"'a'", "\"a\""},
        {"\"it's\"", "\"it's\""},
        {"'it\\'s \\\\ \\\" \\n'", "\"it's \\\\ \\\" \\n\""},
        {"'grün'", "\"grün\""},
        {"null", "null"},
        {"true", "true"},
        {"[]", "[]"},
        {"[1, 'a', null, find.ok, [2]]", "[1,\"a\",null,true,[2]]"},
        {"only", "\".*\""},
        {"find.name", "\"dataset/a\""},
        {"list.datasets.1.id", "\"y\""},
        {"list.datasets.2.id", "null"},
        {"list.datasets.id", "null"},
        {"missing.entirely", "null"},
        {"only.x", "null"},
        {"and-so-on.last-one", "7"},
        {"and-so-on.camelCase_1", "8"},
        {"list.count", "2"},
        {"find", "{\"duplicates\":[],\"n\":3,\"name\":\"dataset/a\",\"ok\":true,\"schema\":null,\"share\":0.5}"},
        {"count(list.datasets)", "2"},
        {"count ( find.duplicates )", "0"},
        {"count([1,2,3])", "3"},
        {"plural(list.count, 'dead letter', 'dead letters')", "\"2 dead letters\""},
        {"plural(1, 'letter is', 'letters are')", "\"1 letter is\""},
        {"plural ( count([]), 'a', 'b')", "\"0 b\""},
        {"plural(1.0, 'a', 'b') == plural(-1, 'a', 'b')", "false"},
        {"plural(1.5, 'a', 'b')", "\"1.5 b\""},
        {"plural(missing, 'a', 'b')", "null"},
        {"plural", "null"},
        {"count(o)", "0"},
        {"(1)", "1"},
        {"count(list.datasets) == 0", "false"},
        {"1 == 1.0", "true"},
        {"1 == '1'", "false"},
        {"1 != '1'", "true"},
        {"null == transaction", "true"},
        {"transaction != null", "false"},
        {"[1,2] == [1,2]", "true"},
        {"false == null", "false"},
        {"1 < 2", "true"},
        {"2 <= 1.5", "false"},
        {"9007199254740993 > 9007199254740992", "true"},
        {"'a' < 'b'", "true"},
        {"'b' >= 'b'", "true"},
        {"environment in ['cantareira', 'foz']", "true"},
        {"environment not in ['cantareira', 'foz']", "false"},
        {"null in in-names", "true"},
        {"1.0 in in-names", "true"},
        {"'1' in in-names", "false"},
        {"not find.ok", "false"},
        {"not not find.ok", "true"},
        {"not transaction", "true"},
        {"not (1 == 2)", "true"},
        {"true or false and false", "true"},
        {"(true or false) and false", "false"},
        {"not false and false", "false"},
        {"not true or true", "true"},
        {"1 == 1 and 2 == 2", "true"},
        {"1 or count(missing)", "true"},
        {"0 and count(missing)", "false"},
        {"'x' and 'y'", "true"},
        {"false or ''", "false"},
        {"count(list.datasets) == 0 or only != '.*'", "false"},
    };
    json_t *scope = scope_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        struct hm_expr *expr = hm_expr_parse(cases[i].text, &err);
        assert_string_equal(err.msg, "");
        assert_non_null(expr);
        assert_string_equal(hm_expr_text(expr), cases[i].text);
        json_t *value = hm_expr_eval_new(expr, scope, &err);
        assert_string_equal(err.msg, "");
        assert_non_null(value);
        char *text = hm_json_text(value);
        assert_string_equal(text, cases[i].value);
        free(text);
        json_decref(value);
        hm_expr_free(expr);
    }
    json_decref(scope);
}

static void test_truth(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {
        {"null", false},         {"false", false},   {"true", true},   {"0", false},
        {"0.0", false},          {"-1", true},       {"0.1", true},    {"''", false},
        {"'0'", true},           {"[]", false},      {"[null]", true}, {"o", false},
        {"find", true},          {"empty", false},   {"zero", false},  {"find.duplicates", false},
        {"list.datasets", true}, {"missing", false},
    };
    json_t *scope = scope_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        bool holds = !cases[i].holds;
        struct hm_expr *expr = hm_expr_parse(cases[i].text, &err);
        assert_non_null(expr);
        assert_int_equal(hm_expr_true(expr, scope, &holds, &err), HM_OK);
        assert_int_equal(holds, cases[i].holds);
        hm_expr_free(expr);
    }
    json_decref(scope);
}

static void test_refuses_to_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"", "character 1: a value is missing at the end"},
        {"1 ==", "character 5: a value is missing at the end"},
        {"== 1", "character 1: a value is missing before this"},
        {"(1", "character 3: ) is missing here"},
        {"1)", "character 2: the expression should end here; and, or or a comparison may be missing"},
        {"a b", "character 3: the expression should end here; and, or or a comparison may be missing"},
        {"[1 2]", "character 4: a comma or ] is missing here"},
        {"[1,", "character 4: a value is missing at the end"},
        {"[1", "character 3: a comma or ] is missing here"},
        {"a = 1", "character 3: \"=\" means nothing here; write == to compare"},
        {"a && b", "character 3: \"&\" means nothing here; write and"},
        {"a || b", "character 3: \"|\" means nothing here; write or"},
        {"!a", "character 1: \"!\" means nothing here; write not"},
        {"a + 1", "character 3: \"+\" means nothing here; there is no arithmetic here"},
        {"a - 1", "character 3: \"-\" means nothing here; there is no arithmetic here"},
        {"a; b", "character 2: \";\" means nothing here"},
        {"ä", "character 1: \"ä\" means nothing here"},
        {"'grün' ä", "character 8: \"ä\" means nothing here"},
        {"'abc", "character 1: the string that begins here has no closing '"},
        {"'a\\", "character 3: after a backslash stands one of \\ ' \" n; write \\\\ for a backslash"},
        {"'a\\d'", "character 3: after a backslash stands one of \\ ' \" n; write \\\\ for a backslash"},
        {"a.", "character 2: a name is missing after the dot"},
        {"a..b", "character 2: a name is missing after the dot"},
        {"1a", "character 1: not a number; a name may not begin with a digit"},
        {"1.", "character 1: not a number; a name may not begin with a digit"},
        {"99999999999999999999", "character 1: the number is too big"},
        {"count", "character 1: count is a function; write count(…)"},
        {"count(a", "character 8: ) is missing here"},
        {"plural(1)", "character 9: a comma is missing here: plural(number, 'one', 'many')"},
        {"plural(1, 'a', 'b', 'c')", "character 19: ) is missing here"},
        {"count()", "character 7: a value is missing before this"},
        {"len(a)", "character 1: there is no function \"len\"; only count(…) and plural(…) exist"},
        {"a.b (1)", "character 1: there is no function \"a.b\"; only count(…) and plural(…) exist"},
        {"not a == b", "character 7: put what follows not in parentheses: not (a == b)"},
        {"not a in b", "character 7: put what follows not in parentheses: not (a == b)"},
        {"not a not in b", "character 7: put what follows not in parentheses: not (a not in b)"},
        {"a not b", "character 7: after a value, not is followed by in: a not in [ … ]"},
        {"a == b == c", "character 8: comparisons can not be chained; join them with and"},
        {"1 < a < 3", "character 7: comparisons can not be chained; join them with and"},
        {"a == not b", NULL},
        {"in", "character 1: a value is missing before this"},
        {"and", "character 1: a value is missing before this"},
        {"\xff", "the expression is not UTF-8"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        struct hm_expr *expr = hm_expr_parse(cases[i].text, &err);
        if (cases[i].problem == NULL) {
            assert_non_null(expr);
            hm_expr_free(expr);
            continue;
        }
        assert_null(expr);
        assert_string_equal(err.msg, cases[i].problem);
    }
}

static void test_ceilings(void **state)
{
    (void)state;
    struct hm_err err = {0};
    char deep[200] = "";
    memset(deep, '(', 49);
    deep[49] = '1';
    memset(deep + 50, ')', 49);
    struct hm_expr *expr = hm_expr_parse(deep, &err);
    assert_non_null(expr);
    hm_expr_free(expr);
    memset(deep, '(', 50);
    assert_null(hm_expr_parse(deep, &err));
    assert_string_equal(err.msg, "character 51: nested too deep; 50 levels are allowed");

    char *longest = hm_xmalloc(2002);
    memset(longest, 'a', 2001);
    longest[2001] = '\0';
    assert_null(hm_expr_parse(longest, &err));
    assert_int_equal(err.code, HM_ETOOBIG);
    longest[2000] = '\0';
    expr = hm_expr_parse(longest, &err);
    assert_non_null(expr);
    hm_expr_free(expr);
    free(longest);

    struct hm_strbuf chain; /* leans to the left as far as 2,000 bytes allow */
    hm_strbuf_init(&chain, 2000);
    hm_strbuf_adds(&chain, "0");
    while (chain.len < 1990)
        hm_strbuf_adds(&chain, " or 0");
    bool holds = true;
    expr = hm_expr_parse(hm_strbuf_str(&chain), &err);
    assert_non_null(expr);
    assert_int_equal(hm_expr_true(expr, NULL, &holds, &err), HM_OK);
    assert_false(holds);
    hm_expr_free(expr);
    hm_strbuf_done(&chain);
    hm_expr_free(NULL);
}

static void test_refuses_to_evaluate(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"count(missing)", "count(missing): missing is null; count() needs a list"},
        {"plural('1', 'a', 'b')", "plural('1', 'a', 'b'): what stands there is a text; plural() needs a number first"},
        {"plural(2, 'a', 3)",
         "plural(2, 'a', 3): what stands there is a number; plural() needs a text for one and a text for many"},
        {"plural(count(missing), 'a', 'b')", "plural(count(missing), 'a', 'b'): missing is null; count() needs a list"},
        {"count('abc')", "count('abc'): what stands there is a text; count() needs a list"},
        {"missing > 1",
         "missing > 1: missing is null and what stands there is a number; only two numbers or two texts have an order"},
        {"'1' < 2",
         "'1' < 2: what stands there is a text and what stands there is a number; only two numbers or two texts have an order"},
        {"1 in only", "1 in only: only is a text; in needs a list on its right"},
        {"1 not in missing", "1 not in missing: missing is null; in needs a list on its right"},
        {"not (find < 1)",
         "not (find < 1): find is an object and what stands there is a number; only two numbers or two texts have an order"},
        {"[count(1)]", "[count(1)]: what stands there is a number; count() needs a list"},
        {"true and count(true)", "true and count(true): what stands there is true or false; count() needs a list"},
    };
    json_t *scope = scope_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        bool holds = false;
        struct hm_expr *expr = hm_expr_parse(cases[i].text, &err);
        assert_non_null(expr);
        assert_null(hm_expr_eval_new(expr, scope, &err));
        assert_string_equal(err.msg, cases[i].problem);
        assert_int_equal(hm_expr_true(expr, scope, &holds, &err), HM_EINVAL);
        assert_int_equal(hm_expr_true(expr, scope, &holds, NULL), HM_EINVAL);
        hm_expr_free(expr);
    }
    json_decref(scope);
}

static void on_path(void *arg, const char *root, const char *path)
{
    hm_strbuf_addf(arg, "%s:%s ", root, path);
}

static void test_names_its_paths(void **state)
{
    (void)state;
    struct hm_strbuf seen;
    struct hm_err err = {0};
    hm_strbuf_init(&seen, 1000);
    struct hm_expr *expr = hm_expr_parse("count(list.datasets) == 0 or [a, not b.c.d] and 'x.y' in e-f", &err);
    assert_non_null(expr);
    hm_expr_paths(expr, on_path, &seen);
    assert_string_equal(hm_strbuf_str(&seen), "list:list.datasets a:a b:b.c.d e-f:e-f ");
    hm_strbuf_done(&seen);
    hm_expr_free(expr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_refuses_to_parse),
        cmocka_unit_test(test_refuses_to_evaluate),
        cmocka_unit_test(test_names_its_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
