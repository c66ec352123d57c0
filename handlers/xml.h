/* Reading small XML answers (AWS): a tree of elements with their texts, and paths through it. Foreign bytes, so with limits.
 *
 * Happy path: hm_xml_parse() → hm_xml_root() → hm_xml_find(), hm_xml_text(), hm_xml_each() → hm_xml_free(). Failure: what is no
 * well-formed XML, what is too deep or too much of it, and every document type declaration - so there are no entities but the
 * five of XML itself, and nothing is ever fetched or expanded. Attributes and comments are left out; a prefix stays part of an
 * element's name. */
#ifndef HM_HANDLERS_XML_H
#define HM_HANDLERS_XML_H

#include <stddef.h>

#include "base/err.h"

struct hm_xml;      /* a document; owns all its elements */
struct hm_xml_node; /* an element */

enum { HM_XML_MAX_DEPTH = 64, HM_XML_MAX_NODES = 400000, HM_XML_MAX_TEXT = 64 * 1024 };

/* len may be up to what the answer's own ceiling allows. NULL with err set. */
struct hm_xml *hm_xml_parse(const char *text, size_t len, struct hm_err *err);
void hm_xml_free(struct hm_xml *xml); /* NULL is fine */

const struct hm_xml_node *hm_xml_root(const struct hm_xml *xml);
const char *hm_xml_name(const struct hm_xml_node *node);

/* The first element at "a/b/c" below node; "" is node itself. NULL when there is none, or node is NULL. */
const struct hm_xml_node *hm_xml_find(const struct hm_xml_node *node, const char *path);
/* Its own text, without the white space around it; "" when it has none. NULL only when there is no such element. */
const char *hm_xml_text(const struct hm_xml_node *node, const char *path);

/* The children of that name, in order: hm_xml_each(node, "item", NULL), then with what came. NULL at the end. */
const struct hm_xml_node *hm_xml_each(const struct hm_xml_node *node, const char *name, const struct hm_xml_node *last);

#endif
