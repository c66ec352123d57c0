/* For the journal's tests: a journal in a folder of its own, driven step by step from the test's thread. */
#ifndef HM_TESTS_UNIT_JOURNAL_FIXTURE_H
#define HM_TESTS_UNIT_JOURNAL_FIXTURE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <uv.h>

#include "journal/journal.h"

struct jf {
    uv_loop_t loop;
    struct hm_journal *journal;
    char dir[64];
    char *path;
    bool closed;
    int64_t acks; /* callbacks so far, whatever their result */
    /* see jf_hold() */
    uv_sem_t held, release;
    bool hold, holding;
};

struct jf_result {
    bool done;
    int64_t order; /* the how-manieth callback it was, from 1 */
    enum hm_code code;
    char error[256];
    bool fresh, inbox_open;
    int64_t inbox_id;
    struct jf *jf;
};

/* Makes the folder and the loop; opens nothing. */
void jf_init(struct jf *jf);
/* Removes the folder. The journal must be closed. */
void jf_done(struct jf *jf);
void jf_open(struct jf *jf);
/* cmocka's: a journal of its own for a test, open at the beginning; at the end it may be open or closed. */
int jf_set_up(void **state);
int jf_tear_down(void **state);
/* As jf_open(), but says why not. */
bool jf_try_open(struct jf *jf, struct hm_err *err);
void jf_close(struct jf *jf);
/* Runs the loop until on_closed, after hm_journal_close() was called with jf_on_closed. */
void jf_wait_closed(struct jf *jf);
void jf_on_closed(void *arg);

/* Queues; ret_result is filled by the callback. */
void jf_put(struct jf *jf, struct hm_batch *batch, struct jf_result *ret_result);
/* Runs the loop until the result is there. */
void jf_wait(struct jf *jf, struct jf_result *result);
/* Both. */
struct jf_result jf_do(struct jf *jf, struct hm_batch *batch);

/* The journal's thread stops before its next commit until jf_let_go(): what is put meanwhile becomes one group. jf_hold()
 * commits one batch of its own (an unset of nothing) and returns when the thread stands still. */
void jf_hold(struct jf *jf, struct jf_result *ret_result);
void jf_let_go(struct jf *jf);
/* Lets the held commit happen and stops again before the next one. */
void jf_hold_next(struct jf *jf);

/* Batches of one operation. */
struct hm_batch *jf_event(const char *run_id, int64_t seq, const char *step);
struct hm_batch *jf_inbox(const char *key, const char *text);

/* A connection of somebody else; the caller closes. */
sqlite3 *jf_sqlite(const struct jf *jf);
/* Runs SQL on it, which must succeed. */
void jf_sql(sqlite3 *db, const char *sql);
/* The same on a connection just for this. */
void jf_tamper(const struct jf *jf, const char *sql);
int64_t jf_number(const struct jf *jf, const char *sql);
struct hm_journal_reader *jf_reader(const struct jf *jf);

#endif
