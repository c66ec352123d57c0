/* The Home tab: what waits for this person, what is going on, what happened lately, what he may do. Pure. */
#ifndef HM_VIEW_HOME_H
#define HM_VIEW_HOME_H

#include "recipe/recipe.h"
#include "run/state.h"
#include "view/card.h"
#include "view/runs.h"

#define HM_HOME_VIEW   "hm.home" /* callback_id */
#define HM_ACTION_LOOK "hm.look" /* a button that opens hm_dialog_decide_new(); its value as of all buttons of a gate */

enum { HM_HOME_GATES = 10, HM_HOME_RUNS = 10, HM_HOME_ALARMS = 5 };

/* A gate that this person may decide. */
struct hm_home_gate {
    const struct hm_run *run;
    const char *link; /* to the card, or NULL */
};

struct hm_home_run {
    struct hm_run_line line;
    const char *link; /* to the card, or NULL */
};

/* An alarm that was seen lately; filled in by whoever watches the channels. */
struct hm_home_alarm {
    char title[160]; /* plain */
    char channel[32];
    char ts[32];    /* of its message, or "" */
    char link[300]; /* to the message; "" = none */
    int64_t at_ms;
    bool over; /* resolved, or dealt with */
};

/* Everything borrowed. */
struct hm_home {
    const char *command;
    struct hm_card_around around;
    const struct hm_home_gate *gates; /* at most HM_HOME_GATES are shown */
    size_t n_gates;
    const struct hm_home_run *going, *recent; /* at most HM_HOME_RUNS of each are shown */
    size_t n_going, n_recent;
    size_t all_going;
    const struct hm_home_alarm *alarms;
    size_t n_alarms;
    const struct hm_recipe *const *mine; /* what he may start */
    size_t n_mine;
    bool unsure; /* Slack did not say which roles he has */
    bool outsider;
    bool nobody_known; /* Slack did not say which workspace is ours */
};

/* A new view for views.publish. */
HM_MUST json_t *hm_home_new(const struct hm_home *home, struct hm_err *err);

#endif
