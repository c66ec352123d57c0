/* Reading the journal: see journal.h. A read-only connection of its own; WAL lets it see one consistent state while the bot
 * writes, and neither waits for the other.
 *
 * Failure modes: file missing, foreign, of another version: HM_EENV at open. A row that is not what was written (JSON that does
 * not parse, a recipe text that does not fit its SHA-256): HM_EIO with the row's name. */
#include "journal/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "journal/schema.h"
#include "journal/sqlite.h"

enum { VALUE_MAX = 64 * 1024 * 1024 }; /* far above anything written; guards against damage only */

struct hm_journal_reader *hm_journal_reader_open(const char *path, struct hm_err *err)
{
    size_t version = 0;
    sqlite3 *db = NULL;

    if (access(path, R_OK) != 0) {
        (void)hm_err_set(err, HM_EENV, "cannot read the journal %s: %s", path, strerror(errno));
        return NULL;
    }
    if (hm_sqlite_open(path, SQLITE_OPEN_READONLY, &db, err) != HM_OK)
        return NULL;
    if (hm_schema_check(db, hm_schema_version, &version, err) != HM_OK) {
        if (err != NULL)
            err->code = HM_EENV; /* an older version is the operator's matter as well */
        (void)sqlite3_close(db);
        return NULL;
    }
    struct hm_journal_reader *reader = hm_xcalloc(1, sizeof *reader);
    reader->db = db;
    return reader;
}

void hm_journal_reader_free(struct hm_journal_reader *reader)
{
    if (reader == NULL)
        return;
    (void)sqlite3_close(reader->db);
    free(reader);
}

/* Moves to the next row. HM_OK with *ret_row false at the end. */
static enum hm_code next_row(struct hm_journal_reader *reader, sqlite3_stmt *stmt, bool *ret_row, struct hm_err *err)
{
    int rc = sqlite3_step(stmt);
    *ret_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return HM_OK;
    return hm_sqlite_err(reader->db, HM_EIO, "read", err);
}

/* ---- events --------------------------------------------------------------------------------------------------------------- */

#define EVENT_COLUMNS "SELECT id, run_id, seq, type, data, wall_ms, hash FROM events "

static const char *events_sql(const char *run_id, bool open_only)
{
    if (run_id != NULL)
        return open_only ? EVENT_COLUMNS "WHERE run_id = ?1 AND EXISTS (SELECT 1 FROM runs WHERE runs.id = ?1 AND open = 1)"
                                         " ORDER BY seq"
                         : EVENT_COLUMNS "WHERE run_id = ?1 ORDER BY seq";
    /* from the few open runs to their events by index, not through the whole history */
    return open_only ? EVENT_COLUMNS "WHERE id IN (SELECT e.id FROM runs CROSS JOIN events e ON e.run_id = runs.id"
                                     " WHERE runs.open = 1) ORDER BY id"
                     : EVENT_COLUMNS "ORDER BY id";
}

static enum hm_code show_event(sqlite3_stmt *stmt, bool (*visit)(void *arg, const struct hm_event_row *row), void *arg,
                               bool *ret_more, struct hm_err *err)
{
    size_t len = 0;
    const char *text = hm_sqlite_text(stmt, 4, &len);
    json_t *data = hm_json_parse_new(text, len, VALUE_MAX, err);
    struct hm_event_row row = {
        .id = sqlite3_column_int64(stmt, 0),
        .run_id = hm_sqlite_text(stmt, 1, NULL),
        .seq = sqlite3_column_int64(stmt, 2),
        .type = hm_sqlite_text(stmt, 3, NULL),
        .data = data,
        .wall_ms = sqlite3_column_int64(stmt, 5),
        .hash = hm_sqlite_text(stmt, 6, NULL),
    };
    if (data == NULL) {
        (void)hm_err_wrap(err, "event %" PRId64 " of run %s is damaged", row.seq, row.run_id);
        if (err != NULL)
            err->code = HM_EIO;
        return HM_EIO;
    }
    *ret_more = visit(arg, &row);
    json_decref(data);
    return HM_OK;
}

enum hm_code hm_journal_events(struct hm_journal_reader *reader, const char *run_id, bool open_only,
                               bool (*visit)(void *arg, const struct hm_event_row *row), void *arg, struct hm_err *err)
{
    bool more = true;
    sqlite3_stmt *stmt = hm_sqlite_prepare(reader->db, events_sql(run_id, open_only), 0, err);
    if (stmt == NULL)
        return HM_EIO;
    if (run_id != NULL)
        (void)sqlite3_bind_text(stmt, 1, run_id, -1, SQLITE_STATIC);
    enum hm_code code = next_row(reader, stmt, &more, err);
    while (code == HM_OK && more) {
        code = show_event(stmt, visit, arg, &more, err);
        if (code == HM_OK && more)
            code = next_row(reader, stmt, &more, err);
    }
    (void)sqlite3_finalize(stmt);
    return code;
}

enum hm_code hm_journal_last_event(struct hm_journal_reader *reader, const char *run_id, const char *type,
                                   bool (*visit)(void *arg, const struct hm_event_row *row), void *arg, struct hm_err *err)
{
    bool found = false;
    bool more = false;
    sqlite3_stmt *stmt =
        hm_sqlite_prepare(reader->db, EVENT_COLUMNS "WHERE run_id = ?1 AND type = ?2 ORDER BY seq DESC LIMIT 1", 0, err);
    if (stmt == NULL)
        return HM_EIO;
    (void)sqlite3_bind_text(stmt, 1, run_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, type, -1, SQLITE_STATIC);
    enum hm_code code = next_row(reader, stmt, &found, err);
    if (code == HM_OK && found)
        code = show_event(stmt, visit, arg, &more, err);
    (void)sqlite3_finalize(stmt);
    return code;
}

/* ---- runs, envelopes, recipe texts, values ----------------------------------------------------------------------------------
 */

enum hm_code hm_journal_runs(struct hm_journal_reader *reader, bool open_only, size_t limit,
                             bool (*visit)(void *arg, const struct hm_run_row *row), void *arg, struct hm_err *err)
{
    bool more = true;
    sqlite3_stmt *stmt =
        hm_sqlite_prepare(reader->db,
                          open_only ? "SELECT id, recipe, requester, open, started_ms, changed_ms, events FROM runs"
                                      " WHERE open = 1 ORDER BY nr DESC LIMIT ?1"
                                    : "SELECT id, recipe, requester, open, started_ms, changed_ms, events FROM runs"
                                      " ORDER BY nr DESC LIMIT ?1",
                          0, err);
    if (stmt == NULL)
        return HM_EIO;
    (void)sqlite3_bind_int64(stmt, 1, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    enum hm_code code = next_row(reader, stmt, &more, err);
    while (code == HM_OK && more) {
        struct hm_run_row row = {
            .run_id = hm_sqlite_text(stmt, 0, NULL),
            .recipe = hm_sqlite_text(stmt, 1, NULL),
            .requester = hm_sqlite_text(stmt, 2, NULL),
            .open = sqlite3_column_int(stmt, 3) != 0,
            .started_ms = sqlite3_column_int64(stmt, 4),
            .changed_ms = sqlite3_column_int64(stmt, 5),
            .events = sqlite3_column_int64(stmt, 6),
        };
        more = visit(arg, &row);
        if (more)
            code = next_row(reader, stmt, &more, err);
    }
    (void)sqlite3_finalize(stmt);
    return code;
}

enum hm_code hm_journal_inbox_open(struct hm_journal_reader *reader, bool (*visit)(void *arg, const struct hm_inbox_row *row),
                                   void *arg, struct hm_err *err)
{
    bool more = true;
    sqlite3_stmt *stmt = hm_sqlite_prepare(reader->db,
                                           "SELECT inbox.id, dedupe_key, type, text, wall_ms FROM inbox_open"
                                           " CROSS JOIN inbox ON inbox.id = inbox_open.id ORDER BY inbox_open.id",
                                           0, err);
    if (stmt == NULL)
        return HM_EIO;
    enum hm_code code = next_row(reader, stmt, &more, err);
    while (code == HM_OK && more) {
        struct hm_inbox_row row = {
            .id = sqlite3_column_int64(stmt, 0),
            .dedupe_key = hm_sqlite_text(stmt, 1, NULL),
            .type = hm_sqlite_text(stmt, 2, NULL),
            .wall_ms = sqlite3_column_int64(stmt, 4),
        };
        row.text = hm_sqlite_text(stmt, 3, &row.len);
        more = visit(arg, &row);
        if (more)
            code = next_row(reader, stmt, &more, err);
    }
    (void)sqlite3_finalize(stmt);
    return code;
}

char *hm_journal_recipe_text(struct hm_journal_reader *reader, const char *sha256, struct hm_err *err)
{
    bool found = false;
    char *text = NULL;
    const char *stored = NULL;
    size_t len = 0;
    char digest[HM_SHA256_HEX];
    sqlite3_stmt *stmt = hm_sqlite_prepare(reader->db, "SELECT text FROM recipes WHERE sha256 = ?1", 0, err);
    if (stmt == NULL)
        return NULL;
    (void)sqlite3_bind_text(stmt, 1, sha256, -1, SQLITE_STATIC);
    if (next_row(reader, stmt, &found, err) != HM_OK)
        goto out;
    if (!found) {
        (void)hm_err_set(err, HM_ENOTFOUND, "the journal has no recipe text with SHA-256 %s", sha256);
        goto out;
    }
    stored = hm_sqlite_text(stmt, 0, &len);
    hm_sha256_hex(stored, len, digest);
    if (hm_streq(digest, sha256))
        text = hm_xstrdup(stored);
    else
        (void)hm_err_set(err, HM_EIO, "the recipe text with SHA-256 %s is damaged: it has %s now", sha256, digest);
out:
    (void)sqlite3_finalize(stmt);
    return text;
}

static enum hm_code show_value(sqlite3_stmt *stmt, bool (*visit)(void *arg, const char *key, const json_t *value), void *arg,
                               bool *ret_more, struct hm_err *err)
{
    size_t len = 0;
    const char *key = hm_sqlite_text(stmt, 0, NULL);
    const char *text = hm_sqlite_text(stmt, 1, &len);
    json_t *value = hm_json_parse_new(text, len, VALUE_MAX, err);
    if (value == NULL) {
        (void)hm_err_wrap(err, "the value \"%s\" is damaged", key);
        if (err != NULL)
            err->code = HM_EIO;
        return HM_EIO;
    }
    *ret_more = visit(arg, key, value);
    json_decref(value);
    return HM_OK;
}

enum hm_code hm_journal_values(struct hm_journal_reader *reader, const char *space,
                               bool (*visit)(void *arg, const char *key, const json_t *value), void *arg, struct hm_err *err)
{
    bool more = true;
    sqlite3_stmt *stmt = hm_sqlite_prepare(reader->db, "SELECT key, value FROM facts WHERE space = ?1 ORDER BY key", 0, err);
    if (stmt == NULL)
        return HM_EIO;
    (void)sqlite3_bind_text(stmt, 1, space, -1, SQLITE_STATIC);
    enum hm_code code = next_row(reader, stmt, &more, err);
    while (code == HM_OK && more) {
        code = show_value(stmt, visit, arg, &more, err);
        if (code == HM_OK && more)
            code = next_row(reader, stmt, &more, err);
    }
    (void)sqlite3_finalize(stmt);
    return code;
}
