/* sabesp, the house command line for Aurora jobs and Metapod: as a program of its own, or through nu ("nu datainfra sabesp -- …",
 * setting through_nu).
 *
 * There is no action that runs whatever it is given: each command is one action whose words are fixed but for checked values. Its
 * exit statuses are documented nowhere, so any but 0 proves nothing, unless the setting refusals names it; Aurora itself is then
 * asked what has become of the job. */
#ifndef HM_HANDLERS_SABESP_H
#define HM_HANDLERS_SABESP_H

#include "handlers/handler.h"

extern const struct hm_handler hm_sabesp_handler;

/* In sabesp_start.c: what starts jobs. */
extern const struct hm_action hm_sabesp_create;
extern const struct hm_action hm_sabesp_try_create;
extern const struct hm_action hm_sabesp_itaipu;
extern const struct hm_action hm_sabesp_try_itaipu;
/* In sabesp_metapod.c. */
extern const struct hm_action hm_sabesp_tx_id;
extern const struct hm_action hm_sabesp_commit_dataset;

/* In sabesp.c: the program and, when it is reached through nu, nu's own words. */
HM_MUST enum hm_code hm_sabesp_begin(const struct hm_backend *backend, struct hm_request *req, struct hm_err *err);
/* The same, and "--aurora-stack" with args' stack; with dryrun also the word for it where the settings put it among the first. */
HM_MUST enum hm_code hm_sabesp_begin_jobs(const struct hm_backend *backend, const json_t *args, bool dryrun,
                                          struct hm_request *req, struct hm_err *err);
/* The word for a dry run, where the settings put it at the end. */
void hm_sabesp_end_jobs(const struct hm_backend *backend, bool dryrun, struct hm_request *req);
/* Appends option (NULL = none) and args' value of that name; refused unless it is a plain word. An empty optional one adds
 * nothing.
 */
HM_MUST enum hm_code hm_sabesp_add(struct hm_request *req, const char *option, const json_t *args, const char *name,
                                   bool required, struct hm_err *err);
/* hm_argv_judge() with the settings' refusals. */
enum hm_verdict hm_sabesp_judge(const struct hm_backend *backend, const char *command, enum hm_effect effect,
                                const struct hm_answer *answer, struct hm_outcome *out);

#endif
