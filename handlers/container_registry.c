/* A container registry: tags of an image, and whether one of them is there.
 *
 * Tags come in no order and without dates, so "the latest" is nothing that can be asked; what a manifest's HEAD proves is that
 * the tag is there now.
 *
 * A page's successor stands in the Link header (distribution spec, "Listing Tags"). Registries differ in how they name the place
 * (last, next_page), so the link's query is taken as it is; its host and path are not. */
#include "handlers/container_registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { PAGE_SIZE = 500, PAGES_MAX = 20, TAG_MAX = 128, NAME_MAX_LEN = 255, QUERY_MAX = 2000 };

static const struct hm_arg_spec tags_args[] = {
    {"name", HM_ARG_STRING, true, "the image's name, without registry and tag: nu-itaipu"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* Path components of small letters and digits, separated by . _ - and / (distribution spec, "name"). */
static enum hm_code check_name(const json_t *args, struct hm_err *err)
{
    const char *name = hm_json_get_str(args, "name", "");
    size_t len = strlen(name);
    bool ok = len > 0 && len <= NAME_MAX_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-/") == len &&
              strchr("._-/", name[0]) == NULL && strchr("._-/", name[len - 1]) == NULL && strstr(name, "//") == NULL &&
              strstr(name, "..") == NULL;
    return ok ? HM_OK : hm_err_set(err, HM_EINVAL, "name: \"%.80s\" is no name of an image", name);
}

static bool tag_ok(const char *tag)
{
    size_t len = strlen(tag);
    return len > 0 && len <= TAG_MAX && tag[0] != '.' && tag[0] != '-' &&
           strspn(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static enum hm_code tags_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    const char *query = hm_json_get_str(cursor, "query", NULL), *name = hm_json_get_str(args, "name", "");
    enum hm_code code = check_name(args, err);
    if (code != HM_OK)
        return code;
    if (query != NULL)
        hm_request_begin(req, backend, "GET", "/v2/%s/tags/list?%s", name, query);
    else
        hm_request_begin(req, backend, "GET", "/v2/%s/tags/list?n=%d", name, (int)PAGE_SIZE);
    hm_request_add_header(req, "Accept", "application/json");
    return HM_OK;
}

/* The target of the link with rel="next" in a Link header (RFC 8288), or NULL. The caller frees. */
static char *next_link(const char *header)
{
    for (const char *at = strchr(header, '<'); at != NULL; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        if (end == NULL)
            return NULL;
        char *rest = hm_xstrndup(end, strcspn(end, "<"));
        bool is_next = strcasestr(rest, "rel=\"next\"") != NULL || strcasestr(rest, "rel=next") != NULL;
        free(rest);
        if (is_next)
            return hm_xstrndup(at + 1, (size_t)(end - at - 1));
    }
    return NULL;
}

/* The query of the link to the next page, /v2/NAME/tags/list?last=x&n=500; NULL when there is no such link, "" when there is one
 * that does not lead to this image's tags. The caller frees. */
static char *next_query(const struct hm_answer *answer, const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&+/:";
    char *header = hm_answer_header(answer, "Link"), *link = header != NULL ? next_link(header) : NULL, *query = NULL;
    if (link != NULL) {
        char *wanted = hm_xasprintf("/v2/%s/tags/list?", name);
        const char *at = strstr(link, wanted), *found = at != NULL ? at + strlen(wanted) : "";
        query = hm_xstrdup(strlen(found) <= QUERY_MAX && found[strspn(found, allowed)] == '\0' ? found : "");
        free(wanted);
    }
    free(link);
    free(header);
    return query;
}

/* Adds the page's tags to list; false when one of them is none: what can not be named here must not be thought missing. */
static bool gather(const json_t *tags, json_t *list)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag == NULL || !tag_ok(tag))
            return false;
        hm_json_add(list, hm_json_str_new(tag));
    }
    return true;
}

static enum hm_verdict after_page(const struct hm_http_asked *asked, const json_t *cursor, const char *query, json_t *list,
                                  struct hm_outcome *out)
{
    int64_t page = hm_json_get_int(cursor, "page", 1);
    if (query == NULL) {
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set(out->result, "tags", json_incref(list));
        return HM_VERDICT_OK;
    }
    if (query[0] == '\0' || hm_streq(query, hm_json_get_str(cursor, "query", NULL)))
        return hm_http_odd(asked, out, "the link to its next page leads elsewhere, or to the same page again");
    if (page >= PAGES_MAX)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "%s has more than %d pages of tags, and a part of a list is not taken for the whole", asked->thing,
                               (int)PAGES_MAX);
    out->cursor = hm_json_obj_new();
    hm_json_set_str(out->cursor, "query", query);
    hm_json_set_int(out->cursor, "page", page + 1);
    hm_json_set(out->cursor, "tags", json_incref(list));
    return HM_VERDICT_MORE;
}

static enum hm_verdict tags_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    const char *name = hm_json_get_str(args, "name", "");
    char *thing = hm_xasprintf("image %s", name);
    const struct hm_http_asked asked = {.backend = backend, .system = "the registry", .thing = thing};
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        const json_t *tags = hm_json_get_arr(json, "tags");
        json_t *list = cursor != NULL ? json_deep_copy(hm_json_get_arr(cursor, "tags")) : hm_json_arr_new();
        char *query = next_query(answer, name);
        if (tags == NULL && !json_is_null(json_object_get(json, "tags")))
            verdict = hm_http_odd(&asked, out, "it has no list of tags");
        else if (!gather(tags, list))
            verdict = hm_http_odd(&asked, out, "something in its list is no tag");
        else
            verdict = after_page(&asked, cursor, query, list, out);
        free(query);
        json_decref(list);
    }
    free(thing);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec tags_fields[] = {
    {"tags", HM_FIELD_LIST, true, "in no order that means anything", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action tags_action = {
    .name = "registry.tags",
    .title = "List an image's tags",
    .doc = "All of them; more than 20 pages are an error.",
    .effect = HM_EFFECT_READ,
    .args = tags_args,
    .result = tags_fields,
    .request = tags_request,
    .response = tags_response,
};

static const struct hm_arg_spec tag_args[] = {
    {"name", HM_ARG_STRING, true, "the image's name, without registry and tag"},
    {"tag", HM_ARG_STRING, true, "the tag"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code tag_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    const char *tag = hm_json_get_str(args, "tag", "");
    (void)cursor;
    enum hm_code code = check_name(args, err);
    if (code != HM_OK)
        return code;
    if (!tag_ok(tag))
        return hm_err_set(err, HM_EINVAL, "tag: \"%.80s\" is no tag of an image", tag);
    hm_request_begin(req, backend, "HEAD", "/v2/%s/manifests/%s", hm_json_get_str(args, "name", ""), tag);
    hm_request_add_header(req, "Accept",
                          "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
                          "application/vnd.docker.distribution.manifest.list.v2+json, "
                          "application/vnd.docker.distribution.manifest.v2+json");
    return HM_OK;
}

static enum hm_verdict tag_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    char *thing = hm_xasprintf("tag %s of image %s", hm_json_get_str(args, "tag", ""), hm_json_get_str(args, "name", ""));
    const struct hm_http_asked asked = {.backend = backend, .system = "the registry", .thing = thing};
    enum hm_verdict verdict = hm_http_judge(&asked, answer, out);
    char *digest = hm_answer_header(answer, "Docker-Content-Digest");
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "tag", hm_json_get_str(args, "tag", ""));
        hm_json_set_str(out->result, "digest", digest);
    }
    free(digest);
    free(thing);
    return verdict;
}

static const struct hm_field_spec tag_fields[] = {
    {"tag", HM_FIELD_TEXT, true, "the tag", NULL},
    {"digest", HM_FIELD_TEXT, false, "its digest; null when the registry does not say", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action tag_action = {
    .name = "registry.tag",
    .title = "See whether an image has a tag",
    .doc = "Not found when there is no such tag.",
    .effect = HM_EFFECT_READ,
    .args = tag_args,
    .result = tag_fields,
    .request = tag_request,
    .response = tag_response,
};

static const struct hm_action *const actions[] = {&tags_action, &tag_action, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_container_registry_handler = {
    .name = "registry",
    .title = "A container registry",
    .actions = actions,
    .settings = settings,
};
