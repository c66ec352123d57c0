/* The list of runs: see runs.h. */
#include "view/runs.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/escape.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { GIVEN_SHOWN = 2 };

/* What a run that is going does just now. */
static void add_doing(struct hm_strbuf *out, const struct hm_run *run)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    if (run->broken != NULL) {
        hm_strbuf_adds(out, "*stopped for safety*: its journal does not fit together");
        return;
    }
    if (run->lock_wait.waiting) {
        hm_strbuf_adds(out, "waits for ");
        hm_slack_add_code(out, run->lock_wait.holder);
        return;
    }
    if (hm_card_count_unknown(run) > 0) {
        hm_strbuf_adds(out, "waits for somebody to say whether it happened");
        return;
    }
    if (gate != NULL) {
        hm_strbuf_adds(out, "waits for approval until ");
        hm_word_time_near(out, gate->expires_ms, gate->opened_ms);
        return;
    }
    if (hm_run_open_question(run) != NULL) {
        hm_strbuf_adds(out, "waits for an answer");
        return;
    }
    size_t at = run->at < (int)run->recipe->n_steps ? (size_t)run->at + 1 : run->recipe->n_steps;
    hm_strbuf_addf(out, "step %zu of %zu", at, run->recipe->n_steps);
    const struct hm_step_state *state = &run->steps[at - 1];
    if (state->n_calls > 1) {
        hm_strbuf_adds(out, ", ");
        hm_slack_add_count(out, state->n_in[HM_CALL_OK] + state->n_in[HM_CALL_FAILED]);
        hm_strbuf_adds(out, " of ");
        hm_slack_add_count(out, state->n_calls);
    }
}

/* The values that were given, without their names: they tell runs of one recipe from another. */
static void add_given(struct hm_strbuf *out, const struct hm_run *run)
{
    size_t shown = 0;
    for (size_t i = 0; run->recipe != NULL && i < run->recipe->n_params && shown < GIVEN_SHOWN; i++) {
        const struct hm_param *param = &run->recipe->params[i];
        const json_t *value = json_object_get(run->params, param->name);
        if (value == NULL || json_is_null(value) || !hm_json_get_bool(run->given, param->name, false))
            continue;
        hm_strbuf_addc(out, ' ');
        if (param->type == HM_PARAM_USER)
            hm_word_user(out, json_string_value(value));
        else
            hm_word_value(out, value);
        shown++;
    }
}

void hm_runs_add_line(struct hm_strbuf *out, const struct hm_run_line *line)
{
    hm_slack_add_code(out, line->id);
    hm_strbuf_addc(out, ' ');
    hm_slack_escape_line(out, line->recipe);
    if (line->run != NULL)
        add_given(out, line->run);
    hm_strbuf_adds(out, " · ");
    hm_word_user(out, line->requester);
    hm_strbuf_adds(out, ", ");
    hm_word_moment(out, line->started_ms);
    hm_strbuf_adds(out, " · ");
    if (line->run != NULL) {
        add_doing(out, line->run);
        return;
    }
    hm_strbuf_addf(out, "*%s*", line->status != HM_RUN_STATUS_NR ? hm_run_status_name(line->status) : "over");
    hm_strbuf_adds(out, " at ");
    hm_word_time_near(out, line->changed_ms, line->started_ms);
}

static void add_lines(struct hm_blocks *blocks, const char *title, const struct hm_run_line *lines, size_t n)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    (void)hm_blocks_section(blocks, title);
    for (size_t i = 0; i < n && i < HM_RUNS_SHOWN; i++) {
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_runs_add_line(&out, &lines[i]);
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_hints(struct hm_blocks *blocks, const char *command)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, 1000);
    hm_strbuf_addf(&out, "`%s run ID` shows one, `cancel ID` stops it, `retry ID` starts it anew. `stop all` stops every change.",
                   command);
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

void hm_runs_render(const struct hm_run_list *list, const struct hm_card_around *around, const char *command,
                    struct hm_slack_message *ret_message)
{
    struct hm_strbuf text;
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, "hm.runs", 0);
    hm_strbuf_init(&text, 1000);
    if (around->held_by != NULL) {
        hm_strbuf_adds(&text, ":octagonal_sign: *Everything is stopped* by ");
        hm_word_user(&text, around->held_by);
        hm_strbuf_adds(&text, " since ");
        hm_word_moment(&text, around->held_ms);
        hm_strbuf_addf(&text, ". `%s resume` lets it go on.", command);
        (void)hm_blocks_section(blocks, hm_strbuf_str(&text));
        hm_strbuf_reset(&text);
    }
    hm_strbuf_addf(&text, "*Going: %zu*%s", list->all_going,
                   list->all_going > HM_RUNS_SHOWN ? ", the newest of them:"
                   : list->all_going == 0          ? " · nothing is under way."
                                                   : "");
    add_lines(blocks, hm_strbuf_str(&text), list->going, list->n_going);
    add_lines(blocks, list->n_recent > 0 ? "*Over, the newest first*" : "*Over* · nothing yet.", list->recent, list->n_recent);
    add_hints(blocks, command);
    hm_strbuf_reset(&text);
    hm_strbuf_addf(&text, "%zu going", list->all_going);
    hm_blocks_finish(blocks, hm_strbuf_str(&text), ret_message);
    hm_strbuf_done(&text);
}

char *hm_runs_hold_text(bool held, const char *user)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, 1000);
    hm_strbuf_adds(&out, held ? ":octagonal_sign: *Stop all.* " : ":arrow_forward: *Resume.* ");
    hm_word_user(&out, user);
    hm_strbuf_adds(&out, held ? " stopped everything: until somebody resumes, nothing is sent that changes anything."
                              : " lets everything go on.");
    return hm_strbuf_take(&out);
}
