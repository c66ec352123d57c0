/* The table of message slots and their two queues: data only, no calls and no callbacks. Internal to post.c. */
#ifndef HM_SLACK_POST_SLOTS_H
#define HM_SLACK_POST_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/hash.h"

enum hm_slot_state { HM_SLOT_IDLE, HM_SLOT_WAITING, HM_SLOT_BUSY, HM_SLOT_STUCK, HM_SLOT_NR };

struct hm_slot {
    LIST_ENTRY(hm_slot) all;
    TAILQ_ENTRY(hm_slot) queue; /* while WAITING */
    char *key;
    char *channel;
    char *thread_ts; /* or NULL */
    char *ts;        /* or NULL */
    char *lost_ts;   /* of the message that can not be edited any more, or NULL */
    uint64_t serial; /* tells a slot from an earlier one with the same key */
    enum hm_slot_state state;
    char *wanted;                      /* JSON text; NULL = Slack shows the latest */
    char wanted_digest[HM_SHA256_HEX]; /* "" = nothing was ever wanted */
    char shown_digest[HM_SHA256_HEX];  /* "" = unknown */
    bool urgent;
    bool behind;          /* the owner has something newer than what is wanted: ask for it before it is sent */
    bool text_only;       /* Slack refused the blocks of what is wanted */
    bool maybe_posted;    /* look before posting */
    bool content_refused; /* STUCK because of it: other content helps */
    bool finishing;
    unsigned looks_left;
    unsigned failures;
    int64_t since_wall_ms;
    int64_t not_before_ms;
};
TAILQ_HEAD(hm_slot_queue, hm_slot);

struct hm_slots {
    void *by_key; /* a tsearch() tree */
    LIST_HEAD(, hm_slot) all;
    struct hm_slot_queue queues[2]; /* urgent ones first */
    uint64_t serial;
    unsigned n;
};

void hm_slots_init(struct hm_slots *slots);
/* NULL when there is none. */
struct hm_slot *hm_slots_find(const struct hm_slots *slots, const char *key);
/* True when this very slot is still there. */
bool hm_slots_has(const struct hm_slots *slots, const char *key, uint64_t serial);
/* The key must be new. The strings are copied. */
struct hm_slot *hm_slots_open(struct hm_slots *slots, const char *key, const char *channel, const char *thread_ts);
/* Frees it. */
void hm_slots_drop(struct hm_slots *slots, struct hm_slot *slot);
/* Keeps the queues; WAITING again goes to the end. */
void hm_slots_set_state(struct hm_slots *slots, struct hm_slot *slot, enum hm_slot_state state);

/* Replaces a string of a slot; text may be what *at holds, or NULL. */
void hm_slot_set_text(char **at, const char *text);

#endif
