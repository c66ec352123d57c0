/* Locks: which run holds what, and who waits for it. See runner_parts.h.
 *
 * The table holds nothing of its own: it says what the states of the runs say (going, with a lock, waiting for it or not), so a
 * lock can not outlive its run, and a restart finds the same. A lock is taken the moment that is decided, and given back only
 * when the end is committed: should that commit fail, nobody else has begun. The same when a run is planned anew and now wants
 * another lock: it has both until that is committed. Whoever has waited longest is next. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/runner_parts.h"

struct hm_lock {
    char *name; /* the key of the tree: first member */
    struct hm_slot *holder;
    unsigned holders; /* one, unless a journal says otherwise: then nobody else comes in until all are over */
    unsigned pins;    /* somebody walks over it: it stays */
    struct hm_slot *first_waiting;
};

static int compare_locks(const void *a, const void *b)
{
    const struct hm_lock *x = a;
    const struct hm_lock *y = b;
    return strcmp(x->name, y->name);
}

static struct hm_lock *find_lock(const struct hm_runner *runner, const char *name)
{
    struct hm_lock key = {.name = hm_unconst(name)};
    struct hm_lock *const *found = tfind(&key, &runner->locks, compare_locks);
    return found != NULL ? *found : NULL;
}

static struct hm_lock *need_lock(struct hm_runner *runner, const char *name)
{
    struct hm_lock *lock = find_lock(runner, name);
    if (lock != NULL)
        return lock;
    lock = hm_xcalloc(1, sizeof *lock);
    lock->name = hm_xstrdup(name);
    void *node = tsearch(lock, &runner->locks, compare_locks);
    HM_ASSERT(node != NULL);
    return lock;
}

static void free_if_unused(struct hm_runner *runner, struct hm_lock *lock)
{
    if (lock->holders > 0 || lock->first_waiting != NULL || lock->pins > 0)
        return;
    (void)tdelete(lock, &runner->locks, compare_locks);
    free(lock->name);
    free(lock);
}

static void copy_word(char *to, size_t size, const char *from)
{
    size_t len = from != NULL ? strnlen(from, size - 1) : 0;
    if (len > 0)
        memcpy(to, from, len);
    to[len] = '\0';
}

bool hm_locks_blocked(void *arg, const char *name, const char *run_id, struct hm_blocker *ret_blocker)
{
    const struct hm_runner *runner = arg;
    const struct hm_lock *lock = find_lock(runner, name);
    struct hm_slot *by = NULL;
    if (lock == NULL)
        return false;
    bool mine = lock->holder != NULL && hm_streq(lock->holder->id, run_id);
    if (lock->holders > (mine ? 1U : 0U))
        by = mine ? NULL : lock->holder;
    else if (!mine && lock->first_waiting != NULL && !hm_streq(lock->first_waiting->id, run_id))
        by = lock->first_waiting;
    else
        return false;
    copy_word(ret_blocker->run_id, sizeof ret_blocker->run_id, by != NULL ? by->id : "");
    const struct hm_run *run = by != NULL && (by->run != NULL || hm_slot_wake(by)) ? by->run : NULL;
    copy_word(ret_blocker->user, sizeof ret_blocker->user, run != NULL ? run->requester : "");
    ret_blocker->since_ms = run != NULL ? run->started_ms : 0;
    return true;
}

void hm_locks_folded(struct hm_slot *e, const struct hm_event *event)
{
    struct hm_runner *runner = e->runner;
    if (event->type != HM_EV_LOCK_WAITED || e->lock_order != 0)
        return;
    e->lock_order = event->nr > 0 ? event->nr : runner->lock_orders + 1;
    if (e->lock_order > runner->lock_orders)
        runner->lock_orders = e->lock_order;
}

static void unlink_waiting(struct hm_slot *e)
{
    for (struct hm_slot **at = &e->lock->first_waiting; *at != NULL; at = &(*at)->next_waiting) {
        if (*at != e)
            continue;
        *at = e->next_waiting;
        e->next_waiting = NULL;
        return;
    }
}

static void unhold(struct hm_lock *lock, const struct hm_slot *e)
{
    lock->holders--;
    if (lock->holder == e)
        lock->holder = NULL;
}

static void leave(struct hm_slot *e)
{
    if (e->role == HM_LOCK_WAITS)
        unlink_waiting(e);
    if (e->role == HM_LOCK_HOLDS)
        unhold(e->lock, e);
    e->role = HM_LOCK_NONE;
}

static void enter(struct hm_slot *e, enum hm_lock_role role)
{
    e->role = role;
    if (role == HM_LOCK_HOLDS) {
        e->lock->holders++;
        e->lock->holder = e;
        e->lock_order = 0;
        return;
    }
    struct hm_slot **at = &e->lock->first_waiting;
    while (*at != NULL && (*at)->lock_order < e->lock_order)
        at = &(*at)->next_waiting;
    e->next_waiting = *at;
    *at = e;
}

/* Nobody holds it any more, or its line has become shorter: the first one takes it, the others see who is before them now. Any of
 * them may leave meanwhile (it can not go on), and the lock with it. */
static void tell_waiting(struct hm_runner *runner, struct hm_lock *lock)
{
    size_t n = 0;
    size_t count = 0;
    if (lock->holders > 0 || runner->closing || lock->pins > 0) /* pinned: whoever walks already comes to all of them */
        return;
    for (const struct hm_slot *e = lock->first_waiting; e != NULL; e = e->next_waiting)
        count++;
    struct hm_slot **waiting = hm_xcalloc(count + 1, sizeof(struct hm_slot *));
    for (struct hm_slot *e = lock->first_waiting; e != NULL; e = e->next_waiting)
        waiting[n++] = e;
    lock->pins++;
    for (size_t i = 0; i < n; i++) {
        if (waiting[i]->lock != lock || waiting[i]->role != HM_LOCK_WAITS)
            continue;
        if (waiting[i]->run == NULL && waiting[i] != lock->first_waiting) { /* at rest: it may hear of it later */
            hm_rest_owe(waiting[i], HM_OWES_GO);
            continue;
        }
        hm_slot_push_kind(waiting[i], HM_IN_GO);
        hm_runner_pump(waiting[i]);
    }
    lock->pins--;
    free(waiting);
}

/* The run wants another lock now than it has: the one that it holds stays its own until that is committed. Its place in the order
 * of arrival goes with it. */
static void part(struct hm_slot *e)
{
    struct hm_lock *lock = e->lock;
    bool keeps = e->role == HM_LOCK_HOLDS && e->leaving == NULL;
    if (keeps) {
        e->leaving = lock;
        e->role = HM_LOCK_NONE;
    } else {
        leave(e);
    }
    e->lock = NULL;
    if (!keeps)
        free_if_unused(e->runner, lock);
}

void hm_locks_take(struct hm_slot *e)
{
    const struct hm_run *run = e->run;
    if (run->status != HM_RUN_GOING)
        return;
    if (e->lock != NULL && !hm_streq(e->lock->name, run->lock))
        part(e);
    if (run->lock == NULL)
        return;
    if (e->lock == NULL && e->leaving != NULL && hm_streq(e->leaving->name, run->lock)) { /* that commit failed */
        e->lock = e->leaving;
        e->leaving = NULL;
        e->role = HM_LOCK_HOLDS;
        e->lock_order = 0;
    }
    enum hm_lock_role role = run->lock_wait.waiting ? HM_LOCK_WAITS : HM_LOCK_HOLDS;
    if (e->role == role)
        return;
    if (e->lock == NULL)
        e->lock = need_lock(e->runner, run->lock);
    leave(e);
    enter(e, role);
}

void hm_locks_reread(struct hm_slot *e)
{
    struct hm_runner *runner = e->runner;
    struct hm_lock *before = e->role != HM_LOCK_NONE ? e->lock : NULL;
    if (before != NULL)
        before->pins++;
    hm_locks_take(e);
    if (before == NULL)
        return;
    before->pins--;
    if (e->lock != before)
        tell_waiting(runner, before);
    free_if_unused(runner, before);
}

void hm_locks_committed(struct hm_slot *e)
{
    struct hm_lock *lock = e->leaving;
    if (lock == NULL)
        return;
    e->leaving = NULL;
    unhold(lock, e);
    tell_waiting(e->runner, lock);
    free_if_unused(e->runner, lock);
}

void hm_locks_release(struct hm_slot *e)
{
    struct hm_lock *lock = e->lock;
    hm_locks_committed(e);
    if (lock == NULL)
        return;
    leave(e);
    e->lock = NULL;
    e->lock_order = 0;
    tell_waiting(e->runner, lock);
    free_if_unused(e->runner, lock);
}
