/* What is said to one person alone, as an ephemeral message: see people_parts.h.
 *
 * Happy path: said → the envelope is closed. Failure: Slack is away → said again every so often; the envelope stays open
 * meanwhile, so that a restart would handle it anew. */
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/whisper.h"

enum {
    SAY_AGAIN_MS = 30 * 1000, /* what Slack did not take is said again so often, … */
    SAY_TRIES = 40,           /* … and after this many times nobody waits for it any more */
    UNSAID_MAX = 1000         /* a flood is not worth more: all of it is said again in one turn of the loop */
};

/* Where words for him alone belong: in the thread when he was in one. A message that has replies also names a thread, its own;
 * but who clicks on it in the channel looks at the channel, and would never see what is said below. */
static const char *thread_of(const struct hm_slack_request *req)
{
    return req->kind != HM_SLACK_CLICK || req->is_reply ? req->thread_ts : "";
}

struct hm_asker *hm_asker_new(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms)
{
    struct hm_asker *asker = hm_xcalloc(1, sizeof *asker);
    *asker = (struct hm_asker){
        .people = people,
        .inbox_id = inbox_id,
        .user = hm_xstrdup(req->user),
        .user_team = hm_xstrdup(req->user_team),
        .channel = hm_xstrdup(req->channel),
        .thread_ts = hm_xstrdup(thread_of(req)),
        .card_thread = hm_xstrdup(req->thread_ts),
        .response_url = hm_xstrdup(req->response_url),
        .trigger_id = hm_xstrdup(req->trigger_id),
        .stored_ms = stored_ms,
        .mentioned = req->kind == HM_SLACK_MENTION,
        .member = req->kind == HM_SLACK_COMMAND,
        .in_dialog = req->kind == HM_SLACK_CLICK && hm_streq(hm_json_get_str(req->view, "type", ""), "modal"),
    };
    memcpy(asker->message_ts, req->message_ts, sizeof asker->message_ts);
    asker->after = people->askers;
    if (asker->after != NULL)
        asker->after->before = asker;
    people->askers = asker;
    return asker;
}

void hm_asker_free(struct hm_asker *asker)
{
    hm_people_await_end(asker);
    if (asker->before != NULL)
        asker->before->after = asker->after;
    else
        asker->people->askers = asker->after;
    if (asker->after != NULL)
        asker->after->before = asker->before;
    free(asker->user);
    free(asker->user_team);
    free(asker->channel);
    free(asker->thread_ts);
    free(asker->card_thread);
    free(asker->response_url);
    free(asker->trigger_id);
    free(asker->run_id);
    free(asker->form_ref);
    free(asker->offer_recipe);
    free(asker->offer);
    free(asker->follows);
    json_decref(asker->offer_with);
    json_decref(asker->content);
    free(asker);
}

void hm_asker_close(struct hm_asker *asker)
{
    hm_people_alarm_release(asker);
    if (asker->inbox_id != 0)
        hm_intake_done(asker->people->opts.intake, asker->inbox_id);
    hm_asker_free(asker);
}

/* ---- saying ---------------------------------------------------------------------------------------------------------- */

/* Slack is away. The envelope stays open meanwhile: should we go too, the next start handles it anew. */
static void say_later(struct hm_asker *asker)
{
    struct hm_people *people = asker->people;
    asker->next = people->unsaid;
    people->unsaid = asker;
    people->n_unsaid++;
    if (!hm_timer_active(people->say_timer))
        hm_timer_start(people->say_timer, SAY_AGAIN_MS);
}

static void on_said(void *arg, enum hm_code code, const char *sentence)
{
    struct hm_asker *asker = arg;
    if (code != HM_OK)
        hm_log(HM_LOG_WARN, "slack", "%s in %s could not be told: %s", asker->user, asker->channel, sentence);
    if (code == HM_EIO && ++asker->tries < SAY_TRIES && asker->people->n_unsaid < UNSAID_MAX)
        say_later(asker);
    else
        hm_asker_close(asker); /* HM_EUNKNOWN: perhaps said; twice would only puzzle */
}

const char *hm_asker_command(const struct hm_asker *asker)
{
    return asker->mentioned || asker->thread_ts[0] != '\0' ? "@hausmeister" : asker->people->settings->slack.command;
}

const char *hm_or_null(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

/* Says the asker's content to him alone, then closes. */
static void say(struct hm_asker *asker)
{
    const struct hm_whisper to = {
        .channel = asker->channel,
        .user = asker->user,
        .thread_ts = hm_or_null(asker->thread_ts),
        .response_url = hm_or_null(asker->response_url),
        .direct = true,
    };
    hm_whisper_send(&asker->people->opts.slack, &to, json_incref(asker->content), on_said, asker);
}

void hm_say_again(void *arg)
{
    struct hm_people *people = arg;
    struct hm_asker *asker = people->unsaid;
    people->unsaid = NULL;
    people->n_unsaid = 0;
    while (asker != NULL) {
        struct hm_asker *next = asker->next;
        say(asker);
        asker = next;
    }
}

static void say_content(struct hm_asker *asker, json_t *stolen_content)
{
    hm_people_alarm_release(asker);
    json_decref(asker->content);
    asker->content = stolen_content;
    say(asker);
}

/* One section of text. */
static json_t *text_content_new(const char *mrkdwn)
{
    struct hm_slack_message message = {0};
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, "hm.say", 0);
    json_t *content = hm_json_obj_new();
    (void)hm_blocks_section(blocks, mrkdwn);
    hm_blocks_finish(blocks, mrkdwn, &message);
    hm_json_set_str(content, "text", message.text);
    hm_json_set(content, "blocks", json_incref(message.blocks));
    hm_slack_message_done(&message);
    return content;
}

void hm_say_text(struct hm_asker *asker, char *stolen_mrkdwn)
{
    say_content(asker, text_content_new(stolen_mrkdwn));
    free(stolen_mrkdwn);
}

void hm_say_notice(struct hm_asker *asker, struct hm_notice notice)
{
    notice.command = hm_asker_command(asker);
    hm_say_text(asker, hm_notice_text(&notice));
}

void hm_say_message(struct hm_asker *asker, struct hm_slack_message *message)
{
    json_t *content = hm_json_obj_new();
    hm_json_set_str(content, "text", message->text);
    hm_json_set(content, "blocks", json_incref(message->blocks));
    hm_slack_message_done(message);
    say_content(asker, content);
}

void hm_say_notice_later(struct hm_asker *asker, struct hm_notice notice)
{
    notice.command = hm_asker_command(asker);
    char *text = hm_notice_text(&notice);
    hm_people_alarm_release(asker);
    json_decref(asker->content);
    asker->content = text_content_new(text);
    free(text);
    say_later(asker);
}
