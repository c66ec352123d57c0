/* Pacing: "n per minute, and a small burst", as one number. Pure; the caller brings the time.
 *
 * The promise kept is the strict one: in no window of 60 s do more than per_min calls start, the burst included. So the steady
 * rate is (per_min - burst) per minute, and what is not used fills the burst up again. */
#ifndef HM_SLACK_WEB_PACE_H
#define HM_SLACK_WEB_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct hm_pace {
    int64_t interval_ms; /* between calls once the burst is used up */
    int64_t slack_ms;    /* how far ahead of the steady rate a burst may run */
    int64_t due_ms;      /* when the steady rate would come to the next call */
};

/* per_min > burst >= 1. */
void hm_pace_init(struct hm_pace *p, unsigned per_min, unsigned burst);
/* One per interval_ms, `burst` of them at once after a pause. */
void hm_pace_init_interval(struct hm_pace *p, int64_t interval_ms, unsigned burst);
/* Milliseconds until a call may start; 0 = now. */
int64_t hm_pace_wait_ms(const struct hm_pace *p, int64_t now_ms);
/* A call starts now; only when hm_pace_wait_ms() says 0. */
void hm_pace_take(struct hm_pace *p, int64_t now_ms);
/* Nothing has been taken for so long that p is as new. */
bool hm_pace_rested(const struct hm_pace *p, int64_t now_ms);

#endif
