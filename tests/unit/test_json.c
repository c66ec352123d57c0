/* JSON: strict parsing, canonical text, getters that take foreign data as it comes, strings that are cleaned. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

static json_t *parse(const char *text)
{
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new(text, strlen(text), 10000, &err);
    if (value == NULL)
        fail_msg("%s: %s", text, err.msg);
    return value;
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"{}", true},
        {"[]", true},
        {" {\"a\": [1, 2.5, \"x\", null, true]}\n", true},
        {"\"text\"", true},
        {"42", true},
        {"null", true},
        {"\"\\u00e9\\ud83d\\udd27\"", true},
        {"", false},
        {" ", false},
        {"{", false},
        {"{}x", false},
        {"{} {}", false},
        {"{\"a\":1,\"a\":2}", false}, /* which one would count? */
        {"{\"a\":1,\"\\u0061\":2}", false},
        {"{'a':1}", false},
        {"[1,]", false},
        {"nul", false},
        {"NaN", false},
        {"1e999", false},
        {"99999999999999999999", false},
        {"\"\xff\"", false},
        {"\"\xc0\x80\"", false},
        {"\"\\ud800\"", false},
        {"\"\\u0000\"", false}, /* no C string could hold it */
        {"\"a\nb\"", false},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        json_t *value = hm_json_parse_new(cases[i].text, strlen(cases[i].text), 10000, &err);
        if ((value != NULL) != cases[i].ok)
            fail_msg("%s: %s", cases[i].text, err.msg);
        if (value == NULL) {
            assert_int_equal(err.code, HM_EINVAL);
            assert_non_null(strstr(err.msg, "not JSON: "));
            assert_non_null(strstr(err.msg, "line "));
        }
        json_decref(value);
    }
    assert_null(hm_json_parse_new("{", 1, 1, NULL));
}

static void test_parse_ceilings(void **state)
{
    (void)state;
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new("[1]", 3, 3, &err);
    assert_non_null(value);
    json_decref(value);
    assert_null(hm_json_parse_new("[10]", 4, 3, &err));
    assert_int_equal(err.code, HM_ETOOBIG);

    static const size_t deep = 3000;
    char *text = hm_xmalloc(2 * deep);
    memset(text, '[', deep);
    memset(text + deep, ']', deep);
    value = hm_json_parse_new(text + deep - 1000, 2000, 10000, &err);
    assert_non_null(value);
    json_decref(value);
    assert_null(hm_json_parse_new(text, 2 * deep, 10000, &err));
    assert_int_equal(err.code, HM_EINVAL);
    free(text);
}

static void test_text_is_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"{ \"b\" : 1 , \"a\" : [ 1, {\"d\":2, \"c\":3} ] }", "{\"a\":[1,{\"c\":3,\"d\":2}],\"b\":1}"},
        {"\"x\"", "\"x\""},
        {"-7", "-7"},
        {"null", "null"},
        {"\"\\u00e9 \\/ \\n \\u0001\"", "\"é / \\n \\u0001\""},
        {"{\"Z\":1,\"a\":2,\"é\":3,\"\":4}", "{\"\":4,\"Z\":1,\"a\":2,\"é\":3}"}, /* by bytes */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *value = parse(cases[i].in);
        char *text = hm_json_text(value);
        assert_string_equal(text, cases[i].out);
        json_t *again = parse(text);
        assert_true(json_equal(value, again));
        json_decref(again);
        free(text);
        json_decref(value);
    }
}

static void test_text_does_not_depend_on_the_order_of_setting(void **state)
{
    (void)state;
    static const char *const keys[] = {"m", "a", "z", "aa", "b", "q", "k"};
    json_t *one = hm_json_obj_new();
    json_t *two = hm_json_obj_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        hm_json_set_int(one, keys[i], keys[i][0]);
        const char *key = keys[HM_ARRAY_LEN(keys) - 1 - i];
        hm_json_set_int(two, key, key[0]);
    }
    char *text_one = hm_json_text(one);
    char *text_two = hm_json_text(two);
    assert_string_equal(text_one, text_two);
    free(text_one);
    free(text_two);
    json_decref(one);
    json_decref(two);
}

static void test_getters(void **state)
{
    (void)state;
    json_t *obj = parse("{\"s\":\"x\",\"i\":-5,\"t\":true,\"f\":false,\"r\":1.5,\"n\":null,\"o\":{\"k\":1},\"a\":[1]}");

    assert_string_equal(hm_json_get_str(obj, "s", "no"), "x");
    assert_string_equal(hm_json_get_str(obj, "i", "no"), "no");
    assert_string_equal(hm_json_get_str(obj, "n", "no"), "no");
    assert_string_equal(hm_json_get_str(obj, "missing", "no"), "no");
    assert_null(hm_json_get_str(obj, "missing", NULL));
    assert_true(hm_json_get_int(obj, "i", 9) == -5);
    assert_true(hm_json_get_int(obj, "r", 9) == 9); /* 1.5 is no integer */
    assert_true(hm_json_get_int(obj, "s", 9) == 9);
    assert_true(hm_json_get_int(obj, "t", 9) == 9);
    assert_true(hm_json_get_bool(obj, "t", false));
    assert_false(hm_json_get_bool(obj, "f", true));
    assert_true(hm_json_get_bool(obj, "i", true));
    assert_false(hm_json_get_bool(obj, "missing", false));
    assert_true(hm_json_get_int(hm_json_get_obj(obj, "o"), "k", 0) == 1);
    assert_null(hm_json_get_obj(obj, "a"));
    assert_null(hm_json_get_obj(obj, "missing"));
    assert_int_equal(json_array_size(hm_json_get_arr(obj, "a")), 1);
    assert_null(hm_json_get_arr(obj, "o"));
    json_decref(obj);
}

static void test_getters_take_what_is_no_object(void **state)
{
    (void)state;
    json_t *values[] = {NULL, json_null(), json_array(), json_string("x"), json_integer(1)};
    for (size_t i = 0; i < HM_ARRAY_LEN(values); i++) {
        assert_string_equal(hm_json_get_str(values[i], "k", "no"), "no");
        assert_true(hm_json_get_int(values[i], "k", 9) == 9);
        assert_true(hm_json_get_bool(values[i], "k", true));
        assert_null(hm_json_get_obj(values[i], "k"));
        assert_null(hm_json_get_arr(values[i], "k"));
        assert_null(hm_json_get_path(values[i], "k"));
        assert_null(hm_json_get_path(values[i], "0.k"));
        json_decref(values[i]);
    }
}

static void test_path(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *found; /* canonical text, NULL = nothing there */
    } cases[] = {
        {"a", "{\"b\":[10,{\"c\":\"deep\"}]}"},
        {"a.b", "[10,{\"c\":\"deep\"}]"},
        {"a.b.0", "10"},
        {"a.b.1.c", "\"deep\""},
        {"1", "\"a key of digits\""},
        {"a.b.2", NULL},
        {"a.b.-1", NULL},
        {"a.b.x", NULL},
        {"a.b.99999999999999999999", NULL},
        {"a.b.1.c.d", NULL}, /* through a string */
        {"a.x.c", NULL},
        {"x", NULL},
        {".a", NULL},
        {"a..b", NULL},
    };
    json_t *value = parse("{\"a\":{\"b\":[10,{\"c\":\"deep\"}]},\"1\":\"a key of digits\"}");
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *part = hm_json_get_path(value, cases[i].path);
        if ((part != NULL) != (cases[i].found != NULL))
            fail_msg("%s", cases[i].path);
        if (part != NULL) {
            char *text = hm_json_text(part);
            assert_string_equal(text, cases[i].found);
            free(text);
        }
    }
    assert_ptr_equal(hm_json_get_path(value, ""), value);
    json_decref(value);
}

static void check_text(json_t *stolen, const char *expected)
{
    char *text = hm_json_text(stolen);
    assert_string_equal(text, expected);
    free(text);
    json_decref(stolen);
}

static void test_new_strings_are_cleaned(void **state)
{
    (void)state;
    check_text(hm_json_str_new("é"), "\"é\"");
    check_text(hm_json_str_new(""), "\"\"");
    check_text(hm_json_str_new("a\xff"
                               "b"),
               "\"a\xef\xbf\xbd"
               "b\"");
    check_text(hm_json_str_new(NULL), "null");
    check_text(hm_json_strn_new("abcdef", 3), "\"abc\"");
    check_text(hm_json_strn_new("é", 1), "\"\xef\xbf\xbd\"");
    check_text(hm_json_strn_new("", 0), "\"\"");
}

static void test_setters(void **state)
{
    (void)state;
    json_t *obj = hm_json_obj_new();
    json_t *arr = hm_json_arr_new();
    hm_json_add(arr, hm_json_str_new("x"));
    hm_json_add(arr, json_null());
    hm_json_set(obj, "arr", arr);
    hm_json_set_str(obj, "s", "a\xff");
    hm_json_set_str(obj, "none", NULL);
    hm_json_set_int(obj, "i", INT64_MIN);
    hm_json_set_bool(obj, "b", false);
    hm_json_set_int(obj, "b", 1); /* a second time replaces */
    hm_json_set_int(obj, "bad\xff key", 2);
    check_text(obj, "{\"arr\":[\"x\",null],\"b\":1,\"bad\xef\xbf\xbd key\":2,\"i\":-9223372036854775808,\"none\":null,"
                    "\"s\":\"a\xef\xbf\xbd\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_ceilings),
        cmocka_unit_test(test_text_is_canonical),
        cmocka_unit_test(test_text_does_not_depend_on_the_order_of_setting),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_getters_take_what_is_no_object),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_new_strings_are_cleaned),
        cmocka_unit_test(test_setters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
