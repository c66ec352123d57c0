/* Child processes: what a CLI action runs. An argv vector, never a shell.
 *
 * A child gets: a session and process group of its own, /dev/null as input, two pipes as output and errors, the environment it is
 * handed and nothing else; no other descriptor of ours (everything else is close-on-exec). What it leaves behind in its group
 * when it ends is killed, so that no step of a run outlives its end.
 *
 * Happy path: hm_process_start() → its turn comes → spawned → exits → on_done with HM_TRANSPORT_ANSWER, status = exit status (128
 * + signal when a signal ended it), body = what it wrote, errors = the end of its stderr. Failure modes: no such program, not
 * executable, no environment, queue full → HM_TRANSPORT_NOT_SENT: proven, it never ran time-out  → TERM to the group, KILL after
 * the grace time     → HM_TRANSPORT_TIMEOUT cancelled → the same                                        → HM_TRANSPORT_BROKEN
 * (NOT_SENT when it had not begun) floods    → only the end of the output is kept; the cut is marked, so that nobody takes it for
 * the whole Contract of every child: on_done exactly once, never before hm_process_start() has returned, also after a cancel and
 * at the end. */
#ifndef HM_IO_PROCESS_H
#define HM_IO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/http_client.h"

struct hm_processes; /* the children of one loop */
struct hm_process;   /* one of them, from its start to the end of its on_done */

struct hm_process_opts {
    char *const *argv;  /* NULL-terminated, copied; argv[0] is an absolute path */
    const char *dir;    /* working directory; NULL = / */
    int64_t timeout_ms; /* from the program's start; 0 = 60 s */
    int64_t grace_ms;   /* between TERM and KILL; 0 = 5 s */
    size_t max_output;  /* bytes of stdout that are kept; 0 = 1 MiB */
    size_t max_errors;  /* bytes of stderr that are kept; 0 = 16 KiB */
    /* The whole environment (process_env.h), asked right before the program starts, so that a rotated secret is used at once;
     * freed with hm_process_env_free(). NULL with err set: nothing is started. A NULL function: hm_process_env_new() alone. */
    char **(*env)(void *env_arg, struct hm_err *err);
    void *env_arg;
    /* What the child writes, as it comes; may be NULL. Never after on_done. */
    void (*on_output)(void *arg, bool is_errors, const char *data, size_t len);
    hm_http_done_fn on_done; /* the same result as of an HTTP request; content_type and location are "" */
    void *arg;
};

/* max_running: further children wait for their turn. Never NULL. */
struct hm_processes *hm_processes_new(uv_loop_t *loop, const struct hm_clock *clock, unsigned max_running);
/* Stops all children, with at most a second of grace; on_closed runs, once, when the last is gone; then hm_processes_free(). */
void hm_processes_close(struct hm_processes *all, void (*on_closed)(void *arg), void *arg);
void hm_processes_free(struct hm_processes *all);
/* How many run or wait. */
size_t hm_processes_count(const struct hm_processes *all);

/* Never NULL. The pointer is good until on_done returns. */
struct hm_process *hm_process_start(struct hm_processes *all, const struct hm_process_opts *opts);
/* on_done follows later in the same way as for any other end. */
void hm_process_cancel(struct hm_process *process);

#endif
