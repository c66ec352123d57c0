/* Blocks as plain text: see block_text.h. */
#include "support/block_text.h"

#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "base/text.h"

static const char *text_of(const json_t *obj, const char *key)
{
    return hm_json_get_str(hm_json_get_obj(obj, key), "text", "");
}

static void add_lines(struct hm_strbuf *out, const char *prefix, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, "\n");
        hm_strbuf_adds(out, prefix);
        hm_strbuf_add(out, text, len);
        hm_strbuf_addc(out, '\n');
        if (text[len] == '\0')
            return;
        text += len + 1;
    }
}

static void add_buttons(struct hm_strbuf *out, const json_t *elements)
{
    size_t i = 0;
    json_t *button = NULL;
    json_array_foreach(elements, i, button)
    {
        const char *style = hm_json_get_str(button, "style", "");
        hm_strbuf_addf(out, "%s[%s%s]", i > 0 ? " " : "", text_of(button, "text"),
                       hm_streq(style, "danger")    ? "!"
                       : hm_streq(style, "primary") ? "*"
                                                    : "");
    }
    hm_strbuf_addc(out, '\n');
    json_array_foreach(elements, i, button)
    {
        const json_t *confirm = hm_json_get_obj(button, "confirm");
        hm_strbuf_addf(out, "    %s %s", hm_json_get_str(button, "action_id", ""), hm_json_get_str(button, "value", ""));
        if (confirm != NULL)
            hm_strbuf_addf(out, ": \"%s\" %s [%s] [%s]", text_of(confirm, "title"), text_of(confirm, "text"),
                           text_of(confirm, "confirm"), text_of(confirm, "deny"));
        hm_strbuf_addc(out, '\n');
    }
}

static void add_all(struct hm_strbuf *out, const char *before, const json_t *texts, const char *after)
{
    size_t i = 0;
    json_t *text = NULL;
    json_array_foreach(texts, i, text) hm_strbuf_addf(out, "%s%s%s\n", before, hm_json_get_str(text, "text", ""), after);
}

static void add_section(struct hm_strbuf *out, const json_t *block)
{
    json_t *side = hm_json_get_obj(block, "accessory");
    add_lines(out, "", text_of(block, "text"));
    if (side == NULL)
        return;
    if (hm_streq(hm_json_get_str(side, "type", ""), "button")) {
        json_t *one = hm_json_arr_new();
        hm_json_add(one, json_incref(side));
        add_buttons(out, one);
        json_decref(one);
        return;
    }
    hm_strbuf_addf(out, "    <%s> %s\n", text_of(side, "placeholder"), hm_json_get_str(side, "action_id", ""));
}

static void add_block(struct hm_strbuf *out, const json_t *block)
{
    const char *type = hm_json_get_str(block, "type", "");
    if (hm_streq(type, "header"))
        hm_strbuf_addf(out, "# %s\n", text_of(block, "text"));
    else if (hm_streq(type, "divider"))
        hm_strbuf_adds(out, "----\n");
    else if (hm_streq(type, "context"))
        add_all(out, "(", hm_json_get_arr(block, "elements"), ")");
    else if (hm_streq(type, "actions"))
        add_buttons(out, hm_json_get_arr(block, "elements"));
    else if (hm_streq(type, "rich_text"))
        add_lines(out, "    | ", json_string_value(hm_json_get_path(block, "elements.0.elements.0.text")));
    else if (hm_streq(type, "input"))
        hm_strbuf_addf(out, "%s: %s (%s)\n", hm_json_get_str(block, "block_id", ""), text_of(block, "label"),
                       hm_json_get_str(hm_json_get_obj(block, "element"), "type", ""));
    else if (hm_json_get_arr(block, "fields") != NULL)
        add_all(out, "= ", hm_json_get_arr(block, "fields"), "");
    else
        add_section(out, block);
}

char *hm_block_text(const json_t *blocks)
{
    struct hm_strbuf out;
    size_t i = 0;
    json_t *block = NULL;
    hm_strbuf_init(&out, 1 << 20);
    json_array_foreach(blocks, i, block) add_block(&out, block);
    return hm_strbuf_take(&out);
}
