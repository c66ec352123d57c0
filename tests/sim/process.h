/* The bot as one process: born from the journal, killed at any moment. The real parts, put together as app/bot.c does it. */
#ifndef HM_SIM_PROCESS_H
#define HM_SIM_PROCESS_H

#include "app/intake.h"
#include "run/runner.h"
#include "view/card.h"

/* Starts it: reads the journal, restores cards, runs and open envelopes. */
void process_start(void);
/* Dead, now. What it had not committed is lost; what it had sent is on its way or not. */
void process_kill(void);
/* The configuration sim->config is loaded in place of the present one. */
void process_reload(void);

/* Not all runs are read yet. */
bool process_restoring(void);
struct hm_runner *process_runner(void);
struct hm_intake *process_intake(void);
/* Counts the lives of the bot; 1 = the first. */
unsigned process_life(void);
/* Everything is stopped just now, also when that could not be stored. */
bool process_is_held(void);
/* Who stopped everything, as the cards show it. */
struct hm_card_around process_around(void);
/* Visits what the process holds in memory. */
void process_each_run(void (*visit)(void *arg, const struct hm_run *run), void *arg);

/* Slack can reach the bot. Without alarms in the story: whenever it runs. */
bool process_is_connected(void);
void process_connect(bool connected);

#endif
