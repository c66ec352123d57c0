/* Runs that wait for people and are not in memory: nobody can tell the difference. */
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

static const char one_recipe[] = HEAD("one") PARAM "steps = (" GATE("") WRITE("fake.idem") " );";
static const char other_recipe[] = HEAD("one") PARAM "steps = (" GATE("need = 2; ") WRITE("fake.idem") " );";
static const char *const all[] = {one_recipe, NULL};

enum { RUNS = 200 };

static void begin(struct stage *stage)
{
    stage_init(stage, all);
    stage_rest(stage);
    assert_int_equal(stage_start(stage, "one", "x1", NULL), HM_OK);
    stage->loads = 0;
}

static void look(void *arg, const struct hm_run *run)
{
    (void)run;
    (*(int *)arg)++;
}

/* After a look at the run. */
static void rest_again(struct stage *stage)
{
    int seen = 0;
    hm_runner_each(stage->runner, look, &seen);
    assert_int_equal(seen, 1);
}

static void test_a_click_wakes_it(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
    assert_true(stage.loads > 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    stage_done(&stage);
}

static void test_its_time_wakes_it(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage);
    assert_int_equal(stage.wake_ms, stage.now_ms + INT64_C(10) * 60000);
    stage_advance(&stage, INT64_C(9) * 60000);
    assert_int_equal(stage.loads, 0);
    stage_advance(&stage, 60000); /* people are reminded, once */
    assert_int_equal(stage_count(&stage, HM_EV_GATE_REMINDED), 1);
    assert_int_equal(stage.wake_ms, stage.now_ms + INT64_C(5) * 60000);
    stage_advance(&stage, INT64_C(4) * 60000);
    assert_int_equal(stage_count(&stage, HM_EV_GATE_REMINDED), 1);
    stage_advance(&stage, INT64_C(2) * 60000);
    assert_string_equal(stage_ending(&stage, NULL), "expired");
    stage_done(&stage);
}

static void test_a_new_configuration_reaches_it(void **state)
{
    (void)state;
    struct stage stage;
    char nonce[17];
    begin(&stage);
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    rest_again(&stage);
    stage_replace_recipe(&stage, other_recipe);
    assert_int_equal(stage.wake_ms, 0); /* as soon as there is time, not now */
    stage_advance(&stage, 1);
    assert_int_equal(stage_count(&stage, HM_EV_RUN_REPLANNED), 1);
    assert_string_not_equal(hm_run_open_gate(stage_run(&stage))->nonce, nonce);
    stage_done(&stage);
}

/* The click comes before there was time to tell it. */
static void test_a_new_configuration_comes_before_a_click(void **state)
{
    (void)state;
    struct stage stage;
    struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM"};
    char nonce[17];
    begin(&stage);
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    rest_again(&stage);
    in.nonce = nonce;
    stage_replace_recipe(&stage, other_recipe);
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    stage_settle(&stage);
    assert_int_equal(stage.reply.kind, HM_REPLY_STALE);
    assert_int_equal(stage_count(&stage, HM_EV_GATE_VOTE), 0);
    stage_done(&stage);
}

/* "Stop all" is shown on each of many, and a clock that is asked often enough gets round to all. */
static void test_many_are_told_a_few_at_a_time(void **state)
{
    (void)state;
    struct stage stage;
    const struct hm_run *newest[3];
    begin(&stage);
    for (int i = 1; i < RUNS; i++) {
        stage.now_ms += 10;
        assert_int_equal(stage_start(&stage, "one", "x1", NULL), HM_OK);
    }
    assert_int_equal(hm_runner_newest(stage.runner, newest, 3), 3);
    assert_string_equal(newest[0]->id, stage.run_id);
    assert_true(newest[0]->started_ms > newest[1]->started_ms && newest[1]->started_ms > newest[2]->started_ms);
    stage.changed = 0;
    stage_hold(&stage, true);
    assert_true(stage.changed < RUNS);
    unsigned before = 0;
    do {
        before = stage.changed;
        hm_runner_time(stage.runner, stage.now_ms);
        assert_true(stage.changed - before <= 64);
    } while (stage.changed > before);
    assert_int_equal(stage.changed, RUNS);
    assert_true(stage.wake_ms > stage.now_ms);
    stage_crash(&stage, false);
    stage_settle(&stage);
    assert_int_equal(hm_runner_count(stage.runner), RUNS);
    stage_hold(&stage, false);
    for (int i = 0; i < RUNS; i++)
        hm_runner_time(stage.runner, stage.now_ms);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

/* It can not be read just now: the click is told, and later everything is as it was. */
static void test_a_journal_that_can_not_be_read(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage);
    struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM"};
    char nonce[17];
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    in.nonce = nonce;
    rest_again(&stage);
    stage.loads_fail = true;
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    assert_int_equal(stage.reply.kind, HM_REPLY_NOT_STORED);
    assert_null(stage_run(&stage));
    stage_advance(&stage, 6000);
    assert_null(stage_run(&stage));
    stage.loads_fail = false;
    stage_advance(&stage, 6000);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

/* Neither a resting run that could not be read, nor one whose commit failed, misses that the recipe was changed meanwhile. */
static void test_a_new_configuration_is_not_forgotten(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage);
    rest_again(&stage);
    stage.loads_fail = true;
    stage_replace_recipe(&stage, other_recipe);
    stage_advance(&stage, 1);
    assert_int_equal(stage_count(&stage, HM_EV_RUN_REPLANNED), 0);
    stage.loads_fail = false;
    stage_advance(&stage, 6000);
    assert_int_equal(stage_count(&stage, HM_EV_RUN_REPLANNED), 1);

    stage.commits_fail = true;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_NOT_STORED);
    stage_replace_recipe(&stage, one_recipe);
    stage.commits_fail = false;
    stage_advance(&stage, 6000);
    assert_int_equal(stage_count(&stage, HM_EV_RUN_REPLANNED), 2);
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_click_wakes_it),
        cmocka_unit_test(test_its_time_wakes_it),
        cmocka_unit_test(test_a_new_configuration_reaches_it),
        cmocka_unit_test(test_a_new_configuration_comes_before_a_click),
        cmocka_unit_test(test_many_are_told_a_few_at_a_time),
        cmocka_unit_test(test_a_journal_that_can_not_be_read),
        cmocka_unit_test(test_a_new_configuration_is_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
