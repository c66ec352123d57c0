/* The Slack app manifest: see manifest.h. It asks for what the program needs and no more: no chat:write.public, no e-mail
 * addresses, no user token, no admin scope. */
#include "slack/manifest.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { NAME_MAX_CHARS = 35, COMMAND_MAX = 32 };

static const char *const scopes[] = {
    "app_mentions:read", /* @hausmeister … in a thread, where slash commands can not be typed */
    "channels:history",  /* alarms, and catching up after a gap; only where the bot was invited */
    "channels:join",     "channels:read",   "chat:write",             /* cards */
    "commands",                                                       /* the slash command and the shortcuts */
    "files:write",                                                    /* a plan that is too long for a card */
    "groups:history",    "groups:read",     "im:history", "im:write", /* asking an approver */
    "reactions:write",   "usergroups:read",                           /* who may approve: the rota's group */
    "users:read",                                                     /* who may approve: no bots, no guests, nobody who left */
};

static const char *const events[] = {
    "app_home_opened", "app_mention", "app_uninstalled",         "channel_id_changed", "message.channels",
    "message.groups",  "message.im",  "subteam_members_changed", "subteam_updated",    "tokens_revoked",
};

static json_t *strings_new(const char *const *strings, size_t n)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < n; i++)
        hm_json_add(list, hm_json_str_new(strings[i]));
    return list;
}

static json_t *shortcut_new(const char *name, const char *type, const char *callback_id, const char *description)
{
    json_t *obj = hm_json_obj_new();
    hm_json_set_str(obj, "name", name);
    hm_json_set_str(obj, "type", type);
    hm_json_set_str(obj, "callback_id", callback_id);
    hm_json_set_str(obj, "description", description);
    return obj;
}

static json_t *display_new(const char *app_name)
{
    json_t *display = hm_json_obj_new();
    hm_json_set_str(display, "name", app_name);
    hm_json_set_str(display, "description", "On-call recipes from Slack: every destructive request is shown and approved first.");
    hm_json_set_str(display, "background_color", "#1f3a5f");
    hm_json_set_str(
        display, "long_description",
        "Runs the on-call engineer's runbooks where the team already talks. A slash command, a mention or an alarm starts a "
        "recipe; one card in the thread shows each step as it happens. Before anything is changed, the card shows exactly "
        "what will be sent, and somebody else has to approve it. Everything is kept in a journal that can be audited.");
    return display;
}

static json_t *features_new(const char *app_name, const char *command)
{
    json_t *home = hm_json_obj_new();
    hm_json_set_bool(home, "home_tab_enabled", true);
    hm_json_set_bool(home, "messages_tab_enabled", true);
    hm_json_set_bool(home, "messages_tab_read_only_enabled", false);

    json_t *bot = hm_json_obj_new();
    hm_json_set_str(bot, "display_name", app_name);
    hm_json_set_bool(bot, "always_online", true);

    json_t *shortcuts = hm_json_arr_new();
    hm_json_add(shortcuts, shortcut_new("Run a recipe for this", "message", HM_SHORTCUT_ON_MESSAGE,
                                        "Start a recipe with what this message says, in its thread"));
    hm_json_add(shortcuts, shortcut_new("Run a recipe", "global", HM_SHORTCUT_START, "Choose a recipe and fill in its form"));

    json_t *slash = hm_json_obj_new();
    hm_json_set_str(slash, "command", command);
    hm_json_set_str(slash, "description", "Run an on-call recipe, or ask what there is");
    hm_json_set_str(slash, "usage_hint", "help | <recipe> <arguments>");
    hm_json_set_bool(slash, "should_escape", true);
    json_t *commands = hm_json_arr_new();
    hm_json_add(commands, slash);

    json_t *features = hm_json_obj_new();
    hm_json_set(features, "app_home", home);
    hm_json_set(features, "bot_user", bot);
    hm_json_set(features, "shortcuts", shortcuts);
    hm_json_set(features, "slash_commands", commands);
    return features;
}

static json_t *settings_new(void)
{
    json_t *subscriptions = hm_json_obj_new();
    hm_json_set(subscriptions, "bot_events", strings_new(events, HM_ARRAY_LEN(events)));
    json_t *interactivity = hm_json_obj_new();
    hm_json_set_bool(interactivity, "is_enabled", true);

    json_t *settings = hm_json_obj_new();
    hm_json_set(settings, "event_subscriptions", subscriptions);
    hm_json_set(settings, "interactivity", interactivity);
    hm_json_set_bool(settings, "org_deploy_enabled", false);
    hm_json_set_bool(settings, "socket_mode_enabled", true);
    hm_json_set_bool(settings, "token_rotation_enabled", false); /* a rotating token would expire under a running bot */
    return settings;
}

static bool command_ok(const char *command)
{
    size_t len = strlen(command);
    return command[0] == '/' && len >= 2 && len <= COMMAND_MAX &&
           strspn(command + 1, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len - 1;
}

json_t *hm_slack_manifest_new(const char *app_name, const char *command, struct hm_err *err)
{
    size_t name_len = hm_utf8_count(app_name);
    if (name_len == 0 || name_len > NAME_MAX_CHARS) {
        (void)hm_err_set(err, HM_EINVAL, "the app's name \"%.60s\" has %zu characters; Slack takes 1 to %d", app_name, name_len,
                         NAME_MAX_CHARS);
        return NULL;
    }
    if (!command_ok(command)) {
        (void)hm_err_set(err, HM_EINVAL,
                         "slack.command \"%.60s\" is no slash command; write a slash and 1 to 31 of a-z, 0-9, - and _, like "
                         "\"/hausmeister\"",
                         command);
        return NULL;
    }
    json_t *metadata = hm_json_obj_new();
    hm_json_set_int(metadata, "major_version", 1);
    hm_json_set_int(metadata, "minor_version", 1);

    json_t *bot_scopes = hm_json_obj_new();
    hm_json_set(bot_scopes, "bot", strings_new(scopes, HM_ARRAY_LEN(scopes)));
    json_t *oauth = hm_json_obj_new();
    hm_json_set(oauth, "scopes", bot_scopes);

    json_t *manifest = hm_json_obj_new();
    hm_json_set(manifest, "_metadata", metadata);
    hm_json_set(manifest, "display_information", display_new(app_name));
    hm_json_set(manifest, "features", features_new(app_name, command));
    hm_json_set(manifest, "oauth_config", oauth);
    hm_json_set(manifest, "settings", settings_new());
    return manifest;
}
