/* Walks blocks along the tables of blockkit_spec.c, keeping the JSON pointer of where it is. What Slack says is what it says:
 * "must be less than 3001 characters [json-pointer:/blocks/0/text/text]". */
#include "blockkit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "blockkit_spec.h"

enum { ERRORS_MAX = 20, FIELD_TEXT_MAX = 2000, DEPTH_MAX = 12 };

struct check {
    json_t *errors;
    struct hm_strbuf at; /* the JSON pointer */
    json_t *block_ids;   /* seen so far */
    json_t *action_ids;  /* seen so far in this block */
    enum sim_surface surface;
    int depth;
    int tables;
};

static void complain(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void check_blocks(struct check *c, json_t *blocks, long min, long max);

static void complain(struct check *c, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;

    if (json_array_size(c->errors) >= ERRORS_MAX) {
        return;
    }
    hm_strbuf_init(&text, 1024);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    hm_strbuf_addf(&text, " [json-pointer:%s]", hm_strbuf_str(&c->at));
    hm_json_add(c->errors, hm_json_str_new(hm_strbuf_str(&text)));
    hm_strbuf_done(&text);
}

/* Goes down one level; the return value goes to up(). */
static size_t down(struct check *c, const char *key)
{
    size_t len = c->at.len;

    hm_strbuf_addf(&c->at, "/%s", key);
    return len;
}

static size_t down_at(struct check *c, size_t index)
{
    size_t len = c->at.len;

    hm_strbuf_addf(&c->at, "/%zu", index);
    return len;
}

static void up(struct check *c, size_t len)
{
    c->at.len = len;
    if (c->at.s != NULL) {
        c->at.s[len] = '\0';
    }
}

static bool word_in(const char *words, const char *word)
{
    size_t len = strlen(word);
    const char *at = words;

    while (len > 0 && at != NULL && *at != '\0') {
        size_t n = strcspn(at, " ");

        if (n == len && strncmp(at, word, n) == 0) {
            return true;
        }
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    return false;
}

static void check_length(struct check *c, const char *s, long min, long max)
{
    long n = (long)hm_utf8_count(s);

    if (n < min) {
        complain(c, "must be more than %ld characters", min - 1);
    } else if (n > max) {
        complain(c, "must be less than %ld characters", max + 1);
    }
}

static void check_string(struct check *c, json_t *value, long min, long max)
{
    if (!json_is_string(value)) {
        complain(c, "must provide a string");
    } else {
        check_length(c, json_string_value(value), min, max);
    }
}

static void check_unknown_keys(struct check *c, json_t *obj, const char *allowed)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(obj, key, value)
    {
        if (!word_in(allowed, key)) {
            complain(c, "invalid additional property: %s", key);
        }
    }
}

static void check_text(struct check *c, json_t *value, bool mrkdwn_too, long max)
{
    const char *type = hm_json_get_str(value, "type", "");
    size_t here = 0;

    if (!json_is_object(value)) {
        complain(c, "must provide an object");
        return;
    }
    if (strcmp(type, "plain_text") != 0 && !(mrkdwn_too && strcmp(type, "mrkdwn") == 0)) {
        here = down(c, "type");
        complain(c, "must be one of %s", mrkdwn_too ? "plain_text, mrkdwn" : "plain_text");
        up(c, here);
        return;
    }
    check_unknown_keys(c, value, strcmp(type, "mrkdwn") == 0 ? "type text verbatim" : "type text emoji");
    here = down(c, "text");
    check_string(c, json_object_get(value, "text"), 1, max);
    up(c, here);
}

static void check_option(struct check *c, json_t *option)
{
    size_t here = 0;

    if (!json_is_object(option)) {
        complain(c, "must provide an object");
        return;
    }
    check_unknown_keys(c, option, "text value description url");
    here = down(c, "text");
    check_text(c, json_object_get(option, "text"), true, 75);
    up(c, here);
    here = down(c, "value");
    check_string(c, json_object_get(option, "value"), 1, 150);
    up(c, here);
    if (json_object_get(option, "description") != NULL) {
        here = down(c, "description");
        check_text(c, json_object_get(option, "description"), true, 75);
        up(c, here);
    }
}

static bool check_array(struct check *c, json_t *value, long min, long max)
{
    if (!json_is_array(value)) {
        complain(c, "must provide an array");
        return false;
    }
    if ((long)json_array_size(value) < min) {
        complain(c, "no fewer than %ld items allowed", min);
    } else if ((long)json_array_size(value) > max) {
        complain(c, "no more than %ld items allowed", max);
        return false;
    }
    return true;
}

static void check_options(struct check *c, json_t *options, long min, long max)
{
    json_t *one = NULL;
    size_t i = 0;

    if (!check_array(c, options, min, max)) {
        return;
    }
    json_array_foreach(options, i, one)
    {
        size_t here = down_at(c, i);

        check_option(c, one);
        up(c, here);
    }
}

static void check_groups(struct check *c, json_t *groups, long max)
{
    json_t *one = NULL;
    size_t i = 0;

    if (!check_array(c, groups, 1, max)) {
        return;
    }
    json_array_foreach(groups, i, one)
    {
        size_t here = down_at(c, i);
        size_t deeper = down(c, "label");

        check_text(c, json_object_get(one, "label"), false, 75);
        up(c, deeper);
        deeper = down(c, "options");
        check_options(c, json_object_get(one, "options"), 1, 100);
        up(c, here);
    }
}

static void check_confirm(struct check *c, json_t *confirm)
{
    static const struct {
        const char *key;
        bool mrkdwn;
        long max;
        bool required;
    } parts[] = {
        {"title", false, 100, true}, {"text", true, 300, true}, {"confirm", false, 30, false}, {"deny", false, 30, false}};
    size_t i = 0;

    if (!json_is_object(confirm)) {
        complain(c, "must provide an object");
        return;
    }
    check_unknown_keys(c, confirm, "title text confirm deny style");
    for (i = 0; i < HM_ARRAY_LEN(parts); i++) {
        size_t here = down(c, parts[i].key);

        if (json_object_get(confirm, parts[i].key) != NULL || parts[i].required) {
            check_text(c, json_object_get(confirm, parts[i].key), parts[i].mrkdwn, parts[i].max);
        }
        up(c, here);
    }
    if (json_object_get(confirm, "style") != NULL && !word_in("primary danger", hm_json_get_str(confirm, "style", ""))) {
        complain(c, "style must be one of primary, danger");
    }
}

/* The initial option must be one of the options. */
static void check_initial(struct check *c, json_t *element, json_t *initial)
{
    const char *value = hm_json_get_str(initial, "value", NULL);
    json_t *group = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    check_option(c, initial);
    json_array_foreach(hm_json_get_arr(element, "options"), i, one)
    {
        if (hm_streq(hm_json_get_str(one, "value", NULL), value)) {
            return;
        }
    }
    json_array_foreach(hm_json_get_arr(element, "option_groups"), i, group)
    {
        json_array_foreach(hm_json_get_arr(group, "options"), j, one)
        {
            if (hm_streq(hm_json_get_str(one, "value", NULL), value)) {
                return;
            }
        }
    }
    complain(c, "must be one of the provided options");
}

static bool shape_ok(const char *s, const char *shape)
{
    size_t i = 0;

    for (i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '0' ? (s[i] < '0' || s[i] > '9') : s[i] != shape[i]) {
            return false;
        }
    }
    return s[i] == '\0';
}

/* --- rich text and tables --------------------------------------------------------------------------------------------------- */
static void check_rich_leaf(struct check *c, json_t *leaf)
{
    static const struct {
        const char *type, *field;
    } leaves[] = {{"text", "text"},          {"link", "url"},    {"user", "user_id"},   {"usergroup", "usergroup_id"},
                  {"channel", "channel_id"}, {"emoji", "name"},  {"date", "timestamp"}, {"broadcast", "range"},
                  {"color", "value"},        {"team", "team_id"}};
    const char *type = hm_json_get_str(leaf, "type", "");
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(leaves); i++) {
        if (strcmp(leaves[i].type, type) != 0) {
            continue;
        }
        if (json_object_get(leaf, leaves[i].field) == NULL) {
            complain(c, "missing required field: %s", leaves[i].field);
        } else if (strcmp(type, "text") == 0 && hm_json_get_str(leaf, "text", "")[0] == '\0') {
            complain(c, "must be more than 0 characters");
        }
        return;
    }
    complain(c, "unsupported type: %s", type);
}

static void check_rich_part(struct check *c, json_t *part);

static void check_rich_parts(struct check *c, json_t *parts, bool leaves)
{
    json_t *one = NULL;
    size_t i = 0;
    size_t list = down(c, "elements");

    if (!json_is_array(parts)) {
        complain(c, "must provide an array");
    }
    json_array_foreach(parts, i, one)
    {
        size_t here = down_at(c, i);

        if (leaves) {
            check_rich_leaf(c, one);
        } else {
            check_rich_part(c, one);
        }
        up(c, here);
    }
    up(c, list);
}

static void check_rich_part(struct check *c, json_t *part)
{
    const char *type = hm_json_get_str(part, "type", "");

    if (++c->depth > DEPTH_MAX) {
        complain(c, "nested too deeply");
    } else if (word_in("rich_text_section rich_text_preformatted rich_text_quote", type)) {
        check_rich_parts(c, json_object_get(part, "elements"), true);
    } else if (strcmp(type, "rich_text_list") == 0) {
        if (!word_in("bullet ordered", hm_json_get_str(part, "style", ""))) {
            complain(c, "missing required field: style");
        }
        check_rich_parts(c, json_object_get(part, "elements"), false);
    } else {
        complain(c, "unsupported type: %s", type);
    }
    c->depth--;
}

static void check_cell(struct check *c, json_t *cell)
{
    const char *type = hm_json_get_str(cell, "type", "");

    if (strcmp(type, "raw_text") == 0) {
        if (!json_is_string(json_object_get(cell, "text"))) {
            complain(c, "missing required field: text");
        }
    } else if (strcmp(type, "rich_text") == 0) {
        json_t *one = NULL;
        size_t i = 0;

        json_array_foreach(hm_json_get_arr(cell, "elements"), i, one)
        {
            check_rich_part(c, one);
        }
    } else if (strcmp(type, "raw_number") != 0) {
        complain(c, "unsupported type: %s", type);
    }
}

static void check_table(struct check *c, json_t *rows, long min, long max)
{
    json_t *row = NULL;
    json_t *cell = NULL;
    size_t i = 0;
    size_t j = 0;

    if (++c->tables > 1) {
        complain(c, "only one table allowed");
    }
    if (!check_array(c, rows, min, max)) {
        return;
    }
    json_array_foreach(rows, i, row)
    {
        size_t here = down_at(c, i);

        if (check_array(c, row, 1, 20)) {
            json_array_foreach(row, j, cell)
            {
                size_t deeper = down_at(c, j);

                check_cell(c, cell);
                up(c, deeper);
            }
        }
        up(c, here);
    }
}

/* --- objects by their spec -------------------------------------------------------------------------------------------------- */
static void check_element(struct check *c, json_t *element, unsigned where);

static void check_elements(struct check *c, json_t *elements, const struct sim_bk_field *f)
{
    json_t *one = NULL;
    size_t i = 0;

    if (!check_array(c, elements, f->min, f->max)) {
        return;
    }
    json_array_foreach(elements, i, one)
    {
        size_t here = down_at(c, i);

        if (f->kind == BK_CARDS) {
            if (!hm_streq(hm_json_get_str(one, "type", NULL), "card")) {
                complain(c, "unsupported type: %s", hm_json_get_str(one, "type", ""));
            }
        } else if (f->kind == BK_RICH) {
            check_rich_part(c, one);
        } else if (f->kind == BK_TEXTS) {
            check_text(c, one, true, FIELD_TEXT_MAX);
        } else if (f->kind == BK_STRINGS) {
            check_string(c, one, 1, 255);
        } else {
            check_element(c, one, f->where);
        }
        up(c, here);
    }
}

static void check_scalar(struct check *c, json_t *value, const struct sim_bk_field *f)
{
    const char *s = json_is_string(value) ? json_string_value(value) : "";

    switch ((int)f->kind) {
    case BK_STR:
        check_string(c, value, f->min, f->max);
        break;
    case BK_BOOL:
        if (!json_is_boolean(value)) {
            complain(c, "must be a boolean");
        }
        break;
    case BK_INT:
        if (!json_is_integer(value) || json_integer_value(value) < f->min || json_integer_value(value) > f->max) {
            complain(c, "must be an integer between %ld and %ld", f->min, f->max);
        }
        break;
    case BK_ENUM:
        if (!word_in(f->words, s)) {
            complain(c, "must be one of: %s", f->words);
        }
        break;
    case BK_URL:
        check_string(c, value, 1, f->max);
        if (!hm_starts_with(s, "http://") && !hm_starts_with(s, "https://") && !hm_starts_with(s, "mailto:") &&
            !hm_starts_with(s, "slack://")) {
            complain(c, "must be a valid url");
        }
        break;
    case BK_DATE:
        if (!shape_ok(s, "0000-00-00")) {
            complain(c, "must be a date YYYY-MM-DD");
        }
        break;
    case BK_TIME:
        if (!shape_ok(s, "00:00")) {
            complain(c, "must be a time HH:mm");
        }
        break;
    default:
        break;
    }
}

static void check_field(struct check *c, json_t *obj, json_t *value, const struct sim_bk_field *f)
{
    switch (f->kind) {
    case BK_STR:
    case BK_BOOL:
    case BK_INT:
    case BK_ENUM:
    case BK_URL:
    case BK_DATE:
    case BK_TIME:
        check_scalar(c, value, f);
        break;
    case BK_PLAIN:
    case BK_TEXT:
        check_text(c, value, f->kind == BK_TEXT, f->max);
        break;
    case BK_STRINGS:
    case BK_TEXTS:
    case BK_ELEMENTS:
    case BK_RICH:
    case BK_CARDS:
        check_elements(c, value, f);
        break;
    case BK_OPTIONS:
        check_options(c, value, f->min, f->max);
        break;
    case BK_OPTION:
        check_initial(c, obj, value);
        break;
    case BK_GROUPS:
        check_groups(c, value, f->max);
        break;
    case BK_CONFIRM:
        check_confirm(c, value);
        break;
    case BK_ELEMENT:
        check_element(c, value, f->where);
        break;
    case BK_BLOCKS:
        check_blocks(c, value, f->min, f->max);
        break;
    case BK_TABLE:
        check_table(c, value, f->min, f->max);
        break;
    case BK_ANY:
        break;
    }
}

static bool any_present(json_t *obj, const char *names)
{
    while (*names != '\0') {
        size_t n = strcspn(names, " ");
        char name[64];

        (void)snprintf(name, sizeof(name), "%.*s", (int)n, names);
        if (json_object_get(obj, name) != NULL) {
            return true;
        }
        names += n + (names[n] == ' ' ? 1 : 0);
    }
    return false;
}

static bool field_known(const struct sim_bk_spec *spec, const char *key)
{
    const struct sim_bk_field *f = NULL;

    for (f = spec->fields; f->name != NULL; f++) {
        if (strcmp(f->name, key) == 0) {
            return true;
        }
    }
    return strcmp(key, "type") == 0 || strcmp(key, "block_id") == 0;
}

static void check_object(struct check *c, json_t *obj, const struct sim_bk_spec *spec)
{
    const struct sim_bk_field *f = NULL;
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(obj, key, value)
    {
        if (!field_known(spec, key)) {
            complain(c, "invalid additional property: %s", key);
        }
    }
    if (spec->one_of != NULL && !any_present(obj, spec->one_of)) {
        complain(c, "must define at least one of: %s", spec->one_of);
    }
    for (f = spec->fields; f->name != NULL; f++) {
        json_t *present = json_object_get(obj, f->name);

        if (present == NULL && f->required) {
            complain(c, "missing required field: %s", f->name);
        } else if (present != NULL) {
            size_t here = down(c, f->name);

            check_field(c, obj, present, f);
            up(c, here);
        }
    }
}

static void check_action_id(struct check *c, json_t *element)
{
    const char *id = hm_json_get_str(element, "action_id", NULL);

    if (id == NULL) {
        return;
    }
    if (json_object_get(c->action_ids, id) != NULL) {
        size_t here = down(c, "action_id");

        complain(c, "`action_id` already exists: %s", id);
        up(c, here);
    }
    hm_json_set_bool(c->action_ids, id, true);
}

static void check_element(struct check *c, json_t *element, unsigned where)
{
    const char *type = hm_json_get_str(element, "type", "");
    const struct sim_bk_spec *spec = sim_bk_find(sim_bk_elements, type);
    size_t here = 0;

    if (!json_is_object(element)) {
        complain(c, "must provide an object");
        return;
    }
    if (spec == NULL || (spec->where & where) == 0) {
        here = down(c, "type");
        complain(c, "unsupported type: %s", type);
        up(c, here);
        return;
    }
    check_object(c, element, spec);
    check_action_id(c, element);
}

static void check_block_id(struct check *c, json_t *block)
{
    json_t *id = json_object_get(block, "block_id");
    size_t here = down(c, "block_id");

    if (id != NULL) {
        check_string(c, id, 1, 255);
    }
    if (json_is_string(id)) {
        if (json_object_get(c->block_ids, json_string_value(id)) != NULL) {
            complain(c, "`block_id` already exists: %s", json_string_value(id));
        }
        hm_json_set_bool(c->block_ids, json_string_value(id), true);
    }
    up(c, here);
}

static void check_block(struct check *c, json_t *block)
{
    const char *type = hm_json_get_str(block, "type", "");
    const struct sim_bk_spec *spec = sim_bk_find(sim_bk_blocks, type);
    size_t here = 0;

    if (!json_is_object(block)) {
        complain(c, "must provide an object");
        return;
    }
    if (spec == NULL || (spec->where & (unsigned)c->surface) == 0) {
        here = down(c, "type");
        complain(c, "unsupported type: %s", type);
        up(c, here);
        return;
    }
    (void)json_object_clear(c->action_ids);
    check_block_id(c, block);
    check_object(c, block, spec);
}

static void check_blocks(struct check *c, json_t *blocks, long min, long max)
{
    json_t *block = NULL;
    size_t i = 0;

    if (!check_array(c, blocks, min, max)) {
        return;
    }
    json_array_foreach(blocks, i, block)
    {
        size_t here = down_at(c, i);

        check_block(c, block);
        up(c, here);
    }
}

static void check_begin(struct check *c, enum sim_surface surface, json_t *errors)
{
    memset(c, 0, sizeof(*c));
    c->surface = surface;
    c->errors = errors;
    c->block_ids = hm_json_obj_new();
    c->action_ids = hm_json_obj_new();
    hm_strbuf_init(&c->at, 4096);
}

static void check_end(struct check *c)
{
    json_decref(c->block_ids);
    json_decref(c->action_ids);
    hm_strbuf_done(&c->at);
}

bool sim_blockkit_check_blocks(json_t *blocks, enum sim_surface surface, const char *pointer, json_t *errors)
{
    struct check c;
    size_t before = json_array_size(errors);

    check_begin(&c, surface, errors);
    hm_strbuf_adds(&c.at, pointer);
    check_blocks(&c, blocks, 0, surface == SIM_IN_MESSAGE ? SIM_BK_MESSAGE_BLOCKS : SIM_BK_VIEW_BLOCKS);
    check_end(&c);
    return json_array_size(errors) == before;
}

static bool has_input(json_t *blocks)
{
    json_t *block = NULL;
    size_t i = 0;

    json_array_foreach(blocks, i, block)
    {
        if (hm_streq(hm_json_get_str(block, "type", NULL), "input")) {
            return true;
        }
    }
    return false;
}

static const struct sim_bk_field modal_fields[] = {
    {.name = "title", .kind = BK_PLAIN, .required = true, .min = 1, .max = 24},
    {.name = "submit", .kind = BK_PLAIN, .min = 1, .max = 24},
    {.name = "close", .kind = BK_PLAIN, .min = 1, .max = 24},
    {.name = "private_metadata", .kind = BK_STR, .min = 0, .max = 3000},
    {.name = "callback_id", .kind = BK_STR, .min = 0, .max = 255},
    {.name = "external_id", .kind = BK_STR, .min = 0, .max = 255},
    {.name = "clear_on_close", .kind = BK_BOOL},
    {.name = "notify_on_close", .kind = BK_BOOL},
    {.name = "submit_disabled", .kind = BK_BOOL},
    {.name = "blocks", .kind = BK_BLOCKS, .required = true, .min = 0, .max = SIM_BK_VIEW_BLOCKS},
    {.name = NULL},
};

static const struct sim_bk_field home_fields[] = {
    {.name = "private_metadata", .kind = BK_STR, .min = 0, .max = 3000},
    {.name = "callback_id", .kind = BK_STR, .min = 0, .max = 255},
    {.name = "external_id", .kind = BK_STR, .min = 0, .max = 255},
    {.name = "blocks", .kind = BK_BLOCKS, .required = true, .min = 0, .max = SIM_BK_VIEW_BLOCKS},
    {.name = NULL},
};

bool sim_blockkit_check_view(json_t *view, json_t *errors)
{
    static const struct sim_bk_spec modal = {"modal", SIM_IN_MODAL, modal_fields, NULL};
    static const struct sim_bk_spec home = {"home", SIM_IN_HOME, home_fields, NULL};
    const char *type = hm_json_get_str(view, "type", "");
    const struct sim_bk_spec *spec = strcmp(type, "home") == 0 ? &home : &modal;
    struct check c;
    size_t before = json_array_size(errors);

    check_begin(&c, spec == &home ? SIM_IN_HOME : SIM_IN_MODAL, errors);
    if (!json_is_object(view)) {
        complain(&c, "must provide an object");
    } else if (strcmp(type, spec->type) != 0) {
        size_t here = down(&c, "type");

        complain(&c, "unsupported type: %s", type);
        up(&c, here);
    } else {
        check_object(&c, view, spec);
        if (spec == &modal && has_input(json_object_get(view, "blocks")) && json_object_get(view, "submit") == NULL) {
            complain(&c, "missing required field: submit");
        }
    }
    check_end(&c);
    return json_array_size(errors) == before;
}

size_t sim_blockkit_chars(json_t *blocks)
{
    char *text = json_dumps(blocks, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t n = text != NULL ? hm_utf8_count(text) : 0;

    free(text);
    return n;
}
