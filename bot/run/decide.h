/* decide: state + input → new events. Pure: no clock, no I/O, no randomness but what the environment hands in.
 *
 * The shell (runner.c) feeds one input at a time, folds the events into the state, and repeats with HM_IN_GO until nothing new
 * comes; once they are committed it sends what CALL_STARTED says and delivers the reply. Every input ends in events, in a reply,
 * or was a late or doubled answer, which is dropped. */
#ifndef HM_RUN_DECIDE_H
#define HM_RUN_DECIDE_H

#include "run/event.h"
#include "run/state.h"

enum hm_member {
    HM_MEMBER_NO,
    HM_MEMBER_YES,
    HM_MEMBER_UNKNOWN /* the group could not be read: treated as no, said differently */
};

/* Who is in the way of a run that wants a lock. */
struct hm_blocker {
    char run_id[32];
    char user[32]; /* who asked for it */
    int64_t since_ms;
};

/* What decide may look at besides the run; filled in by the shell. Nothing is kept. */
struct hm_run_env {
    int64_t now_ms;                  /* wall clock */
    const struct hm_recipe *current; /* the recipe file of this name as it is now; NULL when it is gone */
    const json_t *known;             /* {key: {field: value}} */
    const json_t *environments;      /* {name: {field: value}}, or NULL */
    const char *team;                /* our workspace, or NULL when not known */
    const struct hm_backend *(*backend)(void *arg, const char *name);
    enum hm_member (*member)(void *arg, const char *role, const char *user);
    void (*nonce)(void *arg, char ret_nonce[17]);
    void *arg;
    bool held; /* "stop all": nothing that changes anything is started */
    /* True when another run holds the lock, or waited for it before; filled in by the runner. NULL = nobody ever does. */
    bool (*blocked)(void *lock_arg, const char *lock, const char *run_id, struct hm_blocker *ret_blocker);
    void *lock_arg;
};

enum hm_input_kind {
    HM_IN_GO,      /* go on as far as possible */
    HM_IN_TIME,    /* a moment that hm_run_wake_ms() named has come */
    HM_IN_ANSWER,  /* a request ended */
    HM_IN_LOST,    /* after a restart: what was under way got no answer */
    HM_IN_CHANGED, /* configuration or recipes were loaded anew */
    HM_IN_APPROVE, /* a person clicked */
    HM_IN_REJECT,
    HM_IN_HAPPENED, /* the three answers to "did it happen?" */
    HM_IN_DID_NOT,
    HM_IN_STOP_HERE,
    HM_IN_CANCEL,
    HM_IN_TAKE,   /* leads the run from now on */
    HM_IN_CHOOSE, /* an ask: typed = JSON, {"choice": "3"}, {"choice": ["1","2"]} (places in the list) or {field: value} */
    HM_IN_DONE,   /* a manual step: reason = evidence, or NULL */
    HM_IN_RETRY,  /* the three answers to an error */
    HM_IN_SKIP,
    HM_IN_GIVE_UP,
    HM_IN_OFFER,        /* takes an offer; typed = a key: the same click twice is one click */
    HM_IN_RETRY_FAILED, /* a partial run is over: once more for what failed */
    HM_INPUT_NR
};

struct hm_input {
    enum hm_input_kind kind;
    struct hm_ticket ticket;        /* ANSWER */
    const struct hm_answer *answer; /* ANSWER; borrowed */
    int64_t duration_ms;            /* ANSWER */
    const char *user;               /* a person's inputs */
    const char *user_team;          /* the person's workspace; NULL when not told */
    const char *nonce;              /* of the button */
    const char *typed;              /* APPROVE: what was typed, or NULL */
    const char *reason;             /* REJECT and break-glass, or NULL */
    bool glass;                     /* APPROVE: break-glass */
};

/* What a click is told; view/replies.c has the words. */
enum hm_reply_kind {
    HM_REPLY_NONE,
    HM_REPLY_VOTED,    /* counted; have of need */
    HM_REPLY_APPROVED, /* counted, and that was enough */
    HM_REPLY_REJECTED,
    HM_REPLY_OWN,          /* the requester does not count */
    HM_REPLY_NOT_IN_ROLE,  /* roles: which would do */
    HM_REPLY_ROLE_UNKNOWN, /* the user group could not be read */
    HM_REPLY_OUTSIDER,     /* another workspace */
    HM_REPLY_TWICE,        /* this person was counted already */
    HM_REPLY_ROLE_FULL,    /* each role has to approve, and this person's roles have; typed: those that have not */
    HM_REPLY_ALREADY,      /* decided: decision, who, when_ms */
    HM_REPLY_EXPIRED,      /* when_ms */
    HM_REPLY_STALE,        /* the plan changed; the buttons were of an older one */
    HM_REPLY_NEED_TYPED,   /* what must be typed: typed */
    HM_REPLY_WRONG_TYPED,
    HM_REPLY_NEED_REASON,  /* break-glass without a reason */
    HM_REPLY_NO_GLASS,     /* the recipe does not allow break-glass */
    HM_REPLY_RUN_OVER,     /* status */
    HM_REPLY_SETTLED,      /* the answer to "did it happen?" is on record */
    HM_REPLY_CANCELLED,    /* stops before the next effect */
    HM_REPLY_NOT_STORED,   /* the journal could not write: nothing was decided */
    HM_REPLY_BROKEN,       /* the run was stopped for safety (hm_run.broken; NULL when it is over): nothing is decided any more */
    HM_REPLY_ANSWERED,     /* the answer is on record */
    HM_REPLY_WAS_ANSWERED, /* who, when_ms */
    HM_REPLY_BAD_ANSWER,   /* typed: what is wrong with it */
    HM_REPLY_OFFER_TAKEN,  /* start it now: offer */
    HM_REPLY_OFFER_GONE,   /* who, when_ms */
    HM_REPLY_REOPENED,     /* have: how many items are tried again */
    HM_REPLY_NONE_FAILED,  /* nothing of the run can be tried again */
    HM_REPLY_TAKEN,        /* the run is this person's now */
    HM_REPLY_IS_YOURS,     /* it was before */
    HM_REPLY_TAKE_VOTED,   /* has approved: the one who leads and those who approve are different people */
    HM_REPLY_NR
};

struct hm_reply {
    enum hm_reply_kind kind;
    char who[32]; /* a user id, or "" */
    int64_t when_ms;
    unsigned have, need;
    enum hm_decision decision;         /* ALREADY */
    enum hm_run_status status;         /* RUN_OVER */
    const struct hm_step *step;        /* the gate's step, or NULL; borrowed from the recipe */
    const struct hm_made_offer *offer; /* OFFER_TAKEN; borrowed from the run: look at it at once */
    char typed[256];
};

/* Appends to ret_events, fills ret_reply (init by the callee). Never fails for foreign input; HM_EBUG only. */
HM_MUST enum hm_code hm_run_decide(const struct hm_run *run, const struct hm_input *in, const struct hm_run_env *env,
                                   struct hm_events *ret_events, struct hm_reply *ret_reply, struct hm_err *err);

/* When the run wants HM_IN_TIME next (wall clock), or INT64_MAX. */
int64_t hm_run_wake_ms(const struct hm_run *run);
/* The same, leaving out what was due at seen_ms or before: the run was told then, and could do nothing about it. */
int64_t hm_run_wake_after_ms(const struct hm_run *run, int64_t seen_ms);

/* The expression scope of the run at this moment: params, finished steps, run, known, given. A new reference. */
HM_MUST json_t *hm_run_scope_new(const struct hm_run *run, const struct hm_run_env *env);

/* The first event of a new run. Params are checked already (hm_params_check_new). HM_EINVAL when the lock can not be rendered. */
struct hm_run_order {
    const char *run_id;
    const struct hm_recipe *recipe;
    const json_t *params, *given; /* borrowed */
    const char *requester, *team, *channel, *thread_ts;
    const char *alarm; /* see struct hm_run; NULL = none */
};
HM_MUST enum hm_code hm_run_start(const struct hm_run_order *order, const struct hm_run_env *env, struct hm_events *ret_events,
                                  struct hm_err *err);

#endif
