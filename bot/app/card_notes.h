/* What the journal remembers of each card, as it is now: where it is and what it shows. Kept small, because there is one for each
 * run that waits for people. Nothing here can fail. */
#ifndef HM_APP_CARD_NOTES_H
#define HM_APP_CARD_NOTES_H

#include <jansson.h>
#include <stdbool.h>

struct hm_card_notes;

struct hm_card_note {
    char *run_id;                /* the key */
    char *channel, *ts, *digest; /* NULL = not known; set with hm_card_note_set() */
};

struct hm_card_notes *hm_card_notes_new(void);
void hm_card_notes_free(struct hm_card_notes *notes);

/* NULL when there is none. */
struct hm_card_note *hm_card_notes_find(const struct hm_card_notes *notes, const char *run_id);
/* Makes it if need be. */
struct hm_card_note *hm_card_notes_need(struct hm_card_notes *notes, const char *run_id);
void hm_card_notes_forget(struct hm_card_notes *notes, const char *run_id);
/* All, in no order; visit must not change the notes. */
void hm_card_notes_each(const struct hm_card_notes *notes, void (*visit)(void *arg, const struct hm_card_note *note), void *arg);

/* at: &note->channel, &note->ts or &note->digest. True when it was something else before. */
bool hm_card_note_set(char **at, const char *text);

/* As the journal has it: {channel, ts, digest}, of which any may be missing. note NULL: an empty one. */
json_t *hm_card_note_json_new(const struct hm_card_note *note);
void hm_card_note_read(struct hm_card_note *note, const json_t *value);

#endif
