/* A container registry (the OCI distribution API, "Docker registry v2"): which tags an image has. */
#ifndef HM_HANDLERS_CONTAINER_REGISTRY_H
#define HM_HANDLERS_CONTAINER_REGISTRY_H

#include "handlers/handler.h"

extern const struct hm_handler hm_container_registry_handler;

#endif
