/* SQLite habits: see sqlite.h. SQLite's own messages ("database or disk is full") tell an operator little, so the codes that
 * really happen get a sentence with the file, the system's reason and what to do. */
#include "journal/sqlite.h"

#include <string.h>

/* The system's reason for what just failed, 0 = unknown. sqlite3_system_errno() does not know it for a prepared statement, so the
 * log's file is asked, which is where commits fail. */
static int last_errno(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    int sys = sqlite3_system_errno(db);

    if (sys != 0)
        return sys;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || log == NULL || log->pMethods == NULL)
        return 0;
    if (log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &sys) != SQLITE_OK)
        return 0;
    return sys;
}

enum hm_code hm_sqlite_err(sqlite3 *db, enum hm_code code, const char *doing, struct hm_err *err)
{
    const char *path = sqlite3_db_filename(db, "main");
    int extended = sqlite3_extended_errcode(db);
    int primary = extended & 0xff;
    int sys = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? last_errno(db) : 0;
    const char *why = sys != 0 ? strerror(sys) : sqlite3_errstr(extended);

    if (path == NULL)
        path = "";
    switch (primary) {
    case SQLITE_FULL:
        return hm_err_set(err, code, "the journal %s: %s: no space left on the device: free some", path, doing);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return hm_err_set(err, code, "the journal %s: %s: locked by another program for more than %d ms: find it with fuser",
                          path, doing, (int)HM_BUSY_MS);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return hm_err_set(err, code, "the journal %s: %s: may not be written: check its owner, its mode and the mount", path,
                          doing);
    case SQLITE_CANTOPEN:
        return hm_err_set(err, code, "the journal %s: %s: cannot be opened: %s", path, doing, why);
    case SQLITE_IOERR:
        return hm_err_set(err, code, "the journal %s: %s: the disk failed: %s (SQLite code %d)", path, doing, why, extended);
    case SQLITE_CORRUPT:
        return hm_err_set(err, code, "the journal %s: %s: the file is damaged (%s): restore a backup", path, doing,
                          sqlite3_errmsg(db));
    case SQLITE_NOTADB:
        return hm_err_set(err, code, "%s is not a journal (not an SQLite file): set journal.path to another file", path);
    default:
        return hm_err_set(err, code, "the journal %s: %s: %s (SQLite code %d)", path, doing, sqlite3_errmsg(db), extended);
    }
}

enum hm_code hm_sqlite_open(const char *path, int flags, sqlite3 **ret_db, struct hm_err *err)
{
    int rc = sqlite3_open_v2(path, ret_db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(*ret_db, 1);
        (void)sqlite3_busy_timeout(*ret_db, HM_BUSY_MS);
        return HM_OK;
    }
    int sys = *ret_db != NULL ? sqlite3_system_errno(*ret_db) : 0;
    (void)hm_err_set(err, HM_EENV, "cannot open the journal %s: %s", path, sys != 0 ? strerror(sys) : sqlite3_errstr(rc));
    (void)sqlite3_close(*ret_db);
    *ret_db = NULL;
    return HM_EENV;
}

enum hm_code hm_sqlite_exec(sqlite3 *db, const char *sql, enum hm_code code, struct hm_err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return HM_OK;
    return hm_sqlite_err(db, code, "open", err);
}

sqlite3_stmt *hm_sqlite_prepare(sqlite3 *db, const char *sql, unsigned flags, struct hm_err *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, flags, &stmt, NULL) == SQLITE_OK)
        return stmt;
    (void)hm_sqlite_err(db, HM_EIO, "prepare", err);
    return NULL;
}

enum hm_code hm_sqlite_number(sqlite3 *db, const char *sql, int64_t *ret_number, struct hm_err *err)
{
    sqlite3_stmt *stmt = hm_sqlite_prepare(db, sql, 0, err);
    if (stmt == NULL)
        return HM_EIO;
    enum hm_code code = HM_OK;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(stmt, 0);
    else
        code = hm_sqlite_err(db, HM_EIO, "read", err);
    (void)sqlite3_finalize(stmt);
    return code;
}

const char *hm_sqlite_text(sqlite3_stmt *stmt, int column, size_t *ret_len)
{
    const void *text = sqlite3_column_text(stmt, column); /* before _bytes: that order is the safe one */
    int len = sqlite3_column_bytes(stmt, column);
    if (ret_len != NULL)
        *ret_len = text != NULL && len > 0 ? (size_t)len : 0;
    return text != NULL ? text : "";
}
