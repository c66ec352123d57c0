/* One HTTP transfer: a request turned into a curl easy handle, and what became of it turned into a struct hm_answer.
 * Internal to io/; http_client.h is the door. Knows nothing of loops, pools and queues.
 *
 * What leaves twice: never a write. curl repeats a request by itself when a kept-alive connection turns out dead before any
 * byte of an answer came (Curl_retry_request() in lib/transfer.c of 7.88.1 looks at nothing but "reused connection, nothing
 * received": not at the method, not at whether the request was written in full). Each pass of curl through its state "DO" asks
 * CURLOPT_PREREQFUNCTION first (lib/multi.c, MSTATE_DO), on a fresh connection and on a reused one alike, after TCP, proxy and
 * TLS are up and before the first byte of the request. So that callback is where we count: no call = nothing was sent, proven;
 * a second call for anything but GET and HEAD is refused. */
#ifndef HM_IO_HTTP_TRANSFER_H
#define HM_IO_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "handlers/handler.h"

struct hm_transfer;

struct hm_transfer_opts {
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    size_t max_answer;
    const char *ca; /* the rest: NULL = none */
    const char *client_cert;
    const char *client_key;
    const char *proxy;
    CURLSH *share;
};

/* See hm_http_check_url(). ret_peer: "host" or "host:port" for sentences, the caller frees; or NULL. */
HM_MUST enum hm_code hm_transfer_check_url(const char *url, char **ret_peer, struct hm_err *err);

/* Copies req after checking it: HTTP only, https or plain http to loopback, no user in the URL, header names and values that
 * can not smuggle a line. NULL with err set when it must not be sent. */
struct hm_transfer *hm_transfer_new(const struct hm_request *req, struct hm_err *err);
void hm_transfer_free(struct hm_transfer *t);

/* The copy; borrowed. */
const struct hm_request *hm_transfer_request(const struct hm_transfer *t);

/* Sets easy (fresh or reset) up for t. credentials: a request of which only the headers are used, and sent too; or NULL. opts'
 * strings must live until the transfer has ended; t must not be freed before easy was removed from its multi handle. */
HM_MUST enum hm_code hm_transfer_arm(struct hm_transfer *t, CURL *easy, const struct hm_transfer_opts *opts,
                                     const struct hm_request *credentials, struct hm_err *err);

/* The end as curl tells it. *ret borrows from t. */
void hm_transfer_end(struct hm_transfer *t, CURL *easy, CURLcode rc, struct hm_answer *ret);
/* The end because we gave it up; why: a sentence. Armed or not. */
void hm_transfer_give_up(struct hm_transfer *t, const char *why, struct hm_answer *ret);
/* An answer that says "nothing left, because of problem" (borrowed). */
void hm_transfer_not_sent(struct hm_answer *ret, const char *problem);

#endif
