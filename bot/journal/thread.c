/* Threads: see thread.h. */
#include "journal/thread.h"

#include <pthread.h>
#include <signal.h>

int hm_thread_start(uv_thread_t *thread, const char *name, void (*run)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread begins with its maker's mask */
    int rc = uv_thread_create(thread, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(*thread, name); /* seen in top and gdb; nothing depends on it */
    return rc;
}
