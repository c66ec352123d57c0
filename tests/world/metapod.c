/* Metapod: transactions of datasets, as its GraphQL API shows them, and the migrations that retract parts of them.
 *
 * Nobody outside has its schema; this one has what the cookbook's queries use, and refuses everything else. Retracting a
 * committed dataset leaves it in its transaction, without path, format and schema. Repeating a retraction changes nothing and is
 * answered the same.
 *
 * State: {"config": {"bearer": text or null, "direct_query": bool, "id_type": "String!", "strict_status": bool},
 *         "transactions": [{"id", "startedAt", "datasets": [{"id", "name", "committed", "path", "format", "attributes":
 * [{"id","name"}], "indexed": [{"id","name"}]}], "generate": {"count", "prefix", "committed"}}]}. An attribute may be written as
 * its bare name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "graphql.h"
#include "house.h"
#include "world.h"

struct metapod {
    json_t *config;
    json_t *transactions; /* id → transaction object, in the order given */
    json_t *datasets;     /* id → dataset object, shared with its transaction */
    json_t *attributes;   /* id → its dataset; stays when the attribute is gone */
    json_t *indexed;
    struct hm_gql_schema schema;
    struct hm_gql_type *types;
    struct hm_gql_field *query_fields;
    struct hm_gql_arg transaction_args[2], dataset_args[2];
};

/* --- loading ------------------------------------------------------------------------------------------------------------ */

/* The same text gives the same id on every machine. */
static char *make_uuid(const char *text)
{
    char hex[HM_SHA256_HEX];
    hm_sha256_hex(text, strlen(text), hex);
    return hm_xasprintf("%.8s-%.4s-5%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
}

static char *lower(const char *s)
{
    char *copy = hm_xstrdup(s);
    for (char *p = copy; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* Names become {"id", "name"}; every id is put into `index`. */
static void load_attributes(json_t *dataset, const char *key, json_t *index)
{
    const char *dataset_id = hm_json_get_str(dataset, "id", "");
    json_t *list = hm_json_get_arr(dataset, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *attribute = json_array_get(list, i);
        if (json_is_string(attribute)) {
            json_t *object = hm_json_obj_new();
            hm_json_set_str(object, "name", json_string_value(attribute));
            (void)json_array_set_new(list, i, object);
            attribute = object;
        }
        if (hm_json_get_str(attribute, "id", NULL) == NULL) {
            char *seed = hm_xasprintf("%s %s %zu", dataset_id, key, i);
            char *id = make_uuid(seed);
            hm_json_set_str(attribute, "id", id);
            free(id);
            free(seed);
        }
        hm_json_set(index, hm_json_get_str(attribute, "id", ""), json_incref(dataset));
    }
}

static enum hm_code load_dataset(struct metapod *m, json_t *dataset, struct hm_err *err)
{
    const char *id = hm_json_get_str(dataset, "id", NULL);
    const char *name = hm_json_get_str(dataset, "name", NULL);
    if (id == NULL || name == NULL || !hm_is_uuid(id))
        return hm_err_set(err, HM_EINVAL, "every dataset needs a name and an id that is a UUID (\"%s\", \"%s\")",
                          name != NULL ? name : "", id != NULL ? id : "");
    if (json_object_get(m->datasets, id) != NULL)
        return hm_err_set(err, HM_EINVAL, "dataset %s is there twice", id);
    load_attributes(dataset, "attributes", m->attributes);
    load_attributes(dataset, "indexed", m->indexed);
    if (hm_json_get_bool(dataset, "committed", false) && json_object_get(dataset, "path") == NULL) {
        char *path = hm_xasprintf("s3://nu-spark-metapod/%s", id);
        hm_json_set_str(dataset, "path", path);
        hm_json_set_str(dataset, "format", hm_json_get_str(dataset, "format", "PARQUET"));
        free(path);
    }
    hm_json_set(m->datasets, id, json_incref(dataset));
    return HM_OK;
}

static void generate(json_t *transaction)
{
    static const char *const things[] = {"accounts",     "bill-payments", "card-events", "customers",
                                         "fraud-scores", "limits",        "prospects"};
    json_t *recipe = hm_json_get_obj(transaction, "generate");
    json_t *datasets = hm_json_get_arr(transaction, "datasets");
    int64_t count = hm_json_get_int(recipe, "count", 0);
    for (int64_t i = 0; i < count; i++) {
        char *name = hm_xasprintf("%s%s-%04lld", hm_json_get_str(recipe, "prefix", "dataset/"),
                                  things[(size_t)i % HM_ARRAY_LEN(things)], (long long)i + 1);
        char *seed = hm_xasprintf("%s %s", hm_json_get_str(transaction, "id", ""), name);
        char *id = make_uuid(seed);
        json_t *dataset = hm_json_obj_new();
        json_t *attributes = hm_json_arr_new();
        hm_json_add(attributes, hm_json_str_new("id"));
        hm_json_add(attributes, hm_json_str_new("updated-at"));
        hm_json_set_str(dataset, "id", id);
        hm_json_set_str(dataset, "name", name);
        hm_json_set_bool(dataset, "committed", hm_json_get_bool(recipe, "committed", true));
        hm_json_set(dataset, "attributes", attributes);
        hm_json_add(datasets, dataset);
        free(id);
        free(seed);
        free(name);
    }
    (void)json_object_del(transaction, "generate");
}

static enum hm_code load_transaction(struct metapod *m, const json_t *given, struct hm_err *err)
{
    json_t *transaction = json_deep_copy(given);
    const char *id = hm_json_get_str(transaction, "id", "");
    json_t *datasets = NULL;
    enum hm_code code = HM_OK;

    if (!hm_is_uuid(id) || json_object_get(m->transactions, id) != NULL) {
        code = hm_err_set(err, HM_EINVAL, "transaction \"%s\": the id is no UUID, or there twice", id);
        goto out;
    }
    hm_json_set(m->transactions, id, json_incref(transaction));
    if (hm_json_get_arr(transaction, "datasets") == NULL)
        hm_json_set(transaction, "datasets", hm_json_arr_new());
    generate(transaction);
    datasets = hm_json_get_arr(transaction, "datasets");
    for (size_t i = 0; code == HM_OK && i < json_array_size(datasets); i++)
        code = load_dataset(m, json_array_get(datasets, i), err);
    if (code != HM_OK)
        code = hm_err_wrap(err, "transaction %s", id);
out:
    json_decref(transaction);
    return code;
}

/* --- GraphQL ------------------------------------------------------------------------------------------------------------ */

static json_t *resolve_transaction(void *arg, json_t *parent, const json_t *args)
{
    const struct metapod *m = arg;
    (void)parent;
    char *id = lower(hm_json_get_str(args, "transactionId", ""));
    json_t *transaction = json_incref(json_object_get(m->transactions, id));
    free(id);
    return transaction;
}

static json_t *resolve_dataset(void *arg, json_t *parent, const json_t *args)
{
    const struct metapod *m = arg;
    (void)parent;
    char *id = lower(hm_json_get_str(args, "id", ""));
    json_t *dataset = json_incref(json_object_get(m->datasets, id));
    free(id);
    return dataset;
}

static bool wanted(const json_t *dataset, const json_t *names, const char *committed)
{
    if (committed != NULL && hm_json_get_bool(dataset, "committed", false) != hm_streq(committed, "ONLY_COMMITTED"))
        return false;
    if (!json_is_array(names))
        return true;
    for (size_t i = 0; i < json_array_size(names); i++)
        if (hm_streq(json_string_value(json_array_get(names, i)), hm_json_get_str(dataset, "name", "")))
            return true;
    return false;
}

static json_t *resolve_datasets(void *arg, json_t *parent, const json_t *args)
{
    const json_t *all = hm_json_get_arr(parent, "datasets");
    json_t *list = hm_json_arr_new();
    (void)arg;
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *dataset = json_array_get(all, i);
        if (wanted(dataset, json_object_get(args, "datasetNames"), hm_json_get_str(args, "committed", NULL)))
            hm_json_add(list, json_incref(dataset));
    }
    return list;
}

/* The connection's fields look at the transaction itself. */
static json_t *resolve_self(void *arg, json_t *parent, const json_t *args)
{
    (void)arg;
    (void)args;
    return json_incref(parent);
}

static json_t *resolve_num_committed(void *arg, json_t *parent, const json_t *args)
{
    const json_t *all = hm_json_get_arr(parent, "datasets");
    json_int_t n = 0;
    (void)arg;
    (void)args;
    for (size_t i = 0; i < json_array_size(all); i++)
        n += hm_json_get_bool(json_array_get(all, i), "committed", false) ? 1 : 0;
    return json_integer(n);
}

static json_t *resolve_num(void *arg, json_t *parent, const json_t *args)
{
    (void)arg;
    (void)args;
    return json_integer((json_int_t)json_array_size(hm_json_get_arr(parent, "datasets")));
}

static json_t *resolve_committed(void *arg, json_t *parent, const json_t *args)
{
    (void)arg;
    (void)args;
    return json_boolean(hm_json_get_bool(parent, "committed", false));
}

/* Only a committed dataset has one. */
static json_t *resolve_schema(void *arg, json_t *parent, const json_t *args)
{
    (void)arg;
    (void)args;
    bool has = hm_json_get_bool(parent, "committed", false) && hm_json_get_arr(parent, "attributes") != NULL;
    return has ? json_incref(parent) : NULL;
}

static const char *const committed_values[] = {"ONLY_COMMITTED", "ONLY_UNCOMMITTED", NULL};
static const struct hm_gql_arg datasets_args[] = {{"datasetNames", "[String!]"}, {"committed", "CommittedFilter"}, {NULL, NULL}};
static const struct hm_gql_field transaction_fields[] = {
    {"id", "ID!", NULL, NULL},
    {"startedAt", "String", NULL, NULL},
    {"committedAt", "String", NULL, NULL},
    {"datasets", "[Dataset!]!", datasets_args, resolve_datasets},
    {"datasetConnection", "DatasetConnection!", NULL, resolve_self},
    {NULL, NULL, NULL, NULL},
};
static const struct hm_gql_field connection_fields[] = {
    {"numCommittedDatasets", "Int!", NULL, resolve_num_committed},
    {"numDatasets", "Int!", NULL, resolve_num},
    {NULL, NULL, NULL, NULL},
};
static const struct hm_gql_field dataset_fields[] = {
    {"id", "ID!", NULL, NULL},      {"name", "String!", NULL, NULL},  {"committed", "Boolean!", NULL, resolve_committed},
    {"path", "String", NULL, NULL}, {"format", "String", NULL, NULL}, {"schema", "Schema", NULL, resolve_schema},
    {NULL, NULL, NULL, NULL},
};
static const struct hm_gql_field schema_fields[] = {
    {"attributes", "[Attribute!]!", NULL, NULL},
    {NULL, NULL, NULL, NULL},
};
static const struct hm_gql_field attribute_fields[] = {
    {"id", "ID!", NULL, NULL},
    {"name", "String!", NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

/* The schema depends on the configuration: the type of an id, and whether a dataset can be asked for directly. */
static void make_schema(struct metapod *m)
{
    const char *id_type = hm_json_get_str(m->config, "id_type", "String!");
    size_t n = 0;

    m->transaction_args[0] = (struct hm_gql_arg){"transactionId", id_type};
    m->dataset_args[0] = (struct hm_gql_arg){"id", id_type};
    m->query_fields = hm_xcalloc(3, sizeof(*m->query_fields));
    m->query_fields[n++] = (struct hm_gql_field){"transaction", "Transaction", m->transaction_args, resolve_transaction};
    if (hm_json_get_bool(m->config, "direct_query", false))
        m->query_fields[n++] = (struct hm_gql_field){"dataset", "Dataset", m->dataset_args, resolve_dataset};

    const struct hm_gql_type types[] = {
        {"Query", m->query_fields, NULL},
        {"Transaction", transaction_fields, NULL},
        {"DatasetConnection", connection_fields, NULL},
        {"Dataset", dataset_fields, NULL},
        {"Schema", schema_fields, NULL},
        {"Attribute", attribute_fields, NULL},
        {"CommittedFilter", NULL, committed_values},
        {NULL, NULL, NULL},
    };
    m->types = hm_xmemdup(types, sizeof(types));
    m->schema.types = m->types;
    m->schema.query = "Query";
}

static void answer_graphql(struct hm_world_answer *ans, int status, const char *type, const char *message)
{
    json_t *errors = hm_json_arr_new(), *error = hm_json_obj_new(), *body = hm_json_obj_new();
    hm_json_set_str(error, "message", message);
    hm_json_add(errors, error);
    hm_json_set(body, "errors", errors);
    hm_world_answer_json(ans, status, type, body);
}

static void graphql(struct metapod *m, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char new_type[] = "application/graphql-response+json";
    struct hm_err err = {0};
    bool ran = false;
    bool modern = strcasestr(req->accept, new_type) != NULL;
    const char *type = modern ? "application/graphql-response+json; charset=utf-8" : "application/json; charset=utf-8";

    if (!hm_streq(req->method, "POST")) {
        hm_world_answer_text(ans, 405, "GraphQL is asked with POST.\n");
        return;
    }
    if (strncasecmp(req->content_type, "application/json", strlen("application/json")) != 0) {
        answer_graphql(ans, 415, type, "Content-Type must be application/json.");
        return;
    }
    json_t *body = hm_json_parse_new(req->body, req->body_len, 1000000, &err);
    const char *query = hm_json_get_str(body, "query", NULL);
    json_t *vars = json_object_get(body, "variables");
    if (query == NULL || !(vars == NULL || json_is_null(vars) || json_is_object(vars))) {
        answer_graphql(ans, 400, type, body == NULL ? err.msg : "The body must be {\"query\": text, \"variables\": object}.");
    } else {
        struct hm_gql_request gql = {.query = query,
                                     .query_len = strlen(query),
                                     .operation = hm_json_get_str(body, "operationName", NULL),
                                     .variables = json_is_object(vars) ? vars : NULL};
        json_t *answer = hm_graphql_answer_new(&m->schema, &gql, m, &ran);
        /* An invalid query is 400 to who asks for the newer type, and to everybody with old servers; else 200 (GraphQL over
         * HTTP). */
        bool refuse = !ran && (modern || hm_json_get_bool(m->config, "strict_status", false));
        hm_world_answer_json(ans, refuse ? 400 : 200, type, answer);
    }
    json_decref(body);
}

/* --- retractions -------------------------------------------------------------------------------------------------------- */

static bool retract_committed(struct metapod *m, const char *id, bool *ret_changed)
{
    json_t *dataset = json_object_get(m->datasets, id);
    if (dataset == NULL)
        return false;
    *ret_changed = hm_json_get_bool(dataset, "committed", false);
    hm_json_set_bool(dataset, "committed", false);
    (void)json_object_del(dataset, "path");
    (void)json_object_del(dataset, "format");
    (void)json_object_del(dataset, "attributes");
    return true;
}

/* A dataset that somebody appended to a series by hand. */
static bool retract_series(struct metapod *m, const char *id, bool *ret_changed)
{
    json_t *dataset = json_object_get(m->datasets, id);
    if (dataset == NULL || !hm_starts_with(hm_json_get_str(dataset, "name", ""), "series/"))
        return false;
    return retract_committed(m, id, ret_changed);
}

static bool retract_from(json_t *index, const char *key, const char *id, bool *ret_changed)
{
    json_t *dataset = json_object_get(index, id);
    if (dataset == NULL)
        return false;
    json_t *list = hm_json_get_arr(dataset, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!hm_streq(hm_json_get_str(json_array_get(list, i), "id", ""), id))
            continue;
        (void)json_array_remove(list, i);
        *ret_changed = true;
        break;
    }
    return true;
}

static bool retract_attribute(struct metapod *m, const char *id, bool *ret_changed)
{
    return retract_from(m->attributes, "attributes", id, ret_changed);
}

static bool retract_indexed(struct metapod *m, const char *id, bool *ret_changed)
{
    return retract_from(m->indexed, "indexed", id, ret_changed);
}

static const struct {
    const char *path;
    bool (*retract)(struct metapod *m, const char *id, bool *ret_changed);
} retractions[] = {
    {"committed-dataset", retract_committed},
    {"attribute", retract_attribute},
    {"indexed-attribute", retract_indexed},
    {"dataset-series/dataset", retract_series},
};

/* rest: the path after /api/migrations/retract/ */
static void retract(struct metapod *m, struct hm_world *world, const struct hm_world_request *req, const char *rest,
                    struct hm_world_answer *ans)
{
    const char *slash = strrchr(rest, '/');
    size_t len = slash != NULL ? (size_t)(slash - rest) : strlen(rest);
    size_t i = 0;

    while (i < HM_ARRAY_LEN(retractions) && (strlen(retractions[i].path) != len || strncmp(retractions[i].path, rest, len) != 0))
        i++;
    if (i == HM_ARRAY_LEN(retractions) || slash == NULL) {
        hm_world_answer_text(ans, 404, "No migration is called %s.\n", rest);
    } else if (!hm_streq(req->method, "POST")) {
        hm_world_answer_text(ans, 405, "Migrations are run with POST.\n");
    } else if (!hm_is_uuid(slash + 1)) {
        hm_world_answer_text(ans, 400, "\"%s\" is no UUID.\n", slash + 1);
    } else if (req->body_len > 0) {
        hm_world_answer_text(ans, 400, "The body must be empty.\n");
    } else {
        bool changed = false;
        char *id = lower(slash + 1);
        char *endpoint = hm_xasprintf("metapod retract/%s", retractions[i].path);
        if (retractions[i].retract(m, id, &changed)) {
            hm_world_count_effect(world, endpoint, id, changed);
            hm_world_answer_json(ans, 200, "application/json", hm_json_obj_new());
        } else {
            hm_world_answer_text(ans, 404, "There is no such thing as %s %s.\n", retractions[i].path, id);
        }
        free(endpoint);
        free(id);
    }
}

/* --- what the house does to it ------------------------------------------------------------------------------------------- */

const char *hm_house_commit(struct hm_world *world, const char *transaction, const char *id, const char *name, const char *format,
                            const char *path)
{
    const struct metapod *m = hm_world_system_of(world, "metapod");
    const json_t *list = hm_json_get_arr(json_object_get(m->transactions, transaction), "datasets");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *dataset = json_array_get(list, i);
        if (!hm_streq(hm_json_get_str(dataset, id != NULL ? "id" : "name", ""), id != NULL ? id : name))
            continue;
        if (hm_json_get_bool(dataset, "committed", false))
            return "the dataset is committed already";
        char *usual = hm_xasprintf("s3://nu-spark-metapod/%s", hm_json_get_str(dataset, "id", ""));
        hm_json_set_bool(dataset, "committed", true);
        hm_json_set_str(dataset, "format", format);
        hm_json_set_str(dataset, "path", path != NULL ? path : usual);
        hm_json_set(dataset, "attributes", hm_json_arr_new());
        free(usual);
        return NULL;
    }
    return "the transaction has no such dataset";
}

/* --- the system --------------------------------------------------------------------------------------------------------- */

static void metapod_free(void *system)
{
    struct metapod *m = system;
    json_decref(m->config);
    json_decref(m->transactions);
    json_decref(m->datasets);
    json_decref(m->attributes);
    json_decref(m->indexed);
    free(m->query_fields);
    free(m->types);
    free(m);
}

static void *metapod_new(const json_t *state, struct hm_err *err)
{
    struct metapod *m = hm_xcalloc(1, sizeof(*m));
    json_t *config = hm_json_get_obj(state, "config");
    json_t *transactions = hm_json_get_arr(state, "transactions");

    m->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    m->transactions = hm_json_obj_new();
    m->datasets = hm_json_obj_new();
    m->attributes = hm_json_obj_new();
    m->indexed = hm_json_obj_new();
    make_schema(m);
    for (size_t i = 0; i < json_array_size(transactions); i++) {
        if (load_transaction(m, json_array_get(transactions, i), err) == HM_OK)
            continue;
        metapod_free(m);
        return NULL;
    }
    return m;
}

static json_t *metapod_state_new(void *system)
{
    const struct metapod *m = system;
    const char *id;
    json_t *transaction;
    json_t *list = hm_json_arr_new(), *state = hm_json_obj_new();
    json_object_foreach(m->transactions, id, transaction) hm_json_add(list, json_deep_copy(transaction));
    hm_json_set(state, "config", json_deep_copy(m->config));
    hm_json_set(state, "transactions", list);
    return state;
}

static bool authorized(const struct metapod *m, const char *authorization)
{
    const char *bearer = hm_json_get_str(m->config, "bearer", NULL);
    return bearer == NULL || (strncasecmp(authorization, "Bearer ", 7) == 0 && strcmp(authorization + 7, bearer) == 0);
}

static void metapod_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char migrations[] = "/api/migrations/retract/";
    struct metapod *m = system;

    if (!authorized(m, req->authorization)) {
        hm_world_answer_text(ans, 401, "Who are you?\n");
        ans->headers = hm_xstrdup("WWW-Authenticate: Bearer\r\n");
    } else if (hm_streq(req->path, "/api/graphql")) {
        graphql(m, req, ans);
    } else if (hm_starts_with(req->path, migrations)) {
        retract(m, world, req, req->path + strlen(migrations), ans);
    } else {
        hm_world_answer_text(ans, 404, "Metapod has nothing at %s.\n", req->path);
    }
}

const struct hm_world_system hm_world_metapod = {
    .name = "metapod",
    .new = metapod_new,
    .free = metapod_free,
    .state_new = metapod_state_new,
    .handle = metapod_handle,
};
