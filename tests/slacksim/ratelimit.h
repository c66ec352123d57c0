/* Web API rate limits: calls per minute and method by tier, and one chat.postMessage per second and channel with a small burst.
 */
#ifndef SLACKSIM_RATELIMIT_H
#define SLACKSIM_RATELIMIT_H

#include <stdint.h>

struct sim_limits;

struct sim_limits *sim_limits_new(void);
void sim_limits_free(struct sim_limits *l);
void sim_limits_reset(struct sim_limits *l);

enum { SIM_POST_BURST = 5 };

/* May this call pass now? Counts it when it may. per_minute: the tier's figure; scale: the knob rate_scale, 0 = no limits.
 * Returns 0, or the seconds for Retry-After. */
int64_t sim_limits_take(struct sim_limits *l, const char *method, int64_t per_minute, double scale, int64_t now_us);
/* The same for posting to a channel: 1 per second, bursts of SIM_POST_BURST. */
int64_t sim_limits_take_post(struct sim_limits *l, const char *channel, double scale, int64_t now_us);

#endif
