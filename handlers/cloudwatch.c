/* CloudWatch's query protocol: GetMetricData in a form, XML out, pages by NextToken.
 *
 * Happy path: four metrics for the table and for each index (its own numbers never hold those of its indexes): throttled and
 * consumed, reads and writes; all in one request. The window hangs on a moment that is given (`at`, an AWS server's own time as
 * dynamodb.table tells it), because an action has no clock; it may reach into the future, then CloudWatch gives what there is so
 * far. Failure modes: hm_aws_read_xml()'s; metrics that are forbidden or came in part. No datapoint of a throttle metric means
 * that nothing was throttled, if there are datapoints of consumption: `known` tells. */
#include "handlers/cloudwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/aws.h"
#include "handlers/http_request.h"
#include "handlers/value.h"

enum {
    MAX_INDEXES = 20,
    MAX_MINUTES = 24 * 60,
    DEFAULT_BEFORE = 60,
    DEFAULT_PERIOD = 300,
    MAX_POINTS = 100000,
    PAGES_MAX = 200,
    NAME_MAX_LEN = 255,
    LINE_MAX_LEN = 300
};

static const struct {
    const char *letter; /* of the query's id, before the number of the table (0) or index */
    const char *metric;
} metrics[] = {
    {"r", "ReadThrottleEvents"},
    {"w", "WriteThrottleEvents"},
    {"x", "ConsumedReadCapacityUnits"},
    {"y", "ConsumedWriteCapacityUnits"},
};
enum { READ_THROTTLED, WRITE_THROTTLED, READ_USED, WRITE_USED, N_METRICS };

static const struct hm_arg_spec load_args[] = {
    {"table", HM_ARG_STRING, true, "the table's name"},
    {"indexes", HM_ARG_LIST, false, "names of its global secondary indexes, to be looked at too"},
    {"index", HM_ARG_STRING, false, "this index alone, and not the table"},
    {"at", HM_ARG_STRING, true, "the moment to look around, like 2026-11-22T14:37:59Z (dynamodb.table tells one)"},
    {"before", HM_ARG_INT, false, "minutes before it; 60 if not given"},
    {"after", HM_ARG_INT, false, "minutes after it; 0 if not given"},
    {"period", HM_ARG_INT, false, "seconds of one datapoint: 60, 300 (if not given) or 3600"},
    {NULL, HM_ARG_STRING, false, NULL},
};
static const char *const load_ways[] = {"index", "indexes", NULL};
static const struct hm_arg_choice load_choice = {load_ways, HM_CHOOSE_ONE_OR_NONE};

/* "" is the table itself. */
static const char *index_name(const json_t *args, size_t part)
{
    if (part == 0)
        return hm_json_get_str(args, "index", "");
    const char *name = json_string_value(json_array_get(hm_json_get_arr(args, "indexes"), part - 1));
    return name != NULL ? name : "?";
}

static size_t count_parts(const json_t *args)
{
    return 1 + json_array_size(hm_json_get_arr(args, "indexes"));
}

/* ---- the request ---------------------------------------------------------------------------------------------------------- */

static enum hm_code check_args(const json_t *args, struct hm_err *err)
{
    int64_t period = hm_json_get_int(args, "period", DEFAULT_PERIOD);
    const char *const keys[] = {"before", "after"};
    if (!hm_aws_name_ok(hm_json_get_str(args, "table", ""), "_.-", NAME_MAX_LEN))
        return hm_err_set(err, HM_EINVAL, "table: \"%.60s\" is no name of a table", hm_json_get_str(args, "table", ""));
    if (count_parts(args) > 1 + MAX_INDEXES)
        return hm_err_set(err, HM_EINVAL, "more than %d indexes", (int)MAX_INDEXES);
    if (index_name(args, 0)[0] != '\0' && count_parts(args) > 1)
        return hm_err_set(err, HM_EINVAL, "either one index alone, or the table with indexes");
    for (size_t part = index_name(args, 0)[0] != '\0' ? 0 : 1; part < count_parts(args); part++)
        if (!hm_aws_name_ok(index_name(args, part), "_.-", NAME_MAX_LEN))
            return hm_err_set(err, HM_EINVAL, "indexes: \"%.60s\" is no name of an index", index_name(args, part));
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        int64_t minutes = hm_json_get_int(args, keys[i], 0);
        if (minutes < 0 || minutes > MAX_MINUTES)
            return hm_err_set(err, HM_EINVAL, "%s must be 0 to %d minutes", keys[i], (int)MAX_MINUTES);
    }
    if (period != 60 && period != 300 && period != 3600)
        return hm_err_set(err, HM_EINVAL, "period must be 60, 300 or 3600 seconds");
    return HM_OK;
}

static void add_time(struct hm_request *req, const char *key, int64_t ms)
{
    char buf[HM_TIME_MAX];
    char *text = hm_aws_time(hm_format_time(ms, buf));
    hm_request_add_form(req, key, text);
    free(text);
}

static void add_query(struct hm_request *req, const json_t *args, size_t part, size_t metric)
{
    const size_t n = part * HM_ARRAY_LEN(metrics) + metric + 1;
    const char *index = index_name(args, part);
    char key[120], id[24], period[24];
    (void)snprintf(period, sizeof period, "%lld", (long long)hm_json_get_int(args, "period", DEFAULT_PERIOD));
    (void)snprintf(id, sizeof id, "%s%zu", metrics[metric].letter, part);
    const char *const fields[][2] = {
        {"Id", id},
        {"MetricStat.Metric.Namespace", "AWS/DynamoDB"},
        {"MetricStat.Metric.MetricName", metrics[metric].metric},
        {"MetricStat.Metric.Dimensions.member.1.Name", "TableName"},
        {"MetricStat.Metric.Dimensions.member.1.Value", hm_json_get_str(args, "table", "")},
        {"MetricStat.Metric.Dimensions.member.2.Name", index[0] != '\0' ? "GlobalSecondaryIndexName" : NULL},
        {"MetricStat.Metric.Dimensions.member.2.Value", index[0] != '\0' ? index : NULL},
        {"MetricStat.Period", period},
        {"MetricStat.Stat", "Sum"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(fields); i++) {
        (void)snprintf(key, sizeof key, "MetricDataQueries.member.%zu.%s", n, fields[i][0]);
        hm_request_add_form(req, key, fields[i][1]);
    }
}

static enum hm_code load_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    int64_t at = 0, step = hm_json_get_int(args, "period", DEFAULT_PERIOD) * 1000;
    if (check_args(args, err) != HM_OK)
        return HM_EINVAL;
    if (!hm_parse_time(hm_json_get_str(args, "at", ""), &at) || at < 0)
        return hm_err_set(err, HM_EINVAL, "at: \"%.60s\" is no moment like 2026-11-22T14:37:59Z",
                          hm_json_get_str(args, "at", ""));
    /* To the borders of datapoints: CloudWatch answers those fastest, and half a datapoint would be told as a whole one. */
    int64_t start = (at - hm_json_get_int(args, "before", DEFAULT_BEFORE) * 60000) / step * step;
    int64_t end = (at + hm_json_get_int(args, "after", 0) * 60000 + step - 1) / step * step;
    if (start < 0)
        start = 0;
    hm_request_begin(req, backend, "POST", "/");
    hm_request_add_form(req, "Action", "GetMetricData");
    hm_request_add_form(req, "Version", "2010-08-01");
    add_time(req, "StartTime", start);
    add_time(req, "EndTime", end > start ? end : start + step);
    hm_request_add_form(req, "ScanBy", "TimestampAscending");
    for (size_t part = 0; part < count_parts(args); part++)
        for (size_t metric = 0; metric < HM_ARRAY_LEN(metrics); metric++)
            add_query(req, args, part, metric);
    hm_request_add_form(req, "NextToken", hm_json_get_str(cursor, "token", NULL));
    return HM_OK;
}

/* ---- the answer ----------------------------------------------------------------------------------------------------------- */

static bool known_id(const json_t *args, const char *id)
{
    int64_t part = -1;
    bool letter = false;
    for (size_t i = 0; id != NULL && i < HM_ARRAY_LEN(metrics); i++)
        letter = letter || metrics[i].letter[0] == id[0];
    return letter && hm_parse_i64(id + 1, 0, (int64_t)count_parts(args) - 1, &part);
}

/* Adds one series' page to points[id], a map from moments to values. False when it is not what it should be. */
static bool gather_series(const struct hm_xml_node *series, const char *id, json_t *points)
{
    const struct hm_xml_node *times = hm_xml_find(series, "Timestamps"), *values = hm_xml_find(series, "Values");
    const struct hm_xml_node *time = hm_xml_each(times, "member", NULL), *value = hm_xml_each(values, "member", NULL);
    json_t *map = hm_json_get_obj(points, id);
    if (map == NULL) {
        map = hm_json_obj_new();
        hm_json_set(points, id, map);
    }
    for (; time != NULL && value != NULL;
         time = hm_xml_each(times, "member", time), value = hm_xml_each(values, "member", value)) {
        char *moment = hm_aws_time(hm_xml_text(time, ""));
        json_t *number = hm_value_number_new(hm_xml_text(value, ""));
        bool ok =
            moment != NULL && json_is_number(number) && json_number_value(number) >= 0 && json_object_size(map) < MAX_POINTS;
        if (ok)
            hm_json_set(map, moment, json_incref(number));
        json_decref(number);
        free(moment);
        if (!ok)
            return false;
    }
    return time == NULL && value == NULL;
}

/* Reads all series of a page; *ret_partial: one of them has more to come. */
static enum hm_verdict gather(const struct hm_http_asked *asked, const struct hm_xml_node *result, const json_t *args,
                              json_t *points, bool *ret_partial, struct hm_outcome *out)
{
    const struct hm_xml_node *all = hm_xml_find(result, "MetricDataResults");
    *ret_partial = false;
    if (all == NULL)
        return hm_http_odd(asked, out, "it has no results");
    for (const struct hm_xml_node *s = hm_xml_each(all, "member", NULL); s != NULL; s = hm_xml_each(all, "member", s)) {
        const char *id = hm_xml_text(s, "Id"), *status = hm_xml_text(s, "StatusCode");
        if (!known_id(args, id))
            return hm_http_odd(asked, out, "it has a result that was not asked for");
        if (hm_streq(status, "Forbidden"))
            return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "CloudWatch does not let the keys of backend %s read this metric",
                                   asked->backend->name);
        if (hm_streq(status, "PartialData"))
            *ret_partial = true;
        else if (!hm_streq(status, "Complete"))
            return hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "CloudWatch could not read a metric (%.40s)",
                                   status != NULL ? status : "no status");
        if (!gather_series(s, id, points))
            return hm_http_odd(asked, out, "a datapoint in it has no time or no number");
    }
    return HM_VERDICT_OK;
}

/* ---- what it means -------------------------------------------------------------------------------------------------------- */

static const json_t *series_of(const json_t *points, size_t part, size_t metric)
{
    char id[24];
    (void)snprintf(id, sizeof id, "%s%zu", metrics[metric].letter, part);
    return hm_json_get_obj(points, id);
}

/* Sum of the values from the moment `since` on. */
static double sum_since(const json_t *series, const char *since)
{
    const char *moment = NULL;
    const json_t *value = NULL;
    double sum = 0;
    json_object_foreach(hm_unconst(series), moment, value) sum += strcmp(moment, since) >= 0 ? json_number_value(value) : 0;
    return sum;
}

static double largest(const json_t *series)
{
    const char *moment = NULL;
    const json_t *value = NULL;
    double most = 0;
    json_object_foreach(hm_unconst(series), moment, value) most =
        json_number_value(value) > most ? json_number_value(value) : most;
    return most;
}

/* The newest moment of the series, or what was known before. Borrowed. */
static const char *newest(const json_t *series, const char *before)
{
    const char *moment = NULL;
    const json_t *value = NULL;
    json_object_foreach(hm_unconst(series), moment, value)
    {
        if (strcmp(moment, before) > 0)
            before = moment;
    }
    return before;
}

static int64_t rounded_up(double value)
{
    int64_t whole = value < 9e15 ? (int64_t)value : INT64_MAX;
    return (double)whole < value && whole < INT64_MAX ? whole + 1 : whole;
}

static json_t *part_new(const json_t *args, const json_t *points, size_t part)
{
    const int64_t seconds = hm_json_get_int(args, "period", DEFAULT_PERIOD);
    double period = (double)seconds;
    int64_t reads = rounded_up(sum_since(series_of(points, part, READ_THROTTLED), ""));
    int64_t writes = rounded_up(sum_since(series_of(points, part, WRITE_THROTTLED), ""));
    int64_t read_peak = rounded_up(largest(series_of(points, part, READ_USED)) / period);
    int64_t write_peak = rounded_up(largest(series_of(points, part, WRITE_USED)) / period);
    const char *name = index_name(args, part);
    struct hm_strbuf line;
    json_t *found = hm_json_obj_new();
    hm_strbuf_init(&line, LINE_MAX_LEN);
    hm_strbuf_addf(&line, "%s%s: %lld %s and %lld %s throttled; used at most %lld read and %lld write units a second",
                   name[0] == '\0' ? "table" : "index ", name, (long long)reads, hm_plural(reads, "read", "reads"),
                   (long long)writes, hm_plural(writes, "write", "writes"), (long long)read_peak, (long long)write_peak);
    hm_json_set_str(found, "index", name);
    hm_json_set_int(found, "read_throttled", reads);
    hm_json_set_int(found, "write_throttled", writes);
    hm_json_set_int(found, "read_peak", read_peak);
    hm_json_set_int(found, "write_peak", write_peak);
    hm_json_set_str(found, "line", hm_strbuf_str(&line));
    hm_strbuf_done(&line);
    return found;
}

static json_t *result_new(const json_t *args, const json_t *points)
{
    json_t *list = hm_json_arr_new(), *throttled = hm_json_arr_new();
    int64_t reads = 0, writes = 0, count = 0;
    double at_last = 0;
    const char *last = "";
    struct hm_strbuf text;
    hm_strbuf_init(&text, (1 + MAX_INDEXES) * (size_t)LINE_MAX_LEN);
    for (size_t part = 0; part < count_parts(args); part++) {
        json_t *found = part_new(args, points, part);
        reads += hm_json_get_int(found, "read_throttled", 0);
        writes += hm_json_get_int(found, "write_throttled", 0);
        if (hm_json_get_int(found, "read_throttled", 0) > 0 || hm_json_get_int(found, "write_throttled", 0) > 0)
            hm_json_add(throttled, hm_json_str_new(index_name(args, part)[0] == '\0' ? "table" : index_name(args, part)));
        hm_strbuf_addf(&text, "%s%s", part > 0 ? "\n" : "", hm_json_get_str(found, "line", ""));
        (void)json_object_del(found, "line");
        hm_json_add(list, found);
        for (size_t metric = READ_USED; metric <= WRITE_USED; metric++) {
            const json_t *series = series_of(points, part, metric);
            last = newest(series, last);
            count = (int64_t)json_object_size(series) > count ? (int64_t)json_object_size(series) : count;
        }
    }
    for (size_t part = 0; part < count_parts(args) && last[0] != '\0'; part++)
        at_last +=
            sum_since(series_of(points, part, READ_THROTTLED), last) + sum_since(series_of(points, part, WRITE_THROTTLED), last);
    json_t *result = hm_json_obj_new();
    hm_json_set_str(result, "table", hm_json_get_str(args, "table", ""));
    hm_json_set_bool(result, "known", count > 0);
    hm_json_set_int(result, "points", count);
    hm_json_set_int(result, "read_throttled", reads);
    hm_json_set_int(result, "write_throttled", writes);
    hm_json_set(result, "throttled", throttled);
    hm_json_set_str(result, "last", last);
    hm_json_set_int(result, "last_throttled", rounded_up(at_last));
    hm_json_set(result, "list", list);
    hm_json_set_str(result, "text", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
    return result;
}

static enum hm_verdict load_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "CloudWatch"};
    struct hm_xml *xml = NULL;
    bool partial = false;
    enum hm_verdict verdict = hm_aws_read_xml(&asked, answer, &xml, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const struct hm_xml_node *result = hm_xml_find(hm_xml_root(xml), "GetMetricDataResult");
    const char *token = hm_xml_text(result, "NextToken");
    const json_t *before = hm_json_get_obj(cursor, "points");
    json_t *points = before != NULL ? json_deep_copy(before) : hm_json_obj_new();
    verdict = gather(&asked, result, args, points, &partial, out);
    if (verdict == HM_VERDICT_OK && token != NULL && token[0] != '\0') {
        int64_t pages = hm_json_get_int(cursor, "pages", 0) + 1;
        if (hm_streq(token, hm_json_get_str(cursor, "token", "")) || pages > PAGES_MAX) {
            verdict = hm_http_odd(&asked, out, "its next page is the same page again, or there is no end of them");
        } else {
            out->cursor = hm_json_obj_new();
            hm_json_set_int(out->cursor, "pages", pages);
            hm_json_set_str(out->cursor, "token", token);
            hm_json_set(out->cursor, "points", json_incref(points));
            verdict = HM_VERDICT_MORE;
        }
    } else if (verdict == HM_VERDICT_OK && partial) {
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "CloudWatch gave a part of the datapoints only");
    } else if (verdict == HM_VERDICT_OK) {
        out->result = result_new(args, points);
    }
    json_decref(points);
    hm_xml_free(xml);
    return verdict;
}

static const struct hm_field_spec part_fields[] = {
    {"index", HM_FIELD_TEXT, true, "the index; empty for the table itself", NULL},
    {"read_throttled", HM_FIELD_NUMBER, true, "reads refused", NULL},
    {"write_throttled", HM_FIELD_NUMBER, true, "writes refused", NULL},
    {"read_peak", HM_FIELD_NUMBER, true, "the most that was read, in units a second", NULL},
    {"write_peak", HM_FIELD_NUMBER, true, "the most that was written, in units a second", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec table_load_fields[] = {
    {"table", HM_FIELD_TEXT, true, "the table", NULL},
    {"known", HM_FIELD_BOOL, true, "whether there are datapoints", NULL},
    {"points", HM_FIELD_NUMBER, true, "how many", NULL},
    {"read_throttled", HM_FIELD_NUMBER, true, "sum over the table and the indexes asked for", NULL},
    {"write_throttled", HM_FIELD_NUMBER, true, "the same of writes", NULL},
    {"throttled", HM_FIELD_LIST, true, "those that were throttled; table is the table itself", NULL},
    {"last", HM_FIELD_TEXT, true, "the newest datapoint; empty when there is none", NULL},
    {"last_throttled", HM_FIELD_NUMBER, true, "what was throttled then", NULL},
    {"list", HM_FIELD_LIST, true, "the table and each index", part_fields},
    {"text", HM_FIELD_TEXT, true, "the same, a line each", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_cloudwatch_table_load = {
    .name = "cloudwatch.table-load",
    .title = "Look whether a DynamoDB table is throttled",
    .doc = "known is false when CloudWatch has no datapoint at all: then 0 means nothing.",
    .effect = HM_EFFECT_READ,
    .args = load_args,
    .choice = &load_choice,
    .result = table_load_fields,
    .request = load_request,
    .response = load_response,
};

static const struct hm_action *const actions[] = {&hm_cloudwatch_table_load, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_cloudwatch_handler = {
    .name = "cloudwatch",
    .title = "Amazon CloudWatch: metrics of DynamoDB tables",
    .actions = actions,
    .settings = settings,
};
