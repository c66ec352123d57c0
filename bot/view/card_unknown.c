/* The card's hardest question: a request was sent, nobody knows whether it happened, and no read can tell. A person looks, and
 * says so on record. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/escape.h"
#include "view/card.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { QUESTIONS_SHOWN = 3, ERROR_MAX = 400, REQUEST_MAX = 900, AFTER_BLOCKS = 4, AFTER_ROOM = 2600 };

size_t hm_card_count_unknown(const struct hm_run *run)
{
    size_t n = 0;
    for (size_t s = 0; s < run->recipe->n_steps && run->status == HM_RUN_GOING; s++)
        n += run->steps[s].n_in[HM_CALL_ASKING];
    return n;
}

/* The request as the gate showed it, or NULL. */
static const json_t *find_request(const struct hm_run *run, size_t step, size_t item)
{
    int gate_step = run->recipe->steps[step].gate;
    if (gate_step < 0)
        return NULL;
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    for (size_t i = 0; i < gate->n_plan; i++)
        if (gate->plan[i].step == (int)step && gate->plan[i].item == (int)item)
            return gate->plan[i].request;
    return NULL;
}

static void add_question_text(struct hm_strbuf *out, const struct hm_run *run, size_t step, size_t item)
{
    const struct hm_step_state *state = &run->steps[step];
    const struct hm_call *call = &state->calls[item];
    hm_strbuf_adds(out, ":warning: *Did it happen?* ");
    hm_slack_escape_line(out, hm_word_step(&run->recipe->steps[step]));
    if (state->items != NULL) {
        char *name = hm_card_item_name(state, item);
        json_t *text = hm_json_str_new(name);
        hm_strbuf_adds(out, ", ");
        hm_word_value(out, text);
        json_decref(text);
        free(name);
    }
    hm_strbuf_adds(out, ": sent at ");
    hm_word_time_s(out, call->started_ms);
    if (call->resent == 1)
        hm_strbuf_adds(out, ", and once more after nothing of it was to be seen");
    else if (call->resent > 1)
        hm_strbuf_addf(out, ", and %u more times after nothing of it was to be seen", call->resent);
    if (call->error != NULL && call->error[0] != '\0') {
        hm_strbuf_adds(out, ", then: ");
        hm_word_plain(out, call->error, ERROR_MAX);
    }
    hm_strbuf_adds(out, call->resent > 0 || call->attempts > 1 ? "\nhausmeister does not send it once more by itself."
                                                               : "\nhausmeister has not sent it again.");
    hm_strbuf_adds(out, " Look at the system itself, then say what you saw.");
}

static void add_answers(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_call *call)
{
    static const struct hm_confirm happened = {"It happened?",
                                               "You have seen that it took effect. The run goes on; your name is kept with "
                                               "the answer.",
                                               "It happened", "Back", HM_STYLE_DEFAULT};
    static const struct hm_confirm did_not = {"It did not happen?",
                                              "You have seen that nothing changed. The same request is sent once "
                                              "more; your name is kept with the answer.",
                                              "Send it again", "Back", HM_STYLE_DANGER};
    static const struct hm_confirm stop = {"Stop here?",
                                           "The run ends as failed. Nothing else is sent; whether this one happened stays "
                                           "open.",
                                           "Stop here", "Back", HM_STYLE_DANGER};
    char *value = hm_card_value(run->id, call->nonce);
    const struct hm_button buttons[] = {
        {"It happened", HM_ACTION_HAPPENED, value, HM_STYLE_DEFAULT, &happened},
        {"It did not", HM_ACTION_DID_NOT, value, HM_STYLE_DEFAULT, &did_not},
        {"Stop here", HM_ACTION_STOP_HERE, value, HM_STYLE_DANGER, &stop},
    };
    (void)hm_blocks_actions(blocks, buttons, HM_ARRAY_LEN(buttons));
    free(value);
}

static void add_question(struct hm_blocks *blocks, const struct hm_run *run, size_t step, size_t item)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    add_question_text(&out, run, step, item);
    const json_t *request = find_request(run, step, item);
    char *text = request != NULL ? hm_word_request(request) : NULL;

    hm_blocks_reserve(blocks, AFTER_BLOCKS, AFTER_ROOM);
    (void)hm_blocks_divider(blocks);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    if (text != NULL)
        (void)hm_blocks_preformatted(blocks, text, REQUEST_MAX);
    hm_blocks_reserve(blocks, 0, 0);
    add_answers(blocks, run, &run->steps[step].calls[item]);
    free(text);
    hm_strbuf_done(&out);
}

void hm_card_add_unknown(struct hm_blocks *blocks, const struct hm_run *run)
{
    size_t shown = 0;
    size_t total = hm_card_count_unknown(run);
    for (size_t s = 0; s < run->recipe->n_steps && total > 0; s++)
        for (size_t i = 0; i < run->steps[s].n_calls && shown < QUESTIONS_SHOWN; i++)
            if (run->steps[s].calls[i].phase == HM_CALL_ASKING) {
                add_question(blocks, run, s, i);
                shown++;
            }
    if (total > shown) {
        struct hm_strbuf out;
        hm_strbuf_init(&out, 400);
        hm_word_count(&out, total - shown, "more question like this follows", "more questions like this follow");
        hm_strbuf_adds(&out, " when these are answered.");
        (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
        hm_strbuf_done(&out);
    }
}
