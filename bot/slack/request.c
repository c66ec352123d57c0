/* Envelopes to requests: see request.h.
 *
 * Happy path: JSON → envelope type → the reader for that kind fills in what it knows. Every getter has a fallback, so that a
 * reader is a list of "this field is to be found here or there". */
#include "slack/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { ENVELOPE_MAX = 4 << 20 };

const char *hm_slack_kind_name(enum hm_slack_kind kind)
{
    static const char *const names[] = {
        [HM_SLACK_COMMAND] = "command",
        [HM_SLACK_CLICK] = "click",
        [HM_SLACK_VIEW_SUBMISSION] = "view-submission",
        [HM_SLACK_VIEW_CLOSED] = "view-closed",
        [HM_SLACK_SHORTCUT] = "shortcut",
        [HM_SLACK_MESSAGE_ACTION] = "message-action",
        [HM_SLACK_SUGGESTION] = "suggestion",
        [HM_SLACK_MENTION] = "mention",
        [HM_SLACK_MESSAGE] = "message",
        [HM_SLACK_MESSAGE_CHANGED] = "message-changed",
        [HM_SLACK_HOME_OPENED] = "home-opened",
        [HM_SLACK_SUBTEAM_CHANGED] = "subteam-changed",
        [HM_SLACK_APP_REVOKED] = "app-revoked",
        [HM_SLACK_IGNORED] = "ignored",
    };
    return kind < HM_SLACK_NR ? names[kind] : "unknown";
}

/* ---- getters ------------------------------------------------------------------------------------------------------------------
 */

/* The first of up to three keys (or dotted paths) that holds a non-empty string. */
static const char *first_str(const json_t *obj, const char *a, const char *b, const char *c)
{
    const char *const keys[] = {a, b, c};
    for (size_t i = 0; i < HM_ARRAY_LEN(keys) && keys[i] != NULL; i++) {
        const char *s = json_string_value(hm_json_get_path(obj, keys[i]));
        if (s != NULL && s[0] != '\0')
            return s;
    }
    return "";
}

static bool get_bool(const json_t *obj, const char *key)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_true(v) || hm_streq(json_string_value(v), "true");
}

static const json_t *get_obj(const json_t *obj, const char *key)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_object(v) ? v : NULL;
}

static bool all_digits(const char *s, size_t len)
{
    return len > 0 && strspn(s, "0123456789") >= len;
}

/* Copies a timestamp; anything that is none gives "". Old payloads write "1515449522000016" for "1515449522.000016". */
static void copy_ts(char ret_ts[HM_SLACK_TS_MAX], const char *s)
{
    size_t len = strlen(s);
    const char *dot = strchr(s, '.');
    ret_ts[0] = '\0';
    if (len > HM_SLACK_TS_MAX - 2)
        return;
    if (dot == NULL && len == 16 && all_digits(s, len))
        (void)snprintf(ret_ts, HM_SLACK_TS_MAX, "%.10s.%.6s", s, s + 10);
    else if (dot != NULL && all_digits(s, (size_t)(dot - s)) && all_digits(dot + 1, strlen(dot + 1)))
        (void)snprintf(ret_ts, HM_SLACK_TS_MAX, "%.30s", s);
}

static void set_thread(struct hm_slack_request *r, const char *message_ts, const char *thread_ts)
{
    copy_ts(r->message_ts, message_ts);
    copy_ts(r->thread_ts, thread_ts);
    r->is_reply = r->thread_ts[0] != '\0' && strcmp(r->thread_ts, r->message_ts) != 0;
}

static void __attribute__((format(printf, 2, 3))) ignore(struct hm_slack_request *r, const char *fmt, ...)
{
    va_list ap;
    char raw[sizeof r->ignored];
    r->kind = HM_SLACK_IGNORED;
    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    char *clean = hm_utf8_clean(raw, strlen(raw)); /* a foreign name may have been cut in the middle of a letter */
    size_t len = hm_utf8_prefix(clean, sizeof r->ignored - 1);
    memcpy(r->ignored, clean, len);
    r->ignored[len] = '\0';
    free(clean);
}

/* ---- chosen values ------------------------------------------------------------------------------------------------------------
 */

static void add_choice(json_t *list, const json_t *v)
{
    const char *s = json_is_object(v) ? hm_json_get_str(v, "value", NULL) : json_string_value(v);
    if (s != NULL)
        hm_json_add(list, hm_json_str_new(s));
}

/* What was chosen in a select, a picker or a set of boxes: an array, empty when nothing was or when the element has no choices.
 */
static json_t *choices_new(const json_t *element)
{
    static const char *const one[] = {"selected_option",  "selected_user", "selected_conversation",
                                      "selected_channel", "selected_date", "selected_time"};
    static const char *const many[] = {"selected_options", "selected_users", "selected_conversations", "selected_channels"};
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(one); i++)
        add_choice(list, json_object_get(element, one[i]));
    for (size_t i = 0; i < HM_ARRAY_LEN(many); i++) {
        size_t at = 0;
        json_t *v = NULL;
        json_array_foreach(json_object_get(element, many[i]), at, v) add_choice(list, v);
    }
    return list;
}

static bool takes_many(const json_t *element)
{
    const char *type = hm_json_get_str(element, "type", "");
    return hm_starts_with(type, "multi_") || hm_streq(type, "checkboxes");
}

/* One field's value: a string, a list of strings, or null. */
static json_t *field_value_new(const json_t *element)
{
    json_t *typed = json_object_get(element, "value");
    if (json_is_string(typed))
        return json_incref(typed);
    json_t *list = choices_new(element);
    if (takes_many(element))
        return list;
    json_t *first = json_array_get(list, 0);
    json_t *value = first != NULL ? json_incref(first) : json_null();
    json_decref(list);
    return value;
}

/* state.values is {block_id: {action_id: element}}; our fields have one element each. */
static void read_values(struct hm_slack_request *r, const json_t *state)
{
    const char *block_id = NULL;
    json_t *block = NULL;
    json_t *values = json_object_get(state, "values");
    json_object_foreach(values, block_id, block)
    {
        const char *action_id = NULL;
        json_t *element = NULL;
        json_object_foreach(block, action_id, element)
        {
            hm_json_set(r->values, block_id, field_value_new(element));
            break;
        }
    }
}

/* ---- interactive --------------------------------------------------------------------------------------------------------------
 */

static void read_view(struct hm_slack_request *r, const json_t *payload)
{
    r->view = get_obj(payload, "view");
    if (r->view == NULL)
        return;
    r->callback_id = first_str(r->view, "callback_id", NULL, NULL);
    r->private_metadata = first_str(r->view, "private_metadata", NULL, NULL);
    r->view_id = first_str(r->view, "id", NULL, NULL);
    r->view_hash = first_str(r->view, "hash", NULL, NULL);
    read_values(r, get_obj(r->view, "state"));
}

static void read_action(struct hm_slack_request *r, const json_t *payload)
{
    const json_t *action = json_array_get(json_object_get(payload, "actions"), 0);
    const char *id = first_str(action, "action_id", NULL, NULL);
    if (id[0] == '\0') {
        ignore(r, "A click without an action_id.");
        return;
    }
    const char *copy_mark = strrchr(id, '#');
    size_t len = copy_mark != NULL && all_digits(copy_mark + 1, strlen(copy_mark + 1)) ? (size_t)(copy_mark - id) : strlen(id);
    free(r->action_id);
    r->action_id = hm_xstrndup(id, len);
    r->block_id = first_str(action, "block_id", NULL, NULL);
    r->value = first_str(action, "value", NULL, NULL);
    json_decref(r->selected);
    r->selected = choices_new(action);
    read_values(r, get_obj(payload, "state"));
    r->kind = HM_SLACK_CLICK;
}

static void read_interactive(struct hm_slack_request *r, const json_t *payload)
{
    const char *type = first_str(payload, "type", NULL, NULL);
    r->event_type = type;
    r->team = first_str(payload, "team.id", NULL, NULL);
    r->enterprise = first_str(payload, "enterprise.id", "user.enterprise_id", NULL);
    r->user = first_str(payload, "user.id", NULL, NULL);
    r->user_team = first_str(payload, "user.team_id", NULL, NULL);
    r->channel = first_str(payload, "channel.id", "container.channel_id", NULL);
    r->trigger_id = first_str(payload, "trigger_id", "interactivity.interactivity_pointer", NULL);
    r->response_url = first_str(payload, "response_url", NULL, NULL);
    r->callback_id = first_str(payload, "callback_id", NULL, NULL);
    r->message = get_obj(payload, "message");
    r->is_ephemeral = get_bool(get_obj(payload, "container"), "is_ephemeral");
    set_thread(r, first_str(payload, "container.message_ts", "message_ts", "message.ts"),
               first_str(payload, "container.thread_ts", "message.thread_ts", NULL));
    read_view(r, payload);

    if (hm_streq(type, "block_actions")) {
        read_action(r, payload);
    } else if (hm_streq(type, "view_submission")) {
        r->kind = HM_SLACK_VIEW_SUBMISSION;
    } else if (hm_streq(type, "view_closed")) {
        r->kind = HM_SLACK_VIEW_CLOSED;
        r->is_cleared = get_bool(payload, "is_cleared");
    } else if (hm_streq(type, "shortcut")) {
        r->kind = HM_SLACK_SHORTCUT;
    } else if (hm_streq(type, "message_action")) {
        r->kind = HM_SLACK_MESSAGE_ACTION;
    } else if (hm_streq(type, "block_suggestion")) {
        r->kind = HM_SLACK_SUGGESTION;
        free(r->action_id);
        r->action_id = hm_xstrdup(first_str(payload, "action_id", NULL, NULL));
        r->block_id = first_str(payload, "block_id", NULL, NULL);
        r->value = first_str(payload, "value", NULL, NULL);
    } else {
        ignore(r, "An interaction of type \"%.60s\", which hausmeister never offers.", type);
    }
}

/* ---- events -------------------------------------------------------------------------------------------------------------------
 */

/* Who posted, from the event or (for an edit) the message inside it. */
static void read_sender(struct hm_slack_request *r, const json_t *message)
{
    r->user = first_str(message, "user", NULL, NULL);
    r->user_team = first_str(message, "user_team", "source_team", "team");
    r->bot_id = first_str(message, "bot_id", "bot_profile.id", NULL);
    r->sender_app = first_str(message, "app_id", "bot_profile.app_id", NULL);
    r->is_bot = r->bot_id[0] != '\0' || hm_streq(first_str(message, "subtype", NULL, NULL), "bot_message");
    r->text = first_str(message, "text", NULL, NULL);
    r->is_edited = get_obj(message, "edited") != NULL;
    set_thread(r, first_str(message, "ts", NULL, NULL), first_str(message, "thread_ts", NULL, NULL));
}

static void read_message(struct hm_slack_request *r, const json_t *event)
{
    /* The subtypes that are somebody saying something; all others are news about the channel. */
    static const char *const spoken[] = {"", "bot_message", "thread_broadcast", "file_share", "me_message"};

    r->subtype = first_str(event, "subtype", NULL, NULL);
    if (hm_streq(r->subtype, "message_changed")) {
        const json_t *now = get_obj(event, "message");
        if (now == NULL) {
            ignore(r, "An edit without the edited message.");
            return;
        }
        r->message = now;
        r->previous = get_obj(event, "previous_message");
        read_sender(r, now);
        r->kind = HM_SLACK_MESSAGE_CHANGED;
        return;
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(spoken); i++) {
        if (!hm_streq(r->subtype, spoken[i]))
            continue;
        r->message = event;
        read_sender(r, event);
        r->kind = HM_SLACK_MESSAGE;
        return;
    }
    ignore(r, "A message of subtype \"%.60s\".", r->subtype);
}

static void read_inner(struct hm_slack_request *r, const json_t *event)
{
    const char *type = r->event_type;
    r->channel = first_str(event, "channel", "channel.id", NULL);
    r->channel_type = first_str(event, "channel_type", NULL, NULL);
    if (hm_streq(type, "message")) {
        read_message(r, event);
    } else if (hm_streq(type, "app_mention")) {
        r->subtype = first_str(event, "subtype", NULL, NULL);
        r->message = event;
        read_sender(r, event);
        r->kind = HM_SLACK_MENTION;
    } else if (hm_streq(type, "app_home_opened")) {
        r->user = first_str(event, "user", NULL, NULL);
        r->tab = first_str(event, "tab", NULL, NULL);
        r->view = get_obj(event, "view");
        r->kind = HM_SLACK_HOME_OPENED;
    } else if (hm_streq(type, "subteam_members_changed") || hm_streq(type, "subteam_updated")) {
        r->subteam = first_str(event, "subteam_id", "subteam.id", NULL);
        r->kind = HM_SLACK_SUBTEAM_CHANGED;
    } else if (hm_streq(type, "app_uninstalled") || hm_streq(type, "tokens_revoked")) {
        r->kind = HM_SLACK_APP_REVOKED;
    } else {
        ignore(r, "An event of type \"%.60s\".", type);
    }
}

static void read_events_api(struct hm_slack_request *r, const json_t *payload)
{
    const json_t *event = get_obj(payload, "event");
    r->event_id = first_str(payload, "event_id", NULL, NULL);
    r->event_time_s = hm_json_get_int(payload, "event_time", 0);
    r->team = first_str(payload, "team_id", NULL, NULL);
    r->enterprise = first_str(payload, "enterprise_id", NULL, NULL);
    if (event == NULL) {
        r->event_type = first_str(payload, "type", NULL, NULL);
        ignore(r, "An event of type \"%.60s\" without an inner event.", r->event_type);
        return;
    }
    r->event_type = first_str(event, "type", NULL, NULL);
    read_inner(r, event);
}

/* ---- the envelope -------------------------------------------------------------------------------------------------------------
 */

static void read_command(struct hm_slack_request *r, const json_t *payload)
{
    r->kind = HM_SLACK_COMMAND;
    r->event_type = "slash_commands";
    r->command = first_str(payload, "command", NULL, NULL);
    r->text = first_str(payload, "text", NULL, NULL);
    r->team = first_str(payload, "team_id", NULL, NULL);
    r->user_team = r->team; /* only members of the workspace can use its commands */
    r->enterprise = first_str(payload, "enterprise_id", NULL, NULL);
    r->user = first_str(payload, "user_id", NULL, NULL);
    r->channel = first_str(payload, "channel_id", NULL, NULL);
    r->trigger_id = first_str(payload, "trigger_id", NULL, NULL);
    r->response_url = first_str(payload, "response_url", NULL, NULL);
    if (r->command[0] == '\0')
        ignore(r, "A slash command without a name.");
}

static void set_all_empty(struct hm_slack_request *r)
{
    *r = (struct hm_slack_request){.kind = HM_SLACK_IGNORED};
    const char **const strings[] = {
        &r->envelope_id, &r->event_id,   &r->event_type, &r->app_id,       &r->team,    &r->enterprise,       &r->user,
        &r->user_team,   &r->bot_id,     &r->sender_app, &r->channel,      &r->subtype, &r->channel_type,     &r->command,
        &r->text,        &r->trigger_id, &r->block_id,   &r->response_url, &r->value,   &r->private_metadata, &r->tab,
        &r->callback_id, &r->view_id,    &r->view_hash,  &r->subteam,
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(strings); i++)
        *strings[i] = "";
    r->action_id = hm_xstrdup("");
    r->selected = hm_json_arr_new();
    r->values = hm_json_obj_new();
}

void hm_slack_request_parse(const char *text, size_t len, struct hm_slack_request *r)
{
    struct hm_err err;
    set_all_empty(r);
    hm_err_clear(&err);
    r->root = hm_json_parse_new(text, len, ENVELOPE_MAX, &err);
    if (!json_is_object(r->root)) {
        ignore(r, "An envelope that is no JSON object: %.100s", err.msg);
        return;
    }
    const char *type = first_str(r->root, "type", NULL, NULL);
    const json_t *payload = get_obj(r->root, "payload");
    r->envelope_id = first_str(r->root, "envelope_id", NULL, NULL);
    r->accepts_response_payload = get_bool(r->root, "accepts_response_payload");
    r->retry_attempt = hm_json_get_int(r->root, "retry_attempt", 0);
    if (payload == NULL) {
        ignore(r, "An envelope of type \"%.60s\" without a payload.", type);
        return;
    }
    r->app_id = first_str(payload, "api_app_id", NULL, NULL);
    r->enterprise_install = get_bool(payload, "is_enterprise_install");
    if (hm_streq(type, "slash_commands"))
        read_command(r, payload);
    else if (hm_streq(type, "interactive"))
        read_interactive(r, payload);
    else if (hm_streq(type, "events_api"))
        read_events_api(r, payload);
    else
        ignore(r, "An envelope of type \"%.60s\", which is not known here.", type);
}

void hm_slack_request_done(struct hm_slack_request *r)
{
    json_decref(r->root);
    json_decref(r->selected);
    json_decref(r->values);
    free(r->action_id);
    *r = (struct hm_slack_request){.kind = HM_SLACK_IGNORED};
}

const char *hm_slack_mention_text(const char *text, const char *bot_user)
{
    static const char hard_space[] = "\xc2\xa0"; /* Slack's clients put one behind a mention */
    for (;;) {
        text += strspn(text, " \t\r\n");
        while (hm_starts_with(text, hard_space))
            text += sizeof hard_space - 1;
        if (!hm_starts_with(text, "<@"))
            return text;
        const char *id = text + 2;
        size_t id_len = strcspn(id, "|>");
        size_t token = strcspn(id, ">");
        if (id[token] != '>' || (bot_user != NULL && (strlen(bot_user) != id_len || memcmp(id, bot_user, id_len) != 0)))
            return text;
        text = id + token + 1;
        text += strspn(text, " \t\r\n:,");
    }
}
