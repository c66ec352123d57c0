/* Jira and OpsGenie: what is asked of people.
 *
 * Jira: issues can be made and looked for by label; a new one is found only once it has been looked for `config.lag` times
 * (default 1), as the real index lags behind. OpsGenie: an alert is there once it has been looked for `config.lag` times; the
 * same alias counts up while it is open; with `config.taken_by` it is acknowledged then.
 *
 * State: {"jira": {"config": {"basic", "api": "3", "lag", "page"}, "issues": [{"key", "summary", "status", "labels", "project",
 * "lag"}]}, "opsgenie": {"config": {"bearer", "lag", "taken_by"}, "alerts": [{"alias", "message", "team", "priority", "status",
 * "count", "lag"}]}}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

static void tickets_free(void *system)
{
    json_decref(system);
}

static json_t *tickets_state(void *system)
{
    return json_deep_copy(system);
}

/* True once it has been looked for often enough. */
static bool is_visible(json_t *thing)
{
    int64_t lag = hm_json_get_int(thing, "lag", 0);
    if (lag > 0)
        hm_json_set_int(thing, "lag", lag - 1);
    return lag <= 0;
}

/* --- Jira ----------------------------------------------------------------------------------------------------------------- */

static void *jira_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"issues", NULL};
    (void)err;
    return hm_kit_state_copy(state, lists);
}

static bool has_label(const json_t *issue, const char *label)
{
    const json_t *labels = hm_json_get_arr(issue, "labels");
    for (size_t i = 0; i < json_array_size(labels); i++)
        if (hm_streq(json_string_value(json_array_get(labels, i)), label))
            return true;
    return false;
}

/* A page of a list. Cloud: where it goes on stands in a token, and how many there are is not told. */
static void answer_issues(const json_t *j, json_t *stolen_list, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const json_t *config = hm_json_get_obj(j, "config");
    bool cloud = hm_streq(hm_json_get_str(config, "api", "3"), "3"), more = false;
    int64_t from = hm_kit_query_int(req->query, cloud ? "nextPageToken" : "startAt");
    int64_t size = hm_kit_page_size(config, req->query, "maxResults", 50), total = (int64_t)json_array_size(stolen_list);
    json_t *body = hm_json_obj_new();
    hm_json_set(body, "issues", hm_kit_page_new(stolen_list, from, size, &more));
    if (cloud) {
        hm_json_set_bool(body, "isLast", !more);
        if (more)
            hm_json_set(body, "nextPageToken", json_sprintf("%lld", (long long)(from + size)));
    } else {
        hm_json_set_int(body, "startAt", from);
        hm_json_set_int(body, "maxResults", size);
        hm_json_set_int(body, "total", total);
    }
    hm_world_answer_json(ans, 200, "application/json", body);
}

/* jql: labels = "x" order by … */
static void jira_search(const json_t *j, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    char *jql = hm_kit_query(req->query, "jql"), *fields = hm_kit_query(req->query, "fields");
    json_t *issues = hm_json_get_arr(j, "issues"), *list = hm_json_arr_new();
    const char *open = jql != NULL ? strchr(jql, '"') : NULL, *close = open != NULL ? strchr(open + 1, '"') : NULL;
    if (close == NULL || !hm_starts_with(jql, "labels = ") || fields == NULL) {
        json_decref(list);
        hm_world_answer_json(
            ans, 400, "application/json",
            json_pack("{s:[s], s:{}}", "errorMessages", "Error in the JQL Query: this is not understood", "errors"));
    } else {
        char *label = hm_xstrndup(open + 1, (size_t)(close - open - 1));
        for (size_t i = json_array_size(issues); i-- > 0;) {
            json_t *issue = json_array_get(issues, i);
            if (has_label(issue, label) && is_visible(issue))
                hm_json_add(list, json_pack("{s:s, s:{s:s, s:{s:s}}}", "key", hm_json_get_str(issue, "key", ""), "fields",
                                            "summary", hm_json_get_str(issue, "summary", ""), "status", "name",
                                            hm_json_get_str(issue, "status", "To Do")));
        }
        free(label);
        answer_issues(j, list, req, ans);
    }
    free(fields);
    free(jql);
}

static void jira_create(json_t *j, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *body = hm_kit_body_new(req, ans);
    const json_t *fields = hm_json_get_obj(body, "fields"), *config = hm_json_get_obj(j, "config");
    const char *project = hm_json_get_str(hm_json_get_obj(fields, "project"), "key", NULL);
    const char *summary = hm_json_get_str(fields, "summary", NULL);
    json_t *issues = hm_json_get_arr(j, "issues"), *description = json_object_get(fields, "description");
    bool cloud = hm_streq(hm_json_get_str(config, "api", "3"), "3");
    const char *wrong = NULL;
    if (body == NULL)
        return;
    if (project == NULL || hm_json_get_str(hm_json_get_obj(fields, "issuetype"), "name", NULL) == NULL)
        wrong = "valid project and issue type are required";
    else if (summary == NULL || summary[0] == '\0' || strlen(summary) > 255)
        wrong = "You must specify a summary of the issue.";
    else if (description != NULL &&
             (cloud ? !hm_streq(hm_json_get_str(description, "type", ""), "doc") : !json_is_string(description)))
        wrong = "Operation value must be an Atlassian Document";
    if (wrong != NULL) {
        hm_world_answer_json(ans, 400, "application/json",
                             json_pack("{s:[], s:{s:s}}", "errorMessages", "errors", "fields", wrong));
    } else {
        char *key = hm_xasprintf("%s-%zu", project, json_array_size(issues) + 1);
        json_t *issue = json_pack("{s:s, s:s, s:s, s:s, s:I}", "key", key, "summary", summary, "status", "To Do", "project",
                                  project, "lag", (json_int_t)hm_json_get_int(config, "lag", 1));
        hm_json_set(issue, "labels", json_deep_copy(hm_json_get_arr(fields, "labels")));
        hm_json_add(issues, issue);
        hm_world_count_effect(world, "jira issue", summary, true);
        hm_world_answer_json(ans, 201, "application/json", json_pack("{s:s, s:s}", "id", "10001", "key", key));
        free(key);
    }
    json_decref(body);
}

static void jira_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *j = system, *config = hm_json_get_obj(j, "config");
    bool cloud = hm_streq(hm_json_get_str(config, "api", "3"), "3");
    bool get = hm_streq(req->method, "GET"), post = hm_streq(req->method, "POST");
    if (!hm_kit_let_in(config, "Basic", req, ans)) {
        /* answered */
    } else if (get && hm_streq(req->path, cloud ? "/rest/api/3/search/jql" : "/rest/api/2/search")) {
        jira_search(j, req, ans);
    } else if (cloud && hm_ends_with(req->path, "/search")) {
        hm_world_answer_text(ans, 410, "The requested API has been removed.\n");
    } else if (post && hm_streq(req->path, cloud ? "/rest/api/3/issue" : "/rest/api/2/issue")) {
        jira_create(j, world, req, ans);
    } else {
        hm_kit_say(ans, 404, "Oops, you've found a dead link.");
    }
}

const struct hm_world_system hm_world_jira = {
    .name = "jira", .new = jira_new, .free = tickets_free, .state_new = tickets_state, .handle = jira_handle};

/* --- OpsGenie -------------------------------------------------------------------------------------------------------------- */

static void *opsgenie_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"alerts", NULL};
    (void)err;
    return hm_kit_state_copy(state, lists);
}

static json_t *open_alert(const json_t *o, const char *alias)
{
    const json_t *alerts = hm_json_get_arr(o, "alerts");
    for (size_t i = json_array_size(alerts); i-- > 0;)
        if (hm_streq(hm_json_get_str(json_array_get(alerts, i), "alias", ""), alias))
            return json_array_get(alerts, i);
    return NULL;
}

static void accepted(struct hm_world_answer *ans)
{
    hm_world_answer_json(ans, 202, "application/json",
                         json_pack("{s:s, s:f, s:s}", "result", "Request will be processed", "took", 0.1, "requestId", "q-1"));
}

static void opsgenie_create(json_t *o, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *body = hm_kit_body_new(req, ans), *config = hm_json_get_obj(o, "config");
    const char *message = hm_json_get_str(body, "message", NULL), *alias = hm_json_get_str(body, "alias", "");
    const char *priority = hm_json_get_str(body, "priority", "P3");
    const json_t *responder = json_array_get(hm_json_get_arr(body, "responders"), 0);
    if (body == NULL)
        return;
    json_t *open = open_alert(o, alias);
    if (message == NULL || message[0] == '\0' || strlen(priority) != 2 || priority[0] != 'P') {
        hm_kit_say(ans, 422, "Request body is not processable. Please check the errors.");
    } else if (open != NULL && hm_streq(hm_json_get_str(open, "status", ""), "open")) {
        hm_json_set_int(open, "count", hm_json_get_int(open, "count", 1) + 1);
        hm_world_count_effect(world, "opsgenie alert", alias, false);
        accepted(ans);
    } else {
        hm_json_add(hm_json_get_arr(o, "alerts"),
                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "alias", alias, "message", message, "team",
                              hm_json_get_str(responder, "name", ""), "priority", priority, "status", "open", "count", 1, "lag",
                              (json_int_t)hm_json_get_int(config, "lag", 1)));
        hm_world_count_effect(world, "opsgenie alert", alias, true);
        accepted(ans);
    }
    json_decref(body);
}

static void opsgenie_show(const json_t *o, json_t *alert, struct hm_world_answer *ans)
{
    const char *taken_by = hm_json_get_str(hm_json_get_obj(o, "config"), "taken_by", NULL);
    if (alert == NULL || !is_visible(alert)) {
        hm_kit_say(ans, 404, "Alert does not exist");
        return;
    }
    hm_world_answer_json(ans, 200, "application/json",
                         json_pack("{s:{s:s, s:s, s:s, s:s, s:b, s:s, s:I}}", "data", "alias",
                                   hm_json_get_str(alert, "alias", ""), "tinyId", "42", "message",
                                   hm_json_get_str(alert, "message", ""), "status", hm_json_get_str(alert, "status", ""),
                                   "acknowledged", taken_by != NULL, "owner", taken_by != NULL ? taken_by : "", "count",
                                   (json_int_t)hm_json_get_int(alert, "count", 1)));
}

static void opsgenie_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char *const all[] = {"v2", "alerts", NULL};
    static const char *const one[] = {"v2", "alerts", "*", NULL};
    static const char *const close_one[] = {"v2", "alerts", "*", "close", NULL};
    json_t *o = system, *segments = hm_kit_segments_new(req->path);
    json_t *alert = open_alert(o, hm_kit_segment(segments, 2));
    char *by = hm_kit_query(req->query, "identifierType");
    bool get = hm_streq(req->method, "GET"), post = hm_streq(req->method, "POST");
    if (!hm_kit_let_in(hm_json_get_obj(o, "config"), "GenieKey", req, ans)) {
        /* answered */
    } else if (post && hm_kit_path_is(segments, all)) {
        opsgenie_create(o, world, req, ans);
    } else if (!hm_streq(by, "alias")) {
        hm_kit_say(ans, 422, "only identifierType=alias is played here");
    } else if (get && hm_kit_path_is(segments, one)) {
        opsgenie_show(o, alert, ans);
    } else if (post && hm_kit_path_is(segments, close_one)) {
        bool changed = alert != NULL && hm_streq(hm_json_get_str(alert, "status", ""), "open");
        if (changed)
            hm_json_set_str(alert, "status", "closed");
        hm_world_count_effect(world, "opsgenie close", hm_kit_segment(segments, 2), changed);
        accepted(ans);
    } else {
        hm_kit_say(ans, 404, "Not found");
    }
    free(by);
    json_decref(segments);
}

const struct hm_world_system hm_world_opsgenie = {
    .name = "opsgenie", .new = opsgenie_new, .free = tickets_free, .state_new = tickets_state, .handle = opsgenie_handle};
