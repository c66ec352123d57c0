/* What operators ask over HTTP: see health.h. */
#include "app/health.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "app/settings.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"

struct hm_health {
    struct hm_http_server *server;
    const struct hm_health_sources *sources;
};

static void reply_text(struct hm_http_exchange *x, int status, const char *type, struct hm_strbuf *text)
{
    hm_http_reply(x, status, type, NULL, hm_strbuf_str(text), text->len);
    hm_strbuf_done(text);
}

/* Adds why the bot is not ready, one line each. */
static void add_problems(const struct hm_health_sources *from, struct hm_strbuf *out)
{
    struct hm_socket_stats socket = {0};
    struct hm_journal_health journal = {0};
    if (from->socket != NULL)
        hm_socket_stats(from->socket, &socket);
    if (from->journal != NULL)
        hm_journal_health(from->journal, &journal);
    if (!socket.connected)
        hm_strbuf_addf(out, "slack: %s\n", socket.state[0] != '\0' ? socket.state : "not connected");
    if (socket.connected && socket.server_connections > (int)socket.connections)
        hm_strbuf_addf(
            out, "slack: Slack counts %d connections of this app, we hold %u; a second instance takes a share of the events\n",
            socket.server_connections, socket.connections);
    if (from->restore != NULL)
        hm_strbuf_addf(out, "runs: %zu are still being read\n", hm_restore_left(from->restore));
    if (!journal.ok)
        hm_strbuf_addf(out, "journal: %s\n", journal.error[0] != '\0' ? journal.error : "not open");
}

struct broken {
    size_t n;
    struct hm_strbuf *out; /* NULL: only counted */
};

static void add_broken(void *arg, const struct hm_run *run)
{
    enum { NAMED = 20 };
    struct broken *broken = arg;
    broken->n++;
    if (broken->out != NULL && broken->n <= NAMED)
        hm_strbuf_addf(broken->out, "runs: %s was stopped for safety: %.300s\n", run->id, run->broken);
}

/* Runs whose journal does not fit together. The others go on, and a restart of the same program does not mend it: a warning. */
static size_t add_broken_runs(const struct hm_health_sources *from, struct hm_strbuf *out)
{
    struct broken broken = {0, out};
    if (from->runner != NULL)
        hm_runner_each_broken(from->runner, add_broken, &broken);
    return broken.n;
}

static void ready(const struct hm_health *health, struct hm_http_exchange *x)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, 32768);
    add_problems(health->sources, &text);
    int status = text.len > 0 ? 503 : 200;
    if (text.len == 0)
        hm_strbuf_adds(&text, "ready\n");
    if (health->sources->config_problem != NULL) /* the old configuration is still good: a warning, not an outage */
        hm_strbuf_addf(&text, "config: the last reload was refused: %s\n", health->sources->config_problem);
    (void)add_broken_runs(health->sources, &text);
    reply_text(x, status, "text/plain; charset=utf-8", &text);
}

static void add_metric(struct hm_strbuf *out, const char *name, const char *type, const char *help, double value)
{
    hm_strbuf_addf(out, "# HELP hausmeister_%s %s\n# TYPE hausmeister_%s %s\nhausmeister_%s %.17g\n", name, help, name, type,
                   name, value);
}

static void add_slack_metrics(const struct hm_health_sources *from, struct hm_strbuf *out)
{
    struct hm_socket_stats s = {0};
    struct hm_intake_stats in = {0};
    if (from->socket != NULL)
        hm_socket_stats(from->socket, &s);
    if (from->intake != NULL)
        hm_intake_stats(from->intake, &in);
    add_metric(out, "slack_connected", "gauge", "1 when a hello was seen and frames arrive.", s.connected ? 1 : 0);
    add_metric(out, "slack_connections", "gauge", "Connections held.", s.connections);
    add_metric(out, "slack_server_connections", "gauge", "Connections as Slack counts them.", s.server_connections);
    add_metric(out, "slack_last_frame_age_seconds", "gauge", "Age of the newest frame.", (double)s.last_frame_age_ms / 1000.0);
    add_metric(out, "slack_dials_total", "counter", "Connections dialled.", (double)s.dials);
    add_metric(out, "slack_envelopes_total", "counter", "Envelopes received.", (double)s.envelopes);
    add_metric(out, "slack_acks_total", "counter", "Acknowledgements sent.", (double)s.acks);
    add_metric(out, "slack_acks_dropped_total", "counter", "Acknowledgements without a connection.", (double)s.acks_dropped);
    add_metric(out, "slack_bad_frames_total", "counter", "Frames that are no envelopes.", (double)s.frames_bad);
    add_metric(out, "slack_api_pending", "gauge", "Web API calls waiting or under way.",
               from->api != NULL ? hm_web_pending(from->api) : 0);
    add_metric(out, "inbox_fresh_total", "counter", "Envelopes journaled for the first time.", (double)in.fresh);
    add_metric(out, "inbox_duplicates_total", "counter", "Envelopes seen before.", (double)in.duplicates);
    add_metric(out, "inbox_refused_total", "counter", "Envelopes that could not be journaled, and were not acknowledged.",
               (double)in.refused);
    add_metric(out, "inbox_waiting", "gauge", "Envelopes acknowledged and not handled yet.", (double)in.waiting);
}

static void add_alarms(struct hm_strbuf *text, const struct hm_health_sources *from)
{
    struct hm_watch_stats alarms = {0};
    if (from->watch == NULL)
        return;
    hm_watch_stats(from->watch, &alarms);
    add_metric(text, "alarms_open", "gauge", "Alarms that are neither over nor expired.", (double)alarms.open);
    add_metric(text, "alarms_raised_total", "counter", "Alarms that were new.", (double)alarms.raised);
    add_metric(text, "alarms_repeated_total", "counter", "Alarms that joined one.", (double)alarms.repeated);
    add_metric(text, "alarms_grouped_total", "counter", "Alarms that a storm's card stands for.", (double)alarms.grouped);
    add_metric(text, "alarms_resolved_total", "counter", "Alarms that were said to be over.", (double)alarms.resolved);
    add_metric(text, "alarms_caught_up_total", "counter", "Alarms found when channels were read back.", (double)alarms.caught_up);
}

static void metrics(const struct hm_health *health, struct hm_http_exchange *x)
{
    const struct hm_health_sources *from = health->sources;
    struct hm_journal_health journal = {0};
    struct rusage usage = {0};
    struct hm_strbuf text;
    hm_strbuf_init(&text, 65536);
    if (from->journal != NULL)
        hm_journal_health(from->journal, &journal);
    (void)getrusage(RUSAGE_SELF, &usage);
    add_slack_metrics(from, &text);
    add_metric(&text, "journal_ok", "gauge", "1 when the last group was committed.", journal.ok ? 1 : 0);
    add_metric(&text, "journal_commits_total", "counter", "Groups committed.", (double)journal.commits);
    add_metric(&text, "journal_batches_total", "counter", "Batches committed.", (double)journal.batches);
    add_metric(&text, "journal_rows_total", "counter", "Rows written.", (double)journal.rows);
    add_metric(&text, "journal_queued", "gauge", "Batches waiting for a commit.", (double)journal.queued);
    add_metric(&text, "journal_last_commit_seconds", "gauge", "How long the last commit took.", journal.last_commit_ms / 1000.0);
    size_t going = from->runner != NULL ? hm_runner_count(from->runner) : 0;
    add_metric(&text, "runs_going", "gauge", "Runs that are not over.", (double)going);
    size_t broken = add_broken_runs(from, NULL);
    add_metric(&text, "runs_stopped_for_safety", "gauge", "Runs whose journal does not fit together; a person has to look.",
               (double)broken);
    add_alarms(&text, from);
    add_metric(&text, "config_generations", "gauge", "Configurations in memory: the first, the present, and those still in use.",
               hm_settings_alive());
    add_metric(&text, "config_refused", "gauge", "1 when the last reload was refused.", from->config_problem != NULL ? 1 : 0);
    add_metric(&text, "process_resident_memory_max_bytes", "gauge", "Largest resident size so far.",
               (double)usage.ru_maxrss * 1024.0);
    reply_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}

static void on_request(void *arg, struct hm_http_exchange *x, const struct hm_http_seen *seen)
{
    const struct hm_health *health = arg;
    struct hm_strbuf text;
    if (strcmp(seen->method, "GET") != 0 && strcmp(seen->method, "HEAD") != 0) {
        hm_http_reply(x, 405, "text/plain", "Allow: GET, HEAD\r\n", "only GET\n", 9);
    } else if (strcmp(seen->path, "/healthz") == 0) {
        hm_http_reply(x, 200, "text/plain", NULL, "ok\n", 3);
    } else if (strcmp(seen->path, "/readyz") == 0) {
        ready(health, x);
    } else if (strcmp(seen->path, "/metrics") == 0) {
        metrics(health, x);
    } else {
        hm_strbuf_init(&text, 200);
        hm_strbuf_adds(&text, "there is /healthz, /readyz and /metrics\n");
        reply_text(x, 404, "text/plain", &text);
    }
}

struct hm_health *hm_health_new(struct lws_context *lws, const char *listen, const struct hm_health_sources *sources,
                                struct hm_err *err)
{
    struct hm_health *health = hm_xcalloc(1, sizeof *health);
    struct hm_http_server_opts opts = {.listen = listen, .max_body = 1024, .on_request = on_request, .arg = health};
    health->sources = sources;
    health->server = hm_http_server_new(lws, &opts, err);
    if (health->server == NULL) {
        free(health);
        return NULL;
    }
    return health;
}

void hm_health_free(struct hm_health *health)
{
    if (health == NULL)
        return;
    hm_http_server_free(health->server);
    free(health);
}

int hm_health_port(const struct hm_health *health)
{
    return hm_http_server_port(health->server);
}
