/* EC2's query protocol: a form in, XML out, pages by nextToken.
 *
 * Happy path: DescribeInstances with filters on the Name tag and the state → reservationSet/item/instancesSet/item. Failure
 * modes: hm_aws_read_xml()'s, an instance without id or state, more machines than a card could tell about. What the server's
 * filter let through is filtered again by state; a terminated machine that EC2 still shows is not counted unless it was asked
 * for. */
#include "handlers/ec2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/aws.h"
#include "handlers/http_request.h"

enum { PAGE = 100, MAX_INSTANCES = 2000, PAGES_MAX = 200, NAME_MAX_LEN = 255, MAX_LINES = 40, LINE_MAX_LEN = 200 };

static const char *const all_states[] = {"pending", "running", "shutting-down", "stopping", "stopped", "terminated"};
static const char *const alive[] = {"pending", "running", "shutting-down", "stopping"};

static const struct hm_arg_spec instances_args[] = {
    {"name", HM_ARG_STRING, true, "what the Name tag must be; * stands for any text, ? for one character"},
    {"states", HM_ARG_LIST, false, "pending, running, shutting-down, stopping, stopped, terminated; the first four if not given"},
    {"jobs", HM_ARG_LIST, false,
     "jobs that run, as names or as the jobs of aurora.tasks; machines with none of them in their Name are told apart"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static bool is_state(const char *word)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(all_states); i++)
        if (hm_streq(all_states[i], word))
            return true;
    return false;
}

/* Printable ASCII with something else than stars in it: an empty filter would mean every machine of the account. */
static bool is_selector(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (name[i] < ' ' || name[i] > '~')
            return false;
    return len > 0 && len <= NAME_MAX_LEN && name[strspn(name, "*? ")] != '\0';
}

static enum hm_code instances_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      struct hm_request *req, struct hm_err *err)
{
    const char *name = hm_json_get_str(args, "name", "");
    const json_t *states = hm_json_get_arr(args, "states");
    size_t n_states = states != NULL ? json_array_size(states) : HM_ARRAY_LEN(alive);
    char key[40];
    if (!is_selector(name))
        return hm_err_set(err, HM_EINVAL, "name: \"%.60s\" would mean every machine, or has characters that tags do not have",
                          name);
    if (n_states == 0 || n_states > HM_ARRAY_LEN(all_states))
        return hm_err_set(err, HM_EINVAL, "states must be 1 to %zu states", HM_ARRAY_LEN(all_states));
    hm_request_begin(req, backend, "POST", "/");
    hm_request_add_form(req, "Action", "DescribeInstances");
    hm_request_add_form(req, "Version", "2016-11-15");
    hm_request_add_form(req, "Filter.1.Name", "tag:Name");
    hm_request_add_form(req, "Filter.1.Value.1", name);
    hm_request_add_form(req, "Filter.2.Name", "instance-state-name");
    for (size_t i = 0; i < n_states; i++) {
        const char *state = states != NULL ? json_string_value(json_array_get(states, i)) : alive[i];
        if (state == NULL || !is_state(state))
            return hm_err_set(err, HM_EINVAL, "states: \"%.40s\" is no state of a machine", state != NULL ? state : "?");
        (void)snprintf(key, sizeof key, "Filter.2.Value.%zu", i + 1);
        hm_request_add_form(req, key, state);
    }
    (void)snprintf(key, sizeof key, "%d", (int)PAGE);
    hm_request_add_form(req, "MaxResults", key);
    hm_request_add_form(req, "NextToken", hm_json_get_str(cursor, "token", NULL));
    return HM_OK;
}

/* ---- one machine ---------------------------------------------------------------------------------------------------------- */

static const char *text_or(const struct hm_xml_node *node, const char *path, const char *otherwise)
{
    const char *text = hm_xml_text(node, path);
    return text != NULL ? text : otherwise;
}

static const char *tag_of(const struct hm_xml_node *instance, const char *key)
{
    const struct hm_xml_node *tags = hm_xml_find(instance, "tagSet");
    for (const struct hm_xml_node *tag = hm_xml_each(tags, "item", NULL); tag != NULL; tag = hm_xml_each(tags, "item", tag))
        if (hm_streq(hm_xml_text(tag, "key"), key))
            return text_or(tag, "value", "");
    return "";
}

/* As recipes see it; NULL when it is no machine. */
static json_t *instance_new(const struct hm_xml_node *given)
{
    const char *id = hm_xml_text(given, "instanceId");
    const char *state = hm_xml_text(given, "instanceState/name");
    char *launched = hm_aws_time(hm_xml_text(given, "launchTime"));
    if (id == NULL || id[0] == '\0' || state == NULL || !is_state(state) || launched == NULL) {
        free(launched);
        return NULL;
    }
    json_t *instance = hm_json_obj_new();
    hm_json_set_str(instance, "id", id);
    hm_json_set_str(instance, "name", tag_of(given, "Name"));
    hm_json_set_str(instance, "state", state);
    hm_json_set_str(instance, "type", text_or(given, "instanceType", "?"));
    hm_json_set_str(instance, "launched", launched);
    hm_json_set_str(instance, "zone", text_or(given, "placement/availabilityZone", ""));
    hm_json_set_str(instance, "address", text_or(given, "privateIpAddress", ""));
    hm_json_set_bool(instance, "spot", hm_streq(hm_xml_text(given, "instanceLifecycle"), "spot"));
    free(launched);
    return instance;
}

static bool state_wanted(const json_t *args, const char *state)
{
    const json_t *states = hm_json_get_arr(args, "states");
    size_t n = states != NULL ? json_array_size(states) : HM_ARRAY_LEN(alive);
    for (size_t i = 0; i < n; i++)
        if (hm_streq(states != NULL ? json_string_value(json_array_get(states, i)) : alive[i], state))
            return true;
    return false;
}

/* Adds the page's machines to list; false when one of them is none. */
static bool gather(const struct hm_xml_node *root, const json_t *args, json_t *list)
{
    const struct hm_xml_node *reservations = hm_xml_find(root, "reservationSet");
    for (const struct hm_xml_node *r = hm_xml_each(reservations, "item", NULL); r != NULL;
         r = hm_xml_each(reservations, "item", r)) {
        const struct hm_xml_node *set = hm_xml_find(r, "instancesSet");
        for (const struct hm_xml_node *i = hm_xml_each(set, "item", NULL); i != NULL; i = hm_xml_each(set, "item", i)) {
            json_t *instance = instance_new(i);
            if (instance == NULL)
                return false;
            if (state_wanted(args, hm_json_get_str(instance, "state", "")))
                hm_json_add(list, json_incref(instance));
            json_decref(instance);
        }
    }
    return true;
}

/* ---- what a card tells ---------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object, sorted; borrowed, the array is the caller's. */
static const char **sorted_keys(const json_t *object, size_t *ret_n)
{
    const char *key = NULL;
    json_t *value = NULL;
    const char **keys = hm_xcalloc(json_object_size(object), sizeof *keys);
    *ret_n = 0;
    json_object_foreach(hm_unconst(object), key, value) keys[(*ret_n)++] = key;
    if (*ret_n > 0)
        qsort(keys, *ret_n, sizeof *keys, compare_texts);
    return keys;
}

static void count_up(json_t *counts, const char *key)
{
    hm_json_set_int(counts, key, hm_json_get_int(counts, key, 0) + 1);
}

/* A line "N × what" for each key of counts, the newest first: keys begin with what sorts. The caller frees. */
static char *text_of(const json_t *counts)
{
    size_t n = 0;
    struct hm_strbuf text;
    const char **keys = sorted_keys(counts, &n);
    hm_strbuf_init(&text, MAX_LINES * (size_t)LINE_MAX_LEN);
    for (size_t i = n; i > 0 && n - i < MAX_LINES; i--)
        hm_strbuf_addf(&text, "%s%lld × %s", i < n ? "\n" : "", (long long)hm_json_get_int(counts, keys[i - 1], 0), keys[i - 1]);
    if (n > MAX_LINES)
        hm_strbuf_addf(&text, "\nand %zu %s more", n - MAX_LINES, hm_plural((int64_t)(n - MAX_LINES), "line", "lines"));
    free(keys);
    return hm_strbuf_take(&text);
}

/* job stands in name as a whole, between dashes or at its ends: "fx" is not in "prod-fxa". */
static bool names_job(const char *name, const char *job)
{
    size_t len = strlen(job);
    for (const char *at = strstr(name, job); at != NULL && len > 0; at = strstr(at + 1, job))
        if ((at == name || at[-1] == '-') && (at[len] == '\0' || at[len] == '-'))
            return true;
    return false;
}

static bool has_job(const json_t *jobs, const char *name)
{
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *entry = json_array_get(jobs, i);
        const char *job = json_is_string(entry) ? json_string_value(entry) : hm_json_get_str(entry, "job", NULL);
        if (job != NULL && names_job(name, job))
            return true;
    }
    return false;
}

static json_t *result_new(const json_t *args, json_t *list)
{
    const json_t *jobs = hm_json_get_arr(args, "jobs");
    json_t *states = hm_json_obj_new(), *groups = hm_json_obj_new(), *lonely = hm_json_obj_new();
    const char *oldest = "", *newest = "";
    int64_t running = 0, spot = 0, without = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *instance = json_array_get(list, i);
        const char *launched = hm_json_get_str(instance, "launched", "");
        const char *state = hm_json_get_str(instance, "state", "");
        const char *name = hm_json_get_str(instance, "name", "");
        bool is_spot = hm_json_get_bool(instance, "spot", false);
        char *key = hm_xasprintf("%.10s %.2s:00 UTC %s %s%s", launched, launched + 11, state,
                                 hm_json_get_str(instance, "type", ""), is_spot ? " spot" : "");
        count_up(states, state);
        count_up(groups, key);
        free(key);
        running += hm_streq(state, "running") ? 1 : 0;
        spot += is_spot ? 1 : 0;
        if (jobs != NULL && !has_job(jobs, name)) {
            without++;
            count_up(lonely, name[0] != '\0' ? name : "(no name)");
        }
        if (oldest[0] == '\0' || strcmp(launched, oldest) < 0)
            oldest = launched;
        if (strcmp(launched, newest) > 0)
            newest = launched;
    }
    char *text = text_of(groups), *without_text = text_of(lonely);
    json_t *result = hm_json_obj_new();
    hm_json_set_int(result, "count", (int64_t)json_array_size(list));
    hm_json_set_int(result, "running", running);
    hm_json_set_int(result, "spot", spot);
    hm_json_set(result, "states", states);
    hm_json_set_str(result, "text", text);
    hm_json_set_str(result, "oldest", oldest);
    hm_json_set_str(result, "newest", newest);
    hm_json_set_int(result, "without_job", without);
    hm_json_set_str(result, "without_job_text", without_text);
    hm_json_set(result, "list", json_incref(list));
    free(text);
    free(without_text);
    json_decref(groups);
    json_decref(lonely);
    return result;
}

static enum hm_verdict instances_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                          const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "EC2"};
    struct hm_xml *xml = NULL;
    enum hm_verdict verdict = hm_aws_read_xml(&asked, answer, &xml, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const struct hm_xml_node *root = hm_xml_root(xml);
    const json_t *before = hm_json_get_arr(cursor, "list");
    json_t *list = before != NULL ? json_deep_copy(before) : hm_json_arr_new();
    const char *token = text_or(root, "nextToken", "");
    int64_t pages = hm_json_get_int(cursor, "pages", 0) + 1;
    if (!hm_streq(hm_xml_name(root), "DescribeInstancesResponse") || hm_xml_find(root, "reservationSet") == NULL)
        verdict = hm_http_odd(&asked, out, "it is no list of machines");
    else if (!gather(root, args, list))
        verdict = hm_http_odd(&asked, out, "a machine in it has no id, no known state or no launch time");
    else if (json_array_size(list) > MAX_INSTANCES)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "more than %d machines are called like that; say it more narrowly",
                                  (int)MAX_INSTANCES);
    else if (token[0] != '\0' && (hm_streq(token, hm_json_get_str(cursor, "token", "")) || pages > PAGES_MAX))
        verdict = hm_http_odd(&asked, out, "its next page is the same page again, or there is no end of them");
    else if (token[0] != '\0') {
        out->cursor = hm_json_obj_new();
        hm_json_set_int(out->cursor, "pages", pages);
        hm_json_set_str(out->cursor, "token", token);
        hm_json_set(out->cursor, "list", json_incref(list));
        verdict = HM_VERDICT_MORE;
    } else {
        out->result = result_new(args, list);
    }
    json_decref(list);
    hm_xml_free(xml);
    return verdict;
}

static const struct hm_field_spec instance_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the machine's id", NULL},
    {"name", HM_FIELD_TEXT, true, "its Name tag", NULL},
    {"state", HM_FIELD_TEXT, true, "pending, running, stopping …", NULL},
    {"type", HM_FIELD_TEXT, true, "like m5.xlarge", NULL},
    {"launched", HM_FIELD_TEXT, true, "when", NULL},
    {"zone", HM_FIELD_TEXT, true, "like sa-east-1a", NULL},
    {"address", HM_FIELD_TEXT, true, "the private one", NULL},
    {"spot", HM_FIELD_BOOL, true, "whether it is a Spot machine", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec state_fields[] = {
    {"*", HM_FIELD_NUMBER, false, "how many are in the state of that name; null when there are none", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec instances_fields[] = {
    {"count", HM_FIELD_NUMBER, true, "machines", NULL},
    {"running", HM_FIELD_NUMBER, true, "of them running", NULL},
    {"spot", HM_FIELD_NUMBER, true, "of them on Spot", NULL},
    {"states", HM_FIELD_OBJECT, true, "how many are in which state", state_fields},
    {"text", HM_FIELD_TEXT, true, "by hour of launch, state and type, newest first", NULL},
    {"oldest", HM_FIELD_TEXT, true, "when the oldest was launched; empty when there are none", NULL},
    {"newest", HM_FIELD_TEXT, true, "when the newest was launched; empty when there are none", NULL},
    {"without_job", HM_FIELD_NUMBER, true, "those whose Name holds none of `jobs`", NULL},
    {"without_job_text", HM_FIELD_TEXT, true, "those by Name", NULL},
    {"list", HM_FIELD_LIST, true, "the machines", instance_fields},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_ec2_instances = {
    .name = "ec2.instances",
    .title = "List machines by the Name tag",
    .effect = HM_EFFECT_READ,
    .args = instances_args,
    .result = instances_fields,
    .request = instances_request,
    .response = instances_response,
};

static const struct hm_action *const actions[] = {&hm_ec2_instances, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_ec2_handler = {
    .name = "ec2",
    .title = "Amazon EC2: machines",
    .actions = actions,
    .settings = settings,
};
