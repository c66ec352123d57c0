/* A container registry: tags of images, in pages, and HEAD of a manifest. Strict: Accept of a manifest, errors as the
 * distribution spec has them.
 *
 * State: {"config": {"bearer", "page": most tags at once}, "images": [{"name", "tags": [text]}]}. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

static void *registry_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"images", NULL};
    (void)err;
    return hm_kit_state_copy(state, lists);
}

static void registry_free(void *system)
{
    json_decref(system);
}

static json_t *registry_state(void *system)
{
    return json_deep_copy(system);
}

static void refuse(struct hm_world_answer *ans, int status, const char *code, const char *message)
{
    hm_world_answer_json(ans, status, "application/json",
                         json_pack("{s:[{s:s, s:s}]}", "errors", "code", code, "message", message));
}

/* At most n tags after `last`, in the order of the state. */
static void list_tags(const json_t *config, const json_t *image, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const json_t *tags = hm_json_get_arr(image, "tags");
    char *last = hm_kit_query(req->query, "last"), *next = NULL;
    json_t *page = hm_json_arr_new();
    int64_t n = hm_kit_page_size(config, req->query, "n", 100);
    bool started = last == NULL, more = false;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (started && json_array_size(page) == (size_t)n) {
            more = true;
            break;
        }
        if (started)
            hm_json_add(page, hm_json_str_new(tag));
        started = started || hm_streq(tag, last);
    }
    if (more)
        next = hm_xasprintf("Link: </v2/%s/tags/list?last=%s&n=%lld>; rel=\"next\"\r\n", hm_json_get_str(image, "name", ""),
                            json_string_value(json_array_get(page, json_array_size(page) - 1)), (long long)n);
    hm_world_answer_json(ans, 200, "application/json",
                         json_pack("{s:s, s:o}", "name", hm_json_get_str(image, "name", ""), "tags", page));
    ans->headers = next;
    free(last);
}

static void head_manifest(const json_t *image, const char *tag, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const json_t *tags = hm_json_get_arr(image, "tags");
    char digest[HM_SHA256_HEX];
    for (size_t i = 0; i < json_array_size(tags); i++) {
        if (!hm_streq(json_string_value(json_array_get(tags, i)), tag))
            continue;
        if (strstr(req->accept, "application/vnd.oci.image.manifest.v1+json") == NULL) {
            refuse(ans, 404, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support OCI manifests");
            return;
        }
        hm_sha256_hex(tag, strlen(tag), digest);
        hm_world_answer_text(ans, 200, "%s", "");
        ans->headers = hm_xasprintf("Docker-Content-Digest: sha256:%s\r\n", digest);
        return;
    }
    refuse(ans, 404, "MANIFEST_UNKNOWN", "manifest unknown");
}

static void registry_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *r = system, *segments = hm_kit_segments_new(req->path);
    size_t n = json_array_size(segments);
    const char *what = hm_kit_segment(segments, n >= 2 ? n - 2 : 0), *last = hm_kit_segment(segments, n >= 1 ? n - 1 : 0);
    char *name = hm_xstrdup("");
    (void)world;
    for (size_t i = 1; i + 2 < n; i++) {
        char *longer = hm_xasprintf("%s%s%s", name, i > 1 ? "/" : "", hm_kit_segment(segments, i));
        free(name);
        name = longer;
    }
    const json_t *image = hm_kit_find(hm_json_get_arr(r, "images"), "name", name);
    if (!hm_kit_let_in(hm_json_get_obj(r, "config"), "Bearer", req, ans)) {
        /* answered */
    } else if (!hm_streq(hm_kit_segment(segments, 0), "v2") || image == NULL) {
        refuse(ans, 404, "NAME_UNKNOWN", "repository name not known to registry");
    } else if (hm_streq(what, "tags") && hm_streq(last, "list") && hm_streq(req->method, "GET")) {
        list_tags(hm_json_get_obj(r, "config"), image, req, ans);
    } else if (hm_streq(what, "manifests") && hm_streq(req->method, "HEAD")) {
        head_manifest(image, last, req, ans);
    } else {
        refuse(ans, 405, "UNSUPPORTED", "The operation is unsupported.");
    }
    free(name);
    json_decref(segments);
}

const struct hm_world_system hm_world_container_registry = {
    .name = "registry", .new = registry_new, .free = registry_free, .state_new = registry_state, .handle = registry_handle};
