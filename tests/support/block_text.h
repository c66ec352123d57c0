/* Blocks as plain text, for golden files and printed threads: one glance shows what a person would see. */
#ifndef HM_TESTS_SUPPORT_BLOCK_TEXT_H
#define HM_TESTS_SUPPORT_BLOCK_TEXT_H

#include <jansson.h>

/* Header "# …", small text "(…)", preformatted "    | …", buttons "[Approve!]" (! danger, * primary) with their dialogs below,
 * fields of a view "name: label". Caller frees. */
char *hm_block_text(const json_t *blocks);

#endif
