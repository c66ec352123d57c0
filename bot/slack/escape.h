/* Foreign text on its way to Slack: escaping, cutting, counting. Pure.
 *
 * Slack's mrkdwn has two layers. Syntax (<@U…>, <!channel>, links) is stopped for good by escaping & < >. Formatting (* _ ~ `)
 * has no escape at all, so a character that could start or end formatting becomes one that looks alike; where it can not format
 * (an underscore between two letters) it stays, so that ids can still be copied. Text that must be exact to the byte belongs into
 * hm_blocks_preformatted(), which parses nothing.
 *
 * Everything here also replaces malformed UTF-8 and control characters by U+FFFD, and shows the characters that reorder or hide
 * text (bidirectional controls, zero-width ones) as \u202E, so that no reader sees another text than the one that is there. */
#ifndef HM_SLACK_ESCAPE_H
#define HM_SLACK_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* For a text object of type mrkdwn or a message's `text`: can neither mention, link nor format. Line breaks stay. NULL adds
 * nothing. */
void hm_slack_escape_mrkdwn(struct hm_strbuf *out, const char *text);
/* The same on one line: line breaks and tabs become spaces. For titles and names, so that no value can forge a line of the card.
 */
void hm_slack_escape_line(struct hm_strbuf *out, const char *text);
/* For text that stands between two backticks written by us: & < > escaped, backticks and line breaks replaced, * _ ~ left alone.
 */
void hm_slack_escape_code(struct hm_strbuf *out, const char *text);
/* `text` with its backticks; "–" when text is NULL or empty (an empty code span would show as two backticks). */
void hm_slack_add_code(struct hm_strbuf *out, const char *text);
/* For rich_text_preformatted and plain_text, which parse nothing: only the clean-up that the top comment tells. Caller frees. */
char *hm_slack_clean(const char *text);
/* &amp; &lt; &gt; back to & < >: for text that came from Slack. <…> tokens stay. */
void hm_slack_unescape(struct hm_strbuf *out, const char *text);

/* Length as Slack may count it at worst: UTF-16 units. Malformed bytes count one each. */
size_t hm_slack_length(const char *text);

/* Length in bytes of the longest prefix of mrkdwn with at most max units that ends inside no UTF-8 sequence, no &…; entity and no
 * <…> token. It may end inside a code span: hm_slack_cut_mrkdwn() closes those. */
size_t hm_slack_prefix(const char *mrkdwn, size_t max);

/* Appends mrkdwn, cut to at most max units with "… 1,234 more characters" in its own line at the end; a code fence or
 * code span that the cut opens is closed before the note. Returns the number of characters left out, 0 = none. max: at least 64.
 */
size_t hm_slack_cut_mrkdwn(struct hm_strbuf *out, const char *mrkdwn, size_t max);
/* The same for text that is shown as it is (plain_text, preformatted): nothing to close. */
size_t hm_slack_cut_plain(struct hm_strbuf *out, const char *text, size_t max);
/* One line that must be short: cut to max units with "…" as the last of them. For labels and buttons. */
size_t hm_slack_cut_label(struct hm_strbuf *out, const char *text, size_t max);

/* "1,234,567" */
void hm_slack_add_count(struct hm_strbuf *out, size_t n);

#endif
