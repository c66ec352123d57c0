/* What follows from an alarm: its sentences, its offers with their values, what starts unasked, what is remembered. Pure. A text
 * that can not be made (a value is missing) is left out, with the reason among the problems. */
#ifndef HM_ALARM_FOLLOW_H
#define HM_ALARM_FOLLOW_H

#include "alarm/alarm.h"

/* Every field of the rule (null when it has no value) and `known`. A new reference. */
HM_MUST json_t *hm_alarm_scope_new(const struct hm_alarm_rule *rule, const json_t *values, const json_t *known);

/* mrkdwn, one paragraph per sentence, and one for each offer with `each` whose list has more entries than get a button; "" for
 * none; caller frees. problems: an array to which reasons are added, or NULL. */
char *hm_alarm_say(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems);
/* [{recipe, label, with, style, each?}], in order; a new reference. style: "primary", "danger" or "". each: true when it is one
 * of those for the entries of a list. */
HM_MUST json_t *hm_alarm_offers_new(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems);
/* [{recipe, with}] */
HM_MUST json_t *hm_alarm_autos_new(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems);
/* [{key, fields, before?, changes?}] */
HM_MUST json_t *hm_alarm_memories_new(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems);

#endif
