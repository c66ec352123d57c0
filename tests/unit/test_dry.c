/* What --dry-run shows, wherever a rehearsal can end: golden text, and Slack's limits. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "view/dry.h"
#include "view_runs.h"

static void add(struct hm_strbuf *out, const char *name, struct view_run *v, const struct hm_plan *plan, const json_t *effects,
                const char *again)
{
    struct hm_slack_message m = {0};
    char why[256] = "";
    hm_dry_render(view_run_get(v), plan, effects, again, &m);
    if (!hm_limits_message(m.text, m.blocks, why, sizeof why))
        fail_msg("%s: %s", name, why);
    char *text = hm_block_text(m.blocks);
    hm_strbuf_addf(out, "== %s%s\n%s\n\n%s\n", name, m.shortened ? " (shortened)" : "", m.text, text);
    free(text);
    hm_slack_message_done(&m);
    view_run_free(v);
}

static void test_everywhere(void **state)
{
    (void)state;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 200000);

    struct view_run *v = view_run_new();
    view_ok(v, VIEW_FIND, 0, 1);
    view_set(&view_run_get(v)->steps[VIEW_FIND].said, "*train/feature-x*, committed in `319703ce`, 7 columns.");
    view_gate_open(v, 50);
    add(&out, "at a gate", v, NULL, NULL, "/hausmeister retract 5a5d411b-e41a-4a30-ab34-bac476b95761");

    /* A long plan comes whole from the rehearsal, although the run keeps little of it. */
    struct view_run *kept = view_run_bulk_new(60);
    v = view_run_bulk_new(60);
    view_ok(v, VIEW_FIND, 0, 1);
    view_gate_open(v, 3);
    view_gate_open(kept, 60);
    const struct hm_gate *whole = &view_run_get(kept)->steps[VIEW_GATE].gate;
    const struct hm_plan plan = {.calls = whole->plan, .n_calls = whole->n_plan};
    add(&out, "at a long one", v, &plan, NULL, NULL);
    view_run_free(kept);

    json_t *effects = hm_json_arr_new();
    json_t *request = hm_json_obj_new();
    hm_json_set_str(request, "method", "POST");
    hm_json_set_str(request, "url", "https://metapod.example.com/api/x");
    hm_json_add(effects, request);
    v = view_run_new();
    view_ok(v, VIEW_FIND, 0, 1);
    add(&out, "at an effect", v, NULL, effects, NULL);
    json_decref(effects);

    v = view_run_new();
    view_ok(v, VIEW_FIND, 0, 1);
    view_over(v, HM_RUN_STOPPED, "`dataset/x` is not committed: there is nothing to retract.", NULL);
    add(&out, "stopped", v, NULL, NULL, NULL);

    assert_true(hm_golden_matches("view/dry.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
