/* Amazon DynamoDB: looking at tables, and raising what they are provisioned with. */
#ifndef HM_HANDLERS_DYNAMODB_H
#define HM_HANDLERS_DYNAMODB_H

#include "handlers/aws.h"

extern const struct hm_action hm_dynamodb_table;
extern const struct hm_action hm_dynamodb_capacity;
extern const struct hm_action hm_dynamodb_set_capacity;
extern const struct hm_handler hm_dynamodb_handler;

/* What the files of this handler share: names of tables and indexes; a request of the JSON protocol; an answer as an object, its
 * errors judged ("write": an UpdateTable). */
bool hm_dynamodb_name_ok(const char *name);
void hm_dynamodb_begin(struct hm_request *req, const struct hm_backend *backend, const char *operation, json_t *stolen_body);
enum hm_verdict hm_dynamodb_read(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                                 struct hm_outcome *out);
/* The table or one of its indexes ("" = the table itself) out of a TableDescription; NULL when there is no such index. Borrowed.
 */
const json_t *hm_dynamodb_part(const json_t *table, const char *index);

#endif
