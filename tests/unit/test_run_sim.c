/* What the simulation found in the run core, each as a case of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/stage.h"

static const char gated[] = "name = \"gated\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
                            "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
                            "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; },\n"
                            "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; }; } );";
static const char asking[] = "name = \"asking\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
                             "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
                             "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; },\n"
                             "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; }; on_error = \"ask\"; } );";
static const char each[] =
    "name = \"each\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\"; params = ();\n"
    "steps = ( { id = \"list\"; do = \"fake.list\"; },\n"
    "{ id = \"gate\"; approve = \"All?\"; by = [ \"hausmeister\" ]; },\n"
    "{ id = \"write\"; foreach = \"list.items\"; as = \"thing\"; do = \"fake.idem\"; with = { id = "
    "\"${thing.id}\"; }; parallel = 2; retry = { tries = 3; wait = \"1s\"; }; } );";
static const char idem[] = "name = \"idem\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
                           "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
                           "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; },\n"
                           "{ id = \"write\"; do = \"fake.idem\"; with = { id = \"${id}\"; }; } );";
static const char plain[] = "name = \"plain\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
                            "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
                            "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; },\n"
                            "{ id = \"write\"; do = \"fake.plain\"; with = { id = \"${id}\"; }; retry = { tries = 4; }; } );";
static const char *const recipes[] = {gated, asking, each, idem, plain, NULL};

static void begin(struct stage *stage, const char *recipe)
{
    struct hm_err err = {0};
    stage_init(stage, recipes);
    assert_int_equal(stage_start(stage, recipe, strcmp(recipe, "each") == 0 ? "" : "x1", &err), HM_OK);
    assert_non_null(hm_run_open_gate(stage_run(stage)));
}

/* As long as the bot does not know its own workspace, nobody is known to be of it: an outsider's click counted then. */
static void test_unknown_workspace_fails_closed(void **state)
{
    struct stage stage;
    (void)state;
    begin(&stage, "gated");
    stage.team_unknown = true;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0EVE", NULL), HM_REPLY_ROLE_UNKNOWN);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_ROLE_UNKNOWN);
    assert_int_equal(stage_click(&stage, HM_IN_REJECT, "U0EVE", NULL), HM_REPLY_ROLE_UNKNOWN);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage.team_unknown = false;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0EVE", NULL), HM_REPLY_OUTSIDER);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

/* The recipe is changed while a person is asked about an error: the gate is void and, with nothing to send at that moment, passed
 * over. "Retry" then found no approval and nobody to ask for one: the run stood still until its time was up. */
static void test_retry_behind_a_gate_that_was_passed_over(void **state)
{
    struct stage stage;
    char *changed = hm_xasprintf("%s\n# changed\n", asking);
    (void)state;
    begin(&stage, "asking");
    stage.write_fate = STAGE_REFUSED;
    stage.write_fate_for = 1;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_non_null(hm_run_open_question(stage_run(&stage)));
    stage_replace_recipe(&stage, changed);
    stage_settle(&stage);
    assert_int_equal(stage_click(&stage, HM_IN_RETRY, "U0BEN", NULL), HM_REPLY_ANSWERED);
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_writes(&stage, "x1"), 1);
    stage_done(&stage);
    free(changed);
}

/* Two items are under way when the recipe is removed: one waits for its next try, the other for the second look whether it
 * happened. The try is held up by the look's outcome; and the look was held up by the try, for ever. */
static void test_a_look_is_not_held_up(void **state)
{
    struct stage stage;
    (void)state;
    begin(&stage, "each");
    char nonce[17];
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    const struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce};
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    assert_true(stage_step(&stage)); /* the commit */
    assert_int_equal(stage.n_flights, 2);
    stage.write_fate = STAGE_503;
    stage.write_fate_for = 1;
    assert_true(stage_step(&stage)); /* the first item's answer, and its commit */
    assert_true(stage_step(&stage));
    stage.write_fate = STAGE_NEVER;
    stage.write_fate_for = 1;
    stage_settle(&stage);
    assert_int_equal(stage_run(&stage)->steps[2].calls[0].phase, HM_CALL_WAITING);
    assert_int_equal(stage_run(&stage)->steps[2].calls[1].phase, HM_CALL_WAITING_PROBE);
    stage.current_gone = true;
    hm_runner_changed(stage.runner);
    stage_advance(&stage, 60000);
    assert_string_equal(stage_ending(&stage, NULL), "failed");
    stage_done(&stage);
}

/* An idempotent request may be sent again when two looks have denied it, three times over; looks that fail, and a crash in the
 * middle of one, used those times up as well. */
static void test_looks_do_not_count_as_resends(void **state)
{
    struct stage stage;
    (void)state;
    begin(&stage, "idem");
    stage.write_fate = STAGE_NEVER;
    stage.write_fate_for = 3;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    for (unsigned resent = 0; resent < 3; resent++) {
        assert_int_equal(stage_run(&stage)->steps[1].calls[0].phase, HM_CALL_WAITING_PROBE); /* denied once */
        assert_int_equal(stage_run(&stage)->steps[1].calls[0].resent, resent);
        assert_int_equal(stage_writes(&stage, "x1"), resent + 1);
        stage.read_fate = STAGE_503;
        stage.read_fate_for = 2;
        stage_advance(&stage, 3000);
        stage_crash(&stage, false);
        assert_int_equal(stage_run(&stage)->steps[1].calls[0].resent, resent); /* durable */
        stage_advance(&stage, 7000);
    }
    stage_advance(&stage, 60000);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_writes(&stage, "x1"), 4);
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    stage_done(&stage);

    begin(&stage, "idem"); /* and there is an end to it: the last one may still be on its way, so a person is asked */
    stage.write_fate = STAGE_NEVER;
    stage.write_fate_for = 100;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    stage_advance(&stage, 120000);
    assert_int_equal(stage_run(&stage)->steps[1].calls[0].phase, HM_CALL_ASKING);
    assert_int_equal(stage_writes(&stage, "x1"), 4);
    assert_int_equal(stage_click(&stage, HM_IN_STOP_HERE, "U0ANA", NULL), HM_REPLY_SETTLED);
    assert_string_equal(stage_ending(&stage, NULL), "failed");
    stage_done(&stage);
}

static enum stage_fate refused_and_refused(const char *id, unsigned write)
{
    (void)id;
    return write < 3 ? STAGE_503 : STAGE_400;
}

static enum stage_fate unclear_and_refused(const char *id, unsigned write)
{
    (void)id;
    return write == 1 ? STAGE_NEVER : write == 2 ? STAGE_503 : STAGE_400;
}

/* "Nothing was changed" is said when each try was refused, however many there were; and not when one of them is not known. */
static void test_what_may_have_happened_is_remembered(void **state)
{
    static const struct {
        const char *recipe;
        enum stage_fate (*fate_of)(const char *id, unsigned write);
        bool nothing;
    } cases[] = {
        {"plain", refused_and_refused, true},
        {"plain", unclear_and_refused, false},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        const char *text = "";
        struct stage stage;
        begin(&stage, cases[i].recipe);
        stage.fate_of = cases[i].fate_of;
        assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
        stage_crash(&stage, false);
        stage_advance(&stage, 120000);
        assert_string_equal(stage_ending(&stage, &text), "failed");
        if ((strstr(text, "Nothing was changed.") != NULL) != cases[i].nothing)
            fail_msg("case %zu: %s", i, text);
        stage_done(&stage);
    }
}

/* Cancelled while a request whose outcome nobody knows waits for its next try: it is counted as that. */
static void test_cancel_says_what_is_not_known(void **state)
{
    const char *text = "";
    struct stage stage;
    (void)state;
    begin(&stage, "plain");
    stage.write_fate = STAGE_LOST;
    stage.write_fate_for = 1;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_click(&stage, HM_IN_CANCEL, "U0ANA", NULL), HM_REPLY_CANCELLED);
    assert_string_equal(stage_ending(&stage, &text), "cancelled");
    assert_string_equal(text, "0 of 1 change had been made before and stay; of 1 more nobody knows whether it was made; nothing "
                              "more was started.");
    stage_done(&stage);

    begin(&stage, "plain");
    stage.write_fate = STAGE_503; /* refused: proven that nothing was done */
    stage.write_fate_for = 1;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_click(&stage, HM_IN_CANCEL, "U0ANA", NULL), HM_REPLY_CANCELLED);
    assert_string_equal(stage_ending(&stage, &text), "cancelled");
    assert_string_equal(text, "Nothing was changed.");
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_workspace_fails_closed), cmocka_unit_test(test_retry_behind_a_gate_that_was_passed_over),
        cmocka_unit_test(test_a_look_is_not_held_up),          cmocka_unit_test(test_looks_do_not_count_as_resends),
        cmocka_unit_test(test_cancel_says_what_is_not_known),  cmocka_unit_test(test_what_may_have_happened_is_remembered),
    };
    return cmocka_run_group_tests_name("run-sim", tests, NULL, NULL);
}
