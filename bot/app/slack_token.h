/* Slack's two tokens, read by their references and told apart. They look alike to whoever copies them, and Slack's own answers to
 * the wrong one ("not_allowed_token_type", "invalid_auth") do not say which: so their beginnings are looked at before Slack is
 * asked.
 *
 * Happy path: hm_slack_token_read() → a token of its kind. Failure: a sentence with the key and the reference, never with the
 * value. */
#ifndef HM_APP_SLACK_TOKEN_H
#define HM_APP_SLACK_TOKEN_H

#include "app/settings.h"
#include "base/err.h"
#include "base/secret.h"

enum hm_slack_token {
    HM_SLACK_TOKEN_APP, /* xapp-…: opens the connection */
    HM_SLACK_TOKEN_BOT, /* xoxb-…: all else; xoxe.xoxb-… when the app has its tokens rotated */
    HM_SLACK_TOKEN_NR
};

/* HM_EINVAL when it is known to be something else than a token of this kind (what looks like nothing known is logged and taken),
 * else what hm_secret_read() says. The caller frees with hm_secret_free(). */
HM_MUST enum hm_code hm_slack_token_read(const struct hm_settings *settings, enum hm_slack_token which, char **ret_token,
                                         struct hm_err *err);

#endif
