/* Configured endpoints: see endpoint.h. */
#include "handlers/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { KEY_MAX = 60, PATH_MAX_LEN = 4000, BODY_MAX = 16000, NAME_MAX_LEN = 40, DEPTH_MAX = 10 };

static const char *setting(const struct hm_backend *backend, const char *what, const char *part)
{
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "%s_%s", what, part);
    return hm_json_get_str(backend->settings, key, "");
}

/* The value of {name…, its text into buf when it is a number; NULL when there is none of that name. */
static const char *value_of(const json_t *values, const char *name, size_t len, char buf[24])
{
    char key[NAME_MAX_LEN + 1];
    if (len == 0 || len > NAME_MAX_LEN)
        return NULL;
    (void)snprintf(key, sizeof key, "%.*s", (int)len, name);
    const json_t *value = json_object_get(values, key);
    if (json_is_integer(value)) {
        (void)snprintf(buf, 24, "%lld", (long long)json_integer_value(value));
        return buf;
    }
    return json_string_value(value);
}

/* text with its values in; encoded: for a URL. Caller frees; NULL with err set. */
static char *fill_in(const char *text, const json_t *values, bool encoded, size_t max, struct hm_err *err)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, max);
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        hm_strbuf_add(&out, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        size_t len = strcspn(text + 1, "}");
        char buf[24];
        const char *value = text[1 + len] == '}' ? value_of(values, text + 1, len, buf) : NULL;
        if (value == NULL) {
            (void)hm_err_set(err, HM_EENV, "there is no value for \"%.*s\"", (int)(len < NAME_MAX_LEN ? len + 2 : NAME_MAX_LEN),
                             text);
            hm_strbuf_done(&out);
            return NULL;
        }
        char *safe = encoded ? hm_url_encode(value) : hm_xstrdup(value);
        hm_strbuf_adds(&out, safe);
        free(safe);
        text += len + 2;
    }
    if (out.failed) {
        (void)hm_err_set(err, HM_EINVAL, "it gets longer than %zu bytes", max);
        hm_strbuf_done(&out);
        return NULL;
    }
    return hm_strbuf_take(&out);
}

/* A copy of the body in which every text has its values; a text that is one {name} alone becomes a number where the value is one.
 * NULL with err set. */
static json_t *body_new(const json_t *body, const json_t *values, int depth, struct hm_err *err)
{
    const char *text = json_string_value(body), *key = NULL;
    json_t *value = NULL, *copy = NULL;
    if (text != NULL) {
        size_t len = strlen(text);
        char *name = len > 2 && text[0] == '{' && text[len - 1] == '}' ? hm_xstrndup(text + 1, len - 2) : NULL;
        value = name != NULL ? json_object_get(values, name) : NULL;
        free(name);
        if (json_is_integer(value))
            return json_incref(value);
        char *filled = fill_in(text, values, false, BODY_MAX, err);
        copy = filled != NULL ? hm_json_str_new(filled) : NULL;
        free(filled);
        return copy;
    }
    if (!json_is_object(body) && !json_is_array(body))
        return json_incref(hm_unconst(body));
    if (depth == DEPTH_MAX) {
        (void)hm_err_set(err, HM_EENV, "it is nested too deep");
        return NULL;
    }
    copy = json_is_object(body) ? hm_json_obj_new() : hm_json_arr_new();
    json_object_foreach(hm_unconst(body), key, value)
    {
        json_t *inner = body_new(value, values, depth + 1, err);
        if (inner == NULL)
            break;
        hm_json_set(copy, key, inner);
    }
    for (size_t i = 0; i < json_array_size(body) && err->code == HM_OK; i++) {
        json_t *inner = body_new(json_array_get(body, i), values, depth + 1, err);
        if (inner != NULL)
            hm_json_add(copy, inner);
    }
    if (err->code == HM_OK)
        return copy;
    json_decref(copy);
    return NULL;
}

static bool is_method(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; i < HM_ARRAY_LEN(methods); i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

enum hm_code hm_endpoint_request(const struct hm_backend *backend, const struct hm_endpoint *endpoint, const json_t *values,
                                 struct hm_request *req, struct hm_err *err)
{
    const char *path = setting(backend, endpoint->what, "path"), *body = setting(backend, endpoint->what, "body");
    const char *method = setting(backend, endpoint->what, "method");
    if (path[0] == '\0')
        return hm_err_set(err, HM_EENV, "backend %s has no %s_path among its settings, so this must be done by hand: %s",
                          backend->name, endpoint->what, hm_json_get_str(backend->settings, "page", endpoint->by_hand));
    if (method[0] == '\0')
        method = endpoint->method;
    if (path[0] != '/' || !is_method(method))
        return hm_err_set(err, HM_EENV,
                          "backend %s: %s_path must begin with a slash, and %s_method be GET, POST, PUT, PATCH or DELETE",
                          backend->name, endpoint->what, endpoint->what);
    char *filled = fill_in(path, values, true, PATH_MAX_LEN, err);
    if (filled == NULL)
        return hm_err_wrap(err, "backend %s, %s_path", backend->name, endpoint->what);
    json_t *form = body[0] != '\0' ? hm_json_parse_new(body, strlen(body), BODY_MAX, err) : NULL;
    json_t *sent = form != NULL ? body_new(form, values, 0, err) : NULL;
    json_decref(form);
    if (body[0] != '\0' && sent == NULL) {
        free(filled);
        return hm_err_wrap(err, "backend %s, %s_body", backend->name, endpoint->what);
    }
    hm_request_begin(req, backend, method, "%s", filled);
    if (sent != NULL)
        hm_request_set_json(req, sent);
    else if (strcmp(method, "GET") != 0)
        hm_request_set_empty(req);
    free(filled);
    return HM_OK;
}
