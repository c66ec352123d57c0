/* jansson helpers: see json.h. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/text.h"

json_t *hm_json_parse_new(const char *text, size_t len, size_t max, struct hm_err *err)
{
    json_error_t why;

    if (len > max) {
        (void)hm_err_set(err, HM_ETOOBIG, "JSON of %zu bytes; the limit here is %zu", len, max);
        return NULL;
    }
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (value == NULL)
        (void)hm_err_set(err, HM_EINVAL, "not JSON: %s at line %d, column %d", why.text, why.line, why.column);
    return value;
}

char *hm_json_text(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    HM_ASSERT(text != NULL);
    return text;
}

const char *hm_json_get_str(const json_t *obj, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(obj, key);
    return json_is_string(value) ? json_string_value(value) : fallback;
}

int64_t hm_json_get_int(const json_t *obj, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(obj, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool hm_json_get_bool(const json_t *obj, const char *key, bool fallback)
{
    const json_t *value = json_object_get(obj, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *hm_json_get_obj(const json_t *obj, const char *key)
{
    json_t *value = json_object_get(obj, key);
    return json_is_object(value) ? value : NULL;
}

json_t *hm_json_get_arr(const json_t *obj, const char *key)
{
    json_t *value = json_object_get(obj, key);
    return json_is_array(value) ? value : NULL;
}

json_t *hm_json_get_path(const json_t *value, const char *path)
{
    json_t *at = hm_unconst(value); /* like jansson's own getters: a borrowed part of what the caller lent */
    while (*path != '\0' && at != NULL) {
        size_t len = strcspn(path, ".");
        char *part = hm_xstrndup(path, len);
        uint32_t index = 0;
        if (json_is_array(at))
            at = hm_parse_u32(part, UINT32_MAX, &index) ? json_array_get(at, index) : NULL;
        else
            at = json_object_get(at, part);
        free(part);
        path += len;
        if (*path == '.')
            path++;
    }
    return at;
}

json_t *hm_json_strn_new(const char *s, size_t len)
{
    json_t *value = json_stringn(s, len);
    if (value == NULL) { /* malformed UTF-8: show what can be shown */
        char *clean = hm_utf8_clean(s, len);
        value = json_string(clean);
        free(clean);
    }
    HM_ASSERT(value != NULL);
    return value;
}

json_t *hm_json_str_new(const char *s)
{
    return s != NULL ? hm_json_strn_new(s, strlen(s)) : json_null();
}

json_t *hm_json_obj_new(void)
{
    json_t *obj = json_object();
    HM_ASSERT(obj != NULL);
    return obj;
}

json_t *hm_json_arr_new(void)
{
    json_t *arr = json_array();
    HM_ASSERT(arr != NULL);
    return arr;
}

void hm_json_set(json_t *obj, const char *key, json_t *stolen_value)
{
    HM_ASSERT(stolen_value != NULL);
    char *clean = hm_utf8_valid(key, strlen(key)) ? NULL : hm_utf8_clean(key, strlen(key));
    int rc = json_object_set_new_nocheck(obj, clean != NULL ? clean : key, stolen_value);
    HM_ASSERT(rc == 0);
    free(clean);
}

void hm_json_set_str(json_t *obj, const char *key, const char *s)
{
    hm_json_set(obj, key, hm_json_str_new(s));
}

void hm_json_set_int(json_t *obj, const char *key, int64_t n)
{
    hm_json_set(obj, key, json_integer(n));
}

void hm_json_set_bool(json_t *obj, const char *key, bool b)
{
    hm_json_set(obj, key, json_boolean(b));
}

void hm_json_add(json_t *arr, json_t *stolen_value)
{
    HM_ASSERT(stolen_value != NULL);
    int rc = json_array_append_new(arr, stolen_value);
    HM_ASSERT(rc == 0);
}
