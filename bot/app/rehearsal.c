/* A rehearsal: see rehearsal.h. */
#include "app/rehearsal.h"

#include <stdlib.h>
#include <string.h>

#include "app/backends.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/timer.h"
#include "run/plan.h"
#include "run/runner.h"

struct hm_rehearsal {
    struct hm_rehearsal_opts opts;
    const struct hm_recipe *recipe;
    struct hm_runner *runner;
    struct hm_timer *commit_timer;
    struct hm_timer *wake_timer;
    struct hm_timer *end_timer;
    void *token;     /* of the commit that the timer will report */
    json_t *effects; /* refused */
    unsigned flying;
    bool over;
};

/* A request under way. */
struct flight {
    struct hm_rehearsal *r;
    char *run_id;
    struct hm_ticket ticket;
};

enum { MAX_PROGRAMS = 4 };

static void fill_env(void *arg, const char *recipe, struct hm_run_env *ret_env);

static void free_rehearsal(void *arg)
{
    struct hm_rehearsal *r = arg;
    hm_timer_free(r->commit_timer);
    hm_timer_free(r->wake_timer);
    hm_timer_free(r->end_timer);
    hm_runner_free(r->runner);
    json_decref(r->effects);
    hm_recipe_free(r->recipe);
    hm_settings_free(r->opts.settings);
    void (*ended)(void *arg) = r->opts.ended;
    void *ended_arg = r->opts.arg;
    free(r);
    if (ended != NULL)
        ended(ended_arg);
}

/* Not from inside the runner, which is still deciding: in the loop's next turn, and only when no answer is to come any more. */
static void leave(struct hm_rehearsal *r)
{
    hm_timer_stop(r->wake_timer);
    hm_timer_stop(r->commit_timer);
    if (r->flying == 0)
        hm_timer_start(r->end_timer, 0);
}

/* The curtain: shows the run. */
static void end(struct hm_rehearsal *r, const struct hm_run *run)
{
    struct hm_plan plan = {0};
    struct hm_run_env env = {0};
    struct hm_err err = {0};
    const struct hm_gate *gate = hm_run_open_gate(run);
    if (r->over)
        return;
    r->over = true;
    fill_env(r, run->recipe->name, &env);
    bool planned =
        gate != NULL && hm_plan_build(run, &env, run->at, &plan, &err) == HM_OK && strcmp(plan.digest, gate->digest) == 0;
    const struct hm_rehearsed rehearsed = {run, planned ? &plan : NULL, r->effects};
    r->opts.shown(r->opts.arg, &rehearsed);
    hm_plan_done(&plan);
    leave(r);
}

static void commit(void *arg, const struct hm_commit *commit, void *token)
{
    struct hm_rehearsal *r = arg;
    (void)commit; /* nothing is kept */
    r->token = token;
    if (!r->over)
        hm_timer_start(r->commit_timer, 0);
}

static void on_commit_timer(void *arg)
{
    struct hm_rehearsal *r = arg;
    hm_runner_committed(r->runner, r->token, HM_OK, "");
}

static void on_answer(void *arg, const struct hm_http_result *result)
{
    struct flight *flight = arg;
    struct hm_rehearsal *r = flight->r;
    r->flying--;
    if (!r->over)
        hm_runner_answer(r->runner, flight->run_id, &flight->ticket, &result->answer, result->duration_ms);
    else
        leave(r);
    free(flight->run_id);
    free(flight);
}

/* What the request belongs to; NULL when nothing can be said about it. */
static const struct hm_action *action_of(const struct hm_step *step, enum hm_purpose purpose)
{
    switch (purpose) {
    case HM_FOR_STEP:
        return step->effect == HM_EFFECT_READ ? step->call.action : NULL; /* the recipe may call a read an effect */
    case HM_FOR_VERIFY:
        return step->verify.call.action;
    case HM_FOR_PROBE:
        return step->call.action->probe_action != NULL ? hm_action_find(step->call.action->probe_action) : NULL;
    case HM_PURPOSE_NR:
        break;
    }
    return NULL;
}

/* The choke point: all that a rehearsal ever sends, over HTTP or as a program, goes through here. The action's own effect counts,
 * not what the recipe says about it. */
static void send_read(void *arg, const char *run_id, const struct hm_ticket *ticket, const struct hm_backend *backend,
                      const struct hm_request *req, int64_t timeout_ms)
{
    struct hm_rehearsal *r = arg;
    const struct hm_action *action = action_of(&r->recipe->steps[ticket->step], ticket->purpose);
    if (action == NULL || action->effect != HM_EFFECT_READ) {
        hm_json_add(r->effects, hm_request_json_new(req));
        return; /* `changed` comes next, and is the end */
    }
    struct flight *flight = hm_xmalloc(sizeof *flight);
    *flight = (struct flight){r, hm_xstrdup(run_id), *ticket};
    r->flying++;
    const struct hm_send send = {.timeout_ms = timeout_ms, .read = true, .on_done = on_answer, .arg = flight};
    hm_backends_send(r->opts.backends, backend, req, &send);
}

static void changed(void *arg, const struct hm_run *run)
{
    struct hm_rehearsal *r = arg;
    bool needs_a_person = hm_run_open_gate(run) != NULL || hm_run_open_question(run) != NULL;
    if (run->status != HM_RUN_GOING || needs_a_person || json_array_size(r->effects) > 0)
        end(r, run);
}

static void wake(void *arg, int64_t at_ms)
{
    struct hm_rehearsal *r = arg;
    if (at_ms == INT64_MAX || r->over)
        hm_timer_stop(r->wake_timer);
    else
        hm_timer_start(r->wake_timer, at_ms - hm_wall_ms(hm_clock_real()));
}

static void on_wake_timer(void *arg)
{
    struct hm_rehearsal *r = arg;
    hm_runner_time(r->runner, hm_wall_ms(hm_clock_real()));
}

static enum hm_code load(void *arg, const char *run_id, bool (*visit)(void *visit_arg, const struct hm_event *event),
                         void *visit_arg, struct hm_err *err)
{
    (void)arg;
    (void)visit;
    (void)visit_arg;
    return hm_err_set(err, HM_ENOTFOUND, "there is no run %s", run_id);
}

static const struct hm_backend *backend(void *arg, const char *name)
{
    const struct hm_rehearsal *r = arg;
    return hm_settings_backend(r->opts.settings, name);
}

static enum hm_member member(void *arg, const char *role, const char *user)
{
    (void)arg;
    (void)role;
    (void)user;
    return HM_MEMBER_NO; /* nobody approves in a rehearsal */
}

static void nonce(void *arg, char ret_nonce[17])
{
    (void)arg;
    hm_random_text(hm_clock_real(), "0123456789abcdef", ret_nonce, 16);
}

static void fill_env(void *arg, const char *recipe, struct hm_run_env *ret_env)
{
    struct hm_rehearsal *r = arg;
    *ret_env = (struct hm_run_env){
        .now_ms = hm_wall_ms(hm_clock_real()),
        .current = hm_recipes_find(&r->opts.settings->recipes, recipe),
        .known = r->opts.known != NULL ? r->opts.known : r->opts.settings->known,
        .environments = r->opts.settings->environments,
        .backend = backend,
        .member = member,
        .nonce = nonce,
        .arg = r,
    };
}

static const struct hm_recipe *by_sha(void *arg, const char *sha256)
{
    const struct hm_rehearsal *r = arg;
    return strcmp(sha256, r->recipe->sha256) == 0 ? r->recipe : NULL;
}

struct hm_rehearsal *hm_rehearsal_new(const struct hm_rehearsal_opts *opts, const struct hm_run_order *order, struct hm_err *err)
{
    struct hm_rehearsal *r = hm_xcalloc(1, sizeof *r);
    const struct hm_runner_io io = {commit, send_read, changed, wake, load, fill_env, by_sha, r};
    r->opts = *opts;
    r->opts.settings = hm_settings_ref(opts->settings);
    r->recipe = hm_recipe_ref(order->recipe);
    r->effects = hm_json_arr_new();
    r->runner = hm_runner_new(&io);
    r->commit_timer = hm_timer_new(opts->loop, on_commit_timer, r);
    r->wake_timer = hm_timer_new(opts->loop, on_wake_timer, r);
    r->end_timer = hm_timer_new(opts->loop, free_rehearsal, r);
    if (hm_runner_start(r->runner, order, 0, NULL, NULL, err) == HM_OK)
        return r;
    r->opts.ended = NULL;
    free_rehearsal(r);
    return NULL;
}

void hm_rehearsal_cancel(struct hm_rehearsal *r)
{
    if (r->over)
        return;
    r->over = true;
    leave(r);
}

/* ---- a stage of its own ------------------------------------------------------------------------------------------------ */

struct stage {
    struct hm_http_client *http;
    struct hm_processes *processes;
    void (*shown)(void *arg, const struct hm_rehearsed *rehearsed);
    void *arg;
};

static void on_http_closed(void *arg)
{
    (void)arg;
}

static void close_http(void *arg)
{
    struct stage *stage = arg;
    hm_http_client_close(stage->http, on_http_closed, NULL);
}

static void on_stage_shown(void *arg, const struct hm_rehearsed *rehearsed)
{
    struct stage *stage = arg;
    stage->shown(stage->arg, rehearsed);
    hm_processes_close(stage->processes, close_http, stage); /* and the loop runs dry */
}

static enum hm_code play(struct stage *stage, uv_loop_t *loop, const struct hm_settings *settings,
                         const struct hm_run_order *order, struct hm_err *err)
{
    struct hm_run_order mine = *order;
    mine.requester = "plan";
    mine.channel = "plan";
    stage->http = hm_http_client_new(loop, hm_clock_real(), err);
    if (stage->http == NULL)
        return HM_EENV;
    stage->processes = hm_processes_new(loop, hm_clock_real(), MAX_PROGRAMS);
    struct hm_backends *backends = hm_backends_new(stage->http, stage->processes, hm_clock_real());
    enum hm_code code = hm_backends_use(backends, settings, err);
    const struct hm_rehearsal_opts opts = {
        .loop = loop, .settings = settings, .backends = backends, .shown = on_stage_shown, .arg = stage};
    if (code == HM_OK && hm_rehearsal_new(&opts, &mine, err) == NULL)
        code = err->code;
    if (code != HM_OK)
        hm_processes_close(stage->processes, close_http, stage);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    hm_http_client_free(stage->http);
    hm_processes_free(stage->processes);
    hm_backends_free(backends);
    return code;
}

enum hm_code hm_rehearse(const struct hm_settings *settings, const struct hm_run_order *order,
                         void (*shown)(void *arg, const struct hm_rehearsed *rehearsed), void *arg, struct hm_err *err)
{
    uv_loop_t loop;
    struct stage stage = {.shown = shown, .arg = arg};
    int rc = uv_loop_init(&loop);
    if (rc != 0)
        return hm_err_set(err, HM_EENV, "no event loop: %s", uv_strerror(rc));
    enum hm_code code = play(&stage, &loop, settings, order, err);
    rc = uv_loop_close(&loop);
    HM_ASSERT(rc == 0);
    return code;
}
