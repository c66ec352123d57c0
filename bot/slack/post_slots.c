/* The table of message slots: see post_slots.h. */
#include "slack/post_slots.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare_keys(const void *a, const void *b)
{
    const struct hm_slot *x = a;
    const struct hm_slot *y = b;
    return strcmp(x->key, y->key);
}

void hm_slots_init(struct hm_slots *slots)
{
    memset(slots, 0, sizeof(*slots));
    LIST_INIT(&slots->all);
    TAILQ_INIT(&slots->queues[0]);
    TAILQ_INIT(&slots->queues[1]);
}

struct hm_slot *hm_slots_find(const struct hm_slots *slots, const char *key)
{
    struct hm_slot probe = {.key = hm_unconst(key)}; /* only read */
    void *node = tfind(&probe, &slots->by_key, compare_keys);
    return node != NULL ? *(struct hm_slot **)node : NULL;
}

bool hm_slots_has(const struct hm_slots *slots, const char *key, uint64_t serial)
{
    const struct hm_slot *slot = hm_slots_find(slots, key);
    return slot != NULL && slot->serial == serial;
}

struct hm_slot *hm_slots_open(struct hm_slots *slots, const char *key, const char *channel, const char *thread_ts)
{
    struct hm_slot *slot = hm_xcalloc(1, sizeof(*slot));

    slot->key = hm_xstrdup(key);
    slot->channel = hm_xstrdup(channel);
    slot->thread_ts = hm_xstrdup_null(thread_ts);
    slot->serial = ++slots->serial;
    slot->not_before_ms = INT64_MIN;
    LIST_INSERT_HEAD(&slots->all, slot, all);
    slots->n++;
    if (tsearch(slot, &slots->by_key, compare_keys) == NULL)
        abort(); /* out of memory, as in hm_xmalloc() */
    return slot;
}

void hm_slots_drop(struct hm_slots *slots, struct hm_slot *slot)
{
    hm_slots_set_state(slots, slot, HM_SLOT_IDLE);
    (void)tdelete(slot, &slots->by_key, compare_keys);
    LIST_REMOVE(slot, all);
    slots->n--;
    free(slot->key);
    free(slot->channel);
    free(slot->thread_ts);
    free(slot->ts);
    free(slot->lost_ts);
    free(slot->wanted);
    free(slot);
}

void hm_slots_set_state(struct hm_slots *slots, struct hm_slot *slot, enum hm_slot_state state)
{
    struct hm_slot_queue *queue = &slots->queues[slot->urgent ? 0 : 1];

    if (slot->state == HM_SLOT_WAITING)
        TAILQ_REMOVE(queue, slot, queue);
    slot->state = state;
    if (state == HM_SLOT_WAITING)
        TAILQ_INSERT_TAIL(queue, slot, queue);
}

void hm_slot_set_text(char **at, const char *text)
{
    char *copy = hm_xstrdup_null(text);
    free(*at);
    *at = copy;
}
