/* One call of a CLI backend: its environment, made when it starts; its secrets, kept out of what it prints; the end of its
 * output, for the card. Happy path and failure modes are those of io/process.h. */
#ifndef HM_APP_PROGRAMS_H
#define HM_APP_PROGRAMS_H

#include "handlers/handler.h"
#include "io/process.h"

/* How a request to a backend is sent and what is told about it. */
struct hm_send {
    int64_t timeout_ms;      /* 0 = the backend's */
    bool read;               /* it changes nothing: may leave once more when its access token was refused */
    hm_http_done_fn on_done; /* exactly once, never before the send has returned */
    /* ARGV: the last whole lines that the program wrote so far, plain text, whenever there are more; NULL = not wanted. Never
     * after on_done. */
    void (*on_tail)(void *arg, const char *text);
    void *arg;
};

/* A request that is none for a program, or a backend that has none (any more), ends with NOT_SENT. dir: what secret files are
 * relative to; borrowed, like backend, until on_done. */
void hm_program_run(struct hm_processes *processes, const struct hm_backend *backend, const char *dir,
                    const struct hm_request *req, const struct hm_send *send);

#endif
