/* Words for the audit channel, and for those who are to approve: see notices.h. */
#include "app/notices.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "io/timer.h"
#include "view/card.h"
#include "view/words.h"

enum {
    SINCE_MS = 60000, /* our clock may have been set since the notice was posted */
    AGAIN_MS = 30000  /* a conversation that could not be opened is asked for again so often, for a day */
};

struct hm_notices {
    struct hm_journal *journal;
    struct hm_cards *cards;
    const struct hm_clock *clock;
    const struct hm_settings *settings;
    const struct hm_roles *roles; /* NULL = nobody is asked to approve */
    json_t *waiting;              /* key → value: for the thread of a card that is not posted yet */
    json_t *unopened;             /* the same: for people whose conversation could not be opened */
    json_t *opening;              /* key → true: for people whose conversation is being opened */
    struct hm_timer *again_timer; /* NULL = stopped */
};

static void forget(struct hm_notices *notices, const char *key)
{
    struct hm_batch *batch = hm_batch_new();
    (void)json_object_del(notices->waiting, key);
    hm_batch_set(batch, HM_NOTICES_SPACE, key, NULL);
    hm_journal_put(notices->journal, batch, NULL, NULL);
}

static void on_shown(void *arg, const char *key)
{
    forget(arg, key);
}

static void say(struct hm_notices *notices, const char *key, const json_t *value, bool again);

/* The card of this run (NULL: of any) may be there: what was to be said under it is said. */
static void on_card(void *arg, const char *run_id)
{
    struct hm_notices *notices = arg;
    json_t *waiting = notices->waiting;
    const char *key = NULL;
    json_t *value = NULL;
    notices->waiting = hm_json_obj_new();
    json_object_foreach(waiting, key, value)
    {
        if (run_id == NULL || hm_streq(hm_json_get_str(value, "run", ""), run_id))
            say(notices, key, value, true);
        else
            hm_json_set(notices->waiting, key, json_incref(value));
    }
    json_decref(waiting);
}

/* Nobody wants to hear of a gate that closed long ago. */
static bool too_old(const struct hm_notices *notices, const json_t *value)
{
    static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;
    return hm_json_get_str(value, "channel", NULL) == NULL &&
           hm_wall_ms(notices->clock) - hm_json_get_int(value, "at", 0) > day_ms;
}

static void on_again(void *arg)
{
    struct hm_notices *notices = arg;
    json_t *unopened = notices->unopened;
    const char *key = NULL;
    json_t *value = NULL;
    notices->unopened = hm_json_obj_new();
    json_object_foreach(unopened, key, value)
    {
        if (too_old(notices, value))
            forget(notices, key);
        else
            say(notices, key, value, true);
    }
    json_decref(unopened);
}

struct hm_notices *hm_notices_new(uv_loop_t *loop, struct hm_journal *journal, struct hm_cards *cards,
                                  const struct hm_clock *clock)
{
    struct hm_notices *notices = hm_xcalloc(1, sizeof *notices);
    *notices = (struct hm_notices){.journal = journal, .cards = cards, .clock = clock};
    notices->waiting = hm_json_obj_new();
    notices->unopened = hm_json_obj_new();
    notices->opening = hm_json_obj_new();
    notices->again_timer = hm_timer_new(loop, on_again, notices);
    hm_cards_listen(cards, on_shown, notices);
    hm_cards_listen_posted(cards, on_card, notices);
    return notices;
}

void hm_notices_stop(struct hm_notices *notices)
{
    hm_timer_free(notices->again_timer);
    notices->again_timer = NULL;
}

void hm_notices_free(struct hm_notices *notices)
{
    json_decref(notices->waiting);
    json_decref(notices->unopened);
    json_decref(notices->opening);
    hm_timer_free(notices->again_timer);
    free(notices);
}

void hm_notices_attach(struct hm_notices *notices, const struct hm_roles *roles)
{
    notices->roles = roles;
}

void hm_notices_use(struct hm_notices *notices, const struct hm_settings *settings)
{
    notices->settings = settings;
}

/* ---- owing ----------------------------------------------------------------------------------------------------------- */

/* Owes it; what is given to hm_notices_post() later. where: further fields of the value, taken over. */
static json_t *owe_new(struct hm_notices *notices, struct hm_batch *batch, const char *key, const char *mrkdwn,
                       json_t *stolen_value)
{
    json_t *owed = hm_json_obj_new();
    hm_json_set_str(stolen_value, "text", mrkdwn);
    hm_json_set_int(stolen_value, "at", hm_wall_ms(notices->clock));
    hm_batch_set(batch, HM_NOTICES_SPACE, key, json_incref(stolen_value));
    hm_json_set(owed, key, stolen_value);
    return owed;
}

json_t *hm_notices_owe_new(struct hm_notices *notices, struct hm_batch *batch, const char *key, const char *mrkdwn)
{
    const char *channel = notices->settings->slack.audit_channel;
    if (channel == NULL)
        return NULL;
    json_t *value = hm_json_obj_new();
    hm_json_set_str(value, "channel", channel);
    return owe_new(notices, batch, key, mrkdwn, value);
}

static void add_all(json_t **all, json_t *stolen_owed)
{
    if (*all == NULL) {
        *all = stolen_owed;
    } else if (stolen_owed != NULL) {
        (void)json_object_update(*all, stolen_owed);
        json_decref(stolen_owed);
    }
}

/* ---- who is to approve -------------------------------------------------------------------------------------------------- */

enum { MENTIONED_MAX = 10, DIRECT_MAX = 20 };

/* He can not approve it: it is his own, or he has done so. */
static bool is_out(const struct hm_run *run, int gate, const char *user)
{
    const struct hm_gate *open = &run->steps[gate].gate;
    bool voted = false;
    for (size_t i = 0; i < open->n_votes; i++)
        voted = voted || hm_streq(open->votes[i].user, user);
    return voted || (!run->recipe->steps[gate].self && (hm_streq(user, run->requester) || hm_streq(user, run->owner)));
}

/* Somebody of this role would bring the gate further. */
static bool is_wanted(const struct hm_run *run, int gate, const char *role)
{
    struct hm_tally now, then;
    json_t *roles = hm_json_arr_new();
    hm_json_add(roles, hm_json_str_new(role));
    hm_gate_tally(&run->recipe->steps[gate], &run->steps[gate].gate, NULL, &now);
    hm_gate_tally(&run->recipe->steps[gate], &run->steps[gate].gate, roles, &then);
    json_decref(roles);
    return then.have > now.have;
}

/* "<!subteam^S0RED> <@U0BEN>": the roles' groups and people. */
static char *mentions_of(const struct hm_notices *notices, const struct hm_run *run, int gate)
{
    struct hm_strbuf out;
    size_t n = 0;
    hm_strbuf_init(&out, 2000);
    for (char **name = run->recipe->steps[gate].by; *name != NULL; name++) {
        const struct hm_role *role = hm_settings_role(notices->settings, *name);
        if (role == NULL || !is_wanted(run, gate, *name))
            continue;
        if (role->usergroup != NULL && n++ < MENTIONED_MAX)
            hm_strbuf_addf(&out, "%s<!subteam^%s>", out.len > 0 ? " " : "", role->usergroup);
        for (char **user = role->users; *user != NULL; user++)
            if (!is_out(run, gate, *user) && n++ < MENTIONED_MAX)
                hm_strbuf_addf(&out, "%s<@%s>", out.len > 0 ? " " : "", *user);
    }
    return hm_strbuf_take(&out);
}

static json_t *ask_in_thread_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_run *run, int gate,
                                 const char *key, bool closes_soon)
{
    char *who = mentions_of(notices, run, gate);
    char *text = hm_card_ask_notice(run, gate, who, closes_soon);
    json_t *value = hm_json_obj_new();
    hm_json_set_str(value, "run", run->id);
    json_t *owed = owe_new(notices, batch, key, text, value);
    free(text);
    free(who);
    return owed;
}

static json_t *ask_each_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_run *run, int gate,
                            const char *key, bool closes_soon)
{
    const struct hm_step *step = &run->recipe->steps[gate];
    json_t *all = NULL;
    char *text = hm_card_ask_notice(run, gate, "", closes_soon);
    for (char **role = step->by; *role != NULL; role++) {
        json_t *users = is_wanted(run, gate, *role) ? hm_roles_users_new(notices->roles, *role) : NULL;
        size_t i = 0;
        const json_t *user = NULL;
        json_array_foreach(users, i, user)
        {
            const char *id = json_string_value(user);
            if (id == NULL || is_out(run, gate, id) || json_object_size(all) >= DIRECT_MAX)
                continue;
            char *mine = hm_xasprintf("%s:%s", key, id);
            json_t *value = hm_json_obj_new();
            hm_json_set_str(value, "user", id);
            hm_json_set_str(value, "of", run->id);
            hm_json_set_str(value, "in", run->channel);
            add_all(&all, owe_new(notices, batch, mine, text, value)); /* of two roles he is told once: the key is the same */
            free(mine);
        }
        json_decref(users);
    }
    free(text);
    return all;
}

static json_t *ask_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_run *run, int gate, const char *key,
                       bool closes_soon)
{
    bool open = hm_run_open_gate(run) == &run->steps[gate].gate; /* not decided in the same breath */
    if (notices->roles == NULL || !open)
        return NULL;
    switch (notices->settings->slack.notify) {
    case HM_NOTIFY_THREAD:
        return ask_in_thread_new(notices, batch, run, gate, key, closes_soon);
    case HM_NOTIFY_DIRECT:
        return ask_each_new(notices, batch, run, gate, key, closes_soon);
    case HM_NOTIFY_NONE:
        break;
    }
    return NULL;
}

static int gate_of(const struct hm_run *run, const json_t *vote)
{
    const char *id = hm_json_get_str(vote, "step", "");
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (hm_streq(run->recipe->steps[i].id, id))
            return (int)i;
    return -1;
}

/* Those that ask for the approval of this run, whoever is to be told and wherever. */
static void drop_asking(const json_t *owed, struct hm_batch *batch, const char *run_id, json_t *dropped)
{
    const char *key = NULL;
    json_t *value = NULL;
    char *prefix = hm_xasprintf("ask:%s:", run_id);
    json_object_foreach(hm_unconst(owed), key, value)
    {
        if (strncmp(key, prefix, strlen(prefix)) != 0)
            continue;
        hm_batch_set(batch, HM_NOTICES_SPACE, key, NULL);
        hm_json_set(dropped, key, json_null());
    }
    free(prefix);
}

/* What waits for the card of a run, or for a conversation, is stale once that gate is decided. It goes on waiting until that is
 * committed: for each a null among what is handed to hm_notices_post() then. */
static json_t *drop_waiting_new(const struct hm_notices *notices, struct hm_batch *batch, const char *run_id)
{
    json_t *dropped = hm_json_obj_new();
    drop_asking(notices->waiting, batch, run_id, dropped);
    drop_asking(notices->unopened, batch, run_id, dropped);
    drop_asking(notices->opening, batch, run_id, dropped);
    return dropped;
}

static json_t *of_event_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_commit *commit,
                            const struct hm_event *event, int64_t seq)
{
    bool glass = event->type == HM_EV_GATE_VOTE && hm_json_get_bool(event->data, "glass", false);
    bool asks = event->type == HM_EV_GATE_OPENED || event->type == HM_EV_GATE_REMINDED;
    int gate = glass || asks ? gate_of(commit->run, event->data) : -1;
    if (event->type == HM_EV_RUN_FINISHED || event->type == HM_EV_GATE_APPROVED || event->type == HM_EV_GATE_VOIDED)
        return drop_waiting_new(notices, batch, commit->run_id);
    if (gate < 0)
        return NULL;
    char *key = hm_xasprintf("%s:%s:%lld", glass ? "audit" : "ask", commit->run_id, (long long)seq);
    json_t *owed = NULL;
    if (glass) {
        char *text = hm_card_glass_notice(commit->run, gate);
        owed = hm_notices_owe_new(notices, batch, key, text);
        free(text);
    } else {
        owed = ask_new(notices, batch, commit->run, gate, key, event->type == HM_EV_GATE_REMINDED);
    }
    free(key);
    return owed;
}

json_t *hm_notices_of_commit_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_commit *commit)
{
    json_t *all = NULL;
    for (size_t i = 0; i < commit->events->count; i++)
        add_all(&all, of_event_new(notices, batch, commit, &commit->events->items[i], commit->first_seq + (int64_t)i));
    return all;
}

/* ---- saying ---------------------------------------------------------------------------------------------------------- */

/* Whoever is written to directly does not stand before the card: he is told where it is. Caller frees. */
static char *text_of(const struct hm_notices *notices, const json_t *value)
{
    const char *run_id = hm_json_get_str(value, "of", NULL);
    const char *ts = NULL;
    const char *channel = run_id != NULL ? hm_cards_place(notices->cards, run_id, &ts) : NULL;
    char *link = hm_word_permalink(hm_cards_workspace_url(notices->cards), channel, ts);
    struct hm_strbuf out;
    hm_strbuf_init(&out, 10000);
    hm_strbuf_adds(&out, hm_json_get_str(value, "text", ""));
    if (link != NULL) {
        hm_strbuf_addf(&out, " <%s|Open its card>", link);
    } else if (run_id != NULL) {
        hm_strbuf_adds(&out, " Its card is in ");
        hm_word_channel(&out, channel != NULL ? channel : hm_json_get_str(value, "in", ""));
        hm_strbuf_addc(&out, '.');
    }
    free(link);
    return hm_strbuf_take(&out);
}

static void say_in(struct hm_notices *notices, const char *key, const json_t *value, const char *channel, const char *thread,
                   bool again)
{
    struct hm_poster *poster = hm_cards_poster(notices->cards);
    json_t *content = hm_json_obj_new();
    char *text = text_of(notices, value);
    int64_t at_ms = hm_json_get_int(value, "at", 0);
    const struct hm_slot_memory memory = {.maybe_posted = true, .since_wall_ms = at_ms > SINCE_MS ? at_ms - SINCE_MS : 0};
    hm_json_set(content, "text", hm_json_str_new(text));
    free(text);
    if (again && !hm_poster_has(poster, key))
        hm_poster_restore(poster, key, channel, thread, &memory);
    else
        hm_poster_open(poster, key, channel, thread);
    hm_poster_show(poster, key, content, true);
    hm_poster_finish(poster, key);
}

/* The conversation with one person is to be opened first. */
struct opening {
    struct hm_notices *notices;
    char *key;
    json_t *value;
    bool again;
};

/* Not now, but perhaps later: it is still owed. */
static void say_later(struct hm_notices *notices, const char *key, const json_t *value)
{
    if (notices->again_timer == NULL) /* the next start says it */
        return;
    hm_json_set(notices->unopened, key, json_deep_copy(value));
    if (!hm_timer_active(notices->again_timer))
        hm_timer_start(notices->again_timer, AGAIN_MS);
}

static void on_open(void *arg, const struct hm_web_answer *answer)
{
    struct opening *o = arg;
    const char *channel = json_string_value(hm_json_get_path(answer->body, "channel.id"));
    bool stale = json_object_del(o->notices->opening, o->key) != 0; /* dropped meanwhile */
    bool opened = answer->code == HM_OK && channel != NULL;
    bool later = !stale && (answer->code == HM_OK || answer->code == HM_EIO || answer->code == HM_EUNKNOWN || answer->fatal);
    if (!opened)
        hm_log(HM_LOG_WARN, "notify", "%s can not be told%s: %s", hm_json_get_str(o->value, "user", "?"),
               later ? ", it is tried again" : "",
               answer->code != HM_OK ? answer->sentence : "Slack's answer names no conversation");
    if (opened && !stale && hm_cards_poster(o->notices->cards) != NULL)
        say_in(o->notices, o->key, o->value, channel, NULL, o->again);
    else if (!opened && later)
        say_later(o->notices, o->key, o->value);
    else if (!opened && !stale)
        forget(o->notices, o->key); /* somebody who can not be written to */
    json_decref(o->value);
    free(o->key);
    free(o);
}

static void say_directly(struct hm_notices *notices, const char *key, const json_t *value, bool again)
{
    const struct hm_poster_slack slack = hm_cards_slack(notices->cards);
    struct opening *o = hm_xcalloc(1, sizeof *o);
    json_t *args = hm_json_obj_new();
    *o = (struct opening){notices, hm_xstrdup(key), json_deep_copy(value), again};
    hm_json_set_str(args, "users", hm_json_get_str(value, "user", ""));
    hm_json_set_bool(notices->opening, key, true);
    slack.call(slack.arg, "conversations.open", args, on_open, o);
}

/* again: it may have been said before. */
static void say(struct hm_notices *notices, const char *key, const json_t *value, bool again)
{
    const char *channel = hm_json_get_str(value, "channel", NULL);
    const char *run_id = hm_json_get_str(value, "run", NULL);
    const char *thread = NULL;
    if (channel != NULL) {
        say_in(notices, key, value, channel, NULL, again);
    } else if (run_id == NULL) {
        say_directly(notices, key, value, again);
    } else if ((thread = hm_cards_thread(notices->cards, run_id, &channel)) != NULL) {
        say_in(notices, key, value, channel, thread, again);
    } else {
        hm_json_set(notices->waiting, key, json_deep_copy(value));
    }
}

void hm_notices_post(struct hm_notices *notices, json_t *stolen_owed)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(stolen_owed, key, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(notices->waiting, key);
            (void)json_object_del(notices->unopened, key);
            (void)json_object_del(notices->opening, key);
        } else {
            say(notices, key, value, false);
        }
    }
    json_decref(stolen_owed);
}

static bool restore_one(void *arg, const char *key, const json_t *value)
{
    struct hm_notices *notices = arg;
    hm_log(HM_LOG_INFO, "notices", "%s is still to be told", key);
    if (too_old(notices, value))
        forget(notices, key);
    else
        say(notices, key, value, true);
    return true;
}

void hm_notices_restored(struct hm_notices *notices)
{
    on_card(notices, NULL);
}

enum hm_code hm_notices_restore(struct hm_notices *notices, const char *journal_path, struct hm_err *err)
{
    struct hm_journal_reader *reader = hm_journal_reader_open(journal_path, err);
    if (reader == NULL)
        return HM_EENV;
    enum hm_code code = hm_journal_values(reader, HM_NOTICES_SPACE, restore_one, notices, err);
    hm_journal_reader_free(reader);
    return code;
}
