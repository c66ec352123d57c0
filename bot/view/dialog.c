/* The dialogs of a gate: see dialog.h. */
#include "view/dialog.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/escape.h"
#include "slack/form.h"
#include "view/card.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { QUESTION_MAX = 1500, TYPED_MAX = 255, REASON_MAX = 500, ERROR_MAX = 500 };

static struct hm_blocks *begin(const struct hm_run *run, const struct hm_gate *gate, const char *what)
{
    struct hm_strbuf text;
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MODAL, run->id, 0);
    hm_strbuf_init(&text, SIZE_MAX / 2);
    (void)hm_slack_cut_mrkdwn(&text, gate->question != NULL ? gate->question : "", QUESTION_MAX);
    hm_strbuf_adds(&text, "\n\n");
    hm_slack_add_code(&text, run->id);
    hm_strbuf_adds(&text, ": ");
    hm_word_count(&text, gate->n_plan, "request", "requests");
    hm_strbuf_addf(&text, ", plan `%.12s`. %s", gate->digest, what);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return blocks;
}

static void add_typed(struct hm_blocks *blocks, const struct hm_gate *gate)
{
    char *label = hm_xasprintf("Type %s to approve", gate->typed);
    struct hm_form_field field = {.name = HM_FIELD_TYPED, .kind = HM_FORM_TEXT, .label = label, .max_len = TYPED_MAX};
    (void)hm_form_input(blocks, &field);
    free(label);
}

static json_t *finish_new(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_gate *gate,
                          struct hm_view_head *head, struct hm_err *err)
{
    char *value = hm_card_value(run->id, gate->nonce);
    head->close = "Back";
    head->private_metadata = value;
    json_t *view = hm_form_view_new(blocks, HM_SURFACE_MODAL, head, err);
    free(value);
    return view;
}

json_t *hm_dialog_typed_new(const struct hm_run *run, int gate_step, struct hm_err *err)
{
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    struct hm_view_head head = {.callback_id = HM_DIALOG_TYPED, .title = "Approve", .submit = "Approve"};
    struct hm_blocks *blocks = begin(run, gate, "The card shows what will be sent.");
    if (gate->typed != NULL)
        add_typed(blocks, gate);
    return finish_new(blocks, run, gate, &head, err);
}

json_t *hm_dialog_glass_new(const struct hm_run *run, int gate_step, struct hm_err *err)
{
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    struct hm_view_head head = {.callback_id = HM_DIALOG_GLASS, .title = "Go on alone", .submit = "Go on alone"};
    struct hm_form_field reason = {.name = HM_FIELD_REASON,
                                   .kind = HM_FORM_LINES,
                                   .label = "Why can nobody else approve?",
                                   .hint = "Your name and this text are kept and posted to the audit channel.",
                                   .max_len = REASON_MAX};
    struct hm_blocks *blocks = begin(run, gate, "Nobody else looks at them before they are sent.");
    (void)hm_form_input(blocks, &reason);
    if (gate->typed != NULL)
        add_typed(blocks, gate);
    return finish_new(blocks, run, gate, &head, err);
}

static void add_ways_out(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_gate *gate, bool glass)
{
    char *value = hm_card_value(run->id, gate->nonce);
    const struct hm_button buttons[] = {
        {"Reject …", HM_ACTION_REJECT_WHY, value, HM_STYLE_DEFAULT, NULL},
        {"Go on alone …", HM_ACTION_GLASS, value, HM_STYLE_DANGER, NULL},
    };
    (void)hm_blocks_actions(blocks, buttons, glass ? 2 : 1);
    free(value);
}

json_t *hm_dialog_decide_new(const struct hm_run *run, int gate_step, struct hm_err *err)
{
    const struct hm_step *step = &run->recipe->steps[gate_step];
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    struct hm_view_head head = {.callback_id = HM_DIALOG_TYPED, .title = "Approve?", .submit = "Approve"};
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "It needs ");
    hm_card_add_need(&out, step, run->requester);
    hm_strbuf_adds(&out, " · ");
    hm_card_add_tally(&out, step, gate);
    hm_strbuf_adds(&out, " · closes at ");
    hm_word_time_near(&out, gate->expires_ms, gate->opened_ms);
    struct hm_blocks *blocks = begin(run, gate, "");
    hm_blocks_reserve(blocks, 4, 4000);
    hm_card_add_requests(blocks, gate, "will", " part of the plan and approved with it; the file under the card has every one.");
    hm_blocks_reserve(blocks, 0, 0);
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    if (gate->typed != NULL)
        add_typed(blocks, gate);
    add_ways_out(blocks, run, gate, step->break_glass);
    hm_strbuf_done(&out);
    return finish_new(blocks, run, gate, &head, err);
}

json_t *hm_dialog_reject_new(const struct hm_run *run, int gate_step, struct hm_err *err)
{
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    struct hm_view_head head = {.callback_id = HM_DIALOG_REJECT, .title = "Reject", .submit = "Reject"};
    struct hm_form_field reason = {.name = HM_FIELD_REASON,
                                   .kind = HM_FORM_LINES,
                                   .label = "Why?",
                                   .hint = "It stands on the card with your name, for whoever asked.",
                                   .optional = true,
                                   .max_len = REASON_MAX};
    struct hm_blocks *blocks = begin(run, gate,
                                     run->effect_started ? "The run ends. What was sent before stays; the rest is not sent."
                                                         : "The run ends. Nothing is sent.");
    (void)hm_form_input(blocks, &reason);
    return finish_new(blocks, run, gate, &head, err);
}

char *hm_dialog_error(const char *field, const char *text)
{
    struct hm_strbuf cut;
    char *clean = hm_slack_clean(text);
    json_t *errors = hm_json_obj_new();
    json_t *payload = hm_json_obj_new();
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    (void)hm_slack_cut_label(&cut, clean, ERROR_MAX);
    hm_json_set_str(errors, field, hm_strbuf_str(&cut));
    hm_json_set_str(payload, "response_action", "errors");
    hm_json_set(payload, "errors", errors);
    char *json = hm_json_text(payload);
    json_decref(payload);
    hm_strbuf_done(&cut);
    free(clean);
    return json;
}

char *hm_dialog_words(const char *title, const char *mrkdwn)
{
    struct hm_err err = {0};
    const struct hm_view_head head = {.callback_id = HM_DIALOG_WORDS, .title = title, .close = "Close"};
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MODAL, "words", 0);
    (void)hm_blocks_section(blocks, mrkdwn);
    json_t *view = hm_form_view_new(blocks, HM_SURFACE_MODAL, &head, &err);
    json_t *payload = hm_json_obj_new();
    hm_json_set_str(payload, "response_action", "update");
    hm_json_set(payload, "view", view);
    char *json = hm_json_text(payload);
    json_decref(payload);
    return json;
}
