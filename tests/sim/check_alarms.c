/* The checks of alarms, at rest: see check.h. What the story knows was said (model_channel.h) is held against the cases in the
 * book and against what Slack shows. */
#include <stdlib.h>
#include <string.h>

#include "alarm/case.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check_parts.h"
#include "model_book.h"
#include "model_channel.h"
#include "model_time.h"
#include "run/state.h"
#include "view/alarm_card.h"
#include "view/card.h"

enum {
    MARGIN_MS = 2 * SIM_CLOCK_MS,     /* what our wrong clock may make of a moment */
    REMEMBERED_MS = 70 * 3600 * 1000, /* a little less than watch.c remembers that a message was seen */
    NEWS_MS = 6 * 3600 * 1000,        /* less than any case takes to expire */
};

/* ---- which case ------------------------------------------------------------------------------------------------------------ */

/* The case that the message is counted in; NULL = none. Caller frees. */
static char *case_of_new(const struct said *s)
{
    char *key = hm_xasprintf("%s:%s", SIM_WATCHED, s->ts);
    const char *text = book_value("alarm-seen", key);
    json_t *entry = text != NULL ? hm_json_parse_new(text, strlen(text), 1000, NULL) : NULL;
    const char *id = json_string_value(json_array_get(entry, 0));
    char *copy = id != NULL && id[0] != '\0' ? hm_xstrdup(id) : NULL;
    json_decref(entry);
    free(key);
    return copy;
}

static struct hm_case *load_case(const char *text)
{
    json_t *value = hm_json_parse_new(text, strlen(text), 1000000, NULL);
    struct hm_case *c = hm_case_of_json(value);
    json_decref(value);
    if (c == NULL)
        sim_fail("alarms-are-kept", "a case in the journal can not be read back");
    return c;
}

static bool is_remembered(const struct said *s)
{
    return sim_true_ms() - s->at_ms < REMEMBERED_MS;
}

/* An alarm counts in a case; nothing else does. One that was edited before anybody heard of it is over before it began. */
static void check_said(const struct said *s)
{
    char *id = case_of_new(s);
    if (s->kind == SAID_ALARM && id == NULL && !s->edited_ok && is_remembered(s))
        sim_fail("alarms-are-kept", "the alarm %s is in no case", s->ts);
    if ((s->kind == SAID_FORGED || s->kind == SAID_CHATTER) && id != NULL)
        sim_fail("alarms-are-kept", "%s is no alarm, and is in case %s", s->ts, id);
    free(id);
}

/* Every message of the case says its thing; as many as it counts. */
static void check_count(const struct hm_case *c)
{
    uint64_t n = 0;
    bool all = true;
    for (size_t i = 0; i < channel_size(); i++) {
        const struct said *s = channel_said(i);
        char *id = case_of_new(s);
        bool in = hm_streq(id, c->id);
        if (in && strcmp(s->thing, c->key) != 0)
            sim_fail("alarms-are-kept", "%s is of %s, and in case %s of %s", s->ts, s->thing, c->id, c->key);
        n += in && s->kind == SAID_ALARM ? 1 : 0;
        all = all && is_remembered(s);
        free(id);
    }
    if (all && n != c->count)
        sim_fail("alarms-are-kept", "case %s counts %llu messages; they were %llu", c->id, (unsigned long long)c->count,
                 (unsigned long long)n);
}

/* ---- the card -------------------------------------------------------------------------------------------------------------- */

static void check_case_card(const struct hm_case *c)
{
    const struct message *card = NULL;
    struct hm_slack_message should = {0};
    for (size_t i = 0; i < slack_messages(); i++) {
        const struct message *m = slack_message(i);
        if (m->deleted || strcmp(m->key, c->id) != 0)
            continue;
        if (card != NULL)
            sim_fail("one-card-per-alarm", "case %s has two cards: %s and %s", c->id, card->ts, m->ts);
        card = m;
    }
    if (card == NULL)
        sim_fail("one-card-per-alarm", "case %s has no card", c->id);
    if (!hm_streq(card->channel, c->channel) || !hm_streq(card->thread_ts, c->ts))
        sim_fail("one-card-per-alarm", "the card of case %s is not in its alarm's thread", c->id);
    hm_alarm_card_render(c, &should);
    if (!hm_streq(should.text, card->text) || !json_equal(should.blocks, card->blocks))
        sim_fail("one-card-per-alarm", "the card of case %s does not show the latest", c->id);
    hm_slack_message_done(&should);
}

/* ---- what it starts -------------------------------------------------------------------------------------------------------- */

bool check_alarm_run(const struct book_run *run)
{
    if (!hm_streq(run->state->requester, SIM_BOT))
        return false;
    if (run->state->alarm == NULL)
        sim_fail("late-starts-nothing", "%s was asked for by nobody", run->id);
    if (run->state->recipe->worst != HM_EFFECT_READ)
        sim_fail("late-starts-nothing", "%s was asked for by nobody, and may change something", run->id);
    return true;
}

static const char *status_of(const struct book_run *run)
{
    return run->state->status == HM_RUN_GOING ? NULL : hm_run_status_name(run->state->status);
}

static void check_offer(const struct hm_case *c, const struct hm_case_offer *offer)
{
    const struct book_run *run = offer->run_id != NULL ? book_find(offer->run_id) : NULL;
    if (offer->run_id != NULL && run == NULL)
        sim_fail("offers-start-once", "case %s: its run %s is not in the journal", c->id, offer->run_id);
    if (run == NULL && offer->taken_by != NULL && offer->status == NULL)
        sim_fail("offers-start-once", "case %s: %s took an offer (%s), and nothing came of it", c->id, offer->taken_by,
                 offer->recipe);
    if (run != NULL && !hm_streq(status_of(run), offer->status))
        sim_fail("offers-start-once", "case %s: its run %s is %s, and not %s", c->id, run->id,
                 status_of(run) != NULL ? status_of(run) : "going on", offer->status != NULL ? offer->status : "going on");
    if (run == NULL)
        return;
    char *value = hm_card_value(c->id, offer->nonce);
    if (offer->unasked && !hm_streq(run->state->alarm, value))
        sim_fail("offers-start-once", "case %s: %s is not the run that it started", c->id, run->id);
    free(value);
}

/* No two runs of one offer. */
static void check_runs(void)
{
    for (size_t i = 0; i < book_runs(); i++)
        for (size_t k = 0; k < i; k++)
            if (book_run(i)->state->alarm != NULL && hm_streq(book_run(i)->state->alarm, book_run(k)->state->alarm))
                sim_fail("offers-start-once", "%s and %s were both started by the offer %s", book_run(k)->id, book_run(i)->id,
                         book_run(i)->state->alarm);
}

static void check_late(const struct hm_case *c, const struct said *first)
{
    bool away = first->connected_ms - first->at_ms > MARGIN_MS;
    for (size_t i = 0; i < c->n_offers; i++)
        if (c->offers[i].unasked && c->offers[i].taken_by != NULL && (c->late || away))
            sim_fail("late-starts-nothing", "case %s started %s by itself; it was said while nobody could be told", c->id,
                     c->offers[i].recipe);
}

/* ---- its end --------------------------------------------------------------------------------------------------------------- */

/* Was it said that the thing is off, after the case's last alarm? */
static void check_news(const struct hm_case *c)
{
    const struct said *news = NULL;
    for (size_t i = 0; i < channel_size(); i++) {
        const struct said *s = channel_said(i);
        char *id = s->edited_ok ? case_of_new(s) : NULL;
        bool own_edit = hm_streq(id, c->id);
        free(id);
        if (strcmp(s->thing, c->key) == 0 && ((s->kind == SAID_OK && s->at_ms >= c->last_ms) || own_edit))
            news = s;
    }
    if (news != NULL && news->kind == SAID_OK && c->end == HM_CASE_OPEN && sim_true_ms() - news->at_ms < NEWS_MS)
        sim_fail("news-closes", "case %s of %s is open; %s says that it is over", c->id, c->key, news->ts);
    if (news == NULL && c->end == HM_CASE_OVER)
        sim_fail("news-closes", "case %s of %s is over; nobody said so", c->id, c->key);
}

static void check_marks(const struct hm_case *c, const struct said *first)
{
    unsigned n = 0;
    bool right = false;
    for (size_t i = 0; i < SIM_REACTIONS; i++) {
        n += first->reactions[i][0] != '\0' ? 1 : 0;
        right = right || (c->mark != NULL && strcmp(first->reactions[i], c->mark) == 0);
    }
    if (c->mark != NULL && !right)
        sim_fail("marks-are-right", "%s does not bear :%s: of case %s", first->ts, c->mark, c->id);
    if (n != (c->mark != NULL ? 1U : 0U))
        sim_fail("marks-are-right", "%s bears %u reactions; case %s has %s", first->ts, n, c->id,
                 c->mark != NULL ? c->mark : "none");
}

static void check_case(const struct hm_case *c)
{
    const struct said *first = channel_find(c->ts);
    if (first == NULL || first->kind != SAID_ALARM)
        sim_fail("alarms-are-kept", "case %s is of a message that is no alarm", c->id);
    check_count(c);
    check_case_card(c);
    for (size_t i = 0; i < c->n_offers; i++)
        check_offer(c, &c->offers[i]);
    check_late(c, first);
    check_news(c);
    check_marks(c, first);
}

/* Did this message begin its case? A repetition brings nothing new. */
static bool began_case(const struct said *s)
{
    char *id = case_of_new(s);
    const char *text = id != NULL ? book_value("alarm", id) : NULL;
    struct hm_case *c = text != NULL ? load_case(text) : NULL;
    bool began = id != NULL && (c == NULL || strcmp(c->ts, s->ts) == 0); /* a case that is forgotten: perhaps */
    hm_case_free(c);
    free(id);
    return began;
}

/* What the newest case was about is what recipes get as the default. */
static void check_known(void)
{
    const struct said *last = NULL;
    for (size_t i = 0; i < channel_size(); i++)
        if (channel_said(i)->kind == SAID_ALARM && began_case(channel_said(i)))
            last = channel_said(i);
    const char *text = book_value("known", "last");
    char *id = last != NULL ? case_of_new(last) : NULL;
    if (id != NULL && book_value("alarm", id) != NULL && (text == NULL || strstr(text, last->thing) == NULL))
        sim_fail("alarms-are-kept", "the last alarm is of %s; what is remembered is %s", last->thing,
                 text != NULL ? text : "nothing");
    free(id);
}

void check_alarms(void)
{
    for (size_t i = 0; i < channel_size(); i++)
        check_said(channel_said(i));
    for (size_t i = 0; i < sim->book->n_values; i++) {
        const struct value *v = &sim->book->values[i];
        if (v->text == NULL || !hm_streq(v->space, "alarm"))
            continue;
        struct hm_case *c = load_case(v->text);
        check_case(c);
        hm_case_free(c);
        sim->count.alarms++;
    }
    check_runs();
    check_known();
}
