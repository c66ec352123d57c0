/* The last look at an action's arguments: see args_check.h. */
#include "recipe/args_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const char *wanted_text(enum hm_arg_type type)
{
    static const char *const texts[HM_ARG_NR] = {"a text", "a uuid", "a whole number", "true or false", "a list", "an object"};
    return (unsigned)type < HM_ARG_NR ? texts[type] : "?";
}

static const char *given_text(const json_t *value)
{
    static const char *const texts[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list", [JSON_STRING] = "a text", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",    [JSON_FALSE] = "false",   [JSON_NULL] = "empty (null)"};
    return texts[json_typeof(value)];
}

static bool fits(enum hm_arg_type type, const json_t *value)
{
    switch (type) {
    case HM_ARG_STRING:
        return json_is_string(value);
    case HM_ARG_UUID:
        return json_is_string(value) && hm_is_uuid(json_string_value(value));
    case HM_ARG_INT:
        return json_is_integer(value);
    case HM_ARG_BOOL:
        return json_is_boolean(value);
    case HM_ARG_LIST:
        return json_is_array(value);
    case HM_ARG_OBJECT:
        return json_is_object(value);
    case HM_ARG_NR:
        break;
    }
    return false;
}

/* A number where a text is wanted: ${count} alone keeps its type, which nobody asked for there. */
static void make_text(json_t *args, const char *name, const json_t *value)
{
    if (!json_is_number(value) && !json_is_boolean(value))
        return;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    hm_json_set_str(args, name, text);
    free(text);
}

static enum hm_code check_one(const struct hm_action *action, const struct hm_arg_spec *spec, json_t *args, struct hm_err *err)
{
    const json_t *value = json_object_get(args, spec->name);
    if (value == NULL || json_is_null(value)) {
        if (!spec->required)
            return HM_OK;
        return hm_err_set(err, HM_EINVAL, "%s needs %s, and it came out empty", action->name, spec->name);
    }
    if (spec->type == HM_ARG_STRING) {
        make_text(args, spec->name, value);
        value = json_object_get(args, spec->name);
    }
    if (fits(spec->type, value))
        return HM_OK;
    if (json_is_string(value))
        return hm_err_set(err, HM_EINVAL, "%s: %s must be %s; \"%.60s\" is not", action->name, spec->name,
                          wanted_text(spec->type), json_string_value(value));
    return hm_err_set(err, HM_EINVAL, "%s: %s must be %s, not %s", action->name, spec->name, wanted_text(spec->type),
                      given_text(value));
}

enum hm_code hm_args_check(const struct hm_action *action, json_t *args, struct hm_err *err)
{
    size_t known = 0;
    for (const struct hm_arg_spec *spec = action->args; spec != NULL && spec->name != NULL; spec++) {
        known += json_object_get(args, spec->name) != NULL ? 1 : 0;
        enum hm_code code = check_one(action, spec, args, err);
        if (code != HM_OK)
            return code;
    }
    if (known != json_object_size(args))
        return hm_err_set(err, HM_EINVAL, "%s was given an argument that it does not know", action->name);
    return HM_OK;
}
