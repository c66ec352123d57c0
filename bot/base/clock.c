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

/* `digits` digits as a number in [min, max]; moves *text behind them. */
static bool take_number(const char **text, size_t digits, int min, int max, int *ret_value)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += digits;
    *ret_value = value;
    return value >= min && value <= max;
}

static bool take_char(const char **text, const char *allowed)
{
    if (**text == '\0' || strchr(allowed, **text) == NULL)
        return false;
    (*text)++;
    return true;
}

/* "14:37:59"; a leap second counts as the one before it. */
static bool take_clock(const char **text, struct tm *tm)
{
    bool ok = take_number(text, 2, 0, 23, &tm->tm_hour) && take_char(text, ":") && take_number(text, 2, 0, 59, &tm->tm_min) &&
              take_char(text, ":") && take_number(text, 2, 0, 60, &tm->tm_sec);
    if (tm->tm_sec == 60)
        tm->tm_sec = 59;
    return ok;
}

/* ".123" or nothing. */
static int take_fraction(const char **text)
{
    int ms = 0, scale = 100;
    if (**text != '.')
        return 0;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, scale /= 10)
        ms += (**text - '0') * scale;
    return ms;
}

/* "Z", "+00:00", "-0300"; in minutes. */
static bool take_offset(const char **text, int *ret_minutes)
{
    int hours = 0, minutes = 0;
    *ret_minutes = 0;
    if (take_char(text, "Z"))
        return true;
    bool west = **text == '-';
    if (!take_char(text, "+-") || !take_number(text, 2, 0, 23, &hours))
        return false;
    (void)take_char(text, ":");
    if (!take_number(text, 2, 0, 59, &minutes))
        return false;
    *ret_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

static bool parse_iso(const char *text, struct tm *tm, int *ret_ms, int *ret_offset)
{
    if (!take_number(&text, 4, 1, 9999, &tm->tm_year) || !take_char(&text, "-") || !take_number(&text, 2, 1, 12, &tm->tm_mon) ||
        !take_char(&text, "-") || !take_number(&text, 2, 1, 31, &tm->tm_mday) || !take_char(&text, "T ") ||
        !take_clock(&text, tm))
        return false;
    tm->tm_mon--;
    *ret_ms = take_fraction(&text);
    return take_offset(&text, ret_offset) && *text == '\0';
}

/* The form that HTTP wants (RFC 9110, 5.6.7); the weekday is not compared. */
static bool parse_http(const char *text, struct tm *tm)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4] = "";
    if (strlen(text) != 29 || text[3] != ',' || text[4] != ' ')
        return false;
    text += 5;
    if (!take_number(&text, 2, 1, 31, &tm->tm_mday) || !take_char(&text, " "))
        return false;
    memcpy(name, text, 3);
    const char *month = strstr(months, name);
    if (month == NULL || (month - months) % 3 != 0)
        return false;
    tm->tm_mon = (int)(month - months) / 3;
    text += 3;
    return take_char(&text, " ") && take_number(&text, 4, 1, 9999, &tm->tm_year) && take_char(&text, " ") &&
           take_clock(&text, tm) && strcmp(text, " GMT") == 0;
}

bool hm_parse_time(const char *text, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    int ms = 0, offset = 0;
    if (!parse_iso(text, &tm, &ms, &offset)) {
        tm = (struct tm){0};
        ms = offset = 0;
        if (!parse_http(text, &tm))
            return false;
    }
    int day = tm.tm_mday;
    tm.tm_year -= 1900;
    time_t seconds = timegm(&tm);
    if (tm.tm_mday != day) /* 31 April became 1 May */
        return false;
    *ret_wall_ms = ((int64_t)seconds - (int64_t)offset * 60) * 1000 + ms;
    return true;
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
