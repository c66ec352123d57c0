/* DynamoDB's JSON protocol, and looking at a table.
 *
 * Happy path: POST / with X-Amz-Target → a TableDescription. Failure modes: errors are 400 with {"__type": "…#Code", "message" or
 * "Message"}; hm_dynamodb_read() knows those that mean something else than a refusal.
 *
 * A Datomic table's name has the prototype in it for most services, and for most of those in S0 and Global it has not: the action
 * tries the one name and then the other, as two pages of one read. */
#include "handlers/dynamodb.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { NAME_MAX_LEN = 255, PART_MAX_LEN = 60, MAX_INDEXES = 20, TEXT_MAX_LEN = 8000 };

bool hm_dynamodb_name_ok(const char *name)
{
    return strlen(name) >= 3 && hm_aws_name_ok(name, "_.-", NAME_MAX_LEN);
}

void hm_dynamodb_begin(struct hm_request *req, const struct hm_backend *backend, const char *operation, json_t *stolen_body)
{
    char *target = hm_xasprintf("DynamoDB_20120810.%s", operation);
    hm_request_begin(req, backend, "POST", "/");
    hm_request_add_header(req, "Content-Type", "application/x-amz-json-1.0");
    hm_request_add_header(req, "X-Amz-Target", target);
    req->body = hm_json_text(stolen_body);
    req->body_len = strlen(req->body);
    json_decref(stolen_body);
    free(target);
}

/* "ResourceNotFoundException" of "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException". */
static const char *code_of(const json_t *body)
{
    const char *type = hm_json_get_str(body, "__type", "");
    const char *hash = strrchr(type, '#');
    return hash != NULL ? hash + 1 : type;
}

enum hm_verdict hm_dynamodb_read(const struct hm_http_asked *asked, const struct hm_answer *answer, json_t **ret_json,
                                 struct hm_outcome *out)
{
    *ret_json = NULL;
    if (answer->status >= 200 && answer->status < 300)
        return hm_http_read_json(asked, answer, ret_json, out);
    json_t *body = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const char *code = code_of(body);
    const char *message = hm_json_get_str(body, "message", hm_json_get_str(body, "Message", ""));
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (hm_streq(code, "ResourceNotFoundException"))
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "DynamoDB has no %s", asked->thing);
    else if (hm_streq(code, "ResourceInUseException"))
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "%s is being changed already; nothing was done", asked->thing);
    else
        verdict = hm_aws_judge(asked, answer, code, message, out);
    json_decref(body);
    return verdict;
}

const json_t *hm_dynamodb_part(const json_t *table, const char *index)
{
    const json_t *all = hm_json_get_arr(table, "GlobalSecondaryIndexes");
    if (index[0] == '\0')
        return table;
    for (size_t i = 0; i < json_array_size(all); i++)
        if (hm_streq(hm_json_get_str(json_array_get(all, i), "IndexName", ""), index))
            return json_array_get(all, i);
    return NULL;
}

/* ---- a table -------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec table_args[] = {
    {"name", HM_ARG_STRING, false, "the table's name; or the next three, for a Datomic database's"},
    {"env", HM_ARG_STRING, false, "like prod"},
    {"prototype", HM_ARG_STRING, false, "like s3; the name without it is tried too"},
    {"service", HM_ARG_STRING, false, "like analytics"},
    {NULL, HM_ARG_STRING, false, NULL},
};
static const char *const table_ways[] = {"name", "env+service", NULL};
static const struct hm_arg_choice table_choice = {table_ways, HM_CHOOSE_ANY};

/* The name that is tried at this page; the caller frees. NULL with err set. */
static char *table_name_new(const json_t *args, const json_t *cursor, struct hm_err *err)
{
    static const char *const parts[] = {"env", "prototype", "service"};
    const char *name = hm_json_get_str(args, "name", "");
    const char *values[HM_ARRAY_LEN(parts)];
    for (size_t i = 0; i < HM_ARRAY_LEN(parts); i++) {
        values[i] = hm_json_get_str(args, parts[i], "");
        bool needed = name[0] == '\0' && i != 1;
        if ((needed || values[i][0] != '\0') && !hm_aws_name_ok(values[i], "-", PART_MAX_LEN)) {
            (void)hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" can not be a part of a table's name (letters, digits and dashes)",
                             parts[i], values[i]);
            return NULL;
        }
    }
    if (name[0] != '\0' && !hm_dynamodb_name_ok(name)) {
        (void)hm_err_set(err, HM_EINVAL, "name: \"%.60s\" is no name of a table", name);
        return NULL;
    }
    if (name[0] != '\0')
        return hm_xstrdup(name);
    if (values[1][0] == '\0' || hm_json_get_bool(cursor, "without_prototype", false))
        return hm_xasprintf("%s-%s-datomic", values[0], values[2]);
    return hm_xasprintf("%s-%s-%s-datomic", values[0], values[1], values[2]);
}

static enum hm_code table_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    char *name = table_name_new(args, cursor, err);
    if (name == NULL)
        return HM_EINVAL;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "TableName", name);
    hm_dynamodb_begin(req, backend, "DescribeTable", body);
    free(name);
    return HM_OK;
}

static void set_capacity(json_t *result, const json_t *part)
{
    const json_t *capacity = hm_json_get_obj(part, "ProvisionedThroughput");
    hm_json_set_int(result, "read", hm_json_get_int(capacity, "ReadCapacityUnits", 0));
    hm_json_set_int(result, "write", hm_json_get_int(capacity, "WriteCapacityUnits", 0));
}

static json_t *indexes_new(const json_t *table, json_t *names, struct hm_strbuf *text)
{
    json_t *list = hm_json_arr_new();
    const json_t *given = hm_json_get_arr(table, "GlobalSecondaryIndexes");
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_t *index = hm_json_obj_new();
        const char *name = hm_json_get_str(json_array_get(given, i), "IndexName", "?");
        hm_json_set_str(index, "name", name);
        hm_json_set_str(index, "status", hm_json_get_str(json_array_get(given, i), "IndexStatus", "?"));
        set_capacity(index, json_array_get(given, i));
        hm_strbuf_addf(text, "\nindex %s: %lld read, %lld write", name, (long long)hm_json_get_int(index, "read", 0),
                       (long long)hm_json_get_int(index, "write", 0));
        hm_json_add(names, hm_json_str_new(name));
        hm_json_add(list, index);
    }
    return list;
}

/* NULL when the description lacks what every table has, or has more indexes than are looked at: one that is left out could be
 * the one that is throttled. */
static json_t *table_new(const struct hm_answer *answer, const json_t *table)
{
    const char *name = hm_json_get_str(table, "TableName", NULL);
    const char *status = hm_json_get_str(table, "TableStatus", NULL);
    const json_t *billing = hm_json_get_obj(table, "BillingModeSummary");
    if (name == NULL || status == NULL || json_array_size(hm_json_get_arr(table, "GlobalSecondaryIndexes")) > MAX_INDEXES)
        return NULL;
    char *date = hm_answer_header(answer, "Date");
    char *at = hm_aws_time(date);
    json_t *result = hm_json_obj_new(), *names = hm_json_arr_new();
    struct hm_strbuf text;
    hm_strbuf_init(&text, TEXT_MAX_LEN);
    hm_json_set_str(result, "name", name);
    hm_json_set_str(result, "status", status);
    hm_json_set_str(result, "mode", hm_json_get_str(billing, "BillingMode", "PROVISIONED"));
    set_capacity(result, table);
    hm_strbuf_addf(&text, "table: %lld read, %lld write", (long long)hm_json_get_int(result, "read", 0),
                   (long long)hm_json_get_int(result, "write", 0));
    hm_json_set(result, "indexes", indexes_new(table, names, &text));
    hm_json_set(result, "index_names", names);
    hm_json_set_str(result, "text", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    hm_json_set_str(result, "at", at);
    free(at);
    free(date);
    return result;
}

static enum hm_verdict next_name(const json_t *args, const json_t *cursor, enum hm_verdict verdict, struct hm_outcome *out)
{
    const char *prototype = hm_json_get_str(args, "prototype", "");
    const char *env = hm_json_get_str(args, "env", ""), *service = hm_json_get_str(args, "service", "");
    if (hm_json_get_str(args, "name", "")[0] != '\0' || prototype[0] == '\0')
        return verdict;
    if (hm_json_get_bool(cursor, "without_prototype", false))
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "DynamoDB has neither table %s-%s-%s-datomic nor %s-%s-datomic", env,
                               prototype, service, env, service);
    hm_err_clear(&out->err);
    out->cursor = hm_json_obj_new();
    hm_json_set_bool(out->cursor, "without_prototype", true);
    return HM_VERDICT_MORE;
}

static enum hm_verdict table_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    char *name = table_name_new(args, cursor, NULL);
    char *thing = hm_xasprintf("table %s", name != NULL ? name : "?");
    const struct hm_http_asked asked = {.backend = backend, .system = "DynamoDB", .thing = thing};
    json_t *json = NULL;
    enum hm_verdict verdict = hm_dynamodb_read(&asked, answer, &json, out);
    if (verdict == HM_VERDICT_NOT_FOUND)
        verdict = next_name(args, cursor, verdict, out);
    else if (verdict == HM_VERDICT_OK) {
        out->result = table_new(answer, hm_json_get_obj(json, "Table"));
        if (out->result == NULL)
            verdict = hm_http_odd(&asked, out, "it describes no table, or one with more than 20 indexes");
        else if (!hm_streq(hm_json_get_str(out->result, "name", ""), name)) {
            json_decref(out->result);
            out->result = NULL;
            verdict = hm_http_odd(&asked, out, "it describes another table");
        }
    }
    json_decref(json);
    free(thing);
    free(name);
    return verdict;
}

static const struct hm_field_spec index_fields[] = {
    {"name", HM_FIELD_TEXT, true, "the index", NULL},
    {"status", HM_FIELD_TEXT, true, "DynamoDB's word: ACTIVE, UPDATING …", NULL},
    {"read", HM_FIELD_NUMBER, true, "units a second", NULL},
    {"write", HM_FIELD_NUMBER, true, "units a second", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec table_fields[] = {
    {"name", HM_FIELD_TEXT, true, "the table", NULL},
    {"status", HM_FIELD_TEXT, true, "DynamoDB's word: ACTIVE, UPDATING …", NULL},
    {"mode", HM_FIELD_TEXT, true, "PROVISIONED or PAY_PER_REQUEST", NULL},
    {"read", HM_FIELD_NUMBER, true, "provisioned units a second", NULL},
    {"write", HM_FIELD_NUMBER, true, "provisioned units a second", NULL},
    {"indexes", HM_FIELD_LIST, true, "its global indexes", index_fields},
    {"index_names", HM_FIELD_LIST, true, "their names", NULL},
    {"text", HM_FIELD_TEXT, true, "tells the same", NULL},
    {"at", HM_FIELD_TEXT, false, "the server's time", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_dynamodb_table = {
    .name = "dynamodb.table",
    .title = "Look at a table",
    .doc = "With env and service the table is ENV-PROTOTYPE-SERVICE-datomic, or the same without the prototype.",
    .effect = HM_EFFECT_READ,
    .args = table_args,
    .choice = &table_choice,
    .result = table_fields,
    .request = table_request,
    .response = table_response,
};

/* ---- the handler ---------------------------------------------------------------------------------------------------------- */

static const struct hm_action *const actions[] = {
    &hm_dynamodb_table,
    &hm_dynamodb_capacity,
    &hm_dynamodb_set_capacity,
    NULL,
};
static const char *const settings[] = {NULL};

const struct hm_handler hm_dynamodb_handler = {
    .name = "dynamodb",
    .title = "Amazon DynamoDB: tables and their capacity",
    .actions = actions,
    .settings = settings,
};
