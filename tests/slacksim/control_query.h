/* GET /_sim/…: what can be seen. */
#ifndef SLACKSIM_CONTROL_QUERY_H
#define SLACKSIM_CONTROL_QUERY_H

#include "sim.h"

/* False: no such query. */
bool sim_query_on_request(struct sim *sim, struct sim_req *req, const char *name);

#endif
