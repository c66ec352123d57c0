/* Starting the journal's threads. */
#ifndef HM_JOURNAL_THREAD_H
#define HM_JOURNAL_THREAD_H

#include <uv.h>

/* As uv_thread_create(), with all signals blocked in the new thread: signals are the loop's, and a SIGXFSZ that is not delivered
 * makes a write over RLIMIT_FSIZE an error (EFBIG), like a full disk, instead of the process's end. */
int hm_thread_start(uv_thread_t *thread, const char *name, void (*run)(void *arg), void *arg);

#endif
