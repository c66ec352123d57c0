/* The card's gate: what will be sent, exactly; who may let it through and until when; the buttons. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/escape.h"
#include "view/card.h"
#include "view/card_parts.h"
#include "view/paper.h"
#include "view/words.h"

enum {
    AFTER_BLOCKS = 4,  /* notes and buttons that follow the requests */
    AFTER_ROOM = 3200, /* their JSON at most: four buttons with their dialogs, the conditions */
    QUESTION_MAX = 1500,
    REASON_MAX = 300,
    CONFIRM_URL_MAX = 150
};

/* ---- decided
 * -------------------------------------------------------------------------------------------------------------------- */

static void add_vote(struct hm_strbuf *out, const struct hm_vote *vote)
{
    hm_word_user(out, vote->user);
    hm_strbuf_adds(out, " at ");
    hm_word_time(out, vote->at_ms);
    if (vote->reason != NULL && vote->reason[0] != '\0') {
        hm_strbuf_adds(out, ": “");
        hm_word_plain(out, vote->reason, REASON_MAX);
        hm_strbuf_adds(out, "”");
    }
}

static void add_votes(struct hm_strbuf *out, const struct hm_gate *gate)
{
    for (size_t i = 0; i < gate->n_votes; i++) {
        hm_strbuf_adds(out, i > 0 ? ", " : "");
        add_vote(out, &gate->votes[i]);
    }
}

static bool glass_broken(const struct hm_gate *gate)
{
    return gate->n_votes > 0 && gate->votes[gate->n_votes - 1].broke_glass;
}

void hm_card_add_decision(struct hm_strbuf *out, const struct hm_gate *gate)
{
    if (gate->nonce[0] == '\0') /* not asked yet */
        return;
    switch (gate->decision) {
    case HM_GATE_OPEN:
        if (gate->n_votes > 0) {
            hm_strbuf_adds(out, " · so far by ");
            add_votes(out, gate);
        }
        break;
    case HM_GATE_APPROVED:
        hm_strbuf_adds(out, glass_broken(gate) ? " · :rotating_light: alone by " : " · approved by ");
        add_votes(out, gate);
        hm_strbuf_addf(out, " · plan `%.12s`, ", gate->digest);
        hm_word_count(out, gate->n_plan, "request", "requests");
        break;
    case HM_GATE_REJECTED:
        hm_strbuf_adds(out, " · rejected by ");
        add_votes(out, gate);
        break;
    case HM_GATE_EXPIRED:
        hm_strbuf_adds(out, " · closed at ");
        hm_word_time_near(out, gate->expires_ms, gate->opened_ms);
        break;
    case HM_GATE_VOIDED:
        hm_strbuf_adds(out, " · void: ");
        hm_word_plain(out, gate->anew != NULL ? gate->anew : "what would be sent changed.", REASON_MAX);
        break;
    }
}

/* ---- the requests
 * --------------------------------------------------------------------------------------------------------------- */

/* Of a long plan the first requests stand for all: they differ in what the recipe's list says, and `hausmeister plan` prints
 * each. */
enum { MANY = 10, SHOWN_OF_MANY = 10 };

/* "POST URL\n\n(empty body)" on one line, so that a long list can be read; false when the request has more to it. */
static bool fold_empty_body(char *text)
{
    static const char tail[] = "\n\n(empty body)";
    char *at = strstr(text, tail);
    if (at == NULL || at[sizeof tail - 1] != '\0' || strcspn(text, "\n") != (size_t)(at - text))
        return false;
    memcpy(at, "  (empty body)", sizeof "  (empty body)");
    return true;
}

/* As many whole requests as the room allows, at least the first. Returns how many. */
static size_t gather(struct hm_strbuf *out, const struct hm_gate *gate, size_t room)
{
    size_t shown = 0;
    bool many = gate->n_plan > MANY;
    for (; shown < gate->n_plan && gate->plan[shown].request != NULL && !(many && shown == SHOWN_OF_MANY); shown++) {
        char *text = hm_word_request(gate->plan[shown].request);
        const char *gap = shown > 0 ? "\n\n" : "";
        if (many && fold_empty_body(text) && shown > 0)
            gap = "\n";
        bool fits = shown == 0 || hm_slack_length(hm_strbuf_str(out)) + hm_slack_length(text) + 2 <= room;
        if (fits) {
            hm_strbuf_adds(out, gap);
            hm_strbuf_adds(out, text);
        }
        free(text);
        if (!fits)
            break;
    }
    return shown;
}

void hm_card_add_requests(struct hm_blocks *blocks, const struct hm_gate *gate, const char *would, const char *rest)
{
    struct hm_strbuf text;
    struct hm_strbuf note;
    size_t room = hm_blocks_room(blocks);
    hm_strbuf_init(&text, SIZE_MAX / 2);
    hm_strbuf_init(&note, SIZE_MAX / 2);
    size_t shown = gather(&text, gate, room > 1500 ? room * 3 / 4 : 1000);

    hm_strbuf_adds(&note, gate->n_plan == 1 ? "*Exactly this " : "*Exactly these ");
    if (gate->n_plan > 1)
        hm_slack_add_count(&note, gate->n_plan);
    hm_strbuf_addf(&note, "%s%s be sent:*", gate->n_plan > 1 ? " requests " : "", would);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&note));
    (void)hm_blocks_preformatted(blocks, hm_strbuf_str(&text), 0);
    if (shown < gate->n_plan) {
        hm_strbuf_reset(&note);
        hm_strbuf_adds(&note, ":warning: ");
        hm_word_count(&note, gate->n_plan - shown, "more request is", "more requests are");
        hm_strbuf_adds(&note, rest);
        (void)hm_blocks_section(blocks, hm_strbuf_str(&note));
    }
    hm_strbuf_done(&note);
    hm_strbuf_done(&text);
}

/* ---- who may
 * -------------------------------------------------------------------------------------------------------------------- */

/* "1 approval from each of role `a` and `b`" */
static void add_each(struct hm_strbuf *out, const struct hm_step *step)
{
    hm_word_count(out, step->need, "approval from each of role ", "different approvals from each of role ");
    for (size_t i = 0; step->by[i] != NULL; i++) {
        hm_strbuf_adds(out, i == 0 ? "" : step->by[i + 1] == NULL ? " and " : ", ");
        hm_slack_add_code(out, step->by[i]);
    }
}

/* "1 of 2 so far (`a` 1 of 1, `b` 0 of 1)" */
void hm_card_add_tally(struct hm_strbuf *out, const struct hm_step *step, const struct hm_gate *gate)
{
    struct hm_tally tally;
    hm_gate_tally(step, gate, NULL, &tally);
    hm_strbuf_addf(out, "%u of %u so far", tally.have, tally.need);
    for (size_t i = 0; step->each && step->by[i] != NULL && i < HM_TALLY_MAX; i++) {
        hm_strbuf_adds(out, i == 0 ? " (" : ", ");
        hm_slack_add_code(out, step->by[i]);
        hm_strbuf_addf(out, " %u of %u%s", tally.filled[i], step->need, step->by[i + 1] == NULL ? ")" : "");
    }
}

/* "2 different approvals from role `x`, not from …" */
void hm_card_add_need(struct hm_strbuf *out, const struct hm_step *step, const char *requester)
{
    if (step->each) {
        add_each(out, step);
    } else {
        hm_word_count(out, step->need, "approval from ", "different approvals from ");
        hm_word_roles(out, step->by);
    }
    if (!step->self) {
        hm_strbuf_adds(out, ", not from ");
        hm_word_user(out, requester);
        hm_strbuf_adds(out, ", who asked");
    }
}

static void add_conditions(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_step *step,
                           const struct hm_gate *gate)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "Needs ");
    hm_card_add_need(&out, step, run->requester);
    if (!step->self && run->owner != NULL && strcmp(run->owner, run->requester) != 0) {
        hm_strbuf_adds(&out, ", nor from ");
        hm_word_user(&out, run->owner);
        hm_strbuf_adds(&out, ", who leads it");
    }
    hm_strbuf_adds(&out, " · ");
    hm_card_add_tally(&out, step, gate);
    hm_strbuf_adds(&out, " · closes at ");
    hm_word_time_near(&out, gate->expires_ms, gate->opened_ms);
    hm_strbuf_addf(&out, " · plan `%.12s`", gate->digest);
    if (gate->typed != NULL) {
        hm_strbuf_adds(&out, "\nWhoever approves has to type ");
        json_t *typed = hm_json_str_new(gate->typed);
        hm_word_value(&out, typed);
        json_decref(typed);
        hm_strbuf_addc(&out, '.');
    }
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

/* ---- the buttons
 * ---------------------------------------------------------------------------------------------------------------- */

static bool can_not_be_repeated(const struct hm_run *run, const struct hm_gate *gate)
{
    for (size_t i = 0; i < gate->n_plan; i++) {
        int step = gate->plan[i].step;
        if (step >= 0 && run->recipe->steps[step].effect == HM_EFFECT_ONCE)
            return true;
    }
    return false;
}

/* What the dialog says before the click counts; plain text. */
static void add_confirm_text(struct hm_strbuf *out, const struct hm_run *run, const struct hm_step *step,
                             const struct hm_gate *gate)
{
    struct hm_tally tally;
    hm_gate_tally(step, gate, NULL, &tally);
    if (tally.have + 1 < tally.need)
        hm_strbuf_addf(out, "Yours is approval %u of %u. With the last one, ", tally.have + 1, tally.need);
    hm_word_count(out, gate->n_plan, "request is sent", "requests are sent");
    hm_strbuf_adds(out, can_not_be_repeated(run, gate) ? ", once; hausmeister can not take it back." : ".");
    const json_t *first = gate->n_plan == 1 ? gate->plan[0].request : NULL;
    const char *url = hm_json_get_str(first, "url", NULL);
    if (url != NULL) {
        hm_strbuf_addf(out, " %s ", hm_json_get_str(first, "method", ""));
        (void)hm_slack_cut_label(out, url, CONFIRM_URL_MAX);
    }
}

static void add_buttons(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_step *step,
                        const struct hm_gate *gate)
{
    struct hm_strbuf text;
    bool once = can_not_be_repeated(run, gate);
    char *value = hm_card_value(run->id, gate->nonce);
    hm_strbuf_init(&text, SIZE_MAX / 2);
    add_confirm_text(&text, run, step, gate);
    const struct hm_confirm approve = {"Approve exactly this?", hm_strbuf_str(&text), "Approve", "Back",
                                       once ? HM_STYLE_DANGER : HM_STYLE_PRIMARY};
    struct hm_button buttons[3] = {
        {"Approve", HM_ACTION_APPROVE, value, once ? HM_STYLE_DANGER : HM_STYLE_PRIMARY, &approve},
        {"Reject …", HM_ACTION_REJECT_WHY, value, HM_STYLE_DEFAULT, NULL},
        {"Go on alone …", HM_ACTION_GLASS, value, HM_STYLE_DANGER, NULL},
    };
    if (gate->typed != NULL) { /* the dialog that asks for the text is the second look */
        buttons[0].action_id = HM_ACTION_APPROVE_TYPED;
        buttons[0].label = "Approve …";
        buttons[0].confirm = NULL;
    }
    (void)hm_blocks_actions(blocks, buttons, step->break_glass ? 3 : 2);
    hm_strbuf_done(&text);
    free(value);
}

void hm_card_add_gate(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_gate *gate)
{
    const struct hm_step *step = &run->recipe->steps[run->at];
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    if (gate->anew != NULL) {
        hm_strbuf_adds(&out, ":warning: *Asked anew.* ");
        hm_word_plain(&out, gate->anew, REASON_MAX);
        hm_strbuf_addc(&out, '\n');
    }
    hm_strbuf_adds(&out, ":lock: ");
    (void)hm_slack_cut_mrkdwn(&out, gate->question != NULL && gate->question[0] != '\0' ? gate->question : "Go on?",
                              QUESTION_MAX);

    hm_blocks_reserve(blocks, AFTER_BLOCKS, AFTER_ROOM);
    (void)hm_blocks_divider(blocks);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_card_add_requests(
        blocks, gate, "will",
        gate->n_plan >= HM_PAPER_PLAN_FROM
            ? " part of the plan and approved with it; the file under this card has every one."
            : " part of the plan and approved with it, and too long for this card; `hausmeister plan` prints every one.");
    hm_blocks_reserve(blocks, 0, 0);
    add_conditions(blocks, run, step, gate);
    add_buttons(blocks, run, step, gate);
    hm_strbuf_done(&out);
}
