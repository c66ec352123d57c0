/* Long lists for files: see paper.h. */
#include "view/paper.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "view/card_parts.h"
#include "view/words.h"

enum { PAPER_MAX = 8 << 20 };

static void add_head(struct hm_strbuf *out, const struct hm_run *run, int64_t at_ms)
{
    char when[HM_TIME_MAX];
    hm_strbuf_addf(out, "%s\nrun %s, recipe %s, asked by %s, %s\n", run->recipe->title, run->id, run->recipe->name,
                   run->requester, hm_format_time(at_ms, when));
}

/* What does not fit says so, and where it is. */
static char *finish(struct hm_strbuf *out, const struct hm_run *run, size_t left)
{
    if (left > 0)
        hm_strbuf_addf(out, "\n%zu more %s not fit into this file; `hausmeister runs %s` has all of it.\n", left,
                       hm_plural((int64_t)left, "does", "do"), run->id);
    return hm_strbuf_take(out);
}

char *hm_paper_plan(const struct hm_run *run, int gate_step, const struct hm_plan *plan)
{
    struct hm_strbuf out;
    size_t i = 0;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    add_head(&out, run, run->steps[gate_step].gate.opened_ms);
    hm_strbuf_addf(&out, "plan %s\n%zu requests: exactly these are sent when the gate \"%s\" is approved\n", plan->digest,
                   plan->n_calls, run->recipe->steps[gate_step].id);
    for (; i < plan->n_calls && out.len < PAPER_MAX; i++) {
        char *text = hm_word_request(plan->calls[i].request);
        hm_strbuf_addf(&out, "\n%zu. %s, %.12s\n%s\n", i + 1, run->recipe->steps[plan->calls[i].step].id, plan->calls[i].digest,
                       text);
        free(text);
    }
    return finish(&out, run, plan->n_calls - i);
}

static size_t add_failed(struct hm_strbuf *out, const struct hm_step *step, const struct hm_step_state *state)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n_calls; i++) {
        const struct hm_call *call = &state->calls[i];
        if (call->phase != HM_CALL_FAILED)
            continue;
        char *name = hm_card_item_name(state, i);
        hm_strbuf_addf(out, "\n%s %s: %s", step->id, name, hm_streq(call->code, "not-sent") ? "not sent" : "failed");
        if (call->error != NULL)
            hm_strbuf_addf(out, ": %s", call->error);
        free(name);
        n++;
    }
    return n;
}

char *hm_paper_failed(const struct hm_run *run)
{
    struct hm_strbuf out;
    size_t n = 0;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    add_head(&out, run, run->ended_ms);
    for (size_t i = 0; i < run->recipe->n_steps && out.len < PAPER_MAX; i++)
        if (run->steps[i].items != NULL)
            n += add_failed(&out, &run->recipe->steps[i], &run->steps[i]);
    hm_strbuf_addc(&out, '\n');
    if (n >= HM_PAPER_FAILED_FROM)
        return finish(&out, run, 0);
    hm_strbuf_done(&out);
    return NULL;
}

char *hm_paper_list(const struct hm_run *run, int step, const json_t *list)
{
    struct hm_strbuf out;
    size_t i = 0, n = json_array_size(list);
    if (n == 0)
        return NULL;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    add_head(&out, run, run->started_ms);
    hm_strbuf_addf(&out, "%s: %zu\n\n", hm_word_step(&run->recipe->steps[step]), n);
    for (; i < n && out.len < PAPER_MAX; i++) {
        const json_t *item = json_array_get(list, i);
        const char *text = json_is_string(item) ? json_string_value(item) : hm_json_get_str(item, "text", NULL);
        char *made = text == NULL ? hm_json_text(item) : NULL;
        hm_strbuf_addf(&out, "%s\n", text != NULL ? text : made);
        free(made);
    }
    return finish(&out, run, n - i);
}
