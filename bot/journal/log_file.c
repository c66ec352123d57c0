/* The write-ahead log as a file: see log_file.h.
 *
 * Happy path: the log's end comes near the file's end; STEP_BYTES of zeros are appended and synced once.
 *
 * Failure modes: no room, or an error of the disk: the file is left as it is and not tried again until the log has grown by
 * another step. Whatever part was written is zeros beyond the log's end. Another program writes the log just now (somebody mends
 * something with sqlite3): what it appends would be zeroed by us, so the lock for writing is held, and without it this is left
 * until after the next commit. */
#include "journal/log_file.h"

#include <stddef.h>

#include "journal/sqlite.h"

enum {
    PAGE_BYTES = 4096,
    HEADER_BYTES = 32, /* of the log; a frame has 24 besides its page (SQLite's file format, 4) */
    FRAME_BYTES = PAGE_BYTES + 24,
    QUIET_BYTES = 256 * 1024,
    NEAR_BYTES = 256 * 1024, /* more than the largest usual group */
    STEP_BYTES = 2 * 1024 * 1024,
    PIECE_BYTES = 64 * 1024,
};

uint64_t hm_log_file_size(uint64_t used, uint64_t size)
{
    if (used < QUIET_BYTES || size >= used + NEAR_BYTES)
        return size;
    return (used / STEP_BYTES + 2) * STEP_BYTES;
}

static int write_zeros(sqlite3_file *file, uint64_t from, uint64_t to)
{
    static const char zeros[PIECE_BYTES];
    int rc = SQLITE_OK;
    for (uint64_t at = from; rc == SQLITE_OK && at < to; at += PIECE_BYTES) {
        uint64_t left = to - at;
        rc = file->pMethods->xWrite(file, zeros, left < PIECE_BYTES ? (int)left : PIECE_BYTES, (sqlite3_int64)at);
    }
    return rc == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) : rc;
}

/* Under the lock for writing. */
static uint64_t extend(sqlite3 *db, uint64_t used, uint64_t known_size)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&file);
    if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL || file->pMethods->xFileSize(file, &size) != SQLITE_OK ||
        size < 0)
        return known_size;
    uint64_t wanted = hm_log_file_size(used, (uint64_t)size);
    if (wanted > (uint64_t)size)
        (void)write_zeros(file, (uint64_t)size, wanted);
    return wanted;
}

uint64_t hm_log_file_extend(sqlite3 *db, uint64_t pages, uint64_t known_size)
{
    uint64_t used = HEADER_BYTES + pages * FRAME_BYTES;
    if (hm_log_file_size(used, known_size) == known_size)
        return known_size;
    (void)sqlite3_busy_timeout(db, 0); /* nothing has to wait for this */
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    (void)sqlite3_busy_timeout(db, HM_BUSY_MS);
    if (rc != SQLITE_OK)
        return known_size;
    uint64_t size = extend(db, used, known_size);
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return size;
}
