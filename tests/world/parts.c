/* Paths, queries, passwords and bodies of requests to the world: see parts.h. */
#include "parts.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

json_t *hm_world_segments_new(const char *path)
{
    json_t *segments = hm_json_arr_new();
    while (*(path += strspn(path, "/")) != '\0') {
        size_t len = strcspn(path, "/");
        hm_json_add(segments, hm_json_strn_new(path, len));
        path += len;
    }
    return segments;
}

const char *hm_world_segment(const json_t *segments, size_t i)
{
    const char *segment = json_string_value(json_array_get(segments, i));
    return segment != NULL ? segment : "";
}

bool hm_world_path_is(const json_t *segments, const char *const *words)
{
    size_t n = 0;
    for (; words[n] != NULL; n++)
        if (!hm_streq(words[n], "*") && !hm_streq(words[n], hm_world_segment(segments, n)))
            return false;
    return json_array_size(segments) == n;
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static char *decode(const char *s, size_t len)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, len + 1);
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && i + 2 < len && hex_value(s[i + 1]) >= 0 && hex_value(s[i + 2]) >= 0) {
            hm_strbuf_addc(&out, (char)(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2])));
            i += 2;
        } else {
            hm_strbuf_addc(&out, s[i]);
        }
    }
    return hm_strbuf_take(&out);
}

char *hm_world_query(const char *query, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = query; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "&");
        if (len > n && strncmp(at, name, n) == 0 && at[n] == '=')
            return decode(at + n + 1, len - n - 1);
        at += len + (at[len] == '&' ? 1 : 0);
    }
    return NULL;
}

void hm_world_say(struct hm_world_answer *ans, int status, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;
    hm_strbuf_init(&text, 10000);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "message", hm_strbuf_str(&text));
    hm_world_answer_json(ans, status, "application/json", body);
    hm_strbuf_done(&text);
}

bool hm_world_let_in(const json_t *config, const char *scheme, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const char *bearer = hm_json_get_str(config, "bearer", NULL);
    size_t n = strlen(scheme);
    if (bearer == NULL || (strncasecmp(req->authorization, scheme, n) == 0 && req->authorization[n] == ' ' &&
                           hm_streq(req->authorization + n + 1, bearer)))
        return true;
    hm_world_say(ans, 401, "Who are you?");
    return false;
}

json_t *hm_world_body_new(const struct hm_world_request *req, struct hm_world_answer *ans)
{
    if (strncasecmp(req->content_type, "application/json", strlen("application/json")) != 0) {
        hm_world_say(ans, 415, "Content-Type must be application/json");
        return NULL;
    }
    json_t *body = hm_json_parse_new(req->body, req->body_len, req->body_len, NULL);
    if (json_is_object(body))
        return body;
    json_decref(body);
    hm_world_say(ans, 400, "the body is no JSON object");
    return NULL;
}

json_t *hm_world_find(const json_t *list, const char *key, const char *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (hm_streq(hm_json_get_str(json_array_get(list, i), key, NULL), value))
            return json_array_get(list, i);
    return NULL;
}

json_t *hm_world_state_copy(const json_t *state, const char *const *lists)
{
    json_t *copy = state != NULL ? json_deep_copy(state) : hm_json_obj_new();
    if (hm_json_get_obj(copy, "config") == NULL)
        hm_json_set(copy, "config", hm_json_obj_new());
    for (; *lists != NULL; lists++)
        if (hm_json_get_arr(copy, *lists) == NULL)
            hm_json_set(copy, *lists, hm_json_arr_new());
    return copy;
}
