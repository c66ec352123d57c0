/* The journal, as it is promised in journal/journal.h: batches are queued, committed in groups, in order, atomically, and
 * reported afterwards; events of a run are numbered without gaps; what a dead process did not commit is gone. A group may fail
 * (disk full) and, should the process die before the next good one, still be found (journal.h: "a failed fsync promises
 * nothing").
 *
 * What is durable is the `book`; it outlives the process. Next to each run it keeps the state that the run's committed events add
 * up to, folded by the real fold: the measure of everything that is shown, sent or held in memory. */
#ifndef HM_SIM_MODEL_JOURNAL_H
#define HM_SIM_MODEL_JOURNAL_H

#include "journal/journal.h"
#include "run/event.h"
#include "run/state.h"

struct row {
    struct hm_event event; /* parsed from text */
    char *text;
};

struct book_run {
    char id[32];
    bool open;
    struct row *rows; /* rows[i] has number i + 1 */
    size_t n_rows;
    struct hm_run *state;   /* what the rows add up to */
    int64_t compared_seq;   /* memory and journal were found equal at this number … */
    unsigned compared_life; /* … in this life of the process */
    unsigned deletions;     /* of its card, by people */
};

struct inbox {
    int64_t id;
    char *key, *type, *text;
    size_t len;
    int64_t wall_ms;
    bool done;
};

struct hm_journal *sim_journal(void);
void sim_book_init(void);
void sim_book_done(void);

/* ---- the story's side
 * ---------------------------------------------------------------------------------------------------------------- */

size_t book_queued(void);
/* Commits the first n that are queued, or lets them fail. */
void book_commit(size_t n, bool fail);
size_t book_unreported(void);
/* Tells the bot about the oldest batch that is committed (or failed). */
void book_report(void);
/* The process died: nothing queued will ever be committed (or, by chance, what had failed is found after all). With `dying`, the
 * batches are reported as failed so that the dying process can free what belongs to them; nothing that it puts meanwhile counts.
 */
void book_bury(void);
/* The disk forgets what had failed, or finds it. */
void book_after_crash(void);

/* ---- what is durable
 * ------------------------------------------------------------------------------------------------------------------ */

size_t book_runs(void);
struct book_run *book_run(size_t index);
struct book_run *book_find(const char *run_id);
/* A batch with events of the run is not reported yet. */
bool book_is_pending(const char *run_id);
size_t book_inbox_size(void);
const struct inbox *book_inbox(size_t index);
const struct inbox *book_inbox_find(const char *key);
/* NULL when there is none. */
const char *book_value(const char *space, const char *key);
/* Everything is stopped, and that is durable. */
bool book_is_held(void);

#endif
