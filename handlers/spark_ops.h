/* spark_ops.json, the graph of all ops as the integration tests write it (cookbook: "Using `spark_ops.json`"). The handler is in
 * handlers/registry.c's table. */
#ifndef HM_HANDLERS_SPARK_OPS_H
#define HM_HANDLERS_SPARK_OPS_H

#include "handlers/handler.h"

extern const struct hm_handler hm_spark_ops_handler;

#endif
