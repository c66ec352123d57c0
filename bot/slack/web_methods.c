/* The tables of the Web API: see web_methods.h. */
#include "slack/web_methods.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Slack's tiers are "n or more per minute". The burst is part of n (web_pace.h). */
#define TIER_2       20, 4
#define TIER_3       50, 10
#define TIER_4       100, 20
#define SEVERAL_MIN  240, 20 /* chat.postMessage: "several hundred per minute" */
#define HUNDREDS_MIN 600, 50
#define OPEN_PER_MIN 30, 3 /* apps.connections.open: tier 3 in the docs, tier 1 in two SDKs; once per 2 s is enough */
#define VIEW_MAX_AGE 2500  /* a trigger_id lives 3 s */
#define NEVER        HM_WEB_REPEAT_NEVER
#define PROVEN       HM_WEB_REPEAT_PROVEN
#define ALWAYS       HM_WEB_REPEAT_ALWAYS

/* `form`: Slack answers conversations.replies sent as JSON with invalid_arguments (Yeachan-Heo/gajae-code#3824) and users.info
 * with user_not_found, because it does not see the argument (kortix-ai/suna#6616). A form works for every method; the writing
 * ones get JSON, which needs no second encoding of blocks and metadata. */
static const struct hm_web_method methods[] = {
    {"apps.connections.open", OPEN_PER_MIN, NEVER, true, false, 0, NULL},
    {"auth.test", HUNDREDS_MIN, ALWAYS, true, false, 0, NULL},
    {"chat.postMessage", SEVERAL_MIN, PROVEN, false, true, 0, NULL},
    {"chat.postEphemeral", TIER_4, PROVEN, false, false, 0, NULL},
    {"chat.update", TIER_3, ALWAYS, false, false, 0, NULL},
    {"chat.delete", TIER_3, ALWAYS, false, false, 0, "message_not_found"},
    {"chat.getPermalink", HUNDREDS_MIN, ALWAYS, true, false, 0, NULL},
    {"views.open", TIER_4, NEVER, false, false, VIEW_MAX_AGE, NULL},
    {"views.push", TIER_4, NEVER, false, false, VIEW_MAX_AGE, NULL},
    {"views.update", TIER_4, ALWAYS, false, false, 0, NULL},
    {"views.publish", TIER_4, ALWAYS, false, false, 0, NULL},
    {"conversations.info", TIER_3, ALWAYS, true, false, 0, NULL},
    {"conversations.list", TIER_2, ALWAYS, true, false, 0, NULL},
    {"conversations.history", TIER_3, ALWAYS, true, false, 0, NULL},
    {"conversations.replies", TIER_3, ALWAYS, true, false, 0, NULL},
    {"conversations.join", TIER_3, ALWAYS, false, false, 0, NULL},
    {"conversations.open", TIER_3, ALWAYS, false, false, 0, NULL},
    {"users.info", TIER_4, ALWAYS, true, false, 0, NULL},
    {"users.lookupByEmail", TIER_3, ALWAYS, true, false, 0, NULL},
    {"usergroups.list", TIER_2, ALWAYS, true, false, 0, NULL},
    {"usergroups.users.list", TIER_2, ALWAYS, true, false, 0, NULL},
    {"reactions.add", TIER_3, ALWAYS, false, false, 0, "already_reacted"},
    {"reactions.remove", TIER_2, ALWAYS, false, false, 0, "no_reaction"},
    {"files.getUploadURLExternal", TIER_4, ALWAYS, true, false, 0, NULL},
    {"files.completeUploadExternal", TIER_4, PROVEN, false, false, 0, NULL},
};

static const struct hm_web_method unknown_method = {"", TIER_2, PROVEN, true, false, 0, NULL};
/* Slack allows five posts to one address; nothing is documented on pace. Only one of thirty minutes' worth makes sense to keep.
 */
static const struct hm_web_method response_url = {"response_url",          HUNDREDS_MIN, PROVEN, false, false,
                                                  (int64_t)29 * 60 * 1000, NULL};

/* The address lives for some minutes; the same bytes twice are one file. */
static const struct hm_web_method upload = {"upload", HUNDREDS_MIN, ALWAYS, false, false, (int64_t)5 * 60 * 1000, NULL};

const struct hm_web_method *hm_web_method_upload(void)
{
    return &upload;
}

const struct hm_web_method *hm_web_method_find(const char *name)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(methods); i++) {
        if (hm_streq(methods[i].name, name))
            return &methods[i];
    }
    return &unknown_method;
}

const struct hm_web_method *hm_web_method_response_url(void)
{
    return &response_url;
}

/* ---- error words ------------------------------------------------------------------------------------------------------ */

#define NEW_TOKEN "put a valid token into the bot's settings"

static const struct hm_web_error errors[] = {
    /* the token, the app */
    {"not_authed", HM_EENV, HM_WEB_REFUSED, true, "Slack got no token; " NEW_TOKEN},
    {"invalid_auth", HM_EENV, HM_WEB_REFUSED, true, "Slack does not know this token; " NEW_TOKEN},
    {"token_revoked", HM_EENV, HM_WEB_REFUSED, true, "the token was revoked; install the app again and " NEW_TOKEN},
    {"token_expired", HM_EENV, HM_WEB_REFUSED, true, "the token has expired; " NEW_TOKEN},
    {"account_inactive", HM_EENV, HM_WEB_REFUSED, true, "the bot's account is switched off; install the app again"},
    {"user_removed_from_team", HM_EENV, HM_WEB_REFUSED, true, "the bot was removed from the workspace; install the app again"},
    {"team_disabled", HM_EENV, HM_WEB_REFUSED, true, "the workspace is switched off"},
    {"not_allowed_token_type", HM_EENV, HM_WEB_REFUSED, true,
     "wrong kind of token; app_token begins with xapp-, bot_token with xoxb-"},
    {"missing_scope", HM_EENV, HM_WEB_REFUSED, true, "the app lacks a permission; add the scope and install it again"},
    {"no_permission", HM_EENV, HM_WEB_REFUSED, true, "the token may not do this; check the app's scopes"},
    {"missing_args", HM_EENV, HM_WEB_REFUSED, true, "Slack misses an argument; check the app-level token"},
    {"forbidden_team", HM_EENV, HM_WEB_REFUSED, true, "the app may not be used in this workspace"},
    {"org_login_required", HM_EENV, HM_WEB_REFUSED, true, "the workspace is being moved into an organisation"},
    {"ekm_access_denied", HM_EENV, HM_WEB_REFUSED, true, "an administrator has suspended access to the messages"},
    {"team_access_not_granted", HM_EENV, HM_WEB_REFUSED, true, "the app is not installed in this workspace"},
    {"access_denied", HM_EPERM, HM_WEB_REFUSED, false, "Slack denies access to this"},
    {"accesslimited", HM_EPERM, HM_WEB_REFUSED, false, "Slack limits access to this method"},
    /* rate and health */
    {"ratelimited", HM_EIO, HM_WEB_HELD, false, "Slack asks to slow down"},
    {"rate_limited", HM_EIO, HM_WEB_HELD, false, "Slack asks to slow down"},
    {"message_limit_exceeded", HM_EIO, HM_WEB_TRY_AGAIN, false, "members are posting too fast for this channel"},
    {"team_added_to_org", HM_EIO, HM_WEB_TRY_AGAIN, false, "the workspace is being moved into an organisation"},
    {"service_unavailable", HM_EIO, HM_WEB_MAYBE, false, "Slack is not available"},
    {"internal_error", HM_EIO, HM_WEB_MAYBE, false, "Slack had an internal error"},
    {"fatal_error", HM_EIO, HM_WEB_MAYBE, false, "Slack had an internal error"},
    {"request_timeout", HM_EIO, HM_WEB_MAYBE, false, "Slack did not get the whole request in time"},
    /* where */
    {"channel_not_found", HM_ENOTFOUND, HM_WEB_REFUSED, false, "the bot can not see this channel; invite it with /invite"},
    {"not_in_channel", HM_EPERM, HM_WEB_REFUSED, false, "the bot is not in this channel; invite it with /invite"},
    {"is_archived", HM_EPERM, HM_WEB_REFUSED, false, "the channel is archived"},
    {"is_inactive", HM_EPERM, HM_WEB_REFUSED, false, "the channel is frozen"},
    {"restricted_action", HM_EPERM, HM_WEB_REFUSED, false, "the workspace does not let the bot post here"},
    {"restricted_action_read_only_channel", HM_EPERM, HM_WEB_REFUSED, false, "this channel is read-only for the bot"},
    {"restricted_action_thread_only_channel", HM_EPERM, HM_WEB_REFUSED, false, "this channel takes replies in threads only"},
    {"restricted_action_non_threadable_channel", HM_EPERM, HM_WEB_REFUSED, false, "this channel has no threads"},
    {"restricted_action_thread_locked", HM_EPERM, HM_WEB_REFUSED, false, "this thread is locked"},
    {"cannot_reply_to_message", HM_EPERM, HM_WEB_REFUSED, false, "this message can have no thread"},
    {"thread_not_found", HM_ENOTFOUND, HM_WEB_REFUSED, false, "the thread does not exist any more"},
    {"messages_tab_disabled", HM_EPERM, HM_WEB_REFUSED, false, "direct messages to the app are switched off"},
    {"user_not_in_channel", HM_EPERM, HM_WEB_REFUSED, false, "this person is not in the channel"},
    {"user_not_found", HM_ENOTFOUND, HM_WEB_REFUSED, false, "Slack does not know this person"},
    {"users_not_found", HM_ENOTFOUND, HM_WEB_REFUSED, false, "nobody in Slack has this address"},
    {"user_not_visible", HM_EPERM, HM_WEB_REFUSED, false, "the bot may not see this person"},
    {"user_disabled", HM_EPERM, HM_WEB_REFUSED, false, "this person's account is switched off"},
    {"no_such_subteam", HM_ENOTFOUND, HM_WEB_REFUSED, false, "Slack does not know this user group"},
    {"method_not_supported_for_channel_type", HM_EINVAL, HM_WEB_REFUSED, false, "not possible in this kind of channel"},
    /* which message */
    {"message_not_found", HM_ENOTFOUND, HM_WEB_REFUSED, false, "the message does not exist any more"},
    {"cant_update_message", HM_EPERM, HM_WEB_REFUSED, false, "this message is not the bot's own"},
    {"cant_delete_message", HM_EPERM, HM_WEB_REFUSED, false, "this message is not the bot's own"},
    {"edit_window_closed", HM_EPERM, HM_WEB_REFUSED, false, "the workspace does not let messages this old be edited"},
    {"block_mismatch", HM_EINVAL, HM_WEB_REFUSED, false, "these blocks can not replace those of the message"},
    /* what */
    {"msg_blocks_too_long", HM_ETOOBIG, HM_WEB_REFUSED, false, "the message is too long for Slack"},
    {"msg_too_long", HM_ETOOBIG, HM_WEB_REFUSED, false, "the message is too long for Slack"},
    {"msg_too_large", HM_ETOOBIG, HM_WEB_REFUSED, false, "the message is too long for Slack"},
    {"too_many_attachments", HM_ETOOBIG, HM_WEB_REFUSED, false, "the message has too many attachments"},
    {"metadata_too_large", HM_ETOOBIG, HM_WEB_REFUSED, false, "the message's metadata is too long"},
    {"view_too_large", HM_ETOOBIG, HM_WEB_REFUSED, false, "the form is too large for Slack"},
    {"no_text", HM_EBUG, HM_WEB_REFUSED, false, "the message is empty"},
    {"invalid_blocks", HM_EBUG, HM_WEB_REFUSED, false, "Slack does not take the message's blocks"},
    {"invalid_blocks_format", HM_EBUG, HM_WEB_REFUSED, false, "Slack does not take the message's blocks"},
    {"invalid_arguments", HM_EBUG, HM_WEB_REFUSED, false, "Slack does not take the arguments"},
    {"invalid_metadata_format", HM_EBUG, HM_WEB_REFUSED, false, "Slack does not take the message's metadata"},
    {"invalid_metadata_schema", HM_EBUG, HM_WEB_REFUSED, false, "Slack does not take the message's metadata"},
    /* forms */
    {"expired_trigger_id", HM_EIO, HM_WEB_REFUSED, false, "it took too long to open the form; please click again"},
    {"exchanged_trigger_id", HM_ECONFLICT, HM_WEB_REFUSED, false, "a form was opened with this click already"},
    {"invalid_trigger_id", HM_EINVAL, HM_WEB_REFUSED, false, "the form can not be opened any more; please click again"},
    {"hash_conflict", HM_ECONFLICT, HM_WEB_REFUSED, false, "the form was changed meanwhile"},
    {"not_found", HM_ENOTFOUND, HM_WEB_REFUSED, false, "the form is closed already"},
    /* response_url */
    {"expired_url", HM_ENOTFOUND, HM_WEB_REFUSED, false, "the answer came too late (30 minutes) for Slack"},
    {"used_url", HM_ENOTFOUND, HM_WEB_REFUSED, false, "Slack takes no more answers to this (5 at most)"},
};

const struct hm_web_error *hm_web_error_find(const char *word)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(errors); i++) {
        if (hm_streq(errors[i].word, word))
            return &errors[i];
    }
    return NULL;
}

/* ---- redaction -------------------------------------------------------------------------------------------------------- */

#define SECRET_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.%/"

void hm_web_redact(char *text)
{
    /* what comes before the secret part, and stays */
    static const char *const marks[] = {"xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-",   "xoxe.",           "xoxp-",
                                        "xoxr-", "xoxs-", "xapp-", "xwfp-", "ticket=", "hooks.slack.com/"};

    for (size_t i = 0; i < HM_ARRAY_LEN(marks); i++) {
        for (char *at = strstr(text, marks[i]); at != NULL; at = strstr(at, marks[i])) {
            at += strlen(marks[i]);
            size_t n = strspn(at, SECRET_CHARS);
            memset(at, '*', n);
            at += n;
        }
    }
}
