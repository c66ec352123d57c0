/* The table of handlers, and what all of them share. */
#include "handlers/handler.h"

#include <stddef.h>

const struct hm_handler *const hm_handlers[] = {NULL};
