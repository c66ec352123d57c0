/* The people: they type commands, click what they see (and what they saw some time ago), fill in dialogs, click twice, delete
 * cards. */
#ifndef HM_SIM_CROWD_H
#define HM_SIM_CROWD_H

#include "model_slack.h"

void sim_crowd_init(void);
void sim_crowd_done(void);

/* A message was posted or edited: its buttons are remembered. */
void crowd_see(const struct message *message);
/* Somebody does something; false when there is nothing to do. */
bool crowd_act(void);
/* Somebody lets everything go on, if it was stopped; false when it was not. */
bool crowd_resume(void);
/* The right people answer what the cards ask, one thing per call. False when there is nothing to answer. */
bool crowd_help(void);

#endif
