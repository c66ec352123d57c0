/* What Slack does with each method: see model_slack.h. */
#include "model_chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "model_channel.h"
#include "model_time.h"
#include "slack/post_build.h"
#include "support/block_limits.h"

const char *const call_names[CALL_OTHER] = {
    [CALL_POST] = "chat.postMessage",
    [CALL_UPDATE] = "chat.update",
    [CALL_WHISPER] = "chat.postEphemeral",
    [CALL_RESPOND] = "response_url",
    [CALL_HISTORY] = "conversations.history",
    [CALL_REPLIES] = "conversations.replies",
    [CALL_VIEW] = "views.open",
    [CALL_AUTH] = "auth.test",
    [CALL_OPEN] = "conversations.open",
    [CALL_REACT] = "reactions.add",
    [CALL_UNREACT] = "reactions.remove",
};

static void refuse(struct call *call, enum hm_code code, const char *error)
{
    call->code = code;
    call->error = error;
}

static void post(struct call *call)
{
    struct slack *s = sim->slack;
    const char *key = json_string_value(hm_json_get_path(call->args, "metadata.event_payload.key"));
    s->messages = hm_xreallocarray(s->messages, s->n_messages + 1, sizeof s->messages[0]);
    struct message *m = &s->messages[s->n_messages];
    *m = (struct message){
        .channel = hm_xstrdup(hm_json_get_str(call->args, "channel", "")),
        .thread_ts = hm_xstrdup_null(hm_json_get_str(call->args, "thread_ts", NULL)),
        .key = hm_xstrdup(key != NULL ? key : ""),
        .text = hm_xstrdup(hm_json_get_str(call->args, "text", "")),
        .blocks = json_incref(json_object_get(call->args, "blocks")),
        .right_seq = -1,
    };
    (void)snprintf(m->ts, sizeof m->ts, "%lld.%06zu", (long long)(sim_true_ms() / 1000), s->n_messages);
    s->n_messages++;
    call->body = hm_json_obj_new();
    hm_json_set_bool(call->body, "ok", true);
    hm_json_set_str(call->body, "ts", m->ts);
    hm_json_set_str(call->body, "channel", m->channel);
    sim->count.cards++;
    sim_tell("slack: %s is posted", m->key);
    if (hm_starts_with(m->channel, "DU")) /* to one person, who sees it */
        slack_tell(m->channel + 1);
    check_message(m);
}

static struct message *find_message(const json_t *args)
{
    for (size_t i = 0; i < sim->slack->n_messages; i++) {
        struct message *m = &sim->slack->messages[i];
        if (!m->deleted && hm_streq(m->ts, hm_json_get_str(args, "ts", "")) &&
            hm_streq(m->channel, hm_json_get_str(args, "channel", "")))
            return m;
    }
    return NULL;
}

static void update(struct call *call)
{
    struct message *m = find_message(call->args);
    if (m == NULL) {
        refuse(call, HM_ENOTFOUND, "message_not_found");
        return;
    }
    free(m->text);
    m->text = hm_xstrdup(hm_json_get_str(call->args, "text", ""));
    json_decref(m->blocks);
    m->blocks = json_incref(json_object_get(call->args, "blocks"));
    m->right_seq = -1;
    sim->count.cards++;
    sim_tell("slack: %s is edited", m->key);
    check_message(m);
}

static void whisper(struct call *call)
{
    const char *user = hm_json_get_str(call->args, "user", "");
    const char *text = hm_json_get_str(call->args, "text", "");
    slack_tell(user);
    sim_tell("slack: %s is told: %.*s", user, (int)hm_utf8_prefix(text, 140), text);
}

static bool fits_look(const struct message *m, const json_t *args)
{
    int64_t oldest = 0;
    char *seconds = hm_xstrdup(hm_json_get_str(args, "oldest", "0"));
    seconds[strcspn(seconds, ".")] = '\0';
    (void)hm_parse_i64(seconds, 0, INT64_MAX / 1000, &oldest);
    free(seconds);
    const char *thread = hm_json_get_str(args, "ts", NULL);
    bool same_place = hm_streq(m->channel, hm_json_get_str(args, "channel", "")) &&
                      (thread == NULL ? m->thread_ts == NULL : m->thread_ts != NULL && strcmp(m->thread_ts, thread) == 0);
    return !m->deleted && same_place && hm_post_ts_wall_ms(m->ts) / 1000 >= oldest;
}

static void look(struct call *call)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < sim->slack->n_messages; i++) {
        const struct message *m = &sim->slack->messages[i];
        if (!fits_look(m, call->args))
            continue;
        json_t *message = hm_json_obj_new();
        json_t *metadata = hm_json_obj_new();
        json_t *payload = hm_json_obj_new();
        hm_json_set_str(payload, "key", m->key);
        hm_json_set_str(metadata, "event_type", "hausmeister");
        hm_json_set(metadata, "event_payload", payload);
        hm_json_set_str(message, "ts", m->ts);
        hm_json_set(message, "metadata", metadata);
        hm_json_add(list, message);
    }
    call->body = hm_json_obj_new();
    hm_json_set(call->body, "messages", list);
}

static void open_view(struct call *call)
{
    struct slack *s = sim->slack;
    const json_t *view = hm_json_get_obj(call->args, "view");
    const char *trigger = hm_json_get_str(call->args, "trigger_id", "");
    char why[200];
    if (!hm_limits_view(view, why, sizeof why))
        sim_fail("block-kit-limits", "a dialog that Slack would refuse: %s", why);
    if (!sim->calm && sim->faults.bad_slack && rng_percent(&sim->rng, 20)) {
        refuse(call, HM_EINVAL, "expired_trigger_id");
        return;
    }
    const struct envelope *envelope = slack_envelope_by_trigger(trigger);
    if (envelope == NULL)
        sim_bug("no envelope with trigger %s", trigger);
    s->dialogs = hm_xreallocarray(s->dialogs, s->n_dialogs + 1, sizeof s->dialogs[0]);
    s->dialogs[s->n_dialogs++] = (struct dialog){.user = envelope->user, .view = json_incref(hm_unconst(view))};
    slack_tell(envelope->user);
    sim_tell("slack: %s has a dialog", envelope->user);
}

void slack_perform(struct call *call)
{
    char *with_user = hm_xasprintf("D%s", hm_json_get_str(call->args, "users", ""));
    call->code = HM_OK;
    switch (call->method) {
    case CALL_POST:
        post(call);
        break;
    case CALL_UPDATE:
        update(call);
        break;
    case CALL_WHISPER:
    case CALL_RESPOND:
        whisper(call);
        break;
    case CALL_HISTORY:
        if (hm_streq(hm_json_get_str(call->args, "channel", ""), SIM_WATCHED))
            call->body = channel_history_new(call->args);
        else
            look(call);
        break;
    case CALL_REPLIES:
        look(call);
        break;
    case CALL_VIEW:
        open_view(call);
        break;
    case CALL_AUTH:
        call->body = hm_json_obj_new();
        hm_json_set_str(call->body, "team_id", "T0SIM");
        hm_json_set_str(call->body, "user_id", SIM_BOT);
        hm_json_set_str(call->body, "bot_id", "B0BOT");
        break;
    case CALL_OPEN: /* a conversation with one person has his name in our model */
        call->body = json_pack("{s:{s:o}}", "channel", "id", hm_json_str_new(with_user));
        break;
    case CALL_REACT:
    case CALL_UNREACT:
        if (!channel_react(call->args, call->method == CALL_UNREACT))
            refuse(call, HM_ENOTFOUND, "message_not_found");
        break;
    case CALL_OTHER:
        break;
    }
    free(with_user);
}
