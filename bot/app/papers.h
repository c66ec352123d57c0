/* Files under the cards: the whole plan when it is too long for its card, the items that failed when they are many, and the list
 * that a recipe's step wants there (`file`).
 *
 * A file is owed in the journal, in the batch of the gate (or the end) that it belongs to, until Slack has it. Happy path:
 * committed → the card is posted → an address for the bytes → the bytes → completed in the card's thread. Failure modes: Slack is
 * away: later; it refuses: the log says so, and the card stands alone; the process dies before it is there: the next start makes
 * it anew, unless the gate was decided meanwhile (a crash right after the last call can show a file twice); there is no card and
 * will be none: it is left out, and the log says so. */
#ifndef HM_APP_PAPERS_H
#define HM_APP_PAPERS_H

#include "app/cards.h"
#include "journal/journal.h"
#include "run/runner.h"

struct hm_papers;

/* All borrowed. */
struct hm_papers_opts {
    uv_loop_t *loop;
    struct hm_web_api *api;
    struct hm_journal *journal;
    struct hm_cards *cards;
    struct hm_runner *runner;
    /* Fills the environment for a run of this recipe at this moment. */
    void (*env)(void *arg, const char *recipe, struct hm_run_env *ret_env);
    void *arg;
};
struct hm_papers *hm_papers_new(const struct hm_papers_opts *opts);
/* Nothing is sent any more; freed when the loop has turned once more. After the web API is freed. */
void hm_papers_free(struct hm_papers *papers);

/* At start, once the runs are restored: what is owed is made and sent. */
HM_MUST enum hm_code hm_papers_restore(struct hm_papers *papers, const char *journal_path, struct hm_err *err);
/* Owes what the events of a commit call for. What to give to hm_papers_send() once it is committed; NULL = nothing. */
json_t *hm_papers_of_commit_new(struct hm_papers *papers, struct hm_batch *batch, const struct hm_commit *commit);
void hm_papers_send(struct hm_papers *papers, json_t *stolen_owed);

/* The journal's space for them: key → {run, step, nonce} of a plan, {run, list: the step} of a list, {run} of what failed; and
 * {channel, thread} once its card is there. */
#define HM_PAPERS_SPACE "papers"

#endif
