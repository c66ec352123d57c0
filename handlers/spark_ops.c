/* What depends on a dataset, by a spark_ops.json: see spark_ops.h.
 *
 * The backend's URL is where such documents lie (the artefacts of the CI, a bucket behind a web server); the path names one of
 * them, so that the graph of the very version in question can be asked. The document is a list of {name, inputs, successors}. One
 * of more than 8 MiB does not come through: take BigQuery then. */
#include "handlers/spark_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/successors.h"

enum { PATH_LEN_MAX = 300 };

static const struct hm_arg_spec successors_args[] = {
    {"name", HM_ARG_STRING, true, "the dataset's or model's name, such as series-contract/scr-operacao"},
    {"path", HM_ARG_STRING, false, "the document's path below the backend's url; the backend's setting if not given"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* A path that leads down: segments of letters, digits and . _ - ~, none of them made of dots. */
static bool is_path(const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~";
    if (path[0] != '/' || strlen(path) > PATH_LEN_MAX)
        return false;
    while (*path == '/') {
        size_t len = strspn(path + 1, allowed);
        if (len == 0 || strspn(path + 1, ".") == len)
            return false;
        path += 1 + len;
    }
    return *path == '\0';
}

static enum hm_code request(const struct hm_backend *backend, const json_t *args, const json_t *cursor, struct hm_request *req,
                            struct hm_err *err)
{
    const char *name = hm_json_get_str(args, "name", ""), *given = hm_json_get_str(args, "path", "");
    const char *path = given[0] != '\0' ? given : hm_json_get_str(backend->settings, "path", "/spark_ops.json");
    (void)cursor;
    if (!hm_op_name_ok(name))
        return hm_err_set(err, HM_EINVAL, "name: \"%.60s\" is not a name like dataset/x or policy/y", name);
    if (!is_path(path))
        return hm_err_set(err, HM_EINVAL, "path: \"%.100s\" is not a path like /builds/123/spark_ops.json", path);
    hm_request_begin(req, backend, "GET", "%s", path);
    hm_request_add_header(req, "Accept", "application/json");
    return HM_OK;
}

/* False when one of them is no text; the result is gone then. */
static bool add_inputs(const json_t *op, struct hm_outcome *out)
{
    json_t *inputs = hm_json_arr_new();
    const json_t *given = hm_json_get_arr(op, "inputs");
    bool ok = true;
    for (size_t i = 0; i < json_array_size(given); i++) {
        const char *name = json_string_value(json_array_get(given, i));
        ok = ok && name != NULL;
        hm_json_add(inputs, hm_json_str_new(name));
    }
    hm_json_set(out->result, "inputs", inputs);
    if (ok)
        return true;
    json_decref(out->result);
    out->result = NULL;
    return false;
}

static enum hm_verdict response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "the spark_ops store", .thing = "such document"};
    const char *name = hm_json_get_str(args, "name", "");
    const json_t *found = NULL;
    json_t *json = NULL;
    size_t n = 0;
    (void)cursor;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *op = json_array_get(json, i);
        if (!hm_streq(hm_json_get_str(op, "name", NULL), name))
            continue;
        found = op;
        n++;
    }
    if (!json_is_array(json))
        verdict = hm_http_odd(&asked, out, "it is no list of ops");
    else if (n == 0)
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "spark_ops.json has no \"%.120s\" among its %zu ops: check the name",
                                  name, json_array_size(json));
    else if (n > 1)
        verdict = hm_http_odd(&asked, out, "it has the name twice");
    else if (hm_json_get_arr(found, "successors") == NULL)
        verdict = hm_http_odd(&asked, out, "the op has no list of successors");
    else
        out->result = hm_successors_result_new(name, hm_json_get_arr(found, "successors"));
    if (verdict == HM_VERDICT_OK && out->result == NULL)
        verdict = hm_http_odd(&asked, out, "one of the op's successors is no name");
    if (verdict == HM_VERDICT_OK && !add_inputs(found, out))
        verdict = hm_http_odd(&asked, out, "one of the op's inputs is no name");
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec successors_fields[] = {
    HM_SUCCESSORS_FIELDS,
    {"inputs", HM_FIELD_LIST, true, "names of what it depends on", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action spark_ops_successors = {
    .name = "spark_ops.successors",
    .title = "Look up in spark_ops.json what depends on a dataset",
    .doc = "No such name is not-found.",
    .effect = HM_EFFECT_READ,
    .args = successors_args,
    .result = successors_fields,
    .request = request,
    .response = response,
};

static const struct hm_action *const actions[] = {&spark_ops_successors, NULL};
static const char *const settings[] = {"path", NULL};

const struct hm_handler hm_spark_ops_handler = {
    .name = "spark_ops",
    .title = "spark_ops.json: the graph of ops",
    .actions = actions,
    .settings = settings,
};
