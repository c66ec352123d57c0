/* The file of the journal's log: how long it is made and when, and that what is behind the log's end counts for nothing. */
#include "journal/log_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "unit/journal_fixture.h"
#include "unit/unit.h"

static void the_logs_file_is_made_longer_in_steps(void **state)
{
    const uint64_t kb = 1024, mb = 1048576;
    const struct {
        const char *what;
        uint64_t used, size, want;
    } table[] = {
        {"nothing yet", 0, 0, 0},
        {"a quiet bot's", 200 * kb, 200 * kb, 200 * kb},
        {"it is used", 300 * kb, 300 * kb, 4 * mb},
        {"room enough", 3 * mb, 4 * mb, 4 * mb},
        {"near its end", 4 * mb - 200 * kb, 4 * mb, 6 * mb},
        {"at its end", 4 * mb, 4 * mb, 8 * mb},
        {"began anew", 32, 18 * mb, 18 * mb},
        {"shorter than what is in it", 5 * mb, 4 * mb, 8 * mb},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        if (hm_log_file_size(table[i].used, table[i].size) != table[i].want)
            fail_msg("%s: %" PRIu64, table[i].what, hm_log_file_size(table[i].used, table[i].size));
    }
}

/* Its frames lie where our zeros would go. */
static void a_log_that_another_program_writes_is_left_alone(void **state)
{
    enum { PAGES = 100, WANTED = 4 * 1024 * 1024 };
    struct jf *jf = *state;
    struct stat st;
    char *path = hm_xasprintf("%s-other", jf->path);
    char *wal = hm_xasprintf("%s-wal", path);
    sqlite3 *ours = NULL;
    sqlite3 *other = NULL;

    assert_int_equal(sqlite3_open(path, &ours), SQLITE_OK);
    assert_int_equal(sqlite3_exec(ours, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(stat(wal, &st), 0);
    off_t size = st.st_size;
    assert_int_equal(hm_log_file_extend(ours, PAGES, 0), 0);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, size);

    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(hm_log_file_extend(ours, PAGES, 0), WANTED);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, WANTED);
    assert_int_equal(sqlite3_exec(other, "INSERT INTO t VALUES (1)", NULL, NULL, NULL), SQLITE_OK); /* we hold nothing */
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(sqlite3_close(ours), SQLITE_OK);
    free(wal);
    free(path);
}

static void copy_file(const char *from, const char *to)
{
    static char buf[1024 * 1024];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    size_t n = 0;
    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(buf, 1, sizeof buf, in)) > 0)
        assert_int_equal(fwrite(buf, 1, n, out), n);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

/* As after a kill: the zeros behind the log's end are no part of it. */
static void a_log_is_read_to_its_end_and_no_further(void **state)
{
    struct jf *jf = *state;
    struct jf copy = {0};
    struct stat st;
    static char text[4000];
    enum { ROWS = 300 };

    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < ROWS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "env-%d", i);
        assert_int_equal(jf_do(jf, jf_inbox(key, text)).code, HM_OK);
    }
    (void)jf_do(jf, jf_event("r-1", 1, "a")); /* the file was made longer before this began */
    char *wal = hm_xasprintf("%s-wal", jf->path);
    char *path = hm_xasprintf("%s-copy", jf->path);
    char *wal_copy = hm_xasprintf("%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size % (1024L * 1024), 0);
    copy_file(jf->path, path);
    copy_file(wal, wal_copy);
    copy.path = path;
    assert_int_equal(jf_number(&copy, "SELECT count(*) FROM inbox"), ROWS);
    assert_int_equal(jf_number(&copy, "SELECT count(*) FROM events"), 1);
    free(wal_copy);
    free(path);
    free(wal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_logs_file_is_made_longer_in_steps),
        cmocka_unit_test_setup_teardown(a_log_that_another_program_writes_is_left_alone, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_log_is_read_to_its_end_and_no_further, jf_set_up, jf_tear_down),
    };
    return cmocka_run_group_tests_name("journal_log", tests, NULL, NULL);
}
