/* Walks blocks along the tables of blockkit_spec.c, keeping the JSON pointer of where it is. What Slack says is what it says:
 * "must be less than 3001 characters [json-pointer:/blocks/0/text/text]". */
#include "blockkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "blockkit_check.h"
#include "blockkit_spec.h"

enum { FIELD_TEXT_MAX = 2000 };

static void check_blocks(struct sim_bk_check *c, json_t *blocks, long min, long max);

/* --- objects by their spec -------------------------------------------------------------------------------------------------- */
static void check_element(struct sim_bk_check *c, json_t *element, unsigned where);

static void check_elements(struct sim_bk_check *c, json_t *elements, const struct sim_bk_field *f)
{
    json_t *one = NULL;
    size_t i = 0;

    if (!sim_bk_check_array(c, elements, f->min, f->max)) {
        return;
    }
    json_array_foreach(elements, i, one)
    {
        size_t here = sim_bk_down_at(c, i);

        if (f->kind == BK_CARDS) {
            if (!hm_streq(hm_json_get_str(one, "type", NULL), "card")) {
                sim_bk_complain(c, "unsupported type: %s", hm_json_get_str(one, "type", ""));
            }
        } else if (f->kind == BK_RICH) {
            sim_bk_check_rich_part(c, one);
        } else if (f->kind == BK_TEXTS) {
            sim_bk_check_text(c, one, true, FIELD_TEXT_MAX);
        } else if (f->kind == BK_STRINGS) {
            sim_bk_check_string(c, one, 1, 255);
        } else {
            check_element(c, one, f->where);
        }
        sim_bk_up(c, here);
    }
}

static void check_scalar(struct sim_bk_check *c, json_t *value, const struct sim_bk_field *f)
{
    const char *s = json_is_string(value) ? json_string_value(value) : "";

    switch ((int)f->kind) {
    case BK_STR:
        sim_bk_check_string(c, value, f->min, f->max);
        break;
    case BK_BOOL:
        if (!json_is_boolean(value)) {
            sim_bk_complain(c, "must be a boolean");
        }
        break;
    case BK_INT:
        if (!json_is_integer(value) || json_integer_value(value) < f->min || json_integer_value(value) > f->max) {
            sim_bk_complain(c, "must be an integer between %ld and %ld", f->min, f->max);
        }
        break;
    case BK_ENUM:
        if (!sim_bk_word_in(f->words, s)) {
            sim_bk_complain(c, "must be one of: %s", f->words);
        }
        break;
    case BK_URL:
        sim_bk_check_string(c, value, 1, f->max);
        if (!hm_starts_with(s, "http://") && !hm_starts_with(s, "https://") && !hm_starts_with(s, "mailto:") &&
            !hm_starts_with(s, "slack://")) {
            sim_bk_complain(c, "must be a valid url");
        }
        break;
    case BK_DATE:
        if (!sim_bk_shape_ok(s, "0000-00-00")) {
            sim_bk_complain(c, "must be a date YYYY-MM-DD");
        }
        break;
    case BK_TIME:
        if (!sim_bk_shape_ok(s, "00:00")) {
            sim_bk_complain(c, "must be a time HH:mm");
        }
        break;
    default:
        break;
    }
}

static void check_field(struct sim_bk_check *c, json_t *obj, json_t *value, const struct sim_bk_field *f)
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
        sim_bk_check_text(c, value, f->kind == BK_TEXT, f->max);
        break;
    case BK_STRINGS:
    case BK_TEXTS:
    case BK_ELEMENTS:
    case BK_RICH:
    case BK_CARDS:
        check_elements(c, value, f);
        break;
    case BK_OPTIONS:
        sim_bk_check_options(c, value, f->min, f->max);
        break;
    case BK_OPTION:
        sim_bk_check_initial(c, obj, value);
        break;
    case BK_GROUPS:
        sim_bk_check_groups(c, value, f->max);
        break;
    case BK_CONFIRM:
        sim_bk_check_confirm(c, value);
        break;
    case BK_ELEMENT:
        check_element(c, value, f->where);
        break;
    case BK_BLOCKS:
        check_blocks(c, value, f->min, f->max);
        break;
    case BK_TABLE:
        sim_bk_check_table(c, value, f->min, f->max);
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

static void check_object(struct sim_bk_check *c, json_t *obj, const struct sim_bk_spec *spec)
{
    const struct sim_bk_field *f = NULL;
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(obj, key, value)
    {
        if (!field_known(spec, key)) {
            sim_bk_complain(c, "invalid additional property: %s", key);
        }
    }
    if (spec->one_of != NULL && !any_present(obj, spec->one_of)) {
        sim_bk_complain(c, "must define at least one of: %s", spec->one_of);
    }
    for (f = spec->fields; f->name != NULL; f++) {
        json_t *present = json_object_get(obj, f->name);

        if (present == NULL && f->required) {
            sim_bk_complain(c, "missing required field: %s", f->name);
        } else if (present != NULL) {
            size_t here = sim_bk_down(c, f->name);

            check_field(c, obj, present, f);
            sim_bk_up(c, here);
        }
    }
}

static void check_action_id(struct sim_bk_check *c, json_t *element)
{
    const char *id = hm_json_get_str(element, "action_id", NULL);

    if (id == NULL) {
        return;
    }
    if (json_object_get(c->action_ids, id) != NULL) {
        size_t here = sim_bk_down(c, "action_id");

        sim_bk_complain(c, "`action_id` already exists: %s", id);
        sim_bk_up(c, here);
    }
    hm_json_set_bool(c->action_ids, id, true);
}

static void check_element(struct sim_bk_check *c, json_t *element, unsigned where)
{
    const char *type = hm_json_get_str(element, "type", "");
    const struct sim_bk_spec *spec = sim_bk_find(sim_bk_elements, type);
    size_t here = 0;

    if (!json_is_object(element)) {
        sim_bk_complain(c, "must provide an object");
        return;
    }
    if (spec == NULL || (spec->where & where) == 0) {
        here = sim_bk_down(c, "type");
        sim_bk_complain(c, "unsupported type: %s", type);
        sim_bk_up(c, here);
        return;
    }
    check_object(c, element, spec);
    check_action_id(c, element);
}

static void check_block_id(struct sim_bk_check *c, json_t *block)
{
    json_t *id = json_object_get(block, "block_id");
    size_t here = sim_bk_down(c, "block_id");

    if (id != NULL) {
        sim_bk_check_string(c, id, 1, 255);
    }
    if (json_is_string(id)) {
        if (json_object_get(c->block_ids, json_string_value(id)) != NULL) {
            sim_bk_complain(c, "`block_id` already exists: %s", json_string_value(id));
        }
        hm_json_set_bool(c->block_ids, json_string_value(id), true);
    }
    sim_bk_up(c, here);
}

static void check_block(struct sim_bk_check *c, json_t *block)
{
    const char *type = hm_json_get_str(block, "type", "");
    const struct sim_bk_spec *spec = sim_bk_find(sim_bk_blocks, type);
    size_t here = 0;

    if (!json_is_object(block)) {
        sim_bk_complain(c, "must provide an object");
        return;
    }
    if (spec == NULL || (spec->where & (unsigned)c->surface) == 0) {
        here = sim_bk_down(c, "type");
        sim_bk_complain(c, "unsupported type: %s", type);
        sim_bk_up(c, here);
        return;
    }
    (void)json_object_clear(c->action_ids);
    check_block_id(c, block);
    check_object(c, block, spec);
}

static void check_blocks(struct sim_bk_check *c, json_t *blocks, long min, long max)
{
    json_t *block = NULL;
    size_t i = 0;

    if (!sim_bk_check_array(c, blocks, min, max)) {
        return;
    }
    json_array_foreach(blocks, i, block)
    {
        size_t here = sim_bk_down_at(c, i);

        check_block(c, block);
        sim_bk_up(c, here);
    }
}

static void check_begin(struct sim_bk_check *c, enum sim_surface surface, json_t *errors)
{
    memset(c, 0, sizeof(*c));
    c->surface = surface;
    c->errors = errors;
    c->block_ids = hm_json_obj_new();
    c->action_ids = hm_json_obj_new();
    hm_strbuf_init(&c->at, 4096);
}

static void check_end(struct sim_bk_check *c)
{
    json_decref(c->block_ids);
    json_decref(c->action_ids);
    hm_strbuf_done(&c->at);
}

bool sim_blockkit_check_blocks(json_t *blocks, enum sim_surface surface, const char *pointer, json_t *errors)
{
    struct sim_bk_check c;
    size_t before = json_array_size(errors);

    check_begin(&c, surface, errors);
    hm_strbuf_adds(&c.at, pointer);
    check_blocks(&c, blocks, 0, surface == SIM_IN_MESSAGE ? SIM_BK_MESSAGE_BLOCKS : SIM_BK_VIEW_BLOCKS);
    check_end(&c);
    return json_array_size(errors) == before;
}

bool sim_blockkit_check_answer(json_t *answer, json_t *errors)
{
    struct sim_bk_check c;
    size_t before = json_array_size(errors);
    bool grouped = json_object_get(answer, "option_groups") != NULL;

    check_begin(&c, SIM_IN_MODAL, errors);
    hm_strbuf_adds(&c.at, grouped ? "/option_groups" : "/options");
    if (grouped) {
        sim_bk_check_groups(&c, json_object_get(answer, "option_groups"), 100);
    } else {
        sim_bk_check_options(&c, json_object_get(answer, "options"), 0, 100);
    }
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
    struct sim_bk_check c;
    size_t before = json_array_size(errors);

    check_begin(&c, spec == &home ? SIM_IN_HOME : SIM_IN_MODAL, errors);
    if (!json_is_object(view)) {
        sim_bk_complain(&c, "must provide an object");
    } else if (strcmp(type, spec->type) != 0) {
        size_t here = sim_bk_down(&c, "type");

        sim_bk_complain(&c, "unsupported type: %s", type);
        sim_bk_up(&c, here);
    } else {
        check_object(&c, view, spec);
        if (spec == &modal && has_input(json_object_get(view, "blocks")) && json_object_get(view, "submit") == NULL) {
            sim_bk_complain(&c, "missing required field: submit");
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
