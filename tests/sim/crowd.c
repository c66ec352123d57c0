/* The people: see crowd.h. */
#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "model_journal.h"
#include "sim.h"
#include "view/card.h"
#include "view/dialog.h"

enum { REMEMBERED = 24 };

struct button {
    char action[40], value[64], channel[16], ts[32];
};

struct crowd {
    struct button old[REMEMBERED]; /* a ring */
    size_t n_seen;
    unsigned ids; /* of envelopes */
};

void sim_crowd_init(void)
{
    sim->crowd = hm_xcalloc(1, sizeof *sim->crowd);
}

void sim_crowd_done(void)
{
    HM_FREE(sim->crowd);
}

/* ---- buttons
 * ---------------------------------------------------------------------------------------------------------------------------- */

/* The index-th button of a message. */
static bool find_button(const struct message *m, size_t index, struct button *ret)
{
    size_t at = 0;
    const json_t *block = NULL;
    json_array_foreach(m->blocks, at, block)
    {
        const json_t *elements = json_object_get(block, "elements");
        if (!hm_streq(hm_json_get_str(block, "type", ""), "actions"))
            continue;
        if (index >= json_array_size(elements)) {
            index -= json_array_size(elements);
            continue;
        }
        const json_t *b = json_array_get(elements, index);
        const char *action = hm_json_get_str(b, "action_id", "");
        (void)snprintf(ret->action, sizeof ret->action, "%.*s", (int)strcspn(action, "#"), action);
        (void)snprintf(ret->value, sizeof ret->value, "%s", hm_json_get_str(b, "value", ""));
        (void)snprintf(ret->channel, sizeof ret->channel, "%s", m->channel);
        (void)snprintf(ret->ts, sizeof ret->ts, "%s", m->ts);
        return true;
    }
    return false;
}

static size_t count_buttons(const struct message *m)
{
    struct button b;
    size_t n = 0;
    while (find_button(m, n, &b))
        n++;
    return n;
}

void crowd_see(const struct message *message)
{
    struct crowd *c = sim->crowd;
    for (size_t i = 0; find_button(message, i, &c->old[c->n_seen % REMEMBERED]); i++)
        c->n_seen++;
}

/* ---- what Slack sends
 * ----------------------------------------------------------------------------------------------------------------------- */

static void send_it(const char *user, enum envelope_kind kind, struct hm_strbuf *payload)
{
    struct crowd *c = sim->crowd;
    unsigned id = ++c->ids;
    struct envelope e = {
        .key = hm_xasprintf("%s:t%u", kind == SIM_COMMAND ? "cmd" : "act", id),
        .id = hm_xasprintf("e%u", id),
        .type = kind == SIM_COMMAND ? "slash_commands" : "interactive",
        .user = user,
        .kind = kind,
    };
    e.text = hm_xasprintf(
        "{\"envelope_id\":\"%s\",\"type\":\"%s\",\"accepts_response_payload\":true,\"payload\":{\"trigger_id\":\"t%u\","
        "\"api_app_id\":\"A0SIM\",\"response_url\":\"https://hooks/%s\",%s}}",
        e.id, e.type, id, user, hm_strbuf_str(payload));
    hm_strbuf_done(payload);
    slack_send_envelope(&e);
}

static void type_command(const char *user, const char *channel, const char *text)
{
    struct hm_strbuf p;
    sim_tell("%s types /hausmeister %s", user, text);
    hm_strbuf_init(&p, 4000);
    hm_strbuf_addf(&p,
                   "\"command\":\"/hausmeister\",\"text\":\"%s\",\"team_id\":\"T0SIM\",\"user_id\":\"%s\",\"channel_id\":\"%s\"",
                   text, user, channel);
    send_it(user, SIM_COMMAND, &p);
}

static void click(const char *user, const struct button *b)
{
    struct hm_strbuf p;
    sim->count.clicks++;
    sim_tell("%s clicks %s (%s)", user, b->action, b->value);
    hm_strbuf_init(&p, 4000);
    hm_strbuf_addf(&p,
                   "\"type\":\"block_actions\",\"team\":{\"id\":\"T0SIM\"},\"user\":{\"id\":\"%s\",\"team_id\":\"%s\"},"
                   "\"channel\":{\"id\":\"%s\"},\"container\":{\"message_ts\":\"%s\",\"channel_id\":\"%s\"},"
                   "\"actions\":[{\"action_id\":\"%s\",\"block_id\":\"b\",\"value\":\"%s\"}]",
                   user, sim_team_of(user), b->channel, b->ts, b->channel, b->action, b->value);
    send_it(user, SIM_CLICK, &p);
}

/* typed, reason: NULL = the field is not in the form. */
static void submit(struct dialog *d, const char *typed, const char *reason)
{
    struct hm_strbuf p;
    sim_tell("%s submits the form of %s%s%s", d->user, d->value, typed != NULL ? ", typed " : "", typed != NULL ? typed : "");
    hm_strbuf_init(&p, 4000);
    hm_strbuf_addf(&p,
                   "\"type\":\"view_submission\",\"team\":{\"id\":\"T0SIM\"},\"user\":{\"id\":\"%s\",\"team_id\":\"%s\"},"
                   "\"view\":{\"id\":\"V1\",\"callback_id\":\"%s\",\"private_metadata\":\"%s\",\"state\":{\"values\":{",
                   d->user, sim_team_of(d->user), d->callback_id, d->value);
    if (typed != NULL)
        hm_strbuf_addf(&p, "\"" HM_FIELD_TYPED "\":{\"a\":{\"type\":\"plain_text_input\",\"value\":\"%s\"}}", typed);
    if (reason != NULL)
        hm_strbuf_addf(&p, "%s\"" HM_FIELD_REASON "\":{\"a\":{\"type\":\"plain_text_input\",\"value\":\"%s\"}}",
                       typed != NULL ? "," : "", reason);
    hm_strbuf_adds(&p, "}}}");
    send_it(d->user, SIM_FORM, &p);
    free(d->callback_id);
    free(d->value);
}

/* ---- by chance
 * ------------------------------------------------------------------------------------------------------------------------------
 */

static const char *somebody(const unsigned weights[SIM_PEOPLE])
{
    size_t pick = rng_below(&sim->rng, 100);
    for (size_t i = 0; i < SIM_PEOPLE; i++) {
        if (pick < weights[i])
            return sim_people[i];
        pick -= weights[i];
    }
    return sim_people[0];
}

static void act_command(void)
{
    static const unsigned weights[SIM_PEOPLE] = {45, 25, 15, 15, 0};
    char *text = sim_command_new(&sim->rng);
    const char *user = somebody(weights);
    if (book_runs() > 0 && rng_percent(&sim->rng, 8)) {
        free(text);
        text = hm_xasprintf("cancel %s", book_run(rng_below(&sim->rng, book_runs()))->id);
    }
    type_command(user, rng_percent(&sim->rng, 10) ? "D0USER" : "C0OPS", text);
    free(text);
}

/* What must be typed for this dialog's gate. */
static const char *right_text(const char *value)
{
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    if (!hm_card_parse_value(value, run_id, nonce))
        return "";
    const struct book_run *run = book_find(run_id);
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run->state) : NULL;
    return gate != NULL && gate->typed != NULL ? gate->typed : "";
}

static void act_submit(bool well)
{
    struct dialog d = slack_take_dialog(rng_below(&sim->rng, slack_dialogs()));
    bool glass = strcmp(d.callback_id, HM_DIALOG_GLASS) == 0;
    const char *typed = glass ? NULL : !well && rng_percent(&sim->rng, 30) ? "wrong" : right_text(d.value);
    const char *reason = !glass ? NULL : !well && rng_percent(&sim->rng, 30) ? "" : "the house is on fire";
    submit(&d, typed, reason);
}

/* One of the messages that have buttons, or NULL. */
static const struct message *pick_message(void)
{
    const struct message *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < slack_messages(); i++) {
        const struct message *m = slack_message(i);
        if (!m->deleted && count_buttons(m) > 0 && rng_below(&sim->rng, ++n) == 0)
            found = m;
    }
    return found;
}

static bool pick_button(struct button *ret)
{
    const struct crowd *c = sim->crowd;
    if (c->n_seen > 0 && rng_percent(&sim->rng, 15)) {
        *ret = c->old[rng_below(&sim->rng, c->n_seen < REMEMBERED ? c->n_seen : REMEMBERED)];
        return ret->value[0] != '\0';
    }
    const struct message *m = pick_message();
    if (m == NULL)
        return false;
    bool first = rng_percent(&sim->rng, 60); /* "approve", "it happened" … */
    return find_button(m, first ? 0 : rng_below(&sim->rng, count_buttons(m)), ret);
}

static bool act_click(void)
{
    static const unsigned weights[SIM_PEOPLE] = {20, 35, 20, 10, 15};
    struct button b;
    if (!pick_button(&b))
        return false;
    const char *user = somebody(weights);
    click(user, &b);
    if (sim->faults.busy_people && rng_percent(&sim->rng, 30))
        click(rng_percent(&sim->rng, 50) ? user : somebody(weights), &b);
    return true;
}

static void act_delete(void)
{
    struct message *m = slack_message(rng_below(&sim->rng, slack_messages()));
    struct book_run *run = hm_starts_with(m->key, "run:") ? book_find(m->key + 4) : NULL;
    if (m->deleted || run == NULL || run->deletions > 0)
        return;
    run->deletions++;
    m->deleted = true;
    sim_tell("somebody deletes %s", m->key);
}

/* ---- the right people
 * ------------------------------------------------------------------------------------------------------------------------ */

/* Somebody who may and has not yet. */
static const char *helper(const struct hm_run *run, const struct hm_gate *gate)
{
    for (size_t i = 0; i < SIM_PEOPLE; i++) {
        bool voted = false;
        if (!sim_is_entitled(sim_people[i]) || (gate != NULL && strcmp(run->requester, sim_people[i]) == 0))
            continue;
        for (size_t v = 0; gate != NULL && v < gate->n_votes; v++)
            voted = voted || strcmp(gate->votes[v].user, sim_people[i]) == 0;
        if (!voted)
            return sim_people[i];
    }
    return NULL;
}

static bool help_run(const struct message *m)
{
    struct button b;
    const struct book_run *run = hm_starts_with(m->key, "run:") ? book_find(m->key + 4) : NULL;
    if (m->deleted || run == NULL)
        return false;
    const struct hm_gate *gate = hm_run_open_gate(run->state);
    for (size_t i = 0; find_button(m, i, &b); i++) {
        bool settles =
            strcmp(b.action, HM_ACTION_HAPPENED) == 0 || (strcmp(b.action, HM_ACTION_DID_NOT) == 0 && rng_percent(&sim->rng, 50));
        bool approves = strcmp(b.action, HM_ACTION_APPROVE) == 0 || strcmp(b.action, HM_ACTION_APPROVE_TYPED) == 0;
        const char *user = settles || approves ? helper(run->state, approves ? gate : NULL) : NULL;
        if (user == NULL)
            continue;
        click(user, &b);
        return true;
    }
    return false;
}

bool crowd_help(void)
{
    if (slack_dialogs() > 0) {
        act_submit(true);
        return true;
    }
    for (size_t i = 0; i < slack_messages(); i++)
        if (help_run(slack_message(i)))
            return true;
    return false;
}

/* ---- what comes next -------------------------------------------------------------------------------------------- */

bool crowd_act(void)
{
    size_t pick = rng_below(&sim->rng, 100);
    if (slack_dialogs() > 0 && pick < 40) {
        act_submit(false);
    } else if (slack_messages() > 0 && sim->faults.deleted_cards && pick < 44) {
        act_delete();
    } else if (book_runs() == 0 || pick > 80) {
        act_command();
    } else {
        return (pick < 15 && crowd_help()) || act_click();
    }
    return true;
}
