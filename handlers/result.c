/* The fields of results: see result.h. */
#include "handlers/result.h"

#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

const struct hm_field_spec hm_fields_open[] = {
    {"*", HM_FIELD_ANY, false, "whatever is there", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_field_spec hm_fields_texts[] = {
    {"*", HM_FIELD_TEXT, false, "the text of that name", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const char *hm_field_type_text(enum hm_field_type type)
{
    switch (type) {
    case HM_FIELD_TEXT:
        return "a text";
    case HM_FIELD_NUMBER:
        return "a number";
    case HM_FIELD_BOOL:
        return "true or false";
    case HM_FIELD_LIST:
        return "a list";
    case HM_FIELD_OBJECT:
        return "an object";
    case HM_FIELD_ANY:
    case HM_FIELD_NR:
        break;
    }
    return "anything";
}

const struct hm_field_spec *hm_field_find(const struct hm_field_spec *fields, const char *name, size_t len)
{
    const struct hm_field_spec *rest = NULL;
    for (const struct hm_field_spec *field = fields; field != NULL && field->name != NULL; field++) {
        if (strlen(field->name) == len && memcmp(field->name, name, len) == 0)
            return field;
        if (hm_streq(field->name, "*"))
            rest = field;
    }
    return rest;
}

bool hm_action_has_more(const struct hm_action *action, const struct hm_backend *backend, const char *name, size_t len)
{
    const char *at = action->more_fields != NULL ? hm_json_get_str(backend->settings, action->more_fields, "") : "";
    while (*at != '\0') {
        size_t word = strcspn(at, " ");
        if (word == len && word > 0 && memcmp(at, name, len) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

/* ---- a result and its declaration -------------------------------------------------------------------------------------- */

static enum hm_field_type type_of(const json_t *value)
{
    switch ((int)json_typeof(value)) {
    case JSON_STRING:
        return HM_FIELD_TEXT;
    case JSON_INTEGER:
    case JSON_REAL:
        return HM_FIELD_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return HM_FIELD_BOOL;
    case JSON_ARRAY:
        return HM_FIELD_LIST;
    case JSON_OBJECT:
        return HM_FIELD_OBJECT;
    default:
        return HM_FIELD_ANY; /* null */
    }
}

static enum hm_code check_object(const struct hm_field_spec *fields, const json_t *object, struct hm_err *err);

static enum hm_code check_list(const struct hm_field_spec *fields, const json_t *list, struct hm_err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        bool plain = json_is_string(item) || json_is_number(item) || json_is_boolean(item);
        if (fields == NULL && !plain)
            return hm_err_set(err, HM_EBUG, "an item is no plain value, and no fields of it are declared");
        if (fields != NULL && !json_is_object(item))
            return hm_err_set(err, HM_EBUG, "an item is no object, and fields of it are declared");
        enum hm_code code = fields != NULL ? check_object(fields, item, err) : HM_OK;
        if (code != HM_OK)
            return code;
    }
    return HM_OK;
}

static enum hm_code check_value(const struct hm_field_spec *field, const json_t *value, struct hm_err *err)
{
    enum hm_field_type type = type_of(value);
    enum hm_code code = HM_OK;
    if (json_is_null(value) && field->always)
        return hm_err_set(err, HM_EBUG, "it is null, and declared to be %s always", hm_field_type_text(field->type));
    if (json_is_null(value) || field->type == HM_FIELD_ANY)
        return HM_OK;
    if (type != field->type)
        return hm_err_set(err, HM_EBUG, "it is %s, and declared to be %s", hm_field_type_text(type),
                          hm_field_type_text(field->type));
    if (type == HM_FIELD_LIST)
        code = check_list(field->fields, value, err);
    else if (type == HM_FIELD_OBJECT)
        code = check_object(field->fields, value, err);
    return code;
}

static enum hm_code check_object(const struct hm_field_spec *fields, const json_t *object, struct hm_err *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(object), name, value)
    {
        const struct hm_field_spec *field = hm_field_find(fields, name, strlen(name));
        if (field == NULL)
            return hm_err_set(err, HM_EBUG, "%s is not declared", name);
        enum hm_code code = check_value(field, value, err);
        if (code != HM_OK) {
            (void)hm_err_wrap(err, "%s", name);
            return code;
        }
    }
    for (const struct hm_field_spec *field = fields; field != NULL && field->name != NULL; field++)
        if (field->always && json_object_get(object, field->name) == NULL)
            return hm_err_set(err, HM_EBUG, "%s is missing, and declared to be there always", field->name);
    return HM_OK;
}

enum hm_code hm_result_check(const struct hm_action *action, const struct hm_backend *backend, const json_t *result,
                             struct hm_err *err)
{
    if (action->result == NULL)
        return HM_OK;
    json_t *own = json_copy(hm_unconst(result));
    const char *name = NULL;
    void *next = NULL;
    json_t *value = NULL;
    json_object_foreach_safe(own, next, name, value)
    {
        const struct hm_field_spec *field = hm_field_find(action->result, name, strlen(name));
        if (field == NULL && hm_action_has_more(action, backend, name, strlen(name)))
            (void)json_object_del(own, name);
    }
    enum hm_code code = check_object(action->result, own, err);
    json_decref(own);
    return code;
}

enum hm_verdict hm_action_response(const struct hm_action *action, const struct hm_backend *backend, const json_t *args,
                                   const json_t *cursor, const struct hm_answer *answer, struct hm_outcome *ret_out)
{
    enum hm_verdict verdict = action->response(backend, args, cursor, answer, ret_out);
#ifdef HM_CHECK_RESULTS
    struct hm_err err = {0};
    if (verdict == HM_VERDICT_OK && hm_result_check(action, backend, ret_out->result, &err) != HM_OK) {
        (void)hm_err_wrap(&err, "the result of %s is not as declared", action->name);
        hm_assert_failed(err.msg, __FILE__, __LINE__, __func__);
    }
#endif
    return verdict;
}
