/* The checks at each event and each step: see check.h. Those of gates are in check_gates.c, those of the end in check_rest.c. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check_parts.h"
#include "crowd.h"
#include "process.h"
#include "support/block_limits.h"
#include "view/card.h"

/* Per person: how often something of his showed in the journal (a vote, a run), and how many of his envelopes were closed. */
static struct {
    unsigned acts, closed;
} people[SIM_PEOPLE];

void sim_check_init(void)
{
    memset(people, 0, sizeof people);
}

static size_t person(const char *user)
{
    for (size_t i = 0; i < SIM_PEOPLE; i++)
        if (strcmp(sim_people[i], user) == 0)
            return i;
    sim_fail("inputs-have-outcomes", "nobody knows \"%s\"", user);
}

/* ---- rows
 * ----------------------------------------------------------------------------------------------------------------------------------
 */

static bool was_cancelled(const struct book_run *run, size_t n)
{
    bool cancelled = false;
    for (size_t i = 0; i < n; i++) {
        cancelled = cancelled || run->rows[i].event.type == HM_EV_CANCEL_ASKED;
        cancelled = cancelled && run->rows[i].event.type != HM_EV_RUN_REOPENED;
    }
    return cancelled;
}

static int step_index(const struct book_run *run, const json_t *data)
{
    const struct hm_recipe *recipe = run->state->recipe;
    for (size_t i = 0; i < recipe->n_steps; i++)
        if (hm_streq(recipe->steps[i].id, hm_json_get_str(data, "step", "")))
            return (int)i;
    sim_fail("journal-folds", "%s: an event of an unknown step", run->id);
}

static bool is_write(const struct book_run *run, const json_t *data)
{
    return hm_streq(hm_json_get_str(data, "purpose", "step"), "step") &&
           run->state->recipe->steps[step_index(run, data)].effect != HM_EFFECT_READ;
}

/* "Nothing of it is to be seen" is told to a person who may have it sent again: then nothing of it may be to come. */
static void check_asked(const struct book_run *run, const struct hm_event *e)
{
    int step = step_index(run, e->data), item = (int)hm_json_get_int(e->data, "item", 0);
    const struct call_record *record = backend_record(run->id, step, item);
    bool not_seen = strstr(hm_json_get_str(e->data, "error", ""), "nothing of it is to be seen") != NULL;
    if (not_seen && (record->on_way > 0 || record->applied > 0))
        sim_fail("outcomes-are-true", "%s says that nothing is to be seen of step %d, item %d; it %s", run->id, step, item,
                 record->on_way > 0 ? "is still to come" : "has happened");
}

/* What the journal says about an outcome is what the world knows. */
static void check_outcome(const struct book_run *run, const struct hm_event *e)
{
    int step = step_index(run, e->data);
    int item = (int)hm_json_get_int(e->data, "item", 0);
    struct call_record *record = backend_record(run->id, step, item);
    if (e->type == HM_EV_CALL_FINISHED) {
        bool ok = hm_streq(hm_json_get_str(e->data, "verdict", ""), "ok") && json_object_get(e->data, "again") == NULL;
        if (ok && is_write(run, e->data) && record->applied == 0)
            sim_fail("outcomes-are-true", "%s says that step %d, item %d was done; it was not", run->id, step, item);
        return;
    }
    if (!hm_streq(hm_json_get_str(e->data, "by", ""), "probe"))
        return; /* a person's word is a person's word */
    if (!hm_json_get_bool(e->data, "applied", false) && (record->applied > 0 || record->on_way > 0))
        sim_fail("outcomes-are-true", "%s says that step %d, item %d has not happened; it has", run->id, step, item);
    const char *thing = hm_json_get_str(run->state->steps[step].calls[item].args, "id", "");
    if (hm_json_get_bool(e->data, "applied", false) && !backend_is_off(thing))
        sim_fail("outcomes-are-true", "%s says that step %d, item %d has happened; it has not", run->id, step, item);
    record->proven = !hm_json_get_bool(e->data, "applied", false);
    if (!hm_json_get_bool(e->data, "resend", false))
        return;
    if (run->state->recipe->steps[step].effect == HM_EFFECT_ONCE)
        sim_fail("once-at-most-once", "%s is to send step %d, item %d again because of a look", run->id, step, item);
    if (!record->looked || record->look_saw_it)
        sim_fail("look-before-repeating", "%s is to send step %d, item %d again %s", run->id, step, item,
                 record->looked ? "although a look had seen it done" : "without a look");
    record->open = 0; /* what was sent before is known to have done nothing */
}

void check_batch(const struct book_run *run)
{
    if (run->state->lock == NULL || run->state->lock_wait.waiting || run->state->status != HM_RUN_GOING)
        return;
    for (size_t i = 0; i < book_runs(); i++) {
        const struct hm_run *other = book_run(i)->state;
        bool holds = other->seq > 0 && other->status == HM_RUN_GOING && other->lock != NULL && !other->lock_wait.waiting;
        if (other != run->state && holds && hm_streq(other->lock, run->state->lock))
            sim_fail("locks-exclude", "%s and %s both hold %s", run->id, other->id, other->lock);
    }
}

void check_row(const struct book_run *run, size_t n)
{
    const struct hm_event *e = &run->rows[n - 1].event;
    const char *by = hm_json_get_str(e->data, "by", "");
    switch (e->type) {
    case HM_EV_RUN_STARTED:
        if (!check_alarm_run(run))
            people[person(run->state->requester)].acts++;
        sim->count.runs++;
        break;
    case HM_EV_GATE_VOTE:
    case HM_EV_GATE_REJECTED:
        people[person(hm_json_get_str(e->data, "user", ""))].acts++;
        check_gate_row(run, n);
        break;
    case HM_EV_GATE_OPENED:
    case HM_EV_GATE_APPROVED:
    case HM_EV_GATE_EXPIRED:
    case HM_EV_GATE_VOIDED:
        check_gate_row(run, n);
        break;
    case HM_EV_CALL_STARTED:
        if (is_write(run, e->data) && was_cancelled(run, n))
            sim_fail("cancel-bites", "%s starts a write after somebody asked to stop", run->id);
        if (is_write(run, e->data) && book_is_held())
            sim_fail("cancel-bites", "%s starts a write after somebody stopped everything", run->id);
        break;
    case HM_EV_CALL_FINISHED:
    case HM_EV_CALL_SETTLED:
        if (e->type == HM_EV_CALL_SETTLED && !hm_streq(by, "probe")) {
            people[person(by)].acts++;
            if (!sim_is_entitled(by))
                sim_fail("outcomes-are-true", "%s: the word of %s counts, who may not say so", run->id, by);
        }
        check_outcome(run, e);
        break;
    case HM_EV_CALL_ASKED:
        check_asked(run, e);
        break;
    case HM_EV_CANCEL_ASKED:
    case HM_EV_RUN_REOPENED:
        for (size_t i = 0; i < run->state->recipe->n_steps; i++)
            backend_again(run->id, (int)i, run->state->recipe->steps[i].effect == HM_EFFECT_ONCE);
        people[person(hm_json_get_str(e->data, "user", ""))].acts++;
        break;
    case HM_EV_CALLS_AGAIN: /* somebody has said so */
        backend_again(run->id, step_index(run, e->data),
                      run->state->recipe->steps[step_index(run, e->data)].effect == HM_EFFECT_ONCE);
        break;
    case HM_EV_QUESTION_ANSWERED:
    case HM_EV_RUN_TAKEN:
        people[person(hm_json_get_str(e->data, "user", ""))].acts++;
        break;
    case HM_EV_RUN_REPLANNED:
    case HM_EV_STEP_STARTED:
    case HM_EV_STEP_SKIPPED:
    case HM_EV_STEP_FINISHED:
    case HM_EV_CALL_UNKNOWN:
    case HM_EV_RUN_FINISHED:
    case HM_EV_QUESTION_OPENED:
    case HM_EV_OFFERS_MADE:
    case HM_EV_OFFER_TAKEN: /* its outcome is the run that begins */
    case HM_EV_LOCK_WAITED:
    case HM_EV_LOCK_TAKEN:
    case HM_EV_GATE_REMINDED:
    case HM_EV_NR:
        break;
    }
    sim_tell("journal: %s %zu %s", run->id, n, hm_event_name(e->type));
}

/* "Stop all" and "resume": every card shows it, so it is an outcome. */
void check_value(const char *space, const char *text)
{
    if (text == NULL || !hm_streq(space, "control"))
        return;
    json_t *value = hm_json_parse_new(text, strlen(text), 10000, NULL);
    people[person(hm_json_get_str(value, "by", ""))].acts++;
    json_decref(value);
}

/* ---- writes
 * --------------------------------------------------------------------------------------------------------------------------------
 */

/* How often a person has said on record that this call did not happen. */
static unsigned words(const struct book_run *run, int step, int item)
{
    unsigned n = 0;
    for (size_t i = 0; i < run->n_rows; i++) {
        const struct hm_event *e = &run->rows[i].event;
        if (e->type == HM_EV_CALL_SETTLED && hm_json_get_bool(e->data, "resend", false) &&
            !hm_streq(hm_json_get_str(e->data, "by", ""), "probe") && hm_json_get_int(e->data, "item", 0) == item &&
            step_index(run, e->data) == step)
            n++;
    }
    return n;
}

static void check_repeat(const struct book_run *run, const struct hm_ticket *ticket, const struct hm_step *step,
                         const struct call_record *record)
{
    unsigned said = words(run, ticket->step, ticket->item);
    bool has_probe = step->call.action->probe_action != NULL;
    if (record->open <= said)
        return; /* what was sent before has provably done nothing, or a person said so */
    if (step->effect == HM_EFFECT_ONCE)
        sim_fail("once-at-most-once", "%s sends step %s, item %d again; nobody said that it did not happen", run->id, step->id,
                 ticket->item);
    if (has_probe)
        sim_fail("look-before-repeating", "%s sends step %s, item %d again without a look", run->id, step->id, ticket->item);
}

void check_sent(const char *run_id, const struct hm_ticket *ticket, const struct hm_request *req,
                const struct call_record *record)
{
    char digest[65];
    const struct book_run *run = book_find(run_id);
    if (run == NULL || ticket->seq < 1 || (size_t)ticket->seq > run->n_rows)
        sim_fail("effects-approved", "%s writes before the journal says so", run_id);
    const struct hm_event *e = &run->rows[ticket->seq - 1].event;
    hm_request_digest(req, digest);
    if (e->type != HM_EV_CALL_STARTED || step_index(run, e->data) != ticket->step ||
        hm_json_get_int(e->data, "item", 0) != ticket->item || !hm_streq(hm_json_get_str(e->data, "digest", ""), digest))
        sim_fail("effects-approved", "%s writes something else than event %lld says", run_id, (long long)ticket->seq);
    if (ticket->purpose != HM_FOR_STEP)
        sim_fail("effects-approved", "%s: a write that is meant to be a look", run_id);
    const struct hm_step *step = &run->state->recipe->steps[ticket->step];
    check_approval(run, (size_t)ticket->seq, step, ticket->item, digest);
    check_repeat(run, ticket, step, record);
}

/* ---- what is shown
 * -------------------------------------------------------------------------------------------------------------------------- */

/* The card's blocks bear the run and the number of its newest event: "r-7k2m.12…". NULL: it is no card. */
static const struct book_run *run_of_card(const json_t *blocks, int64_t *ret_seq)
{
    char id[32];
    const char *block_id = hm_json_get_str(json_array_get(blocks, 0), "block_id", "");
    size_t len = strcspn(block_id, ".");
    if (!hm_starts_with(block_id, "r-") || len >= sizeof id || block_id[len] != '.')
        return NULL;
    memcpy(id, block_id, len);
    id[len] = '\0';
    char *number = hm_xstrndup(block_id + len + 1, strspn(block_id + len + 1, "0123456789"));
    bool ok = hm_parse_i64(number, 0, INT64_MAX, ret_seq);
    free(number);
    const struct book_run *run = book_find(id);
    if (!ok || run == NULL)
        sim_fail("shown-is-committed", "a card of %s is shown, which is not in the journal", id);
    return run;
}

bool check_content(const struct book_run *run, const char *text, const json_t *blocks)
{
    struct hm_slack_message message = {0};
    const struct hm_card_around around = process_around();
    hm_card_render_around(run->state, &around, &message);
    bool same = hm_streq(message.text, text) && json_equal(message.blocks, hm_unconst(blocks));
    hm_slack_message_done(&message);
    return same;
}

/* Is there something that waits for a click on a button with this nonce? Buttons without: "stop the run", "retry what failed". */
static bool is_open(const struct hm_run *run, const char *nonce)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    const struct hm_made_offer *offer = hm_run_find_offer(run, nonce, NULL);
    if (nonce[0] == '\0')
        return run->status == HM_RUN_GOING || hm_run_retryable(run) > 0;
    if ((gate != NULL && hm_streq(gate->nonce, nonce)) || (question != NULL && hm_streq(question->nonce, nonce)))
        return true;
    for (size_t s = 0; s < run->recipe->n_steps; s++)
        for (size_t i = 0; i < run->steps[s].n_calls; i++)
            if (run->steps[s].calls[i].phase == HM_CALL_ASKING && hm_streq(run->steps[s].calls[i].nonce, nonce))
                return true;
    return offer != NULL && offer->taken_by == NULL;
}

void check_buttons(const struct book_run *run, const json_t *blocks)
{
    size_t i = 0;
    const json_t *block = NULL;
    json_array_foreach(blocks, i, block)
    {
        size_t k = 0;
        const json_t *button = NULL;
        if (!hm_streq(hm_json_get_str(block, "type", ""), "actions"))
            continue;
        json_array_foreach(json_object_get(block, "elements"), k, button)
        {
            char run_id[HM_CARD_RUN_ID_MAX];
            char nonce[HM_CARD_NONCE_MAX];
            bool ok = hm_card_parse_value(hm_json_get_str(button, "value", ""), run_id, nonce);
            if (!ok || !hm_streq(run_id, run->id) || !is_open(run->state, nonce))
                sim_fail("buttons-match", "%s shows a button %s of something that is not open", run->id,
                         hm_json_get_str(button, "action_id", ""));
        }
    }
}

void check_shown(bool is_card, const json_t *args)
{
    int64_t seq = 0;
    const json_t *blocks = json_object_get(args, "blocks");
    const struct book_run *run = is_card ? run_of_card(blocks, &seq) : NULL;
    if (run == NULL)
        return;
    if (seq > run->state->seq)
        sim_fail("shown-is-committed", "%s is shown as after event %lld; the journal has %lld", run->id, (long long)seq,
                 (long long)run->state->seq);
    if (seq < run->state->seq)
        return;
    check_buttons(run, blocks);
    if (sim->thorough && !sim->faults.stops && !check_content(run, hm_json_get_str(args, "text", ""), blocks))
        sim_fail("shown-is-committed", "%s is shown otherwise than the journal says", run->id);
}

void check_message(const struct message *message)
{
    char why[200];
    if (json_array_size(message->blocks) > 0 && !hm_limits_message(message->text, message->blocks, why, sizeof why))
        sim_fail("block-kit-limits", "%s: %s", message->key, why);
    crowd_see(message);
}

/* ---- envelopes
 * ------------------------------------------------------------------------------------------------------------------------------
 */

void check_ack(const struct envelope *envelope)
{
    if (book_inbox_find(envelope->key) == NULL)
        sim_fail("acked-after-commit", "%s is acknowledged and not in the journal", envelope->key);
}

void check_closed(const struct inbox *row, const char *run_id)
{
    const struct envelope *e = slack_envelope(row->key);
    if (e == NULL)
        sim_fail("inputs-have-outcomes", "%s is closed, and was never sent", row->key);
    if (e->kind == SIM_EVENT) { /* what became of the message is checked at rest */
        return;
    }
    size_t i = person(e->user);
    (void)run_id;
    if (++people[i].closed > people[i].acts + slack_told(e->user))
        sim_fail("inputs-have-outcomes", "%s of %s is closed; nothing of it can be seen", row->key, e->user);
}

/* ---- memory
 * ---------------------------------------------------------------------------------------------------------------------------------
 */

/* The first line in which two texts differ. */
static void show_difference(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        size_t n = strcspn(a, "\n");
        size_t m = strcspn(b, "\n");
        if (n != m || memcmp(a, b, n) != 0)
            break;
        a += n + (a[n] == '\n' ? 1 : 0);
        b += m + (b[m] == '\n' ? 1 : 0);
    }
    sim_tell("in memory:      %.*s", (int)strcspn(a, "\n"), a);
    sim_tell("in the journal: %.*s", (int)strcspn(b, "\n"), b);
}

static void compare(const struct hm_run *run, struct book_run *in_book)
{
    if (sim_dump_hash(run) == sim_dump_hash(in_book->state)) {
        in_book->compared_seq = run->seq;
        in_book->compared_life = process_life();
        return;
    }
    char *memory = sim_dump_text(run);
    char *journal = sim_dump_text(in_book->state);
    show_difference(memory, journal);
    sim_fail("memory-is-journal", "%s is not what the journal says (the first difference is above)", run->id);
}

static void check_run(void *arg, const struct hm_run *run)
{
    struct book_run *in_book = book_find(run->id);
    (void)arg;
    if (in_book == NULL)
        sim_fail("memory-is-journal", "%s is at work and not in the journal", run->id);
    if (run->seq == in_book->state->seq) {
        if (sim->thorough || in_book->compared_seq != run->seq || in_book->compared_life != process_life())
            compare(run, in_book);
    } else if (run->seq < in_book->state->seq || !book_is_pending(run->id)) {
        sim_fail("memory-is-journal", "%s has %lld events in memory and %lld in the journal", run->id, (long long)run->seq,
                 (long long)in_book->state->seq);
    }
}

void check_step(void)
{
    if (sim->process != NULL)
        process_each_run(check_run, NULL);
}
