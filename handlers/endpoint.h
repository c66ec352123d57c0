/* Endpoints that the house knows and the cookbook does not: their paths, methods, bodies and the places of things in their
 * answers are settings of the backend. Where none is configured, the sentence names the page on which a person can do it.
 *
 * Settings, for an endpoint called WHAT: WHAT_path ("/api/deadletters?producer={service}"), WHAT_method, WHAT_body (JSON as a
 * text,
 * {"group": "{group}"}), and for all of them `page`. {name} stands for a value: encoded in the path, a JSON text in the body. */
#ifndef HM_HANDLERS_ENDPOINT_H
#define HM_HANDLERS_ENDPOINT_H

#include "handlers/http_request.h"

struct hm_endpoint {
    const char *what;    /* "replay" */
    const char *method;  /* when WHAT_method is not set */
    const char *by_hand; /* page, when that is not set */
};

/* values: an object of texts and whole numbers; "" for what was not given. HM_EENV when the endpoint is not configured or its
 * settings are odd. */
HM_MUST enum hm_code hm_endpoint_request(const struct hm_backend *backend, const struct hm_endpoint *endpoint,
                                         const json_t *values, struct hm_request *req, struct hm_err *err);

#endif
