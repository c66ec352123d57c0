/* The card of an alarm, in the alarm's own thread: what was recognised, what was found out, and what one click can do about it.
 * Pure: the same case gives the same bytes. Foreign values are escaped; the buttons carry the case's id and a nonce, nothing
 * else. */
#ifndef HM_VIEW_ALARM_CARD_H
#define HM_VIEW_ALARM_CARD_H

#include "alarm/case.h"
#include "slack/blocks.h"

#define HM_ACTION_ALARM "hm.alarm" /* an offer; its value is hm_card_value() of the case's id and the offer's nonce */

void hm_alarm_card_render(const struct hm_case *c, struct hm_slack_message *ret_message);

/* What a click on an offer is told that can not be taken: c NULL = the case is not known any more; offer NULL = it is closed;
 * else who was first. mrkdwn; caller frees. */
char *hm_alarm_card_refusal(const struct hm_case *c, const struct hm_case_offer *offer);

#endif
