/* The journal's queue, thread and callbacks: see journal.h. What a commit is made of is store.c's business.
 *
 * Happy path: put() links the batch into `todo` and wakes the thread; the thread takes what waits (up to GROUP_MAX batches),
 * commits it as one transaction, links the group into `done` and wakes the loop once; the loop calls the callbacks in order.
 *
 * Failure modes: the group fails as a whole: every batch of it gets HM_EIO with the sentence that health shows too. The thread
 * itself never ends but when told to. Nothing here aborts for what a disk does.
 *
 * Closing is driven by the loop: OPEN → CLOSING (everything queued, also by callbacks meanwhile, is still committed) → STOPPING
 * (nothing outstanding; the thread closes the file) → CLOSED (thread joined, handle closed, on_closed called). What is put from
 * STOPPING on fails with HM_EIO. */
#include "journal/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/text.h"
#include "journal/batch.h"
#include "journal/crash.h"
#include "journal/lockfile.h"
#include "journal/store.h"
#include "journal/thread.h"

/* The most batches in one transaction. More would make the first of a burst wait for the last; fewer would pay more fsyncs. */
enum { GROUP_MAX = 512 };

enum state { OPEN, CLOSING, STOPPING, CLOSED };

struct queue {
    struct hm_batch *head;
    struct hm_batch **tail; /* where the next one is linked */
};

struct hm_journal {
    uv_loop_t *loop;
    uv_async_t wake;
    uv_thread_t thread;
    const struct hm_clock *clock;
    int lock_fd;
    void (*crash_point)(void *arg, const char *when, uint64_t commit);
    void *crash_arg;
    struct hm_crash crash; /* from the environment */

    /* the loop's */
    enum state state;
    size_t outstanding; /* put and not yet called back */
    void (*on_closed)(void *arg);
    void *closed_arg;

    /* the thread's */
    struct hm_store *store;
    uint64_t tries; /* commits begun since open: what crash points count */

    uv_mutex_t lock;
    uv_cond_t work;
    /* under lock */
    struct queue todo, done;
    bool sleeping, stop, finished;
    struct hm_journal_health health;
};

/* ---- queues -------------------------------------------------------------------------------------------------------------- */

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

static void queue_push(struct queue *q, struct hm_batch *batch)
{
    batch->next = NULL;
    *q->tail = batch;
    q->tail = &batch->next;
}

static struct hm_batch *queue_pop(struct queue *q)
{
    struct hm_batch *batch = q->head;
    if (batch == NULL)
        return NULL;
    q->head = batch->next;
    if (q->head == NULL)
        q->tail = &q->head;
    batch->next = NULL;
    return batch;
}

/* Moves the first `max` batches of `from` behind those of `to`. */
static void queue_move(struct queue *to, struct queue *from, size_t max)
{
    struct hm_batch **end = &from->head;
    for (size_t i = 0; i < max && *end != NULL; i++)
        end = &(*end)->next;
    if (end == &from->head)
        return;
    struct hm_batch *rest = *end;
    *to->tail = from->head;
    to->tail = end;
    *end = NULL;
    from->head = rest;
    if (rest == NULL)
        from->tail = &from->head;
}

/* ---- the thread ------------------------------------------------------------------------------------------------------------ */

static bool wait_for_group(struct hm_journal *journal, struct queue *group)
{
    uv_mutex_lock(&journal->lock);
    while (journal->todo.head == NULL && !journal->stop) {
        journal->sleeping = true;
        uv_cond_wait(&journal->work, &journal->lock);
        journal->sleeping = false;
    }
    queue_move(group, &journal->todo, GROUP_MAX);
    uv_mutex_unlock(&journal->lock);
    return group->head != NULL;
}

static void at_crash_point(struct hm_journal *journal, const char *when)
{
    hm_crash_point(&journal->crash, when, journal->tries);
    if (journal->crash_point != NULL)
        journal->crash_point(journal->crash_arg, when, journal->tries);
}

static enum hm_code commit_group(struct hm_journal *journal, struct queue *group, uint64_t *ret_rows, struct hm_err *err)
{
    uint64_t rows = 0;
    enum hm_code code = hm_store_begin(journal->store, err);

    for (struct hm_batch *batch = group->head; batch != NULL && code != HM_EIO; batch = batch->next) {
        code = hm_store_apply(journal->store, batch, err);
        if (code == HM_OK)
            rows += batch->ops;
        else
            hm_batch_fail(batch, code, err->msg); /* conflicts are the batch's own; HM_EIO is told to all below */
    }
    if (code != HM_EIO) {
        journal->tries++;
        at_crash_point(journal, "before");
        code = hm_store_commit(journal->store, err);
    }
    if (code != HM_OK) {
        hm_store_rollback(journal->store);
        for (struct hm_batch *batch = group->head; batch != NULL; batch = batch->next)
            hm_batch_fail(batch, HM_EIO, err->msg);
        return HM_EIO;
    }
    at_crash_point(journal, "after");
    *ret_rows = rows;
    return HM_OK;
}

static size_t queue_count(const struct queue *q)
{
    size_t count = 0;
    for (const struct hm_batch *batch = q->head; batch != NULL; batch = batch->next)
        count++;
    return count;
}

static void hand_back(struct hm_journal *journal, struct queue *group, const struct hm_journal_health *group_health)
{
    size_t count = queue_count(group);

    uv_mutex_lock(&journal->lock);
    struct hm_journal_health *health = &journal->health;
    health->ok = group_health->ok;
    memcpy(health->error, group_health->error, sizeof health->error);
    if (group_health->ok) {
        health->commits++;
        health->batches += count;
        health->rows += group_health->rows;
    }
    health->last_commit_ms = group_health->last_commit_ms;
    health->wal_pages = group_health->wal_pages;
    health->checkpoint_failures = group_health->checkpoint_failures;
    health->queued -= count;
    queue_move(&journal->done, group, SIZE_MAX);
    uv_mutex_unlock(&journal->lock);
    (void)uv_async_send(&journal->wake);
}

static void serve_group(struct hm_journal *journal, struct queue *group)
{
    struct hm_journal_health health = {.ok = true};
    struct hm_store_stats stats;
    struct hm_err err = {0};

    uint64_t began_ns = uv_hrtime();
    if (commit_group(journal, group, &health.rows, &err) != HM_OK) {
        size_t len = hm_utf8_prefix(err.msg, sizeof health.error - 1);
        memcpy(health.error, err.msg, len);
        health.ok = false;
    }
    health.last_commit_ms = (double)(uv_hrtime() - began_ns) / 1e6;
    hm_store_stats(journal->store, &stats);
    health.wal_pages = stats.wal_pages;
    health.checkpoint_failures = stats.checkpoint_failures;
    hand_back(journal, group, &health);
    if (health.ok)
        hm_store_checkpoint(journal->store);
}

static void thread_main(void *arg)
{
    struct hm_journal *journal = arg;
    struct queue group;

    queue_init(&group);
    while (wait_for_group(journal, &group))
        serve_group(journal, &group);

    hm_store_free(journal->store); /* may write the whole log into the file: not on the loop */
    journal->store = NULL;
    uv_mutex_lock(&journal->lock);
    journal->finished = true;
    uv_mutex_unlock(&journal->lock);
    (void)uv_async_send(&journal->wake);
}

/* ---- back on the loop ---------------------------------------------------------------------------------------------------------
 */

static void deliver(struct hm_journal *journal)
{
    struct queue ready;
    struct hm_batch *batch = NULL;

    queue_init(&ready);
    uv_mutex_lock(&journal->lock);
    queue_move(&ready, &journal->done, SIZE_MAX);
    uv_mutex_unlock(&journal->lock);
    while ((batch = queue_pop(&ready)) != NULL) {
        journal->outstanding--;
        if (batch->on_done != NULL)
            batch->on_done(batch->arg, &batch->result);
        hm_batch_free(batch);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct hm_journal *journal = handle->data;

    while (journal->outstanding > 0) /* put after the last commit: they fail now */
        deliver(journal);
    journal->state = CLOSED;
    if (journal->on_closed != NULL)
        journal->on_closed(journal->closed_arg); /* may free the journal */
}

static void tell_thread_to_stop(struct hm_journal *journal)
{
    journal->state = STOPPING;
    uv_mutex_lock(&journal->lock);
    journal->stop = true;
    uv_cond_signal(&journal->work);
    uv_mutex_unlock(&journal->lock);
}

static void on_wake(uv_async_t *wake)
{
    struct hm_journal *journal = wake->data;

    deliver(journal);
    if (journal->state == CLOSING && journal->outstanding == 0)
        tell_thread_to_stop(journal);
    if (journal->state != STOPPING)
        return;
    uv_mutex_lock(&journal->lock);
    bool finished = journal->finished;
    uv_mutex_unlock(&journal->lock);
    if (!finished)
        return;
    int rc = uv_thread_join(&journal->thread);
    HM_ASSERT(rc == 0);
    hm_lockfile_drop(journal->lock_fd);
    journal->lock_fd = -1;
    uv_close((uv_handle_t *)wake, on_handle_closed);
}

/* ---- what others call
 * ----------------------------------------------------------------------------------------------------------- */

static void free_parts(struct hm_journal *journal)
{
    hm_store_free(journal->store);
    hm_crash_done(&journal->crash);
    hm_lockfile_drop(journal->lock_fd);
    uv_cond_destroy(&journal->work);
    uv_mutex_destroy(&journal->lock);
    free(journal);
}

struct hm_journal *hm_journal_open(uv_loop_t *loop, const struct hm_journal_opts *opts, struct hm_err *err)
{
    struct hm_journal *journal = hm_xcalloc(1, sizeof *journal);
    int rc = uv_mutex_init(&journal->lock);
    HM_ASSERT(rc == 0);
    rc = uv_cond_init(&journal->work);
    HM_ASSERT(rc == 0);
    journal->loop = loop;
    journal->clock = opts->clock;
    journal->crash_point = opts->crash_point;
    journal->crash_arg = opts->crash_arg;
    journal->health.ok = true;
    queue_init(&journal->todo);
    queue_init(&journal->done);

    journal->lock_fd = hm_lockfile_take(opts->path, err);
    if (hm_crash_init(&journal->crash, journal->lock_fd >= 0 ? err : NULL) == HM_OK && journal->lock_fd >= 0)
        journal->store = hm_store_open(opts->path, hm_wall_ms(opts->clock), err);
    if (journal->store == NULL) {
        free_parts(journal);
        return NULL;
    }
    rc = uv_async_init(loop, &journal->wake, on_wake);
    HM_ASSERT(rc == 0);
    journal->wake.data = journal;
    rc = hm_thread_start(&journal->thread, "hm-journal", thread_main, journal);
    HM_ASSERT(rc == 0);
    return journal;
}

void hm_journal_close(struct hm_journal *journal, void (*on_closed)(void *arg), void *arg)
{
    HM_ASSERT(journal->state == OPEN);
    journal->on_closed = on_closed;
    journal->closed_arg = arg;
    journal->state = CLOSING;
    if (journal->outstanding == 0)
        tell_thread_to_stop(journal);
}

void hm_journal_free(struct hm_journal *journal)
{
    if (journal == NULL)
        return;
    HM_ASSERT(journal->state == CLOSED);
    free_parts(journal);
}

void hm_journal_put(struct hm_journal *journal, struct hm_batch *batch, hm_put_fn on_done, void *arg)
{
    HM_ASSERT(journal->state != CLOSED);
    batch->on_done = on_done;
    batch->arg = arg;
    batch->wall_ms = hm_wall_ms(journal->clock);
    journal->outstanding++;

    if (journal->state == STOPPING) {
        hm_batch_fail(batch, HM_EIO, "the journal is closed");
        uv_mutex_lock(&journal->lock);
        queue_push(&journal->done, batch);
        uv_mutex_unlock(&journal->lock);
        return; /* called back when the thread reports its end, at the latest when the handle is closed */
    }
    uv_mutex_lock(&journal->lock);
    queue_push(&journal->todo, batch);
    journal->health.queued++;
    if (journal->sleeping)
        uv_cond_signal(&journal->work);
    uv_mutex_unlock(&journal->lock);
}

void hm_journal_health(struct hm_journal *journal, struct hm_journal_health *ret_health)
{
    uv_mutex_lock(&journal->lock);
    *ret_health = journal->health;
    uv_mutex_unlock(&journal->lock);
}
