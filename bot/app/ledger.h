/* Runs in the journal: what the runner wants written becomes one batch, and rows become events again. */
#ifndef HM_APP_LEDGER_H
#define HM_APP_LEDGER_H

#include "journal/journal.h"
#include "run/runner.h"

struct hm_ledger;
struct hm_notices;
struct hm_papers;

/* journal: borrowed. path: of the database, for reading; borrowed. */
struct hm_ledger *hm_ledger_new(struct hm_journal *journal, const char *path);
void hm_ledger_free(struct hm_ledger *ledger);
/* What commits have to tell the audit channel goes there; borrowed. */
void hm_ledger_attach(struct hm_ledger *ledger, struct hm_notices *notices);
/* The same for what belongs into a file under the card. */
void hm_ledger_attach_papers(struct hm_ledger *ledger, struct hm_papers *papers);

/* Closes the reading side (it opens again when needed): while it is open, SQLite can not fold its log back at the journal's end.
 */
void hm_ledger_rest(struct hm_ledger *ledger);

/* hm_runner_io.commit: hm_runner_committed(runner, token, …) follows. stolen_card: what is to be remembered about the run's card
 * (hm_cards_owed_new()), or NULL. */
void hm_ledger_commit(struct hm_ledger *ledger, struct hm_runner *runner, const struct hm_commit *commit, json_t *stolen_card,
                      void *token);
/* hm_runner_io.load: HM_ENOTFOUND when there is no such run; visit NULL only asks. */
HM_MUST enum hm_code hm_ledger_load(struct hm_ledger *ledger, const char *run_id,
                                    bool (*visit)(void *visit_arg, const struct hm_event *event), void *visit_arg,
                                    struct hm_err *err);
/* The runs that are not over, newest first. The caller frees the ids and the array, whatever is returned. */
HM_MUST enum hm_code hm_ledger_open_runs(struct hm_ledger *ledger, char ***ret_ids, size_t *ret_n, struct hm_err *err);

#endif
