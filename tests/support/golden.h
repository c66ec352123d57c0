/* Golden files: what a text looked like when somebody last looked at it and found it right.
 *
 * HM_UPDATE_GOLDEN=1 in the environment writes them anew instead of comparing; look at the diff before committing. */
#ifndef HM_TESTS_SUPPORT_GOLDEN_H
#define HM_TESTS_SUPPORT_GOLDEN_H

#include <stdbool.h>

/* Compares text with tests/golden/<name>. False (with both texts' first different line on stderr) when they differ. */
bool hm_golden_matches(const char *name, const char *text);

#endif
