/* Tables and migrations: see schema.h.
 *
 * The tables guard themselves: STRICT types, CHECKs, and triggers that refuse to change or remove an event or a recipe's text
 * whoever asks, also by REPLACE (which fires no delete trigger: hence events_follow). Whoever drops the triggers is found by the
 * hash chain. `inbox_open` is a table of its own because an envelope's row is big and a tiny row is cheap to delete. */
#include "journal/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "journal/sqlite.h"

#define VERSION_1                                                                                                                \
    "CREATE TABLE inbox ("                                                                                                       \
    " id INTEGER PRIMARY KEY,"                                                                                                   \
    " dedupe_key TEXT NOT NULL UNIQUE CHECK (dedupe_key <> ''),"                                                                 \
    " type TEXT NOT NULL,"                                                                                                       \
    " wall_ms INTEGER NOT NULL,"                                                                                                 \
    " text TEXT NOT NULL) STRICT;"                                                                                               \
    "CREATE TABLE inbox_open (" /* envelopes whose outcome is not visible yet */                                                 \
    " id INTEGER PRIMARY KEY) STRICT;"                                                                                           \
    "CREATE TABLE runs ("                                                                                                        \
    " nr INTEGER PRIMARY KEY,"                                                                                                   \
    " id TEXT NOT NULL UNIQUE CHECK (id <> ''),"                                                                                 \
    " recipe TEXT NOT NULL,"                                                                                                     \
    " requester TEXT NOT NULL,"                                                                                                  \
    " open INTEGER NOT NULL CHECK (open IN (0, 1)),"                                                                             \
    " started_ms INTEGER NOT NULL,"                                                                                              \
    " changed_ms INTEGER NOT NULL,"                                                                                              \
    " events INTEGER NOT NULL CHECK (events >= 0)) STRICT;"                                                                      \
    "CREATE INDEX runs_open ON runs (nr) WHERE open = 1;"                                                                        \
    "CREATE TABLE events ("                                                                                                      \
    " id INTEGER PRIMARY KEY,"                                                                                                   \
    " run_id TEXT NOT NULL CHECK (run_id <> ''),"                                                                                \
    " seq INTEGER NOT NULL CHECK (seq >= 1),"                                                                                    \
    " type TEXT NOT NULL CHECK (type <> ''),"                                                                                    \
    " wall_ms INTEGER NOT NULL,"                                                                                                 \
    " data TEXT NOT NULL,"                                                                                                       \
    " hash TEXT NOT NULL CHECK (length(hash) = 64),"                                                                             \
    " UNIQUE (run_id, seq)) STRICT;"                                                                                             \
    "CREATE TRIGGER events_follow BEFORE INSERT ON events "                                                                      \
    "WHEN NEW.id <> 1 + (SELECT coalesce(max(id), 0) FROM events)"                                                               \
    " OR NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM events WHERE run_id = NEW.run_id) "                                   \
    "BEGIN SELECT RAISE(ABORT, 'events are numbered without gaps'); END;"                                                        \
    "CREATE TRIGGER events_stay BEFORE UPDATE ON events "                                                                        \
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;"                                                                  \
    "CREATE TRIGGER events_remain BEFORE DELETE ON events "                                                                      \
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;"                                                                  \
    "CREATE TABLE recipes ("                                                                                                     \
    " sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),"                                                                      \
    " wall_ms INTEGER NOT NULL,"                                                                                                 \
    " text TEXT NOT NULL) STRICT;"                                                                                               \
    "CREATE TRIGGER recipes_stay BEFORE UPDATE ON recipes "                                                                      \
    "BEGIN SELECT RAISE(ABORT, 'recipe texts are append-only'); END;"                                                            \
    "CREATE TRIGGER recipes_remain BEFORE DELETE ON recipes "                                                                    \
    "BEGIN SELECT RAISE(ABORT, 'recipe texts are append-only'); END;"                                                            \
    "CREATE TABLE facts ("                                                                                                       \
    " space TEXT NOT NULL,"                                                                                                      \
    " key TEXT NOT NULL,"                                                                                                        \
    " value TEXT NOT NULL,"                                                                                                      \
    " wall_ms INTEGER NOT NULL,"                                                                                                 \
    " PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;"

/* What has events in the chain and is no run: alarms. */
#define VERSION_2                                                                                                                \
    "CREATE TABLE cases ("                                                                                                       \
    " id TEXT PRIMARY KEY CHECK (id <> ''),"                                                                                     \
    " changed_ms INTEGER NOT NULL,"                                                                                              \
    " events INTEGER NOT NULL CHECK (events >= 0)) STRICT, WITHOUT ROWID;"

const char *const hm_schema_steps[] = {
    VERSION_1,
    VERSION_2,
};
enum { MIGRATION_MAX_BYTES = 1048576 };

const size_t hm_schema_version = HM_ARRAY_LEN(hm_schema_steps);

/* quick_check reads the whole file, about 1 ms per MiB from memory, and can not be interrupted inside a table (SQLite 3.40: a
 * 205 MiB table answered an interrupt after 100 ms). A journal grows for years and the bot must start in moments, so bigger ones
 * are not checked at open: damage there is reported by the statement that meets it, and by `audit verify`. */
enum { QUICK_CHECK_MAX_BYTES = 16 * 1024 * 1024 };

enum hm_code hm_schema_check(sqlite3 *db, size_t version, size_t *ret_found, struct hm_err *err)
{
    const char *path = sqlite3_db_filename(db, "main");
    int64_t application = 0;
    int64_t found = 0;
    int64_t tables = 0;

    *ret_found = 0;
    enum hm_code code = hm_sqlite_number(db, "PRAGMA application_id", &application, err);
    if (code == HM_OK)
        code = hm_sqlite_number(db, "PRAGMA user_version", &found, err);
    if (code == HM_OK)
        code = hm_sqlite_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code != HM_OK) {
        if (err != NULL)
            err->code = HM_EENV;
        return HM_EENV;
    }
    if (application != HM_SCHEMA_APPLICATION_ID && (application != 0 || found != 0 || tables != 0))
        return hm_err_set(err, HM_EENV,
                          "%s belongs to another program (SQLite application id %" PRId64 "): set journal.path to another file",
                          path, application);
    if (found < 0 || (uint64_t)found > version)
        return hm_err_set(err, HM_EENV,
                          "the journal %s has version %" PRId64 " and this hausmeister knows %zu: use the newer program that "
                          "wrote it, or restore the backup from before",
                          path, found, version);
    *ret_found = (size_t)found;
    if (*ret_found == version)
        return HM_OK;
    return hm_err_set(err, HM_ENOTFOUND,
                      "the journal %s has version %" PRId64 " and this hausmeister writes %zu: start `hausmeister run` once, it "
                      "brings it up to date",
                      path, found, version);
}

static enum hm_code migrate_one(sqlite3 *db, const char *step, size_t to_version, int64_t wall_ms, struct hm_err *err)
{
    struct hm_strbuf sql;
    hm_strbuf_init(&sql, MIGRATION_MAX_BYTES);
    hm_strbuf_adds(&sql, "BEGIN IMMEDIATE;"
                         "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL,"
                         " program TEXT NOT NULL) STRICT;");
    hm_strbuf_adds(&sql, step);
    hm_strbuf_addf(&sql,
                   ";INSERT INTO migrations VALUES (%zu, %" PRId64 ", '" HM_VERSION "');"
                   "PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT;",
                   to_version, wall_ms, (int)HM_SCHEMA_APPLICATION_ID, to_version);
    enum hm_code code = HM_OK;
    if (sql.failed)
        code = hm_err_set(err, HM_EBUG, "migration %zu is too long", to_version);
    else
        code = hm_sqlite_exec(db, hm_strbuf_str(&sql), HM_EENV, err);
    if (code != HM_OK) {
        if (sqlite3_get_autocommit(db) == 0)
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        (void)hm_err_wrap(err, "bring the journal to version %zu", to_version);
    }
    hm_strbuf_done(&sql);
    return code;
}

enum hm_code hm_schema_migrate(sqlite3 *db, const char *const *steps, size_t version, int64_t wall_ms, struct hm_err *err)
{
    size_t found = 0;
    enum hm_code code = hm_schema_check(db, version, &found, err);
    if (code != HM_ENOTFOUND)
        return code;
    code = HM_OK;
    for (size_t at = found; at < version && code == HM_OK; at++)
        code = migrate_one(db, steps[at], at + 1, wall_ms, err);
    if (code == HM_OK)
        hm_err_clear(err);
    return code;
}

enum hm_code hm_schema_quick_check(sqlite3 *db, struct hm_err *err)
{
    int64_t page_size = 0;
    int64_t pages = 0;
    enum hm_code code = hm_sqlite_number(db, "PRAGMA page_size", &page_size, err);
    if (code == HM_OK)
        code = hm_sqlite_number(db, "PRAGMA page_count", &pages, err);
    if (code != HM_OK || pages * page_size > QUICK_CHECK_MAX_BYTES)
        return code;

    sqlite3_stmt *stmt = hm_sqlite_prepare(db, "PRAGMA quick_check(1)", 0, err);
    if (stmt == NULL)
        return HM_EENV;
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        code = hm_sqlite_err(db, HM_EENV, "check", err);
    } else {
        const char *verdict = hm_sqlite_text(stmt, 0, NULL);
        if (sqlite3_stricmp(verdict, "ok") != 0)
            code = hm_err_set(err, HM_EENV, "the journal %s is damaged (%s): move it away and restore a backup",
                              sqlite3_db_filename(db, "main"), verdict);
    }
    (void)sqlite3_finalize(stmt);
    return code;
}
