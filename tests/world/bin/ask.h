/* A stand-in for a program asks the world what it does. */
#ifndef HM_WORLD_BIN_ASK_H
#define HM_WORLD_BIN_ASK_H

/* Appends the call to the file "calls" of the folder: {"argv", "env": names, "dir", "pid"}. False when it can not. */
#include <stdbool.h>

bool ask_note(const char *folder, char **argv);
/* Posts argv to $WORLD_URL/programs/NAME, prints what comes back; the exit status. 96: the world did not answer. */
int ask_world(const char *url, const char *name, char **argv);

#endif
