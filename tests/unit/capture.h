/* For tests of code that writes to stderr or ends the process: runs it and looks from outside. */
#ifndef HM_TESTS_UNIT_CAPTURE_H
#define HM_TESTS_UNIT_CAPTURE_H

#include <stddef.h>

/* Calls fn(arg) with stderr going into a file, returns what was written: NUL-terminated, the caller frees. */
char *hm_capture_stderr(void (*fn)(void *arg), void *arg, size_t *ret_len);

/* Calls fn(arg) in a child process. Returns the signal that ended it, or 0 when it came back; ret_text: what it wrote to stderr,
 * the caller frees. */
int hm_capture_death(void (*fn)(void *arg), void *arg, char **ret_text);

#endif
