/* {{name}} in a rule's patterns: the pieces that alarm messages have in common, written once. */
#ifndef HM_ALARM_MACROS_H
#define HM_ALARM_MACROS_H

#include "base/err.h"

/* The pattern with its macros replaced; caller frees. NULL with err set when there is no such macro. */
char *hm_alarm_expand(const char *pattern, struct hm_err *err);

#endif
