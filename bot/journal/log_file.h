/* The write-ahead log as a file. An append that makes a file longer has the file system write down where the new part lies, too,
 * before its fsync is over; an fsync of what was there before has nothing to do but the data (measured on ext4, quiet:
 * 0.27 ms against 0.13 ms at the median, 0.6 ms against 0.3 ms in the slowest of a hundred; on a busy disk the gap is wider). So
 * a log that is in use is made longer by large steps, with zeros, ahead of its end; when it begins anew, the file stays as long
 * as it is. SQLite takes a log's end to be where the checksums end, never where the file does. */
#ifndef HM_JOURNAL_LOG_FILE_H
#define HM_JOURNAL_LOG_FILE_H

#include <sqlite3.h>
#include <stdint.h>

/* How long the file has to be when `used` bytes of it are: `size` when it is long enough. A log of a few pages is left alone: it
 * costs a quiet bot nothing. */
uint64_t hm_log_file_size(uint64_t used, uint64_t size);

/* Brings the file of db's log there; only for the thread that writes the log, between two commits. pages: how many it holds.
 * known_size: what it returned last, 0 at first; returns the size that it has now, as far as we know (another program may have
 * cut it: then the next commits append, as they would have without this). A disk that has no room for it is not an error here:
 * the next commit will tell. */
uint64_t hm_log_file_extend(sqlite3 *db, uint64_t pages, uint64_t known_size);

#endif
