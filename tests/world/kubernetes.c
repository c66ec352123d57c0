/* Kubernetes: deployments with their ReplicaSets, and the two patches that change one.
 *
 * Putting a known template back takes its ReplicaSet over under a new revision, as the controller does; a new one makes another.
 * The roll-out is complete once the deployment has been read `config.reads_until_done` times (default 2); with "stuck": true in
 * the deployment it runs into its deadline instead. Strict: content types of patches, the `test` operation (422 when it fails),
 * unknown fields of a patch.
 *
 * State: {"config": {"bearer", "reads_until_done", "page": most items of a list at once}, "deployments": [{"namespace", "name",
 * "labels", "paused", "replicas", "generation", "revision", "left", "stuck", "revisions": [{"revision", "created",
 * "template"}]}]}; the template of the deployment is that of its `revision`. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

static void *k8s_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"deployments", NULL};
    (void)err;
    return hm_kit_state_copy(state, lists);
}

static void k8s_free(void *system)
{
    json_decref(system);
}

static json_t *k8s_state(void *system)
{
    return json_deep_copy(system);
}

static void refuse(struct hm_world_answer *ans, int status, const char *reason, const char *message)
{
    hm_world_answer_json(ans, status, "application/json",
                         json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "kind", "Status", "apiVersion", "v1", "status", "Failure",
                                   "reason", reason, "message", message, "code", status));
}

/* A page of a list: `limit` items from where `continue` says, which is only the number of those before. */
static void answer_list(const json_t *g, const char *kind, json_t *stolen_items, const struct hm_world_request *req,
                        struct hm_world_answer *ans)
{
    int64_t from = hm_kit_query_int(req->query, "continue");
    int64_t size = hm_kit_page_size(hm_json_get_obj(g, "config"), req->query, "limit", INT32_MAX);
    bool more = false;
    json_t *items = hm_kit_page_new(stolen_items, from, size, &more), *metadata = hm_json_obj_new();
    if (more)
        hm_json_set(metadata, "continue", json_sprintf("%jd", (intmax_t)from + size));
    hm_world_answer_json(ans, 200, "application/json",
                         json_pack("{s:s, s:o, s:o}", "kind", kind, "metadata", metadata, "items", items));
}

static json_t *revision_of(const json_t *deployment, int64_t number)
{
    const json_t *revisions = hm_json_get_arr(deployment, "revisions");
    for (size_t i = 0; i < json_array_size(revisions); i++)
        if (hm_json_get_int(json_array_get(revisions, i), "revision", 0) == number)
            return json_array_get(revisions, i);
    return NULL;
}

static json_t *template_of(const json_t *deployment)
{
    return hm_json_get_obj(revision_of(deployment, hm_json_get_int(deployment, "revision", 0)), "template");
}

static json_t *annotation_new(int64_t revision)
{
    return json_pack("{s:o}", "deployment.kubernetes.io/revision", json_sprintf("%lld", (long long)revision));
}

static json_t *show_new(const json_t *d)
{
    int64_t replicas = hm_json_get_int(d, "replicas", 2), left = hm_json_get_int(d, "left", 0);
    bool stuck = left > 0 && hm_json_get_bool(d, "stuck", false);
    int64_t ready = left > 0 ? replicas - 1 : replicas;
    json_t *metadata = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:O?}", "name", hm_json_get_str(d, "name", ""), "namespace",
                                 hm_json_get_str(d, "namespace", ""), "uid", hm_json_get_str(d, "name", ""), "generation",
                                 (json_int_t)hm_json_get_int(d, "generation", 1), "resourceVersion", "4711", "annotations",
                                 annotation_new(hm_json_get_int(d, "revision", 0)), "labels", hm_json_get_obj(d, "labels"));
    json_t *spec =
        json_pack("{s:I, s:b, s:{s:O}, s:O}", "replicas", (json_int_t)replicas, "paused", hm_json_get_bool(d, "paused", false),
                  "selector", "matchLabels", hm_json_get_obj(d, "labels"), "template", template_of(d));
    json_t *status =
        json_pack("{s:I, s:I, s:I, s:I, s:[{s:s, s:s, s:s}]}", "observedGeneration",
                  (json_int_t)hm_json_get_int(d, "generation", 1), "replicas", (json_int_t)replicas, "updatedReplicas",
                  (json_int_t)ready, "availableReplicas", (json_int_t)ready, "conditions", "type", "Progressing", "status",
                  stuck ? "False" : "True", "reason", stuck ? "ProgressDeadlineExceeded" : "NewReplicaSetAvailable");
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "kind", "Deployment", "apiVersion", "apps/v1", "metadata", metadata, "spec",
                     spec, "status", status);
}

static bool has_labels(const json_t *d, const char *selector)
{
    const char *equals = selector != NULL ? strchr(selector, '=') : NULL;
    if (equals == NULL) /* none, or a label's name: it is there */
        return selector == NULL || json_object_get(hm_json_get_obj(d, "labels"), selector) != NULL;
    char *key = hm_xstrndup(selector, (size_t)(equals - selector));
    bool has = hm_streq(hm_json_get_str(hm_json_get_obj(d, "labels"), key, NULL), equals + 1);
    free(key);
    return has;
}

static void show_sets(const json_t *g, const char *namespace, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const json_t *deployments = hm_json_get_arr(g, "deployments");
    char *selector = hm_kit_query(req->query, "labelSelector");
    json_t *items = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(deployments); i++) {
        const json_t *d = json_array_get(deployments, i);
        const json_t *revisions = hm_json_get_arr(d, "revisions");
        bool fits = hm_streq(hm_json_get_str(d, "namespace", ""), namespace) && has_labels(d, selector);
        for (size_t r = 0; fits && r < json_array_size(revisions); r++) {
            const json_t *one = json_array_get(revisions, r);
            json_t *template = json_deep_copy(hm_json_get_obj(one, "template"));
            json_t *labels = hm_json_get_obj(hm_json_get_obj(template, "metadata"), "labels");
            char *hash = hm_xasprintf("h%zu", r);
            if (labels != NULL)
                hm_json_set_str(labels, "pod-template-hash", hash);
            free(hash);
            hm_json_add(items, json_pack("{s:{s:s, s:o, s:[{s:s, s:s}]}, s:{s:o}}", "metadata", "creationTimestamp",
                                         hm_json_get_str(one, "created", ""), "annotations",
                                         annotation_new(hm_json_get_int(one, "revision", 0)), "ownerReferences", "kind",
                                         "Deployment", "uid", hm_json_get_str(d, "name", ""), "spec", "template", template));
        }
    }
    free(selector);
    answer_list(g, "ReplicaSetList", items, req, ans);
}

static void show_deployments(const json_t *g, const char *namespace, const struct hm_world_request *req,
                             struct hm_world_answer *ans)
{
    const json_t *deployments = hm_json_get_arr(g, "deployments");
    char *selector = hm_kit_query(req->query, "labelSelector");
    json_t *items = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(deployments); i++) {
        const json_t *d = json_array_get(deployments, i);
        if (hm_streq(hm_json_get_str(d, "namespace", ""), namespace) && has_labels(d, selector))
            hm_json_add(items, show_new(d));
    }
    free(selector);
    answer_list(g, "DeploymentList", items, req, ans);
}

/* Makes this template the deployment's. True when that is a change. */
static bool put_template(const json_t *g, json_t *d, const json_t *template)
{
    json_t *revisions = hm_json_get_arr(d, "revisions");
    int64_t newest = 0;
    json_t *same = NULL;
    if (json_equal(template, template_of(d)))
        return false;
    for (size_t i = 0; i < json_array_size(revisions); i++) {
        json_t *one = json_array_get(revisions, i);
        if (hm_json_get_int(one, "revision", 0) > newest)
            newest = hm_json_get_int(one, "revision", 0);
        if (json_equal(template, hm_json_get_obj(one, "template")))
            same = one;
    }
    if (same != NULL)
        hm_json_set_int(same, "revision", newest + 1);
    else
        hm_json_add(revisions, json_pack("{s:I, s:s, s:o}", "revision", (json_int_t)newest + 1, "created", "2026-11-28T12:00:00Z",
                                         "template", json_deep_copy(template)));
    hm_json_set_int(d, "revision", newest + 1);
    hm_json_set_int(d, "generation", hm_json_get_int(d, "generation", 1) + 1);
    hm_json_set_int(d, "left", hm_json_get_int(hm_json_get_obj(g, "config"), "reads_until_done", 2) + 1);
    return true;
}

/* RFC 6902, as far as a roll-back needs it. The new template (borrowed from patch), or NULL with the request answered. */
static const json_t *json_patch(const json_t *d, const json_t *patch, struct hm_world_answer *ans)
{
    const json_t *template = NULL;
    for (size_t i = 0; i < json_array_size(patch); i++) {
        const json_t *operation = json_array_get(patch, i), *value = json_object_get(operation, "value");
        const char *op = hm_json_get_str(operation, "op", ""), *path = hm_json_get_str(operation, "path", "");
        if (hm_streq(op, "test") && hm_streq(path, "/metadata/generation")) {
            if (json_integer_value(value) != hm_json_get_int(d, "generation", 1)) {
                refuse(ans, 422, "Invalid", "the server rejected our request due to an error in our request");
                return NULL;
            }
        } else if (hm_streq(op, "replace") && hm_streq(path, "/spec/template") && json_is_object(value)) {
            template = value;
        } else {
            refuse(ans, 422, "Invalid", "that operation is not known here");
            return NULL;
        }
    }
    if (template == NULL)
        refuse(ans, 422, "Invalid", "nothing is replaced");
    return template;
}

/* spec.template.spec.containers[].image, merged by name. A new template, or NULL with the request answered. */
static json_t *merge_patch(const json_t *d, const json_t *patch, struct hm_world_answer *ans)
{
    const json_t *given = hm_json_get_path(patch, "spec.template.spec.containers");
    json_t *template = json_deep_copy(template_of(d));
    json_t *containers = hm_json_get_path(template, "spec.containers");
    for (size_t i = 0; i < json_array_size(given); i++) {
        const json_t *one = json_array_get(given, i);
        json_t *container = hm_kit_find(containers, "name", hm_json_get_str(one, "name", ""));
        if (container != NULL && hm_json_get_str(one, "image", NULL) != NULL) {
            hm_json_set_str(container, "image", hm_json_get_str(one, "image", ""));
            continue;
        }
        json_decref(template);
        refuse(ans, 422, "Invalid", "spec.template.spec.containers: a new container needs more than that");
        return NULL;
    }
    if (json_array_size(given) > 0)
        return template;
    json_decref(template);
    refuse(ans, 400, "BadRequest", "nothing is patched");
    return NULL;
}

static void patch_deployment(const json_t *g, json_t *d, struct hm_world *world, const struct hm_world_request *req,
                             struct hm_world_answer *ans)
{
    json_t *patch = hm_json_parse_new(req->body, req->body_len, req->body_len, NULL), *template = NULL;
    if (strcasecmp(req->content_type, "application/json-patch+json") == 0 && json_is_array(patch))
        template = json_incref(hm_unconst(json_patch(d, patch, ans)));
    else if (strcasecmp(req->content_type, "application/strategic-merge-patch+json") == 0 && json_is_object(patch))
        template = merge_patch(d, patch, ans);
    else
        refuse(ans, 415, "UnsupportedMediaType", "the body of the request was in an unknown format");
    if (template != NULL) {
        bool changed = put_template(g, d, template);
        hm_world_count_effect(world, "kubernetes patch", hm_json_get_str(d, "name", ""), changed);
        hm_world_answer_json(ans, 200, "application/json", show_new(d));
    }
    json_decref(template);
    json_decref(patch);
}

static void k8s_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char *const deployment[] = {"apis", "apps", "v1", "namespaces", "*", "deployments", "*", NULL};
    static const char *const all[] = {"apis", "apps", "v1", "namespaces", "*", "deployments", NULL};
    static const char *const sets[] = {"apis", "apps", "v1", "namespaces", "*", "replicasets", NULL};
    json_t *g = system, *segments = hm_kit_segments_new(req->path);
    json_t *d = hm_kit_find(hm_json_get_arr(g, "deployments"), "name", hm_kit_segment(segments, 6));
    if (!hm_kit_let_in(hm_json_get_obj(g, "config"), "Bearer", req, ans)) {
        /* answered */
    } else if (hm_kit_path_is(segments, sets) && hm_streq(req->method, "GET")) {
        show_sets(g, hm_kit_segment(segments, 4), req, ans);
    } else if (hm_kit_path_is(segments, all) && hm_streq(req->method, "GET")) {
        show_deployments(g, hm_kit_segment(segments, 4), req, ans);
    } else if (!hm_kit_path_is(segments, deployment) || d == NULL ||
               !hm_streq(hm_json_get_str(d, "namespace", ""), hm_kit_segment(segments, 4))) {
        refuse(ans, 404, "NotFound", "deployments.apps not found");
    } else if (hm_streq(req->method, "GET")) {
        hm_world_answer_json(ans, 200, "application/json", show_new(d));
        if (hm_json_get_int(d, "left", 0) > 0 && !hm_json_get_bool(d, "stuck", false))
            hm_json_set_int(d, "left", hm_json_get_int(d, "left", 0) - 1);
    } else if (hm_streq(req->method, "PATCH")) {
        patch_deployment(g, d, world, req, ans);
    } else {
        refuse(ans, 405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    }
    json_decref(segments);
}

const struct hm_world_system hm_world_kubernetes = {
    .name = "kubernetes", .new = k8s_new, .free = k8s_free, .state_new = k8s_state, .handle = k8s_handle};
