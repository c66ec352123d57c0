/* The cards of what people are asked and offered, of runs that wait for a lock or are held, the dialogs of questions, and the
 * list of runs: made by real runs on the stage, as golden files; Slack's limits always. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "run_recipes.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "support/stage.h"
#include "view/card.h"
#include "view/dialog.h"
#include "view/runs.h"

static const char one_recipe[] =
    HEAD("one") "params = ();\nsteps = (" LIST "{ id = \"which\"; ask = { question = \"Which of *${count(list.items)}*?\"; from "
                "= \"list.items\"; label = \"thing <${item.id}>\"; }; },\n"
                "{ id = \"gate\"; approve = \"Off: ${which.id}?\"; by = [ \"hausmeister\" ]; },\n"
                "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${which.id}\"; }; } );";
static const char form_recipe[] =
    HEAD("form") "params = ();\nsteps = (\n"
                 "{ id = \"form\"; ask = { question = \"A few *words*\"; fields = ( { name = \"amount\"; type = \"int\"; help = "
                 "\"n\"; min = 1; max = 9; },"
                 " { name = \"sure\"; type = \"bool\"; help = \"really\"; default = false; }, { name = \"day\"; type = \"date\"; "
                 "help = \"when\"; optional = true; },"
                 " { name = \"where\"; type = \"choice\"; help = \"which one\"; choices = ( \"foz\", \"cantareira\" ); default = "
                 "\"foz\"; },"
                 " { name = \"note\"; type = \"string\"; help = \"why\"; max_len = 50; } ); }; } );";
static const char manual_recipe[] =
    HEAD("manual") PARAM "steps = (\n"
                         "{ id = \"hand\"; manual = \"Pull the plug of ${id}.\"; evidence = true; },\n"
                         "{ id = \"next\"; title = \"What next\"; offer = ( { recipe = \"manual\"; label = \"Again <${id}>\"; "
                         "with = { id = \"${id}\"; }; }, { recipe = \"one\"; label = \"Another\"; } ); } );";
static const char error_recipe[] = HEAD("error") PARAM "lock = \"thing/${id}\";\nsteps = (" GATE(
    "") "{ id = \"write\"; do = \"fake.plain\"; with = { id = \"${id}\"; }; on_error = \"ask\"; } );";
static const char until_recipe[] =
    HEAD("until") PARAM "steps = ( { id = \"wait\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
                        " until = { when = \"not wait.on\"; every = \"5s\"; within = \"20s\"; }; } );";
static const char slow_recipe[] =
    "name = \"slow\"; title = \"slow\"; timeout = \"2d\"; " PARAM "lock = \"thing/${id}\";\nsteps = (\n"
    "{ id = \"gate\"; approve = \"Now?\"; by = [ \"hausmeister\" ]; expires = \"1d\"; },\n"
    "{ id = \"write\"; do = \"fake.plain\"; with = { id = \"${id}\"; }; } );";
static const char *const all[] = {one_recipe, form_recipe, manual_recipe, error_recipe, until_recipe, slow_recipe, NULL};

static const struct hm_card_around nobody = {0};

static void render(const struct hm_run *run, const struct hm_card_around *around, struct hm_strbuf *out, const char *title)
{
    struct hm_slack_message m = {0};
    char why[300] = "";
    hm_card_render_around(run, around, &m);
    if (!hm_limits_message(m.text, m.blocks, why, sizeof why))
        fail_msg("%s: %s", title, why);
    char *text = hm_block_text(m.blocks);
    hm_strbuf_addf(out, "---- %s\n%s\n%s\n", title, m.text, text);
    free(text);
    hm_slack_message_done(&m);
}

static void start(struct stage *stage, const char *recipe, const char *words)
{
    stage_init(stage, all);
    assert_int_equal(stage_start(stage, recipe, words, NULL), HM_OK);
}

struct over {
    struct hm_strbuf *out;
    const char *title;
};

static void visit_over(void *arg, const struct hm_run *run)
{
    struct over *over = arg;
    render(run, &nobody, over->out, over->title);
}

/* A run that is over, from the journal. */
static void render_over(struct stage *stage, struct hm_strbuf *out, const char *title)
{
    struct over over = {out, title};
    assert_true(hm_runner_visit(stage->runner, stage->run_id, visit_over, &over));
    assert_false(hm_runner_visit(stage->runner, "r-none", visit_over, &over));
}

static void questions(struct hm_strbuf *out)
{
    struct stage stage;
    start(&stage, "one", "");
    render(stage_run(&stage), &nobody, out, "choose");
    (void)stage_click(&stage, HM_IN_CHOOSE, "U0ANA", "{\"choice\":\"2\"}");
    render(stage_run(&stage), &nobody, out, "chosen");
    stage_done(&stage);

    start(&stage, "form", "");
    render(stage_run(&stage), &nobody, out, "fill in");
    stage_done(&stage);

    start(&stage, "manual", "x1");
    render(stage_run(&stage), &nobody, out, "by hand");
    (void)stage_say(&stage, HM_IN_DONE, "U0BEN", NULL, "ticket <12>");
    render_over(&stage, out, "done by hand, two offers");
    stage_done(&stage);

    start(&stage, "error", "x1");
    stage.write_fate = STAGE_400;
    stage.write_fate_for = 2;
    (void)stage_click(&stage, HM_IN_APPROVE, "U0BEN", NULL);
    render(stage_run(&stage), &nobody, out, "an error");
    (void)stage_click(&stage, HM_IN_SKIP, "U0BEN", NULL);
    render_over(&stage, out, "passed over");
    stage_done(&stage);

    start(&stage, "until", "x1");
    stage_advance(&stage, 7000);
    render(stage_run(&stage), &nobody, out, "until");
    stage_done(&stage);
}

static void offer_taken(struct hm_strbuf *out)
{
    struct stage stage;
    const char *nonce = "";
    start(&stage, "manual", "x1");
    (void)stage_say(&stage, HM_IN_DONE, "U0BEN", NULL, NULL);
    for (size_t i = 0; i < stage.n_journal; i++)
        if (stage.journal[i].event.type == HM_EV_OFFERS_MADE)
            nonce = hm_json_get_str(json_array_get(hm_json_get_arr(stage.journal[i].event.data, "offers"), 0), "nonce", "");
    const struct hm_input in = {.kind = HM_IN_OFFER, .user = "U0CAM", .user_team = "T0SIM", .nonce = nonce, .typed = "1"};
    hm_runner_click(stage.runner, stage.run_id, &in, stage_keep_reply, &stage);
    stage_settle(&stage);
    render_over(&stage, out, "an offer was taken");
    stage_done(&stage);
}

static void locks_and_hold(struct hm_strbuf *out)
{
    static const struct hm_card_around held = {.held_by = "U0CAM", .held_ms = 1763860000000};
    static const struct hm_card_around looking = {.read_only = true};
    struct stage stage;
    start(&stage, "error", "x1");
    stage.requester = "U0BEN";
    assert_int_equal(stage_start(&stage, "error", "x1", NULL), HM_OK);
    render(stage_run(&stage), &nobody, out, "waiting for a lock");
    render(stage_run(&stage), &held, out, "waiting, and everything is stopped");
    render(stage_run(&stage), &looking, out, "only looking");
    stage_done(&stage);
}

static void test_cards(void **state)
{
    (void)state;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 1000000);
    questions(&out);
    offer_taken(&out);
    locks_and_hold(&out);
    assert_true(hm_golden_matches("view/cards_ask.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
}

/* ---- dialogs -------------------------------------------------------------------------------------------------------------- */

static void add_view(struct hm_strbuf *out, const char *title, json_t *stolen_view)
{
    char why[300] = "";
    assert_non_null(stolen_view);
    if (!hm_limits_view(stolen_view, why, sizeof why))
        fail_msg("%s: %s", title, why);
    char *json = json_dumps(stolen_view, JSON_INDENT(1) | JSON_SORT_KEYS);
    hm_strbuf_addf(out, "---- %s\n%s\n", title, json);
    free(json);
    json_decref(stolen_view);
}

static void test_dialogs(void **state)
{
    (void)state;
    struct hm_strbuf out;
    struct stage stage;
    struct hm_err err = {0};
    hm_strbuf_init(&out, 1000000);
    start(&stage, "one", "");
    add_view(&out, "choose one of five", hm_dialog_ask_new(stage_run(&stage), 1, &err));
    stage_done(&stage);
    stage_init(&stage, all);
    stage.list_n = 250;
    assert_int_equal(stage_start(&stage, "one", "", NULL), HM_OK);
    add_view(&out, "choose one of 250", hm_dialog_ask_new(stage_run(&stage), 1, &err));
    stage_done(&stage);
    start(&stage, "form", "");
    add_view(&out, "fill in", hm_dialog_ask_new(stage_run(&stage), 0, &err));
    stage_done(&stage);
    start(&stage, "manual", "x1");
    add_view(&out, "evidence", hm_dialog_evidence_new(stage_run(&stage), 0, &err));
    stage_done(&stage);
    assert_true(hm_golden_matches("view/dialogs_ask.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
}

static void test_search(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        size_t found;
        const char *first;
    } rows[] = {
        {"", 100, "0"},         {"t24", 11, "24"}, {"T24 THING", 11, "24"}, {"thing t249", 1, "249"},
        {"t249 t248", 0, NULL}, {"  ", 100, "0"},  {"nothing", 0, NULL},    {"a b c d e f g h i j", 0, NULL},
    };
    struct stage stage;
    stage_init(&stage, all);
    stage.list_n = 250;
    assert_int_equal(stage_start(&stage, "one", "", NULL), HM_OK);
    const struct hm_question *question = hm_run_open_question(stage_run(&stage));
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        char *text = hm_dialog_options(question, rows[i].typed);
        json_t *payload = hm_json_parse_new(text, strlen(text), 100000, NULL);
        const json_t *options = hm_json_get_arr(payload, "options");
        assert_int_equal(json_array_size(options), rows[i].found);
        assert_true(strlen(text) < 20480); /* the largest ack */
        if (rows[i].first != NULL)
            assert_string_equal(hm_json_get_str(json_array_get(options, 0), "value", ""), rows[i].first);
        json_decref(payload);
        free(text);
    }
    char *none = hm_dialog_options(NULL, "x");
    assert_string_equal(none, "{\"options\":[]}");
    free(none);
    stage_done(&stage);
}

/* ---- the list ------------------------------------------------------------------------------------------------------------- */

static void test_list(void **state)
{
    (void)state;
    static const struct hm_run_line recent[] = {
        {"r-old1", "retract", "U0BEN", NULL, HM_RUN_DONE, 1763850000000, 1763850100000},
        {"r-old2", "a<b>", "U0CAM", NULL, HM_RUN_STATUS_NR, 1763840000000, 1763840100000},
    };
    static const struct hm_card_around held = {.held_by = "U0CAM", .held_ms = 1763860000000};
    struct stage stage;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 100000);
    start(&stage, "error", "x1");
    char first[32];
    memcpy(first, stage.run_id, sizeof first);
    assert_int_equal(stage_start(&stage, "error", "x1", NULL), HM_OK);
    char second[32];
    memcpy(second, stage.run_id, sizeof second);
    assert_int_equal(stage_start(&stage, "one", "", NULL), HM_OK);
    const char *const ids[] = {first, second, stage.run_id};
    struct hm_run_line going[3];
    for (size_t i = 0; i < 3; i++) {
        const struct hm_run *run = hm_runner_find(stage.runner, ids[i]);
        going[i] = (struct hm_run_line){run->id, run->recipe->name, run->requester, run, HM_RUN_GOING, run->started_ms, 0};
    }
    const struct hm_run_list lists[] = {{NULL, NULL, 0, 0, 0}, {going, recent, 3, 2, 3}, {going, recent, 3, 2, 40}};
    for (size_t i = 0; i < HM_ARRAY_LEN(lists); i++) {
        struct hm_slack_message m = {0};
        hm_runs_render(&lists[i], i == 2 ? &held : &nobody, "/hausmeister", &m);
        char *text = hm_block_text(m.blocks);
        hm_strbuf_addf(&out, "---- %zu\n%s\n%s\n", i, m.text, text);
        free(text);
        hm_slack_message_done(&m);
    }
    char *stop = hm_runs_hold_text(true, "U0ANA");
    char *resume = hm_runs_hold_text(false, "U0ANA");
    hm_strbuf_addf(&out, "---- audit\n%s\n%s\n", stop, resume);
    free(stop);
    free(resume);
    assert_true(hm_golden_matches("view/runs.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
    stage_done(&stage);
}

/* What closes tomorrow does not look as if it closed in a minute. */
static void test_tomorrow(void **state)
{
    (void)state;
    struct stage stage;
    struct hm_strbuf out;
    stage_init(&stage, all);
    hm_strbuf_init(&out, SIZE_MAX / 2);
    assert_int_equal(stage_start(&stage, "slow", "x1", NULL), HM_OK);
    render(stage_run(&stage), &nobody, &out, "gate");
    assert_int_equal(stage_start(&stage, "slow", "x1", NULL), HM_OK);
    render(stage_run(&stage), &nobody, &out, "lock");
    const char *text = hm_strbuf_str(&out);
    assert_non_null(strstr(text, "approval* until <!date^1763946400^{date_short_pretty}, {time}|2025-11-24 01:06 UTC>"));
    assert_non_null(strstr(text, "closes at <!date^1763946400^{date_short_pretty}, {time}|2025-11-24 01:06 UTC>"));
    assert_non_null(strstr(text, "gives up at <!date^1764032800^{date_short_pretty}, {time}|2025-11-25 01:06 UTC>"));
    assert_non_null(strstr(text, "started at <!date^1763860000^{time}|01:06 UTC>"));
    hm_strbuf_done(&out);
    stage_done(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tomorrow), cmocka_unit_test(test_cards),
                                       cmocka_unit_test(test_dialogs), cmocka_unit_test(test_search),
                                       cmocka_unit_test(test_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
