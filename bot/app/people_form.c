/* Dialogs: opening them, what a submitted one means, and the options of a search. See people_parts.h.
 *
 * Happy path: a button with a dialog → views.open within the 3 s that its trigger lives → submitted → an input of the run.
 * Failure modes: the question or gate is over (decide says what became of it), the trigger is too old, a field that does not fit
 * (said in the dialog, which stays open). */
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/card.h"
#include "view/dialog.h"
#include "view/start.h"

/* ---- opening -------------------------------------------------------------------------------------------------------------- */

const char *hm_people_view_trouble(const struct hm_web_answer *answer)
{
    bool time = strstr(answer->error, "trigger") != NULL; /* expired_trigger_id, exchanged_trigger_id … */
    return !time && answer->sentence[0] != '\0' ? answer->sentence : NULL;
}

static void on_view_opened(void *arg, const struct hm_web_answer *answer)
{
    struct hm_asker *asker = arg;
    if (answer->code == HM_OK) {
        hm_asker_close(asker);
        return;
    }
    hm_log(HM_LOG_WARN, "slack", "views.open for %s: %s", asker->user, answer->sentence);
    if (answer->code == HM_EIO) { /* Slack is away, or we are closing */
        hm_say_notice_later(asker, (struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED});
        return;
    }
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED, .detail = hm_people_view_trouble(answer)});
}

/* The buttons that open a dialog, and the input that says best what became of their gate or question when it is over. */
static const struct opener {
    const char *action;
    enum hm_input_kind late;
    json_t *(*view_new)(const struct hm_run *run, int step, struct hm_err *err);
} openers[] = {
    {HM_ACTION_APPROVE_TYPED, HM_IN_APPROVE, hm_dialog_typed_new}, {HM_ACTION_GLASS, HM_IN_APPROVE, hm_dialog_glass_new},
    {HM_ACTION_REJECT_WHY, HM_IN_REJECT, hm_dialog_reject_new},    {HM_ACTION_LOOK, HM_IN_APPROVE, hm_dialog_decide_new},
    {HM_ACTION_CHOOSE, HM_IN_CHOOSE, hm_dialog_ask_new},           {HM_ACTION_DONE_EVIDENCE, HM_IN_DONE, hm_dialog_evidence_new},
};

/* The nonce of what the run waits for just now, or "". */
static const char *present_nonce(const struct hm_run *run, enum hm_input_kind kind)
{
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
    const struct hm_question *question = run != NULL ? hm_run_open_question(run) : NULL;
    if (kind == HM_IN_APPROVE || kind == HM_IN_REJECT)
        return gate != NULL ? gate->nonce : "";
    return question != NULL ? question->nonce : "";
}

/* Whoever may not decide is told so now, and not after he has filled in a form. True when he has been told. */
static bool refused(struct hm_asker *asker, const struct opener *opener, const char *nonce, const struct hm_run *run)
{
    struct hm_reply reply = {0};
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_input in = {.kind = opener->late,
                                .user = asker->user,
                                .user_team = hm_or_null(asker->user_team),
                                .nonce = nonce,
                                .glass = strcmp(opener->action, HM_ACTION_GLASS) == 0,
                                .typed = gate != NULL ? gate->typed : NULL, /* as if he had written what is asked for */
                                .reason = "as if"};
    if (strcmp(opener->action, HM_ACTION_LOOK) == 0)
        return false; /* everybody may look */
    if (!hm_runner_try(asker->people->opts.runner, asker->run_id, &in, &reply))
        return false;
    bool no = reply.kind == HM_REPLY_OWN || reply.kind == HM_REPLY_NOT_IN_ROLE || reply.kind == HM_REPLY_ROLE_UNKNOWN ||
              reply.kind == HM_REPLY_OUTSIDER || reply.kind == HM_REPLY_TWICE || reply.kind == HM_REPLY_NO_GLASS;
    if (no)
        hm_say_text(asker, hm_reply_text(&reply, run));
    return no;
}

/* The trigger lives 3 s: nothing is waited for. */
static void open_view(struct hm_asker *asker, const struct opener *opener, const char *nonce)
{
    struct hm_err err = {0};
    const struct hm_run *run = hm_runner_find(asker->people->opts.runner, asker->run_id);
    const char *present = present_nonce(run, opener->late);
    if (run == NULL || strcmp(present, nonce) != 0 || present[0] == '\0') {
        const struct hm_input in = {
            .kind = opener->late, .user = asker->user, .user_team = hm_or_null(asker->user_team), .nonce = nonce};
        hm_people_click(asker, &in);
        return;
    }
    if (refused(asker, opener, nonce, run))
        return;
    json_t *view = opener->view_new(run, run->at, &err);
    if (view == NULL || asker->stored_ms != 0) {
        json_decref(view);
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_FORM_EXPIRED});
        return;
    }
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "trigger_id", asker->trigger_id);
    hm_json_set(args, "view", view);
    /* from a button of a dialog it goes on top of that */
    hm_web_call(asker->people->opts.api, asker->in_dialog ? "views.push" : "views.open", HM_WEB_BOT, args, on_view_opened, asker);
}

bool hm_people_open_dialog(struct hm_asker *asker, const char *action, const char *nonce)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(openers); i++) {
        if (strcmp(openers[i].action, action) != 0)
            continue;
        open_view(asker, &openers[i], nonce);
        return true;
    }
    return false;
}

/* ---- submitting ----------------------------------------------------------------------------------------------------------- */

/* What a submitted dialog stands for. */
struct sent {
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    char *values; /* an ask's answer as JSON text, or NULL */
    struct hm_input in;
};

/* False when it is none of ours. The strings are borrowed from req and from ret_sent. */
static bool read_sent(const struct hm_asker *asker, const struct hm_slack_request *req, struct sent *ret_sent)
{
    static const struct {
        const char *callback;
        enum hm_input_kind kind;
    } dialogs[] = {{HM_DIALOG_TYPED, HM_IN_APPROVE},
                   {HM_DIALOG_GLASS, HM_IN_APPROVE},
                   {HM_DIALOG_REJECT, HM_IN_REJECT},
                   {HM_DIALOG_ASK, HM_IN_CHOOSE},
                   {HM_DIALOG_EVIDENCE, HM_IN_DONE}};
    *ret_sent = (struct sent){.in = {.kind = HM_INPUT_NR}};
    for (size_t i = 0; i < HM_ARRAY_LEN(dialogs); i++)
        if (strcmp(req->callback_id, dialogs[i].callback) == 0)
            ret_sent->in.kind = dialogs[i].kind;
    if (ret_sent->in.kind == HM_INPUT_NR || !hm_card_parse_value(req->private_metadata, ret_sent->run_id, ret_sent->nonce))
        return false;

    bool done = ret_sent->in.kind == HM_IN_DONE;
    ret_sent->in.user = asker->user;
    ret_sent->in.user_team = hm_or_null(asker->user_team);
    ret_sent->in.nonce = ret_sent->nonce;
    ret_sent->in.glass = strcmp(req->callback_id, HM_DIALOG_GLASS) == 0;
    ret_sent->in.typed = hm_json_get_str(req->values, HM_FIELD_TYPED, NULL);
    ret_sent->in.reason = hm_json_get_str(req->values, done ? HM_FIELD_EVIDENCE : HM_FIELD_REASON, NULL);
    if (ret_sent->in.kind == HM_IN_CHOOSE)
        ret_sent->in.typed = ret_sent->values = hm_json_text(req->values);
    return true;
}

/* A form has no channel: what must be said alone is said where the run's card is. */
static void place_answer(struct hm_asker *asker, const struct hm_run *run)
{
    if (run == NULL || asker->channel[0] != '\0')
        return;
    free(asker->channel);
    asker->channel = hm_xstrdup(run->channel);
    if (run->thread_ts != NULL) {
        free(asker->thread_ts);
        asker->thread_ts = hm_xstrdup(run->thread_ts);
    }
}

/* What a wrong answer in a gate's field gets while the form is still open, or NULL. */
static char *gate_error(const struct hm_run *run, const struct hm_input *in)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    if (gate == NULL || strcmp(gate->nonce, in->nonce) != 0)
        return NULL;
    if (in->glass && (in->reason == NULL || in->reason[strspn(in->reason, " \t\n")] == '\0'))
        return hm_dialog_error(HM_FIELD_REASON, "Write why; it is shown to the team.");
    if (!in->glass && gate->typed != NULL && !hm_same_trimmed(in->typed, gate->typed))
        return hm_dialog_error(HM_FIELD_TYPED, "This is not the same text. Type it exactly as it is shown.");
    return NULL;
}

/* The first field of an ask that does not fit, or NULL. */
static char *ask_error(const struct hm_run *run, const struct hm_input *in, const json_t *values)
{
    const struct hm_question *question = hm_run_open_question(run);
    if (question == NULL || question->kind != HM_QUESTION_FILL || strcmp(question->nonce, in->nonce) != 0)
        return NULL;
    const struct hm_step *step = &run->recipe->steps[run->at];
    for (size_t i = 0; i < step->ask.n_fields; i++) {
        const struct hm_param *field = &step->ask.fields[i];
        struct hm_err err = {0};
        json_t *given = json_object_get(values, field->name);
        json_t *value = given != NULL ? hm_param_value_new(field, given, &err) : json_null();
        json_decref(value);
        if (value == NULL)
            return hm_dialog_error(field->name, err.msg);
    }
    return NULL;
}

static char *field_error(const struct hm_asker *asker, const struct hm_run *run, const struct hm_input *in, const json_t *values)
{
    if (run == NULL || asker->stored_ms != 0)
        return NULL;
    return in->kind == HM_IN_APPROVE ? gate_error(run, in) : in->kind == HM_IN_CHOOSE ? ask_error(run, in, values) : NULL;
}

char *hm_people_submit(struct hm_asker *asker, const struct hm_slack_request *req)
{
    struct sent sent;
    if (strcmp(req->callback_id, HM_FORM_START) == 0)
        return hm_people_submit_start(asker, req);
    if (!read_sent(asker, req, &sent)) {
        hm_asker_close(asker); /* no form of ours, or of an older version: it closes */
        return NULL;
    }
    const struct hm_run *run = hm_runner_find(asker->people->opts.runner, sent.run_id);
    char *error = field_error(asker, run, &sent.in, req->values);
    if (error != NULL) {
        hm_asker_close(asker);
    } else {
        place_answer(asker, run);
        asker->run_id = hm_xstrdup(sent.run_id);
        struct hm_people *people = asker->people;
        people->submitting = asker->stored_ms == 0 ? asker : NULL;
        hm_people_click(asker, &sent.in); /* which may have the answer at once: then the asker is gone */
        people->submitting = NULL;
        error = people->ack;
        people->ack = NULL;
        if (error == NULL && json_is_string(json_object_get(req->view, "previous_view_id")))
            error = hm_xstrdup("{\"response_action\":\"clear\"}"); /* the dialog below it is of the same gate */
    }
    free(sent.values);
    return error;
}

char *hm_people_suggest(struct hm_asker *asker, const struct hm_slack_request *req)
{
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    const struct hm_question *question = NULL;
    if (strcmp(req->action_id, HM_ACTION_PICK) == 0) {
        char *payload = hm_people_pick_options(asker->people, asker->user, req->value);
        hm_asker_close(asker);
        return payload;
    }
    if (strcmp(req->callback_id, HM_FORM_START) == 0)
        return hm_people_suggest_list(asker, req);
    if (hm_card_parse_value(req->private_metadata, run_id, nonce)) {
        const struct hm_run *run = hm_runner_find(asker->people->opts.runner, run_id);
        question = run != NULL ? hm_run_open_question(run) : NULL;
    }
    if (question != NULL && strcmp(question->nonce, nonce) != 0)
        question = NULL;
    hm_asker_close(asker);
    return hm_dialog_options(question, req->value);
}
