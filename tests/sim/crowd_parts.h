/* What crowd.c (who does what) and crowd_send.c (what Slack makes of it) share. */
#ifndef HM_SIM_CROWD_PARTS_H
#define HM_SIM_CROWD_PARTS_H

#include "crowd.h"
#include "sim.h"

struct button {
    char action[40], value[64], channel[16], ts[32];
};

void crowd_type(const char *user, const char *channel, const char *text);
void crowd_click(const char *user, const struct button *button);
/* Fills in the dialog and sends it; drops its view. well: with what is asked for; else perhaps with nonsense. */
void crowd_submit(struct dialog *dialog, bool well);

#endif
