/* The state of a run: what its events add up to. Memory is a cache of the journal; fold.c is the only code that changes it.
 *
 *   run:   GOING ──► OVER (done, partial, failed, stopped, rejected, expired, cancelled)
 *            ▲         │
 *            └─────────┘ reopened: a partial run, for the items that failed
 *
 *   step:  PENDING ─► SKIPPED
 *             └─► ACTIVE ─► OK
 *                    └────► FAILED
 *          (a voided approval takes its gate and what it guards back to PENDING; a replanned run takes all steps there; a
 *          reopened one takes the reads and messages there that came after the failed items)
 *
 *   call (one item of a step; a step without foreach has one):
 *
 *             ┌────────────────── again ◄──────────────┐
 *             ▼                                         │
 *   READY ─► FLYING ─► OK                            WAITING (for its next try, poll or page)
 *               ├────► FAILED                           ▲
 *               ├────► WAITING ─────────────────────────┘
 *               └────► UNKNOWN ─► PROBING ─► OK / FAILED          settled by the action's own read
 *                          │         └─────► WAITING_PROBE ─► PROBING
 *                          └─► ASKING ─► OK / FAILED              settled by a person, on record
 *
 * Read by decide (run/), the cards (view/) and the command line; everything in it is owned by the run. */
#ifndef HM_RUN_STATE_H
#define HM_RUN_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recipe/recipe.h"

enum hm_run_status {
    HM_RUN_GOING,
    HM_RUN_DONE,
    HM_RUN_PARTIAL, /* went to the end; some items failed and are named */
    HM_RUN_FAILED,
    HM_RUN_STOPPED, /* a stop_if held: nothing (more) to do */
    HM_RUN_REJECTED,
    HM_RUN_EXPIRED, /* a gate closed before enough people said yes */
    HM_RUN_CANCELLED,
    HM_RUN_STATUS_NR
};
/* "going", "done", … */
const char *hm_run_status_name(enum hm_run_status status);

enum hm_step_phase { HM_PHASE_PENDING, HM_PHASE_SKIPPED, HM_PHASE_ACTIVE, HM_PHASE_OK, HM_PHASE_FAILED, HM_PHASE_NR };

enum hm_call_phase {
    HM_CALL_READY,
    HM_CALL_FLYING,
    HM_CALL_WAITING,
    HM_CALL_UNKNOWN,
    HM_CALL_PROBING,
    HM_CALL_WAITING_PROBE,
    HM_CALL_ASKING,
    HM_CALL_OK,
    HM_CALL_FAILED,
    HM_CALL_NR
};
const char *hm_call_phase_name(enum hm_call_phase phase);

/* What a request is for. */
enum hm_purpose { HM_FOR_STEP, HM_FOR_PROBE, HM_FOR_VERIFY, HM_PURPOSE_NR };
const char *hm_purpose_name(enum hm_purpose purpose);

/* Names one request under way; an answer that does not fit the call's present ticket is dropped. */
struct hm_ticket {
    int step;
    int item; /* index of the call; 0 for a step without foreach and for a verify */
    enum hm_purpose purpose;
    int64_t seq; /* the number of its CALL_STARTED event: no two requests of a run share it */
};

struct hm_call {
    enum hm_call_phase phase;
    unsigned attempts;  /* requests counted against `retry`; pages and polls are not */
    unsigned sent;      /* how many requests in all, pages, polls and probes included */
    int64_t seq;        /* of the newest request's CALL_STARTED event: the ticket its answer must bear */
    int64_t started_ms; /* first request */
    int64_t ended_ms;
    int64_t again_ms;   /* WAITING, WAITING_PROBE: when to go on (wall clock) */
    int64_t settles_ms; /* UNKNOWN and after: until when it may still come about (wall clock) */
    int64_t looked_ms;  /* when the newest probe was begun: its answer may come far later, and is as old as that */
    json_t *args;       /* of the newest request for the step (or the verify); NULL before the first */
    json_t *probe_args; /* of the newest probe */
    char *backend;      /* where the newest request went */
    json_t *cursor;     /* for the next page, or NULL */
    json_t *result;     /* OK: what the action gave (may be NULL after a person's or a probe's word) */
    char *error;        /* FAILED, UNKNOWN, ASKING, WAITING: the newest sentence, plain text, or NULL */
    char *code;         /* FAILED: "not-found", "permanent", "retryable", "unknown-outcome" … */
    unsigned denied;    /* probes in a row that said "not applied" */
    unsigned resent;    /* how often it was sent again because its probe said "not applied" */
    bool maybe;         /* a request that left may have changed something, whatever became of it later; a probe's or a person's
                           "not applied" takes that back */
    char nonce[17];     /* ASKING */
    char *settled_by;   /* user id when a person settled it, "probe" when a read did, NULL otherwise */
    bool excused;       /* FAILED: a person said to go on without it */
};

/* What a step waits for a person to say. */
enum hm_question_kind {
    HM_QUESTION_NONE,
    HM_QUESTION_CHOOSE, /* ask: from a list */
    HM_QUESTION_FILL,   /* ask: fields */
    HM_QUESTION_DONE,   /* manual: did it, perhaps with evidence */
    HM_QUESTION_ERROR,  /* on_error = "ask": retry, skip or stop */
    HM_QUESTION_NR
};
/* "choose", … */
const char *hm_question_kind_name(enum hm_question_kind kind);

struct hm_question {
    enum hm_question_kind kind;
    char nonce[17]; /* in the buttons */
    char *text;     /* mrkdwn, rendered */
    json_t *items;  /* CHOOSE: the list, frozen */
    json_t *labels; /* CHOOSE: what each is called, plain text */
    bool can_retry; /* ERROR: trying again makes sense */
    int64_t opened_ms, answered_ms;
    int64_t expires_ms; /* 0 = with the run */
    char *answered_by;  /* NULL = open */
    char *answer;       /* plain text: what was said */
};

/* One offer as it was made. */
struct hm_made_offer {
    char nonce[17];
    char *recipe;
    char *label;  /* plain text */
    json_t *with; /* {param: value} */
    char *taken_by;
    char *key; /* of the click that took it */
    int64_t taken_ms;
};

enum hm_decision { HM_GATE_OPEN, HM_GATE_APPROVED, HM_GATE_REJECTED, HM_GATE_EXPIRED, HM_GATE_VOIDED };

/* One request of a plan. */
struct hm_planned {
    int step;
    int item;
    char digest[65]; /* of the request */
    json_t *request; /* as shown (hm_request_json_new); NULL when the plan is too long to keep them all */
};

struct hm_vote {
    char *user;
    int64_t at_ms;
    bool broke_glass;
    char *reason;  /* break-glass or rejection, or NULL */
    json_t *roles; /* which of the gate's roles the person had, or NULL when that does not matter (`each` is not set) */
};

struct hm_gate {
    enum hm_decision decision;
    char nonce[17];  /* in the buttons; a new one each time the gate opens */
    char digest[65]; /* of the plan */
    char *question;  /* mrkdwn, rendered */
    char *typed;     /* what the approver must type, or NULL */
    int64_t opened_ms, expires_ms, decided_ms;
    struct hm_vote *votes; /* approvals so far, or the one rejection */
    size_t n_votes;
    struct hm_planned *plan;
    size_t n_plan;
    char *anew;          /* why it had to be asked again, or NULL */
    int64_t reminded_ms; /* 0 = nobody was reminded that it closes soon */
};

struct hm_step_state {
    enum hm_step_phase phase;
    int64_t started_ms, ended_ms;
    struct hm_call *calls;
    size_t n_calls;
    json_t *items;               /* foreach: the list, frozen; else NULL */
    struct hm_call verify;       /* HM_CALL_READY when there is none (yet) */
    json_t *value;               /* what later steps see; NULL until finished */
    char *said;                  /* the step's line, mrkdwn, or NULL */
    char *error;                 /* FAILED: a sentence, mrkdwn (foreign text in it is escaped already) */
    bool excused;                /* its failed check was waved through by a person */
    struct hm_gate gate;         /* approve steps */
    struct hm_question question; /* ask, manual, and do with on_error = "ask" */
    struct hm_made_offer *offers;
    size_t n_offers;

    /* Sums over `calls`, so that nothing has to walk 10,000 of them at each answer; kept by hm_step_move_call(). */
    size_t n_in[HM_CALL_NR]; /* calls in each phase */
    size_t n_not_sent;       /* of the FAILED ones: given up without having been sent */
    size_t n_excused;        /* of the FAILED ones */
    size_t first_ready;      /* no call below it is READY */
    int *busy;               /* the calls that are neither READY nor OK nor FAILED, in no order */
    size_t n_busy;
};

struct hm_run {
    char *id;                       /* "r-7k2m" */
    const struct hm_recipe *recipe; /* the text it was started (or replanned) with; held */
    char *accepted_sha; /* recipe text that a person has accepted besides (changed while effects were under way), or NULL */
    json_t *params;     /* {name: value|null} */
    json_t *given;      /* {name: true} */
    char *requester;    /* user id */
    char *team;
    char *channel;   /* where the card is to be */
    char *thread_ts; /* NULL = the card starts a thread of its own */
    char *alarm;     /* the alarm's offer that it was started by, "<case>.<nonce>"; or NULL */
    char *lock;      /* rendered, or NULL */
    int64_t started_ms, ended_ms, deadline_ms;
    enum hm_run_status status;
    char *ending;   /* OVER: the last line, mrkdwn */
    char *ended_by; /* user who rejected or cancelled, or NULL */
    char *owner;    /* who leads it since somebody took it over from the requester, or NULL; neither of the two approves */
    int64_t owned_ms;
    char *cancel_by; /* user who asked to cancel: no further effect is started; or NULL */
    char *anew;      /* why the run was planned anew, or NULL */
    struct {
        bool waiting;     /* the lock is held by another run: nothing is started */
        char *holder;     /* its id */
        char *user;       /* who asked for it */
        int64_t since_ms; /* when it began */
        int64_t from_ms;  /* when we began to wait */
    } lock_wait;
    unsigned reopened;           /* how often it was taken up again for the items that failed */
    char *reopened_by;           /* by whom, the last time */
    int at;                      /* index of the present step; n_steps when past the end */
    struct hm_step_state *steps; /* recipe->n_steps of them */
    int64_t seq;                 /* number of the newest event */
    bool effect_started;         /* an effectful request has left (or may have) */
    char
        *broken; /* not of the events, the runner's own word: why nothing more is done with the run in this process; plain text */
};

struct hm_run *hm_run_new(void);
void hm_run_free(struct hm_run *run);

/* Counts over a step's calls, for progress. failed: with those not sent. */
struct hm_progress {
    size_t total, ok, failed, flying, waiting, unknown, not_sent, excused;
};
void hm_step_progress(const struct hm_step_state *step, struct hm_progress *ret_progress);

/* Makes the sums of a step anew from its calls: for whoever fills in `calls` by hand. */
void hm_step_recount(struct hm_step_state *step);

/* How far the approvals of a gate are. */
enum { HM_TALLY_MAX = 10 };
struct hm_tally {
    unsigned have, need;           /* people that count, of how many */
    unsigned filled[HM_TALLY_MAX]; /* with `each`: of them for each role of step->by */
    bool enough;
};
/* one_more: the roles of somebody who would approve too (an array of names), or NULL. */
void hm_gate_tally(const struct hm_step *step, const struct hm_gate *gate, const json_t *one_more, struct hm_tally *ret_tally);
/* When people are to be reminded that the gate closes soon; INT64_MAX when it is open too shortly for that, or it was done. */
int64_t hm_gate_remind_ms(const struct hm_gate *gate);

/* The open gate of the present step, or NULL. */
const struct hm_gate *hm_run_open_gate(const struct hm_run *run);
/* The open question of the present step, or NULL. */
const struct hm_question *hm_run_open_question(const struct hm_run *run);
/* How many items failed that may be tried again, now that the run is over (partial); 0 when it can not be reopened. */
size_t hm_run_retryable(const struct hm_run *run);
/* The offer with this nonce, or NULL; *ret_step (may be NULL): its step. */
const struct hm_made_offer *hm_run_find_offer(const struct hm_run *run, const char *nonce, int *ret_step);

#endif
