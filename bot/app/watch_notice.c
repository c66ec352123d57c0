/* The news that alarms are over, or that somebody has taken them: see watch_parts.h.
 *
 * Which cases it is about: a notice, all open ones of its alarm, that is, with its key (a second one begins when the first was
 * dealt with, or is too old to be joined). When it tells less than the alarm did, no case has its very key; then the only alarm
 * that it can be, and when that is not clear, none. An edit is about the case of its own message and no other. An alarm that was
 * said again after the news fires again: it stays open.
 *
 * Events may come in another order than they were said in: one that Slack had to send again comes after the news about it. So
 * news is kept for a while, and judged anew when an alarm comes that was said before it; that channels are read back a little
 * beyond the gap does the same across a restart. What was not clear when it was heard does not become clear by that: then only
 * its very key counts. Nor is it clear what news is about that tells less while a gap is still to be read: another alarm may be
 * in it. It is judged in its turn then.
 *
 * Happy path: each of the cases is changed and committed; then the notice counts as seen and its envelope ends. A commit that
 * failed is waited for until it succeeds. A crash in between leaves the envelope open: it is judged anew at the next start, for
 * the cases that are left.
 */
#include <stdlib.h>
#include <string.h>

#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    WHY_MAX = 150,
    KEPT_MS = 15 * 60 * 1000, /* Slack sends an event again for some minutes */
    KEPT_MAX = 5000           /* five a second: a flood, of which only memory is to be protected */
};

/* News that was heard lately. */
struct hm_watch_heard {
    TAILQ_ENTRY(hm_watch_heard) link;
    json_t *message;
    char *channel, *ts;
    int64_t at_ms;
};

/* A notice whose cases are being committed. */
struct hm_watch_ending {
    TAILQ_ENTRY(hm_watch_ending) link;
    struct hm_watch *watch;
    char *channel, *ts; /* of the notice */
    int64_t inbox_id;
    struct hm_watch_share *shares; /* one for each of its cases */
    size_t left;                   /* cases that are not committed yet */
};

struct hm_watch_share {
    struct hm_watch_ending *ending;
    char id[HM_CASE_ID_MAX];
};

/* ---- which cases ---------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct hm_alarm_rule *notice, const char *rule)
{
    return hm_alarm_has(notice->resolves, "*") || hm_alarm_has(notice->resolves, rule);
}

/* Of the rule (or one of the rules) that it speaks of. */
static bool is_of_rule(const struct hm_case *c, const struct hm_alarm_verdict *v)
{
    return v->about != NULL ? strcmp(c->rule, v->about->name) == 0 : v->rule->key != NULL && is_named(v->rule, c->rule);
}

static bool is_before(const struct hm_case *c, const char *channel, int64_t at_ms)
{
    return c->end == HM_CASE_OPEN && c->grouped == 0 && strcmp(c->channel, channel) == 0 && c->last_ms <= at_ms;
}

/* The first line of what it says. Caller frees. */
static char *line_new(const struct hm_alarm_verdict *v)
{
    size_t len = strcspn(v->text, "\n");
    return hm_xstrndup(v->text, hm_utf8_prefix(v->text, len < WHY_MAX ? len : WHY_MAX));
}

/* That somebody has taken it was heard already: news may be judged twice. */
static bool is_known(const struct hm_case *c, const struct hm_alarm_verdict *v)
{
    if (!v->rule->keeps_open || c->taken == NULL)
        return false;
    char *line = line_new(v);
    bool known = strcmp(c->taken, line) == 0;
    free(line);
    return known;
}

/* What the notice tells may be less than what the alarm told: it must not say anything else. */
static bool agrees(const struct hm_case *c, const json_t *values)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(values), name, value)
    {
        const json_t *own = json_object_get(c->values, name);
        bool counts =
            strcmp(name, "day") != 0 && strcmp(name, "sender") != 0 && strcmp(name, "count") != 0 && strcmp(name, "lag") != 0;
        if (counts && own != NULL && !json_equal(hm_unconst(own), value))
            return false;
    }
    return true;
}

/* Keeps those that agree; how many. */
static size_t keep_agreeing(struct hm_watched **list, size_t n, const json_t *values)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (agrees(list[i]->c, values))
            list[kept++] = list[i];
    return kept;
}

/* All of them are the same alarm. */
static bool is_one_alarm(struct hm_watched *const *list, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(list[i]->c->key, list[0]->c->key) != 0)
            return false;
    return true;
}

/* What was said before it may still be read, and it is judged once more behind that. */
static bool is_early(const struct hm_watch *watch, const struct hm_watch_said *said)
{
    return said->inbox_id != 0 && !watch->gap_read && json_object_get(watch->unread, said->channel) == NULL;
}

/* The cases that a notice is about, into ret_list, which has room for all; how many. */
static size_t find_about(const struct hm_watch *watch, const struct hm_alarm_verdict *v, const struct hm_watch_said *said,
                         struct hm_watched **ret_list)
{
    struct hm_watched *w = NULL;
    size_t n = 0;
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        if (is_of_rule(w->c, v) && is_before(w->c, said->channel, said->at_ms) && strcmp(w->c->key, v->key) == 0)
            ret_list[n++] = w;
    }
    if (n > 0 && v->key[0] == '\0') /* a rule that tells its alarms apart by nothing but the hour */
        return keep_agreeing(ret_list, n, v->values);
    if (n > 0 || v->about == NULL || said->again || is_early(watch, said))
        return n;
    TAILQ_FOREACH(w, &watch->cases, link)
    {
        if (is_of_rule(w->c, v) && is_before(w->c, said->channel, said->at_ms))
            ret_list[n++] = w;
    }
    n = keep_agreeing(ret_list, n, v->values);
    return is_one_alarm(ret_list, n) ? n : 0;
}

/* An edited message speaks of its own alarm, unless its words are those of another one. */
static bool is_about_own(const struct hm_case *c, const struct hm_alarm_verdict *v)
{
    if (c->end != HM_CASE_OPEN || !is_named(v->rule, c->rule))
        return false;
    if (v->rule->key != NULL)
        return strcmp(c->key, v->key) == 0;
    return v->about == NULL || (strcmp(c->rule, v->about->name) == 0 && (strcmp(c->key, v->key) == 0 || agrees(c, v->values)));
}

/* ---- what it does --------------------------------------------------------------------------------------------------------- */

static void take_notice(struct hm_watched *w, const struct hm_alarm_verdict *v, int64_t at_ms)
{
    json_t *data = hm_json_obj_new();
    char *line = line_new(v);
    hm_json_set_str(data, "notice", v->rule->name);
    hm_json_set_str(data, "text", line);
    if (v->rule->keeps_open) {
        free(w->c->taken);
        w->c->taken = hm_xstrdup(line);
        hm_watched_event(w, "alarm.noted", data);
    } else {
        (void)hm_case_finish(w->c, HM_CASE_OVER, line, at_ms);
        w->watch->stats.resolved++;
        hm_watched_event(w, "alarm.over", data);
    }
    hm_watched_touch(w, true);
    free(line);
}

static void free_ending(struct hm_watch_ending *e)
{
    TAILQ_REMOVE(&e->watch->endings, e, link);
    free(e->shares);
    free(e->channel);
    free(e->ts);
    free(e);
}

void hm_watch_notices_done(struct hm_watch *watch)
{
    struct hm_watch_ending *next = NULL;
    for (struct hm_watch_ending *e = TAILQ_FIRST(&watch->endings); e != NULL; e = next) {
        next = TAILQ_NEXT(e, link);
        free_ending(e);
    }
    hm_watch_forget_news(watch, INT64_MAX);
}

/* Everything it did is in the journal. Should we die between the two: what was seen is no more than ended. */
static void end(struct hm_watch *watch, const char *channel, const char *ts, int64_t inbox_id)
{
    hm_watch_save_seen(watch, channel, ts);
    if (inbox_id != 0)
        hm_intake_done(watch->opts.intake, inbox_id);
}

static void on_committed(void *arg, enum hm_code code, const char *problem)
{
    struct hm_watch_share *share = arg;
    struct hm_watch_ending *e = share->ending;
    struct hm_watched *w = code != HM_OK ? hm_watched_find(e->watch, share->id) : NULL;
    (void)problem;
    if (w != NULL) { /* watch_store.c logs it and tries again, and so do we */
        hm_watched_wait(w, "", on_committed, share);
        return;
    }
    if (--e->left > 0)
        return;
    end(e->watch, e->channel, e->ts, e->inbox_id);
    free_ending(e);
}

void hm_watch_notice(struct hm_watch *watch, const struct hm_alarm_verdict *v, const struct hm_watch_said *said)
{
    struct hm_watched *w = NULL;
    size_t room = 1;
    TAILQ_FOREACH(w, &watch->cases, link) room++;
    struct hm_watched **list = hm_xcalloc(room, sizeof(void *));
    size_t n = find_about(watch, v, said, list);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_known(list[i]->c, v))
            list[kept++] = list[i];
    n = kept;
    if (n == 0 && hm_watch_was_news(watch, said->channel, said->ts)) { /* judged anew, and nothing new */
        if (said->inbox_id != 0)
            hm_intake_done(watch->opts.intake, said->inbox_id);
        free(list);
        return;
    }
    /* As long as what was said before it may still be read, it is judged once more then, in its turn; the page that it would be
     * on may have been read already. */
    if (said->inbox_id == 0 || hm_watch_is_whole(watch, said->channel))
        hm_watch_note_news(watch, n == 1 ? list[0]->c->id : "", said->channel, said->ts, said->at_ms);
    else if (watch->history.busy)
        watch->history.again = true;
    if (n == 0) {
        end(watch, said->channel, said->ts, said->inbox_id);
        free(list);
        return;
    }
    struct hm_watch_ending *e = hm_xcalloc(1, sizeof *e);
    *e = (struct hm_watch_ending){
        .watch = watch, .channel = hm_xstrdup(said->channel), .ts = hm_xstrdup(said->ts), .inbox_id = said->inbox_id, .left = n};
    e->shares = hm_xcalloc(n, sizeof e->shares[0]);
    TAILQ_INSERT_TAIL(&watch->endings, e, link);
    for (size_t i = 0; i < n; i++) {
        take_notice(list[i], v, said->at_ms);
        e->shares[i].ending = e;
        memcpy(e->shares[i].id, list[i]->c->id, sizeof e->shares[i].id);
        hm_watched_wait(list[i], "", on_committed, &e->shares[i]);
        hm_watched_flush(list[i]);
    }
    free(list);
}

/* ---- news that is kept ---------------------------------------------------------------------------------------------------- */

static void drop_heard(struct hm_watch *watch, struct hm_watch_heard *heard)
{
    TAILQ_REMOVE(&watch->heard, heard, link);
    watch->n_heard--;
    json_decref(heard->message);
    free(heard->channel);
    free(heard->ts);
    free(heard);
}

void hm_watch_keep_news(struct hm_watch *watch, const json_t *message, const struct hm_watch_said *said)
{
    struct hm_watch_heard *heard = NULL;
    TAILQ_FOREACH(heard, &watch->heard, link)
    {
        if (strcmp(heard->channel, said->channel) == 0 && strcmp(heard->ts, said->ts) == 0)
            return;
    }
    if (watch->n_heard >= KEPT_MAX) {
        if (!watch->heard_full)
            hm_log(HM_LOG_WARN, "alarms",
                   "more than %d messages within %d minutes say that alarms are over: the oldest are forgotten, "
                   "should their alarms be told only now",
                   (int)KEPT_MAX, (int)(KEPT_MS / 60000));
        watch->heard_full = true;
        drop_heard(watch, TAILQ_FIRST(&watch->heard));
    }
    heard = hm_xcalloc(1, sizeof *heard);
    *heard = (struct hm_watch_heard){.message = json_incref(hm_unconst(message)),
                                     .channel = hm_xstrdup(said->channel),
                                     .ts = hm_xstrdup(said->ts),
                                     .at_ms = said->at_ms};
    TAILQ_INSERT_TAIL(&watch->heard, heard, link);
    watch->n_heard++;
}

void hm_watch_later_news(struct hm_watch *watch, const char *channel, int64_t at_ms)
{
    const struct hm_alarm_around around = hm_watch_around(watch, channel);
    const struct hm_watch_heard *heard = NULL;
    TAILQ_FOREACH(heard, &watch->heard, link)
    {
        struct hm_alarm_verdict v;
        if (heard->at_ms < at_ms || strcmp(heard->channel, channel) != 0)
            continue;
        hm_alarm_judge(&watch->settings->alarms, heard->message, &around, &v);
        if (v.kind == HM_ALARM_RESOLVED)
            hm_watch_notice(watch, &v, &(const struct hm_watch_said){channel, heard->ts, heard->at_ms, 0, true});
        hm_alarm_verdict_done(&v);
    }
}

void hm_watch_forget_news(struct hm_watch *watch, int64_t now_ms)
{
    struct hm_watch_heard *next = NULL;
    for (struct hm_watch_heard *heard = TAILQ_FIRST(&watch->heard); heard != NULL; heard = next) {
        next = TAILQ_NEXT(heard, link);
        if (now_ms - heard->at_ms > KEPT_MS)
            drop_heard(watch, heard);
    }
    watch->heard_full = watch->heard_full && watch->n_heard >= KEPT_MAX / 2; /* the next flood is told of again */
}

bool hm_watch_edit_notice(struct hm_watched *w, const struct hm_alarm_verdict *v, int64_t at_ms, int64_t inbox_id)
{
    if (!is_about_own(w->c, v))
        return false;
    take_notice(w, v, at_ms);
    hm_watched_inbox(w, inbox_id);
    hm_watched_flush(w);
    return true;
}
