/* See log.h. */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "timers.h"

enum { RING = 50000, TEXT_MAX = 8192, SAMPLES_MAX = 1000000, VIOLATIONS_MAX = 200 };

struct kept {
    int64_t seq, at_us, wall_ms, took_us;
    enum sim_log_kind kind;
    char *who, *text;
    size_t text_len;
    char *a, *b; /* JSON text: a tree of each call would take ten times the memory */
    int status;
};

struct sim_log {
    struct kept *ring;
    int64_t next_seq; /* the first is 1 */
    int64_t start_us, last_us;
    int64_t per_kind[SIM_LOG_NR];
    json_t *calls, *limited, *violations;
    int64_t *samples;
    size_t samples_nr, samples_cap;
    struct sim_counts counts;
};

static const char *const kind_names[SIM_LOG_NR] = {"api", "hook", "in", "out", "conn", "violation"};

static void clear(struct kept *e)
{
    free(e->who);
    free(e->text);
    free(e->a);
    free(e->b);
    memset(e, 0, sizeof(*e));
}

struct sim_log *sim_log_new(void)
{
    struct sim_log *log = hm_xcalloc(1, sizeof(*log));

    log->ring = hm_xcalloc(RING, sizeof(*log->ring));
    sim_log_reset(log);
    return log;
}

void sim_log_reset(struct sim_log *log)
{
    size_t i = 0;

    for (i = 0; i < RING; i++) {
        clear(&log->ring[i]);
    }
    json_decref(log->calls);
    json_decref(log->limited);
    json_decref(log->violations);
    log->calls = hm_json_obj_new();
    log->limited = hm_json_obj_new();
    log->violations = hm_json_arr_new();
    log->next_seq = 1;
    log->start_us = log->last_us = sim_now_us();
    log->samples_nr = 0;
    memset(log->per_kind, 0, sizeof(log->per_kind));
    memset(&log->counts, 0, sizeof(log->counts));
}

void sim_log_free(struct sim_log *log)
{
    size_t i = 0;

    if (log == NULL) {
        return;
    }
    for (i = 0; i < RING; i++) {
        clear(&log->ring[i]);
    }
    free(log->ring);
    free(log->samples);
    json_decref(log->calls);
    json_decref(log->limited);
    json_decref(log->violations);
    free(log);
}

struct sim_counts *sim_log_counts(struct sim_log *log)
{
    return &log->counts;
}

void sim_log_add(struct sim_log *log, const struct sim_log_entry *entry)
{
    struct kept *e = &log->ring[(size_t)log->next_seq % RING];

    clear(e);
    e->seq = log->next_seq++;
    e->at_us = sim_now_us();
    e->wall_ms = hm_wall_ms(hm_clock_real());
    e->kind = entry->kind;
    e->who = hm_xstrdup_null(entry->who);
    if (entry->text != NULL) {
        e->text_len = strlen(entry->text);
        e->text = hm_xstrndup(entry->text, hm_utf8_prefix(entry->text, TEXT_MAX));
    }
    e->a = entry->a != NULL ? json_dumps(entry->a, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    e->b = entry->b != NULL ? json_dumps(entry->b, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    e->took_us = entry->took_us;
    e->status = entry->status;
    log->per_kind[entry->kind]++;
    log->last_us = e->at_us;
}

void sim_log_violation(struct sim_log *log, const char *who, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    json_t *one = hm_json_obj_new();
    struct sim_log_entry entry = {.kind = SIM_LOG_VIOLATION, .who = who, .text = text};

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    sim_log_add(log, &entry);
    hm_json_set_str(one, "who", who);
    hm_json_set_str(one, "what", text);
    if (json_array_size(log->violations) < VIOLATIONS_MAX) {
        hm_json_add(log->violations, one);
    } else {
        json_decref(one);
    }
}

void sim_log_ack_latency(struct sim_log *log, int64_t us)
{
    if (log->samples_nr == SAMPLES_MAX) {
        return;
    }
    if (log->samples_nr == log->samples_cap) {
        log->samples_cap = log->samples_cap == 0 ? 1024 : log->samples_cap * 2;
        log->samples = hm_xreallocarray(log->samples, log->samples_cap, sizeof(*log->samples));
    }
    log->samples[log->samples_nr++] = us;
}

static void count(json_t *obj, const char *key)
{
    hm_json_set_int(obj, key, hm_json_get_int(obj, key, 0) + 1);
}

void sim_log_called(struct sim_log *log, const char *method)
{
    count(log->calls, method);
}

void sim_log_rate_limited(struct sim_log *log, const char *method)
{
    count(log->limited, method);
}

int64_t sim_log_kind_count(const struct sim_log *log, enum sim_log_kind kind)
{
    return log->per_kind[kind];
}

int64_t sim_log_calls(const struct sim_log *log, const char *method)
{
    return hm_json_get_int(log->calls, method, 0);
}

enum sim_log_kind sim_log_parse_kind(const char *word)
{
    size_t i = 0;

    while (i < SIM_LOG_NR && strcmp(kind_names[i], word) != 0) {
        i++;
    }
    return (enum sim_log_kind)i;
}

int64_t sim_log_last_us(const struct sim_log *log)
{
    return log->last_us;
}

static void set_parsed(json_t *out, const char *key, const char *text)
{
    json_t *value = text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    if (value != NULL) {
        hm_json_set(out, key, value);
    }
}

static json_t *entry_json_new(const struct sim_log *log, const struct kept *e)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_int(out, "seq", e->seq);
    hm_json_set(out, "ms", json_real((double)(e->at_us - log->start_us) / 1000.0));
    hm_json_set_int(out, "wall_ms", e->wall_ms);
    hm_json_set_str(out, "kind", kind_names[e->kind]);
    if (e->kind == SIM_LOG_API) {
        hm_json_set_str(out, "method", e->who);
    } else {
        hm_json_set_str(out, "who", e->who);
    }
    if (e->text != NULL) {
        hm_json_set_str(out, "text", e->text);
        hm_json_set_int(out, "bytes", (int64_t)e->text_len);
    }
    set_parsed(out, "args", e->a);
    set_parsed(out, "answer", e->b);
    if (e->kind == SIM_LOG_API || e->kind == SIM_LOG_HOOK) {
        hm_json_set_int(out, "status", e->status);
        hm_json_set(out, "took_ms", json_real((double)e->took_us / 1000.0));
    }
    return out;
}

static bool wanted(const struct kept *e, enum sim_log_kind kind, const char *method)
{
    return (kind == SIM_LOG_NR || e->kind == kind) && (method[0] == '\0' || hm_streq(e->who, method));
}

json_t *sim_log_json_new(const struct sim_log *log, int64_t since, enum sim_log_kind kind, const char *method, size_t limit)
{
    json_t *out = hm_json_arr_new();
    int64_t oldest = log->next_seq > RING ? log->next_seq - RING : 1;
    int64_t first = log->next_seq;
    int64_t seq = 0;
    size_t found = 0;

    for (seq = log->next_seq - 1; seq >= oldest && seq > since && found < limit; seq--) {
        if (wanted(&log->ring[(size_t)seq % RING], kind, method)) {
            found++;
            first = seq;
        }
    }
    for (seq = first; seq < log->next_seq; seq++) {
        const struct kept *e = &log->ring[(size_t)seq % RING];

        if (wanted(e, kind, method)) {
            hm_json_add(out, entry_json_new(log, e));
        }
    }
    return out;
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return (*x > *y) - (*x < *y);
}

static double at_share(const int64_t *sorted, size_t nr, double share)
{
    size_t at = (size_t)((double)nr * share);

    return (double)sorted[at < nr ? at : nr - 1] / 1000.0;
}

json_t *sim_latency_json_new(int64_t *samples, size_t nr)
{
    json_t *out = hm_json_obj_new();

    if (nr == 0) {
        return out;
    }
    qsort(samples, nr, sizeof(*samples), by_value);
    hm_json_set(out, "min", json_real((double)samples[0] / 1000.0));
    hm_json_set(out, "p50", json_real(at_share(samples, nr, 0.50)));
    hm_json_set(out, "p90", json_real(at_share(samples, nr, 0.90)));
    hm_json_set(out, "p99", json_real(at_share(samples, nr, 0.99)));
    hm_json_set(out, "max", json_real((double)samples[nr - 1] / 1000.0));
    return out;
}

json_t *sim_log_stats_new(const struct sim_log *log)
{
    const struct sim_counts *c = &log->counts;
    const struct {
        const char *name;
        int64_t value;
    } all[] = {
        {"acks", c->acks},
        {"unacked", c->unacked},
        {"late_acks", c->late_acks},
        {"duplicate_acks", c->duplicate_acks},
        {"unknown_acks", c->unknown_acks},
        {"acks_on_other_connection", c->foreign_acks},
        {"oversized_acks", c->oversized_acks},
        {"envelopes", c->envelopes},
        {"retries", c->retries},
        {"given_up", c->given_up},
        {"dispatch_failed", c->dispatch_failed},
        {"validation_errors", c->validation_errors},
        {"connections_opened", c->connections_opened},
        {"closed_clean", c->closed_clean},
        {"closed_dirty", c->closed_dirty},
        {"dials", c->dials},
        {"too_many", c->too_many},
        {"pings_in", c->pings_in},
        {"pongs_in", c->pongs_in},
    };
    json_t *out = hm_json_obj_new();
    int64_t *sorted = hm_xcalloc(log->samples_nr + 1, sizeof(*sorted));
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(all); i++) {
        hm_json_set_int(out, all[i].name, all[i].value);
    }
    if (log->samples_nr > 0) {
        memcpy(sorted, log->samples, log->samples_nr * sizeof(*sorted));
    }
    hm_json_set(out, "latency", sim_latency_json_new(sorted, log->samples_nr));
    free(sorted);
    hm_json_set(out, "api_calls", json_deep_copy(log->calls));
    hm_json_set(out, "rate_limited", json_deep_copy(log->limited));
    hm_json_set(out, "violations", json_deep_copy(log->violations));
    return out;
}
