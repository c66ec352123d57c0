/* "Stop all": nothing that changes anything is started, by any run, until somebody resumes. Kept in the journal (space "control",
 * key "hold": {held, by, at}), so that a restart finds it. Stopping works at once, before it is stored; going on only afterwards.
 */
#ifndef HM_APP_HOLD_H
#define HM_APP_HOLD_H

#include "app/cards.h"
#include "app/notices.h"
#include "journal/journal.h"
#include "run/runner.h"

struct hm_hold;

/* All borrowed. */
struct hm_hold *hm_hold_new(struct hm_journal *journal, struct hm_runner *runner, struct hm_cards *cards,
                            const struct hm_clock *clock);
void hm_hold_free(struct hm_hold *hold);
/* The audit channel hears of each word; borrowed. */
void hm_hold_attach(struct hm_hold *hold, struct hm_notices *notices);
/* At start, before the runs are restored. */
HM_MUST enum hm_code hm_hold_restore(struct hm_hold *hold, const char *journal_path, struct hm_err *err);

/* Who stopped everything and when; NULL = nobody. */
const char *hm_hold_by(const struct hm_hold *hold);
int64_t hm_hold_since_ms(const struct hm_hold *hold);

/* True when a stop is in force and stored, and nobody is undoing it: saying it again would change nothing. */
bool hm_hold_firm(const struct hm_hold *hold);

/* The fact and the end of the envelope that asked for it (inbox_id) are one batch: a restart never plays an old word again.
 * on_done once, later: HM_OK, or the journal's problem (then a stop holds all the same, until a restart; a resume is undone). A
 * newer word wins over one that is still being stored. */
void hm_hold_set(struct hm_hold *hold, bool held, const char *user, int64_t inbox_id,
                 void (*on_done)(void *arg, enum hm_code code, const char *problem), void *arg);

#endif
