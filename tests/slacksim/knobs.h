/* What can be set: the knobs (times, limits) and the nasty switches. Both are read from and shown as JSON; README.md lists them.
 */
#ifndef SLACKSIM_KNOBS_H
#define SLACKSIM_KNOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { SIM_RETRIES_MAX = 8 };

struct sim_knobs {
    double time_scale;
    int64_t ack_ms, trigger_ms;
    double rate_scale; /* 0: no limits */
    double retry_s[SIM_RETRIES_MAX];
    int64_t retries_nr;
    int64_t server_ping_ms;
    int64_t connection_s, warning_s;
    int64_t max_connections;
    int64_t close_linger_ms;
    int64_t ghost_s;
    bool ack_any_connection;
    bool echo_own;
    int64_t hook_uses, hook_s; /* response_url: 5 uses in 30 min */
};

struct sim_nasty {
    int64_t fragment;
    bool fragment_pings;
    int64_t split_tcp;
    int64_t duplicate, duplicate_after_ms;
    bool duplicate_other;
    int64_t late_ms;
    bool reorder;
    int64_t ghosts;
    int64_t refuse_status, refuse_n;
    int64_t too_many;
    char first_reason[64];
    int64_t first_n;
    int64_t no_hello;
    int64_t hello_delay_ms;
    bool no_pong, no_close_reply, refuse_foreign_ack, null_team, full, bare, suggestion_state;
    int64_t retry_slash;
    json_t *api; /* method or "*" -> fault object with its remaining "n" */
};

void sim_knobs_init(struct sim_knobs *k, double time_scale);
/* Sets what is in obj; an unknown key or a wrong type is an error and nothing is changed. */
HM_MUST enum hm_code sim_knobs_set(struct sim_knobs *k, json_t *obj, struct hm_err *err);
json_t *sim_knobs_json_new(const struct sim_knobs *k);

void sim_nasty_init(struct sim_nasty *n);
void sim_nasty_done(struct sim_nasty *n);
HM_MUST enum hm_code sim_nasty_set(struct sim_nasty *n, json_t *obj, struct hm_err *err);
json_t *sim_nasty_json_new(const struct sim_nasty *n);

/* For counters of "the next n, -1 for ever": true when it applies now, counting down. */
bool sim_nasty_take(int64_t *n);
/* The fault that applies to this call of the method, counted down; borrowed, NULL when none. Valid until the next call here. */
const json_t *sim_nasty_fault(struct sim_nasty *n, const char *method);

#endif
