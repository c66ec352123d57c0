/* kill -9 around and inside commits. A child process lives a small story and is killed at one point; then its journal must hold
 * exactly the committed prefix, with all that was acknowledged, each batch whole. Every point is tried. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "unit/fault_vfs.h"
#include "unit/journal_fixture.h"
#include "unit/unit.h"

enum { STEPS = 8 };

struct story {
    struct jf *jf;
    bool at_once;     /* all steps put together; else each after the one before */
    const char *when; /* "before" or "after", NULL = not there */
    uint64_t commit;
    int64_t kill_at_write; /* -1 = not there */
    int acks;              /* pipe: one byte per callback with HM_OK */
    int64_t acked;
};

/* One step: an event, an envelope and a counter, which must stay together. */
static struct hm_batch *make_step(int64_t n)
{
    struct hm_batch *batch = jf_event("r-1", n, "s");
    char key[32];
    (void)snprintf(key, sizeof key, "env-%d", (int)n);
    hm_batch_inbox(batch, key, "slash_commands", "{}", 2);
    hm_batch_set(batch, "test", "steps", json_integer(n));
    return batch;
}

static void on_crash_point(void *arg, const char *when, uint64_t commit)
{
    const struct story *story = arg;
    if (story->when != NULL && strcmp(story->when, when) == 0 && story->commit == commit)
        (void)raise(SIGKILL);
}

static void on_step(void *arg, const struct hm_put_result *result)
{
    struct story *story = arg;
    story->acked++;
    if (result->code != HM_OK || write(story->acks, "a", 1) != 1)
        _exit(3);
}

static _Noreturn void live(struct story *story)
{
    struct jf *jf = story->jf;
    struct hm_journal_opts opts = {
        .path = jf->path,
        .clock = hm_clock_real(),
        .crash_point = on_crash_point,
        .crash_arg = story,
    };
    jf->journal = hm_journal_open(&jf->loop, &opts, NULL);
    if (jf->journal == NULL)
        _exit(4);
    if (story->kill_at_write >= 0)
        fault_vfs_set(FAULT_KILL, story->kill_at_write);
    for (int64_t n = 1; n <= STEPS; n++) {
        hm_journal_put(jf->journal, make_step(n), on_step, story);
        while (!story->at_once && story->acked < n)
            (void)uv_run(&jf->loop, UV_RUN_ONCE);
    }
    jf_close(jf);
    _exit(0);
}

/* Lives the story in a child. Returns true when it was killed; ret_acks: how many steps were acknowledged. */
static bool live_in_child(struct story *story, int64_t *ret_acks)
{
    int ends[2];
    int status = 0;
    char byte = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        story->acks = ends[1];
        live(story);
    }
    (void)close(ends[1]);
    *ret_acks = 0;
    while (read(ends[0], &byte, 1) == 1)
        (*ret_acks)++;
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(status, 0);
    return false;
}

/* What the journal holds after a restart: how many steps, each of them whole. */
static int64_t steps_after_restart(struct jf *jf)
{
    struct hm_audit audit;
    jf_open(jf);
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_audit(reader, &audit, NULL), HM_OK);
    assert_string_equal(audit.problem, "");
    hm_journal_reader_free(reader);
    int64_t steps = (int64_t)audit.rows;
    assert_int_equal(jf_number(jf, "SELECT coalesce(max(seq), 0) FROM events"), steps);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox"), steps);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox_open"), steps);
    assert_int_equal(jf_number(jf, "SELECT coalesce(max(value), 0) FROM facts WHERE key = 'steps'"), steps);
    assert_int_equal(jf_number(jf, "SELECT coalesce(max(events), 0) FROM runs"), steps);
    if (steps < STEPS) /* and life goes on */
        assert_int_equal(jf_do(jf, make_step(steps + 1)).code, HM_OK);
    jf_close(jf);
    return steps;
}

static void each_commit(bool at_once)
{
    static const char *const whens[] = {"before", "after"};

    for (size_t w = 0; w < HM_ARRAY_LEN(whens); w++) {
        bool killed = true;
        int points = 0;
        for (uint64_t commit = 1; killed; commit++) {
            struct jf jf;
            jf_init(&jf);
            struct story story = {.jf = &jf, .at_once = at_once, .when = whens[w], .commit = commit, .kill_at_write = -1};
            int64_t acks = 0;
            killed = live_in_child(&story, &acks);
            int64_t steps = steps_after_restart(&jf);
            assert_true(acks <= steps);
            if (!killed) {
                assert_int_equal(acks, STEPS);
                assert_int_equal(steps, STEPS);
            } else if (!at_once) {
                assert_int_equal(acks, commit - 1);
                assert_int_equal(steps, whens[w][0] == 'b' ? commit - 1 : commit);
            }
            points += killed ? 1 : 0;
            jf_done(&jf);
        }
        assert_true(at_once ? points >= 1 : points == STEPS);
    }
}

static void killed_around_each_commit(void **state)
{
    (void)state;
    each_commit(false);
}

static void killed_around_each_commit_of_a_burst(void **state)
{
    (void)state;
    each_commit(true);
}

static void killed_at_each_write_of_a_commit(void **state)
{
    bool killed = true;
    int points = 0;

    (void)state;
    for (int64_t at = 0; killed; at++) {
        struct jf jf;
        jf_init(&jf);
        struct story story = {.jf = &jf, .kill_at_write = at};
        int64_t acks = 0;
        killed = live_in_child(&story, &acks);
        int64_t steps = steps_after_restart(&jf);
        assert_true(acks <= steps && steps <= acks + 1);
        points += killed ? 1 : 0;
        jf_done(&jf);
    }
    assert_true(points > 2 * STEPS);
}

#ifdef HM_CRASH_POINTS

static int64_t counted(const char *path)
{
    char text[32] = "";
    int64_t count = -1;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_int_equal(fclose(file), 0);
    text[strcspn(text, "\n")] = '\0';
    assert_true(hm_parse_i64(text, 0, INT64_MAX, &count));
    return count;
}

static void the_environment_kills_as_well(void **state)
{
    struct jf jf;
    int64_t acks = 0;

    (void)state;
    jf_init(&jf);
    char file[96]; /* not on the heap: a child that ends here would seem to leak it */
    (void)snprintf(file, sizeof file, "%s/commits", jf.dir);
    struct story story = {.jf = &jf, .kill_at_write = -1};
    assert_int_equal(setenv("HM_CRASH_COUNT_FILE", file, 1), 0);
    assert_int_equal(setenv("HM_CRASH_AT", "after:3", 1), 0);
    assert_true(live_in_child(&story, &acks));
    assert_int_equal(counted(file), 3);
    assert_int_equal(setenv("HM_CRASH_AT", "before:3", 1), 0);
    jf_done(&jf);

    jf_init(&jf);
    (void)snprintf(file, sizeof file, "%s/commits", jf.dir);
    assert_int_equal(setenv("HM_CRASH_COUNT_FILE", file, 1), 0);
    assert_true(live_in_child(&story, &acks));
    assert_int_equal(counted(file), 2);
    assert_int_equal(unsetenv("HM_CRASH_AT"), 0);
    jf_done(&jf);

    jf_init(&jf);
    (void)snprintf(file, sizeof file, "%s/commits", jf.dir);
    assert_int_equal(setenv("HM_CRASH_COUNT_FILE", file, 1), 0);
    assert_false(live_in_child(&story, &acks));
    assert_int_equal(counted(file), STEPS);
    assert_int_equal(unsetenv("HM_CRASH_COUNT_FILE"), 0);
    jf_done(&jf);
}

static void a_malformed_crash_point_is_refused(void **state)
{
    static const char *const specs[] = {"7", "before", "before:", "before:0", "after:x", "during:7", "after:-1"};
    struct jf jf;

    (void)state;
    jf_init(&jf);
    for (size_t i = 0; i < HM_ARRAY_LEN(specs); i++) {
        struct hm_err err = {0};
        assert_int_equal(setenv("HM_CRASH_AT", specs[i], 1), 0);
        assert_false(jf_try_open(&jf, &err));
        assert_int_equal(err.code, HM_EENV);
        assert_non_null(strstr(err.msg, "before:N or after:N"));
    }
    assert_int_equal(unsetenv("HM_CRASH_AT"), 0);
    jf_done(&jf);
}

#else

static void the_environment_is_not_read(void **state)
{
    struct jf jf;
    int64_t acks = 0;

    (void)state;
    jf_init(&jf);
    struct story story = {.jf = &jf, .kill_at_write = -1};
    assert_int_equal(setenv("HM_CRASH_AT", "before:1", 1), 0);
    assert_false(live_in_child(&story, &acks));
    assert_int_equal(unsetenv("HM_CRASH_AT"), 0);
    jf_done(&jf);
}

#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_around_each_commit),        cmocka_unit_test(killed_around_each_commit_of_a_burst),
        cmocka_unit_test(killed_at_each_write_of_a_commit),
#ifdef HM_CRASH_POINTS
        cmocka_unit_test(the_environment_kills_as_well),    cmocka_unit_test(a_malformed_crash_point_is_refused),
#else
        cmocka_unit_test(the_environment_is_not_read),
#endif
    };
    fault_vfs_install();
    return cmocka_run_group_tests_name("journal crash", tests, NULL, NULL);
}
