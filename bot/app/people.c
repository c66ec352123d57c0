/* What people ask of the bot: see people.h.
 *
 * Happy path of a command: recipe found → role → params → hm_runner_start(), whose first commit also closes the envelope. Failure
 * modes: each has one sentence (view/replies.h), said to the asker alone; the envelope is closed when Slack has taken it. A click
 * goes to the runner with the button's nonce; what it decided shows on the card, and what it refused is said to the clicker. */
#include "app/people.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/timer.h"
#include "slack/whisper.h"
#include "view/card.h"
#include "view/dialog.h"
#include "view/help.h"
#include "view/replies.h"

enum {
    TOO_LATE_MS = 30 * 60 * 1000, /* a command older than this is not started by itself: its asker may have gone on */
    SAY_AGAIN_MS = 30 * 1000,     /* what Slack did not take is said again so often, … */
    SAY_TRIES = 40                /* … and after this many times nobody waits for it any more */
};

struct hm_people {
    struct hm_people_opts opts;
    const struct hm_settings *settings;
    char *bot_user;
    char *team;
    struct hm_timer *say_timer;
    struct asker *unsaid; /* Slack was away: their answers are said later */
};

/* Who asked, and where the answer goes. Copied out of the request, for answers that come later. */
struct asker {
    struct hm_people *people;
    int64_t inbox_id;
    char *user, *user_team, *channel, *thread_ts, *response_url, *trigger_id;
    char *run_id;      /* of a click */
    char *glass_by;    /* break-glass: to be told to the audit channel */
    int64_t stored_ms; /* when it was journaled before a restart, or 0 */
    json_t *content;   /* what is being said */
    unsigned tries;
    struct asker *next; /* among the unsaid */
};

static struct asker *asker_new(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms)
{
    struct asker *asker = hm_xcalloc(1, sizeof *asker);
    *asker = (struct asker){
        .people = people,
        .inbox_id = inbox_id,
        .user = hm_xstrdup(req->user),
        .user_team = hm_xstrdup(req->user_team),
        .channel = hm_xstrdup(req->channel),
        .thread_ts = hm_xstrdup(req->thread_ts),
        .response_url = hm_xstrdup(req->response_url),
        .trigger_id = hm_xstrdup(req->trigger_id),
        .stored_ms = stored_ms,
    };
    return asker;
}

static void asker_free(struct asker *asker)
{
    free(asker->user);
    free(asker->user_team);
    free(asker->channel);
    free(asker->thread_ts);
    free(asker->response_url);
    free(asker->trigger_id);
    free(asker->run_id);
    free(asker->glass_by);
    json_decref(asker->content);
    free(asker);
}

/* The envelope's outcome is visible; the asker is gone. */
static void close_asker(struct asker *asker)
{
    hm_intake_done(asker->people->opts.intake, asker->inbox_id);
    asker_free(asker);
}

/* ---- saying ---------------------------------------------------------------------------------------------------------- */

/* Slack is away. The envelope stays open meanwhile: should we go too, the next start handles it anew. */
static void say_later(struct asker *asker)
{
    struct hm_people *people = asker->people;
    asker->next = people->unsaid;
    people->unsaid = asker;
    if (!hm_timer_active(people->say_timer))
        hm_timer_start(people->say_timer, SAY_AGAIN_MS);
}

static void on_said(void *arg, enum hm_code code, const char *sentence)
{
    struct asker *asker = arg;
    if (code != HM_OK)
        hm_log(HM_LOG_WARN, "slack", "%s in %s could not be told: %s", asker->user, asker->channel, sentence);
    if (code == HM_EIO && ++asker->tries < SAY_TRIES)
        say_later(asker);
    else
        close_asker(asker); /* HM_EUNKNOWN: perhaps said; twice would only puzzle */
}

static const char *or_null(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

/* Says the asker's content to him alone, then closes. */
static void say(struct asker *asker)
{
    const struct hm_whisper to = {
        .channel = asker->channel,
        .user = asker->user,
        .thread_ts = or_null(asker->thread_ts),
        .response_url = or_null(asker->response_url),
    };
    hm_whisper_send(&asker->people->opts.slack, &to, json_incref(asker->content), on_said, asker);
}

static void on_say_timer(void *arg)
{
    struct hm_people *people = arg;
    struct asker *asker = people->unsaid;
    people->unsaid = NULL;
    while (asker != NULL) {
        struct asker *next = asker->next;
        say(asker);
        asker = next;
    }
}

static void say_content(struct asker *asker, json_t *stolen_content)
{
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

static void say_text(struct asker *asker, char *stolen_mrkdwn)
{
    say_content(asker, text_content_new(stolen_mrkdwn));
    free(stolen_mrkdwn);
}

static void say_notice(struct asker *asker, struct hm_notice notice)
{
    notice.command = asker->people->settings->slack.command;
    say_text(asker, hm_notice_text(&notice));
}

static void say_message(struct asker *asker, struct hm_slack_message *message)
{
    json_t *content = hm_json_obj_new();
    hm_json_set_str(content, "text", message->text);
    hm_json_set(content, "blocks", json_incref(message->blocks));
    hm_slack_message_done(message);
    say_content(asker, content);
}

/* ---- commands -------------------------------------------------------------------------------------------------------- */

static enum hm_member in_any(const struct hm_people *people, char *const *roles, const char *user)
{
    enum hm_member best = roles[0] == NULL ? HM_MEMBER_YES : HM_MEMBER_NO;
    for (; *roles != NULL && best != HM_MEMBER_YES; roles++) {
        enum hm_member is = hm_roles_member(people->opts.roles, *roles, user);
        if (is != HM_MEMBER_NO)
            best = is;
    }
    return best;
}

static void on_started(void *arg, enum hm_code code, const char *run_id, const char *problem)
{
    struct asker *asker = arg;
    if (code == HM_OK) {
        hm_log(HM_LOG_INFO, run_id, "asked for by %s in %s", asker->user, asker->channel);
        asker_free(asker); /* the envelope was closed with the run's first event */
        return;
    }
    say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_JOURNAL_DOWN, .detail = problem});
}

/* Checks the params and starts the run. */
static void start_run(struct asker *asker, const struct hm_recipe *recipe, const char *words)
{
    struct hm_people *people = asker->people;
    struct hm_err err = {0};
    json_t *given = NULL;
    json_t *params = NULL;
    json_t *scope = hm_json_obj_new();
    json_t *raw = hm_params_parse_new(recipe, words, &err);
    hm_json_set(scope, "known", json_incref(people->settings->known));
    if (raw != NULL)
        params = hm_params_check_new(recipe, raw, scope, &given, &err);
    if (params == NULL) {
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BAD_PARAM, .recipe = recipe, .detail = err.msg});
    } else {
        const struct hm_run_order order = {
            .recipe = recipe,
            .params = params,
            .given = given,
            .requester = asker->user,
            .team = people->team,
            .channel = asker->channel,
            .thread_ts = or_null(asker->thread_ts),
        };
        enum hm_code code = hm_runner_start(people->opts.runner, &order, asker->inbox_id, on_started, asker, &err);
        if (code == HM_ECONFLICT)
            say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BUSY, .recipe = recipe, .detail = err.msg});
        else if (code != HM_OK)
            say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BAD_PARAM, .recipe = recipe, .detail = err.msg});
    }
    json_decref(raw);
    json_decref(params);
    json_decref(given);
    json_decref(scope);
}

static const char *nearest_recipe(const struct hm_people *people, const char *word)
{
    const struct hm_recipes *recipes = &people->settings->recipes;
    const char *best = NULL;
    size_t best_distance = 3; /* one or two slips; more is another word */
    for (size_t i = 0; i < recipes->count; i++) {
        size_t distance = hm_edit_distance(word, recipes->items[i]->name, best_distance);
        if (distance < best_distance) {
            best_distance = distance;
            best = recipes->items[i]->name;
        }
    }
    return best;
}

static void say_help(struct asker *asker, const char *about)
{
    const struct hm_people *people = asker->people;
    const char *command = people->settings->slack.command;
    struct hm_slack_message message = {0};
    const struct hm_recipe *recipe = about[0] != '\0' ? hm_recipes_find(&people->settings->recipes, about) : NULL;
    if (about[0] != '\0' && recipe == NULL) {
        say_notice(asker, (struct hm_notice){
                              .kind = HM_NOTICE_UNKNOWN_RECIPE, .word = about, .suggestion = nearest_recipe(people, about)});
        return;
    }
    if (recipe != NULL)
        hm_help_recipe_render(recipe, command, &message);
    else
        hm_help_render(&people->settings->recipes, command, &message);
    say_message(asker, &message);
}

static void click(struct asker *asker, const struct hm_input *in);

/* "cancel r-7k2m" */
static void cancel_run(struct asker *asker, const char *run_id)
{
    const struct hm_input in = {.kind = HM_IN_CANCEL, .user = asker->user, .user_team = or_null(asker->user_team)};
    asker->run_id = hm_xstrdup(run_id);
    click(asker, &in);
}

/* The first word of text as a new string; *ret_rest: what follows. */
static char *first_word(const char *text, const char **ret_rest)
{
    text += strspn(text, " \t\n");
    size_t len = strcspn(text, " \t\n");
    *ret_rest = text + len + strspn(text + len, " \t\n");
    return hm_xstrndup(text, len);
}

static void run_recipe(struct asker *asker, const char *name, const char *words)
{
    const struct hm_people *people = asker->people;
    const struct hm_recipe *recipe = hm_recipes_find(&people->settings->recipes, name);
    if (recipe == NULL) {
        say_notice(asker, (struct hm_notice){
                              .kind = HM_NOTICE_UNKNOWN_RECIPE, .word = name, .suggestion = nearest_recipe(people, name)});
        return;
    }
    switch (in_any(people, recipe->who, asker->user)) {
    case HM_MEMBER_YES:
        start_run(asker, recipe, words);
        break;
    case HM_MEMBER_NO:
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_MAY_NOT_START, .recipe = recipe});
        break;
    case HM_MEMBER_UNKNOWN:
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_ROLE_UNKNOWN, .recipe = recipe});
        break;
    }
}

/* What was typed, by command or mention. */
static void on_words(struct asker *asker, const char *text)
{
    const struct hm_people *people = asker->people;
    const char *rest = "";
    char *word = first_word(text, &rest);
    bool outsider = people->team != NULL && asker->user_team[0] != '\0' && strcmp(asker->user_team, people->team) != 0;
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);

    if (outsider) {
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_OUTSIDER});
    } else if (word[0] == '\0' || strcmp(word, "help") == 0) {
        char *about = first_word(rest, &rest);
        say_help(asker, about);
        free(about);
    } else if (strcmp(word, "cancel") == 0) {
        char *run_id = first_word(rest, &rest);
        cancel_run(asker, run_id);
        free(run_id);
    } else {
        run_recipe(asker, word, rest);
    }
    free(word);
}

static void on_command(struct asker *asker, const struct hm_slack_request *req)
{
    bool late = asker->stored_ms != 0 && hm_wall_ms(asker->people->opts.clock) - asker->stored_ms > TOO_LATE_MS;
    if (late)
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_LATE, .word = req->text, .when_ms = asker->stored_ms});
    else
        on_words(asker, req->text);
}

static void on_mention(struct asker *asker, const struct hm_slack_request *req)
{
    if (asker->thread_ts[0] == '\0') { /* the card answers in a thread under the mention */
        free(asker->thread_ts);
        asker->thread_ts = hm_xstrdup(req->message_ts);
    }
    if (req->is_bot) {
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BOT});
        return;
    }
    char *text = hm_xstrdup(hm_slack_mention_text(req->text, asker->people->bot_user));
    on_words(asker, text);
    free(text);
}

/* ---- clicks ---------------------------------------------------------------------------------------------------------- */

static void tell_audit(const struct hm_people *people, const struct hm_run *run, const struct hm_reply *reply)
{
    const char *channel = people->settings->slack.audit_channel;
    if (channel == NULL || run == NULL || reply->step == NULL)
        return;
    char *text = hm_card_glass_notice(run, (int)(reply->step - run->recipe->steps));
    char *key = hm_xasprintf("audit:%s:%s", run->id, reply->step->id);
    json_t *content = hm_json_obj_new();
    hm_json_set_str(content, "text", text);
    hm_poster_open(people->opts.poster, key, channel, NULL);
    hm_poster_show(people->opts.poster, key, content, true);
    hm_poster_finish(people->opts.poster, key);
    free(key);
    free(text);
}

/* What shows on the card needs no other words. */
static bool card_says_it(enum hm_reply_kind kind)
{
    return kind == HM_REPLY_NONE || kind == HM_REPLY_APPROVED || kind == HM_REPLY_REJECTED || kind == HM_REPLY_VOTED ||
           kind == HM_REPLY_SETTLED;
}

static void on_reply(void *arg, const struct hm_reply *reply, const struct hm_run *run)
{
    struct asker *asker = arg;
    if (reply->kind == HM_REPLY_APPROVED && asker->glass_by != NULL)
        tell_audit(asker->people, run, reply);
    if (card_says_it(reply->kind))
        close_asker(asker);
    else if (run == NULL && reply->kind == HM_REPLY_STALE)
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_RUN, .word = asker->run_id});
    else
        say_text(asker, hm_reply_text(reply, run));
}

static void click(struct asker *asker, const struct hm_input *in)
{
    hm_runner_click(asker->people->opts.runner, asker->run_id, in, on_reply, asker);
}

static void on_view_opened(void *arg, const struct hm_web_answer *answer)
{
    struct asker *asker = arg;
    if (answer->code == HM_OK) {
        close_asker(asker);
        return;
    }
    hm_log(HM_LOG_WARN, "slack", "views.open for %s: %s", asker->user, answer->sentence);
    if (answer->code == HM_EIO) { /* Slack is away, or we are closing */
        char *text = hm_notice_text(
            &(struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED, .command = asker->people->settings->slack.command});
        asker->content = text_content_new(text);
        free(text);
        say_later(asker);
        return;
    }
    say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED});
}

/* A button that opens a dialog. The trigger lives 3 s: nothing is waited for. */
static void open_dialog(struct asker *asker, const char *nonce, bool glass)
{
    struct hm_err err = {0};
    const struct hm_run *run = hm_runner_find(asker->people->opts.runner, asker->run_id);
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
    if (gate == NULL || strcmp(gate->nonce, nonce) != 0) { /* closed or old: let decide say which */
        const struct hm_input in = {
            .kind = HM_IN_APPROVE, .user = asker->user, .user_team = or_null(asker->user_team), .nonce = nonce};
        click(asker, &in);
        return;
    }
    json_t *view = glass ? hm_dialog_glass_new(run, run->at, &err) : hm_dialog_typed_new(run, run->at, &err);
    if (view == NULL || (asker->stored_ms != 0)) {
        json_decref(view);
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED});
        return;
    }
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "trigger_id", asker->trigger_id);
    hm_json_set(args, "view", view);
    hm_web_call(asker->people->opts.api, "views.open", HM_WEB_BOT, args, on_view_opened, asker);
}

static void on_click(struct asker *asker, const struct hm_slack_request *req)
{
    static const struct {
        const char *action;
        enum hm_input_kind kind;
    } plain[] = {
        {HM_ACTION_APPROVE, HM_IN_APPROVE}, {HM_ACTION_REJECT, HM_IN_REJECT},       {HM_ACTION_HAPPENED, HM_IN_HAPPENED},
        {HM_ACTION_DID_NOT, HM_IN_DID_NOT}, {HM_ACTION_STOP_HERE, HM_IN_STOP_HERE}, {HM_ACTION_CANCEL, HM_IN_CANCEL},
    };
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    if (!hm_card_parse_value(req->value, run_id, nonce)) {
        say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_RUN, .word = req->value});
        return;
    }
    asker->run_id = hm_xstrdup(run_id);
    if (strcmp(req->action_id, HM_ACTION_APPROVE_TYPED) == 0 || strcmp(req->action_id, HM_ACTION_GLASS) == 0) {
        open_dialog(asker, nonce, strcmp(req->action_id, HM_ACTION_GLASS) == 0);
        return;
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(plain); i++) {
        if (strcmp(req->action_id, plain[i].action) != 0)
            continue;
        const struct hm_input in = {
            .kind = plain[i].kind, .user = asker->user, .user_team = or_null(asker->user_team), .nonce = nonce};
        click(asker, &in);
        return;
    }
    say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NOT_YET, .word = req->action_id});
}

/* ---- forms ----------------------------------------------------------------------------------------------------------- */

/* The input that a submitted dialog stands for. The strings are borrowed from req and the caller's buffers. */
static bool dialog_input(const struct asker *asker, const struct hm_slack_request *req, char run_id[HM_CARD_RUN_ID_MAX],
                         char nonce[HM_CARD_NONCE_MAX], struct hm_input *ret_in)
{
    bool glass = strcmp(req->callback_id, HM_DIALOG_GLASS) == 0;
    if (!glass && strcmp(req->callback_id, HM_DIALOG_TYPED) != 0)
        return false;
    if (!hm_card_parse_value(req->private_metadata, run_id, nonce))
        return false;
    *ret_in = (struct hm_input){
        .kind = HM_IN_APPROVE,
        .user = asker->user,
        .user_team = or_null(asker->user_team),
        .nonce = nonce,
        .typed = hm_json_get_str(req->values, HM_FIELD_TYPED, NULL),
        .reason = hm_json_get_str(req->values, HM_FIELD_REASON, NULL),
        .glass = glass,
    };
    return true;
}

/* A form has no channel: what must be said alone is said where the run's card is. */
static void place_answer(struct asker *asker, const struct hm_run *run)
{
    if (run == NULL || asker->channel[0] != '\0')
        return;
    free(asker->channel);
    asker->channel = hm_xstrdup(run->channel);
    if (run->thread_ts != NULL) {
        free(asker->thread_ts);
        asker->thread_ts = hm_xstrdup(run->thread_ts);
    }
}

/* What a wrong answer in the field gets while the form is still open, or NULL. */
static char *field_error(const struct hm_run *run, const struct hm_input *in)
{
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
    if (gate == NULL || strcmp(gate->nonce, in->nonce) != 0)
        return NULL;
    if (in->glass && (in->reason == NULL || in->reason[strspn(in->reason, " \t\n")] == '\0'))
        return hm_dialog_error(HM_FIELD_REASON, "Write why; it is shown to the team.");
    if (!in->glass && gate->typed != NULL && !hm_streq(in->typed, gate->typed))
        return hm_dialog_error(HM_FIELD_TYPED, "This is not the same text. Type it exactly as it is shown.");
    return NULL;
}

static char *submit(struct asker *asker, const struct hm_slack_request *req)
{
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    struct hm_input in = {0};
    if (!dialog_input(asker, req, run_id, nonce, &in)) {
        close_asker(asker); /* no form of ours, or of an older version: it closes */
        return NULL;
    }
    const struct hm_run *run = hm_runner_find(asker->people->opts.runner, run_id);
    char *error = (asker->stored_ms != 0) ? NULL : field_error(run, &in);
    if (error != NULL) {
        close_asker(asker);
        return error;
    }
    place_answer(asker, run);
    asker->run_id = hm_xstrdup(run_id);
    if (in.glass)
        asker->glass_by = hm_xstrdup(asker->user);
    click(asker, &in);
    return NULL;
}

char *hm_people_submitted(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req)
{
    return submit(asker_new(people, inbox_id, req, 0), req);
}

/* ---------------------------------------------------------------------------------------------------------------------- */

struct hm_people *hm_people_new(const struct hm_people_opts *opts)
{
    struct hm_people *people = hm_xcalloc(1, sizeof *people);
    people->opts = *opts;
    people->say_timer = hm_timer_new(opts->loop, on_say_timer, people);
    return people;
}

void hm_people_free(struct hm_people *people)
{
    if (people == NULL)
        return;
    while (people->unsaid != NULL) {
        struct asker *asker = people->unsaid;
        people->unsaid = asker->next;
        asker_free(asker);
    }
    hm_timer_free(people->say_timer);
    free(people->bot_user);
    free(people->team);
    free(people);
}

void hm_people_use(struct hm_people *people, const struct hm_settings *settings)
{
    people->settings = settings;
}

void hm_people_identity(struct hm_people *people, const char *bot_user, const char *team)
{
    free(people->bot_user);
    free(people->team);
    people->bot_user = hm_xstrdup(bot_user);
    people->team = hm_xstrdup(team);
}

void hm_people_handle(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms)
{
    struct asker *asker = asker_new(people, inbox_id, req, stored_ms);
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
        free(submit(asker, req));
        return;
    case HM_SLACK_SUBTEAM_CHANGED:
        hm_roles_refresh(people->opts.roles, or_null(req->subteam));
        break;
    case HM_SLACK_APP_REVOKED:
        hm_log(HM_LOG_ERROR, "slack", "the app was uninstalled or its tokens were revoked: install it again and restart");
        break;
    case HM_SLACK_VIEW_CLOSED:
    case HM_SLACK_SHORTCUT:
    case HM_SLACK_MESSAGE_ACTION:
    case HM_SLACK_SUGGESTION:
    case HM_SLACK_MESSAGE:
    case HM_SLACK_MESSAGE_CHANGED:
    case HM_SLACK_HOME_OPENED:
    case HM_SLACK_IGNORED:
    case HM_SLACK_NR:
        break;
    }
    close_asker(asker);
}
