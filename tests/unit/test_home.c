/* The Home tab and the dialog that decides from it: golden text, Slack's limits, hostile names. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "view/dialog.h"
#include "view/home.h"
#include "view_runs.h"

static void add(struct hm_strbuf *out, const char *name, json_t *stolen_view)
{
    char why[256] = "";
    assert_non_null(stolen_view);
    if (!hm_limits_view(stolen_view, why, sizeof why))
        fail_msg("%s: %s", name, why);
    char *text = hm_block_text(hm_json_get_arr(stolen_view, "blocks"));
    hm_strbuf_addf(out, "== %s\n%s\n", name, text);
    free(text);
    json_decref(stolen_view);
}

static struct hm_home_run going(struct hm_run *run)
{
    return (struct hm_home_run){.line = {.id = run->id,
                                         .recipe = run->recipe->name,
                                         .requester = run->requester,
                                         .run = run,
                                         .started_ms = run->started_ms},
                                .link = "https://team.slack.com/archives/C0OPS/p1795400040000100"};
}

static void test_golden(void **state)
{
    (void)state;
    struct hm_strbuf out;
    struct hm_err err = {0};
    hm_strbuf_init(&out, 100000);
    struct hm_home home = {.command = "/hausmeister"};
    add(&out, "nothing at all", hm_home_new(&home, &err));
    home.unsure = true;
    add(&out, "Slack does not say", hm_home_new(&home, &err));
    home.unsure = false;
    home.outsider = true;
    add(&out, "an outsider", hm_home_new(&home, &err));
    home.outsider = false;
    home.nobody_known = true;
    add(&out, "the workspace is not known", hm_home_new(&home, &err));
    home.nobody_known = false;

    struct view_run *waits = view_run_bulk_new(318);
    struct view_run *runs = view_run_bulk_new(318);
    struct hm_run *busy = view_run_get(runs);
    view_ok(waits, VIEW_FIND, 0, 1);
    view_gate_open(waits, 3);
    view_vote(waits, "U0CAM", false, NULL);
    view_active(runs, VIEW_RETRACT, HM_CALL_READY, NULL);
    for (size_t i = 0; i < 120; i++) {
        busy->steps[VIEW_RETRACT].calls[i].phase = HM_CALL_OK;
        busy->steps[VIEW_RETRACT].calls[i].ended_ms = busy->steps[VIEW_RETRACT].started_ms + (int64_t)(i + 1) * 100;
    }
    hm_step_recount(&busy->steps[VIEW_RETRACT]);
    const struct hm_home_gate gates[] = {{view_run_get(waits), "https://team.slack.com/archives/C0OPS/p1795400040000100"}};
    const struct hm_home_run now[] = {going(view_run_get(waits)), going(busy)};
    const struct hm_home_run before[] = {{.line = {.id = "r-done",
                                                   .recipe = "retract",
                                                   .requester = "U0ANA",
                                                   .status = HM_RUN_DONE,
                                                   .started_ms = view_t0,
                                                   .changed_ms = view_t0 + 9000}}};
    const struct hm_home_alarm alarms[] = {{.title = "ETL of prod failed at step *load*",
                                            .channel = "C0ETL",
                                            .link = "https://team.slack.com/archives/C0ETL/p1",
                                            .at_ms = view_t0},
                                           {.title = "Certificate expires", .channel = "C0OPS", .at_ms = view_t0, .over = true}};
    const struct hm_recipe *mine[] = {view_run_recipe(waits)};
    home = (struct hm_home){.command = "/hausmeister",
                            .around = {.held_by = "U0ANA", .held_ms = view_t0},
                            .gates = gates,
                            .n_gates = 1,
                            .going = now,
                            .n_going = 2,
                            .all_going = 2,
                            .recent = before,
                            .n_recent = 1,
                            .alarms = alarms,
                            .n_alarms = 2,
                            .mine = mine,
                            .n_mine = 1};
    add(&out, "a night's work", hm_home_new(&home, &err));
    add(&out, "deciding", hm_dialog_decide_new(view_run_get(waits), VIEW_GATE, &err));
    add(&out, "rejecting", hm_dialog_reject_new(view_run_get(waits), VIEW_GATE, &err));
    assert_true(hm_golden_matches("view/home.txt", hm_strbuf_str(&out)));
    view_run_free(waits);
    view_run_free(runs);
    hm_strbuf_done(&out);
}

/* Full of everything, with names that would like to be syntax: Slack takes it. */
static void test_full(void **state)
{
    (void)state;
    static const char nasty[] = "<!channel> *b* `c` \xe2\x80\xae </\xf0\x9f\x92\xa9>";
    struct hm_err err = {0};
    struct view_run *v = view_run_bulk_new(10000);
    struct hm_run *run = view_run_get(v);
    struct hm_home_gate gates[HM_HOME_GATES + 1];
    struct hm_home_run lines[HM_HOME_RUNS];
    struct hm_home_alarm alarms[HM_HOME_ALARMS];
    const struct hm_recipe *mine[300];
    char *long_text = hm_xmalloc(100001);
    memset(long_text, '&', 100000);
    long_text[100000] = '\0';
    view_gate_open(v, 3);
    view_set(&run->steps[VIEW_GATE].gate.question, long_text);
    view_set(&run->requester, nasty);
    for (size_t i = 0; i < HM_ARRAY_LEN(gates); i++)
        gates[i] = (struct hm_home_gate){run, "https://x/<y>"};
    for (size_t i = 0; i < HM_ARRAY_LEN(lines); i++)
        lines[i] = going(run);
    for (size_t i = 0; i < HM_ARRAY_LEN(alarms); i++) {
        alarms[i] = (struct hm_home_alarm){.at_ms = view_t0};
        (void)snprintf(alarms[i].title, sizeof alarms[i].title, "%s", nasty);
        (void)snprintf(alarms[i].channel, sizeof alarms[i].channel, "<!here>");
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(mine); i++)
        mine[i] = run->recipe;
    const struct hm_home home = {.command = "/hausmeister",
                                 .gates = gates,
                                 .n_gates = HM_ARRAY_LEN(gates),
                                 .going = lines,
                                 .n_going = HM_ARRAY_LEN(lines),
                                 .all_going = 10000,
                                 .recent = lines,
                                 .n_recent = HM_ARRAY_LEN(lines),
                                 .alarms = alarms,
                                 .n_alarms = HM_ARRAY_LEN(alarms),
                                 .mine = mine,
                                 .n_mine = HM_ARRAY_LEN(mine)};
    struct hm_strbuf out;
    hm_strbuf_init(&out, 1000000);
    add(&out, "full", hm_home_new(&home, &err));
    add(&out, "dialog", hm_dialog_decide_new(run, VIEW_GATE, &err));
    assert_null(strstr(hm_strbuf_str(&out), "<!channel>"));
    assert_null(strstr(hm_strbuf_str(&out), "<!here>"));
    assert_null(strstr(hm_strbuf_str(&out), "https://x/"));
    assert_non_null(strstr(hm_strbuf_str(&out), "1 more waits for you; `/hausmeister runs` lists all."));
    hm_strbuf_done(&out);
    free(long_text);
    view_run_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
