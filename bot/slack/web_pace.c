/* Pacing as a "theoretical arrival time" (GCRA): see web_pace.h. */
#include "slack/web_pace.h"

#include "base/assert.h"

void hm_pace_init(struct hm_pace *p, unsigned per_min, unsigned burst)
{
    HM_ASSERT(burst >= 1 && per_min > burst);
    unsigned steady = per_min - burst;
    hm_pace_init_interval(p, ((int64_t)60 * 1000 + (int64_t)steady - 1) / (int64_t)steady, burst);
}

void hm_pace_init_interval(struct hm_pace *p, int64_t interval_ms, unsigned burst)
{
    HM_ASSERT(burst >= 1 && interval_ms > 0);
    p->interval_ms = interval_ms;
    p->slack_ms = interval_ms * (int64_t)(burst - 1);
    p->due_ms = INT64_MIN / 2;
}

int64_t hm_pace_wait_ms(const struct hm_pace *p, int64_t now_ms)
{
    int64_t wait_ms = p->due_ms - p->slack_ms - now_ms;
    return wait_ms > 0 ? wait_ms : 0;
}

void hm_pace_take(struct hm_pace *p, int64_t now_ms)
{
    HM_ASSERT(hm_pace_wait_ms(p, now_ms) == 0);
    p->due_ms = (p->due_ms > now_ms ? p->due_ms : now_ms) + p->interval_ms;
}

bool hm_pace_rested(const struct hm_pace *p, int64_t now_ms)
{
    return p->due_ms <= now_ms;
}
