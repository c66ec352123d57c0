/* What one stand-in does to another, as the real ones do behind the scenes: a job that sabesp kills is gone in Aurora, a
 * scheduler that is restarted leaves an orphan in Mesos, machines that are cycled take their tasks with them. */
#ifndef HM_WORLD_HOUSE_H
#define HM_WORLD_HOUSE_H

#include "base/strbuf.h"
#include "world.h"

/* Aurora. role, env, job name a job. */
struct hm_house_job {
    const char *role, *env, *job;
};
/* All its active tasks are told to end; they are gone a look later. How many there were. */
size_t hm_house_kill(struct hm_world *world, const struct hm_house_job *job);
/* New tasks in their place. How many there were. */
size_t hm_house_restart(struct hm_world *world, const struct hm_house_job *job);
/* One new task; false when the job has active ones. transaction and dataset (or NULL): what is committed when it has finished. */
bool hm_house_create(struct hm_world *world, const struct hm_house_job *job, const char *transaction, const char *dataset);
/* Lines for people: "prod/itaipu-contracts/0 RUNNING". The caller frees. */
char *hm_house_status(struct hm_world *world, const struct hm_house_job *job);
/* All tasks are lost. */
void hm_house_lose_tasks(struct hm_world *world);
/* The scheduler begins anew: nobody leads for some looks. */
void hm_house_restart_scheduler(struct hm_world *world);

/* Mesos: no leader for some looks; the framework of this name is an orphan, and a new one takes its place. */
void hm_house_cycle_masters(struct hm_world *world);
void hm_house_orphan(struct hm_world *world, const char *framework);

/* Metapod: commits a dataset of a transaction, by id or (id NULL) by name. NULL, or why not. */
const char *hm_house_commit(struct hm_world *world, const char *transaction, const char *id, const char *name, const char *format,
                            const char *path);

/* S3: a new certificate of the service lies where they are kept (README.md). */
void hm_house_certificate(struct hm_world *world, const char *service);

/* Programs (programs.c): what a command prints and how it ends. Init with {0}. */
struct hm_house_end {
    struct hm_strbuf *out, *errors;
    int status;
};
/* state: the part "programs" of the state, which commands may change; words: without the program itself, ends with NULL. */
void hm_house_nu(struct hm_world *world, json_t *state, const char *const *words, struct hm_house_end *end);
/* nu ser curl, and what busting its cache does to it. */
void hm_house_nu_curl(struct hm_world *world, const json_t *state, const char *const *words, struct hm_house_end *end);
void hm_house_nu_bust(json_t *state);
void hm_house_sabesp(struct hm_world *world, json_t *state, const char *const *words, struct hm_house_end *end);
/* Reading words: "--env prod" or "--env=prod" as a value, "--verbose", a word that is no option; each moves on when it is there,
 * and says so. */
const char *hm_house_option(const char *const **words, const char *option);
bool hm_house_flag(const char *const **words, const char *flag);
const char *hm_house_word(const char *const **words);
/* "usage: …", status 2. */
void hm_house_usage(struct hm_house_end *end, const char *what);

#endif
