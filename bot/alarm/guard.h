/* The edges of values. A value is a name from a foreign text, and half a name is another name: neither "$(x)-tapir" nor
 * "tapir-copy" must pass as tapir. On the left something must stand: a label with {{sep}}, fixed words, {{begin}}, a look behind,
 * the beginning of a line. `\b` is none of these, since it is found in the middle of "x-tapir" too; nor is what need not be there
 * ("(?:job: )?", " *"), and of alternatives each must be one. Pure. */
#ifndef HM_ALARM_GUARD_H
#define HM_ALARM_GUARD_H

#include <stddef.h>

/* The name of the first named group with nothing, or only \b, to its left: borrowed from pattern, *ret_len bytes. NULL = none.
 * pattern: one that hm_finder_new() takes. */
const char *hm_alarm_unguarded(const char *pattern, size_t *ret_len);

/* The same for the right: the name of the first group behind which, on some way through the pattern, nothing stands; NULL = there
 * is none. What stands there: {{end}} or another look ahead, fixed words, a class, the end of the line. \b is nothing. A value
 * that takes all but something, as [^\n]+ does, or that ends with a mark, as `tapir` in its backticks, ends by itself. */
const char *hm_alarm_open_ended(const char *pattern, size_t *ret_len);

#endif
