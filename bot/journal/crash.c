/* Crash points: see crash.h. Without HM_CRASH_POINTS these functions do nothing and the environment is not read. */
#include "journal/crash.h"

#ifdef HM_CRASH_POINTS

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum hm_code hm_crash_init(struct hm_crash *crash, struct hm_err *err)
{
    const char *spec = getenv("HM_CRASH_AT");
    const char *count_file = getenv("HM_CRASH_COUNT_FILE");
    int64_t at = 0;

    *crash = (struct hm_crash){.count_fd = -1};
    if (spec != NULL && spec[0] != '\0') {
        crash->before = hm_starts_with(spec, "before:");
        const char *number = strchr(spec, ':');
        if ((!crash->before && !hm_starts_with(spec, "after:")) || !hm_parse_i64(number + 1, 1, INT64_MAX, &at))
            return hm_err_set(err, HM_EENV, "HM_CRASH_AT is \"%s\"; write before:N or after:N", spec);
        crash->at = (uint64_t)at;
    }
    if (count_file != NULL && count_file[0] != '\0') {
        crash->count_fd = open(count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (crash->count_fd < 0)
            return hm_err_set(err, HM_EENV, "HM_CRASH_COUNT_FILE: cannot write %s: %s", count_file, strerror(errno));
    }
    return HM_OK;
}

void hm_crash_done(struct hm_crash *crash)
{
    if (crash->count_fd >= 0)
        (void)close(crash->count_fd);
    crash->count_fd = -1;
}

void hm_crash_point(const struct hm_crash *crash, const char *when, uint64_t commit)
{
    bool before = when[0] == 'b';
    if (!before && crash->count_fd >= 0) {
        char text[24];
        int len = snprintf(text, sizeof text, "%" PRIu64 "\n", commit);
        ssize_t written = pwrite(crash->count_fd, text, (size_t)len, 0);
        (void)written; /* a test's bookkeeping must not change what the journal does */
    }
    if (crash->at == commit && crash->before == before)
        (void)raise(SIGKILL);
}

#else

enum hm_code hm_crash_init(struct hm_crash *crash, struct hm_err *err)
{
    (void)err;
    *crash = (struct hm_crash){.count_fd = -1};
    return HM_OK;
}

void hm_crash_done(struct hm_crash *crash)
{
    (void)crash;
}

void hm_crash_point(const struct hm_crash *crash, const char *when, uint64_t commit)
{
    (void)crash;
    (void)when;
    (void)commit;
}

#endif
