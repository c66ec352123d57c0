/* The hash chain: every kind of tampering with the events is found and the first row that does not fit is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "journal/chain.h"
#include "unit/journal_fixture.h"
#include "unit/unit.h"

enum { ROWS = 9 };

static int setup(void **state)
{
    struct jf *jf = hm_xcalloc(1, sizeof *jf);
    jf_init(jf);
    jf_open(jf);
    for (int64_t i = 0; i < ROWS; i++)
        assert_int_equal(jf_do(jf, jf_event(i % 3 == 0 ? "r-1" : "r-2", i % 3 == 0 ? i / 3 + 1 : i - i / 3, "s")).code, HM_OK);
    jf_close(jf);
    *state = jf;
    return 0;
}

static struct hm_audit audit_of(struct jf *jf)
{
    struct hm_audit audit;
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_audit(reader, &audit, NULL), HM_OK);
    hm_journal_reader_free(reader);
    return audit;
}

/* The formula of chain.h written out by hand once more. */
static void the_hash_is_what_the_header_says(void **state)
{
    static const char bytes[] = "\0\0\0\0\0\0\0\x40"
                                "0000000000000000000000000000000000000000000000000000000000000000"
                                "\0\0\0\0\0\0\0\x01"
                                "1"
                                "\0\0\0\0\0\0\0\x03"
                                "r-1"
                                "\0\0\0\0\0\0\0\x02"
                                "12"
                                "\0\0\0\0\0\0\0\x01"
                                "t"
                                "\0\0\0\0\0\0\0\x02"
                                "{}"
                                "\0\0\0\0\0\0\0\x02"
                                "-7";
    struct hm_chain_row row = {.id = 1, .seq = 12, .wall_ms = -7, .run_id = "r-1", .run_id_len = 3};
    char expected[HM_SHA256_HEX];
    char hash[HM_SHA256_HEX];

    (void)state;
    row.type = "t";
    row.type_len = 1;
    row.data = "{}";
    row.data_len = 2;
    hm_sha256_hex(bytes, sizeof bytes - 1, expected);
    struct hm_chain *chain = hm_chain_new();
    for (int i = 0; i < 2; i++) { /* nothing of the first is left in the second */
        hm_chain_hash(chain, hm_chain_start, &row, hash);
        assert_string_equal(hash, expected);
    }
    hm_chain_free(chain);
    hm_chain_free(NULL);
}

static void an_honest_chain_fits(void **state)
{
    struct jf *jf = *state;
    struct hm_audit audit = audit_of(jf);
    assert_int_equal(audit.rows, ROWS);
    assert_int_equal(audit.broken_at, 0);
    assert_string_equal(audit.problem, "");

    sqlite3 *db = jf_sqlite(jf);
    char *sql = hm_xasprintf("SELECT 1 / (hash = '%s') FROM events WHERE id = %d", audit.head, (int)ROWS);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 1);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    free(sql);

    jf_open(jf); /* and goes on over a restart */
    assert_int_equal(jf_do(jf, jf_event("r-3", 1, "s")).code, HM_OK);
    struct hm_audit longer = audit_of(jf);
    assert_int_equal(longer.rows, ROWS + 1);
    assert_int_equal(longer.broken_at, 0);
    assert_string_not_equal(longer.head, audit.head);
}

static void an_empty_chain_fits(void **state)
{
    struct jf jf;
    (void)state;
    jf_init(&jf);
    jf_open(&jf);
    struct hm_audit audit = audit_of(&jf);
    assert_int_equal(audit.rows, 0);
    assert_int_equal(audit.broken_at, 0);
    assert_string_equal(audit.head, hm_chain_start);
    jf_close(&jf);
    jf_done(&jf);
}

static void tampering_is_found(void **state)
{
    static const struct {
        const char *sql;
        int broken_at;
    } cases[] = {
        /* one byte or one step in each column */
        {"UPDATE events SET run_id = 'r-9' WHERE id = 4", 4},
        {"UPDATE events SET seq = 99 WHERE id = 4", 4},
        {"UPDATE events SET type = 'step.dond' WHERE id = 4", 4},
        {"UPDATE events SET wall_ms = wall_ms + 1 WHERE id = 4", 4},
        {"UPDATE events SET data = replace(data, 's\"}', 't\"}') WHERE id = 4", 4},
        {"UPDATE events SET data = data || ' ' WHERE id = 4", 4},
        {"UPDATE events SET data = data || char(0) || 'behind a NUL' WHERE id = 4", 4},
        {"UPDATE events SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE id = 4", 4},
        {"UPDATE events SET hash = upper(hash) || '' WHERE id = 4 AND hash <> upper(hash)", 4},
        {"UPDATE events SET data = '{}' WHERE id = 1", 1},
        {"UPDATE events SET data = '{}' WHERE id = 9", 9},
        /* a byte moved over the border between two columns */
        {"UPDATE events SET run_id = run_id || 's', type = substr(type, 2) WHERE id = 4", 4},
        /* rows removed: the first, one in the middle, the last ones */
        {"DELETE FROM events WHERE id = 1", 1},
        {"DELETE FROM events WHERE id = 4", 4},
        {"DELETE FROM events WHERE id = 9", 9},
        {"DELETE FROM events WHERE id > 5", 6},
        {"DELETE FROM events", 1},
        /* removed, and the gap closed */
        {"DELETE FROM events WHERE id = 4; UPDATE events SET id = id - 1 WHERE id > 4", 4},
        /* swapped */
        {"UPDATE events SET id = 99 WHERE id = 4; UPDATE events SET id = 4 WHERE id = 5; UPDATE events SET id = 5 WHERE id = 99",
         4},
        /* two rows exchange their contents and keep their places and hashes */
        {"UPDATE events SET seq = 77 WHERE id = 4; UPDATE events SET seq = 2, run_id = 'r-1' WHERE id = 5;"
         "UPDATE events SET seq = 3, run_id = 'r-2' WHERE id = 4",
         4},
        /* one added in the middle */
        {"UPDATE events SET id = -id - 1 WHERE id > 3; UPDATE events SET id = -id WHERE id < 0;"
         "INSERT INTO events SELECT 4, 'r-7', 1, type, wall_ms, data, hash FROM events WHERE id = 3",
         4},
        /* one added at the end */
        {"INSERT INTO events SELECT 10, 'r-7', 1, type, wall_ms, data, hash FROM events WHERE id = 3", 10},
        /* its id made negative, to hide it from whoever starts at 1 */
        {"UPDATE events SET id = -1 WHERE id = 9", 1},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        void *fresh = NULL;
        (void)setup(&fresh);
        struct jf *jf = fresh;
        sqlite3 *db = jf_sqlite(jf);
        jf_sql(db, "DROP TRIGGER events_follow; DROP TRIGGER events_stay; DROP TRIGGER events_remain");
        jf_sql(db, cases[i].sql);
        if (sqlite3_total_changes(db) == 0)
            fail_msg("case %zu changes nothing", i);
        (void)sqlite3_close(db);
        struct hm_audit audit = audit_of(jf);
        if (audit.broken_at != cases[i].broken_at)
            fail_msg("%s: found at %d, not at %d", cases[i].sql, (int)audit.broken_at, cases[i].broken_at);
        assert_string_not_equal(audit.problem, "");
        (void)jf_tear_down(&fresh);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_what_the_header_says),
        cmocka_unit_test_setup_teardown(an_honest_chain_fits, setup, jf_tear_down),
        cmocka_unit_test(an_empty_chain_fits),
        cmocka_unit_test(tampering_is_found),
    };
    return cmocka_run_group_tests_name("journal chain", tests, NULL, NULL);
}
