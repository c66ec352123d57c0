/* Forgets old envelopes: what Slack delivered, and whose outcome has been visible for days, is of no use any more; the events of
 * the runs are the record, and stay. Once an hour, a few hundred at a time, so that nobody waits for it. A failure is tried again
 * an hour later; the journal's health says it anyway. */
#ifndef HM_APP_PRUNE_H
#define HM_APP_PRUNE_H

#include <uv.h>

#include "app/settings.h"
#include "base/clock.h"
#include "journal/journal.h"

struct hm_prune;

/* All borrowed. */
struct hm_prune *hm_prune_new(uv_loop_t *loop, struct hm_journal *journal, const struct hm_clock *clock);
/* Before the journal is closed; a callback that is still to come is ignored. */
void hm_prune_stop(struct hm_prune *prune);
void hm_prune_free(struct hm_prune *prune);
/* How long they are kept, from now on. */
void hm_prune_use(struct hm_prune *prune, const struct hm_settings *settings);
/* The next look, at once. */
void hm_prune_now(struct hm_prune *prune);

#endif
