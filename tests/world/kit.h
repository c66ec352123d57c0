/* What the stand-ins have in common: passwords, forms, queries, times. */
#ifndef HM_WORLD_KIT_H
#define HM_WORLD_KIT_H

#include "world.h"

/* config.bearer is NULL or the request has it. Else answers 401 and returns false. */
bool hm_kit_authorized(const json_t *config, const struct hm_world_request *req, struct hm_world_answer *ans);

/* "a=b&c=%20d" (a form's body or a query) as an object of texts; a name that is there twice keeps its last value. New reference;
 * NULL when an escape is none. */
HM_MUST json_t *hm_kit_form_new(const char *text, size_t len);

/* 2026-11-28T03:00:00[.mmm]Z or +00:00 in milliseconds; -1 when it is no such time. */
int64_t hm_kit_time_ms(const char *text);

/* {"error": message} with a status. */
void hm_kit_refuse(struct hm_world_answer *ans, int status, const char *message);

#endif
