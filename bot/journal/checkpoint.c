/* The checkpointer's thread: see checkpoint.h. It sleeps on a condition until kicked or told to stop. */
#include "journal/checkpoint.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "base/mem.h"
#include "journal/sqlite.h"
#include "journal/thread.h"

struct hm_checkpointer {
    sqlite3 *db; /* the thread's own, between new and free */
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t changed;
    /* under lock */
    bool wanted, busy, stop;
    uint64_t failures;
};

static bool checkpoint(sqlite3 *db)
{
    int frames = 0;
    int rc = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, NULL);
    if ((rc & 0xff) == SQLITE_BUSY)
        return true;                       /* the writer is at it itself */
    return rc == SQLITE_OK && frames >= 0; /* -1: this connection knows of no log and did nothing */
}

static void run(void *arg)
{
    struct hm_checkpointer *cp = arg;

    uv_mutex_lock(&cp->lock);
    while (!cp->stop) {
        if (!cp->wanted) {
            uv_cond_wait(&cp->changed, &cp->lock);
            continue;
        }
        cp->wanted = false;
        cp->busy = true;
        uv_mutex_unlock(&cp->lock);
        bool failed = !checkpoint(cp->db);
        uv_mutex_lock(&cp->lock);
        cp->busy = false;
        if (failed)
            cp->failures++;
    }
    uv_mutex_unlock(&cp->lock);
}

struct hm_checkpointer *hm_checkpointer_new(const char *path, struct hm_err *err)
{
    sqlite3 *db = NULL;
    int64_t tables = 0;
    if (hm_sqlite_open(path, SQLITE_OPEN_READWRITE, &db, err) != HM_OK)
        return NULL;
    /* A connection that never read has not found the log yet, and its checkpoints do nothing, successfully (SQLite 3.40). */
    if (hm_sqlite_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err) != HM_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }

    struct hm_checkpointer *cp = hm_xcalloc(1, sizeof *cp);
    cp->db = db;
    int rc = uv_mutex_init(&cp->lock);
    HM_ASSERT(rc == 0);
    rc = uv_cond_init(&cp->changed);
    HM_ASSERT(rc == 0);
    rc = hm_thread_start(&cp->thread, "hm-checkpoint", run, cp);
    if (rc == 0)
        return cp;

    (void)hm_err_set(err, HM_EENV, "cannot start the journal's checkpoint thread: %s", uv_strerror(rc));
    uv_cond_destroy(&cp->changed);
    uv_mutex_destroy(&cp->lock);
    (void)sqlite3_close(db);
    free(cp);
    return NULL;
}

void hm_checkpointer_free(struct hm_checkpointer *cp)
{
    if (cp == NULL)
        return;
    uv_mutex_lock(&cp->lock);
    cp->stop = true;
    uv_cond_signal(&cp->changed);
    uv_mutex_unlock(&cp->lock);
    int rc = uv_thread_join(&cp->thread);
    HM_ASSERT(rc == 0);
    (void)sqlite3_close(cp->db);
    uv_cond_destroy(&cp->changed);
    uv_mutex_destroy(&cp->lock);
    free(cp);
}

void hm_checkpointer_kick(struct hm_checkpointer *cp)
{
    uv_mutex_lock(&cp->lock);
    cp->wanted = true;
    uv_cond_signal(&cp->changed);
    uv_mutex_unlock(&cp->lock);
}

bool hm_checkpointer_busy(struct hm_checkpointer *cp)
{
    uv_mutex_lock(&cp->lock);
    bool busy = cp->wanted || cp->busy;
    uv_mutex_unlock(&cp->lock);
    return busy;
}

uint64_t hm_checkpointer_failures(struct hm_checkpointer *cp)
{
    uv_mutex_lock(&cp->lock);
    uint64_t failures = cp->failures;
    uv_mutex_unlock(&cp->lock);
    return failures;
}
