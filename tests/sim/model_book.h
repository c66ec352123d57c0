/* Inside of the book: shared by model_journal.c, model_reader.c and the checks at rest alone. */
#ifndef HM_SIM_MODEL_BOOK_H
#define HM_SIM_MODEL_BOOK_H

#include "model_journal.h"
#include "sim.h"

struct hm_journal {
    int unused; /* the book is found through `sim` */
};

struct batches {
    struct hm_batch **items;
    size_t n, cap;
};

struct link {
    struct book_run *run;
    size_t row;
};

struct value {
    char *space, *key, *text; /* text NULL: deleted */
};

/* What happened to an alarm: events that are no run's. Only how many there are is of interest here. */
struct notes {
    char *id;
    int64_t n;
};

struct recipe_text {
    char *sha, *text;
};

struct book {
    struct hm_journal journal;
    struct batches queued, unreported, limbo;
    struct book_run **runs;
    size_t n_runs;
    struct link *chain; /* all events in the order in which they were written */
    size_t n_chain;
    struct inbox *inbox; /* inbox[i] has id i + 1 */
    size_t n_inbox;
    struct value *values;
    size_t n_values;
    struct recipe_text *texts;
    size_t n_texts;
    struct notes *notes;
    size_t n_notes;
};

/* How many notes there are under this id. */
int64_t book_notes(const char *id);

#endif
