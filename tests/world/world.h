/* The simulated world: one stand-in per backend system, behind one HTTP port. A system is a file of its own (metapod.c …) that
 * gives a struct hm_world_system: load its part of the state, show it, answer requests under /<name>/. What a request changed is
 * counted here, so that a test can say "exactly once". */
#ifndef HM_WORLD_WORLD_H
#define HM_WORLD_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct hm_world;

/* Borrowed by handle(). */
struct hm_world_request {
    const char *method;
    const char *path;       /* decoded; for a system without its "/<name>" */
    const char *whole_path; /* for a system: with it */
    const char *query;
    const char *body;
    size_t body_len;
    const char *content_type, *authorization, *accept; /* "" when absent */
    const char *headers;                               /* further ones, of those that main.c names: hm_header_line() finds one */
};

/* Init with {0}; hm_world_answer_done() frees. */
struct hm_world_answer {
    int status;
    char *content_type;
    char *headers; /* further ones, "Name: value\r\n" each; or NULL */
    char *body;
    size_t body_len;
};

void hm_world_answer_done(struct hm_world_answer *ans);
void hm_world_answer_json(struct hm_world_answer *ans, int status, const char *content_type, json_t *stolen_body);
void hm_world_answer_text(struct hm_world_answer *ans, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

struct hm_world_system {
    const char *name; /* "metapod": its key in the state and the first part of its paths */
    /* state: its part of the document, or NULL = empty. A system, or NULL with err set. */
    void *(*new)(const json_t *state, struct hm_err *err);
    void (*free)(void *system);
    json_t *(*state_new)(void *system); /* a new reference; what new() takes */
    void (*handle)(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans);
};

extern const struct hm_world_system hm_world_airflow;
extern const struct hm_world_system hm_world_cloudwatch;
extern const struct hm_world_system hm_world_dynamodb;
extern const struct hm_world_system hm_world_ec2;
extern const struct hm_world_system hm_world_oauth;
extern const struct hm_world_system hm_world_s3;
extern const struct hm_world_system hm_world_container_registry;
extern const struct hm_world_system hm_world_github;
extern const struct hm_world_system hm_world_gocd;
extern const struct hm_world_system hm_world_jira;
extern const struct hm_world_system hm_world_kubernetes;
extern const struct hm_world_system hm_world_metapod;
extern const struct hm_world_system hm_world_opsgenie;
extern const struct hm_world_system hm_world_aurora;
extern const struct hm_world_system hm_world_mesos;
extern const struct hm_world_system hm_world_programs;
extern const struct hm_world_system hm_world_bigquery;
extern const struct hm_world_system hm_world_mordor;
extern const struct hm_world_system hm_world_mortician;
extern const struct hm_world_system hm_world_ouroboros;
extern const struct hm_world_system hm_world_prometheus;
extern const struct hm_world_system hm_world_spark_ops;
extern const struct hm_world_system hm_world_splunk;

/* state: {"metapod": {…}, …}; borrowed, and what hm_world_reset() comes back to. NULL with err set when a system refuses its
 * part. */
struct hm_world *hm_world_new(const struct hm_clock *clock, json_t *state, struct hm_err *err);
void hm_world_free(struct hm_world *world);
/* Replaces the state and forgets the counts. On an error everything stays as it was. */
HM_MUST enum hm_code hm_world_load(struct hm_world *world, json_t *state, struct hm_err *err);
HM_MUST enum hm_code hm_world_reset(struct hm_world *world, struct hm_err *err);
json_t *hm_world_state_new(struct hm_world *world);

/* The system of that name, for what one does to another (house.h); NULL when there is none. */
void *hm_world_system_of(struct hm_world *world, const char *name);

/* Wall time in milliseconds. */
int64_t hm_world_now_ms(const struct hm_world *world);

/* A request arrived, whatever becomes of it. */
void hm_world_count_request(struct hm_world *world, const char *method, const char *path);
/* A system performed a mutating request on something; changed: the state is different now. */
void hm_world_count_effect(struct hm_world *world, const char *endpoint, const char *id, bool changed);
/* {"requests": {"POST /metapod/…": n}, "effects": [{"endpoint", "id", "applied", "changed", "times"}]}; a new reference. */
json_t *hm_world_counts_new(const struct hm_world *world);

/* Hands the request to its system; 404 when there is none of that name. */
void hm_world_handle(struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans);

#endif
