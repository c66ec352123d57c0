/* Time and randomness behind a struct, so that a test can own both. The pure rooms never ask: they are handed `now`. */
#ifndef HM_BASE_CLOCK_H
#define HM_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hm_clock {
    int64_t (*wall_ms)(void *arg);                        /* milliseconds since 1970-01-01 UTC; may jump */
    int64_t (*mono_ms)(void *arg);                        /* milliseconds, never goes back; for intervals */
    void (*random_bytes)(void *arg, void *buf, size_t n); /* unpredictable: nonces and ids */
    void *arg;
};

/* The real one: CLOCK_REALTIME, CLOCK_MONOTONIC, getrandom(2). Static; never freed. */
const struct hm_clock *hm_clock_real(void);

int64_t hm_wall_ms(const struct hm_clock *clock);
int64_t hm_mono_ms(const struct hm_clock *clock);

enum { HM_TIME_MAX = 32 };
/* "2026-11-23T01:02:03.456Z" (RFC 3339, UTC) into buf[HM_TIME_MAX]; returns buf. */
const char *hm_format_time(int64_t wall_ms, char *buf);
/* "01:02 UTC" into buf[HM_TIME_MAX]; returns buf. */
const char *hm_format_hhmm(int64_t wall_ms, char *buf);

/* A moment as others write it: "2026-11-22T14:32:33.000Z", with a space for the T, any fraction and an offset ("+00:00", "-0300")
 * instead of the Z; or as HTTP does, "Sun, 22 Nov 2026 14:37:59 GMT". False when it is neither, or no such moment. */
bool hm_parse_time(const char *text, int64_t *ret_wall_ms);

/* n characters out of `alphabet` (at most 256 characters, no bias) and a NUL into buf[n + 1]. */
void hm_random_text(const struct hm_clock *clock, const char *alphabet, char *buf, size_t n);

#endif
