/* Ouroboros, which keeps the archives of dataset series (cookbook: "Retracting record series from Ouroboros"). The handler is in
 * handlers/registry.c's table. */
#ifndef HM_HANDLERS_OUROBOROS_H
#define HM_HANDLERS_OUROBOROS_H

#include "handlers/handler.h"

extern const struct hm_handler hm_ouroboros_handler;

#endif
