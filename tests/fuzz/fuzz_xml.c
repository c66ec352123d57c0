/* Any bytes as XML: what is accepted has a root, its texts are trimmed valid UTF-8, and every child is found by its path. */
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "handlers/xml.h"
#include "target.h"

static void check(const struct hm_xml_node *node, int depth)
{
    static const char *const names[] = {"item", "Error", "member", "Code"};
    const char *text = hm_xml_text(node, "");
    size_t len = strlen(text);
    HM_ASSERT(hm_utf8_valid(text, len));
    HM_ASSERT(len == 0 || (strchr(" \t\r\n", text[0]) == NULL && strchr(" \t\r\n", text[len - 1]) == NULL));
    for (size_t i = 0; i < sizeof names / sizeof names[0] && depth < 8; i++) {
        const struct hm_xml_node *child = hm_xml_each(node, names[i], NULL);
        HM_ASSERT(child == hm_xml_find(node, names[i]));
        for (; child != NULL; child = hm_xml_each(node, names[i], child)) {
            HM_ASSERT(strcmp(hm_xml_name(child), names[i]) == 0);
            check(child, depth + 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_err err = {0};
    struct hm_xml *xml = hm_xml_parse((const char *)data, size, &err);
    HM_ASSERT((xml != NULL) == (err.code == HM_OK));
    if (xml == NULL)
        return 0;
    HM_ASSERT(hm_xml_root(xml) != NULL);
    check(hm_xml_root(xml), 0);
    hm_xml_free(xml);
    return 0;
}
