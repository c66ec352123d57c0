/* A window of the last minute per method (times of its calls in a ring), a token bucket per channel. */
#include "ratelimit.h"

#include <stdlib.h>

#include "base/mem.h"
#include "strmap.h"

enum { WINDOW_US = 60000000, SECOND_US = 1000000 };

struct window {
    int64_t *times;
    size_t nr, cap; /* times[0..nr) ascending */
};

struct bucket {
    double tokens;
    int64_t at_us;
};

struct sim_limits {
    struct sim_strmap *windows, *buckets;
};

struct sim_limits *sim_limits_new(void)
{
    struct sim_limits *l = hm_xcalloc(1, sizeof(*l));

    l->windows = sim_strmap_new();
    l->buckets = sim_strmap_new();
    return l;
}

static void free_window(const char *key, void *value, void *arg)
{
    struct window *w = value;

    (void)key;
    (void)arg;
    free(w->times);
    free(w);
}

static void free_bucket(const char *key, void *value, void *arg)
{
    (void)key;
    (void)arg;
    free(value);
}

static void clear(struct sim_limits *l)
{
    sim_strmap_each(l->windows, free_window, NULL);
    sim_strmap_each(l->buckets, free_bucket, NULL);
    sim_strmap_free(l->windows);
    sim_strmap_free(l->buckets);
}

void sim_limits_free(struct sim_limits *l)
{
    if (l != NULL) {
        clear(l);
        free(l);
    }
}

void sim_limits_reset(struct sim_limits *l)
{
    clear(l);
    l->windows = sim_strmap_new();
    l->buckets = sim_strmap_new();
}

static int64_t seconds_up(int64_t us)
{
    return us <= 0 ? 1 : (us + SECOND_US - 1) / SECOND_US;
}

int64_t sim_limits_take(struct sim_limits *l, const char *method, int64_t per_minute, double scale, int64_t now_us)
{
    struct window *w = sim_strmap_get(l->windows, method);
    size_t most = (size_t)((double)per_minute * scale);
    size_t old = 0;
    size_t i = 0;

    if (scale <= 0) {
        return 0;
    }
    if (w == NULL) {
        w = hm_xcalloc(1, sizeof(*w));
        sim_strmap_set(l->windows, method, w);
    }
    while (old < w->nr && w->times[old] <= now_us - WINDOW_US) {
        old++;
    }
    for (i = old; old > 0 && i < w->nr; i++) {
        w->times[i - old] = w->times[i];
    }
    w->nr -= old;
    if (w->nr >= most && w->nr > 0) {
        return seconds_up(w->times[0] + WINDOW_US - now_us);
    }
    if (w->nr == w->cap) {
        w->cap = w->cap == 0 ? 64 : w->cap * 2;
        w->times = hm_xreallocarray(w->times, w->cap, sizeof(*w->times));
    }
    w->times[w->nr++] = now_us;
    return 0;
}

int64_t sim_limits_take_post(struct sim_limits *l, const char *channel, double scale, int64_t now_us)
{
    struct bucket *b = sim_strmap_get(l->buckets, channel);

    if (scale <= 0) {
        return 0;
    }
    if (b == NULL) {
        b = hm_xcalloc(1, sizeof(*b));
        b->tokens = SIM_POST_BURST;
        b->at_us = now_us;
        sim_strmap_set(l->buckets, channel, b);
    }
    b->tokens += (double)(now_us - b->at_us) * scale / SECOND_US;
    b->at_us = now_us;
    if (b->tokens > SIM_POST_BURST) {
        b->tokens = SIM_POST_BURST;
    }
    if (b->tokens < 1) {
        return 1;
    }
    b->tokens -= 1;
    return 0;
}
