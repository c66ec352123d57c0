/* Splunk's rows as recipes read them: oldest first whatever came, without what belongs to customers, numbers where numbers were
 * asked for, and a word on whether they prove anything.
 *
 * Failure modes: none; what is odd in a row is left out of it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/redact.h"
#include "handlers/splunk.h"
#include "handlers/value.h"

enum { LINE_MAX_BYTES = 1500, EXCERPT_MAX = 1600, FIELD_MAX = 300, FIELDS_MAX = 40 };

/* The text, redacted and cut; new reference. */
static json_t *safe_text_new(const char *text, size_t max)
{
    char *clean = hm_utf8_clean(text, hm_utf8_prefix(text, 2 * max));
    char *redacted = hm_redact(clean);
    size_t cut = hm_utf8_prefix(redacted, max);
    char *shown = hm_xasprintf("%.*s%s", (int)cut, redacted,
                               redacted[cut] != '\0' || text[hm_utf8_prefix(text, 2 * max)] != '\0' ? "…" : "");
    json_t *value = hm_json_str_new(shown);
    free(shown);
    free(redacted);
    free(clean);
    return value;
}

static bool is_number_field(const json_t *numbers, const char *name)
{
    for (size_t i = 0; i < json_array_size(numbers); i++)
        if (hm_streq(json_string_value(json_array_get(numbers, i)), name))
            return true;
    return false;
}

/* Splunk gives texts, and lists of texts for fields with several values. */
static json_t *value_new(const json_t *value, bool number)
{
    if (json_is_array(value))
        value = json_array_get(value, 0);
    const char *text = json_string_value(value);
    if (number)
        return text != NULL ? hm_value_number_new(text) : json_is_number(value) ? json_incref(hm_unconst(value)) : json_null();
    if (text != NULL)
        return safe_text_new(text, FIELD_MAX);
    return json_is_number(value) || json_is_boolean(value) ? json_incref(hm_unconst(value)) : json_null();
}

json_t *hm_splunk_safe_row_new(const json_t *row, const json_t *numbers)
{
    json_t *safe = hm_json_obj_new(), *value = NULL;
    const char *key = NULL;
    json_object_foreach(hm_unconst(row), key, value)
    {
        bool text = strcmp(key, "_raw") == 0 && json_is_string(value);
        if (strcmp(key, "_time") == 0)
            hm_json_set_str(safe, key, json_string_value(value));
        else if (text)
            hm_json_set(safe, key, safe_text_new(json_string_value(value), LINE_MAX_BYTES));
        else if (key[0] != '_' && json_object_size(safe) < FIELDS_MAX)
            hm_json_set(safe, key, value_new(value, is_number_field(numbers, key)));
    }
    return safe;
}

static json_t *item_new(const struct hm_splunk_rows *rows, const json_t *row)
{
    json_t *item = hm_json_obj_new();
    const char *raw = hm_json_get_str(row, "_raw", NULL), *key = NULL;
    json_t *value = NULL;
    hm_json_set_str(item, "time", hm_json_get_str(row, "_time", NULL));
    hm_json_set(item, "text", raw != NULL ? safe_text_new(raw, LINE_MAX_BYTES) : json_null());
    json_object_foreach(hm_unconst(row), key, value)
    {
        if (key[0] == '_' || json_object_size(item) >= FIELDS_MAX || json_object_get(item, key) != NULL)
            continue;
        hm_json_set(item, key, value_new(value, is_number_field(rows->numbers, key)));
    }
    for (size_t i = 0; i < json_array_size(rows->numbers); i++) { /* asked for and not there: null, not missing */
        const char *name = json_string_value(json_array_get(rows->numbers, i));
        if (name != NULL && json_object_get(item, name) == NULL)
            hm_json_set(item, name, json_null());
    }
    return item;
}

/* Events come newest first; tables of `timechart` the other way round. */
static bool is_newest_first(const json_t *rows)
{
    size_t n = json_array_size(rows);
    const char *first = hm_json_get_str(json_array_get(rows, 0), "_time", "");
    const char *last = hm_json_get_str(json_array_get(rows, n - 1), "_time", "");
    return n > 1 && strcmp(first, last) > 0;
}

/* The newest lines that fit, oldest first. Caller frees. */
static char *excerpt(const json_t *list)
{
    size_t n = json_array_size(list), from = n, size = 0;
    struct hm_strbuf out;
    while (from > 0) {
        size_t len = strlen(hm_json_get_str(json_array_get(list, from - 1), "text", "")) + 1;
        if (size + len > EXCERPT_MAX && from < n)
            break;
        size += len;
        from--;
    }
    hm_strbuf_init(&out, (size_t)2 * EXCERPT_MAX);
    for (size_t i = from; i < n; i++)
        hm_strbuf_addf(&out, "%s%s", i > from ? "\n" : "", hm_json_get_str(json_array_get(list, i), "text", ""));
    return hm_strbuf_take(&out);
}

json_t *hm_splunk_result_new(const struct hm_splunk_rows *rows)
{
    json_t *list = hm_json_arr_new(), *result = hm_json_obj_new();
    size_t n = json_array_size(rows->rows);
    bool reverse = n > 0 && is_newest_first(rows->rows);
    for (size_t i = 0; i < n; i++)
        hm_json_add(list, item_new(rows, json_array_get(rows->rows, reverse ? n - 1 - i : i)));
    char *text = excerpt(list);
    hm_json_set_int(result, "count", (int64_t)n);
    hm_json_set_bool(result, "complete", (int64_t)n < rows->limit);
    hm_json_set_bool(result, "verified", json_array_size(rows->warnings) == 0);
    hm_json_set(result, "warnings", rows->warnings != NULL ? json_deep_copy(rows->warnings) : hm_json_arr_new());
    hm_json_set(result, "first", n > 0 ? json_incref(json_array_get(list, 0)) : json_null());
    hm_json_set_str(result, "oldest", n > 0 ? hm_json_get_str(json_array_get(list, 0), "time", NULL) : NULL);
    hm_json_set_str(result, "newest", n > 0 ? hm_json_get_str(json_array_get(list, n - 1), "time", NULL) : NULL);
    hm_json_set_str(result, "text", text);
    hm_json_set(result, "list", list);
    free(text);
    return result;
}
