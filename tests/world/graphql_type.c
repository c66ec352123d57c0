/* GraphQL: types as text ("[String!]!"), and input coercion (spec section 3): does this literal, or this JSON value, fit there,
 * and what is it then. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "graphql_ast.h"

enum { TYPE_MAX = 128 };

/* What is being read: one of the two. */
struct source {
    const struct hm_gql_value *literal;
    const json_t *json;
};

const struct hm_gql_type *hm_gql_type_find(const struct hm_gql_schema *schema, const char *name)
{
    for (const struct hm_gql_type *type = schema->types; type->name != NULL; type++)
        if (hm_streq(type->name, name))
            return type;
    return NULL;
}

const struct hm_gql_field *hm_gql_field_find(const struct hm_gql_type *type, const char *name)
{
    for (const struct hm_gql_field *field = type->fields; field != NULL && field->name != NULL; field++)
        if (hm_streq(field->name, name))
            return field;
    return NULL;
}

const struct hm_gql_fragment *hm_gql_fragment_find(const struct hm_gql_document *doc, const char *name)
{
    for (const struct hm_gql_fragment *fragment = doc->fragments; fragment != NULL; fragment = fragment->next)
        if (hm_streq(fragment->name, name))
            return fragment;
    return NULL;
}

const char *hm_gql_base_type(const char *type, char *buf, size_t size)
{
    size_t start = strspn(type, "[");
    size_t len = strcspn(type + start, "]!");
    if (len >= size)
        len = size - 1;
    memcpy(buf, type + start, len);
    buf[len] = '\0';
    return buf;
}

static bool is_nonnull(const char *type)
{
    return hm_ends_with(type, "!");
}

/* "X!" → "X" */
static const char *nullable(const char *type, char *buf)
{
    size_t len = strlen(type);
    if (is_nonnull(type))
        len--;
    if (len >= TYPE_MAX)
        len = TYPE_MAX - 1;
    memcpy(buf, type, len);
    buf[len] = '\0';
    return buf;
}

/* "[X]" → "X" */
static const char *list_item(const char *type, char *buf)
{
    size_t len = strlen(type);
    if (len < 2 || len - 2 >= TYPE_MAX)
        len = 2;
    memcpy(buf, type + 1, len - 2);
    buf[len - 2] = '\0';
    return buf;
}

bool hm_gql_type_fits(const char *var, bool has_default, const char *place)
{
    char a[TYPE_MAX], b[TYPE_MAX];
    if (is_nonnull(place)) {
        if (!is_nonnull(var) && !has_default)
            return false;
        place = nullable(place, b);
    }
    var = nullable(var, a);
    if (var[0] == '[' || place[0] == '[') {
        char c[TYPE_MAX], d[TYPE_MAX];
        return var[0] == '[' && place[0] == '[' && hm_gql_type_fits(list_item(var, c), false, list_item(place, d));
    }
    return strcmp(var, place) == 0;
}

static json_t *refuse(struct hm_gql_coercion *co, const char *type, const struct source *source)
{
    static const char *const kinds[] = {"a variable", "an Int",  "a Float", "a String", "a Boolean",
                                        "null",       "an enum", "a list",  "an object"};
    if (source->literal != NULL) {
        const char *text = source->literal->kind <= HM_GQL_VALUE_ENUM ? source->literal->text : "";
        (void)snprintf(co->why, sizeof(co->why), "Expected value of type \"%.60s\", found %s %.80s.", type,
                       kinds[source->literal->kind], text);
    } else {
        (void)snprintf(co->why, sizeof(co->why), "Expected value of type \"%.60s\", found %s.", type,
                       json_is_null(source->json)      ? "null"
                       : json_is_string(source->json)  ? "a string"
                       : json_is_integer(source->json) ? "an integer"
                       : json_is_array(source->json)   ? "a list"
                                                       : "something else");
    }
    return NULL;
}

static json_t *coerce_enum(const struct hm_gql_type *type, const struct source *source)
{
    const char *word = NULL;
    if (source->literal != NULL && source->literal->kind == HM_GQL_VALUE_ENUM)
        word = source->literal->text; /* a quoted one is no enum value */
    if (source->json != NULL)
        word = json_string_value(source->json);
    for (const char *const *value = type->values; word != NULL && *value != NULL; value++)
        if (strcmp(*value, word) == 0)
            return hm_json_str_new(word);
    return NULL;
}

static json_t *coerce_int(const struct source *source)
{
    int64_t n = INT64_MAX;
    if (source->literal != NULL) {
        if (source->literal->kind != HM_GQL_VALUE_INT || !hm_parse_i64(source->literal->text, INT32_MIN, INT32_MAX, &n))
            return NULL;
    } else if (json_is_integer(source->json)) {
        n = json_integer_value(source->json);
    }
    return n >= INT32_MIN && n <= INT32_MAX ? json_integer(n) : NULL;
}

static json_t *coerce_text(const struct source *source, bool is_id)
{
    if (source->literal != NULL) {
        bool ok = source->literal->kind == HM_GQL_VALUE_STRING || (is_id && source->literal->kind == HM_GQL_VALUE_INT);
        return ok ? hm_json_str_new(source->literal->text) : NULL;
    }
    if (json_is_string(source->json))
        return hm_json_str_new(json_string_value(source->json));
    if (!is_id || !json_is_integer(source->json))
        return NULL;
    char digits[32];
    (void)snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(source->json));
    return hm_json_str_new(digits);
}

static json_t *coerce_boolean(const struct source *source)
{
    if (source->literal != NULL)
        return source->literal->kind == HM_GQL_VALUE_BOOLEAN ? json_boolean(strcmp(source->literal->text, "true") == 0) : NULL;
    return json_is_boolean(source->json) ? json_boolean(json_is_true(source->json)) : NULL;
}

static json_t *coerce_named(struct hm_gql_coercion *co, const char *type, const struct source *source)
{
    json_t *value = NULL;
    const struct hm_gql_type *declared = hm_gql_type_find(co->schema, type);
    if (declared != NULL && declared->values != NULL)
        value = coerce_enum(declared, source);
    else if (hm_streq(type, "Int"))
        value = coerce_int(source);
    else if (hm_streq(type, "String"))
        value = coerce_text(source, false);
    else if (hm_streq(type, "ID"))
        value = coerce_text(source, true);
    else if (hm_streq(type, "Boolean"))
        value = coerce_boolean(source);
    return value != NULL ? value : refuse(co, type, source);
}

static json_t *coerce(struct hm_gql_coercion *co, const char *type, const struct source *source);

static json_t *coerce_list(struct hm_gql_coercion *co, const char *type, const struct source *source)
{
    char item_type[TYPE_MAX];
    json_t *list = hm_json_arr_new();
    bool ok = true;

    type = list_item(type, item_type);
    if (source->literal != NULL && source->literal->kind == HM_GQL_VALUE_LIST) {
        for (struct hm_gql_input *in = source->literal->items; ok && in != NULL; in = in->next) {
            json_t *item = coerce(co, type, &(struct source){.literal = in->value});
            ok = item != NULL && json_array_append_new(list, item) == 0;
        }
    } else if (json_is_array(source->json)) {
        for (size_t i = 0; ok && i < json_array_size(source->json); i++) {
            json_t *item = coerce(co, type, &(struct source){.json = json_array_get(source->json, i)});
            ok = item != NULL && json_array_append_new(list, item) == 0;
        }
    } else { /* one value stands for a list of one */
        json_t *item = coerce(co, type, source);
        ok = item != NULL && json_array_append_new(list, item) == 0;
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *coerce(struct hm_gql_coercion *co, const char *type, const struct source *source)
{
    char inner[TYPE_MAX];
    if (source->literal != NULL && source->literal->kind == HM_GQL_VALUE_VARIABLE) {
        json_t *value = json_object_get(co->vars, source->literal->text);
        if (value != NULL && !(json_is_null(value) && is_nonnull(type)))
            return json_incref(value);
        return is_nonnull(type) ? refuse(co, type, source) : json_null();
    }
    bool null = source->literal != NULL ? source->literal->kind == HM_GQL_VALUE_NULL : json_is_null(source->json);
    if (null)
        return is_nonnull(type) ? refuse(co, type, source) : json_null();
    type = nullable(type, inner);
    return type[0] == '[' ? coerce_list(co, type, source) : coerce_named(co, type, source);
}

json_t *hm_gql_coerce_literal(struct hm_gql_coercion *co, const char *type, const struct hm_gql_value *value)
{
    return coerce(co, type, &(struct source){.literal = value});
}

json_t *hm_gql_coerce_json(struct hm_gql_coercion *co, const char *type, const json_t *value)
{
    return coerce(co, type, &(struct source){.json = value});
}
