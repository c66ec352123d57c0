/* Notes of cards: see card_notes.h. */
#include "app/card_notes.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct hm_card_notes {
    void *tree; /* tsearch(3) by run_id */
};

static int compare(const void *a, const void *b)
{
    const struct hm_card_note *x = a;
    const struct hm_card_note *y = b;
    return strcmp(x->run_id, y->run_id);
}

static void free_note(void *node)
{
    struct hm_card_note *note = node;
    free(note->run_id);
    free(note->channel);
    free(note->ts);
    free(note->digest);
    free(note);
}

struct hm_card_notes *hm_card_notes_new(void)
{
    return hm_xcalloc(1, sizeof(struct hm_card_notes));
}

void hm_card_notes_free(struct hm_card_notes *notes)
{
    if (notes == NULL)
        return;
    tdestroy(notes->tree, free_note);
    free(notes);
}

struct hm_card_note *hm_card_notes_find(const struct hm_card_notes *notes, const char *run_id)
{
    struct hm_card_note key = {.run_id = hm_unconst(run_id)};
    struct hm_card_note *const *found = tfind(&key, &notes->tree, compare);
    return found != NULL ? *found : NULL;
}

struct hm_card_note *hm_card_notes_need(struct hm_card_notes *notes, const char *run_id)
{
    struct hm_card_note *note = hm_card_notes_find(notes, run_id);
    if (note != NULL)
        return note;
    note = hm_xcalloc(1, sizeof *note);
    note->run_id = hm_xstrdup(run_id);
    void *node = tsearch(note, &notes->tree, compare);
    HM_ASSERT(node != NULL);
    return note;
}

void hm_card_notes_forget(struct hm_card_notes *notes, const char *run_id)
{
    struct hm_card_note *note = hm_card_notes_find(notes, run_id);
    if (note == NULL)
        return;
    (void)tdelete(note, &notes->tree, compare);
    free_note(note);
}

struct walking {
    void (*visit)(void *arg, const struct hm_card_note *note);
    void *arg;
};

static void walk(const void *node, VISIT which, void *closure)
{
    const struct walking *walking = closure;
    if (which == postorder || which == leaf)
        walking->visit(walking->arg, *(struct hm_card_note *const *)node);
}

void hm_card_notes_each(const struct hm_card_notes *notes, void (*visit)(void *arg, const struct hm_card_note *note), void *arg)
{
    struct walking walking = {visit, arg};
    twalk_r(notes->tree, walk, &walking);
}

bool hm_card_note_set(char **at, const char *text)
{
    if (*at == text || hm_streq(*at, text))
        return false;
    char *copy = hm_xstrdup_null(text);
    free(*at);
    *at = copy;
    return true;
}

static void add(json_t *value, const char *key, const char *text)
{
    if (text != NULL)
        hm_json_set_str(value, key, text);
}

json_t *hm_card_note_json_new(const struct hm_card_note *note)
{
    json_t *value = hm_json_obj_new();
    if (note == NULL)
        return value;
    add(value, "channel", note->channel);
    add(value, "ts", note->ts);
    add(value, "digest", note->digest);
    return value;
}

void hm_card_note_read(struct hm_card_note *note, const json_t *value)
{
    (void)hm_card_note_set(&note->channel, hm_json_get_str(value, "channel", NULL));
    (void)hm_card_note_set(&note->ts, hm_json_get_str(value, "ts", NULL));
    (void)hm_card_note_set(&note->digest, hm_json_get_str(value, "digest", NULL));
}
