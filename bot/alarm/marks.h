/* Slack's formatting taken away: the stars, underscores and tildes that make text bold, italic or struck. Pure.
 *
 * A mark counts as Slack counts it: it opens behind a blank or punctuation and before something, it closes on the same line
 * behind something and before a blank or punctuation. So the underscores of scale_cluster and the star of itaipu-* stay. One
 * thing more than Slack: a star behind a label ("*Job:*itaipu") closes too. What stands in backticks stays as it is. */
#ifndef HM_ALARM_MARKS_H
#define HM_ALARM_MARKS_H

#include <stdbool.h>

#include "base/strbuf.h"

/* drop_struck: what is struck through goes with its marks: who struck it has taken it back. */
void hm_alarm_add_unmarked(struct hm_strbuf *out, const char *text, bool drop_struck);

#endif
