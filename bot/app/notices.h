/* Words that must arrive: in the audit channel, that somebody went on alone or that everything was stopped or goes on; under the
 * card or directly, that a gate waits for those who may approve it, and that it closes soon.
 *
 * Each is owed in the journal, in the very batch that holds what it tells of, until Slack has it: a crash in between delays it
 * and does not lose it. Happy path: owe → the batch is committed → post → shown → no longer owed. Failure modes: the batch is not
 * committed: nothing is said; Slack is away: said later (a conversation with one person that can not be opened: for a day); the
 * channel can not be posted to: the log says so, slack.channel gets it instead, and should that fail too the next start tries
 * again. Without slack.audit_channel nothing is owed. */
#ifndef HM_APP_NOTICES_H
#define HM_APP_NOTICES_H

#include <jansson.h>

#include "app/cards.h"
#include "app/roles.h"
#include "journal/journal.h"
#include "run/runner.h"

struct hm_notices;

/* All borrowed. Becomes the listener of hm_cards_listen(). */
struct hm_notices *hm_notices_new(uv_loop_t *loop, struct hm_journal *journal, struct hm_cards *cards,
                                  const struct hm_clock *clock);
/* Nothing is tried again any more. Before the loop's last turns. */
void hm_notices_stop(struct hm_notices *notices);
void hm_notices_free(struct hm_notices *notices);
/* settings: borrowed until the next use. */
void hm_notices_use(struct hm_notices *notices, const struct hm_settings *settings);
/* Who is in which role: without it nobody is asked to approve. Borrowed. */
void hm_notices_attach(struct hm_notices *notices, const struct hm_roles *roles);
/* At start: what was owed when the process before us died is said now. */
HM_MUST enum hm_code hm_notices_restore(struct hm_notices *notices, const char *journal_path, struct hm_err *err);

/* Once the cards are restored: what belongs under them is said. */
void hm_notices_restored(struct hm_notices *notices);

/* Adds to the batch that these words are owed. key: unique for ever. What to give to hm_notices_post() once the batch is
 * committed; NULL when there is no audit channel. */
json_t *hm_notices_owe_new(struct hm_notices *notices, struct hm_batch *batch, const char *key, const char *mrkdwn);
/* The same for what the events of a run's commit have to tell: NULL = nothing. */
json_t *hm_notices_of_commit_new(struct hm_notices *notices, struct hm_batch *batch, const struct hm_commit *commit);
/* Says it, and no longer what that commit made stale. NULL is nothing. */
void hm_notices_post(struct hm_notices *notices, json_t *stolen_owed);

/* The journal's space for them: key → {text, at} and where: channel, or run (in the thread of its card), or user (directly, with
 * the run it is `of` and the channel that it is `in`). */
#define HM_NOTICES_SPACE "notices"

#endif
