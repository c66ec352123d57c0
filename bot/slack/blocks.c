/* The budgeted Block Kit builder: see blocks.h.
 *
 * Every block goes through place(): the only function that adds to the list, and it refuses what the counts or the budget do not
 * allow. The functions above it only try to make refusals rare, by cutting. */
#include "slack/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"

/* 10 % below Slack's limits. */
enum {
    MESSAGE_BLOCKS = 50, /* a hard count: no doubt about what a block is */
    VIEW_BLOCKS = 100,
    PREFIX_MAX = 100,
    ACTION_ID_MAX = 200,
    HEADER_MAX = 135,
    FIELD_MAX = 1800,
    FIELDS_MAX = 10,
    CONTEXT_MAX = 10,
    BUTTONS_MAX = 25,
    LABEL_MAX = 67,
    VALUE_MAX = 1800,
    CONFIRM_TITLE_MAX = 90,
    CONFIRM_TEXT_MAX = 270,
    CONFIRM_BUTTON_MAX = 27,
    WHERE_MAX = 240,
    NOTE_BLOCKS = 1,
    NOTE_SLACK = 24,  /* digits of a block_id, the comma */
    GO_ON_ROOM = 400, /* JSON of a block that says how much is missing: kept when a text is parted */
    CUT_MIN = 120,    /* less text than this is not worth a block */
    CUT_SLACK = 16    /* JSON that cutting itself may add: the note's line break, the closing of a fence */
};

struct hm_blocks {
    enum hm_surface surface;
    char *prefix;
    char *where;
    json_t *list;
    size_t used; /* JSON characters of the list */
    size_t budget;
    size_t reserved_blocks, reserved;
    size_t note_room; /* what the closing note will need */
    unsigned next_id;
    bool shortened;
};

static size_t blocks_max(const struct hm_blocks *b)
{
    return b->surface == HM_SURFACE_MESSAGE ? MESSAGE_BLOCKS : VIEW_BLOCKS;
}

void hm_blocks_free(struct hm_blocks *b)
{
    if (b == NULL)
        return;
    json_decref(b->list);
    free(b->prefix);
    free(b->where);
    free(b);
}

void hm_blocks_reserve(struct hm_blocks *b, size_t n_blocks, size_t characters)
{
    b->reserved_blocks = n_blocks;
    b->reserved = characters;
}

size_t hm_blocks_room(const struct hm_blocks *b)
{
    size_t taken = b->used + b->reserved + b->note_room;
    if (json_array_size(b->list) + b->reserved_blocks + NOTE_BLOCKS >= blocks_max(b))
        return 0;
    return taken < b->budget ? b->budget - taken : 0;
}

static bool blank(const char *text)
{
    return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

/* ---- placing ------------------------------------------------------------------------------------------------------------------
 */

static size_t json_length(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    HM_ASSERT(text != NULL);
    size_t length = hm_slack_length(text);
    free(text);
    return length;
}

static bool has_id(const struct hm_blocks *b, const char *block_id)
{
    size_t i = 0;
    json_t *block = NULL;
    json_array_foreach(b->list, i, block) if (hm_streq(hm_json_get_str(block, "block_id", ""), block_id)) return true;
    return false;
}

/* Adds the block when it fits into `room`; it is taken over in any case. ret_missing: by how much it did not. */
static bool place_within(struct hm_blocks *b, json_t *stolen_block, size_t room, size_t *ret_missing)
{
    while (json_object_get(stolen_block, "block_id") == NULL) {
        char *id = hm_xasprintf("%s.%u", b->prefix, b->next_id);
        if (has_id(b, id))
            b->next_id++; /* a form's field has that name */
        else
            hm_json_set_str(stolen_block, "block_id", id);
        free(id);
    }
    size_t length = json_length(stolen_block) + 1; /* and the comma */
    if (length > room) {
        if (ret_missing != NULL)
            *ret_missing = length - room;
        json_decref(stolen_block);
        return false;
    }
    b->used += length;
    b->next_id++;
    hm_json_add(b->list, stolen_block);
    return true;
}

static bool place(struct hm_blocks *b, json_t *stolen_block, size_t *ret_missing)
{
    if (place_within(b, stolen_block, hm_blocks_room(b), ret_missing))
        return true;
    b->shortened = true;
    return false;
}

/* ---- text objects -------------------------------------------------------------------------------------------------------------
 */

static json_t *block_new(const char *type)
{
    json_t *block = hm_json_obj_new();
    hm_json_set_str(block, "type", type);
    return block;
}

/* verbatim: no second look by Slack for URLs, #channels and @everyone. */
static json_t *mrkdwn_new(const char *mrkdwn)
{
    json_t *text = block_new("mrkdwn");
    hm_json_set_str(text, "text", mrkdwn);
    hm_json_set_bool(text, "verbatim", true);
    return text;
}

/* emoji false: ":x:" stays what it is. */
json_t *hm_blocks_plain_new(const char *plain, size_t max)
{
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    char *clean = hm_slack_clean(blank(plain) ? "–" : plain);
    for (char *p = clean; *p != '\0'; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    (void)hm_slack_cut_label(&cut, clean, max);
    json_t *text = block_new("plain_text");
    hm_json_set_str(text, "text", hm_strbuf_str(&cut));
    hm_json_set_bool(text, "emoji", false);
    hm_strbuf_done(&cut);
    free(clean);
    return text;
}

static json_t *section_new(const char *mrkdwn)
{
    json_t *block = block_new("section");
    hm_json_set(block, "text", mrkdwn_new(mrkdwn));
    return block;
}

static json_t *preformatted_new(const char *clean)
{
    json_t *leaf = block_new("text");
    json_t *leaves = hm_json_arr_new();
    json_t *pre = block_new("rich_text_preformatted");
    json_t *elements = hm_json_arr_new();
    json_t *block = block_new("rich_text");
    hm_json_set_str(leaf, "text", clean);
    hm_json_add(leaves, leaf);
    hm_json_set(pre, "elements", leaves);
    hm_json_add(elements, pre);
    hm_json_set(block, "elements", elements);
    return block;
}

/* ---- birth
 * ---------------------------------------------------------------------------------------------------------------------- */

static json_t *note_new(const struct hm_blocks *b)
{
    char *note = hm_xasprintf("Shortened to fit into Slack. %s", b->where);
    json_t *texts = hm_json_arr_new();
    json_t *block = block_new("context");
    hm_json_add(texts, mrkdwn_new(note));
    hm_json_set(block, "elements", texts);
    free(note);
    return block;
}

static void set_where(struct hm_blocks *b, const char *mrkdwn)
{
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    (void)hm_slack_cut_mrkdwn(&cut, mrkdwn, WHERE_MAX);
    free(b->where);
    b->where = hm_strbuf_take(&cut);

    json_t *note = note_new(b);
    hm_json_set_str(note, "block_id", b->prefix);
    b->note_room = json_length(note) + NOTE_SLACK;
    json_decref(note);
}

struct hm_blocks *hm_blocks_new(enum hm_surface surface, const char *id_prefix, size_t budget)
{
    size_t most = surface == HM_SURFACE_MESSAGE ? HM_BLOCKS_MESSAGE_MAX : HM_BLOCKS_VIEW_MAX;
    struct hm_blocks *b = hm_xcalloc(1, sizeof *b);
    b->surface = surface;
    b->prefix = hm_xstrndup(id_prefix, hm_utf8_prefix(id_prefix, PREFIX_MAX));
    b->list = hm_json_arr_new();
    b->used = 2; /* its brackets */
    set_where(b, "");
    b->budget = budget == 0 || budget > most ? most : budget > b->note_room ? budget : b->note_room;
    return b;
}

void hm_blocks_where(struct hm_blocks *b, const char *mrkdwn)
{
    HM_ASSERT(json_array_size(b->list) == 0);
    set_where(b, mrkdwn);
}

/* ---- long texts ---------------------------------------------------------------------------------------------------------------
 */

/* How a long text becomes blocks. */
struct text_kind {
    json_t *(*make_new)(const char *text);
    size_t (*cut)(struct hm_strbuf *out, const char *text, size_t max);
    bool split; /* may go on in another block */
};

/* Bytes of text for one block: all of it, or up to a line break (or the limit when there is none in the second half). */
static size_t one_block_of(const char *text, bool entities)
{
    size_t most = entities ? hm_slack_prefix(text, HM_BLOCKS_TEXT_MAX) : hm_utf8_prefix(text, HM_BLOCKS_TEXT_MAX);
    if (text[most] == '\0')
        return most;
    for (size_t at = most; at > most / 2; at--)
        if (text[at - 1] == '\n')
            return at;
    return most;
}

/* Places text as one block, cut to what a block may hold or to what the room allows, whichever is less. */
static bool add_cut(struct hm_blocks *b, const struct text_kind *kind, const char *text)
{
    size_t max = HM_BLOCKS_TEXT_MAX;
    size_t left = 0;
    bool placed = false;
    while (!placed && max >= CUT_MIN) {
        struct hm_strbuf cut;
        size_t missing = 0;
        hm_strbuf_init(&cut, SIZE_MAX / 2);
        left = kind->cut(&cut, text, max);
        placed = place(b, kind->make_new(hm_strbuf_str(&cut)), &missing);
        /* Mostly a character of text is one of JSON; where it is more (quotes), halving ends the search soon. */
        size_t length = hm_slack_length(hm_strbuf_str(&cut));
        max = length > missing + CUT_SLACK + CUT_MIN ? length - missing - CUT_SLACK : length / 2;
        hm_strbuf_done(&cut);
    }
    if (left > 0)
        b->shortened = true;
    return placed && left == 0;
}

/* Room for one part of a text of which more is to come. */
static size_t room_for_part(const struct hm_blocks *b)
{
    size_t room = hm_blocks_room(b);
    bool last_block = json_array_size(b->list) + b->reserved_blocks + NOTE_BLOCKS + 1 >= blocks_max(b);
    return last_block || room < GO_ON_ROOM ? 0 : room - GO_ON_ROOM;
}

static bool add_text(struct hm_blocks *b, const struct text_kind *kind, const char *text, bool entities)
{
    while (kind->split) {
        size_t bytes = one_block_of(text, entities);
        if (bytes == 0 || text[bytes] == '\0')
            break;
        char *part = hm_xstrndup(text, text[bytes - 1] == '\n' ? bytes - 1 : bytes);
        bool fits = place_within(b, kind->make_new(blank(part) ? "–" : part), room_for_part(b), NULL);
        free(part);
        if (!fits)
            break;
        text += bytes;
    }
    return blank(text) || add_cut(b, kind, text);
}

bool hm_blocks_section(struct hm_blocks *b, const char *mrkdwn)
{
    if (blank(mrkdwn))
        return true;
    struct text_kind kind = {section_new, hm_slack_cut_mrkdwn, strstr(mrkdwn, "```") == NULL};
    return add_text(b, &kind, mrkdwn, true);
}

bool hm_blocks_preformatted(struct hm_blocks *b, const char *plain, size_t max)
{
    static const struct text_kind kind = {preformatted_new, hm_slack_cut_plain, true};
    if (blank(plain))
        return true;
    char *clean = hm_slack_clean(plain);
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    size_t left = hm_slack_cut_plain(&cut, clean, max == 0 ? SIZE_MAX : max < CUT_MIN ? CUT_MIN : max);
    bool all = add_text(b, &kind, hm_strbuf_str(&cut), false) && left == 0;
    if (left > 0)
        b->shortened = true;
    hm_strbuf_done(&cut);
    free(clean);
    return all;
}

/* ---- the other blocks ---------------------------------------------------------------------------------------------------------
 */

bool hm_blocks_header(struct hm_blocks *b, const char *plain)
{
    if (blank(plain))
        return true;
    json_t *block = block_new("header");
    hm_json_set(block, "text", hm_blocks_plain_new(plain, HEADER_MAX));
    return place(b, block, NULL);
}

bool hm_blocks_divider(struct hm_blocks *b)
{
    return place(b, block_new("divider"), NULL);
}

/* How a row of short texts becomes blocks. */
struct row_kind {
    const char *type, *key;
    size_t per_block, max;
};

/* One short text, cut; false when it was. */
static bool add_short(json_t *texts, const char *mrkdwn, size_t max)
{
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    size_t left = hm_slack_cut_mrkdwn(&cut, mrkdwn, max);
    hm_json_add(texts, mrkdwn_new(hm_strbuf_str(&cut)));
    hm_strbuf_done(&cut);
    return left == 0;
}

static bool add_row(struct hm_blocks *b, const struct row_kind *kind, const char *const *mrkdwn, size_t n)
{
    bool all = true;
    for (size_t i = 0; i < n;) {
        json_t *texts = hm_json_arr_new();
        for (; i < n && json_array_size(texts) < kind->per_block; i++)
            if (!blank(mrkdwn[i]))
                all = add_short(texts, mrkdwn[i], kind->max) && all;
        if (json_array_size(texts) == 0) {
            json_decref(texts);
            continue;
        }
        json_t *block = block_new(kind->type);
        hm_json_set(block, kind->key, texts);
        all = place(b, block, NULL) && all;
    }
    if (!all)
        b->shortened = true;
    return all;
}

bool hm_blocks_fields(struct hm_blocks *b, const char *const *mrkdwn, size_t n)
{
    static const struct row_kind kind = {"section", "fields", FIELDS_MAX, FIELD_MAX};
    return add_row(b, &kind, mrkdwn, n);
}

bool hm_blocks_context(struct hm_blocks *b, const char *const *mrkdwn, size_t n)
{
    static const struct row_kind kind = {"context", "elements", CONTEXT_MAX, HM_BLOCKS_TEXT_MAX};
    return add_row(b, &kind, mrkdwn, n);
}

static void set_style(json_t *obj, enum hm_style style)
{
    switch (style) {
    case HM_STYLE_DEFAULT:
        break;
    case HM_STYLE_PRIMARY:
        hm_json_set_str(obj, "style", "primary");
        break;
    case HM_STYLE_DANGER:
        hm_json_set_str(obj, "style", "danger");
        break;
    }
}

static json_t *confirm_new(const struct hm_confirm *confirm)
{
    json_t *obj = hm_json_obj_new();
    hm_json_set(obj, "title", hm_blocks_plain_new(confirm->title, CONFIRM_TITLE_MAX));
    hm_json_set(obj, "text", hm_blocks_plain_new(confirm->text, CONFIRM_TEXT_MAX));
    hm_json_set(obj, "confirm", hm_blocks_plain_new(confirm->yes, CONFIRM_BUTTON_MAX));
    hm_json_set(obj, "deny", hm_blocks_plain_new(confirm->no, CONFIRM_BUTTON_MAX));
    set_style(obj, confirm->style);
    return obj;
}

/* NULL when its id or value is too long for Slack. */
static json_t *button_new(const struct hm_button *button, size_t nth)
{
    if (button->action_id[0] == '\0' || hm_slack_length(button->action_id) > ACTION_ID_MAX ||
        (button->value != NULL && hm_slack_length(button->value) > VALUE_MAX))
        return NULL;
    json_t *obj = block_new("button");
    hm_json_set(obj, "text", hm_blocks_plain_new(button->label, LABEL_MAX));
    char *id = nth == 1 ? hm_xstrdup(button->action_id) : hm_xasprintf("%s#%zu", button->action_id, nth);
    hm_json_set_str(obj, "action_id", id);
    free(id);
    if (button->value != NULL && button->value[0] != '\0')
        hm_json_set_str(obj, "value", button->value);
    set_style(obj, button->style);
    if (button->confirm != NULL)
        hm_json_set(obj, "confirm", confirm_new(button->confirm));
    return obj;
}

bool hm_blocks_actions(struct hm_blocks *b, const struct hm_button *buttons, size_t n)
{
    bool all = true;
    for (size_t i = 0; i < n;) {
        size_t first = i;
        json_t *elements = hm_json_arr_new();
        for (; i < n && json_array_size(elements) < BUTTONS_MAX; i++) {
            size_t nth = 1;
            for (size_t before = first; before < i; before++)
                nth += hm_streq(buttons[before].action_id, buttons[i].action_id) ? 1 : 0;
            json_t *obj = button_new(&buttons[i], nth);
            if (obj != NULL) {
                hm_json_add(elements, obj);
            } else {
                b->shortened = true;
                all = false;
            }
        }
        if (json_array_size(elements) == 0) {
            json_decref(elements);
            continue;
        }
        json_t *block = block_new("actions");
        hm_json_set(block, "elements", elements);
        if (!place(b, block, NULL))
            all = false;
    }
    return all;
}

bool hm_blocks_section_with(struct hm_blocks *b, const char *mrkdwn, json_t *stolen_accessory)
{
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    size_t left = hm_slack_cut_mrkdwn(&cut, blank(mrkdwn) ? "–" : mrkdwn, HM_BLOCKS_TEXT_MAX);
    json_t *block = section_new(hm_strbuf_str(&cut));
    hm_strbuf_done(&cut);
    hm_json_set(block, "accessory", stolen_accessory);
    if (left > 0)
        b->shortened = true;
    return place(b, block, NULL) && left == 0;
}

bool hm_blocks_section_button(struct hm_blocks *b, const char *mrkdwn, const struct hm_button *button)
{
    json_t *obj = button_new(button, 1);
    if (obj != NULL)
        return hm_blocks_section_with(b, mrkdwn, obj);
    b->shortened = true;
    (void)hm_blocks_section(b, mrkdwn);
    return false;
}

bool hm_blocks_put(struct hm_blocks *b, json_t *stolen_block)
{
    return place(b, stolen_block, NULL);
}

const json_t *hm_blocks_get_list(const struct hm_blocks *b)
{
    return b->list;
}

void hm_blocks_shortened(struct hm_blocks *b)
{
    b->shortened = true;
}

json_t *hm_blocks_take_new(struct hm_blocks *b)
{
    if (b->shortened) {
        bool fits = place_within(b, note_new(b), b->budget - b->used, NULL);
        HM_ASSERT(fits); /* hm_blocks_room() has kept this much */
    }
    json_t *list = json_incref(b->list);
    hm_blocks_free(b);
    return list;
}

void hm_blocks_finish(struct hm_blocks *b, const char *fallback, struct hm_slack_message *ret_message)
{
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    char *clean = hm_utf8_clean(fallback != NULL ? fallback : "", fallback != NULL ? strlen(fallback) : 0);
    (void)hm_slack_cut_mrkdwn(&cut, blank(clean) ? "hausmeister" : clean, HM_BLOCKS_FALLBACK_MAX);
    free(clean);
    if (json_array_size(b->list) == 0)
        (void)hm_blocks_section(b, hm_strbuf_str(&cut));
    ret_message->shortened = b->shortened;
    ret_message->text = hm_strbuf_take(&cut);
    ret_message->blocks = hm_blocks_take_new(b);
}

void hm_slack_message_done(struct hm_slack_message *message)
{
    free(message->text);
    json_decref(message->blocks);
    *message = (struct hm_slack_message){0};
}
