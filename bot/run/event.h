/* The events of a run: the only things that ever change its state, and the rows of the journal.
 *
 * Each has a type and a JSON object; what the object holds is listed at the type. Users are Slack ids, times are milliseconds
 * since 1970 (UTC), steps are named by id. Types and keys are a file format: they may grow, never change. */
#ifndef HM_RUN_EVENT_H
#define HM_RUN_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum hm_event_type {
    HM_EV_RUN_STARTED,     /* run recipe sha params given requester team channel thread_ts lock deadline [alarm] */
    HM_EV_RUN_REPLANNED,   /* sha params why [lock] (null = none; not said = as before): all steps from the start, with the recipe
                              as it is now */
    HM_EV_STEP_STARTED,    /* step [items] */
    HM_EV_STEP_SKIPPED,    /* step */
    HM_EV_STEP_FINISHED,   /* step ok value [said] [error] (both mrkdwn) */
    HM_EV_GATE_OPENED,     /* step nonce digest question [typed] expires plan:[{step item digest [request]}] [anew] */
    HM_EV_GATE_VOTE,       /* step user nonce [typed] [glass reason] [roles] */
    HM_EV_GATE_APPROVED,   /* step digest */
    HM_EV_GATE_REJECTED,   /* step user [reason] */
    HM_EV_GATE_EXPIRED,    /* step */
    HM_EV_GATE_VOIDED,     /* step why [accept]: its approval no longer fits what would be sent */
    HM_EV_CALL_STARTED,    /* step item try attempt purpose backend args digest request: committed before it leaves */
    HM_EV_CALL_FINISHED,   /* step item try purpose verdict [result|cursor] [error code] [again] [denied] [duration] */
    HM_EV_CALL_UNKNOWN,    /* step item try error settle: sent, and nobody knows; it may come about for so many ms */
    HM_EV_CALL_ASKED,      /* step item nonce error: only a person can tell */
    HM_EV_CALL_SETTLED,    /* step item applied by [error] [resend] */
    HM_EV_CANCEL_ASKED,    /* user: no further effect is started */
    HM_EV_RUN_FINISHED,    /* status text [by] */
    HM_EV_QUESTION_OPENED, /* step kind nonce text [items labels] [expires] [retry] (kind: enum hm_question_kind by name) */
    HM_EV_QUESTION_ANSWERED, /* step nonce user answer: "retry", "skip", "stop", or what was written or chosen, in words */
    HM_EV_CALLS_AGAIN,       /* step user [all] [verify]: the step's failed calls (all of them) are to be tried again */
    HM_EV_OFFERS_MADE,       /* step offers:[{nonce recipe label with}] */
    HM_EV_OFFER_TAKEN,       /* step nonce user key; also when the run is over */
    HM_EV_LOCK_WAITED,       /* lock holder user since: nothing is started until it is free */
    HM_EV_LOCK_TAKEN,        /* lock deadline */
    HM_EV_RUN_REOPENED,      /* user deadline: a partial run, for the items that failed */
    HM_EV_RUN_TAKEN,         /* user: leads the run from now on */
    HM_EV_GATE_REMINDED,     /* step: people were reminded that it closes soon */
    HM_EV_NR
};

/* "run.started" … */
const char *hm_event_name(enum hm_event_type type);
bool hm_event_parse(const char *name, enum hm_event_type *ret_type);

struct hm_event {
    enum hm_event_type type;
    json_t *data; /* owned */
    int64_t at_ms;
    int64_t nr; /* its place among all events of the journal; 0 = not from there */
};

/* A list of events that belong together. */
struct hm_events {
    struct hm_event *items;
    size_t count;
};
void hm_events_init(struct hm_events *events);
void hm_events_done(struct hm_events *events);
/* stolen_data: an object. */
void hm_events_add(struct hm_events *events, enum hm_event_type type, int64_t at_ms, json_t *stolen_data);

#endif
