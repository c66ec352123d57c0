/* What the stand-ins have in common: see kit.h. */
#include "kit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

bool hm_kit_authorized(const json_t *config, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const char *bearer = hm_json_get_str(config, "bearer", NULL);
    if (bearer == NULL || (strncasecmp(req->authorization, "Bearer ", 7) == 0 && strcmp(req->authorization + 7, bearer) == 0))
        return true;
    hm_world_answer_text(ans, 401, "Who are you?\n");
    ans->headers = hm_xstrdup("WWW-Authenticate: Bearer\r\n");
    return false;
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Decoded; NULL when an escape is none. Caller frees. */
static char *decode(const char *s, size_t len)
{
    char *out = hm_xmalloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] != '%') {
            out[n++] = (char)(s[i] == '+' ? ' ' : s[i]);
            continue;
        }
        int high = i + 2 < len ? hex(s[i + 1]) : -1;
        int low = high >= 0 ? hex(s[i + 2]) : -1;
        if (low < 0) {
            free(out);
            return NULL;
        }
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    out[n] = '\0';
    return out;
}

json_t *hm_kit_form_new(const char *text, size_t len)
{
    json_t *form = hm_json_obj_new();
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '&', len - at);
        size_t part = end != NULL ? (size_t)(end - text) - at : len - at;
        const char *equals = memchr(text + at, '=', part);
        size_t name_len = equals != NULL ? (size_t)(equals - text) - at : part;
        char *name = decode(text + at, name_len);
        char *value = equals != NULL ? decode(equals + 1, part - name_len - 1) : hm_xstrdup("");
        bool ok = name != NULL && value != NULL;
        if (ok && name[0] != '\0')
            hm_json_set_str(form, name, value);
        free(value);
        free(name);
        if (!ok) {
            json_decref(form);
            return NULL;
        }
        at += part + 1;
    }
    return form;
}

int64_t hm_kit_time_ms(const char *text)
{
    struct tm tm;
    memset(&tm, 0, sizeof(tm));
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL)
        return -1;
    int64_t ms = 0;
    if (*rest == '.') {
        size_t digits = strspn(rest + 1, "0123456789");
        int64_t scale = 100;
        for (size_t i = 0; i < digits && scale > 0; i++, scale /= 10)
            ms += (rest[1 + i] - '0') * scale;
        rest += 1 + digits;
    }
    if (strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0)
        return -1;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

void hm_kit_refuse(struct hm_world_answer *ans, int status, const char *message)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "error", message);
    hm_world_answer_json(ans, status, "application/json", body);
}

/* ---- paths, queries, bodies -------------------------------------------------------------------------------- */

json_t *hm_kit_segments_new(const char *path)
{
    json_t *segments = hm_json_arr_new();
    while (*(path += strspn(path, "/")) != '\0') {
        size_t len = strcspn(path, "/");
        hm_json_add(segments, hm_json_strn_new(path, len));
        path += len;
    }
    return segments;
}

const char *hm_kit_segment(const json_t *segments, size_t i)
{
    const char *segment = json_string_value(json_array_get(segments, i));
    return segment != NULL ? segment : "";
}

bool hm_kit_path_is(const json_t *segments, const char *const *words)
{
    size_t n = 0;
    for (; words[n] != NULL; n++)
        if (!hm_streq(words[n], "*") && !hm_streq(words[n], hm_kit_segment(segments, n)))
            return false;
    return json_array_size(segments) == n;
}

char *hm_kit_query(const char *query, const char *name)
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

void hm_kit_say(struct hm_world_answer *ans, int status, const char *fmt, ...)
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

int64_t hm_kit_query_int(const char *query, const char *name)
{
    char *text = hm_kit_query(query, name);
    int64_t n = 0;
    if (text == NULL || !hm_parse_i64(text, 0, INT32_MAX, &n))
        n = 0;
    free(text);
    return n;
}

int64_t hm_kit_page_size(const json_t *config, const char *query, const char *name, int64_t usual)
{
    int64_t asked = hm_kit_query_int(query, name), most = hm_json_get_int(config, "page", INT32_MAX);
    int64_t size = asked > 0 ? asked : usual;
    return size < most ? size : most;
}

json_t *hm_kit_page_new(json_t *stolen_list, int64_t from, int64_t size, bool *ret_more)
{
    int64_t all = (int64_t)json_array_size(stolen_list);
    json_t *page = hm_json_arr_new();
    for (int64_t i = from; i < all && i < from + size; i++)
        hm_json_add(page, json_incref(json_array_get(stolen_list, (size_t)i)));
    *ret_more = from + size < all;
    json_decref(stolen_list);
    return page;
}

bool hm_kit_let_in(const json_t *config, const char *scheme, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const char *bearer = hm_json_get_str(config, "bearer", NULL);
    size_t n = strlen(scheme);
    if (bearer == NULL || (strncasecmp(req->authorization, scheme, n) == 0 && req->authorization[n] == ' ' &&
                           hm_streq(req->authorization + n + 1, bearer)))
        return true;
    hm_kit_say(ans, 401, "Who are you?");
    return false;
}

json_t *hm_kit_body_new(const struct hm_world_request *req, struct hm_world_answer *ans)
{
    if (strncasecmp(req->content_type, "application/json", strlen("application/json")) != 0) {
        hm_kit_say(ans, 415, "Content-Type must be application/json");
        return NULL;
    }
    json_t *body = hm_json_parse_new(req->body, req->body_len, req->body_len, NULL);
    if (json_is_object(body))
        return body;
    json_decref(body);
    hm_kit_say(ans, 400, "the body is no JSON object");
    return NULL;
}

json_t *hm_kit_find(const json_t *list, const char *key, const char *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (hm_streq(hm_json_get_str(json_array_get(list, i), key, NULL), value))
            return json_array_get(list, i);
    return NULL;
}

json_t *hm_kit_state_copy(const json_t *state, const char *const *lists)
{
    json_t *copy = state != NULL ? json_deep_copy(state) : hm_json_obj_new();
    if (hm_json_get_obj(copy, "config") == NULL)
        hm_json_set(copy, "config", hm_json_obj_new());
    for (; *lists != NULL; lists++)
        if (hm_json_get_arr(copy, *lists) == NULL)
            hm_json_set(copy, *lists, hm_json_arr_new());
    return copy;
}
