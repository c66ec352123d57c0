/* Time and randomness: see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/assert.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    HM_ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t real_wall(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_REALTIME);
}

static int64_t real_mono(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_MONOTONIC);
}

static void real_random(void *arg, void *buf, size_t n)
{
    (void)arg;
    unsigned char *p = buf;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got <= 0)
            continue; /* EINTR: the only failure for the urandom source once the kernel is up */
        p += got;
        n -= (size_t)got;
    }
}

const struct hm_clock *hm_clock_real(void)
{
    static const struct hm_clock real = {real_wall, real_mono, real_random, NULL};
    return &real;
}

int64_t hm_wall_ms(const struct hm_clock *clock)
{
    return clock->wall_ms(clock->arg);
}

int64_t hm_mono_ms(const struct hm_clock *clock)
{
    return clock->mono_ms(clock->arg);
}

/* Returns the milliseconds within the second. */
static int split(int64_t wall_ms, struct tm *ret_tm)
{
    int ms = (int)(wall_ms % 1000);
    time_t seconds = (time_t)(wall_ms / 1000);
    if (ms < 0) { /* before 1970: the second began earlier */
        ms += 1000;
        seconds--;
    }
    *ret_tm = (struct tm){0};
    (void)gmtime_r(&seconds, ret_tm);
    return ms;
}

const char *hm_format_time(int64_t wall_ms, char *buf)
{
    struct tm tm;
    int ms = split(wall_ms, &tm);
    size_t len = strftime(buf, HM_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(buf + len, HM_TIME_MAX - len, ".%03dZ", ms);
    return buf;
}

const char *hm_format_hhmm(int64_t wall_ms, char *buf)
{
    struct tm tm;
    (void)split(wall_ms, &tm);
    (void)strftime(buf, HM_TIME_MAX, "%H:%M UTC", &tm);
    return buf;
}

void hm_random_text(const struct hm_clock *clock, const char *alphabet, char *buf, size_t n)
{
    size_t letters = strlen(alphabet);
    HM_ASSERT(letters > 0 && letters <= 256);
    size_t fair = 256 - 256 % letters; /* bytes from here up would favour the first letters */
    for (size_t i = 0; i < n;) {
        unsigned char byte = 0;
        clock->random_bytes(clock->arg, &byte, 1);
        if (byte < fair)
            buf[i++] = alphabet[byte % letters];
    }
    buf[n] = '\0';
}
