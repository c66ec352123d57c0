/* GraphQL over HTTP. Servers differ in the status of a refused query (200, or 400 with the newer content type and in old
 * servers), so `errors` are looked for before the status is judged. */
#include "handlers/graphql.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { MESSAGE_MAX = 250 };

void hm_graphql_request(const struct hm_backend *backend, const char *url, const char *query, json_t *stolen_variables,
                        struct hm_request *ret_req)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "query", query);
    hm_json_set(body, "variables", stolen_variables);
    ret_req->kind = HM_REQUEST_HTTP;
    ret_req->method = hm_xstrdup("POST");
    ret_req->url = hm_xstrdup(url);
    hm_request_add_header(ret_req, "Content-Type", "application/json");
    hm_request_add_header(ret_req, "Accept", "application/graphql-response+json, application/json;q=0.9");
    hm_request_add_backend_headers(ret_req, backend);
    ret_req->body = hm_json_text(body);
    ret_req->body_len = strlen(ret_req->body);
    json_decref(body);
}

/* errors: a non-empty array. The spec wants objects with `message`; a path is there when the query had begun to run. */
static enum hm_verdict judge_errors(const struct hm_http_asked *asked, const json_t *errors, struct hm_outcome *out)
{
    const json_t *first = json_array_get(errors, 0);
    const char *message = hm_json_get_str(first, "message", "no reason given");
    bool ran = hm_json_get_arr(first, "path") != NULL;
    size_t more = json_array_size(errors) - 1;
    char *clean = hm_utf8_clean(message, hm_utf8_prefix(message, MESSAGE_MAX));
    char *others = more > 0 ? hm_xasprintf(" (and %zu more)", more) : hm_xstrdup("");
    enum hm_verdict verdict = ran ? HM_VERDICT_RETRYABLE : HM_VERDICT_PERMANENT;

    (void)hm_outcome_fail(out, verdict, ran ? "%s failed while answering the query: %s%s" : "%s refused the query: %s%s",
                          asked->system, clean, others);
    free(others);
    free(clean);
    return verdict;
}

enum hm_verdict hm_graphql_response(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_data,
                                    struct hm_outcome *ret_out)
{
    bool may_be_answer = (answer->status >= 200 && answer->status < 300) || answer->status == 400;
    enum hm_verdict verdict = HM_VERDICT_OK;

    *ret_data = NULL;
    if (!may_be_answer || hm_http_is_page(answer))
        return hm_http_judge(asked, answer, ret_out);
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    json_t *errors = hm_json_get_arr(json, "errors");
    json_t *data = hm_json_get_obj(json, "data");
    if (json_array_size(errors) > 0)
        verdict = judge_errors(asked, errors, ret_out);
    else if (answer->status == 400)
        verdict = hm_http_judge(asked, answer, ret_out);
    else if (json == NULL)
        verdict =
            hm_outcome_fail(ret_out, HM_VERDICT_RETRYABLE, "the answer of %s is not JSON (HTTP %d, %zu bytes, type \"%.60s\")",
                            asked->system, answer->status, answer->body_len, answer->content_type);
    else if (data == NULL)
        verdict = hm_outcome_fail(ret_out, HM_VERDICT_PERMANENT,
                                  "the answer of %s is JSON but no GraphQL (neither data nor errors): check `url` of backend %s",
                                  asked->system, asked->backend->name);
    else
        *ret_data = json_incref(data);
    json_decref(json);
    return verdict;
}
