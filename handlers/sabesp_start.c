/* sabesp, what starts jobs: `jobs create` and `jobs itaipu`, each also as a dry run.
 *
 * Both are HM_EFFECT_ONCE: Aurora refuses a second job of the same name only while the first one has tasks. A task in Aurora that
 * was not there before proves that it happened; none proves nothing, because the program may still be at it, so a person is
 * asked.
 *
 * sabesp takes the definitions of jobs from the checkout of aurora-jobs on its own machine; recipes look at that with git.state.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/aurora.h"
#include "handlers/sabesp.h"

enum { MAX_PAIRS = 40, PAIR_MAX = 300, NAME_MAX_BYTES = 200, NODES_MAX = 500, DATE_LEN = 10 };

static const char key_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
static const char value_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@,+-";

/* ---- pieces --------------------------------------------------------------------------------------------------------------- */

/* "NAME=value" with nothing in it that could be taken for something else. */
static bool pair_ok(const char *pair)
{
    size_t key = strspn(pair, key_chars);
    bool letter = (pair[0] >= 'A' && pair[0] <= 'Z') || (pair[0] >= 'a' && pair[0] <= 'z');
    return letter && strlen(pair) <= PAIR_MAX && pair[key] == '=' && pair[key + 1 + strspn(pair + key + 1, value_chars)] == '\0';
}

/* Each pair of args' text "A=1 B=2", with option (or NULL) before it. */
static enum hm_code add_pairs(struct hm_request *req, const char *option, const json_t *args, const char *name,
                              struct hm_err *err)
{
    const char *p = hm_json_get_str(args, name, "");
    p += strspn(p, " ");
    for (size_t n = 0; *p != '\0'; n++) {
        size_t len = strcspn(p, " ");
        char *pair = hm_xstrndup(p, len);
        bool ok = pair_ok(pair) && n < MAX_PAIRS;
        if (ok && option != NULL)
            hm_request_add_word(req, option);
        if (ok)
            hm_request_add_word(req, pair);
        else
            (void)hm_err_set(err, HM_EINVAL,
                             n < MAX_PAIRS ? "%s: \"%.80s\" is not like NAME=value" : "%s: too many, at \"%.80s\"", name, pair);
        free(pair);
        if (!ok)
            return HM_EINVAL;
        p += len;
        p += strspn(p, " ");
    }
    return HM_OK;
}

static enum hm_code add_transaction(struct hm_request *req, const char *option, const json_t *args, bool required,
                                    struct hm_err *err)
{
    const char *id = hm_json_get_str(args, "transaction", "");
    if (id[0] == '\0' && !required)
        return HM_OK;
    if (!hm_is_uuid(id))
        return hm_err_set(err, HM_EINVAL, "transaction: \"%.60s\" is not a UUID", id);
    hm_request_add_word(req, option);
    hm_request_add_word(req, id);
    return HM_OK;
}

/* ---- create --------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec create_args[] = {
    {"stack", HM_ARG_STRING, true, "Aurora's stack, like cantareira-stable"},
    {"env", HM_ARG_STRING, true, "environment of the job: prod or devel"},
    {"job", HM_ARG_STRING, true, "name of the job, like dagao"},
    {"filename", HM_ARG_STRING, false, "which definition, when it is not named like the job"},
    {"versions", HM_ARG_STRING, false, "NAME=version for --job-version, several with spaces between"},
    {"binds", HM_ARG_STRING, false, "NAME=value, several with spaces between"},
    {"transaction", HM_ARG_UUID, false, "Metapod transaction for --metapod-transaction"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code create_words(const struct hm_backend *backend, const json_t *args, bool dryrun, struct hm_request *req,
                                 struct hm_err *err)
{
    enum hm_code code = hm_sabesp_begin_jobs(backend, args, dryrun, req, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, "create");
    code = hm_sabesp_add(req, NULL, args, "env", true, err);
    if (code == HM_OK)
        code = hm_sabesp_add(req, NULL, args, "job", true, err);
    if (code == HM_OK)
        code = hm_sabesp_add(req, "--filename", args, "filename", false, err);
    if (code == HM_OK)
        code = add_pairs(req, "--job-version", args, "versions", err);
    if (code == HM_OK)
        code = add_pairs(req, NULL, args, "binds", err);
    if (code == HM_OK)
        code = add_transaction(req, "--metapod-transaction", args, false, err);
    if (code == HM_OK)
        hm_sabesp_end_jobs(backend, dryrun, req);
    return code;
}

static enum hm_code create_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return create_words(backend, args, false, req, err);
}

static enum hm_code try_create_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return create_words(backend, args, true, req, err);
}

static enum hm_verdict create_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp jobs create", HM_EFFECT_ONCE, answer, out);
}

static enum hm_verdict try_create_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp jobs create (dry run)", HM_EFFECT_READ, answer, out);
}

static const struct hm_field_spec create_fields[] = {
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_sabesp_create = {
    .name = "sabesp.create",
    .title = "Start a job",
    .doc = "From the definition in the machine's own checkout of aurora-jobs. If nobody knows whether it happened, Aurora is "
           "asked for tasks that are new; give `probe = { before = … }`, the ids of the job's tasks before.",
    .effect = HM_EFFECT_ONCE,
    .args = create_args,
    .result = create_fields,
    .request = create_request,
    .response = create_response,
    .probe_action = "aurora.tasks",
    .probe_args = hm_aurora_probe_args,
    .probe_judge = hm_aurora_probe_fresh,
    .probe_context = hm_aurora_probe_context,
};

const struct hm_action hm_sabesp_try_create = {
    .name = "sabesp.try-create",
    .title = "Dry run of starting a job",
    .doc = "The same words and the one for a dry run; put it behind the gate, in case your sabesp takes the word for something "
           "else.",
    .effect = HM_EFFECT_READ,
    .args = create_args,
    .result = create_fields,
    .request = try_create_request,
    .response = try_create_response,
};

/* ---- itaipu --------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec itaipu_args[] = {
    {"stack", HM_ARG_STRING, true, "Aurora's stack, like cantareira-stable"},
    {"env", HM_ARG_STRING, true, "environment of the job: prod or devel"},
    {"cluster", HM_ARG_STRING, true, "name of the cluster, and of the job; without a slash"},
    {"nodes", HM_ARG_INT, true, "how many machines"},
    {"dataset", HM_ARG_STRING, true, "which dataset to compute, like dataset/prospect-key-integrity"},
    {"itaipu", HM_ARG_STRING, true, "itaipu's version: a tag of its image"},
    {"transaction", HM_ARG_UUID, true, "Metapod transaction; sabesp makes up a new one when there is none"},
    {"instance_type", HM_ARG_STRING, false, "which machines, like r4.2xlarge"},
    {"target_date", HM_ARG_STRING, false, "2026-11-28"},
    {"reference_date", HM_ARG_STRING, false, "2026-11-28"},
    {"use_cache", HM_ARG_BOOL, false, "--use-cache"},
    {"include_placeholder_ops", HM_ARG_BOOL, false, "--include-placeholder-ops"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code add_bucket(const struct hm_backend *backend, const char *setting, const char *usual, struct hm_request *req,
                               struct hm_err *err)
{
    const char *bucket = hm_json_get_str(backend->settings, setting, usual);
    if ((!hm_starts_with(bucket, "s3a://") && !hm_starts_with(bucket, "s3://")) || bucket[strspn(bucket, value_chars)] != '\0')
        return hm_err_set(err, HM_EENV, "backend %s: %s \"%.80s\" is not like s3a://bucket", backend->name, setting, bucket);
    hm_request_add_word(req, bucket);
    return HM_OK;
}

static enum hm_code add_nodes(const struct hm_backend *backend, const json_t *args, struct hm_request *req, struct hm_err *err)
{
    int64_t nodes = hm_json_get_int(args, "nodes", 0);
    int64_t most = hm_json_get_int(backend->settings, "max_nodes", NODES_MAX);
    if (nodes < 1 || nodes > most)
        return hm_err_set(err, HM_EINVAL, "nodes: %lld is not between 1 and %lld (max_nodes of backend %s)", (long long)nodes,
                          (long long)most, backend->name);
    char *text = hm_xasprintf("%lld", (long long)nodes);
    hm_request_add_word(req, text);
    free(text);
    return HM_OK;
}

/* "dataset/x": two parts or more, none of them empty or of dots. */
static bool dataset_ok(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z' && strchr(name, '/') != NULL &&
           name[len - 1] != '/' && strstr(name, "//") == NULL && strstr(name, "..") == NULL &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/")] == '\0';
}

static enum hm_code add_dataset(const json_t *args, struct hm_request *req, struct hm_err *err)
{
    const char *name = hm_json_get_str(args, "dataset", "");
    if (!dataset_ok(name))
        return hm_err_set(err, HM_EINVAL, "dataset: \"%.80s\" is not a name like dataset/prospect-key-integrity", name);
    hm_request_add_word(req, "--filter");
    hm_request_add_word(req, name);
    return HM_OK;
}

static enum hm_code add_date(const char *option, const json_t *args, const char *name, struct hm_request *req, struct hm_err *err)
{
    static const char shape[] = "dddd-dd-dd";
    const char *date = hm_json_get_str(args, name, "");
    bool ok = strlen(date) == DATE_LEN;
    if (date[0] == '\0')
        return HM_OK;
    for (size_t i = 0; ok && i < DATE_LEN; i++)
        ok = shape[i] == 'd' ? date[i] >= '0' && date[i] <= '9' : date[i] == '-';
    if (!ok)
        return hm_err_set(err, HM_EINVAL, "%s: \"%.40s\" is not a date like 2026-11-28", name, date);
    hm_request_add_word(req, option);
    hm_request_add_word(req, date);
    return HM_OK;
}

static enum hm_code add_instance_type(const json_t *args, struct hm_request *req, struct hm_err *err)
{
    const char *type = hm_json_get_str(args, "instance_type", "");
    if (type[0] == '\0')
        return HM_OK;
    if (!hm_argv_word_ok(type))
        return hm_err_set(err, HM_EINVAL, "instance_type: \"%.60s\" is not like r4.2xlarge", type);
    char *word = hm_xasprintf("--instance-type=%s", type);
    hm_request_add_word(req, word);
    free(word);
    return HM_OK;
}

static enum hm_code itaipu_options(const json_t *args, struct hm_request *req, struct hm_err *err)
{
    enum hm_code code = add_dataset(args, req, err);
    if (code == HM_OK)
        code = hm_sabesp_add(req, "--itaipu", args, "itaipu", true, err);
    if (code == HM_OK)
        code = add_transaction(req, "--transaction", args, true, err);
    if (code == HM_OK)
        code = add_date("--target-date", args, "target_date", req, err);
    if (code == HM_OK)
        code = add_date("--reference-date", args, "reference_date", req, err);
    if (code == HM_OK)
        code = add_instance_type(args, req, err);
    if (code == HM_OK && hm_json_get_bool(args, "use_cache", false))
        hm_request_add_word(req, "--use-cache");
    if (code == HM_OK && hm_json_get_bool(args, "include_placeholder_ops", false))
        hm_request_add_word(req, "--include-placeholder-ops");
    return code;
}

static enum hm_code itaipu_words(const struct hm_backend *backend, const json_t *args, bool dryrun, struct hm_request *req,
                                 struct hm_err *err)
{
    enum hm_code code = hm_sabesp_begin_jobs(backend, args, dryrun, req, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, "itaipu");
    code = hm_sabesp_add(req, NULL, args, "env", true, err);
    if (code == HM_OK)
        code = hm_sabesp_add(req, NULL, args, "cluster", true, err);
    if (code == HM_OK)
        code = add_bucket(backend, "permanent_bucket", "s3a://nu-spark-metapod-permanent-1", req, err);
    if (code == HM_OK)
        code = add_bucket(backend, "ephemeral_bucket", "s3a://nu-spark-metapod-ephemeral-1", req, err);
    if (code == HM_OK)
        code = add_nodes(backend, args, req, err);
    if (code == HM_OK)
        code = itaipu_options(args, req, err);
    if (code == HM_OK)
        hm_sabesp_end_jobs(backend, dryrun, req);
    return code;
}

static enum hm_code itaipu_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return itaipu_words(backend, args, false, req, err);
}

static enum hm_code try_itaipu_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return itaipu_words(backend, args, true, req, err);
}

static enum hm_verdict itaipu_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp jobs itaipu", HM_EFFECT_ONCE, answer, out);
}

static enum hm_verdict try_itaipu_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp jobs itaipu (dry run)", HM_EFFECT_READ, answer, out);
}

static const struct hm_arg_spec itaipu_context[] = {
    {"before", HM_ARG_LIST, true, "ids of the job's tasks before, as aurora.tasks gives them"},
    {"job", HM_ARG_STRING, true, "the job's name in Aurora"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code itaipu_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    const char *job = hm_json_get_str(context, "job", "");
    if (!hm_argv_word_ok(job))
        return hm_err_set(err, HM_EINVAL, "probe: without `job`, the job's name in Aurora, nobody can tell");
    json_t *named = hm_json_obj_new();
    hm_json_set_str(named, "env", hm_json_get_str(args, "env", ""));
    hm_json_set_str(named, "job", job);
    enum hm_code code = hm_aurora_probe_args(named, context, ret_args, err);
    json_decref(named);
    return code;
}

const struct hm_action hm_sabesp_itaipu = {
    .name = "sabesp.itaipu",
    .title = "Compute a dataset in a run of its own",
    .doc = "`sabesp jobs itaipu`, with machines of its own. If nobody knows whether it happened, Aurora is asked for tasks that "
           "are new; give `probe = { job = …; before = … }`, the job's name in Aurora and the ids of its tasks before.",
    .effect = HM_EFFECT_ONCE,
    .args = itaipu_args,
    .result = create_fields,
    .request = itaipu_request,
    .response = itaipu_response,
    .probe_action = "aurora.tasks",
    .probe_args = itaipu_probe_args,
    .probe_judge = hm_aurora_probe_fresh,
    .probe_context = itaipu_context,
};

const struct hm_action hm_sabesp_try_itaipu = {
    .name = "sabesp.try-itaipu",
    .title = "Dry run of computing a dataset",
    .doc = "The same words and the one for a dry run; put it behind the gate, in case your sabesp takes the word for something "
           "else.",
    .effect = HM_EFFECT_READ,
    .args = itaipu_args,
    .result = create_fields,
    .request = try_itaipu_request,
    .response = try_itaipu_response,
};
