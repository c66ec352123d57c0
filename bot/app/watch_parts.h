/* Inside of watch.h: what watch.c (messages), watch_notice.c (that an alarm is over), watch_store.c (the journal), watch_cards.c
 * and watch_marks.c (Slack), watch_runs.c (offers and runs) and watch_history.c (catching up) share. Nobody else includes this.
 */
#ifndef HM_APP_WATCH_PARTS_H
#define HM_APP_WATCH_PARTS_H

#include <sys/queue.h>

#include "app/watch.h"
#include "io/timer.h"
#include "slack/post.h"
#include "slack/post_link.h"

/* Somebody waits for a commit. */
struct hm_watch_waiter {
    hm_watch_taken_fn fn;
    void *arg;
    char nonce[HM_CASE_NONCE_MAX];
};

/* What is to be written about a case besides the case itself. */
struct hm_watch_news {
    json_t *events;   /* [{type, data}] */
    json_t *seen;     /* ["C…:ts"] */
    json_t *known;    /* [key] of what is remembered anew */
    int64_t *inboxes; /* envelopes that end with it */
    size_t n_inboxes;
    struct hm_watch_waiter *waiters;
    size_t n_waiters;
};

/* A case in memory. */
struct hm_watched {
    TAILQ_ENTRY(hm_watched) link;
    struct hm_watch *watch;
    struct hm_case *c;
    struct hm_watch_news news; /* not under way yet */
    bool dirty, writing, forget;
    bool show;             /* the next commit changes what is shown */
    bool marking;          /* a reaction is under way */
    unsigned mark_tries;   /* … so often in vain, and … */
    int64_t mark_again_ms; /* … not again before this (monotonic) */
};
TAILQ_HEAD(hm_watched_list, hm_watched);

/* What was said before Slack has told who we are (watch.c). */
struct hm_watch_early;
TAILQ_HEAD(hm_watch_earlies, hm_watch_early);

/* A notice whose cases are being committed, and one that is kept for alarms that come late (watch_notice.c). */
struct hm_watch_ending;
TAILQ_HEAD(hm_watch_endings, hm_watch_ending);
struct hm_watch_heard;
TAILQ_HEAD(hm_watch_news_heard, hm_watch_heard);

/* One channel being read. */
struct hm_watch_history {
    char **channels; /* still to be read; NULL-terminated */
    size_t at, n;
    json_t *pages; /* of the present one: arrays of messages, the newest first */
    char *oldest;  /* of the present one */
    bool again;    /* somebody asked once more meanwhile */
    uint64_t gaps; /* n_gaps when it began */
    bool busy;
};

struct hm_watch {
    struct hm_watch_opts opts;
    const struct hm_settings *settings;
    struct hm_post_link *link;
    struct hm_poster *poster;
    struct hm_watched_list cases;
    struct hm_watch_endings endings;
    struct hm_watch_news_heard heard;
    size_t n_heard;
    bool heard_full; /* some of it was pushed out, and that was said */
    struct hm_watch_earlies earlies;
    json_t *seen;       /* "C…:ts" → [case id, at_ms] */
    json_t *links;      /* HM_WATCH_RUNS_SPACE as it was at start, until the runs are there */
    json_t *known;      /* shown to others */
    json_t *remembered; /* what alarms said, over the settings' own */
    json_t *watermarks; /* channel → ts */
    json_t *heads;      /* the same for what came live since a gap that is not read yet */
    json_t *unread;     /* channel → true: Slack refused to have it read back, so its watermark stays where it is */
    json_t *recent;     /* channel → [at_ms of the newest cards] */
    bool connected;
    bool gap_read;   /* nothing was missed since the last time the channels were read back */
    int64_t away_ms; /* until then nobody was told anything: what is older starts nothing by itself */
    uint64_t n_gaps; /* so far */
    bool missed;     /* hm_watch_missed() since the channels were begun to be read */
    bool watermarks_dirty, watermarks_writing;
    char *bot_user, *bot_id, *team;
    struct hm_timer *tick_timer, *history_timer;
    struct hm_watch_history history;
    struct hm_watch_stats stats;
    void (*changed)(void *arg); /* hm_watch_on_changed() */
    void *changed_arg;
    bool restored; /* the runs are there: now something may be started */
    bool stopped;
};

/* ---- watch.c ------------------------------------------------------------------------------------------------------------------
 */

/* message: from history, or live. inbox_id 0 = none. True when a rule recognised it. */
bool hm_watch_judge(struct hm_watch *watch, const json_t *message, const char *channel, int64_t inbox_id, bool from_history);
/* Nothing of the channel was missed that is still to be read. */
bool hm_watch_is_whole(const struct hm_watch *watch, const char *channel);
/* Moves a mark on; false when it is there already. */
bool hm_watch_advance(json_t *marks, const char *channel, const char *ts);
/* Of a new button, or of a new entry among those. */
void hm_watch_nonce(const struct hm_watch *watch, char ret_nonce[HM_CASE_NONCE_MAX]);
/* The channels that rules watch: a new array of strings, each once. */
json_t *hm_watch_channels_new(const struct hm_watch *watch);

struct hm_alarm_around hm_watch_around(const struct hm_watch *watch, const char *channel);

/* ---- watch_notice.c -----------------------------------------------------------------------------------------------------------
 */

/* A message: where and when it was said, and its envelope (0 = none: it comes from history). */
struct hm_watch_said {
    const char *channel, *ts;
    int64_t at_ms;
    int64_t inbox_id;
    bool again; /* it was judged before: of alarms that came since it may be about those with its very key */
};
/* The news that alarms are over, or taken: closes (or marks) the cases that it is about, ends the envelope. */
void hm_watch_notice(struct hm_watch *watch, const struct hm_alarm_verdict *verdict, const struct hm_watch_said *said);
/* Keeps the notice for a while: an alarm that was said before it may be heard of after it. */
void hm_watch_keep_news(struct hm_watch *watch, const json_t *message, const struct hm_watch_said *said);
/* An alarm was raised, or raised again: the news of its channel that was said after it and heard before it is judged anew. */
void hm_watch_later_news(struct hm_watch *watch, const char *channel, int64_t at_ms);
/* News that is too old for that is dropped. */
void hm_watch_forget_news(struct hm_watch *watch, int64_t now_ms);
/* The same by an edit of a message of this case, which is about no other. False: it is not about this case either, nothing was
 * done. */
bool hm_watch_edit_notice(struct hm_watched *w, const struct hm_alarm_verdict *verdict, int64_t at_ms, int64_t inbox_id);
/* What is still under way is forgotten: the next start takes it up again. */
void hm_watch_notices_done(struct hm_watch *watch);

/* ---- watch_store.c ------------------------------------------------------------------------------------------------------------
 */

struct hm_watched *hm_watched_add(struct hm_watch *watch, struct hm_case *stolen_case);
struct hm_watched *hm_watched_find(const struct hm_watch *watch, const char *id);
/* The message was handled already, whether its case is still known or not. */
bool hm_watch_was_seen(const struct hm_watch *watch, const char *channel, const char *ts);
/* The case that a message belongs to, or NULL. */
struct hm_watched *hm_watched_of_message(const struct hm_watch *watch, const char *channel, const char *ts);
void hm_watched_event(struct hm_watched *w, const char *type, json_t *stolen_data);
void hm_watched_seen(struct hm_watched *w, const char *channel, const char *ts, int64_t at_ms);
/* The same of news (watch_notice.c). case_id: of the case that it is about, "" = none, or several. In memory at once; in the
 * journal with hm_watch_save_seen(). */
void hm_watch_note_news(struct hm_watch *watch, const char *case_id, const char *channel, const char *ts, int64_t at_ms);
/* The message was handled already, and it was news. */
bool hm_watch_was_news(const struct hm_watch *watch, const char *channel, const char *ts);
void hm_watch_save_seen(struct hm_watch *watch, const char *channel, const char *ts);
/* fn once what the case is now is committed (or could not be). */
void hm_watched_wait(struct hm_watched *w, const char *nonce, hm_watch_taken_fn fn, void *arg);
void hm_watched_inbox(struct hm_watched *w, int64_t inbox_id);
/* The case changed. show: so that it is to be seen. */
void hm_watched_touch(struct hm_watched *w, bool show);
/* Writes what is to be written, as soon as nothing of the case is under way. */
void hm_watched_flush(struct hm_watched *w);
/* It is gone from memory and, once written, from the journal's list of cases. */
void hm_watched_forget(struct hm_watched *w);
void hm_watched_free_all(struct hm_watch *watch);
/* Nothing is being written or waits for it. */
bool hm_watch_written(const struct hm_watch *watch);
void hm_watch_save_watermarks(struct hm_watch *watch);
void hm_watch_forget_seen(struct hm_watch *watch, int64_t before_ms);
HM_MUST enum hm_code hm_watch_load(struct hm_watch *watch, struct hm_err *err);
/* What others see as known, made anew. */
void hm_watch_merge_known(struct hm_watch *watch);

/* ---- watch_cards.c ------------------------------------------------------------------------------------------------------------
 */

void hm_watch_open_poster(struct hm_watch *watch);
/* What is committed is shown. */
void hm_watched_show(struct hm_watched *w);
/* After a restart: where its card is. */
void hm_watched_show_restored(struct hm_watched *w);
void hm_watched_hide(struct hm_watched *w);

/* ---- watch_marks.c ------------------------------------------------------------------------------------------------------------
 */

/* Adds or takes away what the alarm's message lacks, unless that is not committed, is under way or is to be tried later. */
void hm_watched_mark(struct hm_watched *w);
/* The message bears what it should, or never will. */
bool hm_watched_is_marked(const struct hm_watched *w);

/* ---- watch_runs.c -------------------------------------------------------------------------------------------------------------
 */

/* Starts what the case starts by itself and has not started. */
void hm_watched_start(struct hm_watched *w);
/* After a restart: runs that began or ended while we were away. */
void hm_watch_find_runs(struct hm_watch *watch);

/* ---- watch_history.c ----------------------------------------------------------------------------------------------------------
 */

/* Timer callback; arg: struct hm_watch. */
void hm_watch_history_go(void *arg);
void hm_watch_history_done(struct hm_watch *watch);

#endif
