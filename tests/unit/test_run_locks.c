/* Locks on the stage: who waits for whom, in which order, through crashes; and that no lock outlives its run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "run_recipes.h"
#include "tests/support/stage.h"

static const char locked_recipe[] = HEAD("locked") PARAM "lock = \"thing/${id}\";\nsteps = (" GATE("") WRITE("fake.idem") " );";
static const char partial_recipe[] = HEAD("partial") "lock = \"thing/x1\";\nparams = ();\nsteps = (" LIST GATE_ALL EACH(
    "fake.plain", "on_error = \"continue\"; ") " );";
static const char *const all[] = {locked_recipe, partial_recipe, NULL};

/* Each test is played twice: with all runs in memory, and with those that wait for people or a lock in the journal alone. */
static bool at_rest;

static void open_stage(struct stage *stage)
{
    stage_init(stage, all);
    if (at_rest)
        stage_rest(stage);
}

static int all_awake(void **state)
{
    (void)state;
    at_rest = false;
    return 0;
}

static int all_at_rest(void **state)
{
    (void)state;
    at_rest = true;
    return 0;
}

struct cast {
    struct stage stage;
    char runs[4][32];
};

/* Three people ask for the same thing, one after the other; the fourth for another. */
static void begin(struct cast *cast)
{
    static const char *const users[] = {"U0ANA", "U0BEN", "U0CAM", "U0ANA"};
    open_stage(&cast->stage);
    for (int i = 0; i < 4; i++) {
        cast->stage.requester = users[i];
        assert_int_equal(stage_start(&cast->stage, "locked", i < 3 ? "x1" : "x2", NULL), HM_OK);
        memcpy(cast->runs[i], cast->stage.run_id, sizeof cast->runs[i]);
        cast->stage.now_ms += 1000;
    }
}

static const struct hm_run *run_of(struct cast *cast, int i)
{
    return hm_runner_find(cast->stage.runner, cast->runs[i]);
}

static const char *ending_of(struct cast *cast, int i)
{
    stage_use(&cast->stage, cast->runs[i]);
    return stage_ending(&cast->stage, NULL);
}

static void approve(struct cast *cast, int i)
{
    stage_use(&cast->stage, cast->runs[i]);
    assert_int_equal(stage_click(&cast->stage, HM_IN_APPROVE, i == 1 ? "U0CAM" : "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&cast->stage, NULL), "done");
}

/* Exactly one of the first three is not waiting. */
static int at_work(struct cast *cast)
{
    int who = -1;
    for (int i = 0; i < 3; i++) {
        const struct hm_run *run = run_of(cast, i);
        if (run == NULL || run->lock_wait.waiting)
            continue;
        assert_int_equal(who, -1);
        who = i;
    }
    return who;
}

static void test_order_of_arrival(void **state)
{
    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        struct cast cast;
        begin(&cast);
        assert_int_equal(at_work(&cast), 0);
        assert_false(run_of(&cast, 3)->lock_wait.waiting);
        assert_non_null(hm_run_open_gate(run_of(&cast, 0)));
        assert_null(hm_run_open_gate(run_of(&cast, 1)));
        assert_string_equal(run_of(&cast, 1)->lock_wait.holder, cast.runs[0]);
        assert_string_equal(run_of(&cast, 1)->lock_wait.user, "U0ANA");
        assert_int_equal(run_of(&cast, 1)->lock_wait.since_ms, run_of(&cast, 0)->started_ms);
        assert_string_equal(run_of(&cast, 2)->lock_wait.holder, cast.runs[0]);
        for (int i = 0; i < 3; i++) {
            if (crashes) {
                stage_crash(&cast.stage, false);
                stage_settle(&cast.stage);
            }
            assert_int_equal(at_work(&cast), i);
            approve(&cast, i);
            if (i == 0)
                assert_string_equal(run_of(&cast, 2)->lock_wait.holder, cast.runs[1]); /* who is before it now */
        }
        assert_int_equal(at_work(&cast), -1);
        stage_done(&cast.stage);
    }
}

/* However the holder ends, the lock is free. */
static void test_every_end_frees(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct cast cast;
        begin(&cast);
        stage_use(&cast.stage, cast.runs[0]);
        if (how == 0)
            assert_int_equal(stage_click(&cast.stage, HM_IN_REJECT, "U0BEN", NULL), HM_REPLY_REJECTED);
        else if (how == 1)
            assert_int_equal(stage_click(&cast.stage, HM_IN_CANCEL, "U0BEN", NULL), HM_REPLY_CANCELLED);
        else if (how == 2)
            stage_advance(&cast.stage, INT64_C(15) * 60000); /* its gate closes */
        else {
            cast.stage.write_fate = STAGE_400;
            cast.stage.write_fate_for = 1;
            assert_int_equal(stage_click(&cast.stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
        }
        assert_string_not_equal(ending_of(&cast, 0), "");
        assert_int_equal(at_work(&cast), 1);
        assert_non_null(hm_run_open_gate(run_of(&cast, 1)));
        stage_done(&cast.stage);
    }
}

static void test_giving_up(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    stage_use(&cast.stage, cast.runs[1]);
    assert_int_equal(stage_click(&cast.stage, HM_IN_CANCEL, "U0BEN", NULL), HM_REPLY_CANCELLED);
    assert_string_equal(ending_of(&cast, 1), "cancelled");
    approve(&cast, 0);
    assert_int_equal(at_work(&cast), 2);
    stage_done(&cast.stage);

    begin(&cast);
    for (int minute = 0; minute < 31; minute++) { /* the holder goes on: a waiting run gives up when its time is up */
        stage_advance(&cast.stage, 60000);
        if (minute == 13)
            break;
    }
    stage_use(&cast.stage, cast.runs[0]);
    cast.stage.write_fate = STAGE_503;
    cast.stage.write_fate_for = 100000;
    stage_hold(&cast.stage, true); /* so that it lasts */
    assert_int_equal(stage_click(&cast.stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    stage_advance(&cast.stage, INT64_C(17) * 60000);
    assert_string_equal(ending_of(&cast, 0), "failed");
    assert_string_equal(ending_of(&cast, 1), "");
    assert_non_null(hm_run_open_gate(run_of(&cast, 1))); /* its time begins now */
    assert_true(run_of(&cast, 1)->deadline_ms > cast.stage.now_ms + INT64_C(25) * 60000);
    stage_done(&cast.stage);
}

/* The end of the holder is not stored: nobody else may begin before it is. */
static void test_failed_commit_keeps_the_lock(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    stage_use(&cast.stage, cast.runs[0]);
    cast.stage.commits_fail = true;
    assert_int_equal(stage_click(&cast.stage, HM_IN_CANCEL, "U0ANA", NULL), HM_REPLY_NOT_STORED);
    assert_true(run_of(&cast, 1)->lock_wait.waiting);
    cast.stage.commits_fail = false;
    stage_advance(&cast.stage, 6000);
    assert_int_equal(at_work(&cast), 0);
    approve(&cast, 0);
    assert_int_equal(at_work(&cast), 1);
    stage_done(&cast.stage);
}

/* A partial run that is taken up again has to wait for its lock like any other. */
static void test_reopened_runs_wait(void **state)
{
    (void)state;
    struct stage stage;
    char first[32];
    char second[32];
    open_stage(&stage);
    assert_int_equal(stage_start(&stage, "partial", "", NULL), HM_OK);
    memcpy(first, stage.run_id, sizeof first);
    stage.write_fate = STAGE_400;
    stage.write_fate_for = 1;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "5"), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "partial");
    assert_int_equal(stage_start(&stage, "locked", "x1", NULL), HM_OK);
    memcpy(second, stage.run_id, sizeof second);
    stage_use(&stage, first);
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0ANA", NULL), HM_REPLY_REOPENED);
    assert_true(stage_run(&stage)->lock_wait.waiting);
    assert_null(hm_run_open_gate(stage_run(&stage)));
    stage_crash(&stage, false);
    stage_settle(&stage);
    assert_true(hm_runner_find(stage.runner, first)->lock_wait.waiting);
    stage_use(&stage, second);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    stage_use(&stage, first);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "1"), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

/* Dies at every step of the holder's end and the next one's beginning: never two at work, and all three end. */
/* NOLINTNEXTLINE(readability-function-cognitive-complexity): each crash, each moment, each check */
static void test_crash_sweep(void **state)
{
    (void)state;
    for (unsigned die_at = 0; die_at < 25; die_at++) {
        struct cast cast;
        unsigned steps = 0;
        begin(&cast);
        for (unsigned round = 0; round < 40; round++) {
            for (int i = 0; i < 3; i++) {
                const struct hm_run *run = run_of(&cast, i);
                const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
                if (gate == NULL)
                    continue;
                char nonce[17];
                memcpy(nonce, gate->nonce, sizeof nonce);
                const struct hm_input in = {
                    .kind = HM_IN_APPROVE, .user = i == 1 ? "U0CAM" : "U0BEN", .user_team = "T0SIM", .nonce = nonce};
                hm_runner_click(cast.stage.runner, cast.runs[i], &in, stage_keep_reply, &cast.stage);
            }
            do {
                if (steps++ == die_at)
                    stage_crash(&cast.stage, true);
            } while (stage_step(&cast.stage));
            (void)at_work(&cast);
            stage_advance(&cast.stage, 4000);
        }
        for (int i = 0; i < 3; i++)
            if (strcmp(ending_of(&cast, i), "done") != 0)
                fail_msg("died at %u: run %d ended \"%s\"", die_at, i, ending_of(&cast, i));
        stage_done(&cast.stage);
    }
}

static const char relocked[] = HEAD("locked") PARAM "lock = \"every-thing\";\nsteps = (" GATE("") WRITE("fake.idem") " );";

/* The recipe is changed and now locks something else: what is planned anew has that lock, or waits for it, and not the old one.
 */
static void test_a_changed_recipe_changes_the_lock(void **state)
{
    struct cast cast;
    (void)state;
    begin(&cast);
    stage_replace_recipe(&cast.stage, relocked);
    stage_advance(&cast.stage, 1); /* those at rest are told in their turn */
    for (unsigned round = 0; round < 4; round++) {
        int at = -1;
        for (int i = 0; i < 4; i++) {
            const struct hm_run *run = run_of(&cast, i);
            if (run == NULL)
                continue;
            assert_string_equal(run->lock, "every-thing");
            if (run->lock_wait.waiting)
                continue;
            assert_int_equal(at, -1); /* one at a time now, the one for x2 as well */
            at = i;
        }
        assert_true(at >= 0);
        approve(&cast, at);
        if (round == 1)
            stage_crash(&cast.stage, false);
        stage_settle(&cast.stage);
    }
    assert_int_equal(hm_runner_count(cast.stage.runner), 0);
    assert_int_equal(stage_start(&cast.stage, "locked", "x1", NULL), HM_OK); /* the old lock is nobody's */
    assert_false(stage_run(&cast.stage)->lock_wait.waiting);
    stage_done(&cast.stage);
}

static void change_in_vain(struct cast *cast)
{
    cast->stage.commits_fail = true;
    stage_replace_recipe(&cast->stage, relocked);
    stage_advance(&cast->stage, 1);
    cast->stage.commits_fail = false;
}

/* The commit of that fails: the old lock was not given back meanwhile, and is the run's own as before. What the recipe is now, it
 * hears when it has been read again. */
static void test_a_changed_lock_that_is_not_stored(void **state)
{
    struct cast cast;
    int at = -1;
    (void)state;
    begin(&cast);
    change_in_vain(&cast);
    stage_replace_recipe(&cast.stage, locked_recipe); /* put back before they were read again */
    stage_advance(&cast.stage, 6000);
    assert_int_equal(at_work(&cast), 0);
    assert_string_equal(run_of(&cast, 0)->lock, "thing/x1");
    assert_string_equal(run_of(&cast, 3)->lock, "thing/x2");
    approve(&cast, 0);
    assert_int_equal(at_work(&cast), 1);

    change_in_vain(&cast);
    stage_advance(&cast.stage, 6000);
    for (int i = 1; i < 4; i++) {
        assert_string_equal(run_of(&cast, i)->lock, "every-thing");
        if (run_of(&cast, i)->lock_wait.waiting)
            continue;
        assert_int_equal(at, -1);
        at = i;
    }
    assert_true(at > 0);
    approve(&cast, at);
    stage_done(&cast.stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_arrival),
        cmocka_unit_test(test_every_end_frees),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_failed_commit_keeps_the_lock),
        cmocka_unit_test(test_reopened_runs_wait),
        cmocka_unit_test(test_crash_sweep),
        cmocka_unit_test(test_a_changed_recipe_changes_the_lock),
        cmocka_unit_test(test_a_changed_lock_that_is_not_stored),
    };
    int failed = cmocka_run_group_tests_name("run_locks", tests, all_awake, NULL);
    return failed + cmocka_run_group_tests_name("run_locks_at_rest", tests, all_at_rest, NULL);
}
