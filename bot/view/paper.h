/* Long lists as plain text, for files under a card: every request of a plan, every item that failed, what a step has found. Pure.
 */
#ifndef HM_VIEW_PAPER_H
#define HM_VIEW_PAPER_H

#include "run/plan.h"
#include "run/state.h"

/* From how many on a plan, or a list of failures, is worth a file: the card shows as many itself. */
enum { HM_PAPER_PLAN_FROM = 11, HM_PAPER_FAILED_FROM = 6 };

/* All requests of the plan with their digests; credentials never. Caller frees. */
char *hm_paper_plan(const struct hm_run *run, int gate_step, const struct hm_plan *plan);
/* Every item that failed or was not sent, with its error; NULL when there are too few. Caller frees. */
char *hm_paper_failed(const struct hm_run *run);

/* A list of the run, a line for each: an item's `text` if it has one, else the item as JSON. NULL when it is empty or no list.
 * Caller frees. */
char *hm_paper_list(const struct hm_run *run, int step, const json_t *list);

#endif
