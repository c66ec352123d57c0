/* Prometheus, or Thanos in front of many of them: what was measured (cookbook: "Checks before old prod-stack teardown"). The
 * handler is in handlers/registry.c's table. */
#ifndef HM_HANDLERS_PROMETHEUS_H
#define HM_HANDLERS_PROMETHEUS_H

#include "handlers/handler.h"

extern const struct hm_handler hm_prometheus_handler;

#endif
