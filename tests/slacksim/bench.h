/* Load: bursts of slash commands, and the closed loop with one outstanding. */
#ifndef SLACKSIM_BENCH_H
#define SLACKSIM_BENCH_H

#include "sim.h"

/* POST /_sim/burst and /_sim/pingpong: answered when all is settled. */
void sim_bench_burst(struct sim *sim, struct sim_req *req, json_t *body);
void sim_bench_pingpong(struct sim *sim, struct sim_req *req, json_t *body);

#endif
