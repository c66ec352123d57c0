/* Runs at rest: those that wait for a person, for hours, are kept as their slot alone. What they are is in the journal, and is
 * read from there when anything comes for them. See runner_parts.h.
 *
 * Happy path: a run that was looked at longest ago, of more than awake_max, rests: its slot keeps id, lock, the time it wants
 * to be told, and how far it was. A click, its time, a lock: hm_slot_wake() folds it anew. What all runs must be told (the
 * configuration changed, "resume") is noted for those at rest, and told to a few at a time by hm_runner_time(), so that a reload
 * with 10,000 of them does not hold up the loop.
 * Failure: a run that can not be read is treated like one whose commit failed: it is tried again after a while, clicks are told.
 */
#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/runner_parts.h"

enum { LOOKS = 4 };

static void leave_list(struct hm_slot *e)
{
    TAILQ_REMOVE(&e->runner->awake, e, awake);
    e->runner->n_awake--;
}

void hm_rest_add(struct hm_slot *e)
{
    TAILQ_INSERT_TAIL(&e->runner->awake, e, awake);
    e->runner->n_awake++;
}

void hm_rest_remove(struct hm_slot *e)
{
    if (e->run != NULL)
        leave_list(e);
}

static bool waits_for_people(const struct hm_run *run)
{
    return run != NULL && run->status == HM_RUN_GOING && run->recipe != NULL &&
           (hm_run_open_gate(run) != NULL || hm_run_open_question(run) != NULL || run->lock_wait.waiting);
}

/* Nothing but what the journal has. */
static bool may_rest(const struct hm_slot *e)
{
    return e->born && !e->broken && !e->committing && e->queue == NULL && e->owed == NULL && e->batch.count == 0 &&
           e->flying == 0 && waits_for_people(e->run);
}

static void put_to_rest(struct hm_slot *e)
{
    leave_list(e);
    e->rest_seq = e->run->seq;
    e->rest_since_ms = e->run->started_ms;
    hm_run_free(e->run);
    e->run = NULL;
}

void hm_rest_some(struct hm_runner *runner)
{
    for (unsigned looked = 0; looked < LOOKS && runner->n_awake > runner->awake_max; looked++) {
        struct hm_slot *e = TAILQ_FIRST(&runner->awake);
        if (may_rest(e))
            put_to_rest(e);
        else
            hm_rest_touch(e);
    }
}

void hm_rest_touch(struct hm_slot *e)
{
    if (e->run == NULL)
        return;
    leave_list(e);
    hm_rest_add(e);
}

/* ---- waking ---------------------------------------------------------------------------------------------------------- */

struct loading {
    struct hm_slot *slot;
    struct hm_run *run;
    struct hm_err *err;
    enum hm_code code;
};

static bool load_one(void *arg, const struct hm_event *event)
{
    struct loading *l = arg;
    const struct hm_runner_io *io = &l->slot->runner->io;
    l->code = hm_run_fold(l->run, event, io->recipe_by_sha, io->arg, l->err);
    return l->code == HM_OK;
}

enum hm_code hm_slot_load_part(struct hm_slot *e, struct hm_run **ret_run, struct hm_err *err)
{
    struct loading l = {.slot = e, .run = hm_run_new(), .err = err};
    const struct hm_runner_io *io = &e->runner->io;
    enum hm_code code = io->load(io->arg, e->id, load_one, &l, err);
    *ret_run = l.run;
    return code != HM_OK ? code : l.code;
}

void hm_slot_set_run(struct hm_slot *e, struct hm_run *stolen_run)
{
    if (e->run != NULL) {
        hm_run_free(e->run);
        e->run = stolen_run;
        return;
    }
    e->run = stolen_run;
    hm_rest_add(e);
}

bool hm_slot_wake(struct hm_slot *e)
{
    static const struct {
        unsigned bit;
        enum hm_input_kind kind;
    } kinds[] = {{HM_OWES_GO, HM_IN_GO}, {HM_OWES_CHANGED, HM_IN_CHANGED}, {HM_OWES_LOST, HM_IN_LOST}};
    struct hm_err err = {0};
    if (e->run != NULL)
        return !e->broken;
    if (e->broken)
        return false;
    struct hm_run *run = NULL;
    if (hm_slot_load_part(e, &run, &err) != HM_OK) {
        hm_run_free(run);
        run = NULL;
    } else if (run->seq != e->rest_seq) {
        (void)hm_err_set(&err, HM_EIO, "the journal has %lld events of it, not %lld", (long long)run->seq,
                         (long long)e->rest_seq);
        hm_run_free(run);
        run = NULL;
    }
    if (run == NULL) {
        hm_log(HM_LOG_ERROR, e->id, "can not be read from the journal: %s", err.msg);
        e->broken = true;
        e->reload_ms = e->want_ms = 0; /* the next look at the clock says when to try again */
        hm_wake_moved(e);
        hm_runner_arm(e->runner);
        return false;
    }
    hm_slot_set_run(e, run);
    for (size_t i = 0; i < HM_ARRAY_LEN(kinds); i++) /* each before those there are: the last one is told first */
        if ((e->owes & kinds[i].bit) != 0)
            hm_slot_push_first(e, kinds[i].kind);
    e->owes &= HM_OWES_SHOW;
    return true;
}

void hm_rest_owe(struct hm_slot *e, unsigned what)
{
    HM_ASSERT(e->run == NULL);
    e->owes |= what;
    e->want_ms = 0;
    hm_wake_moved(e);
}

bool hm_rest_restored(struct hm_slot *e)
{
    static const enum hm_input_kind kinds[] = {HM_IN_LOST, HM_IN_CHANGED, HM_IN_GO};
    struct hm_run_env env = {0};
    struct hm_events events;
    struct hm_err err = {0};
    if (!may_rest(e) || e->run->lock_wait.waiting)
        return false;
    hm_runner_env(e->runner, e->run->recipe->name, &env);
    hm_events_init(&events);
    bool quiet = true;
    for (size_t i = 0; i < HM_ARRAY_LEN(kinds) && quiet; i++) {
        const struct hm_input in = {.kind = kinds[i]};
        struct hm_reply reply = {0};
        quiet = hm_run_decide(e->run, &in, &env, &events, &reply, &err) == HM_OK && events.count == 0;
    }
    hm_events_done(&events);
    return quiet;
}
