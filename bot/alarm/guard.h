/* The left edge of values. A value is a name from a foreign text, and half a name is another name: "$(x)-tapir" must not pass as
 * tapir. On the right {{end}} sees to that; on the left something must stand: a label with {{sep}}, fixed words, {{begin}}, a
 * look behind, the beginning of a line. `\b` is none of these, since it is found in the middle of "x-tapir" too; nor is what
 * need not be there ("(?:job: )?", " *"), and of alternatives each must be one. Pure. */
#ifndef HM_ALARM_GUARD_H
#define HM_ALARM_GUARD_H

#include <stddef.h>

/* The name of the first named group with nothing, or only \b, to its left: borrowed from pattern, *ret_len bytes. NULL = none.
 * pattern: one that hm_finder_new() takes. */
const char *hm_alarm_unguarded(const char *pattern, size_t *ret_len);

#endif
