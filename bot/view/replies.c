/* What a person is told alone: see replies.h. Every text of a kind stands in one place here, and in
 * tests/golden/view/replies.txt. */
#include "view/replies.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"
#include "view/help.h"
#include "view/words.h"

enum { TEXT_MAX = 8000, DETAIL_MAX = 600, WORD_MAX = 100 };

/* ---- clicks
 * --------------------------------------------------------------------------------------------------------------------- */

static void add_run(struct hm_strbuf *out, const struct hm_run *run)
{
    if (run != NULL)
        hm_slack_add_code(out, run->id);
    else
        hm_strbuf_adds(out, "The run");
}

/* His own: he asked for it, or leads it since he took it. */
static void add_own(struct hm_strbuf *out, const struct hm_reply *reply, const struct hm_run *run)
{
    const struct hm_step *step = reply->step;
    bool asked = run == NULL || hm_streq(run->requester, reply->who);
    hm_strbuf_addf(out, "You %s this run, so somebody else has to approve it", asked ? "asked for" : "lead");
    if (step != NULL) {
        hm_strbuf_adds(out, ": ");
        hm_word_roles(out, step->by);
    }
    hm_strbuf_adds(out, ". You can reject it.");
    if (step != NULL && step->break_glass)
        hm_strbuf_adds(out, " If nobody can be reached, *Go on alone …* asks you for a reason and puts it on record.");
}

static void add_not_in_role(struct hm_strbuf *out, const struct hm_step *step)
{
    if (step == NULL) {
        hm_strbuf_adds(out, "This needs a role that you do not have; nothing was counted. Ask whoever is on call.");
        return;
    }
    hm_strbuf_adds(out, "To decide this you need ");
    hm_word_roles(out, step->by);
    hm_strbuf_adds(out, ", which you do not have; nothing was counted. Ask whoever is on call.");
}

/* An old button may be clicked days later. */
static void add_when(struct hm_strbuf *out, int64_t when_ms)
{
    if (when_ms == 0)
        return;
    hm_strbuf_adds(out, " (");
    hm_word_moment(out, when_ms);
    hm_strbuf_addc(out, ')');
}

static void add_already(struct hm_strbuf *out, const struct hm_reply *reply)
{
    static const char *const done[] = {
        [HM_GATE_OPEN] = "decided",   [HM_GATE_APPROVED] = "approved", [HM_GATE_REJECTED] = "rejected",
        [HM_GATE_EXPIRED] = "closed", [HM_GATE_VOIDED] = "made void",
    };
    hm_strbuf_addf(out, "This was already %s", done[reply->decision]);
    if (reply->who[0] != '\0') {
        hm_strbuf_adds(out, " by ");
        hm_word_user(out, reply->who);
    }
    add_when(out, reply->when_ms);
    hm_strbuf_adds(out, "; your click changed nothing.");
}

static void add_over(struct hm_strbuf *out, const struct hm_reply *reply, const struct hm_run *run)
{
    add_run(out, run);
    hm_strbuf_addf(out, " is over: %s", hm_run_status_name(reply->status));
    add_when(out, reply->when_ms);
    hm_strbuf_adds(out, ". It is too late for that.");
}

/* "role `a`, `b`", from "a, b" */
static void add_missing(struct hm_strbuf *out, const char *names)
{
    hm_strbuf_adds(out, "role ");
    for (bool first = true; *names != '\0'; first = false) {
        size_t len = strcspn(names, ",");
        char *one = hm_xstrndup(names, len);
        hm_strbuf_adds(out, first ? "" : ", ");
        hm_slack_add_code(out, one);
        free(one);
        names += len;
        names += strspn(names, ", ");
    }
}

static void add_voted(struct hm_strbuf *out, const struct hm_reply *reply)
{
    unsigned left = reply->need > reply->have ? reply->need - reply->have : 0;
    hm_strbuf_addf(out, "Your approval is on record, %u of %u. ", reply->have, reply->need);
    hm_word_count(out, left, "more person has to approve", "more people have to approve");
    if (reply->step != NULL && reply->step->each) {
        hm_strbuf_adds(out, ", from ");
        add_missing(out, reply->typed);
    }
    hm_strbuf_addc(out, '.');
}

static void add_taken(struct hm_strbuf *out, const struct hm_reply *reply, const struct hm_run *run)
{
    if (reply->kind == HM_REPLY_TAKE_VOTED) {
        hm_strbuf_adds(out, "You approved this at ");
        hm_word_time(out, reply->when_ms);
        hm_strbuf_adds(
            out, ", and whoever leads a run does not approve it. Somebody else can take it, or you when the gate is decided.");
        return;
    }
    add_run(out, run);
    hm_strbuf_adds(out,
                   reply->kind == HM_REPLY_TAKEN ? " is yours now. Its gates are for others to approve." : " is yours already.");
}

static void add_role_full(struct hm_strbuf *out, const struct hm_reply *reply)
{
    hm_strbuf_adds(out, "Each role has to approve this, and yours has done so; what is missing is ");
    add_missing(out, reply->typed);
    hm_strbuf_adds(out, ". Nothing was counted.");
}

static void add_typed(struct hm_strbuf *out, const char *before, const char *typed)
{
    hm_strbuf_adds(out, before);
    hm_slack_add_code(out, typed);
    hm_strbuf_addc(out, '.');
}

static void add_rejected(struct hm_strbuf *out, const struct hm_run *run)
{
    hm_strbuf_adds(out, "Rejected. ");
    add_run(out, run);
    hm_strbuf_adds(out,
                   run != NULL && run->effect_started ? " has ended; the rest is not sent." : " has ended; nothing was sent.");
}

/* The replies that name the run and nothing else. */
static void add_of_run(struct hm_strbuf *out, const struct hm_run *run, const char *before, const char *after)
{
    hm_strbuf_adds(out, before);
    add_run(out, run);
    hm_strbuf_adds(out, after);
}

static void add_who_when(struct hm_strbuf *out, const struct hm_reply *reply, const char *before)
{
    hm_strbuf_adds(out, before);
    hm_word_user(out, reply->who);
    add_when(out, reply->when_ms);
    hm_strbuf_adds(out, "; your click changed nothing.");
}

static void add_bad_answer(struct hm_strbuf *out, const char *why)
{
    hm_strbuf_adds(out, "That answer does not fit, so nothing was decided: ");
    hm_word_plain(out, why, DETAIL_MAX);
    hm_strbuf_adds(out, ". The question is still open.");
}

/* Answers to questions, offers, and runs that are taken up again. */
static void add_answer(struct hm_strbuf *out, const struct hm_reply *reply, const struct hm_run *run)
{
    if (reply->kind == HM_REPLY_ANSWERED) {
        hm_strbuf_adds(out, "Your answer is on record, with your name.");
    } else if (reply->kind == HM_REPLY_WAS_ANSWERED) {
        add_who_when(out, reply, "This was already answered by ");
    } else if (reply->kind == HM_REPLY_BAD_ANSWER) {
        add_bad_answer(out, reply->typed);
    } else if (reply->kind == HM_REPLY_OFFER_TAKEN) {
        hm_strbuf_adds(out, "It is being started.");
    } else if (reply->kind == HM_REPLY_OFFER_GONE) {
        add_who_when(out, reply, "This was already chosen by ");
    } else if (reply->kind == HM_REPLY_REOPENED) {
        add_run(out, run);
        hm_strbuf_adds(out, " goes on with ");
        hm_word_count(out, reply->have, "item that failed.", "items that failed.");
    } else {
        add_run(out, run);
        hm_strbuf_adds(out, " has nothing that could be tried again: that is for runs that went to their end and had items that "
                            "failed.");
    }
}

/* NOLINTNEXTLINE(readability-function-size): a sentence for each kind, nothing else */
char *hm_reply_text(const struct hm_reply *reply, const struct hm_run *run)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, TEXT_MAX);
    switch (reply->kind) {
    case HM_REPLY_NONE:
    case HM_REPLY_NR:
        hm_strbuf_adds(&out, "There was nothing to do.");
        break;
    case HM_REPLY_VOTED:
        add_voted(&out, reply);
        break;
    case HM_REPLY_APPROVED:
        add_of_run(&out, run, "Approved. ", " goes on.");
        break;
    case HM_REPLY_REJECTED:
        add_rejected(&out, run);
        break;
    case HM_REPLY_ROLE_FULL:
        add_role_full(&out, reply);
        break;
    case HM_REPLY_TAKEN:
    case HM_REPLY_IS_YOURS:
    case HM_REPLY_TAKE_VOTED:
        add_taken(&out, reply, run);
        break;
    case HM_REPLY_OWN:
        add_own(&out, reply, run);
        break;
    case HM_REPLY_NOT_IN_ROLE:
        add_not_in_role(&out, reply->step);
        break;
    case HM_REPLY_ROLE_UNKNOWN:
        hm_strbuf_adds(
            &out, "Slack did not say who is in the user group that may decide this, so your click was not counted. Try again "
                  "in a minute; if it stays so, the log of hausmeister says why.");
        break;
    case HM_REPLY_OUTSIDER:
        hm_strbuf_adds(&out, "You belong to another workspace; only people of this one can decide here. Nothing was counted.");
        break;
    case HM_REPLY_TWICE:
        hm_strbuf_adds(&out, "Your approval is counted already. It takes another person.");
        break;
    case HM_REPLY_ALREADY:
        add_already(&out, reply);
        break;
    case HM_REPLY_EXPIRED:
        hm_strbuf_adds(&out, "This closed");
        add_when(&out, reply->when_ms);
        hm_strbuf_adds(&out,
                       " without enough approvals, and nothing more is sent. Start the recipe again if it is still needed.");
        break;
    case HM_REPLY_STALE:
        hm_strbuf_adds(&out, run == NULL
                                 ? "There is no such run any more; your click changed nothing."
                                 : "What would be sent has changed since these buttons were shown, so nothing was counted. The "
                                   "card shows the plan as it is now; please look again.");
        break;
    case HM_REPLY_NEED_TYPED:
        add_typed(&out, "To approve this, type ", reply->typed);
        break;
    case HM_REPLY_WRONG_TYPED:
        add_typed(&out, "That is not what has to be typed, so nothing was approved. It is ", reply->typed);
        break;
    case HM_REPLY_NEED_REASON:
        hm_strbuf_adds(&out, "To go on alone, give a reason. It is kept, and posted where the team audits such things.");
        break;
    case HM_REPLY_NO_GLASS:
        hm_strbuf_adds(&out, "This recipe lets nobody go on alone. Somebody else has to approve it.");
        break;
    case HM_REPLY_RUN_OVER:
        add_over(&out, reply, run);
        break;
    case HM_REPLY_SETTLED:
        hm_strbuf_adds(&out, "Your answer is on record, with your name.");
        break;
    case HM_REPLY_CANCELLED:
        add_of_run(&out, run, "", " stops: what is under way comes to its end, nothing else is started.");
        break;
    case HM_REPLY_NOT_STORED:
        hm_strbuf_adds(
            &out, "Your click was not counted, because the journal could not be written. Nothing was decided; try again in a "
                  "minute.");
        break;
    case HM_REPLY_BROKEN:
        add_of_run(&out, run, "", " was stopped for safety: what the journal holds of it does not fit together");
        if (run != NULL && run->broken != NULL) {
            hm_strbuf_adds(&out, " (");
            hm_word_plain(&out, run->broken, DETAIL_MAX);
            hm_strbuf_addc(&out, ')');
        }
        hm_strbuf_adds(&out, ". Your click changed nothing. Tell whoever runs hausmeister, and look before you do it by hand.");
        break;
    case HM_REPLY_ANSWERED:
    case HM_REPLY_WAS_ANSWERED:
    case HM_REPLY_BAD_ANSWER:
    case HM_REPLY_OFFER_TAKEN:
    case HM_REPLY_OFFER_GONE:
    case HM_REPLY_REOPENED:
    case HM_REPLY_NONE_FAILED:
        add_answer(&out, reply, run);
        break;
    }
    return hm_strbuf_take(&out);
}

/* ---- notices
 * -------------------------------------------------------------------------------------------------------------------- */

static void add_detail(struct hm_strbuf *out, const char *before, const char *detail, const char *after)
{
    if (detail == NULL || detail[0] == '\0')
        return;
    size_t len = strlen(detail);
    char *sentence = hm_xstrndup(detail, detail[len - 1] == '.' ? len - 1 : len); /* the full stop is ours */
    hm_strbuf_adds(out, before);
    hm_word_plain(out, sentence, DETAIL_MAX);
    hm_strbuf_adds(out, after);
    free(sentence);
}

static void add_word(struct hm_strbuf *out, const char *word)
{
    struct hm_strbuf cut;
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    (void)hm_slack_cut_label(&cut, word != NULL ? word : "", WORD_MAX);
    hm_slack_add_code(out, hm_strbuf_str(&cut));
    hm_strbuf_done(&cut);
}

/* `/hausmeister help retract` */
static void add_command(struct hm_strbuf *out, const struct hm_notice *n, const char *words, const char *last)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, 400);
    hm_strbuf_adds(&text, n->command);
    hm_strbuf_adds(&text, words);
    hm_strbuf_adds(&text, last != NULL ? last : "");
    hm_slack_add_code(out, hm_strbuf_str(&text));
    hm_strbuf_done(&text);
}

static const char *recipe_name(const struct hm_notice *n)
{
    return n->recipe != NULL ? n->recipe->name : "";
}

static void add_unknown_recipe(struct hm_strbuf *out, const struct hm_notice *n)
{
    hm_strbuf_adds(out, n->kind == HM_NOTICE_UNKNOWN_WORD ? "There is no recipe or command " : "There is no recipe ");
    add_word(out, n->word);
    if (n->suggestion != NULL) {
        hm_strbuf_adds(out, "; did you mean ");
        add_command(out, n, " ", n->suggestion);
        hm_strbuf_adds(out, "? ");
    } else {
        hm_strbuf_adds(out, ". ");
    }
    add_command(out, n, " help", NULL);
    hm_strbuf_adds(out, " lists them all.");
}

static void add_bad_param(struct hm_strbuf *out, const struct hm_notice *n)
{
    add_word(out, recipe_name(n));
    add_detail(out, " was not started: ", n->detail, "");
    hm_strbuf_adds(out, n->detail != NULL && hm_ends_with(n->detail, "?") ? "\nIt is written " : ".\nIt is written ");
    if (n->recipe != NULL) {
        char *usage = hm_help_usage(n->recipe, n->command);
        hm_slack_add_code(out, usage);
        free(usage);
    }
    hm_strbuf_adds(out, "; ");
    add_command(out, n, " help ", recipe_name(n));
    hm_strbuf_adds(out, " tells more.");
}

static void add_busy(struct hm_strbuf *out, const struct hm_notice *n)
{
    add_word(out, recipe_name(n));
    if (n->run_id != NULL) {
        hm_strbuf_adds(out, " was not started: ");
        add_word(out, n->run_id);
        hm_strbuf_adds(out, " is at work on the same thing");
        add_detail(out, " (", n->detail, ")");
    } else {
        add_detail(out, " was not started: ", n->detail, "");
    }
    hm_strbuf_adds(out, ". Wait until it is over, or stop it.");
}

static void add_may_not_start(struct hm_strbuf *out, const struct hm_notice *n)
{
    hm_strbuf_adds(out, "To start ");
    add_word(out, recipe_name(n));
    hm_strbuf_adds(out, " you need ");
    hm_word_roles(out, n->recipe != NULL ? n->recipe->who : NULL);
    hm_strbuf_adds(out, ", which you do not have. Ask whoever is on call.");
}

static void add_channel_notice(struct hm_strbuf *out, const struct hm_notice *n)
{
    add_word(out, n->run_id);
    hm_strbuf_adds(out, n->kind == HM_NOTICE_MOVED ? " is shown in " : " has started; its card is in ");
    hm_word_channel(out, n->channel);
    if (n->kind == HM_NOTICE_MOVED)
        hm_strbuf_adds(out, ", because Slack does not take it in this channel. If hausmeister is not in it, invite it with "
                            "`/invite @hausmeister`");
    hm_strbuf_addc(out, '.');
}

static void add_late(struct hm_strbuf *out, const struct hm_notice *n)
{
    hm_strbuf_adds(out, "You asked for ");
    add_word(out, n->word);
    add_when(out, n->when_ms);
    hm_strbuf_adds(out, ", which reached hausmeister only now. It was not started; ask again if it is still needed.");
}

static void add_control(struct hm_strbuf *out, const struct hm_notice *n)
{
    if (n->kind == HM_NOTICE_HOLDING) {
        hm_strbuf_adds(out,
                       ":octagonal_sign: Everything is stopped: what is under way comes to its end, nothing else is sent that "
                       "changes anything. ");
        add_detail(out, "But this could not be stored (", n->detail, "), so a restart would forget it: say it again. ");
        add_command(out, n, " resume", NULL);
        hm_strbuf_adds(out, " lets it go on.");
    } else if (n->kind == HM_NOTICE_HELD) {
        hm_strbuf_adds(out, "Everything is stopped already, by ");
        hm_word_user(out, n->word);
        hm_strbuf_adds(out, " since ");
        hm_word_moment(out, n->when_ms);
        hm_strbuf_addc(out, '.');
    } else if (n->kind == HM_NOTICE_RESUMED) {
        hm_strbuf_adds(out, "Everything goes on.");
    } else if (n->kind == HM_NOTICE_NOT_HELD) {
        hm_strbuf_adds(out, "Nothing is stopped, so there is nothing to resume.");
    } else if (n->kind == HM_NOTICE_NO_CONTROL) {
        hm_strbuf_adds(out,
                       "Stopping everything, and letting it go on, is for people who have a role here. Ask whoever is on call.");
    } else {
        add_command(out, n, " stop all", NULL);
        hm_strbuf_adds(out, " stops every run; one alone is stopped with ");
        add_command(out, n, " cancel", NULL);
        hm_strbuf_adds(out, " and its id.");
    }
}

static void add_not_opened(struct hm_strbuf *out, const char *what, const char *detail)
{
    if (detail == NULL) {
        hm_strbuf_addf(out, "Slack gives three seconds to open a %s, and they were over.", what);
        return;
    }
    hm_strbuf_addf(out, "The %s could not be opened", what);
    add_detail(out, ": ", detail, ".");
}

/* NOLINTNEXTLINE(readability-function-size): a sentence for each kind, nothing else */
char *hm_notice_text(const struct hm_notice *n)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, TEXT_MAX);
    switch (n->kind) {
    case HM_NOTICE_UNKNOWN_RECIPE:
    case HM_NOTICE_UNKNOWN_WORD:
        add_unknown_recipe(&out, n);
        break;
    case HM_NOTICE_BAD_PARAM:
        add_bad_param(&out, n);
        break;
    case HM_NOTICE_MAY_NOT_START:
        add_may_not_start(&out, n);
        break;
    case HM_NOTICE_ROLE_UNKNOWN:
        hm_strbuf_adds(&out, "Slack did not say who may start ");
        add_word(&out, recipe_name(n));
        hm_strbuf_adds(&out, ", so it was not started. Try again in a minute; if it stays so, the log of hausmeister says why.");
        break;
    case HM_NOTICE_OUTSIDER:
        hm_strbuf_adds(&out, "You belong to another workspace; only people of this one can start recipes here.");
        break;
    case HM_NOTICE_TEAM_UNKNOWN:
        hm_strbuf_adds(&out,
                       "Slack did not say which workspace this is, so it is not known whether you belong to it. Nothing was "
                       "started. Try again in a minute; if it stays so, the log of hausmeister says why.");
        break;
    case HM_NOTICE_BOT:
        hm_strbuf_adds(&out, "Recipes are started by people, not by bots.");
        break;
    case HM_NOTICE_BUSY:
        add_busy(&out, n);
        break;
    case HM_NOTICE_STARTED:
    case HM_NOTICE_MOVED:
        add_channel_notice(&out, n);
        break;
    case HM_NOTICE_NO_CHANNEL:
        add_word(&out, n->run_id);
        hm_strbuf_adds(&out, " has started, but its card is nowhere: Slack does not take it here");
        add_detail(&out, " (", n->detail, ")");
        hm_strbuf_adds(&out, ". Invite the bot with `/invite @hausmeister` for the next time; ");
        add_command(&out, n, " run ", n->run_id);
        hm_strbuf_adds(&out, " shows this one to you.");
        break;
    case HM_NOTICE_NO_RUN:
        hm_strbuf_adds(&out, "There is no run ");
        add_word(&out, n->word);
        hm_strbuf_adds(&out, ". A run's id is like `r-7k2m` and stands on its card; `runs` lists the latest.");
        break;
    case HM_NOTICE_JOURNAL_DOWN:
        hm_strbuf_adds(&out, "Nothing was started, because the journal can not be written");
        add_detail(&out, ": ", n->detail, "");
        hm_strbuf_adds(&out, ". Try again in a minute; an operator has to look if it stays so.");
        break;
    case HM_NOTICE_SLACK_TROUBLE:
        hm_strbuf_adds(&out, "Slack did not take what hausmeister wanted to show");
        add_detail(&out, ": ", n->detail, "");
        hm_strbuf_adds(&out, ". The run itself is not touched by that; the card follows when Slack takes it.");
        break;
    case HM_NOTICE_STOPPING:
        hm_strbuf_adds(&out, "hausmeister is being restarted. Nothing was started; try again in a minute.");
        break;
    case HM_NOTICE_LATE:
        add_late(&out, n);
        break;
    case HM_NOTICE_FORM_EXPIRED:
        add_not_opened(&out, "dialog", n->detail);
        hm_strbuf_adds(&out, " Nothing was counted; please click again.");
        break;
    case HM_NOTICE_FORM_LATE:
        add_not_opened(&out, "form", n->detail);
        hm_strbuf_adds(&out, n->detail == NULL ? " Nothing was started; the button opens it."
                                               : " Nothing was started; the button tries once more.");
        break;
    case HM_NOTICE_FORM_BUTTON:
        add_word(&out, recipe_name(n));
        hm_strbuf_adds(&out, " needs to know more before it can start. The button opens its form.");
        break;
    case HM_NOTICE_NOT_YET:
        add_word(&out, n->word);
        hm_strbuf_adds(&out, " is not something this version of hausmeister does. ");
        add_command(&out, n, " help", NULL);
        hm_strbuf_adds(&out, " tells what it does.");
        break;
    case HM_NOTICE_HOLDING:
    case HM_NOTICE_HELD:
    case HM_NOTICE_RESUMED:
    case HM_NOTICE_NOT_HELD:
    case HM_NOTICE_NO_CONTROL:
    case HM_NOTICE_STOP_WHAT:
        add_control(&out, n);
        break;
    case HM_NOTICE_WHICH_RUN:
        hm_strbuf_adds(&out, "Of which run? It is written ");
        add_command(&out, n, " ", n->word);
        hm_strbuf_adds(&out, " with the run's id behind it, as in `r-7k2m`; ");
        add_command(&out, n, " runs", NULL);
        hm_strbuf_adds(&out, " lists them.");
        break;
    case HM_NOTICE_TOO_MUCH:
        hm_strbuf_adds(&out, "Nothing was done: ");
        add_word(&out, n->detail);
        hm_strbuf_adds(&out, " is too much behind ");
        add_command(&out, n, " ", n->word);
        hm_strbuf_adds(&out, ".");
        break;
    case HM_NOTICE_RECIPE_GONE:
        add_word(&out, n->run_id);
        hm_strbuf_adds(&out, " can not be started anew: there is no recipe ");
        add_word(&out, n->word);
        hm_strbuf_adds(&out, " any more.");
        break;
    case HM_NOTICE_DRY_BUSY:
        hm_strbuf_adds(&out, "Too many dry runs are going on just now; ");
        add_word(&out, recipe_name(n));
        hm_strbuf_adds(&out, " was not tried. Ask again in a minute.");
        break;
    case HM_NOTICE_NR:
        break;
    }
    return hm_strbuf_take(&out);
}
