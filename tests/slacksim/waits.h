/* Long polls of tests and live updates of pages: both look again when something has changed. */
#ifndef SLACKSIM_WAITS_H
#define SLACKSIM_WAITS_H

#include "sim.h"

struct sim_waits *sim_waits_new(struct sim *sim);
void sim_waits_free(struct sim_waits *w);
/* GET /_sim/wait */
void sim_waits_on_request(struct sim_waits *w, struct sim_req *req);
/* GET /_sim/events: server-sent events "change" (something did) and "toast" (for one user). */
void sim_waits_stream(struct sim_waits *w, struct sim_req *req);
void sim_waits_toast(struct sim *sim, const char *user, const char *text);
/* At the end of each turn. */
void sim_waits_turn_end(struct sim_waits *w);

#endif
