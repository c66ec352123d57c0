/* Kubernetes: a deployment, its revisions, and going back to one (apps/v1; kubernetes.io/docs/reference). */
#ifndef HM_HANDLERS_KUBERNETES_H
#define HM_HANDLERS_KUBERNETES_H

#include "base/hash.h"
#include "handlers/handler.h"

extern const struct hm_handler hm_kubernetes_handler;

/* kubernetes_read.c */
extern const struct hm_action hm_kubernetes_deployments, hm_kubernetes_deployment, hm_kubernetes_revisions,
    hm_kubernetes_revision;
/* kubernetes_patch.c */
extern const struct hm_action hm_kubernetes_rollback, hm_kubernetes_set_image;

/* A DNS-1123 name: small letters, digits, - and ., at most 253. */
bool hm_kubernetes_name_ok(const char *name);
/* namespace and name of args are such names. */
HM_MUST enum hm_code hm_kubernetes_check(const json_t *args, struct hm_err *err);
/* Begins a request for the deployment that args name. */
void hm_kubernetes_begin(struct hm_request *req, const struct hm_backend *backend, const json_t *args, const char *method);
/* The answer as an object, or a verdict; a Status object's reason and message are in the sentence. write: of the request. */
enum hm_verdict hm_kubernetes_read(const struct hm_backend *backend, const json_t *args, bool write,
                                   const struct hm_answer *answer, json_t **ret_json, struct hm_outcome *out);
/* kubernetes.deployment's result of a Deployment object, or NULL when it is none. New reference. */
json_t *hm_kubernetes_deployment_new(const json_t *deployment);
/* SHA-256 of a pod template as text, without the label that the controller adds. */
void hm_kubernetes_template_digest(const json_t *template, char ret_hex[HM_SHA256_HEX]);
/* {container: image}; new reference. */
json_t *hm_kubernetes_images_new(const json_t *template);

/* What hm_kubernetes_deployment_new() makes. */
/* clang-format off */
#define HM_KUBERNETES_DEPLOYMENT_FIELDS \
    {"name", HM_FIELD_TEXT, true, "the deployment", NULL}, \
    {"namespace", HM_FIELD_TEXT, true, "its namespace", NULL}, \
    {"image", HM_FIELD_TEXT, true, "its image; container=image of each when there are several", NULL}, \
    {"images", HM_FIELD_OBJECT, true, "container: image", hm_fields_texts}, \
    {"revision", HM_FIELD_NUMBER, true, "the revision that is active", NULL}, \
    {"generation", HM_FIELD_NUMBER, true, "changes with each change of it", NULL}, \
    {"template_digest", HM_FIELD_TEXT, true, "SHA-256 of the pod template", NULL}, \
    {"paused", HM_FIELD_BOOL, true, "whether its roll-outs are paused", NULL}, \
    {"replicas", HM_FIELD_NUMBER, true, "pods wanted", NULL}, \
    {"updated", HM_FIELD_NUMBER, true, "pods of this revision", NULL}, \
    {"available", HM_FIELD_NUMBER, true, "pods that serve", NULL}, \
    {"done", HM_FIELD_BOOL, true, "the roll-out is complete", NULL}, \
    {"failed", HM_FIELD_BOOL, true, "the roll-out ran into its deadline", NULL}
/* clang-format on */

#endif
