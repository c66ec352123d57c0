/* Slack's Web API: calls with the method's own pace, Retry-After honoured, and three outcomes (done, refused, nobody knows).
 *
 * Calls of one method are sent in order and not faster than Slack's tier allows (limits as data in web_api.c, from Slack's
 * pages); chat.postMessage also at most 1/s per channel. A 429 holds that method for as long as it says. Idempotent methods are
 * repeated on 5xx and time-outs with back-off; chat.postMessage never: its outcome is HM_EUNKNOWN and post.h settles it by
 * metadata. */
#ifndef HM_SLACK_WEB_API_H
#define HM_SLACK_WEB_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/http_client.h"

struct hm_web_api;

enum { HM_WEB_SPEED_MAX = 1000 };

struct hm_web_api_opts {
    uv_loop_t *loop;
    struct hm_http_client *http;
    const struct hm_clock *clock;
    const char *base_url;  /* "https://slack.com/api/" */
    const char *bot_token; /* copied, wiped at free */
    const char *app_token;
    const char *ca;
    unsigned speed; /* times Slack's own limits, for simulators with raised ones; 0 = 1, which is right for Slack */
};

struct hm_web_api *hm_web_api_new(const struct hm_web_api_opts *opts, struct hm_err *err);
/* Pending calls end with HM_EIO. Call after the HTTP client was closed. */
void hm_web_api_free(struct hm_web_api *api);
/* Times Slack's own limits; 1 for Slack. */
unsigned hm_web_api_speed(const struct hm_web_api *api);

struct hm_web_answer {
    enum hm_code code; /* HM_OK; HM_EPERM, HM_EINVAL, HM_ENOTFOUND … for refusals by `error`; HM_EIO: not done; HM_EUNKNOWN */
    const char *error; /* Slack's error word ("channel_not_found") or ""; borrowed */
    const char *sentence; /* for people, with what to do; "" when code is HM_OK */
    const json_t *body;   /* the whole answer, or NULL; borrowed */
    bool fatal;           /* token or app setting: a person must mend it */
    int64_t retry_after_ms;
};
typedef void (*hm_web_fn)(void *arg, const struct hm_web_answer *answer);

enum hm_web_token { HM_WEB_BOT, HM_WEB_APP };

/* Queues a call; stolen_args: object. channel: for per-channel pacing of posts, or NULL. on_done exactly once, later; may be
 * NULL. */
void hm_web_call(struct hm_web_api *api, const char *method, enum hm_web_token token, json_t *stolen_args, hm_web_fn on_done,
                 void *arg);
/* POSTs JSON to a response_url (no token; only to the host Slack gave or loopback). */
void hm_web_respond(struct hm_web_api *api, const char *response_url, json_t *stolen_body, hm_web_fn on_done, void *arg);

/* POSTs the bytes of a file (taken over) to the address that files.getUploadURLExternal gave; no token. */
void hm_web_upload(struct hm_web_api *api, const char *upload_url, char *stolen_bytes, size_t len, hm_web_fn on_done, void *arg);

/* How many calls wait or are under way, for metrics and a polite end. */
unsigned hm_web_pending(const struct hm_web_api *api);

#endif
