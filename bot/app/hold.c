/* "Stop all": see hold.h. */
#include "app/hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "view/runs.h"

static const char space[] = "control";
static const char key[] = "hold";

struct hm_hold {
    struct hm_journal *journal;
    struct hm_runner *runner;
    struct hm_cards *cards;
    const struct hm_clock *clock;
    struct hm_notices *notices; /* NULL = none */
    char *by;                   /* NULL = nothing is stopped */
    int64_t since_ms;           /* when the newest word in force was said */
    bool stored;                /* the journal holds what `by` says */
    unsigned resuming;          /* words to go on that are being stored */
    uint64_t newest;            /* number of the newest word */
};

/* A change under way. */
struct change {
    struct hm_hold *hold;
    bool held;
    uint64_t number;
    int64_t at_ms;
    json_t *owed; /* to be told to the audit channel, or NULL */
    void (*on_done)(void *arg, enum hm_code code, const char *problem);
    void *arg;
};

struct hm_hold *hm_hold_new(struct hm_journal *journal, struct hm_runner *runner, struct hm_cards *cards,
                            const struct hm_clock *clock)
{
    struct hm_hold *hold = hm_xcalloc(1, sizeof *hold);
    *hold = (struct hm_hold){.journal = journal, .runner = runner, .cards = cards, .clock = clock};
    return hold;
}

void hm_hold_free(struct hm_hold *hold)
{
    if (hold == NULL)
        return;
    free(hold->by);
    free(hold);
}

void hm_hold_attach(struct hm_hold *hold, struct hm_notices *notices)
{
    hold->notices = notices;
}

const char *hm_hold_by(const struct hm_hold *hold)
{
    return hold->by;
}

int64_t hm_hold_since_ms(const struct hm_hold *hold)
{
    return hold->since_ms;
}

bool hm_hold_firm(const struct hm_hold *hold)
{
    return hold->by != NULL && hold->stored && hold->resuming == 0;
}

/* Only what is stored is shown: a card that tells of a stop which a restart does not know would never be put right, because what
 * the journal remembers of it looks like what is wanted then. */
static void show(struct hm_hold *hold)
{
    hm_cards_around(hold->cards, hold->by, hold->since_ms);
    hm_runner_show_all(hold->runner);
}

/* by NULL: goes on. A stop bites at once, stored or not. */
static void apply(struct hm_hold *hold, const char *by, int64_t at_ms)
{
    char *copy = hm_xstrdup_null(by);
    free(hold->by);
    hold->by = copy;
    hold->since_ms = at_ms;
    hm_runner_hold(hold->runner, hold->by != NULL);
}

static bool restore_one(void *arg, const char *name, const json_t *value)
{
    struct hm_hold *hold = arg;
    bool held = hm_json_get_bool(value, "held", false);
    if (strcmp(name, key) != 0)
        return true;
    apply(hold, held ? hm_json_get_str(value, "by", "?") : NULL, hm_json_get_int(value, "at", 0));
    show(hold);
    if (held) {
        hold->stored = true;
        hm_log(HM_LOG_WARN, "control", "everything is stopped since before the restart, by %s", hold->by);
    }
    return true;
}

enum hm_code hm_hold_restore(struct hm_hold *hold, const char *journal_path, struct hm_err *err)
{
    struct hm_journal_reader *reader = hm_journal_reader_open(journal_path, err);
    if (reader == NULL)
        return HM_EENV;
    enum hm_code code = hm_journal_values(reader, space, restore_one, hold, err);
    hm_journal_reader_free(reader);
    return code;
}

static void on_stored(void *arg, const struct hm_put_result *result)
{
    struct change *change = arg;
    struct hm_hold *hold = change->hold;
    bool newest = change->number == hold->newest;
    hold->resuming -= change->held ? 0 : 1;
    if (newest && result->code == HM_OK)
        hold->stored = true;
    if (newest && result->code == HM_OK && !change->held) /* a stop that came meanwhile stays */
        apply(hold, NULL, change->at_ms);
    if (newest && result->code == HM_OK)
        show(hold);
    if (result->code != HM_OK)
        hm_log(HM_LOG_ERROR, "control", "%s was not stored: %s", change->held ? "stop all" : "resume", result->error);
    if (result->code == HM_OK || change->held) /* a stop holds in any case */
        hm_notices_post(hold->notices, change->owed);
    else
        json_decref(change->owed);
    change->on_done(change->arg, result->code, result->error);
    free(change);
}

void hm_hold_set(struct hm_hold *hold, bool held, const char *user, int64_t inbox_id,
                 void (*on_done)(void *arg, enum hm_code code, const char *problem), void *arg)
{
    int64_t now_ms = hm_wall_ms(hold->clock);
    struct hm_batch *batch = hm_batch_new();
    json_t *value = hm_json_obj_new();
    struct change *change = hm_xmalloc(sizeof *change);
    *change = (struct change){hold, held, ++hold->newest, now_ms, NULL, on_done, arg};
    if (hold->notices != NULL) {
        char *name = hm_xasprintf("audit:hold:%lld", (long long)inbox_id);
        char *text = hm_runs_hold_text(held, user);
        change->owed = hm_notices_owe_new(hold->notices, batch, name, text);
        free(name);
        free(text);
    }
    hm_json_set_bool(value, "held", held);
    hm_json_set_str(value, "by", user);
    hm_json_set_int(value, "at", now_ms);
    hm_batch_set(batch, space, key, value);
    hm_batch_inbox_done(batch, inbox_id);
    hold->stored = false;
    hold->resuming += held ? 0 : 1;
    hm_log(HM_LOG_WARN, "control", "%s by %s", held ? "stop all" : "resume", user);
    if (held)
        apply(hold, user, now_ms);
    hm_journal_put(hold->journal, batch, on_stored, change);
}
