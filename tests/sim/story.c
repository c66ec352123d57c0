/* One story: what happens next is drawn by lot, step by step; then everything calms down and must come to rest. See sim.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "crowd.h"
#include "model_backend.h"
#include "model_channel.h"
#include "model_journal.h"
#include "model_slack.h"
#include "model_time.h"
#include "process.h"
#include "sim.h"

enum {
    REST_MS = 15 * 60 * 1000, /* so long after the last fault everything must have settled */
    NAP_MS = 40 * 60 * 1000,  /* hours pass in pieces, while our machine sleeps */
    NAP_SETTLE_MS = 60 * 1000,
    LAST_MS = 90 * 1000, /* longer than anybody waits before trying again */
    MAX_NAPS = 1000,
    MAX_CALM_STEPS = 300000,
};

enum act {
    ACT_START,
    ACT_CONNECT,
    ACT_COMMIT,
    ACT_REPORT,
    ACT_BACKEND,
    ACT_SLACK,
    ACT_DELIVER,
    ACT_TIMER,
    ACT_PEOPLE,
    ACT_FAULT,
    ACT_TIME,
    ACT_NR
};

/* ---- what may go wrong
 * ------------------------------------------------------------------------------------------------------------------- */

static void choose_faults(void)
{
    struct faults *f = &sim->faults;
    bool *const all[] = {&f->crashes,   &f->full_disks,        &f->bad_backend,      &f->lost_replies, &f->slow_writes,
                         &f->bad_slack, &f->deleted_cards,     &f->unreadable_roles, &f->new_configs,  &f->clock_jumps,
                         &f->suspends,  &f->doubled_envelopes, &f->busy_people,      &f->stops};
    bool peaceful = rng_percent(&sim->rng, 5);
    for (size_t i = 0; i < HM_ARRAY_LEN(all); i++)
        *all[i] = !peaceful && rng_percent(&sim->rng, 50);
}

/* What is on its way reaches its end: the bot would not see it in time (model_backend.h). */
static void let_arrive(void)
{
    backend_late(true);
    slack_late(true);
}

static void jump(bool suspend)
{
    let_arrive();
    if (suspend) {
        int64_t ms = rng_between(&sim->rng, 1000, NAP_MS);
        sim_tell("our machine is suspended for %lld s", (long long)(ms / 1000));
        sim_time_suspend(ms);
    } else {
        int64_t ms = rng_between(&sim->rng, -SIM_CLOCK_MS, SIM_CLOCK_MS);
        sim_tell("our clock is set: %lld ms off", (long long)ms);
        sim_time_skew(ms);
    }
}

static void toggle(bool *what, const char *name)
{
    *what = !*what;
    sim_tell("%s: %s", name, *what ? "from now on" : "no more");
}

static void new_config(void)
{
    sim->config = rng_percent(&sim->rng, 40) ? 0 : (unsigned)rng_below(&sim->rng, SIM_CONFIGS);
    if (sim->process != NULL)
        process_reload();
}

static void crash(void)
{
    if (sim->faults.crashes && sim->process != NULL)
        process_kill();
}

static void lose_connection(void)
{
    if (sim->process != NULL)
        process_connect(false);
}

static void act_fault(void)
{
    struct faults *f = &sim->faults;
    switch (rng_below(&sim->rng, sim->alarms ? 11 : 9)) {
    case 0:
    case 1:
        crash();
        break;
    case 2:
        if (f->full_disks || f->disk_full)
            toggle(&f->disk_full, "the disk is full");
        break;
    case 3:
        if (f->unreadable_roles || f->roles_unreadable)
            toggle(&f->roles_unreadable, "roles can not be read");
        break;
    case 4:
        if (f->bad_slack || f->slack_away)
            toggle(&f->slack_away, "Slack is away");
        break;
    case 5:
        if (f->bad_backend || f->backend_down)
            toggle(&f->backend_down, "the backend is down");
        break;
    case 6:
        if (f->new_configs)
            new_config();
        break;
    case 7:
        if (f->clock_jumps)
            jump(false);
        break;
    case 8:
        if (f->suspends)
            jump(true);
        break;
    default:
        lose_connection();
        break;
    }
}

/* ---- steps
 * ----------------------------------------------------------------------------------------------------------------------------------
 */

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long until something happens by itself; INT64_MAX = never. */
static int64_t next_in_ms(void)
{
    int64_t timer = sim_timer_next_ms();
    int64_t late = min_ms(backend_next_late_ms(), slack_next_late_ms());
    int64_t in_ms = timer == INT64_MAX ? INT64_MAX : timer - sim_mono_ms();
    if (late != INT64_MAX)
        in_ms = min_ms(in_ms, late - sim_true_ms());
    return in_ms > 0 ? in_ms : 0;
}

static void pass_time(bool idle)
{
    int64_t in_ms = next_in_ms();
    int64_t ms = idle ? in_ms : min_ms(in_ms, rng_between(&sim->rng, 1, 400));
    sim_time_pass(ms == INT64_MAX ? 1000 : ms);
}

/* The weights of what can happen now; returns how much of it is under way. */
static unsigned weigh(unsigned weights[ACT_NR])
{
    bool alive = sim->process != NULL;
    memset(weights, 0, ACT_NR * sizeof weights[0]);
    weights[ACT_START] = alive ? 0 : 25;
    weights[ACT_CONNECT] = alive && !process_is_connected() ? 10 : 0;
    weights[ACT_COMMIT] = book_queued() > 0 ? 30 : 0;
    weights[ACT_REPORT] = book_unreported() > 0 ? 40 : 0;
    weights[ACT_BACKEND] = backend_waiting() > 0 ? 25 : 0;
    weights[ACT_SLACK] = slack_waiting() > 0 ? 25 : 0;
    weights[ACT_DELIVER] = process_is_connected() && slack_envelopes_waiting() > 0 ? 20 : 0;
    weights[ACT_TIMER] = sim_timer_next_ms() <= sim_mono_ms() ? 30 : 0;
    unsigned busy = 0;
    for (int i = 0; i < ACT_PEOPLE; i++)
        busy += weights[i];
    return busy;
}

static enum act draw(const unsigned weights[ACT_NR])
{
    unsigned sum = 0;
    for (int i = 0; i < ACT_NR; i++)
        sum += weights[i];
    size_t at = rng_below(&sim->rng, sum);
    for (int i = 0; i < ACT_NR; i++) {
        if (at < weights[i])
            return (enum act)i;
        at -= weights[i];
    }
    return ACT_TIME;
}

static void commit(void)
{
    bool fail = !sim->calm && (sim->faults.disk_full || (sim->faults.full_disks && rng_percent(&sim->rng, 3)));
    size_t n = book_queued();
    book_commit(rng_percent(&sim->rng, 50) ? n : 1 + rng_below(&sim->rng, n), fail);
}

static void act(enum act what, bool idle)
{
    switch (what) {
    case ACT_START:
        process_start();
        break;
    case ACT_CONNECT:
        process_connect(true);
        break;
    case ACT_COMMIT:
        commit();
        break;
    case ACT_REPORT:
        book_report();
        break;
    case ACT_BACKEND:
        backend_step();
        break;
    case ACT_SLACK:
        slack_step();
        break;
    case ACT_DELIVER:
        slack_deliver();
        break;
    case ACT_TIMER:
        (void)sim_timer_fire();
        break;
    case ACT_PEOPLE:
        if (crowd_act())
            sim->wishes--;
        break;
    case ACT_FAULT:
        act_fault();
        break;
    case ACT_TIME:
    case ACT_NR:
        pass_time(idle);
        break;
    }
    backend_late(false);
    slack_late(false);
    sim->step++;
    sim->count.steps++;
    check_step();
}

/* The wild part: until the steps or the wishes are used up. */
static void play_wild(void)
{
    while (sim->step < sim->steps) {
        unsigned weights[ACT_NR];
        unsigned busy = weigh(weights);
        if (busy == 0 && sim->wishes == 0 && rng_percent(&sim->rng, 30))
            return;
        weights[ACT_PEOPLE] = sim->wishes > 0 ? 5 : 0;
        weights[ACT_FAULT] = 3;
        weights[ACT_TIME] = busy > 0 ? 3 : 5;
        act(draw(weights), busy == 0);
    }
}

/* Until nothing is under way and no timer is due before the time is over; what happens near its end gets its own time. */
static void settle(int64_t within_ms)
{
    int64_t until_ms = sim_true_ms() + within_ms;
    for (unsigned i = 0;; i++) {
        unsigned weights[ACT_NR];
        unsigned busy = weigh(weights);
        if (i > MAX_CALM_STEPS)
            sim_fail("runs-settle", "there is no end to it");
        if (book_queued() + backend_waiting() + slack_waiting() > 0 && until_ms < sim_true_ms() + LAST_MS)
            until_ms = sim_true_ms() + LAST_MS;
        if (busy > 0) {
            act(draw(weights), false);
            continue;
        }
        int64_t in_ms = next_in_ms();
        if (in_ms == INT64_MAX || sim_true_ms() + in_ms > until_ms)
            return;
        act(ACT_TIME, true);
    }
}

/* ---- the end
 * ----------------------------------------------------------------------------------------------------------------------------------
 */

static void calm_down(void)
{
    struct faults *f = &sim->faults;
    sim_tell("from now on nothing goes wrong any more");
    sim->calm = true;
    f->disk_full = f->roles_unreadable = f->slack_away = f->backend_down = false;
    settle(REST_MS);
    if (crowd_resume())
        settle(REST_MS);
    check_rest(false);
}

/* No run may be open any more, but for those with the question that only a person can answer. */
static void check_all_over(bool helped)
{
    for (size_t i = 0; i < book_runs(); i++) {
        const struct book_run *run = book_run(i);
        bool excused = run->deletions > 0 || run->state->lock_wait.waiting; /* nobody sees its card; or others are before it */
        if (run->open && (helped ? !excused : hm_run_open_gate(run->state) != NULL))
            sim_fail("runs-settle", "%s is still open %s", run->id, helped ? "although everybody helped" : "long after its time");
    }
}

static void end_with_help(void)
{
    sim_tell("the right people answer everything");
    for (unsigned i = 0; i < 2000 && crowd_help(); i++)
        settle(REST_MS / 15);
    settle(REST_MS);
    check_rest(false);
    check_all_over(true);
}

/* Runs that only time can end. */
static bool somebody_waits(void)
{
    for (size_t i = 0; i < book_runs(); i++) {
        const struct hm_run *run = book_run(i)->state;
        if (hm_run_open_gate(run) != NULL || hm_run_open_question(run) != NULL || (book_run(i)->open && run->lock_wait.waiting))
            return true;
    }
    return false;
}

static void end_with_time(void)
{
    sim_tell("nobody comes for hours");
    for (unsigned i = 0; i < MAX_NAPS && somebody_waits(); i++) {
        sim_time_suspend(NAP_MS);
        settle(NAP_SETTLE_MS);
    }
    settle(REST_MS);
    check_rest(false);
    check_all_over(false);
}

static void end_with_restart(void)
{
    sim_tell("one more restart, at rest");
    process_kill();
    process_start();
    settle(REST_MS / 15);
    check_rest(true);
}

static void play_end(void)
{
    size_t how = rng_below(&sim->rng, 3);
    calm_down();
    if (how == 0)
        end_with_help();
    else if (how == 1)
        end_with_time();
    if (rng_percent(&sim->rng, 25))
        end_with_restart();
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------------------------------------------
 */

static void choose_length(unsigned steps)
{
    static const struct {
        unsigned percent, few, many, steps;
    } kinds[] = {{55, 1, 3, 100}, {28, 3, 7, 200}, {14, 7, 15, 400}, {3, 15, 50, 1500}};
    size_t pick = rng_below(&sim->rng, 100);
    size_t i = 0;
    while (i + 1 < HM_ARRAY_LEN(kinds) && pick >= kinds[i].percent)
        pick -= kinds[i++].percent;
    sim->wishes = (unsigned)rng_between(&sim->rng, kinds[i].few, kinds[i].many);
    sim->steps = steps > 0 ? steps : kinds[i].steps;
}

void sim_play(const struct story_opts *opts)
{
    struct sim story = {
        .seed = opts->seed, .rng = {opts->seed * 0x9e3779b97f4a7c15u}, .alarms = opts->seed % 3 == 0, .verbose = opts->verbose};
    struct sim *before = sim;
    sim = &story;
    story.telling = opts->telling || opts->verbose;
    choose_faults();
    choose_length(opts->steps);
    story.thorough = rng_percent(&story.rng, 5);
    sim_time_init();
    sim_book_init();
    sim_slack_init();
    sim_channel_init();
    sim_backend_init();
    sim_crowd_init();
    sim_check_init();
    process_start();
    play_wild();
    play_end();
    process_kill();
    sim_crowd_done();
    sim_backend_done();
    sim_channel_done();
    sim_slack_done();
    sim_book_done();
    sim_time_done();
    sim_total(&story);
    sim = before;
}
