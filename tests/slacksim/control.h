/* Everything under /_sim/ (README.md). */
#ifndef SLACKSIM_CONTROL_H
#define SLACKSIM_CONTROL_H

#include "sim.h"

void sim_control_on_request(struct sim *sim, struct sim_req *req);

#endif
