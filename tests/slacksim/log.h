/* The record of all that happened: a ring of entries, and counters. What /_sim/log and /_sim/stats show. */
#ifndef SLACKSIM_LOG_H
#define SLACKSIM_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_log_kind { SIM_LOG_API, SIM_LOG_HOOK, SIM_LOG_IN, SIM_LOG_OUT, SIM_LOG_CONN, SIM_LOG_VIOLATION, SIM_LOG_NR };

struct sim_counts {
    int64_t acks, unacked, late_acks, duplicate_acks, unknown_acks, foreign_acks, oversized_acks;
    int64_t envelopes, retries, given_up, dispatch_failed, validation_errors;
    int64_t connections_opened, closed_clean, closed_dirty, dials, too_many;
    int64_t pings_in, pongs_in;
};

struct sim_log;

struct sim_log *sim_log_new(void);
void sim_log_free(struct sim_log *log);
void sim_log_reset(struct sim_log *log);
struct sim_counts *sim_log_counts(struct sim_log *log);

/* who: method or connection; text: frame or message (copied, cut at 8 KiB); a, b: e.g. arguments and answer (written
 * down as text); ms: how long it took; status: HTTP status, opcode or 0. */
struct sim_log_entry {
    enum sim_log_kind kind;
    const char *who;
    const char *text;
    json_t *a, *b;
    int64_t took_us;
    int status;
};
void sim_log_add(struct sim_log *log, const struct sim_log_entry *entry);
/* A client did what no correct client does. */
void sim_log_violation(struct sim_log *log, const char *who, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void sim_log_ack_latency(struct sim_log *log, int64_t us);
void sim_log_called(struct sim_log *log, const char *method);
void sim_log_rate_limited(struct sim_log *log, const char *method);

int64_t sim_log_kind_count(const struct sim_log *log, enum sim_log_kind kind);
int64_t sim_log_calls(const struct sim_log *log, const char *method);
enum sim_log_kind sim_log_parse_kind(const char *word); /* SIM_LOG_NR when it is none */
/* Monotonic time of the last entry that is not a ping. */
int64_t sim_log_last_us(const struct sim_log *log);

/* Entries with seq > since; kind SIM_LOG_NR: all; method "" or the entry's who; the newest `limit`. */
json_t *sim_log_json_new(const struct sim_log *log, int64_t since, enum sim_log_kind kind, const char *method, size_t limit);
json_t *sim_log_stats_new(const struct sim_log *log);

/* min, p50, p90, p99, max in milliseconds of samples in microseconds; sorts them. */
json_t *sim_latency_json_new(int64_t *samples, size_t nr);

#endif
