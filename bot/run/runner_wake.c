/* Whose time is next: a binary heap over all runs, so that 10,000 waiting ones cost nothing while one works. See runner_parts.h.
 */
#include "run/runner_parts.h"

static void put(struct hm_runner *runner, size_t at, struct hm_slot *e)
{
    runner->heap[at] = e;
    e->heap_at = at;
}

static void sift_up(struct hm_runner *runner, struct hm_slot *e)
{
    size_t at = e->heap_at;
    while (at > 0 && runner->heap[(at - 1) / 2]->want_ms > e->want_ms) {
        put(runner, at, runner->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(runner, at, e);
}

static void sift_down(struct hm_runner *runner, size_t count, struct hm_slot *e)
{
    size_t at = e->heap_at;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && runner->heap[child + 1]->want_ms < runner->heap[child]->want_ms)
            child++;
        if (child >= count || runner->heap[child]->want_ms >= e->want_ms)
            break;
        put(runner, at, runner->heap[child]);
        at = child;
    }
    put(runner, at, e);
}

void hm_wake_moved(struct hm_slot *e)
{
    sift_up(e->runner, e);
    sift_down(e->runner, e->runner->count, e);
}

/* e is the last of entries, and counted. */
void hm_wake_add(struct hm_slot *e)
{
    put(e->runner, e->runner->count - 1, e);
    sift_up(e->runner, e);
}

/* e is still counted. */
void hm_wake_remove(struct hm_slot *e)
{
    struct hm_runner *runner = e->runner;
    size_t count = runner->count - 1;
    struct hm_slot *last = runner->heap[count];
    if (last == e)
        return;
    put(runner, e->heap_at, last);
    sift_up(runner, last);
    sift_down(runner, count, last);
}
