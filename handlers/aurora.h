/* Aurora, the scheduler: whether it is up and leads, which tasks a job has, and killing a job.
 *
 * Spoken to over its plain JSON API, `POST <url>/apibeta/<method>`, on the port of the scheduler (8081; the pages for people are
 * on 8080). HTTP says 200 whatever became of it: the body's responseCode decides. */
#ifndef HM_HANDLERS_AURORA_H
#define HM_HANDLERS_AURORA_H

#include "handlers/handler.h"

extern const struct hm_handler hm_aurora_handler;

/* In aurora_tasks.c. */
extern const struct hm_action hm_aurora_tasks;
extern const struct hm_action hm_aurora_kill;

/* A probe for actions that end or begin tasks, whatever handler they are of: arguments of aurora.tasks out of role, env, job of
 * the lost call and out of the context below (hm_aurora_probe_context), and what it then read. */
extern const struct hm_arg_spec hm_aurora_probe_context[];
HM_MUST enum hm_code hm_aurora_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err);
/* Of a kill: applied when none of the tasks that were there before is left alone; not applied when all of them still are. */
enum hm_probe_says hm_aurora_probe_kill(const json_t *args, enum hm_verdict verdict, const json_t *result);
/* Of a restart or a create: applied when there is a task that was not there before; else it can not be told. */
enum hm_probe_says hm_aurora_probe_fresh(const json_t *args, enum hm_verdict verdict, const json_t *result);

#endif
