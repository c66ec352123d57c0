/* Watching channels: see watch.h. Here: what a message does. */
#include "app/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/flatten.h"
#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/post_build.h"
#include "view/home.h"

enum {
    TICK_MS = 5000,
    TIMES_KEPT = 120,
    STORM_CARDS = 60, /* cards of one channel within … */
    STORM_MS = 60000, /* … this time; more are grouped */
    STORM_LIFE_MS = 10 * 60000
};
static const int64_t offer_life_ms = (int64_t)24 * 3600000;
static const int64_t kept_ms = (int64_t)3600000;          /* a case that is over stays in memory so long, for late clicks … */
static const int64_t unmarked_ms = (int64_t)24 * 3600000; /* … and so long when its message lacks the reaction */
static const int64_t seen_ms = (int64_t)72 * 3600000;     /* longer than Slack repeats an event, and than history is read back */

/* ---- cases -------------------------------------------------------------------------------------------------------------------
 */

void hm_watch_nonce(const struct hm_watch *watch, char ret_nonce[HM_CASE_NONCE_MAX])
{
    hm_random_text(watch->opts.clock, "0123456789abcdef", ret_nonce, HM_CASE_NONCE_MAX - 1);
}

static void nonce(void *arg, char ret_nonce[HM_CASE_NONCE_MAX])
{
    hm_watch_nonce(arg, ret_nonce);
}

/* No vowels (no words), nothing that looks like something else. */
static void new_id(const struct hm_watch *watch, char ret_id[HM_CASE_ID_MAX])
{
    enum { LEN = 6 };
    char letters[LEN + 1];
    do {
        hm_random_text(watch->opts.clock, "23456789bcdfghjkmnpqrstvwxz", letters, LEN);
        (void)snprintf(ret_id, HM_CASE_ID_MAX, "a-%s", letters);
    } while (hm_watched_find(watch, ret_id) != NULL);
}

static struct hm_watched *find_same(const struct hm_watch *watch, const char *rule, const char *channel, const char *key,
                                    int64_t at_ms)
{
    struct hm_watched *w = NULL;
    TAILQ_FOREACH_REVERSE(w, &watch->cases, hm_watched_list, link)
    {
        if (hm_case_takes(w->c, rule, channel, key, at_ms))
            return w;
    }
    return NULL;
}

static struct hm_watched *find_storm(const struct hm_watch *watch, const char *channel, int64_t at_ms)
{
    struct hm_watched *w = NULL;
    TAILQ_FOREACH_REVERSE(w, &watch->cases, hm_watched_list, link)
    {
        if (w->c->grouped > 0 && w->c->end == HM_CASE_OPEN && strcmp(w->c->channel, channel) == 0 &&
            at_ms - w->c->at_ms < STORM_LIFE_MS && w->c->at_ms - at_ms < STORM_LIFE_MS)
            return w;
    }
    return NULL;
}

/* Counts a card of the channel at this time; true when it would be one too many. */
static bool is_storm(struct hm_watch *watch, const char *channel, int64_t at_ms)
{
    json_t *times = json_object_get(watch->recent, channel);
    size_t near = 0;
    size_t i = 0;
    const json_t *t = NULL;
    if (times == NULL) {
        times = hm_json_arr_new();
        hm_json_set(watch->recent, channel, times);
    }
    json_array_foreach(times, i, t)
    {
        int64_t apart = at_ms - json_integer_value(t);
        near += apart < STORM_MS && apart > -STORM_MS ? 1 : 0;
    }
    if (near >= STORM_CARDS)
        return true;
    if (json_array_size(times) >= TIMES_KEPT)
        (void)json_array_remove(times, 0);
    hm_json_add(times, json_integer(at_ms));
    return false;
}

static void note_raised(struct hm_watched *w)
{
    json_t *data = hm_json_obj_new();
    const struct hm_case *c = w->c;
    hm_json_set_str(data, "rule", c->rule);
    hm_json_set_str(data, "key", c->key);
    hm_json_set_str(data, "channel", c->channel);
    hm_json_set_str(data, "ts", c->ts);
    hm_json_set(data, "values", json_deep_copy(c->values));
    hm_json_set_bool(data, "late", c->late);
    hm_watched_event(w, "alarm.raised", data);
}

static struct hm_watched *begin(struct hm_watch *watch, struct hm_case *stolen_case)
{
    struct hm_watched *w = hm_watched_add(watch, stolen_case);
    for (size_t i = 0; i < w->c->n_offers; i++) /* so that a restart knows that it was to be started */
        if (w->c->offers[i].unasked)
            hm_case_take(&w->c->offers[i], watch->bot_user != NULL ? watch->bot_user : "", "auto", w->c->seen_ms);
    note_raised(w);
    return w;
}

/* ---- a message of a rule ------------------------------------------------------------------------------------------------------
 */

static void remember(struct hm_watch *watch, struct hm_watched *w, const json_t *memories, const char *ts)
{
    json_t *changes = hm_json_arr_new();
    if (hm_case_remember(watch->remembered, memories, ts, changes)) {
        (void)json_array_extend(w->news.known, changes);
        hm_watch_merge_known(watch);
    }
    json_decref(changes);
}

static void raise_alarm(struct hm_watch *watch, const struct hm_alarm_verdict *v, const struct hm_case_order *order,
                        int64_t inbox_id)
{
    struct hm_watched *w = find_same(watch, v->rule->name, order->channel, v->key, order->at_ms);
    if (w != NULL) {
        hm_case_repeat(w->c, order->at_ms);
        watch->stats.repeated++;
    } else {
        struct hm_case *c = hm_case_begin(v, order);
        json_t *memories = json_incref(c->remembered);
        if (c->silent || !is_storm(watch, order->channel, order->at_ms)) {
            w = begin(watch, c);
            watch->stats.raised++;
        } else {
            w = find_storm(watch, order->channel, order->at_ms);
            if (w == NULL)
                w = begin(watch, hm_case_storm(order, STORM_CARDS));
            hm_case_group(w->c, c->title, c->key, order->at_ms);
            watch->stats.grouped++;
            hm_case_free(c);
        }
        remember(watch, w, memories, order->ts);
        json_decref(memories);
    }
    hm_watched_seen(w, order->channel, order->ts, order->at_ms);
    hm_watched_inbox(w, inbox_id);
    hm_watched_touch(w, true);
    hm_watched_flush(w);
}

/* ---- any message
 * --------------------------------------------------------------------------------------------------------------- */

struct hm_alarm_around hm_watch_around(const struct hm_watch *watch, const char *channel)
{
    return (struct hm_alarm_around){
        .team = watch->team, .self_user = watch->bot_user, .self_bot = watch->bot_id, .channel = channel};
}

bool hm_watch_is_whole(const struct hm_watch *watch, const char *channel)
{
    return watch->gap_read && json_object_get(watch->unread, channel) == NULL;
}

/* How far the channel was read. While there may be a gap behind us, only that we were here: what is in the gap is still to be
 * read. */
static void note_watermark(struct hm_watch *watch, const char *channel, const char *ts)
{
    bool whole = hm_watch_is_whole(watch, channel);
    if (hm_watch_advance(whole ? watch->watermarks : watch->heads, channel, ts) && whole)
        watch->watermarks_dirty = true;
}

bool hm_watch_advance(json_t *marks, const char *channel, const char *ts)
{
    const char *old = hm_json_get_str(marks, channel, "");
    if (strlen(ts) < strlen(old) || (strlen(ts) == strlen(old) && strcmp(ts, old) <= 0))
        return false;
    hm_json_set_str(marks, channel, ts);
    return true;
}

/* "1700000000.123456" in ms since 1970; 0 when it is none. */
static int64_t ts_ms(const char *ts)
{
    enum { FRACTION = 3 };
    int64_t ms = 0;
    const char *dot = strchr(ts, '.');
    char *part = dot != NULL ? hm_xstrndup(dot + 1, FRACTION) : NULL;
    bool ok = part != NULL && strlen(part) == FRACTION && hm_parse_i64(part, 0, 999, &ms);
    free(part);
    return ok ? hm_post_ts_wall_ms(ts) + ms : 0;
}

bool hm_watch_judge(struct hm_watch *watch, const json_t *message, const char *channel, int64_t inbox_id, bool from_history)
{
    const char *ts = hm_json_get_str(message, "ts", "");
    int64_t at_ms = ts_ms(ts);
    const struct hm_alarm_around around = hm_watch_around(watch, channel);
    struct hm_alarm_verdict v;
    struct hm_watched *before = hm_watched_of_message(watch, channel, ts);
    char id[HM_CASE_ID_MAX];
    watch->stats.seen++;
    if (before != NULL && inbox_id != 0) { /* by an event sent again, by history, by mention: it is one */
        hm_watched_inbox(before, inbox_id);
        hm_watched_touch(before, false);
        hm_watched_flush(before);
    } else if (before == NULL && inbox_id != 0 && hm_watch_was_seen(watch, channel, ts)) {
        hm_intake_done(watch->opts.intake, inbox_id);
    }
    if (hm_watch_was_seen(watch, channel, ts) && !(from_history && hm_watch_was_news(watch, channel, ts)))
        return true;
    hm_alarm_judge(&watch->settings->alarms, message, &around, &v);
    bool ours = v.kind != HM_ALARM_NONE && at_ms > 0;
    if (ours && v.kind == HM_ALARM_MATCH) {
        new_id(watch, id);
        const struct hm_case_order order = {
            .id = id,
            .channel = channel,
            .ts = ts,
            .at_ms = at_ms,
            .now_ms = hm_wall_ms(watch->opts.clock),
            .late = from_history || at_ms < watch->away_ms,
            .known = watch->known,
            .nonce = nonce,
            .arg = watch,
        };
        raise_alarm(watch, &v, &order, inbox_id);
        hm_watch_later_news(watch, channel, at_ms);
    } else if (ours) {
        const struct hm_watch_said said = {channel, ts, at_ms, inbox_id, hm_watch_was_news(watch, channel, ts)};
        hm_watch_keep_news(watch, message, &said);
        hm_watch_notice(watch, &v, &said);
    }
    hm_alarm_verdict_done(&v);
    if (at_ms > 0)
        note_watermark(watch, channel, ts);
    return ours;
}

/* When the words were said that an edited message has now; Slack's event may come late. */
static int64_t edited_ms(const struct hm_watch *watch, const json_t *message)
{
    const char *ts = hm_json_get_str(json_object_get(message, "edited"), "ts", "");
    int64_t at_ms = ts_ms(ts);
    return at_ms > 0 ? at_ms : hm_wall_ms(watch->opts.clock);
}

/* An edited message raises nothing; it may say that its own alarm is over. */
static bool judge_edit(struct hm_watch *watch, const json_t *message, const char *channel, const char *ts, int64_t inbox_id)
{
    struct hm_alarm_around around = hm_watch_around(watch, channel);
    struct hm_alarm_verdict v;
    struct hm_watched *w = hm_watched_of_message(watch, channel, ts);
    if (w == NULL || w->c->grouped > 0) /* one message of a storm says nothing of the others */
        return false;
    around.edited = true;
    hm_alarm_judge(&watch->settings->alarms, message, &around, &v);
    bool notice = v.kind == HM_ALARM_RESOLVED && hm_watch_edit_notice(w, &v, edited_ms(watch, message), inbox_id);
    hm_alarm_verdict_done(&v);
    return notice;
}

/* ---- before it is known who we are: whose messages count is not known either. They wait, and their envelopes stay open. ---- */

struct hm_watch_early {
    TAILQ_ENTRY(hm_watch_early) link;
    int64_t inbox_id;
    bool edit;
    json_t *message;
    char *channel, *ts;
};

static void keep_early(struct hm_watch *watch, int64_t inbox_id, const struct hm_slack_request *req, bool edit)
{
    struct hm_watch_early *early = hm_xcalloc(1, sizeof *early);
    *early = (struct hm_watch_early){.inbox_id = inbox_id,
                                     .edit = edit,
                                     .message = json_incref(hm_unconst(req->message)),
                                     .channel = hm_xstrdup(req->channel),
                                     .ts = hm_xstrdup(req->message_ts)};
    TAILQ_INSERT_TAIL(&watch->earlies, early, link);
}

/* judge: it is known now; else they are forgotten, and the next start hands them out again. */
static void end_early(struct hm_watch *watch, bool judge)
{
    while (!TAILQ_EMPTY(&watch->earlies)) {
        struct hm_watch_early *early = TAILQ_FIRST(&watch->earlies);
        TAILQ_REMOVE(&watch->earlies, early, link);
        bool ours = !judge || (early->edit ? judge_edit(watch, early->message, early->channel, early->ts, early->inbox_id)
                                           : hm_watch_judge(watch, early->message, early->channel, early->inbox_id, false));
        if (!ours)
            hm_intake_done(watch->opts.intake, early->inbox_id);
        json_decref(early->message);
        free(early->channel);
        free(early->ts);
        free(early);
    }
}

bool hm_watch_message(struct hm_watch *watch, int64_t inbox_id, const struct hm_slack_request *req)
{
    bool said = req->kind == HM_SLACK_MESSAGE || (req->kind == HM_SLACK_MENTION && req->is_bot);
    if (watch->stopped || (!said && req->kind != HM_SLACK_MESSAGE_CHANGED) || req->message == NULL ||
        !hm_alarms_watch(&watch->settings->alarms, req->channel))
        return false;
    if (watch->team == NULL) {
        keep_early(watch, inbox_id, req, !said);
        return true;
    }
    return said ? hm_watch_judge(watch, req->message, req->channel, inbox_id, false)
                : judge_edit(watch, req->message, req->channel, req->message_ts, inbox_id);
}

json_t *hm_watch_channels_new(const struct hm_watch *watch)
{
    json_t *names = hm_json_obj_new();
    json_t *list = hm_json_arr_new();
    const struct hm_alarms *alarms = &watch->settings->alarms;
    for (size_t i = 0; i < alarms->count; i++)
        for (char **id = alarms->items[i]->channel_ids; *id != NULL; id++) {
            if (json_object_get(names, *id) != NULL)
                continue;
            hm_json_set_bool(names, *id, true);
            hm_json_add(list, hm_json_str_new(*id));
        }
    json_decref(names);
    return list;
}

/* ---- time
 * ------------------------------------------------------------------------------------------------------------------------ */

static void age(struct hm_watch *watch, struct hm_watched *w, int64_t now_ms)
{
    struct hm_case *c = w->c;
    int64_t life = c->group_ms > offer_life_ms || c->silent ? c->group_ms : offer_life_ms;
    bool settled = !w->dirty && !w->writing && !w->marking && !hm_poster_has(watch->poster, c->id);
    int64_t kept = hm_watched_is_marked(w) ? kept_ms : unmarked_ms;
    int64_t since_ms = c->last_ms > c->seen_ms ? c->last_ms : c->seen_ms;
    if (c->end == HM_CASE_OPEN && now_ms - since_ms > life && !hm_case_busy(c)) {
        json_t *data = hm_json_obj_new();
        (void)hm_case_finish(c, HM_CASE_EXPIRED, c->silent ? NULL : "nobody did anything about it for a day", now_ms);
        hm_watched_event(w, "alarm.expired", data);
        hm_watched_touch(w, true);
        hm_watched_flush(w);
    } else if (c->end != HM_CASE_OPEN && now_ms - c->ended_ms > kept && settled && !hm_case_busy(c)) {
        hm_watched_forget(w);
    } else if (!w->writing) {
        hm_watched_mark(w);
    }
}

static void on_tick(void *arg)
{
    struct hm_watch *watch = arg;
    struct hm_watched *w = NULL;
    struct hm_watched *next = NULL;
    int64_t now_ms = hm_wall_ms(watch->opts.clock);
    if (watch->stopped)
        return;
    for (w = TAILQ_FIRST(&watch->cases); w != NULL; w = next) {
        next = TAILQ_NEXT(w, link);
        if (w->dirty)
            hm_watched_flush(w);
        else
            age(watch, w, now_ms);
    }
    hm_watch_forget_seen(watch, now_ms - seen_ms);
    hm_watch_forget_news(watch, now_ms);
    hm_watch_save_watermarks(watch);
    hm_timer_start(watch->tick_timer, TICK_MS);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------------------ */

struct hm_watch *hm_watch_new(const struct hm_watch_opts *opts)
{
    struct hm_watch *watch = hm_xcalloc(1, sizeof *watch);
    watch->opts = *opts;
    watch->away_ms = INT64_MAX;
    TAILQ_INIT(&watch->cases);
    TAILQ_INIT(&watch->endings);
    TAILQ_INIT(&watch->heard);
    TAILQ_INIT(&watch->earlies);
    watch->seen = hm_json_obj_new();
    watch->links = hm_json_obj_new();
    watch->known = hm_json_obj_new();
    watch->remembered = hm_json_obj_new();
    watch->watermarks = hm_json_obj_new();
    watch->heads = hm_json_obj_new();
    watch->unread = hm_json_obj_new();
    watch->recent = hm_json_obj_new();
    watch->tick_timer = hm_timer_new(opts->loop, on_tick, watch);
    watch->history_timer = hm_timer_new(opts->loop, hm_watch_history_go, watch);
    hm_watch_open_poster(watch);
    hm_timer_start(watch->tick_timer, TICK_MS);
    return watch;
}

void hm_watch_stop(struct hm_watch *watch)
{
    watch->stopped = true;
    hm_timer_stop(watch->tick_timer);
    hm_timer_stop(watch->history_timer);
    hm_post_link_attach(watch->link, NULL);
    hm_poster_free(watch->poster);
    watch->poster = NULL;
}

void hm_watch_free(struct hm_watch *watch)
{
    if (watch == NULL)
        return;
    hm_watched_free_all(watch);
    end_early(watch, false);
    hm_watch_notices_done(watch);
    hm_watch_history_done(watch);
    hm_post_link_free(watch->link);
    hm_timer_free(watch->tick_timer);
    hm_timer_free(watch->history_timer);
    json_decref(watch->seen);
    json_decref(watch->links);
    json_decref(watch->known);
    json_decref(watch->remembered);
    json_decref(watch->watermarks);
    json_decref(watch->heads);
    json_decref(watch->unread);
    json_decref(watch->recent);
    free(watch->bot_user);
    free(watch->bot_id);
    free(watch->team);
    free(watch);
}

void hm_watch_use(struct hm_watch *watch, const struct hm_settings *settings)
{
    watch->settings = settings;
    hm_watch_merge_known(watch);
}

static void set(char **text, const char *value)
{
    free(*text);
    *text = value != NULL && value[0] != '\0' ? hm_xstrdup(value) : NULL;
}

void hm_watch_identity(struct hm_watch *watch, const char *bot_user, const char *bot_id, const char *team)
{
    set(&watch->bot_user, bot_user);
    set(&watch->bot_id, bot_id);
    set(&watch->team, team);
    if (watch->team != NULL && !watch->stopped)
        end_early(watch, true);
}

const json_t *hm_watch_known(const struct hm_watch *watch)
{
    return watch->known;
}

enum hm_code hm_watch_restore(struct hm_watch *watch, struct hm_err *err)
{
    struct hm_watched *w = NULL;
    enum hm_code code = hm_watch_load(watch, err);
    if (code != HM_OK)
        return code;
    hm_watch_merge_known(watch);
    TAILQ_FOREACH(w, &watch->cases, link) hm_watched_show_restored(w);
    return HM_OK;
}

void hm_watch_restored(struct hm_watch *watch)
{
    watch->restored = true;
    hm_watch_find_runs(watch);
}

void hm_watch_on_changed(struct hm_watch *watch, void (*changed)(void *arg), void *arg)
{
    watch->changed = changed;
    watch->changed_arg = arg;
}

/* Newest first. */
static size_t newest(const struct hm_watch *watch, const struct hm_case **ret_cases, size_t most)
{
    const struct hm_watched *w = NULL;
    size_t n = 0;
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        size_t at = n;
        while (at > 0 && ret_cases[at - 1]->last_ms < w->c->last_ms)
            at--;
        if (at == most)
            continue;
        n += n < most ? 1 : 0;
        for (size_t i = n - 1; i > at; i--)
            ret_cases[i] = ret_cases[i - 1];
        ret_cases[at] = w->c;
    }
    return n;
}

size_t hm_watch_home(void *arg, struct hm_home_alarm *ret_alarms, size_t most)
{
    const struct hm_watch *watch = arg;
    const struct hm_case *cases[HM_HOME_ALARMS] = {NULL};
    size_t n = newest(watch, cases, most < HM_HOME_ALARMS ? most : HM_HOME_ALARMS);
    for (size_t i = 0; i < n; i++) {
        struct hm_home_alarm *alarm = &ret_alarms[i];
        *alarm = (struct hm_home_alarm){.at_ms = cases[i]->at_ms, .over = cases[i]->end != HM_CASE_OPEN};
        (void)snprintf(alarm->title, sizeof alarm->title, "%s", cases[i]->title != NULL ? cases[i]->title : "");
        (void)snprintf(alarm->channel, sizeof alarm->channel, "%s", cases[i]->channel);
        (void)snprintf(alarm->ts, sizeof alarm->ts, "%s", cases[i]->ts);
    }
    return n;
}

void hm_watch_stats(const struct hm_watch *watch, struct hm_watch_stats *ret_stats)
{
    const struct hm_watched *w = NULL;
    *ret_stats = watch->stats;
    ret_stats->open = 0;
    TAILQ_FOREACH(w, &watch->cases, link) ret_stats->open += w->c->end == HM_CASE_OPEN ? 1 : 0;
}
