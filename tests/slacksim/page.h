/* The page: files of page/ read from the disk at each request, so that it can be worked on while the simulator runs. */
#ifndef SLACKSIM_PAGE_H
#define SLACKSIM_PAGE_H

#include "sim.h"

void sim_page_on_request(struct sim *sim, struct sim_req *req);

#endif
