/* The card's list of steps: one line each, with symbol, state and duration; below it what the step said, how far its items are
 * and which of them failed. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/escape.h"
#include "view/card.h"
#include "view/card_parts.h"
#include "view/words.h"

enum {
    BAR_CELLS = 12,
    PACE_FROM = 5,       /* items, … */
    PACE_FROM_MS = 3000, /* … and time, before a pace means anything */
    NAMED_FAILURES = 5,
    NAMED_WHEN_OVER = 20,
    ERROR_MAX = 300, /* characters of one error on the card */
    ITEM_ERROR_MAX = 120,
    SAID_MAX = 1000 /* of what a step says */
};

#define INDENT "\n\xe2\x80\x83\xe2\x80\x83" /* two em spaces: Slack drops plain ones */

/* ---- items
 * ---------------------------------------------------------------------------------------------------------------------- */

char *hm_card_item_name(const struct hm_step_state *state, size_t item)
{
    static const char *const keys[] = {"name", "id", "title", "key"};
    const json_t *v = json_array_get(state->items, item);
    if (json_is_string(v) && json_string_length(v) > 0)
        return hm_xstrdup(json_string_value(v));
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        const char *s = hm_json_get_str(v, keys[i], "");
        if (s[0] != '\0')
            return hm_xstrdup(s);
    }
    if (json_is_number(v))
        return hm_json_text(v);
    return hm_xasprintf("item %zu", item + 1);
}

static bool not_sent(const struct hm_call *call)
{
    return call->phase == HM_CALL_FAILED && hm_streq(call->code, "not-sent");
}

/* The failed items by name: the first few with their errors; when the run is over, many more by name alone. */
static void add_failures(struct hm_strbuf *out, const struct hm_step_state *state, size_t failed, bool over)
{
    size_t named = 0;
    size_t most = over ? NAMED_WHEN_OVER : NAMED_FAILURES;
    for (size_t i = 0; i < state->n_calls && named < most; i++) {
        const struct hm_call *call = &state->calls[i];
        if (call->phase != HM_CALL_FAILED || not_sent(call))
            continue;
        char *name = hm_card_item_name(state, i);
        json_t *text = hm_json_str_new(name);
        hm_strbuf_adds(out, named < NAMED_FAILURES ? INDENT ":x: " : named == NAMED_FAILURES ? INDENT ":x: also " : ", ");
        hm_word_value(out, text);
        if (call->error != NULL && named < NAMED_FAILURES) {
            hm_strbuf_adds(out, ": ");
            hm_word_plain(out, call->error, ITEM_ERROR_MAX);
        }
        json_decref(text);
        free(name);
        named++;
    }
    if (failed > named) {
        hm_strbuf_adds(out, over ? ", and " : INDENT ":x: and ");
        hm_slack_add_count(out, failed - named);
        hm_strbuf_adds(out, over ? " more; the file under this card has all of them" : " more");
    }
}

struct item_counts {
    size_t total, ok, failed, not_sent;
};

static struct item_counts count_items(const struct hm_step_state *state)
{
    return (struct item_counts){
        .total = state->n_calls,
        .ok = state->n_in[HM_CALL_OK],
        .failed = state->n_in[HM_CALL_FAILED] - state->n_not_sent,
        .not_sent = state->n_not_sent,
    };
}

/* When the newest of the items came to its end. */
static int64_t last_ended_ms(const struct hm_step_state *state)
{
    int64_t last = 0;
    for (size_t i = 0; i < state->n_calls; i++)
        if (state->calls[i].ended_ms > last && (state->calls[i].phase == HM_CALL_OK || state->calls[i].phase == HM_CALL_FAILED))
            last = state->calls[i].ended_ms;
    return last;
}

/* " · 12 a second, about 25 s left": from what is done so far, so that the same state always says the same. */
static void add_pace(struct hm_strbuf *out, const struct hm_step_state *state, size_t done)
{
    int64_t took_ms = last_ended_ms(state) - state->started_ms;
    size_t left = state->n_calls - done;
    if (done < PACE_FROM || took_ms < PACE_FROM_MS || left == 0)
        return;
    int64_t per_min = (int64_t)done * 60000 / took_ms;
    if (per_min >= 120)
        hm_strbuf_addf(out, " · %lld a second", (long long)(per_min / 60));
    else if (per_min > 0)
        hm_strbuf_addf(out, " · %lld a minute", (long long)per_min);
    int64_t left_ms = (int64_t)left * took_ms / (int64_t)done;
    hm_strbuf_adds(out, ", about ");
    hm_word_duration(out, left_ms < 1000 ? 1000 : left_ms);
    hm_strbuf_adds(out, " left");
}

void hm_card_add_bar(struct hm_strbuf *out, const struct hm_step_state *state)
{
    struct item_counts n = count_items(state);
    size_t done = n.ok + n.failed + n.not_sent;
    size_t full = n.total > 0 ? done * BAR_CELLS / n.total : 0;
    hm_strbuf_addc(out, '`');
    for (size_t i = 0; i < BAR_CELLS; i++)
        hm_strbuf_adds(out, i < full ? "\xe2\x96\x88" : "\xe2\x96\x91"); /* full block, light shade */
    hm_strbuf_addf(out, "` %zu %%", n.total > 0 ? done * 100 / n.total : 0);
    add_pace(out, state, n.ok + n.failed);
}

static void add_items(struct hm_strbuf *out, const struct hm_step_state *state)
{
    struct item_counts n = count_items(state);
    hm_strbuf_adds(out, " · ");
    hm_slack_add_count(out, n.ok);
    hm_strbuf_adds(out, " of ");
    hm_slack_add_count(out, n.total);
    if (n.failed > 0) {
        hm_strbuf_adds(out, ", ");
        hm_slack_add_count(out, n.failed);
        hm_strbuf_adds(out, " failed");
    }
    if (n.not_sent > 0) {
        hm_strbuf_adds(out, ", ");
        hm_slack_add_count(out, n.not_sent);
        hm_strbuf_adds(out, " not sent");
    }
}

static void add_items_below(struct hm_strbuf *out, const struct hm_step_state *state, bool over)
{
    struct item_counts n = count_items(state);
    if (state->phase == HM_PHASE_ACTIVE && n.total > 0 && !over) {
        hm_strbuf_adds(out, INDENT);
        hm_card_add_bar(out, state);
    }
    if (n.failed > 0)
        add_failures(out, state, n.failed, over);
}

/* ---- one call
 * ------------------------------------------------------------------------------------------------------------------- */

static void add_error(struct hm_strbuf *out, const struct hm_call *call)
{
    if (call->error == NULL || call->error[0] == '\0')
        return;
    hm_strbuf_adds(out, ": ");
    hm_word_plain(out, call->error, ERROR_MAX);
}

static void add_waiting(struct hm_strbuf *out, const struct hm_step *step, const struct hm_call *call)
{
    if (call->error != NULL) {
        hm_strbuf_addf(out, " · try %u", call->attempts);
        if (step->tries > 1)
            hm_strbuf_addf(out, " of %u", step->tries);
        hm_strbuf_adds(out, " failed");
        add_error(out, call);
    }
    if (step->until != NULL && call->error == NULL) { /* not yet as it should be */
        hm_strbuf_adds(out, " · looked ");
        hm_word_count(out, call->sent, "time", "times");
    }
    hm_strbuf_adds(out, " · again at ");
    hm_word_time_s(out, call->again_ms);
    if (step->until != NULL) {
        hm_strbuf_adds(out, ", until ");
        hm_word_time_s(out, call->started_ms + step->until_within_ms);
    }
}

/* What a step without items is doing. */
static void add_call(struct hm_strbuf *out, const struct hm_step *step, const struct hm_call *call)
{
    switch (call->phase) {
    case HM_CALL_READY:
        hm_strbuf_adds(out, " · next");
        break;
    case HM_CALL_FLYING:
        hm_strbuf_adds(out, step->effect == HM_EFFECT_READ ? " · asked at " : " · sent at ");
        hm_word_time_s(out, call->started_ms);
        break;
    case HM_CALL_WAITING:
        add_waiting(out, step, call);
        break;
    case HM_CALL_UNKNOWN:
    case HM_CALL_PROBING:
    case HM_CALL_WAITING_PROBE:
        hm_strbuf_adds(out, " · no clear answer");
        add_error(out, call);
        hm_strbuf_adds(out, " · looking whether it happened");
        if (step->effect == HM_EFFECT_ONCE && call->settles_ms > 0) { /* then somebody is asked */
            hm_strbuf_adds(out, ", until ");
            hm_word_time_s(out, call->settles_ms);
        }
        break;
    case HM_CALL_ASKING:
        hm_strbuf_adds(out, " · nobody knows whether it happened");
        break;
    case HM_CALL_OK:
    case HM_CALL_FAILED:
    case HM_CALL_NR:
        break;
    }
}

static void add_settled(struct hm_strbuf *out, const struct hm_call *call)
{
    bool happened = call->phase == HM_CALL_OK;
    if (call->settled_by == NULL || (call->phase != HM_CALL_OK && call->phase != HM_CALL_FAILED))
        return;
    if (hm_streq(call->settled_by, "probe")) {
        hm_strbuf_adds(out, happened ? INDENT "The answer was lost; a look at the system shows that it happened."
                                     : INDENT "The answer was lost; a look at the system shows that it did not happen.");
        return;
    }
    hm_strbuf_adds(out, INDENT);
    hm_word_user(out, call->settled_by);
    hm_strbuf_adds(out, happened ? " said that it happened." : " could not say whether it happened.");
}

static void add_verify(struct hm_strbuf *out, const struct hm_call *verify)
{
    switch (verify->phase) {
    case HM_CALL_FLYING:
    case HM_CALL_WAITING:
        hm_strbuf_adds(out, " · checking the result");
        break;
    case HM_CALL_OK:
        hm_strbuf_adds(out, " · verified");
        break;
    case HM_CALL_FAILED:
        hm_strbuf_adds(out, " · not verified");
        break;
    case HM_CALL_READY:
    case HM_CALL_UNKNOWN:
    case HM_CALL_PROBING:
    case HM_CALL_WAITING_PROBE:
    case HM_CALL_ASKING:
    case HM_CALL_NR:
        break;
    }
}

/* ---- one step
 * ------------------------------------------------------------------------------------------------------------------- */

static const char *step_symbol(const struct hm_run *run, size_t i)
{
    const struct hm_step_state *state = &run->steps[i];
    bool over = run->status != HM_RUN_GOING;
    switch (state->phase) {
    case HM_PHASE_PENDING:
        return over ? ":heavy_minus_sign:" : ":white_circle:";
    case HM_PHASE_SKIPPED:
        return ":heavy_minus_sign:";
    case HM_PHASE_OK:
        return count_items(state).failed > 0 ? ":warning:" : ":white_check_mark:";
    case HM_PHASE_FAILED:
        return ":x:";
    case HM_PHASE_ACTIVE:
        if (over)
            return run->status == HM_RUN_FAILED ? ":x:" : ":no_entry:";
        if (run->recipe->steps[i].kind == HM_STEP_APPROVE)
            return ":lock:";
        if (state->n_in[HM_CALL_ASKING] > 0)
            return ":warning:";
        if (hm_run_open_question(run) == &state->question)
            return ":question:";
        return ":hourglass_flowing_sand:";
    case HM_PHASE_NR:
        break;
    }
    return ":grey_question:";
}

static void add_do(struct hm_strbuf *out, const struct hm_run *run, size_t i)
{
    const struct hm_step *step = &run->recipe->steps[i];
    const struct hm_step_state *state = &run->steps[i];
    bool over = run->status != HM_RUN_GOING;
    if (state->items != NULL && state->n_calls > 0)
        add_items(out, state);
    else if (state->n_calls == 1 && state->phase == HM_PHASE_ACTIVE && !over)
        add_call(out, step, &state->calls[0]);
    add_verify(out, &state->verify);
}

static bool said_in_ending(const struct hm_run *run, const char *error)
{
    return run->ending != NULL && strstr(run->ending, error) != NULL;
}

static void add_below(struct hm_strbuf *out, const struct hm_run *run, size_t i)
{
    const struct hm_step_state *state = &run->steps[i];
    if (state->items != NULL)
        add_items_below(out, state, run->status != HM_RUN_GOING);
    else if (state->n_calls == 1)
        add_settled(out, &state->calls[0]);
    else if (state->gate.decision == HM_GATE_APPROVED && state->gate.n_plan == 1 && state->gate.plan[0].request != NULL) {
        hm_strbuf_adds(out, INDENT);
        hm_word_request_line(out, state->gate.plan[0].request);
    }
    if (state->error != NULL && state->error[0] != '\0' && !said_in_ending(run, state->error)) {
        hm_strbuf_adds(out, INDENT);
        (void)hm_slack_cut_mrkdwn(out, state->error, SAID_MAX);
    }
    if (state->said != NULL && state->said[0] != '\0') {
        bool block = hm_starts_with(state->said, "```"); /* after an indent it would leave an empty line */
        hm_strbuf_adds(out, block ? "\n" : INDENT);
        (void)hm_slack_cut_mrkdwn(out, state->said, SAID_MAX);
    }
}

/* When all went well, what only read and had nothing to say, and what was not needed, is counted and not listed. */
static bool is_folded(const struct hm_run *run, size_t i)
{
    const struct hm_step *step = &run->recipe->steps[i];
    const struct hm_step_state *state = &run->steps[i];
    bool quiet = (state->said == NULL || state->said[0] == '\0') && (state->error == NULL || state->error[0] == '\0');
    bool read = step->kind == HM_STEP_DO && step->effect == HM_EFFECT_READ && state->phase == HM_PHASE_OK &&
                state->n_in[HM_CALL_FAILED] == 0;
    return run->status == HM_RUN_DONE && quiet && (state->phase == HM_PHASE_SKIPPED || read);
}

/* A message step is its words and nothing else: until they are said, and when they are not needed, it has no line. */
static bool is_silent(const struct hm_run *run, size_t i)
{
    const struct hm_step_state *state = &run->steps[i];
    if (run->recipe->steps[i].kind == HM_STEP_OFFER)
        return true; /* its buttons are at the end */
    return run->recipe->steps[i].kind == HM_STEP_SAY && (state->said == NULL || state->said[0] == '\0');
}

static void add_step(struct hm_strbuf *out, const struct hm_run *run, size_t i)
{
    const struct hm_step *step = &run->recipe->steps[i];
    const struct hm_step_state *state = &run->steps[i];
    if (step->kind == HM_STEP_SAY && step->title == NULL) {
        hm_strbuf_adds(out, ":speech_balloon: ");
        (void)hm_slack_cut_mrkdwn(out, state->said, SAID_MAX);
        return;
    }
    hm_strbuf_adds(out, step_symbol(run, i));
    hm_strbuf_addc(out, ' ');
    hm_slack_escape_line(out, hm_word_step(step));
    if (state->phase == HM_PHASE_SKIPPED)
        hm_strbuf_adds(out, " · not needed");
    else if (state->phase == HM_PHASE_PENDING && run->status != HM_RUN_GOING)
        hm_strbuf_adds(out, " · not done");
    if (step->kind == HM_STEP_DO)
        add_do(out, run, i);
    else if (step->kind == HM_STEP_APPROVE)
        hm_card_add_decision(out, &state->gate);
    hm_card_add_answer(out, &state->question);
    bool timed = step->kind == HM_STEP_DO && (state->phase == HM_PHASE_OK || state->phase == HM_PHASE_FAILED);
    if (timed) {
        hm_strbuf_adds(out, " · ");
        hm_word_duration(out, state->ended_ms - state->started_ms);
    }
    add_below(out, run, i);
}

void hm_card_add_steps(struct hm_blocks *blocks, const struct hm_run *run)
{
    size_t folded = 0;
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        if (is_silent(run, i))
            continue;
        if (is_folded(run, i)) {
            folded++;
            continue;
        }
        if (out.len > 0)
            hm_strbuf_addc(&out, '\n');
        add_step(&out, run, i);
    }
    if (folded > 0) {
        hm_strbuf_adds(&out, out.len > 0 ? "\n:heavy_minus_sign: " : ":heavy_minus_sign: ");
        hm_word_count(&out, folded, "more step had nothing to tell", "more steps had nothing to tell");
    }
    /* What comes after the steps matters more: what the run waits for, or how it ended. */
    if (run->status == HM_RUN_GOING)
        hm_blocks_reserve(blocks, 16, 7000);
    else
        hm_blocks_reserve(blocks, hm_card_has_offers(run) || hm_run_retryable(run) > 0 ? 6 : 2, 3000);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_blocks_reserve(blocks, 0, 0);
    hm_strbuf_done(&out);
}
