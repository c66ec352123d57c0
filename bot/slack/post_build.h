/* The arguments of Slack's calls that post.c makes, and reading their answers. Pure. */
#ifndef HM_SLACK_POST_BUILD_H
#define HM_SLACK_POST_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

/* Digest of a content: equal for equal JSON, whatever the order of keys. */
void hm_post_digest(const json_t *content, char ret_hex[HM_SHA256_HEX]);

/* All new references. text_only: without the blocks, the text cut to what chat.update takes. */
HM_MUST json_t *hm_post_args_new(const char *key, const char *channel, const char *thread_ts, const json_t *content,
                                 bool text_only);
HM_MUST json_t *hm_post_update_args_new(const char *channel, const char *ts, const json_t *content, bool text_only);
HM_MUST json_t *hm_post_ephemeral_args_new(const char *channel, const char *user, const char *thread_ts, const json_t *content);
HM_MUST json_t *hm_post_response_new(const char *thread_ts, const json_t *content);

/* Looking for a message of ours: which method (conversations.replies in a thread, else conversations.history) … */
const char *hm_post_look_method(const char *thread_ts);
/* … with which arguments; since_wall_ms: 0 = from the beginning; cursor: NULL for the first page. */
HM_MUST json_t *hm_post_look_args_new(const char *channel, const char *thread_ts, int64_t since_wall_ms, const char *cursor);
/* The ts of the newest message in this page that carries key, borrowed; NULL = none. but_not: a ts that does not count, or NULL.
 */
const char *hm_post_look_find(const json_t *body, const char *key, const char *but_not);
/* When a message was posted, in ms since 1970; 0 when ts is not one. */
int64_t hm_post_ts_wall_ms(const char *ts);
/* Borrowed; NULL = that was the last page. */
const char *hm_post_look_cursor(const json_t *body);

/* What a refusal is about. */
enum hm_post_refusal {
    HM_POST_REFUSAL_PLACE,
    HM_POST_REFUSAL_CONTENT,
    HM_POST_REFUSAL_LOST,  /* the message can not be edited any more: deleted, too old, not ours */
    HM_POST_REFUSAL_TOKEN, /* token or scope */
    HM_POST_REFUSAL_LATER  /* none: it was not done, later it may be */
};
enum hm_post_refusal hm_post_refusal(enum hm_code code, const char *error, bool fatal);

#endif
