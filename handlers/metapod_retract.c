/* Metapod's retractions: a POST with an empty body per kind of thing (cookbook, "Removing bad data from Metapod").
 *
 * Retracting a dataset is HM_EFFECT_IDEMPOTENT: what is no longer committed stays so, and the dataset itself tells whether it
 * happened, so the run core looks first and sends again only what has not happened. Retracting an attribute is HM_EFFECT_ONCE: no
 * query shows it and nothing documents a repeat, so a person must say. */
#include <stdlib.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/metapod.h"
#include "handlers/nu_curl.h"

static const struct hm_arg_spec id_args[] = {
    {"id", HM_ARG_UUID, true, "id of what is to be retracted"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code retract_request(const struct hm_backend *backend, const char *path, const json_t *args,
                                    struct hm_request *req, struct hm_err *err)
{
    const char *id = hm_json_get_str(args, "id", "");
    if (!hm_is_uuid(id)) /* an id that is none could name another endpoint */
        return hm_err_set(err, HM_EINVAL, "id: \"%.60s\" is not a UUID", id);
    char *encoded = hm_url_encode(id);
    char *whole = hm_xasprintf("/api/migrations/retract/%s/%s", path, encoded);
    if (backend->program != NULL) {
        hm_nu_curl_request(backend, "metapod", "POST", whole, NULL, req);
    } else {
        hm_request_begin(req, backend, "POST", "%s", whole);
        hm_request_set_empty(req);
    }
    free(whole);
    free(encoded);
    return HM_OK;
}

/* thing: "dataset" and the like, for a 404 */
static enum hm_verdict retract_response(const struct hm_backend *backend, const char *thing, const json_t *args,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *id = hm_json_get_str(args, "id", "");
    char *what = hm_xasprintf("%s %s", thing, id);
    const struct hm_http_asked asked = {.backend = backend, .system = "Metapod", .thing = what, .write = true};
    struct hm_answer http;
    char *body = NULL;
    enum hm_verdict verdict = hm_nu_curl_answer(&asked, answer, &http, &body, out);
    if (verdict == HM_VERDICT_OK)
        verdict = hm_http_judge(&asked, &http, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "id", id);
        hm_json_set_int(out->result, "status", http.status);
    }
    free(body);
    free(what);
    return verdict;
}

/* --- the two that retract a dataset --------------------------------------------------------------------------------------- */

static const struct hm_arg_spec dataset_context[] = {
    {"transaction", HM_ARG_UUID, false, "where to look for the dataset"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* context.transaction says where to look; without it the backend must have a direct query (setting dataset_query), or
 * metapod.dataset refuses and nobody can tell. */
static enum hm_code dataset_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    const char *transaction = hm_json_get_str(context, "transaction", "");
    if (transaction[0] != '\0' && !hm_is_uuid(transaction))
        return hm_err_set(err, HM_EINVAL, "probe: transaction \"%.60s\" is not a UUID", transaction);
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "id", hm_json_get_str(args, "id", ""));
    if (transaction[0] != '\0')
        hm_json_set_str(*ret_args, "transaction", transaction);
    return HM_OK;
}

static enum hm_probe_says dataset_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    const json_t *committed = json_object_get(result, "committed");
    if (verdict != HM_VERDICT_OK || strcasecmp(hm_json_get_str(result, "id", ""), hm_json_get_str(args, "id", "?")) != 0)
        return HM_PROBE_CANNOT_TELL;
    if (json_is_false(committed))
        return HM_PROBE_APPLIED;
    if (json_is_true(committed))
        return HM_PROBE_NOT_APPLIED;
    return HM_PROBE_CANNOT_TELL;
}

static enum hm_code dataset_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return retract_request(backend, "committed-dataset", args, req, err);
}

static enum hm_verdict dataset_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    return retract_response(backend, "dataset", args, answer, out);
}

static const struct hm_field_spec retract_dataset_fields[] = {
    {"id", HM_FIELD_TEXT, true, "what was retracted", NULL},
    {"status", HM_FIELD_NUMBER, true, "the HTTP status", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_retract_dataset = {
    .name = "metapod.retract-dataset",
    .title = "Retract the committed information of a dataset",
    .doc = "The dataset stays in its transaction; its path, format, partitions and schema go. If the answer is lost, the dataset "
           "is read again; give `probe = { transaction = … }` for that, unless the backend has a dataset_query.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = id_args,
    .result = retract_dataset_fields,
    .request = dataset_request,
    .response = dataset_response,
    .probe_action = "metapod.dataset",
    .probe_args = dataset_probe_args,
    .probe_judge = dataset_probe_judge,
    .probe_context = dataset_context,
};

static enum hm_code series_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return retract_request(backend, "dataset-series/dataset", args, req, err);
}

static enum hm_verdict series_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    return retract_response(backend, "dataset of a series", args, answer, out);
}

const struct hm_action hm_metapod_retract_series_dataset = {
    .name = "metapod.retract-series-dataset",
    .title = "Retract a dataset that was appended to a series by hand",
    .doc = "The series-raw/… datasets that belong to it must be retracted one by one. If the answer is lost, the dataset is read "
           "again; give `probe = { transaction = … }` for that, unless the backend has a dataset_query.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = id_args,
    .result = retract_dataset_fields,
    .request = series_request,
    .response = series_response,
    .probe_action = "metapod.dataset",
    .probe_args = dataset_probe_args,
    .probe_judge = dataset_probe_judge,
    .probe_context = dataset_context,
};

/* --- attributes: no query shows one by its id, so nobody can tell ---------------------------------------------------------- */

static enum hm_code attribute_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return retract_request(backend, "attribute", args, req, err);
}

static enum hm_verdict attribute_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                          const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    return retract_response(backend, "attribute", args, answer, out);
}

const struct hm_action hm_metapod_retract_attribute = {
    .name = "metapod.retract-attribute",
    .title = "Retract an attribute",
    .doc = "id is the :attribute/id. If the answer is lost, a person must say whether it happened.",
    .effect = HM_EFFECT_ONCE,
    .args = id_args,
    .result = retract_dataset_fields,
    .request = attribute_request,
    .response = attribute_response,
};

static enum hm_code indexed_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return retract_request(backend, "indexed-attribute", args, req, err);
}

static enum hm_verdict indexed_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    return retract_response(backend, "indexed attribute", args, answer, out);
}

const struct hm_action hm_metapod_retract_indexed_attribute = {
    .name = "metapod.retract-indexed-attribute",
    .title = "Retract an indexed attribute",
    .doc = "id is the :indexed-attribute/id. If the answer is lost, a person must say whether it happened.",
    .effect = HM_EFFECT_ONCE,
    .args = id_args,
    .result = retract_dataset_fields,
    .request = indexed_request,
    .response = indexed_response,
};
