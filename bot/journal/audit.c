/* Auditing the journal: recomputes the hash chain over every event row (journal.h, chain.h).
 *
 * What it finds: a changed byte in any column, a row that was removed, added, moved or swapped: the first row that does not fit
 * is named. A chain can not see that its end was cut off; the tables of runs and cases can, as they count the events of each, so
 * that is compared too. Against somebody who rewrites everything from some row on, only a head that was posted elsewhere helps.
 */
#include "journal/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "journal/chain.h"
#include "journal/sqlite.h"

struct walk {
    struct hm_chain *chain;
    struct hm_audit *audit;
};

static void report(struct hm_audit *audit, int64_t id, const char *problem)
{
    audit->broken_at = id;
    (void)snprintf(audit->problem, sizeof audit->problem, "%s", problem);
}

/* Checks the row that stmt stands on against the chain so far; false when it does not fit. */
static bool check_row(struct walk *walk, sqlite3_stmt *stmt)
{
    struct hm_audit *audit = walk->audit;
    int64_t expected_id = (int64_t)audit->rows + 1;
    struct hm_chain_row row = {
        .id = sqlite3_column_int64(stmt, 0),
        .seq = sqlite3_column_int64(stmt, 2),
        .wall_ms = sqlite3_column_int64(stmt, 5),
    };
    size_t hash_len = 0;
    char hash[HM_SHA256_HEX];

    row.run_id = hm_sqlite_text(stmt, 1, &row.run_id_len);
    row.type = hm_sqlite_text(stmt, 3, &row.type_len);
    row.data = hm_sqlite_text(stmt, 4, &row.data_len);
    const char *stored = hm_sqlite_text(stmt, 6, &hash_len);
    if (row.id != expected_id) {
        report(audit, expected_id, "this row is missing");
        return false;
    }
    hm_chain_hash(walk->chain, audit->head, &row, hash);
    if (hash_len != strlen(hash) || memcmp(stored, hash, hash_len) != 0) {
        report(audit, row.id, "this row, or the place of the one before it, was changed after it was written");
        return false;
    }
    memcpy(audit->head, hash, sizeof hash);
    audit->rows++;
    return true;
}

static enum hm_code walk_events(struct hm_journal_reader *reader, struct walk *walk, struct hm_err *err)
{
    sqlite3_stmt *stmt =
        hm_sqlite_prepare(reader->db, "SELECT id, run_id, seq, type, data, wall_ms, hash FROM events ORDER BY id", 0, err);
    if (stmt == NULL)
        return HM_EIO;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (!check_row(walk, stmt))
            break;
    }
    enum hm_code code = rc == SQLITE_ROW || rc == SQLITE_DONE ? HM_OK : hm_sqlite_err(reader->db, HM_EIO, "audit", err);
    (void)sqlite3_finalize(stmt);
    return code;
}

/* The rows are in order; are they all there, by what the tables of runs and cases say? */
static enum hm_code count_events(struct hm_journal_reader *reader, struct hm_audit *audit, struct hm_err *err)
{
    int64_t counted = 0;
    enum hm_code code = hm_sqlite_number(
        reader->db, "SELECT (SELECT coalesce(sum(events), 0) FROM runs) + (SELECT coalesce(sum(events), 0) FROM cases)", &counted,
        err);
    if (code != HM_OK || counted == (int64_t)audit->rows)
        return code;
    char problem[128];
    (void)snprintf(problem, sizeof problem, "the tables of runs and cases count %" PRId64 " events, the chain has %" PRIu64,
                   counted, audit->rows);
    report(audit, (int64_t)audit->rows + 1, problem);
    return HM_OK;
}

enum hm_code hm_journal_audit(struct hm_journal_reader *reader, struct hm_audit *ret_audit, struct hm_err *err)
{
    struct walk walk = {.audit = ret_audit};

    memset(ret_audit, 0, sizeof *ret_audit);
    memcpy(ret_audit->head, hm_chain_start, sizeof ret_audit->head);
    enum hm_code code = hm_sqlite_exec(reader->db, "BEGIN", HM_EIO, err); /* one state for both looks, while the bot writes */
    if (code != HM_OK)
        return code;
    walk.chain = hm_chain_new();
    code = walk_events(reader, &walk, err);
    if (code == HM_OK && ret_audit->broken_at == 0)
        code = count_events(reader, ret_audit, err);
    hm_chain_free(walk.chain);
    if (sqlite3_get_autocommit(reader->db) == 0)
        (void)sqlite3_exec(reader->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}
