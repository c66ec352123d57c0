/* The promises of the bot, as checks. Each has a name; sim_fail() prints it. Where they come from: docs of the project's design,
 * sections 3 (durable first; the journal is the truth), 6 (effects) and 7 (approval).
 *
 *   effects-approved      a write leaves only with a valid approval of exactly this request in the journal before it    (6, 7)
 *   once-at-most-once     a `once` write leaves at most once unless a person said on record that it did not happen      (6)
 *   look-before-repeating an idempotent write with a probe is repeated only after a look that did not see it            (6)
 *   outcomes-are-true     what the journal says about an outcome is so                                                  (6)
 *   cancel-bites          no write is started after somebody asked to stop the run, or everything                       (7)
 *   gates-decide-once     votes are of different, entitled people and in time; a gate is approved once                  (7)
 *   locks-exclude         a lock has one holder                                                                         (8)
 *   journal-gapless       events are numbered without gaps                                                              (3)
 *   journal-folds         what was written can be read back and makes sense                                             (3)
 *   memory-is-journal     what is in memory is what the journal's events add up to                                      (3)
 *   shown-is-committed    nothing is posted, edited or said before it is durable                                        (3)
 *   acked-after-commit    an envelope is acknowledged only after its inbox row is durable                               (3)
 *   inputs-have-outcomes  an accepted envelope is closed only when its outcome can be seen, and always is in the end    (2)
 *   block-kit-limits      Slack would take every card and dialog
 *   buttons-match         a card has the buttons of what is open, and no others                                         (7)
 *   one-card-per-run      there is one message per run, and it shows the latest                                         (3)
 *   runs-settle           in the end a run is over or waits for a person                                                (2)
 *   alarms-are-kept       a message that is an alarm is counted in one case, whatever way it came, and none is made up
 *   one-card-per-alarm    there is one message per case, and it shows the latest
 *   offers-start-once     an offer starts at most one run, one that was taken has started one, and its case knows how it ended
 *   late-starts-nothing   what was said while nobody could be told starts nothing by itself
 *   news-closes           the news that an alarm is over closes its cases and no others
 *   marks-are-right       a message bears the reaction that its case says and no other of ours */
#ifndef HM_SIM_CHECK_H
#define HM_SIM_CHECK_H

#include "model_backend.h"
#include "model_journal.h"
#include "model_slack.h"
#include "sim.h"

void sim_check_init(void);

/* An event became durable; n: its number. It is folded into run->state already. */
void check_row(const struct book_run *run, size_t n);
/* All events of a batch are folded. */
void check_batch(const struct book_run *run);
/* A value became durable. */
void check_value(const char *space, const char *text);
/* A write leaves. record: what was sent before. */
void check_sent(const char *run_id, const struct hm_ticket *ticket, const struct hm_request *req,
                const struct call_record *record);
/* A call to Slack is made: is_card = a post or an edit. */
void check_shown(bool is_card, const json_t *args);
/* Slack shows this now. */
void check_message(const struct message *message);
void check_ack(const struct envelope *envelope);
/* An envelope is being closed, in the batch that begins or moves this run (or NULL). */
void check_closed(const struct inbox *row, const char *run_id);
/* After every step. */
void check_step(void);
/* Nothing is going on any more and nothing goes wrong. fresh: nothing went wrong since the bot started. */
void check_rest(bool fresh);

/* ---- check_gates.c
 * ------------------------------------------------------------------------------------------------------------------- */

/* A gate as the first n rows of the run tell it; for this file's checks, not read from the fold. */
enum { GATE_VOTES = 8 };
struct gate_view {
    const json_t *opened; /* data of GATE_OPENED; NULL = not (any more) */
    int64_t opened_ms;
    bool approved, closed;
    const json_t *votes[GATE_VOTES];
    int64_t vote_ms[GATE_VOTES];
    size_t n_votes;
};
void gate_view(const struct book_run *run, size_t n, const char *step, struct gate_view *ret);
/* Fails unless the gate's approval covers the request. */
void check_approval(const struct book_run *run, size_t n, const struct hm_step *step, int item, const char *digest);
void check_gate_row(const struct book_run *run, size_t n);

#endif
