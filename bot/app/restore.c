/* Taking up what was left: see restore.h. */
#include "app/restore.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/timer.h"

enum { SLICE_MS = 5 };

struct hm_restore {
    struct hm_restore_opts opts;
    struct hm_timer *timer;
    char **ids; /* newest first: read from the end */
    size_t n, left;
    int64_t began_ms;
};

static void finish(struct hm_restore *restore)
{
    const struct hm_restore_opts *o = &restore->opts;
    hm_runner_restored(o->runner);
    hm_cards_restored(o->cards);
    if (restore->n > 0)
        hm_log(HM_LOG_INFO, "bot", "%zu open runs read in %lld ms", restore->n,
               (long long)(hm_mono_ms(o->clock) - restore->began_ms));
    o->done(o->arg, HM_OK, "");
}

static void on_slice(void *arg)
{
    struct hm_restore *restore = arg;
    const struct hm_restore_opts *o = &restore->opts;
    int64_t until_ms = hm_mono_ms(o->clock) + SLICE_MS;
    for (unsigned n = 0; restore->left > 0; n++) {
        struct hm_err err = {0};
        if ((o->at_once > 0 && n >= o->at_once) || hm_mono_ms(o->clock) > until_ms) {
            hm_timer_start(restore->timer, 0);
            return;
        }
        if (hm_runner_restore(o->runner, restore->ids[restore->left - 1], &err) != HM_OK) {
            o->done(o->arg, err.code, err.msg);
            return;
        }
        restore->left--;
    }
    finish(restore);
}

struct hm_restore *hm_restore_new(const struct hm_restore_opts *opts, struct hm_err *err)
{
    struct hm_restore *restore = hm_xcalloc(1, sizeof *restore);
    restore->opts = *opts;
    restore->began_ms = hm_mono_ms(opts->clock);
    restore->timer = hm_timer_new(opts->loop, on_slice, restore);
    enum hm_code code = hm_cards_restore(opts->cards, err);
    if (code == HM_OK)
        code = hm_ledger_open_runs(opts->ledger, &restore->ids, &restore->n, err);
    restore->left = restore->n;
    if (code != HM_OK) {
        hm_restore_free(restore);
        return NULL;
    }
    hm_timer_start(restore->timer, 0);
    return restore;
}

void hm_restore_free(struct hm_restore *restore)
{
    if (restore == NULL)
        return;
    for (size_t i = 0; i < restore->n; i++)
        free(restore->ids[i]);
    free(restore->ids);
    hm_timer_free(restore->timer);
    free(restore);
}

size_t hm_restore_left(const struct hm_restore *restore)
{
    return restore->left;
}
