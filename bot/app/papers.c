/* Files under the cards: see papers.h. */
#include "app/papers.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/timer.h"
#include "run/decide.h"
#include "run/plan.h"
#include "slack/web_api.h"
#include "view/paper.h"

enum { AGAIN_MS = 5000, TRIES = 200 };

/* A file on its way. */
struct paper {
    struct paper *next;
    struct hm_papers *papers;
    char *key, *run_id, *name, *title, *comment;
    char *channel, *thread; /* NULL: its card is not there yet */
    json_t *value;          /* what the journal has of it */
    char *text;
    char *file_id;
    char *url;
    unsigned tries;
    bool busy;
};

struct hm_papers {
    struct hm_papers_opts opts;
    struct hm_timer *timer;
    struct paper *list;
};

static void free_paper(struct paper *paper)
{
    char *const strings[] = {paper->key,     paper->run_id, paper->name, paper->title,   paper->comment,
                             paper->channel, paper->thread, paper->text, paper->file_id, paper->url};
    for (size_t i = 0; i < HM_ARRAY_LEN(strings); i++)
        free(strings[i]);
    json_decref(paper->value);
    free(paper);
}

static void forget(struct hm_papers *papers, const char *key)
{
    struct hm_batch *batch = hm_batch_new();
    hm_batch_set(batch, HM_PAPERS_SPACE, key, NULL);
    hm_journal_put(papers->opts.journal, batch, NULL, NULL);
}

/* It is there, or never will be. */
static void drop(struct paper *paper)
{
    for (struct paper **at = &paper->papers->list; *at != NULL; at = &(*at)->next) {
        if (*at == paper) {
            *at = paper->next;
            break;
        }
    }
    forget(paper->papers, paper->key);
    free_paper(paper);
}

static void set_place(struct paper *paper, const char *channel, const char *thread)
{
    char *copies[] = {hm_xstrdup(channel), hm_xstrdup(thread)};
    free(paper->channel);
    free(paper->thread);
    paper->channel = copies[0];
    paper->thread = copies[1];
}

/* Where its card is. That of a run which is over is soon not known any more, so what was known last is kept. */
static bool find_place(struct paper *paper)
{
    const char *channel = NULL;
    const char *thread = hm_cards_thread(paper->papers->opts.cards, paper->run_id, &channel);
    if (thread != NULL)
        set_place(paper, channel, thread);
    return paper->thread != NULL;
}

/* ---- sending ------------------------------------------------------------------------------------------------------------ */

/* True when it failed: it is tried again, or given up. */
static bool failed(struct paper *paper, const struct hm_web_answer *answer)
{
    if (answer->code == HM_OK)
        return false;
    paper->busy = false;
    hm_log(HM_LOG_WARN, paper->run_id, "its file %s: %s", paper->name, answer->sentence);
    bool later = answer->code == HM_EIO || (answer->code == HM_EUNKNOWN && paper->file_id == NULL);
    if (later && ++paper->tries < TRIES)
        hm_timer_start(paper->papers->timer, AGAIN_MS);
    else
        drop(paper);
    return true;
}

static void on_completed(void *arg, const struct hm_web_answer *answer)
{
    struct paper *paper = arg;
    if (!failed(paper, answer))
        drop(paper);
}

static void on_uploaded(void *arg, const struct hm_web_answer *answer)
{
    struct paper *paper = arg;
    if (failed(paper, answer))
        return;
    (void)find_place(paper);
    json_t *args = hm_json_obj_new();
    json_t *files = hm_json_arr_new();
    json_t *file = hm_json_obj_new();
    hm_json_set_str(file, "id", paper->file_id);
    hm_json_set_str(file, "title", paper->title);
    hm_json_add(files, file);
    hm_json_set(args, "files", files);
    hm_json_set_str(args, "channel_id", paper->channel);
    hm_json_set_str(args, "thread_ts", paper->thread);
    hm_json_set_str(args, "initial_comment", paper->comment);
    hm_web_call(paper->papers->opts.api, "files.completeUploadExternal", HM_WEB_BOT, args, on_completed, paper);
}

static void on_address(void *arg, const struct hm_web_answer *answer)
{
    struct paper *paper = arg;
    if (failed(paper, answer))
        return;
    free(paper->file_id);
    paper->file_id = hm_xstrdup(hm_json_get_str(answer->body, "file_id", ""));
    hm_web_upload(paper->papers->opts.api, hm_json_get_str(answer->body, "upload_url", ""), hm_xstrdup(paper->text),
                  strlen(paper->text), on_uploaded, paper);
}

static void begin(struct paper *paper)
{
    if (paper->busy || !find_place(paper))
        return; /* once its card is there: on_card() */
    json_t *args = hm_json_obj_new();
    HM_FREE(paper->file_id);
    hm_json_set_str(args, "filename", paper->name);
    hm_json_set_int(args, "length", (int64_t)strlen(paper->text));
    paper->busy = true;
    hm_web_call(paper->papers->opts.api, "files.getUploadURLExternal", HM_WEB_BOT, args, on_address, paper);
}

static void on_timer(void *arg)
{
    struct hm_papers *papers = arg;
    for (struct paper *paper = papers->list; paper != NULL; paper = paper->next)
        begin(paper);
}

/* The card is there: what belongs under it is sent. Where that is, is kept: a restart does not ask where the card of a run is
 * that is over. */
static void on_card(void *arg, const char *run_id)
{
    struct hm_papers *papers = arg;
    for (struct paper *paper = papers->list; paper != NULL; paper = paper->next) {
        if (strcmp(paper->run_id, run_id) != 0 || paper->busy || !find_place(paper))
            continue;
        struct hm_batch *batch = hm_batch_new();
        hm_json_set_str(paper->value, "channel", paper->channel);
        hm_json_set_str(paper->value, "thread", paper->thread);
        hm_batch_set(batch, HM_PAPERS_SPACE, paper->key, json_deep_copy(paper->value));
        hm_journal_put(papers->opts.journal, batch, NULL, NULL);
        begin(paper);
    }
}

/* ---- making --------------------------------------------------------------------------------------------------------------- */

static int step_by_id(const struct hm_run *run, const char *id)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (strcmp(run->recipe->steps[i].id, id) == 0)
            return (int)i;
    return -1;
}

/* The plan's text, if the gate is the one that was owed and still open; else NULL. */
static char *plan_text(struct hm_papers *papers, const struct hm_run *run, const json_t *value)
{
    int step = step_by_id(run, hm_json_get_str(value, "step", ""));
    struct hm_plan plan = {0};
    struct hm_run_env env = {0};
    struct hm_err err = {0};
    char *text = NULL;
    if (step < 0 || hm_run_open_gate(run) != &run->steps[step].gate ||
        !hm_streq(run->steps[step].gate.nonce, hm_json_get_str(value, "nonce", "")))
        return NULL;
    papers->opts.env(papers->opts.arg, run->recipe->name, &env);
    if (hm_plan_build(run, &env, step, &plan, &err) == HM_OK && strcmp(plan.digest, run->steps[step].gate.digest) == 0)
        text = hm_paper_plan(run, step, &plan);
    hm_plan_done(&plan);
    return text;
}

/* The list that the step wants in a file, as it is now; NULL when there is nothing in it. */
static char *list_text(struct hm_papers *papers, const struct hm_run *run, int step)
{
    struct hm_run_env env = {0};
    struct hm_err err = {0};
    if (step < 0 || run->recipe->steps[step].file == NULL)
        return NULL;
    papers->opts.env(papers->opts.arg, run->recipe->name, &env);
    json_t *scope = hm_run_scope_new(run, &env);
    json_t *list = hm_expr_eval_new(run->recipe->steps[step].file, scope, &err);
    char *text = hm_paper_list(run, step, list);
    if (err.code != HM_OK)
        hm_log(HM_LOG_WARN, run->id, "the file of its step %s: %s", run->recipe->steps[step].id, err.msg);
    json_decref(list);
    json_decref(scope);
    return text;
}

static char *name_of(const struct hm_run *run, const char *what)
{
    return hm_xasprintf("%s-%s.txt", run->id, what);
}

static void make(struct hm_papers *papers, const struct hm_run *run, const char *key, const json_t *value)
{
    bool is_plan = json_object_get(value, "step") != NULL;
    const char *list = hm_json_get_str(value, "list", NULL);
    char *text = is_plan        ? plan_text(papers, run, value)
                 : list != NULL ? list_text(papers, run, step_by_id(run, list))
                                : hm_paper_failed(run);
    if (text == NULL) {
        forget(papers, key);
        return;
    }
    const char *channel = NULL;
    bool placed = json_object_get(value, "thread") != NULL;
    if (!placed && hm_cards_thread(papers->opts.cards, run->id, &channel) == NULL && channel == NULL) {
        hm_log(HM_LOG_WARN, run->id, "a file of it has no card to stand under, and is left out");
        free(text);
        forget(papers, key);
        return;
    }
    struct paper *paper = hm_xcalloc(1, sizeof *paper);
    *paper = (struct paper){
        .value = json_deep_copy(value),
        .next = papers->list,
        .papers = papers,
        .key = hm_xstrdup(key),
        .run_id = hm_xstrdup(run->id),
        .name = name_of(run, is_plan        ? "plan"
                             : list != NULL ? list
                                            : "failed"),
        .title = is_plan        ? hm_xasprintf("%s: every request of the plan", run->id)
                 : list != NULL ? hm_xasprintf("%s: %s, all of it", run->id, list)
                                : hm_xasprintf("%s: what failed", run->id),
        .comment = is_plan        ? hm_xasprintf("Every request of the plan of `%s`, exactly as it will be sent.", run->id)
                   : list != NULL ? hm_xasprintf("All of what `%s` has found.", run->id)
                                  : hm_xasprintf("Every item of `%s` that failed or was not sent.", run->id),
        .text = text,
    };
    if (placed)
        set_place(paper, hm_json_get_str(value, "channel", ""), hm_json_get_str(value, "thread", ""));
    papers->list = paper;
    hm_timer_start(papers->timer, 0);
}

/* ---- owing ---------------------------------------------------------------------------------------------------------------- */

static bool many_failed(const struct hm_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        n += run->steps[i].items != NULL ? run->steps[i].n_in[HM_CALL_FAILED] : 0;
    return n >= HM_PAPER_FAILED_FROM;
}

/* A new value, or NULL. */
static json_t *owed_for_new(const struct hm_papers *papers, const struct hm_run *run, const struct hm_event *event)
{
    const char *channel = NULL;
    const char *thread = NULL;
    bool plan = event->type == HM_EV_GATE_OPENED && json_array_size(hm_json_get_arr(event->data, "plan")) >= HM_PAPER_PLAN_FROM;
    bool end = event->type == HM_EV_RUN_FINISHED && many_failed(run);
    const char *step = hm_json_get_str(event->data, "step", "");
    int at = event->type == HM_EV_STEP_FINISHED ? step_by_id(run, step) : -1;
    bool list = at >= 0 && run->recipe->steps[at].file != NULL;
    if (!plan && !end && !list)
        return NULL;
    json_t *value = hm_json_obj_new();
    hm_json_set_str(value, "run", run->id);
    if (list)
        hm_json_set_str(value, "list", step);
    if (plan) {
        hm_json_set_str(value, "step", step);
        hm_json_set_str(value, "nonce", hm_json_get_str(event->data, "nonce", ""));
    } else if ((thread = hm_cards_thread(papers->opts.cards, run->id, &channel)) != NULL) {
        hm_json_set_str(value, "channel", channel); /* a restart does not ask where the card of a run is that is over */
        hm_json_set_str(value, "thread", thread);
    }
    return value;
}

json_t *hm_papers_of_commit_new(struct hm_papers *papers, struct hm_batch *batch, const struct hm_commit *commit)
{
    json_t *all = NULL;
    for (size_t i = 0; i < commit->events->count; i++) {
        json_t *value = owed_for_new(papers, commit->run, &commit->events->items[i]);
        if (value == NULL)
            continue;
        char *key = hm_xasprintf("%s:%lld", commit->run_id, (long long)commit->first_seq + (long long)i);
        hm_batch_set(batch, HM_PAPERS_SPACE, key, json_incref(value));
        if (all == NULL)
            all = hm_json_obj_new();
        hm_json_set(all, key, value);
        free(key);
    }
    return all;
}

/* What a visit needs. */
struct making {
    struct hm_papers *papers;
    const char *key;
    const json_t *value;
};

static void on_visit(void *arg, const struct hm_run *run)
{
    const struct making *m = arg;
    make(m->papers, run, m->key, m->value);
}

static bool make_one(void *arg, const char *key, const json_t *value)
{
    struct hm_papers *papers = arg;
    struct making m = {papers, key, value};
    if (!hm_runner_visit(papers->opts.runner, hm_json_get_str(value, "run", ""), on_visit, &m))
        forget(papers, key);
    return true;
}

void hm_papers_send(struct hm_papers *papers, json_t *stolen_owed)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(stolen_owed, key, value)(void) make_one(papers, key, value);
    json_decref(stolen_owed);
}

enum hm_code hm_papers_restore(struct hm_papers *papers, const char *journal_path, struct hm_err *err)
{
    struct hm_journal_reader *reader = hm_journal_reader_open(journal_path, err);
    if (reader == NULL)
        return HM_EENV;
    enum hm_code code = hm_journal_values(reader, HM_PAPERS_SPACE, make_one, papers, err);
    hm_journal_reader_free(reader);
    return code;
}

struct hm_papers *hm_papers_new(const struct hm_papers_opts *opts)
{
    struct hm_papers *papers = hm_xcalloc(1, sizeof *papers);
    papers->opts = *opts;
    papers->timer = hm_timer_new(opts->loop, on_timer, papers);
    hm_cards_listen_posted(opts->cards, on_card, papers);
    return papers;
}

void hm_papers_free(struct hm_papers *papers)
{
    if (papers == NULL)
        return;
    while (papers->list != NULL) {
        struct paper *paper = papers->list;
        papers->list = paper->next;
        free_paper(paper);
    }
    hm_timer_free(papers->timer);
    free(papers);
}
