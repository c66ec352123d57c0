/* Mortician, which keeps the dead letters of all services (cookbook: "Replaying Deadletters"). The handler is in
 * handlers/registry.c's table. */
#ifndef HM_HANDLERS_MORTICIAN_H
#define HM_HANDLERS_MORTICIAN_H

#include "handlers/handler.h"

extern const struct hm_handler hm_mortician_handler;

#endif
