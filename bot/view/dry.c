/* What --dry-run shows: see dry.h. */
#include "view/dry.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "slack/escape.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { QUESTION_MAX = 1500, AFTER_BLOCKS = 3, AFTER_ROOM = 1600, AGAIN_MAX = 300, ENDING_MAX = 1500, EFFECTS_MAX = 20 };

static void add_head(struct hm_blocks *blocks, const struct hm_run *run)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    (void)hm_blocks_header(blocks, run->recipe->title);
    (void)hm_blocks_section(blocks,
                            ":test_tube: *Dry run.* The reads below are real. Nothing was sent that changes anything, and no "
                            "run was started.");
    hm_card_add_params(&out, run);
    const char *const values[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, values, 1);
    hm_strbuf_done(&out);
}

/* The gate as it would open, with all requests. */
static void add_gate(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_gate *gate, const struct hm_plan *plan)
{
    struct hm_strbuf out;
    struct hm_gate whole = *gate;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, ":lock: It would ask: ");
    (void)hm_slack_cut_mrkdwn(&out, gate->question != NULL && gate->question[0] != '\0' ? gate->question : "Go on?",
                              QUESTION_MAX);
    if (plan != NULL) {
        whole.plan = plan->calls;
        whole.n_plan = plan->n_calls;
    }
    hm_blocks_reserve(blocks, AFTER_BLOCKS, AFTER_ROOM);
    (void)hm_blocks_divider(blocks);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_card_add_requests(blocks, &whole, "would", " part of the plan and not shown here.");
    hm_blocks_reserve(blocks, 0, 0);
    hm_strbuf_reset(&out);
    hm_strbuf_adds(&out, "It would need ");
    hm_card_add_need(&out, &run->recipe->steps[run->at], run->requester);
    hm_strbuf_addf(&out, " · plan `%.12s`. What comes after the next question or gate is not shown.", gate->digest);
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

static void add_question(struct hm_blocks *blocks, const struct hm_question *question)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, ":question: Here it would ask: ");
    (void)hm_slack_cut_mrkdwn(&out, question->text != NULL ? question->text : "?", QUESTION_MAX);
    hm_strbuf_adds(&out, "\nWhat follows depends on the answer.");
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

/* An ungated recipe: what it would send next. */
static void add_effects(struct hm_blocks *blocks, const struct hm_run *run, const json_t *effects)
{
    struct hm_strbuf out;
    size_t n = json_array_size(effects);
    bool more = run->at < (int)run->recipe->n_steps && run->steps[run->at].n_calls > n;
    hm_blocks_reserve(blocks, AFTER_BLOCKS, AFTER_ROOM);
    (void)hm_blocks_section(blocks, more ? "*It would send this without asking, and the like for the other items:*"
                                         : "*It would send this without asking:*");
    hm_strbuf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < n && i < EFFECTS_MAX; i++) {
        char *text = hm_word_request(json_array_get(effects, i));
        hm_strbuf_adds(&out, i > 0 ? "\n\n" : "");
        hm_strbuf_adds(&out, text);
        free(text);
    }
    (void)hm_blocks_preformatted(blocks, hm_strbuf_str(&out), 0);
    hm_blocks_reserve(blocks, 0, 0);
    hm_strbuf_done(&out);
}

static void add_ending(struct hm_blocks *blocks, const struct hm_run *run)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "It would end here. ");
    if (run->ending != NULL)
        (void)hm_slack_cut_mrkdwn(&out, run->ending, ENDING_MAX);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_again(struct hm_blocks *blocks, const char *again)
{
    struct hm_strbuf out;
    if (again == NULL || hm_slack_length(again) > AGAIN_MAX)
        return;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "To start it: ");
    hm_slack_add_code(&out, again);
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

void hm_dry_render(const struct hm_run *run, const struct hm_plan *plan, const json_t *effects, const char *again,
                   struct hm_slack_message *ret_message)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, "dry", 0);
    struct hm_strbuf fallback;
    hm_strbuf_init(&fallback, 4000);
    hm_blocks_where(blocks, "On the machine, `hausmeister plan` prints all of it.");
    add_head(blocks, run);
    hm_card_add_steps(blocks, run);
    if (gate != NULL)
        add_gate(blocks, run, gate, plan);
    else if (question != NULL)
        add_question(blocks, question);
    else if (json_array_size(effects) > 0)
        add_effects(blocks, run, effects);
    else
        add_ending(blocks, run);
    add_again(blocks, again);
    hm_strbuf_adds(&fallback, "Dry run of ");
    hm_slack_escape_line(&fallback, run->recipe->title);
    hm_strbuf_adds(&fallback, ": nothing was sent that changes anything.");
    hm_blocks_finish(blocks, hm_strbuf_str(&fallback), ret_message);
    hm_strbuf_done(&fallback);
}
