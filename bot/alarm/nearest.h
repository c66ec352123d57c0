/* Why a rule's pattern is not found in a text, for the one who writes rules: which rule comes nearest, and which part of its
 * pattern fails. Pure. It compiles a pattern once for each of its pieces, so only people who ask are answered with it. */
#ifndef HM_ALARM_NEAREST_H
#define HM_ALARM_NEAREST_H

#include "alarm/alarm.h"

/* The rule whose words stand in the text, or whose pattern fits for its greater part; NULL = none is near. */
const struct hm_alarm_rule *hm_alarm_nearest(const struct hm_alarms *alarms, const char *text);

/* What fails of a pattern (as written, with macros), as the rest of a sentence: "Stage dagao/1/publish/2 " fits, then comes
 * "building", where `(?<result>…)` must be. NULL when nothing fails. Caller frees. */
char *hm_alarm_failing(const char *pattern, const char *text);

#endif
