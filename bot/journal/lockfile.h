/* One bot per journal: an exclusive flock(2) on "<path>.lock", held while the journal is open. The kernel drops it when the
 * process ends, however it ends; child processes do not inherit it. The file holds the holder's pid and is never removed
 * (removing it would let two processes lock two different files of one name). */
#ifndef HM_JOURNAL_LOCKFILE_H
#define HM_JOURNAL_LOCKFILE_H

#include "base/err.h"

/* Returns a file descriptor, or -1 with HM_EENV: held by another process (its pid is named), folder missing, not writable. */
int hm_lockfile_take(const char *journal_path, struct hm_err *err);
/* Lets go. -1 is fine. */
void hm_lockfile_drop(int fd);

#endif
