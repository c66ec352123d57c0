/* The strict reader: what it gives, and the exact words of what it refuses. */
#include "base/cfg.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "unit.h"

/* "line: text\n" of all findings; caller frees. */
static char *findings(const struct hm_diags *diags)
{
    struct hm_strbuf b;
    hm_strbuf_init(&b, 100000);
    for (size_t i = 0; i < diags->count; i++)
        hm_strbuf_addf(&b, "%d: %s\n", diags->items[i].line, diags->items[i].text);
    return hm_strbuf_take(&b);
}

static const char sample[] = "# a comment\n"
                             "name = \"x\";\n"
                             "count = 3;\n"
                             "big = 5000000000L;\n"
                             "share = 0.5;\n"
                             "on = true;\n"
                             "wait = \"15m\";\n"
                             "who = [ \"a\", \"b\" ];\n"
                             "mixed = ( 1, \"zwei\",\n"
                             "  \"drei\"\n"
                             "  \"vier\",\n"
                             "  { id = \"inner\"; deep = { deeper = -7; }; },\n"
                             "  ( )\n"
                             ");\n"
                             "group = { key = \"multi\n"
                             "line\"; };\n";

static void test_reads_every_type(void **state)
{
    (void)state;
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_cfg *cfg = hm_cfg_open_text("f", sample, strlen(sample), &diags);
    assert_non_null(cfg);
    struct hm_cfg_node *root = hm_cfg_root(cfg);

    assert_string_equal(hm_cfg_get_str(root, "name", HM_CFG_REQUIRED, 10), "x");
    assert_int_equal(hm_cfg_get_int(root, "count", 9, 1, 3), 3);
    assert_int_equal(hm_cfg_get_int(root, "big", 9, 0, INT64_MAX), 5000000000);
    assert_int_equal(hm_cfg_get_int(root, "absent", 9, 1, 3), 9);
    assert_true(hm_cfg_get_bool(root, "on", false));
    assert_true(hm_cfg_get_bool(root, "absent", true));
    assert_int_equal(hm_cfg_get_duration(root, "wait", HM_CFG_REQUIRED, 1, 900000), 900000);
    assert_int_equal(hm_cfg_get_duration(root, "absent", HM_CFG_OPTIONAL, 77, 900000), 77);
    assert_null(hm_cfg_get_str(root, "absent", HM_CFG_OPTIONAL, 10));
    assert_int_equal(hm_cfg_type(hm_cfg_get(root, "share", HM_CFG_REQUIRED)), HM_CFG_NUMBER);
    char **who = hm_cfg_get_strings(root, "who", HM_CFG_REQUIRED);
    assert_string_equal(who[0], "a");
    assert_string_equal(who[1], "b");
    assert_null(who[2]);
    hm_cfg_strings_free(who);
    who = hm_cfg_get_strings(root, "absent", HM_CFG_OPTIONAL);
    assert_null(who[0]);
    hm_cfg_strings_free(who);
    hm_cfg_strings_free(NULL);

    struct hm_cfg_node *mixed = hm_cfg_get_list(root, "mixed", HM_CFG_REQUIRED);
    assert_int_equal(hm_cfg_count(mixed), 5);
    assert_int_equal(hm_cfg_line(hm_cfg_at(mixed, 1)), 9);
    assert_int_equal(hm_cfg_line(hm_cfg_at(mixed, 2)), 10);
    assert_int_equal(hm_cfg_line(hm_cfg_at(mixed, 3)), 12);
    assert_null(hm_cfg_name(hm_cfg_at(mixed, 3)));
    assert_null(hm_cfg_string(hm_cfg_at(mixed, 0)));
    struct hm_cfg_node *group = hm_cfg_get_group(root, "group", HM_CFG_REQUIRED);
    assert_int_equal(hm_cfg_line(group), 15);
    assert_string_equal(hm_cfg_get_str(group, "key", HM_CFG_REQUIRED, 100), "multi\nline");

    json_t *json = hm_cfg_json_new(root);
    char *text = hm_json_text(json);
    assert_string_equal(text,
                        "{\"big\":5000000000,\"count\":3,\"group\":{\"key\":\"multi\\nline\"},\"mixed\":[1,\"zwei\",\"dreivier\","
                        "{\"deep\":{\"deeper\":-7},\"id\":\"inner\"},[]],\"name\":\"x\",\"on\":true,\"share\":0.5,"
                        "\"wait\":\"15m\",\"who\":[\"a\",\"b\"]}");
    free(text);
    json_decref(json);
    hm_cfg_finish(root);
    hm_cfg_finish(group);
    assert_int_equal(diags.count, 0);
    hm_cfg_close(cfg);
    hm_diags_done(&diags);
}

/* Texts that can not be used at all. */
static void test_refuses_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *findings;
    } cases[] = {
        {"a = 1;\nb = 3000000000;", "2: the number 3000000000 does not fit into 32 bits; write an L after it\n"},
        {"b = -3000000000;", "1: the number -3000000000 does not fit into 32 bits; write an L after it\n"},
        {"b = 2147483648;", "1: the number 2147483648 does not fit into 32 bits; write an L after it\n"},
        {"b = 0xFFFFFFFF;", "1: the number 0xFFFFFFFF does not fit into 32 bits; write an L after it\n"},
        {"b = 99999999999999999999L;", "1: the number 99999999999999999999 does not fit into 64 bits; write a smaller one\n"},
        {"b = 99999999999999999999;", "1: the number 99999999999999999999 does not fit into 32 bits; write a smaller one\n"},
        {"b = 1e999;", "1: the number 1e999 is too big or too long\n"},
        {"a = 12b = 3000000000;", "1: the number 3000000000 does not fit into 32 bits; write an L after it\n"},
        {"a = ( 1, { b = [ 3000000000, 4000000000 ]; } );",
         "1: the number 3000000000 does not fit into 32 bits; write an L after it\n"
         "1: the number 4000000000 does not fit into 32 bits; write an L after it\n"},
        {"a = 1;\na = 2;", "2: this key is set twice in the same group; take one out\n"},
        {"@include \"/etc/passwd\"\n", "1: @include is not followed; put everything into this file\n"},
        {"a = 1;\n  @include \"x\"", "2: @include is not followed; put everything into this file\n"},
        {"a = \"x\nb = 1;", "1: a string opened with a quote here is never closed; add the quote where it ends\n"},
        {"a = 1;\nb = \"x;\nc = \"y\";\nd = 1;",
         "2: a string opened with a quote here is never closed; add the quote where it ends\n"},
        {"b = \"x;\nc = \"\";\n\nd = \"y\";",
         "1: a string opened with a quote here is never closed; add the quote where it ends\n"},
        {"b = [ \"x\", \"y ];\nc = \"z\";", "1: the text that is opened with a quote here goes on to line 2; is its closing "
                                            "quote missing? On line 2: a comma or ] must stand here; here stands z\n"},
        {"b = \"x;\n\n# of \"c\"\nc = 1;", "1: a string opened with a quote here is never closed; add the quote where it ends\n"},
        {"b = \"x;\nc = \"1\";\n", "1: the text that is opened with a quote here goes on to line 2; is its closing quote "
                                   "missing? On line 2: \";\" and the next key must stand here; here stands 1\n"},
        {"b = \"over\ntwo lines\";\nc = 1;\nd = yes;",
         "4: a text stands in quotes, a truth value is true or false; here stands yes\n"},
        {"a = 1;\n/* b\n", "2: a comment opened with /* here is never closed; add */ where it ends\n"},
        {"a = ( 1;\n", "1: a comma or ) must stand here; here stands ;\n"},
        {"a = ( 1\n", "1: a bracket opened here is never closed; add ) where it ends\n"},
        {"b = 1;\na = { b = (\n1", "2: a bracket opened here is never closed; add ) where it ends\n"},
        {"a = ( 1 };\n", "1: } stands where ) should close what line 1 opened\n"},
        {"a = 1 );\n", "1: ) closes nothing; take it out, or open it before\n"},
        {"a = 1 2;", "1: \";\" and the next key must stand here; here stands 2\n"},
        {"a = 1;;", "1: a key must stand here; here stands ;\n"},
        {"a = 1;\n\"b\" = 2;", "2: a key must stand here; here stands \"b\"\n"},
        {"a = yes;", "1: a text stands in quotes, a truth value is true or false; here stands yes\n"},
        {"a = ( yes );",
         "1: a text stands in quotes, a truth value is true or false, and keys belong into { }; here stands yes\n"},
        {"a = “b”;", "1: a text stands in straight double quotes; here stands “\n"},
        {"a = 'b';", "1: a text stands in straight double quotes; here stands '\n"},
        {"a = ;", "1: the value of \"a\" is missing\n"},
        {"a =\n", "2: the value of \"a\" is missing; the file ends here\n"},
        {"a", "1: the value of \"a\" is missing; the file ends here\n"},
        {"a 1;", "1: \"=\" is missing after the key; here stands 1\n"},
        {"a = ( 1, );", "1: the list has a comma and nothing after it; take the comma out; here stands )\n"},
        {"a = ( 1 2 );", "1: a comma or ) must stand here; here stands 2\n"},
        {"a = [ 1; ];", "1: a comma or ] must stand here; here stands ;\n"},
        {"a = ( , );", "1: an entry of the list must stand here; here stands ,\n"},
        {"a = [ ( 1 ) ];", "1: between [ and ] stand plain values only; write ( and ); here stands (\n"},
        {"a = 1; ü = 2;", "1: a key must stand here; here stands ü\n"},
        {"true = 1;", "1: a key must stand here; here stands true\n"},
        {"a = [ 1, \"x\" ];", "1: the values between [ and ] are not of one type; write them between ( and )\n"},
        {"a = \"\\x00b\";", "1: \\x00 would end the string here; take it out\n"},
        {"a = 1;\nb = \"\\xff\";", "2: a string that is not UTF-8 (look for \\x); write UTF-8\n"},
        {"a = 1;\nb = \"\xff\";", "2: not UTF-8; save the file as UTF-8\n"},
        {"a = 1;\n\nb = \"\x01\";", "3: a control character (0x01) stands here; take it out\n"},
        {"a = ((((((((((((((((((((((((((((((((( 1 )))))))))))))))))))))))))))))))));",
         "1: more than 32 levels of brackets; nest less\n"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_diags diags;
        hm_diags_init(&diags);
        struct hm_cfg *cfg = hm_cfg_open_text("f", cases[i].text, strlen(cases[i].text), &diags);
        assert_null(cfg);
        char *got = findings(&diags);
        assert_string_equal(got, cases[i].findings);
        free(got);
        hm_diags_done(&diags);
    }
}

/* What only looks as if it were too much. */
static void test_takes_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "# nothing but a comment",
        "a = \"3000000000 @include ( \\\" \\\\\";",
        "# 3000000000 @include (\na = 1;",
        "a = 1; // 3000000000 \"\n/* 4000000000 ' ( */ b = 2147483647; c = -2147483648;",
        "x-3000000000 = 1;",
        "x3000000000y = 1.5e3; z = -.5; w = 0x7FFFFFFF; v = 0xFFFFFFFFFFL;",
        "a = 9223372036854775807L; b = -9223372036854775808L;",
        "a = ((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))));",
        "regex = \"\\d+\\.\\w\";",
        "a : 1, b = 2 c = \"x\" # y\n \"z\" d = { }, e = ( ) f = [ ]",
        "a = { b = { c = 1 } d = TRUE, e = False };",
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++) {
        struct hm_diags diags;
        hm_diags_init(&diags);
        struct hm_cfg *cfg = hm_cfg_open_text("f", texts[i], strlen(texts[i]), &diags);
        char *got = findings(&diags);
        assert_string_equal(got, "");
        assert_non_null(cfg);
        free(got);
        hm_cfg_close(cfg);
        hm_diags_done(&diags);
    }
}

static void test_getters_find_fault(void **state)
{
    (void)state;
    static const char text[] =
        "name = 1;\ncount = \"3\";\nempty = \"\";\nlong = \"12345\";\nmany = 9;\nwait = \"15 m\";\nlate = \"2h\";\n"
        "who = \"a\";\nthem = [ \"a\", \"a\", \"\" ];\nitems = ( { id = \"one\"; wehn = 1; }, { wehn = 1; } );\n"
        "on = \"true\";\ngruop = {};\n";
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_cfg *cfg = hm_cfg_open_text("f", text, strlen(text), &diags);
    assert_non_null(cfg);
    struct hm_cfg_node *root = hm_cfg_root(cfg);
    assert_null(hm_cfg_get_str(root, "name", HM_CFG_REQUIRED, 10));
    assert_int_equal(hm_cfg_get_int(root, "count", 9, 1, 10), 9);
    assert_null(hm_cfg_get_str(root, "empty", HM_CFG_OPTIONAL, 10));
    assert_string_equal(hm_cfg_get_str(root, "empty", (enum hm_cfg_need)(HM_CFG_REQUIRED | HM_CFG_EMPTY_OK), 10), "");
    assert_null(hm_cfg_get_str(root, "long", HM_CFG_REQUIRED, 4));
    assert_int_equal(hm_cfg_get_int(root, "many", 2, 1, 8), 2);
    assert_int_equal(hm_cfg_get_duration(root, "wait", HM_CFG_REQUIRED, 5, 1000), 5);
    assert_int_equal(hm_cfg_get_duration(root, "late", HM_CFG_REQUIRED, 5, 3600000), 5);
    assert_int_equal(hm_cfg_get_duration(root, "many", HM_CFG_REQUIRED, 5, 3600000), 5);
    hm_cfg_strings_free(hm_cfg_get_strings(root, "who", HM_CFG_REQUIRED));
    char **them = hm_cfg_get_strings(root, "them", HM_CFG_REQUIRED);
    assert_string_equal(them[0], "a");
    assert_null(them[1]);
    hm_cfg_strings_free(them);
    struct hm_cfg_node *items = hm_cfg_get_list(root, "items", HM_CFG_REQUIRED);
    for (size_t i = 0; i < 2; i++) {
        struct hm_cfg_node *item = hm_cfg_at(items, i);
        (void)hm_cfg_get(item, "id", HM_CFG_REQUIRED);
        (void)hm_cfg_get(item, "when", HM_CFG_OPTIONAL);
        hm_cfg_finish(item);
    }
    assert_false(hm_cfg_get_bool(root, "on", false));
    assert_null(hm_cfg_get_group(root, "group", HM_CFG_REQUIRED));
    hm_cfg_finish(root);
    char *got = findings(&diags);
    assert_string_equal(got, "1: name must be a string \"…\", not a whole number\n"
                             "2: count must be a whole number, not a string \"…\"; write it without quotes\n"
                             "3: empty is empty; fill it in or leave it out\n"
                             "4: long has 5 characters; at most 4 are allowed\n"
                             "5: many is 9; it must be from 1 to 8\n"
                             "6: wait: \"15 m\" is not a duration; write a whole number and ms, s, m, h or d, like \"15m\"\n"
                             "7: late is \"2h\"; at most 1 h are allowed\n"
                             "5: many must be a duration like \"15m\", not a whole number\n"
                             "8: who must be a list of strings [ \"…\" ], not a string \"…\"\n"
                             "9: them names \"a\" a second time; take one out\n"
                             "9: them[3] must be a string that is not empty\n"
                             "10: unknown key \"wehn\" in items[one]; did you mean \"when\"?\n"
                             "10: \"id\" is missing in items[2]\n"
                             "10: unknown key \"wehn\" in items[2]; did you mean \"when\"?\n"
                             "11: on must be true or false, not a string \"…\"; write it without quotes\n"
                             "1: \"group\" is missing in the top level\n"
                             "12: unknown key \"gruop\" in the top level; did you mean \"group\"?\n");
    free(got);
    hm_cfg_close(cfg);
    hm_diags_done(&diags);
}

static void test_files(void **state)
{
    (void)state;
    struct hm_diags diags;
    char path[] = "/tmp/hm-cfg-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a = 1;", 6), 6);

    hm_diags_init(&diags);
    struct hm_cfg *cfg = hm_cfg_open_file(path, &diags);
    assert_non_null(cfg);
    assert_int_equal(hm_cfg_get_int(hm_cfg_root(cfg), "a", 0, 0, 9), 1);
    hm_cfg_close(cfg);
    hm_cfg_close(NULL);

    assert_int_equal(ftruncate(fd, HM_CFG_MAX_BYTES + 1), 0);
    assert_null(hm_cfg_open_file(path, &diags));
    assert_string_equal(diags.items[0].text, "longer than the 262144 bytes that are read");
    assert_string_equal(diags.items[0].file, path);
    assert_null(hm_cfg_open_file("/nonexistent/x.cfg", &diags));
    assert_string_equal(diags.items[1].text, "can not be opened: No such file or directory");
    assert_null(hm_cfg_open_file("/tmp", &diags));
    assert_string_equal(diags.items[2].text, "can not be read: Is a directory");
    hm_diags_done(&diags);
    (void)close(fd);
    (void)unlink(path);
}

static void test_suggests_the_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *text;
    } cases[] = {
        {"tite", "; did you mean \"title\"?"},
        {"stpes", "; did you mean \"steps\"?"},
        {"nmae", "; did you mean \"name\"?"},
        {"NAME", "; did you mean \"name\"?"},
        {"mean", "; did you mean \"name\"?"},
        {"mena", "; did you mean \"name\"?"},
        {"xyz", ""},
        {"n", ""},
        {"meam", ""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_suggest s;
        char buf[80];
        hm_suggest_init(&s, cases[i].word);
        hm_suggest_try(&s, "name");
        hm_suggest_try(&s, NULL);
        hm_suggest_try(&s, "title");
        hm_suggest_try(&s, "steps");
        assert_string_equal(hm_suggest_text(&s, buf, sizeof buf), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_type),
        cmocka_unit_test(test_refuses_texts),
        cmocka_unit_test(test_takes_texts),
        cmocka_unit_test(test_getters_find_fault),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_suggests_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
