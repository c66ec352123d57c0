/* Mordor, the house's saved queries, of which one tells whether a series still has resources (cookbook: "Deleting a series
 * completely"). The handler is in handlers/registry.c's table. */
#ifndef HM_HANDLERS_MORDOR_H
#define HM_HANDLERS_MORDOR_H

#include "handlers/handler.h"

extern const struct hm_handler hm_mordor_handler;

#endif
