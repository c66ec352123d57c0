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

struct rehearsal {
    const struct hm_settings *settings;
    const struct hm_recipe *recipe;
    struct hm_http_client *http;
    struct hm_processes *processes;
    struct hm_backends *backends;
    struct hm_runner *runner;
    struct hm_timer *commit_timer;
    struct hm_timer *wake_timer;
    void *token;     /* of the commit that the timer will report */
    json_t *effects; /* refused */
    bool over;
    void (*shown)(void *arg, const struct hm_rehearsed *rehearsed);
    void *arg;
};

/* A request under way. */
struct flight {
    struct rehearsal *r;
    char *run_id;
    struct hm_ticket ticket;
};

enum { MAX_PROGRAMS = 4 };

static void on_http_closed(void *arg)
{
    (void)arg;
}

static void close_http(void *arg)
{
    struct rehearsal *r = arg;
    hm_http_client_close(r->http, on_http_closed, NULL);
}

static void fill_env(void *arg, const char *recipe, struct hm_run_env *ret_env);

/* The curtain: shows the run and lets the loop run dry. */
static void end(struct rehearsal *r, const struct hm_run *run)
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
    r->shown(r->arg, &rehearsed);
    hm_plan_done(&plan);
    hm_timer_stop(r->wake_timer);
    hm_processes_close(r->processes, close_http, r);
}

static void commit(void *arg, const struct hm_commit *commit, void *token)
{
    struct rehearsal *r = arg;
    (void)commit; /* nothing is kept */
    r->token = token;
    hm_timer_start(r->commit_timer, 0);
}

static void on_commit_timer(void *arg)
{
    struct rehearsal *r = arg;
    hm_runner_committed(r->runner, r->token, HM_OK, "");
}

static void on_answer(void *arg, const struct hm_http_result *result)
{
    struct flight *flight = arg;
    if (!flight->r->over)
        hm_runner_answer(flight->r->runner, flight->run_id, &flight->ticket, &result->answer, result->duration_ms);
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
    struct rehearsal *r = arg;
    const struct hm_action *action = action_of(&r->recipe->steps[ticket->step], ticket->purpose);
    if (action == NULL || action->effect != HM_EFFECT_READ) {
        hm_json_add(r->effects, hm_request_json_new(req));
        return; /* `changed` comes next, and is the end */
    }
    struct flight *flight = hm_xmalloc(sizeof *flight);
    *flight = (struct flight){r, hm_xstrdup(run_id), *ticket};
    const struct hm_send send = {.timeout_ms = timeout_ms, .on_done = on_answer, .arg = flight};
    hm_backends_send(r->backends, backend, req, &send);
}

static void changed(void *arg, const struct hm_run *run)
{
    struct rehearsal *r = arg;
    bool needs_a_person = hm_run_open_gate(run) != NULL || hm_run_open_question(run) != NULL;
    if (run->status != HM_RUN_GOING || needs_a_person || json_array_size(r->effects) > 0)
        end(r, run);
}

static void wake(void *arg, int64_t at_ms)
{
    struct rehearsal *r = arg;
    if (at_ms == INT64_MAX || r->over)
        hm_timer_stop(r->wake_timer);
    else
        hm_timer_start(r->wake_timer, at_ms - hm_wall_ms(hm_clock_real()));
}

static void on_wake_timer(void *arg)
{
    struct rehearsal *r = arg;
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
    const struct rehearsal *r = arg;
    return hm_settings_backend(r->settings, name);
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
    struct rehearsal *r = arg;
    *ret_env = (struct hm_run_env){
        .now_ms = hm_wall_ms(hm_clock_real()),
        .current = hm_recipes_find(&r->settings->recipes, recipe),
        .known = r->settings->known,
        .backend = backend,
        .member = member,
        .nonce = nonce,
        .arg = r,
    };
}

static const struct hm_recipe *by_sha(void *arg, const char *sha256)
{
    const struct rehearsal *r = arg;
    return strcmp(sha256, r->recipe->sha256) == 0 ? r->recipe : NULL;
}

static enum hm_code play(struct rehearsal *r, uv_loop_t *loop, const struct hm_run_order *order, struct hm_err *err)
{
    const struct hm_runner_io io = {commit, send_read, changed, wake, load, fill_env, by_sha, r};
    struct hm_run_order mine = *order;
    mine.requester = "plan";
    mine.channel = "plan";
    r->effects = hm_json_arr_new();
    r->http = hm_http_client_new(loop, hm_clock_real(), err);
    if (r->http == NULL) {
        json_decref(r->effects);
        return HM_EENV;
    }
    r->processes = hm_processes_new(loop, hm_clock_real(), MAX_PROGRAMS);
    r->backends = hm_backends_new(r->http, r->processes);
    r->runner = hm_runner_new(&io);
    r->commit_timer = hm_timer_new(loop, on_commit_timer, r);
    r->wake_timer = hm_timer_new(loop, on_wake_timer, r);
    enum hm_code code = hm_backends_use(r->backends, r->settings, err);
    if (code == HM_OK)
        code = hm_runner_start(r->runner, &mine, 0, NULL, NULL, err);
    if (code != HM_OK)
        hm_processes_close(r->processes, close_http, r);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    hm_timer_free(r->commit_timer);
    hm_timer_free(r->wake_timer);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    hm_runner_free(r->runner);
    hm_http_client_free(r->http);
    hm_processes_free(r->processes);
    hm_backends_free(r->backends);
    json_decref(r->effects);
    return code;
}

enum hm_code hm_rehearse(const struct hm_settings *settings, const struct hm_run_order *order,
                         void (*shown)(void *arg, const struct hm_rehearsed *rehearsed), void *arg, struct hm_err *err)
{
    uv_loop_t loop;
    struct rehearsal r = {.settings = settings, .recipe = order->recipe, .shown = shown, .arg = arg};
    int rc = uv_loop_init(&loop);
    if (rc != 0)
        return hm_err_set(err, HM_EENV, "no event loop: %s", uv_strerror(rc));
    enum hm_code code = play(&r, &loop, order, err);
    rc = uv_loop_close(&loop);
    HM_ASSERT(rc == 0);
    return code;
}
