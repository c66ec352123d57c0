/* Mesos, reading: the leading master's address, the frameworks of a name with the orphans among them, the agents.
 *
 * Who leads is an answer, also when it is "nobody" (503) or "somebody else" (307): recipes wait with `until`. An orphan is a
 * framework that is neither active nor connected and whose id no active framework bears; whether it only fails over just now can
 * not be seen in one look, so recipes look twice. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/mesos.h"

enum { MAX_FRAMEWORKS = 2000, MAX_AGENTS = 10000, MS = 1000 };

/* ---- the leader --------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec no_args[] = {
    {NULL, HM_ARG_STRING, false, NULL},
};

static bool from_api(const struct hm_backend *backend)
{
    return hm_streq(hm_json_get_str(backend->settings, "leader_from", "state"), "api");
}

static enum hm_code leader_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    const char *from = hm_json_get_str(backend->settings, "leader_from", "state");
    (void)args;
    (void)cursor;
    if (!hm_streq(from, "state") && !hm_streq(from, "api"))
        return hm_err_set(err, HM_EENV, "backend %s: leader_from must be \"state\" or \"api\", not \"%.40s\"", backend->name,
                          from);
    if (!from_api(backend)) {
        hm_mesos_get(req, backend, backend->url, "/master/state");
        return HM_OK;
    }
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "type", "GET_MASTER");
    hm_request_begin(req, backend, "POST", "/api/v1");
    hm_request_add_header(req, "Accept", "application/json");
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_verdict no_leader(struct hm_outcome *out)
{
    out->result = hm_json_obj_new();
    hm_json_set_bool(out->result, "elected", false);
    hm_json_set_str(out->result, "address", "");
    hm_json_set_str(out->result, "hostname", "");
    return HM_VERDICT_OK;
}

static enum hm_verdict leader_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mesos"};
    json_t *json = NULL;
    (void)args;
    (void)cursor;
    if (hm_mesos_says_no_leader(answer))
        return no_leader(out);
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *info =
        from_api(backend) ? hm_json_get_path(json, "get_master.master_info") : hm_json_get_obj(json, "leader_info");
    const char *leader = from_api(backend) ? "" : hm_json_get_str(json, "leader", "");
    char *address = hm_mesos_address(hm_json_get_str(info, "pid", leader));
    if (address != NULL) {
        out->result = hm_json_obj_new();
        hm_json_set_bool(out->result, "elected", true);
        hm_json_set_str(out->result, "address", address);
        hm_json_set_str(out->result, "hostname", hm_json_get_str(info, "hostname", ""));
    } else if (!from_api(backend) && info == NULL && leader[0] == '\0' && hm_json_get_str(json, "pid", NULL) != NULL) {
        verdict = no_leader(out); /* a master's own state, without a leader in it */
    } else {
        verdict = hm_http_odd(&asked, out, "it names no leader by an address like master@10.130.1.61:5050");
    }
    free(address);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec leader_fields[] = {
    {"elected", HM_FIELD_BOOL, true, "whether there is a leader", NULL},
    {"address", HM_FIELD_TEXT, true, "like 10.130.1.61:5050: what `leader` of the other actions takes", NULL},
    {"hostname", HM_FIELD_TEXT, true, "its name", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_mesos_leader = {
    .name = "mesos.leader",
    .title = "Ask which Mesos master leads",
    .doc = "When no leader is elected, elected is false and address is empty.",
    .effect = HM_EFFECT_READ,
    .args = no_args,
    .result = leader_fields,
    .request = leader_request,
    .response = leader_response,
};

/* ---- frameworks --------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec frameworks_args[] = {
    {"name", HM_ARG_STRING, false, "only those of exactly this name, like Aurora"},
    {"leader", HM_ARG_STRING, false, "address of the master to ask, as mesos.leader gives it; the backend's url when left out"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code frameworks_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    char *base = NULL;
    (void)cursor;
    enum hm_code code = hm_mesos_base(backend, args, false, &base, err);
    if (code == HM_OK)
        hm_mesos_get(req, backend, base, "/master/frameworks");
    free(base);
    return code;
}

/* When it was lost, as text; "" when it never was. */
static const char *lost_at(const json_t *framework, char *buf)
{
    const json_t *at = json_object_get(framework, "unregistered_time");
    double seconds = json_is_number(at) ? json_number_value(at) : 0;
    buf[0] = '\0';
    return seconds > 0 && seconds < 253402300800.0 ? hm_format_time((int64_t)(seconds * MS), buf) : buf;
}

/* As recipes see it; NULL when it is no framework. */
static json_t *framework_new(const json_t *given)
{
    char when[HM_TIME_MAX];
    const char *id = hm_json_get_str(given, "id", NULL);
    const json_t *active = json_object_get(given, "active");
    const json_t *connected = json_object_get(given, "connected");
    if (id == NULL || !hm_mesos_id_ok(id) || !json_is_boolean(active) || (connected != NULL && !json_is_boolean(connected)))
        return NULL;
    json_t *framework = hm_json_obj_new();
    hm_json_set_str(framework, "id", id);
    hm_json_set_str(framework, "name", hm_json_get_str(given, "name", ""));
    hm_json_set_bool(framework, "active", json_is_true(active));
    /* A Mesos that does not say counts as connected: then it is no orphan. */
    hm_json_set_bool(framework, "connected", connected == NULL || json_is_true(connected));
    hm_json_set_int(framework, "tasks", (int64_t)json_array_size(hm_json_get_arr(given, "tasks")));
    hm_json_set_str(framework, "unregistered", lost_at(given, when));
    return framework;
}

static bool idle(const json_t *framework)
{
    return !hm_json_get_bool(framework, "active", true) && !hm_json_get_bool(framework, "connected", true);
}

static bool active_has_id(const json_t *list, const char *id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!idle(json_array_get(list, i)) && hm_streq(hm_json_get_str(json_array_get(list, i), "id", ""), id))
            return true;
    return false;
}

static enum hm_verdict sort_frameworks(const struct hm_http_asked *asked, const json_t *given, const char *name,
                                       struct hm_outcome *out)
{
    json_t *list = hm_json_arr_new(), *active = hm_json_arr_new(), *orphans = hm_json_arr_new();
    enum hm_verdict verdict = HM_VERDICT_OK;
    int64_t tasks = 0;
    if (!json_is_array(given) || json_array_size(given) > MAX_FRAMEWORKS)
        verdict = hm_http_odd(asked, out, "it has no list of frameworks, or one that is too long");
    for (size_t i = 0; verdict == HM_VERDICT_OK && i < json_array_size(given); i++) {
        json_t *framework = framework_new(json_array_get(given, i));
        if (framework == NULL) {
            verdict = hm_http_odd(asked, out, "a framework in it has no id, or does not say whether it is active");
            break;
        }
        if (name[0] == '\0' || hm_streq(name, hm_json_get_str(framework, "name", "")))
            hm_json_add(list, json_incref(framework));
        json_decref(framework);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *framework = json_array_get(list, i);
        const char *id = hm_json_get_str(framework, "id", "");
        if (!idle(framework)) {
            hm_json_add(active, hm_json_str_new(id));
        } else if (!active_has_id(list, id)) {
            hm_json_add(orphans, json_incref(framework));
            tasks += hm_json_get_int(framework, "tasks", 0);
        }
    }
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set(out->result, "list", json_incref(list));
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set(out->result, "active", json_incref(active));
        hm_json_set(out->result, "orphans", json_incref(orphans));
        hm_json_set_int(out->result, "orphan_tasks", tasks);
    }
    json_decref(list);
    json_decref(active);
    json_decref(orphans);
    return verdict;
}

static enum hm_verdict frameworks_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mesos"};
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict == HM_VERDICT_OK)
        verdict = sort_frameworks(&asked, json_object_get(json, "frameworks"), hm_json_get_str(args, "name", ""), out);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec framework_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the framework's id", NULL},
    {"name", HM_FIELD_TEXT, true, "its name", NULL},
    {"active", HM_FIELD_BOOL, true, "whether Mesos makes offers to it", NULL},
    {"connected", HM_FIELD_BOOL, true, "whether it is connected", NULL},
    {"tasks", HM_FIELD_NUMBER, true, "how many it has", NULL},
    {"unregistered", HM_FIELD_TEXT, true, "when it was lost; empty when it was not", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec frameworks_fields[] = {
    {"list", HM_FIELD_LIST, true, "the frameworks", framework_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"active", HM_FIELD_LIST, true, "ids of those that are active or connected", NULL},
    {"orphans", HM_FIELD_LIST, true, "those that are neither, and whose id no other one bears", framework_fields},
    {"orphan_tasks", HM_FIELD_NUMBER, true, "tasks of the orphans", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_mesos_frameworks = {
    .name = "mesos.frameworks",
    .title = "List the frameworks of Mesos",
    .effect = HM_EFFECT_READ,
    .args = frameworks_args,
    .result = frameworks_fields,
    .request = frameworks_request,
    .response = frameworks_response,
};

/* ---- agents ------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec agents_args[] = {
    {"match", HM_ARG_STRING, false, "only those whose host name or an attribute has this text in it"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code agents_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)args;
    (void)cursor;
    (void)err;
    hm_mesos_get(req, backend, backend->url, "/master/slaves");
    return HM_OK;
}

static bool matches(const json_t *agent, const char *match)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (match[0] == '\0' || strstr(hm_json_get_str(agent, "hostname", ""), match) != NULL)
        return true;
    json_object_foreach(hm_json_get_obj(agent, "attributes"), name, value)
    {
        if (json_is_string(value) && strstr(json_string_value(value), match) != NULL)
            return true;
    }
    return false;
}

/* As recipes see it; NULL when it is no agent. */
static json_t *agent_new(const json_t *given)
{
    const char *hostname = hm_json_get_str(given, "hostname", NULL);
    const json_t *active = json_object_get(given, "active");
    const json_t *attributes = hm_json_get_obj(given, "attributes");
    const json_t *used = json_object_get(hm_json_get_obj(given, "used_resources"), "cpus");
    if (hostname == NULL || (active != NULL && !json_is_boolean(active)))
        return NULL;
    json_t *agent = hm_json_obj_new();
    hm_json_set_str(agent, "hostname", hostname);
    hm_json_set_bool(agent, "active", active == NULL || json_is_true(active));
    hm_json_set_bool(agent, "idle", json_is_number(used) && json_number_value(used) < 0.001);
    hm_json_set(agent, "attributes", attributes != NULL ? json_deep_copy(attributes) : hm_json_obj_new());
    return agent;
}

static enum hm_verdict agents_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mesos"};
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *given = hm_json_get_arr(json, "slaves");
    json_t *list = hm_json_arr_new(), *hosts = hm_json_arr_new();
    int64_t active = 0, idle_agents = 0;
    if (given == NULL || json_array_size(given) > MAX_AGENTS)
        verdict = hm_http_odd(&asked, out, "it has no list of agents, or one that is too long");
    for (size_t i = 0; verdict == HM_VERDICT_OK && i < json_array_size(given); i++) {
        json_t *agent = agent_new(json_array_get(given, i));
        if (agent == NULL) {
            verdict = hm_http_odd(&asked, out, "an agent in it has no host name");
        } else if (matches(agent, hm_json_get_str(args, "match", ""))) {
            active += hm_json_get_bool(agent, "active", false) ? 1 : 0;
            idle_agents += hm_json_get_bool(agent, "idle", false) ? 1 : 0;
            hm_json_add(hosts, hm_json_str_new(hm_json_get_str(agent, "hostname", "")));
            hm_json_add(list, json_incref(agent));
        }
        json_decref(agent);
    }
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set_int(out->result, "active", active);
        hm_json_set_int(out->result, "idle", idle_agents);
        hm_json_set(out->result, "list", json_incref(list));
        hm_json_set(out->result, "hosts", json_incref(hosts));
    }
    json_decref(list);
    json_decref(hosts);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec agent_fields[] = {
    {"hostname", HM_FIELD_TEXT, true, "the machine", NULL},
    {"active", HM_FIELD_BOOL, true, "whether it takes tasks", NULL},
    {"idle", HM_FIELD_BOOL, true, "no CPU is in use", NULL},
    {"attributes", HM_FIELD_OBJECT, true, "as the agent was started with", hm_fields_open},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec agents_fields[] = {
    {"count", HM_FIELD_NUMBER, true, "machines", NULL},    {"active", HM_FIELD_NUMBER, true, "of them active", NULL},
    {"idle", HM_FIELD_NUMBER, true, "of them idle", NULL}, {"list", HM_FIELD_LIST, true, "the machines", agent_fields},
    {"hosts", HM_FIELD_LIST, true, "their names", NULL},   {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_mesos_agents = {
    .name = "mesos.agents",
    .title = "List the agents of Mesos",
    .effect = HM_EFFECT_READ,
    .args = agents_args,
    .result = agents_fields,
    .request = agents_request,
    .response = agents_response,
};
