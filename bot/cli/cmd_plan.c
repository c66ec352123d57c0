/* hausmeister plan: what a recipe would do, up to its first gate or effect. Reads run for real, writes are printed, none is sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/known.h"
#include "app/rehearsal.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "run/plan.h"
#include "view/words.h"

struct shown {
    const struct hm_cli *cli;
    enum hm_run_status status;
    bool waits; /* for a person, or before an effect */
    bool seen;
};

static json_t *gate_json_new(const struct hm_run *run, const struct hm_gate *gate, const struct hm_plan *plan)
{
    json_t *json = hm_json_obj_new();
    json_t *requests = hm_json_arr_new();
    hm_json_set_str(json, "question", gate->question);
    hm_json_set_str(json, "digest", gate->digest);
    hm_json_set_int(json, "count", (int64_t)gate->n_plan);
    for (size_t i = 0; plan != NULL && i < plan->n_calls; i++) {
        json_t *entry = hm_json_obj_new();
        hm_json_set_str(entry, "step", run->recipe->steps[plan->calls[i].step].id);
        hm_json_set_int(entry, "item", plan->calls[i].item);
        hm_json_set_str(entry, "digest", plan->calls[i].digest);
        hm_json_set(entry, "request", json_incref(plan->calls[i].request));
        hm_json_add(requests, entry);
    }
    hm_json_set(json, "requests", requests);
    return json;
}

/* Where the rehearsal ended: at a gate, a question or an effect, or as the run itself. */
static const char *stands(const struct hm_rehearsed *rehearsed)
{
    if (hm_run_open_gate(rehearsed->run) != NULL)
        return "at-gate";
    if (hm_run_open_question(rehearsed->run) != NULL)
        return "at-question";
    return json_array_size(rehearsed->effects) > 0 ? "at-effect" : hm_run_status_name(rehearsed->run->status);
}

static json_t *run_json_new(const struct hm_rehearsed *rehearsed)
{
    const struct hm_run *run = rehearsed->run;
    json_t *json = hm_json_obj_new();
    json_t *steps = hm_json_arr_new();
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    hm_json_set_str(json, "recipe", run->recipe->name);
    hm_json_set(json, "params", json_incref(run->params));
    hm_json_set_str(json, "status", stands(rehearsed));
    if (question != NULL)
        hm_json_set_str(json, "question", question->text);
    if (run->ending != NULL)
        hm_json_set_str(json, "text", run->ending);
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        json_t *step = hm_json_obj_new();
        hm_json_set_str(step, "step", run->recipe->steps[i].id);
        if (run->steps[i].said != NULL)
            hm_json_set_str(step, "said", run->steps[i].said);
        if (run->steps[i].error != NULL)
            hm_json_set_str(step, "error", run->steps[i].error);
        if (run->steps[i].value != NULL)
            hm_json_set(step, "value", json_incref(run->steps[i].value));
        hm_json_add(steps, step);
    }
    hm_json_set(json, "steps", steps);
    if (gate != NULL)
        hm_json_set(json, "gate", gate_json_new(run, gate, rehearsed->plan));
    if (json_array_size(rehearsed->effects) > 0)
        hm_json_set(json, "effects", json_incref(hm_unconst(rehearsed->effects)));
    return json;
}

/* Line by line as the card shows it. */
static void print_request(const json_t *request)
{
    char *text = hm_word_request(request);
    for (const char *line = text; line != NULL;) {
        const char *end = strchr(line, '\n');
        (void)printf("    %.*s\n", (int)(end != NULL ? end - line : (ptrdiff_t)strlen(line)), line);
        line = end != NULL ? end + 1 : NULL;
    }
    free(text);
}

static void print_steps(const struct hm_run *run)
{
    (void)printf("%s: %s\n", run->recipe->name, run->recipe->title);
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        const struct hm_step_state *state = &run->steps[i];
        if (state->said != NULL)
            (void)printf("  %s: %s\n", run->recipe->steps[i].id, state->said);
        if (state->error != NULL)
            (void)printf("  %s: failed: %s\n", run->recipe->steps[i].id, state->error);
    }
}

static void print_text(const struct hm_rehearsed *rehearsed)
{
    const struct hm_run *run = rehearsed->run;
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    size_t refused = json_array_size(rehearsed->effects);
    print_steps(run);
    if (gate != NULL) {
        (void)printf("\nwould ask: %s\nwould send, once approved (digest %.12s):\n", gate->question, gate->digest);
        for (size_t i = 0; rehearsed->plan != NULL && i < rehearsed->plan->n_calls; i++)
            print_request(rehearsed->plan->calls[i].request);
        (void)printf("%zu request%s in all; none was sent\n", gate->n_plan, gate->n_plan == 1 ? "" : "s");
    } else if (question != NULL) {
        (void)printf("\nwould wait for a person: %s\nwhat follows depends on the answer; nothing was sent\n", question->text);
    } else if (refused > 0) {
        (void)printf("\nwould send without asking; not sent%s:\n",
                     run->steps[run->at].n_calls > refused ? ", and neither are the other items" : "");
        for (size_t i = 0; i < refused; i++)
            print_request(json_array_get(rehearsed->effects, i));
    } else {
        (void)printf("\n%s%s%s\n", hm_run_status_name(run->status), run->ending != NULL && run->ending[0] != '\0' ? ": " : "",
                     run->ending != NULL ? run->ending : "");
    }
}

static void on_shown(void *arg, const struct hm_rehearsed *rehearsed)
{
    struct shown *shown = arg;
    shown->seen = true;
    shown->status = rehearsed->run->status;
    shown->waits = rehearsed->run->status == HM_RUN_GOING;
    if (shown->cli->json) {
        json_t *json = run_json_new(rehearsed);
        hm_cli_print_json(json);
        json_decref(json);
    } else {
        print_text(rehearsed);
    }
}

static int plan_recipe(const struct hm_cli *cli, const struct hm_settings *settings, const struct hm_recipe *recipe)
{
    struct hm_err err = {0};
    struct shown shown = {.cli = cli};
    json_t *params = NULL;
    json_t *given = NULL;
    json_t *scope = hm_json_obj_new();
    enum hm_code code = HM_OK;
    int exit_code = HM_EXIT_NO;
    json_t *raw = hm_params_words_new(recipe, cli->words + 1, &err);
    hm_json_set(scope, "known", json_incref(settings->known));
    if (raw != NULL)
        params = hm_params_check_new(recipe, raw, scope, &given, &err);
    if (params == NULL) {
        exit_code = hm_cli_fail(HM_EXIT_NO, "%s", err.msg);
        goto out;
    }
    code = hm_rehearse(settings, &(const struct hm_run_order){.recipe = recipe, .params = params, .given = given}, on_shown,
                       &shown, &err);
    if (code != HM_OK)
        exit_code = hm_cli_fail(hm_cli_exit_of(code), "%s", err.msg);
    else if (!shown.seen)
        exit_code = hm_cli_fail(HM_EXIT_ENV, "the rehearsal ended without an outcome");
    else
        exit_code = shown.waits || shown.status == HM_RUN_DONE || shown.status == HM_RUN_STOPPED ? HM_EXIT_OK : HM_EXIT_NO;
out:
    json_decref(params);
    json_decref(given);
    json_decref(raw);
    json_decref(scope);
    return exit_code;
}

/* The nearest name, or all there are. */
static int no_recipe(const struct hm_settings *settings, const char *name)
{
    char meant[160];
    struct hm_suggest s;
    struct hm_strbuf names;
    const struct hm_recipes *recipes = &settings->recipes;
    hm_suggest_init(&s, name);
    hm_strbuf_init(&names, 20000);
    for (size_t i = 0; i < recipes->count; i++) {
        hm_suggest_try(&s, recipes->items[i]->name);
        hm_strbuf_addf(&names, " %s", recipes->items[i]->name);
    }
    bool near = hm_suggest_text(&s, meant, sizeof meant)[0] != '\0';
    int code = hm_cli_fail(HM_EXIT_NO, "there is no recipe \"%s\"%s%s", name,
                           near ? meant : "; there are:", near ? "" : hm_strbuf_str(&names));
    hm_strbuf_done(&names);
    return code;
}

static int run_plan(const struct hm_cli *cli)
{
    if (cli->n_words < 1)
        return hm_cli_fail(HM_EXIT_USAGE, "write: plan --config FILE RECIPE [ARGUMENTS]");
    struct hm_settings *settings = hm_cli_settings(cli, NULL);
    if (settings == NULL)
        return HM_EXIT_NO;
    hm_known_overlay(settings);
    const struct hm_recipe *recipe = hm_recipes_find(&settings->recipes, cli->words[0]);
    int exit_code = recipe != NULL ? plan_recipe(cli, settings, recipe) : no_recipe(settings, cli->words[0]);
    hm_settings_free(settings);
    return exit_code;
}

const struct hm_command hm_cmd_plan = {
    .name = "plan",
    .usage = "--config FILE [--json] RECIPE [ARG…]",
    .help = "shows what a recipe would send; reads are done, nothing is changed",
    .needs_config = true,
    .takes = HM_TAKES_JSON | HM_TAKES_PARAMS,
    .run = run_plan,
};
