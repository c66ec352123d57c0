/* slacksim: options, wiring, and the end. See README.md. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "control.h"
#include "files.h"
#include "hooks.h"
#include "page.h"
#include "ratelimit.h"
#include "sim.h"
#include "socket.h"
#include "waits.h"
#include "webapi.h"

int64_t sim_wall_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

char *sim_base_url(const struct sim *sim)
{
    return hm_xasprintf("%s://%s", sim->opts.tls_cert != NULL ? "https" : "http", sim->host);
}

int64_t sim_scaled_ms(const struct sim *sim, double seconds)
{
    return (int64_t)(seconds * 1000.0 * sim->knobs.time_scale);
}

enum hm_code sim_restart(struct sim *sim, struct hm_err *err)
{
    struct sim_state *state = sim_state_new(sim->config, err);

    if (state == NULL) {
        return HM_EINVAL;
    }
    sim_state_free(sim->state);
    sim->state = state;
    sim_views_free(sim->views);
    sim->views = sim_views_new();
    json_decref(sim->triggers);
    json_decref(sim->hooks);
    json_decref(sim->files);
    sim->triggers = hm_json_obj_new();
    sim->hooks = hm_json_obj_new();
    sim->files = hm_json_obj_new();
    sim_knobs_init(&sim->knobs, sim->opts.time_scale);
    sim_nasty_done(&sim->nasty);
    sim_nasty_init(&sim->nasty);
    sim_log_reset(sim->log);
    sim_limits_reset(sim->limits);
    sim->epoch++;
    sim_touch(sim);
    return HM_OK;
}

/* --- routes
 * --------------------------------------------------------------------------------------------------------------------------- */
static void on_request(void *arg, struct sim_req *req)
{
    struct sim *sim = arg;

    if (hm_starts_with(req->path, "/api/")) {
        sim_webapi_on_request(sim, req);
    } else if (hm_starts_with(req->path, "/hooks/")) {
        sim_hooks_on_request(sim, req);
    } else if (hm_starts_with(req->path, "/upload/v1/")) {
        sim_files_on_upload(sim, req);
    } else if (hm_starts_with(req->path, "/_sim/")) {
        sim_control_on_request(sim, req);
    } else {
        sim_page_on_request(sim, req);
    }
}

static void on_upgrade(void *arg, struct sim_req *req)
{
    struct sim *sim = arg;

    sim_socket_on_upgrade(sim->socket, req);
}

static void on_accept(void *arg, struct sim_conn *conn)
{
    struct sim *sim = arg;

    sim_http_serve(conn, &sim->routes);
}

static void on_turn_end(void *arg)
{
    struct sim *sim = arg;

    if (sim->net != NULL) {
        sim_waits_turn_end(sim->waits);
        sim_net_flush(sim->net);
    }
}

/* --- options
 * ---------------------------------------------------------------------------------------------------------------------------- */
static const char usage[] = "usage: slacksim [--listen ADDRESS:PORT] [--config FILE] [--tls-cert PEM --tls-key PEM]\n"
                            "                [--time-scale F] [--seed N] [--page DIR]\n";

static bool parse_options(int argc, char **argv, struct sim_opts *opts)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},     {"config", required_argument, NULL, 'c'},
        {"tls-cert", required_argument, NULL, 't'},   {"tls-key", required_argument, NULL, 'k'},
        {"seed", required_argument, NULL, 's'},       {"page", required_argument, NULL, 'p'},
        {"time-scale", required_argument, NULL, 'x'}, {NULL, 0, NULL, 0},
    };
    int c = 0;
    int64_t n = 0;
    char *end = NULL;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'l':
            opts->listen = optarg;
            break;
        case 'c':
            opts->config_path = optarg;
            break;
        case 't':
            opts->tls_cert = optarg;
            break;
        case 'k':
            opts->tls_key = optarg;
            break;
        case 'p':
            opts->page_dir = optarg;
            break;
        case 's':
            if (!hm_parse_i64(optarg, 0, INT64_MAX, &n)) {
                return false;
            }
            opts->seed = (uint64_t)n;
            break;
        case 'x':
            opts->time_scale = strtod(optarg, &end);
            if (*end != '\0' || !(opts->time_scale >= 0)) {
                return false;
            }
            break;
        default:
            return false;
        }
    }
    return optind == argc && (opts->tls_cert == NULL) == (opts->tls_key == NULL);
}

static json_t *load_config(const char *path, struct hm_err *err)
{
    json_error_t why;
    json_t *config = json_load_file(path, JSON_REJECT_DUPLICATES, &why);

    if (config == NULL) {
        (void)hm_err_set(err, HM_EENV, "%s:%d: %s", path, why.line, why.text);
    }
    return config;
}

static enum hm_code start(struct sim *sim, struct hm_err *err)
{
    struct sim_net_opts net = {.listen = sim->opts.listen,
                               .tls_cert = sim->opts.tls_cert,
                               .tls_key = sim->opts.tls_key,
                               .on_accept = on_accept,
                               .on_turn_end = on_turn_end,
                               .arg = sim};
    const char *colon = strrchr(sim->opts.listen, ':');

    sim->config = load_config(sim->opts.config_path, err);
    if (sim->config == NULL) {
        return HM_EENV;
    }
    sim_ids_init(&sim->ids, sim->opts.seed);
    sim->log = sim_log_new();
    sim->limits = sim_limits_new();
    if (sim_restart(sim, err) != HM_OK) {
        return hm_err_wrap(err, "%s", sim->opts.config_path);
    }
    sim->routes = (struct sim_http_routes){.on_request = on_request, .on_upgrade = on_upgrade, .arg = sim};
    sim->timers = sim_timers_new(&sim->loop, on_turn_end, sim);
    sim->waits = sim_waits_new(sim);
    sim->socket = sim_socket_new(sim);
    sim->net = sim_net_new(&sim->loop, &net, err);
    if (sim->net == NULL) {
        return HM_EENV;
    }
    sim->host = hm_xasprintf("%.*s:%d", (int)(colon - sim->opts.listen), sim->opts.listen, sim_net_port(sim->net));
    return HM_OK;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct sim *sim = handle->data;

    (void)number;
    uv_stop(&sim->loop);
}

static void announce(const struct sim *sim)
{
    char *base = sim_base_url(sim);

    (void)printf("{\"port\":%d,\"url\":\"%s\",\"api_url\":\"%s/api/\"}\n", sim_net_port(sim->net), base, base);
    (void)fflush(stdout);
    free(base);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void stop(struct sim *sim)
{
    if (sim->net != NULL) {
        sim_net_close(sim->net);
        (void)uv_run(&sim->loop, UV_RUN_NOWAIT);
    }
    sim_waits_free(sim->waits);
    sim_socket_free(sim->socket);
    sim_timers_free(sim->timers);
    (void)uv_run(&sim->loop, UV_RUN_NOWAIT);
    sim_net_free(sim->net);
    uv_walk(&sim->loop, close_handle, NULL);
    (void)uv_run(&sim->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&sim->loop);
    sim_state_free(sim->state);
    sim_views_free(sim->views);
    sim_log_free(sim->log);
    sim_limits_free(sim->limits);
    sim_nasty_done(&sim->nasty);
    json_decref(sim->triggers);
    json_decref(sim->hooks);
    json_decref(sim->files);
    json_decref(sim->config);
    free(sim->host);
}

int main(int argc, char **argv)
{
    struct sim sim = {.opts = {.listen = "127.0.0.1:0",
                               .config_path = SLACKSIM_DIR "/sample.json",
                               .page_dir = SLACKSIM_DIR "/page",
                               .time_scale = 1}};
    struct hm_err err = {0};
    uv_signal_t term;
    uv_signal_t intr;
    int ret = 3;

    if (!parse_options(argc, argv, &sim.opts)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)uv_loop_init(&sim.loop);
    if (start(&sim, &err) != HM_OK) {
        (void)fprintf(stderr, "slacksim: %s\n", err.msg);
    } else {
        (void)uv_signal_init(&sim.loop, &term);
        (void)uv_signal_init(&sim.loop, &intr);
        term.data = intr.data = &sim;
        (void)uv_signal_start(&term, on_signal, SIGTERM);
        (void)uv_signal_start(&intr, on_signal, SIGINT);
        announce(&sim);
        (void)uv_run(&sim.loop, UV_RUN_DEFAULT);
        ret = 0;
    }
    stop(&sim);
    return ret;
}
