/* Forgets old envelopes: see prune.h. */
#include "app/prune.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/timer.h"

enum { FIRST_MS = 60 * 1000, EVERY_MS = 60 * 60 * 1000, NEXT_MS = 200 };

struct hm_prune {
    struct hm_journal *journal;
    const struct hm_clock *clock;
    struct hm_timer *timer; /* NULL: stopped */
    int64_t keep_ms;        /* 0 = not known yet */
    uint64_t forgotten;     /* in this round */
    bool writing;
};

static void on_pruned(void *arg, const struct hm_put_result *result)
{
    struct hm_prune *prune = arg;
    bool more = result->code == HM_OK && result->pruned == HM_PRUNED_AT_ONCE;
    prune->writing = false;
    prune->forgotten += result->code == HM_OK ? result->pruned : 0;
    if (!more && prune->forgotten > 0) {
        hm_log(HM_LOG_INFO, "journal", "%llu old envelopes were forgotten", (unsigned long long)prune->forgotten);
        prune->forgotten = 0;
    }
    if (prune->timer != NULL)
        hm_timer_start(prune->timer, more ? NEXT_MS : EVERY_MS);
}

void hm_prune_now(struct hm_prune *prune)
{
    if (prune->writing || prune->keep_ms == 0 || prune->timer == NULL)
        return;
    struct hm_batch *batch = hm_batch_new();
    hm_batch_inbox_prune(batch, hm_wall_ms(prune->clock) - prune->keep_ms);
    prune->writing = true;
    hm_journal_put(prune->journal, batch, on_pruned, prune);
}

static void on_timer(void *arg)
{
    hm_prune_now(arg);
}

struct hm_prune *hm_prune_new(uv_loop_t *loop, struct hm_journal *journal, const struct hm_clock *clock)
{
    struct hm_prune *prune = hm_xcalloc(1, sizeof *prune);
    *prune = (struct hm_prune){.journal = journal, .clock = clock, .timer = hm_timer_new(loop, on_timer, prune)};
    hm_timer_start(prune->timer, FIRST_MS);
    return prune;
}

void hm_prune_stop(struct hm_prune *prune)
{
    hm_timer_free(prune->timer);
    prune->timer = NULL;
}

void hm_prune_free(struct hm_prune *prune)
{
    free(prune);
}

void hm_prune_use(struct hm_prune *prune, const struct hm_settings *settings)
{
    prune->keep_ms = settings->keep_envelopes_ms;
}
