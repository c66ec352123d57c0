/* Putting an earlier template, or another image, into a deployment.
 *
 * apps/v1 has no roll-back call: kubectl reads the ReplicaSet of the revision and patches its template in. We send the same patch
 * with one operation before it, a test of the generation: had somebody changed the deployment since it was read, nothing would
 * happen. (The generation counts changes of the spec; resourceVersion moves with every pod that becomes ready, and would spoil an
 * approval within seconds.) Both are HM_EFFECT_IDEMPOTENT: the same template again is no new revision, and the deployment itself
 * tells. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/kubernetes.h"

enum { IMAGE_MAX = 500 };

static const struct hm_arg_spec rollback_args[] = {
    {"namespace", HM_ARG_STRING, true, "the namespace"},
    {"name", HM_ARG_STRING, true, "the deployment's name"},
    {"template", HM_ARG_OBJECT, true, "the pod template to put back, as kubernetes.revision gives it"},
    {"generation", HM_ARG_INT, true, "of the deployment as it was read"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static json_t *operation_new(const char *op, const char *path, json_t *stolen_value)
{
    json_t *operation = hm_json_obj_new();
    hm_json_set_str(operation, "op", op);
    hm_json_set_str(operation, "path", path);
    hm_json_set(operation, "value", stolen_value);
    return operation;
}

/* As hm_request_set_json(), with a patch's own type. */
static void set_patch(struct hm_request *req, const char *type, json_t *stolen_patch)
{
    hm_request_add_header(req, "Content-Type", type);
    req->body = hm_json_text(stolen_patch);
    req->body_len = strlen(req->body);
    json_decref(stolen_patch);
}

static enum hm_code rollback_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    const json_t *template = hm_json_get_obj(args, "template");
    int64_t generation = hm_json_get_int(args, "generation", 0);
    (void)cursor;
    enum hm_code code = hm_kubernetes_check(args, err);
    if (code != HM_OK)
        return code;
    if (json_array_size(hm_json_get_arr(hm_json_get_obj(template, "spec"), "containers")) == 0)
        return hm_err_set(err, HM_EINVAL, "template: it has no containers, so it is no pod template");
    if (generation < 1)
        return hm_err_set(err, HM_EINVAL, "generation: it must be a whole number from 1 on");
    json_t *patch = hm_json_arr_new();
    hm_json_add(patch, operation_new("test", "/metadata/generation", json_integer(generation)));
    hm_json_add(patch, operation_new("replace", "/spec/template", json_deep_copy(template)));
    hm_kubernetes_begin(req, backend, args, "PATCH");
    hm_request_add_query(req, "fieldManager", "hausmeister");
    set_patch(req, "application/json-patch+json", patch);
    return HM_OK;
}

static enum hm_verdict patch_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_kubernetes_read(backend, args, true, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_kubernetes_deployment_new(json);
        if (out->result == NULL)
            verdict = hm_outcome_fail(out, HM_VERDICT_MAYBE,
                                      "Kubernetes's answer is not as expected: it is no deployment; it may have happened or not");
    }
    json_decref(json);
    return verdict;
}

static enum hm_code probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "namespace", hm_json_get_str(args, "namespace", ""));
    hm_json_set_str(*ret_args, "name", hm_json_get_str(args, "name", ""));
    return HM_OK;
}

/* The very template is there: that was us, or somebody who did the same. Another one with other images: not us. Another one with
 * the same images may be ours with defaults filled in. */
static enum hm_probe_says rollback_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    char digest[HM_SHA256_HEX];
    hm_kubernetes_template_digest(hm_json_get_obj(args, "template"), digest);
    if (hm_streq(hm_json_get_str(result, "template_digest", ""), digest))
        return HM_PROBE_APPLIED;
    json_t *wanted = hm_kubernetes_images_new(hm_json_get_obj(args, "template"));
    bool same = json_equal(wanted, hm_json_get_obj(result, "images")) != 0;
    json_decref(wanted);
    return same ? HM_PROBE_CANNOT_TELL : HM_PROBE_NOT_APPLIED;
}

static const struct hm_field_spec rollback_fields[] = {
    HM_KUBERNETES_DEPLOYMENT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_kubernetes_rollback = {
    .name = "kubernetes.rollback",
    .title = "Put an earlier template back into a deployment",
    .doc = "Nothing happens when the deployment was changed since it was read. The roll-out has only begun when it answers.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = rollback_args,
    .result = rollback_fields,
    .request = rollback_request,
    .response = patch_response,
    .probe_action = "kubernetes.deployment",
    .probe_args = probe_args,
    .probe_judge = rollback_probe_judge,
};

static const struct hm_arg_spec image_args[] = {
    {"namespace", HM_ARG_STRING, true, "the namespace"},
    {"name", HM_ARG_STRING, true, "the deployment's name"},
    {"container", HM_ARG_STRING, true, "the container's name"},
    {"image", HM_ARG_STRING, true, "the image with its tag or digest"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* registry/name:tag or name@sha256:…, and never without one of the two: that would be "latest". */
static bool image_ok(const char *image)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:@";
    size_t len = strlen(image);
    const char *slash = strrchr(image, '/');
    const char *last = slash != NULL ? slash + 1 : image;
    return len > 0 && len <= IMAGE_MAX && image[strspn(image, allowed)] == '\0' && strpbrk(last, ":@") != NULL &&
           strpbrk(last, ":@") != last && image[len - 1] != ':';
}

static enum hm_code image_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    const char *container = hm_json_get_str(args, "container", ""), *image = hm_json_get_str(args, "image", "");
    (void)cursor;
    enum hm_code code = hm_kubernetes_check(args, err);
    if (code != HM_OK)
        return code;
    if (!hm_kubernetes_name_ok(container))
        return hm_err_set(err, HM_EINVAL, "container: \"%.80s\" is no name that Kubernetes has", container);
    if (!image_ok(image))
        return hm_err_set(err, HM_EINVAL, "image: \"%.120s\" must be a name with a tag or a digest", image);
    json_t *patch =
        json_pack("{s:{s:{s:{s:[{s:s, s:s}]}}}}", "spec", "template", "spec", "containers", "name", container, "image", image);
    if (patch == NULL)
        return hm_err_set(err, HM_EINVAL, "container and image must be plain text");
    hm_kubernetes_begin(req, backend, args, "PATCH");
    hm_request_add_query(req, "fieldManager", "hausmeister");
    set_patch(req, "application/strategic-merge-patch+json", patch);
    return HM_OK;
}

static enum hm_probe_says image_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    const char *now = hm_json_get_str(hm_json_get_obj(result, "images"), hm_json_get_str(args, "container", ""), NULL);
    if (verdict != HM_VERDICT_OK || now == NULL)
        return HM_PROBE_CANNOT_TELL;
    return hm_streq(now, hm_json_get_str(args, "image", "")) ? HM_PROBE_APPLIED : HM_PROBE_NOT_APPLIED;
}

const struct hm_action hm_kubernetes_set_image = {
    .name = "kubernetes.set-image",
    .title = "Set a container's image in a deployment",
    .doc = "Only the image: what else changed between two versions (settings, volumes) stays. The roll-out has only begun when "
           "it answers.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = image_args,
    .result = rollback_fields,
    .request = image_request,
    .response = patch_response,
    .probe_action = "kubernetes.deployment",
    .probe_args = probe_args,
    .probe_judge = image_probe_judge,
};
