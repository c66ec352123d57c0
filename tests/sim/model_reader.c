/* Reading the book: the second half of journal/journal.h, and what the checks look up. Every row is parsed anew from its text, as
 * the real reader does, so that nothing in the bot's memory is shared with what the checks measure it by. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "journal/journal.h"
#include "model_book.h"

struct hm_journal_reader {
    int unused;
};
static struct hm_journal_reader the_reader;

size_t book_runs(void)
{
    return sim->book->n_runs;
}

struct book_run *book_run(size_t index)
{
    return sim->book->runs[index];
}

struct book_run *book_find(const char *run_id)
{
    for (size_t i = 0; i < sim->book->n_runs; i++)
        if (strcmp(sim->book->runs[i]->id, run_id) == 0)
            return sim->book->runs[i];
    return NULL;
}

size_t book_inbox_size(void)
{
    return sim->book->n_inbox;
}

const struct inbox *book_inbox(size_t index)
{
    return &sim->book->inbox[index];
}

const struct inbox *book_inbox_find(const char *key)
{
    for (size_t i = 0; i < sim->book->n_inbox; i++)
        if (strcmp(sim->book->inbox[i].key, key) == 0)
            return &sim->book->inbox[i];
    return NULL;
}

const char *book_value(const char *space, const char *key)
{
    for (size_t i = 0; i < sim->book->n_values; i++)
        if (strcmp(sim->book->values[i].space, space) == 0 && strcmp(sim->book->values[i].key, key) == 0)
            return sim->book->values[i].text;
    return NULL;
}

int64_t book_notes(const char *id)
{
    for (size_t i = 0; i < sim->book->n_notes; i++)
        if (strcmp(sim->book->notes[i].id, id) == 0)
            return sim->book->notes[i].n;
    return 0;
}

bool book_is_held(void)
{
    const char *text = book_value("control", "hold");
    return text != NULL && strstr(text, "\"held\":true") != NULL;
}

struct hm_journal_reader *hm_journal_reader_open(const char *path, struct hm_err *err)
{
    (void)path;
    (void)err;
    return &the_reader;
}

void hm_journal_reader_free(struct hm_journal_reader *reader)
{
    (void)reader;
}

static bool visit_row(const struct book_run *run, size_t index, bool (*visit)(void *arg, const struct hm_event_row *row),
                      void *arg)
{
    const struct row *row = &run->rows[index];
    json_t *data = hm_json_parse_new(row->text, strlen(row->text), 10000000, NULL);
    const struct hm_event_row out = {
        .id = row->event.nr,
        .run_id = run->id,
        .seq = (int64_t)index + 1,
        .type = hm_event_name(row->event.type),
        .data = data,
        .wall_ms = row->event.at_ms,
        .hash = "",
    };
    bool go_on = visit(arg, &out);
    json_decref(data);
    return go_on;
}

enum hm_code hm_journal_events(struct hm_journal_reader *reader, const char *run_id, bool open_only,
                               bool (*visit)(void *arg, const struct hm_event_row *row), void *arg, struct hm_err *err)
{
    const struct book_run *run = run_id != NULL ? book_find(run_id) : NULL;
    (void)reader;
    (void)err;
    for (int64_t n = 1; run_id != NULL && n <= book_notes(run_id); n++) {
        const struct hm_event_row note = {.run_id = run_id, .seq = n, .type = "alarm.noted", .hash = ""};
        if (!visit(arg, &note))
            return HM_OK;
    }
    for (size_t i = 0; run != NULL && i < run->n_rows; i++)
        if (!visit_row(run, i, visit, arg))
            return HM_OK;
    for (size_t i = 0; run_id == NULL && i < sim->book->n_chain; i++) {
        const struct link *link = &sim->book->chain[i];
        if ((link->run->open || !open_only) && !visit_row(link->run, link->row, visit, arg))
            return HM_OK;
    }
    return HM_OK;
}

enum hm_code hm_journal_last_event(struct hm_journal_reader *reader, const char *run_id, const char *type,
                                   bool (*visit)(void *arg, const struct hm_event_row *row), void *arg, struct hm_err *err)
{
    const struct book_run *run = book_find(run_id);
    (void)reader;
    (void)err;
    for (size_t i = run != NULL ? run->n_rows : 0; i-- > 0;) {
        if (strcmp(hm_event_name(run->rows[i].event.type), type) != 0)
            continue;
        (void)visit_row(run, i, visit, arg);
        break;
    }
    return HM_OK;
}

/* Newest first. */
enum hm_code hm_journal_runs(struct hm_journal_reader *reader, bool open_only, size_t limit,
                             bool (*visit)(void *arg, const struct hm_run_row *row), void *arg, struct hm_err *err)
{
    (void)reader;
    (void)err;
    for (size_t i = sim->book->n_runs, seen = 0; i-- > 0 && seen < limit;) {
        const struct book_run *run = sim->book->runs[i];
        if ((open_only && !run->open) || run->n_rows == 0)
            continue;
        const json_t *first = run->rows[0].event.data;
        const struct hm_run_row row = {
            .run_id = run->id,
            .recipe = hm_json_get_str(first, "recipe", ""),
            .requester = hm_json_get_str(first, "requester", ""),
            .open = run->open,
            .started_ms = run->rows[0].event.at_ms,
            .changed_ms = run->rows[run->n_rows - 1].event.at_ms,
            .events = (int64_t)run->n_rows,
        };
        seen++;
        if (!visit(arg, &row))
            break;
    }
    return HM_OK;
}

enum hm_code hm_journal_inbox_open(struct hm_journal_reader *reader, bool (*visit)(void *arg, const struct hm_inbox_row *row),
                                   void *arg, struct hm_err *err)
{
    (void)reader;
    (void)err;
    for (size_t i = 0; i < sim->book->n_inbox; i++) {
        const struct inbox *in = &sim->book->inbox[i];
        const struct hm_inbox_row row = {in->id, in->key, in->type, in->text, in->len, in->wall_ms};
        if (!in->done && !visit(arg, &row))
            break;
    }
    return HM_OK;
}

char *hm_journal_recipe_text(struct hm_journal_reader *reader, const char *sha256, struct hm_err *err)
{
    (void)reader;
    for (size_t i = 0; i < sim->book->n_texts; i++)
        if (strcmp(sim->book->texts[i].sha, sha256) == 0)
            return hm_xstrdup(sim->book->texts[i].text);
    (void)hm_err_set(err, HM_ENOTFOUND, "no such text");
    return NULL;
}

enum hm_code hm_journal_values(struct hm_journal_reader *reader, const char *space,
                               bool (*visit)(void *arg, const char *key, const json_t *value), void *arg, struct hm_err *err)
{
    (void)reader;
    (void)err;
    for (size_t i = 0; i < sim->book->n_values; i++) {
        const struct value *value = &sim->book->values[i];
        if (value->text == NULL || strcmp(value->space, space) != 0)
            continue;
        json_t *json = hm_json_parse_new(value->text, strlen(value->text), 10000000, NULL);
        bool go_on = visit(arg, value->key, json);
        json_decref(json);
        if (!go_on)
            break;
    }
    return HM_OK;
}
