/* The bot: see bot.h for the drawing of its life.
 *
 * Order at start: settings → tokens → journal → stores → open envelopes (held) → Slack, and meanwhile the open runs; then what
 * was held. Order at the end: the socket closes politely (what is acknowledged stays, what is not comes again), cards and commits
 * get a moment, then HTTP, then the journal, then the loop. A guard timer ends the process when any of it hangs. */
#include "app/bot.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "app/backends.h"
#include "app/cards.h"
#include "app/health.h"
#include "app/hold.h"
#include "app/intake.h"
#include "app/ledger.h"
#include "app/notices.h"
#include "app/papers.h"
#include "app/people.h"
#include "app/prune.h"
#include "app/recipe_store.h"
#include "app/restore.h"
#include "app/roles.h"
#include "app/slack_token.h"
#include "app/watch.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/lws_loop.h"
#include "io/notify.h"
#include "io/timer.h"
#include "run/runner.h"

enum { DRAIN_MS = 1500, DRAIN_STEP_MS = 20, END_GUARD_MS = 4500, AUTH_RETRY_MS = 5000, MAX_PROGRAMS = 16, HOLD_MS = 5000 };
/* The runner's times are wall-clock times; timers stand still while the machine sleeps, and do not see the clock being set. So
 * the clock is looked at this often. */
enum { WAKE_MAX_MS = 10000 };

enum phase { PHASE_RUNNING, PHASE_CLOSING_SOCKET, PHASE_DRAINING, PHASE_CLOSING_HTTP, PHASE_CLOSING_JOURNAL, PHASE_CLOSING_LOOP };

struct hm_bot {
    uv_loop_t loop;
    enum phase phase;
    const struct hm_clock *clock;
    struct hm_settings *settings; /* in force */
    struct hm_settings *first;    /* held to the end: what is read at start only points into them */
    uv_signal_t sigterm, sigint, sighup;
    unsigned open_handles; /* of our own, being closed */
    struct hm_timer *wake_timer, *drain_timer, *guard_timer, *auth_timer, *hold_timer, *watchdog_timer;
    int64_t drain_until_ms;

    struct lws_context *lws;
    struct hm_http_client *http;
    struct hm_processes *processes;
    struct hm_journal *journal;
    struct hm_web_api *api;
    struct hm_socket *socket;
    struct hm_roles *roles;
    struct hm_backends *backends;
    struct hm_recipe_store *store;
    struct hm_ledger *ledger;
    struct hm_runner *runner;
    struct hm_cards *cards;
    struct hm_people *people;
    struct hm_watch *watch;
    struct hm_hold *hold;
    struct hm_notices *notices;
    struct hm_papers *papers;
    struct hm_prune *prune;
    struct hm_intake *intake;
    struct hm_health_sources sources;
    struct hm_health *health;
    char *team;
    char *config_problem;
    struct hm_restore *restore; /* NULL = all runs are there */
    bool impatient;             /* what people ask is not held for Slack's sake any more */
    bool failed;
    bool told_ready;
};

/* ---- the runner's io ------------------------------------------------------------------------------------------------- */

static void io_commit(void *arg, const struct hm_commit *commit, void *token)
{
    struct hm_bot *bot = arg;
    hm_ledger_commit(bot->ledger, bot->runner, commit, hm_cards_owed_new(bot->cards, commit), token);
}

/* A backend request under way. */
struct flight {
    struct hm_bot *bot;
    struct hm_ticket ticket;
    char run_id[]; /* NUL-terminated */
};

static void on_answer(void *arg, const struct hm_http_result *result)
{
    struct flight *flight = arg;
    struct hm_bot *bot = flight->bot;
    /* Cut off by our own end: nobody knows, so the journal keeps it as under way and the next start settles it. */
    bool cut = bot->phase >= PHASE_CLOSING_HTTP;
    if (!cut) {
        hm_cards_tail(bot->cards, flight->run_id, NULL);
        hm_runner_answer(bot->runner, flight->run_id, &flight->ticket, &result->answer, result->duration_ms);
    }
    free(flight);
}

/* What a program prints while it runs. */
static void on_tail(void *arg, const char *text)
{
    struct flight *flight = arg;
    struct hm_bot *bot = flight->bot;
    const struct hm_run *run = hm_runner_find(bot->runner, flight->run_id);
    if (run == NULL || bot->phase >= PHASE_CLOSING_HTTP || run->recipe->steps[flight->ticket.step].call.action->silent)
        return;
    hm_cards_tail(bot->cards, flight->run_id, text);
}

static void io_send(void *arg, const char *run_id, const struct hm_ticket *ticket, const struct hm_backend *backend,
                    const struct hm_request *req, int64_t timeout_ms)
{
    struct hm_bot *bot = arg;
    size_t len = strlen(run_id) + 1;
    if (bot->phase >= PHASE_CLOSING_HTTP) /* not sent, and the journal has it as under way: the next start settles it */
        return;
    struct flight *flight = hm_xmalloc(sizeof *flight + len);
    flight->bot = bot;
    flight->ticket = *ticket;
    memcpy(flight->run_id, run_id, len);
    const struct hm_run *run = hm_runner_find(bot->runner, run_id);
    bool read = ticket->purpose != HM_FOR_STEP || (run != NULL && run->recipe->steps[ticket->step].effect == HM_EFFECT_READ);
    const struct hm_send send = {.timeout_ms = timeout_ms, .read = read, .on_done = on_answer, .on_tail = on_tail, .arg = flight};
    hm_backends_send(bot->backends, backend, req, &send);
}

static void io_changed(void *arg, const struct hm_run *run)
{
    struct hm_bot *bot = arg;
    hm_cards_show(bot->cards, run);
    hm_people_changed(bot->people);
    hm_watch_run(bot->watch, run);
    if (run->status != HM_RUN_GOING)
        hm_log(HM_LOG_INFO, run->id, "%s of %s ended: %s", run->recipe->name, run->requester, hm_run_status_name(run->status));
}

static void io_wake(void *arg, int64_t at_ms)
{
    struct hm_bot *bot = arg;
    int64_t in_ms = at_ms != INT64_MAX ? at_ms - hm_wall_ms(bot->clock) : INT64_MAX;
    if (at_ms == INT64_MAX)
        hm_timer_stop(bot->wake_timer);
    else
        hm_timer_start(bot->wake_timer, in_ms < WAKE_MAX_MS ? in_ms : WAKE_MAX_MS);
}

static void on_wake(void *arg)
{
    struct hm_bot *bot = arg;
    if (bot->phase < PHASE_CLOSING_HTTP)
        hm_runner_time(bot->runner, hm_wall_ms(bot->clock));
}

static enum hm_code io_load(void *arg, const char *run_id, bool (*visit)(void *visit_arg, const struct hm_event *event),
                            void *visit_arg, struct hm_err *err)
{
    struct hm_bot *bot = arg;
    return hm_ledger_load(bot->ledger, run_id, visit, visit_arg, err);
}

static const struct hm_recipe *io_recipe(void *arg, const char *sha256)
{
    struct hm_bot *bot = arg;
    return hm_recipe_store_by_sha(bot->store, sha256);
}

static const struct hm_backend *env_backend(void *arg, const char *name)
{
    struct hm_bot *bot = arg;
    return hm_settings_backend(bot->settings, name);
}

static enum hm_member env_member(void *arg, const char *role, const char *user)
{
    struct hm_bot *bot = arg;
    return hm_roles_member(bot->roles, role, user);
}

static void env_nonce(void *arg, char ret_nonce[17])
{
    struct hm_bot *bot = arg;
    hm_random_text(bot->clock, "0123456789abcdef", ret_nonce, 16);
}

static void io_env(void *arg, const char *recipe, struct hm_run_env *ret_env)
{
    struct hm_bot *bot = arg;
    *ret_env = (struct hm_run_env){
        .now_ms = hm_wall_ms(bot->clock),
        .current = hm_recipe_store_current(bot->store, recipe),
        .known = hm_watch_known(bot->watch),
        .environments = bot->settings->environments,
        .team = bot->team,
        .backend = env_backend,
        .member = env_member,
        .nonce = env_nonce,
        .arg = bot,
    };
}

/* ---- Slack ----------------------------------------------------------------------------------------------------------- */

static void on_url(void *arg, const struct hm_web_answer *answer)
{
    struct hm_bot *bot = arg;
    const char *url = answer->code == HM_OK ? hm_json_get_str(answer->body, "url", NULL) : NULL;
    const char *problem = answer->code != HM_OK ? answer->sentence : "Slack's answer to apps.connections.open holds no url";
    if (bot->phase == PHASE_RUNNING)
        hm_socket_url(bot->socket, url, answer->fatal, answer->retry_after_ms, problem);
}

static void open_url(void *arg)
{
    struct hm_bot *bot = arg;
    hm_web_call(bot->api, "apps.connections.open", HM_WEB_APP, hm_json_obj_new(), on_url, bot);
}

static void on_envelope(void *arg, struct hm_ack_ticket ticket, const struct hm_envelope *env)
{
    struct hm_bot *bot = arg;
    hm_intake_envelope(bot->intake, ticket, env);
}

static void on_change(void *arg, bool connected, const char *text)
{
    struct hm_bot *bot = arg;
    (void)text; /* the socket has logged it */
    hm_watch_connected(bot->watch, connected);
    if (connected && !bot->told_ready) {
        bot->told_ready = true;
        (void)hm_notify("READY=1\nSTATUS=connected to Slack");
    }
}

/* Until it is known who we are and who is in which role, what people ask is kept (journaled and acknowledged) and not refused;
 * but not for long: somebody waits for an answer, even if it is that Slack does not tell. */
static void hold_no_more(void *arg)
{
    struct hm_bot *bot = arg;
    hm_timer_stop(bot->hold_timer);
    bot->impatient = true;
    if (bot->restore == NULL &&
        bot->phase == PHASE_RUNNING) /* at the end without having read all runs, nothing more is handled */
        hm_intake_hold(bot->intake, false);
}

static void when_known(void *arg)
{
    struct hm_bot *bot = arg;
    if (bot->team != NULL && hm_roles_known(bot->roles))
        hold_no_more(bot);
}

static void on_auth(void *arg, const struct hm_web_answer *answer)
{
    struct hm_bot *bot = arg;
    const char *team = hm_json_get_str(answer->body, "team_id", NULL);
    if (answer->code != HM_OK || team == NULL) {
        hm_log(HM_LOG_ERROR, "slack", "auth.test: %s", answer->code != HM_OK ? answer->sentence : "the answer names no team");
        if (bot->phase == PHASE_RUNNING)
            hm_timer_start(bot->auth_timer, AUTH_RETRY_MS);
        return;
    }
    free(bot->team);
    bot->team = hm_xstrdup(team);
    const char *user = hm_json_get_str(answer->body, "user_id", "");
    hm_people_identity(bot->people, user, team);
    hm_cards_workspace(bot->cards, hm_json_get_str(answer->body, "url", ""));
    hm_watch_identity(bot->watch, user, hm_json_get_str(answer->body, "bot_id", ""), team);
    when_known(bot);
    hm_log(HM_LOG_INFO, "slack", "we are %s in workspace %s", user, team);
}

static void ask_who_we_are(void *arg)
{
    struct hm_bot *bot = arg;
    hm_web_call(bot->api, "auth.test", HM_WEB_BOT, hm_json_obj_new(), on_auth, bot);
}

/* ---- the intake's side ----------------------------------------------------------------------------------------------- */

static void on_request(void *arg, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms)
{
    struct hm_bot *bot = arg;
    if (!hm_watch_message(bot->watch, inbox_id, req))
        hm_people_handle(bot->people, inbox_id, req, stored_ms);
}

static char *on_submitted(void *arg, int64_t inbox_id, const struct hm_slack_request *req)
{
    struct hm_bot *bot = arg;
    return hm_people_submitted(bot->people, inbox_id, req);
}

static void on_refused(void *arg, const char *problem)
{
    struct hm_bot *bot = arg;
    hm_watch_missed(bot->watch);
    hm_log(HM_LOG_ERROR, "journal", "an envelope was not stored and is not acknowledged: %s", problem);
}

/* ---- reload ---------------------------------------------------------------------------------------------------------- */

static void reload(struct hm_bot *bot)
{
    struct hm_diags diags;
    struct hm_err err = {0};
    hm_diags_init(&diags);
    HM_FREE(bot->config_problem);
    struct hm_settings *fresh = hm_settings_load(bot->settings->file, &diags);
    for (size_t i = 0; i < diags.count; i++)
        hm_log(HM_LOG_ERROR, "config", "%s: %s", diags.items[i].at, diags.items[i].text);
    if (fresh != NULL && hm_backends_use(bot->backends, fresh, &err) != HM_OK) {
        hm_settings_free(fresh);
        fresh = NULL;
        bot->config_problem = hm_xstrdup(err.msg);
    } else if (fresh == NULL) {
        bot->config_problem = hm_xasprintf("%s: %s", diags.items[0].at, diags.items[0].text);
    }
    bot->sources.config_problem = bot->config_problem;
    hm_diags_done(&diags);
    if (fresh == NULL) {
        hm_log(HM_LOG_ERROR, "config", "not reloaded, the configuration from before stays in force: %s", bot->config_problem);
        return;
    }
    if (strcmp(fresh->journal_path, bot->settings->journal_path) != 0) {
        hm_log(HM_LOG_WARN, "config", "journal.path is read at start only: %s stays in use", bot->settings->journal_path);
        free(fresh->journal_path);
        fresh->journal_path = hm_xstrdup(bot->settings->journal_path);
    }
    struct hm_settings *before = bot->settings;
    bot->settings = fresh;
    hm_recipe_store_use(bot->store, &fresh->recipes);
    hm_roles_use(bot->roles, fresh);
    hm_prune_use(bot->prune, fresh);
    hm_cards_use(bot->cards, fresh);
    hm_watch_use(bot->watch, fresh);
    hm_notices_use(bot->notices, fresh);
    hm_people_use(bot->people, fresh);
    hm_runner_changed(bot->runner);
    hm_settings_free(before); /* but for what is still under way with them */
    hm_log(HM_LOG_INFO, "config", "reloaded: %zu recipes (tokens, journal and HTTP address are read at start only)",
           fresh->recipes.count);
}

/* ---- the end --------------------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct hm_bot *bot = handle->data;
    bot->open_handles--;
}

static void close_signal(struct hm_bot *bot, uv_signal_t *signal)
{
    bot->open_handles++;
    uv_close((uv_handle_t *)signal, on_handle_closed);
}

/* Everything that keeps the loop alive goes; uv_run() returns when the last handle is closed. */
static void close_loop(void *arg)
{
    struct hm_bot *bot = arg;
    bot->phase = PHASE_CLOSING_LOOP;
    hm_health_free(bot->health);
    hm_intake_stop(bot->intake);
    hm_socket_free(bot->socket);
    bot->socket = NULL;
    bot->health = NULL;
    hm_watch_stop(bot->watch);
    hm_notices_stop(bot->notices);
    hm_cards_stop(bot->cards);
    hm_web_api_free(bot->api);
    hm_roles_free(bot->roles);
    hm_people_free(bot->people);
    hm_papers_free(bot->papers);
    hm_intake_free(bot->intake);
    hm_cards_free(bot->cards);
    hm_watch_free(bot->watch);
    hm_timer_free(bot->wake_timer);
    hm_timer_free(bot->drain_timer);
    hm_timer_free(bot->auth_timer);
    hm_timer_free(bot->hold_timer);
    hm_timer_free(bot->watchdog_timer);
    hm_timer_free(bot->guard_timer);
    close_signal(bot, &bot->sigterm);
    close_signal(bot, &bot->sigint);
    close_signal(bot, &bot->sighup);
    hm_lws_loop_close(bot->lws);
}

static void close_journal(void *arg)
{
    struct hm_bot *bot = arg;
    bot->phase = PHASE_CLOSING_JOURNAL;
    hm_ledger_rest(bot->ledger);
    hm_prune_stop(bot->prune);
    hm_journal_close(bot->journal, close_loop, bot);
}

static void close_http(void *arg)
{
    struct hm_bot *bot = arg;
    hm_http_client_close(bot->http, close_journal, bot);
}

static void on_drain(void *arg)
{
    struct hm_bot *bot = arg;
    bool done = hm_runner_idle(bot->runner) && hm_cards_settled(bot->cards) && hm_watch_settled(bot->watch) &&
                hm_web_pending(bot->api) == 0;
    if (!done && hm_mono_ms(bot->clock) < bot->drain_until_ms) {
        hm_timer_start(bot->drain_timer, DRAIN_STEP_MS);
        return;
    }
    bot->phase = PHASE_CLOSING_HTTP;
    hm_people_stop(bot->people);
    hm_processes_close(bot->processes, close_http, bot);
}

static void on_socket_closed(void *arg)
{
    struct hm_bot *bot = arg;
    bot->phase = PHASE_DRAINING;
    bot->drain_until_ms = hm_mono_ms(bot->clock) + DRAIN_MS;
    on_drain(bot);
}

static void on_guard(void *arg)
{
    struct hm_bot *bot = arg;
    hm_log(HM_LOG_WARN, "bot", "the end took too long in phase %d; what was not done goes on at the next start", (int)bot->phase);
    _exit(0);
}

static void end(struct hm_bot *bot)
{
    (void)hm_notify("STOPPING=1");
    bot->phase = PHASE_CLOSING_SOCKET;
    bot->sources.restore = NULL; /* /readyz answers to the end */
    hm_restore_free(bot->restore);
    bot->restore = NULL;
    hm_timer_start(bot->guard_timer, END_GUARD_MS);
    hm_socket_close(bot->socket, on_socket_closed, bot);
}

static void on_restored(void *arg, enum hm_code code, const char *problem)
{
    struct hm_bot *bot = arg;
    hm_restore_free(bot->restore);
    bot->restore = NULL;
    bot->sources.restore = NULL;
    if (code != HM_OK) {
        hm_log(HM_LOG_ERROR, "journal", "the open runs can not be read, so this is the end: %s", problem);
        bot->failed = true;
        end(bot);
        return;
    }
    struct hm_err err = {0};
    hm_notices_restored(bot->notices);
    if (hm_papers_restore(bot->papers, bot->settings->journal_path, &err) != HM_OK)
        hm_log(HM_LOG_ERROR, "journal", "files that are owed can not be read: %s", err.msg);
    hm_watch_restored(bot->watch);
    hm_intake_hold_forms(bot->intake, false);
    if (bot->impatient)
        hm_intake_hold(bot->intake, false);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct hm_bot *bot = handle->data;
    if (signum == SIGHUP) {
        if (bot->phase == PHASE_RUNNING)
            reload(bot);
        return;
    }
    if (bot->phase != PHASE_RUNNING)
        return; /* it is ending already */
    hm_log(HM_LOG_INFO, "bot", "%s: closing", signum == SIGTERM ? "SIGTERM" : "SIGINT");
    end(bot);
}

static void on_watchdog(void *arg)
{
    struct hm_bot *bot = arg;
    (void)hm_notify("WATCHDOG=1");
    hm_timer_start(bot->watchdog_timer, hm_notify_watchdog_ms());
}

/* ---- the beginning --------------------------------------------------------------------------------------------------- */

static enum hm_code open_outside(struct hm_bot *bot, struct hm_err *err)
{
    struct hm_journal_opts journal = {.path = bot->settings->journal_path, .clock = bot->clock};
    bot->journal = hm_journal_open(&bot->loop, &journal, err);
    if (bot->journal == NULL)
        return HM_EENV;
    bot->http = hm_http_client_new(&bot->loop, bot->clock, err);
    bot->processes = hm_processes_new(&bot->loop, bot->clock, MAX_PROGRAMS);
    bot->lws = bot->http != NULL ? hm_lws_loop_new(&bot->loop, err) : NULL;
    return bot->lws != NULL ? HM_OK : HM_EENV;
}

static enum hm_code open_slack(struct hm_bot *bot, struct hm_err *err)
{
    const struct hm_settings *s = bot->settings;
    char *bot_token = NULL;
    char *app_token = NULL;
    enum hm_code code = hm_slack_token_read(s, HM_SLACK_TOKEN_BOT, &bot_token, err);
    if (code == HM_OK)
        code = hm_slack_token_read(s, HM_SLACK_TOKEN_APP, &app_token, err);
    if (code == HM_OK) {
        struct hm_web_api_opts api = {.loop = &bot->loop,
                                      .http = bot->http,
                                      .clock = bot->clock,
                                      .base_url = s->slack.api_url,
                                      .bot_token = bot_token,
                                      .app_token = app_token,
                                      .ca = s->slack.ca,
                                      .speed = s->slack.speed};
        bot->api = hm_web_api_new(&api, err);
        code = bot->api != NULL ? HM_OK : HM_EENV;
    }
    hm_secret_free(bot_token);
    hm_secret_free(app_token);
    if (code != HM_OK)
        return code;
    struct hm_socket_opts socket = {.loop = &bot->loop,
                                    .lws = bot->lws,
                                    .clock = bot->clock,
                                    .ca = s->slack.ca,
                                    .open_url = open_url,
                                    .on_envelope = on_envelope,
                                    .on_change = on_change,
                                    .arg = bot};
    bot->socket = hm_socket_new(&socket, err);
    return bot->socket != NULL ? HM_OK : HM_EENV;
}

static enum hm_code open_inside(struct hm_bot *bot, struct hm_err *err)
{
    const struct hm_settings *s = bot->settings;
    bot->store = hm_recipe_store_new(s->journal_path);
    hm_recipe_store_use(bot->store, &s->recipes);
    bot->roles = hm_roles_new(&bot->loop, bot->api, bot->clock, when_known, bot);
    bot->backends = hm_backends_new(bot->http, bot->processes, bot->clock);
    bot->ledger = hm_ledger_new(bot->journal, s->journal_path);
    struct hm_cards_opts cards = {&bot->loop, bot->api,  bot->journal, s->journal_path, bot->ledger, hm_recipe_store_by_sha,
                                  bot->store, bot->clock};
    bot->cards = hm_cards_new(&cards);
    const struct hm_runner_io io = {io_commit, io_send, io_changed, io_wake, io_load, io_env, io_recipe, bot};
    bot->runner = hm_runner_new(&io);
    hm_cards_attach(bot->cards, bot->runner);
    bot->hold = hm_hold_new(bot->journal, bot->runner, bot->cards, bot->clock);
    bot->notices = hm_notices_new(&bot->loop, bot->journal, bot->cards, bot->clock);
    hm_notices_attach(bot->notices, bot->roles);
    hm_ledger_attach(bot->ledger, bot->notices);
    const struct hm_papers_opts papers = {&bot->loop, bot->api, bot->journal, bot->cards, bot->runner, io_env, bot};
    bot->papers = hm_papers_new(&papers);
    hm_ledger_attach_papers(bot->ledger, bot->papers);
    hm_hold_attach(bot->hold, bot->notices);
    struct hm_intake_opts intake = {&bot->loop, bot->journal, on_request, on_submitted, on_refused, bot};
    bot->intake = hm_intake_new(&intake);
    hm_intake_use(bot->intake, bot->socket);
    hm_intake_hold(bot->intake, true);
    hm_timer_start(bot->hold_timer, HOLD_MS);
    struct hm_people_opts people = {
        bot->runner, bot->roles, bot->intake,  bot->api, hm_cards_poster(bot->cards), hm_cards_slack(bot->cards),
        bot->clock,  &bot->loop, bot->backends};
    bot->people = hm_people_new(&people);
    hm_people_attach(bot->people, bot->cards, bot->hold);
    bot->prune = hm_prune_new(&bot->loop, bot->journal, bot->clock);
    hm_prune_use(bot->prune, s);
    const struct hm_watch_opts watch = {&bot->loop,  bot->journal, s->journal_path, bot->api,
                                        bot->intake, bot->runner,  bot->clock};
    bot->watch = hm_watch_new(&watch);
    hm_people_alarms(bot->people, hm_watch_home, bot->watch);
    hm_people_watch(bot->people, bot->watch);
    hm_watch_use(bot->watch, s);
    hm_cards_use(bot->cards, s);
    hm_notices_use(bot->notices, s);
    hm_people_use(bot->people, s);
    hm_roles_use(bot->roles, s);
    return hm_backends_use(bot->backends, s, err);
}

static enum hm_code open_health(struct hm_bot *bot, struct hm_err *err)
{
    bot->sources =
        (struct hm_health_sources){bot->socket, bot->journal, bot->api, bot->intake, bot->runner, NULL, NULL, bot->watch};
    if (bot->settings->http_listen == NULL)
        return HM_OK;
    bot->health = hm_health_new(bot->lws, bot->settings->http_listen, &bot->sources, err);
    if (bot->health == NULL)
        return HM_EENV;
    hm_log(HM_LOG_INFO, "bot", "health on port %d", hm_health_port(bot->health));
    return HM_OK;
}

static enum hm_code restore(struct hm_bot *bot, struct hm_err *err)
{
    enum hm_code code = hm_notices_restore(bot->notices, bot->settings->journal_path, err);
    if (code == HM_OK)
        code = hm_hold_restore(bot->hold, bot->settings->journal_path, err);
    if (code == HM_OK)
        code = hm_watch_restore(bot->watch, err);
    if (code == HM_OK)
        code = hm_intake_restore(bot->intake, bot->settings->journal_path, err);
    if (code != HM_OK)
        return code;
    const struct hm_restore_opts opts = {&bot->loop, bot->clock, bot->ledger, bot->runner, bot->cards, 0, on_restored, bot};
    hm_intake_hold_forms(bot->intake, true);
    bot->sources.restore = bot->restore = hm_restore_new(&opts, err);
    return bot->restore != NULL ? HM_OK : HM_EENV;
}

static void open_signals(struct hm_bot *bot)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    uv_signal_t *const handles[] = {&bot->sigterm, &bot->sigint, &bot->sighup};
    for (size_t i = 0; i < HM_ARRAY_LEN(numbers); i++) {
        (void)uv_signal_init(&bot->loop, handles[i]);
        handles[i]->data = bot;
        (void)uv_signal_start(handles[i], on_signal, numbers[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

struct hm_bot *hm_bot_new(struct hm_settings *settings, struct hm_err *err)
{
    struct hm_bot *bot = hm_xcalloc(1, sizeof *bot);
    bot->settings = settings;
    bot->first = hm_unconst(hm_settings_ref(settings));
    bot->clock = hm_clock_real();
    int rc = uv_loop_init(&bot->loop);
    HM_ASSERT(rc == 0);
    open_signals(bot);
    bot->wake_timer = hm_timer_new(&bot->loop, on_wake, bot);
    bot->drain_timer = hm_timer_new(&bot->loop, on_drain, bot);
    bot->guard_timer = hm_timer_new(&bot->loop, on_guard, bot);
    bot->auth_timer = hm_timer_new(&bot->loop, ask_who_we_are, bot);
    bot->hold_timer = hm_timer_new(&bot->loop, hold_no_more, bot);
    bot->watchdog_timer = hm_timer_new(&bot->loop, on_watchdog, bot);
    enum hm_code code = open_outside(bot, err);
    if (code == HM_OK)
        code = open_slack(bot, err);
    if (code == HM_OK)
        code = open_inside(bot, err);
    if (code == HM_OK)
        code = open_health(bot, err);
    if (code == HM_OK)
        code = restore(bot, err);
    return code == HM_OK ? bot : NULL; /* the caller exits: what is open goes with the process */
}

bool hm_bot_run(struct hm_bot *bot)
{
    ask_who_we_are(bot);
    hm_socket_start(bot->socket);
    if (hm_notify_watchdog_ms() > 0)
        on_watchdog(bot);
    (void)uv_run(&bot->loop, UV_RUN_DEFAULT);
    return !bot->failed;
}

void hm_bot_free(struct hm_bot *bot)
{
    hm_runner_free(bot->runner);
    hm_hold_free(bot->hold);
    hm_notices_free(bot->notices);
    hm_prune_free(bot->prune);
    hm_ledger_free(bot->ledger);
    hm_journal_free(bot->journal);
    hm_http_client_free(bot->http);
    hm_processes_free(bot->processes);
    hm_backends_free(bot->backends);
    hm_recipe_store_free(bot->store);
    hm_lws_loop_free(bot->lws);
    int rc = uv_loop_close(&bot->loop);
    HM_ASSERT(rc == 0);
    hm_settings_free(bot->settings);
    hm_settings_free(bot->first);
    free(bot->team);
    free(bot->config_problem);
    free(bot);
}
