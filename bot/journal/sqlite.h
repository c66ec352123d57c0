/* The few SQLite habits all of the journal shares: opening a connection, saying what went wrong, preparing. */
#ifndef HM_JOURNAL_SQLITE_H
#define HM_JOURNAL_SQLITE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* How long a connection waits for another program's lock before it gives up. The journal's thread waits, never the loop; short
 * enough that a click's answer is still in time. */
enum { HM_BUSY_MS = 500 };

/* Opens with extended result codes and the busy time-out; flags as for sqlite3_open_v2() (SQLITE_OPEN_NOMUTEX is added: one
 * thread at a time). HM_EENV on failure. *ret_db NULL then. */
HM_MUST enum hm_code hm_sqlite_open(const char *path, int flags, sqlite3 **ret_db, struct hm_err *err);

/* Fills err with a sentence for the failure that db reports (and what to do about it); returns `code`. doing: "commit", "open".
 */
enum hm_code hm_sqlite_err(sqlite3 *db, enum hm_code code, const char *doing, struct hm_err *err);

/* Runs SQL without results. code: what a failure is (HM_EENV at open, HM_EIO later). */
HM_MUST enum hm_code hm_sqlite_exec(sqlite3 *db, const char *sql, enum hm_code code, struct hm_err *err);
/* A statement; the caller finalizes. NULL with err on failure. */
sqlite3_stmt *hm_sqlite_prepare(sqlite3 *db, const char *sql, unsigned flags, struct hm_err *err);
/* First column of the first row as a number. */
HM_MUST enum hm_code hm_sqlite_number(sqlite3 *db, const char *sql, int64_t *ret_number, struct hm_err *err);

/* A text column and its length; never NULL ("" for SQL NULL). Valid until the statement moves on. */
const char *hm_sqlite_text(sqlite3_stmt *stmt, int column, size_t *ret_len);

#endif
