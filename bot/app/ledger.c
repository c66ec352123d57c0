/* Runs in the journal: see ledger.h. */
#include "app/ledger.h"

#include <stdlib.h>

#include "app/cards.h"
#include "app/notices.h"
#include "app/papers.h"
#include "app/watch.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

struct hm_ledger {
    struct hm_journal *journal;
    const char *path;
    struct hm_journal_reader *reader; /* opened when first needed */
    struct hm_notices *notices;       /* NULL = none */
    struct hm_papers *papers;         /* NULL = none */
};

/* A commit under way. */
struct writing {
    struct hm_runner *runner;
    void *token;
    struct hm_notices *notices;
    json_t *owed; /* to be told once it is committed, or NULL */
    struct hm_papers *papers;
    json_t *files; /* to be sent once it is committed, or NULL */
};

struct hm_ledger *hm_ledger_new(struct hm_journal *journal, const char *path)
{
    struct hm_ledger *ledger = hm_xcalloc(1, sizeof *ledger);
    ledger->journal = journal;
    ledger->path = path;
    return ledger;
}

void hm_ledger_attach(struct hm_ledger *ledger, struct hm_notices *notices)
{
    ledger->notices = notices;
}

void hm_ledger_attach_papers(struct hm_ledger *ledger, struct hm_papers *papers)
{
    ledger->papers = papers;
}

void hm_ledger_free(struct hm_ledger *ledger)
{
    if (ledger == NULL)
        return;
    hm_journal_reader_free(ledger->reader);
    free(ledger);
}

static void on_written(void *arg, const struct hm_put_result *result)
{
    struct writing *writing = arg;
    if (result->code != HM_OK)
        json_decref(writing->owed);
    else if (writing->owed != NULL)
        hm_notices_post(writing->notices, writing->owed);
    hm_runner_committed(writing->runner, writing->token, result->code, result->error);
    if (result->code != HM_OK)
        json_decref(writing->files);
    else if (writing->files != NULL)
        hm_papers_send(writing->papers, writing->files);
    free(writing);
}

/* What an alarm has to hear of the run that it offered: that it began, and how it ended. Written with the run's own events, so
 * that a crash before the alarm has heard of it loses nothing (watch.h). */
static void owe_alarm(struct hm_batch *batch, const struct hm_commit *commit)
{
    int64_t seq = 0;
    for (size_t i = 0; commit->run->alarm != NULL && i < commit->events->count; i++) {
        enum hm_event_type type = commit->events->items[i].type;
        if (type == HM_EV_RUN_STARTED || type == HM_EV_RUN_FINISHED || type == HM_EV_RUN_REOPENED)
            seq = commit->first_seq + (int64_t)i;
    }
    if (seq == 0)
        return;
    json_t *link = hm_json_obj_new();
    hm_json_set_str(link, "run", commit->run_id);
    hm_json_set_int(link, "seq", seq);
    hm_batch_set(batch, HM_WATCH_RUNS_SPACE, commit->run->alarm, link);
}

void hm_ledger_commit(struct hm_ledger *ledger, struct hm_runner *runner, const struct hm_commit *commit, json_t *stolen_card,
                      void *token)
{
    const struct hm_run *run = commit->run;
    struct hm_batch *batch = hm_batch_new();
    struct writing *writing = hm_xmalloc(sizeof *writing);
    *writing = (struct writing){.runner = runner, .token = token, .notices = ledger->notices, .papers = ledger->papers};

    if (commit->recipe != NULL)
        hm_batch_recipe_text(batch, commit->recipe->sha256, commit->recipe->text);
    hm_batch_run(batch, commit->run_id, run->recipe->name, run->requester, run->status == HM_RUN_GOING);
    for (size_t i = 0; i < commit->events->count; i++) {
        const struct hm_event *event = &commit->events->items[i];
        hm_batch_event(batch, commit->run_id, commit->first_seq + (int64_t)i, hm_event_name(event->type), event->at_ms,
                       json_incref(event->data));
    }
    if (stolen_card != NULL)
        hm_batch_set(batch, HM_CARDS_SPACE, commit->run_id, stolen_card);
    owe_alarm(batch, commit);
    if (ledger->notices != NULL)
        writing->owed = hm_notices_of_commit_new(ledger->notices, batch, commit);
    if (ledger->papers != NULL)
        writing->files = hm_papers_of_commit_new(ledger->papers, batch, commit);
    if (commit->inbox_id != 0)
        hm_batch_inbox_done(batch, commit->inbox_id);
    hm_journal_put(ledger->journal, batch, on_written, writing);
}

void hm_ledger_rest(struct hm_ledger *ledger)
{
    hm_journal_reader_free(ledger->reader);
    ledger->reader = NULL;
}

static struct hm_journal_reader *reader_of(struct hm_ledger *ledger, struct hm_err *err)
{
    if (ledger->reader == NULL)
        ledger->reader = hm_journal_reader_open(ledger->path, err);
    return ledger->reader;
}

/* A journal row as an event; the data is borrowed. False when its type is none of ours. */
static bool as_event(const struct hm_event_row *row, struct hm_event *ret_event)
{
    *ret_event = (struct hm_event){.data = hm_unconst(row->data), .at_ms = row->wall_ms, .nr = row->id};
    return hm_event_parse(row->type, &ret_event->type);
}

struct loading {
    bool (*visit)(void *arg, const struct hm_event *event);
    void *arg;
    struct hm_err *err;
    size_t count;
    bool foreign;
};

static bool on_row(void *arg, const struct hm_event_row *row)
{
    struct loading *loading = arg;
    struct hm_event event;
    loading->count++;
    if (loading->visit == NULL)
        return false;
    if (!as_event(row, &event)) {
        loading->foreign = true;
        (void)hm_err_set(loading->err, HM_EENV, "event %lld is of a kind that this version does not know: %.60s",
                         (long long)row->seq, row->type);
        return false;
    }
    return loading->visit(loading->arg, &event);
}

enum hm_code hm_ledger_load(struct hm_ledger *ledger, const char *run_id,
                            bool (*visit)(void *visit_arg, const struct hm_event *event), void *visit_arg, struct hm_err *err)
{
    struct loading loading = {.visit = visit, .arg = visit_arg, .err = err};
    struct hm_journal_reader *reader = reader_of(ledger, err);
    if (reader == NULL)
        return HM_EIO;
    enum hm_code code = hm_journal_events(reader, run_id, false, on_row, &loading, err);
    if (code != HM_OK)
        return code;
    if (loading.foreign)
        return HM_EENV;
    return loading.count > 0 ? HM_OK : hm_err_set(err, HM_ENOTFOUND, "there is no run %s", run_id);
}

struct listing {
    char **ids;
    size_t n, room;
};

static bool on_run(void *arg, const struct hm_run_row *row)
{
    struct listing *l = arg;
    if (l->n == l->room) {
        l->room = l->room > 0 ? 2 * l->room : 64;
        l->ids = hm_xreallocarray(l->ids, l->room, sizeof(char *));
    }
    l->ids[l->n++] = hm_xstrdup(row->run_id);
    return true;
}

enum hm_code hm_ledger_open_runs(struct hm_ledger *ledger, char ***ret_ids, size_t *ret_n, struct hm_err *err)
{
    struct listing l = {0};
    struct hm_journal_reader *reader = reader_of(ledger, err);
    enum hm_code code = reader != NULL ? hm_journal_runs(reader, true, SIZE_MAX, on_run, &l, err) : HM_EIO;
    *ret_ids = l.ids;
    *ret_n = l.n;
    return code;
}
