/* What depends on a dataset: see successors.h. */
#include "handlers/successors.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { NAME_MAX_LEN = 200, SHOWN = 20, TEXT_MAX = 2000 };

bool hm_op_name_ok(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN && strspn(name, allowed) == len && strchr("._-/0123456789", name[0]) == NULL;
}

static bool are_names(const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *each = json_string_value(json_array_get(names, i));
        if (each == NULL || each[0] == '\0')
            return false;
    }
    return json_is_array(names);
}

json_t *hm_successors_result_new(const char *name, const json_t *names)
{
    if (!are_names(names))
        return NULL;
    json_t *result = hm_json_obj_new(), *list = hm_json_arr_new(), *policies = hm_json_arr_new();
    struct hm_strbuf text;
    hm_strbuf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *each = json_string_value(json_array_get(names, i));
        hm_json_add(list, hm_json_str_new(each));
        if (hm_starts_with(each, "policy/"))
            hm_json_add(policies, hm_json_str_new(each));
        if (json_array_size(list) <= SHOWN)
            hm_strbuf_addf(&text, "%s%s", text.len > 0 ? "\n" : "", each);
    }
    if (json_array_size(list) > SHOWN)
        hm_strbuf_addf(&text, "\n… and %zu more", json_array_size(list) - SHOWN);
    hm_json_set_str(result, "name", name);
    hm_json_set_int(result, "count", (int64_t)json_array_size(list));
    hm_json_set(result, "successors", list);
    hm_json_set(result, "policies", policies);
    hm_json_set_str(result, "text", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return result;
}
