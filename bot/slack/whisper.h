/* Messages for one person's eyes only ("ephemeral"). Slack does not promise to show them and forgets them at a reload, so they
 * are never the only place of anything. */
#ifndef HM_SLACK_WHISPER_H
#define HM_SLACK_WHISPER_H

#include <jansson.h>

#include "base/err.h"
#include "slack/post.h"

/* To whom; everything is copied. */
struct hm_whisper {
    const char *channel;
    const char *user;
    const char *thread_ts;    /* or NULL */
    const char *response_url; /* or NULL: the second way, when Slack refuses the first (the bot is not in the channel) */
    bool direct;              /* the last way: a direct message, when there is no channel ("" ) or Slack does not take it there */
};

/* content: {"text": …, "blocks": […]}. on_done (may be NULL) runs once, later: HM_OK, or why not. slack is copied; what its `arg`
 * points to must live until then. */
void hm_whisper_send(const struct hm_poster_slack *slack, const struct hm_whisper *to, json_t *stolen_content,
                     void (*on_done)(void *arg, enum hm_code code, const char *sentence), void *arg);

#endif
