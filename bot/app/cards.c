/* Cards: see cards.h.
 *
 * The journal's space "cards" holds {channel, thread, ts, digest} per run, from the run's first event (then empty: a post may be
 * under way) until its last content is confirmed by Slack. */
#include "app/cards.h"

#include <stdlib.h>
#include <string.h>

#include "app/card_notes.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/fold.h"
#include "slack/post_link.h"
#include "view/card.h"

static const char key_prefix[] = "run:";
enum { TAIL_MAX = 2500 /* JSON of a program's output */, BLOCKS_MAX = 50 };

struct hm_cards {
    struct hm_cards_opts opts;
    struct hm_post_link *link;
    struct hm_poster *poster;
    struct hm_poster_slack slack;
    const struct hm_settings *settings;
    struct hm_runner *runner;
    struct hm_card_notes *notes; /* what the journal has */
    json_t *over;                /* run id → true: the wanted content is the last */
    json_t *owed;                /* run id → number of an event that is (being) committed and not on the wanted content yet */
    json_t *tails;               /* run id → what its program prints at the moment */
    unsigned n_tails;
    char *held_by;
    int64_t word_ms;
    char *workspace; /* its address, or NULL */
    void (*on_other_shown)(void *arg, const char *key);
    void *other_arg;
    struct {
        void (*fn)(void *arg, const char *run_id);
        void *arg;
    } on_card_posted[HM_CARDS_LISTENERS];
    unsigned n_card_posted;
    void (*on_unplaced)(void *arg, const char *run_id, const char *why);
    void *unplaced_arg;
};

/* ---- the journal's side ---------------------------------------------------------------------------------------------- */

static void store(struct hm_cards *cards, const struct hm_card_note *note)
{
    struct hm_batch *batch = hm_batch_new();
    hm_batch_set(batch, HM_CARDS_SPACE, note->run_id, hm_card_note_json_new(note));
    hm_journal_put(cards->opts.journal, batch, NULL, NULL);
}

static void forget(struct hm_cards *cards, const char *run_id)
{
    struct hm_batch *batch = hm_batch_new();
    hm_batch_set(batch, HM_CARDS_SPACE, run_id, NULL);
    hm_journal_put(cards->opts.journal, batch, NULL, NULL);
    (void)json_object_del(cards->over, run_id);
    hm_card_notes_forget(cards->notes, run_id);
}

json_t *hm_cards_owed_new(struct hm_cards *cards, const struct hm_commit *commit)
{
    bool owed = commit->first_seq == 1;
    for (size_t i = 0; i < commit->events->count; i++) {
        enum hm_event_type type = commit->events->items[i].type;
        owed = owed || type == HM_EV_RUN_REOPENED || type == HM_EV_OFFER_TAKEN;
    }
    if (!owed)
        return NULL;
    hm_json_set_int(cards->owed, commit->run_id, commit->first_seq + (int64_t)commit->events->count - 1);
    return hm_card_note_json_new(hm_card_notes_find(cards->notes, commit->run_id));
}

/* ---- the poster's side ----------------------------------------------------------------------------------------------- */

/* Other messages (a notice in the audit channel) are their owner's, hm_cards_listen(). */
static bool is_card(const char *key)
{
    return hm_starts_with(key, key_prefix);
}

static void on_posted(void *arg, const char *key, const char *channel, const char *ts)
{
    struct hm_cards *cards = arg;
    const char *run_id = key + sizeof key_prefix - 1;
    if (!is_card(key))
        return;
    struct hm_card_note *note = hm_card_notes_need(cards->notes, run_id);
    bool moved = hm_card_note_set(&note->channel, channel);
    if (hm_card_note_set(&note->ts, ts) || moved)
        store(cards, note);
    for (unsigned i = 0; i < cards->n_card_posted; i++)
        cards->on_card_posted[i].fn(cards->on_card_posted[i].arg, run_id);
}

static void on_shown(void *arg, const char *key, const char *digest)
{
    struct hm_cards *cards = arg;
    const char *run_id = key + sizeof key_prefix - 1;
    if (!is_card(key)) {
        if (cards->on_other_shown != NULL)
            cards->on_other_shown(cards->other_arg, key);
        return;
    }
    /* Shown is what was wanted so far; an event that is being committed makes it owed once more. */
    if (json_object_get(cards->over, run_id) != NULL && json_object_get(cards->owed, run_id) == NULL) {
        forget(cards, run_id);
        return;
    }
    struct hm_card_note *note = hm_card_notes_need(cards->notes, run_id);
    if (hm_card_note_set(&note->digest, digest)) /* a restart shows every card again and most are right already */
        store(cards, note);
}

static void on_trouble(void *arg, const char *key, const struct hm_post_trouble *trouble)
{
    struct hm_cards *cards = arg;
    struct hm_poster *poster = cards->poster;
    const char *home = cards->settings->slack.channel;
    const char *now = hm_poster_channel(poster, key);
    bool elsewhere = home != NULL && now != NULL && strcmp(home, now) != 0;

    hm_log(trouble->kind == HM_POST_LATER ? HM_LOG_WARN : HM_LOG_ERROR, is_card(key) ? key + sizeof key_prefix - 1 : key,
           "its %s in %s: %s", is_card(key) ? "card" : "message", now != NULL ? now : "?", trouble->sentence);
    bool misplaced = trouble->kind == HM_POST_PLACE || trouble->kind == HM_POST_GONE;
    if (misplaced && !elsewhere && is_card(key) && cards->on_unplaced != NULL)
        cards->on_unplaced(cards->unplaced_arg, key + sizeof key_prefix - 1, trouble->sentence);
    if (misplaced && elsewhere) {
        hm_poster_move(poster, key, home, NULL);
        if (!is_card(key))
            return;
        struct hm_card_note *note = hm_card_notes_need(cards->notes, key + sizeof key_prefix - 1);
        if (hm_card_note_set(&note->channel, home))
            store(cards, note);
    }
}

/* ---- rendering ------------------------------------------------------------------------------------------------------- */

/* Below the card, if Slack takes that much. */
static void add_tail(struct hm_cards *cards, const struct hm_run *run, json_t *card)
{
    const char *tail = hm_json_get_str(cards->tails, run->id, NULL);
    if (tail == NULL)
        return;
    char *text = hm_json_text(card);
    size_t used = strlen(text);
    free(text);
    if (used + TAIL_MAX > HM_BLOCKS_MESSAGE_MAX || json_array_size(card) + 2 > BLOCKS_MAX)
        return;
    char *prefix = hm_xasprintf("%s.tail%u", run->id, cards->n_tails); /* a new id for each content */
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, prefix, TAIL_MAX);
    (void)hm_blocks_preformatted(blocks, tail, 0);
    json_t *list = hm_blocks_take_new(blocks);
    (void)json_array_extend(card, list);
    json_decref(list);
    free(prefix);
}

struct hm_card_around hm_cards_around_of(const struct hm_cards *cards)
{
    return (struct hm_card_around){.held_by = cards->held_by, .held_ms = cards->word_ms, .word_ms = cards->word_ms};
}

static json_t *content_new(struct hm_cards *cards, const struct hm_run *run)
{
    struct hm_slack_message message = {0};
    json_t *content = hm_json_obj_new();
    const struct hm_card_around around = hm_cards_around_of(cards);
    hm_card_render_around(run, &around, &message);
    add_tail(cards, run, message.blocks);
    hm_json_set_str(content, "text", message.text);
    hm_json_set(content, "blocks", json_incref(message.blocks));
    hm_slack_message_done(&message);
    return content;
}

static void pay_owed(struct hm_cards *cards, const struct hm_run *run)
{
    if (run->seq >= hm_json_get_int(cards->owed, run->id, 0))
        (void)json_object_del(cards->owed, run->id);
}

/* Its turn has come. NULL while something is being committed, because memory is ahead of the journal then: what follows the
 * commit finds the card due. */
static json_t *content_now(void *arg, const char *key)
{
    struct hm_cards *cards = arg;
    const struct hm_run *run = is_card(key) ? hm_runner_find_stored(cards->runner, key + sizeof key_prefix - 1) : NULL;
    if (run == NULL)
        return NULL;
    pay_owed(cards, run);
    return content_new(cards, run);
}

/* Where the card belongs: where it was asked for; but a run with effects is never only in a direct message. */
static const char *place_of(const struct hm_cards *cards, const struct hm_run *run, const char **ret_thread)
{
    const char *home = cards->settings->slack.channel;
    bool effects = run->recipe == NULL || run->recipe->worst != HM_EFFECT_READ;
    bool private = run->channel[0] == 'D' && effects;
    bool move = home != NULL && (private || run->channel[0] == '\0');
    *ret_thread = move ? NULL : run->thread_ts;
    return move ? home : run->channel;
}

/* Makes the slot of the run's card, if it has none in this process. */
static void place(struct hm_cards *cards, const struct hm_run *run, const char *key)
{
    const char *thread = NULL;
    const char *channel = place_of(cards, run, &thread);
    const struct hm_card_note *note = hm_card_notes_find(cards->notes, run->id);
    const char *moved = note != NULL ? note->channel : NULL;
    if (hm_poster_has(cards->poster, key))
        return;
    if (note == NULL && run->reopened == 0) {
        hm_poster_open(cards->poster, key, channel, thread);
        return;
    }
    if (moved != NULL && strcmp(moved, channel) != 0) {
        channel = moved;
        thread = NULL;
    }
    /* From before a restart. Known without a ts: a post may have been under way. Not known, but taken up again: the card of its
     * first life is out there somewhere. */
    const struct hm_slot_memory memory = {
        .ts = note != NULL ? note->ts : NULL,
        .maybe_posted = note == NULL || note->ts == NULL,
        .since_wall_ms = run->started_ms - 60000,
        .shown_digest = note != NULL ? note->digest : NULL,
    };
    hm_poster_restore(cards->poster, key, channel, thread, &memory);
}

void hm_cards_show(struct hm_cards *cards, const struct hm_run *run)
{
    struct hm_poster *poster = cards->poster;
    if (run->channel == NULL) {
        hm_log(HM_LOG_ERROR, run->id, "it has no card, because nothing of it can be read");
        return;
    }
    char *key = hm_xasprintf("%s%s", key_prefix, run->id);
    bool over = run->status != HM_RUN_GOING;
    if (over && !hm_poster_has(poster, key) && hm_card_notes_find(cards->notes, run->id) == NULL && run->seq > 0 &&
        run->ended_ms < hm_wall_ms(cards->opts.clock) - 60000) {
        free(key); /* a late click on an old run: its card has been right for long */
        return;
    }
    place(cards, run, key);
    if (over)
        hm_json_set_bool(cards->over, run->id, true);
    else
        (void)json_object_del(cards->over, run->id); /* it may have been taken up again */
    bool urgent =
        over || run->broken != NULL || hm_run_open_gate(run) != NULL || hm_run_open_question(run) != NULL || run->seq < 10;
    if (urgent || !hm_poster_behind(poster, key)) {
        pay_owed(cards, run);
        hm_poster_show(poster, key, content_new(cards, run), urgent);
    }
    if (over)
        hm_poster_finish(poster, key);
    free(key);
}

void hm_cards_tail(struct hm_cards *cards, const char *run_id, const char *text)
{
    cards->n_tails++;
    if (text != NULL)
        hm_json_set_str(cards->tails, run_id, text);
    else
        (void)json_object_del(cards->tails, run_id);
    const struct hm_run *run = text != NULL ? hm_runner_find_stored(cards->runner, run_id) : NULL;
    if (run != NULL)
        hm_cards_show(cards, run);
}

void hm_cards_around(struct hm_cards *cards, const char *held_by, int64_t word_ms)
{
    char *copy = hm_xstrdup_null(held_by);
    free(cards->held_by);
    cards->held_by = copy;
    cards->word_ms = word_ms;
}

void hm_cards_adopt(struct hm_cards *cards, const struct hm_run *run, const char *channel, const char *ts, const char *thread_ts)
{
    char *key = hm_xasprintf("%s%s", key_prefix, run->id);
    if (!hm_poster_has(cards->poster, key) && hm_card_notes_find(cards->notes, run->id) == NULL) {
        const struct hm_slot_memory memory = {.ts = ts};
        struct hm_card_note *note = hm_card_notes_need(cards->notes, run->id);
        (void)hm_card_note_set(&note->channel, channel);
        (void)hm_card_note_set(&note->ts, ts);
        store(cards, note);
        hm_poster_restore(cards->poster, key, channel, thread_ts, &memory);
        hm_cards_show(cards, run);
    }
    free(key);
}

/* ---- restart --------------------------------------------------------------------------------------------------------- */

struct refolding {
    struct hm_cards *cards;
    struct hm_run *run;
    bool failed;
};

static bool refold(void *arg, const struct hm_event *event)
{
    struct refolding *r = arg;
    struct hm_err err = {0};
    r->failed = hm_run_fold(r->run, event, r->cards->opts.recipe_by_sha, r->cards->opts.recipe_arg, &err) != HM_OK;
    if (r->failed)
        hm_log(HM_LOG_ERROR, "cards", "%s", err.msg);
    return !r->failed;
}

/* A run that ended just before a restart: its last content may not be shown. */
static void show_ended(struct hm_cards *cards, const char *run_id)
{
    struct refolding r = {cards, hm_run_new(), false};
    struct hm_err err = {0};
    enum hm_code code = hm_ledger_load(cards->opts.ledger, run_id, refold, &r, &err);
    if (code != HM_OK || r.failed || r.run->recipe == NULL)
        hm_log(HM_LOG_ERROR, "cards", "the card of run %s can not be made anew: %s", run_id, err.msg);
    else if (r.run->status != HM_RUN_GOING)
        hm_cards_show(cards, r.run);
    hm_run_free(r.run);
}

static bool restore_one(void *arg, const char *run_id, const json_t *value)
{
    struct hm_cards *cards = arg;
    hm_card_note_read(hm_card_notes_need(cards->notes, run_id), value);
    return true;
}

enum hm_code hm_cards_restore(struct hm_cards *cards, struct hm_err *err)
{
    struct hm_journal_reader *reader = hm_journal_reader_open(cards->opts.journal_path, err);
    if (reader == NULL)
        return HM_EENV;
    enum hm_code code = hm_journal_values(reader, HM_CARDS_SPACE, restore_one, cards, err);
    hm_journal_reader_free(reader);
    return code;
}

struct unshown {
    const struct hm_cards *cards;
    json_t *ids;
};

static void add_unshown(void *arg, const struct hm_card_note *note)
{
    struct unshown *unshown = arg;
    char *key = hm_xasprintf("%s%s", key_prefix, note->run_id);
    if (!hm_poster_has(unshown->cards->poster, key))
        hm_json_add(unshown->ids, json_string(note->run_id));
    free(key);
}

void hm_cards_restored(struct hm_cards *cards)
{
    struct unshown unshown = {cards, hm_json_arr_new()}; /* showing one may forget it */
    hm_card_notes_each(cards->notes, add_unshown, &unshown);
    for (size_t i = 0; i < json_array_size(unshown.ids); i++)
        show_ended(cards, json_string_value(json_array_get(unshown.ids, i)));
    json_decref(unshown.ids);
}

/* ---------------------------------------------------------------------------------------------------------------------- */

struct hm_cards *hm_cards_new(const struct hm_cards_opts *opts)
{
    struct hm_cards *cards = hm_xcalloc(1, sizeof *cards);
    struct hm_poster_opts poster = {
        .clock = opts->clock,
        .on_posted = on_posted,
        .on_shown = on_shown,
        .on_trouble = on_trouble,
        .content = content_now,
        .arg = cards,
    };
    cards->opts = *opts;
    cards->notes = hm_card_notes_new();
    cards->over = hm_json_obj_new();
    cards->owed = hm_json_obj_new();
    cards->tails = hm_json_obj_new();
    cards->link = hm_post_link_new(opts->loop, opts->api, &poster);
    cards->slack = poster.slack;
    cards->poster = hm_poster_new(&poster);
    hm_post_link_attach(cards->link, cards->poster);
    return cards;
}

void hm_cards_attach(struct hm_cards *cards, struct hm_runner *runner)
{
    cards->runner = runner;
}

void hm_cards_stop(struct hm_cards *cards)
{
    hm_post_link_attach(cards->link, NULL);
    hm_poster_free(cards->poster);
    cards->poster = NULL;
}

void hm_cards_free(struct hm_cards *cards)
{
    if (cards == NULL)
        return;
    hm_post_link_free(cards->link);
    hm_card_notes_free(cards->notes);
    json_decref(cards->over);
    json_decref(cards->owed);
    free(cards->held_by);
    free(cards->workspace);
    json_decref(cards->tails);
    free(cards);
}

void hm_cards_workspace(struct hm_cards *cards, const char *url)
{
    free(cards->workspace);
    cards->workspace = hm_is_web_address(url) ? hm_xstrdup(url) : NULL;
}

const char *hm_cards_workspace_url(const struct hm_cards *cards)
{
    return cards->workspace;
}

const char *hm_cards_thread(const struct hm_cards *cards, const char *run_id, const char **ret_channel)
{
    char *key = hm_xasprintf("%s%s", key_prefix, run_id);
    const char *thread = hm_poster_thread(cards->poster, key);
    *ret_channel = hm_poster_channel(cards->poster, key);
    free(key);
    return thread;
}

void hm_cards_listen_posted(struct hm_cards *cards, void (*fn)(void *arg, const char *run_id), void *arg)
{
    HM_ASSERT(cards->n_card_posted < HM_CARDS_LISTENERS);
    cards->on_card_posted[cards->n_card_posted].fn = fn;
    cards->on_card_posted[cards->n_card_posted++].arg = arg;
}

void hm_cards_listen_unplaced(struct hm_cards *cards, void (*fn)(void *arg, const char *run_id, const char *why), void *arg)
{
    cards->on_unplaced = fn;
    cards->unplaced_arg = arg;
}

const char *hm_cards_place(const struct hm_cards *cards, const char *run_id, const char **ret_ts)
{
    char *key = hm_xasprintf("%s%s", key_prefix, run_id);
    *ret_ts = hm_poster_ts(cards->poster, key);
    const char *channel = *ret_ts != NULL ? hm_poster_channel(cards->poster, key) : NULL;
    free(key);
    return channel;
}

void hm_cards_use(struct hm_cards *cards, const struct hm_settings *settings)
{
    cards->settings = settings;
}

void hm_cards_listen(struct hm_cards *cards, void (*fn)(void *arg, const char *key), void *arg)
{
    cards->on_other_shown = fn;
    cards->other_arg = arg;
}

struct hm_poster *hm_cards_poster(struct hm_cards *cards)
{
    return cards->poster;
}

struct hm_poster_slack hm_cards_slack(const struct hm_cards *cards)
{
    return cards->slack;
}

bool hm_cards_settled(const struct hm_cards *cards)
{
    struct hm_poster_stats stats = {0};
    hm_poster_stats(cards->poster, &stats);
    return stats.unshown == 0 && stats.under_way == 0;
}
