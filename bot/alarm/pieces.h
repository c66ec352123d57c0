/* The pieces of a pattern: where one ends and the next begins, so that it can be read, or cut. Pure; patterns are ones that
 * hm_finder_new() takes once their macros are replaced. */
#ifndef HM_ALARM_PIECES_H
#define HM_ALARM_PIECES_H

#include <stdbool.h>
#include <stddef.h>

/* Behind a class that begins at p with [. */
const char *hm_alarm_skip_class(const char *p);
/* Behind the escape that begins at p: "\s", "\x20", "\p{L}". */
const char *hm_alarm_skip_escape(const char *p);
/* The bytes of the quantifier at p; 0 = it is none. *ret_none: it takes "not at all", too. */
size_t hm_alarm_quantifier(const char *p, bool *ret_none);
/* Behind the piece that begins at p, with its quantifier: a macro, a group, a class, an escape, words; "|" is a piece of its own.
 */
const char *hm_alarm_skip_piece(const char *p);

#endif
