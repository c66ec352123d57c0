/* The loader of alarm rules: match and fields. See load.h. Every named group must be a declared field, so that no value goes
 * anywhere without having been typed. */
#include <stdlib.h>
#include <string.h>

#include "alarm/guard.h"
#include "alarm/load.h"
#include "alarm/macros.h"
#include "base/mem.h"
#include "base/text.h"

enum { PATTERN_MAX = 3000, FIELDS_MAX = 30, MAP_MAX = 30, UNLESS_MAX = 12 };

static struct hm_finder *make_finder(const struct hm_cfg_node *node, const char *text)
{
    struct hm_err err = {0};
    char *expanded = hm_alarm_expand(text, &err);
    struct hm_finder *finder = expanded != NULL ? hm_finder_new(expanded, &err) : NULL;
    if (finder == NULL)
        hm_cfg_add_here(node, "%s", err.msg);
    size_t len = 0;
    const char *open = finder != NULL ? hm_alarm_unguarded(expanded, &len) : NULL;
    if (open != NULL)
        hm_cfg_add_here(node,
                        "nothing guards the value \"%.*s\" on its left: \"$(x)-tapir\" would pass as tapir, also with \\b; write "
                        "{{begin}} or a label before it",
                        (int)len, open);
    const char *cut = finder != NULL && open == NULL ? hm_alarm_open_ended(expanded, &len) : NULL;
    if (cut != NULL)
        hm_cfg_add_here(
            node,
            "nothing ends the value \"%.*s\" on its right: of \"tapir-copy\" it would take tapir, also with \\b; write "
            "{{end}} or fixed words behind it",
            (int)len, cut);
    free(expanded);
    return finder;
}

static struct hm_finder *load_pattern(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    const char *text = hm_cfg_get_str(group, key, need, PATTERN_MAX);
    return text != NULL ? make_finder(hm_cfg_get(group, key, HM_CFG_OPTIONAL), text) : NULL;
}

static void load_unless(struct hm_alarm_rule *rule, struct hm_cfg_node *root)
{
    if (!hm_cfg_has(root, "unless"))
        return;
    const struct hm_cfg_node *node = hm_cfg_get(root, "unless", HM_CFG_OPTIONAL);
    char **texts = hm_cfg_get_strings(root, "unless", HM_CFG_OPTIONAL);
    size_t count = 0;
    while (texts[count] != NULL)
        count++;
    if (count == 0 || count > UNLESS_MAX)
        hm_cfg_add_here(node, "%zu patterns; give from 1 to %d, or leave it out", count, UNLESS_MAX);
    rule->unless = hm_xcalloc(UNLESS_MAX, sizeof(struct hm_finder *));
    for (size_t i = 0; i < count && i < UNLESS_MAX; i++) {
        struct hm_finder *finder = make_finder(node, texts[i]);
        if (finder != NULL)
            rule->unless[rule->n_unless++] = finder;
        if (finder != NULL && hm_finder_name(finder, 0) != NULL)
            hm_cfg_add_here(node, "has a group \"%s\": unless finds no values, write (?:…)", hm_finder_name(finder, 0));
    }
    hm_cfg_strings_free(texts);
}

/* [a-z][a-z0-9_]*, and none of the words of expressions. */
static char *load_name(struct hm_cfg_node *group)
{
    static const char *const words[] = {"known", "item", "day", "sender", "true", "false", "null", "and", "or", "not", "in"};
    const char *name = hm_cfg_get_str(group, "name", HM_CFG_REQUIRED, HM_FINDER_NAME_MAX - 1);
    if (name == NULL)
        return NULL;
    const struct hm_cfg_node *node = hm_cfg_get(group, "name", HM_CFG_OPTIONAL);
    if (name[0] < 'a' || name[0] > 'z' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name)) {
        hm_cfg_add_here(node, "\"%s\" is no name of a field: it has small letters, digits and _ and begins with a letter", name);
        return NULL;
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++) {
        if (strcmp(words[i], name) == 0) {
            hm_cfg_add_here(node, "may not be \"%s\": expressions use that word; take another", name);
            return NULL;
        }
    }
    return hm_xstrdup(name);
}

static void load_map_line(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item)
{
    struct hm_err err = {0};
    struct hm_alarm_map *map = item;
    (void)l;
    const char *like = hm_cfg_get_str(group, "like", HM_CFG_REQUIRED, HM_PATTERN_MAX);
    map->is = hm_xstrdup_null(hm_cfg_get_str(group, "is", HM_CFG_REQUIRED, HM_LINE_MAX));
    map->like = like != NULL ? hm_pattern_new(like, true, &err) : NULL;
    if (like != NULL && map->like == NULL)
        hm_cfg_add_here(hm_cfg_get(group, "like", HM_CFG_OPTIONAL), "%s", err.msg);
    hm_cfg_finish(group);
}

static void load_derived(struct hm_alarm_loader *l, struct hm_cfg_node *group, struct hm_alarm_field *field)
{
    void *map = NULL;
    field->of = hm_cfg_get_strings(group, "of", HM_CFG_OPTIONAL);
    if (field->of[0] == NULL) {
        static const char *const only[] = {"map", "assume"};
        hm_cfg_strings_free(field->of);
        field->of = NULL;
        for (size_t i = 0; i < HM_ARRAY_LEN(only); i++)
            if (hm_cfg_has(group, only[i]))
                hm_cfg_add_here(hm_cfg_get(group, only[i], HM_CFG_OPTIONAL), "belongs to a field with of; take it out");
        return;
    }
    field->n_map = hm_alarm_load_groups(
        l, group, &(const struct hm_alarm_groups){"map", MAP_MAX, sizeof(struct hm_alarm_map), load_map_line}, &map);
    field->map = map;
    if (field->n_map == 0)
        hm_cfg_add_here(group, "a field with of needs a map");
    field->fallback = hm_xstrdup_null(hm_cfg_get_str(group, "assume", HM_CFG_OPTIONAL, HM_LINE_MAX));
    if (field->find != NULL || field->many)
        hm_cfg_add_here(group, "either of, or find and many");
}

static void load_field(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item)
{
    struct hm_alarm_field *field = item;
    struct hm_alarm_rule *rule = l->rule;
    field->param.name = load_name(group);
    (void)hm_load_param_type(group, &field->param);
    field->param.help = hm_xstrdup_null(hm_cfg_get_str(group, "help", HM_CFG_OPTIONAL, HM_LINE_MAX));
    field->find = load_pattern(group, "find", HM_CFG_OPTIONAL);
    field->find_text =
        hm_xstrdup_null(hm_cfg_has(group, "find") ? hm_cfg_string(hm_cfg_get(group, "find", HM_CFG_OPTIONAL)) : NULL);
    field->optional = hm_cfg_get_bool(group, "optional", false);
    field->many = hm_cfg_get_bool(group, "many", false);
    field->lower = hm_cfg_get_bool(group, "lower", false);
    field->aside = hm_cfg_get_bool(group, "aside", false);
    if (field->many && field->find == NULL)
        hm_cfg_add_here(group, "many needs a find: only what is looked for again and again can be a list");
    load_derived(l, group, field);
    if (field->param.name != NULL && hm_alarm_field(rule, field->param.name, strlen(field->param.name)) != NULL)
        hm_cfg_add_here(group, "an earlier one has this name too; rename one");
    hm_cfg_finish(group);
}

/* Whether some pattern of the rule has a group of this name. */
static bool is_captured(const struct hm_alarm_rule *rule, const char *name)
{
    for (size_t i = 0; rule->match != NULL && hm_finder_name(rule->match, i) != NULL; i++)
        if (strcmp(hm_finder_name(rule->match, i), name) == 0)
            return true;
    for (size_t f = 0; f < rule->n_fields; f++)
        for (size_t i = 0; rule->fields[f].find != NULL && hm_finder_name(rule->fields[f].find, i) != NULL; i++)
            if (strcmp(hm_finder_name(rule->fields[f].find, i), name) == 0)
                return true;
    return false;
}

/* False when a pattern could not be read: nobody knows what groups it was to have. */
static bool all_usable(const struct hm_alarm_rule *rule)
{
    bool usable = rule->match != NULL;
    for (size_t i = 0; i < rule->n_fields; i++)
        usable = usable && (rule->fields[i].find != NULL || rule->fields[i].find_text == NULL);
    return usable;
}

static void check_groups(const struct hm_alarm_loader *l, const struct hm_cfg_node *node, const struct hm_finder *finder)
{
    const char *name = NULL;
    for (size_t i = 0; finder != NULL && (name = hm_finder_name(finder, i)) != NULL; i++)
        if (hm_alarm_field(l->rule, name, strlen(name)) == NULL)
            hm_cfg_add_here(node, "the group \"%s\" is no field; add { name = \"%s\"; type = …; } to fields", name, name);
}

/* A field's value must come from somewhere. */
static void check_source(const struct hm_alarm_loader *l, const struct hm_cfg_node *node, const struct hm_alarm_field *field)
{
    const char *name = field->param.name;
    if (name == NULL)
        return;
    check_groups(l, node, field->find);
    for (char **of = field->of; of != NULL && *of != NULL; of++) {
        const struct hm_alarm_field *source = hm_alarm_field(l->rule, *of, strlen(*of));
        if (source == NULL || source->of != NULL || source->many)
            hm_cfg_add_here(node, "of: \"%s\" is no field that is found in the text", *of);
    }
    bool own = false;
    for (size_t i = 0; field->find != NULL && hm_finder_name(field->find, i) != NULL; i++)
        own = own || strcmp(hm_finder_name(field->find, i), name) == 0;
    if (field->find != NULL && !own)
        hm_cfg_add_here(node, "find has no group (?<%s>…)", name);
    if (field->find == NULL && field->of == NULL && all_usable(l->rule) && !is_captured(l->rule, name))
        hm_cfg_add_here(node, "no pattern has a group (?<%s>…); give the field a find, or take it out", name);
}

void hm_alarm_load_fields(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_alarm_rule *rule = l->rule;
    struct hm_cfg_node *list = hm_cfg_has(root, "fields") ? hm_cfg_get_list(root, "fields", HM_CFG_OPTIONAL) : NULL;
    rule->match = load_pattern(root, "match", HM_CFG_REQUIRED);
    load_unless(rule, root);
    rule->match_text =
        hm_xstrdup_null(hm_cfg_has(root, "match") ? hm_cfg_string(hm_cfg_get(root, "match", HM_CFG_OPTIONAL)) : NULL);
    size_t count = list != NULL ? hm_cfg_count(list) : 0;
    if (count > FIELDS_MAX) {
        hm_cfg_add_here(list, "%zu entries; at most %d", count, FIELDS_MAX);
        return;
    }
    rule->fields = hm_xcalloc(count + 1, sizeof rule->fields[0]);
    for (size_t i = 0; i < count; i++) {
        char path[120];
        struct hm_cfg_node *item = hm_cfg_at(list, i);
        if (hm_cfg_type(item) != HM_CFG_GROUP) {
            hm_cfg_add(item, "%s must be %s", hm_cfg_path(item, path, sizeof path), hm_cfg_type_name(HM_CFG_GROUP));
            continue;
        }
        load_field(l, item, &rule->fields[rule->n_fields]);
        rule->n_fields++;
    }
    if (rule->match != NULL)
        check_groups(l, hm_cfg_get(root, "match", HM_CFG_OPTIONAL), rule->match);
    for (size_t i = 0; i < rule->n_fields && rule->n_fields == count; i++)
        check_source(l, hm_cfg_at(list, i), &rule->fields[i]);
}

void hm_alarm_fields_free(struct hm_alarm_rule *rule)
{
    hm_finder_free(rule->match);
    for (size_t i = 0; i < rule->n_unless; i++)
        hm_finder_free(rule->unless[i]);
    free(rule->unless);
    free(rule->match_text);
    for (size_t i = 0; i < rule->n_fields; i++) {
        struct hm_alarm_field *field = &rule->fields[i];
        free(field->param.name);
        free(field->param.help);
        free(field->param.pattern);
        hm_cfg_strings_free(field->param.choices);
        hm_finder_free(field->find);
        free(field->find_text);
        if (field->of != NULL)
            hm_cfg_strings_free(field->of);
        for (size_t k = 0; k < field->n_map; k++) {
            hm_pattern_free(field->map[k].like);
            free(field->map[k].is);
        }
        free(field->map);
        free(field->fallback);
    }
    free(rule->fields);
}
