/* BigQuery's rows: {"f": [{"v": …}]} beside a schema, every scalar a text, repeated ones lists of {"v": …}, records rows again.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "handlers/bigquery.h"
#include "handlers/value.h"

enum { DEPTH_MAX = 5 };

static json_t *row_new(const json_t *fields, const json_t *row, int depth);

/* Seconds since 1970, written like 1.7643E9, as a time. */
static json_t *time_new(const char *text)
{
    static const double latest_s = 253402300799.0; /* the year 9999 */
    char buf[HM_TIME_MAX];
    json_t *number = hm_value_number_new(text);
    double seconds = json_is_number(number) ? json_number_value(number) : -1;
    json_decref(number);
    if (seconds < 0 || seconds > latest_s)
        return hm_json_str_new(text);
    return hm_json_str_new(hm_format_time((int64_t)(seconds * 1000.0 + 0.5), buf));
}

static json_t *scalar_new(const json_t *field, const json_t *value, int depth)
{
    const char *type = hm_json_get_str(field, "type", ""), *text = json_string_value(value);
    if (strcasecmp(type, "RECORD") == 0 || strcasecmp(type, "STRUCT") == 0) {
        json_t *inner = row_new(hm_json_get_arr(field, "fields"), value, depth + 1);
        return inner != NULL ? inner : json_null();
    }
    if (text == NULL)
        return json_null();
    if (strncasecmp(type, "INT", 3) == 0 || strncasecmp(type, "FLOAT", 5) == 0 || strcasecmp(type, "NUMERIC") == 0)
        return hm_value_number_new(text);
    if (strncasecmp(type, "BOOL", 4) == 0)
        return json_boolean(strcasecmp(text, "true") == 0);
    if (strcasecmp(type, "TIMESTAMP") == 0)
        return time_new(text);
    return hm_json_str_new(text);
}

static json_t *value_new(const json_t *field, const json_t *cell, int depth)
{
    const json_t *value = json_object_get(cell, "v");
    if (strcasecmp(hm_json_get_str(field, "mode", ""), "REPEATED") != 0)
        return scalar_new(field, value, depth);
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(value); i++)
        hm_json_add(list, scalar_new(field, json_object_get(json_array_get(value, i), "v"), depth));
    return list;
}

static json_t *row_new(const json_t *fields, const json_t *row, int depth)
{
    const json_t *cells = hm_json_get_arr(row, "f");
    if (cells == NULL || json_array_size(cells) != json_array_size(fields) || depth > DEPTH_MAX)
        return NULL;
    json_t *object = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        hm_json_set(object, hm_json_get_str(field, "name", ""), value_new(field, json_array_get(cells, i), depth));
    }
    return object;
}

json_t *hm_bq_row_new(const json_t *fields, const json_t *row)
{
    return row_new(fields, row, 0);
}
