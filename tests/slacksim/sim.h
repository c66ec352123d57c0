/* The whole simulator: what its parts share. One thread, one loop; every part takes this struct. */
#ifndef SLACKSIM_SIM_H
#define SLACKSIM_SIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "http.h"
#include "ids.h"
#include "knobs.h"
#include "log.h"
#include "net.h"
#include "state.h"
#include "timers.h"
#include "views.h"

struct sim_socket; /* socket.c: Socket Mode connections and envelopes */
struct sim_waits;  /* waits.c: long polls and page streams */
struct sim_limits; /* ratelimit.c: API rate windows */

struct sim_opts {
    const char *listen, *config_path, *tls_cert, *tls_key, *page_dir;
    double time_scale;
    uint64_t seed;
};

struct sim {
    uv_loop_t loop;
    struct sim_opts opts;
    json_t *config; /* the sample file */
    struct sim_timers *timers;
    struct sim_net *net;
    struct sim_http_routes routes;
    struct sim_ids ids;
    struct sim_knobs knobs;
    struct sim_nasty nasty;
    struct sim_state *state;
    struct sim_views *views;
    struct sim_log *log;
    struct sim_socket *socket;
    struct sim_waits *waits;
    struct sim_limits *limits;
    json_t *triggers; /* trigger_id -> {expires_us, used, user, view_id} */
    json_t *hooks;    /* path -> {expires_us, uses, user, channel, ts, ephemeral, thread_ts} */
    json_t *files;    /* file id -> record */
    char *host;       /* "127.0.0.1:4711": how the bot reached us last */
    uint64_t version; /* grows with each visible change */
    uint64_t epoch;   /* grows with each reset: what was started before does not report after */
};

/* Something that people or tests can see has changed. */
static inline void sim_touch(struct sim *sim)
{
    sim->version++;
}

/* Wall time in microseconds. */
int64_t sim_wall_us(void);
/* "http://host" or "https://host", no slash at the end. Static buffer of the sim; valid until the next call. */
char *sim_base_url(const struct sim *sim); /* the caller frees */
/* ms of simulated long time in real ms. */
int64_t sim_scaled_ms(const struct sim *sim, double seconds);
/* Loads state anew from the config, empties everything. */
HM_MUST enum hm_code sim_restart(struct sim *sim, struct hm_err *err);

#endif
