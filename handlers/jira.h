/* Jira: looking for issues by label, and making one (developer.atlassian.com, REST API v3; v2 for Server and Data Center). */
#ifndef HM_HANDLERS_JIRA_H
#define HM_HANDLERS_JIRA_H

#include "handlers/handler.h"

extern const struct hm_handler hm_jira_handler;

#endif
