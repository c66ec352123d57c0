/* The writer's side of the file: see store.h.
 *
 * Happy path: BEGIN IMMEDIATE; for each batch its statements, all prepared once; COMMIT, which is one fsync of the write-ahead
 * log (synchronous=FULL). A batch that can fail half-way lies in a savepoint; a bare inbox row can not and saves the two
 * statements.
 *
 * Failures: a constraint or a taken number undoes the savepoint only. Everything else (disk full, I/O, locked) is the group's
 * end. A commit that failed at its fsync was rolled back for this process, but its pages may have reached the disk: after a crash
 * it could be found committed. Callers treat HM_EIO as "ask again", and dedupe keys and expected numbers make asking again safe.
 *
 * The chain's head is read from the file at the start of each group: no copy of it in memory can go stale after a rollback. */
#include "journal/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "journal/chain.h"
#include "journal/checkpoint.h"
#include "journal/log_file.h"
#include "journal/schema.h"
#include "journal/sqlite.h"

enum stmt_id {
    BEGIN,
    COMMIT,
    ROLLBACK,
    SAVEPOINT,
    RELEASE,
    BACK_TO_SAVEPOINT,
    HEAD,
    INBOX_ADD,
    INBOX_FIND,
    INBOX_OPEN,
    INBOX_DONE,
    INBOX_PRUNE,
    LAST_SEQ,
    EVENT_ADD,
    RUN_TOUCH,
    CASE_TOUCH,
    RUN_PUT,
    RECIPE_ADD,
    FACT_SET,
    FACT_UNSET,
    FACT_CLAIM,
    STMT_NR
};

#define INTO_RUNS  "INSERT INTO runs (id, recipe, requester, open, started_ms, changed_ms, events) VALUES "
#define INTO_FACTS "INSERT INTO facts (space, key, value, wall_ms) VALUES (?1, ?2, ?3, ?4)"

static const char run_touch_sql[] = INTO_RUNS "(?1, '', '', 1, ?2, ?2, ?3) ON CONFLICT (id) DO UPDATE"
                                              " SET changed_ms = excluded.changed_ms, events = excluded.events";
static const char case_touch_sql[] = "INSERT INTO cases (id, changed_ms, events) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE"
                                     " SET changed_ms = excluded.changed_ms, events = excluded.events";
static const char run_put_sql[] = INTO_RUNS "(?1, ?2, ?3, ?4, ?5, ?5, 0) ON CONFLICT (id) DO UPDATE"
                                            " SET recipe = excluded.recipe, requester = excluded.requester,"
                                            " open = excluded.open, changed_ms = excluded.changed_ms";
static const char fact_set_sql[] = INTO_FACTS " ON CONFLICT (space, key) DO UPDATE"
                                              " SET value = excluded.value, wall_ms = excluded.wall_ms";

/* Rows lie in the order of their ids, which is that of time but for a clock that was set back: a look at the first thousand finds
 * the oldest without an index that every envelope would have to pay for. The newest row stays, so that no id is ever given twice.
 */
static const char inbox_prune_sql[] = "DELETE FROM inbox WHERE id IN (SELECT id FROM"
                                      " (SELECT id, wall_ms FROM inbox ORDER BY id LIMIT 1000) AS oldest WHERE wall_ms < ?1"
                                      " AND id < (SELECT max(id) FROM inbox)"
                                      " AND NOT EXISTS (SELECT 1 FROM inbox_open WHERE inbox_open.id = oldest.id) LIMIT ?2)";

static const char *const sql_of[STMT_NR] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SAVEPOINT] = "SAVEPOINT batch",
    [RELEASE] = "RELEASE batch",
    [BACK_TO_SAVEPOINT] = "ROLLBACK TO batch",
    [HEAD] = "SELECT id, hash FROM events ORDER BY id DESC LIMIT 1",
    [INBOX_ADD] =
        "INSERT INTO inbox (dedupe_key, type, wall_ms, text) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (dedupe_key) DO NOTHING",
    [INBOX_FIND] = "SELECT id, EXISTS (SELECT 1 FROM inbox_open WHERE inbox_open.id = inbox.id) FROM inbox WHERE dedupe_key = ?1",
    [INBOX_OPEN] = "INSERT INTO inbox_open (id) VALUES (?1)",
    [INBOX_DONE] = "DELETE FROM inbox_open WHERE id = ?1",
    [INBOX_PRUNE] = inbox_prune_sql,
    [LAST_SEQ] = "SELECT max(seq) FROM events WHERE run_id = ?1",
    [EVENT_ADD] = "INSERT INTO events (id, run_id, seq, type, wall_ms, data, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [RUN_TOUCH] = run_touch_sql,
    [CASE_TOUCH] = case_touch_sql,
    [RUN_PUT] = run_put_sql,
    [RECIPE_ADD] = "INSERT INTO recipes (sha256, wall_ms, text) VALUES (?1, ?2, ?3) ON CONFLICT (sha256) DO NOTHING",
    [FACT_SET] = fact_set_sql,
    [FACT_UNSET] = "DELETE FROM facts WHERE space = ?1 AND key = ?2",
    [FACT_CLAIM] = INTO_FACTS,
};

/* From this length on (16 MiB) the log is moved into the file, see hm_store_checkpoint(). */
enum { CHECKPOINT_PAGES = 4000 };

struct head {
    int64_t id; /* of the last event, 0 = none */
    char hash[HM_SHA256_HEX];
};

struct hm_store {
    sqlite3 *db;
    sqlite3_stmt *stmts[STMT_NR];
    struct hm_chain *chain;
    struct hm_checkpointer *checkpointer;
    char *path;
    struct stat file;   /* which file path named at open */
    struct head head;   /* inside a group only */
    uint64_t wal_pages; /* told by SQLite after each commit */
    uint64_t log_size;  /* of the log's file, in bytes, as far as we know */
    uint64_t next_kick; /* ask the checkpointer when wal_pages gets here */
    bool asked;         /* the checkpointer; what it leaves over is ours */
};

/* ---- statements ---------------------------------------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *stmt, int at, const struct hm_text *text)
{
    /* STATIC: the batch outlives the statement's run, nothing is copied */
    int rc = sqlite3_bind_text64(stmt, at, text->s, text->len, SQLITE_STATIC, SQLITE_UTF8);
    HM_ASSERT(rc == SQLITE_OK || rc == SQLITE_TOOBIG);
}

static void bind_number(sqlite3_stmt *stmt, int at, int64_t number)
{
    int rc = sqlite3_bind_int64(stmt, at, number);
    HM_ASSERT(rc == SQLITE_OK);
}

/* Tells a refused row (this batch's matter) from a failed file (the group's). */
static enum hm_code failed(struct hm_store *store, const char *doing, struct hm_err *err)
{
    if ((sqlite3_errcode(store->db) & 0xff) == SQLITE_CONSTRAINT)
        return hm_err_set(err, HM_EINVAL, "%s: the journal's tables refuse it: %s", doing, sqlite3_errmsg(store->db));
    return hm_sqlite_err(store->db, HM_EIO, doing, err);
}

/* Runs a statement that returns no row, and makes it ready for the next time. */
static enum hm_code run(struct hm_store *store, enum stmt_id id, const char *doing, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[id];
    int rc = sqlite3_step(stmt);
    enum hm_code code = rc == SQLITE_DONE ? HM_OK : failed(store, doing, err);
    (void)sqlite3_reset(stmt); /* repeats the error already reported */
    return code;
}

/* ---- operations ---------------------------------------------------------------------------------------------------- */

static enum hm_code find_inbox(struct hm_store *store, const struct hm_op *op, struct hm_put_result *result, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[INBOX_FIND];
    enum hm_code code = HM_OK;

    bind_text(stmt, 1, &op->text[0]);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        result->fresh = false;
        result->inbox_id = sqlite3_column_int64(stmt, 0);
        result->inbox_open = sqlite3_column_int(stmt, 1) != 0;
    } else {
        code = failed(store, "find an envelope", err);
    }
    (void)sqlite3_reset(stmt);
    return code;
}

static enum hm_code apply_inbox(struct hm_store *store, struct hm_batch *batch, const struct hm_op *op, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[INBOX_ADD];

    bind_text(stmt, 1, &op->text[0]);
    bind_text(stmt, 2, &op->text[1]);
    bind_number(stmt, 3, batch->wall_ms);
    bind_text(stmt, 4, &op->text[2]);
    enum hm_code code = run(store, INBOX_ADD, "store an envelope", err);
    if (code != HM_OK)
        return code;
    if (sqlite3_changes64(store->db) == 0)
        return find_inbox(store, op, &batch->result, err);

    batch->result.fresh = true;
    batch->result.inbox_open = true;
    batch->result.inbox_id = sqlite3_last_insert_rowid(store->db);
    bind_number(store->stmts[INBOX_OPEN], 1, batch->result.inbox_id);
    return run(store, INBOX_OPEN, "store an envelope", err);
}

static enum hm_code last_seq(struct hm_store *store, const struct hm_text *run_id, int64_t *ret_seq, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[LAST_SEQ];
    enum hm_code code = HM_OK;

    bind_text(stmt, 1, run_id);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret_seq = sqlite3_column_int64(stmt, 0); /* NULL reads as 0 */
    else
        code = failed(store, "find a run", err);
    (void)sqlite3_reset(stmt);
    return code;
}

static enum hm_code add_event(struct hm_store *store, const struct hm_op *op, int64_t wall_ms, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[EVENT_ADD];
    struct hm_chain_row row = {
        .id = store->head.id + 1,
        .seq = op->number,
        .wall_ms = wall_ms,
        .run_id = op->text[0].s,
        .run_id_len = op->text[0].len,
        .type = op->text[1].s,
        .type_len = op->text[1].len,
        .data = op->text[2].s,
        .data_len = op->text[2].len,
    };
    char hash[HM_SHA256_HEX];

    hm_chain_hash(store->chain, store->head.hash, &row, hash);
    bind_number(stmt, 1, row.id);
    bind_text(stmt, 2, &op->text[0]);
    bind_number(stmt, 3, row.seq);
    bind_text(stmt, 4, &op->text[1]);
    bind_number(stmt, 5, wall_ms);
    bind_text(stmt, 6, &op->text[2]);
    bind_text(stmt, 7, &(struct hm_text){hash, HM_SHA256_HEX - 1});
    enum hm_code code = run(store, EVENT_ADD, "append an event", err);
    if (code != HM_OK)
        return code;
    store->head.id = row.id;
    memcpy(store->head.hash, hash, sizeof hash);
    return HM_OK;
}

static enum hm_code apply_event(struct hm_store *store, const struct hm_op *op, int64_t wall_ms, struct hm_err *err)
{
    int64_t last = 0;
    enum hm_code code = last_seq(store, &op->text[0], &last, err);
    if (code != HM_OK)
        return code;
    if (op->number <= last)
        return hm_err_set(err, HM_ECONFLICT, "event %" PRId64 " of run %s is taken: the run is at %" PRId64 " already",
                          op->number, op->text[0].s, last);
    if (op->number > last + 1)
        return hm_err_set(err, HM_ECONFLICT, "event %" PRId64 " of run %s would leave a gap: the run is at %" PRId64, op->number,
                          op->text[0].s, last);
    code = add_event(store, op, wall_ms, err);
    if (code != HM_OK)
        return code;

    enum stmt_id touch = op->flag ? CASE_TOUCH : RUN_TOUCH;
    sqlite3_stmt *stmt = store->stmts[touch];
    bind_text(stmt, 1, &op->text[0]);
    bind_number(stmt, 2, wall_ms);
    bind_number(stmt, 3, op->number);
    return run(store, touch, "note an event", err);
}

static enum hm_code apply_run(struct hm_store *store, const struct hm_op *op, int64_t wall_ms, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[RUN_PUT];

    bind_text(stmt, 1, &op->text[0]);
    bind_text(stmt, 2, &op->text[1]);
    bind_text(stmt, 3, &op->text[2]);
    bind_number(stmt, 4, op->flag ? 1 : 0);
    bind_number(stmt, 5, wall_ms);
    return run(store, RUN_PUT, "note a run", err);
}

static enum hm_code apply_recipe_text(struct hm_store *store, const struct hm_op *op, int64_t wall_ms, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[RECIPE_ADD];

    bind_text(stmt, 1, &op->text[0]);
    bind_number(stmt, 2, wall_ms);
    bind_text(stmt, 3, &op->text[1]);
    return run(store, RECIPE_ADD, "store a recipe's text", err);
}

static enum hm_code apply_fact(struct hm_store *store, const struct hm_op *op, int64_t wall_ms, struct hm_err *err)
{
    enum stmt_id id = op->kind == HM_OP_CLAIM ? FACT_CLAIM : op->text[2].s == NULL ? FACT_UNSET : FACT_SET;
    sqlite3_stmt *stmt = store->stmts[id];

    bind_text(stmt, 1, &op->text[0]);
    bind_text(stmt, 2, &op->text[1]);
    if (id != FACT_UNSET) {
        bind_text(stmt, 3, &op->text[2]);
        bind_number(stmt, 4, wall_ms);
    }
    enum hm_code code = run(store, id, "remember a value", err);
    if (id == FACT_CLAIM && code == HM_EINVAL)
        return hm_err_set(err, HM_ECONFLICT, "%s \"%s\" is taken", op->text[0].s, op->text[1].s);
    return code;
}

static enum hm_code apply_prune(struct hm_store *store, struct hm_batch *batch, struct hm_err *err)
{
    enum hm_code code = run(store, INBOX_PRUNE, "forget old envelopes", err);
    if (code == HM_OK)
        batch->result.pruned = (unsigned)sqlite3_changes64(store->db);
    return code;
}

static enum hm_code apply_op(struct hm_store *store, struct hm_batch *batch, const struct hm_op *op, struct hm_err *err)
{
    switch (op->kind) {
    case HM_OP_INBOX:
        return apply_inbox(store, batch, op, err);
    case HM_OP_INBOX_DONE:
        bind_number(store->stmts[INBOX_DONE], 1, op->number);
        return run(store, INBOX_DONE, "settle an envelope", err);
    case HM_OP_INBOX_PRUNE:
        bind_number(store->stmts[INBOX_PRUNE], 1, op->number);
        bind_number(store->stmts[INBOX_PRUNE], 2, HM_PRUNED_AT_ONCE);
        return apply_prune(store, batch, err);
    case HM_OP_EVENT:
        return apply_event(store, op, op->at_ms != 0 ? op->at_ms : batch->wall_ms, err);
    case HM_OP_RUN:
        return apply_run(store, op, batch->wall_ms, err);
    case HM_OP_RECIPE_TEXT:
        return apply_recipe_text(store, op, batch->wall_ms, err);
    case HM_OP_SET:
    case HM_OP_CLAIM:
        return apply_fact(store, op, batch->wall_ms, err);
    case HM_OP_NR:
        break;
    }
    return hm_err_set(err, HM_EBUG, "unknown journal operation");
}

/* ---- groups --------------------------------------------------------------------------------------------------------- */

static enum hm_code read_head(struct hm_store *store, struct hm_err *err)
{
    sqlite3_stmt *stmt = store->stmts[HEAD];
    enum hm_code code = HM_OK;

    store->head.id = 0;
    memcpy(store->head.hash, hm_chain_start, sizeof store->head.hash);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        size_t len = 0;
        const char *hash = hm_sqlite_text(stmt, 1, &len);
        store->head.id = sqlite3_column_int64(stmt, 0);
        if (len == sizeof store->head.hash - 1)
            memcpy(store->head.hash, hash, len);
        else
            code =
                hm_err_set(err, HM_EIO, "the journal %s: its last hash is damaged: run `hausmeister audit verify`", store->path);
    } else if (rc != SQLITE_DONE) {
        code = failed(store, "read the last event", err);
    }
    (void)sqlite3_reset(stmt);
    return code;
}

/* Commits into a file that was removed or replaced would go nowhere, without any error. */
static enum hm_code check_same_file(const struct hm_store *store, struct hm_err *err)
{
    struct stat now;
    if (stat(store->path, &now) != 0)
        return hm_err_set(err, HM_EIO, "the journal %s is gone (%s): put it back or restart", store->path, strerror(errno));
    if (now.st_ino != store->file.st_ino || now.st_dev != store->file.st_dev)
        return hm_err_set(err, HM_EIO, "the journal %s was replaced by another file: restart", store->path);
    return HM_OK;
}

enum hm_code hm_store_begin(struct hm_store *store, struct hm_err *err)
{
    enum hm_code code = check_same_file(store, err);
    if (code == HM_OK)
        code = run(store, BEGIN, "begin", err);
    if (code == HM_OK)
        code = read_head(store, err);
    return code == HM_OK ? HM_OK : HM_EIO;
}

static enum hm_code undo_batch(struct hm_store *store, struct hm_err *err)
{
    enum hm_code code = run(store, BACK_TO_SAVEPOINT, "undo a batch", err);
    return code == HM_OK ? run(store, RELEASE, "undo a batch", err) : code;
}

enum hm_code hm_store_apply(struct hm_store *store, struct hm_batch *batch, struct hm_err *err)
{
    struct head head_before = store->head;
    struct hm_op op;
    size_t offset = 0;

    batch->result = (struct hm_put_result){.code = HM_OK, .error = "", .wall_ms = batch->wall_ms};
    enum hm_code code = batch->bare_inbox ? HM_OK : run(store, SAVEPOINT, "begin a batch", err);
    while (code == HM_OK && hm_batch_next_op(batch, &offset, &op))
        code = apply_op(store, batch, &op, err);
    if (batch->bare_inbox)
        return code;
    if (code == HM_OK)
        return run(store, RELEASE, "end a batch", err);
    if (code == HM_EIO)
        return code;
    store->head = head_before;
    struct hm_err undo_err;
    if (undo_batch(store, &undo_err) == HM_OK)
        return code;
    if (err != NULL)
        *err = undo_err;
    return HM_EIO;
}

enum hm_code hm_store_commit(struct hm_store *store, struct hm_err *err)
{
    return run(store, COMMIT, "commit", err) == HM_OK ? HM_OK : HM_EIO;
}

void hm_store_rollback(struct hm_store *store)
{
    if (sqlite3_get_autocommit(store->db) != 0)
        return; /* never begun, or SQLite has rolled back by itself (disk full does that) */
    (void)run(store, ROLLBACK, "roll back", NULL);
}

/* ---- the write-ahead log ----------------------------------------------------------------------------------------------- */

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct hm_store *store = arg;
    (void)db;
    (void)name;
    store->wal_pages = (uint64_t)pages;
    return SQLITE_OK;
}

void hm_store_checkpoint(struct hm_store *store)
{
    store->log_size = hm_log_file_extend(store->db, store->wal_pages, store->log_size);
    if (store->wal_pages < CHECKPOINT_PAGES) { /* the log is short, or began anew */
        store->next_kick = CHECKPOINT_PAGES;
        store->asked = false;
        return;
    }
    if (!store->asked && store->wal_pages >= store->next_kick) {
        hm_checkpointer_kick(store->checkpointer);
        store->asked = true;
        return;
    }
    if (!store->asked || hm_checkpointer_busy(store->checkpointer))
        return;
    /* Under a load that never pauses the checkpointer never catches the log's very end, and only then can the log begin anew. So
     * the writer moves what came meanwhile: that is little, and nothing is appended while it does. A reader that is still at an
     * old page keeps the log from beginning anew: the next try is CHECKPOINT_PAGES later. */
    (void)sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    store->next_kick = store->wal_pages + CHECKPOINT_PAGES;
    store->asked = false;
}

void hm_store_stats(struct hm_store *store, struct hm_store_stats *ret_stats)
{
    ret_stats->wal_pages = store->wal_pages;
    ret_stats->checkpoint_failures = hm_checkpointer_failures(store->checkpointer);
}

/* ---- open and close ----------------------------------------------------------------------------------------------------- */

/* Envelopes are not for everybody's eyes: 0600, which SQLite gives its other two files as well. */
static enum hm_code make_file(const char *path, struct hm_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return hm_err_set(err, HM_EENV, "cannot open the journal %s: %s: check its owner, its mode and the mount", path,
                          strerror(errno));
    (void)close(fd);
    return HM_OK;
}

static enum hm_code switch_to_wal(sqlite3 *db, struct hm_err *err)
{
    sqlite3_stmt *stmt = hm_sqlite_prepare(db, "PRAGMA journal_mode = WAL", 0, err);
    if (stmt == NULL)
        return HM_EENV;
    enum hm_code code = HM_OK;
    if (sqlite3_step(stmt) != SQLITE_ROW)
        code = hm_sqlite_err(db, HM_EENV, "open", err);
    else if (sqlite3_stricmp(hm_sqlite_text(stmt, 0, NULL), "wal") != 0)
        code = hm_err_set(err, HM_EENV, "the journal %s: no write-ahead log is possible there (a network file system?)",
                          sqlite3_db_filename(db, "main"));
    (void)sqlite3_finalize(stmt);
    return code;
}

static enum hm_code prepare_all(struct hm_store *store, struct hm_err *err)
{
    for (size_t i = 0; i < STMT_NR; i++) {
        store->stmts[i] = hm_sqlite_prepare(store->db, sql_of[i], SQLITE_PREPARE_PERSISTENT, err);
        if (store->stmts[i] == NULL)
            return HM_EENV;
    }
    return HM_OK;
}

static enum hm_code open_db(struct hm_store *store, int64_t wall_ms, struct hm_err *err)
{
    size_t version = 0;
    enum hm_code code = make_file(store->path, err);
    if (code == HM_OK)
        code = hm_sqlite_open(store->path, SQLITE_OPEN_READWRITE, &store->db, err);
    if (code != HM_OK)
        return code;
    code = hm_schema_check(store->db, hm_schema_version, &version, err); /* before anything is changed in a foreign file */
    if (code != HM_OK && code != HM_ENOTFOUND)
        return code;
    if (sqlite3_db_readonly(store->db, "main") != 0)
        return hm_err_set(err, HM_EENV, "the journal %s may not be written: check its owner, its mode and the mount",
                          store->path);
    code = switch_to_wal(store->db, err);
    if (code == HM_OK)
        code = hm_sqlite_exec(store->db,
                              "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;"
                              "PRAGMA recursive_triggers = ON",
                              HM_EENV, err);
    if (code == HM_OK)
        code = hm_schema_quick_check(store->db, err);
    if (code == HM_OK)
        code = hm_schema_migrate(store->db, hm_schema_steps, hm_schema_version, wall_ms, err);
    if (code == HM_OK)
        code = prepare_all(store, err);
    return code;
}

struct hm_store *hm_store_open(const char *path, int64_t wall_ms, struct hm_err *err)
{
    struct hm_store *store = hm_xcalloc(1, sizeof *store);
    store->path = hm_xstrdup(path);
    store->next_kick = CHECKPOINT_PAGES;
    store->chain = hm_chain_new();

    enum hm_code code = open_db(store, wall_ms, err);
    if (code == HM_OK && stat(path, &store->file) != 0)
        code = hm_err_set(err, HM_EENV, "cannot look at the journal %s: %s", path, strerror(errno));
    if (code == HM_OK) {
        (void)sqlite3_wal_hook(store->db, on_wal, store); /* also turns SQLite's own checkpoints off */
        store->checkpointer = hm_checkpointer_new(path, err);
        if (store->checkpointer != NULL)
            return store;
    }
    if (err != NULL)
        err->code = HM_EENV;
    hm_store_free(store);
    return NULL;
}

void hm_store_free(struct hm_store *store)
{
    if (store == NULL)
        return;
    hm_checkpointer_free(store->checkpointer);
    for (size_t i = 0; i < STMT_NR; i++)
        (void)sqlite3_finalize(store->stmts[i]);
    int rc = sqlite3_close(store->db);
    HM_ASSERT(rc == SQLITE_OK);
    hm_chain_free(store->chain);
    free(store->path);
    free(store);
}
