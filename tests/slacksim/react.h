/* Reactions on messages. */
#ifndef SLACKSIM_REACT_H
#define SLACKSIM_REACT_H

#include "state.h"

/* NULL, or already_reacted, no_reaction. */
const char *sim_react_add(struct sim_msg *m, const char *user, const char *name);
const char *sim_react_remove(struct sim_msg *m, const char *user, const char *name);

#endif
