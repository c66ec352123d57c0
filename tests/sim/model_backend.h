/* The backend of the stories and the network before it. It has things, each on or off; a write (POST) turns one off, a read says
 * how it is (the actions are those of tests/support/fake_handler.c).
 *
 * A request is sent, arrives (here the write takes effect, or not), is answered; each of these may come late, go wrong or never
 * happen. A write that the bot has given up, or whose process died, may still arrive: at most SIM_LATE_MS later, which is less
 * than the time between two looks of a probe (decide_answer.c: PROBE_WAIT_MS); a `once` write that can be looked for up to
 * SIM_LATE_ONCE_MS later, which is less than the time it is looked for (handler.h: HM_SETTLE_DEFAULT_MS). A server that is slower
 * than that is outside of what the bot promises. While our machine is suspended, or its clock is set, what was on its way
 * arrives. */
#ifndef HM_SIM_MODEL_BACKEND_H
#define HM_SIM_MODEL_BACKEND_H

#include "handlers/handler.h"
#include "run/state.h"

enum { SIM_LATE_MS = 2500, SIM_LATE_ONCE_MS = HM_SETTLE_DEFAULT_MS - 1000 };

/* What the world knows about one call of a run: one item of an effectful step. */
struct call_record {
    char run_id[32];
    int step, item;
    unsigned sent;    /* requests that left */
    unsigned open;    /* of these, not known by the bot to have done nothing */
    unsigned applied; /* that took effect */
    unsigned on_way;  /* given up by the bot, may still arrive */
    bool proven;      /* a look has settled that none of it took effect: a person may have it sent again */
    bool looked;      /* since the newest request a probe was answered … */
    bool look_saw_it; /* … and it could see that the write had taken effect */
};

void sim_backend_init(void);
void sim_backend_done(void);

/* hm_runner_io.send */
void backend_send(const char *run_id, const struct hm_ticket *ticket, const struct hm_request *req);

size_t backend_waiting(void); /* requests that the bot waits for */
void backend_step(void);      /* something happens to one of them */
void backend_late(bool all);  /* what is on its way and due (or: all of it) arrives */
int64_t backend_next_late_ms(void);
void backend_crash(void); /* the bot died: nobody waits any more */

/* A person has a step's failed calls tried again: the records of once = what was proven to have done nothing, of others = all. */
void backend_again(const char *run_id, int step, bool once);
/* Never NULL: made when it was not there. */
struct call_record *backend_record(const char *run_id, int step, int item);
bool backend_is_off(const char *thing);

#endif
