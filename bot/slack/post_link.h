/* Ties the poster to the real Web API and to the loop's timer. */
#ifndef HM_SLACK_POST_LINK_H
#define HM_SLACK_POST_LINK_H

#include <uv.h>

#include "slack/post.h"
#include "slack/web_api.h"

struct hm_post_link;

/* Fills opts->slack and, when they are 0, min_interval_ms and look_after_ms by the speed of the API; the other members are the
 * caller's. Make the poster with it, then hm_post_link_attach(). */
struct hm_post_link *hm_post_link_new(uv_loop_t *loop, struct hm_web_api *api, struct hm_poster_opts *opts);
void hm_post_link_attach(struct hm_post_link *link, struct hm_poster *poster);
/* After hm_web_api_free() and hm_poster_free(). */
void hm_post_link_free(struct hm_post_link *link);

#endif
