/* What alarms remember, for commands that run beside the bot: `plan` and `match` see what recipes in Slack see. */
#ifndef HM_APP_KNOWN_H
#define HM_APP_KNOWN_H

#include "app/settings.h"

/* The journal's space for it: key → {field: value}. */
#define HM_KNOWN_SPACE "known"

/* Puts what the journal remembers over settings->known. Without a journal that can be read nothing changes: there is nothing to
 * be remembered yet. */
void hm_known_overlay(struct hm_settings *settings);

#endif
