/* Flattening: see flatten.h. */
#include "alarm/flatten.h"

#include <stdlib.h>
#include <string.h>

#include "alarm/letters.h"
#include "alarm/marks.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum {
    DEPTH_MAX = 12,
    PIECE_MAX = 40000,
    QUOTE_ALL = 3, /* marks of quotation for all that follows */
    PIECE_HEAD = 5000 /* bytes at each end of one long piece that are looked at: a trace must not hide what stands behind it */,
    PIECE_TAIL = 2000
};

/* ---- one text ------------------------------------------------------------------------------------------------------------- */

/* The token "<…>" that begins at p as a person reads it; returns what is behind it, or NULL when it is none. */
static const char *add_token(struct hm_strbuf *out, const char *p)
{
    size_t len = strcspn(p + 1, "<>\n");
    if (p[len + 1] != '>' || len == 0)
        return NULL;
    const char *body = p + 1;
    const char *bar = memchr(body, '|', len);
    size_t label = bar != NULL ? len - (size_t)(bar - body) - 1 : 0;
    if (*body == '@' || *body == '!') {
        hm_strbuf_addc(out, '@');
        hm_strbuf_add(out, body + 1, (bar != NULL ? (size_t)(bar - body) : len) - 1);
    } else if (*body == '#') {
        hm_strbuf_addc(out, '#');
        hm_strbuf_add(out, label > 0 ? bar + 1 : body + 1, label > 0 ? label : len - 1);
    } else if (label > 0) {
        hm_strbuf_add(out, bar + 1, label);
    } else {
        hm_strbuf_add(out, body, bar != NULL ? (size_t)(bar - body) : len);
    }
    return p + len + 2;
}

static void add_unescaped(struct hm_strbuf *out, const char *text)
{
    static const struct {
        const char *entity;
        char c;
    } entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}};
    for (const char *p = text; *p != '\0';) {
        size_t plain = strcspn(p, "&");
        hm_strbuf_add(out, p, plain);
        p += plain;
        size_t i = 0;
        while (i < HM_ARRAY_LEN(entities) && !hm_starts_with(p, entities[i].entity))
            i++;
        if (i < HM_ARRAY_LEN(entities)) {
            hm_strbuf_addc(out, entities[i].c);
            p += strlen(entities[i].entity);
        } else if (*p != '\0') {
            hm_strbuf_addc(out, *p++);
        }
    }
}

/* person: what is struck out was taken back. */
static void add_mrkdwn(struct hm_strbuf *out, const char *text, bool person)
{
    struct hm_strbuf bare;   /* without tokens */
    struct hm_strbuf simple; /* without marks too, entities still in it */
    char *letters = hm_alarm_letters(text);
    hm_strbuf_init(&bare, PIECE_MAX);
    hm_strbuf_init(&simple, PIECE_MAX);
    for (const char *p = letters; *p != '\0';) {
        size_t plain = strcspn(p, "<");
        hm_strbuf_add(&bare, p, plain);
        p += plain;
        const char *behind = *p == '<' ? add_token(&bare, p) : NULL;
        if (behind == NULL && *p != '\0')
            hm_strbuf_addc(&bare, *p);
        p = behind != NULL ? behind : p + (*p != '\0' ? 1 : 0);
    }
    hm_alarm_add_unmarked(&simple, hm_strbuf_str(&bare), person);
    add_unescaped(out, hm_strbuf_str(&simple));
    hm_strbuf_done(&bare);
    hm_strbuf_done(&simple);
    free(letters);
}

/* The bytes of a mark of quotation at p: 0 = none. Slack sends it as an entity; typed on a terminal it is itself. */
static size_t quote_mark(const char *p)
{
    return hm_starts_with(p, "&gt;") ? 4 : *p == '>' ? 1 : 0;
}

/* Without the lines that quote somebody ("> …", and all that is behind ">>>"). Caller frees. */
static char *without_quotes(const char *text)
{
    struct hm_strbuf own;
    hm_strbuf_init(&own, PIECE_MAX);
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        const char *word = text + strspn(text, " \t");
        size_t marks = 0;
        for (; quote_mark(word) > 0; marks++)
            word += quote_mark(word);
        if (marks >= QUOTE_ALL)
            break;
        if (marks == 0) {
            hm_strbuf_add(&own, text, len);
            hm_strbuf_adds(&own, text[len] == '\n' ? "\n" : "");
        }
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    return hm_strbuf_take(&own);
}

/* A long piece without its middle; only whole lines, or it would end and begin within a word. */
static void add_piece(struct hm_strbuf *out, const char *piece, size_t len)
{
    if (len <= PIECE_HEAD + PIECE_TAIL) {
        hm_strbuf_add(out, piece, len);
        return;
    }
    const char *head_end = memrchr(piece, '\n', PIECE_HEAD);
    const char *tail = memchr(piece + len - PIECE_TAIL, '\n', PIECE_TAIL);
    if (head_end == NULL || tail == NULL) {
        hm_strbuf_add(out, piece, len);
        return;
    }
    hm_strbuf_add(out, piece, (size_t)(head_end - piece));
    hm_strbuf_adds(out, "\n\xe2\x80\xa6"); /* so that no label is followed by what is no value of it */
    hm_strbuf_adds(out, tail);
}

/* On a line of its own; nothing for NULL and "". */
static void add_line(struct hm_strbuf *out, const char *text)
{
    struct hm_strbuf piece;
    if (text == NULL || text[0] == '\0')
        return;
    if (out->len > 0)
        hm_strbuf_addc(out, '\n');
    hm_strbuf_init(&piece, PIECE_MAX);
    add_mrkdwn(&piece, text, false);
    add_piece(out, hm_strbuf_str(&piece), piece.len);
    hm_strbuf_done(&piece);
}

/* ---- blocks --------------------------------------------------------------------------------------------------------------- */

/* {type: mrkdwn|plain_text, text} */
static void add_text_object(struct hm_strbuf *out, const json_t *object)
{
    const char *text = hm_json_get_str(object, "text", "");
    if (hm_streq(hm_json_get_str(object, "type", NULL), "plain_text") && text[0] != '\0') {
        if (out->len > 0)
            hm_strbuf_addc(out, '\n');
        add_unescaped(out, text);
    } else {
        add_line(out, text);
    }
}

static void add_leaf(struct hm_strbuf *out, const json_t *leaf)
{
    static const struct {
        const char *type, *key, *before, *after;
    } named[] = {{"user", "user_id", "@", ""}, {"usergroup", "usergroup_id", "@", ""}, {"channel", "channel_id", "#", ""},
                 {"emoji", "name", ":", ":"},  {"broadcast", "range", "@", ""},        {"date", "fallback", "", ""},
                 {"color", "value", "", ""}};
    const char *type = hm_json_get_str(leaf, "type", "");
    const char *text = hm_json_get_str(leaf, "text", "");
    bool code = hm_json_get_bool(hm_json_get_obj(leaf, "style"), "code", false);
    for (size_t i = 0; i < HM_ARRAY_LEN(named); i++) {
        if (strcmp(type, named[i].type) != 0)
            continue;
        hm_strbuf_adds(out, named[i].before);
        hm_strbuf_adds(out, hm_json_get_str(leaf, named[i].key, ""));
        hm_strbuf_adds(out, named[i].after);
        return;
    }
    if (strcmp(type, "link") == 0 && text[0] == '\0')
        text = hm_json_get_str(leaf, "url", "");
    if (code)
        hm_strbuf_addc(out, '`');
    hm_strbuf_adds(out, text);
    if (code)
        hm_strbuf_addc(out, '`');
}

/* The elements of a rich text: sections, lists, quotes, preformatted, each on its own line; the rest are leaves in a line. */
static void add_rich(struct hm_strbuf *out, const json_t *element, int depth)
{
    size_t i = 0;
    json_t *inner = NULL;
    json_t *list = hm_json_get_arr(element, "elements");
    if (list == NULL) {
        add_leaf(out, element);
        return;
    }
    if (depth == 0)
        return;
    if (!hm_streq(hm_json_get_str(element, "type", NULL), "rich_text") && out->len > 0)
        hm_strbuf_addc(out, '\n');
    json_array_foreach(list, i, inner) add_rich(out, inner, depth - 1);
}

static void add_block(struct hm_strbuf *out, const json_t *block)
{
    size_t i = 0;
    json_t *part = NULL;
    const char *type = hm_json_get_str(block, "type", "");
    if (strcmp(type, "rich_text") == 0) {
        add_rich(out, block, DEPTH_MAX);
    } else if (strcmp(type, "header") == 0 || strcmp(type, "section") == 0) {
        add_text_object(out, json_object_get(block, "text"));
        json_array_foreach(hm_json_get_arr(block, "fields"), i, part) add_text_object(out, part);
    } else if (strcmp(type, "context") == 0) {
        json_array_foreach(hm_json_get_arr(block, "elements"), i, part) add_text_object(out, part);
    } else if (strcmp(type, "markdown") == 0) {
        add_line(out, hm_json_get_str(block, "text", ""));
    }
}

static void add_blocks(struct hm_strbuf *out, const json_t *blocks)
{
    size_t i = 0;
    json_t *block = NULL;
    json_array_foreach(blocks, i, block) add_block(out, block);
}

/* ---- attachments ---------------------------------------------------------------------------------------------------------- */

/* Somebody else's message, shown in this one. */
static bool is_quoted(const json_t *attachment)
{
    static const char *const marks[] = {"from_url", "is_msg_unfurl", "is_share", "original_url", "message_blocks"};
    for (size_t i = 0; i < HM_ARRAY_LEN(marks); i++) {
        const json_t *v = json_object_get(attachment, marks[i]);
        if (v != NULL && !json_is_null(v) && !json_is_false(v))
            return true;
    }
    return false;
}

/* Strings as they are; numbers and the like as JSON. */
static void add_field(struct hm_strbuf *out, const json_t *field)
{
    const json_t *value = json_object_get(field, "value");
    const char *title = hm_json_get_str(field, "title", "");
    char *text = json_is_string(value)   ? hm_xstrdup(json_string_value(value))
                 : json_is_number(value) ? hm_json_text(value)
                                         : hm_xstrdup("");
    const char *colon = hm_ends_with(title, ":") ? "" : ":";
    char *line = title[0] != '\0' ? hm_xasprintf("%s%s %s", title, colon, text) : hm_xstrdup(text);
    add_line(out, line);
    free(line);
    free(text);
}

/* all: also somebody else's. */
static void add_attachment(struct hm_strbuf *out, const json_t *attachment, bool all)
{
    size_t i = 0;
    json_t *field = NULL;
    size_t before = out->len;
    if (!all && is_quoted(attachment))
        return;
    add_line(out, hm_json_get_str(attachment, "pretext", ""));
    add_line(out, hm_json_get_str(attachment, "title", ""));
    add_line(out, hm_json_get_str(attachment, "text", ""));
    json_array_foreach(hm_json_get_arr(attachment, "fields"), i, field) add_field(out, field);
    add_blocks(out, hm_json_get_arr(attachment, "blocks"));
    if (out->len == before)
        add_line(out, hm_json_get_str(attachment, "fallback", ""));
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

/* Whether the letter in front of a value (behind it) shows that the value begins (ends) here; at the ends of the text, too. */
static bool is_edge(const char *letter, bool behind)
{
    static const char in_front[] = " \t\n([{<\"':=,;|", at_end[] = " \t\n)]}>\"'.,:;!?|";
    return *letter == '\0' || strchr(behind ? at_end : in_front, *letter) != NULL;
}

/* In place: code that is a word or several of its own shows its words only. Fences stay, and code inside a word, which would make
 * one word of two. */
static void uncode(char *text)
{
    char *to = text;
    for (const char *p = text; *p != '\0';) {
        size_t ticks = strspn(p, "`");
        size_t len = ticks == 1 ? strcspn(p + 1, "`\n") : 0;
        bool own = len > 0 && p[len + 1] == '`' && p[len + 2] != '`' && (p == text || is_edge(p - 1, false)) &&
                   is_edge(p + len + 2, true);
        size_t take = own ? len : ticks > 0 ? ticks : 1;
        const char *from = own ? p + 1 : p;
        p += own ? len + 2 : take;
        memmove(to, from, take);
        to += take;
    }
    *to = '\0';
}

/* What a person said: neither what he quotes nor what he struck out. */
static void add_said(struct hm_strbuf *out, const char *text)
{
    char *own = without_quotes(text);
    add_mrkdwn(out, own, true);
    free(own);
}

static void add_shown(struct hm_strbuf *out, const json_t *message, bool all)
{
    size_t i = 0;
    json_t *attachment = NULL;
    add_line(out, hm_json_get_str(message, "text", ""));
    add_blocks(out, hm_json_get_arr(message, "blocks"));
    json_array_foreach(hm_json_get_arr(message, "attachments"), i, attachment) add_attachment(out, attachment, all);
}

char *hm_alarm_flatten_all(const json_t *message)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, HM_ALARM_TEXT_MAX);
    add_shown(&out, message, true);
    if (out.len == 0)
        add_shown(&out, hm_json_get_obj(message, "message"), true);
    if (out.len == 0)
        add_shown(&out, hm_json_get_obj(message, "previous_message"), true);
    char *text = hm_alarm_letters(hm_strbuf_str(&out));
    hm_strbuf_done(&out);
    uncode(text);
    return text;
}

char *hm_alarm_flatten(const json_t *message, bool person)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, HM_ALARM_TEXT_MAX);
    if (person)
        add_said(&out, hm_json_get_str(message, "text", ""));
    else
        add_shown(&out, message, false);
    char *text = hm_alarm_letters(hm_strbuf_str(&out)); /* rich text was added as it is */
    hm_strbuf_done(&out);
    if (!person)
        uncode(text);
    return text;
}
