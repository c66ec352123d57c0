/* A Slack message as one plain text, so that a rule needs not know whether the words came as text, as blocks or in an attachment.
 *
 * In this order, joined by line breaks: text, blocks, attachments (pretext, title, text, "title: value" per field, blocks; the
 * fallback only when there is nothing else). Links show their label, mentions "@…", entities are undone once, bold stars are
 * taken away; code keeps its backticks. What somebody else said and this message only shows (shared, unfurled) is left out. */
#ifndef HM_ALARM_FLATTEN_H
#define HM_ALARM_FLATTEN_H

#include <jansson.h>
#include <stdbool.h>

enum { HM_ALARM_TEXT_MAX = 12000 /* bytes; the rest is not looked at */ };

/* person: only `text` counts. Any JSON will do; never fails. Caller frees. */
char *hm_alarm_flatten(const json_t *message, bool person);

#endif
