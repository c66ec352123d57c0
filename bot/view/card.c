/* The card: see card.h. Here: the head, where the run stands, the end, and the order of the parts. */
#include "view/card.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/escape.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { PARAMS_SHOWN = 12, ENDING_MAX = 2000 };

static const char *status_symbol(enum hm_run_status status)
{
    switch (status) {
    case HM_RUN_GOING:
        return ":hourglass_flowing_sand:";
    case HM_RUN_DONE:
        return ":white_check_mark:";
    case HM_RUN_STOPPED:
        return ":information_source:";
    case HM_RUN_PARTIAL:
        return ":warning:";
    case HM_RUN_FAILED:
        return ":x:";
    case HM_RUN_REJECTED:
    case HM_RUN_EXPIRED:
    case HM_RUN_CANCELLED:
        return ":no_entry:";
    case HM_RUN_STATUS_NR:
        break;
    }
    return ":grey_question:";
}

static const char *status_word(enum hm_run_status status)
{
    switch (status) {
    case HM_RUN_GOING:
        return "Running";
    case HM_RUN_DONE:
        return "Done";
    case HM_RUN_STOPPED:
        return "Stopped";
    case HM_RUN_PARTIAL:
        return "Done, with failures";
    case HM_RUN_FAILED:
        return "Failed";
    case HM_RUN_REJECTED:
        return "Rejected";
    case HM_RUN_EXPIRED:
        return "Expired";
    case HM_RUN_CANCELLED:
        return "Cancelled";
    case HM_RUN_STATUS_NR:
        break;
    }
    return "Unknown";
}

/* ---- where it stands
 * ------------------------------------------------------------------------------------------------------------ */

/* What a run that went to its end has changed. decide.c says it for all other endings. */
static void add_achievement(struct hm_strbuf *out, const struct hm_run *run)
{
    size_t changes = 0;
    bool all_verified = true;
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        struct hm_progress progress;
        if (run->recipe->steps[i].kind != HM_STEP_DO || run->recipe->steps[i].effect == HM_EFFECT_READ)
            continue;
        hm_step_progress(&run->steps[i], &progress);
        changes += progress.ok;
        all_verified = all_verified && (progress.ok == 0 || run->steps[i].verify.phase == HM_CALL_OK);
    }
    if (changes == 0) {
        hm_strbuf_adds(out, "Nothing was changed.");
        return;
    }
    hm_word_count(out, changes, "change was made", "changes were made");
    hm_strbuf_adds(out, all_verified ? " and verified." : ".");
}

static void add_over(struct hm_strbuf *out, const struct hm_run *run)
{
    hm_strbuf_addf(out, "%s *%s*", status_symbol(run->status), status_word(run->status));
    if (run->ended_by != NULL) {
        hm_strbuf_adds(out, " by ");
        hm_word_user(out, run->ended_by);
    }
    hm_strbuf_adds(out, " after ");
    hm_word_duration(out, run->ended_ms - run->started_ms);
    hm_strbuf_addc(out, '.');
}

/* The last line: what was and was not done. */
static void add_ending(struct hm_strbuf *out, const struct hm_run *run)
{
    if (run->ending != NULL && run->ending[0] != '\0')
        (void)hm_slack_cut_mrkdwn(out, run->ending, ENDING_MAX);
    else
        add_achievement(out, run);
}

/* Another run works on the same thing. */
static void add_lock_wait(struct hm_strbuf *out, const struct hm_run *run)
{
    hm_strbuf_adds(out, ":hourglass: *Waiting for* ");
    hm_slack_add_code(out, run->lock_wait.holder);
    hm_strbuf_adds(out, ", which ");
    hm_word_user(out, run->lock_wait.user);
    hm_strbuf_adds(out, " started at ");
    hm_word_time_near(out, run->lock_wait.since_ms, run->started_ms);
    hm_strbuf_adds(out, " and which is at work on the same thing (");
    hm_slack_add_code(out, run->lock);
    hm_strbuf_adds(out, "). This run starts by itself when it is over; it gives up at ");
    hm_word_time_near(out, run->deadline_ms, run->started_ms);
    hm_strbuf_addc(out, '.');
}

static void add_going(struct hm_strbuf *out, const struct hm_run *run)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    size_t unknown = hm_card_count_unknown(run);
    if (run->lock_wait.waiting) {
        add_lock_wait(out, run);
    } else if (unknown > 0) {
        hm_strbuf_adds(out, ":warning: *Did it happen?* ");
        hm_strbuf_adds(out, unknown == 1 ? "Nobody knows about one request; a person has to say."
                                         : "Nobody knows about some requests; a person has to say.");
    } else if (gate != NULL) {
        hm_strbuf_adds(out, ":lock: *Waiting for approval* until ");
        hm_word_time_near(out, gate->expires_ms, gate->opened_ms);
        hm_strbuf_addc(out, '.');
    } else if (question != NULL) {
        hm_card_add_asking(out, question);
    } else {
        size_t at = run->at < (int)run->recipe->n_steps ? (size_t)run->at + 1 : run->recipe->n_steps;
        hm_strbuf_addf(out, "%s *Running*, step %zu of %zu.", status_symbol(HM_RUN_GOING), at, run->recipe->n_steps);
    }
    if (run->cancel_by != NULL) {
        hm_strbuf_adds(out, "\n:no_entry: ");
        hm_word_user(out, run->cancel_by);
        hm_strbuf_adds(out, " asked to stop: what is under way comes to its end, nothing else is started.");
    }
}

static void add_held(struct hm_strbuf *out, const struct hm_card_around *around)
{
    hm_strbuf_adds(out, "\n:octagonal_sign: *Everything is stopped* by ");
    hm_word_user(out, around->held_by);
    hm_strbuf_adds(out, " since ");
    hm_word_moment(out, around->held_ms);
    hm_strbuf_adds(out, ": until somebody resumes, nothing is sent that changes anything.");
}

/* Its events do not fit together: what is below is the state up to the last one that did. */
static void add_broken(struct hm_strbuf *out, const struct hm_run *run)
{
    hm_strbuf_adds(out, ":rotating_light: *Stopped for safety.* What the journal holds of this run does not fit together: ");
    hm_word_plain(out, run->broken, 600);
    hm_strbuf_adds(out,
                   ". Nothing more is sent, and nobody can decide anything here. What was sent before stays: look before you do "
                   "it by hand, and tell whoever runs hausmeister.");
    if (run->lock != NULL && !run->lock_wait.waiting) {
        hm_strbuf_adds(out, " Other runs for ");
        hm_slack_add_code(out, run->lock);
        hm_strbuf_adds(out, " wait until that is mended.");
    }
}

static void add_status(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_card_around *around)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, SIZE_MAX / 2);
    if (run->broken != NULL)
        add_broken(&text, run);
    else if (run->status == HM_RUN_GOING)
        add_going(&text, run);
    else
        add_over(&text, run);
    const struct hm_gate *gate = hm_run_open_gate(run); /* which says it itself */
    if (run->status == HM_RUN_GOING && run->broken == NULL && around->held_by != NULL)
        add_held(&text, around);
    if (run->reopened > 0 && run->status == HM_RUN_GOING && run->broken == NULL) {
        hm_strbuf_adds(&text, "\n:repeat: Once more for what failed before, asked by ");
        hm_word_user(&text, run->reopened_by);
        hm_strbuf_addc(&text, '.');
    }
    if (run->anew != NULL && run->status == HM_RUN_GOING && run->broken == NULL && (gate == NULL || gate->anew == NULL)) {
        hm_strbuf_adds(&text, "\n:warning: Planned anew. ");
        hm_word_plain(&text, run->anew, 400);
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&text));
    hm_strbuf_done(&text);
}

/* ---- who asked for what
 * --------------------------------------------------------------------------------------------------------- */

void hm_card_add_params(struct hm_strbuf *out, const struct hm_run *run)
{
    size_t shown = 0;
    for (size_t i = 0; i < run->recipe->n_params && shown < PARAMS_SHOWN; i++) {
        const char *name = run->recipe->params[i].name;
        const json_t *value = json_object_get(run->params, name);
        if (value == NULL || json_is_null(value))
            continue;
        hm_strbuf_adds(out, shown++ > 0 ? " · " : "");
        hm_slack_escape_line(out, name);
        hm_strbuf_addc(out, ' ');
        if (run->recipe->params[i].type == HM_PARAM_USER)
            hm_word_user(out, json_string_value(value));
        else
            hm_word_value(out, value);
        if (!hm_json_get_bool(run->given, name, false))
            hm_strbuf_adds(out, " (default)");
    }
}

static void add_origin(struct hm_blocks *blocks, const struct hm_run *run)
{
    struct hm_strbuf origin;
    struct hm_strbuf params;
    hm_strbuf_init(&origin, SIZE_MAX / 2);
    hm_strbuf_init(&params, SIZE_MAX / 2);
    hm_slack_add_code(&origin, run->id);
    if (run->recipe != NULL) {
        hm_strbuf_adds(&origin, " · recipe ");
        hm_slack_add_code(&origin, run->recipe->name);
    }
    hm_strbuf_adds(&origin, " · asked by ");
    hm_word_user(&origin, run->requester);
    hm_strbuf_adds(&origin, " in ");
    hm_word_channel(&origin, run->channel);
    hm_strbuf_adds(&origin, ", ");
    hm_word_moment(&origin, run->started_ms);
    if (run->recipe != NULL)
        hm_card_add_params(&params, run);

    if (run->owner != NULL) {
        hm_strbuf_adds(&origin, " · led by ");
        hm_word_user(&origin, run->owner);
        hm_strbuf_adds(&origin, " since ");
        hm_word_time_near(&origin, run->owned_ms, run->started_ms);
    }
    const char *const texts[] = {hm_strbuf_str(&origin)};
    const char *const values[] = {hm_strbuf_str(&params)};
    (void)hm_blocks_context(blocks, texts, 1);
    (void)hm_blocks_context(blocks, values, 1);
    hm_strbuf_done(&params);
    hm_strbuf_done(&origin);
}

/* ---- stopping
 * ------------------------------------------------------------------------------------------------------------------- */

/* Worth a button only where a run stays for a while: in a row of items, or while it waits for another try. */
static bool takes_long(const struct hm_run *run)
{
    if (run->status != HM_RUN_GOING || run->cancel_by != NULL || run->at >= (int)run->recipe->n_steps)
        return false;
    const struct hm_question *question = hm_run_open_question(run);
    if (run->lock_wait.waiting || question != NULL)
        return question == NULL || question->kind != HM_QUESTION_ERROR; /* which has a button like it */
    const struct hm_step_state *state = &run->steps[run->at];
    if (run->recipe->steps[run->at].kind != HM_STEP_DO || state->phase != HM_PHASE_ACTIVE)
        return false;
    return state->n_calls > 1 || (state->n_calls == 1 && state->calls[0].phase == HM_CALL_WAITING);
}

static void add_cancel(struct hm_blocks *blocks, const struct hm_run *run)
{
    static const struct hm_confirm confirm = {"Stop the run?", "What is under way comes to its end. Nothing else is started.",
                                              "Stop", "Go on", HM_STYLE_DANGER};
    char *value = hm_card_value(run->id, "");
    struct hm_button button = {run->lock_wait.waiting ? "Give up" : "Stop the run", HM_ACTION_CANCEL, value, HM_STYLE_DEFAULT,
                               &confirm};
    (void)hm_blocks_actions(blocks, &button, 1);
    free(value);
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------------------------ */

/* A run whose recipe's text is lost can still be shown as broken. */
static const char *title_of(const struct hm_run *run)
{
    return run->recipe != NULL ? run->recipe->title : "A run that can not be read";
}

/* One sentence for the notification. */
static void add_fallback(struct hm_strbuf *out, const struct hm_run *run)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    char until[HM_TIME_MAX];
    hm_slack_escape_line(out, title_of(run));
    hm_strbuf_addf(out, " (%s): ", run->id);
    if (run->broken != NULL) {
        hm_strbuf_adds(out, "stopped for safety; its journal does not fit together.");
    } else if (run->status != HM_RUN_GOING) {
        hm_strbuf_addf(out, "%s. ", status_word(run->status));
        add_ending(out, run);
    } else if (hm_card_count_unknown(run) > 0) {
        hm_strbuf_adds(out, "nobody knows whether a request happened; please look and say.");
    } else if (gate != NULL) {
        hm_strbuf_addf(out, "approval is needed until %s.", hm_format_hhmm(gate->expires_ms, until));
    } else if (run->lock_wait.waiting) {
        hm_strbuf_addf(out, "waiting for %s.", run->lock_wait.holder != NULL ? run->lock_wait.holder : "another run");
    } else if (hm_run_open_question(run) != NULL) {
        hm_strbuf_adds(out, "waiting for an answer.");
    } else {
        hm_strbuf_adds(out, "running.");
    }
}

static void drop_buttons(struct hm_slack_message *message)
{
    for (size_t i = json_array_size(message->blocks); i-- > 0;)
        if (strcmp(hm_json_get_str(json_array_get(message->blocks, i), "type", ""), "actions") == 0)
            (void)json_array_remove(message->blocks, i);
}

static void add_waiting_for(struct hm_blocks *blocks, const struct hm_run *run)
{
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    hm_card_add_unknown(blocks, run);
    if (gate != NULL && !run->lock_wait.waiting)
        hm_card_add_gate(blocks, run, gate);
    if (question != NULL)
        hm_card_add_question(blocks, run, question);
    if (takes_long(run))
        add_cancel(blocks, run);
}

void hm_card_render(const struct hm_run *run, struct hm_slack_message *ret_message)
{
    static const struct hm_card_around nothing = {0};
    hm_card_render_around(run, &nothing, ret_message);
}

void hm_card_render_around(const struct hm_run *run, const struct hm_card_around *around, struct hm_slack_message *ret_message)
{
    struct hm_strbuf text;
    bool going = run->status == HM_RUN_GOING && around->word_ms > 0;
    char *prefix = going ? hm_xasprintf("%s.%lld.%lld", run->id, (long long)run->seq, (long long)around->word_ms)
                         : hm_xasprintf("%s.%lld", run->id, (long long)run->seq);
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, prefix, 0);
    hm_strbuf_init(&text, SIZE_MAX / 2);
    hm_strbuf_addf(&text, "The journal has all of it: `hausmeister runs %s`.", run->id);
    hm_blocks_where(blocks, hm_strbuf_str(&text));

    (void)hm_blocks_header(blocks, title_of(run));
    add_status(blocks, run, around);
    add_origin(blocks, run);
    if (run->recipe != NULL)
        hm_card_add_steps(blocks, run);
    if (run->broken != NULL) {
        /* no buttons: no click on it decides anything */
    } else if (run->status != HM_RUN_GOING) {
        hm_strbuf_reset(&text);
        add_ending(&text, run);
        (void)hm_blocks_section(blocks, hm_strbuf_str(&text));
    } else {
        add_waiting_for(blocks, run);
    }
    if (run->broken == NULL) {
        hm_card_add_offers(blocks, run);
        hm_card_add_retry(blocks, run);
    }
    hm_strbuf_reset(&text);
    add_fallback(&text, run);
    hm_blocks_finish(blocks, hm_strbuf_str(&text), ret_message);
    if (around->read_only)
        drop_buttons(ret_message);
    hm_strbuf_done(&text);
    free(prefix);
}

char *hm_card_value(const char *run_id, const char *nonce)
{
    return nonce[0] != '\0' ? hm_xasprintf("%s.%s", run_id, nonce) : hm_xstrdup(run_id);
}

static bool take_word(char *ret, size_t size, const char *s, size_t len)
{
    if (len >= size || strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") < len)
        return false;
    memcpy(ret, s, len);
    ret[len] = '\0';
    return true;
}

bool hm_card_parse_value(const char *value, char ret_run_id[HM_CARD_RUN_ID_MAX], char ret_nonce[HM_CARD_NONCE_MAX])
{
    size_t id_len = strcspn(value, ".");
    const char *nonce = value[id_len] == '.' ? value + id_len + 1 : "";
    ret_run_id[0] = ret_nonce[0] = '\0';
    return id_len > 0 && take_word(ret_run_id, HM_CARD_RUN_ID_MAX, value, id_len) &&
           take_word(ret_nonce, HM_CARD_NONCE_MAX, nonce, strlen(nonce));
}

char *hm_card_glass_notice(const struct hm_run *run, int gate_step)
{
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    const struct hm_vote *vote = gate->n_votes > 0 ? &gate->votes[gate->n_votes - 1] : NULL;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 4000);
    hm_strbuf_adds(&out, ":rotating_light: *Break-glass.* ");
    hm_word_user(&out, vote != NULL ? vote->user : NULL);
    hm_strbuf_adds(&out, " goes on alone in ");
    hm_slack_add_code(&out, run->id);
    hm_strbuf_adds(&out, " (");
    hm_slack_escape_line(&out, run->recipe->title);
    hm_strbuf_adds(&out, ") in ");
    hm_word_channel(&out, run->channel);
    hm_strbuf_adds(&out, ": ");
    hm_word_count(&out, gate->n_plan, "request", "requests");
    hm_strbuf_addf(&out, ", plan `%.12s`.\nReason: ", gate->digest);
    hm_word_plain(&out, vote != NULL && vote->reason != NULL ? vote->reason : "none was given", 1000);
    return hm_strbuf_take(&out);
}

char *hm_card_ask_notice(const struct hm_run *run, int gate_step, const char *who, bool closes_soon)
{
    const struct hm_step *step = &run->recipe->steps[gate_step];
    const struct hm_gate *gate = &run->steps[gate_step].gate;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 4000);
    hm_strbuf_adds(&out, who);
    hm_strbuf_adds(&out, who[0] != '\0' ? " " : "");
    hm_slack_add_code(&out, run->id);
    hm_strbuf_adds(&out, " (");
    hm_slack_escape_line(&out, run->recipe->title);
    hm_strbuf_adds(&out, ") of ");
    hm_word_user(&out, run->requester);
    hm_strbuf_adds(&out, closes_soon ? " still waits for approval, " : " waits for approval, ");
    hm_card_add_tally(&out, step, gate);
    hm_strbuf_adds(&out, closes_soon ? ", and *closes at* " : ", until ");
    hm_word_time_near(&out, gate->expires_ms, gate->opened_ms);
    hm_strbuf_addc(&out, '.');
    return hm_strbuf_take(&out);
}
