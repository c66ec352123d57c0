/* sabesp, as far as the cookbook goes: jobs status, kill, restart, create, itaipu; utils tx-id; metapod dataset commit. Unknown
 * words are refused. With --dryrun nothing happens. Like the client of Aurora that it wraps, killing nothing ends with 6. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "house.h"

enum { NOTHING_TO_KILL = 6, API_ERROR = 10 };

static void on_job(struct hm_world *world, const char *verb, const char *const *words, struct hm_house_end *end)
{
    struct hm_house_job job = {hm_house_word(&words), NULL, NULL};
    job.env = hm_house_word(&words);
    job.job = hm_house_word(&words);
    if (job.role == NULL || job.env == NULL || job.job == NULL || *words != NULL) {
        hm_house_usage(end, "sabesp --aurora-stack STACK jobs kill|status|restart ROLE ENV JOB");
        return;
    }
    char *key = hm_xasprintf("%s/%s/%s", job.role, job.env, job.job);
    if (hm_streq(verb, "status")) {
        char *status = hm_house_status(world, &job);
        hm_strbuf_addf(end->out, "Active tasks:\n%s", status);
        free(status);
    } else {
        bool kill = hm_streq(verb, "kill");
        size_t n = kill ? hm_house_kill(world, &job) : hm_house_restart(world, &job);
        hm_world_count_effect(world, kill ? "sabesp kill" : "sabesp restart", job.job, n > 0);
        if (n == 0) {
            hm_strbuf_addf(end->errors, "No tasks to %s found for job %s\n", kill ? "kill" : "restart", key);
            end->status = NOTHING_TO_KILL;
        } else {
            hm_strbuf_addf(end->out, "INFO] %s %zu tasks of %s\n", kill ? "Killing" : "Restarting", n, key);
        }
    }
    free(key);
}

static void start(struct hm_world *world, const struct hm_house_job *job, bool dry, const char *transaction, const char *dataset,
                  struct hm_house_end *end)
{
    if (dry) {
        hm_strbuf_addf(end->out, "INFO] dry run: would create %s/%s\n", job->env, job->job);
        return;
    }
    bool created = hm_house_create(world, job, transaction, dataset);
    hm_world_count_effect(world, "sabesp create", job->job, created);
    if (created) {
        hm_strbuf_addf(end->out, "INFO] Creating job %s\nINFO] Job create succeeded\n", job->job);
    } else {
        hm_strbuf_addf(end->errors, "Job already exists: %s/%s\n", job->env, job->job);
        end->status = API_ERROR;
    }
}

static void create(struct hm_world *world, bool dry, const char *const *words, struct hm_house_end *end)
{
    struct hm_house_job job = {.role = "jobs", .env = hm_house_word(&words)};
    job.job = hm_house_word(&words);
    bool ok = job.env != NULL && job.job != NULL;
    while (ok && *words != NULL) {
        if (hm_house_flag(&words, "--dryrun"))
            dry = true;
        else if (hm_house_option(&words, "--filename") == NULL && hm_house_option(&words, "--job-version") == NULL &&
                 hm_house_option(&words, "--metapod-transaction") == NULL) {
            const char *bind = hm_house_word(&words);
            ok = bind != NULL && strchr(bind, '=') != NULL;
        }
    }
    if (ok)
        start(world, &job, dry, NULL, NULL, end);
    else
        hm_house_usage(end, "sabesp --aurora-stack STACK jobs create ENV JOB [--filename F] [--job-version N=V] [NAME=VALUE …]");
}

static void itaipu(struct hm_world *world, bool dry, const char *const *words, struct hm_house_end *end)
{
    const char *env = hm_house_word(&words), *cluster = hm_house_word(&words), *permanent = hm_house_word(&words),
               *ephemeral = hm_house_word(&words), *nodes = hm_house_word(&words), *value = NULL;
    const char *dataset = NULL, *version = NULL, *transaction = NULL;
    int64_t n = 0;
    bool ok = nodes != NULL && hm_parse_i64(nodes, 1, 10000, &n) && hm_starts_with(permanent, "s3a://") &&
              hm_starts_with(ephemeral, "s3a://") && strchr(cluster, '/') == NULL;
    while (ok && *words != NULL) {
        if ((value = hm_house_option(&words, "--filter")) != NULL)
            dataset = value;
        else if ((value = hm_house_option(&words, "--itaipu")) != NULL)
            version = value;
        else if ((value = hm_house_option(&words, "--transaction")) != NULL)
            transaction = value;
        else if (hm_house_flag(&words, "--dryrun"))
            dry = true;
        else
            ok = hm_house_option(&words, "--instance-type") != NULL || hm_house_option(&words, "--target-date") != NULL ||
                 hm_house_option(&words, "--reference-date") != NULL || hm_house_flag(&words, "--use-cache") ||
                 hm_house_flag(&words, "--include-placeholder-ops");
    }
    if (!ok || dataset == NULL || version == NULL) {
        hm_house_usage(
            end,
            "sabesp --aurora-stack STACK jobs itaipu ENV CLUSTER PERMANENT EPHEMERAL NODES --filter DATASET --itaipu VERSION …");
        return;
    }
    char *name = hm_xasprintf("itaipu-%s", cluster);
    const struct hm_house_job job = {"jobs", env, name};
    start(world, &job, dry, transaction != NULL ? transaction : "", dataset, end);
    free(name);
}

static void jobs(struct hm_world *world, bool dry, const char *const *words, struct hm_house_end *end)
{
    const char *verb = hm_house_word(&words);
    if (hm_streq(verb, "kill") || hm_streq(verb, "status") || hm_streq(verb, "restart"))
        on_job(world, verb, words, end);
    else if (hm_streq(verb, "create"))
        create(world, dry, words, end);
    else if (hm_streq(verb, "itaipu"))
        itaipu(world, dry, words, end);
    else
        hm_house_usage(end, "sabesp jobs kill|status|restart|create|itaipu …");
}

static void metapod(struct hm_world *world, const char *const *words, struct hm_house_end *end)
{
    bool token = hm_house_flag(&words, "--token");
    const char *env = hm_house_option(&words, "--env");
    bool commit = hm_streq(hm_house_word(&words), "dataset") && hm_streq(hm_house_word(&words), "commit");
    const char *transaction = hm_house_word(&words), *id = hm_house_word(&words), *format = hm_house_word(&words),
               *path = hm_house_word(&words);
    if (!token || env == NULL || !commit || path == NULL || *words != NULL ||
        (!hm_streq(format, "PARQUET") && !hm_streq(format, "parquet"))) {
        hm_house_usage(end, "sabesp metapod --token --env ENV dataset commit TRANSACTION ID PARQUET PATH");
        return;
    }
    const char *refusal = hm_house_commit(world, transaction, id, NULL, format, path);
    if (refusal == NULL) {
        hm_world_count_effect(world, "sabesp commit", id, true);
        hm_strbuf_adds(end->out, "committed\n");
    } else {
        hm_strbuf_addf(end->errors, "%s\n", refusal);
        end->status = 1;
    }
}

void hm_house_sabesp(struct hm_world *world, json_t *state, const char *const *words, struct hm_house_end *end)
{
    const char *stack = NULL, *value = NULL;
    bool dry = false, more = true;
    while (more) {
        if ((value = hm_house_option(&words, "--aurora-stack")) != NULL)
            stack = value;
        else if (hm_house_flag(&words, "--dryrun"))
            dry = true;
        else
            more = hm_house_flag(&words, "--verbose");
    }
    const char *group = hm_house_word(&words);
    if (hm_streq(group, "jobs") && hm_streq(stack, "cantareira-stable")) {
        jobs(world, dry, words, end);
    } else if (hm_streq(group, "utils") && hm_streq(words[0], "tx-id") && words[1] == NULL) {
        hm_strbuf_addf(end->out, "%s\n", hm_json_get_str(state, "tx_id", ""));
    } else if (hm_streq(group, "metapod")) {
        metapod(world, words, end);
    } else {
        hm_house_usage(end, "sabesp [--verbose] --aurora-stack cantareira-stable jobs|utils|metapod …");
    }
}
