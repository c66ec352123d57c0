/* GitHub: what a file says, what stands between two branches, a pull request (docs.github.com/rest). Reads only: opening and
 * merging stays with people. */
#ifndef HM_HANDLERS_GITHUB_H
#define HM_HANDLERS_GITHUB_H

#include "handlers/handler.h"

extern const struct hm_handler hm_github_handler;

#endif
