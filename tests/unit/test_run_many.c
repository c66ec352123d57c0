/* Long lists on the stage: what failed is tried again and nothing else, being held, retries that part from each other, and 10,000
 * items without trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run_recipes.h"
#include "tests/support/stage.h"

static const char each_recipe[] = HEAD("each") "lock = \"things\";\nparams = ();\nsteps = (" LIST GATE_ALL EACH(
    "fake.idem",
    "parallel = 10; on_error = \"continue\"; retry = { tries = 3; wait = \"2s\"; }; ") ",\n"
                                                                                       "{ id = \"left\"; do = \"fake.list\"; say "
                                                                                       "= \"${write.done} of ${write.total}\"; } "
                                                                                       ");";
static const char ungated_recipe[] = HEAD("ungated") "ungated = \"a test\";\nparams = ();\nsteps = (" LIST EACH(
    "fake.plain", "parallel = 3; on_error = \"continue\"; ") " );";
static const char once_recipe[] = HEAD("once") PARAM "steps = (" GATE("") WRITE("fake.once") " );";
static const char *const all[] = {each_recipe, ungated_recipe, once_recipe, NULL};

static void begin(struct stage *stage, const char *recipe, const char *words, unsigned list_n)
{
    struct hm_err err = {0};
    stage_init(stage, all);
    stage->list_n = list_n;
    enum hm_code code = stage_start(stage, recipe, words, &err);
    if (code != HM_OK)
        print_error("%s\n", err.msg);
    assert_int_equal(code, HM_OK);
}

/* t7 and t100: 503 twice; t200: refused for good, until a person has it tried again. */
static bool mended;
static enum stage_fate unlucky(const char *id, unsigned write)
{
    if (strcmp(id, "t7") == 0 || strcmp(id, "t100") == 0)
        return write <= 2 ? STAGE_503 : STAGE_OK;
    return strcmp(id, "t200") == 0 && !mended ? STAGE_400 : STAGE_OK;
}

/* The story of retract-all: 318 items, killed in the middle, one left, retried. */
static void test_story(void **state)
{
    (void)state;
    struct stage stage;
    const char *text = "";
    mended = false;
    begin(&stage, "each", "", 318);
    stage.fate_of = unlucky;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "317"), HM_REPLY_WRONG_TYPED);
    char nonce[17];
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    const struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce, .typed = "318"};
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    for (unsigned i = 0; i < 300 && stage_step(&stage); i++)
        continue;
    assert_true(stage_run(&stage)->steps[2].n_in[HM_CALL_OK] > 100);
    assert_true(stage_run(&stage)->steps[2].n_in[HM_CALL_READY] > 100);
    stage_crash(&stage, true);
    stage_advance(&stage, 60000);
    assert_string_equal(stage_ending(&stage, &text), "partial");
    assert_string_equal(text, "1 item failed; each is named above.");
    assert_int_equal(stage_effects(&stage, "t100"), 1);
    assert_int_equal(stage_writes(&stage, "t100"), 3);

    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0CAM", NULL), HM_REPLY_REOPENED);
    assert_int_equal(stage.reply.have, 1);
    mended = true;
    const struct hm_gate *gate = hm_run_open_gate(stage_run(&stage));
    assert_non_null(gate);
    assert_int_equal(gate->n_plan, 1);
    assert_int_equal(gate->plan[0].item, 200);
    assert_string_equal(gate->typed, "1");
    assert_string_not_equal(gate->nonce, nonce);
    stage_crash(&stage, true);
    stage_settle(&stage);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "318"), HM_REPLY_WRONG_TYPED);
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0CAM", NULL), HM_REPLY_NONE_FAILED); /* it is at it */
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "1"), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    bool said = false;
    for (size_t i = 0; i < stage.n_journal; i++)
        said = said || strcmp(hm_json_get_str(stage.journal[i].event.data, "said", ""), "318 of 318") == 0;
    assert_true(said);
    for (size_t i = 0; i < stage.n_things; i++) {
        bool tried = strcmp(stage.things[i].id, "t7") == 0 || strcmp(stage.things[i].id, "t100") == 0;
        unsigned most = tried ? 3 : strcmp(stage.things[i].id, "t200") == 0 ? 2 : 1;
        assert_in_range(stage.things[i].writes, 1, most);
        assert_int_equal(stage.things[i].effects, 1);
    }
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0CAM", NULL), HM_REPLY_NONE_FAILED);
    stage_done(&stage);
}

/* Rejecting the second gate leaves things as they were, and the run can be taken up once more. */
static void test_retry_rejected_and_ungated(void **state)
{
    (void)state;
    struct stage stage;
    mended = false;
    begin(&stage, "ungated", "", 0);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);

    stage_init(&stage, all);
    stage.write_fate = STAGE_400;
    stage.write_fate_for = 2;
    assert_int_equal(stage_start(&stage, "ungated", "", NULL), HM_OK);
    assert_string_equal(stage_ending(&stage, NULL), "partial");
    stage.write_fate_for = 1;
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0ANA", NULL), HM_REPLY_REOPENED);
    assert_string_equal(stage_ending(&stage, NULL), "partial"); /* one of the two failed again */
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0ANA", NULL), HM_REPLY_REOPENED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    for (size_t i = 0; i < stage.n_things; i++)
        assert_int_equal(stage.things[i].effects, 1);
    stage_done(&stage);

    begin(&stage, "each", "", 0);
    stage.write_fate = STAGE_400;
    stage.write_fate_for = 1;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "5"), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "partial");
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0ANA", NULL), HM_REPLY_REOPENED);
    assert_int_equal(stage_click(&stage, HM_IN_REJECT, "U0BEN", NULL), HM_REPLY_REJECTED);
    assert_string_equal(stage_ending(&stage, NULL), "rejected");
    assert_int_equal(stage_click(&stage, HM_IN_RETRY_FAILED, "U0ANA", NULL), HM_REPLY_NONE_FAILED);
    stage_done(&stage);
}

/* The same end wherever it dies while the failed ones are tried again. */
static void test_retry_survives_crashes(void **state)
{
    (void)state;
    for (unsigned die_at = 0; die_at < 12; die_at++) {
        struct stage stage;
        begin(&stage, "each", "", 0);
        stage.write_fate = STAGE_400;
        stage.write_fate_for = 2;
        (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", "5");
        assert_string_equal(stage_ending(&stage, NULL), "partial");
        const struct hm_input in = {.kind = HM_IN_RETRY_FAILED, .user = "U0ANA", .user_team = "T0SIM"};
        hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
        unsigned steps = 0;
        for (unsigned round = 0; round < 30 && strcmp(stage_ending(&stage, NULL), "done") != 0; round++) {
            do {
                if (steps++ != die_at)
                    continue;
                stage_crash(&stage, true);
                if (stage_ending(&stage, NULL)[0] != '\0') /* the click was not stored: its envelope comes again */
                    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
            } while (stage_step(&stage));
            stage_advance(&stage, 4000);
            const struct hm_run *run = stage_run(&stage);
            if (run != NULL && hm_run_open_gate(run) != NULL)
                (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", "2");
        }
        if (strcmp(stage_ending(&stage, NULL), "done") != 0)
            fail_msg("died at step %u: \"%s\"", die_at, stage_ending(&stage, NULL));
        for (size_t i = 0; i < stage.n_things; i++)
            assert_int_equal(stage.things[i].effects, 1);
        stage_done(&stage);
    }
}

/* ---- held ---------------------------------------------------------------------------------------------------------------- */

static void test_held(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "once", "x1", 0);
    unsigned shown = stage.changed;
    stage_hold(&stage, true);
    assert_true(stage.changed > shown);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED); /* people may go on deciding */
    stage_advance(&stage, 60000);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_crash(&stage, false);
    stage_advance(&stage, 60000);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_hold(&stage, false);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    stage_done(&stage);

    /* in the middle of a list: what is under way ends, nothing new begins, a due retry neither; and no clock runs hot */
    begin(&stage, "each", "", 50);
    stage.write_fate = STAGE_503;
    stage.write_fate_for = 10;
    char nonce[17];
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    const struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce, .typed = "50"};
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    for (unsigned i = 0; i < 6; i++)
        (void)stage_step(&stage);
    hm_runner_hold(stage.runner, true);
    stage.held = true;
    stage_settle(&stage);
    unsigned started = stage_count(&stage, HM_EV_CALL_STARTED);
    stage_advance(&stage, INT64_C(10) * 60000);
    assert_int_equal(stage_count(&stage, HM_EV_CALL_STARTED), started);
    assert_true(started < 30);
    assert_int_equal(stage.n_flights, 0);
    assert_true(stage.wake_ms > stage.now_ms);
    stage_hold(&stage, false);
    stage_advance(&stage, 60000);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);

    /* a run whose time is up while everything is stopped ends as usual */
    begin(&stage, "once", "x1", 0);
    stage_hold(&stage, true);
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    stage_advance(&stage, INT64_C(31) * 60000);
    assert_string_equal(stage_ending(&stage, NULL), "failed");
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_done(&stage);
}

/* ---- retries ------------------------------------------------------------------------------------------------------------- */

/* Ten calls that failed together do not come back together, and never before their time. */
static void test_jitter(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "each", "", 10);
    stage.write_fate = STAGE_503;
    stage.write_fate_for = 20;
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", "10");
    const struct hm_step_state *write = &stage_run(&stage)->steps[2];
    size_t different = 0;
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(write->calls[i].phase, HM_CALL_WAITING);
        assert_in_range(write->calls[i].again_ms, stage.now_ms + 2000, stage.now_ms + 2500);
        different += i > 0 && write->calls[i].again_ms != write->calls[0].again_ms ? 1 : 0;
    }
    assert_true(different > 5);
    stage_advance(&stage, 2500);
    for (size_t i = 0; i < 10; i++)
        assert_in_range(write->calls[i].again_ms, stage.now_ms + 1500, stage.now_ms + 5000);
    stage_advance(&stage, 10000);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

/* ---- sizes --------------------------------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static size_t journal_bytes(const struct stage *stage, enum hm_event_type type, size_t *ret_largest)
{
    size_t sum = 0;
    *ret_largest = 0;
    for (size_t i = 0; i < stage->n_journal; i++) {
        if (type != HM_EV_NR && stage->journal[i].event.type != type)
            continue;
        char *text = hm_json_text(stage->journal[i].event.data);
        sum += strlen(text);
        *ret_largest = strlen(text) > *ret_largest ? strlen(text) : *ret_largest;
        free(text);
    }
    return sum;
}

static void test_ten_thousand_items(void **state)
{
    (void)state;
    struct stage stage;
    size_t largest = 0;
    begin(&stage, "each", "", 10000);
    const struct hm_gate *gate = hm_run_open_gate(stage_run(&stage));
    assert_int_equal(gate->n_plan, 10000);
    assert_in_range(journal_bytes(&stage, HM_EV_GATE_OPENED, &largest), 1, 1300000);

    double before = seconds();
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "10000"), HM_REPLY_APPROVED);
    double took = seconds() - before;
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_count(&stage, HM_EV_CALL_STARTED), 10002);
    for (size_t i = 0; i < stage.n_things; i++)
        assert_int_equal(stage.things[i].effects, 1);
    size_t all_bytes = journal_bytes(&stage, HM_EV_NR, &largest);
    assert_in_range(all_bytes / 10000, 100, 1400); /* per item */
    print_message("10,000 items: %.2f s of CPU, %.0f us an item, %zu bytes of journal an item, largest event %zu\n", took,
                  took * 100, all_bytes / 10000, largest);
    stage_done(&stage);
}

/* The work of an answer does not grow with the list: the sums always agree with the calls. */
static void test_sums_agree(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "each", "", 60);
    stage.write_fate = STAGE_503;
    stage.write_fate_for = 12;
    char nonce[17];
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    const struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce, .typed = "60"};
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    for (unsigned round = 0; round < 2000 && stage_run(&stage) != NULL; round++) {
        const struct hm_step_state *write = &stage_run(&stage)->steps[2];
        struct hm_step_state again = *write;
        again.busy = NULL;
        hm_step_recount(&again);
        assert_memory_equal(again.n_in, write->n_in, sizeof again.n_in);
        assert_int_equal(again.n_busy, write->n_busy);
        assert_int_equal(again.n_not_sent, write->n_not_sent);
        assert_true(write->n_busy <= 10);
        for (size_t i = 0; i < write->first_ready; i++)
            assert_int_not_equal(write->calls[i].phase, HM_CALL_READY);
        free(again.busy);
        if (round == 100)
            stage_crash(&stage, true);
        if (!stage_step(&stage))
            stage_advance(&stage, 1000);
    }
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_retry_rejected_and_ungated),
        cmocka_unit_test(test_retry_survives_crashes),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_ten_thousand_items),
        cmocka_unit_test(test_sums_agree),
    };
    return cmocka_run_group_tests_name("run_many", tests, NULL, NULL);
}
