/* Ouroboros's deletions: see ouroboros.h. Each is irreversible, and nothing documents a repeat or a way to look, so each is ONCE
 * without a probe: when an answer is lost, a person must say what became of it.
 *
 * Trap: delete-transaction-archives without a series deletes the archives of all series of the transaction. So the two are two
 * actions here: the one has a series that can not be empty, the other has none, and no value can turn one into the other. */
#include "handlers/ouroboros.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/nu_curl.h"

enum { NAME_LEN_MAX = 200 };

static bool is_resource_id(const char *id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
    size_t len = strlen(id);
    return len > 0 && len <= NAME_LEN_MAX && strspn(id, allowed) == len && strchr("._:-", id[0]) == NULL;
}

static bool is_series(const char *series)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(series), head = strlen("series/");
    return hm_starts_with(series, "series/") && len > head && len <= NAME_LEN_MAX &&
           head + strspn(series + head, allowed) == len && series[head] != '-';
}

static enum hm_code check_series(const char *series, struct hm_err *err)
{
    if (is_series(series))
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "series: \"%.80s\" is not a name like series/direct-mail", series);
}

static enum hm_code check_transaction(const char *transaction, struct hm_err *err)
{
    if (hm_is_uuid(transaction))
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "transaction: \"%.60s\" is not a UUID", transaction);
}

/* POST …/<migration> with {key: value} and, when key2 is not NULL, {key2: value2}. */
/* NOLINTNEXTLINE(readability-function-size): two keys and their values, in their order */
static void migration(const struct hm_backend *backend, const char *name, const char *key, const char *value, const char *key2,
                      const char *value2, struct hm_request *req)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, key, value);
    if (key2 != NULL)
        hm_json_set_str(body, key2, value2);
    if (backend->program != NULL) {
        char *path = hm_xasprintf("/api/admin/migrations/%s", name);
        hm_nu_curl_request(backend, "ouroboros", "POST", path, body, req);
        free(path);
        return;
    }
    hm_request_begin(req, backend, "POST", "/api/admin/migrations/%s", name);
    hm_request_set_json(req, body);
}

static enum hm_verdict judge(const struct hm_backend *backend, const char *thing, const struct hm_answer *answer,
                             struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Ouroboros", .thing = thing, .write = true};
    struct hm_answer http;
    char *body = NULL;
    enum hm_verdict verdict = hm_nu_curl_answer(&asked, answer, &http, &body, out);
    if (verdict == HM_VERDICT_OK)
        verdict = hm_http_judge(&asked, &http, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "status", http.status);
        hm_json_set_bool(out->result, "queued", http.status == 202);
    }
    free(body);
    return verdict;
}

static const struct hm_field_spec queued_fields[] = {
    {"status", HM_FIELD_NUMBER, true, "the HTTP status", NULL},
    {"queued", HM_FIELD_BOOL, true, "true for 202: taken down, and worked at later", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

#define UNSEEN " If the answer is lost, a person must say whether it happened."

/* --- ouroboros.delete-resource ---------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec resource_args[] = {
    {"id", HM_ARG_STRING, true, "the resource's id in Ouroboros"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code resource_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    const char *id = hm_json_get_str(args, "id", "");
    (void)cursor;
    if (!is_resource_id(id))
        return hm_err_set(err, HM_EINVAL, "id: \"%.80s\" is not the id of a resource", id);
    migration(backend, "delete-resource", "resource-id", id, NULL, NULL, req);
    return HM_OK;
}

static enum hm_verdict resource_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("resource %s", hm_json_get_str(args, "id", ""));
    (void)cursor;
    enum hm_verdict verdict = judge(backend, thing, answer, out);
    free(thing);
    return verdict;
}

static const struct hm_action delete_resource = {
    .name = "ouroboros.delete-resource",
    .title = "Delete one resource from the archives",
    .doc = "Irreversible." UNSEEN,
    .effect = HM_EFFECT_ONCE,
    .args = resource_args,
    .result = queued_fields,
    .request = resource_request,
    .response = resource_response,
};

/* --- ouroboros.delete-series-archives: of one series only ----------------------------------------------------------------------
 */

static const struct hm_arg_spec series_archives_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"series", HM_ARG_STRING, true, "the series, such as series/direct-mail; never empty"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code series_archives_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                            struct hm_request *req, struct hm_err *err)
{
    const char *transaction = hm_json_get_str(args, "transaction", ""), *series = hm_json_get_str(args, "series", "");
    (void)cursor;
    if (check_transaction(transaction, err) != HM_OK || check_series(series, err) != HM_OK)
        return err->code;
    migration(backend, "delete-transaction-archives", "transaction-id", transaction, "series-name", series, req);
    return HM_OK;
}

static enum hm_verdict series_archives_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                                const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("archive of %s in transaction %s", hm_json_get_str(args, "series", ""),
                               hm_json_get_str(args, "transaction", ""));
    (void)cursor;
    enum hm_verdict verdict = judge(backend, thing, answer, out);
    free(thing);
    return verdict;
}

static const struct hm_action delete_series_archives = {
    .name = "ouroboros.delete-series-archives",
    .title = "Delete the archives of one series in one transaction",
    .doc = "Irreversible. An empty series is refused." UNSEEN,
    .effect = HM_EFFECT_ONCE,
    .args = series_archives_args,
    .result = queued_fields,
    .request = series_archives_request,
    .response = series_archives_response,
};

/* --- ouroboros.delete-transaction-archives: of all series
 * ------------------------------------------------------------------------ */

static const struct hm_arg_spec transaction_archives_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code transaction_archives_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                                 struct hm_request *req, struct hm_err *err)
{
    const char *transaction = hm_json_get_str(args, "transaction", "");
    (void)cursor;
    if (check_transaction(transaction, err) != HM_OK)
        return err->code;
    migration(backend, "delete-transaction-archives", "transaction-id", transaction, NULL, NULL, req);
    return HM_OK;
}

static enum hm_verdict transaction_archives_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("archives of transaction %s", hm_json_get_str(args, "transaction", ""));
    (void)cursor;
    enum hm_verdict verdict = judge(backend, thing, answer, out);
    free(thing);
    return verdict;
}

static const struct hm_action delete_transaction_archives = {
    .name = "ouroboros.delete-transaction-archives",
    .title = "Delete the archives of ALL series of a transaction",
    .doc = "Irreversible; good archives go too." UNSEEN,
    .effect = HM_EFFECT_ONCE,
    .args = transaction_archives_args,
    .result = queued_fields,
    .request = transaction_archives_request,
    .response = transaction_archives_response,
};

/* --- ouroboros.delete-series --------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec series_args[] = {
    {"series", HM_ARG_STRING, true, "the series, such as series/direct-mail"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code series_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    const char *series = hm_json_get_str(args, "series", "");
    (void)cursor;
    if (check_series(series, err) != HM_OK)
        return err->code;
    migration(backend, "delete-record-series", "series-name", series, NULL, NULL, req);
    return HM_OK;
}

static enum hm_verdict series_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    return judge(backend, hm_json_get_str(args, "series", ""), answer, out);
}

static const struct hm_action delete_series = {
    .name = "ouroboros.delete-series",
    .title = "Delete a series completely",
    .doc = "Irreversible. Ouroboros only takes the order and works at it by itself: ask mordor.series until it is empty." UNSEEN,
    .effect = HM_EFFECT_ONCE,
    .args = series_args,
    .result = queued_fields,
    .request = series_request,
    .response = series_response,
};

static const struct hm_action *const actions[] = {&delete_resource, &delete_series_archives, &delete_transaction_archives,
                                                  &delete_series, NULL};
static const char *const settings[] = {"nu_prototype", "nu_env", "nu_country", NULL};

const struct hm_handler hm_ouroboros_handler = {
    .name = "ouroboros",
    .title = "Ouroboros: the archives of dataset series",
    .actions = actions,
    .settings = settings,
    .by_program = HM_BY_PROGRAM_ALL,
};
