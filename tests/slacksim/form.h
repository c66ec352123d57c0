/* application/x-www-form-urlencoded, and the small decoding helpers around it. Pure. */
#ifndef SLACKSIM_FORM_H
#define SLACKSIM_FORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* -1 for what is no hex digit. */
int sim_hex_digit(char c);
/* %XX (and '+' when plus) decoded; the caller frees. Malformed escapes stay as they are. */
char *sim_form_decode(const char *s, size_t len, bool plus);
/* "a=1&b=2" -> object of strings; of equal keys the last counts. */
json_t *sim_form_parse_new(const char *text);
/* Appends s escaped for a query value. */
void sim_form_encode(struct hm_strbuf *b, const char *s);

#endif
