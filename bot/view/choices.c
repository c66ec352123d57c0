/* The values that a param's list offers: see choices.h. */
#include "view/choices.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "slack/blocks.h"
#include "slack/escape.h"
#include "view/typed.h"

enum { OPTIONS_MAX = 100, OPTION_MAX = 67, SHOWN_MAX = 60, NAMED_MAX = 6, NAMES_LEN_MAX = 100 };

static const char *value_of(const json_t *choice)
{
    return json_string_value(json_array_get(choice, 0));
}

/* A text of one item, or NULL when it has none. The caller frees. */
static char *text_of(const struct hm_template *tpl, const json_t *scope)
{
    struct hm_err err = {0};
    char *text = tpl != NULL ? hm_template_render(tpl, HM_SINK_PLAIN, scope, &err) : NULL;
    if (text != NULL && text[0] == '\0') {
        free(text);
        text = NULL;
    }
    return text;
}

/* A list of things without values would say that there are none: it tells nothing about what a value may be. */
static enum hm_code check_values(const json_t *items, const json_t *choices, struct hm_err *err)
{
    size_t count = json_array_size(items);
    if (count == 0 || json_array_size(choices) > 0)
        return HM_OK;
    return count == 1 ? hm_err_set(err, HM_EINVAL, "its only item has no value")
                      : hm_err_set(err, HM_EINVAL, "none of its %zu items has a value", count);
}

/* The item of the scope `own`, unless it has no value or one that is there already. */
static void add_choice(json_t *choices, json_t *seen, const struct hm_param_list *list, const json_t *own)
{
    char *value = text_of(list->value, own);
    if (value != NULL && json_object_get(seen, value) == NULL) {
        char *label = text_of(list->label, own);
        json_t *choice = hm_json_arr_new();
        hm_json_add(choice, hm_json_str_new(value));
        hm_json_add(choice, hm_json_str_new(label != NULL ? label : value));
        hm_json_add(choices, choice);
        hm_json_set_bool(seen, value, true);
        free(label);
    }
    free(value);
}

json_t *hm_choices_new(const struct hm_param_list *list, const json_t *result, const json_t *scope, struct hm_err *err)
{
    const json_t *items = hm_json_get_path(result, list->from);
    if (!json_is_array(items)) {
        (void)hm_err_set(err, HM_EINVAL, "%s has no list \"%s\" in its result", list->call.action->name, list->from);
        return NULL;
    }
    json_t *choices = hm_json_arr_new();
    json_t *seen = hm_json_obj_new();
    json_t *own = json_copy(hm_unconst(scope)); /* shallow: the values are shared */
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(items, i, item)
    {
        if (json_array_size(choices) == HM_CHOICES_MAX)
            break;
        hm_json_set(own, "item", json_incref(item));
        add_choice(choices, seen, list, own);
    }
    json_decref(own);
    json_decref(seen);
    if (check_values(items, choices, err) != HM_OK) {
        json_decref(choices);
        choices = NULL;
    }
    return choices;
}

bool hm_choices_have(const json_t *choices, const char *value)
{
    size_t i = 0;
    json_t *choice = NULL;
    json_array_foreach(choices, i, choice) if (hm_streq(value_of(choice), value)) return true;
    return false;
}

/* ---- options ----------------------------------------------------------------------------------------------------------------
 */

/* A value can not be cut: one that is longer than Slack takes is not offered. */
static void add_option(json_t *options, const char *label, const char *value)
{
    if (json_array_size(options) >= OPTIONS_MAX || hm_slack_length(value) > OPTION_MAX)
        return;
    json_t *option = hm_json_obj_new();
    hm_json_set(option, "text", hm_blocks_plain_new(label, OPTION_MAX));
    hm_json_set_str(option, "value", value);
    hm_json_add(options, option);
}

char *hm_choices_options(const struct hm_param_list *list, const json_t *choices, const char *typed)
{
    struct hm_typed words;
    hm_typed_init(&words, typed);
    json_t *options = hm_json_arr_new();
    json_t *payload = hm_json_obj_new();
    const char *whole = typed + strspn(typed, " \t");
    char *own = hm_xstrndup(whole, strlen(whole));
    for (size_t len = strlen(own); len > 0 && (own[len - 1] == ' ' || own[len - 1] == '\t'); len--)
        own[len - 1] = '\0';
    if (list->others && own[0] != '\0' && !hm_choices_have(choices, own)) {
        char *label = hm_xasprintf(choices != NULL ? "%s (not in the list)" : "%s (as typed)", own);
        add_option(options, label, own);
        free(label);
    }
    size_t i = 0;
    json_t *choice = NULL;
    json_array_foreach(choices, i, choice)
    {
        const char *label = json_string_value(json_array_get(choice, 1));
        if (hm_typed_fits(&words, value_of(choice), label))
            add_option(options, label, value_of(choice));
    }
    hm_json_set(payload, "options", options);
    char *json = hm_json_text(payload);
    json_decref(payload);
    free(own);
    hm_typed_done(&words);
    return json;
}

char *hm_choices_line(const char *plain)
{
    json_t *options = hm_json_arr_new();
    json_t *payload = hm_json_obj_new();
    add_option(options, plain, HM_CHOICE_NONE);
    hm_json_set(payload, "options", options);
    char *json = hm_json_text(payload);
    json_decref(payload);
    return json;
}

/* ---- what is not among them -------------------------------------------------------------------------------------------------
 */

/* "one of the 12 that …"; a few are named. */
static void add_choices(struct hm_strbuf *out, const struct hm_param *param, const json_t *choices)
{
    size_t i = 0, len = 0;
    json_t *choice = NULL;
    json_array_foreach(choices, i, choice) len += strlen(value_of(choice)) + 2;
    if (json_array_size(choices) > NAMED_MAX || len > NAMES_LEN_MAX) {
        hm_strbuf_addf(out, "one of the %zu that %s lists", json_array_size(choices), param->list->call.action->name);
        return;
    }
    hm_strbuf_adds(out, "one of ");
    json_array_foreach(choices, i, choice) hm_strbuf_addf(out, "%s%s", i > 0 ? ", " : "", value_of(choice));
    hm_strbuf_addf(out, ", as %s lists them", param->list->call.action->name);
}

char *hm_choices_refusal(const struct hm_param *param, const json_t *choices, const char *value)
{
    char meant[120];
    struct hm_suggest s;
    size_t count = json_array_size(choices);
    char *clean = hm_utf8_clean(value, strlen(value));
    size_t shown = hm_utf8_take(clean, SHOWN_MAX);
    char *text = NULL;
    hm_suggest_init(&s, value);
    size_t i = 0;
    json_t *choice = NULL;
    json_array_foreach(choices, i, choice) hm_suggest_try(&s, value_of(choice));
    if (count == 0) {
        text = hm_xasprintf("%s can not be \"%.*s%s\": its list, which %s gives, is empty just now", param->name, (int)shown,
                            clean, clean[shown] != '\0' ? "…" : "", param->list->call.action->name);
    } else {
        struct hm_strbuf all;
        hm_strbuf_init(&all, 400);
        add_choices(&all, param, choices);
        text = hm_xasprintf("%s must be %s; \"%.*s%s\" is not%s", param->name, hm_strbuf_str(&all), (int)shown, clean,
                            clean[shown] != '\0' ? "…" : "", hm_suggest_text(&s, meant, sizeof meant));
        hm_strbuf_done(&all);
    }
    free(clean);
    return text;
}
