/* The card in each state of a run: golden files as JSON and as text, Slack's limits always, and hostile text everywhere. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "view/card.h"
#include "view_runs.h"

/* ---- the states
 * ----------------------------------------------------------------------------------------------------------------- */

static struct view_run *running(void)
{
    struct view_run *v = view_run_new();
    view_active(v, VIEW_FIND, HM_CALL_FLYING, NULL);
    return v;
}

static struct view_run *retrying(void)
{
    struct view_run *v = view_run_new();
    view_active(v, VIEW_FIND, HM_CALL_WAITING, "HTTP 503 from metapod: \"try <later> & again\"");
    return v;
}

static struct view_run *found(void)
{
    struct view_run *v = view_run_new();
    view_ok(v, VIEW_FIND, 0, 1);
    view_set(&view_run_get(v)->steps[VIEW_FIND].said, "*train/feature-x*, committed in `319703ce`, 7 columns.");
    return v;
}

static struct view_run *gate(void)
{
    struct view_run *v = found();
    view_gate_open(v, 50);
    return v;
}

static struct view_run *gate_anew(void)
{
    struct view_run *v = gate();
    struct hm_run *run = view_run_get(v);
    view_set(&run->steps[VIEW_GATE].gate.anew, "The recipe was changed after this had been asked.");
    view_set(&run->anew, "The recipe was changed after this had been asked.");
    return v;
}

static struct view_run *approved(void)
{
    struct view_run *v = gate();
    view_vote(v, "U0BEN", false, NULL);
    view_gate_decide(v, HM_GATE_APPROVED);
    return v;
}

static struct view_run *sending(void)
{
    struct view_run *v = approved();
    view_active(v, VIEW_RETRACT, HM_CALL_FLYING, NULL);
    return v;
}

static struct view_run *probing(void)
{
    struct view_run *v = approved();
    view_active(v, VIEW_RETRACT, HM_CALL_PROBING, "no answer within 30 s");
    return v;
}

static struct view_run *unknown(void)
{
    struct view_run *v = approved();
    view_active(v, VIEW_RETRACT, HM_CALL_ASKING, "no answer within 30 s");
    return v;
}

/* An idempotent request that was sent again, each time after looks that denied it. */
static struct view_run *resent(void)
{
    struct view_run *v = unknown();
    view_run_get(v)->steps[VIEW_RETRACT].calls[0].resent = 3;
    return v;
}

static struct view_run *verifying(void)
{
    struct view_run *v = approved();
    view_active(v, VIEW_RETRACT, HM_CALL_OK, NULL);
    view_run_get(v)->steps[VIEW_RETRACT].verify.phase = HM_CALL_WAITING;
    return v;
}

static struct view_run *done(void)
{
    struct view_run *v = approved();
    struct hm_run *run = view_run_get(v);
    view_ok(v, VIEW_RETRACT, 65, 68);
    run->steps[VIEW_RETRACT].verify.phase = HM_CALL_OK;
    run->steps[VIEW_RETRACT].calls[0].settled_by = hm_xstrdup("probe");
    view_ok(v, VIEW_END, 68, 68);
    view_set(&run->steps[VIEW_END].said, "The schema of *train/feature-x* is gone.");
    view_over(v, HM_RUN_DONE, "", NULL);
    return v;
}

static struct view_run *rejected(void)
{
    struct view_run *v = gate();
    view_vote(v, "U0BEN", false, "wrong *dataset*, see <#C0OPS>");
    view_gate_decide(v, HM_GATE_REJECTED);
    view_over(v, HM_RUN_REJECTED, "Nothing was changed.", "U0BEN");
    return v;
}

static struct view_run *expired(void)
{
    struct view_run *v = gate();
    view_gate_decide(v, HM_GATE_EXPIRED);
    view_over(v, HM_RUN_EXPIRED, "Nobody approved in time. Nothing was changed.", NULL);
    return v;
}

static struct view_run *cancelled(void)
{
    struct view_run *v = found();
    view_over(v, HM_RUN_CANCELLED, "Nothing was changed.", "U0ANA");
    return v;
}

static struct view_run *failed(void)
{
    struct view_run *v = approved();
    struct hm_run *run = view_run_get(v);
    view_active(v, VIEW_RETRACT, HM_CALL_FAILED, "HTTP 400 from metapod");
    run->steps[VIEW_RETRACT].phase = HM_PHASE_FAILED;
    run->steps[VIEW_RETRACT].ended_ms = view_t0 + 68000;
    view_set(&run->steps[VIEW_RETRACT].error, "HTTP 400 from metapod");
    view_over(v, HM_RUN_FAILED, "*Retract a dataset*: HTTP 400 from metapod", NULL);
    return v;
}

static struct view_run *stopped(void)
{
    struct view_run *v = found();
    view_over(v, HM_RUN_STOPPED, "*train/feature-x* is not committed; there is nothing to retract.", NULL);
    return v;
}

static struct view_run *glass(void)
{
    struct view_run *v = gate();
    view_vote(v, "U0ANA", true, "3 a.m., nobody answers, the model is served to customers");
    view_gate_decide(v, HM_GATE_APPROVED);
    view_active(v, VIEW_RETRACT, HM_CALL_FLYING, NULL);
    return v;
}

static struct view_run *bulk_gate(void)
{
    struct view_run *v = view_run_bulk_new(318);
    view_ok(v, VIEW_FIND, 0, 1);
    view_gate_open(v, 20);
    view_set(&view_run_get(v)->steps[VIEW_GATE].gate.typed, "318");
    view_vote(v, "U0BEN", false, NULL);
    return v;
}

static struct view_run *bulk_going(void)
{
    struct view_run *v = bulk_gate();
    struct hm_run *run = view_run_get(v);
    view_vote(v, "U0CAM", false, NULL);
    view_gate_decide(v, HM_GATE_APPROVED);
    view_active(v, VIEW_RETRACT, HM_CALL_READY, NULL);
    for (size_t i = 0; i < 147; i++) {
        struct hm_call *call = &run->steps[VIEW_RETRACT].calls[i];
        call->phase = i % 20 == 3 ? HM_CALL_FAILED : i < 137 ? HM_CALL_OK : HM_CALL_FLYING;
        if (call->phase == HM_CALL_FAILED)
            view_set(&call->error, "HTTP 500 from metapod: <internal>");
    }
    hm_step_recount(&run->steps[VIEW_RETRACT]);
    return v;
}

static struct view_run *bulk_stopping(void)
{
    struct view_run *v = bulk_going();
    view_set(&view_run_get(v)->cancel_by, "U0ANA");
    return v;
}

static struct view_run *partial(void)
{
    struct view_run *v = bulk_going();
    struct hm_run *run = view_run_get(v);
    struct hm_step_state *state = &run->steps[VIEW_RETRACT];
    for (size_t i = 137; i < state->n_calls; i++) {
        state->calls[i].phase = HM_CALL_FAILED;
        view_set(&state->calls[i].code, "not-sent");
    }
    hm_step_recount(state);
    state->phase = HM_PHASE_OK;
    state->ended_ms = view_t0 + 74000;
    run->at = 4;
    view_over(v, HM_RUN_PARTIAL, "7 items failed; each is named above.", NULL);
    return v;
}

static struct view_run *bulk_unknown(void)
{
    struct view_run *v = bulk_gate();
    view_gate_decide(v, HM_GATE_APPROVED);
    view_active(v, VIEW_RETRACT, HM_CALL_ASKING, "connection reset by metapod.example.com:443");
    return v;
}

static struct view_run *broken(void)
{
    struct view_run *v = gate();
    struct hm_run *run = view_run_get(v);
    view_set(&run->broken, "run r-7k2m, event 7 (gate.opened): gate gate opened twice");
    view_set(&run->lock, "metapod-dataset/5a5d411b-e41a-4a30-ab34-bac476b95761");
    return v;
}

static const struct {
    const char *name;
    struct view_run *(*make)(void);
} states[] = {
    {"running", running},
    {"retrying", retrying},
    {"gate", gate},
    {"gate_anew", gate_anew},
    {"sending", sending},
    {"probing", probing},
    {"unknown", unknown},
    {"unknown_resent", resent},
    {"verifying", verifying},
    {"done", done},
    {"rejected", rejected},
    {"expired", expired},
    {"cancelled", cancelled},
    {"failed", failed},
    {"stopped", stopped},
    {"glass", glass},
    {"bulk_gate", bulk_gate},
    {"bulk_going", bulk_going},
    {"bulk_stopping", bulk_stopping},
    {"partial", partial},
    {"bulk_unknown", bulk_unknown},
    {"broken", broken},
};

/* ---- the tests
 * ------------------------------------------------------------------------------------------------------------------ */

static void render_ok(const struct hm_run *run, const char *name, struct hm_slack_message *m)
{
    char why[256] = "";
    hm_card_render(run, m);
    if (!hm_limits_message(m->text, m->blocks, why, sizeof why))
        fail_msg("%s: %s", name, why);
}

static void test_golden(void **state)
{
    (void)state;
    bool same = true;
    for (size_t i = 0; i < HM_ARRAY_LEN(states); i++) {
        struct view_run *v = states[i].make();
        struct hm_slack_message m;
        render_ok(view_run_get(v), states[i].name, &m);
        char *json = json_dumps(m.blocks, JSON_INDENT(1) | JSON_SORT_KEYS);
        char *text = hm_block_text(m.blocks);
        char *json_file = hm_xasprintf("%s\n", json);
        char *text_file = hm_xasprintf("%s\n\n%s", m.text, text);
        char *json_name = hm_xasprintf("view/card_%s.json", states[i].name);
        char *text_name = hm_xasprintf("view/card_%s.txt", states[i].name);
        same = hm_golden_matches(text_name, text_file) && same;
        same = hm_golden_matches(json_name, json_file) && same;
        free(text_name);
        free(json_name);
        free(text_file);
        free(json_file);
        free(text);
        free(json);
        hm_slack_message_done(&m);
        view_run_free(v);
    }
    assert_true(same);
}

static size_t times_shown(const struct hm_slack_message *m, const char *text)
{
    size_t times = 0;
    char *all = hm_block_text(m->blocks);
    for (const char *at = strstr(all, text); at != NULL; at = strstr(at + 1, text))
        times++;
    free(all);
    return times;
}

static bool shows(const struct hm_slack_message *m, const char *text)
{
    return times_shown(m, text) > 0;
}

static void test_what_a_card_must_show(void **state)
{
    (void)state;
    static const struct {
        struct view_run *(*make)(void);
        const char *shown, *not_shown;
    } rows[] = {
        {gate, "POST https://metapod.example.com/api/migrations/retract-dataset/5a5d411b-e41a-4a30-ab34-bac476b95761",
         "never shown"},
        {gate, "{\"id\":\"5a5d411b-e41a-4a30-ab34-bac476b95761\",\"reason\":\"r-7k2m\"}", "[Go on alone"},
        {gate, "plan `3f2a9c11d0e4`", "[Stop the run]"},
        {gate, "hm.approve r-7k2m.9f3c2a1b00d4e5f6", NULL},
        {broken, "Stopped for safety", "hm.approve"},
        {broken, "gate gate opened twice", "[Approve"},
        {broken, "train/feature-x", "hm.reject"},
        {bulk_gate, "hm.approve-typed r-7k2m.9f3c2a1b00d4e5f6", "hm.approve r-7k2m"},
        {bulk_gate, "[Go on alone …!]", NULL},
        {sending, "approved by <@U0BEN>", "[Approve"},
        {rejected, "“wrong ∗dataset∗, see &lt;#C0OPS&gt;”", "[Approve"},
        {unknown, "[It happened] [It did not] [Stop here!]", "[Approve"},
        {done, "1 change was made and verified.", "["},
        {expired, "Nobody approved in time. Nothing was changed.", "["},
        {stopped, "there is nothing to retract.", "["},
        {partial, "also `dataset/part-104`, `dataset/part-124`", "[Stop"},
        {partial, "[Retry failed only (188)]", "[Approve"},
        {bulk_going, "[Stop the run]", NULL},
        {bulk_stopping, "<@U0ANA> asked to stop", "[Stop the run]"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct view_run *v = rows[i].make();
        struct hm_slack_message m;
        render_ok(view_run_get(v), "row", &m);
        if (!shows(&m, rows[i].shown))
            fail_msg("row %zu does not show %s", i, rows[i].shown);
        if (rows[i].not_shown != NULL && shows(&m, rows[i].not_shown))
            fail_msg("row %zu shows %s", i, rows[i].not_shown);
        hm_slack_message_done(&m);
        view_run_free(v);
    }
}

/* A request too long for a card is cut with a count, and the buttons are still there. */
static void test_a_huge_request(void **state)
{
    (void)state;
    struct view_run *v = gate();
    struct hm_slack_message m;
    char *body = hm_xmalloc(40001);
    memset(body, '"', 40000);
    body[40000] = '\0';
    hm_json_set_str(view_run_get(v)->steps[VIEW_GATE].gate.plan[0].request, "body", body);
    render_ok(view_run_get(v), "huge", &m);
    assert_true(m.shortened);
    assert_true(shows(&m, "[Approve!] [Reject …]"));
    assert_true(shows(&m, " more characters"));
    assert_true(shows(&m, "Shortened to fit into Slack. The journal has all of it: `hausmeister runs r-7k2m`."));
    hm_slack_message_done(&m);
    view_run_free(v);
    free(body);
}

/* Long and hostile text in every foreign field: limits hold, nothing becomes syntax, the buttons stay. */
static void test_hostile_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"<!channel> <@U1> *b* `c` ```\n> q", "\xff\xfe\x01\xe2\x80\xae", "", "&lt;!here&gt;",
                                        "https://evil.example/<x|y>"};
    for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++) {
        for (size_t s = 0; s < HM_ARRAY_LEN(states); s++) {
            struct view_run *v = states[s].make();
            struct hm_run *run = view_run_get(v);
            struct hm_slack_message m;
            struct hm_strbuf b;
            hm_strbuf_init(&b, 100000);
            for (size_t n = 0; n < (s % 2 == 0 ? 1 : 900); n++)
                hm_strbuf_adds(&b, texts[i]);
            const char *text = hm_strbuf_str(&b);
            view_set(&run->requester, text);
            view_set(&run->channel, text);
            view_set(&run->anew, text);
            if (run->broken != NULL)
                view_set(&run->broken, text);
            hm_json_set_str(run->params, "dataset", text);
            view_set(&run->steps[VIEW_GATE].gate.anew, text);
            for (size_t k = 0; k < run->recipe->n_steps; k++)
                for (size_t c = 0; c < run->steps[k].n_calls; c++)
                    view_set(&run->steps[k].calls[c].error, text);
            for (size_t k = 0; k < run->steps[VIEW_GATE].gate.n_votes; k++)
                view_set(&run->steps[VIEW_GATE].gate.votes[k].reason, text);
            bool buttons = hm_run_open_gate(run) != NULL && run->broken == NULL;
            render_ok(run, states[s].name, &m);
            assert_false(shows(&m, "<!channel>"));
            assert_false(shows(&m, "<!here>"));
            assert_false(shows(&m, "<@U1>"));
            assert_true(!buttons || shows(&m, "[Reject …]"));
            hm_slack_message_done(&m);
            hm_strbuf_done(&b);
            view_run_free(v);
        }
    }
}

/* What the recipe itself says is mrkdwn and may be long: it never takes the room of what can be clicked. */
static void test_talkative_recipe(void **state)
{
    (void)state;
    for (size_t s = 0; s < HM_ARRAY_LEN(states); s++) {
        struct view_run *v = states[s].make();
        struct hm_run *run = view_run_get(v);
        struct hm_slack_message m;
        struct hm_strbuf b;
        hm_strbuf_init(&b, 100000);
        for (int n = 0; n < 2000; n++)
            hm_strbuf_adds(&b, "word `code`\n");
        for (size_t k = 0; k < run->recipe->n_steps; k++) {
            view_set(&run->steps[k].said, hm_strbuf_str(&b));
            view_set(&run->steps[k].error, hm_strbuf_str(&b));
        }
        view_set(&run->steps[VIEW_GATE].gate.question, hm_strbuf_str(&b));
        if (run->ending != NULL)
            view_set(&run->ending, hm_strbuf_str(&b));
        bool gate_open = hm_run_open_gate(run) != NULL && run->broken == NULL;
        bool asks = strstr(states[s].name, "unknown") != NULL;
        render_ok(run, states[s].name, &m);
        assert_true(!gate_open || shows(&m, "[Reject …]"));
        assert_true(!gate_open || shows(&m, "POST https://metapod"));
        assert_true(!asks || shows(&m, "[It happened] [It did not] [Stop here!]"));
        hm_slack_message_done(&m);
        hm_strbuf_done(&b);
        view_run_free(v);
    }
}

/* A block of code begins a line of its own: no empty line before it. */
static void test_said_in_a_block(void **state)
{
    (void)state;
    struct view_run *v = done();
    struct hm_slack_message m;
    view_set(&view_run_get(v)->steps[VIEW_FIND].said, "```\ntable: 14 read\n```");
    render_ok(view_run_get(v), "done", &m);
    char *text = json_dumps(m.blocks, JSON_COMPACT | JSON_ENSURE_ASCII);
    assert_non_null(strstr(text, "\\n```\\ntable: 14 read"));
    assert_null(strstr(text, "\\u2003```"));
    free(text);
    hm_slack_message_done(&m);
    view_run_free(v);
}

static void test_values(void **state)
{
    (void)state;
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    char *value = hm_card_value("r-7k2m", "9f3c2a1b00d4e5f6");
    assert_string_equal(value, "r-7k2m.9f3c2a1b00d4e5f6");
    assert_true(hm_card_parse_value(value, run_id, nonce));
    assert_string_equal(run_id, "r-7k2m");
    assert_string_equal(nonce, "9f3c2a1b00d4e5f6");
    free(value);
    assert_true(hm_card_parse_value("r-7k2m", run_id, nonce));
    assert_string_equal(nonce, "");
    static const char *const wrong[] = {
        "", ".", ".x", "r 1.x", "r.x y", "r.x.y", "r-7k2m.00000000000000000", "r-0123456789012345678901234567890123.x"};
    for (size_t i = 0; i < HM_ARRAY_LEN(wrong); i++)
        assert_false(hm_card_parse_value(wrong[i], run_id, nonce));
}

/* Not even the recipe's text can be read: the card is short, and a card. */
static void test_broken_without_a_recipe(void **state)
{
    struct hm_slack_message m;
    struct hm_run *run = hm_run_new();
    (void)state;
    view_set(&run->id, "r-7k2m");
    view_set(&run->requester, "U0ANA");
    view_set(&run->channel, "C0OPS");
    view_set(&run->broken, "run r-7k2m, event 1 (run.started): the text of its recipe (0123456789ab) can not be read");
    run->started_ms = view_t0;
    render_ok(run, "without a recipe", &m);
    assert_true(shows(&m, "the text of its recipe (0123456789ab) can not be read"));
    assert_true(shows(&m, "r-7k2m"));
    hm_slack_message_done(&m);
    hm_run_free(run);
}

static void test_glass_notice(void **state)
{
    (void)state;
    struct view_run *v = glass();
    char *text = hm_card_glass_notice(view_run_get(v), VIEW_GATE);
    assert_string_equal(text,
                        ":rotating_light: *Break-glass.* <@U0ANA> goes on alone in `r-7k2m` (Retract a committed dataset) in "
                        "<#C0OPS>: 1 request, plan `3f2a9c11d0e4`.\n"
                        "Reason: 3 a.m., nobody answers, the model is served to customers");
    free(text);
    view_run_free(v);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_what_a_card_must_show),
        cmocka_unit_test(test_a_huge_request),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_talkative_recipe),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_said_in_a_block),
        cmocka_unit_test(test_glass_notice),
        cmocka_unit_test(test_broken_without_a_recipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
