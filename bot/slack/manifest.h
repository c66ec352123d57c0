/* The Slack app manifest: what an admin pastes at api.slack.com to create the app. Pure; fixed but for two names. */
#ifndef HM_SLACK_MANIFEST_H
#define HM_SLACK_MANIFEST_H

#include <jansson.h>

#include "base/err.h"

/* callback_ids of the two shortcuts. */
#define HM_SHORTCUT_ON_MESSAGE "hm_recipe_on_message"
#define HM_SHORTCUT_START      "hm_recipe_start"

/* A new object. app_name: 1 to 35 characters. command: a slash and 1 to 31 of a-z 0-9 - _. HM_EINVAL with err set otherwise.
 *
 * Not in a manifest, and so told by the documentation: the app-level token (connections:write), the invitation of the bot into
 * its channels. */
HM_MUST json_t *hm_slack_manifest_new(const char *app_name, const char *command, struct hm_err *err);

#endif
