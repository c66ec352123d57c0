/* Amazon CloudWatch: whether a DynamoDB table is throttled. */
#ifndef HM_HANDLERS_CLOUDWATCH_H
#define HM_HANDLERS_CLOUDWATCH_H

#include "handlers/handler.h"

extern const struct hm_action hm_cloudwatch_table_load;
extern const struct hm_handler hm_cloudwatch_handler;

#endif
