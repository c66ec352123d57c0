/* Cases in the journal: see watch_parts.h. Of one case at most one commit is under way; what comes meanwhile goes into the next
 * one, so that a storm of the same alarm costs a handful of commits. A commit that failed is tried again with all that has come
 * since. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/known.h"
#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "view/card.h"

#define CASES_SPACE     "alarm"
#define SEEN_SPACE      "alarm-seen"
#define WATERMARK_SPACE "alarm-watermark"

/* ---- news --------------------------------------------------------------------------------------------------------------------
 */

static void news_init(struct hm_watch_news *news)
{
    *news = (struct hm_watch_news){.events = hm_json_arr_new(), .seen = hm_json_arr_new(), .known = hm_json_arr_new()};
}

static void news_done(struct hm_watch_news *news)
{
    json_decref(news->events);
    json_decref(news->seen);
    json_decref(news->known);
    free(news->inboxes);
    free(news->waiters);
}

static void extend(json_t *list, json_t *more)
{
    int rc = json_array_extend(list, more);
    (void)rc;
}

/* What was to be written comes before what came since; its waiters have been told. */
static void news_put_back(struct hm_watch_news *news, struct hm_watch_news *old)
{
    extend(old->events, news->events);
    extend(old->seen, news->seen);
    extend(old->known, news->known);
    old->inboxes = hm_xreallocarray(old->inboxes, old->n_inboxes + news->n_inboxes + 1, sizeof old->inboxes[0]);
    for (size_t i = 0; i < news->n_inboxes; i++)
        old->inboxes[old->n_inboxes++] = news->inboxes[i];
    free(old->waiters);
    old->waiters = news->waiters;
    old->n_waiters = news->n_waiters;
    news->waiters = NULL;
    news_done(news);
    *news = *old;
}

/* ---- cases in memory
 * ----------------------------------------------------------------------------------------------------------- */

struct hm_watched *hm_watched_add(struct hm_watch *watch, struct hm_case *stolen_case)
{
    struct hm_watched *w = hm_xcalloc(1, sizeof *w);
    w->watch = watch;
    w->c = stolen_case;
    news_init(&w->news);
    TAILQ_INSERT_TAIL(&watch->cases, w, link);
    return w;
}

static void drop(struct hm_watched *w)
{
    TAILQ_REMOVE(&w->watch->cases, w, link);
    hm_watched_hide(w);
    news_done(&w->news);
    hm_case_free(w->c);
    free(w);
}

void hm_watched_free_all(struct hm_watch *watch)
{
    struct hm_watched *next = NULL;
    for (struct hm_watched *w = TAILQ_FIRST(&watch->cases); w != NULL; w = next) {
        next = TAILQ_NEXT(w, link);
        drop(w);
    }
}

struct hm_watched *hm_watched_find(const struct hm_watch *watch, const char *id)
{
    struct hm_watched *w = NULL;
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        if (strcmp(w->c->id, id) == 0)
            return w;
    }
    return NULL;
}

static char *seen_key(const char *channel, const char *ts)
{
    return hm_xasprintf("%s:%s", channel, ts);
}

static json_t *find_seen(const struct hm_watch *watch, const char *channel, const char *ts)
{
    char *key = seen_key(channel, ts);
    json_t *found = json_object_get(watch->seen, key);
    free(key);
    return found;
}

bool hm_watch_was_seen(const struct hm_watch *watch, const char *channel, const char *ts)
{
    return find_seen(watch, channel, ts) != NULL;
}

struct hm_watched *hm_watched_of_message(const struct hm_watch *watch, const char *channel, const char *ts)
{
    const char *id = json_string_value(json_array_get(find_seen(watch, channel, ts), 0));
    return id != NULL ? hm_watched_find(watch, id) : NULL;
}

void hm_watched_event(struct hm_watched *w, const char *type, json_t *stolen_data)
{
    json_t *event = hm_json_obj_new();
    hm_json_set_str(event, "type", type);
    hm_json_set(event, "data", stolen_data);
    hm_json_add(w->news.events, event);
}

/* key → [case id, at_ms, true for news] */
static void note_seen(struct hm_watch *watch, const char *case_id, const char *key, int64_t at_ms, bool news)
{
    json_t *entry = hm_json_arr_new();
    hm_json_add(entry, hm_json_str_new(case_id));
    hm_json_add(entry, json_integer(at_ms));
    if (news)
        hm_json_add(entry, json_true());
    hm_json_set(watch->seen, key, entry);
}

void hm_watch_note_news(struct hm_watch *watch, const char *case_id, const char *channel, const char *ts, int64_t at_ms)
{
    char *key = seen_key(channel, ts);
    note_seen(watch, case_id, key, at_ms, true);
    free(key);
}

bool hm_watch_was_news(const struct hm_watch *watch, const char *channel, const char *ts)
{
    return json_is_true(json_array_get(find_seen(watch, channel, ts), 2));
}

void hm_watch_save_seen(struct hm_watch *watch, const char *channel, const char *ts)
{
    char *key = seen_key(channel, ts);
    json_t *entry = json_object_get(watch->seen, key);
    if (entry != NULL) {
        struct hm_batch *batch = hm_batch_new();
        hm_batch_set(batch, SEEN_SPACE, key, json_incref(entry));
        hm_journal_put(watch->opts.journal, batch, NULL, NULL);
    }
    free(key);
}

void hm_watched_seen(struct hm_watched *w, const char *channel, const char *ts, int64_t at_ms)
{
    char *key = seen_key(channel, ts);
    note_seen(w->watch, w->c->id, key, at_ms, false);
    hm_json_add(w->news.seen, hm_json_str_new(key));
    free(key);
}

void hm_watched_inbox(struct hm_watched *w, int64_t inbox_id)
{
    if (inbox_id == 0)
        return;
    w->news.inboxes = hm_xreallocarray(w->news.inboxes, w->news.n_inboxes + 1, sizeof w->news.inboxes[0]);
    w->news.inboxes[w->news.n_inboxes++] = inbox_id;
}

void hm_watched_wait(struct hm_watched *w, const char *nonce, hm_watch_taken_fn fn, void *arg)
{
    w->news.waiters = hm_xreallocarray(w->news.waiters, w->news.n_waiters + 1, sizeof w->news.waiters[0]);
    struct hm_watch_waiter *waiter = &w->news.waiters[w->news.n_waiters++];
    *waiter = (struct hm_watch_waiter){.fn = fn, .arg = arg};
    (void)snprintf(waiter->nonce, sizeof waiter->nonce, "%s", nonce);
}

void hm_watched_touch(struct hm_watched *w, bool show)
{
    w->dirty = true;
    w->show = w->show || show;
    w->c->version += show ? 1 : 0;
}

/* ---- writing
 * -------------------------------------------------------------------------------------------------------------------- */

/* A commit under way. The case may not be freed meanwhile. */
struct writing {
    struct hm_watched *w;
    struct hm_watch_news news;
    int64_t seq; /* of the case before its events */
    bool show;
};

static void tell_waiters(struct hm_watch_news *news, enum hm_code code, const char *problem)
{
    struct hm_watch_waiter *waiters = news->waiters;
    size_t n = news->n_waiters;
    news->waiters = NULL;
    news->n_waiters = 0;
    for (size_t i = 0; i < n; i++)
        waiters[i].fn(waiters[i].arg, code, problem);
    free(waiters);
}

/* Whoever waited hears that it was not done: then it is not to be done later by itself. */
static void untake(struct hm_watched *w, const struct hm_watch_news *news)
{
    for (size_t i = 0; i < news->n_waiters; i++) {
        struct hm_case_offer *offer = hm_case_offer(w->c, news->waiters[i].nonce);
        if (offer == NULL)
            continue;
        hm_case_untake(offer);
        offer->starting = false;
        hm_watched_event(w, "alarm.offer.released", hm_json_obj_new()); /* that it was taken is still to be written */
    }
}

/* After a failure that may have been none: what the journal holds of the case. */
struct counting {
    int64_t last;
};

static bool count_event(void *arg, const struct hm_event_row *row)
{
    struct counting *counting = arg;
    counting->last = row->seq;
    return true;
}

static int64_t last_seq(const struct hm_watch *watch, const char *id, int64_t otherwise)
{
    struct counting counting = {0};
    struct hm_err err = {0};
    struct hm_journal_reader *reader = hm_journal_reader_open(watch->opts.journal_path, &err);
    enum hm_code code = reader != NULL ? hm_journal_events(reader, id, false, count_event, &counting, &err) : HM_EIO;
    hm_journal_reader_free(reader);
    return code == HM_OK ? counting.last : otherwise;
}

static void failed(struct writing *writing, const struct hm_put_result *result)
{
    struct hm_watched *w = writing->w;
    hm_log(HM_LOG_ERROR, w->c->id, "not stored, is tried again: %s", result->error);
    untake(w, &writing->news);
    tell_waiters(&writing->news, result->code, result->error);
    w->c->seq = writing->seq;
    if (result->code == HM_ECONFLICT) { /* the commit before, which seemed to fail, was none: its events are there */
        int64_t last = last_seq(w->watch, w->c->id, writing->seq);
        while (w->c->seq < last && json_array_size(writing->news.events) > 0) {
            (void)json_array_remove(writing->news.events, 0);
            w->c->seq++;
        }
        w->c->seq = last;
    }
    news_put_back(&w->news, &writing->news);
    w->dirty = true;
    w->show = w->show || writing->show;
}

static void on_written(void *arg, const struct hm_put_result *result)
{
    struct writing *writing = arg;
    struct hm_watched *w = writing->w;
    bool ok = result->code == HM_OK;
    w->writing = false;
    if (w->watch->stopped) {
        news_done(&writing->news);
    } else if (ok) {
        if (writing->show)
            hm_watched_show(w);
        if (writing->show && w->watch->changed != NULL)
            w->watch->changed(w->watch->changed_arg);
        tell_waiters(&writing->news, HM_OK, "");
        news_done(&writing->news);
        hm_watched_start(w);
        if (w->forget && !w->dirty) {
            drop(w);
        } else {
            hm_watched_flush(w);
            hm_watched_mark(w);
        }
    } else {
        failed(writing, result); /* the next tick tries again */
    }
    free(writing);
}

static void add_news(struct hm_batch *batch, struct hm_watched *w)
{
    struct hm_watch *watch = w->watch;
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(w->news.events, i, one)
        hm_batch_note(batch, w->c->id, ++w->c->seq, hm_json_get_str(one, "type", "?"), json_incref(json_object_get(one, "data")));
    json_array_foreach(w->news.seen, i, one)
    {
        json_t *entry = json_object_get(watch->seen, json_string_value(one));
        if (entry != NULL)
            hm_batch_set(batch, SEEN_SPACE, json_string_value(one), json_incref(entry));
    }
    json_array_foreach(w->news.known, i, one)
    {
        json_t *value = json_object_get(watch->remembered, json_string_value(one));
        if (value != NULL)
            hm_batch_set(batch, HM_KNOWN_SPACE, json_string_value(one), json_deep_copy(value));
    }
    for (size_t k = 0; k < w->news.n_inboxes; k++)
        hm_batch_inbox_done(batch, w->news.inboxes[k]);
}

/* The case, or that it is forgotten together with what belongs to it. */
static void add_case(struct hm_batch *batch, const struct hm_watched *w)
{
    const struct hm_case *c = w->c;
    hm_batch_set(batch, CASES_SPACE, c->id, w->forget ? NULL : hm_case_json_new(c));
    for (size_t i = 0; i < c->n_offers && w->forget; i++) {
        char *key = hm_card_value(c->id, c->offers[i].nonce);
        hm_batch_set(batch, HM_WATCH_RUNS_SPACE, key, NULL);
        free(key);
    }
}

void hm_watched_flush(struct hm_watched *w)
{
    struct hm_watch *watch = w->watch;
    if (w->writing || !w->dirty || watch->stopped)
        return;
    struct writing *writing = hm_xmalloc(sizeof *writing);
    struct hm_batch *batch = hm_batch_new();
    int64_t seq = w->c->seq;
    add_news(batch, w);
    add_case(batch, w);
    *writing = (struct writing){.w = w, .news = w->news, .seq = seq, .show = w->show};
    news_init(&w->news);
    w->dirty = w->show = false;
    w->writing = true;
    hm_journal_put(watch->opts.journal, batch, on_written, writing);
}

void hm_watched_forget(struct hm_watched *w)
{
    w->forget = true;
    hm_watched_touch(w, false);
    hm_watched_flush(w);
}

bool hm_watch_written(const struct hm_watch *watch)
{
    const struct hm_watched *w = NULL;
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        if (w->dirty || w->writing)
            return false;
    }
    return true;
}

/* ---- watermarks and messages seen
 * ------------------------------------------------------------------------------------------------ */

static void on_watermarks(void *arg, const struct hm_put_result *result)
{
    struct hm_watch *watch = arg;
    watch->watermarks_writing = false;
    if (result->code != HM_OK)
        watch->watermarks_dirty = true;
}

/* Only when all that was read up to there is stored. */
void hm_watch_save_watermarks(struct hm_watch *watch)
{
    const char *channel = NULL;
    json_t *ts = NULL;
    if (!watch->watermarks_dirty || watch->watermarks_writing || !hm_watch_written(watch) || watch->history.busy)
        return;
    if (json_object_size(watch->watermarks) == 0) /* no channel is watched: a commit of nothing */
        return;
    struct hm_batch *batch = hm_batch_new();
    json_object_foreach(watch->watermarks, channel, ts)
        hm_batch_set(batch, WATERMARK_SPACE, channel, json_pack("{s:O}", "ts", ts));
    watch->watermarks_dirty = false;
    watch->watermarks_writing = true;
    hm_journal_put(watch->opts.journal, batch, on_watermarks, watch);
}

void hm_watch_forget_seen(struct hm_watch *watch, int64_t before_ms)
{
    const char *key = NULL;
    json_t *entry = NULL;
    void *next = NULL;
    struct hm_batch *batch = NULL;
    json_object_foreach_safe(watch->seen, next, key, entry)
    {
        const char *id = json_string_value(json_array_get(entry, 0));
        if (json_integer_value(json_array_get(entry, 1)) >= before_ms || (id != NULL && hm_watched_find(watch, id) != NULL))
            continue;
        if (batch == NULL)
            batch = hm_batch_new();
        hm_batch_set(batch, SEEN_SPACE, key, NULL);
        (void)json_object_del(watch->seen, key);
    }
    if (batch != NULL)
        hm_journal_put(watch->opts.journal, batch, NULL, NULL);
}

/* ---- loading
 * ---------------------------------------------------------------------------------------------------------------------- */

static bool load_case(void *arg, const char *id, const json_t *value)
{
    struct hm_watch *watch = arg;
    struct hm_case *c = hm_case_of_json(value);
    if (c == NULL) {
        hm_log(HM_LOG_ERROR, id, "the alarm can not be restored: its value in the journal is none of ours");
        return true;
    }
    struct hm_watched *w = NULL;
    struct hm_watched *fresh = hm_watched_add(watch, c);
    TAILQ_FOREACH(w, &watch->cases, link) /* in the order in which they came, as before */
    {
        if (w != fresh && w->c->at_ms > c->at_ms) {
            TAILQ_REMOVE(&watch->cases, fresh, link);
            TAILQ_INSERT_BEFORE(w, fresh, link);
            break;
        }
    }
    return true;
}

static bool load_into(void *arg, const char *key, const json_t *value)
{
    hm_json_set(arg, key, json_deep_copy(value));
    return true;
}

static bool load_watermark(void *arg, const char *channel, const json_t *value)
{
    hm_json_set_str(arg, channel, hm_json_get_str(value, "ts", ""));
    return true;
}

enum hm_code hm_watch_load(struct hm_watch *watch, struct hm_err *err)
{
    struct hm_journal_reader *reader = hm_journal_reader_open(watch->opts.journal_path, err);
    if (reader == NULL)
        return HM_EENV;
    enum hm_code code = hm_journal_values(reader, CASES_SPACE, load_case, watch, err);
    if (code == HM_OK)
        code = hm_journal_values(reader, SEEN_SPACE, load_into, watch->seen, err);
    if (code == HM_OK)
        code = hm_journal_values(reader, HM_WATCH_RUNS_SPACE, load_into, watch->links, err);
    if (code == HM_OK)
        code = hm_journal_values(reader, WATERMARK_SPACE, load_watermark, watch->watermarks, err);
    if (code == HM_OK)
        code = hm_journal_values(reader, HM_KNOWN_SPACE, load_into, watch->remembered, err);
    hm_journal_reader_free(reader);
    return code;
}

void hm_watch_merge_known(struct hm_watch *watch)
{
    const char *key = NULL;
    json_t *value = NULL;
    (void)json_object_clear(watch->known);
    if (watch->settings != NULL)
        (void)json_object_update(watch->known, watch->settings->known);
    json_object_foreach(watch->remembered, key, value) hm_json_set(watch->known, key, json_incref(value));
}
