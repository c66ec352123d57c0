/* Mordor's query for a series: see mordor.h. The cookbook has a page and no API, so the endpoint is configured (endpoint.h,
 * called "query"): without it the sentence names the page. */
#include "handlers/mordor.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "handlers/endpoint.h"

static const struct hm_arg_spec series_args[] = {
    {"series", HM_ARG_STRING, true, "the series, such as series/direct-mail"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static const struct hm_endpoint query = {
    .what = "query",
    .method = "GET",
    .by_hand = "https://backoffice.nubank.com.br/eye-of-mauron/#/s0/mordor/5e3c3390-9cdb-4752-b03b-71a626b23b6e",
};

static enum hm_code request(const struct hm_backend *backend, const json_t *args, const json_t *cursor, struct hm_request *req,
                            struct hm_err *err)
{
    const char *series = hm_json_get_str(args, "series", "");
    json_t *values = hm_json_obj_new();
    (void)cursor;
    hm_json_set_str(values, "series", series);
    enum hm_code code = series[0] != '\0' ? hm_endpoint_request(backend, &query, values, req, err)
                                          : hm_err_set(err, HM_EINVAL, "series: it is empty");
    json_decref(values);
    return code;
}

static enum hm_verdict response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mordor"};
    json_t *json = NULL;
    (void)args;
    (void)cursor;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *list = hm_json_get_path(json, hm_json_get_str(backend->settings, "query_list", ""));
    if (json_is_array(list)) {
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
    } else {
        verdict = hm_http_odd(&asked, out, "there is no list where the setting query_list says");
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec series_fields[] = {
    {"count", HM_FIELD_NUMBER, true, "what is left of the series", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action series = {
    .name = "mordor.series",
    .title = "Count what is left of a series",
    .doc = "By the backend's query_path; without one it is refused with the address of the page.",
    .effect = HM_EFFECT_READ,
    .args = series_args,
    .result = series_fields,
    .request = request,
    .response = response,
};

static const struct hm_action *const actions[] = {&series, NULL};

/* query_path, query_method, query_body: the request, with {series}. query_list: where the rows are in the answer, such as
 * "data.rows"; "" = the answer is the list. page: for people. */
static const char *const settings[] = {"query_path", "query_method", "query_body", "query_list", "page", NULL};

const struct hm_handler hm_mordor_handler = {
    .name = "mordor",
    .title = "Mordor: the house's saved queries",
    .actions = actions,
    .settings = settings,
};
