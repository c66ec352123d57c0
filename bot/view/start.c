/* The forms that start a recipe: see start.h. */
#include "view/start.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"
#include "slack/form.h"
#include "view/choices.h"
#include "view/help.h"
#include "view/param_field.h"
#include "view/typed.h"
#include "view/words.h"

enum {
    FOUND_MAX = 5,
    UUID_LEN = 36,
    NAME_MAX = 200,
    OPTIONS_MAX = 100,
    DEPTH_MAX = 12,
    TEXTS_MAX = 100000,
    OPTION_LABEL_MAX = 67,
    ERROR_MAX = 500,
    REF_JSON_MAX = 64 * 1024
};

/* ---- references --------------------------------------------------------------------------------------------------------- */

static void set_some(json_t *obj, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        hm_json_set_str(obj, key, text);
}

static void set_full(json_t *obj, const char *key, const json_t *value)
{
    if (json_object_size(value) > 0)
        hm_json_set(obj, key, json_incref(hm_unconst(value)));
}

char *hm_start_ref_text(const struct hm_start_ref *ref, size_t max)
{
    json_t *obj = hm_json_obj_new();
    set_some(obj, "r", ref->recipe);
    set_some(obj, "c", ref->channel);
    set_some(obj, "t", ref->thread_ts);
    set_some(obj, "o", ref->offer);
    set_some(obj, "m", ref->message_ts);
    if (ref->dry) /* never left out: without it the form would begin a real run */
        hm_json_set_bool(obj, "d", true);
    set_full(obj, "v", ref->values);
    set_full(obj, "f", ref->found);
    set_full(obj, "n", ref->no_lists);
    char *text = hm_json_text(obj);
    static const char *const droppable[] = {"f", "v", "n"};
    for (size_t i = 0; i < HM_ARRAY_LEN(droppable) && strlen(text) > max; i++) {
        free(text);
        (void)json_object_del(obj, droppable[i]);
        text = hm_json_text(obj);
    }
    json_decref(obj);
    return text;
}

bool hm_start_ref_parse(const char *text, struct hm_start_ref *ret_ref)
{
    struct hm_err err = {0};
    *ret_ref = (struct hm_start_ref){.root = hm_json_parse_new(text, strlen(text), REF_JSON_MAX, &err)};
    const json_t *root = ret_ref->root;
    if (!json_is_object(root)) {
        hm_start_ref_done(ret_ref);
        *ret_ref = (struct hm_start_ref){.recipe = "", .channel = "", .thread_ts = "", .offer = "", .message_ts = ""};
        return false;
    }
    ret_ref->recipe = hm_json_get_str(root, "r", "");
    ret_ref->channel = hm_json_get_str(root, "c", "");
    ret_ref->thread_ts = hm_json_get_str(root, "t", "");
    ret_ref->offer = hm_json_get_str(root, "o", "");
    ret_ref->message_ts = hm_json_get_str(root, "m", "");
    ret_ref->values = hm_json_get_obj(root, "v");
    ret_ref->found = hm_json_get_obj(root, "f");
    ret_ref->no_lists = hm_json_get_obj(root, "n");
    ret_ref->dry = json_is_true(json_object_get(root, "d"));
    return true;
}

void hm_start_ref_done(struct hm_start_ref *ref)
{
    json_decref(ref->root);
    *ref = (struct hm_start_ref){0};
}

/* ---- what a message speaks of ------------------------------------------------------------------------------------------- */

static void add_found(json_t *list, const char *text, size_t len)
{
    char *one = hm_xstrndup(text, len);
    bool known = json_array_size(list) >= FOUND_MAX;
    size_t i = 0;
    json_t *have = NULL;
    json_array_foreach(list, i, have) known = known || strcasecmp(json_string_value(have), one) == 0;
    if (!known)
        hm_json_add(list, hm_json_str_new(one));
    free(one);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Letters of a dataset's name at s: "archive/policy-x", "series-contract/y". */
static size_t dataset_len(const char *s)
{
    static const char *const kinds[] = {"dataset/",    "model/",           "archive/",  "series/",
                                        "series-raw/", "series-contract/", "contract-", "policy/"};
    size_t kind = 0;
    for (size_t i = 0; i < HM_ARRAY_LEN(kinds) && kind == 0; i++)
        kind = hm_starts_with(s, kinds[i]) ? strlen(kinds[i]) : 0;
    if (kind == 0)
        return 0;
    if (s[kind - 1] == '-') { /* contract-…/ */
        size_t more = strspn(s + kind, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (s[kind + more] != '/')
            return 0;
        kind += more + 1;
    }
    size_t name = 0;
    while (isalnum((unsigned char)s[kind + name]) ||
           (name > 0 && strchr("._/-", s[kind + name]) != NULL && s[kind + name] != '\0'))
        name++;
    while (name > 0 && strchr("./-_", s[kind + name - 1]) != NULL) /* the end of a sentence */
        name--;
    return name > 0 && kind + name <= NAME_MAX ? kind + name : 0;
}

/* All texts of a message, whatever blocks and attachments they stand in, a line each. */
static void add_texts(struct hm_strbuf *out, const json_t *json, unsigned depth)
{
    static const char *const keys[] = {"text", "title", "title_link", "value", "pretext", "fallback", "url", "name"};
    size_t i = 0;
    json_t *one = NULL;
    if (depth > DEPTH_MAX || out->len > TEXTS_MAX)
        return;
    json_array_foreach(json, i, one) add_texts(out, one, depth + 1);
    const char *key = NULL;
    json_object_foreach(hm_unconst(json), key, one)
    {
        bool wanted = false;
        for (size_t k = 0; k < HM_ARRAY_LEN(keys); k++)
            wanted = wanted || strcmp(keys[k], key) == 0;
        if (wanted && json_is_string(one)) {
            hm_strbuf_addc(out, '\n');
            hm_strbuf_adds(out, json_string_value(one));
        } else if (json_is_object(one) || json_is_array(one)) {
            add_texts(out, one, depth + 1);
        }
    }
}

json_t *hm_start_found_new(const json_t *message)
{
    struct hm_strbuf texts;
    json_t *uuids = hm_json_arr_new();
    json_t *datasets = hm_json_arr_new();
    hm_strbuf_init(&texts, SIZE_MAX / 2);
    add_texts(&texts, message, 0);
    const char *text = hm_strbuf_str(&texts);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && is_word(text[i - 1]))
            continue;
        char one[UUID_LEN + 1] = "";
        size_t name = dataset_len(text + i);
        if (i + UUID_LEN <= len) {
            memcpy(one, text + i, UUID_LEN);
            one[UUID_LEN] = '\0';
        }
        if (hm_is_uuid(one) && !is_word(text[i + UUID_LEN]))
            add_found(uuids, one, UUID_LEN);
        else if (name > 0 && (i == 0 || text[i - 1] != '/'))
            add_found(datasets, text + i, name);
    }
    json_t *found = hm_json_obj_new();
    if (json_array_size(uuids) > 0)
        hm_json_set(found, "uuid", json_incref(uuids));
    if (json_array_size(datasets) > 0)
        hm_json_set(found, "dataset", json_incref(datasets));
    hm_strbuf_done(&texts);
    json_decref(uuids);
    json_decref(datasets);
    return found;
}

/* ---- the form ------------------------------------------------------------------------------------------------------------- */

/* What the message speaks of that may be the param's value; nothing for the second param of a type. */
static const json_t *found_list(const struct hm_recipe *recipe, size_t i, const json_t *found)
{
    enum hm_param_type type = recipe->params[i].type;
    for (size_t k = 0; k < i; k++)
        if (recipe->params[k].type == type)
            return NULL;
    return hm_json_get_arr(found, type == HM_PARAM_UUID ? "uuid" : type == HM_PARAM_DATASET ? "dataset" : "");
}

/* It is filled in when it is one thing only, … */
static const char *found_for(const struct hm_recipe *recipe, size_t i, const json_t *found)
{
    const json_t *list = found_list(recipe, i, found);
    return json_array_size(list) == 1 ? json_string_value(json_array_get(list, 0)) : NULL;
}

/* … and else named. NULL when there is nothing to choose from; the caller frees. */
static char *found_several(const struct hm_recipe *recipe, size_t i, const json_t *found)
{
    const json_t *list = found_list(recipe, i, found);
    struct hm_strbuf out;
    size_t k = 0;
    json_t *one = NULL;
    if (json_array_size(list) < 2)
        return NULL;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    json_array_foreach(list, k, one)
    {
        const char *before = k == 0 ? "" : k + 1 < json_array_size(list) ? ", " : " and ";
        hm_strbuf_addf(&out, "%s%s", before, json_is_string(one) ? json_string_value(one) : "");
    }
    return hm_strbuf_take(&out);
}

bool hm_start_has_lists(const struct hm_recipe *recipe)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (recipe->params[i].list != NULL)
            return true;
    return false;
}

/* What the param's list is read with and what has no value yet: the first such param's name, or NULL. */
static const char *awaited(const struct hm_start_form *form, const struct hm_param *param)
{
    for (size_t i = 0; param->list != NULL && i < form->recipe->n_params; i++) {
        const struct hm_param *other = &form->recipe->params[i];
        if (hm_param_list_needs(param->list, other) && !other->optional && other->fallback == NULL &&
            json_object_get(form->ref->values, other->name) == NULL)
            return other->name;
    }
    return NULL;
}

static void add_field(struct hm_blocks *blocks, const struct hm_start_form *form, size_t i)
{
    const struct hm_recipe *recipe = form->recipe;
    const struct hm_start_ref *ref = form->ref;
    const struct hm_param *param = &recipe->params[i];
    struct hm_err err = {0};
    char *fallback = hm_param_default_text(param, form->scope);
    json_t *given = json_object_get(ref->values, param->name);
    json_t *value = given != NULL ? hm_param_value_new(param, given, &err) : NULL;
    char *text = value != NULL && !json_is_null(value) && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    const char *initial = text != NULL ? text : json_string_value(json_is_string(value) ? value : given);
    if (initial == NULL)
        initial = found_for(recipe, i, ref->found);
    char *several = initial == NULL ? found_several(recipe, i, ref->found) : NULL;
    hm_param_field(blocks, &(const struct hm_param_field){.param = param,
                                                          .initial = initial != NULL ? initial : fallback,
                                                          .no_list = hm_json_get_str(form->no_lists, param->name, NULL),
                                                          .first = awaited(form, param),
                                                          .found = several,
                                                          .told = hm_param_feeds_lists(recipe, param)});
    free(several);
    free(text);
    json_decref(value);
    free(fallback);
}

/* In the recipe's order, but that what a list is read with stands above it: people fill in a form from the top. */
static void add_after_needed(struct hm_blocks *blocks, const struct hm_start_form *form, size_t i, bool added[])
{
    const struct hm_recipe *recipe = form->recipe;
    const struct hm_param_list *list = recipe->params[i].list;
    if (added[i])
        return;
    added[i] = true; /* also when two lists need each other */
    for (size_t k = 0; list != NULL && k < recipe->n_params; k++)
        if (hm_param_list_needs(list, &recipe->params[k]))
            add_after_needed(blocks, form, k, added);
    add_field(blocks, form, i);
}

static void add_dry(struct hm_blocks *blocks, bool ticked)
{
    static const struct hm_form_option only = {"Dry run: read, show what would be sent, send nothing", "dry"};
    const struct hm_form_field field = {.name = HM_START_DRY,
                                        .kind = HM_FORM_CHECKS,
                                        .label = "Try it first?",
                                        .initial = ticked ? only.value : NULL,
                                        .optional = true,
                                        .options = &only,
                                        .n_options = 1};
    (void)hm_form_input(blocks, &field);
}

static void add_head(struct hm_blocks *blocks, const struct hm_recipe *recipe)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, 4000);
    hm_strbuf_addc(&out, '*');
    hm_word_plain(&out, recipe->title, 150);
    hm_strbuf_adds(&out, "*\n");
    hm_help_add_effects(&out, recipe);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

/* What was given of the params that lists are read with: it is not sure that Slack tells it again (hm_start_present_new()). */
static json_t *feeding_new(const struct hm_recipe *recipe, const struct hm_start_ref *ref)
{
    json_t *feeding = hm_json_obj_new();
    for (size_t i = 0; i < recipe->n_params; i++) {
        json_t *given = json_object_get(ref->values, recipe->params[i].name);
        const char *found = found_for(recipe, i, ref->found);
        if (!hm_param_feeds_lists(recipe, &recipe->params[i]))
            continue;
        if (given != NULL)
            hm_json_set(feeding, recipe->params[i].name, json_incref(given));
        else if (found != NULL)
            hm_json_set_str(feeding, recipe->params[i].name, found);
    }
    return feeding;
}

json_t *hm_start_present_new(const struct hm_recipe *recipe, const json_t *told, const json_t *here, const json_t *ref)
{
    json_t *present = hm_json_obj_new();
    for (size_t i = 0; i < recipe->n_params; i++) {
        const char *name = recipe->params[i].name;
        json_t *last = json_object_get(told, name); /* null: emptied */
        json_t *now = json_object_get(here, name);
        json_t *first = json_object_get(ref, name);
        json_t *value = NULL;
        if (last != NULL && hm_param_feeds_lists(recipe, &recipe->params[i]))
            value = last;
        else if (json_is_string(now))
            value = now;
        else
            value = json_is_string(last) ? last : first;
        if (value != NULL && !json_is_null(value))
            hm_json_set(present, name, json_incref(value));
    }
    return present;
}

json_t *hm_start_form_new(const struct hm_start_form *form, struct hm_err *err)
{
    const struct hm_recipe *recipe = form->recipe;
    json_t *feeding = feeding_new(recipe, form->ref);
    struct hm_start_ref own = *form->ref;
    own.recipe = recipe->name;
    own.values = feeding;
    own.found = NULL;
    own.no_lists = form->no_lists;
    char *metadata = hm_start_ref_text(&own, HM_START_REF_VIEW);
    const struct hm_view_head head = {
        .callback_id = HM_FORM_START, .title = recipe->name, .submit = "Start", .close = "Back", .private_metadata = metadata};
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MODAL, "start", 0);
    add_head(blocks, recipe);
    bool *added = hm_xcalloc(recipe->n_params + 1, sizeof *added);
    for (size_t i = 0; i < recipe->n_params; i++)
        add_after_needed(blocks, form, i, added);
    free(added);
    if (form->where != NULL) {
        const struct hm_form_field field = {.name = HM_START_WHERE,
                                            .kind = HM_FORM_CHANNEL,
                                            .label = "Where to show it",
                                            .hint = "The channel of its card. hausmeister has to be in it.",
                                            .initial = form->where};
        (void)hm_form_input(blocks, &field);
    }
    if (recipe->worst != HM_EFFECT_READ)
        add_dry(blocks, form->ref->dry);
    json_t *view = hm_form_view_new(blocks, HM_SURFACE_MODAL, &head, err);
    json_decref(feeding);
    free(metadata);
    return view;
}

json_t *hm_start_pick_new(const struct hm_start_ref *ref, struct hm_err *err)
{
    char *metadata = hm_start_ref_text(ref, HM_START_REF_VIEW);
    const struct hm_view_head head = {
        .callback_id = HM_FORM_PICK, .title = "Run a recipe", .close = "Back", .private_metadata = metadata};
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MODAL, "pick", 0);
    (void)hm_form_picker(blocks, "*Which recipe?*\nType a part of its name; the list shows those that you may start.",
                         HM_ACTION_PICK, "Choose a recipe");
    json_t *view = hm_form_view_new(blocks, HM_SURFACE_MODAL, &head, err);
    free(metadata);
    return view;
}

void hm_start_button_render(const char *mrkdwn, const char *label, const char *value, struct hm_slack_message *ret_message)
{
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, "hm.say", 0);
    const struct hm_button button = {label, HM_ACTION_FORM, value, HM_STYLE_PRIMARY, NULL};
    (void)hm_blocks_section(blocks, mrkdwn);
    (void)hm_blocks_actions(blocks, &button, 1);
    hm_blocks_finish(blocks, mrkdwn, ret_message);
}

/* ---- searching ------------------------------------------------------------------------------------------------------------ */

static json_t *option_new(const struct hm_recipe *recipe)
{
    char *label = hm_xasprintf("%s: %s", recipe->name, recipe->title);
    json_t *option = hm_json_obj_new();
    hm_json_set(option, "text", hm_blocks_plain_new(label, OPTION_LABEL_MAX));
    hm_json_set_str(option, "value", recipe->name);
    free(label);
    return option;
}

char *hm_start_options(const struct hm_recipe *const *recipes, size_t count, const char *typed)
{
    struct hm_typed words;
    hm_typed_init(&words, typed);
    json_t *options = hm_json_arr_new();
    json_t *payload = hm_json_obj_new();
    for (size_t i = 0; i < count && json_array_size(options) < OPTIONS_MAX; i++)
        if (hm_typed_fits(&words, recipes[i]->name, recipes[i]->title))
            hm_json_add(options, option_new(recipes[i]));
    hm_json_set(payload, "options", options);
    char *json = hm_json_text(payload);
    json_decref(payload);
    hm_typed_done(&words);
    return json;
}

/* ---- what was filled in -----------------------------------------------------------------------------------------------------
 */

json_t *hm_start_values_new(const struct hm_recipe *recipe, const json_t *fields, const json_t *scope)
{
    json_t *values = hm_json_obj_new();
    for (size_t i = 0; i < recipe->n_params; i++) {
        const char *name = recipe->params[i].name;
        const char *text = hm_json_get_str(fields, name, NULL);
        char *fallback = hm_param_default_text(&recipe->params[i], scope);
        if (text != NULL && text[strspn(text, " \t\r\n")] != '\0' && !hm_streq(text, fallback))
            hm_json_set_str(values, name, text);
        free(fallback);
    }
    return values;
}

static void add_error(json_t *errors, const char *field, const char *text)
{
    struct hm_strbuf cut;
    char *clean = hm_slack_clean(text);
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    (void)hm_slack_cut_label(&cut, clean, ERROR_MAX);
    hm_json_set_str(errors, field, hm_strbuf_str(&cut));
    hm_strbuf_done(&cut);
    free(clean);
}

char *hm_start_unlisted(const struct hm_param *param, const json_t *value, const json_t *choices)
{
    bool told = param->list != NULL && !param->list->others && json_is_array(choices) && json_is_string(value);
    bool cut = json_array_size(choices) >= HM_CHOICES_MAX; /* what comes after them is not known */
    if (!told || cut || hm_choices_have(choices, json_string_value(value)))
        return NULL;
    return hm_choices_refusal(param, choices, json_string_value(value));
}

static bool is_unchosen(const struct hm_param *param, const json_t *given)
{
    return param->list != NULL && hm_streq(json_string_value(given), HM_CHOICE_NONE);
}

size_t hm_start_drop_unchosen(const struct hm_recipe *recipe, json_t *values)
{
    size_t dropped = 0;
    for (size_t i = 0; i < recipe->n_params; i++) {
        const struct hm_param *param = &recipe->params[i];
        if (is_unchosen(param, json_object_get(values, param->name)))
            dropped += json_object_del(values, param->name) == 0 ? 1 : 0;
    }
    return dropped;
}

/* One field, by the very check that a command's words get. */
static void check_field(json_t *errors, const struct hm_param *param, const json_t *values, const json_t *scope,
                        const json_t *lists)
{
    struct hm_err err = {0};
    json_t *given = json_object_get(values, param->name);
    json_t *one = hm_json_obj_new();
    if (given != NULL)
        hm_json_set(one, param->name, json_incref(given));
    json_t *checked = hm_param_values_new(param, 1, given != NULL ? one : NULL, scope, NULL, &err);
    char *unlisted = NULL;
    if (is_unchosen(param, given))
        add_error(errors, param->name, "This line is no choice. Open the list again and choose from it.");
    else if (checked == NULL)
        add_error(errors, param->name, err.msg);
    else if (given != NULL)
        unlisted = hm_start_unlisted(param, json_object_get(checked, param->name), json_object_get(lists, param->name));
    if (unlisted != NULL)
        add_error(errors, param->name, unlisted);
    free(unlisted);
    json_decref(checked);
    json_decref(one);
}

char *hm_start_errors(const struct hm_recipe *recipe, const json_t *values, const json_t *scope, const json_t *lists)
{
    json_t *errors = hm_json_obj_new();
    char *json = NULL;
    for (size_t i = 0; i < recipe->n_params; i++)
        check_field(errors, &recipe->params[i], values, scope, lists);
    if (json_object_size(errors) > 0) {
        json_t *payload = hm_json_obj_new();
        hm_json_set_str(payload, "response_action", "errors");
        hm_json_set(payload, "errors", json_incref(errors));
        json = hm_json_text(payload);
        json_decref(payload);
    }
    json_decref(errors);
    return json;
}
