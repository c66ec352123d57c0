/* One timer that a test fires by hand, in the place of base's: link fake_timer.c into a program that has a single one. */
#ifndef HM_TEST_FAKE_TIMER_H
#define HM_TEST_FAKE_TIMER_H

#include <stdbool.h>

bool hm_fake_timer_is_on(void);
/* Its time is over; false when it does not run. */
bool hm_fake_timer_fire(void);

#endif
