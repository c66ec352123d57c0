/* Views and their input fields: see form.h. */
#include "slack/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/escape.h"

/* 10 % below Slack's limits, but where a count leaves no doubt. */
enum {
    NAME_MAX_BYTES = 200,
    INPUT_LABEL_MAX = 1800,
    PLACEHOLDER_MAX = 135,
    OPTIONS_MAX = 100,
    CHECKS_MAX = 10,
    TITLE_MAX = 21,
    CALLBACK_MAX = 255,
    METADATA_MAX = 3000
};

static bool has_id(const struct hm_blocks *blocks, const char *id)
{
    size_t i = 0;
    json_t *block = NULL;
    json_array_foreach(hm_blocks_get_list(blocks), i,
                       block) if (hm_streq(hm_json_get_str(block, "block_id", ""), id)) return true;
    return false;
}

static bool name_free(const struct hm_blocks *blocks, const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_BYTES && hm_utf8_valid(name, len) && !has_id(blocks, name);
}

static json_t *option_new(const struct hm_form_option *option)
{
    json_t *obj = hm_json_obj_new();
    hm_json_set(obj, "text", hm_blocks_plain_new(option->label, HM_FORM_OPTION_MAX));
    hm_json_set_str(obj, "value", option->value);
    return obj;
}

static bool option_ok(const struct hm_form_option *option)
{
    size_t length = hm_slack_length(option->value);
    return length > 0 && length <= HM_FORM_OPTION_MAX;
}

/* The select's options; an array that may be empty. */
static json_t *options_new(struct hm_blocks *blocks, const struct hm_form_field *field)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < field->n_options; i++) {
        if (json_array_size(list) < OPTIONS_MAX && option_ok(&field->options[i]))
            hm_json_add(list, option_new(&field->options[i]));
        else
            hm_blocks_shortened(blocks);
    }
    return list;
}

static json_t *choice_new(struct hm_blocks *blocks, const struct hm_form_field *field)
{
    bool many = field->kind == HM_FORM_CHOICES;
    json_t *options = options_new(blocks, field);
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", many ? "multi_static_select" : "static_select");
    size_t i = 0;
    json_t *option = NULL;
    json_array_foreach(options, i, option)
    {
        if (field->initial == NULL || !hm_streq(hm_json_get_str(option, "value", ""), field->initial))
            continue;
        json_t *initial = json_deep_copy(option);
        if (many) {
            json_t *list = hm_json_arr_new();
            hm_json_add(list, initial);
            hm_json_set(element, "initial_options", list);
        } else {
            hm_json_set(element, "initial_option", initial);
        }
        break;
    }
    if (json_array_size(options) > 0) {
        hm_json_set(element, "options", options);
        return element;
    }
    json_decref(options);
    json_decref(element);
    return NULL;
}

/* Asks from the first letter on, and shows the beginning of the list before that. */
static json_t *search_new(const struct hm_form_field *field)
{
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", field->kind == HM_FORM_SEARCHES ? "multi_external_select" : "external_select");
    hm_json_set_int(element, "min_query_length", 0);
    const struct hm_form_option initial = {field->initial, field->initial};
    if (field->kind == HM_FORM_SEARCH && field->initial != NULL && option_ok(&initial))
        hm_json_set(element, "initial_option", option_new(&initial));
    return element;
}

/* Slack refuses the whole view for an id that is none. */
static bool is_slack_id(const char *s, const char *first)
{
    size_t len = s != NULL ? strlen(s) : 0;
    return len > 1 && len <= 30 && strchr(first, s[0]) != NULL && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
}

static json_t *user_new(const struct hm_form_field *field)
{
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", "users_select");
    if (is_slack_id(field->initial, "UW"))
        hm_json_set_str(element, "initial_user", field->initial);
    return element;
}

static json_t *channel_new(const struct hm_form_field *field)
{
    json_t *element = hm_json_obj_new();
    json_t *filter = hm_json_obj_new();
    json_t *kinds = hm_json_arr_new();
    hm_json_add(kinds, hm_json_str_new("public"));
    hm_json_add(kinds, hm_json_str_new("private"));
    hm_json_set(filter, "include", kinds);
    hm_json_set_str(element, "type", "conversations_select");
    hm_json_set(element, "filter", filter);
    if (is_slack_id(field->initial, "CG"))
        hm_json_set_str(element, "initial_conversation", field->initial);
    else
        hm_json_set_bool(element, "default_to_current_conversation", true);
    return element;
}

/* Slack refuses an empty list of what is ticked. */
static void set_ticked(json_t *element, const json_t *options, const char *initial)
{
    size_t i = 0;
    json_t *option = NULL;
    json_array_foreach(options, i, option)
    {
        if (initial == NULL || !hm_streq(hm_json_get_str(option, "value", ""), initial))
            continue;
        json_t *ticked = hm_json_arr_new();
        hm_json_add(ticked, json_deep_copy(option));
        hm_json_set(element, "initial_options", ticked);
        return;
    }
}

static json_t *checks_new(struct hm_blocks *blocks, const struct hm_form_field *field)
{
    json_t *options = options_new(blocks, field);
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", "checkboxes");
    while (json_array_size(options) > CHECKS_MAX)
        (void)json_array_remove(options, CHECKS_MAX);
    if (json_array_size(options) > 0) {
        set_ticked(element, options, field->initial);
        hm_json_set(element, "options", options);
        return element;
    }
    json_decref(options);
    json_decref(element);
    return NULL;
}

static json_t *text_new(const struct hm_form_field *field)
{
    size_t max = field->max_len > 0 && field->max_len < HM_BLOCKS_TEXT_MAX ? field->max_len : HM_BLOCKS_TEXT_MAX;
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", "plain_text_input");
    hm_json_set_bool(element, "multiline", field->kind == HM_FORM_LINES);
    hm_json_set_int(element, "max_length", (int64_t)max);
    if (field->initial != NULL && field->initial[0] != '\0' && hm_slack_length(field->initial) <= max)
        hm_json_set_str(element, "initial_value", field->initial);
    return element;
}

static void set_number(json_t *element, const char *key, int64_t n)
{
    char *text = hm_xasprintf("%lld", (long long)n);
    hm_json_set_str(element, key, text);
    free(text);
}

static json_t *int_new(const struct hm_form_field *field)
{
    bool bounded = field->max > field->min;
    int64_t initial = 0;
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", "number_input");
    hm_json_set_bool(element, "is_decimal_allowed", false);
    if (bounded && field->min != INT64_MIN)
        set_number(element, "min_value", field->min);
    if (bounded && field->max != INT64_MAX)
        set_number(element, "max_value", field->max);
    if (field->initial != NULL &&
        hm_parse_i64(field->initial, bounded ? field->min : INT64_MIN, bounded ? field->max : INT64_MAX, &initial))
        hm_json_set_str(element, "initial_value", field->initial);
    return element;
}

static bool is_date(const char *s)
{
    static const char shape[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != '-')
            return false;
    return s[sizeof shape - 1] == '\0' && memcmp(s + 5, "00", 2) > 0 && memcmp(s + 5, "12", 2) <= 0 &&
           memcmp(s + 8, "00", 2) > 0 && memcmp(s + 8, "31", 2) <= 0;
}

static json_t *date_new(const struct hm_form_field *field)
{
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", "datepicker");
    if (field->initial != NULL && is_date(field->initial))
        hm_json_set_str(element, "initial_date", field->initial);
    return element;
}

static json_t *element_new(struct hm_blocks *blocks, const struct hm_form_field *field)
{
    switch (field->kind) {
    case HM_FORM_TEXT:
    case HM_FORM_LINES:
        return text_new(field);
    case HM_FORM_INT:
        return int_new(field);
    case HM_FORM_DATE:
        return date_new(field);
    case HM_FORM_CHOICE:
    case HM_FORM_CHOICES:
        return choice_new(blocks, field);
    case HM_FORM_SEARCH:
    case HM_FORM_SEARCHES:
        return search_new(field);
    case HM_FORM_USER:
        return user_new(field);
    case HM_FORM_CHANNEL:
        return channel_new(field);
    case HM_FORM_CHECKS:
        return checks_new(blocks, field);
    case HM_FORM_NR:
        break;
    }
    return NULL;
}

/* Without being asked to, Slack tells of a text only when somebody presses Enter in it. */
static void set_told(json_t *block, json_t *element, enum hm_form_kind kind)
{
    hm_json_set_bool(block, "dispatch_action", true);
    if (kind == HM_FORM_TEXT || kind == HM_FORM_LINES || kind == HM_FORM_INT) {
        json_t *config = hm_json_obj_new();
        json_t *on = hm_json_arr_new();
        hm_json_add(on, hm_json_str_new("on_character_entered"));
        hm_json_set(config, "trigger_actions_on", on);
        hm_json_set(element, "dispatch_action_config", config);
    }
}

bool hm_form_input(struct hm_blocks *blocks, const struct hm_form_field *field)
{
    json_t *element = name_free(blocks, field->name) ? element_new(blocks, field) : NULL;
    if (element == NULL) {
        hm_blocks_shortened(blocks);
        return false;
    }
    hm_json_set_str(element, "action_id", field->action != NULL ? field->action : "value");
    if (field->placeholder != NULL && field->placeholder[0] != '\0' && field->kind != HM_FORM_CHECKS)
        hm_json_set(element, "placeholder", hm_blocks_plain_new(field->placeholder, PLACEHOLDER_MAX));

    json_t *block = hm_json_obj_new();
    hm_json_set_str(block, "type", "input");
    hm_json_set_str(block, "block_id", field->name);
    hm_json_set(block, "label", hm_blocks_plain_new(field->label, INPUT_LABEL_MAX));
    if (field->hint != NULL && field->hint[0] != '\0')
        hm_json_set(block, "hint", hm_blocks_plain_new(field->hint, INPUT_LABEL_MAX));
    hm_json_set_bool(block, "optional", field->optional);
    if (field->told)
        set_told(block, element, field->kind);
    hm_json_set(block, "element", element);
    return hm_blocks_put(blocks, block);
}

bool hm_form_picker(struct hm_blocks *blocks, const char *mrkdwn, const char *action_id, const char *placeholder)
{
    json_t *element = hm_json_obj_new();
    hm_json_set_str(element, "type", "external_select");
    hm_json_set_str(element, "action_id", action_id);
    hm_json_set_int(element, "min_query_length", 0);
    hm_json_set(element, "placeholder", hm_blocks_plain_new(placeholder, PLACEHOLDER_MAX));
    return hm_blocks_section_with(blocks, mrkdwn, element);
}

/* Slack refuses a view with an input and no submit button. */
static bool has_input(const struct hm_blocks *blocks)
{
    size_t i = 0;
    json_t *block = NULL;
    json_array_foreach(hm_blocks_get_list(blocks), i,
                       block) if (hm_streq(hm_json_get_str(block, "type", ""), "input")) return true;
    return false;
}

json_t *hm_form_view_new(struct hm_blocks *blocks, enum hm_surface surface, const struct hm_view_head *head, struct hm_err *err)
{
    const char *metadata = head->private_metadata != NULL ? head->private_metadata : "";
    if (strlen(head->callback_id) > CALLBACK_MAX || strlen(metadata) > METADATA_MAX) {
        hm_blocks_free(blocks);
        (void)hm_err_set(err, HM_ETOOBIG, "view %.40s: its callback_id or private_metadata is longer than Slack takes",
                         head->callback_id);
        return NULL;
    }
    bool home = surface == HM_SURFACE_HOME;
    json_t *view = hm_json_obj_new();
    hm_json_set_str(view, "type", home ? "home" : "modal");
    hm_json_set_str(view, "callback_id", head->callback_id);
    if (metadata[0] != '\0')
        hm_json_set_str(view, "private_metadata", metadata);
    if (!home) {
        hm_json_set(view, "title", hm_blocks_plain_new(head->title, TITLE_MAX));
        if (head->submit != NULL || has_input(blocks))
            hm_json_set(view, "submit", hm_blocks_plain_new(head->submit != NULL ? head->submit : "Send", TITLE_MAX));
        if (head->close != NULL)
            hm_json_set(view, "close", hm_blocks_plain_new(head->close, TITLE_MAX));
        hm_json_set_bool(view, "notify_on_close", head->notify_on_close);
    }
    hm_json_set(view, "blocks", hm_blocks_take_new(blocks));
    return view;
}
