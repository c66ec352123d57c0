/* Slack's limits: see block_limits.h. The numbers are Slack's own, not the builder's. */
#include "support/block_limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
    char *why;
    size_t size;
    bool ok;
};

static void __attribute__((format(printf, 2, 3))) bad(struct check *c, const char *fmt, ...)
{
    va_list ap;
    if (!c->ok)
        return;
    c->ok = false;
    va_start(ap, fmt);
    (void)vsnprintf(c->why, c->size, fmt, ap);
    va_end(ap);
}

/* Every byte that begins a character; those above U+FFFF count twice. */
static size_t units(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) == 0x80 ? 0 : (unsigned char)*s >= 0xf0 ? 2 : 1;
    return n;
}

static const char *str(const json_t *obj, const char *key)
{
    const char *s = json_string_value(json_object_get(obj, key));
    return s != NULL ? s : "";
}

static bool is(const json_t *obj, const char *type)
{
    return strcmp(str(obj, "type"), type) == 0;
}

static void length(struct check *c, const char *what, const char *s, size_t min, size_t max)
{
    size_t n = units(s);
    if (n < min || n > max)
        bad(c, "%s has %zu characters, not %zu to %zu", what, n, min, max);
}

static void text_object(struct check *c, const char *what, const json_t *text, bool plain, size_t max)
{
    if (!json_is_object(text) || (!is(text, "plain_text") && (plain || !is(text, "mrkdwn")))) {
        bad(c, "%s is no %s text object", what, plain ? "plain" : "mrkdwn");
        return;
    }
    length(c, what, str(text, "text"), 1, max);
    if (strspn(str(text, "text"), " \n\t") == strlen(str(text, "text")))
        bad(c, "%s is blank", what);
    if (is(text, "mrkdwn") && !json_is_true(json_object_get(text, "verbatim")))
        bad(c, "%s is not verbatim", what);
    if (is(text, "plain_text") && json_object_get(text, "verbatim") != NULL)
        bad(c, "%s: verbatim is for mrkdwn only", what);
}

static void optional_text(struct check *c, const char *what, const json_t *obj, const char *key, size_t max)
{
    if (json_object_get(obj, key) != NULL)
        text_object(c, what, json_object_get(obj, key), true, max);
}

static size_t count(struct check *c, const char *what, const json_t *array, size_t min, size_t max)
{
    size_t n = json_array_size(array);
    if (!json_is_array(array) || n < min || n > max)
        bad(c, "%s has %zu entries, not %zu to %zu", what, n, min, max);
    return n;
}

static void style(struct check *c, const json_t *obj)
{
    const char *s = str(obj, "style");
    if (json_object_get(obj, "style") != NULL && strcmp(s, "primary") != 0 && strcmp(s, "danger") != 0)
        bad(c, "style %s", s);
}

static void button(struct check *c, const json_t *b)
{
    const json_t *confirm = json_object_get(b, "confirm");
    if (!is(b, "button"))
        bad(c, "a %s among the buttons", str(b, "type"));
    text_object(c, "a button's text", json_object_get(b, "text"), true, 75);
    length(c, "a button's action_id", str(b, "action_id"), 1, 255);
    length(c, "a button's value", str(b, "value"), json_object_get(b, "value") != NULL ? 1 : 0, 2000);
    style(c, b);
    if (confirm != NULL) {
        text_object(c, "a confirm's title", json_object_get(confirm, "title"), true, 100);
        text_object(c, "a confirm's text", json_object_get(confirm, "text"), false, 300);
        text_object(c, "a confirm's yes", json_object_get(confirm, "confirm"), true, 30);
        text_object(c, "a confirm's no", json_object_get(confirm, "deny"), true, 30);
        style(c, confirm);
    }
}

static void actions(struct check *c, const json_t *block)
{
    const json_t *elements = json_object_get(block, "elements");
    size_t n = count(c, "actions", elements, 1, 25);
    for (size_t i = 0; i < n; i++) {
        button(c, json_array_get(elements, i));
        for (size_t k = 0; k < i; k++)
            if (strcmp(str(json_array_get(elements, i), "action_id"), str(json_array_get(elements, k), "action_id")) == 0)
                bad(c, "action_id %s twice in a block", str(json_array_get(elements, i), "action_id"));
    }
}

static void section(struct check *c, const json_t *block)
{
    const json_t *text = json_object_get(block, "text");
    const json_t *fields = json_object_get(block, "fields");
    if (text == NULL && fields == NULL)
        bad(c, "a section without text and fields");
    if (text != NULL)
        text_object(c, "a section's text", text, false, 3000);
    const json_t *side = json_object_get(block, "accessory");
    if (side != NULL && is(side, "button"))
        button(c, side);
    else if (side != NULL && is(side, "external_select"))
        length(c, "a select's action_id", str(side, "action_id"), 1, 255);
    else if (side != NULL)
        bad(c, "a %s beside a section", str(side, "type"));
    for (size_t i = 0, n = fields != NULL ? count(c, "fields", fields, 1, 10) : 0; i < n; i++)
        text_object(c, "a field", json_array_get(fields, i), false, 2000);
}

static void rich_text(struct check *c, const json_t *block)
{
    const json_t *parts = json_object_get(block, "elements");
    for (size_t i = 0, n = count(c, "rich_text", parts, 1, 100); i < n; i++) {
        const json_t *part = json_array_get(parts, i);
        const json_t *leaves = json_object_get(part, "elements");
        if (!is(part, "rich_text_preformatted"))
            bad(c, "rich text of type %s", str(part, "type"));
        for (size_t k = 0, m = count(c, "preformatted", leaves, 1, 100); k < m; k++) {
            if (!is(json_array_get(leaves, k), "text"))
                bad(c, "a leaf of type %s", str(json_array_get(leaves, k), "type"));
            length(c, "preformatted text", str(json_array_get(leaves, k), "text"), 1, 3000);
        }
    }
}

static void options(struct check *c, const json_t *element)
{
    const json_t *list = json_object_get(element, "options");
    for (size_t i = 0, n = count(c, "options", list, 1, 100); i < n; i++) {
        text_object(c, "an option", json_object_get(json_array_get(list, i), "text"), true, 75);
        length(c, "an option's value", str(json_array_get(list, i), "value"), 1, 75);
    }
}

static void input(struct check *c, const json_t *block)
{
    const json_t *element = json_object_get(block, "element");
    text_object(c, "a label", json_object_get(block, "label"), true, 2000);
    optional_text(c, "a hint", block, "hint", 2000);
    optional_text(c, "a placeholder", element, "placeholder", 150);
    length(c, "an input's action_id", str(element, "action_id"), 1, 255);
    if (is(element, "plain_text_input")) {
        json_int_t max = json_integer_value(json_object_get(element, "max_length"));
        if (max < 1 || max > 3000)
            bad(c, "max_length %lld", (long long)max);
        length(c, "an initial_value", str(element, "initial_value"), 0, (size_t)max);
    } else if (is(element, "static_select") || is(element, "multi_static_select")) {
        options(c, element);
    } else if (is(element, "external_select") || is(element, "multi_external_select")) {
        if (json_object_get(element, "options") != NULL)
            bad(c, "an %s that brings its options", str(element, "type"));
    } else if (is(element, "checkboxes")) {
        options(c, element);
        (void)count(c, "checkboxes", json_object_get(element, "options"), 1, 10);
        if (json_object_get(element, "placeholder") != NULL)
            bad(c, "checkboxes with a placeholder");
    } else if (!is(element, "number_input") && !is(element, "datepicker") && !is(element, "users_select") &&
               !is(element, "conversations_select")) {
        bad(c, "an input of type %s", str(element, "type"));
    }
}

static void one_block(struct check *c, const json_t *block, bool view)
{
    length(c, "a block_id", str(block, "block_id"), 1, 255);
    if (is(block, "header"))
        text_object(c, "a header", json_object_get(block, "text"), true, 150);
    else if (is(block, "section"))
        section(c, block);
    else if (is(block, "actions"))
        actions(c, block);
    else if (is(block, "rich_text"))
        rich_text(c, block);
    else if (is(block, "input") && view)
        input(c, block);
    else if (is(block, "context"))
        for (size_t i = 0, n = count(c, "context", json_object_get(block, "elements"), 1, 10); i < n; i++)
            text_object(c, "a context", json_array_get(json_object_get(block, "elements"), i), false, 3000);
    else if (!is(block, "divider"))
        bad(c, "a block of type %s", str(block, "type"));
}

static void all_blocks(struct check *c, const json_t *blocks, size_t min, size_t max, bool view)
{
    size_t n = count(c, "blocks", blocks, min, max);
    for (size_t i = 0; i < n; i++) {
        one_block(c, json_array_get(blocks, i), view);
        for (size_t k = 0; k < i; k++)
            if (strcmp(str(json_array_get(blocks, i), "block_id"), str(json_array_get(blocks, k), "block_id")) == 0)
                bad(c, "block_id %s twice", str(json_array_get(blocks, i), "block_id"));
    }
}

bool hm_limits_message(const char *text, const json_t *blocks, char *why, size_t size)
{
    struct check c = {.why = why, .size = size, .ok = true};
    char *dump = json_dumps(blocks, JSON_COMPACT);
    length(&c, "the text", text, 1, 4000);
    all_blocks(&c, blocks, 1, 50, false);
    length(&c, "the JSON of all blocks", dump != NULL ? dump : "", 2, 10000);
    free(dump);
    return c.ok;
}

bool hm_limits_view(const json_t *view, char *why, size_t size)
{
    struct check c = {.why = why, .size = size, .ok = true};
    const json_t *blocks = json_object_get(view, "blocks");
    bool home = is(view, "home");
    char *dump = json_dumps(view, JSON_COMPACT);
    if (dump == NULL || strlen(dump) > 250000)
        bad(&c, "a view of more than 250 kB");
    free(dump);
    all_blocks(&c, blocks, 0, 100, true);
    length(&c, "callback_id", str(view, "callback_id"), 0, 255);
    length(&c, "private_metadata", str(view, "private_metadata"), 0, 3000);
    if (!home)
        text_object(&c, "the title", json_object_get(view, "title"), true, 24);
    optional_text(&c, "submit", view, "submit", 24);
    optional_text(&c, "close", view, "close", 24);
    for (size_t i = 0; i < json_array_size(blocks); i++)
        if (is(json_array_get(blocks, i), "input") && json_object_get(view, "submit") == NULL)
            bad(&c, "an input without submit");
    return c.ok;
}
