/* Mesos, its master: state, redirect, frameworks, slaves, teardown, and of the operator API GET_MASTER.
 *
 * The leader is 127.0.0.1 with the world's port, whatever name the world was asked under; a teardown that comes under another
 * name gets the redirect of a master that does not lead. Tearing down the framework that is alive ends its tasks, as the real one
 * would.
 *
 * State: {"elected": bool, "wake": looks until a leader is elected, "hostname": text, "serial": n, "frameworks": [{"id", "name",
 * "active", "connected", "tasks": n, "unregistered_time"}], "completed": […], "agents": [{"hostname", "active", "attributes",
 * "cpus"}]}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "house.h"
#include "kit.h"

enum { MS = 1000 };

struct mesos {
    json_t *state;
};

static const char *text(const json_t *object, const char *key)
{
    return hm_json_get_str(object, key, "");
}

static json_t *list_of(const struct mesos *m, const char *key)
{
    return hm_json_get_arr(m->state, key);
}

/* "41234", of the address that the client asked for. The caller frees. */
static char *port_of(const struct hm_world_request *req)
{
    char *host = hm_header_line(req->headers, "host");
    const char *colon = host != NULL ? strrchr(host, ':') : NULL;
    char *port = hm_xstrdup(colon != NULL ? colon + 1 : "80");
    free(host);
    return port;
}

static bool at_leader(const struct hm_world_request *req)
{
    char *host = hm_header_line(req->headers, "host");
    bool leader = host != NULL && hm_starts_with(host, "127.0.0.1:");
    free(host);
    return leader;
}

/* ---- what the house does to it -------------------------------------------------------------------------------------------- */

void hm_house_cycle_masters(struct hm_world *world)
{
    struct mesos *m = hm_world_system_of(world, "mesos");
    hm_json_set_bool(m->state, "elected", false);
    hm_json_set_int(m->state, "wake", 2);
}

void hm_house_orphan(struct hm_world *world, const char *framework)
{
    struct mesos *m = hm_world_system_of(world, "mesos");
    json_t *list = list_of(m, "frameworks");
    int64_t serial = hm_json_get_int(m->state, "serial", 0) + 1;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *each = json_array_get(list, i);
        if (!hm_streq(text(each, "name"), framework) || !hm_json_get_bool(each, "active", false))
            continue;
        hm_json_set_bool(each, "active", false);
        hm_json_set_bool(each, "connected", false);
        hm_json_set_int(each, "unregistered_time", hm_world_now_ms(world) / MS);
    }
    char *id = hm_xasprintf("67386329-1fe2-48f4-9457-0d45d924db5d-%04lld", (long long)serial);
    json_t *fresh = hm_json_obj_new();
    hm_json_set_int(m->state, "serial", serial);
    hm_json_set_str(fresh, "id", id);
    hm_json_set_str(fresh, "name", framework);
    hm_json_set_bool(fresh, "active", true);
    hm_json_set_bool(fresh, "connected", true);
    hm_json_add(list, fresh);
    free(id);
}

/* ---- reading -------------------------------------------------------------------------------------------------------------- */

static json_t *framework_new(const json_t *given)
{
    json_t *shown = hm_json_obj_new(), *tasks = hm_json_arr_new();
    for (int64_t i = 0; i < hm_json_get_int(given, "tasks", 0); i++) {
        json_t *task = hm_json_obj_new();
        hm_json_set_int(task, "id", i);
        hm_json_add(tasks, task);
    }
    hm_json_set_str(shown, "id", text(given, "id"));
    hm_json_set_str(shown, "name", text(given, "name"));
    hm_json_set_bool(shown, "active", hm_json_get_bool(given, "active", false));
    hm_json_set_bool(shown, "connected", hm_json_get_bool(given, "connected", false));
    hm_json_set_bool(shown, "recovered", false);
    hm_json_set_int(shown, "unregistered_time", hm_json_get_int(given, "unregistered_time", 0));
    hm_json_set(shown, "tasks", tasks);
    return shown;
}

static json_t *frameworks_new(const json_t *given, const char *only)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(given); i++)
        if (only == NULL || hm_streq(text(json_array_get(given, i), "id"), only))
            hm_json_add(list, framework_new(json_array_get(given, i)));
    return list;
}

static void show_frameworks(const struct mesos *m, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *query = hm_kit_form_new(req->query, strlen(req->query));
    const char *only = hm_json_get_str(query, "framework_id", NULL);
    json_t *body = hm_json_obj_new();
    hm_json_set(body, "frameworks", frameworks_new(list_of(m, "frameworks"), only));
    hm_json_set(body, "completed_frameworks", frameworks_new(list_of(m, "completed"), only));
    hm_json_set(body, "unregistered_frameworks", hm_json_arr_new());
    hm_world_answer_json(ans, 200, "application/json", body);
    json_decref(query);
}

static json_t *leader_info_new(const struct mesos *m, const char *port)
{
    json_t *info = hm_json_obj_new();
    char *pid = hm_xasprintf("master@127.0.0.1:%s", port);
    int64_t number = 0;
    (void)hm_parse_i64(port, 0, 65535, &number);
    hm_json_set_str(info, "id", "b5eac2c5-609b-4ca1-a352-61941702fc9e");
    hm_json_set_str(info, "pid", pid);
    hm_json_set_int(info, "port", number);
    hm_json_set_str(info, "hostname", hm_json_get_str(m->state, "hostname", "ip-10-130-1-61.ec2.internal"));
    free(pid);
    return info;
}

static void show_state(const struct mesos *m, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    char *port = port_of(req);
    char *pid = hm_xasprintf("master@127.0.0.1:%s", port);
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "version", "1.4.0");
    hm_json_set_str(body, "pid", pid);
    hm_json_set_str(body, "leader", pid);
    hm_json_set(body, "leader_info", leader_info_new(m, port));
    hm_json_set(body, "frameworks", frameworks_new(list_of(m, "frameworks"), NULL));
    hm_world_answer_json(ans, 200, "application/json", body);
    free(pid);
    free(port);
}

static void show_agents(const struct mesos *m, struct hm_world_answer *ans)
{
    json_t *body = hm_json_obj_new(), *list = hm_json_arr_new();
    const json_t *agents = list_of(m, "agents");
    for (size_t i = 0; i < json_array_size(agents); i++) {
        const json_t *agent = json_array_get(agents, i);
        const json_t *cpus = json_object_get(agent, "cpus"), *attributes = hm_json_get_obj(agent, "attributes");
        json_t *shown = hm_json_obj_new(), *used = hm_json_obj_new();
        hm_json_set(used, "cpus", json_is_number(cpus) ? json_deep_copy(cpus) : json_integer(0));
        hm_json_set_str(shown, "hostname", text(agent, "hostname"));
        hm_json_set_bool(shown, "active", hm_json_get_bool(agent, "active", true));
        hm_json_set(shown, "attributes", attributes != NULL ? json_deep_copy(attributes) : hm_json_obj_new());
        hm_json_set(shown, "used_resources", used);
        hm_json_add(list, shown);
    }
    hm_json_set(body, "slaves", list);
    hm_json_set(body, "recovered_slaves", hm_json_arr_new());
    hm_world_answer_json(ans, 200, "application/json", body);
}

static void operator_api(const struct mesos *m, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *asked = hm_json_parse_new(req->body, req->body_len, 1000000, NULL);
    if (!hm_streq(req->method, "POST")) {
        hm_world_answer_text(ans, 405, "Expecting 'POST'\n");
    } else if (!hm_starts_with(req->content_type, "application/json")) {
        hm_world_answer_text(ans, 415, "Expecting 'Content-Type' of application/json\n");
    } else if (!hm_streq(text(asked, "type"), "GET_MASTER")) {
        hm_world_answer_text(ans, 501, "Not in this world: %s\n", text(asked, "type"));
    } else {
        char *port = port_of(req);
        json_t *body = hm_json_obj_new(), *master = hm_json_obj_new();
        hm_json_set(master, "master_info", leader_info_new(m, port));
        hm_json_set_str(body, "type", "GET_MASTER");
        hm_json_set(body, "get_master", master);
        hm_world_answer_json(ans, 200, "application/json", body);
        free(port);
    }
    json_decref(asked);
}

static void redirect(const struct mesos *m, const struct hm_world_request *req, const char *path, struct hm_world_answer *ans)
{
    char *port = port_of(req);
    hm_world_answer_text(ans, 307, "%s", "");
    ans->headers =
        hm_xasprintf("Location: //%s:%s%s\r\n", hm_json_get_str(m->state, "hostname", "ip-10-130-1-61.ec2.internal"), port, path);
    free(port);
}

/* ---- teardown ------------------------------------------------------------------------------------------------------------- */

static void teardown(struct hm_world *world, struct mesos *m, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *form = hm_kit_form_new(req->body, req->body_len);
    const char *id = hm_json_get_str(form, "frameworkId", NULL);
    json_t *list = list_of(m, "frameworks"), *found = NULL;
    size_t i = 0;
    for (; id != NULL && found == NULL && i < json_array_size(list); i++)
        if (hm_streq(text(json_array_get(list, i), "id"), id))
            found = json_array_get(list, i);
    if (!hm_streq(req->method, "POST")) {
        hm_world_answer_text(ans, 405, "Expecting 'POST', received '%s'\n", req->method);
    } else if (!at_leader(req)) {
        redirect(m, req, "/master/teardown", ans);
    } else if (id == NULL) {
        hm_world_answer_text(ans, 400, "Missing 'frameworkId' query parameter in the request body");
    } else if (found == NULL) {
        hm_world_answer_text(ans, 400, "No framework found with specified ID");
    } else {
        bool alive = hm_json_get_bool(found, "active", false);
        hm_world_count_effect(world, "mesos teardown", id, true);
        hm_json_set_bool(found, "active", false);
        hm_json_set_bool(found, "connected", false);
        hm_json_set_int(found, "tasks", 0);
        hm_json_add(list_of(m, "completed"), json_incref(found));
        (void)json_array_remove(list, i - 1);
        if (alive)
            hm_house_lose_tasks(world);
        hm_world_answer_text(ans, 200, "%s", "");
    }
    json_decref(form);
}

static void mesos_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    struct mesos *m = system;
    int64_t wake = hm_json_get_int(m->state, "wake", 0);
    if (!hm_json_get_bool(m->state, "elected", true)) {
        hm_world_answer_text(ans, 503, "No leader elected");
        if (wake > 0)
            hm_json_set_int(m->state, "wake", wake - 1);
        if (wake == 1)
            hm_json_set_bool(m->state, "elected", true);
    } else if (hm_streq(req->path, "/master/teardown")) {
        teardown(world, m, req, ans);
    } else if (hm_streq(req->path, "/api/v1")) {
        operator_api(m, req, ans);
    } else if (!hm_streq(req->method, "GET")) {
        hm_world_answer_text(ans, 405, "Expecting 'GET'\n");
    } else if (hm_streq(req->path, "/master/state")) {
        show_state(m, req, ans);
    } else if (hm_streq(req->path, "/master/frameworks")) {
        show_frameworks(m, req, ans);
    } else if (hm_streq(req->path, "/master/slaves")) {
        show_agents(m, ans);
    } else if (hm_streq(req->path, "/master/redirect")) {
        redirect(m, req, "/", ans);
    } else {
        hm_world_answer_text(ans, 404, "Mesos has nothing at %s.\n", req->path);
    }
}

/* ---- the system ----------------------------------------------------------------------------------------------------------- */

static void mesos_free(void *system)
{
    struct mesos *m = system;
    json_decref(m->state);
    free(m);
}

static void *mesos_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"frameworks", "completed", "agents"};
    struct mesos *m = hm_xcalloc(1, sizeof *m);
    m->state = json_is_object(state) ? json_deep_copy(state) : hm_json_obj_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(lists); i++)
        if (list_of(m, lists[i]) == NULL)
            hm_json_set(m->state, lists[i], hm_json_arr_new());
    for (size_t i = 0; i < json_array_size(list_of(m, "frameworks")); i++) {
        const json_t *each = json_array_get(list_of(m, "frameworks"), i);
        if (text(each, "id")[0] != '\0' && text(each, "name")[0] != '\0' && json_is_boolean(json_object_get(each, "active")))
            continue;
        (void)hm_err_set(err, HM_EINVAL, "framework %zu needs id, name and active", i);
        mesos_free(m);
        return NULL;
    }
    return m;
}

static json_t *mesos_state_new(void *system)
{
    const struct mesos *m = system;
    return json_deep_copy(m->state);
}

const struct hm_world_system hm_world_mesos = {
    .name = "mesos",
    .new = mesos_new,
    .free = mesos_free,
    .state_new = mesos_state_new,
    .handle = mesos_handle,
};
