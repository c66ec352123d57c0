/* EC2's DescribeInstances: filters on the Name tag (* and ?) and the state, pages of MaxResults.
 *
 * State: {"config": keys (aws.h), "instances": [{"id", "name", "state", "type", "launched" or "hours_ago", "spot", "zone"}]}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

enum { MAX_XML = 16 * 1024 * 1024, HOUR_MS = 3600000 };

struct ec2 {
    json_t *state;
};

static void *ec2_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"instances", NULL};
    struct ec2 *ec2 = hm_xcalloc(1, sizeof *ec2);
    (void)err;
    ec2->state = hm_kit_state_copy(state, lists);
    return ec2;
}

static void ec2_free(void *system)
{
    struct ec2 *ec2 = system;
    json_decref(ec2->state);
    free(ec2);
}

static json_t *ec2_state_new(void *system)
{
    return json_deep_copy(((struct ec2 *)system)->state);
}

static void fail(struct hm_world_answer *ans, int status, const char *code, const char *message)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_XML);
    hm_strbuf_addf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>%s</Code><Message>", code);
    hm_world_xml_text(&out, message);
    hm_strbuf_adds(&out, "</Message></Error></Errors><RequestID>world</RequestID></Response>");
    hm_world_answer_xml(ans, status, &out);
}

/* "*" any text, "?" one character. */
static bool matches(const char *pattern, const char *s)
{
    if (*pattern == '*')
        return matches(pattern + 1, s) || (*s != '\0' && matches(pattern, s + 1));
    if (*pattern == '\0' || *s == '\0')
        return *pattern == *s;
    return (*pattern == '?' || *pattern == *s) && matches(pattern + 1, s + 1);
}

/* One of the values of filter `name` fits, or there is no such filter. Unknown filters are looked for by check_form(). */
static bool passes(const json_t *form, const char *name, const char *value)
{
    char key[40];
    for (int f = 1; f <= 10; f++) {
        (void)snprintf(key, sizeof key, "Filter.%d.Name", f);
        if (!hm_streq(hm_json_get_str(form, key, NULL), name))
            continue;
        for (int v = 1; v <= 10; v++) {
            (void)snprintf(key, sizeof key, "Filter.%d.Value.%d", f, v);
            const char *pattern = hm_json_get_str(form, key, NULL);
            if (pattern != NULL && matches(pattern, value))
                return true;
        }
        return false;
    }
    return true;
}

/* NULL, or the key that EC2 would not take. */
static const char *odd_key(const json_t *form)
{
    static const char *const known[] = {"Action", "Version", "MaxResults", "NextToken"};
    static const char *const filters[] = {"tag:Name", "instance-state-name"};
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(form), key, value)
    {
        bool ok = hm_starts_with(key, "Filter.") && strstr(key, ".Value.") != NULL;
        for (size_t i = 0; i < HM_ARRAY_LEN(known); i++)
            ok = ok || hm_streq(known[i], key);
        for (size_t i = 0; i < HM_ARRAY_LEN(filters) && hm_ends_with(key, ".Name"); i++)
            ok = ok || hm_streq(filters[i], json_string_value(value));
        if (!ok)
            return key;
    }
    return NULL;
}

static void add_tag(struct hm_strbuf *out, const char *name, const char *text)
{
    hm_strbuf_addf(out, "<%s>", name);
    hm_world_xml_text(out, text);
    hm_strbuf_addf(out, "</%s>", name);
}

static void add_instance(struct hm_strbuf *out, struct hm_world *world, const json_t *instance)
{
    char buf[HM_TIME_MAX];
    int64_t hours = hm_json_get_int(instance, "hours_ago", 1);
    const char *launched = hm_json_get_str(instance, "launched", hm_format_time(hm_world_now_ms(world) - hours * HOUR_MS, buf));
    hm_strbuf_adds(out, "<item><reservationId>r-1</reservationId><groupSet/><instancesSet><item>");
    add_tag(out, "instanceId", hm_json_get_str(instance, "id", "?"));
    hm_strbuf_adds(out, "<instanceState><code>16</code>");
    add_tag(out, "name", hm_json_get_str(instance, "state", "running"));
    hm_strbuf_adds(out, "</instanceState>");
    add_tag(out, "instanceType", hm_json_get_str(instance, "type", "m5.large"));
    add_tag(out, "launchTime", launched);
    hm_strbuf_adds(out, "<placement>");
    add_tag(out, "availabilityZone", hm_json_get_str(instance, "zone", "us-east-1a"));
    hm_strbuf_adds(out, "</placement>");
    if (hm_json_get_bool(instance, "spot", false))
        hm_strbuf_adds(out, "<instanceLifecycle>spot</instanceLifecycle>");
    hm_strbuf_adds(out, "<tagSet><item><key>Name</key>");
    add_tag(out, "value", hm_json_get_str(instance, "name", ""));
    hm_strbuf_adds(out, "</item></tagSet></item></instancesSet></item>");
}

static void describe(struct ec2 *ec2, struct hm_world *world, const json_t *form, struct hm_world_answer *ans)
{
    const json_t *all = hm_json_get_arr(ec2->state, "instances");
    int64_t most = 0, skip = 0, seen = 0;
    struct hm_strbuf out;
    if (!hm_parse_i64(hm_json_get_str(form, "MaxResults", "1000"), 5, 1000, &most) ||
        !hm_parse_i64(hm_json_get_str(form, "NextToken", "0"), 0, INT64_MAX, &skip)) {
        fail(ans, 400, "InvalidParameterValue", "MaxResults must be 5 to 1000, NextToken one that was given");
        return;
    }
    hm_strbuf_init(&out, MAX_XML);
    hm_strbuf_adds(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse "
                         "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>world</requestId><reservationSet>");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *instance = json_array_get(all, i);
        if (!passes(form, "tag:Name", hm_json_get_str(instance, "name", "")) ||
            !passes(form, "instance-state-name", hm_json_get_str(instance, "state", "running")))
            continue;
        if (++seen > skip && seen <= skip + most)
            add_instance(&out, world, instance);
    }
    hm_strbuf_adds(&out, "</reservationSet>");
    if (seen > skip + most)
        hm_strbuf_addf(&out, "<nextToken>%lld</nextToken>", (long long)skip + (long long)most);
    hm_strbuf_adds(&out, "</DescribeInstancesResponse>");
    hm_world_answer_xml(ans, 200, &out);
}

static void ec2_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    struct ec2 *ec2 = system;
    const char *problem = hm_world_aws_check(world, hm_json_get_obj(ec2->state, "config"), "ec2", req);
    json_t *form = hm_kit_form_new(req->body, req->body_len);
    if (problem != NULL)
        fail(ans, 401, hm_streq(problem, "RequestTimeTooSkewed") ? "RequestExpired" : "AuthFailure",
             "AWS was not able to validate the provided access credentials");
    else if (!hm_streq(req->method, "POST") || !hm_streq(req->path, "/") || form == NULL ||
             !hm_starts_with(req->content_type, "application/x-www-form-urlencoded"))
        fail(ans, 400, "InvalidRequest", "a form by POST to / is wanted");
    else if (!hm_streq(hm_json_get_str(form, "Version", NULL), "2016-11-15"))
        fail(ans, 400, "NoSuchVersion", "the version is unknown");
    else if (!hm_streq(hm_json_get_str(form, "Action", NULL), "DescribeInstances"))
        fail(ans, 400, "InvalidAction", "the action is not valid for this web service");
    else if (odd_key(form) != NULL)
        fail(ans, 400, "UnknownParameter", odd_key(form));
    else
        describe(ec2, world, form, ans);
    json_decref(form);
}

const struct hm_world_system hm_world_ec2 = {"ec2", ec2_new, ec2_free, ec2_state_new, ec2_handle};
