/* OpsGenie's alerts, and those of Jira Service Management, which took over its API (docs.opsgenie.com, Alert API v2). */
#ifndef HM_HANDLERS_OPSGENIE_H
#define HM_HANDLERS_OPSGENIE_H

#include "handlers/handler.h"

extern const struct hm_handler hm_opsgenie_handler;

#endif
