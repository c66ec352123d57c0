/* sabesp: the table of its actions, what their words have in common, and the commands on a job that is there: status, kill,
 * restart.
 *
 * Killing a job is HM_EFFECT_IDEMPOTENT by its probe, which is Aurora itself (aurora.tasks): see aurora_tasks.c for why the tasks
 * of before must be known. Restarting is HM_EFFECT_ONCE; new tasks in Aurora prove it, no new ones prove nothing, because the
 * program may still be at it. */
#include "handlers/sabesp.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/aurora.h"

enum { MAX_REFUSALS = 20, STATUS_MAX = 127 };

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

enum hm_code hm_sabesp_begin(const struct hm_backend *backend, struct hm_request *req, struct hm_err *err)
{
    static const char *const through[] = {"datainfra", "sabesp", "--"};
    if (backend->program == NULL)
        return hm_err_set(err, HM_EENV, "backend %s has no program", backend->name);
    hm_request_add_word(req, backend->program);
    for (size_t i = 0; i < HM_ARRAY_LEN(through) && hm_json_get_bool(backend->settings, "through_nu", false); i++)
        hm_request_add_word(req, through[i]);
    return HM_OK;
}

enum hm_code hm_sabesp_add(struct hm_request *req, const char *option, const json_t *args, const char *name, bool required,
                           struct hm_err *err)
{
    const char *value = hm_json_get_str(args, name, "");
    if (value[0] == '\0' && !required)
        return HM_OK;
    if (!hm_argv_word_ok(value))
        return hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is not a name of letters, digits, dots and dashes", name, value);
    if (option != NULL)
        hm_request_add_word(req, option);
    hm_request_add_word(req, value);
    return HM_OK;
}

static const char *dryrun_word(const struct hm_backend *backend)
{
    return hm_json_get_str(backend->settings, "dryrun_word", "--dryrun");
}

static bool dryrun_first(const struct hm_backend *backend)
{
    return hm_streq(hm_json_get_str(backend->settings, "dryrun_place", "last"), "first");
}

enum hm_code hm_sabesp_begin_jobs(const struct hm_backend *backend, const json_t *args, bool dryrun, struct hm_request *req,
                                  struct hm_err *err)
{
    const char *place = hm_json_get_str(backend->settings, "dryrun_place", "last");
    if (!hm_streq(place, "last") && !hm_streq(place, "first"))
        return hm_err_set(err, HM_EENV, "backend %s: dryrun_place must be \"first\" or \"last\", not \"%.40s\"", backend->name,
                          place);
    enum hm_code code = hm_sabesp_begin(backend, req, err);
    if (code == HM_OK && dryrun && dryrun_first(backend))
        hm_request_add_word(req, dryrun_word(backend));
    if (code == HM_OK)
        code = hm_sabesp_add(req, "--aurora-stack", args, "stack", true, err);
    if (code == HM_OK)
        hm_request_add_word(req, "jobs");
    return code;
}

void hm_sabesp_end_jobs(const struct hm_backend *backend, bool dryrun, struct hm_request *req)
{
    if (dryrun && !dryrun_first(backend))
        hm_request_add_word(req, dryrun_word(backend));
}

enum hm_verdict hm_sabesp_judge(const struct hm_backend *backend, const char *command, enum hm_effect effect,
                                const struct hm_answer *answer, struct hm_outcome *out)
{
    int refusals[MAX_REFUSALS + 1] = {0};
    size_t n = 0;
    const json_t *given = hm_json_get_arr(backend->settings, "refusals");
    for (size_t i = 0; i < json_array_size(given) && n < MAX_REFUSALS; i++) {
        json_int_t status = json_integer_value(json_array_get(given, i));
        if (status > 0 && status <= STATUS_MAX) /* above: ended by a signal, which refuses nothing */
            refusals[n++] = (int)status;
    }
    const struct hm_argv_asked asked = {.command = command, .effect = effect, .refusals = refusals};
    return hm_argv_judge(&asked, answer, out);
}

/* ---- status, kill, restart ------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec job_args[] = {
    {"stack", HM_ARG_STRING, true, "Aurora's stack, like cantareira-stable"},
    {"env", HM_ARG_STRING, true, "environment of the job: prod or devel"},
    {"job", HM_ARG_STRING, true, "name of the job, like itaipu-contracts"},
    {"role", HM_ARG_STRING, false, "role of the job; \"jobs\" when left out"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code job_request(const struct hm_backend *backend, const json_t *args, const char *verb, struct hm_request *req,
                                struct hm_err *err)
{
    const char *role = hm_json_get_str(args, "role", "");
    enum hm_code code = hm_sabesp_begin_jobs(backend, args, false, req, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, verb);
    if (role[0] == '\0')
        hm_request_add_word(req, "jobs");
    code = hm_sabesp_add(req, NULL, args, "role", false, err);
    if (code == HM_OK)
        code = hm_sabesp_add(req, NULL, args, "env", true, err);
    if (code == HM_OK)
        code = hm_sabesp_add(req, NULL, args, "job", true, err);
    return code;
}

static enum hm_code status_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return job_request(backend, args, "status", req, err);
}

static enum hm_verdict status_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp jobs status", HM_EFFECT_READ, answer, out);
}

static const struct hm_field_spec status_fields[] = {
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action job_status = {
    .name = "sabesp.status",
    .title = "Ask sabesp for the status of a job",
    .doc = "What people read; aurora.tasks has the same as data.",
    .effect = HM_EFFECT_READ,
    .args = job_args,
    .result = status_fields,
    .request = status_request,
    .response = status_response,
};

static enum hm_code kill_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return job_request(backend, args, "kill", req, err);
}

static bool says(const struct hm_answer *answer, const char *text)
{
    return strstr(answer->body, text) != NULL || strstr(answer->errors, text) != NULL;
}

static enum hm_verdict kill_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    struct hm_answer fine = *answer;
    bool nothing = answer->status <= STATUS_MAX && says(answer, "No tasks to kill");
    if (nothing) /* an error to Aurora's client; the job is as dead as wanted */
        fine.status = 0;
    enum hm_verdict verdict = hm_sabesp_judge(backend, "sabesp jobs kill", HM_EFFECT_IDEMPOTENT, &fine, out);
    if (verdict == HM_VERDICT_OK)
        hm_json_set_bool(out->result, "nothing", nothing);
    return verdict;
}

static const struct hm_field_spec kill_fields[] = {
    {"nothing", HM_FIELD_BOOL, true, "there was nothing to kill", NULL},
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action job_kill = {
    .name = "sabesp.kill",
    .title = "Kill a job",
    .doc = "The whole job, whatever run it belongs to. Killed is not gone: wait with aurora.tasks until count is 0. If nobody "
           "knows whether it happened, Aurora is asked; give `probe = { before = … }`, the ids of the job's tasks before.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = job_args,
    .result = kill_fields,
    .request = kill_request,
    .response = kill_response,
    .probe_action = "aurora.tasks",
    .probe_args = hm_aurora_probe_args,
    .probe_judge = hm_aurora_probe_kill,
    .probe_context = hm_aurora_probe_context,
};

static enum hm_code restart_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return job_request(backend, args, "restart", req, err);
}

static enum hm_verdict restart_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp jobs restart", HM_EFFECT_ONCE, answer, out);
}

static const struct hm_action job_restart = {
    .name = "sabesp.restart",
    .title = "Restart a job",
    .doc = "Ends its tasks and starts new ones; what they had done is lost. If nobody knows whether it happened, Aurora is asked "
           "for tasks that are new; give `probe = { before = … }`, the ids of the job's tasks before.",
    .effect = HM_EFFECT_ONCE,
    .args = job_args,
    .result = status_fields,
    .request = restart_request,
    .response = restart_response,
    .probe_action = "aurora.tasks",
    .probe_args = hm_aurora_probe_args,
    .probe_judge = hm_aurora_probe_fresh,
    .probe_context = hm_aurora_probe_context,
};

static const struct hm_action *const actions[] = {
    &job_status,
    &job_kill,
    &job_restart,
    &hm_sabesp_create,
    &hm_sabesp_try_create,
    &hm_sabesp_itaipu,
    &hm_sabesp_try_itaipu,
    &hm_sabesp_tx_id,
    &hm_sabesp_commit_dataset,
    NULL,
};

/* through_nu: true when `program` is nu. refusals: [3, 5] exit statuses that are known to mean that nothing was done.
 * permanent_bucket, ephemeral_bucket: where itaipu writes. max_nodes: most nodes of one job, 500 when left out. dryrun_word,
 * dryrun_place: how to ask for a dry run ("--dryrun"), and whether the word stands "first" or "last" (default). */
static const char *const settings[] = {"through_nu", "refusals",    "permanent_bucket", "ephemeral_bucket",
                                       "max_nodes",  "dryrun_word", "dryrun_place",     NULL};

const struct hm_handler hm_sabesp_handler = {
    .name = "sabesp",
    .title = "sabesp: Aurora jobs and Metapod, from the command line",
    .kind = HM_REQUEST_ARGV,
    .actions = actions,
    .settings = settings,
};
