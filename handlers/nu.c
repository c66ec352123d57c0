/* nu, the house command line: see nu.h. There is no action that runs whatever it is given; each command is one action whose words
 * are fixed but for checked values.
 *
 * Its exit statuses are documented nowhere, so any but 0 proves nothing: a `once` command is settled by a person, an idempotent
 * one is run again. */
#include "handlers/nu.h"

#include "base/json.h"
#include "handlers/argv_answer.h"

static const struct hm_arg_spec no_args[] = {
    {NULL, HM_ARG_STRING, false, NULL},
};

static const struct hm_arg_spec cycle_args[] = {
    {"service", HM_ARG_STRING, true, "which machines, like mesos-master"},
    {"env", HM_ARG_STRING, true, "environment, like cantareira"},
    {"suffix", HM_ARG_STRING, true, "stack, like stable"},
    {"region", HM_ARG_STRING, true, "AWS region, like us-east-1"},
    {NULL, HM_ARG_STRING, false, NULL},
};

enum hm_code hm_nu_begin(const struct hm_backend *backend, const char *const *words, struct hm_request *req, struct hm_err *err)
{
    if (backend->program == NULL)
        return hm_err_set(err, HM_EENV, "backend %s has no program", backend->name);
    hm_request_add_word(req, backend->program);
    for (; *words != NULL; words++)
        hm_request_add_word(req, *words);
    return HM_OK;
}

enum hm_code hm_nu_add(struct hm_request *req, const struct hm_nu_part *parts, const json_t *args, struct hm_err *err)
{
    for (; parts->arg != NULL; parts++) {
        const char *value = hm_json_get_str(args, parts->arg, "");
        if (!hm_argv_word_ok(value))
            return hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is not a name of letters, digits, dots and dashes", parts->arg,
                              value);
        if (parts->option != NULL)
            hm_request_add_word(req, parts->option);
        hm_request_add_word(req, value);
    }
    return HM_OK;
}

static enum hm_code bust_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"cache", "bust", "stack", NULL};
    (void)args;
    (void)cursor;
    return hm_nu_begin(backend, words, req, err);
}

static enum hm_verdict bust_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu cache bust stack", .effect = HM_EFFECT_IDEMPOTENT};
    (void)backend;
    (void)args;
    (void)cursor;
    return hm_argv_judge(&asked, answer, out);
}

static const struct hm_field_spec cache_bust_stack_fields[] = {
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action cache_bust_stack = {
    .name = "nu.cache-bust-stack",
    .title = "Forget nu's cache of stacks",
    .doc = "For when nu can not resolve a host name any more.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = no_args,
    .result = cache_bust_stack_fields,
    .request = bust_request,
    .response = bust_response,
};

static enum hm_code cycle_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"ser", "cycle", NULL};
    static const struct hm_nu_part parts[] = {
        {NULL, "service"}, {"--env", "env"}, {"--suffix", "suffix"}, {"--region", "region"}, {NULL, NULL}};
    (void)cursor;
    enum hm_code code = hm_nu_begin(backend, words, req, err);
    return code == HM_OK ? hm_nu_add(req, parts, args, err) : code;
}

static enum hm_verdict cycle_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu ser cycle", .effect = HM_EFFECT_ONCE};
    (void)backend;
    (void)args;
    (void)cursor;
    return hm_argv_judge(&asked, answer, out);
}

static const struct hm_action ser_cycle = {
    .name = "nu.ser-cycle",
    .title = "Replace the machines of a service",
    .doc = "Terminates the machines and starts new ones: twice is not the same as once. When it fails or is stopped, a person "
           "must say whether it happened.",
    .effect = HM_EFFECT_ONCE,
    .args = cycle_args,
    .result = cache_bust_stack_fields,
    .request = cycle_request,
    .response = cycle_response,
};

static const struct hm_action *const actions[] = {
    &cache_bust_stack,
    &ser_cycle,
    &hm_nu_unit_status,
    &hm_nu_restart_unit,
    &hm_nu_journal,
    &hm_nu_list_images,
    &hm_nu_dataset_successors,
    &hm_nu_scale_down,
    &hm_nu_generate_certificate,
    NULL,
};

/* ssh_before_command: the word between `nu ser ssh …` and the command to run there; "--" when left out, "" for none. */
static const char *const settings[] = {"ssh_before_command", NULL};

const struct hm_handler hm_nu_handler = {
    .name = "nu",
    .title = "nu, the house command line",
    .kind = HM_REQUEST_ARGV,
    .actions = actions,
    .settings = settings,
};
