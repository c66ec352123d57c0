/* What a person is told alone (ephemeral): the answer to a click, and everything that is wrong with what was typed. One or two
 * sentences each: what was wrong, where, what to do. Pure; all results are mrkdwn, the caller frees them. */
#ifndef HM_VIEW_REPLIES_H
#define HM_VIEW_REPLIES_H

#include <stdint.h>

#include "recipe/recipe.h"
#include "run/decide.h"

/* The answer to a click. run: NULL when there is no such run any more. */
char *hm_reply_text(const struct hm_reply *reply, const struct hm_run *run);

enum hm_notice_kind {
    HM_NOTICE_UNKNOWN_RECIPE, /* word, suggestion (or NULL) */
    HM_NOTICE_UNKNOWN_WORD,   /* word: neither a recipe nor a command; suggestion: all that was meant to be typed (or NULL) */
    HM_NOTICE_BAD_PARAM,      /* recipe, detail: what hm_params_… said */
    HM_NOTICE_MAY_NOT_START,  /* recipe */
    HM_NOTICE_ROLE_UNKNOWN,   /* recipe */
    HM_NOTICE_OUTSIDER,
    HM_NOTICE_TEAM_UNKNOWN,  /* Slack has not said which workspace is ours: nobody is known to belong to it */
    HM_NOTICE_BOT,           /* a bot asked */
    HM_NOTICE_BUSY,          /* recipe; run_id that holds the lock, detail: the lock; or detail alone: both in words */
    HM_NOTICE_STARTED,       /* recipe, run_id, channel: where its card is, when that is not where it was asked for */
    HM_NOTICE_NO_CHANNEL,    /* run_id: its card can be posted nowhere; detail: Slack's word */
    HM_NOTICE_MOVED,         /* channel: where the card is, because it can not be in the channel of the command; run_id */
    HM_NOTICE_NO_RUN,        /* word: the id that was asked for */
    HM_NOTICE_JOURNAL_DOWN,  /* detail */
    HM_NOTICE_SLACK_TROUBLE, /* detail: what Slack said */
    HM_NOTICE_STOPPING,      /* the program is going down */
    HM_NOTICE_LATE,          /* word: the text; when_ms: when it was asked; too old to be started by itself */
    HM_NOTICE_FORM_LATE,     /* a form could not be opened in Slack's three seconds; a button goes with it. detail: Slack's word,
                                when it was not for that; or NULL */
    HM_NOTICE_FORM_BUTTON,   /* recipe: its form can not be opened from here without a click; a button goes with it */
    HM_NOTICE_FORM_EXPIRED,  /* the same for a dialog, without a button */
    HM_NOTICE_NOT_YET,       /* word: what this version does not do */
    HM_NOTICE_HOLDING,       /* stop all: done; detail: why it could not be stored, or NULL */
    HM_NOTICE_HELD,          /* stop all: it was stopped already; word: by whom (a user id), when_ms */
    HM_NOTICE_RESUMED,       /* resume: done */
    HM_NOTICE_NOT_HELD,      /* resume: nothing is stopped */
    HM_NOTICE_NO_CONTROL,    /* stop all, resume: only people with a role */
    HM_NOTICE_STOP_WHAT,     /* "stop" without "all" */
    HM_NOTICE_WHICH_RUN,     /* word: the command that needs the id of a run */
    HM_NOTICE_TOO_MUCH,      /* word: the command, as it is written; detail: what stands behind that and is not understood */
    HM_NOTICE_RECIPE_GONE,   /* run_id, word: its recipe, which is no longer there */
    HM_NOTICE_DRY_BUSY,      /* recipe: too many rehearsals at once */
    HM_NOTICE_NR
};

/* Everything borrowed; what the kind does not name may be NULL. */
struct hm_notice {
    enum hm_notice_kind kind;
    const char *command; /* "/hausmeister" */
    const char *word, *suggestion, *detail, *channel, *run_id;
    const struct hm_recipe *recipe;
    int64_t when_ms;
};
char *hm_notice_text(const struct hm_notice *notice);

#endif
