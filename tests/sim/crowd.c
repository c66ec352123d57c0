/* The people: see crowd.h. */
#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crowd_parts.h"
#include "model_channel.h"
#include "model_journal.h"
#include "process.h"
#include "view/card.h"

enum { REMEMBERED = 24, FAVOURITES = 2 };

struct crowd {
    struct button old[REMEMBERED]; /* a ring */
    size_t n_seen;
    size_t favourites[FAVOURITES]; /* recipes that this story is about: they meet each other more often than by chance */
};

void sim_crowd_init(void)
{
    sim->crowd = hm_xcalloc(1, sizeof *sim->crowd);
    for (size_t i = 0; i < FAVOURITES; i++)
        sim->crowd->favourites[i] = rng_below(&sim->rng, sim_recipe_count());
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

/* Words about the runs that there are, or about all of them. */
static char *control_words(void)
{
    const struct book_run *run = book_run(rng_below(&sim->rng, book_runs()));
    switch (rng_below(&sim->rng, sim->faults.stops ? 7 : 5)) {
    case 0:
        return hm_xasprintf("retry %s", run->id);
    case 1:
        return hm_xasprintf("run %s", run->id);
    case 2:
        return hm_xstrdup("runs");
    case 5:
        return hm_xstrdup("stop all");
    case 6:
        return hm_xstrdup("resume");
    default:
        return hm_xasprintf("cancel %s", run->id);
    }
}

static void act_command(void)
{
    static const unsigned weights[SIM_PEOPLE] = {45, 25, 15, 15, 0};
    size_t recipe = sim->crowd->favourites[rng_below(&sim->rng, FAVOURITES)];
    if (rng_percent(&sim->rng, 25))
        recipe = rng_below(&sim->rng, sim_recipe_count());
    bool control = book_runs() > 0 && rng_percent(&sim->rng, 20);
    char *text = control ? control_words() : sim_command_new(&sim->rng, recipe);
    const char *user = somebody(weights);
    crowd_type(user, rng_percent(&sim->rng, 10) ? "D0USER" : "C0OPS", text);
    free(text);
}

bool crowd_resume(void)
{
    if (!process_is_held())
        return false;
    crowd_type("U0ANA", "C0OPS", "resume");
    return true;
}

static void act_submit(bool well)
{
    struct dialog d = slack_take_dialog(rng_below(&sim->rng, slack_dialogs()));
    crowd_submit(&d, well);
}

/* One of the messages that have buttons, or NULL. prefix: of its key. */
static const struct message *pick_message(const char *prefix)
{
    const struct message *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < slack_messages(); i++) {
        const struct message *m = slack_message(i);
        if (!m->deleted && hm_starts_with(m->key, prefix) && count_buttons(m) > 0 && rng_below(&sim->rng, ++n) == 0)
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
    const struct message *m = pick_message(sim->alarms && rng_percent(&sim->rng, 40) ? "a-" : "");
    if (m == NULL)
        return false;
    bool first = rng_percent(&sim->rng, 45); /* "approve", "it happened" … */
    return find_button(m, first ? 0 : rng_below(&sim->rng, count_buttons(m)), ret);
}

static bool act_click(void)
{
    static const unsigned weights[SIM_PEOPLE] = {20, 35, 20, 10, 15};
    struct button b;
    if (!pick_button(&b))
        return false;
    const char *user = somebody(weights);
    crowd_click(user, &b);
    if (sim->faults.busy_people && rng_percent(&sim->rng, 30))
        crowd_click(rng_percent(&sim->rng, 50) ? user : somebody(weights), &b);
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

/* What is said in the watched channel. Nothing before the bot has begun to watch it: that is nobody's promise. */
static bool act_say(void)
{
    static const enum said_kind kinds[] = {SAID_ALARM, SAID_ALARM, SAID_ALARM, SAID_ALARM,  SAID_ALARM,
                                           SAID_OK,    SAID_OK,    SAID_OK,    SAID_FORGED, SAID_CHATTER};
    if (book_value("alarm-watermark", SIM_WATCHED) == NULL)
        return false;
    if (channel_size() > 0 && rng_percent(&sim->rng, 10))
        channel_edit(rng_below(&sim->rng, channel_size()));
    else
        channel_say(kinds[rng_below(&sim->rng, HM_ARRAY_LEN(kinds))], rng_percent(&sim->rng, 60) ? "x1" : "x2");
    return true;
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

/* Which buttons are answers. *ret_gate: by somebody else than whoever asked. */
static bool is_answer(const char *action, bool *ret_gate)
{
    static const char *const answers[] = {HM_ACTION_HAPPENED,      HM_ACTION_CHOOSE, HM_ACTION_DONE,
                                          HM_ACTION_DONE_EVIDENCE, HM_ACTION_RETRY,  HM_ACTION_SKIP};
    *ret_gate = strcmp(action, HM_ACTION_APPROVE) == 0 || strcmp(action, HM_ACTION_APPROVE_TYPED) == 0;
    for (size_t i = 0; i < HM_ARRAY_LEN(answers); i++)
        if (strcmp(action, answers[i]) == 0)
            return true;
    return *ret_gate || (strcmp(action, HM_ACTION_DID_NOT) == 0 && rng_percent(&sim->rng, 50));
}

static bool help_run(const struct message *m)
{
    struct button b;
    bool is_gate = false;
    const struct book_run *run = hm_starts_with(m->key, "run:") ? book_find(m->key + 4) : NULL;
    if (m->deleted || run == NULL)
        return false;
    const struct hm_gate *gate = hm_run_open_gate(run->state);
    for (size_t i = 0; find_button(m, i, &b); i++) {
        const char *user = is_answer(b.action, &is_gate) ? helper(run->state, is_gate ? gate : NULL) : NULL;
        if (user == NULL)
            continue;
        crowd_click(user, &b);
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
    if (sim->alarms && rng_percent(&sim->rng, 40))
        return act_say();
    size_t pick = rng_below(&sim->rng, 100);
    if (slack_dialogs() > 0 && pick < 60) {
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
