/* The card's questions and offers: choosing, filling in, "did it", what to do about an error; buttons that start other recipes;
 * and the button that takes a partial run up again. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/escape.h"
#include "view/card.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { QUESTION_MAX = 1500, ANSWER_MAX = 200, LABEL_MAX = 60, AFTER_BLOCKS = 6, AFTER_ROOM = 2600, OFFERS_SHOWN = 5 };

/* ---- questions
 * --------------------------------------------------------------------------------------------------------------------- */

void hm_card_add_asking(struct hm_strbuf *out, const struct hm_question *q)
{
    switch (q->kind) {
    case HM_QUESTION_CHOOSE:
    case HM_QUESTION_FILL:
        hm_strbuf_adds(out, ":question: *Waiting for an answer*");
        break;
    case HM_QUESTION_DONE:
        hm_strbuf_adds(out, ":raised_hand: *Waiting for somebody to do it*");
        break;
    case HM_QUESTION_ERROR:
        hm_strbuf_adds(out, ":x: *Something failed; what now?*");
        break;
    case HM_QUESTION_NONE:
    case HM_QUESTION_NR:
        break;
    }
    if (q->expires_ms > 0) {
        hm_strbuf_adds(out, " until ");
        hm_word_time_near(out, q->expires_ms, q->opened_ms);
    }
    hm_strbuf_addc(out, '.');
}

void hm_card_add_answer(struct hm_strbuf *out, const struct hm_question *q)
{
    static const struct {
        const char *answer, *words;
    } errors[] = {{"retry", " · tried again by "}, {"skip", " · passed over by "}, {"stop", " · stopped by "}};
    const char *words = q->kind == HM_QUESTION_DONE ? " · done by " : " · answered by ";
    bool quoted = q->kind != HM_QUESTION_ERROR;
    if (q->answered_by == NULL)
        return;
    for (size_t i = 0; i < HM_ARRAY_LEN(errors) && !quoted; i++)
        if (hm_streq(q->answer, errors[i].answer))
            words = errors[i].words;
    hm_strbuf_adds(out, words);
    hm_word_user(out, q->answered_by);
    hm_strbuf_adds(out, " at ");
    hm_word_time(out, q->answered_ms);
    if (quoted && q->answer != NULL && q->answer[0] != '\0') {
        hm_strbuf_adds(out, ": “");
        hm_word_plain(out, q->answer, ANSWER_MAX);
        hm_strbuf_adds(out, "”");
    }
}

/* Who may answer, and what there is. */
static void add_conditions(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_question *q)
{
    struct hm_strbuf out;
    const struct hm_step *step = &run->recipe->steps[run->at];
    bool error = q->kind == HM_QUESTION_ERROR;
    char *const *roles = error && step->gate >= 0 ? run->recipe->steps[step->gate].by : run->recipe->who;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "May answer: ");
    if (!error && roles != NULL && roles[0] != NULL) {
        hm_word_user(&out, run->requester);
        hm_strbuf_adds(&out, ", ");
    }
    hm_word_roles(&out, roles);
    if (q->kind == HM_QUESTION_CHOOSE) {
        hm_strbuf_adds(&out, " · ");
        hm_word_count(&out, json_array_size(q->items), "item", "items");
        hm_strbuf_adds(&out, step->ask.many ? " to choose from, one or more" : " to choose one from");
    }
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

static void add_error_buttons(struct hm_blocks *blocks, const struct hm_question *q, const char *value)
{
    static const struct hm_confirm retry = {"Try it again?", "What failed is sent again, as it was approved. Your name is kept.",
                                            "Try again", "Back", HM_STYLE_DEFAULT};
    static const struct hm_confirm skip = {"Pass it over?", "The run goes on without it. Your name is kept.", "Pass over", "Back",
                                           HM_STYLE_DEFAULT};
    static const struct hm_confirm stop = {"Stop the run?", "It ends as failed. What was done before stays.", "Stop", "Back",
                                           HM_STYLE_DANGER};
    const struct hm_button buttons[] = {
        {"Try again", HM_ACTION_RETRY, value, HM_STYLE_PRIMARY, &retry},
        {"Pass it over", HM_ACTION_SKIP, value, HM_STYLE_DEFAULT, &skip},
        {"Stop the run", HM_ACTION_GIVE_UP, value, HM_STYLE_DANGER, &stop},
    };
    size_t from = q->can_retry ? 0 : 1;
    (void)hm_blocks_actions(blocks, buttons + from, HM_ARRAY_LEN(buttons) - from);
}

static void add_button(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_question *q)
{
    static const struct hm_confirm done = {"Done?", "The run goes on. Your name is kept with it.", "Done", "Back",
                                           HM_STYLE_DEFAULT};
    char *value = hm_card_value(run->id, q->nonce);
    bool evidence = run->recipe->steps[run->at].evidence;
    struct hm_button button = {"Choose …", HM_ACTION_CHOOSE, value, HM_STYLE_PRIMARY, NULL};
    if (q->kind == HM_QUESTION_FILL)
        button.label = "Fill in …";
    if (q->kind == HM_QUESTION_DONE) {
        button.label = evidence ? "Done …" : "Done";
        button.action_id = evidence ? HM_ACTION_DONE_EVIDENCE : HM_ACTION_DONE;
        button.confirm = evidence ? NULL : &done;
    }
    if (q->kind == HM_QUESTION_ERROR)
        add_error_buttons(blocks, q, value);
    else
        (void)hm_blocks_actions(blocks, &button, 1);
    free(value);
}

void hm_card_add_question(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_question *q)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    if (q->kind == HM_QUESTION_ERROR) {
        hm_strbuf_adds(&out, ":x: *");
        hm_slack_escape_line(&out, hm_word_step(&run->recipe->steps[run->at]));
        hm_strbuf_adds(&out, "*: ");
    } else {
        hm_strbuf_adds(&out, q->kind == HM_QUESTION_DONE ? ":raised_hand: " : ":question: ");
    }
    (void)hm_slack_cut_mrkdwn(&out, q->text != NULL && q->text[0] != '\0' ? q->text : "?", QUESTION_MAX);
    hm_blocks_reserve(blocks, AFTER_BLOCKS, AFTER_ROOM);
    (void)hm_blocks_divider(blocks);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_blocks_reserve(blocks, 0, 0);
    add_conditions(blocks, run, q);
    add_button(blocks, run, q);
    hm_strbuf_done(&out);
}

/* ---- offers
 * ------------------------------------------------------------------------------------------------------------------------ */

bool hm_card_has_offers(const struct hm_run *run)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (run->steps[i].n_offers > 0)
            return true;
    return false;
}

static void add_taken(struct hm_strbuf *out, const struct hm_made_offer *offer)
{
    hm_strbuf_adds(out, out->len > 0 ? "\n:arrow_right: " : ":arrow_right: ");
    hm_word_plain(out, offer->label, LABEL_MAX + 4);
    hm_strbuf_adds(out, " (");
    hm_slack_add_code(out, offer->recipe);
    hm_strbuf_adds(out, "): chosen by ");
    hm_word_user(out, offer->taken_by);
    hm_strbuf_adds(out, " at ");
    hm_word_time(out, offer->taken_ms);
}

static void add_step_offers(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_step_state *state)
{
    struct hm_strbuf taken;
    struct hm_button buttons[OFFERS_SHOWN];
    char *values[OFFERS_SHOWN] = {NULL};
    size_t n = 0;
    hm_strbuf_init(&taken, SIZE_MAX / 2);
    for (size_t i = 0; i < state->n_offers; i++) {
        const struct hm_made_offer *offer = &state->offers[i];
        if (offer->taken_by != NULL) {
            add_taken(&taken, offer);
        } else if (n < OFFERS_SHOWN) {
            values[n] = hm_card_value(run->id, offer->nonce);
            buttons[n] = (struct hm_button){offer->label, HM_ACTION_OFFER, values[n], HM_STYLE_DEFAULT, NULL};
            n++;
        }
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&taken));
    if (n > 0)
        (void)hm_blocks_actions(blocks, buttons, n);
    for (size_t i = 0; i < n; i++)
        free(values[i]);
    hm_strbuf_done(&taken);
}

void hm_card_add_offers(struct hm_blocks *blocks, const struct hm_run *run)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        if (run->steps[i].n_offers == 0)
            continue;
        struct hm_strbuf title;
        hm_strbuf_init(&title, 1000);
        hm_strbuf_addc(&title, '*');
        hm_slack_escape_line(&title, hm_word_step(&run->recipe->steps[i]));
        hm_strbuf_addc(&title, '*');
        (void)hm_blocks_section(blocks, hm_strbuf_str(&title));
        hm_strbuf_done(&title);
        add_step_offers(blocks, run, &run->steps[i]);
    }
}

/* ---- once more
 * --------------------------------------------------------------------------------------------------------------------- */

void hm_card_add_retry(struct hm_blocks *blocks, const struct hm_run *run)
{
    static const struct hm_confirm confirm = {"Only what failed?",
                                              "The run goes on with the items that failed, after a new approval for exactly "
                                              "them. What has been done is not sent again.",
                                              "Retry failed only", "Back", HM_STYLE_DEFAULT};
    size_t failed = hm_run_retryable(run);
    if (failed == 0)
        return;
    char *value = hm_card_value(run->id, "");
    char *label = hm_xasprintf("Retry failed only (%zu)", failed);
    const struct hm_button button = {label, HM_ACTION_RETRY_FAILED, value, HM_STYLE_DEFAULT, &confirm};
    (void)hm_blocks_actions(blocks, &button, 1);
    free(label);
    free(value);
}
