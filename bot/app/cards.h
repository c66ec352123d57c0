/* Cards: keeps one Slack message per run true. The runner says that a run changed, view/ renders it, the poster shows it; the
 * place of each card is journaled, so that after a restart the same message is edited on, and the last content of a run that
 * ended just before a crash is still shown. */
#ifndef HM_APP_CARDS_H
#define HM_APP_CARDS_H

#include <uv.h>

#include "app/ledger.h"
#include "app/settings.h"
#include "journal/journal.h"
#include "run/runner.h"
#include "slack/post.h"

struct hm_cards;

enum { HM_CARDS_LISTENERS = 4 };

struct hm_cards_opts {
    uv_loop_t *loop;
    struct hm_web_api *api;
    struct hm_journal *journal;
    const char *journal_path;
    struct hm_ledger *ledger;
    hm_recipe_by_sha_fn recipe_by_sha;
    void *recipe_arg;
    const struct hm_clock *clock;
};

struct hm_cards *hm_cards_new(const struct hm_cards_opts *opts);
/* Shows nothing any more. Call before the web API is freed, and hm_cards_free() after it. */
void hm_cards_stop(struct hm_cards *cards);
void hm_cards_free(struct hm_cards *cards);
/* settings: borrowed until the next use. */
void hm_cards_use(struct hm_cards *cards, const struct hm_settings *settings);

/* Progress that comes faster than Slack is told of it is rendered when its turn comes: out of this. Before the first show. */
void hm_cards_attach(struct hm_cards *cards, struct hm_runner *runner);

/* At start, before the runs are restored: where each card is. */
HM_MUST enum hm_code hm_cards_restore(struct hm_cards *cards, struct hm_err *err);
/* … and after that, when those that are going have been shown: the cards of runs that are over are rendered from the journal. */
void hm_cards_restored(struct hm_cards *cards);
/* What the journal has to remember about the run's card together with this commit: from a run's first event on, and when it
 * changes once more after its end, a card is owed, posted or not. A new reference, or NULL for nothing. */
json_t *hm_cards_owed_new(struct hm_cards *cards, const struct hm_commit *commit);
/* hm_runner_io.changed. */
void hm_cards_show(struct hm_cards *cards, const struct hm_run *run);
/* What a program of the run prints, plain text, below the card until it is taken away (NULL, seen with the next hm_cards_show());
 * not journaled. */
void hm_cards_tail(struct hm_cards *cards, const char *run_id, const char *text);
/* Who stopped everything (NULL = nobody: it goes on), and when that was said: on every card shown from now on. */
void hm_cards_around(struct hm_cards *cards, const char *held_by, int64_t word_ms);
/* A run whose card was finished long ago changes once more: this message is its card. Nothing happens when it is still known. */
void hm_cards_adopt(struct hm_cards *cards, const struct hm_run *run, const char *channel, const char *ts, const char *thread_ts);
/* Where the card of a run that is going is: its channel, or NULL when that is not known yet. *ret_ts: NULL likewise. Borrowed. */
const char *hm_cards_place(const struct hm_cards *cards, const char *run_id, const char **ret_ts);
/* The thread under that card (or the one that it is in), and its channel; NULL while the card is not posted. Borrowed. */
const char *hm_cards_thread(const struct hm_cards *cards, const char *run_id, const char **ret_channel);
/* Where links to messages go, once auth.test has said so ("https://team.slack.com/"): copied when it is the address of a page. */
void hm_cards_workspace(struct hm_cards *cards, const char *url);
/* NULL = not known. Borrowed. */
const char *hm_cards_workspace_url(const struct hm_cards *cards);
/* fn is called when a run's card is at Slack for the first time, or somewhere else. Up to HM_CARDS_LISTENERS may ask for it. */
void hm_cards_listen_posted(struct hm_cards *cards, void (*fn)(void *arg, const char *run_id), void *arg);
/* fn is called when Slack takes a run's card in no channel that is known; why: a sentence. */
void hm_cards_listen_unplaced(struct hm_cards *cards, void (*fn)(void *arg, const char *run_id, const char *why), void *arg);
/* The poster and its way to Slack, for other messages. */
struct hm_poster *hm_cards_poster(struct hm_cards *cards);
struct hm_poster_slack hm_cards_slack(const struct hm_cards *cards);
/* What was said there last. */
struct hm_card_around hm_cards_around_of(const struct hm_cards *cards);
/* fn is called when a message of that poster which is no card is at Slack. */
void hm_cards_listen(struct hm_cards *cards, void (*fn)(void *arg, const char *key), void *arg);
/* True when Slack shows all that it should. */
bool hm_cards_settled(const struct hm_cards *cards);

/* The journal's space for them. */
#define HM_CARDS_SPACE "cards"

#endif
