/* The stage of a recipe test: see recipe_test_stage.h. The people are in recipe_test_people.c. */
#include "app/recipe_test_stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/plan.h"
#include "view/card.h"

enum { MAX_STEPS = 200000, CARDS_MAX = 4000000, PROBLEMS_MAX = 20000, ANSWER_MS = 5 };
static const int64_t begin_ms = 1795395600000; /* 2026-11-23 01:00 UTC */
static const char team[] = "T0TEST";

void hm_test_play_problem(struct hm_test_play *play, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    hm_strbuf_addv(&play->problems, fmt, ap);
    hm_strbuf_addc(&play->problems, '\n');
    va_end(ap);
}

/* ---- requests and their answers -------------------------------------------------------------------------------------- */

/* "POST /path?query" below the backend's url; or the words, the program by its name alone. The caller frees. */
static char *name_of(const struct hm_backend *backend, const struct hm_request *req)
{
    struct hm_strbuf name;
    hm_strbuf_init(&name, 100000);
    if (req->kind == HM_REQUEST_ARGV) {
        const char *slash = strrchr(req->argv[0], '/');
        hm_strbuf_adds(&name, slash != NULL ? slash + 1 : req->argv[0]);
        for (size_t i = 1; req->argv[i] != NULL; i++)
            hm_strbuf_addf(&name, " %s", req->argv[i]);
    } else {
        bool below = backend->url != NULL && hm_starts_with(req->url, backend->url);
        hm_strbuf_addf(&name, "%s %s", req->method, below ? req->url + strlen(backend->url) : req->url);
    }
    return hm_strbuf_take(&name);
}

static bool has_text(const char *text, const char *part)
{
    return part == NULL || strstr(text, part) != NULL;
}

/* How early a request of this name, with this in its body, took effect, counted from 0; -1 when none did. */
static int applied_rank(const struct hm_test_play *play, const char *name, const char *has)
{
    int rank = 0;
    for (size_t i = 0; i < play->n_sent; i++) {
        if (!play->sent[i].applied)
            continue;
        if (strcmp(play->sent[i].name, name) == 0 && has_text(play->sent[i].body, has))
            return rank;
        rank++;
    }
    return -1;
}

/* The recorded answer that holds now: of those that fit, the one after the newest effect; the first in the file of several. */
static int find_answer(const struct hm_test_play *play, const struct hm_test_sent *sent)
{
    int best = -1;
    int best_rank = -2;
    for (size_t i = 0; i < play->test->n_answers; i++) {
        const struct hm_test_answer *answer = &play->test->answers[i];
        int rank = answer->after != NULL ? applied_rank(play, answer->after, answer->after_has) : -1;
        bool used_up = answer->times > 0 && play->used[i] >= answer->times;
        bool too_early = answer->after != NULL && rank < 0;
        if (used_up || too_early || strcmp(answer->to, sent->name) != 0 || !has_text(sent->body, answer->has))
            continue;
        if (rank > best_rank) {
            best = (int)i;
            best_rank = rank;
        }
    }
    return best;
}

/* The request reaches its backend. */
static void arrive(struct hm_test_play *play, struct hm_test_sent *sent)
{
    if (sent->arrived)
        return;
    sent->answer = find_answer(play, sent);
    if (sent->answer < 0) {
        hm_test_play_problem(play, "no recorded answer (left) for %s%s%.300s", sent->name,
                             sent->body[0] != '\0' ? " with the body " : "", sent->body);
        return;
    }
    const struct hm_test_answer *answer = &play->test->answers[sent->answer];
    sent->arrived = answer->transport != HM_TRANSPORT_NOT_SENT;
    sent->applied = sent->arrived && answer->applied && sent->effect != HM_EFFECT_READ;
    play->used[sent->answer]++;
}

static void give_answer(struct hm_test_play *play, struct hm_test_sent *sent)
{
    static const struct hm_test_answer nothing = {.transport = HM_TRANSPORT_NOT_SENT, .retry_after_s = -1};
    struct hm_ticket ticket = sent->ticket;
    arrive(play, sent);
    const struct hm_test_answer *recorded = sent->answer >= 0 ? &play->test->answers[sent->answer] : &nothing;
    bool came = recorded->transport == HM_TRANSPORT_ANSWER;
    const struct hm_answer answer = {
        .transport = recorded->transport,
        .status = came ? recorded->status : 0,
        .body = came ? recorded->body : "",
        .body_len = came ? strlen(recorded->body) : 0,
        .errors = recorded->errors != NULL ? recorded->errors : "",
        .content_type = came && recorded->content_type != NULL ? recorded->content_type : "",
        .location = "",
        .headers = came ? recorded->headers : NULL,
        .retry_after_s = recorded->retry_after_s,
        .problem = came ? "" : "no answer came (so the recipe test says)",
    };
    sent->in_air = false;
    hm_runner_answer(play->runner, play->run_id, &ticket, &answer, ANSWER_MS);
}

/* ---- the runner's io ------------------------------------------------------------------------------------------------- */

static void io_commit(void *arg, const struct hm_commit *commit, void *token)
{
    struct hm_test_play *play = arg;
    play->commits = hm_xreallocarray(play->commits, play->n_commits + 1, sizeof play->commits[0]);
    struct hm_test_commit *c = &play->commits[play->n_commits++];
    *c = (struct hm_test_commit){.token = token, .first_seq = commit->first_seq};
    hm_events_init(&c->events);
    for (size_t i = 0; i < commit->events->count; i++)
        hm_events_add(&c->events, commit->events->items[i].type, commit->events->items[i].at_ms,
                      json_deep_copy(commit->events->items[i].data));
}

static void io_send(void *arg, const char *run_id, const struct hm_ticket *ticket, const struct hm_backend *backend,
                    const struct hm_request *req, int64_t timeout_ms)
{
    struct hm_test_play *play = arg;
    const struct hm_step *step = &play->test->recipe->steps[ticket->step];
    (void)run_id;
    (void)timeout_ms;
    play->sent = hm_xreallocarray(play->sent, play->n_sent + 1, sizeof play->sent[0]);
    play->sent[play->n_sent++] = (struct hm_test_sent){
        .name = name_of(backend, req),
        .body = hm_xstrndup(req->body != NULL ? req->body : "", req->body_len),
        .ticket = *ticket,
        .effect = ticket->purpose == HM_FOR_STEP ? step->effect : HM_EFFECT_READ,
        .in_air = true,
        .answer = -1,
    };
}

static void add_texts(const json_t *value, struct hm_strbuf *out)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;
    if (json_is_array(value)) {
        json_array_foreach(value, i, member) add_texts(member, out);
        return;
    }
    json_object_foreach(hm_unconst(value), key, member)
    {
        if (strcmp(key, "text") == 0 && json_is_string(member))
            hm_strbuf_addf(out, "%s\n", json_string_value(member));
        else
            add_texts(member, out);
    }
}

static void io_changed(void *arg, const struct hm_run *run)
{
    struct hm_test_play *play = arg;
    struct hm_slack_message message = {0};
    struct hm_strbuf texts;
    play->over = run->status != HM_RUN_GOING ? hm_run_status_name(run->status) : NULL;
    if (play->crash != HM_TEST_CRASH_NONE)
        return;
    hm_strbuf_init(&texts, CARDS_MAX);
    hm_card_render(run, &message);
    add_texts(message.blocks, &texts);
    hm_slack_message_done(&message);
    free(play->last_card);
    play->last_card = hm_strbuf_take(&texts);
    hm_strbuf_adds(&play->cards, play->last_card);
}

static void io_wake(void *arg, int64_t at_ms)
{
    struct hm_test_play *play = arg;
    play->wake_ms = at_ms;
}

static enum hm_code io_load(void *arg, const char *run_id, bool (*visit)(void *visit_arg, const struct hm_event *event),
                            void *visit_arg, struct hm_err *err)
{
    const struct hm_test_play *play = arg;
    if (play->n_journal == 0 || strcmp(run_id, play->run_id) != 0)
        return hm_err_set(err, HM_ENOTFOUND, "there is no run %s", run_id);
    for (size_t i = 0; i < play->n_journal && visit != NULL; i++)
        if (!visit(visit_arg, &play->journal[i].event))
            break;
    return HM_OK;
}

static const struct hm_backend *env_backend(void *arg, const char *name)
{
    const struct hm_test_play *play = arg;
    return hm_settings_backend(play->settings, name);
}

static enum hm_member env_member(void *arg, const char *role, const char *user)
{
    const struct hm_test_play *play = arg;
    const json_t *users = play->test->roles != NULL ? json_object_get(play->test->roles, role) : NULL;
    size_t i = 0;
    const json_t *one = NULL;
    if (play->test->roles == NULL)
        return HM_MEMBER_YES;
    json_array_foreach(users, i, one)
    {
        if (hm_streq(json_string_value(one), user))
            return HM_MEMBER_YES;
    }
    return HM_MEMBER_NO;
}

static void env_nonce(void *arg, char ret_nonce[17])
{
    struct hm_test_play *play = arg;
    (void)snprintf(ret_nonce, 17, "%016x", ++play->nonces * 2654435761U);
}

static void io_env(void *arg, const char *recipe, struct hm_run_env *ret_env)
{
    struct hm_test_play *play = arg;
    *ret_env = (struct hm_run_env){
        .now_ms = play->now_ms,
        .current = hm_recipes_find(&play->settings->recipes, recipe),
        .known = play->test->known,
        .environments = play->settings->environments,
        .team = team,
        .backend = env_backend,
        .member = env_member,
        .nonce = env_nonce,
        .arg = play,
    };
}

static const struct hm_recipe *io_by_sha(void *arg, const char *sha256)
{
    const struct hm_test_play *play = arg;
    return strcmp(play->test->recipe->sha256, sha256) == 0 ? play->test->recipe : NULL;
}

static void open_runner(struct hm_test_play *play)
{
    const struct hm_runner_io io = {io_commit, io_send, io_changed, io_wake, io_load, io_env, io_by_sha, play};
    play->wake_ms = INT64_MAX;
    play->runner = hm_runner_new(&io);
}

const struct hm_run *hm_test_play_find(const struct hm_test_play *play)
{
    return hm_runner_find(play->runner, play->run_id);
}

/* ---- the start ------------------------------------------------------------------------------------------------------- */

static void set_run_id(struct hm_test_play *play, const char *run_id)
{
    (void)snprintf(play->run_id, sizeof play->run_id, "%s", run_id);
}

static void on_started(void *arg, enum hm_code code, const char *run_id, const char *problem)
{
    struct hm_test_play *play = arg;
    (void)problem;
    if (code == HM_OK)
        set_run_id(play, run_id);
}

/* As the bot does it with the words of a slash command. */
static void start(struct hm_test_play *play)
{
    const struct hm_recipe_test *test = play->test;
    struct hm_err err = {0};
    json_t *scope = hm_json_obj_new();
    json_t *given = NULL;
    json_t *params = NULL;
    json_t *raw = hm_params_parse_new(test->recipe, test->given, &err);
    hm_json_set(scope, "known", json_incref(test->known));
    if (raw != NULL)
        params = hm_params_check_new(test->recipe, raw, scope, &given, &err);
    enum hm_code code = HM_EINVAL;
    if (params != NULL) {
        const struct hm_run_order order = {.recipe = test->recipe,
                                           .params = params,
                                           .given = given,
                                           .requester = test->requester,
                                           .team = team,
                                           .channel = "C0TEST"};
        code = hm_runner_start(play->runner, &order, 1, on_started, play, &err);
    }
    if (code != HM_OK)
        play->refused = hm_xstrdup(err.msg);
    json_decref(raw);
    json_decref(params);
    json_decref(given);
    json_decref(scope);
}

/* ---- writing, and dying at it ---------------------------------------------------------------------------------------- */

static void drop_commits(struct hm_test_play *play)
{
    for (size_t i = 0; i < play->n_commits; i++)
        hm_events_done(&play->commits[i].events);
    play->n_commits = 0;
}

static void write_down(struct hm_test_play *play, const struct hm_test_commit *c)
{
    for (size_t i = 0; i < c->events.count; i++) {
        play->journal = hm_xreallocarray(play->journal, play->n_journal + 1, sizeof play->journal[0]);
        play->journal[play->n_journal++] = (struct hm_test_row){
            .seq = c->first_seq + (int64_t)i,
            .event = {.type = c->events.items[i].type,
                      .data = json_incref(c->events.items[i].data),
                      .at_ms = c->events.items[i].at_ms},
        };
    }
}

static void do_commit(struct hm_test_play *play)
{
    struct hm_test_commit c = play->commits[0];
    play->n_commits--;
    memmove(&play->commits[0], &play->commits[1], play->n_commits * sizeof c);
    write_down(play, &c);
    hm_events_done(&c.events);
    hm_runner_committed(play->runner, c.token, HM_OK, "");
}

/* True when the journal holds no answer to it. */
static bool is_open(const struct hm_run *run, const struct hm_ticket *ticket)
{
    if (run == NULL || ticket->step >= (int)run->recipe->n_steps)
        return false;
    const struct hm_step_state *state = &run->steps[ticket->step];
    if (ticket->purpose != HM_FOR_VERIFY && (size_t)ticket->item >= state->n_calls)
        return false;
    const struct hm_call *call = ticket->purpose == HM_FOR_VERIFY ? &state->verify : &state->calls[ticket->item];
    return call->seq == ticket->seq && (call->phase == HM_CALL_FLYING || call->phase == HM_CALL_PROBING);
}

/* What was sent and is open again gives its recorded answer back; for effects it is remembered what is true about them. */
static void remember_lost(struct hm_test_play *play)
{
    const struct hm_run *run = hm_test_play_find(play);
    for (size_t s = 0; run != NULL && s < run->recipe->n_steps; s++) {
        for (size_t i = 0; i < run->steps[s].n_calls; i++) {
            if (run->steps[s].calls[i].phase != HM_CALL_FLYING || run->recipe->steps[s].effect == HM_EFFECT_READ)
                continue;
            play->lost = hm_xreallocarray(play->lost, play->n_lost + 1, sizeof play->lost[0]);
            play->lost[play->n_lost++] = (struct hm_test_lost){.step = (int)s, .item = (int)i};
        }
    }
    for (size_t i = 0; i < play->n_sent; i++) {
        struct hm_test_sent *sent = &play->sent[i];
        if (!is_open(run, &sent->ticket))
            continue;
        if (sent->answer >= 0)
            play->used[sent->answer]--;
        for (size_t j = 0; j < play->n_lost; j++)
            if (play->lost[j].step == sent->ticket.step && play->lost[j].item == sent->ticket.item && sent->applied)
                play->lost[j].applied = true;
    }
}

/* What a write holds, for messages. The caller frees. */
static char *write_text(const struct hm_test_commit *c)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, 500);
    for (size_t i = 0; i < c->events.count; i++) {
        const char *step = hm_json_get_str(c->events.items[i].data, "step", NULL);
        hm_strbuf_addf(&text, "%s%s%s%s", i > 0 ? ", " : "", hm_event_name(c->events.items[i].type), step != NULL ? " " : "",
                       step != NULL ? step : "");
    }
    return hm_strbuf_take(&text);
}

/* The run's last status, or NULL while it is going. */
static const char *end_in_journal(const struct hm_test_play *play)
{
    const char *end = NULL;
    for (size_t i = 0; i < play->n_journal; i++) {
        const struct hm_event *event = &play->journal[i].event;
        if (event->type == HM_EV_RUN_FINISHED)
            end = hm_json_get_str(event->data, "status", "?");
        else if (event->type == HM_EV_RUN_REOPENED)
            end = NULL;
    }
    return end;
}

static void restart(struct hm_test_play *play)
{
    struct hm_err err = {0};
    hm_runner_free(play->runner);
    drop_commits(play);
    for (size_t i = 0; i < play->n_sent; i++)
        play->sent[i].in_air = false;
    open_runner(play);
    if (play->n_journal == 0) { /* the command was acknowledged, so it is still there */
        start(play);
        return;
    }
    set_run_id(play, hm_json_get_str(play->journal[0].event.data, "run", ""));
    play->over = end_in_journal(play);
    if (play->over == NULL && (hm_runner_restore(play->runner, play->run_id, &err) != HM_OK || err.code != HM_OK))
        hm_test_play_problem(play, "the journal can not be read again: %s", err.msg);
    remember_lost(play);
    hm_runner_restored(play->runner);
    hm_test_people_again(play);
}

static void die(struct hm_test_play *play)
{
    bool after = play->crash == HM_TEST_CRASH_AFTER || play->crash == HM_TEST_CRASH_AFTER_ARRIVED;
    bool arrived = play->crash == HM_TEST_CRASH_BEFORE_ARRIVED || play->crash == HM_TEST_CRASH_AFTER_ARRIVED;
    play->crashed_in = write_text(&play->commits[0]);
    if (after && arrived)
        do_commit(play); /* it lives just long enough to send what it may now */
    else if (after)
        write_down(play, &play->commits[0]);
    for (size_t i = 0; i < play->n_sent && arrived; i++)
        if (play->sent[i].in_air)
            arrive(play, &play->sent[i]);
    restart(play);
}

/* ---- the play -------------------------------------------------------------------------------------------------------- */

static struct hm_test_sent *first_in_air(struct hm_test_play *play)
{
    for (size_t i = 0; i < play->n_sent; i++)
        if (play->sent[i].in_air)
            return &play->sent[i];
    return NULL;
}

void hm_test_play_settle(struct hm_test_play *play)
{
    for (unsigned steps = 0; play->problems.len == 0; steps++) {
        struct hm_test_sent *sent = first_in_air(play);
        if (play->n_commits > 0) {
            play->writes++;
            if (play->crash != HM_TEST_CRASH_NONE && play->writes == play->crash_at)
                die(play);
            else
                do_commit(play);
        } else if (sent != NULL) {
            give_answer(play, sent);
        } else {
            return;
        }
        if (steps > MAX_STEPS)
            hm_test_play_problem(play, "the run does not come to rest");
    }
}

/* To the next moment the run has asked for. */
static void tick(struct hm_test_play *play)
{
    if (play->wake_ms > play->now_ms)
        play->now_ms = play->wake_ms;
    play->wake_ms = INT64_MAX; /* a wish is granted once */
    hm_runner_time(play->runner, play->now_ms);
    hm_test_play_settle(play);
}

void hm_test_play_advance(struct hm_test_play *play, int64_t ms)
{
    int64_t until = play->now_ms + ms;
    while (play->wake_ms <= until && play->problems.len == 0)
        tick(play);
    if (play->now_ms < until)
        play->now_ms = until;
}

void hm_test_play_run(struct hm_test_play *play, enum hm_test_crash crash, unsigned crash_at)
{
    size_t next_move = 0;
    play->crash = crash;
    play->crash_at = crash_at;
    open_runner(play);
    start(play);
    for (unsigned rounds = 0; play->refused == NULL && play->problems.len == 0; rounds++) {
        hm_test_play_settle(play);
        const struct hm_run *run = hm_test_play_find(play);
        bool at_rest = play->over != NULL || (run != NULL && hm_test_people_wanted(run));
        if (play->problems.len > 0)
            break;
        if (at_rest ? !hm_test_people_move(play, &next_move) : play->wake_ms == INT64_MAX)
            break;
        if (!at_rest)
            tick(play);
        if (rounds > MAX_STEPS)
            hm_test_play_problem(play, "the run does not come to an end");
    }
    for (; next_move < play->test->n_moves && play->refused == NULL && play->problems.len == 0; next_move++)
        hm_test_play_problem(play, "the run was at its end before what line %d says", play->test->moves[next_move].line);
    play->end = play->over != NULL ? play->over : "waiting";
    if (play->over == NULL && play->refused == NULL)
        play->waits_for = hm_test_people_why(hm_test_play_find(play));
}

struct hm_test_play *hm_test_play_new(const struct hm_recipe_test *test, const struct hm_settings *settings)
{
    struct hm_test_play *play = hm_xcalloc(1, sizeof *play);
    play->test = test;
    play->settings = settings;
    play->now_ms = begin_ms;
    play->used = hm_xcalloc(test->n_answers + 1, sizeof play->used[0]);
    hm_strbuf_init(&play->cards, CARDS_MAX);
    hm_strbuf_init(&play->problems, PROBLEMS_MAX);
    return play;
}

void hm_test_play_free(struct hm_test_play *play)
{
    if (play == NULL)
        return;
    hm_runner_free(play->runner);
    drop_commits(play);
    for (size_t i = 0; i < play->n_journal; i++)
        json_decref(play->journal[i].event.data);
    for (size_t i = 0; i < play->n_sent; i++) {
        free(play->sent[i].name);
        free(play->sent[i].body);
    }
    free(play->journal);
    free(play->commits);
    free(play->sent);
    free(play->used);
    free(play->lost);
    free(play->click_typed);
    free(play->crashed_in);
    free(play->waits_for);
    free(play->refused);
    free(play->last_card);
    hm_strbuf_done(&play->cards);
    hm_strbuf_done(&play->problems);
    free(play);
}
