/* The loader: params, and the fields of an `ask`. See load.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "handlers/result.h"
#include "recipe/shape.h"

enum { MAX_PARAMS = 20, MAX_CHOICES = 100, MAX_TEXT_PARAM = 3000, DEFAULT_TEXT_PARAM = 200, MAX_FROM = 100 };

static const char *const type_names[HM_PARAM_NR] = {"string", "uuid", "int",     "bool", "regex",
                                                    "choice", "date", "dataset", "user"};

/* What other languages call them. */
static const char *other_name(const char *word)
{
    static const char *const names[][2] = {{"integer", "int"}, {"number", "int"},    {"boolean", "bool"}, {"flag", "bool"},
                                           {"text", "string"}, {"str", "string"},    {"enum", "choice"},  {"select", "choice"},
                                           {"day", "date"},    {"pattern", "regex"}, {"person", "user"},  {"guid", "uuid"},
                                           {"id", "uuid"}};
    for (size_t i = 0; i < HM_ARRAY_LEN(names); i++)
        if (strcasecmp(names[i][0], word) == 0)
            return names[i][1];
    return word;
}

/* ret_environment: NULL where that is no type. */
static bool load_type(struct hm_cfg_node *group, enum hm_param_type *ret_type, bool *ret_environment)
{
    char meant[120];
    struct hm_suggest s;
    const char *word = hm_cfg_get_str(group, "type", HM_CFG_REQUIRED, HM_ID_MAX);
    if (word == NULL)
        return false;
    if (ret_environment != NULL && strcmp(word, "environment") == 0) {
        *ret_type = HM_PARAM_CHOICE;
        *ret_environment = true;
        return true;
    }
    hm_suggest_init(&s, other_name(word));
    if (ret_environment != NULL)
        hm_suggest_try(&s, "environment");
    for (size_t i = 0; i < HM_PARAM_NR; i++) {
        if (strcmp(type_names[i], word) == 0) {
            *ret_type = (enum hm_param_type)i;
            return true;
        }
        hm_suggest_try(&s, type_names[i]);
    }
    hm_cfg_add_here(hm_cfg_get(group, "type", HM_CFG_OPTIONAL),
                    "there is no type \"%s\"; the types are string, uuid, int, bool, regex, choice, date, dataset, user%s%s",
                    word, ret_environment != NULL ? ", environment" : "", hm_suggest_text(&s, meant, sizeof meant));
    return false;
}

/* choices, pattern, min, max, max_len: each belongs to one type. */
static void load_limits(struct hm_cfg_node *group, struct hm_param *param)
{
    static const struct {
        const char *key;
        enum hm_param_type type;
    } belongs[] = {{"choices", HM_PARAM_CHOICE},
                   {"pattern", HM_PARAM_STRING},
                   {"max_len", HM_PARAM_STRING},
                   {"min", HM_PARAM_INT},
                   {"max", HM_PARAM_INT}};
    for (size_t i = 0; i < HM_ARRAY_LEN(belongs); i++)
        if (hm_cfg_has(group, belongs[i].key) && (param->type != belongs[i].type || param->is_environment))
            hm_cfg_add_here(hm_cfg_get(group, belongs[i].key, HM_CFG_OPTIONAL), "belongs to type %s, not to %s; take it out",
                            type_names[belongs[i].type], param->is_environment ? "environment" : type_names[param->type]);

    struct hm_err err = {0};
    param->choices = hm_cfg_get_strings(
        group, "choices", param->type == HM_PARAM_CHOICE && !param->is_environment ? HM_CFG_REQUIRED : HM_CFG_OPTIONAL);
    size_t n_choices = 0;
    while (param->choices[n_choices] != NULL)
        n_choices++;
    if (hm_cfg_has(group, "choices") && (n_choices == 0 || n_choices > MAX_CHOICES))
        hm_cfg_add_here(hm_cfg_get(group, "choices", HM_CFG_OPTIONAL), "%zu entries; give from 1 to %d", n_choices, MAX_CHOICES);
    param->pattern = hm_xstrdup_null(hm_cfg_get_str(group, "pattern", HM_CFG_OPTIONAL, HM_PATTERN_MAX));
    if (param->pattern != NULL) {
        struct hm_pattern *pattern = hm_pattern_new(param->pattern, true, &err);
        if (pattern == NULL)
            hm_cfg_add_here(hm_cfg_get(group, "pattern", HM_CFG_OPTIONAL), "%s", err.msg);
        hm_pattern_free(pattern);
    }
    param->max_len = (size_t)hm_cfg_get_int(group, "max_len", DEFAULT_TEXT_PARAM, 1, MAX_TEXT_PARAM);
    param->min = hm_cfg_get_int(group, "min", INT64_MIN, INT64_MIN, INT64_MAX);
    param->max = hm_cfg_get_int(group, "max", INT64_MAX, INT64_MIN, INT64_MAX);
    if (param->min > param->max)
        hm_cfg_add_here(group, "min %" PRId64 " is above max %" PRId64 ": no number would do", param->min, param->max);
}

/* The text of the default: a string as it stands; for a number or a truth value also the value itself. */
static char *default_text(struct hm_cfg_node *group, enum hm_param_type type)
{
    struct hm_cfg_node *node = hm_cfg_get(group, "default", HM_CFG_OPTIONAL);
    if (node == NULL)
        return NULL;
    bool plain =
        (hm_cfg_type(node) == HM_CFG_INT && type == HM_PARAM_INT) || (hm_cfg_type(node) == HM_CFG_BOOL && type == HM_PARAM_BOOL);
    if (plain) {
        json_t *value = hm_cfg_json_new(node);
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        json_decref(value);
        return text;
    }
    return hm_xstrdup_null(hm_cfg_get_str(group, "default", HM_CFG_OPTIONAL, MAX_TEXT_PARAM));
}

static void load_default(struct hm_loader *l, struct hm_cfg_node *group, struct hm_param *param)
{
    struct hm_err err = {0};
    char *text = default_text(group, param->type);
    if (text == NULL)
        return;
    const struct hm_cfg_node *node = hm_cfg_get(group, "default", HM_CFG_OPTIONAL);
    param->fallback = hm_template_parse(text, &err);
    if (param->fallback == NULL) {
        hm_cfg_add_here(node, "%s", err.msg);
    } else if (hm_template_is_literal(param->fallback)) {
        json_t *none = hm_json_obj_new();
        json_t *raw = hm_template_value_new(param->fallback, none, &err);
        json_t *value = raw != NULL ? hm_param_value_new(param, raw, &err) : NULL;
        if (value == NULL)
            hm_cfg_add_here(node, "%s", err.msg);
        json_decref(value);
        json_decref(raw);
        json_decref(none);
    } else {
        hm_load_note_template(l, node, param->fallback, HM_SCOPE_KNOWN);
        if (!hm_template_is_value(param->fallback))
            hm_cfg_add_here(node, "a default is either a plain value or one ${known.…} alone");
    }
    free(text);
}

static bool load_typed(struct hm_cfg_node *group, struct hm_param *param, bool may_be_environment)
{
    static const char *const keys[] = {"choices", "pattern", "max_len", "min", "max"};
    bool typed = load_type(group, &param->type, may_be_environment ? &param->is_environment : NULL);
    if (typed)
        load_limits(group, param);
    for (size_t i = 0; i < HM_ARRAY_LEN(keys) && !typed; i++) /* what belongs to a type can not be judged */
        (void)hm_cfg_get(group, keys[i], HM_CFG_OPTIONAL);
    return typed;
}

bool hm_load_param_type(struct hm_cfg_node *group, struct hm_param *param)
{
    return load_typed(group, param, false);
}

/* The names of the settings' environments are the choices. */
static void load_environments(const struct hm_loader *l, const struct hm_cfg_node *node, struct hm_param *param)
{
    size_t count = 0;
    const char *name = NULL;
    const json_t *fields = NULL;
    if (l->names == NULL)
        return;
    hm_cfg_strings_free(param->choices);
    param->choices = hm_xcalloc(json_object_size(l->names->environments) + 1, sizeof *param->choices);
    json_object_foreach(hm_unconst(l->names->environments), name, fields) param->choices[count++] = hm_xstrdup(name);
    if (count == 0)
        hm_cfg_add_here(node, "the settings have no environments; add environments = { … }");
}

/* ---- lists --------------------------------------------------------------------------------------------------------------- */

/* The roots of the names that were noted since `first`, each once; without the list's own item. */
static char **roots_since(const struct hm_loader *l, size_t first)
{
    char **roots = hm_xcalloc(l->n_refs - first + 1, sizeof *roots);
    size_t count = 0;
    for (size_t i = first; i < l->n_refs; i++) {
        bool known = strcmp(l->refs[i].root, "item") == 0;
        for (size_t k = 0; k < count; k++)
            known = known || strcmp(roots[k], l->refs[i].root) == 0;
        if (!known)
            roots[count++] = hm_xstrdup(l->refs[i].root);
    }
    return roots;
}

/* Which field of the result: a word, or words with dots. */
static char *load_from(struct hm_cfg_node *node)
{
    const char *from = hm_cfg_has(node, "from") ? hm_cfg_get_str(node, "from", HM_CFG_OPTIONAL, MAX_FROM) : "list";
    if (from == NULL || strspn(from, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(from))
        return hm_xstrdup_null(from);
    hm_cfg_add_here(hm_cfg_get(node, "from", HM_CFG_OPTIONAL), "\"%s\" is no field of a result; write its name, like list", from);
    return NULL;
}

/* It must be a list of the result. */
static void check_from(const struct hm_loader *l, struct hm_cfg_node *node, const struct hm_param_list *list)
{
    char meant[120];
    struct hm_suggest s;
    struct hm_strbuf names;
    struct hm_shape shape = {.type = HM_FIELD_ANY};
    size_t len = 0;
    if (list->call.action == NULL || list->from == NULL || l->again)
        return;
    const struct hm_cfg_node *at = hm_cfg_get(node, hm_cfg_has(node, "from") ? "from" : "do", HM_CFG_OPTIONAL);
    if (hm_shape_of_result(l, list->call.action, list->from, &shape, &len)) {
        if (shape.type != HM_FIELD_LIST && shape.type != HM_FIELD_ANY)
            hm_cfg_add_here(at, "\"%s\" of %s is %s; a list is needed here", list->from, list->call.action->name,
                            hm_field_type_text(shape.type));
        return;
    }
    const char *missed = list->from + len + (list->from[len] == '.' ? 1 : 0);
    hm_suggest_init(&s, missed);
    hm_strbuf_init(&names, 600);
    hm_shape_names(&shape, &names, &s);
    hm_cfg_add_here(at, "%s gives no list \"%s\"%s%s %s", list->call.action->name, list->from,
                    hm_suggest_text(&s, meant, sizeof meant),
                    s.best != NULL ? " It gives:" : "; it gives:", hm_strbuf_str(&names));
    hm_strbuf_done(&names);
}

static void load_list(struct hm_loader *l, struct hm_cfg_node *group, struct hm_param *param)
{
    struct hm_cfg_node *node = hm_cfg_get_group(group, "list", HM_CFG_OPTIONAL);
    if (node == NULL)
        return;
    if (l->step >= 0) {
        hm_cfg_add_here(node,
                        "belongs to a param of the recipe; an ask chooses with from, from what a step has read; take it out");
        return;
    }
    if (param->type != HM_PARAM_STRING && param->type != HM_PARAM_UUID && param->type != HM_PARAM_DATASET)
        hm_cfg_add_here(node, "belongs to type string, uuid or dataset, not to %s; take it out",
                        param->is_environment ? "environment" : type_names[param->type]);

    const unsigned scope = HM_SCOPE_START | HM_SCOPE_FORM;
    struct hm_param_list *list = param->list = hm_xcalloc(1, sizeof *list);
    size_t first = l->n_refs;
    l->list = list;
    hm_load_call(l, node, scope, &list->call);
    list->from = load_from(node);
    list->value = hm_load_template(l, node, "value", HM_CFG_REQUIRED, HM_LINE_MAX, scope | HM_SCOPE_ITEM);
    list->label = hm_load_template(l, node, "label", HM_CFG_OPTIONAL, HM_LINE_MAX, scope | HM_SCOPE_ITEM);
    l->list = NULL;
    list->needs = roots_since(l, first);
    list->others = hm_cfg_get_bool(node, "others", false);
    hm_cfg_finish(node);
    check_from(l, node, list);

    if (list->call.action != NULL && list->call.action->effect != HM_EFFECT_READ)
        hm_cfg_add_here(hm_cfg_get(node, "do", HM_CFG_OPTIONAL), "%s changes something (%s); a form may only read",
                        list->call.action->name, hm_effect_name(list->call.action->effect));
    for (size_t i = 0; list->needs[i] != NULL && param->name != NULL; i++)
        if (strcmp(list->needs[i], param->name) == 0)
            hm_cfg_add_here(node, "it is read to choose %s, and uses %s itself; take that out", param->name, param->name);
}

static void free_list(struct hm_param_list *list)
{
    if (list == NULL)
        return;
    hm_load_call_free(&list->call);
    hm_cfg_strings_free(list->needs);
    free(list->from);
    hm_template_free(list->value);
    hm_template_free(list->label);
    free(list);
}

static void load_param(struct hm_loader *l, struct hm_cfg_node *group, struct hm_param *param)
{
    param->name = hm_load_id(group, "name");
    param->help = hm_xstrdup_null(hm_cfg_get_str(group, "help", HM_CFG_REQUIRED, HM_LINE_MAX));
    param->optional = hm_cfg_get_bool(group, "optional", false);
    bool typed = load_typed(group, param, true);
    if (param->is_environment)
        load_environments(l, hm_cfg_get(group, "type", HM_CFG_OPTIONAL), param);
    if (typed) {
        load_default(l, group, param);
        load_list(l, group, param);
    } else {
        (void)hm_cfg_get(group, "default", HM_CFG_OPTIONAL);
        (void)hm_cfg_get(group, "list", HM_CFG_OPTIONAL);
    }
    hm_cfg_finish(group);
}

void hm_load_params(struct hm_loader *l, const struct hm_cfg_node *list, struct hm_param **ret_params, size_t *ret_count)
{
    size_t count = hm_cfg_count(list);
    if (count > MAX_PARAMS) {
        hm_cfg_add_here(list, "%zu entries; at most %d fit into a form", count, MAX_PARAMS);
        return;
    }
    struct hm_param *params = hm_xcalloc(count + 1, sizeof *params);
    for (size_t i = 0; i < count; i++) {
        char path[120];
        struct hm_cfg_node *item = hm_cfg_at(list, i);
        struct hm_param *param = &params[*ret_count];
        if (hm_cfg_type(item) != HM_CFG_GROUP) {
            hm_cfg_add(item, "%s must be %s, not %s", hm_cfg_path(item, path, sizeof path), hm_cfg_type_name(HM_CFG_GROUP),
                       hm_cfg_type_name(hm_cfg_type(item)));
            continue;
        }
        (*ret_count)++;
        load_param(l, item, param);
        for (size_t k = 0; k + 1 < *ret_count && param->name != NULL; k++)
            if (hm_streq(params[k].name, param->name))
                hm_cfg_add_here(item, "an earlier one has this name too; rename one");
        for (size_t k = 0; k + 1 < *ret_count && param->is_environment; k++)
            if (params[k].is_environment)
                hm_cfg_add_here(item, "an earlier one is an environment too, and there is but one `environ`");
    }
    *ret_params = params;
}

void hm_load_params_free(struct hm_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(params[i].name);
        free(params[i].help);
        free(params[i].pattern);
        hm_template_free(params[i].fallback);
        hm_cfg_strings_free(params[i].choices);
        free_list(params[i].list);
    }
    free(params);
}
