/* The journal on a bad day: disk full, failing disk, locked, removed, a second process, a file that is not right. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "unit/fault_vfs.h"
#include "unit/journal_fixture.h"
#include "unit/unit.h"

static int setup(void **state)
{
    struct jf *jf = hm_xcalloc(1, sizeof *jf);
    jf_init(jf);
    *state = jf;
    return 0;
}

static int teardown(void **state)
{
    struct jf *jf = *state;
    fault_vfs_set(FAULT_NONE, 0);
    if (jf->journal != NULL)
        jf_close(jf);
    jf_done(jf);
    free(jf);
    return 0;
}

static struct hm_journal_health health_of(struct jf *jf)
{
    struct hm_journal_health health;
    hm_journal_health(jf->journal, &health);
    return health;
}

static void expect_sound(struct jf *jf, int64_t rows)
{
    struct hm_audit audit;
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_audit(reader, &audit, NULL), HM_OK);
    assert_string_equal(audit.problem, "");
    assert_int_equal(audit.rows, rows);
    hm_journal_reader_free(reader);
}

static void expect_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* ---- disks ------------------------------------------------------------------------------------------------------------------
 */

enum { GROUP = 20 };

/* Puts one group of events of r-1 from `first` on, while the fault is on; returns what became of it, the same for each batch. */
static struct jf_result put_group(struct jf *jf, int64_t first, enum fault fault, int64_t countdown)
{
    struct jf_result held;
    struct jf_result r[GROUP];

    jf_hold(jf, &held);
    for (int64_t i = 0; i < GROUP; i++)
        jf_put(jf, jf_event("r-1", first + i, "a long enough name of a step to fill some pages of the log with"), &r[i]);
    jf_hold_next(jf);
    fault_vfs_set(fault, countdown);
    jf_let_go(jf);
    jf_wait(jf, &r[GROUP - 1]);
    fault_vfs_set(FAULT_NONE, 0);
    assert_int_equal(held.code, HM_OK);
    for (size_t i = 1; i < GROUP; i++) {
        assert_int_equal(r[i].code, r[0].code);
        assert_string_equal(r[i].error, r[0].error);
    }
    return r[0];
}

/* Fails each single write (or sync) of a group's commit in turn; the group is lost as a whole, the next one is well. */
static void sweep(struct jf *jf, enum fault fault, const char *sentence, int64_t at_least)
{
    int64_t next = 1;
    jf_open(jf);
    for (int64_t countdown = 0;; countdown++) {
        struct jf_result r = put_group(jf, next, fault, countdown);
        if (r.code == HM_OK) {
            next += GROUP;
            assert_true(countdown >= at_least);
            break;
        }
        assert_int_equal(r.code, HM_EIO);
        expect_has(r.error, sentence);
        assert_false(health_of(jf).ok);
        assert_string_equal(health_of(jf).error, r.error);

        assert_int_equal(jf_do(jf, jf_event("r-1", next++, "recovered")).code, HM_OK);
        assert_true(health_of(jf).ok);
        assert_string_equal(health_of(jf).error, "");
    }
    expect_sound(jf, next - 1);
    jf_close(jf);
    expect_sound(jf, next - 1);
}

static void a_full_disk_loses_the_group_only(void **state)
{
    sweep(*state, FAULT_DISK_FULL, "no space left on the device", 5);
}

static void a_failing_write_loses_the_group_only(void **state)
{
    sweep(*state, FAULT_WRITE, "the disk failed", 5);
}

static void a_failing_fsync_loses_the_group_only(void **state)
{
    sweep(*state, FAULT_SYNC, "the disk failed", 1);
}

static void a_lost_envelope_is_fresh_the_next_time(void **state)
{
    struct jf *jf = *state;
    jf_open(jf);
    fault_vfs_set(FAULT_DISK_FULL, 0);
    struct jf_result r = jf_do(jf, jf_inbox("env-1", "{}"));
    assert_int_equal(r.code, HM_EIO);
    assert_false(r.fresh);
    assert_int_equal(jf_do(jf, jf_inbox("env-1", "{}")).code, HM_EIO); /* and still */
    fault_vfs_set(FAULT_NONE, 0);
    r = jf_do(jf, jf_inbox("env-1", "{}"));
    assert_int_equal(r.code, HM_OK);
    assert_true(r.fresh);
}

static void a_failing_checkpoint_loses_nothing(void **state)
{
    struct jf *jf = *state;
    static char text[4000];
    int64_t rows = 0;

    memset(text, 'x', sizeof text - 1);
    jf_open(jf);
    fault_vfs_set(FAULT_CHECKPOINT, 0);
    while (health_of(jf).checkpoint_failures == 0) {
        char key[32];
        (void)snprintf(key, sizeof key, "env-%d", (int)rows++);
        assert_int_equal(jf_do(jf, jf_inbox(key, text)).code, HM_OK);
        assert_true(rows < 100000);
    }
    assert_true(health_of(jf).ok);
    jf_close(jf); /* can not move the log into the file either: it stays beside it */
    fault_vfs_set(FAULT_NONE, 0);
    jf_open(jf);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox"), rows);
}

/* A real limit of the system instead of the failing VFS, in a child process: it must not be killed by SIGXFSZ. */
static void over_the_file_size_limit(struct jf *jf)
{
    static char text[60000];
    struct rlimit limit;
    struct rlimit small;

    memset(text, 'x', sizeof text - 1);
    jf_open(jf);
    assert_int_equal(jf_do(jf, jf_inbox("small", "{}")).code, HM_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 131072;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct jf_result r = {.code = HM_OK};
    for (int i = 0; i < 10 && r.code == HM_OK; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "env-%d", i);
        r = jf_do(jf, jf_inbox(key, text));
    }
    assert_int_equal(r.code, HM_EIO);
    expect_has(r.error, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(jf_do(jf, jf_inbox("again", text)).code, HM_OK);
    jf_close(jf);
}

/* Runs fn in a child; its cmocka asserts end it with a status that is not 0. */
static int in_child(struct jf *jf, void (*fn)(struct jf *jf))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fn(jf);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_file_size_limit_is_a_full_disk(void **state)
{
    assert_int_equal(in_child(*state, over_the_file_size_limit), 0);
}

/* ---- other people's hands ----------------------------------------------------------------------------------------------------
 */

static void a_locked_file_is_said_and_survived(void **state)
{
    struct jf *jf = *state;
    struct jf_result r[3];

    jf_open(jf);
    sqlite3 *other = jf_sqlite(jf);
    jf_sql(other, "BEGIN IMMEDIATE");
    for (int64_t i = 0; i < 3; i++)
        jf_put(jf, jf_event("r-1", i + 1, "a"), &r[i]);
    jf_wait(jf, &r[2]);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(r[i].code, HM_EIO);
        expect_has(r[i].error, "locked by another program");
    }
    assert_false(health_of(jf).ok);
    jf_sql(other, "ROLLBACK");
    (void)sqlite3_close(other);
    assert_int_equal(jf_do(jf, jf_event("r-1", 1, "a")).code, HM_OK);
    assert_true(health_of(jf).ok);
    expect_sound(jf, 1);
}

static void a_removed_file_is_noticed(void **state)
{
    struct jf *jf = *state;
    char *away = hm_xasprintf("%s.away", jf->path);

    jf_open(jf);
    assert_int_equal(rename(jf->path, away), 0);
    struct jf_result r = jf_do(jf, jf_event("r-1", 1, "a"));
    assert_int_equal(r.code, HM_EIO);
    expect_has(r.error, "is gone");

    int fd = open(jf->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    r = jf_do(jf, jf_event("r-1", 1, "a"));
    assert_int_equal(r.code, HM_EIO);
    expect_has(r.error, "replaced by another file");

    assert_int_equal(rename(away, jf->path), 0);
    assert_int_equal(jf_do(jf, jf_event("r-1", 1, "a")).code, HM_OK);
    free(away);
    expect_sound(jf, 1);
}

static void nobody_else_writes_history(void **state)
{
    static const char *const attempts[] = {
        "UPDATE events SET data = '{}'",
        "DELETE FROM events",
        "REPLACE INTO events (id, run_id, seq, type, wall_ms, data, hash) SELECT id, run_id, seq, type, 1, data, hash FROM "
        "events",
        "INSERT OR REPLACE INTO events (id, run_id, seq, type, wall_ms, data, hash) SELECT 9, run_id, seq, type, 1, data, hash "
        "FROM events",
        "INSERT INTO events (id, run_id, seq, type, wall_ms, data, hash) SELECT 2, run_id, 3, type, 1, data, hash FROM events",
        "INSERT INTO events (id, run_id, seq, type, wall_ms, data, hash) SELECT 2, run_id, 2, type, 'now', data, hash FROM "
        "events",
        "UPDATE recipes SET text = ''",
        "DELETE FROM recipes",
        "UPDATE runs SET open = 2",
    };
    struct jf *jf = *state;
    struct hm_batch *batch = jf_event("r-1", 1, "a");
    hm_batch_recipe_text(batch, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "x");
    jf_open(jf);
    assert_int_equal(jf_do(jf, batch).code, HM_OK);
    sqlite3 *other = jf_sqlite(jf);
    for (size_t i = 0; i < HM_ARRAY_LEN(attempts); i++) {
        if ((sqlite3_exec(other, attempts[i], NULL, NULL, NULL) & 0xff) != SQLITE_CONSTRAINT)
            fail_msg("%s: %s", attempts[i], sqlite3_errmsg(other));
    }
    (void)sqlite3_close(other);
    expect_sound(jf, 1);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------
 */

static void expect_no_open(struct jf *jf, const char *sentence)
{
    struct hm_err err = {0};
    assert_false(jf_try_open(jf, &err));
    assert_int_equal(err.code, HM_EENV);
    expect_has(err.msg, sentence);
}

static void a_second_hausmeister_is_turned_away(void **state)
{
    struct jf *jf = *state;
    int up[2];
    int down[2];
    char byte = 0;
    int status = 0;

    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        jf_open(jf);
        (void)!write(up[1], "o", 1);
        (void)!read(down[0], &byte, 1); /* until killed */
        _exit(0);
    }
    assert_int_equal(read(up[0], &byte, 1), 1);
    char *sentence = hm_xasprintf("is used by another hausmeister (pid %d)", (int)pid);
    expect_no_open(jf, sentence);
    free(sentence);

    assert_int_equal(kill(pid, SIGKILL), 0); /* a dead one holds nothing */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    jf_open(jf);
    for (int i = 0; i < 2; i++) {
        (void)close(up[i]);
        (void)close(down[i]);
    }
    struct jf second = *jf; /* the same process is no better */
    second.journal = NULL;
    expect_no_open(&second, "is used by another hausmeister");
}

static void set_path(struct jf *jf, const char *path)
{
    free(jf->path);
    jf->path = hm_xstrdup(path);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void a_wrong_place_is_explained(void **state)
{
    struct jf *jf = *state;
    char *path = hm_xstrdup(jf->path);

    set_path(jf, "/nonexistent/hm/bot.db");
    expect_no_open(jf, "the journal's folder /nonexistent/hm does not exist: make it, or set journal.path");
    set_path(jf, "/dev/null/bot.db");
    expect_no_open(jf, "/dev/null is not a folder");
    set_path(jf, path);

    static const char prose[] = "This is a text that somebody put here, long enough to be taken for a database's first page, "
                                "which begins with sixteen bytes that this one does not have.";
    write_file(path, prose, sizeof prose);
    expect_no_open(jf, "is not a journal");
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void somebody_elses_database_is_left_alone(void **state)
{
    struct jf *jf = *state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(jf->path, &db), SQLITE_OK);
    jf_sql(db, "CREATE TABLE customers (name)");
    (void)sqlite3_close(db);
    expect_no_open(jf, "belongs to another program");
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM sqlite_schema"), 1);

    struct hm_err err = {0};
    assert_null(hm_journal_reader_open(jf->path, &err));
    assert_int_equal(err.code, HM_EENV);
    assert_null(hm_journal_reader_open("/nonexistent/bot.db", &err));
    assert_int_equal(err.code, HM_EENV);
    expect_has(err.msg, "No such file");
}

static void as_nobody(struct jf *jf)
{
    if (geteuid() == 0 && setuid(65534) != 0)
        _exit(2);
    expect_no_open(jf, "cannot write in the journal's folder");
}

static void file_as_nobody(struct jf *jf)
{
    if (geteuid() == 0 && setuid(65534) != 0)
        _exit(2);
    expect_no_open(jf, "check its owner, its mode and the mount");
}

static void a_read_only_place_is_explained(void **state)
{
    struct jf *jf = *state;
    char *lock = hm_xasprintf("%s.lock", jf->path);

    assert_int_equal(chmod(jf->dir, 0555), 0);
    assert_int_equal(in_child(jf, as_nobody), 0);
    assert_int_equal(chmod(jf->dir, 0755), 0);

    jf_open(jf);
    jf_close(jf);
    assert_int_equal(chmod(jf->dir, 0777), 0);
    assert_int_equal(chmod(lock, 0666), 0);
    assert_int_equal(chmod(jf->path, 0444), 0);
    assert_int_equal(in_child(jf, file_as_nobody), 0);
    assert_int_equal(chmod(jf->path, 0600), 0);
    free(lock);
}

static void a_damaged_file_is_refused(void **state)
{
    struct jf *jf = *state;
    static char text[3000];
    static const char rubbish[4096] = "rubbish";

    memset(text, 'x', sizeof text - 1);
    jf_open(jf);
    for (int i = 0; i < 50; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "env-%d", i);
        assert_int_equal(jf_do(jf, jf_inbox(key, text)).code, HM_OK);
    }
    jf_close(jf);
    int64_t root = jf_number(jf, "SELECT rootpage FROM sqlite_schema WHERE name = 'inbox'");
    int fd = open(jf->path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, (root - 1) * 4096), sizeof rubbish);
    (void)close(fd);
    expect_no_open(jf, "damaged");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_disk_loses_the_group_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_write_loses_the_group_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_fsync_loses_the_group_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_envelope_is_fresh_the_next_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_checkpoint_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_size_limit_is_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_locked_file_is_said_and_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(a_removed_file_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_else_writes_history, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_hausmeister_is_turned_away, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_place_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_elses_database_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_read_only_place_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_refused, setup, teardown),
    };
    fault_vfs_install();
    return cmocka_run_group_tests_name("journal faults", tests, NULL, NULL);
}
