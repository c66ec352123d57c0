/* See elements.h. */
#include "elements.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* What the state object of each type carries, and which field of the element is its initial value. */
static const struct state_kind {
    const char *type, *field, *initial;
    enum { CHOOSE_OPTION, CHOOSE_OPTIONS, CHOOSE_STRING, CHOOSE_STRINGS, CHOOSE_NUMBER } choice;
} kinds[] = {
    {"static_select", "selected_option", "initial_option", CHOOSE_OPTION},
    {"external_select", "selected_option", "initial_option", CHOOSE_OPTION},
    {"radio_buttons", "selected_option", "initial_option", CHOOSE_OPTION},
    {"multi_static_select", "selected_options", "initial_options", CHOOSE_OPTIONS},
    {"multi_external_select", "selected_options", "initial_options", CHOOSE_OPTIONS},
    {"checkboxes", "selected_options", "initial_options", CHOOSE_OPTIONS},
    {"users_select", "selected_user", "initial_user", CHOOSE_STRING},
    {"conversations_select", "selected_conversation", "initial_conversation", CHOOSE_STRING},
    {"channels_select", "selected_channel", "initial_channel", CHOOSE_STRING},
    {"multi_users_select", "selected_users", "initial_users", CHOOSE_STRINGS},
    {"multi_conversations_select", "selected_conversations", "initial_conversations", CHOOSE_STRINGS},
    {"multi_channels_select", "selected_channels", "initial_channels", CHOOSE_STRINGS},
    {"datepicker", "selected_date", "initial_date", CHOOSE_STRING},
    {"timepicker", "selected_time", "initial_time", CHOOSE_STRING},
    {"datetimepicker", "selected_date_time", "initial_date_time", CHOOSE_NUMBER},
    {"plain_text_input", "value", "initial_value", CHOOSE_STRING},
    {"email_text_input", "value", "initial_value", CHOOSE_STRING},
    {"url_text_input", "value", "initial_value", CHOOSE_STRING},
    {"number_input", "value", "initial_value", CHOOSE_STRING},
};

static const struct state_kind *kind_of(const json_t *element)
{
    const char *type = hm_json_get_str(element, "type", "");
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool is_interactive(const json_t *element)
{
    const char *type = hm_json_get_str(element, "type", "");

    return kind_of(element) != NULL || strcmp(type, "button") == 0 || strcmp(type, "overflow") == 0 ||
           strcmp(type, "workflow_button") == 0 || strcmp(type, "icon_button") == 0 || strcmp(type, "feedback_buttons") == 0;
}

/* Text objects anywhere below. */
static void fill_texts(json_t *value)
{
    const char *key = NULL;
    json_t *one = NULL;
    size_t i = 0;
    const char *type = hm_json_get_str(value, "type", "");

    if (json_is_object(value)) {
        if (strcmp(type, "plain_text") == 0 && json_object_get(value, "emoji") == NULL) {
            hm_json_set_bool(value, "emoji", true);
        } else if (strcmp(type, "mrkdwn") == 0 && json_object_get(value, "verbatim") == NULL) {
            hm_json_set_bool(value, "verbatim", false);
        }
        json_object_foreach(value, key, one)
        {
            fill_texts(one);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, one)
        {
            fill_texts(one);
        }
    }
}

static void fill_action_id(json_t *element, struct sim_ids *ids)
{
    char id[SIM_ID_MAX];

    if (is_interactive(element) && json_object_get(element, "action_id") == NULL) {
        hm_json_set_str(element, "action_id", sim_ids_mixed(ids, 5, id));
    }
}

void sim_blocks_fill(json_t *blocks, struct sim_ids *ids)
{
    char id[SIM_ID_MAX];
    json_t *block = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    json_array_foreach(blocks, i, block)
    {
        if (json_object_get(block, "block_id") == NULL) {
            hm_json_set_str(block, "block_id", sim_ids_mixed(ids, 5, id));
        }
        fill_texts(block);
        fill_action_id(hm_json_get_obj(block, "accessory"), ids);
        fill_action_id(hm_json_get_obj(block, "element"), ids);
        json_array_foreach(hm_json_get_arr(block, "elements"), j, one)
        {
            fill_action_id(one, ids);
        }
        sim_blocks_fill(hm_json_get_arr(block, "child_blocks"), ids);
    }
}

static void consider(struct sim_found *found, json_t *block, json_t *element, const char *action_id)
{
    if (element != NULL && is_interactive(element) && hm_streq(hm_json_get_str(element, "action_id", NULL), action_id)) {
        if (found->matches++ == 0) {
            found->block = block;
            found->element = element;
        }
    }
}

struct sim_found sim_blocks_find(const json_t *blocks, const char *action_id, const char *block_id)
{
    struct sim_found found = {0};
    json_t *block = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    json_array_foreach(blocks, i, block)
    {
        if (block_id == NULL || hm_streq(hm_json_get_str(block, "block_id", NULL), block_id)) {
            consider(&found, block, hm_json_get_obj(block, "accessory"), action_id);
            consider(&found, block, hm_json_get_obj(block, "element"), action_id);
            json_array_foreach(hm_json_get_arr(block, "elements"), j, one)
            {
                consider(&found, block, one, action_id);
            }
        }
        if (hm_json_get_arr(block, "child_blocks") != NULL) {
            struct sim_found inner = sim_blocks_find(hm_json_get_arr(block, "child_blocks"), action_id, block_id);

            if (inner.matches > 0 && found.matches == 0) {
                found = inner;
            }
        }
    }
    return found;
}

bool sim_element_has_state(const json_t *element)
{
    return kind_of(element) != NULL;
}

json_t *sim_element_initial_new(const json_t *element)
{
    const struct state_kind *kind = kind_of(element);
    json_t *state = hm_json_obj_new();
    json_t *initial = NULL;

    hm_json_set_str(state, "type", hm_json_get_str(element, "type", ""));
    if (kind == NULL) {
        return state;
    }
    initial = json_object_get(element, kind->initial);
    if (initial != NULL) {
        hm_json_set(state, kind->field, json_deep_copy(initial));
    } else if (kind->choice == CHOOSE_OPTIONS || kind->choice == CHOOSE_STRINGS) {
        hm_json_set(state, kind->field, hm_json_arr_new());
    } else {
        hm_json_set(state, kind->field, json_null());
    }
    return state;
}

static json_t *option_by_value(const json_t *element, const char *value)
{
    json_t *group = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    json_array_foreach(hm_json_get_arr(element, "options"), i, one)
    {
        if (hm_streq(hm_json_get_str(one, "value", NULL), value)) {
            return one;
        }
    }
    json_array_foreach(hm_json_get_arr(element, "option_groups"), i, group)
    {
        json_array_foreach(hm_json_get_arr(group, "options"), j, one)
        {
            if (hm_streq(hm_json_get_str(one, "value", NULL), value)) {
                return one;
            }
        }
    }
    return NULL;
}

/* An option by its value (or as a whole object, for external selects). */
static json_t *choose_option_new(const json_t *element, json_t *value, struct hm_err *err)
{
    bool external = strstr(hm_json_get_str(element, "type", ""), "external") != NULL;
    const char *name = json_is_object(value) ? hm_json_get_str(value, "value", "") : json_string_value(value);
    json_t *option = option_by_value(element, name);

    if (external && json_is_object(value)) {
        return json_deep_copy(value);
    }
    if (option == NULL) {
        (void)hm_err_set(err, HM_EINVAL, "no option with value \"%s\"", name != NULL ? name : "(no string)");
        return NULL;
    }
    return json_deep_copy(option);
}

static json_t *choose_many_new(const json_t *element, json_t *value, bool options, struct hm_err *err)
{
    json_t *out = hm_json_arr_new();
    json_t *one = NULL;
    size_t i = 0;
    int64_t most = hm_json_get_int(element, "max_selected_items", 100);

    if (!json_is_array(value)) {
        (void)hm_err_set(err, HM_EINVAL, "wants an array");
        json_decref(out);
        return NULL;
    }
    if ((int64_t)json_array_size(value) > most) {
        (void)hm_err_set(err, HM_EINVAL, "at most %lld items", (long long)most);
        json_decref(out);
        return NULL;
    }
    json_array_foreach(value, i, one)
    {
        json_t *chosen = options ? choose_option_new(element, one, err) : json_deep_copy(one);

        if (chosen == NULL) {
            json_decref(out);
            return NULL;
        }
        hm_json_add(out, chosen);
    }
    return out;
}

json_t *sim_element_choose_new(const json_t *element, json_t *value, struct hm_err *err)
{
    const struct state_kind *kind = kind_of(element);
    const char *type = hm_json_get_str(element, "type", "");
    json_t *chosen = NULL;
    json_t *state = NULL;

    if (kind == NULL && strcmp(type, "overflow") != 0) {
        (void)hm_err_set(err, HM_EINVAL, "nothing to choose in a %s", type);
    } else if (kind != NULL && json_is_object(value) && json_object_get(value, kind->field) != NULL) {
        chosen = json_deep_copy(json_object_get(value, kind->field));
    } else if (kind != NULL && json_is_null(value)) {
        return sim_element_initial_new(element);
    } else if (kind == NULL || kind->choice == CHOOSE_OPTION) {
        chosen = choose_option_new(element, value, err);
    } else if (kind->choice == CHOOSE_OPTIONS || kind->choice == CHOOSE_STRINGS) {
        chosen = choose_many_new(element, value, kind->choice == CHOOSE_OPTIONS, err);
    } else if (kind->choice == CHOOSE_NUMBER ? json_is_integer(value) : json_is_string(value)) {
        chosen = json_deep_copy(value);
    } else {
        (void)hm_err_set(err, HM_EINVAL, "wrong type of value for a %s", type);
    }
    if (chosen == NULL) {
        return NULL;
    }
    state = hm_json_obj_new();
    hm_json_set_str(state, "type", type);
    hm_json_set(state, kind != NULL ? kind->field : "selected_option", chosen);
    return state;
}

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) || (json_is_string(value) && json_string_value(value)[0] == '\0') ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static bool number_ok(const json_t *element, const char *text)
{
    bool decimal = hm_json_get_bool(element, "is_decimal_allowed", false);
    size_t i = text[0] == '-' ? 1 : 0;
    size_t digits = 0;
    size_t dots = 0;

    for (; text[i] != '\0'; i++) {
        if (text[i] == '.' && decimal) {
            dots++;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits++;
        } else {
            return false;
        }
    }
    return digits > 0 && dots <= 1;
}

const char *sim_input_refusal(const json_t *block, const json_t *state)
{
    const json_t *element = hm_json_get_obj(block, "element");
    const struct state_kind *kind = kind_of(element);
    const char *type = hm_json_get_str(element, "type", "");
    const json_t *value = kind != NULL ? json_object_get(state, kind->field) : NULL;
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    int64_t n = (int64_t)hm_utf8_count(text);

    if (kind == NULL) {
        return NULL;
    }
    if (is_empty(value)) {
        return hm_json_get_bool(block, "optional", false) ? NULL : "Please complete this required field.";
    }
    if (strcmp(type, "plain_text_input") == 0) {
        if (n < hm_json_get_int(element, "min_length", 0)) {
            return "Please enter more text.";
        }
        if (n > hm_json_get_int(element, "max_length", 3000)) {
            return "Please shorten this text.";
        }
    }
    if (strcmp(type, "number_input") == 0 && !number_ok(element, text)) {
        return "Please enter a number.";
    }
    if (strcmp(type, "email_text_input") == 0 && strchr(text, '@') == NULL) {
        return "Please enter an email address.";
    }
    if (strcmp(type, "url_text_input") == 0 && strstr(text, "://") == NULL) {
        return "Please enter a URL.";
    }
    return NULL;
}

static void add_initial(json_t *values, const json_t *block, const json_t *element)
{
    const char *block_id = hm_json_get_str(block, "block_id", "");
    const char *action_id = hm_json_get_str(element, "action_id", "");
    json_t *actions = NULL;

    if (element == NULL || !sim_element_has_state(element)) {
        return;
    }
    actions = json_object_get(values, block_id);
    if (actions == NULL) {
        actions = hm_json_obj_new();
        hm_json_set(values, block_id, actions);
    }
    hm_json_set(actions, action_id, sim_element_initial_new(element));
}

json_t *sim_blocks_initial_new(const json_t *blocks)
{
    json_t *values = hm_json_obj_new();
    json_t *block = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    json_array_foreach(blocks, i, block)
    {
        add_initial(values, block, hm_json_get_obj(block, "accessory"));
        add_initial(values, block, hm_json_get_obj(block, "element"));
        json_array_foreach(hm_json_get_arr(block, "elements"), j, one)
        {
            add_initial(values, block, one);
        }
    }
    return values;
}
