/* Locks: which run holds what, and who waits for it. See runner_parts.h.
 *
 * The table holds nothing of its own: it says what the states of the runs say (going, with a lock, waiting for it or not), so a
 * lock can not outlive its run, and a restart finds the same. A lock is taken the moment that is decided, and given back only
 * when the end is committed: should that commit fail, nobody else has begun. Whoever has waited longest is next. */
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
    if (lock->holders > 0 || lock->first_waiting != NULL)
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
    const struct hm_run *run = by != NULL && hm_slot_wake(by) ? by->run : NULL;
    copy_word(ret_blocker->user, sizeof ret_blocker->user, run != NULL ? run->requester : "");
    ret_blocker->since_ms = run != NULL ? run->started_ms : 0;
    return true;
}

void hm_locks_folded(struct hm_slot *e, const struct hm_event *event, int64_t nr)
{
    struct hm_runner *runner = e->runner;
    if (event->type != HM_EV_LOCK_WAITED || e->lock_order != 0)
        return;
    e->lock_order = nr > 0 ? nr : runner->lock_orders + 1;
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

static void leave(struct hm_slot *e)
{
    if (e->role == HM_LOCK_WAITS)
        unlink_waiting(e);
    if (e->role == HM_LOCK_HOLDS) {
        e->lock->holders--;
        if (e->lock->holder == e)
            e->lock->holder = NULL;
    }
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

void hm_locks_take(struct hm_slot *e)
{
    const struct hm_run *run = e->run;
    if (run->status != HM_RUN_GOING || run->lock == NULL)
        return;
    enum hm_lock_role role = run->lock_wait.waiting ? HM_LOCK_WAITS : HM_LOCK_HOLDS;
    if (e->role == role)
        return;
    if (e->lock == NULL)
        e->lock = need_lock(e->runner, run->lock);
    leave(e);
    enter(e, role);
}

void hm_locks_release(struct hm_slot *e)
{
    struct hm_runner *runner = e->runner;
    struct hm_lock *lock = e->lock;
    if (lock == NULL)
        return;
    leave(e);
    e->lock = NULL;
    e->lock_order = 0;
    struct hm_slot *next = lock->holders == 0 && !runner->closing ? lock->first_waiting : NULL;
    while (next != NULL) { /* the first one takes it; the others see who is before them now */
        struct hm_slot *told = next;
        next = next->next_waiting;
        if (told->run == NULL && told != lock->first_waiting) {
            hm_rest_owe(told, HM_OWES_GO);
            continue;
        }
        hm_slot_push_kind(told, HM_IN_GO);
        hm_runner_pump(told);
    }
    free_if_unused(runner, lock);
}
