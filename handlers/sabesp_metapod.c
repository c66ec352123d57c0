/* sabesp, what it does with Metapod: naming today's transaction, and committing a file to a dataset.
 *
 * Committing is HM_EFFECT_ONCE with a probe: nothing says what a second commit does, but the dataset itself shows whether it is
 * committed. Not committed proves nothing, because the program may still be at it. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/http_answer.h"
#include "handlers/sabesp.h"

enum { UUID_LEN = 36, PATH_MAX_BYTES = 500 };

static const struct hm_arg_spec no_args[] = {
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code tx_id_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    (void)args;
    (void)cursor;
    enum hm_code code = hm_sabesp_begin(backend, req, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, "utils");
    hm_request_add_word(req, "tx-id");
    return HM_OK;
}

static bool is_hex_or_dash(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
}

/* The one UUID in the text, into id; false when there is none or more than one. */
static bool only_uuid(const char *text, char id[UUID_LEN + 1])
{
    bool found = false;
    for (const char *p = text; *p != '\0'; p++) {
        size_t len = 0;
        while (is_hex_or_dash(p[len]))
            len++;
        if (len == UUID_LEN) {
            char word[UUID_LEN + 1];
            memcpy(word, p, UUID_LEN);
            word[UUID_LEN] = '\0';
            if (hm_is_uuid(word)) {
                if (found && strcasecmp(id, word) != 0)
                    return false;
                for (size_t i = 0; i < sizeof word; i++)
                    id[i] = (char)(word[i] >= 'A' && word[i] <= 'F' ? word[i] - 'A' + 'a' : word[i]);
                found = true;
            }
        }
        p += len > 0 ? len - 1 : 0;
    }
    return found;
}

static enum hm_verdict tx_id_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    char id[UUID_LEN + 1];
    (void)args;
    (void)cursor;
    enum hm_verdict verdict = hm_sabesp_judge(backend, "sabesp utils tx-id", HM_EFFECT_READ, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    if (only_uuid(answer->body, id)) {
        hm_json_set_str(out->result, "transaction", id);
        return HM_VERDICT_OK;
    }
    json_decref(out->result);
    out->result = NULL;
    return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "`sabesp utils tx-id` printed no transaction id, or more than one");
}

static const struct hm_field_spec tx_id_fields[] = {
    {"transaction", HM_FIELD_TEXT, true, "its id", NULL},
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_sabesp_tx_id = {
    .name = "sabesp.tx-id",
    .title = "Ask for today's Metapod transaction",
    .effect = HM_EFFECT_READ,
    .args = no_args,
    .result = tx_id_fields,
    .request = tx_id_request,
    .response = tx_id_response,
};

/* ---- commit ---------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec commit_args[] = {
    {"env", HM_ARG_STRING, true, "environment of Metapod: prod"},
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"id", HM_ARG_UUID, true, "the dataset's id"},
    {"format", HM_ARG_STRING, true, "format of the file, like PARQUET"},
    {"path", HM_ARG_STRING, true, "the file, like s3://bucket/path/empty.gz.parquet"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static bool path_ok(const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.=-/";
    size_t scheme = hm_starts_with(path, "s3a://") ? 6 : hm_starts_with(path, "s3://") ? 5 : 0;
    const char *rest = path + scheme;
    return scheme > 0 && strlen(path) <= PATH_MAX_BYTES && rest[0] != '/' && rest[0] != '\0' && strchr(rest, '/') != NULL &&
           rest[strspn(rest, allowed)] == '\0' && strstr(rest, "..") == NULL && strstr(rest, "//") == NULL &&
           !hm_ends_with(rest, "/");
}

static enum hm_code commit_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    static const char *const ids[] = {"transaction", "id"};
    const char *path = hm_json_get_str(args, "path", "");
    (void)cursor;
    for (size_t i = 0; i < HM_ARRAY_LEN(ids); i++)
        if (!hm_is_uuid(hm_json_get_str(args, ids[i], "")))
            return hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is not a UUID", ids[i], hm_json_get_str(args, ids[i], ""));
    if (!path_ok(path))
        return hm_err_set(err, HM_EINVAL, "path: \"%.100s\" is not a file like s3://bucket/path/empty.gz.parquet", path);
    enum hm_code code = hm_sabesp_begin(backend, req, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, "metapod");
    hm_request_add_word(req, "--token");
    code = hm_sabesp_add(req, "--env", args, "env", true, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, "dataset");
    hm_request_add_word(req, "commit");
    hm_request_add_word(req, hm_json_get_str(args, "transaction", ""));
    hm_request_add_word(req, hm_json_get_str(args, "id", ""));
    code = hm_sabesp_add(req, NULL, args, "format", true, err);
    if (code == HM_OK)
        hm_request_add_word(req, path);
    return code;
}

static enum hm_verdict commit_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)args;
    (void)cursor;
    return hm_sabesp_judge(backend, "sabesp metapod dataset commit", HM_EFFECT_ONCE, answer, out);
}

static enum hm_code commit_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "transaction", hm_json_get_str(args, "transaction", ""));
    hm_json_set_str(*ret_args, "id", hm_json_get_str(args, "id", ""));
    return HM_OK;
}

static enum hm_probe_says commit_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    const char *path = hm_json_get_str(result, "path", NULL); /* only when dataset_fields of Metapod's backend asks for it */
    bool same = verdict == HM_VERDICT_OK && strcasecmp(hm_json_get_str(result, "id", ""), hm_json_get_str(args, "id", "?")) == 0;
    bool ours = path == NULL || hm_streq(path, hm_json_get_str(args, "path", ""));
    if (!same || (!ours && hm_json_get_bool(result, "committed", false)))
        return HM_PROBE_CANNOT_TELL;
    return hm_json_get_bool(result, "committed", false) ? HM_PROBE_APPLIED : HM_PROBE_NOT_YET;
}

static const struct hm_field_spec commit_dataset_fields[] = {
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_sabesp_commit_dataset = {
    .name = "sabesp.commit-dataset",
    .title = "Commit a file to a dataset",
    .doc = "`sabesp metapod dataset commit`. If nobody knows whether it happened, Metapod is asked for the dataset.",
    .effect = HM_EFFECT_ONCE,
    .args = commit_args,
    .result = commit_dataset_fields,
    .request = commit_request,
    .response = commit_response,
    .probe_action = "metapod.dataset",
    .probe_args = commit_probe_args,
    .probe_judge = commit_probe_judge,
};
