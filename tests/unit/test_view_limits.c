/* Limits by construction: random runs with random names and outputs (emoji, right-to-left text, lines of a megabyte, everything
 * that would like to be syntax) through every view that people see. Whatever goes in, what comes out is something Slack takes,
 * calls nobody, and says so when it is not all. The seed is fixed (HM_SEED another); a failure prints it. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "support/block_limits.h"
#include "view/card.h"
#include "view/dialog.h"
#include "view/dry.h"
#include "view/help.h"
#include "view/home.h"
#include "view/runs.h"
#include "view/start.h"
#include "view_runs.h"

enum { ROUNDS = 250, MEGABYTE = 1 << 20 };

static uint64_t seed, state_of_luck;

static uint64_t luck(void)
{
    state_of_luck += 0x9e3779b97f4a7c15u;
    uint64_t z = state_of_luck;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t n)
{
    return (size_t)(luck() % n);
}

static bool percent(unsigned n)
{
    return below(100) < n;
}

/* ---- texts ------------------------------------------------------------------------------------------------------------- */

static const char *const pieces[] = {
    "a",
    "dataset/x",
    " ",
    "\n",
    "\t",
    "&",
    "<",
    ">",
    "&amp;",
    "&lt;!here&gt;",
    "<!channel>",
    "<!everyone>",
    "<@U0EVIL>",
    "<#C0EVIL>",
    "<!subteam^S0EVIL>",
    "<https://evil.example|click>",
    "*",
    "_",
    "~",
    "`",
    "```",
    "> ",
    "\"",
    "\\",
    "'",
    "${x}",
    "%s",
    "%n",
    "@everyone",
    "\xf0\x9f\x92\xa9",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
    "\xe2\x80\xae",
    "\xe2\x81\xa6",
    "\xe2\x80\x8b",
    "\xcc\x81",
    "\xef\xbb\xbf",
    "\xff",
    "\xc3",
    "\xed\xa0\x80",
    "\x01",
    "\x7f",
    "|",
    ":x:",
};

/* A new text: mostly a few pieces, now and then many, rarely a line of a megabyte. */
static char *any_text(void)
{
    struct hm_strbuf out;
    size_t n = percent(2) ? MEGABYTE / 4 : percent(15) ? below(4000) : below(12);
    const char *one = percent(30) ? pieces[below(HM_ARRAY_LEN(pieces))] : NULL; /* all of a kind */
    hm_strbuf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < n && out.len < MEGABYTE; i++)
        hm_strbuf_adds(&out, one != NULL ? one : pieces[below(HM_ARRAY_LEN(pieces))]);
    return hm_strbuf_take(&out);
}

static void set_any(char **slot)
{
    free(*slot);
    *slot = percent(10) ? NULL : any_text();
}

/* Where the code promises a text. */
static void set_some(char **slot)
{
    free(*slot);
    *slot = any_text();
}

/* mrkdwn of our own making, with foreign text in it, as templates render it: never raw. */
static void set_mrkdwn(char **slot)
{
    char *text = any_text();
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "Say `");
    for (const char *p = text; *p != '\0'; p++)
        hm_strbuf_adds(&out, *p == '<'                   ? "&lt;"
                             : *p == '>'                 ? "&gt;"
                             : *p == '&'                 ? "&amp;"
                             : (unsigned char)*p >= 0x80 ? "\xc3\xa9"
                                                         : (char[]){*p, '\0'});
    hm_strbuf_addc(&out, '`');
    free(text);
    free(*slot);
    *slot = hm_strbuf_take(&out);
}

/* ---- runs -------------------------------------------------------------------------------------------------------------- */

static void any_calls(struct hm_step_state *step)
{
    for (size_t i = 0; i < step->n_calls; i++) {
        struct hm_call *call = &step->calls[i];
        call->phase = (enum hm_call_phase)below(HM_CALL_NR);
        call->ended_ms = view_t0 + (int64_t)below(100000);
        if (i < 100 || percent(1))
            set_any(&call->error);
    }
    hm_step_recount(step);
}

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): a run of any shape, drawn by lot */
static struct view_run *any_run(void)
{
    struct view_run *v = percent(40) ? view_run_new() : view_run_bulk_new(1 + below(percent(20) ? 3000 : 40));
    struct hm_run *run = view_run_get(v);
    if (percent(70))
        view_ok(v, VIEW_FIND, 0, (int64_t)below(100));
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        if (percent(40))
            set_mrkdwn(&run->steps[i].said);
        if (percent(30))
            set_mrkdwn(&run->steps[i].error);
        any_calls(&run->steps[i]);
    }
    if (percent(60)) {
        view_gate_open(v, 1 + below(30));
        struct hm_gate *gate = &run->steps[VIEW_GATE].gate;
        set_mrkdwn(&gate->question);
        if (percent(30))
            set_some(&gate->typed);
        if (percent(30))
            set_any(&gate->anew);
        for (size_t i = 0; i < gate->n_plan && i < 40; i++) {
            char *body = any_text();
            char *clean = hm_utf8_clean(body, strlen(body)); /* what is planned has been JSON */
            if (gate->plan[i].request != NULL)
                hm_json_set_str(gate->plan[i].request, "body", clean);
            free(clean);
            free(body);
        }
        if (percent(40))
            view_vote(v, "U0CAM", percent(20), "because");
    } else if (percent(60)) {
        view_over(v, (enum hm_run_status)(1 + below(HM_RUN_STATUS_NR - 1)), "", percent(50) ? "U0BEN" : NULL);
        set_mrkdwn(&run->ending);
    }
    set_some(&run->requester);
    set_some(&run->channel);
    if (percent(20))
        set_some(&run->owner);
    if (percent(20))
        set_some(&run->cancel_by);
    if (percent(20))
        set_some(&run->anew);
    char *value = any_text();
    char *clean = hm_utf8_clean(value, strlen(value));
    hm_json_set_str(run->params, "dataset", clean);
    free(clean);
    free(value);
    return v;
}

/* ---- what comes out ---------------------------------------------------------------------------------------------------- */

/* In plain_text and preformatted text nothing is parsed: only mrkdwn counts. Keys are sorted, so a text's type stands behind it.
 */
static const char *const calls[] = {"<!channel>", "<!here>", "<!everyone>", "<@U0EVIL>", "<!subteam^S0EVIL>", "<https://evil"};

static size_t called_by(const char *dump)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(calls); i++) {
        for (const char *at = strstr(dump, calls[i]); at != NULL; at = strstr(at + 1, calls[i])) {
            const char *type = strstr(at, "\"type\":\"");
            if (type != NULL && hm_starts_with(type, "\"type\":\"mrkdwn\""))
                return i;
        }
    }
    return HM_ARRAY_LEN(calls);
}

static void nobody_is_called(const char *what, const json_t *json)
{
    char *dump = hm_json_text(json);
    size_t call = called_by(dump);
    free(dump);
    if (call < HM_ARRAY_LEN(calls))
        fail_msg("seed %llu: %s calls %s", (unsigned long long)seed, what, calls[call]);
}

static void check_message(const char *what, struct hm_slack_message *m)
{
    char why[300] = "";
    if (!hm_limits_message(m->text, m->blocks, why, sizeof why))
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, what, why);
    nobody_is_called(what, m->blocks);
    if (m->shortened) {
        char *dump = hm_json_text(m->blocks);
        if (strstr(dump, "Shortened to fit into Slack") == NULL)
            fail_msg("seed %llu: %s is shortened and does not say so", (unsigned long long)seed, what);
        free(dump);
    }
    hm_slack_message_done(m);
}

static void check_view(const char *what, json_t *stolen_view)
{
    char why[300] = "";
    if (stolen_view == NULL)
        fail_msg("seed %llu: %s: no view", (unsigned long long)seed, what);
    if (!hm_limits_view(stolen_view, why, sizeof why))
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, what, why);
    nobody_is_called(what, hm_json_get_arr(stolen_view, "blocks"));
    json_decref(stolen_view);
}

static void check_all_of(const struct hm_run *run)
{
    struct hm_slack_message m = {0};
    struct hm_err err = {0};
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_card_around around = {
        .held_by = percent(20) ? run->requester : NULL, .held_ms = view_t0, .read_only = percent(20)};
    hm_card_render_around(run, &around, &m);
    check_message("card", &m);
    hm_dry_render(run, NULL, NULL, "/hausmeister x", &m);
    check_message("dry run", &m);
    const struct hm_run_line line = {
        .id = run->id, .recipe = run->recipe->name, .requester = run->requester, .run = run, .started_ms = run->started_ms};
    const struct hm_run_line lines[] = {line, line, line};
    const struct hm_run_list list = {.going = lines, .n_going = 3, .recent = lines, .n_recent = 3, .all_going = 3};
    hm_runs_render(&list, &around, "/hausmeister", &m);
    check_message("runs", &m);
    const struct hm_home_gate gates[] = {{run, "https://x"}};
    const struct hm_home_run homes[] = {{.line = line, .link = run->requester}};
    const struct hm_recipe *mine[] = {run->recipe};
    const struct hm_home home = {.command = "/hausmeister",
                                 .around = around,
                                 .gates = gates,
                                 .n_gates = gate != NULL ? 1 : 0,
                                 .going = homes,
                                 .n_going = 1,
                                 .recent = homes,
                                 .n_recent = 1,
                                 .all_going = 1,
                                 .mine = mine,
                                 .n_mine = 1};
    check_view("home", hm_home_new(&home, &err));
    if (gate != NULL) {
        check_view("decide", hm_dialog_decide_new(run, VIEW_GATE, &err));
        check_view("typed", hm_dialog_typed_new(run, VIEW_GATE, &err));
        check_view("glass", hm_dialog_glass_new(run, VIEW_GATE, &err));
        check_view("reject", hm_dialog_reject_new(run, VIEW_GATE, &err));
    }
    const struct hm_help_around help = {.command = "/hausmeister", .may = true, .form_ref = "{}"};
    hm_help_recipe_render(run->recipe, &help, &m);
    check_message("help", &m);
    json_t *scope = hm_json_obj_new();
    const struct hm_start_ref ref = {.channel = "C0OPS", .values = run->params};
    check_view("form", hm_start_form_new(
                           &(const struct hm_start_form){
                               .recipe = run->recipe, .ref = &ref, .scope = scope, .where = percent(50) ? "" : NULL},
                           &err));
    json_decref(scope);
    char *words = hm_dialog_words("Not counted", "x");
    free(words);
}

static void test_random_runs(void **state)
{
    (void)state;
    const char *given = getenv("HM_SEED");
    uint64_t first = given != NULL ? (uint64_t)strtoull(given, NULL, 10) : 1;
    for (uint64_t round = 0; round < (given != NULL ? 1 : ROUNDS); round++) {
        seed = first + round;
        state_of_luck = seed * 7919;
        struct view_run *v = any_run();
        check_all_of(view_run_get(v));
        view_run_free(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
