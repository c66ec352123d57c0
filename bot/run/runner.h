/* The runner: keeps the runs that are going, feeds decide, and performs what it decided once that is committed.
 *
 * Per run there is at most one commit under way; inputs that come meanwhile wait and are decided together afterwards. So the
 * state in memory, whenever somebody looks at it, is exactly what the journal says, and nothing is sent or shown before it is
 * written. Happy path: input → decide/fold until nothing new → commit → send what CALL_STARTED says, answer clicks, show.
 * Failure: a commit that fails is undone by folding the run anew from the journal; clicks are told, lost answers are treated like
 * those of a restart.
 *
 * Runs that wait for a person are not kept in memory when there are many: they are read from the journal again (io.load) when
 * anything comes for them.
 *
 * All I/O goes through struct hm_runner_io, so that the simulation and the tests own it. */
#ifndef HM_RUN_RUNNER_H
#define HM_RUN_RUNNER_H

#include "run/decide.h"
#include "run/fold.h"

struct hm_runner;

/* What has to be written, as one atomic batch. Borrowed by commit(). */
struct hm_commit {
    const char *run_id;
    int64_t first_seq; /* of events[0]; 1 = the run begins */
    const struct hm_events *events;
    const struct hm_run *run;       /* as it is after the events */
    const struct hm_recipe *recipe; /* its text must be kept too; NULL = is kept already */
    int64_t inbox_id;               /* this envelope's outcome is the run; 0 = none */
};

struct hm_runner_io {
    /* Writes; later hm_runner_committed(runner, token, …), exactly once, never before this returns. */
    void (*commit)(void *arg, const struct hm_commit *commit, void *token);
    /* Sends a request of the run; later hm_runner_answer(), exactly once, never before this returns. The request is borrowed. */
    void (*send)(void *arg, const char *run_id, const struct hm_ticket *ticket, const struct hm_backend *backend,
                 const struct hm_request *req, int64_t timeout_ms);
    /* The run's committed state changed: show it. */
    void (*changed)(void *arg, const struct hm_run *run);
    /* hm_runner_time() is wanted once, at this wall-clock time; replaces the one asked for before; INT64_MAX = never. */
    void (*wake)(void *arg, int64_t at_ms);
    /* Reads a run's events in order, calling visit for each; HM_ENOTFOUND when there is none. Blocking. */
    enum hm_code (*load)(void *arg, const char *run_id, bool (*visit)(void *visit_arg, const struct hm_event *event),
                         void *visit_arg, struct hm_err *err);
    /* Fills the environment for a run of this recipe at this moment. */
    void (*env)(void *arg, const char *recipe, struct hm_run_env *ret_env);
    hm_recipe_by_sha_fn recipe_by_sha;
    void *arg;
};

struct hm_runner *hm_runner_new(const struct hm_runner_io *io);
/* How many runs are kept in memory although they only wait for people; 64 unless told. */
void hm_runner_keep(struct hm_runner *runner, unsigned awake_max);
/* Forgets all runs (they are in the journal). No callback comes afterwards. */
void hm_runner_free(struct hm_runner *runner);

/* Told once the outcome is committed (or could not be). run_id is "" unless code is HM_OK. */
typedef void (*hm_started_fn)(void *arg, enum hm_code code, const char *run_id, const char *problem);

/* Begins a run; order->run_id is chosen here and ignored. When another run holds its lock it waits, durably, and goes on by
 * itself when it is its turn (order of arrival). HM_EINVAL, HM_EBUG; then on_started does not come. */
HM_MUST enum hm_code hm_runner_start(struct hm_runner *runner, const struct hm_run_order *order, int64_t inbox_id,
                                     hm_started_fn on_started, void *arg, struct hm_err *err);

typedef void (*hm_reply_fn)(void *arg, const struct hm_reply *reply, const struct hm_run *run);
/* A person's input (strings are copied). on_reply exactly once, after what it says is committed; run is NULL (and the kind
 * HM_REPLY_STALE) when there is no such run. May be called back before this returns when nothing had to be written. */
void hm_runner_click(struct hm_runner *runner, const char *run_id, const struct hm_input *in, hm_reply_fn on_reply, void *arg);

/* What such an input would be answered with now; nothing is decided. For asking before somebody fills in a form. False when there
 * is no such run at work. */
bool hm_runner_try(struct hm_runner *runner, const char *run_id, const struct hm_input *in, struct hm_reply *ret_reply);

/* The shell's results. answer is borrowed. */
void hm_runner_answer(struct hm_runner *runner, const char *run_id, const struct hm_ticket *ticket,
                      const struct hm_answer *answer, int64_t duration_ms);
void hm_runner_committed(struct hm_runner *runner, void *token, enum hm_code code, const char *problem);
void hm_runner_time(struct hm_runner *runner, int64_t now_ms);
/* Recipes, backends or roles were loaded anew. */
void hm_runner_changed(struct hm_runner *runner);

/* "Stop all" and "resume": while held, nothing that changes anything is started; what is under way comes to its end, reads and
 * people's answers go on. The caller keeps it durable, and sets it again before hm_runner_restored(). */
void hm_runner_hold(struct hm_runner *runner, bool held);
/* What is true for all runs looks different now: each is shown anew, those at rest when they wake. */
void hm_runner_show_all(struct hm_runner *runner);

/* At start: reads an open run from the journal (io.load) and shows it. HM_EIO: it can not be read, and is not there. A run that
 * does not fold is stopped for safety. Then, when all are there, hm_runner_restored() settles what was
 * under way. In between nothing may be started or clicked, for it is not known yet who holds which lock; time and configuration
 * may change. */
HM_MUST enum hm_code hm_runner_restore(struct hm_runner *runner, const char *run_id, struct hm_err *err);
void hm_runner_restored(struct hm_runner *runner);

/* NULL when there is none going with this id, or not with a first committed event. Borrowed until the runner is told anything. */
const struct hm_run *hm_runner_find(struct hm_runner *runner, const char *run_id);
/* The same, as the journal has it: NULL also while something of it is being committed. io.changed comes after that. */
const struct hm_run *hm_runner_find_stored(struct hm_runner *runner, const char *run_id);
/* While something of a run is being committed, memory is ahead of the journal. */
bool hm_runner_committing(struct hm_runner *runner, const char *run_id);
/* Shows the run, also one that is over (it is read from the journal then, blocking). False when there is none. run is valid
 * during the visit; it may be ahead of the journal, see hm_runner_committing(). */
bool hm_runner_visit(struct hm_runner *runner, const char *run_id, void (*visit)(void *arg, const struct hm_run *run), void *arg);
/* True when what the journal holds of the run can not be read, and will not be: no matter of a disk that fails or of a commit
 * that did. Blocking when it is not in memory. */
bool hm_runner_unreadable(struct hm_runner *runner, const char *run_id);
/* The newest ones that are going, newest first, at most that many; how many. Borrowed until the runner is told anything. */
size_t hm_runner_newest(struct hm_runner *runner, const struct hm_run **ret_runs, size_t most);
/* Visits all that are going; reads those at rest from the journal. run is valid during the visit. */
void hm_runner_each(struct hm_runner *runner, void (*visit)(void *arg, const struct hm_run *run), void *arg);
/* Visits those that are in memory just now; wakes nobody. */
void hm_runner_each_awake(const struct hm_runner *runner, void (*visit)(void *arg, const struct hm_run *run), void *arg);
/* Visits those that were stopped for safety (run->broken says why): their events did not fit, and nothing more is done with them
 * in this process. recipe may be NULL. */
void hm_runner_each_broken(struct hm_runner *runner, void (*visit)(void *arg, const struct hm_run *run), void *arg);
size_t hm_runner_count(const struct hm_runner *runner);
/* True when nothing is being committed or sent: the process may end without leaving more than a restart would find. */
bool hm_runner_idle(const struct hm_runner *runner);

#endif
