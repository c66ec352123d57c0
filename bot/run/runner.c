/* The runner: see runner.h. One struct hm_slot per run; hm_runner_pump() is its driver. */
#include "run/runner.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/plan.h"
#include "run/runner_parts.h"

enum { MAX_ROUNDS = 100000, RELOAD_MS = 5000, TIMED_AT_ONCE = 64, AWAKE_MAX = 64 };

static int compare_slots(const void *a, const void *b)
{
    const struct hm_slot *x = a;
    const struct hm_slot *y = b;
    return strcmp(x->id, y->id);
}

static struct hm_slot *find_slot(const struct hm_runner *runner, const char *run_id)
{
    struct hm_slot key = {.id = hm_unconst(run_id)};
    struct hm_slot *const *found = tfind(&key, &runner->tree, compare_slots);
    return found != NULL ? *found : NULL;
}

static struct hm_slot *add_slot(struct hm_runner *runner, const char *run_id)
{
    struct hm_slot *e = hm_xcalloc(1, sizeof *e);
    e->id = hm_xstrdup(run_id);
    e->runner = runner;
    e->run = hm_run_new();
    e->queue_tail = &e->queue;
    e->owed_tail = &e->owed;
    hm_events_init(&e->batch);
    void *node = tsearch(e, &runner->tree, compare_slots);
    HM_ASSERT(node != NULL);
    if (runner->count == runner->room) {
        runner->room = runner->room > 0 ? 2 * runner->room : 16;
        runner->entries = hm_xreallocarray(runner->entries, runner->room, sizeof(struct hm_slot *));
        runner->heap = hm_xreallocarray(runner->heap, runner->room, sizeof(struct hm_slot *));
    }
    e->index = runner->count;
    e->want_ms = INT64_MAX;
    e->seen_ms = INT64_MIN;
    runner->entries[runner->count++] = e;
    hm_wake_add(e);
    hm_rest_add(e);
    return e;
}

static void free_slot(struct hm_slot *e)
{
    hm_slot_drop_queues(e);
    hm_events_done(&e->batch);
    hm_run_free(e->run);
    free(e->id);
    free(e);
}

static void drop_slot(struct hm_slot *e)
{
    struct hm_runner *runner = e->runner;
    hm_locks_release(e);
    (void)tdelete(e, &runner->tree, compare_slots);
    hm_wake_remove(e);
    hm_rest_remove(e);
    struct hm_slot *last = runner->entries[--runner->count];
    runner->entries[e->index] = last;
    last->index = e->index;
    free_slot(e);
}

struct hm_runner *hm_runner_new(const struct hm_runner_io *io)
{
    struct hm_runner *runner = hm_xcalloc(1, sizeof *runner);
    runner->io = *io;
    runner->wake_ms = INT64_MAX;
    TAILQ_INIT(&runner->awake);
    runner->awake_max = AWAKE_MAX;
    return runner;
}

void hm_runner_keep(struct hm_runner *runner, unsigned awake_max)
{
    runner->awake_max = awake_max;
}

void hm_runner_free(struct hm_runner *runner)
{
    if (runner == NULL)
        return;
    runner->closing = true;
    while (runner->count > 0)
        drop_slot(runner->entries[runner->count - 1]);
    free(runner->entries);
    free(runner->heap);
    free(runner);
}

/* ---- deciding -------------------------------------------------------------------------------------------------------- */

/* Folds events from `from` on; HM_EBUG when one does not fit, which decide must never produce. */
static enum hm_code fold_from(struct hm_slot *e, size_t from, struct hm_err *err)
{
    const struct hm_runner_io *io = &e->runner->io;
    for (size_t i = from; i < e->batch.count; i++) {
        enum hm_code code = hm_run_fold(e->run, &e->batch.items[i], io->recipe_by_sha, io->arg, err);
        if (code != HM_OK)
            return code;
        hm_locks_folded(e, &e->batch.items[i]);
    }
    hm_locks_take(e);
    return HM_OK;
}

void hm_runner_env(struct hm_runner *runner, const char *recipe, struct hm_run_env *ret_env)
{
    runner->io.env(runner->io.arg, recipe, ret_env);
    ret_env->held = runner->held;
    ret_env->blocked = hm_locks_blocked;
    ret_env->lock_arg = runner;
}

static enum hm_code decide_one(struct hm_slot *e, const struct hm_input *in, struct hm_reply *ret_reply, struct hm_err *err)
{
    struct hm_run_env env = {0};
    size_t before = e->batch.count;
    hm_runner_env(e->runner, e->run->recipe->name, &env);
    enum hm_code code = hm_run_decide(e->run, in, &env, &e->batch, ret_reply, err);
    if (code == HM_OK)
        code = fold_from(e, before, err);
    return code;
}

/* One input, and then as far as it goes. */
static enum hm_code decide_all(struct hm_slot *e, const struct hm_waiting *w, struct hm_err *err)
{
    struct hm_reply reply = {0};
    const struct hm_recipe *recipe = hm_recipe_ref(e->run->recipe); /* it may be planned anew, with another one */
    enum hm_code code = decide_one(e, &w->in, &reply, err);
    if (code == HM_OK)
        hm_slot_owe(e, &reply, recipe, w->on_reply, w->reply_arg);
    hm_recipe_free(recipe);
    if (code != HM_OK)
        return code;
    for (unsigned round = 0; e->run->status == HM_RUN_GOING; round++) {
        const struct hm_input go = {.kind = HM_IN_GO};
        size_t before = e->batch.count;
        code = decide_one(e, &go, &reply, err);
        if (code != HM_OK || e->batch.count == before)
            return code;
        if (round > MAX_ROUNDS)
            return hm_err_set(err, HM_EBUG, "run %s decides without end", e->id);
    }
    return HM_OK;
}

void hm_runner_arm(struct hm_runner *runner)
{
    if (runner->restoring)
        return;
    int64_t wake = runner->count > 0 ? runner->heap[0]->want_ms : INT64_MAX;
    if (wake != runner->wake_ms) {
        runner->wake_ms = wake;
        runner->io.wake(runner->io.arg, wake);
    }
}

/* When the run wants to be told the time, as it is now. */
static void reckon(struct hm_slot *e)
{
    if (e->broken)
        e->want_ms = e->reload_ms;
    else
        e->want_ms = e->committing ? INT64_MAX : hm_run_wake_after_ms(e->run, e->seen_ms);
    hm_wake_moved(e);
}

static void commit(struct hm_slot *e)
{
    struct hm_runner *runner = e->runner;
    bool has_text = false;
    for (size_t i = 0; i < e->batch.count; i++)
        has_text = has_text || e->batch.items[i].type == HM_EV_RUN_STARTED || e->batch.items[i].type == HM_EV_RUN_REPLANNED;
    struct hm_commit c = {
        .run_id = e->id,
        .first_seq = e->run->seq - (int64_t)e->batch.count + 1,
        .events = &e->batch,
        .run = e->run,
        .recipe = has_text ? e->run->recipe : NULL,
        .inbox_id = e->inbox_id,
    };
    e->committing = true;
    runner->committing++;
    runner->io.commit(runner->io.arg, &c, e);
}

/* Something went against our own rules: the run is not touched any further in this process; the log, its card and /readyz say so,
 * and a restart reads it anew. reread: memory holds what was never written, so what is shown comes from the journal. A lock that
 * it waits for is not waited for any more (it would hold up the others for ever); what it holds it keeps, because nobody knows
 * what it has begun. */
static void quarantine(struct hm_slot *e, const struct hm_err *err, bool reread)
{
    struct hm_err ignored = {0};
    const struct hm_runner_io *io = &e->runner->io;
    hm_log(HM_LOG_ERROR, e->id, "stopped for safety: %s", err->msg);
    hm_events_done(&e->batch);
    if ((reread && e->born) || e->run == NULL) {
        struct hm_run *run = NULL;
        if (hm_slot_load_part(e, &run, &ignored) != HM_OK)
            hm_log(HM_LOG_WARN, e->id, "shown as far as the journal can be read: %s", ignored.msg);
        if (run->id != NULL || e->run == NULL)
            hm_slot_set_run(e, run);
        else
            hm_run_free(run);
    }
    if (e->run->id == NULL)
        e->run->id = hm_xstrdup(e->id);
    free(e->run->broken);
    e->run->broken = hm_xstrdup(err->msg);
    e->broken = true;
    e->reload_ms = INT64_MAX;
    hm_slot_pay(e, true);
    if (e->run->lock_wait.waiting || e->run->lock == NULL)
        hm_locks_release(e);
    else
        hm_locks_reread(e);
    reckon(e);
    if (e->born && reread)
        io->changed(io->arg, e->run);
}

/* The driver: takes what waits, decides, commits. */
void hm_runner_pump(struct hm_slot *e)
{
    struct hm_waiting *w = NULL;
    struct hm_err err = {0};
    if (e->committing || e->broken)
        return;
    if (e->run == NULL && (e->queue == NULL || !hm_slot_wake(e)))
        return;
    if ((e->owes & HM_OWES_SHOW) != 0) {
        e->owes = 0;
        e->runner->io.changed(e->runner->io.arg, e->run);
    }
    while ((w = hm_slot_pop(e)) != NULL) {
        if (w->in.kind != HM_IN_TIME)
            e->seen_ms = INT64_MIN;
        enum hm_code code = decide_all(e, w, &err);
        hm_waiting_free(w);
        if (code != HM_OK) {
            quarantine(e, &err, true);
            return;
        }
    }
    if (e->batch.count > 0)
        commit(e);
    else
        hm_slot_pay(e, false);
    reckon(e);
}

/* ---- after the commit ------------------------------------------------------------------------------------------------ */

/* Folds the run anew from the journal; what was under way counts as lost, and what all runs were told meanwhile it is told now.
 */
static enum hm_code reload(struct hm_slot *e, struct hm_err *err)
{
    struct hm_run *run = NULL;
    enum hm_code code = hm_slot_load_part(e, &run, err);
    if (code != HM_OK) {
        hm_run_free(run);
        return code;
    }
    hm_slot_set_run(e, run);
    e->broken = false;
    hm_locks_reread(e);
    e->owes &= HM_OWES_SHOW;
    hm_slot_push_kind(e, HM_IN_LOST);
    hm_slot_push_kind(e, HM_IN_CHANGED);
    return HM_OK;
}

static void commit_failed(struct hm_slot *e, const char *problem)
{
    struct hm_runner *runner = e->runner;
    struct hm_run_env env = {0};
    hm_log(HM_LOG_ERROR, e->id, "not stored: %s", problem);
    hm_events_done(&e->batch);
    hm_slot_pay(e, true);
    if (!e->born) {
        if (e->on_started != NULL)
            e->on_started(e->started_arg, HM_EIO, "", problem);
        drop_slot(e);
        hm_runner_arm(runner);
        return;
    }
    runner->io.env(runner->io.arg, e->run->recipe->name, &env);
    e->broken = true;
    e->reload_ms = env.now_ms + RELOAD_MS;
    reckon(e);
    hm_runner_arm(runner);
}

/* A run that is over, with nothing left to do in this process. */
static void drop_if_over(struct hm_slot *e)
{
    if (e->broken) /* what memory says was never written: the journal is asked again */
        return;
    if (e->run != NULL && e->run->status != HM_RUN_GOING && !e->committing && e->queue == NULL && e->flying == 0)
        drop_slot(e);
}

void hm_runner_committed(struct hm_runner *runner, void *token, enum hm_code code, const char *problem)
{
    struct hm_slot *e = token;
    e->committing = false;
    runner->committing--;
    if (code != HM_OK) {
        commit_failed(e, problem);
        return;
    }
    struct hm_events done = e->batch;
    hm_events_init(&e->batch);
    int64_t first_seq = e->run->seq - (int64_t)done.count + 1;
    e->inbox_id = 0;
    e->seen_ms = INT64_MIN;
    if (!e->born) {
        e->born = true;
        if (e->on_started != NULL)
            e->on_started(e->started_arg, HM_OK, e->id, "");
    }
    hm_slot_pay(e, false);
    hm_runner_perform(e, &done, first_seq);
    hm_events_done(&done);
    runner->io.changed(runner->io.arg, e->run);
    if (e->run->status != HM_RUN_GOING)
        hm_locks_release(e);
    else
        hm_locks_committed(e);
    hm_rest_touch(e);
    hm_runner_pump(e);
    drop_if_over(e);
    hm_rest_some(runner);
    hm_runner_arm(runner);
}

/* ---- inputs ---------------------------------------------------------------------------------------------------------- */

static void new_run_id(struct hm_runner *runner, const struct hm_run_env *env, char ret_id[16])
{
    /* No vowels (no words), nothing that looks like something else. 16 nonce characters give 16 picks. */
    static const char letters[] = "23456789bcdfghjkmnpqrstvwxz";
    char nonce[17];
    for (size_t len = 4; len <= 8; len++) { /* longer when short ones are taken */
        env->nonce(env->arg, nonce);
        memcpy(ret_id, "r-", 2);
        for (size_t i = 0; i < len; i++)
            ret_id[2 + i] = letters[(unsigned char)nonce[i] % (sizeof letters - 1)];
        ret_id[2 + len] = '\0';
        struct hm_err err = {0};
        bool taken =
            find_slot(runner, ret_id) != NULL || runner->io.load(runner->io.arg, ret_id, NULL, NULL, &err) != HM_ENOTFOUND;
        if (!taken)
            return;
    }
}

enum hm_code hm_runner_start(struct hm_runner *runner, const struct hm_run_order *order, int64_t inbox_id,
                             hm_started_fn on_started, void *arg, struct hm_err *err)
{
    char id[16];
    struct hm_run_env env = {0};
    struct hm_run_order mine = *order;
    struct hm_events events;
    hm_events_init(&events);
    hm_runner_env(runner, order->recipe->name, &env);
    new_run_id(runner, &env, id);
    mine.run_id = id;
    enum hm_code code = hm_run_start(&mine, &env, &events, err);
    if (code != HM_OK)
        return code;

    struct hm_slot *e = add_slot(runner, id);
    e->batch = events;
    e->inbox_id = inbox_id;
    e->on_started = on_started;
    e->started_arg = arg;
    code = fold_from(e, 0, err);
    if (code != HM_OK) {
        drop_slot(e);
        return code;
    }
    hm_slot_push_kind(e, HM_IN_GO);
    hm_runner_pump(e);
    if (e->run->broken == NULL)
        return HM_OK;
    (void)hm_err_set(err, HM_EBUG, "%s", e->run->broken); /* nothing of it was written */
    drop_slot(e);
    return HM_EBUG;
}

/* Brings a run that is over (or forgotten) back from the journal, for a late click. NULL with *ret_code: HM_ENOTFOUND when there
 * is none. */
static struct hm_slot *revive(struct hm_runner *runner, const char *run_id, enum hm_code *ret_code)
{
    struct hm_err err = {0};
    struct hm_slot *e = add_slot(runner, run_id);
    e->born = true;
    *ret_code = reload(e, &err);
    if (*ret_code == HM_OK)
        return e;
    if (*ret_code != HM_ENOTFOUND)
        hm_log(HM_LOG_ERROR, run_id, "can not be read from the journal: %s", err.msg);
    drop_slot(e);
    return NULL;
}

bool hm_runner_committing(struct hm_runner *runner, const char *run_id)
{
    const struct hm_slot *e = find_slot(runner, run_id);
    return e != NULL && e->committing;
}

/* The text is at fault, not the disk. */
static bool for_good(enum hm_code code)
{
    return code == HM_EBUG || code == HM_EENV;
}

bool hm_runner_unreadable(struct hm_runner *runner, const char *run_id)
{
    enum hm_code code = HM_OK;
    struct hm_slot *e = find_slot(runner, run_id);
    if (e != NULL)
        return hm_slot_is_quarantined(e);
    e = revive(runner, run_id, &code);
    if (e == NULL)
        return for_good(code);
    drop_if_over(e);
    return false;
}

bool hm_runner_visit(struct hm_runner *runner, const char *run_id, void (*visit)(void *arg, const struct hm_run *run), void *arg)
{
    enum hm_code code = HM_OK;
    struct hm_slot *e = find_slot(runner, run_id);
    if (e == NULL)
        e = revive(runner, run_id, &code);
    if (e == NULL || !(hm_slot_wake(e) || hm_slot_is_quarantined(e)) || !e->born)
        return false;
    hm_rest_touch(e);
    visit(arg, e->run);
    hm_runner_pump(e);
    drop_if_over(e);
    hm_rest_some(runner);
    hm_runner_arm(runner);
    return true;
}

void hm_runner_click(struct hm_runner *runner, const char *run_id, const struct hm_input *in, hm_reply_fn on_reply, void *arg)
{
    enum hm_code code = HM_OK;
    struct hm_slot *e = find_slot(runner, run_id);
    if (e == NULL)
        e = revive(runner, run_id, &code);
    if (e == NULL || !hm_slot_wake(e) || !e->born) {
        bool unreadable = e != NULL ? hm_slot_is_quarantined(e) : for_good(code);
        struct hm_reply reply = {.kind = unreadable ? HM_REPLY_BROKEN : e == NULL ? HM_REPLY_STALE : HM_REPLY_NOT_STORED};
        on_reply(arg, &reply, unreadable && e != NULL ? e->run : NULL);
        return;
    }
    struct hm_waiting *w = hm_waiting_new(in);
    w->on_reply = on_reply;
    w->reply_arg = arg;
    hm_slot_push(e, w);
    hm_rest_touch(e);
    hm_runner_pump(e);
    drop_if_over(e);
    hm_rest_some(runner);
    hm_runner_arm(runner);
}

bool hm_runner_try(struct hm_runner *runner, const char *run_id, const struct hm_input *in, struct hm_reply *ret_reply)
{
    struct hm_run_env env = {0};
    struct hm_events events;
    struct hm_err err = {0};
    struct hm_slot *e = find_slot(runner, run_id);
    if (e == NULL || !hm_slot_wake(e) || !e->born)
        return false;
    hm_runner_env(runner, e->run->recipe->name, &env);
    hm_events_init(&events);
    enum hm_code code = hm_run_decide(e->run, in, &env, &events, ret_reply, &err);
    hm_events_done(&events);
    return code == HM_OK;
}

void hm_runner_answer(struct hm_runner *runner, const char *run_id, const struct hm_ticket *ticket,
                      const struct hm_answer *answer, int64_t duration_ms)
{
    struct hm_slot *e = find_slot(runner, run_id);
    runner->flying--;
    if (e == NULL)
        return;
    struct hm_input in = {.kind = HM_IN_ANSWER, .ticket = *ticket, .answer = answer, .duration_ms = duration_ms};
    if (e->flying > 0)
        e->flying--;
    if (hm_slot_is_quarantined(e))
        return; /* nobody will ever decide upon it */
    hm_slot_push(e, hm_waiting_new(&in));
    hm_runner_pump(e);
    drop_if_over(e);
    hm_runner_arm(runner);
}

/* Feeds every run; backwards, because a run that ends leaves the list. */
static void feed_all(struct hm_runner *runner, enum hm_input_kind kind)
{
    for (size_t i = runner->count; i-- > 0;) {
        struct hm_slot *e = runner->entries[i];
        if (e->broken)
            continue;
        if (e->run == NULL) {
            hm_rest_owe(e, kind == HM_IN_GO ? HM_OWES_GO : HM_OWES_CHANGED);
            continue;
        }
        hm_slot_push_kind(e, kind);
        hm_runner_pump(e);
        drop_if_over(e);
    }
}

static void try_reload(struct hm_slot *e, int64_t now_ms)
{
    struct hm_err err = {0};
    enum hm_code code = reload(e, &err);
    if (code == HM_OK) {
        if (e->run->status == HM_RUN_GOING) /* what all cards were told meanwhile, it has missed */
            e->runner->io.changed(e->runner->io.arg, e->run);
        hm_runner_pump(e);
        return;
    }
    if (code == HM_EBUG) { /* it will not fit the next time either */
        quarantine(e, &err, true);
        return;
    }
    hm_log(HM_LOG_ERROR, e->id, "can not be read from the journal: %s", err.msg);
    e->reload_ms = now_ms + RELOAD_MS;
    reckon(e);
}

static void tell_time(struct hm_slot *e)
{
    struct hm_run_env env = {0};
    if (!hm_slot_wake(e))
        return;
    hm_rest_touch(e);
    e->runner->io.env(e->runner->io.arg, e->run->recipe->name, &env);
    hm_slot_push_kind(e, HM_IN_TIME);
    hm_runner_pump(e);
    if (e->committing || e->broken)
        return;
    e->seen_ms = env.now_ms; /* nothing could be done about it (held, or an answer is still out): not told again */
    reckon(e);
}

void hm_runner_time(struct hm_runner *runner, int64_t now_ms)
{
    for (int i = 0; i < TIMED_AT_ONCE && !runner->restoring && runner->count > 0 && runner->heap[0]->want_ms <= now_ms; i++) {
        struct hm_slot *e = runner->heap[0];
        if (e->broken)
            try_reload(e, now_ms);
        else
            tell_time(e);
        drop_if_over(e);
        hm_rest_some(runner);
    }
    runner->wake_ms = INT64_MAX; /* that wish is fulfilled; who else is due makes a new one */
    hm_runner_arm(runner);
}

void hm_runner_hold(struct hm_runner *runner, bool held)
{
    if (runner->held == held)
        return;
    runner->held = held;
    if (!held)
        feed_all(runner, HM_IN_GO);
    hm_runner_arm(runner);
}

void hm_runner_show_all(struct hm_runner *runner)
{
    for (size_t i = 0; i < runner->count; i++) {
        struct hm_slot *e = runner->entries[i];
        if (!e->born || e->broken || e->committing)
            continue;
        if (e->run != NULL)
            runner->io.changed(runner->io.arg, e->run);
        else
            hm_rest_owe(e, HM_OWES_SHOW);
    }
    hm_runner_arm(runner);
}

void hm_runner_changed(struct hm_runner *runner)
{
    for (size_t i = 0; runner->restoring && i < runner->count; i++)
        runner->entries[i]->settled = false; /* hm_runner_restored() will tell it */
    if (!runner->restoring)
        feed_all(runner, HM_IN_CHANGED);
    hm_runner_arm(runner);
}

struct restoring {
    struct hm_slot *slot;
    struct hm_err *err;
    enum hm_code code;
};

static bool restore_one(void *arg, const struct hm_event *event)
{
    struct restoring *r = arg;
    struct hm_slot *e = r->slot;
    const struct hm_runner_io *io = &e->runner->io;
    r->code = hm_run_fold(e->run, event, io->recipe_by_sha, io->arg, r->err);
    if (r->code == HM_OK)
        hm_locks_folded(e, event);
    return r->code == HM_OK;
}

enum hm_code hm_runner_restore(struct hm_runner *runner, const char *run_id, struct hm_err *err)
{
    struct hm_slot *e = add_slot(runner, run_id);
    struct restoring r = {.slot = e, .err = err};
    runner->restoring = true;
    enum hm_code code = runner->io.load(runner->io.arg, run_id, restore_one, &r, err);
    if (code == HM_EIO) {
        drop_slot(e);
        return code;
    }
    e->born = true;
    if (code != HM_OK || r.code != HM_OK) {
        quarantine(e, err, false);
        return HM_OK;
    }
    hm_locks_take(e);
    e->settled = hm_rest_restored(e);
    if (e->settled) {
        runner->io.changed(runner->io.arg, e->run);
        reckon(e);
    }
    hm_rest_some(runner);
    return HM_OK;
}

void hm_runner_restored(struct hm_runner *runner)
{
    runner->restoring = false;
    for (size_t i = runner->count; i-- > 0;) {
        struct hm_slot *e = runner->entries[i];
        if (hm_slot_is_quarantined(e))
            runner->io.changed(runner->io.arg, e->run); /* which it now says */
        if (e->broken || e->settled)
            continue;
        if (e->run == NULL) {
            hm_rest_owe(e, HM_OWES_LOST | HM_OWES_CHANGED | HM_OWES_SHOW);
            continue;
        }
        hm_slot_push_kind(e, HM_IN_LOST);
        hm_slot_push_kind(e, HM_IN_CHANGED);
        runner->io.changed(runner->io.arg, e->run);
        hm_runner_pump(e);
        drop_if_over(e);
    }
    hm_runner_arm(runner);
}

const struct hm_run *hm_runner_find(struct hm_runner *runner, const char *run_id)
{
    struct hm_slot *e = find_slot(runner, run_id);
    return e != NULL && e->born && hm_slot_wake(e) ? e->run : NULL;
}

const struct hm_run *hm_runner_find_stored(struct hm_runner *runner, const char *run_id)
{
    const struct hm_slot *e = find_slot(runner, run_id);
    return e != NULL && !e->committing && !e->broken ? hm_runner_find(runner, run_id) : NULL;
}
