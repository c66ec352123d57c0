/* What people ask of the bot: see people.h.
 *
 * Happy path of a command: recipe found → role → params → hm_runner_start(), whose first commit also closes the envelope. Failure
 * modes: each has one sentence (view/replies.h), said to the asker alone; the envelope is closed when Slack has taken it. A click
 * goes to the runner with the button's nonce; what it decided shows on the card, and what it refused is said to the clicker. */
#include "app/people.h"

#include <stdlib.h>
#include <string.h>

#include "app/cards.h"
#include "app/people_parts.h"
#include "app/watch.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/alarm_card.h"
#include "view/card.h"
#include "view/dialog.h"
#include "view/help.h"
#include "view/start.h"

enum { TOO_LATE_MS = 30 * 60 * 1000 }; /* a command older than this is not started by itself: its asker may have gone on */

/* ---- commands -------------------------------------------------------------------------------------------------------- */

/* "cancel r-7k2m", "take r-7k2m" */
static void click_in_words(struct hm_asker *asker, const char *word, enum hm_input_kind kind, const char *run_id,
                           const char *rest)
{
    if (run_id[0] == '\0') {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_WHICH_RUN, .word = word});
        return;
    }
    if (hm_people_refuse_rest(asker, word, run_id, rest))
        return;
    const struct hm_input in = {.kind = kind, .user = asker->user, .user_team = hm_or_null(asker->user_team)};
    asker->run_id = hm_xstrdup(run_id);
    hm_people_click(asker, &in);
}

/* What was typed, by command or mention. */
static void on_words(struct hm_asker *asker, const char *text)
{
    const char *rest = "";
    char *word = hm_people_word(text, &rest);
    if (hm_people_refuse_stranger(asker)) {
        /* he has been told */
    } else if (word[0] == '\0' || strcmp(word, "help") == 0) {
        char *about = hm_words_first(rest, &rest);
        hm_people_help(asker, about);
        free(about);
    } else if (strcmp(word, "cancel") == 0 || strcmp(word, "take") == 0) {
        char *run_id = hm_people_word(rest, &rest);
        click_in_words(asker, word, word[0] == 't' ? HM_IN_TAKE : HM_IN_CANCEL, run_id, rest);
        free(run_id);
    } else if (!hm_people_runs(asker, word, rest)) {
        if (hm_recipes_find(&asker->people->settings->recipes, word) != NULL)
            hm_people_start_named(asker, word, rest); /* NOLINT(readability-suspicious-call-argument): the word is the name */
        else
            hm_people_unknown(asker, word, rest);
    }
    free(word);
}

/* Asked for so long ago that its asker may have gone on: said, not done. */
static bool is_late(struct hm_asker *asker, const struct hm_slack_request *req)
{
    int64_t asked_ms = req->event_time_s > 0 ? req->event_time_s * 1000 : asker->stored_ms;
    if (asked_ms == 0 || hm_wall_ms(asker->people->opts.clock) - asked_ms <= TOO_LATE_MS)
        return false;
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_LATE, .word = req->text, .when_ms = asked_ms});
    return true;
}

static void on_command(struct hm_asker *asker, const struct hm_slack_request *req)
{
    if (!is_late(asker, req))
        on_words(asker, req->text);
}

static void on_mention(struct hm_asker *asker, const struct hm_slack_request *req)
{
    if (req->is_edited) { /* an edit is told like a new mention, and must not start anything a second time */
        hm_asker_close(asker);
        return;
    }
    if (asker->card_thread[0] == '\0') { /* the card goes under the mention; words for one person stay in the channel: Slack */
        free(asker->card_thread);        /* shows those in a thread only once it has replies */
        asker->card_thread = hm_xstrdup(req->message_ts);
    }
    if (is_late(asker, req))
        return;
    if (req->is_bot) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BOT});
        return;
    }
    char *text = hm_xstrdup(hm_slack_mention_text(req->text, asker->people->bot_user));
    on_words(asker, text);
    free(text);
}

/* ---- clicks ---------------------------------------------------------------------------------------------------------- */

/* What shows on the card needs no other words. */
static bool card_says_it(enum hm_reply_kind kind)
{
    return kind == HM_REPLY_NONE || kind == HM_REPLY_APPROVED || kind == HM_REPLY_REJECTED || kind == HM_REPLY_VOTED ||
           kind == HM_REPLY_SETTLED || kind == HM_REPLY_ANSWERED || kind == HM_REPLY_REOPENED;
}

/* He looks at the dialog, so it is said there. */
static void say_in_dialog(struct hm_asker *asker, char *stolen_mrkdwn)
{
    asker->people->ack = hm_dialog_words("Not counted", stolen_mrkdwn);
    free(stolen_mrkdwn);
    hm_asker_close(asker);
}

static void on_reply(void *arg, const struct hm_reply *reply, const struct hm_run *run)
{
    struct hm_asker *asker = arg;
    bool over = reply->kind == HM_REPLY_OFFER_TAKEN || reply->kind == HM_REPLY_REOPENED;
    if (over && run != NULL && asker->message_ts[0] != '\0' &&
        asker->people->cards != NULL) /* its card was not touched any more: it is again */
        hm_cards_adopt(asker->people->cards, run, asker->channel, asker->message_ts, hm_or_null(asker->thread_ts));
    if (reply->kind == HM_REPLY_OFFER_TAKEN)
        hm_people_offer_taken(asker);
    else if (card_says_it(reply->kind))
        hm_asker_close(asker);
    else if (run == NULL && reply->kind == HM_REPLY_STALE)
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_RUN, .word = asker->run_id});
    else if (asker->people->submitting == asker)
        say_in_dialog(asker, hm_reply_text(reply, run));
    else
        hm_say_text(asker, hm_reply_text(reply, run));
}

void hm_people_click(struct hm_asker *asker, const struct hm_input *in)
{
    hm_runner_click(asker->people->opts.runner, asker->run_id, in, on_reply, asker);
}

static void on_click(struct hm_asker *asker, const struct hm_slack_request *req)
{
    static const struct {
        const char *action;
        enum hm_input_kind kind;
    } plain[] = {
        {HM_ACTION_APPROVE, HM_IN_APPROVE},
        {HM_ACTION_REJECT, HM_IN_REJECT},
        {HM_ACTION_HAPPENED, HM_IN_HAPPENED},
        {HM_ACTION_DID_NOT, HM_IN_DID_NOT},
        {HM_ACTION_STOP_HERE, HM_IN_STOP_HERE},
        {HM_ACTION_CANCEL, HM_IN_CANCEL},
        {HM_ACTION_DONE, HM_IN_DONE},
        {HM_ACTION_RETRY, HM_IN_RETRY},
        {HM_ACTION_SKIP, HM_IN_SKIP},
        {HM_ACTION_GIVE_UP, HM_IN_GIVE_UP},
        {HM_ACTION_RETRY_FAILED, HM_IN_RETRY_FAILED},
    };
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    if (strcmp(req->action_id, HM_ACTION_FORM) == 0) {
        hm_people_form_button(asker, req->value);
        return;
    }
    if (strcmp(req->action_id, HM_ACTION_PICK) == 0) {
        hm_people_picked(asker, req);
        return;
    }
    if (strcmp(req->callback_id, HM_FORM_START) == 0) { /* it has no buttons */
        hm_people_filled_in(asker, req);
        return;
    }
    if (!hm_card_parse_value(req->value, run_id, nonce)) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_RUN, .word = req->value});
        return;
    }
    asker->run_id = hm_xstrdup(run_id);
    if (strcmp(req->action_id, HM_ACTION_ALARM) == 0) {
        hm_people_alarm(asker, req->value);
        return;
    }
    if (strcmp(req->action_id, HM_ACTION_OFFER) == 0) {
        hm_people_offer(asker, nonce);
        return;
    }
    if (hm_people_open_dialog(asker, req->action_id, nonce))
        return;
    for (size_t i = 0; i < HM_ARRAY_LEN(plain); i++) {
        if (strcmp(req->action_id, plain[i].action) != 0)
            continue;
        const struct hm_input in = {
            .kind = plain[i].kind, .user = asker->user, .user_team = hm_or_null(asker->user_team), .nonce = nonce};
        hm_people_click(asker, &in);
        return;
    }
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NOT_YET, .word = req->action_id});
}

/* ---------------------------------------------------------------------------------------------------------------------- */

char *hm_people_submitted(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req)
{
    struct hm_asker *asker = hm_asker_new(people, inbox_id, req, 0);
    return req->kind == HM_SLACK_SUGGESTION ? hm_people_suggest(asker, req) : hm_people_submit(asker, req);
}

struct hm_people *hm_people_new(const struct hm_people_opts *opts)
{
    struct hm_people *people = hm_xcalloc(1, sizeof *people);
    people->opts = *opts;
    people->told = hm_json_obj_new();
    people->say_timer = hm_timer_new(opts->loop, hm_say_again, people);
    people->home_timer = hm_timer_new(opts->loop, hm_people_home_turn, people);
    people->lists = opts->backends != NULL ? hm_lists_new(opts->loop, opts->clock, opts->backends) : NULL;
    return people;
}

void hm_people_free(struct hm_people *people)
{
    if (people == NULL)
        return;
    if (people->watch != NULL)
        hm_watch_on_changed(people->watch, NULL, NULL);
    hm_lists_free(people->lists);
    while (people->askers != NULL) /* their envelopes are open: the next start handles them anew */
        hm_asker_free(people->askers);
    hm_timer_free(people->say_timer);
    hm_people_home_free(people);
    json_decref(people->told);
    free(people->bot_user);
    free(people->team);
    free(people);
}

void hm_people_use(struct hm_people *people, const struct hm_settings *settings)
{
    people->settings = settings;
    if (people->lists != NULL)
        hm_lists_use(people->lists, settings);
    hm_people_changed(people);
}

void hm_people_attach(struct hm_people *people, struct hm_cards *cards, struct hm_hold *hold)
{
    people->cards = cards;
    people->hold = hold;
    hm_cards_listen_posted(cards, hm_people_card_posted, people);
    hm_cards_listen_unplaced(cards, hm_people_card_unplaced, people);
}

static void on_alarm(void *arg)
{
    hm_people_changed(arg);
}

void hm_people_watch(struct hm_people *people, struct hm_watch *watch)
{
    people->watch = watch;
    if (watch != NULL)
        hm_watch_on_changed(watch, on_alarm, people);
}

void hm_people_identity(struct hm_people *people, const char *bot_user, const char *team)
{
    free(people->bot_user);
    free(people->team);
    people->bot_user = hm_xstrdup(bot_user);
    people->team = hm_xstrdup(team);
}

void hm_people_alarms(struct hm_people *people, size_t (*recent)(void *arg, struct hm_home_alarm *ret_alarms, size_t most),
                      void *arg)
{
    people->alarms = recent;
    people->alarms_arg = arg;
}

void hm_people_handle(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms)
{
    struct hm_asker *asker = hm_asker_new(people, inbox_id, req, stored_ms);
    switch (req->kind) {
    case HM_SLACK_COMMAND:
        on_command(asker, req);
        return;
    case HM_SLACK_MENTION:
        on_mention(asker, req);
        return;
    case HM_SLACK_CLICK:
        on_click(asker, req);
        return;
    case HM_SLACK_VIEW_SUBMISSION:
        free(hm_people_submit(asker, req));
        return;
    case HM_SLACK_SUBTEAM_CHANGED:
        hm_roles_refresh(people->opts.roles, hm_or_null(req->subteam));
        break;
    case HM_SLACK_APP_REVOKED:
        hm_log(HM_LOG_ERROR, "slack", "the app was uninstalled or its tokens were revoked: install it again and restart");
        break;
    case HM_SLACK_HOME_OPENED:
        hm_people_home_opened(asker, req);
        return;
    case HM_SLACK_SHORTCUT:
    case HM_SLACK_MESSAGE_ACTION:
        hm_people_shortcut(asker, req);
        return;
    case HM_SLACK_VIEW_CLOSED:
    case HM_SLACK_SUGGESTION:
    case HM_SLACK_MESSAGE:
    case HM_SLACK_MESSAGE_CHANGED:
    case HM_SLACK_IGNORED:
    case HM_SLACK_NR:
        break;
    }
    hm_asker_close(asker);
}
