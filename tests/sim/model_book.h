/* Inside of the book: shared by model_journal.c and model_reader.c alone. */
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
};

/* NULL when there is none. */
const char *book_value(const char *space, const char *key);

#endif
