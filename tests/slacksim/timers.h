/* One-shot timers: a heap of deadlines over one uv_timer. Millions may come and go; a callback may add and cancel others. */
#ifndef SLACKSIM_TIMERS_H
#define SLACKSIM_TIMERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct sim_timers;

/* on_turn_end(arg) runs after each batch of callbacks. */
struct sim_timers *sim_timers_new(uv_loop_t *loop, void (*on_turn_end)(void *arg), void *arg);
/* Forgets all that is pending and closes the uv handle; the memory goes when the loop has turned. */
void sim_timers_free(struct sim_timers *timers);

/* Calls fn(arg) once in `delay_ms` (0: in the next turn). Returns an id, never 0. */
uint64_t sim_timers_add(struct sim_timers *timers, int64_t delay_ms, void (*fn)(void *arg), void *arg);
/* The same for an arg that the timer owns: when the timers are freed before it fired, drop(arg) is called instead. */
uint64_t sim_timers_add_owned(struct sim_timers *timers, int64_t delay_ms, void (*fn)(void *arg), void (*drop)(void *arg),
                              void *arg);
/* Cancels; an id that fired, was cancelled or is 0 is fine. Sets *id to 0. */
void sim_timers_cancel(struct sim_timers *timers, uint64_t *id);

/* Monotonic time in microseconds: the one clock of all intervals here. */
int64_t sim_now_us(void);

#endif
