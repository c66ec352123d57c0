/* Inside of struct hm_batch: what the loop thread packs and the journal's thread unpacks. Not for other rooms.
 *
 * All operations of a batch lie in ONE buffer, each as a head and its texts with their lengths, so that an inbox row (the
 * hottest thing the bot does) costs two allocations and two copies, all of them on the loop thread. JSON is turned into text when
 * the operation is added: the journal's thread never sees a tree. */
#ifndef HM_JOURNAL_BATCH_H
#define HM_JOURNAL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

enum hm_op_kind {
    HM_OP_INBOX,       /* dedupe key, type, text */
    HM_OP_INBOX_DONE,  /* number = inbox id */
    HM_OP_EVENT,       /* run id, type, data; number = expected seq; flag = it is no run's */
    HM_OP_RUN,         /* run id, recipe, requester; flag = open */
    HM_OP_RECIPE_TEXT, /* sha256, text */
    HM_OP_SET,         /* space, key, value (NULL deletes) */
    HM_OP_CLAIM,       /* space, key, value */
    HM_OP_INBOX_PRUNE, /* number = before this time */
    HM_OP_NR
};

enum { HM_OP_TEXTS = 3 };

struct hm_text {
    const char *s; /* NUL-terminated, borrowed from the batch; NULL = no value */
    size_t len;
};

struct hm_op {
    enum hm_op_kind kind;
    bool flag;
    int64_t number;
    int64_t at_ms; /* EVENT: 0 = the batch's time */
    struct hm_text text[HM_OP_TEXTS];
};

struct hm_batch {
    struct hm_batch *next; /* in whichever queue it is */
    char *buf;
    size_t len, cap;
    uint32_t ops;
    bool bare_inbox; /* nothing but one inbox row: needs no savepoint */
    int64_t wall_ms; /* stamped on its rows */
    hm_put_fn on_done;
    void *arg;
    struct hm_put_result result;
    char *error; /* owned text behind result.error, or NULL */
};

/* Reads the operation at *offset (0 to begin) and moves on; false at the end. */
bool hm_batch_next_op(const struct hm_batch *batch, size_t *offset, struct hm_op *ret_op);
/* Sets the result to a failure with its own copy of the sentence. */
void hm_batch_fail(struct hm_batch *batch, enum hm_code code, const char *error);

#endif
