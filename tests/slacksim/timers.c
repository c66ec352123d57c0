/* A binary heap of (deadline, id). Cancelling needs the place of an id: each entry knows its slot through a table that is
 * reused (id = generation * 2^32 + slot), so both adding and cancelling are O(log n). */
#include "timers.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"

struct slot {
    int64_t due_us;
    void (*fn)(void *arg);
    void (*drop)(void *arg); /* or NULL */
    void *arg;
    uint32_t generation;
    size_t at; /* index in heap; next free slot when unused */
    uint64_t order;
};

struct sim_timers {
    uv_timer_t uv;
    void (*on_turn_end)(void *arg);
    void *arg;
    struct slot *slots;
    size_t slots_len, slots_cap;
    size_t free_slot; /* SIZE_MAX: none */
    size_t *heap;
    size_t heap_len, heap_cap;
    uint64_t order; /* equal deadlines fire in the order they were added */
};

int64_t sim_now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static bool before(const struct sim_timers *t, size_t a, size_t b)
{
    const struct slot *x = &t->slots[t->heap[a]];
    const struct slot *y = &t->slots[t->heap[b]];

    return x->due_us != y->due_us ? x->due_us < y->due_us : x->order < y->order;
}

static void swap(struct sim_timers *t, size_t a, size_t b)
{
    size_t tmp = t->heap[a];

    t->heap[a] = t->heap[b];
    t->heap[b] = tmp;
    t->slots[t->heap[a]].at = a;
    t->slots[t->heap[b]].at = b;
}

static void sift(struct sim_timers *t, size_t i)
{
    while (i > 0 && before(t, i, (i - 1) / 2)) {
        swap(t, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    for (;;) {
        size_t least = i;
        size_t left = 2 * i + 1;

        if (left < t->heap_len && before(t, left, least)) {
            least = left;
        }
        if (left + 1 < t->heap_len && before(t, left + 1, least)) {
            least = left + 1;
        }
        if (least == i) {
            return;
        }
        swap(t, i, least);
        i = least;
    }
}

static void take_out(struct sim_timers *t, size_t at)
{
    size_t slot = t->heap[at];

    t->heap_len--;
    if (at != t->heap_len) {
        t->heap[at] = t->heap[t->heap_len];
        t->slots[t->heap[at]].at = at;
        sift(t, at);
    }
    t->slots[slot].fn = NULL;
    t->slots[slot].generation++;
    t->slots[slot].at = t->free_slot;
    t->free_slot = slot;
}

static void on_uv_timer(uv_timer_t *uv);

static void arm(struct sim_timers *t)
{
    int64_t wait_us = 0;

    if (t->heap_len == 0) {
        (void)uv_timer_stop(&t->uv);
        return;
    }
    wait_us = t->slots[t->heap[0]].due_us - sim_now_us();
    uv_update_time(t->uv.loop);
    (void)uv_timer_start(&t->uv, on_uv_timer, wait_us <= 0 ? 0 : (uint64_t)((wait_us + 999) / 1000), 0);
}

static void on_uv_timer(uv_timer_t *uv)
{
    struct sim_timers *t = uv->data;
    int64_t now = sim_now_us();
    uint64_t last = t->order; /* what a callback adds waits for the next batch, so that 0 ms timers can not starve the loop */

    while (t->heap_len > 0) {
        struct slot *s = &t->slots[t->heap[0]];
        void (*fn)(void *arg) = s->fn;
        void *arg = s->arg;

        if (s->due_us > now || s->order > last) {
            break;
        }
        take_out(t, 0);
        fn(arg);
    }
    arm(t);
    t->on_turn_end(t->arg);
}

struct sim_timers *sim_timers_new(uv_loop_t *loop, void (*on_turn_end)(void *arg), void *arg)
{
    struct sim_timers *t = hm_xcalloc(1, sizeof(*t));

    HM_ASSERT(uv_timer_init(loop, &t->uv) == 0);
    t->uv.data = t;
    t->on_turn_end = on_turn_end;
    t->arg = arg;
    t->free_slot = SIZE_MAX;
    return t;
}

static void on_closed(uv_handle_t *handle)
{
    struct sim_timers *t = handle->data;

    free(t->slots);
    free(t->heap);
    free(t);
}

void sim_timers_free(struct sim_timers *t)
{
    if (t == NULL) {
        return;
    }
    for (; t->heap_len > 0; t->heap_len--) {
        const struct slot *s = &t->slots[t->heap[t->heap_len - 1]];

        if (s->drop != NULL) {
            s->drop(s->arg);
        }
    }
    uv_close((uv_handle_t *)&t->uv, on_closed);
}

uint64_t sim_timers_add(struct sim_timers *t, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
    return sim_timers_add_owned(t, delay_ms, fn, NULL, arg);
}

uint64_t sim_timers_add_owned(struct sim_timers *t, int64_t delay_ms, void (*fn)(void *arg), void (*drop)(void *arg), void *arg)
{
    size_t slot = t->free_slot;
    struct slot *s = NULL;

    if (slot == SIZE_MAX) {
        if (t->slots_len == t->slots_cap) {
            t->slots_cap = t->slots_cap == 0 ? 64 : t->slots_cap * 2;
            t->slots = hm_xreallocarray(t->slots, t->slots_cap, sizeof(*t->slots));
        }
        slot = t->slots_len++;
        t->slots[slot].generation = 1;
    } else {
        t->free_slot = t->slots[slot].at;
    }
    if (t->heap_len == t->heap_cap) {
        t->heap_cap = t->heap_cap == 0 ? 64 : t->heap_cap * 2;
        t->heap = hm_xreallocarray(t->heap, t->heap_cap, sizeof(*t->heap));
    }
    s = &t->slots[slot];
    s->due_us = sim_now_us() + (delay_ms > 0 ? delay_ms * 1000 : 0);
    s->fn = fn;
    s->drop = drop;
    s->arg = arg;
    s->order = ++t->order;
    s->at = t->heap_len;
    t->heap[t->heap_len++] = slot;
    sift(t, s->at);
    if (t->heap[0] == slot) {
        arm(t);
    }
    return ((uint64_t)s->generation << 32) | slot;
}

void sim_timers_cancel(struct sim_timers *t, uint64_t *id)
{
    size_t slot = (size_t)(*id & UINT32_MAX);

    if (*id != 0 && slot < t->slots_len && t->slots[slot].fn != NULL && t->slots[slot].generation == (uint32_t)(*id >> 32)) {
        take_out(t, t->slots[slot].at);
    }
    *id = 0;
}
