/* What the stand-ins have in common: see kit.h. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
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
            out[n++] = s[i] == '+' ? ' ' : s[i];
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
