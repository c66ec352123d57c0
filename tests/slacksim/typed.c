/* See typed.h. Only as much of the composer as people need when they play: mentions, channels, links, code, bold, italic, strike.
 */
#include "typed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { TEXT_MAX = 64 * 1024 };

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || ((unsigned char)c & 0x80) != 0;
}

static size_t name_len(const char *s)
{
    size_t n = 0;

    while (is_name_char(s[n])) {
        n++;
    }
    while (n > 0 && s[n - 1] == '.') {
        n--;
    }
    return n;
}

static bool same_name(const char *name, const char *s, size_t n)
{
    return name != NULL && strlen(name) == n && strncasecmp(name, s, n) == 0;
}

/* "@name": writes the mention and returns true. */
static bool mention(const struct sim_state *s, const char *name, size_t n, bool with_names, struct hm_strbuf *out)
{
    const char *id = NULL;
    json_t *one = NULL;

    if (same_name("here", name, n) || same_name("channel", name, n) || same_name("everyone", name, n)) {
        hm_strbuf_addf(out, "<!%.*s>", (int)n, name);
        return true;
    }
    json_object_foreach(s->users, id, one)
    {
        if (same_name(hm_json_get_str(one, "name", NULL), name, n) || same_name(sim_state_user_name(s, id), name, n)) {
            if (with_names) {
                hm_strbuf_addf(out, "<@%s|%s>", id, hm_json_get_str(one, "name", id));
            } else {
                hm_strbuf_addf(out, "<@%s>", id);
            }
            return true;
        }
    }
    json_object_foreach(s->groups, id, one)
    {
        if (same_name(hm_json_get_str(one, "handle", NULL), name, n)) {
            hm_strbuf_addf(out, "<!subteam^%s|@%s>", id, hm_json_get_str(one, "handle", ""));
            return true;
        }
    }
    return false;
}

static bool channel_link(const struct sim_state *s, const char *name, size_t n, struct hm_strbuf *out)
{
    size_t i = 0;

    for (i = 0; i < s->channels_nr; i++) {
        const struct sim_channel *c = s->channels[i];

        if (!sim_channel_flag(c, "is_im") && same_name(sim_channel_name(c), name, n)) {
            hm_strbuf_addf(out, "<#%s|%s>", c->id, sim_channel_flag(c, "is_private") ? "" : sim_channel_name(c));
            return true;
        }
    }
    return false;
}

static void escape_char(struct hm_strbuf *out, char c)
{
    switch (c) {
    case '&':
        hm_strbuf_adds(out, "&amp;");
        break;
    case '<':
        hm_strbuf_adds(out, "&lt;");
        break;
    case '>':
        hm_strbuf_adds(out, "&gt;");
        break;
    default:
        hm_strbuf_addc(out, c);
        break;
    }
}

char *sim_typed_to_wire(const struct sim_state *s, const char *typed, bool with_names)
{
    struct hm_strbuf out;
    const char *at = typed;

    hm_strbuf_init(&out, TEXT_MAX);
    while (*at != '\0') {
        bool starts = at == typed || !is_name_char(at[-1]);
        size_t n = (*at == '@' || *at == '#') && starts ? name_len(at + 1) : 0;

        if (n > 0 && (*at == '@' ? mention(s, at + 1, n, with_names, &out) : channel_link(s, at + 1, n, &out))) {
            at += n + 1;
        } else if (starts && (hm_starts_with(at, "https://") || hm_starts_with(at, "http://"))) {
            size_t len = strcspn(at, " \t\n<>`");
            size_t i = 0;

            hm_strbuf_addc(&out, '<');
            for (i = 0; i < len; i++) {
                escape_char(&out, at[i]);
            }
            hm_strbuf_addc(&out, '>');
            at += len;
        } else {
            escape_char(&out, *at++);
        }
    }
    return hm_strbuf_take(&out);
}

char *sim_unescape(const char *s, size_t len)
{
    struct hm_strbuf out;
    size_t i = 0;

    hm_strbuf_init(&out, len + 1);
    while (i < len) {
        if (strncmp(s + i, "&amp;", 5) == 0) {
            hm_strbuf_addc(&out, '&');
            i += 5;
        } else if (strncmp(s + i, "&lt;", 4) == 0) {
            hm_strbuf_addc(&out, '<');
            i += 4;
        } else if (strncmp(s + i, "&gt;", 4) == 0) {
            hm_strbuf_addc(&out, '>');
            i += 4;
        } else {
            hm_strbuf_addc(&out, s[i++]);
        }
    }
    return hm_strbuf_take(&out);
}

/* --- rich text ----------------------------------------------------------------------------------------------------------------
 */
struct rich {
    json_t *parts;   /* the block's elements */
    json_t *section; /* the open section's elements, or NULL */
};

static json_t *leaf_new(const char *type)
{
    json_t *leaf = hm_json_obj_new();

    hm_json_set_str(leaf, "type", type);
    return leaf;
}

static json_t *part_add(struct rich *r, const char *type)
{
    json_t *part = leaf_new(type);
    json_t *elements = hm_json_arr_new();

    hm_json_set(part, "elements", elements);
    hm_json_add(r->parts, part);
    return elements;
}

static void leaf_add(struct rich *r, json_t *leaf)
{
    if (r->section == NULL) {
        r->section = part_add(r, "rich_text_section");
    }
    hm_json_add(r->section, leaf);
}

static void text_add(struct rich *r, const char *s, size_t len, const char *style)
{
    char *plain = sim_unescape(s, len);
    json_t *leaf = leaf_new("text");

    hm_json_set_str(leaf, "text", plain);
    if (style != NULL) {
        json_t *styles = hm_json_obj_new();

        hm_json_set_bool(styles, style, true);
        hm_json_set(leaf, "style", styles);
    }
    if (plain[0] != '\0') {
        leaf_add(r, leaf);
    } else {
        json_decref(leaf);
    }
    free(plain);
}

/* "<@U1>", "<#C1|name>", "<!here>", "<https://x|label>"; s without the brackets. */
static void token_add(struct rich *r, const char *s, size_t len)
{
    const char *bar = memchr(s, '|', len);
    size_t id_len = bar != NULL ? (size_t)(bar - s) : len;
    char *id = hm_xstrndup(s, id_len);
    json_t *leaf = NULL;

    if (id[0] == '@') {
        leaf = leaf_new("user");
        hm_json_set_str(leaf, "user_id", id + 1);
    } else if (id[0] == '#') {
        leaf = leaf_new("channel");
        hm_json_set_str(leaf, "channel_id", id + 1);
    } else if (hm_starts_with(id, "!subteam^")) {
        leaf = leaf_new("usergroup");
        hm_json_set_str(leaf, "usergroup_id", id + 9);
    } else if (id[0] == '!') {
        leaf = leaf_new("broadcast");
        hm_json_set_str(leaf, "range", id + 1);
    } else {
        char *url = sim_unescape(id, id_len);

        leaf = leaf_new("link");
        hm_json_set_str(leaf, "url", url);
        free(url);
        if (bar != NULL) {
            hm_json_set(leaf, "text", hm_json_strn_new(bar + 1, len - id_len - 1));
        }
    }
    leaf_add(r, leaf);
    free(id);
}

/* Length of a run "*bold*" at s (with both marks), 0 when it is none. */
static size_t styled_run(const char *s)
{
    const char *end = isspace((unsigned char)s[1]) || s[1] == '\0' ? NULL : strchr(s + 1, s[0]);

    if (end == NULL || end == s + 1 || memchr(s, '\n', (size_t)(end - s)) != NULL || isspace((unsigned char)end[-1]) ||
        is_name_char(end[1])) {
        return 0;
    }
    return (size_t)(end - s) + 1;
}

static const char *style_of(char mark)
{
    switch (mark) {
    case '*':
        return "bold";
    case '_':
        return "italic";
    case '~':
        return "strike";
    case '`':
        return "code";
    default:
        return NULL;
    }
}

/* One step of the parser; returns the bytes it took. `plain` is where unstyled text began. */
static size_t rich_step(struct rich *r, const char *wire, const char *at, const char **plain)
{
    size_t n = 0;

    if (strncmp(at, "```", 3) == 0 && strstr(at + 3, "```") != NULL) {
        const char *end = strstr(at + 3, "```");

        text_add(r, *plain, (size_t)(at - *plain), NULL);
        r->section = part_add(r, "rich_text_preformatted");
        text_add(r, at + 3 + (at[3] == '\n' ? 1 : 0), (size_t)(end - at - 3) - (at[3] == '\n' ? 1 : 0), NULL);
        r->section = NULL;
        n = (size_t)(end - at) + 3;
    } else if (*at == '<' && strchr(at, '>') != NULL) {
        n = (size_t)(strchr(at, '>') - at) + 1;
        text_add(r, *plain, (size_t)(at - *plain), NULL);
        token_add(r, at + 1, n - 2);
    } else if (style_of(*at) != NULL && (at == wire || !is_name_char(at[-1])) && styled_run(at) > 0) {
        n = styled_run(at);
        text_add(r, *plain, (size_t)(at - *plain), NULL);
        text_add(r, at + 1, n - 2, style_of(*at));
    } else {
        return 1;
    }
    *plain = at + n;
    return n;
}

json_t *sim_rich_blocks_new(const char *wire, const char *block_id)
{
    struct rich r = {.parts = hm_json_arr_new()};
    json_t *blocks = hm_json_arr_new();
    json_t *block = leaf_new("rich_text");
    const char *at = wire;
    const char *plain = wire;

    while (*at != '\0') {
        at += rich_step(&r, wire, at, &plain);
    }
    text_add(&r, plain, (size_t)(at - plain), NULL);
    hm_json_set_str(block, "block_id", block_id);
    hm_json_set(block, "elements", r.parts);
    hm_json_add(blocks, block);
    return blocks;
}
