/* Params: from what a person gave to typed values. See recipe.h.
 *
 * Happy path: every value given is checked against its param's type, the others get their defaults, and each param ends up with a
 * value or null. Failure: the first thing wrong, as a sentence that names the param, what is expected and what came. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "recipe/recipe.h"

/* Names of datasets as Metapod knows them: a kind, a slash, a name. */
#define DATASET_PATTERN                                                                                                          \
    "(?:dataset|model|archive|policy|series|series-raw|series-contract|contract-[a-z0-9-]+)/[A-Za-z0-9][A-Za-z0-9._/-]*"

bool hm_param_is_described(const struct hm_param *param)
{
    return param->type == HM_PARAM_STRING && param->pattern != NULL && param->help != NULL && param->help[0] != '\0';
}

const char *hm_param_type_text(const struct hm_param *param, char *buf, size_t size)
{
    struct hm_strbuf b;
    hm_strbuf_init(&b, size - 1);
    switch (param->type) {
    case HM_PARAM_STRING:
        if (param->pattern != NULL)
            hm_strbuf_addf(&b, "a text that matches %s", param->pattern);
        else
            hm_strbuf_addf(&b, "a text of at most %zu characters", param->max_len);
        break;
    case HM_PARAM_UUID:
        hm_strbuf_adds(&b, "a uuid (8-4-4-4-12 hex digits)");
        break;
    case HM_PARAM_INT:
        if (param->min == INT64_MIN && param->max == INT64_MAX)
            hm_strbuf_adds(&b, "a whole number");
        else if (param->max == INT64_MAX)
            hm_strbuf_addf(&b, "a whole number, %" PRId64 " or more", param->min);
        else if (param->min == INT64_MIN)
            hm_strbuf_addf(&b, "a whole number, %" PRId64 " or less", param->max);
        else
            hm_strbuf_addf(&b, "a whole number from %" PRId64 " to %" PRId64, param->min, param->max);
        break;
    case HM_PARAM_BOOL:
        hm_strbuf_adds(&b, "yes or no");
        break;
    case HM_PARAM_REGEX:
        hm_strbuf_adds(&b, "a regular expression");
        break;
    case HM_PARAM_CHOICE:
        hm_strbuf_adds(&b, "one of ");
        for (size_t i = 0; param->choices != NULL && param->choices[i] != NULL; i++)
            hm_strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", param->choices[i]);
        break;
    case HM_PARAM_DATE:
        hm_strbuf_adds(&b, "a date like 2026-11-23");
        break;
    case HM_PARAM_DATASET:
        hm_strbuf_adds(&b, "a dataset's name like dataset/x or series-contract/x");
        break;
    case HM_PARAM_USER:
        hm_strbuf_adds(&b, "a person, written with @ as in a message");
        break;
    case HM_PARAM_NR:
        break;
    }
    (void)snprintf(buf, size, "%s", hm_strbuf_str(&b));
    hm_strbuf_done(&b);
    return buf;
}

static json_t *wrong(const struct hm_param *param, const char *given, const char *hint, struct hm_err *err)
{
    char expected[240];
    char *clean = hm_utf8_clean(given, strlen(given));
    size_t shown = hm_utf8_take(clean, 60);
    if (hm_param_is_described(param)) /* few can read a pattern, and Slack would alter it */
        (void)hm_err_set(err, HM_EINVAL, "%s can not be \"%.*s%s\" (%s)%s", param->name, (int)shown, clean,
                         clean[shown] != '\0' ? "…" : "", param->help, hint);
    else
        (void)hm_err_set(err, HM_EINVAL, "%s must be %s; \"%.*s%s\" is not%s", param->name,
                         hm_param_type_text(param, expected, sizeof expected), (int)shown, clean, clean[shown] != '\0' ? "…" : "",
                         hint);
    free(clean);
    return NULL;
}

/* Whether `text` matches `pattern` as a whole; false with err set when that can not be told. */
static bool matches(const char *pattern, const char *text, bool *ret_matches, struct hm_err *err)
{
    struct hm_pattern *compiled = hm_pattern_new(pattern, true, err);
    bool ok = compiled != NULL && hm_pattern_match(compiled, text, ret_matches, err) == HM_OK;
    hm_pattern_free(compiled);
    return ok;
}

static json_t *text_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    bool fits = true;
    size_t count = hm_utf8_count(text);
    if (count > param->max_len) {
        (void)hm_err_set(err, HM_EINVAL, "%s has %zu characters; at most %zu are allowed", param->name, count, param->max_len);
        return NULL;
    }
    if (param->pattern != NULL && !matches(param->pattern, text, &fits, err)) {
        (void)hm_err_wrap(err, "%s", param->name);
        return NULL;
    }
    return fits ? hm_json_str_new(text) : wrong(param, text, "", err);
}

enum { UUID_LEN = 36 };

/* The one uuid in a link, or NULL when there is none or more than one. */
static const char *uuid_in_link(const char *text, char ret_uuid[UUID_LEN + 1])
{
    bool found = false;
    size_t len = strlen(text);
    if (!hm_starts_with(text, "https://") && !hm_starts_with(text, "http://"))
        return NULL;
    for (size_t i = 0; i + UUID_LEN <= len; i++) {
        char one[UUID_LEN + 1];
        memcpy(one, text + i, UUID_LEN);
        one[UUID_LEN] = '\0';
        if (!hm_is_uuid(one) || isxdigit((unsigned char)text[i - 1]) || isxdigit((unsigned char)text[i + UUID_LEN]))
            continue;
        if (found)
            return NULL;
        found = true;
        memcpy(ret_uuid, one, sizeof one);
    }
    return found ? ret_uuid : NULL;
}

static json_t *uuid_value(const struct hm_param *param, const char *given, struct hm_err *err)
{
    char lower[40];
    char linked[UUID_LEN + 1];
    const char *text = hm_is_uuid(given) ? given : uuid_in_link(given, linked);
    size_t len = text != NULL ? strlen(text) : 0;
    if (text == NULL || len >= sizeof lower)
        return wrong(param, given, "", err);
    for (size_t i = 0; i <= len; i++) /* one spelling, so that locks and comparisons hold */
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 : text[i]);
    return hm_json_str_new(lower);
}

static json_t *bool_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        for (int value = 0; value < 2; value++)
            if (strcasecmp(text, words[i][value]) == 0)
                return json_boolean(value);
    return wrong(param, text, "", err);
}

static json_t *regex_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    struct hm_pattern *pattern = hm_pattern_new(text, false, err);
    if (pattern == NULL) {
        (void)hm_err_wrap(err, "%s", param->name);
        return NULL;
    }
    hm_pattern_free(pattern);
    return hm_json_str_new(text);
}

static json_t *choice_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    char meant[120];
    struct hm_suggest s;
    const char *same = NULL; /* but for capitals, which phones put in front */
    bool several = false;
    if (param->is_environment && param->choices[0] == NULL) /* an earlier run's recipe: checked when it was started */
        return hm_json_str_new(text);
    hm_suggest_init(&s, text);
    for (size_t i = 0; param->choices != NULL && param->choices[i] != NULL; i++) {
        if (strcmp(param->choices[i], text) == 0)
            return hm_json_str_new(text);
        if (strcasecmp(param->choices[i], text) == 0) {
            several = same != NULL;
            same = param->choices[i];
        }
        hm_suggest_try(&s, param->choices[i]);
    }
    if (same != NULL && !several)
        return hm_json_str_new(same);
    return wrong(param, text, hm_suggest_text(&s, meant, sizeof meant), err);
}

static json_t *user_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    size_t len = strlen(text);
    bool fits = len >= 2 && len <= 30 && (text[0] == 'U' || text[0] == 'W') &&
                strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
    return fits ? hm_json_str_new(text) : wrong(param, text, text[0] == '@' ? "; choose the name from Slack's list" : "", err);
}

/* A day that exists (proleptic Gregorian). */
static bool is_date(const char *text)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    char part[8];
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return false;
    (void)snprintf(part, sizeof part, "%.4s", text);
    if (!hm_parse_i64(part, 1, 9999, &year))
        return false;
    (void)snprintf(part, sizeof part, "%.2s", text + 5);
    if (!hm_parse_i64(part, 1, 12, &month))
        return false;
    (void)snprintf(part, sizeof part, "%.2s", text + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return hm_parse_i64(part, 1, days[month - 1] + (leap && month == 2 ? 1 : 0), &day);
}

static json_t *dataset_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    bool fits = false;
    if (hm_utf8_count(text) > param->max_len || !matches(DATASET_PATTERN, text, &fits, err) || !fits)
        return wrong(param, text, "", err);
    return hm_json_str_new(text);
}

/* The dashes that phones and pages make of a "-", in values that can hold no other. In place. */
static void plain_dashes(char *text)
{
    static const char *const dashes[] = {"\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x92",
                                         "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x88\x92"};
    char *to = text;
    while (*text != '\0') {
        size_t len = 1;
        char c = *text;
        for (size_t i = 0; i < HM_ARRAY_LEN(dashes); i++) {
            if (!hm_starts_with(text, dashes[i]))
                continue;
            len = strlen(dashes[i]);
            c = '-';
        }
        text += len;
        *to++ = c;
    }
    *to = '\0';
}

static bool has_plain_dashes(enum hm_param_type type)
{
    return type == HM_PARAM_UUID || type == HM_PARAM_INT || type == HM_PARAM_DATE || type == HM_PARAM_DATASET;
}

/* text: trimmed, not empty, without control characters. */
static json_t *typed_value(const struct hm_param *param, const char *text, struct hm_err *err)
{
    int64_t n = 0;
    switch (param->type) {
    case HM_PARAM_STRING:
        return text_value(param, text, err);
    case HM_PARAM_UUID:
        return uuid_value(param, text, err);
    case HM_PARAM_INT:
        return hm_parse_i64(text, param->min, param->max, &n) ? json_integer(n) : wrong(param, text, "", err);
    case HM_PARAM_BOOL:
        return bool_value(param, text, err);
    case HM_PARAM_REGEX:
        return regex_value(param, text, err);
    case HM_PARAM_CHOICE:
        return choice_value(param, text, err);
    case HM_PARAM_DATE:
        return is_date(text) ? hm_json_str_new(text) : wrong(param, text, "", err);
    case HM_PARAM_DATASET:
        return dataset_value(param, text, err);
    case HM_PARAM_USER:
        return user_value(param, text, err);
    case HM_PARAM_NR:
        break;
    }
    (void)hm_err_set(err, HM_EBUG, "%s has no type", param->name);
    return NULL;
}

json_t *hm_param_value_new(const struct hm_param *param, const json_t *raw, struct hm_err *err)
{
    if (raw == NULL || json_is_null(raw))
        return json_null();
    if (!json_is_string(raw) && !json_is_integer(raw) && !json_is_boolean(raw)) {
        char expected[240];
        (void)hm_err_set(err, HM_EINVAL, "%s must be %s, not %s", param->name,
                         hm_param_type_text(param, expected, sizeof expected),
                         json_is_real(raw) ? "a fraction" : "a list or an object");
        return NULL;
    }
    char *given = json_is_string(raw) ? hm_xstrdup(json_string_value(raw)) : json_dumps(raw, JSON_ENCODE_ANY);
    const char *text = given + strspn(given, " \t\r\n");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        len--;
    char *trimmed = hm_xstrndup(text, len);
    if (has_plain_dashes(param->type))
        plain_dashes(trimmed);
    json_t *value = NULL;
    bool control = false;
    for (const char *c = trimmed; *c != '\0'; c++)
        control = control || (unsigned char)*c < 0x20 || *c == 0x7f;
    if (control)
        (void)hm_err_set(err, HM_EINVAL, "%s may not hold line breaks or control characters", param->name);
    else
        value = len > 0 ? typed_value(param, trimmed, err) : json_null();
    free(trimmed);
    free(given);
    return value;
}

/* The default's value: null when there is none, or when what it refers to is not known. */
static json_t *default_value(const struct hm_param *param, const json_t *scope, struct hm_err *err)
{
    struct hm_err why = {0};
    if (param->fallback == NULL)
        return json_null();
    json_t *raw = hm_template_value_new(param->fallback, scope, &why);
    json_t *value = raw != NULL ? hm_param_value_new(param, raw, &why) : NULL;
    json_decref(raw);
    if (value == NULL)
        (void)hm_err_set(err, HM_EINVAL, "the default of %s can not be used (%s); give %s=…", param->name, why.msg, param->name);
    return value;
}

static bool fill(const struct hm_param *param, const json_t *raw, const json_t *scope, json_t *values, json_t *given,
                 struct hm_err *err)
{
    char expected[240];
    json_t *value = hm_param_value_new(param, json_object_get(raw, param->name), err);
    if (value == NULL)
        return false;
    if (!json_is_null(value)) {
        hm_json_set_bool(given, param->name, true);
    } else if ((value = default_value(param, scope, err)) == NULL) {
        return false;
    }
    if (json_is_null(value) && !param->optional) {
        bool described = hm_param_is_described(param);
        (void)hm_err_set(err, HM_EINVAL, "%s is missing%s%s%s%s", param->name,
                         param->fallback != NULL ? " and its default is not known yet" : "", described ? " (" : "; it must be ",
                         described ? param->help : hm_param_type_text(param, expected, sizeof expected), described ? ")" : "");
        return false;
    }
    hm_json_set(values, param->name, value);
    return true;
}

/* A key of raw that is no param. */
static enum hm_code check_names(const struct hm_param *params, size_t n_params, const json_t *raw, struct hm_err *err)
{
    char meant[120];
    json_t *object = hm_unconst(raw); /* the iterator wants it writable and does not write */
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        struct hm_suggest s;
        bool found = false;
        hm_suggest_init(&s, json_object_iter_key(it));
        for (size_t i = 0; i < n_params; i++) {
            found = found || strcmp(params[i].name, json_object_iter_key(it)) == 0;
            hm_suggest_try(&s, params[i].name);
        }
        if (!found)
            return hm_err_set(err, HM_EINVAL, "there is no param \"%.60s\"%s", json_object_iter_key(it),
                              hm_suggest_text(&s, meant, sizeof meant));
    }
    return HM_OK;
}

json_t *hm_param_values_new(const struct hm_param *params, size_t n_params, const json_t *raw, const json_t *scope,
                            json_t **ret_given, struct hm_err *err)
{
    json_t *values = hm_json_obj_new();
    json_t *given = hm_json_obj_new();
    bool ok = check_names(params, n_params, raw, err) == HM_OK;
    for (size_t i = 0; i < n_params && ok; i++)
        ok = fill(&params[i], raw, scope, values, given, err);
    if (!ok) {
        json_decref(values);
        values = NULL;
    }
    if (ok && ret_given != NULL)
        *ret_given = json_incref(given);
    json_decref(given);
    return values;
}

json_t *hm_params_check_new(const struct hm_recipe *recipe, const json_t *raw, const json_t *scope, json_t **ret_given,
                            struct hm_err *err)
{
    return hm_param_values_new(recipe->params, recipe->n_params, raw, scope, ret_given, err);
}

bool hm_param_list_needs(const struct hm_param_list *list, const struct hm_param *param)
{
    for (char *const *need = list->needs; *need != NULL; need++)
        if (strcmp(*need, param->name) == 0 || (param->is_environment && strcmp(*need, "environ") == 0))
            return true;
    return false;
}

bool hm_param_feeds_lists(const struct hm_recipe *recipe, const struct hm_param *param)
{
    for (size_t i = 0; i < recipe->n_params; i++)
        if (recipe->params[i].list != NULL && &recipe->params[i] != param && hm_param_list_needs(recipe->params[i].list, param))
            return true;
    return false;
}

bool hm_params_lack(const struct hm_recipe *recipe, const json_t *raw, const json_t *scope)
{
    bool lacks = false;
    for (size_t i = 0; i < recipe->n_params; i++) {
        const struct hm_param *param = &recipe->params[i];
        struct hm_err err = {0};
        json_t *value = hm_param_value_new(param, json_object_get(raw, param->name), &err);
        if (value == NULL)
            return false;
        if (json_is_null(value)) {
            json_decref(value);
            value = default_value(param, scope, &err);
        }
        lacks = lacks || value == NULL || (json_is_null(value) && !param->optional);
        json_decref(value);
    }
    return lacks;
}

char *hm_param_default_text(const struct hm_param *param, const json_t *scope)
{
    struct hm_err err = {0};
    json_t *value = param->fallback != NULL ? default_value(param, scope, &err) : NULL;
    char *text = NULL;
    if (json_is_string(value))
        text = hm_xstrdup(json_string_value(value));
    else if (value != NULL && !json_is_null(value))
        text = json_dumps(value, JSON_ENCODE_ANY);
    json_decref(value);
    return text;
}
