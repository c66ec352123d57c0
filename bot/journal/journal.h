/* The journal: the durable, append-only record of everything, on a thread of its own.
 *
 * One interface, SQLite behind it (WAL, synchronous=FULL). Operations are queued from the loop thread; the journal's thread
 * commits as many as are waiting in ONE transaction (group commit) and reports each one back on the loop. Happy path: put() →
 * commit → callback with HM_OK. Failure: a full disk or a locked file fails the whole group; every callback of it gets HM_EIO,
 * the error is remembered for /readyz, nothing is half-written, and the next group is tried again as usual (nothing is retried by
 * itself: whoever asked decides).
 *
 * Rules it keeps: events of a run are numbered 1, 2, 3 … without gaps; an append whose expected number is taken fails with
 * HM_ECONFLICT (compare-and-set). Every event row carries hash = SHA-256(previous row's hash, all its columns): one chain over
 * the whole table, so that a change or a removal anywhere is found by `hausmeister audit verify`. */
#ifndef HM_JOURNAL_JOURNAL_H
#define HM_JOURNAL_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"

struct hm_journal;

struct hm_journal_opts {
    const char *path;             /* SQLite file */
    const struct hm_clock *clock; /* asked on the loop thread only; must outlive the journal */
    /* Tests: called on the journal thread around every commit, "before" and "after", with the number of the commit since start;
     * may kill the process. NULL = none. Real process kills use the environment variable HM_CRASH_AT="before:7" (built in only
     * where HM_CRASH_POINTS is defined; see crash.h, also for HM_CRASH_COUNT_FILE). */
    void (*crash_point)(void *arg, const char *when, uint64_t commit);
    void *crash_arg;
};

/* Opens (creates, migrates) the database and starts the thread. One process only: a second one gets HM_EENV "… is used by
 * another hausmeister (pid N)" (an exclusive lock file lock, kept while open). Blocking; call it at start. */
struct hm_journal *hm_journal_open(uv_loop_t *loop, const struct hm_journal_opts *opts, struct hm_err *err);
/* Commits what is queued, also what its callbacks queue meanwhile, and calls them; closes the file, joins the thread, then
 * on_closed, on the loop. Then hm_journal_free(). What is put after the last commit fails with HM_EIO (do not try again);
 * after on_closed nothing may be put. */
void hm_journal_close(struct hm_journal *journal, void (*on_closed)(void *arg), void *arg);
void hm_journal_free(struct hm_journal *journal);

/* ---- writing: a batch is atomic --------------------------------------------------------------------------------- */

struct hm_batch; /* operations that are committed together or not at all */

struct hm_batch *hm_batch_new(void);
void hm_batch_free(struct hm_batch *batch); /* only if it was never put */

/* Inbox: remember an envelope before it is acknowledged. dedupe_key: durable, unique. text: the whole envelope, as received.
 * Result per row: see hm_put_result.fresh. */
void hm_batch_inbox(struct hm_batch *batch, const char *dedupe_key, const char *type, const char *text, size_t len);
/* The inbox row's outcome is visible (or belongs to a run now): it is not handed out again at start. */
void hm_batch_inbox_done(struct hm_batch *batch, int64_t inbox_id);
/* Forgets envelopes that were stored before that time and whose outcome is visible, the oldest first, at most HM_PRUNED_AT_ONCE
 * of them; how many: hm_put_result.pruned. Their dedupe keys go with them, so that time must be longer ago than anything is
 * delivered again. */
void hm_batch_inbox_prune(struct hm_batch *batch, int64_t before_ms);
enum { HM_PRUNED_AT_ONCE = 200 };
/* One event of a run. expected_seq: its number (1 for the first). at_ms: when it happened (its row's wall_ms); 0 = when the batch
 * is put. stolen_data: a JSON object. */
void hm_batch_event(struct hm_batch *batch, const char *run_id, int64_t expected_seq, const char *type, int64_t at_ms,
                    json_t *stolen_data);
/* The same about something that is no run (an alarm): numbered and chained in the same way, and in no list of runs. */
void hm_batch_note(struct hm_batch *batch, const char *id, int64_t expected_seq, const char *type, json_t *stolen_data);
/* The run's entry in the table of runs (made by its first event): title line for lists, and whether it is over. */
void hm_batch_run(struct hm_batch *batch, const char *run_id, const char *recipe, const char *requester, bool open);
/* A recipe's text by its SHA-256 hex; idempotent. */
void hm_batch_recipe_text(struct hm_batch *batch, const char *sha256, const char *text);
/* Small durable values ("known" fields of alarms, watermarks, the posts of a run). value NULL deletes. stolen_value. */
void hm_batch_set(struct hm_batch *batch, const char *space, const char *key, json_t *stolen_value);
/* Compare-and-set on "this key does not exist yet in this space": the whole batch fails with HM_ECONFLICT otherwise. */
void hm_batch_claim(struct hm_batch *batch, const char *space, const char *key, json_t *stolen_value);

struct hm_put_result {
    /* HM_OK. HM_ECONFLICT: somebody was first, or a number is not the next one; HM_EINVAL: a row that the tables refuse (an empty
     * dedupe key): nothing of the batch was written. HM_EIO: the group was rolled back, ask again; should the process die before
     * the next good commit, it may still be found committed (a failed fsync promises nothing). */
    enum hm_code code;
    const char *error; /* a sentence when code != HM_OK; "" else; borrowed */
    bool fresh;        /* of the last hm_batch_inbox(): true = new row, false = seen before */
    bool inbox_open;   /* not fresh: true = its outcome is not visible yet */
    int64_t inbox_id;  /* of the last hm_batch_inbox(), also when seen before */
    unsigned pruned;   /* by the last hm_batch_inbox_prune() */
    int64_t wall_ms;   /* when it was put: the time on its rows */
};
typedef void (*hm_put_fn)(void *arg, const struct hm_put_result *result);

/* Queues the batch (takes it over). on_done exactly once, on the loop, never before this returns. Batches are committed in the
 * order of the calls; a conflict in one does not touch the others of its group (savepoints). */
void hm_journal_put(struct hm_journal *journal, struct hm_batch *batch, hm_put_fn on_done, void *arg);

/* ---- health ------------------------------------------------------------------------------------------------------ */

struct hm_journal_health {
    bool ok;         /* the last group was committed */
    char error[256]; /* why not */
    uint64_t commits, batches, rows;
    size_t queued;         /* put and not yet committed */
    double last_commit_ms; /* how long the last group took, failed or not */
    uint64_t wal_pages;    /* length of the write-ahead log; grows for ever only when a reader never ends */
    uint64_t checkpoint_failures;
};
void hm_journal_health(struct hm_journal *journal, struct hm_journal_health *ret_health);

/* ---- reading: blocking, for start-up and the command line; own read connection -------------------------------------- */

struct hm_journal_reader;

/* Read-only; works while a bot writes. */
struct hm_journal_reader *hm_journal_reader_open(const char *path, struct hm_err *err);
void hm_journal_reader_free(struct hm_journal_reader *reader);

struct hm_event_row {
    int64_t id; /* place in the chain */
    const char *run_id;
    int64_t seq;
    const char *type;
    const json_t *data; /* borrowed */
    int64_t wall_ms;
    const char *hash;
};
/* Row by row; the visitor returns false to stop. run_id NULL = all runs, in chain order; else in order of seq. open_only: only
 * runs that are not over. */
HM_MUST enum hm_code hm_journal_events(struct hm_journal_reader *reader, const char *run_id, bool open_only,
                                       bool (*visit)(void *arg, const struct hm_event_row *row), void *arg, struct hm_err *err);

/* The newest event of this type of the run, if there is one. */
HM_MUST enum hm_code hm_journal_last_event(struct hm_journal_reader *reader, const char *run_id, const char *type,
                                           bool (*visit)(void *arg, const struct hm_event_row *row), void *arg,
                                           struct hm_err *err);

struct hm_run_row {
    const char *run_id, *recipe, *requester;
    bool open;
    int64_t started_ms, changed_ms;
    int64_t events;
};
/* Newest first, at most `limit`. */
HM_MUST enum hm_code hm_journal_runs(struct hm_journal_reader *reader, bool open_only, size_t limit,
                                     bool (*visit)(void *arg, const struct hm_run_row *row), void *arg, struct hm_err *err);

struct hm_inbox_row {
    int64_t id;
    const char *dedupe_key, *type, *text;
    size_t len;
    int64_t wall_ms;
};
/* Envelopes whose outcome is not visible yet, oldest first. */
HM_MUST enum hm_code hm_journal_inbox_open(struct hm_journal_reader *reader,
                                           bool (*visit)(void *arg, const struct hm_inbox_row *row), void *arg,
                                           struct hm_err *err);
/* A new string or NULL (with err HM_ENOTFOUND). */
char *hm_journal_recipe_text(struct hm_journal_reader *reader, const char *sha256, struct hm_err *err);
/* All values of a space; visitor as above. */
HM_MUST enum hm_code hm_journal_values(struct hm_journal_reader *reader, const char *space,
                                       bool (*visit)(void *arg, const char *key, const json_t *value), void *arg,
                                       struct hm_err *err);

struct hm_audit {
    uint64_t rows;
    char head[65];     /* the last hash: post it somewhere else and nobody can rewrite the past unnoticed */
    int64_t broken_at; /* id of the first row that does not fit, 0 = none */
    char problem[256];
};
/* Recomputes the whole chain. HM_OK also when broken: look at broken_at. */
HM_MUST enum hm_code hm_journal_audit(struct hm_journal_reader *reader, struct hm_audit *ret_audit, struct hm_err *err);

#endif
