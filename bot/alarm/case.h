/* A case: one alarm that was recognised, from its first message to its end. What it says and offers is made once, when it begins,
 * and kept: a rule that changes later changes nothing that people have seen. Pure: every change is a function of the case and
 * what is handed in; the shell (app/alarms.h) keeps it in the journal as JSON.
 *
 *            message of the rule                 the news that it is over
 *   (none) ────────────────────► OPEN ──────────────────────────────► OVER
 *                               │  ▲ └─ too long ago ─► EXPIRED
 *                               └──┘ the same again, an offer taken, its run going on
 */
#ifndef HM_ALARM_CASE_H
#define HM_ALARM_CASE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "alarm/judge.h"

enum hm_case_end { HM_CASE_OPEN, HM_CASE_OVER, HM_CASE_EXPIRED, HM_CASE_END_NR };

enum {
    HM_CASE_ID_MAX = 16,
    HM_CASE_NONCE_MAX = 17,
    HM_CASE_GROUPED_MAX = 40, /* named in a storm */
    HM_CASE_ADDED_MAX = 20    /* runs that followed from others; more are not counted for the alarm */
};

/* The reactions on an alarm's message. */
#define HM_MARK_LOOKED "eyes"
#define HM_MARK_FAILED "warning"
#define HM_MARK_MENDED "white_check_mark"

/* One way to go on. */
struct hm_case_offer {
    char nonce[HM_CASE_NONCE_MAX]; /* in its button */
    char *recipe, *label, *style;
    json_t *with;
    bool unasked;   /* from `auto`: the case starts it by itself */
    char *taken_by; /* user id; NULL = nobody yet. For an unasked one: who started it, the bot */
    char *key;      /* of the click that took it: the same click twice is one */
    int64_t taken_ms;
    char *run_id;     /* NULL = not known (yet) */
    char *status;     /* how the run ended, hm_run_status_name(); NULL = it goes on */
    char *said;       /* what the run found out, mrkdwn; or NULL */
    int64_t ended_ms; /* when the run ended; 0 = it goes on */
    int64_t run_seq;  /* number of the run's newest event when that was noted */
    bool looks;       /* the run only looks: its recipe changes nothing */
    bool each;        /* one of several, for the entries of a list: each mends another part of the alarm */
    bool added;       /* never a button: a run that followed from another run of the alarm (hm_case_add()) */
    bool again;       /* … which was the same that another one had been */
    bool starting;    /* it is being started, by this process; not kept */
};

struct hm_case {
    char id[HM_CASE_ID_MAX]; /* "a-7k2m" */
    char *rule, *title, *doc, *key;
    char *link;         /* the address of doc; or NULL */
    char *channel, *ts; /* of the first message: where the card goes */
    int64_t at_ms;      /* when it was posted */
    int64_t seen_ms;    /* when we saw it */
    int64_t last_ms;    /* when the newest of the same was posted */
    int64_t group_ms;   /* the same within so long after at_ms joins */
    uint64_t count;     /* messages, the first one included */
    bool late;          /* seen so late (or out of history) that nothing starts by itself */
    bool silent;        /* nothing to say and nothing to offer: no card */
    json_t *values;     /* typed fields */
    json_t *assumed;    /* {field: true} */
    json_t *facts;      /* [[name, value]] to show, in the rule's order */
    char *say;          /* mrkdwn */
    json_t *remembered; /* [{key, fields}] */
    struct hm_case_offer *offers;
    size_t n_offers;
    char *taken; /* "acknowledged" and the like, as the message said it; NULL = none */
    enum hm_case_end end;
    int64_t ended_ms;
    char *ended_why; /* plain; NULL = none */
    /* A storm: this case stands for others that got no card of their own. */
    uint64_t grouped;     /* how many */
    json_t *grouped_keys; /* [[title, key, count]], at most HM_CASE_GROUPED_MAX */

    /* How it shows in Slack. */
    char *card_ts;      /* NULL = not posted, as far as known */
    char *card_channel; /* where it is instead, when it could not be posted under its alarm; NULL = there */
    char *digest;       /* of what is shown */
    char *mark;         /* the reaction on the alarm's message; NULL = none */
    bool marked;        /* it is there */
    json_t *unmark;     /* [name]: reactions of ours that have to go */
    int64_t version;    /* goes up with each change that shows */
    int64_t seq;        /* number of its newest event in the journal */
};

struct hm_case *hm_case_new(void);
void hm_case_free(struct hm_case *c);

/* Everything, and back. NULL when it is no case. */
HM_MUST json_t *hm_case_json_new(const struct hm_case *c);
struct hm_case *hm_case_of_json(const json_t *value);

/* A new case out of a verdict (MATCH). now_ms: wall clock. late: see struct hm_case. nonce: of each button. */
struct hm_case_order {
    const char *id, *channel, *ts;
    int64_t at_ms, now_ms;
    bool late;
    const json_t *known;
    void (*nonce)(void *arg, char ret_nonce[HM_CASE_NONCE_MAX]);
    void *arg;
};
struct hm_case *hm_case_begin(const struct hm_alarm_verdict *verdict, const struct hm_case_order *order);

/* A case that stands for alarms which get no card of their own (hm_case_group()), in the thread of the first of them. */
struct hm_case *hm_case_storm(const struct hm_case_order *order, unsigned per_minute);

/* Whether a message of this rule, channel and key at that time is this alarm again. */
bool hm_case_takes(const struct hm_case *c, const char *rule, const char *channel, const char *key, int64_t at_ms);
void hm_case_repeat(struct hm_case *c, int64_t at_ms);
/* Stands for one more alarm that gets no card. */
void hm_case_group(struct hm_case *c, const char *title, const char *key, int64_t at_ms);
/* The offer with this nonce, or NULL. */
struct hm_case_offer *hm_case_offer(struct hm_case *c, const char *nonce);
/* The offer of this run, or NULL. */
struct hm_case_offer *hm_case_offer_of_run(struct hm_case *c, const char *run_id);
/* The offer nobody has taken that this run is all the same, although it was not started by it: somebody typed it in the alarm's
 * thread. NULL = none. */
struct hm_case_offer *hm_case_offer_like(struct hm_case *c, const char *recipe, const json_t *params);
/* Whether one more run that follows from a run of the alarm (tried again, or offered by it) is counted. */
bool hm_case_has_room(const struct hm_case *c);
/* Such a run, as an entry of its own that was never offered: taken by whoever started it. When it is the same that another entry
 * was (its recipe, and the values that it gave), it is called so, too. Entries that were found before are no more valid. */
struct hm_case_follower {
    const char *nonce, *recipe, *title, *user;
    const json_t *params;
    int64_t at_ms;
};
struct hm_case_offer *hm_case_add(struct hm_case *c, const struct hm_case_follower *follower);
void hm_case_take(struct hm_case_offer *offer, const char *user, const char *key, int64_t now_ms);
/* Takes it back: what it was taken for did not come to be. */
void hm_case_untake(struct hm_case_offer *offer);
/* What is known of an offer's run. status, ended_ms: of one that is over; NULL and 0 else. looks: it changes nothing. */
struct hm_case_run_news {
    const char *run_id, *status, *said;
    int64_t ended_ms;
    bool looks;
};
/* True when the case changed. Once all its runs are over, the alarm's mark is what came of it: the last run that was to mend it
 * was done, or came to another end (of offers that mend one part each, any part's last one; one that stopped, for there was
 * nothing to do, counts only when no other did more); where nobody has tried to mend it, whether somebody looked. That it is over
 * counts as mended, until a run that ended after that did not. */
bool hm_case_run(struct hm_case *c, struct hm_case_offer *offer, const struct hm_case_run_news *news);
/* The reaction of this name is gone (or never was there). */
void hm_case_unmarked(struct hm_case *c, const char *name);
/* The end. now_ms: when that was said, which may be before a run ended. False when it had one already. */
bool hm_case_finish(struct hm_case *c, enum hm_case_end end, const char *why, int64_t now_ms);
/* Whether its buttons are to be seen. */
bool hm_case_offers_open(const struct hm_case *c);
/* True when some offer was taken and its run is not over. */
bool hm_case_busy(const struct hm_case *c);

/* What is remembered now: known (an object that is changed) with what `remembered` says; true when it changed. ts: of the
 * message; older news than what is there changes nothing. ret_changes: [key] of what changed, or NULL. */
bool hm_case_remember(json_t *known, const json_t *memories, const char *ts, json_t *ret_changes);

#endif
