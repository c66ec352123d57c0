/* The way in: an envelope is journaled, then acknowledged, then handled; in this order, always.
 *
 * Acks go out as soon as the row is committed, many in a turn; handling follows in the loop's next turns, a few at a time, so
 * that a burst of commands never keeps an ack waiting. A form's submission is the exception: its answer (errors, or "close")
 * rides on the ack, so it is handled first. What could not be journaled is not acknowledged: Slack shows the person an error or
 * delivers again. */
#ifndef HM_APP_INTAKE_H
#define HM_APP_INTAKE_H

#include <uv.h>

#include "journal/journal.h"
#include "slack/request.h"
#include "slack/socket.h"

struct hm_intake;

struct hm_intake_opts {
    uv_loop_t *loop;
    struct hm_journal *journal;
    /* Handles one request, whose inbox row stays open until hm_intake_done(). stored_ms: when an
     * earlier process journaled it, or 0. */
    void (*handle)(void *arg, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms);
    /* A form was submitted, or somebody types into a search: returns the ack's payload as JSON text (caller frees), or NULL.
     * Inside of it hm_intake_later() says that the ack waits for hm_intake_answer(). */
    char *(*submitted)(void *arg, int64_t inbox_id, const struct hm_slack_request *req);
    /* The journal could not take an envelope. */
    void (*refused)(void *arg, const char *problem);
    void *arg;
};

struct hm_intake *hm_intake_new(const struct hm_intake_opts *opts);
/* The socket to ack on; it must outlive what is under way, or be taken away again with NULL. */
void hm_intake_use(struct hm_intake *intake, struct hm_socket *socket);
/* true: envelopes are journaled and acknowledged, but handed out only after hm_intake_hold(intake, false). Forms, whose answer
 * rides on the ack, are not held. */
void hm_intake_hold(struct hm_intake *intake, bool hold);
/* true: forms wait as well, and their acks with them. */
void hm_intake_hold_forms(struct hm_intake *intake, bool hold);
/* The journal is closed: nothing is acknowledged, handled or closed any more; what is open is handed out at the next start. */
void hm_intake_stop(struct hm_intake *intake);
/* Nothing is handled any more; freed when the loop has turned once more. Call after the journal is closed. */
void hm_intake_free(struct hm_intake *intake);

/* hm_socket_opts.on_envelope. */
void hm_intake_envelope(struct hm_intake *intake, struct hm_ack_ticket ticket, const struct hm_envelope *env);
/* At start: handles what an earlier process left open. */
HM_MUST enum hm_code hm_intake_restore(struct hm_intake *intake, const char *journal_path, struct hm_err *err);
/* Only from inside opts.submitted(): what it returns is not the answer yet. Slack waits three seconds for it. */
void hm_intake_later(struct hm_intake *intake);
/* The answer that was put off: the ack leaves with this payload (NULL = none). */
void hm_intake_answer(struct hm_intake *intake, int64_t inbox_id, const char *payload);
/* The request's outcome can be seen (or belongs to a run): it is not handed out again. */
void hm_intake_done(struct hm_intake *intake, int64_t inbox_id);

struct hm_intake_stats {
    uint64_t received, fresh, duplicates, refused, handled;
    size_t waiting; /* journaled and acknowledged, not handled yet */
};
void hm_intake_stats(const struct hm_intake *intake, struct hm_intake_stats *ret_stats);

#endif
