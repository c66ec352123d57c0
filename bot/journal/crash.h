/* Crash points: ways to die exactly before or after the N-th commit, for tests that prove what survives.
 *
 * From the environment, only where HM_CRASH_POINTS is defined (debug and sanitizer builds):
 *   HM_CRASH_AT=before:7 | after:7   SIGKILL to the own process around the 7th commit since the journal was opened
 *   HM_CRASH_COUNT_FILE=path         holds the number of commits so far, rewritten after each one: a sweep reads there how many
 *                                    points a story has
 * Commits are those of batches; making or migrating the tables at open does not count. */
#ifndef HM_JOURNAL_CRASH_H
#define HM_JOURNAL_CRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct hm_crash {
    bool before;  /* else after */
    uint64_t at;  /* 0 = never */
    int count_fd; /* -1 = none */
};

/* Reads the environment (on the loop thread, at open). HM_EENV when a variable is malformed or the file can not be made. */
HM_MUST enum hm_code hm_crash_init(struct hm_crash *crash, struct hm_err *err);
void hm_crash_done(struct hm_crash *crash);
/* On the journal's thread. when: "before" or "after". */
void hm_crash_point(const struct hm_crash *crash, const char *when, uint64_t commit);

#endif
