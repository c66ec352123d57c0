/* One life of the bot: see process.h. This is app/bot.c without signals, sockets and health: the same parts in the same order.
 * What it does itself (the runner's io, auth.test) is kept word for word; the rest is the real code. hm_roles_…() are here: who
 * is in which role is known to the story. */
#include "process.h"

#include <stdlib.h>
#include <string.h>

#include "app/cards.h"
#include "app/hold.h"
#include "app/ledger.h"
#include "app/notices.h"
#include "app/people.h"
#include "app/recipe_store.h"
#include "app/restore.h"
#include "app/roles.h"
#include "app/watch.h"
#include "base/json.h"
#include "base/mem.h"
#include "check.h"
#include "io/timer.h"
#include "model_backend.h"
#include "model_channel.h"
#include "model_journal.h"
#include "model_slack.h"
#include "model_time.h"
#include "sim.h"

enum { AUTH_RETRY_MS = 5000, HOLD_MS = 5000, WAKE_MAX_MS = 10000 };

struct hm_roles {
    int unused;
};

struct process {
    struct hm_runner *runner;
    struct hm_recipe_store *store;
    struct hm_ledger *ledger;
    struct hm_cards *cards;
    struct hm_people *people;
    struct hm_intake *intake;
    struct hm_hold *hold;
    struct hm_notices *notices;
    struct hm_watch *watch;
    struct hm_timer *wake_timer, *auth_timer, *hold_timer;
    struct hm_restore *restore; /* NULL = all runs are there */
    bool impatient;
    char *team;
    bool connected; /* Slack can reach us; matters to stories with alarms only */
    bool dying;
};

/* ---- roles
 * -----------------------------------------------------------------------------------------------------------------------------
 */

json_t *hm_roles_users_new(const struct hm_roles *roles, const char *role)
{
    (void)roles;
    (void)role;
    return json_array();
}

bool hm_roles_known(const struct hm_roles *roles)
{
    (void)roles;
    return true;
}

enum hm_member hm_roles_member(const struct hm_roles *roles, const char *role, const char *user)
{
    (void)roles;
    if (sim->faults.roles_unreadable)
        return HM_MEMBER_UNKNOWN;
    return strcmp(role, "hausmeister") == 0 && strcmp(user, "U0DAN") != 0 ? HM_MEMBER_YES : HM_MEMBER_NO;
}

void hm_roles_refresh(struct hm_roles *roles, const char *usergroup)
{
    (void)roles;
    (void)usergroup;
}

/* ---- the runner's io
 * --------------------------------------------------------------------------------------------------------------------- */

static void io_commit(void *arg, const struct hm_commit *commit, void *token)
{
    struct process *p = arg;
    hm_ledger_commit(p->ledger, p->runner, commit, hm_cards_owed_new(p->cards, commit), token);
}

static void io_send(void *arg, const char *run_id, const struct hm_ticket *ticket, const struct hm_backend *backend,
                    const struct hm_request *req, int64_t timeout_ms)
{
    const struct process *p = arg;
    (void)backend;
    (void)timeout_ms;
    if (!p->dying)
        backend_send(run_id, ticket, req);
}

static void io_changed(void *arg, const struct hm_run *run)
{
    struct process *p = arg;
    if (p->dying)
        return;
    hm_cards_show(p->cards, run);
    hm_watch_run(p->watch, run);
}

static void io_wake(void *arg, int64_t at_ms)
{
    struct process *p = arg;
    int64_t in_ms = at_ms != INT64_MAX ? at_ms - sim_wall_ms() : INT64_MAX;
    if (at_ms == INT64_MAX)
        hm_timer_stop(p->wake_timer);
    else
        hm_timer_start(p->wake_timer, in_ms < WAKE_MAX_MS ? in_ms : WAKE_MAX_MS);
}

static void on_wake(void *arg)
{
    struct process *p = arg;
    hm_runner_time(p->runner, sim_wall_ms());
}

static enum hm_code io_load(void *arg, const char *run_id, bool (*visit)(void *visit_arg, const struct hm_event *event),
                            void *visit_arg, struct hm_err *err)
{
    struct process *p = arg;
    return hm_ledger_load(p->ledger, run_id, visit, visit_arg, err);
}

static const struct hm_recipe *io_recipe(void *arg, const char *sha256)
{
    struct process *p = arg;
    return hm_recipe_store_by_sha(p->store, sha256);
}

static const struct hm_backend *env_backend(void *arg, const char *name)
{
    (void)arg;
    return hm_settings_backend(sim_config(sim->config), name);
}

static enum hm_member env_member(void *arg, const char *role, const char *user)
{
    (void)arg;
    return hm_roles_member(NULL, role, user);
}

static void env_nonce(void *arg, char ret_nonce[17])
{
    (void)arg;
    hm_random_text(sim_clock(), "0123456789abcdef", ret_nonce, 16);
}

static void io_env(void *arg, const char *recipe, struct hm_run_env *ret_env)
{
    struct process *p = arg;
    *ret_env = (struct hm_run_env){
        .now_ms = sim_wall_ms(),
        .current = hm_recipe_store_current(p->store, recipe),
        .known = hm_watch_known(p->watch),
        .team = p->team,
        .backend = env_backend,
        .member = env_member,
        .nonce = env_nonce,
        .arg = p,
    };
}

/* ---- who we are
 * -------------------------------------------------------------------------------------------------------------------------- */

static void hold_no_more(void *arg)
{
    struct process *p = arg;
    hm_timer_stop(p->hold_timer);
    p->impatient = true;
    if (p->restore == NULL)
        hm_intake_hold(p->intake, false);
}

static void on_restored(void *arg, enum hm_code code, const char *problem)
{
    struct process *p = arg;
    if (code != HM_OK)
        sim_fail("journal-folds", "the bot can not read its runs: %s", problem);
    hm_restore_free(p->restore);
    p->restore = NULL;
    hm_intake_hold_forms(p->intake, false);
    hm_watch_restored(p->watch);
    if (p->impatient)
        hm_intake_hold(p->intake, false);
}

static void on_auth(void *arg, const struct hm_web_answer *answer)
{
    struct process *p = arg;
    const char *team = hm_json_get_str(answer->body, "team_id", NULL);
    if (p->dying)
        return;
    if (answer->code != HM_OK || team == NULL) {
        hm_timer_start(p->auth_timer, AUTH_RETRY_MS);
        return;
    }
    free(p->team);
    p->team = hm_xstrdup(team);
    const char *user = hm_json_get_str(answer->body, "user_id", "");
    hm_people_identity(p->people, user, team);
    hm_watch_identity(p->watch, user, hm_json_get_str(answer->body, "bot_id", ""), team);
    hold_no_more(p);
}

static void ask_who_we_are(void *arg)
{
    hm_web_call(sim_web_api(), "auth.test", HM_WEB_BOT, hm_json_obj_new(), on_auth, arg);
}

/* ---- the intake's side
 * ------------------------------------------------------------------------------------------------------------------- */

static void on_request(void *arg, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms)
{
    struct process *p = arg;
    if (!hm_watch_message(p->watch, inbox_id, req))
        hm_people_handle(p->people, inbox_id, req, stored_ms);
}

static char *on_submitted(void *arg, int64_t inbox_id, const struct hm_slack_request *req)
{
    struct process *p = arg;
    return hm_people_submitted(p->people, inbox_id, req);
}

static void on_refused(void *arg, const char *problem)
{
    struct process *p = arg;
    (void)problem;
    if (!p->dying)
        hm_watch_missed(p->watch);
}

/* ---- birth
 * --------------------------------------------------------------------------------------------------------------------------------
 */

static void open_inside(struct process *p)
{
    const struct hm_settings *s = sim_config(sim->config);
    p->store = hm_recipe_store_new("the book");
    hm_recipe_store_use(p->store, &s->recipes);
    p->ledger = hm_ledger_new(sim_journal(), "the book");
    p->wake_timer = hm_timer_new(sim_loop(), on_wake, p);
    p->auth_timer = hm_timer_new(sim_loop(), ask_who_we_are, p);
    p->hold_timer = hm_timer_new(sim_loop(), hold_no_more, p);
    struct hm_cards_opts cards = {sim_loop(), sim_web_api(),          sim_journal(), "the book",
                                  p->ledger,  hm_recipe_store_by_sha, p->store,      sim_clock()};
    p->cards = hm_cards_new(&cards);
    const struct hm_runner_io io = {io_commit, io_send, io_changed, io_wake, io_load, io_env, io_recipe, p};
    p->runner = hm_runner_new(&io);
    hm_cards_attach(p->cards, p->runner);
    hm_runner_keep(p->runner, sim->seed % 2 == 0 ? 0 : 64); /* each second world keeps no run that waits */
    struct hm_intake_opts intake = {sim_loop(), sim_journal(), on_request, on_submitted, on_refused, p};
    p->intake = hm_intake_new(&intake);
    hm_intake_use(p->intake, sim_socket());
    hm_intake_hold(p->intake, true);
    hm_timer_start(p->hold_timer, HOLD_MS);
    struct hm_people_opts people = {
        p->runner,   NULL,       p->intake, sim_web_api(), hm_cards_poster(p->cards), hm_cards_slack(p->cards),
        sim_clock(), sim_loop(), NULL};
    p->people = hm_people_new(&people);
    p->hold = hm_hold_new(sim_journal(), p->runner, p->cards, sim_clock());
    p->notices = hm_notices_new(sim_loop(), sim_journal(), p->cards, sim_clock());
    hm_ledger_attach(p->ledger, p->notices);
    hm_hold_attach(p->hold, p->notices);
    hm_people_attach(p->people, p->cards, p->hold);
    const struct hm_watch_opts watch = {sim_loop(), sim_journal(), "the book", sim_web_api(), p->intake, p->runner, sim_clock()};
    p->watch = hm_watch_new(&watch);
    hm_people_watch(p->people, p->watch);
    hm_watch_use(p->watch, s);
    hm_cards_use(p->cards, s);
    hm_notices_use(p->notices, s);
    hm_people_use(p->people, s);
}

void process_start(void)
{
    struct hm_err err = {0};
    struct process *p = hm_xcalloc(1, sizeof *p);
    sim_tell("the bot starts");
    sim->process = p;
    open_inside(p);
    enum hm_code code = hm_notices_restore(p->notices, "the book", &err);
    if (code == HM_OK)
        code = hm_hold_restore(p->hold, "the book", &err);
    if (code == HM_OK)
        code = hm_watch_restore(p->watch, &err);
    if (code == HM_OK)
        code = hm_intake_restore(p->intake, "the book", &err);
    /* one run in each turn: what comes meanwhile must wait, and a crash may find some of them read */
    const struct hm_restore_opts opts = {sim_loop(), sim_clock(), p->ledger, p->runner, p->cards, 1, on_restored, p};
    hm_intake_hold_forms(p->intake, true);
    p->restore = hm_restore_new(&opts, &err);
    if (code != HM_OK || p->restore == NULL)
        sim_fail("journal-folds", "the bot does not start: %s", err.msg);
    ask_who_we_are(p);
}

void process_reload(void)
{
    struct process *p = sim->process;
    const struct hm_settings *s = sim_config(sim->config);
    sim_tell("the bot loads configuration %u", sim->config);
    hm_recipe_store_use(p->store, &s->recipes);
    hm_cards_use(p->cards, s);
    hm_notices_use(p->notices, s);
    hm_people_use(p->people, s);
    hm_watch_use(p->watch, s);
    hm_runner_changed(p->runner);
}

/* ---- death
 * --------------------------------------------------------------------------------------------------------------------------------
 */

static bool has_open_envelopes(void)
{
    for (size_t i = 0; i < book_inbox_size(); i++)
        if (!book_inbox(i)->done)
            return true;
    return false;
}

static void fail_all(void)
{
    while (book_queued() + book_unreported() + slack_waiting() > 0) {
        book_bury();
        slack_bury();
    }
}

/* What waits for the next tick of the watch is tried once more, in vain. */
static void last_tick(void)
{
    enum { TICK_MS = 6000, MANY = 200 };
    sim_time_pass(TICK_MS);
    for (unsigned i = 0; i < MANY && sim_timer_fire(); i++)
        ;
}

/* Everything that hangs on a callback is freed by that callback: so each gets one, with a failure. None of it reaches the
 * outside. */
static void bury(struct process *p)
{
    fail_all();
    for (unsigned round = 0; round < 2 && has_open_envelopes(); round++) {
        /* somebody may wait for the word of a run whose commit has failed */
        hm_runner_time(p->runner, INT64_MAX - 1);
        fail_all();
        if (sim->alarms)
            last_tick();
        fail_all();
    }
    hm_watch_stop(p->watch);
    hm_cards_stop(p->cards);
}

void process_kill(void)
{
    struct process *p = sim->process;
    sim_tell("THE BOT DIES");
    sim->count.crashes++;
    process_connect(false);
    p->dying = true;
    hm_restore_free(p->restore);
    slack_crash();
    backend_crash();
    bury(p);
    hm_people_free(p->people);
    hm_intake_free(p->intake);
    hm_cards_free(p->cards);
    hm_watch_free(p->watch);
    hm_hold_free(p->hold);
    hm_notices_free(p->notices);
    hm_runner_free(p->runner);
    hm_ledger_free(p->ledger);
    hm_recipe_store_free(p->store);
    hm_timer_free(p->wake_timer);
    hm_timer_free(p->auth_timer);
    hm_timer_free(p->hold_timer);
    free(p->team);
    free(p);
    sim->process = NULL;
    book_after_crash();
}

/* ---- looking in
 * ------------------------------------------------------------------------------------------------------------------------------
 */

bool process_is_connected(void)
{
    return sim->process != NULL && (sim->process->connected || !sim->alarms);
}

void process_connect(bool connected)
{
    struct process *p = sim->process;
    if (!sim->alarms || p->connected == connected)
        return;
    sim_tell("Slack: %s", connected ? "connected" : "the connection ends");
    p->connected = connected;
    if (connected)
        channel_connected();
    else
        slack_drop_events();
    hm_watch_connected(p->watch, connected);
}

bool process_restoring(void)
{
    return sim->process->restore != NULL;
}

struct hm_runner *process_runner(void)
{
    return sim->process->runner;
}

struct hm_intake *process_intake(void)
{
    return sim->process->intake;
}

unsigned process_life(void)
{
    return sim->count.crashes + 1;
}

bool process_is_held(void)
{
    return hm_hold_by(sim->process->hold) != NULL;
}

struct hm_card_around process_around(void)
{
    return hm_cards_around_of(sim->process->cards);
}

void process_each_run(void (*visit)(void *arg, const struct hm_run *run), void *arg)
{
    hm_runner_each_awake(sim->process->runner, visit, arg);
}
