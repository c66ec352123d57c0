/* nu, the house command line (cookbook: `nu cache …`, `nu ser …`). The handler is in handlers/registry.c's table. */
#ifndef HM_HANDLERS_NU_H
#define HM_HANDLERS_NU_H

#include "handlers/handler.h"

extern const struct hm_handler hm_nu_handler;

#endif
