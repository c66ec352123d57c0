/* libcurl's multi interface on a uv loop: curl says which sockets and which time it waits for, uv waits. Internal to io/. */
#ifndef HM_IO_CURL_LOOP_H
#define HM_IO_CURL_LOOP_H

#include <curl/curl.h>
#include <uv.h>

struct hm_curl_loop;

/* on_done: the transfer of easy has ended; called by the loop only, never inside another function here. It must call
 * hm_curl_loop_remove() for it, and may add and remove others. Never NULL. */
struct hm_curl_loop *hm_curl_loop_new(uv_loop_t *loop, void (*on_done)(void *arg, CURL *easy, CURLcode rc), void *arg);
/* All transfers must have been removed. on_closed once the last uv handle is gone; then hm_curl_loop_free(). */
void hm_curl_loop_close(struct hm_curl_loop *l, void (*on_closed)(void *arg));
void hm_curl_loop_free(struct hm_curl_loop *l);

/* Starts a transfer; nothing has happened when it returns. */
CURLMcode hm_curl_loop_add(struct hm_curl_loop *l, CURL *easy);
/* Ends it, whatever its state; curl may keep its connection. */
void hm_curl_loop_remove(struct hm_curl_loop *l, CURL *easy);

/* For CURLOPT_SHARE: TLS sessions, so that a new connection to a known server resumes one. */
CURLSH *hm_curl_loop_share(struct hm_curl_loop *l);

#endif
