/* What check.c and check_rest.c share. */
#ifndef HM_SIM_CHECK_PARTS_H
#define HM_SIM_CHECK_PARTS_H

#include "check.h"

/* Does the message say what the journal says about the run? */
bool check_content(const struct book_run *run, const char *text, const json_t *blocks);
/* True when the bot started it unasked, for an alarm. */
bool check_alarm_run(const struct book_run *run);
/* check_alarms.c, at rest. */
void check_alarms(void);
/* Fails when there is a button of something that is not open. */
void check_buttons(const struct book_run *run, const json_t *blocks);

#endif
