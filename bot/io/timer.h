/* A one-shot timer on the uv loop that may be freed at any moment, also from its own callback: libuv wants its handles alive
 * until their close callback has run, so the memory goes then, not in hm_timer_free(). */
#ifndef HM_IO_TIMER_H
#define HM_IO_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct hm_timer;

/* fn runs on the loop's thread, never inside hm_timer_start(). Never NULL. */
struct hm_timer *hm_timer_new(uv_loop_t *loop, void (*fn)(void *arg), void *arg);
/* Fires once, after_ms from now (0 or less: in the loop's next turn, after it has looked at its sockets if it is started
 * in a callback of its own); a timer already running starts anew. */
void hm_timer_start(struct hm_timer *timer, int64_t after_ms);
/* fn does not run any more, unless started again. */
void hm_timer_stop(struct hm_timer *timer);
bool hm_timer_active(const struct hm_timer *timer);
/* Stops it; the memory goes in the loop's next turn (run the loop once more before uv_loop_close()). NULL is fine. */
void hm_timer_free(struct hm_timer *timer);

#endif
