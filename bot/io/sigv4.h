/* AWS Signature Version 4: what a request needs to be believed by an AWS service. Pure: the time comes in.
 *
 * Happy path: hm_sigv4_sign() looks at a request that is complete but for credentials and gives the headers that it lacks; both
 * together are sent byte for byte. Failure mode: a request that already has one of them, or a URL without a host, is refused.
 * hm_sigv4_compute() is the algorithm alone, for those that check signatures. */
#ifndef HM_IO_SIGV4_H
#define HM_IO_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/handler.h"

struct hm_sigv4_keys {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* NULL = none */
    const char *region;
    const char *service;
};

/* What is signed. Strings are as on the wire. */
struct hm_sigv4_parts {
    const char *method;
    const char *path;  /* "" counts as "/" */
    const char *query; /* without the '?'; "" = none */
    const struct hm_header *headers;
    size_t n_headers;
    bool path_as_is;     /* the path is neither normalised nor encoded a second time: S3, and nobody else */
    const char *date;    /* "20150830T123600Z" */
    const char *payload; /* SHA-256 of the body in hex, or "UNSIGNED-PAYLOAD" */
};

enum { HM_SIGV4_DATE = 17 }; /* with the NUL */

/* Every header of parts is signed. All results are owned by the caller; hm_sigv4_result_done() frees them. */
struct hm_sigv4_result {
    char *canonical;      /* the canonical request */
    char *string_to_sign; /* date, scope and the former's hash */
    char *signed_headers; /* "host;x-amz-date" */
    char *signature;      /* 64 hex digits */
};
void hm_sigv4_compute(const struct hm_sigv4_keys *keys, const struct hm_sigv4_parts *parts, struct hm_sigv4_result *ret);
void hm_sigv4_result_done(struct hm_sigv4_result *result);

/* "20150830T123600Z" of a moment. */
void hm_sigv4_date(int64_t wall_ms, char ret_date[HM_SIGV4_DATE]);

/* Adds to ret_headers (a request of which only the headers are used): Host, X-Amz-Date, X-Amz-Content-Sha256,
 * X-Amz-Security-Token when there is one, Authorization. */
HM_MUST enum hm_code hm_sigv4_sign(const struct hm_sigv4_keys *keys, const struct hm_request *req, int64_t wall_ms,
                                   struct hm_request *ret_headers, struct hm_err *err);

#endif
