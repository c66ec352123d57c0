/* Time. Three clocks: `mono` is the machine's own and only goes on; `true` is everybody else's and also goes on while our machine
 * is suspended; our `wall` clock is the true time and a little wrong. Slack and the backend live in true time. */
#ifndef HM_SIM_MODEL_TIME_H
#define HM_SIM_MODEL_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"

/* Our wall clock is never more wrong than this. */
enum { SIM_CLOCK_MS = 3000 };

void sim_time_init(void);
void sim_time_done(void);

int64_t sim_mono_ms(void);
int64_t sim_true_ms(void);
int64_t sim_wall_ms(void);
/* "12.345 s" since the story began; static buffer. */
const char *sim_time_text(void);

/* The clock that the bot gets, and its loop (only there to be pointed to). */
const struct hm_clock *sim_clock(void);
uv_loop_t *sim_loop(void);

void sim_time_pass(int64_t ms);
void sim_time_suspend(int64_t ms);
/* Our wall clock is wrong by so much from now on. */
void sim_time_skew(int64_t ms);

/* Timers of the bot. When the next one is due (mono), INT64_MAX = never. */
int64_t sim_timer_next_ms(void);
/* Fires one of those that are due; false when none is. */
bool sim_timer_fire(void);

#endif
