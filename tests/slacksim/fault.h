/* Faults of the Web API as the nasty switches ask for them (README, POST /_sim/nasty, "api"). */
#ifndef SLACKSIM_FAULT_H
#define SLACKSIM_FAULT_H

#include "sim.h"

/* Call before anything is done. True: the fault took the request over: answered, dropped, hanging, or slow, and then it comes
 * back through the routes later. */
bool sim_fault_before(struct sim *sim, const char *method, struct sim_req *req);
/* Call when the work is done and the answer about to leave. True: the request was taken over. */
bool sim_fault_after(struct sim *sim, const char *method, struct sim_req *req);

#endif
