/* Metapod's queries. A dataset can be found by its transaction and name, or by its transaction and id: then the transaction's
 * datasets are listed first, and the one with that id is asked for by its name. A server that can be asked for a dataset by its
 * id alone has the backend setting dataset_query.
 *
 * Only fields that the cookbook uses are asked for: what else a Metapod has is not known, and one unknown field spoils the whole
 * query. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/graphql.h"
#include "handlers/metapod.h"

enum { NAMES_MAX = 50 };

#define SELECT_LIST "id name"
#define SELECT_FULL "id name committed schema { attributes { name } }"

static char *graphql_url(const struct hm_backend *backend)
{
    return hm_xasprintf("%s%s", backend->url, hm_json_get_str(backend->settings, "graphql_path", "/api/graphql"));
}

/* "" in an optional argument is as good as none. */
static const char *get_arg(const json_t *args, const char *name)
{
    const char *value = hm_json_get_str(args, name, "");
    return value[0] != '\0' ? value : NULL;
}

/* Field names only: this goes into a query's text. */
static bool are_field_names(const char *fields)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_ ";
    return fields[strspn(fields, allowed)] == '\0';
}

enum hm_code hm_metapod_ask(const struct hm_backend *backend, const char *names_type, const char *inside,
                            json_t *stolen_variables, struct hm_request *req, struct hm_err *err)
{
    const char *id_type = hm_json_get_str(backend->settings, "graphql_id_type", "String!");
    if (!hm_streq(id_type, "String!") && !hm_streq(id_type, "ID!")) {
        json_decref(stolen_variables);
        return hm_err_set(err, HM_EENV, "backend %s: graphql_id_type must be \"String!\" or \"ID!\", not \"%.40s\"",
                          backend->name, id_type);
    }
    char *url = graphql_url(backend);
    char *query = hm_xasprintf("query Hausmeister($transaction: %s%s) { transaction(transactionId: $transaction) { id %s } }",
                               id_type, names_type, inside);
    hm_graphql_request(backend, url, query, stolen_variables, req);
    free(query);
    free(url);
    return HM_OK;
}

enum hm_verdict hm_metapod_read(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                json_t **ret_data, json_t **ret_transaction, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Metapod"};
    enum hm_verdict verdict = hm_graphql_response(&asked, answer, ret_data, out);
    *ret_transaction = NULL;
    if (verdict != HM_VERDICT_OK)
        return verdict;
    *ret_transaction = hm_json_get_obj(*ret_data, "transaction");
    if (*ret_transaction == NULL)
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "Metapod knows no transaction %s",
                               hm_json_get_str(args, "transaction", ""));
    return HM_VERDICT_OK;
}

enum hm_verdict hm_metapod_check_count(const json_t *transaction, size_t listed, struct hm_outcome *out)
{
    int64_t count = hm_json_get_int(hm_json_get_obj(transaction, "datasetConnection"), "numCommittedDatasets", -1);
    if (count < 0 || (uint64_t)count == listed)
        return HM_VERDICT_OK;
    return hm_outcome_fail(out, HM_VERDICT_RETRYABLE,
                           "Metapod counts %lld committed datasets and lists %zu: the list is cut somewhere, or datasets are "
                           "being committed at this moment. A part is not taken for the whole",
                           (long long)count, listed);
}

static enum hm_verdict odd_answer(struct hm_outcome *out, const char *what)
{
    return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Metapod's answer is not as expected: %s", what);
}

/* --- metapod.dataset ------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec dataset_args[] = {
    {"transaction", HM_ARG_UUID, false, "the Metapod transaction to look in"},
    {"name", HM_ARG_STRING, false, "the dataset's name, such as archive/policy-proactive-limit-v3"},
    {"id", HM_ARG_UUID, false, "the dataset's id"},
    {NULL, HM_ARG_STRING, false, NULL},
};
static const char *const dataset_ways[] = {"name", "id", NULL};
static const struct hm_arg_choice dataset_choice = {dataset_ways, HM_CHOOSE_ANY};

/* True when the dataset is asked for by its id alone. */
static bool is_direct(const struct hm_backend *backend, const json_t *args)
{
    return get_arg(args, "id") != NULL && get_arg(backend->settings, "dataset_query") != NULL;
}

static enum hm_code dataset_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    const char *transaction = get_arg(args, "transaction"), *id = get_arg(args, "id");
    const char *name = cursor != NULL ? get_arg(cursor, "name") : get_arg(args, "name");
    const char *fields = hm_json_get_str(backend->settings, "dataset_fields", "");
    json_t *variables = hm_json_obj_new();

    if (is_direct(backend, args)) {
        char *url = graphql_url(backend);
        hm_json_set_str(variables, "id", id);
        hm_graphql_request(backend, url, hm_json_get_str(backend->settings, "dataset_query", ""), variables, req);
        free(url);
        return HM_OK;
    }
    hm_json_set_str(variables, "transaction", transaction);
    if (transaction == NULL || (name == NULL && id == NULL)) {
        json_decref(variables);
        return hm_err_set(err, HM_EINVAL,
                          transaction != NULL
                              ? "give the dataset's name or its id"
                              : "which transaction is the dataset in? Metapod can not be asked for a dataset without it "
                                "(unless its backend has the setting dataset_query)");
    }
    if (name == NULL)
        return hm_metapod_ask(backend, "", "datasets { " SELECT_LIST " }", variables, req, err);
    if (!are_field_names(fields)) {
        json_decref(variables);
        return hm_err_set(err, HM_EENV, "backend %s: dataset_fields must be field names, not \"%.60s\"", backend->name, fields);
    }
    json_t *names = hm_json_arr_new();
    hm_json_add(names, hm_json_str_new(name));
    hm_json_set(variables, "names", names);
    /* A variable that is nowhere null fits whichever nullable form the server declares. */
    char *inside = hm_xasprintf("datasets(datasetNames: $names) { " SELECT_FULL "%s%s }", fields[0] != '\0' ? " " : "", fields);
    enum hm_code code = hm_metapod_ask(backend, ", $names: [String!]!", inside, variables, req, err);
    free(inside);
    return code;
}

/* The names of a schema's attributes (new reference), and those that are there more than once into `duplicates`, each once. */
static json_t *read_attributes(const json_t *schema, json_t *duplicates)
{
    const json_t *attributes = hm_json_get_arr(schema, "attributes");
    json_t *names = hm_json_arr_new(), *seen = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const char *name = hm_json_get_str(json_array_get(attributes, i), "name", "");
        int64_t times = hm_json_get_int(seen, name, 0) + 1;
        hm_json_set_int(seen, name, times);
        if (times == 2)
            hm_json_add(duplicates, hm_json_str_new(name));
        hm_json_add(names, hm_json_str_new(name));
    }
    json_decref(seen);
    return names;
}

/* The fields of the setting dataset_fields, as far as they are plain values. */
static void copy_fields(const struct hm_backend *backend, const json_t *dataset, json_t *result)
{
    const char *at = hm_json_get_str(backend->settings, "dataset_fields", "");
    while (*(at += strspn(at, " ")) != '\0') {
        size_t len = strcspn(at, " ");
        char *field = hm_xstrndup(at, len);
        json_t *value = json_object_get(dataset, field);
        if (value != NULL && !json_is_object(value) && !json_is_array(value) && json_object_get(result, field) == NULL)
            hm_json_set(result, field, json_incref(value));
        free(field);
        at += len;
    }
}

static enum hm_verdict dataset_result(const struct hm_backend *backend, const json_t *args, const json_t *dataset,
                                      struct hm_outcome *out)
{
    const char *id = hm_json_get_str(dataset, "id", NULL), *name = hm_json_get_str(dataset, "name", NULL);
    json_t *committed = json_object_get(dataset, "committed"), *schema = json_object_get(dataset, "schema");
    if (id == NULL || !json_is_boolean(committed) || (schema != NULL && !json_is_object(schema) && !json_is_null(schema)))
        return odd_answer(out, "a dataset needs id, committed and schema");

    json_t *duplicates = hm_json_arr_new(), *names = read_attributes(schema, duplicates);
    json_t *result = hm_json_obj_new(), *short_schema = json_null();
    hm_json_set_int(result, "attributes", (int64_t)json_array_size(names));
    if (json_is_object(schema)) {
        short_schema = hm_json_obj_new();
        hm_json_set(short_schema, "attributes", json_incref(names));
    }
    hm_json_set_str(result, "id", id);
    hm_json_set_str(result, "name", name);
    hm_json_set(result, "committed", json_incref(committed));
    hm_json_set(result, "schema", short_schema);
    hm_json_set(result, "duplicates", duplicates);
    hm_json_set_str(result, "transaction", get_arg(args, "transaction"));
    copy_fields(backend, dataset, result);
    json_decref(names);
    out->result = result;
    return HM_VERDICT_OK;
}

static enum hm_verdict direct_response(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                       struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Metapod"};
    const char *id = hm_json_get_str(args, "id", "");
    json_t *data = NULL;
    enum hm_verdict verdict = hm_graphql_response(&asked, answer, &data, out);
    if (verdict == HM_VERDICT_OK) {
        /* The setting's query asks for one thing, whatever it calls it. */
        json_t *dataset = json_object_iter_value(json_object_iter(data));
        if (!json_is_object(dataset))
            verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "Metapod knows no dataset %s", id);
        else if (strcasecmp(hm_json_get_str(dataset, "id", id), id) != 0)
            verdict = odd_answer(out, "dataset_query brought another dataset than the one asked for");
        else
            verdict = dataset_result(backend, args, dataset, out);
    }
    json_decref(data);
    return verdict;
}

/* By id: the first answer is the list, the second the dataset; by name there is but one. */
static enum hm_verdict pick(const struct hm_backend *backend, const json_t *args, bool is_list, const json_t *datasets,
                            struct hm_outcome *out)
{
    const char *id = get_arg(args, "id"), *transaction = hm_json_get_str(args, "transaction", "");
    const json_t *found = NULL;
    size_t n_found = 0;

    for (size_t i = 0; i < json_array_size(datasets); i++) {
        const json_t *dataset = json_array_get(datasets, i);
        if (id != NULL && strcasecmp(hm_json_get_str(dataset, "id", ""), id) != 0)
            continue;
        found = dataset;
        n_found++;
    }
    if (n_found == 0 && id != NULL)
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "there is no dataset %s in transaction %s", id, transaction);
    if (n_found == 0)
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "there is no dataset called %.120s in transaction %s",
                               hm_json_get_str(args, "name", ""), transaction);
    if (n_found > 1)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "%zu datasets are called %.120s in transaction %s: give the id",
                               n_found, hm_json_get_str(args, "name", ""), transaction);
    if (!is_list)
        return dataset_result(backend, args, found, out);
    if (get_arg(found, "name") == NULL)
        return odd_answer(out, "the dataset has no name");
    out->cursor = hm_json_obj_new();
    hm_json_set_str(out->cursor, "name", get_arg(found, "name"));
    return HM_VERDICT_MORE;
}

static enum hm_verdict dataset_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *data = NULL, *transaction = NULL;
    bool is_list = cursor == NULL && get_arg(args, "name") == NULL;

    if (is_direct(backend, args))
        return direct_response(backend, args, answer, out);
    enum hm_verdict verdict = hm_metapod_read(backend, args, answer, &data, &transaction, out);
    if (verdict == HM_VERDICT_OK) {
        json_t *datasets = hm_json_get_arr(transaction, "datasets");
        verdict = datasets == NULL ? odd_answer(out, "the transaction has no list of datasets")
                                   : pick(backend, args, is_list, datasets, out);
    }
    json_decref(data);
    return verdict;
}

static const struct hm_field_spec schema_fields[] = {
    {"attributes", HM_FIELD_LIST, true, "names", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec dataset_fields[] = {
    {"id", HM_FIELD_TEXT, true, "its id", NULL},
    {"name", HM_FIELD_TEXT, false, "its name; null when a dataset_query does not ask for it", NULL},
    {"committed", HM_FIELD_BOOL, true, "whether it is committed", NULL},
    {"schema", HM_FIELD_OBJECT, false, "its schema", schema_fields},
    {"attributes", HM_FIELD_NUMBER, true, "how many the schema has", NULL},
    {"duplicates", HM_FIELD_LIST, true, "names that are there more than once", NULL},
    {"path", HM_FIELD_ANY, false, "where its files are, when the backend's dataset_fields has it", NULL},
    {"transaction", HM_FIELD_TEXT, false, "as asked for; null when it was found by id alone", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_dataset = {
    .name = "metapod.dataset",
    .title = "Read a dataset",
    .doc = "By transaction and name, by transaction and id, or by id alone where the backend has a dataset_query. The backend's "
           "dataset_fields are further fields.",
    .effect = HM_EFFECT_READ,
    .args = dataset_args,
    .choice = &dataset_choice,
    .result = dataset_fields,
    .more_fields = "dataset_fields",
    .request = dataset_request,
    .response = dataset_response,
};

/* --- metapod.datasets ----------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec datasets_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"committed", HM_ARG_STRING, false, "yes, no or any (the default): only committed datasets, only others, or all"},
    {"only", HM_ARG_STRING, false, "a regular expression that a part of the name must match"},
    {"settled", HM_ARG_LIST, false, "the items of a foreach over such a list: what of the list was settled, what is new?"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code datasets_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    const char *committed = hm_json_get_str(args, "committed", "any");
    const char *only = get_arg(args, "only"), *inside = NULL;
    (void)cursor;

    if (only != NULL) { /* said here, before anything is asked, rather than when the list is there */
        struct hm_pattern *pattern = hm_pattern_new(only, false, err);
        if (pattern == NULL)
            return hm_err_wrap(err, "only");
        hm_pattern_free(pattern);
    }
    /* Enum values stand in the text: what their type is called is not known, so they can not be variables. */
    if (hm_streq(committed, "yes"))
        inside = "datasets(committed: ONLY_COMMITTED) { id name committed } " HM_METAPOD_COUNT;
    else if (hm_streq(committed, "no"))
        inside = "datasets(committed: ONLY_UNCOMMITTED) { id name committed }";
    else if (hm_streq(committed, "any"))
        inside = "datasets { id name committed } " HM_METAPOD_COUNT;
    else
        return hm_err_set(err, HM_EINVAL, "committed: it must be yes, no or any, not \"%.40s\"", committed);
    json_t *variables = hm_json_obj_new();
    hm_json_set_str(variables, "transaction", get_arg(args, "transaction"));
    return hm_metapod_ask(backend, "", inside, variables, req, err);
}

/* Is the dataset one of those that were asked for? HM_OK, or why that can not be said. only may be NULL. */
static enum hm_code is_wanted(const json_t *args, const struct hm_pattern *only, const json_t *dataset, bool *ret_wanted,
                              struct hm_err *err)
{
    const char *wanted = hm_json_get_str(args, "committed", "any");
    bool committed = json_is_true(json_object_get(dataset, "committed"));
    *ret_wanted = hm_streq(wanted, "any") || committed == hm_streq(wanted, "yes");
    if (!*ret_wanted || only == NULL)
        return HM_OK;
    return hm_pattern_match(only, hm_json_get_str(dataset, "name", ""), ret_wanted, err);
}

/* Which of the datasets were settled before and are in the list nevertheless, and which were not among those at all: their names,
 * the first of them. settled: [{item: {id}, ok}]. */
static void tell_apart(const json_t *settled, const json_t *list, json_t *result)
{
    enum { UNDONE, FRESH, N };
    static const char *const names[N] = {"undone", "fresh"}, *const counts[N] = {"undone_count", "fresh_count"};
    json_t *found[N] = {hm_json_arr_new(), hm_json_arr_new()}, *known = hm_json_obj_new();
    int64_t n[N] = {0};
    for (size_t i = 0; i < json_array_size(settled); i++) {
        const json_t *one = json_array_get(settled, i);
        hm_json_set_bool(known, hm_json_get_str(hm_json_get_obj(one, "item"), "id", ""), hm_json_get_bool(one, "ok", false));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *dataset = json_array_get(list, i);
        const json_t *ok = json_object_get(known, hm_json_get_str(dataset, "id", ""));
        if (json_is_false(ok))
            continue;
        int which = ok != NULL ? UNDONE : FRESH;
        if (n[which]++ < NAMES_MAX)
            hm_json_add(found[which], hm_json_str_new(hm_json_get_str(dataset, "name", "")));
    }
    for (size_t i = 0; i < N; i++) {
        hm_json_set(result, names[i], found[i]);
        hm_json_set_int(result, counts[i], n[i]);
    }
    json_decref(known);
}

/* What was not asked for is left out, whatever the server made of the filter: the list may be retracted as a whole. */
static enum hm_verdict read_matching(const json_t *args, const struct hm_pattern *only, const json_t *datasets,
                                     struct hm_outcome *out)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(datasets); i++) {
        const json_t *dataset = json_array_get(datasets, i);
        const char *id = hm_json_get_str(dataset, "id", ""), *name = hm_json_get_str(dataset, "name", NULL);
        json_t *committed = json_object_get(dataset, "committed");
        if (!hm_is_uuid(id) || name == NULL || !json_is_boolean(committed)) {
            json_decref(list);
            return odd_answer(out, "a dataset in the list has no id, name or committed");
        }
        bool wanted = false;
        if (is_wanted(args, only, dataset, &wanted, &out->err) != HM_OK) {
            json_decref(list);
            return HM_VERDICT_PERMANENT; /* too hard a pattern: no list rather than half of one */
        }
        if (!wanted)
            continue;
        json_t *item = hm_json_obj_new();
        hm_json_set_str(item, "id", id);
        hm_json_set_str(item, "name", name);
        hm_json_set(item, "committed", json_incref(committed));
        hm_json_add(list, item);
    }
    out->result = hm_json_obj_new();
    hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
    hm_json_set(out->result, "list", list);
    if (hm_json_get_arr(args, "settled") != NULL)
        tell_apart(hm_json_get_arr(args, "settled"), list, out->result);
    return HM_VERDICT_OK;
}

static enum hm_verdict read_list(const json_t *args, const json_t *datasets, struct hm_outcome *out)
{
    const char *text = get_arg(args, "only");
    struct hm_pattern *only = text != NULL ? hm_pattern_new(text, false, &out->err) : NULL;
    if (text != NULL && only == NULL)
        return HM_VERDICT_PERMANENT;
    enum hm_verdict verdict = read_matching(args, only, datasets, out);
    hm_pattern_free(only);
    return verdict;
}

static size_t committed_of(const json_t *datasets)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(datasets); i++)
        n += json_is_true(json_object_get(json_array_get(datasets, i), "committed")) ? 1 : 0;
    return n;
}

static enum hm_verdict datasets_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *data = NULL, *transaction = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_metapod_read(backend, args, answer, &data, &transaction, out);
    if (verdict == HM_VERDICT_OK) {
        json_t *datasets = hm_json_get_arr(transaction, "datasets");
        verdict = datasets == NULL ? odd_answer(out, "the transaction has no list of datasets")
                                   : hm_metapod_check_count(transaction, committed_of(datasets), out);
        if (verdict == HM_VERDICT_OK)
            verdict = read_list(args, datasets, out);
    }
    json_decref(data);
    return verdict;
}

static const struct hm_field_spec listed_fields[] = {
    {"id", HM_FIELD_TEXT, true, "its id", NULL},
    {"name", HM_FIELD_TEXT, true, "its name", NULL},
    {"committed", HM_FIELD_BOOL, true, "whether it is committed", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec datasets_fields[] = {
    {"list", HM_FIELD_LIST, true, "the datasets", listed_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"undone", HM_FIELD_LIST, false, "with `settled`: names of those that were settled well and are in the list nevertheless",
     NULL},
    {"undone_count", HM_FIELD_NUMBER, false, "how many", NULL},
    {"fresh", HM_FIELD_LIST, false, "with `settled`: names of those that were not among them", NULL},
    {"fresh_count", HM_FIELD_NUMBER, false, "how many", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_datasets = {
    .name = "metapod.datasets",
    .title = "List the datasets of a transaction",
    .effect = HM_EFFECT_READ,
    .args = datasets_args,
    .result = datasets_fields,
    .request = datasets_request,
    .response = datasets_response,
};

/* --- metapod.committed-count ---------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec count_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code count_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    json_t *variables = hm_json_obj_new();
    (void)cursor;
    hm_json_set_str(variables, "transaction", get_arg(args, "transaction"));
    return hm_metapod_ask(backend, "", "datasetConnection { numCommittedDatasets }", variables, req, err);
}

static enum hm_verdict count_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *data = NULL, *transaction = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_metapod_read(backend, args, answer, &data, &transaction, out);
    if (verdict == HM_VERDICT_OK) {
        int64_t count = hm_json_get_int(hm_json_get_obj(transaction, "datasetConnection"), "numCommittedDatasets", -1);
        if (count < 0) {
            verdict = odd_answer(out, "numCommittedDatasets is no number");
        } else {
            out->result = hm_json_obj_new();
            hm_json_set_int(out->result, "count", count);
        }
    }
    json_decref(data);
    return verdict;
}

static const struct hm_field_spec committed_count_fields[] = {
    {"count", HM_FIELD_NUMBER, true, "committed datasets", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_committed_count = {
    .name = "metapod.committed-count",
    .title = "Count the committed datasets of a transaction",
    .effect = HM_EFFECT_READ,
    .args = count_args,
    .result = committed_count_fields,
    .request = count_request,
    .response = count_response,
};
