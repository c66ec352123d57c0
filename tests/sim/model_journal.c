/* The book and how batches get into it: see model_journal.h. Reading it back (the other half of journal.h) is in model_reader.c.
 */
#include "model_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "check.h"
#include "journal/batch.h"
#include "model_book.h"
#include "model_time.h"
#include "run/fold.h"

struct hm_journal *sim_journal(void)
{
    return &sim->book->journal;
}

void sim_book_init(void)
{
    sim->book = hm_xcalloc(1, sizeof *sim->book);
}

static void drop_batches(struct batches *list)
{
    for (size_t i = 0; i < list->n; i++)
        hm_batch_free(list->items[i]);
    list->n = 0;
}

static void free_run(struct book_run *run)
{
    for (size_t i = 0; i < run->n_rows; i++) {
        json_decref(run->rows[i].event.data);
        free(run->rows[i].text);
    }
    free(run->rows);
    hm_run_free(run->state);
    free(run);
}

void sim_book_done(void)
{
    struct book *book = sim->book;
    struct batches *const lists[] = {&book->queued, &book->unreported, &book->limbo};
    for (size_t i = 0; i < HM_ARRAY_LEN(lists); i++) {
        drop_batches(lists[i]);
        free(lists[i]->items);
    }
    for (size_t i = 0; i < book->n_runs; i++)
        free_run(book->runs[i]);
    for (size_t i = 0; i < book->n_inbox; i++) {
        free(book->inbox[i].key);
        free(book->inbox[i].type);
        free(book->inbox[i].text);
    }
    for (size_t i = 0; i < book->n_values; i++) {
        free(book->values[i].space);
        free(book->values[i].key);
        free(book->values[i].text);
    }
    for (size_t i = 0; i < book->n_texts; i++) {
        free(book->texts[i].sha);
        free(book->texts[i].text);
    }
    for (size_t i = 0; i < book->n_notes; i++)
        free(book->notes[i].id);
    free(book->notes);
    free(book->runs);
    free(book->inbox);
    free(book->values);
    free(book->texts);
    free(book->chain);
    HM_FREE(sim->book);
}

/* ---- lists
 * ------------------------------------------------------------------------------------------------------------------------------
 */

static void append(struct batches *list, struct hm_batch *batch)
{
    if (list->n == list->cap) {
        list->cap = list->cap > 0 ? 2 * list->cap : 16;
        list->items = hm_xreallocarray(list->items, list->cap, sizeof(struct hm_batch *));
    }
    list->items[list->n++] = batch;
}

static struct hm_batch *take_first(struct batches *list)
{
    struct hm_batch *batch = list->items[0];
    list->n--;
    memmove(&list->items[0], &list->items[1], list->n * sizeof(struct hm_batch *));
    return batch;
}

/* The run whose events the batch holds, or NULL. The text is the batch's. */
static const char *run_of(const struct hm_batch *batch)
{
    size_t offset = 0;
    struct hm_op op;
    while (hm_batch_next_op(batch, &offset, &op))
        if (op.kind == HM_OP_EVENT && !op.flag)
            return op.text[0].s;
    return NULL;
}

static bool holds_run(const struct batches *list, const char *run_id)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *of = run_of(list->items[i]);
        if (of != NULL && strcmp(of, run_id) == 0)
            return true;
    }
    return false;
}

bool book_is_pending(const char *run_id)
{
    return holds_run(&sim->book->queued, run_id) || holds_run(&sim->book->unreported, run_id);
}

/* ---- applying one batch
 * ------------------------------------------------------------------------------------------------------------------ */

static struct book_run *make_run(const char *run_id)
{
    struct book *book = sim->book;
    struct book_run *run = hm_xcalloc(1, sizeof *run);
    (void)snprintf(run->id, sizeof run->id, "%s", run_id);
    run->state = hm_run_new();
    run->compared_seq = -1;
    run->open = true;
    book->runs = hm_xreallocarray(book->runs, book->n_runs + 1, sizeof(struct book_run *));
    book->runs[book->n_runs++] = run;
    return run;
}

static void write_note(const struct hm_op *op)
{
    struct book *book = sim->book;
    size_t i = 0;
    while (i < book->n_notes && strcmp(book->notes[i].id, op->text[0].s) != 0)
        i++;
    if (i == book->n_notes) {
        book->notes = hm_xreallocarray(book->notes, book->n_notes + 1, sizeof book->notes[0]);
        book->notes[book->n_notes++] = (struct notes){.id = hm_xstrdup(op->text[0].s)};
    }
    book->notes[i].n = op->number;
    sim_tell("journal: %s %lld %s", op->text[0].s, (long long)op->number, op->text[1].s);
}

static void write_event(const struct hm_op *op, int64_t wall_ms)
{
    struct book *book = sim->book;
    struct hm_err err = {0};
    struct book_run *run = book_find(op->text[0].s);
    if (run == NULL)
        run = make_run(op->text[0].s);
    struct row row = {.text = hm_xmemdup(op->text[2].s, op->text[2].len + 1)};
    row.event.at_ms = op->at_ms != 0 ? op->at_ms : wall_ms;
    row.event.nr = (int64_t)book->n_chain + 1;
    row.event.data = hm_json_parse_new(row.text, op->text[2].len, 10000000, &err);
    if (row.event.data == NULL || !hm_event_parse(op->text[1].s, &row.event.type))
        sim_fail("journal-folds", "%s, event %lld: an event that can not be read back: %s", run->id, (long long)op->number,
                 err.msg);
    run->rows = hm_xreallocarray(run->rows, run->n_rows + 1, sizeof run->rows[0]);
    run->rows[run->n_rows++] = row;
    book->chain = hm_xreallocarray(book->chain, book->n_chain + 1, sizeof book->chain[0]);
    book->chain[book->n_chain++] = (struct link){run, run->n_rows - 1};
    if (hm_run_fold(run->state, &row.event, sim_recipe_by_sha, NULL, &err) != HM_OK)
        sim_fail("journal-folds", "%s", err.msg);
    check_row(run, run->n_rows);
}

static void write_inbox(const struct hm_op *op, struct hm_batch *batch)
{
    struct book *book = sim->book;
    const struct inbox *seen = book_inbox_find(op->text[0].s);
    batch->result.fresh = seen == NULL;
    if (seen != NULL) {
        batch->result.inbox_id = seen->id;
        batch->result.inbox_open = !seen->done;
        return;
    }
    book->inbox = hm_xreallocarray(book->inbox, book->n_inbox + 1, sizeof book->inbox[0]);
    book->inbox[book->n_inbox] = (struct inbox){
        .id = (int64_t)book->n_inbox + 1,
        .key = hm_xstrdup(op->text[0].s),
        .type = hm_xstrdup(op->text[1].s),
        .text = hm_xmemdup(op->text[2].s, op->text[2].len + 1),
        .len = op->text[2].len,
        .wall_ms = batch->wall_ms,
    };
    batch->result.inbox_id = (int64_t)++book->n_inbox;
}

static void write_done(const struct hm_op *op, const struct hm_batch *batch)
{
    struct book *book = sim->book;
    if (op->number < 1 || (size_t)op->number > book->n_inbox)
        sim_fail("inputs-have-outcomes", "an envelope %lld is closed that was never journaled", (long long)op->number);
    struct inbox *row = &book->inbox[op->number - 1];
    if (!row->done)
        check_closed(row, run_of(batch));
    row->done = true;
}

static void write_value(const struct hm_op *op)
{
    struct book *book = sim->book;
    size_t i = 0;
    while (i < book->n_values &&
           (strcmp(book->values[i].space, op->text[0].s) != 0 || strcmp(book->values[i].key, op->text[1].s) != 0))
        i++;
    if (i == book->n_values) {
        book->values = hm_xreallocarray(book->values, book->n_values + 1, sizeof book->values[0]);
        book->values[book->n_values++] = (struct value){.space = hm_xstrdup(op->text[0].s), .key = hm_xstrdup(op->text[1].s)};
    }
    free(book->values[i].text);
    book->values[i].text = hm_xstrdup_null(op->text[2].s);
    check_value(op->text[0].s, op->text[2].s);
}

static void write_text(const struct hm_op *op)
{
    struct book *book = sim->book;
    for (size_t i = 0; i < book->n_texts; i++)
        if (strcmp(book->texts[i].sha, op->text[0].s) == 0)
            return;
    book->texts = hm_xreallocarray(book->texts, book->n_texts + 1, sizeof book->texts[0]);
    book->texts[book->n_texts++] = (struct recipe_text){hm_xstrdup(op->text[0].s), hm_xstrdup(op->text[1].s)};
}

/* Do its events have the numbers that come next? */
static bool numbers_fit(const struct hm_batch *batch)
{
    size_t offset = 0;
    struct hm_op op;
    int64_t next = 0; /* a batch has the events of one run, or of one alarm */
    while (hm_batch_next_op(batch, &offset, &op)) {
        if (op.kind != HM_OP_EVENT)
            continue;
        if (next == 0) {
            const struct book_run *run = op.flag ? NULL : book_find(op.text[0].s);
            next = (op.flag ? book_notes(op.text[0].s) : run != NULL ? (int64_t)run->n_rows : 0) + 1;
        }
        if (op.number != next++)
            return false;
    }
    return true;
}

/* Is there a claim on a key that somebody has already? */
static bool claims_fit(const struct hm_batch *batch)
{
    size_t offset = 0;
    struct hm_op op;
    while (hm_batch_next_op(batch, &offset, &op)) {
        if (op.kind == HM_OP_CLAIM && book_value(op.text[0].s, op.text[1].s) != NULL)
            return false;
    }
    return true;
}

static void apply(struct hm_batch *batch)
{
    size_t offset = 0;
    struct hm_op op;
    if (!numbers_fit(batch)) {
        if (run_of(batch) != NULL)
            sim_fail("journal-gapless", "%s: a batch whose first event does not have the next number", run_of(batch));
        hm_batch_fail(batch, HM_ECONFLICT, "its events are there already"); /* an alarm's: watch_store.c counts them then */
        return;
    }
    if (!claims_fit(batch)) {
        hm_batch_fail(batch, HM_ECONFLICT, "somebody was first");
        return;
    }
    while (hm_batch_next_op(batch, &offset, &op)) {
        struct book_run *run = NULL;
        switch (op.kind) {
        case HM_OP_INBOX:
            write_inbox(&op, batch);
            break;
        case HM_OP_INBOX_DONE:
            write_done(&op, batch);
            break;
        case HM_OP_EVENT:
            if (op.flag)
                write_note(&op);
            else
                write_event(&op, batch->wall_ms);
            break;
        case HM_OP_RUN:
            run = book_find(op.text[0].s);
            if (run == NULL)
                run = make_run(op.text[0].s);
            run->open = op.flag;
            break;
        case HM_OP_RECIPE_TEXT:
            write_text(&op);
            break;
        case HM_OP_SET:
        case HM_OP_CLAIM:
            write_value(&op);
            break;
        case HM_OP_INBOX_PRUNE: /* no story lasts that long */
        case HM_OP_NR:
            break;
        }
    }
    if (run_of(batch) != NULL)
        check_batch(book_find(run_of(batch)));
}

/* ---- committing
 * ---------------------------------------------------------------------------------------------------------------------- */

size_t book_queued(void)
{
    return sim->book->queued.n;
}

size_t book_unreported(void)
{
    return sim->book->unreported.n;
}

static struct hm_batch *copy_of(const struct hm_batch *batch)
{
    struct hm_batch *copy = hm_batch_new();
    copy->buf = hm_xmemdup(batch->buf, batch->len);
    copy->len = copy->cap = batch->len;
    copy->ops = batch->ops;
    copy->wall_ms = batch->wall_ms;
    return copy;
}

void book_commit(size_t n, bool fail)
{
    struct book *book = sim->book;
    bool may_be_found = fail && rng_percent(&sim->rng, 30);
    if (!fail || may_be_found)
        drop_batches(&book->limbo);
    sim_tell("journal: %zu of %zu batches %s", n, book->queued.n, fail ? "fail" : "committed");
    for (size_t i = 0; i < n; i++) {
        struct hm_batch *batch = take_first(&book->queued);
        batch->result = (struct hm_put_result){.code = HM_OK, .error = "", .wall_ms = batch->wall_ms};
        if (fail && may_be_found)
            append(&book->limbo, copy_of(batch));
        if (fail)
            hm_batch_fail(batch, HM_EIO, "the disk is full");
        else
            apply(batch);
        append(&book->unreported, batch);
    }
}

void book_report(void)
{
    struct hm_batch *batch = take_first(&sim->book->unreported);
    if (batch->on_done != NULL)
        batch->on_done(batch->arg, &batch->result);
    hm_batch_free(batch);
}

void book_bury(void)
{
    struct book *book = sim->book;
    while (book->queued.n > 0 || book->unreported.n > 0) {
        struct hm_batch *batch = take_first(book->unreported.n > 0 ? &book->unreported : &book->queued);
        hm_batch_fail(batch, HM_EIO, "the process is dead");
        if (batch->on_done != NULL)
            batch->on_done(batch->arg, &batch->result);
        hm_batch_free(batch);
    }
}

void book_after_crash(void)
{
    struct book *book = sim->book;
    bool found = book->limbo.n > 0 && rng_percent(&sim->rng, 50);
    if (found)
        sim_tell("journal: what had failed is found committed after all");
    for (size_t i = 0; found && i < book->limbo.n; i++)
        apply(book->limbo.items[i]);
    drop_batches(&book->limbo);
}

void hm_journal_put(struct hm_journal *journal, struct hm_batch *batch, hm_put_fn on_done, void *arg)
{
    (void)journal;
    batch->on_done = on_done;
    batch->arg = arg;
    batch->wall_ms = sim_wall_ms();
    append(&sim->book->queued, batch);
}
