/* Message slots: see post.h for what they promise.
 *
 * Happy path: show → WAITING → turn: chat.postMessage → ts → on_posted, on_shown → IDLE; show → WAITING → chat.update → IDLE.
 * Failure modes: not done → WAITING with a back-off, for ever; post of unknown outcome → WAITING with maybe_posted: the next
 * step is a look for our key; place, content or message refused → the ladder in refused().
 *
 *            show, move                  turn                    done
 *   IDLE ──────────────────► WAITING ───────────► BUSY ────────────────────► IDLE   (latest content confirmed)
 *     ▲                         ▲                   │
 *     └── same as shown ────────┤◄──────────────────┤  not done, unknown, newer content
 *   STUCK ◄──────────────────── │ ──────────────────┘  refused for good;  STUCK → WAITING by move or by other content
 */
#include "slack/post.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/post_build.h"
#include "slack/post_slots.h"

enum {
    MAX_BACKOFF_MS = 60 * 1000,
    TOKEN_WAIT_MS = 60 * 1000,
    /* A post of unknown outcome that was looked for and not found: once more, later, before posting. */
    LOOK_AGAIN_MS = 10 * 1000,
    LOOKS = 2,
    MAX_PAGES = 5,
    MAX_CONTENT = 512 * 1024,
    /* Few calls under way at a time, because content is fixed when the call is made: what waits here can still be replaced. */
    MAX_UPDATES = 2,
    MAX_LOOKS = 2,
    MAX_POSTS = 30,
    MAX_CHANNEL_POSTS = 2
};

enum job_kind { JOB_POST, JOB_UPDATE, JOB_LOOK };

struct job {
    LIST_ENTRY(job) link;
    struct hm_poster *poster; /* NULL: it is gone */
    struct hm_slot *slot;     /* NULL: it was forgotten */
    enum job_kind kind;
    char digest[HM_SHA256_HEX]; /* of what was sent */
    bool text_only;
    unsigned page;
    int64_t started_ms, started_wall_ms;
};

struct hm_poster {
    struct hm_poster_opts opts;
    struct hm_slots slots;
    LIST_HEAD(, job) jobs;
    int64_t wake_at_ms; /* INT64_MAX: nothing was asked */
    struct hm_poster_stats stats;
};

/* ---- slots ------------------------------------------------------------------------------------------------------------ */

static struct hm_slot *find_open(const struct hm_poster *poster, const char *key)
{
    struct hm_slot *slot = hm_slots_find(&poster->slots, key);
    HM_ASSERT(slot != NULL);
    return slot;
}

static int64_t now_of(const struct hm_poster *poster)
{
    return hm_mono_ms(poster->opts.clock);
}

static void wake_in(struct hm_poster *poster, int64_t after_ms)
{
    int64_t at_ms = now_of(poster) + after_ms;
    if (at_ms >= poster->wake_at_ms)
        return;
    poster->wake_at_ms = at_ms;
    poster->opts.slack.wake_in(poster->opts.slack.arg, after_ms);
}

static void set_state(struct hm_poster *poster, struct hm_slot *slot, enum hm_slot_state state)
{
    hm_slots_set_state(&poster->slots, slot, state);
    if (state == HM_SLOT_WAITING)
        wake_in(poster, 0);
}

/* Answers that are under way are not for this slot any more. */
static void part_from_jobs(struct hm_poster *poster, const struct hm_slot *slot)
{
    struct job *job = NULL;

    LIST_FOREACH(job, &poster->jobs, link)
    {
        if (job->slot == slot)
            job->slot = NULL;
    }
}

static void drop(struct hm_poster *poster, struct hm_slot *slot)
{
    part_from_jobs(poster, slot);
    hm_slots_drop(&poster->slots, slot);
}

/* ---- what the owner hears: always the last thing done with a slot ------------------------------------------------------ */

static void tell_trouble(struct hm_poster *poster, struct hm_slot *slot, enum hm_post_trouble_kind kind, const char *error,
                         const char *sentence)
{
    struct hm_post_trouble trouble = {.kind = kind, .error = error, .sentence = sentence};
    char *key = hm_xstrdup(slot->key);
    uint64_t serial = slot->serial;

    poster->opts.on_trouble(poster->opts.arg, key, &trouble);
    if (hm_slots_has(&poster->slots, key, serial) && slot->state == HM_SLOT_STUCK && slot->finishing)
        drop(poster, slot);
    free(key);
}

/* The latest content is at Slack. */
static void shown(struct hm_poster *poster, struct hm_slot *slot)
{
    char *key = hm_xstrdup(slot->key);
    char digest[HM_SHA256_HEX];

    memcpy(digest, slot->shown_digest, sizeof(digest));
    HM_FREE(slot->wanted);
    set_state(poster, slot, HM_SLOT_IDLE);
    if (slot->finishing)
        drop(poster, slot);
    if (poster->opts.on_shown != NULL)
        poster->opts.on_shown(poster->opts.arg, key, digest);
    free(key);
}

/* Returns false when the owner dropped the slot in the callback. */
static bool tell_posted(struct hm_poster *poster, const struct hm_slot *slot)
{
    char *key = hm_xstrdup(slot->key);
    char *channel = hm_xstrdup(slot->channel);
    char *ts = hm_xstrdup(slot->ts);
    uint64_t serial = slot->serial;

    poster->opts.on_posted(poster->opts.arg, key, channel, ts);
    bool there = hm_slots_has(&poster->slots, key, serial);
    free(key);
    free(channel);
    free(ts);
    return there;
}

/* ---- ends of calls ---------------------------------------------------------------------------------------------------- */

static void wait_for(struct hm_poster *poster, struct hm_slot *slot, int64_t wait_ms)
{
    slot->not_before_ms = now_of(poster) + wait_ms;
    set_state(poster, slot, HM_SLOT_WAITING);
}

static void later(struct hm_poster *poster, struct hm_slot *slot, const struct hm_web_answer *a)
{
    unsigned doublings = slot->failures < 6 ? slot->failures : 6;
    int64_t wait_ms = (int64_t)1000 << doublings;

    slot->failures++;
    wait_for(poster, slot, wait_ms < MAX_BACKOFF_MS ? wait_ms : MAX_BACKOFF_MS);
    tell_trouble(poster, slot, HM_POST_LATER, a->error, a->sentence);
}

static void stick(struct hm_poster *poster, struct hm_slot *slot, enum hm_post_trouble_kind kind, const struct hm_web_answer *a)
{
    slot->content_refused = kind == HM_POST_CONTENT;
    set_state(poster, slot, HM_SLOT_STUCK);
    tell_trouble(poster, slot, kind, a->error, a->sentence);
}

static void refused_content(struct hm_poster *poster, struct hm_slot *slot, const struct job *job, const struct hm_web_answer *a)
{
    if (slot->behind || !hm_streq(slot->wanted_digest, job->digest)) { /* other content has come: its own chance */
        set_state(poster, slot, HM_SLOT_WAITING);
    } else if (!job->text_only) {
        slot->text_only = true;
        set_state(poster, slot, HM_SLOT_WAITING);
        tell_trouble(poster, slot, HM_POST_SHORTENED, a->error, a->sentence);
    } else {
        stick(poster, slot, HM_POST_CONTENT, a);
    }
}

/* The message can not be edited any more: post it anew, once. Perhaps that was done already, just before a crash: look first. */
static void lost(struct hm_poster *poster, struct hm_slot *slot, const struct hm_web_answer *a)
{
    if (slot->ts == NULL || slot->lost_ts != NULL) {
        stick(poster, slot, slot->ts != NULL ? HM_POST_GONE : HM_POST_PLACE, a);
        return;
    }
    slot->lost_ts = slot->ts;
    slot->ts = NULL;
    slot->shown_digest[0] = '\0';
    slot->maybe_posted = true;
    slot->looks_left = 1;
    slot->since_wall_ms = hm_post_ts_wall_ms(slot->lost_ts);
    wait_for(poster, slot, poster->opts.look_after_ms); /* that post may still be on its way */
}

static void refused(struct hm_poster *poster, struct hm_slot *slot, const struct job *job, const struct hm_web_answer *a)
{
    switch (hm_post_refusal(a->code, a->error, a->fatal)) {
    case HM_POST_REFUSAL_PLACE:
        stick(poster, slot, HM_POST_PLACE, a);
        break;
    case HM_POST_REFUSAL_CONTENT:
        refused_content(poster, slot, job, a);
        break;
    case HM_POST_REFUSAL_LOST:
        lost(poster, slot, a);
        break;
    case HM_POST_REFUSAL_TOKEN:
        wait_for(poster, slot, TOKEN_WAIT_MS);
        tell_trouble(poster, slot, HM_POST_TOKEN, a->error, a->sentence);
        break;
    case HM_POST_REFUSAL_LATER:
        later(poster, slot, a);
        break;
    }
}

/* Slack has what the job sent. */
static void confirmed(struct hm_poster *poster, struct hm_slot *slot, const struct job *job)
{
    slot->failures = 0;
    slot->not_before_ms = job->started_ms + poster->opts.min_interval_ms;
    memcpy(slot->shown_digest, job->digest, sizeof(slot->shown_digest));
    if (!slot->behind && hm_streq(slot->shown_digest, slot->wanted_digest))
        shown(poster, slot);
    else
        set_state(poster, slot, HM_SLOT_WAITING);
}

static void posted(struct hm_poster *poster, struct hm_slot *slot, const struct job *job, const struct hm_web_answer *a)
{
    const char *ts = hm_json_get_str(a->body, "ts", "");

    if (a->code == HM_EUNKNOWN || (a->code == HM_OK && ts[0] == '\0')) {
        slot->maybe_posted = true;
        slot->looks_left = LOOKS;
        slot->since_wall_ms = job->started_wall_ms; /* the interval clock stands still while the machine sleeps */
        wait_for(poster, slot, poster->opts.look_after_ms);
        tell_trouble(poster, slot, HM_POST_LATER, a->error, a->sentence);
    } else if (a->code == HM_OK) {
        hm_slot_set_text(&slot->ts, ts);
        hm_slot_set_text(&slot->channel,
                         hm_json_get_str(a->body, "channel", slot->channel)); /* posted to a person: the DM's id */
        if (tell_posted(poster, slot))
            confirmed(poster, slot, job);
    } else {
        refused(poster, slot, job, a);
    }
}

static void start_look(struct hm_poster *poster, struct hm_slot *slot, unsigned page, const char *cursor);

/* It can not be known, or the message is not there: posting twice is better than not at all. */
static void post_anyway(struct hm_poster *poster, struct hm_slot *slot)
{
    slot->maybe_posted = false;
    set_state(poster, slot, HM_SLOT_WAITING);
}

static void look_refused(struct hm_poster *poster, struct hm_slot *slot, const struct job *job, const struct hm_web_answer *a)
{
    switch (hm_post_refusal(a->code, a->error, a->fatal)) {
    case HM_POST_REFUSAL_PLACE:
    case HM_POST_REFUSAL_LATER:
        refused(poster, slot, job, a);
        break;
    case HM_POST_REFUSAL_TOKEN:
        if (hm_streq(a->error, "missing_scope") || hm_streq(a->error, "no_permission"))
            post_anyway(poster, slot); /* this app may post and not read */
        else
            refused(poster, slot, job, a);
        break;
    case HM_POST_REFUSAL_CONTENT:
    case HM_POST_REFUSAL_LOST:
        post_anyway(poster, slot);
        break;
    }
}

static void looked(struct hm_poster *poster, struct hm_slot *slot, const struct job *job, const struct hm_web_answer *a)
{
    const char *ts = hm_post_look_find(a->body, slot->key, slot->lost_ts);
    const char *cursor = hm_post_look_cursor(a->body);

    if (a->code != HM_OK) {
        look_refused(poster, slot, job, a);
    } else if (ts != NULL) {
        slot->maybe_posted = false;
        slot->failures = 0;
        hm_slot_set_text(&slot->ts, ts);
        set_state(poster, slot, HM_SLOT_WAITING); /* what it shows is not known: an edit follows */
        (void)tell_posted(poster, slot);
    } else if (cursor != NULL && job->page < MAX_PAGES) {
        start_look(poster, slot, job->page + 1, cursor);
    } else if (slot->looks_left > 1) {
        slot->looks_left--;
        wait_for(poster, slot, LOOK_AGAIN_MS);
    } else {
        post_anyway(poster, slot);
    }
}

static void on_job_done(void *arg, const struct hm_web_answer *a)
{
    struct job *job = arg;
    struct hm_poster *poster = job->poster;
    struct hm_slot *slot = job->slot;

    if (poster == NULL) {
        free(job);
        return;
    }
    LIST_REMOVE(job, link);
    poster->stats.under_way--;
    wake_in(poster, 0); /* there is room for another one */
    if (slot != NULL) {
        slot->state = HM_SLOT_IDLE; /* every branch below gives it its next state */
        if (job->kind == JOB_LOOK)
            looked(poster, slot, job, a);
        else if (job->kind == JOB_POST)
            posted(poster, slot, job, a);
        else if (a->code == HM_OK)
            confirmed(poster, slot, job);
        else
            refused(poster, slot, job, a);
    }
    free(job);
}

/* ---- starting calls --------------------------------------------------------------------------------------------------- */

static void start_job(struct hm_poster *poster, struct hm_slot *slot, struct job *job, const char *method, json_t *stolen_args)
{
    job->poster = poster;
    job->slot = slot;
    job->started_ms = now_of(poster);
    job->started_wall_ms = hm_wall_ms(poster->opts.clock);
    LIST_INSERT_HEAD(&poster->jobs, job, link);
    poster->stats.under_way++;
    set_state(poster, slot, HM_SLOT_BUSY);
    poster->opts.slack.call(poster->opts.slack.arg, method, stolen_args, on_job_done, job);
}

static void start_look(struct hm_poster *poster, struct hm_slot *slot, unsigned page, const char *cursor)
{
    struct job *job = hm_xcalloc(1, sizeof(*job));

    job->kind = JOB_LOOK;
    job->page = page;
    poster->stats.looks++;
    start_job(poster, slot, job, hm_post_look_method(slot->thread_ts),
              hm_post_look_args_new(slot->channel, slot->thread_ts, slot->since_wall_ms, cursor));
}

static void start_write(struct hm_poster *poster, struct hm_slot *slot, enum job_kind kind)
{
    struct job *job = hm_xcalloc(1, sizeof(*job));
    json_t *content = hm_json_parse_new(slot->wanted, strlen(slot->wanted), MAX_CONTENT, NULL);
    json_t *args = NULL;

    HM_ASSERT(content != NULL); /* our own text */
    job->kind = kind;
    job->text_only = slot->text_only;
    memcpy(job->digest, slot->wanted_digest, sizeof(job->digest));
    if (kind == JOB_POST) {
        poster->stats.posts++;
        args = hm_post_args_new(slot->key, slot->channel, slot->thread_ts, content, slot->text_only);
    } else {
        poster->stats.updates++;
        args = hm_post_update_args_new(slot->channel, slot->ts, content, slot->text_only);
    }
    json_decref(content);
    start_job(poster, slot, job, kind == JOB_POST ? "chat.postMessage" : "chat.update", args);
}

static enum job_kind next_kind(const struct hm_slot *slot)
{
    if (slot->ts != NULL)
        return JOB_UPDATE;
    return slot->maybe_posted ? JOB_LOOK : JOB_POST;
}

static bool has_room(const struct hm_poster *poster, const struct hm_slot *slot, enum job_kind kind)
{
    static const unsigned most[] = {[JOB_POST] = MAX_POSTS, [JOB_UPDATE] = MAX_UPDATES, [JOB_LOOK] = MAX_LOOKS};
    const struct job *job = NULL;
    unsigned same = 0;
    unsigned same_channel = 0;

    LIST_FOREACH(job, &poster->jobs, link)
    {
        if (job->kind != kind)
            continue;
        same++;
        if (job->slot != NULL && hm_streq(job->slot->channel, slot->channel))
            same_channel++;
    }
    return same < most[kind] && (kind != JOB_POST || same_channel < MAX_CHANNEL_POSTS);
}

static void want(struct hm_slot *slot, json_t *stolen_content)
{
    char digest[HM_SHA256_HEX];

    HM_ASSERT(json_is_object(stolen_content));
    hm_post_digest(stolen_content, digest);
    if (!hm_streq(digest, slot->wanted_digest)) {
        slot->text_only = false;
        if (slot->state == HM_SLOT_STUCK && slot->content_refused)
            slot->state = HM_SLOT_IDLE;
    }
    memcpy(slot->wanted_digest, digest, sizeof(digest));
    free(slot->wanted);
    slot->wanted = hm_json_text(stolen_content);
    json_decref(stolen_content);
    slot->behind = false;
}

/* Asks the owner what the slot should say now. */
static void catch_up(struct hm_poster *poster, struct hm_slot *slot)
{
    char *key = hm_xstrdup(slot->key);
    uint64_t serial = slot->serial;

    slot->behind = false;
    json_t *content = poster->opts.content(poster->opts.arg, key);
    if (!hm_slots_has(&poster->slots, key, serial))
        json_decref(content);
    else if (content != NULL)
        want(slot, content);
    else if (slot->wanted == NULL)
        set_state(poster, slot, HM_SLOT_IDLE);
    free(key);
}

/* Takes the slot a step further. Returns true when a callback of the owner's has run. */
static bool step(struct hm_poster *poster, struct hm_slot *slot)
{
    enum job_kind kind = next_kind(slot);

    if (slot->behind && kind != JOB_LOOK && has_room(poster, slot, kind)) {
        catch_up(poster, slot);
        return true;
    }
    if (!slot->behind && kind == JOB_UPDATE && hm_streq(slot->wanted_digest, slot->shown_digest)) {
        poster->stats.same++;
        shown(poster, slot);
        return true;
    }
    if (!has_room(poster, slot, kind))
        return false;
    if (kind == JOB_LOOK)
        start_look(poster, slot, 1, NULL);
    else
        start_write(poster, slot, kind);
    return false;
}

/* One pass over a queue. Returns false when a callback ran: the list may be another one, begin again. */
static bool pass(struct hm_poster *poster, struct hm_slot_queue *queue, int64_t now, int64_t *soonest_ms)
{
    struct hm_slot *slot = NULL;
    struct hm_slot *next = NULL;

    for (slot = TAILQ_FIRST(queue); slot != NULL; slot = next) {
        next = TAILQ_NEXT(slot, queue);
        if (slot->not_before_ms > now) {
            if (slot->not_before_ms - now < *soonest_ms)
                *soonest_ms = slot->not_before_ms - now;
            continue;
        }
        if (step(poster, slot))
            return false;
    }
    return true;
}

void hm_poster_turn(struct hm_poster *poster)
{
    int64_t soonest_ms = 0;

    poster->wake_at_ms = INT64_MAX;
    do {
        soonest_ms = INT64_MAX;
    } while (!pass(poster, &poster->slots.queues[0], now_of(poster), &soonest_ms) ||
             !pass(poster, &poster->slots.queues[1], now_of(poster), &soonest_ms));
    if (soonest_ms < INT64_MAX)
        wake_in(poster, soonest_ms);
}

/* ---- what the owner asks for ------------------------------------------------------------------------------------------ */

struct hm_poster *hm_poster_new(const struct hm_poster_opts *opts)
{
    struct hm_poster *poster = hm_xcalloc(1, sizeof(*poster));

    poster->opts = *opts;
    if (poster->opts.min_interval_ms <= 0)
        poster->opts.min_interval_ms = HM_POST_INTERVAL_MS;
    if (poster->opts.look_after_ms <= 0)
        poster->opts.look_after_ms = HM_POST_LOOK_AFTER_MS;
    hm_slots_init(&poster->slots);
    LIST_INIT(&poster->jobs);
    poster->wake_at_ms = INT64_MAX;
    return poster;
}

void hm_poster_free(struct hm_poster *poster)
{
    struct job *job = NULL;

    if (poster == NULL)
        return;
    LIST_FOREACH(job, &poster->jobs, link)
    {
        job->poster = NULL;
    }
    while (!LIST_EMPTY(&poster->slots.all))
        drop(poster, LIST_FIRST(&poster->slots.all));
    free(poster);
}

void hm_poster_open(struct hm_poster *poster, const char *key, const char *channel, const char *thread_ts)
{
    if (hm_slots_find(&poster->slots, key) == NULL)
        (void)hm_slots_open(&poster->slots, key, channel, thread_ts);
}

void hm_poster_restore(struct hm_poster *poster, const char *key, const char *channel, const char *thread_ts,
                       const struct hm_slot_memory *memory)
{
    HM_ASSERT(hm_slots_find(&poster->slots, key) == NULL);
    struct hm_slot *slot = hm_slots_open(&poster->slots, key, channel, thread_ts);

    slot->ts = hm_xstrdup_null(memory->ts);
    slot->maybe_posted = memory->ts == NULL && memory->maybe_posted;
    slot->since_wall_ms = memory->since_wall_ms;
    slot->looks_left = 1;
    if (slot->maybe_posted) /* Slack may still be at what the process before us sent */
        slot->not_before_ms = now_of(poster) + poster->opts.look_after_ms;
    if (slot->ts != NULL && memory->shown_digest != NULL && strlen(memory->shown_digest) == HM_SHA256_HEX - 1)
        memcpy(slot->shown_digest, memory->shown_digest, HM_SHA256_HEX);
}

void hm_poster_show(struct hm_poster *poster, const char *key, json_t *stolen_content, bool urgent)
{
    struct hm_slot *slot = find_open(poster, key);
    bool waiting = slot->state == HM_SLOT_WAITING;

    slot->finishing = false; /* what it shows goes on after all: dropped now, its message would be forgotten and posted anew */
    want(slot, stolen_content);
    if (waiting && urgent == slot->urgent)
        return; /* it keeps its place in the queue */
    if (waiting)
        set_state(poster, slot, HM_SLOT_IDLE);
    slot->urgent = urgent;
    if (slot->state == HM_SLOT_IDLE)
        set_state(poster, slot, HM_SLOT_WAITING);
}

bool hm_poster_behind(struct hm_poster *poster, const char *key)
{
    struct hm_slot *slot = find_open(poster, key);
    bool idle = slot->state == HM_SLOT_IDLE;
    int64_t now = now_of(poster);

    HM_ASSERT(poster->opts.content != NULL);
    if (slot->ts == NULL || slot->state == HM_SLOT_STUCK || (idle && slot->not_before_ms <= now))
        return false;
    slot->finishing = false;
    slot->behind = true;
    if (idle) {
        slot->urgent = false;
        set_state(poster, slot, HM_SLOT_WAITING);
    }
    return true;
}

void hm_poster_move(struct hm_poster *poster, const char *key, const char *channel, const char *thread_ts)
{
    struct hm_slot *slot = find_open(poster, key);
    struct job *job = NULL;

    LIST_FOREACH(job, &poster->jobs, link)
    { /* its answer is about the old place */
        if (job->slot == slot)
            job->slot = NULL;
    }
    hm_slot_set_text(&slot->channel, channel);
    hm_slot_set_text(&slot->thread_ts, thread_ts);
    HM_FREE(slot->ts);
    slot->shown_digest[0] = '\0';
    slot->maybe_posted = false;
    HM_FREE(slot->lost_ts);
    slot->text_only = false;
    slot->failures = 0;
    slot->not_before_ms = INT64_MIN;
    set_state(poster, slot, slot->wanted != NULL || slot->behind ? HM_SLOT_WAITING : HM_SLOT_IDLE);
}

void hm_poster_finish(struct hm_poster *poster, const char *key)
{
    struct hm_slot *slot = find_open(poster, key);

    slot->finishing = true;
    if ((slot->state == HM_SLOT_IDLE && slot->wanted == NULL) || slot->state == HM_SLOT_STUCK)
        drop(poster, slot);
}

void hm_poster_forget(struct hm_poster *poster, const char *key)
{
    struct hm_slot *slot = hm_slots_find(&poster->slots, key);
    if (slot != NULL)
        drop(poster, slot);
}

bool hm_poster_has(const struct hm_poster *poster, const char *key)
{
    return hm_slots_find(&poster->slots, key) != NULL;
}

const char *hm_poster_ts(const struct hm_poster *poster, const char *key)
{
    const struct hm_slot *slot = hm_slots_find(&poster->slots, key);
    return slot != NULL ? slot->ts : NULL;
}

const char *hm_poster_channel(const struct hm_poster *poster, const char *key)
{
    const struct hm_slot *slot = hm_slots_find(&poster->slots, key);
    return slot != NULL ? slot->channel : NULL;
}

const char *hm_poster_thread(const struct hm_poster *poster, const char *key)
{
    const struct hm_slot *slot = hm_slots_find(&poster->slots, key);
    const char *ts = hm_poster_ts(poster, key);
    return ts != NULL && slot->thread_ts != NULL ? slot->thread_ts : ts;
}

void hm_poster_stats(const struct hm_poster *poster, struct hm_poster_stats *ret_stats)
{
    const struct hm_slot *slot = NULL;

    *ret_stats = poster->stats;
    ret_stats->slots = poster->slots.n;
    LIST_FOREACH(slot, &poster->slots.all, all)
    {
        if (slot->state == HM_SLOT_STUCK)
            ret_stats->stuck++;
        else if (slot->state != HM_SLOT_IDLE)
            ret_stats->unshown++;
    }
}
