/* The manifest: Slack's lengths (manifest schema v1), no key that Slack would refuse, and the names it is made with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/manifest.h"

static void assert_len(const json_t *manifest, const char *path, size_t min, size_t max)
{
    const char *s = json_string_value(hm_json_get_path(manifest, path));
    assert_non_null(s);
    size_t n = hm_utf8_count(s);
    if (n < min || n > max)
        fail_msg("%s has %zu characters", path, n);
}

static void assert_keys(const json_t *manifest, const char *path, const char *const *keys)
{
    const json_t *obj = path[0] != '\0' ? hm_json_get_path(manifest, path) : manifest;
    size_t n = 0;
    for (; keys[n] != NULL; n++)
        if (json_object_get(obj, keys[n]) == NULL)
            fail_msg("%s has no %s", path, keys[n]);
    assert_int_equal(json_object_size(obj), n);
}

static void test_lengths(void **state)
{
    (void)state;
    json_t *m = hm_slack_manifest_new("hausmeister", "/hausmeister", NULL);
    assert_non_null(m);
    assert_len(m, "display_information.name", 1, 35);
    assert_len(m, "display_information.description", 1, 140);
    assert_len(m, "display_information.long_description", 175, 4000);
    assert_len(m, "display_information.background_color", 7, 7);
    assert_len(m, "features.bot_user.display_name", 1, 80);
    assert_len(m, "features.slash_commands.0.command", 2, 32);
    assert_len(m, "features.slash_commands.0.description", 1, 2000);
    assert_len(m, "features.slash_commands.0.usage_hint", 1, 1000);
    for (int i = 0; i < 2; i++) {
        static const char *const paths[][3] = {
            {"features.shortcuts.0.name", "features.shortcuts.0.description", "features.shortcuts.0.callback_id"},
            {"features.shortcuts.1.name", "features.shortcuts.1.description", "features.shortcuts.1.callback_id"}};
        assert_len(m, paths[i][0], 1, 24);
        assert_len(m, paths[i][1], 1, 150);
        assert_len(m, paths[i][2], 1, 255);
    }
    json_decref(m);
}

static void test_keys(void **state)
{
    (void)state;
    static const char *const top[] = {"_metadata", "display_information", "features", "oauth_config", "settings", NULL};
    static const char *const features[] = {"app_home", "bot_user", "shortcuts", "slash_commands", NULL};
    static const char *const settings[] = {"event_subscriptions", "interactivity",          "org_deploy_enabled",
                                           "socket_mode_enabled", "token_rotation_enabled", NULL};
    static const char *const slash[] = {"command", "description", "usage_hint", "should_escape", NULL};
    json_t *m = hm_slack_manifest_new("hausmeister", "/hausmeister", NULL);
    assert_keys(m, "", top);
    assert_keys(m, "features", features);
    assert_keys(m, "settings", settings);
    assert_keys(m, "features.slash_commands.0", slash);
    assert_true(json_is_true(hm_json_get_path(m, "settings.socket_mode_enabled")));
    assert_true(json_is_true(hm_json_get_path(m, "features.slash_commands.0.should_escape")));
    json_decref(m);
}

static bool has(const json_t *list, const char *word)
{
    size_t i = 0;
    json_t *v = NULL;
    json_array_foreach(list, i, v) if (hm_streq(json_string_value(v), word)) return true;
    return false;
}

/* Each event needs its scope, or Slack refuses the manifest. */
static void test_events_have_their_scopes(void **state)
{
    (void)state;
    static const struct {
        const char *event, *scope;
    } rows[] = {{"app_mention", "app_mentions:read"},   {"message.channels", "channels:history"},
                {"message.groups", "groups:history"},   {"message.im", "im:history"},
                {"subteam_updated", "usergroups:read"}, {"subteam_members_changed", "usergroups:read"},
                {"channel_id_changed", "channels:read"}};
    json_t *m = hm_slack_manifest_new("hausmeister", "/hausmeister", NULL);
    const json_t *bot_events = hm_json_get_path(m, "settings.event_subscriptions.bot_events");
    const json_t *bot_scopes = hm_json_get_path(m, "oauth_config.scopes.bot");
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        assert_true(has(bot_events, rows[i].event));
        assert_true(has(bot_scopes, rows[i].scope));
    }
    assert_true(has(bot_scopes, "chat:write"));
    assert_true(has(bot_scopes, "commands"));
    assert_false(has(bot_scopes, "chat:write.public"));
    json_decref(m);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const wrong[] = {"hausmeister", "/", "", "/Haus", "/a b", "/0123456789012345678901234567890x", "/ä"};
    struct hm_err err = {0};
    json_t *m = hm_slack_manifest_new("Hausmeister (test)", "/hm-test_2", &err);
    assert_string_equal(json_string_value(hm_json_get_path(m, "features.slash_commands.0.command")), "/hm-test_2");
    assert_string_equal(json_string_value(hm_json_get_path(m, "display_information.name")), "Hausmeister (test)");
    json_decref(m);
    for (size_t i = 0; i < HM_ARRAY_LEN(wrong); i++) {
        assert_null(hm_slack_manifest_new("hausmeister", wrong[i], &err));
        assert_int_equal(err.code, HM_EINVAL);
    }
    assert_null(hm_slack_manifest_new("", "/hausmeister", &err));
    assert_null(hm_slack_manifest_new("a name of more than thirty-five characters", "/hausmeister", &err));
    assert_string_equal(err.msg,
                        "the app's name \"a name of more than thirty-five characters\" has 42 characters; Slack takes 1 to 35");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_events_have_their_scopes),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
