/* Inside of the runner: what runner.c (the driver), runner_queue.c (inputs and replies that wait), runner_locks.c (who holds
 * what), runner_wake.c (whose time is next) and runner_rest.c (what is not kept in memory) share. Nobody else includes this. */
#ifndef HM_RUN_RUNNER_PARTS_H
#define HM_RUN_RUNNER_PARTS_H

#include <sys/queue.h>

#include "run/runner.h"

/* An input that waits, with copies of everything it points to. */
struct hm_waiting {
    struct hm_waiting *next;
    struct hm_input in;
    struct hm_answer answer;
    char *strings[6]; /* what in and answer point into */
    hm_reply_fn on_reply;
    void *reply_arg;
};

/* A reply that waits for the commit. */
struct hm_owed {
    struct hm_owed *next;
    struct hm_reply reply;
    const struct hm_recipe *recipe; /* held: what reply.step points into */
    hm_reply_fn on_reply;
    void *arg;
};

/* What a run at rest must be told when it wakes. */
enum { HM_OWES_LOST = 1, HM_OWES_CHANGED = 2, HM_OWES_GO = 4, HM_OWES_SHOW = 8 };

enum hm_lock_role { HM_LOCK_NONE, HM_LOCK_HOLDS, HM_LOCK_WAITS };

/* One run. */
struct hm_slot {
    char *id; /* the key of the tree: first member */
    struct hm_runner *runner;
    struct hm_run *run; /* NULL = at rest: only the journal has it */
    TAILQ_ENTRY(hm_slot) awake;
    size_t index; /* in runner->entries */
    struct hm_waiting *queue, **queue_tail;
    struct hm_owed *owed, **owed_tail;
    struct hm_events batch; /* being committed */
    bool committing;
    bool broken;  /* the last commit failed: to be folded anew from the journal */
    bool born;    /* its first event is committed */
    bool settled; /* restored, and there is nothing to be told */
    unsigned owes;
    unsigned flying;
    int64_t rest_seq, rest_since_ms; /* at rest: run->seq, run->started_ms */
    int64_t inbox_id;
    int64_t reload_ms;
    hm_started_fn on_started;
    void *started_arg;

    int64_t want_ms; /* when it wants to be told the time */
    int64_t seen_ms; /* what was due until then it was told in vain */
    size_t heap_at;

    struct hm_lock *lock;    /* NULL = none */
    struct hm_lock *leaving; /* held before the run was planned anew, until that is committed; NULL = none */
    enum hm_lock_role role;
    int64_t lock_order;           /* of arrival among those that wait; 0 = has not waited */
    struct hm_slot *next_waiting; /* for the same lock, in order of arrival */
};

struct hm_runner {
    struct hm_runner_io io;
    void *tree; /* tsearch(3) by id */
    struct hm_slot **entries;
    struct hm_slot **heap; /* all entries, the earliest want_ms first */
    size_t count, room;
    TAILQ_HEAD(, hm_slot) awake; /* those in memory, the one looked at longest ago first */
    unsigned n_awake, awake_max;
    unsigned committing;
    unsigned flying;
    int64_t wake_ms;
    bool held;      /* "stop all" */
    bool closing;   /* nothing is started any more */
    bool restoring; /* not all runs are there yet */
    void *locks;    /* tsearch(3) by name */
    int64_t lock_orders;
};

/* runner.c: decides what waits, commits. */
void hm_runner_pump(struct hm_slot *e);
/* True when it was stopped for safety; it is never at rest. */
bool hm_slot_is_quarantined(const struct hm_slot *e);
/* Asks for hm_runner_time() when somebody wants it at another time now. */
void hm_runner_arm(struct hm_runner *runner);
/* The shell's environment, and what the runner itself knows. */
void hm_runner_env(struct hm_runner *runner, const char *recipe, struct hm_run_env *ret_env);

/* runner_send.c: performs what the events, now committed, say. */
void hm_runner_perform(struct hm_slot *e, const struct hm_events *events, int64_t first_seq);

/* runner_queue.c */
struct hm_waiting *hm_waiting_new(const struct hm_input *in);
void hm_waiting_free(struct hm_waiting *w);
void hm_slot_push(struct hm_slot *e, struct hm_waiting *w);
void hm_slot_push_kind(struct hm_slot *e, enum hm_input_kind kind);
/* Before those that wait. */
void hm_slot_push_first(struct hm_slot *e, enum hm_input_kind kind);
struct hm_waiting *hm_slot_pop(struct hm_slot *e);
/* recipe: the run's when the reply was decided. */
void hm_slot_owe(struct hm_slot *e, const struct hm_reply *reply, const struct hm_recipe *recipe, hm_reply_fn on_reply,
                 void *arg);
/* not_stored: the commit failed, whatever was decided is void. */
void hm_slot_pay(struct hm_slot *e, bool not_stored);
/* Forgets all of both, unanswered. */
void hm_slot_drop_queues(struct hm_slot *e);

/* runner_wake.c: a heap over all slots. */
void hm_wake_add(struct hm_slot *e);
void hm_wake_remove(struct hm_slot *e);
/* want_ms has changed. */
void hm_wake_moved(struct hm_slot *e);

/* runner_rest.c: who is in memory. */
void hm_rest_add(struct hm_slot *e);
void hm_rest_remove(struct hm_slot *e);
/* It was looked at just now. */
void hm_rest_touch(struct hm_slot *e);
/* Lets a few rest when there are too many awake. What hm_runner_find() gave is void afterwards. */
void hm_rest_some(struct hm_runner *runner);
/* Reads it from the journal if need be, and queues what it is owed. False: not possible now. */
bool hm_slot_wake(struct hm_slot *e);
/* Folds it from the journal. *ret_run: a new run in any case, as far as it could be folded. */
HM_MUST enum hm_code hm_slot_load_part(struct hm_slot *e, struct hm_run **ret_run, struct hm_err *err);
/* Replaces what is in memory. */
void hm_slot_set_run(struct hm_slot *e, struct hm_run *stolen_run);
/* It is at rest, and must be told: HM_OWES_*. Done a few at a time by hm_runner_time(). */
void hm_rest_owe(struct hm_slot *e, unsigned what);
/* True when a restored run waits for people and nothing of what a restart tells it makes a difference. */
bool hm_rest_restored(struct hm_slot *e);

/* runner_locks.c */
/* hm_run_env.blocked; arg is the runner. */
bool hm_locks_blocked(void *arg, const char *lock, const char *run_id, struct hm_blocker *ret_blocker);
/* An event was folded: remembers the order of arrival. */
void hm_locks_folded(struct hm_slot *e, const struct hm_event *event);
/* The run holds or waits, as its state says: at once. What it no longer holds stays its own until hm_locks_release(). */
void hm_locks_take(struct hm_slot *e);
/* The same after the run was read anew from the journal: what it held, or stood in line for, by a commit that failed is free for
 * those who wait for it, and they are told. */
void hm_locks_reread(struct hm_slot *e);
/* What the run decided is committed: a lock that it no longer wants is free. */
void hm_locks_committed(struct hm_slot *e);
/* The end is committed, or the run is gone: whoever waits is told. */
void hm_locks_release(struct hm_slot *e);

#endif
