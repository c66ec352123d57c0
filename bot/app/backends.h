/* The backends' side of the bot: one HTTP pool per configured backend, credentials added at sending time. */
#ifndef HM_APP_BACKENDS_H
#define HM_APP_BACKENDS_H

#include "app/settings.h"
#include "io/http_client.h"

struct hm_backends;

struct hm_backends *hm_backends_new(struct hm_http_client *http);
/* Pools end with the HTTP client; call after it is closed. */
void hm_backends_free(struct hm_backends *backends);

/* Makes pools for the settings' backends and retires the older ones. settings: borrowed, to be kept alive until the next use and
 * until what is under way has ended. */
HM_MUST enum hm_code hm_backends_use(struct hm_backends *backends, const struct hm_settings *settings, struct hm_err *err);

/* Sends; on_done exactly once, never before this returns. timeout_ms: 0 = the backend's. A backend without a pool (removed by a
 * reload) ends with NOT_SENT. */
void hm_backends_send(struct hm_backends *backends, const struct hm_backend *backend, const struct hm_request *req,
                      int64_t timeout_ms, hm_http_done_fn on_done, void *arg);

#endif
