/* The card of an alarm, which is posted once and edited in place at Slack's pace. See watch_parts.h. The slot's key is the case's
 * id. */
#include <stdlib.h>
#include <string.h>

#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/alarm_card.h"

enum { SINCE_MS = 60000 }; /* our clock may have been set since the card was posted */

/* ---- the poster's side
 * --------------------------------------------------------------------------------------------------------- */

static void on_posted(void *arg, const char *key, const char *channel, const char *ts)
{
    struct hm_watched *w = hm_watched_find(arg, key);
    (void)channel;
    if (w == NULL)
        return;
    free(w->c->card_ts);
    w->c->card_ts = hm_xstrdup(ts);
    hm_watched_touch(w, false);
    hm_watched_flush(w);
}

static void on_shown(void *arg, const char *key, const char *digest)
{
    struct hm_watched *w = hm_watched_find(arg, key);
    if (w == NULL || hm_streq(w->c->digest, digest))
        return;
    free(w->c->digest);
    w->c->digest = hm_xstrdup(digest);
    hm_watched_touch(w, false);
    hm_watched_flush(w);
}

static void on_trouble(void *arg, const char *key, const struct hm_post_trouble *trouble)
{
    struct hm_watch *watch = arg;
    struct hm_watched *w = hm_watched_find(watch, key);
    const char *home = watch->settings->slack.channel;
    bool refused = trouble->kind == HM_POST_PLACE || trouble->kind == HM_POST_GONE;
    hm_log(trouble->kind == HM_POST_LATER ? HM_LOG_WARN : HM_LOG_ERROR, key, "the alarm's card: %s", trouble->sentence);
    if (!refused || w == NULL || home == NULL || w->c->card_channel != NULL)
        return;
    w->c->card_channel = hm_xstrdup(home);
    HM_FREE(w->c->card_ts);
    hm_poster_move(watch->poster, key, home, NULL);
    hm_watched_touch(w, true);
    hm_watched_flush(w);
}

void hm_watch_open_poster(struct hm_watch *watch)
{
    struct hm_poster_opts poster = {
        .clock = watch->opts.clock,
        .on_posted = on_posted,
        .on_shown = on_shown,
        .on_trouble = on_trouble,
        .arg = watch,
    };
    watch->link = hm_post_link_new(watch->opts.loop, watch->opts.api, &poster);
    watch->poster = hm_poster_new(&poster);
    hm_post_link_attach(watch->link, watch->poster);
}

/* ---- the card
 * --------------------------------------------------------------------------------------------------------------------- */

static json_t *content_new(const struct hm_case *c)
{
    struct hm_slack_message message = {0};
    json_t *content = hm_json_obj_new();
    hm_alarm_card_render(c, &message);
    hm_json_set_str(content, "text", message.text);
    hm_json_set(content, "blocks", json_incref(message.blocks));
    hm_slack_message_done(&message);
    return content;
}

static void open_slot(struct hm_watched *w, bool maybe_posted)
{
    const struct hm_case *c = w->c;
    const struct hm_slot_memory memory = {
        .ts = c->card_ts,
        .maybe_posted = c->card_ts == NULL,
        .since_wall_ms = c->seen_ms - SINCE_MS,
        .shown_digest = c->digest,
    };
    if (hm_poster_has(w->watch->poster, c->id))
        return;
    const char *channel = c->card_channel != NULL ? c->card_channel : c->channel;
    const char *thread = c->card_channel != NULL ? NULL : c->ts;
    if (c->card_ts != NULL || maybe_posted)
        hm_poster_restore(w->watch->poster, c->id, channel, thread, &memory);
    else
        hm_poster_open(w->watch->poster, c->id, channel, thread);
}

static void show(struct hm_watched *w)
{
    const struct hm_case *c = w->c;
    bool over = c->end != HM_CASE_OPEN && !hm_case_busy(c);
    hm_poster_show(w->watch->poster, c->id, content_new(c), c->card_ts == NULL || over);
    if (over)
        hm_poster_finish(w->watch->poster, c->id);
    hm_watched_mark(w);
}

void hm_watched_show(struct hm_watched *w)
{
    if (w->c->silent || w->watch->stopped)
        return;
    open_slot(w, false);
    show(w);
}

void hm_watched_show_restored(struct hm_watched *w)
{
    if (w->c->silent)
        return;
    open_slot(w, true); /* also when it is over: its last content may not have been shown */
    show(w);
}

void hm_watched_hide(struct hm_watched *w)
{
    if (w->watch->poster != NULL && hm_poster_has(w->watch->poster, w->c->id))
        hm_poster_forget(w->watch->poster, w->c->id);
}

bool hm_watch_settled(const struct hm_watch *watch)
{
    struct hm_poster_stats stats = {0};
    hm_poster_stats(watch->poster, &stats);
    return hm_watch_written(watch) && stats.unshown == 0 && stats.under_way == 0;
}
