/* What the simulation found in the run core, each as a case of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/stage.h"

static const char gated[] = "name = \"gated\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
                            "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
                            "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; },\n"
                            "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; }; } );";
static const char *const recipes[] = {gated, NULL};

static void begin(struct stage *stage)
{
    struct hm_err err = {0};
    stage_init(stage, recipes);
    assert_int_equal(stage_start(stage, "gated", "x1", &err), HM_OK);
    assert_non_null(hm_run_open_gate(stage_run(stage)));
}

/* As long as the bot does not know its own workspace, nobody is known to be of it: an outsider's click counted then. */
static void test_unknown_workspace_fails_closed(void **state)
{
    struct stage stage;
    (void)state;
    begin(&stage);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_workspace_fails_closed),
    };
    return cmocka_run_group_tests_name("run-sim", tests, NULL, NULL);
}
