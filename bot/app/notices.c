/* Words for the audit channel: see notices.h. */
#include "app/notices.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/card.h"

enum { SINCE_MS = 60000 }; /* our clock may have been set since the notice was posted */

struct hm_notices {
    struct hm_journal *journal;
    struct hm_cards *cards;
    const struct hm_clock *clock;
    const struct hm_settings *settings;
};

static void on_shown(void *arg, const char *key)
{
    struct hm_notices *notices = arg;
    struct hm_batch *batch = hm_batch_new();
    hm_batch_set(batch, HM_NOTICES_SPACE, key, NULL);
    hm_journal_put(notices->journal, batch, NULL, NULL);
}

struct hm_notices *hm_notices_new(struct hm_journal *journal, struct hm_cards *cards, const struct hm_clock *clock)
{
    struct hm_notices *notices = hm_xcalloc(1, sizeof *notices);
    *notices = (struct hm_notices){.journal = journal, .cards = cards, .clock = clock};
    hm_cards_listen(cards, on_shown, notices);
    return notices;
}

void hm_notices_free(struct hm_notices *notices)
{
    free(notices);
}

void hm_notices_use(struct hm_notices *notices, const struct hm_settings *settings)
{
    notices->settings = settings;
}

/* ---- owing ----------------------------------------------------------------------------------------------------------- */

json_t *hm_notices_owe_new(struct hm_notices *notices, struct hm_batch *batch, const char *key, const char *mrkdwn)
{
    const char *channel = notices->settings->slack.audit_channel;
    if (channel == NULL)
        return NULL;
    json_t *value = hm_json_obj_new();
    json_t *owed = hm_json_obj_new();
    hm_json_set_str(value, "channel", channel);
    hm_json_set_str(value, "text", mrkdwn);
    hm_json_set_int(value, "at", hm_wall_ms(notices->clock));
    hm_batch_set(batch, HM_NOTICES_SPACE, key, json_incref(value));
    hm_json_set(owed, key, value);
    return owed;
}

static int gate_of(const struct hm_run *run, const json_t *vote)
{
    const char *id = hm_json_get_str(vote, "step", "");
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (hm_streq(run->recipe->steps[i].id, id))
            return (int)i;
    return -1;
}

json_t *hm_notices_of_commit_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_commit *commit)
{
    json_t *all = NULL;
    for (size_t i = 0; i < commit->events->count; i++) {
        const struct hm_event *event = &commit->events->items[i];
        int gate = event->type == HM_EV_GATE_VOTE && hm_json_get_bool(event->data, "glass", false)
                       ? gate_of(commit->run, event->data)
                       : -1;
        if (gate < 0)
            continue;
        char *key = hm_xasprintf("audit:%s:%lld", commit->run_id, (long long)(commit->first_seq + (int64_t)i));
        char *text = hm_card_glass_notice(commit->run, gate);
        json_t *owed = hm_notices_owe_new(notices, batch, key, text);
        if (all == NULL)
            all = owed;
        else if (owed != NULL) {
            (void)json_object_update(all, owed);
            json_decref(owed);
        }
        free(key);
        free(text);
    }
    return all;
}

/* ---- saying ---------------------------------------------------------------------------------------------------------- */

static void say(struct hm_notices *notices, const char *key, const json_t *value)
{
    struct hm_poster *poster = hm_cards_poster(notices->cards);
    json_t *content = hm_json_obj_new();
    hm_json_set_str(content, "text", hm_json_get_str(value, "text", ""));
    hm_poster_open(poster, key, hm_json_get_str(value, "channel", ""), NULL);
    hm_poster_show(poster, key, content, true);
    hm_poster_finish(poster, key);
}

void hm_notices_post(struct hm_notices *notices, json_t *stolen_owed)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(stolen_owed, key, value) say(notices, key, value);
    json_decref(stolen_owed);
}

static bool restore_one(void *arg, const char *key, const json_t *value)
{
    struct hm_notices *notices = arg;
    int64_t at_ms = hm_json_get_int(value, "at", 0);
    const struct hm_slot_memory memory = {.maybe_posted = true, .since_wall_ms = at_ms > SINCE_MS ? at_ms - SINCE_MS : 0};
    hm_log(HM_LOG_INFO, "audit", "%s is still to be told", key);
    hm_poster_restore(hm_cards_poster(notices->cards), key, hm_json_get_str(value, "channel", ""), NULL, &memory);
    say(notices, key, value);
    return true;
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
