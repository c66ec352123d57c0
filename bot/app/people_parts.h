/* Inside of people.h: what people.c (words and clicks), people_help.c (help), people_say.c (answers to one person alone),
 * people_start.c (starting runs), people_form.c (dialogs) and people_runs.c (looking at runs, stopping everything) share. Nobody
 * else includes this. */
#ifndef HM_APP_PEOPLE_PARTS_H
#define HM_APP_PEOPLE_PARTS_H

#include "app/lists.h"
#include "app/people.h"
#include "io/timer.h"
#include "slack/blocks.h"
#include "view/home.h"
#include "view/replies.h"

struct hm_people {
    struct hm_people_opts opts;
    const struct hm_settings *settings;
    struct hm_cards *cards; /* NULL = none */
    struct hm_hold *hold;   /* NULL = none */
    struct hm_watch *watch; /* NULL = no alarms */
    char *bot_user;
    char *team;
    struct hm_dry *dries;   /* rehearsals under way */
    struct hm_lists *lists; /* that params are chosen from; NULL = nothing can be read */
    json_t *told;           /* {view_id: the `values` that Slack told last of an open form}; the newest ones */
    const struct hm_asker
        *submitting;              /* his dialog's ack is still to be written: an answer that is there by then rides on it, … */
    char *ack;                    /* … and is this; else NULL */
    struct hm_watcher **watchers; /* of the Home tab */
    size_t n_watchers;
    struct hm_timer *home_timer;
    size_t (*alarms)(void *arg, struct hm_home_alarm *ret_alarms, size_t most); /* NULL = nobody watches any */
    void *alarms_arg;
    struct hm_timer *say_timer;
    struct hm_asker *unsaid; /* Slack was away: their answers are said later */
    size_t n_unsaid;
    struct hm_asker *askers; /* all of them: at the end those go too to whom an answer is still owed */
    void *awaiting;          /* tsearch(3) by card_of: those who have one; a thousand runs may be started at once */
};

/* Who asked, and where the answer goes. Copied out of the request, for answers that come later. */
struct hm_asker {
    struct hm_people *people;
    int64_t inbox_id;
    char *user, *user_team, *channel, *thread_ts, *card_thread, *response_url, *trigger_id;
    char message_ts[HM_SLACK_TS_MAX]; /* of the message that was clicked on */
    bool mentioned;                   /* it was a mention */
    bool member;                      /* of our workspace: only members can use its slash commands */
    bool in_dialog;                   /* what was clicked on is a modal */
    char *run_id;                     /* of a click */
    char *offer;                      /* that this is about, of an alarm or of a run, "<id>.<nonce>"; NULL = none */
    bool holds_offer;                 /* … it is an alarm's, and he has taken it, for a run that has not begun */
    char *follows;                    /* what is started follows from a run of an alarm (hm_watch_follow_new()); else NULL */
    char *offer_recipe;               /* of a click on an offer: what it starts, … */
    json_t *offer_with;               /* … with what */
    char *form_ref;                   /* what a button that opens the form once more carries */
    bool dry;                         /* he asked for a dry run, and a form that opens has to say so too */
    int64_t stored_ms;                /* when it was journaled before a restart, or 0 */
    json_t *content;                  /* what is being said */
    char *card_of;                    /* the run that he has started, as long as its card is at Slack nowhere; else NULL */
    unsigned tries;
    struct hm_asker *next;           /* among the unsaid */
    struct hm_asker *before, *after; /* among all */
};

/* ---- people_say.c ------------------------------------------------------------------------------------------------------- */

struct hm_asker *hm_asker_new(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms);
void hm_asker_free(struct hm_asker *asker);
/* The envelope's outcome is visible; the asker is gone. */
void hm_asker_close(struct hm_asker *asker);
/* What he writes before the words that he is told to write: the command, or in a thread, where Slack takes none, the mention. */
const char *hm_asker_command(const struct hm_asker *asker);
/* NULL for "". */
const char *hm_or_null(const char *s);
/* Says it to the asker alone, then closes. */
void hm_say_text(struct hm_asker *asker, char *stolen_mrkdwn);
void hm_say_notice(struct hm_asker *asker, struct hm_notice notice);
void hm_say_message(struct hm_asker *asker, struct hm_slack_message *message);
/* Slack is away: says the notice when it is back. */
void hm_say_notice_later(struct hm_asker *asker, struct hm_notice notice);
/* Timer callback; arg: struct hm_people. */
void hm_say_again(void *arg);

/* ---- people_start.c ----------------------------------------------------------------------------------------------------- */

enum hm_member hm_people_in_any(const struct hm_people *people, char *const *roles, const char *user);
/* HM_NOTICE_NR when he belongs to our workspace, as far as Slack tells; else what he is to be told. As long as we do not know our
 * own workspace, only those are known to belong to it of whom Slack takes care (struct hm_asker.member). */
enum hm_notice_kind hm_people_stranger(const struct hm_asker *asker);
/* Tells him; false when there is nothing to be told. */
bool hm_people_refuse_stranger(struct hm_asker *asker);
/* The recipe of that name, if the asker may start it; else he is told, and it is NULL. */
const struct hm_recipe *hm_people_recipe(struct hm_asker *asker, const char *name);
/* Starts the recipe of that name with the words of a command, if there is one and the asker may. */
void hm_people_start_named(struct hm_asker *asker, const char *name, const char *words);
/* Starts the recipe with the words of a command. */
void hm_people_start_words(struct hm_asker *asker, const struct hm_recipe *recipe, const char *words);
/* Starts it with these values; given (may be NULL): which of them a person gave. */
void hm_people_start_values(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, const json_t *given);
/* The card of a run is at Slack: whoever asked for it elsewhere is told where. arg: struct hm_people. */
void hm_people_card_posted(void *arg, const char *run_id);
/* It is nowhere: so is he. */
void hm_people_card_unplaced(void *arg, const char *run_id, const char *why);
/* He awaits no card any more. */
void hm_people_await_end(struct hm_asker *asker);
/* What the asker starts next follows from this run: if that is an alarm's, so is what he starts. */
void hm_people_follow(struct hm_asker *asker, const char *run_id);
/* ---- people_dry.c: plays the recipe without changing anything, and tells the asker alone. raw: what he gave. */
void hm_people_dry_run(struct hm_asker *asker, const struct hm_run_order *order, const json_t *raw);

/* False when the values do not fit the recipe; then the asker has been told. */
bool hm_people_values_fit(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw);
enum { HM_PEOPLE_SLIPS = 2 }; /* that may be in a recipe's name; with more it is another word */
/* The recipe that is nearest to the word and less than below edits away, or NULL. */
const char *hm_people_nearest(const struct hm_people *people, const char *word, size_t below);
/* A click on an offer: checks, then takes it, then starts it. */
void hm_people_offer(struct hm_asker *asker, const char *nonce);
/* The form of such an offer was submitted: the same. The ack's payload when the offer is gone, else NULL. */
char *hm_people_offer_submit(struct hm_asker *asker, const char *offer, const struct hm_recipe *recipe, json_t *values);
/* The offer is his. */
void hm_people_offer_taken(struct hm_asker *asker);

/* Starts it with these values, or plays it dry. */
void hm_people_begin(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, bool dry);
/* {"known": …}: what defaults are made of. */
json_t *hm_people_scope_new(const struct hm_people *people);

/* ---- people_begin.c ----------------------------------------------------------------------------------------------------- */

/* Opens the recipe's form with what was given (may be NULL), or says a button that does. */
void hm_people_form(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw);
/* What was given does not fit: says why, with a button that opens the form. raw may be NULL. */
void hm_people_bad(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, const char *why);
/* A click on such a button. */
void hm_people_form_button(struct hm_asker *asker, const char *value);
/* A shortcut, global or on a message. */
void hm_people_shortcut(struct hm_asker *asker, const struct hm_slack_request *req);
/* A recipe was chosen from a select. */
void hm_people_picked(struct hm_asker *asker, const struct hm_slack_request *req);
/* Somebody types into such a select: the ack's payload. */
char *hm_people_pick_options(const struct hm_people *people, const char *user, const char *typed);
/* The recipes that the person may start, into ret_recipes, which has room for all; how many. */
size_t hm_people_may_start(const struct hm_people *people, const char *user, const struct hm_recipe **ret_recipes);
/* A submitted form: the ack's payload, or NULL. */
char *hm_people_submit_start(struct hm_asker *asker, const struct hm_slack_request *req);

/* What the recipe's form is made of, with the channel that is asked for. scope: borrowed, like all of it. */
struct hm_start_ref;
HM_MUST json_t *hm_people_form_new(const struct hm_people *people, const struct hm_recipe *recipe, const struct hm_start_ref *ref,
                                   const json_t *no_lists, struct hm_err *err);

/* ---- people_lists.c ----------------------------------------------------------------------------------------------------- */

/* A form has opened or taken a view's place; body: Slack's answer, ref: the reference that it was made of. Its lists are read
 * now, so that they are there when somebody looks; a field whose list can not be read becomes one for typing. */
void hm_people_form_opened(struct hm_people *people, const char *ref, const json_t *body);
/* A field that lists are read with has changed. Takes the asker. */
void hm_people_filled_in(struct hm_asker *asker, const struct hm_slack_request *req);
/* Somebody types into such a select: the ack's payload, or NULL when it follows (or when there is none). Takes the asker. */
char *hm_people_suggest_list(struct hm_asker *asker, const struct hm_slack_request *req);
/* {param: choices} of the lists that are there already, for values as they were given. A new reference. */
json_t *hm_people_lists_new(const struct hm_people *people, const struct hm_recipe *recipe, const json_t *values);
/* These values were refused because of their lists: those are read anew next time. */
void hm_people_lists_forget(const struct hm_people *people, const struct hm_recipe *recipe, const json_t *values);
/* Looks the given values up in their lists, as far as these can be had in time; then goes on with hm_people_begin(), or says what
 * is wrong. */
void hm_people_begin_listed(struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw, bool dry);

/* ---- people_help.c ------------------------------------------------------------------------------------------------------ */

/* The help of the recipe or command of that name, or of the nearest; about "": what the asker may start. */
void hm_people_help(struct hm_asker *asker, const char *about);
/* Neither a recipe nor a command: what is near is suggested, with what followed it. */
void hm_people_unknown(struct hm_asker *asker, const char *word, const char *rest);

/* ---- people_alarm.c ----------------------------------------------------------------------------------------------------- */

/* A click on an alarm's offer: checks, then takes it, then starts it. offer: the button's value. */
void hm_people_alarm(struct hm_asker *asker, const char *offer);
/* The form's envelope is handled anew after a restart and may have taken the offer before that: then it holds it, and gives it
 * back when the form is refused now. */
void hm_people_alarm_again(struct hm_asker *asker, const char *offer);
/* The form of an alarm's offer was submitted: the same. The ack's payload when the offer can not be taken any more, else NULL. */
char *hm_people_alarm_submit(struct hm_asker *asker, const char *offer, const struct hm_recipe *recipe, json_t *values);
/* The offer he holds is free again: what he took it for did not come to be. Whoever is told something or closed, and not freed
 * because his run began, gives it back. */
void hm_people_alarm_release(struct hm_asker *asker);

/* ---- people_form.c ------------------------------------------------------------------------------------------------------ */

/* Why a view was not opened, when it was not for the time: Slack's word, for a notice; else NULL. */
const char *hm_people_view_trouble(const struct hm_web_answer *answer);
/* Opens the dialog of a button. action: its action_id. False when it has none. */
bool hm_people_open_dialog(struct hm_asker *asker, const char *action, const char *nonce);
/* A submitted dialog: the ack's payload, or NULL. */
char *hm_people_submit(struct hm_asker *asker, const struct hm_slack_request *req);
/* What was typed into a search: the ack's payload. */
char *hm_people_suggest(struct hm_asker *asker, const struct hm_slack_request *req);

/* ---- people_home.c ------------------------------------------------------------------------------------------------------ */

/* Takes the asker. */
void hm_people_home_opened(struct hm_asker *asker, const struct hm_slack_request *req);
/* Timer callback; arg: struct hm_people. */
void hm_people_home_turn(void *arg);
void hm_people_home_free(struct hm_people *people);

/* ---- people_runs.c ------------------------------------------------------------------------------------------------------ */

/* The first word in small letters, as a phone or somebody in a hurry writes a command or a run's id (caller frees). *ret_rest:
 * what follows. */
char *hm_people_word(const char *text, const char **ret_rest);
/* Something stands behind a command that takes no more: that is told, and nothing is done. False when nothing does. run_id: what
 * stands there rightly, or "". */
bool hm_people_refuse_rest(struct hm_asker *asker, const char *word, const char *run_id, const char *rest);
/* runs, run, retry, stop, resume. False when the word is none of them. rest: what follows it. */
bool hm_people_runs(struct hm_asker *asker, const char *word, const char *rest);
/* Who stopped everything, and since when. */
struct hm_card_around hm_people_around(const struct hm_people *people);
/* The newest runs that are over, read from the journal; *ret_list is NULL when it can not be read. */
struct hm_listing *hm_people_recent_new(const struct hm_people *people, const struct hm_run_list **ret_list);
void hm_people_recent_free(struct hm_listing *listing);

/* ---- people.c ----------------------------------------------------------------------------------------------------------- */

/* Hands the input in; asker->run_id says to which run. */
void hm_people_click(struct hm_asker *asker, const struct hm_input *in);

#endif
