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

#endif
