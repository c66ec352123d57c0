/* The dialogs of questions: see dialog.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/escape.h"
#include "slack/form.h"
#include "view/card.h"
#include "view/dialog.h"
#include "view/param_field.h"
#include "view/typed.h"
#include "view/words.h"

enum { QUESTION_MAX = 1500, MENU_MAX = 100, EVIDENCE_MAX = 1000, OPTION_LABEL_MAX = 67 };

static struct hm_blocks *begin(const struct hm_run *run, const struct hm_question *q)
{
    struct hm_strbuf text;
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MODAL, run->id, 0);
    hm_strbuf_init(&text, SIZE_MAX / 2);
    (void)hm_slack_cut_mrkdwn(&text, q->text != NULL ? q->text : "", QUESTION_MAX);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return blocks;
}

static json_t *finish_new(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_question *q,
                          struct hm_view_head *head, struct hm_err *err)
{
    char *value = hm_card_value(run->id, q->nonce);
    head->close = "Back";
    head->private_metadata = value;
    json_t *view = hm_form_view_new(blocks, HM_SURFACE_MODAL, head, err);
    free(value);
    return view;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------------- */

static void add_menu(struct hm_blocks *blocks, const struct hm_question *q, struct hm_form_field *field)
{
    struct hm_form_option options[MENU_MAX];
    char *values[MENU_MAX];
    size_t n = json_array_size(q->items);
    for (size_t i = 0; i < n; i++) {
        const char *label = json_string_value(json_array_get(q->labels, i));
        values[i] = hm_xasprintf("%zu", i);
        options[i] = (struct hm_form_option){label != NULL && label[0] != '\0' ? label : values[i], values[i]};
    }
    field->options = options;
    field->n_options = n;
    (void)hm_form_input(blocks, field);
    field->options = NULL; /* they were this function's */
    field->n_options = 0;
    for (size_t i = 0; i < n; i++)
        free(values[i]);
}

static void add_choice(struct hm_blocks *blocks, const struct hm_step *step, const struct hm_question *q)
{
    bool many = step->ask.many;
    struct hm_form_field field = {.name = HM_FIELD_CHOICE, .label = many ? "Choose one or more" : "Choose one"};
    if (json_array_size(q->items) <= MENU_MAX) {
        field.kind = many ? HM_FORM_CHOICES : HM_FORM_CHOICE;
        add_menu(blocks, q, &field);
        return;
    }
    field.kind = many ? HM_FORM_SEARCHES : HM_FORM_SEARCH;
    field.hint = "Type a part of the name; the list shows what fits, at most 100 at a time.";
    (void)hm_form_input(blocks, &field);
}

/* ---- filling in -------------------------------------------------------------------------------------------------------- */

/* A fallback that is plain text is filled in already; any other is filled in by the recipe when the field stays empty. */
static const char *literal_fallback(const struct hm_param *param)
{
    return param->fallback != NULL && hm_template_is_literal(param->fallback) ? hm_template_text(param->fallback) : NULL;
}

json_t *hm_dialog_ask_new(const struct hm_run *run, int index, struct hm_err *err)
{
    const struct hm_step *step = &run->recipe->steps[index];
    const struct hm_question *q = &run->steps[index].question;
    bool choose = q->kind == HM_QUESTION_CHOOSE;
    struct hm_view_head head = {
        .callback_id = HM_DIALOG_ASK, .title = choose ? "Choose" : "Fill in", .submit = choose ? "Choose" : "Send"};
    struct hm_blocks *blocks = begin(run, q);
    if (choose)
        add_choice(blocks, step, q);
    for (size_t i = 0; !choose && i < step->ask.n_fields; i++)
        hm_param_field(blocks, &(const struct hm_param_field){.param = &step->ask.fields[i],
                                                              .initial = literal_fallback(&step->ask.fields[i])});
    return finish_new(blocks, run, q, &head, err);
}

json_t *hm_dialog_evidence_new(const struct hm_run *run, int index, struct hm_err *err)
{
    const struct hm_question *q = &run->steps[index].question;
    struct hm_view_head head = {.callback_id = HM_DIALOG_EVIDENCE, .title = "Done", .submit = "Done"};
    struct hm_form_field field = {.name = HM_FIELD_EVIDENCE,
                                  .kind = HM_FORM_LINES,
                                  .label = "What shows that it is done?",
                                  .hint = "A link, a number, what you saw. It is kept with your name.",
                                  .optional = true,
                                  .max_len = EVIDENCE_MAX};
    struct hm_blocks *blocks = begin(run, q);
    (void)hm_form_input(blocks, &field);
    return finish_new(blocks, run, q, &head, err);
}

/* ---- searching --------------------------------------------------------------------------------------------------------- */

static json_t *option_new(const char *label, size_t place)
{
    char *value = hm_xasprintf("%zu", place);
    json_t *option = hm_json_obj_new();
    hm_json_set(option, "text", hm_blocks_plain_new(label[0] != '\0' ? label : value, OPTION_LABEL_MAX));
    hm_json_set_str(option, "value", value);
    free(value);
    return option;
}

char *hm_dialog_options(const struct hm_question *q, const char *typed)
{
    struct hm_typed words;
    hm_typed_init(&words, typed);
    json_t *options = hm_json_arr_new();
    json_t *payload = hm_json_obj_new();
    size_t n = q != NULL ? json_array_size(q->labels) : 0;
    for (size_t i = 0; i < n && json_array_size(options) < MENU_MAX; i++) {
        const char *label = json_string_value(json_array_get(q->labels, i));
        if (label != NULL && hm_typed_fits(&words, label, NULL))
            hm_json_add(options, option_new(label, i));
    }
    hm_json_set(payload, "options", options);
    char *json = hm_json_text(payload);
    json_decref(payload);
    hm_typed_done(&words);
    return json;
}
