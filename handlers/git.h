/* git, read only: what a checkout on the bot's machine is at. sabesp starts jobs from such a checkout (aurora-jobs), so what runs
 * depends on it; recipes show it before they start anything. The backend's `program` is git, its `dir` the checkout. */
#ifndef HM_HANDLERS_GIT_H
#define HM_HANDLERS_GIT_H

#include "handlers/handler.h"

extern const struct hm_handler hm_git_handler;

#endif
