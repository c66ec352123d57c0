/* The backends' side of the bot: one HTTP pool per configured backend, credentials added at sending time; or its program, run.
 *
 * A backend that answers 401 to a fetched token has it dropped. A read then leaves once more with a new one; what changes
 * something is answered as it was. */
#ifndef HM_APP_BACKENDS_H
#define HM_APP_BACKENDS_H

#include "app/programs.h"
#include "app/settings.h"
#include "io/http_client.h"

struct hm_backends;

/* All borrowed. */
struct hm_backends *hm_backends_new(struct hm_http_client *http, struct hm_processes *processes, const struct hm_clock *clock);
/* Pools end with the HTTP client; call after it and the processes are closed. */
void hm_backends_free(struct hm_backends *backends);

/* Makes pools for the settings' backends and retires the older ones. The settings are held as long as a request of theirs is
 * under way. */
HM_MUST enum hm_code hm_backends_use(struct hm_backends *backends, const struct hm_settings *settings, struct hm_err *err);

/* Sends as send says. A request that does not fit its backend (a program's to an HTTP one) ends with NOT_SENT. */
void hm_backends_send(struct hm_backends *backends, const struct hm_backend *backend, const struct hm_request *req,
                      const struct hm_send *send);

#endif
