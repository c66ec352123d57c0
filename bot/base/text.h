/* Text: UTF-8, strict number parsing, identifiers. Everything takes bytes from outside and never trusts them. */
#ifndef HM_BASE_TEXT_H
#define HM_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* True when s[0..len) is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
bool hm_utf8_valid(const char *s, size_t len);
/* Number of Unicode scalar values; malformed bytes count one each. */
size_t hm_utf8_count(const char *s);
/* Length in bytes of the longest prefix of s with at most max_bytes bytes that does not end inside a sequence. */
size_t hm_utf8_prefix(const char *s, size_t max_bytes);
/* The largest index <= at where s may be cut without cutting a sequence in two. s[at] must be readable. */
size_t hm_utf8_boundary(const char *s, size_t at);
/* Length in bytes of the first max_scalars scalar values of s (all of s when it is shorter). */
size_t hm_utf8_take(const char *s, size_t max_scalars);
/* A copy (caller frees) with each malformed byte and each control character but \n and \t replaced by U+FFFD. */
char *hm_utf8_clean(const char *s, size_t len);

/* The whole of s is a decimal number within [min, max]; no sign but a leading '-', no spaces, no "0x". */
bool hm_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret_value);
bool hm_parse_u32(const char *s, uint32_t max, uint32_t *ret_value);

/* "250ms" "2s" "15m" "3h" "1d": a positive whole number with a unit, at most 366 days. Returns milliseconds in ret_ms. */
HM_MUST enum hm_code hm_parse_duration(const char *s, int64_t *ret_ms, struct hm_err *err);
/* "0.4 s", "12 s", "3 min 20 s", "2 h 5 min" into buf, always rounded down; returns buf. */
const char *hm_format_duration(int64_t ms, char *buf, size_t size);

/* 8-4-4-4-12 lower- or upper-case hex digits, nothing else. */
bool hm_is_uuid(const char *s);

/* It begins as the address of a web page does. */
bool hm_is_web_address(const char *s);

bool hm_starts_with(const char *s, const char *prefix);
bool hm_ends_with(const char *s, const char *suffix);
bool hm_streq(const char *a, const char *b); /* NULL-safe: NULL equals NULL only */

/* Bytes of the space at p, 0 when it is none. What phones and pages add counts too: no-break and wide spaces, and those that have
 * no width at all. */
size_t hm_space_len(const char *p);
/* The same text but for the spaces around it. NULL-safe: NULL equals NULL only. */
bool hm_same_trimmed(const char *a, const char *b);

/* `one` when n is 1, else `many`. */
const char *hm_plural(int64_t n, const char *one, const char *many);

/* lines: "Name: value\n" each, as of HTTP headers, or NULL. A copy (caller frees) of the first value under this name, in any
 * case, without the spaces around it; NULL when there is none. */
char *hm_header_line(const char *lines, const char *name);

/* The address of a document's section as most wikis make it of a heading: "https://w/p" and "Retracting in bulk" give
 * "https://w/p#retracting-in-bulk"; an address that holds a '#' already is kept. url NULL gives NULL; caller frees. */
char *hm_section_url(const char *url, const char *heading);

/* Edits from a to b (insert, delete, change, or swap of two neighbours, each 1), bytewise, capitals being no difference; max + 1
 * when it is more than max or a text is longer than 64 bytes. For "did you mean". */
size_t hm_edit_distance(const char *a, const char *b, size_t max);

#endif
