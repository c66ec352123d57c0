/* The checks at rest: faults are off, nothing is under way, only people are waited for. See check.h. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check_parts.h"
#include "model_book.h"
#include "process.h"
#include "run/runner.h"

/* A card has a button with this nonce. */
static bool has_button(const json_t *blocks, const char *nonce)
{
    size_t i = 0;
    const json_t *block = NULL;
    json_array_foreach(blocks, i, block)
    {
        size_t k = 0;
        const json_t *button = NULL;
        json_array_foreach(json_object_get(block, "elements"), k, button)
        {
            const char *value = hm_json_get_str(button, "value", "");
            const char *dot = strchr(value, '.');
            if (dot != NULL && strcmp(dot + 1, nonce) == 0)
                return true;
        }
    }
    return false;
}

/* The nonce of the first question that is open, or NULL. */
static const char *open_question(const struct hm_run *run)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    if (gate != NULL)
        return gate->nonce;
    if (question != NULL)
        return question->nonce;
    for (size_t s = 0; s < run->recipe->n_steps; s++)
        for (size_t i = 0; i < run->steps[s].n_calls; i++)
            if (run->steps[s].calls[i].phase == HM_CALL_ASKING)
                return run->steps[s].calls[i].nonce;
    return NULL;
}

/* Another run is in the way, and at work. */
static bool is_blocked(const struct hm_run *run)
{
    for (size_t i = 0; i < book_runs(); i++) {
        const struct hm_run *other = book_run(i)->state;
        if (other != run && other->status == HM_RUN_GOING && !other->lock_wait.waiting && hm_streq(other->lock, run->lock))
            return true;
    }
    return false;
}

static void check_run_at_rest(const struct book_run *run, const struct message *card)
{
    if (run->open != (run->state->status == HM_RUN_GOING))
        sim_fail("runs-settle", "%s is %s; the table of runs says otherwise", run->id, hm_run_status_name(run->state->status));
    if (!run->open)
        return;
    const char *nonce = open_question(run->state);
    bool waits = run->state->lock_wait.waiting && is_blocked(run->state);
    if (nonce == NULL && !waits)
        sim_fail("runs-settle", "%s neither ends nor waits for a person", run->id);
    if (hm_runner_find(process_runner(), run->id) == NULL)
        sim_fail("runs-settle", "%s is open in the journal and nobody is at work on it", run->id);
    if (card != NULL && nonce != NULL && !has_button(card->blocks, nonce))
        sim_fail("runs-settle", "%s waits for a person, and its card does not ask", run->id);
}

/* The run's message, or NULL when somebody deleted it and nothing has changed since. */
static struct message *check_card(const struct book_run *run)
{
    struct message *alive = NULL;
    struct message *dead = NULL;
    for (size_t i = 0; i < slack_messages(); i++) {
        struct message *m = slack_message(i);
        if (!hm_starts_with(m->key, "run:") || strcmp(m->key + 4, run->id) != 0)
            continue;
        if (m->deleted)
            dead = m;
        else if (alive != NULL)
            sim_fail("one-card-per-run", "%s has two cards: %s and %s", run->id, alive->ts, m->ts);
        else
            alive = m;
    }
    if (alive == NULL && dead == NULL)
        sim_fail("one-card-per-run", "%s has no card", run->id);
    struct message *m = alive != NULL ? alive : dead;
    if (m->right_seq == run->state->seq)
        return alive;
    if (!check_content(run, m->text, m->blocks))
        sim_fail("one-card-per-run", "the card of %s does not show the latest", run->id);
    check_buttons(run, m->blocks);
    m->right_seq = run->state->seq;
    return alive;
}

/* Going on alone is told to the audit channel. */
static void check_notices(const struct book_run *run)
{
    for (size_t i = 0; i < run->n_rows; i++) {
        const struct hm_event *e = &run->rows[i].event;
        bool told = false;
        if (e->type != HM_EV_GATE_VOTE || !hm_json_get_bool(e->data, "glass", false))
            continue;
        char *key = hm_xasprintf("audit:%s:%zu", run->id, i + 1);
        for (size_t m = 0; m < slack_messages(); m++)
            told = told || strcmp(slack_message(m)->key, key) == 0;
        free(key);
        if (!told)
            sim_fail("alone-is-told", "somebody went on alone in %s, and the audit channel does not know", run->id);
    }
}

static void check_envelopes(void)
{
    for (size_t i = 0; i < book_inbox_size(); i++)
        if (!book_inbox(i)->done)
            sim_fail("inputs-have-outcomes", "%s was accepted and has no outcome", book_inbox(i)->key);
}

/* What the journal remembers about cards. fresh: the bot has just restarted; before, a full disk may have kept it from
 * forgetting. */
static void check_memory_of_cards(bool fresh)
{
    for (size_t i = 0; i < sim->book->n_values; i++) {
        const struct value *v = &sim->book->values[i];
        const struct book_run *run = book_find(v->key);
        if (fresh && v->text != NULL && hm_streq(v->space, "notices"))
            sim_fail("alone-is-told", "%s is still owed although it was told", v->key);
        if (v->text == NULL || !hm_streq(v->space, "cards"))
            continue;
        if (run == NULL)
            sim_fail("one-card-per-run", "the journal remembers a card of \"%s\", which is no run", v->key);
        if (fresh && !run->open)
            sim_fail("one-card-per-run", "the card of %s is remembered although it shows the end", v->key);
    }
}

void check_rest(bool fresh)
{
    check_envelopes();
    for (size_t i = 0; i < book_runs(); i++) {
        check_run_at_rest(book_run(i), check_card(book_run(i)));
        check_notices(book_run(i));
    }
    check_memory_of_cards(fresh);
    if (sim->alarms)
        check_alarms();
}
