/* Fields of alarms: see fields.h. The first value found stands; one that its type refuses is none. */
#include "alarm/fields.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { LOOKS_MAX = 500, KEY_MAX = 500 };

bool hm_alarm_matches(const struct hm_alarm_rule *rule, const char *text, size_t *ret_at)
{
    struct hm_hit hit = {0};
    bool found = hm_finder_next(rule->match, text, 0, &hit, NULL, NULL) == HM_OK;
    *ret_at = hit.start;
    return found;
}

static bool has(const json_t *list, const json_t *value)
{
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(list, i, one)
    {
        if (json_equal(one, value))
            return true;
    }
    return false;
}

/* What the groups hold goes to the fields that have nothing yet. */
static void take_groups(json_t *raw, const json_t *groups)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(groups), name, value)
    {
        if (json_object_get(raw, name) == NULL && json_string_length(value) > 0)
            hm_json_set(raw, name, json_incref(value));
    }
}

static void find_many(const struct hm_alarm_field *field, const char *text, json_t *raw)
{
    struct hm_hit hit = {0};
    size_t from = 0;
    json_t *list = hm_json_arr_new();
    for (int look = 0; look < LOOKS_MAX && json_array_size(list) < HM_ALARM_MANY_MAX; look++) {
        json_t *groups = hm_json_obj_new();
        bool found = hm_finder_next(field->find, text, from, &hit, groups, NULL) == HM_OK;
        json_t *value = json_object_get(groups, field->param.name);
        if (value != NULL && !has(list, value))
            hm_json_add(list, json_incref(value));
        json_decref(groups);
        if (!found)
            break;
        from = hit.end > hit.start ? hit.end : hit.end + 1;
        while (((unsigned char)text[from] & 0xc0) == 0x80) /* not into the middle of a letter */
            from++;
        if (from >= strlen(text))
            break;
    }
    if (json_array_size(list) > 0)
        hm_json_set(raw, field->param.name, json_incref(list));
    json_decref(list);
}

static void find_one(const struct hm_alarm_field *field, const char *text, json_t *raw)
{
    struct hm_hit hit = {0};
    json_t *groups = hm_json_obj_new();
    if (json_object_get(raw, field->param.name) == NULL && hm_finder_next(field->find, text, 0, &hit, groups, NULL) == HM_OK)
        take_groups(raw, groups);
    json_decref(groups);
}

/* ---- typing --------------------------------------------------------------------------------------------------------------- */

/* "1,234" as "1234"; anything else as it is, also "12,5", which may mean twelve and a half. Caller frees. */
static char *without_thousands(const char *text)
{
    enum { GROUP = 3 };
    static const char digits[] = "0123456789";
    char *plain = hm_xstrdup(text);
    size_t len = strspn(text, digits);
    const char *p = text + len;
    if (len == 0 || len > GROUP)
        return plain;
    while (*p == ',' && strspn(p + 1, digits) == GROUP) {
        memcpy(plain + len, p + 1, GROUP);
        len += GROUP;
        p += GROUP + 1;
    }
    if (*p == '\0')
        plain[len] = '\0';
    else
        memcpy(plain, text, strlen(text) + 1);
    return plain;
}

/* A new reference, or NULL when the type refuses it. */
static json_t *typed_new(const struct hm_alarm_field *field, const json_t *raw)
{
    bool number = field->param.type == HM_PARAM_INT && json_is_string(raw);
    char *plain = number ? without_thousands(json_string_value(raw)) : NULL;
    json_t *text = plain != NULL ? hm_json_str_new(plain) : json_incref(hm_unconst(raw));
    json_t *value = hm_param_value_new(&field->param, text, NULL);
    json_decref(text);
    free(plain);
    if (json_is_null(value)) {
        json_decref(value);
        return NULL;
    }
    if (field->lower && json_is_string(value)) {
        char *small = hm_xstrdup(json_string_value(value));
        for (char *c = small; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        json_decref(value);
        value = hm_json_str_new(small);
        free(small);
    }
    return value;
}

static void type_many(const struct hm_alarm_field *field, struct hm_alarm_found *found)
{
    size_t i = 0;
    json_t *one = NULL;
    json_t *good = hm_json_arr_new();
    json_t *values = hm_json_arr_new();
    json_array_foreach(json_object_get(found->raw, field->param.name), i, one)
    {
        json_t *value = typed_new(field, one);
        if (value == NULL)
            continue;
        hm_json_add(good, json_incref(one));
        hm_json_add(values, value);
    }
    (void)json_object_del(found->raw, field->param.name);
    if (json_array_size(good) > 0) {
        hm_json_set(found->raw, field->param.name, json_incref(good));
        hm_json_set(found->values, field->param.name, json_incref(values));
    }
    json_decref(good);
    json_decref(values);
}

static void type_one(const struct hm_alarm_field *field, struct hm_alarm_found *found)
{
    const json_t *raw = json_object_get(found->raw, field->param.name);
    json_t *value = raw != NULL ? typed_new(field, raw) : NULL;
    if (value != NULL)
        hm_json_set(found->values, field->param.name, value);
    else
        (void)json_object_del(found->raw, field->param.name);
}

static void derive(const struct hm_alarm_field *field, struct hm_alarm_found *found)
{
    const char *source = NULL;
    const char *is = NULL;
    for (char **of = field->of; *of != NULL && source == NULL; of++)
        source = json_string_value(json_object_get(found->values, *of));
    for (size_t i = 0; source != NULL && i < field->n_map && is == NULL; i++) {
        bool fits = false;
        if (hm_pattern_match(field->map[i].like, source, &fits, NULL) == HM_OK && fits)
            is = field->map[i].is;
    }
    bool assumed = source == NULL && field->fallback != NULL;
    json_t *raw = is != NULL || assumed ? hm_json_str_new(is != NULL ? is : field->fallback) : NULL;
    json_t *value = raw != NULL ? typed_new(field, raw) : NULL;
    if (value != NULL)
        hm_json_set(found->values, field->param.name, value);
    if (value != NULL && assumed)
        hm_json_set_bool(found->assumed, field->param.name, true);
    json_decref(raw);
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

static void extract(const struct hm_alarm_rule *rule, const char *text, const char *day, struct hm_alarm_found *found)
{
    struct hm_hit hit = {0};
    json_t *groups = hm_json_obj_new();
    *found = (struct hm_alarm_found){.raw = hm_json_obj_new(), .values = hm_json_obj_new(), .assumed = hm_json_obj_new()};
    found->matched = hm_finder_next(rule->match, text, 0, &hit, groups, NULL) == HM_OK;
    found->at = hit.start;
    if (found->matched)
        take_groups(found->raw, groups);
    json_decref(groups);
    if (!found->matched)
        return;
    for (size_t i = 0; i < rule->n_fields; i++) {
        const struct hm_alarm_field *field = &rule->fields[i];
        if (field->find != NULL && field->many)
            find_many(field, text, found->raw);
        else if (field->find != NULL)
            find_one(field, text, found->raw);
    }
    for (size_t i = 0; i < rule->n_fields; i++) {
        if (rule->fields[i].many)
            type_many(&rule->fields[i], found);
        else if (rule->fields[i].of == NULL)
            type_one(&rule->fields[i], found);
    }
    for (size_t i = 0; i < rule->n_fields; i++)
        if (rule->fields[i].of != NULL)
            derive(&rule->fields[i], found);
    for (size_t i = 0; i < rule->n_fields && found->missing[0] == '\0'; i++)
        if (!rule->fields[i].optional && json_object_get(found->values, rule->fields[i].param.name) == NULL)
            (void)snprintf(found->missing, sizeof found->missing, "%s", rule->fields[i].param.name);
    for (size_t i = 0; i < rule->n_fields; i++)
        if (rule->fields[i].aside)
            (void)json_object_del(found->raw, rule->fields[i].param.name);
    hm_json_set_str(found->values, "day", day);
}

/* ---- sentences ---------------------------------------------------------------------------------------------------------------
 */

/* Behind the sentence that begins at p: up to . ! or ? before a blank, or the end of the line. */
static const char *sentence_end(const char *p)
{
    while (*p != '\0' && *p != '\n' && !(strchr(".!?", *p) != NULL && (p[1] == '\0' || isspace((unsigned char)p[1]))))
        p++;
    return *p != '\0' ? p + 1 : p;
}

enum { UNLESS_MAX = sizeof((struct hm_alarm_found *)NULL)->unless };

static bool is_found(const struct hm_finder *finder, const char *text, struct hm_hit *ret_hit)
{
    return hm_finder_next(finder, text, 0, ret_hit, NULL, NULL) == HM_OK;
}

/* said: gets what was found, cut off. */
static bool has_unless(const struct hm_alarm_rule *rule, const char *part, char said[UNLESS_MAX])
{
    struct hm_hit hit = {0};
    bool unless = false;
    for (size_t i = 0; i < rule->n_unless && !unless; i++)
        unless = is_found(rule->unless[i], part, &hit);
    if (unless) {
        char *found = hm_xstrndup(part + hit.start, hit.end - hit.start);
        (void)snprintf(said, UNLESS_MAX, "%.*s", (int)hm_utf8_prefix(found, UNLESS_MAX - 1), found);
        free(found);
    }
    return unless;
}

static bool is_unmeant(const struct hm_alarm_rule *rule, const char *sentence, char said[UNLESS_MAX])
{
    struct hm_hit hit = {0};
    return is_found(rule->match, sentence, &hit) && has_unless(rule, sentence, said);
}

/* What alarm tools send begins with its title, and a title speaks for the whole message: "[STAGING] …", with the metric in a
 * later line. The later lines do not, for there may be several alarms in one message. */
static bool is_unmeant_title(const struct hm_alarm_rule *rule, const char *text, char said[UNLESS_MAX])
{
    char *title = !rule->people ? hm_xstrndup(text, strcspn(text, "\n")) : NULL;
    bool unmeant = title != NULL && has_unless(rule, title, said);
    free(title);
    return unmeant;
}

/* The text without the sentences in which match and unless are found; NULL when there are none such. Caller frees. */
static char *meant_text(const struct hm_alarm_rule *rule, const char *text, char said[UNLESS_MAX])
{
    struct hm_strbuf meant;
    bool whole = true;
    hm_strbuf_init(&meant, strlen(text));
    for (const char *p = text; *p != '\0';) {
        const char *end = sentence_end(p);
        char *sentence = hm_xstrndup(p, (size_t)(end - p));
        if (is_unmeant(rule, sentence, said))
            whole = false;
        else
            hm_strbuf_add(&meant, p, (size_t)(end - p));
        free(sentence);
        p = end;
    }
    char *rest = hm_strbuf_take(&meant);
    if (!whole)
        return rest;
    free(rest);
    return NULL;
}

void hm_alarm_extract(const struct hm_alarm_rule *rule, const char *text, const char *day, struct hm_alarm_found *found)
{
    char *meant = NULL;
    char said[UNLESS_MAX] = "";
    extract(rule, text, day, found);
    if (rule->n_unless > 0 && found->matched && is_unmeant_title(rule, text, said))
        meant = hm_xstrdup("");
    else if (rule->n_unless > 0 && found->matched && found->missing[0] == '\0')
        meant = meant_text(rule, text, said);
    if (meant == NULL)
        return;
    hm_alarm_found_done(found);
    extract(rule, meant, day, found);
    found->unmeant = !found->matched;
    (void)snprintf(found->unless, sizeof found->unless, "%s", said);
    free(meant);
}

void hm_alarm_found_done(struct hm_alarm_found *found)
{
    json_decref(found->raw);
    json_decref(found->values);
    json_decref(found->assumed);
    *found = (struct hm_alarm_found){0};
}

/* Fields without a value are empty here, lists are joined. */
static json_t *key_scope_new(const struct hm_alarm_rule *rule, const json_t *values)
{
    json_t *scope = hm_json_obj_new();
    hm_json_set_str(scope, "day", hm_json_get_str(values, "day", ""));
    hm_json_set_str(scope, "sender", hm_json_get_str(values, "sender", ""));
    for (size_t i = 0; i < rule->n_fields; i++) {
        const char *name = rule->fields[i].param.name;
        json_t *value = json_object_get(values, name);
        struct hm_strbuf list;
        hm_strbuf_init(&list, KEY_MAX);
        size_t at = 0;
        const json_t *one = NULL;
        json_array_foreach(value, at, one)
        {
            hm_strbuf_adds(&list, at > 0 ? "," : "");
            hm_strbuf_adds(&list, json_is_string(one) ? json_string_value(one) : "?");
        }
        if (value == NULL || json_is_array(value))
            hm_json_set_str(scope, name, hm_strbuf_str(&list));
        else
            hm_json_set(scope, name, json_incref(value));
        hm_strbuf_done(&list);
    }
    return scope;
}

char *hm_alarm_key(const struct hm_alarm_rule *rule, const json_t *values)
{
    if (rule->key == NULL)
        return hm_xstrdup("");
    json_t *scope = key_scope_new(rule, values);
    char *key = hm_template_render(rule->key, HM_SINK_PLAIN, scope, NULL);
    json_decref(scope);
    return key != NULL ? key : hm_xstrdup("");
}
