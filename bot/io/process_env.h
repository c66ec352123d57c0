/* The environment of a child process: built up from nothing, so that none of ours leaks into it. */
#ifndef HM_IO_PROCESS_ENV_H
#define HM_IO_PROCESS_ENV_H

#include <stdbool.h>

/* PATH, HOME and LANG of this process (or plain values for those that are not set). NULL-terminated list of "NAME=value". */
char **hm_process_env_new(void);
/* Sets or replaces one; the list may move. name must be hm_process_env_name_ok(). */
void hm_process_env_set(char ***env, const char *name, const char *value);
/* Wipes, then frees. NULL is fine. */
void hm_process_env_free(char **env);

/* Letters, digits and _, no digit first, at most 100 characters. */
bool hm_process_env_name_ok(const char *name);

#endif
