/* XML on expat: see xml.h. Elements are made as they open and hang in their parents; text is gathered in the element that it
 * stands in. expat itself guards against amplification, but without a document type declaration there is nothing to amplify. */
#include "handlers/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

struct hm_xml_node {
    char *name;
    struct hm_strbuf text;
    struct hm_xml_node *parent, *first, *last, *next;
};

struct hm_xml {
    struct hm_xml_node *root;
};

struct reader {
    XML_Parser parser;
    struct hm_xml_node *root, *open;
    size_t depth, nodes;
    const char *problem; /* ours; NULL = none */
};

static void give_up(struct reader *reader, const char *problem)
{
    if (reader->problem == NULL)
        reader->problem = problem;
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = arg;
    (void)attributes;
    if (reader->problem != NULL)
        return;
    if (++reader->depth > HM_XML_MAX_DEPTH || ++reader->nodes > HM_XML_MAX_NODES) {
        give_up(reader, reader->depth > HM_XML_MAX_DEPTH ? "its elements are nested too deeply" : "it has too many elements");
        return;
    }
    struct hm_xml_node *node = hm_xcalloc(1, sizeof *node);
    node->name = hm_xstrdup(name);
    hm_strbuf_init(&node->text, HM_XML_MAX_TEXT);
    node->parent = reader->open;
    if (reader->open == NULL)
        reader->root = node;
    else if (reader->open->last == NULL)
        reader->open->first = node;
    else
        reader->open->last->next = node;
    if (reader->open != NULL)
        reader->open->last = node;
    reader->open = node;
}

/* Takes the white space around a text away. */
static void trim(struct hm_strbuf *text)
{
    static const char white[] = " \t\r\n";
    size_t skip = 0;
    while (text->len > 0 && strchr(white, text->s[text->len - 1]) != NULL)
        text->s[--text->len] = '\0';
    while (skip < text->len && strchr(white, text->s[skip]) != NULL)
        skip++;
    if (skip > 0)
        memmove(text->s, text->s + skip, text->len - skip + 1);
    text->len -= skip;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    struct reader *reader = arg;
    (void)name;
    if (reader->problem != NULL)
        return;
    trim(&reader->open->text);
    reader->open = reader->open->parent;
    reader->depth--;
}

static void XMLCALL on_text(void *arg, const XML_Char *s, int len)
{
    struct reader *reader = arg;
    if (reader->problem != NULL || reader->open == NULL)
        return;
    hm_strbuf_add(&reader->open->text, s, (size_t)len);
    if (reader->open->text.failed)
        give_up(reader, "a text in it is too long");
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    give_up(arg, "it has a document type declaration");
}

static void node_free(struct hm_xml_node *root)
{
    struct hm_xml_node *node = root;
    while (node != NULL) { /* without recursion: leaves first, then up */
        if (node->first != NULL) {
            struct hm_xml_node *child = node->first;
            node->first = child->next;
            node = child;
            continue;
        }
        struct hm_xml_node *parent = node == root ? NULL : node->parent;
        hm_strbuf_done(&node->text);
        free(node->name);
        free(node);
        node = parent;
    }
}

struct hm_xml *hm_xml_parse(const char *text, size_t len, struct hm_err *err)
{
    struct hm_xml *xml = NULL;
    struct reader reader = {.parser = XML_ParserCreate(NULL)};
    if (reader.parser == NULL)
        abort(); /* out of memory, as in hm_xmalloc() */
    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
    (void)XML_SetParamEntityParsing(reader.parser, XML_PARAM_ENTITY_PARSING_NEVER);
    bool fits = len <= INT_MAX;
    if (fits && XML_Parse(reader.parser, text, (int)len, XML_TRUE) == XML_STATUS_OK) {
        xml = hm_xcalloc(1, sizeof *xml);
        xml->root = reader.root;
    } else if (!fits || reader.problem != NULL) {
        (void)hm_err_set(err, HM_EINVAL, "XML that is not read: %s", fits ? reader.problem : "it is too long");
    } else {
        (void)hm_err_set(err, HM_EINVAL, "no XML: line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(reader.parser),
                         XML_ErrorString(XML_GetErrorCode(reader.parser)));
    }
    if (xml == NULL)
        node_free(reader.root);
    XML_ParserFree(reader.parser);
    return xml;
}

void hm_xml_free(struct hm_xml *xml)
{
    if (xml == NULL)
        return;
    node_free(xml->root);
    free(xml);
}

const struct hm_xml_node *hm_xml_root(const struct hm_xml *xml)
{
    return xml->root;
}

const char *hm_xml_name(const struct hm_xml_node *node)
{
    return node->name;
}

static const struct hm_xml_node *child_named(const struct hm_xml_node *from, const char *name, size_t len)
{
    while (from != NULL && (strlen(from->name) != len || memcmp(from->name, name, len) != 0))
        from = from->next;
    return from;
}

const struct hm_xml_node *hm_xml_find(const struct hm_xml_node *node, const char *path)
{
    while (node != NULL && *path != '\0') {
        size_t len = strcspn(path, "/");
        node = child_named(node->first, path, len);
        path += len + (path[len] == '/' ? 1 : 0);
    }
    return node;
}

const char *hm_xml_text(const struct hm_xml_node *node, const char *path)
{
    node = hm_xml_find(node, path);
    return node != NULL ? hm_strbuf_str(&node->text) : NULL;
}

const struct hm_xml_node *hm_xml_each(const struct hm_xml_node *node, const char *name, const struct hm_xml_node *last)
{
    if (last != NULL)
        return child_named(last->next, name, strlen(name));
    return node != NULL ? child_named(node->first, name, strlen(name)) : NULL;
}
