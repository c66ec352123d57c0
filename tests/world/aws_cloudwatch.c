/* CloudWatch's GetMetricData for DynamoDB tables. The numbers come from DynamoDB's stand-in: what is asked of a table beyond what
 * it is provisioned with is throttled, at every moment since the last change.
 *
 * State: {"config": keys (aws.h), and "ahead_minutes": so much later it is here, so that a test need not wait for datapoints;
 * "page": series of one page, 0 = all}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

enum { MAX_XML = 16 * 1024 * 1024, MINUTE_MS = 60000, MAX_QUERIES = 500 };

struct cloudwatch {
    json_t *state;
};

static void *cloudwatch_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {NULL};
    struct cloudwatch *cw = hm_xcalloc(1, sizeof *cw);
    (void)err;
    cw->state = hm_kit_state_copy(state, lists);
    return cw;
}

static void cloudwatch_free(void *system)
{
    struct cloudwatch *cw = system;
    json_decref(cw->state);
    free(cw);
}

static json_t *cloudwatch_state_new(void *system)
{
    return json_deep_copy(((struct cloudwatch *)system)->state);
}

static void fail(struct hm_world_answer *ans, int status, const char *code, const char *message)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_XML);
    hm_strbuf_addf(&out,
                   "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><Error><Type>Sender</Type>"
                   "<Code>%s</Code><Message>",
                   code);
    hm_world_xml_text(&out, message);
    hm_strbuf_adds(&out, "</Message></Error><RequestId>world</RequestId></ErrorResponse>");
    hm_world_answer_xml(ans, status, &out);
}

static const char *field(const json_t *form, int query, const char *name)
{
    char key[120];
    (void)snprintf(key, sizeof key, "MetricDataQueries.member.%d.%s", query, name);
    return hm_json_get_str(form, key, NULL);
}

/* What the metric counts in one datapoint; negative when there is no such metric. */
static double value_of(const char *metric, const struct hm_world_load *load, double seconds)
{
    if (hm_streq(metric, "ReadThrottleEvents"))
        return load->asked_read > load->read ? (load->asked_read - load->read) * seconds : 0;
    if (hm_streq(metric, "WriteThrottleEvents"))
        return load->asked_write > load->write ? (load->asked_write - load->write) * seconds : 0;
    if (hm_streq(metric, "ConsumedReadCapacityUnits"))
        return (load->asked_read < load->read ? load->asked_read : load->read) * seconds;
    if (hm_streq(metric, "ConsumedWriteCapacityUnits"))
        return (load->asked_write < load->write ? load->asked_write : load->write) * seconds;
    return -1;
}

struct window {
    int64_t start, end, now;
};

/* One series; false when the query is not one that DynamoDB's metrics know. */
static bool add_series(struct hm_strbuf *out, struct hm_world *world, const json_t *form, int query, const struct window *w)
{
    struct hm_strbuf values;
    char buf[HM_TIME_MAX];
    int64_t period = 0;
    const char *table = field(form, query, "MetricStat.Metric.Dimensions.member.1.Value");
    const char *second = field(form, query, "MetricStat.Metric.Dimensions.member.2.Name");
    const char *index = field(form, query, "MetricStat.Metric.Dimensions.member.2.Value");
    const char *metric = field(form, query, "MetricStat.Metric.MetricName");
    const char *period_text = field(form, query, "MetricStat.Period");
    if (!hm_streq(field(form, query, "MetricStat.Metric.Namespace"), "AWS/DynamoDB") || table == NULL || metric == NULL ||
        !hm_streq(field(form, query, "MetricStat.Metric.Dimensions.member.1.Name"), "TableName") ||
        (second != NULL && !hm_streq(second, "GlobalSecondaryIndexName")) ||
        !hm_streq(field(form, query, "MetricStat.Stat"), "Sum") || period_text == NULL ||
        !hm_parse_i64(period_text, 60, 86400, &period) || period % 60 != 0)
        return false;
    hm_strbuf_init(&values, MAX_XML);
    hm_strbuf_adds(out, "<member><Id>");
    hm_world_xml_text(out, field(form, query, "Id"));
    hm_strbuf_addf(out, "</Id><Label>%s</Label><Timestamps>", metric);
    for (int64_t at = w->start; at + period * 1000 <= w->end && at + period * 1000 <= w->now; at += period * 1000) {
        struct hm_world_load load;
        double value = hm_world_table_load(world, table, index != NULL ? index : "", at, &load)
                           ? value_of(metric, &load, (double)period)
                           : 0;
        if (!(value > 0)) /* nothing happened: no datapoint */
            continue;
        hm_strbuf_addf(out, "<member>%.19sZ</member>", hm_format_time(at, buf));
        hm_strbuf_addf(&values, "<member>%.1f</member>", value);
    }
    hm_strbuf_addf(out, "</Timestamps><Values>%s</Values><StatusCode>Complete</StatusCode></member>", hm_strbuf_str(&values));
    hm_strbuf_done(&values);
    return true;
}

static void get_metric_data(struct cloudwatch *cw, struct hm_world *world, const json_t *form, struct hm_world_answer *ans)
{
    const json_t *config = hm_json_get_obj(cw->state, "config");
    struct window w = {.now = hm_world_now_ms(world) + hm_json_get_int(config, "ahead_minutes", 0) * MINUTE_MS};
    int64_t page = hm_json_get_int(config, "page", 0), first = 0;
    struct hm_strbuf out;
    if (!hm_parse_time(hm_json_get_str(form, "StartTime", ""), &w.start) ||
        !hm_parse_time(hm_json_get_str(form, "EndTime", ""), &w.end) || w.start >= w.end) {
        fail(ans, 400, "ValidationError", "The parameter StartTime must be less than the parameter EndTime.");
        return;
    }
    if (!hm_parse_i64(hm_json_get_str(form, "NextToken", "0"), 0, MAX_QUERIES, &first)) {
        fail(ans, 400, "InvalidNextToken", "the token is none that was given");
        return;
    }
    hm_strbuf_init(&out, MAX_XML);
    hm_strbuf_adds(&out, "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetMetricDataResult>"
                         "<MetricDataResults>");
    int query = (int)first + 1;
    for (; field(form, query, "Id") != NULL && (page == 0 || query <= first + page); query++) {
        if (!add_series(&out, world, form, query, &w)) {
            hm_strbuf_done(&out);
            fail(ans, 400, "ValidationError", "a query is none that is known here");
            return;
        }
    }
    hm_strbuf_adds(&out, "</MetricDataResults>");
    if (field(form, query, "Id") != NULL)
        hm_strbuf_addf(&out, "<NextToken>%d</NextToken>", query - 1);
    hm_strbuf_adds(&out, "</GetMetricDataResult><ResponseMetadata><RequestId>world</RequestId></ResponseMetadata>"
                         "</GetMetricDataResponse>");
    hm_world_answer_xml(ans, 200, &out);
}

static void cloudwatch_handle(void *system, struct hm_world *world, const struct hm_world_request *req,
                              struct hm_world_answer *ans)
{
    struct cloudwatch *cw = system;
    const char *problem = hm_world_aws_check(world, hm_json_get_obj(cw->state, "config"), "monitoring", req);
    json_t *form = hm_kit_form_new(req->body, req->body_len);
    if (problem != NULL)
        fail(ans, 403, problem, "the request is not signed as it should be");
    else if (!hm_streq(req->method, "POST") || !hm_streq(req->path, "/") || form == NULL ||
             !hm_starts_with(req->content_type, "application/x-www-form-urlencoded"))
        fail(ans, 400, "MalformedInput", "a form by POST to / is wanted");
    else if (!hm_streq(hm_json_get_str(form, "Version", NULL), "2010-08-01") ||
             !hm_streq(hm_json_get_str(form, "Action", NULL), "GetMetricData"))
        fail(ans, 400, "InvalidAction", "Could not find operation");
    else if (field(form, 1, "Id") == NULL)
        fail(ans, 400, "MissingParameter", "The parameter MetricDataQueries is required.");
    else
        get_metric_data(cw, world, form, ans);
    json_decref(form);
}

const struct hm_world_system hm_world_cloudwatch = {"cloudwatch", cloudwatch_new, cloudwatch_free, cloudwatch_state_new,
                                                    cloudwatch_handle};
