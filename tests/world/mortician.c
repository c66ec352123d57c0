/* Mortician: dead letters in groups by their error, which shrink when they are replayed or discarded.
 *
 * Nobody outside has its API; this one is what the shipped configuration names. State: {"config": {"bearer"}, "groups": [{"id",
 * "service", "topic", "prototype", "message", "count", "oldest", "broken": the service still fails, so a replay brings new
 * letters}]}. config.date is what the Date header says, in place of the real time. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"
#include "world.h"

struct mortician {
    json_t *config, *groups;
};

static bool fits(const json_t *group, const json_t *form, const char *wanted, const char *key)
{
    const char *value = hm_json_get_str(form, wanted, "");
    return value[0] == '\0' || hm_streq(hm_json_get_str(group, key, NULL), value);
}

static void list(const struct mortician *m, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *form = hm_kit_form_new(req->query, strlen(req->query)), *found = hm_json_arr_new(), *body = hm_json_obj_new();
    if (hm_json_get_str(form, "producer", "")[0] == '\0') {
        hm_kit_refuse(ans, 400, "producer is needed");
        json_decref(found);
        json_decref(body);
        json_decref(form);
        return;
    }
    for (size_t i = 0; i < json_array_size(m->groups); i++) {
        const json_t *group = json_array_get(m->groups, i);
        if (fits(group, form, "producer", "service") && fits(group, form, "topic", "topic") &&
            fits(group, form, "shard", "prototype"))
            hm_json_add(found, json_deep_copy(group));
    }
    hm_json_set(body, "groups", found);
    hm_world_answer_json(ans, 200, "application/json", body);
    const char *date = hm_json_get_str(m->config, "date", NULL);
    if (date != NULL)
        ans->headers = hm_xasprintf("Date: %s\r\n", date);
    json_decref(form);
}

static json_t *find(const struct mortician *m, const char *id)
{
    for (size_t i = 0; i < json_array_size(m->groups); i++)
        if (hm_streq(hm_json_get_str(json_array_get(m->groups, i), "id", NULL), id))
            return json_array_get(m->groups, i);
    return NULL;
}

static void mortician_handle(void *system, struct hm_world *world, const struct hm_world_request *req,
                             struct hm_world_answer *ans)
{
    static const char root[] = "/api/deadletters/groups";
    struct mortician *m = system;
    if (!hm_kit_authorized(m->config, req, ans))
        return;
    if (strcmp(req->path, root) == 0 && strcmp(req->method, "GET") == 0) {
        list(m, req, ans);
        return;
    }
    const char *rest = hm_starts_with(req->path, root) && req->path[strlen(root)] == '/' ? req->path + strlen(root) + 1 : "";
    char *id = hm_xstrndup(rest, strcspn(rest, "/"));
    const char *what = rest + strlen(id);
    json_t *group = find(m, id);
    int64_t count = hm_json_get_int(group, "count", 0);
    bool replay = strcmp(what, "/replay") == 0 && strcmp(req->method, "POST") == 0;
    bool discard = what[0] == '\0' && strcmp(req->method, "DELETE") == 0;
    if (group == NULL || (!replay && !discard)) {
        hm_kit_refuse(ans, 404, "no such group");
    } else {
        bool back = replay && hm_json_get_bool(group, "broken", false); /* delivered, and dead again */
        hm_world_count_effect(world, replay ? "mortician replay" : "mortician discard", id, count > 0);
        hm_json_set_int(group, "count", back ? count : 0);
        hm_world_answer_json(ans, replay ? 202 : 200, "application/json", hm_json_obj_new());
    }
    free(id);
}

static void mortician_free(void *system)
{
    struct mortician *m = system;
    json_decref(m->config);
    json_decref(m->groups);
    free(m);
}

static void *mortician_new(const json_t *state, struct hm_err *err)
{
    struct mortician *m = hm_xcalloc(1, sizeof(*m));
    json_t *config = hm_json_get_obj(state, "config"), *groups = hm_json_get_arr(state, "groups");
    m->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    m->groups = groups != NULL ? json_deep_copy(groups) : hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(m->groups); i++) {
        const json_t *group = json_array_get(m->groups, i);
        if (hm_json_get_str(group, "id", NULL) != NULL && hm_json_get_str(group, "service", NULL) != NULL &&
            hm_json_get_int(group, "count", -1) >= 0)
            continue;
        (void)hm_err_set(err, HM_EINVAL, "group %zu: it needs id, service and count", i);
        mortician_free(m);
        return NULL;
    }
    return m;
}

static json_t *mortician_state_new(void *system)
{
    const struct mortician *m = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(m->config));
    hm_json_set(state, "groups", json_deep_copy(m->groups));
    return state;
}

const struct hm_world_system hm_world_mortician = {
    .name = "mortician",
    .new = mortician_new,
    .free = mortician_free,
    .state_new = mortician_state_new,
    .handle = mortician_handle,
};
