/* Runs whose events do not fit together: they are left alone and say so, and nothing else is held up by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run_recipes.h"
#include "tests/support/stage.h"

static const char gated[] = HEAD("gated") PARAM "steps = (" GATE("") WRITE("fake.once") " );";
static const char offering[] =
    HEAD("offering") PARAM "lock = \"thing/${id}\";\nsteps = ( { id = \"next\"; offer = ( { recipe = \"gated\"; label = \"off\"; "
                           "with = { id = \"${id}\"; }; } ); } );";
static const char locked[] = HEAD("locked") PARAM "lock = \"thing/${id}\";\nsteps = (" GATE("") WRITE("fake.idem") " );";
static const char *const all[] = {gated, offering, locked, NULL};

struct found {
    unsigned n;
    char why[200];
    bool gate_open;
};

static void look(void *arg, const struct hm_run *run)
{
    struct found *found = arg;
    found->n++;
    found->gate_open = hm_run_open_gate(run) != NULL;
    (void)snprintf(found->why, sizeof found->why, "%.150s", run->broken != NULL ? run->broken : "");
}

static struct found broken_runs(struct stage *stage)
{
    struct found found = {0};
    hm_runner_each_broken(stage->runner, look, &found);
    return found;
}

static void begin(struct stage *stage, const char *recipe)
{
    stage_init(stage, all);
    assert_int_equal(stage_start(stage, recipe, "x1", NULL), HM_OK);
}

static void keep_kind(void *arg, const struct hm_reply *reply, const struct hm_run *run)
{
    (void)run;
    *(enum hm_reply_kind *)arg = reply->kind;
}

static enum hm_reply_kind click(struct stage *stage, enum hm_input_kind kind, const char *nonce)
{
    enum hm_reply_kind reply = HM_REPLY_NONE;
    const struct hm_input in = {.kind = kind, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce};
    hm_runner_click(stage->runner, stage->run_id, &in, keep_kind, &reply);
    stage_settle(stage);
    return reply;
}

/* A gate that opened twice, says the journal. Its button is still out there; a click on it was answered with "try again in a
 * minute", for ever. */
static void test_an_event_that_does_not_fit(void **state)
{
    struct stage stage;
    char nonce[17];
    (void)state;
    begin(&stage, "gated");
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "step", "gate");
    hm_json_set_str(data, "nonce", "0123456789abcdef");
    stage_forge(&stage, HM_EV_GATE_OPENED, data);
    unsigned changed = stage.changed;
    stage_crash(&stage, false);
    stage_settle(&stage);

    struct found found = broken_runs(&stage);
    assert_int_equal(found.n, 1);
    assert_non_null(strstr(found.why, "gate gate opened twice"));
    assert_true(found.gate_open); /* the state up to there is kept, to be shown */
    assert_true(stage.changed > changed);
    assert_null(stage_run(&stage)); /* nobody is at work on it */
    assert_int_equal(click(&stage, HM_IN_APPROVE, nonce), HM_REPLY_BROKEN);
    assert_int_equal(click(&stage, HM_IN_CANCEL, NULL), HM_REPLY_BROKEN);
    assert_true(hm_runner_visit(stage.runner, stage.run_id, look, &found));
    stage_advance(&stage, INT64_C(60) * 60000);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    assert_string_equal(stage_ending(&stage, NULL), "");
    stage_done(&stage);
}

/* An event of a kind that this version does not know was passed over, and the rest folded as if it had not been. */
static void test_an_event_of_an_unknown_kind(void **state)
{
    struct stage stage;
    (void)state;
    begin(&stage, "gated");
    stage.forged = true;
    stage.foreign = "event 3 is of a kind that this version does not know: run.flown";
    stage_crash(&stage, false);
    stage_settle(&stage);
    struct found found = broken_runs(&stage);
    assert_int_equal(found.n, 1);
    assert_non_null(strstr(found.why, "run.flown"));
    assert_int_equal(click(&stage, HM_IN_APPROVE, "0123456789abcdef"), HM_REPLY_BROKEN);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_done(&stage);
}

/* A late click on a run that is over, and which can not be read back: it is said, and not "there is no such run". */
static void test_a_late_click_on_an_unreadable_run(void **state)
{
    struct stage stage;
    (void)state;
    begin(&stage, "gated");
    assert_int_equal(stage_click(&stage, HM_IN_REJECT, "U0BEN", NULL), HM_REPLY_REJECTED);
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "step", "write");
    stage_forge(&stage, HM_EV_STEP_STARTED, data);
    assert_int_equal(click(&stage, HM_IN_APPROVE, "0123456789abcdef"), HM_REPLY_BROKEN);
    stage_use(&stage, "r-none");
    assert_int_equal(click(&stage, HM_IN_APPROVE, "0123456789abcdef"), HM_REPLY_STALE);
    stage_done(&stage);
}

/* The second of three runs for one thing can not go on when it is its turn. What it takes in that moment was never written: the
 * third one's turn comes. It waited for ever. */
static void test_the_next_one_in_line_is_broken(void **state)
{
    struct stage stage;
    char runs[3][32];
    (void)state;
    stage_init(&stage, all);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stage_start(&stage, i == 1 ? "offering" : "locked", "x1", NULL), HM_OK);
        memcpy(runs[i], stage.run_id, sizeof runs[i]);
        stage.now_ms += 1000;
    }
    assert_true(hm_runner_find(stage.runner, runs[2])->lock_wait.waiting);
    stage_use(&stage, runs[1]);
    json_t *data = hm_json_obj_new();
    json_t *offers = hm_json_arr_new();
    json_t *offer = hm_json_obj_new();
    hm_json_set_str(offer, "nonce", "0123456789abcdef");
    hm_json_add(offers, offer);
    hm_json_set_str(data, "step", "next");
    hm_json_set(data, "offers", offers);
    stage_forge(&stage, HM_EV_OFFERS_MADE, data); /* folds; and the run will offer once more */
    stage_crash(&stage, false);
    stage_settle(&stage);
    assert_int_equal(broken_runs(&stage).n, 0);

    stage_use(&stage, runs[0]);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(broken_runs(&stage).n, 1);
    const struct hm_run *third = hm_runner_find(stage.runner, runs[2]);
    assert_non_null(third);
    assert_false(third->lock_wait.waiting);
    stage_use(&stage, runs[2]);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

/* What it holds it keeps, through a restart too: nobody knows what it has begun. */
static void test_a_broken_holder_keeps_its_lock(void **state)
{
    struct stage stage;
    char second[32];
    (void)state;
    begin(&stage, "locked");
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "step", "gate");
    hm_json_set_str(data, "nonce", "0123456789abcdef");
    stage_forge(&stage, HM_EV_GATE_OPENED, data);
    assert_int_equal(stage_start(&stage, "locked", "x1", NULL), HM_OK);
    memcpy(second, stage.run_id, sizeof second);
    for (int i = 0; i < 2; i++) {
        stage_crash(&stage, false);
        stage_advance(&stage, 60000);
        assert_int_equal(broken_runs(&stage).n, 1);
        assert_true(hm_runner_find(stage.runner, second)->lock_wait.waiting);
    }
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_that_does_not_fit),        cmocka_unit_test(test_an_event_of_an_unknown_kind),
        cmocka_unit_test(test_a_late_click_on_an_unreadable_run), cmocka_unit_test(test_the_next_one_in_line_is_broken),
        cmocka_unit_test(test_a_broken_holder_keeps_its_lock),
    };
    return cmocka_run_group_tests_name("run-broken", tests, NULL, NULL);
}
