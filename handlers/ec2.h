/* Amazon EC2: looking at machines. Nothing here starts or ends one. */
#ifndef HM_HANDLERS_EC2_H
#define HM_HANDLERS_EC2_H

#include "handlers/handler.h"

extern const struct hm_action hm_ec2_instances;
extern const struct hm_handler hm_ec2_handler;

#endif
