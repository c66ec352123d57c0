/* A Slack message as one plain text, so that a rule needs not know whether the words came as text, as blocks or in an attachment.
 *
 * In this order, joined by line breaks: text, blocks, attachments (pretext, title, text, "title: value" per field, blocks; the
 * fallback only when there is nothing else). Links show their label, mentions "@…", entities are undone once; the marks of
 * bold, italic and struck text are taken away (marks.h), so are the backticks of code that is a word of its own; blanks, hyphens
 * and what does not show are made plain, UUIDs small (letters.h). Of a long trace the middle is left out. What somebody else said
 * and this message only shows (shared, unfurled) is left out; of people also the lines they quote ("> …") and what they struck
 * out, but their backticks stay: a rule may ask for them. */
#ifndef HM_ALARM_FLATTEN_H
#define HM_ALARM_FLATTEN_H

#include <jansson.h>
#include <stdbool.h>

enum { HM_ALARM_TEXT_MAX = 12000 /* bytes; the rest is not looked at */ };

/* person: only `text` counts. Any JSON will do; never fails. Caller frees. */
char *hm_alarm_flatten(const json_t *message, bool person);

/* Also what is left out above, and the message inside an edit or a deletion: nothing is judged by it, but people may be told why
 * it is not. Caller frees. */
char *hm_alarm_flatten_all(const json_t *message);

#endif
