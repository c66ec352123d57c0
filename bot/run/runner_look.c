/* Looking at all runs. See runner.h and runner_parts.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/runner_parts.h"

bool hm_slot_is_quarantined(const struct hm_slot *e)
{
    return e->run != NULL && e->run->broken != NULL;
}

void hm_runner_each(struct hm_runner *runner, void (*visit)(void *arg, const struct hm_run *run), void *arg)
{
    for (size_t i = 0; i < runner->count; i++) {
        struct hm_slot *e = runner->entries[i];
        if (e->born && hm_slot_wake(e))
            visit(arg, e->run);
        hm_rest_some(runner);
    }
}

static int64_t started_ms(const struct hm_slot *e)
{
    return e->run != NULL ? e->run->started_ms : e->rest_since_ms;
}

size_t hm_runner_newest(struct hm_runner *runner, const struct hm_run **ret_runs, size_t most)
{
    struct hm_slot **newest = hm_xcalloc(most + 1, sizeof(struct hm_slot *));
    size_t n = 0;
    size_t found = 0;
    for (size_t i = 0; i < runner->count; i++) {
        struct hm_slot *e = runner->entries[i];
        size_t at = n;
        if (!e->born || (e->broken && !hm_slot_is_quarantined(e)))
            continue;
        while (at > 0 && started_ms(newest[at - 1]) < started_ms(e))
            at--;
        if (at == most)
            continue;
        n += n < most ? 1 : 0;
        memmove(&newest[at + 1], &newest[at], (n - 1 - at) * sizeof(struct hm_slot *));
        newest[at] = e;
    }
    for (size_t i = 0; i < n; i++)
        if (hm_slot_wake(newest[i]) || hm_slot_is_quarantined(newest[i]))
            ret_runs[found++] = newest[i]->run;
    free(newest);
    return found;
}

void hm_runner_each_awake(const struct hm_runner *runner, void (*visit)(void *arg, const struct hm_run *run), void *arg)
{
    const struct hm_slot *e = NULL;
    TAILQ_FOREACH(e, &runner->awake, awake)
    {
        if (e->born && !e->broken)
            visit(arg, e->run);
    }
}

void hm_runner_each_broken(struct hm_runner *runner, void (*visit)(void *arg, const struct hm_run *run), void *arg)
{
    for (size_t i = 0; i < runner->count; i++)
        if (hm_slot_is_quarantined(runner->entries[i]))
            visit(arg, runner->entries[i]->run);
}

size_t hm_runner_count(const struct hm_runner *runner)
{
    return runner->count;
}

bool hm_runner_idle(const struct hm_runner *runner)
{
    return runner->committing == 0;
}
