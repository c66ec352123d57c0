/* Slack's two tokens: see slack_token.h. */
#include "app/slack_token.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* What tokens begin with, and what else people have at hand when they copy one. */
static const struct {
    const char *begins;
    const char *is;
    int which; /* enum hm_slack_token; HM_SLACK_TOKEN_NR = neither */
} kinds[] = {
    {"xapp-", "an app-level token (xapp-…)", HM_SLACK_TOKEN_APP},
    {"xoxb-", "a bot token (xoxb-…)", HM_SLACK_TOKEN_BOT},
    {"xoxe.xoxb-", "a bot token (xoxb-…)", HM_SLACK_TOKEN_BOT},
    {"xoxp-", "a person's token (xoxp-…)", HM_SLACK_TOKEN_NR},
    {"xoxe.xoxp-", "a person's token (xoxp-…)", HM_SLACK_TOKEN_NR},
    {"xoxe-", "a refresh token (xoxe-…)", HM_SLACK_TOKEN_NR},
    {"\"", "a token in quotes", HM_SLACK_TOKEN_NR},
    {"'", "a token in quotes", HM_SLACK_TOKEN_NR},
    {"Bearer ", "a token with the word Bearer before it", HM_SLACK_TOKEN_NR},
};

static const char *const wanted[] = {
    [HM_SLACK_TOKEN_APP] = "an app-level token, which begins with xapp- (Basic Information, App-Level Tokens)",
    [HM_SLACK_TOKEN_BOT] = "the bot token, which begins with xoxb- (OAuth & Permissions, Bot User OAuth Token)",
};

static enum hm_code judge(enum hm_slack_token which, const char *ref, const char *token, struct hm_err *err)
{
    const char *key = which == HM_SLACK_TOKEN_APP ? "slack.app_token" : "slack.bot_token";
    for (size_t i = 0; i < HM_ARRAY_LEN(kinds); i++) {
        if (!hm_starts_with(token, kinds[i].begins))
            continue;
        if (kinds[i].which == (int)which)
            return HM_OK;
        return hm_err_set(err, HM_EINVAL, "%s (%s) holds %s; it must be %s%s", key, ref, kinds[i].is, wanted[which],
                          kinds[i].which != HM_SLACK_TOKEN_NR ? ". Are the two swapped?" : "");
    }
    /* Slack may give its tokens another beginning one day: it says itself whether it takes this one. */
    hm_log(HM_LOG_WARN, "slack", "%s (%s) does not look like a token of Slack; it should be %s", key, ref, wanted[which]);
    return HM_OK;
}

enum hm_code hm_slack_token_read(const struct hm_settings *settings, enum hm_slack_token which, char **ret_token,
                                 struct hm_err *err)
{
    const char *ref = which == HM_SLACK_TOKEN_APP ? settings->slack.app_token : settings->slack.bot_token;
    char *token = NULL;
    enum hm_code code = hm_secret_read(ref, settings->dir, &token, err);
    if (code == HM_OK)
        code = judge(which, ref, token, err);
    if (code != HM_OK) {
        hm_secret_free(token);
        token = NULL;
    }
    *ret_token = token;
    return code;
}
