/* DynamoDB: what a table or one of its indexes is provisioned with, what it could be raised to, and raising it.
 *
 * Only upwards and at most to twice of what was seen: a mistyped number costs money by the hour, and DynamoDB allows few steps
 * down a day. A table on demand has nothing to raise. What stays as it is must not be sent: DynamoDB refuses it.
 *
 * Raising is HM_EFFECT_IDEMPOTENT: the same values again are refused with "will not change", which is told as done. Its probe
 * looks at the table: the new values, or a change under way (before the gate there was none), is "applied"; the old values of a
 * table that is at rest is "not applied"; any other values are for a person. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/dynamodb.h"

enum { FACTOR = 2, PROBLEM_MAX = 300 };
static const int64_t most_units = 1000000;

/* "table X" or "index Y of table X"; the caller frees. */
static char *thing_new(const json_t *args)
{
    const char *table = hm_json_get_str(args, "table", ""), *index = hm_json_get_str(args, "index", "");
    return index[0] != '\0' ? hm_xasprintf("index %s of table %s", index, table) : hm_xasprintf("table %s", table);
}

static enum hm_code check_names(const json_t *args, struct hm_err *err)
{
    const char *table = hm_json_get_str(args, "table", ""), *index = hm_json_get_str(args, "index", "");
    if (!hm_dynamodb_name_ok(table))
        return hm_err_set(err, HM_EINVAL, "table: \"%.60s\" is no name of a table", table);
    if (index[0] != '\0' && !hm_dynamodb_name_ok(index))
        return hm_err_set(err, HM_EINVAL, "index: \"%.60s\" is no name of an index", index);
    return HM_OK;
}

/* ---- looking -------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec capacity_args[] = {
    {"table", HM_ARG_STRING, true, "the table's name"},
    {"index", HM_ARG_STRING, false, "one of its global secondary indexes; the table itself if not given"},
    {"read", HM_ARG_INT, false, "read units wanted"},
    {"write", HM_ARG_INT, false, "write units wanted"},
    {"raise_read", HM_ARG_BOOL, false, "propose twice the read units, if none are wanted"},
    {"raise_write", HM_ARG_BOOL, false, "propose twice the write units, if none are wanted"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code capacity_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    if (check_names(args, err) != HM_OK)
        return HM_EINVAL;
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "TableName", hm_json_get_str(args, "table", ""));
    hm_dynamodb_begin(req, backend, "DescribeTable", body);
    return HM_OK;
}

/* Why from can not become to, as a sentence's beginning; NULL when it can. */
static const char *objection(int64_t from, int64_t to)
{
    if (from < 1)
        return "it has no provisioned";
    if (to < from)
        return "it would lower the";
    if (to > FACTOR * from)
        return "it would more than double the";
    return to > most_units ? "there are not so many" : NULL;
}

static char *problem_new(const char *mode, const int64_t from[2], const int64_t to[2])
{
    static const char *const kinds[] = {"read", "write"};
    if (!hm_streq(mode, "PROVISIONED"))
        return hm_xasprintf("the table is on demand (%s): there is nothing to raise", mode);
    for (size_t i = 0; i < 2; i++) {
        const char *why = objection(from[i], to[i]);
        if (why != NULL)
            return hm_xasprintf("%s %s units: %lld now, %lld wanted", why, kinds[i], (long long)from[i], (long long)to[i]);
    }
    return NULL;
}

static json_t *capacity_new(const json_t *args, const json_t *table, const json_t *part)
{
    static const char *const keys[] = {"read", "write"};
    static const char *const raise_keys[] = {"raise_read", "raise_write"};
    static const char *const units[] = {"ReadCapacityUnits", "WriteCapacityUnits"};
    const char *mode = hm_json_get_str(hm_json_get_obj(table, "BillingModeSummary"), "BillingMode", "PROVISIONED");
    const char *status = hm_json_get_str(table, "TableStatus", "");
    const json_t *now = hm_json_get_obj(part, "ProvisionedThroughput");
    int64_t from[2], to[2];
    if (part != table && hm_streq(status, "ACTIVE"))
        status = hm_json_get_str(part, "IndexStatus", "?");
    json_t *result = hm_json_obj_new();
    for (size_t i = 0; i < 2; i++) {
        from[i] = hm_json_get_int(now, units[i], 0);
        to[i] = hm_json_get_int(args, keys[i], hm_json_get_bool(args, raise_keys[i], false) ? FACTOR * from[i] : from[i]);
    }
    char *problem = problem_new(mode, from, to);
    hm_json_set_str(result, "table", hm_json_get_str(args, "table", ""));
    hm_json_set_str(result, "index", hm_json_get_str(args, "index", NULL));
    hm_json_set_str(result, "status", status);
    hm_json_set_str(result, "mode", mode);
    hm_json_set_int(result, "read", from[0]);
    hm_json_set_int(result, "write", from[1]);
    hm_json_set_int(result, "to_read", to[0]);
    hm_json_set_int(result, "to_write", to[1]);
    hm_json_set_bool(result, "changed", from[0] != to[0] || from[1] != to[1]);
    hm_json_set_str(result, "problem", problem);
    free(problem);
    return result;
}

static enum hm_verdict capacity_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = thing_new(args);
    const struct hm_http_asked asked = {.backend = backend, .system = "DynamoDB", .thing = thing};
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_dynamodb_read(&asked, answer, &json, out);
    const json_t *table = hm_json_get_obj(json, "Table");
    if (verdict == HM_VERDICT_OK && (!hm_streq(hm_json_get_str(table, "TableName", ""), hm_json_get_str(args, "table", "")) ||
                                     hm_json_get_str(table, "TableStatus", NULL) == NULL))
        verdict = hm_http_odd(&asked, out, "it does not describe that table");
    if (verdict == HM_VERDICT_OK) {
        const json_t *part = hm_dynamodb_part(table, hm_json_get_str(args, "index", ""));
        if (part == NULL)
            verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "DynamoDB has no %s", thing);
        else
            out->result = capacity_new(args, table, part);
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static const struct hm_field_spec capacity_fields[] = {
    {"table", HM_FIELD_TEXT, true, "the table", NULL},
    {"index", HM_FIELD_TEXT, false, "the index", NULL},
    {"status", HM_FIELD_TEXT, true, "DynamoDB's word: ACTIVE, UPDATING …", NULL},
    {"mode", HM_FIELD_TEXT, true, "PROVISIONED or PAY_PER_REQUEST", NULL},
    {"read", HM_FIELD_NUMBER, true, "units a second now", NULL},
    {"write", HM_FIELD_NUMBER, true, "units a second now", NULL},
    {"to_read", HM_FIELD_NUMBER, true, "what is wanted or proposed", NULL},
    {"to_write", HM_FIELD_NUMBER, true, "what is wanted or proposed", NULL},
    {"changed", HM_FIELD_BOOL, true, "whether that is something else", NULL},
    {"problem", HM_FIELD_TEXT, false, "why dynamodb.set-capacity would not do it: on demand, lower, more than twice", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_dynamodb_capacity = {
    .name = "dynamodb.capacity",
    .title = "Look at what a table is provisioned with",
    .effect = HM_EFFECT_READ,
    .args = capacity_args,
    .result = capacity_fields,
    .request = capacity_request,
    .response = capacity_response,
};

/* ---- raising -------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec set_args[] = {
    {"table", HM_ARG_STRING, true, "the table's name"},
    {"index", HM_ARG_STRING, false, "one of its global secondary indexes; the table itself if not given"},
    {"from_read", HM_ARG_INT, true, "read units now, as dynamodb.capacity told"},
    {"from_write", HM_ARG_INT, true, "write units now"},
    {"read", HM_ARG_INT, true, "new read units: not fewer, at most twice"},
    {"write", HM_ARG_INT, true, "new write units: not fewer, at most twice"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code set_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    const int64_t from[2] = {hm_json_get_int(args, "from_read", 0), hm_json_get_int(args, "from_write", 0)};
    const int64_t to[2] = {hm_json_get_int(args, "read", 0), hm_json_get_int(args, "write", 0)};
    const char *index = hm_json_get_str(args, "index", "");
    (void)cursor;
    if (check_names(args, err) != HM_OK)
        return HM_EINVAL;
    char *problem = problem_new("PROVISIONED", from, to);
    if (problem != NULL || (from[0] == to[0] && from[1] == to[1])) {
        (void)hm_err_set(err, HM_EINVAL, "%s", problem != NULL ? problem : "nothing would change; there is nothing to send");
        free(problem);
        return HM_EINVAL;
    }
    json_t *capacity = hm_json_obj_new(), *body = hm_json_obj_new();
    hm_json_set_int(capacity, "ReadCapacityUnits", to[0]);
    hm_json_set_int(capacity, "WriteCapacityUnits", to[1]);
    hm_json_set_str(body, "TableName", hm_json_get_str(args, "table", ""));
    if (index[0] == '\0') {
        hm_json_set(body, "ProvisionedThroughput", capacity);
    } else {
        json_t *update = hm_json_obj_new(), *entry = hm_json_obj_new(), *updates = hm_json_arr_new();
        hm_json_set_str(update, "IndexName", index);
        hm_json_set(update, "ProvisionedThroughput", capacity);
        hm_json_set(entry, "Update", update);
        hm_json_add(updates, entry);
        hm_json_set(body, "GlobalSecondaryIndexUpdates", updates);
    }
    hm_dynamodb_begin(req, backend, "UpdateTable", body);
    return HM_OK;
}

/* The one error that means that it is so already. */
static bool will_not_change(const struct hm_answer *answer)
{
    json_t *body = answer->status == 400 ? hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL) : NULL;
    const char *message = hm_json_get_str(body, "message", hm_json_get_str(body, "Message", ""));
    bool is_so = hm_ends_with(hm_json_get_str(body, "__type", ""), "#ValidationException") &&
                 strstr(message, "will not change. The requested value equals the current value") != NULL;
    json_decref(body);
    return is_so;
}

static enum hm_verdict set_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = thing_new(args);
    const struct hm_http_asked asked = {.backend = backend, .system = "DynamoDB", .thing = thing, .write = true};
    bool already = will_not_change(answer);
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = already ? HM_VERDICT_OK : hm_dynamodb_read(&asked, answer, &json, out);
    const char *status = already ? "ACTIVE" : hm_json_get_str(hm_json_get_obj(json, "TableDescription"), "TableStatus", NULL);
    if (verdict == HM_VERDICT_OK && status == NULL)
        verdict = hm_http_odd(&asked, out, "it describes no table");
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "table", hm_json_get_str(args, "table", ""));
        hm_json_set_str(out->result, "status", status);
        hm_json_set_bool(out->result, "already", already);
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static enum hm_code set_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "table", hm_json_get_str(args, "table", ""));
    if (hm_json_get_str(args, "index", "")[0] != '\0')
        hm_json_set_str(*ret_args, "index", hm_json_get_str(args, "index", ""));
    return HM_OK;
}

static enum hm_probe_says set_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    int64_t read = hm_json_get_int(result, "read", -1), write = hm_json_get_int(result, "write", -1);
    const char *status = hm_json_get_str(result, "status", "");
    if (hm_streq(status, "UPDATING") ||
        (read == hm_json_get_int(args, "read", -2) && write == hm_json_get_int(args, "write", -2)))
        return HM_PROBE_APPLIED;
    if (hm_streq(status, "ACTIVE") && read == hm_json_get_int(args, "from_read", -2) &&
        write == hm_json_get_int(args, "from_write", -2))
        return HM_PROBE_NOT_APPLIED;
    return HM_PROBE_CANNOT_TELL;
}

static const struct hm_field_spec set_capacity_fields[] = {
    {"table", HM_FIELD_TEXT, true, "the table", NULL},
    {"status", HM_FIELD_TEXT, true, "DynamoDB's word: ACTIVE, UPDATING …", NULL},
    {"already", HM_FIELD_BOOL, true, "the table had these values", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_dynamodb_set_capacity = {
    .name = "dynamodb.set-capacity",
    .title = "Raise what a table is provisioned with",
    .doc = "Sends what changes only; refuses to lower, to more than double and to send nothing. Takes minutes: wait with "
           "dynamodb.capacity until status is ACTIVE.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = set_args,
    .result = set_capacity_fields,
    .request = set_request,
    .response = set_response,
    .probe_action = "dynamodb.capacity",
    .probe_args = set_probe_args,
    .probe_judge = set_probe_judge,
};
