/* Taking up what an earlier process left: a slice in each turn of the loop, so that Slack is dialled, and what it delivers
 * journaled and acknowledged, while 10,000 runs are being read.
 *
 * Happy path: hm_restore_new() lists the open runs; in the turns that follow each is read from the journal and shown; then the
 * runner settles what was under way, cards of runs that ended just before are shown, and done() comes. Until then nothing may be
 * started or clicked: the caller holds the intake. Failure: the journal can not be read: done() says so, and nothing more
 * happens; the process should end, for only a person can mend that. */
#ifndef HM_APP_RESTORE_H
#define HM_APP_RESTORE_H

#include <uv.h>

#include "app/cards.h"
#include "app/ledger.h"

struct hm_restore;

struct hm_restore_opts {
    uv_loop_t *loop;
    const struct hm_clock *clock;
    struct hm_ledger *ledger;
    struct hm_runner *runner;
    struct hm_cards *cards;
    unsigned at_once; /* most runs in a slice; 0 = as many as fit into a few milliseconds */
    /* All is there, or code is not HM_OK. */
    void (*done)(void *arg, enum hm_code code, const char *problem);
    void *arg;
};

/* NULL with err set when the journal can not be read. done() comes later. */
struct hm_restore *hm_restore_new(const struct hm_restore_opts *opts, struct hm_err *err);
/* Stops it, wherever it is. */
void hm_restore_free(struct hm_restore *restore);
/* How many runs are not there yet. */
size_t hm_restore_left(const struct hm_restore *restore);

#endif
