/* Formatting marks (*bold*) stay, entities and mentions are resolved, buttons are [Approve], menus {Placeholder v}. */
#include "render_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "typed.h"

struct render {
    const struct sim_state *s;
    const char *indent;
    struct hm_strbuf *out;
};

/* "<...>" without the brackets. */
static void add_token(const struct sim_state *s, struct hm_strbuf *out, const char *token, size_t len)
{
    const char *bar = memchr(token, '|', len);
    size_t id_len = bar != NULL ? (size_t)(bar - token) : len;
    char *id = hm_xstrndup(token, id_len);
    const struct sim_channel *c = NULL;
    const json_t *group = NULL;

    if (id[0] == '@') {
        hm_strbuf_addf(out, "@%s", sim_state_user_name(s, id + 1));
    } else if (id[0] == '#') {
        c = sim_state_channel(s, id + 1);
        hm_strbuf_addf(out, "#%s", c != NULL ? sim_channel_name(c) : id + 1);
    } else if (hm_starts_with(id, "!subteam^")) {
        group = json_object_get(s->groups, id + 9);
        hm_strbuf_addf(out, "@%s", hm_json_get_str(group, "handle", id + 9));
    } else if (hm_starts_with(id, "!date^")) {
        hm_strbuf_add(out, bar != NULL ? bar + 1 : id, bar != NULL ? len - id_len - 1 : id_len);
    } else if (id[0] == '!') {
        hm_strbuf_addf(out, "@%s", id + 1);
    } else if (bar != NULL) {
        hm_strbuf_addf(out, "%.*s (%s)", (int)(len - id_len - 1), bar + 1, id);
    } else {
        hm_strbuf_adds(out, id);
    }
    free(id);
}

/* Wire text to plain text; the caller frees. */
static char *plain(const struct sim_state *s, const char *wire)
{
    struct hm_strbuf out;
    char *tidy = NULL;

    hm_strbuf_init(&out, SIM_RENDER_MAX);
    while (*wire != '\0') {
        const char *close = *wire == '<' ? strchr(wire, '>') : NULL;

        if (close != NULL) {
            add_token(s, &out, wire + 1, (size_t)(close - wire) - 1);
            wire = close + 1;
        } else {
            hm_strbuf_addc(&out, *wire++);
        }
    }
    tidy = sim_unescape(hm_strbuf_str(&out), out.len);
    hm_strbuf_done(&out);
    return tidy;
}

static void lines(struct render *r, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");

        hm_strbuf_addf(r->out, "%s%.*s\n", r->indent, (int)n, text);
        text += n + (text[n] == '\n' ? 1 : 0);
    }
}

static void wire_lines(struct render *r, const char *wire)
{
    char *text = plain(r->s, wire);

    lines(r, text);
    free(text);
}

/* A text object. */
static void text_lines(struct render *r, const json_t *text)
{
    const char *s = hm_json_get_str(text, "text", "");

    if (hm_streq(hm_json_get_str(text, "type", NULL), "plain_text")) {
        lines(r, s);
    } else {
        wire_lines(r, s);
    }
}

static const char *text_of(const json_t *obj, const char *key)
{
    const json_t *text = json_object_get(obj, key);

    return json_is_string(text) ? json_string_value(text) : hm_json_get_str(text, "text", "");
}

static void element(struct render *r, const json_t *e)
{
    const char *type = hm_json_get_str(e, "type", "");

    if (strcmp(type, "button") == 0) {
        hm_strbuf_addf(r->out, "[%s]", text_of(e, "text"));
    } else if (strcmp(type, "image") == 0) {
        hm_strbuf_addf(r->out, "(image: %s)", hm_json_get_str(e, "alt_text", ""));
    } else if (strcmp(type, "overflow") == 0) {
        hm_strbuf_adds(r->out, "[...]");
    } else if (strcmp(type, "mrkdwn") == 0 || strcmp(type, "plain_text") == 0) {
        char *text = plain(r->s, hm_json_get_str(e, "text", ""));

        for (const char *p = text; *p != '\0'; p++) {
            hm_strbuf_addc(r->out, *p);
            hm_strbuf_adds(r->out, *p == '\n' ? r->indent : "");
        }
        free(text);
    } else if (strcmp(type, "checkboxes") == 0 || strcmp(type, "radio_buttons") == 0) {
        json_t *one = NULL;
        size_t i = 0;

        json_array_foreach(hm_json_get_arr(e, "options"), i, one)
        {
            hm_strbuf_addf(r->out, "%s( ) %s", i > 0 ? "  " : "", text_of(one, "text"));
        }
    } else {
        hm_strbuf_addf(r->out, "{%s v}", text_of(e, "placeholder")[0] != '\0' ? text_of(e, "placeholder") : type);
    }
}

static void element_row(struct render *r, const json_t *elements, const char *between)
{
    json_t *one = NULL;
    size_t i = 0;

    if (json_array_size(elements) == 0) {
        return;
    }
    hm_strbuf_adds(r->out, r->indent);
    json_array_foreach(elements, i, one)
    {
        hm_strbuf_adds(r->out, i > 0 ? between : "");
        element(r, one);
    }
    hm_strbuf_addc(r->out, '\n');
}

/* --- rich text
 * --------------------------------------------------------------------------------------------------------------------- */
static void rich_leaf(const struct sim_state *s, const json_t *leaf, struct hm_strbuf *out)
{
    const char *type = hm_json_get_str(leaf, "type", "");
    const struct sim_channel *c = NULL;

    if (strcmp(type, "user") == 0) {
        hm_strbuf_addf(out, "@%s", sim_state_user_name(s, hm_json_get_str(leaf, "user_id", "")));
    } else if (strcmp(type, "channel") == 0) {
        c = sim_state_channel(s, hm_json_get_str(leaf, "channel_id", ""));
        hm_strbuf_addf(out, "#%s", c != NULL ? sim_channel_name(c) : "?");
    } else if (strcmp(type, "usergroup") == 0) {
        hm_strbuf_addf(out, "@%s",
                       hm_json_get_str(json_object_get(s->groups, hm_json_get_str(leaf, "usergroup_id", "")), "handle", "?"));
    } else if (strcmp(type, "emoji") == 0) {
        hm_strbuf_addf(out, ":%s:", hm_json_get_str(leaf, "name", ""));
    } else if (strcmp(type, "link") == 0) {
        hm_strbuf_adds(out, hm_json_get_str(leaf, "text", hm_json_get_str(leaf, "url", "")));
    } else if (strcmp(type, "broadcast") == 0) {
        hm_strbuf_addf(out, "@%s", hm_json_get_str(leaf, "range", ""));
    } else {
        hm_strbuf_adds(out, hm_json_get_str(leaf, "text", hm_json_get_str(leaf, "fallback", "")));
    }
}

static void rich_part(struct render *r, const json_t *part, const char *bullet)
{
    const char *type = hm_json_get_str(part, "type", "");
    json_t *one = NULL;
    size_t i = 0;
    struct hm_strbuf text;

    if (strcmp(type, "rich_text_list") == 0) {
        json_array_foreach(hm_json_get_arr(part, "elements"), i, one)
        {
            rich_part(r, one, "- ");
        }
        return;
    }
    hm_strbuf_init(&text, SIM_RENDER_MAX);
    hm_strbuf_adds(&text, bullet);
    json_array_foreach(hm_json_get_arr(part, "elements"), i, one)
    {
        rich_leaf(r->s, one, &text);
    }
    if (strcmp(type, "rich_text_preformatted") == 0) {
        char *deeper = hm_xasprintf("%s  | ", r->indent);
        struct render inner = {.s = r->s, .indent = deeper, .out = r->out};

        lines(&inner, hm_strbuf_str(&text));
        free(deeper);
    } else {
        lines(r, hm_strbuf_str(&text));
    }
    hm_strbuf_done(&text);
}

static void table(struct render *r, const json_t *rows)
{
    json_t *row = NULL;
    json_t *cell = NULL;
    json_t *part = NULL;
    json_t *leaf = NULL;
    size_t i = 0;
    size_t j = 0;
    size_t k = 0;
    size_t l = 0;

    json_array_foreach(rows, i, row)
    {
        hm_strbuf_adds(r->out, r->indent);
        json_array_foreach(row, j, cell)
        {
            hm_strbuf_adds(r->out, j > 0 ? " | " : "");
            hm_strbuf_adds(r->out, hm_json_get_str(cell, "text", ""));
            if (json_is_integer(json_object_get(cell, "value"))) {
                hm_strbuf_addf(r->out, "%lld", (long long)hm_json_get_int(cell, "value", 0));
            }
            json_array_foreach(hm_json_get_arr(cell, "elements"), k, part)
            {
                json_array_foreach(hm_json_get_arr(part, "elements"), l, leaf)
                {
                    rich_leaf(r->s, leaf, r->out);
                }
            }
        }
        hm_strbuf_addc(r->out, '\n');
    }
}

/* --- blocks
 * ------------------------------------------------------------------------------------------------------------------------ */
static void section(struct render *r, const json_t *block)
{
    json_t *one = NULL;
    size_t i = 0;

    text_lines(r, json_object_get(block, "text"));
    json_array_foreach(hm_json_get_arr(block, "fields"), i, one)
    {
        text_lines(r, one);
    }
    if (json_object_get(block, "accessory") != NULL) {
        hm_strbuf_adds(r->out, r->indent);
        element(r, json_object_get(block, "accessory"));
        hm_strbuf_addc(r->out, '\n');
    }
}

static void input(struct render *r, const json_t *block)
{
    hm_strbuf_addf(r->out, "%s%s%s: ", r->indent, text_of(block, "label"),
                   hm_json_get_bool(block, "optional", false) ? " (optional)" : "");
    element(r, json_object_get(block, "element"));
    hm_strbuf_addc(r->out, '\n');
    if (json_is_object(json_object_get(block, "hint"))) {
        hm_strbuf_addf(r->out, "%s  %s\n", r->indent, text_of(block, "hint"));
    }
}

static void blocks(struct render *r, const json_t *all);

static void block(struct render *r, const json_t *b)
{
    const char *type = hm_json_get_str(b, "type", "");
    json_t *part = NULL;
    size_t i = 0;

    if (strcmp(type, "section") == 0) {
        section(r, b);
    } else if (strcmp(type, "header") == 0) {
        hm_strbuf_addf(r->out, "%s== %s ==\n", r->indent, text_of(b, "text"));
    } else if (strcmp(type, "divider") == 0) {
        hm_strbuf_addf(r->out, "%s----\n", r->indent);
    } else if (strcmp(type, "context") == 0) {
        element_row(r, hm_json_get_arr(b, "elements"), "  ");
    } else if (strcmp(type, "actions") == 0 || strcmp(type, "context_actions") == 0) {
        element_row(r, hm_json_get_arr(b, "elements"), " ");
    } else if (strcmp(type, "input") == 0) {
        input(r, b);
    } else if (strcmp(type, "rich_text") == 0) {
        json_array_foreach(hm_json_get_arr(b, "elements"), i, part)
        {
            rich_part(r, part, "");
        }
    } else if (strcmp(type, "table") == 0 || strcmp(type, "data_table") == 0) {
        table(r, hm_json_get_arr(b, "rows"));
    } else if (strcmp(type, "markdown") == 0) {
        lines(r, hm_json_get_str(b, "text", ""));
    } else if (strcmp(type, "image") == 0) {
        hm_strbuf_addf(r->out, "%s(image: %s)\n", r->indent, hm_json_get_str(b, "alt_text", ""));
    } else {
        text_lines(r, json_object_get(b, "title"));
        text_lines(r, json_object_get(b, "text"));
        text_lines(r, json_object_get(b, "body"));
        element_row(r, hm_json_get_arr(b, "actions"), " ");
        blocks(r, hm_json_get_arr(b, "child_blocks"));
    }
}

static void blocks(struct render *r, const json_t *all)
{
    json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(all, i, one)
    {
        block(r, one);
    }
}

static void attachment(struct render *r, const json_t *a)
{
    static const char *const parts[] = {"pretext", "author_name", "title", "text"};
    size_t before = r->out->len;
    json_t *one = NULL;
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(parts); i++) {
        wire_lines(r, hm_json_get_str(a, parts[i], ""));
    }
    json_array_foreach(hm_json_get_arr(a, "fields"), i, one)
    {
        char *value = plain(r->s, hm_json_get_str(one, "value", ""));

        hm_strbuf_addf(r->out, "%s%s: %s\n", r->indent, hm_json_get_str(one, "title", ""), value);
        free(value);
    }
    blocks(r, hm_json_get_arr(a, "blocks"));
    wire_lines(r, hm_json_get_str(a, "footer", ""));
    if (r->out->len == before) {
        wire_lines(r, hm_json_get_str(a, "fallback", ""));
    }
}

void sim_render_message(const struct sim_state *s, const json_t *msg, const char *indent, struct hm_strbuf *out)
{
    struct render r = {.s = s, .indent = indent, .out = out};
    char *bar = hm_xasprintf("%s| ", indent);
    struct render barred = {.s = s, .indent = bar, .out = out};
    json_t *one = NULL;
    size_t i = 0;

    if (json_array_size(hm_json_get_arr(msg, "blocks")) > 0) {
        blocks(&r, hm_json_get_arr(msg, "blocks"));
    } else {
        wire_lines(&r, hm_json_get_str(msg, "text", ""));
    }
    json_array_foreach(hm_json_get_arr(msg, "attachments"), i, one)
    {
        attachment(&barred, one);
    }
    json_array_foreach(hm_json_get_arr(msg, "files"), i, one)
    {
        hm_strbuf_addf(out, "%s(file: %s, %lld bytes)\n", indent, hm_json_get_str(one, "title", ""),
                       (long long)hm_json_get_int(one, "size", 0));
        lines(&barred, hm_json_get_str(one, "preview", ""));
    }
    json_array_foreach(hm_json_get_arr(msg, "reactions"), i, one)
    {
        hm_strbuf_addf(out, "%s:%s: %lld\n", indent, hm_json_get_str(one, "name", ""),
                       (long long)hm_json_get_int(one, "count", 0));
    }
    free(bar);
}

void sim_render_entry(const struct sim_state *s, const struct sim_msg *m, const char *indent, struct hm_strbuf *out)
{
    char *deeper = hm_xasprintf("%s    ", indent);

    hm_strbuf_addf(out, "%s%s%s", indent, sim_state_author(s, m->json),
                   json_object_get(m->json, "edited") != NULL ? " (edited)" : "");
    if (m->only_user != NULL) {
        hm_strbuf_addf(out, " (only visible to %s)", sim_state_user_name(s, m->only_user));
    }
    hm_strbuf_adds(out, ":\n");
    sim_render_message(s, m->json, deeper, out);
    free(deeper);
}

void sim_render_thread(const struct sim_state *s, const struct sim_channel *c, const char *root_ts, const char *user,
                       struct hm_strbuf *out)
{
    size_t i = 0;

    for (i = 0; i < c->msgs_nr; i++) {
        const struct sim_msg *m = c->msgs[i];

        if (!sim_msg_seen_by(m, user)) {
            continue;
        }
        if (strcmp(m->ts, root_ts) == 0) {
            sim_render_entry(s, m, "", out);
        } else if (strcmp(m->thread_ts, root_ts) == 0) {
            sim_render_entry(s, m, "  > ", out);
        }
    }
}

void sim_render_channel(const struct sim_state *s, const struct sim_channel *c, const char *user, struct hm_strbuf *out)
{
    size_t i = 0;

    hm_strbuf_addf(out, "#%s\n", sim_channel_name(c));
    for (i = 0; i < c->msgs_nr; i++) {
        const struct sim_msg *m = c->msgs[i];

        if (sim_msg_is_reply(m) || !sim_msg_seen_by(m, user)) {
            continue;
        }
        int64_t replies = hm_json_get_int(m->json, "reply_count", 0);

        sim_render_entry(s, m, "", out);
        if (replies > 0) {
            hm_strbuf_addf(out, "    (%lld %s)\n", (long long)replies, hm_plural(replies, "reply", "replies"));
        }
    }
}

void sim_render_view(const struct sim_state *s, const json_t *view, struct hm_strbuf *out)
{
    struct render r = {.s = s, .indent = "    ", .out = out};

    hm_strbuf_addf(out, "%s\n", text_of(view, "title"));
    blocks(&r, hm_json_get_arr(view, "blocks"));
    if (text_of(view, "close")[0] != '\0' || text_of(view, "submit")[0] != '\0') {
        hm_strbuf_addf(out, "    [%s] [%s]\n", text_of(view, "close")[0] != '\0' ? text_of(view, "close") : "Cancel",
                       text_of(view, "submit"));
    }
}
