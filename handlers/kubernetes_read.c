/* A deployment, how far its roll-out is, and its revisions.
 *
 * A revision is a ReplicaSet that the deployment owns, with the annotation deployment.kubernetes.io/revision; its template is
 * what `kubectl rollout undo` puts back. When a roll-out is done or has failed is told by the rules of `kubectl rollout status`.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/kubernetes.h"

#define REVISION   "deployment.kubernetes.io/revision"
#define HASH_LABEL "pod-template-hash"

enum { PAGE_SIZE = 100, PAGES_MAX = 10, SELECTOR_MAX = 2000 };

static const struct hm_arg_spec deployment_args[] = {
    {"namespace", HM_ARG_STRING, true, "the namespace"},
    {"name", HM_ARG_STRING, true, "the deployment's name"},
    {NULL, HM_ARG_STRING, false, NULL},
};

json_t *hm_kubernetes_images_new(const json_t *template)
{
    const json_t *containers = hm_json_get_arr(hm_json_get_obj(template, "spec"), "containers");
    json_t *images = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(containers); i++) {
        const json_t *one = json_array_get(containers, i);
        const char *name = hm_json_get_str(one, "name", NULL);
        if (name != NULL)
            hm_json_set_str(images, name, hm_json_get_str(one, "image", ""));
    }
    return images;
}

static int64_t revision_of(const json_t *object)
{
    const char *text = hm_json_get_str(hm_json_get_obj(hm_json_get_obj(object, "metadata"), "annotations"), REVISION, "");
    int64_t n = 0;
    return hm_parse_i64(text, 1, INT32_MAX, &n) ? n : 0;
}

/* The first container's image, or all of them "name=image". The caller frees. */
static char *image_text(const json_t *images)
{
    struct hm_strbuf text;
    const char *name = NULL;
    const json_t *image = NULL;
    hm_strbuf_init(&text, 1000);
    json_object_foreach(hm_unconst(images), name, image)
    {
        if (json_object_size(images) == 1)
            hm_strbuf_adds(&text, json_string_value(image));
        else
            hm_strbuf_addf(&text, "%s%s=%s", text.len > 0 ? ", " : "", name, json_string_value(image));
    }
    return hm_strbuf_take(&text);
}

/* The template without the label that the controller added. New reference. */
static json_t *plain_template_new(const json_t *template)
{
    json_t *copy = json_deep_copy(template);
    json_t *labels = hm_json_get_obj(hm_json_get_obj(copy, "metadata"), "labels");
    (void)json_object_del(labels, HASH_LABEL);
    return copy;
}

/* The reason of the condition Progressing, "" when there is none. */
static const char *progress_reason(const json_t *status)
{
    const json_t *conditions = hm_json_get_arr(status, "conditions");
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *one = json_array_get(conditions, i);
        if (hm_streq(hm_json_get_str(one, "type", ""), "Progressing"))
            return hm_json_get_str(one, "reason", "");
    }
    return "";
}

json_t *hm_kubernetes_deployment_new(const json_t *deployment)
{
    const json_t *metadata = hm_json_get_obj(deployment, "metadata"), *spec = hm_json_get_obj(deployment, "spec");
    const json_t *status = hm_json_get_obj(deployment, "status"), *template = hm_json_get_obj(spec, "template");
    const char *name = hm_json_get_str(metadata, "name", NULL);
    if (name == NULL || template == NULL || hm_json_get_int(metadata, "generation", 0) < 1)
        return NULL;
    int64_t wanted = hm_json_get_int(spec, "replicas", 1), updated = hm_json_get_int(status, "updatedReplicas", 0);
    int64_t there = hm_json_get_int(status, "replicas", 0), available = hm_json_get_int(status, "availableReplicas", 0);
    bool observed = hm_json_get_int(metadata, "generation", 0) <= hm_json_get_int(status, "observedGeneration", -1);
    bool failed = hm_streq(progress_reason(status), "ProgressDeadlineExceeded");
    json_t *out = hm_json_obj_new(), *images = hm_kubernetes_images_new(template);
    char *image = image_text(images);
    char digest[HM_SHA256_HEX];
    hm_kubernetes_template_digest(template, digest);
    hm_json_set_str(out, "name", name);
    hm_json_set_str(out, "namespace", hm_json_get_str(metadata, "namespace", ""));
    hm_json_set_str(out, "image", image);
    hm_json_set(out, "images", images);
    hm_json_set_int(out, "revision", revision_of(deployment));
    hm_json_set_int(out, "generation", hm_json_get_int(metadata, "generation", 0));
    hm_json_set_str(out, "template_digest", digest);
    hm_json_set_bool(out, "paused", hm_json_get_bool(spec, "paused", false));
    hm_json_set_int(out, "replicas", wanted);
    hm_json_set_int(out, "updated", updated);
    hm_json_set_int(out, "available", available);
    hm_json_set_bool(out, "done", observed && !failed && updated >= wanted && there <= updated && available >= updated);
    hm_json_set_bool(out, "failed", observed && failed);
    free(image);
    return out;
}

void hm_kubernetes_template_digest(const json_t *template, char ret_hex[HM_SHA256_HEX])
{
    json_t *plain = plain_template_new(template);
    char *text = hm_json_text(plain);
    hm_sha256_hex(text, strlen(text), ret_hex);
    free(text);
    json_decref(plain);
}

static enum hm_code deployment_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = hm_kubernetes_check(args, err);
    if (code == HM_OK)
        hm_kubernetes_begin(req, backend, args, "GET");
    return code;
}

/* The raw deployment, checked to be the one that was asked for. */
static enum hm_verdict read_deployment(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                       json_t **ret_json, struct hm_outcome *out)
{
    enum hm_verdict verdict = hm_kubernetes_read(backend, args, false, answer, ret_json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *metadata = hm_json_get_obj(*ret_json, "metadata");
    if (hm_streq(hm_json_get_str(metadata, "name", NULL), hm_json_get_str(args, "name", "")) &&
        hm_json_get_obj(hm_json_get_obj(*ret_json, "spec"), "template") != NULL &&
        hm_json_get_int(metadata, "generation", 0) >= 1)
        return HM_VERDICT_OK;
    json_decref(*ret_json);
    *ret_json = NULL;
    return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Kubernetes's answer is not as expected: it is not that deployment");
}

static enum hm_verdict deployment_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_deployment(backend, args, answer, &json, out);
    if (verdict == HM_VERDICT_OK)
        out->result = hm_kubernetes_deployment_new(json);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec deployment_fields[] = {
    HM_KUBERNETES_DEPLOYMENT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_kubernetes_deployment = {
    .name = "kubernetes.deployment",
    .title = "Read a deployment",
    .effect = HM_EFFECT_READ,
    .args = deployment_args,
    .result = deployment_fields,
    .request = deployment_request,
    .response = deployment_response,
};

/* --- kubernetes.deployments ------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec deployments_args[] = {
    {"namespace", HM_ARG_STRING, true, "the namespace"},
    {"label", HM_ARG_STRING, true, "a label that they have: name=value, or its name alone"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* prefix/name or prefix/name=value of the characters that labels have; an empty selector would mean every deployment. */
static bool label_ok(const char *label)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
    size_t key = strspn(label, allowed);
    size_t value = label[key] == '=' ? strspn(label + key + 1, allowed) : 0;
    bool whole = label[key] == '\0' || (value > 0 && label[key + 1 + value] == '\0');
    return key > 0 && whole && strlen(label) <= 400;
}

static enum hm_code deployments_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        struct hm_request *req, struct hm_err *err)
{
    const char *namespace = hm_json_get_str(args, "namespace", ""), *label = hm_json_get_str(args, "label", "");
    if (!hm_kubernetes_name_ok(namespace))
        return hm_err_set(err, HM_EINVAL, "namespace: \"%.80s\" is no name that Kubernetes has", namespace);
    if (!label_ok(label))
        return hm_err_set(err, HM_EINVAL, "label: \"%.80s\" is neither name=value nor a name", label);
    hm_request_begin(req, backend, "GET", "/apis/apps/v1/namespaces/%s/deployments?limit=%d", namespace, (int)PAGE_SIZE);
    hm_request_add_query(req, "labelSelector", label);
    hm_request_add_query(req, "continue", hm_json_get_str(cursor, "continue", NULL));
    hm_request_add_header(req, "Accept", "application/json");
    return HM_OK;
}

/* What follows a page of a list that came well. OK: it was the last. MORE: *ret_cursor, a copy of cursor, is for the next one.
 * A list with no end to be seen is an error, never a shorter list: what is not in it would be taken for not being there. */
static enum hm_verdict after_page(const json_t *json, const json_t *cursor, json_t **ret_cursor, struct hm_outcome *out)
{
    const char *more = hm_json_get_str(hm_json_get_obj(json, "metadata"), "continue", "");
    int64_t page = hm_json_get_int(cursor, "page", 1);
    *ret_cursor = NULL;
    if (more[0] == '\0')
        return HM_VERDICT_OK;
    if (page >= PAGES_MAX)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "Kubernetes has more than %d of them, and a part of a list is not taken for the whole",
                               (int)PAGES_MAX * (int)PAGE_SIZE);
    *ret_cursor = cursor != NULL ? json_deep_copy(cursor) : hm_json_obj_new();
    hm_json_set_str(*ret_cursor, "continue", more);
    hm_json_set_int(*ret_cursor, "page", page + 1);
    return HM_VERDICT_MORE;
}

/* 410: the place in the list is forgotten after some minutes ("Expired"). Nothing is wrong; the list is read anew. */
static bool is_expired(const json_t *cursor, const struct hm_answer *answer, enum hm_verdict *ret_verdict, struct hm_outcome *out)
{
    if (answer->status != 410 || hm_json_get_str(cursor, "continue", NULL) == NULL)
        return false;
    *ret_verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE,
                                   "Kubernetes has forgotten where the list goes on (HTTP 410); it is read from its beginning");
    return true;
}

/* One of the list, with what its label says, "" when that is not told. NULL when it is none. New reference. */
static json_t *listed_new(const json_t *deployment, const char *label)
{
    json_t *one = hm_kubernetes_deployment_new(deployment);
    char *name = hm_xstrndup(label, strcspn(label, "="));
    const json_t *labels = hm_json_get_obj(hm_json_get_obj(deployment, "metadata"), "labels");
    if (one != NULL)
        hm_json_set_str(one, "label", hm_json_get_str(labels, name, ""));
    free(name);
    return one;
}

/* Adds the page's deployments to list; false when one of them is none. */
static bool gather_deployments(const json_t *items, const char *label, json_t *list)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *deployment = listed_new(json_array_get(items, i), label);
        if (deployment == NULL)
            return false;
        hm_json_add(list, deployment);
    }
    return true;
}

/* All names, and a line for each with its image and revision: where a person chooses one, the others are to be named too. */
static void add_names(const json_t *list, json_t *result)
{
    enum { LINES_MAX = 8, LINE_MAX_BYTES = 600 };
    struct hm_strbuf text;
    json_t *names = hm_json_arr_new();
    hm_strbuf_init(&text, (LINES_MAX + 1) * (size_t)LINE_MAX_BYTES);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *deployment = json_array_get(list, i);
        const char *name = hm_json_get_str(deployment, "name", "");
        hm_json_add(names, hm_json_str_new(name));
        if (i < LINES_MAX)
            hm_strbuf_addf(&text, "%s%.253s: %.255s (revision %lld)", i > 0 ? "\n" : "", name,
                           hm_json_get_str(deployment, "image", ""), (long long)hm_json_get_int(deployment, "revision", 0));
    }
    if (json_array_size(list) > LINES_MAX)
        hm_strbuf_addf(&text, "\n… and %zu more", json_array_size(list) - LINES_MAX);
    hm_json_set(result, "names", names);
    hm_json_set_str(result, "text", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
}

static enum hm_verdict deployments_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                            const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Kubernetes"};
    enum hm_verdict verdict = HM_VERDICT_OK;
    json_t *json = NULL, *next = NULL;
    if (is_expired(cursor, answer, &verdict, out))
        return verdict;
    verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *items = hm_json_get_arr(json, "items");
    json_t *list = cursor != NULL ? json_deep_copy(hm_json_get_arr(cursor, "list")) : hm_json_arr_new();
    if (items == NULL)
        verdict = hm_http_odd(&asked, out, "it has no list of items");
    else if (!gather_deployments(items, hm_json_get_str(args, "label", ""), list))
        verdict = hm_http_odd(&asked, out, "one of the items is no deployment");
    else
        verdict = after_page(json, cursor, &next, out);
    if (verdict == HM_VERDICT_MORE) {
        hm_json_set(next, "list", json_incref(list));
        out->cursor = next;
    } else if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set(out->result, "list", json_incref(list));
        add_names(list, out->result);
    }
    json_decref(list);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec listed_fields[] = {
    HM_KUBERNETES_DEPLOYMENT_FIELDS,
    {"label", HM_FIELD_TEXT, true, "the value of the label that was looked for; empty when it has none", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec deployments_fields[] = {
    {"list", HM_FIELD_LIST, true, "the deployments", listed_fields},
    {"names", HM_FIELD_LIST, true, "their names", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"text", HM_FIELD_TEXT, true, "a line for each with its image and revision", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_kubernetes_deployments = {
    .name = "kubernetes.deployments",
    .title = "List the deployments with a label",
    .doc = "All of them; more than 1000 are an error.",
    .effect = HM_EFFECT_READ,
    .args = deployments_args,
    .result = deployments_fields,
    .request = deployments_request,
    .response = deployments_response,
};

/* --- revisions: two requests, the deployment and then its ReplicaSets ------------------------------------------------------- */

/* "a=b,c=d" of matchLabels, or NULL when the selector has none or also expressions, which are not understood here. */
static char *selector_text(const json_t *deployment)
{
    const json_t *selector = hm_json_get_obj(hm_json_get_obj(deployment, "spec"), "selector");
    const json_t *labels = hm_json_get_obj(selector, "matchLabels");
    struct hm_strbuf text;
    const char *name = NULL;
    const json_t *value = NULL;
    if (json_object_size(labels) == 0 || json_array_size(hm_json_get_arr(selector, "matchExpressions")) > 0)
        return NULL;
    hm_strbuf_init(&text, SELECTOR_MAX);
    json_object_foreach(hm_unconst(labels), name, value)
    {
        const char *s = json_string_value(value);
        hm_strbuf_addf(&text, "%s%s=%s", text.len > 0 ? "," : "", name, s != NULL ? s : "");
    }
    return hm_strbuf_take(&text);
}

static bool is_owned(const json_t *set, const char *uid)
{
    const json_t *owners = hm_json_get_arr(hm_json_get_obj(set, "metadata"), "ownerReferences");
    for (size_t i = 0; i < json_array_size(owners); i++)
        if (hm_streq(hm_json_get_str(json_array_get(owners, i), "uid", ""), uid))
            return true;
    return false;
}

static enum hm_code revisions_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      struct hm_request *req, struct hm_err *err)
{
    if (cursor == NULL)
        return deployment_request(backend, args, cursor, req, err);
    enum hm_code code = hm_kubernetes_check(args, err);
    if (code != HM_OK)
        return code;
    hm_request_begin(req, backend, "GET", "/apis/apps/v1/namespaces/%s/replicasets?limit=%d",
                     hm_json_get_str(args, "namespace", ""), (int)PAGE_SIZE);
    hm_request_add_query(req, "labelSelector", hm_json_get_str(cursor, "selector", ""));
    hm_request_add_query(req, "continue", hm_json_get_str(cursor, "continue", NULL));
    hm_request_add_header(req, "Accept", "application/json");
    return HM_OK;
}

/* The first of the two answers: what to look for in the second. */
static enum hm_verdict first_page(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                  struct hm_outcome *out)
{
    json_t *json = NULL;
    enum hm_verdict verdict = read_deployment(backend, args, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    char *selector = selector_text(json);
    json_t *deployment = hm_kubernetes_deployment_new(json);
    if (selector == NULL) {
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "the deployment selects its pods by expressions; its revisions can not be told from others'");
    } else {
        json_t *template = plain_template_new(hm_json_get_obj(hm_json_get_obj(json, "spec"), "template"));
        out->cursor = hm_json_obj_new();
        hm_json_set_str(out->cursor, "selector", selector);
        hm_json_set_str(out->cursor, "uid", hm_json_get_str(hm_json_get_obj(json, "metadata"), "uid", "?"));
        hm_json_set(out->cursor, "deployment", json_incref(deployment));
        hm_json_set(out->cursor, "template", template);
        hm_json_set(out->cursor, "found", hm_json_arr_new());
        hm_json_set_int(out->cursor, "page", 1);
        verdict = HM_VERDICT_MORE;
    }
    free(selector);
    json_decref(deployment);
    json_decref(json);
    return verdict;
}

/* One page of ReplicaSets: those that are ours, as {revision, image, images, created, current, template}. */
static void gather(const json_t *sets, const json_t *cursor, json_t *found)
{
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const json_t *set = json_array_get(sets, i);
        const json_t *template = hm_json_get_obj(hm_json_get_obj(set, "spec"), "template");
        int64_t revision = revision_of(set);
        if (template == NULL || revision == 0 || !is_owned(set, hm_json_get_str(cursor, "uid", "?")))
            continue;
        json_t *item = hm_json_obj_new(), *plain = plain_template_new(template), *images = hm_kubernetes_images_new(template);
        char *image = image_text(images);
        hm_json_set_int(item, "revision", revision);
        hm_json_set_str(item, "image", image);
        hm_json_set(item, "images", images);
        hm_json_set_str(item, "created", hm_json_get_str(hm_json_get_obj(set, "metadata"), "creationTimestamp", ""));
        hm_json_set_bool(item, "current", json_equal(plain, hm_json_get_obj(cursor, "template")) != 0);
        hm_json_set(item, "template", plain);
        hm_json_add(found, item);
        free(image);
    }
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = hm_json_get_int(*(json_t *const *)a, "revision", 0), y = hm_json_get_int(*(json_t *const *)b, "revision", 0);
    return (x < y) - (x > y);
}

/* Newest first. New reference. */
static json_t *sorted_new(const json_t *found)
{
    size_t n = json_array_size(found);
    json_t *list = hm_json_arr_new(), **items = hm_xcalloc(n, sizeof(json_t *));
    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(found, i);
    if (n > 0)
        qsort(items, n, sizeof(json_t *), newest_first);
    for (size_t i = 0; i < n; i++)
        hm_json_add(list, json_incref(items[i]));
    free(items);
    return list;
}

/* The gathered revisions once all pages are there, newest first, into *ret_list; else MORE or what went wrong. */
static enum hm_verdict next_page(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 const struct hm_answer *answer, json_t **ret_list, struct hm_outcome *out)
{
    json_t *json = NULL, *next = NULL;
    enum hm_verdict verdict = HM_VERDICT_OK;
    *ret_list = NULL;
    if (is_expired(cursor, answer, &verdict, out))
        return verdict;
    verdict = hm_kubernetes_read(backend, args, false, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *sets = hm_json_get_arr(json, "items");
    json_t *found = json_deep_copy(hm_json_get_arr(cursor, "found"));
    if (sets == NULL || found == NULL) {
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Kubernetes's answer is not as expected: it has no list of items");
    } else {
        gather(sets, cursor, found);
        verdict = after_page(json, cursor, &next, out);
    }
    if (verdict == HM_VERDICT_MORE) {
        hm_json_set(next, "found", json_incref(found));
        out->cursor = next;
    } else if (verdict == HM_VERDICT_OK) {
        *ret_list = sorted_new(found);
    }
    json_decref(found);
    json_decref(json);
    return verdict;
}

static enum hm_verdict revisions_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                          const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *list = NULL;
    if (cursor == NULL)
        return first_page(backend, args, answer, out);
    enum hm_verdict verdict = next_page(backend, args, cursor, answer, &list, out);
    if (list == NULL)
        return verdict;
    json_t *previous = json_null();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        (void)json_object_del(item, "template"); /* kubernetes.revision has it: a list of templates would fill a journal row */
        if (json_is_null(previous) && !hm_json_get_bool(item, "current", false))
            previous = item;
    }
    out->result = json_deep_copy(hm_json_get_obj(cursor, "deployment"));
    hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
    hm_json_set(out->result, "previous", json_incref(previous));
    hm_json_set(out->result, "list", list);
    return HM_VERDICT_OK;
}

/* A revision, in a list or alone. */
/* clang-format off */
#define REVISION_FIELDS \
    {"revision", HM_FIELD_NUMBER, true, "its number", NULL}, \
    {"image", HM_FIELD_TEXT, true, "its image; container=image of each when there are several", NULL}, \
    {"images", HM_FIELD_OBJECT, true, "container: image", hm_fields_texts}, \
    {"created", HM_FIELD_TEXT, true, "when", NULL}, \
    {"current", HM_FIELD_BOOL, true, "whether it is the active one", NULL}
/* clang-format on */

static const struct hm_field_spec item_fields[] = {
    REVISION_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec revisions_fields[] = {
    {"name", HM_FIELD_TEXT, true, "the deployment", NULL},
    {"namespace", HM_FIELD_TEXT, true, "its namespace", NULL},
    {"image", HM_FIELD_TEXT, true, "its image now", NULL},
    {"generation", HM_FIELD_NUMBER, true, "changes with each change of it", NULL},
    {"paused", HM_FIELD_BOOL, true, "whether its roll-outs are paused", NULL},
    {"list", HM_FIELD_LIST, true, "newest first", item_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"previous", HM_FIELD_OBJECT, false, "the newest that is not current", item_fields},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_kubernetes_revisions = {
    .name = "kubernetes.revisions",
    .title = "List a deployment's revisions",
    .effect = HM_EFFECT_READ,
    .args = deployment_args,
    .result = revisions_fields,
    .request = revisions_request,
    .response = revisions_response,
};

static const struct hm_arg_spec revision_args[] = {
    {"namespace", HM_ARG_STRING, true, "the namespace"},
    {"name", HM_ARG_STRING, true, "the deployment's name"},
    {"revision", HM_ARG_INT, false, "the revision's number; the newest that is not current when not given"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_verdict revision_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *list = NULL;
    int64_t wanted = hm_json_get_int(args, "revision", 0); /* 0: the one before */
    if (cursor == NULL)
        return first_page(backend, args, answer, out);
    enum hm_verdict verdict = next_page(backend, args, cursor, answer, &list, out);
    if (list == NULL)
        return verdict;
    for (size_t i = 0; i < json_array_size(list) && out->result == NULL; i++) {
        json_t *item = json_array_get(list, i);
        if (wanted > 0 ? hm_json_get_int(item, "revision", 0) == wanted : !hm_json_get_bool(item, "current", false))
            out->result = json_incref(item);
    }
    json_decref(list);
    if (out->result == NULL && wanted == 0)
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "deployment %s has no earlier revision",
                               hm_json_get_str(args, "name", ""));
    if (out->result == NULL)
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "deployment %s has no revision %lld any more",
                               hm_json_get_str(args, "name", ""), (long long)wanted);
    const json_t *deployment = hm_json_get_obj(cursor, "deployment");
    hm_json_set_bool(out->result, "paused", hm_json_get_bool(deployment, "paused", false));
    hm_json_set_int(out->result, "generation", hm_json_get_int(deployment, "generation", 0));
    hm_json_set_str(out->result, "current_image", hm_json_get_str(deployment, "image", ""));
    return HM_VERDICT_OK;
}

static const struct hm_field_spec revision_fields[] = {
    REVISION_FIELDS,
    {"template", HM_FIELD_OBJECT, true, "the pod template", hm_fields_open},
    {"paused", HM_FIELD_BOOL, true, "whether the deployment's roll-outs are paused", NULL},
    {"generation", HM_FIELD_NUMBER, true, "of the deployment now", NULL},
    {"current_image", HM_FIELD_TEXT, true, "of the deployment now", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_kubernetes_revision = {
    .name = "kubernetes.revision",
    .title = "Read one revision of a deployment",
    .doc = "template is what kubernetes.rollback takes.",
    .effect = HM_EFFECT_READ,
    .args = revision_args,
    .result = revision_fields,
    .request = revisions_request,
    .response = revision_response,
};
