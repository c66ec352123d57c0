/* Amazon S3: looking at objects, and copying one over another inside S3. What is in an object never comes here. */
#ifndef HM_HANDLERS_S3_H
#define HM_HANDLERS_S3_H

#include "handlers/handler.h"

extern const struct hm_action hm_s3_object;
extern const struct hm_action hm_s3_copy;
extern const struct hm_handler hm_s3_handler;

#endif
