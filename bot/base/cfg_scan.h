/* A first look at a libconfig text, before the library sees it: what the library would wrap, follow or swallow.
 *
 * It cuts the text exactly as libconfig's own scanner does (strings, comments, names, numbers by longest match), so it can not
 * miss a number that the parser will take; the grammar is cfg_syntax.c's. Findings go to the diags. */
#ifndef HM_BASE_CFG_SCAN_H
#define HM_BASE_CFG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* The lines on which string values begin, in the order of the text; adjacent strings, which libconfig joins, count once. */
struct hm_cfg_lines {
    int *items;
    size_t count;
};

/* text: NUL-terminated. False when it must not be parsed. lines: initialised {0} by the caller, who frees lines->items. */
bool hm_cfg_scan(const char *file, const char *text, size_t len, size_t max_depth, struct hm_cfg_lines *lines,
                 struct hm_diags *diags);

#endif
