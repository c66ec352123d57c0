/* DynamoDB's DescribeTable and UpdateTable (capacity only). A change is not there at once: the table says UPDATING, with the
 * numbers of before, for some looks.
 *
 * State: {"config": keys (aws.h), and "looks": DescribeTables until a change is there; "tables": [{"name", "read", "write",
 * "mode", "demand": {"read", "write"}, "indexes": [{"name", "read", "write", "demand"}], "updating": {"looks", "index", "read",
 * "write"}, "changes": [{"at", "index", "read", "write"}] (what it had before, for CloudWatch)}]}. */
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

struct dynamodb {
    json_t *state;
};

static void *dynamodb_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"tables", NULL};
    struct dynamodb *db = hm_xcalloc(1, sizeof *db);
    (void)err;
    db->state = hm_kit_state_copy(state, lists);
    return db;
}

static void dynamodb_free(void *system)
{
    struct dynamodb *db = system;
    json_decref(db->state);
    free(db);
}

static json_t *dynamodb_state_new(void *system)
{
    return json_deep_copy(((struct dynamodb *)system)->state);
}

/* ---- answers -------------------------------------------------------------------------------------------------------------- */

static void say(struct hm_world *world, struct hm_world_answer *ans, int status, json_t *stolen_body)
{
    char *date = hm_world_http_date(hm_world_now_ms(world));
    hm_world_answer_json(ans, status, "application/x-amz-json-1.0", stolen_body);
    ans->headers = hm_xasprintf("Date: %s\r\nx-amzn-RequestId: WORLD\r\n", date);
    free(date);
}

static void fail(struct hm_world *world, struct hm_world_answer *ans, const char *prefix, const char *code, const char *message)
{
    json_t *body = hm_json_obj_new();
    char *type = hm_xasprintf("%s#%s", prefix, code);
    hm_json_set_str(body, "__type", type);
    hm_json_set_str(body, "message", message);
    say(world, ans, 400, body);
    free(type);
}

static const char dynamo[] = "com.amazonaws.dynamodb.v20120810", coral[] = "com.amazon.coral.validate";

/* The table, or one of its indexes; NULL when there is none. */
static json_t *part_of(const json_t *table, const char *index)
{
    return index[0] == '\0' ? hm_unconst(table) : hm_kit_find(hm_json_get_arr(table, "indexes"), "name", index);
}

static json_t *throughput_new(const json_t *part)
{
    json_t *throughput = hm_json_obj_new();
    hm_json_set_int(throughput, "NumberOfDecreasesToday", 0);
    hm_json_set_int(throughput, "ReadCapacityUnits", hm_json_get_int(part, "read", 0));
    hm_json_set_int(throughput, "WriteCapacityUnits", hm_json_get_int(part, "write", 0));
    return throughput;
}

static json_t *description_new(const json_t *table)
{
    const json_t *updating = hm_json_get_obj(table, "updating"), *indexes = hm_json_get_arr(table, "indexes");
    json_t *shown = hm_json_obj_new(), *list = hm_json_arr_new();
    hm_json_set_str(shown, "TableName", hm_json_get_str(table, "name", ""));
    hm_json_set_str(shown, "TableStatus", updating != NULL ? "UPDATING" : "ACTIVE");
    hm_json_set(shown, "ProvisionedThroughput", throughput_new(table));
    if (hm_json_get_str(table, "mode", NULL) != NULL) {
        json_t *billing = hm_json_obj_new();
        hm_json_set_str(billing, "BillingMode", hm_json_get_str(table, "mode", ""));
        hm_json_set(shown, "BillingModeSummary", billing);
    }
    for (size_t i = 0; i < json_array_size(indexes); i++) {
        const json_t *index = json_array_get(indexes, i);
        const char *name = hm_json_get_str(index, "name", "");
        json_t *each = hm_json_obj_new();
        hm_json_set_str(each, "IndexName", name);
        hm_json_set_str(each, "IndexStatus",
                        updating != NULL && hm_streq(hm_json_get_str(updating, "index", ""), name) ? "UPDATING" : "ACTIVE");
        hm_json_set(each, "ProvisionedThroughput", throughput_new(index));
        hm_json_add(list, each);
    }
    if (json_array_size(list) > 0)
        hm_json_set(shown, "GlobalSecondaryIndexes", json_incref(list));
    json_decref(list);
    return shown;
}

/* ---- changes -------------------------------------------------------------------------------------------------------------- */

/* One look nearer to the change that is under way. */
static void look(struct hm_world *world, json_t *table)
{
    json_t *updating = hm_json_get_obj(table, "updating");
    int64_t looks = hm_json_get_int(updating, "looks", 0);
    if (updating == NULL)
        return;
    if (looks > 0) {
        hm_json_set_int(updating, "looks", looks - 1);
        return;
    }
    const char *index = hm_json_get_str(updating, "index", "");
    json_t *part = part_of(table, index), *before = hm_json_obj_new();
    hm_json_set_int(before, "at", hm_world_now_ms(world));
    hm_json_set_str(before, "index", index);
    hm_json_set_int(before, "read", hm_json_get_int(part, "read", 0));
    hm_json_set_int(before, "write", hm_json_get_int(part, "write", 0));
    if (hm_json_get_arr(table, "changes") == NULL)
        hm_json_set(table, "changes", hm_json_arr_new());
    hm_json_add(hm_json_get_arr(table, "changes"), before);
    hm_json_set_int(part, "read", hm_json_get_int(updating, "read", 0));
    hm_json_set_int(part, "write", hm_json_get_int(updating, "write", 0));
    (void)json_object_del(table, "updating");
}

/* What the body wants; false when it is not {"TableName", and one of "ProvisionedThroughput" and one "Update" of an index}. */
static bool read_update(const json_t *body, const char **ret_index, const json_t **ret_throughput)
{
    const json_t *updates = hm_json_get_arr(body, "GlobalSecondaryIndexUpdates");
    const json_t *update = hm_json_get_obj(json_array_get(updates, 0), "Update");
    bool of_table = hm_json_get_obj(body, "ProvisionedThroughput") != NULL;
    *ret_index = updates != NULL ? hm_json_get_str(update, "IndexName", "?") : "";
    *ret_throughput = hm_json_get_obj(updates != NULL ? update : body, "ProvisionedThroughput");
    return json_object_size(body) == 2 && of_table == (updates == NULL) && *ret_throughput != NULL &&
           json_object_size(*ret_throughput) == 2 && hm_json_get_int(*ret_throughput, "ReadCapacityUnits", 0) > 0 &&
           hm_json_get_int(*ret_throughput, "WriteCapacityUnits", 0) > 0;
}

static void update(struct dynamodb *db, struct hm_world *world, json_t *table, const json_t *body, struct hm_world_answer *ans)
{
    const char *index = "";
    const json_t *wanted = NULL;
    if (!read_update(body, &index, &wanted)) {
        fail(world, ans, coral, "ValidationException",
             "At least one valid ProvisionedThroughput is required, and nothing else here");
        return;
    }
    json_t *part = part_of(table, index);
    int64_t read = hm_json_get_int(wanted, "ReadCapacityUnits", 0), write = hm_json_get_int(wanted, "WriteCapacityUnits", 0);
    if (part == NULL) {
        fail(world, ans, dynamo, "ResourceNotFoundException", "Requested resource not found");
    } else if (hm_json_get_obj(table, "updating") != NULL) {
        fail(world, ans, dynamo, "ResourceInUseException",
             "Attempt to change a resource which is still in use: Table is being updated");
    } else if (hm_streq(hm_json_get_str(table, "mode", ""), "PAY_PER_REQUEST")) {
        fail(world, ans, coral, "ValidationException",
             "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
             "BillingMode is PAY_PER_REQUEST");
    } else if (read == hm_json_get_int(part, "read", 0) && write == hm_json_get_int(part, "write", 0)) {
        fail(world, ans, coral, "ValidationException",
             "The provisioned throughput for the table will not change. The requested value equals the current value.");
    } else {
        char *what = hm_xasprintf("%s%s%s to %lld/%lld", hm_json_get_str(table, "name", ""), index[0] != '\0' ? "/" : "", index,
                                  (long long)read, (long long)write);
        json_t *updating = hm_json_obj_new(), *answer = hm_json_obj_new();
        hm_json_set_int(updating, "looks", hm_json_get_int(hm_json_get_obj(db->state, "config"), "looks", 2));
        hm_json_set_str(updating, "index", index);
        hm_json_set_int(updating, "read", read);
        hm_json_set_int(updating, "write", write);
        hm_json_set(table, "updating", updating);
        hm_world_count_effect(world, "dynamodb UpdateTable", what, true);
        hm_json_set(answer, "TableDescription", description_new(table));
        say(world, ans, 200, answer);
        free(what);
    }
}

static void perform(struct dynamodb *db, struct hm_world *world, const char *operation, const json_t *body,
                    struct hm_world_answer *ans)
{
    const char *name = hm_json_get_str(body, "TableName", "");
    json_t *table = hm_kit_find(hm_json_get_arr(db->state, "tables"), "name", name);
    if (table == NULL) {
        char *message = hm_xasprintf("Requested resource not found: Table: %s not found", name);
        fail(world, ans, dynamo, "ResourceNotFoundException", message);
        free(message);
    } else if (hm_streq(operation, "UpdateTable")) {
        update(db, world, table, body, ans);
    } else {
        json_t *answer = hm_json_obj_new();
        look(world, table);
        hm_json_set(answer, "Table", description_new(table));
        say(world, ans, 200, answer);
    }
}

static void dynamodb_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    struct dynamodb *db = system;
    const char *problem = hm_world_aws_check(world, hm_json_get_obj(db->state, "config"), "dynamodb", req);
    char *target = hm_header_line(req->headers, "x-amz-target");
    const char *operation = target != NULL && hm_starts_with(target, "DynamoDB_20120810.") ? target + 18 : "";
    json_t *body = hm_json_parse_new(req->body, req->body_len, req->body_len, NULL);
    if (problem != NULL)
        fail(world, ans, "com.amazon.coral.service", "InvalidSignatureException", problem);
    else if (!hm_streq(req->method, "POST") || !hm_streq(req->path, "/") ||
             !hm_streq(req->content_type, "application/x-amz-json-1.0") ||
             (!hm_streq(operation, "DescribeTable") && !hm_streq(operation, "UpdateTable")))
        fail(world, ans, "com.amazon.coral.service", "UnknownOperationException", "");
    else if (!json_is_object(body) || hm_json_get_str(body, "TableName", NULL) == NULL ||
             (hm_streq(operation, "DescribeTable") && json_object_size(body) != 1))
        fail(world, ans, "com.amazon.coral.service", "SerializationException", "the body is not as it should be");
    else
        perform(db, world, operation, body, ans);
    json_decref(body);
    free(target);
}

/* ---- for CloudWatch ------------------------------------------------------------------------------------------------------- */

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : 0;
}

bool hm_world_table_load(struct hm_world *world, const char *table, const char *index, int64_t at_ms, struct hm_world_load *ret)
{
    const struct dynamodb *db = hm_world_system_of(world, "dynamodb");
    const json_t *found = db != NULL ? hm_kit_find(hm_json_get_arr(db->state, "tables"), "name", table) : NULL;
    const json_t *part = found != NULL ? part_of(found, index) : NULL;
    const json_t *changes = hm_json_get_arr(found, "changes"), *demand = hm_json_get_obj(part, "demand");
    if (part == NULL)
        return false;
    *ret = (struct hm_world_load){number(demand, "read"), number(demand, "write"), number(part, "read"), number(part, "write")};
    if (hm_streq(hm_json_get_str(found, "mode", ""), "PAY_PER_REQUEST"))
        ret->read = ret->write = 1e9;
    for (size_t i = json_array_size(changes); i > 0; i--) { /* back in time */
        const json_t *change = json_array_get(changes, i - 1);
        if (hm_json_get_int(change, "at", 0) <= at_ms || !hm_streq(hm_json_get_str(change, "index", ""), index))
            continue;
        ret->read = number(change, "read");
        ret->write = number(change, "write");
    }
    return true;
}

const struct hm_world_system hm_world_dynamodb = {"dynamodb", dynamodb_new, dynamodb_free, dynamodb_state_new, dynamodb_handle};
