/* Templates: what is inserted stays a value in every place it may stand. */
#include "recipe/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "unit.h"

static const char scope_text[] =
    "{\"id\":\"5a5d\",\"n\":318,\"share\":0.1,\"yes\":true,\"none\":null,\"empty\":[],\"list\":[\"a_b\",\"<c>\",3],"
    "\"deep\":[[1]],\"o\":{\"k\":\"v\"},\"nasty\":\"<!channel> & `x` *b* _i_ ~s~ a_b\\nApproved\","
    "\"url\":\"a/b?c=d&e f%\",\"json\":\"\\\"q\\\" \\\\ \\u0007 ü\",\"log\":\"one\\n``` two\\n<three>\"}";

static json_t *scope_new(void)
{
    struct hm_err err = {0};
    json_t *scope = hm_json_parse_new(scope_text, strlen(scope_text), 10000, &err);
    assert_string_equal(err.msg, "");
    return scope;
}

static void test_renders(void **state)
{
    (void)state;
    static const struct {
        enum hm_sink sink;
        const char *text;
        const char *rendered;
    } cases[] = {
        {HM_SINK_PLAIN, "", ""},
        {HM_SINK_PLAIN, "no values", "no values"},
        {HM_SINK_PLAIN, "dataset/${id}", "dataset/5a5d"},
        {HM_SINK_PLAIN, "${id}${ id }-${n} ${share} ${yes}", "5a5d5a5d-318 0.1 true"},
        {HM_SINK_PLAIN, "$${id} $ {id} $id }", "${id} $ {id} $id }"},
        {HM_SINK_PLAIN, "$$${id}", "$${id}"},
        {HM_SINK_PLAIN, "${'}'}${\"\\\"}\"}", "}\"}"},
        {HM_SINK_PLAIN, "${count(list)} of ${n == 318}", "3 of true"},
        {HM_SINK_PLAIN, "${nasty}", "<!channel> & `x` *b* _i_ ~s~ a_b\nApproved"},
        {HM_SINK_MRKDWN, "*${id}* <!here> &", "*5a5d* <!here> &"},
        {HM_SINK_MRKDWN, "${nasty}", "&lt;!channel&gt; &amp; ˋxˋ ∗b∗ ˍiˍ ∼s∼ a_b Approved"},
        {HM_SINK_MRKDWN, "`${nasty}`", "`&lt;!channel&gt; &amp; ˋxˋ *b* _i_ ~s~ a_b Approved`"},
        {HM_SINK_MRKDWN, "`a` ${list}", "`a` a_b, &lt;c&gt;, 3"},
        {HM_SINK_MRKDWN, "`unclosed\n${'*x*'}", "`unclosed\n∗x∗"},
        {HM_SINK_MRKDWN, "```${log}``` ${'*x*'}", "```one\nˋˋˋ two\n&lt;three&gt;``` ∗x∗"},
        {HM_SINK_MRKDWN, "${none} ${empty} ${nothing.at.all}", "– – –"},
        {HM_SINK_MRKDWN, "${n}${yes}", "318true"},
        {HM_SINK_URL, "https://h/x y/${url}?n=${n}", "https://h/x y/a%2Fb%3Fc%3Dd%26e%20f%25?n=318"},
        {HM_SINK_JSON, "{\"a\":\"${json}\"}", "{\"a\":\"\\\"q\\\" \\\\ \\u0007 \\u00FC\"}"},
    };
    json_t *scope = scope_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        struct hm_template *tpl = hm_template_parse(cases[i].text, &err);
        assert_string_equal(err.msg, "");
        assert_non_null(tpl);
        assert_string_equal(hm_template_text(tpl), cases[i].text);
        char *rendered = hm_template_render(tpl, cases[i].sink, scope, &err);
        assert_string_equal(err.msg, "");
        assert_non_null(rendered);
        assert_string_equal(rendered, cases[i].rendered);
        free(rendered);
        hm_template_free(tpl);
    }
    json_decref(scope);
    hm_template_free(NULL);
}

static void test_refuses_to_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"a ${id", "\"${id\" has no closing }; write $${ for a plain ${"},
        {"a ${'}", "\"${'}\" has no closing }; write $${ for a plain ${"},
        {"${}", "in ${}: character 1: a value is missing at the end"},
        {"${a b}", "in ${a b}: character 3: the expression should end here; and, or or a comparison may be missing"},
        {"${id} ${x ==}", "in ${x ==}: character 5: a value is missing at the end"},
        {"\xff", "the text is not UTF-8"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        assert_null(hm_template_parse(cases[i].text, &err));
        assert_string_equal(err.msg, cases[i].problem);
    }
}

static void test_refuses_to_render(void **state)
{
    (void)state;
    static const struct {
        enum hm_sink sink;
        const char *text;
        const char *problem;
    } cases[] = {
        {HM_SINK_PLAIN, "a${none}", "${none} is empty (null); a text needs a plain value here"},
        {HM_SINK_URL, "a${none}", "${none} is empty (null); a text needs a plain value here"},
        {HM_SINK_JSON, "a${missing.x}", "${missing.x} is empty (null); a text needs a plain value here"},
        {HM_SINK_PLAIN, "${list}", "${list} is a list; a text needs a plain value here"},
        {HM_SINK_PLAIN, "${o}", "${o} is an object; a text needs a plain value here"},
        {HM_SINK_MRKDWN, "${o}", "${o} is an object; a text needs a plain value here"},
        {HM_SINK_MRKDWN, "${deep}", "${deep} is a list; a text needs a plain value here"},
        {HM_SINK_MRKDWN, "${count(id)}", "count(id): id is a text; count() needs a list"},
    };
    json_t *scope = scope_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        struct hm_template *tpl = hm_template_parse(cases[i].text, &err);
        assert_non_null(tpl);
        assert_null(hm_template_render(tpl, cases[i].sink, scope, &err));
        assert_string_equal(err.msg, cases[i].problem);
        hm_template_free(tpl);
    }
    json_decref(scope);
}

static void test_ceilings(void **state)
{
    (void)state;
    struct hm_err err = {0};
    char *text = hm_xmalloc(16002);
    memset(text, 'a', 16001);
    text[16001] = '\0';
    assert_null(hm_template_parse(text, &err));
    assert_int_equal(err.code, HM_ETOOBIG);
    free(text);

    json_t *scope = hm_json_obj_new();
    char *big = hm_xmalloc(40001);
    memset(big, 'b', 40000);
    big[40000] = '\0';
    hm_json_set_str(scope, "big", big);
    json_t *many = hm_json_arr_new();
    for (int i = 0; i < 23; i++)
        hm_json_add(many, json_integer(i));
    hm_json_set(scope, "many", many);
    struct hm_template *tpl = hm_template_parse("${big}${big}", &err);
    assert_non_null(tpl);
    assert_null(hm_template_render(tpl, HM_SINK_PLAIN, scope, &err));
    assert_string_equal(err.msg, "the text is longer than 65536 bytes");
    hm_template_free(tpl);
    tpl = hm_template_parse("${many}", &err);
    assert_non_null(tpl);
    char *rendered = hm_template_render(tpl, HM_SINK_MRKDWN, scope, &err);
    assert_string_equal(rendered, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 3 more");
    free(rendered);
    hm_template_free(tpl);
    json_decref(scope);
    free(big);
}

static void on_path(void *arg, const char *root, const char *path)
{
    hm_strbuf_addf(arg, "%s:%s ", root, path);
}

static void test_kinds_and_paths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool value, literal;
        const char *paths;
    } cases[] = {
        {"", false, true, ""},
        {"a $${b}", false, true, ""},
        {"${a.b}", true, false, "a:a.b "},
        {" ${a}", false, false, "a:a "},
        {"${a}${b.c}", false, false, "a:a b:b.c "},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_strbuf seen;
        struct hm_err err = {0};
        hm_strbuf_init(&seen, 1000);
        struct hm_template *tpl = hm_template_parse(cases[i].text, &err);
        assert_non_null(tpl);
        assert_int_equal(hm_template_is_value(tpl), cases[i].value);
        assert_int_equal(hm_template_is_literal(tpl), cases[i].literal);
        hm_template_paths(tpl, on_path, &seen);
        assert_string_equal(hm_strbuf_str(&seen), cases[i].paths);
        hm_template_free(tpl);
        hm_strbuf_done(&seen);
    }
}

static json_t *tree_new(const char *text)
{
    struct hm_err err = {0};
    json_t *tree = hm_json_parse_new(text, strlen(text), 10000, &err);
    assert_string_equal(err.msg, "");
    return tree;
}

static void test_arguments(void **state)
{
    (void)state;
    static const char tree_text[] =
        "{\"id\":\"${id}\",\"count\":\"${n}\",\"text\":\"${n} times\",\"flag\":true,\"k\":7,\"gone\":\"${none}\","
        "\"inner\":{\"list\":[\"${list}\",\"x${id}\",\"${none}\",null],\"gone\":\"${missing}\"}}";
    struct hm_err err = {0};
    struct hm_strbuf seen;
    json_t *scope = scope_new();
    json_t *tree = tree_new(tree_text);
    struct hm_args_template *args = hm_args_template_new(tree, &err);
    assert_non_null(args);
    json_decref(tree);
    json_t *made = hm_args_render_new(args, scope, &err);
    assert_non_null(made);
    char *text = hm_json_text(made);
    assert_string_equal(
        text, "{\"count\":318,\"flag\":true,\"id\":\"5a5d\",\"inner\":{\"list\":[[\"a_b\",\"<c>\",3],\"x5a5d\",null,null]},"
              "\"k\":7,\"text\":\"318 times\"}");
    free(text);
    json_decref(made);
    hm_strbuf_init(&seen, 1000);
    hm_args_template_paths(args, on_path, &seen);
    assert_string_equal(hm_strbuf_str(&seen), "id:id n:n n:n none:none list:list id:id none:none missing:missing ");
    hm_strbuf_done(&seen);
    hm_args_template_free(args);
    hm_args_template_free(NULL);

    static const struct {
        const char *tree;
        const char *problem;
        bool at_render;
    } cases[] = {
        {"[]", "must be a group of arguments", false},
        {"{\"a\":{\"b\":[\"${\"]}}", "a: b: \"${\" has no closing }; write $${ for a plain ${", false},
        {"{\"a\":{\"b\":[1,\"x${none}\"]}}", "a: b: [2]: ${none} is empty (null); a text needs a plain value here", true},
        {"{\"a\":\"${count(n)}\"}", "a: count(n): n is a number; count() needs a list", true},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        tree = tree_new(cases[i].tree);
        args = hm_args_template_new(tree, &err);
        json_decref(tree);
        assert_int_equal(args != NULL, cases[i].at_render);
        if (args != NULL)
            assert_null(hm_args_render_new(args, scope, &err));
        assert_string_equal(err.msg, cases[i].problem);
        hm_args_template_free(args);
    }
    json_decref(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renders),         cmocka_unit_test(test_refuses_to_parse), cmocka_unit_test(test_refuses_to_render),
        cmocka_unit_test(test_kinds_and_paths), cmocka_unit_test(test_ceilings),         cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
