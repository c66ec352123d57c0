/* What is this message? The gates, then the rules. Pure.
 *
 * Gates, the first that fails names the reason: it is a message (type) · said, not edited or taken back (subtype, edited) · not a
 * reply in a thread (thread) · not our own (self) · from our own workspace (team) · from somebody whom a rule allows (poster) ·
 * in a channel that a rule watches (channel). Then the news that an alarm is over (not-firing). Then the rules: `match` is found
 * (no-anchor), the sender and the channel are this rule's, every required field is there (missing:<field>), and it is so still
 * without the sentences that say something else (unless). When several rules fit, the one whose match stands first in the text.
 */
#ifndef HM_ALARM_JUDGE_H
#define HM_ALARM_JUDGE_H

#include "alarm/alarm.h"

enum hm_alarm_kind {
    HM_ALARM_NONE,
    HM_ALARM_MATCH,
    HM_ALARM_RESOLVED /* starts nothing: another alarm is over, or taken care of */
};
const char *hm_alarm_kind_name(enum hm_alarm_kind kind); /* "none", "match", "resolved" */

/* What is true for every message; strings may be NULL. */
struct hm_alarm_around {
    const char *team;      /* our workspace; NULL = not known: then only what says that it is from elsewhere is kept out */
    const char *self_user; /* our own user and bot id */
    const char *self_bot;
    const char *channel; /* where the message is, when it does not say so itself */
    bool bare;           /* only the text is known: sender, channel and the like are taken to be right */
    bool edited;         /* it is an edit: only the news that an alarm is over is looked for */
    bool explain;        /* nothing fits: tell the nearest rule, and which part of it fails */
};

struct hm_alarm_verdict {
    enum hm_alarm_kind kind;
    const struct hm_alarm_rule *rule;  /* MATCH: it. RESOLVED: the rule with `resolves`. NONE: the nearest, or NULL */
    const struct hm_alarm_rule *about; /* RESOLVED: the rule whose alarm it is about; NULL = not told by the message */
    char reason[64];                   /* NONE, RESOLVED: "gate:poster", "no-anchor", "missing:job" … */
    char *why;                         /* the same as a sentence; never NULL */
    char *text;                        /* flattened; never NULL */
    json_t *found;                     /* MATCH and RESOLVED: {field: text, or list of texts} as they stood there; never NULL */
    json_t *values;                    /* the same typed, with derived ones, `day` and `sender`; never NULL */
    json_t *assumed;                   /* {field: true} of the derived ones that nothing in the message says */
    char *key;                         /* what makes two alarms of a rule the same; never NULL */
};

void hm_alarm_judge(const struct hm_alarms *alarms, const json_t *message, const struct hm_alarm_around *around,
                    struct hm_alarm_verdict *ret_verdict);
void hm_alarm_verdict_done(struct hm_alarm_verdict *verdict);

#endif
