/* The table of handlers: one line per backend system. */
#include <stddef.h>

#include "handlers/handler.h"
#include "handlers/metapod.h"
#include "handlers/nu.h"

const struct hm_handler *const hm_handlers[] = {
    &hm_metapod_handler,
    &hm_nu_handler,
    NULL,
};
