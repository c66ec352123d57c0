/* The SQLite file as the writer sees it: open, begin, apply batches, commit or roll back. Blocking; used by one thread at a time
 * (opened on the loop thread, then handed to the journal's thread). Knows nothing of queues and callbacks. */
#ifndef HM_JOURNAL_STORE_H
#define HM_JOURNAL_STORE_H

#include <stdint.h>

#include "base/err.h"
#include "journal/batch.h"

struct hm_store;

/* Opens or creates the file, brings it to the present version, checks it, starts the checkpointer. NULL with HM_EENV. */
struct hm_store *hm_store_open(const char *path, int64_t wall_ms, struct hm_err *err);
/* NULL is fine. Moves the write-ahead log into the file when nobody else has it open. */
void hm_store_free(struct hm_store *store);

/* A group of batches: begin, apply each, commit. After HM_EIO from any of them call hm_store_rollback(): nothing of the group is
 * in the file then. */
HM_MUST enum hm_code hm_store_begin(struct hm_store *store, struct hm_err *err);
/* HM_OK, or HM_ECONFLICT, HM_EINVAL: nothing of this batch was written, the group goes on; or HM_EIO: the group is lost. On
 * HM_OK batch->result is filled. */
HM_MUST enum hm_code hm_store_apply(struct hm_store *store, struct hm_batch *batch, struct hm_err *err);
HM_MUST enum hm_code hm_store_commit(struct hm_store *store, struct hm_err *err);
void hm_store_rollback(struct hm_store *store);

/* After a commit, off the callers' way: has the write-ahead log moved into the file when it is long enough. */
void hm_store_checkpoint(struct hm_store *store);

struct hm_store_stats {
    uint64_t wal_pages;           /* length of the write-ahead log at the last commit */
    uint64_t checkpoint_failures; /* since open */
};
void hm_store_stats(struct hm_store *store, struct hm_store_stats *ret_stats);

#endif
