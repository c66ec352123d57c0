/* Versions of the file: made, brought up to date step by step, refused when newer, untouched when a step fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "journal/schema.h"
#include "unit/journal_fixture.h"
#include "unit/unit.h"

static const char *const made_up[] = {
    "CREATE TABLE one (a INTEGER) STRICT; INSERT INTO one VALUES (1)",
    "ALTER TABLE one ADD COLUMN b TEXT; UPDATE one SET b = 'was ' || a",
    "CREATE TABLE three (c INTEGER) STRICT; INSERT INTO nowhere VALUES (1)", /* fails in its second half */
};

static int setup(void **state)
{
    struct jf *jf = hm_xcalloc(1, sizeof *jf);
    jf_init(jf);
    sqlite3 *db = NULL; /* an empty file */
    assert_int_equal(sqlite3_open(jf->path, &db), SQLITE_OK);
    (void)sqlite3_close(db);
    *state = jf;
    return 0;
}

static int teardown(void **state)
{
    struct jf *jf = *state;
    jf_done(jf);
    free(jf);
    return 0;
}

static enum hm_code migrate(struct jf *jf, const char *const *steps, size_t version, struct hm_err *err)
{
    sqlite3 *db = jf_sqlite(jf);
    enum hm_code code = hm_schema_migrate(db, steps, version, 1000, err);
    assert_int_not_equal(sqlite3_get_autocommit(db), 0);
    (void)sqlite3_close(db);
    return code;
}

static void an_empty_file_gets_all_steps(void **state)
{
    struct jf *jf = *state;
    struct hm_err err = {0};
    assert_int_equal(migrate(jf, made_up, 2, &err), HM_OK);
    assert_string_equal(err.msg, "");
    assert_int_equal(jf_number(jf, "PRAGMA user_version"), 2);
    assert_int_equal(jf_number(jf, "PRAGMA application_id"), HM_SCHEMA_APPLICATION_ID);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM one WHERE b = 'was 1'"), 1);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM migrations WHERE wall_ms = 1000"), 2);
}

static void an_older_file_gets_the_missing_steps(void **state)
{
    struct jf *jf = *state;
    assert_int_equal(migrate(jf, made_up, 1, NULL), HM_OK);
    jf_tamper(jf, "INSERT INTO one VALUES (7)");
    assert_int_equal(migrate(jf, made_up, 2, NULL), HM_OK);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM one WHERE b = 'was 7'"), 1);
    assert_int_equal(jf_number(jf, "SELECT group_concat(version) = '1,2' FROM migrations"), 1);
    assert_int_equal(migrate(jf, made_up, 2, NULL), HM_OK); /* nothing to do */
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM migrations"), 2);
}

static void a_marked_file_without_tables_is_version_0(void **state)
{
    struct jf *jf = *state;
    char *sql = hm_xasprintf("PRAGMA application_id = %d", (int)HM_SCHEMA_APPLICATION_ID);
    jf_tamper(jf, sql);
    free(sql);
    jf_open(jf);
    assert_int_equal(jf_do(jf, jf_event("r-1", 1, "s")).code, HM_OK);
    jf_close(jf);
    assert_int_equal(jf_number(jf, "PRAGMA user_version"), (int64_t)hm_schema_version);
}

static void a_step_that_fails_leaves_the_file_as_it_was(void **state)
{
    struct jf *jf = *state;
    struct hm_err err = {0};
    assert_int_equal(migrate(jf, made_up, 3, &err), HM_EENV);
    assert_non_null(strstr(err.msg, "bring the journal to version 3: "));
    assert_non_null(strstr(err.msg, "no such table: nowhere"));
    assert_int_equal(jf_number(jf, "PRAGMA user_version"), 2); /* the two good ones stand */
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM sqlite_schema WHERE name = 'three'"), 0);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM migrations"), 2);
}

static void a_newer_file_is_refused(void **state)
{
    struct jf *jf = *state;
    struct hm_err err = {0};
    jf_open(jf);
    assert_int_equal(jf_do(jf, jf_event("r-1", 1, "s")).code, HM_OK);
    jf_close(jf);
    char *sql = hm_xasprintf("PRAGMA user_version = %zu", hm_schema_version + 1);
    jf_tamper(jf, sql);
    free(sql);

    assert_false(jf_try_open(jf, &err));
    assert_int_equal(err.code, HM_EENV);
    assert_non_null(strstr(err.msg, "use the newer program"));
    assert_null(hm_journal_reader_open(jf->path, &err));
    assert_int_equal(err.code, HM_EENV);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM events"), 1);
}

static void a_reader_does_not_migrate(void **state)
{
    struct jf *jf = *state;
    struct hm_err err = {0};
    assert_null(hm_journal_reader_open(jf->path, &err));
    assert_int_equal(err.code, HM_EENV);
    assert_non_null(strstr(err.msg, "has version 0"));
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM sqlite_schema"), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_file_gets_all_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(an_older_file_gets_the_missing_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(a_marked_file_without_tables_is_version_0, setup, teardown),
        cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_the_file_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_does_not_migrate, setup, teardown),
    };
    return cmocka_run_group_tests_name("journal schema", tests, NULL, NULL);
}
