/* What the stand-ins of AWS have in common: signatures checked, times as HTTP writes them, XML written. */
#ifndef HM_WORLD_AWS_H
#define HM_WORLD_AWS_H

#include "base/strbuf.h"
#include "world.h"

/* NULL when the request is signed for this service with the keys of config ("access_key", "secret_key", "session_token" or null,
 * "region"), all of it that has to be, within 15 minutes; or when config has no access_key. Else AWS' code for what is wrong. */
const char *hm_world_aws_check(struct hm_world *world, const json_t *config, const char *service,
                               const struct hm_world_request *req);

/* "Sun, 22 Nov 2026 14:37:59 GMT"; the caller frees. */
char *hm_world_http_date(int64_t ms);

/* text with &, < and > escaped. */
void hm_world_xml_text(struct hm_strbuf *out, const char *text);
/* Answers with XML; takes what is in out. */
void hm_world_answer_xml(struct hm_world_answer *ans, int status, struct hm_strbuf *out);

/* DynamoDB's side of CloudWatch: units a second that were asked for and provided at a moment, of a table or (index not "") of one
 * of its indexes. False when there is none. */
struct hm_world_load {
    double asked_read, asked_write, read, write;
};
bool hm_world_table_load(struct hm_world *world, const char *table, const char *index, int64_t at_ms, struct hm_world_load *ret);

#endif
