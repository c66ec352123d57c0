/* The way in: see intake.h. */
#include "app/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/timer.h"

enum {
    HANDLED_PER_TURN = 32,
    CLOSE_AGAIN_MS = 5000, /* what could not be closed is tried again so often */
    YIELD_MS = 2,          /* while envelopes are being journaled, handling steps back this long … */
    YIELD_MAX_MS = 500     /* … but not for longer than this in all: a person waits for the card */
};

/* An envelope on its way: being journaled, then waiting to be handled. */
struct piece {
    struct piece *next;
    struct hm_intake *intake;
    struct hm_ack_ticket ticket;
    int64_t inbox_id;
    bool interactive;
    int64_t stored_ms; /* 0 = by this process */
    size_t len;
    char *envelope_id;
    char text[]; /* NUL-terminated */
};

struct hm_intake {
    struct hm_intake_opts opts;
    struct hm_socket *socket;
    bool stopped;
    struct hm_timer *timer;
    struct piece *queue, **tail;
    size_t being_written;    /* envelopes at the journal: their acks come first */
    uint64_t yielding_since; /* loop time, or 0 */
    bool held;
    bool forms_held;
    struct piece *forms, **forms_tail; /* waiting for hm_intake_hold_forms(intake, false) */
    struct piece *unanswered;          /* hm_intake_later() was said of them */
    bool later;                        /* … of the one that is being handed out */
    struct hm_timer *close_timer;
    int64_t *unclosed; /* inbox ids */
    size_t n_unclosed;
    struct hm_intake_stats stats;
};

static void free_piece(struct piece *piece)
{
    free(piece->envelope_id);
    free(piece);
}

static void free_pieces(struct piece *piece)
{
    while (piece != NULL) {
        struct piece *next = piece->next;
        free_piece(piece);
        piece = next;
    }
}

static struct piece *piece_new(struct hm_intake *intake, const char *envelope_id, const char *text, size_t len)
{
    struct piece *piece = hm_xcalloc(1, sizeof *piece + len + 1);
    piece->intake = intake;
    piece->envelope_id = hm_xstrdup(envelope_id);
    piece->len = len;
    memcpy(piece->text, text, len);
    return piece;
}

static void enqueue(struct hm_intake *intake, struct piece *piece)
{
    piece->next = NULL;
    *intake->tail = piece;
    intake->tail = &piece->next;
    intake->stats.waiting++;
    if (!intake->held && !hm_timer_active(intake->timer))
        hm_timer_start(intake->timer, 0);
}

static void handle(struct hm_intake *intake, struct piece *piece)
{
    struct hm_slack_request req;
    intake->stats.handled++;
    hm_slack_request_parse(piece->text, piece->len, &req);
    intake->opts.handle(intake->opts.arg, piece->inbox_id, &req, piece->stored_ms);
    hm_slack_request_done(&req);
}

/* True while acks are owed: handling would make them late. */
static bool must_yield(struct hm_intake *intake)
{
    uint64_t now = uv_now(intake->opts.loop);
    if (intake->being_written == 0) {
        intake->yielding_since = 0;
        return false;
    }
    if (intake->yielding_since == 0)
        intake->yielding_since = now;
    return now - intake->yielding_since < YIELD_MAX_MS;
}

static void on_timer(void *arg)
{
    struct hm_intake *intake = arg;
    if (must_yield(intake)) {
        hm_timer_start(intake->timer, YIELD_MS);
        return;
    }
    for (int i = 0; i < HANDLED_PER_TURN && intake->queue != NULL; i++) {
        struct piece *piece = intake->queue;
        intake->queue = piece->next;
        if (intake->queue == NULL)
            intake->tail = &intake->queue;
        intake->stats.waiting--;
        handle(intake, piece);
        free_piece(piece);
    }
    if (intake->queue != NULL)
        hm_timer_start(intake->timer, 0);
}

static void on_close_timer(void *arg)
{
    struct hm_intake *intake = arg;
    int64_t *ids = intake->unclosed;
    size_t n = intake->n_unclosed;
    intake->unclosed = NULL;
    intake->n_unclosed = 0;
    for (size_t i = 0; i < n; i++)
        hm_intake_done(intake, ids[i]);
    free(ids);
}

struct hm_intake *hm_intake_new(const struct hm_intake_opts *opts)
{
    struct hm_intake *intake = hm_xcalloc(1, sizeof *intake);
    intake->opts = *opts;
    intake->tail = &intake->queue;
    intake->forms_tail = &intake->forms;
    intake->timer = hm_timer_new(opts->loop, on_timer, intake);
    intake->close_timer = hm_timer_new(opts->loop, on_close_timer, intake);
    return intake;
}

void hm_intake_use(struct hm_intake *intake, struct hm_socket *socket)
{
    intake->socket = socket;
}

void hm_intake_hold(struct hm_intake *intake, bool hold)
{
    intake->held = hold;
    if (hold)
        hm_timer_stop(intake->timer);
    else if (intake->queue != NULL)
        hm_timer_start(intake->timer, 0);
}

void hm_intake_free(struct hm_intake *intake)
{
    if (intake == NULL)
        return;
    free_pieces(intake->queue);
    free_pieces(intake->forms);
    free_pieces(intake->unanswered);
    hm_timer_free(intake->timer);
    hm_timer_free(intake->close_timer);
    free(intake->unclosed);
    free(intake);
}

static void ack(struct hm_intake *intake, const struct piece *piece, const char *payload)
{
    if (intake->socket != NULL && piece->envelope_id[0] != '\0')
        (void)hm_socket_ack(intake->socket, piece->ticket, piece->envelope_id, payload); /* not acked: delivered again */
}

/* A form's submission and a search are answered on the ack, now or later. False when the piece is something else; it is still the
 * caller's then. */
static bool answer_form(struct hm_intake *intake, struct piece *piece)
{
    struct hm_slack_request req;
    if (!piece->interactive)
        return false;
    hm_slack_request_parse(piece->text, piece->len, &req);
    bool submitted = req.kind == HM_SLACK_VIEW_SUBMISSION || req.kind == HM_SLACK_SUGGESTION;
    if (submitted && intake->forms_held) {
        *intake->forms_tail = piece;
        intake->forms_tail = &piece->next;
    } else if (submitted) {
        intake->later = false;
        char *payload = intake->opts.submitted(intake->opts.arg, piece->inbox_id, &req);
        intake->stats.handled++;
        if (intake->later) {
            piece->next = intake->unanswered;
            intake->unanswered = piece;
        } else {
            ack(intake, piece, payload);
            free_piece(piece);
        }
        free(payload);
    }
    hm_slack_request_done(&req);
    return submitted;
}

/* Fresh and journaled. */
static void take(struct hm_intake *intake, struct piece *piece)
{
    if (answer_form(intake, piece))
        return;
    ack(intake, piece, NULL);
    enqueue(intake, piece);
}

static void on_put(void *arg, const struct hm_put_result *result)
{
    struct piece *piece = arg;
    struct hm_intake *intake = piece->intake;
    intake->being_written--;
    if (result->code != HM_OK) {
        intake->stats.refused++;
        intake->opts.refused(intake->opts.arg, result->error);
        free_piece(piece); /* no ack: nothing accepted, nothing lost */
        return;
    }
    piece->inbox_id = result->inbox_id;
    if (!result->fresh) { /* seen before: whoever took it first finishes it */
        intake->stats.duplicates++;
        ack(intake, piece, NULL);
        free_piece(piece);
        return;
    }
    intake->stats.fresh++;
    take(intake, piece);
}

void hm_intake_hold_forms(struct hm_intake *intake, bool hold)
{
    struct piece *piece = intake->forms;
    intake->forms_held = hold;
    if (hold)
        return;
    intake->forms = NULL;
    intake->forms_tail = &intake->forms;
    while (piece != NULL) {
        struct piece *next = piece->next;
        piece->next = NULL;
        take(intake, piece);
        piece = next;
    }
}

void hm_intake_envelope(struct hm_intake *intake, struct hm_ack_ticket ticket, const struct hm_envelope *env)
{
    struct piece *piece = piece_new(intake, env->envelope_id, env->text, env->len);
    struct hm_batch *batch = hm_batch_new();
    intake->stats.received++;
    intake->being_written++;
    piece->ticket = ticket;
    piece->interactive = strcmp(env->type, "interactive") == 0;
    hm_batch_inbox(batch, env->dedupe_key, env->type, env->text, env->len);
    hm_journal_put(intake->opts.journal, batch, on_put, piece);
}

static bool on_open_row(void *arg, const struct hm_inbox_row *row)
{
    struct hm_intake *intake = arg;
    struct piece *piece = piece_new(intake, "", row->text, row->len);
    piece->inbox_id = row->id;
    piece->stored_ms = row->wall_ms;
    enqueue(intake, piece);
    return true;
}

enum hm_code hm_intake_restore(struct hm_intake *intake, const char *journal_path, struct hm_err *err)
{
    struct hm_journal_reader *reader = hm_journal_reader_open(journal_path, err);
    if (reader == NULL)
        return HM_EENV;
    enum hm_code code = hm_journal_inbox_open(reader, on_open_row, intake, err);
    hm_journal_reader_free(reader);
    return code;
}

void hm_intake_later(struct hm_intake *intake)
{
    intake->later = true;
}

void hm_intake_answer(struct hm_intake *intake, int64_t inbox_id, const char *payload)
{
    for (struct piece **at = &intake->unanswered; *at != NULL; at = &(*at)->next) {
        struct piece *piece = *at;
        if (piece->inbox_id != inbox_id)
            continue;
        *at = piece->next;
        ack(intake, piece, payload);
        free_piece(piece);
        return;
    }
}

/* A row being closed. */
struct closing {
    struct hm_intake *intake;
    int64_t inbox_id;
};

/* A row that stays open would be handled once more after a restart, although its person has had an answer. */
static void on_closed(void *arg, const struct hm_put_result *result)
{
    struct closing *closing = arg;
    struct hm_intake *intake = closing->intake;
    if (result->code == HM_EIO) {
        intake->unclosed = hm_xreallocarray(intake->unclosed, intake->n_unclosed + 1, sizeof intake->unclosed[0]);
        intake->unclosed[intake->n_unclosed++] = closing->inbox_id;
        if (!hm_timer_active(intake->close_timer))
            hm_timer_start(intake->close_timer, CLOSE_AGAIN_MS);
    }
    free(closing);
}

void hm_intake_stop(struct hm_intake *intake)
{
    intake->stopped = true;
    intake->socket = NULL;
    hm_timer_stop(intake->timer);
}

void hm_intake_done(struct hm_intake *intake, int64_t inbox_id)
{
    if (intake->stopped)
        return;
    struct hm_batch *batch = hm_batch_new();
    struct closing *closing = hm_xmalloc(sizeof *closing);
    *closing = (struct closing){intake, inbox_id};
    hm_batch_inbox_done(batch, inbox_id);
    hm_journal_put(intake->opts.journal, batch, on_closed, closing);
}

void hm_intake_stats(const struct hm_intake *intake, struct hm_intake_stats *ret_stats)
{
    *ret_stats = intake->stats;
}
