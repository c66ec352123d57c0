/* Envelopes as Slack sends them, and as it sends them on a bad day. */
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
#include "slack/request.h"

static struct hm_slack_request r;

static void parse(const char *text)
{
    hm_slack_request_parse(text, strlen(text), &r);
}

static int done(void **state)
{
    (void)state;
    hm_slack_request_done(&r);
    return 0;
}

static void assert_values(const char *want)
{
    char *text = hm_json_text(r.values);
    assert_string_equal(text, want);
    free(text);
}

static void test_command(void **state)
{
    (void)state;
    parse(
        "{\"payload\":{\"team_id\":\"T1\",\"enterprise_id\":\"E1\",\"channel_id\":\"C1\",\"user_id\":\"U1\",\"command\":\"/"
        "hausmeister\","
        "\"text\":\"retract 42 in <#C9|etl>\",\"api_app_id\":\"A1\",\"is_enterprise_install\":\"true\",\"trigger_id\":\"1.2.x\","
        "\"response_url\":\"https://hooks.example/x\"},\"type\":\"slash_commands\",\"envelope_id\":\"e-1\","
        "\"accepts_response_payload\":true,\"retry_attempt\":2}");
    assert_int_equal(r.kind, HM_SLACK_COMMAND);
    assert_string_equal(r.envelope_id, "e-1");
    assert_true(r.accepts_response_payload);
    assert_int_equal(r.retry_attempt, 2);
    assert_string_equal(r.team, "T1");
    assert_string_equal(r.user_team, "T1");
    assert_string_equal(r.enterprise, "E1");
    assert_true(r.enterprise_install);
    assert_string_equal(r.user, "U1");
    assert_string_equal(r.channel, "C1");
    assert_string_equal(r.command, "/hausmeister");
    assert_string_equal(r.text, "retract 42 in <#C9|etl>");
    assert_string_equal(r.app_id, "A1");
    assert_string_equal(r.trigger_id, "1.2.x");
    assert_string_equal(r.response_url, "https://hooks.example/x");
    assert_string_equal(r.thread_ts, "");
}

static void test_click(void **state)
{
    (void)state;
    parse("{\"envelope_id\":\"e\",\"type\":\"interactive\",\"payload\":{\"type\":\"block_actions\",\"api_app_id\":\"A1\","
          "\"team\":null,"
          "\"enterprise\":{\"id\":\"E1\"},\"is_enterprise_install\":true,\"user\":{\"id\":\"U2\",\"team_id\":\"T2\"},"
          "\"container\":{\"type\":\"message\",\"message_ts\":\"1700000000.000500\",\"thread_ts\":\"1700000000.000100\","
          "\"channel_id\":\"C1\",\"is_ephemeral\":true},\"trigger_id\":\"t\",\"state\":{\"values\":{\"b\":{\"s\":{\"type\":"
          "\"checkboxes\",\"selected_options\":[{\"value\":\"x\"},{\"value\":\"y\"}]}}}},\"response_url\":\"https://r\","
          "\"actions\":[{\"type\":\"button\",\"block_id\":\"r-1.4\",\"action_id\":\"hm.approve#12\",\"value\":\"nonce\"}]}}");
    assert_int_equal(r.kind, HM_SLACK_CLICK);
    assert_string_equal(r.team, "");
    assert_string_equal(r.enterprise, "E1");
    assert_string_equal(r.user_team, "T2");
    assert_string_equal(r.channel, "C1");
    assert_string_equal(r.message_ts, "1700000000.000500");
    assert_string_equal(r.thread_ts, "1700000000.000100");
    assert_true(r.is_reply);
    assert_true(r.is_ephemeral);
    assert_string_equal(r.action_id, "hm.approve");
    assert_string_equal(r.block_id, "r-1.4");
    assert_string_equal(r.value, "nonce");
    assert_int_equal(json_array_size(r.selected), 0);
    assert_null(r.message);
    assert_values("{\"b\":[\"x\",\"y\"]}");
}

static void test_choices(void **state)
{
    (void)state;
    static const struct {
        const char *action, *want;
    } rows[] = {
        {"{\"action_id\":\"a\",\"type\":\"static_select\",\"selected_option\":{\"value\":\"v\"}}", "[\"v\"]"},
        {"{\"action_id\":\"a\",\"type\":\"multi_users_select\",\"selected_users\":[\"U1\",\"U2\",7]}", "[\"U1\",\"U2\"]"},
        {"{\"action_id\":\"a\",\"type\":\"datepicker\",\"selected_date\":\"2026-11-23\"}", "[\"2026-11-23\"]"},
        {"{\"action_id\":\"a\",\"type\":\"static_select\",\"selected_option\":null}", "[]"},
        {"{\"action_id\":\"a\",\"type\":\"static_select\",\"selected_option\":[],\"selected_options\":{}}", "[]"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        char *text =
            hm_xasprintf("{\"type\":\"interactive\",\"payload\":{\"type\":\"block_actions\",\"actions\":[%s]}}", rows[i].action);
        parse(text);
        assert_int_equal(r.kind, HM_SLACK_CLICK);
        char *got = hm_json_text(r.selected);
        assert_string_equal(got, rows[i].want);
        free(got);
        free(text);
        hm_slack_request_done(&r);
    }
    parse("{}");
}

static void test_views(void **state)
{
    (void)state;
    parse("{\"type\":\"interactive\",\"payload\":{\"type\":\"view_submission\",\"team\":{\"id\":\"T1\"},\"user\":{\"id\":\"U1\"},"
          "\"trigger_id\":\"t\",\"view\":{\"id\":\"V1\",\"hash\":\"h\",\"callback_id\":\"hm.start\",\"private_metadata\":\"{}\","
          "\"previous_view_id\":null,\"state\":{\"values\":{\"id\":{\"value\":{\"type\":\"plain_text_input\",\"value\":\"x\"}},"
          "\"none\":{\"value\":{\"type\":\"plain_text_input\",\"value\":null}},\"env\":{\"value\":{\"type\":\"static_select\","
          "\"selected_option\":{\"value\":\"foz\"}}},\"many\":{\"value\":{\"type\":\"multi_static_select\",\"selected_options\":"
          "[{\"value\":\"a\"}]}},\"empty\":{},\"odd\":3}}}}}");
    assert_int_equal(r.kind, HM_SLACK_VIEW_SUBMISSION);
    assert_string_equal(r.callback_id, "hm.start");
    assert_string_equal(r.private_metadata, "{}");
    assert_string_equal(r.view_id, "V1");
    assert_string_equal(r.view_hash, "h");
    assert_non_null(r.view);
    assert_values("{\"env\":\"foz\",\"id\":\"x\",\"many\":[\"a\"],\"none\":null}");
    hm_slack_request_done(&r);

    parse("{\"type\":\"interactive\",\"payload\":{\"type\":\"view_closed\",\"user\":{\"id\":\"U1\"},\"is_cleared\":\"true\","
          "\"view\":{\"callback_id\":\"c\",\"state\":{},\"close\":null}}}");
    assert_int_equal(r.kind, HM_SLACK_VIEW_CLOSED);
    assert_true(r.is_cleared);
    assert_values("{}");
}

static void test_shortcuts(void **state)
{
    (void)state;
    parse("{\"type\":\"interactive\",\"payload\":{\"type\":\"shortcut\",\"callback_id\":\"hm_recipe_start\",\"trigger_id\":\"t\","
          "\"user\":{\"id\":\"U1\"}}}");
    assert_int_equal(r.kind, HM_SLACK_SHORTCUT);
    assert_string_equal(r.callback_id, "hm_recipe_start");
    assert_string_equal(r.channel, "");
    hm_slack_request_done(&r);

    parse("{\"type\":\"interactive\",\"payload\":{\"type\":\"message_action\",\"callback_id\":\"hm_recipe_on_message\",\"message_"
          "ts\":"
          "\"1700000000.000300\",\"channel\":{\"id\":\"C1\"},\"message\":{\"text\":\"dead letters\",\"bot_id\":\"B1\"}}}");
    assert_int_equal(r.kind, HM_SLACK_MESSAGE_ACTION);
    assert_string_equal(r.message_ts, "1700000000.000300");
    assert_string_equal(r.channel, "C1");
    assert_string_equal(hm_json_get_str(r.message, "text", ""), "dead letters");
    hm_slack_request_done(&r);

    parse("{\"type\":\"interactive\",\"payload\":{\"type\":\"block_suggestion\",\"action_id\":\"a\",\"block_id\":\"b\",\"value\":"
          "\"fo\"}}");
    assert_int_equal(r.kind, HM_SLACK_SUGGESTION);
    assert_string_equal(r.action_id, "a");
    assert_string_equal(r.value, "fo");
}

static void test_message(void **state)
{
    (void)state;
    parse("{\"type\":\"events_api\",\"payload\":{\"team_id\":\"T1\",\"api_app_id\":\"A1\",\"type\":\"event_callback\",\"event_"
          "id\":\"Ev1\","
          "\"event_time\":1700000001,\"event\":{\"type\":\"message\",\"user\":\"U1\",\"text\":\"hey &amp; bye\",\"team\":\"T1\","
          "\"ts\":\"1700000000.000100\",\"thread_ts\":\"1700000000.000100\",\"channel\":\"C1\",\"channel_type\":\"channel\"}}}");
    assert_int_equal(r.kind, HM_SLACK_MESSAGE);
    assert_string_equal(r.event_id, "Ev1");
    assert_int_equal(r.event_time_s, 1700000001);
    assert_string_equal(r.text, "hey &amp; bye");
    assert_string_equal(r.user_team, "T1");
    assert_string_equal(r.channel_type, "channel");
    assert_false(r.is_bot);
    assert_false(r.is_reply);
    assert_false(r.is_edited);
    hm_slack_request_done(&r);

    /* A bot of the newer sort: no subtype. */
    parse(
        "{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"message\",\"user\":\"U9\",\"bot_id\":\"B1\",\"bot_profile\":"
        "{\"app_id\":\"A7\"},\"text\":\"\",\"ts\":\"1700000000.000200\",\"thread_ts\":\"1700000000.000100\",\"channel\":\"C1\","
        "\"attachments\":[{\"fallback\":\"x\"}]}}}");
    assert_int_equal(r.kind, HM_SLACK_MESSAGE);
    assert_true(r.is_bot);
    assert_true(r.is_reply);
    assert_string_equal(r.bot_id, "B1");
    assert_string_equal(r.sender_app, "A7");
    hm_slack_request_done(&r);

    /* One of the older sort, without bot_id and user. */
    parse("{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"message\",\"subtype\":\"bot_message\",\"text\":\"x\","
          "\"username\":\"Splunk\",\"ts\":\"1700000000.000200\",\"channel\":\"C1\"}}}");
    assert_int_equal(r.kind, HM_SLACK_MESSAGE);
    assert_true(r.is_bot);
    assert_string_equal(r.user, "");
}

static void test_edit(void **state)
{
    (void)state;
    parse(
        "{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"message\",\"subtype\":\"message_changed\",\"channel\":"
        "\"C1\","
        "\"ts\":\"1700000009.000900\",\"message\":{\"text\":\"now\",\"user\":\"U1\",\"ts\":\"1700000000.000100\",\"edited\":{}},"
        "\"previous_message\":[]}}}");
    assert_int_equal(r.kind, HM_SLACK_MESSAGE_CHANGED);
    assert_string_equal(r.message_ts, "1700000000.000100");
    assert_string_equal(r.text, "now");
    assert_true(r.is_edited);
    assert_null(r.previous);
    hm_slack_request_done(&r);

    parse("{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"message\",\"subtype\":\"message_changed\",\"message\":"
          "null}}}");
    assert_int_equal(r.kind, HM_SLACK_IGNORED);
    assert_string_equal(r.ignored, "An edit without the edited message.");
}

static void test_other_events(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        enum hm_slack_kind kind;
        const char *subteam, *tab;
    } rows[] = {
        {"{\"type\":\"app_home_opened\",\"user\":\"U1\",\"channel\":\"D1\",\"tab\":\"home\"}", HM_SLACK_HOME_OPENED, "", "home"},
        {"{\"type\":\"subteam_members_changed\",\"subteam_id\":\"S1\"}", HM_SLACK_SUBTEAM_CHANGED, "S1", ""},
        {"{\"type\":\"subteam_updated\",\"subteam\":{\"id\":\"S2\"}}", HM_SLACK_SUBTEAM_CHANGED, "S2", ""},
        {"{\"type\":\"tokens_revoked\"}", HM_SLACK_APP_REVOKED, "", ""},
        {"{\"type\":\"app_uninstalled\"}", HM_SLACK_APP_REVOKED, "", ""},
        {"{\"type\":\"channel_created\",\"channel\":{\"id\":\"C2\"}}", HM_SLACK_IGNORED, "", ""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        char *text = hm_xasprintf("{\"type\":\"events_api\",\"payload\":{\"event\":%s}}", rows[i].event);
        parse(text);
        assert_int_equal(r.kind, rows[i].kind);
        assert_string_equal(r.subteam, rows[i].subteam);
        assert_string_equal(r.tab, rows[i].tab);
        free(text);
        hm_slack_request_done(&r);
    }
    parse("{}");
}

static void test_mention(void **state)
{
    (void)state;
    parse("{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"app_mention\",\"user\":\"U1\",\"user_team\":\"T9\","
          "\"team\":\"T1\","
          "\"text\":\"<@U222> retract 42\",\"ts\":\"1515449522000016\",\"thread_ts\":\"1515449522000009\",\"channel\":\"C1\","
          "\"edited\":{\"user\":\"U1\"}}}}");
    assert_int_equal(r.kind, HM_SLACK_MENTION);
    assert_string_equal(r.message_ts, "1515449522.000016");
    assert_string_equal(r.thread_ts, "1515449522.000009");
    assert_string_equal(r.user_team, "T9");
    assert_true(r.is_edited);
    assert_string_equal(hm_slack_mention_text(r.text, "U222"), "retract 42");
}

static void test_mention_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bot, *want;
    } rows[] = {
        {"<@U1> help", "U1", "help"},
        {"  <@U1|hm>: help", "U1", "help"},
        {"<@U1>\xc2\xa0help", "U1", "help"},
        {"<@U1>\xc2\xa3", "U1", "\xc2\xa3"},
        {"<@U1> <@U1> help", "U1", "help"},
        {"<@U2> help", "U1", "<@U2> help"},
        {"<@U12> help", "U1", "<@U12> help"},
        {"<@U2> help", NULL, "help"},
        {"hey <@U1> help", "U1", "hey <@U1> help"},
        {"<@U1>", "U1", ""},
        {"<@U1", "U1", "<@U1"},
        {"", "U1", ""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++)
        assert_string_equal(hm_slack_mention_text(rows[i].text, rows[i].bot), rows[i].want);
}

static void test_ignored(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "An envelope that is no JSON object"},
        {"UNAUTHENTICATED: cache_error", "An envelope that is no JSON object"},
        {"", "An envelope that is no JSON object"},
        {"{}", "An envelope of type \"\" without a payload."},
        {"{\"type\":\"interactive\",\"payload\":\"text\"}", "An envelope of type \"interactive\" without a payload."},
        {"{\"type\":\"news\",\"payload\":{}}", "An envelope of type \"news\", which is not known here."},
        {"{\"type\":\"slash_commands\",\"payload\":{}}", "A slash command without a name."},
        {"{\"type\":\"interactive\",\"payload\":{\"type\":\"interactive_message\"}}",
         "An interaction of type \"interactive_message\", which hausmeister never offers."},
        {"{\"type\":\"interactive\",\"payload\":{\"type\":\"block_actions\",\"actions\":[]}}", "A click without an action_id."},
        {"{\"type\":\"interactive\",\"payload\":{\"type\":\"block_actions\",\"actions\":[3]}}", "A click without an action_id."},
        {"{\"type\":\"events_api\",\"payload\":{\"type\":\"app_rate_limited\",\"minute_rate_limited\":1}}",
         "An event of type \"app_rate_limited\" without an inner event."},
        {"{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"message\",\"subtype\":\"channel_join\"}}}",
         "A message of subtype \"channel_join\"."},
        {"{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"goodbye\"}}}", "An event of type \"goodbye\"."},
        {"{\"type\":\"01234567890123456789012345678901234567890123456789012345678\xc3\xa4x\",\"payload\":{}}",
         "An envelope of type \"01234567890123456789012345678901234567890123456789012345678\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        parse(rows[i].text);
        assert_int_equal(r.kind, HM_SLACK_IGNORED);
        if (!hm_starts_with(r.ignored, rows[i].why))
            fail_msg("row %zu: %s", i, r.ignored);
        hm_slack_request_done(&r);
    }
    parse("{}");
}

static void test_timestamps(void **state)
{
    (void)state;
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"\"1700000000.000100\"", "1700000000.000100"},
        {"\"1515449522000016\"", "1515449522.000016"},
        {"\"\"", ""},
        {"1700000000.1", ""},
        {"null", ""},
        {"\"17.00.1\"", ""},
        {"\".5\"", ""},
        {"\"1.\"", ""},
        {"\"abc.def\"", ""},
        {"\"17000000000000000000000000000000000000.5\"", ""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        char *text =
            hm_xasprintf("{\"type\":\"events_api\",\"payload\":{\"event\":{\"type\":\"message\",\"ts\":%s}}}", rows[i].json);
        parse(text);
        assert_string_equal(r.message_ts, rows[i].want);
        free(text);
        hm_slack_request_done(&r);
    }
    parse("{}");
}

/* Every value of a whole payload replaced, one at a time, by each other type: nothing crashes, no string is NULL. */
static void twist(json_t *node, json_t *root, const json_t *other)
{
    const char *key = NULL;
    json_t *child = NULL;
    void *tmp = NULL;
    json_object_foreach_safe(node, tmp, key, child)
    {
        json_t *kept = json_incref(child);
        (void)json_object_set_new(node, key, json_deep_copy(other));
        char *text = hm_json_text(root);
        parse(text);
        const char *const strings[] = {
            r.envelope_id, r.event_id,  r.event_type,  r.app_id,           r.team,         r.enterprise,
            r.user,        r.user_team, r.bot_id,      r.sender_app,       r.channel,      r.channel_type,
            r.subtype,     r.command,   r.text,        r.trigger_id,       r.response_url, r.action_id,
            r.block_id,    r.value,     r.callback_id, r.private_metadata, r.view_id,      r.view_hash,
            r.tab,         r.subteam};
        for (size_t i = 0; i < HM_ARRAY_LEN(strings); i++)
            assert_non_null(strings[i]);
        assert_true((r.kind == HM_SLACK_IGNORED) == (r.ignored[0] != '\0'));
        hm_slack_request_done(&r);
        free(text);
        (void)json_object_set_new(node, key, kept);
        twist(json_object_get(node, key), root, other);
    }
    size_t i = 0;
    json_array_foreach(node, i, child) twist(child, root, other);
}

static void test_any_type_anywhere(void **state)
{
    (void)state;
    static const char *const others[] = {"null", "[]", "{}", "\"x\"", "3", "1.5", "true", "[{}]", "[[\"a\"]]"};
    /* A name each: clang suspects a forgotten comma between literals that stand side by side in a list. */
    static const char action[] =
        "{\"envelope_id\":\"e\",\"type\":\"interactive\",\"payload\":{\"type\":\"block_actions\",\"team\":{\"id\":\"T\"},"
        "\"user\":{\"id\":"
        "\"U\",\"team_id\":\"T\"},\"container\":{\"message_ts\":\"1.2\",\"channel_id\":\"C\"},\"state\":{\"values\":{\"b\":{"
        "\"a\":"
        "{\"selected_options\":[{\"value\":\"x\"}]}}}},\"view\":{\"id\":\"V\",\"state\":{\"values\":{\"b\":{\"a\":{\"value\":"
        "\"x\"}}}}},"
        "\"message\":{\"ts\":\"1.2\"},\"actions\":[{\"action_id\":\"a\",\"selected_option\":{\"value\":\"v\"}}]}}";
    static const char message[] =
        "{\"envelope_id\":\"e\",\"type\":\"events_api\",\"retry_attempt\":1,\"payload\":{\"event_time\":1,\"event\":{\"type\":"
        "\"message\","
        "\"subtype\":\"message_changed\",\"channel\":\"C\",\"message\":{\"user\":\"U\",\"bot_profile\":{\"id\":\"B\"},\"ts\":\"1."
        "2\"},"
        "\"previous_message\":{\"ts\":\"1.2\"}}}}";
    static const char command[] =
        "{\"envelope_id\":\"e\",\"type\":\"slash_commands\",\"payload\":{\"command\":\"/h\",\"text\":\"t\",\"team_id\":\"T\","
        "\"is_enterprise_install\":\"false\"}}";
    static const char *const payloads[] = {action, message, command};
    for (size_t p = 0; p < HM_ARRAY_LEN(payloads); p++) {
        for (size_t o = 0; o < HM_ARRAY_LEN(others); o++) {
            json_t *root = json_loads(payloads[p], 0, NULL);
            json_t *other = json_loads(others[o], JSON_DECODE_ANY, NULL);
            assert_non_null(root);
            twist(root, root, other);
            json_decref(root);
            json_decref(other);
        }
    }
    parse("{}");
}

static void test_kind_names(void **state)
{
    (void)state;
    for (enum hm_slack_kind k = 0; k < HM_SLACK_NR; k++)
        assert_true(hm_slack_kind_name(k)[0] != '\0');
    assert_string_equal(hm_slack_kind_name(HM_SLACK_VIEW_CLOSED), "view-closed");
    assert_string_equal(hm_slack_kind_name(HM_SLACK_NR), "unknown");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_command, done),
        cmocka_unit_test_teardown(test_click, done),
        cmocka_unit_test_teardown(test_choices, done),
        cmocka_unit_test_teardown(test_views, done),
        cmocka_unit_test_teardown(test_shortcuts, done),
        cmocka_unit_test_teardown(test_message, done),
        cmocka_unit_test_teardown(test_edit, done),
        cmocka_unit_test_teardown(test_other_events, done),
        cmocka_unit_test_teardown(test_mention, done),
        cmocka_unit_test(test_mention_text),
        cmocka_unit_test_teardown(test_ignored, done),
        cmocka_unit_test_teardown(test_timestamps, done),
        cmocka_unit_test_teardown(test_any_type_anywhere, done),
        cmocka_unit_test(test_kind_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
