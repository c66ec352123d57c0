/* Gates that want somebody of each role, runs that are handed over, and the reminder. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "run_recipes.h"
#include "support/stage.h"

/* On this stage U0BEN and U0CAM are in every role, U0DIA in "data" alone, U0OPS in "hausmeister" alone. */
static const char each_recipe[] = HEAD("each") PARAM
    "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\", \"data\" ]; each = true; "
    "expires = \"15m\"; },\n" WRITE("fake.idem") " );\n";
static const char two_each_recipe[] =
    HEAD("two-each") PARAM "steps = ( { id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\", \"data\" ]; each = "
                           "true; need = 2; },\n" WRITE("fake.idem") " );\n";
static const char plain_recipe[] = HEAD("plain") PARAM "steps = ( " GATE("need = 2;") WRITE("fake.idem") " );\n";
static const char *const recipes[] = {each_recipe, two_each_recipe, plain_recipe, NULL};

static void begin(struct stage *stage, const char *recipe)
{
    struct hm_err err = {0};
    stage_init(stage, recipes);
    assert_int_equal(stage_start(stage, recipe, "x", &err), HM_OK);
    stage_settle(stage);
}

static void test_one_of_each(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "each");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0OPS", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage.reply.have, 1);
    assert_int_equal(stage.reply.need, 2);
    assert_string_equal(stage.reply.typed, "data");
    assert_int_equal(stage_effects(&stage, "x"), 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0DIA", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_effects(&stage, "x"), 1);
    stage_done(&stage);
}

/* Two of one role are not one of each, however many click. */
static void test_a_full_role(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "two-each");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0DIA", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U1DIA", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U2DIA", NULL), HM_REPLY_ROLE_FULL);
    assert_string_equal(stage.reply.typed, "hausmeister");
    stage_crash(&stage, false);
    stage_settle(&stage);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U2DIA", NULL), HM_REPLY_ROLE_FULL);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0OPS", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U1OPS", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_effects(&stage, "x"), 1);
    stage_done(&stage);
}

/* Whoever has both roles counts where he is missing, also when that shows only later; and for one of them only. */
static void test_people_of_both_roles(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "each");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_TWICE);
    assert_int_equal(stage_effects(&stage, "x"), 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0OPS", NULL), HM_REPLY_APPROVED); /* Ben moves over to data */
    stage_done(&stage);
    begin(&stage, "each");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0DIA", NULL), HM_REPLY_APPROVED);
    stage_done(&stage);
}

/* The one who leads does not approve, nor does the one who asked; the one who has approved does not take it. */
static void test_handed_over(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "plain");
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0ANA", NULL), HM_REPLY_IS_YOURS);
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0DIA", NULL), HM_REPLY_NOT_IN_ROLE);
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0BEN", NULL), HM_REPLY_TAKEN);
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0BEN", NULL), HM_REPLY_IS_YOURS);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_OWN);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0ANA", NULL), HM_REPLY_OWN);
    stage_crash(&stage, false);
    stage_settle(&stage);
    assert_string_equal(stage_run(&stage)->owner, "U0BEN");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_OWN);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0CAM", NULL), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0CAM", NULL), HM_REPLY_TAKE_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0ANA", NULL), HM_REPLY_TAKEN); /* back again */
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_effects(&stage, "x"), 1);
    assert_int_equal(stage_click(&stage, HM_IN_TAKE, "U0BEN", NULL), HM_REPLY_RUN_OVER);
    stage_done(&stage);
}

static void test_reminded_once(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "plain");
    stage_advance(&stage, INT64_C(9) * 60000);
    assert_int_equal(stage_count(&stage, HM_EV_GATE_REMINDED), 0);
    stage_advance(&stage, 60000);
    assert_int_equal(stage_count(&stage, HM_EV_GATE_REMINDED), 1);
    stage_crash(&stage, false);
    stage_settle(&stage);
    stage_advance(&stage, 60000);
    assert_int_equal(stage_count(&stage, HM_EV_GATE_REMINDED), 1);
    stage_advance(&stage, INT64_C(4) * 60000);
    assert_string_equal(stage_ending(&stage, NULL), "expired");
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_each), cmocka_unit_test(test_a_full_role),   cmocka_unit_test(test_people_of_both_roles),
        cmocka_unit_test(test_handed_over), cmocka_unit_test(test_reminded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
