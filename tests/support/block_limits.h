/* Slack's documented limits, checked on finished JSON: written apart from the builder, so that a mistake there is seen here. */
#ifndef HM_TESTS_SUPPORT_BLOCK_LIMITS_H
#define HM_TESTS_SUPPORT_BLOCK_LIMITS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* False with a sentence in why[size] when Slack would refuse the message (or when it passes our own budget of 10,000). */
bool hm_limits_message(const char *text, const json_t *blocks, char *why, size_t size);
bool hm_limits_view(const json_t *view, char *why, size_t size);

#endif
