/* Durable messages: "message slots" that are posted once and then edited in place, so that each shows the latest content given.
 *
 * A slot has a key that lives as long as the thing it shows ("run:r-7k2m:card"), a place (channel, thread), a ts once posted,
 * and the content wanted. hm_poster_show() says what is wanted; the poster does the rest: posts it if there is no message yet,
 * else edits it, at most once per interval, the latest wins, what Slack shows already is not sent again. The last content is
 * never lost: what was certainly not done is tried until it is done, refused for good, or forgotten by the owner.
 *
 * A message is never posted twice because nobody knows whether the first post arrived: each post carries metadata
 * {event_type: "hausmeister", event_payload: {key}}, and after a post of unknown outcome (or a restart, when the journal holds no
 * ts) the poster looks for that key in the thread or channel before it posts.
 *
 * No sockets, timers or clocks of its own: calls go through struct hm_poster_slack, and the owner calls hm_poster_turn() when
 * wake_in() asked for it. post_link.h ties this to the real Web API and loop. Callbacks come from hm_poster_turn() or from the
 * end of a call, never from inside a function that the owner calls; they may call anything here but hm_poster_free(). */
#ifndef HM_SLACK_POST_H
#define HM_SLACK_POST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "slack/web_api.h"

struct hm_poster;

/* What the poster needs from outside. on_done must come exactly once and later, as hm_web_call() promises. */
struct hm_poster_slack {
    void (*call)(void *arg, const char *method, json_t *stolen_args, hm_web_fn on_done, void *done_arg);
    void (*respond)(void *arg, const char *response_url, json_t *stolen_body, hm_web_fn on_done, void *done_arg);
    /* Call hm_poster_turn() once, after_ms from now; a later wish replaces an earlier one. */
    void (*wake_in)(void *arg, int64_t after_ms);
    void *arg;
};

enum hm_post_trouble_kind {
    HM_POST_LATER,     /* not done, is being tried again (Slack away, rate limit); for the log */
    HM_POST_TOKEN,     /* the same, but a person must mend token or scopes first */
    HM_POST_PLACE,     /* Slack does not take it there: nothing more happens until hm_poster_move() */
    HM_POST_SHORTENED, /* Slack refused the blocks; the content's `text` is shown alone */
    HM_POST_CONTENT,   /* refused even so: nothing more happens until other content is shown */
    HM_POST_GONE,      /* deleted by somebody, twice: nothing more happens until hm_poster_move() */
    HM_POST_TROUBLE_NR
};

struct hm_post_trouble {
    enum hm_post_trouble_kind kind;
    const char *error;    /* Slack's word or "" */
    const char *sentence; /* for people */
};

enum { HM_POST_INTERVAL_MS = 1000, HM_POST_LOOK_AFTER_MS = 3000 };

struct hm_poster_opts {
    struct hm_poster_slack slack;
    const struct hm_clock *clock;
    int64_t min_interval_ms; /* between two edits of one message; 0 = HM_POST_INTERVAL_MS */
    int64_t look_after_ms;   /* before a post of unknown outcome is looked for; 0 = HM_POST_LOOK_AFTER_MS */
    /* The message exists: journal channel and ts. Comes again with another ts when a deleted message was posted anew. */
    void (*on_posted)(void *arg, const char *key, const char *channel, const char *ts);
    /* Slack confirmed the latest content; digest: what hm_poster_restore() wants after a restart. May be NULL. */
    void (*on_shown)(void *arg, const char *key, const char *digest);
    void (*on_trouble)(void *arg, const char *key, const struct hm_post_trouble *trouble);
    /* What a slot that is behind (hm_poster_behind()) should say now, as for hm_poster_show(); a new reference. NULL: what was
     * wanted before. May be NULL. */
    json_t *(*content)(void *arg, const char *key);
    void *arg;
};

struct hm_poster *hm_poster_new(const struct hm_poster_opts *opts);
/* Calls under way end without a callback of ours; their answers are ignored. */
void hm_poster_free(struct hm_poster *poster);
void hm_poster_turn(struct hm_poster *poster);

/* What is known about a slot's message from before a restart. */
struct hm_slot_memory {
    const char *ts;           /* NULL = not known to be posted */
    bool maybe_posted;        /* ts is NULL, and a post may have left: look before posting */
    int64_t since_wall_ms;    /* maybe_posted: not posted before this time; 0 = unknown */
    const char *shown_digest; /* from on_shown, or NULL: then the first content is sent in any case */
};

/* Makes the slot at its place (thread_ts: NULL = not in a thread); the strings are copied. A slot that exists stays as it is, so
 * that this may be called before every show. */
void hm_poster_open(struct hm_poster *poster, const char *key, const char *channel, const char *thread_ts);
/* The same with what the journal remembers; the slot must not exist. */
void hm_poster_restore(struct hm_poster *poster, const char *key, const char *channel, const char *thread_ts,
                       const struct hm_slot_memory *memory);
/* This is what the message should say: {"text": …, "blocks": […]}; text is also the fallback when the blocks are refused. The
 * slot must be open. urgent: a person waits for it (a gate, a decision, the end): goes before progress of other slots. */
void hm_poster_show(struct hm_poster *poster, const char *key, json_t *stolen_content, bool urgent);
/* Instead of hm_poster_show(), for progress that comes faster than Slack is told of it: true when the slot's message would have
 * to wait in any case, so that nothing needs to be rendered now; opts.content() is asked when its turn comes. False: show it now.
 */
bool hm_poster_behind(struct hm_poster *poster, const char *key);
/* To another place: what is wanted is posted there, the old message is left alone. What is shown already must be shown again. */
void hm_poster_move(struct hm_poster *poster, const char *key, const char *channel, const char *thread_ts);
/* No more content will come: the slot is dropped as soon as its last content is shown (or nothing more can be done for it). If
 * content comes all the same while it is still there, it lives on until it is finished again. */
void hm_poster_finish(struct hm_poster *poster, const char *key);
/* Drops it now, shown or not. */
void hm_poster_forget(struct hm_poster *poster, const char *key);

bool hm_poster_has(const struct hm_poster *poster, const char *key);
/* NULL when not posted (or no such slot). Borrowed until the next call here. */
const char *hm_poster_ts(const struct hm_poster *poster, const char *key);
const char *hm_poster_channel(const struct hm_poster *poster, const char *key);
/* The first message of the thread that an answer to this one belongs into: its thread, or itself. NULL when not posted. Borrowed.
 */
const char *hm_poster_thread(const struct hm_poster *poster, const char *key);

struct hm_poster_stats {
    unsigned slots;
    unsigned unshown;                     /* want something that Slack has not confirmed, and are not stuck */
    unsigned stuck;                       /* PLACE, CONTENT or GONE */
    unsigned under_way;                   /* calls */
    uint64_t posts, updates, looks, same; /* same: not sent because Slack showed it already */
};
void hm_poster_stats(const struct hm_poster *poster, struct hm_poster_stats *ret_stats);

#endif
