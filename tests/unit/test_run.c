/* The run core on its stage: gates, effects, unknown outcomes, restarts; and the crash sweep: die before or after every commit,
 * with the request under way arrived or not, and the end must be the same, with no write twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/stage.h"

#define HEAD(name)    "name = \"" name "\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
#define PARAM         "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
#define GATE(more)    "{ id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; expires = \"15m\"; " more "},\n"
#define LOOK          "{ id = \"look\"; do = \"fake.get\"; with = { id = \"${id}\"; }; },\n"
#define WRITE(action) "{ id = \"write\"; do = \"" action "\"; with = { id = \"${id}\"; }; }"

static const char once_recipe[] = HEAD("once") PARAM "steps = (" LOOK GATE("") WRITE("fake.once") ");";
static const char idem_recipe[] = HEAD("idem") PARAM "steps = (" LOOK GATE("") WRITE("fake.idem") ");";
static const char blind_recipe[] = HEAD("blind") PARAM "steps = (" LOOK GATE("") WRITE("fake.blind") ");";
static const char plain_recipe[] = HEAD("plain") PARAM "steps = (" LOOK GATE("") WRITE("fake.plain") ");";
static const char typed_recipe[] = HEAD("typed") PARAM "steps = (" GATE("typed = \"${id}\"; need = 2; ") WRITE("fake.once") ");";
static const char verify_recipe[] =
    HEAD("verified") PARAM "steps = (" LOOK GATE("") "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; };"
                                                     "  verify = { do = \"fake.get\"; with = { id = \"${id}\"; }; expect = \"not "
                                                     "verify.on\"; every = \"2s\"; within = \"10s\"; }; },\n"
                                                     "{ id = \"end\"; say = \"`${id}` is off: ${write.ok}.\"; } );";
static const char stop_recipe[] = HEAD("stop") PARAM
    "steps = ( { id = \"look\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
    " stop_if = { when = \"not look.on\"; say = \"${id} is off already.\"; }; },\n" GATE("") WRITE("fake.once") ");";
static const char silent_stop_recipe[] = HEAD("silent-stop") PARAM
    "steps = ( { id = \"look\"; title = \"Look <at> it\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
    " stop_if = { when = \"not look.on and look.on != 'a<b'\"; }; },\n" GATE("") WRITE("fake.once") ");";
static const char each_recipe[] =
    HEAD("each") "params = ();\n"
                 "steps = ( { id = \"list\"; do = \"fake.list\"; },\n"
                 "{ id = \"gate\"; approve = \"All ${count(list.items)}?\"; by = [ \"hausmeister\" ]; },\n"
                 "{ id = \"write\"; foreach = \"list.items\"; as = \"thing\"; parallel = 2; on_error = \"continue\"; do = "
                 "\"fake.once\";"
                 " with = { id = \"${thing.id}\"; }; } );";
static const char poll_recipe[] =
    HEAD("poll") "params = ();\nsteps = ( { id = \"read\"; do = \"fake.poll\"; say = \"page ${read.page}\"; } );";
static const char pages_recipe[] =
    HEAD("pages") "params = ();\nsteps = ( { id = \"read\"; do = \"fake.pages\"; say = \"page ${read.page}\"; } );";
static const char until_recipe[] =
    HEAD("until") PARAM "steps = ( { id = \"wait\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
                        " until = { when = \"not wait.on\"; every = \"5s\"; within = \"20s\"; }; } );";
static const char until_said_recipe[] =
    HEAD("until-said") PARAM "steps = ( { id = \"wait\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
                             " until = { when = \"not wait.on\"; every = \"5s\"; within = \"20s\";"
                             " say = \"On is *${wait.on}*: look at `${id}`.\"; }; } );";
static const char *const all[] = {once_recipe,   idem_recipe,       blind_recipe,       plain_recipe, typed_recipe,
                                  verify_recipe, stop_recipe,       each_recipe,        pages_recipe, poll_recipe,
                                  until_recipe,  until_said_recipe, silent_stop_recipe, NULL};

static void begin(struct stage *stage, const char *recipe, const char *words)
{
    struct hm_err err = {0};
    stage_init(stage, all);
    enum hm_code code = stage_start(stage, recipe, words, &err);
    if (code != HM_OK)
        print_error("%s\n", err.msg);
    assert_int_equal(code, HM_OK);
}

static void test_story(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "verified", "x1");
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0ANA", NULL), HM_REPLY_OWN);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0EVE", NULL), HM_REPLY_OUTSIDER);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    stage_done(&stage);
}

static void keep_reply(void *arg, const struct hm_reply *r, const struct hm_run *run)
{
    (void)run;
    *(struct hm_reply *)arg = *r;
}

static void test_late_and_double_clicks(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "once", "x1");
    struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM"};
    char nonce[17];
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    in.nonce = nonce;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_null(stage_run(&stage));

    /* the run is over and gone from memory; the old button still gets an exact answer */
    struct hm_reply reply = {0};
    unsigned before = stage.replies;
    in.user = "U0CAM";
    hm_runner_click(stage.runner, stage.run_id, &in, keep_reply, &reply);
    stage_settle(&stage);
    assert_int_equal(stage.replies, before);
    assert_int_equal(reply.kind, HM_REPLY_ALREADY);
    assert_string_equal(reply.who, "U0BEN");
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    stage_done(&stage);
}

static void test_two_clicks_at_once(void **state)
{
    (void)state;
    struct stage stage;
    struct hm_reply first = {0};
    struct hm_reply second = {0};
    char nonce[17];
    begin(&stage, "once", "x1");
    memcpy(nonce, hm_run_open_gate(stage_run(&stage))->nonce, sizeof nonce);
    struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce};
    hm_runner_click(stage.runner, stage.run_id, &in, keep_reply, &first);
    in.user = "U0CAM";
    hm_runner_click(stage.runner, stage.run_id, &in, keep_reply, &second);
    assert_int_equal(first.kind, HM_REPLY_NONE); /* nothing is said before it is written */
    assert_int_equal(second.kind, HM_REPLY_NONE);
    stage_settle(&stage);
    assert_int_equal(first.kind, HM_REPLY_APPROVED);
    assert_int_equal(second.kind, HM_REPLY_ALREADY);
    assert_string_equal(second.who, "U0BEN");
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    assert_int_equal(stage_count(&stage, HM_EV_GATE_APPROVED), 1);
    stage_done(&stage);
}

static void test_typed_and_two_people(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "typed", "x1");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_NEED_TYPED);
    assert_string_equal(stage.reply.typed, "x1");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "x2"), HM_REPLY_WRONG_TYPED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "x1"), HM_REPLY_VOTED);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", "x1"), HM_REPLY_TWICE);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0CAM", "x1"), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);
}

static void test_unreadable_role_fails_closed(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "blind", "x1");
    stage.write_fate = STAGE_NEVER;
    stage.write_fate_for = 1;
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    stage.ana_is = HM_MEMBER_UNKNOWN;
    assert_int_equal(stage_click(&stage, HM_IN_DID_NOT, "U0ANA", NULL), HM_REPLY_ROLE_UNKNOWN);
    assert_int_equal(stage_writes(&stage, "x1"), 1);
    stage_done(&stage);

    begin(&stage, "once", "x1");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_done(&stage);
}

static void test_expiry_and_reject(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "once", "x1");
    stage_advance(&stage, INT64_C(15) * 60000 + 1);
    assert_string_equal(stage_ending(&stage, NULL), "expired");
    stage_done(&stage);

    begin(&stage, "once", "x1");
    assert_int_equal(stage_click(&stage, HM_IN_REJECT, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
    assert_int_equal(stage_click(&stage, HM_IN_REJECT, "U0ANA", NULL), HM_REPLY_REJECTED); /* taking it back */
    assert_string_equal(stage_ending(&stage, NULL), "rejected");
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_done(&stage);
}

static void test_stop_if(void **state)
{
    (void)state;
    static const struct {
        const char *recipe, *text;
    } cases[] = {
        {"stop", "x1 is off already."},
        {"silent-stop",
         "*Look &lt;at&gt; it*: the recipe ends here when `not look.on and look.on != 'a&lt;b'` holds, and it does."},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        const char *text = "";
        struct stage stage;
        stage_init(&stage, all);
        memcpy(stage.things[0].id, "x1", 3);
        stage.things[0].off = true;
        stage.n_things = 1;
        assert_int_equal(stage_start(&stage, cases[i].recipe, "x1", NULL), HM_OK);
        assert_string_equal(stage_ending(&stage, &text), "stopped");
        assert_string_equal(text, cases[i].text);
        stage_done(&stage);
    }
}

/* What a lost or bad answer to the write leads to, by effect. */
static void test_fates(void **state)
{
    (void)state;
    static const struct {
        const char *recipe;
        enum stage_fate fate;
        const char *ending; /* "" = it waits for a person's word */
        unsigned writes, effects;
    } cases[] = {
        {"once", STAGE_OK, "done", 1, 1},     {"once", STAGE_LOST, "done", 1, 1}, /* the probe saw it */
        {"once", STAGE_NEVER, "", 1, 0}, /* not seen for a minute, which proves nothing: never repeated, a person is asked */
        {"once", STAGE_500, "", 1, 0},        {"once", STAGE_REFUSED, "failed", 0, 0}, /* no retry asked for */
        {"once", STAGE_503, "failed", 1, 0},  {"once", STAGE_404, "failed", 1, 0},
        {"once", STAGE_400, "failed", 1, 0},  {"idem", STAGE_LOST, "done", 1, 1},  /* looked first, so not sent again */
        {"idem", STAGE_NEVER, "done", 2, 1},                                       /* has not happened: sent again */
        {"idem", STAGE_500, "done", 2, 1},    {"plain", STAGE_LOST, "done", 2, 2}, /* no probe: repeated, as its effect allows */
        {"plain", STAGE_NEVER, "done", 2, 1}, {"blind", STAGE_LOST, "", 1, 1},
        {"blind", STAGE_NEVER, "", 1, 0},     {"blind", STAGE_400, "failed", 1, 0},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct stage stage;
        begin(&stage, cases[i].recipe, "x1");
        stage.write_fate = cases[i].fate;
        stage.write_fate_for = 1;
        (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
        stage_advance(&stage, 60000);
        if (strcmp(stage_ending(&stage, NULL), cases[i].ending) != 0 || stage_writes(&stage, "x1") != cases[i].writes ||
            stage_effects(&stage, "x1") != cases[i].effects)
            fail_msg("case %zu (%s, fate %d): \"%s\", %u writes, %u effects", i, cases[i].recipe, (int)cases[i].fate,
                     stage_ending(&stage, NULL), stage_writes(&stage, "x1"), stage_effects(&stage, "x1"));
        stage_done(&stage);
    }
}

static unsigned calls_in(struct stage *stage, enum hm_call_phase phase)
{
    const struct hm_run *run = stage_run(stage);
    unsigned n = 0;
    for (size_t i = 0; run != NULL && i < run->recipe->n_steps; i++)
        n += (unsigned)run->steps[i].n_in[phase];
    return n;
}

/* As if the request had been in a queue until now. */
static void comes_about(struct stage *stage, const char *id)
{
    for (size_t i = 0; i < stage->n_things; i++)
        if (strcmp(stage->things[i].id, id) == 0)
            stage->things[i].off = true;
}

/* A `once` request of which nothing is seen is no request that did not happen: it is looked for until it can not come about any
 * more, and only then a person is asked. Not even a look that fails cuts that short. */
static void test_once_is_looked_for(void **state)
{
    (void)state;
    static const struct {
        int64_t settle_ms; /* the backend's; 0 = the action's: a minute */
        int64_t late_ms;   /* when it comes about */
        unsigned failing;  /* looks */
        bool seen;
    } cases[] = {
        {0, 1000, 0, true},        {0, 10000, 0, true},        {0, 55000, 0, true},
        {0, 61000, 0, false},      {10000, 5000, 0, true},     {10000, 11000, 0, false},
        {300000, 250000, 0, true}, {300000, 301000, 0, false}, {0, 40000, 3, true},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct stage stage;
        begin(&stage, "once", "x1");
        stage.backend.settle_ms = cases[i].settle_ms;
        stage.write_fate = STAGE_NEVER;
        stage.write_fate_for = 1;
        stage.read_fate = STAGE_500;
        stage.read_fate_for = cases[i].failing;
        (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
        for (int64_t at = 0; at < cases[i].late_ms; at += 1000)
            stage_advance(&stage, 1000);
        bool asked = calls_in(&stage, HM_CALL_ASKING) > 0;
        if (asked == cases[i].seen)
            fail_msg("case %zu: %s after %lld ms", i, asked ? "asked" : "not asked", (long long)cases[i].late_ms);
        comes_about(&stage, "x1");
        stage_advance(&stage, 31000);
        assert_string_equal(stage_ending(&stage, NULL), cases[i].seen ? "done" : "");
        assert_int_equal(stage_writes(&stage, "x1"), 1);
        if (asked) {
            assert_int_equal(stage_click(&stage, HM_IN_HAPPENED, "U0ANA", NULL), HM_REPLY_SETTLED);
            assert_string_equal(stage_ending(&stage, NULL), "done");
        }
        stage_done(&stage);
    }
}

/* A look is as old as its question: the machine was suspended while the answer was on its way. */
static void test_an_old_look_proves_nothing(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "once", "x1");
    stage.write_fate = STAGE_NEVER;
    stage.write_fate_for = 1;
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    stage_advance(&stage, 10000);
    for (int64_t at = 0; at < 30000 && stage.n_flights == 0; at += 1000) {
        stage.now_ms += 1000;
        hm_runner_time(stage.runner, stage.now_ms);
        while (stage.n_commits > 0)
            (void)stage_step(&stage);
    }
    assert_int_equal(stage.n_flights, 1);
    stage.now_ms += 600000;
    stage_settle(&stage);
    assert_int_equal(calls_in(&stage, HM_CALL_ASKING), 0);
    comes_about(&stage, "x1");
    stage_advance(&stage, 31000);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_writes(&stage, "x1"), 1);
    stage_done(&stage);
}

static void keep_status(void *arg, const struct hm_run *run)
{
    *(enum hm_run_status *)arg = run->status;
}

/* What was decided and is not stored may never be: whoever looks can tell. */
static void test_ahead_of_the_journal(void **state)
{
    (void)state;
    struct stage stage;
    enum hm_run_status status = HM_RUN_GOING;
    begin(&stage, "once", "x1");
    assert_false(hm_runner_committing(stage.runner, stage.run_id));
    assert_ptr_equal(hm_runner_find_stored(stage.runner, stage.run_id), stage_run(&stage));
    stage.current_gone = true;
    stage_crash(&stage, false);
    assert_true(hm_runner_committing(stage.runner, stage.run_id));
    assert_null(hm_runner_find_stored(stage.runner, stage.run_id));
    assert_true(hm_runner_visit(stage.runner, stage.run_id, keep_status, &status));
    assert_int_equal(status, HM_RUN_FAILED);

    stage.commits_fail = true;
    stage_settle(&stage);
    stage.current_gone = false;
    stage.commits_fail = false;
    assert_false(hm_runner_committing(stage.runner, stage.run_id));
    assert_null(hm_runner_find_stored(stage.runner, stage.run_id)); /* memory holds what was never written */
    stage_advance(&stage, 60000);
    assert_ptr_equal(hm_runner_find_stored(stage.runner, stage.run_id), stage_run(&stage));
    assert_true(hm_runner_visit(stage.runner, stage.run_id, keep_status, &status));
    assert_int_equal(status, HM_RUN_GOING);
    assert_false(hm_runner_unreadable(stage.runner, stage.run_id));
    stage_done(&stage);
}

static void test_a_person_settles(void **state)
{
    (void)state;
    static const struct {
        enum hm_input_kind word;
        const char *ending;
        unsigned writes;
    } cases[] = {
        {HM_IN_HAPPENED, "done", 1},
        {HM_IN_DID_NOT, "done", 2}, /* sent again: a person said so */
        {HM_IN_STOP_HERE, "failed", 1},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct stage stage;
        begin(&stage, "blind", "x1");
        stage.write_fate = STAGE_NEVER;
        stage.write_fate_for = 1;
        (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
        assert_int_equal(stage_click(&stage, cases[i].word, "U0DAN", NULL), HM_REPLY_NOT_IN_ROLE);
        stage_crash(&stage, false); /* the question survives a restart */
        stage_settle(&stage);
        assert_string_equal(stage_ending(&stage, NULL), "");
        assert_int_equal(stage_click(&stage, cases[i].word, "U0ANA", NULL), HM_REPLY_SETTLED);
        assert_string_equal(stage_ending(&stage, NULL), cases[i].ending);
        assert_int_equal(stage_writes(&stage, "x1"), cases[i].writes);
        stage_done(&stage);
    }
}

static void test_reads_are_repeated(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, all);
    stage.read_fate = STAGE_500;
    stage.read_fate_for = 2;
    assert_int_equal(stage_start(&stage, "once", "x1", NULL), HM_OK);
    stage_advance(&stage, 10000);
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    stage_done(&stage);

    stage_init(&stage, all);
    stage.read_fate = STAGE_500;
    stage.read_fate_for = 100;
    assert_int_equal(stage_start(&stage, "once", "x1", NULL), HM_OK);
    stage_advance(&stage, 60000);
    assert_string_equal(stage_ending(&stage, NULL), "failed");
    stage_done(&stage);
}

static void test_pages_and_until(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "pages", "");
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_count(&stage, HM_EV_CALL_STARTED), 3);
    stage_done(&stage);

    begin(&stage, "poll", "");
    for (unsigned asked = 1; asked < 3; asked++) {
        assert_int_equal(stage_count(&stage, HM_EV_CALL_STARTED), asked);
        stage_advance(&stage, 1999);
        assert_int_equal(stage_count(&stage, HM_EV_CALL_STARTED), asked);
        stage_advance(&stage, 1);
    }
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_count(&stage, HM_EV_CALL_STARTED), 3);
    stage_done(&stage);

    begin(&stage, "until", "x1");
    stage_advance(&stage, 12000);
    assert_string_equal(stage_ending(&stage, NULL), "");
    stage.things[0].off = true;
    stage_advance(&stage, 5000);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);

    const char *text = NULL;
    begin(&stage, "until", "x1");
    stage_advance(&stage, 30000);
    assert_string_equal(stage_ending(&stage, &text), "failed");
    assert_non_null(strstr(text, "it did not come about in time"));
    stage_done(&stage);

    begin(&stage, "until-said", "x1");
    stage_advance(&stage, 30000);
    assert_string_equal(stage_ending(&stage, &text), "failed");
    assert_non_null(strstr(text, "On is *true*: look at `x1`."));
    assert_null(strstr(text, "in time"));
    stage_done(&stage);
}

static void test_foreach_goes_on(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "each", "");
    assert_int_equal(hm_run_open_gate(stage_run(&stage))->n_plan, 5);
    stage.write_fate = STAGE_400;
    stage.write_fate_for = 2;
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    assert_string_equal(stage_ending(&stage, NULL), "partial");
    assert_int_equal(stage_effects(&stage, "c") + stage_effects(&stage, "d") + stage_effects(&stage, "e"), 3);
    stage_done(&stage);
}

/* The recipe's text or the backend changes while the gate is open, or between approval and sending: asked anew, nothing sent. */
static void test_changes_void_the_approval(void **state)
{
    (void)state;
    struct stage stage;
    char old[17];
    char *changed = hm_xasprintf("%s\n# changed\n", once_recipe);

    begin(&stage, "once", "x1");
    memcpy(old, hm_run_open_gate(stage_run(&stage))->nonce, sizeof old);
    stage_replace_recipe(&stage, changed);
    stage_settle(&stage);
    assert_int_equal(stage_count(&stage, HM_EV_RUN_REPLANNED), 1);
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    assert_string_not_equal(hm_run_open_gate(stage_run(&stage))->nonce, old);
    stage_done(&stage);

    /* approved, and before the request is started the process dies and comes back with another backend URL */
    begin(&stage, "once", "x1");
    memcpy(old, hm_run_open_gate(stage_run(&stage))->nonce, sizeof old);
    free(stage.backend.url);
    stage.backend.url = hm_xstrdup("http://127.0.0.1:2");
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_STALE);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    stage_done(&stage);

    begin(&stage, "once", "x1");
    stage.current_gone = true;
    hm_runner_changed(stage.runner);
    stage_settle(&stage);
    assert_string_equal(stage_ending(&stage, NULL), "failed");
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage_done(&stage);
    free(changed);
}

/* A disk that is full: the click is told, nothing is decided, and it works once there is room again. */
static void test_failed_commits(void **state)
{
    (void)state;
    struct stage stage;
    begin(&stage, "once", "x1");
    stage.commits_fail = true;
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_NOT_STORED);
    assert_int_equal(stage_writes(&stage, "x1"), 0);
    stage.commits_fail = false;
    stage_advance(&stage, 6000);
    assert_non_null(hm_run_open_gate(stage_run(&stage)));
    assert_int_equal(stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL), HM_REPLY_APPROVED);
    assert_string_equal(stage_ending(&stage, NULL), "done");
    assert_int_equal(stage_effects(&stage, "x1"), 1);
    stage_done(&stage);

    stage_init(&stage, all);
    stage.commits_fail = true;
    assert_int_equal(stage_start(&stage, "once", "x1", NULL), HM_OK);
    assert_int_equal(stage.started, HM_EIO);
    assert_int_equal(hm_runner_count(stage.runner), 0);
    stage_done(&stage);
}

/* Asks for the run, as the envelope that is still open in the inbox would. */
static void ask(struct stage *stage, const char *recipe)
{
    struct hm_err err = {0};
    const struct hm_recipe *r = hm_recipes_find(&stage->recipes, recipe);
    assert_non_null(r);
    stage->hold = true;
    assert_int_equal(stage_start(stage, recipe, r->n_params > 0 ? "x1" : "", &err), HM_OK);
}

static void approve_if_open(struct stage *stage)
{
    const struct hm_run *run = stage_run(stage);
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
    static struct hm_reply reply;
    char nonce[17];
    if (gate == NULL)
        return;
    memcpy(nonce, gate->nonce, sizeof nonce);
    const struct hm_input in = {.kind = HM_IN_APPROVE, .user = "U0BEN", .user_team = "T0SIM", .nonce = nonce};
    hm_runner_click(stage->runner, stage->run_id, &in, keep_reply, &reply);
}

/* Plays to the end, dying at step `die_at` (a commit or an answer); Ben approves whenever a gate is open. Returns the number of
 * steps that were there to die at. */
static unsigned play(struct stage *stage, const char *recipe, unsigned die_at, bool arrived)
{
    unsigned steps = 0;
    stage_init(stage, all);
    ask(stage, recipe);
    for (unsigned round = 0; round < 200 && stage_ending(stage, NULL)[0] == '\0'; round++) {
        approve_if_open(stage);
        do {
            if (steps++ != die_at)
                continue;
            stage_crash(stage, arrived);
            if (stage->n_journal == 0)
                ask(stage, recipe);
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
        bool arrived;
        const char *ending;
    } cases[] = {
        {"verified", true, "done"}, {"once", true, "done"},  {"idem", true, "done"},   {"idem", false, "done"},
        {"each", true, "done"},     {"pages", true, "done"}, {"pages", false, "done"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        unsigned points = UINT32_MAX;
        for (unsigned die_at = 0; die_at <= points && die_at < 1000; die_at++) {
            struct stage stage;
            unsigned steps = play(&stage, cases[i].recipe, die_at, cases[i].arrived);
            if (die_at >= steps)
                points = die_at; /* this one ran through undisturbed: the last */
            if (strcmp(stage_ending(&stage, NULL), cases[i].ending) != 0)
                fail_msg("%s, died at step %u: ended \"%s\"", cases[i].recipe, die_at, stage_ending(&stage, NULL));
            for (size_t t = 0; t < stage.n_things; t++)
                if (stage.things[t].writes > 1 || stage.things[t].effects > 1)
                    fail_msg("%s, died at step %u: %s was written %u times", cases[i].recipe, die_at, stage.things[t].id,
                             stage.things[t].writes);
            stage_done(&stage);
        }
        assert_true(points != UINT32_MAX && points > 3);
    }
}

/* A once request that was lost in a crash, and has not happened: never sent again by itself, and a person is asked. */
static void test_once_is_never_repeated(void **state)
{
    (void)state;
    for (unsigned die_at = 0; die_at < 12; die_at++) {
        struct stage stage;
        (void)play(&stage, "once", die_at, false);
        assert_true(stage_writes(&stage, "x1") <= 1);
        if (stage_writes(&stage, "x1") == 0 || stage_effects(&stage, "x1") == 0)
            assert_int_equal(calls_in(&stage, HM_CALL_ASKING), 1);
        else
            assert_string_equal(stage_ending(&stage, NULL), "done");
        stage_done(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_late_and_double_clicks),
        cmocka_unit_test(test_two_clicks_at_once),
        cmocka_unit_test(test_typed_and_two_people),
        cmocka_unit_test(test_unreadable_role_fails_closed),
        cmocka_unit_test(test_expiry_and_reject),
        cmocka_unit_test(test_stop_if),
        cmocka_unit_test(test_fates),
        cmocka_unit_test(test_once_is_looked_for),
        cmocka_unit_test(test_an_old_look_proves_nothing),
        cmocka_unit_test(test_ahead_of_the_journal),
        cmocka_unit_test(test_a_person_settles),
        cmocka_unit_test(test_reads_are_repeated),
        cmocka_unit_test(test_pages_and_until),
        cmocka_unit_test(test_foreach_goes_on),
        cmocka_unit_test(test_changes_void_the_approval),
        cmocka_unit_test(test_failed_commits),
        cmocka_unit_test(test_crash_sweep),
        cmocka_unit_test(test_once_is_never_repeated),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
