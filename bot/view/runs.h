/* The list of runs, for one person's eyes. Pure. */
#ifndef HM_VIEW_RUNS_H
#define HM_VIEW_RUNS_H

#include "base/strbuf.h"
#include "run/state.h"
#include "slack/blocks.h"
#include "view/card.h"

/* One run. All borrowed. */
struct hm_run_line {
    const char *id, *recipe, *requester;
    const struct hm_run *run;  /* while it is going; else NULL */
    enum hm_run_status status; /* over: how it ended; HM_RUN_STATUS_NR = not known */
    int64_t started_ms, changed_ms;
};

enum { HM_RUNS_SHOWN = 15 };

struct hm_run_list {
    const struct hm_run_line *going, *recent; /* at most HM_RUNS_SHOWN of each are shown */
    size_t n_going, n_recent;
    size_t all_going; /* how many are going in all */
};
/* command: "/hausmeister". around: who stopped everything, if so. */
void hm_runs_render(const struct hm_run_list *list, const struct hm_card_around *around, const char *command,
                    struct hm_slack_message *ret_message);

/* "`r-7k2m` retract `5a5d411b-…` · @ana, 02:14 · waits for approval until 02:29" */
void hm_runs_add_line(struct hm_strbuf *out, const struct hm_run_line *line);

/* For the audit channel: somebody stopped everything, or lets it go on. mrkdwn; caller frees. */
char *hm_runs_hold_text(bool held, const char *user);

#endif
