/* Catching up: after any gap, what the watched channels said meanwhile, through the same path as what comes live. See
 * watch_parts.h.
 *
 * One channel after the other: the pages of conversations.history back to the watermark and a little further (an event that was
 * sent again could still have come), then all messages from the oldest on. A message that was seen is known by its channel and
 * ts. Nothing that comes from here starts by itself: it may be long over. What came live and could not be stored is a gap, too.
 * Failure: Slack is away → again later; the channel can not be read → said in the log, its watermark stays, the next one; all of
 * it again after REFUSED_AGAIN_MS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    PAGE = 200,
    PAGES_MAX = 60,
    AGAIN_MS = 30000,
    MISSED_MS = 10000, /* the disk may be full for a while */
    REFUSED_AGAIN_MS = 600000,
    WAIT_MS = 200,
    OVERLAP_S = 15 * 60,
    DAYS_MAX = 3
};

static void read_page(struct hm_watch *watch, const char *cursor);

static const char *present(const struct hm_watch *watch)
{
    return watch->history.channels[watch->history.at];
}

static void forget_pages(struct hm_watch_history *h)
{
    json_decref(h->pages);
    h->pages = NULL;
    HM_FREE(h->oldest);
}

void hm_watch_history_done(struct hm_watch *watch)
{
    struct hm_watch_history *h = &watch->history;
    forget_pages(h);
    for (size_t i = 0; i < h->n; i++)
        free(h->channels[i]);
    free(h->channels);
    *h = (struct hm_watch_history){.again = h->again};
}

/* Where to read from: a new string; NULL = the channel has not been watched so far, there is nothing to catch up. */
static char *oldest_of(const struct hm_watch *watch, const char *channel)
{
    enum { DAY_S = 86400 };
    const char *mark = hm_json_get_str(watch->watermarks, channel, "");
    int64_t seconds = 0;
    int64_t now_s = hm_wall_ms(watch->opts.clock) / 1000;
    char *whole = hm_xstrndup(mark, strcspn(mark, "."));
    bool ok = hm_parse_i64(whole, 1, INT64_MAX / 2000, &seconds);
    free(whole);
    if (!ok)
        return NULL;
    seconds -= OVERLAP_S;
    if (seconds < now_s - (int64_t)DAYS_MAX * DAY_S) {
        hm_log(HM_LOG_WARN, "alarms", "%s was not read for more than %d days: the alarms before that are not looked for", channel,
               DAYS_MAX);
        seconds = now_s - (int64_t)DAYS_MAX * DAY_S;
    }
    return hm_xasprintf("%lld.000000", (long long)seconds);
}

static void begin_watermark(struct hm_watch *watch, const char *channel)
{
    char ts[40];
    int64_t now_ms = hm_wall_ms(watch->opts.clock);
    (void)snprintf(ts, sizeof ts, "%lld.%03lld000", (long long)(now_ms / 1000), (long long)(now_ms % 1000));
    hm_json_set_str(watch->watermarks, channel, ts);
    watch->watermarks_dirty = true;
}

/* All channels were asked for, and nothing was missed meanwhile. Those that could not be read keep their watermark: what was said
 * there is looked for again. */
static void no_gap(struct hm_watch *watch)
{
    const char *channel = NULL;
    json_t *ts = NULL;
    void *next = NULL;
    json_object_foreach_safe(watch->heads, next, channel, ts)
    {
        if (json_object_get(watch->unread, channel) != NULL)
            continue;
        (void)hm_watch_advance(watch->watermarks, channel, json_string_value(ts));
        (void)json_object_del(watch->heads, channel);
    }
    watch->watermarks_dirty = true;
    watch->gap_read = true;
    hm_watch_save_watermarks(watch);
}

/* The next channel that has something to catch up; the end when there is none. */
static void next_channel(struct hm_watch *watch)
{
    struct hm_watch_history *h = &watch->history;
    for (; h->at < h->n; h->at++) {
        forget_pages(h);
        h->oldest = oldest_of(watch, present(watch));
        if (h->oldest != NULL) {
            h->pages = hm_json_arr_new();
            read_page(watch, NULL);
            return;
        }
        begin_watermark(watch, present(watch));
    }
    uint64_t gaps = h->gaps;
    hm_watch_history_done(watch);
    if (gaps == watch->n_gaps && watch->connected) /* else more is being missed at this moment */
        no_gap(watch);
    if (h->again) {
        h->again = false;
        hm_timer_start(watch->history_timer, 0);
    } else if (watch->missed) {
        hm_timer_start(watch->history_timer, MISSED_MS);
    } else if (json_object_size(watch->unread) > 0) {
        hm_timer_start(watch->history_timer, REFUSED_AGAIN_MS);
    }
}

/* All pages are there: the oldest message first. */
static void take_pages(struct hm_watch *watch)
{
    struct hm_watch_history *h = &watch->history;
    size_t found = 0;
    for (size_t p = json_array_size(h->pages); p > 0; p--) {
        const json_t *page = json_array_get(h->pages, p - 1);
        for (size_t i = json_array_size(page); i > 0; i--) {
            const json_t *message = json_array_get(page, i - 1);
            const char *ts = hm_json_get_str(message, "ts", "");
            bool fresh = !hm_watch_was_seen(watch, present(watch), ts);
            if (fresh && hm_watch_judge(watch, message, present(watch), 0, true))
                found++;
            else if (hm_watch_was_news(watch, present(watch), ts)) /* it may be about what was found just now */
                (void)hm_watch_judge(watch, message, present(watch), 0, true);
        }
    }
    (void)json_object_del(watch->unread, present(watch));
    watch->stats.caught_up += found;
    if (found > 0)
        hm_log(HM_LOG_INFO, "alarms", "%zu messages of %s were caught up", found, present(watch));
    h->at++;
    next_channel(watch);
}

static void on_page(void *arg, const struct hm_web_answer *answer)
{
    struct hm_watch *watch = arg;
    struct hm_watch_history *h = &watch->history;
    if (watch->stopped)
        return;
    if (answer->code == HM_EIO || answer->code == HM_EUNKNOWN) {
        hm_watch_history_done(watch);
        hm_timer_start(watch->history_timer, AGAIN_MS);
        return;
    }
    if (answer->code != HM_OK) {
        hm_log(HM_LOG_WARN, "alarms", "%s can not be read back, it is tried again: %s", present(watch), answer->sentence);
        hm_json_set(watch->unread, present(watch), json_true());
        h->at++;
        next_channel(watch);
        return;
    }
    json_t *messages = json_object_get(answer->body, "messages");
    const char *cursor = json_string_value(hm_json_get_path(answer->body, "response_metadata.next_cursor"));
    if (json_is_array(messages))
        hm_json_add(h->pages, json_incref(messages));
    bool more = cursor != NULL && cursor[0] != '\0';
    if (more && json_array_size(h->pages) < PAGES_MAX) {
        read_page(watch, cursor);
        return;
    }
    if (more)
        hm_log(HM_LOG_WARN, "alarms", "%s has more than %d messages since it was read: the alarms before them are not looked for",
               present(watch), PAGE * PAGES_MAX);
    take_pages(watch);
}

static void read_page(struct hm_watch *watch, const char *cursor)
{
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "channel", present(watch));
    hm_json_set_str(args, "oldest", watch->history.oldest);
    hm_json_set_int(args, "limit", PAGE);
    if (cursor != NULL)
        hm_json_set_str(args, "cursor", cursor);
    hm_web_call(watch->opts.api, "conversations.history", HM_WEB_BOT, args, on_page, watch);
}

void hm_watch_history_go(void *arg)
{
    struct hm_watch *watch = arg;
    struct hm_watch_history *h = &watch->history;
    if (watch->stopped)
        return;
    if (watch->team == NULL || !watch->restored) { /* who is of our workspace can not be told yet */
        hm_timer_start(watch->history_timer, WAIT_MS);
        return;
    }
    if (h->busy) {
        h->again = true;
        return;
    }
    json_t *channels = hm_watch_channels_new(watch);
    h->n = json_array_size(channels);
    h->at = 0;
    h->busy = true;
    h->gaps = watch->n_gaps;
    watch->missed = false;
    h->channels = hm_xcalloc(h->n + 1, sizeof(char *));
    for (size_t i = 0; i < h->n; i++)
        h->channels[i] = hm_xstrdup(json_string_value(json_array_get(channels, i)));
    json_decref(channels);
    next_channel(watch);
}

void hm_watch_connected(struct hm_watch *watch, bool connected)
{
    watch->connected = connected;
    if (!connected) {
        watch->n_gaps++;
        watch->gap_read = false;
        watch->away_ms = INT64_MAX;
        return;
    }
    if (watch->away_ms == INT64_MAX)
        watch->away_ms = hm_wall_ms(watch->opts.clock);
    if (!watch->gap_read)
        hm_watch_history_go(watch);
}

void hm_watch_missed(struct hm_watch *watch)
{
    watch->n_gaps++;
    watch->gap_read = false;
    if (!watch->missed && !watch->stopped && !watch->history.busy)
        hm_timer_start(watch->history_timer, MISSED_MS);
    watch->missed = true;
}
