/* What the run core asks people and offers them: ask, manual, on_error = "ask", offer. Each: the story, whoever may not, late and
 * doubled clicks, wrong answers, and a sweep of crashes after which the end must be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run_recipes.h"
#include "tests/support/stage.h"

#define ASK(more)                                                                                                                \
    "{ id = \"which\"; ask = { question = \"Which of *${count(list.items)}*?\"; from = \"list.items\"; label = \"thing "         \
    "${item.id}\"; expires = \"10m\"; " more "}; say = \"chosen\"; },\n"

static const char one_recipe[] = HEAD("one") "params = ();\nsteps = (" LIST ASK(
    "") "{ id = \"gate\"; approve = \"Off: ${which.id}?\"; by = [ \"hausmeister\" ]; },\n"
        "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${which.id}\"; }; } );";
static const char many_recipe[] = HEAD("many") "params = ();\nsteps = (" LIST ASK(
    "many = true; ") "{ id = \"gate\"; approve = \"Off: ${count(which)}?\"; by = [ \"hausmeister\" ]; },\n"
                     "{ id = \"write\"; foreach = \"which\"; as = \"thing\"; do = \"fake.once\"; with = { id = \"${thing.id}\"; "
                     "}; } );";
static const char form_recipe[] =
    HEAD("form") "params = ();\nsteps = (\n"
                 "{ id = \"form\"; ask = { question = \"Say\"; fields = ( { name = \"amount\"; type = \"int\"; help = \"n\"; min "
                 "= 1; max = 9; },"
                 " { name = \"note\"; type = \"string\"; help = \"why\"; optional = true; } ); }; },\n"
                 "{ id = \"end\"; say = \"${form.amount} ${form.note}\"; } );";
static const char manual_recipe[] = HEAD("manual") PARAM
    "steps = (\n"
    "{ id = \"hand\"; manual = \"Pull the plug of ${id}.\"; evidence = true; say = \"by ${hand.by}: ${hand.evidence}\"; },\n"
    "{ id = \"gate\"; approve = \"Off?\"; by = [ \"hausmeister\" ]; }," WRITE("fake.once") " );";
static const char timer_recipe[] = HEAD("timer") PARAM
    "steps = (" GATE("") "{ id = \"hand\"; manual = \"Look at ${id}.\"; expires = \"20m\"; on_expire = \"continue\";"
                         " say = \"over: ${hand.expired}, by ${hand.by}\"; }," WRITE("fake.once") " );";
static const char stopper_recipe[] =
    HEAD("stopper") PARAM "steps = ({ id = \"hand\"; manual = \"Look at ${id}.\"; expires = \"20m\"; } );";
static const char error_recipe[] = HEAD("error") PARAM
    "steps = (" GATE("") "{ id = \"write\"; do = \"fake.plain\"; with = { id = \"${id}\"; }; on_error = \"ask\"; },\n"
                         "{ id = \"end\"; say = \"write was ok: ${write.ok}\"; } );";
static const char each_error_recipe[] =
    HEAD("each-error") "params = ();\nsteps = (" LIST GATE_ALL EACH("fake.plain", "parallel = 2; on_error = \"ask\"; ") " );";
static const char verify_error_recipe[] = HEAD("verify-error") PARAM
    "steps = (" GATE("") "{ id = \"write\"; do = \"fake.plain\"; with = { id = \"${id}\"; }; on_error = \"ask\";"
                         " verify = { do = \"fake.get\"; with = { id = \"other\"; }; expect = \"not verify.on\"; every = \"2s\"; "
                         "within = \"4s\"; }; } );";
static const char offer_recipe[] = HEAD("offer") PARAM
    "steps = (\n"
    "{ id = \"look\"; do = \"fake.get\"; with = { id = \"${id}\"; }; },\n"
    "{ id = \"next\"; offer = ( { recipe = \"manual\"; label = \"By hand: ${id}\"; with = { id = \"${id}\"; }; },"
    " { recipe = \"form\"; label = \"Form\"; when = \"not look.on\"; }, { recipe = \"form\"; label = \"Form 2\"; } ); } );";
static const char two_gates_recipe[] = HEAD("two-gates") PARAM "steps = (" GATE("")
    WRITE("fake.once") ",\n"
                       "{ id = \"gate-2\"; approve = \"And the other?\"; by = [ \"hausmeister\" ]; },\n"
                       "{ id = \"write-2\"; do = \"fake.once\"; with = { id = \"other-${id}\"; }; expect = \"write-2.ok\"; } );";
static const char *const all[] = {one_recipe,       many_recipe,       form_recipe,         manual_recipe,
                                  error_recipe,     each_error_recipe, verify_error_recipe, offer_recipe,
                                  two_gates_recipe, timer_recipe,      stopper_recipe,      NULL};

static void begin(struct stage *stage, const char *recipe, const char *words)
{
    struct hm_err err = {0};
    stage_init(stage, all);
    enum hm_code code = stage_start(stage, recipe, words, &err);
    if (code != HM_OK)
        print_error("%s\n", err.msg);
    assert_int_equal(code, HM_OK);
}

static const struct hm_question *asked(struct stage *stage)
{
    return hm_run_open_question(stage_run(stage));
}

/* ---- ask ----------------------------------------------------------------------------------------------------------------- */

static void test_choose_one(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "one", "");
    assert_non_null(asked(&stage));
    assert_int_equal(asked(&stage)->kind, HM_QUESTION_CHOOSE);
    assert_string_equal(asked(&stage)->text, "Which of *5*?");
    assert_string_equal(json_string_value(json_array_get(asked(&stage)->labels, 2)), "thing c");
    assert_int_equal(stage_click(&stage, HM_IN_CHOOSE, "U0DAN", "{\"choice\":\"2\"}"), HM_REPLY_NOT_IN_ROLE);
    assert_int_equal(stage_click(&stage, HM_IN_CHOOSE, "U0EVE", "{\"choice\":\"2\"}"), HM_REPLY_OUTSIDER);
    assert_int_equal(stage_click(&stage, HM_IN_DONE, "U0ANA", NULL), HM_REPLY_STALE);
    char nonce[17];
    memcpy(nonce, asked(&stage)->nonce, sizeof nonce);
    assert_int_equal(stage_click(&stage, HM_IN_CHOOSE, "U0ANA", "{\"choice\":\"2\"}"), HM_REPLY_ANSWERED);
    const struct hm_gate *gate = hm_run_open_gate(stage_run(&stage));
    assert_non_null(gate);
    assert_string_equal(gate->question, "Off: c?");
    assert_string_equal(stage_run(&stage)->steps[1].question.answer, "thing c");

    const struct hm_input late = {.kind = HM_IN_CHOOSE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce, .typed = "{}"};
    hm_runner_click(stage.runner, stage.run_id, &late, stage_keep_reply, &stage);
    stage_settle(&stage);
    assert_int_equal(stage.reply.kind, HM_REPLY_WAS_ANSWERED);
    assert_string_equal(stage.reply.who, "U0ANA");

    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "c"), 1);
    assert_int_equal(stage_effects(&stage, "a"), 0);
    stage_done(&stage);
}

static void test_wrong_choices(void **state)
{
    (void)state;
    static const struct {
        const char *recipe, *typed;
    } rows[] = {
        {"one", "{}"},
        {"one", ""},
        {"one", "{\"choice\":\"5\"}"},
        {"one", "{\"choice\":\"-1\"}"},
        {"one", "{\"choice\":\"x\"}"},
        {"one", "{\"choice\":[\"1\",\"2\"]}"},
        {"one", "{\"choice\":2}"},
        {"one", "{\"choice\":[]}"},
        {"many", "{\"choice\":[]}"},
        {"many", "{\"choice\":[\"1\",\"9\"]}"},
        {"many", "[1]"},
        {"form", "{\"amount\":\"10\"}"},
        {"form", "{\"amount\":\"2\",\"odd\":\"x\"}"},
        {"form", "{}"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct stage stage;
        begin(&stage, rows[i].recipe, "");
        if (stage_click(&stage, HM_IN_CHOOSE, "U0ANA", rows[i].typed) != HM_REPLY_BAD_ANSWER)
            fail_msg("row %zu: reply %d", i, (int)stage.reply.kind);
        assert_true(strlen(stage.reply.typed) > 5);
        assert_non_null(asked(&stage));
        stage_done(&stage);
    }
}

static void test_choose_many(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "many", "");
    assert_int_equal(stage_click(&stage, HM_IN_CHOOSE, "U0BEN", "{\"choice\":[\"4\",\"0\",\"4\"]}"), HM_REPLY_ANSWERED);
    assert_int_equal(hm_run_open_gate(stage_run(&stage))->n_plan, 2);
    assert_string_equal(stage_run(&stage)->steps[1].question.answer, "thing a, thing e");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "a") + stage_effects(&stage, "e"), 2);
    assert_int_equal(stage_effects(&stage, "b"), 0);
    stage_done(&stage);
}

static void test_questions_expire(void **state)
{
    (void)state;
    struct stage stage;
    const char *text = "";
    begin(&stage, "one", "");
    stage_advance(&stage, INT64_C(10) * 60000 + 1);
    assert_string_equal(stage_ending(&stage, &text), "expired");
    assert_string_equal(text, "Nobody answered in time. Nothing was changed.");
    stage_done(&stage);

    begin(&stage, "manual", "x1"); /* has no time of its own: the run's */
    stage_advance(&stage, INT64_C(29) * 60000);
    assert_non_null(asked(&stage));
    stage_advance(&stage, 60001);
    assert_string_equal(stage_ending(&stage, NULL), "failed");
    stage_done(&stage);
}

static void test_fill_in(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "form", "");
    assert_int_equal(asked(&stage)->kind, HM_QUESTION_FILL);
    assert_int_equal(stage_click(&stage, HM_IN_CHOOSE, "U0ANA", "{\"amount\":\"7\",\"note\":\"a *b*\"}"), HM_REPLY_ANSWERED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    bool seen = false;
    for (size_t i = 0; i < stage.n_journal; i++)
        seen = seen || strcmp(hm_json_get_str(stage.journal[i].event.data, "said", ""), "7 a ∗b∗") == 0;
    assert_true(seen);
    stage_done(&stage);
}

/* ---- manual -------------------------------------------------------------------------------------------------------------- */

static void test_manual(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "manual", "x1");
    assert_int_equal(asked(&stage)->kind, HM_QUESTION_DONE);
    assert_string_equal(asked(&stage)->text, "Pull the plug of x1.");
    assert_int_equal(stage_say(&stage, HM_IN_DONE, "U0DAN", NULL, "me"), HM_REPLY_NOT_IN_ROLE);
    stage_crash(&stage, false);
    stage_settle(&stage);
    assert_int_equal(stage_say(&stage, HM_IN_DONE, "U0BEN", NULL, "ticket 12"), HM_REPLY_ANSWERED);
    assert_string_equal(stage_run(&stage)->steps[0].said, "by U0BEN: ticket 12");
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    assert_int_equal(stage_click(&stage, HM_IN_CANCEL, "U0ANA", NULL), HM_REPLY_CANCELLED);
    assert_string_equal(stage_ending(&stage, NULL), "cancelled");
    stage_done(&stage);
}

static bool was_said(const struct stage *stage, const char *line)
{
    bool seen = false;
    for (size_t i = 0; i < stage->n_journal; i++)
        seen = seen || strcmp(hm_json_get_str(stage->journal[i].event.data, "said", ""), line) == 0;
    return seen;
}

/* When the time is over it goes on by itself, after a restart too; a click comes too late then. */
static void test_manual_goes_on(void **state)
{
    (void)state;
    struct stage stage;
    const char *text = "";
    char nonce[17];
    for (int crash = 0; crash < 2; crash++) {
        begin(&stage, "timer", "x1");
        assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
        memcpy(nonce, asked(&stage)->nonce, sizeof nonce);
        stage_advance(&stage, INT64_C(20) * 60000 - 1000);
        assert_non_null(asked(&stage));
        assert_int_equal(stage_writes(&stage, "x1"), 0);
        if (crash == 1)
            stage_crash(&stage, false);
        stage_advance(&stage, 1001);
        assert_true(was_said(&stage, "over: true, by –"));
        assert_string_equal(stage_ending(&stage, NULL), "done");
        assert_int_equal(stage_writes(&stage, "x1"), 1);
        const struct hm_input late = {.kind = HM_IN_DONE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce};
        hm_runner_click(stage.runner, stage.run_id, &late, stage_keep_reply, &stage);
        stage_settle(&stage);
        assert_int_equal(stage.reply.kind, HM_REPLY_RUN_OVER);
        stage_done(&stage);
    }

    begin(&stage, "timer", "x1"); /* and not when somebody was quicker */
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_say(&stage, HM_IN_DONE, "U0BEN", NULL, NULL), HM_REPLY_ANSWERED);
    assert_true(was_said(&stage, "over: false, by U0BEN"));
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);

    begin(&stage, "stopper", "x1");
    stage_advance(&stage, INT64_C(20) * 60000 + 1);
    assert_string_equal(stage_ending(&stage, &text), "expired");
    assert_string_equal(text, "Nobody answered in time. Nothing was changed.");
    stage_done(&stage);
}

/* ---- on_error = "ask" ---------------------------------------------------------------------------------------------------- */

static void test_error_is_asked(void **state)
{
    (void)state;
    static const struct {
        enum hm_input_kind word;
        const char *ending;
        unsigned writes;
    } rows[] = {{HM_IN_RETRY, "done", 2}, {HM_IN_SKIP, "partial", 1}, {HM_IN_GIVE_UP, "failed", 1}};
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct stage stage;
        begin(&stage, "error", "x1");
        stage.write_fate = STAGE_400;
        stage.write_fate_for = 1;
        (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
        assert_int_equal(asked(&stage)->kind, HM_QUESTION_ERROR);
        assert_string_equal(asked(&stage)->text, "fake answered HTTP 400");
        assert_int_equal(stage_click(&stage, rows[i].word, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
        stage_crash(&stage, false);
        stage_settle(&stage);
        assert_string_equal(stage_ending(&stage, NULL), "");
        assert_int_equal(stage_click(&stage, rows[i].word, "U0CAM", NULL), HM_REPLY_ANSWERED);
        assert_string_equal(stage_ending(&stage, NULL), rows[i].ending);
        assert_int_equal(stage_writes(&stage, "x1"), rows[i].writes);
        stage_done(&stage);
    }
}

static enum stage_fate b_fails_once(const char *id, unsigned write)
{
    return strcmp(id, "b") == 0 && write == 1 ? STAGE_400 : STAGE_OK;
}

/* The others wait while a person is asked; then the row goes on. */
static void test_error_of_an_item(void **state)
{
    (void)state;
    for (int retry = 0; retry < 2; retry++) {
        struct stage stage;
        begin(&stage, "each-error", "");
        stage.fate_of = b_fails_once;
        assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "5"), HM_REPLY_APPROVED);
        assert_int_equal(asked(&stage)->kind, HM_QUESTION_ERROR);
        assert_int_equal(stage_writes(&stage, "e"), 0);
        assert_int_equal(stage_click(&stage, retry ? HM_IN_RETRY : HM_IN_SKIP, "U0BEN", NULL), HM_REPLY_ANSWERED);
        assert_string_equal(stage_ending(&stage, NULL), retry ? "done" : "partial");
        assert_int_equal(stage_writes(&stage, "e"), 1);
        assert_int_equal(stage_writes(&stage, "a"), 1);
        assert_int_equal(stage_writes(&stage, "b"), retry ? 2 : 1);
        stage_done(&stage);
    }
}

/* A failed check is made again; what it checks is not sent again. */
static void test_error_of_a_check(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "verify-error", "x1");
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    stage_advance(&stage, 5000);
    assert_int_equal(asked(&stage)->kind, HM_QUESTION_ERROR);
    for (size_t i = 0; i < stage.n_things; i++)
        stage.things[i].off = true;
    assert_int_equal(stage_click(&stage, HM_IN_RETRY, "U0BEN", NULL), HM_REPLY_ANSWERED);
    stage_advance(&stage, 5000);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_writes(&stage, "x1"), 1);
    stage_done(&stage);
}

/* ---- offer --------------------------------------------------------------------------------------------------------------- */

static void test_offer(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "offer", "x1");
    assert_string_equal(stage_ending(&stage, NULL), "done");
    const json_t *offers = NULL;
    for (size_t i = 0; i < stage.n_journal; i++)
        if (stage.journal[i].event.type == HM_EV_OFFERS_MADE)
            offers = hm_json_get_arr(stage.journal[i].event.data, "offers");
    assert_int_equal(json_array_size(offers), 2); /* one of the three was not wanted */
    const json_t *first = json_array_get(offers, 0);
    assert_string_equal(hm_json_get_str(first, "label", ""), "By hand: x1");
    assert_string_equal(hm_json_get_str(hm_json_get_obj(first, "with"), "id", ""), "x1");

    static const struct {
        const char *user, *key;
        enum hm_reply_kind reply;
    } rows[] = {
        {"U0DAN", "7", HM_REPLY_OFFER_TAKEN},
        {"U0DAN", "7", HM_REPLY_OFFER_TAKEN}, /* the same click, after a restart: still his */
        {"U0DAN", "8", HM_REPLY_OFFER_GONE},
        {"U0BEN", "7", HM_REPLY_OFFER_GONE},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        const struct hm_input in = {.kind = HM_IN_OFFER,
                                    .user = rows[i].user,
                                    .user_team = "T0SIM",
                                    .nonce = hm_json_get_str(first, "nonce", ""),
                                    .typed = rows[i].key};
        hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
        stage_settle(&stage);
        if (stage.reply.kind != rows[i].reply)
            fail_msg("row %zu: %d", i, (int)stage.reply.kind);
    }
    assert_int_equal(stage_count(&stage, HM_EV_OFFER_TAKEN), 1);
    assert_int_equal(stage_click(&stage, HM_IN_OFFER, "U0BEN", "9"), HM_REPLY_RUN_OVER); /* no such button */
    stage_done(&stage);
}

/* ---- several gates ------------------------------------------------------------------------------------------------------- */

static void test_two_gates(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "two-gates", "x1");
    assert_int_equal(hm_run_open_gate(stage_run(&stage))->n_plan, 1);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    assert_int_equal(stage_effects(&stage, "other-x1"), 0);
    assert_int_equal(hm_run_open_gate(stage_run(&stage))->n_plan, 1);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "other-x1"), 1);
    stage_done(&stage);

    const char *text = "";
    begin(&stage, "two-gates", "x1");
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    assert_int_equal(stage_click(&stage, HM_IN_REJECT, "U0BEN", NULL), HM_REPLY_REJECTED);
    assert_string_equal(stage_ending(&stage, &text), "rejected");
    assert_string_equal(text, "The rest was not sent.");
    stage_done(&stage);
}

/* ---- crashes ------------------------------------------------------------------------------------------------------------- */

/* Whoever is asked answers: the first of the list, "done", "retry". */
static void answer_if_asked(struct stage *stage)
{
    const struct hm_run *run = stage_run(stage);
    const struct hm_question *q = run != NULL ? hm_run_open_question(run) : NULL;
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
    char nonce[17];
    struct hm_input in = {.user = "U0BEN", .user_team = "T0SIM", .nonce = nonce};
    for (size_t i = 0; run != NULL && i < run->recipe->n_steps; i++)
        if (run->steps[i].n_in[HM_CALL_ASKING] > 0) { /* whether what was lost in the crash happened: b refused it */
            (void)stage_click(stage, HM_IN_STOP_HERE, "U0BEN", NULL);
            return;
        }
    if (q == NULL && gate == NULL)
        return;
    memcpy(nonce, q != NULL ? q->nonce : gate->nonce, sizeof nonce);
    in.kind = q == NULL                      ? HM_IN_APPROVE
              : q->kind == HM_QUESTION_ERROR ? HM_IN_RETRY
              : q->kind == HM_QUESTION_DONE  ? HM_IN_DONE
                                             : HM_IN_CHOOSE;
    in.typed = q == NULL ? gate->typed : "{\"choice\":\"1\"}";
    hm_runner_click(stage->runner, stage->run_id, &in, stage_keep_reply, stage);
}

static unsigned play(struct stage *stage, const char *recipe, unsigned die_at, bool arrived)
{
    unsigned steps = 0;
    const struct hm_recipe *r = NULL;
    stage_init(stage, all);
    stage->fate_of = b_fails_once;
    stage->hold = true;
    r = hm_recipes_find(&stage->recipes, recipe);
    assert_int_equal(stage_start(stage, recipe, r->n_params > 0 ? "b" : "", NULL), HM_OK);
    for (unsigned round = 0; round < 60 && stage_ending(stage, NULL)[0] == '\0'; round++) {
        answer_if_asked(stage);
        do {
            if (steps++ != die_at)
                continue;
            stage_crash(stage, arrived);
            if (stage->n_journal == 0)
                assert_int_equal(stage_start(stage, recipe, r->n_params > 0 ? "b" : "", NULL), HM_OK);
        } while (stage_step(stage));
        stage_advance(stage, 4000);
    }
    return steps;
}

static void test_crash_sweep(void **state)
{
    (void)state;
    static const struct {
        const char *recipe;
        unsigned most_writes;
    } rows[] = {{"one", 1}, {"manual", 1}, {"error", 3}, {"each-error", 3}, {"offer", 0}};
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        unsigned points = UINT32_MAX;
        for (unsigned die_at = 0; die_at <= points && die_at < 300; die_at++) {
            struct stage stage;
            unsigned steps = play(&stage, rows[i].recipe, die_at, true);
            if (die_at >= steps)
                points = die_at;
            bool once = strcmp(rows[i].recipe, "one") == 0 || strcmp(rows[i].recipe, "manual") == 0;
            const char *ending = stage_ending(&stage, NULL);
            /* `once` and b's refusal: the run is failed, honestly */
            if (strcmp(ending, once ? "failed" : "done") != 0)
                fail_msg("%s, died at step %u: ended \"%s\"", rows[i].recipe, die_at, ending);
            for (size_t t = 0; t < stage.n_things; t++)
                if (stage.things[t].writes > rows[i].most_writes)
                    fail_msg("%s, died at step %u: %u writes", rows[i].recipe, die_at, stage.things[t].writes);
            stage_done(&stage);
        }
        assert_true(points != UINT32_MAX && points > 2);
    }
}

/* An empty list: there is nothing to ask. */
static void test_nothing_to_choose(void **state)
{
    (void)state;
    struct stage stage;
    static const char *const texts[] = {
        HEAD("none") "params = ();\nsteps = ( { id = \"look\"; do = \"fake.get\"; with = { id = \"x\"; }; },\n"
                     "{ id = \"which\"; ask = { question = \"Which?\"; from = \"look.none\"; many = true; };"
                     " stop_if = { when = \"not which\"; say = \"None.\"; }; } );",
        NULL};
    stage_init(&stage, texts);
    assert_int_equal(stage_start(&stage, "none", "", NULL), HM_OK);
    const char *text = "";
    assert_string_equal(stage_ending(&stage, &text), "failed"); /* no list at all */
    assert_non_null(strstr(text, "is not a list"));
    stage_done(&stage);

    stage_init(&stage, texts);
    stage.empty = true;
    assert_int_equal(stage_start(&stage, "none", "", NULL), HM_OK);
    assert_string_equal(stage_ending(&stage, &text), "stopped");
    assert_string_equal(text, "None.");
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose_one),
        cmocka_unit_test(test_wrong_choices),
        cmocka_unit_test(test_choose_many),
        cmocka_unit_test(test_questions_expire),
        cmocka_unit_test(test_fill_in),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_manual_goes_on),
        cmocka_unit_test(test_error_is_asked),
        cmocka_unit_test(test_error_of_an_item),
        cmocka_unit_test(test_error_of_a_check),
        cmocka_unit_test(test_offer),
        cmocka_unit_test(test_two_gates),
        cmocka_unit_test(test_crash_sweep),
        cmocka_unit_test(test_nothing_to_choose),
    };
    return cmocka_run_group_tests_name("run_ask", tests, NULL, NULL);
}
