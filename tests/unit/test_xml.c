/* The XML reader: trees and paths, and everything that it does not take. */
#include "handlers/xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "unit.h"

static struct hm_xml *parse(const char *text)
{
    struct hm_err err = {0};
    struct hm_xml *xml = hm_xml_parse(text, strlen(text), &err);
    if (xml == NULL)
        fail_msg("%s", err.msg);
    return xml;
}

static void test_paths(void **state)
{
    (void)state;
    struct hm_xml *xml = parse("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                               "<R xmlns=\"http://x/\"><!-- no --><set><item><id a=\"1\">i-1</id><n/></item>\n"
                               "<other/><item><id> i-2\n</id></item></set><t>a &amp; <![CDATA[<b>]]> &#x41;\xc3\xa4</t></R>");
    const struct hm_xml_node *root = hm_xml_root(xml);
    assert_string_equal(hm_xml_name(root), "R");
    assert_ptr_equal(hm_xml_find(root, ""), root);
    assert_string_equal(hm_xml_text(root, "set/item/id"), "i-1");
    assert_string_equal(hm_xml_text(root, "set/item/n"), "");
    assert_string_equal(hm_xml_text(root, "t"), "a & <b> A\xc3\xa4");
    assert_null(hm_xml_text(root, "set/missing"));
    assert_null(hm_xml_text(root, "R"));
    assert_null(hm_xml_text(NULL, "x"));
    const struct hm_xml_node *set = hm_xml_find(root, "set");
    const struct hm_xml_node *one = hm_xml_each(set, "item", NULL);
    const struct hm_xml_node *two = hm_xml_each(set, "item", one);
    assert_string_equal(hm_xml_text(two, "id"), "i-2");
    assert_null(hm_xml_each(set, "item", two));
    assert_null(hm_xml_each(set, "ite", NULL));
    assert_null(hm_xml_each(NULL, "item", NULL));
    hm_xml_free(xml);
}

static void test_refused(void **state)
{
    static const char *const table[][2] = {
        {"", "no XML: line 1: no element found"},
        {"{}", "no XML: line 1: "},
        {"<a>", "no XML: line 1: no element found"},
        {"<a></b>", "no XML: line 1: mismatched tag"},
        {"<a/><b/>", "no XML: line 1: junk after document element"},
        {"<a>\xff</a>", "no XML: line 1: "},
        {"<a>&nbsp;</a>", "no XML: line 1: undefined entity"},
        {"<!DOCTYPE a><a/>", "XML that is not read: it has a document type declaration"},
        {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "XML that is not read: it has a document type declaration"},
        {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "XML that is not read: it has a document type declaration"},
        {"<?xml version=\"1.0\" encoding=\"x-none\"?><a/>", "no XML: line 1: unknown encoding"},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        struct hm_err err = {0};
        assert_null(hm_xml_parse(table[i][0], strlen(table[i][0]), &err));
        if (strncmp(err.msg, table[i][1], strlen(table[i][1])) != 0)
            fail_msg("%s: %s", table[i][0], err.msg);
    }
    assert_null(hm_xml_parse("<a>\0</a>", 8, NULL));
}

static void check_limit(const char *open, const char *close, size_t times, const char *said)
{
    struct hm_strbuf text;
    struct hm_err err = {0};
    hm_strbuf_init(&text, (size_t)64 * 1024 * 1024);
    hm_strbuf_adds(&text, "<r>");
    for (size_t i = 0; i < times; i++)
        hm_strbuf_adds(&text, open);
    for (size_t i = 0; i < times; i++)
        hm_strbuf_adds(&text, close);
    hm_strbuf_adds(&text, "</r>");
    assert_false(text.failed);
    struct hm_xml *xml = hm_xml_parse(hm_strbuf_str(&text), text.len, &err);
    if (said == NULL)
        assert_non_null(xml);
    else {
        assert_null(xml);
        assert_non_null(strstr(err.msg, said));
    }
    hm_xml_free(xml);
    hm_strbuf_done(&text);
}

static void test_limits(void **state)
{
    (void)state;
    check_limit("<d>", "</d>", HM_XML_MAX_DEPTH - 1, NULL);
    check_limit("<d>", "</d>", HM_XML_MAX_DEPTH, "nested too deeply");
    check_limit("<d/>", "", HM_XML_MAX_NODES - 1, NULL);
    check_limit("<d/>", "", HM_XML_MAX_NODES, "too many elements");
    check_limit("t", "", HM_XML_MAX_TEXT, NULL);
    check_limit("t", "", HM_XML_MAX_TEXT + 1, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
