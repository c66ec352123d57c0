/* Small pieces of Slack text that cards, dialogs and replies have in common. All append mrkdwn unless said otherwise. Pure. */
#ifndef HM_VIEW_WORDS_H
#define HM_VIEW_WORDS_H

#include <jansson.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "recipe/recipe.h"

/* <@U…>; "somebody" for NULL or ""; a short code span when it does not look like an id. */
void hm_word_user(struct hm_strbuf *out, const char *user);
/* <#C…>, in the same way. */
void hm_word_channel(struct hm_strbuf *out, const char *channel);
/* A clock time in the reader's own time zone: "02:14", or "02:14:07" with seconds. Clients that can not show "02:14 UTC". */
void hm_word_time(struct hm_strbuf *out, int64_t at_ms);
void hm_word_time_s(struct hm_strbuf *out, int64_t at_ms);
/* With the day. */
void hm_word_moment(struct hm_strbuf *out, int64_t at_ms);
/* The clock time alone when it is less than twelve hours from from_ms, which the reader knows; else with the day. */
void hm_word_time_near(struct hm_strbuf *out, int64_t at_ms, int64_t from_ms);
/* "0.4 s", "3 min 20 s" */
void hm_word_duration(struct hm_strbuf *out, int64_t ms);
/* "3 requests", "1 request" */
void hm_word_count(struct hm_strbuf *out, size_t n, const char *one, const char *many);
/* "role `a`", "role `a` or `b`"; "anybody" for none. roles: NULL-terminated. */
void hm_word_roles(struct hm_strbuf *out, char *const *roles);
/* Foreign plain text, escaped, on one line, at most max characters (at least 64) and "…". */
void hm_word_plain(struct hm_strbuf *out, const char *plain, size_t max);
/* A JSON value in a code span: strings as they are, the rest as JSON; at most 80 characters. */
void hm_word_value(struct hm_strbuf *out, const json_t *value);

/* https://team.slack.com/archives/C0OPS/p1700000000000100; NULL when one of them is NULL or "". Caller frees. workspace_url: with
 * its slash at the end. */
char *hm_word_permalink(const char *workspace_url, const char *channel, const char *ts);
/* What a card calls the step; plain text, never NULL. */
const char *hm_word_step(const struct hm_step *step);

/* A request as hm_request_json_new() wrote it down, as plain text to read: method and URL, headers, an empty line, the body; or
 * the argument vector, quoted where needed. Values of headers that could hold a credential are not shown. Caller frees. */
char *hm_word_request(const json_t *request);
/* Its first line in a code span, at most 200 characters. */
void hm_word_request_line(struct hm_strbuf *out, const json_t *request);

#endif
