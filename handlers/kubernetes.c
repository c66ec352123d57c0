/* Kubernetes: the table of its actions, and what they share. */
#include "handlers/kubernetes.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { NAME_MAX_LEN = 253, SAID_MAX = 300 };

bool hm_kubernetes_name_ok(const char *name)
{
    size_t len = strlen(name);
    bool ends_ok = len > 0 && strchr("-.", name[0]) == NULL && strchr("-.", name[len - 1]) == NULL;
    return ends_ok && len <= NAME_MAX_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

enum hm_code hm_kubernetes_check(const json_t *args, struct hm_err *err)
{
    static const char *const keys[] = {"namespace", "name"};
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        const char *value = hm_json_get_str(args, keys[i], "");
        if (!hm_kubernetes_name_ok(value))
            return hm_err_set(err, HM_EINVAL, "%s: \"%.80s\" is no name that Kubernetes has (small letters, digits, - and .)",
                              keys[i], value);
    }
    return HM_OK;
}

void hm_kubernetes_begin(struct hm_request *req, const struct hm_backend *backend, const json_t *args, const char *method)
{
    hm_request_begin(req, backend, method, "/apis/apps/v1/namespaces/%s/deployments/%s", hm_json_get_str(args, "namespace", ""),
                     hm_json_get_str(args, "name", ""));
    hm_request_add_header(req, "Accept", "application/json");
}

/* 409 and 422 come with a Status object that says what was in the way; both mean that nothing was done. */
static enum hm_verdict judge_conflict(const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *status = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const char *message = hm_json_get_str(status, "message", "no reason given");
    char *clean = hm_utf8_clean(message, hm_utf8_prefix(message, SAID_MAX));
    enum hm_verdict verdict = hm_outcome_fail(
        out, HM_VERDICT_PERMANENT, "Kubernetes changed nothing: the deployment is not as it was when it was read (%s: %s)",
        hm_json_get_str(status, "reason", answer->status == 409 ? "Conflict" : "Invalid"), clean);
    free(clean);
    json_decref(status);
    return verdict;
}

enum hm_verdict hm_kubernetes_read(const struct hm_backend *backend, const json_t *args, bool write,
                                   const struct hm_answer *answer, json_t **ret_json, struct hm_outcome *out)
{
    *ret_json = NULL;
    if (write && (answer->status == 409 || answer->status == 422))
        return judge_conflict(answer, out);
    char *thing =
        hm_xasprintf("deployment %s in namespace %s", hm_json_get_str(args, "name", ""), hm_json_get_str(args, "namespace", ""));
    const struct hm_http_asked asked = {.backend = backend, .system = "Kubernetes", .thing = thing, .write = write};
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, ret_json, out);
    if (verdict == HM_VERDICT_OK && !json_is_object(*ret_json)) {
        json_decref(*ret_json);
        *ret_json = NULL;
        verdict = hm_http_odd(&asked, out, "it is no object");
    }
    free(thing);
    return verdict;
}

static const struct hm_action *const actions[] = {
    &hm_kubernetes_deployments,
    &hm_kubernetes_deployment,
    &hm_kubernetes_revisions,
    &hm_kubernetes_revision,
    &hm_kubernetes_rollback,
    &hm_kubernetes_set_image,
    NULL,
};

static const char *const settings[] = {NULL};

const struct hm_handler hm_kubernetes_handler = {
    .name = "kubernetes",
    .title = "Kubernetes: deployments",
    .actions = actions,
    .settings = settings,
};
